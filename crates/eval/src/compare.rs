//! What is equal, and what comes first.
//!
//! [`compare`] is the comparison of two values that are both there; [`order`] is total and serves sorts; [`Key`] is a value
//! as a group or join key.

use crate::{Value, decimal, json};
use ruleferry_ir::{Json, Type};
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::cmp::Ordering;

/// The order of two values of comparable types; `None` where one is null or NaN, or the types do not compare.
pub fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::String(a), Value::String(b)) => Some(a.as_str().cmp(b.as_str())),
        (Value::Datetime(a), Value::Datetime(b)) | (Value::Timespan(a), Value::Timespan(b)) => Some(a.cmp(b)),
        (Value::Guid(a), Value::Guid(b)) => Some(a.cmp(b)),
        (Value::Dynamic(a), Value::Dynamic(b)) => compare_json(a, b),
        (Value::Dynamic(a), b) => compare_json(a, &b.to_json()),
        (a, Value::Dynamic(b)) => compare_json(&a.to_json(), b),
        (a, b) => compare_numbers(a, b),
    }
}

fn compare_numbers(a: &Value, b: &Value) -> Option<Ordering> {
    if let (Some(a), Some(b)) = (a.as_long(), b.as_long()) {
        return Some(a.cmp(&b));
    }
    match (a, b) {
        (Value::Real(_), _) | (_, Value::Real(_)) => a.as_real()?.partial_cmp(&b.as_real()?),
        (Value::Decimal(_), _) | (_, Value::Decimal(_)) => {
            Some(decimal::of_value(a)?.cmp(&decimal::of_value(b)?))
        }
        _ => None,
    }
}

fn compare_json(a: &Json, b: &Json) -> Option<Ordering> {
    match (a, b) {
        (Json::Long(a), Json::Long(b)) => Some(a.cmp(b)),
        (Json::Long(_) | Json::Real(_), Json::Long(_) | Json::Real(_)) => {
            crate::value::json_real(a)?.partial_cmp(&crate::value::json_real(b)?)
        }
        (Json::String(a), Json::String(b)) => Some(a.cmp(b)),
        (Json::Bool(a), Json::Bool(b)) => Some(a.cmp(b)),
        (Json::Datetime(a), Json::Datetime(b)) | (Json::Timespan(a), Json::Timespan(b)) => Some(a.cmp(b)),
        (Json::Array(_) | Json::Object(_), Json::Array(_) | Json::Object(_)) => {
            Some(json::text(a).cmp(&json::text(b)))
        }
        _ => None,
    }
}

/// A total order: null, NaN, then values from low to high. A missing string is the empty one.
pub fn order(a: &Value, b: &Value) -> Ordering {
    let rank = |v: &Value, other: &Value| match v {
        Value::Null if matches!(other, Value::String(_)) => 2,
        Value::Null => 0,
        Value::Real(x) if x.is_nan() => 1,
        _ => 2,
    };
    let (ra, rb) = (rank(a, b), rank(b, a));
    if ra != 2 || rb != 2 {
        return ra.cmp(&rb);
    }
    match (a, b) {
        (Value::Null, Value::String(s)) => "".cmp(s.as_str()),
        (Value::String(s), Value::Null) => s.as_str().cmp(""),
        (a, b) => compare(a, b).unwrap_or_else(|| {
            // Different kinds inside of dynamic values: by their text, so that the order is total.
            json::text(&a.to_json()).cmp(&json::text(&b.to_json()))
        }),
    }
}

/// A value as a key: equal keys are one group. Null is a key of its own; a missing string is the empty one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    Null,
    Bool(bool),
    Long(i64),
    /// The bits of a real, with one zero and one NaN.
    Real(u64),
    Decimal(Decimal),
    String(SmolStr),
    Datetime(i64),
    Timespan(i64),
    Guid(u128),
    /// The text of a dynamic value, members in the order of their names.
    Dynamic(SmolStr),
}

impl Key {
    pub fn new(value: &Value, ty: Type) -> Self {
        match value {
            Value::Null if ty == Type::String => Self::String(SmolStr::default()),
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Int(n) => Self::Long(i64::from(*n)),
            Value::Long(n) => Self::Long(*n),
            Value::Real(x) if x.is_nan() => Self::Real(f64::NAN.to_bits()),
            // -0.0 and 0.0 are one number.
            Value::Real(x) => Self::Real((x + 0.0).to_bits()),
            Value::Decimal(d) => Self::Decimal(d.normalize()),
            Value::String(s) => Self::String(s.clone()),
            Value::Datetime(t) => Self::Datetime(*t),
            Value::Timespan(t) => Self::Timespan(*t),
            Value::Guid(g) => Self::Guid(*g),
            Value::Dynamic(json) => Self::Dynamic(json::canonical(json)),
        }
    }
}
