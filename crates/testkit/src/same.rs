//! When two values, rows or tables are equal.

use crate::text;
use ruleferry_eval::Value;
use ruleferry_ir::Json;
use rust_decimal::prelude::ToPrimitive as _;

/// How exactly values are compared.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Of reals, relative to the expected one.
    pub relative: f64,
    /// Of reals, beside that.
    pub absolute: f64,
    /// Of reals inside of dynamic values: also one unit in the last digit that the expected one is written with.
    pub last_digit: bool,
    /// Times are cut to microseconds.
    pub micros: bool,
    /// Blanks around and runs of blanks inside of texts do not count.
    pub loose_text: bool,
    /// Arrays have no order.
    pub sets: bool,
}

impl Rules {
    /// Two engines, one of which has microseconds.
    pub const ENGINES: Self = Self {
        relative: 1e-9,
        absolute: 1e-12,
        last_digit: false,
        micros: true,
        loose_text: false,
        sets: false,
    };
}

/// Whether `got` is what is wanted. Null equals the empty text: KQL has no null string.
pub fn value(want: &Value, got: &Value, rules: Rules) -> bool {
    match (want, got) {
        (Value::Null, Value::Null) => true,
        (Value::Null, Value::String(s)) | (Value::String(s), Value::Null) => s.trim().is_empty(),
        (Value::Null, Value::Dynamic(j)) | (Value::Dynamic(j), Value::Null) => {
            matches!(&**j, Json::Null) || matches!(&**j, Json::String(s) if s.is_empty())
        }
        (Value::Null, _) | (_, Value::Null) => false,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Bool(a), b) | (b, Value::Bool(a)) => b.as_long() == Some(i64::from(*a)),
        (Value::Datetime(a), Value::Datetime(b)) | (Value::Timespan(a), Value::Timespan(b)) => {
            ticks(*a, *b, rules)
        }
        (Value::Guid(a), Value::Guid(b)) => a == b,
        (Value::String(a), Value::String(b)) => texts(a, b, rules),
        (Value::Decimal(a), Value::Decimal(b)) => {
            a == b || close(a.to_f64().unwrap_or(f64::NAN), b.to_f64().unwrap_or(f64::NAN), rules)
        }
        (Value::Dynamic(a), Value::Dynamic(b)) => json(a, b, rules),
        (Value::Dynamic(a), b) => json(a, &b.to_json(), rules),
        (a, Value::Dynamic(b)) => json(&a.to_json(), b, rules),
        (a, b) => match (a.as_long(), b.as_long()) {
            (Some(a), Some(b)) => a == b,
            _ => match (a.as_real(), b.as_real()) {
                (Some(a), Some(b)) => close(a, b, rules),
                _ => false,
            },
        },
    }
}

fn ticks(a: i64, b: i64, rules: Rules) -> bool {
    // A microsecond engine may have cut each of several terms.
    if rules.micros { a.div_euclid(10) == b.div_euclid(10) } else { a == b }
}

fn close(want: f64, got: f64, rules: Rules) -> bool {
    if want.is_nan() || got.is_nan() {
        return want.is_nan() && got.is_nan();
    }
    want == got || (want - got).abs() <= (want.abs() * rules.relative).max(rules.absolute)
}

/// `0.25` gives 0.01, `1.5e3` gives 100, `7` gives 0: without a point nothing was rounded.
pub fn unit_of_last_digit(number: &str) -> f64 {
    let number = number.trim();
    let (digits, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let Some((_, fraction)) = digits.split_once('.') else { return 0.0 };
    let places = fraction.bytes().filter(u8::is_ascii_digit).count() as i32;
    10f64.powi(exponent.parse::<i32>().unwrap_or(0) - places)
}

fn texts(a: &str, b: &str, rules: Rules) -> bool {
    a == b || rules.loose_text && a.split_whitespace().eq(b.split_whitespace())
}

pub fn json(want: &Json, got: &Json, rules: Rules) -> bool {
    match (want, got) {
        (Json::Null, Json::Null) => true,
        (Json::Bool(a), Json::Bool(b)) => a == b,
        (Json::Long(a), Json::Long(b)) => a == b,
        (Json::Long(_) | Json::Real(_), Json::Long(_) | Json::Real(_)) => {
            let number = |j: &Json| match j {
                Json::Long(n) => *n as f64,
                Json::Real(x) => *x,
                _ => f64::NAN,
            };
            let absolute = match want {
                Json::Real(x) if rules.last_digit => unit_of_last_digit(&format!("{x}")),
                _ => 0.0,
            };
            close(number(want), number(got), Rules { absolute: absolute.max(rules.absolute), ..rules })
        }
        // JSON has no NaN and no infinity: engines write them as text.
        (Json::Real(x), Json::String(s)) | (Json::String(s), Json::Real(x)) if !x.is_finite() => {
            s.parse::<f64>().is_ok_and(|y| close(*x, y, rules))
        }
        // Kusto writes what is not finite as null in JSON.
        (Json::Real(x), Json::Null) | (Json::Null, Json::Real(x)) => !x.is_finite(),
        (Json::Array(a), Json::Array(b)) if rules.sets => {
            a.len() == b.len() && matched(a, b, |a, b| json(a, b, rules)).is_ok()
        }
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| json(a, b, rules))
        }
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| json(v, w, rules)))
        }
        (Json::String(a), Json::String(b)) if texts(a, b, rules) => true,
        (
            Json::Datetime(_) | Json::Timespan(_) | Json::String(_),
            Json::Datetime(_) | Json::Timespan(_) | Json::String(_),
        ) => match (times(want), times(got)) {
            ((Some(a), _), (Some(b), _)) | ((_, Some(a)), (_, Some(b))) => ticks(a, b, rules),
            _ => false,
        },
        _ => false,
    }
}

/// As a datetime and as a timespan; a text may be either.
fn times(json: &Json) -> (Option<i64>, Option<i64>) {
    match json {
        Json::Datetime(t) => (Some(*t), None),
        Json::Timespan(t) => (None, Some(*t)),
        Json::String(s) => (text::datetime(s), text::timespan(s)),
        _ => (None, None),
    }
}

/// Pairs each wanted item with one that was got; else the indexes of those without a partner.
pub fn matched<W, G>(
    want: &[W],
    got: &[G],
    mut same: impl FnMut(&W, &G) -> bool,
) -> Result<(), (Vec<usize>, Vec<usize>)> {
    let mut free: Vec<usize> = (0..got.len()).collect();
    let mut missing = Vec::new();
    for (i, w) in want.iter().enumerate() {
        // Most tables come in the same order.
        match free.iter().position(|j| same(w, &got[*j])) {
            Some(at) => {
                free.remove(at);
            }
            None => missing.push(i),
        }
    }
    if missing.is_empty() && free.is_empty() { Ok(()) } else { Err((missing, free)) }
}
