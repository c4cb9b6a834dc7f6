//! Windows of the IR: which rows are in them, on the evaluator and on DuckDB, and whether they are found again in what was
//! printed as KQL or SQL and read back.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests"
)]

use ruleferry_diag::Span;
use ruleferry_eval::{MemoryTable, MemoryTables, Value};
use ruleferry_ir::functions::{FunctionKind, find};
use ruleferry_ir::window::{
    Anchor, Pivot, SlidingJoin, as_hop, as_sliding, as_tumbling, definition, hop, sliding, tumbling,
};
use ruleferry_ir::{
    Aggregate, AggregateCall, AggregateItem, ColId, Columns, Expr, Item, JoinKey, Op, Plan, Query, Scan,
    Source, TICKS_PER_SECOND, TableName, Type,
};
use ruleferry_testkit::versus::{Verdict, prepare};
use ruleferry_testkit::{duck, readback, route};

const S: Span = Span::new(0, 0);
const MINUTE: i64 = 60 * TICKS_PER_SECOND;
/// 2026-01-15T12:00:00Z, on the grid of every length here but 7 minutes.
const START: i64 = route::NOW;

/// Users and the minutes at which they did something; none: the event has no time.
const EVENTS: &[(&str, Option<i64>)] = &[
    ("a", Some(0)),
    ("a", Some(4)),
    ("a", Some(5)),
    ("a", Some(9)),
    ("a", Some(10)),
    ("b", Some(5)),
    ("b", Some(11)),
    ("b", None),
    ("", Some(3)),
    ("", Some(4)),
];

fn tables() -> MemoryTables {
    let row = |(user, minute): &(&str, Option<i64>)| {
        [Value::string(*user), minute.map_or(Value::Null, |m| Value::Datetime(START + m * MINUTE))]
            .into_iter()
            .collect()
    };
    let columns = vec![("User".into(), Type::String), ("TimeGenerated".into(), Type::Datetime)];
    let table = MemoryTable { columns, rows: EVENTS.iter().map(row).collect(), events: None };
    let mut tables = MemoryTables::default();
    tables.tables.insert("T".into(), table);
    tables
}

fn scan(columns: &mut Columns) -> Plan {
    let ids = [columns.add("User", Type::String, S), columns.add("TimeGenerated", Type::Datetime, S)];
    let table = TableName { qualifiers: Vec::new(), name: "T".into() };
    Plan::new(Op::Scan(Scan { source: Source::Table(table), open: true, time: Some(ids[1]) }), ids, S)
}

fn query(columns: Columns, plan: Plan) -> Query {
    Query { columns, bindings: Vec::new(), plan, assumptions: Vec::new() }
}

/// `summarize n = count() by …`.
fn counted(columns: &mut Columns, input: Plan, keys: Vec<Item>) -> Plan {
    let n = columns.add("n", Type::Long, S);
    let count = AggregateCall::Function(find("count", FunctionKind::Aggregate).unwrap(), Vec::new());
    let output: Vec<ColId> = keys.iter().flat_map(|k| k.ids.clone()).chain([n]).collect();
    let aggregates = vec![AggregateItem { ids: vec![n], call: count, named: true }];
    Plan::new(Op::Aggregate(Aggregate { input, keys, aggregates }), output, S)
}

fn key(columns: &Columns, id: ColId) -> Item {
    Item { ids: vec![id], expr: Expr::column(id, columns.ty(id), S), named: false }
}

/// User, minute and number of each group, in order.
fn rows(query: &Query) -> Vec<(String, Option<i64>, i64)> {
    let answer = route::eval(query, &tables(), 0).unwrap();
    let mut rows: Vec<_> = answer.rows.iter().map(|r| triple(r)).collect();
    rows.sort();
    rows
}

fn triple(row: &[Value]) -> (String, Option<i64>, i64) {
    match row {
        [Value::String(user), Value::Datetime(t), Value::Long(n)] => {
            (user.to_string(), Some((t - START) / MINUTE), *n)
        }
        [Value::String(user), Value::Null, Value::Long(n)] => (user.to_string(), None, *n),
        other => panic!("{other:?}"),
    }
}

fn printed_kql(query: &Query) -> String {
    let lowered = ruleferry_kql::lower::lower(query, &Default::default()).expect("has KQL");
    ruleferry_kql::syntax::print(&lowered.query)
}

