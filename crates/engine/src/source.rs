//! The rules of a text, read as far as their language's tree, and each lifted when it is asked for.
//!
//! In: a text with its language. Out: [`SourceRule`]s, which [`SourceRule::lift`] turns into IR with what is known of the
//! tables from elsewhere. Everything that reads rules to compare them reads them here.

use crate::language::{Language, Layout};
use crate::record::RuleName;
use crate::same_types::KnownTables;
use ruleferry_diag::{Diagnostic, Span, SpanMap, codes};
use ruleferry_ir as ir;
use ruleferry_kql as kql;
use ruleferry_sigma as sigma;
use ruleferry_sql as sql;
use ruleferry_yaral as yaral;
use smol_str::SmolStr;
use std::sync::Arc;

/// A rule of a text.
#[derive(Clone, Debug)]
pub(crate) struct SourceRule {
    pub name: RuleName,
    pub language: Language,
    /// Where it stands in the file.
    pub span: Span,
    /// The file that it was converted from, as the header says.
    pub origin: Option<SmolStr>,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    Kql(Box<kql::file::RuleText>),
    /// The documents of the file, and which one it is.
    Sigma(Arc<Vec<sigma::syntax::SigmaDocument>>, usize, Vec<Diagnostic>),
    Sql(Box<SqlText>),
    Yaral(Box<yaral::syntax::tree::Rule>, Vec<Diagnostic>),
}

#[derive(Clone, Debug)]
struct SqlText {
    envelope: ir::Envelope,
    dialect: sql::ReadDialect,
    text: String,
}

/// Why a rule has no meaning; diagnostics are in the file.
#[derive(Clone, Debug)]
pub(crate) enum LiftFault {
    /// The text is wrong.
    Invalid(Vec<Diagnostic>),
    /// It is right, and more than is understood here.
    Refused(Vec<Diagnostic>),
}

impl LiftFault {
    pub fn diagnostics(&self) -> &[Diagnostic] {
        match self {
            Self::Invalid(found) | Self::Refused(found) => found,
        }
    }
}

/// A rule with its meaning; spans of the query lead to the file through `map`.
#[derive(Clone, Debug)]
pub(crate) struct LiftedRule {
    pub rule: ir::Rule,
    pub map: SpanMap,
    /// In the file.
    pub warnings: Vec<Diagnostic>,
}

/// The rules of a text, or why there are none. Diagnostics are in the file.
pub(crate) fn read(
    text: &str,
    language: Language,
    layout: Layout,
) -> Result<Vec<SourceRule>, Vec<Diagnostic>> {
    match language {
        Language::Kql => {
            let file = match layout {
                Layout::Text => kql::file::read_bare(text),
                Layout::Yaml => kql::file::read_yaml(text),
                Layout::Json => kql::file::read_json(text),
            };
            if file.diagnostics.iter().any(Diagnostic::is_error) {
                return Err(file.diagnostics);
            }
            let rules = file.rules.into_iter().map(|rule| SourceRule {
                name: RuleName { id: rule.envelope.id.clone(), title: rule.envelope.title.clone() },
                language,
                span: rule.span,
                origin: if layout == Layout::Text { origin(text) } else { None },
                body: Body::Kql(Box::new(rule)),
            });
            Ok(rules.collect())
        }
        Language::Sigma => {
            let parsed = sigma::syntax::parse(text);
            let documents = parsed.rules();
            if documents.is_empty() && parsed.diagnostics.iter().any(Diagnostic::is_error) {
                return Err(parsed.diagnostics.clone());
            }
            let documents = Arc::new(documents.into_owned());
            let alerting = sigma::lift::alerting(&documents);
            let faulty = parsed.diagnostics.iter().any(Diagnostic::is_error);
            let ends = documents.iter().skip(1).map(|d| d.span.start).chain([u32::MAX]);
            let mut start = 0;
            let mut rules = Vec::with_capacity(documents.len());
            for (i, ((document, end), alerts)) in documents.iter().zip(ends).zip(alerting).enumerate() {
                // With a correlation everything is wrong that is wrong with its file.
                let whole = document.correlation().is_some() && faulty;
                let own = |d: &&Diagnostic| whole || (start..end).contains(&d.span.start);
                let found = parsed.diagnostics.iter().filter(own).cloned().collect();
                start = end;
                if !alerts {
                    continue;
                }
                let text_of = |key: &str| document.text(key).map(SmolStr::new);
                rules.push(SourceRule {
                    name: RuleName { id: text_of("id"), title: text_of("title") },
                    language,
                    span: *document.span,
                    origin: origin(text),
                    body: Body::Sigma(Arc::clone(&documents), i, found),
                });
            }
            Ok(rules)
        }
        Language::Yaral => {
            let parsed = yaral::syntax::parse(text);
            if parsed.file.rules.is_empty() && parsed.has_errors() {
                return Err(parsed.diagnostics);
            }
            Ok(yaral_rules(parsed, text))
        }
        Language::Sql(dialect) => {
            let envelope = sql_envelope(text);
            Ok(vec![SourceRule {
                name: RuleName { id: envelope.id.clone(), title: envelope.title.clone() },
                language,
                span: Span::from_usize(0, text.len()),
                origin: origin(text),
                body: Body::Sql(Box::new(SqlText { envelope, dialect, text: text.to_owned() })),
            }])
        }
    }
}

