//! What fits nowhere else: choices among values, types, checks.

use super::{Call, Scalar, text};
use crate::compare::compare;
use crate::expr::shown;
use crate::fault::Result;
use crate::{Value, cast, json, number};
use indexmap::IndexSet;
use ruleferry_ir::{ArithmeticOp, Json, Type};
use smol_str::SmolStr;
use std::cmp::Ordering;

pub(super) static TABLE: &[(&str, Scalar)] = &[
    ("around", around),
    ("assert", assert),
    ("coalesce", coalesce),
    ("dynamic_to_json", dynamic_to_json),
    ("estimate_data_size", estimate_data_size),
    ("gettype", get_type),
    ("max_of", extreme),
    ("min_of", extreme),
    ("treepath", tree_path),
];

/// A value as the type that the call answers with.
fn as_result(call: &Call<'_>, value: &Value) -> Value {
    match call.ty {
        Type::Dynamic | Type::Unknown => value.clone(),
        ty => cast(value, ty),
    }
}

/// The first value that is not null; of strings, that is not empty. Kusto: "coalesce()".
fn coalesce(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let missing = |v: &Value| v.is_null() || call.ty == Type::String && v.text() == Some("");
    let none = if call.ty == Type::String { Value::EMPTY } else { Value::Null };
    Ok(args.iter().find(|v| !missing(v)).map_or(none, |v| as_result(call, v)))
}

/// The smallest or greatest of the values that are not null. NaN only where there is nothing else.
fn extreme(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let wanted = if call.name == "max_of" { Ordering::Greater } else { Ordering::Less };
    let mut best: Option<Value> = None;
    for value in args.iter().filter(|v| !v.is_null()) {
        let value = as_result(call, value);
        let nan = |v: &Value| matches!(v, Value::Real(x) if x.is_nan());
        if best.as_ref().is_none_or(|b| nan(b) || compare(&value, b) == Some(wanted)) {
            best = Some(value);
        }
    }
    Ok(best.unwrap_or(if call.ty == Type::String { Value::EMPTY } else { Value::Null }))
}

/// Whether a value is at most a distance away from another. Kusto: "around()".
fn around(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let [value, center, distance] = args else { return Ok(Value::Null) };
    if args.iter().any(Value::is_null) {
        return Ok(Value::Null);
    }
    let ty = call.arg_type(1);
    let low = number::arithmetic(ArithmeticOp::Sub, center, distance, ty);
    let high = number::arithmetic(ArithmeticOp::Add, center, distance, ty);
    let (above, below) = (compare(value, &low), compare(value, &high));
    Ok(match (above, below) {
        (Some(above), Some(below)) => Value::Bool(above != Ordering::Less && below != Ordering::Greater),
        _ => Value::Null,
    })
}

fn assert(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    if args.first().and_then(Value::as_bool) == Some(true) {
        return Ok(Value::TRUE);
    }
    Err(call.fault(0, format!("`assert` failed: {}", text(args, 1))))
}

/// Of a dynamic value the type inside; null has the type of its expression.
fn get_type(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let of_value = |value: &Value| match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Long(_) => "long",
        Value::Real(_) => "real",
        Value::Decimal(_) => "decimal",
        Value::String(_) => "string",
        Value::Datetime(_) => "datetime",
        Value::Timespan(_) => "timespan",
        Value::Guid(_) => "guid",
        Value::Dynamic(json) => match &**json {
            Json::Null => "null",
            Json::Bool(_) => "bool",
            Json::Long(_) => "long",
            Json::Real(_) => "real",
            Json::String(_) => "string",
            Json::Datetime(_) => "datetime",
            Json::Timespan(_) => "timespan",
            Json::Array(_) => "array",
            Json::Object(_) => "dictionary",
        },
    };
    Ok(Value::string(match call.arg_type(0) {
        Type::Dynamic | Type::Unknown => of_value(args.first().unwrap_or(&Value::Null)),
        ty => ty.name(),
    }))
}

/// Members in the order of their names; a value that is not dynamic as its text.
fn dynamic_to_json(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let value = args.first().unwrap_or(&Value::Null);
    Ok(match value {
        Value::Dynamic(json) => Value::String(json::canonical(json)),
        Value::Null if matches!(call.arg_type(0), Type::Dynamic | Type::Unknown) => Value::string("null"),
        value => Value::String(shown(value)),
    })
}

/// Bytes by type, of strings and dynamic values those of their text; what Kusto's own form takes is not documented.
fn estimate_data_size(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let size = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Int(_) => 4,
        Value::Long(_) | Value::Real(_) | Value::Datetime(_) | Value::Timespan(_) => 8,
        Value::Decimal(_) | Value::Guid(_) => 16,
        Value::String(_) | Value::Dynamic(_) => shown(value).len(),
    };
    Ok(super::strings::count(args.iter().map(size).sum()))
}

/// Kusto: "treepath()": the paths to the members of a bag; all elements of an array share `[0]`.
fn tree_path(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    fn walk(json: &Json, path: &str, found: &mut IndexSet<String>) {
        match json {
            Json::Object(members) => {
                for (name, value) in members {
                    let path = format!("{path}['{name}']");
                    found.insert(path.clone());
                    walk(value, &path, found);
                }
            }
            Json::Array(items) if !items.is_empty() => {
                let path = format!("{path}[0]");
                found.insert(path.clone());
                for item in items {
                    walk(item, &path, found);
                }
            }
            Json::Array(_)
            | Json::Null
            | Json::Bool(_)
            | Json::Long(_)
            | Json::Real(_)
            | Json::String(_)
            | Json::Datetime(_)
            | Json::Timespan(_) => {}
        }
    }
    let Some(json) = args.first().and_then(Value::as_json) else { return Ok(Value::Null) };
    let mut found = IndexSet::new();
    walk(json, "", &mut found);
    Ok(Value::array(found.into_iter().map(|p| Json::String(SmolStr::from(p))).collect()))
}
