//! DuckDB as the [`Executor`] that scripts are tried out on.

use super::{duck, embedded};
use ruleferry_eval::{MemoryTables, Row, Value};
use ruleferry_ir::Type;
use ruleferry_prove::Executor;
use smol_str::SmolStr;

/// The embedded engine; a connection of its own for each script.
#[derive(Clone, Copy, Debug)]
pub struct DuckDb(());

impl DuckDb {
    /// The engine, if its library is there.
    pub fn find() -> Option<Self> {
        embedded::connection().ok().map(|_| Self(()))
    }
}

impl Executor for DuckDb {
    fn run(
        &self,
        script: &str,
        tables: &MemoryTables,
        columns: &[(SmolStr, Type)],
    ) -> Result<Vec<Row>, String> {
        let engine = embedded::connection().map_err(|e| e.to_string())?;
        for (name, table) in &tables.tables {
            embedded::create(&engine, name, &table.columns, &table.rows).map_err(|e| e.to_string())?;
        }
        let found = engine.query(script).map_err(|e| e.to_string())?;
        if found.columns.len() != columns.len() {
            return Err(format!(
                "the script returns {} columns, and the rule {}",
                found.columns.len(),
                columns.len()
            ));
        }
        let names = embedded::folded(columns);
        let places: Option<Vec<usize>> =
            names.iter().map(|name| found.columns.iter().position(|c| c.name == *name)).collect();
        let places = places.unwrap_or_else(|| (0..columns.len()).collect());
        let row = |row: &Vec<ruleferry_duckdb::Value>| -> Row {
            let value = |(at, (_, ty)): (&usize, &(SmolStr, Type))| {
                row.get(*at).map_or(Value::Null, |v| duck::value(v, *ty))
            };
            places.iter().zip(columns).map(value).collect::<Vec<Value>>().into()
        };
        Ok(found.rows.iter().map(row).collect())
    }
}
