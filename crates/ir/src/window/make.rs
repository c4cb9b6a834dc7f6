//! Plans that put rows into windows.

use super::Anchor;
use crate::functions::{FunctionKind, find};
use crate::{
    ArithmeticOp, Between, ColId, Columns, Expand, ExpandItem, ExpandKind, Expr, ExprKind, Item, Join,
    JoinKey, JoinKind, Op, Plan, SelectItem, Type, Value,
};
use ruleferry_diag::Span;

/// A group key: the start of the window on the grid of `length` ticks that holds the row's time. `None` only for a length
/// that is none.
pub fn tumbling(columns: &mut Columns, time: ColId, length: i64, name: &str, span: Span) -> Option<Item> {
    let expr = bin(Expr::column(time, Type::Datetime, span), length, span)?;
    Some(Item { ids: vec![columns.add(name, Type::Datetime, span)], expr, named: true })
}

/// Each row once for every window `[s, s + length)` with `s` on the grid of `step` that holds its time; `s` is the new
/// column. A row without a time is in no window.
pub fn hop(
    columns: &mut Columns,
    input: Plan,
    time: ColId,
    (length, step): (i64, i64),
    name: &str,
    span: Span,
) -> Option<(Plan, ColId)> {
    if length <= 0 {
        return None;
    }
    let t = || Expr::column(time, Type::Datetime, span);
    // `s > t - length` and `s <= t`: the least such start is the one after that which holds `t - length`.
    let first = shifted(bin(shifted(t(), -length, span), step, span)?, step, span);
    let last = bin(t(), step, span)?;
    let range = find("range", FunctionKind::Scalar)?;
    let starts = ExprKind::Call(range, vec![first, last, timespan(step, span)]);
    let expr = Expr::new(starts, Type::Dynamic, span);
    let start = columns.add(name, Type::Datetime, span);
    let output: Vec<ColId> = input.output.iter().copied().chain([start]).collect();
    let item = ExpandItem { id: start, expr, to: Some(Type::Datetime), named: true };
    let expand = Expand { input, items: vec![item], kind: ExpandKind::Bag, index: None, limit: None };
    let plan = Plan::new(Op::Expand(expand), output, span);
    // An empty array gives no row; of an array that is null one row without a start remains.
    let has =
        Expr::new(ExprKind::IsNull(Box::new(Expr::column(start, Type::Datetime, span))), Type::Bool, span);
    let output = plan.output.clone();
    Some((Plan::new(Op::Filter { input: plan, predicate: has.negated(span) }, output, span), start))
}

/// The pivot rows of a sliding window: a plan and its time column.
#[derive(Clone, Debug)]
pub struct Pivot {
    pub plan: Plan,
    pub time: ColId,
}

/// What a sliding window is made of.
#[derive(Clone, Debug)]
pub struct SlidingJoin {
    pub pivot: Pivot,
    /// The rows that are looked for in the windows.
    pub events: Pivot,
    /// Columns that must agree, left of the pivot, right of the events; at least one where the target is KQL.
    pub on: Vec<JoinKey>,
    /// Ticks.
    pub length: i64,
    pub anchor: Anchor,
}

/// Each pivot row beside each event of its window. The event's columns get new ids; a name that the pivot has already gets a
/// number, as after a join of Kusto. Second: where each column of the events went.
pub fn sliding(columns: &mut Columns, window: SlidingJoin, span: Span) -> (Plan, Vec<SelectItem>) {
    let SlidingJoin { pivot, events, on, length, anchor } = window;
    let mut taken: Vec<String> = pivot.plan.output.iter().map(|id| columns.name(*id).to_owned()).collect();
    let mut right_output = Vec::with_capacity(events.plan.output.len());
    for from in events.plan.output.iter().copied() {
        let own = columns.name(from).to_owned();
        let numbered = (1..).map(|n| format!("{own}{n}"));
        let name = std::iter::once(own.clone()).chain(numbered).find(|n| !taken.contains(n));
        let name = name.unwrap_or(own);
        let to = columns.add(name.as_str(), columns.ty(from), span);
        taken.push(name);
        right_output.push(SelectItem { from, to });
    }
    let event_time = right_output.iter().find(|i| i.from == events.time).map_or(events.time, |i| i.to);
    let output: Vec<ColId> =
        pivot.plan.output.iter().copied().chain(right_output.iter().map(|i| i.to)).collect();
    let predicate = within(pivot.time, event_time, length, anchor, span);
    let join = Join {
        kind: JoinKind::Inner,
        lookup: false,
        explicit: true,
        left: pivot.plan,
        right: events.plan,
        on,
        right_output: right_output.clone(),
        hints: Vec::new(),
    };
    let joined = Plan::new(Op::Join(join), output, span);
    let output = joined.output.clone();
    (Plan::new(Op::Filter { input: joined, predicate }, output, span), right_output)
}

/// `event between (pivot .. pivot + length)`, or before it.
fn within(pivot: ColId, event: ColId, length: i64, anchor: Anchor, span: Span) -> Expr {
    let column = |id| Expr::column(id, Type::Datetime, span);
    let (low, high) = match anchor {
        Anchor::Starts => (column(pivot), shifted(column(pivot), length, span)),
        Anchor::Ends => (shifted(column(pivot), -length, span), column(pivot)),
    };
    let between = Between { subject: column(event), low, high };
    Expr::new(ExprKind::Between(Box::new(between)), Type::Bool, span)
}

fn bin(time: Expr, length: i64, span: Span) -> Option<Expr> {
    if length <= 0 {
        return None;
    }
    let call = ExprKind::Call(find("bin", FunctionKind::Scalar)?, vec![time, timespan(length, span)]);
    Some(Expr::new(call, Type::Datetime, span))
}

fn timespan(ticks: i64, span: Span) -> Expr {
    Expr::literal(Value::Timespan(ticks), span)
}

/// A time some ticks later, or earlier.
fn shifted(time: Expr, ticks: i64, span: Span) -> Expr {
    let op = if ticks < 0 { ArithmeticOp::Sub } else { ArithmeticOp::Add };
    Expr::arithmetic(op, time, timespan(ticks.saturating_abs(), span), Type::Datetime, span)
}
