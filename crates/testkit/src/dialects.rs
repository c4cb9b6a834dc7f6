//! Emitted SQL on engines that another program drives: the cases as a file, and the rows that came back against the evaluator's.
//!
//! In: documented queries and the shipped rules with their unit tests. Out: one JSON line for each case and dialect, with what the driver
//! needs to run it; and of the driver's lines what became of each case.

use crate::route::{self, NOW};
use crate::text::{self, UNIX_EPOCH};
use crate::versus::{self, Prepared, Verdict};
use crate::{conformance, snapshot};
use ruleferry_engine::{find_tests, test_tables};
use ruleferry_eval::{MemoryTable, MemoryTables, Value};
use ruleferry_ir::{Query, Type};
use ruleferry_sql::{Dialect, Need, SqlOptions, TICKS_CUT, ddl_for, lower, print};
use ruleferry_targets::Capability;
use serde_json::{Value as Raw, json};
use smol_str::SmolStr;

/// A query with its tables.
#[derive(Debug)]
pub struct Case {
    pub id: String,
    /// The text, where it is one of KQL.
    pub text: Option<String>,
    pub query: Query,
    pub now: i64,
    pub tables: MemoryTables,
}

/// All cases: the documented queries (where there are any), then the tests of the shipped rules.
pub fn cases() -> Vec<Case> {
    let mut out = Vec::new();
    if snapshot::shared().join("conformance/kql-docs/cases.jsonl").is_file() {
        for case in conformance::cases("docs").into_iter().filter(|c| !c.apart) {
            let Ok(query) = route::guarded(|| route::ir(&case.query)) else { continue };
            out.push(Case {
                id: case.id,
                text: Some(case.query),
                query,
                now: NOW,
                tables: MemoryTables::default(),
            });
        }
    }
    let (found, _) = find_tests(&[snapshot::root().join("rules")]);
    for input in &found {
        for test in test_tables(input) {
            let rule = test.rule.rsplit("rules/").next().unwrap_or_default().to_owned();
            out.push(Case {
                id: format!("{rule} · {}", test.case),
                text: None,
                query: test.query,
                now: test.now,
                tables: test.tables,
            });
        }
    }
    out
}

/// The SQL of a case in a dialect, or why there is none.
pub fn sql(case: &Case, dialect: &'static Dialect) -> Result<(String, String, bool, Vec<Need>), String> {
    let options = SqlOptions { dialect, now: Some(case.now), look_back: None };
    let work = || {
        lower(&case.query, &options)
            .map_err(|ds| route::Stop::Eval(ds.first().map_or_else(String::new, |d| d.message.clone())))
    };
    let lowered = route::guarded(work).map_err(|s| s.to_string())?;
    let cut = lowered.assumptions.iter().any(|a| a == TICKS_CUT);
    Ok((print(&lowered.script), ddl_for(dialect, &case.query, &lowered.needs), cut, lowered.needs))
}

/// What the driver needs.
pub fn line(case: &Case, dialect: &'static Dialect) -> Raw {
    let columns: Vec<Raw> = case
        .query
        .plan
        .output
        .iter()
        .map(|id| json!([case.query.columns.name(*id), case.query.columns.ty(*id).name()]))
        .collect();
    match sql(case, dialect) {
        Err(why) => json!({ "id": case.id, "target": dialect.name, "refused": why }),
        Ok((script, ddl, _, needs)) => {
            let tables: serde_json::Map<String, Raw> = ruleferry_sql::tables_for(&case.query, &needs)
                .into_iter()
                .map(|(name, columns)| {
                    let rows = case.tables.find(&name).map(cells).unwrap_or_default();
                    let columns: Vec<Raw> = columns.iter().map(|(n, t)| json!([n, t.name()])).collect();
                    (name.to_string(), json!({ "columns": columns, "rows": rows }))
                })
                .collect();
            let types: Vec<Raw> = TYPES.iter().map(|t| json!([t.name(), dialect.type_name(*t)])).collect();
            json!({ "id": case.id, "target": dialect.name, "sql": script, "ddl": ddl, "tables": tables, "columns": columns, "types": types })
        }
    }
}

const TYPES: [Type; 10] = [
    Type::Bool,
    Type::Int,
    Type::Long,
    Type::Real,
    Type::Decimal,
    Type::String,
    Type::Datetime,
    Type::Timespan,
    Type::Guid,
    Type::Dynamic,
];

/// Times and time spans as microseconds, dynamic values as texts.
fn cells(table: &MemoryTable) -> Vec<Vec<Raw>> {
    let cell = |v: &Value| match v {
        Value::Null => Raw::Null,
        Value::Bool(b) => json!(b),
        Value::Datetime(t) => json!((t - UNIX_EPOCH).div_euclid(10)),
        Value::Timespan(t) => json!(t.div_euclid(10)),
        Value::Dynamic(j) => json!(text::json_text(j)),
        v => match (v.as_long(), v.as_real()) {
            (Some(n), _) => json!(n),
            (None, Some(x)) => json!(x),
            (None, None) => match v {
                Value::String(s) => json!(s.as_str()),
                other => other.to_json_text(),
            },
        },
    };
    table.rows.iter().map(|r| r.iter().map(cell).collect()).collect()
}

trait JsonText {
    fn to_json_text(&self) -> Raw;
}

impl JsonText for Value {
    fn to_json_text(&self) -> Raw {
        let text = text::json_text(&self.to_json());
        json!(text.trim_matches('"'))
    }
}

/// What became of a case on an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Right,
    Wrong(String),
    Error(String),
}

