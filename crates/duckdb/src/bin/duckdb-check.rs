//! Prepares or runs many SQL scripts on one engine: the check of the corpora.
//!
//! In, on stdin, one JSON object a line: `{"id": …, "sql": "macros; then one SELECT", "setup": "optional SQL run before"}`.
//! Out, one line for each in the same order: `{"id", "ok", "error", "phase", "class"}`, with `--run` also `columns` and `rows`.
//! Each script runs in a transaction that is rolled back, so none sees the tables or macros of another.
//! Exit status: 0 all ok, 1 bad usage or a line that is not such an object, 2 a script failed.

use ruleferry_duckdb::{Engine, Error, Interrupter, Options, Result, SqlError};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::io::{BufRead, BufWriter, Write};
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const USAGE: &str = "\
usage: duckdb-check [--run] [--ddl FILE]... [--jobs N] [--timeout SECONDS] [--memory SIZE] [--files] [--lib PATH] < SCRIPTS.jsonl
  --run       run each script and print its rows; without it the last statement is only prepared
  --ddl FILE  SQL that is run once, before the scripts
  --jobs N    threads, each with a database of its own (default 1)
  --timeout   interrupts a script that runs longer (default 30)
  --memory    limit of each database (default 1GB)
  --files     lets SQL read files
  --lib PATH  libduckdb or its folder (default: RULEFERRY_DUCKDB_LIB, then beside the program, then the system's path)
";

/// A connection gathers the versions of what was rolled back; a new one now and then starts clean.
const SCRIPTS_A_CONNECTION: usize = 500;
/// The engine recurses over deep expressions.
const STACK: usize = 64 << 20;

struct Arguments {
    run: bool,
    ddl: String,
    jobs: usize,
    timeout: Duration,
    options: Options,
}

#[derive(Deserialize)]
struct Script {
    #[serde(default)]
    id: Json,
    sql: String,
    #[serde(default)]
    setup: Option<String>,
}

#[derive(Serialize)]
struct Verdict {
    id: Json,
    ok: bool,
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<ruleferry_duckdb::Phase>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<ruleferry_duckdb::ErrorClass>,
    #[serde(skip_serializing_if = "Option::is_none", flatten)]
    table: Option<Json>,
}

fn main() -> ExitCode {
    match arguments(std::env::args().skip(1)).and_then(|arguments| check(&arguments)) {
        Ok(status) => ExitCode::from(status),
        Err(message) => {
            // Nothing is left to do about a closed stderr.
            let _ = writeln!(std::io::stderr(), "duckdb-check: {message}");
            ExitCode::from(1)
        }
    }
}

fn arguments(mut given: impl Iterator<Item = String>) -> std::result::Result<Arguments, String> {
    let mut arguments = Arguments {
        run: false,
        ddl: String::new(),
        jobs: 1,
        timeout: Duration::from_secs(30),
        options: Options::default(),
    };
    while let Some(name) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("`{name}` wants a value\n{USAGE}"));
        match name.as_str() {
            "--run" => arguments.run = true,
            "--files" => arguments.options.external_access = true,
            "--ddl" => {
                let path = value()?;
                let text = std::fs::read_to_string(&path).map_err(|e| format!("`{path}`: {e}"))?;
                arguments.ddl.push_str(&text);
                arguments.ddl.push_str("\n;\n");
            }
            "--jobs" => arguments.jobs = number(&name, &value()?)?,
            "--timeout" => arguments.timeout = Duration::from_secs(number(&name, &value()?)?),
            "--memory" => arguments.options.memory_limit = value()?,
            "--lib" => arguments.options.library = Some(value()?.into()),
            _ => return Err(format!("unknown argument `{name}`\n{USAGE}")),
        }
    }
    Ok(arguments)
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> std::result::Result<T, String> {
    text.parse().map_err(|_| format!("`{name}` wants a number, not `{text}`"))
}

