//! GROUP BY and the aggregates.

use super::block::{Alias, Block, Col, Source, same_name};
use super::nulls::Nulls;
use super::select::{Out, What};
use super::unify::{self, Holes, bare, function_name, same};
use super::{Lifter, Place, Refusal, Result, Val, heads};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::functions::{self, FunctionKind};
use ruleferry_ir::{self as ir, Aggregate, AggregateCall, AggregateItem, ColId, Expr, Item, Op, Type};
use ruleferry_targets::sql::{ArgType, Template};
use smol_str::SmolStr;
use sqlparser::ast;
use std::ops::ControlFlow;

/// The engine's aggregates that templates use.
const AGGREGATES: [&str; 34] = [
    "any_value",
    "approx_count_distinct",
    "arg_max",
    "arg_max_null",
    "arg_min",
    "arg_min_null",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "count",
    "covar_pop",
    "covar_samp",
    "first",
    "histogram",
    "last",
    "list",
    "max",
    "median",
    "min",
    "mode",
    "quantile",
    "quantile_cont",
    "quantile_disc",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "var_pop",
    "var_samp",
    "variance",
];

/// Whether an expression holds an aggregate of the rows around it.
pub(super) fn aggregates(e: &ast::Expr) -> bool {
    match bare(e) {
        ast::Expr::Function(f) => {
            let name = function_name(f).unwrap_or_default();
            if f.over.is_some() {
                return window_parts(f).into_iter().any(aggregates);
            }
            let own = AGGREGATES.binary_search(&name.as_str()).is_ok();
            own || parts(e).is_some_and(|parts| parts.into_iter().any(aggregates))
        }
        ast::Expr::Subquery(_) | ast::Expr::InSubquery { .. } | ast::Expr::Exists { .. } => false,
        other => match parts(other) {
            Some(parts) => parts.into_iter().any(aggregates),
            None => {
                let mut found = false;
                let _ = ast::visit_expressions(other, |inner| {
                    found |= matches!(inner, ast::Expr::Function(f)
                        if f.over.is_none() && AGGREGATES.contains(&function_name(f).unwrap_or_default().as_str()));
                    ControlFlow::<()>::Continue(())
                });
                found
            }
        },
    }
}

/// What stands in a call with a window.
fn window_parts(f: &ast::Function) -> Vec<&ast::Expr> {
    let mut parts = Vec::new();
    if let ast::FunctionArguments::List(list) = &f.args {
        for arg in &list.args {
            if let ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(e)) = arg {
                parts.push(e);
            }
        }
    }
    if let Some(ast::WindowType::WindowSpec(spec)) = &f.over {
        parts.extend(&spec.partition_by);
        parts.extend(spec.order_by.iter().map(|k| &k.expr));
    }
    parts
}

fn parts(e: &ast::Expr) -> Option<Vec<&ast::Expr>> {
    unify::shape(e).map(|(_, parts)| parts)
}

/// A group key: the tree that it is written as, and the column that it became.
struct Key<'q> {
    node: &'q ast::Expr,
    col: Col,
}

