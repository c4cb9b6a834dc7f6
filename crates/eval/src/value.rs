//! Values while a query runs.
//!
//! Null has no type of its own: the type stands on the expression or column. A string column holds [`Value::Null`] where
//! the event has no such field; [`Value::text`] reads it as `""`, which is what Kusto's functions do.

use ruleferry_ir::{self as ir, Json, Type};
use rust_decimal::Decimal;
use smol_str::{SmolStr, ToSmolStr, format_smolstr};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i32),
    Long(i64),
    Real(f64),
    Decimal(Decimal),
    String(SmolStr),
    /// Ticks of 100 ns since 0001-01-01T00:00:00Z.
    Datetime(i64),
    /// Ticks of 100 ns.
    Timespan(i64),
    Guid(u128),
    /// Never [`Json::Null`]: that is [`Value::Null`].
    Dynamic(Arc<Json>),
}

impl Value {
    pub fn string(text: impl Into<SmolStr>) -> Self {
        Self::String(text.into())
    }

    pub const TRUE: Self = Self::Bool(true);
    pub const FALSE: Self = Self::Bool(false);
    pub const EMPTY: Self = Self::String(SmolStr::new_static(""));

    /// A dynamic value; JSON null is null.
    pub fn dynamic(json: Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(_)
            | Json::Long(_)
            | Json::Real(_)
            | Json::String(_)
            | Json::Datetime(_)
            | Json::Timespan(_)
            | Json::Array(_)
            | Json::Object(_) => Self::Dynamic(Arc::new(json)),
        }
    }

    pub fn array(items: Vec<Json>) -> Self {
        Self::Dynamic(Arc::new(Json::Array(items)))
    }

    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text of a string; `""` for null, as Kusto's strings have none. None for other types.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::String(s) => Some(s),
            Self::Null => Some(""),
            Self::Dynamic(json) => match &**json {
                Json::String(s) => Some(s),
                Json::Null
                | Json::Bool(_)
                | Json::Long(_)
                | Json::Real(_)
                | Json::Datetime(_)
                | Json::Timespan(_)
                | Json::Array(_)
                | Json::Object(_) => None,
            },
            Self::Bool(_)
            | Self::Int(_)
            | Self::Long(_)
            | Self::Real(_)
            | Self::Decimal(_)
            | Self::Datetime(_)
            | Self::Timespan(_)
            | Self::Guid(_) => None,
        }
    }

    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(b) = self { Some(*b) } else { None }
    }

    /// Whole numbers of either width.
    pub const fn as_long(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n as i64),
            Self::Long(n) => Some(*n),
            _ => None,
        }
    }

    /// Any number as a real; also a number inside of a dynamic value.
    pub fn as_real(&self) -> Option<f64> {
        match self {
            Self::Int(n) => Some(f64::from(*n)),
            Self::Long(n) => Some(*n as f64),
            Self::Real(x) => Some(*x),
            Self::Decimal(d) => crate::decimal::to_real(*d),
            Self::Dynamic(json) => json_real(json),
            Self::Null
            | Self::Bool(_)
            | Self::String(_)
            | Self::Datetime(_)
            | Self::Timespan(_)
            | Self::Guid(_) => None,
        }
    }

    /// Ticks of a datetime or a timespan.
    pub const fn as_ticks(&self) -> Option<i64> {
        match self {
            Self::Datetime(t) | Self::Timespan(t) => Some(*t),
            _ => None,
        }
    }

    pub fn as_json(&self) -> Option<&Json> {
        if let Self::Dynamic(json) = self { Some(json) } else { None }
    }

    pub fn as_array(&self) -> Option<&[Json]> {
        if let Some(Json::Array(items)) = self.as_json() { Some(items) } else { None }
    }

    /// The value inside of a dynamic one: what `pack_array`, `make_list` and `bag_pack` put there.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(b) => Json::Bool(*b),
            Self::Int(n) => Json::Long(i64::from(*n)),
            Self::Long(n) => Json::Long(*n),
            Self::Real(x) => Json::Real(*x),
            Self::Decimal(d) => Json::String(crate::decimal::text(*d)),
            Self::String(s) => Json::String(s.clone()),
            Self::Datetime(t) => Json::Datetime(*t),
            Self::Timespan(t) => Json::Timespan(*t),
            Self::Guid(g) => Json::String(guid_text(*g)),
            Self::Dynamic(json) => (**json).clone(),
        }
    }

    /// A member or element taken out of a dynamic value: still dynamic.
    pub fn of_json(json: &Json) -> Self {
        Self::dynamic(json.clone())
    }

    /// A constant of the IR. A decimal or guid text that does not read as one is null.
    pub fn of_ir(value: &ir::Value) -> Self {
        match value {
            ir::Value::Null(Type::String) => Self::EMPTY,
            ir::Value::Null(_) => Self::Null,
            ir::Value::Bool(b) => Self::Bool(*b),
            ir::Value::Int(n) => Self::Int(*n),
            ir::Value::Long(n) => Self::Long(*n),
            ir::Value::Real(x) => Self::Real(*x),
            ir::Value::Decimal(text) => crate::decimal::parse(text).map_or(Self::Null, Self::Decimal),
            ir::Value::String(s) => Self::String(s.clone()),
            ir::Value::Datetime(t) => Self::Datetime(*t),
            ir::Value::Timespan(t) => Self::Timespan(*t),
            ir::Value::Guid(text) => parse_guid(text).map_or(Self::Null, Self::Guid),
            ir::Value::Dynamic(json) => Self::dynamic(json.clone()),
        }
    }
}

/// The value as a constant of the IR, of the type of its column.
pub fn to_ir(value: &Value, ty: Type) -> ir::Value {
    match value {
        Value::Null => ir::Value::Null(ty),
        Value::Bool(b) => ir::Value::Bool(*b),
        Value::Int(n) => ir::Value::Int(*n),
        Value::Long(n) => ir::Value::Long(*n),
        Value::Real(x) => ir::Value::Real(*x),
        Value::Decimal(d) => ir::Value::Decimal(crate::decimal::text(*d)),
        Value::String(s) => ir::Value::String(s.clone()),
        Value::Datetime(t) => ir::Value::Datetime(*t),
        Value::Timespan(t) => ir::Value::Timespan(*t),
        Value::Guid(g) => ir::Value::Guid(guid_text(*g)),
        Value::Dynamic(json) => ir::Value::Dynamic((**json).clone()),
    }
}

/// A number inside of a dynamic value.
pub(crate) fn json_real(json: &Json) -> Option<f64> {
    match json {
        Json::Long(n) => Some(*n as f64),
        Json::Real(x) => Some(*x),
        Json::Null
        | Json::Bool(_)
        | Json::String(_)
        | Json::Datetime(_)
        | Json::Timespan(_)
        | Json::Array(_)
        | Json::Object(_) => None,
    }
}

/// Lower case, with hyphens.
pub(crate) fn guid_text(guid: u128) -> SmolStr {
    let hex = format!("{guid:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format_smolstr!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

/// Reads a guid: 32 hexadecimal digits with or without hyphens, in braces or not.
pub(crate) fn parse_guid(text: &str) -> Option<u128> {
    let text = text.trim();
    let text = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
    let hyphens: Vec<usize> = text.match_indices('-').map(|(i, _)| i).collect();
    if !matches!(hyphens.as_slice(), [] | [8, 13, 18, 23]) {
        return None;
    }
    let hex = text.chars().filter(|c| *c != '-').collect::<String>().to_smolstr();
    if hex.len() != 32 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(&hex, 16).ok()
}
