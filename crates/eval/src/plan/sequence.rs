//! `scan`: steps over rows in their order.
//!
//! Kusto: "scan operator", whose matching logic this follows. Each step has a state: the latest row of each step up to it
//! that led there. A row is tried on all steps, the last one first. Where the step before has a state and the row meets the
//! condition, that state moves on (check 1); where the step itself has one, or is the first, the row takes its place in it
//! (check 2).

use super::Evaluator;
use crate::Value;
use crate::expr::{Scope, filled};
use crate::fault::{Fault, Result};
use crate::rows::{Row, Rows, Slots};
use ruleferry_diag::codes;
use ruleferry_ir::{ColId, Plan, Sequence, SequenceStep, Type};

/// What a step remembers.
#[derive(Clone, Default)]
struct State {
    match_id: i64,
    /// The latest row of each step, as wide as [`Machine::columns`]; none of steps that were left out.
    rows: Vec<Option<Vec<Value>>>,
    /// `output=last`: the row of this step that stands in `rows` has not come out yet.
    waiting: bool,
}

/// What becomes of the rows that match a step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Output {
    All,
    Last,
    None,
}

struct Machine<'m, 'q> {
    evaluator: &'m Evaluator<'q>,
    steps: &'m [SequenceStep],
    outputs: Vec<Output>,
    /// The columns of a row inside: those of the input, the declared ones, the id of the match.
    columns: Slots,
    width: usize,
    match_place: Option<usize>,
    /// What a column shows of a step that has no row: its declared default.
    defaults: Vec<Value>,
    /// Columns of the output.
    places: Vec<Option<usize>>,
    states: Vec<Option<State>>,
    next_match: i64,
    made: Vec<Row>,
}

impl Evaluator<'_> {
    pub(super) fn sequence(&self, plan: &Plan, input: Rows, node: &Sequence) -> Result<Rows> {
        let mut columns: Vec<ColId> = input.columns.to_vec();
        let mut defaults = vec![Value::Null; columns.len()];
        for (id, default) in &node.declared {
            let value = default.as_ref().map_or(Ok(Value::Null), |e| self.constant(e))?;
            defaults.push(if self.ty(*id) == Type::String { filled(value) } else { value });
            columns.push(*id);
        }
        if let Some(id) = node.match_id {
            columns.push(id);
            defaults.push(Value::Null);
        }
        let slots = Slots::new(&columns);
        let output = |step: &SequenceStep| match step.output.as_deref() {
            Some("last") => Output::Last,
            Some("none") => Output::None,
            Some(_) | None => Output::All,
        };
        let mut machine = Machine {
            evaluator: self,
            steps: &node.steps,
            outputs: node.steps.iter().map(output).collect(),
            width: columns.len(),
            match_place: node.match_id.and_then(|id| slots.get(id)),
            places: plan.output.iter().map(|id| slots.get(*id)).collect(),
            columns: slots,
            defaults,
            states: vec![None; node.steps.len()],
            next_match: 0,
            made: Vec::new(),
        };
        for row in &input.rows {
            for k in (0..node.steps.len()).rev() {
                machine.step(k, row)?;
            }
            self.check_size(machine.made.len(), plan.span)?;
        }
        for k in 0..node.steps.len() {
            machine.ended(k);
        }
        Ok(Rows { columns: plan.output.clone(), rows: machine.made })
    }
}

impl Machine<'_, '_> {
    /// Tries a row on a step.
    fn step(&mut self, k: usize, row: &Row) -> Result<()> {
        if let Some(from) = self.before(k)
            && self.matches(k, Some(from), row)?
        {
            self.ended(k);
            self.ended(from);
            let mut state = self.states.get_mut(from).and_then(Option::take).unwrap_or_default();
            // Steps in between that were left out have no row.
            state.rows.resize(k, None);
            return self.taken(k, state, row);
        }
        let active = self.states.get(k).is_some_and(Option::is_some);
        let first = self.steps.iter().take(k).all(|s| s.optional);
        if (active || first) && self.matches(k, active.then_some(k), row)? {
            let state = self.states.get_mut(k).and_then(Option::take);
            let state = state.unwrap_or_else(|| {
                let match_id = self.next_match;
                self.next_match += 1;
                State { match_id, rows: vec![None; k], waiting: false }
            });
            return self.taken(k, state, row);
        }
        Ok(())
    }

