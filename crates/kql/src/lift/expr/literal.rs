//! Literals of the syntax tree → constants of the IR, with the ranges checked.
//!
//! Times become ticks of 100 ns: datetimes since 0001-01-01 in the proleptic Gregorian calendar, as in Kusto.

use super::datetime::{parse_datetime, parse_timespan};
use crate::syntax::literal::{Dynamic, Literal, ScalarType, TypedLiteral};
use indexmap::IndexMap;
use ruleferry_ir::{Json, Type, Value};
use smol_str::{SmolStr, SmolStrBuilder, ToSmolStr};

/// Nesting of `dynamic(…)` values that is followed; deeper ones are refused.
const MAX_DYNAMIC_DEPTH: usize = 500;

/// The IR type of a type of the language.
pub(crate) fn scalar_type(ty: &ScalarType) -> Type {
    match ty {
        ScalarType::Bool => Type::Bool,
        ScalarType::Datetime => Type::Datetime,
        ScalarType::Decimal => Type::Decimal,
        ScalarType::Dynamic => Type::Dynamic,
        ScalarType::Guid => Type::Guid,
        ScalarType::Int => Type::Int,
        ScalarType::Long => Type::Long,
        ScalarType::Real => Type::Real,
        ScalarType::String => Type::String,
        ScalarType::Timespan => Type::Timespan,
        // Reserved names, which the service refuses: the type that can hold them all.
        ScalarType::Other(name) => Type::parse(name).unwrap_or(Type::Dynamic),
    }
}

/// The constant, or why there is none (a fragment that starts with the literal's text in backticks).
pub fn constant(literal: &Literal) -> Result<Value, String> {
    match literal {
        Literal::String(s) => Ok(Value::String(s.value.clone())),
        Literal::Bool(b) => Ok(Value::Bool(*b)),
        Literal::Long(text) => parse_long(text).map(Value::Long).ok_or_else(|| does_not_fit(text, "long")),
        Literal::Real(text) => parse_real(text).map(Value::Real).ok_or_else(|| is_no(text, "real")),
        Literal::Timespan(text) => {
            parse_timespan(text).map(Value::Timespan).ok_or_else(|| is_no(text, "timespan"))
        }
        Literal::Typed(typed) => typed_constant(typed),
        // The language has no bare null; where it occurs it is an untyped one, which is dynamic's.
        Literal::Null => Ok(Value::Null(Type::Dynamic)),
    }
}

fn does_not_fit(text: &str, ty: &str) -> String {
    format!("`{text}` does not fit into a {ty}")
}

fn is_no(text: &str, ty: &str) -> String {
    format!("`{text}` is no {ty}")
}

fn typed_constant(typed: &TypedLiteral) -> Result<Value, String> {
    let ty = scalar_type(&typed.ty);
    if typed.is_null() {
        return Ok(if ty == Type::String { Value::string("") } else { Value::Null(ty) });
    }
    let text = typed.unquoted();
    let value = match ty {
        Type::Bool => parse_bool(text).map(Value::Bool),
        Type::Int => parse_int(text).map(Value::Int),
        Type::Long => match text {
            "min" => Some(Value::Long(i64::MIN)),
            "max" => Some(Value::Long(i64::MAX)),
            _ => parse_long(text).map(Value::Long),
        },
        Type::Real => parse_real(text).map(Value::Real),
        Type::Decimal => parse_decimal(text).map(Value::Decimal),
        Type::String => Some(Value::string(text)),
        Type::Datetime => parse_datetime(text).map(Value::Datetime),
        Type::Timespan => parse_timespan(text).map(Value::Timespan),
        Type::Guid => parse_guid(text).map(Value::Guid),
        Type::Dynamic | Type::Unknown => None,
    };
    value.ok_or_else(|| is_no(text, ty.name()))
}

fn parse_bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn parse_int(text: &str) -> Option<i32> {
    match text {
        "min" => Some(i32::MIN),
        "max" => Some(i32::MAX),
        _ => match hex(text) {
            // 0xFFFFFFFF is -1, as in the service.
            Some(bits) => u32::try_from(bits).ok().map(u32::cast_signed),
            None => i32::try_from(parse_long(text)?).ok(),
        },
    }
}

/// Digits with an optional sign, or `0x…`.
pub fn parse_long(text: &str) -> Option<i64> {
    match hex(text) {
        Some(bits) => Some(bits.cast_signed()),
        None => text.trim().parse().ok(),
    }
}

fn hex(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    u64::from_str_radix(digits, 16).ok()
}

fn parse_real(text: &str) -> Option<f64> {
    match text.trim().to_ascii_lowercase().as_str() {
        "nan" => Some(f64::NAN),
        "+inf" | "inf" => Some(f64::INFINITY),
        "-inf" => Some(f64::NEG_INFINITY),
        "min" => Some(f64::MIN),
        "max" => Some(f64::MAX),
        // Rust's own parser also reads words such as `infinity`, which the language does not.
        plain if plain.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'+' | b'-')) => {
            plain.parse().ok()
        }
        _ => parse_long(text).map(|n| n as f64),
    }
}

