//! What Sigma's correlations and filters mean: rules of several documents, events, and the alerts. Each on the evaluator, on
//! DuckDB, and as what is read back from the KQL and the SQL that are emitted.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests"
)]

use ruleferry_eval::{MemoryTable, MemoryTables, Value};
use ruleferry_ir::{Op, Query, Scan, Source, Type};
use ruleferry_sigma::lift::{Companion, LiftOptions, Lifted, RuleSet, alerting, lift_in};
use ruleferry_sigma::syntax::parse;
use ruleferry_testkit::versus::{Verdict, prepare};
use ruleferry_testkit::{duck, readback, route};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const MINUTE: i64 = 600_000_000;

/// Rules `a`, `b` and `c`, which find events by their field `id`.
const RULES: &str = "
title: A
name: a
logsource: {product: p, service: s}
detection: {selection: {id: 1}, condition: selection}
---
title: B
name: b
logsource: {product: p, service: s}
detection: {selection: {id: 2}, condition: selection}
---
title: C
name: c
logsource: {product: p, service: t}
detection: {selection: {id: 3}, condition: selection}
";

/// Minute, `id`, `user`, `v`; of the table of rules `a` and `b`, those with the id 3 of that of `c`. Empty: absent.
type Event = (i64, &'static str, &'static str, &'static str);

struct Case {
    name: &'static str,
    /// Behind the rules above.
    documents: &'static str,
    events: &'static [Event],
    /// User and minute of each alert.
    alerts: &'static [(&'static str, i64)],
}

