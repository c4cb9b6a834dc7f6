//! What the prover says of a rule and an edit of it, and whether tables that it did not choose agree.

use super::Edit;
use crate::route::{self, NOW};
use crate::{hints, tables};
use ruleferry_eval::{Definedness, Key, undefined_columns};
use ruleferry_ir::{Envelope, Query, Rule};
use ruleferry_prove::{Options, Relation, Verdict, compare};
use std::collections::BTreeMap;

/// What came of one edit.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub kind: &'static str,
    pub verdict: Verdict,
    /// Tables of another generator on which the two return different rows.
    pub differs: bool,
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
    Options { now: NOW, seed: 1, steps: 200_000, search, empty_is_absent: false, stop: None }
}

/// Compares a rule with an edit of it.
#[expect(clippy::disallowed_methods, reason = "measures the time of a comparison")]
pub fn judge(edit: &Edit, a: &Rule, b: &Rule) -> Option<Outcome> {
    let start = std::time::Instant::now();
    let verdict = route::guarded(|| Ok(compare(a, b, &options(true))))
        .unwrap_or_else(|stop| Verdict::undecided(stop.to_string()));
    let micros = start.elapsed().as_micros();
    // Only where something was proved can other tables contradict.
    let differs = match verdict.relation() {
        Relation::Equivalent | Relation::EquivalentBounded | Relation::Unknown => {
            other_tables(&a.query, &b.query)
        }
        Relation::Narrower | Relation::Wider | Relation::Divergent | Relation::Disjoint => true,
    };
    Some(Outcome { kind: edit.kind, verdict, differs, micros })
}

/// Whether tables made from the constants of either query show a difference that no open choice explains.
fn other_tables(a: &Query, b: &Query) -> bool {
    (0..3).any(|attempt| [a, b].into_iter().any(|of| differs_on(a, b, of, attempt).unwrap_or(false)))
}

fn differs_on(a: &Query, b: &Query, of: &Query, attempt: u64) -> Option<bool> {
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
        return Some(ra.rows.is_empty() != rb.rows.is_empty());
    }
    let bag = |rows: &[ruleferry_eval::Row], q: &Query, at: &dyn Fn(&(usize, usize)) -> usize| {
        let mut bag: Vec<Vec<Key>> = rows
            .iter()
            .map(|row| {
                let key = |p: &(usize, usize)| {
                    let i = at(p);
                    let ty = q.columns.ty(q.plan.output[i]);
                    Key::new(&row[i], ty)
                };
                shared.iter().map(key).collect()
            })
            .collect();
        bag.sort();
        bag
    };
    Some(bag(&ra.rows, a, &|p| p.0) != bag(&rb.rows, b, &|p| p.1))
}
