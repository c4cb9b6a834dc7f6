//! One query, one set of tables, two engines: do they give the same rows?

use crate::route::{self, NOW, Stop};
use crate::same::{self, Rules};
use crate::text::json_text;
use crate::{conformance, duck};
use ruleferry_duckdb::{Engine, Table};
use ruleferry_eval::{Answer, Definedness, MemoryTables, Row, Value, undefined_columns};
use ruleferry_ir::{AggregateCall, AggregateItem, LimitKind, Op, Query, Type};
use ruleferry_sql::{Dialect, Lowered, ddl_for, print};
use smol_str::SmolStr;
use std::fmt::Write as _;
use std::time::Duration;

/// What a query may take on DuckDB: far more than any needs, for the machine may be busy and its outcome is a committed line.
const LIMIT: Duration = Duration::from_secs(300);

/// Rows of both sides.
#[derive(Clone, Debug)]
pub struct Difference {
    pub why: String,
    /// More than one answer is right, and not all of them were tried.
    pub open: bool,
    pub evaluator: Vec<Vec<Value>>,
    pub duckdb: Vec<Vec<Value>>,
}

#[derive(Clone, Debug)]
pub enum Verdict {
    /// How many rows both gave.
    Agree(usize),
    Differ(Box<Difference>),
    /// There is no SQL.
    Refused(String),
    /// The evaluator has no answer, where there is SQL.
    NoAnswer(String),
    /// DuckDB fails.
    Error(String),
}

/// The lowering of a query; made once, for several tables.
pub struct Prepared<'q> {
    pub query: &'q Query,
    pub lowered: Lowered,
    pub sql: String,
    ddl: String,
    /// The time of the run.
    pub now: i64,
}

pub fn prepare(query: &Query) -> Result<Prepared<'_>, String> {
    let lowered = route::guarded(|| duck::sql(query, NOW).map_err(Stop::Eval)).map_err(|s| s.to_string())?;
    let sql = print(&lowered.script);
    let ddl = ddl_for(Dialect::DUCKDB, query, &lowered.needs);
    Ok(Prepared { query, lowered, sql, ddl, now: NOW })
}

impl Prepared<'_> {
    /// A query beside SQL of another origin, over the tables of this one.
    pub fn beside<'b>(&self, query: &'b Query, sql: String) -> Prepared<'b> {
        Prepared { query, lowered: self.lowered.clone(), sql, ddl: self.ddl.clone(), now: self.now }
    }
}

impl<'q> Prepared<'q> {
    /// Runs both; the tables go to a database of their own.
    pub fn run(&self, tables: &MemoryTables) -> Verdict {
        let Some(engine) = duck::open() else { return Verdict::Error("no libduckdb".to_owned()) };
        match self.bench(&engine) {
            Ok(bench) => bench.run(tables, true).expect("empty answers too"),
            Err(e) => Verdict::Error(e),
        }
    }

