//! The search for witnesses: small tables on which two rules differ.
//!
//! In: two rules, and values that the solver suggests. Out: what was seen, shrunk to the fewest rows and columns.
//!
//! Tables are made, not drawn: a walk over a rule's plan (`build`, `goal`) says what each row must hold so that the rule
//! alerts, `wish` finds such values, and `late` those that depend on each other. Then one thing at a time is changed: a test
//! that fails, another branch or list element, a row more or less (`build::Guide`), a value beside the one that was asked for
//! (`vary`). `observe` runs both rules, `shrink` makes what differs small.

mod beside;
mod build;
mod example;
mod goal;
mod json;
mod late;
mod made;
mod narrow;
mod news;
mod nodes;
mod observe;
mod random;
mod replay;
mod sample;
mod shrink;
mod store;
#[cfg(test)]
mod tests;
mod vary;
mod wish;
mod wished;

use crate::block::BlockId;
use crate::canon::Canonical;
use crate::solve::{Model, value_of};
use crate::verdict::{Fires, Witness};
use crate::{Arena, Options};
use build::{Given, Guide, Known, Maker, Step, Trace};
pub(crate) use example::example;
use indexmap::IndexMap;
use news::News;
use observe::Observer;
use random::Random;
pub use replay::{Executor, replay, try_out};
use ruleferry_diag::Span;
use ruleferry_eval::{MemoryTable, MemoryTables, Row, Value, evaluate};
use ruleferry_ir::{self as ir, Columns, Expr, Op, Plan, Query, Source, Type, Values};
use rustc_hash::FxHashSet;
use smol_str::SmolStr;
use std::rc::Rc;
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

/// Names of the columns that a query reads in expressions and join keys, or returns under a closed list.
fn mentioned(query: &Query) -> Vec<SmolStr> {
    let mut found: FxHashSet<ir::ColId> = FxHashSet::default();
    query.any_expr(&mut |e| {
        found.extend(e.as_column());
        false
    });
    query.for_each_plan(&mut |plan| match &*plan.op {
        ir::Op::Join(join) => found.extend(join.on.iter().flat_map(|key| [key.left, key.right])),
        ir::Op::Distinct { input } => found.extend(input.output.iter()),
        ir::Op::Partition { key, .. } => {
            found.insert(*key);
        }
        _ => {}
    });
    let mut names: Vec<SmolStr> = found.into_iter().map(|id| SmolStr::new(query.columns.name(id))).collect();
    names.sort();
    names
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

/// Values beside the one that a test looks for that are tried.
const NEAR: usize = 12;

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
        let key = build::key(&*known.query.plan.op, 0, build::COPIES);
        maker.whole(copies.map(|n| (n, key)));
        walked += u64::from(WALK.saturating_sub(maker.budget));
    }
    let tables = store.tables();
    let work = store.work + walked / 8 + 10 + patterns.spent();
    Made { tables, trace, conflicts: store.conflicts, work }
}

/// The tables that the queries read, with the columns that they know, in types that serve both.
fn layout(queries: &[&Query]) -> IndexMap<SmolStr, IndexMap<SmolStr, Type>> {
    let mut out: IndexMap<SmolStr, IndexMap<SmolStr, Type>> = IndexMap::new();
    for query in queries {
        query.for_each_plan(&mut |plan| {
            let Op::Scan(scan) = &*plan.op else { return };
            let (name, over) = match &scan.source {
                Source::Table(t) => (&t.name, None),
                Source::Input(i) => (&i.name, i.over.as_ref()),
                Source::Glob(_) => return,
            };
            let name =
                out.keys().find(|n| n.eq_ignore_ascii_case(name)).cloned().unwrap_or_else(|| name.clone());
            let columns = out.entry(name).or_default();
            for id in plan.output.iter().filter(|id| !over.is_some_and(|o| o.output.contains(id))) {
                let ty = query.columns.ty(*id);
                columns
                    .entry(query.columns.name(*id).into())
                    .and_modify(|known| *known = both(*known, ty))
                    .or_insert(ty);
            }
        });
    }
    // Names with a `*`: the tables that fit take the columns, or one that is made up does.
    for query in queries {
        query.for_each_plan(&mut |plan| {
            let Op::Scan(scan) = &*plan.op else { return };
            let Source::Glob(glob) = &scan.source else { return };
            let fits = out.keys().find(|n| build::glob_fits(glob, n)).cloned();
            let columns = out.entry(fits.unwrap_or_else(|| glob.replace('*', "X").into())).or_default();
            for id in plan.output.iter() {
                columns.entry(query.columns.name(*id).into()).or_insert_with(|| query.columns.ty(*id));
            }
        });
        // Data that functions look into.
        query.any_expr(&mut |e| {
            if let ir::ExprKind::Call(f, _) = &e.kind {
                match f.name {
                    "geo_info_from_ip_address" => {
                        out.entry("geo_ip_ranges".into()).or_default();
                    }
                    "parse_user_agent" => {
                        out.entry("user_agent_patterns".into()).or_default();
                    }
                    _ => {}
                }
            }
            false
        });
    }
    out
}

