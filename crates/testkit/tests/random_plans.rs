//! Random queries over random tables: the evaluator and DuckDB give the same rows. `random-plans` runs more of them.
#![cfg(feature = "duckdb")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use ruleferry_testkit::plans_run::{Outcome, run};
use std::time::Duration;

#[test]
fn both_engines_give_the_same_rows() {
    let report = run(20_261_121, 300, 3, Duration::from_secs(600), &[])
        .expect("libduckdb (tests/engines/fetch-duckdb.sh fetches it)");
    let faults: Vec<String> = report
        .faults
        .iter()
        .map(|(n, o)| match o {
            Outcome::Differ(text) | Outcome::Error(text) => format!("plan {n}\n{text}"),
        })
        .collect();
    assert!(report.differ + report.error == 0, "{}\n{}", report.summary(), faults.join("\n"));
    assert!(report.unanswered.is_empty() && report.agree > 250, "{}", report.summary());
}
