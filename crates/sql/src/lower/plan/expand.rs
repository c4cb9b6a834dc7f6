//! `mv-expand`: one row for each element, by `unnest` in the SELECT list (several expand in parallel, the shorter padded).

use crate::build;
use crate::lower::block::{Block, Keep, Origin, Out};
use crate::lower::outs::ColSet;
use crate::lower::walk::Uses;
use crate::lower::{Lowerer, Result, Scope};
use ruleferry_diag::Span;
use ruleferry_ir::{Expand, ExpandItem, ExpandKind, Expr, Plan, Type};
use ruleferry_targets::Capability;
use sqlparser::ast;

impl Lowerer<'_> {
    pub(super) fn expand(&mut self, plan: &Plan, input: Block, e: &Expand) -> Result<Block> {
        if !self.dialect().can(Capability::RowFunctions) {
            return Err(super::refuse_operator(plan.span, "`mv-expand`"));
        }
        if e.items.len() + usize::from(e.index.is_some()) > 1 && !self.dialect().can(Capability::ZippedRows) {
            return Err(super::refuse_operator(plan.span, "`mv-expand` of several values"));
        }
        if (e.index.is_some() || e.limit.is_some()) && !self.dialect().generic {
            return Err(super::refuse_operator(plan.span, "`mv-expand` with an index or a limit"));
        }
        let uses = Uses::of(e.items.iter().map(|i| &i.expr));
        let wanted: ColSet = plan.output.iter().copied().collect();
        let keep: ColSet = input.outs.iter().map(|o| o.id).filter(|id| wanted.contains(*id)).collect();
        let mut block = self.fit(input, &uses, Keep::Only(&keep))?;
        if block.reads_neighbours()
            || block.outs.among(&uses.columns).iter().any(|o| matches!(o.origin, Origin::Computed { .. }))
        {
            // The elements stand beside the column that they come from: no alias may stand for both.
            block = self.reopen(block)?;
        }
        let scope = block.scope(self, Keep::Only(&keep), &uses);
        let mut lists = Vec::with_capacity(e.items.len());
        for item in &e.items {
            lists.push(self.elements(item, e.kind, e.limit.as_ref(), &scope)?);
        }
        let mut added = Vec::new();
        if let Some(index) = e.index {
            added.push((index, self.item_index(&lists), Type::Long));
        }
        for (item, list) in e.items.iter().zip(lists) {
            let element = build::call("unnest", vec![list]);
            let element = self.element_as(element, item, item.expr.span)?;
            added.push((item.id, element, self.ty(item.id)));
        }
        for (id, expr, ty) in added {
            let name = self.query.columns.name(id);
            let at = block.outs.named(name).find(|(_, o)| !wanted.contains(o.id)).map(|(i, _)| i);
            let name = Block::name_for(&block.outs, name, at);
            let out = Out {
                id,
                name,
                expr: expr.into(),
                origin: Origin::Computed { fixed: true, volatile: false, depth: 0 },
                present: ty == Type::Long && Some(id) == e.index,
                aliases: Vec::new(),
            };
            block.set_out(at, out);
        }
        block.outs.retain(|o| wanted.contains(o.id));
        super::sort_outs(&mut block, &plan.output);
        block.expanded = true;
        block.hint = "expanded";
        Ok(block)
    }

    /// The elements of a dynamic value as a list: of an array its elements, of a bag its members, of null one null.
    pub(super) fn elements(
        &mut self,
        item: &ExpandItem,
        kind: ExpandKind,
        limit: Option<&Expr>,
        scope: &Scope,
    ) -> Result<ast::Expr> {
        let value = self.expr(&item.expr, scope)?;
        let name = match kind {
            ExpandKind::Bag => "expand_items",
            ExpandKind::Array => "expand_pairs",
        };
        self.use_macro(name);
        let mut list = build::call(name, vec![value]);
        if let Some(limit) = limit {
            let n = self.expr(limit, scope)?;
            list = build::call("list_slice", vec![list, build::integer(1), n]);
        }
        Ok(list)
    }

    /// The index of the element, from 0: of the longest list.
    pub(super) fn item_index(&self, lists: &[ast::Expr]) -> ast::Expr {
        let mut lengths: Vec<ast::Expr> = lists.iter().map(|l| build::call("len", vec![l.clone()])).collect();
        let longest = match lengths.len() {
            1 => lengths.pop().unwrap_or_else(build::null),
            _ => build::call("greatest", lengths),
        };
        build::call("unnest", vec![build::call("range", vec![longest])])
    }

    /// The element in the type that `to typeof(…)` names.
    pub(super) fn element_as(
        &mut self,
        element: ast::Expr,
        item: &ExpandItem,
        span: Span,
    ) -> Result<ast::Expr> {
        let ty = item.to.unwrap_or(Type::Dynamic);
        if ty == Type::Dynamic {
            return Ok(element);
        }
        self.template(&format!("cast.{}", ty.name()), &[Type::Dynamic], vec![element], span)
    }
}
