//! A plan on its way: blocks whose filters still sink, and how they come to rest.
//!
//! In: sources and conditions. Out: a [`Block`], and what became of the space of the source ([`Remap`]): sides of a join may
//! have changed places, inputs of a union their order.

use super::shift::{Remap, Shift, reads};
use super::{Canon, Made};
use crate::block::{Block, BlockId, Source};
use crate::formula::{Formula, FormulaId};
use crate::term::{Constant, Term, TermId};
use ruleferry_ir::{JoinKind, Type};
use smol_str::SmolStr;

#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub node: Node,
    pub filter: FormulaId,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    /// A source through which no filter sinks.
    Leaf(Source),
    /// `Inner`, `InnerUnique`, `LeftOuter` or `FullOuter`: the others are made of these and of filters.
    Join {
        kind: JoinKind,
        left: Box<Draft>,
        right: Box<Draft>,
        on: Vec<(TermId, TermId)>,
    },
    Aggregate {
        input: Box<Draft>,
        keys: Vec<TermId>,
        scalar: bool,
    },
    Union {
        inputs: Vec<Draft>,
    },
    /// Several rows of each row, which depend on that row alone.
    Each {
        what: SmolStr,
        input: Box<Draft>,
        args: Vec<TermId>,
        texts: Vec<SmolStr>,
    },
}

impl Draft {
    /// How many sources there are.
    pub fn size(&self) -> usize {
        1 + match &self.node {
            Node::Leaf(_) => 0,
            Node::Join { left, right, .. } => left.size().saturating_add(right.size()),
            Node::Aggregate { input, .. } | Node::Each { input, .. } => input.size(),
            Node::Union { inputs } => inputs.iter().fold(0, |n, d| d.size().saturating_add(n)),
        }
    }
}

impl Canon<'_, '_> {
    pub fn draft(&mut self, node: Node) -> Draft {
        Draft { node, filter: self.arena.truth(true) }
    }

