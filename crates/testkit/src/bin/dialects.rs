//! Emitted SQL of every dialect: `dialects write DIR [TARGET…]` writes `<target>.cases.jsonl` for tests/engines/engines.py;
//! `dialects judge DIR [--check] [TARGET…]` reads its `<target>.rows.jsonl` and tells what is right; `dialects show ID TARGET` prints
//! the SQL of a case; `dialects kql TARGET…` that of a query on the standard input.
#![allow(
    clippy::print_stdout,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test harness"
)]

use ruleferry_sql::{Dialect, all_dialects};
use ruleferry_testkit::dialects::{Case, Outcome, cases, judge, line, sql};
use ruleferry_testkit::{route, snapshot};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

fn chosen(names: &[String]) -> Vec<&'static Dialect> {
    let wanted = |d: &&Dialect| names.is_empty() || names.iter().any(|n| n == d.name);
    all_dialects().iter().filter(wanted).collect()
}

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|_| {}));
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<String> = args.iter().filter(|a| !a.starts_with("--")).cloned().collect();
    match words.first().map(String::as_str) {
        Some("write") => write(Path::new(&words[1]), &chosen(&words[2..])),
        Some("judge") => {
            return told(Path::new(&words[1]), &chosen(&words[2..]), args.iter().any(|a| a == "--check"));
        }
        Some("show") => {
            for case in cases().iter().filter(|c| c.id.contains(&words[1])) {
                println!("-- {}\n{}", case.id, case.text.as_deref().unwrap_or_default());
                for dialect in chosen(&words[2..]) {
                    match sql(case, dialect) {
                        Ok((sql, ..)) => println!("-- {}\n{sql}", dialect.name),
                        Err(why) => println!("-- {}: {why}", dialect.name),
                    }
                }
            }
        }
        Some("kql") => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).unwrap();
            let query = route::ir(&text).unwrap_or_else(|e| panic!("{e}"));
            let case = Case {
                id: String::new(),
                text: Some(text),
                query,
                now: route::NOW,
                tables: Default::default(),
            };
            for dialect in chosen(&words[1..]) {
                match sql(&case, dialect) {
                    Ok((sql, ..)) => println!("-- {}\n{sql}", dialect.name),
                    Err(why) => println!("-- {}: {why}", dialect.name),
                }
            }
        }
        _ => println!("write, judge, show or kql"),
    }
    ExitCode::SUCCESS
}

fn write(folder: &Path, dialects: &[&'static Dialect]) {
    std::fs::create_dir_all(folder).unwrap();
    let cases = cases();
    for dialect in dialects {
        let mut out = String::new();
        for case in &cases {
            let _ = writeln!(out, "{}", line(case, dialect));
        }
        std::fs::write(folder.join(format!("{}.cases.jsonl", dialect.name)), out).unwrap();
    }
}

/// The snapshot: figures, then each case that is not right.
fn told(folder: &Path, dialects: &[&'static Dialect], check: bool) -> ExitCode {
    let cases = cases();
    let mut good = true;
    for dialect in dialects {
        let Ok(text) = std::fs::read_to_string(folder.join(format!("{}.rows.jsonl", dialect.name))) else {
            continue;
        };
        let answers: BTreeMap<String, serde_json::Value> = text
            .lines()
            .filter_map(|l| serde_json::from_str::<serde_json::Value>(l).ok())
            .map(|v| (v["id"].as_str().unwrap_or_default().to_owned(), v))
            .collect();
        let (mut convertible, mut converted, mut right, mut parsed) = (0, 0, 0, 0);
        let (mut refused, mut misses): (BTreeMap<String, usize>, Vec<String>) = (BTreeMap::new(), Vec::new());
        for case in &cases {
            if sql(case, Dialect::DUCKDB).is_err() {
                continue;
            }
            convertible += 1;
            if let Err(why) = sql(case, dialect) {
                *refused
                    .entry(
                        why.trim_start_matches(|c: char| {
                            c.is_ascii_uppercase() || c.is_ascii_digit() || c == ':' || c == ' '
                        })
                        .to_owned(),
                    )
                    .or_default() += 1;
                continue;
            }
            converted += 1;
            let Some(answer) = answers.get(&case.id) else {
                misses.push(format!("not run  {}", case.id));
                continue;
            };
            if answer["parsed"].as_bool() == Some(true) {
                parsed += 1;
                continue;
            }
            match judge(case, dialect, answer) {
                Outcome::Right => right += 1,
                Outcome::Wrong(why) => misses.push(format!("differs  {}  {why}", case.id)),
                Outcome::Error(why) => misses.push(format!("error    {}  {why}", case.id)),
            }
        }
        let mut out =
            format!("{}: of {convertible} cases that DuckDB has, {converted} convert; ", dialect.title);
        if parsed > 0 {
            let _ = writeln!(out, "{parsed} are read by sqlglot, none was run");
        } else {
            let _ = writeln!(out, "{right} give the evaluator's rows");
        }
        for miss in &misses {
            let _ = writeln!(out, "{miss}");
        }
        let _ = writeln!(out, "refused:");
        let mut reasons: Vec<_> = refused.into_iter().collect();
        reasons.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        for (why, n) in reasons {
            let _ = writeln!(out, "{n:5} {why}");
        }
        if check {
            good &= snapshot::check(&format!("tests/engines/{}.snap", dialect.name), &out);
        } else {
            println!("{out}");
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
