//! Documented results: `conformance [--file docs|loco|both] [--failing] [--duckdb] [--feature NAME] [--check] [ID…]`.
//!
//! With ids (or parts of ids) prints wanted and got rows of each; without, a summary. `--check` compares with the snapshot
//! in tests/conformance (`UPDATE=1` writes it).
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test harness"
)]

use rayon::prelude::*;
use ruleferry_duckdb::Engine;
use ruleferry_testkit::conformance::{Case, Got, Outcome, Report, cases, run, shown};
use ruleferry_testkit::{duck, snapshot};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;

struct Args {
    file: String,
    failing: bool,
    duckdb: bool,
    check: bool,
    suspect: bool,
    feature: Option<String>,
    ids: Vec<String>,
}

fn args() -> Args {
    let mut args = Args {
        file: "both".into(),
        failing: false,
        duckdb: false,
        check: false,
        suspect: false,
        feature: None,
        ids: vec![],
    };
    let mut given = std::env::args().skip(1);
    while let Some(arg) = given.next() {
        match arg.as_str() {
            "--file" => args.file = given.next().expect("a file"),
            "--failing" => args.failing = true,
            "--duckdb" => args.duckdb = true,
            "--check" => args.check = true,
            "--suspect" => args.suspect = true,
            "--feature" => args.feature = given.next(),
            _ => args.ids.push(arg),
        }
    }
    args
}

fn main() -> ExitCode {
    let args = args();
    std::panic::set_hook(Box::new(|_| {}));
    let files: &[&str] = match args.file.as_str() {
        "docs" => &["docs"],
        "loco" => &["loco"],
        _ => &["docs", "loco"],
    };
    let mut all: Vec<(&str, Case)> =
        files.iter().flat_map(|f| cases(f).into_iter().map(move |c| (*f, c))).collect();
    if !args.ids.is_empty() {
        all.retain(|(_, c)| args.ids.iter().any(|i| c.id.contains(i.as_str())));
    }
    if let Some(feature) = &args.feature {
        all.retain(|(_, c)| c.features.contains(feature));
    }
    if args.duckdb && duck::open().is_none() {
        println!("no libduckdb: run tests/engines/fetch-duckdb.sh");
        return ExitCode::FAILURE;
    }
    let pool = rayon::ThreadPoolBuilder::new().stack_size(256 << 20).build().unwrap();
    let reports: Vec<(&str, Case, Report)> = pool.install(|| {
        all.into_par_iter()
            .map_init(
                || if args.duckdb { duck::open() } else { None },
                |engine: &mut Option<Engine>, (file, case)| {
                    let report = run(&case, engine.as_ref());
                    (file, case, report)
                },
            )
            .collect()
    });
    if args.ids.is_empty() {
        if args.failing {
            failing(&reports, args.suspect);
        }
        let text = summary(&reports, args.duckdb);
        print!("{}", text.0);
        if args.check && args.feature.is_none() && args.file == "both" {
            let name = if args.duckdb { "kql-docs-duckdb" } else { "kql-docs" };
            if !snapshot::check(&format!("tests/conformance/{name}.snap"), &format!("{}\n{}", text.0, text.1))
            {
                return ExitCode::FAILURE;
            }
        }
    } else {
        for (_, case, report) in &reports {
            detail(case, report);
        }
    }
    ExitCode::SUCCESS
}

fn short(text: &str) -> String {
    let line: String = text.lines().next().unwrap_or_default().chars().take(110).collect();
    line.trim_end().to_owned()
}

fn failing(reports: &[(&str, Case, Report)], suspect: bool) {
    for (_, case, report) in reports {
        if case.quality == "suspect" && !suspect {
            continue;
        }
        let apart = if case.apart { " [geo/graph]" } else { "" };
        if report.outcome != Outcome::Pass {
            println!(
                "{} {}{apart} {}: {}",
                case.id,
                case.quality,
                report.outcome.word(),
                short(report.outcome.reason())
            );
        }
        if let Some(d) = &report.duck
            && d.word() != "equal"
        {
            println!(
                "{} {}{apart} duckdb {}: {}",
                case.id,
                case.quality,
                d.word(),
                short(d.outcome.reason())
            );
        }
    }
}

