//! Operators: each takes the block of its input and gives the block of its output.

mod aggregate;
mod apply;
mod expand;
mod join;
mod keys;
mod parse;
mod plugin;
mod scan;
mod series;
mod union;
mod values;
mod window;

pub(super) use scan::time_bound;

use super::block::{Block, Keep, Origin, Out};
use super::walk::Uses;
use super::{Lowerer, Refusal, Result, Scope};
use crate::build;
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{ColId, Expr, Item, LimitKind, Op, Plan, SelectItem, SelectKind, SortKey, Type};
use rustc_hash::FxHashSet;
use sqlparser::ast;

/// Lists longer than this are printed as `*`.
const MAX_LIST: usize = 40;

impl Lowerer<'_> {
    /// The block of a plan.
    pub(crate) fn block(&mut self, plan: &Plan) -> Result<Block> {
        // Pipelines are long rather than deep: no recursion along the main input.
        let mut chain = vec![plan];
        while let Some(input) = chain.last().and_then(|p| p.input()) {
            chain.push(input);
        }
        let mut block: Option<Block> = None;
        while let Some(step) = chain.pop() {
            block = Some(match block {
                None => self.deeper(step.span, |l| l.source(step))?,
                Some(input) => self.deeper(step.span, |l| l.step(step, input))?,
            });
        }
        block.ok_or_else(|| Refusal::new(codes::SQL_OPERATOR, plan.span, "the query is empty"))
    }

    /// An operator without a main input.
    fn source(&mut self, plan: &Plan) -> Result<Block> {
        match &*plan.op {
            Op::Scan(scan) => self.scan(plan, scan),
            Op::Ref(binding) => self.reference(plan, *binding),
            Op::Values(values) => self.values(plan, values),
            Op::Range(range) => self.range(plan, range),
            Op::Rows => self.rows(plan),
            Op::Union(union) => self.union(plan, union),
            Op::Search(search) => self.search(plan, search),
            Op::Plugin(plugin) => self.plugin(plan, plugin, None),
            Op::Opaque { opaque, .. } => Err(refuse_opaque(opaque, plan.span)),
            Op::Filter { .. }
            | Op::Extend { .. }
            | Op::Project { .. }
            | Op::Select { .. }
            | Op::Aggregate(_)
            | Op::Distinct { .. }
            | Op::Join(_)
            | Op::Sort { .. }
            | Op::Limit { .. }
            | Op::Top { .. }
            | Op::Expand(_)
            | Op::Apply(_)
            | Op::MakeSeries(_)
            | Op::Parse(_)
            | Op::ParseKv(_)
            | Op::Serialize { .. }
            | Op::Partition { .. }
            | Op::Sequence(_)
            | Op::TopNested(_)
            | Op::GetSchema { .. }
            | Op::Render { .. } => Err(refuse_operator(plan.span, "an operator without input")),
        }
    }

    /// An operator on the block of its main input.
    fn step(&mut self, plan: &Plan, input: Block) -> Result<Block> {
        match &*plan.op {
            Op::Filter { predicate, .. } => self.filter(input, predicate),
            Op::Extend { items, .. } | Op::Serialize { items, .. } => self.extend(plan, input, items),
            Op::Project { items, .. } => self.project(input, items),
            Op::Select { kind, items, .. } => self.select(plan, input, *kind, items),
            Op::Aggregate(a) => self.aggregation(plan, input, a),
            Op::Distinct { .. } => self.distinct(input),
            Op::Join(join) => self.join(plan, input, join),
            Op::Sort { keys, .. } => self.sort(input, keys),
            Op::Limit { count, kind, .. } => self.limit(plan, input, count, *kind),
            Op::Top { count, keys, .. } => {
                let sorted = self.sort(input, keys)?;
                self.limit(plan, sorted, count, LimitKind::Take)
            }
            Op::Expand(e) => self.expand(plan, input, e),
            Op::Apply(a) => self.apply(plan, input, a),
            Op::MakeSeries(m) => self.make_series(plan, input, m),
            Op::Parse(p) => self.parse(plan, input, p),
            Op::ParseKv(p) => self.parse_kv(plan, input, p),
            Op::Partition { key, body, .. } => self.partition(plan, input, *key, body),
            Op::Sequence(_) => Err(refuse_operator(plan.span, "`scan`").help(
                "SQL has no sequence matching over rows; `prev`, `row_cumsum` or a self join may say it",
            )),
            Op::TopNested(t) => self.top_nested(plan, input, t),
            Op::Plugin(p) => self.plugin(plan, p, Some(input)),
            Op::GetSchema { .. } => self.get_schema(plan, &input),
            Op::Render { .. } => Ok(input),
            Op::Opaque { opaque, .. } => Err(refuse_opaque(opaque, plan.span)),
            Op::Scan(_)
            | Op::Ref(_)
            | Op::Values(_)
            | Op::Range(_)
            | Op::Rows
            | Op::Union(_)
            | Op::Search(_) => Err(refuse_operator(plan.span, "a table in the middle of a pipeline")),
        }
    }

    /// Makes sure that expressions with these uses can be taken in.
    pub(super) fn fit(&mut self, block: Block, uses: &Uses, keep: Keep<'_>) -> Result<Block> {
        if block.fits(self, uses, keep) { Ok(block) } else { self.reopen(block) }
    }

    pub(super) fn filter(&mut self, block: Block, predicate: &Expr) -> Result<Block> {
        let uses = Uses::of([predicate]);
        let mut block = block;
        if block.group_by.is_some() && block.limit.is_none() && block.qualify.is_none() {
            let by_name = |l: &Self, o: &Out| uses.count(o.id) == 0 || block.nameable_in_having(l, o);
            if !uses.whole_row && !uses.subquery && block.outs.iter().all(|o| by_name(self, o)) {
                let scope = block.having_scope();
                let test = self.predicate(predicate, &scope)?;
                block.having.push(test);
                block
                    .pinned
                    .extend(block.outs.iter().filter(|o| uses.count(o.id) > 0).map(|o| o.name.clone()));
                mark_present(&mut block, predicate);
                return Ok(block);
            }
        }
        let mut block = self.fit(block, &uses, Keep::All)?;
        if uses.window {
            return self.filter_by_window(block, predicate);
        }
        let scope = block.scope(self, Keep::All, &uses);
        let aliases = block.aliases_of(self, &uses, Keep::All);
        // One conjunct a filter, so that the printer gives each a line.
        let parts = match &predicate.kind {
            ruleferry_ir::ExprKind::And(parts) => parts.as_slice(),
            _ => std::slice::from_ref(predicate),
        };
        let mut tests = Vec::with_capacity(parts.len());
        for part in parts {
            tests.push(self.predicate(part, &scope)?);
        }
        if !aliases.is_empty() && tests.iter().any(|t| self.hides_aliases(t)) {
            let block = self.reopen(block)?;
            return self.filter(block, predicate);
        }
        block.filters.extend(tests);
        block.pinned.extend(aliases);
        block.hint = "filtered";
        mark_present(&mut block, predicate);
        Ok(block)
    }

    fn filter_by_window(&mut self, mut block: Block, predicate: &Expr) -> Result<Block> {
        let uses = Uses::of([predicate]);
        let mut scope = block.scope(self, Keep::All, &uses);
        scope.order = block.window_order(self, &scope)?;
        let test = self.predicate(predicate, &scope)?;
        block.qualify = Some(test);
        block.hint = "filtered";
        let aliases = block.aliases_of(self, &uses, Keep::All);
        block.pinned.extend(aliases);
        Ok(block)
    }

    pub(super) fn extend(&mut self, plan: &Plan, block: Block, items: &[Item]) -> Result<Block> {
        let mut block = block;
        // A replaced column is still the old one for all other items of the operator.
        let wanted: FxHashSet<ColId> = plan.output.iter().copied().collect();
        let uses = Uses::of(items.iter().map(|i| &i.expr));
        let leaving = |o: &Out| !wanted.contains(&o.id) && matches!(o.origin, Origin::Computed { .. });
        if block.outs.iter().any(|o| leaving(o) && uses.count(o.id) > 0) {
            block = self.reopen(block)?;
        }
        for item in items {
            block = self.extend_one(&wanted, block, item)?;
        }
        if block.outs.iter().any(|o| !wanted.contains(&o.id)) {
            block.outs.retain(|o| wanted.contains(&o.id));
        }
        sort_outs(&mut block, &plan.output);
        Ok(block)
    }

    /// Adds the column of one item. The column that it replaces (same name, not in the output) leaves.
    fn extend_one(&mut self, wanted: &FxHashSet<ColId>, block: Block, item: &Item) -> Result<Block> {
        if item.ids.len() > 1 {
            return self.extend_tuple(block, item);
        }
        let Some(&id) = item.ids.first() else { return Ok(block) };
        let uses = Uses::of([&item.expr]);
        let name = self.query.columns.name(id);
        let replaced = |b: &Block| b.outs.iter().position(|o| !wanted.contains(&o.id) && o.name == name);
        let keep = Keep::Except(replaced(&block).and_then(|i| block.outs.get(i)).map(|o| o.id));
        let block = self.fit(block, &uses, keep)?;
        let at = replaced(&block);
        let unique = Block::name_for(&block.outs, name, at);
        let out = self.computed(&block, id, unique.clone(), &item.expr, keep)?;
        let mut block = block;
        let (at, out) = if !out.aliases.is_empty() && self.hides_aliases(&out.expr.get()) {
            block = self.reopen(block)?;
            (replaced(&block), self.computed(&block, id, unique, &item.expr, keep)?)
        } else {
            (at, out)
        };
        block.set_out(at, out);
        if block.hint == "step" {
            block.hint = "extended";
        }
        Ok(block)
    }

    /// `(a, b) = f(x)`: the function gives a struct or list of the columns; a helper column holds it.
    fn extend_tuple(&mut self, block: Block, item: &Item) -> Result<Block> {
        let uses = Uses::of([&item.expr]);
        let mut block = self.fit(block, &uses, Keep::All)?;
        let scope = block.scope(self, Keep::All, &uses);
        let whole = self.expr(&item.expr, &scope)?;
        let helper = Block::name_for(&block.outs, "_tuple", None);
        let relation = {
            let hidden = ColId(u32::MAX);
            block.outs.push(Out {
                id: hidden,
                name: helper.clone(),
                expr: whole.into(),
                origin: Origin::Computed { fixed: true, volatile: false, depth: 0 },
                present: true,
                aliases: Vec::new(),
            });
            let mut relation = self.close(block)?;
            for column in &mut relation.columns {
                if column.id == Some(hidden) {
                    column.id = None;
                }
            }
            relation
        };
        let mut block = Block::over(relation);
        for (i, id) in item.ids.iter().enumerate() {
            let name = Block::name_for(&block.outs, self.query.columns.name(*id), None);
            let position = build::integer(i64::try_from(i + 1).unwrap_or(i64::MAX));
            let value = build::call("struct_extract_at", vec![build::column(&helper), position]);
            block.outs.push(Out {
                id: *id,
                name,
                expr: value.into(),
                origin: Origin::Computed { fixed: false, volatile: false, depth: 0 },
                present: false,
                aliases: Vec::new(),
            });
        }
        Ok(block)
    }

    fn project(&mut self, block: Block, items: &[Item]) -> Result<Block> {
        let mut block = block;
        if items.iter().any(|i| i.ids.len() > 1) {
            // Tuples first beside the old columns, then all as plain columns.
            for item in items.iter().filter(|i| i.ids.len() > 1) {
                block = self.extend_tuple(block, item)?;
            }
            let mut plain: Vec<Item> = Vec::new();
            for item in items {
                for id in &item.ids {
                    let expr = if item.ids.len() > 1 {
                        Expr::column(*id, self.ty(*id), item.expr.span)
                    } else {
                        item.expr.clone()
                    };
                    plain.push(Item { ids: vec![*id], expr, named: item.named });
                }
            }
            return self.project(block, &plain);
        }
        // Of a grouped or limited block, columns may still be picked and renamed.
        let passes = items.iter().all(|i| i.expr.as_column().is_some_and(|c| block.out(c).is_some()));
        let kept: FxHashSet<ColId> = items
            .iter()
            .filter(|i| i.expr.as_column().is_some_and(|c| i.ids == [c]))
            .filter_map(|i| i.ids.first().copied())
            .collect();
        let staying: FxHashSet<ColId> = items.iter().filter_map(|i| i.expr.as_column()).collect();
        if block.order_leaves(&staying) {
            block = self.reopen(block)?;
        }
        if !block.is_open()
            && passes
            && block.distinct.is_none()
            && !renames_used(&block, items)
            && !block.keys_leave(&staying)
        {
            return Ok(self.pick(block, items));
        }
        let uses =
            Uses::of(items.iter().filter(|i| !i.ids.iter().any(|id| kept.contains(id))).map(|i| &i.expr));
        let block = self.fit(block, &uses, Keep::Only(&kept))?;
        // Renaming a computed column moves its expression; a kept one stands first so that others may name it.
        let reserved: Vec<Out> = block.outs.iter().filter(|o| kept.contains(&o.id)).cloned().collect();
        let mut outs: Vec<Out> = Vec::with_capacity(items.len());
        for item in items {
            let Some(&id) = item.ids.first() else { continue };
            let name = Block::name_beside(&outs, &reserved, self.query.columns.name(id), None);
            match item.expr.as_column() {
                Some(from) if from == id => {
                    let Some(old) = block.out(id) else { return Err(refuse_column(item.expr.span)) };
                    outs.push(old.clone());
                }
                Some(_) | None => {
                    let out = self.computed(&block, id, name, &item.expr, Keep::Only(&kept))?;
                    if !out.aliases.is_empty() && self.hides_aliases(&out.expr.get()) {
                        let block = self.reopen(block)?;
                        return self.project(block, items);
                    }
                    outs.push(self.as_source(&block, item, out));
                }
            }
        }
        let mut block = block;
        block.outs = outs;
        block.explicit = block.outs.len() <= MAX_LIST || !block.sources.iter().any(|s| s.open);
        if block.hint == "step" {
            block.hint = "projected";
        }
        Ok(block)
    }

    /// A renamed column of a source stays a plain column.
    fn as_source(&self, block: &Block, item: &Item, out: Out) -> Out {
        match item.expr.as_column().and_then(|c| block.out(c)) {
            Some(old) if matches!(old.origin, Origin::Source(..)) => {
                Out { origin: old.origin, present: old.present, ..out }
            }
            Some(_) | None => out,
        }
    }

    /// Picks and renames columns of a block that is no longer open.
    fn pick(&self, mut block: Block, items: &[Item]) -> Block {
        let mut outs: Vec<Out> = Vec::with_capacity(items.len());
        for item in items {
            let (Some(&id), Some(from)) = (item.ids.first(), item.expr.as_column()) else { continue };
            let Some(old) = block.out(from) else { continue };
            let name = if id == from { old.name.clone() } else { self.query.columns.name(id).into() };
            let name = Block::name_for(&outs, &name, None);
            outs.push(Out { id, name, ..old.clone() });
        }
        block.outs = outs;
        block.explicit = true;
        block
    }

    fn select(&mut self, plan: &Plan, block: Block, kind: SelectKind, items: &[SelectItem]) -> Result<Block> {
        let as_items: Vec<Item> = items
            .iter()
            .map(|i| Item {
                ids: vec![i.to],
                expr: Expr::column(i.from, self.ty(i.from), plan.span),
                named: true,
            })
            .collect();
        let was_explicit = block.explicit;
        let mut block = self.project(block, &as_items)?;
        block.explicit = match kind {
            SelectKind::Away | SelectKind::Rename => was_explicit,
            SelectKind::Keep => block.outs.len() <= MAX_LIST,
            SelectKind::Reorder => {
                was_explicit || block.outs.len() <= MAX_LIST && !block.sources.iter().any(|s| s.open)
            }
        };
        Ok(block)
    }

    fn distinct(&mut self, block: Block) -> Result<Block> {
        let mut block = if block.is_open() { block } else { self.reopen(block)? };
        block.order.clear();
        // A missing string and the empty one are the same value.
        if block.outs.len() <= MAX_LIST && block.outs.iter().any(|o| self.maybe_missing(o)) {
            if block.outs.iter().any(|o| !o.aliases.is_empty()) || !block.pinned.is_empty() {
                block = self.reopen(block)?;
            }
            for i in 0..block.outs.len() {
                if let Some(out) = block.outs.get(i)
                    && self.maybe_missing(out)
                {
                    let filled = fill_string(out);
                    block.set_out(Some(i), filled);
                }
            }
        }
        block.distinct = Some(ast::Distinct::Distinct);
        block.hint = "distinct_rows";
        Ok(block)
    }

    /// A string column that may hold NULL.
    pub(super) fn maybe_missing(&self, out: &Out) -> bool {
        self.ty(out.id) == Type::String && !out.present
    }

    fn sort(&mut self, block: Block, keys: &[SortKey]) -> Result<Block> {
        let mut block = if block.limit.is_some() { self.reopen(block)? } else { block };
        let uses = Uses::of(keys.iter().map(|k| &k.expr));
        if block.distinct.is_none()
            && block
                .outs
                .iter()
                .any(|o| uses.count(o.id) > 0 && matches!(o.origin, Origin::Computed { volatile: true, .. }))
        {
            block = self.reopen(block)?;
        }
        // Of distinct rows only columns of the SELECT list can be sorted by.
        if block.distinct.is_some() && keys.iter().any(|k| k.expr.as_column().is_none()) {
            block = self.reopen(block)?;
        }
        block.order = keys.to_vec();
        if block.hint == "step" {
            block.hint = "sorted";
        }
        Ok(block)
    }

    fn limit(&mut self, plan: &Plan, block: Block, count: &Expr, kind: LimitKind) -> Result<Block> {
        if !block.partition().is_empty() {
            return self.limit_groups(block, count, kind);
        }
        let mut block = if block.limit.is_some() { self.reopen(block)? } else { block };
        match kind {
            LimitKind::Take => {}
            LimitKind::Sample => block.order.clear(),
            LimitKind::SampleDistinct => block = self.distinct(block)?,
        }
        let limit = self.expr(count, &Scope::default())?;
        if matches!(Uses::of([count]).columns.as_slice(), [_, ..]) {
            return Err(Refusal::new(codes::SQL_VALUE, plan.span, "the number of rows must be a constant"));
        }
        block.limit = Some(limit);
        block.hint = "limited";
        Ok(block)
    }

    fn get_schema(&mut self, plan: &Plan, input: &Block) -> Result<Block> {
        let rows = input
            .outs
            .iter()
            .enumerate()
            .map(|(i, o)| {
                let ty = self.ty(o.id);
                vec![
                    build::string(self.query.columns.name(o.id)),
                    build::integer(i64::try_from(i).unwrap_or(0)),
                    build::string(clr_type(ty)),
                    build::string(ty.name()),
                ]
            })
            .collect();
        self.literal_rows(&plan.output, rows)
    }
}

