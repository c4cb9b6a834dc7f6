//! Faulty and hostile text: good messages, all faults in one run, no panic, bounded depth and time.

use ruleferry_kql::syntax::tree::{ExprKind, StatementKind};
use ruleferry_kql::syntax::{MAX_DEPTH, parse, print};

/// `code message (help)` of every diagnostic.
fn faults(text: &str) -> Vec<String> {
    let diagnostics = parse(text).diagnostics;
    diagnostics
        .iter()
        .map(|d| format!("{} {} ({})", d.code, d.message, d.help.as_deref().unwrap_or("")))
        .collect()
}

#[track_caller]
fn only_fault(text: &str, expected: &str) {
    assert_eq!(faults(text), [expected], "{text}");
}

#[test]
fn operators_are_suggested() {
    only_fault("T | WHERE a == 1", "E0102 unknown operator `WHERE` (did you mean `where`?)");
    only_fault("T | summarise count()", "E0102 unknown operator `summarise` (did you mean `summarize`?)");
    only_fault("T | project-awya a", "E0102 unknown operator `project-awya` (did you mean `project-away`?)");
    only_fault("T | mv_expand a", "E0102 unknown operator `mv_expand` (did you mean `mv-expand`?)");
    only_fault("T | frobnicate a", "E0102 unknown operator `frobnicate` ()");
    only_fault("T | | take 1", "E0102 expected an operator, found `|` (one of the two `|` is too much)");
}

#[test]
fn separators_are_missed() {
    only_fault("T where a == 1", "E0108 expected `|` before the operator `where` (write `| where`)");
    only_fault("T | take 1\nwhere a", "E0108 expected `|` before the operator `where` (write `| where`)");
    only_fault(
        "let x = 1\nlet y = 2; T",
        "E0108 expected `;` before `let` (end the statement before it with `;`)",
    );
    only_fault(
        "let f = () { 1 }\nlet y = 2; T",
        "E0108 expected `;` before `let` (end the statement before it with `;`)",
    );
}

#[test]
fn habits_of_other_languages_are_known() {
    only_fault("T | where a AND b", "E0101 unexpected `AND` (keywords are written in lower case: `and`)");
    only_fault("T | where a && b", "E0105 unexpected character `&&` (`and` joins conditions)");
    only_fault(
        "T | where not a",
        "E0101 expected `(` after `not`, found `a` (`not` is a function: `not(…)`)",
    );
    only_fault(
        "T | where a !has_any ('x')",
        "E0105 there is no operator `!has_any` (negate the whole test: `not(… has_any …)`)",
    );
    only_fault("T | extend a = b ? 1 : 2", "E0101 unexpected `?` (write `iff(condition, a, b)`)");
    only_fault(
        "T | where a == \u{201C}",
        "E0105 unexpected character `\u{201C}` (use straight quotes: \" or ')",
    );
    only_fault(
        "T | where a == \"C:\\Windows\"",
        "E0104 `\\W` is no escape of a string (double the backslash, or write the string verbatim: @\"…\")",
    );
    only_fault(
        "T /* c */ | take 1",
        "E0101 expected an expression, found `*` (there are no `/* … */` comments; `//` begins a comment)",
    );
    only_fault(
        "datatable(a: text)[]",
        "E0112 `text` is no type (the types are bool, datetime, decimal, dynamic, guid, int, long, real, string, timespan)",
    );
    only_fault("datatable(a: strng)[]", "E0112 `strng` is no type (did you mean `string`?)");
}

#[test]
fn all_faults_come_in_one_run() {
    let text = "let a = ;\nlet b = (1 + );\nT\n| where x ==\n| extend y = (1\n| project z,\n| wehre q\n| join (U | tak 1 | where) on a\n| take 5 5";
    let spans: Vec<u32> = parse(text).diagnostics.iter().map(|d| d.span.start).collect();
    let lines: Vec<usize> =
        spans.iter().map(|s| text.bytes().take(*s as usize).filter(|b| *b == b'\n').count() + 1).collect();
    assert_eq!(lines, [1, 2, 5, 6, 7, 7, 8, 8, 9], "{:#?}", parse(text).diagnostics);
    // What stands between the faults is kept.
    let parsed = parse(text);
    let last = parsed.query.statements.last().unwrap();
    let StatementKind::Query(query) = &last.kind else { panic!("{last:?}") };
    assert_eq!(query.as_pipeline().1.len(), 6);
}