/// A type whose values both read.
fn both(a: Type, b: Type) -> Type {
    match (a, b) {
        (a, b) if a == b => a,
        (Type::Unknown, other) | (other, Type::Unknown) => other,
        (Type::Dynamic, _) | (_, Type::Dynamic) => Type::Dynamic,
        (Type::Int | Type::Long, Type::Int | Type::Long) => Type::Long,
        (
            Type::Int | Type::Long | Type::Real | Type::Decimal,
            Type::Int | Type::Long | Type::Real | Type::Decimal,
        ) => Type::Real,
        _ => Type::String,
    }
}

/// The one table that a query reads, where each row is judged for itself.
fn row_wise(query: &Query) -> Option<SmolStr> {
    if !query.bindings.iter().all(|b| matches!(b.value, ir::BindingValue::Scalar(_))) {
        return None;
    }
    let plans_inside = query.any_expr(&mut |e| match &e.kind {
        ir::ExprKind::Subquery(_) | ir::ExprKind::InQuery(_) | ir::ExprKind::Opaque(_) => true,
        ir::ExprKind::Match(m) => matches!(m.values, ir::MatchValues::Query(_)),
        ir::ExprKind::Call(f, _) => {
            f.has(ir::functions::Flags::WINDOW) || f.has(ir::functions::Flags::VOLATILE)
        }
        _ => false,
    });
    if plans_inside {
        return None;
    }
    let mut at = &query.plan;
    loop {
        match &*at.op {
            Op::Filter { input, .. }
            | Op::Extend { input, .. }
            | Op::Project { input, .. }
            | Op::Select { input, .. }
            | Op::Sort { input, .. } => at = input,
            Op::Scan(scan) => {
                return match &scan.source {
                    Source::Table(t) => Some(t.name.clone()),
                    Source::Glob(_) | Source::Input(_) => None,
                };
            }
            _ => return None,
        }
    }
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

/// Tables on which a rule alerts, or nearly, and what they were made of.
struct Base {
    side: usize,
    guide: Guide,
    made: Made,
}

/// How far the making of tables for each rule has come.
#[derive(Default)]
struct Bases {
    attempts: [u64; 2],
    hits: [u32; 2],
    bases: Vec<Base>,
    pool: Vec<MemoryTables>,
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
        let tables = without_empties(&shrink::shrunk(tables, runs, &mut shows));
        self.left = self.left.saturating_sub(spent);
        let seen = self.whole.as_ref().unwrap_or(&self.observer).see(&tables);
        let observed = Observed { now: self.options.now, tables, only_a: seen.only_a, only_b: seen.only_b };
        Witness::of(&observed, fires)
    }

    /// Rows of the values that the solver suggests.
    fn models(&mut self, pair: &Pair<'_>) {
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
    fn placed(&mut self, pair: &Pair<'_>) {
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

    /// Makes tables on which a rule alerts, so many.
    fn alerting(&mut self, bases: &mut Bases, side: usize, wanted: u32) {
        let (Some(attempts), Some(hits)) = (bases.attempts.get_mut(side), bases.hits.get_mut(side)) else {
            return;
        };
        while *attempts < ATTEMPTS && *hits < wanted && !self.done() {
            let attempt = *attempts;
            *attempts += 1;
            let mut guide = Guide::attempt(attempt, self.options.seed);
            let copies = self.rules.get(side).and_then(|r| threshold(r));
            let made = self.make(&[(side, false)], &guide, copies);
            let fires = self.observer.fires(side == 1, &made.tables);
            self.left = self.left.saturating_sub(fires.as_ref().map_or(observe::FAULT, |f| f.1));
            let fires = fires.is_ok_and(|(n, _)| n > 0);
            self.take(made.tables.clone());
            if !fires && attempt > 0 {
                continue;
            }
            *hits += u32::from(fires);
            bases.pool.push(made.tables.clone());
            // A table on which the rule does not alert is no base, but the only one there may be.
            if fires && *hits == 1 {
                bases.bases.retain(|b| b.side != side);
            }
            if bases.bases.iter().filter(|b| b.side == side).count() < 2 {
                for (key, (taken, _)) in &made.trace.decisions {
                    guide.choices.insert(*key, *taken);
                }
                bases.bases.push(Base { side, guide, made });
            }
        }
    }

    /// Tables on which a rule alerts with constants that are new in the columns of their kind, and times that far apart.
    fn constants(&mut self, bases: &Bases) {
        let constants: Vec<Value> = self.news.iter().flat_map(|n| n.constants.clone()).take(12).collect();
        for base in bases.bases.iter().filter(|b| b.side < 2) {
            for tables in vary::with_constants(&base.made.tables, &constants, &self.mentioned) {
                if self.done() {
                    return;
                }
                self.take(tables);
            }
        }
    }

    /// Rows for both rules together: one alerts, the other fails in one test.
    fn together(&mut self, bases: &Bases) {
        for side in [0, 1] {
            let Some(other) = bases.bases.iter().find(|b| b.side != side) else { continue };
            for atom in &other.made.trace.atoms {
                let mut guide = Guide { fill: true, ..Guide::default() };
                guide.flips.insert(*atom);
                let made = self.make(&[(side, false), (1 - side, true)], &guide, None);
                self.take(made.tables);
            }
        }
        self.flush();
    }

    /// One thing at a time is changed; `news`: only where one rule has what the other has not.
    fn change(&mut self, bases: &mut Bases, news: bool) {
        let reached = if news { self.reached(&bases.bases) } else { Vec::new() };
        let Bases { bases, pool, .. } = bases;
        for Base { side, guide, made } in bases.iter().chain(&reached) {
            if news {
                self.take(made.tables.clone());
            }
            let all = match self.news.get(*side) {
                Some(known) if news => Self::news(guide, &made.trace, known),
                _ => Self::changes(guide, &made.trace),
            };
            for changed in all {
                if self.done() {
                    return;
                }
                let copies = self.rules.get(*side).and_then(|r| threshold(r));
                let mut next = self.make(&[(*side, false)], &changed, copies);
                // The change does not go with the other choices: others, then.
                for random in 1..8 {
                    if next.conflicts <= made.conflicts || self.done() {
                        break;
                    }
                    let mut other = changed.clone();
                    other.choices.retain(|k, _| guide.choices.get(k) != changed.choices.get(k));
                    other.random = (self.options.seed ^ random).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
                    let again = self.make(&[(*side, false)], &other, copies);
                    if again.conflicts < next.conflicts {
                        next = again;
                    }
                }
                // What the change brought in is changed, too: the rows that an exclusion looks for.
                for atom in next.trace.atoms.iter().filter(|a| !made.trace.atoms.contains(*a)).take(40) {
                    let mut second = changed.clone();
                    second.flips.insert(*atom);
                    if self.done() {
                        return;
                    }
                    let also = self.make(&[(*side, false)], &second, copies);
                    self.take(also.tables);
                }
                if pool.len() < 200 {
                    pool.push(next.tables.clone());
                }
                self.take(next.tables);
            }
        }
    }

    /// Choices other than those of the bases that lead to new tests: the other branch of an `or`, a partner in a join.
    fn reached(&mut self, bases: &[Base]) -> Vec<Base> {
        let mut reached: Vec<Base> = Vec::new();
        let mut makes = 60;
        for Base { side, guide, made } in bases {
            let copies = self.rules.get(*side).and_then(|r| threshold(r));
            let options = made.trace.decisions.iter().flat_map(|(key, (taken, count))| {
                (0..*count).filter(move |at| at != taken).take(20).map(move |at| (*key, at))
            });
            for (key, at) in options.filter(|(key, _)| key.2 != build::NEEDLE) {
                if makes == 0 || reached.len() >= 6 || self.done() {
                    return reached;
                }
                makes -= 1;
                let mut guide = guide.clone();
                guide.choices.insert(key, at);
                let next = self.make(&[(*side, false)], &guide, copies);
                let known = |leaf: &build::Key| {
                    made.trace.leaves.contains(leaf)
                        || reached.iter().any(|r| r.made.trace.leaves.contains(leaf))
                };
                let new = self.news.get(*side).is_some_and(|news| {
                    next.trace.leaves.iter().any(|leaf| news.has(leaf.0) && !known(leaf))
                });
                if new {
                    reached.push(Base { side: *side, guide, made: next });
                }
            }
        }
        reached
    }

    /// Guides that differ from a base in one choice at a place that is new, the innermost places first.
    fn news(base: &Guide, trace: &Trace, news: &News) -> Vec<Guide> {
        let mut out = Vec::new();
        for atom in trace.atoms.iter().rev().filter(|a| news.has(a.0)) {
            let mut next = base.clone();
            next.flips.insert(*atom);
            out.push(next);
            if !trace.leaves.contains(atom) {
                continue;
            }
            for which in 0..NEAR {
                let mut next = base.clone();
                next.near.insert(*atom, which);
                out.push(next);
            }
        }
        for (key, (taken, count)) in trace.decisions.iter().rev() {
            let element = key.2 == build::NEEDLE;
            for at in (0..*count).filter(|at| at != taken) {
                if if element { news.has_element(key.0, at) } else { news.has(key.0) } {
                    let mut next = base.clone();
                    next.choices.insert(*key, at);
                    out.push(next);
                }
            }
        }
        let few = trace.counts.len() <= 3;
        for key in trace.counts.keys().filter(|k| few || news.has(k.0)) {
            for more in [-1, 1, -2, 3] {
                let mut next = base.clone();
                next.more.insert(*key, more);
                out.push(next);
            }
        }
        out.push(Guide { outputs: !base.outputs, ..base.clone() });
        out.truncate(200);
        out
    }

    fn take_row(&mut self, row: Row) {
        if self.seen.insert(hash(std::slice::from_ref(&row))) {
            self.pending.push(row);
        }
        if self.pending.len() >= BATCH {
            self.flush();
        }
    }

    /// Guides that differ in one choice from a base, the tests first.
    fn changes(base: &Guide, trace: &Trace) -> Vec<Guide> {
        let mut out = Vec::new();
        for atom in &trace.atoms {
            let mut next = base.clone();
            next.flips.insert(*atom);
            out.push(next);
        }
        for key in trace.counts.keys() {
            for more in [-1, 1, -2, 3] {
                let mut next = base.clone();
                next.more.insert(*key, more);
                out.push(next);
            }
        }
        for (key, (taken, count)) in &trace.decisions {
            for at in (0..*count).filter(|at| at != taken).take(60) {
                let mut next = base.clone();
                next.choices.insert(*key, at);
                out.push(next);
            }
        }
        out.truncate(500);
        out.push(Guide { outputs: !base.outputs, ..base.clone() });
        out.push(Guide { fill: !base.fill, ..base.clone() });
        out.push(Guide { strict: !base.strict, ..base.clone() });
        for variant in 1..4 {
            out.push(Guide { variant: base.variant + 17 * variant, ..base.clone() });
        }
        out
    }
}

/// Operators of a query.
fn weight(query: &Query) -> u64 {
    let mut count = 0;
    query.for_each_plan(&mut |_| count += 1);
    count
}

/// Rows that an alert takes, where it is more than one.
fn threshold(rule: &ir::Rule) -> Option<usize> {
    let trigger = rule.envelope.trigger.as_ref()?;
    let n = usize::try_from(trigger.threshold).ok()?;
    match trigger.operator.as_str() {
        "gt" if n > 0 => Some(n + 1),
        "eq" if n > 1 => Some(n),
        _ => None,
    }
}

fn hash(rows: &[Row]) -> u64 {
    use std::hash::{Hash as _, Hasher as _};
    let mut hasher = rustc_hash::FxHasher::default();
    for value in rows.iter().flat_map(|r| r.iter()) {
        ruleferry_eval::Key::new(value, Type::Dynamic).hash(&mut hasher);
    }
    rows.len().hash(&mut hasher);
    hasher.finish()
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

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let digit = (bits >> (18 - 6 * i) & 63) as usize;
            let c = DIGITS.get(digit).map_or('=', |d| char::from(*d));
            out.push(if i > chunk.len() { '=' } else { c });
        }
    }
    out
}
