//! The command line as scripts see it: exit status, what goes to stdout and what to stderr, the shapes of the records.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use serde_json::Value as Json;
use std::collections::BTreeSet;
use support::{Folder, run, run_with};

const KQL: &str =
    "DeviceProcessEvents | where FileName =~ \"cmd.exe\" and ProcessCommandLine contains \"whoami\"\n";
const SIGMA: &str = "title: Whoami\nid: 11111111-2222-4333-8444-555555555555\nlogsource:\n    category: process_creation\n    product: windows\ndetection:\n    sel:\n        Image|endswith: '\\whoami.exe'\n    condition: sel\nlevel: low\n";
const SENTINEL: &str = "id: 21111111-2222-4333-8444-555555555555\nname: Consent\nseverity: Low\nquery: |\n  AuditLogs\n  | where OperationName == \"Consent\"\nkind: Scheduled\n";
const BROKEN: &str = "AuditLogs\n| where (OperationName ==\n";

fn keys(value: &Json) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn one_rule_goes_to_stdout() {
    let folder = Folder::new(&[("a.kql", KQL), ("b.yml", SIGMA)]);
    for target in ["kql", "duckdb", "sigma"] {
        let ran = run(&folder, &["convert", "a.kql", "--to", target]);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{target}");
        assert!(ran.out.contains("whoami") && ran.out.ends_with('\n'), "{target}: {}", ran.out);
        let ran = run(&folder, &["convert", "b.yml", "--to", target]);
        assert_eq!(ran.status, 0, "{target}: {}", ran.err);
        assert!(ran.out.contains("whoami.exe"), "{target}: {}", ran.out);
    }
}

