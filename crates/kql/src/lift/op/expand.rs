//! `mv-expand`, `mv-apply`, `partition`: rows of rows.

use super::param;
use crate::lift::Lifter;
use crate::lift::scope::{Env, Rel, Scope};
use crate::syntax::tree::{self, ExprKind, MvColumn, Param, PartitionBody};
use ruleferry_diag::Span;
use ruleferry_ir::{self as ir, Apply, ColId, Expand, ExpandItem, ExpandKind, Op, Plan, Type};

impl<'t> Lifter<'t> {
    pub(super) fn mv_expand(&mut self, input: Rel, expand: &'t tree::MvExpand, span: Span, env: Env) -> Rel {
        let mut output = input.plan.output.to_vec();
        let items = self.expand_items(&input, &expand.columns, &mut output, env);
        let index = self.index_column(&expand.params, &mut output, span);
        let limit = expand.limit.as_ref().map(|l| self.expr_as(l, Type::Long, &Scope::bare(env)));
        let mode = ["bagexpansion", "kind"].iter().find_map(|n| param(&expand.params, n));
        let array = mode.is_some_and(|p| self.param_text(p) == "array");
        let kind = if array { ExpandKind::Array } else { ExpandKind::Bag };
        input.then(|input| Op::Expand(Expand { input, items, kind, index, limit }), output, span)
    }

    /// The expanded columns, put into `output`: in the place of the column of their name, else at the end.
    fn expand_items(
        &mut self,
        input: &Rel,
        columns: &'t [MvColumn],
        output: &mut Vec<ColId>,
        env: Env,
    ) -> Vec<ExpandItem> {
        let scope = Scope::over(env, input);
        let mut items = Vec::with_capacity(columns.len());
        for column in columns {
            let value = self.value(&column.value.value, &scope);
            self.hint(&value.expr, Type::Dynamic);
            let to = column.to.as_ref().map(crate::lift::expr::scalar_type);
            let ty = to.unwrap_or(Type::Dynamic);
            let given = Self::given_name(&column.value);
            let at = column.value.value.span.0;
            let id = match given.cloned().or(value.name) {
                Some(name) => self.replace_column(output, name, ty, at),
                None => {
                    let mut out =
                        super::Outputs { row: output.len(), ids: std::mem::take(output), unnamed: 0 };
                    let id = self.push_column(&mut out, None, ty, at);
                    *output = out.ids;
                    id
                }
            };
            let expr = if value.expr.ty == Type::Unknown {
                value.expr
            } else {
                value.expr.cast(Type::Dynamic, true)
            };
            items.push(ExpandItem { id, expr, to, named: given.is_some() });
        }
        items
    }

    fn index_column(&mut self, params: &'t [Param], output: &mut Vec<ColId>, span: Span) -> Option<ColId> {
        let name = self.param_text(param(params, "with_itemindex")?);
        Some(self.replace_column(output, name, Type::Long, span))
    }

    pub(super) fn mv_apply(&mut self, input: Rel, apply: &'t tree::MvApply, span: Span, env: Env) -> Rel {
        let before = std::sync::Arc::clone(&input.plan.output);
        let mut inner = before.to_vec();
        let items = self.expand_items(&input, &apply.columns, &mut inner, env);
        let index = self.index_column(&apply.params, &mut inner, span);
        let limit = apply.limit.as_ref().map(|l| self.expr_as(l, Type::Long, &Scope::bare(env)));
        // Columns of the row that stand beside what the body gives: all but those expanded under their own name.
        let expanded: Vec<ColId> =
            items.iter().filter(|i| !i.named).filter_map(|i| plain_column(&i.expr)).collect();
        let kept: Vec<ColId> = before.iter().copied().filter(|id| !expanded.contains(id)).collect();
        let rows = Plan::new(Op::Rows, inner, span);
        let host = Rel { plan: rows, origins: input.origins.clone(), ordered: true, depth: input.depth };
        self.correlated += 1;
        let body = self.pipeline(&apply.body, Some(host), env);
        self.correlated -= 1;
        let mut output = kept.clone();
        for id in body.plan.output.iter() {
            if self.find_column(&kept, self.columns.name(*id)).is_none() {
                output.push(*id);
            }
        }
        let depth = input.depth.max(body.depth) + 1;
        let origins = input.origins;
        let apply = Apply { input: input.plan, items, index, limit, body: body.plan };
        Rel { plan: Plan::new(Op::Apply(apply), output, span), origins, ordered: false, depth }
    }

    pub(super) fn partition(
        &mut self,
        input: Rel,
        partition: &'t tree::Partition,
        span: Span,
        env: Env,
    ) -> Rel {
        let ExprKind::Name(name) = &partition.by.kind else {
            return self.opaque_plan(Some(input), "`partition` by an expression has no neutral form", span);
        };
        let body = match &partition.body {
            PartitionBody::Operators(body) => body,
            PartitionBody::Query(_) | PartitionBody::Scoped { .. } => {
                return self.opaque_plan(Some(input), "this form of `partition` has no neutral form", span);
            }
        };
        let Some(key) = self.column_of(&input, name, partition.by.span.0) else { return input };
        let rows = Plan::new(Op::Rows, std::sync::Arc::clone(&input.plan.output), span);
        let host =
            Rel { plan: rows, origins: input.origins.clone(), ordered: input.ordered, depth: input.depth };
        self.correlated += 1;
        let body = self.pipeline(body, Some(host), env);
        self.correlated -= 1;
        let Rel { plan, origins, depth, .. } = body;
        let output = std::sync::Arc::clone(&plan.output);
        let op = Op::Partition { input: input.plan, key, body: plan };
        Rel { plan: Plan::new(op, output, span), origins, ordered: false, depth: depth.max(input.depth) + 1 }
    }
}

/// The column that an expression is, but for a conversion that nobody wrote.
fn plain_column(e: &ir::Expr) -> Option<ColId> {
    match &e.kind {
        ir::ExprKind::Cast(cast) if cast.implicit => plain_column(&cast.expr),
        _ => e.as_column(),
    }
}
