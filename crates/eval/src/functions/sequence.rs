//! Arrays that are made: `range()`, `repeat()`, `zip()`.
//!
//! Kusto: "range()" (the function), "repeat()", "zip()".

use super::array::{check_items, packed};
use super::{Call, Scalar, long, real};
use crate::Value;
use crate::fault::{Fault, Result};
use ruleferry_diag::codes;
use ruleferry_ir::Json;

pub(super) static TABLE: &[(&str, Scalar)] = &[("range", range), ("repeat", repeat), ("zip", zip)];

/// `range()` is documented to stop there.
const MAX_ITEMS: i64 = 1 << 20;
const HOUR: i64 = 3600 * ruleferry_ir::TICKS_PER_SECOND;

/// From the first value to the last that is not beyond `stop`. The step is 1, or an hour.
fn range(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let (Some(start), Some(stop)) = (args.first(), args.get(1)) else { return Ok(Value::Null) };
    if let (Some(from), Some(to)) = (start.as_ticks(), stop.as_ticks()) {
        let step = args.get(2).map_or(Some(HOUR), Value::as_ticks);
        let time = if matches!(start, Value::Datetime(_)) { Json::Datetime } else { Json::Timespan };
        return Ok(step.and_then(|step| longs(from, to, step, time)).unwrap_or(Value::Null));
    }
    if let (Some(from), Some(to), Some(step)) =
        (long(args, 0), long(args, 1), if args.len() > 2 { long(args, 2) } else { Some(1) })
    {
        return Ok(longs(from, to, step, Json::Long).unwrap_or(Value::Null));
    }
    let step = if args.len() > 2 { real(args, 2) } else { Some(1.0) };
    let (Some(from), Some(to), Some(step)) = (real(args, 0), real(args, 1), step) else {
        return if [start, stop].into_iter().chain(args.get(2)).any(Value::is_null) {
            Ok(Value::Null)
        } else {
            Err(call.fault(0, "`range` takes numbers, times or time spans"))
        };
    };
    let count = ((to - from) / step).floor() + 1.0;
    if step == 0.0 || !count.is_finite() {
        return Ok(Value::Null);
    }
    let count = (count as i64).clamp(0, MAX_ITEMS);
    Ok(Value::array((0..count).map(|i| Json::Real(from + i as f64 * step)).collect()))
}

fn longs(from: i64, to: i64, step: i64, make: fn(i64) -> Json) -> Option<Value> {
    if step == 0 {
        return None;
    }
    let count = (i128::from(to) - i128::from(from)).div_euclid(i128::from(step)) + 1;
    // `div_euclid` rounds down for a positive step only.
    let count =
        if step > 0 { count } else { (i128::from(from) - i128::from(to)).div_euclid(-i128::from(step)) + 1 };
    let count = i64::try_from(count.clamp(0, i128::from(MAX_ITEMS))).unwrap_or(0);
    Some(Value::array((0..count).map(|i| make(from.wrapping_add(i.wrapping_mul(step)))).collect()))
}

fn repeat(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(count) = long(args, 1).filter(|n| *n >= 0) else { return Ok(Value::Null) };
    if count > MAX_ITEMS {
        let message = format!("`repeat` makes more than {MAX_ITEMS} elements");
        return Err(Fault::new(codes::EVAL_LIMIT, call.span, message));
    }
    Ok(Value::array(vec![packed(call, args, 0); usize::try_from(count).unwrap_or(0)]))
}

/// For each index an array of the elements at that index, null where an array is shorter.
fn zip(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let arrays: Vec<&[Json]> = args.iter().map(|a| a.as_array().unwrap_or_default()).collect();
    let longest = arrays.iter().map(|a| a.len()).max().unwrap_or(0);
    check_items(call, longest.saturating_mul(arrays.len()))?;
    let at = |i: usize| arrays.iter().map(|a| a.get(i).cloned().unwrap_or(Json::Null)).collect();
    Ok(Value::array((0..longest).map(|i| Json::Array(at(i))).collect()))
}
