//! Runs one KQL query that reads no table: `cargo run -p ruleferry-eval --example kql -- 'print 1'`. With no argument it reads one
//! query a line from stdin (`\n` for line breaks).
#![allow(clippy::print_stdout, reason = "an example")]

use ruleferry_eval::{MemoryTables, Options, Value, cast, evaluate};
use ruleferry_ir::Type;
use ruleferry_kql::lift::{LiftOptions, lift};
use ruleferry_kql::syntax::parse;
use std::io::BufRead as _;

fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    if args.is_empty() {
        args =
            std::io::stdin().lock().lines().map_while(Result::ok).map(|l| l.replace("\\n", "\n")).collect();
    }
    for text in &args {
        run(text);
    }
}

fn run(text: &str) {
    let parsed = parse(text);
    for d in &parsed.diagnostics {
        println!("! {}", d.message);
    }
    let lifted = lift(&parsed.query, &LiftOptions { source: text });
    for d in &lifted.diagnostics {
        println!("! {}", d.message);
    }
    let Some(query) = lifted.query else { return };
    // 2026-01-15T12:00:00Z
    match evaluate(&query, &MemoryTables::default(), Options::at(639_040_752_000_000_000)) {
        Ok(answer) => {
            let names: Vec<String> = answer.columns.iter().map(|(n, t)| format!("{n}:{t}")).collect();
            println!("{}", names.join(" | "));
            for row in &answer.rows {
                let texts = row.iter().map(|v| match (v, cast(v, Type::String)) {
                    (Value::Null, _) => "null".into(),
                    (_, Value::String(s)) => s.to_string(),
                    _ => String::new(),
                });
                println!("{}", texts.collect::<Vec<_>>().join(" | "));
            }
            for c in &answer.choices {
                println!("choice: {:?}", c.kind);
            }
        }
        Err(fault) => println!("fault {fault}"),
    }
}
