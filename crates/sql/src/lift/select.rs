//! Queries: SELECT with its clauses, UNION ALL BY NAME.

use super::block::{Alias, Block, Col, Source, same_name};
use super::from::conjuncts;
use super::unify::{bare, function_name, plain_args};
use super::{Lifter, Place, Result, Val, literal};
use crate::syntax::NullOrder;
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{self as ir, ColId, Expr, Item, LimitKind, Op, Plan, SortKey, Type, Value};
use smol_str::SmolStr;
use sqlparser::ast;

/// A column of the SELECT list.
#[derive(Clone, Debug)]
pub(super) struct Out<'q> {
    pub name: SmolStr,
    pub what: What<'q>,
}

#[derive(Clone, Debug)]
pub(super) enum What<'q> {
    Col(Col),
    Expr(&'q ast::Expr),
}

impl<'q> Lifter<'q> {
    /// A query, as rows whose only source are its columns. `top`: the script's own, which may have CTEs.
    pub(super) fn query(&mut self, query: &'q ast::Query, top: bool) -> Result<Block<'q>> {
        self.query_with(query, top, false)
    }

    /// `folds`: the one column is `lower(…)`, and what stands in it is wanted.
    pub(super) fn query_with(&mut self, query: &'q ast::Query, top: bool, folds: bool) -> Result<Block<'q>> {
        // Group keys around it mean nothing inside.
        let keyed = std::mem::take(&mut self.keyed);
        let result = self.query_inner(query, top, folds);
        self.keyed = keyed;
        result
    }

    fn query_inner(&mut self, query: &'q ast::Query, top: bool, folds: bool) -> Result<Block<'q>> {
        if let Some(with) = query.with.as_ref().filter(|_| !top) {
            self.with(query, with)?;
        }
        let odd = query.fetch.is_some()
            || !query.locks.is_empty()
            || query.for_clause.is_some()
            || query.settings.is_some()
            || query.format_clause.is_some()
            || !query.pipe_operators.is_empty();
        if odd {
            return Err(self.clause(query, "a clause of this query"));
        }
        let (order, limit) = self.tail(query)?;
        let block = match &*query.body {
            ast::SetExpr::Select(select) => self.select(select, order, limit.is_some(), folds)?,
            ast::SetExpr::Query(inner) => {
                let mut block = self.deeper(|l| l.query(inner, false))?;
                self.order(&mut block, order, limit.is_some())?;
                block
            }
            ast::SetExpr::SetOperation { .. } => {
                let mut block = self.union(&query.body)?;
                self.order(&mut block, order, limit.is_some())?;
                block
            }
            _ => return Err(self.clause(query, "this query")),
        };
        self.limited(block, limit)
    }

    /// A query of one SELECT over rows that are there.
    pub(super) fn query_over(
        &mut self,
        block: Block<'q>,
        query: &'q ast::Query,
        select: &'q ast::Select,
    ) -> Result<Block<'q>> {
        let (order, limit) = self.tail(query)?;
        let block = self.select_over(block, select, order, limit.is_some(), false)?;
        self.limited(block, limit)
    }

    /// ORDER BY and LIMIT.
    fn tail(&self, query: &'q ast::Query) -> Result<(&'q [ast::OrderByExpr], Option<&'q ast::Expr>)> {
        let order = match &query.order_by {
            None => &[][..],
            Some(ast::OrderBy { kind: ast::OrderByKind::Expressions(keys), interpolate: None }) => keys,
            Some(_) => return Err(self.clause(query, "this ORDER BY")),
        };
        let limit = match &query.limit_clause {
            None => None,
            Some(ast::LimitClause::LimitOffset { limit, offset: None, limit_by }) if limit_by.is_empty() => {
                limit.as_ref()
            }
            Some(ast::LimitClause::LimitOffset { limit, offset: Some(offset), limit_by })
                if limit_by.is_empty() && literal::constant_number(&offset.value) == Some(0) =>
            {
                limit.as_ref()
            }
            Some(_) => return Err(self.clause(query, "this LIMIT")),
        };
        Ok((order, limit))
    }

    fn limited(&mut self, mut block: Block<'q>, limit: Option<&'q ast::Expr>) -> Result<Block<'q>> {
        if let Some(limit) = limit {
            let count = self.value(&mut block, limit)?.e;
            if count.as_literal().is_none() {
                return Err(self.clause(limit, "a LIMIT that is computed"));
            }
            let output = block.plan.output.clone();
            block.wrap(output, |input| Op::Limit { input, count, kind: LimitKind::Take });
            block.unique = None;
        }
        Ok(block)
    }

    pub(super) fn select(
        &mut self,
        s: &'q ast::Select,
        order: &'q [ast::OrderByExpr],
        limited: bool,
        folds: bool,
    ) -> Result<Block<'q>> {
        self.plain_select(s)?;
        // Equalities of two tables join them.
        let mut tests = Vec::new();
        if let Some(test) = &s.selection {
            conjuncts(test, &mut tests);
        }
        let block = self.from(&s.from, s, &mut tests)?;
        self.select_where(block, s, tests, order, limited, folds)
    }

