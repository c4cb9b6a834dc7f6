//! Two canonical forms, walked down together.
//!
//! In: two rules. Out: the [`Verdict`]. Blocks whose sources have the same shape speak of the same rows, so what is asked of
//! each pair is whether the rows of one are among the rows of the other ([`Related`]). Joins, unions and filters carry that
//! up where they are monotone; aggregates and the like need equal inputs. What is not proved either way goes to the search.

use crate::block::{Block, BlockId, Source};
use crate::canon::{Canonical, canonical};
use crate::formula::FormulaId;
use crate::search::{Found, Pair, Suggestion, search};
use crate::solve::{Answer, Budget, Solver};
use crate::term::{Term, TermId};
use crate::{Arena, Options, Proof, Verdict};
use ruleferry_ir::{self as ir, JoinKind};

/// Whether the rows of `a` are among those of `b` (`within`), and the other way round (`covers`), as bags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Related {
    within: Option<Proof>,
    covers: Option<Proof>,
}

impl Related {
    const EQUAL: Self = Self { within: Some(Proof::Canonical), covers: Some(Proof::Canonical) };
    const NOTHING: Self = Self { within: None, covers: None };

    /// Both statements together.
    fn and(self, other: Self) -> Self {
        let both = |a: Option<Proof>, b: Option<Proof>| Some(weaker(a?, b?));
        Self { within: both(self.within, other.within), covers: both(self.covers, other.covers) }
    }

    const fn flipped(self) -> Self {
        Self { within: self.covers, covers: self.within }
    }

    /// Nothing, unless both hold: for operators that are not monotone.
    fn only_equal(self) -> Self {
        match (self.within, self.covers) {
            (Some(a), Some(b)) => {
                let proof = Some(weaker(a, b));
                Self { within: proof, covers: proof }
            }
            _ => Self::NOTHING,
        }
    }

    const fn is_equal(self) -> bool {
        self.within.is_some() && self.covers.is_some()
    }
}

/// The one that says more of what the whole rests on: the canonical form is the least.
fn weaker(a: Proof, b: Proof) -> Proof {
    let rank = |p: Proof| match p {
        Proof::Canonical => 0,
        Proof::Solver => 1,
        Proof::Automaton => 2,
        Proof::Tested => 3,
    };
    if rank(a) >= rank(b) { a } else { b }
}

/// How deep blocks and terms are compared part by part.
const MAX_DEPTH: usize = 100;

struct Aligner {
    arena: Arena,
    solver: Solver,
    budget: Budget,
    /// Values that suggest a difference.
    models: Vec<Suggestion>,
    reasons: Vec<String>,
    depth: usize,
}

/// What a verdict says that rests on it.
const NO_ODD_LETTERS: &str = "proved for texts without `ſ`, `İ` and the Kelvin sign, which regular expressions and other tests fold in different ways, and without marks that count as letters";

/// Both rules in one arena, and what was proved of their rows.
struct Attempt {
    aligner: Aligner,
    a: Option<Canonical>,
    b: Option<Canonical>,
    related: Related,
}

fn attempt(a: &ir::Rule, b: &ir::Rule, options: &Options, odd_letters: bool) -> Attempt {
    let solver = Solver::new(options.empty_is_absent);
    let mut aligner = Aligner {
        arena: Arena::default(),
        solver: if odd_letters { solver } else { solver.without_odd_letters() },
        budget: Budget::new(options.steps, options.stop),
        models: Vec::new(),
        reasons: Vec::new(),
        depth: 0,
    };
    let ca = canonical(&mut aligner.arena, a, options);
    let cb = canonical(&mut aligner.arena, b, options);
    let (ca, cb) = match (ca, cb) {
        (Ok(a), Ok(b)) => (Some(a), Some(b)),
        (a, b) => {
            for reason in [a, b].into_iter().filter_map(Result::err) {
                aligner.reason(reason);
            }
            (None, None)
        }
    };
    let related = match (&ca, &cb) {
        (Some(a), Some(b)) => aligner.results(a, b),
        _ => Related::NOTHING,
    };
    Attempt { aligner, a: ca, b: cb, related: related.and(envelopes(a, b)) }
}

