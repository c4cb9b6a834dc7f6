//! `targets/<name>/target.toml`: what each target is and can do.

use crate::capability::Capability;
use crate::read::{self, Problems};
use std::fmt::Write;
use std::path::Path;
use toml::{Table, Value};

/// The dialects of SQL: `[sql]` of each target that has one.
pub fn dialects(root: &Path, problems: &mut Problems) -> String {
    let (mut rows, mut names) = (String::new(), String::new());
    let mut count = 0;
    for folder in read::folders_with(root, "target.toml") {
        let path = folder.join("target.toml");
        let content = read::table(&path, problems);
        let Some(sql) = content.get("sql").and_then(Value::as_table) else { continue };
        let name = read::folder_name(&folder);
        let _ = writeln!(rows, "    {},", dialect(&path, &name, &content, sql, problems));
        let constant = name.to_uppercase().replace('-', "_");
        let _ = writeln!(names, "    pub const {constant}: &'static Self = &DIALECTS[{count}];");
        count += 1;
    }
    format!("static DIALECTS: [Dialect; {count}] = [\n{rows}];\nimpl Dialect {{\n{names}}}\n")
}

fn dialect(path: &Path, name: &str, content: &Table, sql: &Table, problems: &mut Problems) -> String {
    let known = [
        "quote",
        "backslash",
        "name_backslash",
        "null_order",
        "like_escape",
        "regex",
        "parser",
        "keywords",
        "name_length",
        "settings",
        "table_suffix",
        "assumes",
        "types",
    ];
    read::only_keys(path, "sql", sql, &known, problems);
    let title = read::text(path, "target", content, "title", problems);
    let listed = read::texts(path, "target", content, "capabilities", problems);
    let can = |c: &str| listed.contains(&c);
    let (generic, alias, star, folds) =
        (can("generic_sql"), can("alias_reuse"), can("star_exclude"), can("names_fold_case"));
    let mut choice = |key: &str, choices: &[(&str, &'static str)]| {
        let value = sql.get(key).and_then(Value::as_str).unwrap_or_default();
        let found = choices.iter().find(|(n, _)| *n == value).map(|(_, v)| *v);
        if found.is_none() {
            problems.add(path, format!("sql: `{key}` is `{value}`, which is not known"));
        }
        found.unwrap_or("")
    };
    let null_order = choice("null_order", &[("last", "Last"), ("high", "High"), ("low", "Low")]);
    let like = choice("like_escape", &[("named", "Named"), ("backslash", "Backslash"), ("fixed", "Fixed")]);
    let regex = choice(
        "regex",
        &[
            ("re2", "Re2"),
            ("re2_dotall", "Re2Dotall"),
            ("java", "Java"),
            ("posix", "Posix"),
            ("ere", "Ere"),
            ("none", "None"),
        ],
    );
    let quote = read::text(path, "sql", sql, "quote", problems).chars().next().unwrap_or('"');
    let parser = read::text(path, "sql", sql, "parser", problems);
    let mut keywords = read::texts(path, "sql", sql, "keywords", problems);
    keywords.sort_unstable();
    keywords.dedup();
    let assumes = read::texts(path, "sql", sql, "assumes", problems);
    let empty = Table::new();
    let settings: Vec<(&str, i64)> = sql
        .get("settings")
        .and_then(Value::as_table)
        .unwrap_or(&empty)
        .iter()
        .filter_map(|(k, v)| Some((k.as_str(), v.as_integer()?)))
        .collect();
    let suffix = sql.get("table_suffix").and_then(Value::as_str).unwrap_or_default();
    let name_length = sql.get("name_length").and_then(Value::as_integer);
    let types = sql.get("types").and_then(Value::as_table).unwrap_or(&empty);
    let names: Vec<&str> =
        read::TYPES.iter().map(|(n, _)| read::text(path, "sql.types", types, n, problems)).collect();
    let capabilities = capabilities(path, content, problems);
    format!(
        "Dialect {{ name: {name:?}, title: {title:?}, generic: {generic}, alias_reuse: {alias}, star_edit: {star}, folds_case: {folds}, \
         quote: {quote:?}, backslash: {}, name_backslash: {}, null_order: NullOrder::{null_order}, like_escape: LikeEscape::{like}, regex: Regex::{regex}, \
         parser: {parser:?}, keywords: &{keywords:?}, name_length: {name_length:?}, table_suffix: {suffix:?}, settings: &{settings:?}, assumes: &{assumes:?}, \
         types: {names:?}, capabilities: &[{capabilities}] }}",
        read::flag(sql, "backslash"),
        read::flag(sql, "name_backslash"),
    )
}

pub fn build(root: &Path, problems: &mut Problems) -> String {
    let folders = read::folders_with(root, "target.toml");
    let mut out = format!("static TARGETS: [Target; {}] = [\n", folders.len());
    for folder in folders {
        let path = folder.join("target.toml");
        let content = read::table(&path, problems);
        let _ = writeln!(out, "    {},", target(&path, &read::folder_name(&folder), &content, problems));
    }
    out + "];\n"
}

fn target(path: &Path, name: &str, content: &Table, problems: &mut Problems) -> String {
    let known = [
        "title",
        "language",
        "dialect",
        "version",
        "support",
        "reads",
        "writes",
        "capabilities",
        "limits",
        "sql",
    ];
    read::only_keys(path, "target", content, &known, problems);
    let mut choice = |key: &str, choices: &[(&str, &'static str)]| {
        let value = read::text(path, "target", content, key, problems);
        let found = choices.iter().find(|(n, _)| *n == value).map(|(_, v)| *v);
        if found.is_none() {
            problems.add(
                path,
                format!(
                    "`{key}`: `{value}` is none of {:?}",
                    choices.iter().map(|c| c.0).collect::<Vec<_>>()
                ),
            );
        }
        found.unwrap_or("Unknown")
    };
    let language =
        choice("language", &[("kql", "Kql"), ("sigma", "Sigma"), ("sql", "Sql"), ("yaral", "Yaral")]);
    let support = choice(
        "support",
        &[("supported", "Supported"), ("unexecuted", "Unexecuted"), ("preview", "Preview")],
    );
    let title = read::text(path, "target", content, "title", problems);
    let version = read::text(path, "target", content, "version", problems);
    let dialect = content.get("dialect").and_then(Value::as_str);
    if dialect.is_some_and(|d| d != name) || dialect.is_some() != content.contains_key("sql") {
        problems.add(path, "`dialect` is the name of the target, and goes with a table `[sql]`");
    }
    if (language == "Sql") != dialect.is_some() {
        problems.add(path, "`dialect` goes with `language = \"sql\"`");
    }
    let capabilities = capabilities(path, content, problems);
    let limits = limits(path, content, problems);
    format!(
        "Target {{ name: {name:?}, title: {title:?}, language: Language::{language}, dialect: {dialect:?}, \
         version: {version:?}, support: Support::{support}, reads: {}, writes: {}, \
         capabilities: &[{capabilities}], limits: {limits} }}",
        read::flag(content, "reads"),
        read::flag(content, "writes"),
    )
}

fn capabilities(path: &Path, content: &Table, problems: &mut Problems) -> String {
    let mut out = String::new();
    for name in read::texts(path, "target", content, "capabilities", problems) {
        match Capability::ALL.iter().find(|c| c.name() == name) {
            Some(capability) => {
                let _ = write!(out, "Capability::{capability:?}, ");
            }
            None => problems.add(path, format!("unknown capability `{name}`")),
        }
    }
    out
}

fn limits(path: &Path, content: &Table, problems: &mut Problems) -> String {
    let empty = Table::new();
    let limits = content.get("limits").and_then(Value::as_table).unwrap_or(&empty);
    read::only_keys(path, "limits", limits, &["query_length", "second_digits"], problems);
    let limit = |key: &str| limits.get(key).and_then(Value::as_integer).and_then(|n| u32::try_from(n).ok());
    let (query_length, second_digits) = (limit("query_length"), limit("second_digits"));
    format!("Limits {{ query_length: {query_length:?}, second_digits: {second_digits:?} }}")
}
