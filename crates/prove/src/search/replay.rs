//! The evaluator's answers beside those of a real engine, over the same tables.
//!
//! In: a rule, the script that should say the same, and an [`Executor`] that runs scripts. Out: the tables on which the two
//! disagree. No verdict rests on this: whoever finds a disagreement has found a fault of ours.

use super::layout::threshold;
use super::{ATTEMPTS, Guide, Known, Observer, Patterns, json, layout, make};
use crate::{Options, Witness};
use ruleferry_eval::{Answer, MemoryTables, Value};
use ruleferry_ir::{Rule, Type};
use smol_str::SmolStr;

/// Runs a script over tables, as the engine that it is written for does.
pub trait Executor: std::fmt::Debug + Send + Sync {
    /// The rows that the script returns, as those of `columns`. An error says why it did not run.
    fn run(
        &self,
        script: &str,
        tables: &MemoryTables,
        columns: &[(SmolStr, Type)],
    ) -> Result<Vec<ruleferry_eval::Row>, String>;
}

/// Tables on which a rule alerts, tried on both.
const TRIED: usize = 3;

/// Runs a script over tables that are made for its rule. `Ok`: the first tables on which it answers otherwise than the rule,
/// as JSON, if any.
pub fn try_out(
    rule: &Rule,
    script: &str,
    executor: &dyn Executor,
    options: &Options,
) -> Result<Option<String>, String> {
    let patterns = Patterns::default();
    let known = [Known::new(&rule.query, rule.envelope.schedule.look_back)];
    let observer = Observer::new(rule, rule, options.now);
    let layout = layout(&[&rule.query]);
    let mut tried = 0;
    for attempt in 0..ATTEMPTS {
        let guide = Guide::attempt(attempt, options.seed);
        let made = make(&known, &[(0, false)], &guide, &layout, &patterns, options.now, threshold(rule));
        let fires = observer.fires(false, &made.tables).is_ok_and(|(n, _)| n > 0);
        if !fires && attempt > 0 {
            continue;
        }
        if let Some(found) = disagree(rule, &observer, script, executor, made.tables)? {
            return Ok(Some(found));
        }
        tried += usize::from(fires);
        if tried == TRIED {
            break;
        }
    }
    Ok(None)
}

/// The same over the tables of a witness.
pub fn replay(
    rule: &Rule,
    script: &str,
    executor: &dyn Executor,
    witness: &Witness,
    options: &Options,
) -> Result<Option<String>, String> {
    let observer = Observer::new(rule, rule, options.now);
    disagree(rule, &observer, script, executor, witness.data().clone())
}

fn disagree(
    rule: &Rule,
    observer: &Observer<'_>,
    script: &str,
    executor: &dyn Executor,
    mut tables: MemoryTables,
) -> Result<Option<String>, String> {
    whole_microseconds(&mut tables);
    let columns: Vec<(SmolStr, Type)> = rule
        .query
        .plan
        .output
        .iter()
        .map(|id| (SmolStr::new(rule.query.columns.name(*id)), rule.query.columns.ty(*id)))
        .collect();
    let rows = executor.run(script, &tables, &columns)?;
    let theirs = Answer { columns, rows, choices: Vec::new(), work: 0 };
    if observer.agrees(&tables, &theirs)? {
        return Ok(None);
    }
    Ok(Some(serde_json::Value::Object(json::tables(&tables)).to_string()))
}

/// SQL engines count microseconds.
fn whole_microseconds(tables: &mut MemoryTables) {
    for table in tables.tables.values_mut() {
        for row in &mut table.rows {
            let odd = |v: &Value| matches!(v, Value::Datetime(t) | Value::Timespan(t) if t % 10 != 0);
            if row.iter().any(odd) {
                *row = row
                    .iter()
                    .map(|v| match v {
                        Value::Datetime(t) => Value::Datetime(t - t.rem_euclid(10)),
                        Value::Timespan(t) => Value::Timespan(t - t.rem_euclid(10)),
                        other => other.clone(),
                    })
                    .collect();
            }
        }
    }
}
