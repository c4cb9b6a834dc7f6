//! The reference evaluator: the definition of what the rule IR means.
//!
//! In: an [`ir::Query`], the tables that it reads ([`Tables`]) and [`Options`] (the one time of the run, limits). Out: an
//! [`Answer`], typed rows with the undefined choices that were taken on the way, or a [`Fault`]. SQL that a back end emits
//! and the prover are tested against it; it is written for clarity first.
//!
//! Where to look: `plan/` has one file for each kind of operator, `expr` scalar expressions, `matching` string matches,
//! `functions/` and `aggregates/` the catalogue in tables by family, `plugins/` what stands behind `evaluate`,
//! `window` functions that look at neighbouring rows, `cast` conversions, `compare` what is equal and what comes first.

mod aggregates;
mod answer;
mod cast;
mod choice;
mod compare;
mod decimal;
mod expr;
mod fault;
mod functions;
mod json;
mod matching;
mod number;
mod outside;
mod plan;
mod plugins;
mod rows;
mod sketch;
mod tables;
pub mod text;
pub mod time;
mod undefined;
mod value;
mod window;

pub use answer::Answer;
pub use cast::cast;
pub use choice::{Choice, ChoiceKind};
pub use compare::{Key, compare, order};
pub use fault::Fault;
pub use functions::is_implemented;
pub use json::{parse as parse_json, text as json_text};
pub use plan::Prepared;
pub use rows::Row;
pub use tables::{MemoryTable, MemoryTables, Request, Tables};
pub use undefined::{Definedness, undefined_columns};
pub use value::{Value, to_ir};

use ruleferry_ir as ir;

/// What a run is told besides its query and its tables.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// `now()`: ticks since year 1. The evaluator never reads the clock.
    pub now: i64,
    /// The rule's look-back: scans of tables with a time column keep rows of `now - look_back` to `now`.
    pub look_back: Option<i64>,
    /// Rows that any one operator may make.
    pub max_rows: usize,
    /// Which of several permitted answers is taken: 0 takes the first, other numbers take others, the same each time.
    pub choice: u64,
}

/// Far above what a rule returns, far below what fills the memory of a small machine.
pub const MAX_ROWS: usize = 5_000_000;

impl Options {
    pub const fn at(now: i64) -> Self {
        Self { now, look_back: None, max_rows: MAX_ROWS, choice: 0 }
    }
}

/// Runs a query.
///
/// # Errors
/// A table that is not given, a construct that the IR keeps as opaque text, a function that needs the outside world, a limit.
pub fn evaluate(query: &ir::Query, tables: &dyn Tables, options: Options) -> Result<Answer, Fault> {
    Prepared::new(query).run(tables, options)
}
