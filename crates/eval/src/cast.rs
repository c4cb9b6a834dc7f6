//! Conversions: Kusto's `to…()` functions, and what it does by itself where two types meet.
//!
//! In: a value of any type. Out: a value of the wanted type; null (`""` for strings) where it does not convert. A value inside
//! of a dynamic one converts as the value itself would.
//!
//! Source: Kusto documentation, "tobool()", "toint()", "tolong()", "todouble()", "todecimal()", "todatetime()", "totimespan()",
//! "toguid()", "tostring()", "todynamic()", "Scalar data types".

use crate::value::{guid_text, parse_guid};
use crate::{Value, decimal, json, time};
use ruleferry_ir::{Json, Type};
use rust_decimal::prelude::ToPrimitive as _;
use smol_str::{SmolStr, ToSmolStr as _, format_smolstr};

/// A value as another type: null (`""` for strings) where it does not convert.
pub fn cast(value: &Value, to: Type) -> Value {
    match to {
        Type::Bool => to_bool(value).map_or(Value::Null, Value::Bool),
        Type::Int => to_long(value).and_then(|n| i32::try_from(n).ok()).map_or(Value::Null, Value::Int),
        Type::Long => to_long(value).map_or(Value::Null, Value::Long),
        Type::Real => to_real(value).map_or(Value::Null, Value::Real),
        Type::Decimal => to_decimal(value).map_or(Value::Null, Value::Decimal),
        Type::String => Value::String(to_text(value)),
        Type::Datetime => to_datetime(value).map_or(Value::Null, Value::Datetime),
        Type::Timespan => to_timespan(value).map_or(Value::Null, Value::Timespan),
        Type::Guid => to_guid(value).map_or(Value::Null, Value::Guid),
        Type::Dynamic => to_dynamic(value),
        Type::Unknown => value.clone(),
    }
}

fn to_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Int(n) => Some(*n != 0),
        Value::Long(n) => Some(*n != 0),
        Value::Real(x) => Some(*x != 0.0),
        Value::Decimal(d) => Some(!d.is_zero()),
        Value::String(s) => text_to_bool(s),
        Value::Dynamic(json) => inner(json).and_then(|v| to_bool(&v)),
        Value::Null | Value::Datetime(_) | Value::Timespan(_) | Value::Guid(_) => None,
    }
}

/// `true` and `false` in any case; a number is true if it is not 0.
fn text_to_bool(text: &str) -> Option<bool> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        parse_real(text).filter(|x| !x.is_nan()).map(|x| x != 0.0)
    }
}

fn to_long(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(b) => Some(i64::from(*b)),
        Value::Int(n) => Some(i64::from(*n)),
        Value::Long(n) => Some(*n),
        Value::Real(x) => truncated(*x),
        Value::Decimal(d) => d.trunc().to_i64(),
        Value::String(s) => parse_long(s),
        Value::Datetime(t) | Value::Timespan(t) => Some(*t),
        Value::Dynamic(json) => inner(json).filter(is_no_time).and_then(|v| to_long(&v)),
        Value::Null | Value::Guid(_) => None,
    }
}

/// Towards zero; none where it does not fit.
fn truncated(x: f64) -> Option<i64> {
    // 2^63 is the first real that does not fit.
    const END: f64 = 9_223_372_036_854_775_808.0;
    (-END..END).contains(&x).then_some(x as i64)
}

/// Decimal digits with an optional sign, or `0x…`. A text with a fraction or an exponent is no whole number.
pub(crate) fn parse_long(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let magnitude = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => {
            let bits = u64::from_str_radix(hex, 16).ok()?;
            // Sixteen digits are the bits of a long, as in a literal.
            if negative { i128::from(bits) } else { i128::from(bits.cast_signed()) }
        }
        None if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse::<i128>().ok()?,
        _ => return None,
    };
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

fn to_real(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        Value::Int(n) => Some(f64::from(*n)),
        Value::Long(n) => Some(*n as f64),
        Value::Real(x) => Some(*x),
        Value::Decimal(d) => decimal::to_real(*d),
        Value::String(s) => parse_real(s),
        Value::Datetime(t) | Value::Timespan(t) => Some(*t as f64),
        Value::Dynamic(json) => inner(json).filter(is_no_time).and_then(|v| to_real(&v)),
        Value::Null | Value::Guid(_) => None,
    }
}

