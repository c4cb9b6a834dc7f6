//! Property bags, and dynamic values from and to JSON text.
//!
//! Kusto: "bag_merge()" and the other pages of the functions, "parse_json()", "dynamic_to_json()", "treepath()",
//! "JSONPath expressions".

use super::array::{items, packed};
use super::{Call, Scalar, text};
use crate::Value;
use crate::cast::cast;
use crate::fault::Result;
use crate::json;
use indexmap::IndexMap;
use ruleferry_ir::{Json, Type};
use smol_str::SmolStr;

pub(super) static TABLE: &[(&str, Scalar)] = &[
    ("bag_has_key", has_key),
    ("bag_keys", keys),
    ("bag_merge", merge),
    ("bag_pack", pack),
    ("bag_remove_keys", remove_keys),
    ("bag_set_key", set_key),
    ("bag_zip", zip),
    ("dynamic_to_json", dynamic_to_json),
    ("parse_json", parse_json),
    ("treepath", treepath),
];

type Bag = IndexMap<SmolStr, Json>;

fn bag(args: &[Value], index: usize) -> Option<&Bag> {
    if let Some(Json::Object(bag)) = args.get(index).and_then(Value::as_json) { Some(bag) } else { None }
}

/// The names that a path goes through: `$.a.b` and `$['a']["b"]` are a, b; what does not start with `$` is one name. `None` for
/// a path with an index or a fault in it, which leads nowhere.
fn path(key: &str) -> Option<Vec<&str>> {
    let Some(mut rest) = key.strip_prefix('$') else { return Some(vec![key]) };
    let mut names = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, tail) = after.split_at_checked(end)?;
            names.push(name);
            rest = tail;
        } else {
            let inner = rest.strip_prefix('[')?;
            let quote = inner.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
            let (name, tail) = inner.strip_prefix(quote)?.split_once(quote)?;
            names.push(name);
            rest = tail.strip_prefix(']')?;
        }
    }
    (!names.is_empty() && names.iter().all(|n| !n.is_empty())).then_some(names)
}

fn has_key(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(bag) = bag(args, 0) else { return Ok(Value::Null) };
    let Some(names) = path(text(args, 1)) else { return Ok(Value::FALSE) };
    let mut at = Some(bag);
    let mut found = false;
    for name in names {
        let member = at.and_then(|b| b.get(name));
        found = member.is_some();
        at = if let Some(Json::Object(inner)) = member { Some(inner) } else { None };
    }
    Ok(Value::Bool(found))
}

fn keys(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(bag(args, 0).map_or(Value::Null, |b| Value::array(b.keys().cloned().map(Json::String).collect())))
}

