//! Where rows come from.
//!
//! In: requests of scans, by table name with the columns that the query knows. Out: rows with their values in that order.

use crate::{Row, Value, cast, fault::Result};
use indexmap::IndexMap;
use ruleferry_ir::Type;
use smol_str::SmolStr;

/// What a scan asks for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub table: &'a str,
    pub columns: &'a [(SmolStr, Type)],
    /// One more value at the end of each row: all values of the event, one a line.
    pub event: bool,
}

/// A source of tables. A column that a table lacks is null throughout.
pub trait Tables {
    /// `None`: there is no such table.
    ///
    /// # Errors
    /// The table is there and cannot be read.
    fn scan(&self, request: &Request<'_>) -> Result<Option<Vec<Row>>>;

    /// The names of all tables, in order, for `union Device*`.
    fn names(&self) -> Vec<SmolStr>;

    /// Columns and types of a table, where they are known.
    fn columns(&self, table: &str) -> Option<Vec<(SmolStr, Type)>>;
}

/// A table in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryTable {
    pub columns: Vec<(SmolStr, Type)>,
    pub rows: Vec<Row>,
    /// The text of each event, where it is more than the columns say.
    pub events: Option<Vec<SmolStr>>,
}

/// Tables in memory, by name.
#[derive(Clone, Debug, Default)]
pub struct MemoryTables {
    pub tables: IndexMap<SmolStr, MemoryTable>,
}

impl MemoryTables {
    /// The table of a name: as written, else with another case if there is one only.
    pub fn find(&self, name: &str) -> Option<&MemoryTable> {
        if let Some(table) = self.tables.get(name) {
            return Some(table);
        }
        let mut near = self.tables.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        match (near.next(), near.next()) {
            (Some((_, table)), None) => Some(table),
            _ => None,
        }
    }
}

impl Tables for MemoryTables {
    fn scan(&self, request: &Request<'_>) -> Result<Option<Vec<Row>>> {
        let Some(table) = self.find(request.table) else { return Ok(None) };
        let places: Vec<Option<(usize, bool, Type)>> = request
            .columns
            .iter()
            .enumerate()
            .map(|(i, (name, ty))| {
                // Most often they stand in the same order.
                let here = table.columns.get(i).is_some_and(|(n, _)| n == name);
                let at = if here { i } else { table.columns.iter().position(|(n, _)| n == name)? };
                let has = table.columns.get(at)?.1;
                Some((at, has == *ty, *ty))
            })
            .collect();
        // The table as it is: its rows are shared.
        let whole = places.len() == table.columns.len()
            && places.iter().enumerate().all(|(i, p)| matches!(p, Some((at, true, _)) if *at == i));
        if whole && !request.event && table.rows.iter().all(|r| r.len() == places.len()) {
            return Ok(Some(table.rows.clone()));
        }
        let rows = table.rows.iter().enumerate().map(|(n, row)| {
            let values = places.iter().map(|place| match place {
                None => Value::Null,
                Some((at, same, ty)) => {
                    let value = row.get(*at).cloned().unwrap_or(Value::Null);
                    if *same || value.is_null() { value } else { cast(&value, *ty) }
                }
            });
            let event = request.event.then(|| {
                let kept = table.events.as_ref().and_then(|e| e.get(n)).cloned();
                Value::String(kept.unwrap_or_else(|| event_text(row)))
            });
            values.chain(event).collect()
        });
        Ok(Some(rows.collect()))
    }

    fn names(&self) -> Vec<SmolStr> {
        let mut names: Vec<SmolStr> = self.tables.keys().cloned().collect();
        names.sort();
        names
    }

    fn columns(&self, table: &str) -> Option<Vec<(SmolStr, Type)>> {
        self.find(table).map(|t| t.columns.clone())
    }
}

/// All values of a row, one a line.
fn event_text(row: &[Value]) -> SmolStr {
    let texts = row.iter().filter(|v| !v.is_null()).map(|v| match cast(v, Type::String) {
        Value::String(s) => s,
        _ => SmolStr::default(),
    });
    texts.collect::<Vec<_>>().join("\n").into()
}
