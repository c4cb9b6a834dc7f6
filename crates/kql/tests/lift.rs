//! Lift of operators, statements and sources: columns against facts measured with Microsoft's parser, the rules that every
//! plan keeps, columns that are learned from use, faults and limits.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

#[path = "support/plan_check.rs"]
mod plan_check;

use ruleferry_diag::{Severity, codes};
use ruleferry_ir::{self as ir, BindingValue, InputKind, Op, Source};
use ruleferry_kql::lift::{LiftOptions, Lifted, lift};
use ruleferry_kql::syntax::parse;
use std::fmt::Write as _;

const TABLES: &str = "let T = datatable(a:string, b:long, c:dynamic, t:datetime)[]; \
                      let U = datatable(a:string, b:string, n:long, d:real, t:datetime)[]; ";

fn lifted(text: &str) -> Lifted {
    let parsed = parse(text);
    let start: String = text.chars().take(300).collect();
    assert!(!parsed.has_errors(), "{start}\n{:?}", parsed.diagnostics.first());
    let result = lift(&parsed.query, &LiftOptions { source: text });
    if let Some(query) = &result.query {
        let faults = plan_check::check(query);
        assert!(faults.is_empty(), "{start}\n{faults:?}\n{}", ir::text(query));
        assert_eq!(query.opaque_count(), result.opaque, "{start}");
    }
    result
}

fn query(text: &str) -> ir::Query {
    let result = lifted(text);
    let faults: Vec<_> = result.diagnostics.iter().map(|d| format!("{} {}", d.code, d.message)).collect();
    result.query.unwrap_or_else(|| panic!("{text}\n{faults:?}"))
}

fn columns(query: &ir::Query) -> String {
    let column = |id: &ir::ColId| format!("{}:{}", query.columns.name(*id), query.columns.ty(*id));
    query.plan.output.iter().map(column).collect::<Vec<_>>().join(", ")
}

fn output(text: &str) -> String {
    columns(&query(text))
}

/// Codes of the errors of a text.
fn errors(text: &str) -> Vec<&'static str> {
    let parsed = parse(text);
    let result = lift(&parsed.query, &LiftOptions { source: text });
    assert!(result.query.is_none(), "{text}");
    result.diagnostics.iter().filter(|d| d.severity == Severity::Error).map(|d| d.code.0).collect()
}

/// The scan at the source of a plan.
fn scan(plan: &ir::Plan) -> &ir::Scan {
    let mut plan = plan;
    while let Some(input) = plan.input() {
        plan = input;
    }
    match &*plan.op {
        Op::Scan(scan) => scan,
        other => panic!("{other:?}"),
    }
}

fn input(plan: &ir::Plan) -> &ir::Input {
    match &scan(plan).source {
        Source::Input(input) => input,
        other => panic!("{other:?}"),
    }
}

