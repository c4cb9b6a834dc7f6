//! The files of a run: found in folders in a fixed order, read whole, one at a time.

use crate::language::EXTENSIONS;
use ruleferry_diag::{Diagnostic, Span, codes};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Rules are small; what is larger is no rule, and is not read into memory.
pub const MAX_FILE: u64 = 8 * 1024 * 1024;

/// A file to read, and what to call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    pub path: PathBuf,
    /// As records and messages show it: as the user gave it, with `/`.
    pub shown: String,
    /// Below the folder that the user named: where its outputs go in a mirrored tree.
    pub relative: PathBuf,
    /// Found in a folder, not named by the user.
    pub walked: bool,
}

/// Why a path gives no inputs.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    #[error("`{0}` does not exist")]
    Missing(String),
    #[error("{0}")]
    Walk(String),
}

/// The files of `paths`: a file stands for itself, a folder for the rule files in it (`.gitignore` respected), `-` for
/// standard input. In the order of the paths, and within a folder sorted by name; none twice.
pub fn walk(paths: &[PathBuf]) -> (Vec<Input>, Vec<WalkError>) {
    let (mut inputs, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        if path.as_os_str() == "-" {
            inputs.push(Input {
                path: path.clone(),
                shown: "-".into(),
                relative: "stdin".into(),
                walked: false,
            });
        } else if path.is_dir() {
            walk_folder(path, &mut inputs, &mut errors);
        } else if path.exists() {
            let relative = path.file_name().map_or_else(|| path.clone(), PathBuf::from);
            inputs.push(Input { path: path.clone(), shown: shown(path), relative, walked: false });
        } else {
            errors.push(WalkError::Missing(shown(path)));
        }
    }
    // One folder holds no file twice.
    if paths.len() > 1 {
        let mut seen = std::collections::BTreeSet::new();
        inputs.retain(|i| seen.insert(i.path.clone()));
    }
    (inputs, errors)
}

fn walk_folder(root: &Path, inputs: &mut Vec<Input>, errors: &mut Vec<WalkError>) {
    let walker = ignore::WalkBuilder::new(root)
        .hidden(true)
        .require_git(false)
        .sort_by_file_name(std::ffi::OsStr::cmp)
        .build();
    for entry in walker {
        let entry = match entry {
            Ok(e) => e,
            Err(e) => {
                errors.push(WalkError::Walk(e.to_string()));
                continue;
            }
        };
        let path = entry.path();
        if entry.file_type().is_some_and(|t| t.is_file()) && is_rule_name(path) {
            let relative = path.strip_prefix(root).unwrap_or(path).to_path_buf();
            inputs.push(Input { path: path.to_path_buf(), shown: shown(path), relative, walked: true });
        }
    }
}

pub(crate) fn is_rule_name(path: &Path) -> bool {
    // Unit tests of rules stand beside them and are no rules.
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    if name.ends_with(".test.yaml") || name.ends_with(".test.yml") {
        return false;
    }
    let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
    extension.is_some_and(|e| EXTENSIONS.contains(&e.as_str()))
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

impl Input {
    /// The text of the file, or the diagnostic that says why there is none.
    pub fn read(&self) -> Result<String, Diagnostic> {
        let cannot = |e: &dyn std::fmt::Display| {
            Diagnostic::error(codes::CANNOT_READ, Span::default(), format!("cannot read the file: {e}"))
        };
        let mut bytes = Vec::new();
        let read = if self.shown == "-" {
            std::io::stdin().lock().take(MAX_FILE + 1).read_to_end(&mut bytes)
        } else {
            std::fs::File::open(&self.path).and_then(|f| {
                let size = f.metadata().map_or(0, |m| m.len());
                bytes.reserve(usize::try_from(size.min(MAX_FILE)).unwrap_or(0) + 1);
                f.take(MAX_FILE + 1).read_to_end(&mut bytes)
            })
        };
        read.map_err(|e| cannot(&e))?;
        if bytes.len() as u64 > MAX_FILE {
            let limit = MAX_FILE / (1024 * 1024);
            return Err(Diagnostic::error(
                codes::TOO_LARGE,
                Span::default(),
                format!("the file is larger than {limit} MiB, which no rule is"),
            )
            .with_help("move the file out of the rules folder, or split it"));
        }
        String::from_utf8(bytes).map_err(|e| {
            let at = e.utf8_error().valid_up_to();
            let message = match e.as_bytes() {
                [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "the file is UTF-16, not UTF-8".to_owned(),
                _ => format!("byte {at} of the file is not UTF-8"),
            };
            Diagnostic::error(codes::NOT_UTF8, Span::default(), message).with_help("save the file as UTF-8")
        })
    }
}