/// Digits with an optional fraction and exponent, `0x…`, or one of the words for what is not finite.
pub(crate) fn parse_real(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    if plain {
        return text.parse().ok();
    }
    let unsigned = text.trim_start_matches(['+', '-']);
    let word = |w: &str| unsigned.eq_ignore_ascii_case(w) && text.len() - unsigned.len() <= 1;
    if word("nan") {
        Some(f64::NAN)
    } else if word("inf") || word("infinity") {
        Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY })
    } else {
        parse_long(text).map(|n| n as f64)
    }
}

fn to_decimal(value: &Value) -> Option<rust_decimal::Decimal> {
    match value {
        Value::Bool(b) => Some(rust_decimal::Decimal::from(u8::from(*b))),
        Value::String(s) => decimal::parse(s),
        Value::Datetime(t) | Value::Timespan(t) => Some(rust_decimal::Decimal::from(*t)),
        Value::Dynamic(json) => inner(json).and_then(|v| to_decimal(&v)),
        Value::Int(_) | Value::Long(_) | Value::Real(_) | Value::Decimal(_) => decimal::of_value(value),
        Value::Null | Value::Guid(_) => None,
    }
}

/// Numbers are ticks.
fn to_datetime(value: &Value) -> Option<i64> {
    let ticks = match value {
        Value::Datetime(t) => *t,
        Value::String(s) => time::parse_datetime(s)?,
        Value::Int(n) => i64::from(*n),
        Value::Long(n) => *n,
        Value::Real(x) => truncated(*x)?,
        Value::Decimal(d) => d.trunc().to_i64()?,
        Value::Dynamic(json) => to_datetime(&inner(json)?)?,
        Value::Null | Value::Bool(_) | Value::Timespan(_) | Value::Guid(_) => return None,
    };
    (0..=time::MAX_DATETIME).contains(&ticks).then_some(ticks)
}

/// Whole numbers are ticks.
fn to_timespan(value: &Value) -> Option<i64> {
    match value {
        Value::Timespan(t) => Some(*t),
        Value::String(s) => time::parse_timespan(s),
        Value::Int(n) => Some(i64::from(*n)),
        Value::Long(n) => Some(*n),
        Value::Real(x) => truncated(*x),
        Value::Decimal(d) => d.trunc().to_i64(),
        Value::Dynamic(json) => to_timespan(&inner(json)?),
        Value::Null | Value::Bool(_) | Value::Datetime(_) | Value::Guid(_) => None,
    }
}

fn to_guid(value: &Value) -> Option<u128> {
    match value {
        Value::Guid(g) => Some(*g),
        Value::String(s) => parse_guid(s),
        Value::Dynamic(json) => to_guid(&inner(json)?),
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Long(_)
        | Value::Real(_)
        | Value::Decimal(_)
        | Value::Datetime(_)
        | Value::Timespan(_) => None,
    }
}

/// A text is read as JSON; one that is none stays a text.
fn to_dynamic(value: &Value) -> Value {
    match value {
        Value::String(s) if s.trim().is_empty() => Value::Null,
        Value::String(s) => {
            json::parse(s).map_or_else(|| Value::dynamic(Json::String(s.clone())), Value::dynamic)
        }
        Value::Dynamic(_) => value.clone(),
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Long(_)
        | Value::Real(_)
        | Value::Decimal(_)
        | Value::Datetime(_)
        | Value::Timespan(_)
        | Value::Guid(_) => Value::dynamic(value.to_json()),
    }
}

/// The text of a value: `tostring()`, and what the string functions see of another type.
pub(crate) fn to_text(value: &Value) -> SmolStr {
    match value {
        Value::Null => SmolStr::default(),
        Value::Bool(b) => if *b { "true" } else { "false" }.into(),
        Value::Int(n) => n.to_smolstr(),
        Value::Long(n) => n.to_smolstr(),
        Value::Real(x) => real_text(*x),
        Value::Decimal(d) => decimal::text(*d),
        Value::String(s) => s.clone(),
        Value::Datetime(t) => time::datetime_text(*t),
        Value::Timespan(t) => time::timespan_text(*t),
        Value::Guid(g) => guid_text(*g),
        Value::Dynamic(json) => match inner(json) {
            Some(value) => to_text(&value),
            None => json::text(json),
        },
    }
}