/// Of a repeated key the leftmost value counts; what is no bag adds nothing; null without any bag.
fn merge(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let mut merged: Option<Bag> = None;
    for i in 0..args.len() {
        let Some(bag) = bag(args, i) else { continue };
        let merged = merged.get_or_insert_default();
        for (name, value) in bag {
            merged.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    Ok(merged.map_or(Value::Null, |m| Value::dynamic(Json::Object(m))))
}

/// Name, value, name, value. A member without a name is left out.
fn pack(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let mut bag = Bag::new();
    for at in (0..args.len()).step_by(2) {
        let name = args.get(at).map(|v| cast(v, Type::String));
        let name = name.as_ref().and_then(Value::text).unwrap_or_default();
        if !name.is_empty() {
            bag.insert(name.into(), packed(call, args, at + 1));
        }
    }
    Ok(Value::dynamic(Json::Object(bag)))
}

fn remove_keys(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(bag) = bag(args, 0) else { return Ok(Value::Null) };
    let mut kept = bag.clone();
    for key in items(args, 1).unwrap_or_default() {
        let Json::String(key) = key else { continue };
        if let Some(names) = path(key) {
            remove(&mut kept, &names);
        }
    }
    Ok(Value::dynamic(Json::Object(kept)))
}

fn remove(bag: &mut Bag, names: &[&str]) {
    match names {
        [] => {}
        [name] => {
            bag.shift_remove(*name);
        }
        [name, inner @ ..] => {
            if let Some(Json::Object(bag)) = bag.get_mut(*name) {
                remove(bag, inner);
            }
        }
    }
}

fn set_key(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(bag) = bag(args, 0) else { return Ok(Value::Null) };
    let Some(names) = path(text(args, 1)) else {
        return Err(call.fault(1, "the key must be a name or a path of names, `$.a.b`"));
    };
    let mut bag = bag.clone();
    set(&mut bag, &names, packed(call, args, 2));
    Ok(Value::dynamic(Json::Object(bag)))
}

/// Bags on the way are made; other values that are in the way make room.
fn set(bag: &mut Bag, names: &[&str], value: Json) {
    match names {
        [] => {}
        [name] => {
            bag.insert((*name).into(), value);
        }
        [name, inner @ ..] => {
            let member = bag.entry((*name).into()).or_insert(Json::Null);
            if !matches!(member, Json::Object(_)) {
                *member = Json::Object(Bag::new());
            }
            if let Json::Object(bag) = member {
                set(bag, inner, value);
            }
        }
    }
}

/// Keys that are no strings are left out with their values; values that lack are null; of a repeated key the first counts.
fn zip(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    if args.first().is_none_or(Value::is_null) {
        return Ok(Value::Null);
    }
    let values = items(args, 1).unwrap_or_default();
    let mut bag = Bag::new();
    for (at, key) in items(args, 0).unwrap_or_default().iter().enumerate() {
        if let Json::String(key) = key {
            bag.entry(key.clone()).or_insert_with(|| values.get(at).cloned().unwrap_or(Json::Null));
        }
    }
    Ok(Value::dynamic(Json::Object(bag)))
}

/// Text is parsed; text that is no JSON stays a string; what is dynamic already stays as it is.
fn parse_json(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(match args.first() {
        None | Some(Value::Null) => Value::Null,
        Some(Value::String(s)) if s.is_empty() => Value::Null,
        Some(Value::String(s)) => {
            json::parse(s).map_or_else(|| Value::dynamic(Json::String(s.clone())), Value::dynamic)
        }
        Some(Value::Dynamic(json)) => Value::Dynamic(json.clone()),
        Some(other) => Value::dynamic(other.to_json()),
    })
}

/// Members in the order of their names. A value that is not dynamic gives its text.
fn dynamic_to_json(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(match args.first() {
        None | Some(Value::Null) if call.arg_type(0) == Type::String => Value::EMPTY,
        None | Some(Value::Null) => Value::string("null"),
        Some(Value::Dynamic(json)) => Value::String(json::canonical(json)),
        Some(other) => cast(other, Type::String),
    })
}

/// The paths of a bag, outer ones first; the elements of an array share one path.
fn treepath(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(json @ Json::Object(_)) = args.first().and_then(Value::as_json) else { return Ok(Value::Null) };
    let mut paths = indexmap::IndexSet::new();
    add_paths(json, &mut String::new(), &mut paths);
    Ok(Value::array(paths.into_iter().map(Json::String).collect()))
}

fn add_paths(json: &Json, prefix: &mut String, paths: &mut indexmap::IndexSet<SmolStr>) {
    let mut add = |step: &str, inner: &Json| {
        let length = prefix.len();
        prefix.push_str(step);
        paths.insert(prefix.as_str().into());
        add_paths(inner, prefix, paths);
        prefix.truncate(length);
    };
    match json {
        Json::Object(bag) => {
            for (name, value) in bag {
                add(&format!("['{name}']"), value);
            }
        }
        Json::Array(items) => {
            for item in items {
                add("[0]", item);
            }
        }
        Json::Null
        | Json::Bool(_)
        | Json::Long(_)
        | Json::Real(_)
        | Json::String(_)
        | Json::Datetime(_)
        | Json::Timespan(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn names_that_a_path_goes_through() {
        for (key, names) in [
            ("a", Some(vec!["a"])),
            ("a.b", Some(vec!["a.b"])),
            ("", Some(vec![""])),
            ("$.a.b", Some(vec!["a", "b"])),
            ("$['a.b'][\"c\"].d", Some(vec!["a.b", "c", "d"])),
            ("$", None),
            ("$.", None),
            ("$.a[0]", None),
            ("$x", None),
            ("$['a]", None),
            ("$['é'].ü", Some(vec!["é", "ü"])),
        ] {
            assert_eq!(path(key), names, "{key}");
        }
    }
}
