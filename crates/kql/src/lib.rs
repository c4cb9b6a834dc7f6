//! Kusto Query Language: syntax, lift to the IR, lowering from it

pub mod file;
pub mod lift;
pub mod lower;
pub mod syntax;
