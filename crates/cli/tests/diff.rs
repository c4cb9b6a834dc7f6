//! `diff` as scripts see it: what changed, exit status, gates, pairing, revisions; and the verdict that `convert` puts in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

mod support;

use serde_json::Value as Json;
use std::process::Command;
use support::{Folder, Ran, run, run_with};

const SIGMA: &str = "title: Whoami\nid: 11111111-2222-4333-8444-555555555555\nlogsource:\n    category: process_creation\n    product: windows\ndetection:\n    sel:\n        Image|endswith: '\\whoami.exe'\n    not_admin:\n        User: admin\n    condition: sel and not not_admin\nlevel: low\n";

/// The changes between two KQL queries: kind, the two texts, effect.
fn changes(a: &str, b: &str) -> Vec<(String, Option<String>, Option<String>, String)> {
    let folder = Folder::new(&[("a.kql", a), ("b.kql", b)]);
    let ran = run(&folder, &["diff", "a.kql", "b.kql", "--format", "json"]);
    let record = ran.json().remove(0);
    told(&record)
}

fn told(record: &Json) -> Vec<(String, Option<String>, Option<String>, String)> {
    let text = |v: &Json| v.as_str().map(str::to_owned);
    let one =
        |c: &Json| (text(&c["kind"]).unwrap(), text(&c["a"]), text(&c["b"]), text(&c["effect"]).unwrap());
    record["changes"].as_array().unwrap().iter().map(one).collect()
}

