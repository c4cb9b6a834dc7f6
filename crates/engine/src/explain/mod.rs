//! `explain`: what a rule says of itself and what it does, stage by stage, for people and for pages about it.
//!
//! In: a rule file. Out: an [`ExplainRecord`] a rule. `stages` walks the plan, `tests` takes conditions apart into indicators
//! and exclusions, `words` says them in plain language, `attack` names techniques, `names` reads what only the text of a query
//! shows, `report` draws the record.

mod attack;
mod names;
mod report;
mod stages;
mod tests;
mod words;

pub use report::{explain_markdown, explain_text};

use crate::identify::{Identified, identify};
use crate::input::Input;
use crate::language::{Language, Layout};
use crate::record::diagnostic_records;
use crate::run::guarded;
use crate::source::{self, LiftFault, LiftedRule, SourceRule, no_rule};
use indexmap::IndexMap;
use ruleferry_diag::render::json::DiagnosticRecord;
use ruleferry_diag::{Diagnostic, Severity};
use ruleferry_ir::{self as ir, Meta};
use ruleferry_sigma::lift::LiftOptions as SigmaOptions;
use schemars::JsonSchema;
use serde::Serialize;
use smol_str::SmolStr;

/// One rule of `explain --format json`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ExplainRecord {
    pub path: String,
    pub language: &'static str,
    /// What the rule says of itself.
    pub rule: RuleRecord,
    /// Techniques by tactic; under `""` those that no tactic is known of.
    #[schemars(with = "std::collections::BTreeMap<String, Vec<String>>")]
    pub attack: IndexMap<SmolStr, Vec<String>>,
    /// Values that the rule gives a name.
    pub parameters: Vec<Parameter>,
    /// Tables and functions that the rule gives a name.
    pub bindings: Vec<Binding>,
    pub tables: Vec<SmolStr>,
    /// Columns of these tables that the rule reads.
    pub columns: Vec<SmolStr>,
    pub operators: Vec<SmolStr>,
    pub functions: Vec<SmolStr>,
    pub stages: Vec<Stage>,
    /// What is left out although the rest of the rule would find it.
    pub exclusions: Vec<Exclusion>,
    /// What is looked for.
    pub indicators: Vec<Indicator>,
    /// The kinds of events that are looked at, where a field names them.
    pub events: Vec<Indicator>,
    pub outputs: Vec<Output>,
    pub columns_returned: Vec<Column>,
    pub entities: Vec<Entity>,
    pub schedule: ScheduleRecord,
    /// What must be there for the rule to run.
    pub needs: Vec<Need>,
    pub assumptions: Vec<String>,
    /// The rule in plain language, a step each.
    pub prose: Vec<String>,
    pub diagnostics: Vec<DiagnosticRecord>,
}

#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct RuleRecord {
    pub id: Option<SmolStr>,
    pub title: Option<SmolStr>,
    pub description: Option<SmolStr>,
    pub severity: Option<&'static str>,
    pub status: Option<SmolStr>,
    pub authors: Vec<SmolStr>,
    pub references: Vec<SmolStr>,
    pub date: Option<SmolStr>,
    pub modified: Option<SmolStr>,
    pub version: Option<SmolStr>,
    pub licence: Option<SmolStr>,
    pub false_positives: Vec<SmolStr>,
    pub tactics: Vec<SmolStr>,
    pub techniques: Vec<SmolStr>,
    pub tags: Vec<SmolStr>,
    /// Sigma's log source, its parts as `key: value`.
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub log_source: IndexMap<&'static str, SmolStr>,
    pub enabled: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Parameter {
    pub name: SmolStr,
    /// As it is written.
    pub value: String,
    /// Names that it is made from.
    pub derived_from: Vec<SmolStr>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Binding {
    pub name: SmolStr,
    /// `table`, `function` or `search`.
    pub kind: &'static str,
    pub derived_from: Vec<SmolStr>,
}

/// Operators that belong together: one, or several of one kind that follow each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Stage {
    /// From 1; within a branch from 1 again.
    pub index: usize,
    pub kind: SmolStr,
    /// Operators that are folded into this one.
    pub steps: usize,
    pub text: String,
    /// The conditions of a filter, each for itself; the keys of a join.
    pub predicates: Vec<String>,
    pub notes: Vec<String>,
    /// The other inputs of a join or union.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<Vec<Stage>>,
}

