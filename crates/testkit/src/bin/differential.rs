//! Every query of the corpus that has SQL, over tables made from its own literals, on both engines:
//! `differential [--check] [--every N] [--seed N] [--show] [ID…]`.
//!
//! `--every N` takes each Nth query of the corpus; `--check` compares with the lines of these in the committed snapshot.
//! `--seed N` makes other tables than those of the snapshot.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test harness"
)]

use rayon::prelude::*;
use ruleferry_duckdb::Engine;
use ruleferry_eval::MemoryTable;
use ruleferry_testkit::hints::Hints;
use ruleferry_testkit::versus::{Bench, Prepared, Verdict, prepare, shown, shrunk};
use ruleferry_testkit::{conformance, duck, hints, route, snapshot, tables};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let (mut check, mut every, mut show, mut ids) = (false, 1, false, Vec::new());
    let mut seed = String::new();
    let mut given = std::env::args().skip(1);
    while let Some(arg) = given.next() {
        match arg.as_str() {
            "--check" => check = true,
            "--every" => every = given.next().and_then(|n| n.parse().ok()).expect("a number"),
            "--seed" => seed = given.next().expect("a seed"),
            "--show" => show = true,
            _ => ids.push(arg),
        }
    }
    std::panic::set_hook(Box::new(|_| {}));
    let path = snapshot::shared().join("corpus/kql/dev.jsonl");
    let text = std::fs::read_to_string(&path).expect("the corpus");
    let mut queries: Vec<(String, String)> = text
        .lines()
        .map(|l| serde_json::from_str::<serde_json::Value>(l).expect("an entry is JSON"))
        .filter(|e| e["syntax_ok"] == true)
        .map(|e| (e["id"].as_str().unwrap().to_owned(), e["query"].as_str().unwrap().to_owned()))
        .collect();
    if !ids.is_empty() {
        queries.retain(|(id, _)| ids.iter().any(|i| id.contains(i.as_str())));
    } else {
        queries = queries.into_iter().step_by(every.max(1)).collect();
    }
    let pool = rayon::ThreadPoolBuilder::new().stack_size(256 << 20).build().unwrap();
    let outcomes: Vec<(String, String)> = pool.install(|| {
        queries.par_iter().map(|(id, q)| told(id, outcome(&format!("{id}{seed}"), q, show))).collect()
    });
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, outcome) in &outcomes {
        *counts.entry(outcome.split(' ').next().unwrap_or_default()).or_default() += 1;
    }
    let count = |word: &str| counts.get(word).copied().unwrap_or(0);
    let converted = outcomes.len() - count("refused") - count("lift");
    let agreed = count("agree") + count("empty");
    let mut out = format!(
        "{} queries, {converted} have SQL: {agreed} agree ({:.2} %), of these {} without a row; {} differ, {} fail on DuckDB, {} have no answer in the evaluator\n",
        outcomes.len(),
        100.0 * agreed as f64 / converted.max(1) as f64,
        count("empty"),
        count("differ"),
        count("error"),
        count("unanswered"),
    );
    print!("{out}");
    out.push('\n');
    for (id, outcome) in &outcomes {
        let _ = writeln!(out, "{id} {}", outcome.split(' ').next().unwrap_or_default());
    }
    let kept = "tests/corpora/differential.snap";
    if check && !(if every > 1 { snapshot::check_lines(kept, &out) } else { snapshot::check(kept, &out) }) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Shows what is not as it should be, as soon as it is known.
fn told(id: &str, outcome: String) -> (String, String) {
    if !matches!(outcome.split(' ').next(), Some("agree" | "empty" | "refused" | "lift")) {
        println!("{id} {outcome}");
    }
    (id.to_owned(), outcome)
}

thread_local! {
    /// Opening a database takes longer than most queries.
    static ENGINE: RefCell<Option<Engine>> = const { RefCell::new(None) };
}

/// First try and more tries where nothing came out of it.
const ATTEMPTS: u64 = 10;

