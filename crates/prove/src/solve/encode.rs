//! Formulas as clauses.
//!
//! In: formulas of an arena. Out: literals of the search over truth values. Conjunctions are the only connective inside, a
//! disjunction is a negated one, and equal ones are one variable: a formula and its negation meet as one literal and its
//! negation, whatever the order of their parts. Tests that mean the same are one variable as well ([`Normal`]).

use super::eval::atom_of_constants;
use super::sat::{Lit, Sat};
use super::text::{Lang, LangId, Normal, Texts};
use super::theory::About;
use crate::Arena;
use crate::formula::{Atom, Formula, FormulaId};
use crate::term::{Constant, Term, TermId};
use indexmap::{IndexMap, IndexSet};
use ruleferry_ir::{Case, CompareOp, MatchKind, Type};
use rustc_hash::{FxBuildHasher, FxHashMap};

/// What a variable stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Test {
    Missing(TermId),
    /// The text of the value is in a language.
    Text(TermId, LangId),
    /// The value is a text, and in a language (of a term that may hold others than texts).
    TextValue(TermId, LangId),
    Value(TermId, CompareOp, Constant),
    /// Nothing more is known of it.
    Free(Atom),
}

impl Test {
    /// The term that the theory of one value decides on.
    pub const fn term(&self) -> Option<TermId> {
        match self {
            Self::Missing(t) | Self::Text(t, _) | Self::TextValue(t, _) | Self::Value(t, ..) => Some(*t),
            Self::Free(_) => None,
        }
    }
}

/// What stands behind a variable.
#[derive(Clone, Debug)]
pub(super) enum Node {
    True,
    Test(u32),
    And(Box<[Lit]>),
}

pub(super) struct Encoder<'s> {
    pub sat: Sat,
    pub tests: IndexMap<Test, Lit, FxBuildHasher>,
    /// By variable.
    pub nodes: Vec<Node>,
    ands: FxHashMap<Box<[Lit]>, Lit>,
    done: FxHashMap<FormulaId, Lit>,
    texts: &'s mut Texts,
    empty_is_absent: bool,
}

impl<'s> Encoder<'s> {
    pub fn new(texts: &'s mut Texts, empty_is_absent: bool) -> Self {
        Self {
            sat: Sat::new(),
            tests: IndexMap::default(),
            nodes: vec![Node::True],
            ands: FxHashMap::default(),
            done: FxHashMap::default(),
            texts,
            empty_is_absent,
        }
    }

    pub const fn texts(&mut self) -> &mut Texts {
        self.texts
    }

    /// The literal of a formula.
    pub fn formula(&mut self, arena: &Arena, root: FormulaId) -> Lit {
        // Parts come before what is made of them: no recursion, however deep.
        let mut wanted: IndexSet<FormulaId, FxBuildHasher> = IndexSet::default();
        let mut stack = vec![root];
        while let Some(id) = stack.pop() {
            if self.done.contains_key(&id) || !wanted.insert(id) {
                continue;
            }
            match arena.get_formula(id) {
                Formula::And(parts) | Formula::Or(parts) => stack.extend(parts.iter().copied()),
                Formula::True | Formula::False | Formula::Literal { .. } => {}
            }
        }
        wanted.sort_unstable();
        for id in wanted {
            let lit = match arena.get_formula(id) {
                Formula::True => Lit::TRUE,
                Formula::False => Lit::FALSE,
                Formula::Literal { atom, negated } => {
                    let lit = self.atom(arena, atom);
                    if *negated { !lit } else { lit }
                }
                Formula::And(parts) => {
                    let parts: Vec<Lit> = parts.iter().map(|p| self.known(*p)).collect();
                    self.and(parts)
                }
                Formula::Or(parts) => {
                    let parts: Vec<Lit> = parts.iter().map(|p| !self.known(*p)).collect();
                    !self.and(parts)
                }
            };
            self.done.insert(id, lit);
        }
        self.known(root)
    }

