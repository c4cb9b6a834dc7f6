//! What a comparison says.
//!
//! A [`Verdict`] cannot be put together wrongly: `equivalent` needs a [`Proof`], every difference needs a [`Witness`], and a
//! witness is made only by [`Witness::replay`], which runs both rules in the evaluator and sees the difference itself.

use crate::search::Observed;
use ruleferry_eval::MemoryTables;
use ruleferry_ir as ir;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as JsonValue;

/// Relation of `b` (the output) to `a` (the source).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// Both find the same: proved.
    Equivalent,
    /// No difference found up to the stated bound.
    EquivalentBounded,
    /// `b` misses what `a` finds.
    Narrower,
    /// `b` finds more.
    Wider,
    /// Each finds what the other misses.
    Divergent,
    /// Nothing is found by both, and each finds something.
    Disjoint,
    /// Not decided; the reasons say why.
    Unknown,
}

/// What the relation rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// Both have the same canonical form.
    Canonical,
    /// Languages of texts were compared as automata.
    Automaton,
    /// The Boolean structure, with intervals and missing values, was decided.
    Solver,
    /// Tables were tried; for a difference the witness is certain, that there is no other kind is not.
    Tested,
}

/// Which of the two rules finds something that the other does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Fires {
    A,
    B,
}

/// Tables on which the evaluator shows a difference.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Witness {
    fires: Fires,
    /// The time of the run, RFC 3339.
    now: String,
    /// Rows by table; a column that is not there has no value.
    tables: serde_json::Map<String, JsonValue>,
    /// The same with their types, for running them again.
    #[serde(skip)]
    data: std::sync::Arc<MemoryTables>,
}

/// The tables say all.
impl PartialEq for Witness {
    fn eq(&self, other: &Self) -> bool {
        (self.fires, &self.now, &self.tables) == (other.fires, &other.now, &other.tables)
    }
}

impl Witness {
    /// From a run of both rules that was just seen to differ; `None` where the run does not show `fires`.
    pub(crate) fn of(observed: &Observed, fires: Fires) -> Option<Self> {
        let shows = match fires {
            Fires::A => observed.only_a,
            Fires::B => observed.only_b,
        };
        shows.then(|| Self {
            fires,
            now: observed.now_text(),
            tables: observed.tables_json(),
            data: observed.tables.clone().into(),
        })
    }

    pub const fn fires(&self) -> Fires {
        self.fires
    }

    pub fn now(&self) -> &str {
        &self.now
    }

    pub(crate) fn data(&self) -> &MemoryTables {
        &self.data
    }

    pub const fn tables(&self) -> &serde_json::Map<String, JsonValue> {
        &self.tables
    }
}

/// The relation of two rules, what it rests on, and what shows it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Verdict {
    relation: Relation,
    proof: Option<Proof>,
    /// Names of the rewrites that brought both into one form.
    rewrites: Vec<&'static str>,
    /// Tables that a search tried.
    bound: Option<u32>,
    seed: Option<u64>,
    reasons: Vec<String>,
    witnesses: Vec<Witness>,
}

impl Verdict {
    fn new(relation: Relation, proof: Option<Proof>) -> Self {
        Self {
            relation,
            proof,
            rewrites: Vec::new(),
            bound: None,
            seed: None,
            reasons: Vec::new(),
            witnesses: Vec::new(),
        }
    }

    /// `reasons`: what the proof takes for granted.
    pub(crate) fn equivalent(proof: Proof, rewrites: Vec<&'static str>, reasons: &[&str]) -> Self {
        let reasons = reasons.iter().map(|r| (*r).to_owned()).collect();
        Self { rewrites, reasons, ..Self::new(Relation::Equivalent, Some(proof)) }
    }

    /// Nothing was proved; so many tables showed no difference.
    pub(crate) fn bounded(tables: u32, seed: u64, reasons: Vec<String>) -> Self {
        Self {
            bound: Some(tables),
            seed: Some(seed),
            reasons,
            ..Self::new(Relation::EquivalentBounded, Some(Proof::Tested))
        }
    }

    pub(crate) fn unknown(reasons: Vec<String>) -> Self {
        Self { reasons, ..Self::new(Relation::Unknown, None) }
    }

    /// `a` finds more, as the witness shows, and that `b` finds nothing more rests on `proof`.
    pub(crate) fn narrower(witness: Witness, proof: Proof, reasons: Vec<String>) -> Self {
        Self { witnesses: vec![witness], reasons, ..Self::new(Relation::Narrower, Some(proof)) }
    }

    pub(crate) fn wider(witness: Witness, proof: Proof, reasons: Vec<String>) -> Self {
        Self { witnesses: vec![witness], reasons, ..Self::new(Relation::Wider, Some(proof)) }
    }

    /// `disjoint`: that nothing is found by both was proved.
    pub(crate) fn divergent(a: Witness, b: Witness, disjoint: Option<Proof>) -> Self {
        let relation = if disjoint.is_some() { Relation::Disjoint } else { Relation::Divergent };
        Self { witnesses: vec![a, b], ..Self::new(relation, Some(disjoint.unwrap_or(Proof::Tested))) }
    }

    /// The relation of text that was printed from the very tree that was read.
    pub fn same_tree() -> Self {
        Self::new(Relation::Equivalent, Some(Proof::Canonical))
    }

    /// Not decided, by a caller who could not get as far as a comparison.
    pub fn undecided(reason: impl Into<String>) -> Self {
        Self::unknown(vec![reason.into()])
    }

    pub const fn relation(&self) -> Relation {
        self.relation
    }

    pub const fn proof(&self) -> Option<Proof> {
        self.proof
    }

    pub fn rewrites(&self) -> &[&'static str] {
        &self.rewrites
    }

    pub const fn bound(&self) -> Option<u32> {
        self.bound
    }

    pub fn reasons(&self) -> &[String] {
        &self.reasons
    }

    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }
}

impl Relation {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Equivalent => "equivalent",
            Self::EquivalentBounded => "equivalent-bounded",
            Self::Narrower => "narrower",
            Self::Wider => "wider",
            Self::Divergent => "divergent",
            Self::Disjoint => "disjoint",
            Self::Unknown => "unknown",
        }
    }
}

impl Proof {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Canonical => "canonical",
            Self::Automaton => "automaton",
            Self::Solver => "solver",
            Self::Tested => "tested",
        }
    }
}

/// Ticks as RFC 3339 with seven digits of a second.
pub(crate) fn time_text(ticks: i64) -> String {
    ir::time::datetime_text(ticks).into()
}
