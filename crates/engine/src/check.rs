//! `check`: parses and lifts the rules of a file, and says what is wrong with them,
//! also what is proved of a rule alone.

use crate::identify::{Identified, identify};
use crate::input::Input;
use crate::language::{Language, Layout};
use crate::record::{CheckRecord, diagnostic_records};
use crate::run::guarded;
use ruleferry_diag::{Diagnostic, LineIndex, Severity, Span, codes};
use ruleferry_ir as ir;
use ruleferry_ir::{Case, MatchKind};
use ruleferry_kql as kql;
use ruleferry_prove::{Finding, PlainTest, findings};
use ruleferry_sigma as sigma;
use ruleferry_sql as sql;

/// What was found in one file.
#[derive(Debug)]
pub struct Checked {
    pub record: CheckRecord,
    pub text: String,
    pub diagnostics: Vec<Diagnostic>,
    /// False for a file that lay in a folder among rules, and holds none.
    pub holds_rules: bool,
}

/// Checks a file; `from` overrides what its name and content say.
pub fn check_file(input: &Input, from: Option<Language>) -> Checked {
    let checked = guarded(|| input.read().map(|text| check_text(input, text, from)));
    checked.flatten().unwrap_or_else(|d| {
        let mut record = empty(input);
        record.diagnostics = diagnostic_records(std::slice::from_ref(&d), "");
        Checked { record, text: String::new(), diagnostics: vec![d], holds_rules: true }
    })
}

fn empty(input: &Input) -> CheckRecord {
    CheckRecord {
        path: input.shown.clone(),
        language: None,
        rules: 0,
        lifted: false,
        opaque: 0,
        diagnostics: Vec::new(),
    }
}

fn check_text(input: &Input, text: String, from: Option<Language>) -> Checked {
    let mut record = empty(input);
    let mut diagnostics = Vec::new();
    let mut holds_rules = true;
    match identify(input, &text, from) {
        Identified::Unknown(found) => diagnostics = found,
        Identified::NoRules => holds_rules = false,
        Identified::Rules(language, layout) => {
            record.language = Some(language.name());
            match language {
                Language::Kql => check_kql(&text, layout, &mut record, &mut diagnostics),
                Language::Sigma => check_sigma(&text, &mut record, &mut diagnostics),
                Language::Sql(dialect) => check_sql(&text, dialect, &mut record, &mut diagnostics),
            }
        }
    }
    diagnostics.sort_by_key(|d| (d.span, d.severity, d.code));
    diagnostics.dedup();
    record.diagnostics = diagnostic_records(&diagnostics, &text);
    Checked { record, text, diagnostics, holds_rules }
}

fn check_kql(text: &str, layout: Layout, record: &mut CheckRecord, diagnostics: &mut Vec<Diagnostic>) {
    let file = match layout {
        Layout::Text => kql::file::read_bare(text),
        Layout::Yaml => kql::file::read_yaml(text),
        Layout::Json => kql::file::read_json(text),
    };
    record.rules = file.rules.len();
    record.lifted = !file.rules.is_empty() && !file.diagnostics.iter().any(Diagnostic::is_error);
    diagnostics.extend(file.diagnostics);
    for rule in &file.rules {
        let parsed = kql::syntax::parse(&rule.query);
        let bad = parsed.diagnostics.iter().any(Diagnostic::is_error);
        let mut found = parsed.diagnostics;
        if bad {
            record.lifted = false;
        } else {
            let lifted = kql::lift::lift(&parsed.query, &kql::lift::LiftOptions { source: &rule.query });
            record.lifted &= lifted.query.is_some();
            record.opaque += lifted.opaque;
            found.extend(lifted.diagnostics.into_iter().map(not_liftable));
            if let Some(query) = lifted.query {
                let lifted = ir::Rule { envelope: rule.envelope.clone(), query };
                found.extend(proved(&lifted, Language::Kql, &rule.query));
            }
        }
        for mut d in found {
            d.span = rule.map.span(d.span);
            diagnostics.push(d);
        }
    }
}

/// The rule reads well, and cannot be lifted: a warning, for its own product may know what is not known here.
fn not_liftable(mut diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.severity = diagnostic.severity.max(Severity::Warning);
    diagnostic
}

fn check_sql(
    text: &str,
    dialect: sql::ReadDialect,
    record: &mut CheckRecord,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let options = sql::LiftOptions { dialect, tables: &sql::NoTables };
    let lifted = sql::lift(text, &options);
    (record.rules, record.lifted) = (1, lifted.query.is_some());
    diagnostics.extend(lifted.diagnostics.into_iter().map(not_liftable));
}

