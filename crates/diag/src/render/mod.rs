//! Diagnostics as people and machines read them.
//!
//! In: files with their diagnostics ([`FileReport`]). Out: text with the source underlined ([`text`]), records
//! ([`json`]), SARIF ([`sarif`]), workflow commands of GitHub ([`github`]), JUnit XML ([`junit`]).
//!
//! Paths, messages and sources are other people's text: no renderer writes a character of it that a terminal, a log
//! viewer or an XML reader would obey instead of showing ([`visible`]). The order of the output is that of the input.

pub mod github;
pub mod json;
pub mod junit;
pub mod sarif;
pub mod tables;
pub mod text;
pub mod visible;

#[cfg(test)]
mod tests;

use crate::{Diagnostic, LineIndex, Position};
use std::sync::Arc;

/// A file as it is on disk; spans are offsets into `text`.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// As it is shown: relative to where the user stands, with `/`.
    pub path: String,
    pub text: Arc<str>,
}

/// A file and what was found in it.
#[derive(Clone, Debug)]
pub struct FileReport {
    pub file: SourceFile,
    pub diagnostics: Vec<Diagnostic>,
}

impl FileReport {
    pub fn new(path: impl Into<String>, text: impl Into<Arc<str>>, diagnostics: Vec<Diagnostic>) -> Self {
        Self { file: SourceFile { path: path.into(), text: text.into() }, diagnostics }
    }

    /// The index is made only where there is something to place.
    fn placed(&self) -> impl Iterator<Item = Placed<'_>> {
        let index = (!self.diagnostics.is_empty()).then(|| LineIndex::new(&self.file.text));
        self.diagnostics.iter().filter_map(move |diagnostic| {
            let index = index.as_ref()?;
            let (start, end) = ends(diagnostic, index);
            Some(Placed { diagnostic, start, end })
        })
    }
}

/// A diagnostic with the lines and columns of its span.
struct Placed<'r> {
    diagnostic: &'r Diagnostic,
    start: Position,
    /// Behind the last character.
    end: Position,
}

fn ends(diagnostic: &Diagnostic, index: &LineIndex<'_>) -> (Position, Position) {
    let span = diagnostic.span;
    (index.position(span.start), index.position(span.end.max(span.start)))
}