    /// The tables of the query, empty, apart from what else the engine has.
    pub fn bench<'p>(&'p self, engine: &Engine) -> Result<Bench<'p, 'q>, String> {
        let connection = engine.reconnect().map_err(|e| e.to_string())?;
        let setup = format!("CREATE SCHEMA bench; USE bench; {}", self.ddl);
        let made = connection.execute(&setup).map_err(|e| format!("{e} in {}", self.ddl));
        // Dropping it clears up what there is of it.
        let bench = Bench { prepared: self, connection };
        made.map(|()| bench)
    }

    /// Holds rows that another way gave against the evaluator's.
    pub fn held(&self, rows: Vec<Vec<Value>>, tables: &MemoryTables) -> Verdict {
        match route::eval_at(self.now, self.query, tables, 0) {
            Ok(answer) => {
                let places = (0..answer.columns.len()).collect();
                self.judge(&answer, Shared { places, rows, more: 0 }, tables)
            }
            Err(stop) => Verdict::NoAnswer(stop.to_string()),
        }
    }

    /// As [`Self::held`], of the columns at these places alone.
    pub fn held_at(&self, places: Vec<usize>, rows: Vec<Vec<Value>>, tables: &MemoryTables) -> Verdict {
        match route::eval_at(self.now, self.query, tables, 0) {
            Ok(answer) => self.judge(&answer, Shared { places, rows, more: 0 }, tables),
            Err(stop) => Verdict::NoAnswer(stop.to_string()),
        }
    }

    /// Runs both; the engine has the tables.
    pub fn run_on(&self, engine: &Engine, tables: &MemoryTables) -> Verdict {
        match route::eval_at(self.now, self.query, tables, 0) {
            Ok(answer) => self.against(&answer, engine, tables),
            Err(stop) => Verdict::NoAnswer(stop.to_string()),
        }
    }

    fn against(&self, answer: &Answer, engine: &Engine, tables: &MemoryTables) -> Verdict {
        match duck::run(engine, &self.sql, LIMIT) {
            Ok(table) => self.judge(answer, shared(self.query, &answer.columns, table), tables),
            Err(e) => Verdict::Error(e),
        }
    }

    /// Where more than one answer is right, DuckDB's must be one of those that the evaluator gives under its choices, in the
    /// columns that do not vary with them.
    fn judge(&self, answer: &Answer, shared: Shared, tables: &MemoryTables) -> Verdict {
        let (defined, rows_open) = undefined_columns(self.query);
        let sorted_by = route::sort_columns(self.query).unwrap_or_default();
        let sets = defined.contains(&Definedness::ArrayOrder) || collects(self.query);
        let choices = answer.choices.len();
        let Shared { places, rows: duckdb, more } = shared;
        let mut open: Vec<bool> =
            places.iter().map(|i| defined.get(*i) == Some(&Definedness::Open)).collect();
        let sorted_by: Vec<usize> =
            sorted_by.iter().filter_map(|i| places.iter().position(|p| p == i)).collect();
        let plain = |answer: &Answer| -> Vec<Vec<Value>> {
            let row = |r: &Row| places.iter().map(|i| r.get(*i).cloned().unwrap_or(Value::Null)).collect();
            answer.rows.iter().map(row).collect()
        };
        let first = plain(answer);
        // Columns that nobody asked for are a fault of their own; the others are compared first.
        let agree = |n: usize| match more {
            0 => Verdict::Agree(n),
            _ => Verdict::Differ(Box::new(Difference {
                why: format!("only in {more} columns too many"),
                open: false,
                evaluator: first.clone(),
                duckdb: Vec::new(),
            })),
        };
        let mut why = match compare(&first, &duckdb, &open, sets, &sorted_by) {
            Ok(()) => return agree(first.len()),
            Err(why) => why,
        };
        if self.is_taken(&first, &duckdb, &open, &sorted_by, &places, tables) {
            return Verdict::Agree(first.len());
        }
        if choices > 0 || rows_open || sets {
            let mut others = vec![first.clone()];
            for choice in 1..12 {
                let Ok(other) = route::eval_at(self.now, self.query, tables, choice) else { break };
                others.push(plain(&other));
            }
            // A column that another choice changes is one of which any value is right.
            for other in &others {
                for (at, open) in open.iter_mut().enumerate() {
                    let column = |rows: &[Vec<Value>]| -> Vec<Vec<Value>> {
                        rows.iter().map(|r| vec![r.get(at).cloned().unwrap_or(Value::Null)]).collect()
                    };
                    *open |= compare(&column(&first), &column(other), &[false], false, &[]).is_err()
                        && first.len() == other.len();
                }
            }
            for other in &others {
                match compare(other, &duckdb, &open, true, &[]) {
                    Ok(()) => return agree(other.len()),
                    Err(w) => why = w,
                }
            }
            why = format!("{why} (with {choices} open choices)");
        }
        Verdict::Differ(Box::new(Difference { why, open: choices > 0, evaluator: first, duckdb }))
    }
}

