//! Arithmetic with Kusto's rules: the type of the result is known beforehand, null goes through, whole numbers wrap.

use crate::{Value, decimal};
use ruleferry_ir::{ArithmeticOp, Type};

/// `left op right` with a result of type `ty`; null where it has none (division of whole numbers by zero, a time out of range).
pub(crate) fn arithmetic(op: ArithmeticOp, left: &Value, right: &Value, ty: Type) -> Value {
    match ty {
        Type::Int => whole(op, left, right).map_or(Value::Null, |n| Value::Int(n as i32)),
        Type::Long => whole(op, left, right).map_or(Value::Null, Value::Long),
        Type::Real => real(op, left, right).map_or(Value::Null, Value::Real),
        Type::Decimal => decimal(op, left, right).map_or(Value::Null, Value::Decimal),
        Type::Datetime => datetime(op, left, right).map_or(Value::Null, Value::Datetime),
        Type::Timespan => timespan(op, left, right).map_or(Value::Null, Value::Timespan),
        // What is known only when run: by the values themselves.
        Type::Dynamic | Type::Unknown => by_values(op, left, right),
        Type::Bool | Type::String | Type::Guid => Value::Null,
    }
}

fn by_values(op: ArithmeticOp, left: &Value, right: &Value) -> Value {
    let (left, right) = (plain(left), plain(right));
    let ty = match (&left, &right) {
        (Value::Datetime(_), Value::Datetime(_)) => Type::Timespan,
        (Value::Datetime(_), _) | (_, Value::Datetime(_)) => Type::Datetime,
        (Value::Timespan(_), Value::Timespan(_)) if op == ArithmeticOp::Div => Type::Real,
        (Value::Timespan(_), _) | (_, Value::Timespan(_)) => Type::Timespan,
        (Value::Real(_), _) | (_, Value::Real(_)) => Type::Real,
        (Value::Decimal(_), _) | (_, Value::Decimal(_)) => Type::Decimal,
        _ => Type::Long,
    };
    arithmetic(op, &left, &right, ty)
}

/// The value that a dynamic one holds.
fn plain(value: &Value) -> Value {
    use ruleferry_ir::Json;
    match value.as_json() {
        Some(Json::Long(n)) => Value::Long(*n),
        Some(Json::Real(x)) => Value::Real(*x),
        Some(Json::Datetime(t)) => Value::Datetime(*t),
        Some(Json::Timespan(t)) => Value::Timespan(*t),
        Some(Json::Null | Json::Bool(_) | Json::String(_) | Json::Array(_) | Json::Object(_)) => Value::Null,
        None => value.clone(),
    }
}

fn whole(op: ArithmeticOp, left: &Value, right: &Value) -> Option<i64> {
    let (a, b) = (left.as_long()?, right.as_long()?);
    match op {
        ArithmeticOp::Add => Some(a.wrapping_add(b)),
        ArithmeticOp::Sub => Some(a.wrapping_sub(b)),
        ArithmeticOp::Mul => Some(a.wrapping_mul(b)),
        ArithmeticOp::Div => (b != 0).then(|| a.wrapping_div(b)),
        ArithmeticOp::Mod => (b != 0).then(|| positive_remainder(a, b)),
    }
}

/// The remainder that is never negative, whatever the signs.
fn positive_remainder(a: i64, b: i64) -> i64 {
    i64::try_from(i128::from(a).rem_euclid(i128::from(b).abs())).unwrap_or(0)
}

fn real(op: ArithmeticOp, left: &Value, right: &Value) -> Option<f64> {
    if let (Value::Timespan(a), Value::Timespan(b)) = (left, right) {
        return (op == ArithmeticOp::Div).then(|| *a as f64 / *b as f64);
    }
    let (a, b) = (left.as_real()?, right.as_real()?);
    Some(match op {
        ArithmeticOp::Add => a + b,
        ArithmeticOp::Sub => a - b,
        ArithmeticOp::Mul => a * b,
        ArithmeticOp::Div => a / b,
        ArithmeticOp::Mod => a.rem_euclid(b),
    })
}

fn decimal(op: ArithmeticOp, left: &Value, right: &Value) -> Option<rust_decimal::Decimal> {
    let (a, b) = (decimal::of_value(left)?, decimal::of_value(right)?);
    match op {
        ArithmeticOp::Add => a.checked_add(b),
        ArithmeticOp::Sub => a.checked_sub(b),
        ArithmeticOp::Mul => a.checked_mul(b),
        ArithmeticOp::Div => a.checked_div(b),
        ArithmeticOp::Mod => {
            let rest = a.checked_rem(b)?;
            if rest.is_sign_negative() { rest.checked_add(b.abs()) } else { Some(rest) }
        }
    }
}

fn datetime(op: ArithmeticOp, left: &Value, right: &Value) -> Option<i64> {
    let ticks = match (op, left, right) {
        (ArithmeticOp::Add, Value::Datetime(a), Value::Timespan(b))
        | (ArithmeticOp::Add, Value::Timespan(b), Value::Datetime(a)) => a.checked_add(*b),
        (ArithmeticOp::Sub, Value::Datetime(a), Value::Timespan(b)) => a.checked_sub(*b),
        _ => None,
    };
    ticks.filter(|t| (0..=crate::time::MAX_DATETIME).contains(t))
}

fn timespan(op: ArithmeticOp, left: &Value, right: &Value) -> Option<i64> {
    match (op, left, right) {
        (ArithmeticOp::Sub, Value::Datetime(a), Value::Datetime(b)) => a.checked_sub(*b),
        (ArithmeticOp::Add, Value::Timespan(a), Value::Timespan(b)) => a.checked_add(*b),
        (ArithmeticOp::Sub, Value::Timespan(a), Value::Timespan(b)) => a.checked_sub(*b),
        (ArithmeticOp::Mod, Value::Timespan(a) | Value::Datetime(a), Value::Timespan(b)) => {
            (*b != 0).then(|| positive_remainder(*a, *b))
        }
        (ArithmeticOp::Mul, Value::Timespan(a), b) | (ArithmeticOp::Mul, b, Value::Timespan(a)) => {
            if let Some(n) = b.as_long() {
                a.checked_mul(n)
            } else {
                ticks(*a as f64 * b.as_real()?)
            }
        }
        (ArithmeticOp::Div, Value::Timespan(a), b) => {
            if let Some(n) = b.as_long() {
                (n != 0).then(|| a.wrapping_div(n))
            } else {
                ticks(*a as f64 / b.as_real()?)
            }
        }
        _ => None,
    }
}

fn ticks(x: f64) -> Option<i64> {
    let x = x.round();
    (x.abs() < 9.2e18).then_some(x as i64)
}

/// `-x`
pub(crate) fn negate(value: &Value) -> Value {
    match value {
        Value::Int(n) => Value::Int(n.wrapping_neg()),
        Value::Long(n) => Value::Long(n.wrapping_neg()),
        Value::Real(x) => Value::Real(-x),
        Value::Decimal(d) => Value::Decimal(-*d),
        Value::Timespan(t) => t.checked_neg().map_or(Value::Null, Value::Timespan),
        Value::Dynamic(_) => match plain(value) {
            Value::Dynamic(_) | Value::Null => Value::Null,
            number => negate(&number),
        },
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Datetime(_) | Value::Guid(_) => Value::Null,
    }
}
