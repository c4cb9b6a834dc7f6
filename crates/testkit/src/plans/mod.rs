//! Random queries: a typed generator of KQL over three tables.
//!
//! In: a seed. Out: a query as a list of steps that can be left out one by one, and the rows of its tables. Text, not IR, is
//! made, so that parsing and lifting are tested on the way; half of the queries then get their tables as scans in place of
//! literal rows. After a step that leaves a choice open (`take`, `arg_max` …) no further one comes: its effects cannot be told
//! from a fault.

mod expr;

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
        let mut out = String::new();
        for (name, table) in &self.tables.tables {
            let columns: Vec<String> = table.columns.iter().map(|(n, t)| format!("{n}:{t}")).collect();
            let _ = write!(out, "let {name} = datatable({})[", columns.join(", "));
            if !self.scans {
                for row in &table.rows {
                    let values = row.iter().zip(&table.columns).map(|(v, (_, t))| literal(v, *t));
                    let _ = write!(out, "\n    {},", values.collect::<Vec<_>>().join(", "));
                }
            }
            out.push_str("];\n");
        }
        for (n, step) in self.steps.iter().enumerate() {
            let bar = if n == 0 { "" } else { "| " };
            let _ = writeln!(out, "{bar}{}{}{}", step.head, step.items.join(", "), step.tail);
        }
        out
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
    let mut g = Generator {
        random: Random::new(seed),
        columns: Vec::new(),
        steps: Vec::new(),
        names: 0,
        done: false,
    };
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

