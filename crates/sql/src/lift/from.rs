//! FROM: tables, CTEs, queries in parentheses, literal rows, joins.

use super::block::{Block, Col, Source, same_name};
use super::nulls::Nulls;
use super::test::comparable;
use super::unify::bare;
use super::{Lifter, Result, Val, name_of};
use crate::lower::Unique;
use ruleferry_diag::Span;
use ruleferry_ir::{
    self as ir, ColId, Expr, Join, JoinKey, JoinKind, Op, Plan, Range, Scan, SelectItem, TableName, Type,
    Value, Values,
};
use ruleferry_targets::schema;
use smol_str::SmolStr;
use sqlparser::ast::{self, BinaryOperator, JoinConstraint, JoinOperator, TableFactor};

impl<'q> Lifter<'q> {
    pub(super) fn from(
        &mut self,
        from: &'q [ast::TableWithJoins],
        node: &'q ast::Select,
        tests: &mut Vec<&'q ast::Expr>,
    ) -> Result<Block<'q>> {
        let mut all: Option<Block<'q>> = None;
        for item in from {
            let mut block = match all.take() {
                None => self.relation(&item.relation)?,
                Some(left) => match self.unnested(left, &item.relation, false)? {
                    Unnested::Done(block) => block,
                    Unnested::Other(left) => {
                        let right = self.relation(&item.relation)?;
                        self.crossed(left, right, tests, node)?
                    }
                },
            };
            for join in &item.joins {
                if join.global {
                    return Err(self.clause(join, "this join"));
                }
                block = self.join(block, &join.relation, &join.join_operator, join, tests)?;
            }
            all = Some(block);
        }
        Ok(all.unwrap_or_else(|| Block::new(one_row(), Vec::new())))
    }

    /// All pairs of rows; those tests of WHERE that are equalities of both sides join them.
    fn crossed(
        &mut self,
        mut left: Block<'q>,
        mut right: Block<'q>,
        tests: &mut Vec<&'q ast::Expr>,
        node: &impl sqlparser::ast::Spanned,
    ) -> Result<Block<'q>> {
        let mut on = Vec::new();
        let mut rest = Vec::with_capacity(tests.len());
        for test in tests.drain(..) {
            let joins = match bare(test) {
                ast::Expr::BinaryOp { left: a, op: BinaryOperator::Eq, right: b } => {
                    let names = names_columns(a) && names_columns(b);
                    names
                        && (self.is_of(&left, a) && self.is_of(&right, b)
                            || self.is_of(&left, b) && self.is_of(&right, a))
                }
                _ => false,
            };
            if joins {
                self.key(&mut left, &mut right, test, JoinKind::Inner, &mut on)?;
            } else {
                rest.push(test);
            }
        }
        *tests = rest;
        self.joined(left, right, JoinKind::Inner, on, node)
    }

    /// Whether an expression looks at this side alone.
    fn is_of(&self, block: &Block<'q>, e: &ast::Expr) -> bool {
        let mut mine = true;
        let _ = ast::visit_expressions(e, |e| {
            let found = match e {
                ast::Expr::Identifier(i) => self.find(block, &i.value, None, i).ok().flatten().is_some(),
                ast::Expr::CompoundIdentifier(parts) => parts.first().is_some_and(|q| {
                    block
                        .sources
                        .iter()
                        .any(|s| s.qualifier.as_deref().is_some_and(|own| same_name(own, &q.value)))
                }),
                _ => true,
            };
            mine &= found;
            std::ops::ControlFlow::<()>::Continue(())
        });
        mine
    }

    /// Elements of a list as rows beside those of the tables before: `UNNEST(t.list) AS u(x)`.
    fn unnested(
        &mut self,
        mut left: Block<'q>,
        factor: &'q TableFactor,
        outer: bool,
    ) -> Result<Unnested<'q>> {
        let (list, alias, index) = match factor {
            TableFactor::UNNEST { array_exprs, alias, with_offset, with_offset_alias, with_ordinality } => {
                let [list] = array_exprs.as_slice() else {
                    return Err(self.clause(factor, "lists that are expanded side by side"));
                };
                let index = match (with_ordinality, with_offset) {
                    (true, _) => Some((true, None)),
                    (_, true) => Some((false, with_offset_alias.clone())),
                    _ => None,
                };
                (list, alias, index)
            }
            TableFactor::Table { name, args: Some(args), alias, with_ordinality, sample: None, .. }
                if ["unnest", "explode"].contains(&name_of(name).to_lowercase().as_str()) =>
            {
                match args.args.as_slice() {
                    [ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(list))] => {
                        (list, alias, with_ordinality.then_some((true, None)))
                    }
                    _ => return Err(self.clause(factor, "lists that are expanded side by side")),
                }
            }
            TableFactor::Function { name, args, alias, with_ordinality: false, .. } => {
                let known = ["unnest", "explode", "json_array_elements_text", "jsonb_array_elements_text"];
                let name = name_of(name).to_lowercase();
                match args.as_slice() {
                    [ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(list))]
                        if known.contains(&name.as_str()) =>
                    {
                        (list, alias, None)
                    }
                    _ => return Err(self.clause(factor, "this table function")),
                }
            }
            _ => return Ok(Unnested::Other(left)),
        };
        let mut val = self.value(&mut left, list)?;
        self.settle(&mut val, Type::Dynamic);
        if val.e.ty != Type::Dynamic {
            return Err(self.types(factor, format!("a list that is `{}`", val.e.ty)));
        }
        // Of a list without elements the IR makes a row with null.
        let Some(length) = ir::functions::find("array_length", ir::functions::FunctionKind::Scalar) else {
            return Err(self.clause(factor, "a list"));
        };
        if outer {
            return Err(self.clause(factor, "an outer join with the elements of a list"));
        }
        let count = Expr::new(ir::ExprKind::Call(length, vec![val.e.clone()]), Type::Long, Span::default());
        let zero = Expr::literal(Value::Long(0), Span::default());
        left.filter(Expr::compare(ir::CompareOp::Gt, count, zero, ir::Missing::False, Span::default()));
        let own = alias.as_ref().map(|a| SmolStr::new(&a.name.value));
        let columns = alias.as_ref().map(|a| a.columns.as_slice()).unwrap_or_default();
        let name = columns.first().map(|c| SmolStr::new(&c.name.value)).or_else(|| own.clone());
        let name = name.unwrap_or_else(|| SmolStr::new_static("unnest"));
        let item = self.add(&name, Type::Dynamic);
        let mut output = left.plan.output.to_vec();
        let place = index.is_some().then(|| self.add("index_", Type::Long));
        output.extend(place);
        output.push(item);
        let items = vec![ir::ExpandItem { id: item, expr: val.e, to: None, named: true }];
        left.wrap(output.into(), |input| {
            Op::Expand(ir::Expand { input, items, kind: ir::ExpandKind::Bag, index: place, limit: None })
        });
        // Lists hold texts, unless JSON is asked of their elements.
        self.assume("the elements of a list that is expanded are texts or numbers, not lists or objects");
        let element = self.column(item);
        let null = super::nulls::is_null(element.clone());
        let text = Val::new(element.cast(Type::String, false), Nulls::when(Some(null)));
        let key = std::ptr::from_ref(factor).addr();
        let mut cols = vec![self.put_known(&mut left, &name, text, key)];
        if let (Some((ordinal, alias)), Some(place)) = (index, place) {
            let shown = match (&alias, columns.get(1)) {
                (Some(alias), _) => SmolStr::new(&alias.value),
                (None, Some(column)) => SmolStr::new(&column.name.value),
                (None, None) if ordinal => SmolStr::new_static("ordinality"),
                (None, None) => SmolStr::new_static("offset"),
            };
            let one = Expr::literal(Value::Long(i64::from(ordinal)), Span::default());
            let value = self.column(place);
            let value = Expr::arithmetic(ir::ArithmeticOp::Add, value, one, Type::Long, Span::default());
            cols.push(self.put(&mut left, &shown, Val::present(value)));
        }
        left.sources.push(Source { qualifier: own, cols, open: None });
        left.unique = None;
        Ok(Unnested::Done(left))
    }

    fn relation(&mut self, factor: &'q TableFactor) -> Result<Block<'q>> {
        match factor {
            TableFactor::Table { name, alias, args: None, sample: None, with_ordinality: false, .. } => {
                let mut block = self.table(name_of(name), factor)?;
                let own = SmolStr::new(alias.as_ref().map_or(name_of(name), |a| &a.name.value));
                if let Some(alias) = alias
                    && !alias.columns.is_empty()
                {
                    renamed(&mut block, &alias.columns);
                }
                block.sources.iter_mut().for_each(|s| s.qualifier = Some(own.clone()));
                Ok(block)
            }
            TableFactor::Table { name, alias: Some(alias), args: Some(args), sample: None, .. } => {
                self.series(name_of(name), alias, args, factor)
            }
            TableFactor::Derived { lateral: false, subquery, alias, sample: None } => {
                let names = alias.as_ref().map(|a| a.columns.as_slice()).unwrap_or_default();
                let mut block = match &*subquery.body {
                    ast::SetExpr::Values(values) if subquery.with.is_none() => {
                        self.values(values, names, factor)?
                    }
                    _ => {
                        let mut block = self.deeper(|l| l.query(subquery, false))?;
                        renamed(&mut block, names);
                        block
                    }
                };
                let own = alias.as_ref().map(|a| SmolStr::new(&a.name.value));
                block.sources.iter_mut().for_each(|s| s.qualifier.clone_from(&own));
                Ok(block)
            }
            _ => Err(self.clause(factor, "this item of FROM")),
        }
    }

    /// A CTE or a table by its name.
    fn table(&mut self, name: &str, node: &'q TableFactor) -> Result<Block<'q>> {
        let key = name.to_lowercase();
        if let Some(cte) = self.ctes.get(&key) {
            if cte.uses <= 1 && !cte.open {
                return self.cte_body(&key);
            }
            let (id, cols) = self.binding(&key)?;
            let output: Vec<ColId> = self
                .bound_output(&key)
                .into_iter()
                .map(|id| {
                    let (name, ty) = (SmolStr::new(self.columns.name(id)), self.columns.ty(id));
                    let new = self.columns.add(name, ty, Span::default());
                    if self.flags.contains(&id) {
                        self.flags.insert(new);
                    }
                    new
                })
                .collect();
            let before = self.bound_output(&key);
            let renew = |id: ColId| {
                before.iter().position(|b| *b == id).and_then(|at| output.get(at)).copied().unwrap_or(id)
            };
            let fresh: Vec<Col> = cols.iter().map(|col| renewed(col, &renew)).collect();
            let plan = Plan::new(Op::Ref(id), output, self.span(node));
            let source = Source { qualifier: None, cols: fresh, open: None };
            return Ok(Block::new(plan, vec![source]));
        }
        Ok(self.scan(name, self.span(node)))
    }

    /// The columns that the rows of a CTE have, which is bound.
    fn bound_output(&self, key: &str) -> Vec<ColId> {
        let bound = self.ctes.get(key).and_then(|c| c.bound.as_ref()).map(|(id, _)| *id);
        let binding = bound.and_then(|id| self.bindings.get(usize::try_from(id.0).unwrap_or(usize::MAX)));
        match binding.map(|b| &b.value) {
            Some(ir::BindingValue::Table { plan, .. }) => plan.output.to_vec(),
            Some(ir::BindingValue::Scalar(_)) | None => Vec::new(),
        }
    }

    fn scan(&mut self, name: &str, span: Span) -> Block<'q> {
        let given = self.tables.columns(name);
        let told = given.is_some();
        let shipped = schema::choose_table(name, self.times.0, self.times.1);
        let mut columns = match (given, shipped) {
            (Some(columns), _) => columns,
            (None, Some(table)) => table.columns().map(|(n, t)| (SmolStr::new(n), t)).collect(),
            (None, None) => Vec::new(),
        };
        let open = !told && shipped.is_none_or(|t| t.open);
        let mut guesses: Vec<SmolStr> = Vec::new();
        for (learned, ty) in self.learned.get(&name.to_lowercase()).into_iter().flatten() {
            if !columns.iter().any(|(n, _)| same_name(n, learned)) {
                if ty.is_none() {
                    guesses.push(learned.clone());
                }
                columns.push((learned.clone(), ty.unwrap_or(Type::String)));
            }
        }
        if !told && shipped.is_none() {
            let text = format!(
                "`{name}` has no schema: its columns are those that the SQL names, of the types that it uses them as, else text"
            );
            if !self.assumptions.contains(&text) {
                self.assumptions.push(text);
            }
        }
        let mut unique = Unique::with_capacity(columns.len());
        let mut cols = Vec::with_capacity(columns.len());
        for (column, ty) in columns {
            let shown = unique.name(&column);
            let guessed = guesses.contains(&column).then(|| (name.to_lowercase(), column.clone()));
            let id = self.columns.add(column, ty, Span::default());
            if let Some(guess) = guessed {
                self.guessed.insert(id, guess);
            }
            cols.push(Col { name: shown, id, nulls: Nulls::EXACT, fields: None });
        }
        let output: Vec<ColId> = cols.iter().map(|c| c.id).collect();
        let table = TableName { qualifiers: Vec::new(), name: name.into() };
        let scan = Scan { source: ir::Source::Table(table), open, time: None };
        let plan = Plan::new(Op::Scan(scan), output, span);
        let source = Source { qualifier: None, cols, open: open.then(|| name.into()) };
        Block::new(plan, vec![source])
    }

    /// `(VALUES …) AS data(a, b)`
    fn values(
        &mut self,
        values: &'q ast::Values,
        names: &'q [ast::TableAliasColumnDef],
        node: &'q TableFactor,
    ) -> Result<Block<'q>> {
        let mut rows: Vec<Vec<Option<Val>>> = Vec::with_capacity(values.rows.len());
        let mut scope = Block::new(one_row(), Vec::new());
        for row in &values.rows {
            let mut cells = Vec::with_capacity(row.content.len());
            for cell in &row.content {
                cells.push(match bare(cell) {
                    ast::Expr::Value(v) if v.value == ast::Value::Null => None,
                    e => Some(self.value(&mut scope, e)?),
                });
            }
            if cells.len() != names.len() {
                return Err(self.clause(node, "rows without a name for each column"));
            }
            rows.push(cells);
        }
        let mut cols = Vec::with_capacity(names.len());
        for (at, name) in names.iter().enumerate() {
            let cells = || rows.iter().filter_map(|r| r.get(at)).flatten();
            let mut types = cells().map(|v| v.e.ty);
            let Some(mut ty) = types.next() else { return Err(self.types(node, "a column of NULLs")) };
            for other in types {
                ty = match (ty, other) {
                    (a, b) if a == b => a,
                    (a, b) if a.is_numeric() && b.is_numeric() => ir::functions::common_type([a, b], false),
                    (a, b) => return Err(self.types(node, format!("a column of `{a}` and `{b}`"))),
                };
            }
            let missing = rows.iter().any(|r| matches!(r.get(at), Some(None)));
            let mut nulls =
                cells().fold(Nulls { never_empty: true, ..Nulls::PRESENT }, |n, v| n.or(&v.nulls));
            if missing {
                nulls = nulls.or(if ty == Type::String { &Nulls::OPEN } else { &Nulls::EXACT });
            }
            let id = self.add(&name.name.value, ty);
            cols.push(Col { name: SmolStr::new(&name.name.value), id, nulls, fields: None });
        }
        let types: Vec<Type> = cols.iter().map(|c| self.columns.ty(c.id)).collect();
        let rows = rows.into_iter().map(|cells| {
            let cells = cells.into_iter().zip(&types).map(|(cell, ty)| match cell {
                Some(v) => v.e.cast(*ty, true),
                None => Expr::literal(Value::Null(*ty), Span::default()),
            });
            cells.collect()
        });
        let values = Values { rows: rows.collect(), print: false };
        let output: Vec<ColId> = cols.iter().map(|c| c.id).collect();
        let plan = Plan::new(Op::Values(values), output, self.span(node));
        Ok(Block::new(plan, vec![Source { qualifier: None, cols, open: None }]))
    }

    /// `generate_series(from, to, step) AS series(x)`
    fn series(
        &mut self,
        name: &str,
        alias: &'q ast::TableAlias,
        args: &'q ast::TableFunctionArgs,
        node: &'q TableFactor,
    ) -> Result<Block<'q>> {
        let mut vals = Vec::new();
        let mut scope = Block::new(one_row(), Vec::new());
        for arg in &args.args {
            let ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(e)) = arg else {
                return Err(self.clause(node, "this item of FROM"));
            };
            vals.push(self.value(&mut scope, e)?.e);
        }
        let ([column], true) = (alias.columns.as_slice(), name.eq_ignore_ascii_case("generate_series"))
        else {
            return Err(self.clause(node, "this table function"));
        };
        if vals.len() == 2 {
            vals.push(Expr::literal(Value::Long(1), Span::default()));
        }
        let Ok([from, to, step]) = <[Expr; 3]>::try_from(vals) else {
            return Err(self.clause(node, "this table function"));
        };
        let ty = from.ty;
        let fits = ty.is_integer() && to.ty.is_integer() && step.ty.is_integer()
            || ty == Type::Datetime && to.ty == ty && step.ty == Type::Timespan;
        if !fits {
            return Err(self.types(node, "a series of these types"));
        }
        let id = self.add(&column.name.value, if ty.is_integer() { Type::Long } else { ty });
        let plan = Plan::new(Op::Range(Range { from, to, step }), vec![id], self.span(node));
        let name = SmolStr::new(&column.name.value);
        let cols = vec![Col { name, id, nulls: Nulls::PRESENT, fields: None }];
        let source = Source { qualifier: Some(SmolStr::new(&alias.name.value)), cols, open: None };
        Ok(Block::new(plan, vec![source]))
    }

    fn join(
        &mut self,
        left: Block<'q>,
        factor: &'q TableFactor,
        operator: &'q JoinOperator,
        node: &'q ast::Join,
        tests: &mut Vec<&'q ast::Expr>,
    ) -> Result<Block<'q>> {
        let (kind, constraint) = match operator {
            JoinOperator::Join(c) | JoinOperator::Inner(c) => (JoinKind::Inner, Some(c)),
            JoinOperator::Left(c) | JoinOperator::LeftOuter(c) => (JoinKind::LeftOuter, Some(c)),
            JoinOperator::Right(c) | JoinOperator::RightOuter(c) => (JoinKind::RightOuter, Some(c)),
            JoinOperator::FullOuter(c) => (JoinKind::FullOuter, Some(c)),
            JoinOperator::Semi(c) | JoinOperator::LeftSemi(c) => (JoinKind::LeftSemi, Some(c)),
            JoinOperator::Anti(c) | JoinOperator::LeftAnti(c) => (JoinKind::LeftAnti, Some(c)),
            JoinOperator::RightSemi(c) => (JoinKind::RightSemi, Some(c)),
            JoinOperator::RightAnti(c) => (JoinKind::RightAnti, Some(c)),
            JoinOperator::CrossJoin(JoinConstraint::None) => (JoinKind::Inner, None),
            _ => return Err(self.clause(node, "this kind of join")),
        };
        if let TableFactor::Derived { lateral: true, subquery, alias: Some(alias), sample: None } = factor
            && kind == JoinKind::Inner
            && constraint.is_none()
            && alias.columns.is_empty()
        {
            return self.applied(left, subquery, alias, node);
        }
        let bare_cross = constraint.is_none_or(|c| {
            matches!(c, JoinConstraint::None)
                || matches!(c, JoinConstraint::On(e) if matches!(bare(e), ast::Expr::Value(v) if v.value == ast::Value::Boolean(true)))
        });
        let left = if bare_cross {
            match self.unnested(left, factor, kind != JoinKind::Inner)? {
                Unnested::Done(block) => return Ok(block),
                Unnested::Other(left) => left,
            }
        } else {
            left
        };
        let mut left = left;
        let mut right = self.relation(factor)?;
        if constraint.is_none() {
            return self.crossed(left, right, tests, node);
        }
        if let Some(JoinConstraint::Using(names)) = constraint {
            return self.using(left, right, names, kind, node);
        }
        let mut on = Vec::new();
        // What is no equality of the two sides filters the pairs of an inner join.
        let mut rest = Vec::new();
        match constraint {
            None => {}
            Some(JoinConstraint::On(test)) => {
                let mut tests = Vec::new();
                conjuncts(test, &mut tests);
                for test in tests {
                    if matches!(bare(test), ast::Expr::Value(v) if v.value == ast::Value::Boolean(true)) {
                        continue;
                    }
                    let equality = matches!(bare(test), ast::Expr::BinaryOp { op: BinaryOperator::Eq, .. });
                    let sided = self.is_of(&left, test) || self.is_of(&right, test);
                    if kind == JoinKind::Inner && (!equality || sided) {
                        rest.push(test);
                        continue;
                    }
                    if sided || !equality {
                        self.condition(&mut left, &mut right, test, &mut on)?;
                        continue;
                    }
                    self.key(&mut left, &mut right, test, kind, &mut on)?;
                }
            }
            Some(_) => return Err(self.clause(node, "a join without ON")),
        }
        let mut block = self.joined(left, right, kind, on, node)?;
        if !rest.is_empty() {
            let test = Expr::and(self.conjunction(&mut block, rest)?, Span::default());
            block.filter(test);
            block.unique = None;
        }
        Ok(block)
    }

    /// `CROSS JOIN LATERAL (SELECT … FROM (SELECT unnest(…)) AS element …)`: a query over the elements of each row.
    fn applied(
        &mut self,
        mut left: Block<'q>,
        query: &'q ast::Query,
        alias: &'q ast::TableAlias,
        node: &'q ast::Join,
    ) -> Result<Block<'q>> {
        let ast::SetExpr::Select(select) = &*query.body else {
            return Err(self.clause(node, "this lateral query"));
        };
        let elements = match select.from.as_slice() {
            [one] if one.joins.is_empty() => match &one.relation {
                TableFactor::Derived { lateral: false, subquery, alias: Some(a), sample: None }
                    if a.columns.is_empty() =>
                {
                    Some((&**subquery, a))
                }
                _ => None,
            },
            _ => None,
        };
        let plain = |q: &ast::Query| {
            q.with.is_none() && q.order_by.is_none() && q.limit_clause.is_none() && q.fetch.is_none()
        };
        let Some((elements, own)) = elements.filter(|(e, _)| plain(e)) else {
            return Err(self.clause(node, "this lateral query"));
        };
        let ast::SetExpr::Select(list) = &*elements.body else {
            return Err(self.clause(node, "this lateral query"));
        };
        self.plain_select(list)?;
        self.plain_select(select)?;
        let bare_list = list.from.is_empty()
            && list.selection.is_none()
            && list.having.is_none()
            && list.qualify.is_none()
            && list.distinct.is_none();
        if !bare_list {
            return Err(self.clause(node, "this lateral query"));
        }
        let items = self.items(&Block::new(one_row(), Vec::new()), list)?;
        let Some(found) = self.expansion(&mut left, &items)? else {
            return Err(self.clause(node, "this lateral query"));
        };
        if found.kind != ir::ExpandKind::Bag || found.series.is_some() {
            return Err(self.clause(node, "this lateral query"));
        }
        // The rows of the body: the row around them with the elements.
        let mut output = left.plan.output.to_vec();
        output.extend(found.index);
        output.extend(found.items.iter().map(|i| i.id));
        let mut body = Block::new(Plan::new(Op::Rows, output, Span::default()), Vec::new());
        body.outer.clone_from(&left.sources);
        let mut cols = Vec::with_capacity(items.len());
        for item in &items {
            let super::select::What::Expr(e) = item.what else {
                return Err(self.clause(node, "this lateral query"));
            };
            cols.push(self.materialized(&mut body, &item.name, e)?);
        }
        let qualifier = Some(SmolStr::new(&own.name.value));
        body.sources = vec![Source { qualifier, cols, open: None }];
        let body = self.query_over(body, query, select)?;
        if keyless(&body.plan) && select.having.is_none() {
            return Err(self.clause(node, "a lateral query that makes a row of no elements"));
        }
        let mut output = left.plan.output.to_vec();
        output.extend(body.plan.output.iter().filter(|id| !left.plan.output.contains(id)));
        let mut sources = left.sources;
        let qualifier = Some(SmolStr::new(&alias.name.value));
        sources.extend(body.sources.into_iter().map(|s| Source { qualifier: qualifier.clone(), ..s }));
        let apply = ir::Apply {
            input: left.plan,
            items: found.items,
            index: found.index,
            limit: found.limit,
            body: body.plan,
        };
        let plan = Plan::new(Op::Apply(apply), output, self.span(node));
        Ok(Block::new(plan, sources))
    }

    /// A condition on one side of an outer join: where it does not hold the row meets nothing.
    fn condition(
        &mut self,
        left: &mut Block<'q>,
        right: &mut Block<'q>,
        test: &'q ast::Expr,
        on: &mut Vec<JoinKey>,
    ) -> Result<()> {
        let of_left = self.is_of(left, test);
        if !of_left && !self.is_of(right, test) {
            return Err(self.clause(test, "a join by anything but equality"));
        }
        let yes = || Expr::bool(true, Span::default());
        let (one, other) = if of_left { (&mut *left, &mut *right) } else { (&mut *right, &mut *left) };
        let holds = self.test(one, test, super::Place::Keep)?;
        let null = Expr::literal(Value::Null(Type::Bool), Span::default());
        let holds = ir::ExprKind::Case(vec![(holds, yes())], Box::new(null));
        let (mine, theirs) = (self.add("holds_", Type::Bool), self.add("holds_", Type::Bool));
        one.extend(mine, Expr::new(holds, Type::Bool, Span::default()));
        other.extend(theirs, yes());
        let (l, r) = if of_left { (mine, theirs) } else { (theirs, mine) };
        on.push(JoinKey { left: l, right: r });
        Ok(())
    }

    /// `USING (a, b)`: columns of both sides, which come once.
    fn using(
        &mut self,
        mut left: Block<'q>,
        mut right: Block<'q>,
        names: &'q [ast::ObjectName],
        kind: JoinKind,
        node: &'q ast::Join,
    ) -> Result<Block<'q>> {
        let mut on = Vec::new();
        for name in names {
            let shown = name_of(name);
            let ident = ast::Ident::new(shown);
            let (l, r) = (self.named(&mut left, &ident)?, self.named(&mut right, &ident)?);
            self.key_of(&mut left, &mut right, l, r, kind, node, &mut on)?;
        }
        if kind == JoinKind::FullOuter {
            return Err(self.clause(node, "a full join with USING"));
        }
        let mut block = self.joined(left, right, kind, on, node)?;
        // The column of the side that has all rows stays.
        let keeps_right = kind == JoinKind::RightOuter;
        for name in names {
            let mut places = Vec::new();
            for (s, source) in block.sources.iter().enumerate() {
                for (c, col) in source.cols.iter().enumerate() {
                    if same_name(&col.name, name_of(name)) {
                        places.push((s, c));
                    }
                }
            }
            let kept =
                if keeps_right { places.pop() } else { (!places.is_empty()).then(|| places.remove(0)) };
            if kept.is_none() {
                continue;
            }
            for (s, c) in places.into_iter().rev() {
                if let Some(source) = block.sources.get_mut(s) {
                    source.cols.remove(c);
                }
            }
        }
        Ok(block)
    }

    /// One equality of ON, as columns of both sides.
    fn key(
        &mut self,
        left: &mut Block<'q>,
        right: &mut Block<'q>,
        test: &'q ast::Expr,
        kind: JoinKind,
        on: &mut Vec<JoinKey>,
    ) -> Result<()> {
        let ast::Expr::BinaryOp { left: a, op: BinaryOperator::Eq, right: b } = bare(test) else {
            return Err(self.clause(test, "a join by anything but equality"));
        };
        let own = |l: &Self, block: &Block<'q>, e: &ast::Expr| {
            let mut mine = true;
            let _ = ast::visit_expressions(e, |e| {
                let found = match e {
                    ast::Expr::Identifier(i) => l.find(block, &i.value, None, i).ok().flatten().is_some(),
                    ast::Expr::CompoundIdentifier(parts) => parts.first().is_some_and(|q| {
                        block
                            .sources
                            .iter()
                            .any(|s| s.qualifier.as_deref().is_some_and(|own| same_name(own, &q.value)))
                    }),
                    _ => true,
                };
                mine &= found;
                std::ops::ControlFlow::<()>::Continue(())
            });
            mine
        };
        let (a, b) = if own(self, left, a) && own(self, right, b) { (a, b) } else { (b, a) };
        let (l, r) = (self.value(left, a)?, self.value(right, b)?);
        self.key_of(left, right, l, r, kind, test, on)
    }

    #[expect(clippy::too_many_arguments, reason = "both sides of a key")]
    fn key_of(
        &mut self,
        left: &mut Block<'q>,
        right: &mut Block<'q>,
        mut l: Val,
        mut r: Val,
        kind: JoinKind,
        test: &impl sqlparser::ast::Spanned,
        on: &mut Vec<JoinKey>,
    ) -> Result<()> {
        self.agree(&mut l, &mut r);
        if !comparable(l.e.ty, r.e.ty) {
            let message = format!("`{}` is joined with `{}`", l.e.ty, r.e.ty);
            return Err(self.types(test, message));
        }
        if matches!(l.e.ty, Type::String) {
            self.text_key(left, right, &l, &r, kind, test, on)?;
        }
        let mut side = |block: &mut Block<'q>, val: Val| match val.e.as_column() {
            Some(id) => id,
            None => self.put(block, "key_", val).id,
        };
        on.push(JoinKey { left: side(left, l), right: side(right, r) });
        Ok(())
    }

    /// The IR takes a missing text in a key for `""`. SQL's NULL meets nothing: rows with it are taken away, or, where they must stay,
    /// get a further key that is null and meets nothing.
    #[expect(clippy::too_many_arguments, reason = "both sides of a key")]
    fn text_key(
        &mut self,
        left: &mut Block<'q>,
        right: &mut Block<'q>,
        l: &Val,
        r: &Val,
        kind: JoinKind,
        node: &impl sqlparser::ast::Spanned,
        on: &mut Vec<JoinKey>,
    ) -> Result<()> {
        let full = |v: &Val| !v.nulls.sql && v.nulls.never_empty;
        if !l.nulls.sql && !r.nulls.sql || full(l) || full(r) {
            return Ok(());
        }
        let (Ok(null_left), Ok(null_right)) = (self.cond(l), self.cond(r)) else {
            return Err(self.null(node, "a text in a key"));
        };
        if matches!(kind, JoinKind::Inner | JoinKind::LeftSemi) {
            for (block, null) in [(left, null_left), (right, null_right)] {
                if let Some(null) = null {
                    block.filter(null.negated(Span::default()));
                }
            }
            return Ok(());
        }
        let mut known = |block: &mut Block<'q>, null: Option<Expr>| {
            let yes = Expr::bool(true, Span::default());
            let known = match null {
                Some(null) => super::nulls::null_where(null, yes),
                None => yes,
            };
            let id = self.add("known_", Type::Bool);
            block.extend(id, known);
            id
        };
        on.push(JoinKey { left: known(left, null_left), right: known(right, null_right) });
        Ok(())
    }

    fn joined(
        &mut self,
        left: Block<'q>,
        right: Block<'q>,
        kind: JoinKind,
        on: Vec<JoinKey>,
        node: &impl sqlparser::ast::Spanned,
    ) -> Result<Block<'q>> {
        let semi = matches!(kind, JoinKind::LeftSemi | JoinKind::LeftAnti);
        let turned = matches!(kind, JoinKind::RightSemi | JoinKind::RightAnti);
        let (mut kind, mut left_plan) = (kind, left.plan);
        let mut on = on;
        // One row a key, then joined on that key: one operator of the IR.
        if let (JoinKind::Inner, Some(unique)) = (kind, &left.unique) {
            let before = |id: ColId| unique.columns.iter().find(|(after, _)| *after == id).map(|(_, b)| *b);
            let keys: Option<Vec<ColId>> = on.iter().map(|k| before(k.left)).collect();
            let same_ids = unique.columns.iter().all(|(after, before)| after == before);
            if let Some(keys) = keys
                && same_ids
                && keys.len() == unique.keys.len()
                && unique.keys.iter().all(|k| keys.contains(k))
            {
                kind = JoinKind::InnerUnique;
                left_plan = unique.plan.clone();
                for (key, id) in on.iter_mut().zip(keys) {
                    key.left = id;
                }
            }
        }
        let mut output: Vec<ColId> = if turned { Vec::new() } else { left_plan.output.to_vec() };
        let mut right_output = Vec::new();
        if !semi {
            for id in right.plan.output.iter() {
                output.push(*id);
                right_output.push(SelectItem { from: *id, to: *id });
            }
        }
        let join = Join {
            kind,
            lookup: false,
            explicit: true,
            left: left_plan,
            right: right.plan,
            on,
            right_output,
            hints: Vec::new(),
        };
        let plan = Plan::new(Op::Join(join), output, self.lines.span(node));
        let pad = |sources: Vec<Source>, padded: bool| -> Vec<Source> {
            sources
                .into_iter()
                .map(|mut s| {
                    if padded {
                        s.cols.iter_mut().for_each(pad_col);
                    }
                    s
                })
                .collect()
        };
        let mut sources = pad(left.sources, matches!(kind, JoinKind::RightOuter | JoinKind::FullOuter));
        if turned {
            sources.clear();
        }
        if !semi {
            sources.extend(pad(right.sources, matches!(kind, JoinKind::LeftOuter | JoinKind::FullOuter)));
        }
        Ok(Block::new(plan, sources))
    }
}

