//! Writing to the terminal: what is other people's text is made visible first, and nothing writes to a closed pipe twice.

use crate::args::Rules;
use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ruleferry_engine::diag::render::{FileReport, text};
use ruleferry_engine::{
    Companions, DataWarning, DuckDb, Executor, Input, Language, SigmaOptions, companions_beside,
    parse_values, walk,
};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::Arc;

pub use ruleferry_engine::diag::render::visible::visible;

/// The inputs of a run. Paths that are not there are told, and make the run an error.
pub fn inputs(rules: &Rules) -> Result<(Vec<Input>, bool)> {
    let (inputs, errors) = walk(&rules.paths);
    for e in &errors {
        message(&format!("error: {e}"))?;
    }
    if inputs.is_empty() && errors.is_empty() {
        anyhow::bail!("no rule files found (looked for .kql .csl .yml .yaml .json)");
    }
    Ok((inputs, !errors.is_empty()))
}

pub fn from(rules: &Rules) -> Option<Language> {
    rules.from.as_deref().and_then(Language::parse)
}

/// The values of Sigma's placeholders.
pub fn sigma_options(values: Option<&Path>) -> Result<SigmaOptions> {
    let Some(path) = values else { return Ok(SigmaOptions::default()) };
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let values =
        parse_values(&text).map_err(anyhow::Error::msg).with_context(|| format!("in {}", path.display()))?;
    Ok(SigmaOptions { values, ..Default::default() })
}

/// DuckDB, where the environment names its library: emitted SQL is tried out on it. What is asked for and cannot be had is told.
pub fn executor() -> Option<Arc<dyn Executor>> {
    std::env::var_os("RULEFERRY_DUCKDB_LIB").filter(|v| !v.is_empty())?;
    match DuckDb::find() {
        Some(engine) => Some(Arc::new(engine)),
        None => {
            // Nobody is there to be told.
            let _ = message(
                "warning: RULEFERRY_DUCKDB_LIB names no library that can be loaded; SQL is not tried out",
            );
            None
        }
    }
}

/// The rules of other files that correlations and filters of these name; of one file alone those in its folder.
pub fn companions(inputs: &[Input]) -> Companions {
    match inputs {
        [only] if only.path.as_os_str() != "-" => companions_beside(&only.path),
        _ => ruleferry_engine::companions(inputs),
    }
}

/// A line on stderr.
pub fn message(line: &str) -> io::Result<()> {
    writeln!(io::stderr(), "{}", visible(line))
}

/// What is wrong with event files, a line each, on stderr.
pub fn data_warnings(warnings: &[DataWarning]) -> io::Result<()> {
    warnings.iter().try_for_each(|w| {
        let line = w.line.map(|n| format!(":{n}")).unwrap_or_default();
        message(&format!("warning[{}]: {}{line}: {}", w.code.0, w.file, w.message))
    })
}

/// Findings on stderr, as people read them.
pub fn findings(report: FileReport) -> io::Result<()> {
    let style = if io::stderr().is_terminal() { text::Style::Color } else { text::Style::Plain };
    io::stderr().write_all(text::text(&[report], style).as_bytes())
}

/// A progress bar where a person watches, and nothing elsewhere.
pub fn progress(count: usize) -> ProgressBar {
    let shown = count > 1 && io::stderr().is_terminal();
    if !shown {
        return ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    }
    let bar = ProgressBar::new(count as u64);
    if let Ok(style) = ProgressStyle::with_template("{pos}/{len} files [{bar:30}] {per_sec}, {eta} left") {
        bar.set_style(style);
    }
    bar
}

pub fn is_broken_pipe(e: &anyhow::Error) -> bool {
    e.chain().any(|c| c.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe))
}