impl<'q> Lifter<'q> {
    pub(super) fn grouped(
        &mut self,
        mut block: Block<'q>,
        s: &'q ast::Select,
        items: &[Out<'q>],
    ) -> Result<Block<'q>> {
        let (mut keys, mut key_items) = (Vec::new(), Vec::new());
        match &s.group_by {
            ast::GroupByExpr::All(_) => {
                for item in items {
                    match item.what {
                        What::Expr(e) if aggregates(e) => {}
                        What::Expr(e) => {
                            keys.push(self.group_key(&mut block, &item.name, e, &mut key_items)?)
                        }
                        What::Col(_) => return Err(self.clause(s, "a star beside GROUP BY")),
                    }
                }
            }
            ast::GroupByExpr::Expressions(list, _) => {
                for e in list {
                    let name = items
                        .iter()
                        .find(|i| matches!(i.what, What::Expr(own) if same(own, e)))
                        .map(|i| i.name.clone());
                    let name = name.unwrap_or_else(|| match bare(e) {
                        ast::Expr::Identifier(i) => SmolStr::new(&i.value),
                        ast::Expr::CompoundIdentifier(parts) => {
                            parts.last().map(|p| SmolStr::new(&p.value)).unwrap_or_default()
                        }
                        _ => "key_".into(),
                    });
                    // By its place in the list, or by its name there.
                    let place = match bare(e) {
                        ast::Expr::Value(_) => {
                            let n = super::literal::constant_number(e).and_then(|n| usize::try_from(n).ok());
                            let found = n.and_then(|n| n.checked_sub(1)).and_then(|at| items.get(at));
                            match found {
                                Some(Out { what: What::Expr(own), name }) => Some((*own, name.clone())),
                                _ => return Err(self.clause(e, "a key by this place")),
                            }
                        }
                        ast::Expr::Identifier(i) if self.find(&block, &i.value, None, i)?.is_none() => items
                            .iter()
                            .find(|item| same_name(&item.name, &i.value))
                            .and_then(|item| match item.what {
                                What::Expr(own) if !same(own, e) => Some((own, item.name.clone())),
                                What::Expr(_) | What::Col(_) => None,
                            }),
                        _ => None,
                    };
                    let (e, name) = place.unwrap_or((e, name));
                    if aggregates(e) {
                        return Err(self.clause(e, "a key that is an aggregate"));
                    }
                    keys.push(self.group_key(&mut block, &name, e, &mut key_items)?);
                }
            }
        }
        // A group by keys has rows; the one group of none may have none, unless it says so.
        self.groups_have_rows = !key_items.is_empty() || s.having.as_ref().is_some_and(counts_rows);
        let mut calls: Vec<AggregateItem> = Vec::new();
        let mut order: Option<Vec<ir::SortKey>> = None;
        let nodes = items.iter().filter_map(|i| match i.what {
            What::Expr(e) => Some((e, i.name.clone())),
            What::Col(_) => None,
        });
        let having = s.having.iter().chain(&s.qualify).map(|e| (e, SmolStr::new_static("having_")));
        let mut structs: Vec<(usize, Col)> = Vec::new();
        for (e, name) in nodes.chain(having) {
            self.calls_in(&mut block, e, &name, &keys, &mut calls, &mut order, &mut structs)?;
        }
        if let Some(keys) = order {
            // What a list collects comes in the order that it names.
            let output = block.plan.output.clone();
            block.wrap(output, |input| Op::Sort { input, keys });
        }
        let mut output: Vec<ColId> = key_items.iter().flat_map(|k: &Item| k.ids.clone()).collect();
        output.extend(calls.iter().flat_map(|c| c.ids.iter().copied()));
        let mut cols: Vec<Col> = keys.iter().map(|k| k.col.clone()).collect();
        cols.retain({
            let mut seen: Vec<SmolStr> = Vec::new();
            move |c| {
                let new = !seen.iter().any(|s| same_name(s, &c.name));
                seen.push(c.name.clone());
                new
            }
        });
        let empty = ir::Plan::new(Op::Rows, Vec::new(), Span::default());
        let input = std::mem::replace(&mut block.plan, empty);
        if key_items.is_empty() && calls.is_empty() {
            return Err(self.clause(s, "a GROUP BY of nothing"));
        }
        let aggregate = Aggregate { input, keys: key_items, aggregates: calls };
        let plan = ir::Plan::new(Op::Aggregate(aggregate), output, Span::default());
        let from = std::mem::take(&mut block.sources);
        let mut after = Block::new(plan, vec![Source { qualifier: None, cols, open: None }]);
        for item in items {
            if let What::Expr(expr) = item.what {
                after.aliases.push(Alias { name: item.name.clone(), expr, col: None, busy: false });
            }
        }
        for key in &keys {
            self.keyed.push((key.node, Val::new(self.column(key.col.id), key.col.nulls.clone())));
        }
        let done = self.after_groups(&mut after, s, items, &from, &structs);
        self.keyed.clear();
        let cols = done?;
        let mut finished = self.projected(after, cols);
        finished.unique = None;
        Ok(finished)
    }

