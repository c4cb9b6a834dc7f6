//! One formula, asked one or more times.
//!
//! In: a formula, and literals that are to hold besides. Out: an [`Answer`]. Truth values are searched for; what was chosen is
//! then asked of each term's theory, and what excludes each other there becomes a clause. Only tests that the formula needs to
//! be true are chosen: an alternative that is not taken says nothing about its tests.

use super::encode::{Encoder, Node, Test, about};
use super::sat::Lit;
use super::text::{LangId, Relation};
use super::theory::{self, Checked};
use super::{Answer, Budget, Model, Solver};
use crate::Arena;
use crate::formula::{Atom, Formula, FormulaId};
use crate::term::{Constant, TermId};
use crate::verdict::Proof;
use indexmap::IndexMap;
use ruleferry_ir::Type;
use rustc_hash::{FxBuildHasher, FxHashSet};

/// A formula in the solver. What one answer learned serves the next.
pub(super) struct Query<'s, 'a> {
    arena: &'a Arena,
    encoder: Encoder<'s>,
    root: Lit,
    relevant: Relevant,
    empty_is_absent: bool,
    /// A clause came out of automata.
    automata: bool,
    /// What was not decided and left out of the search.
    gaps: Vec<String>,
    /// The tests that the last model rests on.
    last: Vec<Lit>,
    /// Terms whose languages were compared with each other.
    related: FxHashSet<TermId>,
}

/// What has to be true, found from the top down.
#[derive(Default)]
struct Relevant {
    work: Vec<Lit>,
    at: usize,
    /// Length of the work and place in it where each level began.
    levels: Vec<(usize, usize)>,
    /// By literal: its place in the work.
    places: Vec<usize>,
}

impl Relevant {
    fn has(&self, lit: Lit) -> bool {
        let place = self.places.get(lit.index()).copied().unwrap_or(usize::MAX);
        self.work.get(place) == Some(&lit)
    }

    fn push(&mut self, lit: Lit) {
        if self.has(lit) {
            return;
        }
        if self.places.len() <= lit.index() {
            self.places.resize(lit.index() + 1, usize::MAX);
        }
        if let Some(place) = self.places.get_mut(lit.index()) {
            *place = self.work.len();
        }
        self.work.push(lit);
    }

    fn back_to(&mut self, level: usize) {
        if let Some((length, at)) = self.levels.get(level).copied() {
            self.work.truncate(length);
            self.at = at;
            self.levels.truncate(level);
        }
    }
}

/// One literal of each atom of a formula, in the order in which they stand there.
pub(super) fn literals(arena: &Arena, formula: FormulaId) -> Vec<FormulaId> {
    let mut seen: FxHashSet<FormulaId> = FxHashSet::default();
    let mut atoms: FxHashSet<&Atom> = FxHashSet::default();
    let mut literals = Vec::new();
    let mut stack = vec![formula];
    while let Some(id) = stack.pop() {
        if !seen.insert(id) {
            continue;
        }
        match arena.get_formula(id) {
            Formula::And(parts) | Formula::Or(parts) => stack.extend(parts.iter().rev().copied()),
            Formula::Literal { atom, .. } => {
                if atoms.insert(atom) {
                    literals.push(id);
                }
            }
            Formula::True | Formula::False => {}
        }
    }
    literals
}

enum Checks {
    Model(Model),
    Again,
}

impl<'s, 'a> Query<'s, 'a> {
    pub fn new(solver: &'s mut Solver, arena: &'a Arena, formula: FormulaId) -> Self {
        let empty_is_absent = solver.empty_is_absent;
        let mut encoder = Encoder::new(&mut solver.texts, empty_is_absent);
        let root = encoder.formula(arena, formula);
        encoder.sat.add(&[root]);
        Self {
            arena,
            encoder,
            root,
            relevant: Relevant::default(),
            empty_is_absent,
            automata: false,
            gaps: Vec::new(),
            last: Vec::new(),
            related: FxHashSet::default(),
        }
    }

    /// Whether the formula can hold.
    pub fn solve(&mut self, budget: &mut Budget) -> Answer {
        self.solve_with(&[], budget)
    }

    /// Whether the formula can hold while others hold or do not.
    pub fn solve_with(&mut self, with: &[(FormulaId, bool)], budget: &mut Budget) -> Answer {
        self.back_to(0);
        let mut assumed = Vec::with_capacity(with.len());
        for (formula, holds) in with {
            let lit = self.encoder.formula(self.arena, *formula);
            assumed.push(if *holds { lit } else { !lit });
        }
        self.search(&assumed, budget).unwrap_or_else(Answer::Unknown)
    }

