//! One value of an event as the file has it, and the same in the type of its column.

use crate::time::parse_time;
use ruleferry_eval::{Value, cast, json_text, parse_json};
use ruleferry_ir::{Json, Type};
use smol_str::SmolStr;

/// A value before its column gives it a type. Numbers keep their digits, so that a text column shows them as they are.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    Null,
    Bool(bool),
    Number(SmolStr),
    /// A text that was marked as such.
    Text(SmolStr),
    /// A text that may stand for anything: a cell of a CSV file, a plain scalar of YAML.
    Cell(SmolStr),
    Nested(Json),
}

impl Field {
    /// A part of a nested value.
    pub fn of_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(b) => Self::Bool(*b),
            Json::Long(n) => Self::Number(smol_str::format_smolstr!("{n}")),
            Json::String(s) => Self::Text(s.clone()),
            Json::Real(_) | Json::Datetime(_) | Json::Timespan(_) => Self::Number(json_text(json)),
            Json::Array(_) | Json::Object(_) => Self::Nested(json.clone()),
        }
    }

    /// What a message says of it.
    pub fn shown(&self) -> String {
        let text = match self {
            Self::Null => "null",
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
            Self::Number(t) | Self::Text(t) | Self::Cell(t) => t,
            Self::Nested(json) => &json_text(json),
        };
        let short: String = text.chars().take(60).collect();
        if short.len() < text.len() { format!("{short}…") } else { short }
    }
}

/// The value in the type of its column; `None` where it does not convert.
pub fn typed(field: &Field, ty: Type) -> Option<Value> {
    match field {
        Field::Null => Some(Value::Null),
        // An empty text is no number and no time, and no fault either: exports write it for what is missing.
        Field::Text(t) | Field::Cell(t) if t.is_empty() && !matches!(ty, Type::String | Type::Dynamic) => {
            Some(Value::Null)
        }
        _ => match ty {
            Type::String | Type::Unknown => Some(Value::String(text(field))),
            Type::Bool => boolean(field).map(Value::Bool),
            Type::Int => whole(field).and_then(|n| i32::try_from(n).ok()).map(Value::Int),
            Type::Long => whole(field).map(Value::Long),
            Type::Real => scalar(field)?.trim().parse().ok().map(Value::Real),
            Type::Datetime => match field {
                Field::Number(_) => None,
                _ => {
                    let text = scalar(field)?;
                    parse_time(text.trim()).map(Value::Datetime).or_else(|| converted(text, ty))
                }
            },
            Type::Decimal | Type::Timespan | Type::Guid => converted(scalar(field)?, ty),
            Type::Dynamic => Some(dynamic(field)),
        },
    }
}

/// The text of a value.
pub(crate) fn text(field: &Field) -> SmolStr {
    match field {
        Field::Null => SmolStr::default(),
        Field::Bool(b) => SmolStr::new_static(if *b { "true" } else { "false" }),
        Field::Number(t) | Field::Text(t) | Field::Cell(t) => t.clone(),
        Field::Nested(json) => json_text(json),
    }
}

fn scalar(field: &Field) -> Option<&str> {
    match field {
        Field::Number(t) | Field::Text(t) | Field::Cell(t) => Some(t),
        Field::Null | Field::Bool(_) | Field::Nested(_) => None,
    }
}

fn boolean(field: &Field) -> Option<bool> {
    match field {
        Field::Bool(b) => Some(*b),
        Field::Null | Field::Nested(_) => None,
        Field::Number(t) | Field::Text(t) | Field::Cell(t) => match t.trim() {
            "1" => Some(true),
            "0" => Some(false),
            t if t.eq_ignore_ascii_case("true") => Some(true),
            t if t.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        },
    }
}

fn whole(field: &Field) -> Option<i64> {
    let text = scalar(field)?.trim();
    text.parse().ok().or_else(|| {
        // `5.0` and `1e3` are whole, too, if they are exact as a real.
        let x: f64 = text.parse().ok()?;
        #[expect(clippy::cast_possible_truncation, reason = "the bound is tested")]
        (x.fract() == 0.0 && x.abs() <= 9_007_199_254_740_992.0).then_some(x as i64)
    })
}

fn converted(text: &str, ty: Type) -> Option<Value> {
    let value = cast(&Value::string(text.trim()), ty);
    let fits = match &value {
        Value::Datetime(_) => ty == Type::Datetime,
        Value::Timespan(_) => ty == Type::Timespan,
        Value::Decimal(_) => ty == Type::Decimal,
        Value::Guid(_) => ty == Type::Guid,
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Long(_)
        | Value::Real(_)
        | Value::String(_)
        | Value::Dynamic(_) => false,
    };
    fits.then_some(value)
}

/// A text in a dynamic column is read as JSON if it looks like an array or an object, as services do that store it so.
fn dynamic(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(b) => Value::dynamic(Json::Bool(*b)),
        Field::Number(t) => Value::dynamic(parse_json(t).unwrap_or_else(|| Json::String(t.clone()))),
        Field::Text(t) => {
            let nested = t.trim_start().starts_with(['{', '[']);
            let json = if nested { parse_json(t) } else { None };
            Value::dynamic(json.unwrap_or_else(|| Json::String(t.clone())))
        }
        Field::Cell(t) => Value::dynamic(parse_json(t).unwrap_or_else(|| Json::String(t.clone()))),
        Field::Nested(json) => Value::dynamic(json.clone()),
    }
}
