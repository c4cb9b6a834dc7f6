//! Operators: an [`ir::Plan`](ruleferry_ir::Plan) to a draft with the values of its columns.

use super::draft::{Draft, Node};
use super::shift::Remap;
use super::{Canon, Made};
use crate::block::{BlockId, Source};
use crate::term::{Constant, Term, TermId};
use ruleferry_ir::functions::Flags;
use ruleferry_ir::{
    AggregateCall, AggregateItem, BindingId, BindingValue, Child, ColId, Expr, ExprKind, Item, JoinKind,
    LimitKind, Op, Plan, SelectItem, SelectKind, SortKey, Type,
};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use std::sync::Arc;

/// The order of rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    /// Value, descending, nulls first.
    pub keys: Vec<(TermId, bool, bool)>,
    /// Rows that no key tells apart have an order of their own, too: that in which they are written.
    pub natural: bool,
}

/// Rows on their way, and what their columns are.
#[derive(Clone, Debug)]
pub(super) struct Rel {
    pub draft: Draft,
    pub columns: FxHashMap<ColId, TermId>,
    pub output: Arc<[ColId]>,
    pub order: Order,
    /// The text of the events of open tables, whose further columns are not known.
    pub events: Vec<TermId>,
    /// A column that a search over all columns does not see.
    pub hidden: Option<ColId>,
}

impl Canon<'_, '_> {
    /// No columns in scope.
    pub fn no_scope(&mut self) -> Rel {
        self.rel_of(Source::Unit)
    }

    pub fn rel_of(&mut self, source: Source) -> Rel {
        Rel {
            draft: self.draft(Node::Leaf(source)),
            columns: FxHashMap::default(),
            output: [].into(),
            order: Order::default(),
            events: Vec::new(),
            hidden: None,
        }
    }

    /// Tables that the query names, each after those that it uses, so that none is reached by recursion.
    pub fn bindings(&mut self) -> Made<()> {
        let query = self.query;
        let mut wanted = vec![false; query.bindings.len()];
        mark(&query.plan, &mut wanted);
        for (n, binding) in query.bindings.iter().enumerate().rev() {
            if wanted.get(n) == Some(&true) {
                match &binding.value {
                    BindingValue::Scalar(e) => mark_expr(e, &mut wanted),
                    BindingValue::Table { plan, .. } => mark(plan, &mut wanted),
                }
            }
        }
        for (n, binding) in query.bindings.iter().enumerate() {
            if wanted.get(n) != Some(&true) {
                continue;
            }
            let id = BindingId(u32::try_from(n).unwrap_or(u32::MAX));
            match &binding.value {
                BindingValue::Scalar(e) => {
                    let chooses = e.any(&mut |e| match &e.kind {
                        ExprKind::Subquery(_) => true,
                        ExprKind::Let(id) => self.choices.get(id.0 as usize) == Some(&true),
                        _ => false,
                    });
                    if let Some(slot) = self.choices.get_mut(n) {
                        *slot = chooses;
                    }
                    self.scalar_let(id)?;
                }
                BindingValue::Table { plan, materialized } => {
                    let mut rel = self.rel(plan)?;
                    let chooses = self.chooses(plan);
                    if let Some(slot) = self.choices.get_mut(n) {
                        *slot = chooses;
                    }
                    if chooses && self.uses.get(n).is_some_and(|uses| *uses > 1) {
                        rel = self.one_choice(rel, *materialized)?;
                    }
                    self.tables.insert(id, rel);
                }
            }
        }
        Ok(())
    }

    /// A choice that is made once and read in several places is not the same as two choices.
    pub(super) fn one_choice(&mut self, rel: Rel, materialized: bool) -> Made<Rel> {
        self.shared += 1;
        let text = format!("{}{}", self.shared, if materialized { " materialized" } else { "" });
        self.wrapped(rel, |block| Source::Other {
            what: "shared".into(),
            inputs: [block].into(),
            args: [].into(),
            conditions: [].into(),
            texts: [text.into()].into(),
        })
    }

