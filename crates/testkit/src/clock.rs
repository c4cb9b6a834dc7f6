//! Time that this thread has had on a core: what a comparison costs, also on a machine that does other things.
//!
//! In: nothing. Out: microseconds.

use rustix::time::{ClockId, clock_gettime};

#[derive(Clone, Copy, Debug)]
pub struct Clock(i64);

impl Clock {
    pub fn start() -> Self {
        Self(nanoseconds())
    }

    pub fn micros(self) -> u128 {
        u128::try_from((nanoseconds() - self.0) / 1000).unwrap_or(0)
    }
}

fn nanoseconds() -> i64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec)
}
