//! The records that the commands print with `--format json`: their shapes are a contract with scripts.

use ruleferry_diag::render::json::{DiagnosticRecord, SpanRecord, record};
use ruleferry_diag::{Diagnostic, LineIndex};
use ruleferry_ir::Effect;
use ruleferry_prove::Verdict;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// What came of one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// No loss but cosmetic ones; the verdict is equivalent, or was not asked for or not available (null).
    Converted,
    /// Emitted, no loss known, but the verdict is unknown.
    Unproved,
    /// Emitted with a loss in a known direction that the policy allows.
    Lossy,
    /// Nothing faithful enough: no files.
    Refused,
    /// The input cannot be read.
    Invalid,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RuleName {
    pub id: Option<SmolStr>,
    pub title: Option<SmolStr>,
}

/// One rule of `convert`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ConvertRecord {
    pub path: String,
    pub rule: RuleName,
    pub source: Option<&'static str>,
    pub target: &'static str,
    pub status: Status,
    /// Relation of the output (`b`) to the source (`a`); null with `--no-validate`, and for SQL that is not proved.
    pub verdict: Option<Verdict>,
    pub assumptions: Vec<String>,
    pub needs: Vec<NeedRecord>,
    pub losses: Vec<LossRecord>,
    pub files: Vec<FileRecord>,
    pub diagnostics: Vec<DiagnosticRecord>,
}

/// Something that the query reads from outside of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NeedRecord {
    pub kind: &'static str,
    pub name: SmolStr,
    pub columns: BTreeMap<SmolStr, &'static str>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LossRecord {
    pub code: &'static str,
    pub effect: Effect,
    pub detail: String,
    pub span: SpanRecord,
}

/// An artefact: where it goes below the output folder, and its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FileRecord {
    pub path: String,
    pub text: String,
}

/// One file of `check`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CheckRecord {
    pub path: String,
    pub language: Option<&'static str>,
    pub rules: usize,
    pub lifted: bool,
    pub opaque: usize,
    pub diagnostics: Vec<DiagnosticRecord>,
}

pub(crate) fn diagnostic_records(diagnostics: &[Diagnostic], text: &str) -> Vec<DiagnosticRecord> {
    if diagnostics.is_empty() {
        return Vec::new();
    }
    let index = LineIndex::new(text);
    diagnostics.iter().map(|d| record(d, &index)).collect()
}

pub(crate) fn loss_records(losses: &[ruleferry_ir::Loss], text: &str) -> Vec<LossRecord> {
    if losses.is_empty() {
        return Vec::new();
    }
    let index = LineIndex::new(text);
    losses
        .iter()
        .map(|l| {
            let placed = record(&Diagnostic::note(l.code, l.span, ""), &index);
            LossRecord { code: l.code.0, effect: l.effect, detail: l.detail.clone(), span: placed.span }
        })
        .collect()
}
