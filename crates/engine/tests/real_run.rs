//! Real rules run on the real engine: what `convert` emits for them finds, over events written by hand, the rows that Kusto
//! would find. Why each row is wanted, or not, stands beside the event in `tests/events/`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::{Path, PathBuf};
use support::{cases, convert, create_tables, engine, root, run_case, say, script};

fn all(folder: &str, rule: impl Fn(&str) -> PathBuf) -> usize {
    let mut faults = Vec::new();
    let cases = cases(folder);
    let count = cases.len();
    for (name, case) in cases {
        if let Err(why) = run_case(&rule(case["rule"].as_str().unwrap()), &case) {
            faults.push(format!("{name}: {why}"));
        }
    }
    assert!(faults.is_empty(), "{} of {count} cases fail\n\n{}", faults.len(), faults.join("\n"));
    count
}

#[test]
fn the_seeds_find_what_they_should() {
    let corpus = std::env::var_os("RULEFERRY_CORPUS").filter(|v| !v.is_empty());
    let seeds = corpus.map(|c| Path::new(&c).join("seeds")).filter(|s| s.is_dir());
    let Some(seeds) = seeds else {
        say("SKIPPED: the seed rules; RULEFERRY_CORPUS names no folder that has them");
        return;
    };
    assert!(all("seeds", |name| seeds.join(name)) >= 5);
}

#[test]
fn the_shipped_rules_find_what_they_should() {
    let rules = root().join("rules");
    assert!(all("rules", |name| rules.join(name)) >= 8);
}

/// Every shipped rule runs on tables that were made from the schemas and from what its record says it needs, and nothing else.
#[test]
fn every_shipped_rule_prepares() {
    let mut count = 0;
    let database = engine();
    database
        .execute(
            &ruleferry_engine::ddl(ruleferry_engine::targets::target::find("duckdb").unwrap(), &[]).unwrap(),
        )
        .unwrap();
    for group in std::fs::read_dir(root().join("rules")).unwrap().map(|e| e.unwrap().path()) {
        let files = std::fs::read_dir(group).unwrap().map(|e| e.unwrap().path());
        // Unit tests and their events stand beside the rules.
        let is_test = |p: &Path| p.is_dir() || p.to_string_lossy().ends_with(".test.yaml");
        for rule in files.filter(|p| !is_test(p)) {
            count += 1;
            let record = convert(&rule, Some("2026-01-15T12:00:00Z"));
            let script = script(&record).unwrap_or_else(|e| panic!("{}: {e}", rule.display()));
            let engine = database.reconnect().unwrap();
            create_beyond(&engine, &record);
            engine.query(script).unwrap_or_else(|e| panic!("{}: {e}", rule.display()));
        }
    }
    assert!(count >= 12);
}

/// The needs that no schema has; every other table is there already.
fn create_beyond(engine: &ruleferry_duckdb::Engine, record: &ruleferry_engine::ConvertRecord) {
    let mut beyond = record.clone();
    beyond.needs.retain(|n| {
        ruleferry_engine::ddl(
            ruleferry_engine::targets::target::find("duckdb").unwrap(),
            &[n.name.to_string()],
        )
        .is_err()
    });
    create_tables(engine, &beyond, std::iter::empty()).unwrap();
}
