//! One message about one place.

use crate::Span;
use serde::Serialize;

/// The stable code of a diagnostic (`E0102`) or a loss (`L0104`); see [`crate::codes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
pub struct Code(pub &'static str);

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
    Note,
}

/// A message with its place. Wording: a lower-case fragment, user text in backticks, no type names of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    pub span: Span,
    /// A change of the text after which it is gone, and which changes no meaning.
    pub fix: Option<Box<Fix>>,
    /// Events that show it.
    pub event: Option<Box<Event>>,
}

/// Edits that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What they do: a fragment like a message.
    pub title: String,
    /// In the order of the text, none over another.
    pub edits: Vec<Edit>,
}

/// A piece of the file and what stands there instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub span: Span,
    pub text: String,
}

impl Fix {
    /// The text with the edits made; `None` where they do not fit it.
    pub fn apply(&self, text: &str) -> Option<String> {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for edit in &self.edits {
            out.push_str(text.get(at..edit.span.start as usize)?);
            out.push_str(&edit.text);
            at = edit.span.end as usize;
        }
        out.push_str(text.get(at..)?);
        Some(out)
    }

    /// Where in the text before it what stands at a place after it was.
    pub fn before(&self, at: u32) -> u32 {
        let mut grown: i64 = 0;
        for edit in &self.edits {
            let start = i64::from(edit.span.start) + grown;
            let length = i64::try_from(edit.text.len()).unwrap_or(i64::MAX);
            if i64::from(at) < start {
                break;
            }
            if i64::from(at) < start.saturating_add(length) {
                return edit.span.start;
            }
            grown += length - i64::from(edit.span.end - edit.span.start);
        }
        u32::try_from(i64::from(at) - grown).unwrap_or(at)
    }
}

/// Tables with the rows that show something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Event {
    /// What they show: a fragment like a message.
    pub shows: String,
    /// The time of the run, RFC 3339.
    pub now: String,
    /// Rows by table; a column that is not there has no value.
    pub tables: serde_json::Map<String, serde_json::Value>,
}

impl Diagnostic {
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, span, message)
    }

    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, span, message)
    }

    pub fn note(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, span, message)
    }

    fn new(code: Code, severity: Severity, span: Span, message: impl Into<String>) -> Self {
        Self { code, severity, message: message.into(), help: None, span, fix: None, event: None }
    }

    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
