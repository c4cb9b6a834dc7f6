//! How good the search is: on how many rules of the corpora it makes a table on which the rule alerts, and how many rules
//! with one condition less it tells from the rule: `hits [--kql|--sigma] [--mutants] [--show] [--limit N] [ID…]`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a measurement"
)]

use ruleferry_ir::{BindingValue, Expr, ExprKind, Op, Plan, Query, Rule};
use ruleferry_prove::{Options, fires, shown, witnesses};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const NOW: i64 = 639_040_752_000_000_000;

fn main() {
    let (mut kql, mut sigma, mut mutants, mut show, mut limit, mut ids) =
        (true, true, false, false, usize::MAX, Vec::new());
    let mut given = std::env::args().skip(1);
    while let Some(arg) = given.next() {
        match arg.as_str() {
            "--kql" => sigma = false,
            "--sigma" => kql = false,
            "--mutants" => mutants = true,
            "--show" => show = true,
            "--limit" => limit = given.next().and_then(|n| n.parse().ok()).expect("a number"),
            _ => ids.push(arg),
        }
    }
    std::panic::set_hook(Box::new(|_| {}));
    let mut groups: Vec<(&str, Vec<(String, Rule)>)> = Vec::new();
    if sigma {
        groups.push(("sigma", sigma_rules()));
    }
    if kql {
        groups.push(("kql", kql_rules()));
    }
    for (name, mut rules) in groups {
        if !ids.is_empty() {
            rules.retain(|(id, _)| ids.iter().any(|i| id.contains(i.as_str())));
        } else if limit < rules.len() {
            let step = rules.len() / limit;
            rules = rules.into_iter().step_by(step.max(1)).collect();
        }
        let next = AtomicUsize::new(0);
        let out: Mutex<Vec<(usize, String, Duration)>> = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..2 {
                let work = || {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some((_, rule)) = rules.get(at) else { break };
                        let start = Instant::now();
                        let told = catch_unwind(AssertUnwindSafe(|| {
                            if mutants { detected(rule, show) } else { fired(rule, show) }
                        }));
                        let told = told.unwrap_or_else(|p| {
                            let why = p.downcast_ref::<String>().cloned();
                            let why = why.or_else(|| p.downcast_ref::<&str>().map(|s| (*s).to_owned()));
                            format!("panic {}", why.unwrap_or_default())
                        });
                        if start.elapsed() > Duration::from_secs(2) || told.contains("alive") {
                            println!("> {} [{} ms] {told}", rules[at].0, start.elapsed().as_millis());
                        }
                        out.lock().unwrap().push((at, told, start.elapsed()));
                    }
                };
                std::thread::Builder::new().stack_size(256 << 20).spawn_scoped(scope, work).unwrap();
            }
        });
        let mut out = out.into_inner().unwrap();
        out.sort();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let (mut killed, mut all) = (0, 0);
        for (at, told, time) in &out {
            let word = told.split(' ').next().unwrap_or_default();
            *counts.entry(word.to_owned()).or_default() += 1;
            if word == "mutants" {
                let mut n = told.split(' ').skip(1).map_while(|w| w.parse::<usize>().ok());
                killed += n.next().unwrap_or(0);
                all += n.next().unwrap_or(0);
            }
            let quiet = word == "fired" || word == "mutants" && !told.contains("alive");
            if !quiet && !told.contains("alive") {
                println!("{} [{} ms] {told}", rules[*at].0, time.as_millis());
            }
        }
        let mut times: Vec<Duration> = out.iter().map(|o| o.2).collect();
        times.sort();
        let at = |p: usize| times.get(times.len().saturating_sub(1) * p / 100).copied().unwrap_or_default();
        println!("{name}: {} rules {counts:?}; mutants {killed}/{all}", rules.len());
        println!("{name}: median {:?}, 90 % {:?}, 99 % {:?}, most {:?}", at(50), at(90), at(99), at(100));
    }
}

fn options() -> Options {
    Options {
        now: NOW,
        now_is_fixed: false,
        seed: 1,
        steps: 2_000_000,
        search: true,
        empty_is_absent: false,
        stop: None,
    }
}

fn fired(rule: &Rule, show: bool) -> String {
    match fires(rule, &options()) {
        Ok(0) => {
            let mut out = "none".to_owned();
            if show {
                out.push_str(&format!("\n{}\n{}", shown(rule, &options(), 0), deepest(rule)));
            }
            out
        }
        Ok(n) => {
            if show {
                println!("{}", shown(rule, &options(), 0));
            }
            format!("fired {n}")
        }
        Err(f) => format!("fault {f}"),
    }
}

