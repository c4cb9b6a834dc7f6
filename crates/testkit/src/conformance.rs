//! Queries with documented results: reads the case files, runs each case on the evaluator and on DuckDB, compares.
//!
//! The rules of comparison are those of the README beside the case files.

use crate::route::{self, NOW, Stop};
use crate::same::{self, Rules};
use crate::{duck, snapshot, text, versus};
use ruleferry_diag::Span;
use ruleferry_duckdb::Engine;
use ruleferry_eval::{Answer, MemoryTable, MemoryTables, Value, cast};
use ruleferry_ir::{BindingValue, Expr, Json, Query, Type};
use ruleferry_sql::{Dialect, Need, TICKS_CUT, ddl_for, print};
use rust_decimal::Decimal;
use serde_json::Value as Raw;
use smol_str::SmolStr;
use std::time::Duration;

/// Rows as they stand in a case file.
pub type Cells = Vec<Vec<Raw>>;

#[derive(Clone, Debug)]
pub struct Case {
    pub id: String,
    pub query: String,
    pub quality: String,
    pub notes: Vec<String>,
    pub ordered: bool,
    pub columns: Vec<(String, String)>,
    pub doc_columns: Vec<Option<String>>,
    /// The permitted answers: cells as shown, and as values.
    pub answers: Vec<(Cells, Cells)>,
    /// Operators, functions, plugins and the like.
    pub features: Vec<String>,
    /// Uses `geo_…` functions or graph operators.
    pub apart: bool,
}

/// The cases of `docs` or `loco`.
pub fn cases(file: &str) -> Vec<Case> {
    let name = if file == "loco" { "cases-kusto-loco.jsonl" } else { "cases.jsonl" };
    let path = snapshot::shared().join("conformance/kql-docs").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().map(|l| case(&serde_json::from_str(l).expect("a case is JSON"))).collect()
}

fn case(raw: &Raw) -> Case {
    let strings = |v: &Raw| -> Vec<String> {
        v.as_array().into_iter().flatten().filter_map(Raw::as_str).map(str::to_owned).collect()
    };
    let table = |v: &Raw| -> Vec<Vec<Raw>> {
        v.as_array().into_iter().flatten().map(|r| r.as_array().cloned().unwrap_or_default()).collect()
    };
    let text = |v: &Raw| v.as_str().unwrap_or_default().to_owned();
    let mut answers = vec![(table(&raw["rows"]), table(&raw["values"]))];
    if strings(&raw["reasons"]).iter().any(|r| r == "any-of-alternatives") {
        for other in raw["alternatives"].as_array().into_iter().flatten() {
            answers.push((table(&other["rows"]), table(&other["values"])));
        }
    }
    let features: Vec<String> =
        raw["features"].as_object().into_iter().flatten().flat_map(|(_, v)| strings(v)).collect();
    let of = |key: &str, test: &dyn Fn(&str) -> bool| strings(&raw["features"][key]).iter().any(|f| test(f));
    let geo = |f: &str| f.starts_with("geo_");
    let apart = of("scalar_functions", &geo)
        || of("plugins", &geo)
        || of("operators", &|f: &str| f.contains("graph"));
    Case {
        id: text(&raw["id"]),
        query: text(&raw["query"]),
        quality: text(&raw["quality"]),
        notes: strings(&raw["notes"]),
        ordered: raw["ordered"].as_bool().unwrap_or(false),
        columns: raw["columns"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|c| (text(&c["name"]), text(&c["type"])))
            .collect(),
        doc_columns: raw["doc_columns"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|c| c.as_str().map(str::to_owned))
            .collect(),
        answers,
        features,
        apart,
    }
}

/// Columns by name and type, and rows.
#[derive(Clone, Debug, Default)]
pub struct Got {
    pub columns: Vec<(String, Type)>,
    pub rows: Vec<Vec<Value>>,
    /// Positions of the columns that the rows are sorted by.
    pub sorted_by: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Pass,
    /// Other rows or columns than documented.
    Fail(String),
    /// No rows: not lifted, not evaluated, refused.
    Unsupported(String),
}

