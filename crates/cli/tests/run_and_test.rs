//! `run` and `test` as scripts see them: exit status, what goes to stdout and what to stderr, the shapes of the records.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use serde_json::{Value as Json, json};
use support::{Folder, run, run_with};

const RULE: &str = "SigninLogs\n| where ResultType == \"50126\"\n| summarize Failures = count() by UserPrincipalName\n| where Failures >= 2\n";
const SIGMA: &str = "title: Whoami\nid: 11111111-2222-4333-8444-555555555555\nlogsource:\n    category: process_creation\n    product: windows\ndetection:\n    sel:\n        Image|endswith: '\\whoami.exe'\n        EventID: 1\n    condition: sel\nlevel: low\n";
const WINDOWS: &str = r##"[{"Event": {"#attributes": {"xmlns": "x"}, "System": {"Provider": {"#attributes": {"Name": "Sysmon"}}, "EventID": 1, "Computer": "pc"},
 "EventData": {"Image": "C:\\Windows\\whoami.exe", "ProcessId": 12}}}, {"Event": {"System": {"EventID": 1}, "EventData": {"Image": "C:\\cmd.exe"}}}]"##;

#[test]
fn rows_come_in_three_forms() {
    let folder = Folder::new(&[
        ("q.kql", "T | extend Sum = a + 1, Span = t - datetime(2026-01-14), Part = d.k[1]\n"),
        (
            "T.jsonl",
            "{\"a\": 1, \"t\": \"2026-01-15T10:00:00.5Z\", \"d\": {\"k\": [1, \"two\"]}, \"s\": \"\\u001b[31m\"}\n{\"a\": 2}\n",
        ),
    ]);
    let ran = run(&folder, &["run", "q.kql", "--data", "T.jsonl", "--format", "json"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, "2 rows\n"));
    let columns: Vec<(&str, &str)> = vec![
        ("a", "long"),
        ("t", "datetime"),
        ("d", "dynamic"),
        ("s", "string"),
        ("Sum", "long"),
        ("Span", "timespan"),
        ("Part", "dynamic"),
    ];
    let columns: Vec<Json> = columns.into_iter().map(|(n, t)| json!({"name": n, "type": t})).collect();
    let rows = json!([
        [1, "2026-01-15T10:00:00.5000000Z", {"k": [1, "two"]}, "\u{1b}[31m", 2, "1.10:00:00.5000000", "two"],
        [2, null, null, "", 3, null, null],
    ]);
    assert_eq!(ran.json(), [json!({"columns": columns, "rows": rows})]);
    assert!(!ran.out.contains('\u{1b}'), "escaped for terminals");

    let ran = run(&folder, &["run", "q.kql", "--data", "T=T.jsonl", "--format", "csv"]);
    assert!(
        ran.out.starts_with("a,t,d,s,Sum,Span,Part\n1,2026-01-15T10:00:00.5000000Z,\"{\"\"k\"\""),
        "{}",
        ran.out
    );
    let ran = run(&folder, &["run", "q.kql", "--data", "."]);
    assert!(
        ran.out.contains("two") && ran.out.contains("\\u{1b}[31m") && !ran.out.contains('\u{1b}'),
        "{}",
        ran.out
    );
}

#[test]
fn queries_without_tables_run_as_they_are() {
    let folder = Folder::new(&[]);
    let ran = run_with(
        &folder,
        &["run", "-", "--format", "json", "--now", "2026-01-15T12:00:00Z"],
        "print x = ago(1h), y = 5",
    );
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(ran.json()[0]["rows"], json!([["2026-01-15T11:00:00.0000000Z", 5]]));
    let ran = run_with(
        &folder,
        &["run", "-", "--format", "json"],
        "datatable(a: string) [\"x\", \"y\"] | where a == \"y\"",
    );
    assert_eq!(ran.json()[0]["rows"], json!([["y"]]));
}

