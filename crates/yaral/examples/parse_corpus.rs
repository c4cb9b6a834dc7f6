//! Figures of the YARA-L reader over a folder of rules.
//!
//! `RULEFERRY_CORPUS=… cargo run --release -p ruleferry-yaral --example parse_corpus` reads every `.yaral` file below
//! `$RULEFERRY_CORPUS/corpus/yara-l`, prints each from its tree, reads it again and compares, lists diagnostics by code,
//! and times the parser.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measuring tool for developers: it stops at the first surprise, prints and times"
)]

use ruleferry_yaral::syntax::{parse, print_with_comments};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

fn walk(folder: &Path, files: &mut Vec<(PathBuf, String)>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|e| e == "yaral") {
            let text = std::fs::read_to_string(&path).unwrap();
            files.push((path, text));
        }
    }
}

fn main() {
    let root = PathBuf::from(std::env::var("RULEFERRY_CORPUS").unwrap_or_else(|_| "/work/shared".into()));
    let root = root.join("corpus/yara-l");
    let mut files = Vec::new();
    walk(&root, &mut files);
    let show = std::env::args().nth(1);
    let mut codes: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let (mut with_errors, mut differ, mut unstable, mut rules, mut comments) = (0, 0, 0, 0, 0);
    for (path, text) in &files {
        let parsed = parse(text);
        rules += parsed.file.rules.len();
        let shown = path.strip_prefix(&root).unwrap().display().to_string();
        if parsed.has_errors() {
            with_errors += 1;
        }
        for d in &parsed.diagnostics {
            let key = format!("{} {:?}", d.code, d.severity);
            let example = format!("{shown}: {} [{}]", d.message, d.span.text(text));
            codes.entry(key).or_insert((0, example)).0 += 1;
        }
        let printed = print_with_comments(&parsed.file, &parsed.comments);
        if show.as_ref().is_some_and(|s| shown.contains(s.as_str())) {
            println!("{printed}");
        }
        let again = parse(&printed);
        if parsed.file != again.file {
            differ += 1;
            println!("differs: {shown}");
        }
        if parsed.comments.len() != again.comments.len() {
            comments += 1;
            println!("comments lost: {shown}");
        }
        if print_with_comments(&again.file, &again.comments) != printed {
            unstable += 1;
            println!("unstable: {shown}");
        }
    }
    println!("{} files, {rules} rules", files.len());
    println!(
        "with errors: {with_errors}; printed and read back different: {differ}; comments lost: {comments}; unstable: {unstable}"
    );
    for (code, (count, example)) in &codes {
        println!("{code}: {count}, e.g. {example}");
    }
    let start = Instant::now();
    let times = 10;
    for _ in 0..times {
        for (_, text) in &files {
            std::hint::black_box(parse(text));
        }
    }
    println!("parse: {:.0} files/s", f64::from(times) * files.len() as f64 / start.elapsed().as_secs_f64());
}
