//! Diagnostics: the code, the text that is underlined, and that one run tells of all faults.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use ruleferry_doc::{Parsed, parse_json, parse_yaml};

fn told(parsed: &Parsed, text: &str) -> Vec<(String, String)> {
    parsed.diagnostics.iter().map(|d| (d.code.0.to_owned(), d.span.text(text).to_owned())).collect()
}

fn check(text: &str, expect: &[(&str, &str)]) -> Parsed {
    let parsed = parse_yaml(text);
    let expect: Vec<(String, String)> =
        expect.iter().map(|(c, t)| ((*c).to_owned(), (*t).to_owned())).collect();
    assert_eq!(told(&parsed, text), expect, "{text}\n{:?}", parsed.diagnostics);
    parsed
}

#[test]
fn common_faults() {
    check("title: a: b\n", &[("E0010", ":")]);
    check("a: *\\cmd.exe\n", &[("E0010", "*")]);
    check("a:\n\t- b\n", &[("E0010", "-")]);
    check("a: 'it's'\n", &[("E0010", "s")]);
    check("a: \"C:\\Windows\"\n", &[("E0010", "\"")]);
    check("a: @x\n", &[("E0010", "@")]);
    check("a: [b, c\nd: e\n", &[("E0010", "[")]);
    check("a: \"open\nb: c\n", &[("E0010", "\"")]);
    check("a: 1\n b: 2\n", &[("E0010", ":")]);
    check("a: b\nlist:\n  - x\n - y\n", &[("E0010", "-")]);
}

#[test]
fn all_faults_in_one_run() {
    let text = "title: a: b\nid: 1\nx: *y\ntags: [a\nlevel: high\nb: 'it's'\nlast: é\n---\nt: 'x' y\nu: 1\n";
    let parsed =
        check(text, &[("E0010", ":"), ("E0010", "*"), ("E0010", "["), ("E0010", "s"), ("E0010", "y")]);
    assert_eq!(parsed.documents.len(), 2);
    let root = &parsed.documents[0].root;
    assert_eq!(root.get("id").and_then(|n| n.as_i64()), Some(1));
    assert_eq!(root.get("level").and_then(|n| n.as_str()), Some("high"));
    assert_eq!(root.get("last").map(|n| n.span.text(text)), Some("é"));
    assert_eq!(parsed.documents[1].root.get("u").and_then(|n| n.as_i64()), Some(1));
}

#[test]
fn duplicate_keys_are_told_and_kept() {
    let text = "a: 1\nb:\n  c: 1\n  'c': 2\na: 3\n";
    let parsed = check(text, &[("E0011", "'c'"), ("E0011", "a")]);
    assert!(parsed.diagnostics[1].message.contains("line 1"));
    assert_eq!(parsed.documents[0].root.as_mapping().unwrap().len(), 3);
    let many: String = (0..30).map(|i| format!("k{}: x\n", i % 29)).collect();
    check(&many, &[("E0011", "k0")]);
}

#[test]
fn json_faults() {
    let cases: [(&str, &[&str]); 8] = [
        ("{\"a\": 1,}", &[","]),
        ("{\"a\" 1}", &["\"a\""]),
        ("[1 2]", &["2"]),
        ("{a: 1}", &["a"]),
        ("[\"\\q\"]", &["\\"]),
        ("[\"\\ud800\"]", &["\\ud800"]),
        ("[tru]", &["tru"]),
        ("[01]", &["01"]),
    ];
    for (text, spans) in cases {
        let parsed = parse_json(text);
        let found: Vec<&str> = parsed.diagnostics.iter().map(|d| d.span.text(text)).collect();
        assert_eq!(found.first(), spans.first(), "{text} {:?}", parsed.diagnostics);
    }
    let text = "{\"a\": tru, \"b\": [1 2], \"a\": 3}";
    assert_eq!(told(&parse_json(text), text).len(), 3);
}
