//! Validated conversion: an output is read back through its language's own front end and compared with its source.
//!
//! In: the rule that was lifted from the source, and the text that is about to be written. Out: the [`Verdict`], the losses
//! that follow from it, and the line that the artefact carries.

use crate::diff::{Comparison, NOW, empty_is_absent};
use crate::language::{Language, Layout};
use crate::same_types::{KnownTables, retype};
use crate::source;
use ruleferry_diag::{Code, Diagnostic, codes};
use ruleferry_ir::{self as ir, Effect, Loss};
use ruleferry_prove::{Executor, Fires, Proof, Relation, Verdict, Witness};
use ruleferry_sigma::lift::LiftOptions as SigmaOptions;
use ruleferry_yaral as yaral;
use smol_str::SmolStr;

/// Relation of an output to its source. `now`: the time that the output has in place of `now()`.
pub(crate) fn read_back(
    rule: &ir::Rule,
    from: Language,
    output: &str,
    to: Language,
    now: Option<i64>,
) -> Verdict {
    // The output runs over the tables of its source, with their columns and types.
    read_with(rule, from, output, to, &KnownTables::of(&rule.query), None, now)
}

/// The same for Sigma. `groups`: an alert of the output is no row of the source, so that what is compared is which groups alert;
/// the columns of the source that say so, with their names in the output.
pub(crate) fn read_sigma_back(
    rule: &ir::Rule,
    from: Language,
    output: &str,
    groups: Option<&[(ir::ColId, String)]>,
    now: Option<i64>,
) -> Verdict {
    let tables = KnownTables::of(&rule.query);
    let Some(groups) = groups else {
        return read_with(rule, from, output, Language::Sigma, &tables, None, now);
    };
    let mut source = rule.clone();
    only_timed(&mut source.query);
    let pairs: Vec<(ir::ColId, SmolStr)> = groups.iter().map(|(id, name)| (*id, name.into())).collect();
    only_groups(&mut source.query, &pairs);
    let names: Vec<SmolStr> = pairs.into_iter().map(|(_, name)| name).collect();
    read_with(&source, from, output, Language::Sigma, &tables, Some(&names), now)
}

/// What is taken for granted where windows of time are compared: see [`only_timed`].
pub(crate) const EVENTS_HAVE_TIMES: &str = "every event has a time";

/// Leaves out events without a time: they are in no window of a correlation, and no log holds such.
fn only_timed(query: &mut ir::Query) {
    let ir::Query { columns: _, bindings, plan, assumptions: _ } = query;
    let bound = bindings.iter_mut().filter_map(|b| match &mut b.value {
        ir::BindingValue::Table { plan, .. } => Some(plan),
        ir::BindingValue::Scalar(_) => None,
    });
    let mut work: Vec<&mut ir::Plan> = bound.chain([plan]).collect();
    while let Some(plan) = work.pop() {
        if let ir::Op::Scan(ir::Scan { time: Some(time), .. }) = &*plan.op {
            let (span, output) = (plan.span, plan.output.clone());
            let time = ir::Expr::column(*time, ir::Type::Datetime, span);
            let null = ir::Expr::new(ir::ExprKind::IsNull(Box::new(time)), ir::Type::Bool, span);
            let input = plan.clone();
            *plan = ir::Plan::new(ir::Op::Filter { input, predicate: null.negated(span) }, output, span);
            continue;
        }
        // The operators that a correlation may stand for.
        match &mut *plan.op {
            ir::Op::Filter { input, .. }
            | ir::Op::Extend { input, .. }
            | ir::Op::Project { input, .. }
            | ir::Op::Select { input, .. }
            | ir::Op::Serialize { input, .. }
            | ir::Op::Sort { input, .. }
            | ir::Op::Limit { input, .. }
            | ir::Op::Top { input, .. }
            | ir::Op::Render { input, .. }
            | ir::Op::Distinct { input } => work.push(input),
            ir::Op::Aggregate(a) => work.push(&mut a.input),
            ir::Op::Join(j) => work.extend([&mut j.left, &mut j.right]),
            ir::Op::Union(u) => work.extend(&mut u.inputs),
            _ => {}
        }
    }
}

