//! What each construct reads as, and that it prints as itself.

use ruleferry_yaral::syntax::tree::{
    ArithOp, CompareOp, ExprKind, Field, ListKind, Section, SetupKind, WindowKind,
};
use ruleferry_yaral::syntax::tree::{Expr, Rule, Step};
use ruleferry_yaral::syntax::{Parsed, parse, print, print_expr};

pub fn rule_with(events: &str) -> String {
    format!("rule r {{\n  events:\n    {events}\n\n  condition:\n    $e\n}}\n")
}

pub fn read(text: &str) -> Rule {
    let parsed = parse(text);
    assert!(parsed.diagnostics.is_empty(), "{text}\n{:?}", parsed.diagnostics);
    assert_eq!(parsed.file.rules.len(), 1);
    same_again(&parsed);
    parsed.file.rules.into_iter().next().unwrap()
}

pub fn same_again(parsed: &Parsed) {
    let printed = print(&parsed.file);
    let again = parse(&printed);
    assert_eq!(again.file, parsed.file, "{printed}");
    assert_eq!(print(&again.file), printed);
}

fn predicate(text: &str) -> Expr {
    let rule = read(&rule_with(text));
    assert_eq!(rule.events.len(), 1, "{text}");
    rule.events.into_iter().next().unwrap()
}

#[test]
fn all_sections() {
    let text = "\
rule full_house {
  meta:
    author = \"someone\"
    severity = \"High\"

  setup:
    graph_override($g.graph.entity.hostname = %assets.host)
    graph_append [$g, %assets]

  events:
    $e.metadata.event_type = \"USER_LOGIN\"
    $e.principal.user.userid = $user
    $g.graph.entity.user.userid = $user

  match:
    $user over 90m

  outcome:
    $risk_score = max(35 + if($e.network.sent_bytes > 0, 10, 0))
    $names = array_distinct($e.target.hostname)

  condition:
    $e and #g > 2 and $risk_score >= 40

  options:
    allow_zero_values = true
    suppression_window = 5m

  export:
    %seen.write_row(
      user: $user,
      score: $risk_score
    )
}
";
    let rule = read(text);
    assert_eq!(rule.name.text, "full_house");
    assert_eq!(rule.meta.len(), 2);
    assert!(matches!(rule.setup[1].kind, SetupKind::GraphAppend { .. }));
    assert_eq!(rule.events.len(), 3);
    assert_eq!(rule.outcome[0].name.text, "risk_score");
    assert_eq!(rule.options.len(), 2);
    assert_eq!(rule.export[0].columns.len(), 2);
    assert!(rule.heads.at[Section::Meta as usize].is_some());
    assert_eq!(print(&parse(text).file), text);
}

#[test]
fn windows() {
    for (text, kind) in [
        ("$a, $b over 5m", WindowKind::Hop),
        ("$a over 1h after $e", WindowKind::After(ruleferry_yaral::syntax::tree::Name::new("e"))),
        ("$a over 1h before $e", WindowKind::Before(ruleferry_yaral::syntax::tree::Name::new("e"))),
        ("$a by 30m", WindowKind::Tumbling),
    ] {
        let rule = read(&format!("rule r {{ events: $e.a = $a match: {text} condition: $e }}"));
        assert_eq!(rule.matching.unwrap().window.unwrap().kind, kind);
    }
    let tumbling = read("rule r { events: $e.a = $a match: $a by 5m tumbling condition: $e }");
    assert_eq!(tumbling.matching.unwrap().window.unwrap().kind, WindowKind::Tumbling);
}

#[test]
fn juxtaposed_predicates_are_apart() {
    let rule = read(&rule_with(
        "$e.a = $x\n    ($e.b = 1 or $e.c = 2) and $e.d = 3\n    not $e.f = true\n ($e.g = 1)",
    ));
    assert_eq!(rule.events.len(), 4);
    assert!(matches!(&rule.events[1].kind, ExprKind::And(o) if o.len() == 2));
    assert!(matches!(&rule.events[2].kind, ExprKind::Not(_)));
    let rule = read(&rule_with("$e.a = 1 or $e.b = 2\n    $e.c = 3"));
    assert_eq!(rule.events.len(), 2);
}

#[test]
fn precedence() {
    let expr = predicate("not $e.a = 1 and $e.b = 2 or $e.c = 3");
    let ExprKind::Or(or) = &expr.kind else { panic!() };
    let ExprKind::And(and) = &or[0].kind else { panic!() };
    assert!(matches!(and[0].kind, ExprKind::Not(_)));
    assert_eq!(print_expr(&predicate("(not ($e.a = 1 and $e.b = 2))")), "not ($e.a = 1 and $e.b = 2)");
    assert_eq!(print_expr(&predicate("1 < ($e.a - $e.b) / 60")), "1 < ($e.a - $e.b) / 60");
    assert_eq!(print_expr(&predicate("1 < $e.a - ($e.b / 60)")), "1 < $e.a - $e.b / 60");
}

