//! Lifts every query of a JSONL file (`{"id":…,"query":…}`) and says how many of them the IR holds whole.
//!
//!     cargo run --release -p ruleferry-kql --example lift_corpus -- FILE.jsonl [--columns | --check | --time | --show ID]
//!
//! `--check` prints the queries whose plan breaks a rule of the IR (a column out of scope, a type left open).
//! `--columns` prints the output columns of each query as JSON lines, for a comparison with Microsoft's binder.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an example that reports and takes times"
)]

#[path = "../tests/support/plan_check.rs"]
mod plan_check;

use ruleferry_diag::{Diagnostic, Severity};
use ruleferry_kql::lift::{LiftOptions, lift};
use ruleferry_kql::syntax::parse;
use serde_json::{Value, json};
use std::collections::BTreeMap;

struct Case {
    id: String,
    query: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let path = args.first().ok_or("give a JSONL file")?;
    let flag = args.get(1).map_or("", String::as_str);
    let cases = read(path)?;
    match flag {
        "--columns" => cases.iter().for_each(columns),
        "--check" => cases.iter().for_each(check),
        "--time" => time(&cases),
        "--show" => cases.iter().filter(|c| Some(&c.id) == args.get(2)).for_each(show),
        _ => report(&cases),
    }
    Ok(())
}

fn read(path: &str) -> Result<Vec<Case>, Box<dyn std::error::Error>> {
    let mut cases = Vec::new();
    for line in std::fs::read_to_string(path)?.lines() {
        let value: Value = serde_json::from_str(line)?;
        let good = |key: &str| value.get(key).is_none_or(|v| v == true);
        if good("syntax_ok") && good("has_query") {
            let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            cases.push(Case { id: text("id"), query: text("query") });
        }
    }
    Ok(cases)
}

fn report(cases: &[Case]) {
    let (mut whole, mut opaque, mut failed) = (0, 0, 0);
    let mut reasons: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for case in cases {
        let parsed = parse(&case.query);
        let lifted = lift(&parsed.query, &LiftOptions { source: &case.query });
        let bad: Vec<&Diagnostic> =
            lifted.diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
        match (bad.is_empty(), lifted.opaque) {
            (true, 0) => whole += 1,
            (true, _) => opaque += 1,
            (false, _) => failed += 1,
        }
        let told =
            if bad.is_empty() && lifted.opaque > 0 { lifted.diagnostics.iter().collect() } else { bad };
        for d in told {
            let key = format!("{:?} {} {}", d.severity, d.code, d.message);
            let entry = reasons.entry(key).or_insert_with(|| (0, case.id.clone()));
            entry.0 += 1;
        }
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, (n, _))| std::cmp::Reverse(*n));
    for (reason, (n, id)) in &reasons {
        println!("{n:5} {reason}   [{id}]");
    }
    println!("{} queries: {whole} whole, {opaque} with opaque parts, {failed} not lifted", cases.len());
}

fn columns(case: &Case) {
    let parsed = parse(&case.query);
    let lifted = lift(&parsed.query, &LiftOptions { source: &case.query });
    let columns = lifted.query.as_ref().map(|q| {
        let column = |id| json!([q.columns.name(id), q.columns.ty(id).name()]);
        q.plan.output.iter().map(|id| column(*id)).collect::<Vec<_>>()
    });
    println!("{}", json!({ "id": case.id, "columns": columns, "opaque": lifted.opaque }));
}

fn check(case: &Case) {
    let parsed = parse(&case.query);
    let Some(query) = lift(&parsed.query, &LiftOptions { source: &case.query }).query else { return };
    for fault in plan_check::check(&query) {
        println!("{}: {fault}", case.id);
    }
}

fn show(case: &Case) {
    println!("{}", case.query);
    let parsed = parse(&case.query);
    let lifted = lift(&parsed.query, &LiftOptions { source: &case.query });
    for d in &lifted.diagnostics {
        println!("{:?} {} `{}`: {} {:?}", d.severity, d.code, d.span.text(&case.query), d.message, d.help);
    }
    if let Some(query) = &lifted.query {
        println!("{:#?}\n{}", query.assumptions, ruleferry_ir::text(query));
    }
}

fn time(cases: &[Case]) {
    let start = std::time::Instant::now();
    let trees: Vec<_> = cases.iter().map(|c| parse(&c.query)).collect();
    let parsed = start.elapsed();
    let start = std::time::Instant::now();
    let mut whole = 0;
    for (case, tree) in cases.iter().zip(&trees) {
        whole += usize::from(lift(&tree.query, &LiftOptions { source: &case.query }).query.is_some());
    }
    println!("{} queries: parse {parsed:?}, lift {:?}, {whole} lifted", cases.len(), start.elapsed());
}
