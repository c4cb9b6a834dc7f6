//! `run` on both engines over the same files: the same rows, whatever the values hold.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use ruleferry_duckdb::{Engine, Options, library};
use ruleferry_engine::{
    Data, EngineKind, Input, Ran, RunOptions, RunRecord, SigmaOptions, parse_time, run_rule,
};
use serde_json::{Value as Json, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Once;

/// A folder that goes when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        // The library is looked for from the root of the repository, and the tests run in the folder of their crate.
        static LIBRARY: Once = Once::new();
        LIBRARY.call_once(|| drop(support::engine()));
        let path = std::env::temp_dir().join(format!("ruleferry-embedded-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn ran(rule: &str, data: &[&str], engine: EngineKind) -> Ran {
    let path = PathBuf::from(rule);
    let input = Input { path: path.clone(), shown: rule.to_owned(), relative: path, walked: false };
    let mut given = Data::default();
    data.iter().for_each(|d| given.add(d).unwrap());
    let now = parse_time("2026-01-15T12:00:00Z").unwrap();
    run_rule(&input, given, &RunOptions { from: None, sigma: SigmaOptions::default(), engine, now })
}

/// The rows of both engines, as sorted texts.
fn both(rule: &str, data: &[&str]) -> (Vec<String>, Vec<String>) {
    let of = |engine| {
        let ran = ran(rule, data, engine);
        let found = ran.found.unwrap_or_else(|| panic!("{engine:?}: {:?} {:?}", ran.diagnostics, ran.faults));
        let record = RunRecord::from(&found);
        let mut rows: Vec<String> = record.rows.iter().map(|r| Json::from(r.clone()).to_string()).collect();
        rows.sort();
        rows
    };
    (of(EngineKind::Reference), of(EngineKind::Embedded))
}

fn events(count: usize) -> String {
    let texts = [
        "it's",
        "a \"quote\"",
        "line\nbreak",
        "tab\tand \\ back",
        "\u{0}nul",
        "naïve ΣΑΣ 😀",
        "",
        "NULL",
        "-- x; DROP",
    ];
    let mut out = String::new();
    for i in 0..count {
        let event = json!({
            "s": texts[i % texts.len()], "n": i64::MAX - i as i64, "x": i as f64 / 3.0, "b": i % 2 == 0,
            "t": format!("2026-01-{:02}T10:00:00.123456Z", i % 28 + 1),
            "d": if i % 3 == 0 { json!(null) } else { json!({"k": [i, texts[i % texts.len()]], "e": {}}) },
        });
        writeln!(out, "{event}").unwrap();
    }
    out.push_str("{\"s\": null}\n{}\n");
    out
}

#[test]
fn every_value_comes_through() {
    let folder = Folder::new("values");
    // Few rows go into a statement, many through a file.
    for count in [40, 1000] {
        let data = format!("T={}", folder.write("T.jsonl", &events(count)));
        for query in [
            "T",
            "T | where s has 'quote' or isempty(s) | project s, n, d.k[1]",
            "T | summarize count(), max(t), sum(x) by b",
        ] {
            let rule = folder.write("q.kql", query);
            let (reference, embedded) = both(&rule, &[&data]);
            assert!(!reference.is_empty());
            assert_eq!(reference, embedded, "{count}: {query}");
        }
    }
}

#[test]
fn queries_over_all_tables_read_what_is_given() {
    let folder = Folder::new("all");
    folder.write("T1.jsonl", r#"{"a": "bad one", "n": 1}"#);
    folder.write("T2.jsonl", r#"{"b": "x bad", "n": 2}"#);
    let data = folder.0.to_str().unwrap().to_owned();
    for (query, count) in [
        ("search 'bad'", 2),
        ("find where n > 1", 1),
        ("union withsource=t * | summarize sum(n) by t", 2),
        ("union T* | where n == 2", 1),
    ] {
        let rule = Folder::new("all-rule");
        let (reference, embedded) = both(&rule.write("q.kql", query), &[&data]);
        assert_eq!(reference.len(), count, "{query}: {reference:?}");
        assert_eq!(reference, embedded, "{query}");
    }
}

#[test]
fn keywords_look_at_the_whole_event() {
    let folder = Folder::new("keywords");
    let rule = folder.write("r.yml", "title: a\nlogsource: {product: linux}\ndetection:\n  keywords: ['evil', 'b*d']\n  condition: keywords\n");
    let data = folder.write("e.json", r#"[{"a": "so evil"}, {"b": {"c": ["x bad x"]}}, {"a": "good"}]"#);
    let (reference, embedded) = both(&rule, &[&data]);
    assert_eq!(reference.len(), 2, "{reference:?}");
    assert_eq!(reference, embedded);
}

#[test]
fn parquet_is_read_by_both() {
    let folder = Folder::new("parquet");
    let path = folder.0.join("T.parquet");
    let named = std::env::var_os(library::ENVIRONMENT).filter(|v| !v.is_empty()).map(PathBuf::from);
    let library = support::root().join(named.unwrap_or_else(|| "target/duckdb".into()));
    let options = Options { library: Some(library), external_access: true, ..Options::default() };
    let sql = format!(
        "COPY (SELECT i::INTEGER AS i, 'u' || i AS s, TIMESTAMP '2026-01-01' + INTERVAL (i) HOUR AS t, i / 2.0 AS x, \
         CASE WHEN i % 2 = 0 THEN '{{\"k\": ' || i || '}}' ELSE 'plain' END AS d, {{'a': i, 'l': [1, 2]}} AS n, NULL::VARCHAR AS e, \
         TIMESTAMPTZ '2026-01-01 00:00:00+02' AS z, 123.45::DECIMAL(9, 2) AS m FROM range(500) r(i)) TO {} (FORMAT parquet)",
        support::literal(path.to_str().unwrap())
    );
    Engine::open_with(&options).unwrap().execute(&sql).unwrap();
    let data = path.to_str().unwrap();
    for query in [
        "T | where i > 495",
        "T | where t > ago(30d) | summarize n = count(), max(t), min(x) by s = substring(s, 0, 2)",
        "T | where isempty(e) and n.a == 7 | project n.l[1], z, gone = column_ifexists('gone', 'none')",
        "T | extend k = parse_json(d).k | where k == 4 | project s, k, m",
    ] {
        let rule = folder.write("q.kql", query);
        let (reference, embedded) = both(&rule, &[data]);
        assert!(!reference.is_empty(), "{query}");
        assert_eq!(reference, embedded, "{query}");
    }
    // A table with a schema: columns that the file lacks are missing, those of another type are converted.
    let rule =
        folder.write("k.kql", "SigninLogs | where i == 3 | project i, AppDisplayName, TimeGenerated, s");
    let (reference, embedded) = both(&rule, &[&format!("SigninLogs={data}")]);
    assert_eq!(reference, ["[3,\"\",null,\"u3\"]"]);
    assert_eq!(reference, embedded);
}

#[test]
fn the_engine_reads_no_other_files() {
    let folder = Folder::new("files");
    let rule = folder.write("q.kql", "T");
    let ran = ran(
        &rule,
        &[&format!("T={}", folder.write("T.parquet", "this is no parquet"))],
        EngineKind::Embedded,
    );
    assert!(ran.found.is_none());
    assert!(
        ran.faults.iter().any(|f| f.to_string().contains("T.parquet")),
        "{:?} {:?}",
        ran.faults,
        ran.diagnostics
    );
    assert!(Path::new(&rule).exists());
}

/// An engine that answers what it likes.
#[derive(Debug)]
struct Liar;

impl ruleferry_engine::Executor for Liar {
    fn run(
        &self,
        _: &str,
        _: &ruleferry_eval::MemoryTables,
        _: &[(smol_str::SmolStr, ruleferry_ir::Type)],
    ) -> Result<Vec<ruleferry_eval::Row>, String> {
        Ok(Vec::new())
    }
}

/// Our own rules as SQL, tried out on the real engine: nothing differs, and the verdict is the one without it. An engine that
/// answers otherwise is told, and changes no verdict either.
#[test]
fn emitted_sql_is_tried_out_and_verdicts_do_not_depend_on_it() {
    let folder = Folder::new("executor");
    let rules = [
        (
            "a.kql",
            "SigninLogs | where UserId has 'u' and not(AppDisplayName =~ 'x') | summarize N = count(), T = max(TimeGenerated) by UserId | where N > 2",
        ),
        (
            "b.kql",
            "let d = 1d; SigninLogs | where TimeGenerated > ago(d) | join kind=inner (AuditLogs | where Result == 'ok') on CorrelationId | project UserId, Result, TimeGenerated",
        ),
        (
            "c.kql",
            "SigninLogs | extend H = bin(TimeGenerated, 1h), D = tostring(split(UserPrincipalName, '@')[1]) | where D == 'x.org' | summarize make_set(IPAddress), dcount(AppDisplayName) by H",
        ),
        (
            "d.yml",
            "title: t\nlogsource: {category: process_creation, product: windows}\ndetection:\n    a:\n        Image|endswith: '\\a.exe'\n        CommandLine|re: 'x[0-9]+'\n    f:\n        User: null\n    condition: a and not f\n",
        ),
    ];
    let engine: std::sync::Arc<dyn ruleferry_engine::Executor> =
        std::sync::Arc::new(ruleferry_engine::DuckDb::find().expect("the engine opens"));
    for (name, text) in rules {
        let path = folder.write(name, text);
        let convert = |executor: Option<std::sync::Arc<dyn ruleferry_engine::Executor>>| {
            let input =
                Input { path: path.clone().into(), shown: name.into(), relative: name.into(), walked: false };
            let options = ruleferry_engine::ConvertOptions { executor, ..support::options(None) };
            ruleferry_engine::convert_file(&input, Path::new("out"), &options)
        };
        let told = |c: &ruleferry_engine::Converted| {
            c.diagnostics
                .iter()
                .filter(|d| d.code.0 == "E0906")
                .map(|d| d.message.clone())
                .collect::<Vec<_>>()
        };
        let (without, with, lied) =
            (convert(None), convert(Some(engine.clone())), convert(Some(std::sync::Arc::new(Liar))));
        assert_eq!(told(&with), Vec::<String>::new(), "{name}");
        assert_eq!(told(&lied).len(), 1, "{name}: {:?}", told(&lied));
        for other in [&with, &lied] {
            let (a, b) = (&without.records[0], &other.records[0]);
            assert_eq!(
                serde_json::to_value((&a.status, &a.verdict, &a.files)).unwrap(),
                serde_json::to_value((&b.status, &b.verdict, &b.files)).unwrap(),
                "{name}"
            );
        }
    }
}