impl Attempt {
    /// The verdict, where both were proved to find the same.
    fn equivalent(&self, reasons: &[&str]) -> Option<Verdict> {
        let (true, Some(a), Some(b)) = (self.related.is_equal(), &self.a, &self.b) else { return None };
        let rewrites = a.rewrites.union(&b.rewrites).copied().collect();
        let proof = self.related.only_equal().within?;
        Some(Verdict::equivalent(proof, rewrites, reasons))
    }
}

pub(crate) fn compare(a: &ir::Rule, b: &ir::Rule, options: &Options) -> Verdict {
    // What does not hold without the odd letters does not hold with them: the stronger question comes first only where it
    // is the only one.
    let mut made = attempt(a, b, options, !options.empty_is_absent);
    let rests = made.aligner.solver.rests_on_letters();
    if let Some(verdict) = made.equivalent(if rests { &[NO_ODD_LETTERS] } else { &[] }) {
        return verdict;
    }
    if rests {
        made.aligner.reason(NO_ODD_LETTERS.into());
    }
    let Attempt { mut aligner, a: ca, b: cb, related } = made;
    if !options.search {
        if aligner.reasons.is_empty() {
            aligner.reason("no proof was found, and no search was asked for".into());
        }
        return Verdict::unknown(aligner.reasons);
    }
    let pair = Pair {
        arena: &aligner.arena,
        a: (a, ca.as_ref()),
        b: (b, cb.as_ref()),
        models: &aligner.models,
        wanted: (related.within.is_none(), related.covers.is_none()),
    };
    let found = search(&pair, options);
    judged(found, related, aligner.reasons, options)
}

/// The verdict of what was proved and what was found.
fn judged(found: Found, mut related: Related, mut reasons: Vec<String>, options: &Options) -> Verdict {
    reasons.extend(found.faults);
    // The evaluator is the definition: where it shows what was proved not to be, the proof is wrong, and that is to be seen.
    if found.only_a.is_some() && related.within.is_some()
        || found.only_b.is_some() && related.covers.is_some()
    {
        related = Related::NOTHING;
        reasons.push(
            "a proof and the evaluator disagree: this is an error of Ruleferry, please report it".into(),
        );
    }
    match (found.only_a, found.only_b) {
        (Some(a), Some(b)) => Verdict::divergent(a, b, None),
        (Some(a), None) => {
            if related.covers.is_none() {
                reasons.push(format!(
                    "that `b` finds nothing more was tested on {} tables, not proved",
                    found.tried
                ));
            }
            Verdict::narrower(a, related.covers.unwrap_or(Proof::Tested), reasons)
        }
        (None, Some(b)) => {
            if related.within.is_none() {
                reasons.push(format!(
                    "that `b` misses nothing was tested on {} tables, not proved",
                    found.tried
                ));
            }
            Verdict::wider(b, related.within.unwrap_or(Proof::Tested), reasons)
        }
        (None, None) if found.fired > 0 => {
            if reasons.is_empty() {
                reasons.push("no proof was found".into());
            }
            Verdict::bounded(found.tried, options.seed, reasons)
        }
        (None, None) => {
            reasons.push("no table was found on which either rule finds anything".into());
            Verdict::unknown(reasons)
        }
    }
}

/// What the envelopes say of when rows become alerts. The look-back is part of the canonical form.
fn envelopes(a: &ir::Rule, b: &ir::Rule) -> Related {
    let (ea, eb) = (&a.envelope, &b.envelope);
    let enabled = match (ea.enabled.unwrap_or(true), eb.enabled.unwrap_or(true)) {
        (true, true) | (false, false) => Related::EQUAL,
        (true, false) => Related { within: None, covers: Some(Proof::Solver) },
        (false, true) => Related { within: Some(Proof::Solver), covers: None },
    };
    // No trigger is the usual one: more than no row.
    let usual = ir::Trigger { operator: "gt".into(), threshold: 0 };
    let (ta, tb) = (ea.trigger.as_ref().unwrap_or(&usual), eb.trigger.as_ref().unwrap_or(&usual));
    let trigger = if ta == tb {
        Related::EQUAL
    } else if ta.operator == "gt" && tb.operator == "gt" {
        if ta.threshold < tb.threshold {
            Related { within: None, covers: Some(Proof::Solver) }
        } else {
            Related { within: Some(Proof::Solver), covers: None }
        }
    } else {
        Related::NOTHING
    };
    enabled.and(trigger)
}

impl Aligner {
    fn reason(&mut self, reason: String) {
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }

