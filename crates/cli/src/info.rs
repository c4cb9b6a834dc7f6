//! What the tool says of itself: targets, codes, completions, the manual page.

use crate::Exit;
use crate::args::{Cli, Codes, Completions, Schema, Targets, TextOrJson};
use anyhow::{Result, bail};
use clap::CommandFactory as _;
use ruleferry_engine::diag::codes::{self, CodeInfo};
use ruleferry_engine::schemas;
use ruleferry_engine::targets::target::{self, Target};
use serde_json::{Value, json};
use std::io::{self, Write};

pub fn targets(args: &Targets) -> Result<Exit> {
    let mut out = io::stdout().lock();
    let Some(name) = &args.name else {
        for t in target::all() {
            match args.format {
                TextOrJson::Json => writeln!(out, "{}", target_json(t))?,
                TextOrJson::Text => {
                    let way = match (t.reads, t.writes) {
                        (true, true) => "in, out",
                        (true, false) => "in",
                        _ => "out",
                    };
                    writeln!(out, "{:<12} {:<8} {:<10} {}", t.name, way, t.support.name(), t.title)?;
                }
            }
        }
        return Ok(Exit::Done);
    };
    let Some(t) = target::find(name) else {
        let names: Vec<&str> = target::all().iter().map(|t| t.name).collect();
        bail!("`{name}` is no target; there are {}", names.join(", "));
    };
    if let Some(tables) = &args.ddl {
        if t.language != target::Language::Sql {
            bail!("`{name}` has no tables to create: it is no SQL target");
        }
        let ddl = ruleferry_engine::ddl(t, tables).map_err(anyhow::Error::msg)?;
        out.write_all(ddl.as_bytes())?;
        return Ok(Exit::Done);
    }
    match args.format {
        TextOrJson::Json => writeln!(out, "{}", target_json(t))?,
        TextOrJson::Text => {
            writeln!(out, "{}: {}", t.name, t.title)?;
            writeln!(out, "language      {} {}", t.language.name(), t.version)?;
            writeln!(out, "support       {}", t.support.name())?;
            let capabilities: Vec<&str> = t.capabilities.iter().map(|c| c.name()).collect();
            writeln!(out, "capabilities  {}", capabilities.join(", "))?;
        }
    }
    Ok(Exit::Done)
}

fn target_json(t: &Target) -> Value {
    json!({
        "name": t.name, "title": t.title, "language": t.language.name(), "dialect": t.dialect, "version": t.version,
        "support": t.support.name(), "reads": t.reads, "writes": t.writes,
        "capabilities": t.capabilities.iter().map(|c| c.name()).collect::<Vec<_>>(),
    })
}

pub fn codes(args: &Codes) -> Result<Exit> {
    let mut out = io::stdout().lock();
    let chosen = match &args.code {
        Some(code) => match codes::find(code) {
            Some(info) => vec![info],
            None => bail!("there is no code `{code}`; `ruleferry codes` lists all"),
        },
        None => codes::all(),
    };
    for info in &chosen {
        match args.format {
            TextOrJson::Json => writeln!(out, "{}", code_json(info))?,
            TextOrJson::Text if args.code.is_none() => writeln!(out, "{}  {}", info.code, info.title)?,
            TextOrJson::Text => {
                writeln!(out, "{}: {}\n", info.code, info.title)?;
                writeln!(out, "why:     {}\nexample: {}\nto do:   {}", info.why, info.example, info.fix)?;
            }
        }
    }
    Ok(Exit::Done)
}

fn code_json(c: &CodeInfo) -> Value {
    json!({"code": c.code.0, "title": c.title, "why": c.why, "example": c.example, "fix": c.fix})
}

pub fn schema(args: &Schema) -> Result<Exit> {
    let mut out = io::stdout().lock();
    let Some(name) = &args.name else {
        schemas::names().try_for_each(|(name, what)| writeln!(out, "{name:<12} {what}"))?;
        return Ok(Exit::Done);
    };
    match schemas::schema(name) {
        Some(schema) => writeln!(out, "{}", serde_json::to_string_pretty(&schema)?)?,
        None => {
            let names: Vec<&str> = schemas::names().map(|(n, _)| n).collect();
            bail!("there is no schema `{name}`; there are {}", names.join(", "))
        }
    }
    Ok(Exit::Done)
}

pub fn completions(args: &Completions) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "ruleferry", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Exit::Done)
}

pub fn man() -> Result<Exit> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    for sub in Cli::command().get_subcommands() {
        writeln!(page, ".SH {}", sub.get_name().to_uppercase())?;
        clap_mangen::Man::new(sub.clone()).render_description_section(&mut page)?;
        clap_mangen::Man::new(sub.clone()).render_options_section(&mut page)?;
    }
    io::stdout().write_all(&page)?;
    Ok(Exit::Done)
}
