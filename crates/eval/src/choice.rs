//! Choices that the language leaves open: which row `take` keeps, which value `take_any` gives.
//!
//! Each place where more than one answer is right asks a [`Chooser`]. It notes that it was asked, so that a comparison
//! knows where another engine may differ and still be right, and it picks by [`crate::Options::choice`].

use ruleferry_diag::Span;
use std::cell::RefCell;

/// What was left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChoiceKind {
    /// Which rows `take`, `sample`, `limit` keep, or `top` and `arg_max` among ties.
    Rows,
    /// Which value of a group.
    Value,
    /// Which row of a key `innerunique` keeps.
    UniqueRow,
    /// The order in which rows come out where it becomes visible: row numbers without a sort, `make_list`.
    Order,
    /// An estimate (`dcount`, `percentile` over many rows).
    Estimate,
    /// `rand()`, `new_guid()`.
    Random,
}

/// A choice that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Choice {
    pub kind: ChoiceKind,
    pub span: Span,
}

#[derive(Debug)]
pub(crate) struct Chooser {
    seed: u64,
    taken: RefCell<Vec<Choice>>,
}

impl Chooser {
    pub const fn new(seed: u64) -> Self {
        Self { seed, taken: RefCell::new(Vec::new()) }
    }

    /// Notes a choice that has no number.
    pub fn note(&self, kind: ChoiceKind, span: Span) {
        let choice = Choice { kind, span };
        let mut taken = self.taken.borrow_mut();
        if !taken.contains(&choice) {
            taken.push(choice);
        }
    }

    /// One of `count`; 0 for none or one.
    pub fn pick(&self, kind: ChoiceKind, span: Span, count: usize) -> usize {
        if count < 2 {
            return 0;
        }
        self.note(kind, span);
        if self.seed == 0 {
            return 0;
        }
        if self.seed == 1 {
            return count - 1;
        }
        let mixed =
            (self.seed ^ (span.start as u64) << 32 ^ count as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        usize::try_from((mixed >> 17) % count as u64).unwrap_or(0)
    }

    /// How far a list of `count` candidates is rotated before the first of it are taken.
    pub fn rotation(&self, kind: ChoiceKind, span: Span, count: usize, wanted: usize) -> usize {
        if count <= wanted { 0 } else { self.pick(kind, span, count) }
    }

    pub fn taken(&self) -> Vec<Choice> {
        let mut taken = self.taken.borrow().clone();
        taken.sort();
        taken
    }
}
