//! Event variables: the rows of a table that one variable of the rule stands for.
//!
//! Predicates register here what they read: columns of the table, repeated fields that are expanded, labels, tests with
//! `any` and `all`. From that the pipeline of the variable is built: scan, filters, expansions, filters.

use super::Lifter;
use super::make;
use super::path::{Origin, element_name};
use super::plain::PlainTable;
use indexmap::IndexMap;
use ruleferry_diag::Span;
use ruleferry_ir::functions::{FunctionKind, find};
use ruleferry_ir::{
    Aggregate, AggregateCall, AggregateItem, Apply, ColId, CompareOp, Expand, ExpandItem, ExpandKind, Expr,
    Item, Missing, Op, Plan, Scan, Source, TableName, Type,
};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::{SmolStr, format_smolstr};

/// One event variable of the rule.
#[derive(Debug)]
pub struct EventVar {
    pub name: SmolStr,
    pub origin: Origin,
    /// The table, if it is another one than the origin's: see [`crate::plain`].
    pub plain: Option<PlainTable>,
    pub span: Span,
    /// Columns of the table, by path, in the order of their first use.
    columns: IndexMap<SmolStr, ColId>,
    /// What is computed for each row, in an order in which each uses only earlier ones.
    steps: Vec<Step>,
    /// Elements and labels by what they are, so that each is made once.
    made: FxHashMap<SmolStr, ColId>,
    /// Columns that stand only on rows that were expanded.
    expanded: FxHashSet<ColId>,
    pub predicates: Vec<Expr>,
    /// What later stages read, by name: the expression in the rows of the variable, and the column that it becomes.
    pub exports: IndexMap<SmolStr, (Expr, ColId)>,
}

/// Something that is computed for each row, and makes one or several of it.
#[derive(Debug)]
struct Step {
    kind: StepKind,
    /// The column that it makes.
    id: ColId,
    /// It stands on expanded rows.
    expanded: bool,
}

#[derive(Debug)]
enum StepKind {
    /// One row for each element.
    Expand { array: Expr, to: Option<Type> },
    /// The value of the first label with a key.
    Label { labels: Expr, key: SmolStr, item: ColId, index: ColId, by: ColId },
    /// How many of the elements hold the test.
    Count { arrays: Vec<(ColId, Expr, Option<Type>)>, test: Expr },
}

/// A repeated field that `any` or `all` quantify: its arrays from the outside in, and the last element.
pub struct Quantified {
    pub arrays: Vec<(ColId, Expr, Option<Type>)>,
}

impl EventVar {
    pub fn new(name: SmolStr, origin: Origin, span: Span) -> Self {
        Self {
            name,
            origin,
            plain: None,
            span,
            columns: IndexMap::new(),
            steps: Vec::new(),
            made: FxHashMap::default(),
            expanded: FxHashSet::default(),
            predicates: Vec::new(),
            exports: IndexMap::new(),
        }
    }

    /// The column that says when an event was.
    pub fn time(&self) -> Option<SmolStr> {
        match &self.plain {
            Some(plain) => Some(plain.time.clone()),
            None => self.origin.time().map(SmolStr::new_static),
        }
    }

    pub fn table(&self) -> SmolStr {
        self.plain.as_ref().map_or_else(|| SmolStr::new_static(self.origin.table()), |p| p.name.clone())
    }

    /// Whether an expression stands on expanded rows.
    pub fn is_expanded(&self, e: &Expr) -> bool {
        let mut ids = Vec::new();
        make::columns_of(e, &mut ids);
        ids.iter().any(|id| self.expanded.contains(id))
    }

    /// How many operators its rows pass.
    pub const fn steps(&self) -> usize {
        self.steps.len()
    }

    pub fn has_expansions(&self) -> bool {
        self.steps.iter().any(|s| matches!(s.kind, StepKind::Expand { .. }))
    }

    /// The columns of the table that the rule uses.
    pub fn table_columns(&self) -> impl Iterator<Item = ColId> + '_ {
        self.columns.values().copied()
    }

    fn push(&mut self, id: ColId, kind: StepKind, expanded: bool) {
        if expanded {
            self.expanded.insert(id);
        }
        self.steps.push(Step { kind, id, expanded });
    }
}

