//! Kusto Query Language text to tree and back.

pub mod keyword;
pub mod lexer;
pub mod literal;
pub mod parser;
pub mod token;
pub mod tree;

pub use parser::{MAX_DEPTH, Parsed, parse};
