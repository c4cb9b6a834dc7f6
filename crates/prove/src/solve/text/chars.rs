//! Sets of characters, and which characters fold to which.
//!
//! In: ranges. Out: sets in one form (sorted, apart, surrogates left out), their complements and preimages under folding.

use ruleferry_eval::text::fold_char;
use rustc_hash::FxHashMap;
use std::sync::LazyLock;

/// Inclusive ranges of scalar values, sorted and not touching each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Set(Box<[(u32, u32)]>);

const LAST: u32 = char::MAX as u32;
/// No character is cased or alphanumeric from here on (a test looks through all of them).
const CASED_END: u32 = 0x2_0000;
const ALPHANUMERIC_END: u32 = 0x4_0000;

impl Set {
    pub fn of(ranges: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut sorted: Vec<(u32, u32)> = ranges.into_iter().filter(|(a, b)| a <= b).collect();
        sorted.sort_unstable();
        let mut out: Vec<(u32, u32)> = Vec::with_capacity(sorted.len());
        for (start, end) in sorted {
            match out.last_mut() {
                Some(last) if start <= last.1.saturating_add(1) => last.1 = last.1.max(end),
                _ => out.push((start, end)),
            }
        }
        Self(out.into())
    }

    pub fn all() -> Self {
        Self::of([(0, LAST)])
    }

    pub fn one(c: char) -> Self {
        Self::of([(c as u32, c as u32)])
    }

    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.0
    }

    pub fn contains(&self, c: char) -> bool {
        let c = c as u32;
        let at = self.0.partition_point(|(_, end)| *end < c);
        self.0.get(at).is_some_and(|(start, _)| *start <= c)
    }

    /// The characters that fold to one of these.
    pub fn unfolded(&self) -> Self {
        // Most sets are one character of a needle.
        if let [(a, b)] = *self.0
            && a == b
            && let Some(c) = char::from_u32(a)
        {
            return Self::of(preimage(c).into_iter().map(|c| (c as u32, c as u32)));
        }
        if *self.0 == [(0, LAST)] {
            return self.clone();
        }
        let mut add = Vec::new();
        let mut remove = Vec::new();
        for (c, folded) in &FOLDS.changed {
            match (self.contains(*folded), self.contains(*c)) {
                (true, false) => add.push((*c as u32, *c as u32)),
                (false, true) => remove.push(*c as u32),
                (true, true) | (false, false) => {}
            }
        }
        let mut kept = Vec::with_capacity(self.0.len());
        let mut gaps = remove.into_iter().peekable();
        for (start, end) in &self.0 {
            let mut from = *start;
            while let Some(gap) = gaps.next_if(|g| g <= end) {
                if gap > from {
                    kept.push((from, gap - 1));
                }
                from = gap + 1;
            }
            kept.push((from, *end));
        }
        Self::of(kept.into_iter().chain(add))
    }
}

/// Characters that a fold changes, sorted, and what folds to a character that others fold to.
struct Folds {
    changed: Vec<(char, char)>,
    back: FxHashMap<char, Vec<char>>,
}

static FOLDS: LazyLock<Folds> = LazyLock::new(|| {
    let mut changed = Vec::new();
    let mut back: FxHashMap<char, Vec<char>> = FxHashMap::default();
    for c in (0..CASED_END).filter_map(char::from_u32) {
        let folded = fold_char(c);
        if folded != c {
            changed.push((c, folded));
            back.entry(folded).or_default().push(c);
        }
    }
    Folds { changed, back }
});

/// The characters that fold to `c`; none where `c` itself folds to another.
fn preimage(c: char) -> Vec<char> {
    let mut out = Vec::new();
    match c {
        'a'..='z' => {
            out.extend([c, c.to_ascii_uppercase()]);
            // KELVIN SIGN and LATIN CAPITAL LETTER I WITH DOT ABOVE
            match c {
                'k' => out.push('\u{212A}'),
                'i' => out.push('\u{130}'),
                _ => {}
            }
        }
        'A'..='Z' => {}
        c if c.is_ascii() => out.push(c),
        c => {
            if fold_char(c) == c {
                out.push(c);
            }
            out.extend(FOLDS.back.get(&c).into_iter().flatten());
        }
    }
    out
}

/// Whether only `c` itself folds to `c`.
pub(crate) fn is_uncased(c: char) -> bool {
    if c.is_ascii() { !c.is_ascii_alphabetic() } else { preimage(c) == [c] }
}

/// Another character that folds to the same.
pub(crate) fn other_case(c: char) -> Option<char> {
    let upper = c.to_uppercase().next().filter(|u| *u != c && fold_char(*u) == c);
    upper.or_else(|| Some(fold_char(c)).filter(|f| *f != c))
}

/// `char::is_alphanumeric`
pub(crate) static ALPHANUMERIC: LazyLock<Set> = LazyLock::new(|| {
    let chars = (0..ALPHANUMERIC_END).filter_map(char::from_u32);
    Set::of(chars.filter(|c| c.is_alphanumeric()).map(|c| (c as u32, c as u32)))
});

/// `\w` of the regex syntax.
pub(crate) static WORD: LazyLock<Set> = LazyLock::new(|| {
    let hir = regex_syntax::parse(r"\w");
    match hir.as_ref().map(regex_syntax::hir::Hir::kind) {
        Ok(regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(class))) => {
            Set::of(class.ranges().iter().map(|r| (r.start() as u32, r.end() as u32)))
        }
        _ => Set::default(),
    }
});

pub(crate) static ASCII_WORD: LazyLock<Set> = LazyLock::new(|| {
    Set::of([('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')].map(|(a, b)| (a as u32, b as u32)))
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_know_every_character() {
        for c in (0..=LAST).filter_map(char::from_u32) {
            assert!(preimage(fold_char(c)).contains(&c), "{c:?}");
            assert_eq!(fold_char(fold_char(c)), fold_char(c), "{c:?}");
            assert_eq!(ALPHANUMERIC.contains(c), c.is_alphanumeric(), "{c:?}");
            assert_eq!(fold_char(c).is_alphanumeric(), c.is_alphanumeric(), "{c:?}");
            if fold_char(c) != c {
                assert!(!is_uncased(c) && !is_uncased(fold_char(c)), "{c:?}");
            }
        }
        for c in (0..=LAST).filter_map(char::from_u32) {
            assert!(preimage(c).iter().all(|p| fold_char(*p) == c), "{c:?}");
        }
        assert!(WORD.contains('é') && WORD.contains('_') && !WORD.contains('-'));
    }

    #[test]
    fn preimages_of_sets() {
        let set = Set::of([(0, LAST)]);
        assert_eq!(set.unfolded(), set);
        let lower = Set::of([('a' as u32, 'z' as u32)]).unfolded();
        for c in ['a', 'Z', '\u{212A}', 'İ'] {
            assert!(lower.contains(c), "{c}");
        }
        let upper = Set::of([('A' as u32, 'Z' as u32)]).unfolded();
        assert!(upper.ranges().is_empty());
        let most = Set::of([(0, 'A' as u32 - 1), ('B' as u32, LAST)]).unfolded();
        assert!(most.contains('A') && most.contains('a') && most.contains('B'));
    }
}
