//! `summarize`: GROUP BY, and the row choices (`arg_max`, `take_any`) as a window or as aggregates of a struct.

use super::{MAX_LIST, fill_string, refuse_column, refuse_operator};
use crate::build;
use crate::lower::block::{Block, Keep, Origin, Out, Relation};
use crate::lower::outs::{ColSet, Outs};
use crate::lower::walk::{self, Uses};
use crate::lower::{Lowerer, Result, Scope};
use ruleferry_ir::functions::{FunctionKind, find};
use ruleferry_ir::{Aggregate, AggregateCall, AggregateItem, ColId, Expr, Item, Plan, Type};
use ruleferry_targets::Capability;
use ruleferry_targets::sql::{self, Nulls};
use smol_str::SmolStr;
use sqlparser::ast::{
    self, BinaryOperator, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments,
    GroupByExpr, OrderByExpr,
};

/// A helper column that holds the row an `arg_max` chose, and the columns to take out of it.
struct Chosen {
    helper: SmolStr,
    columns: Vec<(ColId, SmolStr)>,
}

/// No column of the plan.
const HELPER: ColId = ColId(u32::MAX);

impl Lowerer<'_> {
    pub(super) fn aggregation(&mut self, plan: &Plan, input: Block, a: &Aggregate) -> Result<Block> {
        let mut input = input;
        let partition = input.partition().to_vec();
        let keys = self.all_keys(a, &partition);
        let block = match a.aggregates.as_slice() {
            [only] if is_choice(only) && self.choice_fits(only) => {
                input = self.fit_aggregate(input, &keys, &a.aggregates)?;
                self.choose_row(input, &keys, only, &a.input)?
            }
            [] => {
                let items: Vec<Item> = keys.clone();
                let block = self.project(input, &items)?;
                self.distinct(block)?
            }
            _ => self.group(input, &keys, &a.aggregates, &a.input)?,
        };
        let mut block = block;
        block.order.clear();
        block.set_partition(partition);
        super::sort_outs(&mut block, &plan.output);
        Ok(block)
    }

    /// Inside of `partition by`, its key is a group key, too.
    fn all_keys(&self, a: &Aggregate, partition: &[ColId]) -> Vec<Item> {
        let mut keys = a.keys.clone();
        for id in partition {
            if !keys.iter().any(|k| k.ids == [*id]) {
                keys.push(Item {
                    ids: vec![*id],
                    expr: Expr::column(*id, self.ty(*id), a.input.span),
                    named: true,
                });
            }
        }
        keys
    }

    fn fit_aggregate(&mut self, block: Block, keys: &[Item], aggregates: &[AggregateItem]) -> Result<Block> {
        let kept = passed_on(keys);
        let key_uses =
            Uses::of(keys.iter().filter(|k| !k.ids.iter().any(|i| kept.contains(*i))).map(|k| &k.expr));
        let mut args = Vec::new();
        aggregates.iter().for_each(|a| walk::aggregate_args(a, &mut args));
        let arg_uses = Uses::of(args);
        // A group key that is computed may stand in the SELECT list; an aggregate cannot name it.
        let none = ColSet::default();
        let args_fit = block.inlines(&arg_uses, Keep::Only(&none));
        let volatile_key = block.outs.iter().any(|o| {
            kept.contains(o.id)
                && matches!(
                    o.origin,
                    Origin::Computed { fixed: true, .. } | Origin::Computed { volatile: true, .. }
                )
        });
        let aliased_key = block.outs.iter().any(|o| kept.contains(o.id) && !o.aliases.is_empty());
        if args_fit
            && !volatile_key
            && !block.order_is_fixed()
            && !aliased_key
            && block.fits(self, &key_uses, Keep::Only(&kept))
        {
            Ok(block)
        } else {
            self.reopen(block)
        }
    }

    /// The columns of the group keys. A missing string and the empty one are the same group.
    fn key_columns(&mut self, block: &Block, keys: &[Item]) -> Result<Outs> {
        let none = ColSet::default();
        let mut outs = Outs::with_capacity(keys.len());
        for key in keys {
            let Some(&id) = key.ids.first() else { continue };
            let name = Block::name_for(&outs, self.query.columns.name(id), None);
            let out = match key.expr.as_column().and_then(|c| block.out(c)) {
                Some(old) => Out { id, name, ..old.clone() },
                None => self.computed(block, id, name, &key.expr, Keep::Only(&none))?,
            };
            outs.push(if self.maybe_missing(&out) { fill_string(&out) } else { out });
        }
        Ok(outs)
    }

    fn group(
        &mut self,
        block: Block,
        keys: &[Item],
        aggregates: &[AggregateItem],
        input: &Plan,
    ) -> Result<Block> {
        let block = self.fit_aggregate(block, keys, aggregates)?;
        let none = ColSet::default();
        let mut scope = block.scope(self, Keep::Only(&none), &uses_of(keys, aggregates, input));
        scope.order = block.window_order(self, &scope)?;
        let mut outs = self.key_columns(&block, keys)?;
        scope.grouped = !outs.is_empty();
        outs.reserve(aggregates.iter().map(|a| a.ids.len()).sum());
        let plain = outs.iter().all(|o| matches!(o.origin, Origin::Source(..)));
        let group_by = match (outs.is_empty(), plain) {
            (true, _) => GroupByExpr::Expressions(Vec::new(), Vec::new()),
            (false, true) => {
                GroupByExpr::Expressions(outs.iter().map(|o| o.expr.get()).collect(), Vec::new())
            }
            (false, false) if self.dialect().generic => GroupByExpr::All(Vec::new()),
            (false, false) => {
                // A constant would be the place of a column.
                let keys = outs.iter().map(|o| o.expr.get()).filter(|e| !build::is_constant(e));
                GroupByExpr::Expressions(keys.collect(), Vec::new())
            }
        };
        let constant = |o: &Out| !block.reads_columns(&o.expr);
        let constant_keys = !outs.is_empty() && outs.iter().all(constant);
        let mut chosen = Vec::new();
        for item in aggregates {
            self.aggregate_columns(&block, item, &scope, &mut outs, &mut chosen, keys, input)?;
        }
        let mut block = block;
        block.group_keys = keys.iter().filter_map(|k| k.ids.first().copied()).collect();
        block.outs = outs;
        block.group_by = Some(group_by);
        if constant_keys {
            // By keys that are the same in every row the engine groups as by none: one row, even of no input.
            block.having.push(build::binary(count_rows(), BinaryOperator::Gt, build::integer(0)));
        }
        block.explicit = true;
        block.hint = "grouped";
        if chosen.is_empty() { Ok(block) } else { self.unpack(block, &chosen) }
    }

    /// The columns of one aggregate.
    #[expect(clippy::too_many_arguments, reason = "one loop body")]
    fn aggregate_columns(
        &mut self,
        block: &Block,
        item: &AggregateItem,
        scope: &Scope,
        outs: &mut Outs,
        chosen: &mut Vec<Chosen>,
        keys: &[Item],
        input: &Plan,
    ) -> Result<()> {
        match &item.call {
            AggregateCall::Function(..) | AggregateCall::Composed { .. } => {
                for (i, id) in item.ids.iter().enumerate() {
                    let sql = self.aggregate_value(item, i, scope)?;
                    let present = self.ty(*id) == Type::Dynamic || self.always_has_value(item);
                    self.push_computed(outs, *id, sql, present);
                }
                Ok(())
            }
            AggregateCall::ArgExtreme { max, by, returned, star } => {
                let by_sql = self.choice_key(by, scope)?;
                let Some((first, rest)) = item.ids.split_first() else { return Ok(()) };
                let name = if *max { "max" } else { "min" };
                let mut extreme = build::call(name, vec![by_sql.clone()]);
                if self.may_be_nan(by) {
                    // Of nothing but NaN.
                    let all = self.expr(by, scope)?;
                    extreme = build::call("coalesce", vec![extreme, build::call(name, vec![all])]);
                }
                self.push_computed(outs, *first, extreme, false);
                let returned = self.returned(block, returned, *star, rest.len(), keys, Some(by), input)?;
                let name = if *max { "arg_max_null" } else { "arg_min_null" };
                let missing = by.ty != Type::String && (self.nullable(by, scope) || self.may_be_nan(by));
                let by_sql = if missing { or_any(by_sql, *max) } else { by_sql };
                let aggregate = |value: ast::Expr| build::call(name, vec![value, by_sql.clone()]);
                self.choose_columns(rest, &returned, scope, outs, chosen, &aggregate)
            }
            AggregateCall::TakeAny { returned, star, condition } => {
                let filter = match condition {
                    Some(c) => Some(self.predicate(c, scope)?),
                    None => None,
                };
                let returned = self.returned(block, returned, *star, item.ids.len(), keys, None, input)?;
                let aggregate = |value: ast::Expr| {
                    let mut f = build::function("any_value", vec![value]);
                    f.filter = filter.clone().map(Box::new);
                    ast::Expr::Function(f)
                };
                self.choose_columns(&item.ids, &returned, scope, outs, chosen, &aggregate)
            }
        }
    }

    /// A mean that must be NaN of no values.
    fn is_mean(&self, id: ColId) -> bool {
        self.ty(id) == Type::Real && !self.nans.is_unseen(id)
    }

    /// Counts and sums are 0 of no values, means NaN.
    fn always_has_value(&self, item: &AggregateItem) -> bool {
        let AggregateCall::Function(def, args) = &item.call else { return false };
        if matches!(def.name, "avg" | "avgif") {
            return self.dialect().can(Capability::NotANumber) && item.ids.iter().all(|id| self.is_mean(*id));
        }
        let types: Vec<Type> = args.iter().map(|a| a.ty).collect();
        let template = sql::select(sql::aggregates(self.dialect().name, def.name), &types);
        template.is_some_and(|t| t.nulls == Nulls::Never)
    }

    fn push_computed(&self, outs: &mut Outs, id: ColId, expr: ast::Expr, present: bool) {
        let name = Block::name_for(outs, self.query.columns.name(id), None);
        outs.push(Out {
            id,
            name,
            expr: expr.into(),
            origin: Origin::Computed { fixed: false, volatile: false, depth: 0 },
            present,
            aliases: Vec::new(),
        });
    }

    /// Several columns of one row travel together in a struct.
    fn choose_columns(
        &mut self,
        ids: &[ColId],
        returned: &[Expr],
        scope: &Scope,
        outs: &mut Outs,
        chosen: &mut Vec<Chosen>,
        aggregate: &dyn Fn(ast::Expr) -> ast::Expr,
    ) -> Result<()> {
        if let ([id], [value]) = (ids, returned) {
            let value = self.expr(value, scope)?;
            self.push_computed(outs, *id, aggregate(value), false);
            return Ok(());
        }
        if ids.is_empty() {
            return Ok(());
        }
        if !self.dialect().generic {
            let span = returned.first().map_or_else(Default::default, |e| e.span);
            return Err(refuse_operator(span, "a choice of several columns beside other aggregates"));
        }
        let mut fields = Vec::new();
        let mut columns: Vec<(ColId, SmolStr)> = Vec::new();
        for (id, value) in ids.iter().zip(returned) {
            let sql = self.expr(value, scope)?;
            let wanted = self.query.columns.name(*id);
            let mut name = SmolStr::new(wanted);
            while columns.iter().any(|(_, n)| n.eq_ignore_ascii_case(&name)) {
                name = SmolStr::new(format!("{name}_"));
            }
            fields.push(ast::DictionaryField { key: build::string_ident(&name), value: Box::new(sql) });
            columns.push((*id, name));
        }
        let helper = Block::name_for(outs, "chosen", None);
        outs.push(Out {
            id: HELPER,
            name: helper.clone(),
            expr: aggregate(ast::Expr::Dictionary(fields)).into(),
            origin: Origin::Computed { fixed: true, volatile: false, depth: 0 },
            present: true,
            aliases: Vec::new(),
        });
        chosen.push(Chosen { helper, columns });
        Ok(())
    }

    /// Takes the columns out of the chosen structs, in a block above.
    fn unpack(&mut self, block: Block, chosen: &[Chosen]) -> Result<Block> {
        let mut relation = self.close(block)?;
        for column in &mut relation.columns {
            if chosen.iter().any(|c| c.helper == column.name) {
                column.id = None;
            }
        }
        let mut block = Block::over(relation);
        for one in chosen {
            for (id, field) in &one.columns {
                let value = build::qualified(&one.helper, field);
                let name = Block::name_for(&block.outs, self.query.columns.name(*id), None);
                block.outs.push(Out {
                    id: *id,
                    name,
                    expr: value.into(),
                    origin: Origin::Computed { fixed: false, volatile: false, depth: 0 },
                    present: false,
                    aliases: Vec::new(),
                });
            }
        }
        Ok(block)
    }

    /// The expressions that a choice returns: written, or all columns that are neither key nor the ordering one.
    #[expect(clippy::too_many_arguments, reason = "the facts that `*` depends on")]
    fn returned(
        &self,
        block: &Block,
        written: &[Expr],
        star: bool,
        count: usize,
        keys: &[Item],
        by: Option<&Expr>,
        input: &Plan,
    ) -> Result<Vec<Expr>> {
        if !star || written.len() == count {
            return Ok(written.to_vec());
        }
        let keys = passed_on(keys);
        let by = by.and_then(Expr::as_column);
        let rest: Vec<Expr> = input
            .output
            .iter()
            .filter(|id| !keys.contains(**id) && Some(**id) != by && block.out(**id).is_some())
            .map(|id| Expr::column(*id, self.ty(*id), input.span))
            .collect();
        if rest.len() == count { Ok(rest) } else { Err(refuse_column(input.span)) }
    }

    /// The SQL of column `index` of an aggregate.
    pub(super) fn aggregate_value(
        &mut self,
        item: &AggregateItem,
        index: usize,
        scope: &Scope,
    ) -> Result<ast::Expr> {
        match &item.call {
            AggregateCall::Function(def, args) => {
                let span = args.first().map_or_else(Default::default, |a| a.span);
                let single: Vec<Expr>;
                let (def, args) = match (def.name, args.split_first()) {
                    // One column for each percentage.
                    ("percentiles", Some((value, percentages))) if item.ids.len() > 1 => {
                        let Some(p) = percentages.get(index) else { return Err(refuse_column(span)) };
                        single = vec![value.clone(), p.clone()];
                        (find("percentile", FunctionKind::Aggregate).unwrap_or(def), &single)
                    }
                    _ if item.ids.len() > 1 => return Err(refuse_operator(span, &format!("`{}`", def.name))),
                    _ => (*def, args),
                };
                let mut sql = self.aggregate(def, args, span, scope)?;
                if let ("avg" | "avgif", Some(id)) = (def.name, item.ids.get(index))
                    && self.is_mean(*id)
                {
                    sql = self.mean(sql, args, def.name == "avgif", scope);
                }
                if !scope.order.is_empty() {
                    if LISTS.contains(&def.name) && !self.dialect().can(Capability::OrderedAggregate) {
                        return Err(refuse_operator(span, "a list of sorted rows"));
                    }
                    order_lists(&mut sql, &scope.order);
                }
                Ok(sql)
            }
            AggregateCall::Composed { parts, expr } => {
                let mut inner = scope.clone();
                for part in parts {
                    for (i, id) in part.ids.iter().enumerate() {
                        let sql = match &part.call {
                            AggregateCall::Function(..) | AggregateCall::Composed { .. } => {
                                self.aggregate_value(part, i, scope)?
                            }
                            AggregateCall::ArgExtreme { .. } | AggregateCall::TakeAny { .. } => {
                                self.part_choice(part, i, scope)?
                            }
                        };
                        inner.define(*id, sql);
                    }
                }
                self.expr(expr, &inner)
            }
            AggregateCall::ArgExtreme { by, .. } => Err(refuse_operator(by.span, "`arg_max` in this place")),
            AggregateCall::TakeAny { .. } => self.part_choice(item, index, scope),
        }
    }

    /// `take_any(x)` and `arg_max(x, y)` inside of an expression.
    fn part_choice(&mut self, item: &AggregateItem, index: usize, scope: &Scope) -> Result<ast::Expr> {
        match &item.call {
            AggregateCall::TakeAny { returned, condition, star: false } => {
                let Some(value) = returned.get(index) else {
                    return Err(refuse_operator(Default::default(), "`take_any`"));
                };
                let mut f = build::function("any_value", vec![self.expr(value, scope)?]);
                if let Some(c) = condition {
                    f.filter = Some(Box::new(self.predicate(c, scope)?));
                }
                Ok(ast::Expr::Function(f))
            }
            AggregateCall::ArgExtreme { max, by, returned, star: false } => {
                let by_sql = self.choice_key(by, scope)?;
                match index.checked_sub(1).and_then(|i| returned.get(i)) {
                    None => Ok(build::call(if *max { "max" } else { "min" }, vec![by_sql])),
                    Some(value) => {
                        let value = self.expr(value, scope)?;
                        let missing =
                            by.ty != Type::String && (self.nullable(by, scope) || self.may_be_nan(by));
                        let by_sql = if missing { or_any(by_sql, *max) } else { by_sql };
                        Ok(build::call(
                            if *max { "arg_max_null" } else { "arg_min_null" },
                            vec![value, by_sql],
                        ))
                    }
                }
            }
            AggregateCall::TakeAny { .. }
            | AggregateCall::ArgExtreme { .. }
            | AggregateCall::Function(..)
            | AggregateCall::Composed { .. } => {
                Err(refuse_operator(Default::default(), "a choice of all columns inside of an expression"))
            }
        }
    }

    /// A choice that a window can say: it is worth it for several columns.
    fn choice_fits(&self, item: &AggregateItem) -> bool {
        match &item.call {
            AggregateCall::ArgExtreme { returned, star, .. } => *star || !returned.is_empty(),
            AggregateCall::TakeAny { condition, star, returned } => {
                condition.is_none() && (*star || returned.len() > 1)
            }
            AggregateCall::Function(..) | AggregateCall::Composed { .. } => false,
        }
    }

    /// `arg_max` or `take_any` alone: the first row of each group by a window.
    fn choose_row(
        &mut self,
        block: Block,
        keys: &[Item],
        item: &AggregateItem,
        input: &Plan,
    ) -> Result<Block> {
        let mut block = block;
        let mut scope = block.scope(
            self,
            Keep::Only(&ColSet::default()),
            // What the choice returns is taken from the row itself.
            &Uses::of(keys.iter().map(|k| &k.expr).chain(choice_args(item))),
        );
        let key_outs = self.key_columns(&block, keys)?;
        let mut outs = Outs::default();
        for (key, filled) in keys.iter().zip(&key_outs) {
            // The row's own value is shown; only the grouping takes a missing string for the empty one.
            let shown = key
                .expr
                .as_column()
                .and_then(|c| block.out(c))
                .filter(|o| matches!(o.origin, Origin::Source(..)));
            outs.push(match shown {
                Some(old) => Out { id: filled.id, name: filled.name.clone(), ..old.clone() },
                None => filled.clone(),
            });
        }
        let (by, returned, star, ids) = match &item.call {
            AggregateCall::ArgExtreme { max, by, returned, star } => {
                (Some((by, *max)), returned, *star, item.ids.as_slice())
            }
            AggregateCall::TakeAny { returned, star, .. } => (None, returned, *star, item.ids.as_slice()),
            AggregateCall::Function(..) | AggregateCall::Composed { .. } => {
                return Err(refuse_operator(input.span, "this aggregate"));
            }
        };
        let mut order = Vec::new();
        let mut rest = ids;
        if let (Some((by, max)), Some((first, tail))) = (by, ids.split_first()) {
            rest = tail;
            let out = self.row_column(&block, &outs, *first, by)?;
            let missing = self.nullable(by, &scope) || self.may_be_nan(by);
            let sql = self.choice_key(by, &scope)?;
            order.push(build::order_key(sql, max, false));
            if missing && by.ty != Type::String {
                order = build::rank_order(&order);
            }
            outs.push(out);
        }
        let returned = self.returned(&block, returned, star, rest.len(), keys, by.map(|(b, _)| b), input)?;
        for (id, value) in rest.iter().zip(&returned) {
            let out = self.row_column(&block, &outs, *id, value)?;
            outs.push(out);
        }
        scope.order.clear();
        let partition: Vec<ast::Expr> = key_outs.iter().map(|o| o.expr.get()).collect();
        let first = build::over(build::function("row_number", Vec::new()), partition, order);
        block.outs = outs;
        block.explicit = block.outs.len() <= MAX_LIST && !star || !self.dialect().star_edit;
        block.qualify = Some(Box::new(build::eq(first, build::integer(1))));
        block.hint = "latest";
        if keys.is_empty() { self.one_row(block) } else { Ok(block) }
    }

    /// What `arg_max` and `arg_min` go by: a missing string is the empty one, the lowest of all, and NaN is as good as NULL.
    fn choice_key(&mut self, by: &Expr, scope: &Scope) -> Result<ast::Expr> {
        let missing_text = by.ty == Type::String && self.nullable(by, scope);
        let sql = self.expr(by, scope)?;
        if self.may_be_nan(by) {
            return Ok(self.without_nan(sql));
        }
        Ok(if missing_text { build::coalesce(sql, build::string("")) } else { sql })
    }

    fn row_column(&mut self, block: &Block, outs: &Outs, id: ColId, expr: &Expr) -> Result<Out> {
        let none = ColSet::default();
        let name = Block::name_for(outs, self.query.columns.name(id), None);
        match expr.as_column().and_then(|c| block.out(c)) {
            Some(old) => Ok(Out { id, name, ..old.clone() }),
            None => self.computed(block, id, name, expr, Keep::Only(&none)),
        }
    }

    /// A block of at most one row, made to exactly one: without keys there is a result even for no input.
    fn one_row(&mut self, block: Block) -> Result<Block> {
        let relation: Relation = self.close(block)?;
        let one = build::aliased(
            build::derived(
                build::select_query(ast::Select {
                    projection: vec![ast::SelectItem::UnnamedExpr(build::integer(1))],
                    ..build::empty_select()
                }),
                false,
            ),
            "one_row",
            &[],
        );
        let mut block = Block { hint: "latest", ..Block::default() };
        let mut from = build::from(one);
        let name = SmolStr::new("r");
        from.joins.push(ast::Join {
            relation: build::aliased(relation.factor, &name, &[]),
            global: false,
            join_operator: ast::JoinOperator::Left(ast::JoinConstraint::On(build::boolean(true))),
        });
        block.from.push(from);
        block.add_source(Some(name), relation.columns, relation.open);
        Ok(block)
    }
}

