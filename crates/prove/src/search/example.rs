//! Rows on which one rule alerts and another one does not: an example for people, not a comparison.

use super::layout::threshold;
use super::{ATTEMPTS, Found, Guide, Known, News, Observer, Patterns, Search, layout, mentioned, weight};
use crate::{Options, Witness};
use ruleferry_ir::Rule;
use rustc_hash::FxHashSet;

/// Tables on which `a` finds what `b` does not, if some turn up within the steps.
pub(crate) fn example(a: &Rule, b: &Rule, options: &Options) -> Option<Witness> {
    let patterns = Patterns::default();
    let known = [a, b].map(|r| Known::new(&r.query, r.envelope.schedule.look_back));
    let mut search = Search {
        known: &known,
        rules: [a, b],
        observer: Observer::new(a, b, options.now),
        whole: None,
        patterns: &patterns,
        layout: layout(&[&a.query, &b.query]),
        mentioned: [&a.query, &b.query].into_iter().flat_map(mentioned).collect(),
        options,
        left: options.steps,
        wanted: (true, false),
        found: Found::default(),
        seen: FxHashSet::default(),
        weight: 1 + weight(&a.query) / 8 + weight(&b.query) / 8,
        row_wise: false,
        pending: Vec::new(),
        bounded: false,
        fine: true,
        news: News::of(&a.query, &b.query),
    };
    for attempt in 0..ATTEMPTS {
        let guide = Guide::attempt(attempt, options.seed);
        // One row too few shows nothing where rows are counted or one of several is kept.
        for copies in [threshold(a), Some(2)] {
            if search.done() {
                return None;
            }
            let made = search.make(&[(0, false)], &guide, copies);
            search.observe(made.tables);
            if search.found.only_a.is_some() {
                return search.found.only_a;
            }
        }
    }
    None
}
