//! One language as a deterministic automaton, made state by state as it is walked.
//!
//! In: an [`Nfa`]. Out: states and what follows on a class of characters. The characters are parted into classes that the
//! language does not tell apart. What was found is kept for the next walk.

use super::chars::{ALPHANUMERIC, ASCII_WORD, Set, WORD};
use super::lang::ODD;
use super::nfa::{Look, Nfa, State, StateId};
use crate::solve::Budget;
use indexmap::{IndexMap, IndexSet};
use regex_syntax::hir;
use rustc_hash::{FxBuildHasher, FxHashMap};

/// A state that no text leads out of, to where the language is.
pub(super) const DEAD: u32 = 0;
/// Whatever follows, the text is in the language.
pub(super) const FULL: u32 = 1;
const FIRST: u32 = 2;
const NOT_YET: u32 = u32::MAX;

/// Transitions of one automaton, known and unknown.
const MAX_CELLS: usize = 4_000_000;

/// What an assertion may ask of a character, as bits.
mod flag {
    /// No character: the start or the end of the text.
    pub const EDGE: u8 = 1;
    pub const LINE_FEED: u8 = 2;
    pub const CARRIAGE_RETURN: u8 = 4;
    pub const ASCII_WORD: u8 = 8;
    pub const WORD: u8 = 16;
    pub const ALPHANUMERIC: u8 = 32;
}

/// States of the NFA that are to be read on from, sorted, and what stands before.
type Core = (Box<[StateId]>, u8);

#[derive(Debug)]
pub(super) struct Automaton {
    nfa: Nfa,
    /// Where a class begins; up to the next one.
    bounds: Box<[(u32, u16)]>,
    classes: usize,
    /// By class, then by set: whether the set has the class.
    members: Box<[bool]>,
    /// By class.
    flags: Box<[u8]>,
    cores: IndexSet<Core, FxBuildHasher>,
    next: Vec<u32>,
    accepts: Vec<Option<bool>>,
    start: u32,
    seen: Vec<bool>,
}

impl Automaton {
    pub fn new(nfa: Nfa) -> Result<Self, String> {
        let mut wanted = 0;
        for look in &nfa.looks {
            wanted |= asked(*look);
        }
        let known: [(u8, fn() -> Set); 5] = [
            (flag::LINE_FEED, || Set::one('\n')),
            (flag::CARRIAGE_RETURN, || Set::one('\r')),
            (flag::ASCII_WORD, || ASCII_WORD.clone()),
            (flag::WORD, || WORD.clone()),
            (flag::ALPHANUMERIC, || ALPHANUMERIC.clone()),
        ];
        let predicates: Vec<(u8, Set)> = known
            .into_iter()
            .filter(|(bit, _)| wanted & bit != 0)
            .map(|(bit, set)| (bit, if nfa.folded { set().unfolded() } else { set() }))
            .collect();
        let sets: Vec<&Set> = nfa.sets.iter().chain(predicates.iter().map(|(_, set)| set)).collect();
        let (bounds, signatures) = partition(&sets)?;
        let own = nfa.sets.len();
        let mut members = Vec::with_capacity(own * signatures.len());
        let mut flags = Vec::with_capacity(signatures.len());
        for signature in &signatures {
            members.extend((0..own).map(|set| signature.binary_search(&set).is_ok()));
            let bits = predicates.iter().enumerate().filter(|(i, _)| signature.contains(&(own + i)));
            flags.push(bits.fold(0, |all, (_, (bit, _))| all | bit));
        }
        let mut this = Self {
            seen: vec![false; nfa.states.len()],
            bounds: bounds.into(),
            classes: signatures.len(),
            members: members.into(),
            flags: flags.into(),
            cores: IndexSet::default(),
            next: Vec::new(),
            accepts: Vec::new(),
            start: DEAD,
            nfa,
        };
        // The places of `DEAD` and `FULL`.
        this.cores.insert(([].into(), 0));
        this.cores.insert(([].into(), u8::MAX));
        for state in [DEAD, FULL] {
            this.next.extend(std::iter::repeat_n(state, this.classes));
            this.accepts.push(Some(state == FULL));
        }
        this.start = this.state(&[this.nfa.start], flag::EDGE)?;
        Ok(this)
    }

