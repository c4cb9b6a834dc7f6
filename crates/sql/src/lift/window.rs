//! Window functions, and QUALIFY.

use super::block::Block;
use super::nulls::{Nulls, is_null, is_true};
use super::unify::{bare, function_name, same};
use super::{Lifter, Place, Result, Val};
use ruleferry_diag::Span;
use ruleferry_ir::functions::{self, FunctionKind};
use ruleferry_ir::{
    Aggregate, ArithmeticOp, Binding, BindingId, BindingValue, ColId, CompareOp, Expr, ExprKind, Item, Join,
    JoinKey, JoinKind, LimitKind, Missing, Op, Plan, SelectItem, SortKey, Type, Value,
};
use sqlparser::ast::{self, BinaryOperator};

fn long(n: i64) -> Expr {
    Expr::literal(Value::Long(n), Span::default())
}

/// Keys of two sides of a join, by which null meets null. Texts have a column of their own for that.
fn null_safe(left: Expr, right: Expr, ty: Type) -> Vec<(Expr, Expr)> {
    let blank = match ty {
        Type::Bool => Value::Bool(false),
        Type::Int | Type::Long => Value::Long(0),
        Type::Real => Value::Real(0.0),
        Type::Datetime => Value::Datetime(0),
        Type::Timespan => Value::Timespan(0),
        Type::Decimal | Type::String | Type::Guid | Type::Dynamic | Type::Unknown => {
            return vec![(left, right)];
        }
    };
    let filled = |e: &Expr| {
        let null = is_null(e.clone());
        let blank = Expr::literal(blank.clone(), Span::default()).cast(ty, true);
        Expr::new(ExprKind::Case(vec![(null, blank)], Box::new(e.clone())), ty, Span::default())
    };
    vec![(is_null(left.clone()), is_null(right.clone())), (filled(&left), filled(&right))]
}

/// Rows in the order of a window, and where its parts start.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    /// Partition and order as they are written.
    text: String,
    /// The keys of the order, as columns.
    order: Vec<ColId>,
    /// True in the first row of each part; none where all rows are one.
    start: Option<ColId>,
}