impl Prepared<'_> {
    /// Where the last step takes some rows of its input: whether these are as many, out of them, and in the sorted columns what
    /// the evaluator's are. Ties and `take` leave open which.
    fn is_taken(
        &self,
        first: &[Vec<Value>],
        duckdb: &[Vec<Value>],
        open: &[bool],
        sorted_by: &[usize],
        places: &[usize],
        tables: &MemoryTables,
    ) -> bool {
        let (input, kind) = match &*self.query.plan.op {
            Op::Limit { input, kind, .. } => (input, *kind),
            Op::Top { input, .. } => (input, LimitKind::Take),
            _ => return false,
        };
        // A sample does not look at the order.
        let (sorted_by, distinct) = match kind {
            LimitKind::Take => (sorted_by, false),
            LimitKind::Sample => (&[] as &[usize], false),
            LimitKind::SampleDistinct => (&[] as &[usize], true),
        };
        if first.len() != duckdb.len() {
            return false;
        }
        let whole = Query { plan: input.clone(), ..self.query.clone() };
        let Ok(all) = route::eval(&whole, tables, 0) else { return false };
        let of_row = |r: &Row| places.iter().map(|i| r.get(*i).cloned().unwrap_or(Value::Null)).collect();
        let all: Vec<Vec<Value>> = all.rows.iter().map(of_row).collect();
        let same_row = |a: &Vec<Value>, b: &Vec<Value>| same_row(a, b, open, Rules::ENGINES);
        if distinct && duckdb.iter().enumerate().any(|(i, a)| duckdb.iter().take(i).any(|b| same_row(a, b))) {
            return false;
        }
        let extra = match same::matched(&all, duckdb, same_row) {
            Ok(()) => Vec::new(),
            Err((_, extra)) => extra,
        };
        let keys = |row: &Vec<Value>| -> Vec<Value> {
            sorted_by.iter().filter_map(|i| row.get(*i).cloned()).collect()
        };
        let key =
            |(a, b): (&Vec<Value>, &Vec<Value>)| self::same_row(&keys(a), &keys(b), &[], Rules::ENGINES);
        extra.is_empty() && first.iter().zip(duckdb).all(key)
    }
}

fn same_row(a: &[Value], b: &[Value], open: &[bool], rules: Rules) -> bool {
    let cell =
        |(i, (a, b)): (usize, (&Value, &Value))| open.get(i) == Some(&true) || same::value(a, b, rules);
    a.len() == b.len() && a.iter().zip(b).enumerate().all(cell)
}

/// The tables of one query in a schema of their own, on a connection of their own; dropped with it.
pub struct Bench<'p, 'q> {
    prepared: &'p Prepared<'q>,
    connection: Engine,
}

impl Bench<'_, '_> {
    /// Runs both over these rows; `None`: the evaluator has no row, and such answers are not asked for.
    pub fn run(&self, tables: &MemoryTables, empty_too: bool) -> Option<Verdict> {
        let answer = match route::eval(self.prepared.query, tables, 0) {
            Ok(answer) => answer,
            Err(stop) => return Some(Verdict::NoAnswer(stop.to_string())),
        };
        if answer.rows.is_empty() && !empty_too {
            return None;
        }
        let clear: String =
            tables.tables.keys().map(|name| format!("DELETE FROM {};", quoted(name))).collect();
        let cleared = if clear.is_empty() { Ok(()) } else { self.connection.execute(&clear) };
        Some(match cleared.map_err(|e| e.to_string()).and_then(|()| fill(&self.connection, tables)) {
            Ok(()) => self.prepared.against(&answer, &self.connection, tables),
            Err(e) => Verdict::Error(e),
        })
    }
}

impl Drop for Bench<'_, '_> {
    fn drop(&mut self) {
        // An engine that has failed for good says so to the next one who asks it.
        let _ = self.connection.execute("USE main; DROP SCHEMA IF EXISTS bench CASCADE");
    }
}

/// DuckDB's rows beside the evaluator's.
pub struct Shared {
    /// Which of the evaluator's columns are compared.
    pub places: Vec<usize>,
    /// DuckDB's rows in these columns, and behind them those that nobody asked for.
    pub rows: Vec<Vec<Value>>,
    pub more: usize,
}

