//! A rule to SQL and back: does the query that is read back give the rows of the rule?

use crate::versus::{Prepared, Verdict, prepare};
use crate::{hints, route, tables};
use ruleferry_eval::{MemoryTable, MemoryTables, Value};
use ruleferry_ir::Query;
use ruleferry_sql::{LiftOptions, QueryTables, ReadDialect};

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

/// Small changes of SQL text: what stands there, and what is put in its place, once.
const CHANGES: [(&str, &str); 26] = [
    (" <> ", " = "),
    (" = ", " <> "),
    (" AND ", " OR "),
    (" OR ", " AND "),
    ("\n    AND ", "\n    OR "),
    (" ILIKE ", " LIKE "),
    (" ILIKE ", " NOT ILIKE "),
    (" NOT ILIKE ", " ILIKE "),
    (") IS NOT TRUE", ") IS TRUE"),
    (") IS NOT TRUE", ") IS FALSE"),
    (") IS NOT TRUE", ") IS NOT FALSE"),
    (" IS NULL", " IS NOT NULL"),
    (" IS DISTINCT FROM ", " IS NOT DISTINCT FROM "),
    (" IS DISTINCT FROM ", " <> "),
    (" > ", " <= "),
    (" >= ", " < "),
    ("NOT (", "("),
    ("WHERE ", "WHERE NOT "),
    (" IN (", " NOT IN ("),
    ("ANTI JOIN", "SEMI JOIN"),
    ("SEMI JOIN", "ANTI JOIN"),
    ("LEFT JOIN", "JOIN"),
    ("\nJOIN ", "\nLEFT JOIN "),
    ("SELECT DISTINCT\n", "SELECT\n"),
    ("coalesce(", "nullif("),
    ("lower(", "("),
];

/// SQL with one small change each: not only what is emitted must be read as the engine reads it. A `coalesce(x, '')` is also taken away.
pub fn changed(sql: &str, seed: usize) -> Vec<String> {
    let start = sql.find("\nWITH ").or_else(|| sql.find("\nSELECT")).unwrap_or(0);
    let (head, body) = sql.split_at(start);
    let mut out = Vec::new();
    let mut push = |body: String| out.push(format!("{head}{body}"));
    for (from, to) in CHANGES {
        let places: Vec<usize> = body.match_indices(from).map(|(i, _)| i).collect();
        if let Some(at) = places.get(seed % places.len().max(1)) {
            push(format!("{}{to}{}", &body[..*at], &body[at + from.len()..]));
        }
    }
    let guards: Vec<usize> = body.match_indices("coalesce(").map(|(i, _)| i).collect();
    for at in guards.iter().skip(seed % 3).step_by(3).take(4) {
        let rest = &body[at + 9..];
        if let Some(end) = rest.find(", '')")
            && rest[..end].chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '"'))
        {
            push(format!("{}{}{}", &body[..*at], &rest[..end], &rest[end + 5..]));
        }
    }
    out
}

/// SQL that was changed, read back, against the engine. How many were read, how many of them the engine runs, and what differs.
pub fn against_engine(query: &Query, id: &str, change: bool) -> (usize, usize, Vec<String>) {
    let Ok(prepared) = route::guarded(|| prepare(query).map_err(route::Stop::Eval)) else {
        return (0, 0, Vec::new());
    };
    let Ok(hints) = route::guarded(|| Ok(hints::of(query))) else { return (0, 0, Vec::new()) };
    let Ok(mut tables) = route::guarded(|| Ok(tables::generate(&hints, id, 0, true))) else {
        return (0, 0, Vec::new());
    };
    for need in &prepared.lowered.needs {
        tables.tables.entry(need.name.clone()).or_insert_with(|| MemoryTable {
            columns: need.columns.iter().map(|(n, t)| (n.clone(), *t)).collect(),
            ..MemoryTable::default()
        });
    }
    let seed = id.bytes().map(usize::from).sum();
    let texts = if change { changed(&prepared.sql, seed) } else { vec![prepared.sql.clone()] };
    let (mut read, mut ran, mut faults) = (0, 0, Vec::new());
    for sql in texts {
        let own = prepared.beside(query, sql.clone());
        let Ok(Ok(back)) = route::guarded(|| Ok(self::back(&own))) else { continue };
        read += 1;
        match prepared.beside(&back, sql.clone()).run(&tables) {
            Verdict::Agree(_) => ran += 1,
            Verdict::Differ(d) => {
                ran += 1;
                let shown = |rows: &[Vec<Value>]| -> String {
                    let line = |r: &Vec<Value>| {
                        format!(
                            "  {}\n",
                            r.iter().map(crate::conformance::shown).collect::<Vec<_>>().join(" | ")
                        )
                    };
                    rows.iter().take(6).map(line).collect()
                };
                let at = prepared.sql.bytes().zip(sql.bytes()).position(|(a, b)| a != b).unwrap_or(0);
                let near: String = sql.chars().skip(at.saturating_sub(60)).take(160).collect();
                faults.push(format!(
                    "{} NEAR {}\nread back:\n{}engine:\n{}{}\n{}",
                    d.why,
                    near.split_whitespace().collect::<Vec<_>>().join(" "),
                    shown(&d.evaluator),
                    shown(&d.duckdb),
                    ruleferry_ir::text(&back),
                    sql
                ));
            }
            Verdict::Refused(_) | Verdict::NoAnswer(_) | Verdict::Error(_) => {}
        }
    }
    (read, ran, faults)
}

/// The SQL of a query, read back.
pub fn back(prepared: &Prepared<'_>) -> Result<Query, (String, String)> {
    let known = QueryTables::of(prepared.query, &prepared.lowered.needs);
    let options = LiftOptions { dialect: ReadDialect::DuckDb, tables: &known };
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
        let Ok(mut tables) = route::guarded(|| Ok(tables::generate(&hints, id, attempt, settled))) else {
            break;
        };
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
        match prepared.held(got, &tables) {
            Verdict::Agree(n) => found += n,
            Verdict::Differ(d) if d.open && !settled => {
                (settled, found, attempt) = (true, 0, 0);
            }
            Verdict::Differ(d) => {
                let shown = |rows: &[Vec<Value>]| -> String {
                    rows.iter()
                        .take(6)
                        .map(|r| {
                            format!(
                                "  {}\n",
                                r.iter().map(crate::conformance::shown).collect::<Vec<_>>().join(" | ")
                            )
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