    /// Whether the language leaves open which rows or values a plan gives.
    pub(super) fn chooses(&self, plan: &Plan) -> bool {
        let mut found = false;
        let mut refs = Vec::new();
        plan.for_each_plan(&mut |p| match &*p.op {
            Op::Limit { .. } | Op::Top { .. } | Op::Plugin(_) | Op::TopNested(_) | Op::Sequence(_) => {
                found = true
            }
            Op::Join(j) => found |= j.kind == JoinKind::InnerUnique,
            Op::Aggregate(a) => found |= a.aggregates.iter().any(item_chooses),
            Op::Ref(id) => refs.push(*id),
            _ => {}
        });
        found = found
            || plan.any_expr(&mut |e| match &e.kind {
                ExprKind::Subquery(_) => true,
                ExprKind::Call(f, _) => f.has(Flags::WINDOW) || f.has(Flags::VOLATILE),
                ExprKind::Let(id) => {
                    refs.push(*id);
                    false
                }
                _ => false,
            });
        found || refs.iter().any(|id| self.choices.get(id.0 as usize) == Some(&true))
    }

    /// The rows of a plan. A pipeline is walked from its source down.
    pub fn rel(&mut self, plan: &Plan) -> Made<Rel> {
        self.deeper(|this| {
            let mut chain = vec![plan];
            while let Some(input) = chain.last().and_then(|p| p.input()) {
                chain.push(input);
            }
            let mut rel: Option<Rel> = None;
            while let Some(step) = chain.pop() {
                this.count(1 + step.output.len() / 8)?;
                let mut made = this.step(step, rel.take())?;
                made.output = step.output.clone();
                rel = Some(made);
            }
            match rel {
                Some(rel) => Ok(rel),
                None => Ok(this.no_scope()),
            }
        })
    }

    pub(super) fn step(&mut self, plan: &Plan, input: Option<Rel>) -> Made<Rel> {
        let input = match input {
            Some(rel) => rel,
            None => self.no_scope(),
        };
        match &*plan.op {
            Op::Scan(scan) => self.scan(plan, scan),
            Op::Ref(id) => self.reference(plan, *id),
            Op::Values(values) => self.values(plan, values),
            Op::Range(range) => self.range(plan, range),
            Op::Rows => Ok(match self.bodies.last() {
                Some(rel) => rel.clone(),
                None => self.no_scope(),
            }),
            Op::Filter { input: _, predicate } => self.filter(input, predicate),
            Op::Extend { input: _, items } => self.computed(input, items, true),
            Op::Serialize { input: _, items } => {
                let mut rel = self.computed(input, items, true)?;
                rel.order.natural |= rel.order.keys.is_empty();
                Ok(rel)
            }
            Op::Project { input: _, items } => self.computed(input, items, false),
            Op::Select { input: _, kind, items } => self.select(plan, input, *kind, items),
            Op::Aggregate(a) => self.aggregate(input, a),
            Op::Distinct { input: _ } => self.distinct(input),
            Op::Join(j) => self.join(input, j),
            Op::Union(u) => self.union(plan, u),
            Op::Sort { input: _, keys } => self.sort(input, keys),
            Op::Limit { input: _, count, kind } => self.limit(input, count, *kind),
            Op::Top { input: _, count, keys } => self.top(input, count, keys),
            Op::Expand(e) => self.expand(input, e),
            Op::Apply(a) => self.apply(plan, input, a),
            Op::MakeSeries(m) => self.make_series(input, m),
            Op::Parse(p) => self.parse(input, p),
            Op::ParseKv(p) => self.parse_kv(input, p),
            Op::Partition { input: _, key, body } => self.partition(plan, input, *key, body),
            Op::Sequence(s) => self.sequence(plan, input, s),
            Op::TopNested(t) => self.top_nested(input, t),
            Op::Plugin(p) => self.plugin(plan, p.input.is_some().then_some(input), p),
            Op::Search(s) => self.search(plan, s),
            Op::GetSchema { input: source } => self.schema(plan, source),
            Op::Render { .. } => Ok(input),
            Op::Opaque { input: source, opaque } => {
                self.opaque_rows(plan, source.is_some().then_some(input), opaque)
            }
        }
    }

    // Ends and covers.

    /// Brings the draft to rest: its block, and the columns in the block's space.
    pub fn sealed(&mut self, rel: Rel) -> Made<(BlockId, Rel)> {
        let (block, remap) = self.finished(rel.draft)?;
        let mut columns = rel.columns;
        let mut order = rel.order;
        let mut events = rel.events;
        if !matches!(remap, Remap::Same) {
            let mut moved: FxHashMap<ColId, TermId> = FxHashMap::default();
            for id in rel.output.iter() {
                if let Some(term) = columns.get(id) {
                    moved.insert(*id, self.remapped(*term, &remap)?);
                }
            }
            columns = moved;
            for key in &mut order.keys {
                key.0 = self.remapped(key.0, &remap)?;
            }
            for event in &mut events {
                *event = self.remapped(*event, &remap)?;
            }
        }
        let draft = self.draft(Node::Leaf(Source::Unit));
        Ok((block, Rel { draft, columns, output: rel.output, order, events, hidden: rel.hidden }))
    }

