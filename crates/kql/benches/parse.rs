//! Speed of the KQL syntax alone, on one core: text to tokens, to a tree, and back to text.
//!
//! `cargo bench -p ruleferry-kql`. The inputs are the rules of `rules/` and a text made here, no corpus. What to expect, as ratios
//! (they hold on any machine; absolute figures do not): splitting into tokens takes a fifth of what reading to a tree takes, the
//! tokens included, and printing a tree about half of it. Reading must stay above 50 MB/s on one core (more than 100 when
//! this was written), for short rules and long ones alike: a long text that is slower than a short one is a quadratic step.
#![allow(clippy::unwrap_used, reason = "a bench fails by panicking")]

use divan::Bencher;
use divan::counter::BytesCount;
use ruleferry_kql::file::{read_bare, read_yaml};
use ruleferry_kql::syntax::{lexer::lex, parse, print};
use std::fmt::Write as _;
use std::path::Path;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

/// The queries of our own rules.
fn own() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let mut paths: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .collect();
    paths.sort();
    let read = |path: &Path| {
        let text = std::fs::read_to_string(path).unwrap();
        match path.extension().and_then(|e| e.to_str()) {
            Some("kql") => read_bare(&text).rules,
            Some("yaml") => read_yaml(&text).rules,
            _ => Vec::new(),
        }
    };
    paths.iter().flat_map(|p| read(p)).map(|rule| rule.query).collect()
}

/// A query as long as the longest that people write: many steps, long lists, comments.
fn long() -> Vec<String> {
    let mut text = String::from("// what hosts may be asked for\nlet allowed = dynamic([");
    for i in 0..400 {
        write!(text, "\"host-{i}.example.org\", ").unwrap();
    }
    text.push_str("\"localhost\"]);\nDeviceNetworkEvents\n| where Timestamp > ago(1d)\n");
    for i in 0..120 {
        write!(
            text,
            "| where not(RemoteUrl has_any (allowed)) and RemotePort in (80, 443, {i}) // step {i}\n\
             | extend Part{i} = tostring(split(RemoteUrl, '.')[{i}]), Length{i} = strlen(RemoteUrl) + {i} * 2\n"
        )
        .unwrap();
    }
    text.push_str(
        "| summarize Count = count(), Hosts = make_set(RemoteUrl, 100) by DeviceName, bin(Timestamp, 1h)\n",
    );
    vec![text]
}

fn texts(name: &str) -> Vec<String> {
    if name == "long" { long() } else { own() }
}

const INPUTS: [&str; 2] = ["own", "long"];

fn bytes(texts: &[String]) -> BytesCount {
    BytesCount::new(texts.iter().map(String::len).sum::<usize>())
}

#[divan::bench(args = INPUTS)]
fn tokens(bencher: Bencher<'_, '_>, name: &str) {
    let texts = texts(name);
    bencher.counter(bytes(&texts)).bench(|| texts.iter().map(|t| lex(t).tokens.len()).sum::<usize>());
}

#[divan::bench(args = INPUTS)]
fn tree(bencher: Bencher<'_, '_>, name: &str) {
    let texts = texts(name);
    bencher
        .counter(bytes(&texts))
        .bench(|| texts.iter().map(|t| parse(t).query.statements.len()).sum::<usize>());
}

#[divan::bench(args = INPUTS)]
fn text(bencher: Bencher<'_, '_>, name: &str) {
    let texts = texts(name);
    let trees: Vec<_> = texts.iter().map(|t| parse(t).query).collect();
    bencher.counter(bytes(&texts)).bench(|| trees.iter().map(|t| print(t).len()).sum::<usize>());
}