    /// From now on, not the choice of tests that the last model rests on. False where it rests on none.
    pub fn exclude_last(&mut self) -> bool {
        self.back_to(0);
        let clause: Vec<Lit> = self.last.iter().map(|lit| !*lit).collect();
        if clause.is_empty() {
            return false;
        }
        self.encoder.sat.add(&clause);
        true
    }

    fn back_to(&mut self, level: usize) {
        self.encoder.sat.back_to(level);
        self.relevant.back_to(level);
    }

    fn decide(&mut self, lit: Lit) {
        self.relevant.levels.push((self.relevant.work.len(), self.relevant.at));
        self.encoder.sat.decide(lit);
    }

    fn unsatisfiable(&self) -> Answer {
        match self.gaps.first() {
            Some(reason) => Answer::Unknown(reason.clone()),
            None => Answer::Unsatisfiable(if self.automata { Proof::Automaton } else { Proof::Solver }),
        }
    }

    fn search(&mut self, assumed: &[Lit], budget: &mut Budget) -> Result<Answer, String> {
        self.relevant = Relevant::default();
        self.relevant.push(self.root);
        for lit in assumed {
            self.relevant.push(*lit);
        }
        loop {
            if self.encoder.sat.broken {
                return Ok(self.unsatisfiable());
            }
            if let Some(conflict) = self.encoder.sat.propagate(budget)? {
                if !self.encoder.sat.learn(&conflict) {
                    return Ok(self.unsatisfiable());
                }
                let level = self.encoder.sat.level();
                self.relevant.back_to(level);
                continue;
            }
            match assumed.iter().find(|lit| self.encoder.sat.value(**lit) != Some(true)) {
                Some(lit) if self.encoder.sat.value(*lit) == Some(false) => {
                    // Only what is assumed was decided up to here, or a conflict has led back below it.
                    if self.encoder.sat.level() <= assumed.len() {
                        return Ok(self.unsatisfiable());
                    }
                    self.back_to(0);
                    continue;
                }
                Some(lit) => {
                    self.decide(*lit);
                    continue;
                }
                None => {}
            }
            if let Some(lit) = self.next_choice(budget)? {
                self.decide(lit);
                continue;
            }
            match self.check(budget)? {
                Checks::Model(model) => return Ok(Answer::Satisfiable(model)),
                Checks::Again => {}
            }
        }
    }

    /// Walks on through what has to be true; a literal to decide where an alternative is open.
    fn next_choice(&mut self, budget: &mut Budget) -> Result<Option<Lit>, String> {
        while let Some(lit) = self.relevant.work.get(self.relevant.at).copied() {
            let Some(Node::And(parts)) = self.encoder.nodes.get(lit.var() as usize) else {
                self.relevant.at += 1;
                continue;
            };
            budget.spend(1 + parts.len() as u64 / 8)?;
            if !lit.is_negated() {
                for part in parts {
                    self.relevant.push(*part);
                }
                self.relevant.at += 1;
                continue;
            }
            // One of the parts has to be false.
            let sat = &self.encoder.sat;
            let false_part = parts
                .iter()
                .filter(|part| sat.value(**part) == Some(false))
                .min_by_key(|part| !self.relevant.has(!**part));
            if let Some(part) = false_part.copied() {
                self.relevant.push(!part);
                self.relevant.at += 1;
                continue;
            }
            let open = parts.iter().filter(|part| sat.value(**part).is_none());
            let mut best: Option<(bool, f64, Lit)> = None;
            for part in open {
                let score = (sat.was_true(!*part), sat.activity(*part));
                let better = best.is_none_or(|(known, activity, _)| {
                    (score.0 && !known) || (score.0 == known && score.1 > activity)
                });
                if better {
                    best = Some((score.0, score.1, *part));
                }
            }
            return Ok(best.map(|(_, _, part)| !part));
        }
        Ok(None)
    }

