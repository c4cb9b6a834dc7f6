//! Lines and polynomials fitted to series by least squares.
//!
//! Kusto: "series_fit_line()", "series_fit_2lines()", "series_fit_poly()".

use super::{check_length, known, mean, reals, series};
use crate::Value;
use crate::fault::Result;
use crate::functions::{Call, long};
use ruleferry_ir::Json;

/// The least squares line of values over their places from 0, missing ones left out: slope, and value at place 0. Without two
/// values it is flat.
pub(super) fn line_through(values: &[Option<f64>]) -> (f64, f64) {
    let points = || values.iter().enumerate().filter_map(|(at, value)| value.map(|v| (at as f64, v)));
    let places: Vec<f64> = points().map(|p| p.0).collect();
    let (Some(x), Some(y)) = (mean(&places), mean(&known(values))) else { return (0.0, 0.0) };
    let spread: f64 = places.iter().map(|at| (at - x) * (at - x)).sum();
    let slope =
        if spread > 0.0 { points().map(|(a, b)| (a - x) * (b - y)).sum::<f64>() / spread } else { 0.0 };
    (slope, y - slope * x)
}

/// The sum of squared distances from a line.
fn rest(values: &[Option<f64>], (slope, start): (f64, f64)) -> f64 {
    let squares = values.iter().enumerate().filter_map(|(at, value)| {
        let distance = (*value)? - start - slope * at as f64;
        Some(distance * distance)
    });
    squares.sum()
}

/// The sum of squared distances from the mean, and what a sum is divided by for the variance of a sample.
fn spread(values: &[Option<f64>]) -> (f64, f64) {
    let values = known(values);
    let mean = mean(&values).unwrap_or(0.0);
    (values.iter().map(|v| (v - mean) * (v - mean)).sum(), values.len().saturating_sub(1).max(1) as f64)
}

fn rsquare(rest: f64, total: f64) -> f64 {
    if total == 0.0 { 1.0 } else { 1.0 - rest / total }
}

struct Fit {
    rsquare: f64,
    slope: f64,
    variance: f64,
    rvariance: f64,
    interception: f64,
    line: Vec<f64>,
}

impl Fit {
    /// The documented example counts the points from 1: the interception is one step before the first.
    fn of(values: &[Option<f64>]) -> Self {
        let (slope, start) = line_through(values);
        let ((total, below), rest) = (spread(values), rest(values, (slope, start)));
        Self {
            rsquare: rsquare(rest, total),
            slope,
            variance: total / below,
            rvariance: rest / below,
            interception: start - slope,
            line: (0..values.len()).map(|at| start + slope * at as f64).collect(),
        }
    }
}

/// Columns, or a bag of them for the dynamic forms.
fn shaped(call: &Call<'_>, columns: Vec<(&str, Json)>) -> Value {
    if call.name.ends_with("_dynamic") {
        Value::dynamic(Json::Object(columns.into_iter().map(|(name, value)| (name.into(), value)).collect()))
    } else {
        Value::array(columns.into_iter().map(|c| c.1).collect())
    }
}

pub(super) fn line(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(values) = series(args, 0).filter(|v| v.iter().any(Option::is_some)) else {
        return Ok(Value::Null);
    };
    let fit = Fit::of(&values);
    let columns = vec![
        ("rsquare", Json::Real(fit.rsquare)),
        ("slope", Json::Real(fit.slope)),
        ("variance", Json::Real(fit.variance)),
        ("rvariance", Json::Real(fit.rvariance)),
        ("interception", Json::Real(fit.interception)),
        ("line_fit", reals(fit.line)),
    ];
    Ok(shaped(call, columns))
}

/// The split with the greatest total r-square, two points at least on each side; the first of equals, down to nine digits. Each
/// side is fitted as by `series_fit_line()`.
pub(super) fn two_lines(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(values) = series(args, 0) else { return Ok(Value::Null) };
    check_length(call, values.len(), 20_000)?;
    let mut best: Option<(f64, usize)> = None;
    for split in 2..values.len().saturating_sub(1) {
        let (left, right) = values.split_at_checked(split).unwrap_or_default();
        let sum = rest(left, line_through(left)) + rest(right, line_through(right));
        let sum = (sum * 1e9).round() / 1e9;
        if best.is_none_or(|(least, _)| sum < least) {
            best = Some((sum, split));
        }
    }
    let Some((rest, split)) = best else { return Ok(Value::Null) };
    let (left, right) = values.split_at_checked(split).unwrap_or_default();
    let (left, right) = (Fit::of(left), Fit::of(right));
    let (total, below) = spread(&values);
    let columns = vec![
        ("rsquare", Json::Real(rsquare(rest, total))),
        ("split_idx", Json::Long(i64::try_from(split).unwrap_or(0))),
        ("variance", Json::Real(total / below)),
        ("rvariance", Json::Real(rest / below)),
        ("line_fit", reals(left.line.into_iter().chain(right.line))),
        ("right_rsquare", Json::Real(right.rsquare)),
        ("right_slope", Json::Real(right.slope)),
        ("right_interception", Json::Real(right.interception)),
        ("right_variance", Json::Real(right.variance)),
        ("right_rvariance", Json::Real(right.rvariance)),
        ("left_rsquare", Json::Real(left.rsquare)),
        ("left_slope", Json::Real(left.slope)),
        ("left_interception", Json::Real(left.interception)),
        ("left_variance", Json::Real(left.variance)),
        ("left_rvariance", Json::Real(left.rvariance)),
    ];
    Ok(shaped(call, columns))
}

