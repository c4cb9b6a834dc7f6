//! `ruleferry check`.

use crate::Exit;
use crate::args::{Check, Findings};
use crate::output;
use anyhow::Result;
use ruleferry_engine::diag::render::{FileReport, github, json, junit, sarif};
use ruleferry_engine::diag::{Diagnostic, Severity};
use ruleferry_engine::{Checked, check_file, for_each, format_file, write_whole};
use std::io::{self, BufWriter, Write};

pub fn run(args: &Check) -> Result<Exit> {
    let (inputs, missing) = output::inputs(&args.rules)?;
    let from = output::from(&args.rules);
    let bar = output::progress(inputs.len());
    let mut out = BufWriter::new(io::stdout().lock());
    let mut worst = if missing { Exit::Error } else { Exit::Done };
    let (mut files, mut rules, mut findings) = (0_usize, 0_usize, 0_usize);
    let mut reports = Vec::new();
    for_each(
        &inputs,
        |_, input| check_file(input, from),
        |i, checked: Checked| {
            bar.inc(1);
            if !checked.holds_rules {
                return Ok(());
            }
            files += 1;
            rules += checked.record.rules;
            findings += checked.diagnostics.len();
            worst = worst.max(exit(&checked));
            if args.fix
                && !checked.diagnostics.iter().any(Diagnostic::is_error)
                && let Some(input) = inputs.get(i).filter(|i| i.shown != "-")
                && let formatted = format_file(input, from)
                && let Some(after) = formatted.after.filter(|a| *a != formatted.before)
            {
                write_whole(&input.path, &after)?;
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
            output::message(&format!("{rules} rules in {files} files checked, {findings} findings"))?;
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
