//! Functions that look at other rows: `prev`, `next`, `row_number`, `row_cumsum`, `row_rank_…`, `row_window_session`.
//!
//! In: the expressions of an operator and all its rows in their order. Out: for each such call its value in each row, which
//! the evaluation of the expression then looks up.

use crate::cast::cast;
use crate::compare::{compare, order};
use crate::expr::Scope;
use crate::fault::{Fault, Result};
use crate::plan::Evaluator;
use crate::rows::{Row, Slots};
use crate::{Value, number};
use ruleferry_diag::codes;
use ruleferry_ir::functions::Flags;
use ruleferry_ir::{ArithmeticOp, Child, Expr, ExprKind, Item, Type};
use rustc_hash::FxHashMap;
use std::cmp::Ordering;

const NAMES: [&str; 7] =
    ["prev", "next", "row_number", "row_cumsum", "row_rank_dense", "row_rank_min", "row_window_session"];

pub(crate) fn is_window(name: &str) -> bool {
    NAMES.contains(&name)
}

/// The values of all calls of an operator, by the address of the call.
#[derive(Debug, Default)]
pub(crate) struct Windows(FxHashMap<*const Expr, Vec<Value>>);

impl Windows {
    pub fn get(&self, call: &Expr, row: usize) -> Option<Value> {
        self.0.get(&std::ptr::from_ref(call)).and_then(|values| values.get(row)).cloned()
    }

    /// The calls in some expressions, which see the columns of the input. `None`: there are none.
    pub fn of(
        evaluator: &Evaluator<'_>,
        exprs: &[&Expr],
        slots: &Slots,
        rows: &[Row],
    ) -> Result<Option<Self>> {
        let mut windows = Self::default();
        for e in exprs {
            windows.add(evaluator, e, slots, rows)?;
        }
        Ok((!windows.0.is_empty()).then_some(windows))
    }

    /// The same for items of which a later one may name what an earlier one computed.
    pub fn of_items(
        evaluator: &Evaluator<'_>,
        items: &[Item],
        exprs: &[&Expr],
        slots: &Slots,
        rows: &[Row],
        width: usize,
    ) -> Result<Option<Self>> {
        if !exprs.iter().any(|e| e.has_window()) {
            return Ok(None);
        }
        let mut windows = Self::default();
        let mut wide: Vec<Vec<Value>> = rows
            .iter()
            .map(|row| {
                let mut row = row.to_vec();
                row.resize(width, Value::Null);
                row
            })
            .collect();
        for item in items {
            let shared: Vec<Row> = wide.iter().map(|r| Row::from(r.as_slice())).collect();
            windows.add(evaluator, &item.expr, slots, &shared)?;
            for (n, row) in wide.iter_mut().enumerate() {
                let value = {
                    let scope = Scope { slots, row, windows: Some((&windows, n)) };
                    evaluator.item(item, &scope)?
                };
                evaluator.put(item, value, slots, row);
            }
        }
        Ok(Some(windows))
    }

    /// Adds the calls of an expression, inner ones first.
    fn add(&mut self, evaluator: &Evaluator<'_>, e: &Expr, slots: &Slots, rows: &[Row]) -> Result<()> {
        let mut result = Ok(());
        e.children(&mut |child| {
            if let Child::Expr(inner) = child
                && result.is_ok()
            {
                result = self.add(evaluator, inner, slots, rows);
            }
        });
        result?;
        if let ExprKind::Call(function, args) = &e.kind
            && function.has(Flags::WINDOW)
        {
            let values = self.column(evaluator, function.name, e, args, slots, rows)?;
            self.0.insert(std::ptr::from_ref(e), values);
        }
        Ok(())
    }

