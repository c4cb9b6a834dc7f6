//! Operators on rows: `where`, `sort`, `take`, `top`, `sample`, `distinct`, `range`, `getschema`, `render`.

use super::Outputs;
use crate::lift::Lifter;
use crate::lift::scope::{Env, Rel, Scope};
use crate::syntax::tree::{self, ColumnNames, Direction, ExprKind, NamedExpr, Nulls};
use ruleferry_diag::{Diagnostic, Span, codes};
use ruleferry_ir::{self as ir, ColId, Item, LimitKind, Op, Plan, SortKey, Type};
use smol_str::SmolStr;

/// What `getschema` gives.
const SCHEMA_COLUMNS: [(&str, Type); 4] = [
    ("ColumnName", Type::String),
    ("ColumnOrdinal", Type::Long),
    ("DataType", Type::String),
    ("ColumnType", Type::String),
];

impl<'t> Lifter<'t> {
    pub(super) fn filter(&mut self, input: Rel, predicate: &'t tree::Expr, span: Span, env: Env) -> Rel {
        let condition = match &predicate.kind {
            // `where x = true` is a name for the value `true`: the service accepts it and drops no row.
            ExprKind::Named(named) => {
                let text = self.text(predicate.span.0);
                let message = format!("`{text}` names a value and compares nothing");
                let help = "a comparison is written with `==`";
                self.diagnose(
                    Diagnostic::warning(codes::NOTHING_COMPARED, predicate.span.0, message).with_help(help),
                );
                &named.value
            }
            _ => predicate,
        };
        let predicate = self.predicate(condition, &Scope::over(env, &input));
        input.same(|input| Op::Filter { input, predicate }, span)
    }

    pub(super) fn sort(&mut self, input: Rel, keys: &'t [tree::SortKey], span: Span, env: Env) -> Rel {
        let scope = Scope::over(env, &input);
        let keys = keys.iter().map(|k| self.sort_key(k, &scope)).collect();
        input.same(|input| Op::Sort { input, keys }, span).in_order()
    }

    pub(super) fn sort_key(&mut self, key: &'t tree::SortKey, scope: &Scope<'_>) -> SortKey {
        let expr = self.expr(&key.value.value, scope);
        let descending = key.direction != Some(Direction::Asc);
        let nulls_first = match key.nulls {
            Some(Nulls::First) => true,
            Some(Nulls::Last) => false,
            // Kusto's default: a null is the smallest value.
            None => !descending,
        };
        SortKey { expr, descending, nulls_first }
    }

    pub(super) fn limit(
        &mut self,
        input: Rel,
        count: &'t tree::Expr,
        kind: LimitKind,
        span: Span,
        env: Env,
    ) -> Rel {
        let count = self.expr_as(count, Type::Long, &Scope::bare(env));
        input.same(|input| Op::Limit { input, count, kind }, span)
    }

    pub(super) fn top(
        &mut self,
        input: Rel,
        count: &'t tree::Expr,
        by: &'t tree::SortKey,
        span: Span,
        env: Env,
    ) -> Rel {
        let count = self.expr_as(count, Type::Long, &Scope::bare(env));
        let keys = vec![self.sort_key(by, &Scope::over(env, &input))];
        input.same(|input| Op::Top { input, count, keys }, span).in_order()
    }

    /// The operator with one column only.
    fn one_column(&mut self, input: Rel, of: &'t tree::Expr, span: Span, env: Env) -> Rel {
        let scope = Scope::over(env, &input);
        let mut out = Outputs::default();
        let item = self.projected_expr(of, &scope, &mut out);
        input.then(|input| Op::Project { input, items: vec![item] }, out.ids, span).closed()
    }

    pub(super) fn sample_distinct(
        &mut self,
        input: Rel,
        count: &'t tree::Expr,
        of: &'t tree::Expr,
        span: Span,
        env: Env,
    ) -> Rel {
        let rel = self.one_column(input, of, span, env);
        self.limit(rel, count, LimitKind::SampleDistinct, span, env).unordered()
    }

