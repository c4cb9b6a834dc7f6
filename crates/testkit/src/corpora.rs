//! The texts of the corpora, in a fixed order, by id.

use crate::snapshot;
use std::path::Path;

/// The queries that Microsoft's parser accepts.
pub fn kql() -> Vec<(String, String)> {
    let path = snapshot::shared().join("corpus/kql/dev.jsonl");
    let text = std::fs::read_to_string(&path).expect("the corpus");
    text.lines()
        .map(|l| serde_json::from_str::<serde_json::Value>(l).expect("an entry is JSON"))
        .filter(|e| e["syntax_ok"] == true && e["has_query"] == true)
        .map(|e| (e["id"].as_str().unwrap().to_owned(), e["query"].as_str().unwrap().to_owned()))
        .collect()
}

/// The files of the Sigma corpus, by their path.
pub fn sigma() -> Vec<(String, String)> {
    let root = snapshot::shared().join("corpus/sigma");
    let mut folders = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "yml") {
                files.push(path);
            }
        }
    }
    files.sort();
    let named = |p: &Path| p.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
    files.iter().map(|p| (named(p), std::fs::read_to_string(p).unwrap_or_default())).collect()
}
