//! YARA-L 2.0: syntax, lift to the IR, lowering from it

pub mod lift;
pub mod lower;
pub mod plain;
pub mod syntax;
