//! Reads and checks the data in `targets/` and turns it into static tables.
//!
//! In: the TOML and SQL files of the repository's `targets/` folder. Out: Rust and binary files in `OUT_DIR` that the crate
//! includes, so that the program parses nothing when it starts. Any fault in the data fails the build with file and reason.

// Cargo reads its directives from the standard output.
#![allow(clippy::print_stdout)]

#[path = "../src/capability.rs"]
mod capability;
mod read;
mod reads;
mod schema;
mod table_functions;
mod targets;
mod templates;
mod udm;
mod yaral;

use read::Problems;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut problems = Problems::default();
    if let Err(error) = run(&mut problems) {
        problems.add(Path::new("targets"), error);
    }
    for problem in problems.list() {
        println!("cargo::error={problem}");
    }
    if problems.list().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(problems: &mut Problems) -> Result<(), String> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).ok_or_else(|| format!("no {name}"));
    let root = variable("CARGO_MANIFEST_DIR")?.join("../../targets");
    let out = variable("OUT_DIR")?;
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/capability.rs");
    // A folder counts as changed when anything in it changes.
    println!("cargo::rerun-if-changed={}", root.display());

    let write =
        |name: &str, bytes: &[u8]| std::fs::write(out.join(name), bytes).map_err(|e| format!("{name}: {e}"));
    let schema = schema::build(&root, problems);
    write("names.txt", schema.names.as_bytes())?;
    write("name_offsets.bin", &schema.name_offsets)?;
    write("columns.bin", &schema.columns)?;
    write("tables.rs", schema.tables.as_bytes())?;
    write("table_functions.rs", table_functions::build(&root, problems).as_bytes())?;
    write("targets.rs", targets::build(&root, problems).as_bytes())?;
    write("udm.rs", udm::build(&root, problems).as_bytes())?;
    write("yaral.rs", yaral::build(&root, problems).as_bytes())?;
    write("dialects.rs", targets::dialects(&root, problems).as_bytes())?;
    write("reads.rs", reads::build(&root, problems).as_bytes())?;
    write("templates.rs", templates::build(&root, problems).as_bytes())
}
