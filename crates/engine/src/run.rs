//! Runs over many files: in parallel, with results in the order of the inputs.

use crate::input::Input;
use ruleferry_diag::{Diagnostic, Span, codes};
use std::collections::{HashMap, VecDeque};
use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Files that a worker takes at a time.
const CHUNK: usize = 4;

/// Chunks for each worker that are in work or wait to be delivered: bounds what is held in memory, and how far the others may
/// run ahead of a file that takes long.
const AHEAD: usize = 4;

/// Stack of a worker: far above what the nesting limits of the parsers need.
const STACK: usize = 32 * 1024 * 1024;

/// Where a run stands. Chunks are taken in order and delivered in order.
struct State<R> {
    /// Those from the next one to deliver on that were taken; `None` is still in work.
    chunks: VecDeque<Option<Vec<R>>>,
    /// The number of the first of them.
    delivered: usize,
    /// The caller wants no more, or a worker broke down.
    stopped: bool,
}

struct Run<R> {
    state: Mutex<State<R>>,
    /// The next chunk to deliver is ready, or never will be.
    ready: Condvar,
    /// A chunk may be taken.
    room: Condvar,
}

/// Ends the run when dropped, even by a panic: nobody waits for somebody who is gone.
struct Stop<'r, R>(&'r Run<R>);

impl<R> Drop for Stop<'_, R> {
    fn drop(&mut self) {
        self.0.lock().stopped = true;
        self.0.ready.notify_all();
        self.0.room.notify_all();
    }
}

impl<R> Run<R> {
    fn lock(&self) -> MutexGuard<'_, State<R>> {
        // Every change of the state is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the next chunk, once there is room for its results.
    fn take(&self, room: usize, count: usize) -> Option<usize> {
        let full = |s: &mut State<R>| !s.stopped && s.chunks.len() >= room;
        let mut state = self.room.wait_while(self.lock(), full).unwrap_or_else(PoisonError::into_inner);
        let n = state.delivered + state.chunks.len();
        if state.stopped || n >= count {
            return None;
        }
        state.chunks.push_back(None);
        Some(n)
    }

    fn put(&self, n: usize, results: Vec<R>) {
        let mut state = self.lock();
        let first = n == state.delivered;
        if let Some(slot) = n.checked_sub(state.delivered).and_then(|at| state.chunks.get_mut(at)) {
            *slot = Some(results);
        }
        if first {
            self.ready.notify_one();
        }
    }

    /// The results that come next; `None` where a worker broke down.
    fn next(&self) -> Option<Vec<R>> {
        let waits = |s: &mut State<R>| !s.stopped && !matches!(s.chunks.front(), Some(Some(_)));
        let mut state = self.ready.wait_while(self.lock(), waits).unwrap_or_else(PoisonError::into_inner);
        let results = state.chunks.front_mut()?.take()?;
        state.chunks.pop_front();
        state.delivered += 1;
        self.room.notify_one();
        Some(results)
    }
}

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
    let chunks: Vec<&[I]> = inputs.chunks(CHUNK).collect();
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(chunks.len());
    let state = State { chunks: VecDeque::new(), delivered: 0, stopped: false };
    let run = Run { state: Mutex::new(state), ready: Condvar::new(), room: Condvar::new() };
    let worker = || {
        let broken = Stop(&run);
        while let Some(n) = run.take(workers * AHEAD, chunks.len()) {
            let numbered = chunks.get(n).into_iter().copied().flatten().enumerate();
            run.put(n, numbered.map(|(i, input)| work(n * CHUNK + i, input)).collect());
        }
        std::mem::forget(broken);
    };
    std::thread::scope(|scope| {
        let _stop = Stop(&run);
        for _ in 0..workers {
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, worker)?;
        }
        let mut delivered = 0;
        for _ in &chunks {
            // Where a worker broke down, its panic goes on from here when the scope ends.
            let Some(results) = run.next() else { break };
            for result in results {
                deliver(delivered, result)?;
                delivered += 1;
            }
        }
        Ok(())
    })
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

/// Writes a file whole or not at all: beside its place first, then moved there. What was there keeps its permissions, and a
/// link stays a link.
pub fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let target = std::fs::canonicalize(path).ok();
    let path = target.as_deref().unwrap_or(path);
    let permissions = std::fs::metadata(path).ok().map(|m| m.permissions());
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
        if let Some(permissions) = permissions {
            file.set_permissions(permissions)?;
        }
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

    fn inputs(n: usize) -> Vec<Input> {
        let input = |i| Input {
            path: PathBuf::from(format!("{i}")),
            shown: format!("{i}"),
            relative: PathBuf::new(),
            walked: true,
        };
        (0..n).map(input).collect()
    }

    #[test]
    fn results_come_in_the_order_of_the_inputs() {
        for n in [0, 1, 2, 5, 500] {
            let mut found = Vec::new();
            let work = |i: usize, input: &Input| {
                // The first of many takes longest.
                std::thread::sleep(std::time::Duration::from_millis(if i.is_multiple_of(100) {
                    20
                } else {
                    0
                }));
                (i, input.shown.clone())
            };
            let deliver = |i: usize, (worked, shown): (usize, String)| {
                assert_eq!((worked, shown), (i, i.to_string()));
                found.push(i);
                Ok(())
            };
            for_each(&inputs(n), work, deliver).unwrap();
            assert_eq!(found, (0..n).collect::<Vec<_>>());
        }
    }

    #[test]
    fn who_takes_the_results_can_stop_the_run() {
        let worked = AtomicU64::new(0);
        let work = |_, _: &Input| worked.fetch_add(1, Ordering::Relaxed);
        let deliver = |i, _| if i == 10 { Err(io::Error::other("enough")) } else { Ok(()) };
        assert_eq!(for_each(&inputs(100_000), work, deliver).unwrap_err().to_string(), "enough");
        assert!(worked.into_inner() < 100_000);
    }

    #[test]
    fn a_panic_of_a_worker_hangs_nobody() {
        let run = || for_each(&inputs(1000), |i, _: &Input| assert_ne!(i, 500), |_, ()| Ok(()));
        assert!(catch_unwind(run).is_err());
    }

    #[test]
    fn a_panic_becomes_a_diagnostic() {
        let n = std::hint::black_box(7);
        let found = guarded(|| assert_eq!(n, 8, "seven is not eight")).unwrap_err();
        assert_eq!(found.code, codes::INTERNAL);
        assert!(found.message.contains("seven is not eight"), "{}", found.message);
        assert_eq!(guarded(|| n), Ok(7));
    }
}
