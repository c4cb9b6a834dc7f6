//! The canonical form: pairs of queries that must, and must not, come to the same; those that do give the same rows in the
//! evaluator.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "tests"
)]

use ruleferry_eval::{self as eval, Key, MemoryTable, MemoryTables, Value};
use ruleferry_ir::{self as ir, Type};
use ruleferry_kql::lift::{DataTables, LiftOptions, lift_with};
use ruleferry_prove::canon::rewrites::REWRITES;
use ruleferry_prove::canon::{Canonical, canonical};
use ruleferry_prove::{Arena, Options, show};
use smol_str::SmolStr;

/// 2026-01-15T12:00:00Z
const NOW: i64 = 639_040_752_000_000_000;
const HOUR: i64 = 36_000_000_000;

const T: [(&str, Type); 8] = [
    ("a", Type::String),
    ("b", Type::String),
    ("k", Type::String),
    ("x", Type::Long),
    ("y", Type::Long),
    ("r", Type::Real),
    ("t", Type::Datetime),
    ("d", Type::Dynamic),
];
const U: [(&str, Type); 2] = [("k", Type::String), ("e", Type::String)];

struct Schema;

impl DataTables for Schema {
    fn columns(&self, table: &str) -> Option<Vec<(SmolStr, Type)>> {
        let columns: &[(&str, Type)] = match table {
            "T" => &T,
            "U" => &U,
            _ => return None,
        };
        Some(columns.iter().map(|(n, t)| ((*n).into(), *t)).collect())
    }

    fn names(&self) -> Vec<SmolStr> {
        vec!["T".into(), "U".into()]
    }
}

fn rule(text: &str) -> ir::Rule {
    if let Some(detection) = text.strip_prefix("sigma ") {
        let yaml =
            format!("title: t\nlogsource: {{product: T}}\ndetection:\n  s: {detection}\n  condition: s\n");
        let parsed = ruleferry_sigma::syntax::parse(&yaml);
        let rules = parsed.rules();
        let lifted = ruleferry_sigma::lift::lift(&rules[0], &Default::default());
        return lifted.unwrap_or_else(|d| panic!("{text}: {d:?}")).rule;
    }
    let parsed = ruleferry_kql::syntax::parse(text);
    let lifted = lift_with(&parsed.query, &LiftOptions { source: text }, Some(&Schema));
    let query =
        lifted.query.unwrap_or_else(|| panic!("{text}: {:?} {:?}", parsed.diagnostics, lifted.diagnostics));
    ir::Rule { envelope: ir::Envelope::default(), query }
}

fn options(empty_is_absent: bool) -> Options {
    Options {
        now: NOW,
        now_is_fixed: false,
        seed: 1,
        steps: 10_000,
        search: false,
        empty_is_absent,
        stop: None,
    }
}

/// Block and columns by name, as far as both return them.
fn same(a: &Canonical, b: &Canonical) -> bool {
    let columns = a.columns.iter().all(|(name, term, _)| {
        b.columns.iter().find(|(n, ..)| n == name).is_none_or(|(_, other, _)| other == term)
    });
    a.block == b.block && columns
}

/// A generator of its own, so that a run is the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn value(&mut self, ty: Type, column: &str, absent: bool) -> Value {
        const TEXTS: [&str; 14] = [
            "",
            "p",
            "P",
            "q",
            "pq",
            "p-q",
            "-p-",
            "PQ",
            "12-3",
            "x=p",
            "px",
            "h",
            "10.0.0.2",
            "::ffff:10.0.0.2",
        ];
        if self.below(5) == 0 {
            return Value::Null;
        }
        match ty {
            Type::String if column == "k" => {
                Value::string(["p", "q", ""][self.below(if absent { 2 } else { 3 })])
            }
            Type::String => {
                let n = usize::from(absent);
                Value::string(TEXTS[n + self.below(TEXTS.len() - n)])
            }
            Type::Long => Value::Long([-1, 0, 1, 2, 3, 4, 5, 6, 7][self.below(9)]),
            Type::Real => Value::Real([0.0, -0.0, 1.0, 5.0, 5.5, 6.0, f64::NAN][self.below(7)]),
            Type::Datetime => Value::Datetime(NOW - [0, 1, 2, 24, 25, 48, 49][self.below(7)] * HOUR),
            Type::Dynamic => {
                let json = ["[1,2]", "{\"p\":1}", "3", "[]", "\"p\""][self.below(5)];
                Value::dynamic(eval::parse_json(json).unwrap())
            }
            _ => Value::Null,
        }
    }

    fn tables(&mut self, absent: bool) -> MemoryTables {
        let mut tables = MemoryTables::default();
        for (name, columns) in [("T", &T[..]), ("U", &U[..])] {
            let rows = (0..self.below(7))
                .map(|_| columns.iter().map(|(n, ty)| self.value(*ty, n, absent)).collect::<Vec<_>>().into());
            let rows = rows.collect();
            let columns = columns.iter().map(|(n, t)| ((*n).into(), *t)).collect();
            tables.tables.insert(name.into(), MemoryTable { columns, rows, events: None });
        }
        tables
    }
}

