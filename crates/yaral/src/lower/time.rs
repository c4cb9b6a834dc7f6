//! Times: how far a query looks back, and comparisons of times of events.

use super::columns::Origin;
use super::cond::{Cond, complement, ordered_compare, ordering};
use super::{At, Lowerer};
use crate::plain::{self, LookBack};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{self as ir, ArithmeticOp, CompareOp, ExprKind, Type, Value};

impl<'q> Lowerer<'q> {
    /// How far `TimeGenerated > ago(7d)` or `… between (ago(7d) .. now())` looks back: the event, which of its scans, how far.
    pub(super) fn time_window(&mut self, at: At<'q>) -> Option<(usize, Option<usize>, LookBack)> {
        use CompareOp::{Ge, Gt, Le, Lt};
        let inner = |e| At { e, ..at };
        let (time, since) = match &at.e.kind {
            ExprKind::Between(b) if self.is_now(inner(&b.high)) => (&b.subject, &b.low),
            ExprKind::Compare(c) => match c.op {
                Gt | Ge if self.ago(inner(&c.right)).is_some() => (&c.left, &c.right),
                Lt | Le if self.ago(inner(&c.left)).is_some() => (&c.right, &c.left),
                CompareOp::Eq | CompareOp::Ne | Lt | Le | Gt | Ge => return None,
            },
            _ => return None,
        };
        let Some(Origin::Time { event, scan }) = self.column_origin(inner(time)) else { return None };
        let (inclusive, until_now) = match &at.e.kind {
            ExprKind::Compare(c) => (matches!(c.op, Ge | Le), false),
            _ => (true, true),
        };
        self.ago(inner(since)).map(|ticks| (event, scan, LookBack { ticks, inclusive, until_now }))
    }

    /// How long before now the expression is.
    fn ago(&mut self, at: At<'q>) -> Option<i64> {
        let at = self.behind(at);
        let ExprKind::Arithmetic(a) = &at.e.kind else { return None };
        if !self.is_now(At { e: &a.left, ..at }) {
            return None;
        }
        let Some(Value::Timespan(ticks)) = self.constant(At { e: &a.right, ..at }) else { return None };
        match a.op {
            ArithmeticOp::Sub => Some(ticks),
            ArithmeticOp::Add => ticks.checked_neg(),
            ArithmeticOp::Mul | ArithmeticOp::Div | ArithmeticOp::Mod => None,
        }
        .filter(|t| *t > 0)
    }

    fn is_now(&self, at: At<'q>) -> bool {
        matches!(self.behind(at).e.kind, ExprKind::Now)
    }

    /// Times are whole seconds here: what the fraction would decide is let through, under a negation held back.
    pub(super) fn compare_times(
        &mut self,
        op: CompareOp,
        left: At<'q>,
        right: At<'q>,
        span: Span,
        negated: bool,
    ) -> Cond {
        if let Some(cond) = self.compare_weekday(op, left, right, negated) {
            return cond;
        }
        if let (Some(a), Some(b)) = (self.constant(left), self.constant(right)) {
            return match ordering(&a, &b) {
                Some(order) => Cond::Const(op.holds(Some(order)) != negated),
                None => Cond::Is(self.cannot(span, "a comparison of these times")),
            };
        }
        for side in [left, right] {
            if !self.is_event_time(side) {
                let message = "YARA-L can compare the times of events alone";
                let help = "compare the table's own time column";
                return Cond::Is(self.refuse(codes::YARAL_OUT_TIME, span, message, help));
            }
        }
        let op = if negated { complement(op) } else { op };
        let constant = |l: &mut Self, at| l.constant(at).is_some();
        let with_constant = constant(self, left) || constant(self, right);
        let wider = !(self.inverted ^ self.flipped);
        let loosened = match op {
            CompareOp::Gt if wider => CompareOp::Ge,
            CompareOp::Lt if wider && !with_constant => CompareOp::Le,
            CompareOp::Le if !wider => CompareOp::Lt,
            CompareOp::Ge if !wider && !with_constant => CompareOp::Gt,
            other => other,
        };
        let events = [left, right].map(|side| self.event_of(side));
        let (l, r) = (self.value(left), self.value(right));
        self.assume("times of events are compared in whole seconds");
        let test = Cond::Is(ordered_compare(l, loosened, r));
        // An event is not earlier than itself.
        if let [Some(a), Some(b)] = events
            && a != b
            && loosened != op
            && wider
        {
            let id = |e: usize| self.event_path(e, plain::EVENT_ID);
            return Cond::all(vec![test, Cond::Is(id(a).ne(id(b)))]);
        }
        test
    }

    /// The one event whose time an expression is.
    fn event_of(&self, at: At<'q>) -> Option<usize> {
        match self.column_origin(at) {
            Some(Origin::Time { event, .. }) => Some(event),
            _ => None,
        }
    }

    /// Times of events, constants, and sums of these.
    fn is_event_time(&mut self, at: At<'q>) -> bool {
        if self.constant(at).is_some() {
            return true;
        }
        let at = self.behind(at);
        match &at.e.kind {
            ExprKind::Column(_) => matches!(self.column_origin(at), Some(Origin::Time { .. })),
            ExprKind::Arithmetic(a) if matches!(a.op, ArithmeticOp::Add | ArithmeticOp::Sub) => {
                self.is_event_time(At { e: &a.left, ..at }) && self.is_event_time(At { e: &a.right, ..at })
            }
            ExprKind::Cast(c) if c.to == Type::Datetime => self.is_event_time(At { e: &c.expr, ..at }),
            _ => false,
        }
    }

    /// `dayofweek(t) == 6d`: Sunday is day 0 in the IR and 1 in YARA-L.
    fn compare_weekday(&mut self, op: CompareOp, left: At<'q>, right: At<'q>, negated: bool) -> Option<Cond> {
        const DAY: i64 = 86_400 * ir::TICKS_PER_SECOND;
        let left = self.behind(left);
        let ExprKind::Call(f, args) = &left.e.kind else { return None };
        let ([time], "dayofweek") = (args.as_slice(), f.name) else { return None };
        let Some(Value::Timespan(ticks)) = self.constant(right) else { return None };
        let time = At { e: time, ..left };
        if ticks % DAY != 0 || !matches!(self.column_origin(time), Some(Origin::Time { .. })) {
            return None;
        }
        let seconds = self.value(time);
        let day = crate::syntax::tree::Expr::call("timestamp.get_day_of_week", [seconds]);
        let number = crate::syntax::tree::Expr::int(ticks / DAY + 1);
        Some(Cond::Is(ordered_compare(day, if negated { complement(op) } else { op }, number)))
    }
}