/// `[-]d+[.d+][e[-]d+]`
fn parse_decimal(text: &str) -> Option<SmolStr> {
    let lower = text.trim().to_ascii_lowercase();
    let unsigned = lower.trim_start_matches('+');
    let digits = unsigned.strip_prefix('-').unwrap_or(unsigned);
    let (mantissa, exponent) = digits.split_once('e').map_or((digits, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, ""), |(w, f)| (w, f));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let mut out = SmolStrBuilder::new();
    if unsigned.starts_with('-') {
        out.push('-');
    }
    out.push_str(if whole.is_empty() { "0" } else { whole });
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    if let Some(exponent) = exponent {
        let exponent: i32 = exponent.parse().ok()?;
        out.push('e');
        out.push_str(&exponent.to_string());
    }
    Some(out.finish())
}

/// Lower case, with hyphens; with or without braces or hyphens in the source.
pub fn parse_guid(text: &str) -> Option<SmolStr> {
    let text = text.trim();
    let inner = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
    let digits: String = inner.chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect();
    let plain = inner.len() == 32 || (inner.len() == 36 && inner.bytes().filter(|b| *b == b'-').count() == 4);
    if !plain || digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut out = SmolStrBuilder::new();
    for (i, c) in digits.chars().enumerate() {
        if matches!(i, 8 | 12 | 16 | 20) {
            out.push('-');
        }
        out.push(c);
    }
    Some(out.finish())
}

/// The value of `dynamic(…)`.
pub fn json(dynamic: &Dynamic) -> Result<Json, String> {
    json_at(dynamic, 0)
}

fn json_at(dynamic: &Dynamic, depth: usize) -> Result<Json, String> {
    if depth > MAX_DYNAMIC_DEPTH {
        return Err(format!("a dynamic literal is nested deeper than {MAX_DYNAMIC_DEPTH} levels"));
    }
    match dynamic {
        Dynamic::Null => Ok(Json::Null),
        Dynamic::Bool(b) => Ok(Json::Bool(*b)),
        Dynamic::Number(text) => number(text),
        Dynamic::String(s) => Ok(Json::String(s.value.clone())),
        Dynamic::Array(items) => {
            items.iter().map(|i| json_at(i, depth + 1)).collect::<Result<_, _>>().map(Json::Array)
        }
        Dynamic::Object(members) => {
            let mut object = IndexMap::with_capacity(members.len());
            for (key, value) in members {
                // The last of equal keys wins.
                object.insert(key.value.clone(), json_at(value, depth + 1)?);
            }
            Ok(Json::Object(object))
        }
        Dynamic::Literal(literal) => constant(literal).map(to_json),
        Dynamic::Nested(inner) => json_at(inner, depth + 1),
        Dynamic::ClientParameter(name) => {
            Err(format!("`{{{name}}}` stands for a value that the client puts in"))
        }
    }
}

fn number(text: &str) -> Result<Json, String> {
    let fractional = text.contains(['.', 'e', 'E']) && hex(text).is_none();
    if !fractional && let Some(n) = parse_long(text) {
        return Ok(Json::Long(n));
    }
    // Integers that no long holds are reals, as in JSON readers.
    parse_real(text).map(Json::Real).ok_or_else(|| is_no(text, "number"))
}

/// A constant as a value inside of a dynamic one.
pub fn to_json(value: Value) -> Json {
    match value {
        Value::Null(_) => Json::Null,
        Value::Bool(b) => Json::Bool(b),
        Value::Int(n) => Json::Long(i64::from(n)),
        Value::Long(n) => Json::Long(n),
        Value::Real(n) => Json::Real(n),
        Value::Decimal(text) => text.parse().map_or(Json::String(text), Json::Real),
        Value::String(s) | Value::Guid(s) => Json::String(s),
        Value::Datetime(t) => Json::Datetime(t),
        Value::Timespan(t) => Json::Timespan(t),
        Value::Dynamic(json) => json,
    }
}

/// `-literal` as one constant, where that is one: `-1`, `-1h`, `-1.5`, also the smallest long.
pub fn negated(literal: &Literal) -> Option<Value> {
    match literal {
        Literal::Long(text) => format_args!("-{text}").to_smolstr().parse().ok().map(Value::Long),
        Literal::Real(_) | Literal::Timespan(_) | Literal::Typed(_) => match constant(literal).ok()? {
            // Arithmetic widens: `-int(1)` is a long.
            Value::Int(n) => Some(Value::Long(-i64::from(n))),
            Value::Long(n) => n.checked_neg().map(Value::Long),
            Value::Real(n) => Some(Value::Real(-n)),
            Value::Timespan(n) => n.checked_neg().map(Value::Timespan),
            Value::Null(_)
            | Value::Bool(_)
            | Value::Decimal(_)
            | Value::String(_)
            | Value::Datetime(_)
            | Value::Guid(_)
            | Value::Dynamic(_) => None,
        },
        Literal::String(_) | Literal::Bool(_) | Literal::Null => None,
    }
}
