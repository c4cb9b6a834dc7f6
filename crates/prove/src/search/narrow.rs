//! Rules without the columns that they only pass on: a table of a hundred columns of which two rules read three is one of three.
//!
//! In: two rules. Out: the same without those columns, or nothing where a column may be read without being named. What such
//! rules show counts only if the whole rules show it, too (`Search::witness`).

use ruleferry_ir::{
    self as ir, ColId, ExprKind, MatchValues, Op, Plan, Query, Rule, SelectItem, Source, Subject,
};
use rustc_hash::FxHashSet;
use smol_str::SmolStr;
use std::sync::Arc;

/// Columns that must go so that it is worth the copies.
const WORTH: usize = 6;

type Names = FxHashSet<SmolStr>;

pub(super) fn narrowed(a: &Rule, b: &Rule) -> Option<[Rule; 2]> {
    let mut names = Names::default();
    for rule in [a, b] {
        named(&rule.query, &mut names)?;
    }
    // A column that is kept under one name is kept under the others that it has.
    loop {
        let before = names.len();
        for rule in [a, b] {
            aliases(&rule.query, &mut names);
        }
        if names.len() == before {
            break;
        }
    }
    let passed = |query: &Query| {
        let mut ids: FxHashSet<ColId> = FxHashSet::default();
        query.for_each_plan(&mut |plan| ids.extend(passed_on(plan)));
        ids.retain(|id| !names.contains(query.columns.name(*id)));
        ids
    };
    let gone = [passed(&a.query), passed(&b.query)];
    if gone.iter().all(|g| g.len() < WORTH) {
        return None;
    }
    let [of_a, of_b] = gone;
    let mut rules = [a.clone(), b.clone()];
    for (rule, gone) in rules.iter_mut().zip([of_a, of_b]) {
        for binding in &mut rule.query.bindings {
            if let ir::BindingValue::Table { plan, .. } = &mut binding.value {
                leave_out(plan, &gone);
            }
        }
        leave_out(&mut rule.query.plan, &gone);
    }
    Some(rules)
}

/// Names of the columns that a query reads; `None` where it may read any.
fn named(query: &Query, names: &mut Names) -> Option<()> {
    let mut any = false;
    let name = |id: ColId| SmolStr::new(query.columns.name(id));
    query.any_expr(&mut |e| {
        let inside = match &e.kind {
            ExprKind::Column(id) => {
                names.insert(name(*id));
                None
            }
            ExprKind::Match(m) => {
                any |= !matches!(m.subject, Subject::Expr(_));
                if let MatchValues::Query(plan) = &m.values { Some(&**plan) } else { None }
            }
            ExprKind::InQuery(i) => Some(&i.plan),
            ExprKind::Subquery(plan) => Some(&**plan),
            ExprKind::Opaque(_) => {
                any = true;
                None
            }
            ExprKind::Literal(_)
            | ExprKind::Let(_)
            | ExprKind::Now
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::Compare(_)
            | ExprKind::In(_)
            | ExprKind::Between(_)
            | ExprKind::IsNull(_)
            | ExprKind::IsEmpty(_)
            | ExprKind::Arithmetic(_)
            | ExprKind::Negate(_)
            | ExprKind::Call(..)
            | ExprKind::Cast(_)
            | ExprKind::Member(..)
            | ExprKind::Index(..)
            | ExprKind::Case(..) => None,
        };
        // Queries inside of expressions stay as they are.
        if let Some(plan) = inside {
            plan.for_each_plan(&mut |p| names.extend(p.output.iter().map(|id| name(*id))));
        }
        false
    });
    query.for_each_plan(&mut |plan| match &*plan.op {
        Op::Scan(scan) => {
            names.extend(scan.time.map(name));
            any |= matches!(&scan.source, Source::Input(i) if i.over.is_some());
        }
        Op::Join(join) => names.extend(join.on.iter().flat_map(|k| [name(k.left), name(k.right)])),
        Op::Distinct { input } => names.extend(input.output.iter().map(|id| name(*id))),
        Op::Partition { key, .. } => names.extend([name(*key)]),
        Op::Sequence(s) => {
            names.extend(s.steps.iter().flat_map(|s| &s.states).flat_map(|(_, a, b)| [name(*a), name(*b)]));
        }
        Op::Search(_) | Op::GetSchema { .. } | Op::Plugin(_) | Op::Opaque { .. } => any = true,
        Op::Ref(_)
        | Op::Values(_)
        | Op::Range(_)
        | Op::Rows
        | Op::Filter { .. }
        | Op::Extend { .. }
        | Op::Project { .. }
        | Op::Select { .. }
        | Op::Aggregate(_)
        | Op::Union(_)
        | Op::Sort { .. }
        | Op::Limit { .. }
        | Op::Top { .. }
        | Op::Expand(_)
        | Op::Apply(_)
        | Op::MakeSeries(_)
        | Op::Parse(_)
        | Op::ParseKv(_)
        | Op::Serialize { .. }
        | Op::TopNested(_)
        | Op::Render { .. } => {}
    });
    (!any).then_some(())
}

