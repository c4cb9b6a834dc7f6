//! Runs the tables of `tests/functions/`: one KQL query a line, a tab, and the cells of its rows, joined by ` | `.
//!
//! `null` stands for a null, `\n` for a line break in the answer, `fault E0804` for a query that cannot be run; lines that start
//! with `#` are comments. Several rows are joined by ` / `; no row at all is `none`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::string_slice,
    reason = "tests"
)]

use ruleferry_diag::Severity;
use ruleferry_eval::{MemoryTables, Options, Value, cast, evaluate};
use ruleferry_ir::Type;
use ruleferry_kql::lift::{LiftOptions, lift};
use ruleferry_kql::syntax::parse;
use std::path::Path;

/// 2026-01-15T12:00:00Z, the time of the runs.
const NOW: i64 = 639_040_752_000_000_000;

#[test]
fn functions_give_what_the_tables_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/functions");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    // `FUNCTIONS=strings cargo test` runs one family.
    let only = std::env::var("FUNCTIONS").ok();
    let mut failures = Vec::new();
    let mut count = 0;
    for file in files {
        let family = file.file_stem().unwrap().to_string_lossy().into_owned();
        if only.as_deref().is_some_and(|o| o != family) {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            count += 1;
            let Some((query, expected)) = line.split_once('\t') else {
                failures.push(format!("{family}:{}: no tab", number + 1));
                continue;
            };
            let actual = run(query);
            if actual != expected {
                let at = number + 1;
                failures
                    .push(format!("{family}:{at}: {query}\n    expected {expected}\n    got      {actual}"));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {count} failed\n{}", failures.len(), failures.join("\n"));
}

fn run(text: &str) -> String {
    let parsed = parse(text);
    if let Some(d) = parsed.diagnostics.first() {
        return format!("syntax: {}", d.message);
    }
    let lifted = lift(&parsed.query, &LiftOptions { source: text });
    if let Some(d) = lifted.diagnostics.iter().find(|d| d.severity == Severity::Error) {
        return format!("lift: {}", d.message);
    }
    let Some(query) = lifted.query else { return "lift: nothing".into() };
    match evaluate(&query, &MemoryTables::default(), Options::at(NOW)) {
        Ok(answer) if answer.rows.is_empty() => "none".into(),
        Ok(answer) => {
            let cell = |value: &Value| match cast(value, Type::String) {
                _ if value.is_null() => "null".to_owned(),
                Value::String(s) => s.replace('\n', "\\n"),
                _ => String::new(),
            };
            let line = |row: &ruleferry_eval::Row| row.iter().map(cell).collect::<Vec<_>>().join(" | ");
            answer.rows.iter().map(line).collect::<Vec<_>>().join(" / ")
        }
        Err(fault) => format!("fault {}", fault.code.0),
    }
}
