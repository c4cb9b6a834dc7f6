//! Results as text for people and as JUnit.

use super::{TestRecord, TestStatus, Tested};
use ruleferry_diag::render::junit::escaped;
use ruleferry_diag::render::visible::visible;
use std::fmt::Write as _;

/// Rows that are shown of each side of a difference.
const SHOWN: usize = 20;

/// One line a case that passed, and more for one that did not.
pub fn text_report(tested: &Tested) -> String {
    let mut out = String::new();
    for record in &tested.records {
        // Writing to a string cannot fail.
        line(&mut out, record).unwrap_or_default();
    }
    out
}

fn line(out: &mut String, record: &TestRecord) -> std::fmt::Result {
    let mark = match record.status {
        TestStatus::Passed => "ok     ",
        TestStatus::Failed => "FAILED ",
        TestStatus::Invalid => "INVALID",
    };
    let path = visible(&record.path);
    let case = record.case.as_deref().map(|c| format!(": {}", visible(c))).unwrap_or_default();
    writeln!(out, "{mark} {path}{case}")?;
    if record.status == TestStatus::Passed {
        return Ok(());
    }
    if let Some(message) = &record.message {
        writeln!(out, "        {path}:{}: {}", record.line, visible(message))?;
    }
    side(out, '-', &record.missing)?;
    side(out, '+', &record.unexpected)
}

fn side(out: &mut String, mark: char, rows: &[serde_json::Value]) -> std::fmt::Result {
    for row in rows.iter().take(SHOWN) {
        writeln!(out, "        {mark} {}", visible(&row.to_string()))?;
    }
    if rows.len() > SHOWN {
        writeln!(out, "        {mark} … and {} more", rows.len() - SHOWN)?;
    }
    Ok(())
}

/// JUnit XML: a suite a file, a case a case.
pub fn junit(all: &[Tested]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    suites(&mut out, all).unwrap_or_default();
    out
}

fn count(records: &[TestRecord], status: TestStatus) -> usize {
    records.iter().filter(|r| r.status == status).count()
}

fn suites(out: &mut String, all: &[Tested]) -> std::fmt::Result {
    let total = |status| all.iter().map(|t| count(&t.records, status)).sum::<usize>();
    let tests: usize = all.iter().map(|t| t.records.len()).sum();
    let (failures, errors) = (total(TestStatus::Failed), total(TestStatus::Invalid));
    writeln!(
        out,
        "<testsuites name=\"ruleferry test\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">"
    )?;
    for tested in all {
        let Some(first) = tested.records.first() else { continue };
        let path = escaped(&first.path);
        let (failures, errors) =
            (count(&tested.records, TestStatus::Failed), count(&tested.records, TestStatus::Invalid));
        let tests = tested.records.len();
        writeln!(
            out,
            "  <testsuite name=\"{path}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">"
        )?;
        for record in &tested.records {
            let name = escaped(record.case.as_deref().unwrap_or("the file"));
            let line = record.line;
            write!(
                out,
                "    <testcase name=\"{name}\" classname=\"{path}\" file=\"{path}\" line=\"{line}\""
            )?;
            let element = match record.status {
                TestStatus::Passed => {
                    writeln!(out, "/>")?;
                    continue;
                }
                TestStatus::Failed => "failure",
                TestStatus::Invalid => "error",
            };
            let message = escaped(record.message.as_deref().unwrap_or_default());
            let mut detail = String::new();
            side(&mut detail, '-', &record.missing)?;
            side(&mut detail, '+', &record.unexpected)?;
            // Each line on its own: escaping takes line ends for what hides.
            let detail: Vec<String> = detail.lines().map(|l| escaped(l.trim_start())).collect();
            writeln!(
                out,
                ">\n      <{element} type=\"{element}\" message=\"{message}\">{}</{element}>\n    </testcase>",
                detail.join("\n")
            )?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}
