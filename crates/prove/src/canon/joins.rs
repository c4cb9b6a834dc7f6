//! Rows of several inputs: joins and unions.
//!
//! In: an operator and the canonical form of its inputs. Out: the same in its one form: sides in order, a semi join as a condition, an
//! outer join whose rows without a partner are dropped later as an inner one.

use super::draft::{Draft, Node};
use super::plan::{Order, Rel};
use super::shift::{Shift, reads};
use super::{Canon, Made};
use crate::block::Source;
use crate::term::{Constant, Term, TermId};
use ruleferry_ir::{Case, ColId, Join, JoinKind, Plan, Type, Union};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

impl Canon<'_, '_> {
    pub(super) fn join(&mut self, left: Rel, join: &Join) -> Made<Rel> {
        let right = self.rel(&join.right)?;
        let mut on = Vec::with_capacity(join.on.len());
        for key in &join.on {
            let ty = Type::of_keys(self.query.columns.ty(key.left), self.query.columns.ty(key.right));
            let (l, r) = (self.column(&left, key.left)?, self.column(&right, key.right)?);
            on.push((self.join_key(l, ty), self.join_key(r, ty)));
        }
        on.sort_unstable();
        on.dedup();
        match join.kind {
            JoinKind::LeftSemi => return self.semi(left, right, on, false),
            JoinKind::LeftAnti => return self.semi(left, right, on, true),
            JoinKind::RightSemi | JoinKind::RightAnti => {
                let on = on.into_iter().map(|(l, r)| (r, l)).collect();
                return self.semi(right, left, on, join.kind == JoinKind::RightAnti);
            }
            JoinKind::Inner
            | JoinKind::InnerUnique
            | JoinKind::LeftOuter
            | JoinKind::RightOuter
            | JoinKind::FullOuter => {}
        }
        // The right outer join is the left one of the other side.
        let swapped = join.kind == JoinKind::RightOuter;
        let kind = if swapped { JoinKind::LeftOuter } else { join.kind };
        let (l, r) = if swapped { (1, 0) } else { (0, 1) };
        // Each row has a row of these sides.
        let inner = matches!(kind, JoinKind::Inner | JoinKind::InnerUnique);
        let always = |side: u32| inner || (kind == JoinKind::LeftOuter && side == 0);
        // In an inner join both keys are one value.
        let mut same: FxHashMap<TermId, TermId> = FxHashMap::default();
        if inner {
            for (l, r) in &on {
                if self.is_plain_key(*l) && self.arena.ty(*l) == self.arena.ty(*r) {
                    let (l, r) = (self.arena.term(Term::Input(0, *l)), self.arena.term(Term::Input(1, *r)));
                    same.entry(r).or_insert(l);
                }
            }
        }
        let mut columns: FxHashMap<ColId, TermId> = FxHashMap::default();
        for id in left.output.iter() {
            let term = self.column(&left, *id)?;
            columns.insert(*id, self.side(l, term, always(l)));
        }
        let mut of_right: FxHashMap<ColId, TermId> = FxHashMap::default();
        for id in right.output.iter() {
            let term = self.column(&right, *id)?;
            let term = self.side(r, term, always(r));
            let plain = self.unfilled_input(term);
            let term = same.get(&plain).copied().unwrap_or(term);
            of_right.insert(*id, term);
            columns.entry(*id).or_insert(term);
        }
        for item in &join.right_output {
            if let Some(term) = of_right.get(&item.from) {
                columns.insert(item.to, *term);
            }
        }
        let mut events = Vec::new();
        for (side, of) in [(l, &left.events), (r, &right.events)] {
            for event in of {
                events.push(self.arena.term(Term::Input(side, *event)));
            }
        }
        let (left, right, on) = if swapped {
            (right.draft, left.draft, on.into_iter().map(|(l, r)| (r, l)).collect())
        } else {
            (left.draft, right.draft, on)
        };
        let node = Node::Join { kind, left: Box::new(left), right: Box::new(right), on };
        let mut rel = self.no_scope();
        rel.draft = self.draft(node);
        rel.columns = columns;
        rel.events = events;
        Ok(rel)
    }

    /// A value of an input without a cast that only fills in `""`.
    pub(super) fn unfilled_input(&mut self, term: TermId) -> TermId {
        match *self.arena.get(term) {
            Term::Input(side, inner) => {
                let inner = self.unfilled(inner);
                self.arena.term(Term::Input(side, inner))
            }
            _ => term,
        }
    }

    pub(super) fn is_plain_key(&self, key: TermId) -> bool {
        !matches!(self.arena.ty(key), Type::Real | Type::Decimal | Type::Dynamic | Type::Unknown)
    }

    pub(super) fn join_key(&mut self, term: TermId, ty: Type) -> TermId {
        let key = self.cast(term, ty);
        self.unfilled(key)
    }

