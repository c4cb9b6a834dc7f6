//! What is asked of the result of an aggregate: so many rows, so many different values, rows that meet a condition.
//!
//! In: a wish at a column that a group has. Out: wishes at its rows, and how often they come.

use super::maker::{COPIES, Inst, Key, Maker, key};
use super::wish::{Test, Wish, holds};
use ruleferry_eval::Value;
use ruleferry_ir::{AggregateCall, AggregateItem, Expr};

impl<'q> Maker<'q, '_, '_> {
    /// So many different values of an expression in a group.
    pub(super) fn vary(&mut self, group: usize, world: usize, arg: &'q Expr, count: usize, at: Key) -> bool {
        let Some(inst) = self.groups.get(group).and_then(|g| g.worlds.get(world)).map(|w| w.inst) else {
            return false;
        };
        self.trace.counts.insert(at, count);
        let more = self.guide.more.get(&at).copied().unwrap_or(0);
        let count = usize::try_from(i64::try_from(count).unwrap_or(0) + more).unwrap_or(0);
        let step = self.step_of(arg, inst);
        let node = self.node_of(arg, inst).or_else(|| self.parts(arg, inst).into_iter().next());
        let Some(node) = node else { return false };
        self.store.wish(node, Wish::present());
        self.repeat(group, world, count, vec![(node, step)]);
        true
    }

    /// Asks something of the result of an aggregate.
    pub(super) fn wish_made(
        &mut self,
        group: usize,
        item: &'q AggregateItem,
        part: usize,
        wish: &Wish,
    ) -> bool {
        let Some(first) = self.groups.get(group).and_then(|g| g.worlds.first()).map(|w| w.inst) else {
            return false;
        };
        let at = key(item, first, COPIES);
        if let Some((e, _)) = self.passed(item, part) {
            let (condition, zero) = match &item.call {
                AggregateCall::Function(f, args) if f.name.ends_with("if") => {
                    (args.last(), f.name == "sumif" && holds(&Value::Long(0), wish, self.store.patterns))
                }
                AggregateCall::TakeAny { condition, .. } => (condition.as_ref(), false),
                AggregateCall::Function(..)
                | AggregateCall::ArgExtreme { .. }
                | AggregateCall::Composed { .. } => (None, false),
            };
            if zero {
                return true;
            }
            let (world, inst) = match condition {
                Some(_) => match self.conditioned(group) {
                    Some(found) => found,
                    None => return false,
                },
                None => (0, first),
            };
            if let Some(c) = condition {
                self.goal(c, inst, true);
            }
            // A sum of values that a rule itself gives: so many rows.
            if let AggregateCall::Function(f, _) = &item.call
                && matches!(f.name, "sum" | "sumif")
                && self.node_of(e, inst).is_none()
                && let Some(each) = self.eval(e, inst, 0).and_then(|v| v.as_real()).filter(|x| *x > 0.0)
                && let Some(n) = self.count_for(wish)
            {
                let rows = (n as f64 / each).ceil().clamp(1.0, 1500.0) as usize;
                self.copies(group, world, rows, at);
                return true;
            }
            return self.wish(e, inst, wish.clone());
        }
        let AggregateCall::Function(f, args) = &item.call else { return false };
        match f.name {
            "count" => {
                let Some(n) = self.count_for(wish) else { return false };
                if n > 1 || self.guide.more.contains_key(&at) {
                    self.copies(group, 0, n, at);
                } else {
                    self.trace.counts.insert(at, n);
                }
                true
            }
            "countif" | "dcountif" | "count_distinctif" => {
                let Some(n) = self.count_for_zero(wish) else { return false };
                if n == 0 {
                    return true;
                }
                let Some((world, inst)) = self.conditioned(group) else { return false };
                if let Some(c) = if f.name == "countif" { args.first() } else { args.get(1) } {
                    self.goal(c, inst, true);
                }
                match (f.name, args.first()) {
                    ("countif", _) => {
                        self.copies(group, world, n, at);
                        true
                    }
                    (_, Some(arg)) => self.vary(group, world, arg, n, at),
                    _ => false,
                }
            }
            "dcount" | "count_distinct" | "hll" => {
                let (Some(n), Some(arg)) = (self.count_for(wish), args.first()) else { return false };
                if n > 1 || self.guide.more.contains_key(&at) {
                    self.vary(group, 0, arg, n, at)
                } else {
                    self.trace.counts.insert(at, n);
                    let node = self.node_of(arg, first);
                    if let Some(node) = node {
                        self.store.wish(node, Wish::present());
                    }
                    true
                }
            }
            "stdev" | "stdevp" | "variance" | "variancep" | "stdevif" | "varianceif" => {
                args.first().is_some_and(|arg| self.vary(group, 0, arg, 3, at))
            }
            "make_set" | "make_list" | "make_set_if" | "make_list_if" | "make_list_with_nulls" => {
                let Some(arg) = args.first() else { return false };
                match wish.test {
                    Test::Text { .. } if wish.not => true,
                    Test::Text { .. } => self.wish(arg, first, wish.clone()),
                    Test::Present | Test::Empty | Test::Null => {
                        if let Some(node) = self.node_of(arg, first) {
                            self.store.wish(node, Wish::present());
                        }
                        true
                    }
                    Test::Order(..) | Test::Equal(..) | Test::Length(..) => false,
                }
            }
            _ => false,
        }
    }

    /// As [`Self::count_for`], but none where none will do.
    pub(super) fn count_for_zero(&self, wish: &Wish) -> Option<usize> {
        if holds(&Value::Long(0), wish, self.store.patterns) { Some(0) } else { self.count_for(wish) }
    }

    /// A set of rows of the group of which no condition is asked yet.
    pub(super) fn conditioned(&mut self, group: usize) -> Option<(usize, Inst)> {
        let free = {
            let g = self.groups.get_mut(group)?;
            let w = g.worlds.first_mut()?;
            let free = !w.conditioned;
            w.conditioned = true;
            free.then_some((0, w.inst))
        };
        if free.is_some() {
            return free;
        }
        let world = self.world(group)?;
        let inst = self.groups.get(group)?.worlds.get(world)?.inst;
        Some((world, inst))
    }
}