/// A column of a binding under an id of its own.
pub(super) fn renewed(col: &Col, renew: &dyn Fn(ColId) -> ColId) -> Col {
    Col {
        name: col.name.clone(),
        id: renew(col.id),
        nulls: Nulls { known: col.nulls.known.map(renew), ..col.nulls.clone() },
        fields: col.fields.as_ref().map(|fields| fields.iter().map(|f| renewed(f, renew)).collect()),
    }
}

/// Gives columns the names that stand behind the alias.
pub(super) fn renamed(block: &mut Block<'_>, names: &[ast::TableAliasColumnDef]) {
    let cols = block.sources.iter_mut().flat_map(|s| &mut s.cols);
    for (col, name) in cols.zip(names) {
        col.name = SmolStr::new(&name.name.value);
    }
}

fn pad_col(col: &mut Col) {
    col.nulls = col.nulls.padded();
    if let Some(fields) = &mut col.fields {
        fields.iter_mut().for_each(pad_col);
    }
}

/// What became of an item of FROM that may be the elements of a list.
enum Unnested<'q> {
    Done(Block<'q>),
    Other(Block<'q>),
}

/// Whether an expression names a column at all.
fn names_columns(e: &ast::Expr) -> bool {
    let mut found = false;
    let _ = ast::visit_expressions(e, |e| {
        found |= matches!(e, ast::Expr::Identifier(_) | ast::Expr::CompoundIdentifier(_));
        std::ops::ControlFlow::<()>::Continue(())
    });
    found
}

/// The operands of a chain of ANDs.
pub(super) fn conjuncts<'e>(e: &'e ast::Expr, out: &mut Vec<&'e ast::Expr>) {
    match bare(e) {
        ast::Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            conjuncts(left, out);
            conjuncts(right, out);
        }
        other => out.push(other),
    }
}

/// Whether a plan counts rows without keys: it has a row even for none.
fn keyless(plan: &Plan) -> bool {
    let mut found = false;
    crate::lower::walk::visit(
        plan,
        &mut |p| found |= matches!(&*p.op, Op::Aggregate(a) if a.keys.is_empty()),
        &mut |_| {},
    );
    found
}

/// One row without columns.
fn one_row() -> Plan {
    Plan::new(Op::Values(Values { rows: vec![Vec::new()], print: true }), Vec::new(), Span::default())
}