#[test]
fn strings_and_patterns() {
    let expr = predicate(r#"$e.a = "C:\\Users\t\"x\"""#);
    let ExprKind::Compare(compare) = &expr.kind else { panic!() };
    assert!(matches!(&compare.right.kind, ExprKind::Text(t) if t.value == "C:\\Users\t\"x\"" && !t.raw));
    let expr = predicate(r"$e.a = `C:\Users\d`");
    let ExprKind::Compare(compare) = &expr.kind else { panic!() };
    assert!(matches!(&compare.right.kind, ExprKind::Text(t) if t.value == r"C:\Users\d" && t.raw));
    let expr = predicate(r"$e.a != /^https?:\/\/\d+\\/ nocase");
    let ExprKind::Compare(compare) = &expr.kind else { panic!() };
    assert!(matches!(&compare.right.kind, ExprKind::Regex(p) if p == r"^https?://\d+\\"));
    assert!(compare.nocase && compare.op == CompareOp::Ne);
    let call = predicate(r"re.regex($e.a, /a\/b/) nocase");
    assert!(matches!(call.kind, ExprKind::NoCase(_)));
    // Division, not a pattern.
    let expr = predicate("$e.a / 2 > $e.b / 3");
    let ExprKind::Compare(compare) = &expr.kind else { panic!() };
    assert!(matches!(&compare.left.kind, ExprKind::Arith { rest, .. } if rest[0].0 == ArithOp::Div));
}

#[test]
fn fields() {
    let expr = predicate(r#"$e.udm.additional.fields["a b"] = $e.about[2].labels[`k`]"#);
    let ExprKind::Compare(compare) = &expr.kind else { panic!() };
    let ExprKind::Field(field) = &compare.left.kind else { panic!() };
    assert_eq!(field.steps.len(), 4);
    let ExprKind::Field(field) = &compare.right.kind else { panic!() };
    assert_eq!(field.steps[1], Step::Index(2));
    // Keywords are names behind a dot.
    predicate("$e.match.in.or.not.over = 1");
    assert!(matches!(predicate("any $e.about.hostname = \"x\"").kind, ExprKind::Compare(_)));
}

#[test]
fn lists() {
    let expr = predicate("not $e.a in regex %my-list nocase");
    let ExprKind::Not(inner) = &expr.kind else { panic!() };
    let ExprKind::In(lookup) = &inner.kind else { panic!() };
    assert_eq!((lookup.kind, lookup.list.as_str(), lookup.nocase), (ListKind::Regex, "my-list", true));
    let expr = predicate("$e.a in cidr %nets.range");
    let ExprKind::In(lookup) = &expr.kind else { panic!() };
    assert_eq!(lookup.column.as_deref(), Some("range"));
    assert!(matches!(predicate("$e.a = %t.c").kind, ExprKind::Compare(_)));
    assert!(matches!(predicate("5 > $e.a % 2").kind, ExprKind::Compare(_)));
}

#[test]
fn metrics_take_named_arguments() {
    let text = "rule r { events: $e.a = $u match: $u over 1h outcome: $m = max(metrics.auth_attempts_success(period:1d, \
                window:30d, metric:event_count_sum, agg:max, principal.user.userid:$u)) condition: $e and $m > 3 }";
    let rule = read(text);
    let ExprKind::Call(call) = &rule.outcome[0].value.kind else { panic!() };
    let ExprKind::Call(call) = &call.args[0].value.kind else { panic!() };
    assert_eq!(call.args[4].name.as_deref(), Some("principal.user.userid"));
    assert!(matches!(call.args[3].value.kind, ExprKind::Word(_)));
}

#[test]
fn any_case_of_keywords() {
    let rule = read(
        "RULE r { EVENTS: NOT $e.a = 1 AND $e.b = TRUE OR $e.c IN REGEX %l NOCASE MATCH: $x OVER 5M CONDITION: $e }",
    );
    assert_eq!(rule.matching.unwrap().window.unwrap().length.seconds(), 300);
}

#[test]
fn byte_order_mark_and_carriage_returns() {
    let text =
        "\u{feff}// c\r\nrule r {\r\n  events:\r\n    $e.a = 1 // d\r\n  condition:\r\n    $e\r\n}\r\n";
    let parsed = parse(text);
    assert!(parsed.diagnostics.is_empty());
    assert_eq!(parsed.comments[1].text, "// d");
    assert_eq!(parsed.comments[0].span.text(text), "// c");
}

#[test]
fn several_rules() {
    let parsed =
        parse("rule a { events: $e.x = 1 condition: $e }\nrule b { events: $e.x = 2 condition: $e }");
    assert!(parsed.diagnostics.is_empty());
    assert_eq!(parsed.file.rules.len(), 2);
    same_again(&parsed);
}

#[test]
fn built_trees_read_back() {
    let expr = Expr::all_of([
        Expr::field("e", "metadata.event_type").eq(Expr::text("USER_LOGIN")),
        Expr::call("re.regex", [Expr::field("e", "target.url"), Expr::raw_text(r"\d+`")]).nocase(),
        Expr::field("e", "network.sent_bytes").compare(CompareOp::Gt, Expr::int(-5)),
        Expr::any_of([
            Expr::any(Field::path("e", "principal.ip")).eq(Expr::text("\n\u{202e}\\")),
            Expr::new(ExprKind::Field(Field::path("e", "additional.fields").key("k\"")))
                .ne(Expr::regex("a/b\\/c"))
                .negated(),
        ]),
        Expr::field("e", "x").eq(Expr::float(1e20).unwrap()),
    ]);
    let printed = print_expr(&expr);
    assert_eq!(predicate(&printed), expr, "{printed}");
    assert!(Expr::float(f64::NAN).is_none());
}
