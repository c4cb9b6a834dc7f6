//! `check`: parses and lifts the rules of a file, and says what is wrong with them,
//! also what is proved of a rule alone.

use crate::fix::{Budget, Site};
use crate::identify::{Identified, identify};
use crate::input::Input;
use crate::language::{Language, Layout};
use crate::record::{CheckRecord, diagnostic_records};
use crate::run::guarded;
use crate::source;
use ruleferry_diag::{Diagnostic, LineIndex, Severity, Span, SpanMap, codes};
use ruleferry_ir as ir;
use ruleferry_ir::{Case, MatchKind};
use ruleferry_kql as kql;
use ruleferry_prove::{Finding, PlainTest, Repair, findings};
use ruleferry_sigma as sigma;

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
    checked.flatten().unwrap_or_else(|d| Checked::unreadable(input, d))
}

impl Checked {
    /// Of a file that cannot be read.
    pub(crate) fn unreadable(input: &Input, why: Diagnostic) -> Self {
        let mut record = empty(input);
        record.diagnostics = diagnostic_records(std::slice::from_ref(&why), "");
        Self { record, text: String::new(), diagnostics: vec![why], holds_rules: true }
    }
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

pub(crate) fn check_text(input: &Input, text: String, from: Option<Language>) -> Checked {
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
                Language::Sql(_) | Language::Yaral => {
                    check_text_of(&text, language, &mut record, &mut diagnostics)
                }
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
    let budget = Budget::new();
    for (index, rule) in file.rules.iter().enumerate() {
        let parsed = kql::syntax::parse(&rule.query);
        let bad = parsed.diagnostics.iter().any(Diagnostic::is_error);
        let mut found = parsed.diagnostics;
        let mut of_rule = Vec::new();
        if bad {
            record.lifted = false;
        } else {
            let lifted = kql::lift::lift(&parsed.query, &kql::lift::LiftOptions { source: &rule.query });
            record.lifted &= lifted.query.is_some();
            record.opaque += lifted.opaque;
            found.extend(lifted.diagnostics.into_iter().map(not_liftable));
            if let Some(query) = lifted.query {
                let lifted = ir::Rule { envelope: rule.envelope.clone(), query };
                let (language, map) = (Language::Kql, &rule.map);
                let site = Site {
                    file: text,
                    language,
                    layout,
                    index,
                    rule: &lifted,
                    query: &rule.query,
                    map,
                    budget: &budget,
                };
                of_rule = proved(&site);
                // Of the rule as a whole: where its schedule stands.
                for d in of_rule.iter_mut().filter(|d| d.span.is_empty()) {
                    d.span = rule.schedule.unwrap_or(d.span);
                }
            }
        }
        diagnostics.extend(found.into_iter().map(|mut d| {
            d.span = rule.map.span(d.span);
            d
        }));
        diagnostics.extend(of_rule);
    }
}

/// The rule reads well, and cannot be lifted: a warning, for its own product may know what is not known here.
fn not_liftable(mut diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.severity = diagnostic.severity.max(Severity::Warning);
    diagnostic
}

/// The rules of a language that is read in one piece.
fn check_text_of(
    text: &str,
    language: Language,
    record: &mut CheckRecord,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let options = sigma::lift::LiftOptions::default();
    let budget = Budget::new();
    let rules = match source::read(text, language, Layout::Text) {
        Ok(rules) => rules,
        Err(found) => return diagnostics.extend(found),
    };
    record.lifted = !rules.is_empty();
    for (index, rule) in rules.iter().enumerate() {
        record.rules += 1;
        match rule.lift(&options, None) {
            Ok(lifted) => {
                record.opaque += lifted.rule.query.opaque_count();
                diagnostics.extend(lifted.warnings.iter().cloned().map(not_liftable));
                let layout = Layout::Text;
                let (query, map) = (text, &lifted.map);
                diagnostics.extend(proved(&Site {
                    file: text,
                    language,
                    layout,
                    index,
                    rule: &lifted.rule,
                    query,
                    map,
                    budget: &budget,
                }));
            }
            Err(source::LiftFault::Invalid(found)) => {
                record.lifted = false;
                diagnostics.extend(found);
            }
            Err(source::LiftFault::Refused(found)) => {
                record.lifted = false;
                diagnostics.extend(found.into_iter().map(not_liftable));
            }
        }
    }
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
    let (map, budget) = (SpanMap::identity(), Budget::new());
    let rules = parsed.rules();
    let set = sigma::lift::RuleSet::new(&rules, &[]);
    for (index, document) in rules.iter().enumerate() {
        match sigma::lift::lift_in(document, set, &options) {
            Ok(lifted) => {
                record.opaque += lifted.rule.query.opaque_count();
                diagnostics.extend(lifted.warnings);
                let (language, layout, rule) = (Language::Sigma, Layout::Yaml, &lifted.rule);
                let (query, map, budget) = (text, &map, &budget);
                let site = Site { file: text, language, layout, index, rule, query, map, budget };
                for mut d in proved(&site) {
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

/// `now()` of the events that show a finding: 2026-01-01T00:00:00Z.
const NOW: i64 = 639_028_224_000_000_000;

/// What is proved to be wrong with a rule, as warnings with places in the file; a place that is none stays empty.
fn proved(site: &Site<'_>) -> Vec<Diagnostic> {
    let (text, language) = (site.query, site.language);
    let options = ruleferry_prove::Options {
        now: NOW,
        now_is_fixed: false,
        seed: 1,
        steps: STEPS,
        search: true,
        empty_is_absent: false,
        stop: None,
    };
    let mut lines = None;
    let mut found = Vec::new();
    for finding in findings(site.rule, &options) {
        if finding.code == codes::UNUSED_LET && named_again(&finding, text) {
            continue;
        }
        let span = if finding.span.is_empty() { finding.span } else { trimmed(finding.span, text) };
        let fix = site.fix(&Finding { span, ..finding.clone() });
        let Finding { code, message, mut help, other, repair, event, span: _ } = finding;
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
            let what = match code {
                codes::IMPLIED_CONDITION | codes::COVERED_ALTERNATIVE => "the other one is",
                _ => "what says so is",
            };
            help = format!("{what} `{shown}`{line}; {help}");
        }
        if let Some(Repair::Plain(plain)) = repair {
            help = format!("{help}: write {}", plain_test(&plain, language));
        }
        let span = if span.is_empty() { span } else { site.map.span(span) };
        let mut told = Diagnostic::warning(code, span, message).with_help(help);
        (told.fix, told.event) = (fix.map(Box::new), event.map(Box::new));
        found.push(told);
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
        Language::Sql(_) | Language::Yaral => format!("a test without a pattern of the text `{text}`"),
    }
}
