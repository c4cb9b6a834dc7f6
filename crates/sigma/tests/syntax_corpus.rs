//! The front end on the rules of the corpus; nothing happens where `RULEFERRY_CORPUS` is not set.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use ruleferry_sigma::syntax::{SigmaDocument, parse, print, to_node};
use std::path::{Path, PathBuf};

/// Conditions in a language of their own, which Sigma never had.
const NOT_SIGMA: [&str; 3] = [
    "sysmon_always_install_elevated_parent_child_correlated.yml",
    "win_dumping_ntdsdit_via_dcsync.yml",
    "win_dumping_ntdsdit_via_netsync.yml",
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "yml") {
            found.push(path);
        }
    }
}

/// The documents in the order of keys that printing gives them, without places.
fn settled(documents: &[SigmaDocument]) -> Vec<ruleferry_doc::Node> {
    documents.iter().map(to_node).collect()
}

#[test]
fn every_rule_is_read_and_printed_whole() {
    let Ok(root) = std::env::var("RULEFERRY_CORPUS") else { return };
    let mut found = Vec::new();
    files(&Path::new(&root).join("corpus/sigma"), &mut found);
    assert_eq!(found.len(), 3031);
    for path in found {
        let text = std::fs::read_to_string(&path).unwrap();
        let parsed = parse(&text);
        let legal = !NOT_SIGMA.iter().any(|name| path.ends_with(name));
        let errors = parsed.diagnostics.iter().filter(|d| d.is_error()).count();
        assert_eq!(errors, usize::from(!legal), "{path:?} {:?}", parsed.diagnostics);
        let printed = print(&parsed.documents, &parsed.comments);
        let again = parse(&printed);
        assert!(settled(&parsed.documents) == settled(&again.documents), "{path:?}");
        assert_eq!(parsed.comments.iter().count(), again.comments.iter().count(), "{path:?}");
        assert_eq!(print(&again.documents, &again.comments), printed, "{path:?}");
        if parsed.documents.len() == 1 {
            for rule in parsed.rules().iter() {
                assert!(
                    rule.detection().is_some_and(|d| !d.searches.is_empty() && d.condition.is_some()),
                    "{path:?}"
                );
            }
        }
    }
}
