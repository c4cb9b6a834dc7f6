//! Runs random queries on both engines and counts.

use crate::plans::{self, Case};
use crate::versus::{self, Verdict, prepare};
use crate::{conformance, duck, route};
use rayon::prelude::*;
use ruleferry_duckdb::Engine;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// Queries over the same tables.
const CHUNK: u64 = 20;

#[derive(Clone, Debug)]
pub enum Outcome {
    Differ(String),
    Error(String),
}

#[derive(Debug, Default)]
pub struct Report {
    pub seed: u64,
    pub agree: usize,
    /// Of these: those with rows.
    pub with_rows: usize,
    pub differ: usize,
    pub error: usize,
    pub refused: BTreeMap<String, usize>,
    /// Not lifted, or no answer of the evaluator: the generator asks for what there is not.
    pub unanswered: BTreeMap<String, usize>,
    /// Plans that both engines ran, by operator.
    pub counts: BTreeMap<String, usize>,
    /// Plans that have no SQL, which the evaluator ran alone.
    pub alone: BTreeMap<String, usize>,
    pub faults: Vec<(u64, Outcome)>,
}

impl Report {
    fn add(mut self, other: Self) -> Self {
        self.agree += other.agree;
        self.with_rows += other.with_rows;
        self.differ += other.differ;
        self.error += other.error;
        for (mine, theirs) in [
            (&mut self.refused, other.refused),
            (&mut self.unanswered, other.unanswered),
            (&mut self.counts, other.counts),
            (&mut self.alone, other.alone),
        ] {
            for (key, n) in theirs {
                *mine.entry(key).or_default() += n;
            }
        }
        self.faults.extend(other.faults);
        self
    }

    /// Operators in fewer than so many plans, on both engines or, where they have no SQL, in the evaluator.
    pub fn rarer_than(&self, least: usize) -> Vec<(&'static str, usize)> {
        let of = |counts: &BTreeMap<String, usize>, name: &str| counts.get(name).copied().unwrap_or_default();
        let count = |name: &&'static str| (*name, of(&self.counts, name).max(of(&self.alone, name)));
        plans::OPERATORS.iter().map(count).filter(|(_, n)| *n < least).collect()
    }

    pub fn summary(&self) -> String {
        let mut out = String::new();
        let run = self.agree + self.differ + self.error;
        let _ = writeln!(
            out,
            "seed {}: {run} plans on both engines: {} agree ({} with rows), {} differ, {} fail on DuckDB",
            self.seed, self.agree, self.with_rows, self.differ, self.error
        );
        for (title, counts) in [
            ("plans by operator, on both engines", &self.counts),
            ("without SQL, in the evaluator alone", &self.alone),
            ("why there is no SQL", &self.refused),
            ("no answer", &self.unanswered),
        ] {
            let mut counts: Vec<_> = counts.iter().collect();
            counts.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
            let list: Vec<String> = counts.iter().map(|(k, n)| format!("{k} {n}")).collect();
            let _ = writeln!(out, "{title}: {}", list.join(", "));
        }
        out
    }
}

/// Runs `count` plans without those whose text has one of `avoid` (what is known to differ, while more is looked for), or as many as the time allows; the first `show` faults are shrunk and told. `None` without the library.
pub fn run(seed: u64, count: u64, show: u64, time: Duration, avoid: &[String]) -> Option<Report> {
    duck::open()?;
    #[expect(clippy::disallowed_methods, reason = "a budget of the test run, not of a rule")]
    let start = Instant::now();
    let pool = rayon::ThreadPoolBuilder::new().stack_size(256 << 20).build().expect("threads");
    let shown = std::sync::atomic::AtomicU64::new(0);
    let report = pool.install(|| {
        (0..count.div_ceil(CHUNK))
            .into_par_iter()
            .map(|chunk| {
                let mut report = Report::default();
                if start.elapsed() > time {
                    return report;
                }
                let engine = duck::open().expect("the library is there");
                let mut tables = plans::tables(seed.wrapping_mul(1_000_003).wrapping_add(chunk));
                if avoid.iter().any(|a| a == "null text") {
                    plans::without_null_texts(&mut tables);
                }
                versus::create(&engine, &tables).expect("the tables can be made");
                for n in chunk * CHUNK..((chunk + 1) * CHUNK).min(count) {
                    let case = plans::generate(&tables, seed.wrapping_mul(7_777_777).wrapping_add(n));
                    let text = case.text();
                    if avoid.iter().any(|a| text.contains(a.as_str())) {
                        continue;
                    }
                    one(&mut report, n, &case, &engine, &shown, show);
                }
                report
            })
            .reduce(Report::default, Report::add)
    });
    let mut report = Report { seed, ..report };
    report.faults.sort_by_key(|(n, _)| *n);
    Some(report)
}

