//! The prover: do two rules alert on the same events?
//!
//! In: two [`ir::Rule`]s, from whatever languages, and [`Options`]. Out: a [`Verdict`]: a relation with its proof, or with
//! witnesses (small tables on which the evaluator shows the difference), or `unknown` with the reason. It knows no language.
//!
//! How it goes, and where to look:
//!
//! 1. `canon/` turns each query into blocks ([`block`]) over terms ([`term`]) and formulas ([`formula`]), all in one
//!    [`Arena`] in which equal things are one id: `let`s inlined, columns named by what they are and not by their names,
//!    filters pushed down, stages fused. Each rewrite has a name.
//! 2. `align` walks two blocks down together; filters that are not the same id go to the solver.
//! 3. `solve/` decides formulas: a search over the truth of atoms, with regular languages and intervals as theories.
//! 4. `search/` makes tables out of the atoms of both sides, runs both rules in `ruleferry-eval`, shrinks what differs.
//!
//! [`findings`] asks the solver about one rule alone, for `check`.
//!
//! A step over-approximates only in the direction in which it is sound: what is proved unsatisfiable is so, a model is a
//! suggestion, and a difference counts only when the evaluator has replayed it ([`Witness`]).

mod align;
mod arena;
pub mod block;
pub mod canon;
mod empties;
mod findings;
pub mod formula;
mod search;
pub mod show;
pub mod solve;
pub mod term;
mod verdict;

pub use arena::Arena;
pub use findings::{Finding, PlainTest, Repair, findings};
pub use search::{Executor, replay, try_out};
#[doc(hidden)]
pub use search::{fires, shown, witnesses};
pub use verdict::{Fires, Proof, Relation, Verdict, Witness};

use ruleferry_ir as ir;

/// What the comparison may take for granted and how far it may go.
#[derive(Clone, Debug)]
pub struct Options {
    /// `now()` of searches: ticks since year 1.
    pub now: i64,
    /// Every run is at `now`: a rule that names that time and one that says `now()` are the same.
    pub now_is_fixed: bool,
    /// Seed of the search.
    pub seed: u64,
    /// Steps of proof and search; the same input gives the same verdict on every machine.
    pub steps: u64,
    /// Whether a search for witnesses follows where the proof fails. Without it such pairs are `unknown`.
    pub search: bool,
    /// One side reads events in which an absent field and an empty text are one value (Sigma beside Kusto): no event has an
    /// empty text then. Where a proof needs it, no event has a letter that the two fold in different ways either (`ſ`, `İ`, the
    /// Kelvin sign), and the verdict says so.
    pub empty_is_absent: bool,
    /// Asked from time to time; true stops everything with `unknown`.
    pub stop: Option<fn() -> bool>,
}

/// Expressions of a rule, its `let`s written out, and the length of one of its texts, beyond which nothing is tried: far above
/// what people write (the largest real rules have some thousands), and below what would take long.
const MAX_SIZE: usize = 20_000;
const MAX_TEXT: usize = 8_192;

/// Why a rule is not looked at: [`compare`] answers `unknown` with this reason.
pub fn too_large(rule: &ir::Rule) -> Option<String> {
    if rule.query.expanded_size() > MAX_SIZE {
        return Some(format!("the rule is too large for a proof: more than {MAX_SIZE} expressions"));
    }
    let long_glob = |v: &ir::MatchValue| matches!(v, ir::MatchValue::Glob(parts) if parts.len() > MAX_TEXT);
    let long = rule.query.any_expr(&mut |e| {
        if let ir::ExprKind::Match(m) = &e.kind
            && let ir::MatchValues::List(values) = &m.values
        {
            return values.iter().any(long_glob);
        }
        e.as_literal().and_then(ir::Value::as_str).is_some_and(|s| s.len() > MAX_TEXT)
    });
    long.then(|| format!("the rule holds a text of more than {MAX_TEXT} characters, too long for a proof"))
}

/// Relation of `b` (the output) to `a` (the source).
pub fn compare(a: &ir::Rule, b: &ir::Rule, options: &Options) -> Verdict {
    if let Some(reason) = too_large(a).or_else(|| too_large(b)) {
        return Verdict::undecided(reason);
    }
    if options.empty_is_absent {
        return align::compare(&empties::rule(a), &empties::rule(b), options);
    }
    align::compare(a, b, options)
}
