//! The solver: can a formula hold?
//!
//! In: a formula of an [`Arena`]. Out: an [`Answer`]: that no row meets it (proved), values of terms that do (a suggestion:
//! terms that depend on each other are taken as free), or that the budget ended or something is out of reach.
//!
//! [`Solver`] keeps what was found out about languages for the next question of the same comparison. `encode` makes clauses
//! of a formula, `sat` searches for truth values, `query` drives it and asks `theory` about each term: `text/` for languages,
//! `region` for numbers and times. `eval` says what an atom is under given values.

mod encode;
pub mod eval;
mod query;
mod region;
mod sat;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod text;
mod theory;

use query::Query;
pub(crate) use region::value_of;

use crate::Arena;
use crate::formula::FormulaId;
use crate::term::{Constant, TermId};
use crate::verdict::Proof;
use indexmap::IndexMap;

/// Steps left. All parts of a comparison draw on one budget, so that the same input gives the same verdict everywhere.
#[derive(Clone, Debug)]
pub struct Budget {
    pub steps: u64,
    pub stop: Option<fn() -> bool>,
}

impl Budget {
    pub const END: &'static str = "the limit of steps was reached";
    /// Steps between two questions whether to stop.
    const ASK: u64 = 1 << 14;

    pub const fn new(steps: u64, stop: Option<fn() -> bool>) -> Self {
        Self { steps, stop }
    }

    /// Takes steps off. `Err`: there are no more, or someone asked to stop.
    pub fn spend(&mut self, steps: u64) -> Result<(), String> {
        let before = self.steps;
        self.steps = before.saturating_sub(steps);
        if before / Self::ASK != self.steps / Self::ASK && self.stop.is_some_and(|stop| stop()) {
            self.steps = 0;
        }
        if self.steps == 0 { Err(Self::END.into()) } else { Ok(()) }
    }

    pub const fn is_spent(&self) -> bool {
        self.steps == 0
    }
}

/// Values of terms; a term that is not there may have any. `None`: no value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    pub values: IndexMap<TermId, Option<Constant>>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// No row meets it. [`Proof::Automaton`] where languages had to be compared, else [`Proof::Solver`].
    Unsatisfiable(Proof),
    /// Values that meet it as far as each term alone is concerned.
    Satisfiable(Model),
    /// Why it was not decided.
    Unknown(String),
}

/// What is asked in one comparison.
#[derive(Debug, Default)]
pub struct Solver {
    texts: text::Texts,
    /// No term that is a column has the empty text as a value.
    empty_is_absent: bool,
}

impl Solver {
    pub fn new(empty_is_absent: bool) -> Self {
        Self { empty_is_absent, ..Self::default() }
    }

    /// Takes for granted that no text holds `ſ`, `İ` or the Kelvin sign, which languages fold in different ways.
    #[must_use]
    pub fn without_odd_letters(mut self) -> Self {
        self.texts.no_odd_letters = true;
        self
    }

    /// Whether an answer may rest on what [`Self::without_odd_letters`] takes for granted.
    pub const fn rests_on_letters(&self) -> bool {
        self.texts.rests
    }

    /// Whether a formula can hold.
    pub fn satisfiable(&mut self, arena: &Arena, formula: FormulaId, budget: &mut Budget) -> Answer {
        Query::new(self, arena, formula).solve(budget)
    }

    /// Whether `b` holds wherever `a` does: unsatisfiable is yes, a model meets `a` and not `b`.
    pub fn implies(&mut self, arena: &mut Arena, a: FormulaId, b: FormulaId, budget: &mut Budget) -> Answer {
        let not_b = arena.not(b);
        let both = arena.and([a, not_b]);
        self.satisfiable(arena, both, budget)
    }

    /// Up to `most` models, each resting on another choice of tests.
    pub fn models(
        &mut self,
        arena: &Arena,
        formula: FormulaId,
        most: usize,
        budget: &mut Budget,
    ) -> Vec<Model> {
        let mut query = Query::new(self, arena, formula);
        let mut models = Vec::new();
        while models.len() < most {
            let Answer::Satisfiable(model) = query.solve(budget) else { break };
            models.push(model);
            if !query.exclude_last() {
                break;
            }
        }
        models
    }

    /// For each atom of a formula a literal, and models in which the formula holds with it and without it, where there are
    /// such: what tells the formula from one that lacks the atom is among them.
    pub fn covering(
        &mut self,
        arena: &Arena,
        formula: FormulaId,
        budget: &mut Budget,
    ) -> Vec<(FormulaId, bool, Model)> {
        let mut query = Query::new(self, arena, formula);
        let mut models = Vec::new();
        for literal in query::literals(arena, formula) {
            for holds in [true, false] {
                match query.solve_with(&[(literal, holds)], budget) {
                    Answer::Satisfiable(model) => models.push((literal, holds, model)),
                    Answer::Unsatisfiable(_) | Answer::Unknown(_) if budget.is_spent() => return models,
                    Answer::Unsatisfiable(_) | Answer::Unknown(_) => {}
                }
            }
        }
        models
    }
}

#[cfg(test)]
mod tests;