/// Holds the driver's answer against the evaluator's.
pub fn judge(case: &Case, dialect: &'static Dialect, answer: &Raw) -> Outcome {
    if let Some(error) = answer["error"].as_str() {
        return Outcome::Error(error.lines().next().unwrap_or_default().chars().take(160).collect());
    }
    let Ok((_, _, cut, needs)) = sql(case, dialect) else { return Outcome::Error("refused".to_owned()) };
    let again = case.text.as_deref().filter(|_| cut).map(|text| conformance::in_micros(text, &case.query));
    let again = again.and_then(|text| route::ir(&text).ok());
    let query = again.as_ref().unwrap_or(&case.query);
    let mut tables = case.tables.clone();
    for need in needs {
        let columns = need.columns.iter().map(|(n, t)| (n.clone(), *t)).collect();
        tables
            .tables
            .entry(need.name.clone())
            .or_insert_with(|| MemoryTable { columns, ..MemoryTable::default() });
    }
    let mut prepared = match versus::prepare(query) {
        Ok(p) => p,
        Err(e) => return Outcome::Error(format!("no DuckDB SQL: {e}")),
    };
    prepared.now = case.now;
    let outcome = held(&prepared, answer, &tables, Value::Null);
    if matches!(outcome, Outcome::Wrong(_)) && !dialect.can(Capability::NotANumber) {
        // Where there is no NaN, NULL stands for it, which the conversion says.
        let again = held(&prepared, answer, &tables, Value::Real(f64::NAN));
        if again == Outcome::Right {
            return again;
        }
    }
    outcome
}

fn held(prepared: &Prepared<'_>, answer: &Raw, tables: &MemoryTables, null: Value) -> Outcome {
    let query = prepared.query;
    let Ok(want) = route::eval_at(prepared.now, query, tables, 0) else { return Outcome::Right };
    let got: Vec<String> = strings(&answer["columns"]);
    let mut free: Vec<usize> = (0..got.len()).collect();
    let (mut places, mut from) = (Vec::new(), Vec::new());
    for (i, (name, _)) in want.columns.iter().enumerate() {
        let at = free.iter().position(|j| got.get(*j).is_some_and(|g| is_named(g, name)));
        match at {
            Some(at) => {
                places.push(i);
                from.push(free.remove(at));
            }
            None if versus::finds_columns(query) => {}
            None => return Outcome::Wrong(format!("no column {name}")),
        }
    }
    if !free.is_empty() && !versus::finds_columns(query) {
        return Outcome::Wrong("more columns than asked for".to_owned());
    }
    let types: Vec<Type> = places.iter().filter_map(|i| want.columns.get(*i)).map(|(_, t)| *t).collect();
    let rows: Vec<Vec<Value>> = answer["rows"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| {
            from.iter()
                .zip(&types)
                .map(|(j, ty)| value(row.get(*j).unwrap_or(&Raw::Null), *ty, &null))
                .collect()
        })
        .collect();
    match prepared.held_at(places, rows, tables) {
        Verdict::Agree(_) => Outcome::Right,
        Verdict::Differ(d) => Outcome::Wrong(d.why.chars().take(160).collect()),
        Verdict::Refused(why) | Verdict::Error(why) => Outcome::Error(why),
        // There is nothing to hold it against.
        Verdict::NoAnswer(_) => Outcome::Right,
    }
}

fn strings(raw: &Raw) -> Vec<String> {
    raw.as_array().into_iter().flatten().filter_map(Raw::as_str).map(str::to_owned).collect()
}

fn is_named(column: &str, name: &SmolStr) -> bool {
    let plain = column
        .rsplit_once("__")
        .filter(|(_, digits)| digits.parse::<u32>().is_ok())
        .map_or(column, |(n, _)| n);
    let name = if name.is_empty() { "_" } else { name };
    column.eq_ignore_ascii_case(name) || plain.eq_ignore_ascii_case(name)
}

fn value(cell: &Raw, ty: Type, null: &Value) -> Value {
    let number = || cell.as_f64().or_else(|| cell.as_str().and_then(|s| s.parse().ok()));
    let long = || cell.as_i64().or_else(|| cell.as_str().and_then(|s| s.parse().ok()));
    match (cell, ty) {
        (Raw::Null, Type::Real) => null.clone(),
        (Raw::Null, _) => Value::Null,
        (_, Type::Dynamic) => {
            let text = cell.as_str().map(str::to_owned).unwrap_or_else(|| cell.to_string());
            let parsed = serde_json::from_str(&text).unwrap_or(Raw::String(text));
            Value::dynamic(text::json(&parsed))
        }
        (_, Type::Bool) => match cell {
            Raw::Bool(b) => Value::Bool(*b),
            other => other.as_i64().map_or(Value::Null, |n| Value::Bool(n != 0)),
        },
        (_, Type::Datetime) => {
            long().map_or_else(|| shown(cell), |n| Value::Datetime(n.wrapping_mul(10) + UNIX_EPOCH))
        }
        (_, Type::Timespan) => long().map_or_else(|| shown(cell), |n| Value::Timespan(n.wrapping_mul(10))),
        (_, Type::Int | Type::Long) => {
            long().map_or_else(|| number().map_or_else(|| shown(cell), Value::Real), Value::Long)
        }
        (_, Type::Real | Type::Decimal) => number().map_or_else(|| shown(cell), Value::Real),
        (Raw::String(s), Type::Guid) => text::guid(s).map_or_else(|| Value::string(s.as_str()), Value::Guid),
        (Raw::String(s), _) => Value::string(s.as_str()),
        (Raw::Bool(b), _) => Value::Bool(*b),
        (other, _) => shown(other),
    }
}

fn shown(cell: &Raw) -> Value {
    Value::string(cell.to_string().as_str())
}
