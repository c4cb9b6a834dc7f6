//! What differs from one dialect of SQL to the next, as data that the lowering asks for: the `[sql]` table of `target.toml`.
//!
//! The lowering writes its trees in the forms of DuckDB (`generic_sql`); the pass behind it respells them by these values, and the
//! functions by `functions.toml`. Nothing tests for the name of a dialect.

use crate::Capability;
use ruleferry_ir::Type;

include!(concat!(env!("OUT_DIR"), "/dialects.rs"));

/// Where an ORDER BY puts NULL that does not say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NullOrder {
    /// Behind all values, in either direction.
    Last,
    /// Above all values: last if ascending, first if descending.
    High,
    /// Below all values.
    Low,
}

/// What a backslash means in a pattern of LIKE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LikeEscape {
    /// Nothing, unless an ESCAPE clause names it.
    Named,
    /// It escapes unless an ESCAPE clause names another character.
    Backslash,
    /// It escapes, and there is no ESCAPE clause.
    Fixed,
}

/// The flavour of regular expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regex {
    /// RE2, as Kusto has it.
    Re2,
    /// RE2, in which a point matches a line feed unless told otherwise.
    Re2Dotall,
    Java,
    /// The advanced regular expressions of PostgreSQL.
    Posix,
    /// Extended regular expressions of POSIX, with `\\d` and its like.
    Ere,
    /// There are none.
    None,
}

/// A dialect of SQL.
#[derive(Debug, PartialEq, Eq)]
pub struct Dialect {
    /// The name of the target whose data (functions, macros, schemas) belongs to it.
    pub name: &'static str,
    pub title: &'static str,
    /// Trees are printed as the lowering writes them.
    pub generic: bool,
    /// `x` in `SELECT f(a) AS x, g(x) … WHERE x > 1` may name a column of the same SELECT.
    pub alias_reuse: bool,
    /// `SELECT * EXCLUDE (…) REPLACE (…)`.
    pub star_edit: bool,
    /// Column names that differ only in case are one.
    pub folds_case: bool,
    /// What stands around a name that is no plain word.
    pub quote: char,
    /// A backslash in a text literal escapes.
    pub backslash: bool,
    /// A backslash in a quoted name escapes.
    pub name_backslash: bool,
    pub null_order: NullOrder,
    pub like_escape: LikeEscape,
    pub regex: Regex,
    /// The sqlparser dialect that the templates are read in.
    pub parser: &'static str,
    /// Words that are no bare names; sorted, in lower case.
    pub keywords: &'static [&'static str],
    /// Bytes of the longest name.
    pub name_length: Option<u32>,
    /// What stands behind the columns of a CREATE TABLE.
    pub table_suffix: &'static str,
    /// Settings that the query is run with (`SETTINGS a = 1`).
    pub settings: &'static [(&'static str, i64)],
    /// What each conversion takes for granted of the engine.
    pub assumes: &'static [&'static str],
    /// The types, in the order of [`Type`].
    types: [&'static str; 10],
    capabilities: &'static [Capability],
}

impl Dialect {
    /// The dialect's name of a type.
    pub fn type_name(&self, ty: Type) -> &'static str {
        let at = match ty {
            Type::Bool => 0,
            Type::Int => 1,
            Type::Long => 2,
            Type::Real => 3,
            Type::Decimal => 4,
            Type::String | Type::Unknown => 5,
            Type::Datetime => 6,
            Type::Timespan => 7,
            Type::Guid => 8,
            Type::Dynamic => 9,
        };
        self.types.get(at).copied().unwrap_or("VARCHAR")
    }

    pub fn can(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }

    pub fn is_keyword(&self, lower: &str) -> bool {
        self.keywords.binary_search(&lower).is_ok()
    }

    pub fn find(name: &str) -> Option<&'static Self> {
        DIALECTS.iter().find(|d| d.name == name)
    }
}

/// All dialects, sorted by name.
pub fn all() -> &'static [Dialect] {
    &DIALECTS
}