/// Each rule with what is wrong from its start to that of the next one.
fn yaral_rules(parsed: yaral::syntax::Parsed, text: &str) -> Vec<SourceRule> {
    let starts: Vec<u32> =
        parsed.file.rules.iter().skip(1).map(|r| r.span.0.start).chain([u32::MAX]).collect();
    let mut start = 0;
    let mut rules = Vec::with_capacity(starts.len());
    for (rule, end) in parsed.file.rules.into_iter().zip(starts) {
        let own = |d: &&Diagnostic| (start..end).contains(&d.span.start);
        let found = parsed.diagnostics.iter().filter(own).cloned().collect();
        start = end;
        rules.push(SourceRule {
            name: yaral_name(&rule),
            language: Language::Yaral,
            span: rule.span.0,
            origin: origin(text),
            body: Body::Yaral(Box::new(rule), found),
        });
    }
    rules
}

pub(crate) fn yaral_name(rule: &yaral::syntax::tree::Rule) -> RuleName {
    let envelope = yaral::lift::envelope(rule);
    RuleName { id: envelope.id, title: envelope.title.or(envelope.name) }
}

/// What the comments at the top of a script say of its rule: a header in SQL says it as one in KQL does.
pub(crate) fn sql_envelope(text: &str) -> ir::Envelope {
    let mut header = String::new();
    for line in text.trim_start_matches('\u{feff}').lines().map(str::trim) {
        match line.strip_prefix("--") {
            Some(comment) => {
                header.push_str("//");
                header.push_str(comment);
                header.push('\n');
            }
            None if line.is_empty() => {}
            None => break,
        }
    }
    kql::file::read_bare(&header).rules.pop().map(|rule| rule.envelope).unwrap_or_default()
}

/// What a header of ours says of where its rule comes from; [`crate::header`] writes it.
fn origin(text: &str) -> Option<SmolStr> {
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    let comments = lines.take_while(|l| l.is_empty() || l.starts_with(['#', '/', '-']));
    let mut bodies = comments.map(|l| l.trim_start_matches(['#', '/', '-']).trim());
    bodies.find_map(|l| l.strip_prefix("Converted from: ")).map(|path| SmolStr::new(path.trim()))
}