    /// HAVING and the SELECT list over the groups.
    fn after_groups(
        &mut self,
        after: &mut Block<'q>,
        s: &'q ast::Select,
        items: &[Out<'q>],
        from: &[Source],
        structs: &[(usize, Col)],
    ) -> Result<Vec<Col>> {
        if let Some(having) = &s.having {
            // A name of FROM comes before one of the list.
            let mut hidden = None;
            let _ = ast::visit_expressions(having, |e| {
                if let ast::Expr::Identifier(i) = e {
                    let in_from = from.iter().flat_map(|s| &s.cols).find(|c| same_name(&c.name, &i.value));
                    let key =
                        after.sources.iter().flat_map(|s| &s.cols).find(|c| same_name(&c.name, &i.value));
                    if let Some(col) = in_from
                        && key.is_none_or(|k| k.id != col.id)
                        && !self.keyed.iter().any(|(node, _)| same(node, e))
                        && items.iter().any(|o| same_name(&o.name, &i.value))
                    {
                        hidden = Some(i.clone());
                    }
                }
                ControlFlow::<()>::Continue(())
            });
            if let Some(ident) = hidden
                && !aggregates(having)
            {
                let message =
                    format!("`{}` in HAVING is a name of FROM, too: it is not read back", ident.value);
                return Err(Refusal::new(codes::SQL_READ_CLAUSE, self.lines.range(ident.span), message));
            }
            let mut tests = Vec::new();
            super::from::conjuncts(having, &mut tests);
            let test = Expr::and(self.conjunction(after, tests)?, Span::default());
            after.filter(test);
        }
        if let Some(qualify) = &s.qualify {
            self.qualify(after, qualify)?;
        }
        let mut cols = Vec::with_capacity(items.len());
        for item in items {
            let What::Expr(e) = item.what else { continue };
            if let Some((_, col)) = structs.iter().find(|(at, _)| *at == std::ptr::from_ref(bare(e)).addr()) {
                cols.push(Col { name: item.name.clone(), ..col.clone() });
                continue;
            }
            let made = after.aliases.iter().find(|a| std::ptr::eq(a.expr, e)).and_then(|a| a.col.clone());
            let col = match made {
                Some(col) => col,
                None => {
                    let val = self.value(after, e)?;
                    self.put_known(after, &item.name, val, std::ptr::from_ref(e).addr())
                }
            };
            cols.push(Col { name: item.name.clone(), ..col });
        }
        Ok(cols)
    }

    fn group_key(
        &mut self,
        block: &mut Block<'q>,
        name: &SmolStr,
        e: &'q ast::Expr,
        items: &mut Vec<Item>,
    ) -> Result<Key<'q>> {
        let made = block.aliases.iter().find(|a| std::ptr::eq(a.expr, e)).and_then(|a| a.col.clone());
        let val = match made {
            Some(col) => Val::new(self.column(col.id), col.nulls),
            None => self.value(block, e)?,
        };
        let mut flag = None;
        if val.e.ty == Type::String && val.nulls.sql && !val.nulls.never_empty {
            match self.is_there(&val) {
                Ok(there) => flag = there,
                Err(()) => return Err(self.null(e, "a text that rows are grouped by")),
            }
        }
        if val.e.ty == Type::Dynamic && !matches!(bare(e), ast::Expr::Value(_)) {
            // JSON's null and NULL are two groups; so are two texts of one value.
            self.assume("equal dynamic values have equal texts where rows are grouped by them");
        }
        let same_column = val.e.as_column().filter(|id| {
            same_name(self.columns.name(*id), name) && !items.iter().any(|i| i.ids.contains(id))
        });
        let id = match same_column {
            Some(id) => id,
            None => self.add(name, val.e.ty),
        };
        let mut nulls = val.nulls.as_column();
        if nulls.never_empty && val.e.ty == Type::String {
            // What was NULL is "" now.
            nulls.exact &= !nulls.sql;
        }
        items.push(Item { ids: vec![id], expr: val.e, named: true });
        if let Some(there) = flag {
            let id = self.add("known_", Type::Bool);
            self.flags.insert(id);
            items.push(Item { ids: vec![id], expr: there, named: true });
            nulls = Nulls { known: Some(id), ..Nulls::OPEN };
        }
        Ok(Key { node: e, col: Col { name: name.clone(), id, nulls, fields: None } })
    }

