//! Figures of the Sigma front end over a folder of rules.
//!
//! `RULEFERRY_CORPUS=… cargo run --release -p ruleferry-sigma --example sigma_corpus [OUT]` reads all `.yml` files
//! below `$RULEFERRY_CORPUS/corpus/sigma`, prints each from its tree, reads it again and compares, lists diagnostics by
//! code, and times the parser. With OUT, the printed files go there, for a comparison by another reader
//! (`tests/compare_yaml.py`).
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measuring tool for developers: it stops at the first surprise, prints and times"
)]

use ruleferry_sigma::syntax::{parse, print};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

fn walk(folder: &Path, files: &mut Vec<(PathBuf, String)>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|e| e == "yml") {
            let text = std::fs::read_to_string(&path).unwrap();
            files.push((path, text));
        }
    }
}

fn main() {
    let root = PathBuf::from(std::env::var("RULEFERRY_CORPUS").unwrap_or_else(|_| "/work/shared".into()));
    let root = root.join("corpus/sigma");
    let out = std::env::args().nth(1).map(PathBuf::from);
    let mut files = Vec::new();
    walk(&root, &mut files);

    let mut codes: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let (mut with_errors, mut differ, mut unstable, mut rules) = (0, 0, 0, 0);
    for (path, text) in &files {
        let parsed = parse(text);
        rules += parsed.documents.len();
        let shown = path.strip_prefix(&root).unwrap().display().to_string();
        if parsed.diagnostics.iter().any(|d| d.is_error()) {
            with_errors += 1;
            println!("error in {shown}");
        }
        for d in &parsed.diagnostics {
            let key = format!("{} {:?}", d.code, d.severity);
            let entry = codes
                .entry(key)
                .or_insert_with(|| (0, format!("{shown}: {} [{}]", d.message, d.span.text(text))));
            entry.0 += 1;
            if d.is_error() {
                println!("  {} {} [{}]", d.code, d.message, d.span.text(text));
            }
        }
        let printed = print(&parsed.documents, &parsed.comments);
        let again = parse(&printed);
        if !same(&parsed.documents, &again.documents)
            || parsed.comments.iter().count() != again.comments.iter().count()
        {
            differ += 1;
            println!("differs: {shown}");
        }
        if print(&again.documents, &again.comments) != printed {
            unstable += 1;
            println!("unstable: {shown}");
        }
        if let Some(out) = &out {
            let target = out.join(path.strip_prefix(&root).unwrap());
            std::fs::create_dir_all(target.parent().unwrap()).unwrap();
            std::fs::write(target, printed).unwrap();
        }
    }
    println!("{} files, {rules} documents", files.len());
    println!("with errors: {with_errors}; printed and read back different: {differ}; unstable: {unstable}");
    for (code, (count, example)) in &codes {
        println!("{code}: {count}, e.g. {example}");
    }
    let bytes: usize = files.iter().map(|(_, t)| t.len()).sum();
    for _ in 0..5 {
        let start = Instant::now();
        let found: usize = files.iter().map(|(_, text)| parse(text).documents.len()).sum();
        let seconds = start.elapsed().as_secs_f64();
        let (rate, speed) = (found as f64 / seconds, bytes as f64 / seconds / 1e6);
        println!("parse: {rate:.0} rules/s, {speed:.1} MB/s on one core");
    }
}

/// Same trees, but for the order of keys, which printing changes.
fn same(a: &[ruleferry_sigma::syntax::SigmaDocument], b: &[ruleferry_sigma::syntax::SigmaDocument]) -> bool {
    let sorted = |documents: &[ruleferry_sigma::syntax::SigmaDocument]| {
        let mut documents = documents.to_vec();
        for document in &mut documents {
            document.entries.sort_by(|x, y| x.key.text.cmp(&y.key.text));
            for entry in &mut document.entries {
                if let ruleferry_sigma::syntax::Section::LogSource(l) = &mut entry.section {
                    l.entries.sort_by(|x, y| x.0.text.cmp(&y.0.text));
                }
            }
        }
        documents
    };
    sorted(a) == sorted(b)
}
