//! The reader of the common layout gives what the general reader gives: trees, places, comments.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use proptest::prelude::*;
use ruleferry_doc::{Parsed, parse_any_yaml, parse_yaml};

/// Everything, with places.
fn whole(parsed: &Parsed) -> String {
    format!("{:#?}\n{:#?}\n{:#?}", parsed.documents, parsed.comments, parsed.diagnostics)
}

/// The first line in which the two differ, with what stands before it.
fn difference(text: &str) -> Option<String> {
    let (common, general) = (whole(&parse_yaml(text)), whole(&parse_any_yaml(text)));
    if common == general {
        return None;
    }
    let at = common.lines().zip(general.lines()).position(|(a, b)| a != b).unwrap_or(0);
    let part = |t: &str| t.lines().skip(at.saturating_sub(25)).take(30).collect::<Vec<_>>().join("\n");
    Some(format!("{text}\ncommon:\n{}\ngeneral:\n{}", part(&common), part(&general)))
}

#[track_caller]
fn check(text: &str) {
    if let Some(difference) = difference(text) {
        panic!("{difference}");
    }
}

#[test]
fn layouts() {
    for text in [
        "a: 1\n",
        "a: 1",
        "a:\nb:\n",
        "a:\n",
        "a:",
        "a: |\n  x\n\n   y\n\nb: |-\n  z",
        "a: |\n\n  x\n",
        "a: |\n  x  \n  \n  y\n# c\n",
        "a: b\n  c\n\n  d\ne: f # g\n",
        "a: b # c\n  d\n",
        "a:\n  - b\n  - c: d\n    e: f\n  -\n    g: h\nlist:\n- x\n- y\nz: 'it''s' # q\n",
        "a:\n  - b\n c: d\n",
        "a: - b\n",
        "a: -b\n",
        "- a\n",
        "a: 'x' y\n",
        "a: \"x # y\" # z\n'k': v\n\"k 2\" : v\n",
        "a: x:y\nb: x #y\nc: x# y\n",
        "a: b: c\n",
        "a b: c d\n...: x\n",
        "<<: x\n",
        "a: b\na: c\n",
        "é: ü\n# ä\nb:\n    - ö # ß\n",
        "# only\n",
        "",
        "a: {b: c}\n",
        "  a: b\n",
        "a: b\n  # c\n  d\n",
        "a:\n  # c\n  b: 1\n  # d\n# e\n",
    ] {
        check(text);
    }
}

#[test]
fn corpus() {
    let Ok(root) = std::env::var("RULEFERRY_CORPUS") else { return };
    let mut folders = vec![std::path::PathBuf::from(root).join("corpus/sigma")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "yml") {
                check(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    let pieces = vec![
        "a",
        "b c",
        "k: ",
        "k2:",
        "key:\n",
        "\n",
        "\n\n",
        " ",
        "  ",
        "    ",
        "- ",
        "-",
        "'",
        "''",
        "\"",
        "|",
        "|-\n",
        " # c\n",
        "#",
        "x\n",
        "  - y\n",
        "    z: 1\n",
        "  m:\n",
        ":",
        ": ",
        "é",
        "...",
        "---",
        ">",
        "[a]",
        "{}",
        "\\",
        "\t",
        "?",
        "& ",
        "\u{85}",
        "q: 'v'\n",
        "l: |\n",
        "    text\n",
        "  n: o\n",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..16).prop_map(|p| p.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_readers_agree(text in text()) {
        let difference = difference(&text);
        prop_assert!(difference.is_none(), "{}", difference.unwrap_or_default());
    }
}