    /// The rows that two queries return, over the columns that both return.
    fn results(&mut self, a: &Canonical, b: &Canonical) -> Related {
        let rows = self.blocks(a.block, b.block);
        for (name, term, _) in &a.columns {
            let exact = b.columns.iter().find(|(n, ..)| n == name);
            let Some((_, other, _)) =
                exact.or_else(|| b.columns.iter().find(|(n, ..)| n.eq_ignore_ascii_case(name)))
            else {
                continue;
            };
            if !self.same_term(*term, *other) {
                self.reason(format!("column `{name}` is computed in two ways that were not proved equal"));
                return Related::NOTHING;
            }
        }
        rows
    }

    /// Rows of two blocks, by what stands in the space of their sources.
    fn blocks(&mut self, a: BlockId, b: BlockId) -> Related {
        if a == b {
            return Related::EQUAL;
        }
        let (Some(ba), Some(bb)) = (self.arena.get_block(a).cloned(), self.arena.get_block(b).cloned())
        else {
            return Related::NOTHING;
        };
        if self.depth >= MAX_DEPTH {
            self.reason("the rules are nested too deep for a proof".into());
            return Related::NOTHING;
        }
        self.depth += 1;
        let sources = self.sources(&ba, &bb);
        // Filters say nothing where the rows are not of one kind.
        let related = if sources == Related::NOTHING {
            sources
        } else {
            sources.and(self.filters((a, ba.filter), (b, bb.filter)))
        };
        self.depth -= 1;
        self.with_empty(related, a, b)
    }

    /// A block without rows is within every other.
    fn with_empty(&mut self, related: Related, a: BlockId, b: BlockId) -> Related {
        if related.is_equal() {
            return related;
        }
        let (ea, eb) = (self.is_empty(a), self.is_empty(b));
        Related { within: related.within.or(ea), covers: related.covers.or(eb) }
    }

    /// A proof that a block has no rows.
    fn is_empty(&mut self, block: BlockId) -> Option<Proof> {
        let block = self.arena.get_block(block)?.clone();
        if let Some(proof) = self.unsatisfiable(block.filter, None) {
            return Some(proof);
        }
        match &block.source {
            Source::Join { kind, left, right, on: _ } => match kind {
                JoinKind::Inner | JoinKind::InnerUnique | JoinKind::LeftSemi | JoinKind::RightSemi => {
                    self.is_empty(*left).or_else(|| self.is_empty(*right))
                }
                JoinKind::LeftOuter | JoinKind::LeftAnti => self.is_empty(*left),
                JoinKind::RightOuter | JoinKind::RightAnti => self.is_empty(*right),
                JoinKind::FullOuter => None,
            },
            Source::Aggregate { input, keys: _, scalar: false }
            | Source::Distinct { input, columns: _ }
            | Source::Top { input, .. } => self.is_empty(*input),
            Source::Union { inputs } => {
                let mut proof = Proof::Canonical;
                for input in inputs {
                    proof = weaker(proof, self.is_empty(*input)?);
                }
                Some(proof)
            }
            Source::Unit
            | Source::Scan { .. }
            | Source::Values(_)
            | Source::Aggregate { scalar: true, .. }
            | Source::Other { .. } => None,
        }
    }

