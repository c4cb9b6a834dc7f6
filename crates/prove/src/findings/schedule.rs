//! A schedule that leaves times out: runs that come less often than the rule looks back.
//!
//! In: the schedule, and the bounds that the query itself sets on the time of its events. Out: a finding with the time of an
//! event that no run looks at.

use super::{Finding, finding};
use crate::verdict::time_text;
use ruleferry_diag::{Event, Span, codes};
use ruleferry_ir::{
    self as ir, ArithmeticOp, BindingValue, ColId, CompareOp, Expr, ExprKind, JoinKind, Op, Plan, Query,
    Rule, Source, Value,
};
use serde_json::json;

/// A run of which the finding speaks: 2026-01-02T00:00:00Z.
const RUN: i64 = 639_029_088_000_000_000;
const SECOND: i64 = 10_000_000;
const MOST_SCANS: usize = 64;

/// The events that a scan sees: those from `oldest` up to `newest` before a run, in ticks.
#[derive(Clone, Debug)]
struct Window {
    oldest: Option<i64>,
    newest: i64,
    /// The condition that sets the bound, where the query does.
    by: Option<Span>,
    table: Option<String>,
    column: Option<String>,
}

pub(super) fn gap(rule: &Rule, found: &mut Vec<Finding>) {
    let schedule = rule.envelope.schedule;
    let Some(frequency) = schedule.frequency.filter(|f| *f > 0) else { return };
    let mut windows = Vec::new();
    collect(&rule.query, &rule.query.plan, Vec::new(), 0, &mut windows);
    if windows.is_empty() || windows.len() > MOST_SCANS {
        return;
    }
    let mut seen = Vec::with_capacity(windows.len());
    for window in &windows {
        let oldest = match (window.oldest, schedule.look_back.filter(|l| *l > 0)) {
            (Some(a), Some(b)) => a.min(b),
            (Some(n), None) | (None, Some(n)) => n,
            (None, None) => return,
        };
        // A window of no length sees nothing, which is another fault.
        if oldest <= window.newest {
            return;
        }
        seen.push((window.newest, oldest));
    }
    let Some(unseen) = unseen(&seen, frequency) else { return };
    let Some(first) = windows.first() else { return };
    let by_query = seen.iter().any(|(newest, oldest)| *newest > 0 || Some(*oldest) != schedule.look_back);
    let span = if by_query { windows.iter().find_map(|w| w.by).unwrap_or_default() } else { Span::default() };
    let length = seen.iter().map(|(newest, oldest)| oldest - newest).max().unwrap_or_default();
    let mut gap = finding(
        codes::SCHEDULE_GAP,
        span,
        format!(
            "the rule runs every {} and looks at {} only",
            ir::time::timespan_text(frequency),
            ir::time::timespan_text(length)
        ),
        "events in the time between are never looked at: look back at least as long as the time between runs",
    );
    let (table, column) =
        (first.table.clone().unwrap_or_default(), first.column.as_deref().unwrap_or("TimeGenerated"));
    let rows = json!([{ column: time_text(RUN - unseen) }]);
    gap.event = Some(Event {
        shows: format!(
            "no run sees this: not the one at {}, nor the one before at {}",
            time_text(RUN),
            time_text(RUN - frequency)
        ),
        now: time_text(RUN),
        tables: [(table, rows)].into_iter().collect(),
    });
    found.push(gap);
}

/// How long before a run the events lie that neither this run nor another one sees.
fn unseen(windows: &[(i64, i64)], frequency: i64) -> Option<i64> {
    if windows.iter().any(|(newest, oldest)| oldest - newest >= frequency) {
        return None;
    }
    // Every run sees the same windows before it: the times between two runs are a circle.
    let mut seen: Vec<(i64, i64)> = Vec::new();
    for (newest, oldest) in windows {
        let (start, length) = (newest.rem_euclid(frequency), oldest - newest);
        let end = start + length;
        seen.push((start, end.min(frequency)));
        if end > frequency {
            seen.push((0, end - frequency));
        }
    }
    seen.sort_unstable();
    let (mut at, mut widest) = (0, (0, 0));
    for (start, end) in seen.into_iter().chain([(frequency, frequency)]) {
        if start - at > widest.1 - widest.0 {
            widest = (at, start);
        }
        at = at.max(end);
    }
    // Less than a second is how `>` and `>=` differ, and no gap.
    (widest.1 - widest.0 >= SECOND).then(|| widest.0 + (widest.1 - widest.0) / 2)
}

