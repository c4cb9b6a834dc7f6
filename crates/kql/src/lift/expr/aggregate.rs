//! Aggregates: `count()`, `arg_max(x, *)`, `percentiles(x, 5, 95)`, and expressions over them.

use super::names::{arg_name, number_text};
use super::special::argument;
use super::{Aggregated, Cx, Lifter};
use crate::lift::Scope;
use crate::syntax::tree;
use ruleferry_diag::{Diagnostic, Span, codes};
use ruleferry_ir::functions::{ArgName, FunctionDef, FunctionKind, Resolved, resolve};
use ruleferry_ir::{self as ir, AggregateCall, AggregateItem, ColId, ExprKind, Type};
use smol_str::SmolStr;
use std::cell::RefCell;

/// What `arg_max`, `take_any` return: expressions with the names of their columns.
#[derive(Default)]
struct Returned {
    exprs: Vec<ir::Expr>,
    names: Vec<Option<SmolStr>>,
    star: bool,
}

impl<'t> Lifter<'t> {
    /// An aggregate, or an expression over aggregates, over the groups of rows of the scope.
    pub(crate) fn aggregate(&mut self, e: &'t tree::Expr, scope: &Scope<'_>) -> Aggregated {
        if let tree::ExprKind::Call(call) = &e.kind
            && self.function(scope, &call.name.text).is_none()
            && let Some(resolved) = resolve(&call.name.text, FunctionKind::Aggregate)
        {
            return self.aggregate_call(call, resolved, e.span.0, scope);
        }
        let parts = RefCell::new(Vec::new());
        let expr = self.expr_in(e, Cx { scope, parts: Some(&parts), search: None });
        let name = self.aggregate_name(e, scope);
        let columns = self.composed_columns(e, &expr, name, scope);
        Aggregated { call: AggregateCall::Composed { parts: parts.into_inner(), expr }, columns }
    }

    fn composed_columns(
        &self,
        e: &'t tree::Expr,
        expr: &ir::Expr,
        name: Option<SmolStr>,
        scope: &Scope<'_>,
    ) -> Vec<(Option<SmolStr>, Type)> {
        if let ExprKind::Call(def, args) = &expr.kind {
            let types: Vec<Type> = args.iter().map(|a| a.ty).collect();
            let columns = def.column_types(&types);
            if columns.len() > 1 {
                let mut names = self.tuple_names(e, scope).into_iter();
                return columns.into_iter().map(|ty| (names.next().flatten(), ty)).collect();
            }
        }
        vec![(name, expr.ty)]
    }

    /// An aggregate inside of an expression: computed on its own, and read by its column.
    pub(super) fn aggregate_part(
        &mut self,
        call: &'t tree::Call,
        resolved: Resolved,
        span: Span,
        cx: Cx<'_>,
    ) -> ir::Expr {
        let Aggregated { call, columns } = self.aggregate_call(call, resolved, span, cx.scope);
        let mut ids = Vec::with_capacity(columns.len());
        for (name, ty) in columns {
            ids.push(self.add_column(name.unwrap_or_else(|| SmolStr::new_static("aggregate")), ty, span));
        }
        let Some(first) = ids.first().copied() else { return self.placeholder(Type::Unknown, span) };
        if let Some(parts) = cx.parts {
            parts.borrow_mut().push(AggregateItem { ids, call, named: false });
        }
        self.column_expr(first, span)
    }

    fn aggregate_call(
        &mut self,
        call: &'t tree::Call,
        resolved: Resolved,
        span: Span,
        scope: &Scope<'_>,
    ) -> Aggregated {
        let def = resolved.def;
        let stars = call.args.iter().any(|a| matches!(a.kind, tree::ExprKind::Star));
        if !def.takes(call.args.len()) {
            let message = format!("`{}` does not take {} arguments", call.name.text, call.args.len());
            self.error(codes::WRONG_ARGUMENTS, span, message);
        } else if stars && !matches!(def.name, "arg_max" | "arg_min" | "take_any") {
            let message = format!("`*` cannot stand in `{}`", call.name.text);
            self.diagnose(
                Diagnostic::error(codes::MISPLACED, span, message).with_help("`count()` counts rows"),
            );
        } else {
            return match def.name {
                "arg_max" => self.arg_extreme(true, call, resolved, scope),
                "arg_min" => self.arg_extreme(false, call, resolved, scope),
                "take_any" => self.take_any(call, resolved, scope),
                _ => self.aggregate_function(call, resolved, span, scope),
            };
        }
        Aggregated { call: AggregateCall::Function(def, Vec::new()), columns: vec![(None, Type::Unknown)] }
    }

