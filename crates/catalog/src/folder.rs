//! The folder that a run writes to: one run at a time, and what a killed one left is taken away.

use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// What belongs to the runs and not to their results.
const OWN: &str = ".ruleferry";

#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("another run works in `{0}`; wait until it has ended")]
    Locked(String),
    #[error("cannot {what} `{path}`: {source}")]
    Io { what: &'static str, path: String, source: io::Error },
}

impl FolderError {
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::Io { what, path, source }
    }
}

/// An output folder that no other run works in as long as this value lives. The lock is the operating system's: it ends with
/// the process, however that ends.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    _lock: File,
}

impl Folder {
    pub fn open(root: &Path) -> Result<Self, FolderError> {
        let own = root.join(OWN);
        std::fs::create_dir_all(&own).map_err(FolderError::io("create", &own))?;
        let path = own.join("lock");
        let mut options = File::options();
        let lock = options.create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(FolderError::io("create", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { root: root.to_path_buf(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(FolderError::Locked(root.display().to_string())),
            Err(TryLockError::Error(e)) => Err(FolderError::io("lock", &path)(e)),
        }
    }

    pub fn path(&self, below: impl AsRef<Path>) -> PathBuf {
        self.root.join(below)
    }

    pub fn own(&self, name: &str) -> PathBuf {
        self.root.join(OWN).join(name)
    }

    /// Takes away the unfinished files of a run that was killed.
    pub fn sweep(&self) -> Result<(), FolderError> {
        sweep(&self.root).map_err(FolderError::io("read", &self.root))
    }

    /// Removes a file of ours, and the folders that are empty then.
    pub fn remove(&self, below: &str) -> Result<(), FolderError> {
        let path = self.path(below);
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(FolderError::io("remove", &path)(e)),
        }
        let mut folder = path.parent();
        while let Some(at) = folder.filter(|f| *f != self.root) {
            // A folder that still holds something stays.
            if std::fs::remove_dir(at).is_err() {
                break;
            }
            folder = at.parent();
        }
        Ok(())
    }
}

fn sweep(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if kind.is_dir() {
            sweep(&entry.path())?;
        } else if kind.is_file() && name.starts_with(".ruleferry-") && name.ends_with(".tmp") {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// SHA-256 in hexadecimal.
pub(crate) fn hash(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}
