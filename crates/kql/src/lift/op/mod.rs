//! Tabular operators, one at a time: a relation in, a relation out.

mod columns;
mod expand;
mod join;
mod parse;
mod plugin;
mod rows;
mod scan;
mod search;
mod series;
mod summarize;
mod union;

use super::scope::{Def, Env, Rel, Scope};
use super::{Lifter, MAX_PLAN_DEPTH, codes};
use crate::syntax::tree::{self, ColumnNames, NamedExpr, Operator, OperatorKind, Param, ParamValue};
use ruleferry_diag::{Diagnostic, Span};
use ruleferry_ir::{self as ir, ColId, Item, Op, Opaque, Plan, Type};
use smol_str::SmolStr;

/// Output columns of an operator while they are put together.
#[derive(Debug, Default)]
struct Outputs {
    ids: Vec<ColId>,
    /// Last number given to a `ColumnN`.
    unnamed: u32,
    /// How many of the ids are columns of the rows before (`extend`).
    row: usize,
}

impl Rel {
    /// The relation after an operator that keeps the columns' sources in reach.
    fn then(
        self,
        op: impl FnOnce(Plan) -> Op,
        output: impl Into<std::sync::Arc<[ColId]>>,
        span: Span,
    ) -> Self {
        let plan = Plan::new(op(self.plan), output, span);
        Self { plan, origins: self.origins, ordered: self.ordered, depth: self.depth + 1 }
    }

    /// The same columns after an operator on rows.
    fn same(self, op: impl FnOnce(Plan) -> Op, span: Span) -> Self {
        let output = std::sync::Arc::clone(&self.plan.output);
        self.then(op, output, span)
    }

    /// Only the output columns exist from here on.
    fn closed(mut self) -> Self {
        self.origins = super::scope::Origins::default();
        self
    }

    fn unordered(mut self) -> Self {
        self.ordered = false;
        self
    }

    fn in_order(mut self) -> Self {
        self.ordered = true;
        self
    }
}

impl<'t> Lifter<'t> {
    /// Operators after a source. `host` are the rows of the operator whose body this is.
    pub(super) fn pipeline(&mut self, pipeline: &'t tree::Pipeline, host: Option<Rel>, env: Env) -> Rel {
        // Without a host, `table` has counted the level.
        if host.is_none() {
            return self.operators(pipeline, host, env);
        }
        if !self.enter(pipeline.span.0) {
            return self.nothing(pipeline.span.0);
        }
        let rel = self.operators(pipeline, host, env);
        self.leave();
        rel
    }

    fn operators(&mut self, pipeline: &'t tree::Pipeline, host: Option<Rel>, env: Env) -> Rel {
        let mut rel = match (&pipeline.source, host) {
            (Some(source), _) => Some(self.table(source, env)),
            (None, host) => host,
        };
        for op in &pipeline.operators {
            if self.exhausted {
                return self.nothing(op.span.0);
            }
            if let OperatorKind::As { params, name } = &op.kind
                && let Some(input) = rel.take()
            {
                rel = Some(self.named_rows(name, params, input));
                continue;
            }
            let next = self.operator(op, rel.take(), env);
            if next.depth > MAX_PLAN_DEPTH {
                let message = format!("more than {MAX_PLAN_DEPTH} operators in a row");
                self.exhaust(codes::LIFT_TOO_DEEP, op.span.0, message);
            }
            rel = Some(next);
        }
        rel.unwrap_or_else(|| self.nothing(pipeline.span.0))
    }

    /// `as name`: the rows up to here can be asked for again by whatever follows in the text.
    fn named_rows(&mut self, name: &'t tree::Name, params: &'t [Param], input: Rel) -> Rel {
        let span = name.span.0;
        let after = self.options.source.get(span.end as usize..).unwrap_or(&name.text);
        if memchr::memmem::find(after.as_bytes(), name.text.as_bytes()).is_none() {
            // Only a label, for `withsource` and for people.
            return input;
        }
        let (ordered, depth) = (input.ordered, input.depth);
        let materialized = param(params, "hint.materialized").is_some_and(|p| self.param_text(p) == "true");
        let def = self.bind_table(&name.text, input, materialized, span);
        let rel = match &def {
            Def::Table(table) => Rel { ordered, ..self.reference(table, span) },
            Def::Rows(rel) => Rel { depth, ..(**rel).clone() },
            _ => self.nothing(span),
        };
        self.as_names.insert(name.text.clone(), def);
        rel
    }

