//! Which columns of an answer rest on a choice that the language leaves open.
//!
//! In: a query. Out: for each output column how far it is defined, and whether the set of rows itself is open. A static view:
//! it follows values from where the choice is made through columns, expressions and operators to the output. What a run did
//! choose stands in [`crate::Answer::choices`].

use ruleferry_ir::functions::Flags;
use ruleferry_ir::{
    Aggregate, AggregateCall, AggregateItem, Apply, BindingId, BindingValue, Child, ColId, Expand, Expr,
    ExprKind, InValues, Item, Join, JoinKind, LimitKind, MatchValue, MatchValues, Op, Plan, Plugin,
    PluginArg, Query, Sequence, Source, Subject, Type, Union,
};
use rustc_hash::{FxHashMap, FxHashSet};

/// How far a column is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Definedness {
    Exact,
    /// Arrays whose order is open (`make_set`, `make_list` of unsorted rows).
    ArrayOrder,
    /// Exact, unless the run had to choose and says so in [`crate::Answer::choices`]: `arg_max` where rows tie, `dcount` and
    /// `percentile` of many values, the left columns of `innerunique`.
    DataDependent,
    /// A value that is one of several.
    Open,
}

use Definedness::{ArrayOrder, DataDependent, Exact, Open};

/// The output columns of a query, and whether which rows come out is open.
pub fn undefined_columns(query: &Query) -> (Vec<Definedness>, bool) {
    let mut analysis =
        Analysis { query, columns: FxHashMap::default(), lets: FxHashMap::default(), bodies: Vec::new() };
    let rows = analysis.plan(&query.plan);
    (query.plan.output.iter().map(|id| analysis.column(*id)).collect(), rows.open)
}

/// Functions that see what is in an array, not where.
const ORDER_FREE: &[&str] = &[
    "array_length",
    "array_sort_asc",
    "array_sort_desc",
    "array_sum",
    "bag_has_key",
    "dcount_hll",
    "gettype",
    "has_any_ipv4",
    "has_any_ipv4_prefix",
    "ipv4_is_in_any_range",
    "ipv6_is_in_any_range",
    "jaccard_index",
    "set_equals",
    "set_has_element",
];

/// Functions whose result holds their arguments as they are, so that only the order inside of them stays open.
const HOLDERS: &[&str] = &[
    "array_concat",
    "array_reverse",
    "bag_merge",
    "bag_pack",
    "bag_pack_columns",
    "bag_remove_keys",
    "bag_set_key",
    "case",
    "coalesce",
    "iff",
    "pack_all",
    "pack_array",
    "parse_json",
];

/// Functions whose result is an array without an order.
const SETS: &[&str] = &["bag_keys", "set_difference", "set_intersect", "set_union"];

/// What is known of the rows of a plan.
#[derive(Clone, Copy, Default)]
struct Rows {
    /// Which rows there are is open.
    open: bool,
    /// Their order was asked for.
    sorted: bool,
}

struct Analysis<'q> {
    query: &'q Query,
    columns: FxHashMap<ColId, Definedness>,
    /// Scalar bindings with one value, tables with one for each column.
    lets: FxHashMap<BindingId, (Vec<Definedness>, Rows)>,
    /// The rows that the body of `mv-apply` or `partition` works on, the innermost last.
    bodies: Vec<Rows>,
}

/// What a value has that is made of two.
const fn join(a: Definedness, b: Definedness) -> Definedness {
    match (a, b) {
        (Exact, other) | (other, Exact) => other,
        (ArrayOrder, ArrayOrder) => ArrayOrder,
        (DataDependent, DataDependent) => DataDependent,
        (ArrayOrder | DataDependent | Open, ArrayOrder | DataDependent | Open) => Open,
    }
}

/// What something computed from a value has where the order inside of it counts.
const fn used(value: Definedness) -> Definedness {
    match value {
        ArrayOrder => Open,
        Exact | DataDependent | Open => value,
    }
}

/// What the elements of an array have.
const fn elements(array: Definedness) -> Definedness {
    match array {
        ArrayOrder => Exact,
        Exact | DataDependent | Open => array,
    }
}

impl<'q> Analysis<'q> {
    fn column(&self, id: ColId) -> Definedness {
        self.columns.get(&id).copied().unwrap_or(Exact)
    }

