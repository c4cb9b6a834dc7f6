//! `explain` as a user and a page see it: our own rules of each language, and the seeds with what a public page shows of them.
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
use std::path::{Path, PathBuf};
use support::{Folder, run};

const SENTINEL: &str = r#"id: 31111111-2222-4333-8444-555555555555
name: Odd sign-ins
description: |
  'Finds <b>odd</b> sign-ins.'
severity: High
requiredDataConnectors:
  - connectorId: AzureActiveDirectory
queryFrequency: 1h
queryPeriod: 1d
triggerOperator: gt
triggerThreshold: 2
tactics:
  - InitialAccess
relevantTechniques:
  - T1078.004
query: |
  let Least = 5;
  let Known = dynamic(["10.0.0.1", "10.0.0.2"]);
  let Admins = AuditLogs | where OperationName == "Add member to role" | distinct Identity;
  SigninLogs
  | where TimeGenerated > ago(1d)
  | where ResultType == "0" and UserPrincipalName !endswith "@svc.example"
  | where IPAddress !in (Known)
  | where not(AppDisplayName has "Portal" and Location == "NL")
  | extend Domain = tostring(split(UserPrincipalName, "@")[1])
  | extend City = tostring(LocationDetails.city)
  | summarize Count = count(), Cities = make_set(City) by UserPrincipalName, Domain
  | where Count > Least
  | join kind=inner (Admins) on $left.UserPrincipalName == $right.Identity
  | project UserPrincipalName, Count, Cities
entityMappings:
  - entityType: Account
    fieldMappings:
      - identifier: FullName
        columnName: UserPrincipalName
version: 1.0.0
kind: Scheduled
"#;

