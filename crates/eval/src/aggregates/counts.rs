//! How many rows, how many different values.
//!
//! Kusto: "count()", "countif()", "dcount()", "count_distinct()", "hll()", "hll_merge()". `dcount` and `hll` are estimates
//! there; the exact number is one of the permitted answers.

use super::{EXACT_VALUES, Group, Table, one};
use crate::Value;
use crate::choice::ChoiceKind;
use crate::compare::Key;
use crate::fault::Result;
use crate::sketch::Hll;
use rustc_hash::FxHashSet;

pub(super) static TABLE: Table = &[
    ("count", count),
    ("count_distinct", distinct),
    ("count_distinctif", distinct),
    ("countif", count),
    ("dcount", estimate),
    ("dcountif", estimate),
    ("hll", hll),
    ("hll_if", hll),
    ("hll_merge", hll_merge),
];

fn long(n: usize) -> Value {
    Value::Long(i64::try_from(n).unwrap_or(i64::MAX))
}

/// `count(x)` counts the rows in which `x` is true, as `countif` does.
fn count(group: &Group<'_>) -> Result<Vec<Value>> {
    if group.args.is_empty() {
        return one(long(group.count));
    }
    let rows = group.column(0).iter().filter(|v| v.as_bool() == Some(true));
    one(long(rows.count()))
}

fn different(group: &Group<'_>) -> usize {
    let ty = group.call.arg_type(0);
    group.values().map(|v| Key::new(v, ty)).collect::<FxHashSet<Key>>().len()
}

fn distinct(group: &Group<'_>) -> Result<Vec<Value>> {
    one(long(different(group)))
}

fn estimate(group: &Group<'_>) -> Result<Vec<Value>> {
    let count = different(group);
    if count > EXACT_VALUES {
        group.chooser.note(ChoiceKind::Estimate, group.call.span);
    }
    one(long(count))
}

/// Null of no values.
fn hll(group: &Group<'_>) -> Result<Vec<Value>> {
    let ty = group.call.arg_type(0);
    let mut hll = Hll::default();
    let mut any = false;
    for value in group.values() {
        hll.add(value, ty);
        any = true;
    }
    one(if any { hll.to_value() } else { Value::Null })
}

fn hll_merge(group: &Group<'_>) -> Result<Vec<Value>> {
    let mut merged: Option<Hll> = None;
    for hll in group.values().filter_map(Hll::of_value) {
        merged.get_or_insert_default().merge(&hll);
    }
    one(merged.map_or(Value::Null, |m| m.to_value()))
}
