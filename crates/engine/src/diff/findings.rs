//! A comparison for code scanning and pull requests, and the gates that decide whether a run fails.

use super::report::sentence;
use super::{Diffed, DiffedFile};
use ruleferry_diag::render::FileReport;
use ruleferry_diag::{Diagnostic, Severity, Span, codes};
use ruleferry_prove::Relation;

/// What makes a run fail. Without any, every difference does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gates {
    pub no_new_blind_spot: bool,
    pub no_new_noise: bool,
    /// What is not decided passes the gates.
    pub allow_unknown: bool,
}

impl Gates {
    /// Whether a pair passes. What is not known does not.
    pub fn pass(self, diffed: &Diffed) -> bool {
        let record = &diffed.record;
        let (misses, finds_more) = match (&record.verdict, &record.a, &record.b) {
            (Some(verdict), ..) => match verdict.relation() {
                Relation::Equivalent | Relation::EquivalentBounded => return true,
                Relation::Narrower => (true, false),
                Relation::Wider => (false, true),
                Relation::Divergent | Relation::Disjoint => (true, true),
                Relation::Unknown => {
                    let gated = self.no_new_blind_spot || self.no_new_noise;
                    return gated && self.allow_unknown;
                }
            },
            // A rule that is gone finds nothing; a new one finds what nobody found before.
            (None, Some(_), None) => (true, false),
            (None, None, Some(_)) => (false, true),
            (None, ..) => (true, true),
        };
        if !self.no_new_blind_spot && !self.no_new_noise {
            return false;
        }
        !(self.no_new_blind_spot && misses || self.no_new_noise && finds_more)
    }
}

/// The finding of a pair, in the file that a reader has before them: that of `b`, unless only `a` is in the working tree.
pub fn finding(diffed: &Diffed, gates: Gates) -> Option<FileReport> {
    let record = &diffed.record;
    let at_revision = |file: &DiffedFile| file.text.is_empty() || !std::path::Path::new(&file.path).exists();
    let (file, is_a) = match (&diffed.a, &diffed.b) {
        (Some(a), Some(b)) if at_revision(b) && !at_revision(a) => (a, true),
        (_, Some(b)) => (b, false),
        (Some(a), None) => (a, true),
        (None, None) => return None,
    };
    let errors = file.diagnostics.iter().filter(|d| d.is_error()).cloned();
    let mut found: Vec<Diagnostic> = errors.collect();
    let (code, message) = match (&record.verdict, &record.a, &record.b) {
        (Some(verdict), ..) => {
            let code = match verdict.relation() {
                Relation::Equivalent | Relation::EquivalentBounded => None,
                Relation::Narrower => Some(codes::DIFF_NARROWER),
                Relation::Wider => Some(codes::DIFF_WIDER),
                Relation::Divergent | Relation::Disjoint => Some(codes::DIFF_DIVERGENT),
                Relation::Unknown => Some(codes::DIFF_UNKNOWN),
            };
            (code, sentence(verdict))
        }
        (None, Some(a), None) => {
            (Some(codes::DIFF_NO_PARTNER), format!("`{}` has no partner on the other side", a.path))
        }
        (None, None, Some(b)) => {
            (Some(codes::DIFF_NO_PARTNER), format!("`{}` has no partner on the other side", b.path))
        }
        (None, ..) => (None, String::new()),
    };
    if let Some(code) = code {
        let change = record.changes.iter().find_map(|c| if is_a { c.a_span } else { c.b_span });
        let start = Span::new(file.span.start, file.span.start);
        let span = change.map_or(start, |s| Span::new(s.start, s.end));
        let severity = if gates.pass(diffed) { Severity::Note } else { Severity::Warning };
        let severity =
            if gates == Gates::default() || severity == Severity::Note { severity } else { Severity::Error };
        let other = match (&record.a, &record.b) {
            (Some(a), Some(b)) => format!(" (a: {}, b: {})", a.path, b.path),
            _ => String::new(),
        };
        let mut diagnostic = Diagnostic::warning(code, span, message + &other);
        diagnostic.severity = severity;
        let told: Vec<String> = record.changes.iter().take(10).map(one_line).collect();
        if !told.is_empty() {
            diagnostic.help = Some(told.join("; "));
        }
        found.push(diagnostic);
    }
    (!found.is_empty()).then(|| FileReport::new(file.path.clone(), file.text.clone(), found))
}

fn one_line(change: &super::Change) -> String {
    let brief = |text: &str| {
        let line: Vec<&str> = text.split_whitespace().collect();
        line.join(" ").chars().take(80).collect::<String>()
    };
    let what = match (&change.a, &change.b) {
        (Some(a), Some(b)) => format!("`{}` became `{}`", brief(a), brief(b)),
        (Some(a), None) => format!("`{}` is gone", brief(a)),
        (None, Some(b)) => format!("`{}` is new", brief(b)),
        (None, None) => String::new(),
    };
    format!("{} ({}): {what}", change.kind.name(), change.effect.name())
}
