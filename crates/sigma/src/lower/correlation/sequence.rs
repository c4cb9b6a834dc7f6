//! Joins of events that are near each other in time.

use super::part::Part;
use super::print::{Made, group_name};
use super::{Above, Maker};
use crate::duration;
use ruleferry_diag::codes;
use ruleferry_ir::window::{Difference, Sliding, as_sliding, origin};
use ruleferry_ir::{ColId, Effect, Join, JoinKind, Op, Plan};
use std::ptr;

impl<'q> Maker<'q> {
    pub(super) fn sequence(&mut self, plan: &'q Plan, above: &Above<'q>) -> Option<Made<'q>> {
        let Op::Join(join) = &*above.at.op else { return None };
        let span = above.at.span;
        let kinds = [JoinKind::Inner, JoinKind::InnerUnique, JoinKind::LeftSemi, JoinKind::RightSemi];
        if !kinds.contains(&join.kind) {
            let message = "this kind of join is more than a correlation can say";
            let help =
                "a correlation finds events that occur together; write the absence of events as a filter";
            return self.refuse(codes::SIGMA_OUT_OPERATOR, span, message, help);
        }
        if join.kind == JoinKind::InnerUnique {
            let detail = "the join keeps one event of each key; a correlation looks at all of them";
            self.lose(codes::WINDOW_SLIDES, Effect::Widens, span, detail);
        }
        // Columns and conditions alone stand between a window and its join.
        let mut window = plan;
        loop {
            window = match &*window.op {
                Op::Distinct { input }
                | Op::Sort { input, .. }
                | Op::Limit { input, .. }
                | Op::Top { input, .. }
                | Op::Render { input, .. } => input,
                Op::Project { input, .. } if matches!(*input.op, Op::Distinct { .. } | Op::Ref(_)) => input,
                Op::Ref(id) => self.table(*id)?,
                _ => break,
            };
        }
        let sliding = as_sliding(self.query, window);
        let understood = match &sliding {
            Some(s) => s.rest.is_empty() && (s.also.is_empty() || self.chained(s).is_some()),
            None => above.tests.is_empty(),
        };
        if !understood {
            let message = "a condition behind the join compares more than the times of its sides";
            let help = "filter each side before the join, and relate the times of both";
            return self.refuse(codes::SIGMA_OUT_OPERATOR, span, message, help);
        }
        // Three events and more, as ordered correlations are lifted.
        let chain = sliding.as_ref().and_then(|s| self.chained(s).map(|inner| (s, inner)));
        if let Some((outer, inner)) = chain {
            return self.chain(plan, outer, inner);
        }
        let (low, high) = match &sliding {
            Some(s) => (Some(s.low), Some(s.high)),
            None => (None, None),
        };
        let (left_time, right_time) = match &sliding {
            Some(s) => (Some(s.pivot_time), Some(right_id(join, s.event_time)?)),
            None => (None, None),
        };
        let left = self.one(&join.left, left_time)?;
        let right = self.one(&join.right, right_time)?;
        let (ordered, timespan, swapped, exact) = match (low, high) {
            (Some(low), Some(high)) => {
                let closed = low.inclusive && high.inclusive;
                if low.ticks >= 0 {
                    (true, high.ticks, false, closed && low.ticks == 0)
                } else if high.ticks <= 0 {
                    (true, low.ticks.saturating_neg(), true, closed && high.ticks == 0)
                } else {
                    let length = high.ticks.max(low.ticks.saturating_neg());
                    (false, length, false, closed && high.ticks == low.ticks.saturating_neg())
                }
            }
            _ => (false, self.period(span)?, false, false),
        };
        if !exact {
            let detail =
                "the times of the events are bound more tightly than by one span that a correlation has";
            self.lose(codes::WINDOW_SLIDES, Effect::Widens, span, detail);
        }
        if !self.is_distinct(plan) {
            let detail = "an alert of a correlation does not show the columns of both events";
            self.lose(codes::COLUMN_LOST, Effect::Cosmetic, span, detail);
        }
        let mut parts = vec![left, right];
        let mut by = Vec::new();
        let mut out = Vec::new();
        for key in &join.on {
            if self.is_constant(&join.left, key.left) {
                continue;
            }
            let mut columns = [(&join.left, key.left), (&join.right, key.right)];
            let mut fields = self.group(&parts, &columns, span)?;
            if swapped {
                fields.reverse();
                columns.reverse();
            }
            by.push((self.query.columns.name(key.left).to_owned(), fields));
            out.push(self.shown(plan, above.at, key.left).unwrap_or(key.left));
        }
        if swapped {
            parts.reverse();
        }
        self.sequence_made(
            above.at,
            if ordered { "temporal_ordered" } else { "temporal" },
            &parts,
            by,
            out,
            timespan,
        )
    }

    fn sequence_made(
        &mut self,
        at: &'q Plan,
        kind: &'static str,
        parts: &[Part<'q>],
        by: Vec<(String, Vec<String>)>,
        columns: Vec<ColId>,
        timespan: i64,
    ) -> Option<Made<'q>> {
        if duration::format(timespan).is_none() {
            let message = "the window is no whole number of seconds";
            return self.refuse(codes::SIGMA_OUT_OPERATOR, at.span, message, "take a longer window");
        }
        let Op::Join(join) = &*at.op else { return None };
        let named = join.on.iter().filter(|k| !self.is_constant(&join.left, k.left)).enumerate();
        // A key is asked for by the column of the left side, which the join passes on.
        let keys = named
            .filter_map(|(i, k)| {
                let (made, id) = origin(self.query, &join.left, k.left)?;
                Some((made, id, group_name(&by, i)))
            })
            .collect();
        let rules = parts.iter().map(|p| p.name.clone()).collect();
        Some(Made {
            kind,
            rules,
            by,
            timespan,
            compare: Vec::new(),
            boolean: None,
            fields: Vec::new(),
            percentile: None,
            keys,
            columns,
        })
    }

    /// The one document of a side.
    fn one(&mut self, plan: &'q Plan, time: Option<ColId>) -> Option<Part<'q>> {
        let mut parts = self.parts(plan, time, None, None, None)?;
        if parts.len() > 1 {
            let message =
                "one side of the join is several kinds of events, of which a correlation asks for each";
            return self.refuse(
                codes::SIGMA_OUT_OPERATOR,
                plan.span,
                message,
                "write one rule for each kind",
            );
        }
        parts.pop()
    }

    /// The join on the left of one that goes on with it: the same first event, and the third after the second.
    fn chained(&self, outer: &Sliding<'q>) -> Option<Sliding<'q>> {
        let inner = as_sliding(self.query, &outer.join.left)?;
        let [also] = outer.also.as_slice() else { return None };
        let Difference { left, right, low, high } =
            if also.left == outer.event_time { *also } else { also.flipped() };
        let after = left == outer.event_time
            && right == inner.event_time
            && high.is_none()
            && low.is_some_and(|b| b.ticks == 0 && b.inclusive);
        let inner_chained = inner.also.is_empty() || self.chained(&inner).is_some();
        let same = outer.pivot_time == inner.pivot_time && inner.rest.is_empty() && inner_chained;
        (after && same).then_some(inner)
    }

    fn chain(&mut self, plan: &'q Plan, outer: &Sliding<'q>, inner: Sliding<'q>) -> Option<Made<'q>> {
        let span = outer.joined.span;
        let mut joins = vec![(outer.join, outer.event_time)];
        let length = outer.high.ticks;
        let mut at = inner;
        loop {
            let next = self.chained(&at);
            joins.push((at.join, at.event_time));
            match next {
                Some(inner) => at = inner,
                None => break,
            }
        }
        joins.reverse();
        let (first, _) = *joins.first()?;
        let closed = outer.is_closed() && outer.low.ticks == 0 && length > 0;
        if !closed {
            return None;
        }
        let mut parts = vec![self.one(&first.left, Some(at.pivot_time))?];
        let mut columns: Vec<Vec<(&'q Plan, ColId)>> =
            first.on.iter().map(|k| vec![(&first.left, k.left)]).collect();
        for (join, event_time) in &joins {
            parts.push(self.one(&join.right, Some(right_id(join, *event_time)?))?);
            for (key, all) in join.on.iter().zip(&mut columns) {
                all.push((&join.right, key.right));
            }
        }
        if joins.iter().any(|(j, _)| {
            j.on.len() != first.on.len() || j.on.iter().zip(&first.on).any(|(a, b)| a.left != b.left)
        }) {
            let message = "the joins compare different fields of the first event";
            return self.refuse(
                codes::SIGMA_OUT_OPERATOR,
                span,
                message,
                "join all sides on the same fields",
            );
        }
        let (mut by, mut out) = (Vec::new(), Vec::new());
        for (key, all) in first.on.iter().zip(&columns) {
            if self.is_constant(&first.left, key.left) {
                continue;
            }
            by.push((self.query.columns.name(key.left).to_owned(), self.group(&parts, all, span)?));
            out.push(self.shown(plan, outer.joined, key.left).unwrap_or(key.left));
        }
        if !self.is_distinct(plan) {
            let detail = "an alert of a correlation does not show the columns of all events";
            self.lose(codes::COLUMN_LOST, Effect::Cosmetic, span, detail);
        }
        self.sequence_made(outer.joined, "temporal_ordered", &parts, by, out, length)
    }

    /// The column of the query's result that a column of the join is.
    fn shown(&self, plan: &'q Plan, joined: &'q Plan, id: ColId) -> Option<ColId> {
        let wanted = origin(self.query, joined, id)?;
        plan.output.iter().copied().find(|o| {
            origin(self.query, plan, *o).is_some_and(|(p, i)| ptr::eq(p, wanted.0) && i == wanted.1)
        })
    }

    fn is_distinct(&self, plan: &'q Plan) -> bool {
        match &*plan.op {
            Op::Distinct { .. } => true,
            Op::Project { input, .. } => self.is_distinct(input),
            Op::Ref(id) => self.table(*id).is_some_and(|p| self.is_distinct(p)),
            _ => false,
        }
    }

    /// A key that only stands for "no key".
    fn is_constant(&self, plan: &'q Plan, id: ColId) -> bool {
        use ruleferry_ir::window::definition;
        definition(self.query, plan, id)
            .is_some_and(|d| matches!(d.expr.kind, ruleferry_ir::ExprKind::Literal(_)))
    }
}

/// The id that a column of the join has on its right side.
fn right_id(join: &Join, id: ColId) -> Option<ColId> {
    join.right_output.iter().find(|i| i.to == id).map(|i| i.from)
}
