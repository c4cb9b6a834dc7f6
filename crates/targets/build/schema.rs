//! Table schemas: `targets/<set>/schema/*.toml` into one pool of names and one list of columns.
//!
//! A name's number is its place in the sorted pool. A column is four bytes: the number of its name times 16 plus its type.
//! A table is a row of a static Rust array with the range of its columns.

use crate::read::{self, Problems, TYPES};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use toml::Value;

/// The sets, in the order of `SchemaSet`, and the column that says when a row was made.
const SETS: [(&str, &str, &str); 3] = [
    ("log-analytics", "LOG_ANALYTICS", "TimeGenerated"),
    ("defender-xdr", "DEFENDER_XDR", "Timestamp"),
    ("azure-resource-graph", "RESOURCE_GRAPH", ""),
];

const STANDARD_FILE: &str = "_standard.toml";

pub struct Schema {
    pub names: String,
    pub name_offsets: Vec<u8>,
    pub columns: Vec<u8>,
    pub tables: String,
}

#[derive(Default)]
struct TableData {
    open: bool,
    /// Name and type number, as declared.
    columns: Vec<(String, u32)>,
    /// How many of them are the table's own, not standard columns.
    declared: usize,
}

type Tables = BTreeMap<String, TableData>;

pub fn build(root: &Path, problems: &mut Problems) -> Schema {
    let standard = standard_columns(root, problems);
    let folder = |set: &str| root.join(set).join("schema");
    let mut sets: Vec<_> = SETS.iter().map(|(set, ..)| read_set(&folder(set), problems)).collect();
    if let Some(workspace) = sets.first_mut() {
        add_standard(workspace, &standard);
    }
    let columns = || sets.iter().flat_map(Tables::values).flat_map(|t| &t.columns);
    let pool: BTreeSet<&str> = columns().map(|(name, _)| name.as_str()).collect();
    let numbers: BTreeMap<&str, u32> = pool.iter().copied().zip(0..).collect();

    let mut schema = Schema {
        names: pool.iter().copied().collect(),
        name_offsets: Vec::new(),
        columns: Vec::new(),
        tables: String::new(),
    };
    let mut end = 0u32;
    schema.name_offsets.extend(end.to_le_bytes());
    for name in &pool {
        end += u32::try_from(name.len()).unwrap_or(u32::MAX);
        schema.name_offsets.extend(end.to_le_bytes());
    }
    let standard: BTreeSet<&str> = standard.iter().map(|(name, _)| name.as_str()).collect();
    let _ = writeln!(
        schema.tables,
        "static STANDARD: [&str; {}] = {:?};",
        standard.len(),
        standard.iter().collect::<Vec<_>>()
    );
    let mut first = 0usize;
    for ((_, constant, time), tables) in SETS.iter().zip(&sets) {
        let _ = writeln!(schema.tables, "static {constant}: [TableData; {}] = [", tables.len());
        for (name, table) in tables {
            let time = table.columns.iter().find(|(c, _)| c == time).map(|(c, _)| c);
            let _ = writeln!(
                schema.tables,
                "    TableData {{ name: {name:?}, open: {}, first: {first}, count: {}, declared: {}, time: {time:?} }},",
                table.open,
                table.columns.len(),
                table.declared,
            );
            first += table.columns.len();
            for (column, ty) in &table.columns {
                let number = numbers.get(column.as_str()).copied().unwrap_or_default();
                schema.columns.extend((number << 4 | ty).to_le_bytes());
            }
        }
        schema.tables.push_str("];\n");
    }
    schema
}

/// The columns of every workspace table: `log-analytics/schema/_standard.toml`.
fn standard_columns(root: &Path, problems: &mut Problems) -> Vec<(String, u32)> {
    let path = root.join("log-analytics/schema").join(STANDARD_FILE);
    let content = read::table(&path, problems);
    content.iter().filter_map(|(name, ty)| column(&path, "standard", name, ty, problems)).collect()
}

fn read_set(folder: &Path, problems: &mut Problems) -> Tables {
    let mut tables = Tables::new();
    for path in read::files(folder, "toml").iter().filter(|p| !p.ends_with(STANDARD_FILE)) {
        for (name, columns) in &read::table(path, problems) {
            let Some(columns) = columns.as_table() else {
                problems.add(path, format!("`{name}` must be a table"));
                continue;
            };
            let table = read_table(path, name, columns, problems);
            if tables.insert(name.clone(), table).is_some() {
                problems.add(path, format!("table `{name}` is given twice"));
            }
        }
    }
    if tables.is_empty() {
        problems.add(folder, "no tables");
    }
    tables
}

fn add_standard(tables: &mut Tables, standard: &[(String, u32)]) {
    for table in tables.values_mut() {
        let own: BTreeSet<&String> = table.columns.iter().map(|(name, _)| name).collect();
        let missing: Vec<_> = standard.iter().filter(|(name, _)| !own.contains(name)).cloned().collect();
        table.columns.extend(missing);
    }
}

fn read_table(path: &Path, name: &str, content: &toml::Table, problems: &mut Problems) -> TableData {
    let mut table = TableData::default();
    for (key, value) in content {
        // Columns can start with `_` too; only a flag is not text.
        match (key.as_str(), value) {
            ("_open", Value::Boolean(open)) => table.open = *open,
            _ => table.columns.extend(column(path, name, key, value, problems)),
        }
    }
    table.declared = table.columns.len();
    if table.columns.is_empty() {
        problems.add(path, format!("table `{name}` has no columns"));
    }
    table
}

fn column(
    path: &Path,
    table: &str,
    name: &str,
    ty: &Value,
    problems: &mut Problems,
) -> Option<(String, u32)> {
    let number = ty.as_str().and_then(|ty| (0..).zip(TYPES).find(|(_, (n, _))| *n == ty));
    if number.is_none() {
        problems.add(path, format!("{table}.{name}: {ty} is not a type"));
    }
    number.map(|(number, _)| (name.to_owned(), number))
}
