//! Aggregate calls, from the aggregates of the target's data.

use super::{Lowerer, Refusal, Result, Scope};
use crate::build::{coalesce, string};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::functions::FunctionDef;
use ruleferry_ir::{Expr as IrExpr, Type};
use ruleferry_targets::sql;
use sqlparser::ast::Expr;

impl Lowerer<'_> {
    /// One aggregate of the catalogue over a group of rows.
    pub(crate) fn aggregate(
        &mut self,
        function: &'static FunctionDef,
        args: &[IrExpr],
        span: Span,
        scope: &Scope,
    ) -> Result<Expr> {
        let types: Vec<Type> = args.iter().map(|a| a.ty).collect();
        let Some(template) = sql::select(sql::aggregates(self.dialect().name, function.name), &types) else {
            let shown = types.iter().map(|t| t.name()).collect::<Vec<_>>().join(", ");
            return Err(Refusal::new(
                codes::SQL_FUNCTION,
                span,
                format!("the aggregate `{}({shown})` has no form in {}", function.name, self.dialect().name),
            ));
        };
        let conditional = function.name.ends_with("if");
        let mut values = Vec::with_capacity(args.len());
        for (i, arg) in args.iter().enumerate() {
            let condition = arg.ty == Type::Bool && (i > 0 || (conditional && args.len() == 1));
            let value = if condition { self.predicate(arg, scope)? } else { self.expr(arg, scope)? };
            // Aggregates skip NULL, but a missing string is a value: "".
            let text = arg.ty == Type::String && self.nullable(arg, scope);
            let value = if text { coalesce(value, string("")) } else { value };
            values.push(self.element(template, i, arg.ty, value, span)?);
        }
        self.fill(template, values, span)
    }
}