    /// The block, and some values in its space.
    pub fn sealed_with(&mut self, rel: Rel, values: Vec<TermId>) -> Made<(BlockId, Vec<TermId>)> {
        let (block, remap) = self.finished(rel.draft)?;
        let mut moved = Vec::with_capacity(values.len());
        for value in values {
            moved.push(self.remapped(value, &remap)?);
        }
        Ok((block, moved))
    }

    /// Puts a source over the rows, through which nothing sinks and all columns are read.
    pub fn wrapped(&mut self, rel: Rel, source: impl FnOnce(BlockId) -> Source) -> Made<Rel> {
        let (block, mut rel) = self.sealed(rel)?;
        let source = source(block);
        rel.draft = self.draft(Node::Leaf(source));
        Ok(self.read_through(rel, 0))
    }

    /// All columns as values of an input.
    pub fn read_through(&mut self, mut rel: Rel, side: u32) -> Rel {
        let mut columns = FxHashMap::default();
        for id in rel.output.iter() {
            if let Some(term) = rel.columns.get(id) {
                columns.insert(*id, self.input(side, *term));
            }
        }
        rel.columns = columns;
        for key in &mut rel.order.keys {
            key.0 = self.input(side, key.0);
        }
        for event in &mut rel.events {
            *event = self.input(side, *event);
        }
        rel
    }

    /// A value of an input of which each row has a row: a constant is one everywhere.
    pub fn input(&mut self, side: u32, term: TermId) -> TermId {
        self.side(side, term, true)
    }

    pub(super) fn side(&mut self, side: u32, term: TermId, always: bool) -> TermId {
        if always && self.known(term).is_some() {
            return term;
        }
        self.arena.term(Term::Input(side, term))
    }

    // Operators row by row.

    pub(super) fn filter(&mut self, input: Rel, predicate: &Expr) -> Made<Rel> {
        let mut rel = self.in_order_for(input, &[predicate])?;
        let test =
            if self.notes.is_some() { self.noted(predicate, &rel)? } else { self.test(predicate, &rel)? };
        self.push(&mut rel.draft, test.holds)?;
        Ok(rel)
    }

    /// Where an expression looks at other rows: a source that says which rows there are, and in what order.
    pub fn in_order_for(&mut self, rel: Rel, exprs: &[&Expr]) -> Made<Rel> {
        if !exprs.iter().any(|e| e.has_window()) { Ok(rel) } else { self.in_order(rel, "ordered") }
    }

    pub fn in_order(&mut self, rel: Rel, what: &str) -> Made<Rel> {
        let (block, mut rel) = self.sealed(rel)?;
        let source = Source::Other {
            what: what.into(),
            inputs: [block].into(),
            args: rel.order.keys.iter().map(|k| k.0).collect(),
            conditions: [].into(),
            texts: order_texts(&rel.order).into(),
        };
        rel.draft = self.draft(Node::Leaf(source));
        Ok(self.read_through(rel, 0))
    }

    pub(super) fn computed(&mut self, input: Rel, items: &[Item], beside: bool) -> Made<Rel> {
        let exprs: Vec<&Expr> = items.iter().map(|i| &i.expr).collect();
        let mut rel = self.in_order_for(input, &exprs)?;
        for item in items {
            let value = self.value(&item.expr, &rel)?;
            self.put(item, value, &mut rel);
        }
        if !beside {
            rel.events.clear();
            rel.hidden = None;
        }
        Ok(rel)
    }

    /// The value of an item as its column, the parts of a tuple as several.
    pub fn put(&mut self, item: &Item, value: TermId, rel: &mut Rel) {
        match item.ids.as_slice() {
            [id] => {
                rel.columns.insert(*id, value);
            }
            ids => {
                for (n, id) in ids.iter().enumerate() {
                    let part = self.part_of(value, n, *id);
                    rel.columns.insert(*id, part);
                }
            }
        }
    }

    /// One column of a call that makes several.
    pub(super) fn part_of(&mut self, call: TermId, n: usize, id: ColId) -> TermId {
        let n = self.arena.constant(Constant::Long(i64::try_from(n).unwrap_or(i64::MAX)));
        let ty = self.query.columns.ty(id);
        self.opaque_call("$part", vec![call, n], ty)
    }