/// What the keys and aggregates of a `summarize` read.
fn uses_of(keys: &[Item], aggregates: &[AggregateItem], input: &Plan) -> Uses {
    let mut exprs: Vec<&Expr> = keys.iter().map(|k| &k.expr).collect();
    aggregates.iter().for_each(|a| walk::aggregate_args(a, &mut exprs));
    let mut uses = Uses::of(exprs);
    if aggregates.iter().any(|a| {
        matches!(
            a.call,
            AggregateCall::ArgExtreme { star: true, .. } | AggregateCall::TakeAny { star: true, .. }
        )
    }) {
        uses.columns.extend(input.output.iter().copied());
    }
    uses
}

fn choice_args(item: &AggregateItem) -> Vec<&Expr> {
    let mut args = Vec::new();
    walk::aggregate_args(item, &mut args);
    args
}

fn is_choice(item: &AggregateItem) -> bool {
    matches!(item.call, AggregateCall::ArgExtreme { .. } | AggregateCall::TakeAny { .. })
}

/// What a row is chosen by, where it is NULL in every row: any of them, but behind all others.
fn or_any(by: ast::Expr, max: bool) -> ast::Expr {
    let place = if max { build::is_not_null(by.clone()) } else { build::is_null(by.clone()) };
    ast::Expr::Tuple(vec![place, by])
}

