//! `targets/<dialect>/reads.toml`: what functions of a dialect of SQL mean, for reading it.

use crate::read::{self, Problems};
use std::fmt::Write;
use std::path::Path;
use toml::Value;

pub fn build(root: &Path, problems: &mut Problems) -> String {
    let folders = read::folders_with(root, "reads.toml");
    let mut out = format!("static READS: [DialectReads; {}] = [\n", folders.len());
    for folder in folders {
        let path = folder.join("reads.toml");
        let content = read::table(&path, problems);
        read::only_keys(&path, "top level", &content, &["read"], problems);
        let _ = writeln!(out, "DialectReads {{ name: {:?}, reads: &[", read::folder_name(&folder));
        for entry in read::entries(&content, "read") {
            let sql = read::text(&path, "read", entry, "sql", problems);
            let at = format!("read `{sql}`");
            read::only_keys(&path, &at, entry, &["sql", "as", "ir", "args", "gives", "nulls"], problems);
            let text = |key: &str| entry.get(key).and_then(Value::as_str);
            let to = match (text("as"), text("ir")) {
                (Some(to), None) => format!("To::Sql({to:?})"),
                (None, Some(to)) => format!("To::Ir({to:?})"),
                _ => {
                    problems.add(&path, format!("{at}: has to have one of `as` and `ir`"));
                    continue;
                }
            };
            let mut args = String::new();
            for arg in read::texts(&path, &at, entry, "args", problems) {
                match (arg, read::variant(arg)) {
                    ("any", _) => args.push_str("None, "),
                    ("number", _) => args.push_str("Some(Type::Real), "),
                    (_, Some(variant)) => {
                        let _ = write!(args, "Some(Type::{variant}), ");
                    }
                    (other, None) => problems.add(&path, format!("{at}: `{other}` is not a type")),
                }
            }
            let nulls = match text("nulls") {
                None | Some("strict") => "Strict",
                Some("never") => "Never",
                Some("empty") => "Empty",
                Some("open") => "Open",
                Some(other) => {
                    problems.add(&path, format!("{at}: `nulls` is `{other}`"));
                    continue;
                }
            };
            let gives = match text("gives") {
                None => "None".to_owned(),
                Some(ty) => match read::variant(ty) {
                    Some(variant) => format!("Some(Type::{variant})"),
                    None => {
                        problems.add(&path, format!("{at}: `{ty}` is not a type"));
                        continue;
                    }
                },
            };
            let _ = writeln!(
                out,
                "    Read {{ sql: {sql:?}, to: {to}, args: &[{args}], gives: {gives}, nulls: ReadNulls::{nulls} }},"
            );
        }
        out.push_str("] },\n");
    }
    out + "];\n"
}
