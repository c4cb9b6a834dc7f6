//! Element by element: arithmetic, comparisons, functions of one number.
//!
//! Kusto: "series_add()" and the other pages. A place where a series has no number gives null, also behind the end of the
//! shorter one.

use super::number;
use crate::Value;
use crate::fault::Result;
use crate::functions::Call;
use ruleferry_ir::Json;

pub(super) fn unary(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(items) = args.first().and_then(Value::as_array) else { return Ok(Value::Null) };
    let results = items.iter().map(|item| match (call.name, item) {
        // Whole numbers stay whole where the function cannot leave them.
        ("series_abs", Json::Long(n)) => n.checked_abs().map_or(Json::Null, Json::Long),
        _ => number(item).map_or(Json::Null, |x| of_one(call.name, x)),
    });
    Ok(Value::array(results.collect()))
}

fn of_one(name: &str, x: f64) -> Json {
    let inside = |is: bool, value: f64| if is { Json::Real(value) } else { Json::Null };
    match name {
        "series_abs" => Json::Real(x.abs()),
        "series_acos" => inside(x.abs() <= 1.0, x.acos()),
        "series_asin" => inside(x.abs() <= 1.0, x.asin()),
        "series_atan" => Json::Real(x.atan()),
        "series_ceiling" => Json::Real(x.ceil()),
        "series_cos" => Json::Real(x.cos()),
        "series_exp" => Json::Real(x.exp()),
        "series_floor" => Json::Real(x.floor()),
        "series_log" => inside(x > 0.0, x.ln()),
        "series_sign" => Json::Long(if x > 0.0 { 1 } else { -i64::from(x < 0.0) }),
        "series_sin" => Json::Real(x.sin()),
        "series_tan" => Json::Real(x.tan()),
        _ => Json::Null,
    }
}

/// One side may be a number, which then stands at each place.
pub(super) fn binary(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let (Some(left), Some(right)) = (args.first().and_then(Side::of), args.get(1).and_then(Side::of)) else {
        return Ok(Value::Null);
    };
    let length = left.length().max(right.length());
    let results = (0..length).map(|at| of_two(call.name, left.at(at), right.at(at)));
    Ok(Value::array(results.collect()))
}

enum Side<'v> {
    Series(&'v [Json]),
    Number(Json),
}

impl<'v> Side<'v> {
    fn of(value: &'v Value) -> Option<Self> {
        match value.as_array() {
            Some(items) => Some(Self::Series(items)),
            None => number(&value.to_json()).map(|_| Self::Number(value.to_json())),
        }
    }

    const fn length(&self) -> usize {
        match self {
            Self::Series(items) => items.len(),
            Self::Number(_) => 0,
        }
    }

    fn at(&self, at: usize) -> &Json {
        match self {
            Self::Series(items) => items.get(at).unwrap_or(&Json::Null),
            Self::Number(number) => number,
        }
    }
}

fn of_two(name: &str, left: &Json, right: &Json) -> Json {
    let (Some(a), Some(b)) = (number(left), number(right)) else { return Json::Null };
    // Whole numbers stay whole where the function cannot leave them.
    if let (Json::Long(a), Json::Long(b)) = (left, right) {
        let whole = match name {
            "series_add" => a.checked_add(*b),
            "series_subtract" => a.checked_sub(*b),
            "series_multiply" => a.checked_mul(*b),
            _ => None,
        };
        if let Some(n) = whole {
            return Json::Long(n);
        }
    }
    match name {
        "series_add" => Json::Real(a + b),
        "series_subtract" => Json::Real(a - b),
        "series_multiply" => Json::Real(a * b),
        "series_divide" => Json::Real(a / b),
        "series_pow" => Json::Real(a.powf(b)),
        "series_equals" => Json::Bool(a == b),
        "series_not_equals" => Json::Bool(a != b),
        "series_greater" => Json::Bool(a > b),
        "series_greater_equals" => Json::Bool(a >= b),
        "series_less" => Json::Bool(a < b),
        "series_less_equals" => Json::Bool(a <= b),
        _ => Json::Null,
    }
}
