//! IR to KQL: conditions as rules of other languages make them, and queries that go through the IR and back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use ruleferry_diag::{Span, codes};
use ruleferry_ir::{
    Case, ColId, Columns, CompareOp, Effect, Expr, ExprKind, GlobPart, MatchKind, MatchValue, MatchValues,
    Missing, Op, Plan, Quantifier, Query, Scan, Source, StringMatch, Subject, TableName, Type, Value,
};
use ruleferry_kql::lift::{LiftOptions, lift};
use ruleferry_kql::lower::{LowerOptions, Lowered, lower};
use ruleferry_kql::syntax::{parse, print};

const S: Span = Span::new(0, 0);

/// A query over table `T` whose columns `A` and `B` are texts that may be absent, as Sigma has them.
fn query(predicate: Expr) -> Query {
    let mut columns = Columns::default();
    let output: Vec<ColId> = ["A", "B"].iter().map(|n| columns.add(*n, Type::String, S)).collect();
    let table = TableName { qualifiers: Vec::new(), name: "T".into() };
    let scan = Op::Scan(Scan { source: Source::Table(table), open: true, time: None });
    let input = Plan::new(scan, output.clone(), S);
    let plan = Plan::new(Op::Filter { input, predicate }, output, S);
    Query { columns, bindings: Vec::new(), plan, assumptions: Vec::new() }
}

fn a() -> Expr {
    Expr::column(ColId(0), Type::String, S)
}

fn text(t: &str) -> MatchValue {
    MatchValue::Expr(Expr::string(t, S))
}

fn find(kind: MatchKind, values: Vec<MatchValue>) -> StringMatch {
    StringMatch {
        subject: Subject::Expr(a()),
        kind,
        case: Case::Insensitive,
        values: MatchValues::List(values),
        quantifier: Quantifier::Any,
        missing: Missing::False,
    }
}

fn texts(kind: MatchKind, values: &[&str]) -> Expr {
    Expr::matches(find(kind, values.iter().map(|t| text(t)).collect()), S)
}

fn lowered(predicate: Expr) -> Lowered {
    lower(&query(predicate), &LowerOptions::default()).unwrap()
}

/// The condition on one line.
fn condition(predicate: Expr) -> String {
    let printed = print(&lowered(predicate).query);
    let line = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    line.strip_prefix("T | where ").unwrap_or_else(|| panic!("{line}")).to_owned()
}

