use super::github::github;
use super::json::{line, record, records};
use super::junit::junit;
use super::sarif::sarif;
use super::text::{Style, text};
use super::visible::{is_hidden, visible};
use super::*;
use crate::{Severity, Span, codes};
use serde_json::{Value, json};

fn report(source: &str, start: u32, end: u32) -> FileReport {
    let found =
        Diagnostic::error(codes::YAML_SYNTAX, Span::new(start, end), "found `x`").with_help("mend it");
    FileReport::new("rules/a.yml", source, vec![found])
}

/// What a terminal or a viewer would obey, in every place where other people's text can stand.
const HOSTILE: &str = "a\u{1b}[2J\u{7}\u{9b}31m\u{202e}b\u{2066}\r\nc\0]]>\"'<&,%:: \u{ffff}";

fn hostile() -> Vec<FileReport> {
    let at = |severity, start, end| Diagnostic {
        code: codes::YAML_SYNTAX,
        severity,
        message: format!("m {HOSTILE}"),
        help: Some(format!("h {HOSTILE}")),
        span: Span::new(start, end),
        fix: Some(Box::new(crate::Fix {
            title: format!("f {HOSTILE}"),
            edits: vec![crate::Edit { span: Span::new(start, end.max(start)), text: HOSTILE.to_owned() }],
        })),
        event: Some(Box::new(crate::Event {
            shows: format!("e {HOSTILE}"),
            now: "2026-01-01T00:00:00.0000000Z".into(),
            tables: [(HOSTILE.to_owned(), json!([{ HOSTILE: HOSTILE }]))].into_iter().collect(),
        })),
    };
    let all = [Severity::Error, Severity::Warning, Severity::Note];
    let found = all.into_iter().flat_map(|s| [at(s, 0, 4), at(s, 3, 30), at(s, 500, 9)]).collect();
    vec![FileReport::new(format!("dir/{HOSTILE}"), HOSTILE, found), FileReport::new(HOSTILE, HOSTILE, vec![])]
}

/// The first three lines of the source part: what is underlined, without numbers and bars.
fn shown(source: &str, start: u32, end: u32) -> Vec<String> {
    let all = text(&[report(source, start, end)], Style::Plain);
    let lines = all.lines().skip(3).take_while(|l| !l.trim_end().ends_with('|'));
    lines.map(|l| l.split_once("| ").map_or(l, |(_, code)| code).to_owned()).collect()
}

#[test]
fn text_underlines_the_span() {
    assert_eq!(
        text(&[report("one\ntwo three\n", 8, 13)], Style::Plain),
        "error[E0010]: found `x`\n --> rules/a.yml:2:5\n  |\n2 | two three\n  |     ^^^^^\n  |\n  = help: mend it\n\n"
    );
}

#[test]
fn text_at_the_edges() {
    // Only the place of an empty file can be shown.
    let empty = text(&[report("", 0, 0)], Style::Plain);
    assert_eq!(empty, "error[E0010]: found `x`\n --> rules/a.yml:1:1\n = help: mend it\n\n");
    let bare = FileReport::new("a", "", vec![Diagnostic::note(codes::TOO_LARGE, Span::default(), "m")]);
    assert_eq!(text(&[bare], Style::Plain), "note[E0002]: m\n --> a:1:1\n\n");
    assert_eq!(shown("ab", 2, 2), ["ab", "  ^"], "at the end");
    assert_eq!(shown("ab", 9, 4), ["ab", "  ^"], "past the end and reversed");
    assert_eq!(shown("ab\r\ncd", 2, 4), ["ab", "  ^"], "a line end alone");
    assert_eq!(shown("ab\r\ncd", 5, 6), ["cd", " ^"], "after CRLF");
    assert_eq!(shown("日本 x", 3, 6), ["日本 x", "  ^^"], "wide characters");
    assert_eq!(shown("日本 x", 4, 5), ["日本 x", "  ^^"], "inside of a character");
    assert_eq!(shown("e\u{301}f", 3, 4), ["e\u{301}f", " ^"], "a combining mark");
    assert_eq!(shown("\u{feff}ab", 3, 4), ["ab", "^"], "after a byte order mark");
    assert_eq!(shown("\u{feff}ab", 0, 0), ["ab", "^"], "before a byte order mark");
    assert_eq!(shown("\tab", 1, 2), ["    ab", "    ^"], "after a tab");
    assert_eq!(shown("\u{1b}ab", 1, 2), ["\\u{1b}ab", "      ^"], "after an escape");
    assert_eq!(shown("ab\ncd\nef", 1, 7), ["  ab", " __^", "| cd", "| ef", "|_^"], "over lines");
    let long = "line\n".repeat(1000);
    assert_eq!(shown(&long, 6, 600), ["line", " ^^^ goes on to line 120"], "over many lines");
}

