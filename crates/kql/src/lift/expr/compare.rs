//! `==`, `!=`, `<` and its kind, `between`.

use super::{Cx, Lifter};
use crate::syntax::tree;
use ruleferry_diag::{Diagnostic, Span, codes};
use ruleferry_ir::{self as ir, Case, CompareOp, MatchKind, Missing, Type, Value};

impl<'t> Lifter<'t> {
    pub(super) fn equality(
        &mut self,
        binary: &'t tree::Binary,
        negated: bool,
        span: Span,
        cx: Cx<'_>,
    ) -> ir::Expr {
        if matches!(binary.left.kind, tree::ExprKind::Star) {
            return self.string_test(binary, span, cx);
        }
        let cx = Cx { search: None, ..cx };
        let left = self.expr_in(&binary.left, cx);
        let right = self.expr_in(&binary.right, cx);
        self.equals(left, right, negated, span)
    }

    /// `left == right` with the conversions that Kusto makes.
    pub(super) fn equals(&mut self, left: ir::Expr, right: ir::Expr, negated: bool, span: Span) -> ir::Expr {
        let Some(ty) = self.meeting_type(&left, &right, span) else {
            return compare(left, right, negated, span);
        };
        let left = self.coerce(left, ty);
        let right = self.coerce(right, ty);
        if ty != Type::String {
            return compare(left, right, negated, span);
        }
        // The constant is what is looked for, on whichever side it stands.
        let swap = left.as_literal().is_some() && right.as_literal().is_none();
        let (subject, value) = if swap { (right, left) } else { (left, right) };
        let found =
            self.string_match(ir::Subject::Expr(subject), MatchKind::Equals, Case::Sensitive, value, span);
        if negated { found.negated(span) } else { found }
    }

    /// The type in which two values are compared for equality; `None` where they can be as they are.
    fn meeting_type(&mut self, left: &ir::Expr, right: &ir::Expr, span: Span) -> Option<Type> {
        use Type::{Bool, Dynamic, Guid, String, Unknown};
        match (left.ty, right.ty) {
            (a, b) if a == b => Some(if a == Unknown { String } else { a }),
            // A learned column can hold what it is compared with; a dynamic value says nothing.
            (Unknown, Dynamic) | (Dynamic, Unknown) => Some(String),
            (Unknown, ty) | (ty, Unknown) => Some(ty),
            (a, b) if a.is_numeric() && b.is_numeric() => None,
            (String, Dynamic) | (Dynamic, String) => Some(String),
            (Dynamic, _) => Some(self.meeting_dynamic(right)),
            (_, Dynamic) => Some(self.meeting_dynamic(left)),
            (String, ty) => Some(self.meeting_text(left, right, ty)),
            (ty, String) => Some(self.meeting_text(right, left, ty)),
            (Bool, ty) if ty.is_numeric() => Some(self.meeting_bool(right)),
            (ty, Bool) if ty.is_numeric() => Some(self.meeting_bool(left)),
            (Guid, _) | (_, Guid) => Some(String),
            (ty, other) => {
                self.unlike(ty, other, span);
                Some(ty)
            }
        }
    }

    /// A text against a value of another type: the constant gives way to the column.
    fn meeting_text(&self, text: &ir::Expr, other: &ir::Expr, ty: Type) -> Type {
        let constant_text = self.constant(text).is_some();
        match self.constant(other) {
            Some(Value::Long(_) | Value::Int(_) | Value::Guid(_)) if !constant_text => Type::String,
            _ => ty,
        }
    }

    /// A bool against a number: `flag == 1` is `flag == true`.
    fn meeting_bool(&self, number: &ir::Expr) -> Type {
        match self.constant(number) {
            Some(Value::Long(0 | 1) | Value::Int(0 | 1)) => Type::Bool,
            _ => Type::Long,
        }
    }

    fn unlike(&mut self, left: Type, right: Type, span: Span) {
        let message = format!("types {left} and {right} are compared");
        self.diagnose(Diagnostic::warning(codes::IMPLICIT_CONVERSION, span, message));
    }

    pub(super) fn ordering(
        &mut self,
        op: CompareOp,
        binary: &'t tree::Binary,
        span: Span,
        cx: Cx<'_>,
    ) -> ir::Expr {
        let cx = Cx { search: None, ..cx };
        let left = self.expr_in(&binary.left, cx);
        let right = self.expr_in(&binary.right, cx);
        self.ordered(op, left, right, span)
    }

