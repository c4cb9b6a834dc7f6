//! Conditions with two truth values, in negation normal form.
//!
//! An [`ir::Expr`](ruleferry_ir::Expr) may be true, false or null; the canonical form keeps two formulas of it, *holds* and
//! *fails* (null is neither), so that each atom here has two values only. An atom is false where its term has no value; what
//! a rule's test says of a missing value is spelled out with [`Atom::Missing`].

use crate::block::BlockId;
use crate::term::{Constant, TermId};
use ruleferry_ir::{Case, CompareOp, GlobPart};
use smol_str::SmolStr;

/// An id of the arena: equal formulas have equal ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FormulaId(pub(crate) u32);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Formula {
    True,
    False,
    /// Two or more, sorted, without doubles, none of them an `And`.
    And(Box<[FormulaId]>),
    /// Two or more, sorted, without doubles, none of them an `Or`.
    Or(Box<[FormulaId]>),
    Literal {
        atom: Atom,
        negated: bool,
    },
}

/// A test of one term, or of several against each other. Missing values fail every atom but [`Atom::Missing`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Atom {
    /// The term has no value (null, or an absent field).
    Missing(TermId),
    /// The text is in the language.
    Text(TermId, Language),
    /// The value compares so with a constant that has one. `Eq`, `Lt` and `Le`; for dynamic values, whose order is
    /// not total, `Gt` and `Ge`, too.
    Value(TermId, CompareOp, Constant),
    /// Two values compare so: `Eq`, `Lt` and `Le`; for `Eq` the smaller id first.
    Pair(CompareOp, TermId, TermId),
    /// Two texts match so: the second is the needle (`x contains y` with `y` a column).
    TextPair(TermId, TextRelation, TermId),
    /// Some row of the block has these values: pairs of a value here and one in the block's space, sorted. One pair is
    /// `in (query)`, several are a semi join. Null equals nothing; a missing text is the empty one.
    InBlock(Box<[(TermId, TermId)]>, BlockId, Case),
    /// A Boolean term that nothing more is known of is true.
    True(TermId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TextRelation {
    pub kind: ruleferry_ir::MatchKind,
    pub case: Case,
}

/// A set of texts by one test; exactly the meaning of `eval::matching`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// Kind and needle; for [`Folding::Simple`] and [`Folding::Lower`] the needle is folded already.
    Equals(SmolStr, Folding),
    Contains(SmolStr, Folding),
    StartsWith(SmolStr, Folding),
    EndsWith(SmolStr, Folding),
    Term(SmolStr, Folding),
    TermPrefix(SmolStr, Folding),
    TermSuffix(SmolStr, Folding),
    Glob(Box<[GlobPart]>, Folding),
    /// Found anywhere; RE2 syntax.
    Regex(SmolStr, Folding),
    /// An IPv4 or IPv6 address in a range; not regular, decided by name only.
    Cidr(SmolStr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Folding {
    Exact,
    /// `fold` of the evaluator: each character by the first of its lower case. Of a pattern: its own `(?i)`.
    Simple,
    /// `tolower(x)` of the evaluator, which folds the same way: a needle is the same as with [`Folding::Simple`], a pattern
    /// is looked for in the folded text as it is written.
    Lower,
}
