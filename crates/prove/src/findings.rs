//! What is proved of one rule alone: conditions that never or always hold, exclusions that hide all or nothing, and the like.
//!
//! In: a rule and [`Options`]. Out: [`Finding`]s with places in the text of the query. Each is proved by the solver on the
//! canonical form, or follows from the plan alone; what is not proved is not told. Filters are looked at in the rows that
//! reach them; the look-back of the schedule is no condition here, since rules repeat it on purpose.

use crate::canon::notes::{Kind, Noted, Plain, Shape, Tree};
use crate::canon::{noted, uses};
use crate::formula::{Formula, FormulaId};
use crate::solve::{Answer, Budget, Solver};
use crate::{Arena, Options};
use indexmap::IndexMap;
use ruleferry_diag::{Code, Span, codes};
use ruleferry_ir::{
    self as ir, AggregateCall, Case, ColId, CompareOp, Expr, ExprKind, JoinKind, MatchKind, Op, Plan, Value,
};

/// One thing that is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub code: Code,
    /// In the text of the query; empty for the rule as a whole.
    pub span: Span,
    pub message: String,
    pub help: String,
    /// The condition that is the reason.
    pub other: Option<Span>,
    /// What may stand here instead, with the same meaning.
    pub plain: Option<PlainTest>,
}

/// A test of a plain text that says what a pattern says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainTest {
    pub kind: MatchKind,
    pub case: Case,
    pub text: String,
}

/// All that is proved to be wrong with a rule, in the order of the text.
pub fn findings(rule: &ir::Rule, options: &Options) -> Vec<Finding> {
    let mut found = Vec::new();
    schedule(rule, &mut found);
    unused(&rule.query, &mut found);
    rule.query.for_each_plan(&mut |plan| {
        bare_join(&rule.query, plan, &mut found);
        threshold(&rule.query, plan, &mut found);
    });
    found.extend(of_conditions(rule, options));
    found.sort_by_key(|f| (f.span, f.code));
    found.dedup_by(|a, b| a.span == b.span && a.code == b.code);
    found
}

fn finding(code: Code, span: Span, message: impl Into<String>, help: &str) -> Finding {
    Finding { code, span, message: message.into(), help: help.into(), other: None, plain: None }
}

// Conditions.

/// The steps that one question may take.
const QUESTION: u64 = 5_000;
/// Conditions side by side; of more each is looked at for itself.
const MAX_PARTS: usize = 200;
/// Comparisons of two alternatives in one list.
const MAX_PAIRS: usize = 5_000;

