//! `run`: a rule over event files, on the reference evaluator or as SQL on the embedded engine.
//!
//! In: a rule file, [`Data`] and [`RunOptions`]. Out: [`Ran`]: typed rows, what is wrong with the rule and with the data.

mod data;
mod duck;
mod embedded;
mod output;
mod parquet;
mod prune;
mod replay;
mod rule;

pub use data::{Data, Event};
pub use output::{ColumnRecord, RunRecord, csv_text, table_text, value_json};
pub use replay::DuckDb;
pub use rule::{ReadRule, read_rule, reads};

use crate::input::Input;
use crate::language::Language;
use crate::run::guarded;
use ruleferry_diag::{Diagnostic, codes};
use ruleferry_eval::{Answer, MAX_ROWS, Options, Row, Value, evaluate};
use ruleferry_events::{FileFault, Warning};
use ruleferry_ir::{InputKind, Type};
use ruleferry_sigma::lift::LiftOptions as SigmaOptions;
use smol_str::SmolStr;

/// What runs a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineKind {
    /// The evaluator: the definition of what the rule means.
    #[default]
    Reference,
    /// DuckDB, over the SQL that `convert --to duckdb` emits.
    Embedded,
}

impl EngineKind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Embedded => "embedded",
        }
    }
}

#[derive(Clone, Debug)]
pub struct RunOptions {
    pub from: Option<Language>,
    pub sigma: SigmaOptions,
    pub engine: EngineKind,
    /// `now()`, in ticks.
    pub now: i64,
}

/// The rows that a rule finds.
#[derive(Clone, Debug)]
pub struct Found {
    pub columns: Vec<(SmolStr, Type)>,
    pub rows: Vec<Row>,
    /// Text has no null in the rule's language: what is missing is `""`.
    pub text_is_never_null: bool,
}

/// What came of a run.
#[derive(Debug)]
pub struct Ran {
    /// The text of the rule file, for showing diagnostics.
    pub text: String,
    /// About the rule, with spans in its file.
    pub diagnostics: Vec<Diagnostic>,
    /// About the data.
    pub warnings: Vec<Warning>,
    /// Files that cannot be read at all.
    pub faults: Vec<FileFault>,
    /// What was taken for granted.
    pub notes: Vec<String>,
    /// None if there is an error among the rest.
    pub found: Option<Found>,
}

/// Runs the rule of a file.
pub fn run_rule(input: &Input, mut data: Data, options: &RunOptions) -> Ran {
    let text = match input.read() {
        Ok(text) => text,
        Err(fault) => return Ran::failed(String::new(), vec![fault], &data),
    };
    let result = guarded(|| run_text(input, &text, &mut data, options));
    match result.unwrap_or_else(|fault| Err(vec![fault])) {
        Ok((diagnostics, notes, found)) => {
            let (warnings, faults) = (data.warnings(), data.faults());
            Ran { text, diagnostics, warnings, faults, notes, found: Some(found) }
        }
        Err(diagnostics) => Ran::failed(text, diagnostics, &data),
    }
}

impl Ran {
    fn failed(text: String, diagnostics: Vec<Diagnostic>, data: &Data) -> Self {
        // A file that cannot be read is told as such; that the query met it is no news.
        let diagnostics = diagnostics.into_iter().filter(|d| d.code != codes::DATA_UNREADABLE).collect();
        let (warnings, faults) = (data.warnings(), data.faults());
        Self { text, diagnostics, warnings, faults, notes: Vec::new(), found: None }
    }
}

type Done = (Vec<Diagnostic>, Vec<String>, Found);

fn run_text(
    input: &Input,
    text: &str,
    data: &mut Data,
    options: &RunOptions,
) -> Result<Done, Vec<Diagnostic>> {
    let mut rule = read_rule(input, text, options.from, &options.sigma, data)?;
    let mut notes = data.take_notes();
    if let [read] = reads(&rule.query).as_slice()
        && let Some(file) = data.adopt(&read.name)
    {
        notes.push(format!(
            "the events of `{file}` are taken for the table `{}`, the only one that the rule reads",
            read.name
        ));
        rule = read_rule(input, text, options.from, &options.sigma, data)?;
    }
    let missing = missing(&rule, data);
    if !missing.is_empty() {
        return Err(missing);
    }
    warn_of_columns(&rule, data);
    let found = run_query(&rule, data, options.engine, options.now, 0)?.0;
    Ok((rule.warnings, notes, found))
}

