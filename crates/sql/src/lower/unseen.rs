//! Means that may stay NULL where they have no values.
//!
//! In: the query. Out: the columns of means of which a filter drops every row without a value, whether that is NULL or NaN,
//! before anything can tell the two apart. From each filter the columns that its test cannot do without are followed down to
//! where they are made, through joins, unions and `let`s, all of whose uses must agree.

use super::nan::conjuncts;
use super::walk::{self, Uses};
use ruleferry_ir::{
    AggregateCall, BindingId, BindingValue, ColId, Compare, CompareOp, Expr, ExprKind, Op, Plan, Query, Type,
};
use rustc_hash::{FxHashMap, FxHashSet};

/// How many steps down from a filter its columns are looked for.
const FAR: usize = 64;

/// Looks for means of which no row without a value gets past a filter.
#[derive(Default)]
pub(super) struct Unseen<'q> {
    found: FxHashSet<ColId>,
    /// How often a binding is named.
    named: FxHashMap<BindingId, usize>,
    /// Places of a table's columns of which a filter drops what is missing, for each reference to the table.
    tables: FxHashMap<BindingId, FxHashMap<*const Plan, FxHashSet<usize>>>,
    /// How often a value is compared in a filter.
    compared: FxHashMap<BindingId, usize>,
    todo: Vec<(&'q Plan, Vec<ColId>)>,
}

/// What an expression is null or NaN with.
#[derive(Default)]
struct Strict<'q> {
    columns: Vec<ColId>,
    lets: Vec<BindingId>,
    queries: Vec<&'q Plan>,
}

impl<'q> Strict<'q> {
    /// Null or NaN there makes the test null or false.
    fn test(&mut self, e: &'q Expr) {
        match &e.kind {
            ExprKind::Compare(c) => {
                let Compare { op, left, right, .. } = &**c;
                if *op != CompareOp::Ne {
                    self.value(left);
                    self.value(right);
                }
            }
            ExprKind::Between(b) => [&b.subject, &b.low, &b.high].into_iter().for_each(|e| self.value(e)),
            _ => {}
        }
    }

    fn value(&mut self, e: &'q Expr) {
        if !e.ty.is_numeric() {
            return;
        }
        match &e.kind {
            ExprKind::Column(id) => self.columns.push(*id),
            ExprKind::Let(id) => self.lets.push(*id),
            ExprKind::Subquery(plan) => self.queries.push(plan),
            ExprKind::Arithmetic(a) => {
                self.value(&a.left);
                self.value(&a.right);
            }
            ExprKind::Negate(x) => self.value(x),
            ExprKind::Cast(c) if c.to == Type::Real => self.value(&c.expr),
            ExprKind::Call(f, args) if matches!(f.name, "abs" | "round") => {
                args.iter().take(1).for_each(|a| self.value(a));
            }
            _ => {}
        }
    }
}

impl<'q> Unseen<'q> {
    pub(super) fn of(query: &'q Query) -> FxHashSet<ColId> {
        let mut all = Self::default();
        let mut filters = Vec::new();
        // The query first, then its bindings from the last: each may only use those before it.
        let (plans, lets) = (&mut Vec::new(), &mut Vec::new());
        walk::visit(&query.plan, &mut |p| plans.push(p), &mut |e| lets.extend(named(e)));
        filters.push((None, std::mem::take(plans)));
        for (i, binding) in query.bindings.iter().enumerate().rev() {
            match &binding.value {
                BindingValue::Table { plan, .. } => {
                    walk::visit(plan, &mut |p| plans.push(p), &mut |e| lets.extend(named(e)));
                }
                BindingValue::Scalar(e) => {
                    walk::visit_expr(e, &mut |p| plans.push(p), &mut |e| lets.extend(named(e)));
                }
            }
            filters.push((u32::try_from(i).ok().map(BindingId), std::mem::take(plans)));
        }
        for id in lets.iter() {
            *all.named.entry(*id).or_default() += 1;
        }
        for (_, plans) in &filters {
            for plan in plans {
                if let Op::Ref(id) = &*plan.op {
                    *all.named.entry(*id).or_default() += 1;
                }
            }
        }
        for (binding, plans) in filters {
            if let Some(id) = binding {
                all.arrived(query, id);
            }
            for plan in plans {
                if let Op::Filter { input, predicate } = &*plan.op {
                    let mut strict = Strict::default();
                    conjuncts(predicate).iter().for_each(|e| strict.test(e));
                    all.dropped(input, strict);
                }
            }
        }
        all.found
    }

