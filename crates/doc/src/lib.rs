//! YAML and JSON documents with positions.
//!
//! In: the text of a file. Out: [`Parsed`]: a tree of [`Node`]s that keeps scalars as they were written (`00000429`
//! stays that), the order of keys, a span on every node, the comments, and diagnostics for everything that is wrong.
//! [`print`] goes the other way.
//!
//! ```
//! use ruleferry_doc::{parse_yaml, print, Options};
//! let parsed = parse_yaml("id:  00000429 # as it is\nlist: [a, 'b']\n");
//! let root = &parsed.documents[0].root;
//! assert_eq!(root.get("id").and_then(|n| n.as_text()), Some("00000429"));
//! assert_eq!(print(root, &parsed.comments, Options::default()), "id: 00000429 # as it is\nlist:\n  - a\n  - 'b'\n");
//! ```

mod char_map;
mod comments;
mod common;
mod core_schema;
mod faults;
mod json;
mod node;
mod print;
mod source_map;
mod text_style;
mod yaml;

pub use comments::{Comment, Comments, Place};
pub use core_schema::Class;
pub use json::parse_json;
pub use node::{Kind, Node, Pair, Scalar, Style};
pub use print::{Options, print, print_all};
#[doc(hidden)]
pub use yaml::parse_any_yaml;
pub use yaml::parse_yaml;

use ruleferry_diag::{Diagnostic, Span};

/// Deepest nesting that is read; no rule comes near it, and everything that walks a tree may recurse.
pub const MAX_DEPTH: usize = 96;

/// Most nodes that the aliases of one file may add.
pub const MAX_ALIAS_NODES: usize = 100_000;

/// Most syntax errors that are told of one file.
pub const MAX_FAULTS: usize = 32;

/// What a file says, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    pub documents: Vec<Document>,
    pub comments: Comments,
    pub diagnostics: Vec<Diagnostic>,
}

/// One document of a file (JSON has one; YAML separates them with `---`).
#[derive(Clone, Debug)]
pub struct Document {
    pub root: Node,
    pub span: Span,
    /// False if a part could not be read: what seems missing may only be unreadable.
    pub complete: bool,
}
