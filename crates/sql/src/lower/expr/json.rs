//! Access to dynamic values, and conversions.
//!
//! A chain of members and indices becomes one JSON path: `Data.a['b'][0]` is `(Data -> '$.a.b[0]')`, and as text
//! `(Data ->> '$.a.b[0]')`. The parentheses are needed: DuckDB's arrows bind looser than comparisons.

use super::{Lowerer, Result, Scope, literal};
use crate::build::{call, string};
use ruleferry_diag::Span;
use ruleferry_ir::{Expr as IrExpr, ExprKind, Type, Value};
use ruleferry_targets::Capability;
use sqlparser::ast::{BinaryOperator, Expr};
use std::fmt::Write as _;

/// One step of a path.
enum Step<'e> {
    Name(String),
    Number(i64),
    Computed(&'e IrExpr),
}

fn arrow(base: Expr, op: BinaryOperator, path: Expr) -> Expr {
    let base = match base {
        e @ (Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::Function(_)
        | Expr::Nested(_)
        | Expr::Cast { .. }) => e,
        other => Expr::Nested(Box::new(other)),
    };
    Expr::Nested(Box::new(Expr::BinaryOp { left: Box::new(base), op, right: Box::new(path) }))
}

impl Lowerer<'_> {
    pub(super) fn json_path(&mut self, e: &IrExpr, scope: &Scope) -> Result<Expr> {
        self.json_access(e, scope, BinaryOperator::Arrow)
    }

    fn json_access(&mut self, e: &IrExpr, scope: &Scope, last: BinaryOperator) -> Result<Expr> {
        let mut steps = Vec::new();
        let mut base = e;
        loop {
            match &base.kind {
                ExprKind::Member(inner, name) => {
                    steps.push(Step::Name(name.to_string()));
                    base = inner;
                }
                ExprKind::Index(inner, index) => {
                    steps.push(match index.as_literal() {
                        Some(Value::String(s)) => Step::Name(s.to_string()),
                        Some(Value::Long(n)) => Step::Number(*n),
                        Some(Value::Int(n)) => Step::Number(i64::from(*n)),
                        _ => match self.constant_text(index) {
                            Some(name) if index.ty == Type::String => Step::Name(name),
                            _ => Step::Computed(index),
                        },
                    });
                    base = inner;
                }
                _ => break,
            }
        }
        steps.reverse();
        let mut value = self.expr(base, scope)?;
        if !self.dialect().generic {
            return self.own_access(value, steps, e.span, scope, last == BinaryOperator::LongArrow);
        }
        let mut path = String::new();
        let count = steps.len();
        for (i, step) in steps.into_iter().enumerate() {
            let is_last = i + 1 == count;
            match step {
                Step::Name(name) if !name.is_empty() => push_name(&name, &mut path),
                Step::Number(n) if n < 0 => {
                    let _ = write!(path, "[#{n}]");
                }
                Step::Number(n) => {
                    let _ = write!(path, "[{n}]");
                }
                // A path has no spelling for the member without a name, a pointer has.
                step @ (Step::Name(_) | Step::Computed(_)) => {
                    if !path.is_empty() {
                        value = arrow(value, BinaryOperator::Arrow, string(&format!("${path}")));
                        path.clear();
                    }
                    let (ty, index_sql) = match step {
                        Step::Computed(index) => (index.ty, self.expr(index, scope)?),
                        Step::Name(_) | Step::Number(_) => (Type::String, string("")),
                    };
                    value =
                        self.template("dynamic.item", &[Type::Dynamic, ty], vec![value, index_sql], e.span)?;
                    if is_last && last == BinaryOperator::LongArrow {
                        return self.template("cast.string", &[Type::Dynamic], vec![value], e.span);
                    }
                }
            }
        }
        if path.is_empty() {
            return Ok(value);
        }
        Ok(arrow(value, last, string(&format!("${path}"))))
    }

    /// A chain of steps in the forms of the target: one path where it has them, else step by step.
    fn own_access(
        &mut self,
        mut value: Expr,
        steps: Vec<Step<'_>>,
        span: Span,
        scope: &Scope,
        text: bool,
    ) -> Result<Expr> {
        let paths = self.has_template("dynamic.path", &[Type::Dynamic, Type::String]);
        let mut path = String::new();
        for step in steps {
            let (ty, index) = match step {
                Step::Name(name) if paths => {
                    if self.dialect().can(Capability::BracketPaths) {
                        push_bracketed(&name, &mut path);
                    } else {
                        push_name(&name, &mut path);
                    }
                    continue;
                }
                Step::Number(n) if paths && n >= 0 => {
                    let _ = write!(path, "[{n}]");
                    continue;
                }
                Step::Name(name) => (Type::String, string(&name)),
                Step::Number(n) => (Type::Long, crate::build::integer(n)),
                Step::Computed(index) => (index.ty, self.expr(index, scope)?),
            };
            if !path.is_empty() {
                value = self.at_path(value, &std::mem::take(&mut path), span)?;
            }
            value = self.template("dynamic.item", &[Type::Dynamic, ty], vec![value, index], span)?;
        }
        if !path.is_empty() {
            let key = "dynamic.path_text";
            if text && self.has_template(key, &[Type::Dynamic, Type::String]) {
                let path = string(&format!("${path}"));
                return self.template(key, &[Type::Dynamic, Type::String], vec![value, path], span);
            }
            value = self.at_path(value, &path, span)?;
        }
        if text {
            return self.template("cast.string", &[Type::Dynamic], vec![value], span);
        }
        Ok(value)
    }

    fn at_path(&mut self, value: Expr, path: &str, span: Span) -> Result<Expr> {
        let path = string(&format!("${path}"));
        self.template("dynamic.path", &[Type::Dynamic, Type::String], vec![value, path], span)
    }

    /// `to…(e)`.
    pub(super) fn cast(&mut self, e: &IrExpr, to: Type, span: Span, scope: &Scope) -> Result<Expr> {
        if e.ty == to {
            return self.expr(e, scope);
        }
        if to == Type::String && matches!(e.kind, ExprKind::Member(..) | ExprKind::Index(..)) {
            return self.json_access(e, scope, BinaryOperator::LongArrow);
        }
        if let (Some(Value::Long(n)), true) = (e.as_literal(), to.is_numeric()) {
            let value = match to {
                Type::Real => Value::Real(*n as f64),
                Type::Int if i32::try_from(*n).is_err() => Value::Null(Type::Int),
                _ => Value::Long(*n),
            };
            return Ok(literal::literal(self.dialect(), &value));
        }
        let value = self.expr(e, scope)?;
        // Text and identifiers share a representation.
        let text = |t: Type| matches!(t, Type::String | Type::Guid | Type::Unknown);
        if to == Type::String && text(e.ty) {
            return Ok(value);
        }
        let key = match to {
            Type::Bool => "cast.bool",
            Type::Int => "cast.int",
            Type::Long => "cast.long",
            Type::Real => "cast.real",
            Type::Decimal => "cast.decimal",
            Type::String | Type::Unknown => "cast.string",
            Type::Datetime => "cast.datetime",
            Type::Timespan => "cast.timespan",
            Type::Guid => "cast.guid",
            Type::Dynamic => "cast.dynamic",
        };
        if !self.has_template(key, &[e.ty]) && self.dialect().generic {
            if to == Type::Dynamic {
                return Ok(call("to_json", vec![value]));
            }
            let target = crate::build::data_type(self.dialect(), to);
            return Ok(crate::build::try_cast(value, target));
        }
        self.template(key, &[e.ty], vec![value], span)
    }
}

