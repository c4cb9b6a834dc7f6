//! Real events and the Sigma rules that must fire on them, on three routes: the evaluator, SQL on DuckDB, and the rule as KQL,
//! read back, on the evaluator. Every rule runs over the events of every case.

use crate::route::{self, NOW, Stop};
use crate::{duck, snapshot};
use ruleferry_duckdb::{Engine, Value as Cell};
use ruleferry_eval::{MemoryTable, Options, Request, Row, Tables, Value, evaluate};
use ruleferry_ir::{ColId, Columns, Op, Plan, Query, Scan, Source, Type};
use ruleferry_sigma::lift::LiftOptions;
use ruleferry_sql::print;
use serde_json::Value as Raw;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

/// The number of an event, a column beside its fields.
const NUMBER: &str = "n_";

#[derive(Debug)]
pub struct Case {
    pub id: String,
    pub rule: String,
    /// The numbers of its events among all.
    pub own: std::ops::Range<usize>,
    pub expected: Option<usize>,
}

/// All events, flattened, and the cases.
#[derive(Debug, Default)]
pub struct Cases {
    pub cases: Vec<Case>,
    pub events: Vec<BTreeMap<String, String>>,
}

pub fn load() -> Cases {
    let folder = snapshot::shared().join("corpus/sigma-regression");
    let read = |path: &str| {
        let path = folder.join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    };
    let mut all = Cases::default();
    for line in read("cases.jsonl").lines() {
        let case: Raw = serde_json::from_str(line).expect("a case is JSON");
        let events: Vec<Raw> =
            serde_json::from_str(&read(case["events"].as_str().expect("a path"))).expect("events are JSON");
        let first = all.events.len();
        all.events.extend(events.iter().map(flat));
        all.cases.push(Case {
            id: case["rule_id"].as_str().unwrap_or_default().to_owned(),
            rule: case["rule"].as_str().unwrap_or_default().to_owned(),
            own: first..all.events.len(),
            expected: case["expect_match"].as_u64().and_then(|n| usize::try_from(n).ok()),
        });
    }
    all
}

/// The fields that Sigma rules name, as text; `_raw` holds all values, one a line.
fn flat(event: &Raw) -> BTreeMap<String, String> {
    let event = &event["Event"];
    let mut fields = BTreeMap::new();
    let mut put = |name: &str, value: &Raw| {
        let text = match value {
            Raw::Null => return,
            Raw::String(s) => s.clone(),
            other => other.to_string(),
        };
        fields.entry(name.to_owned()).or_insert(text);
    };
    for (name, value) in event["EventData"].as_object().into_iter().flatten() {
        put(name, value);
    }
    for inner in event["UserData"].as_object().into_iter().flatten().filter_map(|(_, v)| v.as_object()) {
        inner.iter().filter(|(n, _)| *n != "#attributes").for_each(|(n, v)| put(n, v));
    }
    let system = &event["System"];
    put("Provider_Name", &system["Provider"]["#attributes"]["Name"]);
    for (name, value) in system.as_object().into_iter().flatten().filter(|(_, v)| !v.is_object()) {
        put(name, value);
    }
    let raw = fields.values().cloned().collect::<Vec<_>>().join("\n");
    fields.insert("_raw".to_owned(), raw);
    fields
}

/// All events under every name.
struct Everywhere(MemoryTable);

impl Everywhere {
    fn new(events: &[BTreeMap<String, String>]) -> Self {
        let names: BTreeSet<&String> = events.iter().flat_map(BTreeMap::keys).collect();
        let mut columns: Vec<(SmolStr, Type)> = vec![(NUMBER.into(), Type::Long)];
        columns.extend(names.iter().map(|n| (SmolStr::new(n), Type::String)));
        let rows = events.iter().enumerate().map(|(n, e)| {
            let values = names.iter().map(|f| e.get(*f).map_or(Value::Null, |v| Value::string(v.as_str())));
            [Value::Long(i64::try_from(n).unwrap_or(0))].into_iter().chain(values).collect()
        });
        let texts = events.iter().map(|e| SmolStr::new(&e["_raw"])).collect();
        Self(MemoryTable { columns, rows: rows.collect(), events: Some(texts) })
    }
}

impl Tables for Everywhere {
    fn scan(&self, request: &Request<'_>) -> Result<Option<Vec<Row>>, ruleferry_eval::Fault> {
        let mut one = ruleferry_eval::MemoryTables::default();
        one.tables.insert(request.table.into(), self.0.clone());
        one.scan(request)
    }

    fn names(&self) -> Vec<SmolStr> {
        Vec::new()
    }

    fn columns(&self, _table: &str) -> Option<Vec<(SmolStr, Type)>> {
        Some(self.0.columns.clone())
    }
}

/// Passes the number of the event through a plan of filters. Whether it is one.
fn numbered(plan: &mut Plan, columns: &mut Columns) -> Option<ColId> {
    let id = match &mut *plan.op {
        Op::Scan(Scan { source: Source::Table(_), .. }) => columns.add(NUMBER, Type::Long, plan.span),
        Op::Filter { input, .. } | Op::Extend { input, .. } => numbered(input, columns)?,
        _ => return None,
    };
    plan.output = plan.output.iter().copied().chain([id]).collect();
    Some(id)
}

type Found = Result<BTreeSet<usize>, String>;