    fn operator(&mut self, op: &'t Operator, input: Option<Rel>, env: Env) -> Rel {
        let span = op.span.0;
        match &op.kind {
            OperatorKind::Print(items) => return self.print(items, span, env),
            OperatorKind::Range(range) => return self.range(range, span, env),
            OperatorKind::Union { params, tables } => return self.union(input, params, tables, span, env),
            OperatorKind::Search(search) => return self.search(input, search, span, env),
            OperatorKind::Find(find) => return self.find(find, span, env),
            OperatorKind::Evaluate(evaluate) => return self.evaluate(input, evaluate, span, env),
            OperatorKind::MacroExpand(_) => {
                return self.opaque_plan(input, "`macro-expand` has no neutral form", span);
            }
            _ => {}
        }
        let Some(input) = input else {
            self.error(codes::VALUE_AS_TABLE, span, "this operator needs rows to work on");
            return self.nothing(span);
        };
        self.operator_on(op, input, span, env)
    }

    fn operator_on(&mut self, op: &'t Operator, input: Rel, span: Span, env: Env) -> Rel {
        match &op.kind {
            OperatorKind::Where { predicate, .. } => self.filter(input, predicate, span, env),
            OperatorKind::Extend(items) => self.extend(input, items, span, env),
            OperatorKind::Project(items) => self.project(input, items, span, env),
            OperatorKind::ProjectAway(names) => self.project_away(input, names, span),
            OperatorKind::ProjectKeep(names) => self.project_keep(input, names, span),
            OperatorKind::ProjectRename(items) => self.project_rename(input, items, span),
            OperatorKind::ProjectReorder(keys) => self.project_reorder(input, keys, span),
            OperatorKind::Serialize { columns, .. } => self.serialize(input, columns, span, env),
            OperatorKind::Sort { keys, .. } => self.sort(input, keys, span, env),
            OperatorKind::Take { count, .. } => self.limit(input, count, ir::LimitKind::Take, span, env),
            OperatorKind::Sample { count, .. } => self.limit(input, count, ir::LimitKind::Sample, span, env),
            OperatorKind::SampleDistinct { count, of, .. } => {
                self.sample_distinct(input, count, of, span, env)
            }
            OperatorKind::Top { count, by, .. } => self.top(input, count, by, span, env),
            OperatorKind::TopHitters { count, of, by, .. } => {
                self.top_hitters(input, count, of, by.as_ref(), span, env)
            }
            OperatorKind::TopNested(levels) => self.top_nested(input, levels, span, env),
            OperatorKind::Distinct { columns, .. } => self.distinct(input, columns, span, env),
            OperatorKind::Count { name, .. } => self.count(input, name.as_ref(), span),
            OperatorKind::Summarize(summarize) => self.summarize(input, summarize, span, env),
            OperatorKind::MakeSeries(series) => self.make_series(input, series, span, env),
            OperatorKind::Join(join) => self.join(input, join, false, span, env),
            OperatorKind::Lookup(join) => self.join(input, join, true, span, env),
            OperatorKind::MvExpand(expand) => self.mv_expand(input, expand, span, env),
            OperatorKind::MvApply(apply) => self.mv_apply(input, apply, span, env),
            OperatorKind::Partition(partition) => self.partition(input, partition, span, env),
            OperatorKind::Parse(parse) => self.parse(input, parse, span, env),
            OperatorKind::ParseKv(parse) => self.parse_kv(input, parse, span, env),
            OperatorKind::Scan(scan) => self.sequence(input, scan, span, env),
            OperatorKind::Invoke { call, .. } => self.invoke(input, call, span, env),
            OperatorKind::GetSchema { .. } => self.get_schema(input, span),
            OperatorKind::Render(render) => self.render(input, render, span),
            OperatorKind::Reduce(_) => self.reduce(input, span),
            // Rows as they are: `as` at the end, `consume` (which only reads them), a check of the schema, a hint.
            OperatorKind::As { .. }
            | OperatorKind::Consume(_)
            | OperatorKind::AssertSchema(_)
            | OperatorKind::ExecuteAndCache => input,
            OperatorKind::Facet { .. } => self.opaque_plan(Some(input), "`facet` gives several tables", span),
            OperatorKind::Fork(_) => self.opaque_plan(Some(input), "`fork` gives several tables", span),
            OperatorKind::ProjectByNames(names) => self.project_by_names(input, names, span, env),
            OperatorKind::GraphMarkComponents(_)
            | OperatorKind::GraphMatch(_)
            | OperatorKind::GraphShortestPaths(_)
            | OperatorKind::GraphToTable(_)
            | OperatorKind::GraphWhereEdges { .. }
            | OperatorKind::GraphWhereNodes { .. }
            | OperatorKind::MakeGraph(_) => {
                self.opaque_plan(Some(input), "graphs have no neutral form", span)
            }
            OperatorKind::Error => {
                self.error(codes::LIFT_ERROR_NODE, span, "this operator was not understood");
                input
            }
            // Handled before: they need no input.
            OperatorKind::Print(_)
            | OperatorKind::Range(_)
            | OperatorKind::Union { .. }
            | OperatorKind::Search(_)
            | OperatorKind::Find(_)
            | OperatorKind::Evaluate(_)
            | OperatorKind::MacroExpand(_) => input,
        }
    }