/// Columns that an operator only passes on, as it names them.
fn passed_on(plan: &Plan) -> Vec<ColId> {
    let renamed = |items: &[SelectItem]| items.iter().map(|i| i.to).collect();
    match &*plan.op {
        Op::Scan(scan) => match &scan.source {
            Source::Table(_) | Source::Glob(_) => plan.output.to_vec(),
            Source::Input(_) => Vec::new(),
        },
        Op::Ref(_) => plan.output.to_vec(),
        Op::Select { items, .. } => renamed(items),
        Op::Join(join) => renamed(&join.right_output),
        Op::Union(union) => plan.output.iter().copied().filter(|id| Some(*id) != union.source).collect(),
        Op::Values(_)
        | Op::Range(_)
        | Op::Rows
        | Op::Filter { .. }
        | Op::Extend { .. }
        | Op::Project { .. }
        | Op::Aggregate(_)
        | Op::Distinct { .. }
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
        | Op::Plugin(_)
        | Op::Search(_)
        | Op::GetSchema { .. }
        | Op::Render { .. }
        | Op::Opaque { .. } => Vec::new(),
    }
}

/// Keeps a column under each of its names, if under one.
fn aliases(query: &Query, names: &mut Names) {
    let mut pairs: Vec<(ColId, ColId)> = Vec::new();
    query.for_each_plan(&mut |plan| {
        if let Op::Ref(id) = &*plan.op {
            if let Some(ir::BindingValue::Table { plan: bound, .. }) =
                query.bindings.get(id.0 as usize).map(|b| &b.value)
            {
                pairs.extend(plan.output.iter().copied().zip(bound.output.iter().copied()));
            }
        } else if let Op::Select { items, .. } = &*plan.op {
            pairs.extend(items.iter().map(|i| (i.from, i.to)));
        } else if let Op::Join(join) = &*plan.op {
            pairs.extend(join.right_output.iter().map(|i| (i.from, i.to)));
        } else if let Op::Union(union) = &*plan.op {
            let outputs = plan.output.iter().copied().filter(|id| Some(*id) != union.source);
            for (out, inputs) in outputs.zip(&union.columns) {
                pairs.extend(inputs.iter().flatten().map(|input| (out, *input)));
            }
        }
    });
    // What is computed is kept whatever it is called.
    let mut passed: FxHashSet<ColId> = FxHashSet::default();
    query.for_each_plan(&mut |plan| passed.extend(passed_on(plan)));
    for (a, b) in pairs {
        let kept = |id: ColId| !passed.contains(&id) || names.contains(query.columns.name(id));
        if kept(a) || kept(b) {
            names.extend([a, b].map(|id| SmolStr::new(query.columns.name(id))));
        }
    }
}

fn without(output: &Arc<[ColId]>, gone: &FxHashSet<ColId>) -> Arc<[ColId]> {
    output.iter().copied().filter(|id| !gone.contains(id)).collect()
}

fn leave_out(plan: &mut Plan, gone: &FxHashSet<ColId>) {
    let outputs = plan.output.clone();
    plan.output = without(&plan.output, gone);
    match &mut *plan.op {
        Op::Scan(_) | Op::Ref(_) | Op::Values(_) | Op::Range(_) | Op::Rows | Op::Search(_) => {}
        Op::Select { input, items, .. } => {
            items.retain(|i| !gone.contains(&i.to));
            leave_out(input, gone);
        }
        Op::Join(join) => {
            join.right_output.retain(|i| !gone.contains(&i.to));
            leave_out(&mut join.left, gone);
            leave_out(&mut join.right, gone);
        }
        Op::Union(union) => {
            let source = union.source;
            let outputs = outputs.iter().filter(|id| Some(**id) != source);
            let kept: Vec<bool> = outputs.map(|id| !gone.contains(id)).collect();
            let mut kept = kept.into_iter();
            union.columns.retain(|_| kept.next().unwrap_or(true));
            union.inputs.iter_mut().for_each(|p| leave_out(p, gone));
        }
        Op::Filter { input, .. }
        | Op::Extend { input, .. }
        | Op::Project { input, .. }
        | Op::Distinct { input }
        | Op::Sort { input, .. }
        | Op::Limit { input, .. }
        | Op::Top { input, .. }
        | Op::Serialize { input, .. }
        | Op::GetSchema { input }
        | Op::Render { input, .. } => leave_out(input, gone),
        Op::Partition { input, body, .. } => {
            leave_out(input, gone);
            leave_out(body, gone);
        }
        Op::Aggregate(a) => leave_out(&mut a.input, gone),
        Op::Expand(e) => leave_out(&mut e.input, gone),
        Op::Apply(a) => {
            leave_out(&mut a.input, gone);
            leave_out(&mut a.body, gone);
        }
        Op::MakeSeries(m) => leave_out(&mut m.input, gone),
        Op::Parse(p) => leave_out(&mut p.input, gone),
        Op::ParseKv(p) => leave_out(&mut p.input, gone),
        Op::Sequence(s) => leave_out(&mut s.input, gone),
        Op::TopNested(t) => leave_out(&mut t.input, gone),
        Op::Plugin(p) => p.input.iter_mut().for_each(|p| leave_out(p, gone)),
        Op::Opaque { input, .. } => input.iter_mut().for_each(|p| leave_out(p, gone)),
    }
}
