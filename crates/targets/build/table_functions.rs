//! `targets/kql/table-functions.toml`: functions that give or widen tables.

use crate::read::{self, Problems};
use std::fmt::Write;
use std::path::Path;
use toml::{Table, Value};

pub fn build(root: &Path, problems: &mut Problems) -> String {
    let path = root.join("kql/table-functions.toml");
    let content = read::table(&path, problems);
    let mut entries = read::entries(&content, "function");
    entries.sort_by_key(|e| e.get("name").and_then(Value::as_str).unwrap_or_default());
    let mut out = format!("static TABLE_FUNCTIONS: [TableFunction; {}] = [\n", entries.len());
    for entry in entries {
        let name = read::text(&path, "function", entry, "name", problems);
        let known = ["name", "form", "keeps_input", "open", "schema", "params", "columns"];
        read::only_keys(&path, name, entry, &known, problems);
        let form = match (
            read::text(&path, name, entry, "form", problems),
            entry.get("schema").and_then(Value::as_str),
        ) {
            ("invoke", None) => "TableFunctionForm::Invoke".to_owned(),
            ("call", None) => "TableFunctionForm::Call".to_owned(),
            ("tables", Some("azure-resource-graph")) => {
                "TableFunctionForm::Tables(SchemaSet::ResourceGraph)".to_owned()
            }
            (form, schema) => {
                problems.add(&path, format!("{name}: form `{form}` with schema {schema:?}"));
                continue;
            }
        };
        let _ = writeln!(
            out,
            "    TableFunction {{ name: {name:?}, form: {form}, keeps_input: {}, open: {}, params: &[{}], columns: &[{}] }},",
            read::flag(entry, "keeps_input"),
            read::flag(entry, "open"),
            params(&path, name, entry, problems),
            columns(&path, name, entry, problems),
        );
    }
    out + "];\n"
}

fn params(path: &Path, function: &str, entry: &Table, problems: &mut Problems) -> String {
    let mut out = String::new();
    for param in read::entries(entry, "params") {
        read::only_keys(path, function, param, &["name", "type", "default"], problems);
        let name = read::text(path, function, param, "name", problems);
        let ty = read::text(path, function, param, "type", problems);
        let ty = match (ty, read::variant(ty)) {
            ("column", _) => "None".to_owned(),
            (_, Some(variant)) => format!("Some(Type::{variant})"),
            (other, None) => {
                problems.add(path, format!("{function}: `{other}` is not a type"));
                continue;
            }
        };
        let default = param.get("default").and_then(Value::as_str);
        let _ = write!(out, "TableFunctionParam {{ name: {name:?}, ty: {ty}, default: {default:?} }}, ");
    }
    out
}

fn columns(path: &Path, function: &str, entry: &Table, problems: &mut Problems) -> String {
    let mut out = String::new();
    for (name, ty) in entry.get("columns").and_then(Value::as_table).into_iter().flatten() {
        match ty.as_str().and_then(read::variant) {
            Some(variant) => {
                let _ = write!(out, "({name:?}, Type::{variant}), ");
            }
            None => problems.add(path, format!("{function}.{name}: {ty} is not a type")),
        }
    }
    out
}
