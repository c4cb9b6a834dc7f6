//! `ruleferry diff`.

use crate::Exit;
use crate::args::{Diff, DiffFormat};
use crate::output;
use anyhow::{Context as _, Result, bail};
use ruleferry_engine::diag::render::{FileReport, github, json, sarif};
use ruleferry_engine::{
    DiffOptions, Diffed, DiffedFile, Gates, Language, Side, Watch, diff, diff_text, finding, parse_time,
};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write as _};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

pub fn run(args: &Diff) -> Result<Exit> {
    if args.a.as_os_str() == "-" && args.b.as_os_str() == "-" {
        bail!("only one of the two can be standard input");
    }
    let (a, b) = (side(&args.a)?, side(&args.b)?);
    let options = options(args)?;
    let gates = Gates {
        no_new_blind_spot: args.no_new_blind_spot,
        no_new_noise: args.no_new_noise,
        allow_unknown: args.allow_unknown,
    };
    let several = a.folder || b.folder;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut worst = Exit::Done;
    for e in a.errors.iter().chain(&b.errors) {
        output::message(&format!("error: {e}"))?;
        worst = Exit::Error;
    }
    let mut totals: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut reports: Vec<FileReport> = Vec::new();
    let pairs = diff(&a, &b, &options, |diffed| {
        *totals.entry(kind(&diffed)).or_default() += 1;
        if diffed.invalid() || diffed.engines_disagree() {
            worst = Exit::Error;
        } else if !gates.pass(&diffed) {
            worst = worst.max(Exit::Report);
        }
        match args.format {
            DiffFormat::Json => writeln!(out, "{}", json::line(&diffed.record)?)?,
            DiffFormat::Text => {
                out.write_all(diff_text(&diffed, several).as_bytes())?;
                out.flush()?;
                [&diffed.a, &diffed.b].into_iter().flatten().try_for_each(faults)?;
            }
            DiffFormat::Sarif | DiffFormat::Github => reports.extend(finding(&diffed, gates)),
        }
        Ok(())
    })?;
    match args.format {
        DiffFormat::Sarif => writeln!(out, "{}", sarif::sarif(&reports, env!("CARGO_PKG_VERSION"))?)?,
        DiffFormat::Github => out.write_all(github::github(&reports).as_bytes())?,
        DiffFormat::Text | DiffFormat::Json => {}
    }
    out.flush()?;
    if pairs == 0 {
        bail!("no rules found on either side");
    }
    if several {
        let parts: Vec<String> = totals.iter().map(|(name, n)| format!("{n} {name}")).collect();
        output::message(&format!("{pairs} rules: {}", parts.join(", ")))?;
    }
    Ok(worst)
}

fn side(argument: &std::path::Path) -> Result<Side> {
    Side::open(argument).map_err(anyhow::Error::msg)
}

fn kind(diffed: &Diffed) -> &'static str {
    match (&diffed.record.verdict, &diffed.record.a, &diffed.record.b) {
        (Some(verdict), ..) => verdict.relation().name(),
        (None, Some(_), None) => "missing",
        (None, None, Some(_)) => "new",
        (None, ..) => "invalid",
    }
}

/// What stands in the way of reading a file.
fn faults(file: &DiffedFile) -> io::Result<()> {
    let errors: Vec<_> = file.diagnostics.iter().filter(|d| d.is_error()).cloned().collect();
    if errors.is_empty() {
        return Ok(());
    }
    output::findings(FileReport::new(file.path.clone(), file.text.clone(), errors))
}

fn options(args: &Diff) -> Result<DiffOptions> {
    let now = match &args.now {
        Some(text) => Some(parse_time(text).with_context(|| format!("`{text}` is no RFC 3339 time"))?),
        None => None,
    };
    Ok(DiffOptions {
        from: args.from.as_deref().and_then(Language::parse),
        sigma: output::sigma_options(args.values.as_deref())?,
        now,
        watch: watch(args.timeout.as_deref())?,
        text: args.text,
        executor: output::executor(),
    })
}

/// The clock of a limit of time on each pair.
pub fn watch(timeout: Option<&str>) -> Result<Option<Watch>> {
    let Some(text) = timeout else { return Ok(None) };
    let limit = duration(text).with_context(|| format!("`{text}` is no length of time"))?;
    // One run has one limit.
    let _ = LIMIT.set(limit);
    Ok(Some(Watch { start, over }))
}

/// `500ms`, `10s`, `2m`, `1h`; a number alone counts seconds.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.strip_prefix(digits)?;
    let number: f64 = digits.trim().parse().ok()?;
    let seconds = match unit {
        "ms" => number / 1000.0,
        "" | "s" => number,
        "m" | "min" => number * 60.0,
        "h" => number * 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

static LIMIT: OnceLock<Duration> = OnceLock::new();

thread_local! {
    static STARTED: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// A pair is compared on one thread: its clock starts here.
#[expect(clippy::disallowed_methods, reason = "a limit of time is kept here and nowhere below")]
fn start() {
    STARTED.set(Some(Instant::now()));
}

fn over() -> bool {
    let limit = LIMIT.get().copied();
    STARTED.get().zip(limit).is_some_and(|(started, limit)| started.elapsed() >= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("10"), Some(Duration::from_secs(10)));
        assert_eq!(duration("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(duration("2m"), Some(Duration::from_secs(120)));
        assert_eq!(duration("x"), None);
        assert_eq!(duration("-1s"), None);
        assert_eq!(duration("5 weeks"), None);
    }
}
