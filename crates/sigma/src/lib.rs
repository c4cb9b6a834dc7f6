//! Sigma: syntax, lift to the IR, lowering from it

mod duration;
pub mod lift;
pub mod lower;
pub mod syntax;
