//! Numbers about whole series.
//!
//! Kusto: "series_stats()", "series_sum()", "series_dot_product()", "series_pearson_correlation()" and the other pages.

use super::{json, known, mean, series};
use crate::Value;
use crate::fault::Result;
use crate::functions::{Call, real};
use ruleferry_ir::Json;

/// Least and greatest value with their places, average, standard deviation and variance of a sample; the dynamic form has sum
/// and length too. A value that is not finite makes all of them null, unless such values are to be ignored.
pub(super) fn stats(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(values) = series(args, 0) else { return Ok(Value::Null) };
    let dynamic = call.name == "series_stats_dynamic";
    let ignore = args.get(1).and_then(Value::as_bool) == Some(true);
    let places: Vec<(usize, f64)> = values
        .iter()
        .enumerate()
        .filter_map(|(at, value)| value.filter(|v| v.is_finite()).map(|v| (at, v)))
        .collect();
    let complete = places.len() == values.len();
    if places.is_empty() || !(complete || ignore) {
        return Ok(if dynamic { Value::Null } else { Value::array(vec![Json::Null; 7]) });
    }
    let numbers: Vec<f64> = places.iter().map(|(_, v)| *v).collect();
    // The first of equals.
    let least = places.iter().copied().reduce(|a, b| if b.1 < a.1 { b } else { a });
    let greatest = places.iter().copied().reduce(|a, b| if b.1 > a.1 { b } else { a });
    let place = |found: Option<(usize, f64)>| {
        found.map_or(Json::Null, |f| Json::Long(i64::try_from(f.0).unwrap_or(0)))
    };
    let average = mean(&numbers).unwrap_or(0.0);
    let below = (numbers.len() - 1).max(1) as f64;
    let variance = numbers.iter().map(|x| (x - average) * (x - average)).sum::<f64>() / below;
    let columns = [
        ("min", json(least.map(|f| f.1))),
        ("min_idx", place(least)),
        ("max", json(greatest.map(|f| f.1))),
        ("max_idx", place(greatest)),
        ("avg", Json::Real(average)),
        ("stdev", Json::Real(variance.sqrt())),
        ("variance", Json::Real(variance)),
    ];
    if !dynamic {
        return Ok(Value::array(columns.map(|c| c.1).to_vec()));
    }
    let more = [
        ("sum", Json::Real(numbers.iter().sum())),
        ("len", Json::Long(i64::try_from(values.len()).unwrap_or(0))),
    ];
    let members = columns.into_iter().chain(more).map(|(name, value)| (name.into(), value));
    Ok(Value::dynamic(Json::Object(members.collect())))
}

/// The known values of the series; null without any.
fn numbers(args: &[Value]) -> Option<Vec<f64>> {
    series(args, 0).map(|values| known(&values)).filter(|v| !v.is_empty())
}

fn result(value: Option<f64>) -> Result<Value> {
    Ok(value.map_or(Value::Null, Value::Real))
}

pub(super) fn sum(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    result(numbers(args).map(|n| n.iter().sum()))
}

pub(super) fn product(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    result(numbers(args).map(|n| n.iter().product()))
}

pub(super) fn magnitude(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    result(numbers(args).map(|n| length_of(n.iter().copied())))
}

fn length_of(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|x| x * x).sum::<f64>().sqrt()
}

/// The places where both series have a number, as far as the shorter one goes. A number stands at each place.
fn pairs(args: &[Value]) -> Option<Vec<(f64, f64)>> {
    let (left, right) = (series(args, 0), series(args, 1));
    let length = match (&left, &right) {
        (Some(a), Some(b)) => a.len().min(b.len()),
        (Some(a), None) | (None, Some(a)) => a.len(),
        (None, None) => return None,
    };
    let at = |values: &Option<Vec<Option<f64>>>, index: usize, at: usize| match values {
        Some(values) => values.get(at).copied().flatten(),
        None => real(args, index),
    };
    Some((0..length).filter_map(|i| Some((at(&left, 0, i)?, at(&right, 1, i)?))).collect())
}

pub(super) fn dot_product(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let pairs = pairs(args).filter(|p| !p.is_empty());
    result(pairs.map(|p| p.iter().map(|(a, b)| a * b).sum()))
}

/// The lengths of the two vectors may be given.
pub(super) fn cosine_similarity(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let pairs = pairs(args).filter(|p| !p.is_empty());
    result(pairs.map(|p| {
        let left = real(args, 2).unwrap_or_else(|| length_of(p.iter().map(|x| x.0)));
        let right = real(args, 3).unwrap_or_else(|| length_of(p.iter().map(|x| x.1)));
        p.iter().map(|(a, b)| a * b).sum::<f64>() / (left * right)
    }))
}

/// Null where a place has no number, or where the lengths differ.
pub(super) fn pearson_correlation(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let (Some(left), Some(right)) = (series(args, 0), series(args, 1)) else { return Ok(Value::Null) };
    let pairs: Vec<(f64, f64)> = left.iter().zip(&right).filter_map(|(a, b)| Some(((*a)?, (*b)?))).collect();
    if left.len() != right.len() || pairs.len() != left.len() {
        return Ok(Value::Null);
    }
    let (x, y): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let (Some(mean_x), Some(mean_y)) = (mean(&x), mean(&y)) else { return Ok(Value::Null) };
    let together: f64 = pairs.iter().map(|(a, b)| (a - mean_x) * (b - mean_y)).sum();
    let spread_x: f64 = x.iter().map(|a| (a - mean_x) * (a - mean_x)).sum();
    let spread_y: f64 = y.iter().map(|b| (b - mean_y) * (b - mean_y)).sum();
    // A product of roots can round to a number beyond 1.
    Ok(Value::Real((together / (spread_x * spread_y).sqrt()).clamp(-1.0, 1.0)))
}
