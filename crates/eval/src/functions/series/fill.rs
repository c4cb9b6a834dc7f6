//! Missing values filled in.
//!
//! Kusto: "series_fill_forward()", "series_fill_backward()", "series_fill_const()", "series_fill_linear()". Missing is null,
//! or the number that an argument names.

use super::number;
use crate::Value;
use crate::fault::Result;
use crate::functions::{Call, array, real};
use ruleferry_ir::Json;

/// Whether an element is a missing value; `index` is the argument that says what stands for one.
fn missing(args: &[Value], index: usize) -> impl Fn(&Json) -> bool + use<> {
    let stands_for = real(args, index);
    move |item| matches!(item, Json::Null) || (stands_for.is_some() && number(item) == stands_for)
}

/// Each missing value becomes the last known one before it. What has none stays as it is.
fn carried<'j>(items: impl Iterator<Item = &'j Json>, missing: impl Fn(&Json) -> bool) -> Vec<Json> {
    let mut last = None;
    let filled = items.map(|item| {
        if !missing(item) {
            last = Some(item);
        }
        last.unwrap_or(item).clone()
    });
    filled.collect()
}

pub(super) fn forward(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(items) = array::items(args, 0) else { return Ok(Value::Null) };
    Ok(Value::array(carried(items.iter(), missing(args, 1))))
}

pub(super) fn backward(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(items) = array::items(args, 0) else { return Ok(Value::Null) };
    let mut filled = carried(items.iter().rev(), missing(args, 1));
    filled.reverse();
    Ok(Value::array(filled))
}

pub(super) fn constant(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(items) = array::items(args, 0) else { return Ok(Value::Null) };
    let value = if args.len() > 1 { array::packed(call, args, 1) } else { Json::Long(0) };
    let missing = missing(args, 2);
    let filled = items.iter().map(|item| if missing(item) { value.clone() } else { item.clone() });
    Ok(Value::array(filled.collect()))
}

/// On the line between the nearest known values; in a series of whole numbers without the fraction. At the ends the nearest
/// known value, unless edges are to stay. A series without any known value is filled with a constant.
pub(super) fn linear(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(items) = array::items(args, 0) else { return Ok(Value::Null) };
    let missing = missing(args, 1);
    let edges = args.get(2).and_then(Value::as_bool) != Some(false);
    let constant = if args.len() > 3 { array::packed(call, args, 3) } else { Json::Real(0.0) };
    let values: Vec<Option<f64>> =
        items.iter().map(|item| if missing(item) { None } else { number(item) }).collect();
    let places: Vec<(usize, f64)> =
        values.iter().enumerate().filter_map(|(at, value)| value.map(|v| (at, v))).collect();
    let (Some((_, first)), Some((_, last))) = (places.first(), places.last()) else {
        return Ok(Value::array(vec![constant; items.len()]));
    };
    let whole = !items.iter().any(|item| matches!(item, Json::Real(_)));
    let made = |x: f64| if whole { Json::Long(x.trunc() as i64) } else { Json::Real(x) };
    let mut after = places.iter().peekable();
    let mut before: Option<(usize, f64)> = None;
    let filled = items.iter().zip(&values).enumerate().map(|(at, (item, value))| {
        if value.is_some() {
            before = after.next().copied();
            return item.clone();
        }
        match (before, after.peek()) {
            (Some((from, low)), Some((to, high))) => {
                made(low + (high - low) * (at - from) as f64 / (to - from) as f64)
            }
            (None, _) if edges => made(*first),
            (_, None) if edges => made(*last),
            _ => Json::Null,
        }
    });
    Ok(Value::array(filled.collect()))
}