impl Outcome {
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail(_) => "fail",
            Self::Unsupported(_) => "unsupported",
        }
    }

    pub fn reason(&self) -> &str {
        match self {
            Self::Pass => "",
            Self::Fail(r) | Self::Unsupported(r) => r,
        }
    }
}

/// What came of a case.
#[derive(Debug)]
pub struct Report {
    pub got: Option<Got>,
    pub outcome: Outcome,
    pub types: bool,
    pub duck: Option<DuckReport>,
}

#[derive(Debug)]
pub struct DuckReport {
    pub sql: String,
    pub got: Option<Got>,
    /// Against the page.
    pub outcome: Outcome,
    /// Against the evaluator; `None` where one of them has no rows.
    pub agrees: Option<bool>,
    /// What the two agree under where the page says more: something that the conversion says of itself.
    pub under: Option<&'static str>,
}

impl DuckReport {
    pub fn word(&self) -> &'static str {
        match (&self.outcome, self.agrees) {
            (Outcome::Unsupported(r), _) if r.starts_with("error") => "error",
            (Outcome::Unsupported(_), _) => "refused",
            (_, Some(false)) => "differs",
            (Outcome::Pass, _) => "equal",
            (Outcome::Fail(_), _) => self.under.unwrap_or("both-wrong"),
        }
    }
}

/// Runs a case on the evaluator, and on DuckDB where an engine is given.
pub fn run(case: &Case, engine: Option<&Engine>) -> Report {
    let query = match route::guarded(|| route::ir(&case.query)) {
        Ok(query) => query,
        Err(stop) => {
            let outcome = stopped(&stop);
            let duck = engine.map(|_| DuckReport {
                sql: String::new(),
                got: None,
                outcome: outcome.clone(),
                agrees: None,
                under: None,
            });
            return Report { got: None, outcome, types: true, duck };
        }
    };
    let mut report = match route::eval(&query, &MemoryTables::default(), 0) {
        Ok(answer) => {
            let got = got(case, &query, &answer);
            let types = case
                .columns
                .iter()
                .zip(&got.columns)
                .all(|((_, t), (_, g))| t == "unknown" || *t == g.name());
            Report { outcome: against_page(case, &got, false), got: Some(got), types, duck: None }
        }
        Err(stop) => Report { got: None, outcome: stopped(&stop), types: true, duck: None },
    };
    report.duck = engine.map(|engine| on_duckdb(case, &query, report.got.as_ref(), engine));
    report
}

fn got(case: &Case, query: &Query, answer: &Answer) -> Got {
    Got {
        columns: answer.columns.iter().map(|(n, t)| (n.to_string(), *t)).collect(),
        rows: answer.rows.iter().map(|r| r.to_vec()).collect(),
        sorted_by: if case.ordered { route::sort_columns(query).unwrap_or_default() } else { Vec::new() },
    }
}

fn stopped(stop: &Stop) -> Outcome {
    match stop {
        Stop::Panic(why) => Outcome::Fail(format!("panic: {why}")),
        Stop::Lift(_) | Stop::Eval(_) => Outcome::Unsupported(stop.to_string()),
    }
}

