//! Who was active when: counts over windows of time.
//!
//! Kusto: "activity_counts_metrics plugin", "sliding_window_counts plugin", "active_users_count plugin". The time column may be
//! a number too.

use super::Call;
use crate::Value;
use crate::compare::{Key, order};
use crate::expr::filled;
use crate::fault::Result;
use crate::rows::{Row, Rows, Slots};
use indexmap::IndexMap;
use ruleferry_ir::{ColId, Type};
use rustc_hash::FxHashSet;
use std::collections::{BTreeMap, BTreeSet};

/// What somebody did: when, who, and what the result is split by.
struct Event {
    at: i64,
    id: Key,
}

/// The events of each combination of dimensions.
struct Events {
    ty: Type,
    groups: Vec<(Vec<Value>, Vec<Event>)>,
}

/// The place of a time on its axis: ticks, or the number itself.
fn position(value: &Value) -> Option<i64> {
    value.as_ticks().or_else(|| value.as_long())
}

fn events(call: &Call<'_, '_>, input: &Rows, dimensions: usize) -> Result<Events> {
    let slots = Slots::new(&input.columns);
    let (id, time) = (call.place_of(0, &slots)?, call.place_of(1, &slots)?);
    let id_ty = call.expr(0).map_or(Type::Unknown, |e| e.ty);
    let ty = call.expr(1).map_or(Type::Unknown, |e| e.ty);
    let dimensions: Vec<ColId> = call.columns_from(dimensions);
    let mut groups: IndexMap<Vec<Key>, (Vec<Value>, Vec<Event>)> = IndexMap::new();
    for row in &input.rows {
        let Some(at) = row.get(time).and_then(position) else { continue };
        let values: Vec<Value> = dimensions
            .iter()
            .map(|id| {
                let value = slots.get(*id).and_then(|i| row.get(i)).cloned().unwrap_or(Value::Null);
                if call.ty(*id) == Type::String { filled(value) } else { value }
            })
            .collect();
        let key = values.iter().zip(&dimensions).map(|(v, id)| Key::new(v, call.ty(*id))).collect();
        let event = Event { at, id: Key::new(row.get(id).unwrap_or(&Value::Null), id_ty) };
        groups.entry(key).or_insert_with(|| (values, Vec::new())).1.push(event);
    }
    Ok(Events { ty, groups: groups.into_values().collect() })
}

fn value_at(at: i64, ty: Type) -> Value {
    match ty {
        Type::Datetime => Value::Datetime(at),
        Type::Timespan => Value::Timespan(at),
        Type::Int => i32::try_from(at).map_or(Value::Null, Value::Int),
        Type::Bool
        | Type::Long
        | Type::Real
        | Type::Decimal
        | Type::String
        | Type::Guid
        | Type::Dynamic
        | Type::Unknown => Value::Long(at),
    }
}

/// An argument on the axis of time, or a length of it.
fn axis(call: &Call<'_, '_>, place: usize) -> Result<i64> {
    let value = call.constant(place)?;
    position(&value).ok_or_else(|| call.fault(place, "a time or a span of time is expected"))
}

fn length(call: &Call<'_, '_>, place: usize) -> Result<i64> {
    let length = axis(call, place)?;
    if length > 0 { Ok(length) } else { Err(call.fault(place, "a span above zero is expected")) }
}

fn long(n: usize) -> Value {
    Value::Long(i64::try_from(n).unwrap_or(i64::MAX))
}

/// Rows by time, then as their dimensions turned up.
fn in_order(call: &Call<'_, '_>, mut rows: Vec<Row>) -> Rows {
    let first = |row: &Row| row.first().cloned().unwrap_or(Value::Null);
    rows.sort_by(|a, b| order(&first(a), &first(b)));
    Rows { columns: call.plan.output.clone(), rows }
}

