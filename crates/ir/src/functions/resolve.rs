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
    let names = all(kind).iter().filter(|d| !d.has(super::Flags::HIDDEN)).map(|d| d.name);
    let limit = (name.chars().count() / 3).clamp(1, 3);
    names.map(|n| (distance(name, n), n)).filter(|(d, _)| *d <= limit).min().map(|(_, n)| n)
}

/// Edit distance; case counts half as much as nothing, so letters that differ only in case are free.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    // Names are short; a megabyte of an unknown identifier must not cost a megabyte times the catalogue.
    for (i, x) in a.chars().flat_map(char::to_lowercase).take(64).enumerate() {
        let mut diagonal = std::mem::replace(row.first_mut().unwrap_or(&mut 0), i + 1);
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(&b) {
            let best = (diagonal + usize::from(x != *y)).min(*cell + 1).min(left + 1);
            diagonal = std::mem::replace(cell, best);
            left = best;
        }
    }
    row.last().copied().unwrap_or(0)
}
