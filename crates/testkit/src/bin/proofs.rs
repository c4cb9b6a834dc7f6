//! Every rule of the corpora against itself, read twice, and against itself printed again:
//! `proofs [--kql] [--sigma] [--every N] [--show] [--check] [ID…]`. All must be equivalent, by proof and not by equal text.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test harness"
)]

use rayon::prelude::*;
use ruleferry_ir::Rule;
use ruleferry_kql::syntax as kql;
use ruleferry_prove::{Relation, Verdict, compare};
use ruleferry_sigma::syntax as sigma;
use ruleferry_testkit::clock::Clock;
use ruleferry_testkit::mutate::judge::{kql_rule, options, sigma_rules};
use ruleferry_testkit::{corpora, route, snapshot};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;

/// The rule read from its own text, printed from the tree.
fn printed(is_kql: bool, text: &str) -> Option<Rule> {
    if is_kql {
        kql_rule(&kql::print(&kql::parse(text).query))
    } else {
        let parsed = sigma::parse(text);
        sigma_rules(&sigma::print(&parsed.documents, &Default::default())).pop()
    }
}

fn rule(is_kql: bool, text: &str) -> Option<Rule> {
    if is_kql { kql_rule(text) } else { sigma_rules(text).pop() }
}

struct Outcome {
    route: &'static str,
    verdict: Verdict,
    micros: u128,
}

fn outcomes(is_kql: bool, text: &str) -> Vec<Outcome> {
    let Some(a) = rule(is_kql, text) else { return Vec::new() };
    let others = [("itself", rule(is_kql, text)), ("printed", printed(is_kql, text))];
    let compared = others.into_iter().map(|(route, b)| {
        let Some(b) = b else {
            return Outcome { route, verdict: Verdict::undecided("does not read"), micros: 0 };
        };
        let clock = Clock::start();
        let verdict = route::guarded(|| Ok(compare(&a, &b, &options(false))))
            .unwrap_or_else(|stop| Verdict::undecided(stop.to_string()));
        Outcome { route, verdict, micros: clock.micros() }
    });
    compared.collect()
}

fn main() -> ExitCode {
    let (mut corpora, mut every, mut show, mut check, mut ids) = (Vec::new(), 1, false, false, Vec::new());
    let mut given = std::env::args().skip(1);
    while let Some(arg) = given.next() {
        match arg.as_str() {
            "--kql" => corpora.push(true),
            "--sigma" => corpora.push(false),
            "--every" => every = given.next().and_then(|n| n.parse().ok()).expect("a number"),
            "--show" => show = true,
            "--check" => check = true,
            _ => ids.push(arg),
        }
    }
    if corpora.is_empty() {
        corpora = vec![false, true];
    }
    std::panic::set_hook(Box::new(|_| {}));
    let pool = rayon::ThreadPoolBuilder::new().stack_size(256 << 20).build().unwrap();
    let mut out = String::new();
    for is_kql in corpora {
        let mut texts = if is_kql { corpora::kql() } else { corpora::sigma() };
        if ids.is_empty() {
            texts = texts.into_iter().step_by(every).collect();
        } else {
            texts.retain(|(id, _)| ids.iter().any(|i: &String| id.contains(i.as_str())));
        }
        let all: Vec<(&str, Vec<Outcome>)> = pool
            .install(|| texts.par_iter().map(|(id, text)| (id.as_str(), outcomes(is_kql, text))).collect());
        let name = if is_kql { "KQL" } else { "Sigma" };
        for route in ["itself", "printed"] {
            let mut relations: BTreeMap<String, usize> = BTreeMap::new();
            let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
            let mut times = Vec::new();
            let mut failing = Vec::new();
            for (id, outcomes) in &all {
                for o in outcomes.iter().filter(|o| o.route == route) {
                    let proof = o.verdict.proof().map_or("", |p| p.name());
                    *relations.entry(format!("{} {proof}", o.verdict.relation().name())).or_default() += 1;
                    times.push(o.micros);
                    if o.verdict.relation() != Relation::Equivalent {
                        failing.push(*id);
                        let why = o.verdict.reasons().first().cloned().unwrap_or_default();
                        *reasons.entry(why.chars().take(100).collect()).or_default() += 1;
                        if show {
                            println!("{id} {route}: {:?}", o.verdict);
                        }
                    }
                }
            }
            times.sort_unstable();
            let at = |p: usize| times.get(times.len() * p / 100).copied().unwrap_or(0);
            println!(
                "{name} {route}: median {} µs, 99th percentile {} µs, longest {} µs",
                at(50),
                at(99),
                times.last().unwrap_or(&0)
            );
            let mut most: Vec<_> = reasons.into_iter().collect();
            most.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
            for (reason, n) in most.iter().take(15) {
                println!("  {n} open: {reason}");
            }
            let _ = writeln!(out, "{name} {route}: {} rules", times.len());
            for (relation, n) in &relations {
                let _ = writeln!(out, "  {n} {relation}");
            }
            for id in failing {
                let _ = writeln!(out, "  not proved: {id}");
            }
        }
    }
    print!("{out}");
    if check && !snapshot::check(&snapshot::of_sample("tests/proofs", "proofs", every), &out) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
