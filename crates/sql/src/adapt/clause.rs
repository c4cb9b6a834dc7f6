//! Clauses that not every dialect has: QUALIFY, DISTINCT ON, SEMI and ANTI JOIN, UNION BY NAME, lists of VALUES.

use super::{Adapt, Flow, refuse};
use crate::build;
use ruleferry_targets::Capability;
use sqlparser::ast::{
    Distinct, Expr, Function, GroupByExpr, JoinConstraint, JoinOperator, Query, Select, SelectItem, SetExpr,
    SetOperator, SetQuantifier, TableAlias, TableFactor, TableWithJoins, WindowType,
};
use std::ops::ControlFlow;

impl Adapt {
    /// A chain of UNION ALL: by place, without parentheses around its parts.
    pub(super) fn set_operation(&mut self, body: &mut SetExpr) -> Flow {
        match body {
            SetExpr::SetOperation { left, set_quantifier, right, .. } => {
                if *set_quantifier == SetQuantifier::AllByName {
                    *set_quantifier = SetQuantifier::All;
                }
                self.set_operation(left)?;
                self.set_operation(right)?;
                for side in [left, right] {
                    if let SetExpr::Query(query) = &mut **side {
                        let inner = std::mem::replace(
                            &mut **query,
                            build::query(SetExpr::Select(Box::new(build::empty_select()))),
                        );
                        let name = self.fresh("part");
                        **side = SetExpr::Select(Box::new(Select {
                            projection: vec![build::star(None, &[], Vec::new())],
                            from: vec![build::from(build::aliased(build::derived(inner, false), &name, &[]))],
                            ..build::empty_select()
                        }));
                    }
                }
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Continue(()),
        }
    }

    /// A SELECT that gets another one around it is sorted by the names that it shows.
    pub(super) fn order_of_wrapped(&self, query: &mut Query) {
        let (SetExpr::Select(select), Some(order)) = (&*query.body, &mut query.order_by) else { return };
        let wrapped = select.qualify.is_some() && !self.dialect.can(Capability::Qualify)
            || matches!(select.distinct, Some(Distinct::On(_))) && !self.dialect.can(Capability::DistinctOn);
        if !wrapped {
            return;
        }
        let _ = sqlparser::ast::visit_expressions_mut(order, |e| {
            for item in &select.projection {
                match item {
                    SelectItem::ExprWithAlias { expr, alias } if expr == e => {
                        *e = Expr::Identifier(alias.clone());
                        break;
                    }
                    SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) if matches!(e, Expr::CompoundIdentifier(own) if own == parts) =>
                    {
                        if let Some(name) = parts.last() {
                            *e = Expr::Identifier(name.clone());
                        }
                        break;
                    }
                    _ => {}
                }
            }
            ControlFlow::<()>::Continue(())
        });
    }

    pub(super) fn clauses(&mut self, select: &mut Select) -> Flow {
        if matches!(select.group_by, GroupByExpr::All(_)) {
            return refuse("groups by all columns");
        }
        self.semi_joins(select)?;
        if let Some(Distinct::On(_)) = &select.distinct
            && !self.dialect.can(Capability::DistinctOn)
            && let Some(Distinct::On(keys)) = select.distinct.take()
        {
            if select.qualify.is_some() {
                return refuse("one row for each key of filtered rows");
            }
            let first = build::over(
                build::function("row_number", Vec::new()),
                keys.clone(),
                vec![build::order_key(keys.first().cloned().unwrap_or_else(build::null), false, false)],
            );
            select.qualify = Some(build::eq(first, build::integer(1)));
        }
        if !self.dialect.can(Capability::Qualify)
            && let Some(test) = select.qualify.take()
        {
            return self.qualified(select, test);
        }
        ControlFlow::Continue(())
    }

    /// `SELECT a FROM t QUALIFY test` as `SELECT a FROM (SELECT a, test AS kept FROM t) AS q WHERE kept`.
    fn qualified(&mut self, select: &mut Select, test: Expr) -> Flow {
        let mut outer = Vec::with_capacity(select.projection.len());
        for item in &select.projection {
            let name = match item {
                SelectItem::ExprWithAlias { alias, .. } => alias.clone(),
                SelectItem::UnnamedExpr(Expr::Identifier(name)) => name.clone(),
                SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => match parts.last() {
                    Some(name) => name.clone(),
                    None => return refuse("a filter over a window of unnamed columns"),
                },
                _ => return refuse("a filter over a window of columns that are not known"),
            };
            outer.push(SelectItem::UnnamedExpr(Expr::Identifier(name)));
        }
        let (place, table) = (self.fresh("place"), self.fresh("placed"));
        // `row_number() OVER (…) = 1`: the number gets a name, and the test stands outside.
        let (value, test) = match test {
            Expr::BinaryOp { left, op, right }
                if matches!(*left, Expr::Function(_)) && build::is_constant(&right) =>
            {
                (*left, Expr::BinaryOp { left: Box::new(build::column(&place)), op, right })
            }
            other => (other, build::column(&place)),
        };
        let mut inner = std::mem::replace(select, build::empty_select());
        inner.projection.push(SelectItem::ExprWithAlias { expr: value, alias: build::ident(&place) });
        select.projection = outer;
        select.distinct = inner.distinct.take();
        let derived = build::derived(build::select_query(inner), false);
        select.from = vec![build::from(build::aliased(derived, &table, &[]))];
        select.selection = Some(test);
        ControlFlow::Continue(())
    }

