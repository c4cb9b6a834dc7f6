//! What `convert` writes and how it exits, for every kind of result under every policy.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

mod support;

use serde_json::{Value as Json, json};
use support::{Folder, run};

const FINE: &str = "T\n| where A == \"x\"\n";
/// Sigma has no `take`: without it more is found.
const WIDER: &str = "T | where A == \"x\" | take 5\n";
/// Sigma has no joins.
const REFUSED: &str = "T | summarize count() by A | join kind=inner (U) on A\n";
const INVALID: &str = "T | where (\n";

/// A value that is too long for a proof.
fn unproved() -> String {
    let long = "ab".repeat(5_000);
    format!(
        "title: t\nlogsource: {{service: T}}\ndetection:\n    a:\n        A|contains: '{long}'\n    condition: a\n"
    )
}

fn converted(name: &str, text: &str, to: &str, more: &[&str]) -> (i32, Json) {
    let folder = Folder::new(&[(name, text)]);
    let mut args = vec!["convert", name, "--to", to, "--format", "json"];
    args.extend(more);
    let ran = run(&folder, &args);
    (ran.status, ran.json().remove(0))
}

/// File, text, target, options; exit status, status, whether something is written.
type Case<'a> = (&'a str, &'a str, &'a str, &'a [&'a str], i32, &'a str, bool);

#[test]
fn every_result_under_every_policy() {
    let long = unproved();
    let cases: &[Case<'_>] = &[
        ("a.kql", FINE, "sigma", &[], 0, "converted", true),
        ("a.kql", FINE, "sigma", &["--max-loss", "none", "--require-proof"], 0, "converted", true),
        ("a.kql", FINE, "sigma", &["--no-validate"], 0, "converted", true),
        ("a.kql", FINE, "sigma", &["--no-validate", "--require-proof"], 2, "refused", false),
        ("a.kql", FINE, "duckdb", &["--require-proof"], 0, "converted", true),
        ("a.kql", FINE, "kql", &["--require-proof"], 0, "converted", true),
        ("a.kql", WIDER, "sigma", &[], 2, "lossy", true),
        ("a.kql", WIDER, "sigma", &["--max-loss", "wider"], 2, "lossy", true),
        ("a.kql", WIDER, "sigma", &["--max-loss", "any"], 2, "lossy", true),
        ("a.kql", WIDER, "sigma", &["--max-loss", "cosmetic"], 2, "refused", false),
        ("a.kql", WIDER, "sigma", &["--max-loss", "none"], 2, "refused", false),
        ("a.kql", WIDER, "sigma", &["--max-loss", "any", "--require-proof"], 2, "refused", false),
        ("a.kql", WIDER, "sigma", &["--max-loss", "any", "--no-validate"], 2, "lossy", true),
        ("a.kql", REFUSED, "sigma", &[], 2, "refused", false),
        ("a.kql", REFUSED, "sigma", &["--max-loss", "any"], 2, "refused", false),
        ("a.kql", INVALID, "sigma", &[], 1, "invalid", false),
        ("a.kql", INVALID, "kql", &["--max-loss", "any"], 1, "invalid", false),
        ("a.yml", &long, "kql", &[], 2, "unproved", true),
        ("a.yml", &long, "kql", &["--max-loss", "none"], 2, "unproved", true),
        ("a.yml", &long, "kql", &["--require-proof"], 2, "refused", false),
        ("a.yml", &long, "kql", &["--no-validate"], 0, "converted", true),
    ];
    for (name, text, to, options, exit, status, written) in cases {
        let (found, record) = converted(name, text, to, options);
        let told = format!("{} to {to} {options:?}: {}", &text[..text.len().min(60)], record["diagnostics"]);
        assert_eq!((found, record["status"].as_str().unwrap()), (*exit, *status), "{told}");
        assert_eq!(!record["files"].as_array().unwrap().is_empty(), *written, "{told}");
        if options.contains(&"--no-validate") {
            assert_eq!(record["verdict"], Json::Null, "{told}");
        }
        // What is not written has its reason.
        assert!(*written || record["diagnostics"][0]["severity"] == "error", "{told}");
        // The text form exits alike, and prints the artefact or nothing.
        let folder = Folder::new(&[(*name, *text)]);
        let mut args = vec!["convert", *name, "--to", *to];
        args.extend(*options);
        let ran = run(&folder, &args);
        let file = record["files"].get(0).map_or("", |f| f["text"].as_str().unwrap());
        assert_eq!((ran.status, ran.out.as_str()), (*exit, file), "{told}");
    }
}

