//! Plugins about rows near each other and sketches beside each other.
//!
//! Kusto: "rows_near() plugin", "rolling_percentile() plugin", "dcount_intersect plugin", "identity plugin".

use super::Call;
use crate::compare::{Key, order};
use crate::expr::Scope;
use crate::fault::Result;
use crate::number::arithmetic;
use crate::rows::{Row, Rows, Slots};
use crate::sketch::{Digest, Hll};
use crate::{Value, cast};
use indexmap::IndexMap;
use ruleferry_ir::{ArithmeticOp, Type};
use std::cmp::Ordering;

#[expect(clippy::unnecessary_wraps, reason = "one of a table of plugins")]
pub(super) fn identity(_: &Call<'_, '_>, input: Rows) -> Result<Rows> {
    Ok(input)
}

#[expect(clippy::unnecessary_wraps, reason = "one of a table of plugins")]
pub(super) fn rows_count(call: &Call<'_, '_>, input: Rows) -> Result<Rows> {
    let count = Value::Long(i64::try_from(input.rows.len()).unwrap_or(i64::MAX));
    Ok(Rows { columns: call.plan.output.clone(), rows: vec![[count].into()] })
}

/// `rows_near(condition, before [, after])`
pub(super) fn rows_near(call: &Call<'_, '_>, input: Rows) -> Result<Rows> {
    let count = |place: usize| -> Result<Option<usize>> {
        Ok(call.constant(place)?.as_long().map(|n| usize::try_from(n).unwrap_or(0)))
    };
    let before = count(1)?.unwrap_or(0);
    let after = count(2)?.unwrap_or(before);
    let Some(condition) = call.expr(0) else { return Err(call.fault(0, "a condition is expected")) };
    let slots = Slots::new(&input.columns);
    let mut near = vec![false; input.rows.len()];
    for (n, row) in input.rows.iter().enumerate() {
        if call.evaluator.holds(condition, &Scope::new(&slots, row))? {
            let to = n.saturating_add(after).saturating_add(1).min(near.len());
            if let Some(flags) = near.get_mut(n.saturating_sub(before)..to) {
                flags.fill(true);
            }
        }
    }
    let rows = input.rows.into_iter().zip(near).filter(|(_, near)| *near).map(|(row, _)| row);
    Ok(Rows { rows: rows.collect(), columns: input.columns })
}

/// Beside each row how many values the first sketch has, the first two share, the first three share, …
pub(super) fn dcount_intersect(call: &Call<'_, '_>, input: Rows) -> Result<Rows> {
    let slots = Slots::new(&input.columns);
    let width = call.plan.output.len().saturating_sub(call.plugin.args.len());
    let mut rows: Vec<Row> = Vec::with_capacity(input.rows.len());
    for row in &input.rows {
        let mut made: Vec<Value> = row.iter().take(width).cloned().collect();
        let mut common: Option<Hll> = None;
        for place in 0..call.plugin.args.len() {
            let Some(e) = call.expr(place) else { continue };
            let hll = Hll::of_value(&call.evaluator.expr(e, &Scope::new(&slots, row))?).unwrap_or_default();
            match &mut common {
                Some(common) => common.intersect(&hll),
                None => common = Some(hll),
            }
            made.push(Value::Long(common.as_ref().map_or(0, Hll::count)));
        }
        rows.push(made.into());
    }
    Ok(Rows { columns: call.plan.output.clone(), rows })
}

/// `rolling_percentile(value, percent, index, bin, bins [, dimensions…])`: the percentile over the last bins, for each bin
/// that has values in its window, up to the last bin that has values.
pub(super) fn rolling_percentile(call: &Call<'_, '_>, input: Rows) -> Result<Rows> {
    let slots = Slots::new(&input.columns);
    let (value, index) = (call.place_of(0, &slots)?, call.place_of(2, &slots)?);
    let percent = call.constant(1)?.as_real().filter(|p| (0.0..=100.0).contains(p));
    let percent = percent.ok_or_else(|| call.fault(1, "a number between 0 and 100 is expected"))?;
    let size = call.constant(3)?;
    let bins = call.constant(4)?.as_long().unwrap_or(1).max(1);
    let dimensions = call.columns_from(5);
    let index_ty = call.expr(2).map_or(Type::Unknown, |e| e.ty);
    let ty = call.plan.output.last().map_or(Type::Unknown, |id| call.ty(*id));

    let mut groups: IndexMap<Vec<Key>, (Vec<Value>, Digest)> = IndexMap::new();
    let mut last: Option<Value> = None;
    for row in &input.rows {
        let at = row.get(index).unwrap_or(&Value::Null);
        let Some(mut bin) = floor(at, &size) else { continue };
        if last.as_ref().is_none_or(|l| order(&bin, l) == Ordering::Greater) {
            last = Some(bin.clone());
        }
        let value = row.get(value).unwrap_or(&Value::Null);
        let of_row: Vec<Value> = dimensions
            .iter()
            .map(|id| slots.get(*id).and_then(|i| row.get(i)).cloned().unwrap_or(Value::Null))
            .collect();
        for _ in 0..bins {
            let mut key = vec![Key::new(&bin, index_ty)];
            key.extend(of_row.iter().zip(&dimensions).map(|(v, id)| Key::new(v, call.ty(*id))));
            let group = groups.entry(key).or_insert_with(|| {
                let head = std::iter::once(bin.clone()).chain(of_row.iter().cloned());
                (head.collect(), Digest::default())
            });
            group.1.add(value, 1);
            bin = arithmetic(ArithmeticOp::Add, &bin, &size, index_ty);
        }
        call.evaluator.check_size(groups.len(), call.span())?;
    }
    let mut rows: Vec<Row> = Vec::with_capacity(groups.len());
    for (mut made, mut digest) in groups.into_values() {
        let beyond = match (made.first(), &last) {
            (Some(bin), Some(last)) => order(bin, last) == Ordering::Greater,
            _ => false,
        };
        if beyond {
            continue;
        }
        digest.sort();
        let found = digest.percentile(percent).cloned().unwrap_or(Value::Null);
        made.push(if found.is_null() || ty == Type::Unknown { found } else { cast(&found, ty) });
        rows.push(made.into());
    }
    Ok(Rows { columns: call.plan.output.clone(), rows })
}

/// The start of the bin that a value is in; none of null.
fn floor(value: &Value, size: &Value) -> Option<Value> {
    match (value, size) {
        (Value::Datetime(t), Value::Timespan(s)) if *s > 0 => Some(Value::Datetime(t - t.rem_euclid(*s))),
        (Value::Timespan(t), Value::Timespan(s)) if *s > 0 => Some(Value::Timespan(t - t.rem_euclid(*s))),
        (Value::Real(x), size) => {
            size.as_real().filter(|s| *s > 0.0).map(|s| Value::Real((x / s).floor() * s))
        }
        (value, size) => match (value.as_long()?, size.as_long()?) {
            (n, s) if s > 0 => Some(cast(&Value::Long(n - n.rem_euclid(s)), of(value))),
            _ => None,
        },
    }
}

const fn of(value: &Value) -> Type {
    if matches!(value, Value::Int(_)) { Type::Int } else { Type::Long }
}
