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
use ruleferry_ir::time::{TICKS_PER_HOUR, UNIX_EPOCH};
use ruleferry_sql::{LiftOptions, ReadDialect, SqlTables, lift};
use ruleferry_testkit::{duck, route, versus};
use smol_str::SmolStr;
use std::time::Duration;

/// Days from 1970 to 2024.
const DAY_2024: i64 = 19_723;

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
    let moment = |hours: Option<i64>| {
        hours.map_or(Value::Null, |h| Value::Datetime(UNIX_EPOCH + (DAY_2024 * 24 + h) * TICKS_PER_HOUR))
    };
    let real = |x: Option<f64>| x.map_or(Value::Null, Value::Real);
    let moments = [Some(0), None, Some(12), Some(24), Some(35), Some(60), Some(240)];
    let reals = [Some(2.5), Some(-1.0), None, Some(1.5)];
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
                    moment(moments[at % moments.len()]),
                    real(reals[at % reals.len()]),
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
        ("ts".into(), Type::Datetime),
        ("r".into(), Type::Real),
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
    // What people write.
    "x IN (SELECT y FROM u)",
    "x NOT IN (SELECT y FROM u)",
    "x NOT IN (SELECT y FROM u WHERE y IS NOT NULL)",
    "n NOT IN (SELECT n FROM u)",
    "n NOT IN (SELECT n FROM u WHERE id < 0)",
    "upper(x) NOT IN (SELECT upper(y) FROM u WHERE y <> '')",
    "x IN ('a', NULL)",
    "x NOT IN ('a', NULL)",
    "n NOT IN (0, NULL)",
    "x || y = 'aa'",
    "x || '-' || y <> 'a-a'",
    "x || n = 'a7'",
    "length(x) > 1",
    "length(x || y) = 1",
    "NOT (length(x) > 1)",
    "upper(x) = 'A'",
    "upper(x) <> 'A'",
    "trim(x) = 'a'",
    "ltrim(x) || rtrim(y) = 'a'",
    "strpos(x, 'b') = 2",
    "position('b' IN x) > 0",
    "instr(x, 'b') = 0",
    "replace(x, 'a', 'z') = 'z'",
    "reverse(x) = 'a'",
    "n % 2 = 1",
    "(n - 7) % 4 = -3",
    "mod(n, 4) = 3",
    "n BETWEEN 5 AND 10 OR x BETWEEN 'a' AND 'b'",
    "x NOT BETWEEN 'a' AND 'b'",
    "CASE x WHEN 'a' THEN 1 WHEN '' THEN 2 ELSE 3 END = 2",
    "CASE WHEN x = 'a' THEN y ELSE x END IS NULL",
    "CASE n WHEN 7 THEN NULL ELSE x END = 'a'",
    "if(n = 7, x, y) = 'a'",
    "ifnull(x, y) = 'a'",
    "coalesce(x, y) = ''",
    "coalesce(x, y) IS NULL",
    "coalesce(x, y, 'none') = 'none'",
    "nullif(x, 'a') IS NULL",
    "nullif(x, y) = 'a'",
    "nullif(n, 7) IS NULL",
    "x IS DISTINCT FROM y",
    "x IS NOT DISTINCT FROM y",
    "x IS NOT DISTINCT FROM NULL",
    "x IS DISTINCT FROM 'a'",
    "x SIMILAR TO 'a'",
    "x SIMILAR TO '(A|b).*'",
    "x NOT SIMILAR TO '[a-z]'",
    "regexp_matches(x, '^A', 'i')",
    "x ~ 'a'",
    "x ~ 'b.c'",
    "x !~ '.*c'",
    "regexp_full_match(x, 'a|b')",
    "x LIKE 'A_ %'",
    "x ILIKE 'b!_%' ESCAPE '!'",
    "prefix(x, 'A') OR suffix(x, 'c')",
    "EXISTS (SELECT 1 FROM u WHERE u.x = t.x)",
    "NOT EXISTS (SELECT 1 FROM u WHERE u.x = t.x)",
    "EXISTS (SELECT 1 FROM u WHERE u.n = t.n AND u.x <> 'a')",
    "n = 0 OR EXISTS (SELECT * FROM u AS v WHERE v.x = t.y)",
    "n = 0 OR NOT EXISTS (SELECT * FROM u AS v WHERE v.x = t.y AND v.n = t.n)",
    "EXISTS (SELECT 1 FROM u WHERE id > 1000)",
    "n = (SELECT max(n) FROM u)",
    "x = (SELECT max(x) FROM u)",
    "x <> (SELECT min(y) FROM u WHERE id < 0)",
    "x = 'a' AND (y = 'a') IS UNKNOWN",
    "n IS NOT NULL AND NOT (n > 3 AND y IS NULL)",
    "json_extract_string(j, '$.k') = 'a'",
    "json_extract_string(j, 'k') IS NULL",
    "(j ->> 'k') = 'a'",
    "ts > TIMESTAMP '2024-01-02 00:00:00'",
    "ts > '2024-01-02'",
    "ts >= DATE '2024-01-02' AND ts < DATE '2024-01-02' + INTERVAL 1 DAY",
    "ts BETWEEN '2024-01-01 10:00:00' AND '2024-01-03'",
    "ts + INTERVAL '36 hours' > TIMESTAMP '2024-01-03 12:00:00'",
    "ts - INTERVAL 1 HOUR < '2024-01-02 00:00:00'",
    "CAST(ts AS DATE) = DATE '2024-01-02'",
    "date_trunc('hour', ts) = ts",
    "date_trunc('week', ts) = '2024-01-01'",
    "extract(hour FROM ts) = 12",
    "hour(ts) BETWEEN 9 AND 17",
    "dayofweek(ts) = 2",
    "date_part('epoch', ts) > 1704153600",
    "date_diff('day', TIMESTAMP '2024-01-01 00:00:00', ts) = 1",
    "date_diff('hour', ts, TIMESTAMP '2024-01-02 00:30:00') >= 0",
    "epoch(ts) IS NULL",
    "r > 1.5",
    "r * 2 = 5.0",
    "round(r) = 2",
    "floor(r) = 2",
    "abs(n - 7) = 7",
    "TRY_CAST(x AS INTEGER) IS NULL",
    "n::VARCHAR = '7'",
    "CAST(n AS VARCHAR) LIKE '7%'",
    "n::DOUBLE / 2 > 3",
    "starts_with(lower(x), 'a')",
    "lower(x) LIKE 'a%'",
    "NOT (x = 'a' OR y = 'a')",
    "(x = 'a') = (y = 'a')",
    "greatest(n, id) = id",
    "least(n, 3) = 3",
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
    "SELECT id FROM t WHERE (x, n) IN (('a', 7), ('', 0))",
    // Groups.
    "SELECT x, count(*) AS c FROM t GROUP BY x",
    "SELECT x, x IS NULL AS none, count(*) AS c FROM t GROUP BY x",
    "SELECT x, y, count(*) AS c, sum(n) AS s, min(n) AS a, max(n) AS b, avg(n) AS m FROM t GROUP BY x, y",
    "SELECT x AS k, count(y) AS c, count(DISTINCT y) AS d FROM t GROUP BY 1 ORDER BY 2 DESC, k",
    "SELECT upper(x) AS k, count(*) FROM t GROUP BY k",
    "SELECT coalesce(x, y) AS k, count(*) AS c FROM t GROUP BY ALL HAVING count(*) > 1",
    "SELECT n, count(*) AS c FROM t GROUP BY n HAVING count(*) > 2 AND n IS NOT NULL",
    "SELECT n, sum(id) FILTER (WHERE x = 'a') AS s, count(*) FILTER (WHERE y IS NULL) AS c FROM t GROUP BY n",
    "SELECT sum(n) AS s, avg(n) AS a, min(x) AS mi, max(x) AS ma, count(*) AS c FROM t WHERE id < 0",
    "SELECT min(x) IS NULL AS a, max(y) IS NULL AS b FROM t WHERE id < 0",
    "SELECT n, min(x) AS mi, max(x) AS ma, min(x) IS NULL AS none FROM t GROUP BY n",
    "SELECT x, min(y) AS mi, min(y) IS NULL AS none FROM t GROUP BY x",
    "SELECT n, bool_and(x = 'a') AS a, bool_or(x = 'a') AS b FROM t GROUP BY n",
    "SELECT stddev(n) AS a, var_pop(n) AS b, stddev_samp(id) AS c FROM t",
    "SELECT n, string_agg(x, ',' ORDER BY id) AS s FROM t GROUP BY n",
    "SELECT n, string_agg(x, ',' ORDER BY id) IS NULL AS s FROM t WHERE x IS NULL GROUP BY n",
    "SELECT n, max_by(x, id) AS last, min_by(y, id) AS first FROM t GROUP BY n",
    "SELECT count(*) AS c FROM (SELECT DISTINCT x FROM t) AS d",
    "SELECT x, count(*) AS c FROM t GROUP BY x ORDER BY c DESC, x NULLS FIRST LIMIT 2",
    "SELECT n + 1 AS k, count(*) * 2 AS c FROM t GROUP BY n + 1 HAVING max(id) > 3",
    "SELECT DISTINCT n, count(*) AS c FROM t GROUP BY n, x",
    "SELECT count(DISTINCT x) AS a, count(DISTINCT n) AS b, count(DISTINCT upper(y)) AS c FROM t",
    "SELECT date_trunc('day', ts) AS d, count(*) AS c FROM t GROUP BY d ORDER BY d",
    // Distinct, order.
    "SELECT DISTINCT x FROM t",
    "SELECT DISTINCT x, x IS NULL AS none FROM t",
    "SELECT DISTINCT upper(x) AS k, n FROM t",
    "SELECT count(*) AS c FROM (SELECT DISTINCT x, y FROM t) AS d WHERE x IS NOT NULL",
    "SELECT id FROM t ORDER BY x, id LIMIT 5",
    "SELECT id FROM t ORDER BY x DESC NULLS FIRST, id LIMIT 5",
    "SELECT id FROM t ORDER BY n DESC, id LIMIT 5",
    "SELECT id, x FROM t ORDER BY 2 NULLS FIRST, 1 LIMIT 4",
    "SELECT DISTINCT ON (n) n, id FROM t ORDER BY n, id",
    // Sets of rows.
    "SELECT x FROM t UNION SELECT y FROM u",
    "SELECT x FROM t UNION ALL SELECT y FROM u",
    "SELECT count(*) AS c FROM (SELECT x FROM t UNION SELECT y FROM u) AS d",
    "SELECT x FROM t INTERSECT SELECT y FROM u",
    "SELECT x, n FROM t EXCEPT SELECT x, n FROM u",
    "SELECT n FROM t EXCEPT SELECT n FROM u WHERE n IS NOT NULL",
    "SELECT x, x IS NULL AS none FROM (SELECT x FROM t INTERSECT SELECT y FROM u) AS d",
    "SELECT coalesce(x, 'none') AS k FROM (SELECT upper(x) AS x FROM t UNION ALL SELECT y FROM u) AS d",
    "(SELECT id FROM t WHERE n = 7) UNION ALL (SELECT id FROM t WHERE n = 0) ORDER BY id LIMIT 3",
    // Joins.
    "SELECT l.id, r.id AS other FROM t AS l, u AS r WHERE l.x = r.x AND l.n = r.n",
    "SELECT l.id, r.id AS other FROM t AS l CROSS JOIN u AS r WHERE l.n > r.n",
    "SELECT l.id, r.id AS other FROM t AS l JOIN u AS r ON l.x = r.x AND r.n > 0 AND l.id <> r.id",
    "SELECT l.id, r.id AS other FROM t AS l LEFT JOIN u AS r ON l.x = r.x AND r.n > 0",
    "SELECT l.id, r.id AS other FROM t AS l LEFT JOIN u AS r ON l.x = r.x AND l.n > 0",
    "SELECT l.id, r.id AS other FROM t AS l FULL JOIN u AS r ON l.x = r.y AND l.n > 0 AND r.n > 0",
    "SELECT l.id, r.y IS NULL AS none FROM t AS l LEFT JOIN u AS r ON l.id = r.id",
    "SELECT l.id, r.k, r.k IS NULL AS none FROM t AS l LEFT JOIN (SELECT id, upper(y) AS k FROM u) AS r ON l.id = r.id",
    "SELECT id, t.x FROM t JOIN u USING (id)",
    "SELECT id, l.x FROM t AS l LEFT JOIN u AS r USING (id, n)",
    "SELECT r.* FROM t AS l RIGHT JOIN u AS r ON l.n = r.n AND l.x = 'a'",
    "SELECT a.id FROM t AS a JOIN t AS b ON a.x = b.y JOIN u AS c ON c.n = b.n WHERE a.n IS NOT NULL",
    // Queries in queries.
    "WITH a AS (SELECT x, count(*) AS c FROM t GROUP BY x) SELECT * FROM a WHERE c > 2 AND x IS NOT NULL",
    "WITH a(k, c) AS (SELECT x, count(*) FROM t GROUP BY x) SELECT p.k, q.c FROM a AS p JOIN a AS q ON p.c = q.c AND p.k = q.k",
    "WITH a AS (SELECT upper(x) AS k FROM t) SELECT k FROM a WHERE k IS NULL UNION ALL SELECT k FROM a WHERE k = 'A'",
    "SELECT * FROM (WITH b AS (SELECT id FROM t WHERE n = 7) SELECT id FROM b) AS d WHERE id > 2",
    "SELECT d.k, d.k IS NULL AS none FROM (SELECT CASE WHEN n = 7 THEN x ELSE y END AS k FROM t) AS d",
    "SELECT x || '!' AS k, (x || '!') IS NULL AS none FROM t",
    "SELECT id, (SELECT max(x) FROM u) AS m, (SELECT max(x) FROM u WHERE id < 0) IS NULL AS none FROM t",
    "SELECT coalesce(k, '?') AS k FROM (SELECT nullif(x, 'a') AS k FROM t) AS d",
    // Windows.
    "SELECT id, row_number() OVER (PARTITION BY n ORDER BY id) AS r FROM t",
    "SELECT id, row_number() OVER (PARTITION BY x, n ORDER BY id DESC) AS r FROM t",
    "SELECT id, rank() OVER (PARTITION BY n ORDER BY y NULLS FIRST) AS r FROM t",
    "SELECT id, dense_rank() OVER (ORDER BY n) AS r FROM t WHERE n IS NOT NULL",
    "SELECT id, lag(id) OVER (PARTITION BY n ORDER BY id) AS p, lead(id) OVER (PARTITION BY n ORDER BY id) AS q FROM t",
    "SELECT id, lag(ts) OVER (PARTITION BY x ORDER BY id) AS p FROM t",
    "SELECT id, count(*) OVER (PARTITION BY x) AS c, max(id) OVER (PARTITION BY x) AS m FROM t",
    "SELECT id, sum(n) OVER (PARTITION BY y) AS s FROM t",
    "SELECT id, count(*) OVER () AS c FROM t",
    "SELECT * FROM (SELECT id, n, row_number() OVER (PARTITION BY n ORDER BY id DESC) AS r FROM t) AS d WHERE r = 1",
    "SELECT id, n FROM t QUALIFY row_number() OVER (PARTITION BY n ORDER BY id) = 1",
    "SELECT id, x FROM t QUALIFY row_number() OVER (PARTITION BY x ORDER BY id) <= 2",
    "SELECT id, x FROM t QUALIFY count(*) OVER (PARTITION BY x) > 2",
    "SELECT x, count(*) AS c FROM t GROUP BY x QUALIFY row_number() OVER (ORDER BY count(*) DESC, x) = 1",
    // Lists.
    "SELECT id, e FROM t, UNNEST(string_split(x, ' ')) AS u(e)",
    "SELECT id, list_contains(string_split(x, ' '), 'c') AS b FROM t",
    "SELECT id, unnest(string_split(x, ' ')) AS e FROM t",
    "SELECT split_part(x, ' ', 2) AS p, substring(x, 2) AS s, substring(x, 1, 1) AS f, left(x, 2) AS l, right(x, 1) AS r FROM t",
    // Macros and views of the script's own.
    "CREATE MACRO twice(a) AS a * 2; SELECT id, twice(n + 1) AS d FROM t",
    "CREATE TEMP VIEW v AS SELECT id, x FROM t WHERE n = 7; SELECT x FROM v WHERE id > 2",
    "SELECT id AS \"order\", x AS \"a b\" FROM t WHERE \"x\" = 'it''s' OR x = 'a'",
];

