//! `a.b`, `a['b']`, `a[0]`: members of dynamic values, columns of the sides of a join and of the steps of a `scan`.

use super::{Cx, Lifter};
use crate::lift::scope::Side;
use crate::syntax::literal::Literal;
use crate::syntax::tree;
use ruleferry_diag::{Diagnostic, Span, codes};
use ruleferry_ir::functions::{FunctionKind, find};
use ruleferry_ir::{self as ir, ExprKind, Type, Value};

impl<'t> Lifter<'t> {
    pub(super) fn path(
        &mut self,
        base: &'t tree::Expr,
        name: &'t tree::Name,
        span: Span,
        cx: Cx<'_>,
    ) -> ir::Expr {
        if let tree::ExprKind::Name(owner) = &base.kind {
            match owner.as_str() {
                "$left" => return self.side_column(Side::Left, &name.text, span, cx.scope),
                "$right" => return self.side_column(Side::Right, &name.text, span, cx.scope),
                _ => {}
            }
            if cx.scope.states.is_some()
                && let Some(state) = self.step_column(cx.scope, owner, &name.text, span)
            {
                return state;
            }
        }
        let base = self.expr_in(base, Cx { search: None, ..cx });
        let base = self.as_dynamic(base);
        ir::Expr::new(ExprKind::Member(Box::new(base), name.text.clone()), Type::Dynamic, span)
    }

    pub(super) fn index(
        &mut self,
        base: &'t tree::Expr,
        index: &'t tree::Expr,
        span: Span,
        cx: Cx<'_>,
    ) -> ir::Expr {
        let cx = Cx { search: None, ..cx };
        let base = self.expr_in(base, cx);
        let base = self.as_dynamic(base);
        if let tree::ExprKind::Literal(Literal::String(name)) = &index.kind {
            let member = ExprKind::Member(Box::new(base), name.value.clone());
            return ir::Expr::new(member, Type::Dynamic, span);
        }
        let index = self.expr_in(index, cx);
        let index = match index.ty {
            Type::String | Type::Long | Type::Dynamic | Type::Unknown => index,
            Type::Int => self.coerce(index, Type::Long),
            Type::Bool | Type::Real | Type::Decimal | Type::Datetime | Type::Timespan | Type::Guid => {
                self.coerce_loudly(index, Type::Long)
            }
        };
        if let Some(Value::String(name)) = self.constant(&index) {
            let member = ExprKind::Member(Box::new(base), name.clone());
            return ir::Expr::new(member, Type::Dynamic, span);
        }
        ir::Expr::new(ExprKind::Index(Box::new(base), Box::new(index)), Type::Dynamic, span)
    }

    /// The base of a path. Kusto refuses a path into a text; such a column is most likely one whose type has changed, so its
    /// text is read as JSON, and said so.
    pub(super) fn as_dynamic(&mut self, e: ir::Expr) -> ir::Expr {
        match e.ty {
            Type::Dynamic => e,
            Type::Unknown => {
                self.hint(&e, Type::Dynamic);
                e
            }
            Type::String => {
                let message =
                    format!("`{}` is of type string, and a path needs a dynamic value", self.text(e.span));
                let help = "it is read as JSON; write `parse_json(…)` around it";
                let warning = Diagnostic::warning(codes::IMPLICIT_CONVERSION, e.span, message);
                self.diagnose(warning.with_help(help));
                self.parsed_json(e)
            }
            Type::Bool
            | Type::Int
            | Type::Long
            | Type::Real
            | Type::Decimal
            | Type::Datetime
            | Type::Timespan
            | Type::Guid => self.coerce_loudly(e, Type::Dynamic),
        }
    }

    /// `parse_json(e)`
    pub(super) fn parsed_json(&mut self, e: ir::Expr) -> ir::Expr {
        let span = e.span;
        match find("parse_json", FunctionKind::Scalar) {
            Some(def) => ir::Expr::new(ExprKind::Call(def, vec![e]), Type::Dynamic, span),
            None => e.cast(Type::Dynamic, true),
        }
    }
}