    fn dropped(&mut self, input: &'q Plan, strict: Strict<'q>) {
        for id in strict.lets {
            *self.compared.entry(id).or_default() += 1;
        }
        for plan in strict.queries {
            self.todo.extend(plan.output.first().map(|id| (plan, vec![*id])));
        }
        self.todo.push((input, strict.columns));
        while let Some((plan, ids)) = self.todo.pop() {
            self.sink(plan, ids);
        }
    }

    /// What all uses of a binding drop, its definition may leave missing.
    fn arrived(&mut self, query: &'q Query, id: BindingId) {
        let Some(named) = self.named.get(&id).copied() else { return };
        match query.bindings.get(id.0 as usize).map(|b| &b.value) {
            Some(BindingValue::Scalar(e)) if self.compared.get(&id) == Some(&named) => {
                let mut strict = Strict::default();
                strict.value(e);
                self.dropped(&query.plan, Strict { columns: Vec::new(), ..strict });
            }
            Some(BindingValue::Table { plan, .. }) => {
                let Some(places) = self.tables.remove(&id).filter(|p| p.len() == named) else { return };
                let mut places = places.into_values();
                let Some(first) = places.next() else { return };
                let common = places.fold(first, |a, b| a.intersection(&b).copied().collect());
                let ids = common.into_iter().filter_map(|at| plan.output.get(at).copied()).collect();
                self.dropped(plan, Strict { columns: ids, ..Strict::default() });
            }
            Some(BindingValue::Scalar(_)) | None => {}
        }
    }

    /// From a filter that drops rows without a value in `ids` down to where those are made.
    fn sink(&mut self, from: &'q Plan, mut ids: Vec<ColId>) {
        let mut at = Some(from);
        for _ in 0..FAR {
            let Some(plan) = at.filter(|_| !ids.is_empty()) else { return };
            match &*plan.op {
                Op::Filter { .. } | Op::Sort { .. } | Op::Distinct { .. } | Op::Render { .. } => {}
                Op::Extend { items, .. } | Op::Project { items, .. } | Op::Serialize { items, .. } => {
                    if Uses::of(items.iter().map(|i| &i.expr)).window {
                        return;
                    }
                    let mut strict = Strict::default();
                    for item in items.iter().filter(|i| i.ids.iter().any(|id| ids.contains(id))) {
                        strict.value(&item.expr);
                    }
                    ids.extend(strict.columns);
                }
                Op::Select { items, .. } => {
                    let below: Vec<ColId> =
                        items.iter().filter(|i| ids.contains(&i.to)).map(|i| i.from).collect();
                    ids.extend(below);
                }
                Op::Join(j) => {
                    if j.on.iter().any(|k| ids.contains(&k.left) || ids.contains(&k.right)) {
                        return;
                    }
                    let right = j.right_output.iter().filter(|i| ids.contains(&i.to)).map(|i| i.from);
                    self.todo.push((&j.right, right.collect()));
                }
                Op::Union(u) => {
                    let outs: Vec<ColId> =
                        plan.output.iter().copied().filter(|id| Some(*id) != u.source).collect();
                    for (i, input) in u.inputs.iter().enumerate() {
                        let columns = outs.iter().zip(&u.columns).filter(|(id, _)| ids.contains(id));
                        let below = columns.filter_map(|(_, from)| from.get(i).copied().flatten());
                        self.todo.push((input, below.collect()));
                    }
                    return;
                }
                Op::Aggregate(a) => {
                    for item in a.aggregates.iter().filter(|i| i.ids.iter().any(|id| ids.contains(id))) {
                        self.found.extend(&item.ids);
                        if let AggregateCall::Composed { expr, .. } = &item.call {
                            let mut strict = Strict::default();
                            strict.value(expr);
                            self.found.extend(strict.columns);
                        }
                    }
                    return;
                }
                Op::Ref(id) => {
                    let places = (0..plan.output.len())
                        .filter(|i| plan.output.get(*i).is_some_and(|id| ids.contains(id)));
                    let reference = self.tables.entry(*id).or_default().entry(plan).or_default();
                    reference.extend(places);
                    return;
                }
                Op::Scan(_)
                | Op::Values(_)
                | Op::Range(_)
                | Op::Rows
                | Op::Limit { .. }
                | Op::Top { .. }
                | Op::Expand(_)
                | Op::Apply(_)
                | Op::MakeSeries(_)
                | Op::Parse(_)
                | Op::ParseKv(_)
                | Op::Partition { .. }
                | Op::Sequence(_)
                | Op::TopNested(_)
                | Op::Plugin(_)
                | Op::Search(_)
                | Op::GetSchema { .. }
                | Op::Opaque { .. } => return,
            }
            at = plan.input();
        }
    }
}

fn named(e: &Expr) -> Option<BindingId> {
    if let ExprKind::Let(id) = &e.kind { Some(*id) } else { None }
}
