//! Diagnostics as the records that `--format json` prints.

use super::{FileReport, Placed, ends, visible::is_hidden};
use crate::{Code, Diagnostic, Event, LineIndex, Severity, Span};
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use std::io;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct DiagnosticRecord {
    pub code: Code,
    pub severity: Severity,
    pub message: String,
    pub help: Option<String>,
    pub span: SpanRecord,
    /// Edits after which the finding is gone and the rule still means the same: proved. What `check --fix` does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<FixRecord>,
    /// Events that show it, as the evaluator saw them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Event>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct FixRecord {
    pub title: String,
    pub edits: Vec<EditRecord>,
}

/// A piece of the file and what stands there instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct EditRecord {
    pub span: SpanRecord,
    pub text: String,
}

/// UTF-8 byte offsets in the file, and the same as lines and columns, from 1; the end is behind the last character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct SpanRecord {
    pub start: u32,
    pub end: u32,
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
}

pub fn record(diagnostic: &Diagnostic, index: &LineIndex<'_>) -> DiagnosticRecord {
    let (start, end) = ends(diagnostic, index);
    placed(&Placed { diagnostic, start, end }, index)
}

impl SpanRecord {
    pub fn new(span: Span, index: &LineIndex<'_>) -> Self {
        let (start, end) = (index.position(span.start), index.position(span.end.max(span.start)));
        Self {
            start: span.start,
            end: span.end,
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
        }
    }
}

/// The records of a file, in the order of its diagnostics.
pub fn records(report: &FileReport) -> Vec<DiagnosticRecord> {
    let index = LineIndex::new(&report.file.text);
    report.placed().map(|p| placed(&p, &index)).collect()
}

fn placed(Placed { diagnostic: d, start, end }: &Placed<'_>, index: &LineIndex<'_>) -> DiagnosticRecord {
    let edit = |e: &crate::Edit| EditRecord { span: SpanRecord::new(e.span, index), text: e.text.clone() };
    DiagnosticRecord {
        fix: d
            .fix
            .as_ref()
            .map(|fix| FixRecord { title: fix.title.clone(), edits: fix.edits.iter().map(edit).collect() }),
        event: d.event.as_deref().cloned(),
        code: d.code,
        severity: d.severity,
        message: d.message.clone(),
        help: d.help.clone(),
        span: SpanRecord {
            start: d.span.start,
            end: d.span.end,
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
        },
    }
}

/// Bytes that most records fit in.
const TYPICAL: usize = 8192;

/// One line of JSON. Hidden characters inside of strings are written as `\uXXXX`, which reads back as the same text and is
/// harmless on a terminal; JSON itself asks that only of those below U+0020.
pub fn line<T: Serialize>(value: &T) -> serde_json::Result<String> {
    let mut out = Vec::with_capacity(TYPICAL);
    value.serialize(&mut Serializer::with_formatter(&mut out, Escaping(CompactFormatter)))?;
    // The serializer writes UTF-8 only.
    String::from_utf8(out).map_err(serde::ser::Error::custom)
}

/// A formatter whose strings hold no hidden character.
struct Escaping<F>(F);

impl<F: Formatter> Formatter for Escaping<F> {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // Without an early end the loop takes many bytes at a time.
        let plain = fragment.bytes().fold(true, |plain, b| plain & matches!(b, b' '..=b'~'));
        if plain || !fragment.chars().any(is_hidden) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut units = [0; 2];
        for c in fragment.chars() {
            if is_hidden(c) {
                c.encode_utf16(&mut units).iter().try_for_each(|unit| write!(writer, "\\u{unit:04x}"))?;
            } else {
                write!(writer, "{c}")?;
            }
        }
        Ok(())
    }
}
