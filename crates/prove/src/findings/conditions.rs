//! Conditions that never or always hold, that others imply or cover, exclusions that hide all or nothing, patterns that are
//! plain texts: asked of the solver, filter by filter.

use super::{Finding, PlainTest, Repair, finding};
use crate::canon::noted;
use crate::canon::notes::{Kind, Noted, Plain, Shape, Tree};
use crate::formula::{Formula, FormulaId};
use crate::solve::{Answer, Budget, Solver};
use crate::{Arena, Options};
use indexmap::IndexMap;
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{self as ir, Case};

/// The steps that one question may take.
const QUESTION: u64 = 5_000;
/// Conditions side by side; of more each is looked at for itself.
const MAX_PARTS: usize = 200;
/// Comparisons of two alternatives in one list.
const MAX_PAIRS: usize = 5_000;

pub(super) fn all(rule: &ir::Rule, options: &Options) -> Vec<Finding> {
    let mut rule = rule.clone();
    rule.envelope.schedule.look_back = None;
    let mut arena = Arena::default();
    let Ok(notes) = noted(&mut arena, &rule, options) else { return Vec::new() };
    let mut judge = Judge {
        arena,
        solver: Solver::new(options.empty_is_absent),
        plain: Solver::new(options.empty_is_absent).without_odd_letters(),
        budget: Budget::new(options.steps, options.stop),
        told: IndexMap::new(),
    };
    // A place that is read several times (a function that is called twice) is wrong only where it is so each time.
    let mut visits: IndexMap<Span, usize> = IndexMap::new();
    let mut told: IndexMap<(Span, &'static str), (usize, Span, Finding)> = IndexMap::new();
    for note in &notes {
        *visits.entry(note.tree.span).or_default() += 1;
        judge.filter(note);
        for (place, finding) in judge.told.drain(..) {
            told.entry(place).or_insert_with(|| (0, note.tree.span, finding)).0 += 1;
        }
    }
    told.into_values().filter(|(n, place, _)| visits.get(place) == Some(n)).map(|(.., f)| f).collect()
}

struct Judge {
    arena: Arena,
    solver: Solver,
    /// For plain tests in the place of patterns.
    plain: Solver,
    budget: Budget,
    /// What was found in the filter at hand.
    told: IndexMap<(Span, &'static str), Finding>,
}

/// How parts stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// All must hold.
    All,
    /// One must hold.
    One,
}

impl Judge {
    fn tell(&mut self, found: Option<Finding>) -> bool {
        let Some(finding) = found else { return false };
        self.told.entry((finding.span, finding.code.0)).or_insert(finding);
        true
    }

    /// Whether it is proved that these never hold together.
    fn never(&mut self, parts: &[FormulaId]) -> bool {
        let all = self.arena.and(parts.iter().copied());
        match self.arena.get_formula(all) {
            Formula::False => return true,
            Formula::True => return false,
            Formula::And(_) | Formula::Or(_) | Formula::Literal { .. } => {}
        }
        let most = self.budget.steps.min(QUESTION);
        if most == 0 {
            return false;
        }
        let mut budget = Budget::new(most, self.budget.stop);
        let answer = self.solver.satisfiable(&self.arena, all, &mut budget);
        // A question has a price of its own, so that many small ones end, too.
        self.budget.steps = self.budget.steps.saturating_sub(10 + most - budget.steps);
        matches!(answer, Answer::Unsatisfiable(_))
    }

    /// Whether `b` holds wherever all of `a` do.
    fn implies(&mut self, a: &[FormulaId], b: FormulaId) -> bool {
        let not = self.arena.not(b);
        let mut parts = a.to_vec();
        parts.push(not);
        self.never(&parts)
    }

    fn filter(&mut self, note: &Noted) {
        let (context, tree) = (note.context, &note.tree);
        // Where nothing arrives, all is proved and nothing is worth telling.
        if self.never(&[context]) {
            return;
        }
        if self.never(&[context, tree.holds]) {
            let found = self.dead(context, tree);
            self.tell(found);
            return;
        }
        if let Kind::And(parts) = &tree.kind {
            let parts: Vec<&Tree> = parts.iter().collect();
            self.parts(context, Side::All, &parts, true);
            return;
        }
        let found = self.idle(&[context], tree, true);
        if !self.tell(found) {
            self.inside(context, tree, true);
        }
    }

    /// The reason of a filter that lets nothing pass.
    fn dead(&mut self, context: FormulaId, tree: &Tree) -> Option<Finding> {
        let selection_and = |this: &mut Self, exclusion: &Tree, rest: &[FormulaId]| {
            let mut all = vec![context];
            all.extend_from_slice(rest);
            !this.never(&all) && this.implies(&all, exclusion.fails)
        };
        let exclusion = |tree: &Tree| {
            finding(
                codes::EXCLUSION_HIDES_ALL,
                tree.span,
                "this exclusion hides all of what the conditions before it select",
                "the rule can make no alert: make the exclusion narrower",
            )
        };
        if let Kind::And(parts) = &tree.kind {
            let selected: Vec<FormulaId> =
                parts.iter().filter(|p| !matches!(p.kind, Kind::Not(_))).map(|p| p.holds).collect();
            for part in parts {
                if self.never(&[part.holds]) {
                    // A list that is to be filled, a switch: dead until someone sets it.
                    if part.configured {
                        return None;
                    }
                    return Some(finding(
                        codes::RULE_NEVER_MATCHES,
                        part.span,
                        "this condition can never hold",
                        "no event meets it: look whether an `and` should be an `or`, and at the values",
                    ));
                }
            }
            for part in parts.iter().filter(|p| matches!(p.kind, Kind::Not(_))) {
                if selection_and(self, part, &selected) {
                    return Some(exclusion(part));
                }
            }
        } else if matches!(tree.kind, Kind::Not(_)) && !self.never(&[tree.holds]) {
            return Some(exclusion(tree));
        }
        let (message, help) = if self.never(&[tree.holds]) {
            if tree.configured {
                return None;
            }
            (
                "this condition can never hold",
                "no event meets it: look whether an `and` should be an `or`, and at the values",
            )
        } else {
            (
                "this condition can never hold together with those before it",
                "no event passes: one of the conditions is not what was meant",
            )
        };
        Some(finding(codes::RULE_NEVER_MATCHES, tree.span, message, help))
    }

    /// A condition that what is known of its rows says already.
    fn idle(&mut self, known: &[FormulaId], tree: &Tree, truth: bool) -> Option<Finding> {
        let excludes = matches!(tree.kind, Kind::Not(_)) == truth;
        let code = if excludes { codes::EXCLUSION_HIDES_NONE } else { codes::ALWAYS_HOLDS };
        if silent(tree) || !self.implies(known, tree.when(truth)) {
            return None;
        }
        let own = self.implies(&[], tree.when(truth));
        let (message, help) = match (excludes, own) {
            (true, true) => ("this exclusion hides nothing: nothing can meet it", "look at the values"),
            (true, false) => (
                "this exclusion hides nothing that the other conditions let through",
                "take it out, or look whether field and value are those that were meant",
            ),
            (false, true) => ("this condition always holds", "it filters nothing: write what was meant"),
            (false, false) => (
                "this condition always holds here: the conditions around it say so already",
                "take it out, or write what was meant",
            ),
        };
        let mut found = finding(code, tree.span, message, help);
        // What the conditions around it say may go. That nothing ever says is a mistake that someone should look at.
        found.repair = (!excludes && !own).then_some(Repair::Remove);
        Some(found)
    }

    /// Conditions, or alternatives, side by side; `truth`: what is asked of each.
    fn parts(&mut self, context: FormulaId, side: Side, parts: &[&Tree], truth: bool) {
        if parts.len() > MAX_PARTS {
            for part in parts {
                self.inside(context, part, truth);
            }
            return;
        }
        match side {
            Side::All => self.conditions(context, parts, truth),
            Side::One => self.alternatives(context, parts, truth),
        }
    }

    fn conditions(&mut self, context: FormulaId, parts: &[&Tree], truth: bool) {
        // `truth` false: the parts are alternatives of something that is excluded.
        let mut dropped = vec![false; parts.len()];
        for (i, part) in parts.iter().enumerate().rev() {
            let others: Vec<FormulaId> = parts
                .iter()
                .enumerate()
                .filter(|(j, p)| *j != i && dropped.get(*j) != Some(&true) && p.span != part.span)
                .map(|(_, p)| p.when(truth))
                .collect();
            let mut known = vec![context];
            let excludes = !truth || matches!(part.kind, Kind::Not(_));
            if excludes && truth {
                // What the selection finds: exclusions do not count to it.
                known.extend(parts.iter().filter(|p| !matches!(p.kind, Kind::Not(_))).map(|p| p.when(true)));
            }
            let mut found = self.idle(&known, part, truth);
            if let Some(found) = &mut found {
                found.other = self.reason(i, parts, &dropped, truth);
            }
            if found.is_none() && !silent(part) {
                found = self.implied(i, parts, &dropped, truth);
            }
            if self.tell(found) {
                if let Some(slot) = dropped.get_mut(i) {
                    *slot = true;
                }
            } else {
                let inner = self.arena.and(std::iter::once(context).chain(others));
                self.inside(inner, part, truth);
            }
        }
    }

    /// The one condition beside it that says it already, where one is enough.
    fn reason(&mut self, i: usize, parts: &[&Tree], dropped: &[bool], truth: bool) -> Option<Span> {
        let part = parts.get(i)?;
        for (j, other) in parts.iter().enumerate() {
            let counts = i != j && dropped.get(j) != Some(&true) && !same_place(part, other);
            if counts && self.implies(&[other.when(truth)], part.when(truth)) {
                return Some(other.span);
            }
        }
        None
    }

    /// A condition that another one beside it says already.
    fn implied(&mut self, i: usize, parts: &[&Tree], dropped: &[bool], truth: bool) -> Option<Finding> {
        let covers = !truth;
        let code = if covers { codes::COVERED_ALTERNATIVE } else { codes::IMPLIED_CONDITION };
        let part = parts.get(i)?;
        for (j, other) in parts.iter().enumerate() {
            if i == j
                || dropped.get(j) == Some(&true)
                || same_place(part, other)
                || other.configured
                // A quick test before a slow one is written on purpose.
                || (j > i && truth && !same_kind(part, other))
            {
                continue;
            }
            if self.implies(&[other.when(truth)], part.when(truth)) {
                let mut found = if covers {
                    covered(part)
                } else {
                    finding(
                        code,
                        part.span,
                        "this condition is implied by another one beside it",
                        "take it out, or look whether both are what was meant",
                    )
                };
                found.other = Some(other.span);
                found.repair = Some(Repair::Remove);
                return Some(found);
            }
        }
        None
    }

    fn alternatives(&mut self, context: FormulaId, parts: &[&Tree], truth: bool) {
        let mut dropped = vec![false; parts.len()];
        let mut pairs = 0_usize;
        for (i, part) in parts.iter().enumerate() {
            let mut found = None;
            if !silent(part) {
                for (j, other) in parts.iter().enumerate() {
                    if i == j || dropped.get(j) == Some(&true) || same_place(part, other) || other.configured
                    {
                        continue;
                    }
                    pairs += 1;
                    if pairs > MAX_PAIRS {
                        break;
                    }
                    // Of two that say the same the later one is left over.
                    let twice = part.when(truth) == other.when(truth);
                    if twice && j > i {
                        continue;
                    }
                    if twice || self.implies(&[part.when(truth)], other.when(truth)) {
                        let mut covered = if truth {
                            covered(part)
                        } else {
                            finding(
                                codes::IMPLIED_CONDITION,
                                part.span,
                                "this condition is implied by another one beside it",
                                "take it out, or look whether both are what was meant",
                            )
                        };
                        covered.other = Some(other.span);
                        covered.repair = Some(Repair::Remove);
                        found = Some(covered);
                        break;
                    }
                }
            }
            if found.is_none() && truth && !silent(part) && self.never(&[context, part.when(truth)]) {
                found = Some(finding(
                    codes::RULE_NEVER_MATCHES,
                    part.span,
                    "this alternative can never hold here",
                    "no event that meets the other conditions meets it: look at field and value",
                ));
            }
            if self.tell(found) {
                if let Some(slot) = dropped.get_mut(i) {
                    *slot = true;
                }
            } else {
                self.inside(context, part, truth);
            }
        }
    }

    /// What stands inside of a condition.
    fn inside(&mut self, context: FormulaId, tree: &Tree, truth: bool) {
        match &tree.kind {
            Kind::Test(Shape::Pattern(plain)) => {
                let found = self.plain_text(tree, plain);
                self.tell(found);
            }
            Kind::Test(Shape::Match(_) | Shape::Compare | Shape::Guard | Shape::Other) => {}
            Kind::And(_) | Kind::Or(_) | Kind::Not(_) => {
                if let Some((side, parts)) = parts_of(tree, truth) {
                    let truth = truth != negates(tree);
                    self.parts(context, side, &parts, truth);
                } else if let Kind::Not(inner) = &tree.kind {
                    self.inside(context, inner, !truth);
                }
            }
        }
    }

    fn plain_text(&mut self, tree: &Tree, plain: &Plain) -> Option<Finding> {
        let pairs = [
            (tree.holds, plain.holds),
            (plain.holds, tree.holds),
            (tree.fails, plain.fails),
            (plain.fails, tree.fails),
        ];
        let proved = |this: &mut Self| pairs.iter().all(|(a, b)| this.implies(&[*a], *b));
        let mut help = "a plain text test finds the same".to_owned();
        if !proved(self) {
            if plain.case == Case::Sensitive {
                return None;
            }
            std::mem::swap(&mut self.solver, &mut self.plain);
            let same = proved(self);
            std::mem::swap(&mut self.solver, &mut self.plain);
            if !same {
                return None;
            }
            help.push_str(
                " (in texts without `ſ`, `İ` and the Kelvin sign, which patterns fold in another way)",
            );
        }
        let message = "this pattern is a plain text";
        let mut found = finding(codes::PLAIN_REGEX, tree.span, message, &help);
        let plain = PlainTest { kind: plain.kind, case: plain.case, text: plain.text.clone() };
        found.repair = Some(Repair::Plain(plain));
        Some(found)
    }
}

fn covered(part: &Tree) -> Finding {
    finding(
        codes::COVERED_ALTERNATIVE,
        part.span,
        "this alternative is covered by another one",
        "take it out, or make the wider one as narrow as was meant",
    )
}

/// What is not worth telling of a condition that says nothing: guards are written on purpose, settings may be changed.
fn silent(tree: &Tree) -> bool {
    match &tree.kind {
        _ if tree.configured => true,
        Kind::Not(inner) => silent(inner),
        Kind::Test(Shape::Guard) => true,
        Kind::Test(Shape::Match(_) | Shape::Pattern(_) | Shape::Compare | Shape::Other) => false,
        Kind::And(parts) | Kind::Or(parts) => parts.iter().all(silent),
    }
}

/// One stands in the other, or both were made of one text.
fn same_place(a: &Tree, b: &Tree) -> bool {
    let within = |a: Span, b: Span| a.start >= b.start && a.end <= b.end;
    a.span.is_empty() || b.span.is_empty() || within(a.span, b.span) || within(b.span, a.span)
}

fn same_kind(a: &Tree, b: &Tree) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::Test(Shape::Match(a)), Kind::Test(Shape::Match(b))) => a == b,
        (Kind::Test(Shape::Compare), Kind::Test(Shape::Compare)) => true,
        (Kind::Not(a), Kind::Not(b)) => same_kind(a, b),
        (Kind::Test(_) | Kind::And(_) | Kind::Or(_) | Kind::Not(_), _) => false,
    }
}

fn negates(tree: &Tree) -> bool {
    match &tree.kind {
        Kind::Not(inner) => !negates(inner),
        Kind::And(_) | Kind::Or(_) | Kind::Test(_) => false,
    }
}

/// What stands side by side in a condition, under its negations, and how.
fn parts_of(tree: &Tree, truth: bool) -> Option<(Side, Vec<&Tree>)> {
    match &tree.kind {
        Kind::And(parts) => Some((if truth { Side::All } else { Side::One }, parts.iter().collect())),
        Kind::Or(parts) => Some((if truth { Side::One } else { Side::All }, parts.iter().collect())),
        Kind::Not(inner) => parts_of(inner, !truth),
        Kind::Test(_) => None,
    }
}
