//! The layout of printed text, with and without comments.

use ruleferry_kql::syntax::tree::{Expr, ExprKind, ListOp, Operator, OperatorKind, Query, Statement};
use ruleferry_kql::syntax::{parse, print, print_expr, print_with_comments};

#[track_caller]
fn becomes(text: &str, expected: &str) {
    let parsed = parse(text);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let printed = print_with_comments(&parsed.query, &parsed.comments);
    assert_eq!(printed, expected);
    let again = parse(&printed);
    assert_eq!(again.query, parsed.query);
    assert_eq!(print_with_comments(&again.query, &again.comments), expected, "the second time");
}

#[test]
fn operators_stand_on_their_lines() {
    becomes("T|where a==1|take 5", "T\n| where a == 1\n| take 5\n");
    becomes("let x=5;let y=6;T|take x", "let x = 5;\nlet y = 6;\n\nT\n| take x\n");
    becomes("let x = 5; f(x)", "let x = 5;\nf(x)\n");
}

#[test]
fn long_predicates_are_broken_before_the_words() {
    becomes(
        "T | where FirstColumn == 'some long text here' and (SecondColumn has 'other text' or ThirdColumn in (1, 2)) and not(Fourth)",
        "T\n| where FirstColumn == \"some long text here\"\n    and (SecondColumn has \"other text\" or ThirdColumn in (1, 2))\n    and not(Fourth)\n",
    );
}

#[test]
fn long_lists_are_wrapped() {
    becomes(
        "T | where Name in~ ('first-long-program-name.exe', 'second-long-program-name.exe', 'third-long-program-name.exe')",
        "T\n| where Name in~ (\n    \"first-long-program-name.exe\",\n    \"second-long-program-name.exe\",\n    \"third-long-program-name.exe\"\n)\n",
    );
    let numbers: Vec<String> = (4600..4640).map(|n| n.to_string()).collect();
    let text = format!("T | where EventID in ({})", numbers.join(","));
    let printed = print(&parse(&text).query);
    assert!(printed.lines().count() < 7 && printed.lines().all(|l| l.len() <= 100), "{printed}");
}

#[test]
fn subqueries_are_indented() {
    becomes(
        "T | join kind=inner (U | where a == 1 | project a, b | take 5) on $left.x == $right.a | count",
        "T\n| join kind=inner (\n    U\n    | where a == 1\n    | project a, b\n    | take 5\n) on $left.x == $right.a\n| count\n",
    );
    becomes(
        "let f = (a: string) { T | where x == a | take 1 }; let t = U | where y == 1; union f('z'), t",
        "let f = (a: string) {\n    T\n    | where x == a\n    | take 1\n};\n\nlet t =\n    U\n    | where y == 1;\n\nunion f(\"z\"), t\n",
    );
}

#[test]
fn comments_keep_their_places() {
    becomes(
        "// head\n\n// second\nlet x = 5; // five\n// before T\nT // the table\n| where a == 1 // one\n    // why two\n    and b == 2\n// last operator\n| take x\n// end",
        "// head\n\n// second\nlet x = 5; // five\n\n// before T\nT // the table\n| where a == 1 // one\n    // why two\n    and b == 2\n// last operator\n| take x\n// end\n",
    );
    becomes(
        "T | where a in (\n 'x', // first\n // second\n 'y' // end\n) | extend\n a = 1, // one\n b = f(c, // inner\n d)",
        "T\n| where a in (\n    \"x\", // first\n    // second\n    \"y\" // end\n)\n| extend\n    a = 1, // one\n    b = f(\n        c, // inner\n        d\n    )\n",
    );
}

#[test]
fn hostile_text_cannot_break_out() {
    let hostile = "\"; T | take 1 // '\u{202E}\u{1B}[31m\n\\";
    assert_eq!(print_expr(&Expr::string(hostile)), r#""\"; T | take 1 // '\u202E\u001B[31m\n\\""#);
    assert_eq!(print_expr(&Expr::name("a'] | take 1 //")), "[\"a'] | take 1 //\"]");
    assert_eq!(print_expr(&Expr::name("where")), "['where']");
    assert_eq!(print_expr(&Expr::name("a b")), "['a b']");
    assert_eq!(print_expr(&Expr::string(r"C:\Windows")), r#"@"C:\Windows""#);
    assert_eq!(
        print_expr(&Expr::typed(ruleferry_kql::syntax::literal::ScalarType::Datetime, "x) | take 1 //")),
        "todatetime(\"x) | take 1 //\")"
    );
}

#[test]
fn parentheses_follow_from_the_tree() {
    let (a, b, c) = (Expr::name("a"), Expr::name("b"), Expr::name("c"));
    let or = Expr::or([a.clone(), b.clone()]);
    assert_eq!(print_expr(&Expr::and([or.clone(), c.clone()])), "(a or b) and c");
    assert_eq!(print_expr(&Expr::or([or, c.clone()])), "a or b or c");
    let nested = ExprKind::Or(vec![a.clone(), ExprKind::Or(vec![b.clone(), c.clone()]).into()]);
    assert_eq!(print_expr(&nested.into()), "a or (b or c)");
    assert_eq!(print_expr(&Expr::long(-5).negative()), "-(-5)");
    assert_eq!(print_expr(&Expr::long(5).path("x")), "(5).x");
    assert_eq!(print_expr(&Expr::long(i64::MIN)), "long(-9223372036854775808)");
    assert_eq!(print_expr(&Expr::real(0.5)), "0.5");
    let subquery = Expr::pipeline(Some(b), vec![Operator::filter(c)]);
    assert_eq!(print_expr(&Expr::list(ListOp::In, a, vec![subquery])), "a in (b | where c)");
    assert_eq!(print_expr(&Expr::and([])), "true");
}

#[test]
fn built_queries_are_printed() {
    let take = OperatorKind::Take { params: Vec::new(), count: Expr::long(5) };
    let query = Expr::pipeline(Some(Expr::name("T")), vec![Operator::filter(Expr::bool(true)), take.into()]);
    let query = Query::new(vec![Statement::bind("n", Expr::long(1)), Statement::query(query)]);
    assert_eq!(print(&query), "let n = 1;\n\nT\n| where true\n| take 5\n");
}
