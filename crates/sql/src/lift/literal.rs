//! Constants of the dialect as values of the IR.

use super::{Lifter, Result, Val};
use ruleferry_diag::Span;
use ruleferry_ir::time::{TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE, days_from_civil};
use ruleferry_ir::{Expr, Json, TICKS_PER_SECOND, Type, Value};
use sqlparser::ast::{self, DataType, DateTimeField};

/// Ticks below which times are not kept by the engine.
const TICKS_PER_MICROSECOND: i64 = 10;

impl Lifter<'_> {
    pub(super) fn literal(&mut self, value: &ast::ValueWithSpan, node: &ast::Expr) -> Result<Val> {
        let literal = match &value.value {
            ast::Value::Number(digits, _) => match number(digits) {
                Some(n) => n,
                None if digits.contains('.') => match digits.parse::<f64>() {
                    Ok(x) if x.is_finite() => {
                        self.assume("numbers with a decimal point are reckoned with in floating point");
                        Value::Real(x)
                    }
                    _ => return Err(self.types(node, format!("the number `{digits}` has no type of ours"))),
                },
                None => return Err(self.types(node, format!("the number `{digits}` has no type of ours"))),
            },
            ast::Value::SingleQuotedString(text) => return Ok(text_literal(text)),
            ast::Value::Boolean(b) => Value::Bool(*b),
            ast::Value::Null => {
                // Without a type it is a text that is NULL.
                let e = Expr::literal(Value::Null(Type::String), Span::default());
                return Ok(Val::new(e, super::nulls::Nulls::when(Some(Expr::bool(true, Span::default())))));
            }
            _ => return Err(self.function(node, "this constant")),
        };
        Ok(Val::present(Expr::literal(literal, Span::default())))
    }

    /// `TIMESTAMP '…'`
    pub(super) fn typed_string(&mut self, typed: &ast::TypedString, node: &ast::Expr) -> Result<Val> {
        let ast::Value::SingleQuotedString(text) = &typed.value.value else {
            return Err(self.function(node, "this constant"));
        };
        let ticks = match &typed.data_type {
            DataType::Timestamp(None, _) | DataType::Datetime(None) | DataType::Date => timestamp(text),
            _ => None,
        };
        match ticks {
            Some(ticks) => Ok(Val::present(Expr::literal(Value::Datetime(ticks), Span::default()))),
            None => Err(self.function(node, "this constant")),
        }
    }

    pub(super) fn interval(&mut self, interval: &ast::Interval, node: &ast::Expr) -> Result<Val> {
        let text = match &*interval.value {
            ast::Expr::Value(v) => match &v.value {
                ast::Value::SingleQuotedString(text) | ast::Value::Number(text, _) => Some(text.as_str()),
                _ => None,
            },
            _ => None,
        };
        let plain = interval.last_field.is_none()
            && interval.leading_precision.is_none()
            && interval.fractional_seconds_precision.is_none();
        let ticks = match (text, &interval.leading_field) {
            (Some(text), Some(field)) if plain => {
                text.trim().parse::<i64>().ok().and_then(|n| n.checked_mul(unit(field)?))
            }
            (Some(text), None) if plain => spelled(text),
            _ => None,
        };
        match ticks {
            Some(ticks) => Ok(Val::present(Expr::literal(Value::Timespan(ticks), Span::default()))),
            None => Err(self.function(node, "this interval")),
        }
    }
}

pub(super) fn text_literal(text: &str) -> Val {
    let mut val = Val::present(Expr::string(text, Span::default()));
    val.nulls.never_empty = !text.is_empty();
    val
}

