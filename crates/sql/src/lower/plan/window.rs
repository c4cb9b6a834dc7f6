//! Operators that rank rows inside of groups.

use super::refuse_operator;
use crate::build;
use crate::lower::block::{Block, Keep};
use crate::lower::walk::Uses;
use crate::lower::{Lowerer, Result, Scope};
use ruleferry_ir::{Expr, LimitKind, Plan, TopNested};

impl Lowerer<'_> {
    /// `take`, `top` inside of `partition`: the first rows of each group.
    pub(super) fn limit_groups(&mut self, block: Block, count: &Expr, kind: LimitKind) -> Result<Block> {
        let mut block = if block.is_open() && !block.order_is_fixed() { block } else { self.reopen(block)? };
        if kind == LimitKind::SampleDistinct {
            block = self.distinct(block)?;
            block = self.reopen(block)?;
        }
        let scope = block.scope(self, Keep::All, &Uses::default());
        let mut order = block.window_order(self, &scope)?;
        if block.order.first().is_some_and(|k| self.nullable(&k.expr, &scope)) {
            order = build::rank_order(&order);
        }
        let rank = build::over(build::function("row_number", Vec::new()), scope.partition.clone(), order);
        let limit = self.expr(count, &Scope::default())?;
        block.qualify = Some(Box::new(build::binary(rank, sqlparser::ast::BinaryOperator::LtEq, limit)));
        block.hint = "limited";
        Ok(block)
    }

    pub(super) fn top_nested(&mut self, plan: &Plan, _input: Block, _t: &TopNested) -> Result<Block> {
        Err(refuse_operator(plan.span, "`top-nested`").help("write one `summarize` and `top` for each level"))
    }
}
