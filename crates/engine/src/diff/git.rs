//! Files of a git revision: `rules/a.yaml@main`, `rules@v1.2`.
//!
//! In: a path and a revision. Out: the files, and their texts. `git` itself is asked; nothing of the working tree is touched.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A path of a revision, as the user wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Revision {
    /// A folder that exists, inside of the repository.
    folder: PathBuf,
    /// The path from there, with `/`.
    below: String,
    revision: String,
}

impl Revision {
    /// Reads `path@revision`; `None` for a path alone. A file whose name holds an `@` comes first.
    pub fn parse(argument: &str) -> Option<Self> {
        if argument == "-" || Path::new(argument).exists() {
            return None;
        }
        let (path, revision) = argument.rsplit_once('@')?;
        if path.is_empty() || revision.is_empty() {
            return None;
        }
        let path = Path::new(path);
        // The path may be gone by now: git is asked from the nearest folder that is still there.
        let mut folder = path;
        while !folder.is_dir() {
            folder = folder.parent()?;
            if folder.as_os_str().is_empty() {
                folder = Path::new(".");
            }
        }
        let below = if folder == Path::new(".") { path } else { path.strip_prefix(folder).ok()? };
        let below = below.to_str()?.replace('\\', "/");
        Some(Self { folder: folder.to_path_buf(), below, revision: revision.to_owned() })
    }

    /// The files below the path, from the path; `""` alone where it is a file itself.
    pub fn files(&self) -> Result<Vec<String>, String> {
        if !self.below.is_empty() && self.kind(&self.below)? == "blob" {
            return Ok(vec![String::new()]);
        }
        let mut arguments =
            vec!["ls-tree", "-r", "-z", "--name-only", "--end-of-options", &self.revision, "--"];
        let below = format!("{}/", self.below.trim_end_matches('/'));
        arguments.push(if self.below.is_empty() { "." } else { &below });
        let listed = self.git(&arguments)?;
        let listed = String::from_utf8_lossy(&listed).into_owned();
        let prefix = if self.below.is_empty() { String::new() } else { below };
        let names = listed.split('\0').filter(|n| !n.is_empty());
        Ok(names.filter_map(|n| n.strip_prefix(&prefix)).map(str::to_owned).collect())
    }

    fn kind(&self, below: &str) -> Result<String, String> {
        let object = format!("{}:./{below}", self.revision);
        let found = self.git(&["cat-file", "-t", &object])?;
        Ok(String::from_utf8_lossy(&found).trim().to_owned())
    }

    /// The bytes of a file below the path.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        let path = match (self.below.is_empty(), name.is_empty()) {
            (_, true) => self.below.clone(),
            (true, false) => name.to_owned(),
            (false, false) => format!("{}/{name}", self.below.trim_end_matches('/')),
        };
        self.git(&["show", "--no-textconv", "--end-of-options", &format!("{}:./{path}", self.revision)])
    }

    /// How a file of the revision is called.
    pub fn shown(&self, argument: &str, name: &str) -> String {
        let Some((path, revision)) = argument.rsplit_once('@').filter(|_| !name.is_empty()) else {
            return argument.to_owned();
        };
        format!("{}/{name}@{revision}", path.trim_end_matches('/'))
    }

    /// The last part of the path.
    pub fn file_name(&self) -> &str {
        self.below.rsplit('/').next().unwrap_or_default()
    }

    fn git(&self, arguments: &[&str]) -> Result<Vec<u8>, String> {
        // A revision is never taken for an option.
        if self.revision.starts_with('-') {
            return Err(format!("`{}` is no revision", self.revision));
        }
        let ran = Command::new("git").arg("-C").arg(&self.folder).args(arguments).output();
        let output = ran.map_err(|e| format!("git cannot be run: {e}"))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let line = said.lines().find(|l| !l.trim().is_empty()).unwrap_or("it failed without a message");
        Err(format!("git: {}", line.trim_start_matches("fatal: ")))
    }
}