    pub const fn start(&self) -> u32 {
        self.start
    }

    pub fn bounds(&self) -> &[(u32, u16)] {
        &self.bounds
    }

    pub fn class(&self, c: char) -> u16 {
        let at = self.bounds.partition_point(|(start, _)| *start <= c as u32);
        at.checked_sub(1).and_then(|i| self.bounds.get(i)).map_or(0, |(_, class)| *class)
    }

    /// What follows a state on a class. `Err`: the automaton grows too large, or the budget ends.
    pub fn next(&mut self, state: u32, class: u16, budget: &mut Budget) -> Result<u32, String> {
        let cell = state as usize * self.classes + usize::from(class);
        match self.next.get(cell) {
            Some(next) if *next != NOT_YET => return Ok(*next),
            _ => {}
        }
        let Some((core, before)) = self.cores.get_index(state as usize).cloned() else { return Ok(DEAD) };
        budget.spend(1 + core.len() as u64)?;
        let flags = self.flags.get(usize::from(class)).copied().unwrap_or(0);
        let mut reached = Vec::new();
        let mut open = false;
        self.closure(
            &core,
            before,
            flags,
            |state, members| match state {
                State::Char(set, next) => {
                    if members.get(*set as usize) == Some(&true) {
                        reached.push(*next);
                    }
                }
                State::Match(true) => open = true,
                State::Match(false) | State::Split(_) | State::Look(..) => {}
            },
            class,
        );
        let next = if open { FULL } else { self.state(&reached, flags)? };
        if let Some(place) = self.next.get_mut(cell) {
            *place = next;
        }
        Ok(next)
    }

    /// Whether a text may end in a state.
    pub fn accepts(&mut self, state: u32) -> bool {
        if let Some(Some(known)) = self.accepts.get(state as usize) {
            return *known;
        }
        let Some((core, before)) = self.cores.get_index(state as usize).cloned() else { return false };
        let mut found = false;
        self.closure(&core, before, flag::EDGE, |state, _| found |= matches!(state, State::Match(_)), 0);
        if let Some(place) = self.accepts.get_mut(state as usize) {
            *place = Some(found);
        }
        found
    }

    /// Whether a text is in the language.
    pub fn matches(&mut self, text: &str, budget: &mut Budget) -> Result<bool, String> {
        let mut state = self.start;
        for c in text.chars() {
            budget.spend(1)?;
            state = self.next(state, self.class(c), budget)?;
            if state == DEAD || state == FULL {
                break;
            }
        }
        Ok(self.accepts(state))
    }

    /// The state of what was reached: splits followed, assertions left open.
    fn state(&mut self, reached: &[StateId], before: u8) -> Result<u32, String> {
        let mut stack: Vec<StateId> = reached.to_vec();
        let mut visited = Vec::new();
        let mut core = Vec::new();
        let mut open = false;
        while let Some(id) = stack.pop() {
            if !std::mem::replace(self.seen.get_mut(id as usize).unwrap_or(&mut true), true) {
                visited.push(id);
                match self.nfa.states.get(id as usize) {
                    Some(State::Split(ways)) => stack.extend_from_slice(ways),
                    Some(State::Match(true)) => open = true,
                    Some(State::Match(false) | State::Char(..) | State::Look(..)) => core.push(id),
                    None => {}
                }
            }
        }
        for id in visited {
            if let Some(place) = self.seen.get_mut(id as usize) {
                *place = false;
            }
        }
        if open {
            return Ok(FULL);
        }
        if core.is_empty() {
            return Ok(DEAD);
        }
        core.sort_unstable();
        let (index, new) = self.cores.insert_full((core.into(), before));
        if new {
            if self.next.len() + self.classes > MAX_CELLS {
                return Err("a text pattern has too many states".into());
            }
            self.next.extend(std::iter::repeat_n(NOT_YET, self.classes));
            self.accepts.push(None);
        }
        debug_assert!(index >= FIRST as usize, "the first states are taken");
        u32::try_from(index).map_err(|_| "a text pattern has too many states".into())
    }