#[test]
fn a_file_of_one_long_line_is_cut_around_the_span() {
    let source = "word ".repeat(200_000);
    for (start, end) in [(0, 4), (500_000, 500_004), (999_995, 999_999), (10, 900_000)] {
        let all = text(&[report(&source, start, end)], Style::Plain);
        assert!(all.len() < 1000, "{}", all.len());
        assert!(all.contains(&format!("rules/a.yml:1:{}\n", start + 1)), "{all}");
    }
    let cut = shown(&source, 500_000, 500_004);
    let under: String =
        cut[0].chars().zip(cut[1].chars()).filter(|(_, m)| *m == '^').map(|(c, _)| c).collect();
    assert_eq!(under, "word");
    // A message that quotes all of it is cut too.
    let quoting = Diagnostic::error(codes::YAML_SYNTAX, Span::new(0, 1), format!("found `{source}`"));
    let all = text(&[FileReport::new("a", source.as_str(), vec![quoting])], Style::Plain);
    assert!(all.len() < 3000);
    assert!(all.contains("… (998008 bytes more)"), "{}", all.lines().next().unwrap());
}

#[test]
fn colour_only_when_asked() {
    let reports = [report("one\ntwo three\n", 8, 13)];
    assert!(!text(&reports, Style::Plain).contains('\u{1b}'));
    let coloured = text(&reports, Style::Color);
    assert!(coloured.contains('\u{1b}'));
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    assert_eq!(plain + rest, text(&reports, Style::Plain));
}

#[test]
fn no_renderer_lets_a_hidden_character_through() {
    let reports = hostile();
    let json: Vec<_> = records(&reports[0]).iter().map(|r| line(r).unwrap()).collect();
    let all = [
        text(&reports, Style::Plain),
        github(&reports),
        junit(&reports),
        sarif(&reports, "1").unwrap(),
        json.join("\n"),
    ];
    for output in all {
        let hidden: Vec<_> = output.chars().filter(|c| is_hidden(*c) && *c != '\n').collect();
        assert!(hidden.is_empty(), "{hidden:?} in {output}");
    }
    // The escapes of colour are the only ones: none comes from the text.
    assert!(!text(&reports, Style::Color).contains("\u{1b}[2J"));
    assert_eq!(
        visible(HOSTILE),
        "a\\u{1b}[2J\\u{7}\\u{9b}31m\\u{202e}b\\u{2066}\\r\\nc\\u{0}]]>\"'<&,%:: \u{ffff}"
    );
}

#[test]
fn json_has_the_documented_shape_and_reads_back_exactly() {
    let source = "\u{feff}é\r\nab";
    let one = Diagnostic::warning(codes::YAML_SYNTAX, Span::new(3, 8), HOSTILE);
    let text = line(&record(&one, &LineIndex::new(source))).unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap(),
        json!({
            "code": "E0010", "severity": "warning", "message": HOSTILE, "help": null,
            "span": {"start": 3, "end": 8, "line": 1, "column": 1, "end_line": 2, "end_column": 2},
        })
    );
    assert_eq!(line(&"\u{e0041}\u{202e}\"").unwrap(), r#""\udb40\udc41\u202e\"""#);
}

