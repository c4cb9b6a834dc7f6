//! A filter and an aggregate over 100,000 events: the size of a rule test on a day's sample. `cargo bench -p ruleferry-eval`.
#![allow(clippy::unwrap_used, reason = "a benchmark")]

use divan::Bencher;
use divan::counter::ItemsCount;
use ruleferry_eval::{MemoryTable, MemoryTables, Options, Row, Value, evaluate};
use ruleferry_ir::{Query, Type};
use ruleferry_kql::lift::{LiftOptions, lift};
use ruleferry_kql::syntax::parse;

fn main() {
    divan::main();
}

const EVENTS: i64 = 100_000;
/// 2026-01-15T12:00:00Z
const NOW: i64 = 639_040_752_000_000_000;

fn query(text: &str) -> Query {
    lift(&parse(text).query, &LiftOptions { source: text }).query.unwrap()
}

/// Sign-ins of 500 people from 2,000 addresses over ten days, one in seven of them a failure.
fn sign_ins() -> MemoryTables {
    let columns = [
        ("TimeGenerated", Type::Datetime),
        ("UserPrincipalName", Type::String),
        ("IPAddress", Type::String),
        ("ResultType", Type::String),
        ("AppDisplayName", Type::String),
    ];
    let row = |n: i64| -> Row {
        let user = n * 7919 % 500;
        let address = n * 104_729 % 2000;
        [
            Value::Datetime(NOW - n * 86_400_000),
            Value::string(format!("User{user}@corp.example")),
            Value::string(format!("203.0.{}.{}", address / 250, address % 250)),
            Value::string(if n % 7 == 0 { "50126" } else { "0" }),
            Value::string(if n % 3 == 0 { "Azure Portal" } else { "Office 365 Exchange Online" }),
        ]
        .into_iter()
        .collect()
    };
    let table = MemoryTable {
        columns: columns.map(|(n, t)| (n.into(), t)).to_vec(),
        rows: (0..EVENTS).map(row).collect(),
        events: None,
    };
    MemoryTables { tables: [("SigninLogs".into(), table)].into_iter().collect() }
}

#[divan::bench]
fn filter_and_aggregate(bencher: Bencher<'_, '_>) {
    let query = query(
        "SigninLogs | where TimeGenerated > ago(7d) and ResultType == '50126' and AppDisplayName has 'azure' \
         | summarize Failures = count(), Users = dcount(UserPrincipalName), First = min(TimeGenerated) by IPAddress, bin(TimeGenerated, 1h) \
         | where Failures >= 2",
    );
    let tables = sign_ins();
    bencher
        .counter(ItemsCount::new(100_000usize))
        .bench_local(|| evaluate(&query, &tables, Options::at(NOW)).unwrap().rows.len());
}
