//! Input that is made to hurt: bounded time, bounded memory, a diagnostic.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use ruleferry_doc::{Parsed, parse_json, parse_yaml};

fn has(parsed: &Parsed, code: &str) -> bool {
    parsed.diagnostics.iter().any(|d| d.code.0 == code)
}

#[test]
fn deep_nesting_is_refused() {
    let block: String = (0..10_000).map(|i| format!("{}k:\n", " ".repeat(i))).collect();
    let inputs = ["[".repeat(10_000), "{a: ".repeat(10_000), "- ".repeat(10_000), "? ".repeat(10_000), block];
    for text in inputs {
        assert!(has(&parse_yaml(&text), "E0012"), "{:?}", &text.chars().take(20).collect::<String>());
    }
    for text in ["[".repeat(10_000), "{\"a\": ".repeat(10_000)] {
        assert!(has(&parse_json(&text), "E0012"));
    }
}

#[test]
fn what_follows_deep_nesting_is_still_read() {
    let text = format!("title: a\ndeep: {}\nlevel: high\n", "[".repeat(10_000));
    let parsed = parse_yaml(&text);
    assert!(has(&parsed, "E0012"));
    assert_eq!(parsed.documents[0].root.get("level").and_then(|n| n.as_str()), Some("high"));
    assert!(!parsed.documents[0].complete);
}

#[test]
fn alias_bomb_is_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..40 {
        let before = i - 1;
        text.push_str(&format!("a{i}: &a{i} [{}]\n", vec![format!("*a{before}"); 10].join(", ")));
    }
    assert!(has(&parse_yaml(&text), "E0012"));
    assert!(has(&parse_yaml("a: &a [*a]\n"), "E0012"));
}

#[test]
fn large_files_end() {
    let unit = "- [a, {b: 'c'}, \"d\"] # e\n";
    let commented = format!("[{}]\n{}", "a, ".repeat(100_000), "# c\n".repeat(100_000));
    let inputs = [
        unit.repeat(2_000_000 / unit.len()),
        "a".repeat(10_000_000),
        "a: b\n".repeat(100_000),
        "\u{e9}: \u{e9}\n".repeat(100_000),
        "a: [\n".repeat(100_000),
        "a: 'b\n".repeat(100_000),
        "# c\n".repeat(100_000),
        "---\n".repeat(100_000),
        "\n".repeat(1_000_000),
        "a: *b\n".repeat(100_000),
        "#".repeat(1_000_000),
        commented,
    ];
    for text in inputs {
        let parsed = parse_yaml(&text);
        assert!(parsed.diagnostics.len() < 1000);
    }
    for text in
        ["[1,".repeat(300_000), "\"".repeat(1_000_000), "{\"a\":1,".repeat(100_000), "[1, 2,\n".repeat(90)]
    {
        assert!(!parse_json(&text).diagnostics.is_empty());
    }
}
