//! A rule as SQL on DuckDB, over the same events as the evaluator.
//!
//! Parquet is read by the engine itself, through a view that gives each column its type; events of other files, and those of
//! unit tests, are put into tables.

use super::data::Source;
use super::{Data, Found, ReadRule, duck, parquet};
use crate::language::Language;
use ruleferry_diag::{Diagnostic, Span, codes};
use ruleferry_duckdb::{Engine, Error};
use ruleferry_eval::{Row, Value};
use ruleferry_events::{EventFile, FileFault};
use ruleferry_ir::Type;
use ruleferry_sql::{Dialect, SqlOptions};
use rustc_hash::FxHashSet;
use smol_str::SmolStr;
use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;

type Fault = Vec<Diagnostic>;

pub(super) fn run(rule: &ReadRule, data: &Data, now: i64) -> Result<Found, Fault> {
    let options =
        SqlOptions { dialect: Dialect::DUCKDB, now: Some(now), look_back: rule.envelope.schedule.look_back };
    let lowered = ruleferry_sql::lower(&rule.query, &options).map_err(|mut found| {
        found.iter_mut().for_each(|d| d.span = rule.map.span(d.span));
        found
    })?;
    let script = ruleferry_sql::print(&lowered.script);
    let tables = ruleferry_sql::tables_for(&rule.query, &lowered.needs);
    let mut ready = Vec::with_capacity(tables.len());
    for (name, columns) in &tables {
        let columns: Vec<(SmolStr, Type)> = columns.iter().map(|(n, t)| (n.clone(), *t)).collect();
        ready.push(Ready::new(data, name, columns)?);
    }
    let spool = Spool::new();
    let engine = engine(&ready, &spool).map_err(|e| fault(&e, Span::default()))?;
    for table in &ready {
        table.make(&engine, data, &spool)?;
    }
    let table = engine.query(&script).map_err(|e| fault(&e, rule.map.span(rule.query.plan.span)))?;
    let columns: Vec<(SmolStr, Type)> = rule
        .query
        .plan
        .output
        .iter()
        .map(|id| (SmolStr::new(rule.query.columns.name(*id)), rule.query.columns.ty(*id)))
        .collect();
    if table.columns.len() != columns.len() {
        let message =
            format!("the SQL gives {} columns, and the rule {}", table.columns.len(), columns.len());
        return Err(vec![Diagnostic::error(codes::INTERNAL, Span::default(), message)]);
    }
    // Emitted SQL may have them in another order, which means nothing.
    let place = |name: &String| table.columns.iter().position(|c| c.name == *name);
    let places: Option<Vec<usize>> = folded(&columns).iter().map(place).collect();
    let places = places.unwrap_or_else(|| (0..columns.len()).collect());
    let rows = table.rows.iter().map(|row| -> Row {
        let value = |(at, (_, ty)): (&usize, &(SmolStr, Type))| {
            row.get(*at).map_or(Value::Null, |v| duck::value(v, *ty))
        };
        places.iter().zip(&columns).map(value).collect::<Vec<Value>>().into()
    });
    Ok(Found {
        rows: rows.collect(),
        columns,
        text_is_never_null: matches!(rule.language, Language::Kql | Language::Yaral),
    })
}

fn parquet_file(source: &Source) -> Option<&EventFile> {
    match source {
        Source::File(file) if parquet::is_parquet(file) => Some(file),
        Source::File(_) | Source::Events(_) => None,
    }
}

fn fault(error: &Error, span: Span) -> Fault {
    vec![Diagnostic::error(codes::RUN_ENGINE, span, error.to_string()).with_help(duck::help(error))]
}

/// The names of columns in the engine: names that differ only in case get a suffix, as in emitted SQL.
pub(super) fn folded(columns: &[(SmolStr, Type)]) -> Vec<String> {
    let mut taken: FxHashSet<String> = FxHashSet::default();
    let unique = |(name, _): &(SmolStr, Type)| {
        let mut unique = name.to_string();
        let mut n = 1;
        while !taken.insert(unique.to_lowercase()) {
            n += 1;
            unique = format!("{name}__{n}");
        }
        unique
    };
    columns.iter().map(unique).collect()
}

