//! The scalar types of the IR. Times are in ticks of 100 ns, as in Kusto.

use std::fmt;

/// A scalar type. `Unknown` is only met while a plan is being built; a finished plan has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    Bool,
    Int,
    Long,
    Real,
    Decimal,
    String,
    Datetime,
    Timespan,
    Guid,
    Dynamic,
    Unknown,
}

impl Type {
    pub const ALL: [Self; 10] = [
        Self::Bool,
        Self::Int,
        Self::Long,
        Self::Real,
        Self::Decimal,
        Self::String,
        Self::Datetime,
        Self::Timespan,
        Self::Guid,
        Self::Dynamic,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Long => "long",
            Self::Real => "real",
            Self::Decimal => "decimal",
            Self::String => "string",
            Self::Datetime => "datetime",
            Self::Timespan => "timespan",
            Self::Guid => "guid",
            Self::Dynamic => "dynamic",
            Self::Unknown => "unknown",
        }
    }

    /// The type in which two values are compared as keys of a join.
    #[must_use]
    pub fn of_keys(left: Self, right: Self) -> Self {
        match (left, right) {
            (Self::Dynamic | Self::Unknown, other) | (other, Self::Dynamic | Self::Unknown) => other,
            (l, r) if l == r => l,
            (Self::Real, _) | (_, Self::Real) => Self::Real,
            (Self::Decimal, _) | (_, Self::Decimal) => Self::Decimal,
            (Self::Int | Self::Long, Self::Int | Self::Long) => Self::Long,
            (l, _) => l,
        }
    }

    /// How much a use of a column says of its type where no schema knows it: the higher of two wins. Text is what is
    /// taken for want of a better one.
    pub const fn evidence(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::String => 1,
            Self::Bool | Self::Int => 2,
            Self::Long => 3,
            Self::Real | Self::Decimal => 4,
            Self::Datetime | Self::Timespan | Self::Guid => 5,
            Self::Dynamic => 6,
        }
    }

    /// Reads a type name of KQL, aliases included (`boolean`, `double`, `date`, `time`, `uuid`, `int64` …).
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "bool" | "boolean" => Self::Bool,
            "int" | "int32" | "uint" | "int16" | "uint16" | "int8" | "byte" | "char" => Self::Int,
            "long" | "int64" | "ulong" | "uint32" | "uint64" => Self::Long,
            "real" | "double" | "float" => Self::Real,
            "decimal" => Self::Decimal,
            "string" => Self::String,
            "datetime" | "date" => Self::Datetime,
            "timespan" | "time" => Self::Timespan,
            "guid" | "uuid" | "uniqueid" => Self::Guid,
            "dynamic" | "object" => Self::Dynamic,
            _ => return None,
        })
    }

    /// The .NET type that Kusto's `getschema` shows.
    pub const fn clr_name(self) -> &'static str {
        match self {
            Self::Bool => "System.SByte",
            Self::Int => "System.Int32",
            Self::Long => "System.Int64",
            Self::Real => "System.Double",
            Self::Decimal => "System.Data.SqlTypes.SqlDecimal",
            Self::String => "System.String",
            Self::Datetime => "System.DateTime",
            Self::Timespan => "System.TimeSpan",
            Self::Guid => "System.Guid",
            Self::Dynamic | Self::Unknown => "System.Object",
        }
    }

    pub const fn is_numeric(self) -> bool {
        matches!(self, Self::Int | Self::Long | Self::Real | Self::Decimal)
    }

    pub const fn is_integer(self) -> bool {
        matches!(self, Self::Int | Self::Long)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
