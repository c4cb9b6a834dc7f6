//! A comparison as people read it: the verdict in one line, what changed, the events that show it, what else differs.

use super::{Change, Diffed};
use ruleferry_diag::render::json::SpanRecord;
use ruleferry_diag::render::tables::{self, brief};
use ruleferry_diag::render::visible::visible;
use ruleferry_prove::{Fires, Proof, Relation, Verdict, Witness};
use std::fmt::Write as _;

/// The whole text of a pair. `path`: several pairs are shown, each has its path in front.
pub fn diff_text(diffed: &Diffed, path: bool) -> String {
    let mut out = String::new();
    let record = &diffed.record;
    if path {
        out.push_str(&visible(&record.path));
        out.push_str(": ");
    }
    match (&record.verdict, &record.a, &record.b) {
        (Some(verdict), ..) => out.push_str(&visible(&sentence(verdict))),
        (None, Some(_), None) => out.push_str("missing: b has no such rule"),
        (None, None, Some(_)) => out.push_str("new: a has no such rule"),
        (None, ..) => out.push_str("invalid: a rule cannot be read"),
    }
    out.push('\n');
    changes(&record.changes, &mut out);
    if let Some(verdict) = &record.verdict {
        for witness in verdict.witnesses() {
            witness_text(witness, &mut out);
        }
    }
    if !record.metadata.is_empty() {
        out.push_str("\napart from what is found:\n");
        for m in &record.metadata {
            let value = |v: &Option<String>| v.as_ref().map_or_else(|| "–".to_owned(), |v| brief(v));
            let _ = writeln!(out, "  {}: {} → {}", visible(&m.key), value(&m.a), value(&m.b));
        }
    }
    if let Some(text) = record.text.as_ref().filter(|t| !t.is_empty()) {
        out.push('\n');
        for line in text.lines() {
            out.push_str(&visible(line));
            out.push('\n');
        }
    }
    // What takes several lines stands apart from the next pair.
    if path && out.lines().nth(1).is_some() {
        out.push('\n');
    }
    out
}

/// The verdict with what it rests on.
pub fn sentence(verdict: &Verdict) -> String {
    let relation = verdict.relation();
    let proof = verdict.proof();
    let why = || {
        let reasons = verdict.reasons().join("; ");
        if reasons.is_empty() { "no reason is known".to_owned() } else { reasons }
    };
    match relation {
        Relation::Equivalent => format!("equivalent: both find the same ({})", proved(proof)),
        Relation::EquivalentBounded => {
            let tables = verdict.bound().unwrap_or_default();
            format!(
                "equivalent-bounded: no difference in {tables} tables that were tried; not proved: {}",
                why()
            )
        }
        Relation::Narrower => {
            format!("narrower: b misses what a finds ({})", one_way(proof, "b finds nothing more"))
        }
        Relation::Wider => format!("wider: b finds more ({})", one_way(proof, "b misses nothing")),
        Relation::Divergent => "divergent: each finds what the other misses (witnesses replayed)".to_owned(),
        Relation::Disjoint => format!("disjoint: nothing is found by both ({})", proved(proof)),
        Relation::Unknown => format!("unknown: {}", why()),
    }
}

const fn proved(proof: Option<Proof>) -> &'static str {
    match proof {
        Some(Proof::Canonical) => "proved: one canonical form",
        Some(Proof::Automaton) => "proved: automata",
        Some(Proof::Solver) => "proved: solver",
        Some(Proof::Tested) => "tested",
        None => "not proved",
    }
}

fn one_way(proof: Option<Proof>, other: &str) -> String {
    let tested = matches!(proof, Some(Proof::Tested) | None);
    format!("witness replayed; that {other} is {}", if tested { "tested, not proved" } else { "proved" })
}

fn changes(changes: &[Change], out: &mut String) {
    if changes.is_empty() {
        return;
    }
    out.push_str("\nchanges:\n");
    for change in changes {
        let place = |side: &str, span: &Option<SpanRecord>| match span {
            Some(s) => format!("{side} {}:{}", s.line, s.column),
            None => side.to_owned(),
        };
        let _ = writeln!(out, "  {} ({})", change.kind.name(), change.effect.name());
        if let Some(text) = &change.a {
            let _ = writeln!(out, "    - {}  [{}]", brief(text), place("a", &change.a_span));
        }
        if let Some(text) = &change.b {
            let _ = writeln!(out, "    + {}  [{}]", brief(text), place("b", &change.b_span));
        }
    }
}

fn witness_text(witness: &Witness, out: &mut String) {
    let who = match witness.fires() {
        Fires::A => "a finds this and b does not",
        Fires::B => "b finds this and a does not",
    };
    let _ = writeln!(out, "\n{who} (now = {}):", witness.now());
    out.push_str(&tables::text(witness.tables()));
}
