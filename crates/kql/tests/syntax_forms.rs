//! One query or more for every construct: read without a fault, printed, read again as the same tree.
//! With `RULEFERRY_CORPUS` set, the verdicts of Microsoft's parser on edge forms are matched, too.

#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use ruleferry_kql::syntax::{parse, print, print_with_comments};

const FORMS: &[&str] = &[
    // Strings.
    r#"T | where a == "x" and b == 'it\'s' and c == @"c:\x ""q""" and d == @'it''s' and e == h"s" and f == H@'s'"#,
    "T | where a == ```two\nlines \"` ``` or b == ~~~x ``` y~~~ or c == h```z```",
    r#"T | where a == "\u0041\U0001F600\uD83D\uDE00\x41\101\0\a\b\f\n\r\t\v\\\"\'" "joined" 'on' @"t\o" "#,
    // Numbers, times, typed literals.
    "print 1, 0x1F, 0XaB, 1.5, 1., 1e5, 1.5E-3, 1.e5, -1, +1, 5 - 1, 5-1",
    "print 1d, 1.5h, 10m, 10s, 3ms, 1tick, 2ticks, 3seconds, 4minutes, 5hours, 6days, 7micro, 8nanos, 9min, 1hr",
    "print datetime(2024-01-01), datetime( 2024-01-01 10:00 ), datetime('2024-01-01'), date(null), time(1d), timespan(1.02:03:04)",
    "print guid(74be27de-1e4e-49d9-b579-fe0b331d3642), bool(true), int(-3), long(0x1F), int64(5), real(1.5e3), double(nan)",
    "print decimal(1.5), long(null), datetime(null), dynamic(null), TRUE, True, false, null",
    r#"print dynamic({"a": [1, -2.5, true, null, 'x', @"y\z"], "b": {}, "c": []}), dynamic([1d, datetime(2020-01-01), guid(74be27de-1e4e-49d9-b579-fe0b331d3642)])"#,
    "print dynamic(dynamic([1])), dynamic(@'{\"x\":1}'), dynamic({p})",
    // Names and paths.
    "T | where ['x y'] == 1 and [\"z\"] == 2 and ['it\\'s'] == 3 and [@'b\\s'] == 4 and 1a == 5 and {p} == 6 and {q[0]} == 7",
    "T | where a.b['c d'].e[0] == 1 and a.['b c'] == 1 and a[-1] == 1 and a.kind == 2 and a.[0].b == 3 and a[b.c][\"d\"] == 4",
    "T | extend ['where'] = 1, contains = 2, set = 3, view = 4, type = 5, ['a.b'] = 6",
    "cluster('c').database('d').T | join (workspace('w').U) on a | union adx('c/d').V, ['T-2'], database('d').Sec*",
    "T-2 | take 1",
    // Expressions.
    "T | where a == 1 and (b == 2 or c == 3) and not(d) or e != 4 and f <> 5 and (g and (h and i))",
    "T | where a + b * c - (d - e) / f % 2 > -(g) and (a == b) == c and -a.b < 3 and (a + b) has 'x'",
    "T | where a =~ 'x' and b !~ 'y' and c has 'x' and c !has 'x' and c has_cs 'x' and c !has_cs 'x'",
    "T | where a hasprefix 'x' and a !hasprefix 'x' and a hasprefix_cs 'x' and a !hasprefix_cs 'x'",
    "T | where a hassuffix 'x' and a !hassuffix 'x' and a hassuffix_cs 'x' and a !hassuffix_cs 'x'",
    "T | where a contains 'x' and a !contains 'x' and a contains_cs 'x' and a !contains_cs 'x' and a notcontains 'x' and a containscs 'y' and a notcontainscs 'z'",
    "T | where a startswith 'x' and a !startswith 'x' and a startswith_cs 'x' and a !startswith_cs 'x'",
    "T | where a endswith 'x' and a !endswith 'x' and a endswith_cs 'x' and a !endswith_cs 'x'",
    "T | where a like 'x' and a notlike 'x' and a likecs 'x' and a notlikecs 'x' and a matches regex @'\\d+'",
    "T | where a in (1, 2) and b !in (3) and c in~ ('x') and d !in~ ('y') and e has_any ('x', 'y') and f has_all (dynamic(['x']))",
    "T | where a in (U | project b) and a in ((U | project b)) and a in (toscalar(U | count), 2) and b has_any (list)",
    "T | where t between (1 .. 2) and t !between (ago(14d)..ago(1d)) and t between (datetime(2024-01-01) .. 1d)",
    "T | where * has 'x' or * == 1 or * contains 'y' or f(*) or g(a, *) or h(n = 1, (a, b) = c)",
    "T | where a = 1",
    "T | extend x = iff(a, b, c), typeof(string), y = typeof(a: string, b: long), count(), bin(t, 1h)",
    "T | extend (a, b) = f(x), (c) = g(y)",
    "T | where a == $left.b or typeof == 1",
    // Pipelines as expressions.
    "let x = toscalar(T | summarize max(a)); let y = materialize(T | take 1); y | where a > x and b > toscalar kind=nooptimization (T | count)",
    "let t = totable(x); (T | take 1) | union (U | take 2), (V) | join kind=inner (print 1) on a",
    "datatable(a: string, ['b c']: int) [\n'x', 1,\n'y', -2,\n] | take 1",
    "datatable(a: dynamic, b: datetime, c: timespan)[dynamic([1]), datetime(2024-01-01), 1d]",
    "externaldata(a: string)[h@'https://x/y.csv', 'z'] with (format='csv', ignoreFirstRecord=true)",
    "externaldata(a: string, b: long)['https://x/y.csv'] with (format=csv)",
    "T datascope=hotcache | take 1",
    // Statements.
    "let x = 5; let f = (a: string, b: long = 5, c: dynamic = dynamic([])) { T | where x == a }; f('x')",
    "let f = (T: (a: string, b: long), U: (*)) { let y = 1; T | take y }; let g = view () { T }; let h = () { 1 }; U | invoke f(V)",
    "let f = (a: string) { declare query_parameters(b: int = 3); a }; print f('x')",
    "declare query_parameters(a: string = 'x', b: long = 5); T | where b == a",
    "declare pattern app = (id: string)[event: string] { ('A').['Stop'] = { T | take 1 }; ('B').['Go'] = { let x = 1; U | take x }; }; app('A')['Stop']",
    "declare pattern app; app('x')",
    "set notruncation; set maxmemory = 5; alias database d = cluster('c').database('d'); restrict access to (T, U*, database('d').V); T | take 1; U | take 2",
    "#connect cluster('x')\nT",
    // Operators.
    "T | where a | filter b | where kind == 1",
    "T | project a, b = c, bin(t, 1h), tostring(d.e) | project | project-away a*, b, *c, d*e | project-keep a* | project-rename b = a",
    "T | project-reorder a, b*, * asc, c granny-asc, d* granny-desc, e desc | project-by-names 'a', b",
    "T | extend a = 1, b, 1 + 2",
    "T | summarize | summarize by a | summarize count() | summarize c = count(), dcount(a), (x, y) = arg_max(t, *) by b, bin(t, 1h), d = tolower(e)",
    "T | summarize hint.shufflekey=a hint.num_partitions=5 hint.strategy=shuffle count() by a bin=1h",
    "T | sort by a asc nulls last, b desc, c nulls first | order by tolower(d) | sort hint.strategy=x by e",
    "T | top 5 by a desc nulls last | top hint.progressive_top=true toint('5') by b = c",
    "T | top-nested 3 of a with others = 'rest' by m = max(b) desc, top-nested of c by count()",
    "T | top-hitters 5 of a by b | top-hitters 3 of c",
    "T | take 5 | limit 6 | count | count as c | distinct * | distinct a, tolower(b)",
    "T | join U on a | join kind=inner U on a, b | join kind = leftouter hint.strategy = broadcast (U | where x == 1) on $left.a == $right.b, c",
    "T | join hint.remote=auto hint.shufflekey=a kind=rightsemi U on $left.a == $right.b and $left.c == $right.d | join (U) where a == b | join V",
    "T | lookup kind=leftouter U on a | lookup (V | distinct b) on $left.a == $right.b",
    "union isfuzzy=true withsource=src kind=outer T*, (U | take 1), f(), _x* | union * | union best_effort=true with_source=['s c'] V, *",
    "T | mv-expand a | mvexpand b | mv-expand kind=array with_itemindex=i bagexpansion=bag c = d.e to typeof(string), f limit 10",
    "T | mv-apply a = b to typeof(string) limit 5 on (where a == 1 | summarize c = count()) | mv-apply with_itemindex=i c on (take 1)",
    "T | mvapply a id 74be27de on (top 1 by b)",
    "T | make-series n = count() default=0, avg(b) on t from ago(1d) to now() step 1h by a | make-series kind=nonempty count() on t step 1h",
    "T | make-series hint.shufflekey=a m = max(b) on bin(t, 1h) in range(ago(1d), now(), 1h) by a, b = c",
    "T | parse a with * 'x=' b:long ' ' c 'y' * | parse kind=regex flags=Ui d.e with @'x' f @'\\d+' * | parse-where kind=relaxed g with 'h' i:datetime",
    "T | parse kind=simple tostring(a) with 'x' ['b c'] 'y'",
    "T | parse-kv a as (x: string, y: long) with (pair_delimiter=';', kv_delimiter='=', quote='\"', greedy=true)",
    "T | evaluate hint.distribution=single pivot(a, count(), b) | evaluate bag_unpack(c, 'p_') : (*, x: string, y: long) | evaluate f() : (a: long)",
    "evaluate ipv4_lookup(U, a, b)",
    "T | invoke f(a, 1000) | invoke database('d').g()",
    "T | render timechart | render columnchart kind=stacked title='x' | render piechart with (title=strcat('a', 'b'), xcolumn=c, ycolumns=d, e, ysplit=panels, ymin=0)",
    "T | render table by a, b",
    "T | serialize | serialize r = row_number(), next(a) | as x | as hint.materialized=true y | consume | consume decodeblocks=true | getschema | getschema kind=csl",
    "T | partition by a (top 1 by b | project c) | partition hint.strategy=native by a.b (summarize count()) | partition by c { U | where d == 1 }",
    "T | __partitionby a id 'x' (take 1)",
    "T | scan with_match_id=m order by a asc, b partition by c, d declare (e: long = 0, f: string) with (step s1: a == 1; step s2 optional output=last: b == s1.a and c == 2 => e = s1.d + 1, f = 'x'; step s3: true;)",
    "T | reduce by a | reduce kind=x by a with threshold=0.1, characters='-'",
    "T | sample 5 | sample-distinct 5 of a | fork (count) n = (where a == 1 | take 1) | facet by a, b with (where c == 1 | take 2)",
    "T | facet by a with take 1",
    "search 'x' | search kind=case_sensitive * | search in (T, U*) 'x' and a == 1 | search * and b == 1 | search 'x' or a:'y' | search a: 'z'",
    "find in (T, database('d').U, V*) where a has 'x' project b, c: string, pack(*), * | take 1",
    "find withsource=s in (T) where a == 1 project-smart",
    "find where a == 1",
    "find 'x'",
    "range x from 1 to 10 step 1 | extend y = range(1, 2, 3)",
    "print x = 1, 'y'",
    "T | assert-schema (a: string, b: long)",
    "macro-expand isfuzzy=true entity_group [cluster('a').database('b'), database('c')] as X ( X.T | where a == 1 )",
    "let eg = entity_group [cluster('a').database('b')]; macro-expand eg as X ( let y = 1; X.T | take y; )",
    "E | make-graph a --> b with N on id, (M | take 1) on key | graph-match cycles=none (x)-[e]->(y)<-[f*1..3]-(z)--(w)-->(), (v)-[]-(u) where x.a == 1 and e.b == 'c' project x.a, d = y.b",
    "E | make-graph a -- b with_node_id=n | graph-to-table nodes as N with_node_id=i, edges as F with_source_id=s with_target_id=t",
    "E | make-graph hint.strategy=x a --> b partitioned-by c (graph-match (x)-->(y) project x.a)",
    "G | graph-shortest-paths output=all (x)-[e*1..5]->(y) where x.a == 1 project y | graph-mark-components kind=weak with_component_id=c",
    "G | graph-where-nodes a == 1 | graph-where-edges b == 2",
    // Blanks and comments.
    "\u{FEFF}T\u{A0}| where a\u{A0}== 1 // c\n\n// d 'e\n\n\n| take 1 // f",
    "// c\nT // c2 with 'quote\n| where a == 1 // don't\n    and b == 2\n",
    "T | where a == 'x'|take 1|project a;",
];

