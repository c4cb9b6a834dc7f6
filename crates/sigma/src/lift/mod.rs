//! From the Sigma tree to the IR.
//!
//! In: one document of a file, and the documents among which it stands ([`RuleSet`]). Out: [`Lifted`]: a rule whose plan scans
//! one table and filters it, or a correlation of such plans ([`correlation`]), with what the front end wants people to know;
//! or why the rule has no meaning here.
//!
//! The table is named after the log source, its columns are the fields that the condition uses: text, null where the
//! field is absent. An atom on an absent field is false, so that its negation is true.

mod condition;
mod correlation;
mod envelope;
mod filter;
mod item;
mod pattern;
mod regex;
mod set;
mod transform;

pub(crate) use correlation::DEFAULT_TIME;
pub(crate) use envelope::{LOOK_BACK_KEY, TIME_FIELD_KEY};
pub use set::{Companion, Companions, RuleSet, alerting};

use crate::syntax::{DocumentKind, SigmaDocument};
use indexmap::IndexMap;
use ruleferry_diag::{Code, Diagnostic, Span, codes};
use ruleferry_ir::{
    self as ir, ColId, Columns, Expr, LogSource, Op, Plan, Query, Scan, Source, TableName, Type,
};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

/// What the caller gives.
#[derive(Clone, Debug, Default)]
pub struct LiftOptions {
    /// The values of placeholders (`%name%` in fields with `expand`), in Sigma's escaping: `*` and `?` are wildcards.
    pub values: IndexMap<SmolStr, Vec<SmolStr>>,
    /// Lifts rules with `status: unsupported`, too, whose detections do not say all that is meant.
    pub accept_unsupported: bool,
    /// Rules of other files that correlations may name, and filters that name rules.
    pub companions: Companions,
}

#[derive(Clone, Debug)]
pub struct Lifted {
    pub rule: ir::Rule,
    pub warnings: Vec<Diagnostic>,
}

/// Gives a rule its meaning, or says everything that stands in the way. Of its own file it knows nothing but itself.
pub fn lift(document: &SigmaDocument, options: &LiftOptions) -> Result<Lifted, Vec<Diagnostic>> {
    lift_in(document, RuleSet::new(std::slice::from_ref(document), &options.companions), options)
}

/// The same for a document among others, which correlations name and filters narrow.
pub fn lift_in(
    document: &SigmaDocument,
    set: RuleSet<'_>,
    options: &LiftOptions,
) -> Result<Lifted, Vec<Diagnostic>> {
    let span = *document.span;
    match document.kind() {
        DocumentKind::Rule => {}
        DocumentKind::Correlation => return correlation::lift(document, set, options),
        DocumentKind::Filter => {
            let message = "a filter finds nothing by itself: it narrows the rules that it names";
            let help = "convert it together with those rules, in one file or one folder";
            return Err(vec![Diagnostic::error(codes::SIGMA_FILTER_ALONE, span, message).with_help(help)]);
        }
        DocumentKind::Part | DocumentKind::Unknown => {
            return Err(vec![Diagnostic::error(codes::SIGMA_NOT_A_RULE, span, "the document is no rule")]);
        }
    }
    let mut lifter = Lifter::new(document, set, options, Columns::default());
    let envelope = lifter.envelope();
    lifter.check_status();
    let predicate = lifter.condition();
    let predicate = lifter.filtered(predicate);
    let plan = lifter.plan(&envelope.log_source, predicate, span);
    if !lifter.faults.is_empty() {
        return Err(lifter.faults);
    }
    let query = Query { columns: lifter.columns, bindings: Vec::new(), plan, assumptions: Vec::new() };
    Ok(Lifted { rule: ir::Rule { envelope, query }, warnings: lifter.warnings })
}