    pub(super) fn select(
        &mut self,
        plan: &Plan,
        mut rel: Rel,
        kind: SelectKind,
        items: &[SelectItem],
    ) -> Made<Rel> {
        let from: FxHashMap<ColId, ColId> = items.iter().map(|i| (i.to, i.from)).collect();
        let mut columns = FxHashMap::default();
        for id in plan.output.iter() {
            let source = from.get(id).copied().unwrap_or(*id);
            if let Some(term) = rel.columns.get(&source) {
                columns.insert(*id, *term);
            }
        }
        rel.columns = columns;
        match kind {
            SelectKind::Keep => rel.events.clear(),
            SelectKind::Away | SelectKind::Rename | SelectKind::Reorder => {}
        }
        Ok(rel)
    }

    // Order.

    pub fn sort_keys(&mut self, keys: &[SortKey], rel: &Rel) -> Made<Vec<(TermId, bool, bool)>> {
        let mut made: Vec<(TermId, bool, bool)> = Vec::with_capacity(keys.len());
        for key in keys {
            let term = self.value(&key.expr, rel)?;
            let term = self.unfilled(term);
            // What is sorted by already is sorted by; a text has no null to put first.
            if self.known(term).is_some() || made.iter().any(|k| k.0 == term) {
                continue;
            }
            let nulls_first =
                if self.arena.ty(term) == Type::String { !key.descending } else { key.nulls_first };
            made.push((term, key.descending, nulls_first));
        }
        Ok(made)
    }

    pub(super) fn sort(&mut self, input: Rel, keys: &[SortKey]) -> Made<Rel> {
        let exprs: Vec<&Expr> = keys.iter().map(|k| &k.expr).collect();
        let mut rel = self.in_order_for(input, &exprs)?;
        let mut keys = self.sort_keys(keys, &rel)?;
        // The sort is stable: the order before decides among equals.
        for key in std::mem::take(&mut rel.order.keys) {
            if !keys.iter().any(|k| k.0 == key.0) {
                keys.push(key);
            }
        }
        rel.order.keys = keys;
        Ok(rel)
    }

    pub(super) fn limit(&mut self, rel: Rel, count: &Expr, kind: LimitKind) -> Made<Rel> {
        let scope = self.no_scope();
        let count = self.value(count, &scope)?;
        let rel = match kind {
            LimitKind::SampleDistinct => self.distinct(rel)?,
            LimitKind::Take | LimitKind::Sample => rel,
        };
        let (what, keys) = match kind {
            LimitKind::Take if !rel.order.keys.is_empty() => {
                self.used("sort-as-top");
                (if rel.order.natural { "top-first" } else { "top" }, rel.order.keys.clone())
            }
            LimitKind::Take if rel.order.natural => ("first", Vec::new()),
            LimitKind::Take => ("take", Vec::new()),
            LimitKind::Sample | LimitKind::SampleDistinct => ("sample", Vec::new()),
        };
        self.first_rows(rel, count, keys, what)
    }

    pub(super) fn top(&mut self, input: Rel, count: &Expr, keys: &[SortKey]) -> Made<Rel> {
        let scope = self.no_scope();
        let count = self.value(count, &scope)?;
        let exprs: Vec<&Expr> = keys.iter().map(|k| &k.expr).collect();
        let rel = self.in_order_for(input, &exprs)?;
        let keys = self.sort_keys(keys, &rel)?;
        let mut rel = rel;
        rel.order = Order { keys: keys.clone(), natural: false };
        self.first_rows(rel, count, keys, "top")
    }

    pub fn first_rows(
        &mut self,
        rel: Rel,
        count: TermId,
        keys: Vec<(TermId, bool, bool)>,
        what: &str,
    ) -> Made<Rel> {
        let mut rel = rel;
        let order = std::mem::replace(&mut rel.order, Order { keys, natural: false });
        let (block, mut rel) = self.sealed(rel)?;
        let keys = std::mem::take(&mut rel.order.keys);
        if self.is_empty_block(block) {
            let none = self.arena.truth(false);
            self.push(&mut rel.draft, none)?;
            return Ok(rel);
        }
        rel.draft = self.draft(Node::Leaf(Source::Top {
            input: block,
            count,
            keys: keys.clone().into(),
            what: what.into(),
        }));
        rel.order = Order { keys, natural: order.natural && matches!(what, "first" | "top-first") };
        Ok(self.read_through(rel, 0))
    }

