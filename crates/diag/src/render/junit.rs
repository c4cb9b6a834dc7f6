//! JUnit XML: a suite per file, a case per diagnostic; a file without any is one case that passes.

use super::{FileReport, Placed, visible};
use crate::Severity;
use std::fmt::{self, Write};

/// The whole document. Errors are failures; warnings and notes pass and are told in the output of their case, since
/// they do not fail a run.
pub fn junit(reports: &[FileReport]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string cannot fail.
    suites(&mut out, reports).unwrap_or_default();
    out
}

fn suites(out: &mut String, reports: &[FileReport]) -> fmt::Result {
    let tests: usize = reports.iter().map(cases).sum();
    let failures: usize = reports.iter().map(failures).sum();
    writeln!(out, "<testsuites name=\"ruleferry\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">")?;
    reports.iter().try_for_each(|report| suite(out, report))?;
    writeln!(out, "</testsuites>")
}

fn cases(report: &FileReport) -> usize {
    report.diagnostics.len().max(1)
}

fn failures(report: &FileReport) -> usize {
    report.diagnostics.iter().filter(|d| d.is_error()).count()
}

fn suite(out: &mut String, report: &FileReport) -> fmt::Result {
    let path = escaped(&report.file.path);
    let (tests, failures) = (cases(report), failures(report));
    writeln!(out, "  <testsuite name=\"{path}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">")?;
    if report.diagnostics.is_empty() {
        writeln!(out, "    <testcase name=\"check\" classname=\"{path}\" file=\"{path}\"/>")?;
    }
    report.placed().try_for_each(|placed| case(out, &path, &placed))?;
    writeln!(out, "  </testsuite>")
}

fn case(out: &mut String, path: &str, Placed { diagnostic: d, start, .. }: &Placed<'_>) -> fmt::Result {
    let (line, column) = (start.line, start.column);
    let (code, message) = (escaped(d.code.0), escaped(&visible::brief(&d.message)));
    writeln!(
        out,
        "    <testcase name=\"{code} at {line}:{column}\" classname=\"{path}\" file=\"{path}\" line=\"{line}\">"
    )?;
    let help =
        d.help.as_deref().map(|h| format!("\nhelp: {}", escaped(&visible::brief(h)))).unwrap_or_default();
    let detail = format!("{path}:{line}:{column}: {message}{help}");
    match d.severity {
        Severity::Error => {
            writeln!(out, "      <failure type=\"{code}\" message=\"{message}\">{detail}</failure>")?;
        }
        Severity::Warning => writeln!(out, "      <system-out>warning: {detail}</system-out>")?,
        Severity::Note => writeln!(out, "      <system-out>note: {detail}</system-out>")?,
    }
    writeln!(out, "    </testcase>")
}

/// Text for content and for attributes in double quotes. Hidden characters, most of which XML 1.0 forbids even as
/// references, are written out first; `>` is escaped so that no `]]>` arises.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible::visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // Forbidden although nothing obeys them.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
