//! Runs converted rules on DuckDB over events that are written by hand.
//!
//! In: a rule file and a case (`tests/events/**.json`). Out: what differs between the rows that came back and the rows that
//! the rule should find. The tables are made from `ddl` (`targets duckdb --ddl`) and from the `needs` of the record alone,
//! so that what a record says is needed is proved to be enough.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests; each test program uses a part of this"
)]

use ruleferry_duckdb::{Engine, Options, library};
use ruleferry_engine::{
    ConvertOptions, ConvertRecord, Input, MaxLoss, convert_file, ddl, parse_time, targets,
};
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Past the capture of the test harness, so that a skipped test is seen.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A database of its own for each call. The feature that compiles these tests asks for the engine: without it they fail.
pub fn engine() -> Engine {
    let named = std::env::var_os(library::ENVIRONMENT).filter(|v| !v.is_empty()).map(PathBuf::from);
    // A relative path is meant from the root of the repository, where the tests are started.
    let path = root().join(named.unwrap_or_else(|| "target/duckdb".into()));
    Engine::open_with(&Options { library: Some(path), ..Options::default() })
        .expect("libduckdb opens (tests/engines/fetch-duckdb.sh fetches it)")
}

pub fn options(now: Option<&str>) -> ConvertOptions {
    ConvertOptions {
        from: None,
        to: targets::target::find("duckdb").expect("the target is there"),
        now: now.map(|t| parse_time(t).expect("a time")),
        sigma: ruleferry_engine::SigmaOptions::default(),
        max_loss: MaxLoss::Wider,
        require_proof: false,
        validate: true,
        executor: None,
    }
}

/// The record of a file that holds one rule.
pub fn convert(path: &Path, now: Option<&str>) -> ConvertRecord {
    let input = Input {
        path: path.to_path_buf(),
        shown: path.display().to_string(),
        relative: path.to_path_buf(),
        walked: false,
    };
    let mut converted = convert_file(&input, Path::new("out"), &options(now));
    assert_eq!(converted.records.len(), 1, "{}: one rule expected", path.display());
    converted.records.remove(0)
}

/// The emitted script, or why there is none.
pub fn script(record: &ConvertRecord) -> Result<&str, String> {
    let file = record.files.first();
    file.map(|f| f.text.as_str()).ok_or_else(|| format!("{:?}: {:?}", record.status, record.diagnostics))
}

pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Makes the tables of `names` and of the record's needs.
pub fn create_tables<'n>(
    engine: &Engine,
    record: &ConvertRecord,
    names: impl Iterator<Item = &'n str>,
) -> Result<(), String> {
    let mut wanted: BTreeSet<String> = names.map(str::to_owned).collect();
    wanted.extend(record.needs.iter().map(|n| n.name.to_string()));
    for name in wanted {
        let run = |sql: String| engine.execute(&sql).map_err(|e| format!("{e}\n{sql}"));
        let needs = || record.needs.iter().filter(|n| n.name == name).flat_map(|n| &n.columns);
        let typed = |(column, ty): (&str, &str)| {
            let ty = ruleferry_ir::Type::parse(ty).expect("a type of the IR");
            format!("{} {}", quoted(column), ruleferry_sql::Dialect::DUCKDB.type_name(ty))
        };
        match ddl(ruleferry_engine::targets::target::find("duckdb").unwrap(), std::slice::from_ref(&name)) {
            Ok(sql) => {
                run(sql)?;
                for (column, ty) in needs() {
                    run(format!("ALTER TABLE {} ADD COLUMN {}", quoted(&name), typed((column, ty))))?;
                }
            }
            Err(_) => {
                let columns: Vec<String> = needs().map(|(c, t)| typed((c, t))).collect();
                run(format!("CREATE OR REPLACE TABLE {} ({})", quoted(&name), columns.join(", ")))?;
            }
        }
    }
    Ok(())
}

/// Inserts events. A key that starts with `_why` is a remark; a column that an event does not have stays NULL.
pub fn insert(engine: &Engine, table: &str, events: &[Json]) -> Result<(), String> {
    let types = columns(engine, table)?;
    for event in events {
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for (name, value) in
            event.as_object().expect("an event is an object").iter().filter(|(n, _)| *n != "_why")
        {
            let ty = types.get(name).ok_or_else(|| format!("{table} has no column {name}"))?;
            names.push(quoted(name));
            values.push(match value {
                Json::Null => "NULL".to_owned(),
                v if ty == "JSON" => literal(&v.to_string()),
                Json::String(text) => literal(text),
                other => literal(&other.to_string()),
            });
        }
        let sql =
            format!("INSERT INTO {} ({}) VALUES ({})", quoted(table), names.join(", "), values.join(", "));
        engine.execute(&sql).map_err(|e| format!("{e}\n{sql}"))?;
    }
    Ok(())
}

