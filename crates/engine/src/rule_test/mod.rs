//! `test`: unit tests of rules, kept beside them in `<rule>.test.yaml`.
//!
//! In: a test file. Out: one [`TestRecord`] a case, and what is wrong with the file. The rule is lifted anew for each case,
//! since the columns of a table without a schema are those of its events.

mod check;
mod compare;
mod files;
mod read;
#[cfg(test)]
mod read_back;
mod report;
mod shape;
mod tables;

pub use files::{TestInput, find_tests};
#[cfg(test)]
pub(crate) use read::{CASE_KEYS, FILE_KEYS};
pub use report::{junit, text_report};
pub(crate) use shape::TestFile;
pub use tables::{TestTables, test_tables};

use crate::execute::{Data, EngineKind, Found, ReadRule, read_rule, reads, run_query};
use crate::input::Input;
use crate::record::diagnostic_records;
use crate::run::guarded;
use compare::{Compared, Difference, Wanted, difference, wanted};
use read::{Case, Events, Expected, Given};
use ruleferry_diag::render::json::DiagnosticRecord;
use ruleferry_diag::{Diagnostic, LineIndex, Span, codes};
use ruleferry_eval::{Definedness, undefined_columns};
use ruleferry_events::{EventFile, FileFault, Warning, typed};
use ruleferry_ir::ExprKind;
use ruleferry_sigma::lift::LiftOptions as SigmaOptions;
use schemars::JsonSchema;
use serde::Serialize;
use smol_str::SmolStr;
use std::rc::Rc;

#[derive(Clone, Debug, Default)]
pub struct TestOptions {
    pub engine: EngineKind,
    pub sigma: SigmaOptions,
}

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TestStatus {
    Passed,
    /// The rule finds something else.
    Failed,
    /// The rule or the test cannot be run.
    Invalid,
}

/// One case of `test --format json`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TestRecord {
    /// The file of the test.
    pub path: String,
    /// The file of the rule; null where there is none.
    pub rule: Option<String>,
    /// The name of the case; null for the file as a whole.
    pub case: Option<SmolStr>,
    /// The line of the case in its file, from 1.
    pub line: u32,
    pub engine: &'static str,
    pub status: TestStatus,
    /// What is wrong, in a line.
    pub message: Option<String>,
    /// Expected rows that did not come; `message` has their number where they are many.
    pub missing: Vec<serde_json::Value>,
    /// Rows that came and were not expected.
    pub unexpected: Vec<serde_json::Value>,
    /// In the file of the test, or in that of the rule.
    pub diagnostics: Vec<FileDiagnostic>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FileDiagnostic {
    pub path: String,
    #[serde(flatten)]
    pub diagnostic: DiagnosticRecord,
}

/// What came of one file of tests.
#[derive(Debug)]
pub struct Tested {
    pub records: Vec<TestRecord>,
    /// The test file and the rule file, with what is wrong with each.
    pub reports: Vec<(String, String, Vec<Diagnostic>)>,
    /// About event files.
    pub warnings: Vec<Warning>,
}

/// What stands in the way of a case.
struct Trouble {
    message: String,
    in_test: Vec<Diagnostic>,
    in_rule: Vec<Diagnostic>,
}

impl Trouble {
    fn in_test(found: Vec<Diagnostic>) -> Self {
        Self { message: summary(&found), in_test: found, in_rule: Vec::new() }
    }

    fn in_rule(found: Vec<Diagnostic>) -> Self {
        Self { message: summary(&found), in_test: Vec::new(), in_rule: found }
    }
}

fn summary(found: &[Diagnostic]) -> String {
    found
        .iter()
        .find(|d| d.is_error())
        .or_else(|| found.first())
        .map(|d| d.message.clone())
        .unwrap_or_default()
}

