//! Speed of whole conversions of a text in memory, on one core.
//!
//! `cargo bench -p ruleferry-engine`. The inputs are the rules of `rules/` and rules made here, no corpus; the counter is rules.
//! What to expect, as ratios of the fastest runs (they hold on any machine; absolute figures do not): a Sigma rule takes
//! twice as long to KQL as to Sigma, and two and a half times as long to SQL. KQL to KQL costs about as much as Sigma to Sigma,
//! KQL to SQL ten times that and more: it grows with the columns of the tables, so a query over a wide table that falls behind
//! the others is a step that walks all columns for each one. Reading the output again adds two thirds to KQL to KQL.
#![allow(clippy::unwrap_used, reason = "a bench fails by panicking")]

use divan::Bencher;
use divan::counter::ItemsCount;
use ruleferry_engine::{ConvertOptions, Input, Status, convert_text, targets, walk};
use std::path::Path;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

fn options(to: &str, validate: bool) -> ConvertOptions {
    ConvertOptions {
        from: None,
        to: targets::target::find(to).unwrap(),
        now: None,
        sigma: Default::default(),
        max_loss: Default::default(),
        require_proof: false,
        validate,
        executor: None,
    }
}

fn input(name: &str) -> Input {
    Input { path: name.into(), shown: name.into(), relative: name.into(), walked: false }
}

/// Our own rules with one of these extensions.
fn own(extensions: &[&str]) -> Vec<(Input, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let (inputs, errors) = walk(&[root]);
    assert!(errors.is_empty());
    let wanted =
        |i: &Input| i.path.extension().and_then(|e| e.to_str()).is_some_and(|e| extensions.contains(&e));
    inputs
        .into_iter()
        .filter(wanted)
        .map(|i| (i.clone(), std::fs::read_to_string(&i.path).unwrap()))
        .collect()
}

/// Sigma rules of the usual size, no two the same.
fn made_sigma() -> Vec<(Input, String)> {
    let rule = |i: usize| {
        format!(
            "title: Made Rule {i}\nid: 00000000-0000-4000-8000-{i:012}\nstatus: test\ndescription: Made for a bench\n\
             author: Ruleferry contributors\ndate: 2026-11-21\ntags:\n    - attack.execution\n    - attack.t1059\n\
             logsource:\n    category: process_creation\n    product: windows\ndetection:\n    selection_image:\n        \
             - Image|endswith:\n            - '\\tool{i}.exe'\n            - '\\other{i}.exe'\n        \
             - OriginalFileName: 'TOOL{i}.EXE'\n    selection_line:\n        CommandLine|contains|all:\n            - ' -a{i}'\n            \
             - ' --flag*{i}'\n    filter_main_parent:\n        ParentImage: 'C:\\Program Files\\Agent\\agent{i}.exe'\n    \
             filter_optional_empty:\n        User: null\n    condition: all of selection_* and not 1 of filter_*\nlevel: medium\n"
        )
    };
    (0..100).map(|i| (input("made.yml"), rule(i))).collect()
}

/// Queries of the usual size, no two the same.
fn made_kql() -> Vec<(Input, String)> {
    let query = |i: usize| {
        format!(
            "let window = {i}h;\nlet known = SigninLogs | where TimeGenerated < ago(window) | distinct UserId;\n\
             SigninLogs\n| where TimeGenerated > ago(window) and ResultType == \"{i}\"\n\
             | where UserAgent has_any (\"curl\", \"agent{i}\") and not(AppDisplayName =~ \"App {i}\")\n\
             | join kind=leftanti known on UserId\n| extend Country = tostring(LocationDetails.countryOrRegion)\n\
             | summarize Count = count(), First = min(TimeGenerated), Addresses = make_set(IPAddress, {i}) by UserId, Country\n\
             | where Count > {i}\n| sort by Count desc\n"
        )
    };
    (1..=100).map(|i| (input("made.kql"), query(i))).collect()
}

fn run(bencher: Bencher<'_, '_>, rules: &[(Input, String)], to: &str, validate: bool) {
    let options = options(to, validate);
    let stem = Path::new("rule");
    bencher.counter(ItemsCount::new(rules.len())).bench(|| {
        let converted =
            rules.iter().flat_map(|(i, text)| convert_text(i, text.clone(), stem, &options).records);
        let files = converted.filter(|r| matches!(r.status, Status::Converted | Status::Lossy)).count();
        assert!(files > 0);
        files
    });
}

#[divan::bench(args = ["kql", "duckdb", "sigma"])]
fn sigma_made(bencher: Bencher<'_, '_>, to: &str) {
    run(bencher, &made_sigma(), to, false);
}

#[divan::bench(args = ["kql", "duckdb", "sigma"])]
fn sigma_own(bencher: Bencher<'_, '_>, to: &str) {
    run(bencher, &own(&["yml"]), to, false);
}

#[divan::bench(args = ["kql", "duckdb"])]
fn kql_made(bencher: Bencher<'_, '_>, to: &str) {
    run(bencher, &made_kql(), to, false);
}

#[divan::bench(args = ["kql", "duckdb"])]
fn kql_own(bencher: Bencher<'_, '_>, to: &str) {
    run(bencher, &own(&["kql", "yaml"]), to, false);
}

/// What reading the output again costs.
#[divan::bench(args = ["kql", "duckdb"])]
fn kql_validated(bencher: Bencher<'_, '_>, to: &str) {
    run(bencher, &made_kql(), to, true);
}
