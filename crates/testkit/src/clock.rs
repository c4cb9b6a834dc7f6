//! Time that this thread has had on a core: what a comparison costs on a machine that does other things, too.
//!
//! In: nothing. Out: microseconds, of the scheduler's account where the system has one (Linux), else of the clock.

use std::time::Instant;

#[derive(Debug)]
pub struct Clock {
    start: Instant,
    used: Option<u64>,
}

/// Nanoseconds on a core.
fn used() -> Option<u64> {
    let account = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    account.split_whitespace().next()?.parse().ok()
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "measures the time of a comparison")]
    pub fn start() -> Self {
        Self { start: Instant::now(), used: used() }
    }

    pub fn micros(&self) -> u128 {
        match (self.used, used()) {
            (Some(from), Some(to)) => u128::from(to.saturating_sub(from) / 1000),
            _ => self.start.elapsed().as_micros(),
        }
    }
}
