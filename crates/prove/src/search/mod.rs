//! The search for witnesses: small tables on which two rules differ.
//!
//! In: two rules, and values that the solver suggests. Out: what was seen, shrunk to the fewest rows and columns.
//!
//! Tables are made, not drawn: a walk over a rule's plan (`build`, `goal`) says what each row must hold so that the rule
//! alerts, `wish` finds such values, and `late` those that depend on each other. Then one thing at a time is changed: a test
//! that fails, another branch or list element, a row more or less (`maker::Guide`), a value beside the one that was asked for
//! (`vary`). `observe` runs both rules, `shrink` makes what differs small.

mod beside;
mod build;
mod change;
mod example;
mod goal;
mod json;
mod late;
mod layout;
mod made;
mod maker;
mod narrow;
mod news;
mod nodes;
mod observe;
mod random;
mod replay;
mod sample;
mod shrink;
mod store;
mod suggest;
#[cfg(test)]
mod tests;
mod vary;
mod wish;
mod wished;

use crate::block::BlockId;
use crate::canon::Canonical;
use crate::solve::Model;
use crate::verdict::{Fires, Witness};
use crate::{Arena, Options};
use change::Bases;
pub(crate) use example::example;
use indexmap::IndexMap;
use layout::{hash, layout, mentioned, row_wise, weight};
use maker::{Guide, Known, Maker, Trace};
use news::News;
use observe::Observer;
use random::Random;
pub use replay::{Executor, replay, try_out};
use ruleferry_diag::Span;
use ruleferry_eval::{MemoryTable, MemoryTables, Row, Value, evaluate};
use ruleferry_ir::{self as ir, Columns, Expr, Op, Plan, Query, Type, Values};
use rustc_hash::FxHashSet;
use smol_str::SmolStr;
use store::Store;
use wish::Patterns;

/// One run of both rules over the same tables.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    pub now: i64,
    pub tables: MemoryTables,
    /// `a` returns a row that `b` does not (as bags, over the columns that both return; whatever permitted choices are taken).
    pub only_a: bool,
    pub only_b: bool,
}

impl Observed {
    pub(crate) fn now_text(&self) -> String {
        crate::verdict::time_text(self.now)
    }

    pub(crate) fn tables_json(&self) -> serde_json::Map<String, serde_json::Value> {
        json::tables(&self.tables)
    }
}

/// What a search came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// A table on which `a` finds what `b` misses.
    pub only_a: Option<Witness>,
    pub only_b: Option<Witness>,
    /// Tables on which both rules ran without a fault.
    pub tried: u32,
    /// Of these, tables on which at least one of the rules returned rows.
    pub fired: u32,
    /// Faults of the evaluator that stopped a rule, for people.
    pub faults: Vec<String>,
}

/// Values that meet a filter of one rule and not that of the other.
#[derive(Clone, Debug)]
pub(crate) struct Suggestion {
    pub model: Model,
    /// The block in whose space the terms are, and whether it is one of the first rule.
    pub at: Option<(BlockId, bool)>,
}

/// Both sides of a search. `models` are values that suggest a difference (`a` and not `b`, `b` and not `a`).
pub(crate) struct Pair<'p> {
    pub arena: &'p Arena,
    pub a: (&'p ir::Rule, Option<&'p Canonical>),
    pub b: (&'p ir::Rule, Option<&'p Canonical>),
    pub models: &'p [Suggestion],
    /// Which differences are looked for: that `a`, that `b` finds what the other misses. One that was proved not to be is not.
    pub wanted: (bool, bool),
}

pub(crate) fn search(pair: &Pair<'_>, options: &Options) -> Found {
    let whole = [pair.a.0, pair.b.0];
    let narrow = narrow::narrowed(pair.a.0, pair.b.0);
    let [a, b] = narrow.as_ref().map_or(whole, |[a, b]| [a, b]);
    let patterns = Patterns::default();
    let known = [a, b].map(|r| Known::new(&r.query, r.envelope.schedule.look_back));
    let mut search = Search {
        known: &known,
        rules: [a, b],
        observer: Observer::new(a, b, options.now),
        whole: narrow.is_some().then(|| Observer::new(whole[0], whole[1], options.now)),
        patterns: &patterns,
        layout: layout(&[&a.query, &b.query]),
        mentioned: [&a.query, &b.query].into_iter().flat_map(mentioned).collect(),
        options,
        left: options.steps,
        wanted: pair.wanted,
        bounded: false,
        fine: false,
        found: Found::default(),
        seen: FxHashSet::default(),
        weight: 1 + weight(&a.query) / 8 + weight(&b.query) / 8,
        row_wise: row_wise(&a.query).zip(row_wise(&b.query)).is_some_and(|(x, y)| x == y)
            && [a, b]
                .iter()
                .all(|r| r.envelope.trigger.as_ref().is_none_or(|t| t.operator == "gt" && t.threshold == 0)),
        pending: Vec::new(),
        news: News::of(&a.query, &b.query),
    };
    search.models(pair);
    search.placed(pair);
    search.run();
    search.flush();
    search.found
}