#[test]
fn operators_make_the_columns_that_kusto_makes() {
    let mut wrong = String::new();
    let facts = include_str!("facts/operators.tsv").lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
    for fact in facts {
        let (text, expected) = fact.split_once('\t').unwrap();
        let result = lifted(&format!("{TABLES}{text}"));
        let found = match &result.query {
            Some(query) => columns(query),
            None => format!("{:?}", result.diagnostics.iter().map(|d| &d.message).collect::<Vec<_>>()),
        };
        if found != expected || result.opaque > 0 {
            writeln!(wrong, "{text}\n  kusto: {expected}\n  here:  {found} ({} opaque)", result.opaque)
                .unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn columns_of_a_table_without_schema_are_learned_with_a_type_from_use() {
    let text = "My_CL | where Count_d > 5 and Name_s has 'x' and When_t > ago(1d) and Extra.user == 'y' | project-away Plain";
    let query = query(text);
    assert_eq!(
        columns(&query),
        "TimeGenerated:datetime, Count_d:long, Name_s:string, When_t:datetime, Extra:dynamic"
    );
    assert!(
        query.assumptions.iter().any(|a| a.contains("`My_CL`") && a.contains("`Count_d` long")),
        "{:?}",
        query.assumptions
    );
    assert!(scan(&query.plan).open);
}

#[test]
fn learned_columns_pass_through_lets_functions_and_joins() {
    assert_eq!(
        output("let X = My_CL | where a_s != ''; X | summarize count() by b_s"),
        "b_s:string, count_:long"
    );
    let text =
        "let f = (T:(*)) { T | where x_d >= 1 | project x_d }; My_CL | invoke f() | join (Other_CL) on x_d";
    assert_eq!(output(text), "x_d:long, TimeGenerated:datetime, x_d1:long");
    // The right side of a join learns what only its suffixed name tells.
    let text = "A_CL | where k_s == 'x' | join kind=inner (B_CL) on Id_s | where k_s1 == 'y' | project k_s1";
    assert_eq!(output(text), "k_s1:string");
}

#[test]
fn what_an_aggregate_star_passes_on_can_be_learned() {
    assert_eq!(
        output("My_CL | summarize arg_max(TimeGenerated, *) by Host_s | project Host_s, User_s"),
        "Host_s:string, User_s:string"
    );
}

#[test]
fn a_union_learns_a_used_column_in_every_open_input() {
    let query = query("union A_CL, (datatable(Host:string)['x']) | where Host == 'x'");
    let Op::Filter { input, .. } = &*query.plan.op else { panic!() };
    let Op::Union(union) = &*input.op else { panic!() };
    let host = input.output.iter().position(|id| query.columns.name(*id) == "Host").unwrap();
    assert!(union.columns[host].iter().all(Option::is_some), "{:?}", union.columns);
}

#[test]
fn a_column_that_a_closed_schema_lacks_is_taken_to_exist_with_a_warning() {
    let result =
        lifted("DeviceProcessEvents | where Timestamp > ago(1d) and FileNam == 'a.exe' | project FileNam");
    assert_eq!(columns(result.query.as_ref().unwrap()), "FileNam:string");
    let warning = result.diagnostics.iter().find(|d| d.code == codes::COLUMN_NOT_IN_SCHEMA).unwrap();
    assert_eq!(warning.severity, Severity::Warning);
    assert_eq!(warning.help.as_deref(), Some("did you mean `FileName`?"));
    assert_eq!((warning.span.start, warning.span.end), (52, 59));
    let result = lifted("SigninLog | where ResultType == '0'");
    let warning = result.diagnostics.iter().find(|d| d.code == codes::UNKNOWN_TABLE).unwrap();
    assert_eq!(warning.help.as_deref(), Some("did you mean `SigninLogs`?"));
}

#[test]
fn the_schema_follows_the_time_column_that_the_query_uses() {
    let says = |text: &str, product: &str| {
        let query = query(text);
        assert!(query.assumptions.iter().any(|a| a.contains(product)), "{text}: {:?}", query.assumptions);
    };
    says("DeviceEvents | where Timestamp > ago(1d)", "Defender XDR schema");
    says("DeviceEvents | where TimeGenerated > ago(1d)", "Log Analytics schema");
    says("DeviceEvents | take 5", "Log Analytics schema");
    // A comment is no use.
    says("// not Timestamp\nDeviceEvents | where TimeGenerated > ago(1d)", "Log Analytics schema");
    let time = |text: &str| {
        let query = query(text);
        query.columns.name(scan(&query.plan).time.unwrap()).to_owned()
    };
    assert_eq!(time("DeviceEvents | where Timestamp > ago(1d)"), "Timestamp");
    assert_eq!(time("SigninLogs | take 1"), "TimeGenerated");
}

#[test]
fn plugins_with_columns_from_the_data_learn_them() {
    let text = "T | evaluate bag_unpack(c) | where user has 'x' and n > 1 | project a, user, n";
    assert_eq!(output(&format!("{TABLES}{text}")), "a:string, user:string, n:long");
    let text = "T | evaluate pivot(a, count(), t) | project t, admin";
    assert_eq!(output(&format!("{TABLES}{text}")), "t:datetime, admin:string");
}

#[test]
fn inputs_from_outside_are_named_and_typed() {
    let watchlist = query("_GetWatchlist('vips') | where SearchKey == 'x' and Owner == 'y'");
    assert_eq!(input(&watchlist.plan).kind, InputKind::Watchlist);
    assert_eq!(input(&watchlist.plan).name, "vips");
    assert!(columns(&watchlist).ends_with("Owner:string"), "{}", columns(&watchlist));

    let external = query(
        "externaldata(ip:string, n:long)['https://example.org/a/bad-ips.csv?x=1'] with (format='csv') | where n > 1",
    );
    assert_eq!(input(&external.plan).name, "bad_ips");
    assert_eq!(input(&external.plan).properties, [("format".into(), "csv".into())]);
    let named = query(
        "let Iocs = externaldata(ip:string)['https://example.org/x.csv']; Iocs | union (Iocs | take 1)",
    );
    assert!(named.bindings.is_empty());
    let mut names = Vec::new();
    named.for_each_plan(&mut |p| {
        if let Op::Scan(s) = &*p.op
            && let Source::Input(i) = &s.source
        {
            names.push(i.name.clone());
        }
    });
    assert_eq!(names, ["Iocs", "Iocs"]);

    let function = query(
        "_Im_Dns(starttime=ago(1d), responsecodename='NXDOMAIN') | where DnsQuery has 'x' | project DnsQuery",
    );
    assert_eq!(input(&function.plan).kind, InputKind::Function);
    assert_eq!(input(&function.plan).properties[1], ("responsecodename".into(), "NXDOMAIN".into()));

    let profile = query(
        "DeviceFileEvents | where Timestamp > ago(1d) | invoke FileProfile(SHA1, 500) | where GlobalPrevalence < 10",
    );
    assert!(input(&profile.plan).over.is_some());
    let graph = query("arg('').Resources | where type == 'x' | project name");
    let Source::Table(table) = &scan(&graph.plan).source else { panic!() };
    assert_eq!(table.qualifiers, [("arg".into(), "".into())]);
}

#[test]
fn lets_become_bindings_in_order_and_keep_their_names() {
    let query = query(
        "let n = 5; let X = SigninLogs | take n; let Y = materialize(X | count); Y | union (X | count)",
    );
    let names: Vec<_> = query.bindings.iter().map(|b| b.name.as_str()).collect();
    assert_eq!(names, ["n", "X", "Y"]);
    assert!(matches!(query.bindings[2].value, BindingValue::Table { materialized: true, .. }));
}

#[test]
fn functions_are_expanded_in_the_scope_of_their_definition() {
    let text = "let x = 1; let f = (a:long) { a + x }; let g = (x:long) { f(x) }; print g(5)";
    let Op::Values(values) = &*query(text).plan.op else { panic!() };
    let shown = format!("{:?}", values.rows[0][0].kind);
    assert!(shown.contains("Long(5)") && shown.contains("Let(BindingId(0))"), "{shown}");
    // Nested lets of two calls get names of their own.
    let query = query("let f = (n:long) { let m = n + 1; range i from 1 to m step 1 }; union f(1), f(2)");
    let names: Vec<_> = query.bindings.iter().map(|b| b.name.as_str()).collect();
    assert_eq!(names, ["m", "m_2"]);
}

#[test]
fn columns_come_before_lets() {
    let text = "let a = 'let'; let only = 'let'; T | where a == only";
    let query = query(&format!("{TABLES}{text}"));
    let Op::Filter { predicate, .. } = &*query.plan.op else { panic!() };
    let shown = format!("{predicate:?}");
    assert!(shown.contains("Column(") && shown.contains("Let("), "{shown}");
}

#[test]
fn faults_are_reported_with_a_code() {
    assert_eq!(errors("SigninLogs | project TimeGenerated | where UserId == 'x'"), [codes::UNKNOWN_NAME.0]);
    assert_eq!(errors("let n = 5; n | where x == 1"), [codes::VALUE_AS_TABLE.0]);
    assert_eq!(errors("let T = SigninLogs; AuditLogs | where Id == T"), [codes::TABLE_AS_VALUE.0]);
    assert_eq!(errors("let x = 5;"), [codes::NO_QUERY.0]);
    assert_eq!(errors("let f = (x:long) { x }; print f()"), [codes::WRONG_ARGUMENTS.0]);
    assert_eq!(errors("let f = (x:long) { x }; print f(1, 2)"), [codes::WRONG_ARGUMENTS.0]);
    assert_eq!(errors("SigninLogs | join AuditLogs on UserId == Id"), [codes::BAD_JOIN_CONDITION.0]);
    assert_eq!(errors("datatable(a:long, b:long)[1, 2, 3]"), [codes::WRONG_ARGUMENTS.0]);
    assert!(errors("SigninLogs | where | take 5").contains(&codes::LIFT_ERROR_NODE.0));
}

#[test]
fn near_names_are_offered() {
    let text = "SigninLogs | project UserPrincipalName | where UserPrincipalNam == 'x'";
    let result = lifted(text);
    assert_eq!(result.diagnostics[0].help.as_deref(), Some("did you mean `UserPrincipalName`?"));
}

#[test]
fn only_the_last_query_is_the_rule() {
    let result = lifted("SigninLogs | take 5; AuditLogs | count");
    assert_eq!(columns(result.query.as_ref().unwrap()), "Count:long");
    assert_eq!(result.diagnostics[0].code, codes::SEVERAL_QUERIES);
}

#[test]
fn an_assignment_as_condition_is_warned_of() {
    let result = lifted("Usage | where IsBillable = true");
    assert!(result.query.is_some());
    assert!(result.diagnostics.iter().any(|d| d.code == codes::NOTHING_COMPARED));
}

#[test]
fn what_the_ir_lacks_is_opaque_and_counted() {
    for text in ["T | fork (count) (take 5)", "T | facet by a", "T | reduce by a"] {
        let result = lifted(&format!("{TABLES}{text}"));
        assert_eq!(result.opaque, 1, "{text}");
        assert!(result.query.is_some(), "{text}");
        assert!(result.diagnostics.iter().any(|d| d.code == codes::NOT_IN_IR), "{text}");
    }
}

#[test]
fn nothing_blows_up() {
    // A function that calls itself, and two that call each other twice.
    let recursive = "let f = (x:long) { f(x) }; print f(1)";
    assert!(!errors(recursive).is_empty());
    let mut doubling = String::from("let f0 = () { SigninLogs };");
    for i in 1..40 {
        write!(doubling, "let f{i} = () {{ union f{0}(), f{0}() }};", i - 1).unwrap();
    }
    doubling.push_str("f39()");
    assert!(errors(&doubling).contains(&codes::LIFT_TOO_LARGE.0));
    let mut scalar = String::from("let f0 = (x:long) { x + x };");
    for i in 1..60 {
        write!(scalar, "let f{i} = (x:long) {{ f{0}(f{0}(x)) }};", i - 1).unwrap();
    }
    scalar.push_str("print f59(1)");
    assert!(!errors(&scalar).is_empty());
    let mut copied = String::from("let f0 = (x:long) { x + x };");
    for i in 1..40 {
        write!(copied, "let f{i} = (x:long) {{ f{}(x + x) }};", i - 1).unwrap();
    }
    copied.push_str("print f39(1)");
    assert!(errors(&copied).contains(&codes::LIFT_TOO_LARGE.0));
    // A pipe of a hundred thousand operators.
    let long = format!("SigninLogs{}", " | where true".repeat(100_000));
    assert!(errors(&long).contains(&codes::LIFT_TOO_DEEP.0));
    let wide = |n: usize| format!("print {}", vec!["1"; n].join(", "));
    assert_eq!(query(&wide(2_000)).plan.output.len(), 2_000);
    assert!(errors(&wide(200_000)).contains(&codes::LIFT_TOO_LARGE.0));
    let lets: String = (0..20_000).fold(String::new(), |mut text, i| {
        write!(text, "let v{i} = {i};").unwrap();
        text
    });
    assert_eq!(query(&format!("{lets} print v19999")).bindings.len(), 20_000);
}

#[test]
fn deep_nesting_is_refused() {
    for depth in [50usize, 150, 1_000, 10_000] {
        let text = format!("print {}1{}", "(1 - ".repeat(depth), ")".repeat(depth));
        let parsed = parse(&text);
        let result = lift(&parsed.query, &LiftOptions { source: &text });
        assert!(
            result.query.is_some()
                || result.diagnostics.iter().any(|d| d.severity == Severity::Error)
                || parsed.has_errors()
        );
        let texts = [
            format!("{}SigninLogs{}", "union (".repeat(depth), ")".repeat(depth)),
            format!("{}database('d').T | take 1", "cluster('c').".repeat(depth)),
            format!("T | where a{} == 1", ".b".repeat(depth)),
            format!("T | where {}a", "1 + ".repeat(depth)),
            format!("T | {} take 1 {}", "mv-apply c on ( ".repeat(depth), ")".repeat(depth)),
            format!("let f = () {{ {} 1 {}", "let f = () { ".repeat(depth), "}; f() ".repeat(depth + 1)),
            format!("{}T{}", "materialize(".repeat(depth), ")".repeat(depth)),
        ];
        for text in texts {
            let parsed = parse(&text);
            lift(&parsed.query, &LiftOptions { source: &text });
        }
    }
}
