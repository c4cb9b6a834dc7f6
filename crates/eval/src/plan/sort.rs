//! `sort` and `top`.

use super::Evaluator;
use crate::Value;
use crate::choice::ChoiceKind;
use crate::compare::order;
use crate::expr::Scope;
use crate::fault::Result;
use crate::rows::{Row, Rows, Slots};
use crate::window::Windows;
use ruleferry_ir::{Expr, Plan, SortKey, Type};
use std::cmp::Ordering;

impl Evaluator<'_> {
    pub(super) fn sort(&self, plan: &Plan, input: Rows, keys: &[SortKey]) -> Result<Rows> {
        let mut keyed = self.keyed(&input, keys)?;
        // Stable: ties keep the order in which they came.
        keyed.sort_by(|a, b| by_keys(&a.0, &b.0, keys));
        if self.order_counts {
            for ties in keyed.chunk_by_mut(|a, b| by_keys(&a.0, &b.0, keys).is_eq()) {
                let by = self.chooser().pick(ChoiceKind::Rows, plan.span, ties.len());
                ties.rotate_left(by);
            }
        }
        Ok(Rows { columns: input.columns, rows: keyed.into_iter().map(|(_, row)| row).collect() })
    }

    pub(super) fn top(&self, plan: &Plan, input: Rows, count: &Expr, keys: &[SortKey]) -> Result<Rows> {
        let wanted = self.count(count)?;
        let mut keyed = self.keyed(&input, keys)?;
        keyed.sort_by(|a, b| by_keys(&a.0, &b.0, keys));
        // Rows that tie with the last one that is kept could be kept in its place.
        if let (Some(last), Some(next)) =
            (wanted.checked_sub(1).and_then(|n| keyed.get(n)), keyed.get(wanted))
            && by_keys(&last.0, &next.0, keys) == Ordering::Equal
        {
            let key = last.0.clone();
            let first = keyed.iter().position(|k| by_keys(&k.0, &key, keys) == Ordering::Equal).unwrap_or(0);
            let end =
                keyed.iter().rposition(|k| by_keys(&k.0, &key, keys) == Ordering::Equal).unwrap_or(first);
            let ties = keyed.get_mut(first..=end).unwrap_or_default();
            let by = self.chooser().rotation(ChoiceKind::Rows, plan.span, ties.len(), wanted - first);
            ties.rotate_left(by);
        }
        keyed.truncate(wanted);
        Ok(Rows { columns: input.columns, rows: keyed.into_iter().map(|(_, row)| row).collect() })
    }

    fn keyed(&self, input: &Rows, keys: &[SortKey]) -> Result<Vec<(Vec<Value>, Row)>> {
        let slots = Slots::new(&input.columns);
        let exprs: Vec<&Expr> = keys.iter().map(|k| &k.expr).collect();
        let windows = Windows::of(self, &exprs, &slots, &input.rows)?;
        let mut keyed = Vec::with_capacity(input.rows.len());
        for (n, row) in input.rows.iter().enumerate() {
            let scope = Scope { slots: &slots, row, windows: windows.as_ref().map(|w| (w, n)) };
            let mut values = Vec::with_capacity(keys.len());
            for key in keys {
                let value = self.expr(&key.expr, &scope)?;
                values.push(if key.expr.ty == Type::String { crate::expr::filled(value) } else { value });
            }
            keyed.push((values, Row::clone(row)));
        }
        Ok(keyed)
    }
}

fn by_keys(a: &[Value], b: &[Value], keys: &[SortKey]) -> Ordering {
    let mut pairs = a.iter().zip(b).zip(keys);
    pairs.find_map(|((a, b), key)| Some(by_key(a, b, key)).filter(|o| o.is_ne())).unwrap_or(Ordering::Equal)
}

/// Null and NaN stand together at the end that the key names, whichever way the values run.
fn by_key(a: &Value, b: &Value, key: &SortKey) -> Ordering {
    let rank = |v: &Value| match v {
        Value::Null => 0,
        Value::Real(x) if x.is_nan() => 1,
        _ => 2,
    };
    let (ra, rb) = (rank(a), rank(b));
    if ra != 2 || rb != 2 {
        let order = ra.cmp(&rb);
        return if key.nulls_first { order } else { order.reverse() };
    }
    let order = order(a, b);
    if key.descending { order.reverse() } else { order }
}
