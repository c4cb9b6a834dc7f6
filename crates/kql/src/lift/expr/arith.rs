//! `+ - * / %` and signs, with the types that Kusto gives them.

use super::literal::negated;
use super::{Cx, Lifter};
use crate::syntax::tree::{self, UnaryOp};
use ruleferry_diag::{Diagnostic, Span, codes};
use ruleferry_ir::functions::{ArithOp, binary_result, negate_result};
use ruleferry_ir::{self as ir, ArithmeticOp, ExprKind, Type};

const fn operator(op: ArithmeticOp) -> ArithOp {
    match op {
        ArithmeticOp::Add => ArithOp::Add,
        ArithmeticOp::Sub => ArithOp::Sub,
        ArithmeticOp::Mul => ArithOp::Mul,
        ArithmeticOp::Div => ArithOp::Div,
        ArithmeticOp::Mod => ArithOp::Mod,
    }
}

impl<'t> Lifter<'t> {
    pub(super) fn arithmetic(
        &mut self,
        op: ArithmeticOp,
        binary: &'t tree::Binary,
        span: Span,
        cx: Cx<'_>,
    ) -> ir::Expr {
        let cx = Cx { search: None, ..cx };
        let left = self.expr_in(&binary.left, cx);
        let right = self.expr_in(&binary.right, cx);
        self.computed(op, left, right, span)
    }

    /// `left op right` with the conversions that Kusto makes.
    pub(super) fn computed(
        &mut self,
        op: ArithmeticOp,
        left: ir::Expr,
        right: ir::Expr,
        span: Span,
    ) -> ir::Expr {
        if left.ty == Type::Unknown && right.ty == Type::Unknown {
            let ty = if op == ArithmeticOp::Sub { self.likely_ordered(&left, &right) } else { Type::Long };
            self.hint(&left, ty);
            self.hint(&right, ty);
        }
        let left = self.learned_operand(op, left, &right, true);
        let right = self.learned_operand(op, right, &left, false);
        let (left, right) = self.operands_of_text(left, right);
        let Some(ty) = binary_result(operator(op), left.ty, right.ty) else {
            let symbol = operator(op).symbol();
            let message = format!("`{symbol}` is not defined for types {} and {}", left.ty, right.ty);
            let mut error = Diagnostic::error(codes::OPERAND_TYPES, span, message);
            if left.ty == Type::String && right.ty == Type::String && op == ArithmeticOp::Add {
                error = error.with_help("texts are joined by `strcat(…)`");
            }
            self.diagnose(error);
            return self.placeholder(Type::Unknown, span);
        };
        if left.ty == Type::Dynamic && right.ty == Type::Dynamic {
            // Arithmetic is on numbers; the column stays dynamic, as Kusto has it.
            let (left, right) = (self.coerce(left, Type::Real), self.coerce(right, Type::Real));
            return ir::Expr::arithmetic(op, left, right, Type::Real, span).cast(Type::Dynamic, true);
        }
        let left = self.operand(op, left, right.ty, ty);
        let right = self.operand(op, right, left.ty, ty);
        ir::Expr::arithmetic(op, left, right, ty, span)
    }

    /// The other operand tells what a learned column must be.
    fn learned_operand(
        &mut self,
        op: ArithmeticOp,
        e: ir::Expr,
        other: &ir::Expr,
        is_left: bool,
    ) -> ir::Expr {
        if e.ty == Type::Unknown {
            let ty = match (op, other.ty) {
                (ArithmeticOp::Sub | ArithmeticOp::Add, Type::Datetime)
                    if is_left || op == ArithmeticOp::Sub =>
                {
                    Type::Datetime
                }
                (ArithmeticOp::Sub | ArithmeticOp::Add, Type::Timespan) if is_left => Type::Datetime,
                (_, ty) if ty.is_numeric() => ty,
                _ => Type::Unknown,
            };
            self.hint(&e, ty);
        }
        e
    }

    /// A text beside a number, a time: it is converted, and said so.
    fn operands_of_text(&mut self, left: ir::Expr, right: ir::Expr) -> (ir::Expr, ir::Expr) {
        match (left.ty, right.ty) {
            (Type::String, Type::String | Type::Unknown) | (Type::Unknown, Type::String) => (left, right),
            (Type::String, ty) => {
                let to = text_operand(ty);
                (self.coerce_loudly(left, to), right)
            }
            (ty, Type::String) => {
                let to = text_operand(ty);
                (left, self.coerce_loudly(right, to))
            }
            _ => (left, right),
        }
    }

    /// An operand in the type that the operation works on.
    fn operand(&mut self, op: ArithmeticOp, e: ir::Expr, other: Type, result: Type) -> ir::Expr {
        if e.ty.is_numeric() && result.is_numeric() {
            return self.coerce(e, result);
        }
        if e.ty != Type::Dynamic {
            return e;
        }
        let to = match (op, other) {
            (ArithmeticOp::Add, Type::Datetime) => Type::Timespan,
            (_, Type::Int) => Type::Long,
            (_, ty) => ty,
        };
        self.coerce(e, to)
    }

    pub(super) fn unary(&mut self, op: UnaryOp, operand: &'t tree::Expr, span: Span, cx: Cx<'_>) -> ir::Expr {
        if op == UnaryOp::Minus
            && let tree::ExprKind::Literal(literal) = &operand.kind
            && let Some(value) = negated(literal)
        {
            return ir::Expr::literal(value, span);
        }
        let e = self.expr_in(operand, Cx { search: None, ..cx });
        let Some(ty) = negate_result(e.ty) else {
            let message = format!("a sign cannot stand before a value of type {}", e.ty);
            return self.faulty(codes::OPERAND_TYPES, span, message, Type::Unknown);
        };
        if ty == Type::Dynamic {
            let number = self.coerce(e, Type::Real);
            return match op {
                UnaryOp::Minus => ir::Expr::new(ExprKind::Negate(Box::new(number)), Type::Real, span),
                UnaryOp::Plus => number,
            }
            .cast(Type::Dynamic, true);
        }
        self.hint(&e, Type::Long);
        let e = if ty.is_numeric() { self.coerce(e, ty) } else { e };
        match op {
            UnaryOp::Minus => ir::Expr::new(ExprKind::Negate(Box::new(e)), ty, span),
            UnaryOp::Plus => e,
        }
    }
}

const fn text_operand(other: Type) -> Type {
    match other {
        Type::Int | Type::Long => Type::Long,
        Type::Real | Type::Decimal | Type::Datetime | Type::Timespan => other,
        Type::Bool | Type::String | Type::Guid | Type::Dynamic | Type::Unknown => Type::Real,
    }
}
