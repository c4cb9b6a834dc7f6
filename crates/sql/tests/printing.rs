//! The form of emitted SQL: what a reviewer sees, and that it reads back as the same tree.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use ruleferry_kql::lift::{LiftOptions, lift};
use ruleferry_kql::syntax::parse;
use ruleferry_sql::{Dialect, Lowered, SqlOptions, lower, print, print_query};
use sqlparser::ast::Statement;
use sqlparser::dialect::DuckDbDialect;
use sqlparser::parser::Parser;

fn lowered_with(query: &str, options: &SqlOptions) -> Result<Lowered, String> {
    let parsed = parse(query);
    let lifted = lift(&parsed.query, &LiftOptions { source: query });
    let ir = lifted.query.unwrap_or_else(|| panic!("{query}: {:?}", lifted.diagnostics));
    lower(&ir, options).map_err(|d| d.first().map(|d| d.message.clone()).unwrap_or_default())
}

fn lowered(query: &str) -> Lowered {
    let options = SqlOptions { dialect: Dialect::DUCKDB, now: None, look_back: None };
    lowered_with(query, &options).unwrap_or_else(|e| panic!("{query}: {e}"))
}

fn sql(query: &str) -> String {
    print_query(&lowered(query).script.select)
}

/// Printed, parsed and printed again is the same text.
fn assert_round_trip(text: &str) {
    let statements = Parser::parse_sql(&DuckDbDialect {}, text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let [Statement::Query(query)] = statements.as_slice() else { panic!("no query: {text}") };
    assert_eq!(print_query(query), text);
}

#[test]
fn a_pipeline_is_one_select() {
    let text = sql("SigninLogs | where ResultType == '0' and isnotempty(UserPrincipalName) \
        | extend App = tolower(AppDisplayName) | where App != 'x' | project TimeGenerated, App, UserPrincipalName");
    assert_eq!(
        text,
        "SELECT TimeGenerated, lower(AppDisplayName) AS App, UserPrincipalName
FROM SigninLogs
WHERE ResultType = '0'
    AND UserPrincipalName <> ''
    AND coalesce(App, '') <> 'x'"
    );
    assert_round_trip(&text);
}

#[test]
fn lets_become_ctes_of_their_name() {
    let text = sql("let Failed = SigninLogs | where ResultType != '0'; \
        let most = toscalar(Failed | summarize count()); \
        Failed | summarize n = count() by IPAddress | where n < most");
    assert!(text.starts_with("WITH Failed AS (\n    SELECT *\n    FROM SigninLogs"), "{text}");
    assert!(text.contains("most AS ("), "{text}");
    assert!(text.contains("(SELECT count_ FROM most)"), "{text}");
    assert_round_trip(&text);
}

#[test]
fn every_shape_reads_back() {
    for query in [
        "T | join kind=leftouter (U | summarize arg_max(t, *) by k) on k | take 5",
        "union T, (U | extend a = 1) | summarize make_set(a) by b | where array_length(set_a) > 2",
        "T | mv-expand x = d to typeof(string) | where x has 'y' | distinct x",
        "T | mv-apply e = parse_json(s) on (where tostring(e.k) == 'a' | project v = e.v)",
        "T | make-series n = count() on t from ago(7d) to now() step 1d by k",
        "T | parse m with * 'user ' u ' from ' ip:string ' ' * | project u, ip",
        "T | where a in~ ('x', 'y') and not(b startswith 'z' or c has_any ('p', 'q')) | count",
        "T | sort by t asc | extend p = prev(a), n = row_number() | where p != a",
        "let L = datatable(a: string)['x', 'y']; T | where a in (L) | top 3 by b desc",
        "range x from 1 to 5 step 1 | extend y = iff(x > 2, 'a', 'b')",
        "print a = 1, b = dynamic({'k': [1, 2]}) | evaluate bag_unpack(b) : (a: long, k: dynamic)",
    ] {
        assert_round_trip(&sql(query));
    }
}

#[test]
fn hostile_texts_stay_inside_of_their_quotes() {
    for text in ["'; DROP TABLE t; --", r"\'; DROP TABLE t; --", r"\\''", "a\"b", "'", "''", "%_\\'", "\\"] {
        let literal = text.replace('\\', "\\\\").replace('"', "\\\"");
        for query in [
            format!("T | where a == \"{literal}\" | project a"),
            format!("T | where a contains \"{literal}\" | project a"),
            format!("T | extend ['{}'] = 1", text.replace('\\', "\\\\").replace('\'', "\\'")),
        ] {
            let script = print(&lowered(&query).script);
            let statements =
                Parser::parse_sql(&DuckDbDialect {}, &script).unwrap_or_else(|e| panic!("{e}\n{script}"));
            let queries = statements.iter().filter(|s| matches!(s, Statement::Query(_))).count();
            let drops = statements.iter().filter(|s| matches!(s, Statement::Drop { .. })).count();
            assert_eq!((queries, drops), (1, 0), "{script}");
        }
    }
}

#[test]
fn column_names_that_differ_only_in_case_get_a_suffix() {
    let text = sql("T | project Name = a, name = b | where name == 'x'");
    assert!(text.contains("AS Name") && text.contains("AS name__2"), "{text}");
}

#[test]
fn an_invoked_table_gives_its_key_once() {
    let text = sql("DeviceFileEvents | invoke FileProfile(SHA1) | where GlobalPrevalence < 10");
    assert!(text.contains("r.* EXCLUDE (SHA1)"), "{text}");
}

#[test]
fn a_text_is_guarded_in_order_by_only_where_a_key_follows() {
    let text = sql("T | where isnotempty(a) | sort by a asc, tostring(b) asc");
    assert!(text.contains("ORDER BY a, b NULLS FIRST"), "{text}");
    let text = sql("T | extend b = tostring(b) | sort by b asc, c asc");
    assert!(text.contains("ORDER BY coalesce(b, ''), c"), "{text}");
}

#[test]
fn keywords_are_quoted_and_only_they() {
    let text = sql("T | project ['order'] = a, plain = b, ['two words'] = c");
    assert!(
        text.contains("AS \"order\"") && text.contains("AS plain") && text.contains("AS \"two words\""),
        "{text}"
    );
}

#[test]
fn a_look_back_bounds_each_scan_that_the_query_does_not() {
    let day = 24 * 60 * 60 * 10_000_000;
    let options = SqlOptions { dialect: Dialect::DUCKDB, now: None, look_back: Some(day) };
    let text = |q: &str| print_query(&lowered_with(q, &options).unwrap().script.select);
    let bounded = text("SigninLogs | where TimeGenerated > ago(1h) | project TimeGenerated");
    assert_eq!(bounded.matches("INTERVAL").count(), 1, "{bounded}");
    let unbounded = text("SigninLogs | where ResultType == '0' | project TimeGenerated");
    assert!(unbounded.contains("INTERVAL '1' DAY"), "{unbounded}");
    let wider = text("SigninLogs | where TimeGenerated > ago(7d) | project TimeGenerated");
    assert_eq!(wider.matches("INTERVAL").count(), 2, "{wider}");
}

#[test]
fn what_has_no_sql_is_refused_with_its_place() {
    let options = SqlOptions { dialect: Dialect::DUCKDB, now: None, look_back: None };
    let refused = lowered_with("T | evaluate autocluster()", &options).unwrap_err();
    assert!(refused.contains("autocluster"), "{refused}");
}

#[test]
fn long_pipelines_and_chains_do_not_nest() {
    let filters = "| where a == 1 or b == 2 ".repeat(400);
    assert_round_trip(&sql(&format!("T {filters}")));
    let terms = (0..3000).map(|i| format!("a == {i}")).collect::<Vec<_>>().join(" or ");
    assert!(sql(&format!("T | where {terms}")).len() > 1000);
}

/// As deep as the front end lets a query nest, on the small stack of a worker thread.
#[test]
fn deep_queries_need_no_large_stack() {
    let work = || {
        let options = SqlOptions { dialect: Dialect::DUCKDB, now: None, look_back: None };
        for depth in [20, 60, 100, 140, 1000] {
            let calls =
                format!("T | extend x = {}'y'{}", "iff(a == 1, 'x', ".repeat(depth), ")".repeat(depth));
            let nots = format!("T | where {}a == 1{}", "not(b == 2 and ".repeat(depth), ")".repeat(depth));
            let joins = format!("T {}{}", "| join (U ".repeat(depth), ") on k ".repeat(depth));
            for query in [calls, nots, joins] {
                let parsed = parse(&query);
                let lifted = lift(&parsed.query, &LiftOptions { source: &query });
                if let Some(ir) = lifted.query
                    && let Ok(lowered) = lower(&ir, &options)
                {
                    assert!(!print(&lowered.script).is_empty());
                }
            }
        }
    };
    std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(work).unwrap().join().unwrap();
}

#[test]
fn a_step_that_stands_for_too_much_is_computed_once() {
    let chain = |steps: usize| {
        let step = "| extend mark = iff(Account has 'x', strcat(mark, 'x'), mark) ";
        sql(&format!("SecurityEvent | extend mark = Account {} | where mark != ''", step.repeat(steps)))
    };
    assert!(!chain(5).contains("MATERIALIZED"));
    assert_eq!(chain(12).matches("AS MATERIALIZED (").count(), 1);
    let lets: String = (1..12).map(|n| format!("let t{n} = t{} | extend a = strcat(a, a);", n - 1)).collect();
    let text = sql(&format!("let t0 = SecurityEvent | project a = Account; {lets} t11 | where a != ''"));
    assert_eq!(text.matches("AS MATERIALIZED (").count(), 1, "{text}");
}

#[test]
fn inputs_are_listed_with_the_names_that_the_query_uses() {
    let lowered = lowered("_GetWatchlist('Hosts') | where Name == 'a' and name == 'b'");
    let names: Vec<&str> = lowered.needs[0].columns.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.contains(&"Name") && names.contains(&"name__2"), "{names:?}");
    assert!(print_query(&lowered.script.select).contains("name__2"));
}

