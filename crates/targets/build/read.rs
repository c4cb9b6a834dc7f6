//! Files, TOML values and what is wrong with them.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The types of a column, in the order of `ruleferry_ir::Type`, and the names of its variants.
pub const TYPES: [(&str, &str); 10] = [
    ("bool", "Bool"),
    ("int", "Int"),
    ("long", "Long"),
    ("real", "Real"),
    ("decimal", "Decimal"),
    ("string", "String"),
    ("datetime", "Datetime"),
    ("timespan", "Timespan"),
    ("guid", "Guid"),
    ("dynamic", "Dynamic"),
];

/// The variant of `Type` for a type name.
pub fn variant(name: &str) -> Option<&'static str> {
    TYPES.iter().find(|(n, _)| *n == name).map(|(_, v)| *v)
}

#[derive(Default)]
pub struct Problems(Vec<String>);

impl Problems {
    pub fn add(&mut self, file: &Path, what: impl Display) {
        // One line each: cargo takes the rest of a directive as something else.
        let text = format!("{}: {what}", file.display()).replace('\n', " ");
        self.0.push(text);
    }

    pub fn list(&self) -> &[String] {
        &self.0
    }
}

/// The files of a folder with this ending, sorted by name; none if there is no such folder.
pub fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.filter_map(|e| e.ok().map(|e| e.path()));
    let mut found: Vec<PathBuf> = paths.filter(|p| p.extension().is_some_and(|e| e == ending)).collect();
    found.sort();
    found
}

/// The folders of `targets/` that hold this file, sorted.
pub fn folders_with(root: &Path, file: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(root) else { return Vec::new() };
    let mut found: Vec<PathBuf> =
        entries.filter_map(|e| e.ok().map(|e| e.path())).filter(|p| p.join(file).is_file()).collect();
    found.sort();
    found
}

pub fn folder_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

pub fn table(path: &Path, problems: &mut Problems) -> Table {
    let parsed = std::fs::read_to_string(path)
        .map_err(|e| e.to_string())
        .and_then(|text| text.parse::<Table>().map_err(|e| e.to_string()));
    parsed.unwrap_or_else(|error| {
        problems.add(path, error);
        Table::new()
    })
}

/// The tables of `[[key]]`.
pub fn entries<'a>(table: &'a Table, key: &str) -> Vec<&'a Table> {
    let list = table.get(key).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_table).collect()
}

/// Refuses keys that nothing reads: a typing error must not pass as an absent key.
pub fn only_keys(path: &Path, at: &str, table: &Table, known: &[&str], problems: &mut Problems) {
    for key in table.keys().filter(|k| !known.contains(&k.as_str())) {
        problems.add(path, format!("{at}: unknown key `{key}`"));
    }
}

pub fn text<'a>(path: &Path, at: &str, table: &'a Table, key: &str, problems: &mut Problems) -> &'a str {
    let found = table.get(key).and_then(Value::as_str);
    if found.is_none() {
        problems.add(path, format!("{at}: `{key}` must be a text"));
    }
    found.unwrap_or_default()
}

pub fn flag(table: &Table, key: &str) -> bool {
    table.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// A list of texts; empty if absent.
pub fn texts<'a>(
    path: &Path,
    at: &str,
    table: &'a Table,
    key: &str,
    problems: &mut Problems,
) -> Vec<&'a str> {
    let Some(value) = table.get(key) else { return Vec::new() };
    let items: Option<Vec<&str>> = value.as_array().and_then(|a| a.iter().map(Value::as_str).collect());
    items.unwrap_or_else(|| {
        problems.add(path, format!("{at}: `{key}` must be a list of texts"));
        Vec::new()
    })
}
