//! What is read from the values that `hll()` and `tdigest()` made; see [`crate::sketch`] for their form.
//!
//! Kusto: "dcount_hll()", "hll_merge()", "percentile_tdigest()", "percentrank_tdigest()", "rank_tdigest()",
//! "tdigest_merge()".

use super::{Call, Scalar, real};
use crate::Value;
use crate::cast::cast;
use crate::fault::Result;
use crate::sketch::{Digest, Hll};
use ruleferry_ir::{Json, Type};

pub(super) static TABLE: &[(&str, Scalar)] = &[
    ("dcount_hll", dcount_hll),
    ("hll_isvalid", hll_isvalid),
    ("hll_merge", hll_merge),
    ("percentile_tdigest", percentile_tdigest),
    ("percentiles_array_tdigest", percentiles_array_tdigest),
    ("percentrank_tdigest", rank_tdigest),
    ("rank_tdigest", rank_tdigest),
    ("tdigest_isvalid", tdigest_isvalid),
    ("tdigest_merge", tdigest_merge),
];

fn digest(args: &[Value]) -> Option<Digest> {
    args.first().and_then(Digest::of_value)
}

fn dcount_hll(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(args.first().and_then(Hll::of_value).map_or(Value::Null, |hll| Value::Long(hll.count())))
}

fn hll_isvalid(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(Value::Bool(args.first().and_then(Hll::of_value).is_some()))
}

fn tdigest_isvalid(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(Value::Bool(digest(args).is_some()))
}

fn hll_merge(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let merged = args.iter().filter_map(Hll::of_value).reduce(|mut all, one| {
        all.merge(&one);
        all
    });
    Ok(merged.map_or(Value::Null, |hll| hll.to_value()))
}

fn tdigest_merge(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let merged = args.iter().filter_map(Digest::of_value).reduce(|mut all, one| {
        all.merge(&one);
        all
    });
    Ok(merged.map_or(Value::Null, |digest| digest.to_value()))
}

/// The third argument names the type of the result.
fn percentile_tdigest(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let (Some(digest), Some(percent)) = (digest(args), real(args, 1)) else { return Ok(Value::Null) };
    let Some(value) = digest.percentile(percent) else { return Ok(Value::Null) };
    Ok(match call.ty {
        Type::Dynamic | Type::Unknown => Value::dynamic(value.to_json()),
        Type::Bool
        | Type::Int
        | Type::Long
        | Type::Real
        | Type::Decimal
        | Type::String
        | Type::Datetime
        | Type::Timespan
        | Type::Guid => cast(value, call.ty),
    })
}

/// The percentages are arguments or one array.
fn percentiles_array_tdigest(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let Some(digest) = digest(args) else { return Ok(Value::Null) };
    let percents: Vec<Option<f64>> = match args.get(1).and_then(Value::as_array) {
        Some(items) => items.iter().map(crate::value::json_real).collect(),
        None => (1..args.len()).map(|i| real(args, i)).collect(),
    };
    let at =
        |percent: &Option<f64>| percent.and_then(|p| digest.percentile(p)).map_or(Json::Null, Value::to_json);
    Ok(Value::array(percents.iter().map(at).collect()))
}

/// How many values are smaller or equal; as a percentage of all for `percentrank_tdigest()`.
fn rank_tdigest(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let (Some(digest), Some(value)) = (digest(args), args.get(1).filter(|v| !v.is_null())) else {
        return Ok(Value::Null);
    };
    let rank = digest.rank(value) as f64;
    if call.name == "rank_tdigest" {
        return Ok(Value::Real(rank));
    }
    let total = digest.total();
    Ok(if total == 0 { Value::Null } else { Value::Real(rank * 100.0 / total as f64) })
}