    fn sources(&mut self, a: &Block, b: &Block) -> Related {
        if a.source == b.source {
            return Related::EQUAL;
        }
        match (&a.source, &b.source) {
            (
                Source::Join { kind: ka, left: la, right: ra, on: oa },
                Source::Join { kind: kb, left: lb, right: rb, on: ob },
            ) => {
                if ka != kb || !self.same_pairs(oa, ob) {
                    self.reason("the joins differ in kind or keys".into());
                    return Related::NOTHING;
                }
                let left = self.blocks(*la, *lb);
                if left == Related::NOTHING {
                    return left;
                }
                let right = self.blocks(*ra, *rb);
                match ka {
                    JoinKind::Inner | JoinKind::LeftSemi | JoinKind::RightSemi => left.and(right),
                    // Which left row is kept may change with the rows that there are.
                    JoinKind::InnerUnique => left.only_equal().and(right),
                    JoinKind::LeftOuter => left.and(right.only_equal()),
                    JoinKind::RightOuter => left.only_equal().and(right),
                    JoinKind::FullOuter => left.only_equal().and(right.only_equal()),
                    JoinKind::LeftAnti => left.and(right.flipped()),
                    JoinKind::RightAnti => left.flipped().and(right),
                }
            }
            (
                Source::Aggregate { input: ia, keys: ka, scalar: sa },
                Source::Aggregate { input: ib, keys: kb, scalar: sb },
            ) => {
                if sa != sb || !self.same_terms(ka, kb) {
                    self.reason("the groups are made by other keys".into());
                    return Related::NOTHING;
                }
                self.blocks(*ia, *ib).only_equal()
            }
            (Source::Distinct { input: ia, columns: ca }, Source::Distinct { input: ib, columns: cb }) => {
                if !self.same_terms(ca, cb) {
                    self.reason("other columns are made distinct".into());
                    return Related::NOTHING;
                }
                self.blocks(*ia, *ib)
            }
            (Source::Union { inputs: ia }, Source::Union { inputs: ib }) => {
                if ia.len() != ib.len() {
                    self.reason("the unions have other numbers of inputs".into());
                    return Related::NOTHING;
                }
                ia.iter().zip(ib).fold(Related::EQUAL, |r, (a, b)| {
                    if r == Related::NOTHING { r } else { r.and(self.blocks(*a, *b)) }
                })
            }
            (
                Source::Top { input: ia, count: na, keys: ka, what: wa },
                Source::Top { input: ib, count: nb, keys: kb, what: wb },
            ) => {
                if na != nb || ka != kb || wa != wb {
                    self.reason("other rows are taken first".into());
                    return Related::NOTHING;
                }
                self.blocks(*ia, *ib).only_equal()
            }
            (
                Source::Other { what: wa, inputs: ia, args: aa, conditions: ca, texts: ta },
                Source::Other { what: wb, inputs: ib, args: ab, conditions: cb, texts: tb },
            ) => {
                if wa != wb || aa != ab || ca != cb || ta != tb || ia.len() != ib.len() {
                    self.reason(format!("`{wa}` differs"));
                    return Related::NOTHING;
                }
                ia.iter().zip(ib).fold(Related::EQUAL, |r, (a, b)| {
                    if r == Related::NOTHING { r } else { r.and(self.blocks(*a, *b).only_equal()) }
                })
            }
            (Source::Scan { name: na, .. }, Source::Scan { name: nb, .. }) => {
                self.reason(if na == nb {
                    format!("`{na}` is read in two ways")
                } else {
                    format!("`{na}` and `{nb}` are other tables")
                });
                Related::NOTHING
            }
            (
                Source::Unit
                | Source::Scan { .. }
                | Source::Values(_)
                | Source::Join { .. }
                | Source::Aggregate { .. }
                | Source::Distinct { .. }
                | Source::Union { .. }
                | Source::Top { .. }
                | Source::Other { .. },
                _,
            ) => {
                self.reason("the rules have stages that no proof puts side by side".into());
                Related::NOTHING
            }
        }
    }

    fn filters(&mut self, a: (BlockId, FormulaId), b: (BlockId, FormulaId)) -> Related {
        if a.1 == b.1 {
            return Related::EQUAL;
        }
        Related {
            within: self.implies(a.1, b.1, Some((a.0, true))),
            covers: self.implies(b.1, a.1, Some((b.0, false))),
        }
    }

    /// A proof that `b` holds wherever `a` does. Values that meet `a` alone are kept for the search with the block that they are
    /// in, and whether it is one of the first rule.
    fn implies(&mut self, a: FormulaId, b: FormulaId, at: Option<(BlockId, bool)>) -> Option<Proof> {
        let not_b = self.arena.not(b);
        let both = self.arena.and([a, not_b]);
        self.unsatisfiable(both, Some(at))
    }

    /// `suggest`: values that meet the formula are kept for the search.
    fn unsatisfiable(
        &mut self,
        formula: FormulaId,
        suggest: Option<Option<(BlockId, bool)>>,
    ) -> Option<Proof> {
        match self.solver.satisfiable(&self.arena, formula, &mut self.budget) {
            Answer::Unsatisfiable(proof) => Some(proof),
            Answer::Satisfiable(model) => {
                if let Some(at) = suggest {
                    self.models.push(Suggestion { model, at });
                }
                None
            }
            Answer::Unknown(reason) => {
                self.reason(reason);
                None
            }
        }
    }