#[test]
fn commands_and_blank_texts_are_refused() {
    only_fault(".show tables", "E0110 `.show` is a management command, not a query (give the query alone)");
    only_fault(" // nothing\n", "E0109 there is no query in the text ()");
    only_fault("", "E0109 there is no query in the text ()");
    assert!(faults("let x = 5").is_empty());
}

#[test]
fn depth_is_limited() {
    let deep = 10_000;
    let nested = [
        format!("T | where {}a{}", "(".repeat(deep), ")".repeat(deep)),
        format!("T | where {}a", "(".repeat(deep)),
        format!("T | where {}a{}", "f(".repeat(deep), ")".repeat(deep)),
        format!("T | where {}a{}", "not(-".repeat(deep), ")".repeat(deep)),
        format!("T | where {}a{}", "x[".repeat(deep), "]".repeat(deep)),
        format!("T | where {}1{}", "a in (".repeat(deep), ")".repeat(deep)),
        format!("T | where a{}", ".b".repeat(deep)),
        format!("T | where a{}", "[0]".repeat(deep)),
        format!("T | extend a = b{}", " + b".repeat(deep)),
        format!("print dynamic({}1{})", "[".repeat(deep), "]".repeat(deep)),
        format!("print dynamic({}1{})", "{\"a\":".repeat(deep), "}".repeat(deep)),
        format!("print dynamic({}1{})", "dynamic(".repeat(deep), ")".repeat(deep)),
        format!("T {}", "| join (T ".repeat(deep)),
        format!("T {}", "| fork (fork (count) ".repeat(deep)),
        format!("T {}", "| mv-apply a on (".repeat(deep)),
        format!("{}1", "let f = () { ".repeat(deep)),
        format!("T | macro-expand x as y ({}", "macro-expand x as y (".repeat(deep)),
        "toscalar(".repeat(deep),
        format!("invoke f(){}", ".f()".repeat(deep)),
        format!("union a{}", ".b".repeat(deep)),
    ];
    for text in nested {
        let parsed = parse(&text);
        assert!(parsed.diagnostics.iter().any(|d| d.code.0 == "E0107"), "{}", text.get(..60).unwrap());
        print(&parsed.query);
    }
    let below = MAX_DEPTH as usize / 2 - 5;
    let text = format!("T | where {}a{}", "(-f(".repeat(below / 4), "))".repeat(below / 4));
    assert!(faults(&text).is_empty(), "{:?}", faults(&text));
}

#[test]
fn long_chains_are_flat() {
    for word in [" or ", " and "] {
        let text = format!("T | where {}", vec!["a == 1"; 100_000].join(word));
        let parsed = parse(&text);
        assert!(parsed.diagnostics.is_empty());
        let again = parse(&print(&parsed.query));
        assert!(again.query == parsed.query);
    }
    let pipes = format!("T{}", " | take 1".repeat(100_000));
    assert!(parse(&print(&parse(&pipes).query)).diagnostics.is_empty());
    let list = format!("T | where a in ({})", vec!["'x'"; 100_000].join(","));
    assert!(parse(&print(&parse(&list).query)).diagnostics.is_empty());
}

#[test]
fn big_garbage_is_read_in_bounds() {
    let pieces = [
        "\u{1}\u{2}",
        "((((",
        "))))",
        "| x ",
        ";;",
        "let ",
        "\"\n",
        "'\\q",
        "/*",
        "a b ",
        "[{(",
        "!",
        "@@",
        "é",
    ];
    for piece in pieces {
        let text = piece.repeat(100_000 / piece.len());
        let parsed = parse(&text);
        assert!(!parsed.diagnostics.is_empty() && parsed.diagnostics.len() <= 400);
        print(&parsed.query);
    }
}

#[test]
fn error_nodes_mark_what_was_not_read() {
    let parsed = parse("T | where ( | take 1");
    let StatementKind::Query(query) = &parsed.query.statements.first().unwrap().kind else { panic!() };
    assert!(matches!(query.kind, ExprKind::Pipeline(_)));
    let parsed = parse("= 5 | take 1; U | take 2");
    assert_eq!(parsed.query.statements.len(), 2);
}
