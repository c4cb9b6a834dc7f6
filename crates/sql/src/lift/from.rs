//! FROM: tables, CTEs, queries in parentheses, literal rows, joins.

use super::block::{Block, Col, Source, same_name};
use super::nulls::Nulls;
use super::test::comparable;
use super::unify::bare;
use super::{Lifter, Result, Val, name_of};
use crate::lower::Unique;
use ruleferry_diag::Span;
use ruleferry_ir::{
    self as ir, ColId, Expr, Join, JoinKey, JoinKind, Op, Plan, Range, Scan, SelectItem, TableName, Type, Value, Values,
};
use ruleferry_targets::schema;
use smol_str::SmolStr;
use sqlparser::ast::{self, BinaryOperator, JoinConstraint, JoinOperator, TableFactor};

impl<'q> Lifter<'q> {
    pub(super) fn from(&mut self, from: &'q [ast::TableWithJoins], node: &'q ast::Select) -> Result<Block<'q>> {
        let first = match from {
            [] => return Ok(Block::new(one_row(), Vec::new())),
            [one] => one,
            _ => return Err(self.clause(node, "a comma in FROM")),
        };
        let mut block = self.relation(&first.relation)?;
        for join in &first.joins {
            if join.global {
                return Err(self.clause(join, "this join"));
            }
            block = self.join(block, &join.relation, &join.join_operator, join)?;
        }
        Ok(block)
    }

    fn relation(&mut self, factor: &'q TableFactor) -> Result<Block<'q>> {
        match factor {
            TableFactor::Table { name, alias, args: None, sample: None, with_ordinality: false, .. } => {
                let mut block = self.table(name_of(name), factor)?;
                let own = SmolStr::new(alias.as_ref().map_or(name_of(name), |a| &a.name.value));
                if alias.as_ref().is_some_and(|a| !a.columns.is_empty()) {
                    return Err(self.clause(factor, "a table with other names of columns"));
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
                    _ if names.is_empty() => self.deeper(|l| l.query(subquery, false))?,
                    _ => return Err(self.clause(factor, "a query with other names of columns")),
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
            let mut fresh = Vec::with_capacity(cols.len());
            let mut output = Vec::with_capacity(cols.len());
            for col in &cols {
                fresh.push(self.renewed(col, &mut output));
            }
            let plan = Plan::new(Op::Ref(id), output, self.span(node));
            let source = Source { qualifier: None, cols: fresh, open: None };
            return Ok(Block::new(plan, vec![source]));
        }
        Ok(self.scan(name, self.span(node)))
    }

    /// A column of a binding under an id of its own.
    fn renewed(&mut self, col: &Col, output: &mut Vec<ColId>) -> Col {
        let fields = col
            .fields
            .as_ref()
            .map(|fields| fields.iter().map(|f| self.renewed(f, output)).collect::<Vec<_>>());
        if fields.is_some() {
            return Col { fields, ..col.clone() };
        }
        let (name, ty) = (SmolStr::new(self.columns.name(col.id)), self.columns.ty(col.id));
        let id = self.columns.add(name, ty, Span::default());
        output.push(id);
        Col { id, ..col.clone() }
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
        for learned in self.learned.get(&name.to_lowercase()).into_iter().flatten() {
            if !columns.iter().any(|(n, _)| same_name(n, learned)) {
                columns.push((learned.clone(), Type::String));
            }
        }
        if !told && shipped.is_none() {
            let text = format!("`{name}` has no schema: its columns are those that the SQL names, as text");
            if !self.assumptions.contains(&text) {
                self.assumptions.push(text);
            }
        }
        let mut unique = Unique::with_capacity(columns.len());
        let mut cols = Vec::with_capacity(columns.len());
        for (column, ty) in columns {
            let shown = unique.name(&column);
            let id = self.columns.add(column, ty, Span::default());
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
            let mut nulls = cells().fold(Nulls { never_empty: true, ..Nulls::PRESENT }, |n, v| n.or(&v.nulls));
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
        let ([column], true) = (alias.columns.as_slice(), name.eq_ignore_ascii_case("generate_series")) else {
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
    ) -> Result<Block<'q>> {
        let (kind, constraint) = match operator {
            JoinOperator::Join(c) | JoinOperator::Inner(c) => (JoinKind::Inner, Some(c)),
            JoinOperator::Left(c) | JoinOperator::LeftOuter(c) => (JoinKind::LeftOuter, Some(c)),
            JoinOperator::Right(c) | JoinOperator::RightOuter(c) => (JoinKind::RightOuter, Some(c)),
            JoinOperator::FullOuter(c) => (JoinKind::FullOuter, Some(c)),
            JoinOperator::Semi(c) | JoinOperator::LeftSemi(c) => (JoinKind::LeftSemi, Some(c)),
            JoinOperator::Anti(c) | JoinOperator::LeftAnti(c) => (JoinKind::LeftAnti, Some(c)),
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
        let mut left = left;
        let mut right = self.relation(factor)?;
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
                    if kind == JoinKind::Inner && !equality {
                        rest.push(test);
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
        node: &ast::Expr,
        on: &mut Vec<JoinKey>,
    ) -> Result<()> {
        let full = |v: &Val| !v.nulls.sql && v.nulls.never_empty;
        if !l.nulls.sql && !r.nulls.sql || full(l) || full(r) {
            return Ok(());
        }
        let (Ok(null_left), Ok(null_right)) = (l.nulls.condition(&l.e), r.nulls.condition(&r.e)) else {
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
        node: &ast::Join,
    ) -> Result<Block<'q>> {
        let semi = matches!(kind, JoinKind::LeftSemi | JoinKind::LeftAnti);
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
        let mut output: Vec<ColId> = left_plan.output.to_vec();
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
        if !semi {
            sources.extend(pad(right.sources, matches!(kind, JoinKind::LeftOuter | JoinKind::FullOuter)));
        }
        Ok(Block::new(plan, sources))
    }
}

fn pad_col(col: &mut Col) {
    col.nulls = col.nulls.padded();
    if let Some(fields) = &mut col.fields {
        fields.iter_mut().for_each(pad_col);
    }
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
