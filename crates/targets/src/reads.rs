//! What functions of each dialect of SQL mean, for reading rules in it.
//!
//! In: the name of a dialect. Out: its [`Read`]s: an expression with places (`$1` …, `$...`) and what it stands for, either other SQL of
//! the first dialect ([`To::Sql`]) or a function of the IR ([`To::Ir`]). The data is `targets/<dialect>/reads.toml`.

use ruleferry_ir::Type;

include!(concat!(env!("OUT_DIR"), "/reads.rs"));

/// What stands for an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// SQL as DuckDB has it, with the same places.
    Sql(&'static str),
    /// Functions of the IR's catalogue, literals, operators and `CASE`, with the same places.
    Ir(&'static str),
}

/// What an expression gives for NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadNulls {
    /// NULL where an argument is.
    Strict,
    /// Never NULL.
    Never,
    /// NULL where an argument is, and where the IR gives `""` for it.
    Empty,
    /// NULL or `''`, which is not told.
    Open,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Read {
    pub sql: &'static str,
    pub to: To,
    /// Types that the arguments must have; those behind the last are not looked at. A `Real` takes each number.
    pub args: &'static [Option<Type>],
    /// The type of the value, where it is another than that of the IR's function.
    pub gives: Option<Type>,
    pub nulls: ReadNulls,
}

/// The data of one dialect.
#[derive(Debug)]
pub struct DialectReads {
    pub name: &'static str,
    pub reads: &'static [Read],
}

/// What is known of a dialect; `None` for one without a table.
pub fn reads(dialect: &str) -> Option<&'static DialectReads> {
    READS.iter().find(|d| d.name == dialect)
}
