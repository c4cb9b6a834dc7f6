//! Aggregate calls, from the aggregates of the target's data.

use super::{Lowerer, Refusal, Result, Scope};
use crate::build::{call, case, coalesce, function as function_of, not, string};
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
        let Some(first) = args.first().filter(|a| self.nans.may_be_infinite(self.query, a)) else {
            return self.aggregate_of(function, args, span, scope, &|v| v);
        };
        match function.name {
            // NaN only where there is no number; DuckDB has it above all of them.
            "max" | "maxif" if self.may_be_nan(first) => {
                let nan = self.nan();
                let without = |v| call("nullif", vec![v, nan.clone()]);
                let numbers = self.aggregate_of(function, args, span, scope, &without)?;
                let all = self.aggregate_of(function, args, span, scope, &|v| v)?;
                Ok(call("coalesce", vec![numbers, all]))
            }
            // DuckDB raises an error where Kusto has NaN.
            "stdev" | "stdevif" | "stdevp" | "variance" | "varianceif" | "variancep" | "variancepif" => {
                let finite = |v: Expr| case(vec![(call("isfinite", vec![v.clone()]), v)], None);
                let spread = self.aggregate_of(function, args, span, scope, &finite)?;
                let value = self.expr(first, scope)?;
                let mut wild = function_of("bool_or", vec![not(call("isfinite", vec![value]))]);
                if let Some(condition) = args.get(1).filter(|c| c.ty == Type::Bool) {
                    wild.filter = Some(Box::new(self.predicate(condition, scope)?));
                }
                Ok(case(vec![(Expr::Function(wild), self.nan())], Some(spread)))
            }
            _ => self.aggregate_of(function, args, span, scope, &|v| v),
        }
    }

    /// The mean of no values is NaN: said where it can be seen.
    pub(crate) fn mean(&self, mean: Expr, args: &[IrExpr], conditional: bool, scope: &Scope) -> Expr {
        if !self.dialect().can(ruleferry_targets::Capability::NotANumber) {
            return mean;
        }
        let some = scope.grouped && !conditional && args.first().is_some_and(|a| !self.nullable(a, scope));
        if some { mean } else { coalesce(mean, self.nan()) }
    }

    /// As [`Self::aggregate`], with the first argument changed by `first`.
    fn aggregate_of(
        &mut self,
        function: &'static FunctionDef,
        args: &[IrExpr],
        span: Span,
        scope: &Scope,
        first: &dyn Fn(Expr) -> Expr,
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
            let value = if i == 0 { first(value) } else { value };
            values.push(self.element(template, i, arg, value, span)?);
        }
        self.fill(template, values, span)
    }
}