fn explained(name: &str, text: &str) -> Json {
    let folder = Folder::new(&[(name, text)]);
    let ran = run(&folder, &["explain", name, "--format", "json"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    let mut records = ran.json();
    assert_eq!(records.len(), 1);
    records.remove(0)
}

fn pairs(of: &Json, key: &str, value: &str) -> Vec<(String, String)> {
    let text = |v: &Json| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    of.as_array().unwrap().iter().map(|x| (text(&x[key]), text(&x[value]))).collect()
}

#[test]
fn a_sentinel_rule() {
    let r = explained("r.yaml", SENTINEL);
    assert_eq!(r["rule"]["severity"], "high");
    assert_eq!(r["attack"], json!({"Initial Access": ["T1078.004 Valid Accounts: Cloud Accounts"]}));
    assert_eq!(r["schedule"], json!({"frequency": "01:00:00", "look_back": "1.00:00:00", "trigger": "gt 2"}));
    assert_eq!(r["entities"], json!([{"type": "Account", "fields": {"FullName": "UserPrincipalName"}}]));
    assert_eq!(r["tables"], json!(["SigninLogs", "AuditLogs"]));
    assert_eq!(pairs(&r["parameters"], "name", "value")[0], ("Least".into(), "5".into()));
    assert_eq!(pairs(&r["bindings"], "name", "kind"), [("Admins".into(), "table".into())]);
    let stages: Vec<String> = pairs(&r["stages"], "kind", "steps").into_iter().map(|(k, n)| k + &n).collect();
    assert_eq!(
        stages,
        [
            "source1",
            "where1",
            "where1",
            "where1",
            "where1",
            "extend2",
            "summarize1",
            "where1",
            "join1",
            "project1"
        ]
    );
    assert_eq!(r["stages"][2]["predicates"].as_array().unwrap().len(), 2);
    let branch = &r["stages"][8]["branches"][0];
    assert_eq!(pairs(branch, "kind", "text")[0], ("source".into(), "AuditLogs".into()));
    // A window of time is no indicator; a list has its values.
    assert_eq!(
        r["indicators"],
        json!([
            {"field": "ResultType", "kind": "eq", "values": ["0"]},
            {"field": "Count", "kind": "gt", "values": ["5"]},
            {"field": "OperationName", "kind": "eq", "values": ["Add member to role"]},
        ])
    );
    assert_eq!(
        r["events"],
        json!([{"field": "OperationName", "kind": "eq", "values": ["Add member to role"]}])
    );
    assert_eq!(
        r["exclusions"],
        json!([
            {"all": [{"field": "UserPrincipalName", "kind": "endswith", "values": ["@svc.example"]}]},
            {"all": [{"field": "IPAddress", "kind": "in", "values": ["10.0.0.1", "10.0.0.2"]}]},
            {"all": [
                {"field": "AppDisplayName", "kind": "has", "values": ["Portal"]},
                {"field": "Location", "kind": "eq", "values": ["NL"]},
            ]},
        ])
    );
    assert_eq!(
        pairs(&r["columns_returned"], "name", "type"),
        [
            ("UserPrincipalName".into(), "string".into()),
            ("Count".into(), "long".into()),
            ("Cities".into(), "dynamic".into())
        ]
    );
    let outputs = pairs(&r["outputs"], "field", "source");
    assert!(outputs.iter().all(|(_, source)| source == "project") && outputs.len() == 3, "{outputs:?}");
    assert!(r["functions"].as_array().unwrap().contains(&json!("make_set")));
    assert!(
        r["needs"]
            .as_array()
            .unwrap()
            .contains(&json!({"kind": "connector", "name": "AzureActiveDirectory"}))
    );
    let prose = r["prose"].as_array().unwrap();
    assert_eq!(prose[0], "Runs every 1 hour over the events of the last 1 day.");
    let whole = prose.iter().map(|p| p.as_str().unwrap()).collect::<Vec<_>>().join("\n");
    for part in [
        "`TimeGenerated` lies in the 1 day before the run",
        "leaves out those where `UserPrincipalName` ends with `@svc.example` (in any case of letters)",
        "Leaves out rows where `AppDisplayName` has the word `Portal` (in any case of letters) and `Location` is `NL` (in this case of letters)",
        "`Count` is more than `Least = 5`",
        "Alerts when the query returns more than 2 rows.",
    ] {
        assert!(whole.contains(part), "{part}\n{whole}");
    }
}

#[test]
fn sigma_and_sql() {
    let sigma = "title: T\nid: 11111111-2222-4333-8444-555555555555\nlogsource:\n    category: process_creation\n    product: windows\ndetection:\n    sel:\n        Image|endswith: '\\a.exe'\n        CommandLine|contains|all: ['x', 'y']\n    admin:\n        User: adm\n        ParentImage|startswith: 'C:\\'\n    svc:\n        User: svc\n    condition: sel and not (admin or svc)\nlevel: low\ntags:\n    - attack.execution\n    - attack.t1059.001\n";
    let r = explained("r.yml", sigma);
    assert_eq!(
        r["attack"],
        json!({"Execution": ["T1059.001 Command and Scripting Interpreter: PowerShell"]})
    );
    assert_eq!(
        r["exclusions"],
        json!([
            {"all": [
                {"field": "User", "kind": "eq", "values": ["adm"]},
                {"field": "ParentImage", "kind": "startswith", "values": ["C:\\"]},
            ]},
            {"all": [{"field": "User", "kind": "eq", "values": ["svc"]}]},
        ])
    );
    assert_eq!(
        r["indicators"][1],
        json!({"field": "CommandLine", "kind": "contains_all", "values": ["x", "y"]})
    );
    let folder = Folder::new(&[("r.yaml", SENTINEL)]);
    assert_eq!(run(&folder, &["convert", "r.yaml", "--to", "duckdb", "-o", "."]).status, 0);
    let ran = run(&folder, &["explain", "r.sql", "--format", "json"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let r = &ran.json()[0];
    assert_eq!(r["tables"], json!(["SigninLogs", "AuditLogs"]));
    assert!(
        r["indicators"].as_array().unwrap().iter().any(|i| i["field"] == "OperationName"),
        "{}",
        r["indicators"]
    );
    assert!(!r["prose"].as_array().unwrap().is_empty());
}

#[test]
fn the_forms_for_people_hold_no_markup_of_the_rule() {
    let hostile = SENTINEL.replace("name: Odd sign-ins", "name: \"<img src=x> [a](b) `c`\\e[2J\"");
    let folder = Folder::new(&[("r.yaml", &hostile)]);
    let markdown = run(&folder, &["explain", "r.yaml", "--format", "markdown"]).out;
    assert!(markdown.starts_with("# &lt;img src=x&gt; \\[a\\](b)"), "{}", &markdown[..80]);
    assert!(!markdown.contains("<b>") && !markdown.contains('\u{1b}'));
    let text = run(&folder, &["explain", "r.yaml"]).out;
    assert!(!text.contains('\u{1b}') && text.contains("What it does:"));
}

#[test]
fn what_cannot_be_explained_is_told() {
    let folder = Folder::new(&[("a.kql", "SigninLogs | where (\n"), ("b.kql", "SigninLogs | take 1\n")]);
    let ran = run(&folder, &["explain", "a.kql"]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("a.kql:"), "{}", ran.err);
    let ran = run(&folder, &["explain", ".", "--format", "json"]);
    assert_eq!((ran.status, ran.json().len()), (1, 1));
    assert_eq!(run(&folder, &["explain", "none.kql"]).status, 1);
}

#[test]
fn the_record_is_as_its_schema_says() {
    let r = explained("r.yaml", SENTINEL);
    let folder = Folder::new(&[]);
    let schema: Json = serde_json::from_str(&run(&folder, &["schema", "explain"]).out).unwrap();
    let keys: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    let mut own: Vec<&String> = r.as_object().unwrap().keys().collect();
    let mut keys = keys;
    keys.sort();
    own.sort();
    assert_eq!(keys, own);
}

/// The seeds, where they are.
fn seeds() -> Option<PathBuf> {
    let root =
        std::env::var_os("RULEFERRY_CORPUS").map(|r| Path::new(&r).join("seeds")).filter(|p| p.is_dir());
    if root.is_none() {
        std::io::Write::write_all(&mut std::io::stderr(), b"SKIPPED: RULEFERRY_CORPUS names no seeds\n")
            .unwrap();
    }
    root
}

/// What the page says, in our words: `match` is `has`, and a list of one is no list.
fn same_kind(ours: &str, page: &str) -> bool {
    ours == page || page == "match" && ours == "has" || page == "eq" && ours == "in"
}

#[test]
fn seeds_show_at_least_what_a_public_page_shows() {
    let Some(root) = seeds() else { return };
    let expected: Json =
        serde_json::from_str(&std::fs::read_to_string(root.join("expected.json")).unwrap()).unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(&root).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let Some(page) = expected.get(&stem).filter(|_| path.extension().is_some_and(|e| e != "json")) else {
            continue;
        };
        seen += 1;
        let folder = Folder::new(&[]);
        let ran = run(&folder, &["explain", path.to_str().unwrap(), "--format", "json"]);
        assert_eq!(ran.status, 0, "{stem}: {}", ran.err);
        let r = &ran.json()[0];
        // A rule without metadata carries none; what its page says of ATT&CK is the page's own.
        if r["attack"] != json!({}) {
            assert_eq!(r["attack"], page["attack"], "{stem}");
        }
        let stages: Vec<Json> =
            r["stages"].as_array().unwrap().iter().map(|s| json!([s["kind"], s["steps"]])).collect();
        // The page files `make-series` under `summarize`.
        let wanted: Vec<Json> = page["stages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| if s[0] == "summarize (make-series)" { json!(["make-series", s[1]]) } else { s.clone() })
            .collect();
        assert_eq!(stages, wanted, "{stem}");
        let text = |v: &Json| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        let is = |i: &Json, field: &Json, kind: &Json, values: &[String]| {
            // The page names a member by its last part.
            let own = i["field"].as_str().unwrap();
            let own = own.rsplit('.').next().unwrap_or(own);
            let of: Vec<String> = i["values"].as_array().unwrap().iter().map(text).collect();
            own == field && same_kind(i["kind"].as_str().unwrap(), kind.as_str().unwrap()) && of == values
        };
        for wanted in page["indicators"].as_array().unwrap() {
            let values: Vec<String> = wanted[2].as_array().unwrap().iter().map(text).collect();
            let found =
                r["indicators"].as_array().unwrap().iter().any(|i| is(i, &wanted[0], &wanted[1], &values));
            assert!(found, "{stem}: {wanted} in {}", r["indicators"]);
        }
        for wanted in page["exclusions"].as_array().unwrap() {
            // `let` lists are resolved here, and named there.
            let parameter = r["parameters"].as_array().unwrap().iter().find(|p| p["name"] == wanted[2]);
            let found = r["exclusions"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|x| x["all"].as_array().unwrap())
                .any(|i| {
                    let values: Vec<String> = i["values"].as_array().unwrap().iter().map(text).collect();
                    let same = match parameter {
                        Some(p) => values.iter().all(|v| p["value"].as_str().unwrap().contains(v.as_str())),
                        None => values == [text(&wanted[2])],
                    };
                    i["field"] == wanted[0]
                        && same_kind(i["kind"].as_str().unwrap(), wanted[1].as_str().unwrap())
                        && same
                });
            assert!(found, "{stem}: {wanted} in {}", r["exclusions"]);
        }
        let outputs = pairs(&r["outputs"], "field", "source");
        for wanted in page["outputs"].as_array().unwrap() {
            assert!(outputs.contains(&(text(&wanted[0]), text(&wanted[1]))), "{stem}: {wanted}");
        }
        for wanted in page.get("parameters").and_then(Json::as_array).into_iter().flatten() {
            let (name, value) = wanted.as_str().unwrap().split_once(" = ").unwrap();
            assert!(
                pairs(&r["parameters"], "name", "value").contains(&(name.into(), value.into())),
                "{stem}: {wanted}"
            );
        }
        for wanted in page.get("bindings").and_then(Json::as_array).into_iter().flatten() {
            let name = wanted.as_str().unwrap().split(' ').next().unwrap();
            let all = [&r["bindings"], &r["parameters"]];
            assert!(
                all.iter().any(|b| b.as_array().unwrap().iter().any(|b| b["name"] == name)),
                "{stem}: {wanted}"
            );
        }
        if let Some(returned) = page.get("columns_the_query_really_returns") {
            let own: Vec<&Json> =
                r["columns_returned"].as_array().unwrap().iter().map(|c| &c["name"]).collect();
            assert_eq!(json!(own), *returned, "{stem}");
        }
    }
    assert_eq!(seen, 4, "the seeds that have a page");
}