    /// An operator that the IR does not have. Its columns are learned from what follows.
    pub(super) fn opaque_plan(&mut self, input: Option<Rel>, reason: &str, span: Span) -> Rel {
        self.opaque += 1;
        self.diagnose(Diagnostic::warning(codes::NOT_IN_IR, span, reason));
        let opaque = Opaque { language: "kql", text: self.text(span).into(), reason: reason.to_owned() };
        let key = self
            .knowledge
            .key(super::learn::SourceName::Operator("the operator without a neutral form", span));
        let (input, output, depth) = match input {
            Some(rel) => (Some(rel.plan.clone()), rel.plan.output.to_vec(), rel.depth + 1),
            None => (None, Vec::new(), 1),
        };
        let plan = Plan::new(Op::Opaque { input, opaque }, output, span);
        let origins = super::scope::Origins { open: vec![key], ..Default::default() };
        let mut rel = Rel { plan, origins, ordered: false, depth };
        self.append_learned(&mut rel, key);
        rel
    }

    /// `name`, or with the first number that makes it different from the names of these columns.
    pub(super) fn fresh_name(&self, columns: &[ColId], name: &str) -> SmolStr {
        if self.find_column(columns, name).is_none() {
            return SmolStr::new(name);
        }
        let mut n = 1u32;
        loop {
            let candidate = format!("{name}{n}");
            if self.find_column(columns, &candidate).is_none() {
                return SmolStr::from(candidate);
            }
            n += 1;
        }
    }

    /// The next `ColumnN`. Numbers of columns of the rows before are passed over; a name that the operator itself made gets a
    /// suffix as any other.
    fn unnamed(&self, out: &mut Outputs) -> SmolStr {
        let row = out.ids.get(..out.row).unwrap_or_default();
        loop {
            out.unnamed += 1;
            let candidate = format!("Column{}", out.unnamed);
            if self.find_column(row, &candidate).is_none() {
                return self.fresh_name(&out.ids, &candidate);
            }
        }
    }

    /// Adds an output column that nothing else has the name of.
    fn push_column(&mut self, out: &mut Outputs, name: Option<&str>, ty: Type, span: Span) -> ColId {
        let name = match name {
            _ if self.exhausted || !self.allows_columns(out.ids.len(), span) => SmolStr::default(),
            Some(name) => self.fresh_name(&out.ids, name),
            None => self.unnamed(out),
        };
        let id = self.add_column(name, ty, span);
        out.ids.push(id);
        id
    }

