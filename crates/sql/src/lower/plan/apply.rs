//! Bodies on the rows of a sub-table: `mv-apply` as a lateral join, `partition` by windows and group keys.

use super::refuse_operator;
use crate::build;
use crate::lower::block::{Block, Keep, Origin, Out, Relation, SourceColumn};
use crate::lower::outs::Outs;
use crate::lower::walk::Uses;
use crate::lower::{Frame, Lowerer, Result};
use ruleferry_ir::{Apply, ColId, ExpandKind, Op, Plan};
use smol_str::SmolStr;
use sqlparser::ast::{self, Join, JoinConstraint, JoinOperator};

impl Lowerer<'_> {
    pub(super) fn apply(&mut self, plan: &Plan, input: Block, a: &Apply) -> Result<Block> {
        if !self.dialect().can(ruleferry_targets::Capability::Lateral) {
            return Err(refuse_operator(plan.span, "`mv-apply`"));
        }
        let uses = Uses::of(a.items.iter().map(|i| &i.expr));
        let mut input = self.fit(input, &uses, Keep::All)?;
        input.forget_order();
        let outer = self.close(input)?;
        let o = self.fresh_alias("o", &outer);
        // The elements: `SELECT unnest(…) AS x` over the outer row.
        let mut rows = Block::default();
        rows.add_source(Some(o.clone()), outer.columns.clone(), outer.open);
        let scope = rows.scope(self, Keep::All, &uses);
        let mut lists = Vec::with_capacity(a.items.len());
        for item in &a.items {
            lists.push(self.elements(item, ExpandKind::Bag, a.limit.as_ref(), &scope)?);
        }
        let mut projection = Vec::new();
        let mut columns: Vec<SourceColumn> = Vec::new();
        if let Some(index) = a.index {
            let name = SmolStr::new(self.query.columns.name(index));
            projection.push(build::item(self.item_index(&lists), &name));
            columns.push(SourceColumn { id: Some(index), name, present: true });
        }
        for (item, list) in a.items.iter().zip(&lists) {
            let element = build::call("unnest", vec![list.clone()]);
            let element = self.element_as(element, item, item.expr.span)?;
            let name = SmolStr::new(self.query.columns.name(item.id));
            projection.push(build::item(element, &name));
            columns.push(SourceColumn { id: Some(item.id), name, present: false });
        }
        let elements = build::select_query(ast::Select { projection, ..build::empty_select() });
        let relation = Relation {
            factor: build::aliased(build::derived(elements, false), "element", &[]),
            columns,
            open: false,
            order: Vec::new(),
            around: Vec::new(),
        };
        let mut around: Vec<Out> =
            rows.outs.iter().map(|out| Out { origin: Origin::Outer, ..out.clone() }).collect();
        // A body inside of a body sees the rows around both.
        let inherited = outer.around.clone();
        around.extend(inherited.iter().cloned());
        let frame = self.row.replace(Frame { relation, around });
        self.lateral += 1;
        let body = self.body(a);
        self.lateral -= 1;
        self.row = frame;
        let (query, body_columns, guarded) = body?;
        let b = self.fresh_alias("a", &outer);
        let mut from = build::from(build::aliased(outer.factor, &o, &[]));
        from.joins.push(Join {
            relation: build::aliased(build::derived(query, true), &b, &[]),
            global: false,
            join_operator: JoinOperator::CrossJoin(JoinConstraint::None),
        });
        let mut block = Block { hint: "applied", ..Block::default() };
        block.from.push(from);
        block.add_source(Some(o), outer.columns, outer.open);
        block.add_source(Some(b), body_columns, false);
        block.outs.extend(inherited);
        let mut outs = Outs::default();
        for id in plan.output.iter() {
            let Some(old) = block.out(*id) else { return Err(super::refuse_column(plan.span)) };
            let name = Block::name_for(&outs, self.query.columns.name(*id), None);
            outs.push(Out { name, ..old.clone() });
        }
        block.outs = outs;
        if !guarded && makes_a_row_of_none(&a.body) {
            let longest = match lists.as_slice() {
                [one] => build::call("len", vec![one.clone()]),
                several => build::call(
                    "greatest",
                    several.iter().map(|l| build::call("len", vec![l.clone()])).collect(),
                ),
            };
            block.filters.push(build::binary(longest, ast::BinaryOperator::Gt, build::integer(0)));
        }
        Ok(block)
    }

    /// The sub-select of the body: the columns that it does not take over from the row around it. Says whether it gives no row
    /// where there are no elements.
    fn body(&mut self, a: &Apply) -> Result<(ast::Query, Vec<SourceColumn>, bool)> {
        let mut block = self.block(&a.body)?;
        block.outs.retain(|o| o.origin != Origin::Outer && a.body.output.contains(&o.id));
        let guarded = block
            .group_by
            .as_ref()
            .is_some_and(|g| matches!(g, ast::GroupByExpr::Expressions(e, _) if e.is_empty()));
        if guarded {
            // A group of no elements gives no row.
            block.having.push(build::binary(
                build::call(
                    "count",
                    vec![ast::Expr::Wildcard(ast::helpers::attached_token::AttachedToken::empty())],
                ),
                ast::BinaryOperator::Gt,
                build::integer(0),
            ));
        }
        let columns: Vec<SourceColumn> = block
            .outs
            .iter()
            .map(|o| SourceColumn { id: Some(o.id), name: o.name.clone(), present: o.present })
            .collect();
        let query = self.finish(block, true)?;
        Ok((query, columns, guarded))
    }

    /// The rows that a body works on.
    pub(super) fn rows(&mut self, plan: &Plan) -> Result<Block> {
        if let Some(block) = self.rows_block.take() {
            return Ok(block);
        }
        let Some(frame) = &self.row else {
            return Err(refuse_operator(plan.span, "a body outside of its operator"));
        };
        let mut block = Block::over(frame.relation.clone());
        // An expanded column takes the place (and name) of the one that it came from.
        for out in &frame.around {
            if plan.output.contains(&out.id) {
                block.outs.push(out.clone());
            }
        }
        Ok(block)
    }

    pub(super) fn partition(&mut self, plan: &Plan, input: Block, key: ColId, body: &Plan) -> Result<Block> {
        let mut block = if input.is_open() { input } else { self.reopen(input)? };
        if block.out(key).is_none_or(|o| matches!(o.origin, Origin::Computed { .. })) {
            block = self.reopen(block)?;
        }
        if !block.partition().is_empty() {
            return Err(refuse_operator(plan.span, "`partition` inside of `partition`"));
        }
        block.set_partition(vec![key]);
        let outer = self.rows_block.replace(block);
        let result = self.block(body);
        self.rows_block = outer;
        let mut block = result?;
        block.set_partition(Vec::new());
        // Group keys that the body does not show.
        block.outs.retain(|o| plan.output.contains(&o.id) || body.output.contains(&o.id));
        for (to, from) in plan.output.iter().zip(body.output.iter()) {
            block.outs.set_id(*from, *to);
        }
        Ok(block)
    }

    /// A short alias that no column of the relation has.
    fn fresh_alias(&mut self, base: &str, relation: &Relation) -> SmolStr {
        loop {
            let name = self.fresh(base);
            if !relation.columns.iter().any(|c| c.name.eq_ignore_ascii_case(&name)) {
                return name;
            }
        }
    }
}

/// An aggregation without keys gives a row even for no input.
fn makes_a_row_of_none(body: &Plan) -> bool {
    let mut found = false;
    crate::lower::walk::visit(
        body,
        &mut |p| found |= matches!(&*p.op, Op::Aggregate(a) if a.keys.is_empty()),
        &mut |_| {},
    );
    found
}
