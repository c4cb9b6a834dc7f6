//! `drift` as a user sees it: what counts as drift, what does not, and what a pipeline gets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

mod support;

use std::collections::BTreeMap;
use std::process::Command;
use support::{Folder, run};

fn sentinel(id: u8, name: &str, query: &str, settings: &str) -> String {
    let query: String = query.lines().map(|l| format!("  {l}\n")).collect();
    format!(
        "id: 6f1c2d3e-0000-4000-8000-0000000000{id:02}\nname: {name}\ndescription: d\nseverity: Medium\n{settings}\
         queryFrequency: 1h\nqueryPeriod: 1h\ntriggerOperator: gt\ntriggerThreshold: 0\ntactics:\n  - CredentialAccess\n\
         relevantTechniques:\n  - T1110\nquery: |\n{query}version: 1.0.0\nkind: Scheduled\n"
    )
}

const QUERY: &str = "SigninLogs\n| where ResultType == \"50126\" and AppDisplayName != \"x\"\n";

fn states(out: &str) -> BTreeMap<String, String> {
    out.lines()
        .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap())
        .map(|r| (r["path"].as_str().unwrap().to_owned(), r["state"].as_str().unwrap().to_owned()))
        .collect()
}

#[test]
fn every_state() {
    let rule = |id, name: &str| sentinel(id, name, QUERY, "");
    let folder = Folder::new(&[]);
    let mut n = 0;
    let mut pair = |name: &str, deployed: &dyn Fn(&str) -> String| {
        n += 1;
        let source = rule(n, name);
        for (side, text) in [("src", source.clone()), ("dep", deployed(&source))] {
            std::fs::create_dir_all(folder.0.join(side)).unwrap();
            std::fs::write(folder.0.join(side).join(format!("{name}.yaml")), text).unwrap();
        }
    };
    pair("same", &|s| s.to_owned());
    pair("spaces", &|s| s.replace("| where", "|   where"));
    pair("words", &|s| s.replace("description: d", "description: another"));
    pair("narrower", &|s| s.replace("!= \"x\"", "!= \"x\" and Location == \"y\""));
    pair("wider", &|s| s.replace(" and AppDisplayName != \"x\"", ""));
    pair("other", &|s| s.replace("50126", "50053"));
    pair("off", &|s| s.replace("severity: Medium\n", "severity: Medium\nenabled: false\n"));
    pair("seldom", &|s| s.replace("queryFrequency: 1h", "queryFrequency: 1d"));
    pair("trigger", &|s| s.replace("triggerThreshold: 0", "triggerThreshold: 5"));
    pair("held", &|s| {
        s.replace(
            "severity: Medium\n",
            "severity: Medium\nsuppressionEnabled: true\nsuppressionDuration: PT5H\n",
        )
    });
    pair("broken", &|s| s.replace("| where", "| where ((("));
    std::fs::write(folder.0.join("src/gone.yaml"), rule(90, "gone")).unwrap();
    std::fs::write(folder.0.join("dep/new.yaml"), rule(91, "new")).unwrap();

    let ran = run(&folder, &["drift", "src", "dep", "--format", "json"]);
    assert_eq!(ran.status, 1, "{}", ran.err);
    let found = states(&ran.out);
    let wanted = [
        ("same.yaml", "in-sync"),
        ("spaces.yaml", "reformatted"),
        ("words.yaml", "metadata"),
        ("narrower.yaml", "narrower"),
        ("wider.yaml", "wider"),
        ("other.yaml", "divergent"),
        ("off.yaml", "narrower"),
        ("seldom.yaml", "narrower"),
        ("trigger.yaml", "narrower"),
        ("held.yaml", "narrower"),
        ("broken.yaml", "invalid"),
        ("gone.yaml", "missing"),
        ("new.yaml", "orphan"),
    ];
    for (name, state) in wanted {
        assert_eq!(found.get(name).map(String::as_str), Some(state), "{name}");
    }
    std::fs::remove_file(folder.0.join("dep/broken.yaml")).unwrap();
    std::fs::remove_file(folder.0.join("src/broken.yaml")).unwrap();
    let text = run(&folder, &["drift", "src", "dep"]);
    assert_eq!(text.status, 2);
    assert!(text.out.contains("frequency: runs every 01:00:00 became runs every 1.00:00:00"), "{}", text.out);
    for format in ["sarif", "github", "junit", "markdown"] {
        let ran = run(&folder, &["drift", "src", "dep", "--format", format]);
        assert_eq!(ran.status, 2, "{format}: {}", ran.err);
        assert!(ran.out.contains("seldom.yaml"), "{format}: {}", ran.out);
        assert!(format == "junit" || !ran.out.contains("spaces.yaml"), "{format}: {}", ran.out);
    }
}

