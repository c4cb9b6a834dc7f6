//! From text to IR to rows.

use ruleferry_diag::Diagnostic;
use ruleferry_eval::{Answer, Options, Tables, evaluate};
use ruleferry_ir::{Op, Plan, Query, Type};
use ruleferry_kql::lift::{DataTables, LiftOptions, lift_with};
use ruleferry_kql::syntax::parse;
use smol_str::SmolStr;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// `now()` of all runs: 2026-01-15T12:00:00Z.
pub const NOW: i64 = 639_040_752_000_000_000;

/// Why there are no rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The text does not parse or does not lift.
    Lift(String),
    /// The evaluator has no answer.
    Eval(String),
    Panic(String),
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lift(why) => write!(f, "lift: {why}"),
            Self::Eval(why) => write!(f, "{why}"),
            Self::Panic(why) => write!(f, "panic: {why}"),
        }
    }
}

/// A data source without tables: `search` without a list looks at the views of the query.
struct NoTables;

impl DataTables for NoTables {
    fn columns(&self, _: &str) -> Option<Vec<(SmolStr, Type)>> {
        None
    }

    fn names(&self) -> Vec<SmolStr> {
        Vec::new()
    }
}

/// The IR of a KQL text.
pub fn ir(text: &str) -> Result<Query, Stop> {
    let parsed = parse(text);
    if let Some(d) = parsed.diagnostics.iter().find(|d| d.is_error()) {
        return Err(Stop::Lift(shown(d)));
    }
    let lifted = lift_with(&parsed.query, &LiftOptions { source: text }, Some(&NoTables));
    lifted.query.ok_or_else(|| {
        Stop::Lift(lifted.diagnostics.iter().find(|d| d.is_error()).map_or_else(String::new, shown))
    })
}

fn shown(d: &Diagnostic) -> String {
    format!("{}: {}", d.code.0, d.message)
}

/// Runs `work`; a panic is an outcome, not the end of the run.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, Stop>) -> Result<T, Stop> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Stop::Panic(text.unwrap_or_default()))
    })
}

/// Evaluates; rows that any one step may make are limited, for cases run side by side.
pub fn eval(query: &Query, tables: &dyn Tables, choice: u64) -> Result<Answer, Stop> {
    eval_at(NOW, query, tables, choice)
}

/// As [`eval`], at another time.
pub fn eval_at(now: i64, query: &Query, tables: &dyn Tables, choice: u64) -> Result<Answer, Stop> {
    let options = Options { max_rows: 1_500_000, choice, ..Options::at(now) };
    guarded(|| {
        evaluate(query, tables, options).map_err(|f| Stop::Eval(format!("{}: {}", f.code.0, f.message)))
    })
}

/// Positions in the output of the columns that the main pipeline sorts by, where the order reaches its end.
pub fn sort_columns(query: &Query) -> Option<Vec<usize>> {
    let output = &query.plan.output;
    let mut at: Option<&Plan> = Some(&query.plan);
    while let Some(plan) = at {
        match &*plan.op {
            Op::Sort { keys, .. } | Op::Top { keys, .. } => {
                let places = keys.iter().map_while(|k| {
                    let id = k.expr.as_column()?;
                    output.iter().position(|o| *o == id)
                });
                return Some(places.collect());
            }
            Op::Filter { .. }
            | Op::Extend { .. }
            | Op::Project { .. }
            | Op::Select { .. }
            | Op::Limit { .. }
            | Op::Render { .. }
            | Op::Serialize { .. } => at = plan.input(),
            _ => return None,
        }
    }
    None
}
