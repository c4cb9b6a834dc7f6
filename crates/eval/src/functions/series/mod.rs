//! Functions over series: arrays of numbers at equal steps, as `make-series` makes them.
//!
//! Kusto: "Time series analysis" and the pages of the functions. Elements that are no numbers are missing values. What is no
//! array gives null. A function of several columns gives an array with the value of each.
//!
//! Where a page leaves freedom, the choice is the one of the SQL that is emitted for DuckDB (`targets/duckdb/macros`), and
//! `tests/semantics/series_reference.py` says the same a third time.

mod elements;
mod fill;
mod filter;
mod fit;
mod outliers;
mod season;
mod stats;

use super::{Call, Scalar};
use crate::Value;
use crate::fault::{Fault, Result};
use ruleferry_diag::codes;
use ruleferry_ir::Json;

pub(super) static TABLE: &[(&str, Scalar)] = &[
    ("series_abs", elements::unary),
    ("series_acos", elements::unary),
    ("series_add", elements::binary),
    ("series_asin", elements::unary),
    ("series_atan", elements::unary),
    ("series_ceiling", elements::unary),
    ("series_cos", elements::unary),
    ("series_cosine_similarity", stats::cosine_similarity),
    ("series_decompose", season::decompose),
    ("series_decompose_anomalies", season::anomalies),
    ("series_decompose_forecast", season::forecast),
    ("series_divide", elements::binary),
    ("series_dot_product", stats::dot_product),
    ("series_equals", elements::binary),
    ("series_exp", elements::unary),
    ("series_fft", filter::fourier),
    ("series_fill_backward", fill::backward),
    ("series_fill_const", fill::constant),
    ("series_fill_forward", fill::forward),
    ("series_fill_linear", fill::linear),
    ("series_fir", filter::fir),
    ("series_fit_2lines", fit::two_lines),
    ("series_fit_2lines_dynamic", fit::two_lines),
    ("series_fit_line", fit::line),
    ("series_fit_line_dynamic", fit::line),
    ("series_fit_poly", fit::polynomial),
    ("series_floor", elements::unary),
    ("series_greater", elements::binary),
    ("series_greater_equals", elements::binary),
    ("series_ifft", filter::fourier),
    ("series_iir", filter::iir),
    ("series_less", elements::binary),
    ("series_less_equals", elements::binary),
    ("series_log", elements::unary),
    ("series_magnitude", stats::magnitude),
    ("series_multiply", elements::binary),
    ("series_not_equals", elements::binary),
    ("series_outliers", outliers::outliers),
    ("series_pearson_correlation", stats::pearson_correlation),
    ("series_periods_detect", season::periods_detect),
    ("series_periods_validate", season::periods_validate),
    ("series_pow", elements::binary),
    ("series_product", stats::product),
    ("series_seasonal", season::seasonal),
    ("series_sign", elements::unary),
    ("series_sin", elements::unary),
    ("series_stats", stats::stats),
    ("series_stats_dynamic", stats::stats),
    ("series_subtract", elements::binary),
    ("series_sum", stats::sum),
    ("series_tan", elements::unary),
];

/// A number inside of a series; true counts as 1, a time as its ticks.
fn number(json: &Json) -> Option<f64> {
    match json {
        Json::Bool(b) => Some(if *b { 1.0 } else { 0.0 }),
        Json::Long(n) | Json::Datetime(n) | Json::Timespan(n) => Some(*n as f64),
        Json::Real(x) => Some(*x),
        Json::Null | Json::String(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

/// The series that an argument is; `None` is a missing value.
fn series(args: &[Value], index: usize) -> Option<Vec<Option<f64>>> {
    args.get(index)?.as_array().map(|items| items.iter().map(number).collect())
}

fn known(values: &[Option<f64>]) -> Vec<f64> {
    values.iter().flatten().copied().collect()
}

fn json(value: Option<f64>) -> Json {
    value.map_or(Json::Null, Json::Real)
}

fn reals(values: impl IntoIterator<Item = f64>) -> Json {
    Json::Array(values.into_iter().map(Json::Real).collect())
}

/// `None` without values.
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Fails for a series on which a function would work for longer than a minute.
fn check_length(call: &Call<'_>, length: usize, most: usize) -> Result<()> {
    if length <= most {
        return Ok(());
    }
    let message =
        format!("`{}` works on series of up to {most} points here, this one has {length}", call.name);
    Err(Fault::new(codes::EVAL_LIMIT, call.span, message))
}