    pub(super) fn ordered(&mut self, op: CompareOp, left: ir::Expr, right: ir::Expr, span: Span) -> ir::Expr {
        use Type::{Bool, Dynamic, String, Unknown};
        let target = match (left.ty, right.ty) {
            (String, String) => {
                self.warn(codes::IMPLICIT_CONVERSION, span, "Kusto does not order texts with this operator");
                None
            }
            (Unknown, Unknown) => Some(self.likely_ordered(&left, &right)),
            (a, b) if a == b => None,
            (Unknown, Dynamic) | (Dynamic, Unknown) => None,
            (Unknown, ty) | (ty, Unknown) => Some(ty),
            (a, b) if a.is_numeric() && b.is_numeric() => None,
            (Dynamic, String) | (String, Dynamic) => {
                self.unlike(left.ty, right.ty, span);
                Some(String)
            }
            (Dynamic, _) => Some(self.meeting_dynamic(&right)),
            (_, Dynamic) => Some(self.meeting_dynamic(&left)),
            (Bool, ty) | (ty, Bool) if ty.is_numeric() => Some(Type::Long),
            (String, ty) | (ty, String) => {
                self.unlike(left.ty, right.ty, span);
                Some(ty)
            }
            (ty, other) => {
                let message = format!("types {ty} and {other} have no order");
                return self.faulty(codes::OPERAND_TYPES, span, message, Bool);
            }
        };
        let (left, right) = match target {
            // Only what differs is converted: numbers of any width are comparable.
            Some(ty) => (self.coerce(left, ty), self.coerce(right, ty)),
            None => (left, right),
        };
        let missing = if left.ty == String && right.ty == String { Missing::Empty } else { Missing::Null };
        ir::Expr::compare(op, left, right, missing, span)
    }

    /// What two learned columns are that are ordered or computed with: no texts, so times if they are named so, else numbers.
    pub(super) fn likely_ordered(&self, left: &ir::Expr, right: &ir::Expr) -> Type {
        let time = |e: &ir::Expr| {
            let name = e.as_column().map(|id| self.columns.name(id).to_ascii_lowercase()).unwrap_or_default();
            name.contains("time") || name.contains("date")
        };
        if time(left) && time(right) { Type::Datetime } else { Type::Long }
    }

    pub(super) fn between(&mut self, between: &'t tree::Between, span: Span, cx: Cx<'_>) -> ir::Expr {
        let cx = Cx { search: None, ..cx };
        let subject = self.expr_in(&between.subject, cx);
        let low = self.expr_in(&between.low, cx);
        let high = self.expr_in(&between.high, cx);
        let ty = self.between_type(&subject, &low, &high);
        let subject = self.bound(subject, ty);
        let low = self.bound(low, ty);
        // `between (start .. 1d)` reaches from the start to a day after it.
        let high = if ty == Type::Datetime && high.ty == Type::Timespan {
            let (start, span) = (low.clone(), high.span);
            ir::Expr::arithmetic(ir::ArithmeticOp::Add, start, high, Type::Datetime, span)
        } else {
            self.bound(high, ty)
        };
        let test = ir::ExprKind::Between(Box::new(ir::Between { subject, low, high }));
        let test = ir::Expr::new(test, Type::Bool, span);
        if between.negated { test.negated(span) } else { test }
    }

    fn between_type(&self, subject: &ir::Expr, low: &ir::Expr, high: &ir::Expr) -> Type {
        let known = |ty: Type| !matches!(ty, Type::Unknown | Type::Dynamic | Type::String);
        if known(subject.ty) {
            subject.ty
        } else if known(low.ty) {
            if subject.ty == Type::Dynamic { self.meeting_dynamic(low) } else { low.ty }
        } else if known(high.ty) {
            high.ty
        } else {
            subject.ty
        }
    }

    /// Numbers of any width are comparable; other types are converted.
    fn bound(&mut self, e: ir::Expr, ty: Type) -> ir::Expr {
        if e.ty.is_numeric() && ty.is_numeric() {
            e
        } else if matches!(e.ty, Type::Dynamic | Type::Unknown) {
            self.coerce(e, ty)
        } else {
            self.coerce_loudly(e, ty)
        }
    }
}

/// Equality of values of comparable types that are not texts.
fn compare(left: ir::Expr, right: ir::Expr, negated: bool, span: Span) -> ir::Expr {
    let op = if negated { CompareOp::Ne } else { CompareOp::Eq };
    ir::Expr::compare(op, left, right, Missing::Distinct, span)
}
