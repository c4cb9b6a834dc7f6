//! What is proved of one rule alone: conditions that never or always hold, exclusions that hide all or nothing, and the like.
//!
//! In: a rule and [`Options`]. Out: [`Finding`]s with places in the text of the query. Each is proved by the solver on the
//! canonical form, or follows from the plan alone; what is not proved is not told. Filters are looked at in the rows that
//! reach them; the look-back of the schedule is no condition here, since rules repeat it on purpose.

mod conditions;
mod event;
mod plan;
mod schedule;
mod variant;

use crate::Options;
use ruleferry_diag::{Code, Event, Span};
use ruleferry_ir::{self as ir, Case, MatchKind};

/// One thing that is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub code: Code,
    /// In the text of the query; empty for the rule as a whole.
    pub span: Span,
    pub message: String,
    pub help: String,
    /// The condition that is the reason.
    pub other: Option<Span>,
    /// What mends it without a change of meaning, where something should.
    pub repair: Option<Repair>,
    /// Rows that show it.
    pub event: Option<Event>,
}

/// A change of the text that changes no meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repair {
    /// What stands at the place goes.
    Remove,
    /// A test of a plain text in the place of a pattern.
    Plain(PlainTest),
    /// The join says the kind that it has.
    StateKind,
}

/// A test of a plain text that says what a pattern says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainTest {
    pub kind: MatchKind,
    pub case: Case,
    pub text: String,
}

/// All that is proved to be wrong with a rule, in the order of the text. `options.search`: with events that show it.
pub fn findings(rule: &ir::Rule, options: &Options) -> Vec<Finding> {
    let mut found = Vec::new();
    schedule::gap(rule, &mut found);
    plan::all(rule, &mut found);
    found.extend(conditions::all(rule, options));
    found.sort_by_key(|f| (f.span, f.code));
    found.dedup_by(|a, b| a.span == b.span && a.code == b.code);
    if options.search {
        event::add(rule, &mut found, options);
    }
    found
}

fn finding(code: Code, span: Span, message: impl Into<String>, help: &str) -> Finding {
    Finding { code, span, message: message.into(), help: help.into(), other: None, repair: None, event: None }
}
