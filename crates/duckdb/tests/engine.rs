//! The engine on the real library. Without the library each test says so in one line and passes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use ruleferry_duckdb::{Engine, Error, ErrorClass, Options, Phase, SqlError, Value, library};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;

/// Where `tests/engines/fetch-duckdb.sh` puts the library; the environment variable goes before it.
fn fetched() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/duckdb");
    let use_it =
        std::env::var_os(library::ENVIRONMENT).is_none() && folder.join(library::file_name()).is_file();
    use_it.then_some(folder)
}

/// Once for the whole program, and past the capture of the test harness.
fn skipped() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let line = b"SKIPPED: no libduckdb; run tests/engines/fetch-duckdb.sh\n";
        std::io::stderr().write_all(line).unwrap();
    });
}

fn open(external_access: bool) -> Option<Engine> {
    match Engine::open_with(&Options { library: fetched(), external_access, ..Options::default() }) {
        Ok(engine) => Some(engine),
        // A path that was named is meant to be used.
        Err(e) if e.is_library_missing() && std::env::var_os(library::ENVIRONMENT).is_none() => {
            skipped();
            None
        }
        Err(e) => panic!("{e}"),
    }
}

fn sql_error<T: std::fmt::Debug>(result: Result<T, Error>) -> SqlError {
    match result.expect_err("the engine must refuse") {
        Error::Sql(e) => e,
        other => panic!("{other}"),
    }
}

fn value(engine: &Engine, expression: &str) -> Value {
    let table =
        engine.query(&format!("SELECT {expression} AS v")).unwrap_or_else(|e| panic!("{expression}: {e}"));
    table.rows[0][0].clone()
}

#[test]
fn values_of_every_type() {
    let Some(engine) = open(false) else { return };
    let text = |s: &str| Value::Text(s.into());
    let cases = [
        ("NULL", Value::Null),
        ("true", Value::Bool(true)),
        ("(-128)::TINYINT", Value::Int(-128)),
        ("65535::USMALLINT", Value::Int(65535)),
        ("18446744073709551615::UBIGINT", Value::Int(u64::MAX.into())),
        ("(-170141183460469231731687303715884105727 - 1)::HUGEINT", Value::Int(i128::MIN)),
        ("(-5)::HUGEINT", Value::Int(-5)),
        (
            "340282366920938463463374607431768211455::UHUGEINT",
            text("340282366920938463463374607431768211455"),
        ),
        ("1.5::FLOAT", Value::Real(1.5)),
        ("(-3.25)::DECIMAL(9,2)", Value::Decimal { unscaled: -325, scale: 2 }),
        ("3.25::DECIMAL(38,2)", Value::Decimal { unscaled: 325, scale: 2 }),
        ("''", text("")),
        ("'twelve bytes'", text("twelve bytes")),
        ("'thirteen byte' || 's – é'", text("thirteen bytes – é")),
        ("'{\"a\": 1}'::JSON", Value::Json("{\"a\": 1}".into())),
        ("'\\xAA\\x00'::BLOB", Value::Blob(vec![0xAA, 0])),
        ("TIMESTAMP '1970-01-01 00:00:01.5'", Value::Timestamp(1_500_000_000)),
        ("TIMESTAMPTZ '1970-01-01 02:00:00+02'", Value::Timestamp(0)),
        ("TIMESTAMP_NS '1970-01-01 00:00:00.000000001'", Value::Timestamp(1)),
        ("'infinity'::TIMESTAMP", text("infinity")),
        ("DATE '1970-01-02'", Value::Date(1)),
        ("TIME '01:02:03.5'", text("01:02:03.500000")),
        ("INTERVAL '1 month 2 days 3 seconds'", Value::Interval { months: 1, days: 2, micros: 3_000_000 }),
        ("UUID '00112233-4455-6677-8899-aabbccddeeff'", text("00112233-4455-6677-8899-aabbccddeeff")),
        ("'b'::ENUM('a', 'b')", text("b")),
        ("[1, NULL]", Value::List(vec![Value::Int(1), Value::Null])),
        ("array_value('x', 'y')", Value::List(vec![text("x"), text("y")])),
        (
            "{'k': 1, 'l': []::INT[]}",
            Value::Struct(vec![("k".into(), Value::Int(1)), ("l".into(), Value::List(vec![]))]),
        ),
        ("MAP {'a': 1}", Value::Map(vec![(text("a"), Value::Int(1))])),
        ("union_value(n := 2)", Value::Int(2)),
        ("current_setting('TimeZone')", text("UTC")),
    ];
    for (expression, expected) in cases {
        assert_eq!(value(&engine, expression), expected, "{expression}");
    }
    let unreadable = engine.query("SELECT '101'::BIT AS b");
    assert_eq!(unreadable, Err(Error::UnreadableType { column: "b".into(), type_name: "BIT".into() }));
}