#[test]
fn windows_events_are_what_sigma_rules_name() {
    let folder = Folder::new(&[("r.yml", SIGMA), ("events.json", WINDOWS)]);
    let ran = run(&folder, &["run", "r.yml", "--data", "events.json", "--format", "json"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.err.contains("taken for the table `windows_process_creation`"), "{}", ran.err);
    let record = &ran.json()[0];
    let names: Vec<&str> =
        record["columns"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Image", "EventID", "ProcessId", "Provider_Name", "Computer"]);
    assert_eq!(record["rows"], json!([["C:\\Windows\\whoami.exe", "1", "12", "Sysmon", "pc"]]));
}

#[test]
fn what_is_missing_is_named() {
    let query = "let v = _GetWatchlist(\"vips\") | project SearchKey;\nSigninLogs | where UserPrincipalName in (v) | union isfuzzy=true Missing_CL\n";
    let folder = Folder::new(&[("q.kql", query), ("a.json", "[]"), ("broken.kql", "T | where (\n")]);
    let ran = run(&folder, &["run", "q.kql"]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert!(
        ran.err.contains("`--data vips=FILE`") && ran.err.contains("`--data SigninLogs=FILE`"),
        "{}",
        ran.err
    );
    let ran =
        run_with(&folder, &["run", "q.kql", "--data", "SigninLogs=a.json", "--data", "vips=a.json"], "");
    assert_eq!(
        (ran.status, ran.err.as_str()),
        (0, "0 rows\n"),
        "a fuzzy union does without what is not given"
    );
    for args in [
        &["run", "broken.kql"][..],
        &["run", "q.kql", "--data", "SigninLogs=none.json"],
        &["run", "q.kql", "--data", "q.kql"],
        &["run", "none.kql"],
        &["run", "q.kql", "--now", "yesterday"],
    ] {
        let ran = run(&folder, args);
        assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{args:?}");
        assert!(ran.err.starts_with("error"), "{args:?}: {}", ran.err);
    }
}

#[test]
fn bad_events_are_told_and_good_ones_count() {
    let events = "{\"TimeGenerated\": \"2026-01-15T10:00:00Z\", \"ResultType\": \"50126\", \"UserPrincipalName\": \"ana\"}\n{\"ResultType\": \"50126\n\
                  {\"TimeGenerated\": \"yesterday\", \"ResultType\": 50126, \"UserPrincipalName\": \"ana\", \"_why\": \"a remark\"}\n[1]\n";
    let folder = Folder::new(&[("q.kql", RULE), ("SigninLogs.jsonl", events)]);
    std::fs::write(folder.0.join("bad.jsonl"), b"{\"a\": \"\xff\"}\n{\"a\": \"y\"}\n").unwrap();
    let ran = run(&folder, &["run", "q.kql", "--data", "SigninLogs.jsonl", "--format", "json"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(ran.json()[0]["rows"], json!([["ana", 2]]));
    assert!(ran.err.contains("warning[E0811]: SigninLogs.jsonl:2:"), "{}", ran.err);
    assert!(ran.err.contains("2 events are left out"), "{}", ran.err);
    let ran = run_with(&folder, &["run", "-", "--data", "T=bad.jsonl", "--format", "csv"], "T");
    assert_eq!((ran.status, ran.out.as_str()), (0, "a\ny\n"));
    assert!(ran.err.contains("bad.jsonl:1: the event is left out: it is not UTF-8"), "{}", ran.err);
    let ran = run_with(
        &folder,
        &["run", "-", "--data", "SigninLogs.jsonl", "--format", "csv"],
        "SigninLogs | project TimeGenerated",
    );
    assert!(
        ran.err.contains(
            "warning[E0812]: SigninLogs.jsonl:3: `TimeGenerated` is datetime, and `yesterday` is not"
        ),
        "{}",
        ran.err
    );
}

#[test]
fn hostile_events_do_no_harm() {
    let deep = format!(
        "{{\"a\": {}1{}}}\n{{\"a\": 1e999, \"b\": 123456789012345678901234567890}}\n",
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    let wide: String = (0..100_000).map(|i| format!("\"c{i}\": {i}, ")).collect();
    let folder = Folder::new(&[
        ("deep.jsonl", deep.as_str()),
        ("wide.json", &format!("{{{wide}\"x\": 1}}")),
        ("empty.csv", ""),
        ("open.json", "[{\"a\": 1}, {\"b\": "),
    ]);
    let ran = run_with(&folder, &["run", "-", "--data", "T=deep.jsonl", "--format", "json"], "T");
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.err.contains("nested too deep"), "{}", ran.err);
    let ran = run_with(&folder, &["run", "-", "--data", "T=wide.json", "--format", "json"], "T | project c7");
    assert_eq!((ran.status, ran.json()[0]["rows"].clone()), (0, json!([[7]])), "{}", ran.err);
    let ran = run_with(&folder, &["run", "-", "--data", "T=empty.csv", "--format", "json"], "T | count");
    assert_eq!((ran.status, ran.json()[0]["rows"].clone()), (0, json!([[0]])), "{}", ran.err);
    let ran = run_with(&folder, &["run", "-", "--data", "T=open.json", "--format", "json"], "T | count");
    assert_eq!((ran.status, ran.json()[0]["rows"].clone()), (0, json!([[1]])), "{}", ran.err);
}

#[test]
fn the_look_back_of_a_rule_holds() {
    let rule = "id: a\nname: A\nqueryPeriod: 1h\nqueryFrequency: 1h\nseverity: Low\nkind: Scheduled\nquery: |\n  SigninLogs | summarize count()\n";
    let events = "TimeGenerated,UserPrincipalName\n2026-01-15T10:59:59Z,ana\n2026-01-15T11:30:00Z,bob\n";
    let folder = Folder::new(&[("r.yaml", rule), ("SigninLogs.csv", events)]);
    let ran = run(
        &folder,
        &["run", "r.yaml", "--data", "SigninLogs.csv", "--now", "2026-01-15T12:00:00Z", "--format", "csv"],
    );
    assert_eq!((ran.status, ran.out.as_str()), (0, "count_\n1\n"), "{}", ran.err);
}

const TESTS: &str = "now: 2026-01-15T12:00:00Z\ncases:\n  - name: two failures\n    events:\n      SigninLogs:\n        - {TimeGenerated: 2026-01-15T11:00:00Z, ResultType: 50126, UserPrincipalName: ana}\n        - {TimeGenerated: 2026-01-15T11:00:00Z, ResultType: \"50126\", UserPrincipalName: ana}\n    rows:\n      - {UserPrincipalName: ana, Failures: 2}\n  - name: one\n    events:\n      - {ResultType: 50126, UserPrincipalName: ana}\n    match: false\n  - name: from a file\n    events:\n      SigninLogs: events/a.csv\n    match: 1\n";
const EVENTS: &str = "ResultType,UserPrincipalName\n50126,bob\n50126,bob\n00050126,eve\n";

#[test]
fn tests_pass_fail_and_are_invalid() {
    let folder = Folder::new(&[("a.kql", RULE), ("a.test.yaml", TESTS), ("events/a.csv", EVENTS)]);
    for path in [".", "a.kql", "a.test.yaml"] {
        let ran = run(&folder, &["test", path]);
        assert_eq!(ran.status, 0, "{path}: {}{}", ran.out, ran.err);
        assert_eq!(
            (ran.out.matches("ok ").count(), ran.err.as_str()),
            (3, "3 tests: 3 passed, 0 failed, 0 invalid\n")
        );
    }
    // Other commands pass over the tests.
    let ran = run(&folder, &["check", "."]);
    assert_eq!((ran.status, ran.err.as_str()), (0, "1 rules in 1 files checked, 0 findings\n"));

    let failing = TESTS.replace("Failures: 2", "Failures: 3").replace("match: 1", "match: true");
    std::fs::write(folder.0.join("a.test.yaml"), failing).unwrap();
    let ran = run(&folder, &["test", "."]);
    assert_eq!(ran.status, 2, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("- {\"UserPrincipalName\":\"ana\",\"Failures\":3}"), "{}", ran.out);
    assert!(ran.out.contains("+ {\"UserPrincipalName\":\"ana\",\"Failures\":2}"), "{}", ran.out);
    let ran = run(&folder, &["test", ".", "--format", "json"]);
    let records = ran.json();
    assert_eq!(records[0]["status"], "failed");
    assert_eq!(records[0]["missing"], json!([{"UserPrincipalName": "ana", "Failures": 3}]));
    assert_eq!((&records[1]["status"], &records[1]["case"]), (&json!("passed"), &json!("one")));
    let ran = run(&folder, &["test", ".", "--format", "junit"]);
    assert_eq!(ran.status, 2);
    assert!(
        ran.out.contains("tests=\"3\" failures=\"1\" errors=\"0\"") && ran.out.contains("<failure"),
        "{}",
        ran.out
    );
}

#[test]
fn faults_of_a_test_have_their_place() {
    let case = |rest: &str| format!("cases:\n  - name: a\n    now: 2026-01-15T12:00:00Z\n{rest}");
    for (text, message, at) in [
        (case("    evnts: []\n    match: true\n"), "a case has no key `evnts`", "a.test.yaml:4:5"),
        (
            case("    events: {SigninLog: []}\n    match: true\n"),
            "does not read the table `SigninLog`",
            "a.test.yaml:4:14",
        ),
        (
            case("    events: {SigninLogs: [{UserPrincipalNam: x}]}\n    match: true\n"),
            "has no column `UserPrincipalNam`",
            "a.test.yaml:4:46",
        ),
        (case("    rows: [{Failure: 3}]\n"), "returns no column `Failure`", "a.test.yaml:4:22"),
        (case("    rows: [{Failures: many}]\n"), "`Failures` is long, and `many` is not", "a.test.yaml:4:23"),
        (
            case("    events: {SigninLogs: [{TimeGenerated: soon}]}\n    match: false\n    columns: []\n"),
            "there are no `rows`",
            "a.test.yaml:6:14",
        ),
        (
            case("    events: {SigninLogs: [{ResultType: 1, TimeGenerated: soon}]}\n    rows: []\n"),
            "`TimeGenerated` is datetime, and `soon` is not",
            "a.test.yaml:4:58",
        ),
        (case(""), "expects nothing", "a.test.yaml:2:11"),
        (
            "cases: [{name: a, match: true}, {name: a, match: true}]\n".to_owned(),
            "two cases are named `a`",
            "a.test.yaml:1:40",
        ),
        ("cases: 5\n".to_owned(), "`cases` is a list", "a.test.yaml:1:8"),
        ("cases: [\n".to_owned(), "", "a.test.yaml:"),
        ("now: never\ncases: []\n".to_owned(), "`never` is no point in time", "a.test.yaml:1:6"),
    ] {
        let folder = Folder::new(&[("a.kql", RULE), ("a.test.yaml", &text)]);
        let ran = run(&folder, &["test", "."]);
        assert_eq!(ran.status, 1, "{text}{}{}", ran.out, ran.err);
        assert!(ran.err.contains(message) && ran.err.contains(at), "{text}{}", ran.err);
    }
    let folder = Folder::new(&[("b.test.yaml", TESTS), ("c.kql", RULE)]);
    let ran = run(&folder, &["test", "."]);
    assert!(ran.status == 1 && ran.err.contains("there is no rule `b` beside the test"), "{}", ran.err);
    let ran = run(&folder, &["test", "c.kql"]);
    assert!(ran.status == 1 && ran.err.contains("has no tests beside it in `c.test.yaml`"), "{}", ran.err);
}

#[test]
fn permitted_answers_pass() {
    let tests = "cases:\n  - name: any\n    events:\n      - {a: 1, b: x}\n      - {a: 1, b: y}\n    rows:\n      - {b: y}\n  - name: set\n    events: [{a: 2, b: x}, {a: 2, b: y}]\n    match: 1\n";
    let folder = Folder::new(&[("a.kql", "T | take 1 | project b\n"), ("a.test.yaml", tests)]);
    let ran = run(&folder, &["test", "."]);
    assert_eq!(ran.status, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn sigma_rules_have_tests() {
    let tests = "cases:\n  - name: found\n    events:\n      - {Image: 'C:\\x\\WHOAMI.exe', EventID: 1, User: ana}\n      - {Image: null, EventID: 1}\n    rows:\n      - {Image: 'C:\\x\\WHOAMI.exe', User: ana}\n  - name: absent\n    events: [{EventID: 1}]\n    match: false\n";
    let folder = Folder::new(&[("r.yml", SIGMA), ("r.test.yaml", tests)]);
    let ran = run(&folder, &["test", "."]);
    assert_eq!(ran.status, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn schemas_are_printed() {
    let folder = Folder::new(&[]);
    let ran = run(&folder, &["schema"]);
    assert!(ran.status == 0 && ran.out.contains("test "), "{}", ran.out);
    for name in ["test", "run", "convert", "check", "test-record"] {
        let ran = run(&folder, &["schema", name]);
        let schema: Json = serde_json::from_str(&ran.out).unwrap();
        assert!(schema["properties"].is_object(), "{name}");
    }
    assert_eq!(run(&folder, &["schema", "nonsense"]).status, 1);
}