    fn set(&mut self, id: ColId, value: Definedness) {
        if value == Exact {
            self.columns.remove(&id);
        } else {
            self.columns.insert(id, value);
        }
    }

    fn ty(&self, id: ColId) -> Type {
        self.query.columns.ty(id)
    }

    /// From the source of a pipeline downwards, without recursion.
    fn plan(&mut self, plan: &'q Plan) -> Rows {
        let mut chain = vec![plan];
        while let Some(input) = chain.last().and_then(|p| p.input()) {
            chain.push(input);
        }
        let mut rows = Rows::default();
        while let Some(step) = chain.pop() {
            rows = self.step(step, rows);
        }
        rows
    }

    fn step(&mut self, plan: &'q Plan, input: Rows) -> Rows {
        match &*plan.op {
            Op::Scan(scan) => {
                let Source::Input(outside) = &scan.source else { return Rows::default() };
                outside
                    .over
                    .as_ref()
                    .map_or_else(Rows::default, |over| Rows { sorted: false, ..self.plan(over) })
            }
            Op::Ref(id) => self.reference(*id, plan),
            Op::Values(values) => {
                for row in &values.rows {
                    for (id, e) in plan.output.iter().zip(row) {
                        let value = join(self.column(*id), self.expr(e, true));
                        self.set(*id, value);
                    }
                }
                Rows { open: false, sorted: true }
            }
            Op::Range(_) => Rows { open: false, sorted: true },
            Op::Rows => self.bodies.last().copied().unwrap_or_default(),
            Op::Filter { input: _, predicate } => {
                let value = self.expr(predicate, input.sorted);
                Rows { open: input.open || opens(value), ..input }
            }
            Op::Extend { input: _, items }
            | Op::Project { input: _, items }
            | Op::Serialize { input: _, items } => {
                self.items(items, input.sorted);
                input
            }
            Op::Select { input: _, kind: _, items } => {
                let values: Vec<_> = items.iter().map(|i| (i.to, self.column(i.from))).collect();
                values.into_iter().for_each(|(id, value)| self.set(id, value));
                input
            }
            Op::Aggregate(a) => self.aggregate(a, input),
            Op::Distinct { input: _ } => {
                let open = plan.output.iter().any(|id| opens(self.column(*id)));
                Rows { open: input.open || open, sorted: false }
            }
            Op::Join(j) => self.joined(j, input),
            Op::Union(u) => self.union(u, plan),
            Op::Sort { input: _, keys } => {
                keys.iter().for_each(|k| {
                    self.expr(&k.expr, input.sorted);
                });
                Rows { sorted: true, ..input }
            }
            Op::Limit { input: _, count: _, kind } => match kind {
                LimitKind::Take => Rows { open: input.open || !input.sorted, ..input },
                LimitKind::Sample | LimitKind::SampleDistinct => Rows { open: true, ..input },
            },
            Op::Top { input: _, count: _, keys } => {
                let open = keys.iter().any(|k| opens(self.expr(&k.expr, input.sorted)));
                Rows { open: input.open || open, sorted: true }
            }
            Op::Expand(e) => self.expand(e, input),
            Op::Apply(a) => self.apply(a, input),
            Op::MakeSeries(m) => {
                let mut open = input.open;
                for key in &m.keys {
                    open |= opens(self.item(key, input.sorted));
                }
                open |= opens(self.expr(&m.axis, input.sorted));
                for series in &m.aggregates {
                    self.aggregated(&series.aggregate, input);
                }
                Rows { open, sorted: false }
            }
            Op::Parse(p) => {
                let value = used(self.expr(&p.subject, input.sorted));
                for piece in &p.pieces {
                    if let ruleferry_ir::ParsePiece::Column(id) = piece {
                        self.set(*id, value);
                    }
                }
                Rows { open: input.open || (p.filter && opens(value)), ..input }
            }
            Op::ParseKv(p) => {
                let value = used(self.expr(&p.subject, input.sorted));
                p.columns.iter().for_each(|id| self.set(*id, value));
                input
            }
            Op::Partition { input: _, key, body } => {
                let open = input.open || opens(self.column(*key));
                self.bodies.push(input);
                let rows = self.plan(body);
                self.bodies.pop();
                Rows { open: open || rows.open, sorted: false }
            }
            Op::Sequence(s) => self.sequence(s, input),
            Op::TopNested(t) => {
                let mut open = input.open;
                for level in &t.levels {
                    open |= opens(self.item(&level.key, input.sorted));
                    open |= opens(self.aggregated(&level.by, input));
                }
                Rows { open, sorted: false }
            }
            Op::Plugin(p) => self.plugin(p, plan, input),
            Op::Search(s) => {
                let mut open = false;
                for input in &s.inputs {
                    open |= self.plan(input).open;
                }
                for (id, columns) in plan.output.iter().filter(|id| Some(**id) != s.source).zip(&s.columns) {
                    let value = columns.iter().flatten().fold(Exact, |all, id| join(all, self.column(*id)));
                    self.set(*id, value);
                }
                Rows { open: open || opens(self.expr(&s.predicate, false)), sorted: false }
            }
            Op::GetSchema { input: _ } => Rows { open: false, sorted: true },
            Op::Render { input: _, text: _ } => input,
            Op::Opaque { input: _, opaque: _ } => {
                plan.output.iter().for_each(|id| self.set(*id, Open));
                Rows { open: true, sorted: false }
            }
        }
    }