/// Adds fields to what a rule over single events returns.
fn add_fields(query: &mut ir::Query, names: &[SmolStr]) {
    let ir::Query { columns, plan, .. } = query;
    let ir::Op::Filter { input, .. } = &mut *plan.op else { return };
    let ir::Op::Scan(ir::Scan { open: true, .. }) = &*input.op else { return };
    let mut output = input.output.to_vec();
    for name in names {
        if output.iter().all(|id| columns.name(*id) != name) {
            output.push(columns.add(name.clone(), ir::Type::String, plan.span));
        }
    }
    input.output = output.clone().into();
    plan.output = output.into();
}

/// Leaves of a query's rows which groups they are about.
fn only_groups(query: &mut ir::Query, groups: &[(ir::ColId, SmolStr)]) {
    let span = query.plan.span;
    let mut items = Vec::with_capacity(groups.len() + 1);
    let mut item = |columns: &mut ir::Columns, name: &str, expr: ir::Expr| {
        let ids = vec![columns.add(name, expr.ty, span)];
        items.push(ir::Item { ids, expr, named: true });
    };
    for (id, name) in groups {
        let expr = ir::Expr::column(*id, query.columns.ty(*id), span);
        item(&mut query.columns, name, expr);
    }
    // Without groups: whether there is an alert.
    item(&mut query.columns, "alert", ir::Expr::bool(true, span));
    let output: Vec<ir::ColId> = items.iter().flat_map(|i| i.ids.clone()).collect();
    let input = query.plan.clone();
    let project = ir::Plan::new(ir::Op::Project { input, items }, output.clone(), span);
    query.plan = ir::Plan::new(ir::Op::Distinct { input: project }, output, span);
}

/// The same for SQL; `needs` are the inputs that it reads. `None` where nothing is proved: SQL says a rule in other stages
/// than its source, so that much of it is right and not proved yet, and that is no doubt about the output.
pub(crate) fn read_sql_back(
    rule: &ir::Rule,
    from: Language,
    output: &str,
    needs: &[ruleferry_sql::Need],
    now: Option<i64>,
) -> Option<Verdict> {
    let tables = KnownTables::of_sql(&rule.query, needs);
    let verdict = read_with(rule, from, output, Language::SQL, &tables, None, now);
    (verdict.relation() == Relation::Equivalent).then_some(verdict)
}

/// Runs SQL that was made of a rule on the engine, over tables that are made for the rule. What it answers otherwise than the
/// evaluator is a fault of ours.
pub(crate) fn try_out(rule: &ir::Rule, executor: &dyn Executor) -> Option<Diagnostic> {
    // The same time on both sides.
    let options = ruleferry_sql::SqlOptions {
        dialect: ruleferry_sql::Dialect::DUCKDB,
        now: Some(NOW),
        look_back: rule.envelope.schedule.look_back,
    };
    let script = ruleferry_sql::print(&ruleferry_sql::lower(&rule.query, &options).ok()?.script);
    let mut rule = rule.clone();
    (rule.envelope.trigger, rule.envelope.enabled) = (None, None);
    let tried = ruleferry_prove::try_out(&rule, &script, executor, &prove_options(NOW));
    disagreement(tried, rule.query.plan.span)
}

/// The same for a script of a comparison and its witnesses.
pub(crate) fn replay(
    rule: &ir::Rule,
    script: &str,
    witnesses: &[Witness],
    now: i64,
    executor: &dyn Executor,
) -> Option<Diagnostic> {
    // The engine has a clock of its own.
    if rule.query.any_expr(&mut |e| matches!(e.kind, ir::ExprKind::Now)) {
        return None;
    }
    let mut rule = rule.clone();
    (rule.envelope.trigger, rule.envelope.enabled) = (None, None);
    witnesses.iter().find_map(|witness| {
        let tried = ruleferry_prove::replay(&rule, script, executor, witness, &prove_options(now));
        disagreement(tried, ruleferry_diag::Span::default())
    })
}

fn prove_options(now: i64) -> ruleferry_prove::Options {
    ruleferry_prove::Options {
        now,
        now_is_fixed: false,
        seed: 1,
        steps: 0,
        search: false,
        empty_is_absent: false,
        stop: None,
    }
}