const CASES: &[Case] = &[
    Case {
        name: "event_count: both ends of the window belong to it; groups are apart",
        documents: "correlation: {type: event_count, rules: [a], group-by: [user], timespan: 5m, condition: {gte: 3}}",
        events: &[
            (0, "1", "x", ""),
            (2, "1", "x", ""),
            (5, "1", "x", ""),
            (8, "1", "x", ""),
            (3, "1", "y", ""),
            (4, "1", "y", ""),
            (4, "2", "y", ""),
        ],
        alerts: &[("x", 5)],
    },
    Case {
        name: "event_count: a burst over the edge of the hour",
        documents: "correlation: {type: event_count, rules: [a], group-by: [user], timespan: 1h, condition: {gt: 2}}",
        events: &[(55, "1", "x", ""), (59, "1", "x", ""), (61, "1", "x", "")],
        alerts: &[("x", 61)],
    },
    Case {
        name: "event_count: several rules count together, and an event once; two events of one time are two",
        documents: "correlation: {type: event_count, rules: [a, b, c], group-by: [user], timespan: 1m, condition: {eq: 3}}",
        events: &[(0, "1", "x", ""), (0, "1", "x", ""), (1, "3", "x", ""), (5, "2", "x", "")],
        alerts: &[("x", 1)],
    },
    Case {
        name: "event_count: a range, and an upper bound is asked of each window",
        documents: "correlation: {type: event_count, rules: [a], group-by: [user], timespan: 10m, condition: {gt: 1, lte: 2}}",
        events: &[(0, "1", "x", ""), (1, "1", "x", ""), (2, "1", "x", "")],
        alerts: &[("x", 1)],
    },
    Case {
        name: "event_count: no group-by is one group; events without the field of a group-by are one",
        documents: "name: n\ncorrelation: {type: event_count, rules: [a], timespan: 10m, condition: {gte: 2}}",
        events: &[(0, "1", "x", ""), (1, "1", "y", "")],
        alerts: &[("", 1)],
    },
    Case {
        name: "event_count: absent group",
        documents: "correlation: {type: event_count, rules: [a], group-by: [user], timespan: 10m, condition: {gte: 2}}",
        events: &[(0, "1", "", ""), (1, "1", "", ""), (1, "1", "y", "")],
        alerts: &[("", 1)],
    },
    Case {
        name: "value_count: distinct values, absent ones do not count",
        documents: "correlation: {type: value_count, rules: [a], group-by: [user], timespan: 10m, condition: {gte: 2, field: v}}",
        events: &[
            (0, "1", "x", "p"),
            (1, "1", "x", "p"),
            (2, "1", "x", ""),
            (3, "1", "x", "q"),
            (20, "1", "x", "r"),
        ],
        alerts: &[("x", 3)],
    },
    Case {
        name: "value_count of two fields",
        documents: "correlation: {type: value_count, rules: [a], group-by: [user], timespan: 10m, condition: {gte: 2, field: [v, id]}}",
        events: &[(0, "1", "x", "p"), (1, "1", "x", "p"), (3, "1", "x", "q")],
        alerts: &[("x", 3)],
    },
    Case {
        name: "value_sum: what is no number does not count",
        documents: "correlation: {type: value_sum, rules: [a], group-by: [user], timespan: 10m, condition: {gt: 10, field: v}}",
        events: &[(0, "1", "x", "4"), (1, "1", "x", "n/a"), (2, "1", "x", "6.5"), (13, "1", "x", "7")],
        alerts: &[("x", 2)],
    },
    Case {
        name: "value_avg",
        documents: "correlation: {type: value_avg, rules: [a], group-by: [user], timespan: 10m, condition: {gte: 5, field: v}}",
        events: &[(0, "1", "x", "4"), (1, "1", "x", "5"), (2, "1", "x", "6")],
        alerts: &[("x", 2)],
    },
    Case {
        name: "value_median: of an even count the mean of the two in the middle",
        documents: "correlation: {type: value_median, rules: [a], group-by: [user], timespan: 10m, condition: {gt: 100, field: v}}",
        events: &[(0, "1", "x", "50"), (1, "1", "x", "151"), (2, "1", "x", "60")],
        alerts: &[("x", 1)],
    },
    Case {
        name: "value_percentile: nearest rank",
        documents: "correlation: {type: value_percentile, rules: [a], group-by: [user], timespan: 10m, condition: {gt: 8, field: v, percentile: 90}}",
        events: &[(0, "1", "x", "1"), (1, "1", "x", "2"), (2, "1", "x", "9")],
        alerts: &[("x", 2)],
    },
    Case {
        name: "temporal: all rules, in any order, in one group",
        documents: "correlation: {type: temporal, rules: [a, b, c], group-by: [user], timespan: 5m}",
        events: &[
            (0, "3", "x", ""),
            (2, "2", "x", ""),
            (5, "1", "x", ""),
            (6, "1", "x", ""),
            (0, "1", "y", ""),
            (0, "2", "y", ""),
            (6, "3", "y", ""),
        ],
        alerts: &[("x", 5)],
    },
    Case {
        name: "temporal: some of the rules",
        documents: "correlation: {type: temporal, rules: [a, b, c], group-by: [user], timespan: 5m, condition: {gte: 2}}",
        events: &[(0, "3", "x", ""), (2, "3", "x", ""), (5, "1", "x", "")],
        alerts: &[("x", 5)],
    },
    Case {
        name: "temporal with a condition over the rules",
        documents: "correlation: {type: temporal, rules: [a, b, c], group-by: [user], timespan: 5m, condition: (a or b) and not c}",
        events: &[(0, "3", "x", ""), (2, "1", "x", ""), (6, "2", "x", ""), (7, "1", "y", "")],
        alerts: &[("x", 6), ("y", 7)],
    },
    Case {
        name: "temporal_ordered: two rules",
        documents: "correlation: {type: temporal_ordered, rules: [a, b], group-by: [user], timespan: 5m}",
        events: &[
            (0, "2", "x", ""),
            (1, "1", "x", ""),
            (6, "2", "x", ""),
            (7, "2", "x", ""),
            (3, "1", "y", ""),
            (3, "2", "y", ""),
            (1, "2", "z", ""),
            (2, "1", "z", ""),
        ],
        alerts: &[("x", 6), ("y", 3)],
    },
    Case {
        name: "temporal_ordered: three rules in one span, each after the one before",
        documents: "correlation: {type: temporal_ordered, rules: [a, b, c], group-by: [user], timespan: 5m, condition: a and b and c}",
        events: &[
            (0, "1", "x", ""),
            (2, "2", "x", ""),
            (5, "3", "x", ""),
            (6, "3", "x", ""),
            (0, "1", "y", ""),
            (1, "3", "y", ""),
            (2, "2", "y", ""),
            (0, "1", "z", ""),
            (4, "2", "z", ""),
            (6, "3", "z", ""),
        ],
        alerts: &[("x", 5)],
    },
    Case {
        name: "aliases: one name for fields of several",
        documents: "correlation: {type: temporal, rules: [a, c], group-by: [who], timespan: 5m, aliases: {who: {a: user, c: v}}}",
        events: &[(0, "1", "x", "q"), (1, "3", "q", "x"), (2, "3", "x", "y")],
        alerts: &[("x", 1)],
    },
    Case {
        name: "nested: many of one, then another",
        documents: "name: many
correlation: {type: event_count, rules: [a], group-by: [user], timespan: 5m, condition: {gte: 2}}
---
title: outer
correlation: {type: temporal_ordered, rules: [many, b], group-by: [user], timespan: 10m}",
        events: &[
            (0, "1", "x", ""),
            (1, "1", "x", ""),
            (11, "2", "x", ""),
            (12, "2", "x", ""),
            (0, "2", "y", ""),
            (1, "1", "y", ""),
            (2, "1", "y", ""),
        ],
        alerts: &[("x", 11)],
    },
    Case {
        name: "nested: a field that the inner one does not group by comes from its events",
        documents: "name: many
correlation: {type: event_count, rules: [a], group-by: [v], timespan: 5m, condition: {gte: 2}}
---
title: outer
correlation: {type: temporal_ordered, rules: [many, b], group-by: [user], timespan: 10m}",
        events: &[(0, "1", "x", "h"), (1, "1", "y", "h"), (3, "2", "x", ""), (4, "2", "z", "h")],
        alerts: &[("x", 3)],
    },
    Case {
        name: "a filter narrows the rule that it names, also below a correlation",
        documents: "title: F
logsource: {product: p}
filter: {rules: [a], selection: {v|startswith: adm}, condition: not selection}
---
title: outer
correlation: {type: event_count, rules: [a], group-by: [user], timespan: 5m, condition: {gte: 2}}",
        events: &[(0, "1", "x", "adm1"), (1, "1", "x", "u"), (2, "1", "y", "u"), (3, "1", "y", "")],
        alerts: &[("y", 3)],
    },
];