/// Reads, prints and reads again; what went wrong, if anything did.
fn survive(text: &str) -> Result<String, String> {
    let parsed = parse(text);
    if !parsed.diagnostics.is_empty() {
        return Err(format!("{text}\n{:?}", parsed.diagnostics));
    }
    let printed = print(&parsed.query);
    let again = parse(&printed);
    if !again.diagnostics.is_empty() || again.query != parsed.query || print(&again.query) != printed {
        return Err(format!("{text}\n-- printed as:\n{printed}\n{:?}", again.diagnostics));
    }
    Ok(printed)
}

#[test]
fn every_form_survives() {
    let (printed, wrong): (Vec<_>, Vec<_>) = FORMS.iter().map(|f| survive(f)).partition(Result::is_ok);
    let wrong: Vec<String> = wrong.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let printed: Vec<String> = printed.into_iter().flatten().collect();
    // For a check by another parser.
    if let Ok(file) = std::env::var("RULEFERRY_PRINTED_FORMS") {
        let both = FORMS.iter().map(|f| (*f).to_owned()).chain(printed);
        let records: Vec<String> =
            both.map(|q| serde_json::json!({"id": q, "query": q}).to_string()).collect();
        std::fs::write(file, records.join("\n")).unwrap();
    }
}

#[test]
fn verdicts_of_the_reference_parser_are_matched() {
    let Ok(corpus) = std::env::var("RULEFERRY_CORPUS") else {
        eprintln!("skipped: RULEFERRY_CORPUS is not set");
        return;
    };
    let path = std::path::Path::new(&corpus).join("reference/kql-edge-probes.jsonl");
    let probes = std::fs::read_to_string(path).unwrap();
    let mut wrong = Vec::new();
    for line in probes.lines() {
        let probe: serde_json::Value = serde_json::from_str(line).unwrap();
        // Management commands are no queries; here they are refused.
        if probe.get("kind").and_then(|k| k.as_str()) != Some("Query") {
            continue;
        }
        let query = probe.get("query").and_then(|q| q.as_str()).unwrap();
        let ok = probe.get("ok").and_then(serde_json::Value::as_bool).unwrap();
        let parsed = parse(query);
        if parsed.has_errors() == ok {
            wrong.push((query.to_owned(), ok, parsed.diagnostics));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_query_of_the_corpus_survives() {
    let Ok(corpus) = std::env::var("RULEFERRY_CORPUS") else {
        eprintln!("skipped: RULEFERRY_CORPUS is not set");
        return;
    };
    let path = std::path::Path::new(&corpus).join("corpus/kql/dev.jsonl");
    let queries = std::fs::read_to_string(path).unwrap();
    let (mut good, mut wrong) = (0, Vec::new());
    for line in queries.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let query = record.get("query").and_then(|q| q.as_str()).unwrap();
        let ok = record.get("syntax_ok").and_then(serde_json::Value::as_bool).unwrap();
        let parsed = parse(query);
        if parsed.has_errors() == ok {
            wrong.push(record.get("id").unwrap().to_string());
        }
        if !ok {
            continue;
        }
        good += 1;
        if let Err(why) = survive(query) {
            wrong.push(why);
        }
        let commented = print_with_comments(&parsed.query, &parsed.comments);
        let again = parse(&commented);
        if again.query != parsed.query || again.comments.len() != parsed.comments.len() {
            wrong.push(commented);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(good >= 2835, "{good}");
}
