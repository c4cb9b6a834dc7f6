//! Every rule of the corpora to SQL and back, over tables made from its own literals:
//! `readback [sigma|kql] [--limit N] [--lift] [--engine|--changed] [--show] [ID…]`. With `--engine` what is read back is held against
//! the engine that runs the SQL, with `--changed` also for SQL with small changes that no lowering made.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test harness"
)]

use rayon::prelude::*;
use ruleferry_ir::Query;
use ruleferry_testkit::readback::{Outcome, against_engine, check};
use ruleferry_testkit::{route, snapshot};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn main() {
    let mut engine = None;
    let (mut limit, mut lift, mut show, mut corpus, mut ids) =
        (usize::MAX, false, false, String::from("kql"), Vec::new());
    let mut given = std::env::args().skip(1);
    while let Some(arg) = given.next() {
        match arg.as_str() {
            "--limit" => limit = given.next().and_then(|n| n.parse().ok()).expect("a number"),
            "--lift" => lift = true,
            "--show" => show = true,
            "--engine" => engine = Some(false),
            "--changed" => engine = Some(true),
            "kql" | "sigma" => corpus = arg,
            _ => ids.push(arg),
        }
    }
    std::panic::set_hook(Box::new(|_| {}));
    let mut rules = if corpus == "kql" { kql() } else { sigma() };
    if !ids.is_empty() {
        rules.retain(|(id, _)| ids.iter().any(|i| id.contains(i.as_str())));
    } else if limit < rules.len() {
        let step = rules.len() / limit;
        rules = rules.into_iter().step_by(step.max(1)).collect();
    }
    let pool = rayon::ThreadPoolBuilder::new().stack_size(256 << 20).build().unwrap();
    let start = std::time::Instant::now();
    if let Some(change) = engine {
        let found: Vec<_> = pool.install(|| {
            rules.par_iter().map(|(id, query)| (id, against_engine(query, id, change))).collect()
        });
        let (mut read, mut ran, mut differ) = (0, 0, 0);
        for (id, (r, n, faults)) in found {
            (read, ran, differ) = (read + r, ran + n, differ + faults.len());
            for fault in faults {
                let text = if show { fault.as_str() } else { fault.lines().next().unwrap_or_default() };
                println!("DIFFER {id} {text}");
            }
        }
        println!("{read} texts read back, {ran} run on the engine, {differ} differ, in {:.1?}", start.elapsed());
        return;
    }
    let outcomes: Vec<(String, Outcome, String)> = pool.install(|| {
        rules
            .par_iter()
            .map(|(id, query)| {
                let (outcome, sql) = check(query, id, if lift { 0 } else { 4 });
                (id.clone(), outcome, sql)
            })
            .collect()
    });
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut refusals: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for (id, outcome, sql) in &outcomes {
        let word = match outcome {
            Outcome::NoSql => "no-sql",
            Outcome::Refused(code, text) => {
                let kind = text.split(" :: ").next().unwrap_or_default();
                let entry = refusals.entry(format!("{code} {kind}")).or_insert((0, format!("{id} {text}")));
                entry.0 += 1;
                if show {
                    println!("REFUSED {id} {code} {text}");
                }
                "refused"
            }
            Outcome::Same(0) => "same-empty",
            Outcome::Same(_) => "same",
            Outcome::Differ(text) => {
                println!("DIFFER {id} {}", if show { text.as_str() } else { text.lines().next().unwrap_or_default() });
                if show {
                    println!("{sql}");
                }
                "differ"
            }
            Outcome::NoAnswer(why) => {
                println!("NO-ANSWER {id} {}", why.lines().next().unwrap_or_default());
                "no-answer"
            }
            Outcome::Panic(why) => {
                println!("PANIC {id} {why}");
                "panic"
            }
        };
        *counts.entry(word).or_default() += 1;
    }
    let mut refusals: Vec<_> = refusals.into_iter().collect();
    refusals.sort_by_key(|(_, (n, _))| std::cmp::Reverse(*n));
    for (kind, (n, example)) in refusals.iter().take(80) {
        println!("{n:5} {kind}\n        {example}");
    }
    println!("{} rules in {:.1?}: {counts:?}", outcomes.len(), start.elapsed());
}

fn kql() -> Vec<(String, Query)> {
    let path = snapshot::shared().join("corpus/kql/dev.jsonl");
    let text = std::fs::read_to_string(&path).expect("the corpus");
    text.lines()
        .map(|l| serde_json::from_str::<serde_json::Value>(l).expect("an entry is JSON"))
        .filter(|e| e["syntax_ok"] == true)
        .filter_map(|e| {
            let query = route::guarded(|| route::ir(e["query"].as_str().unwrap())).ok()?;
            Some((e["id"].as_str().unwrap().to_owned(), query))
        })
        .collect()
}

fn sigma() -> Vec<(String, Query)> {
    let root = snapshot::shared().join("corpus/sigma");
    let mut files = Vec::new();
    walk(&root, &mut files);
    files.sort();
    let mut rules = Vec::new();
    for file in files {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let parsed = ruleferry_sigma::syntax::parse(&text);
        for (n, document) in parsed.rules().iter().enumerate() {
            let options = ruleferry_sigma::lift::LiftOptions::default();
            if let Ok(lifted) = ruleferry_sigma::lift::lift(document, &options) {
                let name = file.strip_prefix(&root).unwrap_or(&file).display();
                rules.push((format!("{name}#{n}"), lifted.rule.query));
            }
        }
    }
    rules
}

fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, out);
        } else if path.extension().is_some_and(|e| e == "yml" || e == "yaml") {
            out.push(path);
        }
    }
}
