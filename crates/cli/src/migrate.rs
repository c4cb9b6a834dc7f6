//! `ruleferry migrate`.

use crate::args::Migrate;
use crate::{Exit, convert, output};
use anyhow::{Context as _, Result, bail};
use ruleferry_catalog::migrate::{Options, Summary, migrate};
use ruleferry_engine::{Input, Status};
use std::cell::Cell;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// Where no bar is shown, a line says how far the run is, no more often than this.
const EVERY: Duration = Duration::from_secs(10);

#[expect(clippy::disallowed_methods, reason = "progress is told every so often")]
pub fn run(args: &Migrate) -> Result<Exit> {
    let (mut inputs, missing) = output::inputs(&args.rules)?;
    let mut targets: Vec<&str> = Vec::new();
    for name in &args.to {
        if !targets.contains(&name.as_str()) {
            targets.push(name);
        }
    }
    std::fs::create_dir_all(&args.output)
        .with_context(|| format!("cannot create {}", args.output.display()))?;
    leave_out(&mut inputs, &args.output);
    if inputs.is_empty() {
        bail!("no rule files found outside of the output folder");
    }
    let values = match &args.values {
        Some(path) => {
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?
        }
        None => String::new(),
    };
    let companions = output::companions(&inputs);
    let mut conversions = Vec::with_capacity(targets.len());
    for to in targets {
        let mut conversion = convert::options(&args.convert(to))?;
        conversion.sigma.companions = companions.clone();
        conversions.push(conversion);
    }
    // Where rules name rules of other files, a change of one may be a change of all.
    let parts: String = companions.iter().map(|c| format!("{:?}", c.document)).collect();
    let options = Options {
        targets: conversions,
        output: args.output.clone(),
        settings: format!("{} {values} {parts}", env!("CARGO_PKG_VERSION")),
    };
    let bar = output::progress(inputs.len());
    let (done, told, start) = (Cell::new(0_usize), Cell::new(Instant::now()), Instant::now());
    let progress = |_: &str| {
        done.set(done.get() + 1);
        bar.inc(1);
        if bar.is_hidden() && told.get().elapsed() >= EVERY {
            told.set(Instant::now());
            let rate = done.get() as f64 / start.elapsed().as_secs_f64().max(f64::EPSILON);
            // Nobody is there to be told.
            let _ = output::message(&format!("{} of {} files, {rate:.0} a second", done.get(), inputs.len()));
        }
    };
    let summary = migrate(&inputs, &options, &progress)?;
    bar.finish_and_clear();
    tell(&summary, args)?;
    let count =
        |s: Status| -> usize { summary.totals.iter().filter(|((_, t), _)| *t == s).map(|(_, n)| n).sum() };
    Ok(if missing || count(Status::Invalid) > 0 {
        Exit::Error
    } else if count(Status::Unproved) + count(Status::Lossy) + count(Status::Refused) + summary.kept.len() > 0
    {
        Exit::Report
    } else {
        Exit::Done
    })
}

/// Outputs of earlier runs are no inputs.
fn leave_out(inputs: &mut Vec<Input>, output: &Path) {
    if let Ok(output) = output.canonicalize() {
        inputs.retain(|i| i.path.canonicalize().map_or(true, |path| !path.starts_with(&output)));
    }
}

fn tell(summary: &Summary, args: &Migrate) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if summary.resumed {
        output::message("went on with a run that was cut short")?;
    }
    for path in &summary.kept {
        output::message(&format!("warning: `{path}` is not as we wrote it, and was left as it is"))?;
    }
    let mut targets: Vec<&str> = summary.totals.keys().map(|(target, _)| target.as_str()).collect();
    targets.dedup();
    for target in targets {
        let mine = summary.totals.iter().filter(|((t, _), _)| t == target);
        let parts: Vec<String> =
            mine.map(|((_, status), n)| format!("{n} {}", format!("{status:?}").to_lowercase())).collect();
        writeln!(out, "{target}: {}", parts.join(", "))?;
    }
    let mut notes = vec![format!("{} done", summary.converted), format!("{} unchanged", summary.unchanged)];
    if summary.without_rules > 0 {
        notes.push(format!("{} files hold no rule", summary.without_rules));
    }
    if summary.removed > 0 {
        notes.push(format!("{} outputs of rules that are gone removed", summary.removed));
    }
    let report = args.output.join("report.html");
    writeln!(out, "{}; report: {}", notes.join(", "), output::visible(&report.display().to_string()))
}
