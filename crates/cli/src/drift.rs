//! `ruleferry drift`.

use crate::args::{Drift, DriftFormat};
use crate::{Exit, diff, output};
use anyhow::{Context as _, Result, bail};
use ruleferry_catalog::drift::{Baseline, DriftOptions, DriftRecord, Drifted, State, drift, told};
use ruleferry_engine::diag::render::{FileReport, github, json, junit, sarif};
use ruleferry_engine::{ChangeEffect, DiffOptions, DiffSide, Language, Side, sentence};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

pub fn run(args: &Drift) -> Result<Exit> {
    let (source, deployed) = match (&args.deployed, &args.since) {
        (Some(deployed), None) => (side(&args.source)?, side(deployed)?),
        (None, Some(revision)) => {
            let mut then = args.source.clone().into_os_string();
            then.push("@");
            then.push(revision);
            (side(&PathBuf::from(then))?, side(&args.source)?)
        }
        (Some(_), Some(_)) | (None, None) => {
            bail!("name either what is deployed or, with --since, a revision")
        }
    };
    let baseline = match &args.baseline {
        Some(path) => {
            let text =
                std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            Baseline::parse(&text)
                .map_err(anyhow::Error::msg)
                .with_context(|| format!("in {}", path.display()))?
        }
        None => Baseline::default(),
    };
    let options = DriftOptions {
        diff: DiffOptions {
            from: args.from.as_deref().and_then(Language::parse),
            sigma: output::sigma_options(args.values.as_deref())?,
            watch: diff::watch(args.timeout.as_deref())?,
            ..DiffOptions::default()
        },
        baseline: &baseline,
        today: today(),
        since: args.since.is_some(),
    };
    for entry in baseline.expired(&options.today) {
        output::message(&format!(
            "warning: the baseline's entry for `{}` expired on {}",
            entry.rule, entry.expires
        ))?;
    }
    let mut worst = Exit::Done;
    for e in source.errors.iter().chain(&deployed.errors) {
        output::message(&format!("error: {e}"))?;
        worst = Exit::Error;
    }
    let mut totals: BTreeMap<State, usize> = BTreeMap::new();
    let mut reports: Vec<FileReport> = Vec::new();
    let mut records: Vec<DriftRecord> = Vec::new();
    let mut out = BufWriter::new(io::stdout().lock());
    let count = drift(&source, &deployed, &options, |Drifted { record, report }| {
        *totals.entry(record.state).or_default() += 1;
        worst = worst.max(exit(&record, args.allow_unknown));
        match args.format {
            DriftFormat::Json => writeln!(out, "{}", json::line(&record)?)?,
            DriftFormat::Text => {
                out.write_all(text(&record).as_bytes())?;
                out.flush()?;
            }
            DriftFormat::Sarif | DriftFormat::Github | DriftFormat::Junit => reports.extend(report),
            DriftFormat::Markdown => records.push(record),
        }
        Ok(())
    })?;
    match args.format {
        DriftFormat::Sarif => writeln!(out, "{}", sarif::sarif(&reports, env!("CARGO_PKG_VERSION"))?)?,
        DriftFormat::Github => out.write_all(github::github(&reports).as_bytes())?,
        DriftFormat::Junit => out.write_all(junit::junit(&reports).as_bytes())?,
        DriftFormat::Markdown => out.write_all(markdown(&records, &totals).as_bytes())?,
        DriftFormat::Text | DriftFormat::Json => {}
    }
    out.flush()?;
    if count == 0 {
        bail!("no rules found on either side");
    }
    let parts: Vec<String> = totals.iter().map(|(state, n)| format!("{n} {}", state.name())).collect();
    output::message(&format!("{count} rules: {}", parts.join(", ")))?;
    Ok(worst)
}

fn side(argument: &Path) -> Result<Side> {
    Side::open(argument).map_err(anyhow::Error::msg)
}

fn exit(record: &DriftRecord, allow_unknown: bool) -> Exit {
    match record.state {
        State::Invalid => Exit::Error,
        State::Unknown if allow_unknown => Exit::Done,
        state if state.drifted() && record.accepted.is_none() => Exit::Report,
        _ => Exit::Done,
    }
}

/// The day, in UTC: only the command line reads the clock.
#[expect(clippy::disallowed_methods, reason = "the baseline's entries end on a day")]
fn today() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let days = now.map_or(0, |d| d.as_secs() / 86_400);
    ruleferry_engine::date_text(i64::try_from(days).unwrap_or(0))
}

fn name(side: &DiffSide) -> String {
    let title = side.rule.title.as_ref().or(side.rule.id.as_ref());
    title.map_or_else(|| side.path.clone(), |t| format!("{t} ({})", side.path))
}

fn text(record: &DriftRecord) -> String {
    let mut out = String::new();
    let side = record.source.as_ref().or(record.deployed.as_ref());
    let title = output::visible(&side.map(name).unwrap_or_default()).into_owned();
    // Writing to a string cannot fail.
    let _ = write!(out, "{:<12} {title}", record.state.name());
    if let Some(reason) = &record.accepted {
        let _ = write!(out, " [accepted: {}]", output::visible(reason));
    }
    out.push('\n');
    if record.without_version_bump {
        out.push_str("    its meaning changed without a new version\n");
    }
    if let Some(verdict) = record.verdict.as_ref().filter(|_| record.state.drifted()) {
        let _ = writeln!(out, "    {}", output::visible(&sentence(verdict)));
    }
    for change in record.changes.iter().filter(|c| record.state.drifted() && c.effect != ChangeEffect::None) {
        let brief: String = told(change).split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(out, "    {} ({})", output::visible(&brief), change.effect.name());
    }
    if record.state == State::Metadata {
        for m in record.metadata.iter().filter(|m| m.a.is_some() && m.b.is_some()) {
            let value = |side: &Option<String>| {
                side.as_deref().unwrap_or_default().lines().next().unwrap_or_default().to_owned()
            };
            let _ = writeln!(
                out,
                "    {}: {} became {}",
                m.key,
                output::visible(&value(&m.a)),
                output::visible(&value(&m.b))
            );
        }
    }
    for d in [&record.source, &record.deployed].into_iter().flatten().flat_map(|s| &s.diagnostics) {
        if record.state == State::Invalid {
            let _ = writeln!(out, "    {}: {}", d.code.0, output::visible(&d.message));
        }
    }
    out
}

/// A summary for a pull request: the totals, and what drifted.
fn markdown(records: &[DriftRecord], totals: &BTreeMap<State, usize>) -> String {
    let cell = |text: &str| {
        let mut out = String::new();
        for c in output::visible(text).chars() {
            if "\\|`*_[]<>#~!$".contains(c) {
                out.push('\\');
            }
            out.push(if c.is_control() { ' ' } else { c });
        }
        out
    };
    let mut out = String::from("# Drift\n\n| state | rules |\n|---|---|\n");
    for (state, n) in totals {
        let _ = writeln!(out, "| {} | {n} |", state.name());
    }
    let drifted: Vec<&DriftRecord> = records.iter().filter(|r| r.state.drifted()).collect();
    if !drifted.is_empty() {
        out.push_str("\n| rule | state | what | accepted |\n|---|---|---|---|\n");
    }
    for r in drifted {
        let side = r.source.as_ref().or(r.deployed.as_ref());
        let what: Vec<String> =
            r.changes.iter().filter(|c| c.effect != ChangeEffect::None).take(3).map(told).collect();
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            cell(&side.map(name).unwrap_or_default()),
            r.state.name(),
            cell(&what.join("; ")),
            cell(r.accepted.as_deref().unwrap_or_default())
        );
    }
    out
}