fn disagreement(tried: Result<Option<String>, String>, span: ruleferry_diag::Span) -> Option<Diagnostic> {
    let message = match tried {
        Ok(None) => return None,
        Ok(Some(tables)) => {
            let tables: String = tables.chars().take(LONGEST).collect();
            format!("the SQL engine answers otherwise than the evaluator over {tables}")
        }
        Err(fault) => format!("the SQL does not run on its engine: {fault}"),
    };
    let help = "this is a fault of Ruleferry, not of the rule: do not rely on the output, and report it";
    Some(Diagnostic::error(codes::ENGINES_DISAGREE, span, message).with_help(help))
}

fn read_with(
    rule: &ir::Rule,
    from: Language,
    output: &str,
    to: Language,
    tables: &KnownTables,
    groups: Option<&[SmolStr]>,
    now: Option<i64>,
) -> Verdict {
    if let Some(reason) = ruleferry_prove::too_large(rule) {
        return Verdict::undecided(reason);
    }
    let layout = if to == Language::Sigma { Layout::Yaml } else { Layout::Text };
    let unreadable = |found: &[Diagnostic]| {
        let first = found.iter().find(|d| d.is_error()).map_or("", |d| d.message.as_str());
        Verdict::undecided(format!("the output does not read back: {first}"))
    };
    let rules = match source::read(output, to, layout) {
        Ok(rules) => rules,
        Err(found) => return unreadable(&found),
    };
    let [only] = rules.as_slice() else {
        return Verdict::undecided(format!("the output reads back as {} rules", rules.len()));
    };
    let sigma = SigmaOptions { accept_unsupported: true, ..SigmaOptions::default() };
    let mut lifted = match only.lift(&sigma, Some(tables)) {
        Ok(lifted) => lifted,
        Err(fault) => return unreadable(fault.diagnostics()),
    };
    if let Some(names) = groups {
        add_fields(&mut lifted.rule.query, names);
    }
    if to == Language::Sigma {
        retype(&mut lifted.rule.query, tables);
    }
    if let Some(names) = groups {
        let query = &lifted.rule.query;
        let find =
            |name: &SmolStr| query.plan.output.iter().copied().find(|id| query.columns.name(*id) == name);
        let pairs: Option<Vec<_>> = names.iter().map(|n| Some((find(n)?, n.clone()))).collect();
        let Some(pairs) = pairs else { return Verdict::undecided("the output does not show its groups") };
        only_groups(&mut lifted.rule.query, &pairs);
    }
    let comparison = Comparison {
        now,
        now_is_fixed: now.is_some(),
        watch: None,
        empty_is_absent: empty_is_absent(from, to),
        search: !matches!(to, Language::Sql(_)),
    };
    comparison.verdict(rule, &lifted.rule)
}

/// The same for a rule of YARA-L whose events are those of the source's tables. `one_window`: its windows overlap, and the two are
/// compared as if all events lay in one of them; what the windows change is told as a loss.
pub(crate) fn read_yaral_back(
    rule: &ir::Rule,
    from: Language,
    lowered: &yaral::lower::Lowered,
    one_window: bool,
    now: Option<i64>,
) -> Verdict {
    if let Some(reason) = ruleferry_prove::too_large(rule) {
        return Verdict::undecided(reason);
    }
    // What is read is the text, as the service will.
    let output = &lowered.rule;
    let parsed = yaral::syntax::parse(&yaral::syntax::print_rule(output));
    let [only] = parsed.file.rules.as_slice() else {
        return Verdict::undecided("the output does not read back as one rule");
    };
    if parsed.has_errors() || only != output {
        return Verdict::undecided("the output does not read back as the same tree");
    }
    let tables = KnownTables::of(&rule.query);
    let options =
        yaral::lift::LiftOptions { tables: Some(&tables), one_window, look_backs: &lowered.look_backs };
    let mut lifted = match yaral::lift::lift_over(only, &options) {
        Ok(lifted) => lifted,
        Err(found) => {
            let first = found.first().map_or("", |d| d.message.as_str());
            return Verdict::undecided(format!("the output does not read back: {first}"));
        }
    };
    // A rule of YARA-L has no period of its own: the two look at the same events.
    lifted.rule.envelope.schedule.look_back = rule.envelope.schedule.look_back;
    keep_same_types(&mut lifted.rule.query, &rule.query);
    let comparison = Comparison {
        now,
        now_is_fixed: now.is_some(),
        watch: None,
        // In events of UDM the two are one value, and in Kusto's tables as well.
        empty_is_absent: empty_is_absent(from, Language::Yaral) || from == Language::Kql,
        search: true,
    };
    let verdict = comparison.verdict(rule, &lifted.rule);
    if one_window && matches!(verdict.relation(), Relation::Equivalent | Relation::EquivalentBounded) {
        let how = if verdict.relation() == Relation::Equivalent { "proved" } else { "found" };
        return Verdict::undecided(format!(
            "over one window the two are {how} to be equal; the windows of the output overlap"
        ));
    }
    verdict
}