    pub(super) fn assume(&mut self, text: &str) {
        if !self.assumptions.iter().any(|a| a == text) {
            self.assumptions.push(text.to_owned());
        }
    }

    /// The aggregates in an expression, each as a column that is known from here on.
    #[expect(clippy::too_many_arguments, reason = "what one pass collects")]
    fn calls_in(
        &mut self,
        block: &mut Block<'q>,
        e: &'q ast::Expr,
        name: &SmolStr,
        keys: &[Key<'q>],
        calls: &mut Vec<AggregateItem>,
        order: &mut Option<Vec<ir::SortKey>>,
        structs: &mut Vec<(usize, Col)>,
    ) -> Result<()> {
        let e = bare(e);
        if !aggregates(e) || keys.iter().any(|k| same(k.node, e)) {
            return Ok(());
        }
        if let Some((call, types, names)) = self.choice(block, e)? {
            let mut ids = Vec::with_capacity(types.len());
            for (i, ty) in types.iter().enumerate() {
                let own = names.get(i).cloned().unwrap_or_else(|| name.clone());
                ids.push(self.add(&own, *ty));
            }
            // The first of `arg_max` is what it goes by, which SQL has apart.
            let skip = usize::from(matches!(call, AggregateCall::ArgExtreme { .. }));
            let fields: Vec<Col> = ids
                .iter()
                .skip(skip)
                .zip(names.iter().skip(skip))
                .map(|(id, n)| Col { name: n.clone(), id: *id, nulls: Nulls::OPEN, fields: None })
                .collect();
            let fields = fields.into_iter().map(|c| self.typed_nulls(c)).collect::<Vec<_>>();
            if names.is_empty() {
                if let Some(id) = ids.get(skip) {
                    let col = self.typed_nulls(Col {
                        name: name.clone(),
                        id: *id,
                        nulls: Nulls::OPEN,
                        fields: None,
                    });
                    let val = Val::new(self.column(col.id), col.nulls);
                    self.known.insert(std::ptr::from_ref(e).addr(), val);
                }
            } else {
                let id = fields.first().map_or(ColId(u32::MAX), |f| f.id);
                let col = Col { name: name.clone(), id, nulls: Nulls::OPEN, fields: Some(fields) };
                structs.push((std::ptr::from_ref(e).addr(), col));
            }
            calls.push(AggregateItem { ids, call, named: true });
            return Ok(());
        }
        let own = match bare(e) {
            ast::Expr::Function(f) if f.over.is_none() => {
                AGGREGATES.binary_search(&function_name(f).unwrap_or_default().as_str()).is_ok()
            }
            _ => false,
        };
        let template = match self.aggregate_template(block, e) {
            Ok(None) | Err(_) if own => {
                let known = self.plain_aggregate(block, e);
                match known {
                    Ok(Some(found)) => Ok(Some(found)),
                    Ok(None) | Err(_) => {
                        let found = self.collected(block, e, name, calls)?;
                        if let Some(val) = found {
                            if let Some(keys) = self.list_order(block, e)? {
                                match order {
                                    None => *order = Some(keys),
                                    Some(old) if old.len() == keys.len() => {}
                                    Some(_) => return Err(self.clause(e, "lists in several orders")),
                                }
                            }
                            self.known.insert(std::ptr::from_ref(e).addr(), val);
                            return Ok(());
                        }
                        known
                    }
                }
            }
            other => other,
        };
        let template = match template {
            Ok(Some(found)) => Some(found),
            Ok(None) => self.plain_aggregate(block, e)?,
            Err(refusal) => match self.plain_aggregate(block, e)? {
                Some(found) => Some(found),
                None => return Err(refusal),
            },
        };
        if let Some((call, ty, nulls)) = template {
            if let Some(keys) = self.list_order(block, e)? {
                match order {
                    None => *order = Some(keys),
                    Some(old) if old.len() == keys.len() => {}
                    Some(_) => return Err(self.clause(e, "lists in several orders")),
                }
            }
            let id = self.add(name, ty);
            self.known.insert(std::ptr::from_ref(e).addr(), Val::new(self.column(id), nulls));
            calls.push(AggregateItem { ids: vec![id], call, named: true });
            return Ok(());
        }
        let below = match e {
            ast::Expr::Function(f) if f.over.is_some() => Some(window_parts(f)),
            e => parts(e),
        };
        let Some(parts) = below else { return Err(self.function(e, "an aggregate in this form")) };
        if let ast::Expr::Function(f) = e
            && f.over.is_none()
            && AGGREGATES.binary_search(&function_name(f).unwrap_or_default().as_str()).is_ok()
        {
            return Err(self.function(e, format!("the aggregate `{}`", super::expr::short(e))));
        }
        for part in parts {
            self.calls_in(block, part, name, keys, calls, order, structs)?;
        }
        Ok(())
    }

    /// A value that was chosen from a row: text may be NULL or not.
    fn typed_nulls(&self, col: Col) -> Col {
        let text = self.columns.ty(col.id) == Type::String;
        Col { nulls: if text { Nulls::OPEN } else { Nulls::EXACT }, ..col }
    }

    /// `arg_max_null(x, by)`, `any_value(x)`, also of a struct of several columns. With the types of the columns that it makes, and
    /// their names where it is a struct.
    #[expect(clippy::type_complexity, reason = "the three facts of a choice")]
    fn choice(
        &mut self,
        block: &mut Block<'q>,
        e: &'q ast::Expr,
    ) -> Result<Option<(AggregateCall, Vec<Type>, Vec<SmolStr>)>> {
        let ast::Expr::Function(f) = e else { return Ok(None) };
        let name = function_name(f).unwrap_or_default();
        let ast::FunctionArguments::List(list) = &f.args else { return Ok(None) };
        let args: Option<Vec<&'q ast::Expr>> = list
            .args
            .iter()
            .map(|a| match a {
                ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(e)) => Some(e),
                _ => None,
            })
            .collect();
        let usual = f.over.is_none() && list.duplicate_treatment.is_none() && list.clauses.is_empty();
        let Some(args) = args.filter(|_| usual) else { return Ok(None) };
        match (name.as_str(), args.as_slice()) {
            ("arg_max_null" | "arg_min_null", [value, by]) if f.filter.is_none() => {
                let max = name == "arg_max_null";
                let by = match bare(by) {
                    // Any row where it is NULL in all of them.
                    ast::Expr::Tuple(pair) => match pair.as_slice() {
                        [ast::Expr::IsNotNull(test), by] if max && same(test, by) => by,
                        [ast::Expr::IsNull(test), by] if !max && same(test, by) => by,
                        _ => return Err(self.function(e, "an order of rows like this")),
                    },
                    other => other,
                };
                let by = self.value(block, by)?;
                if by.e.ty == Type::String && by.nulls.sql {
                    return Err(self.null(e, "a text that a row is chosen by"));
                }
                let (returned, names) = self.returned(block, value)?;
                let types = std::iter::once(by.e.ty).chain(returned.iter().map(|r| r.ty)).collect();
                let names = if names.is_empty() {
                    names
                } else {
                    let by = SmolStr::new_static(if max { "max_" } else { "min_" });
                    std::iter::once(by).chain(names).collect()
                };
                let call = AggregateCall::ArgExtreme { max, by: by.e, returned, star: false };
                Ok(Some((call, types, names)))
            }
            ("any_value", [value]) => {
                let condition = match &f.filter {
                    Some(c) => Some(self.test(block, c, Place::Keep)?),
                    None => None,
                };
                let (returned, names) = self.returned(block, value)?;
                let types = returned.iter().map(|r| r.ty).collect();
                Ok(Some((AggregateCall::TakeAny { returned, star: false, condition }, types, names)))
            }
            _ => Ok(None),
        }
    }

