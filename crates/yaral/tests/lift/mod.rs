//! What rules find, run by the reference evaluator on events that each test writes.

mod envelope;
mod events;
mod faults;
mod functions;
mod groups;
mod joins;
mod outcomes;
mod repeated;

use indexmap::IndexMap;
use ruleferry_eval::{
    Answer, MemoryTable, MemoryTables, Options, Value, cast, evaluate, json_text, parse_json,
};
use ruleferry_ir::{Json, Op, Query, Rule, Scan, Source, Type};
use ruleferry_yaral::lift::{Lifted, lift};
use ruleferry_yaral::syntax::parse;
use smol_str::SmolStr;

/// 2026-01-15T12:00:00Z
const NOW: i64 = 639_040_752_000_000_000;

pub fn lifted(text: &str) -> Lifted {
    let parsed = parse(text);
    assert!(!parsed.has_errors(), "{:?}", parsed.diagnostics);
    lift(&parsed.file.rules[0]).unwrap_or_else(|d| panic!("{d:?}\n{text}"))
}

/// A rule with one event variable and no outcome.
pub fn simple(events: &str) -> String {
    format!("rule r {{ events: {events} condition: $e }}")
}

fn at(json: &Json, path: &str) -> Value {
    let found = path.split('.').try_fold(json, |json, part| match json {
        Json::Object(members) => members.get(part),
        _ => None,
    });
    found.map_or(Value::Null, |j| Value::dynamic(j.clone()))
}

/// Each line of `events` is an event in JSON; of `GRAPH` those that have `entity`.
fn tables(query: &Query, events: &str) -> MemoryTables {
    let all: Vec<Json> = events
        .lines()
        .filter(|l| !l.trim().is_empty())
        .map(|l| parse_json(l).unwrap_or_else(|| panic!("no JSON: {l}")))
        .collect();
    let mut columns: IndexMap<SmolStr, IndexMap<SmolStr, Type>> = IndexMap::new();
    query.for_each_plan(&mut |plan| {
        let Op::Scan(Scan { source, .. }) = &*plan.op else { return };
        let name = match source {
            Source::Table(table) => table.name.clone(),
            Source::Input(input) => input.name.clone(),
            Source::Glob(glob) => glob.clone(),
        };
        let known = columns.entry(name).or_default();
        for id in plan.output.iter() {
            known.insert(query.columns.name(*id).into(), query.columns.ty(*id));
        }
    });
    let mut tables = MemoryTables::default();
    for (name, columns) in columns {
        let rows = all.iter().filter(|e| match name.as_str() {
            "UDM" => at(e, "list").is_null() && at(e, "entity").is_null(),
            "GRAPH" => !at(e, "entity").is_null(),
            list => at(e, "list").text() == Some(list),
        });
        let rows = rows
            .map(|e| {
                let values = columns.iter().map(|(path, ty)| match at(e, path) {
                    Value::Null => Value::Null,
                    value if *ty == Type::Dynamic => value,
                    value => cast(&value, *ty),
                });
                values.collect()
            })
            .collect();
        let table = MemoryTable { columns: columns.into_iter().collect(), rows, events: None };
        tables.tables.insert(name, table);
    }
    tables
}

pub fn answer(rule: &Rule, events: &str) -> Answer {
    let tables = tables(&rule.query, events);
    let answer = evaluate(&rule.query, &tables, Options::at(NOW));
    answer.unwrap_or_else(|f| panic!("{f}\n{}", ruleferry_ir::text(&rule.query)))
}

fn shown(value: &Value, ty: Type) -> String {
    match value {
        Value::Null if ty == Type::String => String::new(),
        Value::Null => "null".into(),
        Value::Dynamic(json) => {
            // Sets have no order.
            if let Json::Array(items) = &**json {
                let mut items: Vec<String> = items.iter().map(|i| json_text(i).to_string()).collect();
                items.sort();
                return format!("[{}]", items.join(","));
            }
            json_text(json).to_string()
        }
        other => cast(other, Type::String).text().unwrap_or_default().to_owned(),
    }
}

/// The values of some columns of each row found, sorted.
pub fn found(text: &str, columns: &[&str], events: &str) -> Vec<String> {
    let answer = answer(&lifted(text).rule, events);
    let places: Vec<usize> = columns
        .iter()
        .map(|c| {
            let at = answer.columns.iter().position(|(n, _)| n == c);
            at.unwrap_or_else(|| panic!("no column {c} in {:?}", answer.columns))
        })
        .collect();
    let row = |r: &ruleferry_eval::Row| {
        places.iter().map(|p| shown(&r[*p], answer.columns[*p].1)).collect::<Vec<_>>().join(" ")
    };
    let mut rows: Vec<String> = answer.rows.iter().map(row).collect();
    rows.sort();
    rows
}

/// The ids of the events that predicates find; each event has an id in `metadata.id`.
pub fn ids(predicates: &str, events: &str) -> String {
    let text = simple(&format!("$e.metadata.id != \"\" {predicates}"));
    found(&text, &["metadata.id"], events).join(" ")
}
