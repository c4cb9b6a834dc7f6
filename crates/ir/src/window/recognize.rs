//! Which window a plan stands for.

use super::Anchor;
use super::difference::{Bound, Difference, add, constant, differences};
use crate::{
    BindingValue, ColId, Expand, ExpandItem, Expr, ExprKind, Item, Join, JoinKind, Op, Plan, Query, Type,
    Value, time,
};

/// How many names lead on to others.
const MAX_STEPS: u32 = 32;

/// The expression that makes a column, and the plan over whose columns it is written.
#[derive(Clone, Copy, Debug)]
pub struct Defined<'q> {
    pub expr: &'q Expr,
    pub input: &'q Plan,
}

/// A group key that is the start of a window on the grid of `length` ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tumbling {
    /// A column of the rows that are grouped, or of a plan below them.
    pub time: ColId,
    pub length: i64,
}

/// Rows, each once for every window on the grid of `step` that holds it.
#[derive(Clone, Copy, Debug)]
pub struct Hop<'q> {
    /// The rows before they were spread.
    pub input: &'q Plan,
    pub time: ColId,
    /// The column of the window's start.
    pub start: ColId,
    pub length: i64,
    pub step: i64,
}

/// Rows of the left side beside those rows of the right side that are near them in time.
#[derive(Clone, Debug)]
pub struct Sliding<'q> {
    pub join: &'q Join,
    /// The join itself, as a plan.
    pub joined: &'q Plan,
    /// The time of the left side, in the output of the join.
    pub pivot_time: ColId,
    /// The time of the right side, in the output of the join.
    pub event_time: ColId,
    /// `event_time - pivot_time`; both bounds are there, and one is 0 unless the window lies around the pivot.
    pub low: Bound,
    pub high: Bound,
    /// What is demanded of other pairs of times, in the columns of the join: the order of three events, for example.
    pub also: Vec<Difference>,
    /// What else the filters demand.
    pub rest: Vec<&'q Expr>,
}

impl Sliding<'_> {
    /// Length and side of a window that begins or ends at the pivot; `None` of one around it, or away from it.
    pub fn anchor(&self) -> Option<(Anchor, i64)> {
        match (self.low.ticks, self.high.ticks) {
            (0, length) if length > 0 => Some((Anchor::Starts, length)),
            (length, 0) if length < 0 => Some((Anchor::Ends, length.checked_neg()?)),
            _ => None,
        }
    }

    /// Both ends belong to the window.
    pub const fn is_closed(&self) -> bool {
        self.low.inclusive && self.high.inclusive
    }
}

/// The expression that makes a column of a plan's output, found through operators that pass it on, joins and `let` tables;
/// `None` of a column of a source or of an operator that makes it otherwise.
pub fn definition<'q>(query: &'q Query, plan: &'q Plan, id: ColId) -> Option<Defined<'q>> {
    let (plan, id) = made_by(query, plan, id, false)?;
    defined_by(plan, id)
}

/// As [`definition`], but only where the expression's columns are still those of `plan`'s pipeline: through no `let` table and
/// into no right side of a join, where one id would stand for the rows of both sides.
pub(super) fn local_definition<'q>(query: &'q Query, plan: &'q Plan, id: ColId) -> Option<Defined<'q>> {
    let (plan, id) = made_by(query, plan, id, true)?;
    defined_by(plan, id)
}

fn defined_by(plan: &Plan, id: ColId) -> Option<Defined<'_>> {
    let items: &[Item] = match &*plan.op {
        Op::Extend { items, .. } | Op::Project { items, .. } | Op::Serialize { items, .. } => items,
        Op::Aggregate(a) => &a.keys,
        _ => return None,
    };
    let item = items.iter().find(|i| i.ids == [id])?;
    Some(Defined { expr: &item.expr, input: plan.input()? })
}

