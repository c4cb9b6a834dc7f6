//! `drift`: does what is deployed still mean what its source means?
//!
//! In: two sides (the source, and what is deployed or what it was at a revision) and a baseline of drift that is accepted. Out:
//! one [`DriftRecord`] a rule, with its [`State`]. The verdict is the prover's; what a platform does with the rows counts, too: a rule
//! that is disabled, runs less often, triggers later or is suppressed for longer misses what its source finds.

use ruleferry_engine::diag::render::FileReport;
use ruleferry_engine::diag::{Diagnostic, Severity, Span, codes};
use ruleferry_engine::{
    Change, ChangeEffect, ChangeKind, DiffOptions, DiffSide, Diffed, Gates, MetadataChange, Relation, Side,
    Verdict, diff, finding,
};
use serde::{Deserialize, Serialize};

/// How the deployed rule stands to its source.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    InSync,
    /// The same meaning, written in another way.
    Reformatted,
    /// The same meaning; what the rule says of itself differs.
    Metadata,
    Narrower,
    Wider,
    Divergent,
    Unknown,
    /// Only the source has it.
    Missing,
    /// Only the deployed set has it.
    Orphan,
    /// One of the two cannot be read.
    Invalid,
}

impl State {
    pub const fn name(self) -> &'static str {
        match self {
            Self::InSync => "in-sync",
            Self::Reformatted => "reformatted",
            Self::Metadata => "metadata",
            Self::Narrower => "narrower",
            Self::Wider => "wider",
            Self::Divergent => "divergent",
            Self::Unknown => "unknown",
            Self::Missing => "missing",
            Self::Orphan => "orphan",
            Self::Invalid => "invalid",
        }
    }

    /// Whether what is found differs, or may.
    pub const fn drifted(self) -> bool {
        match self {
            Self::InSync | Self::Reformatted | Self::Metadata => false,
            Self::Narrower
            | Self::Wider
            | Self::Divergent
            | Self::Unknown
            | Self::Missing
            | Self::Orphan
            | Self::Invalid => true,
        }
    }
}

/// One rule of `drift --format json`.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct DriftRecord {
    /// Below the source folder; of an orphan, below the deployed one.
    pub path: String,
    pub state: State,
    /// Null where the rule is not there.
    pub source: Option<DiffSide>,
    pub deployed: Option<DiffSide>,
    /// Relation of what is deployed to its source.
    pub verdict: Option<Verdict>,
    pub changes: Vec<Change>,
    pub metadata: Vec<MetadataChange>,
    /// The meaning changed, and neither `version` nor `modified` did; only with `--since`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub without_version_bump: bool,
    /// Why this drift is accepted, if the baseline says so and has not expired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
}

/// What to compare.
pub struct DriftOptions<'o> {
    pub diff: DiffOptions,
    pub baseline: &'o Baseline,
    /// `YYYY-MM-DD`: an entry of the baseline counts up to its last day.
    pub today: String,
    /// The deployed side is the same catalogue at another time.
    pub since: bool,
}

/// Drift that is accepted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    pub accept: Vec<Accepted>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// Id, title or path of the rule.
    pub rule: String,
    /// Only drift of this kind.
    pub state: State,
    pub reason: String,
    /// The last day, `YYYY-MM-DD`.
    pub expires: String,
}

impl Baseline {
    /// Reads a baseline; `Err` says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let baseline: Self = serde_yaml::from_str(text).map_err(|e| e.to_string())?;
        for entry in &baseline.accept {
            if !is_date(&entry.expires) {
                return Err(format!("`{}` is no date (YYYY-MM-DD), for `{}`", entry.expires, entry.rule));
            }
            if entry.reason.trim().is_empty() {
                return Err(format!("no reason is given for `{}`", entry.rule));
            }
        }
        Ok(baseline)
    }

    /// The entry for a rule; expired ones do not count.
    fn find(&self, record: &DriftRecord, today: &str) -> Option<&Accepted> {
        let names = [&record.source, &record.deployed].into_iter().flatten().flat_map(|side| {
            let rule = &side.rule;
            [rule.id.as_deref(), rule.title.as_deref(), Some(side.path.as_str())]
        });
        let names: Vec<&str> = names.flatten().chain([record.path.as_str()]).collect();
        self.accept.iter().find(|a| {
            a.state == record.state && names.contains(&a.rule.as_str()) && today <= a.expires.as_str()
        })
    }

    /// Entries that have expired.
    pub fn expired<'b>(&'b self, today: &'b str) -> impl Iterator<Item = &'b Accepted> {
        self.accept.iter().filter(move |a| a.expires.as_str() < today)
    }
}

fn is_date(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00"
}

/// What came of one rule.
pub struct Drifted {
    pub record: DriftRecord,
    /// For code scanning, pull requests and test reports; none where nothing is to be told.
    pub report: Option<FileReport>,
}