    /// Asks the theories whether the choice can be.
    fn check(&mut self, budget: &mut Budget) -> Result<Checks, String> {
        // By term, in the order of the terms: the same each time.
        let mut by_term: IndexMap<TermId, Vec<(Lit, bool)>, FxBuildHasher> = IndexMap::default();
        let mut free: Vec<(usize, bool)> = Vec::new();
        self.last.clear();
        for lit in &self.relevant.work {
            let Some(Node::Test(index)) = self.encoder.nodes.get(lit.var() as usize) else { continue };
            self.last.push(*lit);
            let holds = !lit.is_negated();
            match self.encoder.tests.get_index(*index as usize).and_then(|(test, _)| test.term()) {
                Some(term) => by_term.entry(term).or_default().push((*lit, holds)),
                None => free.push((*index as usize, holds)),
            }
        }
        let mut model = Model::default();
        let mut clauses: Vec<Vec<Lit>> = Vec::new();
        for (term, lits) in &by_term {
            let about = about(self.arena, *term, self.empty_is_absent);
            let tests: Vec<(Test, bool)> = lits
                .iter()
                .filter_map(|(lit, holds)| {
                    let Some(Node::Test(index)) = self.encoder.nodes.get(lit.var() as usize) else {
                        return None;
                    };
                    self.encoder.tests.get_index(*index as usize).map(|(test, _)| (test.clone(), *holds))
                })
                .collect();
            let tests: Vec<(&Test, bool)> = tests.iter().map(|(test, holds)| (test, *holds)).collect();
            match theory::check(&tests, about, self.encoder.texts(), budget) {
                Checked::Value(Some(value)) => {
                    model.values.insert(*term, value);
                }
                Checked::Value(None) => {}
                Checked::Never(cores, automata) => {
                    self.automata |= automata;
                    if self.related.insert(*term) {
                        clauses.extend(self.relations(*term, budget)?);
                    }
                    for core in cores {
                        clauses
                            .push(core.iter().filter_map(|i| lits.get(*i)).map(|(lit, _)| !*lit).collect());
                    }
                }
                Checked::Unknown(reason) => {
                    if budget.is_spent() {
                        return Err(reason);
                    }
                    // Some other choice may still be decided.
                    if !self.gaps.contains(&reason) {
                        self.gaps.push(reason);
                    }
                    clauses.push(lits.iter().map(|(lit, _)| !*lit).collect());
                }
            }
        }
        if clauses.is_empty() {
            self.fill(&mut model, &free);
            return Ok(Checks::Model(model));
        }
        self.back_to(0);
        for clause in clauses {
            self.encoder.sat.add(&clause);
        }
        Ok(Checks::Again)
    }

    /// What the languages of a term say of each other, told once a choice of them went wrong: the search need not find it
    /// out pair by pair.
    fn relations(&mut self, term: TermId, budget: &mut Budget) -> Result<Vec<Vec<Lit>>, String> {
        let of_term: Vec<(Lit, LangId, bool)> = self
            .encoder
            .tests
            .iter()
            .filter_map(|(test, lit)| match test {
                Test::Text(t, lang) if *t == term => Some((*lit, *lang, false)),
                Test::TextValue(t, lang) if *t == term => Some((*lit, *lang, true)),
                Test::Text(..) | Test::TextValue(..) | Test::Missing(_) | Test::Value(..) | Test::Free(_) => {
                    None
                }
            })
            .collect();
        let ids: Vec<LangId> = of_term.iter().map(|(_, lang, _)| *lang).collect();
        let mut clauses = Vec::new();
        for (i, j, relation) in self.encoder.texts().relations(&ids, budget)? {
            let (Some((p, _, p_is_text)), Some((q, _, q_is_text))) = (of_term.get(i), of_term.get(j)) else {
                continue;
            };
            match relation {
                // That the text of a value is in a language does not make the value a text.
                Relation::Within if *q_is_text && !p_is_text => {}
                Relation::Within => clauses.push(vec![!*p, *q]),
                Relation::Apart => clauses.push(vec![!*p, !*q]),
            }
        }
        Ok(clauses)
    }

    /// Values for what stands in tests that no theory decides: a suggestion only.
    fn fill(&self, model: &mut Model, free: &[(usize, bool)]) {
        for (index, holds) in free {
            let Some((Test::Free(atom), _)) = self.encoder.tests.get_index(*index) else { continue };
            match atom {
                Atom::True(term) => {
                    model.values.entry(*term).or_insert(Some(Constant::Bool(*holds)));
                }
                Atom::Pair(_, a, b) | Atom::TextPair(a, _, b) if *holds => {
                    // Equal values meet most of them.
                    let ty = [*a, *b].map(|t| self.arena.ty(t));
                    let plain = match ty {
                        [Type::String, _] | [_, Type::String] => Constant::String("x".into()),
                        [Type::Datetime, _] | [_, Type::Datetime] => continue,
                        _ => Constant::Long(1),
                    };
                    let known = [*a, *b].into_iter().find_map(|t| model.values.get(&t).cloned().flatten());
                    let value = known.unwrap_or(plain);
                    for term in [*a, *b] {
                        model.values.entry(term).or_insert_with(|| Some(value.clone()));
                    }
                }
                Atom::Missing(_)
                | Atom::Text(..)
                | Atom::Value(..)
                | Atom::Pair(..)
                | Atom::TextPair(..)
                | Atom::InBlock(..) => {}
            }
        }
    }
}
