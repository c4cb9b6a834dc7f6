//! Sums, means, extremes, variances.
//!
//! Kusto: "sum()", "avg()", "min()", "max()", "variance()", "stdev()", "covariance()", "binary_all_and()" and their kin.

use super::{Group, Table, one};
use crate::compare::order;
use crate::fault::Result;
use crate::{Value, decimal};
use ruleferry_ir::{Json, Type};
use rust_decimal::Decimal;
use std::cmp::Ordering;

pub(super) static TABLE: Table = &[
    ("avg", avg),
    ("avgif", avg),
    ("binary_all_and", bits),
    ("binary_all_or", bits),
    ("binary_all_xor", bits),
    ("covariance", covariance),
    ("covarianceif", covariance),
    ("covariancep", covariance),
    ("covariancepif", covariance),
    ("max", extreme),
    ("maxif", extreme),
    ("min", extreme),
    ("minif", extreme),
    ("stdev", deviation),
    ("stdevif", deviation),
    ("stdevp", deviation),
    ("sum", sum),
    ("sumif", sum),
    ("variance", variance),
    ("varianceif", variance),
    ("variancep", variance),
    ("variancepif", variance),
];

/// 0 of no values. Whole numbers wrap.
fn sum(group: &Group<'_>) -> Result<Vec<Value>> {
    let ticks = || group.values().filter_map(Value::as_ticks).fold(0i64, i64::wrapping_add);
    one(match group.call.ty {
        // Rust's sum of nothing is -0.
        Type::Real => Value::Real(group.values().filter_map(Value::as_real).fold(0.0, |sum, x| sum + x)),
        Type::Decimal => {
            let mut all = group.values().filter_map(decimal::of_value);
            all.try_fold(Decimal::ZERO, |sum, d| sum.checked_add(d)).map_or(Value::Null, Value::Decimal)
        }
        Type::Timespan => Value::Timespan(ticks()),
        Type::Datetime => Value::Datetime(ticks()),
        Type::Bool | Type::Int | Type::Long | Type::String | Type::Guid | Type::Dynamic | Type::Unknown => {
            Value::Long(group.values().filter_map(whole).fold(0, i64::wrapping_add))
        }
    })
}

/// A whole number, also inside of a dynamic value.
fn whole(value: &Value) -> Option<i64> {
    match value.as_json() {
        Some(Json::Long(n)) => Some(*n),
        Some(
            Json::Null
            | Json::Bool(_)
            | Json::Real(_)
            | Json::String(_)
            | Json::Datetime(_)
            | Json::Timespan(_)
            | Json::Array(_)
            | Json::Object(_),
        ) => None,
        None => value.as_long(),
    }
}

/// Of no numbers NaN, of no times null.
fn avg(group: &Group<'_>) -> Result<Vec<Value>> {
    let ticks = || {
        let (mut sum, mut count) = (0i128, 0i128);
        for t in group.values().filter_map(Value::as_ticks) {
            sum += i128::from(t);
            count += 1;
        }
        if count == 0 { None } else { i64::try_from(sum / count).ok() }
    };
    one(match group.call.ty {
        Type::Timespan => ticks().map_or(Value::Null, Value::Timespan),
        Type::Datetime => ticks().map_or(Value::Null, Value::Datetime),
        Type::Decimal => {
            let all: Vec<Decimal> = group.values().filter_map(decimal::of_value).collect();
            let sum = all.iter().try_fold(Decimal::ZERO, |sum, d| sum.checked_add(*d));
            let mean = sum.and_then(|s| s.checked_div(Decimal::from(all.len())));
            mean.map_or(Value::Null, Value::Decimal)
        }
        Type::Bool
        | Type::Int
        | Type::Long
        | Type::Real
        | Type::String
        | Type::Guid
        | Type::Dynamic
        | Type::Unknown => Value::Real(mean(&reals(group.values()))),
    })
}

/// The greatest or the least value; `""` of no strings. NaN only where there is nothing else.
fn extreme(group: &Group<'_>) -> Result<Vec<Value>> {
    let wanted = if group.call.name.starts_with("max") { Ordering::Greater } else { Ordering::Less };
    let is_nan = |v: &Value| matches!(v, Value::Real(x) if x.is_nan());
    let best = group.values().reduce(|best, value| {
        let better = is_nan(best) || (!is_nan(value) && order(value, best) == wanted);
        if better { value } else { best }
    });
    one(match best {
        Some(value) => value.clone(),
        None if group.call.arg_type(0) == Type::String => Value::EMPTY,
        None => Value::Null,
    })
}

/// Numbers as reals; times by their ticks.
fn reals<'v>(values: impl Iterator<Item = &'v Value>) -> Vec<f64> {
    values.filter_map(real).collect()
}

fn real(value: &Value) -> Option<f64> {
    value.as_real().or_else(|| value.as_ticks().map(|t| t as f64))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The mean square of the distances from the mean: over n for a whole population, over n - 1 for a sample.
fn spread(group: &Group<'_>) -> f64 {
    let values = reals(group.values());
    let divisor = divisor(group, values.len());
    if values.iter().any(|x| !x.is_finite()) {
        return f64::NAN;
    }
    if divisor <= 0.0 {
        return 0.0;
    }
    let mean = mean(&values);
    values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / divisor
}

fn divisor(group: &Group<'_>, count: usize) -> f64 {
    let name = group.call.name;
    let population = name.strip_suffix("if").unwrap_or(name).ends_with('p');
    if population { count as f64 } else { count as f64 - 1.0 }
}

fn variance(group: &Group<'_>) -> Result<Vec<Value>> {
    one(Value::Real(spread(group)))
}

fn deviation(group: &Group<'_>) -> Result<Vec<Value>> {
    one(Value::Real(spread(group).sqrt()))
}

/// Over rows that have both values; null of none.
fn covariance(group: &Group<'_>) -> Result<Vec<Value>> {
    let (xs, ys) = (group.column(0), group.column(1));
    let pair = |i: usize| Some((real(xs.get(i)?)?, real(ys.get(i)?)?));
    let (xs, ys): (Vec<f64>, Vec<f64>) = group.kept().filter_map(pair).unzip();
    let divisor = divisor(group, xs.len());
    if divisor <= 0.0 {
        return one(Value::Null);
    }
    let (mean_x, mean_y) = (mean(&xs), mean(&ys));
    let products = xs.iter().zip(&ys).map(|(x, y)| (x - mean_x) * (y - mean_y));
    one(Value::Real(products.sum::<f64>() / divisor))
}

/// All bits together; null of no whole numbers.
fn bits(group: &Group<'_>) -> Result<Vec<Value>> {
    let join = |a: i64, b: i64| match group.call.name {
        "binary_all_and" => a & b,
        "binary_all_or" => a | b,
        _ => a ^ b,
    };
    let all = group.values().filter_map(whole).reduce(join);
    one(match (all, group.call.ty) {
        (Some(n), Type::Int) => Value::Int(n as i32),
        (Some(n), _) => Value::Long(n),
        (None, _) => Value::Null,
    })
}
