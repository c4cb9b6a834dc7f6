//! What follows from the plan alone: thresholds out of reach, bindings that nothing uses, joins that say no kind.

use super::{Finding, Repair, finding};
use crate::canon::uses;
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{self as ir, AggregateCall, ColId, CompareOp, Expr, ExprKind, JoinKind, Op, Plan, Value};

pub(super) fn all(rule: &ir::Rule, found: &mut Vec<Finding>) {
    trigger(rule, found);
    unused(&rule.query, found);
    rule.query.for_each_plan(&mut |plan| {
        bare_join(&rule.query, plan, found);
        threshold(&rule.query, plan, found);
    });
}

fn trigger(rule: &ir::Rule, found: &mut Vec<Finding>) {
    let Some(trigger) = &rule.envelope.trigger else { return };
    if let Some(most) = most_rows(&rule.query, &rule.query.plan, 0) {
        let out_of_reach = match trigger.operator.as_str() {
            "gt" => trigger.threshold >= most,
            "eq" => trigger.threshold > most,
            _ => false,
        };
        if out_of_reach {
            found.push(finding(
                codes::THRESHOLD_UNREACHABLE,
                rule.query.plan.span,
                format!("the query returns {most} rows at most, and the trigger waits for more"),
                "set the threshold of the trigger, or return more rows",
            ));
        }
    }
}

fn unused(query: &ir::Query, found: &mut Vec<Finding>) {
    for (binding, uses) in query.bindings.iter().zip(uses(query)) {
        if uses == 0 && !binding.span.is_empty() {
            let message = format!("`{}` is never used", binding.name);
            let help = "use it, or take it out: a condition may be missing";
            let mut unused = finding(codes::UNUSED_LET, binding.span, message, help);
            unused.repair = Some(Repair::Remove);
            found.push(unused);
        }
    }
}

pub(super) fn literal(query: &ir::Query, e: &Expr) -> Option<i64> {
    match &e.kind {
        ExprKind::Literal(Value::Int(n)) => Some(i64::from(*n)),
        ExprKind::Literal(Value::Long(n)) => Some(*n),
        ExprKind::Cast(c) => literal(query, &c.expr),
        ExprKind::Let(id) => match &query.bindings.get(id.0 as usize)?.value {
            // Each refers to earlier ones only.
            ir::BindingValue::Scalar(e) if !matches!(e.kind, ExprKind::Let(_)) => literal(query, e),
            ir::BindingValue::Scalar(_) | ir::BindingValue::Table { .. } => None,
        },
        _ => None,
    }
}

/// How many rows a plan returns at most, where that is sure.
fn most_rows(query: &ir::Query, plan: &Plan, depth: u32) -> Option<i64> {
    if depth > 500 {
        return None;
    }
    let inner = |p: &Plan| most_rows(query, p, depth + 1);
    match &*plan.op {
        Op::Limit { input, count, kind: _ } | Op::Top { input, count, keys: _ } => {
            let own = literal(query, count).filter(|n| *n >= 0);
            match (own, inner(input)) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            }
        }
        Op::Aggregate(a) if a.keys.is_empty() => Some(1),
        Op::Aggregate(a) => inner(&a.input),
        Op::Filter { input, .. }
        | Op::Extend { input, .. }
        | Op::Project { input, .. }
        | Op::Select { input, .. }
        | Op::Distinct { input }
        | Op::Sort { input, .. }
        | Op::Serialize { input, .. }
        | Op::Render { input, .. } => inner(input),
        Op::Values(v) => i64::try_from(v.rows.len()).ok(),
        Op::Scan(_)
        | Op::Ref(_)
        | Op::Range(_)
        | Op::Rows
        | Op::Join(_)
        | Op::Union(_)
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
        | Op::Opaque { .. } => None,
    }
}

/// `where` on what an aggregate counts, with a number that no count can meet.
fn threshold(query: &ir::Query, plan: &Plan, found: &mut Vec<Finding>) {
    let Op::Filter { input, predicate } = &*plan.op else { return };
    let conditions: &[Expr] = match &predicate.kind {
        ExprKind::And(parts) => parts,
        _ => std::slice::from_ref(predicate),
    };
    for condition in conditions {
        let ExprKind::Compare(c) = &condition.kind else { continue };
        let (column, op, number) = match (column_of(&c.left), column_of(&c.right)) {
            (Some(id), None) => (id, c.op, literal(query, &c.right)),
            (None, Some(id)) => (id, c.op.flipped(), literal(query, &c.left)),
            _ => continue,
        };
        let Some(number) = number else { continue };
        let Some((least, most)) = counted(query, input, column) else { continue };
        let beyond = |n: i64| most.is_some_and(|most| n > most);
        let (low, high) = match op {
            CompareOp::Eq => (number < least, beyond(number)),
            CompareOp::Lt => (number <= least, false),
            CompareOp::Le => (number < least, false),
            CompareOp::Gt => (false, beyond(number.saturating_add(1))),
            CompareOp::Ge => (false, beyond(number)),
            CompareOp::Ne => (false, false),
        };
        let message = match (low, high, most) {
            (true, _, _) => format!("this count is {least} at least, so that the condition never holds"),
            (_, true, Some(most)) => {
                format!("this count is {most} at most, so that the condition never holds")
            }
            _ => continue,
        };
        let help = "set the threshold, or count other rows";
        found.push(finding(codes::THRESHOLD_UNREACHABLE, condition.span, message, help));
    }
}

