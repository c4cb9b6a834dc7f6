//! Random queries: a typed generator of KQL over three tables.
//!
//! In: a seed. Out: a query as a list of steps that can be left out one by one, and the rows of its tables. Text, not IR, is
//! made, so that parsing and lifting are tested on the way; half of the queries then get their tables as scans in place of
//! literal rows. After a step that leaves a choice open (`take`, `arg_max` …) no further one comes: its effects cannot be told
//! from a fault.

mod expr;
mod rare;
mod steps;

use self::steps::Generator;
use crate::random::Random;
use crate::route::{self, NOW, Stop};
use crate::text::{TICKS_A_DAY, json, json_text};
use crate::{conformance, versus};
use ruleferry_diag::Span;
use ruleferry_eval::{MemoryTable, MemoryTables, Row, Value};
use ruleferry_ir::{BindingValue, Op, Query, Scan, Source, TableName, Type};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const SECOND: i64 = 10_000_000;

/// One step of the pipeline: `head item, item tail`.
#[derive(Clone, Debug)]
pub struct Step {
    /// The operator, with the kind of a join, for the counts.
    pub kind: String,
    pub head: String,
    pub items: Vec<String>,
    pub tail: String,
}

#[derive(Clone, Debug)]
pub struct Case {
    pub steps: Vec<Step>,
    pub tables: MemoryTables,
    /// The tables are scanned; otherwise their rows stand in the text.
    pub scans: bool,
}

type Column = (String, Type);

const TABLES: &[(&str, &[(&str, Type)])] = &[
    (
        "T1",
        &[
            ("k", Type::String),
            ("s", Type::String),
            ("n", Type::Long),
            ("i", Type::Int),
            ("r", Type::Real),
            ("b", Type::Bool),
            ("t", Type::Datetime),
            ("d", Type::Timespan),
            ("j", Type::Dynamic),
            ("g", Type::Guid),
        ],
    ),
    (
        "T2",
        &[
            ("k", Type::String),
            ("n", Type::Long),
            ("s2", Type::String),
            ("t2", Type::Datetime),
            ("j2", Type::Dynamic),
        ],
    ),
    ("T3", &[("k", Type::String), ("n", Type::Long), ("r", Type::Real), ("u", Type::String)]),
];

const KEYS: &[&str] = &["alpha", "Alpha", "beta", "", "Ärger", "7"];
const STRINGS: &[&str] = &[
    "alpha",
    "ALPHA",
    "beta",
    "alpha beta",
    "Beta,alpha",
    "ñandú",
    "ÑANDÚ x",
    "10.0.0.5",
    "192.168.1.20",
    "a.b.c",
    "x=1;y=2",
    "key=alpha id=7 ",
    "{\"a\":1,\"b\":\"alpha\"}",
    "[1,2,3]",
    "2026-01-15T10:00:00Z",
    "7",
    "-3",
    "1.5",
    " pad ",
    "日本語 alpha",
    "C:\\Temp\\a_b.exe",
    "50%",
    "it's \"q\"",
    "https://example.com/p?q=a%20b",
    "alphabet",
    "éa",
    "no7digits 42",
    "",
];
const JSONS: &[&str] = &[
    "{\"a\":1,\"b\":\"alpha\",\"c\":[1,2,3]}",
    "{\"a\":2.5,\"b\":\"Beta\"}",
    "{\"a\":null,\"b\":true}",
    "[1,2,3]",
    "[\"alpha\",\"beta\",null]",
    "[]",
    "{}",
    "\"alpha\"",
    "7",
    "true",
    "{\"a\":{\"b\":\"x\"},\"c\":[{\"a\":1},{\"a\":\"y\"}]}",
    "[{\"a\":1,\"b\":\"alpha\"},{\"a\":2}]",
    "{\"b\":\"2026-01-15T10:00:00Z\",\"c\":[\"x\",\"y\"]}",
];
const LONGS: &[i64] = &[0, 1, 2, 3, 5, 7, 10, -1, -4, 42, 100, 4624];
const REALS: &[f64] = &[0.0, 1.0, 1.5, -2.25, 10.0, 0.5, 100.75, -0.25];