fn text_of(case: &Case) -> String {
    let title = if case.documents.starts_with("title") { "" } else { "title: correlation\n" };
    format!("{RULES}---\n{title}{}\n", case.documents)
}

fn lifted(text: &str) -> Lifted {
    let parsed = parse(text);
    assert!(parsed.diagnostics.is_empty(), "{text}\n{:?}", parsed.diagnostics);
    let rules = parsed.rules();
    let at = alerting(&rules).iter().rposition(|alerts| *alerts).unwrap();
    let options = LiftOptions::default();
    lift_in(&rules[at], RuleSet::new(&rules, &[]), &options).unwrap_or_else(|e| panic!("{text}\n{e:?}"))
}

fn tables(events: &[Event]) -> MemoryTables {
    let columns = || {
        let text = ["id", "user", "v"].map(|name| (name.into(), Type::String));
        text.into_iter().chain([("TimeGenerated".into(), Type::Datetime)]).collect()
    };
    let mut tables = MemoryTables::default();
    for name in ["p_s", "p_t"] {
        let table = MemoryTable { columns: columns(), rows: Vec::new(), events: None };
        tables.tables.insert(name.into(), table);
    }
    for (minute, id, user, v) in events {
        let text = |t: &str| if t.is_empty() { Value::Null } else { Value::string(t) };
        let row = [text(id), text(user), text(v), Value::Datetime(route::NOW + minute * MINUTE)];
        let table = if *id == "3" { "p_t" } else { "p_s" };
        tables.tables.get_mut(table).unwrap().rows.push(row.into_iter().collect());
    }
    tables
}

/// The tables and columns that a query reads, which are those that its `CREATE TABLE`s make.
fn narrowed(query: &Query, tables: &MemoryTables) -> MemoryTables {
    let mut read: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    query.for_each_plan(&mut |plan| {
        if let Op::Scan(Scan { source: Source::Table(table), .. }) = &*plan.op {
            let columns = read.entry(table.name.to_string()).or_default();
            columns.extend(plan.output.iter().map(|id| query.columns.name(*id).to_owned()));
        }
    });
    let mut out = MemoryTables::default();
    for (name, wanted) in read {
        let table = &tables.tables[name.as_str()];
        let kept: Vec<usize> =
            (0..table.columns.len()).filter(|i| wanted.contains(table.columns[*i].0.as_str())).collect();
        let columns = kept.iter().map(|i| table.columns[*i].clone()).collect();
        let rows = table.rows.iter().map(|row| kept.iter().map(|i| row[*i].clone()).collect()).collect();
        out.tables.insert(name.into(), MemoryTable { columns, rows, events: None });
    }
    out
}

