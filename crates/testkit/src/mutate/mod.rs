//! Edits of rule texts: those that change the meaning (mutants) and those that keep it (rewrites).
//!
//! In: the text of a rule. Out: [`Edit`]s, each with its kind. They work on the text as an author does, so that nothing of
//! the IR is presumed; a mutant that does not read or lift is not one.

pub mod judge;
mod kql;
mod sigma;

pub use kql::{mutants as kql_mutants, rewrites as kql_rewrites};
pub use sigma::{mutants as sigma_mutants, rewrites as sigma_rewrites};

use crate::random::Random;

/// Another text for a rule, and what was done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub kind: &'static str,
    pub text: String,
}

/// Replacements in one text, made from back to front.
#[derive(Clone, Debug, Default)]
struct Patch {
    kind: &'static str,
    parts: Vec<(usize, usize, String)>,
}

impl Patch {
    fn one(kind: &'static str, start: usize, end: usize, text: impl Into<String>) -> Self {
        Self { kind, parts: vec![(start, end, text.into())] }
    }

    fn apply(mut self, text: &str) -> Edit {
        self.parts.sort_by_key(|p| std::cmp::Reverse(p.0));
        let mut out = text.to_owned();
        for (start, end, with) in self.parts {
            out.replace_range(start..end, &with);
        }
        Edit { kind: self.kind, text: out }
    }
}

/// At most `most` of the edits, spread over the kinds; the same ones each time.
pub fn some(mut edits: Vec<Edit>, most: usize, seed: &str) -> Vec<Edit> {
    let mut random = Random::of(seed, 7);
    edits.dedup();
    let mut chosen: Vec<Edit> = Vec::new();
    while chosen.len() < most && !edits.is_empty() {
        let mut kinds: Vec<&str> = edits.iter().map(|e| e.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        // The kind that was taken least often.
        let fewest = kinds.iter().map(|k| chosen.iter().filter(|c| c.kind == *k).count()).min().unwrap_or(0);
        let rare: Vec<&str> =
            kinds.into_iter().filter(|k| chosen.iter().filter(|c| c.kind == *k).count() == fewest).collect();
        let kind = *random.pick(&rare);
        let places: Vec<usize> = (0..edits.len()).filter(|i| edits[*i].kind == kind).collect();
        chosen.push(edits.swap_remove(*random.pick(&places)));
    }
    chosen
}

/// A text with another character in its middle, and one without its last: `None` where there is too little of it. `\` and
/// what follows stay together.
fn changed(content: &str) -> Vec<(&'static str, String)> {
    let chars: Vec<char> = content.chars().collect();
    let mut out = Vec::new();
    let escaped = |i: usize| i > 0 && chars[i - 1] == '\\';
    if let Some(i) =
        (chars.len() / 2..chars.len()).find(|i| chars[*i].is_ascii_alphanumeric() && !escaped(*i))
    {
        let other = if chars[i] == 'q' { 'x' } else { 'q' };
        out.push((
            "literal",
            chars.iter().enumerate().map(|(n, c)| if n == i { other } else { *c }).collect(),
        ));
    }
    if chars.len() > 1 && chars[chars.len() - 1].is_ascii_alphanumeric() && !escaped(chars.len() - 1) {
        out.push(("literal-shorter", chars[..chars.len() - 1].iter().collect()));
    }
    if let Some(at) = content.find(r"\\") {
        let mut text = content.to_owned();
        text.replace_range(at..at + 2, "");
        out.push(("escape", text));
    }
    if let Some(at) = content.find('*') {
        let mut text = content.to_owned();
        text.replace_range(at..=at, "");
        out.push(("wildcard", text));
    }
    out
}