impl Lifter<'_> {
    /// A column of the variable's table.
    pub(super) fn column(&mut self, var: &SmolStr, path: &str, ty: Type, span: Span) -> Expr {
        let known = self.vars.get(var).and_then(|v| v.columns.get(path)).copied();
        let id = known.unwrap_or_else(|| {
            let id = self.columns.add(path, ty, span);
            if let Some(var) = self.vars.get_mut(var) {
                var.columns.insert(path.into(), id);
                // What has no time is in no window.
                if self.rule.matching.is_some() && var.time().as_deref() == Some(path) {
                    self.present.insert(id);
                }
            }
            id
        });
        Expr::column(id, self.columns.ty(id), span)
    }

    /// The element of a repeated field in the copy of the event.
    pub(super) fn group(&mut self, var: &SmolStr, path: &str, array: Expr, ty: Type, span: Span) -> Expr {
        if let Some(quantified) = &mut self.quantified {
            let id = self.columns.add(element_name(path), ty, span);
            let to = (ty != Type::Dynamic).then_some(ty);
            quantified.arrays.push((id, make::padded(array, span), to));
            return Expr::column(id, ty, span);
        }
        let name = element_name(path);
        if let Some(id) = self.vars.get(var).and_then(|v| v.made.get(&name)).copied() {
            return Expr::column(id, ty, span);
        }
        let id = self.columns.add(name.clone(), ty, span);
        let to = (ty != Type::Dynamic).then_some(ty);
        let step = StepKind::Expand { array: make::padded(array, span), to };
        if let Some(var) = self.vars.get_mut(var) {
            var.made.insert(name, id);
            var.push(id, step, true);
        }
        Expr::column(id, ty, span)
    }

    /// The value of the first label with a key, `""` without one.
    pub(super) fn label(
        &mut self,
        var: &SmolStr,
        path: &str,
        labels: Expr,
        key: &SmolStr,
        span: Span,
    ) -> Expr {
        let name = format_smolstr!("{path}[{key}]");
        if let Some(id) = self.vars.get(var).and_then(|v| v.made.get(&name)).copied() {
            return Expr::column(id, Type::String, span);
        }
        if self.quantified.is_some() {
            let message = "a key in brackets cannot stand below `any` or `all`";
            return self.opaque_text(&format!("{path}[…]"), message, Type::String, span);
        }
        let item = self.columns.add(format_smolstr!("{path}[{key}].label"), Type::Dynamic, span);
        let index = self.columns.add(format_smolstr!("{path}[{key}].index"), Type::Long, span);
        let by = self.columns.add(format_smolstr!("{path}[{key}].first"), Type::Long, span);
        let id = self.columns.add(name.clone(), Type::String, span);
        if let Some(var) = self.vars.get_mut(var) {
            let expanded = var.is_expanded(&labels);
            let labels = make::padded(labels, span);
            var.made.insert(name, id);
            var.push(id, StepKind::Label { labels, key: key.clone(), item, index, by }, expanded);
        }
        Expr::column(id, Type::String, span)
    }

    /// A test that `any` or `all` elements hold, as a count of those that hold it.
    pub(super) fn count_elements(&mut self, var: &SmolStr, of: Quantified, test: Expr, span: Span) -> Expr {
        let name = of.arrays.last().map_or("elements", |(id, ..)| self.columns.name(*id));
        let name = self.unique_name(&format!("{name} count"));
        let id = self.columns.add(name, Type::Long, span);
        if let Some(var) = self.vars.get_mut(var) {
            let expanded =
                of.arrays.iter().any(|(_, array, _)| var.is_expanded(array)) || var.is_expanded(&test);
            var.push(id, StepKind::Count { arrays: of.arrays, test }, expanded);
        }
        Expr::column(id, Type::Long, span)
    }

    /// One of several values, each tried in a copy of the event.
    pub(super) fn alternative(&mut self, var: &SmolStr, name: &str, values: Vec<Expr>, span: Span) -> Expr {
        let ty = values.first().map_or(Type::String, |v| v.ty);
        let array = make::call("pack_array", values, Type::Dynamic, span);
        let id = self.columns.add(self.unique_name(name), ty, span);
        if let Some(var) = self.vars.get_mut(var) {
            var.push(id, StepKind::Expand { array, to: Some(ty) }, true);
        }
        Expr::column(id, ty, span)
    }

    /// What a later stage reads of a variable's rows: a column of its own where several variables are joined.
    pub(super) fn export(&mut self, var: &SmolStr, name: &str, expr: Expr) -> Expr {
        if !self.joined {
            return expr;
        }
        let name = format_smolstr!("{var}.{name}");
        let (ty, span) = (expr.ty, expr.span);
        let known = self.vars.get(var).and_then(|v| v.exports.get(&name)).map(|(_, id)| *id);
        let id = known.unwrap_or_else(|| {
            let id = self.columns.add(name.clone(), ty, span);
            if self.is_present(&expr) && self.presence_of(var) == super::rows::Presence::Needed {
                self.present.insert(id);
            }
            if let Some(var) = self.vars.get_mut(var) {
                var.exports.insert(name, (expr, id));
            }
            id
        });
        Expr::column(id, ty, span)
    }
}

