//! The value of one term: whether some value, or none, meets all tests of it.
//!
//! In: the tests of a term and whether each is to hold. Out: a value, or small sets of the tests that exclude each other.
//! A term of unknown type may hold a value of any kind; each is tried.

use super::Budget;
use super::encode::Test;
use super::region::{self, Space};
use super::text::{Decided, Texts};
use crate::term::Constant;
use ruleferry_ir::{CompareOp, Type};

/// A value for the term. `Some(None)`: missing; `None`: any that is there.
pub(super) type Choice = Option<Option<Constant>>;

pub(super) enum Checked {
    Value(Choice),
    /// Sets of tests, by their places, that exclude each other; whether automata were compared for it.
    Never(Vec<Vec<usize>>, bool),
    Unknown(String),
}

/// What is known of a term besides its tests.
#[derive(Clone, Copy)]
pub(super) struct About {
    pub ty: Type,
    /// All its values are of the type. Else a number may be one of another type.
    pub exact: bool,
    /// The empty text is no value of it.
    pub nonempty: bool,
}

struct Sorted<'t> {
    /// By place among all tests.
    texts: Vec<(usize, super::text::LangId, bool)>,
    text_values: Vec<(usize, super::text::LangId, bool)>,
    values: Vec<(usize, CompareOp, &'t Constant, bool)>,
    missing: Option<(usize, bool)>,
    /// A test that only a value meets.
    present: Option<usize>,
}

fn sorted<'t>(tests: &[(&'t Test, bool)]) -> Sorted<'t> {
    let mut out = Sorted { texts: vec![], text_values: vec![], values: vec![], missing: None, present: None };
    for (i, (test, holds)) in tests.iter().enumerate() {
        match test {
            Test::Missing(_) => out.missing = Some((i, *holds)),
            Test::Text(_, lang) => out.texts.push((i, *lang, *holds)),
            Test::TextValue(_, lang) => out.text_values.push((i, *lang, *holds)),
            Test::Value(_, op, constant) => out.values.push((i, *op, constant, *holds)),
            Test::Free(_) => {}
        }
        let needs_value = matches!(test, Test::Missing(_)) != *holds;
        if needs_value && !matches!(test, Test::Free(_)) {
            out.present.get_or_insert(i);
        }
    }
    out
}

pub(super) fn check(
    tests: &[(&Test, bool)],
    about: About,
    texts: &mut Texts,
    budget: &mut Budget,
) -> Checked {
    let sorted = sorted(tests);
    if let Some((place, true)) = sorted.missing {
        return match sorted.present {
            Some(other) => Checked::Never(vec![vec![place, other]], false),
            None => Checked::Value(Some(None)),
        };
    }
    match present(&sorted, about, texts, budget) {
        Checked::Never(cores, automata) => match sorted.present {
            // No value meets them; no value at all does.
            None => Checked::Value(Some(None)),
            Some(present) => {
                let needs_value = |core: &[usize]| {
                    core.iter().any(|i| {
                        tests.get(*i).is_some_and(|(test, holds)| matches!(test, Test::Missing(_)) != *holds)
                    })
                };
                let completed = cores.into_iter().map(|mut core| {
                    if !needs_value(&core) {
                        core.push(present);
                    }
                    core
                });
                Checked::Never(completed.collect(), automata)
            }
        },
        other @ (Checked::Value(_) | Checked::Unknown(_)) => other,
    }
}

