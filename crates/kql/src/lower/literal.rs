//! Constants as KQL literals, in the form in which people write them.

use super::build::{self, expr};
use crate::syntax::literal::{Dynamic, Literal, ScalarType, StringForm, StringLiteral};
use crate::syntax::tree::{Expr, ExprKind};
use ruleferry_ir::time::{
    TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND, TICKS_PER_MINUTE, civil,
    clock,
};
use ruleferry_ir::{Json, TICKS_PER_SECOND, Type, Value};
use smol_str::{SmolStr, ToSmolStr, format_smolstr};

/// `None` for a null of a type that has no literal.
pub(super) fn literal(value: &Value) -> Option<Expr> {
    Some(match value {
        // A string has no null: what has no text is empty.
        Value::Null(Type::String) => build::string(""),
        Value::Null(Type::Dynamic) => expr(ExprKind::Dynamic(Box::new(Dynamic::Null))),
        Value::Null(ty) => build::typed(build::scalar_type(*ty)?, "null"),
        Value::Bool(b) => build::bool(*b),
        Value::Int(n) => build::typed(ScalarType::Int, n.to_smolstr()),
        Value::Long(n) => signed(*n),
        Value::Real(x) => real(*x),
        Value::Decimal(digits) => build::typed(ScalarType::Decimal, digits.clone()),
        Value::String(text) => build::string(text.clone()),
        Value::Datetime(ticks) => datetime(*ticks),
        Value::Timespan(ticks) => timespan(*ticks),
        Value::Guid(text) => build::typed(ScalarType::Guid, text.clone()),
        Value::Dynamic(json) => expr(ExprKind::Dynamic(Box::new(dynamic(json)))),
    })
}

fn signed(n: i64) -> Expr {
    if n == i64::MIN {
        return build::typed(ScalarType::Long, n.to_smolstr());
    }
    let digits = build::long(n.unsigned_abs());
    if n < 0 { build::minus(digits) } else { digits }
}

fn real(x: f64) -> Expr {
    if !x.is_finite() {
        let text = if x.is_nan() {
            "nan"
        } else if x > 0.0 {
            "+inf"
        } else {
            "-inf"
        };
        return build::typed(ScalarType::Real, text);
    }
    let digits = expr(ExprKind::Literal(Literal::Real(real_text(x.abs()))));
    if x.is_sign_negative() { build::minus(digits) } else { digits }
}

/// Digits with a point or an exponent, so that they read as a real.
fn real_text(x: f64) -> SmolStr {
    format_smolstr!("{x:?}")
}

pub(super) fn datetime(ticks: i64) -> Expr {
    build::typed(ScalarType::Datetime, datetime_text(ticks))
}

/// The shortest ISO form: a date alone at midnight, no fraction where there is none.
pub(super) fn datetime_text(ticks: i64) -> SmolStr {
    let (year, month, day) = civil(ticks.div_euclid(TICKS_PER_DAY));
    let date = format_smolstr!("{year:04}-{month:02}-{day:02}");
    let of_day = ticks.rem_euclid(TICKS_PER_DAY);
    if of_day == 0 {
        return date;
    }
    let (h, m, s, rest) = clock(of_day);
    format_smolstr!("{date}T{h:02}:{m:02}:{s:02}{}Z", fraction(rest))
}

/// `.` and the digits of a fraction of a second, without trailing zeros; nothing for none.
fn fraction(ticks: i64) -> SmolStr {
    if ticks == 0 {
        return SmolStr::default();
    }
    let digits = format_smolstr!("{ticks:07}");
    format_smolstr!(".{}", digits.trim_end_matches('0'))
}

/// Units of a timespan literal in ticks, the largest first.
const UNITS: [(&str, i64); 7] = [
    ("d", TICKS_PER_DAY),
    ("h", TICKS_PER_HOUR),
    ("m", TICKS_PER_MINUTE),
    ("s", TICKS_PER_SECOND),
    ("ms", TICKS_PER_MILLISECOND),
    ("microsecond", TICKS_PER_MICROSECOND),
    ("tick", 1),
];

