//! Tables on which a rule alerts, and others that differ from them in one choice.
//!
//! In: a search. Out: tables that it takes: what only one of the rules has is changed first.

use super::layout::threshold;
use super::maker::{self, Guide, Trace};
use super::news::News;
use super::{ATTEMPTS, Made, Search, observe, vary};
use ruleferry_eval::{MemoryTables, Value};

/// Tables on which a rule alerts, or nearly, and what they were made of.
pub(super) struct Base {
    pub side: usize,
    pub guide: Guide,
    pub made: Made,
}

/// How far the making of tables for each rule has come.
#[derive(Default)]
pub(super) struct Bases {
    pub attempts: [u64; 2],
    pub hits: [u32; 2],
    pub bases: Vec<Base>,
    pub pool: Vec<MemoryTables>,
}

/// Values beside the one that a test looks for that are tried.
const NEAR: usize = 12;

impl Search<'_, '_> {
    /// Makes tables on which a rule alerts, so many.
    pub(super) fn alerting(&mut self, bases: &mut Bases, side: usize, wanted: u32) {
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
    pub(super) fn constants(&mut self, bases: &Bases) {
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
    pub(super) fn together(&mut self, bases: &Bases) {
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
    pub(super) fn change(&mut self, bases: &mut Bases, news: bool) {
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
    pub(super) fn reached(&mut self, bases: &[Base]) -> Vec<Base> {
        let mut reached: Vec<Base> = Vec::new();
        let mut makes = 60;
        for Base { side, guide, made } in bases {
            let copies = self.rules.get(*side).and_then(|r| threshold(r));
            let options = made.trace.decisions.iter().flat_map(|(key, (taken, count))| {
                (0..*count).filter(move |at| at != taken).take(20).map(move |at| (*key, at))
            });
            for (key, at) in options.filter(|(key, _)| key.2 != maker::NEEDLE) {
                if makes == 0 || reached.len() >= 6 || self.done() {
                    return reached;
                }
                makes -= 1;
                let mut guide = guide.clone();
                guide.choices.insert(key, at);
                let next = self.make(&[(*side, false)], &guide, copies);
                let known = |leaf: &maker::Key| {
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
    pub(super) fn news(base: &Guide, trace: &Trace, news: &News) -> Vec<Guide> {
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
            let element = key.2 == maker::NEEDLE;
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

    /// Guides that differ in one choice from a base, the tests first.
    pub(super) fn changes(base: &Guide, trace: &Trace) -> Vec<Guide> {
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
