//! Texts that are likely to meet tests: the needles of what is wanted, put together.
//!
//! In: tests. Out: a few texts, the most readable first. They are only tried: nothing rests on them.

use super::chars::other_case;
use super::{Lang, Test, Texts};
use ruleferry_eval::text::fold;

/// What stands between the needles, and around them.
const BETWEEN: [(&str, &str); 6] = [("", ""), (" ", ""), ("", "x"), (" x ", "x "), ("-", "~"), ("é", "7")];

pub(super) fn candidates(texts: &Texts, tests: &[Test]) -> Vec<String> {
    let wanted: Vec<&Lang> =
        tests.iter().filter(|(_, wanted)| *wanted).filter_map(|(id, _)| texts.get(*id)).collect();
    let mut start: (&str, bool) = ("", true);
    let mut end: (&str, bool) = ("", true);
    let mut whole: Option<(&str, bool)> = None;
    let mut inner: Vec<(&str, bool)> = Vec::new();
    let better = |old: (&str, bool), new: (&str, bool)| {
        // The longer one; of two in other cases the one whose case is asked for.
        new.0.len() > old.0.len() || (new.0.len() == old.0.len() && old.1 && !new.1)
    };
    for lang in &wanted {
        let folded = lang.folded();
        if let Lang::Equals(text, _) = lang {
            if whole.is_none_or(|w| w.1 && !folded) {
                whole = Some((text, folded));
            }
            continue;
        }
        let pieces = lang.pieces();
        if let Some(text) = pieces.start.filter(|t| better(start, (t, folded))) {
            start = (text, folded);
        }
        if let Some(text) = pieces.end.filter(|t| better(end, (t, folded))) {
            end = (text, folded);
        }
        inner.extend(pieces.inner.into_iter().map(|t| (t, folded)));
    }
    let mut out = Vec::new();
    if let Some((text, folded)) = whole {
        out.push(text.to_owned());
        if folded {
            out.extend([swapped(text, false), swapped(text, true)]);
        }
        return out;
    }
    if wanted.is_empty() {
        out.extend(["x", "", "a b", "7", "~", "é", "zq0"].map(str::to_owned));
        return out;
    }
    // One needle inside of another needs no place of its own.
    inner.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    let mut kept: Vec<(&str, bool)> = Vec::new();
    for (text, folded) in inner {
        let inside = |outer: &(&str, bool)| {
            outer.0.contains(text) || (folded && (outer.0.len() < 200) && fold(outer.0).contains(text))
        };
        if !inside(&start) && !inside(&end) && !kept.iter().any(inside) {
            kept.push((text, folded));
        }
    }
    for (between, around) in BETWEEN {
        out.push(joined(start, &kept, end, between, around, |text, _| text.to_owned()));
    }
    if start.1 || end.1 || kept.iter().any(|(_, folded)| *folded) {
        for all in [false, true] {
            let change = |text: &str, folded: bool| if folded { swapped(text, all) } else { text.to_owned() };
            out.push(joined(start, &kept, end, " ", "", change));
        }
    }
    out.dedup();
    out
}

fn joined(
    start: (&str, bool),
    inner: &[(&str, bool)],
    end: (&str, bool),
    between: &str,
    around: &str,
    change: impl Fn(&str, bool) -> String,
) -> String {
    let mut text = String::new();
    if start.0.is_empty() {
        text.push_str(around);
    }
    let parts = std::iter::once(&start).chain(inner).chain(std::iter::once(&end));
    for (i, (part, folded)) in parts.filter(|(part, _)| !part.is_empty()).enumerate() {
        if i > 0 {
            text.push_str(between);
        }
        text.push_str(&change(part, *folded));
    }
    if end.0.is_empty() {
        text.push_str(around);
    }
    text
}

/// The first letter, or all of them, in the other case.
fn swapped(text: &str, all: bool) -> String {
    let mut done = false;
    let change = |c: char| match other_case(c) {
        Some(other) if all || !done => {
            done = true;
            other
        }
        _ => c,
    };
    text.chars().map(change).collect()
}