/// The operator that makes a column, and the id that it has there: `let` tables are looked into, plain copies followed.
pub fn origin<'q>(query: &'q Query, plan: &'q Plan, id: ColId) -> Option<(&'q Plan, ColId)> {
    let (plan, id) = made_by(query, plan, id, false)?;
    match definition(query, plan, id) {
        Some(Defined { expr, input }) => match expr.as_column() {
            Some(from) => origin(query, input, from),
            None => Some((plan, id)),
        },
        None => Some((plan, id)),
    }
}

fn made_by<'q>(query: &'q Query, plan: &'q Plan, id: ColId, local: bool) -> Option<(&'q Plan, ColId)> {
    let (mut plan, mut id) = (plan, id);
    loop {
        let makes = |items: &[Item]| items.iter().any(|i| i.ids.contains(&id));
        plan = match &*plan.op {
            Op::Filter { input, .. }
            | Op::Distinct { input }
            | Op::Sort { input, .. }
            | Op::Limit { input, .. }
            | Op::Top { input, .. }
            | Op::Render { input, .. } => input,
            Op::Extend { input, items } | Op::Serialize { input, items } => {
                if makes(items) {
                    return Some((plan, id));
                }
                input
            }
            Op::Project { input, items } => {
                let item = items.iter().find(|i| i.ids.contains(&id))?;
                match item.expr.as_column() {
                    Some(from) if item.ids.len() == 1 => id = from,
                    Some(_) | None => return Some((plan, id)),
                }
                input
            }
            Op::Select { input, items, .. } => {
                id = items.iter().find(|i| i.to == id)?.from;
                input
            }
            Op::Aggregate(a) => {
                if let Some(item) = a.keys.iter().find(|k| k.ids == [id])
                    && let Some(from) = item.expr.as_column()
                {
                    id = from;
                    &a.input
                } else {
                    return Some((plan, id));
                }
            }
            Op::Join(j) => {
                if let Some(item) = j.right_output.iter().find(|i| i.to == id) {
                    if local {
                        return None;
                    }
                    id = item.from;
                    &j.right
                } else {
                    &j.left
                }
            }
            Op::Ref(_) if local => return None,
            Op::Ref(binding) => {
                let at = plan.output.iter().position(|o| *o == id)?;
                let BindingValue::Table { plan: bound, .. } = &query.bindings.get(binding.0 as usize)?.value
                else {
                    return None;
                };
                id = *bound.output.get(at)?;
                bound
            }
            Op::Expand(e) if e.items.iter().all(|i| i.id != id) && e.index != Some(id) => &e.input,
            Op::Scan(_)
            | Op::Values(_)
            | Op::Range(_)
            | Op::Rows
            | Op::Union(_)
            | Op::Search(_)
            | Op::Expand(_)
            | Op::Apply(_)
            | Op::MakeSeries(_)
            | Op::Parse(_)
            | Op::ParseKv(_)
            | Op::Partition { .. }
            | Op::Sequence(_)
            | Op::TopNested(_)
            | Op::Plugin(_)
            | Op::GetSchema { .. }
            | Op::Opaque { .. } => return Some((plan, id)),
        };
    }
}

/// `bin(time, length)` and its kin (`bin_at`, `startofday`), written as the key or in a column before it. `input` is
/// the plan over whose columns `key` is written.
pub fn as_tumbling(query: &Query, input: &Plan, key: &Expr) -> Option<Tumbling> {
    let mut at = Defined { expr: key, input };
    for _ in 0..MAX_STEPS {
        match &at.expr.kind {
            ExprKind::Column(id) => at = definition(query, at.input, *id)?,
            ExprKind::Call(f, args) => {
                return match (f.name, args.as_slice()) {
                    ("bin", [time, length]) => {
                        let length = constant(query, length, MAX_STEPS).filter(|l| *l > 0)?;
                        Some(Tumbling { time: time_column(time)?, length })
                    }
                    // A grid that is given by one of its points: the same where that point is on the grid of all.
                    (
                        "bin_at",
                        [time, length, Expr { kind: ExprKind::Literal(Value::Datetime(point)), .. }],
                    ) => {
                        let length = constant(query, length, MAX_STEPS).filter(|l| *l > 0)?;
                        (point.rem_euclid(length) == 0)
                            .then_some(Tumbling { time: time_column(time)?, length })
                    }
                    ("startofday", [time]) => {
                        Some(Tumbling { time: time_column(time)?, length: time::TICKS_PER_DAY })
                    }
                    _ => None,
                };
            }
            _ => return None,
        }
    }
    None
}

