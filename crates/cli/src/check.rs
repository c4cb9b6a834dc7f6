//! `ruleferry check`.

use crate::Exit;
use crate::args::{Check, Findings};
use crate::output;
use anyhow::Result;
use ruleferry_engine::diag::render::{FileReport, github, json, junit, sarif};
use ruleferry_engine::diag::{Diagnostic, Severity};
use ruleferry_engine::{Checked, Fixed, check_file, fix_file, for_each, write_whole};
use std::io::{self, BufWriter, Write};

pub fn run(args: &Check) -> Result<Exit> {
    let (inputs, missing) = output::inputs(&args.rules)?;
    let from = output::from(&args.rules);
    let bar = output::progress(inputs.len());
    let mut out = BufWriter::new(io::stdout().lock());
    let mut worst = if missing { Exit::Error } else { Exit::Done };
    let (mut files, mut rules, mut findings, mut mended) = (0_usize, 0_usize, 0_usize, 0_usize);
    let mut reports = Vec::new();
    for_each(
        &inputs,
        |_, input| {
            // Nothing is written to standard input.
            if args.fix && input.shown != "-" {
                return fix_file(input, from);
            }
            Fixed { after: None, mended: Vec::new(), checked: check_file(input, from) }
        },
        |i, fixed| {
            bar.inc(1);
            let Fixed { after, mended: of_file, checked } = fixed;
            if !checked.holds_rules {
                return Ok(());
            }
            files += 1;
            rules += checked.record.rules;
            findings += checked.diagnostics.len();
            worst = worst.max(exit(&checked));
            if let (Some(after), Some(input)) = (after, inputs.get(i)) {
                write_whole(&input.path, &after)
                    .map_err(|e| io::Error::new(e.kind(), format!("cannot write {}: {e}", input.shown)))?;
                mended += of_file.len();
                for (d, at) in &of_file {
                    let what = d.fix.as_ref().map(|f| f.title.as_str()).unwrap_or_default();
                    let line = format!("fixed {}:{}:{}: {}: {what}", input.shown, at.line, at.column, d.code);
                    bar.suspend(|| output::message(&line))?;
                }
            }
            let report = |c: Checked| FileReport::new(c.record.path.clone(), c.text, c.diagnostics);
            match args.format {
                Findings::Text => bar.suspend(|| output::findings(report(checked)))?,
                Findings::Json => writeln!(out, "{}", json::line(&checked.record)?)?,
                Findings::Github => out.write_all(github::github(&[report(checked)]).as_bytes())?,
                Findings::Sarif | Findings::Junit => reports.push(report(checked)),
            }
            Ok(())
        },
    )?;
    bar.finish_and_clear();
    match args.format {
        Findings::Sarif => writeln!(out, "{}", sarif::sarif(&reports, env!("CARGO_PKG_VERSION"))?)?,
        Findings::Junit => writeln!(out, "{}", junit::junit(&reports))?,
        Findings::Text => {
            let fixed = if args.fix { format!(", {mended} fixed") } else { String::new() };
            let left = if args.fix { " left" } else { "" };
            output::message(&format!(
                "{rules} rules in {files} files checked{fixed}, {findings} findings{left}"
            ))?;
        }
        Findings::Json | Findings::Github => {}
    }
    out.flush()?;
    Ok(worst)
}

/// Errors make the run an error; warnings, and rules that cannot be lifted whole, are something to report.
fn exit(checked: &Checked) -> Exit {
    if checked.diagnostics.iter().any(Diagnostic::is_error) {
        return Exit::Error;
    }
    let warned = checked.diagnostics.iter().any(|d| d.severity == Severity::Warning);
    if warned || !checked.record.lifted || checked.record.opaque > 0 { Exit::Report } else { Exit::Done }
}