/// The .NET type that `getschema` names.
const fn clr_type(ty: Type) -> &'static str {
    match ty {
        Type::Bool => "System.SByte",
        Type::Int => "System.Int32",
        Type::Long => "System.Int64",
        Type::Real => "System.Double",
        Type::Decimal => "System.Data.SqlTypes.SqlDecimal",
        Type::String => "System.String",
        Type::Datetime => "System.DateTime",
        Type::Timespan => "System.TimeSpan",
        Type::Guid => "System.Guid",
        Type::Dynamic | Type::Unknown => "System.Object",
    }
}

/// `coalesce(column, '')` in the column's place.
pub(super) fn fill_string(out: &Out) -> Out {
    let filled = build::coalesce(out.expr.get(), build::string(""));
    Out {
        expr: filled.into(),
        origin: Origin::Computed { fixed: false, volatile: false, depth: 0 },
        present: true,
        ..out.clone()
    }
}

/// Columns in the order of the plan's output.
pub(super) fn sort_outs(block: &mut Block, output: &[ColId]) {
    if block.outs.iter().map(|o| o.id).eq(output.iter().copied()) {
        return;
    }
    let places: rustc_hash::FxHashMap<ColId, usize> =
        output.iter().enumerate().map(|(i, id)| (*id, i)).collect();
    block.outs.sort_by_key(|o| places.get(&o.id).copied().unwrap_or(usize::MAX));
}

