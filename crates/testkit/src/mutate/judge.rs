//! What the prover says of a rule and an edit of it, and whether tables that it did not choose agree.

use super::Edit;
use crate::clock::Clock;
use crate::route::{self, NOW};
use crate::{hints, tables};
use ruleferry_eval::{Definedness, Key, undefined_columns};
use ruleferry_ir::{Envelope, Query, Rule};
use ruleferry_prove::{Options, Proof, Relation, Verdict, compare};
use std::collections::BTreeMap;

/// What came of one edit.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub kind: &'static str,
    pub verdict: Verdict,
    /// Tables of another generator on which the two return different rows.
    pub differs: bool,
    /// Such tables show what the verdict says was proved not to be.
    pub contradicted: bool,
    /// Time of the comparison.
    pub micros: u128,
}

/// The rules of a KQL text.
pub fn kql_rule(text: &str) -> Option<Rule> {
    let query = route::guarded(|| route::ir(text)).ok()?;
    Some(Rule { envelope: Envelope::default(), query })
}

/// The rules of a Sigma file.
pub fn sigma_rules(text: &str) -> Vec<Rule> {
    use ruleferry_sigma as sigma;
    let parsed = sigma::syntax::parse(text);
    let options = sigma::lift::LiftOptions::default();
    parsed.rules().iter().filter_map(|d| sigma::lift::lift(d, &options).ok()).map(|l| l.rule).collect()
}

pub fn options(search: bool) -> Options {
    Options {
        now: NOW,
        now_is_fixed: false,
        seed: 1,
        steps: 500_000,
        search,
        empty_is_absent: false,
        stop: None,
    }
}

/// Compares a rule with an edit of it.
pub fn judge(edit: &Edit, a: &Rule, b: &Rule) -> Option<Outcome> {
    let clock = Clock::start();
    let verdict = route::guarded(|| Ok(compare(a, b, &options(true))))
        .unwrap_or_else(|stop| Verdict::undecided(stop.to_string()));
    let micros = clock.micros();
    let tested = verdict.proof() == Some(Proof::Tested);
    // Which differences are there, and which of them must not be. Only where something was proved can other tables contradict.
    let (differs, contradicted) = match verdict.relation() {
        Relation::Equivalent => {
            let (only_a, only_b) = other_tables(&a.query, &b.query);
            (only_a || only_b, only_a || only_b)
        }
        Relation::EquivalentBounded | Relation::Unknown => {
            let (only_a, only_b) = other_tables(&a.query, &b.query);
            (only_a || only_b, false)
        }
        Relation::Narrower => (true, !tested && other_tables(&a.query, &b.query).1),
        Relation::Wider => (true, !tested && other_tables(&a.query, &b.query).0),
        Relation::Divergent | Relation::Disjoint => (true, false),
    };
    Some(Outcome { kind: edit.kind, verdict, differs, contradicted, micros })
}

/// Whether tables made from the constants of either query show a row of `a`, of `b` alone that no open choice explains.
fn other_tables(a: &Query, b: &Query) -> (bool, bool) {
    let mut shown = (false, false);
    for attempt in 0..3 {
        for of in [a, b] {
            let (only_a, only_b) = differs_on(a, b, of, attempt).unwrap_or_default();
            shown = (shown.0 || only_a, shown.1 || only_b);
        }
    }
    shown
}

fn differs_on(a: &Query, b: &Query, of: &Query, attempt: u64) -> Option<(bool, bool)> {
    let made = route::guarded(|| Ok(tables::generate(&hints::of(of), "mutants", attempt, true))).ok()?;
    let (ra, rb) = (route::eval(a, &made, 0).ok()?, route::eval(b, &made, 0).ok()?);
    if !ra.choices.is_empty() || !rb.choices.is_empty() {
        return None;
    }
    let (da, db) = (undefined_columns(a), undefined_columns(b));
    if da.1 || db.1 {
        return None;
    }
    let defined =
        |q: &Query, d: &[Definedness]| -> BTreeMap<String, usize> {
            let named =
                q.plan.output.iter().enumerate().filter(|(i, _)| {
                    matches!(d.get(*i), Some(Definedness::Exact | Definedness::DataDependent))
                });
            named.map(|(i, id)| (q.columns.name(*id).to_owned(), i)).collect()
        };
    let (ca, cb) = (defined(a, &da.0), defined(b, &db.0));
    let shared: Vec<(usize, usize)> = ca.iter().filter_map(|(n, i)| Some((*i, *cb.get(n)?))).collect();
    if shared.is_empty() {
        return Some((rb.rows.is_empty() && !ra.rows.is_empty(), ra.rows.is_empty() && !rb.rows.is_empty()));
    }
    let bag = |rows: &[ruleferry_eval::Row], q: &Query, at: &dyn Fn(&(usize, usize)) -> usize| {
        let mut bag: BTreeMap<Vec<Key>, usize> = BTreeMap::new();
        for row in rows {
            let key = |p: &(usize, usize)| {
                let i = at(p);
                let ty = q.columns.ty(q.plan.output[i]);
                Key::new(&row[i], ty)
            };
            *bag.entry(shared.iter().map(key).collect()).or_default() += 1;
        }
        bag
    };
    let (bag_a, bag_b) = (bag(&ra.rows, a, &|p| p.0), bag(&rb.rows, b, &|p| p.1));
    let more = |x: &BTreeMap<Vec<Key>, usize>, y: &BTreeMap<Vec<Key>, usize>| {
        x.iter().any(|(key, n)| y.get(key).is_none_or(|m| n > m))
    };
    Some((more(&bag_a, &bag_b), more(&bag_b, &bag_a)))
}