    /// Refuses clauses that are not read.
    pub(super) fn plain_select(&self, s: &ast::Select) -> Result<()> {
        let odd = s.select_modifiers.is_some()
            || s.top.is_some()
            || s.exclude.is_some()
            || s.into.is_some()
            || !s.lateral_views.is_empty()
            || s.prewhere.is_some()
            || !s.connect_by.is_empty()
            || !s.cluster_by.is_empty()
            || !s.distribute_by.is_empty()
            || !s.sort_by.is_empty()
            || !s.named_window.is_empty()
            || s.value_table_mode.is_some()
            || s.flavor != ast::SelectFlavor::Standard;
        if odd { Err(self.clause(s, "a clause of this SELECT")) } else { Ok(()) }
    }

    /// A SELECT over the rows of its FROM.
    pub(super) fn select_over(
        &mut self,
        block: Block<'q>,
        s: &'q ast::Select,
        order: &'q [ast::OrderByExpr],
        limited: bool,
        folds: bool,
    ) -> Result<Block<'q>> {
        let mut tests = Vec::new();
        if let Some(test) = &s.selection {
            conjuncts(test, &mut tests);
        }
        self.select_where(block, s, tests, order, limited, folds)
    }

    /// The same with the tests of WHERE that are left.
    fn select_where(
        &mut self,
        mut block: Block<'q>,
        s: &'q ast::Select,
        tests: Vec<&'q ast::Expr>,
        order: &'q [ast::OrderByExpr],
        limited: bool,
        folds: bool,
    ) -> Result<Block<'q>> {
        let items = self.items(&block, s)?;
        for item in &items {
            if let What::Expr(expr) = item.what
                && !block.aliases.iter().any(|a| same_name(&a.name, &item.name))
            {
                block.aliases.push(Alias { name: item.name.clone(), expr, col: None, busy: false });
            }
        }
        if !tests.is_empty() {
            let mut all = self.conjunction(&mut block, tests)?;
            all.retain(|e| e.as_literal() != Some(&Value::Bool(true)));
            if !all.is_empty() {
                block.filter(Expr::and(all, Span::default()));
            }
        }
        let keyed = match &s.group_by {
            ast::GroupByExpr::All(modifiers) if modifiers.is_empty() => true,
            ast::GroupByExpr::Expressions(keys, modifiers) if modifiers.is_empty() => !keys.is_empty(),
            _ => return Err(self.clause(s, "this GROUP BY")),
        };
        let collects =
            items.iter().any(|i| matches!(i.what, What::Expr(e) if super::aggregate::aggregates(e)));
        if keyed || collects || s.having.is_some() {
            let distinct = match &s.distinct {
                None => false,
                Some(ast::Distinct::Distinct) => true,
                Some(_) => return Err(self.clause(s, "DISTINCT ON beside GROUP BY")),
            };
            block = self.grouped(block, s, &items)?;
            if distinct {
                block = self.distinct_rows(block, s)?;
            }
        } else {
            if let Some(qualify) = &s.qualify {
                self.qualify(&mut block, qualify)?;
            }
            let cols = self.listed(&mut block, &items, folds)?;
            block = self.ordered_projection(block, cols, s, order, limited)?;
            return Ok(block);
        }
        self.sort_with(&mut block, None, &s.projection, order, limited)?;
        Ok(block)
    }

    /// Tests that must all hold. What one says of NULL is known to the others: a row that it drops is dropped.
    pub(super) fn conjunction(
        &mut self,
        block: &mut Block<'q>,
        tests: Vec<&'q ast::Expr>,
    ) -> Result<Vec<Expr>> {
        let mut lifted: Vec<Option<Expr>> = Vec::with_capacity(tests.len());
        for test in &tests {
            let exists = match bare(test) {
                ast::Expr::Exists { subquery, negated } => Some((subquery, *negated)),
                ast::Expr::UnaryOp { op: ast::UnaryOperator::Not, expr } => match bare(expr) {
                    ast::Expr::Exists { subquery, negated } => Some((subquery, !*negated)),
                    _ => None,
                },
                _ => None,
            };
            if let Some((query, negated)) = exists {
                lifted.push(Some(self.exists_as(block, query, test, Some(negated))?));
                continue;
            }
            match self.test(block, test, Place::Keep) {
                Ok(e) => {
                    self.note(block, &e);
                    lifted.push(Some(e));
                }
                Err(refusal) if refusal.0.code == codes::SQL_READ_NULL => lifted.push(None),
                Err(refusal) => return Err(refusal),
            }
        }
        let mut all = Vec::with_capacity(tests.len());
        for (test, done) in tests.into_iter().zip(lifted) {
            all.push(match done {
                Some(e) => e,
                None => self.test(block, test, Place::Keep)?,
            });
        }
        Ok(all)
    }

    /// ORDER BY, the SELECT list, DISTINCT.
    fn ordered_projection(
        &mut self,
        mut block: Block<'q>,
        cols: Vec<Col>,
        s: &'q ast::Select,
        order: &'q [ast::OrderByExpr],
        limited: bool,
    ) -> Result<Block<'q>> {
        match &s.distinct {
            None => {
                // Names of the list come before those of FROM; what is sorted by need not be in the list.
                self.sort_with(&mut block, Some(&cols), &[], order, limited)?;
                Ok(self.projected(block, cols))
            }
            Some(ast::Distinct::Distinct) => {
                let mut block = self.projected(block, cols);
                block = self.distinct_rows(block, s)?;
                self.sort_with(&mut block, None, &s.projection, order, limited)?;
                Ok(block)
            }
            Some(ast::Distinct::On(keys)) if order.is_empty() => {
                let mut ids = Vec::with_capacity(keys.len());
                for key in keys {
                    let listed = self.key_in_list(key, s, &cols);
                    let val = self.value(&mut block, key)?;
                    self.key_flag(&mut block, &val, key, &mut ids)?;
                    ids.push(match val.e.as_column().or(listed) {
                        Some(id) => id,
                        None => self.put(&mut block, "key_", val).id,
                    });
                }
                self.one_per_key(block, cols, &ids)
            }
            // The first of each key by what the rest of the order says.
            Some(ast::Distinct::On(keys)) if order.len() == keys.len() + 1 => {
                let same_keys = keys.iter().zip(order).all(|(k, o)| super::unify::same(k, &o.expr));
                let Some(last) = order.last().filter(|_| same_keys) else {
                    return Err(self.clause(s, "DISTINCT ON in another order than by its keys"));
                };
                let mut ids = Vec::with_capacity(keys.len());
                for key in keys {
                    let val = self.value(&mut block, key)?;
                    self.key_flag(&mut block, &val, key, &mut ids)?;
                    ids.push(match val.e.as_column() {
                        Some(id) => id,
                        None => self.put(&mut block, "key_", val).id,
                    });
                }
                let by = self.value(&mut block, &last.expr)?;
                let mut sorts = Vec::new();
                self.sort_keys(by, last, true, &mut sorts)?;
                match sorts.as_slice() {
                    [one] if !one.nulls_first => {
                        let by = (one.expr.clone(), one.descending);
                        self.choose(&mut block, &ids, Some(by));
                    }
                    _ => return Err(self.clause(&last.expr, "DISTINCT ON by this order")),
                }
                let mut block = self.projected(block, cols);
                self.sort_with(&mut block, None, &s.projection, order, limited)?;
                Ok(block)
            }
            Some(_) => Err(self.clause(s, "this DISTINCT")),
        }
    }

    /// A key that is a text which may be NULL has a second key that says so.
    pub(super) fn key_flag(
        &mut self,
        block: &mut Block<'q>,
        val: &Val,
        node: &'q ast::Expr,
        keys: &mut Vec<ColId>,
    ) -> Result<()> {
        if val.e.ty != Type::String || !val.nulls.sql || val.nulls.never_empty {
            return Ok(());
        }
        match self.is_there(val) {
            Ok(None) => {}
            Ok(Some(there)) => {
                let id = match val.nulls.known.filter(|id| block.plan.output.contains(id)) {
                    Some(id) => id,
                    None => {
                        let id = self.add("known_", Type::Bool);
                        self.flags.insert(id);
                        block.extend(id, there);
                        id
                    }
                };
                keys.push(id);
            }
            Err(()) => return Err(self.null(node, "a text that rows are told apart by")),
        }
        Ok(())
    }

    /// The column of the list that a key is, but for `coalesce(…, '')` around it.
    fn key_in_list(&self, key: &ast::Expr, s: &ast::Select, cols: &[Col]) -> Option<ColId> {
        let inner = match named_call(key) {
            Some((name, args)) if name == "coalesce" => match args.as_slice() {
                [inner, empty] if literal::constant_text(empty) == Some("") => *inner,
                _ => return None,
            },
            _ => key,
        };
        let name = s.projection.iter().find_map(|item| match item {
            ast::SelectItem::ExprWithAlias { expr, alias } if super::unify::same(expr, inner) => {
                Some(&alias.value)
            }
            _ => None,
        })?;
        cols.iter().find(|c| same_name(&c.name, name) && c.fields.is_none()).map(|c| c.id)
    }

    /// One row of each key; which one is open.
    fn one_per_key(&mut self, mut block: Block<'q>, cols: Vec<Col>, keys: &[ColId]) -> Result<Block<'q>> {
        let whole = block.clone();
        self.choose(&mut block, keys, None);
        let block = self.projected(block, cols.clone());
        let before = self.projected(whole, cols);
        // The same rows before the choice, if the list keeps the keys and gives no column another id.
        let kept =
            keys.iter().all(|k| before.plan.output.contains(k)) && before.plan.output == block.plan.output;
        let mut block = block;
        if kept {
            let columns = before.plan.output.iter().map(|id| (*id, *id)).collect();
            block.unique =
                Some(Box::new(super::block::Unique { plan: before.plan, keys: keys.to_vec(), columns }));
        }
        Ok(block)
    }

    /// The rows that a choice of one row a key leaves; the columns keep their ids.
    pub(super) fn choose(&mut self, block: &mut Block<'q>, keys: &[ColId], by: Option<(Expr, bool)>) {
        let columns = block.plan.output.clone();
        // What it goes by comes out beside what it returns.
        let by_column = by.as_ref().and_then(|(by, _)| by.as_column()).filter(|id| !keys.contains(id));
        let left_over = |c: &ColId| !keys.contains(c) && Some(*c) != by_column;
        let rest: Vec<ColId> = columns.iter().copied().filter(left_over).collect();
        let returned: Vec<Expr> = rest.iter().map(|id| self.column(*id)).collect();
        let items: Vec<Item> =
            keys.iter().map(|k| Item { ids: vec![*k], expr: self.column(*k), named: true }).collect();
        let mut ids = rest;
        let mut output: Vec<ColId> = keys.to_vec();
        let call = match by {
            None => ir::AggregateCall::TakeAny { returned, star: false, condition: None },
            Some((by, max)) => {
                let first = by_column.unwrap_or_else(|| self.add(if max { "max_" } else { "min_" }, by.ty));
                ids.insert(0, first);
                ir::AggregateCall::ArgExtreme { max, by, returned, star: false }
            }
        };
        output.extend(&ids);
        let aggregates =
            if ids.is_empty() { Vec::new() } else { vec![ir::AggregateItem { ids, call, named: true }] };
        block.wrap(output.into(), |input| Op::Aggregate(ir::Aggregate { input, keys: items, aggregates }));
        // In their own order again.
        let items = columns.iter().map(|id| Item { ids: vec![*id], expr: self.column(*id), named: true });
        let items = items.collect();
        block.wrap(columns, |input| Op::Project { input, items });
    }

    /// The SELECT list with its stars written out.
    pub(super) fn items(&self, block: &Block<'q>, s: &'q ast::Select) -> Result<Vec<Out<'q>>> {
        let mut out: Vec<Out<'q>> = Vec::new();
        for item in &s.projection {
            match item {
                ast::SelectItem::UnnamedExpr(e) => {
                    let name = match bare(e) {
                        ast::Expr::Identifier(i) => i.value.as_str(),
                        ast::Expr::CompoundIdentifier(parts) => {
                            parts.last().map(|p| p.value.as_str()).unwrap_or_default()
                        }
                        _ => "_",
                    };
                    out.push(Out { name: name.into(), what: What::Expr(e) });
                }
                ast::SelectItem::ExprWithAlias { expr, alias } => {
                    out.push(Out { name: SmolStr::new(&alias.value), what: What::Expr(expr) });
                }
                ast::SelectItem::Wildcard(options) => {
                    self.star(&block.sources.iter().collect::<Vec<_>>(), options, s, &mut out)?;
                }
                ast::SelectItem::QualifiedWildcard(
                    ast::SelectItemQualifiedWildcardKind::ObjectName(name),
                    options,
                ) => {
                    let own = super::name_of(name);
                    let mine = |s: &&Source| s.qualifier.as_deref().is_some_and(|q| same_name(q, own));
                    let sources: Vec<&Source> = block.sources.iter().filter(mine).collect();
                    if sources.is_empty() {
                        return Err(self.clause(s, "a star of an unknown table"));
                    }
                    self.star(&sources, options, s, &mut out)?;
                }
                _ => return Err(self.clause(s, "an item of this SELECT")),
            }
        }
        Ok(out)
    }

    fn star(
        &self,
        sources: &[&Source],
        options: &'q ast::WildcardAdditionalOptions,
        s: &'q ast::Select,
        out: &mut Vec<Out<'q>>,
    ) -> Result<()> {
        let odd = options.opt_ilike.is_some()
            || options.opt_except.is_some()
            || options.opt_rename.is_some()
            || options.opt_alias.is_some();
        if odd {
            return Err(self.clause(s, "a star of this form"));
        }
        let excluded: Vec<&str> = match &options.opt_exclude {
            None => Vec::new(),
            Some(ast::ExcludeSelectItem::Single(name)) => vec![super::name_of(name)],
            Some(ast::ExcludeSelectItem::Multiple(names)) => names.iter().map(super::name_of).collect(),
        };
        let replaced = options.opt_replace.as_ref().map(|r| r.items.as_slice()).unwrap_or_default();
        for col in sources.iter().flat_map(|s| &s.cols) {
            if excluded.iter().any(|e| same_name(e, &col.name)) {
                continue;
            }
            let new = replaced.iter().find(|r| same_name(&r.column_name.value, &col.name));
            out.push(match new {
                // Names inside of it are those of FROM.
                Some(r) => Out { name: col.name.clone(), what: What::Expr(&r.expr) },
                None => Out { name: col.name.clone(), what: What::Col(col.clone()) },
            });
        }
        Ok(())
    }

    /// The columns of the SELECT list, computed ones beside those of FROM.
    fn listed(&mut self, block: &mut Block<'q>, items: &[Out<'q>], folds: bool) -> Result<Vec<Col>> {
        self.expand(block, items)?;
        let mut cols = Vec::with_capacity(items.len());
        for item in items {
            let col = match &item.what {
                // What is known of it may have become more.
                What::Col(col) => {
                    let now = block.cols().find(|c| c.id == col.id && col.fields.is_none());
                    Col { name: item.name.clone(), ..now.unwrap_or(col).clone() }
                }
                What::Expr(e) => {
                    let e = if folds { super::test::lowered(e).unwrap_or(e) } else { e };
                    let own =
                        block.aliases.iter().find(|a| std::ptr::eq(a.expr, e)).and_then(|a| a.col.clone());
                    match own {
                        Some(col) => Col { name: item.name.clone(), ..col },
                        None => {
                            let col = self.materialized(block, &item.name, e)?;
                            if let Some(alias) = block.aliases.iter_mut().find(|a| std::ptr::eq(a.expr, e)) {
                                alias.col = Some(col.clone());
                            }
                            col
                        }
                    }
                }
            };
            cols.push(col);
        }
        Ok(cols)
    }

    /// Exactly these columns.
    pub(super) fn projected(&mut self, mut block: Block<'q>, mut cols: Vec<Col>) -> Block<'q> {
        let mut wanted: Vec<ColId> = Vec::with_capacity(cols.len());
        let mut items = Vec::with_capacity(cols.len());
        for col in &mut cols {
            self.passed(col, &mut wanted, &mut items);
        }
        // What is known of their NULLs goes with them.
        for id in cols.iter().filter_map(|c| c.nulls.known) {
            if !wanted.contains(&id) {
                wanted.push(id);
                items.push(Item { ids: vec![id], expr: self.column(id), named: true });
            }
        }
        let open = block.sources.iter().find_map(|s| s.open.clone()).filter(|_| block.sources.len() == 1);
        if *block.plan.output != *wanted {
            let computed = literal_row(&block.plan, &items);
            match computed {
                Some(rows) => {
                    block.plan = Plan::new(
                        Op::Values(ir::Values { rows: vec![rows], print: true }),
                        wanted,
                        Span::default(),
                    );
                }
                None => block.wrap(wanted.into(), |input| Op::Project { input, items }),
            }
        }
        block.sources = vec![Source { qualifier: None, cols, open }];
        block.aliases.clear();
        block.windows = None;
        block
    }

    /// A column of a list, under an id of its own if the id is in the list already.
    fn passed(&mut self, col: &mut Col, wanted: &mut Vec<ColId>, items: &mut Vec<Item>) {
        if let Some(fields) = &mut col.fields {
            for field in fields {
                self.passed(field, wanted, items);
            }
            return;
        }
        let expr = self.column(col.id);
        if wanted.contains(&col.id)
            || !same_name(self.columns.name(col.id), &col.name)
                && !is_suffixed(self.columns.name(col.id), &col.name)
        {
            col.id = self.add(&col.name, expr.ty);
        }
        wanted.push(col.id);
        items.push(Item { ids: vec![col.id], expr, named: true });
    }

    /// ORDER BY over the columns of a finished block.
    pub(super) fn order(
        &mut self,
        block: &mut Block<'q>,
        order: &'q [ast::OrderByExpr],
        limited: bool,
    ) -> Result<()> {
        self.sort_with(block, None, &[], order, limited)
    }

    fn sort_with(
        &mut self,
        block: &mut Block<'q>,
        list: Option<&[Col]>,
        projection: &[ast::SelectItem],
        order: &'q [ast::OrderByExpr],
        limited: bool,
    ) -> Result<()> {
        if order.is_empty() {
            return Ok(());
        }
        let mut keys = Vec::with_capacity(order.len());
        for key in order {
            let listed: Vec<Col> = list.map_or_else(|| block.cols().cloned().collect(), <[Col]>::to_vec);
            let named = match (bare(&key.expr), list) {
                (ast::Expr::Identifier(i), Some(cols)) => cols.iter().find(|c| same_name(&c.name, &i.value)),
                // By its place in the list.
                (ast::Expr::Value(_), _) => match literal::constant_number(&key.expr) {
                    Some(n) => {
                        let at = usize::try_from(n).ok().and_then(|n| n.checked_sub(1));
                        let found = at.and_then(|at| listed.get(at));
                        if found.is_none() {
                            return Err(self.clause(&key.expr, "an order by this place"));
                        }
                        found
                    }
                    None => None,
                },
                _ => None,
            };
            // As the list writes it.
            let named = named.or_else(|| place_in(projection, &key.expr).and_then(|at| listed.get(at)));
            let val = match named {
                Some(col) => Val::new(self.column(col.id), col.nulls.clone()),
                None => self.value(block, &key.expr)?,
            };
            self.sort_keys(val, key, limited, &mut keys)?;
        }
        let output = block.plan.output.clone();
        block.wrap(output, |input| Op::Sort { input, keys });
        block.sorted = true;
        Ok(())
    }

    /// A key of an order. A text that is NULL has a place of its own, which the IR does not know.
    pub(super) fn sort_keys(
        &self,
        val: Val,
        key: &ast::OrderByExpr,
        matters: bool,
        out: &mut Vec<SortKey>,
    ) -> Result<()> {
        let descending = match &key.options.sort {
            None | Some(ast::OrderBySort::Asc) => false,
            Some(ast::OrderBySort::Desc) => true,
            Some(_) => return Err(self.clause(&key.expr, "this order")),
        };
        if key.with_fill.is_some() {
            return Err(self.clause(&key.expr, "this order"));
        }
        let nulls_first = key.options.nulls_first.unwrap_or(match self.traits.null_order {
            NullOrder::Last => false,
            NullOrder::Low => !descending,
            NullOrder::High => descending,
        });
        if val.e.ty == Type::String && val.nulls.sql && matters {
            match self.cond(&val) {
                Ok(None) => {}
                Ok(Some(null)) => {
                    out.push(SortKey { expr: null, descending: nulls_first, nulls_first: false })
                }
                Err(()) => return Err(self.null(&key.expr, "a text that rows are sorted by")),
            }
        }
        out.push(SortKey { expr: val.e, descending, nulls_first });
        Ok(())
    }
}