fn value(ty: Type, column: &str, random: &mut Random) -> Value {
    if random.percent(12) {
        return Value::Null;
    }
    match ty {
        Type::String if column == "k" => Value::string(*random.pick(KEYS)),
        Type::String | Type::Unknown => Value::string(*random.pick(STRINGS)),
        Type::Long => Value::Long(*random.pick(LONGS)),
        Type::Int => Value::Int(i32::try_from(*random.pick(LONGS)).unwrap_or(0)),
        Type::Real | Type::Decimal => Value::Real(*random.pick(REALS)),
        Type::Bool => Value::Bool(random.percent(50)),
        Type::Datetime => Value::Datetime(moment(random)),
        Type::Timespan => Value::Timespan(*random.pick(&[
            0,
            SECOND,
            90 * SECOND,
            3600 * SECOND,
            TICKS_A_DAY,
            -60 * SECOND,
            15_000_000,
        ])),
        Type::Guid => {
            Value::Guid(u128::from(random.number() % 4) + 0x1111_2222_3333_4444_5555_6666_7777_8880)
        }
        Type::Dynamic => {
            Value::dynamic(json(&serde_json::from_str(random.pick::<&str>(JSONS)).expect("JSON")))
        }
    }
}

fn moment(random: &mut Random) -> i64 {
    let ages = [0, 1, 60, 1800, 3600, 3601, 7200, 86_400, 86_401, 200_000, 2_600_000, -30];
    NOW - random.pick(&ages) * SECOND - if random.percent(15) { 1_234_560 } else { 0 }
}

/// Rows of the three tables.
pub fn tables(seed: u64) -> MemoryTables {
    let mut random = Random::new(seed);
    let mut tables = MemoryTables::default();
    for (name, columns) in TABLES {
        let count = match random.below(12) {
            0 => 0,
            n => n + 2,
        };
        let mut rows: Vec<Row> = Vec::new();
        for _ in 0..count {
            let copy = !rows.is_empty() && random.percent(12);
            let row = if copy {
                Row::clone(random.pick(&rows))
            } else {
                columns.iter().map(|(c, t)| value(*t, c, &mut random)).collect()
            };
            rows.push(row);
        }
        let columns = columns.iter().map(|(n, t)| ((*n).into(), *t)).collect();
        tables.tables.insert((*name).into(), MemoryTable { columns, rows, events: None });
    }
    tables
}

/// Puts the empty text in place of null.
pub fn without_null_texts(tables: &mut MemoryTables) {
    for table in tables.tables.values_mut() {
        for row in &mut table.rows {
            let filled = row.iter().zip(&table.columns).map(|(v, (_, ty))| match v {
                Value::Null if *ty == Type::String => Value::EMPTY,
                other => other.clone(),
            });
            *row = filled.collect();
        }
    }
}

impl Case {
    pub fn text(&self) -> String {
        text(&self.tables, &self.steps, !self.scans)
    }

    /// The IR, its tables as scans if so wanted.
    pub fn query(&self) -> Result<Query, Stop> {
        let text = self.text();
        let mut query = route::guarded(|| route::ir(&text))?;
        if self.scans {
            for binding in &mut query.bindings {
                if let BindingValue::Table { plan, .. } = &mut binding.value
                    && matches!(&*plan.op, Op::Values(_))
                    && self.tables.tables.contains_key(binding.name.as_str())
                {
                    let name = TableName { qualifiers: Vec::new(), name: binding.name.clone() };
                    *plan.op = Op::Scan(Scan { source: Source::Table(name), open: false, time: None });
                    plan.span = Span::default();
                }
            }
        }
        Ok(query)
    }
}

/// A query over `let` tables, with their rows or without.
fn text(tables: &MemoryTables, steps: &[Step], rows: bool) -> String {
    let mut out = String::new();
    for (name, table) in &tables.tables {
        let columns: Vec<String> = table.columns.iter().map(|(n, t)| format!("{n}:{t}")).collect();
        let _ = write!(out, "let {name} = datatable({})[", columns.join(", "));
        if rows {
            for row in &table.rows {
                let values = row.iter().zip(&table.columns).map(|(v, (_, t))| literal(v, *t));
                let _ = write!(out, "\n    {},", values.collect::<Vec<_>>().join(", "));
            }
        }
        out.push_str("];\n");
    }
    for (n, step) in steps.iter().enumerate() {
        let bar = if n == 0 { "" } else { "| " };
        let _ = writeln!(out, "{bar}{}{}{}", step.head, step.items.join(", "), step.tail);
    }
    out
}

