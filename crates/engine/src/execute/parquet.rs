//! Parquet files, read by the embedded engine.
//!
//! In: a file and the columns that are wanted. Out: their types, the rows, or the SELECT that gives them in the types of the
//! rule, for a view over the file.

use super::duck;
use ruleferry_duckdb::Engine;
use ruleferry_eval::{Row, Value};
use ruleferry_events::{EventFile, FileFault, Format};
use ruleferry_ir::Type;
use ruleferry_sql::Dialect;
use smol_str::SmolStr;

pub(super) fn is_parquet(file: &EventFile) -> bool {
    file.format == Format::Parquet
}

fn open(file: &EventFile) -> Result<Engine, FileFault> {
    duck::open(&[duck::absolute(&file.path)]).map_err(|e| {
        let shown = &file.shown;
        FileFault::Engine(format!("`{shown}` is Parquet, which DuckDB reads: {e}; {}", duck::help(&e)))
    })
}

fn fault(file: &EventFile, e: &ruleferry_duckdb::Error) -> FileFault {
    FileFault::Read(file.shown.clone(), e.to_string())
}

fn source(file: &EventFile) -> String {
    format!("read_parquet({})", duck::text(&duck::absolute(&file.path).to_string_lossy()))
}

/// Names and the engine's own types.
fn described(engine: &Engine, file: &EventFile) -> Result<Vec<(SmolStr, String)>, FileFault> {
    let columns = engine.describe(&format!("SELECT * FROM {}", source(file))).map_err(|e| fault(file, &e))?;
    Ok(columns.into_iter().map(|c| (SmolStr::from(c.name), c.type_name)).collect())
}

/// Names and types of the columns.
pub(super) fn columns(file: &EventFile) -> Result<Vec<(SmolStr, Type)>, FileFault> {
    let engine = open(file)?;
    Ok(described(&engine, file)?.into_iter().map(|(name, ty)| (name, type_of(&ty))).collect())
}

/// Our type for one of the engine's.
fn type_of(name: &str) -> Type {
    match name {
        "BOOLEAN" => Type::Bool,
        "TINYINT" | "SMALLINT" | "INTEGER" | "UTINYINT" | "USMALLINT" => Type::Int,
        "BIGINT" | "UINTEGER" => Type::Long,
        "UBIGINT" | "HUGEINT" | "UHUGEINT" => Type::Decimal,
        "FLOAT" | "DOUBLE" => Type::Real,
        "DATE" => Type::Datetime,
        "INTERVAL" | "TIME" => Type::Timespan,
        "UUID" => Type::Guid,
        "JSON" => Type::Dynamic,
        n if n.starts_with("TIMESTAMP") => Type::Datetime,
        n if n.starts_with("DECIMAL") => Type::Decimal,
        n if n.ends_with(']')
            || n.starts_with("STRUCT")
            || n.starts_with("MAP")
            || n.starts_with("UNION") =>
        {
            Type::Dynamic
        }
        _ => Type::String,
    }
}

/// A SELECT of these columns from the file, each in the type that emitted SQL expects, under the names given.
pub(super) fn select(
    engine: &Engine,
    file: &EventFile,
    wanted: &[(SmolStr, Type)],
    names: &[String],
) -> Result<String, FileFault> {
    let has = described(engine, file)?;
    let mut items = Vec::with_capacity(wanted.len());
    for ((column, ty), alias) in wanted.iter().zip(names) {
        let target = Dialect::DUCKDB.type_name(*ty);
        let quoted = duck::name(column);
        let alias = duck::name(alias);
        items.push(match has.iter().find(|(n, _)| n == column) {
            // The column as it is keeps what the file knows of it (least and greatest values, dictionaries).
            Some((_, own)) if own == target => format!("{quoted} AS {alias}"),
            Some((_, own)) if *ty == Type::Dynamic => format!("{} AS {alias}", dynamic(&quoted, own)),
            Some((_, own)) if *ty == Type::String && type_of(own) == Type::Dynamic => {
                format!("CAST(to_json({quoted}) AS VARCHAR) AS {alias}")
            }
            Some(_) => format!("TRY_CAST({quoted} AS {target}) AS {alias}"),
            None if column == "_raw" => format!("{} AS {alias}", whole_event(&has)),
            None => format!("CAST(NULL AS {target}) AS {alias}"),
        });
    }
    let items = if items.is_empty() { "NULL AS _raw".to_owned() } else { items.join(", ") };
    Ok(format!("SELECT {items} FROM {}", source(file)))
}

/// A text is read as JSON where it is some, and else stands for itself, as a cell of a CSV file does.
fn dynamic(quoted: &str, own: &str) -> String {
    if own == "VARCHAR" {
        format!("coalesce(TRY_CAST({quoted} AS JSON), to_json({quoted}))")
    } else {
        format!("CASE WHEN {quoted} IS NOT NULL THEN to_json({quoted}) END")
    }
}

/// All values, one a line.
fn whole_event(has: &[(SmolStr, String)]) -> String {
    let values: Vec<String> =
        has.iter().map(|(n, _)| format!("CAST({} AS VARCHAR)", duck::name(n))).collect();
    if values.is_empty() { "NULL".to_owned() } else { format!("concat_ws(chr(10), {})", values.join(", ")) }
}

/// The rows, as [`EventFile::load`] gives them; with the text of the event behind them if that is asked for.
pub(super) fn rows(
    file: &EventFile,
    columns: &[(SmolStr, Type)],
    event: bool,
) -> Result<Vec<Row>, FileFault> {
    let engine = open(file)?;
    let mut wanted = columns.to_vec();
    if event {
        wanted.push((SmolStr::new_static("_raw"), Type::String));
    }
    let names: Vec<String> = (0..wanted.len()).map(|i| format!("c{i}")).collect();
    let sql = select(&engine, file, &wanted, &names)?;
    let table = engine.query(&sql).map_err(|e| fault(file, &e))?;
    let row = |row: &Vec<ruleferry_duckdb::Value>| -> Row {
        wanted.iter().zip(row).map(|((_, ty), v)| duck::value(v, *ty)).collect::<Vec<Value>>().into()
    };
    Ok(table.rows.iter().map(row).collect())
}