fn of_conditions(rule: &ir::Rule, options: &Options) -> Vec<Finding> {
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
        Some(finding(code, tree.span, message, help))
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
        found.plain = Some(PlainTest { kind: plain.kind, case: plain.case, text: plain.text.clone() });
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

// What follows from the plan alone.

fn schedule(rule: &ir::Rule, found: &mut Vec<Finding>) {
    let schedule = rule.envelope.schedule;
    if let (Some(frequency), Some(look_back)) = (schedule.frequency, schedule.look_back)
        && look_back > 0
        && frequency > look_back
    {
        found.push(finding(
            codes::SCHEDULE_GAP,
            Span::default(),
            format!(
                "the rule runs every {} and looks back {} only",
                ir::time::timespan_text(frequency),
                ir::time::timespan_text(look_back)
            ),
            "events in the time between are never looked at: look back at least as long as the time between runs",
        ));
    }
    let Some(trigger) = &rule.envelope.trigger else { return };
    if let Some(most) = most_rows(&rule.query, &rule.query.plan, 0) {
        let out_of_reach = match trigger.operator.as_str() {
            "gt" => trigger.threshold >= most,
            "eq" => trigger.threshold > most,
            _ => false,
        };
        if out_of_reach {
            found.push(finding(
                codes::THRESHOLD_UNREACHABLE,
                rule.query.plan.span,
                format!("the query returns {most} rows at most, and the trigger waits for more"),
                "set the threshold of the trigger, or return more rows",
            ));
        }
    }
}

fn unused(query: &ir::Query, found: &mut Vec<Finding>) {
    for (binding, uses) in query.bindings.iter().zip(uses(query)) {
        if uses == 0 && !binding.span.is_empty() {
            found.push(finding(
                codes::UNUSED_LET,
                binding.span,
                format!("`{}` is never used", binding.name),
                "use it, or take it out: a condition may be missing",
            ));
        }
    }
}

fn literal(query: &ir::Query, e: &Expr) -> Option<i64> {
    match &e.kind {
        ExprKind::Literal(Value::Int(n)) => Some(i64::from(*n)),
        ExprKind::Literal(Value::Long(n)) => Some(*n),
        ExprKind::Cast(c) => literal(query, &c.expr),
        ExprKind::Let(id) => match &query.bindings.get(id.0 as usize)?.value {
            // Each refers to earlier ones only.
            ir::BindingValue::Scalar(e) if !matches!(e.kind, ExprKind::Let(_)) => literal(query, e),
            ir::BindingValue::Scalar(_) | ir::BindingValue::Table { .. } => None,
        },
        _ => None,
    }
}

/// How many rows a plan returns at most, where that is sure.
fn most_rows(query: &ir::Query, plan: &Plan, depth: u32) -> Option<i64> {
    if depth > 500 {
        return None;
    }
    let inner = |p: &Plan| most_rows(query, p, depth + 1);
    match &*plan.op {
        Op::Limit { input, count, kind: _ } | Op::Top { input, count, keys: _ } => {
            let own = literal(query, count).filter(|n| *n >= 0);
            match (own, inner(input)) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            }
        }
        Op::Aggregate(a) if a.keys.is_empty() => Some(1),
        Op::Aggregate(a) => inner(&a.input),
        Op::Filter { input, .. }
        | Op::Extend { input, .. }
        | Op::Project { input, .. }
        | Op::Select { input, .. }
        | Op::Distinct { input }
        | Op::Sort { input, .. }
        | Op::Serialize { input, .. }
        | Op::Render { input, .. } => inner(input),
        Op::Values(v) => i64::try_from(v.rows.len()).ok(),
        Op::Scan(_)
        | Op::Ref(_)
        | Op::Range(_)
        | Op::Rows
        | Op::Join(_)
        | Op::Union(_)
        | Op::Expand(_)
        | Op::Apply(_)
        | Op::MakeSeries(_)
        | Op::Parse(_)
        | Op::ParseKv(_)
        | Op::Partition { .. }
        | Op::Sequence(_)
        | Op::TopNested(_)
        | Op::Plugin(_)
        | Op::Search(_)
        | Op::GetSchema { .. }
        | Op::Opaque { .. } => None,
    }
}

/// `where` on what an aggregate counts, with a number that no count can meet.
fn threshold(query: &ir::Query, plan: &Plan, found: &mut Vec<Finding>) {
    let Op::Filter { input, predicate } = &*plan.op else { return };
    let conditions: &[Expr] = match &predicate.kind {
        ExprKind::And(parts) => parts,
        _ => std::slice::from_ref(predicate),
    };
    for condition in conditions {
        let ExprKind::Compare(c) = &condition.kind else { continue };
        let (column, op, number) = match (column_of(&c.left), column_of(&c.right)) {
            (Some(id), None) => (id, c.op, literal(query, &c.right)),
            (None, Some(id)) => (id, c.op.flipped(), literal(query, &c.left)),
            _ => continue,
        };
        let Some(number) = number else { continue };
        let Some((least, most)) = counted(query, input, column) else { continue };
        let beyond = |n: i64| most.is_some_and(|most| n > most);
        let (low, high) = match op {
            CompareOp::Eq => (number < least, beyond(number)),
            CompareOp::Lt => (number <= least, false),
            CompareOp::Le => (number < least, false),
            CompareOp::Gt => (false, beyond(number.saturating_add(1))),
            CompareOp::Ge => (false, beyond(number)),
            CompareOp::Ne => (false, false),
        };
        let message = match (low, high, most) {
            (true, _, _) => format!("this count is {least} at least, so that the condition never holds"),
            (_, true, Some(most)) => {
                format!("this count is {most} at most, so that the condition never holds")
            }
            _ => continue,
        };
        let help = "set the threshold, or count other rows";
        found.push(finding(codes::THRESHOLD_UNREACHABLE, condition.span, message, help));
    }
}