    fn known(&self, id: FormulaId) -> Lit {
        self.done.get(&id).copied().unwrap_or(Lit::TRUE)
    }

    fn and(&mut self, parts: Vec<Lit>) -> Lit {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match self.nodes.get(part.var() as usize) {
                Some(Node::And(inner)) if !part.is_negated() => flat.extend_from_slice(inner),
                _ => flat.push(part),
            }
        }
        flat.sort_unstable();
        flat.dedup();
        flat.retain(|lit| *lit != Lit::TRUE);
        // A literal and its negation are neighbours.
        if flat.contains(&Lit::FALSE) || flat.windows(2).any(|w| matches!(w, [a, b] if *a == !*b)) {
            return Lit::FALSE;
        }
        match flat.as_slice() {
            [] => return Lit::TRUE,
            [one] => return *one,
            _ => {}
        }
        if let Some(known) = self.ands.get(flat.as_slice()) {
            return *known;
        }
        let lit = self.sat.new_var();
        let mut long = Vec::with_capacity(flat.len() + 1);
        long.push(lit);
        for part in &flat {
            self.sat.add(&[!lit, *part]);
            long.push(!*part);
        }
        self.sat.add(&long);
        let parts: Box<[Lit]> = flat.into();
        self.nodes.push(Node::And(parts.clone()));
        self.ands.insert(parts, lit);
        lit
    }

    /// The literal of a test, with the plain facts about it as clauses.
    fn test(&mut self, test: Test) -> Lit {
        if let Some(lit) = self.tests.get(&test) {
            return *lit;
        }
        let lit = self.sat.new_var();
        self.nodes.push(Node::Test(u32::try_from(self.tests.len()).unwrap_or(u32::MAX)));
        // A missing value fails every other test.
        let on: Vec<TermId> = match &test {
            Test::Missing(_) => Vec::new(),
            Test::Text(t, _) | Test::TextValue(t, _) | Test::Value(t, ..) => vec![*t],
            Test::Free(atom) => terms_of(atom),
        };
        if let Test::Missing(term) = test {
            let others: Vec<Lit> = self
                .tests
                .iter()
                .filter(|(other, _)| match other {
                    Test::Missing(_) => false,
                    Test::Text(t, _) | Test::TextValue(t, _) | Test::Value(t, ..) => *t == term,
                    Test::Free(atom) => terms_of(atom).contains(&term),
                })
                .map(|(_, other)| *other)
                .collect();
            for other in others {
                self.sat.add(&[!lit, !other]);
            }
        }
        for term in on {
            if let Some(missing) = self.tests.get(&Test::Missing(term)) {
                self.sat.add(&[!lit, !*missing]);
            }
        }
        if let Test::Free(atom) = &test {
            self.relate(atom, lit);
        }
        self.tests.insert(test, lit);
        lit
    }

    /// What a new test of two values says of the known ones of the same two.
    fn relate(&mut self, atom: &Atom, lit: Lit) {
        match atom {
            Atom::Pair(_, a, b) => {
                let find = |op, a: TermId, b: TermId| {
                    let (a, b) = if op == CompareOp::Eq && a > b { (b, a) } else { (a, b) };
                    let test = Test::Free(Atom::Pair(op, a, b));
                    if test == Test::Free(atom.clone()) { Some(lit) } else { self.tests.get(&test).copied() }
                };
                let (eq, lt, le) =
                    (find(CompareOp::Eq, *a, *b), find(CompareOp::Lt, *a, *b), find(CompareOp::Le, *a, *b));
                let (gt, ge) = (find(CompareOp::Lt, *b, *a), find(CompareOp::Le, *b, *a));
                let mut clauses: Vec<Vec<Lit>> = Vec::new();
                let mut never = |x: Option<Lit>, y: Option<Lit>| {
                    if let (Some(x), Some(y)) = (x, y) {
                        clauses.push(vec![!x, !y]);
                    }
                };
                never(eq, lt);
                never(eq, gt);
                never(lt, gt);
                never(lt, ge);
                never(le, gt);
                for (strict, weak) in [(lt, le), (gt, ge)] {
                    if let (Some(strict), Some(weak)) = (strict, weak) {
                        clauses.push(vec![!strict, weak]);
                    }
                    if let (Some(eq), Some(weak)) = (eq, weak) {
                        clauses.push(vec![!eq, weak]);
                    }
                    if let (Some(eq), Some(strict), Some(weak)) = (eq, strict, weak) {
                        clauses.push(vec![!weak, strict, eq]);
                    }
                }
                if let (Some(eq), Some(le), Some(ge)) = (eq, le, ge) {
                    clauses.push(vec![!le, !ge, eq]);
                }
                for clause in clauses {
                    self.sat.add(&clause);
                }
            }
            Atom::TextPair(a, _, b) => {
                let of_two: Vec<(Atom, Lit)> = self
                    .tests
                    .iter()
                    .filter_map(|(test, other)| match test {
                        Test::Free(known @ Atom::TextPair(x, _, y)) if x == a && y == b => {
                            Some((known.clone(), *other))
                        }
                        _ => None,
                    })
                    .collect();
                for (known, other) in of_two {
                    if entails(atom, &known) {
                        self.sat.add(&[!lit, other]);
                    }
                    if entails(&known, atom) {
                        self.sat.add(&[!other, lit]);
                    }
                }
            }
            Atom::Missing(_) | Atom::Text(..) | Atom::Value(..) | Atom::InBlock(..) | Atom::True(_) => {}
        }
    }

    fn missing(&mut self, arena: &Arena, term: TermId) -> Lit {
        let made = arena.get(term);
        if let Term::Constant(Constant::Null(_)) = made {
            Lit::TRUE
        } else if matches!(made, Term::Constant(_) | Term::Now) {
            Lit::FALSE
        } else {
            self.test(Test::Missing(term))
        }
    }

    fn atom(&mut self, arena: &Arena, atom: &Atom) -> Lit {
        if let Some(known) = atom_of_constants(arena, atom) {
            return if known { Lit::TRUE } else { Lit::FALSE };
        }
        match atom {
            Atom::Missing(term) => self.missing(arena, *term),
            Atom::Text(term, language) => {
                let test = |id| Test::Text(*term, id);
                let normal = self.texts.normal(language);
                self.language(arena, *term, normal, test)
            }
            Atom::Value(term, op, constant) => {
                let Constant::String(text) = constant else {
                    return self.test(Test::Value(*term, *op, constant.clone()));
                };
                let is_text = arena.ty(*term) == Type::String;
                let opposite = match op {
                    CompareOp::Ne => Some(CompareOp::Eq),
                    CompareOp::Gt => Some(CompareOp::Le),
                    CompareOp::Ge => Some(CompareOp::Lt),
                    CompareOp::Eq | CompareOp::Lt | CompareOp::Le => None,
                };
                if let Some(opposite) = opposite.filter(|_| is_text) {
                    let fails = self.atom(arena, &Atom::Value(*term, opposite, constant.clone()));
                    let missing = self.missing(arena, *term);
                    return self.and(vec![!missing, !fails]);
                }
                let normal = match op {
                    CompareOp::Eq => Normal::Lang(Lang::Equals(text.clone(), false)),
                    CompareOp::Lt if text.is_empty() => Normal::Never,
                    CompareOp::Le if text.is_empty() => Normal::Lang(Lang::Equals(text.clone(), false)),
                    CompareOp::Lt => Normal::Lang(Lang::Before(text.clone(), false)),
                    CompareOp::Le => Normal::Lang(Lang::Before(text.clone(), true)),
                    CompareOp::Ne | CompareOp::Gt | CompareOp::Ge => {
                        return self.test(Test::Free(atom.clone()));
                    }
                };
                let test = |id| if is_text { Test::Text(*term, id) } else { Test::TextValue(*term, id) };
                self.language(arena, *term, normal, test)
            }
            Atom::True(term) if arena.ty(*term) == Type::Bool => {
                self.test(Test::Value(*term, CompareOp::Eq, Constant::Bool(true)))
            }
            Atom::True(_) | Atom::Pair(..) | Atom::TextPair(..) | Atom::InBlock(..) => {
                self.test(Test::Free(atom.clone()))
            }
        }
    }

    fn language(
        &mut self,
        arena: &Arena,
        term: TermId,
        normal: Normal,
        test: impl FnOnce(LangId) -> Test,
    ) -> Lit {
        match normal {
            Normal::Never => Lit::FALSE,
            Normal::Always => !self.missing(arena, term),
            Normal::Lang(Lang::Equals(text, _))
                if text.is_empty() && self.empty_is_absent && is_column(arena, term) =>
            {
                Lit::FALSE
            }
            Normal::Lang(lang) => {
                let id = self.texts.id(lang);
                self.test(test(id))
            }
        }
    }
}