/// More rows than one chunk holds (2048), with nulls on both sides of the border and in nested values.
#[test]
fn many_rows_keep_order_and_nulls() {
    let Some(engine) = open(false) else { return };
    let sql = "SELECT i, CASE WHEN i % 3 = 0 THEN NULL ELSE [i, NULL] END AS l FROM range(5000) t(i) ORDER BY i DESC";
    let table = engine.query(sql).unwrap();
    assert_eq!(table.rows.len(), 5000);
    let expected =
        |i: i128| if i % 3 == 0 { Value::Null } else { Value::List(vec![Value::Int(i), Value::Null]) };
    assert!((0..5000).rev().zip(&table.rows).all(|(i, row)| *row == [Value::Int(i), expected(i)]));
    assert_eq!(table.column("i").unwrap().next(), Some(&Value::Int(4999)));
}

#[test]
fn a_script_is_macros_then_one_select() {
    let Some(engine) = open(false) else { return };
    engine
        .execute("CREATE TABLE t (a INTEGER, b VARCHAR); INSERT INTO t VALUES (1, 'x'), (2, NULL);")
        .unwrap();
    let script = "CREATE OR REPLACE TEMP MACRO twice(n) AS n * 2;\n-- a comment; with a semicolon\nSELECT twice(a) AS n, b FROM t WHERE b IS NOT NULL;";
    engine.prepare(script).unwrap();
    let columns = engine.describe(script).unwrap();
    let named: Vec<_> = columns.iter().map(|c| (c.name.as_str(), c.type_name.as_str())).collect();
    assert_eq!(named, [("n", "INTEGER"), ("b", "VARCHAR")]);
    assert_eq!(engine.query(script).unwrap().rows, [[Value::Int(2), Value::Text("x".into())]]);
    // Tables are the database's, macros the connection's.
    let other = engine.reconnect().unwrap();
    other.prepare("SELECT a FROM t").unwrap();
    assert_eq!(sql_error(other.prepare("SELECT twice(a) FROM t")).class, ErrorClass::Catalog);
}

#[test]
fn errors_say_where_and_what() {
    let Some(engine) = open(false) else { return };
    let cases = [
        ("SELEC 1", Phase::Parse, 0, ErrorClass::Parser),
        ("SELECT 1; SELECT nope", Phase::Prepare, 1, ErrorClass::Binder),
        ("SELECT * FROM nope", Phase::Prepare, 0, ErrorClass::Catalog),
        ("SELECT * FROM read_csv('/etc/hostname')", Phase::Prepare, 0, ErrorClass::Permission),
    ];
    for (sql, phase, statement, class) in cases {
        let e = sql_error(engine.prepare(sql));
        assert_eq!((e.phase, e.statement, e.class), (phase, statement, class), "{sql}: {e}");
    }
    let e = sql_error(engine.query("SELECT CAST(x AS INTEGER) FROM (VALUES ('1'), ('y')) t(x)"));
    assert_eq!((e.phase, e.class), (Phase::Execute, ErrorClass::Conversion), "{e}");
    assert_eq!(engine.prepare(" -- nothing\n"), Err(Error::EmptyScript));
    assert_eq!(engine.prepare("SELECT '\0'"), Err(Error::NulInSql));
    assert_eq!(engine.prepare("SELECT ?, ?"), Err(Error::Parameters(2)));
    // The engine still works.
    assert_eq!(value(&engine, "1"), Value::Int(1));
}

#[test]
fn deep_nesting_is_an_error() {
    let Some(engine) = open(false) else { return };
    let sql = format!("SELECT {}1{}", "(".repeat(10_000), ")".repeat(10_000));
    assert!(engine.prepare(&sql).is_err());
    assert_eq!(value(&engine, "1"), Value::Int(1));
}

#[test]
fn an_endless_query_can_be_interrupted() {
    let Some(engine) = open(false) else { return };
    let interrupter = engine.interrupter();
    let (done, waiting) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        while waiting.recv_timeout(Duration::from_millis(50)).is_err() {
            interrupter.interrupt();
        }
    });
    let sql = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range % 7 = b.range % 5";
    assert_eq!(sql_error(engine.query(sql)).class, ErrorClass::Interrupt);
    done.send(()).unwrap();
    thread.join().unwrap();
}
