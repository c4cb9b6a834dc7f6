//! Arrays: parts, order, search.
//!
//! Kusto: "array_concat()" and the other pages of the functions. What is no array gives null unless said otherwise.

use super::{Call, Scalar, long};
use crate::Value;
use crate::fault::{Fault, Result};
use crate::{compare, json};
use ruleferry_diag::codes;
use ruleferry_ir::{Json, Type};
use std::cmp::Ordering;

pub(super) static TABLE: &[(&str, Scalar)] = &[
    ("array_concat", concat),
    ("array_iff", iff),
    ("array_index_of", index_of),
    ("array_length", length),
    ("array_reverse", reverse),
    ("array_rotate_left", rotate),
    ("array_rotate_right", rotate),
    ("array_shift_left", shift),
    ("array_shift_right", shift),
    ("array_slice", slice),
    ("array_sort_asc", sort),
    ("array_sort_desc", sort),
    ("array_split", split),
    ("array_sum", sum),
    ("pack_array", pack),
];

/// The elements of an argument that is an array.
pub(super) fn items(args: &[Value], index: usize) -> Option<&[Json]> {
    args.get(index).and_then(Value::as_array)
}

/// A value as it stands inside of a dynamic one. A missing string is an empty one there too.
pub(super) fn packed(call: &Call<'_>, args: &[Value], index: usize) -> Json {
    match args.get(index) {
        Some(Value::Null) | None if call.arg_type(index) == Type::String => Json::String("".into()),
        Some(value) => value.to_json(),
        None => Json::Null,
    }
}

/// Whether two elements are the same. A time equals its text, as a time read from JSON is a text.
pub(super) fn same(a: &Json, b: &Json) -> bool {
    a == b || json::canonical(a) == json::canonical(b)
}

/// Elements that one call may make: as many as four of the longest arrays that `range()` makes.
const MAX_ITEMS: usize = 1 << 22;

pub(super) fn check_items(call: &Call<'_>, count: usize) -> Result<()> {
    if count <= MAX_ITEMS {
        return Ok(());
    }
    let message = format!("`{}` makes more than {MAX_ITEMS} elements", call.name);
    Err(Fault::new(codes::EVAL_LIMIT, call.span, message))
}

fn len(items: &[Json]) -> i64 {
    i64::try_from(items.len()).unwrap_or(i64::MAX)
}

/// A place in an array, from the end where it is negative.
fn from_end(place: i64, items: &[Json]) -> i64 {
    if place < 0 { place.saturating_add(len(items)) } else { place }
}

/// The elements from a place to one before another.
fn part(items: &[Json], from: i64, to: i64) -> Vec<Json> {
    let place = |n: i64| usize::try_from(n.max(0)).unwrap_or(usize::MAX);
    let (from, to) = (place(from), place(to).min(items.len()));
    items.get(from..to.max(from)).unwrap_or_default().to_vec()
}

fn pack(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(Value::array((0..args.len()).map(|i| packed(call, args, i)).collect()))
}

fn length(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(items(args, 0).map_or(Value::Null, |a| Value::Long(len(a))))
}

/// What is no array adds nothing.
fn concat(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    check_items(call, args.iter().filter_map(Value::as_array).map(<[Json]>::len).sum())?;
    Ok(Value::array(args.iter().filter_map(Value::as_array).flatten().cloned().collect()))
}

fn iff(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(conditions) = items(args, 0) else { return Ok(Value::Null) };
    let choose = |index: usize, at: usize| match items(args, index) {
        Some(items) => items.get(at).cloned().unwrap_or(Json::Null),
        None => packed(call, args, index),
    };
    let chosen = conditions.iter().enumerate().map(|(at, condition)| match condition {
        Json::Bool(b) => choose(if *b { 1 } else { 2 }, at),
        Json::Long(n) => choose(if *n != 0 { 1 } else { 2 }, at),
        Json::Real(x) => choose(if *x != 0.0 { 1 } else { 2 }, at),
        Json::Null
        | Json::String(_)
        | Json::Datetime(_)
        | Json::Timespan(_)
        | Json::Array(_)
        | Json::Object(_) => Json::Null,
    });
    Ok(Value::array(chosen.collect()))
}

/// `array_index_of(array, value [, start [, length [, occurrence]]])`
fn index_of(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(items) = items(args, 0) else { return Ok(Value::Null) };
    let wanted = packed(call, args, 1);
    let start = from_end(long(args, 2).unwrap_or(0), items).max(0);
    let (count, occurrence) = (long(args, 3).unwrap_or(-1), long(args, 4).unwrap_or(1));
    if count < -1 || occurrence < 0 {
        return Ok(Value::Null);
    }
    let end = if count < 0 { len(items) } else { start.saturating_add(count).min(len(items)) };
    let mut left = occurrence.max(1);
    for (at, item) in (0i64..).zip(items) {
        if at >= start && at < end && same(item, &wanted) {
            left -= 1;
            if left == 0 {
                return Ok(Value::Long(at));
            }
        }
    }
    Ok(Value::Long(-1))
}

