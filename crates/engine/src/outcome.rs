//! One rule on its way through the pipeline: what the stages gave, and the status that follows from it.

use crate::diff::EMPTY_IS_ABSENT;
use crate::options::ConvertOptions;
use crate::record::{
    ConvertRecord, FileRecord, NeedRecord, RuleName, Status, diagnostic_records, loss_records,
};
use crate::validate;
use ruleferry_diag::{Diagnostic, Span, SpanMap, codes};
use ruleferry_ir::{Effect, Envelope, Loss, Rule};
use ruleferry_prove::{Relation, Verdict};

/// What a back end gave for a rule.
#[derive(Debug, Default)]
pub(crate) struct Emitted {
    pub text: String,
    pub losses: Vec<Loss>,
    pub needs: Vec<NeedRecord>,
    pub assumptions: Vec<String>,
    /// What reading the output again said; `None` where it was not asked for or nothing can tell yet.
    pub verdict: Option<Verdict>,
    /// What an engine says that ran the output.
    pub fault: Option<Diagnostic>,
}

impl Emitted {
    /// Takes the verdict on the output, with what follows from it. `rule` is the source.
    /// `empty_is_absent`: an absent field and an empty text were taken for one value.
    pub fn judge(&mut self, verdict: Option<Verdict>, rule: &Rule, empty_is_absent: bool) {
        if let Some(verdict) = &verdict {
            validate::add_losses(&mut self.losses, verdict, rule.query.plan.span);
            if empty_is_absent && verdict.relation() != Relation::Unknown {
                self.assumptions.push(EMPTY_IS_ABSENT.to_owned());
            }
        }
        self.verdict = verdict;
    }
}

/// Why a rule has no output: the input is at fault, or the target cannot say it. Spans are in the text of the query.
#[derive(Debug)]
pub(crate) enum Failure {
    Invalid(Vec<Diagnostic>),
    Refused(Vec<Diagnostic>),
}

/// Everything of one rule that the record needs.
pub(crate) struct Outcome<'r> {
    pub envelope: &'r Envelope,
    pub source: &'static str,
    /// From spans of the stages to spans of the file.
    pub map: &'r SpanMap,
    /// Warnings of the stages before.
    pub warnings: Vec<Diagnostic>,
    pub result: Result<Emitted, Failure>,
}

impl Outcome<'_> {
    /// The record; `file` is where the output goes, `text` the source file.
    pub(crate) fn record(
        self,
        path: &str,
        file: String,
        text: &str,
        options: &ConvertOptions,
        all: &mut Vec<Diagnostic>,
    ) -> ConvertRecord {
        let mut diagnostics = self.warnings;
        let mut record = ConvertRecord {
            path: path.to_owned(),
            rule: RuleName { id: self.envelope.id.clone(), title: self.envelope.title.clone() },
            source: Some(self.source),
            target: options.to.name,
            status: Status::Converted,
            verdict: None,
            assumptions: Vec::new(),
            needs: Vec::new(),
            losses: Vec::new(),
            files: Vec::new(),
            diagnostics: Vec::new(),
        };
        match self.result {
            Ok(mut emitted) => {
                for loss in &mut emitted.losses {
                    loss.span = self.map.span(loss.span);
                }
                diagnostics.extend(emitted.fault.take().map(|mut d| {
                    d.span = self.map.span(d.span);
                    d
                }));
                record.status = status(&emitted, options);
                if record.status == Status::Refused {
                    diagnostics.extend(
                        emitted.losses.iter().filter(|l| !options.max_loss.allows(l.effect)).map(|l| {
                            Diagnostic::error(codes::LOSS_BEYOND_POLICY, l.span, l.detail.clone())
                                .with_help("--max-loss says which losses may be emitted")
                        }),
                    );
                    if options.require_proof && !proved(&emitted) {
                        let message = "the output is not proved to find what the rule finds";
                        diagnostics.push(
                            Diagnostic::error(codes::NOT_PROVED, Span::default(), message)
                                .with_help("convert without --require-proof, and compare the two on events"),
                        );
                    }
                } else {
                    record.files = vec![FileRecord { path: file, text: emitted.text }];
                }
                record.verdict = emitted.verdict;
                record.assumptions = emitted.assumptions;
                record.needs = emitted.needs;
                record.losses = loss_records(&emitted.losses, text);
            }
            Err(failure) => {
                let (status, mut found) = match failure {
                    Failure::Invalid(d) => (Status::Invalid, d),
                    Failure::Refused(d) => (Status::Refused, d),
                };
                record.status = status;
                for d in &mut found {
                    d.span = self.map.span(d.span);
                }
                diagnostics.extend(found);
            }
        }
        diagnostics.sort_by_key(|d| (d.span, d.severity, d.code));
        diagnostics.dedup();
        record.diagnostics = diagnostic_records(&diagnostics, text);
        all.extend(diagnostics);
        record
    }
}

fn status(emitted: &Emitted, options: &ConvertOptions) -> Status {
    let beyond = emitted.losses.iter().any(|l| !options.max_loss.allows(l.effect));
    if beyond || (options.require_proof && !proved(emitted)) {
        return Status::Refused;
    }
    if emitted.losses.iter().any(|l| l.effect != Effect::Cosmetic) {
        return Status::Lossy;
    }
    // A verdict that was not asked for, or that nothing can give yet, is no doubt about the output.
    if emitted.verdict.is_some() && !proved(emitted) { Status::Unproved } else { Status::Converted }
}

/// Whether the output is known to find what the rule finds.
fn proved(emitted: &Emitted) -> bool {
    emitted
        .verdict
        .as_ref()
        .is_some_and(|v| matches!(v.relation(), Relation::Equivalent | Relation::EquivalentBounded))
}
