//! Which files hold events, and in which format.

use std::path::{Path, PathBuf};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// An array, one object behind the other, one a line.
    Json,
    /// One a line, so that a line that is cut short cannot take others with it.
    JsonLines,
    Csv {
        delimiter: u8,
    },
    Parquet,
}

impl Format {
    /// By the ending of the name.
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match extension.as_str() {
            "json" => Self::Json,
            "jsonl" | "ndjson" => Self::JsonLines,
            "csv" => Self::Csv { delimiter: b',' },
            "tsv" => Self::Csv { delimiter: b'\t' },
            "parquet" => Self::Parquet,
            _ => return None,
        })
    }
}

/// A file that holds events of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFile {
    pub path: PathBuf,
    /// As messages name it.
    pub shown: String,
    pub format: Format,
}

/// Why a file gives no events at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    #[error("cannot read `{0}`: {1}")]
    Read(String, String),
    #[error("the format of `{0}` is not known (.json, .jsonl, .ndjson, .csv, .tsv and .parquet are)")]
    Format(String),
    #[error("`{0}` is Parquet, which only the embedded engine reads")]
    Parquet(String),
    #[error("{0}")]
    Engine(String),
}

impl EventFile {
    /// A file that the user named: its format by its name, JSON where that says nothing.
    pub fn new(path: &Path) -> Result<Self, FileFault> {
        let shown = path.to_string_lossy().replace('\\', "/");
        let format = Format::of(path).ok_or_else(|| FileFault::Format(shown.clone()))?;
        if let Err(e) = std::fs::metadata(path) {
            return Err(FileFault::Read(shown, e.to_string()));
        }
        Ok(Self { path: path.to_path_buf(), shown, format })
    }

    /// The name of the table where nothing else says it.
    pub fn stem(&self) -> String {
        self.path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
    }

    pub(crate) fn fault(&self, e: impl std::fmt::Display) -> FileFault {
        FileFault::Read(self.shown.clone(), e.to_string())
    }
}

/// The event files of a folder, by name; those of its folders are not looked at.
pub fn in_folder(folder: &Path) -> Result<Vec<EventFile>, FileFault> {
    let shown = folder.to_string_lossy().replace('\\', "/");
    let fault = |e: std::io::Error| FileFault::Read(shown.clone(), e.to_string());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        if path.is_file() && Format::of(&path).is_some() {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|p| EventFile::new(p)).collect()
}