/// Runs a rule that was read on the engine that was asked for. Whether other answers are as right comes with the rows.
pub(crate) fn run_query(
    rule: &ReadRule,
    data: &Data,
    engine: EngineKind,
    now: i64,
    choice: u64,
) -> Result<(Found, bool), Vec<Diagnostic>> {
    match engine {
        EngineKind::Reference => reference(rule, data, now, choice),
        EngineKind::Embedded => embedded::run(rule, data, now).map(|found| (found, false)),
    }
}

/// Each input that the rule reads and nobody gave.
fn missing(rule: &ReadRule, data: &Data) -> Vec<Diagnostic> {
    let all = reads(&rule.query);
    // A fuzzy union does without what is not there, but not without everything.
    let nothing = all.iter().all(|r| data.find(&r.name).is_none());
    let absent = all.into_iter().filter(|r| (!r.optional || nothing) && data.find(&r.name).is_none());
    let told = absent.map(|read| {
        let what = match read.kind {
            InputKind::Table => "table",
            InputKind::Watchlist => "watchlist",
            InputKind::ExternalData => "external data",
            InputKind::Function => "function",
        };
        let name = &read.name;
        let message = format!("no events are given for the {what} `{name}`");
        let help = match read.kind {
            InputKind::Table => {
                format!(
                    "give them with `--data {name}=FILE`; a file without events stands for an empty table"
                )
            }
            InputKind::Watchlist | InputKind::ExternalData | InputKind::Function => {
                format!("give its rows with `--data {name}=FILE`: JSON, or CSV with a line of column names")
            }
        };
        Diagnostic::error(codes::EVAL_NO_TABLE, rule.map.span(read.span), message).with_help(help)
    });
    told.collect()
}

/// Tells of columns that no event has, in tables that have no other schema than their events.
fn warn_of_columns(rule: &ReadRule, data: &Data) {
    use ruleferry_ir::{Op, Scan, Source};
    use ruleferry_targets::schema::{SchemaSet, find_table};
    if rule.language == Language::Sigma {
        return;
    }
    rule.query.for_each_plan(&mut |plan| {
        let Op::Scan(Scan { source: Source::Table(table), .. }) = &*plan.op else { return };
        if SchemaSet::ALL.into_iter().any(|set| find_table(set, &table.name).is_some()) {
            return;
        }
        let Some(columns) = data.survey(&table.name).filter(|c| !c.is_empty()) else { return };
        let has: rustc_hash::FxHashSet<&str> = columns.iter().map(|(n, _)| n.as_str()).collect();
        for id in plan.output.iter() {
            let name = rule.query.columns.name(*id);
            if !has.contains(name) {
                let message =
                    format!("no event of `{}` has a column `{name}`; it is missing throughout", table.name);
                data.warn(codes::DATA_NO_COLUMN, &table.name, message);
            }
        }
    });
}

/// Runs a rule on the evaluator; `choice` is one of the permitted answers.
fn reference(rule: &ReadRule, data: &Data, now: i64, choice: u64) -> Result<(Found, bool), Vec<Diagnostic>> {
    let options = Options { now, look_back: rule.envelope.schedule.look_back, max_rows: MAX_ROWS, choice };
    let mut query = rule.query.clone();
    prune::prune(&mut query, options.look_back.is_some());
    let answer = evaluate(&query, data, options).map_err(|fault| {
        let mut diagnostic = fault.diagnostic();
        diagnostic.span = rule.map.span(diagnostic.span);
        vec![diagnostic]
    })?;
    let Answer { columns, rows, choices, work: _ } = answer;
    let text_is_never_null = matches!(rule.language, Language::Kql | Language::Yaral);
    Ok((Found { columns, rows, text_is_never_null }, !choices.is_empty()))
}

impl Found {
    /// The value as the rule's language has it.
    pub fn value<'v>(&self, value: &'v Value, ty: Type) -> std::borrow::Cow<'v, Value> {
        if value.is_null() && ty == Type::String && self.text_is_never_null {
            std::borrow::Cow::Owned(Value::EMPTY)
        } else {
            std::borrow::Cow::Borrowed(value)
        }
    }
}
