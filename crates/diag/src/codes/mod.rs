//! Every code, declared once: what it means, why it is there, an example, what to do.
//!
//! Ranges: `E00xx` files and documents, `E01xx` KQL syntax, `E02xx` Sigma, `E03xx` KQL lift, `E04xx` SQL (`E042x` reading it back),
//! `E05xx` KQL output, `E06xx` Sigma output, `E07xx` options and policy, `E08xx` running and testing rules, `E09xx` comparing rules (`E092x` and on: what is proved of one rule alone);
//! `E10xx` YARA-L syntax, `E11xx` YARA-L lift, `E12xx` YARA-L output; `L01xx` losses. A number is never used twice.

use crate::Code;

mod data;
mod diff;
mod eval;
mod files;
mod findings;
mod kql;
mod lift;
mod losses;
mod output;
mod sigma;
mod sql;
mod yaral;

pub use data::*;
pub use diff::*;
pub use eval::*;
pub use files::*;
pub use findings::*;
pub use kql::*;
pub use lift::*;
pub use losses::*;
pub use output::*;
pub use sigma::*;
pub use sql::*;
pub use yaral::*;

/// What `ruleferry codes CODE` prints.
#[derive(Clone, Copy, Debug)]
pub struct CodeInfo {
    pub code: Code,
    pub title: &'static str,
    pub why: &'static str,
    pub example: &'static str,
    pub fix: &'static str,
}

/// Declares codes as constants and lists them in a table named `TABLE`.
macro_rules! codes {
    ($($name:ident = $code:literal, $title:literal, why: $why:literal, example: $example:literal, fix: $fix:literal;)*) => {
        $(#[doc = $title] pub const $name: crate::Code = crate::Code($code);)*
        pub(crate) const TABLE: &[crate::codes::CodeInfo] = &[
            $(crate::codes::CodeInfo { code: $name, title: $title, why: $why, example: $example, fix: $fix },)*
        ];
    };
}
pub(crate) use codes;

/// All codes, in the order of their numbers.
pub fn all() -> Vec<CodeInfo> {
    let mut all: Vec<CodeInfo> = [
        data::TABLE,
        diff::TABLE,
        eval::TABLE,
        files::TABLE,
        findings::TABLE,
        kql::TABLE,
        sigma::TABLE,
        lift::TABLE,
        output::TABLE,
        sql::TABLE,
        losses::TABLE,
        yaral::TABLE,
    ]
    .concat();
    all.sort_by_key(|c| c.code);
    all
}

pub fn find(code: &str) -> Option<CodeInfo> {
    all().into_iter().find(|c| c.code.0.eq_ignore_ascii_case(code))
}