    /// The value that a choice returns, or the fields of the struct.
    fn returned(&mut self, block: &mut Block<'q>, value: &'q ast::Expr) -> Result<(Vec<Expr>, Vec<SmolStr>)> {
        let ast::Expr::Dictionary(fields) = bare(value) else {
            return Ok((vec![self.value(block, value)?.e], Vec::new()));
        };
        let mut values = Vec::with_capacity(fields.len());
        let mut names = Vec::with_capacity(fields.len());
        for field in fields {
            values.push(self.value(block, &field.value)?.e);
            names.push(SmolStr::new(&field.key.value));
        }
        Ok((values, names))
    }

    fn aggregate_template(
        &mut self,
        block: &mut Block<'q>,
        e: &'q ast::Expr,
    ) -> Result<Option<(AggregateCall, Type, Nulls)>> {
        let Some((head, _)) = unify::shape(e) else { return Ok(None) };
        let mut last = None;
        for (pattern, template) in heads::aggregates(self.data, &head) {
            let mut holes = Holes::default();
            if !self.defines(template.macros) || !unify::unify(&pattern.tree, e, &mut holes) {
                continue;
            }
            // What has one answer before what may have several: `count(DISTINCT …)` is no estimate.
            let name = match template.name {
                "dcount" => "count_distinct",
                "dcountif" => "count_distinctif",
                name => name,
            };
            // A mean of no values is NULL, and NaN in the IR.
            if name == "avg" && matches!(bare(e), ast::Expr::Function(_)) {
                continue;
            }
            let Some(def) = functions::find(name, FunctionKind::Aggregate) else { continue };
            match self.aggregate_args(block, template, &holes, e) {
                Ok(Some(args)) => {
                    let types: Vec<Type> = args.iter().map(|a| a.ty).collect();
                    let ty = def.return_type(&types);
                    let never = template.nulls == ruleferry_targets::sql::Nulls::Never;
                    let nulls = match (never, ty) {
                        (true, _) => Nulls::PRESENT,
                        (false, Type::String) => Nulls::OPEN,
                        (false, _) => Nulls::EXACT,
                    };
                    return Ok(Some((AggregateCall::Function(def, args), ty, nulls)));
                }
                Ok(None) => {}
                Err(refusal) => last = Some(refusal),
            }
        }
        last.map_or(Ok(None), Err)
    }