/// The search alone: a witness for each direction, tables tried, tables on which something fired, faults.
#[doc(hidden)]
pub fn witnesses(
    a: &ir::Rule,
    b: &ir::Rule,
    options: &Options,
) -> (Option<Witness>, Option<Witness>, u32, u32, Vec<String>) {
    let arena = Arena::default();
    let pair = Pair { arena: &arena, a: (a, None), b: (b, None), models: &[], wanted: (true, true) };
    let found = search(&pair, options);
    (found.only_a, found.only_b, found.tried, found.fired, found.faults)
}

/// Rows that a rule alone returns on tables made for it: for measurements.
#[doc(hidden)]
pub fn fires(rule: &ir::Rule, options: &Options) -> Result<usize, String> {
    let patterns = Patterns::default();
    let known = [Known::new(&rule.query, rule.envelope.schedule.look_back)];
    let observer = Observer::new(rule, rule, options.now);
    let layout = layout(&[&rule.query]);
    let mut fault = None;
    for attempt in 0..ATTEMPTS {
        let guide = Guide::attempt(attempt, options.seed);
        let made = make(&known, &[(0, false)], &guide, &layout, &patterns, options.now, None);
        match observer.fires(false, &made.tables) {
            Ok((0, _)) => {}
            Ok((n, _)) => return Ok(n),
            Err(f) => fault = Some(f),
        }
    }
    fault.map_or(Ok(0), Err)
}

/// Tables that a rule should alert on, for people.
#[doc(hidden)]
pub fn shown(rule: &ir::Rule, options: &Options, attempt: u64) -> String {
    let patterns = Patterns::default();
    let known = [Known::new(&rule.query, rule.envelope.schedule.look_back)];
    let layout = layout(&[&rule.query]);
    let guide = Guide::attempt(attempt, options.seed);
    let made = make(&known, &[(0, false)], &guide, &layout, &patterns, options.now, None);
    let mut out = format!("conflicts {}\n", made.conflicts);
    for (name, rows) in json::tables(&made.tables) {
        out.push_str(&format!("{name}\n"));
        for row in rows.as_array().into_iter().flatten().take(12) {
            out.push_str(&format!("  {row}\n"));
        }
    }
    out
}

/// Tries to make a rule alert.
const ATTEMPTS: u64 = 40;

impl Guide {
    fn attempt(n: u64, seed: u64) -> Self {
        Self {
            random: if n < 2 { 0 } else { (seed ^ n).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1 },
            variant: if n < 6 { 0 } else { n },
            fill: n != 1 && n % 5 != 4,
            outputs: n.is_multiple_of(2),
            strict: n % 7 == 3,
            ..Self::default()
        }
    }
}

/// Plans and expressions that the making of one set of tables may walk.
const WALK: u32 = 60_000;

/// What was made for one guide.
struct Made {
    tables: MemoryTables,
    trace: Trace,
    conflicts: u32,
    /// In steps of the search.
    work: u64,
}

/// Makes tables for one or both queries: `(which, rows of the other are used again)`.
fn make<'q>(
    known: &[Known<'q>],
    which: &[(usize, bool)],
    guide: &Guide,
    layout: &IndexMap<SmolStr, IndexMap<SmolStr, Type>>,
    patterns: &Patterns,
    now: i64,
    copies: Option<usize>,
) -> Made {
    let mut store = Store::new(now, patterns);
    store.tables.clone_from(layout);
    store.variant = guide.variant;
    let mut trace = Trace::default();
    let mut walked = 0;
    for (at, share) in which {
        let Some(known) = known.get(*at) else { continue };
        let mut maker = Maker {
            known,
            store: &mut store,
            guide,
            trace: &mut trace,
            defs: rustc_hash::FxHashMap::default(),
            groups: Vec::new(),
            late: Vec::new(),
            insts: 0,
            readings: rustc_hash::FxHashMap::default(),
            share: *share,
            budget: WALK,
            node_depth: 0,
            scope: Vec::new(),
            rows: Vec::new(),
        };
        let key = maker::key(&*known.query.plan.op, 0, maker::COPIES);
        maker.whole(copies.map(|n| (n, key)));
        walked += u64::from(WALK.saturating_sub(maker.budget));
    }
    let tables = store.tables();
    let work = store.work + walked / 8 + 10 + patterns.spent();
    Made { tables, trace, conflicts: store.conflicts, work }
}