/// The pipeline of a variable in two parts: rows of the table, and what is done for each row.
pub struct Rows {
    pub plan: Plan,
    /// Expansions and what stands on them.
    steps: Vec<Step>,
    /// Tests on the expanded rows.
    tests: Vec<Expr>,
}

impl Lifter<'_> {
    /// Scans the table and filters on what needs no expansion. The variable's steps are taken out of it.
    pub(super) fn rows(&mut self, var: &SmolStr) -> Option<Rows> {
        let time = self.vars.get(var)?.time();
        if let Some(path) = &time {
            self.column(var, path, Type::Datetime, Span::default());
        }
        let taken = self.vars.get_mut(var)?;
        let (steps, mut predicates) =
            (std::mem::take(&mut taken.steps), std::mem::take(&mut taken.predicates));
        if taken.plain.is_some()
            && let Some(time) = &time
        {
            let time = self.column(var, time, Type::Datetime, Span::default());
            predicates.extend(self.look_backs.iter().flat_map(|l| super::plain::period(l, &time)));
        }
        let var = self.vars.get(var)?;
        let span = var.span;
        let output: Vec<ColId> = var.table_columns().collect();
        let time = time.and_then(|path| var.columns.get(&path)).copied();
        let table = TableName { qualifiers: Vec::new(), name: var.table() };
        let scan = Scan { source: Source::Table(table), open: true, time };
        let scan = Plan::new(Op::Scan(scan), output.clone(), span);
        let of_table: FxHashSet<ColId> = output.into_iter().collect();
        let plain = |e: &Expr| {
            let mut ids = Vec::new();
            make::columns_of(e, &mut ids);
            ids.iter().all(|id| of_table.contains(id))
        };
        let (first, rest): (Vec<_>, Vec<_>) = predicates.into_iter().partition(|e| plain(e));
        let (tests, second): (Vec<_>, Vec<_>) = rest.into_iter().partition(|e| var.is_expanded(e));
        let (later, now): (Vec<_>, Vec<_>) = steps.into_iter().partition(|s| s.expanded);
        let mut plan = make::filter(scan, first, span);
        for step in now {
            plan = self.step(plan, step, span);
        }
        let plan = make::filter(plan, second, span);
        Some(Rows { plan, steps: later, tests })
    }

    /// Every copy of every event, one row each.
    pub(super) fn copies(&mut self, rows: Rows, span: Span) -> Plan {
        let mut plan = rows.plan;
        for step in rows.steps {
            plan = self.step(plan, step, span);
        }
        make::filter(plan, rows.tests, span)
    }

    /// The events of which some copy passes, each once; with `aggregates` over its copies that pass. The flag says whether
    /// an aggregate is the number of these copies.
    pub(super) fn events(&mut self, rows: Rows, mut aggregates: Vec<AggregateItem>, span: Span) -> Plan {
        let Rows { plan, steps, tests } = rows;
        if steps.is_empty() {
            return make::filter(plan, tests, span);
        }
        let tested = !tests.is_empty();
        let mut steps = steps.into_iter();
        let Some(Step { kind: StepKind::Expand { array, to }, id, .. }) = steps.next() else { return plan };
        let outer = plan.output.clone();
        let inner: Vec<ColId> = outer.iter().copied().chain([id]).collect();
        let mut body = Plan::new(Op::Rows, inner, span);
        for step in steps {
            body = self.step(body, step, span);
        }
        body = make::filter(body, tests, span);
        let mut output: Vec<ColId> = outer.to_vec();
        let mut passed = None;
        let body = if aggregates.is_empty() {
            let ids = body.output.clone();
            let one = make::long(1, span);
            let limit = Op::Limit { input: body, count: one, kind: ruleferry_ir::LimitKind::Take };
            Plan::new(limit, ids, span)
        } else {
            // An aggregate gives a row for no copies, too.
            if tested {
                let name = self.unique_name("copies");
                let count = self.columns.add(name, Type::Long, span);
                aggregates.extend(aggregate("count", Vec::new(), count));
                passed = Some(count);
            }
            let made: Vec<ColId> = aggregates.iter().flat_map(|i| i.ids.iter().copied()).collect();
            output.extend(made.iter().copied());
            let op = Aggregate { input: body, keys: Vec::new(), aggregates };
            Plan::new(Op::Aggregate(op), made, span)
        };
        let items = vec![ExpandItem { id, expr: array, to, named: true }];
        let apply = Apply { input: plan, items, index: None, limit: None, body };
        let plan = Plan::new(Op::Apply(apply), output, span);
        match passed {
            Some(count) => {
                let count = Expr::column(count, Type::Long, span);
                let some = Expr::compare(CompareOp::Gt, count, make::long(0, span), Missing::False, span);
                make::filter(plan, vec![some], span)
            }
            None => plan,
        }
    }

    fn step(&mut self, input: Plan, step: Step, span: Span) -> Plan {
        let mut output: Vec<ColId> = input.output.to_vec();
        output.push(step.id);
        let op = match step.kind {
            StepKind::Expand { array, to } => {
                let items = vec![ExpandItem { id: step.id, expr: array, to, named: true }];
                Op::Expand(Expand { input, items, kind: ExpandKind::Bag, index: None, limit: None })
            }
            StepKind::Label { labels, key, item, index, by } => {
                Op::Apply(first_label(input, labels, &key, [item, index, by, step.id], span))
            }
            StepKind::Count { arrays, test } => Op::Apply(count(input, arrays, test, step.id, span)),
        };
        Plan::new(op, output, span)
    }
}

