//! Which functions, aggregates and plugins the corpus calls, and whether the evaluator has them: `functions [--check]`.
//! The snapshot lists each that it lacks, with the number of queries that call it.
#![allow(clippy::print_stdout, clippy::expect_used, clippy::indexing_slicing, reason = "a test harness")]

use ruleferry_eval::is_implemented;
use ruleferry_ir::functions::{FunctionDef, FunctionKind};
use ruleferry_ir::{AggregateCall, AggregateItem, ExprKind, Op, Plan};
use ruleferry_kql::lift::{LiftOptions, lift};
use ruleferry_kql::syntax::parse;
use ruleferry_testkit::snapshot;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::ExitCode;

/// How many queries must call a function before its lack counts.
const OFTEN: usize = 3;

fn main() -> ExitCode {
    let path = snapshot::shared().join("corpus/kql/dev.jsonl");
    let text = std::fs::read_to_string(&path).expect("the corpus");
    let mut uses: BTreeMap<(&'static str, &'static str), (usize, bool)> = BTreeMap::new();
    for line in text.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).expect("an entry is JSON");
        let query = entry["query"].as_str().unwrap_or_default();
        let parsed = parse(query);
        let Some(query) = lift(&parsed.query, &LiftOptions { source: query }).query else {
            continue;
        };
        let mut called = BTreeSet::new();
        query.for_each_plan(&mut |plan| of_plan(plan, &mut called));
        query.any_expr(&mut |e| {
            if let ExprKind::Call(def, _) = &e.kind {
                called.insert(*def);
            }
            false
        });
        for def in called {
            let seen = uses.entry((kind(def), def.name)).or_insert((0, is_implemented(def)));
            seen.0 += 1;
        }
    }
    let often: Vec<_> = uses.iter().filter(|(_, (n, _))| *n >= OFTEN).collect();
    let lacking = uses.iter().filter(|(_, (_, there))| !there);
    let lacked = often.iter().filter(|(_, (_, there))| !there).count();
    let mut out = format!(
        "{} functions, aggregates and plugins are called by {OFTEN} or more queries; the evaluator lacks {lacked} of them\n\n",
        often.len()
    );
    for ((kind, name), (queries, _)) in lacking {
        let _ = writeln!(out, "{kind} {name} {queries}");
    }
    print!("{out}");
    let check = std::env::args().nth(1).is_some_and(|a| a == "--check");
    if check && !snapshot::check("tests/corpora/functions.snap", &out) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

const fn kind(def: &FunctionDef) -> &'static str {
    match def.kind {
        FunctionKind::Scalar => "scalar",
        FunctionKind::Aggregate => "aggregate",
        FunctionKind::Plugin => "plugin",
        FunctionKind::Tabular => "tabular",
    }
}

type Called = BTreeSet<&'static FunctionDef>;

/// The aggregates and plugins of one operator.
fn of_plan(plan: &Plan, called: &mut Called) {
    if let Op::Aggregate(a) = &*plan.op {
        a.aggregates.iter().for_each(|i| of_aggregate(i, called));
    }
    if let Op::MakeSeries(m) = &*plan.op {
        m.aggregates.iter().for_each(|i| of_aggregate(&i.aggregate, called));
    }
    if let Op::Plugin(p) = &*plan.op {
        called.insert(p.function);
    }
}

fn of_aggregate(item: &AggregateItem, called: &mut Called) {
    match &item.call {
        AggregateCall::Function(def, _) => {
            called.insert(def);
        }
        AggregateCall::Composed { parts, .. } => parts.iter().for_each(|p| of_aggregate(p, called)),
        AggregateCall::ArgExtreme { .. } | AggregateCall::TakeAny { .. } => {}
    }
}