#[test]
fn converted_rules_are_in_sync_with_their_source() {
    let sigma = "title: T\nid: 6f1c2d3e-0000-4000-8000-000000000001\nlogsource: {product: windows, category: process_creation}\n\
                 detection:\n  a:\n    Image|endswith: '\\x.exe'\n  condition: a\n";
    let folder = Folder::new(&[("src/a.yaml", &sentinel(1, "a", QUERY, "")), ("src/s.yml", sigma)]);
    run(&folder, &["migrate", "src", "--to", "kql", "duckdb", "-o", "out"]);
    for target in ["out/kql", "out/duckdb"] {
        let ran = run(&folder, &["drift", "src", target, "--format", "json"]);
        assert_eq!(ran.status, 0, "{target}: {}{}", ran.out, ran.err);
    }
    let path = folder.0.join("out/kql/s.kql");
    let text = std::fs::read_to_string(&path).unwrap().replace("x.exe", "y.exe");
    std::fs::write(&path, text).unwrap();
    assert_eq!(run(&folder, &["drift", "src", "out/kql"]).status, 2);
}

#[test]
fn accepted_drift_has_a_reason_and_an_end() {
    let folder = Folder::new(&[
        ("src/a.yaml", &sentinel(1, "a", QUERY, "")),
        ("dep/a.yaml", &sentinel(1, "a", &QUERY.replace("50126", "50053"), "")),
        ("ok.yaml", "accept:\n  - {rule: a, state: divergent, reason: being tuned, expires: 2999-12-31}\n"),
        ("old.yaml", "accept:\n  - {rule: a, state: divergent, reason: being tuned, expires: 2020-01-01}\n"),
        ("kind.yaml", "accept:\n  - {rule: a, state: wider, reason: being tuned, expires: 2999-12-31}\n"),
        ("bad.yaml", "accept:\n  - {rule: a, state: divergent, expires: soon}\n"),
    ]);
    let with = |baseline| run(&folder, &["drift", "src", "dep", "--baseline", baseline]);
    let ok = with("ok.yaml");
    assert_eq!(ok.status, 0, "{}", ok.err);
    assert!(ok.out.contains("[accepted: being tuned]"), "{}", ok.out);
    let old = with("old.yaml");
    assert_eq!(old.status, 2);
    assert!(old.err.contains("expired on 2020-01-01"), "{}", old.err);
    assert_eq!(with("kind.yaml").status, 2);
    assert_eq!(with("bad.yaml").status, 1);
}

#[test]
fn meaning_across_history() {
    let folder = Folder::new(&[
        ("r/a.yaml", &sentinel(1, "a", QUERY, "")),
        ("r/b.yaml", &sentinel(2, "b", QUERY, "")),
        ("r/c.yaml", &sentinel(3, "c", QUERY, "")),
    ]);
    let git = |args: &[&str]| {
        let done = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"])
            .args(args)
            .current_dir(&folder.0)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "one"]);
    let write = |name: &str, text: String| std::fs::write(folder.0.join(name), text).unwrap();
    write("r/a.yaml", sentinel(1, "a", &QUERY.replace("50126", "50053"), ""));
    write("r/b.yaml", sentinel(2, "b", &QUERY.replace("x", "y"), "").replace("1.0.0", "1.0.1"));
    write("r/c.yaml", sentinel(3, "c", &QUERY.replace("| where", "|  where"), ""));
    let ran = run(&folder, &["drift", "r", "--since", "HEAD", "--format", "json"]);
    assert_eq!(ran.status, 2, "{}", ran.err);
    let found = states(&ran.out);
    assert_eq!((found["a.yaml"].as_str(), found["c.yaml"].as_str()), ("divergent", "reformatted"));
    let bumps: Vec<bool> = ran.json().iter().map(|r| r["without_version_bump"] == true).collect();
    assert_eq!(bumps, [true, false, false]);
}
