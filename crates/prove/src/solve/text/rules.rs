//! What needles alone say of two languages, without automata.
//!
//! In: two languages. Out: whether each text of the one is in the other, whether none is; or nothing.

use super::chars::is_uncased;
use super::lang::{Lang, Pieces, Subject};
use ruleferry_eval::text::{Network, fold};
use ruleferry_ir::GlobPart;
use std::borrow::Cow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// All of the first are in the second.
    Within,
    /// None is.
    Apart,
}

/// Whether texts that differ in case only are all in a language, or none.
fn ignores_case(lang: &Lang) -> bool {
    let plain = |text: &str| text.chars().all(is_uncased);
    match lang {
        Lang::Equals(n, f) | Lang::Contains(n, f) | Lang::Starts(n, f) | Lang::Ends(n, f) => *f || plain(n),
        Lang::Term { needle, folded, .. } => *folded || plain(needle),
        Lang::Glob(parts, f) => {
            *f || parts.iter().all(|p| match p {
                GlobPart::Text(t) => plain(t),
                GlobPart::Many | GlobPart::One => true,
            })
        }
        Lang::Regex(..) | Lang::Cidr(_) | Lang::Before(..) => false,
    }
}

/// How the texts of `p` stand to `q`; `None` where this does not tell.
pub(super) fn relation(p: &Lang, q: &Lang) -> Option<Relation> {
    if p == q {
        return Some(Relation::Within);
    }
    if let Some(known) = of_equal(p, q) {
        return Some(known);
    }
    if let Lang::Equals(..) = q {
        // A text that is not in `p` is apart from it; one that is, is one of many.
        return of_equal(q, p).filter(|r| *r == Relation::Apart);
    }
    match (p, q) {
        (Lang::Cidr(a), Lang::Cidr(b)) => {
            let (a, b) = (Network::parse(a)?, Network::parse(b)?);
            return if a.is_within(&b) {
                Some(Relation::Within)
            } else if a.last < b.first || b.last < a.first {
                Some(Relation::Apart)
            } else {
                None
            };
        }
        (Lang::Before(a, with_a), Lang::Before(b, with_b)) => {
            return (a < b || (a == b && (*with_b || !with_a))).then_some(Relation::Within);
        }
        _ => {}
    }
    if p.folded() && !ignores_case(q) {
        return None;
    }
    let pieces = p.pieces();
    let see = |text| if q.folded() && !p.folded() { Cow::Owned(fold(text)) } else { Cow::Borrowed(text) };
    let any = |test: &dyn Fn(&str) -> bool| all(&pieces).any(|t| test(&see(t)));
    let within = |yes: bool| yes.then_some(Relation::Within);
    match q {
        Lang::Contains(needle, _) => within(any(&|t| t.contains(needle.as_str()))),
        Lang::Starts(needle, _) => {
            let start = see(pieces.start?);
            if start.starts_with(needle.as_str()) {
                Some(Relation::Within)
            } else {
                (!needle.starts_with(&*start)).then_some(Relation::Apart)
            }
        }
        Lang::Ends(needle, _) => {
            let end = see(pieces.end?);
            if end.ends_with(needle.as_str()) {
                Some(Relation::Within)
            } else {
                (!needle.ends_with(&*end)).then_some(Relation::Apart)
            }
        }
        Lang::Term { needle, left, right, .. } => {
            let edges = match p {
                Lang::Term { left, right, .. } => (*left, *right),
                _ => (false, false),
            };
            let start = pieces.start.map(|t| (t, (true, false)));
            let end = pieces.end.map(|t| (t, (false, true)));
            let inner = pieces.inner.iter().map(|t| (*t, edges));
            let mut all = start.into_iter().chain(end).chain(inner);
            within(all.any(|(text, free)| has_term(&see(text), needle, (*left, *right), free)))
        }
        Lang::Equals(..) | Lang::Glob(..) | Lang::Regex(..) | Lang::Cidr(_) | Lang::Before(..) => None,
    }
}

/// Where `p` is one text (or one in all its cases): in `q` or not.
fn of_equal(p: &Lang, q: &Lang) -> Option<Relation> {
    let Lang::Equals(text, folded) = p else { return None };
    if *folded && !ignores_case(q) {
        return None;
    }
    let inside = q.holds(&Subject::new(text))?;
    Some(if inside { Relation::Within } else { Relation::Apart })
}

fn all<'p>(pieces: &'p Pieces<'p>) -> impl Iterator<Item = &'p str> {
    pieces.start.iter().chain(&pieces.end).chain(&pieces.inner).copied()
}

/// Whether a term stands in a piece of a text whatever stands around the piece. `free`: nothing alphanumeric is before, after it.
fn has_term(piece: &str, term: &str, (left, right): (bool, bool), free: (bool, bool)) -> bool {
    let border = |c: Option<char>, edge: bool| c.map_or(edge, |c| !c.is_alphanumeric());
    piece.char_indices().any(|(at, _)| {
        let (before, rest) = piece.split_at_checked(at).unwrap_or((piece, ""));
        rest.strip_prefix(term).is_some_and(|after| {
            (!left || border(before.chars().next_back(), free.0))
                && (!right || border(after.chars().next(), free.1))
        })
    })
}