/// All of these together are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Exclusion {
    pub all: Vec<Indicator>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Indicator {
    pub field: String,
    /// `eq`, `ne`, `in`, `contains`, `startswith`, `endswith`, `has`, `regex`, `cidr`, `like`, `gt`, `ge`, `lt`, `le`, `is_null`,
    /// `is_not_null`, with `_all` behind it where all values must match; `condition` for a test that has no such form, which
    /// stands as a whole under `field`.
    pub kind: SmolStr,
    pub values: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Output {
    pub field: SmolStr,
    /// The operator that made it.
    pub source: SmolStr,
    /// Whether the rule returns it in the end.
    pub returned: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Column {
    pub name: SmolStr,
    #[serde(rename = "type")]
    pub ty: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Entity {
    #[serde(rename = "type")]
    pub ty: SmolStr,
    /// Columns by what they identify.
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub fields: IndexMap<SmolStr, SmolStr>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ScheduleRecord {
    pub frequency: Option<String>,
    pub look_back: Option<String>,
    /// How many rows make an alert (`gt 0`).
    pub trigger: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Need {
    /// `table`, `watchlist`, `external-data`, `function` or `connector`.
    pub kind: &'static str,
    pub name: SmolStr,
}

/// What came of one file.
#[derive(Debug)]
pub struct Explained {
    pub text: String,
    /// Of the rules that can be explained.
    pub records: Vec<ExplainRecord>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Explains the rules of a file.
pub fn explain_file(input: &Input, from: Option<Language>, sigma: &SigmaOptions) -> Explained {
    let explained = guarded(|| input.read().map(|text| explain_rules(input, text, from, sigma)));
    explained.flatten().unwrap_or_else(|d| Explained {
        text: String::new(),
        records: Vec::new(),
        diagnostics: vec![d],
    })
}

fn explain_rules(input: &Input, text: String, from: Option<Language>, sigma: &SigmaOptions) -> Explained {
    let failed = |text: String, diagnostics| Explained { text, records: Vec::new(), diagnostics };
    let (language, layout) = match identify(input, &text, from) {
        Identified::Rules(language, layout) => (language, layout),
        Identified::NoRules => return failed(text, Vec::new()),
        Identified::Unknown(found) => return failed(text, found),
    };
    let layout = if language == Language::Sigma { Layout::Yaml } else { layout };
    let rules = match source::read(&text, language, layout) {
        Ok(rules) => rules,
        Err(found) => return failed(text, found),
    };
    if rules.is_empty() {
        return failed(text, vec![no_rule(language)]);
    }
    let mut out = Explained { text, records: Vec::new(), diagnostics: Vec::new() };
    for rule in &rules {
        let (mut found, record) = match rule.lift(sigma, None) {
            Ok(lifted) => {
                let mut warnings = lifted.warnings.clone();
                warnings.retain(|d| d.severity != Severity::Note);
                (warnings, Some(explain(input, rule, &lifted, &out.text)))
            }
            Err(LiftFault::Invalid(found) | LiftFault::Refused(found)) => (found, None),
        };
        if let Some(mut record) = record {
            record.diagnostics = diagnostic_records(&found, &out.text);
            out.records.push(record);
        }
        out.diagnostics.append(&mut found);
    }
    out
}

fn explain(input: &Input, source: &SourceRule, lifted: &LiftedRule, file: &str) -> ExplainRecord {
    let (envelope, query) = (&lifted.rule.envelope, &lifted.rule.query);
    let text = source.query_text(file);
    let kql = source.language == Language::Kql;
    let named = if kql { names::of_kql(text) } else { names::of_plan(query) };
    let walked = stages::walk(query, text, source.spans_are_whole(), kql);
    let schedule = schedule(envelope);
    let prose = words::prose(envelope, &named, &walked);
    let columns_returned = query
        .plan
        .output
        .iter()
        .map(|id| Column { name: query.columns.name(*id).into(), ty: query.columns.ty(*id).name() });
    let mut events: Vec<Indicator> = Vec::new();
    for indicator in walked.indicators.iter().filter(|i| tests::names_events(i)) {
        events.push(indicator.clone());
    }
    let mut needs: Vec<Need> = walked.inputs.clone();
    needs.extend(connectors(envelope));
    ExplainRecord {
        path: input.shown.clone(),
        language: source.language.name(),
        rule: metadata(envelope),
        attack: attack::by_tactic(envelope),
        parameters: named.parameters,
        bindings: named.bindings,
        tables: walked.tables,
        columns: walked.columns,
        operators: walked.operators,
        functions: named.functions,
        stages: walked.stages,
        exclusions: walked.exclusions,
        indicators: walked.indicators,
        events,
        outputs: walked.outputs,
        columns_returned: columns_returned.collect(),
        entities: entities(envelope),
        schedule,
        needs,
        assumptions: query.assumptions.clone(),
        prose,
        diagnostics: Vec::new(),
    }
}

fn metadata(e: &ir::Envelope) -> RuleRecord {
    let source = &e.log_source;
    let parts = [("product", &source.product), ("category", &source.category), ("service", &source.service)];
    RuleRecord {
        id: e.id.clone(),
        title: e.title.clone(),
        description: e.description.clone(),
        severity: e.severity.map(ir::Severity::name),
        status: e.status.clone(),
        authors: e.authors.clone(),
        references: e.references.clone(),
        date: e.date.clone(),
        modified: e.modified.clone(),
        version: e.version.clone(),
        licence: e.licence.clone(),
        false_positives: e.false_positives.clone(),
        tactics: e.tactics.clone(),
        techniques: e.techniques.clone(),
        tags: e.tags.clone(),
        log_source: parts.into_iter().filter_map(|(k, v)| Some((k, v.clone()?))).collect(),
        enabled: e.enabled,
    }
}

fn schedule(e: &ir::Envelope) -> ScheduleRecord {
    let text = |ticks: Option<i64>| ticks.map(|t| ir::time::timespan_text(t).to_string());
    ScheduleRecord {
        frequency: text(e.schedule.frequency),
        look_back: text(e.schedule.look_back),
        trigger: e.trigger.as_ref().map(|t| format!("{} {}", t.operator, t.threshold)),
    }
}

fn scalar(meta: Option<&Meta>) -> Option<SmolStr> {
    match meta? {
        Meta::Scalar { text, plain: _ } => Some(text.clone()),
        Meta::List(_) | Meta::Map(_) => None,
    }
}

fn list(meta: Option<&Meta>) -> &[Meta] {
    match meta {
        Some(Meta::List(items)) => items,
        Some(Meta::Scalar { .. } | Meta::Map(_)) | None => &[],
    }
}

fn get<'m>(meta: &'m Meta, key: &str) -> Option<&'m Meta> {
    match meta {
        Meta::Map(map) => map.get(key),
        Meta::Scalar { .. } | Meta::List(_) => None,
    }
}

fn entities(e: &ir::Envelope) -> Vec<Entity> {
    let mappings = list(e.extra.get("entityMappings")).iter();
    let entity = |mapping: &Meta| {
        let fields = list(get(mapping, "fieldMappings"))
            .iter()
            .filter_map(|field| Some((scalar(get(field, "identifier"))?, scalar(get(field, "columnName"))?)));
        Some(Entity { ty: scalar(get(mapping, "entityType"))?, fields: fields.collect() })
    };
    mappings.filter_map(entity).collect()
}

fn connectors(e: &ir::Envelope) -> Vec<Need> {
    let all = list(e.extra.get("requiredDataConnectors")).iter();
    all.filter_map(|c| Some(Need { kind: "connector", name: scalar(get(c, "connectorId"))? })).collect()
}
