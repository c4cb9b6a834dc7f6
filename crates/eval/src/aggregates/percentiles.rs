//! Percentiles by nearest rank, and digests to read them from later.
//!
//! Kusto: "percentile(), percentiles()", "percentilew(), percentilesw()", "tdigest()", "tdigest_merge()". They are estimates
//! there, with a bound on the error of the rank; the value of the exact rank is one of the permitted answers.

use super::{EXACT_VALUES, Group, Table, one};
use crate::choice::ChoiceKind;
use crate::fault::Result;
use crate::sketch::Digest;
use crate::{Value, cast};
use ruleferry_ir::{Json, Type};

pub(super) static TABLE: Table = &[
    ("percentile", percentiles),
    ("percentiles", percentiles),
    ("percentiles_array", percentiles_array),
    ("percentilesw", percentiles),
    ("percentilesw_array", percentiles_array),
    ("percentilew", percentiles),
    ("tdigest", tdigest),
    ("tdigest_merge", tdigest_merge),
];

/// The values with their weights.
fn digest(group: &Group<'_>, weights: Option<usize>) -> Digest {
    let mut digest = Digest::default();
    let weights = weights.map(|place| group.column(place));
    for (i, value) in group.all_values().enumerate() {
        let weight = match weights {
            Some(values) => values.get(i).and_then(Value::as_long).unwrap_or(0),
            None => 1,
        };
        digest.add(value, weight);
    }
    digest.sort();
    digest
}

/// The place of the weights.
fn weights(group: &Group<'_>) -> Option<usize> {
    matches!(group.call.name, "percentilew" | "percentilesw" | "percentilesw_array").then_some(1)
}

/// One value for each percentage; none of no values.
fn all(group: &Group<'_>) -> Result<Vec<Value>> {
    let weights = weights(group);
    let digest = digest(group, weights);
    if digest.is_empty() {
        return Ok(Vec::new());
    }
    if digest.len() > EXACT_VALUES {
        group.chooser.note(ChoiceKind::Estimate, group.call.span);
    }
    let first = if weights.is_some() { 2 } else { 1 };
    let mut found = Vec::new();
    for place in first..group.args.len() {
        let given = group.constant(place).unwrap_or(&Value::Null);
        let percents: Vec<Option<f64>> = match given.as_array() {
            Some(items) => items.iter().map(|i| Value::of_json(i).as_real()).collect(),
            None => vec![given.as_real()],
        };
        for percent in percents {
            let percent = percent.filter(|p| (0.0..=100.0).contains(p)).ok_or_else(|| {
                group.call.fault(place, "a percentile has to be a number between 0 and 100")
            })?;
            found.push(digest.percentile(percent).cloned().unwrap_or(Value::Null));
        }
    }
    Ok(found)
}

fn percentiles(group: &Group<'_>) -> Result<Vec<Value>> {
    let ty = group.call.ty;
    let keep = matches!(ty, Type::Unknown | Type::Dynamic);
    let mut found = all(group)?;
    for value in &mut found {
        if !keep && !value.is_null() {
            *value = cast(value, ty);
        }
    }
    found.resize(group.columns, if ty == Type::String { Value::EMPTY } else { Value::Null });
    Ok(found)
}

/// Null of no values.
fn percentiles_array(group: &Group<'_>) -> Result<Vec<Value>> {
    let found = all(group)?;
    if found.is_empty() {
        return one(Value::Null);
    }
    one(Value::array(found.iter().map(Value::to_json).collect::<Vec<Json>>()))
}

fn tdigest(group: &Group<'_>) -> Result<Vec<Value>> {
    let digest = digest(group, (group.args.len() > 1).then_some(1));
    one(if digest.is_empty() { Value::Null } else { digest.to_value() })
}

fn tdigest_merge(group: &Group<'_>) -> Result<Vec<Value>> {
    let mut merged = Digest::default();
    for digest in group.values().filter_map(Digest::of_value) {
        merged.merge(&digest);
    }
    one(if merged.is_empty() { Value::Null } else { merged.to_value() })
}