fn column_of(e: &Expr) -> Option<ColId> {
    match &e.kind {
        ExprKind::Cast(c) if c.implicit => column_of(&c.expr),
        _ => e.as_column(),
    }
}

/// The least and the most that a column of counts holds.
fn counted(query: &ir::Query, plan: &Plan, column: ColId) -> Option<(i64, Option<i64>)> {
    let mut plan = plan;
    loop {
        match &*plan.op {
            Op::Filter { input, .. }
            | Op::Extend { input, .. }
            | Op::Project { input, .. }
            | Op::Select { input, .. }
            | Op::Sort { input, .. }
            | Op::Serialize { input, .. }
            | Op::Limit { input, .. }
            | Op::Top { input, .. } => plan = input,
            Op::Aggregate(a) => {
                let item = a.aggregates.iter().find(|i| i.ids.as_slice() == [column])?;
                let AggregateCall::Function(function, args) = &item.call else { return None };
                let most = most_rows(query, &a.input, 0);
                return match (function.name, args.is_empty()) {
                    ("count", true) => Some((i64::from(!a.keys.is_empty()), most)),
                    ("countif", _) => Some((0, most)),
                    _ => None,
                };
            }
            _ => return None,
        }
    }
}

fn bare_join(query: &ir::Query, plan: &Plan, found: &mut Vec<Finding>) {
    let Op::Join(join) = &*plan.op else { return };
    if join.explicit || join.lookup || join.kind != JoinKind::InnerUnique {
        return;
    }
    let keys: Vec<ColId> = join.on.iter().map(|k| k.left).collect();
    if one_row_each(query, &join.left, keys, 0) {
        return;
    }
    // The word alone, where the rest of it is known to follow.
    let mut right = &join.right;
    while let Some(input) = right.input() {
        right = input;
    }
    let (from, to) = (plan.span.start, right.span.start);
    let span = if from < to && to <= plan.span.end { Span::new(from, to) } else { plan.span };
    let message = "a join without kind keeps one left row for each key";
    let help = "write `kind=inner` for all pairs, or `kind=innerunique` where one row is meant";
    let mut bare = finding(codes::BARE_JOIN, span, message, help);
    bare.repair = Some(Repair::StateKind);
    found.push(bare);
}

/// Whether no two rows have the same values in these columns.
fn one_row_each(query: &ir::Query, plan: &Plan, mut keys: Vec<ColId>, depth: u32) -> bool {
    if depth > 500 {
        return false;
    }
    match &*plan.op {
        Op::Filter { input, .. }
        | Op::Extend { input, .. }
        | Op::Project { input, .. }
        | Op::Sort { input, .. }
        | Op::Serialize { input, .. }
        | Op::Limit { input, .. }
        | Op::Top { input, .. }
        | Op::Render { input, .. } => one_row_each(query, input, keys, depth + 1),
        Op::Select { input, kind: _, items } => {
            for key in &mut keys {
                if let Some(item) = items.iter().find(|i| i.to == *key) {
                    *key = item.from;
                }
            }
            one_row_each(query, input, keys, depth + 1)
        }
        Op::Aggregate(a) => a.keys.iter().flat_map(|k| &k.ids).all(|id| keys.contains(id)),
        Op::Distinct { input: _ } => plan.output.iter().all(|id| keys.contains(id)),
        Op::Values(v) => v.rows.len() < 2,
        Op::Ref(id) => {
            let Some(ir::BindingValue::Table { plan: of, .. }) =
                query.bindings.get(id.0 as usize).map(|b| &b.value)
            else {
                return false;
            };
            let inside = keys.iter().filter_map(|key| {
                let at = plan.output.iter().position(|id| id == key)?;
                of.output.get(at).copied()
            });
            let inside: Vec<ColId> = inside.collect();
            inside.len() == keys.len() && one_row_each(query, of, inside, depth + 1)
        }
        Op::Scan(_)
        | Op::Range(_)
        | Op::Rows
        | Op::Join(_)
        | Op::Union(_)
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
        | Op::Opaque { .. } => false,
    }
}
