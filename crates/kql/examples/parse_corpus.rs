//! Parses a corpus of queries (JSONL with `query` and `syntax_ok`) and reports how many are read as expected,
//! how many survive print and parse, and the speed of lexer, parser and printer.
//!
//! `cargo run --release -p ruleferry-kql --example parse_corpus -- dev.jsonl [printed.jsonl]`
//! writes the printed queries to the second file, for a check by another parser.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a tool for developers that measures time"
)]

use std::io::Write;
use std::time::Instant;

use ruleferry_kql::syntax::{lexer, parse, print};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let Some(path) = args.next() else {
        return Err("usage: parse_corpus CORPUS.jsonl [PRINTED.jsonl]".into());
    };
    let mut printed_file = args.next().map(std::fs::File::create).transpose()?;
    let corpus = std::fs::read_to_string(path)?;
    let mut queries = Vec::new();
    for line in corpus.lines() {
        let record: serde_json::Value = serde_json::from_str(line)?;
        let text = |key: &str| record.get(key).and_then(|v| v.as_str()).unwrap_or("").to_owned();
        let flag = |key: &str| record.get(key).and_then(serde_json::Value::as_bool).unwrap_or(false);
        queries.push((text("id"), text("query"), flag("syntax_ok"), flag("has_query")));
    }

    let (mut refused, mut accepted, mut unstable, mut good) = (0, 0, 0, 0);
    for (id, query, ok, has_query) in &queries {
        let parsed = parse(query);
        let errors: Vec<_> = parsed.diagnostics.iter().filter(|d| d.is_error()).collect();
        if *ok && !errors.is_empty() {
            refused += 1;
            let shown = errors.first().map(|d| (d.message.as_str(), d.span.start)).unwrap_or_default();
            println!("REFUSED {id}: {} at {}", shown.0, shown.1);
        }
        if !*ok {
            match errors.first() {
                Some(d) => println!(
                    "ok refused {id}: {} errors; {} {} [{:?}]",
                    errors.len(),
                    d.code,
                    d.message,
                    d.help
                ),
                None => {
                    accepted += 1;
                    println!("ACCEPTED {id}");
                }
            }
        }
        if !*ok || !errors.is_empty() {
            continue;
        }
        good += 1;
        let printed = print(&parsed.query);
        let again = parse(&printed);
        let stable =
            again.query == parsed.query && again.diagnostics.is_empty() && print(&again.query) == printed;
        if !stable {
            unstable += 1;
            println!("UNSTABLE {id}: {:?}", again.diagnostics.first());
        }
        let with_comments = ruleferry_kql::syntax::print_with_comments(&parsed.query, &parsed.comments);
        let commented = parse(&with_comments);
        if commented.query != parsed.query || commented.comments.len() < parsed.comments.len() {
            println!(
                "COMMENTS {id}: {} of {} kept, {:?}",
                commented.comments.len(),
                parsed.comments.len(),
                commented.diagnostics.first()
            );
        }
        if let Some(file) = printed_file.as_mut() {
            let record = serde_json::json!({"id": id, "query": with_comments, "has_query": has_query});
            writeln!(file, "{record}")?;
        }
    }
    println!(
        "{} queries; wrongly refused {refused}, wrongly accepted {accepted}; {good} printed, {unstable} not stable",
        queries.len()
    );

    let bytes: usize = queries.iter().map(|q| q.1.len()).sum();
    let speed = |name: &str, run: &dyn Fn(&str) -> usize| {
        let mut best = f64::INFINITY;
        for _ in 0..7 {
            let start = Instant::now();
            let sum: usize = queries.iter().map(|(_, query, ..)| run(query)).sum();
            let time = start.elapsed().as_secs_f64();
            best = best.min(time);
            std::hint::black_box(sum);
        }
        println!("{name}: {:.1} MB/s", f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / best / 1e6);
    };
    speed("lex", &|q| lexer::lex(q).tokens.len());
    speed("parse", &|q| parse(q).query.statements.len());
    speed("parse and print", &|q| print(&parse(q).query).len());
    Ok(())
}