/// Runs the tests of a file.
pub fn run_tests(input: &TestInput, options: &TestOptions) -> Tested {
    let mut tested = Tested { records: Vec::new(), reports: Vec::new(), warnings: Vec::new() };
    let path = input.test.shown.clone();
    let (test_text, rule, cases) = match prepare(input) {
        Ok(ready) => ready,
        Err((text, found)) => {
            let record = TestRecord {
                rule: input.rule.as_ref().ok().map(|r| r.shown.clone()),
                message: Some(summary(&found)),
                diagnostics: file_diagnostics(&path, &text, &found),
                ..TestRecord::new(&path, None, 1, options.engine, TestStatus::Invalid)
            };
            tested.records.push(record);
            tested.reports.push((path, text, found));
            return tested;
        }
    };
    let (rule_input, rule_text) = rule;
    // A correlation may name rules of the files beside its own.
    let beside = crate::companions_beside(&rule_input.path);
    let with_beside;
    let options = if beside.is_empty() {
        options
    } else {
        let sigma = SigmaOptions { companions: beside, ..options.sigma.clone() };
        with_beside = TestOptions { sigma, ..options.clone() };
        &with_beside
    };
    let index = LineIndex::new(&test_text);
    let (mut in_test, mut in_rule): (Vec<Diagnostic>, Vec<Diagnostic>) = (Vec::new(), Vec::new());
    for case in &cases {
        let line = index.position(case.span.start).line;
        let runner = Runner { input, rule: rule_input, rule_text: &rule_text, options, case };
        let result = guarded(|| runner.run(&mut tested.warnings));
        let result = result.unwrap_or_else(|fault| Err(Trouble::in_rule(vec![fault])));
        let mut record =
            TestRecord::new(&path, Some(case.name.clone()), line, options.engine, TestStatus::Passed);
        record.rule = Some(rule_input.shown.clone());
        match result {
            Ok(None) => {}
            Ok(Some((message, difference))) => {
                record.status = TestStatus::Failed;
                record.message = Some(message);
                record.missing = difference.missing;
                record.unexpected = difference.unexpected;
            }
            Err(trouble) => {
                record.status = TestStatus::Invalid;
                record.message = Some(trouble.message);
                record.diagnostics = file_diagnostics(&path, &test_text, &trouble.in_test);
                record.diagnostics.extend(file_diagnostics(&rule_input.shown, &rule_text, &trouble.in_rule));
                // What is wrong with the rule is wrong in each case, and told once.
                take(&mut in_test, trouble.in_test);
                take(&mut in_rule, trouble.in_rule);
            }
        }
        tested.records.push(record);
    }
    tested.warnings.dedup();
    tested.reports.push((rule_input.shown.clone(), rule_text, in_rule));
    tested.reports.push((path, test_text, in_test));
    tested.reports.retain(|(.., found)| !found.is_empty());
    tested
}

fn take(all: &mut Vec<Diagnostic>, found: Vec<Diagnostic>) {
    for diagnostic in found {
        if !all.contains(&diagnostic) {
            all.push(diagnostic);
        }
    }
}

impl TestRecord {
    fn new(path: &str, case: Option<SmolStr>, line: u32, engine: EngineKind, status: TestStatus) -> Self {
        Self {
            path: path.to_owned(),
            rule: None,
            case,
            line,
            engine: engine.name(),
            status,
            message: None,
            missing: Vec::new(),
            unexpected: Vec::new(),
            diagnostics: Vec::new(),
        }
    }
}

fn file_diagnostics(path: &str, text: &str, found: &[Diagnostic]) -> Vec<FileDiagnostic> {
    let records = diagnostic_records(found, text).into_iter();
    records.map(|diagnostic| FileDiagnostic { path: path.to_owned(), diagnostic }).collect()
}

type Ready<'i> = (String, (&'i Input, String), Vec<Case>);

/// The text of the test, the rule with its text, the cases.
fn prepare(input: &TestInput) -> Result<Ready<'_>, (String, Vec<Diagnostic>)> {
    let text = input.test.read().map_err(|d| (String::new(), vec![d]))?;
    let rule = match &input.rule {
        Ok(rule) => rule,
        Err(message) => {
            let fault = Diagnostic::error(codes::TEST_NO_RULE, Span::default(), message.clone());
            return Err((
                text,
                vec![fault.with_help("the tests of `a.kql`, `a.yaml` … stand beside it in `a.test.yaml`")],
            ));
        }
    };
    let cases = match read::read(&text) {
        Ok(file) => file.cases,
        Err(found) => return Err((text, found)),
    };
    match rule.read() {
        Ok(rule_text) => Ok((text, (rule, rule_text), cases)),
        Err(fault) => Err((text, vec![fault])),
    }
}

/// Other permitted answers that are tried where the first does not fit.
const CHOICES: u64 = 12;

struct Runner<'r> {
    input: &'r TestInput,
    rule: &'r Input,
    rule_text: &'r str,
    options: &'r TestOptions,
    case: &'r Case,
}

type Failure = Option<(String, Difference)>;

