//! Where `libduckdb` is looked for.
//!
//! In order: the path that the caller gives, the environment variable, the folders beside the running program,
//! the system's search path. The current folder is never searched: a library there could be anyone's.

use std::path::{Path, PathBuf};

/// A file, or a folder that holds the library.
pub const ENVIRONMENT: &str = "RULEFERRY_DUCKDB_LIB";

/// Folders relative to the program: an installation, then the `target/` folder of a build
/// (`target/debug/ruleferry`, `target/debug/deps/test-1f2e`) where `tests/engines/fetch-duckdb.sh` puts it.
const BESIDE_PROGRAM: &[&str] = &["", "../lib", "../duckdb", "../../duckdb"];

/// `libduckdb.so`, `libduckdb.dylib`, `duckdb.dll`.
pub fn file_name() -> String {
    format!("{}duckdb{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

/// Candidates in the order in which they are tried. A path that was named explicitly stands alone: falling back
/// from it to another library would run something that the user did not ask for.
pub(crate) fn candidates(explicit: Option<&Path>) -> Vec<PathBuf> {
    let named = explicit
        .map(Path::to_path_buf)
        .or_else(|| std::env::var_os(ENVIRONMENT).filter(|v| !v.is_empty()).map(PathBuf::from));
    if let Some(path) = named {
        return vec![if path.is_dir() { path.join(file_name()) } else { path }];
    }
    let folder = std::env::current_exe().ok().and_then(|p| p.parent().map(Path::to_path_buf));
    let beside = folder
        .iter()
        .flat_map(|folder| BESIDE_PROGRAM.iter().map(|below| folder.join(below).join(file_name())))
        .filter(|path| path.is_file());
    // Last the bare name, which the system's loader resolves.
    beside.chain([PathBuf::from(file_name())]).collect()
}
