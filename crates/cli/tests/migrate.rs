//! `migrate` as a user sees it: what is written, what later runs leave alone, and what becomes of a run that is killed.
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
use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;
use support::{Folder, Ran, run};

const QUERY: &str =
    "SigninLogs\n| where ResultType == \"50126\"\n| summarize failures = count() by UserPrincipalName\n";
const SIGMA: &str = "title: Encoded command\nid: 6f1c2d3e-0000-4000-8000-000000000001\nlogsource:\n  product: windows\n  category: process_creation\ndetection:\n  sel:\n    CommandLine|contains: ' -enc '\n  condition: sel\nlevel: high\ntags:\n  - attack.execution\n  - attack.t1059.001\n";

/// Everything below the output folder, but the lock.
fn tree(folder: &Folder) -> BTreeMap<String, Vec<u8>> {
    let files = folder.files("out").into_iter().filter(|f| !f.ends_with("/lock"));
    files.map(|f| (f.clone(), std::fs::read(folder.0.join("out").join(f)).unwrap())).collect()
}

fn migrate(folder: &Folder) -> Ran {
    run(folder, &["migrate", "in", "--to", "kql", "duckdb", "-o", "out"])
}

fn ledger(folder: &Folder) -> Vec<Json> {
    folder.read("out/ledger.jsonl").lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn a_catalogue_and_what_changes_in_it() {
    let folder = Folder::new(&[("in/a/q.kql", QUERY), ("in/s.yml", SIGMA)]);
    let ran = migrate(&folder);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert_eq!(
        folder.files("out"),
        [
            ".ruleferry/lock",
            "duckdb/a/q.sql",
            "duckdb/s.sql",
            "kql/a/q.kql",
            "kql/s.kql",
            "ledger.jsonl",
            "report.html",
            "report.json",
            "report.md",
            "report/a/q.kql.html",
            "report/s.yml.html",
        ]
    );
    let records = ledger(&folder);
    assert_eq!(records.len(), 4);
    assert!(records.iter().all(|r| r["status"] == "converted"), "{records:?}");
    assert_eq!(records[3]["rule"]["techniques"][0], "T1059.001");
    let report: Json = serde_json::from_str(&folder.read("out/report.json")).unwrap();
    assert_eq!((&report["rules"], &report["targets"][1]["converted"]), (&2.into(), &2.into()));
    assert!(folder.read("out/report/s.yml.html").contains("Encoded command"));

    // Nothing changed: nothing is done, and not a byte differs.
    let before = tree(&folder);
    let ran = migrate(&folder);
    assert!(ran.out.contains("0 done, 4 unchanged"), "{}", ran.out);
    assert_eq!(tree(&folder), before);

    // One rule changed: that one is done again.
    std::fs::write(folder.0.join("in/a/q.kql"), QUERY.replace("50126", "50053")).unwrap();
    let ran = migrate(&folder);
    assert!(ran.out.contains("2 done, 2 unchanged"), "{}", ran.out);
    assert!(folder.read("out/duckdb/a/q.sql").contains("50053"));
    assert_ne!(tree(&folder), before);

    // A lost output is made again.
    std::fs::remove_file(folder.0.join("out/kql/s.kql")).unwrap();
    assert!(migrate(&folder).out.contains("1 done, 3 unchanged"));
    assert!(folder.read("out/kql/s.kql").contains("-enc"));

    // Another target does not touch the ones before.
    let ran = run(&folder, &["migrate", "in", "--to", "sigma", "-o", "out"]);
    assert!(ran.out.contains("2 done, 0 unchanged"), "{}", ran.out);
    assert_eq!(ledger(&folder).len(), 6);
    assert!(folder.read("out/kql/s.kql").contains("-enc"));

    // Rules that are gone take their outputs with them.
    std::fs::remove_file(folder.0.join("in/a/q.kql")).unwrap();
    let ran = run(&folder, &["migrate", "in", "--to", "kql,duckdb,sigma", "-o", "out"]);
    assert!(ran.out.contains("outputs of rules that are gone removed"), "{}", ran.out);
    assert!(!folder.files("out").iter().any(|f| f.contains("q.")), "{:?}", folder.files("out"));
    assert!(!folder.0.join("out/kql/a").exists());
}

#[test]
fn what_is_edited_by_hand_stays() {
    let folder = Folder::new(&[("in/q.kql", QUERY), ("in/s.yml", SIGMA), ("out/kql/s.kql", "// mine\n")]);
    let ran = migrate(&folder);
    assert_eq!(ran.status, 2, "{}", ran.err);
    assert!(ran.err.contains("`kql/s.kql` is not as we wrote it"), "{}", ran.err);
    assert_eq!(folder.read("out/kql/s.kql"), "// mine\n");

    std::fs::write(folder.0.join("out/duckdb/q.sql"), "SELECT 1;\n").unwrap();
    std::fs::write(folder.0.join("in/q.kql"), QUERY.replace("50126", "50053")).unwrap();
    for _ in 0..2 {
        let ran = migrate(&folder);
        assert!(ran.err.contains("`duckdb/q.sql`") && ran.err.contains("`kql/s.kql`"), "{}", ran.err);
        assert_eq!(folder.read("out/duckdb/q.sql"), "SELECT 1;\n");
        assert!(folder.read("out/kql/q.kql").contains("50053"));
    }
    assert!(folder.read("out/report.md").contains("duckdb/q.sql"));

    // Not removed with its rule, either.
    std::fs::remove_file(folder.0.join("in/q.kql")).unwrap();
    let ran = migrate(&folder);
    assert!(ran.err.contains("`duckdb/q.sql`"), "{}", ran.err);
    assert_eq!(folder.read("out/duckdb/q.sql"), "SELECT 1;\n");
    assert!(!folder.0.join("out/kql/q.kql").exists());
}

#[test]
fn bad_inputs_stop_nothing_and_escape_nowhere() {
    let hostile = SIGMA.replace("Encoded command", "'</pre><script>alert(1)</script> {{x}} ../../up'");
    let folder = Folder::new(&[
        ("in/hostile.yml", &hostile),
        ("in/broken.yml", "title: [\ndetection: {"),
        ("in/a b'\"<i>.kql", QUERY),
        ("in/twice.yml", SIGMA),
        ("in/again.yml", SIGMA),
        ("in/latin.kql", ""),
        ("in/notes.yml", "just: notes\n"),
    ]);
    std::fs::write(folder.0.join("in/latin.kql"), b"T | where a == \"\xe9\"").unwrap();
    let ran = migrate(&folder);
    assert_eq!(ran.status, 1, "{}", ran.out);
    let statuses: BTreeMap<String, String> = ledger(&folder)
        .iter()
        .map(|r| (r["path"].as_str().unwrap().to_owned(), r["status"].as_str().unwrap().to_owned()))
        .collect();
    let of = |name: &str| statuses[name].as_str();
    assert_eq!((of("broken.yml"), of("latin.kql"), of("hostile.yml")), ("invalid", "invalid", "converted"));
    assert_eq!(of("a b'\"<i>.kql"), "converted");
    let report = folder.read("out/report.html");
    for page in [&report, &folder.read("out/report/hostile.yml.html")] {
        assert!(!page.contains("<script") && !page.contains("</pre><"), "{page}");
        assert!(page.contains("&lt;script&gt;"));
    }
    assert!(report.contains("report/a%20b%27%22%3Ci%3E.kql.html"));
    assert!(report.contains("6f1c2d3e-0000-4000-8000-000000000001"), "the id of three rules is named");
    assert!(folder.files(".").iter().all(|f| !f.starts_with("up")));
}

#[test]
fn two_runs_are_kept_apart() {
    let folder = Folder::new(&[("in/q.kql", QUERY)]);
    assert_eq!(migrate(&folder).status, 0);
    let lock = std::fs::File::open(folder.0.join("out/.ruleferry/lock")).unwrap();
    lock.lock().unwrap();
    let ran = migrate(&folder);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("another run works in `out`"), "{}", ran.err);
}