    fn semi_joins(&mut self, select: &mut Select) -> Flow {
        if self.dialect.can(Capability::SemiJoin) {
            return ControlFlow::Continue(());
        }
        let sided = self.dialect.can(Capability::SidedSemiJoin);
        let mut tests: Vec<Expr> = Vec::new();
        for from in &mut select.from {
            for mut join in std::mem::take(&mut from.joins) {
                let (constraint, anti) = match join.join_operator {
                    JoinOperator::Semi(c) => (c, false),
                    JoinOperator::Anti(c) => (c, true),
                    other => {
                        join.join_operator = other;
                        from.joins.push(join);
                        continue;
                    }
                };
                if sided {
                    join.join_operator = if anti {
                        JoinOperator::LeftAnti(constraint)
                    } else {
                        JoinOperator::LeftSemi(constraint)
                    };
                    from.joins.push(join);
                    continue;
                }
                let JoinConstraint::On(on) = constraint else {
                    return refuse("a semi join without a condition");
                };
                let exists = build::select_query(Select {
                    projection: vec![SelectItem::UnnamedExpr(build::integer(1))],
                    from: vec![TableWithJoins { relation: join.relation, joins: Vec::new() }],
                    selection: Some(on),
                    ..build::empty_select()
                });
                tests.push(Expr::Exists { subquery: Box::new(exists), negated: anti });
            }
        }
        if !tests.is_empty() {
            tests.extend(select.selection.take());
            select.selection = Some(build::and(tests));
        }
        ControlFlow::Continue(())
    }

    /// `(VALUES …) AS data (a, b)` as `(SELECT 1 AS a, 2 AS b UNION ALL SELECT …) AS data`.
    pub(super) fn rows_of_values(&self, factor: &mut TableFactor) {
        if self.dialect.can(Capability::ValuesList) {
            return;
        }
        let TableFactor::Derived { subquery, alias: Some(TableAlias { columns, .. }), .. } = factor else {
            return;
        };
        let SetExpr::Values(values) = &mut *subquery.body else { return };
        let names: Vec<_> = std::mem::take(columns).into_iter().map(|c| c.name).collect();
        let rows = std::mem::take(&mut values.rows).into_iter().map(|row| {
            let items = row.content.into_iter().enumerate().map(|(i, expr)| match names.get(i) {
                Some(alias) => SelectItem::ExprWithAlias { expr, alias: alias.clone() },
                None => SelectItem::UnnamedExpr(expr),
            });
            SetExpr::Select(Box::new(Select { projection: items.collect(), ..build::empty_select() }))
        });
        let stacked = balanced(rows.collect());
        **subquery = Query { body: Box::new(stacked), ..(**subquery).clone() };
    }
}

/// A balanced tree of UNION ALL, so that long lists do not nest deep.
fn balanced(mut rows: Vec<SetExpr>) -> SetExpr {
    if rows.len() > 1 {
        let right = rows.split_off(rows.len() / 2);
        return SetExpr::SetOperation {
            left: Box::new(balanced(rows)),
            op: SetOperator::Union,
            set_quantifier: SetQuantifier::All,
            right: Box::new(balanced(right)),
        };
    }
    rows.pop().unwrap_or_else(|| SetExpr::Select(Box::new(build::empty_select())))
}

/// Not every engine numbers rows that have no order: the first key of the group is as good as any.
pub(super) fn order_window(f: &mut Function) {
    let numbered = build::is_named(&f.name, "row_number") || is_settled(f, "row_number");
    if let (true, Some(WindowType::WindowSpec(window))) = (numbered, &mut f.over)
        && window.order_by.is_empty()
    {
        let key = window.partition_by.first().cloned().unwrap_or_else(|| build::integer(1));
        window.order_by = vec![build::order_key(key, false, false)];
    }
}

fn is_settled(f: &Function, name: &str) -> bool {
    matches!(f.name.0.as_slice(), [sqlparser::ast::ObjectNamePart::Identifier(i)] if i.value == name)
}