/// Rows that are looked at together where each is judged for itself.
const BATCH: usize = 400;

struct Search<'s, 'r> {
    known: &'s [Known<'r>; 2],
    rules: [&'r ir::Rule; 2],
    observer: Observer<'r>,
    /// Of the rules with all their columns, where those that are run have not all of them.
    whole: Option<Observer<'r>>,
    patterns: &'s Patterns,
    layout: IndexMap<SmolStr, IndexMap<SmolStr, Type>>,
    /// Names of the columns that the rules read.
    mentioned: FxHashSet<SmolStr>,
    options: &'s Options,
    left: u64,
    wanted: (bool, bool),
    /// One difference was found, and the other is looked for with fewer steps.
    bounded: bool,
    /// Witnesses are made as small as can be, for one that people read; where many pairs are compared it would cost most of the time.
    fine: bool,
    found: Found,
    /// Tables that were tried.
    seen: FxHashSet<u64>,
    /// How much more a run costs than one over a single filter.
    weight: u64,
    row_wise: bool,
    pending: Vec<Row>,
    /// What each of the rules has and the other has not.
    news: [News; 2],
}

impl Search<'_, '_> {
    fn done(&self) -> bool {
        self.left == 0
            || (self.found.only_a.is_some() || !self.wanted.0)
                && (self.found.only_b.is_some() || !self.wanted.1)
            || self.options.stop.is_some_and(|stop| stop())
    }

    fn make(&mut self, which: &[(usize, bool)], guide: &Guide, copies: Option<usize>) -> Made {
        let made = make(self.known, which, guide, &self.layout, self.patterns, self.options.now, copies);
        self.left = self.left.saturating_sub(made.work);
        made
    }

    /// Takes tables in, to be run now or with others.
    fn take(&mut self, tables: MemoryTables) {
        if self.row_wise {
            let rows = tables.tables.into_values().flat_map(|t| t.rows);
            for row in rows {
                if self.seen.insert(hash(std::slice::from_ref(&row))) {
                    self.pending.push(row);
                }
            }
            if self.pending.len() >= BATCH {
                self.flush();
            }
        } else if !self.done() {
            self.observe(tables);
        }
    }

    fn flush(&mut self) {
        let rows = std::mem::take(&mut self.pending);
        if rows.is_empty() || self.done() {
            return;
        }
        let mut tables = MemoryTables::default();
        for (name, columns) in &self.layout {
            let columns: Vec<(SmolStr, Type)> = columns.iter().map(|(n, t)| (n.clone(), *t)).collect();
            tables.tables.insert(name.clone(), MemoryTable { columns, rows: rows.clone(), events: None });
        }
        self.observe(tables);
    }

    /// What a run of both rules costs.
    fn cost(&self, tables: &MemoryTables) -> u64 {
        let cells: usize = tables.tables.values().map(|t| (t.rows.len() + 1) * t.columns.len().max(1)).sum();
        (cells as u64 + 20) * self.weight
    }

    fn observe(&mut self, mut tables: MemoryTables) {
        if self.options.empty_is_absent {
            crate::empties::tables(&mut tables);
        }
        let print = tables.tables.values().fold(0_u64, |h, t| h.rotate_left(9) ^ hash(&t.rows));
        if !self.row_wise && !self.seen.insert(print) {
            return;
        }
        self.left = self.left.saturating_sub(self.cost(&tables));
        let seen = self.observer.see(&tables);
        self.left = self.left.saturating_sub(seen.work);
        if let Some(fault) = seen.fault {
            if self.found.faults.len() < 8 && !self.found.faults.contains(&fault) {
                self.found.faults.push(fault);
            }
            return;
        }
        self.found.tried += 1;
        self.found.fired += u32::from(seen.rows != (0, 0));
        if seen.only_a && self.found.only_a.is_none() {
            self.found.only_a = self.witness(tables.clone(), Fires::A, seen.work);
        }
        if seen.only_b && self.found.only_b.is_none() {
            self.found.only_b = self.witness(tables, Fires::B, seen.work);
        }
        // One difference is there: that the other kind is not is asked of fewer tables.
        if self.found.only_a.is_some() != self.found.only_b.is_some() && !self.bounded {
            self.bounded = true;
            self.left = self.left.min(self.options.steps / 4);
        }
    }