    /// A table binding under the ids of its reference.
    fn reference(&mut self, id: BindingId, plan: &Plan) -> Rows {
        let (columns, rows) = self.binding(id);
        for (id, value) in plan.output.iter().zip(columns) {
            self.set(*id, value);
        }
        rows
    }

    fn binding(&mut self, id: BindingId) -> (Vec<Definedness>, Rows) {
        if let Some(known) = self.lets.get(&id) {
            return known.clone();
        }
        let query = self.query;
        let found = match query.bindings.get(id.0 as usize).map(|b| &b.value) {
            Some(BindingValue::Scalar(e)) => (vec![self.expr(e, true)], Rows::default()),
            Some(BindingValue::Table { plan, materialized: _ }) => {
                let rows = self.plan(plan);
                (plan.output.iter().map(|id| self.column(*id)).collect(), rows)
            }
            None => (Vec::new(), Rows::default()),
        };
        self.lets.insert(id, found.clone());
        found
    }

    fn items(&mut self, items: &'q [Item], sorted: bool) {
        for item in items {
            self.item(item, sorted);
        }
    }

    fn item(&mut self, item: &'q Item, sorted: bool) -> Definedness {
        let value = self.expr(&item.expr, sorted);
        match item.ids.as_slice() {
            [id] => self.set(*id, value),
            ids => ids.iter().for_each(|id| self.set(*id, used(value))),
        }
        value
    }

    fn aggregate(&mut self, a: &'q Aggregate, input: Rows) -> Rows {
        let mut open = input.open && !a.keys.is_empty();
        for key in &a.keys {
            let value = self.expr(&key.expr, input.sorted);
            open |= opens(value);
            key.ids.iter().for_each(|id| self.set(*id, value));
        }
        // Where groups are open, so is what is in them.
        let rows = Rows { open: input.open || open, ..input };
        for item in &a.aggregates {
            self.aggregated(item, rows);
        }
        Rows { open, sorted: false }
    }

    fn aggregated(&mut self, item: &'q AggregateItem, input: Rows) -> Definedness {
        let mut of = |e: &'q Expr| self.expr(e, input.sorted);
        let values: Vec<Definedness> = match &item.call {
            AggregateCall::Function(function, args) => {
                let args = args.iter().fold(Exact, |all, e| join(all, of(e)));
                let value = match function.name {
                    "make_set" | "make_set_if" | "buildschema" => hold(args, ArrayOrder),
                    "make_list" | "make_list_if" | "make_list_with_nulls" if input.sorted => args,
                    "make_list" | "make_list_if" | "make_list_with_nulls" => hold(args, ArrayOrder),
                    "make_bag" | "make_bag_if" => hold(args, DataDependent),
                    "dcount" | "dcountif" | "hll" | "hll_if" | "hll_merge" => join(used(args), DataDependent),
                    "passthrough" => join(args, DataDependent),
                    "tdigest" | "tdigest_merge" => join(used(args), DataDependent),
                    name if name.starts_with("percentile") => join(used(args), DataDependent),
                    _ => used(args),
                };
                vec![value; item.ids.len()]
            }
            AggregateCall::ArgExtreme { max: _, by, returned, star } => {
                let by = used(of(by));
                let mut values = vec![by];
                values.extend(returned.iter().map(|e| join(join(of(e), by), DataDependent)));
                if *star {
                    values.resize(item.ids.len(), DataDependent);
                }
                values
            }
            AggregateCall::TakeAny { .. } => vec![Open; item.ids.len()],
            AggregateCall::Composed { parts, expr } => {
                for part in parts {
                    self.aggregated(part, input);
                }
                vec![self.expr(expr, input.sorted); item.ids.len()]
            }
        };
        let mut all = Exact;
        for (id, value) in item.ids.iter().zip(values) {
            let value = if input.open { Open } else { value };
            all = join(all, value);
            self.set(*id, value);
        }
        all
    }

