//! Spans, span maps and comments.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use ruleferry_diag::Span;
use ruleferry_doc::{Node, Options, Parsed, Place, parse_json, parse_yaml, print};

/// What of the file stands under a part of the decoded text.
fn under<'t>(node: &Node, part: &str, file: &'t str) -> &'t str {
    let text = node.as_text().unwrap();
    let start = text.find(part).unwrap();
    node.span_map(file).span(Span::from_usize(start, start + part.len())).text(file)
}

fn root(parsed: &Parsed) -> &Node {
    &parsed.documents[0].root
}

#[test]
fn spans_count_bytes() {
    for text in ["\u{feff}é: 'ü'\r\n# é\r\nb: [é, ö]\r\n", "é: 'ü' # é\nb: [é, ö]"] {
        let parsed = parse_yaml(text);
        assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
        assert_eq!(root(&parsed).get("é").unwrap().span.text(text), "'ü'");
        let list = root(&parsed).get("b").unwrap();
        assert_eq!(list.span.text(text), "[é, ö]");
        assert_eq!(list.as_sequence().unwrap()[1].span.text(text), "ö");
    }
}

#[test]
fn properties_are_not_content() {
    let text = "a: &x !t 'v' # c\nb: &y\n  - 1\nc: *y\nd: !!str |\n  body\n";
    let parsed = parse_yaml(text);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    assert_eq!(root(&parsed).get("a").unwrap().span.text(text), "'v'");
    assert_eq!(root(&parsed).get("b").unwrap().span.text(text), "- 1");
    assert_eq!(root(&parsed).get("c").unwrap().as_sequence().unwrap()[0].as_i64(), Some(1));
    assert_eq!(root(&parsed).get("d").unwrap().span.text(text), "body");
}

#[test]
fn literal_blocks() {
    let text = "query: |\n\n  T é\n  | where a == 1\n\n    | take 5\n\nx: 1\n";
    let parsed = parse_yaml(text);
    let query = root(&parsed).get("query").unwrap();
    assert_eq!(query.as_text(), Some("\nT é\n| where a == 1\n\n  | take 5\n"));
    for part in ["T é", "| where a == 1", "  | take 5", "take"] {
        assert_eq!(under(query, part, text), part);
    }
    let crlf = text.replace('\n', "\r\n");
    let parsed = parse_yaml(&crlf);
    let query = root(&parsed).get("query").unwrap();
    for part in ["T é", "| where a == 1", "  | take 5"] {
        assert_eq!(under(query, part, &crlf), part);
    }
    assert_eq!(under(query, "1\n\n  |", &crlf), "1\r\n\r\n    |");
}

#[test]
fn folded_and_plain_lines() {
    let text =
        "q: >-\n   T where\n   a\n\n   b\n     more\n   c\np: one\n  two\n\n  three\ns: 'it''s\n  so'\n";
    let parsed = parse_yaml(text);
    assert!(parsed.diagnostics.is_empty());
    let get = |k| root(&parsed).get(k).unwrap();
    assert_eq!(get("q").as_text(), Some("T where a\nb\n  more\nc"));
    assert_eq!(get("p").as_text(), Some("one two\nthree"));
    for part in ["T", "where", "a", "b", "more", "c"] {
        assert_eq!(under(get("q"), part, text), part);
    }
    for part in ["one", "two", "three"] {
        assert_eq!(under(get("p"), part, text), part);
    }
    assert_eq!(under(get("s"), "it's", text), "it''s");
    assert_eq!(under(get("s"), "so", text), "so");
}

#[test]
fn escapes() {
    let text = "q: \"a\\tb \\u00e9c\\x41 \\\n   d\\\\e\"\n";
    let parsed = parse_yaml(text);
    let query = root(&parsed).get("q").unwrap();
    assert_eq!(query.as_text(), Some("a\tb écA d\\e"));
    for (part, file) in [("b", "b"), ("é", "\\u00e9"), ("c", "c"), ("A", "\\x41"), ("d", "d"), ("e", "e")] {
        assert_eq!(under(query, part, text).chars().next(), file.chars().next(), "{part}");
    }
}

#[test]
fn json_strings() {
    let text = "{\n\t\"query\": \"T\\r\\n| where x == \\\"\\u00e9\\ud83d\\ude00\\\" \\/ 2\",\n\t\"n\": [1e3, -0.5, true, null]}";
    let parsed = parse_json(text);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let query = root(&parsed).get("query").unwrap();
    assert_eq!(query.as_text(), Some("T\r\n| where x == \"é😀\" / 2"));
    for part in ["where", "x", "2"] {
        assert_eq!(under(query, part, text), part);
    }
    let numbers = root(&parsed).get("n").unwrap().as_sequence().unwrap();
    assert_eq!(numbers[0].as_f64(), Some(1000.0));
    assert!(numbers[3].is_null());
}

#[test]
fn comments_stay_beside_what_they_speak_of() {
    let text = "\
# head
title: a # t
list:   # l
  # one
  - x   # cx
  - 'y # no'
  # - z
map:
  k: |  # lit
    # no
    text
  # tail of map
# own
last: b
# end
";
    let parsed = parse_yaml(text);
    assert_eq!(parsed.comments.iter().filter(|c| c.place == Place::Trailing).count(), 4);
    let expect = "\
# head
title: a # t
list: # l
  # one
  - x # cx
  - 'y # no'
  # - z
map:
  k: | # lit
    # no
    text
  # tail of map
# own
last: b
# end
";
    assert_eq!(print(root(&parsed), &parsed.comments, Options::default()), expect);
}

#[test]
fn hostile_text_is_quoted() {
    let cases = [
        ("\u{1b}[31mred", "\"\\e[31mred\"\n"),
        ("null", "'null'\n"),
        ("0123", "'0123'\n"),
        ("2020-01-01", "'2020-01-01'\n"),
        ("a: b", "'a: b'\n"),
        ("a #b", "'a #b'\n"),
        ("*x", "'*x'\n"),
        ("it's", "it's\n"),
        ("'quoted'", "'''quoted'''\n"),
        ("", "''\n"),
        ("\u{202e}abc", "\"\\u202Eabc\"\n"),
    ];
    for (text, expect) in cases {
        assert_eq!(print(&Node::string(text), &Default::default(), Options::default()), expect);
    }
}