fn columns(engine: &Engine, table: &str) -> Result<Map<String, Json>, String> {
    let sql = format!(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = {}",
        literal(table)
    );
    let rows = engine.query(&sql).map_err(|e| e.to_string())?.rows;
    Ok(rows.iter().map(|r| (r[0].to_string(), Json::from(r[1].to_string()))).collect())
}

/// Runs a case: `{"now", "tables": {T: [event…]}, "sql": [statement…], "rows": [row…]}`. A row names the columns that are
/// compared; `{"set": […]}` is an array in any order, `{"near": n}` a number to a thousandth.
pub fn run_case(rule: &Path, case: &Json) -> Result<(), String> {
    let record = convert(rule, case["now"].as_str());
    let script = script(&record)?;
    let engine = engine();
    let no_tables = Map::new();
    let tables = case["tables"].as_object().unwrap_or(&no_tables);
    create_tables(&engine, &record, tables.keys().map(String::as_str))?;
    for (table, events) in tables {
        insert(&engine, table, events.as_array().expect("events are a list"))?;
    }
    for statement in case["sql"].as_array().into_iter().flatten() {
        // A long statement is written as a list of lines.
        let lines: Vec<&str> = statement.as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        engine.execute(&lines.join("\n")).map_err(|e| format!("{e}\n{}", lines.join("\n")))?;
    }
    let found = engine.query(script).map_err(|e| format!("{e}\n{script}"))?.to_json();
    compare(&found, case["rows"].as_array().expect("the rows that the rule should find"))
}

/// The rows as objects against the rows wanted, as bags.
fn compare(found: &Json, wanted: &[Json]) -> Result<(), String> {
    let names: Vec<&str> =
        found["columns"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    let rows = found["rows"].as_array().unwrap().iter();
    let mut left: Vec<Map<String, Json>> = rows
        .map(|row| {
            names.iter().map(|n| (*n).to_owned()).zip(row.as_array().unwrap().iter().cloned()).collect()
        })
        .collect();
    let mut report = String::new();
    for want in wanted {
        let want = want.as_object().unwrap();
        let matches = |row: &Map<String, Json>| {
            want.iter().filter(|(n, _)| *n != "_why").all(|(n, v)| row.get(n).is_some_and(|got| same(got, v)))
        };
        match left.iter().position(matches) {
            Some(at) => drop(left.remove(at)),
            None => writeln!(report, "missing: {}", Json::from(want.clone())).unwrap(),
        }
    }
    let wanted_columns: BTreeSet<&String> =
        wanted.iter().flat_map(|w| w.as_object().unwrap().keys()).collect();
    for row in left {
        let shown: Map<String, Json> = row
            .into_iter()
            .filter(|(n, v)| if wanted.is_empty() { !v.is_null() } else { wanted_columns.contains(n) })
            .collect();
        writeln!(report, "not wanted: {}", Json::from(shown)).unwrap();
    }
    if report.is_empty() { Ok(()) } else { Err(format!("{report}columns: {names:?}")) }
}

/// A value found against the value wanted. Times are written as DuckDB's JSON gives them, with seven digits.
fn same(found: &Json, want: &Json) -> bool {
    if let Some(set) = want.get("set").and_then(Json::as_array) {
        let text = |v: &Json| v.to_string();
        let mut left: Vec<String> = found.as_array().into_iter().flatten().map(text).collect();
        let mut right: Vec<String> = set.iter().map(text).collect();
        left.sort();
        right.sort();
        return found.is_array() && left == right;
    }
    if let Some(near) = want.get("near").and_then(Json::as_f64) {
        return found.as_f64().is_some_and(|f| (f - near).abs() < 1e-3 * near.abs().max(1.0));
    }
    if let Some(text) = want.as_str().filter(|t| t.len() == 20 && t.ends_with('Z')) {
        // 2025-01-01T00:00:00Z in short for the full form.
        return found.as_str().is_some_and(|f| f == text || f == text.replace('Z', ".0000000Z"));
    }
    // A missing text is one value, "" to Kusto; emitted SQL may hold it as NULL or as ''.
    if want.as_str() == Some("") {
        return found.is_null() || found.as_str() == Some("");
    }
    match (found.as_f64(), want.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => found == want,
    }
}

/// The cases of a folder, by name.
pub fn cases(folder: &str) -> Vec<(String, Json)> {
    let folder = root().join("tests/events").join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
        .into_iter()
        .filter(|f| f.extension().is_some_and(|e| e == "json"))
        .map(|f| {
            let text = std::fs::read_to_string(&f).unwrap();
            let case = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", f.display()));
            (f.file_stem().unwrap().to_str().unwrap().to_owned(), case)
        })
        .collect()
}
