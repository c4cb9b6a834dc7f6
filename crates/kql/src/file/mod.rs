//! The files that hold KQL rules.
//!
//! In: the text of a file. Out: the rules in it, each with its [`Envelope`], the text of its query and the way from there
//! to the file ([`SpanMap`]). Read are bare queries (metadata in leading comments), Sentinel analytics and hunting rules
//! (YAML), Sentinel ARM exports (JSON) and Defender XDR custom detections (JSON or YAML). Every key is kept: those that
//! the envelope has no field for stand in `extra`.

mod bare;
mod duration;
mod wrapped;

use ruleferry_diag::{Diagnostic, Span, SpanMap};
use ruleferry_ir::Envelope;

pub use duration::{duration_text, iso_duration, parse_duration};

/// How a rule is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapper {
    /// The query alone.
    Bare,
    /// A Sentinel rule in YAML.
    Sentinel,
    /// A resource of an ARM template.
    Arm,
    /// A Defender XDR custom detection.
    Defender,
}

/// One rule of a file.
#[derive(Clone, Debug)]
pub struct RuleText {
    pub envelope: Envelope,
    pub wrapper: Wrapper,
    /// The query, as it is to be read.
    pub query: String,
    /// From offsets in `query` to offsets in the file.
    pub map: SpanMap,
    /// Where the query stands in the file.
    pub span: Span,
    /// Where the file says how often it runs and how far it looks back.
    pub schedule: Option<Span>,
}

#[derive(Clone, Debug, Default)]
pub struct RuleFile {
    pub rules: Vec<RuleText>,
    pub diagnostics: Vec<Diagnostic>,
}

/// A query alone: `.kql`, `.csl`, `.txt`.
pub fn read_bare(text: &str) -> RuleFile {
    RuleFile { rules: vec![bare::read(text)], diagnostics: Vec::new() }
}

/// Rules in YAML.
pub fn read_yaml(text: &str) -> RuleFile {
    wrapped::read(text, ruleferry_doc::parse_yaml(text))
}

/// Rules in JSON.
pub fn read_json(text: &str) -> RuleFile {
    wrapped::read(text, ruleferry_doc::parse_json(text))
}
