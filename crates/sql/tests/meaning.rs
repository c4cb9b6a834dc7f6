//! What emitted SQL answers: each case is a KQL query over its own rows with the rows that Kusto documents for it, run on
//! DuckDB. Without the library the test says so in one line and passes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use ruleferry_duckdb::{Engine, Options, library};
use ruleferry_kql::lift::{LiftOptions, lift};
use ruleferry_kql::syntax::parse;
use ruleferry_sql::{Dialect, SqlOptions, lower, print};
use serde_json::Value as Json;
use std::io::Write;
use std::path::{Path, PathBuf};

fn engine() -> Option<Engine> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/duckdb");
    let named = std::env::var_os(library::ENVIRONMENT).map(PathBuf::from);
    let lib = named.or_else(|| folder.join(library::file_name()).is_file().then_some(folder));
    if lib.is_none() {
        std::io::stderr().write_all(b"SKIPPED: no libduckdb; run tests/engines/fetch-duckdb.sh\n").unwrap();
    }
    Some(
        Engine::open_with(&Options { library: Some(lib?), ..Options::default() }).expect("the library opens"),
    )
}

fn convert(query: &str) -> Result<String, String> {
    let parsed = parse(query);
    let lifted = lift(&parsed.query, &LiftOptions { source: query });
    let ir = lifted.query.ok_or_else(|| format!("not lifted: {:?}", lifted.diagnostics))?;
    let options = SqlOptions { dialect: Dialect::DUCKDB, now: None, look_back: None };
    lower(&ir, &options).map(|l| print(&l.script)).map_err(|d| format!("refused: {d:?}"))
}

/// Rows as sorted text: their order counts nowhere.
fn sorted(rows: &[Json]) -> Vec<String> {
    let mut rows: Vec<String> = rows.iter().map(normal).collect();
    rows.sort();
    rows
}

/// A whole number is equal to itself with a fraction of zero.
fn normal(value: &Json) -> String {
    match value {
        Json::Array(items) => format!("[{}]", items.iter().map(normal).collect::<Vec<_>>().join(",")),
        Json::Number(n) => n.as_f64().map_or_else(|| n.to_string(), |f| f.to_string()),
        other => other.to_string(),
    }
}

#[test]
fn emitted_sql_gives_the_rows_that_kusto_documents() {
    let Some(base) = engine() else { return };
    let mut faults = Vec::new();
    for line in include_str!("meaning.jsonl").lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let name = case["name"].as_str().unwrap();
        let sql = match convert(case["query"].as_str().unwrap()) {
            Ok(sql) => sql,
            Err(why) => {
                faults.push(format!("{name}: {why}"));
                continue;
            }
        };
        match base.reconnect().unwrap().query(&sql) {
            Ok(table) => {
                let got = table.to_json();
                let (got, wanted) =
                    (sorted(got["rows"].as_array().unwrap()), sorted(case["rows"].as_array().unwrap()));
                if got != wanted {
                    faults.push(format!("{name}: got {got:?}, wanted {wanted:?}\n{sql}"));
                }
            }
            Err(e) => faults.push(format!("{name}: {e}\n{sql}")),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}
