//! Sets of rules: bulk migration with a ledger, and the drift of what is deployed from its source.
//!
//! In: the inputs of a run and its options. Out: files below an output folder, and summaries. What one rule means and how it is
//! converted is the engine's; here it is decided what has to be done again, what may be overwritten, and what is said of the whole.

pub mod drift;
mod folder;
pub mod migrate;
