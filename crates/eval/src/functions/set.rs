//! Arrays as sets. The order of a set is left open by the language; here it is that of first appearance.
//!
//! Kusto: "set_union()", "set_intersect()", "set_difference()", "set_has_element()", "set_equals()", "jaccard_index()".

use super::array::{items, packed, same};
use super::{Call, Scalar};
use crate::Value;
use crate::fault::Result;
use crate::json::canonical;
use ruleferry_ir::Json;
use rustc_hash::FxHashSet;
use smol_str::SmolStr;

pub(super) static TABLE: &[(&str, Scalar)] = &[
    ("jaccard_index", jaccard_index),
    ("set_difference", difference),
    ("set_equals", equals),
    ("set_has_element", has_element),
    ("set_intersect", intersect),
    ("set_union", union),
];

fn members(items: &[Json]) -> FxHashSet<SmolStr> {
    items.iter().map(canonical).collect()
}

/// The sets that some arguments are; what is no array has no members.
fn sets(args: &[Value]) -> Vec<FxHashSet<SmolStr>> {
    args.iter().map(|a| members(a.as_array().unwrap_or_default())).collect()
}

/// The elements that a test on their text keeps, each once.
fn distinct<'j>(items: impl Iterator<Item = &'j Json>, keep: impl Fn(&SmolStr) -> bool) -> Value {
    let mut seen = FxHashSet::default();
    let kept = items.filter(|item| {
        let text = canonical(item);
        keep(&text) && seen.insert(text)
    });
    Value::array(kept.cloned().collect())
}

fn union(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(distinct(args.iter().filter_map(Value::as_array).flatten(), |_| true))
}

fn intersect(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(first) = items(args, 0) else { return Ok(Value::Null) };
    let others = sets(args.get(1..).unwrap_or_default());
    Ok(distinct(first.iter(), |item| others.iter().all(|set| set.contains(item))))
}

fn difference(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(first) = items(args, 0) else { return Ok(Value::Null) };
    let others = sets(args.get(1..).unwrap_or_default());
    Ok(distinct(first.iter(), |item| !others.iter().any(|set| set.contains(item))))
}

fn has_element(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(items) = items(args, 0) else { return Ok(Value::Null) };
    let wanted = packed(call, args, 1);
    Ok(Value::Bool(items.iter().any(|item| same(item, &wanted))))
}

fn equals(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let (Some(a), Some(b)) = (items(args, 0), items(args, 1)) else { return Ok(Value::Null) };
    Ok(Value::Bool(members(a) == members(b)))
}

fn jaccard_index(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let (Some(a), Some(b)) = (items(args, 0), items(args, 1)) else { return Ok(Value::Null) };
    let (a, b) = (members(a), members(b));
    let common = a.intersection(&b).count() as f64;
    Ok(Value::dynamic(Json::Real(common / a.union(&b).count() as f64)))
}