/// The windows of all scans below; `filters`: what rows of this plan must meet further up.
fn collect<'q>(
    query: &'q Query,
    plan: &'q Plan,
    mut filters: Vec<&'q Expr>,
    depth: u32,
    out: &mut Vec<Window>,
) {
    if depth > 500 || out.len() > MOST_SCANS {
        // Not known: a window that sees everything.
        out.push(Window { oldest: Some(i64::MAX), newest: 0, by: None, table: None, column: None });
        return;
    }
    match &*plan.op {
        Op::Scan(scan) => {
            let mut window = Window { oldest: None, newest: 0, by: None, table: None, column: None };
            match &scan.source {
                Source::Table(table) => window.table = Some(table.name.to_string()),
                Source::Glob(glob) => window.table = Some(glob.to_string()),
                // Watchlists and the like have no time of events.
                Source::Input(_) => return,
            }
            if let Some(time) = scan.time {
                window.column = Some(query.columns.name(time).to_owned());
                filters.iter().for_each(|f| bounds(query, f, time, &mut window));
            }
            out.push(window);
        }
        Op::Filter { input, predicate } => {
            filters.push(predicate);
            collect(query, input, filters, depth + 1, out);
        }
        Op::Extend { input, .. }
        | Op::Project { input, .. }
        | Op::Select { input, .. }
        | Op::Distinct { input }
        | Op::Sort { input, .. }
        | Op::Serialize { input, .. } => collect(query, input, filters, depth + 1, out),
        Op::Join(join) => {
            let keeps_left = match join.kind {
                JoinKind::Inner
                | JoinKind::InnerUnique
                | JoinKind::LeftOuter
                | JoinKind::LeftSemi
                | JoinKind::LeftAnti => true,
                JoinKind::RightOuter | JoinKind::FullOuter | JoinKind::RightSemi | JoinKind::RightAnti => {
                    false
                }
            };
            collect(query, &join.left, if keeps_left { filters } else { Vec::new() }, depth + 1, out);
            collect(query, &join.right, Vec::new(), depth + 1, out);
        }
        Op::Ref(id) => {
            if let Some(BindingValue::Table { plan, .. }) =
                query.bindings.get(id.0 as usize).map(|b| &b.value)
            {
                collect(query, plan, Vec::new(), depth + 1, out);
            }
        }
        Op::Values(_)
        | Op::Range(_)
        | Op::Rows
        | Op::Limit { .. }
        | Op::Top { .. }
        | Op::Aggregate(_)
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
        | Op::Render { .. }
        | Op::Opaque { .. } => {
            let mut inner = Vec::new();
            plan.children(&mut |child| match child {
                ir::Child::Plan(p) => inner.push(p),
                ir::Child::Expr(_) => {}
            });
            inner.into_iter().for_each(|p| collect(query, p, Vec::new(), depth + 1, out));
        }
    }
}

/// Takes in what a condition says of the time of an event.
fn bounds(query: &Query, e: &Expr, time: ColId, window: &mut Window) {
    let is_time = |e: &Expr| column(e) == Some(time);
    match &e.kind {
        ExprKind::And(parts) => parts.iter().for_each(|p| bounds(query, p, time, window)),
        ExprKind::Compare(c) => {
            let (limit, after) = match (is_time(&c.left), is_time(&c.right)) {
                (true, false) => (before_now(query, &c.right, 0), c.op),
                (false, true) => (before_now(query, &c.left, 0), c.op.flipped()),
                (true, true) | (false, false) => return,
            };
            let Some(limit) = limit else { return };
            match after {
                CompareOp::Gt | CompareOp::Ge => window.from(limit, e.span),
                CompareOp::Lt | CompareOp::Le => window.up_to(limit, e.span),
                CompareOp::Eq | CompareOp::Ne => {}
            }
        }
        ExprKind::Between(b) if is_time(&b.subject) => {
            if let Some(limit) = before_now(query, &b.low, 0) {
                window.from(limit, e.span);
            }
            if let Some(limit) = before_now(query, &b.high, 0) {
                window.up_to(limit, e.span);
            }
        }
        _ => {}
    }
}

