//! `ruleferry fmt`.

use crate::Exit;
use crate::args::Fmt;
use crate::output;
use anyhow::Result;
use ruleferry_engine::diag::render::FileReport;
use ruleferry_engine::{Formatted, for_each, format_file, write_whole};
use std::io::{self, Write as _};

pub fn run(args: &Fmt) -> Result<Exit> {
    let (inputs, missing) = output::inputs(&args.rules)?;
    let from = output::from(&args.rules);
    let mut worst = if missing { Exit::Error } else { Exit::Done };
    for_each(
        &inputs,
        |_, input| format_file(input, from),
        |i, formatted: Formatted| {
            let Some(input) = inputs.get(i) else { return Ok(()) };
            let Formatted { before, after, diagnostics } = formatted;
            let Some(after) = after else {
                worst = Exit::Error;
                return output::findings(FileReport::new(input.shown.clone(), before, diagnostics));
            };
            if input.shown == "-" && !args.check {
                return io::stdout().write_all(after.as_bytes());
            }
            if after == before {
                return Ok(());
            }
            if args.check {
                worst = worst.max(Exit::Report);
                return writeln!(io::stdout(), "{}", output::visible(&input.shown));
            }
            write_whole(&input.path, &after)
        },
    )?;
    Ok(worst)
}
