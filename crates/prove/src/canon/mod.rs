//! Canonical form: an [`ir::Query`](ruleferry_ir::Query) to blocks, terms and formulas of an [`Arena`].
//!
//! In: a rule. Out: [`Canonical`], with the names of the rewrites that were used.
//!
//! Where to look: `expr` reads expressions, `matches` tests of texts and lists; `terms` and `atoms` are the only places that
//! make terms and atoms, so that each has one form; `plan` reads operators, `rows` those that keep to no simple form,
//! `aggregate` groups; `draft` is a plan whose filters still sink, and its end; `shift` takes terms from one space to another.

mod aggregate;
mod atoms;
mod draft;
mod expr;
mod joins;
mod matches;
pub(crate) mod notes;
mod plan;
pub mod rewrites;
mod rows;
mod shift;
mod sources;
mod terms;

use crate::block::BlockId;
use crate::formula::FormulaId;
use crate::term::TermId;
use crate::{Arena, Options};
use notes::Noted;
use plan::Rel;
use ruleferry_ir as ir;
use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use std::collections::BTreeSet;

/// A query in canonical form.
#[derive(Clone, Debug)]
pub struct Canonical {
    pub block: BlockId,
    /// What it returns, in order: name and value in the space of `block`.
    pub columns: Vec<(SmolStr, TermId, ir::Type)>,
    /// The columns are not all known (an open schema).
    pub open: bool,
    pub rewrites: BTreeSet<&'static str>,
    /// Constructs that no proof accepts (opaque text, functions that give another value at each call), for people.
    pub outside: Vec<String>,
}

/// Terms and formulas are walked by recursion; real rules stay far below.
const MAX_DEPTH: u32 = 300;
/// Operators and expressions on one path of a rule; a pipeline alone may be long.
const MAX_NESTING: u32 = 1_000;
/// Nodes of one rule, those that rewriting makes included.
const MAX_NODES: usize = 400_000;

type Made<T> = Result<T, String>;

fn too_deep() -> String {
    "the rule is nested too deep for a proof".into()
}

fn too_large() -> String {
    "the rule is too large for a proof".into()
}

/// Brings a rule's query into canonical form. `Err`: why it cannot be (too large, too deep).
pub fn canonical(arena: &mut Arena, rule: &ir::Rule, options: &Options) -> Result<Canonical, String> {
    made(arena, rule, options, None).map(|(canonical, _)| canonical)
}

/// The same, with what each filter says, part by part.
pub(crate) fn noted(arena: &mut Arena, rule: &ir::Rule, options: &Options) -> Result<Vec<Noted>, String> {
    made(arena, rule, options, Some(Vec::new())).map(|(_, notes)| notes)
}

fn made(
    arena: &mut Arena,
    rule: &ir::Rule,
    options: &Options,
    notes: Option<Vec<Noted>>,
) -> Result<(Canonical, Vec<Noted>), String> {
    let query = &rule.query;
    check_size(query)?;
    let mut canon = Canon {
        arena,
        query,
        options,
        look_back: rule.envelope.schedule.look_back,
        rewrites: BTreeSet::new(),
        outside: Vec::new(),
        depth: 0,
        nodes: 0,
        lets: FxHashMap::default(),
        tables: FxHashMap::default(),
        uses: uses(query),
        shared: 0,
        bodies: Vec::new(),
        reads: FxHashMap::default(),
        many: false,
        choices: vec![false; query.bindings.len()],
        notes,
    };
    canon.bindings()?;
    let rel = canon.rel(&query.plan)?;
    if !rel.order.keys.is_empty() {
        canon.used("order-of-rows");
    }
    let open = !rel.events.is_empty();
    let (block, rel) = canon.sealed(rel)?;
    let mut columns = Vec::with_capacity(query.plan.output.len());
    for id in query.plan.output.iter() {
        let term = canon.column(&rel, *id)?;
        let term = canon.unfilled(term);
        columns.push((SmolStr::new(query.columns.name(*id)), term, query.columns.ty(*id)));
    }
    let Canon { rewrites, outside, notes, .. } = canon;
    Ok((Canonical { block, columns, open, rewrites, outside }, notes.unwrap_or_default()))
}

