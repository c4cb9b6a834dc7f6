//! `make-series`: buckets by GROUP BY, a grid of every key and every step, and the arrays in the order of the axis.

use super::{refuse_column, refuse_operator};
use crate::build;
use crate::lower::block::{Block, Origin, Out, Relation, SourceColumn};
use crate::lower::{Lowerer, Result, Scope};
use ruleferry_ir::functions::{FunctionKind, find};
use ruleferry_ir::{
    Aggregate, AggregateCall, AggregateItem, ColId, CompareOp, Expr, ExprKind, Item, MakeSeries, Missing, Op,
    Plan, SeriesItem, TICKS_PER_SECOND, Type, Value,
};
use smol_str::SmolStr;
use sqlparser::ast::{
    self, BinaryOperator, Distinct, FunctionArgumentClause, FunctionArguments, GroupByExpr, Join,
    JoinConstraint, JoinOperator, Select,
};

/// The axis in SQL.
struct Axis {
    from: Option<ast::Expr>,
    to: Option<ast::Expr>,
    step: ast::Expr,
}

impl Lowerer<'_> {
    pub(super) fn make_series(&mut self, plan: &Plan, input: Block, m: &MakeSeries) -> Result<Block> {
        if !self.dialect().generic {
            return Err(refuse_operator(plan.span, "`make-series`"));
        }
        if m.axis.ty != Type::Datetime {
            return Err(refuse_operator(plan.span, "`make-series` over an axis that is no time"));
        }
        // A bound whose type is not known (a column without a schema) is a time all the same.
        let time =
            |e: &Expr| if e.ty == Type::Datetime { e.clone() } else { e.clone().cast(Type::Datetime, true) };
        let mut m = MakeSeries { from: m.from.as_ref().map(time), to: m.to.as_ref().map(time), ..m.clone() };
        if let (true, Some(from), Some(bin)) = (m.in_range, &m.from, find("bin", FunctionKind::Scalar)) {
            // In this form the axis has the steps of `bin`, not those counted from its start.
            let start = ExprKind::Call(bin, vec![from.clone(), m.step.clone()]);
            m.from = Some(Expr::new(start, Type::Datetime, from.span));
        }
        let m = &m;
        let none = Scope::default();
        let axis = Axis {
            from: m.from.as_ref().map(|e| self.expr(e, &none)).transpose()?,
            to: m.to.as_ref().map(|e| self.expr(e, &none)).transpose()?,
            step: self.expr(&m.step, &none)?,
        };
        let input = self.bounded(input, m)?;
        let buckets = self.buckets(plan, input, m, &axis)?;
        let grid = self.grid(m, &axis, &buckets)?;
        self.arrays(plan, m, grid, buckets)
    }

    /// The rows inside of the range.
    fn bounded(&mut self, input: Block, m: &MakeSeries) -> Result<Block> {
        let mut tests = Vec::new();
        let span = m.axis.span;
        if let Some(from) = &m.from {
            tests.push(Expr::compare(CompareOp::Ge, m.axis.clone(), from.clone(), Missing::Null, span));
        }
        if let Some(to) = &m.to {
            let op = if m.in_range { CompareOp::Le } else { CompareOp::Lt };
            tests.push(Expr::compare(op, m.axis.clone(), to.clone(), Missing::Null, span));
        }
        if tests.is_empty() {
            tests.push(
                Expr::new(ruleferry_ir::ExprKind::IsNull(Box::new(m.axis.clone())), Type::Bool, span)
                    .negated(span),
            );
        }
        self.filter(input, &Expr::and(tests, span))
    }

    /// One row for each key and step that has data.
    fn buckets(&mut self, plan: &Plan, input: Block, m: &MakeSeries, axis: &Axis) -> Result<Relation> {
        let mut keys: Vec<Item> = m.keys.clone();
        keys.push(Item { ids: vec![m.axis_out], expr: m.axis.clone(), named: true });
        let aggregates: Vec<AggregateItem> = m.aggregates.iter().map(|s| s.aggregate.clone()).collect();
        let output: Vec<ColId> = keys
            .iter()
            .flat_map(|k| k.ids.clone())
            .chain(aggregates.iter().flat_map(|a| a.ids.clone()))
            .collect();
        let aggregate = Aggregate { input: rows_of(m), keys, aggregates };
        let scan = Plan::new(Op::Aggregate(aggregate.clone()), output, plan.span);
        let mut block = self.aggregation(&scan, input, &aggregate)?;
        let Some(at) = block.outs.position(m.axis_out) else { return Err(refuse_column(plan.span)) };
        let Some(out) = block.outs.get(at).cloned() else { return Err(refuse_column(plan.span)) };
        let bucket = match &axis.from {
            Some(from) => build::call("time_bucket", vec![axis.step.clone(), out.expr.get(), from.clone()]),
            None => self.template(
                "bin",
                &[Type::Datetime, Type::Timespan],
                vec![out.expr.get(), axis.step.clone()],
                m.axis.span,
            )?,
        };
        block.set_out(
            Some(at),
            Out {
                expr: bucket.into(),
                origin: Origin::Computed { fixed: false, volatile: false, depth: 0 },
                ..out
            },
        );
        block.group_by = Some(GroupByExpr::All(Vec::new()));
        block.hint = "buckets";
        self.close(block)
    }

    /// Every key with every step of the range.
    fn grid(&mut self, m: &MakeSeries, axis: &Axis, buckets: &Relation) -> Result<Relation> {
        let Some(bucket) = buckets.column(m.axis_out) else { return Err(refuse_column(m.axis.span)) };
        let keys: Vec<SourceColumn> =
            m.keys.iter().flat_map(|k| &k.ids).filter_map(|id| buckets.column(*id).cloned()).collect();
        let bounded = axis.from.is_some() && axis.to.is_some();
        let extreme = |name: &str| build::call(name, vec![build::column(&bucket.name)]);
        let low = axis.from.clone().unwrap_or_else(|| extreme("min"));
        let high = match &axis.to {
            Some(to) if m.in_range => to.clone(),
            Some(to) => {
                let instant = self.expr(
                    &Expr::literal(Value::Timespan(TICKS_PER_SECOND / 1_000_000), m.axis.span),
                    &Scope::default(),
                )?;
                build::binary(to.clone(), BinaryOperator::Minus, instant)
            }
            None => extreme("max"),
        };
        let series = build::call("generate_series", vec![low, high, axis.step.clone()]);
        let mut projection: Vec<ast::SelectItem> =
            keys.iter().map(|k| ast::SelectItem::UnnamedExpr(build::column(&k.name))).collect();
        projection.push(build::item(build::call("unnest", vec![series]), &bucket.name));
        let alone = keys.is_empty() && m.nonempty && bounded;
        let select = Select {
            distinct: (bounded && !alone).then_some(Distinct::Distinct),
            projection,
            from: if alone { Vec::new() } else { vec![build::from(buckets.factor.clone())] },
            group_by: GroupByExpr::Expressions(
                if bounded { Vec::new() } else { keys.iter().map(|k| build::column(&k.name)).collect() },
                Vec::new(),
            ),
            ..build::empty_select()
        };
        let factor = self.define("grid", build::select_query(select), false);
        let mut columns = keys;
        columns.push(bucket.clone());
        Ok(Relation { factor, columns, open: false, order: Vec::new(), around: Vec::new() })
    }

    /// The arrays in the order of the axis.
    fn arrays(&mut self, plan: &Plan, m: &MakeSeries, grid: Relation, buckets: Relation) -> Result<Block> {
        let Some(axis) = grid.column(m.axis_out).cloned() else { return Err(refuse_column(plan.span)) };
        let keys: Vec<SourceColumn> =
            grid.columns.iter().filter(|c| c.id != Some(m.axis_out)).cloned().collect();
        let (g, b) = (SmolStr::new("g"), SmolStr::new("b"));
        let mut tests = vec![build::eq(build::qualified(&b, &axis.name), build::qualified(&g, &axis.name))];
        for key in &keys {
            let (left, right) = (build::qualified(&b, &key.name), build::qualified(&g, &key.name));
            tests.push(if key.present {
                build::eq(left, right)
            } else {
                build::is_not_distinct(left, right)
            });
        }
        let position = build::order_key(build::qualified(&g, &axis.name), false, false);
        let mut outs: Vec<Out> = keys
            .iter()
            .enumerate()
            .filter_map(|(i, k)| {
                Some(Out {
                    id: k.id?,
                    name: k.name.clone(),
                    expr: build::qualified(&g, &k.name).into(),
                    origin: Origin::Source(0, i),
                    present: k.present,
                    aliases: Vec::new(),
                })
            })
            .collect();
        for item in &m.aggregates {
            for id in &item.aggregate.ids {
                let value = self.series_value(item, *id, &buckets, &b, &axis.name)?;
                outs.push(self.array(*id, value, &position));
            }
        }
        let shown = self.template(
            "value.dynamic",
            &[Type::Datetime],
            vec![build::qualified(&g, &axis.name)],
            plan.span,
        )?;
        outs.push(self.array(m.axis_out, shown, &position));
        let mut block = Block { hint: "series", explicit: true, ..Block::default() };
        let mut from = build::from(build::aliased(grid.factor, &g, &[]));
        from.joins.push(Join {
            relation: build::aliased(buckets.factor, &b, &[]),
            global: false,
            join_operator: JoinOperator::Left(JoinConstraint::On(build::and(tests))),
        });
        block.from.push(from);
        block.add_source(Some(g.clone()), grid.columns, false);
        block.add_source(Some(b), buckets.columns, false);
        block.group_by = Some(GroupByExpr::Expressions(
            keys.iter().map(|k| build::qualified(&g, &k.name)).collect(),
            Vec::new(),
        ));
        if keys.is_empty() && !m.nonempty {
            let count = build::call("count", vec![build::qualified(&g, &axis.name)]);
            block.having.push(build::binary(count, BinaryOperator::Gt, build::integer(0)));
        }
        block.outs = outs.into_iter().collect();
        super::sort_outs(&mut block, &plan.output);
        Ok(block)
    }

    fn series_value(
        &mut self,
        item: &SeriesItem,
        id: ColId,
        buckets: &Relation,
        b: &str,
        axis: &str,
    ) -> Result<ast::Expr> {
        let Some(column) = buckets.column(id) else {
            return Err(refuse_column(ruleferry_diag::Span::default()));
        };
        let value = build::qualified(b, &column.name);
        let default = match &item.default {
            None => build::integer(0),
            Some(e) if matches!(e.as_literal(), Some(Value::Null(_))) => return Ok(value),
            Some(e) => self.expr(e, &Scope::default())?,
        };
        // The default is for steps without rows; an aggregate of rows may be null, too.
        Ok(if counts(&item.aggregate) {
            build::coalesce(value, default)
        } else {
            build::case(vec![(build::is_null(build::qualified(b, axis)), default)], Some(value))
        })
    }

    /// `to_json(list(value ORDER BY axis))`
    fn array(&self, id: ColId, value: ast::Expr, position: &ast::OrderByExpr) -> Out {
        let mut f = build::function("list", vec![value]);
        if let FunctionArguments::List(list) = &mut f.args {
            list.clauses.push(FunctionArgumentClause::OrderBy(vec![position.clone()]));
        }
        Out {
            id,
            name: self.query.columns.name(id).into(),
            expr: build::call("to_json", vec![ast::Expr::Function(f)]).into(),
            origin: Origin::Computed { fixed: false, volatile: false, depth: 0 },
            present: true,
            aliases: Vec::new(),
        }
    }
}

/// The input of the aggregation, for its list of columns alone.
fn rows_of(m: &MakeSeries) -> Plan {
    Plan::new(Op::Rows, m.input.output.clone(), m.input.span)
}

/// An aggregate that is never null.
fn counts(item: &AggregateItem) -> bool {
    matches!(&item.call, AggregateCall::Function(def, _) if matches!(def.name, "count" | "countif" | "dcount" | "dcountif" | "sum" | "sumif"))
}