    /// The smallest tables that still show it. `work`: what one run of both rules has cost.
    fn witness(&mut self, tables: MemoryTables, fires: Fires, work: u64) -> Option<Witness> {
        let without_empties = |t: &MemoryTables| {
            let mut t = t.clone();
            if self.options.empty_is_absent {
                crate::empties::tables(&mut t);
            }
            t
        };
        let runs = (self.left / (self.cost(&tables) + work).max(1)).clamp(40, 600);
        let mut spent = 0;
        let mut shows = |t: &MemoryTables| {
            if self.options.stop.is_some_and(|stop| stop()) {
                return false;
            }
            let seen = self.observer.see(&without_empties(t));
            spent += seen.work + 20;
            match fires {
                Fires::A => seen.only_a,
                Fires::B => seen.only_b,
            }
        };
        let runs = u32::try_from(runs).unwrap_or(40);
        // What is reported is what was seen last.
        let tables = without_empties(&shrink::shrunk(tables, runs, self.fine, &mut shows));
        self.left = self.left.saturating_sub(spent);
        let seen = self.whole.as_ref().unwrap_or(&self.observer).see(&tables);
        let observed = Observed { now: self.options.now, tables, only_a: seen.only_a, only_b: seen.only_b };
        Witness::of(&observed, fires)
    }

    fn empty(&self) -> MemoryTables {
        let mut tables = MemoryTables::default();
        for (name, columns) in &self.layout {
            let columns: Vec<(SmolStr, Type)> = columns.iter().map(|(n, t)| (n.clone(), *t)).collect();
            tables.tables.insert(name.clone(), MemoryTable { columns, rows: Vec::new(), events: None });
        }
        tables
    }

    fn run(&mut self) {
        if !self.row_wise {
            self.observe(self.empty());
        }
        let mut bases = Bases::default();
        // What only one of the rules has is changed first.
        for hits in [1, 3] {
            for side in [0, 1] {
                self.alerting(&mut bases, side, hits);
            }
            self.flush();
            if self.row_wise && hits == 3 {
                self.together(&bases);
            }
            self.change(&mut bases, hits == 1);
            if hits == 1 {
                self.constants(&bases);
            }
            self.flush();
            if self.done() {
                return;
            }
        }
        let pool = bases.pool;
        if self.found.fired == 0 {
            // Nothing near to these tables will make either alert.
            return;
        }
        if !self.row_wise {
            for tables in pool.clone().iter().take(4) {
                for coverage in vary::coverage(tables) {
                    if self.done() {
                        return;
                    }
                    self.observe(coverage);
                }
            }
        }
        for tables in pool.clone().iter().take(if self.row_wise { 12 } else { 3 }) {
            if self.done() {
                return;
            }
            if self.row_wise {
                for table in tables.tables.values() {
                    let types: Vec<Type> = table.columns.iter().map(|c| c.1).collect();
                    for row in &table.rows {
                        for near in vary::rows_near(row, &types) {
                            self.take_row(near);
                        }
                    }
                }
            } else {
                for near in vary::tables_near(tables, &self.mentioned) {
                    if self.done() {
                        return;
                    }
                    self.observe(near);
                }
            }
        }
        self.flush();
        let mut random = Random::new(self.options.seed);
        let rounds = if self.row_wise { 300 } else { 400 };
        for _ in 0..rounds {
            if self.done() {
                return;
            }
            match vary::mixed(&pool, &mut random) {
                Some(tables) => self.take(tables),
                None => break,
            }
        }
        self.flush();
    }

    fn take_row(&mut self, row: Row) {
        if self.seen.insert(hash(std::slice::from_ref(&row))) {
            self.pending.push(row);
        }
        if self.pending.len() >= BATCH {
            self.flush();
        }
    }
}

/// The type that a value shows.
fn value_type(value: &Value) -> Type {
    match value {
        Value::Null => Type::Unknown,
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::Int,
        Value::Long(_) => Type::Long,
        Value::Real(_) => Type::Real,
        Value::Decimal(_) => Type::Decimal,
        Value::String(_) => Type::String,
        Value::Datetime(_) => Type::Datetime,
        Value::Timespan(_) => Type::Timespan,
        Value::Guid(_) => Type::Guid,
        Value::Dynamic(_) => Type::Dynamic,
    }
}

/// The value of an expression without columns.
fn closed_value(e: &Expr, now: i64) -> Option<Value> {
    if let ir::ExprKind::Literal(v) = &e.kind {
        return Some(Value::of_ir(v));
    }
    let mut columns = Columns::default();
    let id = columns.add("x", e.ty, Span::default());
    let values = Values { rows: vec![vec![e.clone()]], print: true };
    let plan = Plan::new(Op::Values(values), vec![id], Span::default());
    let query = Query { columns, bindings: Vec::new(), plan, assumptions: Vec::new() };
    let options = ruleferry_eval::Options { max_rows: 100_000, ..ruleferry_eval::Options::at(now) };
    let answer = evaluate(&query, &MemoryTables::default(), options).ok()?;
    answer.rows.first()?.first().cloned()
}