/// The first operator of the main plan that no row passes.
fn deepest(rule: &Rule) -> String {
    let mut chain = vec![&rule.query.plan];
    while let Some(input) = chain.last().and_then(|p| p.input()) {
        chain.push(input);
    }
    while let Some(plan) = chain.pop() {
        let mut less = rule.clone();
        less.query.plan = plan.clone();
        if !matches!(fires(&less, &options()), Ok(n) if n > 0) {
            let text = ruleferry_ir::text(&less.query);
            return format!("stops at {:?} of\n{text}", std::mem::discriminant(&*plan.op));
        }
    }
    String::new()
}

/// Each rule that has one condition less.
fn weaker(rule: &Rule) -> Vec<Rule> {
    let mut count = 0;
    let mut all = rule.clone();
    each_filter(&mut all.query, &mut |e| count += conjuncts(e));
    (0..count)
        .map(|n| {
            let mut next = rule.clone();
            let mut at = 0;
            each_filter(&mut next.query, &mut |e| {
                let here = conjuncts(e);
                if (at..at + here).contains(&n) {
                    drop_conjunct(e, n - at);
                }
                at += here;
            });
            next
        })
        .collect()
}

fn conjuncts(e: &Expr) -> usize {
    if let ExprKind::And(es) = &e.kind { es.len() } else { 1 }
}

fn drop_conjunct(e: &mut Expr, n: usize) {
    if let ExprKind::And(es) = &mut e.kind {
        es.remove(n);
    } else {
        *e = Expr::bool(true, e.span);
    }
}

fn each_filter(query: &mut Query, f: &mut dyn FnMut(&mut Expr)) {
    for b in &mut query.bindings {
        if let BindingValue::Table { plan, .. } = &mut b.value {
            filters(plan, f);
        }
    }
    filters(&mut query.plan, f);
}

fn filters(plan: &mut Plan, f: &mut dyn FnMut(&mut Expr)) {
    match &mut *plan.op {
        Op::Filter { input, predicate } => {
            filters(input, f);
            f(predicate);
        }
        Op::Extend { input, .. }
        | Op::Project { input, .. }
        | Op::Select { input, .. }
        | Op::Distinct { input }
        | Op::Sort { input, .. }
        | Op::Limit { input, .. }
        | Op::Top { input, .. }
        | Op::Serialize { input, .. } => filters(input, f),
        Op::Aggregate(a) => filters(&mut a.input, f),
        Op::Join(j) => {
            filters(&mut j.left, f);
            filters(&mut j.right, f);
        }
        Op::Union(u) => u.inputs.iter_mut().for_each(|p| filters(p, f)),
        Op::Expand(e) => filters(&mut e.input, f),
        Op::Parse(p) => filters(&mut p.input, f),
        _ => {}
    }
}

fn detected(rule: &Rule, show: bool) -> String {
    let mut alive = String::new();
    let weaker = weaker(rule);
    let (mut killed, all) = (0, weaker.len());
    for (n, other) in weaker.iter().enumerate() {
        let (a, b, tried, fired, faults) = witnesses(rule, other, &options());
        if a.is_some() || b.is_some() {
            killed += 1;
            if show {
                for w in [a, b].into_iter().flatten() {
                    println!("{:?} {}", w.fires(), serde_json::to_string(w.tables()).unwrap());
                }
            }
        } else {
            alive.push_str(&format!(" alive {n} ({tried} tried, {fired} fired, {faults:?})"));
        }
    }
    format!("mutants {killed} {all}{alive}")
}

fn shared() -> PathBuf {
    PathBuf::from(std::env::var("RULEFERRY_CORPUS").unwrap_or_else(|_| "/work/shared".to_owned()))
}

fn kql_rules() -> Vec<(String, Rule)> {
    let text = std::fs::read_to_string(shared().join("corpus/kql/dev.jsonl")).expect("the corpus");
    let mut out = Vec::new();
    for line in text.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).expect("an entry is JSON");
        if entry["syntax_ok"] != true {
            continue;
        }
        let query = entry["query"].as_str().unwrap().to_owned();
        let lifted = catch_unwind(AssertUnwindSafe(|| {
            let parsed = ruleferry_kql::syntax::parse(&query);
            let options = ruleferry_kql::lift::LiftOptions { source: &query };
            ruleferry_kql::lift::lift(&parsed.query, &options).query
        }));
        if let Ok(Some(query)) = lifted {
            out.push((
                entry["id"].as_str().unwrap().to_owned(),
                Rule { envelope: Default::default(), query },
            ));
        }
    }
    out
}

fn sigma_rules() -> Vec<(String, Rule)> {
    let mut paths = Vec::new();
    files(&shared().join("corpus/sigma"), &mut paths);
    paths.sort();
    let mut out = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let parsed = ruleferry_sigma::syntax::parse(&text);
        for document in parsed.rules().iter() {
            if let Ok(lifted) = ruleferry_sigma::lift::lift(document, &Default::default()) {
                out.push((path.file_stem().unwrap().to_string_lossy().into_owned(), lifted.rule));
            }
        }
    }
    out
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|e| e == "yml") {
            out.push(path);
        }
    }
}
