//! `targets/yaral/calls.toml`: IR functions under their names in YARA-L.

use crate::read::{self, Problems};
use std::fmt::Write;
use std::path::Path;
use toml::Value;

pub fn build(root: &Path, problems: &mut Problems) -> String {
    let path = root.join("yaral/calls.toml");
    let content = read::table(&path, problems);
    read::only_keys(&path, "file", &content, &["function"], problems);
    let entries = read::entries(&content, "function");
    let mut out = format!("static FUNCTIONS: [Function; {}] = [\n", entries.len());
    let mut before = "";
    for entry in entries {
        read::only_keys(&path, "function", entry, &["name", "call", "types", "arity", "differs"], problems);
        let name = read::text(&path, "function", entry, "name", problems);
        let call = read::text(&path, name, entry, "call", problems);
        if name <= before {
            problems.add(&path, format!("`{name}` stands twice, or out of order"));
        }
        before = name;
        let types = entry.get("types").and_then(Value::as_str);
        let ty = types.and_then(read::variant);
        if types.is_some() && ty.is_none() {
            problems.add(&path, format!("`{name}`: `types` is no type"));
        }
        let ty = ty.map_or("None".to_owned(), |t| format!("Some(Type::{t})"));
        let arity = entry.get("arity").and_then(Value::as_integer).and_then(|n| usize::try_from(n).ok());
        let differs = entry.get("differs").and_then(Value::as_str);
        let _ = writeln!(
            out,
            "    Function {{ name: {name:?}, call: {call:?}, types: {ty}, arity: {arity:?}, differs: {differs:?} }},"
        );
    }
    out + "];\n"
}