#[test]
fn sarif_has_rules_levels_and_regions() {
    let one = Diagnostic::error(codes::YAML_SYNTAX, Span::new(4, 6), "m").with_help("h");
    let two = Diagnostic::note(codes::NOT_UTF8, Span::default(), "n");
    let reports =
        [FileReport::new("./a b/c:d%é.yml", "日\nab\n", vec![one, two]), FileReport::new("/x", "", vec![])];
    let document: Value = serde_json::from_str(&sarif(&reports, "1.2.3").unwrap()).unwrap();
    assert_eq!(document["version"], "2.1.0");
    let run = &document["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let driver = &run["tool"]["driver"];
    assert_eq!((&driver["name"], &driver["version"]), (&json!("ruleferry"), &json!("1.2.3")));
    let ids: Vec<_> = driver["rules"].as_array().unwrap().iter().map(|r| r["id"].clone()).collect();
    assert_eq!(ids, ["E0001", "E0010"], "in the order of their numbers");
    assert_eq!(driver["rules"][1]["shortDescription"]["text"], "the YAML is malformed");
    assert_eq!(
        run["results"][0],
        json!({
            "ruleId": "E0010", "ruleIndex": 1, "level": "error", "message": {"text": "m\nhelp: h"},
            "locations": [{"physicalLocation": {
                "artifactLocation": {"uri": "a%20b/c%3Ad%25%C3%A9.yml"},
                "region": {"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 3, "byteOffset": 4, "byteLength": 2},
            }}],
        })
    );
    assert_eq!((&run["results"][1]["level"], &run["results"][1]["ruleIndex"]), (&json!("note"), &json!(0)));
}

#[test]
fn github_escapes_what_ends_a_command() {
    let one =
        Diagnostic::error(codes::YAML_SYNTAX, Span::new(1, 2), "50% of\n::error::`x`").with_help("a, b");
    let two = Diagnostic::note(codes::YAML_SYNTAX, Span::new(1, 5), "over lines");
    assert_eq!(
        github(&[FileReport::new("a,b:c%.yml", "abc\ndef", vec![one, two])]),
        "::error file=a%2Cb%3Ac%25.yml,line=1,endLine=1,col=2,endColumn=3,title=E0010::50%25 of\\n::error::`x`%0Ahelp: a, b\n\
         ::notice file=a%2Cb%3Ac%25.yml,line=1,endLine=2,title=E0010::over lines\n"
    );
}

#[test]
fn junit_counts_and_escapes() {
    let one = Diagnostic::error(codes::YAML_SYNTAX, Span::new(1, 2), "a ]]> <b> \"c\" & '\u{1b}");
    let two = Diagnostic::warning(codes::YAML_SYNTAX, Span::new(1, 2), "w").with_help("h");
    assert_eq!(
        junit(&[FileReport::new("x&y", "abc", vec![one, two]), FileReport::new("fine", "", vec![])]),
        r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="ruleferry" tests="3" failures="1" errors="0">
  <testsuite name="x&amp;y" tests="2" failures="1" errors="0">
    <testcase name="E0010 at 1:2" classname="x&amp;y" file="x&amp;y" line="1">
      <failure type="E0010" message="a ]]&gt; &lt;b&gt; &quot;c&quot; &amp; &apos;\u{1b}">x&amp;y:1:2: a ]]&gt; &lt;b&gt; &quot;c&quot; &amp; &apos;\u{1b}</failure>
    </testcase>
    <testcase name="E0010 at 1:2" classname="x&amp;y" file="x&amp;y" line="1">
      <system-out>warning: x&amp;y:1:2: w
help: h</system-out>
    </testcase>
  </testsuite>
  <testsuite name="fine" tests="1" failures="0" errors="0">
    <testcase name="check" classname="fine" file="fine"/>
  </testsuite>
</testsuites>
"#
    );
}

#[test]
fn lines_and_columns() {
    let long = format!("\u{feff}{}é\nx\r\n", "日".repeat(5000));
    let index = LineIndex::new(&long);
    let end = u32::try_from(long.len()).unwrap();
    let at = |offset| (index.position(offset).line, index.position(offset).column);
    assert_eq!([at(0), at(3), at(6), at(7)], [(1, 1), (1, 1), (1, 2), (1, 3)], "the mark is no column");
    assert_eq!([at(3 + 15_000), at(end - 3), at(end), at(end + 9)], [(1, 5001), (2, 1), (3, 1), (3, 1)]);
    // Blocks change nothing: each boundary counts as many characters as stand before it.
    let counted = long
        .char_indices()
        .skip(1)
        .take(5001)
        .zip(1..)
        .all(|((i, _), column)| at(u32::try_from(i).unwrap()) == (1, column));
    assert!(counted);
    assert_eq!(index.line(2), Some(Span::new(end - 3, end - 2)));
    assert_eq!((index.line(3), index.line(4), index.line(0)), (Some(Span::new(end, end)), None, None));
    // A text whose length is that of a block.
    let block = "a".repeat(4096);
    assert_eq!(LineIndex::new(&block).position(4096).column, 4097);
}