const MAX_DEGREE: i64 = 20;

/// `series_fit_poly(y [, x, degree])`. The places are 1, 2, … unless given.
pub(super) fn polynomial(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(y) = series(args, 0) else { return Ok(Value::Null) };
    let degree = long(args, 2).unwrap_or(1);
    if !(0..=MAX_DEGREE).contains(&degree) {
        return Err(call.fault(2, format!("the degree is between 0 and {MAX_DEGREE}")));
    }
    let x = match args.get(1) {
        Some(value) if !value.is_null() => series(args, 1),
        _ => Some((1..=y.len()).map(|at| Some(at as f64)).collect()),
    };
    let Some(x) = x.filter(|x| x.len() == y.len()) else { return Ok(Value::Null) };
    let points: Vec<(f64, f64)> = x.iter().zip(&y).filter_map(|(x, y)| Some(((*x)?, (*y)?))).collect();
    let Some(factors) = fitted(&points, usize::try_from(degree).unwrap_or(1)) else { return Ok(Value::Null) };
    let at = |x: f64| factors.iter().rev().fold(0.0, |sum, f| sum * x + f);
    let rest: f64 = points.iter().map(|(x, y)| (y - at(*x)) * (y - at(*x))).sum();
    let (total, below) = spread(&points.iter().map(|p| Some(p.1)).collect::<Vec<_>>());
    Ok(Value::array(vec![
        Json::Real(rsquare(rest, total)),
        reals(factors.iter().rev().copied()),
        Json::Real(total / below),
        Json::Real(rest / below),
        Json::Array(x.iter().map(|x| x.map_or(Json::Null, |x| Json::Real(at(x)))).collect()),
    ]))
}

/// The factors of the best polynomial, lowest power first: Householder's QR on powers of places scaled to at most 1, which keeps
/// the numbers near each other. `None` where the points do not determine it.
fn fitted(points: &[(f64, f64)], degree: usize) -> Option<Vec<f64>> {
    let width = degree + 1;
    if points.len() < width {
        return None;
    }
    let scale = points.iter().map(|p| p.0.abs()).fold(0.0, f64::max);
    let scale = if scale > 0.0 { scale } else { 1.0 };
    // Columns of powers, then the values.
    let mut columns: Vec<Vec<f64>> = (0..width)
        .map(|power| points.iter().map(|p| (p.0 / scale).powi(i32::try_from(power).unwrap_or(0))).collect())
        .collect();
    let mut values: Vec<f64> = points.iter().map(|p| p.1).collect();
    let mut diagonal = Vec::with_capacity(width);
    for step in 0..width {
        let (done, rest) = columns.split_at_mut_checked(step + 1)?;
        let column = done.last_mut()?;
        let tail = column.get_mut(step..)?;
        let length = tail.iter().map(|v| v * v).sum::<f64>().sqrt();
        if length < 1e-12 {
            return None;
        }
        let head = tail.first_mut()?;
        let pivot = if *head > 0.0 { -length } else { length };
        *head -= pivot;
        let square: f64 = tail.iter().map(|v| v * v).sum();
        let tail: &[f64] = tail;
        let reflect = |target: &mut Vec<f64>| {
            let Some(part) = target.get_mut(step..) else { return };
            let by = 2.0 * tail.iter().zip(part.iter()).map(|(a, b)| a * b).sum::<f64>() / square;
            part.iter_mut().zip(tail).for_each(|(p, t)| *p -= by * t);
        };
        rest.iter_mut().for_each(reflect);
        reflect(&mut values);
        diagonal.push(pivot);
    }
    let mut factors = vec![0.0; width];
    for row in (0..width).rev() {
        let known: f64 =
            (row + 1..width).filter_map(|c| Some(columns.get(c)?.get(row)? * factors.get(c)?)).sum();
        *factors.get_mut(row)? = (values.get(row)? - known) / diagonal.get(row)?;
    }
    let unscaled =
        factors.iter().enumerate().map(|(power, f)| f / scale.powi(i32::try_from(power).unwrap_or(0)));
    Some(unscaled.collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn a_polynomial_is_found_from_its_points() {
        let wanted = [4.0, -2.0, 0.5, 0.01];
        let value = |x: f64| wanted.iter().rev().fold(0.0, |sum, f| sum * x + f);
        let points: Vec<(f64, f64)> = (-20..60).map(|x| (f64::from(x), value(f64::from(x)))).collect();
        let found = fitted(&points, 3).unwrap();
        for (a, b) in found.iter().zip(&wanted) {
            assert!((a - b).abs() < 1e-9, "{found:?}");
        }
        // More factors than points, and points that all lie on one place.
        assert_eq!(fitted(&points[..3], 3), None);
        assert_eq!(fitted(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)], 1), None);
    }
}
