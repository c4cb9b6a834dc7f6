//! YARA-L rules through every command.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use support::{Folder, run, run_with};

const RULE: &str = "rule logins { // ours
  meta:
    author = \"Someone\"
    severity = \"Low\"

  events:
    $e.metadata.event_type = \"USER_LOGIN\"
    $e.security_result.action = \"BLOCK\"
    $e.principal.ip = \"1.1.1.1\"

  condition:
    $e
}
";
const EVENTS: &str = r#"{"metadata":{"id":"1","event_type":"USER_LOGIN","event_timestamp":"2026-01-15T11:00:00Z"},"security_result":[{"action":["ALLOW","BLOCK"]}],"principal":{"ip":["2.2.2.2","1.1.1.1"]}}
{"metadata":{"id":"2","event_type":"USER_LOGIN"},"security_result":[],"principal":{"ip":["1.1.1.1"]}}
"#;

#[test]
fn it_is_known_by_name_and_by_content() {
    let folder = Folder::new(&[("a.yaral", RULE)]);
    for args in [&["check", "a.yaral", "--format", "json"][..], &["check", "-", "--format", "json"]] {
        let ran = run_with(&folder, args, RULE);
        let record = &ran.json()[0];
        assert_eq!(ran.status, 0, "{}", ran.err);
        assert_eq!(
            (&record["language"], &record["rules"], &record["lifted"]),
            (&"yaral".into(), &1.into(), &true.into())
        );
    }
    let ran =
        run_with(&folder, &["check", "-", "--from", "yaral"], "rule r { events: $e.a == 1 condition: $e }");
    assert_eq!(ran.status, 1);
    assert!(ran.out.contains("E1001") || ran.err.contains("E1001"), "{}{}", ran.out, ran.err);
}

#[test]
fn layout_is_settled_and_comments_stay() {
    let folder = Folder::new(&[("a.yaral", &RULE.replace("\n\n", "\n").replace("    $e.", "\t$e."))]);
    assert_eq!(run(&folder, &["fmt", "a.yaral"]).status, 0);
    assert_eq!(folder.read("a.yaral"), RULE);
    let ran = run(&folder, &["convert", "a.yaral", "--to", "yaral"]);
    assert_eq!(ran.out, RULE);
}

#[test]
fn it_is_converted_and_proved() {
    let folder = Folder::new(&[("a.yaral", RULE)]);
    let ran = run(&folder, &["convert", "a.yaral", "--to", "kql"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    for part in ["UDM\n", "['metadata.event_type'] == \"USER_LOGIN\"", "mv-apply", "// Severity: low"] {
        assert!(ran.out.contains(part), "{part} in {}", ran.out);
    }
    let record = run(&folder, &["convert", "a.yaral", "--to", "duckdb", "--format", "json"]).json().remove(0);
    assert_eq!(record["status"], "converted", "{record}");
    assert_eq!(record["needs"][0]["name"], "UDM");
    assert_eq!(record["needs"][0]["columns"]["principal.ip"], "dynamic");
}

#[test]
fn it_runs_on_nested_events() {
    let folder = Folder::new(&[("a.yaral", RULE), ("events.jsonl", EVENTS)]);
    let ran = run(&folder, &["run", "a.yaral", "--data", "events.jsonl", "--format", "json"]);
    assert_eq!(ran.json()[0]["rows"].as_array().map(Vec::len), Some(1), "{}{}", ran.out, ran.err);
}

#[test]
fn two_rules_are_compared() {
    let wider = RULE.replace("    $e.principal.ip = \"1.1.1.1\"\n", "");
    let folder =
        Folder::new(&[("a.yaral", RULE), ("b.yaral", &wider), ("c.yaral", &RULE.replace("// ours", ""))]);
    let record = run(&folder, &["diff", "a.yaral", "c.yaral", "--format", "json"]).json().remove(0);
    assert_eq!(record["verdict"]["relation"], "equivalent", "{record}");
    let record = run(&folder, &["diff", "a.yaral", "b.yaral", "--format", "json"]).json().remove(0);
    assert_ne!(record["verdict"]["relation"], "equivalent", "{record}");
}
