//! Tables of events for people: one drawn table each, cut to what can be read.
//!
//! In: rows by table, as records have them. Out: text; what is other people's is made visible.

use super::visible::visible;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// Characters of a cell that are shown; the record has all of it.
const LONGEST: usize = 160;
/// Rows of a table that are shown.
const MOST_ROWS: usize = 20;

/// Each table under its name.
pub fn text(tables: &Map<String, Value>) -> String {
    let mut out = String::new();
    for (name, rows) in tables {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{}", visible(name));
        let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
        if rows.is_empty() {
            out.push_str("(no rows)\n");
            continue;
        }
        let mut columns: Vec<&str> = Vec::new();
        for key in rows.iter().filter_map(Value::as_object).flat_map(|row| row.keys()) {
            if !columns.contains(&key.as_str()) {
                columns.push(key);
            }
        }
        if columns.is_empty() {
            let _ = writeln!(out, "({} rows without a value)", rows.len());
            continue;
        }
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED);
        table.set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(columns.iter().map(|c| brief(c)));
        for row in rows.iter().take(MOST_ROWS) {
            let cell = |column: &&str| match row.get(*column) {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => brief(&format!("{text:?}")),
                Some(other) => brief(&other.to_string()),
            };
            table.add_row(columns.iter().map(cell));
        }
        let _ = writeln!(out, "{table}");
        if rows.len() > MOST_ROWS {
            let _ = writeln!(out, "(and {} more rows)", rows.len() - MOST_ROWS);
        }
    }
    out
}

/// One line of a text, cut where it is too long to read.
pub fn brief(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if line.chars().count() > LONGEST {
        line = line.chars().take(LONGEST - 1).collect::<String>() + "…";
    }
    visible(&line).into_owned()
}
