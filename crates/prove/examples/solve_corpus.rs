//! The solver over the filters of a corpus: `cargo run -p ruleferry-prove --example solve_corpus -- FOLDER|FILE.jsonl`.
//! Each filter is asked whether it can hold, and against itself with each of its parts left out, both ways: how long does it
//! take, what is not decided, and does a model meet the formula?
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "an example")]

use ruleferry_ir::{Envelope, Rule};
use ruleferry_kql::lift::{LiftOptions, lift};
use ruleferry_prove::canon::canonical;
use ruleferry_prove::formula::{Formula, FormulaId};
use ruleferry_prove::solve::{Answer, Budget, Solver, eval};
use ruleferry_prove::{Arena, Options};
use ruleferry_sigma as sigma;
use std::collections::BTreeMap;
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

#[derive(Default)]
struct Report {
    times: Vec<(u128, String)>,
    unsatisfiable: usize,
    satisfiable: usize,
    exact: usize,
    wrong: Vec<String>,
    unknown: BTreeMap<String, usize>,
}

impl Report {
    fn ask(&mut self, id: &str, arena: &Arena, solver: &mut Solver, formula: FormulaId) {
        let mut budget = Budget::new(20_000_000, None);
        let start = Instant::now();
        let answer = solver.satisfiable(arena, formula, &mut budget);
        self.times.push((start.elapsed().as_micros(), id.to_owned()));
        match answer {
            Answer::Unsatisfiable(_) => self.unsatisfiable += 1,
            Answer::Satisfiable(model) => {
                self.satisfiable += 1;
                match eval::formula(arena, formula, &model) {
                    Some(true) => self.exact += 1,
                    Some(false) => self.wrong.push(format!("{id}: {model:?}")),
                    None => {}
                }
            }
            Answer::Unknown(reason) => {
                *self.unknown.entry(reason).or_default() += 1;
            }
        }
    }

    fn rule(&mut self, id: &str, rule: &Rule, options: &Options) {
        let mut arena = Arena::default();
        let Ok(canonical) = canonical(&mut arena, rule, options) else { return };
        let mut formulas = Vec::new();
        let Some(block) = arena.get_block(canonical.block) else { return };
        formulas.push(block.filter);
        for formula in formulas {
            let mut solver = Solver::new(options.empty_is_absent);
            self.ask(id, &arena, &mut solver, formula);
            let parts: Vec<FormulaId> = match arena.get_formula(formula) {
                Formula::And(parts) | Formula::Or(parts) => parts.to_vec(),
                Formula::True | Formula::False | Formula::Literal { .. } => Vec::new(),
            };
            let and = matches!(arena.get_formula(formula), Formula::And(_));
            for left_out in parts.iter().take(6) {
                let rest: Vec<FormulaId> = parts.iter().copied().filter(|p| p != left_out).collect();
                let less = if and { arena.and(rest) } else { arena.or(rest) };
                let (not_less, not_formula) = (arena.not(less), arena.not(formula));
                let ways = [arena.and([formula, not_less]), arena.and([less, not_formula])];
                let mut solver = Solver::new(options.empty_is_absent);
                for way in ways {
                    self.ask(id, &arena, &mut solver, way);
                }
            }
        }
    }
}

fn main() {
    let path = std::env::args().nth(1).unwrap_or_default();
    let sigma = !path.ends_with(".jsonl");
    let options = Options {
        now: 639_040_752_000_000_000,
        now_is_fixed: false,
        seed: 0,
        steps: 0,
        search: false,
        empty_is_absent: sigma,
        stop: None,
    };
    let mut report = Report::default();
    if sigma {
        let mut found = Vec::new();
        files(Path::new(&path), &mut found);
        found.sort();
        for path in found {
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            for document in sigma::syntax::parse(&text).rules().iter() {
                if let Ok(lifted) = sigma::lift::lift(document, &sigma::lift::LiftOptions::default()) {
                    report.rule(&path.display().to_string(), &lifted.rule, &options);
                }
            }
        }
    } else {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        for line in text.lines() {
            let Ok(value) = serde_json::from_str::<serde_json::Value>(line) else { continue };
            let id = value.get("id").and_then(|v| v.as_str()).unwrap_or_default();
            let Some(source) = value.get("query").and_then(|v| v.as_str()) else { continue };
            let parsed = ruleferry_kql::syntax::parse(source);
            if let Some(query) = lift(&parsed.query, &LiftOptions { source }).query {
                report.rule(id, &Rule { envelope: Envelope::default(), query }, &options);
            }
        }
    }
    let Report { mut times, unsatisfiable, satisfiable, exact, wrong, unknown } = report;
    times.sort();
    let at = |share: usize| times.get(times.len().saturating_sub(1) * share / 1000).map_or(0, |t| t.0);
    println!(
        "asked {} impossible {unsatisfiable} models {satisfiable}, of them {exact} meet it",
        times.len()
    );
    println!("us: median {} p90 {} p99 {} p99.9 {}", at(500), at(900), at(990), at(999));
    for (time, id) in times.iter().rev().take(8) {
        println!("slow {time} {id}");
    }
    for (reason, count) in unknown {
        println!("unknown {count} {reason}");
    }
    println!("models that do not meet it: {}", wrong.len());
    for text in wrong.iter().take(8) {
        println!("wrong {}", text.chars().take(600).collect::<String>());
    }
}