#[test]
fn the_record_has_the_shape_that_scripts_rely_on() {
    let folder = Folder::new(&[("a.yml", SIGMA)]);
    let ran = run(&folder, &["convert", "a.yml", "--to", "duckdb", "--format", "json"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    let records = ran.json();
    let [record] = records.as_slice() else { panic!("{}", ran.out) };
    let wanted = [
        "path",
        "rule",
        "source",
        "target",
        "status",
        "verdict",
        "assumptions",
        "needs",
        "losses",
        "files",
        "diagnostics",
    ];
    assert_eq!(keys(record), wanted.into_iter().collect());
    assert_eq!(record["path"], "a.yml");
    assert_eq!(record["rule"]["id"], "11111111-2222-4333-8444-555555555555");
    assert_eq!(record["rule"]["title"], "Whoami");
    assert_eq!((record["source"].as_str(), record["target"].as_str()), (Some("sigma"), Some("duckdb")));
    assert_eq!(record["status"], "converted");
    assert_eq!(keys(&record["files"][0]), ["path", "text"].into_iter().collect());
    assert_eq!(record["files"][0]["path"], "a.sql");
    assert_eq!(keys(&record["needs"][0]), ["kind", "name", "columns"].into_iter().collect());
    assert_eq!(record["needs"][0]["name"], "windows_process_creation");
    assert_eq!(record["needs"][0]["columns"]["Image"], "string");
    // In the same language there is a verdict, unless it was not asked for.
    let same = run(&folder, &["convert", "a.yml", "--to", "sigma", "--format", "json"]).json();
    let verdict = ["relation", "proof", "rewrites", "bound", "seed", "reasons", "witnesses"];
    assert_eq!(keys(&same[0]["verdict"]), verdict.into_iter().collect());
    assert_eq!(same[0]["verdict"]["relation"], "equivalent");
    let not =
        run(&folder, &["convert", "a.yml", "--to", "sigma", "--format", "json", "--no-validate"]).json();
    assert!(not[0]["verdict"].is_null());
}

#[test]
fn a_broken_rule_stops_no_other() {
    let folder =
        Folder::new(&[("in/a.kql", KQL), ("in/b.kql", BROKEN), ("in/c.yaml", SENTINEL), ("in/d.yml", SIGMA)]);
    let ran = run(&folder, &["convert", "in", "--to", "duckdb", "-o", "out"]);
    assert_eq!(ran.status, 1);
    assert_eq!(folder.files("out"), ["a.sql", "c.sql", "d.sql"]);
    assert!(ran.err.contains("in/b.kql:2:") && ran.err.contains("3 converted, 1 invalid"), "{}", ran.err);
    assert_eq!(ran.out, "");
    let records = run(&folder, &["convert", "in", "--to", "duckdb", "--format", "json"]).json();
    let status: Vec<&str> = records.iter().map(|r| r["status"].as_str().unwrap()).collect();
    assert_eq!(status, ["converted", "invalid", "converted", "converted"], "in the order of the files");
    let fault = &records[1]["diagnostics"][0];
    assert_eq!(fault["severity"], "error");
    assert!(keys(&fault["span"]).is_superset(&["start", "end", "line", "column"].into_iter().collect()));
    assert_eq!(records[1]["files"], Json::Array(Vec::new()));
}

#[test]
fn folders_are_walked_and_mirrored() {
    let folder = Folder::new(&[
        ("in/x/a.kql", KQL),
        ("in/x/y/a.yml", SIGMA),
        ("in/a.kql", KQL),
        ("in/a.yml", SIGMA),
        ("in/notes.txt", "no rule"),
        ("in/.gitignore", "left/\n"),
        ("in/left/z.kql", KQL),
        ("in/a.test.yaml", "no rule"),
    ]);
    let ran = run(&folder, &["convert", "in", "--to", "kql", "-o", "out"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(folder.files("out"), ["a.kql.kql", "a.yml.kql", "x/a.kql", "x/y/a.kql"]);
    // The same again gives the same.
    let before = folder.read("out/x/y/a.kql");
    assert_eq!(run(&folder, &["convert", "in", "--to", "kql", "-o", "out"]).status, 0);
    assert_eq!(folder.read("out/x/y/a.kql"), before);
}

#[test]
fn stdin_is_a_rule_file() {
    let folder = Folder::new(&[]);
    let ran = run_with(&folder, &["convert", "-", "--to", "duckdb"], KQL);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.out.contains("FROM DeviceProcessEvents"), "{}", ran.out);
    let ran = run_with(&folder, &["convert", "-", "--to", "duckdb", "--format", "json"], SIGMA);
    assert_eq!(ran.json()[0]["path"], "-");
    let ran = run_with(&folder, &["convert", "-", "--to", "kql"], SENTINEL);
    assert!(ran.status == 0 && ran.out.contains("AuditLogs"), "{}", ran.err);
    assert_eq!(run_with(&folder, &["check", "-", "--format", "json"], BROKEN).status, 1);
    // What is not asked for is not guessed: Sigma read as KQL is no KQL.
    assert_eq!(run_with(&folder, &["convert", "-", "--to", "kql", "--from", "kql"], SIGMA).status, 1);
}

#[test]
fn bad_usage_is_an_error() {
    let folder = Folder::new(&[("a.kql", KQL)]);
    let cases: &[&[&str]] = &[
        &["convert", "a.kql", "--to", "nothing"],
        &["convert", "a.kql"],
        &["convert", "--to", "kql"],
        &["convert", "none.kql", "--to", "kql"],
        &["convert", "a.kql", "--to", "kql", "--now", "today"],
        &["convert", "a.kql", "--to", "kql", "--max-loss", "some"],
        &["convert", "a.kql", "--to", "kql", "--values", "none.yaml"],
        &["check", "none"],
        &["codes", "X1"],
        &["targets", "nothing"],
        &["fmt"],
        &["nothing"],
        &["targets", "duckdb", "--ddl", "NoSuchTable"],
        &["check", "a.kql", "--format", "odd"],
    ];
    for args in cases {
        let ran = run(&folder, args);
        assert_eq!(ran.status, 1, "{args:?}");
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{args:?}: {}", ran.out);
    }
    let unknown = run(&folder, &["convert", "a.kql", "--to", "nothing"]).err;
    assert!(unknown.contains("`nothing` is no target") && unknown.contains("duckdb"), "{unknown}");
    assert_eq!(run(&folder, &["--help"]).status, 0);
    assert_eq!(run(&folder, &["--version"]).status, 0);
}

#[test]
fn a_refused_rule_is_something_to_report() {
    let refused = "T | summarize count() by A | join kind=inner (U) on A\n";
    let folder = Folder::new(&[("a.kql", refused), ("b.kql", KQL)]);
    let ran = run(&folder, &["convert", "a.kql", "--to", "sigma"]);
    assert_eq!((ran.status, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("a.kql:1:"), "{}", ran.err);
    let record = run(&folder, &["convert", "a.kql", "--to", "sigma", "--format", "json"]).json().remove(0);
    assert_eq!(record["status"], "refused");
    assert_eq!(record["files"], Json::Array(Vec::new()));
    let at = &record["diagnostics"][0]["span"];
    assert!(at["end"].as_u64() > at["start"].as_u64(), "a reason has its place: {record}");
    // Where the proof is asked for and there is none, nothing is written.
    let args = ["convert", "b.kql", "--to", "duckdb", "--require-proof", "--no-validate", "--format", "json"];
    let ran = run(&folder, &args);
    assert_eq!((ran.status, ran.json()[0]["status"].as_str()), (2, Some("refused")));
    assert_eq!(ran.json()[0]["files"], Json::Array(Vec::new()));
    assert_ne!(ran.json()[0]["diagnostics"], Json::Array(Vec::new()), "a refusal says why");
}

#[test]
fn max_loss_says_what_is_emitted() {
    // Sigma has no `take`: without it more is found.
    let folder = Folder::new(&[("a.kql", "T | where A == \"x\" | take 5\n")]);
    let status = |max: &str| {
        let ran = run(&folder, &["convert", "a.kql", "--to", "sigma", "--max-loss", max, "--format", "json"]);
        (ran.status, ran.json().remove(0))
    };
    let (exit, wider) = status("wider");
    assert_eq!((exit, wider["status"].as_str()), (2, Some("lossy")), "{wider}");
    assert_eq!(wider["losses"][0]["effect"], "widens");
    assert_eq!(keys(&wider["losses"][0]), ["code", "effect", "detail", "span"].into_iter().collect());
    for max in ["none", "cosmetic"] {
        let (exit, none) = status(max);
        assert_eq!((exit, none["status"].as_str()), (2, Some("refused")), "{max}");
        assert_eq!(none["files"], Json::Array(Vec::new()));
        assert_ne!(none["losses"], Json::Array(Vec::new()));
    }
}

#[test]
fn now_and_values_come_from_outside() {
    let rule = "title: t\nlogsource: {service: T}\ndetection:\n    a:\n        u|expand: '%admins%'\n    condition: a\n";
    let folder = Folder::new(&[
        ("a.kql", "T | where TimeGenerated > ago(1h)\n"),
        ("b.yml", rule),
        ("v.yaml", "admins: [root, \"o'hara\"]\n"),
        ("bad.yaml", "- 1\n"),
    ]);
    let ran = run(&folder, &["convert", "a.kql", "--to", "duckdb", "--now", "2026-01-31T10:20:30Z"]);
    assert!(ran.status == 0 && ran.out.contains("TIMESTAMP '2026-01-31 10:20:30'"), "{}", ran.out);
    assert_eq!(run(&folder, &["convert", "b.yml", "--to", "duckdb"]).status, 2);
    let ran = run(&folder, &["convert", "b.yml", "--to", "duckdb", "--values", "v.yaml"]);
    assert!(
        ran.status == 0 && ran.out.contains("'root'") && ran.out.contains("'o''hara'"),
        "{}{}",
        ran.out,
        ran.err
    );
    assert_eq!(run(&folder, &["convert", "b.yml", "--to", "duckdb", "--values", "bad.yaml"]).status, 1);
}

#[test]
fn hostile_titles_stay_in_their_comment() {
    let rule = "title: \"x\\n; DROP TABLE events; --\\u2028 */ \\e[31m\\u202e\"\nlogsource: {service: T}\ndetection:\n    a:\n        f: \"'; DROP TABLE T; --\\e[2J\"\n    condition: a\n";
    let folder = Folder::new(&[("a.yml", rule)]);
    for target in ["duckdb", "kql"] {
        let ran = run(&folder, &["convert", "a.yml", "--to", target]);
        assert_eq!(ran.status, 0, "{}", ran.err);
        let mark = if target == "kql" { "//" } else { "--" };
        let code: Vec<&str> = ran.out.lines().filter(|l| !l.starts_with(mark)).collect();
        assert!(!code.join("\n").contains("TABLE events"), "{}", ran.out);
        assert!(!ran.out.contains('\u{2028}') && !ran.out.contains('\u{202e}'), "{}", ran.out);
    }
    // Not even the name of a file reaches the terminal as it is.
    let ran = run(&folder, &["check", "no\u{1b}[31m.kql"]);
    assert!(ran.status == 1 && !ran.err.contains('\u{1b}'), "{:?}", ran.err);
}

#[test]
fn check_says_what_is_wrong_in_every_format() {
    let folder = Folder::new(&[("in/a.kql", KQL), ("in/b.kql", BROKEN)]);
    let text = run(&folder, &["check", "in"]);
    assert_eq!((text.status, text.out.as_str()), (1, ""));
    assert!(text.err.contains("in/b.kql:2:") && text.err.contains("2 rules in 2 files"), "{}", text.err);
    let json = run(&folder, &["check", "in", "--format", "json"]);
    let records = json.json();
    assert_eq!((json.status, records.len()), (1, 2));
    assert_eq!(
        keys(&records[0]),
        ["path", "language", "rules", "lifted", "opaque", "diagnostics"].into_iter().collect()
    );
    assert_eq!((records[0]["lifted"].as_bool(), records[1]["lifted"].as_bool()), (Some(true), Some(false)));
    let fault = &records[1]["diagnostics"][0];
    for key in ["code", "severity", "message", "span"] {
        assert!(!fault[key].is_null(), "{key}: {fault}");
    }
    let sarif = run(&folder, &["check", "in", "--format", "sarif"]);
    let report: Json = serde_json::from_str(&sarif.out).unwrap();
    assert_eq!((sarif.status, report["version"].as_str()), (1, Some("2.1.0")));
    let result = &report["runs"][0]["results"][0];
    assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "in/b.kql");
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 2);
    let github = run(&folder, &["check", "in", "--format", "github"]);
    assert!(github.status == 1 && github.out.starts_with("::error file=in/b.kql,line=2,"), "{}", github.out);
    let junit = run(&folder, &["check", "in", "--format", "junit"]);
    assert!(
        junit.status == 1 && junit.out.contains("<testsuites") && junit.out.contains("<failure"),
        "{}",
        junit.out
    );
    assert_eq!(run(&folder, &["check", "in/a.kql"]).status, 0);
}

#[test]
fn spans_are_those_of_the_file_on_disk() {
    let rule = "name: x\nquery: |\n  T\n  | where é == \"ü\" and\n  | take 1\nkind: Scheduled\n";
    let folder = Folder::new(&[("a.yaml", rule)]);
    let ran = run(&folder, &["check", "a.yaml", "--format", "json"]);
    let record = &ran.json()[0];
    let span = &record["diagnostics"][0]["span"];
    let (start, line) =
        (usize::try_from(span["start"].as_u64().unwrap()).unwrap(), span["line"].as_u64().unwrap());
    let lines = u64::try_from(rule.get(..start).unwrap().matches('\n').count()).unwrap() + 1;
    assert!(line == lines && (4..=5).contains(&line), "{record}");
}

#[test]
fn fmt_rewrites_files_and_keeps_comments() {
    let query = "// why\nT|where   a==1 // here\n|take 5\n";
    let folder = Folder::new(&[("a.kql", query), ("b.kql", BROKEN)]);
    let check = run(&folder, &["fmt", "--check", "a.kql"]);
    assert_eq!((check.status, check.out.as_str()), (2, "a.kql\n"));
    assert_eq!(folder.read("a.kql"), query, "--check changes nothing");
    assert_eq!(run(&folder, &["fmt", "a.kql"]).status, 0);
    let formatted = folder.read("a.kql");
    assert!(
        formatted.contains("// why") && formatted.contains("// here") && formatted != query,
        "{formatted}"
    );
    assert_eq!(run(&folder, &["fmt", "--check", "a.kql"]).status, 0, "what is formatted stays");
    let broken = run(&folder, &["fmt", "b.kql"]);
    assert_eq!((broken.status, folder.read("b.kql").as_str()), (1, BROKEN));
    let ran = run_with(&folder, &["fmt", "-"], query);
    assert_eq!((ran.status, ran.out.as_str()), (0, formatted.as_str()));
}

#[test]
fn the_tool_tells_of_itself() {
    let folder = Folder::new(&[]);
    let targets = run(&folder, &["targets", "--format", "json"]);
    let names: Vec<String> = targets.json().iter().map(|t| t["name"].as_str().unwrap().to_owned()).collect();
    for name in ["kql", "sigma", "duckdb"] {
        assert!(names.iter().any(|n| n == name), "{names:?}");
    }
    let one = run(&folder, &["targets", "duckdb", "--format", "json"]).json();
    let wanted =
        ["name", "title", "language", "dialect", "version", "support", "reads", "writes", "capabilities"];
    assert_eq!(keys(&one[0]), wanted.into_iter().collect());
    let ddl = run(&folder, &["targets", "duckdb", "--ddl", "SigninLogs"]);
    assert!(
        ddl.status == 0
            && ddl.out.starts_with("CREATE TABLE SigninLogs (\n")
            && ddl.out.matches("CREATE TABLE").count() == 1
    );
    let near = run(&folder, &["targets", "duckdb", "--ddl", "SigninLog"]);
    assert!(near.status == 1 && near.err.contains("did you mean `SigninLogs`"), "{}", near.err);
    let codes = run(&folder, &["codes", "--format", "json"]).json();
    assert!(codes.len() > 20);
    for code in &codes {
        let name = code["code"].as_str().unwrap();
        for key in ["title", "why", "example", "fix"] {
            assert!(code[key].as_str().is_some_and(|t| !t.is_empty()), "{name} has no {key}");
        }
    }
    let first = codes[0]["code"].as_str().unwrap();
    assert!(run(&folder, &["codes", first]).out.starts_with(&format!("{first}: ")));
    assert!(run(&folder, &["completions", "bash"]).out.contains("ruleferry"));
    assert!(run(&folder, &["man"]).out.contains(".TH ruleferry"));
}

#[test]
fn what_is_found_wrong_in_a_file_is_all_told_at_once() {
    let folder = Folder::new(&[("a.kql", "T\n| where a ==\n| extend = 5\n| take\n")]);
    let record = run(&folder, &["check", "a.kql", "--format", "json"]).json().remove(0);
    let lines: BTreeSet<u64> = record["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["span"]["line"].as_u64().unwrap())
        .collect();
    assert!(lines.len() >= 2 && record["diagnostics"].as_array().unwrap().len() >= 3, "{record}");
}

/// Every text starts with the empty one, which is what an absent field is to Kusto.
#[test]
fn an_absent_field_is_part_of_no_other() {
    let rule = "title: t\nlogsource: {service: T}\ndetection:\n    a:\n        f|fieldref|startswith: g\n    b:\n        f|fieldref|contains: h\n    condition: a or not b\n";
    let folder = Folder::new(&[("a.yml", rule)]);
    let ran = run(&folder, &["convert", "a.yml", "--to", "kql"]);
    let one_line = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(one_line.contains("isnotempty(g) and f startswith g"), "{}", ran.out);
    assert!(one_line.contains("not(isnotempty(h) and f contains h)"), "{}", ran.out);
}