fn on_duckdb(case: &Case, query: &Query, eval: Option<&Got>, engine: &Engine) -> DuckReport {
    let none = |sql: String, outcome| DuckReport { sql, got: None, outcome, agrees: None, under: None };
    let lowered = match route::guarded(|| duck::sql(query, NOW).map_err(Stop::Eval)) {
        Ok(lowered) => lowered,
        Err(Stop::Panic(why)) => return none(String::new(), Outcome::Fail(format!("panic: {why}"))),
        Err(stop) => return none(String::new(), Outcome::Unsupported(stop.to_string())),
    };
    let sql = print(&lowered.script);
    let connection = engine.reconnect().expect("a connection");
    // The tables that the query names: there, and empty, as for the evaluator.
    let ddl = ddl_for(Dialect::DUCKDB, query, &lowered.needs);
    if !ddl.is_empty()
        && let Err(e) = connection.execute(&format!("CREATE SCHEMA IF NOT EXISTS needs; USE needs; {ddl}"))
    {
        return none(sql, Outcome::Unsupported(format!("error: {e}")));
    }
    let table = match duck::run(&connection, &sql, Duration::from_secs(20)) {
        Ok(table) => table,
        Err(e) => return none(sql, Outcome::Unsupported(format!("error: {e}"))),
    };
    let _ = connection.execute("USE main; DROP SCHEMA IF EXISTS needs CASCADE");
    // What the conversion says of itself holds for the evaluator too: no digits of times below the microsecond, outside data
    // as it is given.
    let assumed = lowered.assumptions.iter().any(|a| a == TICKS_CUT);
    let again = (assumed || !lowered.needs.is_empty()).then(|| {
        let tables = MemoryTables { tables: lowered.needs.iter().map(empty).collect() };
        let text = if assumed { in_micros(&case.query, query) } else { case.query.clone() };
        let query = route::ir(&text)?;
        route::eval(&query, &tables, 0).map(|answer| got(case, &query, &answer))
    });
    let eval = match &again {
        Some(answer) => answer.as_ref().ok(),
        None => eval,
    };
    let shown: Vec<(SmolStr, Type)> = match eval {
        Some(e) => e.columns.iter().map(|(n, t)| (n.into(), *t)).collect(),
        None => query
            .plan
            .output
            .iter()
            .map(|id| (query.columns.name(*id).into(), query.columns.ty(*id)))
            .collect(),
    };
    let shared = versus::shared(query, &shown, table);
    let columns = shared.places.iter().map(|i| (shown[*i].0.to_string(), shown[*i].1));
    let columns = columns.chain((0..shared.more).map(|i| (format!("too many {i}"), Type::Unknown)));
    let got = Got {
        columns: columns.collect(),
        rows: shared.rows,
        sorted_by: route::sort_columns(query).unwrap_or_default(),
    };
    let under = if assumed {
        Some("equal-in-microseconds")
    } else if shown.len() > shared.places.len() {
        Some("equal-in-shared-columns")
    } else if !lowered.needs.is_empty() {
        Some("equal-without-data")
    } else {
        None
    };
    let rules = Rules { sets: case.quality == "unordered" || versus::collects(query), ..Rules::ENGINES };
    let agrees = eval.map(|e| {
        let row = |a: &Vec<Value>, b: &Vec<Value>| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same::value(a, b, rules))
        };
        let rows: Vec<Vec<Value>> =
            e.rows.iter().map(|r| shared.places.iter().map(|i| r[*i].clone()).collect()).collect();
        let sorted_by: Vec<usize> =
            got.sorted_by.iter().filter_map(|i| shared.places.iter().position(|p| p == i)).collect();
        shared.more == 0
            && in_order(&rows, &got.rows, &sorted_by, row, |a, b| same::value(a, b, rules)).is_ok()
    });
    DuckReport { sql, outcome: against_page(case, &got, true), got: Some(got), agrees, under }
}

fn empty(need: &Need) -> (SmolStr, MemoryTable) {
    let columns = need.columns.iter().map(|(n, t)| (n.clone(), *t)).collect();
    (need.name.clone(), MemoryTable { columns, ..MemoryTable::default() })
}

/// The text of a query without the digits of its times that are below the microsecond.
pub fn in_micros(text: &str, query: &Query) -> String {
    let mut cuts: Vec<(Span, String)> = Vec::new();
    let mut cut = |e: &Expr| {
        match e.as_literal() {
            Some(ruleferry_ir::Value::Datetime(t)) if t % 10 != 0 => {
                cuts.push((e.span, format!("datetime({})", moment(t - t.rem_euclid(10)))));
            }
            Some(ruleferry_ir::Value::Timespan(t)) if t % 10 != 0 => {
                cuts.push((e.span, format!("({} * 1microsecond)", t / 10)));
            }
            _ => {}
        }
        false
    };
    query.plan.any_expr(&mut cut);
    for binding in &query.bindings {
        match &binding.value {
            BindingValue::Table { plan, .. } => plan.any_expr(&mut cut),
            BindingValue::Scalar(e) => e.any(&mut cut),
        };
    }
    cuts.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    cuts.dedup_by_key(|(span, _)| span.start);
    let mut out = text.to_owned();
    for (span, new) in cuts {
        out.replace_range(span.start as usize..span.end as usize, &new);
    }
    out
}