/// `.name`, or `."name"` where the name is not a plain word.
fn push_name(name: &str, path: &mut String) {
    let plain = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    path.push('.');
    if plain {
        path.push_str(name);
    } else {
        // Inside of the quotes DuckDB's path has no escape: a quote in a name is written as any character.
        path.push('"');
        path.push_str(&name.replace('\\', "\\\\").replace('"', "\\\""));
        path.push('"');
    }
}

/// `.name`, or `["name"]` where the name is not a plain word.
fn push_bracketed(name: &str, path: &mut String) {
    let plain = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain {
        path.push('.');
        path.push_str(name);
    } else {
        path.push_str("[\"");
        path.push_str(&name.replace('\\', "\\\\").replace('"', "\\\""));
        path.push_str("\"]");
    }
}

/// A JSON path of Kusto (`$.a.b`, `$['a'][0]`; the dot after `$` may be missing) as one of DuckDB's.
pub(super) fn path(text: &str) -> Option<String> {
    let mut rest = text.trim().strip_prefix('$').unwrap_or(text.trim());
    let mut out = String::from("$");
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (key, after) = inner.split_once(']')?;
            let key = key.trim();
            let quoted = key.strip_prefix(['\'', '"']).and_then(|k| k.strip_suffix(['\'', '"']));
            match (quoted, key.parse::<u32>()) {
                (Some(name), _) => push_name(name, &mut out),
                (None, Ok(n)) => {
                    let _ = write!(out, "[{n}]");
                }
                (None, Err(_)) => return None,
            }
            rest = after;
            continue;
        }
        let name = rest.strip_prefix('.').unwrap_or(rest);
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (name, after) = name.split_at_checked(end)?;
        if name.is_empty() || name == "*" {
            return None;
        }
        push_name(name, &mut out);
        rest = after;
    }
    Some(out)
}
