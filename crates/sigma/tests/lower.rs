//! IR to Sigma: readable rules with the same meaning, and refusals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use ruleferry_diag::{Span, codes};
use ruleferry_ir::{
    ArithmeticOp, Case, ColId, Columns, CompareOp, Effect, Envelope, Expr, ExprKind, Json, LimitKind,
    MatchKind, MatchValue, MatchValues, Meta, Missing, Op, Plan, Quantifier, Query, Rule, Scan, Severity,
    SortKey, Source, StringMatch, Subject, TICKS_PER_SECOND, TableName, Trigger, Type, Value,
};
use ruleferry_sigma::lift::{LiftOptions, lift};
use ruleferry_sigma::lower::{LowerOptions, Lowered, lower};
use ruleferry_sigma::syntax::{parse, print};

const S: Span = Span::new(0, 0);
const NAMES: [(&str, Type); 6] = [
    ("A", Type::String),
    ("B", Type::String),
    ("Size", Type::Long),
    ("D", Type::Dynamic),
    ("Ok", Type::Bool),
    ("TimeGenerated", Type::Datetime),
];

fn column(name: &str) -> Expr {
    let i = NAMES.iter().position(|(n, _)| *n == name).unwrap();
    Expr::column(ColId(u32::try_from(i).unwrap()), NAMES[i].1, S)
}

/// A rule over table `T` as KQL makes it.
fn rule(predicates: Vec<Expr>) -> Rule {
    let mut columns = Columns::default();
    let output: Vec<ColId> = NAMES.iter().map(|(n, ty)| columns.add(*n, *ty, S)).collect();
    let table = TableName { qualifiers: Vec::new(), name: "T".into() };
    let time = output.last().copied();
    let mut plan =
        Plan::new(Op::Scan(Scan { source: Source::Table(table), open: true, time }), output.clone(), S);
    for predicate in predicates {
        plan = Plan::new(Op::Filter { input: plan, predicate }, output.clone(), S);
    }
    let query = Query { columns, bindings: Vec::new(), plan, assumptions: Vec::new() };
    Rule { envelope: Envelope::default(), query }
}

fn lowered(rule: &Rule) -> Lowered {
    lower(rule, &LowerOptions::default()).unwrap_or_else(|e| panic!("{e:?}"))
}

/// The lines of the detection.
fn detection(predicates: Vec<Expr>) -> String {
    let text = print(&[lowered(&rule(predicates)).document], &Default::default());
    let (_, rest) = text.split_once("detection:\n").unwrap();
    let lines = rest.lines().take_while(|l| l.starts_with(' ')).map(|l| l.strip_prefix("    ").unwrap_or(l));
    lines.collect::<Vec<_>>().join("\n")
}

fn refused(predicate: Expr) -> ruleferry_diag::Code {
    lower(&rule(vec![predicate]), &LowerOptions::default()).unwrap_err()[0].code
}

fn find(kind: MatchKind, case: Case, subject: Expr, values: &[&str]) -> Expr {
    let values = values.iter().map(|t| MatchValue::Expr(Expr::string(*t, S))).collect();
    let m = StringMatch {
        subject: Subject::Expr(subject),
        kind,
        case,
        values: MatchValues::List(values),
        quantifier: Quantifier::Any,
        missing: Missing::Empty,
    };
    Expr::matches(m, S)
}

fn equals(name: &str, value: &str) -> Expr {
    find(MatchKind::Equals, Case::Sensitive, column(name), &[value])
}

fn contains(name: &str, values: &[&str]) -> Expr {
    find(MatchKind::Contains, Case::Insensitive, column(name), values)
}

fn number(op: CompareOp, value: i64, missing: Missing) -> Expr {
    Expr::compare(op, column("Size"), Expr::literal(Value::Long(value), S), missing, S)
}