/// A filter that only rows with a value pass says that the column is present.
fn mark_present(block: &mut Block, predicate: &Expr) {
    let mut ids = Vec::new();
    present_after(predicate, &mut ids);
    for out in &mut block.outs {
        out.present |= ids.contains(&out.id);
    }
    for source in &mut block.sources {
        for column in &mut source.columns {
            column.present |= column.id.is_some_and(|id| ids.contains(&id));
        }
    }
}

/// The columns that cannot be missing or empty where the predicate holds.
fn present_after(e: &Expr, out: &mut Vec<ColId>) {
    use ruleferry_ir::{ExprKind, MatchKind, MatchValue, MatchValues, Subject};
    match &e.kind {
        ExprKind::And(parts) => parts.iter().for_each(|p| present_after(p, out)),
        ExprKind::Not(inner) => {
            match &inner.kind {
                ExprKind::IsEmpty(x) | ExprKind::IsNull(x) => out.extend(x.as_column()),
                // `x != ""`
                ExprKind::Match(m) if m.kind == MatchKind::Equals => {
                    let empty = |v: &MatchValue| matches!(v, MatchValue::Expr(x) if x.as_literal().and_then(|l| l.as_str()) == Some(""));
                    if let (Subject::Expr(subject), MatchValues::List(vs)) = (&m.subject, &m.values)
                        && vs.iter().any(empty)
                    {
                        out.extend(subject.as_column());
                    }
                }
                _ => {}
            }
        }
        ExprKind::Match(m) => {
            let Subject::Expr(subject) = &m.subject else { return };
            let text = |v: &MatchValue| matches!(v, MatchValue::Expr(x) if x.as_literal().and_then(|l| l.as_str()).is_some_and(|s| !s.is_empty()));
            let full = matches!(&m.values, MatchValues::List(vs) if !vs.is_empty() && vs.iter().all(text));
            if full && !matches!(m.kind, MatchKind::Regex | MatchKind::Glob) {
                out.extend(subject.as_column());
            }
        }
        ExprKind::Compare(c) if c.op != ruleferry_ir::CompareOp::Ne && c.right.as_literal().is_some() => {
            out.extend(c.left.as_column());
        }
        _ => {}
    }
}

/// A column that a filter names would be renamed or leave.
fn renames_used(block: &Block, items: &[Item]) -> bool {
    let stays = |name: &smol_str::SmolStr| {
        block.outs.iter().any(|o| {
            o.name == *name && items.iter().any(|i| i.ids == [o.id] && i.expr.as_column() == Some(o.id))
        })
    };
    let aliases = block
        .outs
        .iter()
        .filter(|o| items.iter().any(|i| i.expr.as_column() == Some(o.id)))
        .flat_map(|o| &o.aliases);
    !block.pinned.iter().chain(aliases).all(stays)
}

pub(super) fn refuse_operator(span: Span, what: &str) -> Refusal {
    Refusal::new(codes::SQL_OPERATOR, span, format!("{what} has no SQL form"))
}

pub(super) fn refuse_column(span: Span) -> Refusal {
    Refusal::new(codes::SQL_OPAQUE, span, "a column is used where it is not known")
}

fn refuse_opaque(opaque: &ruleferry_ir::Opaque, span: Span) -> Refusal {
    Refusal::new(codes::SQL_OPAQUE, span, format!("cannot be converted: {}", opaque.reason))
}