/// Compares the two; `deliver` gets the rules in the order of the source, orphans last. How many there were comes back.
pub fn drift(
    source: &Side,
    deployed: &Side,
    options: &DriftOptions<'_>,
    mut deliver: impl FnMut(Drifted) -> std::io::Result<()>,
) -> std::io::Result<usize> {
    let mut asked = options.diff.clone();
    asked.text = true;
    diff(source, deployed, &asked, |diffed| deliver(judge(diffed, options)))
}

fn judge(diffed: Diffed, options: &DriftOptions<'_>) -> Drifted {
    let broken = diffed.invalid() || diffed.engines_disagree();
    let state = if broken { State::Invalid } else { state(&diffed) };
    let record = &diffed.record;
    let bumped = record.metadata.iter().any(|m| matches!(m.key.as_str(), "version" | "modified"));
    let same_rule = record.a.is_some() && record.b.is_some();
    let mut record = DriftRecord {
        path: record.path.clone(),
        state,
        source: record.a.clone(),
        deployed: record.b.clone(),
        verdict: record.verdict.clone(),
        changes: record.changes.clone(),
        metadata: record.metadata.clone(),
        without_version_bump: options.since && same_rule && state.drifted() && !bumped,
        accepted: None,
    };
    record.accepted = options.baseline.find(&record, &options.today).map(|a| a.reason.clone());
    let report = report(&diffed, &record);
    Drifted { record, report }
}

/// What the verdict says, and what the platform's own settings add to it.
fn state(diffed: &Diffed) -> State {
    let record = &diffed.record;
    let relation = match (&record.verdict, &record.a, &record.b) {
        (Some(verdict), ..) => verdict.relation(),
        (None, Some(_), None) => return State::Missing,
        (None, None, Some(_)) => return State::Orphan,
        (None, ..) => return State::Invalid,
    };
    let settings = |effect: ChangeEffect| {
        let of_settings = |c: &&Change| matches!(c.kind, ChangeKind::Frequency | ChangeKind::Suppression);
        record.changes.iter().filter(of_settings).any(|c| c.effect == effect)
    };
    let (misses, more) = match relation {
        Relation::Equivalent | Relation::EquivalentBounded => (false, false),
        Relation::Narrower => (true, false),
        Relation::Wider => (false, true),
        Relation::Divergent | Relation::Disjoint => (true, true),
        Relation::Unknown => return State::Unknown,
    };
    match (misses || settings(ChangeEffect::Narrower), more || settings(ChangeEffect::Wider)) {
        (true, true) => State::Divergent,
        (true, false) => State::Narrower,
        (false, true) => State::Wider,
        (false, false) => {
            // What only one of the two platforms has a key for is no drift.
            let said = record.metadata.iter().any(|m| m.a.is_some() && m.b.is_some());
            let rewritten = record.text.as_ref().is_some_and(|t| !t.is_empty());
            let languages = [&record.a, &record.b].map(|s| s.as_ref().and_then(|s| s.language));
            if said {
                State::Metadata
            } else if rewritten && languages[0] == languages[1] {
                State::Reformatted
            } else {
                State::InSync
            }
        }
    }
}

/// The finding for code scanning: what `diff` tells of the pair, at the severity of the drift.
fn report(diffed: &Diffed, record: &DriftRecord) -> Option<FileReport> {
    let mut report = finding(diffed, Gates::default()).or_else(|| {
        let file = diffed.b.as_ref().or(diffed.a.as_ref())?;
        Some(FileReport::new(file.path.clone(), file.text.clone(), Vec::new()))
    })?;
    if !record.state.drifted() {
        report.diagnostics.clear();
        return Some(report);
    }
    if report.diagnostics.is_empty() {
        // Both find the same: it is the settings around the query that differ.
        let (code, what) = match record.state {
            State::Wider => (codes::DIFF_WIDER, "alerts more often than"),
            State::Divergent => (codes::DIFF_DIVERGENT, "alerts at other times than"),
            State::Narrower
            | State::Unknown
            | State::Missing
            | State::Orphan
            | State::Invalid
            | State::InSync
            | State::Reformatted
            | State::Metadata => (codes::DIFF_NARROWER, "alerts less often than"),
        };
        let file = diffed.b.as_ref().or(diffed.a.as_ref());
        let span = file.map(|f| f.span).unwrap_or_default();
        let settings = record.changes.iter().filter(|c| c.effect != ChangeEffect::None);
        let told: Vec<String> = settings.map(told).collect();
        let message = format!("the deployed rule {what} its source: {}", told.join("; "));
        report.diagnostics.push(Diagnostic::warning(code, Span::new(span.start, span.start), message));
    }
    for d in &mut report.diagnostics {
        d.severity = if record.accepted.is_some() { Severity::Note } else { Severity::Error };
    }
    Some(report)
}

/// A change in a few words.
pub fn told(change: &Change) -> String {
    let text = |side: &Option<String>| side.clone().unwrap_or_else(|| "nothing".to_owned());
    format!("{}: {} became {}", change.kind.name(), text(&change.a), text(&change.b))
}