/// The query read back from its KQL and from its SQL; all three give the same rows, and so does DuckDB.
fn routes(query: &Query) -> Vec<Query> {
    let kql = printed_kql(query);
    let back = route::ir(&kql).unwrap_or_else(|e| panic!("{e}\n{kql}"));
    let prepared = prepare(query).unwrap();
    let from_sql = readback::back(&prepared).unwrap_or_else(|e| panic!("{e:?}\n{}", prepared.sql));
    let wanted = rows(query);
    assert_eq!(rows(&back), wanted, "{kql}");
    assert_eq!(rows(&from_sql), wanted, "{}", prepared.sql);
    if duck::open().is_some() {
        let verdict = prepared.run(&tables());
        assert!(matches!(verdict, Verdict::Agree(_)), "{verdict:?}\n{}", prepared.sql);
    } else {
        eprintln!("skipped: no libduckdb");
    }
    vec![back, from_sql]
}

/// The plan of the aggregate at the end.
fn last_aggregate(query: &Query) -> &Aggregate {
    let mut at = &query.plan;
    loop {
        if let Op::Aggregate(a) = &*at.op {
            return a;
        }
        at = match &*at.op {
            Op::Ref(id) => match &query.bindings[id.0 as usize].value {
                ruleferry_ir::BindingValue::Table { plan, .. } => plan,
                ruleferry_ir::BindingValue::Scalar(_) => panic!(),
            },
            _ => at.input().unwrap(),
        };
    }
}

#[test]
fn tumbling_windows() {
    let mut columns = Columns::default();
    let input = scan(&mut columns);
    let (user, time) = (input.output[0], input.output[1]);
    let keys = vec![key(&columns, user), tumbling(&mut columns, time, 5 * MINUTE, "start", S).unwrap()];
    let plan = counted(&mut columns, input, keys);
    let q = query(columns, plan);
    let b = |s: &str| s.to_owned();
    // The end of a window is the start of the next one.
    let expected = vec![
        (b(""), Some(0), 2),
        (b("a"), Some(0), 2),
        (b("a"), Some(5), 2),
        (b("a"), Some(10), 1),
        (b("b"), None, 1),
        (b("b"), Some(5), 1),
        (b("b"), Some(10), 1),
    ];
    assert_eq!(rows(&q), expected);
    for back in routes(&q) {
        let a = last_aggregate(&back);
        let found: Vec<_> = a.keys.iter().filter_map(|k| as_tumbling(&back, &a.input, &k.expr)).collect();
        assert_eq!(found.len(), 1, "{}", ruleferry_ir::text(&back));
        assert_eq!(found[0].length, 5 * MINUTE);
        assert_eq!(back.columns.name(found[0].time), "TimeGenerated");
    }
}

#[test]
fn hopping_windows() {
    // Lengths that are a multiple of the step, are none, and are less than it.
    for (length, step) in [(10, 5), (10, 4), (5, 7), (6, 6)] {
        let mut columns = Columns::default();
        let input = scan(&mut columns);
        let (user, time) = (input.output[0], input.output[1]);
        let (plan, start) =
            hop(&mut columns, input, time, (length * MINUTE, step * MINUTE), "start", S).unwrap();
        let keys = vec![key(&columns, user), key(&columns, start)];
        let plan = counted(&mut columns, plan, keys);
        let q = query(columns, plan);
        let mut expected: std::collections::BTreeMap<(String, Option<i64>), i64> = Default::default();
        let grid = |s: i64| (START + s * MINUTE).rem_euclid(step * MINUTE) == 0;
        for (user, minute) in EVENTS {
            let Some(t) = minute else { continue };
            for s in (-30..30).filter(|s| grid(*s) && *s <= *t && *t < s + length) {
                *expected.entry(((*user).to_owned(), Some(s))).or_default() += 1;
            }
        }
        let expected: Vec<_> = expected.into_iter().map(|((u, s), n)| (u, s, n)).collect();
        assert_eq!(rows(&q), expected, "{length} {step}");
        for back in routes(&q) {
            let a = last_aggregate(&back);
            let found = as_hop(&back, &a.input);
            let found = found.unwrap_or_else(|| panic!("{}", ruleferry_ir::text(&back)));
            assert_eq!((found.length, found.step), (length * MINUTE, step * MINUTE));
            assert_eq!(back.columns.name(found.time), "TimeGenerated");
        }
    }
}