    /// Shows every state that is reached without a character, with both neighbours known.
    fn closure(
        &mut self,
        core: &[StateId],
        before: u8,
        after: u8,
        mut show: impl FnMut(&State, &[bool]),
        class: u16,
    ) {
        let own = self.nfa.sets.len();
        let from = usize::from(class) * own;
        let members = self.members.get(from..from + own).unwrap_or_default();
        let mut visited = Vec::new();
        let mut stack = core.to_vec();
        while let Some(id) = stack.pop() {
            if std::mem::replace(self.seen.get_mut(id as usize).unwrap_or(&mut true), true) {
                continue;
            }
            visited.push(id);
            let Some(state) = self.nfa.states.get(id as usize) else { continue };
            match state {
                State::Split(ways) => stack.extend_from_slice(ways),
                State::Look(look, next) => {
                    if holds(*look, before, after) {
                        stack.push(*next);
                    }
                }
                State::Char(..) | State::Match(_) => show(state, members),
            }
        }
        for id in visited {
            if let Some(place) = self.seen.get_mut(id as usize) {
                *place = false;
            }
        }
    }
}

/// The properties that an assertion looks at.
fn asked(look: Look) -> u8 {
    match look {
        Look::TermStart | Look::TermEnd => flag::ALPHANUMERIC,
        Look::Regex(look) => match look {
            hir::Look::Start | hir::Look::End => 0,
            hir::Look::StartLF | hir::Look::EndLF => flag::LINE_FEED,
            hir::Look::StartCRLF | hir::Look::EndCRLF => flag::LINE_FEED | flag::CARRIAGE_RETURN,
            hir::Look::WordAscii
            | hir::Look::WordAsciiNegate
            | hir::Look::WordStartAscii
            | hir::Look::WordEndAscii
            | hir::Look::WordStartHalfAscii
            | hir::Look::WordEndHalfAscii => flag::ASCII_WORD,
            hir::Look::WordUnicode
            | hir::Look::WordUnicodeNegate
            | hir::Look::WordStartUnicode
            | hir::Look::WordEndUnicode
            | hir::Look::WordStartHalfUnicode
            | hir::Look::WordEndHalfUnicode => flag::WORD,
        },
    }
}

fn holds(look: Look, before: u8, after: u8) -> bool {
    let has = |flags: u8, bit: u8| flags & bit != 0;
    let look = match look {
        Look::TermStart => return !has(before, flag::ALPHANUMERIC),
        Look::TermEnd => return !has(after, flag::ALPHANUMERIC),
        Look::Regex(look) => look,
    };
    let ascii = (has(before, flag::ASCII_WORD), has(after, flag::ASCII_WORD));
    let unicode = (has(before, flag::WORD), has(after, flag::WORD));
    match look {
        hir::Look::Start => has(before, flag::EDGE),
        hir::Look::End => has(after, flag::EDGE),
        hir::Look::StartLF => has(before, flag::EDGE | flag::LINE_FEED),
        hir::Look::EndLF => has(after, flag::EDGE | flag::LINE_FEED),
        hir::Look::StartCRLF => {
            has(before, flag::EDGE | flag::LINE_FEED)
                || (has(before, flag::CARRIAGE_RETURN) && !has(after, flag::LINE_FEED))
        }
        hir::Look::EndCRLF => {
            has(after, flag::EDGE | flag::CARRIAGE_RETURN)
                || (has(after, flag::LINE_FEED) && !has(before, flag::CARRIAGE_RETURN))
        }
        hir::Look::WordAscii => ascii.0 != ascii.1,
        hir::Look::WordAsciiNegate => ascii.0 == ascii.1,
        hir::Look::WordUnicode => unicode.0 != unicode.1,
        hir::Look::WordUnicodeNegate => unicode.0 == unicode.1,
        hir::Look::WordStartAscii => !ascii.0 && ascii.1,
        hir::Look::WordEndAscii => ascii.0 && !ascii.1,
        hir::Look::WordStartUnicode => !unicode.0 && unicode.1,
        hir::Look::WordEndUnicode => unicode.0 && !unicode.1,
        hir::Look::WordStartHalfAscii => !ascii.0,
        hir::Look::WordEndHalfAscii => !ascii.1,
        hir::Look::WordStartHalfUnicode => !unicode.0,
        hir::Look::WordEndHalfUnicode => !unicode.1,
    }
}

/// Bounds of the classes that no set tells apart, and for each class the sets that have it, sorted.
type Partition = (Vec<(u32, u16)>, Vec<Box<[usize]>>);

