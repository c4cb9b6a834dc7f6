//! Values that the solver suggests, put into rows.
//!
//! In: a model over terms of a block. Out: tables: the values alone, or in rows on which a rule alerts.

use super::layout::threshold;
use super::maker::{Given, Guide, Step};
use super::store::{self, Store};
use super::{Pair, Search, Suggestion, value_type, wish};
use crate::Arena;
use crate::block::BlockId;
use crate::solve::value_of;
use ruleferry_ir::Type;
use smol_str::SmolStr;
use std::rc::Rc;

impl Search<'_, '_> {
    /// Rows of the values that the solver suggests.
    pub(super) fn models(&mut self, pair: &Pair<'_>) {
        let Some(table) = self.layout.keys().next().cloned().filter(|_| self.layout.len() == 1) else {
            return;
        };
        for Suggestion { model, .. } in pair.models {
            if self.done() {
                return;
            }
            let mut store = Store::new(self.options.now, self.patterns);
            store.tables.clone_from(&self.layout);
            let template = store.template(&table);
            for (term, value) in &model.values {
                let Some(node) = node_of_term(pair.arena, *term, template, &mut store, 0) else { continue };
                let wish = match value.as_ref().map(value_of) {
                    Some(v) if !v.is_null() => {
                        let ty = value_type(&v);
                        wish::Wish::equals(v, ty)
                    }
                    _ => wish::Wish::new(wish::Test::Null, Type::Unknown),
                };
                store.wish(node, wish);
            }
            let tables = store.tables();
            self.observe(tables);
        }
    }

    /// Rows on which a rule alerts that hold the values that the solver suggests for its tables.
    pub(super) fn placed(&mut self, pair: &Pair<'_>) {
        for Suggestion { model, at } in pair.models {
            let Some((block, of_a)) = *at else { continue };
            let mut given: Vec<Given> = Vec::new();
            for (term, value) in &model.values {
                let Some((table, column, path)) = placed(pair.arena, *term, block, 0) else { continue };
                let wish = match value.as_ref().map(value_of) {
                    Some(v) if !v.is_null() => {
                        let ty = value_type(&v);
                        wish::Wish::equals(v, ty)
                    }
                    _ => wish::Wish::new(wish::Test::Null, Type::Unknown),
                };
                given.push(Given { table, column, path, wish });
            }
            if given.is_empty() {
                continue;
            }
            let given: Rc<[Given]> = given.into();
            let side = usize::from(!of_a);
            let copies = self.rules.get(side).and_then(|r| threshold(r));
            for (attempt, reading) in [(0, 0), (1, 0), (0, 1), (2, 0), (0, 2)] {
                if self.done() {
                    return;
                }
                let guide =
                    Guide { given: Rc::clone(&given), reading, ..Guide::attempt(attempt, self.options.seed) };
                let made = self.make(&[(side, false)], &guide, copies);
                self.take(made.tables);
            }
        }
        self.flush();
    }
}

/// The value of the row that a term reads.
fn node_of_term(
    arena: &Arena,
    term: crate::term::TermId,
    template: store::TemplateId,
    store: &mut Store<'_>,
    depth: usize,
) -> Option<store::NodeId> {
    use crate::term::{Constant, Term};
    if depth > 20 {
        return None;
    }
    let go = |store: &mut Store<'_>, t| node_of_term(arena, t, template, store, depth + 1);
    match arena.get(term) {
        Term::Column { name, ty } => Some(store.column(template, name, *ty)),
        Term::Event => Some(store.column(template, "_raw", Type::String)),
        Term::Cast(inner, _) => go(store, *inner),
        Term::Member(base, name) => {
            let base = go(store, *base)?;
            Some(store.member(base, name))
        }
        Term::Index(base, at) => {
            let base = go(store, *base)?;
            match arena.get(*at) {
                Term::Constant(Constant::Long(n)) => {
                    Some(store.element(base, usize::try_from(*n).unwrap_or(0).min(60)))
                }
                Term::Constant(Constant::String(s)) => Some(store.member(base, s)),
                _ => None,
            }
        }
        Term::Call(name, args, _)
            if matches!(name.as_str(), "parse_json" | "todynamic" | "tolower" | "toupper" | "trim") =>
        {
            args.last().and_then(|a| go(store, *a))
        }
        Term::Constant(_)
        | Term::Now
        | Term::Input(..)
        | Term::Call(..)
        | Term::Arithmetic(..)
        | Term::Negate(_)
        | Term::Case(..)
        | Term::Truth { .. }
        | Term::Made { .. }
        | Term::Merged(..)
        | Term::Scalar(..)
        | Term::List(..)
        | Term::Opaque { .. } => None,
    }
}

/// The table, the column of it and the part of that column that a term of a block reads.
fn placed(
    arena: &Arena,
    term: crate::term::TermId,
    block: BlockId,
    depth: usize,
) -> Option<(SmolStr, (SmolStr, Type), Vec<Step>)> {
    use crate::block::Source as From;
    use crate::term::{Constant, Term};
    if depth > 40 {
        return None;
    }
    let go = |term, block| placed(arena, term, block, depth + 1);
    let source = &arena.get_block(block)?.source;
    match (arena.get(term), source) {
        (Term::Column { name, ty }, From::Scan { name: table, .. }) => {
            Some((table.clone(), (name.clone(), *ty), Vec::new()))
        }
        (Term::Event, From::Scan { name: table, .. }) => {
            Some((table.clone(), ("_raw".into(), Type::String), Vec::new()))
        }
        (Term::Input(at, inner), source) => {
            let input = match (source, at) {
                (From::Join { left, .. }, 0) => *left,
                (From::Join { right, .. }, _) => *right,
                (
                    From::Aggregate { input, .. } | From::Distinct { input, .. } | From::Top { input, .. },
                    _,
                ) => *input,
                (From::Union { inputs } | From::Other { inputs, .. }, at) => {
                    *inputs.get(usize::try_from(*at).ok()?)?
                }
                (From::Scan { over, .. }, _) => (*over)?,
                (From::Unit | From::Values(_), _) => return None,
            };
            go(*inner, input)
        }
        (Term::Merged(each, _), From::Union { inputs }) => {
            let (input, term) = inputs.iter().zip(each).find_map(|(i, t)| Some((*i, (*t)?)))?;
            go(term, input)
        }
        (Term::Cast(inner, _), _) => go(*inner, block),
        (Term::Member(base, name), _) => {
            let (table, column, mut path) = go(*base, block)?;
            path.push(Step::Member(name.clone()));
            Some((table, column, path))
        }
        (Term::Index(base, at), _) => {
            let (table, column, mut path) = go(*base, block)?;
            path.push(match arena.get(*at) {
                Term::Constant(Constant::Long(n)) => Step::Element(usize::try_from(*n).ok()?.min(60)),
                Term::Constant(Constant::String(s)) => Step::Member(s.clone()),
                _ => return None,
            });
            Some((table, column, path))
        }
        (Term::Call(name, args, _), _)
            if matches!(name.as_str(), "parse_json" | "todynamic" | "tolower" | "toupper" | "trim") =>
        {
            go(*args.last()?, block)
        }
        (
            Term::Column { .. }
            | Term::Event
            | Term::Merged(..)
            | Term::Constant(_)
            | Term::Now
            | Term::Call(..)
            | Term::Arithmetic(..)
            | Term::Negate(_)
            | Term::Case(..)
            | Term::Truth { .. }
            | Term::Made { .. }
            | Term::Scalar(..)
            | Term::List(..)
            | Term::Opaque { .. },
            _,
        ) => None,
    }
}
