//! Correlations: what several events mean together.
//!
//! In: a correlation document and the documents that it names. Out: a rule whose plan binds the events of the named rules and
//! looks at them in windows of time.
//!
//! What the specification leaves open is settled so that no alert is lost:
//! - Windows slide. Each event of the named rules ends a window `[t - timespan, t]`, both ends in it, and an alert is made for
//!   each such `t` (and group) at which the condition holds. A burst over the edge of an hour is found, and an alert has
//!   the time of the event that completed it, so that a correlation of correlations can order alerts. With `lt`, `lte`,
//!   `eq` and `neq` the condition is asked of those same windows: of every window that ends at an event.
//! - `temporal_ordered`: the events follow one another in the order of `rules`; equal times are in order.
//! - An event without a field of `group-by` is in the group of the empty value, as in KQL and for every grouping SQL.
//! - Of `value_*` types events without a value (none, empty, or no number where one is needed) do not count.
//! - `value_percentile` is by nearest rank; `value_median` of an even count is the mean of the two in the middle.
//! - An event that several rules find counts once where the rules look at one log source with the same fields.
//! - A field that a correlation groups by and that a named correlation does not have is taken from the events of its windows.
//!
//! Where the alerts' rows come from: `group-by` fields under their names, the time under that of the event's time, and what
//! was compared.

mod build;
mod read;

use super::{LiftOptions, Lifted, Lifter, RuleSet};
use crate::syntax::SigmaDocument;
use build::Builder;
use ruleferry_diag::Diagnostic;
use ruleferry_ir::{self as ir, Columns, Query};

/// What the field of an event's time is called, where the rule does not say it by `x-time-field`.
pub(crate) const DEFAULT_TIME: &str = "TimeGenerated";

pub(super) fn lift(
    document: &SigmaDocument,
    set: RuleSet<'_>,
    options: &LiftOptions,
) -> Result<Lifted, Vec<Diagnostic>> {
    let mut head = Lifter::new(document, set, options, Columns::default());
    let envelope = head.envelope();
    head.check_status();
    let mut builder = Builder::new(set, options);
    builder.faults = head.faults;
    builder.warnings = head.warnings;
    let alerts = builder.correlation(document, None, &[]);
    match alerts {
        Some(alerts) if builder.faults.is_empty() => {
            let query = Query {
                columns: builder.columns,
                bindings: builder.bindings,
                plan: alerts.plan,
                assumptions: builder.assumptions,
            };
            Ok(Lifted { rule: ir::Rule { envelope, query }, warnings: builder.warnings })
        }
        Some(_) | None => Err(builder.faults),
    }
}