    /// Aggregates that no template writes.
    fn plain_aggregate(
        &mut self,
        block: &mut Block<'q>,
        e: &'q ast::Expr,
    ) -> Result<Option<(AggregateCall, Type, Nulls)>> {
        if let Some((name, args)) = super::select::named_call(e)
            && let ("count", [value]) = (name.as_str(), args.as_slice())
            && let Some(def) = functions::find("countif", FunctionKind::Aggregate)
        {
            // Rows with a value.
            let val = self.value(block, value)?;
            let test = match self.cond(&val) {
                Ok(Some(null)) if val.e.ty != Type::Dynamic => null.negated(Span::default()),
                Ok(None) => Expr::bool(true, Span::default()),
                Ok(Some(_)) | Err(()) => return Err(self.null(e, "a value that is counted")),
            };
            return Ok(Some((AggregateCall::Function(def, vec![test]), Type::Long, Nulls::PRESENT)));
        }
        self.list_of_all(block, e)
    }

    /// `to_json(list(x ORDER BY …))` of a group that has rows: all values, NULLs, too.
    fn list_of_all(
        &mut self,
        block: &mut Block<'q>,
        e: &'q ast::Expr,
    ) -> Result<Option<(AggregateCall, Type, Nulls)>> {
        if !self.groups_have_rows {
            return Ok(None);
        }
        let inner = match super::select::named_call(e) {
            Some((name, args)) if name == "to_json" => match args.as_slice() {
                [one] => bare(one),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        let ast::Expr::Function(f) = inner else { return Ok(None) };
        let ast::FunctionArguments::List(list) = &f.args else { return Ok(None) };
        let plain = function_name(f).as_deref() == Some("list")
            && f.filter.is_none()
            && f.over.is_none()
            && list.duplicate_treatment.is_none();
        let [ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(value))] = list.args.as_slice() else {
            return Ok(None);
        };
        let def = functions::find("make_list_with_nulls", FunctionKind::Aggregate);
        let (true, Some(def)) = (plain, def) else { return Ok(None) };
        let val = self.value(block, super::template::timed(value).unwrap_or(value))?;
        if val.e.ty == Type::String && val.nulls.sql {
            return Err(self.null(e, "a text in an aggregate"));
        }
        Ok(Some((AggregateCall::Function(def, vec![val.e]), Type::Dynamic, Nulls::PRESENT)))
    }

    fn aggregate_args(
        &mut self,
        block: &mut Block<'q>,
        template: &'static Template,
        holes: &Holes<'q>,
        node: &'q ast::Expr,
    ) -> Result<Option<Vec<Expr>>> {
        if holes.rest.is_some() {
            return Ok(None);
        }
        let mut args = Vec::with_capacity(holes.places.len());
        for (i, place) in holes.places.iter().enumerate() {
            let Some(e) = place else { return Ok(None) };
            let wanted = template.args.and_then(|a| a.get(i));
            if wanted == Some(&ArgType::Is(Type::Bool)) {
                // A row counts where it holds.
                args.push(self.test(block, e, Place::Keep)?);
                continue;
            }
            let val = self.argument(block, template, i, e)?;
            let text = val.e.ty == Type::String;
            if text && val.nulls.sql && wanted != Some(&ArgType::Is(Type::String)) {
                return Err(self.null(node, "a text in an aggregate"));
            }
            args.push(val.e);
        }
        let types: Vec<Type> = args.iter().map(|a| a.ty).collect();
        let chosen = ruleferry_targets::sql::select(self.data.aggregates(template.name), &types);
        Ok(chosen.is_some_and(|c| c.sql == template.sql).then_some(args))
    }

    /// The order that `list(x ORDER BY …)` collects in.
    fn list_order(&mut self, block: &mut Block<'q>, e: &'q ast::Expr) -> Result<Option<Vec<ir::SortKey>>> {
        let mut lists: Vec<&'q [ast::OrderByExpr]> = Vec::new();
        find_orders(e, &mut lists);
        let Some(first) = lists.first() else { return Ok(None) };
        let mut keys = Vec::with_capacity(first.len());
        for key in *first {
            let val = self.value(block, &key.expr)?;
            self.sort_keys(val, key, true, &mut keys)?;
        }
        Ok(Some(keys))
    }
}

/// `count(…) > 0` among what must hold.
fn counts_rows(having: &ast::Expr) -> bool {
    let mut tests = Vec::new();
    super::from::conjuncts(having, &mut tests);
    tests.iter().any(|t| match bare(t) {
        ast::Expr::BinaryOp { left, op: ast::BinaryOperator::Gt, right } => {
            let counts =
                matches!(bare(left), ast::Expr::Function(f) if function_name(f).as_deref() == Some("count"));
            counts && super::literal::constant_number(right) == Some(0)
        }
        _ => false,
    })
}

fn find_orders<'q>(e: &'q ast::Expr, out: &mut Vec<&'q [ast::OrderByExpr]>) {
    if let ast::Expr::Function(f) = bare(e)
        && let ast::FunctionArguments::List(list) = &f.args
    {
        for clause in &list.clauses {
            if let ast::FunctionArgumentClause::OrderBy(keys) = clause {
                out.push(keys);
            }
        }
    }
    for part in parts(e).unwrap_or_default() {
        find_orders(part, out);
    }
}
