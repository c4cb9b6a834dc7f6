//! Random queries over random tables on both engines: `random-plans [--count N] [--seed S] [--show N] [--seconds N] [--least N] [--avoid TEXT]…`.
//!
//! Prints how many agree, how many have each operator, and each difference shrunk. Fails where answers differ, DuckDB fails, a plan
//! that was made is not one, or an operator stands in fewer plans than `--least`.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, reason = "a test harness")]

use ruleferry_testkit::plans_run::{Outcome, run};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let (mut count, mut seed, mut show, mut seconds, mut least) = (1000, 1, 10, 36_000, 0);
    let mut given = std::env::args().skip(1);
    let mut avoid = Vec::new();
    while let Some(arg) = given.next() {
        if arg == "--avoid" {
            avoid.extend(given.next());
            continue;
        }
        let mut number = || given.next().and_then(|n| n.parse::<u64>().ok()).expect("a number");
        match arg.as_str() {
            "--count" => count = number(),
            "--seed" => seed = number(),
            "--show" => show = number(),
            "--seconds" => seconds = number(),
            "--least" => least = number(),
            other => println!("what is `{other}`?"),
        }
    }
    std::panic::set_hook(Box::new(|_| {}));
    let Some(report) = run(seed, count, show, Duration::from_secs(seconds), &avoid) else {
        println!("no libduckdb: run tests/engines/fetch-duckdb.sh");
        return ExitCode::FAILURE;
    };
    for (n, outcome) in &report.faults {
        match outcome {
            Outcome::Differ(text) => println!("==== plan {n} differs\n{text}"),
            Outcome::Error(text) => println!("==== plan {n} fails on DuckDB\n{text}"),
        }
    }
    println!("{}", report.summary());
    let rare = report.rarer_than(usize::try_from(least).unwrap_or(usize::MAX));
    for (name, n) in &rare {
        println!("only {n} plans with `{name}`");
    }
    let good = report.differ + report.error == 0 && report.unanswered.is_empty() && rare.is_empty();
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