/// The columns to compare. Of those that only a run finds (`bag_unpack`) SQL shows the ones that the query names, which its
/// conversion says: columns that only one side returns do not count there.
pub fn shared(query: &Query, columns: &[(SmolStr, Type)], table: Table) -> Shared {
    let found_by_run = finds_columns(query);
    let known = query.plan.output.len();
    let shown = |i: &usize| {
        !found_by_run || *i < known || columns.get(*i).is_some_and(|(n, _)| duck::has_column(&table, n))
    };
    let places: Vec<usize> = (0..columns.len()).filter(shown).collect();
    let picked: Vec<&(SmolStr, Type)> = places.iter().filter_map(|i| columns.get(*i)).collect();
    let names: Vec<&str> = picked.iter().map(|(n, _)| n.as_str()).collect();
    let types: Vec<Type> = picked.iter().map(|(_, t)| *t).collect();
    let mut rows = duck::rows(&duck::arranged(table, &names), &types);
    let mut more = rows.iter().map(Vec::len).max().unwrap_or(names.len()).saturating_sub(names.len());
    if more > 0 {
        rows.iter_mut().for_each(|r| r.truncate(names.len()));
    }
    if found_by_run {
        more = 0;
    }
    Shared { places, rows, more }
}

/// Whether columns of the query come from what the rows hold.
pub fn finds_columns(query: &Query) -> bool {
    let mut found = false;
    query.for_each_plan(&mut |plan| {
        found |= matches!(&*plan.op, Op::Plugin(p) if p.open);
    });
    found
}

/// Inserts the rows of tables that the engine has.
pub fn fill(engine: &Engine, tables: &MemoryTables) -> Result<(), String> {
    let mut setup = String::new();
    for (name, table) in &tables.tables {
        // As `ddl_for` names them: those that differ only in case get a suffix.
        let mut taken: Vec<String> = Vec::new();
        let names = table.columns.iter().map(|(column, _)| {
            let mut unique = column.to_string();
            let mut n = 1;
            while taken.contains(&unique.to_lowercase()) {
                n += 1;
                unique = format!("{column}__{n}");
            }
            taken.push(unique.to_lowercase());
            quoted(&unique)
        });
        let names: Vec<String> = names.collect();
        let used: Vec<usize> =
            (0..names.len()).filter(|i| table.rows.iter().any(|r| !r[*i].is_null())).collect();
        if names.is_empty() || table.rows.is_empty() {
            continue;
        }
        let used = if used.is_empty() { vec![0] } else { used };
        let listed: Vec<&str> = used.iter().map(|i| names[*i].as_str()).collect();
        // One text with all values is many times faster than an expression for each.
        let rows: Vec<serde_json::Value> = table
            .rows
            .iter()
            .map(|row| used.iter().map(|i| written(&row[*i], table.columns[*i].1)).collect())
            .collect();
        let cells: Vec<String> = (1..=used.len()).map(|i| format!("r[{i}]")).collect();
        let _ = write!(
            setup,
            "INSERT INTO {} ({}) SELECT {} FROM (SELECT unnest(from_json('{}', '[[\"VARCHAR\"]]')) AS r)",
            quoted(name),
            listed.join(", "),
            cells.join(", "),
            serde_json::Value::from(rows).to_string().replace('\'', "''")
        );
        setup.push_str(";\n");
    }
    if !setup.is_empty() {
        engine.execute(&setup).map_err(|e| format!("the rows do not fit: {e}"))?;
    }
    Ok(())
}

/// Makes tables and fills them.
pub fn create(engine: &Engine, tables: &MemoryTables) -> Result<(), String> {
    let mut ddl = String::new();
    for (name, table) in &tables.tables {
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|(n, t)| format!("{} {}", quoted(n), Dialect::DUCKDB.type_name(*t)))
            .collect();
        let _ = writeln!(ddl, "CREATE OR REPLACE TABLE {} ({});", quoted(name), columns.join(", "));
    }
    engine.execute(&ddl).map_err(|e| e.to_string())?;
    fill(engine, tables)
}

/// Whether an aggregate of the query makes arrays whose order is open.
pub fn collects(query: &Query) -> bool {
    let mut found = false;
    query.for_each_plan(&mut |plan| {
        if let Op::Aggregate(a) = &*plan.op {
            found |= a.aggregates.iter().any(makes_list);
        }
    });
    found
}

fn makes_list(item: &AggregateItem) -> bool {
    match &item.call {
        AggregateCall::Function(f, _) => f.name.starts_with("make_"),
        AggregateCall::Composed { parts, .. } => parts.iter().any(makes_list),
        AggregateCall::ArgExtreme { .. } | AggregateCall::TakeAny { .. } => false,
    }
}