#[test]
fn texts() {
    let cases = [
        (equals("A", "x"), "A|cased: x"),
        (equals("A", "4688"), "A: '4688'"),
        (find(MatchKind::Equals, Case::Insensitive, column("A"), &["x"]), "A: x"),
        (equals("A", "a*b"), r"A|cased: 'a\*b'"),
        (contains("A", &["x", "w"]), "A|contains:\n        - x\n        - w"),
        (find(MatchKind::EndsWith, Case::Sensitive, column("A"), &["x"]), "A|endswith|cased: x"),
        (find(MatchKind::Regex, Case::Sensitive, column("A"), &["a.+"]), "A|re: a.+"),
        (
            find(MatchKind::Term, Case::Insensitive, column("A"), &["a.b"]),
            r"A|re|i: '(?:^|[^\p{L}\p{N}])a\.b(?:$|[^\p{L}\p{N}])'",
        ),
        (find(MatchKind::Term, Case::Insensitive, column("A"), &["10."]), r"A|re: '(?:^|[^\p{L}\p{N}])10\.'"),
        (
            find(MatchKind::TermPrefix, Case::Sensitive, column("A"), &["ab"]),
            r"A|re: '(?:^|[^\p{L}\p{N}])ab'",
        ),
        (
            find(
                MatchKind::Equals,
                Case::Insensitive,
                Expr::new(ExprKind::Member(Box::new(column("D")), "user".into()), Type::Dynamic, S)
                    .cast(Type::String, true),
                &["x"],
            ),
            "D.user: x",
        ),
    ];
    for (predicate, wanted) in cases {
        assert_eq!(detection(vec![predicate]), format!("selection:\n    {wanted}\ncondition: selection"));
    }
}

#[test]
fn empty_text_is_an_absent_field_too() {
    let empty = Expr::new(ExprKind::IsEmpty(Box::new(column("A"))), Type::Bool, S);
    let wanted = "A:\n        - ''\n        - null";
    assert_eq!(detection(vec![empty.clone()]), format!("selection:\n    {wanted}\ncondition: selection"));
    assert_eq!(detection(vec![empty.negated(S)]), format!("filter:\n    {wanted}\ncondition: not filter"));
    assert_eq!(detection(vec![equals("A", "")]), format!("selection:\n    {wanted}\ncondition: selection"));
    // An absent text fits a pattern that fits empty text.
    let pattern = find(MatchKind::Regex, Case::Sensitive, column("A"), &["^a*$"]);
    assert_eq!(
        detection(vec![pattern]),
        "selection:\n    - A|re: '^a*$'\n    - A: null\ncondition: selection"
    );
}

#[test]
fn numbers_keep_their_operator_and_their_nulls() {
    use CompareOp::{Eq, Gt, Ne};
    assert_eq!(
        detection(vec![number(Eq, 5, Missing::Distinct)]),
        "selection:\n    Size: 5\ncondition: selection"
    );
    assert_eq!(
        detection(vec![number(Ne, 5, Missing::Distinct)]),
        "filter:\n    Size: 5\ncondition: not filter"
    );
    assert_eq!(
        detection(vec![number(Gt, 5, Missing::Null)]),
        "selection:\n    Size|gt: 5\ncondition: selection"
    );
    // `not (null > 5)` is null, so no row without a number may come in.
    assert_eq!(
        detection(vec![number(Gt, 5, Missing::Null).negated(S)]),
        "selection:\n    Size|lte: 5\ncondition: selection"
    );
    assert_eq!(
        detection(vec![number(Gt, 5, Missing::False).negated(S)]),
        "filter:\n    Size|gt: 5\ncondition: not filter"
    );
    assert_eq!(detection(vec![column("Ok")]), "selection:\n    Ok: true\ncondition: selection");
    assert_eq!(detection(vec![column("Ok").negated(S)]), "selection:\n    Ok: false\ncondition: selection");
    let private = ruleferry_ir::functions::find_any("ipv4_is_private").unwrap();
    let private = Expr::new(ExprKind::Call(private, vec![column("A")]), Type::Bool, S);
    let text = detection(vec![private.negated(S)]);
    assert!(
        text.starts_with("selection:\n    A|cidr: 0.0.0.0/0\nfilter:\n    A|cidr:\n        - 10.0.0.0/8"),
        "{text}"
    );
}

