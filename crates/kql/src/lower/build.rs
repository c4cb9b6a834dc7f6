//! Short ways to make nodes of the KQL tree. Built nodes have no place in a text.

use crate::syntax::literal::{Literal, ScalarType, StringLiteral, TypedLiteral};
use crate::syntax::tree::{
    Binary, BinaryOp, Call, ColumnNames, Expr, ExprKind, ListOp, ListTest, Loc, Name, NamedExpr, Operator,
    OperatorKind, Param, ParamValue, Pipeline, Statement, StatementKind, UnaryOp,
};
use ruleferry_ir::Type;
use smol_str::SmolStr;

pub(super) fn expr(kind: ExprKind) -> Expr {
    Expr { kind, span: Loc::default() }
}

pub(super) fn name(text: impl Into<SmolStr>) -> Name {
    Name { text: text.into(), span: Loc::default() }
}

pub(super) fn named(text: impl Into<SmolStr>) -> Expr {
    expr(ExprKind::Name(text.into()))
}

pub(super) fn string(text: impl Into<SmolStr>) -> Expr {
    expr(ExprKind::Literal(Literal::String(StringLiteral::new(text))))
}

pub(super) fn bool(value: bool) -> Expr {
    expr(ExprKind::Literal(Literal::Bool(value)))
}

pub(super) fn long(value: u64) -> Expr {
    expr(ExprKind::Literal(Literal::Long(value.to_string().into())))
}

pub(super) fn typed(ty: ScalarType, text: impl Into<SmolStr>) -> Expr {
    expr(ExprKind::Literal(Literal::Typed(Box::new(TypedLiteral { ty, text: text.into() }))))
}

pub(super) fn call(function: impl Into<SmolStr>, args: Vec<Expr>) -> Expr {
    expr(ExprKind::Call(Box::new(Call { name: name(function), args })))
}

pub(super) fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    expr(ExprKind::Binary(Box::new(Binary { op, left, right })))
}

pub(super) fn list(op: ListOp, left: Expr, items: Vec<Expr>) -> Expr {
    expr(ExprKind::List(Box::new(ListTest { op, left, items })))
}

pub(super) fn minus(operand: Expr) -> Expr {
    expr(ExprKind::Unary { op: UnaryOp::Minus, operand: Box::new(operand) })
}

pub(super) fn not(operand: Expr) -> Expr {
    call("not", vec![operand])
}

/// Flat; one operand stands alone.
pub(super) fn and(operands: Vec<Expr>) -> Expr {
    joined(operands, true)
}

/// Flat; one operand stands alone.
pub(super) fn or(operands: Vec<Expr>) -> Expr {
    joined(operands, false)
}

fn joined(operands: Vec<Expr>, and: bool) -> Expr {
    let mut flat = Vec::with_capacity(operands.len());
    for operand in operands {
        match operand.kind {
            ExprKind::And(inner) if and => flat.extend(inner),
            ExprKind::Or(inner) if !and => flat.extend(inner),
            kind => flat.push(Expr { kind, span: operand.span }),
        }
    }
    // Two searches that ask the same stand beside each other.
    flat.dedup();
    match (flat.pop(), flat.is_empty()) {
        (Some(only), true) => only,
        (None, _) => bool(and),
        (Some(last), false) => {
            flat.push(last);
            expr(if and { ExprKind::And(flat) } else { ExprKind::Or(flat) })
        }
    }
}

/// `value` without a name of its own, for where the language takes `name = value`.
pub(super) fn unnamed(value: Expr) -> NamedExpr {
    NamedExpr { names: ColumnNames::Default, value }
}

pub(super) fn assign(text: impl Into<SmolStr>, value: Expr) -> NamedExpr {
    NamedExpr { names: ColumnNames::One(name(text)), value }
}

/// `name = word`
pub(super) fn word(param: &str, value: &str) -> Param {
    Param { name: name(param), value: ParamValue::Word(value.into()) }
}

/// `name = expression`
pub(super) fn param(name_: &str, value: Expr) -> Param {
    Param { name: name(name_), value: ParamValue::Expr(value) }
}

pub(super) fn operator(kind: OperatorKind) -> Operator {
    Operator { kind, span: Loc::default() }
}

pub(super) fn statement(kind: StatementKind) -> Statement {
    Statement { kind, span: Loc::default() }
}

pub(super) fn pipeline(source: Option<Expr>, operators: Vec<Operator>) -> Pipeline {
    Pipeline { source, operators, span: Loc::default() }
}

/// A pipeline as an expression; without operators its source alone.
pub(super) fn tabular(pipeline: Pipeline) -> Expr {
    match pipeline {
        Pipeline { source: Some(source), operators, span: _ } if operators.is_empty() => source,
        pipeline => expr(ExprKind::Pipeline(Box::new(pipeline))),
    }
}

/// `None` for the type of what is still being built.
pub(super) fn scalar_type(ty: Type) -> Option<ScalarType> {
    Some(match ty {
        Type::Bool => ScalarType::Bool,
        Type::Int => ScalarType::Int,
        Type::Long => ScalarType::Long,
        Type::Real => ScalarType::Real,
        Type::Decimal => ScalarType::Decimal,
        Type::String => ScalarType::String,
        Type::Datetime => ScalarType::Datetime,
        Type::Timespan => ScalarType::Timespan,
        Type::Guid => ScalarType::Guid,
        Type::Dynamic => ScalarType::Dynamic,
        Type::Unknown => return None,
    })
}
