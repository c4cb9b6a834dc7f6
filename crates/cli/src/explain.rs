//! `ruleferry explain`.

use crate::Exit;
use crate::args::{Explain, ExplainFormat};
use crate::output;
use anyhow::Result;
use ruleferry_engine::diag::Diagnostic;
use ruleferry_engine::diag::render::{FileReport, json};
use ruleferry_engine::{Explained, explain_file, explain_markdown, explain_text, for_each};
use std::io::{self, BufWriter, Write as _};

pub fn run(args: &Explain) -> Result<Exit> {
    let (inputs, missing) = output::inputs(&args.rules)?;
    let from = output::from(&args.rules);
    let sigma = output::sigma_options(args.values.as_deref())?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut worst = if missing { Exit::Error } else { Exit::Done };
    let mut printed = 0_usize;
    for_each(
        &inputs,
        |_, input| explain_file(input, from, &sigma),
        |i, explained: Explained| {
            for record in &explained.records {
                match args.format {
                    ExplainFormat::Json => writeln!(out, "{}", json::line(record)?)?,
                    ExplainFormat::Text | ExplainFormat::Markdown => {
                        if printed > 0 {
                            out.write_all(b"\n\n")?;
                        }
                        let text = if args.format == ExplainFormat::Text {
                            explain_text(record)
                        } else {
                            explain_markdown(record)
                        };
                        out.write_all(text.as_bytes())?;
                    }
                }
                printed += 1;
            }
            if explained.diagnostics.iter().any(Diagnostic::is_error) {
                worst = Exit::Error;
                let shown = inputs.get(i).map_or("", |input| input.shown.as_str());
                let errors = explained.diagnostics.into_iter().filter(Diagnostic::is_error).collect();
                output::findings(FileReport::new(shown, explained.text, errors))?;
            }
            Ok(())
        },
    )?;
    out.flush()?;
    Ok(worst)
}