    fn joined(&mut self, j: &'q Join, left: Rows) -> Rows {
        let right = self.plan(&j.right);
        let mut open = left.open || right.open;
        for key in &j.on {
            open |= opens(self.column(key.left)) || opens(self.column(key.right));
        }
        if j.kind == JoinKind::InnerUnique {
            let keys: FxHashSet<ColId> = j.on.iter().map(|k| k.left).collect();
            if !self.is_unique(&j.left, keys.clone()) {
                for id in j.left.output.iter().filter(|id| !keys.contains(*id)) {
                    let value = join(self.column(*id), DataDependent);
                    self.set(*id, value);
                }
            }
        }
        let values: Vec<_> = j.right_output.iter().map(|i| (i.to, self.column(i.from))).collect();
        values.into_iter().for_each(|(id, value)| self.set(id, value));
        Rows { open, sorted: false }
    }

    /// Whether no two rows of a plan have the same values in some columns.
    fn is_unique(&self, plan: &Plan, mut keys: FxHashSet<ColId>) -> bool {
        let mut at = Some(plan);
        while let Some(plan) = at {
            at = match &*plan.op {
                Op::Aggregate(a) => return a.keys.iter().flat_map(|k| &k.ids).all(|id| keys.contains(id)),
                Op::Distinct { input: _ } => return plan.output.iter().all(|id| keys.contains(id)),
                Op::Project { input, items } => {
                    for item in items {
                        if let ([id], Some(from)) = (item.ids.as_slice(), item.expr.as_column())
                            && keys.contains(id)
                        {
                            keys.insert(from);
                        }
                    }
                    Some(input)
                }
                Op::Select { input, kind: _, items } => {
                    for item in items {
                        if keys.contains(&item.to) {
                            keys.insert(item.from);
                        }
                    }
                    Some(input)
                }
                Op::Ref(id) => match self.query.bindings.get(id.0 as usize).map(|b| &b.value) {
                    Some(BindingValue::Table { plan: bound, materialized: _ }) => {
                        let pairs = plan.output.iter().zip(bound.output.iter());
                        keys = pairs.filter(|(id, _)| keys.contains(*id)).map(|(_, id)| *id).collect();
                        Some(bound)
                    }
                    Some(BindingValue::Scalar(_)) | None => None,
                },
                Op::Filter { input, .. }
                | Op::Extend { input, .. }
                | Op::Sort { input, .. }
                | Op::Limit { input, .. }
                | Op::Top { input, .. }
                | Op::Serialize { input, .. }
                | Op::Render { input, .. } => Some(input),
                Op::Parse(p) => Some(&p.input),
                Op::ParseKv(p) => Some(&p.input),
                Op::Scan(_)
                | Op::Values(_)
                | Op::Range(_)
                | Op::Rows
                | Op::Join(_)
                | Op::Union(_)
                | Op::Expand(_)
                | Op::Apply(_)
                | Op::MakeSeries(_)
                | Op::Partition { .. }
                | Op::Sequence(_)
                | Op::TopNested(_)
                | Op::Plugin(_)
                | Op::Search(_)
                | Op::GetSchema { .. }
                | Op::Opaque { .. } => None,
            };
        }
        false
    }

    fn union(&mut self, u: &'q Union, plan: &Plan) -> Rows {
        let mut open = false;
        for input in &u.inputs {
            open |= self.plan(input).open;
        }
        for (id, columns) in plan.output.iter().filter(|id| Some(**id) != u.source).zip(&u.columns) {
            let value = columns.iter().flatten().fold(Exact, |all, id| join(all, self.column(*id)));
            self.set(*id, value);
        }
        Rows { open, sorted: false }
    }