fn outcome(id: &str, text: &str, show: bool) -> String {
    let query = match route::guarded(|| route::ir(text)) {
        Ok(query) => query,
        Err(_) => return "lift".to_owned(),
    };
    let prepared = match prepare(&query) {
        Ok(prepared) => prepared,
        Err(_) => return "refused".to_owned(),
    };
    let Ok(hints) = route::guarded(|| Ok(hints::of(&query))) else { return "error hints".to_owned() };
    ENGINE.with_borrow_mut(|kept| {
        let Some(engine) = kept.take().or_else(duck::open) else { return "error no libduckdb".to_owned() };
        let outcome = match prepared.bench(&engine) {
            Ok(bench) => tried(id, text, &prepared, &hints, &bench, show),
            Err(e) => format!("error {e}"),
        };
        // One that has failed may be unfit for more.
        *kept = (!outcome.starts_with("error")).then_some(engine);
        outcome
    })
}

fn tried(
    id: &str,
    text: &str,
    prepared: &Prepared<'_>,
    hints: &Hints,
    bench: &Bench<'_, '_>,
    show: bool,
) -> String {
    let line = |text: &str| text.lines().next().unwrap_or_default().chars().take(300).collect::<String>();
    let mut rows = 0;
    // Where a choice made the engines differ, tables that leave less open say whether there is more to it.
    let mut settled = false;
    let mut attempt = 0;
    let mut unanswered = None;
    while attempt < ATTEMPTS {
        let Ok(mut tables) = route::guarded(|| Ok(tables::generate(hints, id, attempt, settled))) else {
            return "error tables".to_owned();
        };
        // Data from outside that a function looks into: there, and empty.
        for need in &prepared.lowered.needs {
            tables.tables.entry(need.name.clone()).or_insert_with(|| MemoryTable {
                columns: need.columns.iter().map(|(n, t)| (n.clone(), *t)).collect(),
                ..MemoryTable::default()
            });
        }
        attempt += 1;
        // DuckDB's time goes to the first rows, and to those that give an answer.
        let Some(verdict) = bench.run(&tables, attempt == 1) else { continue };
        match verdict {
            Verdict::Agree(n) => rows += n,
            Verdict::Differ(d) if d.open && !settled => {
                settled = true;
                rows = 0;
                attempt = 0;
            }
            Verdict::Differ(d) => {
                if !show {
                    return format!("differ {}", line(&d.why));
                }
                let small = shrunk(prepared, &tables);
                let Verdict::Differ(d) = prepared.run(&small) else {
                    return "differ not each time".to_owned();
                };
                let table = |rows: &[Vec<ruleferry_eval::Value>]| -> String {
                    rows.iter()
                        .take(12)
                        .map(|r| {
                            format!(
                                "  {}\n",
                                r.iter().map(conformance::shown).collect::<Vec<_>>().join(" | ")
                            )
                        })
                        .collect()
                };
                return format!(
                    "differ {}\n{text}\n--\n{}\n--\n{}evaluator:\n{}DuckDB:\n{}",
                    d.why,
                    select(prepared),
                    shown(&small),
                    table(&d.evaluator),
                    table(&d.duckdb)
                );
            }
            Verdict::Refused(_) => return "refused".to_owned(),
            // What Kusto refuses too (an invalid pattern in the data, a name that is taken): other rows may have an answer.
            Verdict::NoAnswer(why) => unanswered = Some(why),
            Verdict::Error(why) => {
                return if show {
                    format!("error {why}\n{text}\n--\n{}", select(prepared))
                } else {
                    format!("error {}", line(&why))
                };
            }
        }
        if rows > 0 {
            break;
        }
    }
    match unanswered {
        _ if rows > 0 => "agree".to_owned(),
        Some(why) => format!("unanswered {}", line(&why)),
        None => "empty".to_owned(),
    }
}

/// The SQL without its macros.
fn select<'p>(prepared: &'p Prepared<'_>) -> &'p str {
    prepared.sql.rsplit_once(";\n\n").map_or(prepared.sql.as_str(), |(_, select)| select)
}
