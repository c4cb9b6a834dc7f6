//! Edits of the corpora under the prover: `mutants [--kql] [--sigma] [--rewrites] [--each N] [--every N] [--show] [--check] [ID…]`.
//!
//! Mutants: no edit that the evaluator shows to differ may be called equivalent. Rewrites: none may be called different.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test harness"
)]

use rayon::prelude::*;
use ruleferry_ir::Rule;
use ruleferry_prove::Relation;
use ruleferry_testkit::mutate::judge::{Outcome, judge, kql_rule, sigma_rules};
use ruleferry_testkit::mutate::{Edit, kql_mutants, kql_rewrites, sigma_mutants, sigma_rewrites, some};
use ruleferry_testkit::{corpora, snapshot};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Corpus {
    Kql,
    Sigma,
}

struct Arguments {
    corpora: Vec<Corpus>,
    rewrites: bool,
    each: usize,
    every: usize,
    show: bool,
    check: bool,
    ids: Vec<String>,
}

fn arguments() -> Arguments {
    let mut a = Arguments {
        corpora: Vec::new(),
        rewrites: false,
        each: 6,
        every: 1,
        show: false,
        check: false,
        ids: Vec::new(),
    };
    let mut given = std::env::args().skip(1);
    while let Some(arg) = given.next() {
        let mut number = || given.next().and_then(|n| n.parse().ok()).expect("a number");
        match arg.as_str() {
            "--kql" => a.corpora.push(Corpus::Kql),
            "--sigma" => a.corpora.push(Corpus::Sigma),
            "--rewrites" => a.rewrites = true,
            "--each" => a.each = number(),
            "--every" => a.every = number(),
            "--show" => a.show = true,
            "--check" => a.check = true,
            _ => a.ids.push(arg),
        }
    }
    if a.corpora.is_empty() {
        a.corpora = vec![Corpus::Sigma, Corpus::Kql];
    }
    a
}

/// The rule of an edit, where it is one.
fn rule_of(corpus: Corpus, text: &str) -> Option<Rule> {
    match corpus {
        Corpus::Kql => kql_rule(text),
        Corpus::Sigma => {
            let mut rules = sigma_rules(text);
            (rules.len() == 1).then(|| rules.remove(0))
        }
    }
}

fn edits(corpus: Corpus, text: &str, rewrites: bool) -> Vec<Edit> {
    match (corpus, rewrites) {
        (Corpus::Kql, false) => kql_mutants(text),
        (Corpus::Kql, true) => kql_rewrites(text),
        (Corpus::Sigma, false) => sigma_mutants(text),
        (Corpus::Sigma, true) => sigma_rewrites(text),
    }
}

fn outcomes(corpus: Corpus, id: &str, text: &str, a: &Arguments) -> Vec<(Edit, Outcome)> {
    let Some(rule) = rule_of(corpus, text) else { return Vec::new() };
    // Some edits do not read: more are made than are kept.
    let edits = some(edits(corpus, text, a.rewrites), a.each * 2, id);
    let judged = edits.into_iter().filter_map(|e| {
        let other = rule_of(corpus, &e.text)?;
        let outcome = judge(&e, &rule, &other)?;
        Some((e, outcome))
    });
    judged.take(a.each).collect()
}

#[derive(Default)]
struct Count {
    all: usize,
    differ: usize,
    decided: usize,
    proved: usize,
    wrong: usize,
}

