//! Tables as events: what `ruleferry run --data` reads back as the same rows.

use ruleferry_eval::{MemoryTables, Value, to_ir};
use ruleferry_ir::{self as ir, Json, Type, time};
use serde_json::{Map, Number, Value as Out};

pub(super) fn tables(tables: &MemoryTables) -> Map<String, Out> {
    let all = tables.tables.iter().map(|(name, table)| {
        let rows = table.rows.iter().map(|row| {
            let values = table.columns.iter().zip(row.iter()).filter(|(_, v)| !v.is_null());
            Out::Object(values.map(|((name, ty), v)| (name.to_string(), value(v, *ty))).collect())
        });
        (name.to_string(), Out::Array(rows.collect()))
    });
    all.collect()
}

fn value(value: &Value, ty: Type) -> Out {
    match value {
        Value::Null => Out::Null,
        Value::Bool(b) => (*b).into(),
        Value::Int(n) => (*n).into(),
        Value::Long(n) => (*n).into(),
        Value::Real(x) => real(*x),
        Value::String(s) => s.as_str().into(),
        Value::Datetime(t) => time::datetime_text(*t).as_str().into(),
        Value::Timespan(t) => time::timespan_text(*t).as_str().into(),
        Value::Decimal(_) | Value::Guid(_) => match to_ir(value, ty) {
            ir::Value::Decimal(text) | ir::Value::Guid(text) => text.as_str().into(),
            _ => Out::Null,
        },
        Value::Dynamic(json) => nested(json),
    }
}

/// JSON has no number for what is not finite: its name.
fn real(x: f64) -> Out {
    match Number::from_f64(x) {
        Some(n) => Out::Number(n),
        None if x.is_nan() => "NaN".into(),
        None => if x > 0.0 { "inf" } else { "-inf" }.into(),
    }
}

fn nested(json: &Json) -> Out {
    match json {
        Json::Null => Out::Null,
        Json::Bool(b) => (*b).into(),
        Json::Long(n) => (*n).into(),
        Json::Real(x) => real(*x),
        Json::String(s) => s.as_str().into(),
        Json::Datetime(t) => time::datetime_text(*t).as_str().into(),
        Json::Timespan(t) => time::timespan_text(*t).as_str().into(),
        Json::Array(items) => items.iter().map(nested).collect(),
        Json::Object(map) => Out::Object(map.iter().map(|(k, v)| (k.to_string(), nested(v))).collect()),
    }
}
