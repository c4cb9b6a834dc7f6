//! The Unified Data Model: `targets/udm/types.toml` into static arrays, messages and enumerations sorted by name.

use crate::read::{self, Problems, TYPES};
use std::fmt::Write;
use std::path::Path;
use toml::{Table, Value};

pub fn build(root: &Path, problems: &mut Problems) -> String {
    let path = root.join("udm/types.toml");
    let content = read::table(&path, problems);
    read::only_keys(&path, "file", &content, &["roots", "message", "enum"], problems);
    let none = Table::new();
    let part = |name: &str| content.get(name).and_then(Value::as_table).unwrap_or(&none);
    let (messages, enums) = (sorted(part("message")), sorted(part("enum")));

    let mut out = String::new();
    let _ = writeln!(out, "static MESSAGES: [UdmMessage; {}] = [", messages.len());
    for (name, fields) in &messages {
        let _ = write!(out, "    UdmMessage {{ name: {name:?}, fields: &[");
        for (field, ty) in sorted(fields.as_table().unwrap_or(&none)) {
            let written = ty.as_str().unwrap_or_default();
            let (ty, keyed) = written.strip_suffix("{}").map_or((written, false), |t| (t, true));
            let (ty, repeated) = ty.strip_suffix("[]").map_or((ty, false), |t| (t, true));
            let scalar = TYPES.iter().find(|(n, _)| *n == ty).map(|(_, v)| *v);
            let at = |list: &[(&String, &Value)]| list.iter().position(|(n, _)| *n == ty);
            let ty = if let Some(scalar) = scalar {
                format!("UdmType::Scalar(Type::{scalar})")
            } else if ty == "map" {
                "UdmType::Map".to_owned()
            } else if let Some(at) = at(&messages) {
                format!("UdmType::Message({at})")
            } else if let Some(at) = at(&enums) {
                format!("UdmType::Enum({at})")
            } else {
                problems.add(&path, format!("{name}.{field}: `{written}` is not a type"));
                continue;
            };
            let _ = write!(
                out,
                "UdmField {{ name: {field:?}, ty: {ty}, repeated: {repeated}, keyed: {keyed} }}, "
            );
        }
        out.push_str("] },\n");
    }
    out.push_str("];\n");
    let _ = writeln!(out, "static ENUMS: [UdmEnum; {}] = [", enums.len());
    for (name, values) in &enums {
        let _ = write!(out, "    UdmEnum {{ name: {name:?}, values: &[");
        for (value, number) in sorted(values.as_table().unwrap_or(&none)) {
            let Some(number) = number.as_integer() else {
                problems.add(&path, format!("{name}.{value}: {number} is no number"));
                continue;
            };
            let _ = write!(out, "({value:?}, {number}), ");
        }
        out.push_str("] },\n");
    }
    out.push_str("];\n");
    let roots = sorted(part("roots"));
    let _ = writeln!(out, "static ROOTS: [(&str, u16); {}] = [", roots.len());
    for (name, message) in roots {
        match messages.iter().position(|(n, _)| Some(n.as_str()) == message.as_str()) {
            Some(at) => {
                let _ = writeln!(out, "    ({name:?}, {at}),");
            }
            None => problems.add(&path, format!("roots.{name}: {message} is no message")),
        }
    }
    out.push_str("];\n");
    out
}

fn sorted(table: &Table) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| *name);
    entries
}
