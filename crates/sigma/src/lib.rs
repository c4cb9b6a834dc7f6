//! Sigma: syntax, lift to the IR, lowering from it

pub mod syntax;
