//! Sigma to the IR: what each way of writing a detection means.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use ruleferry_diag::{Diagnostic, codes};
use ruleferry_ir::{
    Case, CompareOp, Expr, ExprKind, GlobPart, MatchKind, MatchValue, MatchValues, Missing, Op, Quantifier,
    Rule, Severity, Source, Subject, Value,
};
use ruleferry_sigma::lift::{LiftOptions, lift};
use ruleferry_sigma::syntax::parse;

fn try_lift(text: &str, options: &LiftOptions) -> Result<Rule, Vec<Diagnostic>> {
    let parsed = parse(text);
    lift(&parsed.rules()[0], options).map(|l| l.rule)
}

/// A rule around the lines of a detection.
fn rule(detection: &str) -> Rule {
    let text = file(detection);
    try_lift(&text, &LiftOptions::default()).unwrap_or_else(|e| panic!("{text}\n{e:?}"))
}

fn file(detection: &str) -> String {
    let indented: String = detection.lines().map(|l| format!("    {l}\n")).collect();
    format!(
        "title: t\nlogsource:\n    product: windows\n    category: process_creation\ndetection:\n{indented}"
    )
}

fn refused(detection: &str) -> Vec<Diagnostic> {
    try_lift(&file(detection), &LiftOptions::default()).unwrap_err()
}

fn predicate(rule: &Rule) -> &Expr {
    match &*rule.query.plan.op {
        Op::Filter { predicate, .. } => predicate,
        other => panic!("{other:?}"),
    }
}

/// A short text form of a condition.
fn shown(rule: &Rule) -> String {
    show(predicate(rule), rule)
}

fn item(line: &str) -> String {
    shown(&rule(&format!("s:\n    {line}\ncondition: s")))
}