impl SourceRule {
    /// Its meaning, or what stands in the way (in the file). `tables`: what is known of tables that no schema has.
    pub fn lift(
        &self,
        sigma_options: &sigma::lift::LiftOptions,
        tables: Option<&KnownTables>,
    ) -> Result<LiftedRule, LiftFault> {
        match &self.body {
            Body::Kql(rule) => {
                let mapped = |mut found: Vec<Diagnostic>| {
                    found.iter_mut().for_each(|d| d.span = rule.map.span(d.span));
                    found
                };
                let parsed = kql::syntax::parse(&rule.query);
                if parsed.diagnostics.iter().any(Diagnostic::is_error) {
                    return Err(LiftFault::Invalid(mapped(parsed.diagnostics)));
                }
                let options = kql::lift::LiftOptions { source: &rule.query };
                let data = tables.map(|t| -> &dyn kql::lift::DataTables { t });
                let lifted = kql::lift::lift_with(&parsed.query, &options, data);
                let mut warnings = mapped(parsed.diagnostics);
                warnings.extend(mapped(lifted.diagnostics));
                let Some(query) = lifted.query else { return Err(LiftFault::Refused(warnings)) };
                let rule_out = ir::Rule { envelope: rule.envelope.clone(), query };
                Ok(LiftedRule { rule: rule_out, map: rule.map.clone(), warnings })
            }
            Body::Sigma(documents, at, diagnostics) => {
                if diagnostics.iter().any(Diagnostic::is_error) {
                    return Err(LiftFault::Invalid(diagnostics.clone()));
                }
                let Some(document) = documents.get(*at) else { return Err(LiftFault::Invalid(Vec::new())) };
                let set = sigma::lift::RuleSet::new(documents, &sigma_options.companions);
                let lifted =
                    sigma::lift::lift_in(document, set, sigma_options).map_err(LiftFault::Refused)?;
                let mut warnings = diagnostics.clone();
                warnings.extend(lifted.warnings);
                Ok(LiftedRule { rule: lifted.rule, map: SpanMap::identity(), warnings })
            }
            Body::Yaral(rule, diagnostics) => {
                if diagnostics.iter().any(Diagnostic::is_error) {
                    return Err(LiftFault::Invalid(diagnostics.clone()));
                }
                let tables = tables.map(|t| -> &dyn yaral::plain::Tables { t });
                let options = yaral::lift::LiftOptions { tables, ..yaral::lift::LiftOptions::default() };
                let lifted = yaral::lift::lift_over(rule, &options).map_err(LiftFault::Refused)?;
                let mut warnings = diagnostics.clone();
                warnings.extend(lifted.warnings);
                Ok(LiftedRule { rule: lifted.rule, map: SpanMap::identity(), warnings })
            }
            Body::Sql(script) => {
                let none = sql::NoTables;
                let tables = tables.map_or::<&dyn sql::SqlTables, _>(&none, |t| t);
                let options = sql::LiftOptions { dialect: script.dialect, tables };
                let lifted = sql::lift(&script.text, &options);
                let Some(query) = lifted.query else { return Err(LiftFault::Refused(lifted.diagnostics)) };
                let rule = ir::Rule { envelope: script.envelope.clone(), query };
                Ok(LiftedRule { rule, map: SpanMap::identity(), warnings: lifted.diagnostics })
            }
        }
    }

    /// What it says of itself, where that is known without its query.
    pub fn envelope(&self) -> ir::Envelope {
        match &self.body {
            Body::Kql(rule) => rule.envelope.clone(),
            Body::Sigma(..) => ir::Envelope {
                id: self.name.id.clone(),
                title: self.name.title.clone(),
                ..ir::Envelope::default()
            },
            Body::Sql(script) => script.envelope.clone(),
            Body::Yaral(rule, _) => yaral::lift::envelope(rule),
        }
    }

    /// The text that the spans of its query point into.
    pub fn query_text<'t>(&'t self, file: &'t str) -> &'t str {
        match &self.body {
            Body::Kql(rule) => &rule.query,
            Body::Sigma(..) | Body::Sql(_) | Body::Yaral(..) => file,
        }
    }

    /// Where the file says how often the rule runs and how far it looks back.
    pub fn schedule(&self) -> Option<Span> {
        match &self.body {
            Body::Kql(rule) => rule.schedule,
            Body::Sigma(..) | Body::Sql(_) | Body::Yaral(..) => None,
        }
    }

    /// Whether the text under the span of a condition is the whole condition.
    pub const fn spans_are_whole(&self) -> bool {
        match self.body {
            Body::Kql(_) | Body::Yaral(..) => true,
            // A test's place is its key; of SQL places are roughly known.
            Body::Sigma(..) | Body::Sql(_) => false,
        }
    }
}

/// A file of this language without a rule: nothing comes of it, and that is told.
pub(crate) fn no_rule(language: Language) -> Diagnostic {
    let message = format!("the file holds no {} rule", language.title());
    Diagnostic::error(codes::UNKNOWN_LANGUAGE, Span::default(), message)
}