/// The operators of a query, each once.
pub fn kinds(case: &Case) -> Vec<&str> {
    let mut kinds: Vec<&str> = case.steps.iter().map(|s| s.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

struct Generator {
    random: Random,
    columns: Vec<Column>,
    steps: Vec<Step>,
    names: usize,
    /// What comes now would rest on an open choice.
    done: bool,
}

impl Generator {
    fn push(&mut self, kind: &str, head: impl Into<String>, items: Vec<String>, tail: impl Into<String>) {
        self.steps.push(Step { kind: kind.into(), head: head.into(), items, tail: tail.into() });
    }

    fn fresh(&mut self) -> String {
        self.names += 1;
        format!("x{}", self.names)
    }

    fn pct(&mut self, p: usize) -> bool {
        self.random.percent(p)
    }

    fn source(&mut self) {
        match self.random.below(16) {
            0 => {
                let n = 1 + self.random.below(6);
                self.push(
                    "range",
                    format!("range n from -1 to {n} step {}", 1 + self.random.clone().below(2)),
                    vec![],
                    "",
                );
                self.columns = vec![("n".into(), Type::Long)];
            }
            1 => {
                let items: Vec<(String, Type, String)> = [Type::String, Type::Long, Type::Datetime]
                    .into_iter()
                    .map(|t| (self.fresh(), t, self.expr(t, 2)))
                    .collect();
                self.push(
                    "print",
                    "print ",
                    items.iter().map(|(n, _, e)| format!("{n} = {e}")).collect(),
                    "",
                );
                self.columns = items.into_iter().map(|(n, t, _)| (n, t)).collect();
            }
            2 => {
                let kind = if self.pct(40) { "inner" } else { "outer" };
                let source = self.pct(50);
                let with = if source { " withsource=src" } else { "" };
                self.push("union", format!("union kind={kind}{with} T2, T3"), vec![], "");
                self.columns = vec![("k".into(), Type::String), ("n".into(), Type::Long)];
                if source {
                    // The names of the inputs.
                    self.columns.push(("src".into(), Type::String));
                }
                if kind == "outer" {
                    let rest = [
                        ("s2", Type::String),
                        ("t2", Type::Datetime),
                        ("r", Type::Real),
                        ("u", Type::String),
                    ];
                    self.columns.extend(rest.map(|(n, t)| (n.to_owned(), t)));
                }
            }
            3 => {
                let word = self.word();
                self.push("search", format!("search in (T2, T3) {word}"), vec![], "");
                self.columns = vec![("k".into(), Type::String), ("n".into(), Type::Long)];
            }
            n => {
                let (name, columns) = TABLES[if n < 12 { 0 } else { 1 + n % 2 }];
                self.push("table", name, vec![], "");
                self.columns = columns.iter().map(|(n, t)| ((*n).to_owned(), *t)).collect();
            }
        }
    }

    fn of(&mut self, ty: Type) -> Option<String> {
        let fitting: Vec<&Column> = self.columns.iter().filter(|(_, t)| *t == ty).collect();
        (!fitting.is_empty()).then(|| self.random.pick(&fitting).0.clone())
    }

    fn any(&mut self, test: impl Fn(Type) -> bool) -> Option<Column> {
        let fitting: Vec<&Column> = self.columns.iter().filter(|(_, t)| test(*t)).collect();
        (!fitting.is_empty()).then(|| (*self.random.pick(&fitting)).clone())
    }

    fn ty(&mut self) -> Type {
        *self.random.pick(&[
            Type::String,
            Type::String,
            Type::Long,
            Type::Long,
            Type::Real,
            Type::Bool,
            Type::Datetime,
            Type::Timespan,
            Type::Dynamic,
        ])
    }

    fn step(&mut self) {
        match self.random.below(34) {
            0..=3 => {
                let predicate = self.expr(Type::Bool, 3);
                self.push("where", format!("where {predicate}"), vec![], "");
            }
            4 | 5 => self.extend("extend", "extend "),
            6 => {
                let mut items = Vec::new();
                let mut columns = Vec::new();
                for (name, ty) in self.columns.clone() {
                    if self.pct(50) {
                        items.push(name.clone());
                        columns.push((name, ty));
                    }
                }
                for _ in 0..1 + self.random.below(2) {
                    let (name, ty) = (self.fresh(), self.ty());
                    items.push(format!("{name} = {}", self.expr(ty, 3)));
                    columns.push((name, ty));
                }
                self.push("project", "project ", items, "");
                self.columns = columns;
            }
            7 => {
                let at = self.random.below(self.columns.len());
                let name = self.columns[at].0.clone();
                if self.columns.len() > 1 {
                    match self.random.below(4) {
                        0 => {
                            self.push("project-away", format!("project-away {name}"), vec![], "");
                            self.columns.remove(at);
                        }
                        1 => {
                            let other = self.columns[(at + 1) % self.columns.len()].0.clone();
                            self.push("project-keep", format!("project-keep {name}, {other}"), vec![], "");
                            self.columns.retain(|(n, _)| *n == name || *n == other);
                        }
                        2 => {
                            let new = self.fresh();
                            self.push("project-rename", format!("project-rename {new} = {name}"), vec![], "");
                            self.columns[at].0 = new;
                        }
                        _ => {
                            self.push("project-reorder", format!("project-reorder {name}"), vec![], "");
                            let column = self.columns.remove(at);
                            self.columns.insert(0, column);
                        }
                    }
                }
            }
            8..=11 => self.summarize(),
            12 => {
                let mut names: Vec<Column> = Vec::new();
                for _ in 0..1 + self.random.below(2) {
                    if let Some(c) = self.any(|t| t != Type::Dynamic)
                        && !names.contains(&c)
                    {
                        names.push(c);
                    }
                }
                if !names.is_empty() {
                    let list = names.iter().map(|(n, _)| n.clone()).collect();
                    self.push("distinct", "distinct ", list, "");
                    self.columns = names;
                }
            }
            13..=17 => self.join(),
            18 => {
                let branch = self
                    .random
                    .pick(&["T2", "T3", "(T3 | where n > 1)", "(T2 | extend y = strlen(k))"])
                    .to_owned();
                let columns = TABLES[if branch.contains("T2") { 1 } else { 2 }].1;
                self.push("union", format!("union {branch}"), vec![], "");
                // A name of two types becomes two columns: those are left alone.
                let clash = |n: &str, t: Type| columns.iter().any(|(m, u)| *m == n && *u != t);
                self.columns.retain(|(n, t)| !clash(n, *t));
                for (n, t) in columns {
                    if !self.columns.iter().any(|(m, _)| m == n)
                        && !self.steps.iter().any(|s| s.kind == "union-clash")
                    {
                        self.columns.push(((*n).to_owned(), *t));
                    }
                }
            }
            19 | 20 => {
                let items = self.order();
                self.push("sort", "sort by ", items, "");
            }
            21 => {
                // One key is all that `top` takes.
                let items: Vec<String> = self.order().into_iter().take(1).collect();
                if !items.is_empty() {
                    let n = 1 + self.random.below(5);
                    self.push("top", format!("top {n} by "), items, "");
                    self.done = true;
                }
            }
            22 => {
                let n = self.random.below(6);
                self.push("take", format!("take {n}"), vec![], "");
                self.done = true;
            }
            23 => self.expand(),
            24 => self.apply(),
            25 => self.parse(),
            26 => self.window(),
            27 => self.make_series(),
            28 => {
                self.push("count", "count", vec![], "");
                self.columns = vec![("Count".into(), Type::Long)];
            }
            29 => {
                if let Some((key, _)) = self.any(|t| matches!(t, Type::String | Type::Long))
                    && let Some((by, _)) = self.any(|t| t != Type::Dynamic)
                {
                    self.push(
                        "partition",
                        format!("partition by {key} ( summarize c = count(), m = max({by}) by {key} )"),
                        vec![],
                        "",
                    );
                    let ty = self.columns.iter().find(|(n, _)| *n == by).map_or(Type::Long, |(_, t)| *t);
                    let key = self.columns.iter().find(|(n, _)| *n == key).cloned();
                    self.columns =
                        key.into_iter().chain([("c".to_owned(), Type::Long), ("m".to_owned(), ty)]).collect();
                }
            }
            30 => {
                if let Some(s) = self.of(Type::String) {
                    self.push("parse-kv", format!("parse-kv {s} as (x: string, y: long, id: long, key: string) with (pair_delimiter=';', kv_delimiter='=')"), vec![], "");
                    self.replace([
                        ("x", Type::String),
                        ("y", Type::Long),
                        ("id", Type::Long),
                        ("key", Type::String),
                    ]);
                }
            }
            31 => {
                let (set, key) = if self.pct(50) { ("in", "k") } else { ("!in", "k") };
                if let Some(s) = self.of(Type::String) {
                    let fold = if self.pct(40) { "~" } else { "" };
                    let sub =
                        self.random.pick(&["T2 | where n > 1", "T3", "T3 | where isnotempty(u)"]).to_owned();
                    self.push(
                        "where in query",
                        format!("where {s} {set}{fold} (({sub} | project {key}))"),
                        vec![],
                        "",
                    );
                }
            }
            32 => {
                let f = self.random.pick(&["max(n)", "count()", "min(n)", "sum(n)"]).to_owned();
                let name = self.fresh();
                self.push("toscalar", format!("extend {name} = toscalar(T2 | summarize {f})"), vec![], "");
                self.columns.push((name, Type::Long));
            }
            _ => {
                let word = self.word();
                let op = self.random.pick(&["has", "contains", "has_cs", "startswith"]).to_owned();
                if self.columns.iter().any(|(_, t)| *t == Type::String) {
                    self.push("where any column", format!("where * {op} {word}"), vec![], "");
                }
            }
        }
    }

    fn replace<const N: usize>(&mut self, columns: [(&str, Type); N]) {
        for (name, ty) in columns {
            self.columns.retain(|(n, _)| n != name);
            self.columns.push((name.to_owned(), ty));
        }
    }

    fn extend(&mut self, kind: &str, head: &str) {
        let mut items = Vec::new();
        let mut new = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            let ty = self.ty();
            // Sometimes a column is replaced.
            let name =
                if self.pct(15) { self.random.pick(&self.columns.clone()).0.clone() } else { self.fresh() };
            if new.iter().any(|(n, _)| *n == name) {
                continue;
            }
            items.push(format!("{name} = {}", self.expr(ty, 3)));
            new.push((name, ty));
        }
        self.push(kind, head, items, "");
        for (name, ty) in new {
            match self.columns.iter_mut().find(|(n, _)| *n == name) {
                Some(column) => column.1 = ty,
                None => self.columns.push((name, ty)),
            }
        }
    }

    fn order(&mut self) -> Vec<String> {
        let mut items: Vec<String> = Vec::new();
        for _ in 0..1 + self.random.below(2) {
            if let Some((name, _)) = self.any(|t| !matches!(t, Type::Dynamic | Type::Guid)) {
                let way = *self.random.pick(&["", " asc", " desc", " asc nulls last", " desc nulls first"]);
                if !items.iter().any(|i| i.starts_with(&name)) {
                    items.push(format!("{name}{way}"));
                }
            }
        }
        if items.is_empty() { vec!["1".to_owned()] } else { items }
    }

    fn summarize(&mut self) {
        let mut columns: Vec<Column> = Vec::new();
        let mut keys = Vec::new();
        for _ in 0..self.random.below(3) {
            match self.random.below(4) {
                0 if self.columns.iter().any(|(_, t)| *t == Type::Datetime) => {
                    let name = self.fresh();
                    let t = self.of(Type::Datetime).unwrap_or_default();
                    let span = *self.random.pick(&["1h", "1d", "30m"]);
                    keys.push(format!("{name} = bin({t}, {span})"));
                    columns.push((name, Type::Datetime));
                }
                1 => {
                    let (name, ty) =
                        (self.fresh(), *self.random.clone().pick(&[Type::String, Type::Long, Type::Bool]));
                    keys.push(format!("{name} = {}", self.expr(ty, 2)));
                    columns.push((name, ty));
                }
                _ => {
                    if let Some(c) = self.any(|t| t != Type::Dynamic)
                        && !columns.contains(&c)
                    {
                        keys.push(c.0.clone());
                        columns.push(c);
                    }
                }
            }
        }
        let mut items = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            let name = self.fresh();
            let condition = self.expr(Type::Bool, 1);
            let n = self.of(Type::Long).unwrap_or_else(|| "1".into());
            let r = self.of(Type::Real).unwrap_or_else(|| "1.5".into());
            let (any, ty) = self
                .any(|t| !matches!(t, Type::Dynamic | Type::Bool | Type::Guid))
                .unwrap_or_else(|| ("1".into(), Type::Long));
            let (call, ty) = match self.random.below(19) {
                0 => ("count()".to_owned(), Type::Long),
                1 => (format!("countif({condition})"), Type::Long),
                2 => (format!("dcount({any})"), Type::Long),
                3 => (format!("dcountif({any}, {condition})"), Type::Long),
                4 => (format!("sum({n})"), Type::Long),
                5 => (format!("sumif({r}, {condition})"), Type::Real),
                6 => (format!("avg({n})"), Type::Real),
                7 => (format!("min({any})"), ty),
                8 => (format!("max({any})"), ty),
                9 => (format!("maxif({any}, {condition})"), ty),
                10 => (format!("avgif({r}, {condition})"), Type::Real),
                11 => (format!("stdev({n})"), Type::Real),
                12 => (format!("variance({r})"), Type::Real),
                13 => (format!("count_distinct({any})"), Type::Long),
                14 => (format!("count() * 2 + countif({condition})"), Type::Long),
                15 | 16 => {
                    let f = *self.random.pick(&["make_set", "make_list"]);
                    self.done = true;
                    (format!("{f}({any})"), Type::Dynamic)
                }
                17 => {
                    self.done = true;
                    let f = *self.random.pick(&["arg_max", "arg_min"]);
                    let other = self.any(|_| true).map_or_else(|| "1".to_owned(), |c| c.0);
                    items.push(format!("{f}({any}, {other})"));
                    continue;
                }
                _ => {
                    self.done = true;
                    (format!("take_any({any})"), ty)
                }
            };
            items.push(format!("{name} = {call}"));
            columns.push((name, ty));
        }
        let by = if keys.is_empty() { String::new() } else { format!(" by {}", keys.join(", ")) };
        self.push("summarize", "summarize ", items, by);
        self.columns = columns;
    }

    fn join(&mut self) {
        const KINDS: &[&str] = &[
            "inner",
            "innerunique",
            "leftouter",
            "rightouter",
            "fullouter",
            "leftsemi",
            "rightsemi",
            "leftanti",
            "rightanti",
            "lookup",
            "lookup inner",
        ];
        let kind = *self.random.pick(KINDS);
        let has = |c: &str, t: Type| self.columns.iter().any(|(n, u)| n == c && *u == t);
        let mut on = Vec::new();
        if has("k", Type::String) {
            on.push("k");
        }
        if has("n", Type::Long) && (on.is_empty() || self.random.clone().percent(40)) {
            on.push("n");
        }
        self.random.number();
        if on.is_empty() {
            return;
        }
        let right = if self.pct(50) { "T2" } else { "T3" };
        let filter = *self.random.pick(&["", " | where n > 0", " | where isnotempty(k)"]);
        let (name, head) = match kind {
            "lookup" => ("lookup", format!("lookup ({right}{filter}) on ")),
            "lookup inner" => ("lookup kind=inner", format!("lookup kind=inner ({right}{filter}) on ")),
            "innerunique" if self.pct(50) => ("join kind=innerunique", format!("join ({right}{filter}) on ")),
            kind => ("", format!("join kind={kind} ({right}{filter}) on ")),
        };
        let name = if name.is_empty() { format!("join kind={kind}") } else { name.to_owned() };
        let columns = TABLES[if right == "T2" { 1 } else { 2 }].1;
        if matches!(kind, "rightsemi" | "rightanti") {
            self.columns = columns.iter().map(|(n, t)| ((*n).to_owned(), *t)).collect();
        } else if !matches!(kind, "leftsemi" | "leftanti") {
            // Columns of a name that the left side has get a suffix, and are left alone.
            for (n, t) in columns {
                if !self.columns.iter().any(|(m, _)| m == n) {
                    self.columns.push(((*n).to_owned(), *t));
                }
            }
        }
        let keys =
            on.iter()
                .map(|k| {
                    if self.random.percent(20) { format!("$left.{k} == $right.{k}") } else { (*k).to_owned() }
                })
                .collect();
        self.push(&name, head, keys, "");
        if kind == "innerunique" {
            self.done = true;
        }
    }

    fn expand(&mut self) {
        let Some(j) = self.of(Type::Dynamic) else { return };
        let how = *self.random.pick(&["", "kind=array ", "kind=bag ", "with_itemindex=ix "]);
        let (to, ty) = *self.random.pick(&[
            ("", Type::Dynamic),
            (" to typeof(string)", Type::String),
            (" to typeof(long)", Type::Long),
        ]);
        self.push("mv-expand", format!("mv-expand {how}{j}{to}"), vec![], "");
        if let Some(c) = self.columns.iter_mut().find(|(n, _)| *n == j) {
            c.1 = ty;
        }
        if how.contains("index") {
            self.replace([("ix", Type::Long)]);
        }
    }

    fn apply(&mut self) {
        let Some(j) = self.of(Type::Dynamic) else { return };
        let name = self.fresh();
        let body = match self.random.below(3) {
            0 => format!("where tostring({name}) has {}", self.word()),
            1 => format!("summarize c_{name} = count()"),
            _ => format!("extend y_{name} = strlen(tostring({name}))"),
        };
        let summarized = body.starts_with("summarize");
        self.push("mv-apply", format!("mv-apply {name} = {j} on ( {body} )"), vec![], "");
        if summarized {
            self.columns.push((format!("c_{name}"), Type::Long));
        } else {
            self.columns.push((name.clone(), Type::Dynamic));
            if body.starts_with("extend") {
                self.columns.push((format!("y_{name}"), Type::Long));
            }
        }
    }

    fn parse(&mut self) {
        let Some(s) = self.of(Type::String) else { return };
        let (a, b) = (self.fresh(), self.fresh());
        let op = *self.random.pick(&["parse", "parse-where"]);
        let patterns = [
            (format!("{s} with * 'x=' {a}:long ';' {b}"), Type::Long),
            (format!("{s} with {a} ' ' {b}"), Type::String),
            (format!("{s} with * 'key=' {a} ' id=' {b} ' '"), Type::String),
            (format!("kind=regex {s} with '.*?(a|b)' {a} 'e' {b}"), Type::String),
            (format!("{s} with {a} '.' {b}"), Type::String),
            (format!("kind=relaxed {s} with 'x=' {a}:long ';y=' {b}"), Type::Long),
        ];
        let (pattern, ty) = self.random.pick(&patterns).clone();
        self.push(op, format!("{op} {pattern}"), vec![], "");
        self.columns.push((a, ty));
        self.columns.push((b, Type::String));
    }

    /// Functions that look at other rows: over rows that are sorted by all their columns.
    fn window(&mut self) {
        self.columns.retain(|(_, t)| !matches!(t, Type::Dynamic | Type::Guid));
        if self.columns.is_empty() {
            self.columns.push(("q".into(), Type::Long));
            self.push("project", "project q = 1", vec![], "");
        }
        let names: Vec<String> = self.columns.iter().map(|(n, _)| n.clone()).collect();
        self.push("project", "project ", names.clone(), "");
        let keys = names.iter().map(|n| format!("{n} asc")).collect::<Vec<_>>().join(", ");
        self.push("sort", format!("sort by {keys}"), vec![], "");
        let mut items = Vec::new();
        let mut new = Vec::new();
        for _ in 0..1 + self.random.below(2) {
            let name = self.fresh();
            let (any, ty) = self.random.pick(&self.columns.clone()).clone();
            let n = self.of(Type::Long);
            let (call, ty) = match (self.random.below(4), n) {
                (0, _) => ("row_number()".to_owned(), Type::Long),
                (1, Some(n)) => (format!("row_cumsum({n})"), Type::Long),
                (2, _) => (format!("prev({any})"), ty),
                _ => (format!("next({any})"), ty),
            };
            items.push(format!("{name} = {call}"));
            new.push((name, ty));
        }
        let op = *self.random.pick(&["serialize", "extend"]);
        self.push(if op == "serialize" { "serialize" } else { "window" }, format!("{op} "), items, "");
        self.columns.extend(new);
    }

    fn make_series(&mut self) {
        let Some(t) = self.of(Type::Datetime) else { return };
        let by = self.of(Type::String).map_or_else(String::new, |s| {
            if self.random.percent(60) { format!(" by {s}") } else { String::new() }
        });
        let agg = *self.random.pick(&["count()", "dcount(1)", "countif(true)"]);
        let step = *self.random.pick(&["1h", "6h", "1d"]);
        let range = *self
            .random
            .pick(&["from ago(1d) to now()", "from datetime(2026-01-13) to datetime(2026-01-16)"]);
        self.push(
            "make-series",
            format!("make-series c = {agg} default=0 on {t} {range} step {step}{by}"),
            vec![],
            "",
        );
        self.columns = vec![("c".into(), Type::Dynamic)];
    }
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
