//! Prints the canonical form of KQL queries: `cargo run -p ruleferry-prove --example canon -- 'T | where x > 5'`. Two queries
//! are compared: `same` or `other`.
#![allow(clippy::print_stdout, reason = "an example")]

use ruleferry_ir::{Envelope, Rule};
use ruleferry_kql::lift::{LiftOptions, lift};
use ruleferry_kql::syntax::parse;
use ruleferry_prove::canon::{Canonical, canonical};
use ruleferry_prove::{Arena, Options, show};

fn main() {
    // 2026-01-15T12:00:00Z
    let now = 639_040_752_000_000_000;
    let options = Options {
        now,
        now_is_fixed: false,
        seed: 0,
        steps: 0,
        search: false,
        empty_is_absent: false,
        stop: None,
    };
    let mut arena = Arena::default();
    let mut all: Vec<Canonical> = Vec::new();
    for text in std::env::args().skip(1) {
        let parsed = parse(&text);
        let lifted = lift(&parsed.query, &LiftOptions { source: &text });
        for d in parsed.diagnostics.iter().chain(&lifted.diagnostics) {
            println!("! {}", d.message);
        }
        let Some(query) = lifted.query else { continue };
        match canonical(&mut arena, &Rule { envelope: Envelope::default(), query }, &options) {
            Ok(made) => {
                print!("{}", show::query(&arena, &made));
                println!("rewrites: {}", made.rewrites.iter().copied().collect::<Vec<_>>().join(", "));
                all.push(made);
            }
            Err(reason) => println!("! {reason}"),
        }
    }
    if let [a, b] = all.as_slice() {
        let columns = |c: &Canonical| c.columns.iter().map(|c| c.1).collect::<Vec<_>>();
        let same = a.block == b.block && columns(a) == columns(b);
        println!("{}", if same { "same" } else { "other" });
    }
}
