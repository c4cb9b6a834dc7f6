//! Plugins of `evaluate` whose columns are known: `bag_unpack`, `pivot`, `ipv4_lookup`.

use super::scan::join_of;
use super::{refuse_column, refuse_operator};
use crate::build;
use crate::lower::block::{Block, Keep, Origin, Out};
use crate::lower::outs::{ColSet, Outs};
use crate::lower::walk::{self, Uses};
use crate::lower::{Lowerer, Refusal, Result};
use ruleferry_diag::codes;
use ruleferry_ir::{
    AggregateItem, ColId, Effect, Expr, JoinKind, Loss, Plan, Plugin, PluginArg, Type, Value,
};
use smol_str::SmolStr;
use sqlparser::ast::{self, GroupByExpr};

impl Lowerer<'_> {
    pub(super) fn plugin(&mut self, plan: &Plan, plugin: &Plugin, input: Option<Block>) -> Result<Block> {
        let name = plugin.function.name;
        let Some(input) = input else {
            return Err(refuse_operator(plan.span, &format!("`evaluate {name}`")));
        };
        match name {
            "bag_unpack" => self.bag_unpack(plan, plugin, input),
            "pivot" => self.pivot(plan, plugin, input),
            "ipv4_lookup" | "ipv6_lookup" => self.ip_lookup(plan, plugin, input),
            "identity" => Ok(input),
            _ => Err(refuse_operator(plan.span, &format!("`evaluate {name}`"))
                .help("write that step with other operators, or run it outside of the rule")),
        }
    }

    /// A column for each member of the bag that the query names.
    fn bag_unpack(&mut self, plan: &Plan, plugin: &Plugin, input: Block) -> Result<Block> {
        let mut args = plugin.args.iter().filter_map(|a| match a {
            PluginArg::Expr(e) => Some(e),
            PluginArg::Aggregate(_) | PluginArg::Table(_) => None,
        });
        let Some(bag) = args.next() else { return Err(refuse_column(plan.span)) };
        let prefix = args.next().and_then(|e| e.as_literal()).and_then(Value::as_str).unwrap_or("");
        let conflict = args.next().and_then(|e| e.as_literal()).and_then(Value::as_str);
        let kept = |id: &ColId| input.out(*id).is_some() && Some(*id) != bag.as_column();
        if conflict == Some("replace_source") && plan.output.iter().any(kept) {
            return Err(Refusal::new(
                codes::SQL_OPEN_COLUMNS,
                plan.span,
                "which columns `bag_unpack` replaces is known only when the query runs",
            )
            .help("give the new columns names of their own: `bag_unpack(x, \"new_\")`"));
        }
        let wanted: ColSet = plan.output.iter().copied().collect();
        let uses = Uses::of([bag]);
        let mut block = if input.is_open() { input } else { self.reopen(input)? };
        let added: Vec<ColId> = plan.output.iter().copied().filter(|id| block.out(*id).is_none()).collect();
        if plugin.open {
            if added.is_empty() {
                // The rows are the same, and the bag is still there to be looked at.
                self.lose_columns(
                    plan,
                    "the columns that `bag_unpack` makes are not shown apart: the bag is kept whole",
                );
                return Ok(block);
            }
            self.assume("of the columns that `bag_unpack` makes, those that the query names are kept");
        }
        if block.outs.among(&uses.columns).iter().any(|o| matches!(o.origin, Origin::Computed { .. })) {
            block = self.reopen(block)?;
        }
        let scope = block.scope(self, Keep::All, &uses);
        let bag_sql = self.expr(bag, &scope)?;
        for id in added {
            let column = self.query.columns.name(id);
            let member = column.strip_prefix(prefix).unwrap_or(column);
            let value = if self.dialect().generic {
                build::call("json_extract", vec![bag_sql.clone(), build::string(&json_pointer(member))])
            } else {
                let item = vec![bag_sql.clone(), build::string(member)];
                self.template("dynamic.item", &[Type::Dynamic, Type::String], item, plan.span)?
            };
            let ty = self.ty(id);
            let value = if ty == Type::Dynamic {
                value
            } else {
                self.template(&format!("cast.{}", ty.name()), &[Type::Dynamic], vec![value], plan.span)?
            };
            let at = block.outs.named(column).find(|(_, o)| !wanted.contains(o.id)).map(|(i, _)| i);
            let name = Block::name_for(&block.outs, column, at);
            block.set_out(at, computed(id, name, value));
        }
        block.outs.retain(|o| wanted.contains(o.id));
        super::sort_outs(&mut block, &plan.output);
        block.hint = "unpacked";
        Ok(block)
    }

    /// `pivot(column, aggregate, keys…)` with known columns: an aggregate with a filter for each.
    fn pivot(&mut self, plan: &Plan, plugin: &Plugin, input: Block) -> Result<Block> {
        let mut pivoted: Option<&Expr> = None;
        let mut aggregate: Option<&AggregateItem> = None;
        let mut keys: Vec<ColId> = Vec::new();
        for arg in &plugin.args {
            match arg {
                PluginArg::Expr(e) if pivoted.is_none() => pivoted = Some(e),
                PluginArg::Expr(e) => keys.extend(e.as_column()),
                PluginArg::Aggregate(a) => aggregate = Some(a),
                PluginArg::Table(_) => {}
            }
        }
        let Some(pivoted) = pivoted else { return Err(refuse_column(plan.span)) };
        let mut block = self.reopen_if_closed(input)?;
        if keys.is_empty() {
            keys = block
                .outs
                .iter()
                .map(|o| o.id)
                .filter(|id| Some(*id) != pivoted.as_column() && plan.output.contains(id))
                .collect();
        }
        let made: Vec<ColId> = plan.output.iter().copied().filter(|id| !keys.contains(id)).collect();
        if made.is_empty() {
            return Err(Refusal::new(
                codes::SQL_OPEN_COLUMNS,
                plan.span,
                "which columns `pivot` makes is known only when the query runs",
            )
            .help("say them: `evaluate pivot(x, count()) : (key: string, a: long)`"));
        }
        if block.outs.iter().any(|o| matches!(o.origin, Origin::Computed { .. })) {
            block = self.reopen(block)?;
        }
        let mut exprs = vec![pivoted];
        if let Some(item) = aggregate {
            walk::aggregate_args(item, &mut exprs);
        }
        let scope = block.scope(self, Keep::All, &Uses::of(exprs));
        let value = match aggregate {
            Some(item) => self.aggregate_value(item, 0, &scope)?,
            None => build::call(
                "count",
                vec![ast::Expr::Wildcard(ast::helpers::attached_token::AttachedToken::empty())],
            ),
        };
        let subject = self.expr(pivoted, &scope)?;
        let mut outs = Outs::default();
        for id in &keys {
            let Some(old) = block.out(*id) else { return Err(refuse_column(plan.span)) };
            outs.push(if self.maybe_missing(old) { super::fill_string(old) } else { old.clone() });
        }
        for id in made {
            let column = self.query.columns.name(id);
            let mut cell = value.clone();
            let test = build::eq(subject.clone(), build::string(column));
            if !filter_aggregate(&mut cell, test) {
                return Err(refuse_operator(plan.span, "this aggregate in `pivot`"));
            }
            let name = Block::name_for(&outs, column, None);
            outs.push(computed(id, name, cell));
        }
        block.outs = outs;
        block.group_keys.clone_from(&keys);
        block.group_by = Some(if keys.is_empty() {
            GroupByExpr::Expressions(Vec::new(), Vec::new())
        } else {
            GroupByExpr::All(Vec::new())
        });
        block.explicit = true;
        block.forget_order();
        block.hint = "pivoted";
        Ok(block)
    }

    fn lose_columns(&mut self, plan: &Plan, detail: &str) {
        self.lose(Loss {
            code: codes::COLUMN_LOST,
            effect: Effect::Cosmetic,
            detail: detail.to_owned(),
            span: plan.span,
        });
    }

    fn reopen_if_closed(&mut self, block: Block) -> Result<Block> {
        if block.is_open() { Ok(block) } else { self.reopen(block) }
    }

    /// `ipv4_lookup(table, address, range [, keys…] [, return_unmatched])`
    fn ip_lookup(&mut self, plan: &Plan, plugin: &Plugin, input: Block) -> Result<Block> {
        let mut table = None;
        let mut columns: Vec<ColId> = Vec::new();
        let mut unmatched = false;
        for arg in &plugin.args {
            match arg {
                PluginArg::Table(t) => table = Some(t),
                PluginArg::Expr(e) => match e.as_column() {
                    Some(id) => columns.push(id),
                    None => unmatched |= matches!(e.as_literal(), Some(Value::Bool(true))),
                },
                PluginArg::Aggregate(_) => {}
            }
        }
        let (Some(table), [address, range, extra @ ..]) = (table, columns.as_slice()) else {
            return Err(refuse_operator(plan.span, "this form of the lookup"));
        };
        let mut input = input;
        input.forget_order();
        let left = self.close(input)?;
        let mut right = self.block(table)?;
        right.forget_order();
        let right = self.close(right)?;
        let (l, r) = self.sides(&left, &right);
        let (Some(a), Some(b)) = (left.column(*address), right.column(*range)) else {
            return Err(refuse_column(plan.span));
        };
        let function =
            if plugin.function.name == "ipv4_lookup" { "ipv4_is_in_range" } else { "ipv6_is_in_range" };
        let inside = self.template(
            function,
            &[Type::String, Type::String],
            vec![build::qualified(&l, &a.name), build::qualified(&r, &b.name)],
            plan.span,
        )?;
        let mut tests = vec![inside];
        for id in extra {
            let name = SmolStr::new(self.query.columns.name(*id));
            let mine = left.columns.iter().find(|c| c.name == name);
            let theirs = right.columns.iter().find(|c| c.name == name);
            let (Some(mine), Some(theirs)) = (mine, theirs) else { return Err(refuse_column(plan.span)) };
            tests.push(build::eq(build::qualified(&l, &mine.name), build::qualified(&r, &theirs.name)));
        }
        let kind = if unmatched { JoinKind::LeftOuter } else { JoinKind::Inner };
        let mut block = join_of(left, &l, right, &r, kind, build::and(tests));
        let mut outs = Outs::default();
        for (i, id) in plan.output.iter().enumerate() {
            let Some(old) = block.out(*id).or_else(|| block.outs.get(i)) else {
                return Err(refuse_column(plan.span));
            };
            let name = Block::name_for(&outs, self.query.columns.name(*id), None);
            let out = Out { id: *id, name, ..old.clone() };
            let outer = unmatched && matches!(out.origin, Origin::Source(1, _));
            let out = if outer { Out { present: false, ..out } } else { out };
            outs.push(if outer && self.maybe_missing(&out) { super::fill_string(&out) } else { out });
        }
        block.outs = outs;
        block.hint = "looked_up";
        Ok(block)
    }
}

