//! Where terms, formulas and blocks live: equal things have one id.
//!
//! In: nodes. Out: ids, which compare and hash as fast as numbers. Connectives simplify as they are made: flat, sorted,
//! without doubles, constants and implied parts absorbed, a literal beside its negation decided.

use crate::block::{Block, BlockId, Source};
use crate::formula::{Atom, Formula, FormulaId, Language};
use crate::term::{Constant, Term, TermId};
use indexmap::IndexSet;
use ruleferry_ir::Type;
use rustc_hash::FxBuildHasher;

type Set<T> = IndexSet<T, FxBuildHasher>;

/// The nodes of one comparison.
#[derive(Clone, Debug, Default)]
pub struct Arena {
    terms: Set<Term>,
    /// How deep each term is nested, formulas and blocks inside of it included.
    term_depths: Vec<u32>,
    formulas: Set<Formula>,
    formula_depths: Vec<u32>,
    /// Of each literal its negation; of other formulas themselves.
    negations: Vec<FormulaId>,
    blocks: Set<Block>,
    block_depths: Vec<u32>,
}

fn id(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

impl Arena {
    pub fn term(&mut self, term: Term) -> TermId {
        let (index, new) = self.terms.insert_full(term);
        if new {
            let depth = self.terms.get_index(index).map_or(0, |t| self.depth_of_term(t));
            self.term_depths.push(depth);
        }
        TermId(id(index))
    }

    pub fn block(&mut self, block: Block) -> BlockId {
        let (index, new) = self.blocks.insert_full(block);
        if new {
            let depth = self.blocks.get_index(index).map_or(0, |b| self.depth_of_block(b));
            self.block_depths.push(depth);
        }
        BlockId(id(index))
    }

    fn formula(&mut self, formula: Formula) -> FormulaId {
        let (index, new) = self.formulas.insert_full(formula);
        let made = FormulaId(id(index));
        if new {
            let depth = self.formulas.get_index(index).map_or(0, |f| self.depth_of_formula(f));
            self.formula_depths.push(depth);
            self.negations.push(made);
        }
        made
    }

    /// The term of an id of this arena. (An id of another arena reads as a null constant.)
    pub fn get(&self, id: TermId) -> &Term {
        static NONE: Term = Term::Constant(Constant::Null(Type::Unknown));
        self.terms.get_index(id.0 as usize).unwrap_or(&NONE)
    }

    pub fn get_formula(&self, id: FormulaId) -> &Formula {
        static NONE: Formula = Formula::False;
        self.formulas.get_index(id.0 as usize).unwrap_or(&NONE)
    }

    pub fn get_block(&self, id: BlockId) -> Option<&Block> {
        self.blocks.get_index(id.0 as usize)
    }

    /// How many terms and formulas there are.
    pub fn size(&self) -> usize {
        self.terms.len() + self.formulas.len()
    }

    /// The type of a term's value.
    pub fn ty(&self, id: TermId) -> Type {
        let mut at = id;
        loop {
            return match self.get(at) {
                Term::Constant(c) => c.ty(),
                Term::Column { name: _, ty }
                | Term::Call(_, _, ty)
                | Term::Arithmetic(_, _, _, ty)
                | Term::Cast(_, ty)
                | Term::Made { ty, .. }
                | Term::Merged(_, ty)
                | Term::Opaque { ty, .. } => *ty,
                Term::Event => Type::String,
                Term::Now => Type::Datetime,
                Term::Member(..) | Term::Index(..) | Term::List(..) => Type::Dynamic,
                Term::Truth { .. } => Type::Bool,
                Term::Input(_, inner)
                | Term::Negate(inner)
                | Term::Case(_, inner)
                | Term::Scalar(_, inner) => {
                    at = *inner;
                    continue;
                }
            };
        }
    }

    pub fn term_depth(&self, id: TermId) -> u32 {
        self.term_depths.get(id.0 as usize).copied().unwrap_or(0)
    }

    pub fn formula_depth(&self, id: FormulaId) -> u32 {
        self.formula_depths.get(id.0 as usize).copied().unwrap_or(0)
    }

    pub fn block_depth(&self, id: BlockId) -> u32 {
        self.block_depths.get(id.0 as usize).copied().unwrap_or(0)
    }

    fn depth_of_term(&self, term: &Term) -> u32 {
        let terms = |ids: &[TermId]| ids.iter().map(|t| self.term_depth(*t)).max().unwrap_or(0);
        let inside = match term {
            Term::Constant(_) | Term::Column { .. } | Term::Event | Term::Now => return 1,
            Term::Input(_, t) | Term::Negate(t) | Term::Cast(t, _) | Term::Member(t, _) => {
                self.term_depth(*t)
            }
            Term::Call(_, args, _) => terms(args),
            Term::Arithmetic(_, a, b, _) | Term::Index(a, b) => terms(&[*a, *b]),
            Term::Case(branches, otherwise) => branches
                .iter()
                .map(|(f, t)| self.formula_depth(*f).max(self.term_depth(*t)))
                .max()
                .unwrap_or(0)
                .max(self.term_depth(*otherwise)),
            Term::Truth { holds, fails } => self.formula_depth(*holds).max(self.formula_depth(*fails)),
            Term::Made { args, conditions, .. } => {
                conditions.iter().map(|f| self.formula_depth(*f)).max().unwrap_or(0).max(terms(args))
            }
            Term::Merged(parts, _) => parts.iter().flatten().map(|t| self.term_depth(*t)).max().unwrap_or(0),
            Term::Scalar(block, t) | Term::List(block, t) => {
                self.block_depth(*block).max(self.term_depth(*t))
            }
            Term::Opaque { columns, .. } => {
                columns.iter().map(|(_, t)| self.term_depth(*t)).max().unwrap_or(0)
            }
        };
        inside + 1
    }

    fn depth_of_formula(&self, formula: &Formula) -> u32 {
        let inside = match formula {
            Formula::True | Formula::False => return 1,
            Formula::And(parts) | Formula::Or(parts) => {
                parts.iter().map(|f| self.formula_depth(*f)).max().unwrap_or(0)
            }
            Formula::Literal { atom, negated: _ } => match atom {
                Atom::Missing(t) | Atom::Text(t, _) | Atom::Value(t, _, _) | Atom::True(t) => {
                    self.term_depth(*t)
                }
                Atom::Pair(_, a, b) | Atom::TextPair(a, _, b) => self.term_depth(*a).max(self.term_depth(*b)),
                Atom::InBlock(pairs, block, _) => pairs
                    .iter()
                    .map(|(a, b)| self.term_depth(*a).max(self.term_depth(*b)))
                    .max()
                    .unwrap_or(0)
                    .max(self.block_depth(*block)),
            },
        };
        inside + 1
    }

    fn depth_of_block(&self, block: &Block) -> u32 {
        let blocks = |ids: &[BlockId]| ids.iter().map(|b| self.block_depth(*b)).max().unwrap_or(0);
        let terms = |ids: &[TermId]| ids.iter().map(|t| self.term_depth(*t)).max().unwrap_or(0);
        let inside = match &block.source {
            Source::Unit => 0,
            Source::Scan { args, over, .. } => over.map_or(0, |b| self.block_depth(b)).max(terms(args)),
            Source::Values(rows) => rows.iter().map(|r| terms(r)).max().unwrap_or(0),
            Source::Join { left, right, on, .. } => on
                .iter()
                .map(|(a, b)| self.term_depth(*a).max(self.term_depth(*b)))
                .max()
                .unwrap_or(0)
                .max(blocks(&[*left, *right])),
            Source::Aggregate { input, keys, .. } => self.block_depth(*input).max(terms(keys)),
            Source::Distinct { input, columns } => self.block_depth(*input).max(terms(columns)),
            Source::Union { inputs } => blocks(inputs),
            Source::Top { input, count, keys, .. } => keys
                .iter()
                .map(|k| self.term_depth(k.0))
                .max()
                .unwrap_or(0)
                .max(self.block_depth(*input))
                .max(self.term_depth(*count)),
            Source::Other { inputs, args, conditions, .. } => conditions
                .iter()
                .map(|f| self.formula_depth(*f))
                .max()
                .unwrap_or(0)
                .max(blocks(inputs))
                .max(terms(args)),
        };
        inside.max(self.formula_depth(block.filter)) + 1
    }

    pub fn constant(&mut self, value: Constant) -> TermId {
        self.term(Term::Constant(value))
    }

    pub fn truth(&mut self, value: bool) -> FormulaId {
        self.formula(if value { Formula::True } else { Formula::False })
    }

    pub fn literal(&mut self, atom: Atom, negated: bool) -> FormulaId {
        let (index, new) = self.formulas.insert_full(Formula::Literal { atom, negated });
        let made = FormulaId(id(index));
        if new {
            let depth = self.formulas.get_index(index).map_or(0, |f| self.depth_of_formula(f));
            // Both ways at once, so that each knows the other.
            let other = match self.formulas.get_index(index) {
                Some(Formula::Literal { atom, negated }) => {
                    Formula::Literal { atom: atom.clone(), negated: !*negated }
                }
                _ => Formula::False,
            };
            let other = FormulaId(id(self.formulas.insert_full(other).0));
            self.formula_depths.extend([depth, depth]);
            self.negations.extend([other, made]);
        }
        made
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
        self.connect(&mut parts.into_iter(), and)
    }

    fn connect(&mut self, parts: &mut dyn Iterator<Item = FormulaId>, and: bool) -> FormulaId {
        let mut flat = Vec::new();
        let mut nested = false;
        for part in parts {
            match (self.get_formula(part), and) {
                (Formula::True, true) | (Formula::False, false) => {}
                (Formula::False, true) => return self.truth(false),
                (Formula::True, false) => return self.truth(true),
                (Formula::And(inner), true) | (Formula::Or(inner), false) => {
                    flat.extend_from_slice(inner);
                    nested = true;
                }
                (Formula::And(_), false) | (Formula::Or(_), true) => {
                    flat.push(part);
                    nested = true;
                }
                (Formula::Literal { .. }, _) => flat.push(part),
            }
        }
        flat.sort_unstable();
        flat.dedup();
        let opposite = |part: &FormulaId| {
            let other = self.negations.get(part.0 as usize).copied().unwrap_or(*part);
            other != *part && flat.binary_search(&other).is_ok()
        };
        if flat.iter().any(opposite) {
            return self.truth(!and);
        }
        if nested && flat.len() > 1 {
            // `a and (b or not a)` is `a and b`.
            if let Some(parts) = self.resolved(&flat, and) {
                return self.connective(parts, and);
            }
            // `a or (a and b)` is `a`.
            let absorbed = |part: &FormulaId| match (self.get_formula(*part), and) {
                (Formula::And(inner), false) | (Formula::Or(inner), true) => {
                    inner.iter().any(|i| flat.binary_search(i).is_ok())
                }
                (Formula::And(_), true)
                | (Formula::Or(_), false)
                | (Formula::True | Formula::False | Formula::Literal { .. }, _) => false,
            };
            let drop: Vec<bool> = flat.iter().map(absorbed).collect();
            let mut at = drop.iter();
            flat.retain(|_| at.next() != Some(&true));
        }
        if flat.len() > 1 {
            self.drop_presence(&mut flat, and);
        }
        match flat.as_slice() {
            [] => self.truth(and),
            [one] => *one,
            _ => self.formula(if and { Formula::And(flat.into()) } else { Formula::Or(flat.into()) }),
        }
    }

    /// The parts without what other parts rule out; `None` where there is no such thing.
    fn resolved(&mut self, flat: &[FormulaId], and: bool) -> Option<Vec<FormulaId>> {
        let ruled_out = |this: &Self, inner: &FormulaId| {
            let other = this.negations.get(inner.0 as usize).copied().unwrap_or(*inner);
            other != *inner && flat.binary_search(&other).is_ok()
        };
        let mut made = Vec::new();
        for (n, part) in flat.iter().enumerate() {
            let inner = match (self.get_formula(*part), and) {
                (Formula::And(inner), false) | (Formula::Or(inner), true) => inner,
                _ => continue,
            };
            if inner.iter().any(|i| ruled_out(self, i)) {
                let kept: Vec<FormulaId> = inner.iter().copied().filter(|i| !ruled_out(self, i)).collect();
                made.push((n, kept));
            }
        }
        if made.is_empty() {
            return None;
        }
        let mut parts = flat.to_vec();
        for (n, kept) in made {
            let part = self.connective(kept, !and);
            if let Some(slot) = parts.get_mut(n) {
                *slot = part;
            }
        }
        Some(parts)
    }

    /// `x is there and x has "a"` is `x has "a"`, as an atom fails where its term is missing; `x is not empty` likewise; and the
    /// same of their opposites.
    fn drop_presence(&self, flat: &mut Vec<FormulaId>, and: bool) {
        let presence = |part: FormulaId| match self.get_formula(part) {
            Formula::Literal { atom: Atom::Missing(term), negated } if *negated == and => {
                Some((*term, false))
            }
            Formula::Literal { atom: Atom::Text(term, Language::Equals(text, _)), negated }
                if *negated == and && text.is_empty() =>
            {
                Some((*term, true))
            }
            _ => None,
        };
        if flat.iter().all(|part| presence(*part).is_none()) {
            return;
        }
        let needed: Vec<bool> = flat
            .iter()
            .map(|part| {
                presence(*part).is_none_or(|asked| {
                    !flat.iter().any(|other| part != other && self.needs(*other, asked, and))
                })
            })
            .collect();
        let mut at = needed.iter();
        flat.retain(|_| at.next() == Some(&true));
    }

    /// Whether a formula fails (with `false`: holds) wherever a term is missing, or (with the flag) the empty text.
    fn needs(&self, formula: FormulaId, asked: (TermId, bool), fails: bool) -> bool {
        let (term, empty) = asked;
        match self.get_formula(formula) {
            Formula::Literal { atom, negated } => {
                *negated != fails
                    && match atom {
                        Atom::Text(t, language) => {
                            let takes_empty = match language {
                                Language::Equals(text, _) => text.is_empty(),
                                Language::Regex(..) => true,
                                Language::Contains(..)
                                | Language::StartsWith(..)
                                | Language::EndsWith(..)
                                | Language::Term(..)
                                | Language::TermPrefix(..)
                                | Language::TermSuffix(..)
                                | Language::Glob(..)
                                | Language::Cidr(_) => false,
                            };
                            *t == term && !(empty && takes_empty)
                        }
                        Atom::Value(t, _, _) | Atom::True(t) => *t == term && !empty,
                        Atom::Pair(_, a, b) | Atom::TextPair(a, _, b) => (*a == term || *b == term) && !empty,
                        // A missing text is looked up as the empty one.
                        Atom::InBlock(..) | Atom::Missing(_) => false,
                    }
            }
            // One part that fails is enough for an `and`, all must for an `or`.
            Formula::And(parts) if fails => parts.iter().any(|p| self.needs(*p, asked, fails)),
            Formula::Or(parts) if !fails => parts.iter().any(|p| self.needs(*p, asked, fails)),
            Formula::And(parts) | Formula::Or(parts) => parts.iter().all(|p| self.needs(*p, asked, fails)),
            Formula::True | Formula::False => false,
        }
    }

    /// The formula that holds where this one does not.
    pub fn not(&mut self, formula: FormulaId) -> FormulaId {
        match self.get_formula(formula) {
            Formula::True => self.truth(false),
            Formula::False => self.truth(true),
            Formula::Literal { .. } => self.negations.get(formula.0 as usize).copied().unwrap_or(formula),
            Formula::And(parts) => {
                let parts = parts.clone();
                let parts: Vec<_> = parts.iter().map(|p| self.not(*p)).collect();
                self.or(parts)
            }
            Formula::Or(parts) => {
                let parts = parts.clone();
                let parts: Vec<_> = parts.iter().map(|p| self.not(*p)).collect();
                self.and(parts)
            }
        }
    }
}
