//! What mends a finding: edits of the text as it is on disk, of which it is proved that they change no meaning.
//!
//! In: a finding with its [`prove::Repair`], the rule and the file around it. Out: a [`Fix`], or none. Each language says which edits
//! may do (`kql`, `sigma`); what decides is that the file is read again with the edits made, and that the rule in it is
//! proved to be equivalent to the one before. So an edit that is not right is no fix, and is never made.

mod kql;
mod sigma;

use crate::check::{Checked, check_text};
use crate::input::Input;
use crate::language::{Language, Layout};
use crate::run::guarded;
use crate::source::{self, SourceRule};
use ruleferry_diag::{Diagnostic, Edit, Fix, Span, SpanMap};
use ruleferry_ir as ir;
use ruleferry_prove::{self as prove, Finding, Relation};
use std::cell::Cell;

/// Steps of the proof that a fix changes no meaning.
const STEPS: u64 = 200_000;
/// Fixes of one file; what is left is for the next run.
const MOST: usize = 200;
/// Bytes that are read again for the fixes of one file: an export of thousands of rules would be read thousands of times.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// The rule of a finding in its file.
pub(crate) struct Site<'f> {
    pub file: &'f str,
    pub language: Language,
    pub layout: Layout,
    /// Which rule of the file it is.
    pub index: usize,
    pub rule: &'f ir::Rule,
    /// The text that the spans of the finding point into, and its way to the file.
    pub query: &'f str,
    pub map: &'f SpanMap,
    /// What is left of [`Budget`] for the file.
    pub budget: &'f Budget,
}

/// How much may still be read again for the fixes of a file.
pub(crate) struct Budget(Cell<usize>);

impl Budget {
    pub fn new() -> Self {
        Self(Cell::new(MOST_BYTES))
    }

    fn take(&self, bytes: usize) -> bool {
        let left = self.0.get();
        self.0.set(left.saturating_sub(bytes));
        left >= bytes
    }
}

/// What a language would do about a finding: an edit in the text of the query, best first.
struct Candidate {
    title: String,
    edits: Vec<Edit>,
}

impl Site<'_> {
    /// The fix of a finding, if there is one that is proved.
    pub fn fix(&self, finding: &Finding) -> Option<Fix> {
        let repair = finding.repair.as_ref()?;
        let candidates = match self.language {
            Language::Kql => kql::candidates(self.query, finding, repair),
            Language::Sigma => sigma::candidates(self.file, finding, repair),
            // Its places are known roughly only, and it is made from a rule, where the finding is mended.
            Language::Sql(_) => Vec::new(),
            // No edits of its text are known yet.
            Language::Yaral => Vec::new(),
        };
        candidates.into_iter().find_map(|candidate| self.proved(candidate))
    }

    fn proved(&self, candidate: Candidate) -> Option<Fix> {
        let local = Fix { title: candidate.title, edits: candidate.edits };
        let wanted = local.apply(self.query)?;
        if self.language == Language::Sigma {
            return self.keeps_meaning(&local, None).then_some(local);
        }
        // How a text stands in a query that stands in a document depends on the quotes around the query: what reads back
        // as what is wanted is right.
        ENCODINGS.iter().flat_map(|encode| [true, false].map(|next| (encode, next))).find_map(
            |(encode, next)| {
                let edits = local.edits.iter().map(|e| self.edit(e, *encode, next));
                let edits = edits.collect::<Option<Vec<Edit>>>()?;
                let fix = Fix { title: local.title.clone(), edits };
                self.keeps_meaning(&fix, Some(&wanted)).then_some(fix)
            },
        )
    }

    /// `next`: it ends where in the file the next character of the query begins (behind the indentation of its line), else
    /// where its last one ends.
    fn edit(&self, local: &Edit, encode: fn(&str) -> Option<String>, next: bool) -> Option<Edit> {
        let start = self.map.offset(local.span.start);
        let end = match (local.span.is_empty(), next) {
            (true, _) => start,
            (false, true) => self.map.offset(local.span.end),
            (false, false) => self.map.span(local.span).end,
        };
        Some(Edit { span: Span::new(start, end.max(start)), text: encode(&local.text)? })
    }

    /// Whether the file with the fix made holds the same rules. `wanted`: the query as it should read then.
    fn keeps_meaning(&self, fix: &Fix, wanted: Option<&str>) -> bool {
        if !self.budget.take(2 * self.file.len()) {
            return false;
        }
        let Some(after) = fix.apply(self.file) else { return false };
        let (Ok(old), Ok(new)) = (
            source::read(self.file, self.language, self.layout),
            source::read(&after, self.language, self.layout),
        ) else {
            return false;
        };
        if old.len() != new.len() {
            return false;
        }
        // Cheap before dear.
        if let (Some(wanted), Some(new)) = (wanted, new.get(self.index))
            && new.query_text(&after) != wanted
        {
            return false;
        }
        old.iter().zip(&new).enumerate().all(|(i, (old, new))| {
            if i == self.index {
                return lifted(new).is_some_and(|new| same(self.rule, &new));
            }
            match self.language {
                Language::Kql | Language::Sql(_) | Language::Yaral => {
                    old.query_text(self.file) == new.query_text(&after)
                }
                // Rules may share parts.
                Language::Sigma => match (lifted(old), lifted(new)) {
                    (Some(old), Some(new)) => same(&old, &new),
                    (None, None) => true,
                    (Some(_), None) | (None, Some(_)) => false,
                },
            }
        })
    }
}

