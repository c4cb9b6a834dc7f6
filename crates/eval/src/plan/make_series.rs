//! `make-series`: aggregates over the steps of an axis, as one array for each group of rows.
//!
//! Kusto: "make-series operator". Steps count from `from`, or, where there is none and for `in range`, as `bin()` does. Where a
//! bound is missing it is the first or last step of the group that has rows.

use super::Evaluator;
use super::project::pick;
use crate::Value;
use crate::cast::cast;
use crate::expr::Scope;
use crate::fault::{Fault, Result};
use crate::rows::{Row, Rows, Slots};
use ruleferry_diag::codes;
use ruleferry_ir::{AggregateCall, AggregateItem, ColId, Expr, Json, MakeSeries, Plan, SeriesItem, Type};
use std::collections::BTreeMap;

/// Kusto makes no longer series.
const MAX_STEPS: i64 = 1 << 20;

impl Evaluator<'_> {
    pub(super) fn make_series(&self, plan: &Plan, input: Rows, node: &MakeSeries) -> Result<Rows> {
        let made = |rows| Rows { columns: plan.output.clone(), rows };
        let Some(axis) = self.axis(node)? else { return Ok(made(Vec::new())) };
        let slots = Slots::new(&input.columns);
        // Rows inside of the range, with their step.
        let mut inside = Rows { columns: input.columns.clone(), rows: Vec::new() };
        for row in &input.rows {
            if self.step_of(node, &axis, row, &slots)?.is_some() {
                inside.rows.push(Row::clone(row));
            }
        }
        if inside.rows.is_empty() && !(node.nonempty && node.keys.is_empty()) {
            return Ok(made(Vec::new()));
        }
        let defaults: Vec<Json> =
            node.aggregates.iter().map(|item| self.default_of(item)).collect::<Result<_>>()?;
        let ids = node
            .keys
            .iter()
            .flat_map(|k| &k.ids)
            .chain(node.aggregates.iter().flat_map(|a| &a.aggregate.ids));
        let all: Vec<ColId> = ids.copied().chain([node.axis_out]).collect();
        let out_slots = Slots::new(&all);
        let places: Vec<Option<usize>> = plan.output.iter().map(|id| out_slots.get(*id)).collect();
        let mut rows: Vec<Row> = Vec::new();
        let mut points = 0usize;
        for (keys, members) in self.groups(&inside, &node.keys)? {
            let mut steps: BTreeMap<i64, Vec<Row>> = BTreeMap::new();
            for row in members {
                if let Some(step) = self.step_of(node, &axis, &row, &slots)? {
                    steps.entry(step).or_default().push(row);
                }
            }
            let first = axis.first.or_else(|| steps.keys().next().copied()).unwrap_or(0);
            let last = axis.last.or_else(|| steps.keys().next_back().copied()).unwrap_or(first - 1);
            if last.saturating_sub(first) >= MAX_STEPS {
                let message = format!("`make-series` makes a series of more than {MAX_STEPS} steps");
                return Err(Fault::new(codes::EVAL_LIMIT, plan.span, message).help("use a larger step"));
            }
            points = points.saturating_add(usize::try_from(last - first + 1).unwrap_or(0));
            self.check_size(points, plan.span)?;
            let mut wide = keys;
            wide.resize(node.keys.iter().map(|k| k.ids.len()).sum(), Value::Null);
            for (item, default) in node.aggregates.iter().zip(&defaults) {
                let mut arrays: Vec<Vec<Json>> = vec![Vec::new(); item.aggregate.ids.len()];
                for step in first..=last {
                    let values = match steps.get(&step) {
                        Some(rows) => self.aggregate_item(
                            &item.aggregate,
                            rows,
                            &slots,
                            plan,
                            &node.keys,
                            &input.columns,
                        )?,
                        None => Vec::new(),
                    };
                    for (place, array) in arrays.iter_mut().enumerate() {
                        array.push(values.get(place).map_or_else(|| default.clone(), Value::to_json));
                    }
                }
                wide.extend(arrays.into_iter().map(Value::array));
            }
            wide.push(Value::array((first..=last).map(|step| axis.at(step)).collect()));
            rows.push(pick(&wide, &places));
        }
        Ok(made(rows))
    }

    /// `None` where a bound is null: nothing is inside of such a range.
    fn axis(&self, node: &MakeSeries) -> Result<Option<Axis>> {
        let ty =
            if matches!(node.axis.ty, Type::Dynamic | Type::Unknown) { Type::Datetime } else { node.axis.ty };
        let number = |e: &Expr, ty: Type| -> Result<Option<Number>> {
            let value = self.constant(e)?;
            Ok(Number::of(&value).or_else(|| Number::of(&cast(&value, ty))))
        };
        let width = match ty {
            Type::Datetime | Type::Timespan => Type::Timespan,
            Type::Int | Type::Long => Type::Long,
            Type::Bool
            | Type::Real
            | Type::Decimal
            | Type::String
            | Type::Guid
            | Type::Dynamic
            | Type::Unknown => Type::Real,
        };
        let step = number(&node.step, width)?.filter(|s| s.real() > 0.0);
        let Some(step) = step else {
            return Err(Fault::new(codes::EVAL_ARGUMENT, node.step.span, "the step must be more than 0"));
        };
        let bound = |e: &Option<Expr>| e.as_ref().map(|e| number(e, ty)).transpose();
        let (from, to) = (bound(&node.from)?, bound(&node.to)?);
        if from == Some(None) || to == Some(None) {
            return Ok(None);
        }
        let (from, to) = (from.flatten(), to.flatten());
        let origin = from.filter(|_| !node.in_range).unwrap_or(Number::Whole(0));
        let mut axis =
            Axis { ty, origin, step, from, to, includes_to: node.in_range, first: None, last: None };
        axis.first = from.map(|from| axis.step_at(from));
        axis.last = to.map(|to| {
            let step = axis.step_at(to);
            // The step that `to` begins lies behind the range, unless `to` is part of it.
            if !node.in_range && !axis.value(step).below(to) { step - 1 } else { step }
        });
        Ok(Some(axis))
    }

    /// The step of a row; `None` outside of the range.
    fn step_of(&self, node: &MakeSeries, axis: &Axis, row: &[Value], slots: &Slots) -> Result<Option<i64>> {
        let value = self.expr(&node.axis, &Scope::new(slots, row))?;
        let number = Number::of(&value).or_else(|| Number::of(&cast(&value, axis.ty)));
        Ok(number.filter(|n| axis.holds(*n)).map(|n| axis.step_at(n)))
    }

    /// What stands at a step without rows: 0 unless said otherwise, of the type of the values.
    fn default_of(&self, item: &SeriesItem) -> Result<Json> {
        let ty = value_type(&item.aggregate);
        let value = match &item.default {
            Some(e) => self.constant(e)?,
            None => Value::Long(0),
        };
        let keep = value.is_null() || matches!(ty, Type::Dynamic | Type::Unknown);
        Ok(if keep { value.to_json() } else { cast(&value, ty).to_json() })
    }
}

