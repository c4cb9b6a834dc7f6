//! Where terms, formulas and blocks live: equal things have one id.
//!
//! In: nodes. Out: ids, which compare and hash as fast as numbers. Connectives simplify as they are made: flat, sorted,
//! without doubles, constants absorbed, a literal beside its negation decided.

use crate::block::{Block, BlockId};
use crate::formula::{Atom, Formula, FormulaId};
use crate::term::{Constant, Term, TermId};
use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

type Set<T> = IndexSet<T, FxBuildHasher>;

/// The nodes of one comparison.
#[derive(Clone, Debug, Default)]
pub struct Arena {
    terms: Set<Term>,
    formulas: Set<Formula>,
    blocks: Set<Block>,
}

fn id(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

impl Arena {
    pub fn term(&mut self, term: Term) -> TermId {
        TermId(id(self.terms.insert_full(term).0))
    }

    pub fn block(&mut self, block: Block) -> BlockId {
        BlockId(id(self.blocks.insert_full(block).0))
    }

    fn formula(&mut self, formula: Formula) -> FormulaId {
        FormulaId(id(self.formulas.insert_full(formula).0))
    }

    /// The term of an id of this arena. (An id of another arena reads as a null constant.)
    pub fn get(&self, id: TermId) -> &Term {
        static NONE: Term = Term::Constant(Constant::Null(ruleferry_ir::Type::Unknown));
        self.terms.get_index(id.0 as usize).unwrap_or(&NONE)
    }

    pub fn get_formula(&self, id: FormulaId) -> &Formula {
        static NONE: Formula = Formula::False;
        self.formulas.get_index(id.0 as usize).unwrap_or(&NONE)
    }

    pub fn get_block(&self, id: BlockId) -> Option<&Block> {
        self.blocks.get_index(id.0 as usize)
    }

    pub fn constant(&mut self, value: Constant) -> TermId {
        self.term(Term::Constant(value))
    }

    pub fn truth(&mut self, value: bool) -> FormulaId {
        self.formula(if value { Formula::True } else { Formula::False })
    }

    pub fn literal(&mut self, atom: Atom, negated: bool) -> FormulaId {
        self.formula(Formula::Literal { atom, negated })
    }

    pub fn atom(&mut self, atom: Atom) -> FormulaId {
        self.literal(atom, false)
    }

    pub fn and(&mut self, parts: impl IntoIterator<Item = FormulaId>) -> FormulaId {
        self.connective(parts, true)
    }

    pub fn or(&mut self, parts: impl IntoIterator<Item = FormulaId>) -> FormulaId {
        self.connective(parts, false)
    }

    fn connective(&mut self, parts: impl IntoIterator<Item = FormulaId>, and: bool) -> FormulaId {
        let mut flat = Vec::new();
        for part in parts {
            match (self.get_formula(part), and) {
                (Formula::True, true) | (Formula::False, false) => {}
                (Formula::False, true) => return self.truth(false),
                (Formula::True, false) => return self.truth(true),
                (Formula::And(inner), true) | (Formula::Or(inner), false) => flat.extend_from_slice(inner),
                (Formula::And(_), false) | (Formula::Or(_), true) | (Formula::Literal { .. }, _) => {
                    flat.push(part);
                }
            }
        }
        flat.sort_unstable();
        flat.dedup();
        let opposite = |this: &Self, part: FormulaId| match this.get_formula(part) {
            Formula::Literal { atom, negated } => this
                .formulas
                .get_index_of(&Formula::Literal { atom: atom.clone(), negated: !negated })
                .is_some_and(|i| flat.binary_search(&FormulaId(id(i))).is_ok()),
            Formula::True | Formula::False | Formula::And(_) | Formula::Or(_) => false,
        };
        if flat.iter().any(|part| opposite(self, *part)) {
            return self.truth(!and);
        }
        match flat.as_slice() {
            [] => self.truth(and),
            [one] => *one,
            _ => self.formula(if and { Formula::And(flat.into()) } else { Formula::Or(flat.into()) }),
        }
    }

    /// The formula that holds where this one does not.
    pub fn not(&mut self, formula: FormulaId) -> FormulaId {
        match self.get_formula(formula).clone() {
            Formula::True => self.truth(false),
            Formula::False => self.truth(true),
            Formula::Literal { atom, negated } => self.literal(atom, !negated),
            Formula::And(parts) => {
                let parts: Vec<_> = parts.iter().map(|p| self.not(*p)).collect();
                self.or(parts)
            }
            Formula::Or(parts) => {
                let parts: Vec<_> = parts.iter().map(|p| self.not(*p)).collect();
                self.and(parts)
            }
        }
    }
}
