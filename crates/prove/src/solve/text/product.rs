//! The shortest text that is in some languages and not in others.
//!
//! In: automata with what is wanted of each. Out: a text, or that there is none. Only those states of the product are made
//! that a breadth-first walk comes to.

use super::automaton::{Alphabet, Automaton, DEAD, FULL};
use crate::solve::Budget;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

/// States of one product.
const MAX_STATES: usize = 30_000;

pub(super) enum Found {
    Text(String),
    /// There is none.
    Nothing,
}

/// `wanted`: whether the text is to be in the language. `nonempty`: the empty text does not count.
/// `odd`: texts may hold letters that languages fold in different ways.
pub(super) fn shortest(
    automata: &mut [(&mut Automaton, bool)],
    nonempty: bool,
    odd: bool,
    most: usize,
    budget: &mut Budget,
) -> Result<Found, String> {
    let alphabet = Alphabet::new(&automata.iter().map(|(a, _)| &**a).collect::<Vec<_>>(), odd);
    let width = automata.len();
    budget.spend(alphabet.classes.len() as u64)?;
    // Each state with the one before it and the character that led here.
    let mut states: IndexMap<Box<[u32]>, (usize, char), FxBuildHasher> = IndexMap::default();
    let start: Box<[u32]> = automata.iter().map(|(a, _)| a.start()).collect();
    if automata.iter().zip(&start).any(|((_, wanted), state)| lost(*state, *wanted)) {
        return Ok(Found::Nothing);
    }
    states.insert(start, (usize::MAX, '\0'));
    let mut at = 0;
    let mut state: Vec<u32> = Vec::with_capacity(width);
    let mut next: Vec<u32> = Vec::with_capacity(width);
    while let Some((current, _)) = states.get_index(at) {
        state.clear();
        state.extend_from_slice(current);
        let mut accepted = at > 0 || !nonempty;
        for ((automaton, wanted), s) in automata.iter_mut().zip(&state) {
            accepted = accepted && automaton.accepts(*s) == *wanted;
        }
        if accepted {
            return Ok(Found::Text(text_to(&states, at)));
        }
        // Only a state that nothing leads out of is its own successor here: others remember that nothing stands before them.
        // A text of one character that leads back to it is not the empty one.
        let back = nonempty && at == 0;
        for (symbol, c) in alphabet.symbols.iter().enumerate() {
            budget.spend(width as u64)?;
            let classes = alphabet.classes.get(symbol * width..).unwrap_or_default();
            next.clear();
            for (((automaton, wanted), s), class) in automata.iter_mut().zip(&state).zip(classes) {
                let to = automaton.next(*s, *class, budget)?;
                if lost(to, *wanted) {
                    break;
                }
                next.push(to);
            }
            if next.len() < width {
                continue;
            }
            if !states.contains_key(next.as_slice()) {
                if states.len() >= most.min(MAX_STATES) {
                    return Err("the text patterns have too many states together".into());
                }
                states.insert(next.as_slice().into(), (at, *c));
            } else if back && next == state {
                let mut all = true;
                for ((automaton, wanted), s) in automata.iter_mut().zip(&next) {
                    all = all && automaton.accepts(*s) == *wanted;
                }
                if all {
                    return Ok(Found::Text(c.to_string()));
                }
            }
        }
        at += 1;
    }
    Ok(Found::Nothing)
}

/// No text that goes on from here will do.
const fn lost(state: u32, wanted: bool) -> bool {
    if wanted { state == DEAD } else { state == FULL }
}

fn text_to(states: &IndexMap<Box<[u32]>, (usize, char), FxBuildHasher>, state: usize) -> String {
    let mut chars = Vec::new();
    let mut at = state;
    while let Some((_, (before, c))) = states.get_index(at) {
        if *before == usize::MAX {
            break;
        }
        chars.push(*c);
        at = *before;
    }
    chars.iter().rev().collect()
}