    fn column(
        &self,
        evaluator: &Evaluator<'_>,
        name: &str,
        call: &Expr,
        args: &[Expr],
        slots: &Slots,
        rows: &[Row],
    ) -> Result<Vec<Value>> {
        let over = |e: &Expr| -> Result<Vec<Value>> {
            let scope = |n, row| Scope { slots, row, windows: Some((self, n)) };
            rows.iter().enumerate().map(|(n, row)| evaluator.expr(e, &scope(n, row))).collect()
        };
        let column = |index: usize| args.get(index).map(over).transpose();
        let flags = |index: usize| -> Result<Vec<bool>> {
            let values = column(index)?.unwrap_or_else(|| vec![Value::FALSE; rows.len()]);
            Ok(values.iter().map(|v| v.as_bool() == Some(true)).collect())
        };
        let first = || column(0).map(Option::unwrap_or_default);
        Ok(match name {
            "prev" | "next" => {
                let values = first()?;
                let offset = column(1)?.and_then(|v| v.first().and_then(Value::as_long)).unwrap_or(1);
                let offset = if name == "prev" { -offset } else { offset };
                let ty = call.ty;
                let default = column(2)?.and_then(|v| v.first().cloned());
                let default = match default {
                    Some(v) if !v.is_null() && !matches!(ty, Type::Dynamic | Type::Unknown) => cast(&v, ty),
                    Some(v) => v,
                    None if ty == Type::String => Value::EMPTY,
                    None => Value::Null,
                };
                let at = |n: usize| {
                    let place = i64::try_from(n).unwrap_or(i64::MAX).checked_add(offset);
                    place.and_then(|p| usize::try_from(p).ok()).and_then(|p| values.get(p)).cloned()
                };
                (0..rows.len()).map(|n| at(n).unwrap_or_else(|| default.clone())).collect()
            }
            "row_number" => {
                let start = column(0)?.and_then(|v| v.first().and_then(Value::as_long)).unwrap_or(1);
                let mut at = start;
                let restart = flags(1)?;
                let numbers = restart.iter().enumerate().map(|(n, restart)| {
                    at = if n == 0 || *restart { start } else { at.wrapping_add(1) };
                    Value::Long(at)
                });
                numbers.collect()
            }
            "row_cumsum" => {
                let values = first()?;
                let restart = flags(1)?;
                let zero = cast(&Value::Long(0), call.ty);
                let mut sum = zero.clone();
                let sums = values.iter().zip(&restart).map(|(value, restart)| {
                    if *restart {
                        sum = zero.clone();
                    }
                    if !value.is_null() {
                        sum = number::arithmetic(ArithmeticOp::Add, &sum, value, call.ty);
                    }
                    sum.clone()
                });
                sums.collect()
            }
            "row_rank_dense" | "row_rank_min" => {
                let values = first()?;
                let restart = flags(1)?;
                let (mut rank, mut row) = (0i64, 0i64);
                let mut before: Option<&Value> = None;
                let ranks = values.iter().zip(&restart).map(|(value, restart)| {
                    if *restart {
                        (rank, row, before) = (0, 0, None);
                    }
                    row += 1;
                    if before.is_none_or(|b| order(b, value) != Ordering::Equal) {
                        rank = if name == "row_rank_dense" { rank + 1 } else { row };
                    }
                    before = Some(value);
                    Value::Long(rank)
                });
                ranks.collect()
            }
            "row_window_session" => session(&first()?, column(1)?, column(2)?, &flags(3)?),
            _ => {
                let message = format!("the evaluator has no function `{name}`");
                return Err(Fault::new(codes::EVAL_UNSUPPORTED, call.span, message));
            }
        })
    }
}

/// The start of the session that each time is in. A new one begins where the time is as far as that from the session's first
/// time, or from the time before, where a restart is asked for, and behind a null.
fn session(
    times: &[Value],
    far: Option<Vec<Value>>,
    apart: Option<Vec<Value>>,
    restart: &[bool],
) -> Vec<Value> {
    let limit = |values: &Option<Vec<Value>>, n: usize| values.as_ref().and_then(|v| v.get(n)).cloned();
    let mut start = Value::Null;
    let mut before = Value::Null;
    let mut starts = Vec::with_capacity(times.len());
    for (n, time) in times.iter().enumerate() {
        let beyond = |from: &Value, limit: Option<Value>| {
            let distance = number::arithmetic(ArithmeticOp::Sub, time, from, Type::Timespan);
            limit.is_some_and(|l| matches!(compare(&distance, &l), Some(Ordering::Greater | Ordering::Equal)))
        };
        let new = start.is_null()
            || time.is_null()
            || restart.get(n) == Some(&true)
            || beyond(&start, limit(&far, n))
            || beyond(&before, limit(&apart, n));
        if new {
            start = time.clone();
        }
        before = time.clone();
        starts.push(start.clone());
    }
    starts
}