#[test]
fn what_no_memory_should_hold_is_refused() {
    let options = SqlOptions { dialect: Dialect::DUCKDB, now: None, look_back: None };
    let values = vec!["'v'"; 260_000].join(",");
    let refused =
        lowered_with(&format!("SecurityEvent | where Account in ({values})"), &options).unwrap_err();
    assert_eq!(refused, "the query has more than 250000 values and conditions");
}

/// The mean of no values is NaN to Kusto and NULL to SQL: said only where something can tell.
#[test]
fn a_mean_stays_plain_where_a_filter_drops_what_has_none() {
    let plain = [
        "SigninLogs | summarize a = avg(RiskScore) by UserId | where a > 5",
        "SigninLogs | summarize a = avg(RiskScore), n = count() by UserId | extend r = n / a | where r > 5.0 | project UserId, r",
        "let usual = SigninLogs | summarize a = avg(RiskScore) by UserId; \
         SigninLogs | summarize n = count() by UserId | join kind=inner usual on UserId | where n > 3 * a",
        "let usual = toscalar(SigninLogs | summarize avg(RiskScore)); SigninLogs | where RiskScore > usual",
        "SigninLogs | summarize n = count() by UserId, IPAddress | summarize avg(n) by UserId",
    ];
    for query in plain {
        let text = sql(query);
        assert!(text.contains("avg(") && !text.contains("NaN"), "{query}\n{text}");
    }
    let guarded = [
        (
            "SigninLogs | summarize a = avg(RiskScore) by UserId",
            "coalesce(avg(RiskScore), 'NaN'::DOUBLE) AS a",
        ),
        (
            "let usual = SigninLogs | summarize a = avg(RiskScore) by UserId; usual | where a > 5 | union usual",
            "coalesce(avg(RiskScore), 'NaN'::DOUBLE)",
        ),
        (
            "SigninLogs | summarize a = avg(RiskScore) by UserId | sort by a | take 3 | where a > 5",
            "ORDER BY nullif(a, 'NaN'::DOUBLE) DESC\n    LIMIT 3",
        ),
    ];
    for (query, part) in guarded {
        let text = sql(query);
        assert!(text.contains(part), "{query}\n{text}");
    }
}

/// NaN is above all numbers in DuckDB; a quotient is guarded unless one of the two is known not to be 0.
#[test]
fn quotients_that_may_be_nan_are_guarded() {
    let base = "SigninLogs | summarize bad = countif(ResultType != '0'), all = count(), ok = countif(ResultType == '0') by UserId";
    for (rest, guarded) in [
        ("| where todouble(bad) / all > 0.5", false),
        ("| where todouble(bad) / ok > 0.5", true),
        ("| where todouble(bad) / ok < 0.5", false),
        ("| where ok > 0 | where todouble(bad) / ok > 0.5", false),
        ("| where 100.0 / ok > 0.5", false),
        ("| extend share = todouble(bad) / ok | where share between (0.1 .. 0.5)", false),
        ("| extend share = todouble(bad) / ok | extend high = share > 0.5", true),
        ("| extend share = todouble(bad) / ok | where not(share >= 0.5)", true),
    ] {
        let query = format!("{base} {rest}");
        let text = sql(&query);
        assert_eq!(text.contains("NaN") || text.contains("isnan"), guarded, "{query}\n{text}");
    }
}