/// The type of the values before they are put into arrays.
fn value_type(item: &AggregateItem) -> Type {
    match &item.call {
        AggregateCall::Function(function, args) => {
            function.return_type(&args.iter().map(|a| a.ty).collect::<Vec<_>>())
        }
        AggregateCall::ArgExtreme { by, .. } => by.ty,
        AggregateCall::TakeAny { returned, .. } => returned.first().map_or(Type::Unknown, |e| e.ty),
        AggregateCall::Composed { expr, .. } => expr.ty,
    }
}

/// A place on the axis.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Number {
    /// Whole numbers and ticks.
    Whole(i64),
    Real(f64),
}

impl Number {
    fn of(value: &Value) -> Option<Self> {
        if let Some(n) = value.as_ticks().or_else(|| value.as_long()) {
            return Some(Self::Whole(n));
        }
        value.as_real().filter(|x| x.is_finite()).map(Self::Real)
    }

    const fn real(self) -> f64 {
        match self {
            Self::Whole(n) => n as f64,
            Self::Real(x) => x,
        }
    }

    fn below(self, other: Self) -> bool {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => a < b,
            (a, b) => a.real() < b.real(),
        }
    }
}

struct Axis {
    ty: Type,
    /// Where step 0 begins.
    origin: Number,
    step: Number,
    from: Option<Number>,
    to: Option<Number>,
    includes_to: bool,
    /// The steps of the bounds.
    first: Option<i64>,
    last: Option<i64>,
}

impl Axis {
    fn holds(&self, at: Number) -> bool {
        let starts = self.from.is_none_or(|from| !at.below(from));
        let ends = self.to.is_none_or(|to| if self.includes_to { !to.below(at) } else { at.below(to) });
        starts && ends
    }

    fn step_at(&self, at: Number) -> i64 {
        match (at, self.origin, self.step) {
            (Number::Whole(at), Number::Whole(origin), Number::Whole(step)) => {
                at.saturating_sub(origin).div_euclid(step)
            }
            _ => ((at.real() - self.origin.real()) / self.step.real()).floor() as i64,
        }
    }

    fn value(&self, step: i64) -> Number {
        match (self.origin, self.step) {
            (Number::Whole(origin), Number::Whole(width)) => {
                Number::Whole(origin.saturating_add(step.saturating_mul(width)))
            }
            _ => Number::Real(self.origin.real() + step as f64 * self.step.real()),
        }
    }

    fn at(&self, step: i64) -> Json {
        match (self.value(step), self.ty) {
            (Number::Whole(n), Type::Datetime) => Json::Datetime(n),
            (Number::Whole(n), Type::Timespan) => Json::Timespan(n),
            (Number::Whole(n), Type::Int | Type::Long) => Json::Long(n),
            (number, _) => Json::Real(number.real()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(origin: Number, step: Number) -> Axis {
        Axis {
            ty: Type::Real,
            origin,
            step,
            from: None,
            to: None,
            includes_to: false,
            first: None,
            last: None,
        }
    }

    #[test]
    fn steps_before_the_origin_are_below_zero() {
        let whole = axis(Number::Whole(10), Number::Whole(4));
        for (at, step, begins) in [(10, 0, 10), (13, 0, 10), (14, 1, 14), (9, -1, 6), (6, -1, 6), (5, -2, 2)]
        {
            assert_eq!(whole.step_at(Number::Whole(at)), step, "{at}");
            assert_eq!(whole.value(step), Number::Whole(begins), "{at}");
        }
        let real = axis(Number::Whole(0), Number::Real(0.5));
        assert_eq!(real.step_at(Number::Real(-0.1)), -1);
        assert_eq!(real.value(-1), Number::Real(-0.5));
    }

    #[test]
    fn ends_that_no_number_holds_do_not_overflow() {
        let wide = axis(Number::Whole(i64::MIN), Number::Whole(1));
        assert_eq!(wide.step_at(Number::Whole(i64::MAX)), i64::MAX);
        assert_eq!(wide.value(i64::MAX), Number::Whole(-1));
    }
}