fn one(
    report: &mut Report,
    n: u64,
    case: &Case,
    engine: &Engine,
    shown: &std::sync::atomic::AtomicU64,
    show: u64,
) {
    let short = |text: &str| text.lines().next().unwrap_or_default().chars().take(90).collect::<String>();
    let verdict = verdict(case, Some(engine));
    if matches!(verdict, Verdict::Agree(_) | Verdict::Differ(_) | Verdict::Error(_)) {
        plans::counted(&mut report.counts, case);
    }
    let tell = || shown.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < show;
    match verdict {
        Verdict::Agree(rows) => {
            report.agree += 1;
            report.with_rows += usize::from(rows > 0);
        }
        Verdict::Differ(_) => {
            report.differ += 1;
            if tell() {
                let small = plans::shrunk(case, &|c| matches!(self::verdict(c, None), Verdict::Differ(_)));
                report.faults.push((n, Outcome::Differ(told(&small))));
            }
        }
        Verdict::Error(_) => {
            report.error += 1;
            if tell() {
                let small = plans::shrunk(case, &|c| matches!(self::verdict(c, None), Verdict::Error(_)));
                report.faults.push((n, Outcome::Error(told(&small))));
            }
        }
        Verdict::Refused(why) => {
            match case.query().and_then(|q| route::eval(&q, &case.tables, 0)) {
                Ok(_) => plans::counted(&mut report.alone, case),
                Err(stop) => *report.unanswered.entry(short(&stop.to_string())).or_default() += 1,
            }
            *report.refused.entry(short(&why)).or_default() += 1;
        }
        Verdict::NoAnswer(why) if why.starts_with("lift") && report.unanswered.is_empty() && tell() => {
            report.unanswered.insert(short(&why), 1);
            report.faults.push((n, Outcome::Error(format!("{why}\n{}", case.text()))));
        }
        Verdict::NoAnswer(why) => *report.unanswered.entry(short(&why)).or_default() += 1,
    }
}

fn verdict(case: &Case, engine: Option<&Engine>) -> Verdict {
    let query = match case.query() {
        Ok(query) => query,
        Err(stop) => return Verdict::NoAnswer(stop.to_string()),
    };
    let prepared = match prepare(&query) {
        Ok(prepared) => prepared,
        Err(why) => return Verdict::Refused(why),
    };
    match engine {
        Some(engine) => prepared.run_on(&engine.reconnect().expect("a connection"), &case.tables),
        None => {
            let engine = duck::open().expect("the library is there");
            match versus::create(&engine, &case.tables) {
                Ok(()) => prepared.run_on(&engine, &case.tables),
                Err(e) => Verdict::Error(e),
            }
        }
    }
}

fn told(case: &Case) -> String {
    let mut out = case.text();
    if case.scans {
        out.push_str(&versus::shown(&case.tables));
    }
    if let Ok(query) = case.query()
        && let Ok(prepared) = prepare(&query)
    {
        let sql = prepared.sql.rsplit_once(";\n\n").map_or(prepared.sql.as_str(), |(_, s)| s);
        let _ = writeln!(out, "--\n{sql}");
        match verdict(case, None) {
            Verdict::Differ(d) => {
                let table = |rows: &[Vec<ruleferry_eval::Value>]| -> String {
                    rows.iter()
                        .take(8)
                        .map(|r| {
                            format!(
                                "  {}\n",
                                r.iter().map(conformance::shown).collect::<Vec<_>>().join(" | ")
                            )
                        })
                        .collect()
                };
                let _ = write!(
                    out,
                    "{}\nevaluator:\n{}DuckDB:\n{}",
                    d.why,
                    table(&d.evaluator),
                    table(&d.duckdb)
                );
            }
            Verdict::Error(e) => {
                let _ = writeln!(out, "{e}");
            }
            _ => {}
        }
    }
    out
}