/// Refuses what no recursion should walk.
fn check_size(query: &ir::Query) -> Made<()> {
    let mut left: Vec<(ir::Child<'_>, u32)> = vec![(ir::Child::Plan(&query.plan), 0)];
    left.extend(query.bindings.iter().map(|b| match &b.value {
        ir::BindingValue::Scalar(e) => (ir::Child::Expr(e), 0),
        ir::BindingValue::Table { plan, materialized: _ } => (ir::Child::Plan(plan), 0),
    }));
    let mut nodes = 0_usize;
    while let Some((child, depth)) = left.pop() {
        nodes += 1;
        if nodes > MAX_NODES {
            return Err(too_large());
        }
        let next = |depth: u32| if depth >= MAX_NESTING { Err(too_deep()) } else { Ok(depth + 1) };
        let depth = next(depth)?;
        match child {
            ir::Child::Plan(p) => p.children(&mut |c| left.push((c, depth))),
            ir::Child::Expr(e) => e.children(&mut |c| left.push((c, depth))),
        }
    }
    Ok(())
}

/// How often each binding is named.
pub(crate) fn uses(query: &ir::Query) -> Vec<u32> {
    let mut uses = vec![0_u32; query.bindings.len()];
    if uses.is_empty() {
        return uses;
    }
    let mut count = |id: ir::BindingId| {
        if let Some(slot) = uses.get_mut(id.0 as usize) {
            *slot += 1;
        }
    };
    let mut ids = Vec::new();
    query.for_each_plan(&mut |p| {
        if let ir::Op::Ref(id) = &*p.op {
            ids.push(*id);
        }
    });
    query.any_expr(&mut |e| {
        if let ir::ExprKind::Let(id) = e.kind {
            ids.push(id);
        }
        false
    });
    ids.into_iter().for_each(&mut count);
    uses
}

/// One query on its way into canonical form.
struct Canon<'q, 'a> {
    arena: &'a mut Arena,
    query: &'q ir::Query,
    options: &'a Options,
    look_back: Option<i64>,
    rewrites: BTreeSet<&'static str>,
    outside: Vec<String>,
    depth: u32,
    nodes: usize,
    lets: FxHashMap<ir::BindingId, TermId>,
    tables: FxHashMap<ir::BindingId, Rel>,
    uses: Vec<u32>,
    /// Bindings so far that leave a choice open and are named more than once.
    shared: u32,
    /// The rows that bodies of `mv-apply` and `partition` work on, the innermost last.
    bodies: Vec<Rel>,
    /// What of its space each term reads.
    reads: FxHashMap<TermId, u8>,
    /// A name that is read in several places is being computed.
    many: bool,
    /// Bindings that leave a choice open.
    choices: Vec<bool>,
    /// What filters say, where it is asked for.
    notes: Option<Vec<Noted>>,
}

/// The two answers of a test; it is null where neither holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Test {
    pub holds: FormulaId,
    pub fails: FormulaId,
}

impl Canon<'_, '_> {
    fn used(&mut self, rewrite: &'static str) {
        debug_assert!(rewrites::REWRITES.iter().any(|(name, _)| *name == rewrite), "{rewrite}");
        self.rewrites.insert(rewrite);
    }

    fn leave_out(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.outside.contains(&what) {
            self.outside.push(what);
        }
    }

    /// Counts a step, and refuses rules that are too large.
    fn count(&mut self, nodes: usize) -> Made<()> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES { Err(too_large()) } else { Ok(()) }
    }

    /// Runs one level deeper.
    fn deeper<T>(&mut self, run: impl FnOnce(&mut Self) -> Made<T>) -> Made<T> {
        self.count(1)?;
        if self.depth >= MAX_DEPTH {
            return Err(too_deep());
        }
        self.depth += 1;
        let made = run(self);
        self.depth -= 1;
        made
    }

    fn shallow_term(&self, term: TermId) -> Made<TermId> {
        if self.arena.term_depth(term) > MAX_DEPTH { Err(too_deep()) } else { Ok(term) }
    }

    fn shallow(&self, test: Test) -> Made<Test> {
        let depth = self.arena.formula_depth(test.holds).max(self.arena.formula_depth(test.fails));
        if depth > MAX_DEPTH { Err(too_deep()) } else { Ok(test) }
    }
}