/// The values that an atom is about: none of them is missing where it holds.
fn terms_of(atom: &Atom) -> Vec<TermId> {
    match atom {
        // A missing text may be in a block: it reads as the empty one there.
        Atom::Missing(_) | Atom::InBlock(..) => Vec::new(),
        Atom::Text(t, _) | Atom::Value(t, ..) | Atom::True(t) => vec![*t],
        Atom::Pair(_, a, b) | Atom::TextPair(a, _, b) => vec![*a, *b],
    }
}

/// Whether one match of two texts is never without another of the same two.
fn entails(a: &Atom, b: &Atom) -> bool {
    let (Atom::TextPair(_, a, _), Atom::TextPair(_, b, _)) = (a, b) else { return false };
    let case = a.case == b.case || a.case == Case::Sensitive;
    let kinds: &[MatchKind] = match a.kind {
        MatchKind::Equals => &[MatchKind::StartsWith, MatchKind::EndsWith, MatchKind::Contains],
        MatchKind::StartsWith | MatchKind::EndsWith => &[MatchKind::Contains],
        MatchKind::Term => &[MatchKind::TermPrefix, MatchKind::TermSuffix, MatchKind::Contains],
        MatchKind::TermPrefix | MatchKind::TermSuffix => &[MatchKind::Contains],
        // A pattern means something else where case is ignored (`\p{Lu}`).
        MatchKind::Regex => return false,
        MatchKind::Contains | MatchKind::Glob | MatchKind::Cidr => &[],
    };
    case && (a.kind == b.kind || kinds.contains(&b.kind))
}

/// What is known of a term besides its tests.
pub(super) fn about(arena: &Arena, term: TermId, empty_is_absent: bool) -> About {
    let mut at = term;
    let exact = loop {
        match arena.get(at) {
            Term::Column { .. } | Term::Cast(..) | Term::Arithmetic(..) | Term::Now => break true,
            Term::Input(_, inner) | Term::Negate(inner) | Term::Scalar(_, inner) => at = *inner,
            Term::Constant(_)
            | Term::Event
            | Term::Call(..)
            | Term::Member(..)
            | Term::Index(..)
            | Term::Case(..)
            | Term::Truth { .. }
            | Term::Made { .. }
            | Term::Merged(..)
            | Term::List(..)
            | Term::Opaque { .. } => break false,
        }
    };
    About { ty: arena.ty(term), exact, nonempty: empty_is_absent && is_column(arena, term) }
}

/// Whether a term is a column of a table, whatever reads it.
pub(super) fn is_column(arena: &Arena, term: TermId) -> bool {
    let mut at = term;
    while let Term::Input(_, inner) = arena.get(at) {
        at = *inner;
    }
    matches!(arena.get(at), Term::Column { .. })
}
