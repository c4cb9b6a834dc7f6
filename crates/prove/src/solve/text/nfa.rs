//! Languages as automata over characters: Thompson's construction, with assertions between characters.
//!
//! In: a [`Lang`]. Out: an [`Nfa`], or why there is none (too large, not a regular language). States that ask for what stands
//! beside them ([`Look`]) are decided when both neighbours are known, so that `\b` of the whole of Unicode is no exception.

use super::chars::Set;
use super::lang::Lang;
use indexmap::IndexSet;
use regex_syntax::hir::{self, Class, Hir, HirKind};
use ruleferry_eval::text::as_in_re2;
use ruleferry_ir::GlobPart;
use rustc_hash::FxBuildHasher;

pub(super) type StateId = u32;

/// A pattern with more states than this is given up.
const MAX_STATES: usize = 8_000;
/// Ranges of all its sets: `\w{500}` has few states but would not compile in the evaluator.
const MAX_RANGES: usize = 100_000;

#[derive(Clone, Debug)]
pub(super) enum State {
    /// One character of the set of this number.
    Char(u32, StateId),
    Split(Box<[StateId]>),
    Look(Look, StateId),
    /// The whole text is in the language if it ends here; `true`: whatever follows.
    Match(bool),
}

/// What an assertion asks of the characters on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Of the syntax of regular expressions.
    Regex(hir::Look),
    /// No letter or digit before, after: the border of a term.
    TermStart,
    TermEnd,
}

#[derive(Clone, Debug)]
pub(super) struct Nfa {
    pub states: Vec<State>,
    pub sets: IndexSet<Set, FxBuildHasher>,
    pub start: StateId,
    /// Texts are folded before they are read: assertions look at the folded characters.
    pub folded: bool,
    /// The assertions in use.
    pub looks: Vec<Look>,
}

struct Builder {
    states: Vec<State>,
    sets: IndexSet<Set, FxBuildHasher>,
    ranges: usize,
    unfold: bool,
    looks: Vec<Look>,
}

type Built = Result<StateId, String>;

impl Nfa {
    pub fn new(lang: &Lang) -> Result<Self, String> {
        let mut b = Builder {
            states: Vec::new(),
            sets: IndexSet::default(),
            ranges: 0,
            unfold: lang.folded(),
            looks: Vec::new(),
        };
        let start = match lang {
            Lang::Equals(text, _) => {
                let end = b.add(State::Match(false))?;
                b.text(text, end)?
            }
            Lang::Starts(text, _) => {
                let end = b.add(State::Match(true))?;
                b.text(text, end)?
            }
            Lang::Contains(text, _) => {
                let end = b.add(State::Match(true))?;
                let found = b.text(text, end)?;
                b.any_before(found)?
            }
            Lang::Ends(text, _) => {
                let end = b.add(State::Match(false))?;
                let found = b.text(text, end)?;
                b.any_before(found)?
            }
            Lang::Term { needle, left, right, .. } => {
                let mut at = b.add(State::Match(true))?;
                if *right && needle.chars().next_back().is_some_and(char::is_alphanumeric) {
                    at = b.look(Look::TermEnd, at)?;
                }
                at = b.text(needle, at)?;
                if *left && needle.chars().next().is_some_and(char::is_alphanumeric) {
                    at = b.look(Look::TermStart, at)?;
                }
                b.any_before(at)?
            }
            Lang::Glob(parts, _) => {
                let open = matches!(parts.last(), Some(GlobPart::Many));
                let mut at = b.add(State::Match(open))?;
                for part in parts.iter().rev() {
                    at = match part {
                        GlobPart::Text(text) => b.text(text, at)?,
                        GlobPart::One => b.chars(Set::all(), at)?,
                        GlobPart::Many => b.any_before(at)?,
                    };
                }
                at
            }
            Lang::Regex(pattern, folding) => {
                let hir = regex_hir(pattern, *folding == crate::formula::Folding::Simple)?;
                b.unfold = *folding == crate::formula::Folding::Lower;
                let end = b.add(State::Match(true))?;
                let found = b.hir(&hir, end)?;
                b.any_before(found)?
            }
            Lang::Before(text, inclusive) => b.before(text, *inclusive)?,
            Lang::Cidr(_) => return Err("address ranges are no regular language".into()),
        };
        Ok(Self { states: b.states, sets: b.sets, start, folded: b.unfold, looks: b.looks })
    }
}

/// A pattern as the evaluator reads it.
pub(super) fn regex_hir(pattern: &str, ignore_case: bool) -> Result<Hir, String> {
    let parse = |pattern: &str| {
        let mut builder = regex_syntax::ParserBuilder::new();
        builder.case_insensitive(ignore_case).octal(true).build().parse(pattern).ok()
    };
    parse(pattern)
        .or_else(|| parse(&as_in_re2(pattern)))
        .ok_or_else(|| format!("`{pattern}` is not a valid regular expression"))
}

