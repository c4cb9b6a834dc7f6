//! Reading the one rule that is to be run, with the columns that its events have.

use super::data::Data;
use crate::identify::{Identified, identify};
use crate::input::Input;
use crate::language::{Language, Layout};
use crate::source::sql_envelope;
use ruleferry_diag::{Diagnostic, Span, SpanMap, codes};
use ruleferry_ir::{self as ir, Envelope, InputKind, Op, Plan, Query, Scan, Source, Type};
use ruleferry_kql as kql;
use ruleferry_sigma as sigma;
use ruleferry_sql as sql;
use ruleferry_yaral as yaral;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// A rule that can be run.
#[derive(Clone, Debug)]
pub struct ReadRule {
    pub envelope: Envelope,
    pub query: Query,
    pub language: Language,
    /// From the spans of the query to the file.
    pub map: SpanMap,
    /// In the file.
    pub warnings: Vec<Diagnostic>,
}

/// Something that a rule reads from outside of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    pub kind: InputKind,
    pub name: SmolStr,
    /// In the query.
    pub span: Span,
    /// In a union that leaves out what is not there.
    pub optional: bool,
}

/// Reads a file with one rule. What stands in the way is told with its place in the file.
pub fn read_rule(
    input: &Input,
    text: &str,
    from: Option<Language>,
    sigma_options: &sigma::lift::LiftOptions,
    data: &mut Data,
) -> Result<ReadRule, Vec<Diagnostic>> {
    match identify(input, text, from) {
        Identified::Unknown(found) => Err(found),
        Identified::NoRules => Err(vec![not_one(0, Span::default())]),
        Identified::Rules(Language::Kql, layout) => read_kql(text, layout, data),
        Identified::Rules(Language::Sigma, _) => read_sigma(text, sigma_options, data),
        Identified::Rules(Language::Yaral, _) => read_yaral(text, data),
        Identified::Rules(Language::Sql(dialect), _) => read_sql(text, dialect, data),
    }
}

fn not_one(count: usize, span: Span) -> Diagnostic {
    let message = match count {
        0 => "the file holds no rule".to_owned(),
        n => format!("the file holds {n} rules, and one is run at a time"),
    };
    Diagnostic::error(codes::RUN_NOT_ONE_RULE, span, message).with_help("put the rule into a file of its own")
}

fn read_kql(text: &str, layout: Layout, data: &Data) -> Result<ReadRule, Vec<Diagnostic>> {
    let mut file = match layout {
        Layout::Text => kql::file::read_bare(text),
        Layout::Yaml => kql::file::read_yaml(text),
        Layout::Json => kql::file::read_json(text),
    };
    if file.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(file.diagnostics);
    }
    if file.rules.len() != 1 {
        let second = file.rules.get(1).map_or(Span::default(), |r| r.span);
        return Err(vec![not_one(file.rules.len(), second)]);
    }
    let Some(rule) = file.rules.pop() else { return Err(vec![not_one(0, Span::default())]) };
    let mapped = |mut found: Vec<Diagnostic>| {
        found.iter_mut().for_each(|d| d.span = rule.map.span(d.span));
        found
    };
    let parsed = kql::syntax::parse(&rule.query);
    if parsed.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(mapped(parsed.diagnostics));
    }
    let options = kql::lift::LiftOptions { source: &rule.query };
    let lifted = kql::lift::lift_with(&parsed.query, &options, Some(data));
    let mut warnings = file.diagnostics;
    warnings.extend(mapped(parsed.diagnostics));
    warnings.extend(mapped(lifted.diagnostics));
    match lifted.query {
        Some(query) => {
            Ok(ReadRule { envelope: rule.envelope, query, language: Language::Kql, map: rule.map, warnings })
        }
        None => Err(warnings),
    }
}

fn read_sql(text: &str, dialect: sql::ReadDialect, data: &Data) -> Result<ReadRule, Vec<Diagnostic>> {
    let tables = data.named(&sql::table_names(text, dialect));
    let options = sql::LiftOptions { dialect, tables: &tables };
    let lifted = sql::lift(text, &options);
    let Some(query) = lifted.query else { return Err(lifted.diagnostics) };
    Ok(ReadRule {
        envelope: sql_envelope(text),
        query,
        language: Language::Sql(dialect),
        map: SpanMap::identity(),
        warnings: lifted.diagnostics,
    })
}

