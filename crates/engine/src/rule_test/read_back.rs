//! The shipped rules, as SQL that is read back: the unit tests beside them must hold for what comes back as for the rules.
#![allow(clippy::panic, reason = "tests")]

use super::{Runner, TestOptions, find_tests, prepare};
use crate::execute::{EngineKind, ReadRule, run_query};
use ruleferry_sql::{Dialect, LiftOptions, QueryTables, ReadDialect, SqlOptions, lift, lower, print};
use std::path::Path;

/// Rules of which the SQL is not read back yet: it looks at the elements of an array in a lateral query.
const NOT_READ: [&str; 2] = ["feed-address-connected.kql", "gcp-bucket-opened-to-all.yaral"];

/// The rule with the query that its SQL means; the look-back stands in the SQL. `None` where it is not read.
fn read_back(rule: &ReadRule) -> Option<ReadRule> {
    let look_back = rule.envelope.schedule.look_back;
    let options = SqlOptions { dialect: Dialect::DUCKDB, now: None, look_back };
    let lowered = lower(&rule.query, &options).unwrap_or_else(|ds| panic!("{ds:?}"));
    let script = print(&lowered.script);
    let tables = QueryTables::of(&rule.query, &lowered.needs);
    let lifted = lift(&script, &LiftOptions { dialect: ReadDialect::DuckDb, tables: &tables });
    let query = lifted.query?;
    let mut envelope = rule.envelope.clone();
    envelope.schedule.look_back = None;
    Some(ReadRule { query, envelope, ..rule.clone() })
}

#[test]
fn shipped_rules_keep_their_tests_through_sql_and_back() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let (found, _) = find_tests(&[root]);
    let options = TestOptions::default();
    let mut cases = 0;
    let mut not_read = std::collections::BTreeSet::new();
    for input in &found {
        let (_, (rule_input, rule_text), all) = prepare(input).unwrap_or_else(|(_, ds)| panic!("{ds:?}"));
        for case in &all {
            let runner = Runner { input, rule: rule_input, rule_text: &rule_text, options: &options, case };
            let Ok((rule, data, now)) = runner.ready() else { panic!("{}", rule_input.shown) };
            let Some(back) = read_back(&rule) else {
                not_read.insert(rule_input.shown.rsplit('/').next().unwrap_or_default().to_owned());
                continue;
            };
            // Another permitted answer will do, too.
            let holds = (0..12).any(|choice| {
                let (found, _) = run_query(&back, &data, EngineKind::Reference, now, choice)
                    .unwrap_or_else(|ds| panic!("{}: {ds:?}", rule_input.shown));
                runner.judge(&back, &found).is_none()
            });
            assert!(holds, "{} · {}", rule_input.shown, case.name);
            cases += 1;
        }
    }
    assert!(cases >= 100, "{cases} cases");
    assert_eq!(not_read.iter().map(String::as_str).collect::<Vec<_>>(), NOT_READ);
}