fn time_column(e: &Expr) -> Option<ColId> {
    if e.ty == Type::Datetime { e.as_column() } else { None }
}

/// Rows spread over windows by [`super::hop`], or by hand in the same way; a filter on the start's presence is looked through.
pub fn as_hop<'q>(query: &'q Query, plan: &'q Plan) -> Option<Hop<'q>> {
    match &*plan.op {
        Op::Filter { input, predicate } => {
            let hop = as_hop(query, input)?;
            is_present(predicate, hop.start).then_some(hop)
        }
        Op::Expand(e) => hop_of(query, e),
        // The element made a time in a column of its own.
        Op::Extend { input, items } => {
            let hop = as_hop(query, input)?;
            let cast = items.iter().find(|i| match &i.expr.kind {
                ExprKind::Cast(c) => c.to == Type::Datetime && c.expr.as_column() == Some(hop.start),
                _ => false,
            });
            let start = cast.map_or(Some(hop.start), |i| i.ids.first().copied())?;
            Some(Hop { start, ..hop })
        }
        // A rename or a choice of columns that keeps the start.
        Op::Select { input, items, .. } => {
            let hop = as_hop(query, input)?;
            let start = items.iter().find(|i| i.from == hop.start)?.to;
            Some(Hop { start, ..hop })
        }
        Op::Project { input, items } => {
            let hop = as_hop(query, input)?;
            let plain = |i: &Item| i.expr.as_column().is_some() && i.ids.len() == 1;
            if !items.iter().all(plain) {
                return None;
            }
            let start = items.iter().find(|i| i.expr.as_column() == Some(hop.start))?;
            Some(Hop { start: *start.ids.first()?, ..hop })
        }
        _ => None,
    }
}

/// `isnotnull(start)`.
fn is_present(e: &Expr, start: ColId) -> bool {
    match &e.kind {
        ExprKind::Not(inner) => match &inner.kind {
            ExprKind::IsNull(of) => of.as_column() == Some(start),
            _ => false,
        },
        ExprKind::Call(f, args) if f.name == "isnotnull" => {
            matches!(args.as_slice(), [of] if of.as_column() == Some(start))
        }
        _ => false,
    }
}

fn hop_of<'q>(query: &'q Query, e: &'q Expand) -> Option<Hop<'q>> {
    let [ExpandItem { id, expr, .. }] = e.items.as_slice() else { return None };
    if e.index.is_some() || e.limit.is_some() {
        return None;
    }
    // The array may have been computed in a column of its own.
    let expr = match expr.as_column() {
        Some(column) => definition(query, &e.input, column)?.expr,
        None => expr,
    };
    let ExprKind::Call(range, args) = &expr.kind else { return None };
    let ("range", [first, last, step]) = (range.name, args.as_slice()) else { return None };
    let step = constant(query, step, MAX_STEPS).filter(|s| *s > 0)?;
    let (time, 0) = on_grid(query, last, step)? else { return None };
    let (other, back) = on_grid(query, first, step)?;
    let length = back.checked_neg()?;
    (other == time && length > 0).then_some(Hop { input: &e.input, time, start: *id, length, step })
}

/// `bin(time + x, step)`, or `bin(time + x, step) + step` with x then a multiple of nothing: the column and how far the grid
/// point after which the windows begin is shifted.
fn on_grid(query: &Query, e: &Expr, step: i64) -> Option<(ColId, i64)> {
    match &e.kind {
        ExprKind::Call(bin, args) if bin.name == "bin" => {
            let [time, grid] = args.as_slice() else { return None };
            if constant(query, grid, MAX_STEPS)? != step {
                return None;
            }
            let (column, shift) = shifted_column(query, time)?;
            // `bin(t, step)` is the last start; anything else must have been moved on by one step.
            (shift == 0).then_some((column, 0))
        }
        ExprKind::Arithmetic(a) => {
            let (inner, by) = (&a.left, constant(query, &a.right, MAX_STEPS)?);
            let ExprKind::Call(bin, args) = &inner.kind else { return None };
            let ("bin", [time, grid]) = (bin.name, args.as_slice()) else { return None };
            let moved = matches!(a.op, crate::ArithmeticOp::Add) && by == step;
            if !moved || constant(query, grid, MAX_STEPS)? != step {
                return None;
            }
            shifted_column(query, time)
        }
        _ => None,
    }
}

