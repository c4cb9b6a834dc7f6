//! The binary `ruleferry`: arguments, exit codes, rendering; no logic.
//!
//! Data goes to stdout, messages and progress to stderr. Exit status: 0 nothing to report, 1 error, 2 it worked and there
//! is something to report.

mod args;
mod check;
mod convert;
mod diff;
mod drift;
mod explain;
mod format;
mod info;
mod migrate;
mod output;
mod run;
mod test;

use args::{Cli, Command};
use clap::Parser as _;
use std::io::Write as _;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a run comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    Done,
    /// It worked, and there is something to report.
    Report,
    Error,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Report => Self::from(2),
            Exit::Error => Self::from(1),
        }
    }
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version are no errors; clap's own status for bad usage, 2, means something else here.
            let _ = e.print();
            return if e.use_stderr() { Exit::Error.into() } else { Exit::Done.into() };
        }
    };
    let result = match cli.command {
        Command::Convert(args) => convert::run(&args),
        Command::Drift(args) => drift::run(&args),
        Command::Migrate(args) => migrate::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Fmt(args) => format::run(&args),
        Command::Targets(args) => info::targets(&args),
        Command::Codes(args) => info::codes(&args),
        Command::Completions(args) => info::completions(&args),
        Command::Man => info::man(),
        Command::Schema(args) => info::schema(&args),
    };
    match result {
        Ok(exit) => exit.into(),
        // Whoever reads our output has had enough of it.
        Err(e) if output::is_broken_pipe(&e) => Exit::Done.into(),
        Err(e) => {
            let _ = writeln!(std::io::stderr(), "error: {}", output::visible(&format!("{e:#}")));
            Exit::Error.into()
        }
    }
}