#[test]
fn structure_is_readable() {
    let a = || contains("A", &["x"]);
    let b = || equals("B", "w");
    let n = || number(CompareOp::Eq, 1, Missing::Distinct);
    assert_eq!(
        detection(vec![Expr::and(vec![a(), b()], S), n()]),
        "selection:\n    A|contains: x\n    B|cased: w\n    Size: 1\ncondition: selection"
    );
    assert_eq!(
        detection(vec![a(), contains("A", &["z"])]),
        "selection:\n    A|contains|all:\n        - x\n        - z\ncondition: selection"
    );
    assert_eq!(
        detection(vec![Expr::or(vec![a(), contains("A", &["z"])], S)]),
        "selection:\n    A|contains:\n        - x\n        - z\ncondition: selection"
    );
    assert_eq!(
        detection(vec![n(), Expr::or(vec![a(), b()], S), a().negated(S)]),
        "selection_1:\n    Size: 1\nselection_2:\n    - A|contains: x\n    - B|cased: w\nfilter:\n    A|contains: x\n\
         condition: all of selection_* and not filter"
    );
    let nested = Expr::or(vec![Expr::and(vec![a(), b().negated(S)], S), n()], S);
    assert_eq!(
        detection(vec![nested]),
        "selection_1:\n    Size: 1\nselection_2:\n    A|contains: x\nfilter:\n    B|cased: w\n\
         condition: selection_1 or selection_2 and not filter"
    );
}

#[test]
fn a_leading_time_filter_is_the_look_back() {
    let day = 86_400 * TICKS_PER_SECOND;
    let ago = |ticks| {
        let now = Expr::new(ExprKind::Now, Type::Datetime, S);
        let back = Expr::literal(Value::Timespan(ticks), S);
        Expr::arithmetic(ArithmeticOp::Sub, now, back, Type::Datetime, S)
    };
    let since = |ticks| Expr::compare(CompareOp::Gt, column("TimeGenerated"), ago(ticks), Missing::Null, S);
    let mut rule = rule(vec![since(7 * day), equals("A", "1")]);
    rule.envelope.schedule.look_back = Some(14 * day);
    assert_eq!(lowered(&rule).document.text("x-lookback"), Some("7d"));
    // All events of a time.
    assert_eq!(
        detection(vec![since(day)]),
        "selection:\n    TimeGenerated|exists: true\ncondition: selection"
    );
    let either = Expr::or(vec![since(day), equals("A", "1")], S);
    assert_eq!(refused(either), codes::SIGMA_OUT_TIME);
}

#[test]
fn order_and_limit_are_losses() {
    let mut rule = rule(vec![equals("A", "1")]);
    let output = rule.query.plan.output.clone();
    let keys = vec![SortKey { expr: column("Size"), descending: true, nulls_first: false }];
    rule.query.plan = Plan::new(Op::Sort { input: rule.query.plan, keys }, output.clone(), S);
    let count = Expr::literal(Value::Long(5), S);
    rule.query.plan =
        Plan::new(Op::Limit { input: rule.query.plan, count, kind: LimitKind::Take }, output, S);
    let losses: Vec<_> = lowered(&rule).losses.iter().map(|l| (l.code, l.effect)).collect();
    assert_eq!(losses, [(codes::ORDER_LOST, Effect::Cosmetic), (codes::LIMIT_LOST, Effect::Widens)]);
}

#[test]
fn refusals() {
    assert_eq!(refused(Expr::bool(true, S)), codes::SIGMA_OUT_NO_CONDITION);
    let sum = Expr::arithmetic(ArithmeticOp::Add, column("Size"), column("Size"), Type::Long, S);
    let computed = Expr::compare(CompareOp::Gt, sum, Expr::literal(Value::Long(1), S), Missing::Null, S);
    assert_eq!(refused(computed), codes::SIGMA_OUT_CONDITION);
    let mut distinct = rule(vec![equals("A", "1")]);
    let output = distinct.query.plan.output.clone();
    distinct.query.plan = Plan::new(Op::Distinct { input: distinct.query.plan }, output, S);
    // Each event that is shown once alerts by itself.
    let losses: Vec<_> = lowered(&distinct).losses.iter().map(|l| (l.code, l.effect)).collect();
    assert_eq!(losses, [(codes::GROUPS_LOST, Effect::Widens)]);
}

#[test]
fn columns_that_double_are_refused_in_time() {
    let mut rule = rule(vec![]);
    let mut last = column("Ok");
    for i in 0..150 {
        let both = Expr::new(ExprKind::And(vec![last.clone(), last]), Type::Bool, S);
        let id = rule.query.columns.add(format!("c{i}"), Type::Bool, S);
        let output: Vec<ColId> = rule.query.plan.output.iter().copied().chain([id]).collect();
        let items = vec![ruleferry_ir::Item { ids: vec![id], expr: both, named: true }];
        rule.query.plan = Plan::new(Op::Extend { input: rule.query.plan, items }, output, S);
        last = Expr::column(id, Type::Bool, S);
    }
    let output = rule.query.plan.output.clone();
    rule.query.plan = Plan::new(Op::Filter { input: rule.query.plan, predicate: last }, output, S);
    let faults = lower(&rule, &LowerOptions::default()).unwrap_err();
    assert_eq!(faults[0].code, codes::SIGMA_OUT_TOO_LARGE);
}

