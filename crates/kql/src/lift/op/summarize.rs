//! `summarize` and what is made of it: `count`, `top-hitters`, `top-nested`.

use super::{Outputs, rename_columns};
use crate::lift::Lifter;
use crate::lift::scope::{Env, Rel, Scope};
use crate::syntax::tree::{self, ColumnNames, Direction, NamedExpr};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::functions::{self, FunctionKind};
use ruleferry_ir::{
    self as ir, Aggregate, AggregateCall, AggregateItem, ColId, Item, Op, SortKey, TopNestedLevel, Type,
};
use smol_str::SmolStr;

impl<'t> Lifter<'t> {
    pub(super) fn summarize(
        &mut self,
        input: Rel,
        summarize: &'t tree::Summarize,
        span: Span,
        env: Env,
    ) -> Rel {
        if summarize.bin.is_some() {
            return self.opaque_plan(Some(input), "`summarize … by x bin=y` is no longer documented", span);
        }
        let scope = Scope::over(env, &input);
        let mut out = Outputs::default();
        let keys: Vec<Item> = summarize.by.iter().map(|k| self.projected(k, &scope, &mut out)).collect();
        let key_columns: Vec<ColId> = keys.iter().filter_map(|k| k.expr.as_column()).collect();
        let scope = scope.with_keys(&key_columns);
        let aggregates: Vec<AggregateItem> =
            summarize.aggregates.iter().map(|a| self.aggregate_item(a, &scope, &mut out)).collect();
        let star = aggregates.iter().any(|a| is_star(&a.call));
        let rel = input
            .then(|input| Op::Aggregate(Aggregate { input, keys, aggregates }), out.ids, span)
            .unordered();
        // `arg_max(x, *)` passes on every column, those that no schema knows, too.
        if star { rel } else { rel.closed() }
    }

    /// An aggregate and its output columns.
    pub(super) fn aggregate_item(
        &mut self,
        item: &'t NamedExpr,
        scope: &Scope<'_>,
        out: &mut Outputs,
    ) -> AggregateItem {
        let mut made = self.aggregate(&item.value, scope);
        rename_columns(&item.names, &mut made.columns);
        let span = super::name_span(&item.names, item.value.span.0);
        let ids =
            made.columns.iter().map(|(name, ty)| self.push_column(out, name.as_deref(), *ty, span)).collect();
        AggregateItem { ids, call: made.call, named: !matches!(item.names, ColumnNames::Default) }
    }

    pub(super) fn count(&mut self, input: Rel, name: Option<&'t tree::Name>, span: Span) -> Rel {
        let label = name.map_or(SmolStr::new_static("Count"), |n| n.text.clone());
        let id = self.add_column(label, Type::Long, span);
        let Some(item) = self.plain_aggregate("count", Vec::new(), id, span) else {
            return self.nothing(span);
        };
        let aggregate = |input| Op::Aggregate(Aggregate { input, keys: Vec::new(), aggregates: vec![item] });
        input.then(aggregate, vec![id], span).closed().unordered()
    }

    fn plain_aggregate(
        &mut self,
        function: &str,
        args: Vec<ir::Expr>,
        id: ColId,
        span: Span,
    ) -> Option<AggregateItem> {
        let Some(def) = functions::find(function, FunctionKind::Aggregate) else {
            self.error(codes::WRONG_ARGUMENTS, span, format!("there is no aggregate `{function}`"));
            return None;
        };
        Some(AggregateItem { ids: vec![id], call: AggregateCall::Function(def, args), named: false })
    }

    /// `top-hitters n of x by y`: the groups with the largest count or sum.
    pub(super) fn top_hitters(
        &mut self,
        input: Rel,
        count: &'t tree::Expr,
        of: &'t NamedExpr,
        by: Option<&'t NamedExpr>,
        span: Span,
        env: Env,
    ) -> Rel {
        let count = self.expr_as(count, Type::Long, &Scope::bare(env));
        let scope = Scope::over(env, &input);
        let mut out = Outputs::default();
        let key = self.projected(of, &scope, &mut out);
        let (function, args, ty, label) = match by {
            Some(by) => {
                let value = self.value(&by.value, &scope);
                let name = value.name.unwrap_or_default();
                let ty = if value.expr.ty == Type::Int { Type::Long } else { value.expr.ty };
                ("sum", vec![value.expr], ty, format!("approximate_sum_{name}"))
            }
            None => {
                let name = out.ids.first().map_or("", |id| self.columns.name(*id));
                ("count", Vec::new(), Type::Long, format!("approximate_count_{name}"))
            }
        };
        let id = self.push_column(&mut out, Some(&label), ty, span);
        let Some(item) = self.plain_aggregate(function, args, id, span) else { return self.nothing(span) };
        let op = |input| Op::Aggregate(Aggregate { input, keys: vec![key], aggregates: vec![item] });
        let rel = input.then(op, out.ids, span).closed();
        let keys = vec![SortKey { expr: self.column_expr(id, span), descending: true, nulls_first: false }];
        rel.same(|input| Op::Top { input, count, keys }, span).in_order()
    }

    pub(super) fn top_nested(
        &mut self,
        input: Rel,
        levels: &'t [tree::TopNested],
        span: Span,
        env: Env,
    ) -> Rel {
        let scope = Scope::over(env, &input);
        let mut out = Outputs::default();
        let mut lifted = Vec::with_capacity(levels.len());
        for level in levels {
            let count = level.count.as_ref().map(|c| self.expr_as(c, Type::Long, &Scope::bare(env)));
            let key = self.projected(&level.of, &scope, &mut out);
            let key_name = key.ids.first().map(|id| SmolStr::new(self.columns.name(*id))).unwrap_or_default();
            let mut made = self.aggregate(&level.by.value.value, &scope);
            made.columns.truncate(1);
            for column in &mut made.columns {
                column.0 = Some(SmolStr::from(format!("aggregated_{key_name}")));
            }
            rename_columns(&level.by.value.names, &mut made.columns);
            let at = level.by.value.value.span.0;
            let ids = made
                .columns
                .iter()
                .map(|(name, ty)| self.push_column(&mut out, name.as_deref(), *ty, at))
                .collect();
            let named = !matches!(level.by.value.names, ColumnNames::Default);
            let by = AggregateItem { ids, call: made.call, named };
            let others = level.others.as_ref().map(|o| self.expr(o, &Scope::bare(env)));
            let descending = level.by.direction != Some(Direction::Asc);
            lifted.push(TopNestedLevel { count, key, by, descending, others });
        }
        let op = |input| Op::TopNested(ir::TopNested { input, levels: lifted });
        input.then(op, out.ids, span).closed().unordered()
    }
}

const fn is_star(call: &AggregateCall) -> bool {
    match call {
        AggregateCall::ArgExtreme { star, .. } | AggregateCall::TakeAny { star, .. } => *star,
        AggregateCall::Function(..) | AggregateCall::Composed { .. } => false,
    }
}