fn check(arguments: &Arguments) -> std::result::Result<u8, String> {
    let mut scripts = Vec::new();
    for (number, line) in (1..).zip(std::io::stdin().lock().lines()) {
        let line = line.map_err(|e| format!("stdin: {e}"))?;
        if !line.trim().is_empty() {
            let script = serde_json::from_str::<Script>(&line).map_err(|e| format!("line {number}: {e}"))?;
            scripts.push(script);
        }
    }
    let share = scripts.len().div_ceil(arguments.jobs.max(1)).max(1);
    let verdicts = std::thread::scope(|scope| {
        let workers: Vec<_> = scripts
            .chunks(share)
            .map(|scripts| {
                let thread = std::thread::Builder::new().stack_size(STACK);
                thread.spawn_scoped(scope, move || worker(arguments, scripts)).map_err(|e| e.to_string())
            })
            .collect();
        let joined = workers.into_iter().map(|worker| {
            let result = worker?.join().map_err(|_| "a worker died".to_owned())?;
            result.map_err(|e| e.to_string())
        });
        joined.collect::<std::result::Result<Vec<_>, String>>()
    })?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut status = 0;
    for verdict in verdicts.iter().flatten() {
        status = if verdict.ok { status } else { 2 };
        serde_json::to_writer(&mut out, verdict).map_err(|e| format!("stdout: {e}"))?;
        out.write_all(b"\n").map_err(|e| format!("stdout: {e}"))?;
    }
    out.flush().map_err(|e| format!("stdout: {e}"))?;
    Ok(status)
}

/// Checks a share of the scripts on a database of its own.
fn worker(arguments: &Arguments, scripts: &[Script]) -> Result<Vec<Verdict>> {
    let mut engine = open(arguments)?;
    let watchdog = Watchdog::start(arguments.timeout);
    let mut verdicts = Vec::with_capacity(scripts.len());
    for (i, script) in scripts.iter().enumerate() {
        if i % SCRIPTS_A_CONNECTION == 0 {
            engine = engine.reconnect()?;
        }
        let guard = watchdog.watch(engine.interrupter());
        let result = one(&engine, arguments.run, script);
        drop(guard);
        // After a fatal error the database refuses everything, also the rollback.
        if result.as_ref().is_err_and(Error::is_fatal) || engine.execute("ROLLBACK").is_err() {
            engine = open(arguments)?;
        }
        verdicts.push(verdict(script, result));
    }
    Ok(verdicts)
}

fn open(arguments: &Arguments) -> Result<Engine> {
    let engine = Engine::open_with(&arguments.options)?;
    if !arguments.ddl.trim().is_empty() {
        engine.execute(&format!("BEGIN;\n{}\nCOMMIT;", arguments.ddl))?;
    }
    Ok(engine)
}

fn one(engine: &Engine, run: bool, script: &Script) -> Result<Option<Json>> {
    engine.execute("BEGIN")?;
    if let Some(setup) = script.setup.as_ref().filter(|s| !s.trim().is_empty()) {
        engine.execute(setup)?;
    }
    if run {
        return engine.query(&script.sql).map(|table| Some(table.to_json()));
    }
    engine.prepare(&script.sql).map(|()| None)
}

fn verdict(script: &Script, result: Result<Option<Json>>) -> Verdict {
    let id = script.id.clone();
    match result {
        Ok(table) => Verdict { id, ok: true, error: None, phase: None, class: None, table },
        Err(error) => {
            let (phase, class) = match &error {
                Error::Sql(SqlError { phase, class, .. }) => (Some(*phase), Some(*class)),
                _ => (None, None),
            };
            Verdict { id, ok: false, error: Some(error.to_string()), phase, class, table: None }
        }
    }
}

/// Interrupts what runs too long. What is watched stands behind a lock, so that an interrupt that comes late never
/// hits the script after the one that it was meant for.
struct Watchdog {
    watched: Arc<Mutex<Option<Interrupter>>>,
    events: mpsc::Sender<Event>,
}

#[derive(PartialEq)]
enum Event {
    Started,
    Ended,
}

struct Watched<'w>(&'w Watchdog);

impl Watchdog {
    fn start(timeout: Duration) -> Self {
        let (events, inbox) = mpsc::channel();
        let watched = Arc::new(Mutex::new(None::<Interrupter>));
        let shared = Arc::clone(&watched);
        std::thread::spawn(move || {
            // Ends when the sender is dropped.
            while let Ok(event) = inbox.recv() {
                let mut wait = timeout;
                while matches!(event, Event::Started)
                    && inbox.recv_timeout(wait) == Err(RecvTimeoutError::Timeout)
                {
                    if let Some(interrupter) = &*shared.lock().unwrap_or_else(PoisonError::into_inner) {
                        interrupter.interrupt();
                    }
                    // A script has several statements; each is interrupted in its turn.
                    wait = Duration::from_millis(50);
                }
            }
        });
        Self { watched, events }
    }

    fn watch(&self, interrupter: Interrupter) -> Watched<'_> {
        *self.watched.lock().unwrap_or_else(PoisonError::into_inner) = Some(interrupter);
        // The watchdog's thread lives as long as `self`.
        let _ = self.events.send(Event::Started);
        Watched(self)
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        *self.0.watched.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let _ = self.0.events.send(Event::Ended);
    }
}