#[derive(Default)]
struct Count {
    all: usize,
    pass: usize,
    equal: usize,
    converted: usize,
    differs: usize,
}

/// The figures, and a line a case.
fn summary(reports: &[(&str, Case, Report)], duckdb: bool) -> (String, String) {
    let (mut head, mut lines) = (String::new(), String::new());
    let mut counts: BTreeMap<(String, String), Count> = BTreeMap::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut types = 0;
    for (file, case, report) in reports {
        let group = if case.apart { "geo and graph" } else { "main" };
        let quality = match case.quality.as_str() {
            "exact" | "unordered" => "exact+unordered",
            other => other,
        };
        let count = counts.entry((format!("{file}, {group}"), quality.to_owned())).or_default();
        count.all += 1;
        count.pass += usize::from(report.outcome == Outcome::Pass);
        if let Some(d) = &report.duck {
            count.equal += usize::from(d.word() == "equal");
            count.converted += usize::from(!matches!(d.word(), "refused"));
            count.differs += usize::from(matches!(d.word(), "differs" | "error"));
        }
        if quality != "suspect" {
            types += usize::from(!report.types);
            if let Outcome::Unsupported(r) = &report.outcome {
                *reasons.entry(short(r)).or_default() += 1;
            }
        }
        let (word, reason) = match &report.duck {
            Some(d) if duckdb => {
                (d.word(), short(if d.word() == "differs" { "" } else { d.outcome.reason() }))
            }
            _ => (report.outcome.word(), short(report.outcome.reason())),
        };
        let _ = writeln!(
            lines,
            "{} {} {word}{}{reason}",
            case.id,
            case.quality,
            if reason.is_empty() { "" } else { " " }
        );
    }
    for ((group, quality), c) in &counts {
        let share = 100.0 * c.pass as f64 / c.all.max(1) as f64;
        let _ = write!(head, "{group}, {quality}: {} of {} right ({share:.1} %)", c.pass, c.all);
        if duckdb {
            let share = 100.0 * c.equal as f64 / c.all.max(1) as f64;
            let _ = write!(
                head,
                "; DuckDB: {} converted, {} right and equal ({share:.1} %), {} differ",
                c.converted, c.equal, c.differs
            );
        }
        head.push('\n');
    }
    if !duckdb {
        let _ = writeln!(head, "answers whose column types differ from the parser's: {types}");
        let mut reasons: Vec<(String, usize)> = reasons.into_iter().collect();
        reasons.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        for (reason, n) in reasons {
            let _ = writeln!(head, "{n:5} {reason}");
        }
    }
    (head, lines)
}

fn detail(case: &Case, report: &Report) {
    println!("==== {} {} {:?}\n{}\n", case.id, case.quality, case.notes, case.query);
    let columns: Vec<String> = case.columns.iter().map(|(n, t)| format!("{n}:{t}")).collect();
    println!("-- wanted: {}{}", columns.join(" | "), if case.ordered { " (ordered)" } else { "" });
    for (_, values) in &case.answers {
        for row in values {
            println!("{}", row.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "));
        }
        println!();
    }
    println!("-- evaluator: {} {}", report.outcome.word(), report.outcome.reason());
    if let Some(got) = &report.got {
        table(got);
    }
    if let Some(d) = &report.duck {
        println!("-- DuckDB: {} {}\n{}", d.word(), d.outcome.reason(), d.sql);
        if let Some(got) = &d.got {
            table(got);
        }
    }
}

fn table(got: &Got) {
    println!("{}", got.columns.iter().map(|(n, t)| format!("{n}:{t}")).collect::<Vec<_>>().join(" | "));
    for row in &got.rows {
        println!("{}", row.iter().map(shown).collect::<Vec<_>>().join(" | "));
    }
    println!();
}
