//! Plans in canonical form: a source of rows and the one condition that its rows must meet.
//!
//! `extend`, `project`, `where` and renames are no blocks: computed columns are terms, filters are in `filter`. What a block
//! puts out is not part of it: who reads it names the terms that it wants, so that unused columns vanish.

use crate::formula::FormulaId;
use crate::term::TermId;
use ruleferry_ir::JoinKind;
use smol_str::SmolStr;

/// An id of the arena: equal blocks have equal ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(pub(crate) u32);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    pub source: Source,
    /// Over the terms of this block's space.
    pub filter: FormulaId,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// One row without columns: `print`.
    Unit,
    /// A table, a named input or an external table, with all that tells it from another.
    Scan {
        name: SmolStr,
        kind: ScanKind,
        qualifiers: Box<[(SmolStr, SmolStr)]>,
        args: Box<[TermId]>,
        over: Option<BlockId>,
    },
    /// Literal rows.
    Values(Box<[Box<[TermId]>]>),
    Join {
        kind: JoinKind,
        left: BlockId,
        right: BlockId,
        /// Sorted.
        on: Box<[(TermId, TermId)]>,
    },
    /// Keys sorted; what is aggregated stands in the terms that are read ([`crate::term::Term::Made`]). No keys: one row, also of no input.
    Aggregate {
        input: BlockId,
        keys: Box<[TermId]>,
        /// `summarize` without `by` gives a row for no input.
        scalar: bool,
    },
    /// One row for each combination of values; sorted.
    Distinct { input: BlockId, columns: Box<[TermId]> },
    Union {
        /// Sorted.
        inputs: Box<[BlockId]>,
    },
    /// The first rows in an order; without keys which ones is not defined.
    Top { input: BlockId, count: TermId, keys: Box<[(TermId, bool, bool)]>, what: SmolStr },
    /// Any other operator: its name and all that tells it from another of its kind, in the spaces of its inputs.
    Other {
        what: SmolStr,
        inputs: Box<[BlockId]>,
        args: Box<[TermId]>,
        conditions: Box<[FormulaId]>,
        texts: Box<[SmolStr]>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScanKind {
    Table,
    Glob,
    Input,
    /// The rows that an `apply` or `partition` body works on.
    Rows,
    /// The step values of a `range`.
    Range,
}