fn check_sigma(text: &str, record: &mut CheckRecord, diagnostics: &mut Vec<Diagnostic>) {
    let parsed = sigma::syntax::parse(text);
    record.rules = parsed.documents.len();
    record.lifted = record.rules > 0 && !parsed.diagnostics.iter().any(Diagnostic::is_error);
    let readable = record.lifted;
    diagnostics.extend(parsed.diagnostics.iter().cloned());
    if !readable {
        return;
    }
    let options = sigma::lift::LiftOptions::default();
    for document in parsed.rules().iter() {
        match sigma::lift::lift(document, &options) {
            Ok(lifted) => {
                record.opaque += lifted.rule.query.opaque_count();
                diagnostics.extend(lifted.warnings);
                for mut d in proved(&lifted.rule, Language::Sigma, text) {
                    // Of the rule as a whole: where it starts.
                    if d.span.is_empty() {
                        d.span = Span::new(document.span.start, document.span.start);
                    }
                    diagnostics.push(d);
                }
            }
            Err(found) => {
                record.lifted = false;
                diagnostics.extend(found.into_iter().map(not_liftable));
            }
        }
    }
}

/// Steps of proof for one rule: what takes longer is not told.
const STEPS: u64 = 50_000;

/// What is proved to be wrong with a rule, as warnings with places in `text`.
fn proved(rule: &ir::Rule, language: Language, text: &str) -> Vec<Diagnostic> {
    let options = ruleferry_prove::Options {
        now: 0,
        seed: 0,
        steps: STEPS,
        search: false,
        empty_is_absent: false,
        stop: None,
    };
    let mut lines = None;
    let mut found = Vec::new();
    for finding in findings(rule, &options) {
        if finding.code == codes::UNUSED_LET && named_again(&finding, text) {
            continue;
        }
        let Finding { code, span, message, mut help, other, plain } = finding;
        if let Some(other) = other {
            let mut shown = other.text(text).split_whitespace().collect::<Vec<_>>().join(" ");
            if shown.chars().count() > 60 {
                shown = shown.chars().take(57).chain("...".chars()).collect();
            }
            // A place in Sigma may be a key only.
            let line = if language == Language::Sigma {
                let lines = lines.get_or_insert_with(|| LineIndex::new(text));
                format!(" in line {}", lines.position(other.start).line)
            } else {
                String::new()
            };
            help = format!("the other one is `{shown}`{line}; {help}");
        }
        if let Some(plain) = plain {
            help = format!("{help}: write {}", plain_test(&plain, language));
        }
        found.push(Diagnostic::warning(code, trimmed(span, text), message).with_help(help));
    }
    found
}

/// Whether a name that no binding of the plan uses stands in the text all the same: its value was read while lifting.
fn named_again(finding: &Finding, text: &str) -> bool {
    let Some(name) = finding.message.split('`').nth(1).filter(|n| !n.is_empty()) else { return true };
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut places = text.match_indices(name).filter(|(at, _)| {
        let before = text.get(..*at).and_then(|t| t.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|t| t.chars().next());
        !before.is_some_and(word) && !after.is_some_and(word)
    });
    places.nth(1).is_some()
}

/// A place without the space, the `|` and the bracket around it.
fn trimmed(span: Span, text: &str) -> Span {
    let inner = span.text(text);
    let start = inner.len() - inner.trim_start_matches(|c: char| c.is_whitespace() || c == '|').len();
    let end = inner.trim_end_matches(|c: char| c.is_whitespace() || c == '(').len();
    if start >= end {
        return span;
    }
    let at = span.start as usize;
    Span::from_usize(at + start, at + end)
}

/// A plain test as its language writes it.
fn plain_test(plain: &PlainTest, language: Language) -> String {
    let exact = plain.case == Case::Sensitive;
    let (kql, sigma) = match plain.kind {
        MatchKind::Equals => (if exact { "==" } else { "=~" }, ""),
        MatchKind::Contains => (if exact { "contains_cs" } else { "contains" }, "|contains"),
        MatchKind::StartsWith => (if exact { "startswith_cs" } else { "startswith" }, "|startswith"),
        MatchKind::EndsWith => (if exact { "endswith_cs" } else { "endswith" }, "|endswith"),
        MatchKind::Term
        | MatchKind::TermPrefix
        | MatchKind::TermSuffix
        | MatchKind::Regex
        | MatchKind::Glob
        | MatchKind::Cidr => ("", ""),
    };
    let text = &plain.text;
    match language {
        Language::Kql => format!("`{kql}` with the text `{text}`"),
        Language::Sigma => {
            format!("the field with `{sigma}{}` and the text `{text}`", if exact { "|cased" } else { "" })
        }
        Language::Sql(_) => format!("a test without a pattern of the text `{text}`"),
    }
}
