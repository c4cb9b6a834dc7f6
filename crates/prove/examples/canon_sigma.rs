//! Sigma rules against what they become in KQL, read back: what share has the same canonical form?
//! `cargo run -p ruleferry-prove --example canon_sigma -- FOLDER [how many differences to show]`
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "an example")]

use ruleferry_ir::Rule;
use ruleferry_kql as kql;
use ruleferry_prove::canon::canonical;
use ruleferry_prove::{Arena, Options};
use ruleferry_sigma as sigma;
use std::path::{Path, PathBuf};
use std::time::Instant;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "yml") {
            found.push(path);
        }
    }
}

fn main() {
    let options = Options {
        now: 639_040_752_000_000_000,
        now_is_fixed: false,
        seed: 0,
        steps: 0,
        search: false,
        empty_is_absent: true,
        stop: None,
    };
    let mut args = std::env::args().skip(1);
    let folder = args.next().unwrap_or_default();
    let mut wanted: usize = args.next().and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut found = Vec::new();
    files(Path::new(&folder), &mut found);
    found.sort();
    let (mut lifted, mut lowered, mut same, mut lossy) = (0, 0, 0, 0);
    let mut times = Vec::new();
    for path in found {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let parsed = sigma::syntax::parse(&text);
        for document in parsed.rules().iter() {
            let Ok(a) = sigma::lift::lift(document, &sigma::lift::LiftOptions::default()) else { continue };
            lifted += 1;
            let Ok(output) = kql::lower::lower(&a.rule.query, &kql::lower::LowerOptions::default()) else {
                continue;
            };
            let text = kql::syntax::print(&output.query);
            let parsed = kql::syntax::parse(&text);
            let Some(query) = kql::lift::lift(&parsed.query, &kql::lift::LiftOptions { source: &text }).query
            else {
                println!("not read back: {}", path.display());
                continue;
            };
            lowered += 1;
            let b = Rule { envelope: a.rule.envelope.clone(), query };
            let mut arena = Arena::default();
            let start = Instant::now();
            let pair = (canonical(&mut arena, &a.rule, &options), canonical(&mut arena, &b, &options));
            times.push(start.elapsed().as_micros());
            let (Ok(ca), Ok(cb)) = pair else { continue };
            if ca.block == cb.block {
                same += 1;
                continue;
            }
            lossy += usize::from(!output.losses.is_empty());
            if wanted > 0 {
                wanted -= 1;
                println!(
                    "=== {} {:?}",
                    path.display(),
                    output.losses.iter().map(|l| &l.detail).collect::<Vec<_>>()
                );
                println!("{text}\n--- sigma\n{}--- kql\n{}", arena.show(ca.block), arena.show(cb.block));
            }
        }
    }
    times.sort_unstable();
    let at = |share: usize| times.get((times.len().saturating_sub(1)) * share / 100).copied().unwrap_or(0);
    println!("lifted {lifted} read back {lowered} same {same} (of the others with losses {lossy})");
    println!("us a pair: median {} p90 {} p99 {}", at(50), at(90), at(99));
}
