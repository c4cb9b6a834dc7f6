//! The search over truth values: clauses, unit propagation, learning from conflicts (CDCL).
//!
//! In: clauses over literals. Out: an assignment that no clause forbids, step by step: who drives the search ([`super::query`])
//! says which literal to decide next. The first variable is the constant *true*.

use super::Budget;

/// A variable or its negation: twice the variable, one more if negated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Lit(u32);

impl Lit {
    pub const TRUE: Self = Self(0);
    pub const FALSE: Self = Self(1);

    pub const fn of(var: u32) -> Self {
        Self(var << 1)
    }

    pub const fn var(self) -> u32 {
        self.0 >> 1
    }

    pub const fn is_negated(self) -> bool {
        self.0 & 1 == 1
    }

    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl std::ops::Not for Lit {
    type Output = Self;

    fn not(self) -> Self {
        Self(self.0 ^ 1)
    }
}

/// What is known of a variable.
#[derive(Clone, Copy, Debug)]
struct Var {
    value: Option<bool>,
    level: u32,
    /// The clause that forced it.
    reason: u32,
    activity: f64,
    /// What it was last.
    phase: Option<bool>,
    seen: bool,
}

const NO_CLAUSE: u32 = u32::MAX;

const FRESH: Var = Var { value: None, level: 0, reason: NO_CLAUSE, activity: 0.0, phase: None, seen: false };

#[derive(Debug)]
pub(super) struct Sat {
    vars: Vec<Var>,
    clauses: Vec<Box<[Lit]>>,
    /// By literal: the clauses that are looked at when it becomes false, each with another of its literals.
    watches: Vec<Vec<(u32, Lit)>>,
    trail: Vec<Lit>,
    /// Where each level begins in the trail.
    levels: Vec<usize>,
    propagated: usize,
    bump: f64,
    /// A clause that cannot be met was added.
    pub broken: bool,
}

/// A clause that nothing meets.
pub(super) struct Conflict(u32);

impl Sat {
    pub fn new() -> Self {
        let mut this = Self {
            vars: Vec::new(),
            clauses: Vec::new(),
            watches: Vec::new(),
            trail: Vec::new(),
            levels: Vec::new(),
            propagated: 0,
            bump: 1.0,
            broken: false,
        };
        let first = this.new_var();
        this.add(&[first]);
        this
    }

    pub fn new_var(&mut self) -> Lit {
        self.vars.push(FRESH);
        self.watches.push(Vec::new());
        self.watches.push(Vec::new());
        Lit::of(u32::try_from(self.vars.len() - 1).unwrap_or(u32::MAX >> 1))
    }

    fn var(&self, lit: Lit) -> Var {
        self.vars.get(lit.var() as usize).copied().unwrap_or(FRESH)
    }

    pub fn value(&self, lit: Lit) -> Option<bool> {
        self.var(lit).value.map(|v| v != lit.is_negated())
    }

    pub fn activity(&self, lit: Lit) -> f64 {
        self.var(lit).activity
    }

    /// Whether the literal was true when it was last assigned.
    pub fn was_true(&self, lit: Lit) -> bool {
        self.var(lit).phase == Some(!lit.is_negated())
    }

    pub const fn level(&self) -> usize {
        self.levels.len()
    }

    /// Adds a clause; only where nothing is decided.
    pub fn add(&mut self, lits: &[Lit]) {
        let mut clause: Vec<Lit> = Vec::with_capacity(lits.len());
        for lit in lits {
            match self.value(*lit) {
                Some(true) => return,
                Some(false) => {}
                None if clause.contains(&!*lit) => return,
                None if clause.contains(lit) => {}
                None => clause.push(*lit),
            }
        }
        match clause.as_slice() {
            [] => self.broken = true,
            [one] => self.assign(*one, NO_CLAUSE),
            _ => {
                self.attach(clause.into());
            }
        }
    }

    fn attach(&mut self, clause: Box<[Lit]>) -> u32 {
        let id = u32::try_from(self.clauses.len()).unwrap_or(NO_CLAUSE);
        if let [first, second, ..] = *clause {
            self.watch(first, id, second);
            self.watch(second, id, first);
        }
        self.clauses.push(clause);
        id
    }

    fn watch(&mut self, lit: Lit, clause: u32, other: Lit) {
        if let Some(list) = self.watches.get_mut(lit.index()) {
            list.push((clause, other));
        }
    }

    fn assign(&mut self, lit: Lit, reason: u32) {
        let level = u32::try_from(self.levels.len()).unwrap_or(u32::MAX);
        if let Some(var) = self.vars.get_mut(lit.var() as usize) {
            var.value = Some(!lit.is_negated());
            var.phase = var.value;
            var.level = level;
            var.reason = reason;
            self.trail.push(lit);
        }
    }

    /// Opens a level with a literal that is not assigned.
    pub fn decide(&mut self, lit: Lit) {
        self.levels.push(self.trail.len());
        self.assign(lit, NO_CLAUSE);
    }