    /// `count(Column)`: the service takes it, and nothing says what it counts.
    fn counted(
        &mut self,
        e: &ir::Expr,
        resolved: Resolved,
        names: &[Option<SmolStr>],
        span: Span,
    ) -> Aggregated {
        let reason = format!("`count` of a value of type {} has no documented meaning", e.ty);
        let warning = Diagnostic::warning(codes::NOT_IN_IR, span, reason.clone());
        self.diagnose(warning.with_help("write `count()` or `countif(isnotempty(…))`"));
        let expr = self.opaque(reason, Type::Long, span);
        let columns = named_columns(resolved.def, resolved, names, &[], vec![Type::Long]);
        Aggregated { call: AggregateCall::Composed { parts: Vec::new(), expr }, columns }
    }

    fn aggregate_function(
        &mut self,
        call: &'t tree::Call,
        resolved: Resolved,
        span: Span,
        scope: &Scope<'_>,
    ) -> Aggregated {
        let def = resolved.def;
        let args: Vec<ir::Expr> = call.args.iter().map(|a| self.expr(argument(a), scope)).collect();
        let names: Vec<Option<SmolStr>> = call.args.iter().map(|a| self.default_name(a, scope)).collect();
        if def.name == "count"
            && let Some(counted) = args.first()
            && !matches!(counted.ty, Type::Bool | Type::Unknown)
        {
            return self.counted(counted, resolved, &names, span);
        }
        let mut args = self.converted(def, args);
        let types: Vec<Type> = args.iter().map(|a| a.ty).collect();
        let columns = named_columns(def, resolved, &names, &call.args, def.column_types(&types));
        let call = if def.name == "take_anyif" && args.len() == 2 {
            let condition = args.pop();
            AggregateCall::TakeAny { returned: args, star: false, condition }
        } else {
            AggregateCall::Function(def, args)
        };
        Aggregated { call, columns }
    }

    fn arg_extreme(
        &mut self,
        max: bool,
        call: &'t tree::Call,
        resolved: Resolved,
        scope: &Scope<'_>,
    ) -> Aggregated {
        let mut args = call.args.iter();
        let Some(first) = args.next() else {
            return Aggregated {
                call: AggregateCall::Function(resolved.def, Vec::new()),
                columns: Vec::new(),
            };
        };
        let by = self.expr(argument(first), scope);
        let by_column = by.as_column();
        let mut returned = self.returned(args.as_slice(), by_column, scope);
        let mut types = vec![by.ty];
        types.extend(returned.exprs.iter().map(|e| e.ty));
        let mut names = vec![self.default_name(first, scope)];
        names.append(&mut returned.names);
        let columns = named_columns(resolved.def, resolved, &names, &[], types);
        let (exprs, star) = (returned.exprs, returned.star);
        Aggregated { call: AggregateCall::ArgExtreme { max, by, returned: exprs, star }, columns }
    }

    fn take_any(&mut self, call: &'t tree::Call, resolved: Resolved, scope: &Scope<'_>) -> Aggregated {
        let returned = self.returned(&call.args, None, scope);
        let types = returned.exprs.iter().map(|e| e.ty).collect();
        let columns = named_columns(resolved.def, resolved, &returned.names, &[], types);
        let call = AggregateCall::TakeAny { returned: returned.exprs, star: returned.star, condition: None };
        Aggregated { call, columns }
    }

    /// The arguments with `*` written out: the columns that are neither keys nor returned already.
    fn returned(&mut self, args: &'t [tree::Expr], by: Option<ColId>, scope: &Scope<'_>) -> Returned {
        let star = args.iter().any(|a| matches!(a.kind, tree::ExprKind::Star));
        let mut out = Returned { star, ..Returned::default() };
        let mut seen: Vec<ColId> = by.into_iter().collect();
        for arg in args {
            if matches!(arg.kind, tree::ExprKind::Star) {
                for id in scope.columns() {
                    if !seen.contains(id) && !scope.keys.contains(id) {
                        seen.push(*id);
                        out.exprs.push(self.column_expr(*id, arg.span.0));
                        out.names.push(Some(SmolStr::new(self.columns.name(*id))));
                    }
                }
                continue;
            }
            let e = self.expr(argument(arg), scope);
            let column = e.as_column();
            // Beside a `*` a column stands once, and keys not at all.
            if star && column.is_some_and(|id| seen.contains(&id) || scope.keys.contains(&id)) {
                continue;
            }
            seen.extend(column);
            out.names.push(self.default_name(arg, scope));
            out.exprs.push(e);
        }
        out
    }
}

/// The columns of a call with their generated names.
fn named_columns(
    def: &FunctionDef,
    resolved: Resolved,
    names: &[Option<SmolStr>],
    args: &[tree::Expr],
    types: Vec<Type>,
) -> Vec<(Option<SmolStr>, Type)> {
    let numbers: Vec<Option<SmolStr>> = args.iter().map(number_text).collect();
    let number = |i: usize| numbers.get(i).and_then(|n| n.as_deref());
    let args: Vec<ArgName<'_>> =
        names.iter().enumerate().map(|(i, n)| arg_name(n.as_deref(), number(i))).collect();
    let mut names = def.default_names_by(resolved.result_name, &args).into_iter();
    types.into_iter().map(|ty| (names.next().flatten().map(SmolStr::from), ty)).collect()
}