fn on_evaluator(query: &Query, tables: &dyn Tables) -> Found {
    let mut query = query.clone();
    if numbered(&mut query.plan, &mut query.columns).is_none() {
        return Err("the plan is more than filters".to_owned());
    }
    let answer = route::guarded(|| {
        evaluate(&query, tables, Options::at(NOW))
            .map_err(|f| Stop::Eval(format!("{}: {}", f.code.0, f.message)))
    });
    let answer = answer.map_err(|s| s.to_string())?;
    let number = |row: &Row| row.last().and_then(Value::as_long).and_then(|n| usize::try_from(n).ok());
    Ok(answer.rows.iter().filter_map(number).collect())
}

fn on_duckdb(query: &Query, engine: &Engine, columns: &BTreeSet<String>) -> Found {
    let lowered = duck::sql(query, NOW)?;
    let mut setup = String::new();
    query.for_each_plan(&mut |plan| {
        let Op::Scan(Scan { source: Source::Table(table), .. }) = &*plan.op else { return };
        let missing: String = plan
            .output
            .iter()
            .map(|id| query.columns.name(*id))
            .filter(|n| !columns.contains(*n))
            .fold(String::new(), |out, n| format!("{out}, NULL::VARCHAR AS {}", quoted(n)));
        let _ = writeln!(
            setup,
            "CREATE OR REPLACE TEMP VIEW {} AS SELECT *{missing} FROM all_events;",
            quoted(&table.name)
        );
    });
    let connection = engine.reconnect().map_err(|e| e.to_string())?;
    connection.execute(&setup).map_err(|e| format!("{e} in {setup}"))?;
    let table = duck::run(&connection, &print(&lowered.script), Duration::from_secs(60))?;
    let found = table.column(NUMBER).ok_or("the number of the event is gone")?;
    Ok(found.filter_map(|v| if let Cell::Int(n) = v { usize::try_from(*n).ok() } else { None }).collect())
}

fn through_kql(query: &Query, tables: &dyn Tables) -> Found {
    let options = ruleferry_kql::lower::LowerOptions { now: Some(NOW), look_back: None };
    let lowered = ruleferry_kql::lower::lower(query, &options)
        .map_err(|ds| ds.first().map_or_else(String::new, |d| d.message.clone()))?;
    let text = ruleferry_kql::syntax::print(&lowered.query);
    let back = route::guarded(|| route::ir(&text)).map_err(|s| format!("read back: {s}"))?;
    on_evaluator(&back, tables)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What came of a rule.
#[derive(Debug)]
pub struct Report {
    pub id: String,
    /// Own events found, own events, and how many must be found.
    pub own: (usize, usize, usize),
    pub found: usize,
    /// What is wrong; empty if nothing.
    pub faults: Vec<String>,
}

/// Runs every rule over all events.
pub fn run(cases: &Cases, engine: Option<&Engine>) -> Vec<Report> {
    let tables = Everywhere::new(&cases.events);
    let columns: BTreeSet<String> = tables.0.columns.iter().map(|(n, _)| n.to_string()).collect();
    if let Some(engine) = engine {
        engine.execute(&setup(&tables.0)).expect("the events fit a table");
    }
    cases.cases.iter().map(|case| rule(case, &tables, engine, &columns)).collect()
}

fn setup(table: &MemoryTable) -> String {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|(n, t)| format!("{} {}", quoted(n), if *t == Type::Long { "INTEGER" } else { "VARCHAR" }))
        .collect();
    let mut sql = format!("CREATE TABLE all_events ({});\n", columns.join(", "));
    for row in &table.rows {
        let values: Vec<String> = row
            .iter()
            .map(|v| match v {
                Value::String(s) => literal(s),
                Value::Long(n) => n.to_string(),
                _ => "NULL".to_owned(),
            })
            .collect();
        let _ = writeln!(sql, "INSERT INTO all_events VALUES ({});", values.join(", "));
    }
    sql
}

fn rule(case: &Case, tables: &Everywhere, engine: Option<&Engine>, columns: &BTreeSet<String>) -> Report {
    let mut report = Report {
        id: case.id.clone(),
        own: (0, case.own.len(), case.expected.unwrap_or(1)),
        found: 0,
        faults: Vec::new(),
    };
    let path = snapshot::shared().join("corpus/sigma").join(&case.rule);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let parsed = ruleferry_sigma::syntax::parse(&text);
    let rules = parsed.rules();
    let Some(document) = rules.first() else {
        report.faults.push("no rule".to_owned());
        return report;
    };
    let lifted = match ruleferry_sigma::lift::lift(document, &LiftOptions::default()) {
        Ok(lifted) => lifted,
        Err(ds) => {
            report.faults.push(format!("lift: {}", ds.first().map_or("", |d| d.message.as_str())));
            return report;
        }
    };
    let query = &lifted.rule.query;
    let found = match on_evaluator(query, tables) {
        Ok(found) => found,
        Err(why) => {
            report.faults.push(format!("evaluator: {why}"));
            return report;
        }
    };
    report.found = found.len();
    report.own.0 = found.iter().filter(|n| case.own.contains(n)).count();
    if report.own.0 < report.own.2 {
        report.faults.push("own events missed".to_owned());
    }
    let mut same = |route: &str, other: Found| match other {
        Ok(other) if other == found => {}
        Ok(other) => {
            let more: Vec<&usize> = other.difference(&found).collect();
            let less: Vec<&usize> = found.difference(&other).collect();
            report.faults.push(format!("{route}: more {more:?}, less {less:?}"));
        }
        Err(why) => report.faults.push(format!("{route}: {why}")),
    };
    if let Some(engine) = engine {
        same("DuckDB", on_duckdb(query, engine, columns));
    }
    same("KQL", through_kql(query, tables));
    report
}
