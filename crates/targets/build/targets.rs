//! `targets/<name>/target.toml`: what each target is and can do.

use crate::capability::Capability;
use crate::read::{self, Problems};
use std::fmt::Write;
use std::path::Path;
use toml::{Table, Value};

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
    let known =
        ["title", "language", "dialect", "version", "support", "reads", "writes", "capabilities", "limits"];
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
    let support = choice("support", &[("supported", "Supported"), ("preview", "Preview")]);
    let title = read::text(path, "target", content, "title", problems);
    let version = read::text(path, "target", content, "version", problems);
    let dialect = content.get("dialect").and_then(Value::as_str);
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