/// An aggregate of the catalogue.
pub fn aggregate(name: &str, args: Vec<Expr>, id: ColId) -> Option<AggregateItem> {
    let function = find(name, FunctionKind::Aggregate)?;
    Some(AggregateItem { ids: vec![id], call: AggregateCall::Function(function, args), named: true })
}

/// The value of the first label with the key.
fn first_label(
    input: Plan,
    labels: Expr,
    key: &SmolStr,
    [item, index, by, value]: [ColId; 4],
    span: Span,
) -> Apply {
    let inner: Vec<ColId> = input.output.iter().copied().chain([index, item]).collect();
    let part = |name: &str| {
        make::member(Expr::column(item, Type::Dynamic, span), name, span).cast(Type::String, false)
    };
    let is_key =
        make::equals(part("key"), Expr::string(key.clone(), span), ruleferry_ir::Case::Sensitive, span);
    let body = make::filter(Plan::new(Op::Rows, inner, span), vec![is_key], span);
    let first = AggregateCall::ArgExtreme {
        max: false,
        by: Expr::column(index, Type::Long, span),
        returned: vec![part("value")],
        star: false,
    };
    let first = AggregateItem { ids: vec![by, value], call: first, named: true };
    let body = Op::Aggregate(Aggregate { input: body, keys: Vec::new(), aggregates: vec![first] });
    let body = Plan::new(body, vec![by, value], span);
    let only = Item { ids: vec![value], expr: Expr::column(value, Type::String, span), named: false };
    let body = Plan::new(Op::Project { input: body, items: vec![only] }, vec![value], span);
    let items = vec![ExpandItem { id: item, expr: labels, to: None, named: true }];
    Apply { input, items, index: Some(index), limit: None, body }
}

/// How many elements hold the test.
fn count(input: Plan, arrays: Vec<(ColId, Expr, Option<Type>)>, test: Expr, id: ColId, span: Span) -> Apply {
    let mut arrays = arrays.into_iter();
    let (first, array, to) = arrays.next().unwrap_or_else(|| (id, make::zero(Type::Dynamic, span), None));
    let inner: Vec<ColId> = input.output.iter().copied().chain([first]).collect();
    let mut body = Plan::new(Op::Rows, inner, span);
    for (id, expr, to) in arrays {
        let output: Vec<ColId> = body.output.iter().copied().chain([id]).collect();
        let items = vec![ExpandItem { id, expr, to, named: true }];
        let expand = Expand { input: body, items, kind: ExpandKind::Bag, index: None, limit: None };
        body = Plan::new(Op::Expand(expand), output, span);
    }
    let aggregates = aggregate("countif", vec![test], id).into_iter().collect();
    let body = Op::Aggregate(Aggregate { input: body, keys: Vec::new(), aggregates });
    let body = Plan::new(body, vec![id], span);
    let items = vec![ExpandItem { id: first, expr: array, to, named: true }];
    Apply { input, items, index: None, limit: None, body }
}
