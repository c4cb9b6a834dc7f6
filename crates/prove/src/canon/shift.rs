//! Terms and formulas from one space to another.
//!
//! In: a node and what becomes of the values that its space reads. Out: the node with these put in, in its one form again.

use super::{Canon, Made};
use crate::formula::{Atom, Formula, FormulaId};
use crate::term::{Term, TermId};
use ruleferry_ir::Type;
use rustc_hash::FxHashMap;

/// What a space reads, as bits.
pub(super) mod reads {
    pub const LEFT: u8 = 1;
    pub const RIGHT: u8 = 2;
    /// A left value of a type whose equal values may look different (`1.0` and `1.00`).
    pub const LOOSE: u8 = 8;
    /// A column of a table, or of a third input.
    pub const OWN: u8 = 16;
    /// What a source makes.
    pub const MADE: u8 = 32;
    /// A column of a union.
    pub const MERGED: u8 = 64;
    /// Something that may not move.
    pub const FIXED: u8 = 128;
}

/// What a source's space became when the plan was brought to its end.
#[derive(Clone, Debug)]
pub(super) enum Remap {
    Same,
    /// The one input, whose values stand in what the source makes, too.
    One(Box<Remap>),
    Sides {
        swapped: bool,
        left: Box<Remap>,
        right: Box<Remap>,
    },
    /// Which inputs are left, in their new order.
    Union {
        order: Vec<usize>,
        each: Vec<Remap>,
    },
}

impl Remap {
    pub fn one(inner: Self) -> Self {
        if matches!(inner, Self::Same) { Self::Same } else { Self::One(Box::new(inner)) }
    }

    pub fn sides(swapped: bool, left: Self, right: Self) -> Self {
        if !swapped && matches!(left, Self::Same) && matches!(right, Self::Same) {
            return Self::Same;
        }
        Self::Sides { swapped, left: Box::new(left), right: Box::new(right) }
    }
}