/// A whole number of the largest unit that fits: `7d`, `90m`.
pub(super) fn timespan(ticks: i64) -> Expr {
    let bare = |text: SmolStr| expr(ExprKind::Literal(Literal::Timespan(text)));
    if ticks == 0 {
        return bare("0s".into());
    }
    if ticks == i64::MIN {
        return build::typed(ScalarType::Timespan, span_text(ticks));
    }
    let size = ticks.abs();
    let digits = match UNITS.iter().find(|(_, unit)| size % unit == 0) {
        Some((suffix, unit)) if size / unit < 100_000 => bare(format_smolstr!("{}{suffix}", size / unit)),
        _ => build::typed(ScalarType::Timespan, span_text(size)),
    };
    if ticks < 0 { build::minus(digits) } else { digits }
}

/// `[-]d.hh:mm:ss[.f]`, the days always there.
fn span_text(ticks: i64) -> SmolStr {
    let sign = if ticks < 0 { "-" } else { "" };
    let size = ticks.unsigned_abs();
    let day = TICKS_PER_DAY.unsigned_abs();
    let (h, m, s, rest) = clock(i64::try_from(size % day).unwrap_or(0));
    format_smolstr!("{sign}{}.{h:02}:{m:02}:{s:02}{}", size / day, fraction(rest))
}

fn dynamic(json: &Json) -> Dynamic {
    // A negative timespan is no literal here but in its typed form.
    let typed = |e: Expr| if let ExprKind::Literal(l) = e.kind { Dynamic::Literal(l) } else { Dynamic::Null };
    match json {
        Json::Null => Dynamic::Null,
        Json::Bool(b) => Dynamic::Bool(*b),
        Json::Long(n) => Dynamic::Number(n.to_smolstr()),
        Json::Real(x) if x.is_finite() => Dynamic::Number(format_smolstr!("{x:?}")),
        Json::Real(_) => Dynamic::Null,
        Json::String(text) => Dynamic::String(json_string(text)),
        Json::Datetime(ticks) => typed(datetime(*ticks)),
        Json::Timespan(ticks) if *ticks >= 0 => typed(timespan(*ticks)),
        Json::Timespan(ticks) => typed(build::typed(ScalarType::Timespan, span_text(*ticks))),
        Json::Array(items) => Dynamic::Array(items.iter().map(dynamic).collect()),
        Json::Object(map) => {
            let member = |(key, value): (&SmolStr, &Json)| (json_string(key), dynamic(value));
            Dynamic::Object(map.iter().map(member).collect())
        }
    }
}

/// Inside of `dynamic(…)` strings are JSON's: escaped, never verbatim.
fn json_string(text: &SmolStr) -> StringLiteral {
    StringLiteral { value: text.clone(), form: StringForm::Regular, obfuscated: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        const DAY: i64 = 86_400 * TICKS_PER_SECOND;
        assert_eq!(datetime_text(0), "0001-01-01");
        // 1970-01-01 is day 719,162.
        assert_eq!(datetime_text(719_162 * DAY), "1970-01-01");
        assert_eq!(datetime_text((719_162 + 19_782) * DAY + 5), "2024-02-29T00:00:00.0000005Z");
        assert_eq!(
            datetime_text((719_162 + 19_783) * DAY + 3_723 * TICKS_PER_SECOND),
            "2024-03-01T01:02:03Z"
        );
    }

    #[test]
    fn timespans() {
        let text = |ticks| match timespan(ticks).kind {
            ExprKind::Literal(Literal::Timespan(text)) => text,
            ExprKind::Literal(Literal::Typed(typed)) => typed.text,
            other => panic!("{other:?}"),
        };
        assert_eq!(text(7 * 86_400 * TICKS_PER_SECOND), "7d");
        assert_eq!(text(5400 * TICKS_PER_SECOND), "90m");
        assert_eq!(text(86_400 * TICKS_PER_SECOND + 15_000_001), "1.00:00:01.5000001");
        assert_eq!(text(1), "1tick");
    }
}
