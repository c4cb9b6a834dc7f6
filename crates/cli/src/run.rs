//! `ruleferry run`.

use crate::Exit;
use crate::args::{Engine, RowFormat, Run};
use crate::output;
use anyhow::{Context as _, Result};
use ruleferry_engine::diag::render::{FileReport, json};
use ruleferry_engine::{
    Data, EngineKind, Input, Language, RunOptions, RunRecord, csv_text, parse_time, run_rule, table_text,
};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

pub fn run(args: &Run) -> Result<Exit> {
    let now = match &args.now {
        Some(text) => parse_time(text).with_context(|| format!("`{text}` is no RFC 3339 time"))?,
        None => clock(),
    };
    let mut data = Data::default();
    for argument in &args.data {
        data.add(argument)?;
    }
    let mut sigma = output::sigma_options(args.values.as_deref())?;
    sigma.companions = ruleferry_engine::companions_beside(&args.rule);
    let options = RunOptions {
        from: args.from.as_deref().and_then(Language::parse),
        sigma,
        engine: engine(args.engine),
        now,
    };
    let ran = run_rule(&rule(&args.rule), data, &options);
    let shown = if args.rule.as_os_str() == "-" { "-".into() } else { args.rule.to_string_lossy() };
    output::findings(FileReport::new(shown, ran.text, ran.diagnostics))?;
    output::data_warnings(&ran.warnings)?;
    for fault in &ran.faults {
        output::message(&format!("error: {fault}"))?;
    }
    for note in &ran.notes {
        output::message(&format!("note: {note}"))?;
    }
    let Some(found) = ran.found.filter(|_| ran.faults.is_empty()) else { return Ok(Exit::Error) };
    let mut out = io::stdout().lock();
    match args.format {
        RowFormat::Json => writeln!(out, "{}", json::line(&RunRecord::from(&found))?)?,
        RowFormat::Csv => out.write_all(&csv_text(&found)?)?,
        RowFormat::Table => out.write_all(table_text(&found, None).as_bytes())?,
    }
    out.flush()?;
    let count = found.rows.len();
    output::message(&format!("{count} {}", if count == 1 { "row" } else { "rows" }))?;
    Ok(Exit::Done)
}

pub fn engine(engine: Engine) -> EngineKind {
    match engine {
        Engine::Reference => EngineKind::Reference,
        Engine::Embedded => EngineKind::Embedded,
    }
}

fn rule(path: &Path) -> Input {
    let shown = path.to_string_lossy().replace('\\', "/");
    Input { path: path.to_path_buf(), shown, relative: path.to_path_buf(), walked: false }
}

/// The system clock in ticks since year 1; the only place where it is read.
#[expect(clippy::disallowed_methods, reason = "the one place where the clock is read")]
fn clock() -> i64 {
    const EPOCH: i64 = 621_355_968_000_000_000;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos() / 100).map_or(EPOCH, |ticks| EPOCH.saturating_add(ticks))
}
