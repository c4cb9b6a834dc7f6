//! Validated conversion: an output is read back through its language's own front end and compared with its source.
//!
//! In: the rule that was lifted from the source, and the text that is about to be written. Out: the [`Verdict`], the losses
//! that follow from it, and the line that the artefact carries.

use crate::diff::{Comparison, empty_is_absent};
use crate::language::{Language, Layout};
use crate::same_types::{KnownTables, retype};
use crate::source;
use ruleferry_diag::{Code, Diagnostic, codes};
use ruleferry_ir::{self as ir, Effect, Loss};
use ruleferry_prove::{Fires, Proof, Relation, Verdict, Witness};
use ruleferry_sigma::lift::LiftOptions as SigmaOptions;

/// Relation of an output to its source. `now`: the time that the output has in place of `now()`.
pub(crate) fn read_back(
    rule: &ir::Rule,
    from: Language,
    output: &str,
    to: Language,
    now: Option<i64>,
) -> Verdict {
    // The output runs over the tables of its source, with their columns and types.
    read_with(rule, from, output, to, &KnownTables::of(&rule.query), now)
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
    let verdict = read_with(rule, from, output, Language::SQL, &tables, now);
    (verdict.relation() == Relation::Equivalent).then_some(verdict)
}

fn read_with(
    rule: &ir::Rule,
    from: Language,
    output: &str,
    to: Language,
    tables: &KnownTables,
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
    if to == Language::Sigma {
        retype(&mut lifted.rule.query, tables);
    }
    let comparison = Comparison {
        now,
        watch: None,
        empty_is_absent: empty_is_absent(from, to),
        search: !matches!(to, Language::Sql(_)),
    };
    comparison.verdict(rule, &lifted.rule)
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
