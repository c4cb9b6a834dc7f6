//! A rule to SQL and back: does the query that is read back give the rows of the rule?

use crate::versus::{Prepared, Verdict, prepare};
use crate::{hints, route, tables};
use ruleferry_eval::{MemoryTable, MemoryTables, Value};
use ruleferry_ir::Query;
use ruleferry_sql::{Dialect, LiftOptions, QueryTables};

#[derive(Clone, Debug)]
pub enum Outcome {
    /// The source has no SQL.
    NoSql,
    /// Code and text of the refusal.
    Refused(String, String),
    /// How many rows both gave.
    Same(usize),
    Differ(String),
    /// One of the sides has no answer in the evaluator.
    NoAnswer(String),
    Panic(String),
}

/// The SQL of a query, read back.
pub fn back(prepared: &Prepared<'_>) -> Result<Query, (String, String)> {
    let known = QueryTables::of(prepared.query, &prepared.lowered.needs);
    let options = LiftOptions { dialect: Dialect::DUCKDB, tables: &known };
    let lifted = ruleferry_sql::lift(&prepared.sql, &options);
    lifted.query.ok_or_else(|| {
        let d = lifted.diagnostics.first();
        let at = d.map(|d| d.span).unwrap_or_default();
        let text = prepared.sql.get(at.start as usize..at.end as usize).unwrap_or_default();
        let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect();
        d.map_or_else(Default::default, |d| (d.code.0.to_owned(), format!("{} :: {text}", d.message)))
    })
}

/// Rows of a query, its columns in the order of another's.
fn rows(back: &Query, like: &Query, tables: &MemoryTables) -> Result<Vec<Vec<Value>>, String> {
    let answer = route::eval(back, tables, 0).map_err(|s| s.to_string())?;
    let names = |q: &Query| -> Vec<String> {
        q.plan.output.iter().map(|id| q.columns.name(*id).to_owned()).collect()
    };
    let (own, wanted) = (names(back), names(like));
    let mut free: Vec<usize> = (0..own.len()).collect();
    let mut take = |test: &dyn Fn(&str) -> bool| {
        let at = free.iter().position(|i| test(&own[*i]))?;
        Some(free.remove(at))
    };
    let suffixed = |c: &str, name: &str| {
        c.rsplit_once("__").is_some_and(|(n, d)| n.eq_ignore_ascii_case(name) && d.parse::<u32>().is_ok())
    };
    let places: Option<Vec<usize>> =
        wanted.iter().map(|name| take(&|c| c == name).or_else(|| take(&|c| suffixed(c, name)))).collect();
    let mut places = places.unwrap_or_else(|| (0..own.len()).collect());
    if places.len() == wanted.len() && places.len() < own.len() {
        places.extend(free);
    }
    Ok(answer
        .rows
        .iter()
        .map(|r| places.iter().map(|p| r.get(*p).cloned().unwrap_or(Value::Null)).collect())
        .collect())
}

/// Tries a query over tables made from its own literals.
pub fn check(query: &Query, id: &str, attempts: u64) -> (Outcome, String) {
    let prepared = match route::guarded(|| prepare(query).map_err(route::Stop::Eval)) {
        Ok(prepared) => prepared,
        Err(route::Stop::Panic(why)) => return (Outcome::Panic(why), String::new()),
        Err(_) => return (Outcome::NoSql, String::new()),
    };
    let sql = prepared.sql.clone();
    let back = match route::guarded(|| Ok(back(&prepared))) {
        Ok(Ok(back)) => back,
        Ok(Err((code, text))) => return (Outcome::Refused(code, text), sql),
        Err(why) => return (Outcome::Panic(why.to_string()), sql),
    };
    if attempts == 0 {
        return (Outcome::Same(0), sql);
    }
    let Ok(hints) = route::guarded(|| Ok(hints::of(query))) else { return (Outcome::Same(0), sql) };
    let (mut found, mut settled, mut attempt) = (0, false, 0);
    while attempt < attempts {
        let Ok(mut tables) = route::guarded(|| Ok(tables::generate(&hints, id, attempt, settled))) else { break };
        for need in &prepared.lowered.needs {
            tables.tables.entry(need.name.clone()).or_insert_with(|| MemoryTable {
                columns: need.columns.iter().map(|(n, t)| (n.clone(), *t)).collect(),
                ..MemoryTable::default()
            });
        }
        attempt += 1;
        let got = match rows(&back, query, &tables) {
            Ok(rows) => rows,
            Err(why) => return (Outcome::NoAnswer(format!("read back: {why}")), sql),
        };
        match prepared.against(got, &tables) {
            Verdict::Agree(n) => found += n,
            Verdict::Differ(d) if d.open && !settled => {
                (settled, found, attempt) = (true, 0, 0);
            }
            Verdict::Differ(d) => {
                let shown = |rows: &[Vec<Value>]| -> String {
                    rows.iter()
                        .take(6)
                        .map(|r| {
                            format!("  {}\n", r.iter().map(crate::conformance::shown).collect::<Vec<_>>().join(" | "))
                        })
                        .collect()
                };
                let text = format!(
                    "{}\n{}\nsource:\n{}read back:\n{}\n{}",
                    d.why,
                    crate::versus::shown(&tables),
                    shown(&d.evaluator),
                    shown(&d.duckdb),
                    ruleferry_ir::text(&back)
                );
                return (Outcome::Differ(text), sql);
            }
            Verdict::NoAnswer(why) => return (Outcome::NoAnswer(why), sql),
            Verdict::Refused(why) | Verdict::Error(why) => return (Outcome::NoAnswer(why), sql),
        }
        if found > 0 {
            break;
        }
    }
    (Outcome::Same(found), sql)
}