fn reverse(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(items(args, 0).map_or(Value::Null, |a| Value::array(a.iter().rev().cloned().collect())))
}

fn rotate(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let (Some(items), Some(places)) = (items(args, 0), long(args, 1)) else { return Ok(Value::Null) };
    let mut items = items.to_vec();
    if !items.is_empty() {
        let by = usize::try_from(places.rem_euclid(len(&items))).unwrap_or(0);
        if call.name == "array_rotate_left" { items.rotate_left(by) } else { items.rotate_right(by) }
    }
    Ok(Value::array(items))
}

fn shift(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let (Some(items), Some(places)) = (items(args, 0), long(args, 1)) else { return Ok(Value::Null) };
    let places = if call.name == "array_shift_left" { places } else { places.saturating_neg() };
    let texts = items.iter().all(|item| matches!(item, Json::String(_)));
    let fill = match args.len() {
        3.. => packed(call, args, 2),
        // The page: null, or an empty string, by the type of the elements.
        _ if texts => Json::String("".into()),
        _ => Json::Null,
    };
    let shifted = (0i64..).take(items.len()).map(|at| {
        let from = usize::try_from(at.saturating_add(places)).ok();
        from.and_then(|f| items.get(f)).unwrap_or(&fill).clone()
    });
    Ok(Value::array(shifted.collect()))
}

/// Both ends are part of it.
fn slice(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let (Some(items), Some(first), Some(last)) = (items(args, 0), long(args, 1), long(args, 2)) else {
        return Ok(Value::Null);
    };
    Ok(Value::array(part(items, from_end(first, items), from_end(last, items).saturating_add(1))))
}

/// Cuts before each of the places.
fn split(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(items) = items(args, 0) else { return Ok(Value::Null) };
    let places: Option<Vec<i64>> = match args.get(1).and_then(Value::as_array) {
        Some(places) => places.iter().map(|p| if let Json::Long(n) = p { Some(*n) } else { None }).collect(),
        None => long(args, 1).map(|n| vec![n]),
    };
    let Some(places) = places else { return Ok(Value::Null) };
    let ends = places.iter().map(|p| from_end(*p, items)).chain([len(items)]);
    let (mut from, mut count) = (0, 0);
    let mut parts = Vec::with_capacity(places.len() + 1);
    for end in ends {
        let made = part(items, from, end);
        count += made.len();
        check_items(call, count)?;
        parts.push(Json::Array(made));
        from = end;
    }
    Ok(Value::array(parts))
}

fn sum(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(items) = items(args, 0) else { return Ok(Value::Null) };
    let numbers: Option<Vec<f64>> = items.iter().map(crate::value::json_real).collect();
    let numbers = numbers.filter(|n| !n.is_empty());
    Ok(numbers.map_or(Value::Null, |n| Value::Real(n.iter().sum())))
}

/// The first array in order, all others with it; an array of another length becomes null. Numbers and times come first, then
/// strings, then all others as they were: descending too, only inside of the kinds the order turns. One array for each given.
fn sort(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let flag = args.last().and_then(Value::as_bool).filter(|_| args.len() > 1);
    let nulls_last = flag.unwrap_or(true);
    let arrays = args.get(..args.len() - usize::from(flag.is_some())).unwrap_or_default();
    let Some(keys) = items(arrays, 0) else {
        return Ok(Value::array(vec![Json::Null; arrays.len()]));
    };
    let down = call.name == "array_sort_desc";
    let rank = |item: &Json| match item {
        Json::Null if nulls_last => 3,
        Json::Null => -1,
        Json::Long(_) | Json::Real(_) | Json::Datetime(_) | Json::Timespan(_) => 0,
        Json::String(_) => 1,
        Json::Bool(_) | Json::Array(_) | Json::Object(_) => 2,
    };
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by(|a, b| {
        let (Some(a), Some(b)) = (keys.get(*a), keys.get(*b)) else { return Ordering::Equal };
        let inside = match rank(a) {
            0 | 1 => compare::order(&Value::of_json(a), &Value::of_json(b)),
            _ => Ordering::Equal,
        };
        rank(a).cmp(&rank(b)).then(if down { inside.reverse() } else { inside })
    });
    let sorted = arrays.iter().map(|array| match array.as_array() {
        Some(items) if items.len() == keys.len() => {
            Json::Array(order.iter().filter_map(|i| items.get(*i)).cloned().collect())
        }
        _ => Json::Null,
    });
    Ok(Value::array(sorted.collect()))
}