/// Where an expression stands in a SELECT list without stars.
fn place_in(projection: &[ast::SelectItem], e: &ast::Expr) -> Option<usize> {
    let items: Option<Vec<&ast::Expr>> = projection
        .iter()
        .map(|item| match item {
            ast::SelectItem::UnnamedExpr(e) | ast::SelectItem::ExprWithAlias { expr: e, .. } => Some(e),
            _ => None,
        })
        .collect();
    items?.into_iter().position(|own| super::unify::same(own, e))
}

/// `Foo__2`: the name in SQL of a column `foo` beside another `Foo`.
fn is_suffixed(name: &str, shown: &str) -> bool {
    shown
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix("__"))
        .is_some_and(|n| n.parse::<u32>().is_ok())
}

/// A SELECT without FROM: its list as literal values, where none rests on another.
fn literal_row(plan: &Plan, items: &[Item]) -> Option<Vec<Expr>> {
    let Op::Extend { input, items: computed } = &*plan.op else { return None };
    let Op::Values(values) = &*input.op else { return None };
    if !values.print || !input.output.is_empty() {
        return None;
    }
    items
        .iter()
        .map(|item| {
            let id = item.expr.as_column()?;
            computed.iter().find(|c| c.ids == [id]).map(|c| c.expr.clone())
        })
        .collect()
}

/// A plain call: its name and arguments.
pub(super) fn named_call(e: &ast::Expr) -> Option<(String, Vec<&ast::Expr>)> {
    let ast::Expr::Function(f) = bare(e) else { return None };
    Some((function_name(f)?, plain_args(f)?))
}
