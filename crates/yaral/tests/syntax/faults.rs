//! Faults are found, named and placed, and what stands around them is still read.

use ruleferry_yaral::syntax::parse;
use ruleferry_yaral::syntax::tree::ExprKind;

use super::forms::rule_with;

/// The code and the text under each diagnostic.
fn faults(text: &str) -> Vec<(String, String)> {
    let parsed = parse(text);
    parsed.diagnostics.iter().map(|d| (d.code.0.to_owned(), d.span.text(text).to_owned())).collect()
}

fn one(text: &str, code: &str, under: &str) {
    assert_eq!(faults(text), [(code.to_owned(), under.to_owned())], "{text}");
}

#[test]
fn places_of_faults() {
    one(&rule_with("$e.a == 1"), "E1001", "==");
    one(&rule_with("$e.a = \"abc"), "E1002", "\"abc");
    one(&rule_with("$e.a = /abc"), "E1002", "/abc");
    one(&rule_with("$e.a = `abc"), "E1002", "`abc");
    one(&rule_with("$e.a = \u{201c} 1"), "E1003", "\u{201c}");
    one(&rule_with("$e.a = \"\\d\""), "E1004", "\\d");
    one(&rule_with("$e.a = 1 && $e.b = 2"), "E1003", "&&");
    one("rule r { events: $e.a = 1 }", "E1009", "r");
    one("rule r { condition: $e events: $e.a = 1 }", "E1009", "events");
    one("rule r { events: $e.a = 1 events: $e.b = 1 condition: $e }", "E1009", "events");
    one("rule r { events: $e.a = $x match: $x over 5y condition: $e }", "E1005", "5y");
    one("", "E1008", "");
    one("// nothing", "E1008", "");
    one("hello", "E1001", "hello");
    one(&rule_with("hostname = \"x\""), "E1001", "hostname");
}

#[test]
fn reading_goes_on_behind_a_fault() {
    let text = "rule r {\n events:\n  $e.a = 1\n  $e.b = = 2\n  re.regex($e.c, , 3)\n  $e.d = 4\n outcome:\n  $x = max(\n  $y = 3\n condition:\n  $e or\n}\nrule s { events: $e.a = 1 condition: $e }";
    let parsed = parse(text);
    assert_eq!(parsed.file.rules.len(), 2);
    let rule = &parsed.file.rules[0];
    assert_eq!(rule.events.len(), 4);
    assert!(matches!(rule.events[1].kind, ExprKind::Error) && matches!(rule.events[2].kind, ExprKind::Error));
    assert!(matches!(rule.events[3].kind, ExprKind::Compare(_)));
    assert!(rule.condition.is_some());
    assert!(parsed.diagnostics.len() >= 4);
}

#[test]
fn depth_is_limited() {
    let deep = |n: usize| rule_with(&format!("{}$e.a = 1{}", "(".repeat(n), ")".repeat(n)));
    assert!(parse(&deep(50)).diagnostics.is_empty());
    for text in [
        deep(100_000),
        rule_with(&"not ".repeat(100_000)),
        rule_with(&"f(".repeat(100_000)),
        rule_with(&"!".repeat(100_000)),
    ] {
        assert!(parse(&text).diagnostics.iter().any(|d| d.code.0 == "E1006"));
    }
}

#[test]
fn long_chains_are_flat() {
    let sum = vec!["$e.a"; 50_000].join(" + ");
    assert!(parse(&rule_with(&format!("1 < {sum}"))).diagnostics.is_empty());
    let or = vec!["$e.a = 1"; 50_000].join(" or ");
    assert!(parse(&rule_with(&or)).diagnostics.is_empty());
}