/// The rows over the columns that both return, as a sorted bag; none where a choice was open or the run failed.
fn rows(rule: &ir::Rule, tables: &MemoryTables, wanted: &[SmolStr]) -> Option<Vec<Vec<Key>>> {
    let answer = eval::evaluate(&rule.query, tables, eval::Options::at(NOW)).ok()?;
    if !answer.choices.is_empty() {
        return None;
    }
    let places: Vec<usize> =
        wanted.iter().map(|name| answer.columns.iter().position(|(n, _)| n == name).unwrap()).collect();
    let mut rows: Vec<Vec<Key>> = answer
        .rows
        .iter()
        .map(|row| places.iter().map(|p| Key::new(&row[*p], answer.columns[*p].1)).collect())
        .collect();
    rows.sort();
    Some(rows)
}

fn names(rule: &ir::Rule) -> Vec<SmolStr> {
    rule.query.plan.output.iter().map(|id| rule.query.columns.name(*id).into()).collect()
}

fn pairs() -> Vec<Vec<String>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/prove/canon.tsv");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|l| !l.starts_with('#'));
    lines.map(|l| l.split('\t').map(str::to_owned).collect()).collect()
}

#[test]
fn pairs_come_to_the_same_or_not() {
    let mut faults = Vec::new();
    let mut compared = 0;
    for pair in pairs() {
        let [verdict, rewrite, a, b] = pair.as_slice() else { panic!("{pair:?}") };
        let (ra, rb) = (rule(a), rule(b));
        let absent = a.starts_with("sigma ") || b.starts_with("sigma ");
        let mut arena = Arena::default();
        let ca = canonical(&mut arena, &ra, &options(absent)).unwrap();
        let cb = canonical(&mut arena, &rb, &options(absent)).unwrap();
        if same(&ca, &cb) != (verdict == "same") {
            let (ta, tb) = (show::query(&arena, &ca), show::query(&arena, &cb));
            faults.push(format!("{verdict} {rewrite}:\n  {a}\n  {b}\n{ta}---\n{tb}"));
            continue;
        }
        if verdict == "other" {
            continue;
        }
        let mut wanted = names(&ra);
        wanted.retain(|n| names(&rb).contains(n));
        let mut random = Random(17);
        for _ in 0..40 {
            let tables = random.tables(absent);
            if let (Some(x), Some(y)) = (rows(&ra, &tables, &wanted), rows(&rb, &tables, &wanted)) {
                compared += usize::from(!x.is_empty());
                if x != y {
                    faults.push(format!("the evaluator differs:\n  {a}\n  {b}\n  {tables:?}\n{x:?}\n{y:?}"));
                    break;
                }
            }
        }
    }
    println!("{compared} tables with rows");
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n\n"));
    assert!(compared > 500, "{compared}");
}

#[test]
fn every_rewrite_has_pairs_of_both_kinds() {
    let pairs = pairs();
    for (name, _) in REWRITES {
        for verdict in ["same", "other"] {
            assert!(
                pairs.iter().any(|p| p[0] == verdict && p[1] == *name),
                "no `{verdict}` pair for `{name}`"
            );
        }
    }
}

