//! A rule: an envelope of metadata around one query.

use crate::{Columns, Expr, Plan};
use indexmap::IndexMap;
use ruleferry_diag::Span;
use smol_str::SmolStr;

#[derive(Clone, Debug)]
pub struct Rule {
    pub envelope: Envelope,
    pub query: Query,
}

/// `let` bindings and the plan that uses them.
#[derive(Clone, Debug)]
pub struct Query {
    pub columns: Columns,
    /// In an order in which each uses only earlier ones.
    pub bindings: Vec<Binding>,
    pub plan: Plan,
    /// What the front end took for granted, for people: types of unknown columns, the schema that was chosen.
    pub assumptions: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Binding {
    pub name: SmolStr,
    pub value: BindingValue,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum BindingValue {
    Scalar(Expr),
    Table { plan: Plan, materialized: bool },
}

/// What a rule says of itself, apart from its query. Keys that have no field here are kept in `extra`, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Envelope {
    pub id: Option<SmolStr>,
    pub title: Option<SmolStr>,
    /// A short name that may serve as identifier.
    pub name: Option<SmolStr>,
    pub description: Option<SmolStr>,
    pub severity: Option<Severity>,
    pub status: Option<SmolStr>,
    pub authors: Vec<SmolStr>,
    pub references: Vec<SmolStr>,
    pub date: Option<SmolStr>,
    pub modified: Option<SmolStr>,
    pub version: Option<SmolStr>,
    pub licence: Option<SmolStr>,
    pub false_positives: Vec<SmolStr>,
    /// ATT&CK tactic names as in its matrix (`Initial Access`).
    pub tactics: Vec<SmolStr>,
    /// ATT&CK technique ids (`T1078`, `T1021.008`).
    pub techniques: Vec<SmolStr>,
    /// Tags that are neither tactic nor technique (`cve.2021-44228`, `detection.emerging-threats`).
    pub tags: Vec<SmolStr>,
    pub schedule: Schedule,
    pub trigger: Option<Trigger>,
    /// Sigma's logsource, or what another language has for it.
    pub log_source: LogSource,
    /// Columns that the author wants shown.
    pub fields: Vec<SmolStr>,
    pub enabled: Option<bool>,
    pub extra: IndexMap<SmolStr, Meta>,
}

/// Sigma's levels; other languages' severities are mapped to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

/// When a rule runs and how far it looks back; both in ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    pub frequency: Option<i64>,
    pub look_back: Option<i64>,
}

/// How many rows make an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// `gt`, `lt`, `eq`, `ne`.
    pub operator: SmolStr,
    pub threshold: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogSource {
    pub product: Option<SmolStr>,
    pub category: Option<SmolStr>,
    pub service: Option<SmolStr>,
    pub definition: Option<SmolStr>,
}

/// A metadata value that is kept as it stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Meta {
    /// `plain`: written without quotes, so that its text decides its type.
    Scalar {
        text: SmolStr,
        plain: bool,
    },
    List(Vec<Meta>),
    Map(IndexMap<SmolStr, Meta>),
}

impl Severity {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical]
            .into_iter()
            .find(|s| s.name().eq_ignore_ascii_case(name))
    }
}

impl From<&ruleferry_doc::Node> for Meta {
    fn from(node: &ruleferry_doc::Node) -> Self {
        use ruleferry_doc::{Kind, Style};
        match &node.kind {
            Kind::Scalar(s) => Self::Scalar { text: s.text.clone(), plain: s.style == Style::Plain },
            Kind::Sequence(items) => Self::List(items.iter().map(Self::from).collect()),
            Kind::Mapping(pairs) => Self::Map(
                pairs
                    .iter()
                    .map(|p| (SmolStr::new(p.key.as_text().unwrap_or_default()), Self::from(&p.value)))
                    .collect(),
            ),
        }
    }
}

impl From<&Meta> for ruleferry_doc::Node {
    fn from(meta: &Meta) -> Self {
        use ruleferry_doc::{Pair, Style};
        match meta {
            Meta::Scalar { text, plain: true } => Self::scalar(text.clone(), Style::Plain),
            Meta::Scalar { text, plain: false } => Self::string(text.clone()),
            Meta::List(items) => Self::sequence(items.iter().map(Self::from).collect()),
            Meta::Map(map) => Self::mapping(
                map.iter()
                    .map(|(k, v)| Pair { key: Self::string(k.clone()), value: Self::from(v) })
                    .collect(),
            ),
        }
    }
}