    fn same_pairs(&mut self, a: &[(TermId, TermId)], b: &[(TermId, TermId)]) -> bool {
        a.len() == b.len()
            && a.iter().zip(b).all(|(a, b)| self.same_term(a.0, b.0) && self.same_term(a.1, b.1))
    }

    fn same_terms(&mut self, a: &[TermId], b: &[TermId]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.same_term(*a, *b))
    }

    /// Whether both are one value in every row: the same definition, with conditions inside of it that mean the same.
    fn same_term(&mut self, a: TermId, b: TermId) -> bool {
        if a == b {
            return true;
        }
        if self.depth >= MAX_DEPTH {
            return false;
        }
        self.depth += 1;
        let same = self.same_definition(a, b);
        self.depth -= 1;
        same
    }

    fn same_definition(&mut self, a: TermId, b: TermId) -> bool {
        let (ta, tb) = (self.arena.get(a).clone(), self.arena.get(b).clone());
        match (&ta, &tb) {
            (Term::Input(ia, a), Term::Input(ib, b)) => ia == ib && self.same_term(*a, *b),
            (Term::Call(na, a, ta), Term::Call(nb, b, tb)) => na == nb && ta == tb && self.same_terms(a, b),
            (Term::Arithmetic(oa, a1, a2, ta), Term::Arithmetic(ob, b1, b2, tb)) => {
                oa == ob && ta == tb && self.same_term(*a1, *b1) && self.same_term(*a2, *b2)
            }
            (Term::Negate(a), Term::Negate(b)) => self.same_term(*a, *b),
            (Term::Cast(a, ta), Term::Cast(b, tb)) => ta == tb && self.same_term(*a, *b),
            (Term::Member(a, na), Term::Member(b, nb)) => na == nb && self.same_term(*a, *b),
            (Term::Index(a1, a2), Term::Index(b1, b2)) => {
                self.same_term(*a1, *b1) && self.same_term(*a2, *b2)
            }
            (Term::Case(ba, ea), Term::Case(bb, eb)) => {
                ba.len() == bb.len()
                    && ba.iter().zip(bb).all(|(a, b)| self.same_formula(a.0, b.0) && self.same_term(a.1, b.1))
                    && self.same_term(*ea, *eb)
            }
            (Term::Truth { holds: ha, fails: fa }, Term::Truth { holds: hb, fails: fb }) => {
                self.same_formula(*ha, *hb) && self.same_formula(*fa, *fb)
            }
            (
                Term::Made { what: wa, args: aa, conditions: ca, part: pa, ty: ta },
                Term::Made { what: wb, args: ab, conditions: cb, part: pb, ty: tb },
            ) => {
                wa == wb
                    && pa == pb
                    && ta == tb
                    && self.same_terms(aa, ab)
                    && ca.len() == cb.len()
                    && ca.iter().zip(cb).all(|(a, b)| self.same_formula(*a, *b))
            }
            (Term::Merged(a, ta), Term::Merged(b, tb)) => {
                ta == tb
                    && a.len() == b.len()
                    && a.iter().zip(b).all(|(a, b)| match (a, b) {
                        (Some(a), Some(b)) => self.same_term(*a, *b),
                        (None, None) => true,
                        (Some(_), None) | (None, Some(_)) => false,
                    })
            }
            (Term::Scalar(ba, a), Term::Scalar(bb, b)) | (Term::List(ba, a), Term::List(bb, b)) => {
                self.same_term(*a, *b) && self.blocks(*ba, *bb).is_equal()
            }
            (
                Term::Constant(_)
                | Term::Column { .. }
                | Term::Event
                | Term::Now
                | Term::Input(..)
                | Term::Call(..)
                | Term::Arithmetic(..)
                | Term::Negate(_)
                | Term::Cast(..)
                | Term::Member(..)
                | Term::Index(..)
                | Term::Case(..)
                | Term::Truth { .. }
                | Term::Made { .. }
                | Term::Merged(..)
                | Term::Scalar(..)
                | Term::List(..)
                | Term::Opaque { .. },
                _,
            ) => false,
        }
    }

    fn same_formula(&mut self, a: FormulaId, b: FormulaId) -> bool {
        a == b || (self.implies(a, b, None).is_some() && self.implies(b, a, None).is_some())
    }
}