/// Any two of the queries that have one form must give the same rows.
#[test]
fn what_is_the_same_finds_the_same() {
    let mut texts: Vec<String> = pairs().into_iter().flat_map(|p| [p[2].clone(), p[3].clone()]).collect();
    texts.retain(|t| !t.starts_with("sigma "));
    texts.sort();
    texts.dedup();
    let mut arena = Arena::default();
    let all: Vec<(ir::Rule, Canonical)> = texts
        .iter()
        .map(|t| {
            let rule = rule(t);
            let made = canonical(&mut arena, &rule, &options(false)).unwrap();
            (rule, made)
        })
        .collect();
    let mut random = Random(99);
    let tables: Vec<MemoryTables> = (0..25).map(|_| random.tables(false)).collect();
    let mut found = 0;
    for (i, (ra, ca)) in all.iter().enumerate() {
        for (j, (rb, cb)) in all.iter().enumerate().skip(i + 1) {
            if !same(ca, cb) {
                continue;
            }
            found += 1;
            let mut wanted = names(ra);
            wanted.retain(|n| names(rb).contains(n));
            for tables in &tables {
                if let (Some(x), Some(y)) = (rows(ra, tables, &wanted), rows(rb, tables, &wanted)) {
                    assert_eq!(x, y, "{}\n{}\n{tables:?}", texts[i], texts[j]);
                }
            }
        }
    }
    assert!(found > 100, "{found}");
}

fn refused(text: &str) -> String {
    let rule = rule(text);
    canonical(&mut Arena::default(), &rule, &options(false)).unwrap_err()
}

#[test]
fn what_grows_without_end_is_refused() {
    // Each name stands for two of the one before.
    let mut tables = String::from("let t0 = T;\n");
    let mut values = String::from("let v0 = x + 1;\n").replace("x + 1", "now()");
    for n in 1..40 {
        tables.push_str(&format!("let t{n} = union t{0}, (t{0} | where x > {n});\n", n - 1));
        values.push_str(&format!("let v{n} = iff(v{0} > now(), v{0} + 1h, v{0});\n", n - 1));
    }
    assert!(refused(&format!("{tables}t39")).contains("too large"));
    // Shared values are one term each: this is small.
    let small = rule(&format!("{values}T | where t > v39"));
    let _ = canonical(&mut Arena::default(), &small, &options(false));
}

#[test]
fn what_is_nested_too_deep_is_refused() {
    let mut rule = rule("T | where a == 'p'");
    let ir::Op::Filter { input: _, predicate } = &mut *rule.query.plan.op else { panic!() };
    for _ in 0..10_000 {
        let inner = std::mem::replace(predicate, ir::Expr::bool(true, Default::default()));
        *predicate = inner.negated(Default::default());
    }
    let reason = canonical(&mut Arena::default(), &rule, &options(false)).unwrap_err();
    assert!(reason.contains("too deep"), "{reason}");
    // Dropping it by recursion would overflow, too.
    let ir::Op::Filter { input: _, predicate } = &mut *rule.query.plan.op else { panic!() };
    let mut at = std::mem::replace(predicate, ir::Expr::bool(true, Default::default()));
    while let ir::ExprKind::Not(inner) = at.kind {
        at = *inner;
    }
}

#[test]
fn what_is_nested_less_deep_fits_on_a_small_stack() {
    for depth in [40, 90, 100, 150, 300] {
        let mut rule = rule("T | where a == 'p'");
        let ir::Op::Filter { input: _, predicate } = &mut *rule.query.plan.op else { panic!() };
        for n in 0..depth {
            let inner = std::mem::replace(predicate, ir::Expr::bool(true, Default::default()));
            let text = inner.cast(Type::String, true);
            let value = ir::Expr::string(format!("{n}"), Default::default());
            let test =
                ir::Expr::compare(ir::CompareOp::Lt, text, value, ir::Missing::Null, Default::default());
            *predicate = test.negated(Default::default());
        }
        let mut arena = Arena::default();
        let made = canonical(&mut arena, &rule, &options(false));
        match depth {
            40 => assert!(made.is_ok()),
            300 => assert!(made.is_err()),
            _ => {}
        }
    }
}

#[test]
fn a_fixed_time_is_a_constant() {
    let (a, b) =
        (rule("T | where t > ago(1h)"), rule("T | where t > datetime(2026-01-15T11:00:00Z) and t < now(1d)"));
    let b_alone = rule("T | where t > datetime(2026-01-15T11:00:00Z)");
    let is_same = |a: &ir::Rule, b: &ir::Rule, now_is_fixed: bool| {
        let mut arena = Arena::default();
        let options = Options { now_is_fixed, ..options(false) };
        let a = canonical(&mut arena, a, &options).unwrap();
        let b = canonical(&mut arena, b, &options).unwrap();
        same(&a, &b)
    };
    assert!(is_same(&a, &b_alone, true));
    assert!(!is_same(&a, &b_alone, false));
    assert!(!is_same(&a, &b, true));
}