    /// Assigns what follows.
    pub fn propagate(&mut self, budget: &mut Budget) -> Result<Option<Conflict>, String> {
        while let Some(lit) = self.trail.get(self.propagated).copied() {
            self.propagated += 1;
            let falsified = !lit;
            let Some(list) = self.watches.get_mut(falsified.index()) else { continue };
            let mut watching = std::mem::take(list);
            budget.spend(1 + watching.len() as u64 / 4)?;
            let mut kept = 0;
            let mut at = 0;
            let mut conflict = None;
            while let Some((id, other)) = watching.get(at).copied() {
                at += 1;
                let mut keep = Some((id, other));
                if self.value(other) != Some(true) {
                    match self.visit(id, falsified) {
                        Visit::Moved => keep = None,
                        Visit::Met(by) => keep = Some((id, by)),
                        Visit::Unit(unit) => self.assign(unit, id),
                        Visit::Conflict => conflict = Some(Conflict(id)),
                    }
                }
                if let Some(watch) = keep {
                    if let Some(place) = watching.get_mut(kept) {
                        *place = watch;
                    }
                    kept += 1;
                }
                if conflict.is_some() {
                    break;
                }
            }
            watching.drain(kept..at);
            if let Some(list) = self.watches.get_mut(falsified.index()) {
                // None were added meanwhile: a clause never comes to watch a literal that is false.
                *list = watching;
            }
            if conflict.is_some() {
                return Ok(conflict);
            }
        }
        Ok(None)
    }

    /// A clause of which a watched literal became false.
    fn visit(&mut self, id: u32, falsified: Lit) -> Visit {
        let value = |vars: &[Var], lit: Lit| {
            vars.get(lit.var() as usize).and_then(|v| v.value).map(|v| v != lit.is_negated())
        };
        let Some(clause) = self.clauses.get_mut(id as usize) else { return Visit::Moved };
        // The false one stands second.
        if clause.first() == Some(&falsified) {
            clause.swap(0, 1);
        }
        let Some(first) = clause.first().copied() else { return Visit::Conflict };
        if value(&self.vars, first) == Some(true) {
            return Visit::Met(first);
        }
        let free = clause.iter().skip(2).position(|lit| value(&self.vars, *lit) != Some(false));
        if let Some(place) = free {
            clause.swap(1, place + 2);
            let moved = clause.get(1).copied().unwrap_or(first);
            self.watch(moved, id, first);
            return Visit::Moved;
        }
        if value(&self.vars, first) == Some(false) { Visit::Conflict } else { Visit::Unit(first) }
    }

    /// Learns from a conflict (the first unique implication point) and goes back to where the learned clause decides. False
    /// where the conflict rests on nothing decided: there is no assignment.
    pub fn learn(&mut self, conflict: &Conflict) -> bool {
        let level = u32::try_from(self.levels.len()).unwrap_or(u32::MAX);
        if level == 0 {
            self.broken = true;
            return false;
        }
        let mut learned: Vec<Lit> = Vec::new();
        let mut open = 0usize;
        let mut clause = conflict.0;
        let mut at = self.trail.len();
        let mut touched: Vec<u32> = Vec::new();
        let point = loop {
            let lits = self.clauses.get(clause as usize).cloned().unwrap_or_default();
            for lit in lits {
                let Some(var) = self.vars.get_mut(lit.var() as usize) else { continue };
                if var.seen || var.level == 0 || var.value == Some(!lit.is_negated()) {
                    continue;
                }
                var.seen = true;
                var.activity += self.bump;
                touched.push(lit.var());
                if var.level == level { open += 1 } else { learned.push(lit) }
            }
            // Back to the latest literal that took part.
            let latest = loop {
                let Some(place) = at.checked_sub(1) else { break None };
                at = place;
                match self.trail.get(at) {
                    Some(lit) if self.var(*lit).seen && self.var(*lit).level == level => break Some(*lit),
                    _ => {}
                }
            };
            let Some(latest) = latest else { break None };
            open = open.saturating_sub(1);
            if open == 0 {
                break Some(latest);
            }
            clause = self.var(latest).reason;
        };
        for var in touched {
            if let Some(var) = self.vars.get_mut(var as usize) {
                var.seen = false;
            }
        }
        self.bump *= 1.05;
        if self.bump > 1e100 {
            for var in &mut self.vars {
                var.activity *= 1e-100;
            }
            self.bump *= 1e-100;
        }
        let Some(point) = point else {
            self.broken = true;
            return false;
        };
        // The literal of the second highest level stands second: it is watched.
        learned.sort_by_key(|lit| std::cmp::Reverse(self.var(*lit).level));
        let back = learned.first().map_or(0, |lit| self.var(*lit).level as usize);
        self.back_to(back);
        let mut clause = vec![!point];
        clause.extend(learned);
        if clause.len() == 1 {
            self.assign(!point, NO_CLAUSE);
        } else {
            let id = self.attach(clause.into());
            self.assign(!point, id);
        }
        true
    }

    /// Takes back all levels above one.
    pub fn back_to(&mut self, level: usize) {
        let Some(length) = self.levels.get(level).copied() else { return };
        self.levels.truncate(level);
        for lit in self.trail.drain(length..) {
            if let Some(var) = self.vars.get_mut(lit.var() as usize) {
                var.value = None;
                var.reason = NO_CLAUSE;
            }
        }
        self.propagated = self.propagated.min(length);
    }
}

enum Visit {
    Moved,
    Met(Lit),
    Unit(Lit),
    Conflict,
}
