//! Implicit conversions: what Kusto does by itself when two types meet, as `Cast` nodes. Constants are converted at once.

use super::Lifter;
use super::datetime::{parse_datetime, parse_timespan};
use super::literal::{parse_guid, parse_long, to_json};
use ruleferry_diag::codes;
use ruleferry_ir::{self as ir, ExprKind, Json, Type, Value};
use smol_str::{SmolStr, ToSmolStr};

/// Integers up to here are exact as reals.
const EXACT: i64 = 1 << 53;

impl Lifter<'_> {
    /// The expression as a value of this type.
    pub(super) fn coerce(&mut self, e: ir::Expr, to: Type) -> ir::Expr {
        if e.ty == to || to == Type::Unknown {
            return e;
        }
        if e.ty == Type::Unknown {
            self.hint_inside(&e, to);
            return e;
        }
        if let ExprKind::Literal(value) = &e.kind
            && let Some(converted) = convert(value, to)
        {
            return ir::Expr::literal(converted, e.span);
        }
        e.cast(to, true)
    }

    /// The type of an expression tells the types of the learned columns in it.
    fn hint_inside(&mut self, e: &ir::Expr, ty: Type) {
        if let ExprKind::Arithmetic(a) = &e.kind {
            let times = a.op == ir::ArithmeticOp::Sub && ty == Type::Timespan;
            if times || ty.is_numeric() {
                let operand = if times { Type::Datetime } else { ty };
                self.hint(&a.left, operand);
                self.hint(&a.right, operand);
            }
        } else if let ExprKind::Case(branches, otherwise) = &e.kind {
            branches.iter().for_each(|(_, value)| self.hint(value, ty));
            self.hint(otherwise, ty);
        } else if let ExprKind::Call(_, args) = &e.kind {
            // `bin(x, …)`, `coalesce(x, …)`: the call has no type of its own, so it is that of its arguments.
            args.iter().for_each(|a| self.hint(a, ty));
        } else if let ExprKind::Negate(inner) = &e.kind {
            self.hint(inner, ty);
        } else {
            self.hint(e, ty);
        }
    }

    /// As [`Self::coerce`], with a warning: Kusto asks for an explicit conversion here.
    pub(super) fn coerce_loudly(&mut self, e: ir::Expr, to: Type) -> ir::Expr {
        if e.ty != to && e.ty != Type::Unknown {
            let message = format!("`{}` is of type {}, and {to} is needed here", self.text(e.span), e.ty);
            let help = format!("convert it: `to{to}(…)`");
            let warning = ruleferry_diag::Diagnostic::warning(codes::IMPLICIT_CONVERSION, e.span, message);
            self.diagnose(warning.with_help(help));
        }
        self.coerce(e, to)
    }

    /// A condition. Dynamic values convert by themselves.
    pub(super) fn as_bool(&mut self, e: ir::Expr) -> ir::Expr {
        if e.ty == Type::Dynamic { self.coerce(e, Type::Bool) } else { self.coerce_loudly(e, Type::Bool) }
    }

    /// The type in which a dynamic value meets this one. A whole number that a real holds exactly is compared as a real, so
    /// that `1.5` in the data is not cut to `1`.
    pub(super) fn meeting_dynamic(&self, other: &ir::Expr) -> Type {
        match self.constant(other) {
            Some(Value::Long(n)) if (-EXACT..=EXACT).contains(n) => Type::Real,
            Some(Value::Int(_)) => Type::Real,
            _ => other.ty,
        }
    }
}

/// A constant as one of another type, where that loses nothing.
fn convert(value: &Value, to: Type) -> Option<Value> {
    match (value, to) {
        (Value::Null(_), Type::String) => Some(Value::string("")),
        (Value::Null(_), _) => Some(Value::Null(to)),
        (Value::Int(n), Type::Long) => Some(Value::Long(i64::from(*n))),
        (Value::Int(n), Type::Real) => Some(Value::Real(f64::from(*n))),
        (Value::Long(n), Type::Int) => i32::try_from(*n).ok().map(Value::Int),
        (Value::Long(n), Type::Real) if (-EXACT..=EXACT).contains(n) => Some(Value::Real(*n as f64)),
        (Value::Long(n), Type::Decimal) => Some(Value::Decimal(n.to_smolstr())),
        (Value::Int(n), Type::Decimal) => Some(Value::Decimal(n.to_smolstr())),
        (Value::Long(n @ (0 | 1)), Type::Bool) => Some(Value::Bool(*n == 1)),
        (Value::Long(n), Type::String) => Some(Value::String(n.to_smolstr())),
        (Value::Int(n), Type::String) => Some(Value::String(n.to_smolstr())),
        (Value::Guid(g), Type::String) => Some(Value::String(g.clone())),
        (Value::String(s), _) => from_text(s, to),
        (Value::Dynamic(json), _) => from_json(json, to),
        (Value::Bool(_) | Value::Int(_) | Value::Long(_) | Value::Real(_), Type::Dynamic) => {
            Some(Value::Dynamic(to_json(value.clone())))
        }
        _ => None,
    }
}

fn from_text(text: &str, to: Type) -> Option<Value> {
    match to {
        Type::Bool => match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(Value::Bool(true)),
            "false" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        Type::Int => parse_long(text).and_then(|n| i32::try_from(n).ok()).map(Value::Int),
        Type::Long => parse_long(text).map(Value::Long),
        Type::Real => text.trim().parse().ok().filter(|n: &f64| n.is_finite()).map(Value::Real),
        Type::Datetime => parse_datetime(text).map(Value::Datetime),
        Type::Timespan => parse_timespan(text).map(Value::Timespan),
        Type::Guid => parse_guid(text).map(Value::Guid),
        Type::Dynamic => Some(Value::Dynamic(Json::String(SmolStr::new(text)))),
        Type::Decimal | Type::String | Type::Unknown => None,
    }
}

fn from_json(json: &Json, to: Type) -> Option<Value> {
    match (json, to) {
        (Json::Null, Type::String) => Some(Value::string("")),
        (Json::Null, _) => Some(Value::Null(to)),
        (Json::Bool(b), Type::Bool) => Some(Value::Bool(*b)),
        (Json::Long(n), _) => convert(&Value::Long(*n), to),
        (Json::Real(n), Type::Real) => Some(Value::Real(*n)),
        (Json::String(s), Type::String) => Some(Value::String(s.clone())),
        (Json::String(s), _) => from_text(s, to),
        (Json::Datetime(t), Type::Datetime) => Some(Value::Datetime(*t)),
        (Json::Timespan(t), Type::Timespan) => Some(Value::Timespan(*t)),
        (
            Json::Bool(_)
            | Json::Real(_)
            | Json::Datetime(_)
            | Json::Timespan(_)
            | Json::Array(_)
            | Json::Object(_),
            _,
        ) => None,
    }
}

/// An element of a dynamic constant as a constant of its own.
pub(super) fn element(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null(Type::Dynamic),
        Json::Bool(b) => Value::Bool(*b),
        Json::Long(n) => Value::Long(*n),
        Json::Real(n) => Value::Real(*n),
        Json::String(s) => Value::String(s.clone()),
        Json::Datetime(t) => Value::Datetime(*t),
        Json::Timespan(t) => Value::Timespan(*t),
        Json::Array(_) | Json::Object(_) => Value::Dynamic(json.clone()),
    }
}