fn computed(id: ColId, name: SmolStr, expr: ast::Expr) -> Out {
    Out {
        id,
        name,
        expr: expr.into(),
        origin: Origin::Computed { fixed: false, volatile: false, depth: 0 },
        present: false,
        aliases: Vec::new(),
    }
}

/// The path of a member: `$."name"`.
fn json_pointer(name: &str) -> String {
    let mut out = String::from("$.\"");
    for c in name.chars() {
        if c == '"' || c == '\\' {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// Puts a FILTER on the aggregate, also where functions stand around it (`coalesce(sum(x), 0)`).
fn filter_aggregate(e: &mut ast::Expr, test: ast::Expr) -> bool {
    let f = match e {
        ast::Expr::Function(f) => f,
        ast::Expr::Cast { expr, .. } | ast::Expr::Nested(expr) => return filter_aggregate(expr, test),
        _ => return false,
    };
    if ["coalesce", "to_microseconds", "make_timestamp", "trunc"].iter().any(|n| build::is_named(&f.name, n))
    {
        let ast::FunctionArguments::List(list) = &mut f.args else { return false };
        return match list.args.first_mut() {
            Some(ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(inner))) => {
                filter_aggregate(inner, test)
            }
            Some(_) | None => false,
        };
    }
    if f.filter.is_some() {
        return false;
    }
    f.filter = Some(Box::new(test));
    true
}