    /// What a value is in each of some literal rows; `None` where the rows are not all known.
    pub fn literal_column(&mut self, draft: &Draft, value: TermId) -> Made<Option<Vec<TermId>>> {
        let rows: Vec<Vec<TermId>> = match &draft.node {
            Node::Leaf(Source::Values(rows)) => rows.iter().map(|r| r.to_vec()).collect(),
            Node::Leaf(Source::Unit) => vec![Vec::new()],
            Node::Leaf(_)
            | Node::Join { .. }
            | Node::Aggregate { .. }
            | Node::Union { .. }
            | Node::Each { .. } => {
                return Ok(None);
            }
        };
        let mut values = Vec::with_capacity(rows.len());
        for row in &rows {
            let kept = self.shifted_formula(draft.filter, &Shift::Cells(row))?;
            if kept.is_some_and(|f| self.is_constant(f, false)) {
                continue;
            }
            let value = self.shifted(value, &Shift::Cells(row))?;
            match (kept, value) {
                (Some(kept), Some(value)) if self.is_constant(kept, true) && self.known(value).is_some() => {
                    values.push(value);
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(values))
    }

    /// Lets a condition sink as far as it may.
    pub fn push(&mut self, draft: &mut Draft, condition: FormulaId) -> Made<()> {
        match self.arena.get_formula(condition).clone() {
            Formula::True => Ok(()),
            Formula::And(parts) => parts.iter().try_for_each(|part| self.push(draft, *part)),
            Formula::False | Formula::Or(_) | Formula::Literal { .. } => {
                self.deeper(|this| this.push_one(draft, condition))
            }
        }
    }

    fn keep(&mut self, draft: &mut Draft, condition: FormulaId) {
        draft.filter = self.arena.and([draft.filter, condition]);
    }

    fn push_into(&mut self, draft: &mut Draft, condition: FormulaId, shift: &Shift<'_>) -> Made<bool> {
        let Some(inside) = self.shifted_formula(condition, shift)? else { return Ok(false) };
        self.used("filter-down");
        self.push(draft, inside)?;
        Ok(true)
    }

    fn push_one(&mut self, draft: &mut Draft, condition: FormulaId) -> Made<()> {
        let found = self.formula_reads(condition);
        let left_only = found & !(reads::LEFT | reads::LOOSE) == 0;
        let right_only = found & !(reads::RIGHT | reads::LOOSE) == 0 && found != 0;
        let sunk = match &mut draft.node {
            Node::Leaf(_) => false,
            Node::Aggregate { input, keys: _, scalar } => {
                !*scalar && found & !reads::LEFT == 0 && self.push_into(input, condition, &Shift::Open(0))?
            }
            Node::Each { input, .. } => left_only && self.push_into(input, condition, &Shift::Open(0))?,
            Node::Union { inputs } => {
                found & !reads::MERGED == 0 && {
                    let mut branches = Vec::with_capacity(inputs.len());
                    for n in 0..inputs.len() {
                        branches.push(self.shifted_formula(condition, &Shift::Branch(n))?);
                    }
                    let all: Option<Vec<FormulaId>> = branches.into_iter().collect();
                    match all {
                        Some(all) => {
                            self.used("filter-down");
                            for (input, inside) in inputs.iter_mut().zip(all) {
                                self.push(input, inside)?;
                            }
                            true
                        }
                        None => false,
                    }
                }
            }
            Node::Join { kind, left, right, on } => match kind {
                JoinKind::Inner if left_only => self.push_into(left, condition, &Shift::Open(0))?,
                JoinKind::Inner | JoinKind::InnerUnique if right_only => {
                    self.push_into(right, condition, &Shift::Open(1))?
                }
                // Whole keys only: of a key one row was kept.
                JoinKind::InnerUnique if found & !reads::LEFT == 0 => {
                    let mut values = Vec::new();
                    self.left_values(condition, &mut values);
                    values.iter().all(|v| on.iter().any(|(l, _)| l == v))
                        && self.push_into(left, condition, &Shift::Open(0))?
                }
                JoinKind::LeftOuter if left_only => self.push_into(left, condition, &Shift::Open(0))?,
                JoinKind::LeftOuter => {
                    let without = self.shifted_formula(condition, &Shift::Null(1))?;
                    if without.is_some_and(|f| self.is_constant(f, false)) {
                        self.used("outer-join-as-inner");
                        *kind = JoinKind::Inner;
                        let before = std::mem::replace(&mut draft.filter, self.arena.truth(true));
                        self.push(draft, before)?;
                        return self.push(draft, condition);
                    }
                    false
                }
                JoinKind::Inner
                | JoinKind::InnerUnique
                | JoinKind::RightOuter
                | JoinKind::FullOuter
                | JoinKind::LeftSemi
                | JoinKind::RightSemi
                | JoinKind::LeftAnti
                | JoinKind::RightAnti => false,
            },
        };
        if !sunk {
            self.keep(draft, condition);
        }
        Ok(())
    }

    pub fn is_empty_block(&self, block: BlockId) -> bool {
        self.arena.get_block(block).is_some_and(|b| {
            matches!(self.arena.get_formula(b.filter), Formula::False)
                || matches!(&b.source, Source::Values(rows) if rows.is_empty())
        })
    }

    fn nothing(&mut self) -> BlockId {
        let filter = self.arena.truth(true);
        self.arena.block(Block { source: Source::Values([].into()), filter })
    }

    /// The block of a draft, and what became of its space.
    pub fn finished(&mut self, draft: Draft) -> Made<(BlockId, Remap)> {
        self.deeper(|this| this.finished_inside(draft))
    }

    fn finished_inside(&mut self, draft: Draft) -> Made<(BlockId, Remap)> {
        if self.is_constant(draft.filter, false) {
            return Ok((self.nothing(), Remap::Same));
        }
        let filter = draft.filter;
        let (source, remap) = match draft.node {
            Node::Leaf(source) => (source, Remap::Same),
            Node::Aggregate { input, keys, scalar } => {
                let (input, inner) = self.finished(*input)?;
                if !scalar && self.is_empty_block(input) {
                    return Ok((self.nothing(), Remap::Same));
                }
                let mut made = Vec::with_capacity(keys.len());
                for key in keys {
                    made.push(self.remapped(key, &inner)?);
                }
                made.sort_unstable();
                made.dedup();
                (Source::Aggregate { input, keys: made.into(), scalar }, Remap::one(inner))
            }
            Node::Each { what, input, args, texts } => {
                let (input, inner) = self.finished(*input)?;
                if self.is_empty_block(input) {
                    return Ok((self.nothing(), Remap::Same));
                }
                let mut made = Vec::with_capacity(args.len());
                for arg in args {
                    made.push(self.remapped(arg, &inner)?);
                }
                let source = Source::Other {
                    what,
                    inputs: [input].into(),
                    args: made.into(),
                    conditions: [].into(),
                    texts: texts.into(),
                };
                (source, Remap::one(inner))
            }
            Node::Union { inputs } => return self.finished_union(inputs, filter),
            Node::Join { kind, left, right, on } => {
                let (mut left, mut right) = (*left, *right);
                if kind == JoinKind::Inner {
                    self.transfer(&mut left, &mut right, &on)?;
                }
                self.finished_join(kind, left, right, on)?
            }
        };
        if let Source::Join { kind, left, right, .. } = &source {
            let (l, r) = (self.is_empty_block(*left), self.is_empty_block(*right));
            let empty = match kind {
                JoinKind::Inner | JoinKind::InnerUnique => l || r,
                JoinKind::LeftOuter => l,
                _ => l && r,
            };
            if empty {
                return Ok((self.nothing(), Remap::Same));
            }
        }
        let filter = self.remapped_formula(filter, &remap)?;
        Ok((self.arena.block(Block { source, filter }), remap))
    }

    fn finished_join(
        &mut self,
        kind: JoinKind,
        left: Draft,
        right: Draft,
        on: Vec<(TermId, TermId)>,
    ) -> Made<(Source, Remap)> {
        let (mut left, left_map) = self.finished(left)?;
        let (mut right, right_map) = self.finished(right)?;
        let mut pairs = Vec::with_capacity(on.len());
        for (l, r) in on {
            pairs.push((self.remapped(l, &left_map)?, self.remapped(r, &right_map)?));
        }
        pairs.sort_unstable();
        pairs.dedup();
        let mut other: Vec<(TermId, TermId)> = pairs.iter().map(|(l, r)| (*r, *l)).collect();
        other.sort_unstable();
        let commutes = matches!(kind, JoinKind::Inner | JoinKind::FullOuter);
        let swapped = commutes && (right, &other) < (left, &pairs);
        if swapped {
            self.used("join-sides");
            std::mem::swap(&mut left, &mut right);
            pairs = other;
        }
        let source = Source::Join { kind, left, right, on: pairs.into() };
        Ok((source, Remap::sides(swapped, left_map, right_map)))
    }

    fn finished_union(&mut self, inputs: Vec<Draft>, filter: FormulaId) -> Made<(BlockId, Remap)> {
        let mut made: Vec<(BlockId, usize)> = Vec::with_capacity(inputs.len());
        let mut each = Vec::with_capacity(inputs.len());
        for (n, input) in inputs.into_iter().enumerate() {
            let (block, remap) = self.finished(input)?;
            each.push(remap);
            if self.is_empty_block(block) {
                self.used("union-order");
            } else {
                made.push((block, n));
            }
        }
        if !made.is_sorted() {
            self.used("union-order");
            made.sort_unstable();
        }
        let order = made.iter().map(|(_, n)| *n).collect();
        let remap = Remap::Union { order, each };
        let filter = self.remapped_formula(filter, &remap)?;
        match made.as_slice() {
            [] => Ok((self.nothing(), Remap::Same)),
            [(only, _)] => {
                let Some(block) = self.arena.get_block(*only).cloned() else { return Ok((*only, remap)) };
                let filter = self.arena.and([block.filter, filter]);
                Ok((self.arena.block(Block { source: block.source, filter }), remap))
            }
            _ => {
                let inputs = made.iter().map(|(block, _)| *block).collect();
                Ok((self.arena.block(Block { source: Source::Union { inputs }, filter }), remap))
            }
        }
    }

    /// Rows meet only where their keys are equal: what one side says of its keys holds on the other.
    fn transfer(&mut self, left: &mut Draft, right: &mut Draft, on: &[(TermId, TermId)]) -> Made<()> {
        let on: Vec<(TermId, TermId)> = on
            .iter()
            .copied()
            .filter(|(l, r)| {
                self.arena.ty(*l) == self.arena.ty(*r)
                    && !matches!(
                        self.arena.ty(*l),
                        Type::Real | Type::Decimal | Type::Dynamic | Type::Unknown
                    )
            })
            .collect();
        let back: Vec<(TermId, TermId)> = on.iter().map(|(l, r)| (*r, *l)).collect();
        let mut to_right = self.transferred(left.filter, &on)?;
        let mut to_left = self.transferred(right.filter, &back)?;
        // A key without a value meets nothing; texts always have one.
        for (l, r) in &on {
            if self.arena.ty(*l) != Type::String {
                to_left.push(self.present(*l));
                to_right.push(self.present(*r));
            }
        }
        for condition in to_left {
            self.push(left, condition)?;
        }
        for condition in to_right {
            self.push(right, condition)?;
        }
        Ok(())
    }

    /// The parts of a condition that are about keys only, said of the other side's keys.
    fn transferred(&mut self, filter: FormulaId, on: &[(TermId, TermId)]) -> Made<Vec<FormulaId>> {
        let parts = match self.arena.get_formula(filter).clone() {
            Formula::And(parts) => parts.to_vec(),
            Formula::True | Formula::False => Vec::new(),
            Formula::Or(_) | Formula::Literal { .. } => vec![filter],
        };
        let mut made = Vec::new();
        for part in parts {
            if !self.tells_no_empty(part, on)? {
                continue;
            }
            if let Some(other) = self.shifted_formula(part, &Shift::Replace(on))?
                && !self.is_constant(other, true)
            {
                self.used("filter-across");
                made.push(other);
            }
        }
        Ok(made)
    }

    /// Whether a condition says the same of a missing text and of the empty one, which are equal keys.
    fn tells_no_empty(&mut self, condition: FormulaId, on: &[(TermId, TermId)]) -> Made<bool> {
        let texts: Vec<TermId> =
            on.iter().map(|p| p.0).filter(|t| self.arena.ty(*t) == Type::String).collect();
        for text in texts {
            let null = self.arena.constant(Constant::Null(Type::String));
            let empty = self.arena.constant(Constant::String(SmolStr::default()));
            let put = |by: TermId| on.iter().map(move |p| if p.0 == text { (text, by) } else { (p.0, p.0) });
            let with_null: Vec<_> = put(null).collect();
            let with_empty: Vec<_> = put(empty).collect();
            let a = self.shifted_formula(condition, &Shift::Replace(&with_null))?;
            let b = self.shifted_formula(condition, &Shift::Replace(&with_empty))?;
            if a != b {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