    /// The step whose state moves on to step `k`: the one before, or an earlier one if all between are optional.
    fn before(&self, k: usize) -> Option<usize> {
        for j in (0..k).rev() {
            if self.states.get(j).is_some_and(Option::is_some) {
                return Some(j);
            }
            if self.steps.get(j).is_none_or(|s| !s.optional) {
                return None;
            }
        }
        None
    }

    /// Whether a row meets the condition of a step, which sees the state of step `from`.
    fn matches(&self, k: usize, from: Option<usize>, row: &Row) -> Result<bool> {
        let Some(step) = self.steps.get(k) else { return Ok(false) };
        let state = from.and_then(|j| self.states.get(j)).and_then(Option::as_ref);
        let (slots, wide) = self.seen(step, self.fresh(row), state);
        self.evaluator.holds(&step.condition, &Scope::new(&slots, &wide))
    }

    /// A row of the input with the declared columns at their defaults.
    fn fresh(&self, row: &Row) -> Vec<Value> {
        let defaults = self.defaults.iter().skip(row.len());
        row.iter().chain(defaults).take(self.width).cloned().collect()
    }

    /// The row as a step sees it: with the values that it names of the rows in a state behind.
    fn seen(&self, step: &SequenceStep, mut wide: Vec<Value>, state: Option<&State>) -> (Slots, Vec<Value>) {
        let mut slots = self.columns.clone();
        for (name, column, id) in &step.states {
            let row =
                self.steps.iter().position(|s| s.name == *name).and_then(|j| state?.rows.get(j)?.as_ref());
            let place = self.columns.get(*column);
            let value = match row {
                Some(row) => place.and_then(|p| row.get(p)),
                None => place.and_then(|p| self.defaults.get(p)),
            };
            slots.put(*id, wide.len());
            wide.push(value.cloned().unwrap_or(Value::Null));
        }
        (slots, wide)
    }

    /// A row matched: the step's values are computed, the row comes out and becomes part of the state.
    fn taken(&mut self, k: usize, mut state: State, row: &Row) -> Result<()> {
        let Some(step) = self.steps.get(k) else { return Ok(()) };
        let mut fresh = self.fresh(row);
        if let Some(slot) = self.match_place.and_then(|p| fresh.get_mut(p)) {
            *slot = Value::Long(state.match_id);
        }
        let (slots, mut wide) = self.seen(step, fresh, Some(&state));
        for (id, e) in &step.assignments {
            let value = self.evaluator.expr(e, &Scope::new(&slots, &wide))?;
            // A value that goes into itself in each row (`s.x = pack_array(s.x)`) grows without end.
            if value.as_json().is_some_and(crate::json::is_too_deep) {
                let message = "this value holds more levels of arrays and bags than can be worked on";
                return Err(Fault::new(codes::EVAL_LIMIT, e.span, message));
            }
            if let Some(slot) = slots.get(*id).and_then(|p| wide.get_mut(p)) {
                *slot = value;
            }
        }
        wide.truncate(self.width);
        let output = self.outputs.get(k).copied().unwrap_or(Output::All);
        if output == Output::All {
            self.made.push(super::project::pick(&wide, &self.places));
        }
        state.waiting = output == Output::Last;
        state.rows.truncate(k);
        state.rows.push(Some(wide));
        if let Some(slot) = self.states.get_mut(k) {
            *slot = Some(state);
        }
        Ok(())
    }

    /// A series of matches of a step is over: with `output=last` its last row comes out.
    fn ended(&mut self, k: usize) {
        let Some(Some(state)) = self.states.get_mut(k) else { return };
        if state.waiting {
            state.waiting = false;
            if let Some(Some(row)) = state.rows.get(k) {
                self.made.push(super::project::pick(row, &self.places));
            }
        }
    }
}
