//! Tests of the YARA-L crate. Rules here are our own.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::string_slice,
    reason = "tests"
)]

mod lift;
mod syntax;