/// Takes away the columns that the other query returns with another type: outcomes are texts, numbers and lists, so that a
/// dynamic value is shown as its text. What is shown of a row is not whether there is one.
fn keep_same_types(query: &mut ir::Query, other: &ir::Query) {
    let named = |name: &str| other.plan.output.iter().find(|id| other.columns.name(**id) == name);
    let same = |id: &ir::ColId| {
        named(query.columns.name(*id)).is_none_or(|o| other.columns.ty(*o) == query.columns.ty(*id))
    };
    let kept: Vec<ir::ColId> = query.plan.output.iter().copied().filter(same).collect();
    if kept.len() == query.plan.output.len() {
        return;
    }
    let span = query.plan.span;
    let items = kept.iter().map(|id| ir::SelectItem { from: *id, to: *id }).collect();
    let empty = ir::Plan::new(ir::Op::Rows, Vec::new(), span);
    let input = std::mem::replace(&mut query.plan, empty);
    query.plan = ir::Plan::new(ir::Op::Select { input, kind: ir::SelectKind::Away, items }, kept, span);
}

/// What a verdict says is lost, beyond what the back end knows of.
pub(crate) fn add_losses(losses: &mut Vec<Loss>, verdict: &Verdict, span: ruleferry_diag::Span) {
    for witness in verdict.witnesses() {
        let (code, effect, what): (Code, Effect, &str) = match witness.fires() {
            Fires::A => (codes::OUTPUT_MISSES, Effect::Narrows, "the output misses what the source finds"),
            Fires::B => (codes::OUTPUT_FINDS_MORE, Effect::Widens, "the output finds more than the source"),
        };
        if losses.iter().all(|l| l.effect != effect) {
            let detail = format!("{what}: {}", witness_line(witness));
            losses.push(Loss { code, effect, detail, span });
        }
    }
}

/// Characters of a witness in one line.
const LONGEST: usize = 400;

fn witness_line(witness: &Witness) -> String {
    let tables: Vec<String> = witness.tables().iter().map(|(name, rows)| format!("{name}: {rows}")).collect();
    let line = tables.join("; ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    line.chars().take(LONGEST).collect::<String>() + "…"
}

/// The line about the verdict in the artefact.
pub(crate) fn comment(verdict: &Verdict) -> String {
    match verdict.relation() {
        Relation::Equivalent => {
            let by = match verdict.proof() {
                Some(Proof::Canonical) | None => "canonical form",
                Some(Proof::Automaton) => "automata",
                Some(Proof::Solver) => "solver",
                Some(Proof::Tested) => "tested",
            };
            format!("Equivalent to its source (proved: {by}).")
        }
        Relation::EquivalentBounded => {
            let tables = verdict.bound().unwrap_or_default();
            format!("No difference from its source found in {tables} tables; not proved.")
        }
        Relation::Narrower => "Narrower than its source: it misses alerts.".into(),
        Relation::Wider => "Wider than its source: it finds more.".into(),
        Relation::Divergent | Relation::Disjoint => {
            "Divergent from its source: each finds what the other misses.".into()
        }
        Relation::Unknown => {
            let reason = verdict.reasons().first().map_or("no reason is known", String::as_str);
            let reason: String = reason.chars().take(LONGEST).collect();
            format!("Not proved to be equivalent to its source: {reason}.")
        }
    }
}
