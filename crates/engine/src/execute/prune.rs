//! Leaves out the columns of a scan that nothing above it reads, so that a table of a hundred columns of which a rule reads
//! three is held in memory as one of three.
//!
//! Only where it is plain to see: a scan below filters, computed columns, sorts and limits, up to the operator that makes
//! columns of its own (`summarize`, `project`). Everything else stays as it is.

use ruleferry_ir::{
    AggregateCall, AggregateItem, BindingValue, ColId, Expr, ExprKind, Op, Plan, Query, Source, Subject,
};
use rustc_hash::FxHashSet;

type Used = FxHashSet<ColId>;

/// `timed`: the rule looks back, so that the time of each event is read.
pub(super) fn prune(query: &mut Query, timed: bool) {
    for binding in &mut query.bindings {
        if let BindingValue::Table { plan, .. } = &mut binding.value {
            below(plan, timed);
        }
    }
    below(&mut query.plan, timed);
}

/// Looks for operators that make columns of their own, and prunes what is below them.
fn below(plan: &mut Plan, timed: bool) {
    let mut used = Used::default();
    match &mut *plan.op {
        Op::Aggregate(a) => {
            let fine = a.keys.iter().all(|k| expr(&k.expr, &mut used))
                & a.aggregates.iter().all(|i| aggregate(i, &mut used));
            if fine && reaches(&a.input, &mut used, timed) {
                retain(&mut a.input, &used);
            }
            below(&mut a.input, timed);
        }
        Op::Project { input, items } => {
            if items.iter().all(|i| expr(&i.expr, &mut used)) && reaches(input, &mut used, timed) {
                retain(input, &used);
            }
            below(input, timed);
        }
        Op::Join(join) => {
            below(&mut join.left, timed);
            below(&mut join.right, timed);
        }
        Op::Union(union) => union.inputs.iter_mut().for_each(|p| below(p, timed)),
        Op::Filter { input, .. }
        | Op::Extend { input, .. }
        | Op::Select { input, .. }
        | Op::Distinct { input }
        | Op::Sort { input, .. }
        | Op::Limit { input, .. }
        | Op::Top { input, .. }
        | Op::Serialize { input, .. }
        | Op::Partition { input, .. }
        | Op::GetSchema { input }
        | Op::Render { input, .. } => below(input, timed),
        Op::Expand(e) => below(&mut e.input, timed),
        Op::Apply(a) => below(&mut a.input, timed),
        Op::MakeSeries(m) => below(&mut m.input, timed),
        Op::Parse(p) => below(&mut p.input, timed),
        Op::ParseKv(p) => below(&mut p.input, timed),
        Op::Sequence(s) => below(&mut s.input, timed),
        Op::TopNested(t) => below(&mut t.input, timed),
        Op::Plugin(p) => p.input.iter_mut().for_each(|p| below(p, timed)),
        Op::Opaque { input, .. } => input.iter_mut().for_each(|p| below(p, timed)),
        Op::Scan(_) | Op::Ref(_) | Op::Values(_) | Op::Range(_) | Op::Rows | Op::Search(_) => {}
    }
}

/// Collects the columns that an expression reads; false if it may read any.
fn expr(e: &Expr, used: &mut Used) -> bool {
    let mut any_column = false;
    e.any(&mut |e| {
        if let ExprKind::Column(id) = &e.kind {
            used.insert(*id);
        }
        any_column |= matches!(&e.kind, ExprKind::Match(m) if !matches!(m.subject, Subject::Expr(_)));
        any_column |= matches!(&e.kind, ExprKind::Opaque(_));
        false
    });
    !any_column
}

fn aggregate(item: &AggregateItem, used: &mut Used) -> bool {
    match &item.call {
        AggregateCall::Function(_, args) => args.iter().all(|a| expr(a, used)),
        AggregateCall::ArgExtreme { by, returned, .. } => {
            expr(by, used) && returned.iter().all(|r| expr(r, used))
        }
        AggregateCall::TakeAny { returned, condition, .. } => {
            returned.iter().chain(condition).all(|e| expr(e, used))
        }
        AggregateCall::Composed { parts, expr: whole } => {
            parts.iter().all(|p| aggregate(p, used)) && expr(whole, used)
        }
    }
}

/// Whether only operators that pass columns on stand between here and a scan; collects what they read.
fn reaches(plan: &Plan, used: &mut Used, timed: bool) -> bool {
    let mut plan = plan;
    loop {
        let fine = match &*plan.op {
            Op::Scan(scan) => {
                used.extend(scan.time.filter(|_| timed));
                return matches!(scan.source, Source::Table(_));
            }
            Op::Filter { predicate, .. } => expr(predicate, used),
            Op::Extend { items, .. } => items.iter().all(|i| expr(&i.expr, used)),
            Op::Sort { keys, .. } => keys.iter().all(|k| expr(&k.expr, used)),
            Op::Limit { count, .. } => expr(count, used),
            Op::Top { count, keys, .. } => expr(count, used) && keys.iter().all(|k| expr(&k.expr, used)),
            Op::Ref(_)
            | Op::Values(_)
            | Op::Range(_)
            | Op::Rows
            | Op::Project { .. }
            | Op::Select { .. }
            | Op::Aggregate(_)
            | Op::Distinct { .. }
            | Op::Join(_)
            | Op::Union(_)
            | Op::Expand(_)
            | Op::Apply(_)
            | Op::MakeSeries(_)
            | Op::Parse(_)
            | Op::ParseKv(_)
            | Op::Serialize { .. }
            | Op::Partition { .. }
            | Op::Sequence(_)
            | Op::TopNested(_)
            | Op::Plugin(_)
            | Op::Search(_)
            | Op::GetSchema { .. }
            | Op::Render { .. }
            | Op::Opaque { .. } => false,
        };
        match plan.input() {
            Some(input) if fine => plan = input,
            Some(_) | None => return false,
        }
    }
}

/// Takes what is not used out of the outputs from here down to the scan.
fn retain(plan: &mut Plan, used: &Used) {
    let mut plan = plan;
    loop {
        plan.output =
            plan.output.iter().copied().filter(|id| used.contains(id) || computed(plan, *id)).collect();
        let (Op::Filter { input, .. }
        | Op::Extend { input, .. }
        | Op::Sort { input, .. }
        | Op::Limit { input, .. }
        | Op::Top { input, .. }) = &mut *plan.op
        else {
            return;
        };
        plan = input;
    }
}

/// Whether some operator from here down makes the column.
fn computed(plan: &Plan, id: ColId) -> bool {
    let mut at = Some(plan);
    while let Some(plan) = at {
        if let Op::Extend { items, .. } = &*plan.op
            && items.iter().any(|i| i.ids.contains(&id))
        {
            return true;
        }
        at = plan.input();
    }
    false
}
