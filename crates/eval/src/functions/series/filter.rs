//! Filters and Fourier transforms.
//!
//! Kusto: "series_fir()", "series_iir()", "series_fft()", "series_ifft()".

use super::{check_length, json, reals, series};
use crate::Value;
use crate::fault::Result;
use crate::functions::Call;
use ruleferry_ir::Json;
use std::f64::consts::TAU;

/// Products of this many pairs take some seconds.
const MAX_WORK: usize = 1 << 29;

/// A filter of constants: all of them must be numbers.
fn coefficients(args: &[Value], index: usize) -> Option<Vec<f64>> {
    series(args, index)?.into_iter().collect::<Option<Vec<f64>>>().filter(|c| !c.is_empty())
}

fn check_work(call: &Call<'_>, length: usize, taps: usize) -> Result<()> {
    check_length(call, length, MAX_WORK / taps.max(1))
}

/// `series_fir(series, filter [, normalize [, center]])`. Points outside of the series count as 0; a missing point makes those
/// missing that it has a part in.
pub(super) fn fir(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let (Some(values), Some(filter)) = (series(args, 0), coefficients(args, 1)) else {
        return Ok(Value::Null);
    };
    check_work(call, values.len(), filter.len())?;
    let negative = filter.iter().any(|c| *c < 0.0);
    let normalize = args.get(2).and_then(Value::as_bool).unwrap_or(!negative);
    if normalize && negative {
        return Ok(Value::Null);
    }
    let by = if normalize { filter.iter().sum() } else { 1.0 };
    let centered = args.get(3).and_then(Value::as_bool) == Some(true);
    let ahead = if centered { (filter.len() - 1) / 2 } else { 0 };
    let points = (0..values.len()).map(|at| {
        let mut sum = 0.0;
        for (back, factor) in filter.iter().enumerate() {
            let point = (at + ahead).checked_sub(back).and_then(|place| values.get(place));
            sum += point.copied().unwrap_or(Some(0.0))? * factor;
        }
        Some(sum / by)
    });
    Ok(Value::array(points.map(json).collect()))
}

/// `series_iir(series, numerators, denominators)`, by the formula of the page. A missing point counts as 0.
pub(super) fn iir(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let (Some(values), Some(numerators), Some(denominators)) =
        (series(args, 0), coefficients(args, 1), coefficients(args, 2))
    else {
        return Ok(Value::Null);
    };
    check_work(call, values.len(), numerators.len() + denominators.len())?;
    let Some((first, others)) = denominators.split_first().filter(|(first, _)| **first != 0.0) else {
        return Err(call.fault(2, "the first denominator must not be 0"));
    };
    let mut made: Vec<f64> = Vec::with_capacity(values.len());
    for at in 0..values.len() {
        let before = values.get(..=at).unwrap_or_default().iter().rev();
        let fresh: f64 = numerators.iter().zip(before).map(|(b, x)| b * x.unwrap_or(0.0)).sum();
        let back: f64 = others.iter().zip(made.iter().rev()).map(|(a, y)| a * y).sum();
        made.push((fresh - back) / first);
    }
    Ok(Value::dynamic(reals(made)))
}

/// `series_fft(real [, imaginary])` and its inverse.
pub(super) fn fourier(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(real) = series(args, 0) else { return Ok(Value::Null) };
    let imaginary = match args.get(1) {
        Some(value) if !value.is_null() => series(args, 1),
        _ => Some(vec![None; real.len()]),
    };
    let Some(imaginary) = imaginary.filter(|i| i.len() == real.len()) else { return Ok(Value::Null) };
    let points: Vec<Complex> =
        real.iter().zip(&imaginary).map(|(re, im)| (re.unwrap_or(0.0), im.unwrap_or(0.0))).collect();
    let inverse = call.name == "series_ifft";
    let odd = points.len() >> points.len().trailing_zeros().min(63);
    check_work(call, points.len(), odd)?;
    let transformed = transform(&points, if inverse { 1.0 } else { -1.0 });
    let by = if inverse { transformed.len().max(1) as f64 } else { 1.0 };
    Ok(Value::array(vec![
        Json::Array(transformed.iter().map(|c| Json::Real(c.0 / by)).collect()),
        Json::Array(transformed.iter().map(|c| Json::Real(c.1 / by)).collect()),
    ]))
}

type Complex = (f64, f64);

/// The sums of points turned by each frequency, in the direction of the sign. Cooley and Tukey: halves as long as the length is even, then the sums as they are defined.
pub(super) fn transform(points: &[Complex], sign: f64) -> Vec<Complex> {
    let n = points.len();
    let turn = |k: usize| {
        let angle = sign * TAU * k as f64 / n as f64;
        (angle.cos(), angle.sin())
    };
    let times = |a: Complex, b: Complex| (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0);
    if n > 1 && n.is_multiple_of(2) {
        let half = |from: usize| -> Vec<Complex> { points.iter().skip(from).step_by(2).copied().collect() };
        let (even, odd) = (transform(&half(0), sign), transform(&half(1), sign));
        let turned: Vec<Complex> = odd.iter().enumerate().map(|(k, c)| times(*c, turn(k))).collect();
        let low = even.iter().zip(&turned).map(|(e, t)| (e.0 + t.0, e.1 + t.1));
        let high = even.iter().zip(&turned).map(|(e, t)| (e.0 - t.0, e.1 - t.1));
        return low.chain(high).collect();
    }
    let turns: Vec<Complex> = (0..n).map(turn).collect();
    let sums = (0..n).map(|k| {
        points.iter().enumerate().fold((0.0, 0.0), |sum: Complex, (at, point)| {
            let by = turns.get(k * at % n).copied().unwrap_or((1.0, 0.0));
            let part = times(*point, by);
            (sum.0 + part.0, sum.1 + part.1)
        })
    });
    sums.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn the_inverse_brings_the_points_back() {
        for n in [0, 1, 2, 3, 7, 8, 12, 30, 64] {
            let points: Vec<Complex> = (0..n).map(|i| (((i * i) % 11) as f64, -((i % 5) as f64))).collect();
            let back = transform(&transform(&points, -1.0), 1.0);
            for (at, point) in points.iter().enumerate() {
                let size = n as f64;
                assert!((back[at].0 / size - point.0).abs() < 1e-9, "{n}");
                assert!((back[at].1 / size - point.1).abs() < 1e-9, "{n}");
            }
        }
    }

    #[test]
    fn a_turning_point_is_one_frequency() {
        let n = 12;
        let points: Vec<Complex> = (0..n)
            .map(|i| {
                let angle = TAU * 5.0 * f64::from(i) / f64::from(n);
                (angle.cos(), angle.sin())
            })
            .collect();
        let found = transform(&points, -1.0);
        let sizes: Vec<bool> = found.iter().map(|c| c.0.hypot(c.1) > 1e-6).collect();
        assert_eq!(sizes.iter().position(|s| *s), Some(5));
        assert_eq!(sizes.iter().filter(|s| **s).count(), 1);
    }
}