/// The state of one lift.
struct Lifter<'t> {
    document: &'t SigmaDocument,
    set: RuleSet<'t>,
    options: &'t LiftOptions,
    columns: Columns,
    fields: FxHashMap<SmolStr, ColId>,
    /// The columns in the order of their first use.
    order: Vec<ColId>,
    /// The column that holds all values of the event, if a keyword asks for it.
    event: Option<ColId>,
    /// How many values the condition has become.
    size: usize,
    faults: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

/// The column of all values of an event, where the target has no search over a whole row.
const EVENT_COLUMN: &str = "_raw";

/// Values in the condition of one rule; the largest real rules have a few thousand.
const MAX_SIZE: usize = 500_000;

/// Nobody reads more.
const MANY_FAULTS: usize = 100;

impl<'t> Lifter<'t> {
    fn new(
        document: &'t SigmaDocument,
        set: RuleSet<'t>,
        options: &'t LiftOptions,
        columns: Columns,
    ) -> Self {
        Self {
            document,
            set,
            options,
            columns,
            fields: FxHashMap::default(),
            order: Vec::new(),
            event: None,
            size: 0,
            faults: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn check_status(&mut self) {
        if self.document.text("status") == Some("unsupported") && !self.options.accept_unsupported {
            let span = *self.document.span;
            let place = self.document.node("status").map_or(span, |n| n.span);
            let message = "the rule's status is `unsupported`: its detection does not say all that is meant";
            let help = "write what is meant as a correlation, or change the status";
            self.fault(codes::SIGMA_UNSUPPORTED, place, message, help);
        }
    }

    fn plan(&mut self, log_source: &LogSource, predicate: Expr, span: Span) -> Plan {
        let input = self.scan(log_source, None, span);
        let output = input.output.clone();
        Plan::new(Op::Filter { input, predicate }, output, span)
    }

    /// The table of the log source, with the columns that were asked for.
    fn scan(&mut self, log_source: &LogSource, time: Option<ColId>, span: Span) -> Plan {
        let parts = [&log_source.product, &log_source.category, &log_source.service];
        let parts: Vec<&str> =
            parts.into_iter().flatten().map(SmolStr::as_str).filter(|p| !p.is_empty()).collect();
        if parts.is_empty() {
            let help = "name a `product`, `category` or `service` in `logsource`";
            let fault =
                Diagnostic::error(codes::SIGMA_MISSING_KEY, span, "the rule does not say where to look");
            self.faults.push(fault.with_help(help));
        }
        let table = TableName { qualifiers: Vec::new(), name: parts.join("_").into() };
        let mut output = self.order.clone();
        output.extend(self.event);
        output.extend(time);
        let scan = Scan { source: Source::Table(table), open: true, time };
        Plan::new(Op::Scan(scan), output, span)
    }

    /// The column of a field.
    fn field(&mut self, name: &str, span: Span) -> Expr {
        let id = match self.fields.get(name) {
            Some(id) => *id,
            None => {
                let id = self.columns.add(name, Type::String, span);
                self.fields.insert(name.into(), id);
                self.order.push(id);
                id
            }
        };
        Expr::column(id, Type::String, span)
    }

    /// Counts values; false, with a fault, once a rule has become too large. A short condition can name a long search
    /// many times.
    fn grow(&mut self, by: usize, span: Span) -> bool {
        self.size = self.size.saturating_add(by);
        if self.size > MAX_SIZE {
            let help = "name searches less often, or shorten their lists";
            self.fault(codes::SIGMA_TOO_LARGE, span, "the rule looks for too many values", help);
        }
        self.size <= MAX_SIZE
    }

    fn use_event(&mut self) {
        if self.event.is_none() {
            self.event = Some(self.columns.add(EVENT_COLUMN, Type::String, Span::default()));
        }
    }

    fn fault(&mut self, code: Code, span: Span, message: impl Into<String>, help: &str) -> Expr {
        let fault = Diagnostic::error(code, span, message);
        let fault = if help.is_empty() { fault } else { fault.with_help(help) };
        if self.faults.len() < MANY_FAULTS && !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
        Expr::bool(false, span)
    }
}
