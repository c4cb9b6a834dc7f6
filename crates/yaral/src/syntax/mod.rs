//! YARA-L 2.0 text to tree and back.
//!
//! [`parse`] reads any text and never fails: faults are diagnostics, and error nodes in the tree. [`print`] writes a
//! tree that came from text or was built (see the constructors on [`tree::Expr`] and [`tree::Field`]); what it
//! writes reads back as the same tree.

mod build;
pub mod lexer;
pub mod literal;
pub mod parser;
pub mod printer;
pub mod token;
pub mod tree;

pub use build::is_identifier;
pub use parser::{MAX_DEPTH, Parsed, is_rule_text, parse};
pub use printer::{print, print_expr, print_rule, print_with_comments};