impl Builder {
    fn add(&mut self, state: State) -> Built {
        if self.states.len() >= MAX_STATES {
            return Err("a text pattern is too large".into());
        }
        self.states.push(state);
        u32::try_from(self.states.len() - 1).map_err(|_| "a text pattern is too large".into())
    }

    fn set(&mut self, state: StateId, to: State) {
        if let Some(place) = self.states.get_mut(state as usize) {
            *place = to;
        }
    }

    fn chars(&mut self, set: Set, next: StateId) -> Built {
        let set = if self.unfold { set.unfolded() } else { set };
        self.ranges += set.ranges().len();
        if self.ranges > MAX_RANGES {
            return Err("a text pattern is too large".into());
        }
        let (index, _) = self.sets.insert_full(set);
        self.add(State::Char(u32::try_from(index).unwrap_or(u32::MAX), next))
    }

    fn text(&mut self, text: &str, next: StateId) -> Built {
        let mut at = next;
        for c in text.chars().rev() {
            at = self.chars(Set::one(c), at)?;
        }
        Ok(at)
    }

    /// Any text, then `next`.
    fn any_before(&mut self, next: StateId) -> Built {
        let split = self.add(State::Split([].into()))?;
        let any = self.chars(Set::all(), split)?;
        self.set(split, State::Split([any, next].into()));
        Ok(split)
    }

    fn look(&mut self, look: Look, next: StateId) -> Built {
        if !self.looks.contains(&look) {
            self.looks.push(look);
        }
        self.add(State::Look(look, next))
    }

    /// Texts that come before `text` in the order of code points.
    fn before(&mut self, text: &str, inclusive: bool) -> Built {
        let ends = self.add(State::Match(false))?;
        let lower = self.add(State::Match(true))?;
        let nothing = self.add(State::Split([].into()))?;
        let mut at = if inclusive { ends } else { nothing };
        for c in text.chars().rev() {
            let same = self.chars(Set::one(c), at)?;
            let mut ways = vec![ends, same];
            if let Some(below) = (c as u32).checked_sub(1) {
                ways.push(self.chars(Set::of([(0, below)]), lower)?);
            }
            at = self.add(State::Split(ways.into()))?;
        }
        Ok(at)
    }

    fn hir(&mut self, hir: &Hir, next: StateId) -> Built {
        match hir.kind() {
            HirKind::Empty => Ok(next),
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => self.text(text, next),
                Err(_) => Err("a pattern over bytes".into()),
            },
            HirKind::Class(Class::Unicode(class)) => {
                let ranges = class.ranges().iter().map(|r| (r.start() as u32, r.end() as u32));
                self.chars(Set::of(ranges), next)
            }
            HirKind::Class(Class::Bytes(class)) => {
                let ranges: Vec<_> = class.ranges().iter().map(|r| (r.start(), r.end())).collect();
                if ranges.iter().any(|(_, end)| !end.is_ascii()) {
                    return Err("a pattern over bytes".into());
                }
                self.chars(Set::of(ranges.into_iter().map(|(a, b)| (a.into(), b.into()))), next)
            }
            HirKind::Look(look) => self.look(Look::Regex(*look), next),
            HirKind::Capture(capture) => self.hir(&capture.sub, next),
            HirKind::Concat(parts) => {
                let mut at = next;
                for part in parts.iter().rev() {
                    at = self.hir(part, at)?;
                }
                Ok(at)
            }
            HirKind::Alternation(parts) => {
                let mut ways = Vec::with_capacity(parts.len());
                for part in parts {
                    ways.push(self.hir(part, next)?);
                }
                self.add(State::Split(ways.into()))
            }
            HirKind::Repetition(repetition) => {
                let sub = &repetition.sub;
                let mut at = next;
                match repetition.max {
                    None => {
                        let split = self.add(State::Split([].into()))?;
                        let body = self.hir(sub, split)?;
                        self.set(split, State::Split([body, next].into()));
                        at = split;
                    }
                    Some(max) => {
                        for _ in repetition.min..max {
                            let body = self.hir(sub, at)?;
                            at = self.add(State::Split([body, next].into()))?;
                        }
                    }
                }
                for _ in 0..repetition.min {
                    let before = self.states.len();
                    at = self.hir(sub, at)?;
                    // `(){1000000000}`: nothing is repeated.
                    if self.states.len() == before {
                        break;
                    }
                }
                Ok(at)
            }
        }
    }
}