    /// An expression that makes columns of an operator which has only what it names (`project`, `by`).
    fn projected(&mut self, item: &'t NamedExpr, scope: &Scope<'_>, out: &mut Outputs) -> Item {
        let span = item.value.span.0;
        let value = self.value(&item.value, scope);
        if let Some(id) = value.expr.as_column() {
            let same = match &item.names {
                // `+Size` and `column_ifexists("no", Size)` are the column, too, but have not its name.
                ColumnNames::Default => value.name.as_deref() == Some(self.columns.name(id)),
                ColumnNames::One(name) => name.text == self.columns.name(id),
                ColumnNames::Many(_) => false,
            };
            if same && self.find_column(&out.ids, self.columns.name(id)).is_none() {
                out.ids.push(id);
                return Item { ids: vec![id], expr: value.expr, named: false };
            }
        }
        let names = column_names(&item.names, value.name, value.expr.ty, &value.tuple);
        let named = !matches!(item.names, ColumnNames::Default);
        let ids: Vec<ColId> = names
            .iter()
            .map(|(name, ty)| {
                let id = self.push_column(out, name.as_deref(), *ty, name_span(&item.names, span));
                self.alias_column(id, &value.expr);
                id
            })
            .collect();
        Item { ids, expr: value.expr, named }
    }

    /// An expression that adds columns to those that are there, or replaces them.
    fn extended(&mut self, item: &'t NamedExpr, scope: &Scope<'_>, out: &mut Outputs) -> Option<Item> {
        let span = item.value.span.0;
        let value = self.value(&item.value, scope);
        if let Some(id) = value.expr.as_column() {
            let same = match &item.names {
                // `+Size` and `column_ifexists("no", Size)` are the column, too, but have not its name.
                ColumnNames::Default => value.name.as_deref() == Some(self.columns.name(id)),
                ColumnNames::One(name) => name.text == self.columns.name(id),
                ColumnNames::Many(_) => false,
            };
            if same && out.ids.contains(&id) {
                return None;
            }
        }
        let names = column_names(&item.names, value.name, value.expr.ty, &value.tuple);
        let named = !matches!(item.names, ColumnNames::Default);
        let mut ids = Vec::with_capacity(names.len());
        for (name, ty) in names {
            let at = name_span(&item.names, span);
            let id = match name {
                Some(name) => self.replace_column(&mut out.ids, name, ty, at),
                None => self.push_column(out, None, ty, at),
            };
            self.alias_column(id, &value.expr);
            ids.push(id);
        }
        Some(Item { ids, expr: value.expr, named })
    }

    /// A new column in the place of the one that has its name, else at the end.
    pub(super) fn replace_column(
        &mut self,
        ids: &mut Vec<ColId>,
        name: SmolStr,
        ty: Type,
        span: Span,
    ) -> ColId {
        let exhausted = self.exhausted || !self.allows_columns(ids.len(), span);
        let old = if exhausted { None } else { self.find_column(ids, &name) };
        let id = self.add_column(name, ty, span);
        match old.and_then(|old| ids.iter_mut().find(|i| **i == old)) {
            Some(place) => *place = id,
            None => ids.push(id),
        }
        id
    }
}

/// Names and types of the columns that an item makes. No name means `ColumnN`.
fn column_names(
    names: &ColumnNames,
    default: Option<SmolStr>,
    ty: Type,
    tuple: &[(Option<SmolStr>, Type)],
) -> Vec<(Option<SmolStr>, Type)> {
    let mut columns = if tuple.is_empty() { vec![(default, ty)] } else { tuple.to_vec() };
    rename_columns(names, &mut columns);
    columns
}

/// Puts the names that the query gives over the generated ones.
fn rename_columns(names: &ColumnNames, columns: &mut [(Option<SmolStr>, Type)]) {
    match names {
        ColumnNames::Default => {}
        ColumnNames::One(name) => {
            if let Some(first) = columns.first_mut() {
                first.0 = Some(name.text.clone());
            }
        }
        ColumnNames::Many(names) => {
            for (column, name) in columns.iter_mut().zip(names) {
                column.0 = Some(name.text.clone());
            }
        }
    }
}

fn name_span(names: &ColumnNames, value: Span) -> Span {
    match names {
        ColumnNames::One(name) => name.span.0,
        ColumnNames::Default | ColumnNames::Many(_) => value,
    }
}

/// The value of an operator's parameter.
fn param<'t>(params: &'t [Param], name: &str) -> Option<&'t ParamValue> {
    params.iter().find(|p| p.name.text == name).map(|p| &p.value)
}

/// A name against a pattern with `*`.
pub(super) fn fits_wildcard(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(first) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left.ends_with(part);
        }
        match left.find(part).and_then(|at| left.get(at + part.len()..)) {
            Some(after) => left = after,
            None => return false,
        }
    }
    true
}