const ENCODINGS: [fn(&str) -> Option<String>; 3] = [as_it_is, in_double_quotes, in_single_quotes];

fn as_it_is(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn in_double_quotes(text: &str) -> Option<String> {
    let quoted = serde_json::to_string(text).ok()?;
    Some(quoted.strip_prefix('"')?.strip_suffix('"')?.to_owned())
}

fn in_single_quotes(text: &str) -> Option<String> {
    Some(text.replace('\'', "''"))
}

fn lifted(rule: &SourceRule) -> Option<ir::Rule> {
    rule.lift(&ruleferry_sigma::lift::LiftOptions::default(), None).ok().map(|l| l.rule)
}

/// Whether both are proved to mean the same, and say the same of themselves.
fn same(old: &ir::Rule, new: &ir::Rule) -> bool {
    let options = prove::Options {
        now: 0,
        now_is_fixed: false,
        seed: 0,
        steps: STEPS,
        search: false,
        empty_is_absent: false,
        stop: None,
    };
    old.envelope == new.envelope && prove::compare(old, new, &options).relation() == Relation::Equivalent
}

/// What `check --fix` did with a file.
#[derive(Debug)]
pub struct Fixed {
    /// The text to write; `None` where nothing is to be mended.
    pub after: Option<String>,
    /// What was mended, each with its place in the text as it was.
    pub mended: Vec<(Diagnostic, ruleferry_diag::Position)>,
    /// What is found in the text after.
    pub checked: Checked,
}

/// Mends what can be mended in a file, and checks what came of it. Nothing is written.
pub fn fix_file(input: &Input, from: Option<Language>) -> Fixed {
    let fixed = guarded(|| input.read().map(|text| fix_text(input, text, from)));
    fixed.flatten().unwrap_or_else(|d| Fixed {
        after: None,
        mended: Vec::new(),
        checked: Checked::unreadable(input, d),
    })
}

fn fix_text(input: &Input, text: String, from: Option<Language>) -> Fixed {
    let mut checked = check_text(input, text, from);
    let original = checked.text.clone();
    let mut mended: Vec<(Diagnostic, ruleferry_diag::Position)> = Vec::new();
    let mut made: Vec<Fix> = Vec::new();
    let mut after = None;
    // One at a time: what was found beside it is found again, or is gone with it.
    while mended.len() < MOST && mended.len() * original.len() < MOST_BYTES {
        let with_fix = checked.diagnostics.iter().find(|d| d.fix.is_some()).cloned();
        let Some(found) = with_fix else { break };
        let Some(fix) = found.fix.as_deref().cloned() else { break };
        let Some(next) = fix.apply(&checked.text) else { break };
        // Each fix takes something out or says it shorter; what would go round in circles ends here.
        if next == checked.text {
            break;
        }
        let place = made.iter().rev().fold(found.span.start, |at, fix| fix.before(at));
        let place = ruleferry_diag::LineIndex::new(&original).position(place);
        let again = check_text(input, next.clone(), from);
        if again.diagnostics.iter().any(Diagnostic::is_error) {
            break;
        }
        mended.push((found, place));
        made.push(fix);
        after = Some(next);
        checked = again;
    }
    Fixed { after, mended, checked }
}

/// A repair in words, of a thing.
fn removed(what: &str) -> String {
    let mut shown: String = what.split_whitespace().collect::<Vec<_>>().join(" ");
    if shown.chars().count() > 60 {
        shown = shown.chars().take(57).chain("...".chars()).collect();
    }
    format!("take `{shown}` out")
}
