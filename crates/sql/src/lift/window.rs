//! Window functions, and QUALIFY.

use super::block::{Block, Windows};
use super::nulls::Nulls;
use super::unify::{bare, function_name, same};
use super::{Lifter, Place, Result, Val};
use ruleferry_diag::Span;
use ruleferry_ir::functions::{self, FunctionKind};
use ruleferry_ir::{ColId, Expr, ExprKind, Item, LimitKind, Op, SortKey, Type, Value};
use sqlparser::ast::{self, BinaryOperator};

impl<'q> Lifter<'q> {
    /// `f(…) OVER (ORDER BY …)`
    pub(super) fn window(&mut self, block: &mut Block<'q>, f: &'q ast::Function, node: &'q ast::Expr) -> Result<Val> {
        let Some(ast::WindowType::WindowSpec(spec)) = &f.over else {
            return Err(self.clause(node, "a named window"));
        };
        if !spec.partition_by.is_empty() || spec.window_name.is_some() {
            return Err(self.clause(node, "a window of a part of the rows"));
        }
        let name = function_name(f).unwrap_or_default();
        let ast::FunctionArguments::List(list) = &f.args else {
            return Err(self.clause(node, "this window"));
        };
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
        let running = spec.window_frame.as_ref().is_some_and(|frame| {
            frame.units == ast::WindowFrameUnits::Rows
                && frame.start_bound == ast::WindowFrameBound::Preceding(None)
                && frame.end_bound == Some(ast::WindowFrameBound::CurrentRow)
        });
        let called = match (name.as_str(), spec.window_frame.is_some(), running) {
            ("lag", false, _) => "prev",
            ("lead", false, _) => "next",
            ("row_number", false, _) => "row_number",
            ("sum", true, true) if args.len() == 1 => "row_cumsum",
            _ => return Err(self.clause(node, "this window")),
        };
        let Some(def) = functions::find(called, FunctionKind::Scalar) else {
            return Err(self.function(node, format!("`{name}`")));
        };
        self.serialized(block, &spec.order_by, node)?;
        let types: Vec<Type> = args.iter().map(|a| a.e.ty).collect();
        let ty = def.return_type(&types);
        let text = ty == Type::String;
        let nulls = match called {
            "row_number" => Nulls::PRESENT,
            "prev" | "next" if text => {
                // Before the first row there is none.
                let default = args.get(2).is_none_or(|d| d.nulls.sql);
                if default || args.first().is_some_and(|a| a.nulls.sql) { Nulls::OPEN } else { Nulls::FILLED }
            }
            _ => Nulls::EXACT,
        };
        let args = args.into_iter().map(|a| a.e).collect();
        let call = Expr::new(ExprKind::Call(def, args), ty, self.span(node));
        let id = self.add(called, ty);
        let mut output = block.plan.output.to_vec();
        output.push(id);
        let items = vec![Item { ids: vec![id], expr: call, named: true }];
        block.wrap(output.into(), |input| Op::Serialize { input, items });
        Ok(Val::new(self.column(id), nulls))
    }

    /// Brings the rows into the order of the windows: one for all of a SELECT.
    fn serialized(
        &mut self,
        block: &mut Block<'q>,
        order: &'q [ast::OrderByExpr],
        node: &'q ast::Expr,
    ) -> Result<()> {
        let text: String = order.iter().map(|k| format!("{k}, ")).collect();
        if let Some(known) = &block.windows {
            return if known.text == text { Ok(()) } else { Err(self.clause(node, "windows in two orders")) };
        }
        let keys = self.order_keys(block, order)?;
        if !keys.is_empty() {
            let output = block.plan.output.clone();
            block.wrap(output, |input| Op::Sort { input, keys });
        }
        block.windows = Some(Windows { text });
        Ok(())
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
            keys.push(self.sort_key(val, key, true)?);
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
            if val.e.ty == Type::String && val.nulls.sql {
                return Err(self.null(key, "a text that rows are grouped by"));
            }
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
        let [key] = keys else { return Err(self.clause(node, "ranks by several keys")) };
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
