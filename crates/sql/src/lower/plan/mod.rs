//! Operators: each takes the block of its input and gives the block of its output.

mod aggregate;
mod apply;
mod expand;
mod join;
mod keys;
mod parse;
mod plugin;
mod project;
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
use ruleferry_ir::{ColId, Expr, LimitKind, Op, Plan, SortKey, Type};
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
        let input = if input.from.is_empty() && needs_from(&plan.op) { self.reopen(input)? } else { input };
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
            Op::ParseKv(_) if !self.dialect().generic => Err(refuse_operator(plan.span, "`parse-kv`")),
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
            let used = block.outs.among(&uses.columns);
            let plain = used.iter().all(|o| block.nameable_in_having(self, o));
            let simple = plain && !used.iter().any(|o| self.holds_lambda(&o.expr.get()));
            let tested = if simple && !uses.whole_row && !uses.subquery {
                let scope = block.having_scope(&uses);
                let test = self.predicate(predicate, &scope)?;
                // No alias is seen inside of a lambda or a query.
                (!self.holds_lambda(&test) && !self.holds_query(&test)).then_some(test)
            } else {
                None
            };
            if let Some(test) = tested {
                // DuckDB groups by more than the key where HAVING names one under GROUP BY ALL.
                let names_key = block.group_keys.iter().any(|k| uses.count(*k) > 0);
                if names_key && matches!(block.group_by, Some(ast::GroupByExpr::All(_))) {
                    let keys = block.outs.iter().filter(|o| block.group_keys.contains(&o.id));
                    // A number would name a column by its place.
                    let keys: Vec<ast::Expr> =
                        keys.map(|o| o.expr.get()).filter(|e| !build::is_constant(e)).collect();
                    if !keys.is_empty() {
                        block.group_by = Some(ast::GroupByExpr::Expressions(keys, Vec::new()));
                    }
                }
                block.having.push(test);
                block.pinned.extend(block.outs.among(&uses.columns).into_iter().map(|o| o.name.clone()));
                mark_present(&mut block, predicate);
                return Ok(block);
            }
        }
        if block.reads_neighbours() {
            block = self.reopen(block)?;
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
        block.qualify = Some(Box::new(test));
        block.hint = "filtered";
        let aliases = block.aliases_of(self, &uses, Keep::All);
        block.pinned.extend(aliases);
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
        if block.from.is_empty() {
            // One row is sorted.
            return Ok(block);
        }
        let mut block = if block.limit.is_some() { self.reopen(block)? } else { block };
        let uses = Uses::of(keys.iter().map(|k| &k.expr));
        if block.distinct.is_none()
            && block
                .outs
                .among(&uses.columns)
                .iter()
                .any(|o| matches!(o.origin, Origin::Computed { volatile: true, .. }))
        {
            block = self.reopen(block)?;
        }
        // ORDER BY takes a name for a column of the SELECT list first: one that stands for another value there is none to sort by.
        if uses.columns.iter().any(|id| is_shadowed(&block, *id)) {
            block = self.reopen(block)?;
        }
        // Of distinct rows only columns of the SELECT list can be sorted by.
        let as_is = |k: &SortKey| {
            let column = k.expr.as_column().and_then(|id| block.out(id));
            column.is_some_and(|o| !self.maybe_missing(o)) && !self.may_be_nan(&k.expr)
        };
        if block.distinct.is_some() && !keys.iter().all(as_is) {
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
        block.limit = Some(Box::new(limit));
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
                    build::string(ty.clr_name()),
                    build::string(ty.name()),
                ]
            })
            .collect();
        self.literal_rows(&plan.output, rows)
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
    if block.outs.are(output) {
        return;
    }
    let places: rustc_hash::FxHashMap<ColId, usize> =
        output.iter().enumerate().map(|(i, id)| (*id, i)).collect();
    block.outs.sort_by_key(|o| places.get(&o.id).copied().unwrap_or(usize::MAX));
}

/// Whether the operator needs rows out of a FROM: without one, SQL sees no name of its SELECT list in WHERE and GROUP BY.
const fn needs_from(op: &Op) -> bool {
    match op {
        Op::Extend { .. }
        | Op::Project { .. }
        | Op::Select { .. }
        | Op::Sort { .. }
        | Op::Limit { .. }
        | Op::GetSchema { .. }
        | Op::Render { .. }
        | Op::Scan(_)
        | Op::Ref(_)
        | Op::Values(_)
        | Op::Range(_)
        | Op::Rows
        | Op::Opaque { .. } => false,
        Op::Filter { .. }
        | Op::Serialize { .. }
        | Op::Aggregate(_)
        | Op::Distinct { .. }
        | Op::Join(_)
        | Op::Union(_)
        | Op::Search(_)
        | Op::Top { .. }
        | Op::Expand(_)
        | Op::Apply(_)
        | Op::MakeSeries(_)
        | Op::Parse(_)
        | Op::ParseKv(_)
        | Op::Partition { .. }
        | Op::Sequence(_)
        | Op::TopNested(_)
        | Op::Plugin(_) => true,
    }
}

/// A filter that only rows with a value pass says that the column is present.
fn mark_present(block: &mut Block, predicate: &Expr) {
    let mut ids = Vec::new();
    present_after(predicate, &mut ids);
    ids.into_iter().for_each(|id| block.mark_present(id));
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

pub(super) fn refuse_operator(span: Span, what: &str) -> Refusal {
    Refusal::new(codes::SQL_OPERATOR, span, format!("{what} has no SQL form"))
}

pub(super) fn refuse_column(span: Span) -> Refusal {
    Refusal::new(codes::SQL_OPAQUE, span, "a column is used where it is not known")
}

fn refuse_opaque(opaque: &ruleferry_ir::Opaque, span: Span) -> Refusal {
    Refusal::new(codes::SQL_OPAQUE, span, format!("cannot be converted: {}", opaque.reason))
}

/// Whether a column is read under a name that the block shows for another one, or that a table has.
fn is_shadowed(block: &Block, id: ColId) -> bool {
    let Some(out) = block.out(id) else { return false };
    if matches!(out.origin, Origin::Computed { .. }) && block.names_item(&out.name) {
        return true;
    }
    let sqlparser::ast::Expr::Identifier(read) = out.expr.get() else { return false };
    !read.value.eq_ignore_ascii_case(&out.name) && block.outs.like(&read.value).any(|(_, o)| o.id != id)
}
