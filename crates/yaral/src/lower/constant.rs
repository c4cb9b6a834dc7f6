//! Constants: what an expression without fields is, as far as rules compute with constants.

use super::{At, Lowerer};
use ruleferry_ir::{ArithmeticOp, ExprKind, Json, Value};
use smol_str::SmolStr;

impl<'q> Lowerer<'q> {
    /// The constant that an expression is, through columns, `let`s and conversions that a language makes by itself.
    pub(super) fn constant(&mut self, at: At<'q>) -> Option<Value> {
        self.budget = self.budget.checked_sub(1)?;
        let at = self.behind(at);
        let inner = |e| At { e, ..at };
        match &at.e.kind {
            ExprKind::Literal(value) => Some(value.clone()),
            ExprKind::Cast(cast) if cast.implicit => self.constant(inner(&cast.expr)),
            ExprKind::Negate(e) => negated(&self.constant(inner(e))?),
            ExprKind::Arithmetic(a) => {
                arithmetic(a.op, &self.constant(inner(&a.left))?, &self.constant(inner(&a.right))?)
            }
            ExprKind::Call(f, args) => {
                let args: Option<Vec<Value>> = args.iter().map(|a| self.constant(inner(a))).collect();
                call(f.name, &args?)
            }
            ExprKind::Column(_)
            | ExprKind::Let(_)
            | ExprKind::Now
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::Compare(_)
            | ExprKind::Match(_)
            | ExprKind::In(_)
            | ExprKind::InQuery(_)
            | ExprKind::Between(_)
            | ExprKind::IsNull(_)
            | ExprKind::IsEmpty(_)
            | ExprKind::Cast(_)
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Case(..)
            | ExprKind::Subquery(_)
            | ExprKind::Opaque(_) => None,
        }
    }

    /// A constant text; numbers as they are written.
    pub(super) fn constant_text(&mut self, at: At<'q>) -> Option<SmolStr> {
        as_text(&self.constant(at)?)
    }

    /// The values of a constant array; a value that is none stands for itself.
    pub(super) fn constant_list(&mut self, at: At<'q>) -> Option<Vec<Value>> {
        match self.constant(at)? {
            Value::Dynamic(Json::Array(items)) => items.iter().map(of_json).collect(),
            Value::Dynamic(other) => Some(vec![of_json(&other)?]),
            value => Some(vec![value]),
        }
    }
}

pub(super) fn as_text(value: &Value) -> Option<SmolStr> {
    match value {
        Value::String(text) | Value::Guid(text) => Some(text.clone()),
        Value::Long(n) => Some(n.to_string().into()),
        Value::Int(n) => Some(n.to_string().into()),
        Value::Bool(b) => Some(b.to_string().into()),
        Value::Null(_)
        | Value::Real(_)
        | Value::Decimal(_)
        | Value::Datetime(_)
        | Value::Timespan(_)
        | Value::Dynamic(_) => None,
    }
}

fn of_json(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Bool(b) => Value::Bool(*b),
        Json::Long(n) => Value::Long(*n),
        Json::Real(x) => Value::Real(*x),
        Json::String(text) => Value::String(text.clone()),
        Json::Null | Json::Datetime(_) | Json::Timespan(_) | Json::Array(_) | Json::Object(_) => return None,
    })
}

fn negated(value: &Value) -> Option<Value> {
    match value {
        Value::Long(n) => n.checked_neg().map(Value::Long),
        Value::Int(n) => n.checked_neg().map(Value::Int),
        Value::Real(x) => Some(Value::Real(-x)),
        Value::Timespan(t) => t.checked_neg().map(Value::Timespan),
        Value::Null(_)
        | Value::Bool(_)
        | Value::Decimal(_)
        | Value::String(_)
        | Value::Datetime(_)
        | Value::Guid(_)
        | Value::Dynamic(_) => None,
    }
}

/// Sums and products of whole numbers and lengths of time.
fn arithmetic(op: ArithmeticOp, left: &Value, right: &Value) -> Option<Value> {
    let whole = |a: i64, b: i64| match op {
        ArithmeticOp::Add => a.checked_add(b),
        ArithmeticOp::Sub => a.checked_sub(b),
        ArithmeticOp::Mul => a.checked_mul(b),
        ArithmeticOp::Div | ArithmeticOp::Mod => None,
    };
    match (left, right) {
        (Value::Long(a), Value::Long(b)) => whole(*a, *b).map(Value::Long),
        (Value::Timespan(a), Value::Timespan(b)) if op != ArithmeticOp::Mul => {
            whole(*a, *b).map(Value::Timespan)
        }
        (Value::Datetime(a), Value::Timespan(b)) if op != ArithmeticOp::Mul => {
            whole(*a, *b).map(Value::Datetime)
        }
        (Value::Timespan(t), Value::Long(n)) | (Value::Long(n), Value::Timespan(t))
            if op == ArithmeticOp::Mul =>
        {
            whole(*t, *n).map(Value::Timespan)
        }
        // A whole number that was made a real to be multiplied.
        (Value::Timespan(t), Value::Real(x)) | (Value::Real(x), Value::Timespan(t))
            if op == ArithmeticOp::Mul && x.fract() == 0.0 && x.abs() < 1e9 =>
        {
            format!("{x:.0}").parse().ok().and_then(|n: i64| t.checked_mul(n)).map(Value::Timespan)
        }
        _ => None,
    }
}

fn call(name: &str, args: &[Value]) -> Option<Value> {
    let texts = || args.iter().map(Value::as_str).collect::<Option<Vec<&str>>>();
    Some(match (name, args) {
        ("pack_array", _) => Value::Dynamic(Json::Array(args.iter().map(json).collect::<Option<_>>()?)),
        ("strcat", _) => Value::String(texts()?.concat().into()),
        ("strcat_array", [Value::Dynamic(Json::Array(items)), Value::String(between)]) => {
            let text = |item: &Json| if let Json::String(t) = item { Some(t.to_string()) } else { None };
            let items: Option<Vec<String>> = items.iter().map(text).collect();
            Value::String(items?.join(between).into())
        }
        ("tolower", [Value::String(text)]) => Value::String(text.to_lowercase().into()),
        ("toupper", [Value::String(text)]) => Value::String(text.to_uppercase().into()),
        ("split", [Value::String(text), Value::String(by)]) if !by.is_empty() => {
            let pieces = text.split(by.as_str()).map(|t| Json::String(SmolStr::new(t)));
            Value::Dynamic(Json::Array(pieces.collect()))
        }
        _ => return None,
    })
}

fn json(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(n) => Json::Long((*n).into()),
        Value::Long(n) => Json::Long(*n),
        Value::Real(x) => Json::Real(*x),
        Value::String(text) => Json::String(text.clone()),
        Value::Dynamic(json) => json.clone(),
        Value::Null(_) | Value::Decimal(_) | Value::Datetime(_) | Value::Timespan(_) | Value::Guid(_) => {
            return None;
        }
    })
}
