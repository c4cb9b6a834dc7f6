//! What a run gives.

use crate::{Choice, Row};
use ruleferry_ir::Type;
use smol_str::SmolStr;

#[derive(Clone, Debug)]
pub struct Answer {
    pub columns: Vec<(SmolStr, Type)>,
    pub rows: Vec<Row>,
    /// Where another answer would have been as right.
    pub choices: Vec<Choice>,
    /// What the run has cost: rows that its steps made, wide ones counted more.
    pub work: u64,
}
