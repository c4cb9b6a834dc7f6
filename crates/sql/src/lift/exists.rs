//! `EXISTS`, also of queries that look at the row around them.
//!
//! A query that does not is a scalar: whether it has rows. One that does is joined: its rows, once for each value of what it compares
//! with the row, and a column that says that there is one.

use super::block::{Block, Source, same_name};
use super::from::conjuncts;
use super::nulls::is_true;
use super::unify::bare;
use super::{Lifter, Result, Val};
use ruleferry_diag::Span;
use ruleferry_ir::{Aggregate, ColId, Expr, Item, Join, JoinKey, JoinKind, Op, Plan, SelectItem, Type};
use sqlparser::ast::{self, BinaryOperator};

impl<'q> Lifter<'q> {
    /// Whether a query gives rows; never null.
    pub(super) fn exists(
        &mut self,
        block: &mut Block<'q>,
        query: &'q ast::Query,
        node: &'q ast::Expr,
    ) -> Result<Expr> {
        self.exists_as(block, query, node, None)
    }

    /// `filter`: rows must pass, those with a partner or (true) those without; the join does it, and the test left is true.
    pub(super) fn exists_as(
        &mut self,
        block: &mut Block<'q>,
        query: &'q ast::Query,
        node: &'q ast::Expr,
        filter: Option<bool>,
    ) -> Result<Expr> {
        let negated = |e: Expr| if filter == Some(true) { super::test::not(e) } else { e };
        let ast::SetExpr::Select(select) = &*query.body else {
            let rel = self.query(query, false)?;
            return self.has_rows(rel.plan, node).map(negated);
        };
        let plain = query.with.is_none()
            && query.limit_clause.is_none()
            && select.having.is_none()
            && select.qualify.is_none()
            && matches!(&select.group_by, ast::GroupByExpr::Expressions(k, m) if k.is_empty() && m.is_empty());
        let collects = select.projection.iter().any(|item| match item {
            ast::SelectItem::UnnamedExpr(e) | ast::SelectItem::ExprWithAlias { expr: e, .. } => {
                super::aggregate::aggregates(e)
            }
            _ => false,
        });
        if !plain || collects {
            let rel = self.query(query, false)?;
            return self.has_rows(rel.plan, node).map(negated);
        }
        self.plain_select(select)?;
        let mut tests = Vec::new();
        if let Some(test) = &select.selection {
            conjuncts(test, &mut tests);
        }
        let mut inner = self.deeper(|l| l.from(&select.from, select, &mut tests))?;
        let (outer, own): (Vec<_>, Vec<_>) =
            tests.into_iter().partition(|t| self.looks_out(block, &inner, t));
        if !own.is_empty() {
            let test = Expr::and(self.conjunction(&mut inner, own)?, Span::default());
            inner.filter(test);
        }
        if outer.is_empty() {
            return self.has_rows(inner.plan, node).map(negated);
        }
        let (mut inner_keys, mut outer_keys): (Vec<ColId>, Vec<ColId>) = (Vec::new(), Vec::new());
        for test in outer {
            let ast::Expr::BinaryOp { left, op: BinaryOperator::Eq, right } = bare(test) else {
                return Err(
                    self.clause(test, "a query that looks at the row around it by anything but equality")
                );
            };
            let (a, b) = if self.looks_out(block, &inner, left) { (left, right) } else { (right, left) };
            if self.looks_out(block, &inner, b) {
                return Err(self.clause(test, "a test of the row around a query inside of it"));
            }
            let mut l = self.outside(block, &inner, a)?;
            let mut r = self.value(&mut inner, b)?;
            self.agree(&mut l, &mut r);
            if !super::test::comparable(l.e.ty, r.e.ty) {
                let message = format!("`{}` is compared with `{}`", l.e.ty, r.e.ty);
                return Err(self.types(test, message));
            }
            if l.e.ty == Type::String {
                // A missing text meets nothing, and the IR would take it for "".
                let (Ok(no_left), Ok(no_right)) = (self.cond(&l), self.cond(&r)) else {
                    return Err(self.null(test, "a text in a key"));
                };
                if let Some(null) = no_right {
                    inner.filter(null.negated(Span::default()));
                }
                if let Some(null) = no_left {
                    let yes = Expr::bool(true, Span::default());
                    let there = self.add("known_", Type::Bool);
                    block.extend(there, super::nulls::null_where(null, yes.clone()));
                    let always = self.add("known_", Type::Bool);
                    inner.extend(always, yes);
                    outer_keys.push(there);
                    inner_keys.push(always);
                }
            }
            let mut side = |block: &mut Block<'q>, val: Val| match val.e.as_column() {
                Some(id) => id,
                None => self.put(block, "key_", val).id,
            };
            outer_keys.push(side(block, l));
            inner_keys.push(side(&mut inner, r));
        }
        if let Some(negated) = filter {
            let on = outer_keys.iter().zip(&inner_keys).map(|(l, r)| JoinKey { left: *l, right: *r });
            let on = on.collect();
            let kind = if negated { JoinKind::LeftAnti } else { JoinKind::LeftSemi };
            let (output, right) = (block.plan.output.clone(), inner.plan);
            block.wrap(output, |left| {
                Op::Join(Join {
                    kind,
                    lookup: false,
                    explicit: true,
                    left,
                    right,
                    on,
                    right_output: Vec::new(),
                    hints: Vec::new(),
                })
            });
            block.unique = None;
            return Ok(Expr::bool(true, Span::default()));
        }
        // Each value once, with a column that says that it is there.
        let mut keys = Vec::with_capacity(inner_keys.len());
        let mut fresh = Vec::with_capacity(inner_keys.len());
        for id in &inner_keys {
            let (name, ty) = (smol_str::SmolStr::new(self.columns.name(*id)), self.columns.ty(*id));
            let new = self.add(&name, ty);
            keys.push(Item { ids: vec![new], expr: self.column(*id), named: true });
            fresh.push(new);
        }
        let aggregate = Aggregate { input: inner.plan, keys, aggregates: Vec::new() };
        let plan = Plan::new(Op::Aggregate(aggregate), fresh.clone(), Span::default());
        let mut right = Block::new(plan, Vec::new());
        let found = self.add("found_", Type::Bool);
        right.extend(found, Expr::bool(true, Span::default()));
        let on = outer_keys.iter().zip(&fresh).map(|(l, r)| JoinKey { left: *l, right: *r }).collect();
        let mut output = block.plan.output.to_vec();
        let right_output: Vec<SelectItem> =
            right.plan.output.iter().map(|id| SelectItem { from: *id, to: *id }).collect();
        output.extend(right.plan.output.iter());
        let right = right.plan;
        block.wrap(output.into(), |left| {
            Op::Join(Join {
                kind: JoinKind::LeftOuter,
                lookup: false,
                explicit: true,
                left,
                right,
                on,
                right_output,
                hints: Vec::new(),
            })
        });
        block.unique = None;
        Ok(is_true(found))
    }

    /// A value of the row around a query.
    fn outside(&mut self, block: &mut Block<'q>, inner: &Block<'q>, e: &'q ast::Expr) -> Result<Val> {
        let mut mixed = false;
        let _ = ast::visit_expressions(e, |e| {
            mixed |= names(e) && !self.is_outer(block, inner, e);
            std::ops::ControlFlow::<()>::Continue(())
        });
        if mixed {
            return Err(self.clause(e, "a value of both the row around a query and its own"));
        }
        self.value(block, e)
    }

    /// Whether an expression inside of a query looks at the row around it.
    fn looks_out(&self, block: &Block<'q>, inner: &Block<'q>, e: &ast::Expr) -> bool {
        let mut found = false;
        let _ = ast::visit_expressions(e, |e| {
            found |= names(e) && self.is_outer(block, inner, e);
            std::ops::ControlFlow::<()>::Continue(())
        });
        found
    }

    /// A name is that of the query's own tables before it is one of the row around.
    fn is_outer(&self, block: &Block<'q>, inner: &Block<'q>, e: &ast::Expr) -> bool {
        let has = |sources: &[Source], qualifier: &str| {
            sources.iter().any(|s| s.qualifier.as_deref().is_some_and(|q| same_name(q, qualifier)))
        };
        match e {
            ast::Expr::CompoundIdentifier(parts) => {
                parts.first().is_some_and(|q| !has(&inner.sources, &q.value) && has(&block.sources, &q.value))
            }
            ast::Expr::Identifier(i) => {
                let in_own = self.find(inner, &i.value, None, i).ok().flatten().is_some()
                    || inner.sources.iter().any(|s| s.open.is_some());
                !in_own && self.find(block, &i.value, None, i).ok().flatten().is_some()
            }
            _ => false,
        }
    }
}

fn names(e: &ast::Expr) -> bool {
    matches!(e, ast::Expr::Identifier(_) | ast::Expr::CompoundIdentifier(_))
}