/// `time - 10m` as the column and the shift in ticks.
fn shifted_column(query: &Query, e: &Expr) -> Option<(ColId, i64)> {
    match &e.kind {
        ExprKind::Column(_) => Some((time_column(e)?, 0)),
        ExprKind::Arithmetic(a) => {
            let (column, shift) = shifted_column(query, &a.left)?;
            let by = constant(query, &a.right, MAX_STEPS)?;
            match a.op {
                crate::ArithmeticOp::Add => Some((column, shift.checked_add(by)?)),
                crate::ArithmeticOp::Sub => Some((column, shift.checked_sub(by)?)),
                crate::ArithmeticOp::Mul | crate::ArithmeticOp::Div | crate::ArithmeticOp::Mod => None,
            }
        }
        _ => None,
    }
}

/// A join whose filters bound the difference of a time of the left and one of the right side on both ends. Looks through
/// filters, added columns and choices of columns above the join; times are named as the join has them.
pub fn as_sliding<'q>(query: &'q Query, plan: &'q Plan) -> Option<Sliding<'q>> {
    let mut filters: Vec<(&'q Plan, &'q Expr)> = Vec::new();
    let mut at = plan;
    let (joined, join) = loop {
        match &*at.op {
            Op::Filter { input, predicate } => {
                filters.push((input, predicate));
                at = input;
            }
            // Computed columns are known by their definitions, copies by where they come from.
            Op::Extend { input, .. } | Op::Project { input, .. } | Op::Select { input, .. } => at = input,
            Op::Join(join) => break (at, join),
            _ => return None,
        }
    };
    if !matches!(join.kind, JoinKind::Inner | JoinKind::InnerUnique) {
        return None;
    }
    let (mut found, mut rest) = (Vec::new(), Vec::new());
    for (input, predicate) in filters.into_iter().rev() {
        let (here, others) = differences(query, input, [predicate]);
        rest.extend(others);
        for d in here {
            let named = |id: ColId| in_join(input, joined, id);
            add(&mut found, Difference { left: named(d.left)?, right: named(d.right)?, ..d });
        }
    }
    let is_right = |id: ColId| join.right_output.iter().any(|i| i.to == id);
    let is_left = |id: ColId| !is_right(id) && join.left.output.contains(&id);
    let window = |d: &Difference| {
        let d = if is_right(d.left) { *d } else { d.flipped() };
        let (low, high) = (d.low?, d.high?);
        (is_right(d.left) && is_left(d.right)).then_some((d.right, d.left, low, high))
    };
    let at = found.iter().position(|d| window(d).is_some())?;
    let (pivot_time, event_time, low, high) = window(&found.remove(at))?;
    Some(Sliding { join, joined, pivot_time, event_time, low, high, also: found, rest })
}

/// The id in the output of `joined` of a column that the operators from `plan` down to it only copy.
fn in_join(plan: &Plan, joined: &Plan, id: ColId) -> Option<ColId> {
    let (mut at, mut id) = (plan, id);
    while !std::ptr::eq(at, joined) {
        match &*at.op {
            Op::Project { items, .. } | Op::Extend { items, .. } => {
                if let Some(item) = items.iter().find(|i| i.ids.contains(&id)) {
                    id = item.expr.as_column()?;
                }
            }
            Op::Select { items, .. } => id = items.iter().find(|i| i.to == id).map_or(id, |i| i.from),
            _ => {}
        }
        at = at.input()?;
    }
    Some(id)
}