/// What is not read, and why.
const REFUSED: &[(&str, &str)] = &[
    ("SELECT soundex(x) AS s FROM t", "E0425"),
    ("SELECT has_term(x, 'a') AS s FROM t", "E0425"),
    ("SELECT q FROM t", "E0423"),
    ("SELECT id FROM t WHERE j ->> '$.k' = 'a'", "E0421"),
    ("SELECT id FROM t TABLESAMPLE 10%", "E0421"),
    (
        "CREATE OR REPLACE TEMP MACRO has_term(text_, term_) AS (true);\nSELECT id FROM t WHERE has_term(x, 'a')",
        "E0422",
    ),
    ("SELECT id FROM t INTERSECT ALL SELECT id FROM u", "E0424"),
    (
        "WITH RECURSIVE a AS (SELECT 1 AS k UNION ALL SELECT k + 1 FROM a WHERE k < 5) SELECT * FROM a",
        "E0424",
    ),
    ("SELECT id FROM t WHERE x LIKE y", "E0425"),
    ("SELECT id FROM t LIMIT 3 OFFSET 2", "E0424"),
    ("SELECT l.id FROM t AS l LEFT JOIN u AS r ON l.n < r.n", "E0424"),
    ("SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.n < t.n)", "E0424"),
    (
        "SELECT id, sum(n) OVER (PARTITION BY x ORDER BY id RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) AS s FROM t",
        "E0424",
    ),
    ("SELECT id FROM t; SELECT id FROM u", "E0421"),
    ("CREATE TABLE z (a int); SELECT id FROM t", "E0421"),
    ("SELECT n, sum(id) AS s FROM t GROUP BY ROLLUP (n)", "E0425"),
    ("SELECT id FROM t WHERE (j -> '$.k') IS NOT NULL AND (j ->> '$.k') <> ''", "E0426"),
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
        let lifted = lift(&sql, &LiftOptions { dialect: ReadDialect::DuckDb, tables: &known });
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
        let lifted = lift(sql, &LiftOptions { dialect: ReadDialect::DuckDb, tables: &known });
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
    let read = |sql: &str| lift(sql, &LiftOptions { dialect: ReadDialect::DuckDb, tables: &known });
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
