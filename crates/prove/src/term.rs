//! Values by what they are: a column is named by its definition, so that renamed, moved and inlined columns are one term.
//!
//! A term belongs to the space of one block: [`Term::Column`] is a column of the scan that the block reads, [`Term::Input`]
//! a value of one of the blocks that its source reads.

use crate::block::BlockId;
use crate::formula::FormulaId;
use ruleferry_ir::{ArithmeticOp, Json, Type};
use smol_str::SmolStr;

/// An id of the arena: equal terms have equal ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TermId(pub(crate) u32);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Term {
    Constant(Constant),
    Column {
        name: SmolStr,
        ty: Type,
    },
    /// All values of the event (Sigma's keywords, `_raw`, `*` over a table without a closed schema).
    Event,
    /// The one time of the run.
    Now,
    /// A value of the block that is input `0`, `1` … of this block's source.
    Input(u32, TermId),
    /// A function of the catalogue, or `$…` for what the IR has a node for and the prover knows nothing of. The result type
    /// belongs to it, as the evaluator goes by it.
    Call(SmolStr, Box<[TermId]>, Type),
    Arithmetic(ArithmeticOp, TermId, TermId, Type),
    Negate(TermId),
    Cast(TermId, Type),
    Member(TermId, SmolStr),
    Index(TermId, TermId),
    Case(Box<[(FormulaId, TermId)]>, TermId),
    /// The value of a condition: true, false, or null where neither holds.
    Truth {
        holds: FormulaId,
        fails: FormulaId,
    },
    /// A column that an aggregation, a series or an expansion makes: its definition, in the space of the source's input.
    Made {
        what: SmolStr,
        args: Box<[TermId]>,
        conditions: Box<[FormulaId]>,
        /// Which of several results.
        part: u32,
        ty: Type,
    },
    /// A column of a union: what it is in each input.
    Merged(Box<[Option<TermId>]>, Type),
    /// A column of a block's first row; the block has at most one.
    Scalar(BlockId, TermId),
    /// A column of all rows of a block, as a list (`has_any (query)`).
    List(BlockId, TermId),
    /// A construct that the IR does not have: its text, and the columns in scope that the text names.
    Opaque {
        language: SmolStr,
        text: SmolStr,
        columns: Box<[(SmolStr, TermId)]>,
        ty: Type,
    },
}

/// A constant as a key: `ir::Value` with one form for each value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Constant {
    Null(Type),
    Bool(bool),
    /// `int` and `long`.
    Long(i64),
    /// Bits, with one zero and one NaN.
    Real(u64),
    Decimal(SmolStr),
    String(SmolStr),
    Datetime(i64),
    Timespan(i64),
    Guid(SmolStr),
    /// Canonical JSON text.
    Dynamic(SmolStr),
}

impl Constant {
    pub const fn ty(&self) -> Type {
        match self {
            Self::Null(ty) => *ty,
            Self::Bool(_) => Type::Bool,
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

    pub fn dynamic(json: &Json) -> Self {
        Self::Dynamic(ruleferry_eval::json_text(json).into())
    }
}