impl<'q> Lifter<'q> {
    /// `f(…) OVER (PARTITION BY … ORDER BY …)`
    pub(super) fn window(
        &mut self,
        block: &mut Block<'q>,
        f: &'q ast::Function,
        node: &'q ast::Expr,
    ) -> Result<Val> {
        let Some(ast::WindowType::WindowSpec(spec)) = &f.over else {
            return Err(self.clause(node, "a named window"));
        };
        if spec.window_name.is_some() {
            return Err(self.clause(node, "a named window"));
        }
        let name = function_name(f).unwrap_or_default();
        let ast::FunctionArguments::List(list) = &f.args else {
            return Err(self.clause(node, "this window"));
        };
        let running = spec.window_frame.as_ref().is_some_and(|frame| {
            frame.units == ast::WindowFrameUnits::Rows
                && frame.start_bound == ast::WindowFrameBound::Preceding(None)
                && matches!(frame.end_bound, Some(ast::WindowFrameBound::CurrentRow) | None)
        });
        let ranks = ["row_number", "rank", "dense_rank", "lag", "lead"].contains(&name.as_str());
        if !ranks && spec.order_by.is_empty() && spec.window_frame.is_none() {
            return self.of_part(block, f, spec, node);
        }
        if f.filter.is_some() || list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
            return Err(self.clause(node, "this window"));
        }
        let mut args = Vec::with_capacity(list.args.len());
        for arg in &list.args {
            let ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(e)) = arg else {
                return Err(self.clause(node, "this window"));
            };
            args.push(self.value(block, e)?);
        }
        match (name.as_str(), args.len(), spec.window_frame.is_some(), running) {
            ("row_number", 0, false, _) => {
                let windows = self.serialized(block, spec, node)?;
                let id = self.row_number(block, windows.start, node)?;
                Ok(Val::present(self.column(id)))
            }
            ("rank" | "dense_rank", 0, false, _) => {
                let windows = self.serialized(block, spec, node)?;
                self.ranks(block, &windows, name == "rank", node)
            }
            ("lag" | "lead", 1..=3, false, _) => self.neighbour(block, spec, name == "lag", args, node),
            ("sum", 1, true, true) => {
                let windows = self.serialized(block, spec, node)?;
                let Some(value) = args.pop() else { return Err(self.clause(node, "this window")) };
                let mut args = vec![value.e];
                args.extend(windows.start.map(|id| self.column(id)));
                let id = self.serial(block, "row_cumsum", args, node)?;
                Ok(Val::exact(self.column(id)))
            }
            _ => Err(self.clause(node, "this window")),
        }
    }

    /// A function that looks at other rows, as a column.
    fn serial(
        &mut self,
        block: &mut Block<'q>,
        called: &str,
        args: Vec<Expr>,
        node: &ast::Expr,
    ) -> Result<ColId> {
        let Some(def) = functions::find(called, FunctionKind::Scalar) else {
            return Err(self.function(node, format!("`{called}`")));
        };
        let types: Vec<Type> = args.iter().map(|a| a.ty).collect();
        let ty = def.return_type(&types);
        let call = Expr::new(ExprKind::Call(def, args), ty, self.span(node));
        let id = self.add(called, ty);
        let mut output = block.plan.output.to_vec();
        output.push(id);
        let items = vec![Item { ids: vec![id], expr: call, named: true }];
        block.wrap(output.into(), |input| Op::Serialize { input, items });
        Ok(id)
    }

    fn row_number(&mut self, block: &mut Block<'q>, start: Option<ColId>, node: &ast::Expr) -> Result<ColId> {
        let args = match start {
            None => Vec::new(),
            Some(id) => vec![long(1), self.column(id)],
        };
        self.serial(block, "row_number", args, node)
    }

    /// `rank()`, `dense_rank()`: rows that the order does not tell apart are one.
    fn ranks(
        &mut self,
        block: &mut Block<'q>,
        windows: &Windows,
        gaps: bool,
        node: &ast::Expr,
    ) -> Result<Val> {
        let mut differs: Vec<Expr> = windows.start.map(|id| self.column(id)).into_iter().collect();
        for id in &windows.order {
            differs.push(self.differs(block, *id, node)?);
        }
        let tie = self.add("start_", Type::Bool);
        block.extend(tie, Expr::or(differs, Span::default()));
        if gaps {
            let number = self.row_number(block, windows.start, node)?;
            let within = self.row_number(block, Some(tie), node)?;
            let before = Expr::arithmetic(
                ArithmeticOp::Sub,
                self.column(number),
                self.column(within),
                Type::Long,
                Span::default(),
            );
            let rank = Expr::arithmetic(ArithmeticOp::Add, before, long(1), Type::Long, Span::default());
            return Ok(Val::present(rank));
        }
        // The first row starts one, whatever is in front of it.
        let number = self.row_number(block, windows.start, node)?;
        let first =
            Expr::compare(CompareOp::Eq, self.column(number), long(1), Missing::False, Span::default());
        let starts = Expr::or(vec![first, self.column(tie)], Span::default());
        let one = ExprKind::Case(vec![(starts, long(1))], Box::new(long(0)));
        let step = self.add("step_", Type::Long);
        block.extend(step, Expr::new(one, Type::Long, Span::default()));
        let mut args = vec![self.column(step)];
        args.extend(windows.start.map(|id| self.column(id)));
        let id = self.serial(block, "row_cumsum", args, node)?;
        Ok(Val::present(self.column(id)))
    }

    /// `lag(x, n, default)`, `lead(x, n, default)`
    fn neighbour(
        &mut self,
        block: &mut Block<'q>,
        spec: &'q ast::WindowSpec,
        before: bool,
        args: Vec<Val>,
        node: &'q ast::Expr,
    ) -> Result<Val> {
        let mut args = args.into_iter();
        let (Some(value), offset, default) = (args.next(), args.next(), args.next()) else {
            return Err(self.clause(node, "this window"));
        };
        let text = value.e.ty == Type::String;
        let count = match &offset {
            None => 1,
            Some(val) => match val.e.as_literal() {
                Some(Value::Long(n)) if *n > 0 => *n,
                _ => return Err(self.clause(node, "a distance that is computed")),
            },
        };
        let ty = value.e.ty;
        let default = match default {
            None => None,
            Some(mut val) => {
                let mut same = value.clone();
                self.agree(&mut same, &mut val);
                if val.e.ty != ty {
                    val.e = val.e.cast(ty, true);
                }
                Some(val)
            }
        };
        let called = if before { "prev" } else { "next" };
        if spec.partition_by.is_empty() {
            self.serialized(block, spec, node)?;
            let nulls = if text {
                // Before the first row there is none.
                let missing = default.as_ref().is_none_or(|d| d.nulls.sql);
                if missing || value.nulls.sql { Nulls::OPEN } else { Nulls::FILLED }
            } else {
                Nulls::EXACT
            };
            let mut own = vec![value.e];
            if offset.is_some() || default.is_some() {
                own.push(long(count));
            }
            own.extend(default.map(|d| d.e));
            let id = self.serial(block, called, own, node)?;
            return Ok(Val::new(self.column(id), nulls));
        }
        if text && default.is_some() {
            return Err(self.clause(node, "a text of another row with a default"));
        }
        let there = match (text, self.is_there(&value)) {
            (false, _) | (true, Ok(None)) => None,
            (true, Ok(Some(there))) => {
                let id = self.add("known_", Type::Bool);
                block.extend(id, there);
                Some(id)
            }
            (true, Err(())) => return Err(self.null(node, "a text of another row")),
        };
        // A column, so that other rows have it.
        let value_id = match value.e.as_column() {
            Some(id) => id,
            None => self.put(block, "value_", value.clone()).id,
        };
        let windows = self.serialized(block, spec, node)?;
        let number = self.row_number(block, windows.start, node)?;
        let other = self.serial(block, called, vec![self.column(value_id), long(count)], node)?;
        let inside = if before {
            Expr::compare(CompareOp::Gt, self.column(number), long(count), Missing::False, Span::default())
        } else {
            let next = self.serial(block, called, vec![self.column(number), long(count)], node)?;
            let wanted = Expr::arithmetic(
                ArithmeticOp::Add,
                self.column(number),
                long(count),
                Type::Long,
                Span::default(),
            );
            Expr::compare(CompareOp::Eq, self.column(next), wanted, Missing::False, Span::default())
        };
        if text {
            let mut absent = vec![inside.negated(Span::default())];
            if let Some(id) = there {
                let known = self.serial(block, called, vec![self.column(id), long(count)], node)?;
                absent.push(is_true(known).negated(Span::default()));
            }
            let null = Expr::or(absent, Span::default());
            let value = super::nulls::blank_where(null.clone(), self.column(other));
            return Ok(Val::new(value, Nulls::when(Some(null))));
        }
        let outside = match default {
            Some(d) => d.e,
            None => Expr::literal(Value::Null(ty), Span::default()),
        };
        let e = ExprKind::Case(vec![(inside, self.column(other))], Box::new(outside));
        Ok(Val::exact(Expr::new(e, ty, self.span(node))))
    }

    /// Whether a column differs from the one of the row before; NULL is like NULL.
    fn differs(&mut self, block: &mut Block<'q>, id: ColId, node: &ast::Expr) -> Result<Expr> {
        let ty = self.columns.ty(id);
        let before = self.serial(block, "prev", vec![self.column(id)], node)?;
        let (now, before) = (self.column(id), self.column(before));
        let none = Span::default();
        Ok(if ty == Type::String {
            Expr::compare(CompareOp::Ne, now, before, Missing::Empty, none)
        } else {
            let same = Expr::compare(CompareOp::Eq, now.clone(), before.clone(), Missing::False, none);
            let both = Expr::and(vec![is_null(now), is_null(before)], none);
            Expr::or(vec![same, both], none).negated(none)
        })
    }

    /// Brings the rows into the order of a window.
    fn serialized(
        &mut self,
        block: &mut Block<'q>,
        spec: &'q ast::WindowSpec,
        node: &'q ast::Expr,
    ) -> Result<Windows> {
        let parts: String = spec.partition_by.iter().map(|k| format!("{k}, ")).collect();
        let order: String = spec.order_by.iter().map(|k| format!("{k}, ")).collect();
        let text = format!("{parts} BY {order}");
        if let Some(known) = block.windows.as_ref().filter(|w| w.text == text) {
            return Ok(known.clone());
        }
        let parts = self.part_keys(block, &spec.partition_by)?;
        let mut keys: Vec<SortKey> = Vec::with_capacity(parts.len());
        for id in &parts {
            keys.push(SortKey { expr: self.column(*id), descending: false, nulls_first: true });
        }
        let mut order = Vec::new();
        for key in self.order_keys(block, &spec.order_by)? {
            let id = match key.expr.as_column() {
                Some(id) => id,
                None => self.add("key_", key.expr.ty),
            };
            if key.expr.as_column().is_none() {
                block.extend(id, key.expr.clone());
            }
            order.push(id);
            keys.push(SortKey { expr: self.column(id), ..key });
        }
        if !keys.is_empty() {
            let output = block.plan.output.clone();
            block.wrap(output, |input| Op::Sort { input, keys });
        }
        let start = if parts.is_empty() {
            None
        } else {
            let mut differs = Vec::with_capacity(parts.len());
            for id in &parts {
                differs.push(self.differs(block, *id, node)?);
            }
            let id = self.add("start_", Type::Bool);
            block.extend(id, Expr::or(differs, Span::default()));
            Some(id)
        };
        let windows = Windows { text, order, start };
        block.windows = Some(windows.clone());
        Ok(windows)
    }

    /// The keys of a partition as columns; a text that may be NULL has a second one that says so.
    fn part_keys(&mut self, block: &mut Block<'q>, keys: &'q [ast::Expr]) -> Result<Vec<ColId>> {
        let mut ids: Vec<ColId> = Vec::with_capacity(keys.len());
        for key in keys {
            let val = self.value(block, key)?;
            self.key_flag(block, &val, key, &mut ids)?;
            let id = match val.e.as_column() {
                Some(id) => id,
                None => self.put(block, "key_", val).id,
            };
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    /// An aggregate over all rows of a part: computed apart and joined.
    fn of_part(
        &mut self,
        block: &mut Block<'q>,
        f: &'q ast::Function,
        spec: &'q ast::WindowSpec,
        node: &'q ast::Expr,
    ) -> Result<Val> {
        let parts = self.part_keys(block, &spec.partition_by)?;
        // The same rows under other ids.
        let binding = BindingId(u32::try_from(self.bindings.len()).unwrap_or(u32::MAX));
        let before = block.plan.output.to_vec();
        let mut after = Vec::with_capacity(before.len());
        for id in &before {
            let (name, ty) = (smol_str::SmolStr::new(self.columns.name(*id)), self.columns.ty(*id));
            after.push(self.add(&name, ty));
        }
        self.bindings.push(Binding {
            name: smol_str::SmolStr::new(format!("rows_{}", binding.0)),
            value: BindingValue::Table { plan: block.plan.clone(), materialized: false },
            span: Span::default(),
        });
        let renew = |id: ColId| {
            before.iter().position(|b| *b == id).and_then(|at| after.get(at)).copied().unwrap_or(id)
        };
        let plan = Plan::new(Op::Ref(binding), after.clone(), Span::default());
        let sources = block.sources.iter().map(|s| super::block::Source {
            cols: s.cols.iter().map(|c| super::from::renewed(c, &renew)).collect(),
            open: None,
            ..s.clone()
        });
        let mut inner = Block::new(plan, sources.collect());
        let (known, keyed) = (std::mem::take(&mut self.known), std::mem::take(&mut self.keyed));
        let had_rows = std::mem::replace(&mut self.groups_have_rows, true);
        let mut calls = Vec::new();
        let name = function_name(f).unwrap_or_default();
        let found = self.collected(&mut inner, node, &name, &mut calls);
        (self.known, self.keyed, self.groups_have_rows) = (known, keyed, had_rows);
        let Some(val) = found? else { return Err(self.clause(node, "this window")) };
        let mut keys = Vec::with_capacity(parts.len());
        let mut on = Vec::with_capacity(parts.len());
        let mut output = Vec::new();
        for id in &parts {
            let ty = self.columns.ty(*id);
            let mine = self.column(*id);
            let theirs = self.column(renew(*id));
            for (l, r) in null_safe(mine, theirs, ty) {
                let ty = l.ty;
                let (left, right) = (self.add("key_", ty), self.add("key_", ty));
                block.extend(left, l);
                keys.push(Item { ids: vec![right], expr: r, named: true });
                output.push(right);
                on.push(JoinKey { left, right });
            }
        }
        output.extend(calls.iter().flat_map(|c| c.ids.iter().copied()));
        let aggregate = Aggregate { input: inner.plan, keys, aggregates: calls };
        let right = Plan::new(Op::Aggregate(aggregate), output.clone(), Span::default());
        let right_output = output.iter().map(|id| SelectItem { from: *id, to: *id }).collect();
        let mut all = block.plan.output.to_vec();
        all.extend(output);
        block.wrap(all.into(), |left| {
            Op::Join(Join {
                kind: JoinKind::Inner,
                lookup: false,
                explicit: true,
                left,
                right,
                on,
                right_output,
                hints: Vec::new(),
            })
        });
        block.windows = None;
        block.unique = None;
        Ok(val)
    }

    /// The keys of an order; `x IS NULL, x` is `x` with its nulls last.
    fn order_keys(&mut self, block: &mut Block<'q>, order: &'q [ast::OrderByExpr]) -> Result<Vec<SortKey>> {
        let order = match order {
            [first, second]
                if matches!(bare(&first.expr), ast::Expr::IsNull(inner) if same(inner, &second.expr))
                    && first.options.sort.is_none()
                    && second.options.nulls_first != Some(true) =>
            {
                std::slice::from_ref(second)
            }
            order => order,
        };
        let mut keys = Vec::with_capacity(order.len());
        for key in order {
            let val = self.value(block, &key.expr)?;
            self.sort_keys(val, key, true, &mut keys)?;
        }
        Ok(keys)
    }

    /// `QUALIFY row_number() OVER (PARTITION BY … ORDER BY …) = 1`: the first row of each group.
    pub(super) fn qualify(&mut self, block: &mut Block<'q>, test: &'q ast::Expr) -> Result<()> {
        let ast::Expr::BinaryOp { left, op, right } = bare(test) else {
            return self.qualify_test(block, test);
        };
        let ast::Expr::Function(f) = bare(left) else { return self.qualify_test(block, test) };
        let Some(ast::WindowType::WindowSpec(spec)) = &f.over else { return self.qualify_test(block, test) };
        let count = match bare(right) {
            ast::Expr::Value(v) => match &v.value {
                ast::Value::Number(n, _) => n.parse::<i64>().ok(),
                _ => None,
            },
            _ => None,
        };
        let first = matches!(op, BinaryOperator::Eq | BinaryOperator::LtEq) && count == Some(1);
        let ranks = function_name(f).as_deref() == Some("row_number")
            && spec.window_name.is_none()
            && spec.window_frame.is_none();
        let (true, Some(count)) = (ranks && (first || *op == BinaryOperator::LtEq), count) else {
            return self.qualify_test(block, test);
        };
        let mut keys: Vec<ColId> = Vec::new();
        for key in &spec.partition_by {
            let val = self.value(block, key)?;
            self.key_flag(block, &val, key, &mut keys)?;
            let id = match val.e.as_column() {
                Some(id) => id,
                None => self.put(block, "key_", val).id,
            };
            if !keys.contains(&id) {
                keys.push(id);
            }
        }
        let order = self.order_keys(block, &spec.order_by)?;
        if keys.is_empty() {
            let output = block.plan.output.clone();
            if !order.is_empty() {
                block.wrap(output.clone(), |input| Op::Sort { input, keys: order });
            }
            let count = Expr::literal(Value::Long(count), Span::default());
            block.wrap(output, |input| Op::Limit { input, count, kind: LimitKind::Take });
            return Ok(());
        }
        match order.as_slice() {
            [] if count == 1 => self.choose(block, &keys, None),
            [one] if count == 1 && !one.nulls_first => {
                let by = (one.expr.clone(), one.descending);
                self.choose(block, &keys, Some(by));
            }
            _ => self.ranked(block, &keys, order, count, test)?,
        }
        // The row's own text is shown, which may be NULL where the key is ''.
        for source in &mut block.sources {
            for col in source.cols.iter_mut().filter(|c| keys.contains(&c.id)) {
                if col.nulls.sql {
                    col.nulls = Nulls { never_empty: col.nulls.never_empty, ..Nulls::OPEN };
                }
            }
        }
        Ok(())
    }

    /// The first rows of each group.
    fn ranked(
        &mut self,
        block: &mut Block<'q>,
        keys: &[ColId],
        order: Vec<SortKey>,
        count: i64,
        node: &'q ast::Expr,
    ) -> Result<()> {
        let [key] = keys else { return self.qualify_test(block, node) };
        let output = block.plan.output.clone();
        let rows = ruleferry_ir::Plan::new(Op::Rows, output.clone(), Span::default());
        let count = Expr::literal(Value::Long(count), Span::default());
        let body = if order.is_empty() {
            Op::Limit { input: rows, count, kind: LimitKind::Take }
        } else {
            Op::Top { input: rows, count, keys: order }
        };
        let body = ruleferry_ir::Plan::new(body, output.clone(), Span::default());
        let key = *key;
        block.wrap(output, |input| Op::Partition { input, key, body });
        Ok(())
    }

    /// A test over windows: a filter above them.
    fn qualify_test(&mut self, block: &mut Block<'q>, test: &'q ast::Expr) -> Result<()> {
        let test = self.test(block, test, Place::Keep)?;
        self.note(block, &test);
        block.filter(test);
        Ok(())
    }
}
