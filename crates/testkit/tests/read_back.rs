//! SQL that is read back must mean what the engine makes of it: NULL above all. Each query runs on DuckDB, and what is read of it on the
//! evaluator, over rows with a text, `''` and NULL.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests"
)]

use ruleferry_eval::{MemoryTable, MemoryTables, Value, parse_json};
use ruleferry_ir::Type;
use ruleferry_sql::{Dialect, LiftOptions, SqlTables, lift};
use ruleferry_testkit::{duck, route, versus};
use smol_str::SmolStr;
use std::time::Duration;

struct Known(MemoryTables);

impl SqlTables for Known {
    fn columns(&self, table: &str) -> Option<Vec<(SmolStr, Type)>> {
        self.0.tables.get(table).map(|t| t.columns.clone())
    }
}

fn tables() -> MemoryTables {
    let text = |s: Option<&str>| s.map_or(Value::Null, Value::string);
    let json = |s: Option<&str>| s.map_or(Value::Null, |s| Value::dynamic(parse_json(s).unwrap()));
    let long = |n: Option<i64>| n.map_or(Value::Null, Value::Long);
    let mut rows = Vec::new();
    let texts = [None, Some(""), Some("a"), Some("Ab c"), Some("b_c"), Some("10%")];
    let others = [None, Some(""), Some("a")];
    let numbers = [None, Some(0), Some(7)];
    let values = [None, Some(r#"{"k":"a"}"#), Some(r#"{"k":""}"#), Some("[1,2]"), Some("[]")];
    for (i, x) in texts.into_iter().enumerate() {
        for (j, y) in others.into_iter().enumerate() {
            let at = i * others.len() + j;
            rows.push(
                [
                    long(Some(i64::try_from(at).unwrap())),
                    text(x),
                    text(y),
                    long(numbers[(i + j) % numbers.len()]),
                    json(values[at % values.len()]),
                ]
                .into_iter()
                .collect(),
            );
        }
    }
    let columns: Vec<(SmolStr, Type)> = vec![
        ("id".into(), Type::Long),
        ("x".into(), Type::String),
        ("y".into(), Type::String),
        ("n".into(), Type::Long),
        ("j".into(), Type::Dynamic),
    ];
    let mut all = MemoryTables::default();
    all.tables.insert("t".into(), MemoryTable { columns: columns.clone(), rows, events: None });
    let few = all.tables["t"].rows.iter().step_by(4).cloned().collect();
    all.tables.insert("u".into(), MemoryTable { columns, rows: few, events: None });
    all
}

/// Tests over one row.
const TESTS: &[&str] = &[
    "x = 'a'",
    "x <> 'a'",
    "NOT (x = 'a')",
    "(x = 'a') IS NOT TRUE",
    "(x = 'a') IS TRUE",
    "(x <> 'a') IS FALSE",
    "(x <> 'a') IS NOT FALSE",
    "coalesce(x = 'a', false)",
    "NOT coalesce(x = 'a', false)",
    "coalesce(x <> 'a', true)",
    "x = ''",
    "x <> ''",
    "coalesce(x, '') = ''",
    "NOT (coalesce(x, '') = '')",
    "lower(x) = 'ab c'",
    "NOT (lower(x) = 'ab c')",
    "lower(x) = lower(y)",
    "x = y",
    "x <> y",
    "NOT (x = y OR y = 'a')",
    "coalesce(x, '') = coalesce(y, '')",
    "coalesce(x, '') <> y",
    "x IS NULL",
    "x IS NOT NULL AND y IS NULL",
    "x ILIKE '%A%'",
    "x LIKE '%A%'",
    "x NOT ILIKE '%a%'",
    "(x ILIKE 'a%') IS NOT TRUE",
    "x LIKE '%!_%' ESCAPE '!'",
    "x LIKE '10\\%'",
    "x LIKE '%'",
    "NOT (x LIKE '%')",
    "x LIKE '_'",
    "contains(lower(x), '_c')",
    "starts_with(x, 'A')",
    "NOT ends_with(x, 'c')",
    "regexp_matches(x, '^a')",
    "NOT regexp_matches(x, '^a', 'i')",
    "regexp_matches(coalesce(x, ''), '^$')",
    "x IN ('a', 'Ab c')",
    "x NOT IN ('a', 'Ab c')",
    "lower(x) IN ('a', 'ab c')",
    "NOT (lower(coalesce(x, '')) IN ('', 'ab c'))",
    "x IN ('a', y)",
    "n = 7",
    "n <> 7",
    "NOT (n > 0)",
    "n IS DISTINCT FROM 7",
    "n IS NOT DISTINCT FROM 7",
    "n IS NULL",
    "n IN (0, 1)",
    "n NOT IN (0, 1)",
    "n BETWEEN 0 AND 5",
    "n NOT BETWEEN 0 AND 5",
    "NOT (n = 7 AND x = 'a')",
    "n = 7 OR x = 'a' AND y IS NOT NULL",
    "CASE WHEN x = 'a' THEN n > 0 WHEN y = 'a' THEN true ELSE x IS NULL END",
    "CASE WHEN n > 0 THEN x END = 'a'",
    "(CASE WHEN n > 0 THEN 'a' ELSE 'b' END) <> 'a'",
    "nullif(x, '') IS NULL",
    "coalesce(nullif(x, ''), nullif(y, ''), 'none') = 'none'",
    "(j ->> '$.k') = 'a'",
    "(j ->> '$.k') <> 'a'",
    "(j ->> '$.k') IS NULL",
    "NOT (coalesce((j ->> '$.k'), '') = 'a')",
    "coalesce(j ->> '$', '') <> ''",
    "n + 1 = 8",
    "-n < 0",
    "n // 2 = 3",
    "n / 2 = 3.5e0",
    "x < 'b'",
    "NOT (x < 'b')",
    "x IN (SELECT coalesce(y, '') FROM u)",
    "NOT (x IN (SELECT coalesce(y, '') FROM u))",
    "coalesce(x, '') IN (SELECT coalesce(y, '') FROM u)",
    "lower(coalesce(x, '')) IN (SELECT lower(coalesce(x, '')) FROM u)",
    "n IN (SELECT n FROM u)",
];

/// Whole queries.
const QUERIES: &[&str] = &[
    "SELECT coalesce(x, '') AS x, count(*) AS c, CAST(coalesce(sum(n), 0) AS BIGINT) AS s FROM t GROUP BY ALL",
    "SELECT coalesce(x, '') AS x, count(*) AS c FROM t GROUP BY ALL HAVING c > 3",
    "SELECT count(n) AS c, count(*) FILTER (WHERE x = 'a') AS d, max(n) AS m FROM t WHERE id < 0",
    "SELECT n, count(DISTINCT coalesce(x, '')) + 1 AS c FROM t GROUP BY n",
    "SELECT DISTINCT n FROM t",
    "SELECT *, upper(x) AS z, concat(z, y) AS w FROM t",
    "SELECT * EXCLUDE (j) REPLACE (n * 2 AS n) FROM t WHERE n > 3 ORDER BY id DESC LIMIT 4",
    "SELECT *, n * 2 AS z FROM t WHERE z > 3 ORDER BY id DESC LIMIT 4",
    "SELECT l.id, r.id AS other FROM t AS l JOIN u AS r ON l.x = r.x",
    "SELECT l.id, r.id AS other FROM t AS l JOIN u AS r ON coalesce(l.x, '') = coalesce(r.x, '')",
    "SELECT l.id, r.id AS other FROM t AS l LEFT JOIN u AS r ON l.x = r.x",
    "SELECT l.id, r.id AS other FROM t AS l FULL JOIN u AS r ON l.x = r.y",
    "SELECT l.id, r.id AS other FROM t AS l RIGHT JOIN u AS r ON l.n = r.n AND l.x = r.x",
    "SELECT l.id, r.y AS other FROM t AS l JOIN u AS r ON l.n = r.n AND l.x <> r.x WHERE r.id > 3",
    "SELECT l.* FROM t AS l SEMI JOIN u AS r ON l.x = r.y",
    "SELECT l.* FROM t AS l ANTI JOIN u AS r ON l.x = r.y",
    "WITH a AS (SELECT id, x FROM t WHERE x <> ''), b AS (SELECT * FROM a WHERE id > 3) SELECT l.id FROM a AS l ANTI JOIN b AS r ON l.id = r.id",
    "WITH a AS (SELECT id, x FROM t UNION ALL BY NAME SELECT id, n FROM u) SELECT * FROM a WHERE x IS NULL",
    "WITH a AS (SELECT id, x FROM t UNION ALL BY NAME SELECT id, n FROM u) SELECT id, n FROM a WHERE n > 0 OR x = 'a'",
    "SELECT (SELECT max(n) FROM u) AS m, id FROM t",
    "SELECT id, lag(id) OVER (ORDER BY id) AS p, row_number() OVER (ORDER BY id) AS r FROM t",
    "SELECT coalesce(x, '') AS x, id, n FROM t QUALIFY row_number() OVER (PARTITION BY coalesce(x, '') ORDER BY id DESC) = 1",
    "SELECT * FROM (VALUES (1, 'a'), (2, NULL)) AS data (k, v) WHERE coalesce(v, '') <> ''",
    "SELECT generate_series.s FROM generate_series(1, 5, 2) AS generate_series(s)",
];

/// What is not read, and why.
const REFUSED: &[(&str, &str)] = &[
    ("SELECT x, count(*) AS c FROM t GROUP BY x", "E0426"),
    ("SELECT DISTINCT x FROM t", "E0426"),
    ("SELECT min(x) AS m FROM t", "E0426"),
    ("SELECT soundex(x) AS s FROM t", "E0425"),
    ("SELECT has_term(x, 'a') AS s FROM t", "E0425"),
    ("SELECT q FROM t", "E0423"),
    ("SELECT id FROM t WHERE x = 5", "E0427"),
    ("SELECT id FROM t WHERE j ->> '$.k' = 'a'", "E0421"),
    ("SELECT id FROM t TABLESAMPLE 10%", "E0421"),
    ("SELECT id FROM t WHERE n % 2 = 1", "E0425"),
    ("SELECT id FROM t WHERE x NOT IN (SELECT y FROM u)", "E0426"),
    ("SELECT id FROM t INTERSECT SELECT id FROM u", "E0424"),
    (
        "CREATE OR REPLACE TEMP MACRO has_term(text_, term_) AS (true);\nSELECT id FROM t WHERE has_term(x, 'a')",
        "E0422",
    ),
    ("CREATE OR REPLACE TEMP MACRO lower(x) AS (x);\nSELECT id FROM t WHERE lower(x) = 'a'", "E0422"),
    ("SELECT id FROM t; DROP TABLE t", "E0421"),
];

#[test]
fn what_is_read_back_is_what_the_engine_does() {
    let tables = tables();
    let Some(engine) = duck::open() else {
        eprintln!("skipped: no libduckdb");
        return;
    };
    versus::create(&engine, &tables).unwrap();
    let known = Known(tables.clone());
    let tests = TESTS.iter().map(|t| format!("SELECT id FROM t WHERE {t}"));
    let values = TESTS.iter().map(|t| format!("SELECT id, ({t}) AS b FROM t"));
    let mut read = 0;
    let mut faults = Vec::new();
    for sql in tests.chain(values).chain(QUERIES.iter().map(|q| (*q).to_owned())) {
        let lifted = lift(&sql, &LiftOptions { dialect: Dialect::DUCKDB, tables: &known });
        let Some(query) = lifted.query else {
            // As a value a test may have no exact form; as a condition each has.
            if !sql.contains(" AS b FROM") {
                faults.push(format!("{sql}: {:?}", lifted.diagnostics));
            }
            continue;
        };
        read += 1;
        let types: Vec<Type> = query.plan.output.iter().map(|id| query.columns.ty(*id)).collect();
        let names: Vec<&str> = query.plan.output.iter().map(|id| query.columns.name(*id)).collect();
        let table = match duck::run(&engine, &sql, Duration::from_secs(20)) {
            Ok(table) => table,
            Err(e) => {
                faults.push(format!("{sql}: {e}"));
                continue;
            }
        };
        let wanted = duck::rows(&duck::arranged(table, &names), &types);
        let answer = route::eval(&query, &tables, 0).unwrap_or_else(|e| panic!("{sql}: {e}"));
        let found: Vec<Vec<Value>> = answer.rows.iter().map(|r| r.to_vec()).collect();
        let shown = |rows: &[Vec<Value>]| {
            let mut lines: Vec<String> = rows
                .iter()
                .map(|r| {
                    // A missing text is shown as the empty one.
                    let cell = |(v, t): (&Value, &Type)| match v {
                        Value::Null if *t == Type::String => "\"\"".to_owned(),
                        other => ruleferry_testkit::conformance::shown(other),
                    };
                    r.iter().zip(&types).map(cell).collect::<Vec<_>>().join(" | ")
                })
                .collect();
            lines.sort();
            lines
        };
        if shown(&found) != shown(&wanted) {
            faults.push(format!(
                "{sql}\n{}\nread: {:?}\nengine: {:?}",
                ruleferry_ir::text(&query),
                shown(&found),
                shown(&wanted)
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    assert!(read > TESTS.len() * 2 - 10 + QUERIES.len(), "{read} read");
}

#[test]
fn what_is_not_known_is_refused() {
    let known = Known(tables());
    let mut faults = Vec::new();
    for (sql, code) in REFUSED {
        let lifted = lift(sql, &LiftOptions { dialect: Dialect::DUCKDB, tables: &known });
        match lifted.diagnostics.first() {
            Some(d) if d.code.0 == *code && lifted.query.is_none() => {}
            other => faults.push(format!("{sql}: {other:?}")),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn hostile_texts_end() {
    let known = Known(tables());
    let read = |sql: &str| lift(sql, &LiftOptions { dialect: Dialect::DUCKDB, tables: &known });
    let deep = format!("SELECT {}id{} FROM t", "(".repeat(20_000), ")".repeat(20_000));
    assert!(read(&deep).query.is_none());
    let long = vec!["x = 'a'"; 20_000].join(" OR ");
    assert!(read(&format!("SELECT id FROM t WHERE {long}")).query.is_some());
    let calls = format!("SELECT {}x{} AS z FROM t", "coalesce(lower(".repeat(200), "), '')".repeat(200));
    let _ = read(&calls);
    let _ = read("SELECT '\u{0}' AS z FROM t");
    for text in [
        "'",
        "\"",
        "--",
        "/*",
        ";;",
        "SELECT id FROM t WHERE x = 'é",
        "WITH a AS (SELECT * FROM a) SELECT * FROM a",
    ] {
        assert!(read(text).query.is_none(), "{text}");
    }
}