    /// The elements of an array without an order are as defined as ever; which one stands beside which is not.
    fn expand(&mut self, e: &'q Expand, input: Rows) -> Rows {
        let arrays: Vec<Definedness> = e.items.iter().map(|i| self.expr(&i.expr, input.sorted)).collect();
        let mut open = input.open;
        for (item, array) in e.items.iter().zip(&arrays) {
            let value = if e.items.len() > 1 { used(*array) } else { elements(*array) };
            open |= value == Open || (*array == ArrayOrder && e.limit.is_some());
            self.set(item.id, value);
        }
        if let Some(id) = e.index {
            let value = arrays.iter().fold(Exact, |all, a| join(all, used(*a)));
            self.set(id, value);
        }
        Rows { open, sorted: input.sorted && arrays.iter().all(|a| *a == Exact) }
    }

    fn apply(&mut self, a: &'q Apply, input: Rows) -> Rows {
        let arrays: Vec<Definedness> = a.items.iter().map(|i| self.expr(&i.expr, input.sorted)).collect();
        let mut open = false;
        for (item, array) in a.items.iter().zip(&arrays) {
            let value = if a.items.len() > 1 { used(*array) } else { elements(*array) };
            open |= value == Open || (*array == ArrayOrder && a.limit.is_some());
            self.set(item.id, value);
        }
        if let Some(id) = a.index {
            let value = arrays.iter().fold(Exact, |all, a| join(all, used(*a)));
            self.set(id, value);
        }
        // The elements of one array stand in its order.
        self.bodies.push(Rows { open, sorted: arrays.iter().all(|a| *a == Exact) });
        let body = self.plan(&a.body);
        self.bodies.pop();
        Rows { open: input.open || body.open, sorted: false }
    }

    fn sequence(&mut self, s: &'q Sequence, input: Rows) -> Rows {
        let mut open = input.open || !input.sorted;
        let start = if open { Open } else { Exact };
        let made: Vec<ColId> = s.declared.iter().map(|(id, _)| *id).chain(s.match_id).collect();
        made.iter().for_each(|id| self.set(*id, start));
        // Values pass through the states, so that what is open in one step may come to any.
        let mut value = start;
        for step in &s.steps {
            for (_, column, id) in &step.states {
                let of = self.column(*column);
                self.set(*id, of);
            }
            open |= opens(self.expr(&step.condition, input.sorted));
            for (_, e) in &step.assignments {
                value = join(value, self.expr(e, input.sorted));
            }
        }
        let value = if open { Open } else { value };
        made.iter().for_each(|id| self.set(*id, value));
        Rows { open, sorted: input.sorted }
    }

    fn plugin(&mut self, p: &'q Plugin, plan: &'q Plan, input: Rows) -> Rows {
        let mut args = Exact;
        let mut right: Option<(&[ColId], Rows)> = None;
        for arg in &p.args {
            match arg {
                PluginArg::Expr(e) => args = join(args, self.expr(e, input.sorted)),
                PluginArg::Aggregate(item) => args = join(args, self.aggregated(item, input)),
                PluginArg::Table(table) => {
                    let rows = self.plan(table);
                    right = Some((&table.output, rows));
                }
            }
        }
        let before: Vec<ColId> = p.input.as_ref().map(|i| i.output.to_vec()).unwrap_or_default();
        let new: Vec<ColId> = plan.output.iter().copied().filter(|id| !before.contains(id)).collect();
        let any = before.iter().fold(Exact, |all, id| join(all, self.column(*id)));
        let mut rows = Rows { open: input.open, sorted: false };
        let value = match p.function.name {
            "identity" => return input,
            "bag_unpack" => {
                rows.sorted = input.sorted;
                args
            }
            "ipv4_lookup" | "ipv6_lookup" | "geo_line_lookup" | "geo_polygon_lookup" => {
                let (columns, of) = right.unwrap_or_default();
                rows.open |= of.open || opens(args);
                let values: Vec<_> =
                    new.iter().zip(columns).map(|(to, from)| (*to, self.column(*from))).collect();
                values.into_iter().for_each(|(id, value)| self.set(id, value));
                return rows;
            }
            "pivot" => {
                rows.open |= opens(any);
                args
            }
            "rows_near" => {
                return Rows { open: rows.open || !input.sorted || opens(args), sorted: input.sorted };
            }
            "narrow" => join(used(any), if input.sorted { Exact } else { Open }),
            "rolling_percentile" => join(used(join(args, any)), DataDependent),
            "dcount_intersect"
            | "activity_counts_metrics"
            | "sliding_window_counts"
            | "active_users_count" => used(join(args, any)),
            // Samples, clusters, requests to the outside.
            _ => {
                rows.open = true;
                Open
            }
        };
        let value = if rows.open && p.function.name != "bag_unpack" { Open } else { value };
        new.iter().for_each(|id| self.set(*id, value));
        rows
    }