#[test]
fn lists_behind_names_are_written_out() {
    let list = Value::Dynamic(Json::Array(vec![Json::String("x".into()), Json::String("w".into())]));
    let mut rule = rule(vec![]);
    rule.query.bindings.push(ruleferry_ir::Binding {
        name: "L".into(),
        value: ruleferry_ir::BindingValue::Scalar(Expr::literal(list, S)),
        span: S,
    });
    let m = StringMatch {
        subject: Subject::Expr(column("A")),
        kind: MatchKind::Equals,
        case: Case::Insensitive,
        values: MatchValues::Dynamic(Expr::new(ExprKind::Let(ruleferry_ir::BindingId(0)), Type::Dynamic, S)),
        quantifier: Quantifier::Any,
        missing: Missing::Empty,
    };
    let output = rule.query.plan.output.clone();
    rule.query.plan =
        Plan::new(Op::Filter { input: rule.query.plan, predicate: Expr::matches(m, S) }, output, S);
    let text = print(&[lowered(&rule).document], &Default::default());
    assert!(text.contains("        A:\n            - x\n            - w\n"), "{text}");
}

#[test]
fn the_envelope_comes_along() {
    let mut rule = rule(vec![equals("A", "1")]);
    rule.envelope = Envelope {
        id: Some("not a uuid".into()),
        title: Some("Odd: \"title\"".into()),
        severity: Some(Severity::High),
        status: Some("Available".into()),
        tactics: vec!["Initial Access".into()],
        techniques: vec!["T1059.001".into()],
        trigger: Some(Trigger { operator: "gt".into(), threshold: 5 }),
        extra: [("kind".into(), Meta::Scalar { text: "Scheduled".into(), plain: true })]
            .into_iter()
            .collect(),
        ..Envelope::default()
    };
    let out = lowered(&rule);
    let text = print(std::slice::from_ref(&out.document), &Default::default());
    let back = parse(&text);
    assert!(back.diagnostics.is_empty(), "{:?}\n{text}", back.diagnostics);
    let document = &back.documents[0];
    assert_eq!(document.text("title"), Some("Odd: \"title\""));
    assert_eq!(document.text("level"), Some("high"));
    assert_eq!(document.text("x-status"), Some("Available"));
    assert_eq!(document.text("kind"), Some("Scheduled"));
    assert_eq!(document.texts("tags").collect::<Vec<_>>(), ["attack.initial-access", "attack.t1059.001"]);
    assert_eq!(document.logsource().unwrap().service(), Some("T"));
    assert_eq!(document.text("id").map(str::len), Some(36));
    assert_eq!(out.losses.iter().map(|l| l.code).collect::<Vec<_>>(), [codes::TRIGGER_LOST]);
    assert_eq!(lowered(&rule).document, out.document);
}

/// Sigma through the IR and back: the same detection, where it is written as the lowering writes it.
#[test]
fn sigma_comes_back() {
    for detection in [
        "selection:\n    A: x\n    B|endswith:\n        - '\\a.exe'\n        - '\\b.exe'\ncondition: selection",
        "selection:\n    A|contains|all:\n        - x\n        - w\nfilter:\n    B: null\ncondition: selection and not filter",
        "selection:\n    A: 'a*b?c'\ncondition: selection",
        "selection:\n    - x\n    - w z\ncondition: selection",
        "selection:\n    A|cidr: 10.0.0.0/8\n    B|re|i: a+\ncondition: selection",
        "selection:\n    A|fieldref: B\ncondition: selection",
        "selection:\n    A|gte: 5\ncondition: selection",
    ] {
        let indented: String = detection.lines().map(|l| format!("    {l}\n")).collect();
        let source = format!(
            "title: t\nid: 5f3f1c9e-0000-4000-8000-000000000001\nlogsource:\n    product: p\ndetection:\n{indented}"
        );
        let lifted = lift(&parse(&source).documents[0], &LiftOptions::default()).unwrap();
        let text = print(&[lowered(&lifted.rule).document], &Default::default());
        // The flags of a pattern are inside of it by now.
        let wanted = source.replace("B|re|i: a+", "B|re: '(?i)a+'");
        assert_eq!(text, wanted);
    }
}
