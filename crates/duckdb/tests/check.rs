//! The program `duckdb-check`. What needs the library says so in one line and passes without it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use ruleferry_duckdb::library;
use serde_json::{Value as Json, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Once;

const PROGRAM: &str = env!("CARGO_BIN_EXE_duckdb-check");

fn run(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Once for the whole program, and past the capture of the test harness.
fn skipped() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let line = b"SKIPPED: no libduckdb; run tests/engines/fetch-duckdb.sh\n";
        std::io::stderr().write_all(line).unwrap();
    });
}

fn with_engine(arguments: &[&str], scripts: &[Json]) -> Option<(i32, Vec<Json>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/duckdb");
    let named = std::env::var_os(library::ENVIRONMENT).map(PathBuf::from);
    let lib = named.or_else(|| folder.join(library::file_name()).is_file().then_some(folder));
    let Some(lib) = lib else {
        skipped();
        return None;
    };
    let input: String = scripts.iter().map(|s| format!("{s}\n")).collect();
    let output = run(&[&["--lib", lib.to_str().unwrap()], arguments].concat(), &input);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Some((output.status.code().unwrap(), lines))
}

#[test]
fn prepares_in_order_and_keeps_scripts_apart() {
    let scripts = [
        json!({"id": 1, "sql": "CREATE TEMP MACRO f(x) AS x + 1; SELECT f(1)"}),
        json!({"id": "two", "sql": "SELECT f(1)"}),
        json!({"id": 3, "setup": "CREATE TABLE t (a INTEGER)", "sql": "SELECT a FROM t"}),
        json!({"id": 4, "sql": "SELECT a FROM t"}),
    ];
    for jobs in ["1", "3"] {
        let Some((status, lines)) = with_engine(&["--jobs", jobs], &scripts) else { return };
        assert_eq!(status, 2);
        let verdicts: Vec<_> =
            lines.iter().map(|l| (l["id"].clone(), l["ok"].clone(), l["class"].clone())).collect();
        assert_eq!(
            verdicts,
            [
                (json!(1), json!(true), json!(null)),
                (json!("two"), json!(false), json!("catalog")),
                (json!(3), json!(true), json!(null)),
                (json!(4), json!(false), json!("catalog")),
            ]
        );
    }
}

#[test]
fn runs_and_returns_rows() {
    let ddl = std::env::temp_dir().join(format!("ruleferry-duckdb-{}.sql", std::process::id()));
    std::fs::write(&ddl, "CREATE TABLE e (t TIMESTAMP, n BIGINT, d JSON)").unwrap();
    let setup = "INSERT INTO e VALUES ('2024-02-29 12:00:00', 1, '{\"a\": [true]}')";
    let scripts = [json!({"id": "r", "setup": setup, "sql": "SELECT * FROM e"})];
    let result = with_engine(&["--run", "--ddl", ddl.to_str().unwrap()], &scripts);
    std::fs::remove_file(&ddl).unwrap();
    let Some((status, lines)) = result else { return };
    assert_eq!(status, 0);
    assert_eq!(
        lines,
        [json!({
            "id": "r", "ok": true, "error": null,
            "columns": [{"name": "t", "type": "TIMESTAMP"}, {"name": "n", "type": "BIGINT"}, {"name": "d", "type": "JSON"}],
            "rows": [["2024-02-29T12:00:00.0000000Z", 1, {"a": [true]}]],
        })]
    );
}

#[test]
fn a_script_that_runs_too_long_is_stopped_and_the_next_runs() {
    let endless =
        "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range % 7 = b.range % 5";
    let scripts = [json!({"id": 1, "sql": endless}), json!({"id": 2, "sql": "SELECT 1 AS one"})];
    let Some((_, lines)) = with_engine(&["--run", "--timeout", "1"], &scripts) else { return };
    assert_eq!((&lines[0]["class"], &lines[1]["rows"]), (&json!("interrupt"), &json!([[1]])));
}

#[test]
fn a_library_that_is_none() {
    let script = "{\"sql\": \"SELECT 1\"}\n";
    let fails = |arguments: &[&str], input: &str, with: &str| {
        let output = run(arguments, input);
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(with), "{message}");
        assert_eq!(output.status.code(), Some(1));
    };
    fails(
        &["--lib", "/nonexistent/libduckdb.so"],
        script,
        "was not found (looked at /nonexistent/libduckdb.so)",
    );
    fails(&["--lib", PROGRAM], script, "cannot be used as the DuckDB library");
    fails(&["--nope"], "", "unknown argument `--nope`");
    fails(&[], "{\"id\": 1}\n", "line 1: missing field `sql`");
}
