//! Decimals: 28 digits of `rust_decimal`. Kusto has 34; what does not fit is rounded, and null where its size does not fit.

use crate::Value;
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive as _, ToPrimitive as _};
use smol_str::{SmolStr, ToSmolStr as _};

/// Reads digits with an optional exponent.
pub(crate) fn parse(text: &str) -> Option<Decimal> {
    let text = text.trim();
    // The library also reads `1_000`.
    if text.contains('_') {
        return None;
    }
    if text.contains(['e', 'E']) { Decimal::from_scientific(text).ok() } else { text.parse().ok() }
}

/// Digits without an exponent, no trailing zeros.
pub(crate) fn text(decimal: Decimal) -> SmolStr {
    decimal.normalize().to_smolstr()
}

pub(crate) fn to_real(decimal: Decimal) -> Option<f64> {
    decimal.to_f64()
}

/// A number of any type as a decimal.
pub(crate) fn of_value(value: &Value) -> Option<Decimal> {
    match value {
        Value::Int(n) => Some(Decimal::from(*n)),
        Value::Long(n) => Some(Decimal::from(*n)),
        Value::Real(x) => Decimal::from_f64(*x),
        Value::Decimal(d) => Some(*d),
        Value::Null
        | Value::Bool(_)
        | Value::String(_)
        | Value::Datetime(_)
        | Value::Timespan(_)
        | Value::Guid(_)
        | Value::Dynamic(_) => None,
    }
}
