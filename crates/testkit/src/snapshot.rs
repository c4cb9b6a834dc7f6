//! Committed outcomes: a summary, then one line a case. `UPDATE=1` writes them; otherwise what differs is told.

use std::path::{Path, PathBuf};

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder with `corpus/`, `conformance/`: `RULEFERRY_CORPUS`, or beside the repository.
pub fn shared() -> PathBuf {
    std::env::var_os("RULEFERRY_CORPUS")
        .filter(|v| !v.is_empty())
        .map_or_else(|| root().join("../shared"), PathBuf::from)
}

/// The snapshot of a part, or of each `every`th case of it.
pub fn of_sample(folder: &str, part: &str, every: usize) -> String {
    if every == 1 { format!("{folder}/{part}.snap") } else { format!("{folder}/{part}-every-{every}.snap") }
}

/// Compares a text with the committed one, or replaces it. Whether they agree.
pub fn check(path: &str, text: &str) -> bool {
    let path = root().join(path);
    let old = std::fs::read_to_string(&path).unwrap_or_default();
    if old == text {
        return true;
    }
    if std::env::var_os("UPDATE").is_some_and(|v| v == "1") {
        std::fs::create_dir_all(path.parent().expect("a file in a folder")).expect("the folder can be made");
        std::fs::write(&path, text).expect("the snapshot can be written");
        println!("{}: written", path.display());
        return true;
    }
    let (was, is): (Vec<&str>, Vec<&str>) = (old.lines().collect(), text.lines().collect());
    println!("{}: differs (UPDATE=1 writes it)", path.display());
    for line in was.iter().filter(|l| !is.contains(l)).take(40) {
        println!("- {line}");
    }
    for line in is.iter().filter(|l| !was.contains(l)).take(40) {
        println!("+ {line}");
    }
    false
}

/// Whether each line that stands for a case is one of the committed text: for a part of the cases.
pub fn check_lines(path: &str, text: &str) -> bool {
    let path = root().join(path);
    let old = std::fs::read_to_string(&path).unwrap_or_default();
    let known: std::collections::HashSet<&str> = old.lines().collect();
    let mut same = true;
    // The summary before the first empty line is that of the part.
    for line in text.lines().skip_while(|l| !l.is_empty()).filter(|l| !known.contains(l)) {
        if same {
            println!("{}: has not these lines (UPDATE=1 over all cases writes it)", path.display());
        }
        println!("+ {line}");
        same = false;
    }
    same
}