/// A table with what goes into it.
struct Ready<'d> {
    /// Quoted.
    name: String,
    columns: Vec<(SmolStr, Type)>,
    content: Content<'d>,
}

enum Content<'d> {
    /// Read by the engine itself.
    Parquet(Vec<&'d EventFile>),
    Rows(Rc<Vec<Row>>),
}

/// An engine that may read what is needed. Where all rows fit into statements, nothing is: then a connection to a database
/// that this thread keeps will do, for opening one takes longer than most tests.
fn engine(tables: &[Ready<'_>], spool: &Spool) -> Result<Engine, Error> {
    let mut files: Vec<PathBuf> = Vec::new();
    for table in tables {
        match &table.content {
            Content::Parquet(own) => files.extend(own.iter().map(|f| duck::absolute(&f.path))),
            Content::Rows(rows) if rows.len() > WRITTEN => files.push(spool.path.clone()),
            Content::Rows(_) => {}
        }
    }
    if files.is_empty() { connection() } else { duck::open(&files) }
}

/// A connection of its own to the database of this thread, which reads no file.
pub(super) fn connection() -> Result<Engine, Error> {
    thread_local! {
        static KEPT: RefCell<Option<Engine>> = const { RefCell::new(None) };
    }
    KEPT.with_borrow_mut(|kept| match kept {
        Some(engine) => engine.reconnect(),
        None => kept.insert(duck::open(&[])?).reconnect(),
    })
}

/// Makes a table that goes with the connection, and puts rows in it.
pub(super) fn create(
    engine: &Engine,
    name: &str,
    columns: &[(SmolStr, Type)],
    rows: &[Row],
) -> Result<(), Error> {
    let name = duck::name(name);
    engine.execute(&create_table(&name, columns))?;
    match (rows.is_empty(), columns.is_empty()) {
        (true, _) => Ok(()),
        (false, true) => {
            engine.execute(&format!("INSERT INTO {name} SELECT NULL FROM range({})", rows.len()))
        }
        (false, false) => {
            rows.chunks(WRITTEN).try_for_each(|rows| engine.execute(&insert(&name, columns, rows)))
        }
    }
}

/// `name` is quoted.
fn create_table(name: &str, columns: &[(SmolStr, Type)]) -> String {
    let mut create = format!("CREATE TEMP TABLE {name} (");
    for (i, ((_, ty), column)) in columns.iter().zip(&folded(columns)).enumerate() {
        let separator = if i == 0 { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(create, "{separator}{} {}", duck::name(column), Dialect::DUCKDB.type_name(*ty));
    }
    if columns.is_empty() {
        create.push_str("_raw VARCHAR");
    }
    create.push(')');
    create
}

impl<'d> Ready<'d> {
    fn new(data: &'d Data, name: &str, columns: Vec<(SmolStr, Type)>) -> Result<Self, Fault> {
        let sources = data.find(name).map(|(_, sources)| sources).unwrap_or_default();
        let parquet: Option<Vec<&EventFile>> = sources.iter().map(parquet_file).collect();
        let content = match parquet.filter(|files| !files.is_empty()) {
            Some(files) => Content::Parquet(files),
            None => {
                let event = columns.iter().any(|(n, _)| n == "_raw");
                Content::Rows(
                    data.rows(name, &columns, event).map_err(|e| unreadable(data, e))?.unwrap_or_default(),
                )
            }
        };
        Ok(Self { name: duck::name(name), columns, content })
    }

    /// Makes the table, or the view that stands for it; both go with the connection.
    fn make(&self, engine: &Engine, data: &Data, spool: &Spool) -> Result<(), Fault> {
        let run = |sql: &str| engine.execute(sql).map_err(|e| fault(&e, Span::default()));
        let Self { name, columns, content } = self;
        let names = folded(columns);
        let rows = match content {
            Content::Parquet(files) => {
                let parts: Result<Vec<String>, FileFault> =
                    files.iter().map(|file| parquet::select(engine, file, columns, &names)).collect();
                let parts = parts.map_err(|e| unreadable(data, e))?;
                return run(&format!("CREATE TEMP VIEW {name} AS {}", parts.join(" UNION ALL ")));
            }
            Content::Rows(rows) => rows,
        };
        run(&create_table(name, columns))?;
        if rows.is_empty() {
            return Ok(());
        }
        if columns.is_empty() {
            return run(&format!("INSERT INTO {name} SELECT NULL FROM range({})", rows.len()));
        }
        if rows.len() <= WRITTEN {
            return run(&insert(name, columns, rows));
        }
        spool.write(columns, rows).map_err(|e| {
            let message = format!("cannot write a temporary file: {e}");
            vec![Diagnostic::error(codes::RUN_ENGINE, Span::default(), message)]
        })?;
        run(&copy(name, columns, &spool.path))
    }
}

fn unreadable(data: &Data, e: FileFault) -> Fault {
    let message = e.to_string();
    data.tell(e);
    vec![Diagnostic::error(codes::DATA_UNREADABLE, Span::default(), message)]
}

/// As many rows are put into a statement; more go through a file.
const WRITTEN: usize = 200;

fn insert(table: &str, columns: &[(SmolStr, Type)], rows: &[Row]) -> String {
    let mut sql = format!("INSERT INTO {table} VALUES ");
    for (n, row) in rows.iter().enumerate() {
        sql.push_str(if n == 0 { "(" } else { ", (" });
        for (i, ((_, ty), value)) in columns.iter().zip(row.iter()).enumerate() {
            if i > 0 {
                sql.push_str(", ");
            }
            match duck::written(value, *ty) {
                Some(text) => {
                    let _ = write!(sql, "CAST({} AS {})", duck::text(&text), Dialect::DUCKDB.type_name(*ty));
                }
                None => sql.push_str("NULL"),
            }
        }
        sql.push(')');
    }
    sql
}

fn copy(table: &str, columns: &[(SmolStr, Type)], path: &Path) -> String {
    let casts: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(i, (_, ty))| format!("CAST(c{i} AS {})", Dialect::DUCKDB.type_name(*ty)))
        .collect();
    let texts: Vec<String> = (0..columns.len()).map(|i| format!("c{i}: 'VARCHAR'")).collect();
    format!(
        "INSERT INTO {table} SELECT {} FROM read_json({}, format = 'newline_delimited', maximum_object_size = 268435456, columns = {{{}}})",
        casts.join(", "),
        duck::text(&path.to_string_lossy()),
        texts.join(", ")
    )
}

/// A file for rows on their way into the engine; goes with the run.
struct Spool {
    path: PathBuf,
}

impl Spool {
    fn new() -> Self {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = duck::absolute(&std::env::temp_dir());
        Self { path: folder.join(format!("ruleferry-{}-{n}.jsonl", std::process::id())) }
    }

    /// One object a row, all values as text: the engine casts them.
    fn write(&self, columns: &[(SmolStr, Type)], rows: &[Row]) -> io::Result<()> {
        // Nobody else's file is written to, whatever lies under the name.
        let _ = std::fs::remove_file(&self.path);
        let file = std::fs::OpenOptions::new().write(true).create_new(true).open(&self.path)?;
        let mut out = io::BufWriter::new(file);
        for row in rows {
            out.write_all(b"{")?;
            let mut first = true;
            for (i, ((_, ty), value)) in columns.iter().zip(row.iter()).enumerate() {
                let Some(text) = duck::written(value, *ty) else { continue };
                let text = serde_json::to_string(&text).map_err(io::Error::other)?;
                write!(out, "{}\"c{i}\":{text}", if first { "" } else { "," })?;
                first = false;
            }
            out.write_all(b"}\n")?;
        }
        out.flush()
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // It may never have been written.
        let _ = std::fs::remove_file(&self.path);
    }
}