fn compare(
    want: &[Vec<Value>],
    got: &[Vec<Value>],
    open: &[bool],
    sets: bool,
    sorted_by: &[usize],
) -> Result<(), String> {
    let rules = Rules { sets, ..Rules::ENGINES };
    let cell =
        |i: usize, a: &Value, b: &Value| open.get(i).copied().unwrap_or(false) || same::value(a, b, rules);
    let row = |a: &Vec<Value>, b: &Vec<Value>| {
        a.len() == b.len() && a.iter().zip(b).enumerate().all(|(i, (a, b))| cell(i, a, b))
    };
    if let Err((missing, extra)) = same::matched(want, got, row) {
        let columns = missing.first().zip(extra.first()).map(|(m, e)| {
            let pairs = want[*m].iter().zip(&got[*e]).enumerate();
            let short = |v: &Value| conformance::shown(v).chars().take(60).collect::<String>();
            pairs
                .filter(|(i, (a, b))| !cell(*i, a, b))
                .map(|(i, (a, b))| format!("{i}: {} and {}", short(a), short(b)))
                .collect::<Vec<_>>()
                .join(", ")
        });
        return Err(format!(
            "{} rows of the evaluator ({}) and {} of DuckDB ({}) without a partner{}",
            missing.len(),
            want.len(),
            extra.len(),
            got.len(),
            columns.map_or_else(String::new, |c| format!("; columns {c}"))
        ));
    }
    let ordered = want.iter().zip(got).all(|(w, g)| {
        sorted_by.iter().all(|i| matches!((w.get(*i), g.get(*i)), (Some(a), Some(b)) if cell(*i, a, b)))
    });
    if ordered { Ok(()) } else { Err("another order".to_owned()) }
}

/// Leaves out rows while the engines still differ.
pub fn shrunk(prepared: &Prepared<'_>, tables: &MemoryTables) -> MemoryTables {
    let mut tables = tables.clone();
    let differs = |t: &MemoryTables| matches!(prepared.run(t), Verdict::Differ(_));
    let names: Vec<_> = tables.tables.keys().cloned().collect();
    for name in names {
        let mut step = tables.tables[&name].rows.len();
        while step > 0 {
            let mut at = 0;
            while at < tables.tables[&name].rows.len() {
                let mut fewer = tables.clone();
                let rows = &mut fewer.tables[&name].rows;
                let end = (at + step).min(rows.len());
                rows.drain(at..end);
                if differs(&fewer) {
                    tables = fewer;
                } else {
                    at += step;
                }
            }
            step /= 2;
        }
    }
    tables
}

pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A value as a text that DuckDB casts to the type of its column; null is null.
fn written(value: &Value, ty: Type) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Long(n) => n.to_string(),
        Value::Real(x) if x.is_finite() => format!("{x:?}"),
        Value::Real(x) => x.to_string(),
        Value::Decimal(d) => d.to_string(),
        Value::String(s) if ty == Type::Dynamic => serde_json::Value::from(s.as_str()).to_string(),
        Value::String(s) => s.to_string(),
        Value::Datetime(t) => conformance::moment(*t),
        Value::Timespan(t) => format!("{} microseconds", t / 10),
        Value::Guid(_) => guid_text(value),
        Value::Dynamic(j) => json_text(j),
    })
}

/// A guid in lower case with hyphens.
pub fn guid_text(value: &Value) -> String {
    match ruleferry_eval::to_ir(value, Type::Guid) {
        ruleferry_ir::Value::Guid(text) => text.to_string(),
        _ => String::new(),
    }
}

/// Tables and rows for people.
pub fn shown(tables: &MemoryTables) -> String {
    let mut out = String::new();
    for (name, table) in &tables.tables {
        // Columns that are null throughout say nothing.
        let used: Vec<usize> =
            (0..table.columns.len()).filter(|i| table.rows.iter().any(|r| !r[*i].is_null())).collect();
        let names: Vec<String> =
            used.iter().map(|i| format!("{}:{}", table.columns[*i].0, table.columns[*i].1)).collect();
        let _ = writeln!(out, "table {name} ({})", names.join(", "));
        for row in &table.rows {
            let _ = writeln!(
                out,
                "  {}",
                used.iter().map(|i| conformance::shown(&row[*i])).collect::<Vec<_>>().join(" | ")
            );
        }
    }
    out
}
