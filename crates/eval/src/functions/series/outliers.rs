//! How far points lie outside of what is usual.
//!
//! Kusto: "series_outliers()". A point above or below Tukey's fences is an outlier.

use super::{known, reals, series};
use crate::Value;
use crate::fault::Result;
use crate::functions::{Call, real, text};

pub(super) fn outliers(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(mut values) = series(args, 0) else { return Ok(Value::Null) };
    let kind = if args.len() > 1 { text(args, 1) } else { "ctukey" };
    if let Some(ignored) = real(args, 2) {
        for value in &mut values {
            *value = value.filter(|v| *v != ignored);
        }
    }
    let low = real(args, 3).unwrap_or(10.0) / 100.0;
    let high = real(args, 4).unwrap_or(90.0) / 100.0;
    if !(0.02..=0.98).contains(&low) || !(0.02..=0.98).contains(&high) {
        return Err(call.fault(3, "percentiles are between 2 and 98"));
    }
    Ok(Value::dynamic(reals(by_kind(call, 1, kind, &values, low, high)?)))
}

/// The scores by the method of a name.
pub(super) fn by_kind(
    call: &Call<'_>,
    arg: usize,
    kind: &str,
    values: &[Option<f64>],
    low: f64,
    high: f64,
) -> Result<Vec<f64>> {
    match kind {
        "tukey" => Ok(scores(values, 0.25, 0.75)),
        "ctukey" => Ok(scores(values, low, high)),
        _ => Err(call.fault(arg, format!("`{kind}` is no method: `ctukey` or `tukey`"))),
    }
}

/// For each value how far it lies outside of the range between two percentiles, in widths of the range; 0 inside and for missing
/// values. For other percentiles than the quartiles the page gives no scale. Here 1.5 is as far from the mean of a normal
/// distribution as with quartiles, which makes the documented examples of `series_decompose_anomalies()` come out as described. A
/// range without width counts as 1e-9: where nearly all values are the same, each other one is an outlier.
fn scores(values: &[Option<f64>], low_part: f64, high_part: f64) -> Vec<f64> {
    let mut sorted = known(values);
    sorted.sort_by(f64::total_cmp);
    let (Some(low), Some(high)) = (quantile(&sorted, low_part), quantile(&sorted, high_part)) else {
        return vec![0.0; values.len()];
    };
    let width = (high - low).max(1e-9 * 1f64.max(low.abs()).max(high.abs()));
    let (z_low, z_high) = (normal_quantile(low_part), normal_quantile(high_part));
    let fence = 4.0 * normal_quantile(0.75);
    let score = |value: f64| {
        if value > high {
            (value - high) / width * 1.5 * (z_high - z_low) / (fence - z_high)
        } else if value < low {
            (value - low) / width * 1.5 * (z_high - z_low) / (fence + z_low)
        } else {
            0.0
        }
    };
    values.iter().map(|value| value.map_or(0.0, score)).collect()
}

/// With linear interpolation between the two nearest ranks.
fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let place = part * sorted.len().checked_sub(1)? as f64;
    let at = place.floor() as usize;
    let low = *sorted.get(at)?;
    let high = sorted.get(at + 1).copied().unwrap_or(low);
    Some(low + (high - low) * (place - at as f64))
}

/// The point below which a standard normal variable lies with the given probability: Acklam's rational approximation, with a
/// relative error below 1.2e-9.
fn normal_quantile(p: f64) -> f64 {
    let horner = |factors: &[f64], x: f64| factors.iter().fold(0.0, |sum, f| sum * x + f);
    if !(0.02425..=0.97575).contains(&p) {
        let q = (-2.0 * p.min(1.0 - p).ln()).sqrt();
        let numerator = horner(
            &[
                -0.007_784_894_002_430_293,
                -0.322_396_458_041_136_5,
                -2.400_758_277_161_838,
                -2.549_732_539_343_734,
                4.374_664_141_464_968,
                2.938_163_982_698_783,
            ],
            q,
        );
        let denominator = horner(
            &[
                0.007_784_695_709_041_462,
                0.322_467_129_070_039_8,
                2.445_134_137_142_996,
                3.754_408_661_907_416,
                1.0,
            ],
            q,
        );
        return if p < 0.5 { numerator / denominator } else { -numerator / denominator };
    }
    let q = p - 0.5;
    let r = q * q;
    let numerator = horner(
        &[
            -39.696_830_286_653_76,
            220.946_098_424_520_5,
            -275.928_510_446_968_7,
            138.357_751_867_269,
            -30.664_798_066_147_16,
            2.506_628_277_459_239,
        ],
        r,
    );
    let denominator = horner(
        &[
            -54.476_098_798_224_06,
            161.585_836_858_040_9,
            -155.698_979_859_886_6,
            66.801_311_887_719_72,
            -13.280_681_552_885_72,
            1.0,
        ],
        r,
    );
    q * numerator / denominator
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_the_normal_distribution() {
        for (p, z) in [(0.5, 0.0), (0.75, 0.674_489_75), (0.9, 1.281_551_566), (0.02, -2.053_748_911)] {
            assert!((normal_quantile(p) - z).abs() < 1e-8, "{p}");
            assert!((normal_quantile(1.0 - p) + z).abs() < 1e-8, "{p}");
        }
    }
}