/// The shortest digits that read back as the same real: `1.0`, `0.1`, `1e+16`, `1e-05`, `NaN`, `-Infinity`.
pub(crate) fn real_text(x: f64) -> SmolStr {
    if x.is_nan() {
        return "NaN".into();
    }
    if x.is_infinite() {
        return if x > 0.0 { "Infinity" } else { "-Infinity" }.into();
    }
    let shortest = format!("{x:e}");
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        return format_smolstr!("{x:?}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format_smolstr!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// A time inside of a dynamic value is as good as its text, which is no number.
const fn is_no_time(value: &Value) -> bool {
    !matches!(value, Value::Datetime(_) | Value::Timespan(_))
}

/// The value that a dynamic one holds; none for arrays and bags.
fn inner(json: &Json) -> Option<Value> {
    match json {
        Json::Null => Some(Value::Null),
        Json::Bool(b) => Some(Value::Bool(*b)),
        Json::Long(n) => Some(Value::Long(*n)),
        Json::Real(x) => Some(Value::Real(*x)),
        Json::String(s) => Some(Value::String(s.clone())),
        Json::Datetime(t) => Some(Value::Datetime(*t)),
        Json::Timespan(t) => Some(Value::Timespan(*t)),
        Json::Array(_) | Json::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "tests")]
    use super::*;

    #[test]
    fn reals_have_the_shortest_text() {
        let cases = [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (-2.5, "-2.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (x, text) in cases {
            assert_eq!(real_text(x), text);
            if !x.is_nan() {
                assert_eq!(parse_real(text), Some(x));
            }
        }
    }

    #[test]
    fn whole_numbers_are_read_from_digits_only() {
        let cases = [
            ("12", Some(12)),
            (" -7 ", Some(-7)),
            ("0x1F", Some(31)),
            ("0xFFFFFFFFFFFFFFFF", Some(-1)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("12.7", None),
            ("1e3", None),
            ("", None),
            ("0x", None),
            ("--1", None),
            ("1 2", None),
        ];
        for (text, n) in cases {
            assert_eq!(parse_long(text), n, "{text}");
        }
    }

    #[test]
    fn reals_are_cut_towards_zero() {
        assert_eq!(truncated(-2.9), Some(-2));
        assert_eq!(truncated(f64::NAN), None);
        assert_eq!(truncated(9.3e18), None);
        assert_eq!(truncated(-9_223_372_036_854_775_808.0), Some(i64::MIN));
    }

    #[test]
    fn words_are_true_and_false() {
        for (text, b) in
            [("TRUE", Some(true)), (" false ", Some(false)), ("0", Some(false)), ("-3", Some(true))]
        {
            assert_eq!(text_to_bool(text), b, "{text}");
        }
        assert_eq!(text_to_bool("no"), None);
        assert_eq!(text_to_bool(""), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_converts_or_gives_null(text in "\\PC{0,24}|[-+0-9a-fxTZ:., /]{0,24}") {
            let value = Value::string(text.as_str());
            for ty in Type::ALL {
                let converted = cast(&value, ty);
                // What was read is written in a form that reads as the same.
                if !matches!(ty, Type::Dynamic | Type::Decimal) {
                    let again = cast(&Value::String(to_text(&converted)), ty);
                    proptest::prop_assert_eq!(to_text(&again), to_text(&converted), "{} as {}", text, ty);
                }
            }
        }

        #[test]
        fn times_have_texts_that_read_back(ticks in 0..=time::MAX_DATETIME, span: i64) {
            proptest::prop_assert_eq!(time::parse_datetime(&time::datetime_text(ticks)), Some(ticks));
            proptest::prop_assert_eq!(time::parse_timespan(&time::timespan_text(span)), Some(span));
        }

        #[test]
        fn reals_have_texts_that_read_back(x: f64) {
            proptest::prop_assert_eq!(parse_real(&real_text(x)), Some(x));
        }
    }
}