/// The text of a constant.
pub(super) fn constant_text(e: &ast::Expr) -> Option<&str> {
    match e {
        ast::Expr::Nested(inner) => constant_text(inner),
        ast::Expr::Value(v) => match &v.value {
            ast::Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// A whole number.
pub(super) fn constant_number(e: &ast::Expr) -> Option<i64> {
    match e {
        ast::Expr::Nested(inner) => constant_number(inner),
        ast::Expr::Value(v) => match &v.value {
            ast::Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// A number with an exponent is a DOUBLE to the engine, one with a point alone a DECIMAL.
fn number(digits: &str) -> Option<Value> {
    if digits.contains(['e', 'E']) {
        return digits.parse().ok().filter(|x: &f64| x.is_finite()).map(Value::Real);
    }
    if digits.contains('.') {
        return None;
    }
    digits.parse().ok().map(Value::Long)
}

fn unit(field: &DateTimeField) -> Option<i64> {
    Some(match field {
        DateTimeField::Week(None) | DateTimeField::Weeks => 7 * TICKS_PER_DAY,
        DateTimeField::Day | DateTimeField::Days => TICKS_PER_DAY,
        DateTimeField::Hour | DateTimeField::Hours => TICKS_PER_HOUR,
        DateTimeField::Minute | DateTimeField::Minutes => TICKS_PER_MINUTE,
        DateTimeField::Second | DateTimeField::Seconds => TICKS_PER_SECOND,
        DateTimeField::Millisecond | DateTimeField::Milliseconds => 1000 * TICKS_PER_MICROSECOND,
        DateTimeField::Microsecond | DateTimeField::Microseconds => TICKS_PER_MICROSECOND,
        _ => return None,
    })
}

/// `1 days 2 hours`
pub(super) fn spelled(text: &str) -> Option<i64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (pairs, rest) = words.as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return None;
    }
    let mut sum = 0_i64;
    for [count, name] in pairs {
        let name = name.to_ascii_lowercase();
        let unit = match name.as_str() {
            "weeks" | "week" | "w" => 7 * TICKS_PER_DAY,
            "days" | "day" | "d" => TICKS_PER_DAY,
            "hours" | "hour" | "hr" | "hrs" | "h" => TICKS_PER_HOUR,
            "minutes" | "minute" | "min" | "mins" | "m" => TICKS_PER_MINUTE,
            "seconds" | "second" | "sec" | "secs" | "s" => TICKS_PER_SECOND,
            "milliseconds" | "millisecond" | "ms" => 1000 * TICKS_PER_MICROSECOND,
            "microseconds" | "microsecond" | "us" => TICKS_PER_MICROSECOND,
            _ => return None,
        };
        sum = sum.checked_add(count.parse::<i64>().ok()?.checked_mul(unit)?)?;
    }
    Some(sum)
}

/// `2021-01-31 10:20:30[.ffffff]`
pub(super) fn timestamp(text: &str) -> Option<i64> {
    let text = text.trim().trim_end_matches(['Z', 'z']);
    let text = text.strip_suffix("+00:00").or(text.strip_suffix("+00")).unwrap_or(text);
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00:00"));
    let mut date = date.splitn(3, '-').map(|p| p.parse::<i64>().ok());
    let days = days_from_civil(date.next()??, date.next()??, date.next()??)?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut clock = clock.splitn(3, ':').map(|p| p.parse::<i64>().ok().filter(|n| *n >= 0));
    let (h, m, s) = (clock.next()??, clock.next()??, clock.next().unwrap_or(Some(0))?);
    if h > 23 || m > 59 || s > 59 || fraction.len() > 6 {
        return None;
    }
    let micros = if fraction.is_empty() { 0 } else { format!("{fraction:0<6}").parse::<i64>().ok()? };
    let seconds = h * 3600 + m * 60 + s;
    Some(days * TICKS_PER_DAY + seconds * TICKS_PER_SECOND + micros * TICKS_PER_MICROSECOND)
}

/// JSON text as a constant; times in it are texts. Numbers keep their kind.
pub(super) fn json(text: &str) -> Option<Json> {
    super::json::parse(text)
}

/// The IR type that a type of the dialect stands for in a cast.
pub(super) fn type_of(ty: &DataType) -> Option<Type> {
    Some(match ty {
        DataType::Boolean => Type::Bool,
        DataType::Bool => Type::Bool,
        DataType::Integer(None) | DataType::Int(None) | DataType::Int4(None) | DataType::Int32 => Type::Int,
        DataType::BigInt(None) | DataType::Int8(None) | DataType::Int64 | DataType::UBigInt => Type::Long,
        DataType::Double(ast::ExactNumberInfo::None)
        | DataType::DoublePrecision
        | DataType::Float8
        | DataType::Float64
        | DataType::Real
        | DataType::Float(_) => Type::Real,
        DataType::Varchar(_) | DataType::Text | DataType::String(_) | DataType::CharVarying(_) => {
            Type::String
        }
        DataType::Timestamp(None, _)
        | DataType::Datetime(None)
        | DataType::Datetime64(..)
        | DataType::Date
        | DataType::Date32 => Type::Datetime,
        DataType::JSONB => Type::Dynamic,
        DataType::Uuid => Type::Guid,
        DataType::JSON => Type::Dynamic,
        DataType::Interval { .. } => Type::Timespan,
        DataType::Decimal(_) => Type::Decimal,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back() {
        assert_eq!(timestamp("1970-01-01 00:00:00.000001"), Some(ruleferry_ir::time::UNIX_EPOCH + 10));
        assert_eq!(timestamp("1970-01-01 24:00:00"), None);
        assert_eq!(spelled("1 days -2 hours"), Some(TICKS_PER_DAY - 2 * TICKS_PER_HOUR));
        assert_eq!(number("1.5"), None);
        assert_eq!(number("1.5e0"), Some(Value::Real(1.5)));
    }
}
