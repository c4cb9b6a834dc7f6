//! Findings about one rule: rules that must get one, with the text that it points at, and rules that must get none.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::string_slice,
    reason = "tests"
)]

use ruleferry_ir::{self as ir, Type};
use ruleferry_kql::lift::{DataTables, LiftOptions, lift_with};
use ruleferry_prove::{Options, findings};
use smol_str::SmolStr;

const HOUR: i64 = 36_000_000_000;

struct Schema;

impl DataTables for Schema {
    fn columns(&self, table: &str) -> Option<Vec<(SmolStr, Type)>> {
        let columns: &[(&str, Type)] = match table {
            "T" => &[("a", Type::String), ("b", Type::String), ("x", Type::Long), ("t", Type::Datetime)],
            "U" => &[("a", Type::String), ("e", Type::String)],
            _ => return None,
        };
        Some(columns.iter().map(|(n, t)| ((*n).into(), *t)).collect())
    }

    fn names(&self) -> Vec<SmolStr> {
        vec!["T".into(), "U".into()]
    }
}

fn kql(text: &str) -> ir::Rule {
    let parsed = ruleferry_kql::syntax::parse(text);
    let lifted = lift_with(&parsed.query, &LiftOptions { source: text }, Some(&Schema));
    ir::Rule { envelope: ir::Envelope::default(), query: lifted.query.expect(text) }
}

fn sigma(detection: &str) -> (ir::Rule, String) {
    let text =
        format!("title: t\nlogsource: {{category: process_creation, product: windows}}\n{detection}\n");
    let parsed = ruleferry_sigma::syntax::parse(&text);
    let rules = parsed.rules();
    let lifted = ruleferry_sigma::lift::lift(&rules[0], &Default::default()).expect(&text);
    (lifted.rule, text)
}

fn found(rule: &ir::Rule, text: &str) -> Vec<String> {
    let options = Options {
        now: 0,
        now_is_fixed: false,
        seed: 0,
        steps: 50_000,
        search: false,
        empty_is_absent: false,
        stop: None,
    };
    findings(rule, &options).iter().map(|f| format!("{} {}", f.code, f.span.text(text).trim())).collect()
}