fn partition(sets: &[&Set]) -> Result<Partition, String> {
    // Where a set begins to hold a character, or no longer does.
    let mut turns: Vec<(u32, usize)> = Vec::new();
    for (i, set) in sets.iter().enumerate() {
        for (start, end) in set.ranges() {
            turns.push((*start, i));
            if *end < char::MAX as u32 {
                turns.push((end + 1, i));
            }
        }
    }
    turns.sort_unstable();
    let mut known: FxHashMap<Box<[usize]>, u16> = FxHashMap::default();
    let mut signatures: Vec<Box<[usize]>> = Vec::new();
    let mut bounds: Vec<(u32, u16)> = Vec::new();
    let mut current: Vec<usize> = Vec::new();
    let mut at = 0;
    let mut turns = turns.into_iter().peekable();
    loop {
        while let Some((_, set)) = turns.next_if(|(c, _)| *c <= at) {
            match current.binary_search(&set) {
                Ok(i) => {
                    current.remove(i);
                }
                Err(i) => current.insert(i, set),
            }
        }
        let class = match known.get(current.as_slice()) {
            Some(class) => *class,
            None => {
                let class =
                    u16::try_from(signatures.len()).map_err(|_| "a text pattern has too many classes")?;
                let signature: Box<[usize]> = current.as_slice().into();
                signatures.push(signature.clone());
                known.insert(signature, class);
                class
            }
        };
        if bounds.last().is_none_or(|(_, before)| *before != class) {
            bounds.push((at, class));
        }
        match turns.peek() {
            Some((next, _)) => at = *next,
            None => return Ok((bounds, signatures)),
        }
    }
}

/// One character of each class of several automata together: the alphabet of their product.
pub(super) struct Alphabet {
    /// The most readable character of each.
    pub symbols: Vec<char>,
    /// By symbol, then by automaton.
    pub classes: Vec<u16>,
}

/// The most readable first.
const READABLE: [(char, char); 9] = [
    ('a', 'z'),
    ('0', '9'),
    ('A', 'Z'),
    ('-', '_'),
    (' ', '~'),
    ('¡', 'ÿ'),
    ('Ā', '\u{D7FF}'),
    ('\u{10000}', '\u{E0000}'),
    ('\0', char::MAX),
];

fn most_readable(start: u32, end: u32, odd: bool) -> Option<(usize, char)> {
    let usable = |c: &char| odd || !ODD.contains(c);
    READABLE.iter().enumerate().find_map(|(rank, (first, last))| {
        let from = start.max(*first as u32);
        let to = end.min(*last as u32);
        (from <= to).then(|| (from..=to).filter_map(char::from_u32).find(usable)).flatten().map(|c| (rank, c))
    })
}

impl Alphabet {
    /// `odd`: texts may hold the letters of [`ODD`].
    pub fn new(automata: &[&Automaton], odd: bool) -> Self {
        let mut starts: Vec<u32> =
            automata.iter().flat_map(|a| a.bounds().iter().map(|(start, _)| *start)).collect();
        starts.sort_unstable();
        starts.dedup();
        let mut found: IndexMap<Box<[u16]>, (usize, char), FxBuildHasher> = IndexMap::default();
        let mut places = vec![0usize; automata.len()];
        let mut tuple: Vec<u16> = vec![0; automata.len()];
        for (i, start) in starts.iter().enumerate() {
            let end = starts.get(i + 1).map_or(char::MAX as u32, |next| next - 1);
            for ((automaton, place), class) in automata.iter().zip(&mut places).zip(&mut tuple) {
                while automaton.bounds().get(*place + 1).is_some_and(|(next, _)| next <= start) {
                    *place += 1;
                }
                *class = automaton.bounds().get(*place).map_or(0, |(_, class)| *class);
            }
            let Some(readable) = most_readable(*start, end, odd) else { continue };
            match found.get_mut(tuple.as_slice()) {
                Some(known) => *known = readable.min(*known),
                None => {
                    found.insert(tuple.as_slice().into(), readable);
                }
            }
        }
        found.sort_by(|_, a, _, b| a.cmp(b));
        let symbols = found.values().map(|(_, c)| *c).collect();
        Self { symbols, classes: found.keys().flat_map(|classes| classes.iter().copied()).collect() }
    }
}
