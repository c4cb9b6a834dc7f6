//! Operators: an [`ir::Plan`](ruleferry_ir::Plan) to a draft with the values of its columns.

use super::draft::{Draft, Node};
use super::shift::{Remap, Shift, reads};
use super::{Canon, Made};
use crate::block::{BlockId, ScanKind, Source};
use crate::term::{Constant, Term, TermId};
use ruleferry_ir::functions::Flags;
use ruleferry_ir::{
    self as ir, AggregateCall, AggregateItem, ArithmeticOp, BindingId, BindingValue, Case, Child, ColId,
    Expr, ExprKind, InputKind, Item, Join, JoinKind, LimitKind, Op, Plan, Scan, SelectItem, SelectKind,
    SortKey, Type, Union,
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
    fn one_choice(&mut self, rel: Rel, materialized: bool) -> Made<Rel> {
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
    fn chooses(&self, plan: &Plan) -> bool {
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

    fn step(&mut self, plan: &Plan, input: Option<Rel>) -> Made<Rel> {
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

    fn side(&mut self, side: u32, term: TermId, always: bool) -> TermId {
        if always && self.known(term).is_some() {
            return term;
        }
        self.arena.term(Term::Input(side, term))
    }

    // Sources.

    fn scan(&mut self, plan: &Plan, scan: &Scan) -> Made<Rel> {
        let (name, kind, qualifiers) = match &scan.source {
            ir::Source::Table(table) => (table.name.clone(), ScanKind::Table, table.qualifiers.clone()),
            ir::Source::Glob(glob) => (glob.clone(), ScanKind::Glob, Vec::new()),
            ir::Source::Input(input) => return self.outside_rows(plan, scan, input),
        };
        let source = Source::Scan { name, kind, qualifiers: qualifiers.into(), args: [].into(), over: None };
        let mut rel = self.table_columns(plan, scan, source);
        if let (Some(length), Some(time)) =
            (self.look_back, scan.time.and_then(|id| rel.columns.get(&id).copied()))
        {
            let back = self.arena.constant(Constant::Timespan(length.saturating_neg()));
            let now = self.now();
            let from = self.arithmetic(ArithmeticOp::Add, now, back, Type::Datetime)?;
            let late = self.strict(ir::CompareOp::Ge, time, from);
            self.push(&mut rel.draft, late)?;
        }
        Ok(rel)
    }

    pub fn table_columns(&mut self, plan: &Plan, scan: &Scan, source: Source) -> Rel {
        let mut rel = self.rel_of(source);
        rel.columns.reserve(plan.output.len());
        for id in plan.output.iter() {
            let name = SmolStr::new(self.query.columns.name(*id));
            let ty = self.query.columns.ty(*id);
            let term = self.arena.term(Term::Column { name, ty });
            rel.columns.insert(*id, term);
        }
        if scan.open {
            rel.events.push(self.arena.term(Term::Event));
        }
        rel
    }

    fn outside_rows(&mut self, plan: &Plan, scan: &Scan, input: &ir::Input) -> Made<Rel> {
        let kind = match input.kind {
            InputKind::Table => "table",
            InputKind::Watchlist => "watchlist",
            InputKind::ExternalData => "externaldata",
            InputKind::Function => "function",
        };
        if let Some(over) = &input.over {
            return self.invoked(plan, input, over);
        }
        let scope = self.no_scope();
        let mut args = Vec::with_capacity(input.args.len());
        for arg in &input.args {
            args.push(self.value(arg, &scope)?);
        }
        let mut qualifiers: Vec<(SmolStr, SmolStr)> = vec![("kind".into(), kind.into())];
        qualifiers.extend(input.properties.iter().cloned());
        // External data is what its addresses say, read into the columns that are named.
        let external = input.kind == InputKind::ExternalData && !input.args.is_empty();
        let name = if external { SmolStr::default() } else { input.name.clone() };
        if external {
            let columns = plan
                .output
                .iter()
                .map(|id| format!("{}:{}", self.query.columns.name(*id), self.query.columns.ty(*id)));
            qualifiers.push(("columns".into(), columns.collect::<Vec<_>>().join(",").into()));
        }
        let source = Source::Scan {
            name,
            kind: ScanKind::Input,
            qualifiers: qualifiers.into(),
            args: args.into(),
            over: None,
        };
        Ok(self.table_columns(plan, scan, source))
    }

    fn reference(&mut self, plan: &Plan, id: BindingId) -> Made<Rel> {
        self.used("inline-let");
        let Some(size) = self.tables.get(&id).map(|rel| rel.draft.size()) else {
            self.leave_out("a value stands where a table is expected");
            return Ok(self.no_scope());
        };
        self.count(size.saturating_mul(8))?;
        let Some(known) = self.tables.get(&id) else { return Ok(self.no_scope()) };
        let columns = plan.output.iter().zip(known.output.iter());
        let columns = columns.filter_map(|(new, old)| Some((*new, *known.columns.get(old)?))).collect();
        Ok(Rel {
            draft: known.draft.clone(),
            columns,
            output: plan.output.clone(),
            order: known.order.clone(),
            events: known.events.clone(),
            hidden: None,
        })
    }

    fn values(&mut self, plan: &Plan, values: &ir::Values) -> Made<Rel> {
        let scope = self.no_scope();
        let mut rows: Vec<Vec<TermId>> = Vec::with_capacity(values.rows.len());
        for row in &values.rows {
            let mut cells = Vec::with_capacity(plan.output.len());
            for e in row {
                cells.push(self.value(e, &scope)?);
            }
            // A call that makes several columns stands for all of them.
            if let ([call], true) = (cells.as_slice(), plan.output.len() > 1) {
                let call = *call;
                cells.clear();
                for (n, id) in plan.output.iter().enumerate() {
                    cells.push(self.part_of(call, n, *id));
                }
            }
            rows.push(cells);
        }
        let order = Order { keys: Vec::new(), natural: true };
        if let [row] = rows.as_slice() {
            let mut rel = self.no_scope();
            rel.columns = plan.output.iter().copied().zip(row.iter().copied()).collect();
            rel.order = order;
            return Ok(rel);
        }
        let rows = rows.into_iter().map(Box::from).collect();
        let mut rel = self.rel_of(Source::Values(rows));
        for (n, id) in plan.output.iter().enumerate() {
            let (name, ty) = (format!("${n}").into(), self.query.columns.ty(*id));
            let term = self.arena.term(Term::Column { name, ty });
            rel.columns.insert(*id, term);
        }
        rel.order = order;
        Ok(rel)
    }

    fn range(&mut self, plan: &Plan, range: &ir::Range) -> Made<Rel> {
        let scope = self.no_scope();
        let args = [
            self.value(&range.from, &scope)?,
            self.value(&range.to, &scope)?,
            self.value(&range.step, &scope)?,
        ];
        let ty = plan.output.first().map_or(Type::Unknown, |id| self.query.columns.ty(*id));
        let qualifiers = [("type".into(), ty.name().into())].into();
        let source = Source::Scan {
            name: SmolStr::default(),
            kind: ScanKind::Range,
            qualifiers,
            args: args.into(),
            over: None,
        };
        let mut rel = self.rel_of(source);
        if let Some(id) = plan.output.first() {
            let term = self.arena.term(Term::Column { name: "$0".into(), ty });
            rel.columns.insert(*id, term);
        }
        rel.order.natural = true;
        Ok(rel)
    }

    // Operators row by row.

    fn filter(&mut self, input: Rel, predicate: &Expr) -> Made<Rel> {
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

    fn computed(&mut self, input: Rel, items: &[Item], beside: bool) -> Made<Rel> {
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
    fn part_of(&mut self, call: TermId, n: usize, id: ColId) -> TermId {
        let n = self.arena.constant(Constant::Long(i64::try_from(n).unwrap_or(i64::MAX)));
        let ty = self.query.columns.ty(id);
        self.opaque_call("$part", vec![call, n], ty)
    }

    fn select(&mut self, plan: &Plan, mut rel: Rel, kind: SelectKind, items: &[SelectItem]) -> Made<Rel> {
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

    fn sort(&mut self, input: Rel, keys: &[SortKey]) -> Made<Rel> {
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

    fn limit(&mut self, rel: Rel, count: &Expr, kind: LimitKind) -> Made<Rel> {
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

    fn top(&mut self, input: Rel, count: &Expr, keys: &[SortKey]) -> Made<Rel> {
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
    fn cast_text(&mut self, term: TermId, ty: Type) -> TermId {
        if ty == Type::String && self.arena.ty(term) == Type::String { self.cast(term, ty) } else { term }
    }

    // Joins and unions.

    fn join(&mut self, left: Rel, join: &Join) -> Made<Rel> {
        let right = self.rel(&join.right)?;
        let mut on = Vec::with_capacity(join.on.len());
        for key in &join.on {
            let ty = Type::of_keys(self.query.columns.ty(key.left), self.query.columns.ty(key.right));
            let (l, r) = (self.column(&left, key.left)?, self.column(&right, key.right)?);
            on.push((self.join_key(l, ty), self.join_key(r, ty)));
        }
        on.sort_unstable();
        on.dedup();
        match join.kind {
            JoinKind::LeftSemi => return self.semi(left, right, on, false),
            JoinKind::LeftAnti => return self.semi(left, right, on, true),
            JoinKind::RightSemi | JoinKind::RightAnti => {
                let on = on.into_iter().map(|(l, r)| (r, l)).collect();
                return self.semi(right, left, on, join.kind == JoinKind::RightAnti);
            }
            JoinKind::Inner
            | JoinKind::InnerUnique
            | JoinKind::LeftOuter
            | JoinKind::RightOuter
            | JoinKind::FullOuter => {}
        }
        // The right outer join is the left one of the other side.
        let swapped = join.kind == JoinKind::RightOuter;
        let kind = if swapped { JoinKind::LeftOuter } else { join.kind };
        let (l, r) = if swapped { (1, 0) } else { (0, 1) };
        // Each row has a row of these sides.
        let inner = matches!(kind, JoinKind::Inner | JoinKind::InnerUnique);
        let always = |side: u32| inner || (kind == JoinKind::LeftOuter && side == 0);
        // In an inner join both keys are one value.
        let mut same: FxHashMap<TermId, TermId> = FxHashMap::default();
        if inner {
            for (l, r) in &on {
                if self.is_plain_key(*l) && self.arena.ty(*l) == self.arena.ty(*r) {
                    let (l, r) = (self.arena.term(Term::Input(0, *l)), self.arena.term(Term::Input(1, *r)));
                    same.entry(r).or_insert(l);
                }
            }
        }
        let mut columns: FxHashMap<ColId, TermId> = FxHashMap::default();
        for id in left.output.iter() {
            let term = self.column(&left, *id)?;
            columns.insert(*id, self.side(l, term, always(l)));
        }
        let mut of_right: FxHashMap<ColId, TermId> = FxHashMap::default();
        for id in right.output.iter() {
            let term = self.column(&right, *id)?;
            let term = self.side(r, term, always(r));
            let plain = self.unfilled_input(term);
            let term = same.get(&plain).copied().unwrap_or(term);
            of_right.insert(*id, term);
            columns.entry(*id).or_insert(term);
        }
        for item in &join.right_output {
            if let Some(term) = of_right.get(&item.from) {
                columns.insert(item.to, *term);
            }
        }
        let mut events = Vec::new();
        for (side, of) in [(l, &left.events), (r, &right.events)] {
            for event in of {
                events.push(self.arena.term(Term::Input(side, *event)));
            }
        }
        let (left, right, on) = if swapped {
            (right.draft, left.draft, on.into_iter().map(|(l, r)| (r, l)).collect())
        } else {
            (left.draft, right.draft, on)
        };
        let node = Node::Join { kind, left: Box::new(left), right: Box::new(right), on };
        let mut rel = self.no_scope();
        rel.draft = self.draft(node);
        rel.columns = columns;
        rel.events = events;
        Ok(rel)
    }

    /// A value of an input without a cast that only fills in `""`.
    fn unfilled_input(&mut self, term: TermId) -> TermId {
        match *self.arena.get(term) {
            Term::Input(side, inner) => {
                let inner = self.unfilled(inner);
                self.arena.term(Term::Input(side, inner))
            }
            _ => term,
        }
    }

    fn is_plain_key(&self, key: TermId) -> bool {
        !matches!(self.arena.ty(key), Type::Real | Type::Decimal | Type::Dynamic | Type::Unknown)
    }

    fn join_key(&mut self, term: TermId, ty: Type) -> TermId {
        let key = self.cast(term, ty);
        self.unfilled(key)
    }

    /// Rows with a partner, or without one.
    fn semi(&mut self, mut rel: Rel, other: Rel, on: Vec<(TermId, TermId)>, anti: bool) -> Made<Rel> {
        self.used("semi-join-as-filter");
        rel.order = Order::default();
        // Null equals nothing.
        let mut there = Vec::new();
        for (here, _) in &on {
            if self.arena.ty(*here) != Type::String {
                there.push(self.present(*here));
            }
        }
        let found = self.in_rows(on, other, Case::Sensitive)?;
        let there = self.arena.and(there);
        let found = self.arena.and([there, found]);
        let condition = if anti { self.arena.not(found) } else { found };
        self.push(&mut rel.draft, condition)?;
        Ok(rel)
    }

    /// Rows of which only the set of some values matters.
    pub fn as_set(&mut self, rel: Rel, pairs: Vec<(TermId, TermId)>) -> Made<(Rel, Vec<(TermId, TermId)>)> {
        let (mut rel, mut pairs) = (rel, pairs);
        while let Node::Aggregate { scalar: false, .. } = &rel.draft.node {
            if !self.is_constant(rel.draft.filter, true) {
                break;
            }
            let mut inside = Vec::with_capacity(pairs.len());
            for (here, there) in &pairs {
                let found = self.reads(*there);
                let key = matches!(self.arena.get(self.unfilled(*there)), Term::Input(0, _));
                if found & !reads::LEFT != 0 && !(key && found & !(reads::LEFT | reads::LOOSE) == 0) {
                    break;
                }
                match self.shifted(*there, &Shift::Open(0))? {
                    Some(there) => inside.push((*here, there)),
                    None => break,
                }
            }
            if inside.len() != pairs.len() {
                break;
            }
            self.used("distinct-set");
            pairs = inside;
            if let Node::Aggregate { input, .. } = rel.draft.node {
                rel.draft = *input;
            } else {
                break;
            }
        }
        Ok((rel, pairs))
    }

    fn union(&mut self, plan: &Plan, union: &Union) -> Made<Rel> {
        let mut rels = Vec::with_capacity(union.inputs.len());
        for input in &union.inputs {
            rels.push(self.rel(input)?);
        }
        self.merge(plan, rels, &union.columns, union.source, &union.labels)
    }

    /// The rows of several inputs under one list of columns.
    pub fn merge(
        &mut self,
        plan: &Plan,
        rels: Vec<Rel>,
        columns: &[Vec<Option<ColId>>],
        source: Option<ColId>,
        labels: &[SmolStr],
    ) -> Made<Rel> {
        // Unions of unions are one: each input stands for one or several branches.
        let mut branches: Vec<Draft> = Vec::new();
        let mut places: Vec<Vec<Option<usize>>> = Vec::with_capacity(rels.len());
        let mut scopes = Vec::with_capacity(rels.len());
        for mut rel in rels {
            let unit = self.draft(Node::Leaf(Source::Unit));
            let draft = std::mem::replace(&mut rel.draft, unit);
            match draft {
                Draft { node: Node::Union { inputs }, filter } if self.is_constant(filter, true) => {
                    places.push((0..inputs.len()).map(Some).collect());
                    branches.extend(inputs);
                }
                draft => {
                    places.push(vec![None]);
                    branches.push(draft);
                }
            }
            scopes.push(rel);
        }
        self.count(branches.len().saturating_mul(1 + plan.output.len() / 8))?;
        let mut rel = self.no_scope();
        let mut next = columns.iter();
        for id in plan.output.iter() {
            let ty = self.query.columns.ty(*id);
            let column = if Some(*id) == source { None } else { next.next() };
            let mut parts = Vec::with_capacity(branches.len());
            for (n, (scope, inside)) in scopes.iter().zip(&places).enumerate() {
                let term = match (column, Some(*id) == source) {
                    (_, true) => {
                        let label = labels.get(n).cloned().unwrap_or_default();
                        Some(self.arena.constant(Constant::String(label)))
                    }
                    (Some(column), false) => match column.get(n).copied().flatten() {
                        Some(id) => Some(self.column(scope, id)?),
                        None => None,
                    },
                    (None, false) => None,
                };
                for place in inside {
                    parts.push(match (term, place) {
                        (Some(term), Some(n)) => self.shifted(term, &Shift::Branch(*n))?.or(Some(term)),
                        (term, _) => term,
                    });
                }
            }
            let term = self.merged(parts, ty);
            rel.columns.insert(*id, term);
        }
        if scopes.iter().any(|s| !s.events.is_empty()) {
            let mut parts = Vec::with_capacity(branches.len());
            for (scope, inside) in scopes.iter().zip(&places) {
                let event = scope.events.first().copied();
                for place in inside {
                    parts.push(match (event, place) {
                        (Some(event), Some(n)) => self.shifted(event, &Shift::Branch(*n))?.or(Some(event)),
                        (event, _) => event,
                    });
                }
            }
            let event = self.merged(parts, Type::String);
            rel.events.push(event);
        }
        match (branches.len(), branches.pop()) {
            (1, Some(only)) => rel.draft = only,
            (_, last) => {
                branches.extend(last);
                rel.draft = self.draft(Node::Union { inputs: branches });
            }
        }
        Ok(rel)
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
