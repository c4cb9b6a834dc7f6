//! Windows in time, the shared words of correlations, match sections and binned aggregates.
//!
//! In: plans with a time column. Out: plans of ordinary operators that put each row into its windows (constructors), and the
//! way back (recognizers): which window a plan stands for, whoever wrote it. Nothing here is an operator of its own, so
//! that every back end can say a window in general terms and those with a word for it find it by the recognizer.
//!
//! | window | plan | row at `t` belongs to |
//! |---|---|---|
//! | tumbling | group key `bin(time, length)` | the one window `[s, s + length)` on the grid |
//! | hop | one row a start: `mv-expand` over `range(bin(time - length, step) + step, bin(time, step), step)` | each `[s, s + length)` with `s` on the grid of `step` |
//! | sliding | join of pivot rows with events, then a filter on the difference of their times | each `[p, p + length]` (or `[p - length, p]`) of a pivot row at `p` |
//!
//! Both ends of a sliding window belong to it: at a clock's resolution two events "5 minutes apart" are within 5 minutes.

mod difference;
mod make;
mod recognize;
#[cfg(test)]
mod tests;

pub use difference::{Bound, Difference, differences};
pub use make::{Pivot, SlidingJoin, hop, sliding, tumbling};
pub use recognize::{Defined, Hop, Sliding, Tumbling, as_hop, as_sliding, as_tumbling, definition, origin};

/// On which side of the pivot row a sliding window lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Anchor {
    /// The window `[p, p + length]` begins at the pivot row.
    Starts,
    /// The window `[p - length, p]` ends at the pivot row.
    Ends,
}