fn read_sigma(
    text: &str,
    options: &sigma::lift::LiftOptions,
    data: &mut Data,
) -> Result<ReadRule, Vec<Diagnostic>> {
    let parsed = sigma::syntax::parse(text);
    if parsed.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(parsed.diagnostics);
    }
    let rules = parsed.rules();
    // The others are parts of a correlation.
    let alerting = sigma::lift::alerting(&rules);
    let alone: Vec<_> = rules.iter().zip(alerting).filter(|(_, alerts)| *alerts).map(|(d, _)| d).collect();
    let [document] = alone.as_slice() else {
        let second = alone.get(1).map_or(Span::default(), |d| *d.span);
        return Err(vec![not_one(alone.len(), second)]);
    };
    let set = sigma::lift::RuleSet::new(&rules, &options.companions);
    let lifted = sigma::lift::lift_in(document, set, options)?;
    let mut warnings = parsed.diagnostics.clone();
    warnings.extend(lifted.warnings);
    let mut rule = lifted.rule;
    widen(&mut rule.query, data);
    Ok(ReadRule {
        envelope: rule.envelope,
        query: rule.query,
        language: Language::Sigma,
        map: SpanMap::identity(),
        warnings,
    })
}

fn read_yaral(text: &str, data: &mut Data) -> Result<ReadRule, Vec<Diagnostic>> {
    let parsed = yaral::syntax::parse(text);
    if parsed.has_errors() {
        return Err(parsed.diagnostics);
    }
    let [rule] = parsed.file.rules.as_slice() else {
        let second = parsed.file.rules.get(1).map_or(Span::default(), |r| r.span.0);
        return Err(vec![not_one(parsed.file.rules.len(), second)]);
    };
    let lifted = yaral::lift::lift(rule)?;
    let mut warnings = parsed.diagnostics.clone();
    warnings.extend(lifted.warnings);
    let ir::Rule { envelope, query } = lifted.rule;
    if let [Read { name, .. }] = reads(&query).as_slice() {
        data.adopt_quietly(name);
    }
    Ok(ReadRule { envelope, query, language: Language::Yaral, map: SpanMap::identity(), warnings })
}

/// A Sigma rule finds events, not only the fields that it looks at: the other fields of the events come behind those.
fn widen(query: &mut Query, data: &mut Data) {
    let Op::Filter { input, .. } = &mut *query.plan.op else { return };
    let Op::Scan(Scan { source: Source::Table(table), .. }) = &*input.op else { return };
    data.adopt_quietly(&table.name);
    let Some(columns) = data.survey(&table.name) else { return };
    let mut output = input.output.to_vec();
    let has: rustc_hash::FxHashSet<SmolStr> =
        output.iter().map(|id| query.columns.name(*id).into()).collect();
    for (name, _) in columns.iter() {
        if !has.contains(name) {
            output.push(query.columns.add(name.clone(), Type::String, Span::default()));
        }
    }
    input.output = output.clone().into();
    query.plan.output = output.into();
}

/// The tables and other inputs of a query, each once, in the order of their names.
pub fn reads(query: &Query) -> Vec<Read> {
    let mut found: BTreeMap<SmolStr, Read> = BTreeMap::new();
    let mut optional: Vec<Span> = Vec::new();
    query.for_each_plan(&mut |plan| match &*plan.op {
        Op::Union(union) if union.fuzzy => {
            optional.extend(union.inputs.iter().filter_map(source).map(|p| p.span))
        }
        Op::Scan(scan) => {
            let (kind, name) = match &scan.source {
                Source::Table(table) => (InputKind::Table, table.name.clone()),
                Source::Input(input) => (input.kind, input.name.clone()),
                Source::Glob(_) => return,
            };
            let optional = optional.contains(&plan.span);
            let read = found.entry(name.clone()).or_insert(Read { kind, name, span: plan.span, optional });
            read.optional &= optional;
        }
        _ => {}
    });
    found.into_values().collect()
}

/// The scan at the source of a pipeline.
fn source(plan: &Plan) -> Option<&Plan> {
    let mut plan = plan;
    while let Some(input) = plan.input() {
        plan = input;
    }
    matches!(*plan.op, Op::Scan(_)).then_some(plan)
}
