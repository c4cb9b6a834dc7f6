//! `summarize`: groups of rows, and what is computed over each.

use super::Evaluator;
use crate::Value;
use crate::aggregates::{self, Group};
use crate::choice::ChoiceKind;
use crate::compare::{Key, compare};
use crate::expr::{Scope, filled};
use crate::fault::{Fault, Result};
use crate::functions::Call;
use crate::rows::{Row, Rows, Slots};
use indexmap::IndexMap;
use ruleferry_diag::codes;
use ruleferry_ir::{Aggregate, AggregateCall, AggregateItem, ColId, Expr, Item, Plan, Type};
use std::cmp::Ordering;

impl Evaluator<'_> {
    pub(super) fn aggregate(&self, plan: &Plan, input: Rows, a: &Aggregate) -> Result<Rows> {
        let groups = self.groups(&input, &a.keys)?;
        let mut all: Vec<ColId> = a.keys.iter().flat_map(|k| k.ids.clone()).collect();
        let key_width = all.len();
        all.extend(a.aggregates.iter().flat_map(|i| i.ids.clone()));
        let slots = Slots::new(&all);
        let places: Vec<Option<usize>> = plan.output.iter().map(|id| slots.get(*id)).collect();
        let input_slots = Slots::new(&input.columns);
        let mut rows: Vec<Row> = Vec::with_capacity(groups.len());
        for (keys, members) in groups {
            let mut wide = keys;
            wide.resize(key_width, Value::Null);
            for item in &a.aggregates {
                wide.extend(self.aggregate_item(
                    item,
                    &members,
                    &input_slots,
                    plan,
                    &a.keys,
                    &input.columns,
                )?);
            }
            rows.push(super::project::pick(&wide, &places));
        }
        Ok(Rows { columns: plan.output.clone(), rows })
    }

    /// Rows by their keys, in the order in which the keys turn up. Without keys there is one group, also of no rows.
    pub(crate) fn groups(&self, input: &Rows, keys: &[Item]) -> Result<Vec<(Vec<Value>, Vec<Row>)>> {
        if keys.is_empty() {
            return Ok(vec![(Vec::new(), input.rows.clone())]);
        }
        let slots = Slots::new(&input.columns);
        let mut groups: IndexMap<Vec<Key>, (Vec<Value>, Vec<Row>)> = IndexMap::new();
        for row in &input.rows {
            let scope = Scope::new(&slots, row);
            let mut values = Vec::with_capacity(keys.len());
            let mut key = Vec::with_capacity(keys.len());
            for item in keys {
                let value = self.expr(&item.expr, &scope)?;
                let value = if item.expr.ty == Type::String { filled(value) } else { value };
                key.push(Key::new(&value, item.expr.ty));
                values.push(value);
            }
            groups.entry(key).or_insert_with(|| (values, Vec::new())).1.push(Row::clone(row));
        }
        Ok(groups.into_values().collect())
    }

    /// The values of one aggregate over a group of rows: one for each of its ids.
    pub(crate) fn aggregate_item(
        &self,
        item: &AggregateItem,
        rows: &[Row],
        slots: &Slots,
        plan: &Plan,
        keys: &[Item],
        input: &[ColId],
    ) -> Result<Vec<Value>> {
        match &item.call {
            AggregateCall::Function(function, args) => {
                let Some(f) = aggregates::find(function.name) else {
                    let message = format!("the evaluator has no aggregate `{}`", function.name);
                    return Err(Fault::new(codes::EVAL_UNSUPPORTED, plan.span, message));
                };
                let mut columns: Vec<Vec<Value>> = Vec::with_capacity(args.len());
                for arg in args {
                    columns.push(self.over(arg, rows, slots)?);
                }
                let ty = match item.ids.first().map_or(Type::Unknown, |id| self.ty(*id)) {
                    // `make-series`: the column holds arrays of the values.
                    Type::Dynamic => function.return_type(&args.iter().map(|a| a.ty).collect::<Vec<_>>()),
                    ty => ty,
                };
                let span = args.first().map_or(plan.span, |a| a.span);
                let call = Call { name: function.name, ty, args, span, regexes: self.regexes() };
                let group = Group {
                    call,
                    args: &columns,
                    count: rows.len(),
                    chooser: self.chooser(),
                    columns: item.ids.len(),
                };
                let mut values = f(&group).map_err(|fault| fault.at(span))?;
                values.resize(item.ids.len(), Value::Null);
                Ok(values)
            }
            AggregateCall::ArgExtreme { max, by, returned, star } => {
                let mut by_values = self.over(by, rows, slots)?;
                if by.ty == Type::String {
                    by_values = by_values.into_iter().map(filled).collect();
                }
                let wanted = if *max { Ordering::Greater } else { Ordering::Less };
                let mut best: Vec<usize> = Vec::new();
                for (i, value) in by_values.iter().enumerate() {
                    if value.is_null() || matches!(value, Value::Real(x) if x.is_nan()) {
                        continue;
                    }
                    let so_far = best.first().and_then(|b| by_values.get(*b));
                    match so_far.map(|b| compare(value, b)) {
                        None => best.push(i),
                        Some(Some(Ordering::Equal)) => best.push(i),
                        Some(Some(order)) if order == wanted => best = vec![i],
                        Some(_) => {}
                    }
                }
                // Of nothing but nulls any row will do.
                if best.is_empty() {
                    best = (0..rows.len()).collect();
                }
                let returned = self.returned(
                    returned,
                    *star,
                    item.ids.len().saturating_sub(1),
                    keys,
                    by.as_column(),
                    input,
                );
                let row = self.chosen_row(&best, rows, &returned, slots, plan)?;
                let mut values = vec![match row {
                    Some(i) => by_values.get(i).cloned().unwrap_or(Value::Null),
                    None => empty_of(by.ty),
                }];
                values.extend(self.of_row(row, rows, &returned, slots)?);
                Ok(values)
            }
            AggregateCall::TakeAny { returned, star, condition } => {
                let mut candidates = Vec::new();
                for (i, row) in rows.iter().enumerate() {
                    let kept = match condition {
                        Some(c) => self.holds(c, &Scope::new(slots, row))?,
                        None => true,
                    };
                    if kept {
                        candidates.push(i);
                    }
                }
                let returned = self.returned(returned, *star, item.ids.len(), keys, None, input);
                // A single value: a null is only taken where there is nothing else.
                if let [only] = returned.as_slice() {
                    let values = self.over(only, rows, slots)?;
                    let there: Vec<usize> = candidates
                        .iter()
                        .copied()
                        .filter(|i| values.get(*i).is_some_and(|v| !v.is_null()))
                        .collect();
                    if !there.is_empty() {
                        candidates = there;
                    }
                }
                let row = self.chosen_row(&candidates, rows, &returned, slots, plan)?;
                self.of_row(row, rows, &returned, slots)
            }
            AggregateCall::Composed { parts, expr } => {
                let mut ids: Vec<ColId> = Vec::new();
                let mut values: Vec<Value> = Vec::new();
                for part in parts {
                    values.extend(self.aggregate_item(part, rows, slots, plan, keys, input)?);
                    ids.extend(&part.ids);
                }
                // Group keys may stand beside the aggregates: they are the same in all rows of the group.
                if let Some(row) = rows.first() {
                    for id in input {
                        if !ids.contains(id)
                            && let Some(value) = slots.get(*id).and_then(|i| row.get(i))
                        {
                            ids.push(*id);
                            values.push(value.clone());
                        }
                    }
                }
                Ok(vec![self.expr(expr, &Scope::new(&Slots::new(&ids), &values))?])
            }
        }
    }

    /// The values of an expression over rows.
    pub(crate) fn over(&self, e: &Expr, rows: &[Row], slots: &Slots) -> Result<Vec<Value>> {
        rows.iter().map(|row| self.expr(e, &Scope::new(slots, row))).collect()
    }

    /// What `arg_max(x, *)` returns: what is written, or all columns but the keys and `x`.
    fn returned(
        &self,
        written: &[Expr],
        star: bool,
        count: usize,
        keys: &[Item],
        by: Option<ColId>,
        input: &[ColId],
    ) -> Vec<Expr> {
        if !star || written.len() == count {
            return written.to_vec();
        }
        let keys: Vec<ColId> = keys.iter().filter_map(|k| k.expr.as_column()).collect();
        let rest = input.iter().filter(|id| !keys.contains(id) && Some(**id) != by && id.0 != u32::MAX);
        rest.map(|id| Expr::column(*id, self.ty(*id), ruleferry_diag::Span::default())).collect()
    }

    /// One of several rows that are as good; it is a choice only where they differ in what is returned.
    fn chosen_row(
        &self,
        candidates: &[usize],
        rows: &[Row],
        returned: &[Expr],
        slots: &Slots,
        plan: &Plan,
    ) -> Result<Option<usize>> {
        let Some(first) = candidates.first().copied() else { return Ok(None) };
        let keys = |i: usize| -> Result<Vec<Key>> {
            let values = self.of_row(Some(i), rows, returned, slots)?;
            Ok(values.iter().zip(returned).map(|(v, e)| Key::new(v, e.ty)).collect())
        };
        let mut differ = false;
        if candidates.len() > 1 {
            let of_first = keys(first)?;
            for i in candidates {
                differ = differ || keys(*i)? != of_first;
            }
        }
        if !differ {
            return Ok(Some(first));
        }
        let pick = self.chooser().pick(ChoiceKind::Value, plan.span, candidates.len());
        Ok(candidates.get(pick).copied())
    }

    fn of_row(
        &self,
        row: Option<usize>,
        rows: &[Row],
        returned: &[Expr],
        slots: &Slots,
    ) -> Result<Vec<Value>> {
        let row = row.and_then(|i| rows.get(i));
        returned
            .iter()
            .map(|e| match row {
                Some(row) => self.expr(e, &Scope::new(slots, row)),
                None => Ok(empty_of(e.ty)),
            })
            .collect()
    }
}

/// What an aggregate over no rows gives: `""` for strings, else null.
fn empty_of(ty: Type) -> Value {
    if ty == Type::String { Value::EMPTY } else { Value::Null }
}