    /// Rows with a partner, or without one.
    pub(super) fn semi(
        &mut self,
        mut rel: Rel,
        other: Rel,
        on: Vec<(TermId, TermId)>,
        anti: bool,
    ) -> Made<Rel> {
        self.used("semi-join-as-filter");
        rel.order = Order::default();
        // Null equals nothing.
        let mut there = Vec::new();
        for (here, _) in &on {
            if self.arena.ty(*here) != Type::String {
                there.push(self.present(*here));
            }
        }
        let found = self.in_rows(on, other, Case::Sensitive)?;
        let there = self.arena.and(there);
        let found = self.arena.and([there, found]);
        let condition = if anti { self.arena.not(found) } else { found };
        self.push(&mut rel.draft, condition)?;
        Ok(rel)
    }

    /// Rows of which only the set of some values matters.
    pub fn as_set(&mut self, rel: Rel, pairs: Vec<(TermId, TermId)>) -> Made<(Rel, Vec<(TermId, TermId)>)> {
        let (mut rel, mut pairs) = (rel, pairs);
        while let Node::Aggregate { scalar: false, .. } = &rel.draft.node {
            if !self.is_constant(rel.draft.filter, true) {
                break;
            }
            let mut inside = Vec::with_capacity(pairs.len());
            for (here, there) in &pairs {
                let found = self.reads(*there);
                let key = matches!(self.arena.get(self.unfilled(*there)), Term::Input(0, _));
                if found & !reads::LEFT != 0 && !(key && found & !(reads::LEFT | reads::LOOSE) == 0) {
                    break;
                }
                match self.shifted(*there, &Shift::Open(0))? {
                    Some(there) => inside.push((*here, there)),
                    None => break,
                }
            }
            if inside.len() != pairs.len() {
                break;
            }
            self.used("distinct-set");
            pairs = inside;
            if let Node::Aggregate { input, .. } = rel.draft.node {
                rel.draft = *input;
            } else {
                break;
            }
        }
        Ok((rel, pairs))
    }

    pub(super) fn union(&mut self, plan: &Plan, union: &Union) -> Made<Rel> {
        let mut rels = Vec::with_capacity(union.inputs.len());
        for input in &union.inputs {
            rels.push(self.rel(input)?);
        }
        self.merge(plan, rels, &union.columns, union.source, &union.labels)
    }

    /// The rows of several inputs under one list of columns.
    pub fn merge(
        &mut self,
        plan: &Plan,
        rels: Vec<Rel>,
        columns: &[Vec<Option<ColId>>],
        source: Option<ColId>,
        labels: &[SmolStr],
    ) -> Made<Rel> {
        // Unions of unions are one: each input stands for one or several branches.
        let mut branches: Vec<Draft> = Vec::new();
        let mut places: Vec<Vec<Option<usize>>> = Vec::with_capacity(rels.len());
        let mut scopes = Vec::with_capacity(rels.len());
        for mut rel in rels {
            let unit = self.draft(Node::Leaf(Source::Unit));
            let draft = std::mem::replace(&mut rel.draft, unit);
            match draft {
                Draft { node: Node::Union { inputs }, filter } if self.is_constant(filter, true) => {
                    places.push((0..inputs.len()).map(Some).collect());
                    branches.extend(inputs);
                }
                draft => {
                    places.push(vec![None]);
                    branches.push(draft);
                }
            }
            scopes.push(rel);
        }
        self.count(branches.len().saturating_mul(1 + plan.output.len() / 8))?;
        let mut rel = self.no_scope();
        let mut next = columns.iter();
        for id in plan.output.iter() {
            let ty = self.query.columns.ty(*id);
            let column = if Some(*id) == source { None } else { next.next() };
            let mut parts = Vec::with_capacity(branches.len());
            for (n, (scope, inside)) in scopes.iter().zip(&places).enumerate() {
                let term = match (column, Some(*id) == source) {
                    (_, true) => {
                        let label = labels.get(n).cloned().unwrap_or_default();
                        Some(self.arena.constant(Constant::String(label)))
                    }
                    (Some(column), false) => match column.get(n).copied().flatten() {
                        Some(id) => Some(self.column(scope, id)?),
                        None => None,
                    },
                    (None, false) => None,
                };
                for place in inside {
                    parts.push(match (term, place) {
                        (Some(term), Some(n)) => self.shifted(term, &Shift::Branch(*n))?.or(Some(term)),
                        (term, _) => term,
                    });
                }
            }
            let term = self.merged(parts, ty);
            rel.columns.insert(*id, term);
        }
        if scopes.iter().any(|s| !s.events.is_empty()) {
            let mut parts = Vec::with_capacity(branches.len());
            for (scope, inside) in scopes.iter().zip(&places) {
                let event = scope.events.first().copied();
                for place in inside {
                    parts.push(match (event, place) {
                        (Some(event), Some(n)) => self.shifted(event, &Shift::Branch(*n))?.or(Some(event)),
                        (event, _) => event,
                    });
                }
            }
            let event = self.merged(parts, Type::String);
            rel.events.push(event);
        }
        match (branches.len(), branches.pop()) {
            (1, Some(only)) => rel.draft = only,
            (_, last) => {
                branches.extend(last);
                rel.draft = self.draft(Node::Union { inputs: branches });
            }
        }
        Ok(rel)
    }
}
