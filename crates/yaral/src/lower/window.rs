//! The window in which events are grouped and joined.

use super::columns::Origin;
use super::{At, Lowerer};
use crate::syntax::literal::Duration;
use crate::syntax::tree::{Loc, Name, Window, WindowKind};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{Effect, ExprKind, TICKS_PER_SECOND, Value};

const MINUTE: i64 = 60 * TICKS_PER_SECOND;
/// The longest window.
pub(super) const LONGEST: i64 = 48 * 60 * MINUTE;

/// Functions that bring a time to the start of its period.
const STARTS: [(&str, i64); 2] = [("startofday", 24 * 60 * MINUTE), ("startofhour", 60 * MINUTE)];

impl<'q> Lowerer<'q> {
    /// The length of the window on whose grid a group key brings the time of events: `bin(TimeGenerated, 5m)`.
    pub(super) fn tumbling(&mut self, key: At<'q>) -> Option<i64> {
        let key = self.behind(key);
        let ExprKind::Call(f, args) = &key.e.kind else { return None };
        let (time, length) = match (f.name, args.as_slice()) {
            ("bin", [time, length]) => {
                let Some(Value::Timespan(ticks)) = self.constant(At { e: length, ..key }) else {
                    return None;
                };
                (time, ticks)
            }
            (name, [time]) => (time, STARTS.iter().find(|(n, _)| *n == name)?.1),
            _ => return None,
        };
        let time = At { e: time, ..key };
        matches!(self.column_origin(time), Some(Origin::Time { .. })).then_some(length)
    }

    /// A window of this length, or the refusal.
    pub(super) fn window(&mut self, kind: WindowKind, ticks: i64, span: Span) -> Option<Window> {
        if !(MINUTE..=LONGEST).contains(&ticks) || ticks % MINUTE != 0 {
            let message = "YARA-L groups and joins events within whole minutes, 48 hours at most";
            let help = "look back at most two days, in whole minutes";
            self.refuse(codes::YARAL_OUT_WINDOW, span, message, help);
            return None;
        }
        let seconds = u64::try_from(ticks / TICKS_PER_SECOND).unwrap_or_default();
        Some(Window { length: Duration::from_seconds(seconds), kind, span: Loc::default() })
    }

    /// How far the query looks back in the events of a variable; `None` where nothing says it.
    pub(super) fn look_back_of(&self, event: usize) -> Option<i64> {
        let mut longest = None;
        for scanned in self.scans.iter().filter(|s| s.event == event) {
            let own = match (scanned.look_back, self.look_back) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            longest = longest.max(Some(own?));
        }
        longest
    }

    /// The window that begins with one event and holds the other, where the query says how far apart they are at most.
    pub(super) fn sliding(&mut self, span: Span) -> Option<Window> {
        let [a, b] = self.events.as_slice() else { return None };
        if a.absent || b.absent {
            return None;
        }
        let names = [a.name.clone(), b.name.clone()];
        let (mut low, mut high) = (None::<i64>, None::<i64>);
        for (first, _, least, most) in &self.distances {
            let negated = |t: &Option<i64>| t.map(i64::saturating_neg);
            let (least, most) = if *first == 0 { (*least, *most) } else { (negated(most), negated(least)) };
            low = low.max(least);
            high = match (high, most) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        let [first, second] = names;
        let (pivot, length) = match (low?, high?) {
            (low, high) if low >= 0 && high > 0 => (first, high),
            (low, high) if high <= 0 && low < 0 => (second, low.checked_neg()?),
            _ => return None,
        };
        // The conditions on the times say what is beyond whole minutes.
        let whole = length.checked_add(MINUTE - 1)? / MINUTE * MINUTE;
        if whole > LONGEST {
            return None;
        }
        self.window(WindowKind::After(Name::new(pivot)), whole, span)
    }

    /// The period that the query looks at, as a window over the events; with what that changes.
    pub(super) fn period(&mut self, span: Span) -> Option<Window> {
        let periods: Vec<Option<i64>> = (0..self.events.len()).map(|e| self.look_back_of(e)).collect();
        let known: Option<Vec<i64>> = periods.into_iter().collect();
        let Some(known) = known else {
            let absent = self.events.iter().any(|e| e.absent);
            let effect = if absent { Effect::Unknown } else { Effect::Narrows };
            let detail = "the source does not say how far it looks back, and YARA-L groups and joins events within a window: it is 48 hours, what lies further apart is not seen together";
            self.lose(codes::WINDOW_ASSUMED, effect, span, detail);
            return self.window(WindowKind::Hop, LONGEST, span);
        };
        let longest = known.iter().copied().max().unwrap_or_default();
        for (event, own) in self.events.clone().into_iter().zip(known) {
            if own < longest {
                let effect = if event.absent { Effect::Narrows } else { Effect::Widens };
                let detail = "the tables are looked at over different periods; in YARA-L all are looked at over the longest";
                self.lose(codes::WINDOWS_OVERLAP, effect, span, detail);
            }
        }
        let detail = "the source looks at the period of each run; YARA-L looks at every window of that length, also at those between two runs";
        self.lose(codes::WINDOWS_OVERLAP, Effect::Widens, span, detail);
        self.window(WindowKind::Hop, longest, span)
    }
}