#[test]
fn a_run_that_is_killed_is_gone_on_with() {
    let rules: Vec<(String, String)> = (0..40)
        .map(|i| match i % 2 {
            0 => (format!("in/{i}/q.kql"), QUERY.replace("50126", &format!("{i}"))),
            _ => (
                format!("in/s{i}.yml"),
                SIGMA.replace("enc", &format!("enc{i}")).replace("0001", &format!("{i:04}")),
            ),
        })
        .collect();
    let files: Vec<(&str, &str)> = rules.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
    let whole = Folder::new(&files);
    assert_eq!(migrate(&whole).status, 0);
    let whole = tree(&whole);

    let folder = Folder::new(&files);
    let mut killed = 0;
    for delay in (0..).map(|n| n * 7 % 60) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ruleferry"))
            .args(["migrate", "in", "--to", "kql", "duckdb", "-o", "out"])
            .current_dir(&folder.0)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        if child.wait().unwrap().success() || killed == 12 {
            break;
        }
        killed += 1;
        // A line that was cut short, and a file that was not moved into its place.
        let journal = folder.0.join("out/.ruleferry/journal.jsonl");
        if journal.exists() {
            let text = std::fs::read(&journal).unwrap();
            std::fs::write(&journal, &text[..text.len() * 9 / 10]).unwrap();
            std::fs::create_dir_all(folder.0.join("out/kql")).unwrap();
            std::fs::write(folder.0.join("out/kql/.ruleferry-1-1.tmp"), "half").unwrap();
        }
    }
    assert_eq!(migrate(&folder).status, 0);
    assert!(killed > 0);
    assert_eq!(tree(&folder).keys().collect::<Vec<_>>(), whole.keys().collect::<Vec<_>>());
    assert!(tree(&folder) == whole, "the bytes differ");
}
