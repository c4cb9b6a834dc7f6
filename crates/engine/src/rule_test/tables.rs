//! The unit tests of rules as queries with their tables, for runners that ask other engines.

use super::{Runner, TestInput, TestOptions, prepare};
use ruleferry_eval::{MemoryTable, MemoryTables};
use ruleferry_ir::Query;
use ruleferry_sql::{Dialect, SqlOptions, lower, tables_for};
use smol_str::SmolStr;

/// One case of a test.
#[derive(Debug)]
pub struct TestTables {
    /// The file of the rule.
    pub rule: String,
    pub case: SmolStr,
    pub query: Query,
    /// The time of the run, in ticks.
    pub now: i64,
    pub tables: MemoryTables,
}

/// The cases of a test whose rule has SQL and whose events can be read.
pub fn test_tables(input: &TestInput) -> Vec<TestTables> {
    let Ok((_, (rule_input, rule_text), cases)) = prepare(input) else { return Vec::new() };
    let options = TestOptions::default();
    let mut out = Vec::with_capacity(cases.len());
    for case in &cases {
        let runner = Runner { input, rule: rule_input, rule_text: &rule_text, options: &options, case };
        let Ok((rule, data, now)) = runner.ready() else { continue };
        let sql = SqlOptions { dialect: Dialect::DUCKDB, now: Some(now), look_back: None };
        let Ok(lowered) = lower(&rule.query, &sql) else { continue };
        let mut tables = MemoryTables::default();
        for (name, columns) in tables_for(&rule.query, &lowered.needs) {
            let columns: Vec<_> = columns.into_iter().collect();
            let rows = data.rows(&name, &columns, false).ok().flatten();
            let rows = rows.map(|r| r.to_vec()).unwrap_or_default();
            tables.tables.insert(name, MemoryTable { columns, rows, events: None });
        }
        let (rule_path, case) = (rule_input.shown.clone(), case.name.clone());
        out.push(TestTables { rule: rule_path, case, query: rule.query, now, tables });
    }
    out
}