/// Rows as a multiset; where they are sorted, the columns that they are sorted by also in their order.
fn in_order(
    want: &[Vec<Value>],
    got: &[Vec<Value>],
    sorted_by: &[usize],
    row: impl Fn(&Vec<Value>, &Vec<Value>) -> bool,
    cell: impl Fn(&Value, &Value) -> bool,
) -> Result<(), String> {
    if let Err((missing, extra)) = same::matched(want, got, row) {
        return Err(format!("{} of {} rows missing, {} too many", missing.len(), want.len(), extra.len()));
    }
    let ordered = want.iter().zip(got).all(|(w, g)| {
        sorted_by.iter().all(|i| matches!((w.get(*i), g.get(*i)), (Some(a), Some(b)) if cell(a, b)))
    });
    if ordered { Ok(()) } else { Err("order".to_owned()) }
}

/// Compares with the documented rows.
fn against_page(case: &Case, got: &Got, micros: bool) -> Outcome {
    let by_name = case.notes.iter().any(|n| n == "open-schema" || n == "doc-column-order-differs");
    let places: Vec<Option<usize>> = if by_name {
        case.columns.iter().map(|(n, _)| got.columns.iter().position(|(g, _)| g == n)).collect()
    } else {
        (0..case.columns.len()).map(|i| (i < got.columns.len()).then_some(i)).collect()
    };
    if got.columns.len() != case.columns.len() || places.iter().any(Option::is_none) {
        return Outcome::Fail(format!("columns: {} wanted, {} got", case.columns.len(), got.columns.len()));
    }
    let places: Vec<usize> = places.into_iter().flatten().collect();
    for ((name, _), (doc, at)) in case.columns.iter().zip(case.doc_columns.iter().zip(&places)) {
        if doc.as_ref() == Some(name) && got.columns[*at].0 != *name && !micros {
            return Outcome::Fail(format!("column {at} has another name"));
        }
    }
    let rows: Vec<Vec<Value>> =
        got.rows.iter().map(|r| places.iter().map(|p| r[*p].clone()).collect()).collect();
    let sorted_by: Vec<usize> = match case.ordered {
        true => got.sorted_by.iter().filter_map(|i| places.iter().position(|p| p == i)).collect(),
        false => Vec::new(),
    };
    let mut why = String::new();
    for (shown, values) in &case.answers {
        let want: Vec<Vec<Cell>> = values
            .iter()
            .zip(shown)
            .map(|(vs, ts)| {
                let cells = vs.iter().zip(ts).zip(&case.columns);
                cells.map(|((v, t), (_, ty))| Cell::new(v, t, ty, case, micros)).collect()
            })
            .collect();
        match rows_fit(&want, &rows, &sorted_by) {
            Ok(()) => return Outcome::Pass,
            Err(w) => why = w,
        }
    }
    Outcome::Fail(why)
}

fn rows_fit(want: &[Vec<Cell>], got: &[Vec<Value>], sorted_by: &[usize]) -> Result<(), String> {
    let fits = |w: &Vec<Cell>, g: &Vec<Value>| w.iter().zip(g).all(|(w, g)| w.fits(g));
    if let Err((missing, extra)) = same::matched(want, got, fits) {
        let columns = missing.first().zip(extra.first()).map(|(m, e)| {
            let wrong = want[*m].iter().zip(&got[*e]).enumerate().filter(|(_, (w, g))| !w.fits(g));
            wrong.map(|(i, _)| i.to_string()).collect::<Vec<_>>().join(",")
        });
        let columns = columns.map_or_else(String::new, |c| format!(" (column {c})"));
        return Err(format!(
            "rows: {} of {} missing, {} too many{columns}",
            missing.len(),
            want.len(),
            extra.len()
        ));
    }
    let ordered = want.iter().zip(got).all(|(w, g)| sorted_by.iter().all(|i| w[*i].fits(&g[*i])));
    if ordered { Ok(()) } else { Err("rows: in another order".to_owned()) }
}

/// A documented value with how exactly it is compared.
#[derive(Debug)]
struct Cell {
    value: Value,
    /// The type is known only when run: compared as text.
    text: Option<String>,
    rules: Rules,
}

