//! Functions of numbers.
//!
//! Source: Kusto documentation, the page of each function. What has no real result is NaN; null goes through. Gamma and error
//! functions are libm's; the incomplete beta function is the continued fraction of DLMF 8.17.22, by Lentz's method.

use super::{Call, Scalar, real};
use crate::Value;
use crate::fault::Result;

pub(super) static TABLE: &[(&str, Scalar)] = &[
    ("abs", abs),
    ("acos", |_, args| one(args, f64::acos)),
    ("asin", |_, args| one(args, f64::asin)),
    ("atan", |_, args| one(args, f64::atan)),
    ("atan2", |_, args| two(args, f64::atan2)),
    ("beta_cdf", |_, args| three(args, beta_cdf)),
    ("beta_inv", |_, args| three(args, beta_inv)),
    ("beta_pdf", |_, args| three(args, beta_pdf)),
    ("cos", |_, args| one(args, f64::cos)),
    ("cot", |_, args| one(args, |x| 1.0 / x.tan())),
    ("degrees", |_, args| one(args, f64::to_degrees)),
    ("erf", |_, args| one(args, libm::erf)),
    ("erfc", |_, args| one(args, libm::erfc)),
    ("exp", |_, args| one(args, f64::exp)),
    ("exp10", |_, args| one(args, |x| 10_f64.powf(x))),
    ("exp2", |_, args| one(args, f64::exp2)),
    ("gamma", |_, args| one(args, libm::tgamma)),
    ("isfinite", |_, args| test(args, f64::is_finite)),
    ("isinf", |_, args| test(args, f64::is_infinite)),
    ("isnan", |_, args| test(args, f64::is_nan)),
    ("log", |_, args| one(args, f64::ln)),
    ("log10", |_, args| one(args, f64::log10)),
    ("log2", |_, args| one(args, f64::log2)),
    ("loggamma", |_, args| one(args, libm::lgamma)),
    ("pi", |_, _| Ok(Value::Real(std::f64::consts::PI))),
    ("pow", |_, args| two(args, f64::powf)),
    ("radians", |_, args| one(args, f64::to_radians)),
    ("sign", |_, args| one(args, sign)),
    ("sin", |_, args| one(args, f64::sin)),
    ("sqrt", |_, args| one(args, f64::sqrt)),
    ("tan", |_, args| one(args, f64::tan)),
    ("welch_test", welch_test),
];

fn one(args: &[Value], of: fn(f64) -> f64) -> Result<Value> {
    Ok(real(args, 0).map_or(Value::Null, |x| Value::Real(of(x))))
}

fn two(args: &[Value], of: fn(f64, f64) -> f64) -> Result<Value> {
    let (Some(x), Some(y)) = (real(args, 0), real(args, 1)) else { return Ok(Value::Null) };
    Ok(Value::Real(of(x, y)))
}

fn three(args: &[Value], of: fn(f64, f64, f64) -> f64) -> Result<Value> {
    let (Some(x), Some(a), Some(b)) = (real(args, 0), real(args, 1), real(args, 2)) else {
        return Ok(Value::Null);
    };
    Ok(Value::Real(of(x, a, b)))
}

/// A null is none of what is asked for.
fn test(args: &[Value], of: fn(f64) -> bool) -> Result<Value> {
    Ok(Value::Bool(real(args, 0).is_some_and(of)))
}

fn sign(x: f64) -> f64 {
    if x == 0.0 || x.is_nan() { x } else { x.signum() }
}

/// A whole number becomes a long; the smallest one has no positive.
fn abs(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(match args.first() {
        Some(Value::Int(n)) => Value::Long(i64::from(*n).abs()),
        Some(Value::Long(n)) => n.checked_abs().map_or(Value::Null, Value::Long),
        Some(Value::Real(x)) => Value::Real(x.abs()),
        Some(Value::Decimal(d)) => Value::Decimal(d.abs()),
        Some(Value::Timespan(t)) => t.checked_abs().map_or(Value::Null, Value::Timespan),
        Some(Value::Dynamic(_)) => real(args, 0).map_or(Value::Null, |x| Value::Real(x.abs())),
        _ => Value::Null,
    })
}

