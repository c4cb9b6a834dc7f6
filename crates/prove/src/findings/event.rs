//! Rows that show what a finding says: the rule is run on them, beside the rule without the condition in question.

use super::{Finding, variant};
use crate::search::example;
use crate::{Options, Witness};
use ruleferry_diag::{Event, codes};
use ruleferry_ir::Rule;

/// Findings of one rule for which rows are looked for.
const MOST: usize = 10;

pub(super) fn add(rule: &Rule, found: &mut [Finding], options: &Options) {
    for finding in found.iter_mut().filter(|f| f.event.is_none()).take(MOST) {
        finding.event = event(rule, finding, options);
    }
}

fn event(rule: &Rule, finding: &Finding, options: &Options) -> Option<Event> {
    let (fires, other, shows) = match finding.code {
        codes::RULE_NEVER_MATCHES => (
            variant::without(rule, finding.span)?,
            rule.clone(),
            "without this condition the rule finds this, with it nothing",
        ),
        codes::EXCLUSION_HIDES_ALL => (
            variant::without(rule, finding.span)?,
            rule.clone(),
            "the conditions select this, and the exclusion hides it",
        ),
        codes::THRESHOLD_UNREACHABLE => (
            variant::without(rule, finding.span)?,
            rule.clone(),
            "without this threshold the rule finds this, with it nothing",
        ),
        codes::IMPLIED_CONDITION => (
            rule.clone(),
            variant::never(rule, finding.span)?,
            "the rule finds this, which meets both conditions",
        ),
        codes::COVERED_ALTERNATIVE => (
            variant::only(rule, finding.span)?,
            variant::never(rule, finding.span)?,
            "this meets the alternative, and the one that covers it, too",
        ),
        codes::BARE_JOIN => (
            variant::all_pairs(rule, finding.span)?,
            rule.clone(),
            "of the left rows with one key the join keeps one; `kind=inner` keeps them all",
        ),
        _ => return None,
    };
    example(&fires, &other, options).map(|witness| told(&witness, shows))
}

fn told(witness: &Witness, shows: &str) -> Event {
    Event { shows: shows.into(), now: witness.now().into(), tables: witness.tables().clone() }
}
