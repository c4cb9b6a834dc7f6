//! Reading SQL: each dialect by what it means in the first one, columns by their use, scripts of several statements, refusals with
//! their place, and texts that want to break something.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::string_slice,
    reason = "tests"
)]

use ruleferry_ir::Type;
use ruleferry_sql::{LiftOptions, Lifted, NoTables, ReadDialect, SqlTables, lift, table_names};
use smol_str::SmolStr;

struct Events;

impl SqlTables for Events {
    fn columns(&self, table: &str) -> Option<Vec<(SmolStr, Type)>> {
        let columns = [
            ("id", Type::Long),
            ("n", Type::Long),
            ("image", Type::String),
            ("host", Type::String),
            ("ts", Type::Datetime),
            ("j", Type::Dynamic),
        ];
        table.eq_ignore_ascii_case("t").then(|| columns.iter().map(|(n, t)| ((*n).into(), *t)).collect())
    }
}

fn read(sql: &str, dialect: ReadDialect) -> Lifted {
    lift(sql, &LiftOptions { dialect, tables: &Events })
}

fn text(sql: &str, dialect: ReadDialect) -> String {
    let lifted = read(sql, dialect);
    let query = lifted.query.unwrap_or_else(|| panic!("{sql}: {:?}", lifted.diagnostics));
    ruleferry_ir::text(&query)
}

use ReadDialect::{BigQuery, ClickHouse, DuckDb, Postgres, Snowflake, Spark, Sqlite, Trino};

/// A condition of a dialect, and the same one for DuckDB.
const SAME: &[(ReadDialect, &str, &str)] = &[
    (Postgres, "image ~ 'a.c'", "regexp_matches(image, 'a.c')"),
    (Postgres, "image ~* 'a.c'", "regexp_matches(image, 'a.c', 'i')"),
    (Postgres, "image !~ 'a.c'", "NOT regexp_matches(image, 'a.c')"),
    (Postgres, "image LIKE '10\\%'", "image LIKE '10!%' ESCAPE '!'"),
    (Postgres, "n / 2 = 3", "n // 2 = 3"),
    (Postgres, "j ->> 'k' = 'a'", "(j ->> 'k') = 'a'"),
    (Postgres, "j -> 'a' ->> 'b' = 'x'", "(j ->> '$.a.b') = 'x'"),
    (Postgres, "image = ANY (ARRAY['a', 'b'])", "image IN ('a', 'b')"),
    (Postgres, "position('a' in image) > 0", "strpos(image, 'a') > 0"),
    (Postgres, "ts > now() - interval '1 hour'", "ts > now() - INTERVAL 1 HOUR"),
    (ClickHouse, "match(image, 'a.c')", "regexp_matches(image, 'a.c')"),
    (
        ClickHouse,
        "startsWith(image, 'a') AND endsWith(image, 'b')",
        "starts_with(image, 'a') AND ends_with(image, 'b')",
    ),
    (ClickHouse, "toHour(ts) = 3", "hour(ts) = 3"),
    (ClickHouse, "notEmpty(image)", "image <> ''"),
    (ClickHouse, "ts > now() - INTERVAL 5 MINUTE", "ts > now() - INTERVAL 5 MINUTE"),
    (
        ClickHouse,
        "multiIf(n = 1, 'a', n = 2, 'b', 'c') = 'b'",
        "CASE WHEN n = 1 THEN 'a' WHEN n = 2 THEN 'b' ELSE 'c' END = 'b'",
    ),
    (Spark, "image RLIKE 'a.c'", "regexp_matches(image, 'a.c')"),
    (Spark, "image rlike \"a'c\"", "regexp_matches(image, 'a''c')"),
    (Spark, "get_json_object(j, '$.k') = 'a'", "(j ->> '$.k') = 'a'"),
    (Spark, "j:k.l = 'a'", "(j ->> '$.k.l') = 'a'"),
    (Snowflake, "j:k.l::string = 'a'", "(j ->> '$.k.l') = 'a'"),
    (Spark, "contains(lower(image), lower('x'))", "contains(lower(image), 'x')"),
    (Spark, "image LIKE 'a\\\\%'", "image LIKE 'a!%' ESCAPE '!'"),
    (Snowflake, "image RLIKE 'a.c'", "regexp_full_match(image, 'a.c')"),
    (Snowflake, "regexp_like(image, 'a.c')", "regexp_full_match(image, 'a.c')"),
    (Snowflake, "ts > dateadd(hour, -1, current_timestamp())", "ts > now() + to_hours(-1)"),
    (Snowflake, "iff(n > 1, true, false)", "if(n > 1, true, false)"),
    (Snowflake, "image ILIKE ANY ('%a%', '%b')", "image ILIKE '%a%' OR image ILIKE '%b'"),
    (Snowflake, "charindex('a', image) = 1", "strpos(image, 'a') = 1"),
    (BigQuery, "REGEXP_CONTAINS(image, r'a\\.c')", "regexp_matches(image, 'a\\.c')"),
    (BigQuery, "image = \"a\"", "image = 'a'"),
    (BigQuery, "JSON_VALUE(j, '$.k') = 'a'", "(j ->> '$.k') = 'a'"),
    (BigQuery, "ts > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR)", "ts > now() - INTERVAL 1 HOUR"),
    (BigQuery, "image IN UNNEST(['a', 'b'])", "image IN ('a', 'b')"),
    (BigQuery, "TIMESTAMP_TRUNC(ts, HOUR) = ts", "date_trunc('hour', ts) = ts"),
    (Trino, "regexp_like(image, 'a.c')", "regexp_matches(image, 'a.c')"),
    (Trino, "json_extract_scalar(j, '$.k') = 'a'", "(j ->> '$.k') = 'a'"),
    (Trino, "n / 2 = 3", "n // 2 = 3"),
    (Sqlite, "image LIKE '%\\_a' ESCAPE '\\'", "image ILIKE '%!_a' ESCAPE '!'"),
    (Sqlite, "image REGEXP 'a.c'", "regexp_matches(image, 'a.c')"),
    (Sqlite, "image = 7", "image = '7'"),
    (Sqlite, "ifnull(image, '') = ''", "coalesce(image, '') = ''"),
];