    /// A value over rows that are `sorted` or not.
    fn expr(&mut self, e: &'q Expr, sorted: bool) -> Definedness {
        match &e.kind {
            ExprKind::Literal(_) | ExprKind::Now => Exact,
            ExprKind::Column(id) => self.column(*id),
            ExprKind::Let(id) => self.binding(*id).0.first().copied().unwrap_or(Exact),
            // Whether there is an array, not what is in it.
            ExprKind::IsNull(inner) | ExprKind::IsEmpty(inner) => elements(self.expr(inner, sorted)),
            ExprKind::Member(base, _) => self.expr(base, sorted),
            ExprKind::Index(base, index) => {
                let (base, at) = (self.expr(base, sorted), self.expr(index, sorted));
                join(if index.ty == Type::String { base } else { used(base) }, used(at))
            }
            ExprKind::Cast(c) => {
                let value = self.expr(&c.expr, sorted);
                if c.to == Type::Dynamic { value } else { used(value) }
            }
            ExprKind::Case(branches, otherwise) => {
                let mut value = self.expr(otherwise, sorted);
                for (condition, branch) in branches {
                    value = join(value, used(self.expr(condition, sorted)));
                    value = join(value, self.expr(branch, sorted));
                }
                value
            }
            ExprKind::In(list) => {
                let subject = used(self.expr(&list.subject, sorted));
                let values = match &list.values {
                    InValues::List(values) => {
                        values.iter().fold(Exact, |all, e| join(all, used(self.expr(e, sorted))))
                    }
                    InValues::Dynamic(e) => elements(self.expr(e, sorted)),
                };
                join(subject, values)
            }
            ExprKind::InQuery(q) => join(used(self.expr(&q.subject, sorted)), self.members(&q.plan)),
            ExprKind::Match(m) => {
                let subject = match &m.subject {
                    Subject::Expr(e) => used(self.expr(e, sorted)),
                    Subject::AnyColumn | Subject::Event => Exact,
                };
                let values = match &m.values {
                    MatchValues::List(values) => values.iter().fold(Exact, |all, value| match value {
                        MatchValue::Expr(e) => join(all, used(self.expr(e, sorted))),
                        MatchValue::Glob(_) => all,
                    }),
                    MatchValues::Dynamic(e) => elements(self.expr(e, sorted)),
                    MatchValues::Query(plan) => self.members(plan),
                };
                join(subject, values)
            }
            ExprKind::Subquery(plan) => {
                let rows = self.plan(plan);
                let value = plan.output.first().map_or(Exact, |id| self.column(*id));
                if rows.open || !(rows.sorted || is_one_row(plan)) { Open } else { value }
            }
            ExprKind::Call(function, args) => {
                let args = args.iter().fold(Exact, |all, e| join(all, self.expr(e, sorted)));
                if function.has(Flags::VOLATILE) || (function.has(Flags::WINDOW) && !sorted) {
                    return Open;
                }
                match function.name {
                    name if SETS.contains(&name) => hold(args, ArrayOrder),
                    name if HOLDERS.contains(&name) => args,
                    name if ORDER_FREE.contains(&name) => elements(args),
                    _ => used(args),
                }
            }
            ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::Compare(_)
            | ExprKind::Between(_)
            | ExprKind::Arithmetic(_)
            | ExprKind::Negate(_) => {
                let mut parts: Vec<&'q Expr> = Vec::new();
                e.children(&mut |child| {
                    if let Child::Expr(inner) = child {
                        parts.push(inner);
                    }
                });
                parts.into_iter().fold(Exact, |all, e| join(all, used(self.expr(e, sorted))))
            }
            ExprKind::Opaque(_) => Open,
        }
    }

