//! The dialects of SQL, which are data of the targets.

pub use ruleferry_targets::dialect::{Dialect, all as all_dialects};
pub(crate) use ruleferry_targets::dialect::{LikeEscape, NullOrder, Regex};
