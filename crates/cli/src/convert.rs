//! `ruleferry convert`.

use crate::Exit;
use crate::args::{Convert, MaxLoss, TextOrJson};
use crate::output;
use anyhow::{Context as _, Result, bail};
use ruleferry_engine::diag::codes;
use ruleferry_engine::diag::render::{FileReport, json};
use ruleferry_engine::{
    ConvertOptions, ConvertRecord, Converted, Status, convert_file, for_each, parse_values, stems, targets,
    write_whole,
};
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::Path;

pub fn run(args: &Convert) -> Result<Exit> {
    let mut options = options(args)?;
    let (inputs, missing) = output::inputs(&args.rules)?;
    options.sigma.companions = output::companions(&inputs);
    let stems = stems(&inputs);
    let bar = output::progress(inputs.len());
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    let mut totals: BTreeMap<Status, usize> = BTreeMap::new();
    let mut failed_writes = 0_usize;
    let mut printed = 0_usize;
    let mut without_rules = 0_usize;
    let mut disagree = false;
    let work = |i: usize, input: &_| {
        let stem = stems.get(i).map_or_else(|| Path::new("rule"), |s| s.as_path());
        let converted = convert_file(input, stem, &options);
        let written = args.output.as_deref().map_or(Ok(()), |folder| write_files(folder, &converted.records));
        (converted, written)
    };
    for_each(&inputs, work, |i, (converted, written): (Converted, io::Result<()>)| {
        bar.inc(1);
        let shown = inputs.get(i).map_or("", |input| input.shown.as_str());
        if let Err(e) = written {
            failed_writes += 1;
            bar.suspend(|| output::message(&format!("error: cannot write the output of {shown}: {e}")))?;
        }
        without_rules += usize::from(converted.records.is_empty());
        disagree |= converted.diagnostics.iter().any(|d| d.code == codes::ENGINES_DISAGREE);
        for record in &converted.records {
            *totals.entry(record.status).or_default() += 1;
            match args.format {
                TextOrJson::Json => writeln!(out, "{}", json::line(record)?)?,
                TextOrJson::Text if args.output.is_none() => {
                    for file in &record.files {
                        if printed > 0 {
                            out.write_all(separator(&options))?;
                        }
                        out.write_all(file.text.as_bytes())?;
                        printed += 1;
                    }
                }
                TextOrJson::Text => {}
            }
        }
        if args.format == TextOrJson::Text {
            let notes = losses(&converted);
            let report = FileReport::new(shown, converted.text, converted.diagnostics);
            bar.suspend(|| {
                output::findings(report)?;
                notes.iter().try_for_each(|n| output::message(&format!("{shown}: {n}")))
            })?;
        }
        Ok(())
    })?;
    out.flush()?;
    bar.finish_and_clear();
    if args.output.is_some() || totals.values().sum::<usize>() > 1 {
        output::message(&summary(&totals, args))?;
    }
    if without_rules > 0 {
        output::message(&format!("{without_rules} files hold no rule"))?;
    }
    let count = |s: Status| totals.get(&s).copied().unwrap_or(0);
    Ok(if missing || disagree || failed_writes > 0 || count(Status::Invalid) > 0 {
        Exit::Error
    } else if count(Status::Unproved) + count(Status::Lossy) + count(Status::Refused) > 0 {
        Exit::Report
    } else {
        Exit::Done
    })
}

pub fn options(args: &Convert) -> Result<ConvertOptions> {
    let Some(to) = targets::target::find(&args.to).filter(|t| t.writes) else {
        let names: Vec<&str> = targets::target::all().iter().filter(|t| t.writes).map(|t| t.name).collect();
        bail!("`{}` is no target; there are {}", args.to, names.join(", "));
    };
    let now = match &args.now {
        Some(text) => Some(
            ruleferry_engine::parse_time(text).with_context(|| format!("`{text}` is no RFC 3339 time"))?,
        ),
        None => None,
    };
    let values = match &args.values {
        Some(path) => {
            let text =
                std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            parse_values(&text)
                .map_err(anyhow::Error::msg)
                .with_context(|| format!("in {}", path.display()))?
        }
        None => Default::default(),
    };
    Ok(ConvertOptions {
        from: output::from(&args.rules),
        to,
        now,
        sigma: ruleferry_engine::SigmaOptions { values, ..Default::default() },
        max_loss: match args.max_loss {
            MaxLoss::None => ruleferry_engine::MaxLoss::None,
            MaxLoss::Cosmetic => ruleferry_engine::MaxLoss::Cosmetic,
            MaxLoss::Wider => ruleferry_engine::MaxLoss::Wider,
            MaxLoss::Any => ruleferry_engine::MaxLoss::Any,
        },
        require_proof: args.require_proof,
        validate: !args.no_validate,
        executor: if to.language == targets::target::Language::Sql && !args.no_validate {
            output::executor()
        } else {
            None
        },
    })
}

fn write_files(folder: &Path, records: &[ConvertRecord]) -> io::Result<()> {
    records.iter().flat_map(|r| &r.files).try_for_each(|f| write_whole(&folder.join(&f.path), &f.text))
}

/// Between artefacts that are printed one after the other.
fn separator(options: &ConvertOptions) -> &'static [u8] {
    match options.to.language {
        targets::target::Language::Sigma => b"---\n",
        targets::target::Language::Kql
        | targets::target::Language::Sql
        | targets::target::Language::Yaral => b"\n",
    }
}

/// Losses that changed what is found, a line each.
fn losses(converted: &Converted) -> Vec<String> {
    let all = converted.records.iter().filter(|r| r.status == Status::Lossy).flat_map(|r| &r.losses);
    all.map(|l| format!("{} {}: {}", l.code, format!("{:?}", l.effect).to_lowercase(), l.detail)).collect()
}

fn summary(totals: &BTreeMap<Status, usize>, args: &Convert) -> String {
    let parts: Vec<String> = totals
        .iter()
        .map(|(status, n)| {
            let name = match status {
                Status::Converted => "converted",
                Status::Unproved => "unproved",
                Status::Lossy => "lossy",
                Status::Refused => "refused",
                Status::Invalid => "invalid",
            };
            format!("{n} {name}")
        })
        .collect();
    let place = args.output.as_ref().map(|o| format!(" in {}", o.display())).unwrap_or_default();
    format!("{} to {}{place}", parts.join(", "), args.to)
}