/// ln B(a, b)
fn log_beta(a: f64, b: f64) -> f64 {
    libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b)
}

fn in_domain(x: f64, a: f64, b: f64) -> bool {
    (0.0..=1.0).contains(&x) && a > 0.0 && b > 0.0 && a.is_finite() && b.is_finite()
}

fn beta_pdf(x: f64, a: f64, b: f64) -> f64 {
    if !in_domain(x, a, b) {
        return f64::NAN;
    }
    if x == 0.0 || x == 1.0 {
        // Limits at the ends.
        let exponent = if x == 0.0 { a } else { b };
        return if exponent > 1.0 {
            0.0
        } else if exponent < 1.0 {
            f64::INFINITY
        } else {
            (-log_beta(a, b)).exp()
        };
    }
    ((a - 1.0) * x.ln() + (b - 1.0) * (-x).ln_1p() - log_beta(a, b)).exp()
}

/// The regularized incomplete beta function.
fn beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    if !in_domain(x, a, b) {
        return f64::NAN;
    }
    if x == 0.0 || x == 1.0 {
        return x;
    }
    let front = (a * x.ln() + b * (-x).ln_1p() - log_beta(a, b)).exp();
    // The fraction converges fast on one side of the mean; the other side is its complement.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(x, a, b) / a
    } else {
        1.0 - front * beta_fraction(1.0 - x, b, a) / b
    }
}

/// DLMF 8.17.22, evaluated by Lentz's method.
fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    const STEPS: u32 = 10_000;
    let apart = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / apart(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for m in 1..STEPS {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / apart(1.0 + even * d);
        c = apart(1.0 + even / c);
        value *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / apart(1.0 + odd * d);
        c = apart(1.0 + odd / c);
        let step = d * c;
        value *= step;
        if (step - 1.0).abs() < 1e-16 {
            break;
        }
    }
    value
}

/// Where the cumulative distribution reaches a probability, by bisection.
fn beta_inv(p: f64, a: f64, b: f64) -> f64 {
    if !in_domain(p, a, b) {
        return f64::NAN;
    }
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    // Each step halves the interval; near 0 a real has many more digits than near 1.
    for _ in 0..1100 {
        let middle = low.midpoint(high);
        if middle <= low || middle >= high {
            break;
        }
        if beta_cdf(middle, a, b) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    if p == 0.0 { 0.0 } else { high }
}

/// The two-sided p-value of Welch's t-test from means, variances and counts (Welch-Satterthwaite degrees of freedom).
fn welch_test(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let numbers: Option<Vec<f64>> = (0..6).map(|i| real(args, i)).collect();
    let Some([mean1, variance1, count1, mean2, variance2, count2]) = numbers.as_deref() else {
        return Ok(Value::Null);
    };
    let (error1, error2) = (variance1 / count1, variance2 / count2);
    let t = (mean1 - mean2) / (error1 + error2).sqrt();
    let freedom =
        (error1 + error2).powi(2) / (error1.powi(2) / (count1 - 1.0) + error2.powi(2) / (count2 - 1.0));
    Ok(Value::Real(beta_cdf(freedom / (freedom + t * t), freedom / 2.0, 0.5)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-12 * b.abs().max(1e-3), "{a} {b}");
    }

    #[test]
    fn beta_has_its_closed_forms() {
        // I_x(1, b) = 1 - (1 - x)^b; I_x(a, 1) = x^a
        near(beta_cdf(0.3, 1.0, 4.0), 1.0 - 0.7_f64.powi(4));
        near(beta_cdf(0.3, 5.0, 1.0), 0.3_f64.powi(5));
        near(beta_cdf(0.5, 7.5, 7.5), 0.5);
        near(beta_pdf(0.5, 2.0, 2.0), 1.5);
        for p in [0.001, 0.1, 0.5, 0.9, 0.999] {
            near(beta_cdf(beta_inv(p, 2.5, 0.7), 2.5, 0.7), p);
        }
        assert!(beta_cdf(1.5, 1.0, 1.0).is_nan());
        assert!(beta_pdf(0.5, -1.0, 1.0).is_nan());
    }
}