fn show(e: &Expr, rule: &Rule) -> String {
    let list = |es: &[Expr], word: &str| {
        format!("({})", es.iter().map(|e| show(e, rule)).collect::<Vec<_>>().join(&format!(" {word} ")))
    };
    match &e.kind {
        ExprKind::And(es) => list(es, "and"),
        ExprKind::Or(es) => list(es, "or"),
        ExprKind::Not(inner) => format!("not {}", show(inner, rule)),
        ExprKind::Column(id) => rule.query.columns.name(*id).to_owned(),
        ExprKind::Literal(Value::String(t)) => format!("'{t}'"),
        ExprKind::Literal(v) => format!("{v:?}"),
        ExprKind::IsNull(inner) => format!("null({})", show(inner, rule)),
        ExprKind::IsEmpty(inner) => format!("empty({})", show(inner, rule)),
        ExprKind::Cast(c) => format!("{}({})", c.to, show(&c.expr, rule)),
        ExprKind::Call(f, args) => {
            format!("{}({})", f.name, args.iter().map(|a| show(a, rule)).collect::<Vec<_>>().join(", "))
        }
        ExprKind::Compare(c) => {
            assert_eq!(c.missing, Missing::False);
            let op = match c.op {
                CompareOp::Eq => "==",
                CompareOp::Ne => "!=",
                CompareOp::Lt => "<",
                CompareOp::Le => "<=",
                CompareOp::Gt => ">",
                CompareOp::Ge => ">=",
            };
            format!("{} {op} {}", show(&c.left, rule), show(&c.right, rule))
        }
        ExprKind::Match(m) => {
            assert_eq!(m.missing, Missing::False);
            let subject = match &m.subject {
                Subject::Expr(e) => show(e, rule),
                Subject::Event => "event".to_owned(),
                Subject::AnyColumn => "any".to_owned(),
            };
            let MatchValues::List(values) = &m.values else { panic!("{m:?}") };
            let values: Vec<String> = values
                .iter()
                .map(|v| match v {
                    MatchValue::Expr(e) => show(e, rule),
                    MatchValue::Glob(parts) => parts
                        .iter()
                        .map(|p| match p {
                            GlobPart::Text(t) => t.to_string(),
                            GlobPart::Many => "<*>".to_owned(),
                            GlobPart::One => "<?>".to_owned(),
                        })
                        .collect(),
                })
                .collect();
            let cased = if m.case == Case::Sensitive { " cased" } else { "" };
            let all = if m.quantifier == Quantifier::All { " all" } else { "" };
            let kind = match m.kind {
                MatchKind::Equals => "is",
                MatchKind::Contains => "contains",
                MatchKind::StartsWith => "starts",
                MatchKind::EndsWith => "ends",
                MatchKind::Regex => "re",
                MatchKind::Glob => "fits",
                MatchKind::Cidr => "cidr",
                MatchKind::Term | MatchKind::TermPrefix | MatchKind::TermSuffix => "term",
            };
            format!("{subject} {kind}{cased}{all} {}", values.join(", "))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn values() {
    for (line, wanted) in [
        ("A: x", "A is 'x'"),
        ("A: [x, y]", "A is 'x', 'y'"),
        ("A: 00000429", "A is '00000429'"),
        ("A: 4688", "A is '4688'"),
        ("A: true", "A is 'true'"),
        ("A: ''", "A is ''"),
        ("A: null", "null(A)"),
        ("A: ['', null]", "empty(A)"),
        ("A: [x, null]", "(null(A) or A is 'x')"),
        ("A: 'a*'", "A starts 'a'"),
        ("A: '*a'", "A ends 'a'"),
        ("A: '*a*'", "A contains 'a'"),
        ("A: 'a*b'", "A fits a<*>b"),
        ("A: 'a?'", "A fits a<?>"),
        (r"A: 'a\*'", "A is 'a*'"),
        (r"A: 'a\\*'", r"A starts 'a\'"),
        ("A: '*'", "A fits <*>"),
        ("A: [x, 'y*', z]", "(A is 'x', 'z' or A starts 'y')"),
    ] {
        assert_eq!(item(line), wanted, "{line}");
    }
}

#[test]
fn modifiers() {
    for (line, wanted) in [
        ("A|contains: x", "A contains 'x'"),
        ("A|contains|all: [x, y]", "A contains all 'x', 'y'"),
        (r"A|endswith: '\a.exe'", r"A ends '\a.exe'"),
        ("A|startswith: 'a*b'", "A fits a<*>b<*>"),
        ("A|cased: X", "A is cased 'X'"),
        ("A|re: 'a.+b'", "A re cased 'a.+b'"),
        ("A|re|i|s: 'a'", "A re cased '(?is)a'"),
        ("A|cidr: [10.0.0.0/8, 'fe80::/10']", "A cidr '10.0.0.0/8', 'fe80::/10'"),
        ("A|exists: true", "not null(A)"),
        ("A|exists: false", "null(A)"),
        ("A|neq: x", "not A is 'x'"),
        ("A|gt: 5", "real(A) > Long(5)"),
        ("A|lte: 1.5", "real(A) <= Real(1.5)"),
        ("A|hour|gte: 18", "datetime_part('hour', datetime(A)) >= Long(18)"),
        ("A|month: 12", "datetime_part('month', datetime(A)) == Long(12)"),
        ("A|fieldref: B", "A is B"),
        ("A|fieldref|endswith: B", "A ends B"),
        ("A|base64: a", "A is 'YQ=='"),
        ("A|wide|base64offset|contains: ab", "A contains 'YQBiA', 'EAYg', 'hAGIA'"),
        ("A|windash|contains: ' -x'", "A contains ' -x', ' /x', ' \u{2013}x', ' \u{2014}x', ' \u{2015}x'"),
    ] {
        assert_eq!(item(line), wanted, "{line}");
    }
    // Each of the values must be found, in one of its spellings.
    let all = item("A|windash|contains|all: [' -x', y]");
    assert!(all.starts_with("(A contains all 'y' and A contains ' -x', ' /x'"), "{all}");
}

#[test]
fn conditions() {
    let searches = "a:\n    A: 1\nb:\n    B: 2\nc:\n    C: 3\n_d:\n    D: 4\n";
    for (condition, wanted) in [
        ("(a or b) and c", "((A is '1' or B is '2') and C is '3')"),
        ("a or b and c", "(A is '1' or (B is '2' and C is '3'))"),
        ("not (a or b)", "not (A is '1' or B is '2')"),
        ("a and not 1 of b*", "(A is '1' and not B is '2')"),
        ("all of them", "(A is '1' and B is '2' and C is '3')"),
        ("2 of them", "((A is '1' and B is '2') or (A is '1' and C is '3') or (B is '2' and C is '3'))"),
    ] {
        assert_eq!(shown(&rule(&format!("{searches}condition: {condition}"))), wanted, "{condition}");
    }
    let lists = "s:\n    - A: 1\n      B: 2\n    - C: 3\ncondition: s";
    assert_eq!(shown(&rule(lists)), "((A is '1' and B is '2') or C is '3')");
}

#[test]
fn keywords_search_the_event() {
    assert_eq!(shown(&rule("k: [x, 'y*z']\ncondition: k")), "(event contains 'x' or event fits <*>y<*>z<*>)");
    assert_eq!(shown(&rule("k:\n    '|all': [x, y]\ncondition: k")), "event contains all 'x', 'y'");
    let rule = rule("k: [x]\ns:\n    A: 1\ncondition: k and s");
    let names: Vec<&str> = rule.query.plan.output.iter().map(|id| rule.query.columns.name(*id)).collect();
    assert_eq!(names, ["A", "_raw"]);
}

#[test]
fn the_table_is_named_after_the_log_source() {
    let rule = rule("s:\n    A: 1\ncondition: s");
    let Op::Filter { input, .. } = &*rule.query.plan.op else { panic!() };
    let Op::Scan(scan) = &*input.op else { panic!() };
    assert!(matches!(&scan.source, Source::Table(t) if t.name == "windows_process_creation"));
    assert!(scan.open);
}

#[test]
fn placeholders_need_values() {
    let text = file("s:\n    A|expand: 'x%hosts%'\ncondition: s");
    let fault = try_lift(&text, &LiftOptions::default()).unwrap_err().remove(0);
    assert_eq!(fault.code, codes::SIGMA_PLACEHOLDER);
    assert!(fault.message.contains("`hosts`"));
    let mut options = LiftOptions::default();
    options.values.insert("hosts".into(), vec!["1".into(), "2*".into()]);
    assert_eq!(shown(&try_lift(&text, &options).unwrap()), "(A is 'x1' or A starts 'x2')");
}

#[test]
fn what_came_before_correlations_is_refused_with_what_says_it_now() {
    let fault = refused("s:\n    A: 1\ntimeframe: 5m\ncondition: s | count(B) by C > 10").remove(0);
    assert_eq!(fault.code, codes::SIGMA_LEGACY);
    let help = fault.help.unwrap();
    for part in ["value_count", "group-by: [C]", "timespan: 5m", "gt: 10", "field: B"] {
        assert!(help.contains(part), "{help}");
    }
    let near = refused("a:\n    A: 1\nb:\n    B: 1\ncondition: a | near b").remove(0);
    assert!(near.help.unwrap().contains("temporal"));
    let alone = refused("s:\n    A: 1\ntimeframe: 5m\ncondition: s").remove(0);
    assert_eq!(alone.code, codes::SIGMA_LEGACY);
}

#[test]
fn other_refusals() {
    assert_eq!(refused("s:\n    A|re: '(?<=a)b'\ncondition: s")[0].code, codes::SIGMA_REGEX);
    let dashes = format!("s:\n    A|windash: '{}'\ncondition: s", " -a".repeat(12));
    assert_eq!(refused(&dashes)[0].code, codes::SIGMA_TOO_LARGE);
    let searches: String = (0..40).map(|i| format!("s{i}:\n    A: {i}\n")).collect();
    assert_eq!(refused(&format!("{searches}condition: 20 of s*"))[0].code, codes::SIGMA_TOO_LARGE);
    let values: String = (0..2000).map(|i| format!("\n        - v{i}")).collect();
    let named = ["s"; 1000].join(" or ");
    let huge = refused(&format!("s:\n    A:{values}\ncondition: {named}"));
    assert!(huge.iter().any(|d| d.code == codes::SIGMA_TOO_LARGE), "{huge:?}");
    let text = "title: c\nname: c\ncorrelation:\n    type: event_count\n    rules: [a]\n    timespan: 5m\n    condition: {gt: 1}\n";
    assert_eq!(try_lift(text, &LiftOptions::default()).unwrap_err()[0].code, codes::SIGMA_REFERENCE);
    let filter = "title: f\nlogsource: {product: p}\nfilter: {rules: [a], s: {b: c}, condition: not s}\n";
    assert_eq!(try_lift(filter, &LiftOptions::default()).unwrap_err()[0].code, codes::SIGMA_FILTER_ALONE);
    let unsupported = format!("{}status: unsupported\n", file("s:\n    A: 1\ncondition: s"));
    assert_eq!(
        try_lift(&unsupported, &LiftOptions::default()).unwrap_err()[0].code,
        codes::SIGMA_UNSUPPORTED
    );
    let accept = LiftOptions { accept_unsupported: true, ..LiftOptions::default() };
    assert!(try_lift(&unsupported, &accept).is_ok());
}

#[test]
fn the_envelope_keeps_every_key() {
    let text = format!(
        "{}{}",
        file("s:\n    A: 1\ncondition: s"),
        "id: 5f3f1c9e-0000-4000-8000-000000000001\nauthor: One (Firm), Two\nlevel: high\nstatus: test\ndate: 2024-01-02\n\
         tags: [attack.initial-access, attack.t1059.001, attack.g0007, cve.2024-1]\nfalsepositives: [x]\n\
         references: [https://example.org]\nrelated:\n    - id: 5f3f1c9e-0000-4000-8000-000000000002\n      type: similar\n\
         x-lookback: 7d\nx-own: {a: [1, b]}\n"
    );
    let envelope = try_lift(&text, &LiftOptions::default()).unwrap().envelope;
    assert_eq!(envelope.severity, Some(Severity::High));
    assert_eq!(envelope.authors, ["One (Firm)", "Two"]);
    assert_eq!(envelope.tactics, ["Initial Access"]);
    assert_eq!(envelope.techniques, ["T1059.001"]);
    assert_eq!(envelope.tags, ["attack.g0007", "cve.2024-1"]);
    assert_eq!(envelope.schedule.look_back, Some(7 * 864_000_000_000));
    assert_eq!(envelope.log_source.product.as_deref(), Some("windows"));
    assert_eq!(envelope.extra.keys().collect::<Vec<_>>(), ["related", "x-own"]);
}