#[test]
fn what_is_wrong_is_found() {
    let cases: &[(&str, &[&str])] = &[
        (r#"T | where a == "x" | where a == "y""#, &[r#"E0921 a == "y""#]),
        ("T | where x > 5 and x < 3", &["E0921 x > 5 and x < 3"]),
        (r#"T | where a == "u" and (b == "x" or a == "v")"#, &[r#"E0921 a == "v""#]),
        ("T | where x != 1 or x != 2 or isnull(x)", &["E0922 x != 1 or x != 2 or isnull(x)"]),
        ("T | where x in (1, 2) | where x < 10", &["E0922 x < 10"]),
        (r#"T | where a contains "cmd" and a contains "cmd.exe""#, &[r#"E0923 a contains "cmd""#]),
        (r#"T | where a has_any ("cmd", "cmd.exe")"#, &[r#"E0924 "cmd.exe""#]),
        (r#"T | where a in~ ("x", "y", "X")"#, &[r#"E0924 "X""#]),
        (r#"T | where a startswith "ab" or b == "c" or a startswith "a""#, &[r#"E0924 a startswith "ab""#]),
        (r#"T | where a == "x" and not(a startswith "x")"#, &[r#"E0925 not(a startswith "x")"#]),
        (r#"T | where a == "x" | where a !startswith "x""#, &[r#"E0925 a !startswith "x""#]),
        (r#"T | where a == "x" and not(a startswith "y")"#, &[r#"E0926 not(a startswith "y")"#]),
        (r#"T | where a == "x" | where not(a has "y" or b == "z")"#, &[r#"E0926 a has "y""#]),
        ("let l = dynamic([1]); T | where x == 1", &["E0927 l"]),
        (r#"T | where a matches regex "cmd\\.exe""#, &[r#"E0928 a matches regex "cmd\\.exe""#]),
        (r#"T | where a matches regex "(?i)^net$""#, &[r#"E0928 a matches regex "(?i)^net$""#]),
        ("T | join (U) on a", &["E0929 join ("]),
        ("T | take 5 | summarize n = count() | where n > 10", &["E0931 n > 10"]),
        ("T | summarize n = count() by a | where n < 1", &["E0931 n < 1"]),
    ];
    for (text, expected) in cases {
        let found = found(&kql(text), text);
        assert_eq!(found, *expected, "{text}");
    }
}

#[test]
fn what_may_be_meant_is_not_told() {
    let cases = [
        // A quick test before a slow one, and a guard.
        r#"T | where a has "cmd" | where a matches regex "cmd[0-9]+""#,
        r#"T | where a has "cmd" and a matches regex "cmd [0-9]+""#,
        r#"T | where isnotempty(a) and a == "x""#,
        r#"T | where a == "x" | where isnotempty(a)"#,
        // Null is neither.
        "T | where x < 5 or x >= 5",
        // A setting.
        "let least = 0; T | summarize n = count() by a | where n > least",
        // A function that is read twice: only one of the calls cannot match.
        r#"let f = (s: string) { T | where a == s | where a == "y" }; union (f("x")), (f("y"))"#,
        "T | summarize n = count() by a | join U on a",
        "T | distinct a | join (U) on a",
        "T | join kind=innerunique (U) on a",
        r#"T | where a matches regex "cmd.exe""#,
        r#"T | where a has_any ("cmd", "cmdx")"#,
        r#"T | where a contains "x" and not(a contains "xy")"#,
        "T | summarize n = count() | where n > 10",
        "T | summarize n = count() | where n == 0",
        "T | where true",
        // To be filled.
        "let names = dynamic([]); T | where x == 1 and a has_any (names)",
    ];
    for text in cases {
        assert_eq!(found(&kql(text), text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn sigma_values_and_filters() {
    let cases: &[(&str, &[&str])] = &[
        (
            "detection:\n  s:\n    Image|endswith: ['\\cmd.exe', '\\x\\cmd.exe']\n  condition: s",
            &["E0924 '\\x\\cmd.exe'"],
        ),
        (
            "detection:\n  s:\n    Image|endswith: '\\cmd.exe'\n  f:\n    Image|contains: 'cmd'\n  condition: s and not f",
            &["E0925 not f"],
        ),
        (
            "detection:\n  s:\n    Image|endswith: '\\cmd.exe'\n  f:\n    Image|endswith: '\\net.exe'\n  condition: s and not f",
            &["E0926 not f"],
        ),
        (
            "detection:\n  s:\n    Image|endswith: '\\cmd.exe'\n  f:\n    User: 'a'\n    Image|endswith: '\\cmd.exe'\n  condition: s and not f",
            &[],
        ),
    ];
    for (detection, expected) in cases {
        let (rule, text) = sigma(detection);
        assert_eq!(found(&rule, &text), *expected, "{text}");
    }
}

#[test]
fn schedules_and_triggers() {
    let text = "T | where x == 1 | take 3";
    let mut rule = kql(text);
    rule.envelope.schedule = ir::Schedule { frequency: Some(24 * HOUR), look_back: Some(HOUR) };
    rule.envelope.trigger = Some(ir::Trigger { operator: "gt".into(), threshold: 3 });
    assert_eq!(found(&rule, text), ["E0930 ".to_owned(), "E0931 take 3".to_owned()]);
    rule.envelope.schedule = ir::Schedule { frequency: Some(HOUR), look_back: Some(HOUR) };
    rule.envelope.trigger = Some(ir::Trigger { operator: "gt".into(), threshold: 2 });
    assert_eq!(found(&rule, text), Vec::<String>::new());
}

/// The rows that show the first finding, as JSON.
fn shown(rule: &ir::Rule) -> String {
    let options = Options {
        now: 0,
        now_is_fixed: false,
        seed: 0,
        steps: 50_000,
        search: true,
        empty_is_absent: false,
        stop: None,
    };
    let found = findings(rule, &options);
    let event = found[0].event.as_ref();
    event.map_or_else(String::new, |e| format!("{}: {}", e.shows, serde_json::to_string(&e.tables).unwrap()))
}

#[test]
fn events_show_what_is_wrong() {
    let cases: &[(&str, &str)] = &[
        (r#"T | where a == "x" | where a == "y""#, r#"{"T":[{"a":"x"}]}"#),
        (r#"T | where a == "x" and not(a startswith "x")"#, r#"{"T":[{"a":"x"}]}"#),
        (r#"T | where a contains "cmd" and a contains "cmd.exe""#, r#"cmd.exe"}]}"#),
        (r#"T | where a has_any ("cmd", "cmd.exe")"#, r#"{"T":[{"a":"cmd.exe"}]}"#),
        ("T | take 5 | summarize n = count() | where n > 10", r#"{"T":[]}"#),
        ("T | summarize n = count() by a | where n < 1", r#"{"T":[{}]}"#),
    ];
    for (text, rows) in cases {
        let shown = shown(&kql(text));
        assert!(shown.ends_with(rows), "{text}: {shown}");
    }
    let join = shown(&kql("T | join (U) on a"));
    assert!(join.contains("keeps one") && join.matches("\"a\":").count() >= 3, "{join}");
    let text = "detection:\n  s:\n    Image|endswith: '\\cmd.exe'\n  f:\n    Image|contains: 'cmd'\n  condition: s and not f";
    assert_eq!(
        self::shown(&sigma(text).0),
        r#"the conditions select this, and the exclusion hides it: {"windows_process_creation":[{"Image":"\\cmd.exe"}]}"#
    );
}

#[test]
fn a_gap_between_runs_is_shown_by_the_time_of_an_event() {
    let hours = |n: i64| n * HOUR;
    let schedule = |frequency, look_back| ir::Schedule { frequency: Some(frequency), look_back };
    let of = |text: &str, schedule| {
        let mut rule = kql(text);
        rule.envelope.schedule = schedule;
        (found(&rule, text), shown_if(&rule))
    };
    let (codes, event) = of("SigninLogs | where UserId == 'u'", schedule(hours(24), Some(hours(1))));
    assert_eq!(codes, ["E0930 "]);
    assert!(event.contains("2026-01-01T11:30:00.0000000Z"), "{event}");
    // The query's own bound is narrower than the look-back of the schedule.
    let text = "SigninLogs | where TimeGenerated > ago(1h) | where UserId == 'u'";
    assert_eq!(of(text, schedule(hours(24), Some(hours(24)))).0, ["E0930 TimeGenerated > ago(1h)"]);
    assert_eq!(of(text, schedule(hours(24), None)).0, ["E0930 TimeGenerated > ago(1h)"]);
    assert_eq!(of(text, schedule(hours(1), Some(hours(24)))).0, Vec::<String>::new());
    // A delay is no gap, and what another table sees is seen.
    let delay = "SigninLogs | where TimeGenerated between (ago(25h) .. ago(1h)) | where UserId == 'u'";
    assert_eq!(of(delay, schedule(hours(24), Some(hours(48)))).0, Vec::<String>::new());
    let baseline = "let d = 24h; SigninLogs | where TimeGenerated > ago(1h) | join kind=leftanti (AuditLogs | where TimeGenerated > ago(d)) on Id";
    assert_eq!(of(baseline, schedule(hours(24), Some(hours(48)))).0, Vec::<String>::new());
}

fn shown_if(rule: &ir::Rule) -> String {
    let options = Options {
        now: 0,
        now_is_fixed: false,
        seed: 0,
        steps: 50_000,
        search: true,
        empty_is_absent: false,
        stop: None,
    };
    findings(rule, &options).first().map_or_else(String::new, |_| shown(rule))
}