/// What to put in.
pub(super) enum Shift<'s> {
    /// The values of this input as they stand there.
    Open(u32),
    /// The values of this input of a union.
    Branch(usize),
    /// No value for this input.
    Null(u32),
    /// Terms for terms; nothing else of the space may be read.
    Replace(&'s [(TermId, TermId)]),
    /// The cells of one of several literal rows.
    Cells(&'s [TermId]),
    Remap(&'s Remap),
}

type Memo = FxHashMap<TermId, Option<TermId>>;

impl Canon<'_, '_> {
    /// What of its space a term reads.
    pub fn reads(&mut self, term: TermId) -> u8 {
        if let Some(known) = self.reads.get(&term) {
            return *known;
        }
        let mut found = 0;
        match self.arena.get(term).clone() {
            Term::Constant(_) | Term::Now | Term::Scalar(..) | Term::List(..) => {}
            Term::Column { .. } | Term::Event => found |= reads::OWN,
            Term::Input(side, inner) => {
                found |= match side {
                    0 => reads::LEFT,
                    1 => reads::RIGHT,
                    _ => reads::OWN,
                };
                if matches!(self.arena.ty(inner), Type::Real | Type::Decimal | Type::Dynamic | Type::Unknown)
                {
                    found |= reads::LOOSE;
                }
            }
            Term::Call(name, args, _) => {
                if name == "$volatile" || name.starts_with("$window:") {
                    found |= reads::FIXED;
                }
                for arg in &args {
                    found |= self.reads(*arg);
                }
            }
            Term::Arithmetic(_, a, b, _) | Term::Index(a, b) => found |= self.reads(a) | self.reads(b),
            Term::Negate(t) | Term::Cast(t, _) | Term::Member(t, _) => found |= self.reads(t),
            Term::Case(branches, otherwise) => {
                found |= self.reads(otherwise);
                for (condition, value) in &branches {
                    found |= self.formula_reads(*condition) | self.reads(*value);
                }
            }
            Term::Truth { holds, fails } => found |= self.formula_reads(holds) | self.formula_reads(fails),
            Term::Made { .. } => found |= reads::MADE,
            Term::Merged(..) => found |= reads::MERGED,
            Term::Opaque { .. } => found |= reads::FIXED,
        }
        self.reads.insert(term, found);
        found
    }

    pub fn formula_reads(&mut self, formula: FormulaId) -> u8 {
        let atom = match self.arena.get_formula(formula).clone() {
            Formula::True | Formula::False => return 0,
            Formula::And(parts) | Formula::Or(parts) => {
                return parts.iter().fold(0, |found, part| found | self.formula_reads(*part));
            }
            Formula::Literal { atom, negated: _ } => atom,
        };
        match atom {
            Atom::Missing(t) | Atom::Text(t, _) | Atom::Value(t, _, _) | Atom::True(t) => self.reads(t),
            Atom::Pair(_, a, b) | Atom::TextPair(a, _, b) => self.reads(a) | self.reads(b),
            Atom::InBlock(pairs, ..) => pairs.iter().fold(0, |found, (here, _)| found | self.reads(*here)),
        }
    }

    /// The values of the left input that a formula reads.
    pub fn left_values(&self, formula: FormulaId, found: &mut Vec<TermId>) {
        match self.arena.get_formula(formula) {
            Formula::True | Formula::False => {}
            Formula::And(parts) | Formula::Or(parts) => {
                parts.iter().for_each(|p| self.left_values(*p, found))
            }
            Formula::Literal { atom, negated: _ } => match atom {
                Atom::Missing(t) | Atom::Text(t, _) | Atom::Value(t, _, _) | Atom::True(t) => {
                    self.left_values_of(*t, found);
                }
                Atom::Pair(_, a, b) | Atom::TextPair(a, _, b) => {
                    self.left_values_of(*a, found);
                    self.left_values_of(*b, found);
                }
                Atom::InBlock(pairs, ..) => pairs.iter().for_each(|p| self.left_values_of(p.0, found)),
            },
        }
    }

    pub fn left_values_of(&self, term: TermId, found: &mut Vec<TermId>) {
        match self.arena.get(term) {
            Term::Input(0, inner) => found.push(*inner),
            Term::Call(_, args, _) => args.iter().for_each(|t| self.left_values_of(*t, found)),
            Term::Arithmetic(_, a, b, _) | Term::Index(a, b) => {
                self.left_values_of(*a, found);
                self.left_values_of(*b, found);
            }
            Term::Negate(t) | Term::Cast(t, _) | Term::Member(t, _) => self.left_values_of(*t, found),
            Term::Case(branches, otherwise) => {
                for (condition, value) in branches {
                    self.left_values(*condition, found);
                    self.left_values_of(*value, found);
                }
                self.left_values_of(*otherwise, found);
            }
            Term::Truth { holds, fails } => {
                self.left_values(*holds, found);
                self.left_values(*fails, found);
            }
            Term::Constant(_)
            | Term::Column { .. }
            | Term::Event
            | Term::Now
            | Term::Input(..)
            | Term::Made { .. }
            | Term::Merged(..)
            | Term::Scalar(..)
            | Term::List(..)
            | Term::Opaque { .. } => {}
        }
    }

    /// A term elsewhere; `None` where it cannot stand there.
    pub fn shifted(&mut self, term: TermId, shift: &Shift<'_>) -> Made<Option<TermId>> {
        self.shift(term, shift, &mut Memo::default())
    }

    pub fn shifted_formula(&mut self, formula: FormulaId, shift: &Shift<'_>) -> Made<Option<FormulaId>> {
        self.shift_formula(formula, shift, &mut Memo::default())
    }

    pub fn remapped(&mut self, term: TermId, remap: &Remap) -> Made<TermId> {
        if matches!(remap, Remap::Same) {
            return Ok(term);
        }
        Ok(self.shifted(term, &Shift::Remap(remap))?.unwrap_or(term))
    }

    pub fn remapped_formula(&mut self, formula: FormulaId, remap: &Remap) -> Made<FormulaId> {
        if matches!(remap, Remap::Same) {
            return Ok(formula);
        }
        Ok(self.shifted_formula(formula, &Shift::Remap(remap))?.unwrap_or(formula))
    }

    fn shift(&mut self, term: TermId, shift: &Shift<'_>, memo: &mut Memo) -> Made<Option<TermId>> {
        if let Some(known) = memo.get(&term) {
            return Ok(*known);
        }
        let made = self.deeper(|this| this.shift_inside(term, shift, memo))?;
        memo.insert(term, made);
        Ok(made)
    }

    fn shift_all(
        &mut self,
        terms: &[TermId],
        shift: &Shift<'_>,
        memo: &mut Memo,
    ) -> Made<Option<Vec<TermId>>> {
        let mut made = Vec::with_capacity(terms.len());
        for term in terms {
            match self.shift(*term, shift, memo)? {
                Some(term) => made.push(term),
                None => return Ok(None),
            }
        }
        Ok(Some(made))
    }

    fn shift_inside(&mut self, term: TermId, shift: &Shift<'_>, memo: &mut Memo) -> Made<Option<TermId>> {
        if let Shift::Replace(pairs) = shift
            && let Some((_, by)) = pairs.iter().find(|(from, _)| *from == term)
        {
            return Ok(Some(*by));
        }
        let node = self.arena.get(term).clone();
        match node {
            Term::Constant(_) | Term::Now | Term::Scalar(..) | Term::List(..) => Ok(Some(term)),
            Term::Column { name, .. } => Ok(match shift {
                Shift::Cells(cells) => {
                    let place = name.strip_prefix('$').and_then(|n| n.parse::<usize>().ok());
                    place.and_then(|n| cells.get(n).copied())
                }
                Shift::Replace(_) => None,
                Shift::Open(_) | Shift::Branch(_) | Shift::Null(_) | Shift::Remap(_) => Some(term),
            }),
            Term::Event => Ok(match shift {
                Shift::Replace(_) | Shift::Cells(_) => None,
                Shift::Open(_) | Shift::Branch(_) | Shift::Null(_) | Shift::Remap(_) => Some(term),
            }),
            Term::Input(side, inner) => self.shift_input(term, side, inner, shift),
            Term::Made { .. } => match shift {
                Shift::Remap(Remap::One(inner)) => self.remade(term, inner).map(Some),
                Shift::Remap(_) => Ok(Some(term)),
                Shift::Open(_) | Shift::Branch(_) | Shift::Null(_) | Shift::Replace(_) | Shift::Cells(_) => {
                    Ok(None)
                }
            },
            Term::Merged(parts, ty) => match shift {
                Shift::Branch(n) => {
                    let null = self.arena.constant(crate::term::Constant::Null(ty));
                    Ok(Some(parts.get(*n).copied().flatten().unwrap_or(null)))
                }
                Shift::Remap(Remap::Union { order, each }) => {
                    let mut made = Vec::with_capacity(order.len());
                    for n in order {
                        made.push(match parts.get(*n).copied().flatten() {
                            Some(part) => Some(self.remapped(part, each.get(*n).unwrap_or(&Remap::Same))?),
                            None => None,
                        });
                    }
                    Ok(Some(self.merged(made, ty)))
                }
                Shift::Remap(_) => Ok(Some(term)),
                Shift::Open(_) | Shift::Null(_) | Shift::Replace(_) | Shift::Cells(_) => Ok(None),
            },
            Term::Call(name, args, ty) => {
                let Some(args) = self.shift_all(&args, shift, memo)? else { return Ok(None) };
                match self.function(&name) {
                    Some(function) => self.call(function, args, ty).map(Some),
                    None => Ok(Some(self.opaque_call(name, args, ty))),
                }
            }
            Term::Arithmetic(op, a, b, ty) => {
                let (a, b) = (self.shift(a, shift, memo)?, self.shift(b, shift, memo)?);
                match (a, b) {
                    (Some(a), Some(b)) => self.arithmetic(op, a, b, ty).map(Some),
                    _ => Ok(None),
                }
            }
            Term::Index(a, b) => {
                let (a, b) = (self.shift(a, shift, memo)?, self.shift(b, shift, memo)?);
                Ok(a.zip(b).map(|(a, b)| self.index(a, b)))
            }
            Term::Negate(inner) => {
                let ty = self.arena.ty(inner);
                Ok(self.shift(inner, shift, memo)?.map(|t| self.negate(t, ty)))
            }
            Term::Cast(inner, to) => Ok(self.shift(inner, shift, memo)?.map(|t| self.cast(t, to))),
            Term::Member(inner, name) => Ok(self.shift(inner, shift, memo)?.map(|t| self.member(t, &name))),
            Term::Case(branches, otherwise) => {
                let mut made = Vec::with_capacity(branches.len());
                for (condition, value) in &branches {
                    let condition = self.shift_formula(*condition, shift, memo)?;
                    let value = self.shift(*value, shift, memo)?;
                    let Some(branch) = condition.zip(value) else { return Ok(None) };
                    made.push(branch);
                }
                match self.shift(otherwise, shift, memo)? {
                    Some(otherwise) => self.case(made, otherwise).map(Some),
                    None => Ok(None),
                }
            }
            Term::Truth { holds, fails } => {
                let holds = self.shift_formula(holds, shift, memo)?;
                let fails = self.shift_formula(fails, shift, memo)?;
                Ok(holds.zip(fails).map(|(h, f)| self.truth(h, f)))
            }
            Term::Opaque { language, text, columns, ty } => {
                let mut made = Vec::with_capacity(columns.len());
                for (name, column) in columns {
                    let Some(column) = self.shift(column, shift, memo)? else { return Ok(None) };
                    made.push((name, column));
                }
                Ok(Some(self.arena.term(Term::Opaque { language, text, columns: made.into(), ty })))
            }
        }
    }

    fn shift_input(
        &mut self,
        term: TermId,
        side: u32,
        inner: TermId,
        shift: &Shift<'_>,
    ) -> Made<Option<TermId>> {
        Ok(Some(match shift {
            Shift::Open(of) => {
                if *of != side {
                    return Ok(None);
                }
                inner
            }
            Shift::Null(of) if *of == side => {
                self.arena.constant(crate::term::Constant::Null(self.arena.ty(inner)))
            }
            Shift::Null(_) => term,
            Shift::Branch(_) | Shift::Replace(_) | Shift::Cells(_) => return Ok(None),
            Shift::Remap(Remap::Same | Remap::Union { .. }) => term,
            Shift::Remap(Remap::One(one)) => {
                let inner = if side == 0 { self.remapped(inner, one)? } else { inner };
                self.arena.term(Term::Input(side, inner))
            }
            Shift::Remap(Remap::Sides { swapped, left, right }) => {
                let inner = self.remapped(inner, if side == 0 { left } else { right })?;
                let side = if *swapped { 1 - side.min(1) } else { side };
                self.arena.term(Term::Input(side, inner))
            }
        }))
    }

    /// What a source makes, over its moved input.
    fn remade(&mut self, term: TermId, remap: &Remap) -> Made<TermId> {
        let Term::Made { what, args, conditions, part, ty } = self.arena.get(term).clone() else {
            return Ok(term);
        };
        let mut new_args = Vec::with_capacity(args.len());
        for arg in &args {
            new_args.push(self.remapped(*arg, remap)?);
        }
        let mut new_conditions = Vec::with_capacity(conditions.len());
        for condition in &conditions {
            new_conditions.push(self.remapped_formula(*condition, remap)?);
        }
        let (args, conditions) = (new_args.into(), new_conditions.into());
        Ok(self.arena.term(Term::Made { what, args, conditions, part, ty }))
    }

    /// A column of a union.
    pub fn merged(&mut self, parts: Vec<Option<TermId>>, ty: Type) -> TermId {
        if let [Some(only)] = parts.as_slice() {
            return *only;
        }
        let constant = parts.first().copied().flatten().filter(|t| self.known(*t).is_some());
        if let Some(first) = constant
            && parts.iter().all(|p| *p == Some(first))
        {
            return first;
        }
        self.arena.term(Term::Merged(parts.into(), ty))
    }

    fn shift_formula(
        &mut self,
        formula: FormulaId,
        shift: &Shift<'_>,
        memo: &mut Memo,
    ) -> Made<Option<FormulaId>> {
        let (atom, negated) = match self.arena.get_formula(formula).clone() {
            Formula::True | Formula::False => return Ok(Some(formula)),
            Formula::And(parts) => {
                let parts = self.shift_formulas(&parts, shift, memo)?;
                return Ok(parts.map(|p| self.arena.and(p)));
            }
            Formula::Or(parts) => {
                let parts = self.shift_formulas(&parts, shift, memo)?;
                return Ok(parts.map(|p| self.arena.or(p)));
            }
            Formula::Literal { atom, negated } => (atom, negated),
        };
        let made = match atom {
            Atom::Missing(t) => self.shift(t, shift, memo)?.map(|t| self.missing(t)),
            Atom::Text(t, language) => self.shift(t, shift, memo)?.map(|t| self.text(t, language)),
            Atom::True(t) => self.shift(t, shift, memo)?.map(|t| self.is_true(t)),
            Atom::Value(t, op, c) => {
                let c = self.arena.constant(c);
                self.shift(t, shift, memo)?.map(|t| self.strict(op, t, c))
            }
            Atom::Pair(op, a, b) => {
                let (a, b) = (self.shift(a, shift, memo)?, self.shift(b, shift, memo)?);
                a.zip(b).map(|(a, b)| self.strict(op, a, b))
            }
            Atom::TextPair(a, relation, b) => {
                let (a, b) = (self.shift(a, shift, memo)?, self.shift(b, shift, memo)?);
                a.zip(b).map(|(a, b)| self.text_pair(a, relation, b))
            }
            Atom::InBlock(pairs, block, case) => {
                let mut made = Vec::with_capacity(pairs.len());
                for (here, there) in &pairs {
                    let Some(here) = self.shift(*here, shift, memo)? else { return Ok(None) };
                    made.push((self.unfilled(here), *there));
                }
                made.sort_unstable();
                Some(self.arena.atom(Atom::InBlock(made.into(), block, case)))
            }
        };
        Ok(made.map(|f| if negated { self.arena.not(f) } else { f }))
    }

    fn shift_formulas(
        &mut self,
        parts: &[FormulaId],
        shift: &Shift<'_>,
        memo: &mut Memo,
    ) -> Made<Option<Vec<FormulaId>>> {
        let mut made = Vec::with_capacity(parts.len());
        for part in parts {
            match self.shift_formula(*part, shift, memo)? {
                Some(part) => made.push(part),
                None => return Ok(None),
            }
        }
        Ok(Some(made))
    }
}