/// The group and minute of each alert.
fn alerts(query: &Query, tables: &MemoryTables) -> Vec<(String, i64)> {
    let answer = route::eval(query, tables, 0).unwrap();
    let place = |name: &str| answer.columns.iter().position(|(n, _)| n == name);
    let (group, time) = (place("user").or(place("who")), place("TimeGenerated").unwrap());
    let mut found: Vec<(String, i64)> = answer
        .rows
        .iter()
        .map(|row| {
            let Value::Datetime(t) = row[time] else { panic!("{row:?}") };
            let text = group.map_or_else(String::new, |g| match &row[g] {
                Value::String(s) => s.to_string(),
                Value::Null => String::new(),
                other => panic!("{other:?}"),
            });
            (text, (t - route::NOW) / MINUTE)
        })
        .collect();
    found.sort();
    found
}

#[test]
fn correlations_mean_what_the_cases_say() {
    let engine = duck::open().is_some();
    if !engine {
        eprintln!("skipped in part: no libduckdb");
    }
    let mut faults: Vec<String> = Vec::new();
    for case in CASES {
        let text = text_of(case);
        let query = lifted(&text).rule.query;
        let tables = tables(case.events);
        let expected: Vec<(String, i64)> = case.alerts.iter().map(|(g, t)| ((*g).to_owned(), *t)).collect();
        let check = |what: &str, found: Vec<(String, i64)>, shown: &str| {
            let fault = format!("{} ({what}): {found:?} in place of {expected:?}\n{shown}", case.name);
            (found != expected).then_some(fault)
        };
        faults.extend(check("evaluator", alerts(&query, &tables), &ruleferry_ir::text(&query)));
        let lowered = ruleferry_kql::lower::lower(&query, &Default::default()).expect("has KQL");
        let kql = ruleferry_kql::syntax::print(&lowered.query);
        match route::ir(&kql) {
            Ok(back) => {
                faults.extend(check("KQL read back", alerts(&back, &tables), &kql));
                // Of alerts that take fields of their events there is no Sigma that says so.
                let takes_fields = case.name.contains("comes from its events");
                match std::panic::catch_unwind(|| again(&back)) {
                    Err(_) if takes_fields => {}
                    Ok((query, text)) => {
                        let shown = format!("{kql}\n{text}");
                        faults.extend(check("Sigma of what was read back", alerts(&query, &tables), &shown));
                    }
                    Err(_) => faults.push(format!("{} (no Sigma)", case.name)),
                }
            }
            Err(e) => faults.push(format!("{}: {e}\n{kql}", case.name)),
        }
        let prepared = prepare(&query).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        match readback::back(&prepared) {
            Ok(back) => faults.extend(check("SQL read back", alerts(&back, &tables), &prepared.sql)),
            Err(e) => faults.push(format!("{} (SQL read back): {e:?}\n{}", case.name, prepared.sql)),
        }
        if engine {
            match prepared.run(&narrowed(&query, &tables)) {
                Verdict::Agree(n) if n == expected.len() => {}
                other => faults.push(format!("{} (DuckDB): {other:?}\n{}", case.name, prepared.sql)),
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// The query as Sigma again, lifted anew; its text.
fn again(query: &Query) -> (Query, String) {
    let rule = ruleferry_ir::Rule { envelope: Default::default(), query: query.clone() };
    match ruleferry_sigma::lower::lower(&rule, &Default::default()) {
        Ok(lowered) => {
            let mut documents = lowered.base;
            documents.push(lowered.document);
            let text = ruleferry_sigma::syntax::print(&documents, &Default::default());
            // A loss would be one too many: what is read back is what was lifted.
            let lost: Vec<_> = lowered.losses.iter().filter(|l| l.code.0 == "L0109").collect();
            assert!(lost.is_empty(), "{lost:?}\n{text}");
            let lifted = lifted(&text);
            (lifted.rule.query, text)
        }
        Err(faults) => panic!("no Sigma: {}\n{}", faults[0].message, ruleferry_ir::text(query)),
    }
}

fn faults(documents: &str) -> Vec<(String, String)> {
    let text = format!("{RULES}---\ntitle: outer\nname: outer\n{documents}\n");
    let parsed = parse(&text);
    let rules = parsed.rules();
    let options = LiftOptions::default();
    let last = rules.last().unwrap();
    let found = lift_in(last, RuleSet::new(&rules, &[]), &options).unwrap_err();
    found.into_iter().map(|d| (d.code.0.to_owned(), d.message)).collect()
}

#[test]
fn what_is_not_settled_is_refused() {
    for (documents, code) in [
        ("correlation: {type: event_count, rules: [d], timespan: 5m, condition: {gte: 2}}", "E0225"),
        ("correlation: {type: event_count, rules: [outer], timespan: 5m, condition: {gte: 2}}", "E0226"),
        ("correlation: {type: temporal_ordered, rules: [a, b], timespan: 5m, condition: a or b}", "E0226"),
        (
            "correlation: {type: temporal_ordered, rules: [a, b, c], timespan: 5m, condition: {gte: 2}}",
            "E0226",
        ),
        ("correlation: {type: temporal, rules: [a], timespan: 5m, condition: a and b}", "E0214"),
        (
            "correlation: {type: value_percentile, rules: [a], timespan: 5m, condition: {field: v, gt: 1}}",
            "E0214",
        ),
    ] {
        let found = faults(documents);
        assert!(found.iter().any(|(c, _)| c == code), "{documents}\n{found:?}");
    }
}

#[test]
fn rules_and_filters_of_other_files() {
    let companions = |text: &str| -> Vec<Companion> {
        let parsed = parse(text);
        parsed.rules().iter().map(|d| Companion { path: "other.yml".into(), document: d.clone() }).collect()
    };
    let outer = "title: outer
correlation: {type: event_count, rules: [a], group-by: [user], timespan: 5m, condition: {gte: 2}}\n";
    let filter = "title: F\nlogsource: {product: p}\nfilter: {rules: any, s: {v: adm}, condition: not s}\n";
    let parsed = parse(outer);
    let rules = parsed.rules();
    let mut others = companions(RULES);
    others.extend(companions(filter));
    let options = LiftOptions { companions: Arc::new(others), ..LiftOptions::default() };
    let set = RuleSet::new(&rules, &options.companions);
    let query = lift_in(&rules[0], set, &options).unwrap().rule.query;
    let tables = tables(&[(0, "1", "x", "adm"), (1, "1", "x", "u"), (2, "1", "y", "u"), (3, "1", "y", "")]);
    assert_eq!(alerts(&query, &tables), [("y".to_owned(), 3)]);
    // A filter for another log source is told, one that keeps what it describes, too.
    for (filter, word) in [
        (
            "title: F\nlogsource: {product: q}\nfilter: {rules: [a], s: {v: adm}, condition: not s}\n",
            "not applied",
        ),
        (
            "title: F\nlogsource: {product: p}\nfilter: {rules: [a], s: {v: adm}, condition: s}\n",
            "keeps only",
        ),
    ] {
        let options = LiftOptions { companions: Arc::new(companions(filter)), ..LiftOptions::default() };
        let parsed = parse(RULES);
        let rules = parsed.rules();
        let lifted = lift_in(&rules[0], RuleSet::new(&rules[..1], &options.companions), &options).unwrap();
        assert!(lifted.warnings.iter().any(|w| w.message.contains(word)), "{:?}", lifted.warnings);
    }
}

#[test]
fn which_documents_alert() {
    let of = |text: &str| alerting(&parse(text).rules());
    let correlation = |more: &str| {
        format!(
            "{RULES}---\ntitle: t\ncorrelation: {{type: event_count, rules: [a], timespan: 5m, condition: {{gt: 1}}{more}}}\n"
        )
    };
    assert_eq!(of(&correlation("")), [false, true, true, true]);
    assert_eq!(of(&correlation(", generate: true")), [true, true, true, true]);
    let filter = "title: F\nlogsource: {product: q}\nfilter: {rules: [a], s: {v: adm}, condition: not s}\n";
    assert_eq!(of(&format!("{RULES}---\n{filter}")), [true, true, true, false]);
    assert_eq!(of(filter), [true]);
}
