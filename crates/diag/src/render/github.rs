//! Workflow commands of GitHub Actions: annotations on the files of a pull request.

use super::{FileReport, Placed, visible};
use crate::Severity;
use std::fmt::Write;

/// One command a line.
pub fn github(reports: &[FileReport]) -> String {
    let mut out = String::new();
    for report in reports {
        let path = property(&report.file.path);
        for placed in report.placed() {
            // Writing to a string cannot fail.
            command(&mut out, &path, &placed).unwrap_or_default();
        }
    }
    out
}

fn command(
    out: &mut String,
    path: &str,
    Placed { diagnostic: d, start, end }: &Placed<'_>,
) -> std::fmt::Result {
    let kind = match d.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    write!(out, "::{kind} file={path},line={},", start.line)?;
    // Columns are taken only where the annotation is within a line.
    if start.line == end.line {
        write!(out, "endLine={},col={},endColumn={},", end.line, start.column, end.column)?;
    } else {
        write!(out, "endLine={},", end.line)?;
    }
    write!(out, "title={}::{}", property(d.code.0), data(&visible::brief(&d.message)))?;
    if let Some(help) = &d.help {
        write!(out, "%0Ahelp: {}", data(&visible::brief(help)))?;
    }
    out.push('\n');
    Ok(())
}

/// The escapes of the message. What is [`visible`] holds no line end, yet the rule is GitHub's and stays whole.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The escapes of a property: those of the message, and what ends a property.
fn property(text: &str) -> String {
    data(&visible::visible(text)).replace(':', "%3A").replace(',', "%2C")
}
