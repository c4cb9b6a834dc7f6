//! `check`: parses and lifts the rules of a file, and says what is wrong with them.

use crate::identify::{Identified, identify};
use crate::input::Input;
use crate::language::{Language, Layout};
use crate::record::{CheckRecord, diagnostic_records};
use crate::run::guarded;
use ruleferry_diag::{Diagnostic, Severity};
use ruleferry_kql as kql;
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
                Language::Sql => check_sql(&text, &mut record, &mut diagnostics),
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

fn check_sql(text: &str, record: &mut CheckRecord, diagnostics: &mut Vec<Diagnostic>) {
    let options = sql::LiftOptions { dialect: sql::Dialect::DUCKDB, tables: &sql::NoTables };
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
            }
            Err(found) => {
                record.lifted = false;
                diagnostics.extend(found.into_iter().map(not_liftable));
            }
        }
    }
}