#[test]
fn texts_read_as_people_write_them() {
    let equals = |v: &[&str]| texts(MatchKind::Equals, v);
    assert_eq!(condition(equals(&["a.exe"])), r#"A =~ "a.exe""#);
    assert_eq!(condition(equals(&["a", "b"])), r#"A in~ ("a", "b")"#);
    // Without letters there is no case.
    assert_eq!(condition(equals(&["4688"])), r#"A == "4688""#);
    assert_eq!(condition(equals(&["4624", "4625"])), r#"A in ("4624", "4625")"#);
    assert_eq!(condition(equals(&["a"]).negated(S)), r#"A !~ "a""#);
    assert_eq!(condition(equals(&["a", "b"]).negated(S)), r#"A !in~ ("a", "b")"#);
    assert_eq!(condition(texts(MatchKind::EndsWith, &[r"\cmd.exe"])), r#"A endswith @"\cmd.exe""#);
    assert_eq!(condition(texts(MatchKind::Contains, &["x"]).negated(S)), r#"A !contains "x""#);
    assert_eq!(
        condition(texts(MatchKind::Contains, &["x", "y"]).negated(S)),
        r#"not(A contains "x" or A contains "y")"#
    );
    assert_eq!(condition(texts(MatchKind::Term, &["x", "y"])), r#"A has_any ("x", "y")"#);
    let mut all = find(MatchKind::Term, vec![text("x"), text("y")]);
    all.quantifier = Quantifier::All;
    assert_eq!(condition(Expr::matches(all, S)), r#"A has_all ("x", "y")"#);
    let mut cased = find(MatchKind::StartsWith, vec![text("x")]);
    cased.case = Case::Sensitive;
    assert_eq!(condition(Expr::matches(cased, S)), r#"A startswith_cs "x""#);
}

#[test]
fn groups_keep_their_parentheses() {
    let b = |t| {
        Expr::matches(
            StringMatch {
                subject: Subject::Expr(Expr::column(ColId(1), Type::String, S)),
                ..find(MatchKind::Equals, vec![text(t)])
            },
            S,
        )
    };
    let either = Expr::or(vec![texts(MatchKind::Equals, &["a"]), b("b")], S);
    let both = Expr::and(vec![either.clone(), texts(MatchKind::Equals, &["c"])], S);
    assert_eq!(condition(both), r#"(A =~ "a" or B =~ "b") and A =~ "c""#);
    assert_eq!(condition(either.negated(S)), r#"not(A =~ "a" or B =~ "b")"#);
}

#[test]
fn wildcards_keep_their_order() {
    use GlobPart::{Many, One};
    let glob = |parts: Vec<GlobPart>| {
        condition(Expr::matches(find(MatchKind::Glob, vec![MatchValue::Glob(parts)]), S))
    };
    let t = |t: &str| GlobPart::Text(t.into());
    assert_eq!(glob(vec![t("A"), Many, t("B")]), r#"A matches regex "(?is)^A.*B$""#);
    assert_eq!(glob(vec![Many, t(r"\a"), One, t(".x")]), r#"A matches regex @"(?is)\\a.\.x$""#);
    assert_eq!(glob(vec![t("a*"), Many]), r#"A startswith "a*""#);
    assert_eq!(glob(vec![Many]), "isnotempty(A)");
}

#[test]
fn absent_is_empty_and_the_loss_says_so() {
    let null = Expr::new(ExprKind::IsNull(Box::new(a())), Type::Bool, S);
    assert_eq!(condition(null.clone()), "isempty(A)");
    assert_eq!(condition(null.clone().negated(S)), "isnotempty(A)");
    let loss = |e: Expr| lowered(e).losses.first().map(|l| (l.code, l.effect));
    assert_eq!(loss(null.clone()), Some((codes::EMPTY_IS_MISSING, Effect::Widens)));
    assert_eq!(loss(null.negated(S)), Some((codes::EMPTY_IS_MISSING, Effect::Narrows)));
    let empty = Expr::new(ExprKind::IsEmpty(Box::new(a())), Type::Bool, S);
    assert_eq!(condition(empty.clone()), "isempty(A)");
    assert_eq!(loss(empty), None);
    assert_eq!(loss(texts(MatchKind::Equals, &["a"]).negated(S)), None);
    assert_eq!(loss(texts(MatchKind::Regex, &["a*"])), Some((codes::EMPTY_IS_MISSING, Effect::Widens)));
}

#[test]
fn a_negation_keeps_the_rows_without_the_field() {
    let number = Expr::compare(
        CompareOp::Gt,
        a().cast(Type::Long, false),
        Expr::literal(Value::Long(5), S),
        Missing::False,
        S,
    );
    assert_eq!(condition(number.clone()), "tolong(A) > 5");
    assert_eq!(condition(number.negated(S)), "not(coalesce(tolong(A) > 5, false))");
    let network = texts(MatchKind::Cidr, &["10.0.0.0/8", "fe80::/10"]);
    assert_eq!(
        condition(network.clone()),
        r#"ipv4_is_in_range(A, "10.0.0.0/8") or ipv6_is_in_range(A, "fe80::/10")"#
    );
    assert_eq!(
        condition(network.negated(S)),
        r#"not(coalesce(ipv4_is_in_range(A, "10.0.0.0/8") or ipv6_is_in_range(A, "fe80::/10"), false))"#
    );
}

#[test]
fn keywords_look_at_every_column() {
    let mut m = find(MatchKind::Contains, vec![text("x"), text("y")]);
    m.subject = Subject::Event;
    let keywords = Expr::matches(m.clone(), S);
    assert_eq!(condition(keywords.clone()), r#"* contains "x" or * contains "y""#);
    assert_eq!(condition(keywords.negated(S)), r#"not(* contains "x" or * contains "y")"#);
    m.values = MatchValues::List(vec![text("x")]);
    // `* !contains` would ask for any column without it.
    assert_eq!(condition(Expr::matches(m, S).negated(S)), r#"not(* contains "x")"#);
}

#[test]
fn names_and_texts_cannot_break_out() {
    let mut q = query(texts(MatchKind::Equals, &["\"; drop \\ \u{1b}[0m\n"]));
    q.columns.get_mut(ColId(0)).unwrap().name = "a\"] | where 'x".into();
    let printed = print(&lower(&q, &LowerOptions::default()).unwrap().query);
    let read = parse(&printed);
    assert!(!read.has_errors(), "{printed}");
    assert_eq!(read.query, lower(&q, &LowerOptions::default()).unwrap().query);
}

#[test]
fn what_cannot_be_said_is_refused() {
    let refused = |e: Expr| lower(&query(e), &LowerOptions::default()).unwrap_err();
    let opaque = Expr::opaque("sql", "f(x)", "unknown function".into(), Type::Bool, S);
    assert_eq!(refused(opaque)[0].code, codes::KQL_OUT_OPAQUE);
    let mut deep = texts(MatchKind::Equals, &["a"]);
    for _ in 0..1000 {
        deep = Expr::new(ExprKind::IsNull(Box::new(deep)), Type::Bool, S);
    }
    assert_eq!(refused(deep)[0].code, codes::KQL_OUT_TOO_DEEP);
}

/// KQL through the IR.
fn through(source: &str, options: LowerOptions) -> String {
    let tree = parse(source);
    assert!(!tree.has_errors(), "{source}: {:?}", tree.diagnostics);
    let lifted = lift(&tree.query, &LiftOptions { source });
    let query = lifted.query.unwrap_or_else(|| panic!("{source}: {:?}", lifted.diagnostics));
    let out = lower(&query, &options).unwrap_or_else(|e| panic!("{source}: {e:?}"));
    print(&out.query).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn queries_come_back() {
    for source in [
        r#"SigninLogs | where UserPrincipalName has "adm" and ResultType != "0" | project TimeGenerated, UserPrincipalName"#,
        r#"SecurityEvent | where EventID in (4624, 4625) and TimeGenerated > ago(1h) | sort by TimeGenerated asc | take 5"#,
        r#"SecurityEvent | summarize count(), max(TimeGenerated) by Account, bin(TimeGenerated, 1h)"#,
        r#"let users = dynamic(["a", "b"]); SigninLogs | where UserPrincipalName in~ (users) | distinct UserPrincipalName"#,
        r#"AuditLogs | extend Actor = tostring(InitiatedBy.user.userPrincipalName) | where Actor !endswith "x""#,
        r#"AuditLogs | mv-expand Target = TargetResources | where Target.displayName == "x""#,
        r#"SigninLogs | join kind=leftanti (AuditLogs | project CorrelationId) on CorrelationId"#,
        r#"union isfuzzy=true SigninLogs, AADNonInteractiveUserSignInLogs | where UserPrincipalName == "x""#,
        r#"SecurityEvent | top 3 by TimeGenerated desc | project-away Account"#,
        r#"SigninLogs | where isempty(UserAgent) or TimeGenerated between (datetime(2024-01-01) .. datetime(2024-02-03T04:05:06Z))"#,
    ] {
        assert_eq!(through(source, LowerOptions::default()), source);
    }
}

#[test]
fn the_clock_and_the_look_back_are_options() {
    const DAY: i64 = 864_000_000_000;
    let now = Some(738_000 * DAY);
    let options = LowerOptions { now, look_back: Some(7 * DAY) };
    assert_eq!(
        through(r#"SigninLogs | where ResultType == "1""#, LowerOptions { now: None, ..options }),
        r#"SigninLogs | where TimeGenerated >= ago(7d) | where ResultType == "1""#
    );
    assert_eq!(
        through("SigninLogs | where TimeGenerated > ago(1d)", LowerOptions { look_back: None, now }),
        "SigninLogs | where TimeGenerated > datetime(2021-07-30) - 1d"
    );
}
