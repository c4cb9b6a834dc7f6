//! Kusto Query Language text to tree and back.

pub mod literal;
pub mod tree;