fn literal(value: &Value, ty: Type) -> String {
    match value {
        Value::Null if ty == Type::String => "\"\"".to_owned(),
        Value::Null => format!("{ty}(null)"),
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => format!("int({n})"),
        Value::Long(n) => n.to_string(),
        Value::Real(x) => format!("real({x:?})"),
        Value::String(s) => serde_json::Value::from(s.as_str()).to_string(),
        Value::Datetime(t) => format!("datetime({})", conformance::moment(*t)),
        Value::Timespan(t) => format!("{}tick", t),
        Value::Guid(_) => format!("guid({})", versus::guid_text(value)),
        Value::Dynamic(j) => format!("dynamic({})", json_text(j)),
        Value::Decimal(d) => format!("decimal({d})"),
    }
}

/// A query over tables that were made already.
pub fn generate(tables: &MemoryTables, seed: u64) -> Case {
    let mut g = Generator::new(tables, seed);
    g.source();
    let count = 1 + g.random.below(5);
    for _ in 0..count {
        if g.done {
            break;
        }
        g.step();
    }
    let scans = g.random.percent(50);
    Case { steps: g.steps, tables: tables.clone(), scans }
}

/// What the generator makes: every operator of the IR but those that read from outside of the tables (globs, inputs) and those
/// that no engine runs, every kind of join, and some operators in more than one form.
pub const OPERATORS: &[&str] = &[
    "count",
    "distinct",
    "distinct *",
    "evaluate bag_unpack",
    "evaluate narrow",
    "evaluate pivot",
    "extend",
    "find",
    "getschema",
    "join kind=fullouter",
    "join kind=inner",
    "join kind=innerunique",
    "join kind=leftanti",
    "join kind=leftouter",
    "join kind=leftsemi",
    "join kind=rightanti",
    "join kind=rightouter",
    "join kind=rightsemi",
    "join of other names",
    "lookup",
    "lookup kind=inner",
    "make-series",
    "make-series of values",
    "mv-apply",
    "mv-expand",
    "mv-expand of two",
    "parse",
    "parse-kv",
    "parse-where",
    "partition",
    "partition rows",
    "print",
    "project",
    "project-away",
    "project-keep",
    "project-rename",
    "project-reorder",
    "range",
    "render",
    "sample",
    "sample-distinct",
    "scan",
    "search",
    "search of rows",
    "serialize",
    "sort",
    "summarize",
    "summarize *",
    "summarize by",
    "table",
    "take",
    "top",
    "top-nested",
    "toscalar",
    "union",
    "where",
    "where any column",
    "where in query",
    "window",
];

/// The operators of a query, each once.
pub fn kinds(case: &Case) -> Vec<&str> {
    let mut kinds: Vec<&str> = case.steps.iter().map(|s| s.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// A smaller case that still differs.
pub fn shrunk(case: &Case, differs: &dyn Fn(&Case) -> bool) -> Case {
    let mut best = case.clone();
    for _ in 0..3 {
        let before = best.text().len();
        // Steps from the end, then single ones.
        let mut at = best.steps.len();
        while at > 1 {
            at -= 1;
            let mut fewer = best.clone();
            fewer.steps.remove(at);
            if differs(&fewer) {
                best = fewer;
            }
        }
        for step in 0..best.steps.len() {
            let mut at = best.steps[step].items.len();
            while at > 0 && best.steps[step].items.len() > 1 {
                at -= 1;
                let mut fewer = best.clone();
                fewer.steps[step].items.remove(at);
                if differs(&fewer) {
                    best = fewer;
                }
            }
        }
        let names: Vec<_> = best.tables.tables.keys().cloned().collect();
        for name in names {
            let mut size = best.tables.tables[&name].rows.len();
            while size > 0 {
                let mut at = 0;
                while at < best.tables.tables[&name].rows.len() {
                    let mut fewer = best.clone();
                    let rows = &mut fewer.tables.tables[&name].rows;
                    let end = (at + size).min(rows.len());
                    rows.drain(at..end);
                    if differs(&fewer) {
                        best = fewer;
                    } else {
                        at += size;
                    }
                }
                size /= 2;
            }
        }
        if best.text().len() == before {
            break;
        }
    }
    best
}

/// How many cases have each operator.
pub fn counted(counts: &mut BTreeMap<String, usize>, case: &Case) {
    for kind in kinds(case) {
        *counts.entry(kind.to_owned()).or_default() += 1;
    }
}