/// Without the places: only what it means.
#[test]
fn dialects_mean_what_the_first_one_says() {
    let mut faults = Vec::new();
    for (dialect, own, first) in SAME {
        let own = format!("SELECT id FROM t WHERE {own}");
        let first = format!("SELECT id FROM t WHERE {first}");
        let (a, b) = (read(&own, *dialect), read(&first, DuckDb));
        match (a.query, b.query) {
            (Some(a), Some(b)) => {
                let (a, b) = (ruleferry_ir::text(&a), ruleferry_ir::text(&b));
                if a != b {
                    faults.push(format!("{dialect:?} {own}\n{a}\n{b}"));
                }
            }
            _ => faults.push(format!("{dialect:?} {own}: {:?} {:?}", a.diagnostics, b.diagnostics)),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// What another dialect has under a name of DuckDB's with another meaning is not read as DuckDB's.
#[test]
fn other_meanings_are_refused() {
    for (dialect, condition) in [
        (BigQuery, "REGEXP_EXTRACT(image, 'a') = 'a'"),
        (Spark, "split(image, '[ab]') IS NULL"),
        (Trino, "date_diff('hour', ts, ts) = 0"),
        (ClickHouse, "md5(image) = 'a'"),
        (DuckDb, "soundex(image) = 'a'"),
        (Spark, "concat(image, host, image, host, image, host) = 'a'"),
    ] {
        let lifted = read(&format!("SELECT id FROM t WHERE {condition}"), dialect);
        assert!(lifted.query.is_none(), "{dialect:?} {condition}");
        assert_eq!(lifted.diagnostics[0].code.0, "E0425", "{:?}", lifted.diagnostics);
    }
}

#[test]
fn orders_put_null_where_the_dialect_does() {
    let nulls_first = |dialect, order: &str| {
        text(&format!("SELECT id FROM t ORDER BY {order} LIMIT 3"), dialect).contains("nulls first")
    };
    assert!(!nulls_first(DuckDb, "n") && !nulls_first(DuckDb, "n DESC"));
    assert!(!nulls_first(Postgres, "n") && nulls_first(Postgres, "n DESC"));
    assert!(nulls_first(Sqlite, "n") && !nulls_first(Sqlite, "n DESC"));
    assert!(!nulls_first(Postgres, "n DESC NULLS LAST"));
}

#[test]
fn columns_take_their_type_from_their_use() {
    let sql =
        "SELECT image FROM procs WHERE pid > 10 AND seen > now() - INTERVAL '1 day' AND (tags ->> '$.a') = 'x'
        AND name LIKE 'a%' AND ratio * 2 > 1.5e0";
    let lifted = lift(sql, &LiftOptions { dialect: DuckDb, tables: &NoTables });
    let query = lifted.query.unwrap_or_else(|| panic!("{:?}", lifted.diagnostics));
    let ty = |name: &str| query.columns.iter().find(|(_, c)| c.name == name).map(|(_, c)| c.ty);
    assert_eq!(ty("pid"), Some(Type::Long));
    assert_eq!(ty("seen"), Some(Type::Datetime));
    assert_eq!(ty("tags"), Some(Type::Dynamic));
    assert_eq!(ty("name"), Some(Type::String));
    assert_eq!(ty("image"), Some(Type::String));
    assert!(query.assumptions.iter().any(|a| a.contains("`procs` has no schema")), "{:?}", query.assumptions);
}

#[test]
fn scripts_have_views_and_macros() {
    let direct = text("SELECT id FROM (SELECT id, n + 1 AS m FROM t) AS v WHERE m * 2 > 4", DuckDb);
    let script = "-- one\nCREATE MACRO twice(x) AS x * 2;\nCREATE VIEW v AS SELECT id, n + 1 AS m FROM t; /* two */\n\
                  SELECT id FROM v WHERE twice(m) > 4;";
    assert_eq!(text(script, DuckDb), direct);
    let mut names = table_names(script, DuckDb);
    names.sort();
    assert_eq!(names, ["t", "v"]);
    for wrong in [
        "SELECT 1 AS a; SELECT 2 AS b",
        "CREATE TABLE x AS SELECT 1 AS a; SELECT 1 AS a",
        "DELETE FROM t",
        "CREATE MACRO f(x) AS TABLE SELECT x; SELECT f(1) AS a",
    ] {
        assert!(read(wrong, DuckDb).query.is_none(), "{wrong}");
    }
}

#[test]
fn macros_that_grow_without_end_are_refused() {
    let mut script = String::from("CREATE MACRO f0(x) AS x + x;\n");
    for i in 1..40 {
        script += &format!("CREATE MACRO f{i}(x) AS f{}(x) + f{}(x);\n", i - 1, i - 1);
    }
    let lifted = read(&format!("{script}SELECT f39(n) AS a FROM t"), DuckDb);
    assert!(lifted.query.is_none());
    let case = "CASE ".repeat(30) + "n" + &" WHEN 1 THEN 2 END".repeat(30);
    let _ = read(&format!("SELECT {case} AS a FROM t"), DuckDb);
}

#[test]
fn faults_have_their_place_in_the_file() {
    for (sql, wrong) in [
        ("-- é\nSELECT id\nFROM t\nWHERE soundex(image) = 'a'", "soundex"),
        ("CREATE VIEW v AS SELECT id FROM t;\n\nSELECT id FROM v WHERE nothing = 'a'", "nothing"),
        ("SELECT id FROM t WHERE image LIKE host", "image LIKE host"),
        ("SELECT 'é' AS e, id FROM t WHERE n < image", "n < image"),
    ] {
        let lifted = read(sql, DuckDb);
        let Some(d) = lifted.diagnostics.first() else { continue };
        let found = &sql[d.span.start as usize..d.span.end as usize];
        assert!(
            found.starts_with(wrong) || wrong.starts_with(found) && !found.is_empty(),
            "{sql}: `{found}` {d:?}"
        );
    }
    let lifted = read("SELECT id\nFROM t WHERE )", DuckDb);
    assert_eq!(lifted.diagnostics[0].code.0, "E0421");
    assert!(lifted.diagnostics[0].span.start >= 10, "{:?}", lifted.diagnostics);
}

#[test]
fn hostile_names_and_texts_stay_what_they_are() {
    let sql =
        "SELECT id AS \"a\"\"b; DROP TABLE t\" FROM t WHERE image = '''; DROP TABLE t; --' OR host = 'a\\'";
    let shown = text(sql, DuckDb);
    assert!(shown.contains("'; DROP TABLE t; --") && shown.contains("a\"b; DROP TABLE t"), "{shown}");
    // A backslash is a character here, and takes away the meaning of the quote there.
    assert!(read("SELECT id FROM t WHERE host = 'a\\' OR id > 0", DuckDb).query.is_some());
    assert!(read("SELECT id FROM t WHERE host = 'a\\' OR id > 0", Spark).query.is_none());
}

/// Texts of words that SQL is made of, put together anyhow: no panic, and what is refused says why.
#[test]
fn any_words_end() {
    const WORDS: [&str; 44] = [
        "SELECT",
        "FROM",
        "WHERE",
        "t",
        "id",
        "n",
        "image",
        "(",
        ")",
        ",",
        "*",
        "=",
        "<>",
        "AND",
        "OR",
        "NOT",
        "IN",
        "EXISTS",
        "JOIN",
        "LEFT",
        "ON",
        "GROUP BY",
        "HAVING",
        "ORDER BY",
        "LIMIT",
        "count(*)",
        "sum(n)",
        "over (",
        "partition by",
        "union all",
        "intersect",
        "CASE WHEN",
        "THEN",
        "ELSE",
        "END",
        "'a'",
        "7",
        "IS NULL",
        "LIKE",
        "unnest(",
        "->>",
        "::",
        "WITH x AS (",
        "\u{0}é",
    ];
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..4000 {
        let count = next() % 24;
        let mut sql = String::from("SELECT ");
        for _ in 0..count {
            let word = WORDS[usize::try_from(next() % WORDS.len() as u64).unwrap()];
            sql += word;
            sql.push(' ');
        }
        let dialect = ReadDialect::ALL[usize::try_from(next() % 8).unwrap()];
        let lifted = read(&sql, dialect);
        assert!(lifted.query.is_some() || !lifted.diagnostics.is_empty(), "{sql}");
    }
}
