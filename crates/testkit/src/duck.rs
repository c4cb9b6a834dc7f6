//! DuckDB: opens it, runs a script with a time limit, reads its rows as values of the IR's types.

use crate::text::{self, UNIX_EPOCH};
use ruleferry_duckdb::{Engine, Options, Table, Value as Cell, library};
use ruleferry_eval::Value;
use ruleferry_ir::{Json, Query, Type};
use ruleferry_sql::{Dialect, Lowered, SqlOptions, lower};
use rust_decimal::Decimal;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

/// A database of its own; `None` without the library.
pub fn open() -> Option<Engine> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = std::env::var_os(library::ENVIRONMENT).filter(|v| !v.is_empty()).map(PathBuf::from);
    let path = root.join(named.unwrap_or_else(|| "target/duckdb".into()));
    if !path.exists() {
        return None;
    }
    let options = Options { library: Some(path), ..Options::default() };
    Some(Engine::open_with(&options).expect("libduckdb opens"))
}

/// The SQL of a query.
pub fn sql(query: &Query, now: i64) -> Result<Lowered, String> {
    let options = SqlOptions { dialect: Dialect::DUCKDB, now: Some(now), look_back: None };
    lower(query, &options).map_err(|ds| ds.first().map_or("refused".into(), |d| d.message.to_string()))
}

/// Runs a script; what takes too long is an error.
pub fn run(engine: &Engine, script: &str, limit: Duration) -> Result<Table, String> {
    let interrupter = engine.interrupter();
    let (done, wait) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if wait.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
                interrupter.interrupt();
            }
        });
        let result = engine.query(script).map_err(|e| e.to_string());
        drop(done);
        result
    })
}

/// Whether a column has this name; one that another takes in another case has a suffix.
fn is_named(column: &str, name: &str) -> bool {
    let unsuffixed = column.rsplit_once("__").filter(|(_, digits)| digits.parse::<u32>().is_ok());
    column == name || unsuffixed.is_some_and(|(n, _)| n.eq_ignore_ascii_case(name))
}

pub fn has_column(table: &Table, name: &str) -> bool {
    table.columns.iter().any(|c| is_named(&c.name, name))
}

/// The columns in the order of the query's output, by their names: SQL that says `EXCLUDE` has them in another. As they are where
/// the names do not say which is which.
pub fn arranged(table: Table, names: &[&str]) -> Table {
    let mut free: Vec<usize> = (0..table.columns.len()).collect();
    let mut take = |test: &dyn Fn(&str) -> bool| {
        let at = free.iter().position(|i| test(&table.columns[*i].name))?;
        Some(free.remove(at))
    };
    let place = |name: &&str| take(&|c| c == *name).or_else(|| take(&|c| is_named(c, name)));
    let places: Option<Vec<usize>> = names.iter().map(place).collect();
    let Some(mut places) = places else { return table };
    // What nobody asked for comes last, and is seen.
    places.extend(free);
    Table {
        columns: places.iter().map(|p| table.columns[*p].clone()).collect(),
        rows: table.rows.iter().map(|r| places.iter().map(|p| r[*p].clone()).collect()).collect(),
    }
}

/// The rows of a result, its columns of these types. A value that does not fit its type stays what it is, and will differ.
pub fn rows(table: &Table, types: &[Type]) -> Vec<Vec<Value>> {
    let row = |row: &Vec<Cell>| {
        row.iter()
            .zip(types.iter().copied().chain(std::iter::repeat(Type::Unknown)))
            .map(|(c, t)| value(c, t))
            .collect()
    };
    table.rows.iter().map(row).collect()
}

fn value(cell: &Cell, ty: Type) -> Value {
    match (cell, ty) {
        (Cell::Null, _) => Value::Null,
        (_, Type::Dynamic) => Value::dynamic(dynamic(cell)),
        (Cell::Bool(b), _) => Value::Bool(*b),
        (Cell::Int(n), Type::Real) => Value::Real(*n as f64),
        (Cell::Int(n), _) => i64::try_from(*n).map_or(Value::Real(*n as f64), Value::Long),
        (Cell::Real(x), _) => Value::Real(*x),
        (Cell::Decimal { unscaled, scale }, Type::Real) => {
            Value::Real(*unscaled as f64 / 10f64.powi(i32::from(*scale)))
        }
        (Cell::Decimal { unscaled, scale }, _) => {
            Decimal::try_from_i128_with_scale(*unscaled, u32::from(*scale))
                .map_or(Value::Null, |d| Value::Decimal(d.normalize()))
        }
        (Cell::Text(s), Type::Guid) => text::guid(s).map_or_else(|| Value::string(s.as_str()), Value::Guid),
        (Cell::Text(s) | Cell::Json(s), _) => Value::string(s.as_str()),
        (Cell::Timestamp(nanos), _) => {
            i64::try_from(nanos.div_euclid(100) + i128::from(UNIX_EPOCH)).map_or(Value::Null, Value::Datetime)
        }
        (Cell::Date(days), _) => Value::Datetime(i64::from(*days) * text::TICKS_A_DAY + UNIX_EPOCH),
        (Cell::Interval { months, days, micros }, _) => {
            let days = i64::from(*months) * 30 + i64::from(*days);
            Value::Timespan(days.wrapping_mul(text::TICKS_A_DAY).wrapping_add(micros.wrapping_mul(10)))
        }
        (Cell::Blob(_) | Cell::List(_) | Cell::Struct(_) | Cell::Map(_), _) => Value::dynamic(dynamic(cell)),
    }
}

fn dynamic(cell: &Cell) -> Json {
    match cell {
        Cell::Text(s) => Json::String(s.into()),
        cell => text::json(&cell.to_json()),
    }
}