fn column_of(e: &Expr) -> Option<ColId> {
    match &e.kind {
        ExprKind::Cast(c) if c.implicit => column_of(&c.expr),
        _ => e.as_column(),
    }
}

/// The least and the most that a column of counts holds.
fn counted(query: &ir::Query, plan: &Plan, column: ColId) -> Option<(i64, Option<i64>)> {
    let mut plan = plan;
    loop {
        match &*plan.op {
            Op::Filter { input, .. }
            | Op::Extend { input, .. }
            | Op::Project { input, .. }
            | Op::Select { input, .. }
            | Op::Sort { input, .. }
            | Op::Serialize { input, .. }
            | Op::Limit { input, .. }
            | Op::Top { input, .. } => plan = input,
            Op::Aggregate(a) => {
                let item = a.aggregates.iter().find(|i| i.ids.as_slice() == [column])?;
                let AggregateCall::Function(function, args) = &item.call else { return None };
                let most = most_rows(query, &a.input, 0);
                return match (function.name, args.is_empty()) {
                    ("count", true) => Some((i64::from(!a.keys.is_empty()), most)),
                    ("countif", _) => Some((0, most)),
                    _ => None,
                };
            }
            _ => return None,
        }
    }
}

fn bare_join(query: &ir::Query, plan: &Plan, found: &mut Vec<Finding>) {
    let Op::Join(join) = &*plan.op else { return };
    if join.explicit || join.lookup || join.kind != JoinKind::InnerUnique {
        return;
    }
    let keys: Vec<ColId> = join.on.iter().map(|k| k.left).collect();
    if one_row_each(query, &join.left, keys, 0) {
        return;
    }
    // The word alone, where the rest of it is known to follow.
    let mut right = &join.right;
    while let Some(input) = right.input() {
        right = input;
    }
    let (from, to) = (plan.span.start, right.span.start);
    let span = if from < to && to <= plan.span.end { Span::new(from, to) } else { plan.span };
    found.push(finding(
        codes::BARE_JOIN,
        span,
        "a join without kind keeps one left row for each key",
        "write `kind=inner` for all pairs, or `kind=innerunique` where one row is meant",
    ));
}

/// Whether no two rows have the same values in these columns.
fn one_row_each(query: &ir::Query, plan: &Plan, mut keys: Vec<ColId>, depth: u32) -> bool {
    if depth > 500 {
        return false;
    }
    match &*plan.op {
        Op::Filter { input, .. }
        | Op::Extend { input, .. }
        | Op::Project { input, .. }
        | Op::Sort { input, .. }
        | Op::Serialize { input, .. }
        | Op::Limit { input, .. }
        | Op::Top { input, .. }
        | Op::Render { input, .. } => one_row_each(query, input, keys, depth + 1),
        Op::Select { input, kind: _, items } => {
            for key in &mut keys {
                if let Some(item) = items.iter().find(|i| i.to == *key) {
                    *key = item.from;
                }
            }
            one_row_each(query, input, keys, depth + 1)
        }
        Op::Aggregate(a) => a.keys.iter().flat_map(|k| &k.ids).all(|id| keys.contains(id)),
        Op::Distinct { input: _ } => plan.output.iter().all(|id| keys.contains(id)),
        Op::Values(v) => v.rows.len() < 2,
        Op::Ref(id) => {
            let Some(ir::BindingValue::Table { plan: of, .. }) =
                query.bindings.get(id.0 as usize).map(|b| &b.value)
            else {
                return false;
            };
            let inside = keys.iter().filter_map(|key| {
                let at = plan.output.iter().position(|id| id == key)?;
                of.output.get(at).copied()
            });
            let inside: Vec<ColId> = inside.collect();
            inside.len() == keys.len() && one_row_each(query, of, inside, depth + 1)
        }
        Op::Scan(_)
        | Op::Range(_)
        | Op::Rows
        | Op::Join(_)
        | Op::Union(_)
        | Op::Expand(_)
        | Op::Apply(_)
        | Op::MakeSeries(_)
        | Op::Parse(_)
        | Op::ParseKv(_)
        | Op::Partition { .. }
        | Op::Sequence(_)
        | Op::TopNested(_)
        | Op::Plugin(_)
        | Op::Search(_)
        | Op::GetSchema { .. }
        | Op::Opaque { .. } => false,
    }
}
