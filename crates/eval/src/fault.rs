//! Why a query cannot be run.

use ruleferry_diag::{Code, Diagnostic, Span};
use std::borrow::Cow;
use std::fmt;

/// An error with its place in the text of the query.
#[derive(Clone, Debug)]
pub struct Fault {
    pub code: Code,
    pub span: Span,
    pub message: Cow<'static, str>,
    pub help: Option<Cow<'static, str>>,
}

pub(crate) type Result<T, E = Fault> = std::result::Result<T, E>;

impl Fault {
    pub fn new(code: Code, span: Span, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, span, message: message.into(), help: None }
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with the place, where the one who found it did not know it.
    #[must_use]
    pub(crate) fn at(mut self, span: Span) -> Self {
        if self.span == Span::default() {
            self.span = span;
        }
        self
    }

    pub fn diagnostic(&self) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.code, self.span, self.message.to_string());
        match &self.help {
            Some(help) => diagnostic.with_help(help.to_string()),
            None => diagnostic,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.0, self.message)
    }
}

impl std::error::Error for Fault {}
