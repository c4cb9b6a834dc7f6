//! What differs from one SQL dialect to the next, as values that the lowering asks for; never a test of the dialect's name.

use ruleferry_ir::Type;

/// A dialect of SQL.
#[derive(Debug, PartialEq, Eq)]
pub struct Dialect {
    /// The name of the target whose data (functions, macros, schemas) belongs to it.
    pub name: &'static str,
    /// `x` in `SELECT f(a) AS x, g(x) … WHERE x > 1` may name a column of the same SELECT.
    pub alias_reuse: bool,
    /// `SELECT * EXCLUDE (…) REPLACE (…)`.
    pub star_edit: bool,
    /// Column names that differ only in case are one.
    pub folds_case: bool,
    types: [(Type, &'static str); 10],
}

impl Dialect {
    pub const DUCKDB: &'static Self = &Self {
        name: "duckdb",
        alias_reuse: true,
        star_edit: true,
        folds_case: true,
        types: [
            (Type::Bool, "BOOLEAN"),
            (Type::Int, "INTEGER"),
            (Type::Long, "BIGINT"),
            (Type::Real, "DOUBLE"),
            (Type::Decimal, "DECIMAL(38,17)"),
            (Type::String, "VARCHAR"),
            (Type::Datetime, "TIMESTAMP"),
            (Type::Timespan, "INTERVAL"),
            (Type::Guid, "VARCHAR"),
            (Type::Dynamic, "JSON"),
        ],
    };

    /// The dialect's name of a type.
    pub fn type_name(&self, ty: Type) -> &'static str {
        self.types.iter().find(|(t, _)| *t == ty).map_or("VARCHAR", |(_, n)| n)
    }
}