impl Window {
    fn from(&mut self, ticks: i64, span: Span) {
        if self.oldest.is_none_or(|o| ticks < o) {
            self.oldest = Some(ticks);
            self.by = Some(span);
        }
    }

    fn up_to(&mut self, ticks: i64, span: Span) {
        if ticks > self.newest {
            self.newest = ticks;
            self.by.get_or_insert(span);
        }
    }
}

fn column(e: &Expr) -> Option<ColId> {
    match &e.kind {
        ExprKind::Cast(c) if c.implicit => column(&c.expr),
        _ => e.as_column(),
    }
}

/// `now() - x` as ticks before the run.
fn before_now(query: &Query, e: &Expr, depth: u32) -> Option<i64> {
    if depth > 50 {
        return None;
    }
    match &e.kind {
        ExprKind::Now => Some(0),
        ExprKind::Cast(c) => before_now(query, &c.expr, depth + 1),
        ExprKind::Let(id) => before_now(query, bound(query, *id)?, depth + 1),
        ExprKind::Arithmetic(a) => match a.op {
            ArithmeticOp::Sub => {
                before_now(query, &a.left, depth + 1)?.checked_add(length(query, &a.right, depth + 1)?)
            }
            ArithmeticOp::Add => {
                before_now(query, &a.left, depth + 1)?.checked_sub(length(query, &a.right, depth + 1)?)
            }
            ArithmeticOp::Mul | ArithmeticOp::Div | ArithmeticOp::Mod => None,
        },
        _ => None,
    }
}

fn length(query: &Query, e: &Expr, depth: u32) -> Option<i64> {
    if depth > 50 {
        return None;
    }
    match &e.kind {
        ExprKind::Literal(Value::Timespan(ticks)) => Some(*ticks),
        ExprKind::Cast(c) => length(query, &c.expr, depth + 1),
        ExprKind::Let(id) => length(query, bound(query, *id)?, depth + 1),
        ExprKind::Negate(inner) => length(query, inner, depth + 1)?.checked_neg(),
        ExprKind::Arithmetic(a) => {
            let (x, y) = (length(query, &a.left, depth + 1), length(query, &a.right, depth + 1));
            match a.op {
                ArithmeticOp::Add => x?.checked_add(y?),
                ArithmeticOp::Sub => x?.checked_sub(y?),
                ArithmeticOp::Mul | ArithmeticOp::Div | ArithmeticOp::Mod => None,
            }
        }
        _ => None,
    }
}

fn bound(query: &Query, id: ir::BindingId) -> Option<&Expr> {
    match &query.bindings.get(id.0 as usize)?.value {
        BindingValue::Scalar(e) => Some(e),
        BindingValue::Table { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_between_runs() {
        let hours = |n: i64| n * 3600 * SECOND;
        assert_eq!(unseen(&[(0, hours(24))], hours(24)), None);
        assert_eq!(unseen(&[(0, hours(1))], hours(24)), Some(hours(1) + hours(23) / 2));
        // A delay moves the window and loses nothing.
        assert_eq!(unseen(&[(hours(3), hours(27))], hours(24)), None);
        // Two windows that fill each other's gap.
        assert_eq!(unseen(&[(0, hours(1)), (hours(1), hours(2))], hours(2)), None);
        assert_eq!(unseen(&[(0, hours(1)), (hours(3), hours(4))], hours(4)), Some(hours(2)));
    }
}