/// `activity_counts_metrics(id, time, start, end, window [, dimensions…])`: for each window that has events how many there
/// are, of how many ids, how many of those were in no window before, and how many there have been so far.
pub(super) fn counts(call: &Call<'_, '_>, input: Rows) -> Result<Rows> {
    let events = events(call, &input, 5)?;
    let (start, end, window) = (axis(call, 2)?, axis(call, 3)?, length(call, 4)?);
    let mut rows: Vec<Row> = Vec::new();
    for (dimensions, all) in &events.groups {
        let mut windows: BTreeMap<i64, Vec<&Key>> = BTreeMap::new();
        for event in all.iter().filter(|e| (start..=end).contains(&e.at)) {
            let bin = start + (event.at - start).div_euclid(window) * window;
            windows.entry(bin).or_default().push(&event.id);
        }
        let mut seen: FxHashSet<&Key> = FxHashSet::default();
        for (bin, ids) in windows {
            let different: FxHashSet<&Key> = ids.iter().copied().collect();
            let new = different.iter().filter(|id| !seen.contains(*id)).count();
            seen.extend(&different);
            let mut row = vec![value_at(bin, events.ty)];
            row.extend(dimensions.iter().cloned());
            row.extend([long(ids.len()), long(different.len()), long(new), long(seen.len())]);
            rows.push(row.into());
        }
    }
    Ok(in_order(call, rows))
}

/// `sliding_window_counts(id, time, start, end, look-back, bin [, dimensions…])`: for each bin the events of the look-back
/// up to its end.
pub(super) fn sliding_window(call: &Call<'_, '_>, input: Rows) -> Result<Rows> {
    let events = events(call, &input, 6)?;
    let (start, end, back, bin) = (axis(call, 2)?, axis(call, 3)?, length(call, 4)?, length(call, 5)?);
    let mut rows: Vec<Row> = Vec::new();
    for (dimensions, all) in &events.groups {
        let mut by_bin: BTreeMap<i64, Vec<&Key>> = BTreeMap::new();
        for event in all.iter().filter(|e| e.at > start.saturating_sub(back) && e.at <= end) {
            by_bin.entry(start + (event.at - start).div_euclid(bin) * bin).or_default().push(&event.id);
        }
        // The bins whose look-back reaches an event.
        let mut reached: BTreeSet<i64> = BTreeSet::new();
        for first in by_bin.keys() {
            let mut at = *first;
            while at <= end && at < first.saturating_add(back) {
                if at >= start {
                    reached.insert(at);
                }
                at = at.saturating_add(bin);
            }
            call.evaluator.check_size(reached.len(), call.span())?;
        }
        for at in reached {
            let mut count = 0;
            let mut different: FxHashSet<&Key> = FxHashSet::default();
            for (_, ids) in by_bin.range(at.saturating_sub(back).saturating_add(1)..=at) {
                count += ids.len();
                different.extend(ids);
            }
            let mut row = vec![value_at(at, events.ty)];
            row.extend(dimensions.iter().cloned());
            row.extend([long(count), long(different.len())]);
            rows.push(row.into());
        }
    }
    Ok(in_order(call, rows))
}

/// `active_users_count(id, time, start, end, look-back, period, count, bin [, dimensions…])`: for each bin how many ids have
/// an event in it before which they were active in that many periods of the look-back.
pub(super) fn active_users(call: &Call<'_, '_>, input: Rows) -> Result<Rows> {
    let events = events(call, &input, 8)?;
    let (start, end) = (axis(call, 2)?, axis(call, 3)?);
    let (back, period) = (length(call, 4)?, length(call, 5)?);
    let wanted = call.constant(6)?.as_long().and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
    let bin = length(call, 7)?;
    let mut rows: Vec<Row> = Vec::new();
    for (dimensions, all) in &events.groups {
        let mut times: IndexMap<&Key, BTreeSet<i64>> = IndexMap::new();
        for event in all {
            times.entry(&event.id).or_default().insert(event.at);
        }
        let mut bins: BTreeMap<i64, usize> = BTreeMap::new();
        for times in times.values() {
            let mut active: BTreeSet<i64> = BTreeSet::new();
            for at in times.iter().filter(|t| (start..=end).contains(*t)) {
                let from = at.saturating_sub(back).saturating_add(1);
                let periods: BTreeSet<i64> = times.range(from..=*at).map(|t| t.div_euclid(period)).collect();
                if periods.len() >= wanted {
                    active.insert(start + (at - start).div_euclid(bin) * bin);
                }
            }
            for bin in active {
                *bins.entry(bin).or_default() += 1;
            }
        }
        for (bin, count) in bins {
            let mut row = vec![value_at(bin, events.ty)];
            row.extend(dimensions.iter().cloned());
            row.push(long(count));
            rows.push(row.into());
        }
    }
    Ok(in_order(call, rows))
}