#[test]
fn sliding_windows() {
    for anchor in [Anchor::Starts, Anchor::Ends] {
        let mut columns = Columns::default();
        let (left, right) = (scan(&mut columns), scan(&mut columns));
        let (user, time) = (left.output[0], left.output[1]);
        let window = SlidingJoin {
            on: vec![JoinKey { left: user, right: right.output[0] }],
            pivot: Pivot { plan: left, time },
            events: Pivot { time: right.output[1], plan: right },
            length: 5 * MINUTE,
            anchor,
        };
        let (plan, _) = sliding(&mut columns, window, S);
        let keys = vec![key(&columns, user), key(&columns, time)];
        let plan = counted(&mut columns, plan, keys);
        let q = query(columns, plan);
        // Both ends belong to the window.
        let mut expected = Vec::new();
        for (user, pivot) in EVENTS {
            let Some(p) = pivot else { continue };
            let inside = |t: i64| match anchor {
                Anchor::Starts => (*p..=*p + 5).contains(&t),
                Anchor::Ends => (*p - 5..=*p).contains(&t),
            };
            let n = EVENTS.iter().filter(|(u, t)| u == user && t.is_some_and(inside)).count();
            expected.push(((*user).to_owned(), Some(*p), i64::try_from(n).unwrap()));
        }
        expected.sort();
        assert_eq!(rows(&q), expected, "{anchor:?}");
        for back in routes(&q) {
            let a = last_aggregate(&back);
            let found = as_sliding(&back, &a.input);
            let found = found.unwrap_or_else(|| panic!("{}", ruleferry_ir::text(&back)));
            assert_eq!(found.anchor(), Some((anchor, 5 * MINUTE)));
            assert!(found.is_closed() && found.rest.is_empty() && found.also.is_empty());
        }
    }
}

/// The ways in which people write windows.
#[test]
fn windows_of_queries() {
    for text in [
        "T | summarize n = count() by User, bin(TimeGenerated, 1h)",
        "T | extend h = bin(TimeGenerated, 60m) | summarize n = count() by User, h",
        "T | summarize n = count() by User, bin_at(TimeGenerated, 1h, datetime(2020-01-01))",
        "let w = 1h; T | summarize n = count() by User, bin(TimeGenerated, w)",
        "T | extend t = TimeGenerated | summarize n = count() by User, floor(t, 1h)",
    ] {
        let q = route::ir(text).unwrap();
        let a = last_aggregate(&q);
        let found = a.keys.iter().find_map(|k| as_tumbling(&q, &a.input, &k.expr));
        assert_eq!(found.unwrap_or_else(|| panic!("{text}")).length, 60 * MINUTE, "{text}");
    }
    let q = route::ir("T | summarize n = count() by User, startofday(TimeGenerated)").unwrap();
    let a = last_aggregate(&q);
    let found = a.keys.iter().find_map(|k| as_tumbling(&q, &a.input, &k.expr)).unwrap();
    assert_eq!(found.length, 24 * 60 * MINUTE);
    for text in [
        "T | join kind=inner U on User | where TimeGenerated1 between (TimeGenerated .. TimeGenerated + 5m)",
        "T | join kind=inner U on User | where TimeGenerated1 - TimeGenerated between (0min .. 5min)",
        "T | join kind=inner U on User | where TimeGenerated1 >= TimeGenerated and (TimeGenerated1 - TimeGenerated) <= 5m",
        "let w = 5m; T | join kind=inner U on User | where TimeGenerated <= TimeGenerated1 | where TimeGenerated1 <= TimeGenerated + w",
        "T | project a = TimeGenerated, User | join kind=inner (U | project b = TimeGenerated, User) on User | extend d = b - a | where d >= 0s and d <= 5m | project User, a, b",
        "T | extend end = TimeGenerated + 5m | join kind=inner U on User | where TimeGenerated1 between (TimeGenerated .. end)",
    ] {
        let q = route::ir(text).unwrap();
        let found = as_sliding(&q, &q.plan).unwrap_or_else(|| panic!("{text}\n{}", ruleferry_ir::text(&q)));
        assert_eq!(found.anchor(), Some((Anchor::Starts, 5 * MINUTE)), "{text}");
        assert!(found.is_closed(), "{text}");
    }
    // One row's own times, half a window, and a `let` that is both sides.
    for text in [
        "T | join kind=inner U on User | where TimeGenerated1 > TimeGenerated",
        "T | join kind=leftouter U on User | where TimeGenerated1 between (TimeGenerated .. TimeGenerated + 5m)",
        "let e = T | extend end = TimeGenerated + 5m; e | join kind=inner e on User | where end1 between (TimeGenerated1 .. end1)",
    ] {
        let q = route::ir(text).unwrap();
        assert!(as_sliding(&q, &q.plan).is_none(), "{text}");
    }
    let q = route::ir("let e = T | project t = TimeGenerated + 1m; e | where t > ago(1d)").unwrap();
    assert!(definition(&q, &q.plan, q.plan.output[0]).is_some());
}