    /// What being among the values of a query's first column has.
    fn members(&mut self, plan: &'q Plan) -> Definedness {
        let rows = self.plan(plan);
        let value = plan.output.first().map_or(Exact, |id| {
            // A set in one row stands for its elements.
            let value = self.column(*id);
            if self.ty(*id) == Type::Dynamic { elements(value) } else { used(value) }
        });
        if rows.open { Open } else { value }
    }
}

/// Whether rows are open that are kept, split or paired by such values. Where the run says whether there was a choice, it says
/// so of these rows too.
const fn opens(value: Definedness) -> bool {
    match value {
        Exact | DataDependent => false,
        ArrayOrder | Open => true,
    }
}

/// A container with a mark of its own around its members: an inner order that is open does not make more open.
const fn hold(members: Definedness, own: Definedness) -> Definedness {
    match members {
        Exact | ArrayOrder => own,
        DataDependent | Open => Open,
    }
}

/// Whether a plan has one row at most whatever its input.
fn is_one_row(plan: &Plan) -> bool {
    let mut at = Some(plan);
    while let Some(plan) = at {
        at = match &*plan.op {
            Op::Aggregate(a) if a.keys.is_empty() => return true,
            Op::Extend { input, .. }
            | Op::Project { input, .. }
            | Op::Select { input, .. }
            | Op::Filter { input, .. }
            | Op::Render { input, .. } => Some(input),
            _ => None,
        };
    }
    false
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use ruleferry_kql::lift::{LiftOptions, lift};
    use ruleferry_kql::syntax::parse;

    fn of(text: &str) -> (Vec<Definedness>, bool) {
        let parsed = parse(text);
        let lifted = lift(&parsed.query, &LiftOptions { source: text });
        undefined_columns(&lifted.query.unwrap())
    }

    #[test]
    fn columns_follow_their_values() {
        let t = "let T = datatable(a:int, b:string, s:dynamic)[]; let U = union T, (union T, T | take 1); ";
        for (rest, columns, rows) in [
            ("T | summarize count() by a", vec![Exact, Exact], false),
            ("union T, T | summarize x = make_set(b), y = make_list(b)", vec![ArrayOrder, ArrayOrder], false),
            ("union T, T | sort by a | summarize x = make_list(b)", vec![Exact], false),
            (
                "union T, T | summarize x = make_set(b) | project array_sort_asc(x), array_length(x)",
                vec![Exact; 2],
                false,
            ),
            (
                "union T, T | summarize x = make_set(b) | project tostring(x), x[0], strcat_array(x, ',')",
                vec![Open; 3],
                false,
            ),
            (
                "union T, T | summarize x = make_set(b) | project y = bag_pack('k', x) | extend z = y.k",
                vec![ArrayOrder; 2],
                false,
            ),
            ("union T, T | summarize x = make_set(b) | mv-expand x", vec![Exact], false),
            (
                "union T, T | summarize x = make_set(b) | where x has 'a' and isnotempty(x) | project 1",
                vec![Exact],
                true,
            ),
            ("T | project set_union(s, s)", vec![ArrayOrder], false),
            ("union T, T | take 3 | project a", vec![Exact], true),
            ("T | sort by a | take 3 | project a", vec![Exact], false),
            ("U | summarize count()", vec![Open], false),
            ("U | summarize count() by a", vec![Exact, Open], true),
            (
                "T | summarize take_any(b), n = dcount(b), arg_max(a, b) by s1 = tostring(s)",
                vec![Exact, Open, DataDependent, Exact, DataDependent],
                false,
            ),
            ("T | summarize x = take_any(b) | where x == 'a' | project 1", vec![Exact], true),
            ("union T, T | serialize n = row_number() | project n", vec![Open], false),
            ("T | sort by a | extend p = prev(b) | project p", vec![Exact], false),
            ("T | extend r = rand() | project r", vec![Open], false),
            ("T | where a in (toscalar(U | summarize make_set(a))) | project a", vec![Exact], true),
            ("T | where b in ((T | summarize count() by b | project b)) | project a", vec![Exact], false),
            (
                "T | join kind=innerunique (T | project a) on a | project a, b",
                vec![Exact, DataDependent],
                false,
            ),
            (
                "T | summarize max(b) by a | join (T | project a) on a | project a, max_b",
                vec![Exact, Exact],
                false,
            ),
            ("T | project n = iff(rand() > 0.5, 1, 2)", vec![Open], false),
        ] {
            assert_eq!(of(&format!("{t}{rest}")), (columns, rows), "{rest}");
        }
    }
}