impl Runner<'_> {
    /// None: it passes.
    fn run(&self, warnings: &mut Vec<Warning>) -> Result<Failure, Trouble> {
        let (rule, data, now) = self.ready()?;
        let result = self.compare(&rule, &data, now);
        let faults = data.diagnostics();
        warnings.extend(data.warnings());
        if !faults.is_empty() {
            return Err(Trouble::in_test(faults));
        }
        result
    }

    /// The rule, the events, and the time of the run.
    fn ready(&self) -> Result<(ReadRule, Data, i64), Trouble> {
        let mut data = self.data()?;
        let mut rule = self.read(&mut data)?;
        if let Some((given, place)) = &self.case.events.only {
            let tables = reads(&rule.query);
            let [only] = tables.as_slice() else {
                let names: Vec<&str> = tables.iter().map(|r| r.name.as_str()).collect();
                let message =
                    format!("the rule reads {} tables, so the events need the name of theirs", names.len());
                let fault = Diagnostic::error(codes::TEST_INVALID, *place, message);
                return Err(Trouble::in_test(vec![
                    fault.with_help(format!("the tables are {}", names.join(", "))),
                ]));
            };
            self.give(&mut data, &only.name, given)?;
            // Now that the events of the table are known, so are its columns.
            rule = self.read(&mut data)?;
        }
        self.check(&rule)?;
        let now = self.now(&rule)?;
        Ok((rule, data, now))
    }

    fn read(&self, data: &mut Data) -> Result<ReadRule, Trouble> {
        read_rule(self.rule, self.rule_text, None, &self.options.sigma, data).map_err(Trouble::in_rule)
    }

    fn data(&self) -> Result<Data, Trouble> {
        let mut data = Data::lenient();
        let Events { tables, .. } = &self.case.events;
        for (name, _, given) in tables {
            self.give(&mut data, name, given)?;
        }
        Ok(data)
    }

    fn give(&self, data: &mut Data, table: &str, given: &Given) -> Result<(), Trouble> {
        match given {
            Given::Written(events) => data.add_events(table, Rc::clone(events)),
            Given::File(name, place) => {
                let folder = self.input.test.path.parent().unwrap_or_else(|| std::path::Path::new(""));
                let file = EventFile::new(&folder.join(name.as_str())).map_err(|fault: FileFault| {
                    Trouble::in_test(vec![Diagnostic::error(
                        codes::DATA_UNREADABLE,
                        *place,
                        fault.to_string(),
                    )])
                })?;
                data.add_file(table, file);
            }
        }
        Ok(())
    }

    /// Names of tables and columns that the rule does not know are misspelt.
    fn check(&self, rule: &ReadRule) -> Result<(), Trouble> {
        let mut faults = Vec::new();
        let tables = reads(&rule.query);
        let has_glob = check::has_glob(rule);
        for (name, place, given) in &self.case.events.tables {
            let known = tables.iter().any(|r| r.name.eq_ignore_ascii_case(name));
            if !known && !has_glob {
                let names = tables.iter().map(|r| r.name.as_str());
                let message = format!("the rule does not read the table `{name}`");
                let fault = Diagnostic::error(codes::TEST_UNKNOWN_COLUMN, *place, message);
                faults.push(match ruleferry_ir::functions::closest(name, names.clone()) {
                    Some(near) => fault.with_help(format!("did you mean `{near}`?")),
                    None => fault.with_help(format!("it reads {}", names.collect::<Vec<_>>().join(", "))),
                });
            }
            if let Given::Written(events) = given {
                faults.extend(check::misspelt(rule, name, events));
                faults.extend(check::unfit(rule, name, events));
            }
        }
        if let (Some((Given::Written(events), _)), [only]) = (&self.case.events.only, tables.as_slice()) {
            faults.extend(check::misspelt(rule, &only.name, events));
            faults.extend(check::unfit(rule, &only.name, events));
        }
        if let Expected::Rows(rows) = &self.case.expected {
            let outputs: Vec<&str> =
                rule.query.plan.output.iter().map(|id| rule.query.columns.name(*id)).collect();
            let named = rows.iter().flat_map(|r| &r.fields).map(|(n, _, place)| (n, place));
            let listed = self.case.columns.iter().flatten().map(|(n, place)| (n, place));
            for (name, place) in named.chain(listed) {
                if outputs.contains(&name.as_str()) {
                    continue;
                }
                let message = format!("the rule returns no column `{name}`");
                let fault = Diagnostic::error(codes::TEST_UNKNOWN_COLUMN, *place, message);
                faults.push(match ruleferry_ir::functions::closest(name, outputs.iter().copied()) {
                    Some(near) => fault.with_help(format!("did you mean `{near}`?")),
                    None => fault,
                });
            }
            for (name, field, place) in rows.iter().flat_map(|r| &r.fields) {
                let id = rule.query.plan.output.iter().find(|id| rule.query.columns.name(**id) == name);
                let Some(ty) = id.map(|id| rule.query.columns.ty(*id)) else { continue };
                if typed(field, ty).is_none() {
                    let message = format!("`{name}` is {ty}, and `{}` is not", field.shown());
                    faults.push(Diagnostic::error(codes::DATA_BAD_VALUE, *place, message));
                }
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(Trouble::in_test(faults)) }
    }

    fn now(&self, rule: &ReadRule) -> Result<i64, Trouble> {
        if let Some(now) = self.case.now {
            return Ok(now);
        }
        let asks = rule.envelope.schedule.look_back.is_some()
            || rule.query.any_expr(&mut |e| matches!(e.kind, ExprKind::Now));
        if !asks {
            return Ok(0);
        }
        let message = format!("the rule depends on the time, and the case `{}` has no `now`", self.case.name);
        let fault = Diagnostic::error(codes::TEST_INVALID, self.case.span, message);
        Err(Trouble::in_test(vec![
            fault.with_help("add `now: 2026-01-15T12:00:00Z` to the case or to the file"),
        ]))
    }

    fn compare(&self, rule: &ReadRule, data: &Data, now: i64) -> Result<Failure, Trouble> {
        let engine = self.options.engine;
        let (found, mut open) = run_query(rule, data, engine, now, 0).map_err(Trouble::in_rule)?;
        let first = self.judge(rule, &found);
        if first.is_none() {
            return Ok(first);
        }
        // What else is permitted the evaluator knows, whichever engine gave the answer.
        let run =
            |choice| run_query(rule, data, EngineKind::Reference, now, choice).map_err(Trouble::in_rule);
        let mut choices = 1..=CHOICES;
        if engine == EngineKind::Embedded {
            choices = 0..=CHOICES;
            open = run(0).is_ok_and(|(_, open)| open);
        }
        if !open {
            return Ok(first);
        }
        for choice in choices {
            if self.judge(rule, &run(choice)?.0).is_none() {
                return Ok(None);
            }
        }
        Ok(first.map(|(message, difference)| {
            (format!("{message} (nor in {CHOICES} other answers that the query permits)"), difference)
        }))
    }

    fn judge(&self, rule: &ReadRule, found: &Found) -> Failure {
        let count = found.rows.len();
        let rows = |n: usize| if n == 1 { "1 row".to_owned() } else { format!("{n} rows") };
        match &self.case.expected {
            Expected::Count(n) => (*n != count).then(|| {
                (format!("expected {}, found {}", rows(*n), rows(count)), difference(found, &[], &[]))
            }),
            Expected::Alert(alert) => {
                let fires = fires(rule, count);
                if *alert == fires {
                    return None;
                }
                let but = if fires { "it does" } else { "it does not" };
                let should = if *alert { "should" } else { "should not" };
                let difference = if fires { difference(found, &[], &[]) } else { Difference::default() };
                Some((format!("the rule {should} alert, and {but} ({})", rows(count)), difference))
            }
            Expected::Rows(expected) => {
                let columns = self.compared(rule, found);
                let wanted: Vec<Wanted> =
                    expected.iter().map(|r| wanted(r, &columns, self.case.columns.is_some())).collect();
                let difference = difference(found, &wanted, &columns);
                if difference.is_empty() {
                    return None;
                }
                let (less, more) = (difference.missing_count, difference.unexpected_count);
                Some((format!("{} missing, {} not expected", rows(less), rows(more)), difference))
            }
        }
    }

    /// The columns that the test speaks of.
    fn compared(&self, rule: &ReadRule, found: &Found) -> Vec<Compared> {
        let Expected::Rows(rows) = &self.case.expected else { return Vec::new() };
        let (definedness, _) = undefined_columns(&rule.query);
        let mut names: Vec<&SmolStr> = match &self.case.columns {
            Some(columns) => columns.iter().map(|(n, _)| n).collect(),
            None => rows.iter().flat_map(|r| r.fields.iter().map(|(n, ..)| n)).collect(),
        };
        let mut seen = rustc_hash::FxHashSet::default();
        names.retain(|n| seen.insert((*n).clone()));
        let columns = names.into_iter().filter_map(|name| {
            let at = found.columns.iter().position(|(n, _)| n == name)?;
            let ty = found.columns.get(at)?.1;
            let definedness = definedness.get(at).copied().unwrap_or(Definedness::Exact);
            Some(Compared { name: name.clone(), ty, at, definedness })
        });
        columns.collect()
    }
}

/// Whether so many rows make an alert.
fn fires(rule: &ReadRule, count: usize) -> bool {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    match &rule.envelope.trigger {
        None => count > 0,
        Some(trigger) => match trigger.operator.as_str() {
            "lt" => count < trigger.threshold,
            "eq" => count == trigger.threshold,
            "ne" => count != trigger.threshold,
            _ => count > trigger.threshold,
        },
    }
}
