//! Runs over many files: in parallel, with results in the order of the inputs.

use crate::input::Input;
use rayon::prelude::*;
use ruleferry_diag::{Diagnostic, Span, codes};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Files that are worked on at a time, while the results of as many are delivered: bounds what is held in memory.
const CHUNK: usize = 32;

/// Stack of a worker: far above what the nesting limits of the parsers need.
const STACK: usize = 32 * 1024 * 1024;

/// Applies `work` to each input on all cores and hands the results to `deliver` in the order of the inputs.
/// Stops early if `deliver` says so.
pub fn for_each<I: Sync, R: Send>(
    inputs: &[I],
    work: impl Fn(usize, &I) -> R + Sync,
    mut deliver: impl FnMut(usize, R) -> io::Result<()>,
) -> io::Result<()> {
    if let [input] = inputs {
        return deliver(0, work(0, input));
    }
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK).build().map_err(io::Error::other)?;
    // While one chunk is worked on, the one before is delivered from here: no core waits for the writing.
    let (mut ready, mut delivered) = (Vec::new(), 0);
    let mut deliver_all = |results: Vec<R>| {
        results.into_iter().try_for_each(|result| {
            delivered += 1;
            deliver(delivered - 1, result)
        })
    };
    for (n, chunk) in inputs.chunks(CHUNK).enumerate() {
        let before = std::mem::take(&mut ready);
        pool.in_place_scope(|scope| {
            let numbered = chunk.par_iter().enumerate();
            scope.spawn(|_| ready = numbered.map(|(i, input)| work(n * CHUNK + i, input)).collect());
            deliver_all(before)
        })?;
    }
    deliver_all(ready)
}

/// Runs the work on one file. A panic in it is a bug of ours, and this file's alone: it becomes a diagnostic, and the run goes
/// on. Nothing that the work shares is left half done by it: the only state are caches that are filled in one step.
pub(crate) fn guarded<R>(work: impl FnOnce() -> R) -> Result<R, Diagnostic> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let text = payload.downcast_ref::<&str>().copied();
        let text =
            text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
        Diagnostic::error(codes::INTERNAL, Span::default(), format!("internal error: {text}"))
            .with_help("this is a bug in Ruleferry, not in the rule; please report it with the file")
    })
}

/// Where the outputs of each input go, without extension: the tree of the inputs mirrored. Inputs that differ in their
/// extension only keep it in the name (`a.kql`, `a.yml` → `a.kql.sql`, `a.yml.sql`), so that none overwrites another.
pub fn stems(inputs: &[Input]) -> Vec<PathBuf> {
    let plain: Vec<PathBuf> = inputs.iter().map(|i| i.relative.with_extension("")).collect();
    let mut count: HashMap<&OsStr, usize> = HashMap::with_capacity(inputs.len());
    for stem in &plain {
        *count.entry(stem.as_os_str()).or_default() += 1;
    }
    let mut seen: HashMap<&OsStr, usize> = HashMap::with_capacity(inputs.len());
    inputs
        .iter()
        .zip(&plain)
        .map(|(input, stem)| {
            let several = count.get(stem.as_os_str()).is_some_and(|n| *n > 1);
            let stem = if several { &input.relative } else { stem };
            // Files of one name from different folders of the command line.
            let n = seen.entry(stem.as_os_str()).or_default();
            *n += 1;
            if *n > 1 { PathBuf::from(format!("{}~{n}", stem.to_string_lossy())) } else { stem.clone() }
        })
        .collect()
}

/// Writes a file whole or not at all: beside its place first, then moved there.
pub fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let temporary = folder.join(format!(".ruleferry-{}-{n}.tmp", std::process::id()));
    let create = |path: &Path| std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = match create(&temporary) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder)?;
            create(&temporary)?
        }
        other => other?,
    };
    let written = file.write_all(text.as_bytes()).and_then(|()| {
        drop(file);
        std::fs::rename(&temporary, path)
    });
    if written.is_err() {
        // The error that matters is the first one.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_diagnostic() {
        let n = std::hint::black_box(7);
        let found = guarded(|| assert_eq!(n, 8, "seven is not eight")).unwrap_err();
        assert_eq!(found.code, codes::INTERNAL);
        assert!(found.message.contains("seven is not eight"), "{}", found.message);
        assert_eq!(guarded(|| n), Ok(7));
    }
}
