//! The language of Sigma 2.1: tree, parser, printer. Knows nothing of the IR.
//!
//! In: the text of a file. Out: [`Parsed`]: the documents with all their keys, comments, diagnostics with spans in
//! the file. [`print`] writes the tree back, keys in the order that Sigma's authors use.
//!
//! ```
//! use ruleferry_sigma::syntax::{parse, print};
//! let text = "title: A\nlogsource:\n    service: x\ndetection:\n    condition: a and not 1 of f*\n    a: {B|endswith: '\\c.exe'}\n    f1: [d]\n";
//! let parsed = parse(text);
//! assert!(parsed.diagnostics.is_empty());
//! let rule = &parsed.documents[0];
//! assert_eq!(rule.detection().map(|d| d.searches.len()), Some(2));
//! assert!(print(&parsed.documents, &parsed.comments).contains("        B|endswith: '\\c.exe'\n"));
//! ```

mod actions;
mod check;
mod check_metadata;
mod condition;
mod modifier;
mod read;
mod read_detection;
mod suggest;
mod tree;
mod value;
mod write;

pub use condition::{
    Aggregation, AggregationFunction, Comparison, Condition, ConditionBody, Expr, Pipe, Quantifier, Target,
    parse_condition,
};
pub use modifier::Modifier;
pub use tree::{
    Action, Conditions, Correlation, Detection, DocumentKind, Entry, Group, GroupKind, Item, ItemModifier,
    Loc, LogSource, Name, Search, Section, SigmaDocument, Values,
};
pub use value::{Part, SigmaString, Value, ValueKind};
pub use write::{print, to_node};

use ruleferry_diag::Diagnostic;
use ruleferry_doc::{Comments, parse_yaml};
use std::borrow::Cow;

/// What a file says, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The documents as they were written; see [`Parsed::rules`].
    pub documents: Vec<SigmaDocument>,
    pub comments: Comments,
    pub diagnostics: Vec<Diagnostic>,
}

impl Parsed {
    /// The rules, correlations and filters of the file, with `action: global` and its kind carried out.
    pub fn rules(&self) -> Cow<'_, [SigmaDocument]> {
        actions::carry_out(&self.documents).rules
    }
}

/// Reads a file. Never fails: what cannot be read is told in the diagnostics, and kept as it is in the tree.
pub fn parse(text: &str) -> Parsed {
    let yaml = parse_yaml(text);
    let mut diagnostics = yaml.diagnostics;
    let mut reader = read::Reader::new(text, &mut diagnostics);
    let documents: Vec<SigmaDocument> =
        yaml.documents.into_iter().filter_map(|document| reader.document(document)).collect();
    check::file(&documents, &mut diagnostics);
    diagnostics.sort_by_key(|d| (d.span.start, d.span.end));
    Parsed { documents, comments: yaml.comments, diagnostics }
}
