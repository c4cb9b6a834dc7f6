//! String tests by themselves, for those who reason about them: what [`crate::evaluate`] does, one function for each.
//!
//! In: texts. Out: whether they match. The prover builds its automata after these and is tested against them.

pub use crate::functions::{Network, as_in_re2, in_cidr};
pub use crate::matching::{fold, fold_char, glob, term};
