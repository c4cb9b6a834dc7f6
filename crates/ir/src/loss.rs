//! What an output does not say of its source: a value with a direction, never a string.

use ruleferry_diag::{Code, Span};
use serde::Serialize;

/// Effect on the alerts of the output, compared with the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// No effect on which events alert.
    Cosmetic,
    /// Alerts on more: noise.
    Widens,
    /// Misses something: a blind spot.
    Narrows,
    Unknown,
}

impl Effect {
    /// The effect of the same loss under a negation.
    #[must_use]
    pub const fn flipped(self) -> Self {
        match self {
            Self::Cosmetic => Self::Cosmetic,
            Self::Widens => Self::Narrows,
            Self::Narrows => Self::Widens,
            Self::Unknown => Self::Unknown,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    pub code: Code,
    pub effect: Effect,
    pub detail: String,
    /// In the source.
    pub span: Span,
}
