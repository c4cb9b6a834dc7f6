//! Lift of scalar expressions and aggregates: names and types of columns against facts measured with Microsoft's parser,
//! and the IR of single expressions.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a test fails by panicking

use ruleferry_ir::{self as ir, ExprKind, MatchValue, MatchValues, Op, Subject, Value};
use ruleferry_kql::lift::{LiftOptions, Lifted, lift};
use ruleferry_kql::syntax::parse;
use std::fmt::Write as _;

const TABLE: &str = "let T = datatable(b:bool, i:int, l:long, r:real, dec:decimal, s:string, s2:string, t:datetime, \
                     ts:timespan, g:guid, d:dynamic, ['a b']:string, bb:bool)[]; ";

fn lifted(text: &str) -> Lifted {
    let parsed = parse(text);
    let start: String = text.chars().take(300).collect();
    assert!(!parsed.has_errors(), "{start}\n{:?}", parsed.diagnostics.first());
    lift(&parsed.query, &LiftOptions { source: text })
}

fn columns(query: &ir::Query) -> Vec<String> {
    let column = |id: &ir::ColId| format!("{}:{}", query.columns.name(*id), query.columns.ty(*id));
    query.plan.output.iter().map(column).collect()
}

#[test]
fn columns_have_the_names_and_types_that_kusto_gives_them() {
    let base = columns(&lifted(&format!("{TABLE} T")).query.unwrap()).join(", ");
    let mut wrong = String::new();
    let facts = include_str!("facts/columns.tsv").lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
    for fact in facts {
        let (text, expected) = fact.split_once('\t').unwrap();
        let expected = expected.replacen('*', &base, 1);
        let result = lifted(&format!("{TABLE} {text}"));
        let found = match &result.query {
            Some(query) => columns(query).join(", "),
            None => format!("{:?}", result.diagnostics.iter().map(|d| &d.message).collect::<Vec<_>>()),
        };
        if found != expected {
            writeln!(wrong, "{text}\n  kusto: {expected}\n  here:  {found}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// A short form of an expression: conversions as `type(…)` if written and `type!(…)` if implicit.
fn show(e: &ir::Expr, query: &ir::Query) -> String {
    let s = |e: &ir::Expr| show(e, query);
    let list = |es: &[ir::Expr]| es.iter().map(s).collect::<Vec<_>>().join(", ");
    match &e.kind {
        ExprKind::Literal(v) => match v {
            Value::Null(ty) => format!("null:{ty}"),
            Value::String(s) => format!("'{s}'"),
            Value::Long(n) => format!("{n}"),
            other => format!("{other:?}"),
        },
        ExprKind::Column(id) => query.columns.name(*id).to_owned(),
        ExprKind::Let(id) => query.bindings[id.0 as usize].name.to_string(),
        ExprKind::Now => "now".to_owned(),
        ExprKind::And(es) => format!("and({})", list(es)),
        ExprKind::Or(es) => format!("or({})", list(es)),
        ExprKind::Not(e) => format!("not({})", s(e)),
        ExprKind::Compare(c) => format!("{:?}({}, {}; {:?})", c.op, s(&c.left), s(&c.right), c.missing),
        ExprKind::Match(m) => {
            let subject = match &m.subject {
                Subject::Expr(e) => s(e),
                Subject::AnyColumn => "*".to_owned(),
                Subject::Event => "event".to_owned(),
            };
            let values = match &m.values {
                MatchValues::List(values) => {
                    let value = |v: &MatchValue| match v {
                        MatchValue::Expr(e) => s(e),
                        MatchValue::Glob(parts) => format!("{parts:?}"),
                    };
                    values.iter().map(value).collect::<Vec<_>>().join(", ")
                }
                MatchValues::Dynamic(e) => format!("each {}", s(e)),
                MatchValues::Query(_) => "query".to_owned(),
            };
            format!("{:?}:{:?}:{:?}({subject}; {values})", m.kind, m.case, m.quantifier)
        }
        ExprKind::In(i) => match &i.values {
            ir::InValues::List(values) => format!("in({}; {})", s(&i.subject), list(values)),
            ir::InValues::Dynamic(e) => format!("in({}; each {})", s(&i.subject), s(e)),
        },
        ExprKind::InQuery(i) => {
            let columns = i.plan.output.iter().map(|c| query.columns.ty(*c).name()).collect::<Vec<_>>();
            format!("inquery:{:?}({}; {})", i.case, s(&i.subject), columns.join(", "))
        }
        ExprKind::Between(b) => format!("between({}, {}, {})", s(&b.subject), s(&b.low), s(&b.high)),
        ExprKind::IsNull(e) => format!("isnull({})", s(e)),
        ExprKind::IsEmpty(e) => format!("isempty({})", s(e)),
        ExprKind::Arithmetic(a) => format!("{:?}:{}({}, {})", a.op, e.ty, s(&a.left), s(&a.right)),
        ExprKind::Negate(e) => format!("-{}", s(e)),
        ExprKind::Call(def, args) => format!("{}({})", def.name, list(args)),
        ExprKind::Cast(c) => format!("{}{}({})", c.to, if c.implicit { "!" } else { "" }, s(&c.expr)),
        ExprKind::Member(base, name) => format!("{}.{name}", s(base)),
        ExprKind::Index(base, index) => format!("{}[{}]", s(base), s(index)),
        ExprKind::Case(branches, otherwise) => {
            let branches = branches.iter().map(|(c, v)| format!("{} => {}", s(c), s(v))).collect::<Vec<_>>();
            format!("case({}; {})", branches.join(", "), s(otherwise))
        }
        ExprKind::Subquery(_) => format!("subquery:{}", e.ty),
        ExprKind::Opaque(o) => format!("opaque({})", o.text),
    }
}

/// The expression of `T | project x = …`.
fn value(text: &str) -> String {
    let text = format!("{TABLE} T | project x = {text}");
    let result = lifted(&text);
    let Some(query) = result.query else { panic!("{text}\n{:?}", result.diagnostics) };
    let Op::Project { items, .. } = &*query.plan.op else { panic!("{text}") };
    show(&items[0].expr, &query)
}

/// The first message about `T | project x = …`.
fn complaint(text: &str) -> String {
    let text = format!("{TABLE} T | project x = {text}");
    let result = lifted(&text);
    let d = result.diagnostics.first().unwrap_or_else(|| panic!("no diagnostic: {text}"));
    format!("{} {}", d.code, d.message)
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    let mut wrong = String::new();
    for (text, expected) in cases {
        let found = value(text);
        if found != *expected {
            writeln!(wrong, "{text}\n  expected {expected}\n  found    {found}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn equality_converts_as_kusto_does() {
    check(&[
        ("s == 'x'", "Equals:Sensitive:Any(s; 'x')"),
        ("'x' == s", "Equals:Sensitive:Any(s; 'x')"),
        ("s != 'x'", "not(Equals:Sensitive:Any(s; 'x'))"),
        ("s =~ 'x'", "Equals:Insensitive:Any(s; 'x')"),
        ("s !~ 'x'", "not(Equals:Insensitive:Any(s; 'x'))"),
        ("s == s2", "Equals:Sensitive:Any(s; s2)"),
        ("d.a == 'x'", "Equals:Sensitive:Any(string!(d.a); 'x')"),
        ("s == d.a", "Equals:Sensitive:Any(s; string!(d.a))"),
        ("d.a == 5", "Eq(real!(d.a), Real(5.0); Distinct)"),
        ("d.a == l", "Eq(long!(d.a), l; Distinct)"),
        ("d.a == true", "Eq(bool!(d.a), Bool(true); Distinct)"),
        ("d.a != now()", "Ne(datetime!(d.a), now; Distinct)"),
        ("d == d.a", "Eq(d, d.a; Distinct)"),
        ("l == 5", "Eq(l, 5; Distinct)"),
        ("l != 5.5", "Ne(l, Real(5.5); Distinct)"),
        ("s == 0", "Equals:Sensitive:Any(s; '0')"),
        ("l == '5'", "Eq(l, 5; Distinct)"),
        ("l == 'x'", "Eq(l, long!('x'); Distinct)"),
        ("b == 1", "Eq(b, Bool(true); Distinct)"),
        ("b == 'true'", "Eq(b, Bool(true); Distinct)"),
        ("b == l", "Eq(long!(b), l; Distinct)"),
        ("t == '1970-01-01'", "Eq(t, Datetime(621355968000000000); Distinct)"),
        ("ts == '1h'", "Eq(ts, Timespan(36000000000); Distinct)"),
        ("g == 'x'", "Eq(g, guid!('x'); Distinct)"),
    ]);
}

#[test]
fn ordering_converts_as_kusto_does() {
    check(&[
        ("l > 5", "Gt(l, 5; Null)"),
        ("l <= 5.5", "Le(l, Real(5.5); Null)"),
        ("d.a >= 5", "Ge(real!(d.a), Real(5.0); Null)"),
        ("t < now()", "Lt(t, now; Null)"),
        ("t > ago(1d)", "Gt(t, Sub:datetime(now, Timespan(864000000000)); Null)"),
        ("b > 1", "Gt(long!(b), 1; Null)"),
        ("t > '1970-01-01'", "Gt(t, Datetime(621355968000000000); Null)"),
        ("l between (1 .. 2.5)", "between(l, 1, Real(2.5))"),
        ("l !between (1 .. 2)", "not(between(l, 1, 2))"),
        ("t between (now() .. 1d)", "between(t, now, Add:datetime(now, Timespan(864000000000)))"),
        ("t between (ago(1d) .. now())", "between(t, Sub:datetime(now, Timespan(864000000000)), now)"),
        ("d.a between (1 .. 2)", "between(real!(d.a), 1, 2)"),
        ("ts between (1d .. 2d)", "between(ts, Timespan(864000000000), Timespan(1728000000000))"),
    ]);
}

#[test]
fn text_operators_become_matches() {
    check(&[
        ("s has 'x'", "Term:Insensitive:Any(s; 'x')"),
        ("s !has_cs 'x'", "not(Term:Sensitive:Any(s; 'x'))"),
        ("s hasprefix 'x'", "TermPrefix:Insensitive:Any(s; 'x')"),
        ("s hassuffix_cs 'x'", "TermSuffix:Sensitive:Any(s; 'x')"),
        ("s contains_cs 'x'", "Contains:Sensitive:Any(s; 'x')"),
        ("s !startswith 'x'", "not(StartsWith:Insensitive:Any(s; 'x'))"),
        ("s endswith strcat('x', l)", "EndsWith:Insensitive:Any(s; strcat('x', string!(l)))"),
        ("d has 'x'", "Term:Insensitive:Any(string!(d); 'x')"),
        ("d.a contains d.b", "Contains:Insensitive:Any(string!(d.a); string!(d.b))"),
        ("s matches regex @'^\\d'", "Regex:Sensitive:Any(s; '^\\d')"),
        ("l has '4'", "Term:Insensitive:Any(string!(l); '4')"),
        ("s has_any ('a', 'b')", "Term:Insensitive:Any(s; 'a', 'b')"),
        ("s has_all ('a', 'b')", "Term:Insensitive:All(s; 'a', 'b')"),
        ("s has_any (dynamic(['a', ['b']]))", "Term:Insensitive:Any(s; 'a', 'b')"),
        ("s like 'x'", "opaque(s like 'x')"),
    ]);
}

#[test]
fn lists_are_flat_and_of_one_type() {
    check(&[
        ("s in ('a', 'b')", "Equals:Sensitive:Any(s; 'a', 'b')"),
        ("s !in ('a')", "not(Equals:Sensitive:Any(s; 'a'))"),
        ("s in~ (dynamic(['a', 5]))", "Equals:Insensitive:Any(s; 'a', '5')"),
        ("s in (1, 2)", "Equals:Sensitive:Any(s; '1', '2')"),
        ("l in (1, 2.5)", "in(l; 1, Real(2.5))"),
        ("l in ('1', '2')", "in(l; 1, 2)"),
        ("d.a in ('x', 'y')", "Equals:Sensitive:Any(string!(d.a); 'x', 'y')"),
        ("d.a in (1, 2)", "in(real!(d.a); 1, 2)"),
        ("s in (d.list)", "Equals:Sensitive:Any(s; each d.list)"),
        ("s in ('a', d.list)", "or(Equals:Sensitive:Any(s; 'a'), Equals:Sensitive:Any(s; each d.list))"),
        ("s in ((T | project s2))", "inquery:Sensitive(s; string)"),
        ("s in~ (T)", "inquery:Insensitive(s; string)"),
        ("l in ((T | project l, s))", "inquery:Sensitive(l; long, string)"),
        ("s has_any ((T | project s2))", "Term:Insensitive:Any(s; query)"),
        ("b in (true)", "in(b; Bool(true))"),
    ]);
}

#[test]
fn lists_in_lets_stay_lets() {
    let text = format!(
        "let L = dynamic(['a', 'b']); let N = dynamic([1, 2]); let W = 'w'; {TABLE} T | where s in~ (L) and l in (N) and s has_any (L, W)"
    );
    let query = lifted(&text).query.unwrap();
    let Op::Filter { predicate, .. } = &*query.plan.op else { panic!() };
    let expected = "and(Equals:Insensitive:Any(s; each L), in(l; each N), \
                    or(Term:Insensitive:Any(s; W), Term:Insensitive:Any(s; each L)))";
    assert_eq!(show(predicate, &query), expected);
}

#[test]
fn logic_is_flat() {
    check(&[
        ("b and (bb and l > 1)", "and(b, bb, Gt(l, 1; Null))"),
        ("b or bb or not(b)", "or(b, bb, not(b))"),
        ("d.a and b", "and(bool!(d.a), b)"),
        ("not(d.a == 1)", "not(Eq(real!(d.a), Real(1.0); Distinct))"),
    ]);
}

#[test]
fn literals_are_checked_constants() {
    check(&[
        ("-5", "-5"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("0x1F", "31"),
        ("-1.5", "Real(-1.5)"),
        ("-1h", "Timespan(-36000000000)"),
        ("int(3)", "Int(3)"),
        ("int(0xFF)", "Int(255)"),
        ("long(null)", "null:long"),
        ("datetime(null)", "null:datetime"),
        ("datetime(1970-01-01 00:00:01)", "Datetime(621355968010000000)"),
        ("timespan(1.00:00:00)", "Timespan(864000000000)"),
        ("guid(74BE27DE-1E4E-49D9-B579-FE0B331D3642)", "Guid(\"74be27de-1e4e-49d9-b579-fe0b331d3642\")"),
        ("decimal(1.50)", "Decimal(\"1.50\")"),
        ("real(+inf)", "Real(inf)"),
        ("dynamic(null)", "null:dynamic"),
        ("dynamic([1, 'x', 1d])", "Dynamic(Array([Long(1), String(\"x\"), Timespan(864000000000)]))"),
        ("true", "Bool(true)"),
    ]);
    assert_eq!(complaint("9223372036854775808"), "E0350 `9223372036854775808` does not fit into a long");
    assert_eq!(complaint("datetime(2024-13-01)"), "E0350 `2024-13-01` is no datetime");
    assert_eq!(complaint("int(3000000000)"), "E0350 `3000000000` is no int");
}

#[test]
fn paths_lead_into_dynamic_values() {
    check(&[
        ("d.a.b", "d.a.b"),
        ("d['a b'].c", "d.a b.c"),
        ("d.['a']", "d.a"),
        ("d[0]", "d[0]"),
        ("d[-1].x", "d[-1].x"),
        ("d[s]", "d[s]"),
        ("d[i]", "d[long!(i)]"),
        ("parse_json(s).a", "parse_json(s).a"),
        ("split(s, ',')[0]", "split(s, ',')[0]"),
        ("s.a", "parse_json(s).a"),
    ]);
    assert!(complaint("s.a").starts_with("E0352 `s` is of type string"));
}

#[test]
fn arithmetic_has_kustos_types() {
    check(&[
        ("l + 1", "Add:long(l, 1)"),
        ("i + i", "Add:long(long!(i), long!(i))"),
        ("l / 2.0", "Div:real(real!(l), Real(2.0))"),
        ("t - 1d", "Sub:datetime(t, Timespan(864000000000))"),
        ("t - t", "Sub:timespan(t, t)"),
        ("ts * 2", "Mul:timespan(ts, 2)"),
        ("ts / ts", "Div:real(ts, ts)"),
        ("d.a + 1", "Add:long(long!(d.a), 1)"),
        ("d.a + d.b", "dynamic!(Add:real(real!(d.a), real!(d.b)))"),
        ("t - d.a", "Sub:timespan(t, datetime!(d.a))"),
        ("-l", "-l"),
        ("-(l + 1)", "-Add:long(l, 1)"),
        ("now(-1h)", "Add:datetime(now, Timespan(-36000000000))"),
    ]);
    assert_eq!(complaint("s + s2"), "E0351 `+` is not defined for types string and string");
}

#[test]
fn functions_have_their_nodes() {
    check(&[
        ("tostring(d.a)", "string(d.a)"),
        ("todouble(s)", "real(s)"),
        ("toboolean(d)", "bool(d)"),
        ("todynamic(s)", "parse_json(s)"),
        ("iff(b, 1, 2.5)", "case(b => Real(1.0); Real(2.5))"),
        ("iif(d.a == 'x', d.b, 'y')", "case(Equals:Sensitive:Any(string!(d.a); 'x') => string!(d.b); 'y')"),
        ("case(b, 'a', bb, 'b', 'c')", "case(b => 'a', bb => 'b'; 'c')"),
        ("isempty(s)", "isempty(s)"),
        ("isnotempty(d.a)", "not(isempty(string!(d.a)))"),
        ("isempty(l)", "isnull(l)"),
        ("isnull(l)", "isnull(l)"),
        ("isnotnull(s)", "Bool(true)"),
        ("strcat(s, '-', l, d.a)", "strcat(s, '-', string!(l), string!(d.a))"),
        ("tolower(d.a)", "tolower(string!(d.a))"),
        ("replace(@'a', 'b', s)", "replace_regex(s, 'a', 'b')"),
        ("extract('x', 1, s, typeof(long))", "long(extract('x', 1, s))"),
        ("extract('x', 1, d.a)", "extract('x', 1, string!(d.a))"),
        ("bin(t, 1h)", "bin(t, Timespan(36000000000))"),
        ("floor(d.a, 1)", "bin(real!(d.a), 1)"),
        ("coalesce(s, d.a)", "coalesce(s, string!(d.a))"),
        ("coalesce(l, 1.5)", "coalesce(real!(l), Real(1.5))"),
        ("column_ifexists('s', 'x')", "s"),
        ("column_ifexists('nope', 'x')", "'x'"),
        ("pack('a', s)", "bag_pack('a', s)"),
        ("bag_pack_columns(s, l)", "bag_pack('s', s, 'l', l)"),
        ("array_length(s)", "array_length(parse_json(s))"),
        ("toscalar(T | count)", "subquery:long"),
        ("no_such_function(s, l)", "opaque(no_such_function(s, l))"),
        ("s has 'a' == false", "Eq(Term:Insensitive:Any(s; 'a'), Bool(false); Distinct)"),
    ]);
    assert_eq!(complaint("tolower()"), "E0309 `tolower` takes 1 arguments, and 0 are given");
    assert_eq!(complaint("count()"), "E0354 `count` is an aggregate, and no rows are grouped here");
    assert_eq!(complaint("T"), "E0304 `T` is a table, and a value is needed here");
}

fn aggregate(text: &str) -> String {
    let text = format!("{TABLE} T | summarize x = {text} by s");
    let result = lifted(&text);
    let Some(query) = result.query else { panic!("{text}\n{:?}", result.diagnostics) };
    let Op::Aggregate(aggregate) = &*query.plan.op else { panic!("{text}") };
    show_call(&aggregate.aggregates[0].call, &query)
}

fn show_call(call: &ir::AggregateCall, query: &ir::Query) -> String {
    let list = |es: &[ir::Expr]| es.iter().map(|e| show(e, query)).collect::<Vec<_>>().join(", ");
    match call {
        ir::AggregateCall::Function(def, args) => format!("{}({})", def.name, list(args)),
        ir::AggregateCall::ArgExtreme { max, by, returned, star } => {
            format!("arg:{max}:{star}({}; {})", show(by, query), list(returned))
        }
        ir::AggregateCall::TakeAny { returned, star, condition } => {
            let condition = condition.as_ref().map_or(String::new(), |c| format!(" if {}", show(c, query)));
            format!("any:{star}({}){condition}", list(returned))
        }
        ir::AggregateCall::Composed { parts, expr } => {
            let parts = parts.iter().map(|p| show_call(&p.call, query)).collect::<Vec<_>>();
            format!("{} of [{}]", show(expr, query), parts.join(", "))
        }
    }
}

#[test]
fn aggregates_are_calls_or_composed_of_calls() {
    let cases = [
        ("count()", "count()"),
        ("countif(d.a)", "countif(bool!(d.a))"),
        ("makeset(s2, 10)", "make_set(s2, 10)"),
        ("dcount(d.a)", "dcount(d.a)"),
        ("sum(d.a)", "sum(real!(d.a))"),
        ("arg_max(t, s2, l)", "arg:true:false(t; s2, l)"),
        ("arg_min(t, *)", "arg:false:true(t; b, i, l, r, dec, s2, ts, g, d, a b, bb)"),
        ("any(s2)", "any:false(s2)"),
        ("take_anyif(s2, b)", "any:false(s2) if b"),
        ("percentiles(l, 5, 95)", "percentiles(l, 5, 95)"),
        ("count() * 2", "Mul:long(count_, 2) of [count()]"),
        ("tostring(make_set(s2))", "string(set_s2) of [make_set(s2)]"),
        ("max(t) - min(t)", "Sub:timespan(max_t, min_t) of [max(t), min(t)]"),
        ("iff(count() > 1, 'a', s)", "case(Gt(count_, 1; Null) => 'a'; s) of [count()]"),
        ("1", "1 of []"),
        ("count(s2)", "opaque(count(s2)) of []"),
    ];
    for (text, expected) in cases {
        assert_eq!(aggregate(text), expected, "{text}");
    }
    let result = lifted(&format!("{TABLE} T | summarize x = s2 by s"));
    assert_eq!(result.diagnostics[0].code.0, "E0354");
}

#[test]
fn unknown_columns_get_the_types_of_their_uses() {
    // The first column is the time of every table.
    let text = "NoSuchTable | where a > ago(1d) and b == 5 and c.x == 'y' and d == 'z' and array_length(e) > 1 and f";
    let query = lifted(text).query.unwrap();
    assert_eq!(
        columns(&query)[1..],
        ["a:datetime", "b:long", "c:dynamic", "d:string", "e:dynamic", "f:bool"]
    );
    let text = "NoSuchTable | where StartTime < EndTime and p > q and coalesce(r, 0) > 1 and u in (1, 2) and x - y > 1h";
    let query = lifted(text).query.unwrap();
    let expected = [
        "StartTime:datetime",
        "EndTime:datetime",
        "p:long",
        "q:long",
        "r:long",
        "u:long",
        "x:datetime",
        "y:datetime",
    ];
    assert_eq!(columns(&query)[1..], expected);
}

#[test]
fn a_row_is_packed_with_the_names_of_its_columns() {
    let row = |flag: &str| {
        let text = format!("datatable(a:string, n:long)[] | project x = pack_all({flag})");
        let query = lifted(&text).query.unwrap();
        let Op::Project { items, .. } = &*query.plan.op else { panic!() };
        show(&items[0].expr, &query)
    };
    assert_eq!(row(""), "bag_pack('a', a, 'n', n)");
    let keys = "pack_array(case(isempty(a) => 'a'; ''), case(isnull(n) => 'n'; ''))";
    assert_eq!(row("true"), format!("bag_remove_keys(bag_pack('a', a, 'n', n), {keys})"));
}

#[test]
fn terms_of_search_are_looked_for_in_all_columns() {
    let found = |predicate: &str| {
        let text = format!("{TABLE} T | search {predicate}");
        let query = lifted(&text).query.unwrap();
        match &*query.plan.op {
            Op::Filter { predicate, .. } => show(predicate, &query),
            Op::Search(search) => show(&search.predicate, &query),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(found("'x'"), "Term:Insensitive:Any(*; 'x')");
    assert_eq!(
        found("'x*' and '*y'"),
        "and(TermPrefix:Insensitive:Any(*; 'x'), TermSuffix:Insensitive:Any(*; 'y'))"
    );
    assert_eq!(found("s:'x' or s == 'y'"), "or(Term:Insensitive:Any(s; 'x'), Equals:Sensitive:Any(s; 'y'))");
    assert_eq!(found("kind=case_sensitive '*a.b*'"), "Contains:Sensitive:Any(*; 'a.b')");
    assert_eq!(found("'a*b'"), "Regex:Sensitive:Any(*; '(?is)\\ba.*b\\b')");
}

#[test]
fn deep_nesting_is_refused_not_followed() {
    for (open, close) in [("(1 + ", ")"), ("tostring(", ")"), ("not(", ")")] {
        let text = format!("T | extend x = {}1{}", open.repeat(10_000), close.repeat(10_000));
        let parsed = parse(&text);
        let lifted = lift(&parsed.query, &LiftOptions { source: &text });
        assert!(parsed.has_errors() || lifted.query.is_none());
    }
}

#[test]
fn long_conjunctions_are_no_deep_ones() {
    let text = format!("{TABLE} T | where {}", vec!["s == 'x'"; 100_000].join(" and "));
    let query = lifted(&text).query.unwrap();
    let Op::Filter { predicate, .. } = &*query.plan.op else { panic!() };
    let ExprKind::And(operands) = &predicate.kind else { panic!() };
    assert_eq!(operands.len(), 100_000);
}