    /// First row, first column.
    pub fn first_value(&mut self, rel: Rel, column: Option<ColId>, ty: Type) -> Made<TermId> {
        let rel = if at_most_one(&rel.draft.node) {
            rel
        } else {
            let one = self.arena.constant(Constant::Long(1));
            let (keys, what) = match (&rel.order.keys, rel.order.natural) {
                (keys, false) if !keys.is_empty() => (keys.clone(), "top"),
                (keys, true) if !keys.is_empty() => (keys.clone(), "top-first"),
                (_, true) => (Vec::new(), "first"),
                _ => (Vec::new(), "take"),
            };
            let mut rel = self.first_rows(rel, one, keys, what)?;
            if self.many {
                rel = self.one_choice(rel, false)?;
            }
            rel
        };
        let value = match column {
            Some(id) => self.column(&rel, id)?,
            None => self.null(ty),
        };
        let plain = matches!(rel.draft.node, Node::Leaf(Source::Unit));
        if plain && self.is_constant(rel.draft.filter, true) && self.reads(value) == 0 {
            return Ok(self.cast_text(value, ty));
        }
        let (block, values) = self.sealed_with(rel, vec![value])?;
        let value = values.first().copied().unwrap_or(value);
        let scalar = self.arena.term(Term::Scalar(block, value));
        let scalar = self.cast_text(scalar, ty);
        self.shallow_term(scalar)
    }

    /// A missing text is the empty one.
    pub(super) fn cast_text(&mut self, term: TermId, ty: Type) -> TermId {
        if ty == Type::String && self.arena.ty(term) == Type::String { self.cast(term, ty) } else { term }
    }
}

/// Marks the bindings that a plan names.
fn mark(plan: &Plan, wanted: &mut [bool]) {
    let mut found = Vec::new();
    plan.for_each_plan(&mut |p| {
        if let Op::Ref(id) = &*p.op {
            found.push(*id);
        }
    });
    plan.any_expr(&mut |e| {
        if let ExprKind::Let(id) = e.kind {
            found.push(id);
        }
        false
    });
    mark_all(&found, wanted);
}

fn mark_expr(e: &Expr, wanted: &mut [bool]) {
    let mut found = Vec::new();
    e.any(&mut |e| {
        if let ExprKind::Let(id) = e.kind {
            found.push(id);
        }
        false
    });
    e.children(&mut |c| {
        if let Child::Plan(p) = c {
            mark(p, wanted);
        }
    });
    let mut plans = Vec::new();
    collect_refs(e, &mut plans);
    found.extend(plans);
    mark_all(&found, wanted);
}

/// Tables named in sub-queries of an expression.
fn collect_refs(e: &Expr, found: &mut Vec<BindingId>) {
    e.children(&mut |c| match c {
        Child::Plan(p) => p.for_each_plan(&mut |p| {
            if let Op::Ref(id) = &*p.op {
                found.push(*id);
            }
        }),
        Child::Expr(e) => collect_refs(e, found),
    });
}

fn mark_all(found: &[BindingId], wanted: &mut [bool]) {
    for id in found {
        if let Some(slot) = wanted.get_mut(id.0 as usize) {
            *slot = true;
        }
    }
}

pub(super) fn order_texts(order: &Order) -> Vec<SmolStr> {
    let mut texts: Vec<SmolStr> = order
        .keys
        .iter()
        .map(|(_, descending, nulls_first)| {
            let way = if *descending { "desc" } else { "asc" };
            let nulls = if *nulls_first { "nulls first" } else { "nulls last" };
            format!("{way} {nulls}").into()
        })
        .collect();
    if order.natural {
        texts.push("as written".into());
    }
    texts
}

fn item_chooses(item: &AggregateItem) -> bool {
    match &item.call {
        AggregateCall::Function(f, _) => f.name == "passthrough",
        AggregateCall::ArgExtreme { .. } | AggregateCall::TakeAny { .. } => true,
        AggregateCall::Composed { parts, .. } => parts.iter().any(item_chooses),
    }
}

/// Whether a source has no more than one row.
fn at_most_one(node: &Node) -> bool {
    match node {
        Node::Leaf(Source::Unit) | Node::Aggregate { scalar: true, .. } => true,
        Node::Leaf(_)
        | Node::Join { .. }
        | Node::Aggregate { .. }
        | Node::Union { .. }
        | Node::Each { .. } => false,
    }
}