    pub(super) fn distinct(&mut self, input: Rel, columns: &'t [tree::Expr], span: Span, env: Env) -> Rel {
        if let [tree::Expr { kind: ExprKind::Star, .. }] = columns {
            return input.same(|input| Op::Distinct { input }, span).unordered();
        }
        let scope = Scope::over(env, &input);
        let mut out = Outputs::default();
        let mut items: Vec<Item> = Vec::with_capacity(columns.len());
        for column in columns {
            if matches!(column.kind, ExprKind::Star) {
                for id in
                    scope.columns().iter().filter(|id| !out.ids.contains(id)).copied().collect::<Vec<ColId>>()
                {
                    out.ids.push(id);
                    items.push(Item {
                        ids: vec![id],
                        expr: self.column_expr(id, column.span.0),
                        named: false,
                    });
                }
                continue;
            }
            items.push(self.projected_expr(column, &scope, &mut out));
        }
        let rel = input.then(|input| Op::Project { input, items }, out.ids, span).closed();
        rel.same(|input| Op::Distinct { input }, span).unordered()
    }

    /// As `projected`, where the grammar has a bare expression, named or not.
    pub(super) fn projected_expr(&mut self, e: &'t tree::Expr, scope: &Scope<'_>, out: &mut Outputs) -> Item {
        if let ExprKind::Named(named) = &e.kind {
            return self.projected(named, scope, out);
        }
        let value = self.value(e, scope);
        if let Some(id) = value.expr.as_column()
            && value.name.as_deref() == Some(self.columns.name(id))
            && self.find_column(&out.ids, self.columns.name(id)).is_none()
        {
            out.ids.push(id);
            return Item { ids: vec![id], expr: value.expr, named: false };
        }
        let id = self.push_column(out, value.name.as_deref(), value.expr.ty, e.span.0);
        self.alias_column(id, &value.expr);
        Item { ids: vec![id], expr: value.expr, named: false }
    }

    pub(super) fn range(&mut self, range: &'t tree::Range, span: Span, env: Env) -> Rel {
        let scope = Scope::bare(env);
        let from = self.expr(&range.from, &scope);
        let to = self.expr(&range.to, &scope);
        let step = self.expr(&range.step, &scope);
        let ty = match (from.ty, to.ty, step.ty) {
            (Type::Datetime, _, _) | (_, Type::Datetime, _) => Type::Datetime,
            (Type::Timespan, _, _) => Type::Timespan,
            (Type::Real, _, _) | (_, Type::Real, _) | (_, _, Type::Real) => Type::Real,
            (Type::Decimal, _, _) => Type::Decimal,
            _ => Type::Long,
        };
        let id = self.add_column(range.name.text.clone(), ty, range.name.span.0);
        Rel::source(Plan::new(Op::Range(ir::Range { from, to, step }), vec![id], span)).in_order()
    }

    pub(super) fn get_schema(&mut self, input: Rel, span: Span) -> Rel {
        let output: Vec<ColId> =
            SCHEMA_COLUMNS.iter().map(|(n, ty)| self.add_column(SmolStr::new_static(n), *ty, span)).collect();
        input.then(|input| Op::GetSchema { input }, output, span).closed().unordered()
    }

    pub(super) fn render(&mut self, input: Rel, render: &'t tree::Render, span: Span) -> Rel {
        let source = self.text(span);
        let text = if source.is_empty() {
            SmolStr::from(format!("render {}", render.chart.text))
        } else {
            source.into()
        };
        input.same(|input| Op::Render { input, text }, span)
    }

    pub(super) fn reduce(&mut self, input: Rel, span: Span) -> Rel {
        let rel = self.opaque_plan(Some(input), "`reduce` clusters texts by a method of its own", span);
        let columns = [("Pattern", Type::String), ("Count", Type::Long), ("Representative", Type::String)];
        let output: Vec<ColId> =
            columns.iter().map(|(n, ty)| self.add_column(SmolStr::new_static(n), *ty, span)).collect();
        let mut rel = rel.closed();
        rel.plan.output = output.into();
        rel
    }

    /// The only name of an item, if the query gives one.
    pub(super) fn given_name(item: &NamedExpr) -> Option<&SmolStr> {
        match &item.names {
            ColumnNames::One(name) => Some(&name.text),
            ColumnNames::Default | ColumnNames::Many(_) => None,
        }
    }
}
