//! Two canonical forms, walked down together.
//!
//! In: two rules. Out: the [`Verdict`].

use crate::canon::{Canonical, canonical};
use crate::search::{Found, Pair, search};
use crate::{Arena, Options, Proof, Verdict};
use ruleferry_ir as ir;

pub(crate) fn compare(a: &ir::Rule, b: &ir::Rule, options: &Options) -> Verdict {
    let mut arena = Arena::default();
    let (ca, cb) = (canonical(&mut arena, a, options), canonical(&mut arena, b, options));
    let mut reasons: Vec<String> = Vec::new();
    let (ca, cb): (Option<Canonical>, Option<Canonical>) = match (ca, cb) {
        (Ok(a), Ok(b)) => (Some(a), Some(b)),
        (a, b) => {
            reasons.extend([a, b].into_iter().filter_map(Result::err));
            (None, None)
        }
    };
    if !options.search {
        return Verdict::unknown(reasons);
    }
    let pair = Pair { arena: &arena, a: (a, ca.as_ref()), b: (b, cb.as_ref()), models: &[] };
    let found = search(&pair, options);
    judged(found, reasons, options)
}

/// The verdict of a search that no proof stands beside.
fn judged(found: Found, mut reasons: Vec<String>, options: &Options) -> Verdict {
    reasons.extend(found.faults);
    match (found.only_a, found.only_b) {
        (Some(a), Some(b)) => Verdict::divergent(a, b, None),
        (Some(a), None) => Verdict::narrower(a, Proof::Tested, reasons),
        (None, Some(b)) => Verdict::wider(b, Proof::Tested, reasons),
        (None, None) if found.fired > 0 => Verdict::bounded(found.tried, options.seed, reasons),
        (None, None) => Verdict::unknown(reasons),
    }
}