#[test]
fn a_run_over_many_rules_exits_with_the_worst() {
    let all = [("fine.kql", FINE), ("wider.kql", WIDER), ("bad.kql", INVALID)];
    for (files, exit) in [(&all[..1], 0), (&all[..2], 2), (&all[..], 1)] {
        let folder = Folder::new(files);
        let ran = run(&folder, &["convert", ".", "--to", "sigma", "-o", "out"]);
        assert_eq!(ran.status, exit, "{}", ran.err);
        // What can be done is done.
        let wanted: &[&str] = if files.len() == 1 { &["fine.yml"] } else { &["fine.yml", "wider.yml"] };
        assert_eq!(folder.files("out"), wanted);
    }
}

#[test]
fn artefacts_say_what_is_known_of_them() {
    let long = unproved();
    let folder = Folder::new(&[
        ("in/deep/fine.kql", FINE),
        ("in/wider.kql", WIDER),
        ("in/long.yml", &long),
        (
            "in/rule.yml",
            "title: t\nlogsource: {service: T}\ndetection:\n    a:\n        A: x\n    condition: a\n",
        ),
    ]);
    for to in ["sigma", "kql", "duckdb"] {
        run(&folder, &["convert", "in", "--to", to, "-o", to]);
    }
    let comment = |path: &str| {
        let text = folder.read(path);
        let lines = text.lines().take_while(|l| l.starts_with(['#', '/', '-']));
        lines.map(|l| l.trim_start_matches(['#', '/', '-', ' ']).to_owned()).collect::<Vec<_>>()
    };
    let has = |path: &str, part: &str| {
        let lines = comment(path);
        assert!(lines.iter().any(|l| l.contains(part)), "{path}: {part}: {lines:?}");
    };
    has("sigma/deep/fine.yml", "Equivalent to its source (proved");
    has("sigma/deep/fine.yml", "Converted from: deep/fine.kql");
    has("sigma/wider.yml", "Wider than its source");
    has("sigma/wider.yml", "Lost (L0104, it finds more)");
    has("kql/rule.kql", "Equivalent to its source (proved");
    has("kql/long.kql", "Not proved to be equivalent to its source");
    has("duckdb/deep/fine.sql", "Equivalent to its source (proved");
    has("duckdb/rule.sql", "Equivalent to its source (proved");
    // The output is read again with its comment, and paired with its source.
    let ran = run(&folder, &["diff", "in", "kql", "--format", "json"]);
    let records = ran.json();
    let rule = records.iter().find(|r| r["path"] == "rule.yml").unwrap();
    assert_eq!(
        (&rule["b"]["path"], &rule["verdict"]["relation"]),
        (&json!("kql/rule.kql"), &json!("equivalent"))
    );
}

#[test]
fn what_differs_has_its_place_in_both_texts() {
    let a = "id: 1\nname: N\nqueryFrequency: 1h\nqueryPeriod: 1d\nquery: |\n  SigninLogs\n  | join kind=inner (AuditLogs) on CorrelationId\n  | where UserId == 'u'\n";
    let b = a.replace("kind=inner", "kind=leftouter").replace("queryPeriod: 1d", "queryPeriod: 2h");
    let folder = Folder::new(&[("a.yaml", a), ("b.yaml", &b)]);
    let record = run(&folder, &["diff", "a.yaml", "b.yaml", "--format", "json"]).json().remove(0);
    let place = |change: &Json, side: &str| (change[side]["line"].as_u64(), change[side]["column"].as_u64());
    let change =
        |kind: &str| record["changes"].as_array().unwrap().iter().find(|c| c["kind"] == kind).unwrap();
    let join = change("join");
    assert_eq!((&join["a"], &join["b"]), (&json!("join kind=inner"), &json!("join kind=leftouter")));
    assert_eq!((place(join, "a_span"), place(join, "b_span")), ((Some(7), Some(5)), (Some(7), Some(5))));
    let window = change("window");
    assert_eq!(
        (place(window, "a_span"), place(window, "b_span")),
        ((Some(4), Some(14)), (Some(4), Some(14)))
    );
    // The record has the keys that its schema says, all of them.
    let schema: Json = serde_json::from_str(&run(&folder, &["schema", "diff"]).out).unwrap();
    let keys = |v: &Json| v.as_object().unwrap().keys().cloned().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(keys(&record), keys(&schema["properties"]));
    assert_eq!(keys(&record["changes"][0]), keys(&schema["$defs"]["Change"]["properties"]));
    assert_eq!(keys(&record["verdict"]), keys(&schema["$defs"]["Verdict"]["properties"]));
}
