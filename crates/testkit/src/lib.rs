//! Holds the two engines against each other and against documented results.
//!
//! In: case files (queries with the rows that they must give), corpora of rules, or generated plans and tables. Out: what
//! each query gave in the evaluator and on DuckDB, where they differ, and snapshots of the outcome by case id.
//!
//! `route` takes a text to the IR and runs it, `duck` runs SQL, `same` says when two values or tables are equal, `snapshot`
//! writes and checks the committed outcome. Each program of `bin/` has its own module for what only it does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test harness: it reads its own files, and a fault of it is to be seen"
)]

pub mod clock;
pub mod conformance;
pub mod corpora;
pub mod dialects;
pub mod duck;
pub mod hints;
pub mod mutate;
pub mod plans;
pub mod plans_run;
pub mod random;
pub mod readback;
pub mod route;
pub mod same;
pub mod sigma;
pub mod snapshot;
pub mod tables;
pub mod text;
pub mod versus;
