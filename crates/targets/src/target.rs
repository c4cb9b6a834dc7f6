//! The targets that rules are read from and written to: `targets/<name>/target.toml`.

use crate::Capability;

include!(concat!(env!("OUT_DIR"), "/targets.rs"));

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    Kql,
    Sigma,
    Sql,
    Yaral,
}

impl Language {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kql => "kql",
            Self::Sigma => "sigma",
            Self::Sql => "sql",
            Self::Yaral => "yaral",
        }
    }
}

/// How far a target can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Support {
    /// Tested on the real engine or with the vendor's own parser.
    Supported,
    /// Read by a parser of the language in tests, and never run.
    Unexecuted,
    /// May change or lack parts.
    Preview,
}

impl Support {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Unexecuted => "unexecuted",
            Self::Preview => "preview",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest query that the product takes, in characters.
    pub query_length: Option<u32>,
    /// Digits of a second that a point in time keeps.
    pub second_digits: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// As the command line names it: the folder under `targets/`.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    pub language: Language,
    /// The dialect of SQL.
    pub dialect: Option<&'static str>,
    /// The version of the language or product that is written for.
    pub version: &'static str,
    pub support: Support,
    pub reads: bool,
    pub writes: bool,
    pub capabilities: &'static [Capability],
    pub limits: Limits,
}

impl Target {
    pub fn can(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }
}

/// All targets, sorted by name.
pub fn all() -> &'static [Target] {
    &TARGETS
}

pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|t| t.name == name)
}
