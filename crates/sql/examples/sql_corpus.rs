//! Converts every KQL query of a JSONL file (`{"id":…,"query":…}`) to DuckDB SQL and says how many, and why the others not.
//!
//!     cargo run --release -p ruleferry-sql --example sql_corpus -- FILE.jsonl [OUT.jsonl | --show ID | --time]
//!
//! The output has a line for each query: `{id, sql, ddl}` or `{id, refused}`.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an example that reports, also how long it took"
)]

use ruleferry_kql::lift::{LiftOptions, lift};
use ruleferry_kql::syntax::parse;
use ruleferry_sql::{Dialect, SqlOptions, ddl_for, lower, print};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;

enum Outcome {
    Sql { sql: String, ddl: String },
    NotLifted(String),
    Refused(String),
}

fn convert(query: &str) -> Outcome {
    let parsed = parse(query);
    let lifted = lift(&parsed.query, &LiftOptions { source: query });
    let Some(ir) = lifted.query else {
        let first = lifted.diagnostics.iter().find(|d| d.is_error());
        return Outcome::NotLifted(
            first.map_or_else(|| "no query".to_owned(), |d| format!("{} {}", d.code, d.message)),
        );
    };
    let options = SqlOptions { dialect: Dialect::DUCKDB, now: None, look_back: None };
    match lower(&ir, &options) {
        Ok(lowered) => {
            let ddl = ddl_for(Dialect::DUCKDB, &ir, &lowered.needs);
            Outcome::Sql { sql: print(&lowered.script), ddl }
        }
        Err(diagnostics) => {
            let first = diagnostics.first();
            Outcome::Refused(first.map_or_else(String::new, |d| format!("{} {}", d.code, d.message)))
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let path = args.first().ok_or("give a JSONL file")?;
    let flag = args.get(1).map_or("", String::as_str);
    let mut cases = Vec::new();
    for line in std::fs::read_to_string(path)?.lines() {
        let value: Value = serde_json::from_str(line)?;
        let good = |key: &str| value.get(key).is_none_or(|v| v == true);
        if good("syntax_ok") && good("has_query") {
            let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            cases.push((text("id"), text("query")));
        }
    }
    if flag == "--show" {
        for (_, query) in cases.iter().filter(|(id, _)| Some(id) == args.get(2)) {
            println!("{query}\n----");
            match convert(query) {
                Outcome::Sql { sql, .. } => println!("{sql}"),
                Outcome::NotLifted(why) => println!("not lifted: {why}"),
                Outcome::Refused(why) => println!("refused: {why}"),
            }
        }
        return Ok(());
    }
    let mut out = match flag {
        "" | "--time" => None,
        file => Some(std::io::BufWriter::new(std::fs::File::create(file)?)),
    };
    let start = std::time::Instant::now();
    let (mut done, mut refused, mut not_lifted) = (0_usize, 0_usize, 0_usize);
    let mut reasons: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for (id, query) in &cases {
        let line = match convert(query) {
            Outcome::Sql { sql, ddl } => {
                done += 1;
                json!({"id": id, "sql": sql, "ddl": ddl})
            }
            Outcome::NotLifted(why) => {
                not_lifted += 1;
                let entry = reasons.entry(format!("not lifted: {why}")).or_insert((0, id.clone()));
                entry.0 += 1;
                json!({"id": id, "refused": why})
            }
            Outcome::Refused(why) => {
                refused += 1;
                let entry = reasons.entry(why.clone()).or_insert((0, id.clone()));
                entry.0 += 1;
                json!({"id": id, "refused": why})
            }
        };
        if let Some(out) = &mut out {
            writeln!(out, "{line}")?;
        }
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, (n, _))| std::cmp::Reverse(*n));
    for (why, (n, id)) in &reasons {
        println!("{n:5}  {why}   [{id}]");
    }
    let total = cases.len().max(1);
    println!(
        "{done} of {total} converted ({:.1} %), {refused} refused, {not_lifted} not lifted, in {:.2?}",
        done as f64 * 100.0 / total as f64,
        start.elapsed()
    );
    Ok(())
}