fn count_rows() -> ast::Expr {
    build::call("count", vec![ast::Expr::Wildcard(ast::helpers::attached_token::AttachedToken::empty())])
}

/// The keys that are columns of the input as they are.
fn passed_on(keys: &[Item]) -> ColSet {
    keys.iter().filter_map(|k| k.expr.as_column()).collect()
}

/// Aggregates that keep the order of rows.
const LISTS: [&str; 3] = ["make_list", "make_list_if", "make_list_with_nulls"];

/// `list(x)` of sorted rows keeps their order.
fn order_lists(expr: &mut ast::Expr, order: &[OrderByExpr]) {
    match expr {
        ast::Expr::Function(f) => order_function(f, order),
        ast::Expr::Nested(e) | ast::Expr::Cast { expr: e, .. } => order_lists(e, order),
        ast::Expr::BinaryOp { left, op: BinaryOperator::Arrow | BinaryOperator::LongArrow, right: _ } => {
            order_lists(left, order)
        }
        _ => {}
    }
}

fn order_function(f: &mut Function, order: &[OrderByExpr]) {
    let lists = matches!(f.name.0.as_slice(), [ast::ObjectNamePart::Identifier(i)] if matches!(i.value.as_str(), "list" | "jsonb_agg" | "json_group_array" | "array_agg"));
    let FunctionArguments::List(list) = &mut f.args else { return };
    if lists {
        if list.duplicate_treatment.is_none() && list.clauses.is_empty() {
            list.clauses.push(FunctionArgumentClause::OrderBy(order.to_vec()));
        }
        return;
    }
    for arg in &mut list.args {
        if let FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) = arg {
            order_lists(e, order);
        }
    }
}