impl Cell {
    fn new(value: &Raw, shown: &Raw, ty: &str, case: &Case, micros: bool) -> Self {
        let shown = shown.as_str().map_or_else(|| shown.to_string(), str::to_owned);
        let rules = Rules {
            relative: if case.quality == "approximate" { 1e-2 } else { 1e-9 },
            absolute: if ty == "real" { same::unit_of_last_digit(&shown) } else { 0.0 },
            last_digit: true,
            micros,
            loose_text: true,
            sets: case.quality == "unordered",
        };
        let text = (ty == "unknown").then(|| match value {
            Raw::Null => String::new(),
            Raw::String(s) => s.clone(),
            other => other.to_string(),
        });
        let read = match (value, Type::parse(ty)) {
            (Raw::Null, _) => Value::Null,
            (Raw::Bool(b), Some(Type::Bool)) => Value::Bool(*b),
            (Raw::Number(n), Some(Type::Bool | Type::Int | Type::Long)) => {
                n.as_i64().map_or(Value::Null, Value::Long)
            }
            (Raw::Number(n), Some(Type::Real)) => Value::Real(n.as_f64().unwrap_or(f64::NAN)),
            (Raw::String(s), Some(Type::Real)) => Value::Real(match s.as_str() {
                "Infinity" => f64::INFINITY,
                "-Infinity" => f64::NEG_INFINITY,
                _ => f64::NAN,
            }),
            (Raw::String(s), Some(Type::Decimal)) => s.parse::<Decimal>().map_or(Value::Null, Value::Decimal),
            (Raw::Number(n), Some(Type::Decimal)) => {
                n.to_string().parse::<Decimal>().map_or(Value::Null, Value::Decimal)
            }
            (Raw::String(s), Some(Type::Datetime)) => text::datetime(s).map_or(Value::Null, Value::Datetime),
            (Raw::Number(n), Some(Type::Timespan)) => n.as_i64().map_or(Value::Null, Value::Timespan),
            (Raw::String(s), Some(Type::Guid)) => text::guid(s).map_or(Value::Null, Value::Guid),
            (Raw::String(s), Some(Type::String)) => Value::string(s.as_str()),
            (v, _) => Value::dynamic(text::json(v)),
        };
        Self { value: read, text, rules }
    }

    fn fits(&self, got: &Value) -> bool {
        let Some(text) = &self.text else { return same::value(&self.value, got, self.rules) };
        let shown = match cast(got, Type::String) {
            Value::String(s) => s.to_string(),
            _ => String::new(),
        };
        let numbers = || Some((text.parse::<f64>().ok()?, shown.parse::<f64>().ok()?));
        shown.trim() == text.trim()
            || numbers().is_some_and(|(a, b)| (a - b).abs() <= a.abs() * self.rules.relative)
            || same::value(&self.value, got, self.rules)
    }
}

/// A value for people.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Dynamic(j) => shown_json(j),
        Value::String(s) => format!("{s:?}"),
        Value::Datetime(t) => format!("datetime({})", moment(*t)),
        Value::Timespan(t) => format!("timespan({}s)", *t as f64 / 1e7),
        other => format!("{other:?}"),
    }
}

/// A time as RFC 3339 with seven digits.
pub fn moment(ticks: i64) -> String {
    let nanos = (i128::from(ticks) - i128::from(text::UNIX_EPOCH)) * 100;
    ruleferry_duckdb::Value::Timestamp(nanos).to_string()
}

fn shown_json(json: &Json) -> String {
    match json {
        Json::Null => "null".to_owned(),
        Json::Bool(b) => b.to_string(),
        Json::Long(n) => n.to_string(),
        Json::Real(x) => format!("{x:?}"),
        Json::String(s) => format!("{s:?}"),
        Json::Datetime(t) => format!("datetime({})", moment(*t)),
        Json::Timespan(t) => format!("timespan({}s)", *t as f64 / 1e7),
        Json::Array(items) => format!("[{}]", items.iter().map(shown_json).collect::<Vec<_>>().join(",")),
        Json::Object(map) => {
            format!(
                "{{{}}}",
                map.iter().map(|(k, v)| format!("{k:?}:{}", shown_json(v))).collect::<Vec<_>>().join(",")
            )
        }
    }
}
