//! Constants: an IR value in, the literal of the dialect out.

use super::form::signed;
use super::instantiate;
use crate::Dialect;
use crate::build::{boolean, cast, data_type, null, string};
use ruleferry_ir::time::{self, TICKS_PER_DAY, TICKS_PER_MICROSECOND, civil, clock};
use ruleferry_ir::{Json, Type, Value};
use sqlparser::ast::{DataType, DateTimeField, Expr, Interval, TypedString, ValueWithSpan};
use std::fmt::Write as _;

pub fn literal(dialect: &'static Dialect, value: &Value) -> Expr {
    // The dialect's own form of a literal, if it has one.
    let own = |name: &str, ty: Type, plain: Expr| {
        let form = || instantiate(dialect, name, &[ty], vec![plain.clone()]);
        if dialect.generic { plain } else { form().unwrap_or(plain) }
    };
    match value {
        Value::Null(Type::String) => string(""),
        // A bare NULL has no type in DuckDB; the cast keeps that of the column.
        Value::Null(ty) => cast(null(), data_type(dialect, *ty)),
        Value::Bool(b) => boolean(*b),
        Value::Int(n) => signed(&n.to_string()),
        Value::Long(n) => long(dialect, *n),
        Value::Real(r) if !r.is_finite() && !dialect.can(ruleferry_targets::Capability::NotANumber) => {
            cast(null(), data_type(dialect, Type::Real))
        }
        Value::Real(r) => own("literal.real", Type::Real, real(dialect, *r)),
        Value::Decimal(text) if !dialect.generic => own("literal.real", Type::Real, signed(text)),
        Value::Decimal(text) => cast(signed(text), data_type(dialect, Type::Decimal)),
        Value::String(text) | Value::Guid(text) => string(text),
        Value::Datetime(ticks) if dialect.generic => datetime(dialect, *ticks),
        Value::Datetime(ticks) => {
            let text = string(&datetime_text(*ticks));
            let micros = crate::build::integer(ticks.div_euclid(TICKS_PER_MICROSECOND) - UNIX_MICROS);
            instantiate(dialect, "literal.datetime", &[Type::String], vec![text])
                .or_else(|| instantiate(dialect, "literal.datetime", &[Type::Long], vec![micros]))
                .unwrap_or_else(|| datetime(dialect, *ticks))
        }
        Value::Timespan(ticks) if dialect.generic => interval(*ticks),
        Value::Timespan(ticks) => crate::build::integer(ticks / TICKS_PER_MICROSECOND),
        Value::Dynamic(json) if dialect.generic => {
            cast(string(&json_text(json)), data_type(dialect, Type::Dynamic))
        }
        Value::Dynamic(json) => own("literal.dynamic", Type::String, string(&json_text(json))),
    }
}

/// Microseconds from year 1 to 1970.
const UNIX_MICROS: i64 = 62_135_596_800_000_000;

fn long(dialect: &Dialect, n: i64) -> Expr {
    // The digits of the smallest long are read before the sign and do not fit.
    if n == i64::MIN {
        cast(string(&n.to_string()), data_type(dialect, Type::Long))
    } else {
        signed(&n.to_string())
    }
}

fn real(dialect: &Dialect, r: f64) -> Expr {
    if !r.is_finite() {
        let name = if r.is_nan() {
            "NaN"
        } else if r > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        };
        return cast(string(name), data_type(dialect, Type::Real));
    }
    // `1.5` would be a DECIMAL in DuckDB; an exponent makes it a DOUBLE.
    let mut text = format!("{r:?}");
    if !text.contains('e') {
        text.push_str("e0");
    }
    signed(&text)
}

fn typed(data_type: DataType, text: String) -> Expr {
    Expr::TypedString(TypedString {
        data_type,
        value: ValueWithSpan::from(sqlparser::ast::Value::SingleQuotedString(text)),
        uses_odbc_syntax: false,
    })
}

/// `TIMESTAMP '…'`: to the microsecond, the ticks below are lost (a listed assumption).
pub fn datetime(dialect: &Dialect, ticks: i64) -> Expr {
    typed(data_type(dialect, Type::Datetime), datetime_text(ticks))
}

/// `2021-01-31 10:20:30[.ffffff]`.
pub fn datetime_text(ticks: i64) -> String {
    let (year, month, day) = civil(ticks.div_euclid(TICKS_PER_DAY));
    let (h, m, s, rest) = clock(ticks.rem_euclid(TICKS_PER_DAY));
    let micros = rest / TICKS_PER_MICROSECOND;
    let mut text = format!("{year:04}-{month:02}-{day:02} {h:02}:{m:02}:{s:02}");
    if micros != 0 {
        let _ = write!(text, ".{micros:06}");
    }
    text
}

/// `INTERVAL '14' DAY`, or `INTERVAL '1 day 2 hours'` where one unit will not do.
pub fn interval(ticks: i64) -> Expr {
    let micros = ticks / 10;
    let units = [
        (86_400_000_000, DateTimeField::Day, "days"),
        (3_600_000_000, DateTimeField::Hour, "hours"),
        (60_000_000, DateTimeField::Minute, "minutes"),
        (1_000_000, DateTimeField::Second, "seconds"),
        (1000, DateTimeField::Millisecond, "milliseconds"),
        (1, DateTimeField::Microsecond, "microseconds"),
    ];
    let whole = |value: i64, field: DateTimeField| {
        Expr::Interval(Interval {
            value: Box::new(string(&value.to_string())),
            leading_field: Some(field),
            leading_precision: None,
            last_field: None,
            fractional_seconds_precision: None,
        })
    };
    if micros == 0 {
        return whole(0, DateTimeField::Second);
    }
    let largest = units.iter().find(|(size, _, _)| micros.abs() >= *size);
    if let Some((size, field, _)) = largest
        && micros % size == 0
    {
        return whole(micros / size, field.clone());
    }
    let mut rest = micros;
    let mut parts = Vec::new();
    for (size, _, name) in &units {
        let count = rest / size;
        rest %= size;
        if count != 0 {
            parts.push(format!("{count} {name}"));
        }
    }
    Expr::Interval(Interval {
        value: Box::new(string(&parts.join(" "))),
        leading_field: None,
        leading_precision: None,
        last_field: None,
        fractional_seconds_precision: None,
    })
}

/// Compact JSON text. Times inside of a dynamic value are strings, as Kusto prints them.
pub fn json_text(json: &Json) -> String {
    let mut out = String::new();
    write_json(json, &mut out);
    out
}

fn write_json(json: &Json, out: &mut String) {
    match json {
        Json::Null => out.push_str("null"),
        Json::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Json::Long(n) => out.push_str(&n.to_string()),
        Json::Real(r) if r.is_finite() => out.push_str(&format!("{r:?}")),
        Json::Real(r) => write_json_string(&r.to_string(), out),
        Json::String(s) => write_json_string(s, out),
        Json::Datetime(ticks) => write_json_string(&time::datetime_text(*ticks), out),
        Json::Timespan(ticks) => write_json_string(&time::timespan_text(*ticks), out),
        Json::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_json(item, out);
            }
            out.push(']');
        }
        Json::Object(members) => {
            out.push('{');
            for (i, (name, value)) in members.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_json_string(name, out);
                out.push(':');
                write_json(value, out);
            }
            out.push('}');
        }
    }
}

pub fn write_json_string(s: &str, out: &mut String) {
    out.push('"');
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