#[track_caller]
fn assert_change(a: &str, b: &str, kind: &str, from: Option<&str>, to: Option<&str>, effects: &[&str]) {
    let found = changes(a, b);
    let [(k, x, y, effect)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((k.as_str(), x.as_deref(), y.as_deref()), (kind, from, to));
    assert!(effects.contains(&effect.as_str()), "{effect}");
}

#[test]
fn a_condition_that_is_dropped_or_new() {
    let base = "SecurityEvent | where EventID == 4688 and Account != \"svc\"";
    let less = "SecurityEvent\n| where EventID == 4688";
    assert_change(base, less, "predicate-removed", Some("Account != \"svc\""), None, &["wider"]);
    assert_change(less, base, "predicate-added", None, Some("Account != \"svc\""), &["narrower"]);
    // Under `or` it goes the other way.
    let either = "SecurityEvent | where EventID == 4688 or Account == \"svc\"";
    assert_change(either, less, "predicate-removed", Some("Account == \"svc\""), None, &["narrower"]);
    // And behind an anti join once more.
    let anti = |filter: &str| format!("SigninLogs | join kind=leftanti (AuditLogs | where {filter}) on Id");
    let (x, y) = (anti("OperationName == \"a\" and Result == \"b\""), anti("OperationName == \"a\""));
    assert_change(&x, &y, "predicate-removed", Some("Result == \"b\""), None, &["narrower"]);
}

#[test]
fn values_of_lists_and_their_case() {
    let of = |list: &str| format!("SigninLogs | where AppDisplayName in ({list})");
    assert_change(&of("\"a\", \"b\""), &of("\"a\""), "literal", Some("\"b\""), None, &["narrower"]);
    assert_change(&of("\"a\""), &of("\"a\", \"b\""), "literal", None, Some("\"b\""), &["wider"]);
    let not = |list: &str| format!("SigninLogs | where AppDisplayName !in ({list})");
    assert_change(&not("\"a\", \"b\""), &not("\"a\""), "literal", Some("\"b\""), None, &["wider"]);
    let (exact, loose) = ("SigninLogs | where Location == \"NL\"", "SigninLogs | where Location =~ \"NL\"");
    assert_change(exact, loose, "case", Some("Location == \"NL\""), Some("Location =~ \"NL\""), &["wider"]);
    // One value alone stands with its test.
    assert_change(
        "SigninLogs | where UserAgent contains \"curl/7\"",
        "SigninLogs | where UserAgent contains \"curl\"",
        "literal",
        Some("UserAgent contains \"curl/7\""),
        Some("UserAgent contains \"curl\""),
        &["wider"],
    );
}

#[test]
fn thresholds_windows_and_operators() {
    let count = |n: &str| format!("SigninLogs | summarize N = count() by UserId | where N > {n}");
    assert_change(&count("5"), &count("9"), "threshold", Some("N > 5"), Some("N > 9"), &["narrower"]);
    // The value behind a name.
    let named = |n: &str| format!("let most = {n}; {}", count("most"));
    assert_change(&named("5"), &named("9"), "threshold", Some("5"), Some("9"), &["narrower"]);
    let window = |d: &str| format!("SigninLogs | where TimeGenerated > ago({d})");
    assert_change(
        &window("1d"),
        &window("2d"),
        "window",
        Some("TimeGenerated > ago(1d)"),
        Some("TimeGenerated > ago(2d)"),
        &["wider"],
    );
    let bins = |d: &str| format!("SigninLogs | summarize count() by UserId, bin(TimeGenerated, {d})");
    let found = changes(&bins("1h"), &bins("5m"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "window");
    assert_change(
        "SigninLogs | where UserAgent startswith \"a\"",
        "SigninLogs | where UserAgent contains \"a\"",
        "operator",
        Some("UserAgent startswith \"a\""),
        Some("UserAgent contains \"a\""),
        &["wider"],
    );
}

#[test]
fn tables_joins_keys_and_outputs() {
    let kinds = |a: &str, b: &str| -> Vec<String> { changes(a, b).into_iter().map(|c| c.0).collect() };
    assert_eq!(kinds("SigninLogs | take 5", "AuditLogs | take 5"), ["table"]);
    let union = "union SigninLogs, AADNonInteractiveUserSignInLogs | where UserId == \"u\"";
    assert_change(
        "SigninLogs | where UserId == \"u\"",
        union,
        "table",
        None,
        Some("AADNonInteractiveUserSignInLogs"),
        &["wider"],
    );
    let join = |kind: &str| {
        format!("SigninLogs | join kind={kind} (AuditLogs | project Id, Result) on Id | project Id, UserId")
    };
    assert_eq!(kinds(&join("inner"), &join("leftouter")), ["join"]);
    let by = |key: &str| format!("SigninLogs | summarize N = count() by {key} | project N");
    assert_eq!(kinds(&by("UserId"), &by("UserId, IPAddress")), ["key"]);
    let found = changes("SigninLogs | project UserId, Location", "SigninLogs | project UserId");
    assert_eq!(found, [("output".into(), Some("Location".into()), None, "none".into())]);
}

#[test]
fn the_way_of_writing_is_no_change() {
    let pairs = [
        ("SigninLogs | where A == \"x\" and B == \"y\"", "SigninLogs | where B == \"y\" | where A == \"x\""),
        (
            "SigninLogs | where UserId == \"x\" or UserId == \"y\"",
            "SigninLogs | where UserId in (\"y\", \"x\")",
        ),
        (
            "SigninLogs | where not(UserId == \"x\" or Location == \"y\")",
            "SigninLogs | where UserId != \"x\" and Location != \"y\"",
        ),
        (
            "let l = dynamic([\"a\",\"b\"]); SigninLogs | where UserId in (l)",
            "SigninLogs | where UserId in (\"a\", \"b\")",
        ),
        (
            "let t = SigninLogs | where UserId == \"x\"; t | extend L = tolower(Location) | where L == \"nl\"",
            "SigninLogs | extend Low = tolower(Location) | where Low == \"nl\" | where UserId == \"x\"",
        ),
        ("SigninLogs | where 5 < RiskLevel", "SigninLogs | where RiskLevel > 5"),
    ];
    for (a, b) in pairs {
        let found = changes(a, b);
        assert!(found.is_empty(), "{a}\n{b}\n{found:?}");
    }
}

#[test]
fn places_are_in_the_files() {
    let yaml = |user: &str| {
        format!(
            "id: x\nname: R\nquery: |\n  AuditLogs\n  | where OperationName == \"Consent\"\n  | where Result == \"{user}\"\n"
        )
    };
    let (a, b) = (yaml("ok"), yaml("success"));
    let folder = Folder::new(&[("a.yaml", &a), ("b.yaml", &b)]);
    let record = run(&folder, &["diff", "a.yaml", "b.yaml", "--format", "json"]).json().remove(0);
    let change = &record["changes"][0];
    assert_eq!(change["kind"], "literal");
    let at = |span: &Json, text: &str| {
        let (start, end) = (span["start"].as_u64().unwrap(), span["end"].as_u64().unwrap());
        text[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()].to_owned()
    };
    assert_eq!(at(&change["a_span"], &a), "Result == \"ok\"");
    assert_eq!(at(&change["b_span"], &b), "Result == \"success\"");
    assert_eq!((change["a_span"]["line"].as_u64(), change["a_span"]["column"].as_u64()), (Some(6), Some(11)));
}

#[test]
fn metadata_is_apart_from_meaning() {
    let other = SIGMA.replace("level: low", "level: high").replace("title: Whoami", "title: Who");
    let folder = Folder::new(&[("a.yml", SIGMA), ("b.yml", &other)]);
    let record = run(&folder, &["diff", "a.yml", "b.yml", "--format", "json"]).json().remove(0);
    assert_eq!(told(&record), []);
    let keys: Vec<&str> =
        record["metadata"].as_array().unwrap().iter().map(|m| m["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["title", "severity"]);
    assert_eq!(record["metadata"][1]["b"], "high");
    let text = run(&folder, &["diff", "a.yml", "b.yml", "--text"]).out;
    assert!(text.contains("-level: low\n+level: high\n"), "{text}");
    assert!(text.contains("severity: low → high"), "{text}");
}

#[test]
fn sets_are_paired() {
    let rule = |id: &str, image: &str| SIGMA.replace("11111111", id).replace("whoami.exe", image);
    let folder = Folder::new(&[
        ("a/one.yml", &rule("11111111", "one.exe")),
        ("a/sub/two.yml", &rule("22222222", "two.exe")),
        ("a/gone.yml", &rule("33333333", "gone.exe").replace("title: Whoami", "title: Gone")),
        ("b/renamed.yml", &rule("11111111", "one.exe")),
        ("b/sub/two.yml", &rule("99999999", "two.exe")),
        ("b/new.yml", &rule("44444444", "new.exe").replace("title: Whoami", "title: New")),
    ]);
    let ran = run(&folder, &["diff", "a", "b", "--format", "json"]);
    let found: Vec<(String, Option<String>, Option<String>)> = ran
        .json()
        .iter()
        .map(|r| {
            let side = |k: &str| r[k]["path"].as_str().map(str::to_owned);
            (r["path"].as_str().unwrap().to_owned(), side("a"), side("b"))
        })
        .collect();
    let some = |t: &str| Some(t.to_owned());
    assert_eq!(
        found,
        [
            ("gone.yml".into(), some("a/gone.yml"), None),
            ("one.yml".into(), some("a/one.yml"), some("b/renamed.yml")),
            ("sub/two.yml".into(), some("a/sub/two.yml"), some("b/sub/two.yml")),
            ("new.yml".into(), None, some("b/new.yml")),
        ]
    );
    assert_eq!(ran.status, 2);
    // A rule that is gone is a blind spot, a new one is noise.
    let gated =
        |gate: &str, b: &str| run(&folder, &["diff", "a/gone.yml", b, gate, "--format", "json"]).status;
    assert_ne!(gated("--no-new-blind-spot", "b/new.yml"), 1);
}

#[test]
fn outputs_are_paired_with_their_sources() {
    let other = SIGMA.replace("11111111", "22222222").replace("whoami.exe", "other.exe");
    let folder = Folder::new(&[("in/a.yml", SIGMA), ("in/x/b.yml", &other)]);
    run(&folder, &["convert", "in", "--to", "kql", "-o", "out"]);
    assert!(folder.read("out/x/b.kql").contains("// Converted from: x/b.yml\n"));
    // Neither path nor id nor title is left.
    std::fs::rename(folder.0.join("out/x/b.kql"), folder.0.join("out/z.kql")).unwrap();
    let text = folder.read("out/z.kql").replace("// Id: 22222222", "// Id: 77777777").replace("Whoami", "W");
    std::fs::write(folder.0.join("out/z.kql"), text).unwrap();
    let records = run(&folder, &["diff", "in", "out", "--format", "json"]).json();
    assert_eq!(records.len(), 2);
    assert_eq!(
        (records[1]["a"]["path"].as_str(), records[1]["b"]["path"].as_str()),
        (Some("in/x/b.yml"), Some("out/z.kql"))
    );
    for record in &records {
        assert_eq!(told(record), [], "{record}");
        assert_eq!(
            record["metadata"].as_array().unwrap().len(),
            usize::from(record["path"] == "x/b.yml") * 2
        );
    }
}

fn git(folder: &Folder, args: &[&str]) {
    let ran = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"])
        .args(args)
        .current_dir(&folder.0)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn revisions_of_git() {
    let folder = Folder::new(&[
        ("rules/a.kql", "SigninLogs | where UserId == \"x\"\n"),
        ("rules/old.kql", "AuditLogs | where Result == \"y\"\n"),
        ("README.md", "no rule\n"),
    ]);
    git(&folder, &["init", "-q"]);
    git(&folder, &["add", "-A"]);
    git(&folder, &["commit", "-qm", "first"]);
    std::fs::write(folder.0.join("rules/a.kql"), "SigninLogs | where UserId in (\"x\", \"z\")\n").unwrap();
    std::fs::remove_file(folder.0.join("rules/old.kql")).unwrap();
    let record =
        run(&folder, &["diff", "rules/a.kql@HEAD", "rules/a.kql", "--format", "json"]).json().remove(0);
    assert_eq!(record["a"]["path"], "rules/a.kql@HEAD");
    assert_eq!(told(&record)[0].0, "literal");
    let records = run(&folder, &["diff", "rules@HEAD", "rules", "--format", "json"]).json();
    let paths: Vec<&str> = records.iter().map(|r| r["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["a.kql", "old.kql"]);
    assert!(records[1]["b"].is_null());
    // The file is gone, the revision has it.
    let ran = run(&folder, &["diff", "rules/old.kql@main", "rules/old.kql@HEAD", "--format", "json"]);
    assert_ne!(ran.status, 1, "{}", ran.err);
    for wrong in ["rules/a.kql@nowhere", "rules/none.kql@HEAD", "rules/a.kql@--help", "none.kql"] {
        let ran = run(&folder, &["diff", wrong, "rules/a.kql"]);
        assert_eq!(ran.status, 1, "{wrong}");
        assert!(ran.err.starts_with("error: `"), "{wrong}: {}", ran.err);
    }
}

#[test]
fn errors_of_either_side() {
    let folder =
        Folder::new(&[("a.kql", "SigninLogs | where (UserId ==\n"), ("b.kql", "SigninLogs | take 1\n")]);
    let ran = run(&folder, &["diff", "a.kql", "b.kql"]);
    assert_eq!(ran.status, 1);
    assert!(ran.out.starts_with("invalid: "), "{}", ran.out);
    assert!(ran.err.contains("a.kql:1"), "{}", ran.err);
    let from_stdin = run_with(&folder, &["diff", "-", "b.kql", "--format", "json"], "SigninLogs | take 1\n");
    assert_eq!(from_stdin.json()[0]["a"]["path"], "-");
    assert_eq!(run(&folder, &["diff", "-", "-"]).status, 1);
    assert_eq!(run(&folder, &["diff", "b.kql", "b.kql", "--timeout", "soon"]).status, 1);
}

fn sarif_and_github(folder: &Folder, args: &[&str]) -> (Json, Ran) {
    let with = |format: &str| {
        let mut all = vec!["diff"];
        all.extend_from_slice(args);
        all.extend(["--format", format]);
        run(folder, &all)
    };
    (serde_json::from_str(&with("sarif").out).unwrap(), with("github"))
}

#[test]
fn for_code_scanning_and_pull_requests() {
    let folder = Folder::new(&[
        ("a.kql", "SigninLogs\n| where UserId == \"x\"\n"),
        ("b.kql", "SigninLogs\n| where UserId == \"y\"\n"),
    ]);
    let (sarif, github) = sarif_and_github(&folder, &["a.kql", "b.kql"]);
    let result = &sarif["runs"][0]["results"][0];
    assert!(result["ruleId"].as_str().unwrap().starts_with("E09"), "{sarif}");
    assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "b.kql");
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 2);
    assert!(github.out.starts_with("::warning file=b.kql,line=2,"), "{}", github.out);
}

#[test]
fn gates_and_the_schema() {
    let folder = Folder::new(&[]);
    let schema: Json = serde_json::from_str(&run(&folder, &["schema", "diff"]).out).unwrap();
    for key in ["path", "a", "b", "verdict", "changes", "metadata", "assumptions", "text"] {
        assert!(schema.pointer(&format!("/properties/{key}")).is_some(), "{key}");
    }
}
