//! Look-up by name: current names by binary search, then obsolete ones.

use super::aliases::{ALIASES, Alias};
use super::{FunctionDef, FunctionKind, ResultName, aggregates, plugins, scalars};

/// What else differs between an obsolete name and its current function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// Argument i of the current function is argument `order[i]` of the obsolete one.
    ArgumentOrder(&'static [usize]),
}

/// What a name in a query stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resolved {
    pub def: &'static FunctionDef,
    /// The name rule of the name as written, which an obsolete name can have of its own (`any(x)` makes `any_x`).
    pub result_name: ResultName,
    pub note: Option<Note>,
    /// Written under an obsolete or second name.
    pub alias: bool,
}

/// All functions of a kind, sorted by name.
pub const fn all(kind: FunctionKind) -> &'static [FunctionDef] {
    match kind {
        FunctionKind::Scalar => scalars::SCALARS,
        FunctionKind::Aggregate => aggregates::AGGREGATES,
        FunctionKind::Plugin => plugins::PLUGINS,
        FunctionKind::Tabular => plugins::TABULAR,
    }
}

/// The function with this current name.
pub fn find(name: &str, kind: FunctionKind) -> Option<&'static FunctionDef> {
    let table = all(kind);
    table.binary_search_by(|def| def.name.cmp(name)).ok().and_then(|i| table.get(i))
}

/// The function with this current name, whatever its kind (scalar before aggregate).
pub fn find_any(name: &str) -> Option<&'static FunctionDef> {
    FunctionKind::ALL.into_iter().find_map(|kind| find(name, kind))
}

/// The current function that an obsolete or second name means, if the meaning is really the same.
pub fn resolve_alias(name: &str, kind: FunctionKind) -> Option<Resolved> {
    let found = ALIASES.binary_search_by(|a| a.name.cmp(name).then(a.kind.cmp(&kind))).ok()?;
    let alias: &Alias = ALIASES.get(found)?;
    let def = find(alias.current, kind)?;
    Some(Resolved {
        def,
        result_name: alias.result_name.unwrap_or(def.result_name),
        note: alias.note,
        alias: true,
    })
}

/// The function that a name stands for, current or obsolete. Names are case-sensitive, as in Kusto.
pub fn resolve(name: &str, kind: FunctionKind) -> Option<Resolved> {
    let current =
        |def: &'static FunctionDef| Resolved { def, result_name: def.result_name, note: None, alias: false };
    find(name, kind).map(current).or_else(|| resolve_alias(name, kind))
}

/// The most alike name of a kind, for "did you mean"; `None` if nothing is close.
pub fn similar(name: &str, kind: FunctionKind) -> Option<&'static str> {
    closest(name, all(kind).iter().filter(|d| !d.has(super::Flags::HIDDEN)).map(|d| d.name))
}

/// The candidate most like a name, for "did you mean"; `None` if none is within a third of its letters.
/// Letters that differ only in case are the same. Of equally close ones the first in the alphabet.
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.chars().take(LONGEST + 1).flat_map(char::to_lowercase).collect();
    if wanted.len() > LONGEST {
        return None;
    }
    let mut limit = (wanted.len() / 3).clamp(1, 3);
    let mut best: Option<(usize, &str)> = None;
    let (plain, letters) = (name.is_ascii(), letters(name));
    for candidate in candidates {
        // Each letter more or less is an edit, and so is each letter that the other has nowhere.
        let apart = candidate.len().abs_diff(name.len());
        if apart > limit * 4 {
            continue;
        }
        let edits =
            if plain { apart.max((letters & !self::letters(candidate)).count_ones() as usize) } else { 0 };
        if edits > limit && candidate.is_ascii() {
            continue;
        }
        let Some(found) = distance(&wanted, candidate, limit) else { continue };
        if best.is_none_or(|b| (found, candidate) < b) {
            best = Some((found, candidate));
            limit = found;
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The ASCII letters and digits of a name as bits, without case.
fn letters(name: &str) -> u64 {
    name.bytes().fold(0, |bits, b| match b {
        b'0'..=b'9' => bits | 1 << (b - b'0'),
        b'a'..=b'z' => bits | 1 << (10 + b - b'a'),
        b'A'..=b'Z' => bits | 1 << (10 + b - b'A'),
        _ => bits,
    })
}

/// Names longer than this are no misspelling of anything.
const LONGEST: usize = 128;

/// The edit distance, if it is within the limit.
fn distance(wanted: &[char], candidate: &str, limit: usize) -> Option<usize> {
    let mut row: Vec<usize> = (0..=wanted.len()).collect();
    for (i, x) in candidate.chars().flat_map(char::to_lowercase).enumerate() {
        let mut left = i + 1;
        let mut diagonal = std::mem::replace(row.first_mut()?, left);
        let mut least = left;
        for (cell, y) in row.iter_mut().skip(1).zip(wanted) {
            left = (diagonal + usize::from(x != *y)).min(*cell + 1).min(left + 1);
            diagonal = std::mem::replace(cell, left);
            least = least.min(left);
        }
        if least > limit {
            return None;
        }
    }
    row.last().copied().filter(|d| *d <= limit)
}
