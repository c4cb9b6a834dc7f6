//! Measures the canonical form over a corpus of KQL queries: `cargo run -p ruleferry-prove --example canon_corpus -- FILE.jsonl`.
//! Each query is lifted twice into one arena: do both come to the same ids, how long does it take, what is refused?
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "an example")]

use ruleferry_ir::{Envelope, Rule};
use ruleferry_kql::lift::{LiftOptions, lift};
use ruleferry_kql::lower::{LowerOptions, lower};
use ruleferry_kql::syntax::{parse, print};
use ruleferry_prove::canon::canonical;
use ruleferry_prove::{Arena, Options};
use std::collections::BTreeMap;
use std::time::Instant;

fn main() {
    let options = Options {
        now: 639_040_752_000_000_000,
        now_is_fixed: false,
        seed: 0,
        steps: 0,
        search: false,
        empty_is_absent: false,
        stop: None,
    };
    let Some(path) = std::env::args().nth(1) else { return };
    let through_kql = std::env::args().any(|a| a == "--lowered");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let rule = |text: &str| {
        let parsed = parse(text);
        if parsed.diagnostics.iter().any(|d| d.severity == ruleferry_diag::Severity::Error) {
            return None;
        }
        let query = lift(&parsed.query, &LiftOptions { source: text }).query?;
        Some(Rule { envelope: Envelope::default(), query })
    };
    let (mut lifted, mut same, mut outside) = (0, 0, 0);
    let mut times = Vec::new();
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for line in text.lines() {
        let Ok(value) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let id = value.get("id").and_then(|v| v.as_str()).unwrap_or_default();
        let Some(query) = value.get("query").and_then(|v| v.as_str()) else { continue };
        let Some(a) = rule(query) else { continue };
        let b = if through_kql {
            // Lowered to KQL and read back.
            let Ok(lowered) = lower(&a.query, &LowerOptions::default()) else { continue };
            rule(&print(&lowered.query))
        } else {
            rule(query)
        };
        let Some(b) = b else {
            println!("not read back {id}");
            continue;
        };
        lifted += 1;
        // The best of some runs: other processes take their share of time.
        let mut best = u128::MAX;
        for _ in 0..4 {
            let start = Instant::now();
            let _ = canonical(&mut Arena::default(), &a, &options);
            best = best.min(start.elapsed().as_micros());
        }
        times.push((best, id.to_owned()));
        let mut arena = Arena::default();
        let ca = canonical(&mut arena, &a, &options);
        let cb = canonical(&mut arena, &b, &options);
        match (ca, cb) {
            (Ok(a), Ok(b)) => {
                outside += usize::from(!a.outside.is_empty());
                for what in &a.outside {
                    *reasons.entry(what.clone()).or_default() += 1;
                }
                let columns: Vec<bool> = a.columns.iter().zip(&b.columns).map(|(a, b)| a.1 == b.1).collect();
                if a.block == b.block && columns.iter().all(|c| *c) {
                    same += 1;
                } else {
                    println!("other {id} block {} outside {:?}", a.block == b.block, a.outside.first());
                    if through_kql {
                        println!("{}---\n{}", arena.show(a.block), arena.show(b.block));
                        for (a, b) in a.columns.iter().zip(&b.columns).filter(|(a, b)| a.1 != b.1).take(3) {
                            println!("{} {} / {}", a.0, arena.show(a.1), arena.show(b.1));
                        }
                    }
                }
            }
            (Err(e), _) | (_, Err(e)) => {
                println!("refused {id} {e}");
                *refused.entry(e).or_default() += 1;
            }
        }
    }
    times.sort();
    let at = |share: usize| times.get((times.len().saturating_sub(1)) * share / 100).map_or(0, |t| t.0);
    println!("lifted {lifted} same {same} outside {outside} refused {refused:?}");
    println!("us: median {} p90 {} p99 {} max {:?}", at(50), at(90), at(99), times.last());
    for (time, id) in times.iter().rev().take(8) {
        println!("slow {time} {id}");
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|r| std::cmp::Reverse(r.1));
    for (reason, count) in reasons.iter().take(25) {
        println!("{count} {reason}");
    }
}