fn main() -> ExitCode {
    let a = arguments();
    std::panic::set_hook(Box::new(|_| {}));
    let pool = rayon::ThreadPoolBuilder::new().stack_size(256 << 20).build().unwrap();
    let (mut wrong, mut same) = (0, true);
    for corpus in &a.corpora {
        let mut out = String::new();
        let mut texts = match corpus {
            Corpus::Kql => corpora::kql(),
            Corpus::Sigma => corpora::sigma(),
        };
        if a.ids.is_empty() {
            texts = texts.into_iter().step_by(a.every).collect();
        } else {
            texts.retain(|(id, _)| a.ids.iter().any(|i| id.contains(i.as_str())));
        }
        let all: Vec<(&str, Vec<(Edit, Outcome)>)> = pool.install(|| {
            texts.par_iter().map(|(id, text)| (id.as_str(), outcomes(*corpus, id, text, &a))).collect()
        });
        let mut kinds: BTreeMap<&str, Count> = BTreeMap::new();
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        let mut times: Vec<u128> = Vec::new();
        let mut by_relation: BTreeMap<&str, Vec<u128>> = BTreeMap::new();
        let mut failing: Vec<String> = Vec::new();
        for (id, outcomes) in &all {
            for (edit, o) in outcomes {
                let count = kinds.entry(o.kind).or_default();
                times.push(o.micros);
                count.all += 1;
                count.differ += usize::from(o.differs);
                let relation = o.verdict.relation();
                by_relation.entry(relation.name()).or_default().push(o.micros);
                let proved = relation == Relation::Equivalent;
                let decided = !matches!(relation, Relation::EquivalentBounded | Relation::Unknown);
                count.proved += usize::from(proved);
                count.decided += usize::from(decided);
                let bad = o.contradicted || a.rewrites && decided && !proved;
                count.wrong += usize::from(bad);
                if bad {
                    failing.push(format!("{id} {}: {}", o.kind, relation.name()));
                }
                let open = if a.rewrites { !proved } else { !decided };
                if open {
                    let reason = o.verdict.reasons().first().cloned().unwrap_or_default();
                    *reasons.entry(reason.chars().take(90).collect()).or_default() += 1;
                }
                if a.show && (bad || open) {
                    println!("---- {id} {} {} {:?}\n{}\n", o.kind, relation.name(), o.verdict, edit.text);
                }
            }
        }
        let name = match corpus {
            Corpus::Kql => "KQL",
            Corpus::Sigma => "Sigma",
        };
        let what = if a.rewrites { "rewrites" } else { "mutants" };
        let sum = |f: fn(&Count) -> usize| kinds.values().map(f).sum::<usize>();
        let (total, wanted) =
            (sum(|c| c.all), if a.rewrites { sum(|c| c.proved) } else { sum(|c| c.decided) });
        let _ = writeln!(
            out,
            "{name} {what}: {total}, shown to differ {}, decided {} ({:.2} %), proved equivalent {} ({:.2} %), wrong {}",
            sum(|c| c.differ),
            wanted,
            100.0 * wanted as f64 / total.max(1) as f64,
            sum(|c| c.proved),
            100.0 * sum(|c| c.proved) as f64 / total.max(1) as f64,
            sum(|c| c.wrong),
        );
        for (kind, c) in &kinds {
            let _ = writeln!(
                out,
                "  {kind}: {} differ {} decided {} proved {} wrong {}",
                c.all, c.differ, c.decided, c.proved, c.wrong
            );
        }
        wrong += sum(|c| c.wrong);
        for line in &failing {
            let _ = writeln!(out, "  WRONG {line}");
        }
        times.sort_unstable();
        let at = |p: usize| times.get(times.len() * p / 100).copied().unwrap_or(0);
        let mut most: Vec<_> = reasons.into_iter().collect();
        most.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        println!(
            "{name} (time on one core): median {} µs, 99th percentile {} µs, longest {} µs",
            at(50),
            at(99),
            times.last().unwrap_or(&0)
        );
        for (relation, times) in &mut by_relation {
            times.sort_unstable();
            let at = |p: usize| times.get(times.len() * p / 100).copied().unwrap_or(0);
            println!("  {} {relation}: median {} µs, 90 % {} µs", times.len(), at(50), at(90));
        }
        for (reason, n) in most.iter().take(25) {
            println!("  {n} open: {reason}");
        }
        print!("{out}");
        // One file for each corpus: the smaller one is done in a minute.
        let part = format!("{what}-{}", name.to_lowercase());
        same &= !a.check || snapshot::check(&snapshot::of_sample("tests/proofs", &part, a.every), &out);
    }
    if wrong > 0 || !same { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
