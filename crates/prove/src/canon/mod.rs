//! Canonical form: an [`ir::Query`](ruleferry_ir::Query) to blocks, terms and formulas of an [`Arena`].
//!
//! In: a rule. Out: [`Canonical`], with the names of the rewrites that were used.

use crate::block::BlockId;
use crate::term::TermId;
use crate::{Arena, Options};
use ruleferry_ir as ir;
use smol_str::SmolStr;
use std::collections::BTreeSet;

/// A query in canonical form.
#[derive(Clone, Debug)]
pub(crate) struct Canonical {
    pub block: BlockId,
    /// What it returns, in order: name and value in the space of `block`.
    pub columns: Vec<(SmolStr, TermId, ir::Type)>,
    /// The columns are not all known (an open schema).
    pub open: bool,
    pub rewrites: BTreeSet<&'static str>,
    /// Constructs that no proof accepts (opaque text, functions that give another value at each call), for people.
    pub outside: Vec<String>,
}

/// Brings a rule's query into canonical form. `Err`: why it cannot be (too large, too deep).
pub(crate) fn canonical(arena: &mut Arena, rule: &ir::Rule, options: &Options) -> Result<Canonical, String> {
    let _ = (arena, rule, options);
    Err("not yet".into())
}
