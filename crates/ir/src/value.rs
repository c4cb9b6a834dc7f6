//! Constants.

use crate::Type;
use indexmap::IndexMap;
use smol_str::SmolStr;

/// Ticks of 100 ns in one second.
pub const TICKS_PER_SECOND: i64 = 10_000_000;

/// A constant of a scalar type. Strings have no null: a missing string is the empty one.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null(Type),
    Bool(bool),
    Int(i32),
    Long(i64),
    Real(f64),
    /// Digits as written, `[-]d+[.d+][e[-]d+]`.
    Decimal(SmolStr),
    String(SmolStr),
    /// Ticks since 0001-01-01T00:00:00Z.
    Datetime(i64),
    /// Ticks.
    Timespan(i64),
    /// Lower case, with hyphens.
    Guid(SmolStr),
    Dynamic(Json),
}

/// A dynamic value. Kusto's dynamic literals may hold times, which JSON has not: they are kept as such.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Long(i64),
    Real(f64),
    String(SmolStr),
    Datetime(i64),
    Timespan(i64),
    Array(Vec<Json>),
    Object(IndexMap<SmolStr, Json>),
}

impl Value {
    pub const fn ty(&self) -> Type {
        match self {
            Self::Null(t) => *t,
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::Long(_) => Type::Long,
            Self::Real(_) => Type::Real,
            Self::Decimal(_) => Type::Decimal,
            Self::String(_) => Type::String,
            Self::Datetime(_) => Type::Datetime,
            Self::Timespan(_) => Type::Timespan,
            Self::Guid(_) => Type::Guid,
            Self::Dynamic(_) => Type::Dynamic,
        }
    }

    pub fn string(text: impl Into<SmolStr>) -> Self {
        Self::String(text.into())
    }

    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(s) = self { Some(s) } else { None }
    }
}
