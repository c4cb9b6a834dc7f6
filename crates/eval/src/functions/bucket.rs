//! Rounding to multiples: `bin` and its neighbours.
//!
//! Source: Kusto documentation, "bin()", "bin_at()", "ceiling()", "round()". A bin that is null or not above 0 gives null.

use super::{Call, Scalar, long};
use crate::cast::cast;
use crate::fault::Result;
use crate::{Value, decimal, time};
use ruleferry_ir::Type;
use rust_decimal::{Decimal, RoundingStrategy};

pub(super) static TABLE: &[(&str, Scalar)] =
    &[("bin", bin), ("bin_at", bin_at), ("ceiling", ceiling), ("round", round)];

fn bin(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let [value, size] = args else { return Ok(Value::Null) };
    Ok(binned(value, size, None, call.ty))
}

fn bin_at(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let [value, size, from] = args else { return Ok(Value::Null) };
    if from.is_null() {
        return Ok(Value::Null);
    }
    Ok(binned(value, size, Some(from), call.ty))
}

/// The greatest multiple of `size`, counted from `from`, that is not above the value.
fn binned(value: &Value, size: &Value, from: Option<&Value>, ty: Type) -> Value {
    if value.is_null() || size.is_null() {
        return Value::Null;
    }
    let ty = match ty {
        // What is known only when run: by the value itself.
        Type::Dynamic | Type::Unknown | Type::Bool | Type::String | Type::Guid => kind(value, size),
        Type::Int | Type::Long | Type::Real | Type::Decimal | Type::Datetime | Type::Timespan => ty,
    };
    let binned = || match ty {
        Type::Int | Type::Long | Type::Datetime | Type::Timespan => {
            let (value, size) = (ticks(value)?, ticks(size)?);
            let from = from.map_or(Some(0), ticks)?;
            if size <= 0 {
                return None;
            }
            let offset = i128::from(value) - i128::from(from);
            let floor = i128::from(from) + offset.div_euclid(i128::from(size)) * i128::from(size);
            of_ticks(i64::try_from(floor).ok()?, ty)
        }
        Type::Real => {
            let (value, size) = (value.as_real()?, size.as_real()?);
            let from = from.map_or(Some(0.0), Value::as_real)?;
            if size.is_nan() || size <= 0.0 {
                return None;
            }
            Some(Value::Real(((value - from) / size).floor() * size + from))
        }
        Type::Decimal => {
            let (value, size) = (decimal::of_value(value)?, decimal::of_value(size)?);
            let from = from.map_or(Some(Decimal::ZERO), decimal::of_value)?;
            if size <= Decimal::ZERO {
                return None;
            }
            let count = value.checked_sub(from)?.checked_div(size)?.floor();
            count.checked_mul(size)?.checked_add(from).map(Value::Decimal)
        }
        Type::Bool | Type::String | Type::Guid | Type::Dynamic | Type::Unknown => None,
    };
    binned().unwrap_or(Value::Null)
}

fn kind(value: &Value, size: &Value) -> Type {
    match (value, size) {
        (Value::Datetime(_), _) => Type::Datetime,
        (Value::Timespan(_), _) => Type::Timespan,
        (Value::Decimal(_), _) | (_, Value::Decimal(_)) => Type::Decimal,
        (Value::Real(_), _) | (_, Value::Real(_)) => Type::Real,
        _ => Type::Long,
    }
}

/// A whole number, or the ticks of a time.
fn ticks(value: &Value) -> Option<i64> {
    match value {
        Value::Real(_) | Value::Decimal(_) => cast(value, Type::Long).as_long(),
        _ => value.as_ticks().or_else(|| long(std::slice::from_ref(value), 0)),
    }
}

fn of_ticks(n: i64, ty: Type) -> Option<Value> {
    match ty {
        Type::Int => i32::try_from(n).ok().map(Value::Int),
        Type::Datetime => (0..=time::MAX_DATETIME).contains(&n).then_some(Value::Datetime(n)),
        Type::Timespan => Some(Value::Timespan(n)),
        Type::Long
        | Type::Real
        | Type::Decimal
        | Type::Bool
        | Type::String
        | Type::Guid
        | Type::Dynamic
        | Type::Unknown => Some(Value::Long(n)),
    }
}