/// The same where the term has a value.
fn present(sorted: &Sorted<'_>, about: About, texts: &mut Texts, budget: &mut Budget) -> Checked {
    let as_text = |with: &[(usize, super::text::LangId, bool)], texts: &mut Texts, budget: &mut Budget| {
        let all: Vec<_> = sorted.texts.iter().chain(with).collect();
        let tests: Vec<_> = all.iter().map(|(_, lang, holds)| (*lang, *holds)).collect();
        match texts.decide(&tests, about.nonempty, budget) {
            Decided::Never(cores, automata) => {
                let places = |core: Vec<usize>| {
                    core.into_iter().filter_map(|i| all.get(i).map(|(place, ..)| *place)).collect()
                };
                Decided::Never(cores.into_iter().map(places).collect(), automata)
            }
            other @ (Decided::Text(_) | Decided::Unknown(_)) => other,
        }
    };
    if about.ty == Type::String {
        return match as_text(&sorted.text_values, texts, budget) {
            Decided::Text(text) => Checked::Value(Some(Some(Constant::String(text.into())))),
            Decided::Never(cores, automata) => Checked::Never(cores, automata),
            Decided::Unknown(reason) => Checked::Unknown(reason),
        };
    }
    // The text of a value of another type: taken as independent of the value, which can only allow more.
    let mut shown: Option<String> = None;
    if !sorted.texts.is_empty() {
        match as_text(&[], texts, budget) {
            Decided::Text(text) => shown = Some(text),
            Decided::Never(cores, automata) => return Checked::Never(cores, automata),
            Decided::Unknown(reason) => return Checked::Unknown(reason),
        }
    }
    let wants_value = sorted.values.iter().any(|(.., holds)| *holds);
    let wants_text = sorted.text_values.iter().find(|(.., holds)| *holds).map(|(i, ..)| *i);
    let spaces: &[Space] = match about.ty {
        Type::Int | Type::Long | Type::Real | Type::Decimal if !about.exact => {
            &[Space::Long, Space::Real, Space::Decimal]
        }
        Type::Bool => &[Space::Bool],
        Type::Int | Type::Long => &[Space::Long],
        Type::Real => &[Space::Real],
        Type::Decimal => &[Space::Decimal],
        Type::Datetime => &[Space::Datetime],
        Type::Timespan => &[Space::Timespan],
        Type::Guid => &[Space::Guid],
        Type::String => &[],
        Type::Dynamic => &[Space::Long, Space::Real, Space::Bool, Space::Datetime, Space::Timespan],
        Type::Unknown => &[
            Space::Long,
            Space::Real,
            Space::Bool,
            Space::Datetime,
            Space::Timespan,
            Space::Decimal,
            Space::Guid,
        ],
    };
    let any_kind = matches!(about.ty, Type::Dynamic | Type::Unknown);
    let mut core: Vec<usize> = Vec::new();
    let mut automata = false;
    // A dynamic value compares with a guid or a decimal by its text, with a constant of JSON in its own way: not decided here.
    let free = |constant: &Constant| {
        matches!(constant, Constant::Dynamic(_))
            || (any_kind && matches!(constant, Constant::Guid(_) | Constant::Decimal(_)))
    };
    if any_kind {
        let plain: Option<usize> =
            sorted.values.iter().find(|(_, _, c, holds)| *holds && !free(c)).map(|(i, ..)| *i);
        match plain {
            Some(place) => core.push(place),
            None => match as_text(&sorted.text_values, texts, budget) {
                Decided::Text(text) => {
                    let tested = !sorted.texts.is_empty() || !sorted.text_values.is_empty();
                    // Of JSON constants nothing is known here.
                    let known = tested || !wants_value;
                    return Checked::Value(known.then(|| Some(Constant::String(text.into()))));
                }
                // A value that no constant is compared with: an array.
                Decided::Never(..) if wants_text.is_none() => {
                    return Checked::Value(shown.map(|text| Some(Constant::String(text.into()))));
                }
                Decided::Never(cores, by_automata) => {
                    core.extend(cores.into_iter().next().unwrap_or_default());
                    automata |= by_automata;
                }
                Decided::Unknown(reason) => return Checked::Unknown(reason),
            },
        }
    }
    if let Some(place) = wants_text {
        // Only a text meets it.
        core.push(place);
        core.sort_unstable();
        core.dedup();
        return if any_kind {
            Checked::Never(vec![core], automata)
        } else {
            // Compared with a text though it holds none: what that gives is not decided here.
            Checked::Value(None)
        };
    }
    if let Some(text) = shown.filter(|_| sorted.values.is_empty()) {
        return Checked::Value(Some(Some(Constant::String(text.into()))));
    }
    for space in spaces {
        let decided_here: Vec<_> = sorted.values.iter().filter(|(_, _, c, _)| !free(c)).collect();
        let tests: Vec<region::Test<'_>> =
            decided_here.iter().map(|(_, op, constant, holds)| (*op, *constant, *holds)).collect();
        match region::decide(*space, &tests) {
            region::Decided::Value(value) => return Checked::Value(value.map(Some)),
            region::Decided::Never(places) => {
                core.extend(places.into_iter().filter_map(|i| decided_here.get(i).map(|(place, ..)| *place)));
            }
        }
    }
    core.sort_unstable();
    core.dedup();
    Checked::Never(vec![core], automata)
}
