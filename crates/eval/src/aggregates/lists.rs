//! Arrays and bags of the values of a group.
//!
//! Kusto: "make_list()", "make_set()", "make_list_with_nulls()", "make_bag()" and their `_if` forms. Lists keep the order of
//! the rows; sets hold each value where it is first met, and of an array its elements.

use super::{Group, Table, one};
use crate::Value;
use crate::choice::ChoiceKind;
use crate::compare::Key;
use crate::fault::Result;
use indexmap::IndexMap;
use indexmap::map::Entry;
use ruleferry_ir::Json;
use rustc_hash::FxHashSet;

pub(super) static TABLE: Table = &[
    ("make_bag", make_bag),
    ("make_bag_if", make_bag),
    ("make_list", make_list),
    ("make_list_if", make_list),
    ("make_list_with_nulls", make_list_with_nulls),
    ("make_set", make_set),
    ("make_set_if", make_set),
    ("passthrough", passthrough),
];

/// Elements that are kept where the call does not say.
const MAX_ELEMENTS: usize = 1_048_576;

fn limit(group: &Group<'_>) -> usize {
    let given = group.option().and_then(Value::as_long);
    given.map_or(MAX_ELEMENTS, |n| usize::try_from(n).unwrap_or(0)).min(MAX_ELEMENTS)
}

fn make_list(group: &Group<'_>) -> Result<Vec<Value>> {
    let items = group.values().take(limit(group)).map(Value::to_json);
    one(Value::array(items.collect()))
}

fn make_list_with_nulls(group: &Group<'_>) -> Result<Vec<Value>> {
    let items = group.all_values().take(MAX_ELEMENTS).map(Value::to_json);
    one(Value::array(items.collect()))
}

fn make_set(group: &Group<'_>) -> Result<Vec<Value>> {
    let limit = limit(group);
    let ty = group.call.arg_type(0);
    let mut seen: FxHashSet<Key> = FxHashSet::default();
    let mut items: Vec<Json> = Vec::new();
    let mut left_out = false;
    let mut add = |value: &Value| {
        if seen.insert(Key::new(value, ty)) {
            if items.len() < limit {
                items.push(value.to_json());
            } else {
                left_out = true;
            }
        }
    };
    for value in group.values() {
        match value.as_array() {
            Some(elements) => elements.iter().for_each(|e| add(&Value::of_json(e))),
            None => add(value),
        }
    }
    if left_out {
        group.chooser.note(ChoiceKind::Value, group.call.span);
    }
    one(Value::array(items))
}

/// Members of all bags; what is no bag does not count. Where bags have different values for a name, one of them is taken.
fn make_bag(group: &Group<'_>) -> Result<Vec<Value>> {
    let limit = limit(group);
    let mut members = IndexMap::new();
    for value in group.values() {
        let Some(Json::Object(bag)) = value.as_json() else { continue };
        for (name, value) in bag {
            let room = members.len() < limit;
            match members.entry(name.clone()) {
                Entry::Vacant(place) if room => {
                    place.insert(value.clone());
                }
                Entry::Vacant(_) => {}
                Entry::Occupied(mut there) => {
                    let differs = there.get() != value;
                    if differs && group.chooser.pick(ChoiceKind::Value, group.call.span, 2) == 1 {
                        there.insert(value.clone());
                    }
                }
            }
        }
    }
    one(Value::dynamic(Json::Object(members)))
}

/// The value that all rows share; where they differ one of them.
fn passthrough(group: &Group<'_>) -> Result<Vec<Value>> {
    let ty = group.call.arg_type(0);
    let values: Vec<&Value> = group.all_values().collect();
    let Some(first) = values.first() else { return one(Value::Null) };
    let key = Key::new(first, ty);
    if values.iter().all(|v| Key::new(v, ty) == key) {
        return one((*first).clone());
    }
    let pick = group.chooser.pick(ChoiceKind::Value, group.call.span, values.len());
    one(values.get(pick).map_or(Value::Null, |v| (*v).clone()))
}