fn ceiling(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(match args.first() {
        Some(Value::Real(x)) => Value::Real(x.ceil()),
        Some(Value::Decimal(d)) => Value::Decimal(d.ceil()),
        Some(whole @ (Value::Int(_) | Value::Long(_))) => whole.clone(),
        _ => Value::Null,
    })
}

/// To a number of digits behind the point, or before it where that is negative; a half goes away from zero.
fn round(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let digits = if args.len() > 1 { long(args, 1) } else { Some(0) };
    let Some(digits) = digits else { return Ok(Value::Null) };
    let digits = i32::try_from(digits.clamp(-400, 400)).unwrap_or(0);
    Ok(match args.first() {
        Some(Value::Real(x)) => Value::Real(rounded(*x, digits)),
        Some(Value::Decimal(d)) => round_decimal(*d, digits).map_or(Value::Null, Value::Decimal),
        Some(Value::Int(n)) => {
            i32::try_from(round_whole(i64::from(*n), digits)).map_or(Value::Null, Value::Int)
        }
        Some(Value::Long(n)) => i64::try_from(round_whole(*n, digits)).map_or(Value::Null, Value::Long),
        _ => Value::Null,
    })
}

fn rounded(x: f64, digits: i32) -> f64 {
    let power = 10_f64.powi(digits.abs());
    let rounded = if digits >= 0 { (x * power).round() / power } else { (x / power).round() * power };
    // More digits than a real has change nothing.
    if rounded.is_finite() {
        rounded
    } else if digits >= 0 {
        x
    } else {
        0.0
    }
}

fn round_whole(n: i64, digits: i32) -> i128 {
    let n = i128::from(n);
    if digits >= 0 {
        return n;
    }
    let Some(power) = 10_i128.checked_pow(digits.unsigned_abs()) else { return 0 };
    let half = power / 2;
    (n.abs() + half) / power * power * n.signum()
}

fn round_decimal(d: Decimal, digits: i32) -> Option<Decimal> {
    let strategy = RoundingStrategy::MidpointAwayFromZero;
    if let Ok(places) = u32::try_from(digits) {
        return Some(d.round_dp_with_strategy(places, strategy));
    }
    let Some(power) = 10_i128.checked_pow(digits.unsigned_abs()) else { return Some(Decimal::ZERO) };
    let Ok(power) = Decimal::try_from_i128_with_scale(power, 0) else { return Some(Decimal::ZERO) };
    d.checked_div(power)?.round_dp_with_strategy(0, strategy).checked_mul(power)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "tests")]
    use super::*;

    #[test]
    fn bins_go_down() {
        let long = |v, s| binned(&Value::Long(v), &Value::Long(s), None, Type::Long).as_long();
        assert_eq!(long(7, 5), Some(5));
        assert_eq!(long(-1, 5), Some(-5));
        assert_eq!(long(10, 0), None);
        assert_eq!(long(10, -5), None);
        assert_eq!(long(i64::MIN, 7), None);
        let real = |v, s| binned(&Value::Real(v), &Value::Real(s), None, Type::Real).as_real();
        assert_eq!(real(-0.1, 0.5), Some(-0.5));
        assert_eq!(real(4.5, 1.0), Some(4.0));
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        for (x, digits, expected) in [
            (2.5, 0, 3.0),
            (-2.5, 0, -3.0),
            (2.15, 1, 2.2),
            (-50.55, -2, -100.0),
            (21.5, -1, 20.0),
            (1e300, 300, 1e300),
        ] {
            assert_eq!(rounded(x, digits), expected, "round({x}, {digits})");
        }
        assert_eq!(round_whole(25, -1), 30);
        assert_eq!(round_whole(-24, -1), -20);
    }
}
