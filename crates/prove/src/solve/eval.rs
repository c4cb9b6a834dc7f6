//! Atoms and formulas under given values: the evaluator's answers, without a plan.
//!
//! In: an atom or formula, and a [`Model`]. Out: true, false, or nothing where the model does not say. Texts and comparisons are
//! those of `ruleferry-eval`.

use super::Model;
use super::region::value_of;
use crate::Arena;
use crate::formula::{Atom, Folding, Formula, FormulaId, Language};
use crate::term::{Constant, Term, TermId};
use indexmap::IndexSet;
use ruleferry_eval::{Value, cast, compare, text};
use ruleferry_ir::{Case, CompareOp, MatchKind, Type};
use rustc_hash::{FxBuildHasher, FxHashMap};

/// The value of a term: `Some(None)` if it is missing, `None` if the model does not say.
fn value(arena: &Arena, term: TermId, model: &Model) -> Option<Option<Constant>> {
    if let Some(known) = model.values.get(&term) {
        return Some(known.clone());
    }
    let Term::Constant(constant) = arena.get(term) else { return None };
    Some(if let Constant::Null(_) = constant { None } else { Some(constant.clone()) })
}

fn shown(constant: &Constant) -> String {
    match cast(&value_of(constant), Type::String) {
        Value::String(text) => text.into(),
        _ => String::new(),
    }
}

/// Whether an atom holds.
pub fn atom(arena: &Arena, atom: &Atom, model: &Model) -> Option<bool> {
    let of = |term: &TermId| value(arena, *term, model);
    Some(match atom {
        Atom::Missing(term) => of(term)?.is_none(),
        Atom::Text(term, language) => match of(term)? {
            Some(constant) => in_language(language, &shown(&constant))?,
            None => false,
        },
        Atom::Value(term, op, constant) => match of(term)? {
            Some(found) => compares(*op, &found, constant),
            None => false,
        },
        Atom::Pair(op, a, b) => match (of(a)?, of(b)?) {
            (Some(a), Some(b)) => compares(*op, &a, &b),
            _ => false,
        },
        Atom::TextPair(a, relation, b) => match (of(a)?, of(b)?) {
            (Some(a), Some(b)) => related(relation.kind, relation.case, &shown(&a), &shown(&b))?,
            _ => false,
        },
        Atom::InBlock(..) => return None,
        Atom::True(term) => of(term)? == Some(Constant::Bool(true)),
    })
}

/// Whether an atom over constants holds; `None` where it is about anything else.
pub(super) fn atom_of_constants(arena: &Arena, test: &Atom) -> Option<bool> {
    let constant = |term: &TermId| matches!(arena.get(*term), Term::Constant(_));
    let plain = match test {
        Atom::Missing(t) | Atom::Text(t, _) | Atom::Value(t, ..) | Atom::True(t) => constant(t),
        Atom::Pair(_, a, b) | Atom::TextPair(a, _, b) => constant(a) && constant(b),
        Atom::InBlock(..) => false,
    };
    if plain { atom(arena, test, &Model::default()) } else { None }
}

fn compares(op: CompareOp, a: &Constant, b: &Constant) -> bool {
    op.holds(compare(&value_of(a), &value_of(b)))
}

/// `None` for regular expressions: only an evaluator that keeps compiled patterns should ask that.
fn related(kind: MatchKind, case: Case, subject: &str, needle: &str) -> Option<bool> {
    let folding = if case == Case::Insensitive { Folding::Simple } else { Folding::Exact };
    let needle: smol_str::SmolStr =
        if case == Case::Insensitive { text::fold(needle).into() } else { needle.into() };
    let language = match kind {
        MatchKind::Equals | MatchKind::Glob => Language::Equals(needle, folding),
        MatchKind::Contains => Language::Contains(needle, folding),
        MatchKind::StartsWith => Language::StartsWith(needle, folding),
        MatchKind::EndsWith => Language::EndsWith(needle, folding),
        MatchKind::Term => Language::Term(needle, folding),
        MatchKind::TermPrefix => Language::TermPrefix(needle, folding),
        MatchKind::TermSuffix => Language::TermSuffix(needle, folding),
        MatchKind::Cidr => Language::Cidr(needle),
        MatchKind::Regex => return None,
    };
    in_language(&language, subject)
}

/// Whether a text is in a language, by the evaluator's own functions; for regular expressions by their automaton.
pub fn in_language(language: &Language, subject: &str) -> Option<bool> {
    let seen = |folding: &Folding| match folding {
        Folding::Exact => subject.to_owned(),
        Folding::Simple | Folding::Lower => text::fold(subject),
    };
    Some(match language {
        Language::Equals(n, f) => seen(f) == *n,
        Language::Contains(n, f) => seen(f).contains(n.as_str()),
        Language::StartsWith(n, f) => seen(f).starts_with(n.as_str()),
        Language::EndsWith(n, f) => seen(f).ends_with(n.as_str()),
        Language::Term(n, f) => text::term(&seen(f), n, true, true),
        Language::TermPrefix(n, f) => text::term(&seen(f), n, true, false),
        Language::TermSuffix(n, f) => text::term(&seen(f), n, false, true),
        Language::Glob(parts, f) => {
            // As written, against a folded text.
            text::glob(&seen(f), parts, Case::Sensitive)
        }
        Language::Regex(..) => return super::text::matches(language, subject),
        Language::Cidr(range) => text::in_cidr(subject, range),
    })
}

/// Whether a formula holds, as far as the model says.
pub fn formula(arena: &Arena, root: FormulaId, model: &Model) -> Option<bool> {
    let mut wanted: IndexSet<FormulaId, FxBuildHasher> = IndexSet::default();
    let mut stack = vec![root];
    while let Some(id) = stack.pop() {
        if !wanted.insert(id) {
            continue;
        }
        match arena.get_formula(id) {
            Formula::And(parts) | Formula::Or(parts) => stack.extend(parts.iter().copied()),
            Formula::True | Formula::False | Formula::Literal { .. } => {}
        }
    }
    // Parts have smaller ids than what is made of them.
    wanted.sort_unstable();
    let mut known: FxHashMap<FormulaId, Option<bool>> = FxHashMap::default();
    for id in wanted {
        let of = |part: &FormulaId| known.get(part).copied().flatten();
        let answer = match arena.get_formula(id) {
            Formula::True => Some(true),
            Formula::False => Some(false),
            Formula::Literal { atom: test, negated } => {
                atom(arena, test, model).map(|holds| holds != *negated)
            }
            Formula::And(parts) | Formula::Or(parts) => {
                let decisive = matches!(arena.get_formula(id), Formula::Or(_));
                if parts.iter().any(|p| of(p) == Some(decisive)) {
                    Some(decisive)
                } else if parts.iter().any(|p| of(p).is_none()) {
                    None
                } else {
                    Some(!decisive)
                }
            }
        };
        known.insert(id, answer);
    }
    known.get(&root).copied().flatten()
}
