//! One query, one set of tables, two engines: do they give the same rows?

use crate::route::{self, NOW, Stop};
use crate::same::{self, Rules};
use crate::text::json_text;
use crate::{conformance, duck};
use ruleferry_duckdb::Engine;
use ruleferry_eval::{Answer, Definedness, MemoryTables, Value, undefined_columns};
use ruleferry_ir::{AggregateCall, AggregateItem, LimitKind, Op, Query, Type};
use ruleferry_sql::{Dialect, Lowered, ddl_for, print};
use std::fmt::Write as _;
use std::time::Duration;

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
}

pub fn prepare(query: &Query) -> Result<Prepared<'_>, String> {
    let lowered = route::guarded(|| duck::sql(query, NOW).map_err(Stop::Eval)).map_err(|s| s.to_string())?;
    let sql = print(&lowered.script);
    let ddl = ddl_for(Dialect::DUCKDB, query, &lowered.needs);
    Ok(Prepared { query, lowered, sql, ddl })
}

impl Prepared<'_> {
    /// Runs both; the tables go to a database of their own.
    pub fn run(&self, tables: &MemoryTables) -> Verdict {
        let Some(engine) = duck::open() else { return Verdict::Error("no libduckdb".to_owned()) };
        if let Err(e) = self.load(&engine, tables) {
            return Verdict::Error(e);
        }
        self.run_on(&engine, tables)
    }

    /// Runs both; the engine has the tables.
    pub fn run_on(&self, engine: &Engine, tables: &MemoryTables) -> Verdict {
        let answer = match route::eval(self.query, tables, 0) {
            Ok(answer) => answer,
            Err(stop) => return Verdict::NoAnswer(stop.to_string()),
        };
        match self.on_duckdb(engine) {
            Ok(rows) => self.judge(answer, rows, tables),
            Err(e) => Verdict::Error(e),
        }
    }

    /// Makes the tables and their rows.
    fn load(&self, engine: &Engine, tables: &MemoryTables) -> Result<(), String> {
        if !self.ddl.is_empty() {
            engine.execute(&self.ddl).map_err(|e| format!("{e} in {}", self.ddl))?;
        }
        fill(engine, tables)
    }

    fn on_duckdb(&self, engine: &Engine) -> Result<Vec<Vec<Value>>, String> {
        let table = duck::run(engine, &self.sql, Duration::from_secs(20))?;
        let names: Vec<&str> = self.query.plan.output.iter().map(|id| self.query.columns.name(*id)).collect();
        let types: Vec<Type> = self.query.plan.output.iter().map(|id| self.query.columns.ty(*id)).collect();
        Ok(duck::rows(&duck::arranged(table, &names), &types))
    }
    /// Where more than one answer is right, DuckDB's must be one of those that the evaluator gives under its choices, in the
    /// columns that do not vary with them.
    fn judge(&self, answer: Answer, duckdb: Vec<Vec<Value>>, tables: &MemoryTables) -> Verdict {
        let (defined, rows_open) = undefined_columns(self.query);
        let sorted_by = route::sort_columns(self.query).unwrap_or_default();
        let mut open: Vec<bool> = defined.iter().map(|d| *d == Definedness::Open).collect();
        let sets = defined.contains(&Definedness::ArrayOrder) || collects(self.query);
        let choices = answer.choices.len();
        let first = plain(&answer);
        // Columns that nobody asked for are a fault of their own; the others are compared first.
        let width = answer.columns.len();
        let more = duckdb.iter().map(Vec::len).max().unwrap_or(width).saturating_sub(width);
        if more > 0 {
            let cut = duckdb.into_iter().map(|r| r.into_iter().take(width).collect()).collect();
            return match self.judge(answer, cut, tables) {
                Verdict::Agree(_) => Verdict::Differ(Box::new(Difference {
                    why: format!("only in {more} columns too many"),
                    open: false,
                    evaluator: first,
                    duckdb: Vec::new(),
                })),
                other => other,
            };
        }
        let mut why = match compare(&first, &duckdb, &open, sets, &sorted_by) {
            Ok(()) => return Verdict::Agree(first.len()),
            Err(why) => why,
        };
        if self.is_taken(&first, &duckdb, &open, &sorted_by, tables) {
            return Verdict::Agree(first.len());
        }
        if choices > 0 || rows_open || sets {
            let mut others = vec![first.clone()];
            for choice in 1..12 {
                let Ok(other) = route::eval(self.query, tables, choice) else { break };
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
                    Ok(()) => return Verdict::Agree(other.len()),
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
        let all = plain(&all);
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
        let _ = write!(setup, "INSERT INTO {} ({}) VALUES ", quoted(name), listed.join(", "));
        for (n, row) in table.rows.iter().enumerate() {
            let values: Vec<String> = used.iter().map(|i| literal(&row[*i], table.columns[*i].1)).collect();
            let _ = write!(setup, "{}({})", if n == 0 { "" } else { ",\n" }, values.join(", "));
        }
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
fn collects(query: &Query) -> bool {
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

fn plain(answer: &Answer) -> Vec<Vec<Value>> {
    answer.rows.iter().map(|r| r.to_vec()).collect()
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
            pairs
                .filter(|(i, (a, b))| !cell(*i, a, b))
                .map(|(i, _)| i.to_string())
                .collect::<Vec<_>>()
                .join(",")
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

/// A value as SQL.
fn literal(value: &Value, ty: Type) -> String {
    let text = |s: &str| format!("'{}'", s.replace('\'', "''"));
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Long(n) => n.to_string(),
        Value::Real(x) if x.is_finite() => format!("{x:?}::DOUBLE"),
        Value::Real(x) => format!("'{x}'::DOUBLE"),
        Value::Decimal(d) => d.to_string(),
        Value::String(s) if ty == Type::Dynamic => {
            format!("{}::JSON", text(&serde_json::Value::from(s.as_str()).to_string()))
        }
        Value::String(s) => text(s),
        Value::Datetime(t) => text(&conformance::moment(*t)),
        Value::Timespan(t) => format!("to_microseconds({})", t / 10),
        Value::Guid(_) => text(&guid_text(value)),
        Value::Dynamic(j) => format!("{}::JSON", text(&json_text(j))),
    }
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
