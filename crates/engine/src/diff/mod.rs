//! `diff`: what one rule finds, compared with what another one finds; across languages, files, folders and git revisions.
//!
//! In: two [`Side`]s and [`DiffOptions`]. Out: one [`Diffed`] a pair: the prover's verdict, what changed part by part
//! (`shape`, `predicate` and `render` give queries of all languages one form, `changes` compares), the metadata that differs.

mod changes;
mod findings;
mod git;
mod metadata;
mod pairs;
mod predicate;
pub(crate) mod render;
mod report;
mod shape;
mod side;

pub use changes::ChangeEffect;
pub use findings::{Gates, finding};
pub use metadata::MetadataChange;
pub use report::{diff_text, sentence};
pub use shape::ChangeKind;
pub use side::Side;

use crate::language::Language;
use crate::record::{RuleName, diagnostic_records};
use crate::run::{for_each, guarded};
use crate::same_types::{KnownTables, retype};
use crate::source::{LiftFault, LiftedRule, SourceRule};
use crate::validate;
use changes::RawChange;
use pairs::{Pair, Slot};
use ruleferry_diag::render::json::{DiagnosticRecord, SpanRecord};
use ruleferry_diag::{Diagnostic, LineIndex, Span, codes};
use ruleferry_ir as ir;
use ruleferry_prove::{self as prove, Relation, Verdict};
use ruleferry_sigma::lift::LiftOptions as SigmaOptions;
use schemars::JsonSchema;
use serde::Serialize;
use shape::{ChangeKind as Kind, Place};
use side::ReadFile;
use std::sync::Arc;

/// A limit of time, kept by the caller: nothing in here reads the clock.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    /// Called before each comparison, on the thread that makes it.
    pub start: fn(),
    /// Asked from time to time; true ends the comparison with `unknown`.
    pub over: fn() -> bool,
}

#[derive(Clone, Debug, Default)]
pub struct DiffOptions {
    pub from: Option<Language>,
    pub sigma: SigmaOptions,
    /// `now()` of the tables that are tried, in ticks.
    pub now: Option<i64>,
    pub watch: Option<Watch>,
    /// Compare the texts, too.
    pub text: bool,
    /// Runs the SQL of a side on an engine over the witnesses. No verdict rests on it.
    pub executor: Option<std::sync::Arc<dyn ruleferry_prove::Executor>>,
}

/// One pair of `diff --format json`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DiffRecord {
    /// Below the first folder; of a rule that only the second one has, below that.
    pub path: String,
    /// Null where the rule has no partner.
    pub a: Option<DiffSide>,
    pub b: Option<DiffSide>,
    /// Relation of `b` to `a`; null where one of them is not there or cannot be read.
    pub verdict: Option<Verdict>,
    pub changes: Vec<Change>,
    pub metadata: Vec<MetadataChange>,
    pub assumptions: Vec<String>,
    /// The unified difference of the texts, where it was asked for.
    pub text: Option<String>,
}

/// A rule of one side.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DiffSide {
    pub path: String,
    pub rule: RuleName,
    pub language: Option<&'static str>,
    pub diagnostics: Vec<DiagnosticRecord>,
}

/// Something that differs, as it stands in the two texts.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Change {
    pub kind: ChangeKind,
    /// Null where `b` alone has it.
    pub a: Option<String>,
    /// Null where `a` alone has it.
    pub b: Option<String>,
    /// What it does by itself to what is found.
    pub effect: ChangeEffect,
    /// In the file of `a`; null where no text says it.
    pub a_span: Option<SpanRecord>,
    pub b_span: Option<SpanRecord>,
}

/// What came of one pair.
#[derive(Clone, Debug)]
pub struct Diffed {
    pub record: DiffRecord,
    pub a: Option<DiffedFile>,
    pub b: Option<DiffedFile>,
}

/// The file of a rule, for showing places in it.
#[derive(Clone, Debug)]
pub struct DiffedFile {
    pub path: String,
    pub text: Arc<str>,
    pub diagnostics: Vec<Diagnostic>,
    /// Where the rule stands.
    pub span: Span,
}

impl Diffed {
    /// The SQL engine and the evaluator disagree: a fault of ours.
    pub fn engines_disagree(&self) -> bool {
        let told = |f: &DiffedFile| f.diagnostics.iter().any(|d| d.code == codes::ENGINES_DISAGREE);
        [&self.a, &self.b].into_iter().flatten().any(told)
    }

    /// One of the two could not be read.
    pub fn invalid(&self) -> bool {
        self.record.verdict.is_none() && self.a.is_some() && self.b.is_some()
            || [&self.a, &self.b]
                .into_iter()
                .flatten()
                .any(|f| f.diagnostics.iter().any(Diagnostic::is_error))
                && self.record.verdict.is_none()
    }
}

/// Compares two sides; `deliver` gets the pairs in the order of `a`. How many there were comes back.
pub fn diff(
    a: &Side,
    b: &Side,
    options: &DiffOptions,
    mut deliver: impl FnMut(Diffed) -> std::io::Result<()>,
) -> std::io::Result<usize> {
    let (in_a, in_b) = (a.read(options.from)?, b.read(options.from)?);
    let pairs = pairs::pairs(&in_a, &in_b);
    let work = |_: usize, pair: &Pair| {
        let one = |files: &[ReadFile], slot: Option<Slot>| {
            slot.and_then(|s| files.get(s.file)).map(|f| f.shown.clone())
        };
        guarded(|| diff_pair(&in_a, &in_b, *pair, options))
            .unwrap_or_else(|fault| broken(one(&in_a, pair.a), one(&in_b, pair.b), fault))
    };
    for_each(&pairs, work, |_, diffed| deliver(diffed))?;
    Ok(pairs.len())
}

/// A bug of ours in one pair.
fn broken(a: Option<String>, b: Option<String>, fault: Diagnostic) -> Diffed {
    let file = |path: Option<String>| {
        path.map(|path| DiffedFile {
            path,
            text: Arc::from(""),
            diagnostics: vec![fault.clone()],
            span: Span::default(),
        })
    };
    let side = |path: &Option<String>| {
        path.clone().map(|path| DiffSide {
            path,
            rule: RuleName::default(),
            language: None,
            diagnostics: diagnostic_records(std::slice::from_ref(&fault), ""),
        })
    };
    let record = DiffRecord {
        path: a.clone().or_else(|| b.clone()).unwrap_or_default(),
        a: side(&a),
        b: side(&b),
        verdict: None,
        changes: Vec::new(),
        metadata: Vec::new(),
        assumptions: Vec::new(),
        text: None,
    };
    Diffed { record, a: file(a), b: file(b) }
}

/// A rule of a pair with the file around it.
struct Member<'f> {
    file: &'f ReadFile,
    rule: Option<&'f SourceRule>,
    diagnostics: Vec<Diagnostic>,
}

impl<'f> Member<'f> {
    fn new(files: &'f [ReadFile], slot: Option<Slot>) -> Option<Self> {
        let slot = slot?;
        let file = files.get(slot.file)?;
        let (rule, diagnostics) = match &file.rules {
            Ok(rules) => (rules.get(slot.rule), Vec::new()),
            Err(found) => (None, found.clone()),
        };
        Some(Self { file, rule, diagnostics })
    }

    fn record(&self) -> DiffSide {
        DiffSide {
            path: self.file.shown.clone(),
            rule: self.rule.map(|r| r.name.clone()).unwrap_or_default(),
            language: self.file.language.map(Language::name),
            diagnostics: diagnostic_records(&self.diagnostics, &self.file.text),
        }
    }

    fn file(&self) -> DiffedFile {
        DiffedFile {
            path: self.file.shown.clone(),
            text: self.file.text.clone(),
            diagnostics: self.diagnostics.clone(),
            span: self.rule.map_or(Span::default(), |r| r.span),
        }
    }

    /// The part of the file that is the rule.
    fn text(&self) -> &str {
        let several = self.file.rules.as_ref().is_ok_and(|rules| rules.len() > 1);
        match self.rule.filter(|_| several) {
            Some(rule) => rule.span.text(&self.file.text),
            None => &self.file.text,
        }
    }
}

fn diff_pair(in_a: &[ReadFile], in_b: &[ReadFile], pair: Pair, options: &DiffOptions) -> Diffed {
    let (mut a, mut b) = (Member::new(in_a, pair.a), Member::new(in_b, pair.b));
    let path = a.as_ref().or(b.as_ref()).map(|m| m.file.relative.clone()).unwrap_or_default();
    let mut record = DiffRecord {
        path,
        a: None,
        b: None,
        verdict: None,
        changes: Vec::new(),
        metadata: Vec::new(),
        assumptions: Vec::new(),
        text: None,
    };
    if let (Some(a), Some(b)) = (&mut a, &mut b) {
        if let (Some(x), Some(y)) = (a.rule, b.rule) {
            compare_members(a, b, (x, y), options, &mut record);
        }
        if options.text {
            record.text = Some(text_difference(a, b));
        }
    }
    record.a = a.as_ref().map(Member::record);
    record.b = b.as_ref().map(Member::record);
    Diffed { record, a: a.map(|m| m.file()), b: b.map(|m| m.file()) }
}

fn compare_members(
    a: &mut Member<'_>,
    b: &mut Member<'_>,
    (rule_a, rule_b): (&SourceRule, &SourceRule),
    options: &DiffOptions,
    record: &mut DiffRecord,
) {
    let (lifted_a, lifted_b) = match lift_both(rule_a, rule_b, &options.sigma) {
        (Ok(x), Ok(y)) => (x, y),
        (x, y) => {
            let mut reasons = Vec::new();
            let mut invalid = false;
            for (name, fault, diagnostics) in
                [("a", x.err(), &mut a.diagnostics), ("b", y.err(), &mut b.diagnostics)]
            {
                let Some(fault) = fault else { continue };
                let first =
                    fault.diagnostics().iter().find(|d| d.is_error()).map_or("", |d| d.message.as_str());
                reasons.push(format!("`{name}` has no meaning here: {first}"));
                invalid |= matches!(fault, LiftFault::Invalid(_));
                diagnostics.extend_from_slice(fault.diagnostics());
            }
            record.verdict = (!invalid).then(|| Verdict::undecided(reasons.join("; ")));
            return;
        }
    };
    a.diagnostics.extend(lifted_a.warnings.iter().cloned());
    b.diagnostics.extend(lifted_b.warnings.iter().cloned());
    let across = rule_a.language != rule_b.language;
    let comparison = Comparison {
        now: options.now,
        now_is_fixed: false,
        watch: options.watch,
        empty_is_absent: empty_is_absent(rule_a.language, rule_b.language),
        search: true,
    };
    let verdict = comparison.verdict(&lifted_a.rule, &lifted_b.rule);
    if let Some(executor) = options.executor.as_deref() {
        let replay = |rule: &SourceRule, lifted: &LiftedRule, member: &mut Member<'_>| {
            if rule.language == Language::SQL {
                let script = rule.query_text(&member.file.text);
                let now = options.now.unwrap_or(NOW);
                let found = validate::replay(&lifted.rule, script, verdict.witnesses(), now, executor);
                member.diagnostics.extend(found);
            }
        };
        replay(rule_a, &lifted_a, a);
        replay(rule_b, &lifted_b, b);
    }
    record.assumptions = assumptions(&lifted_a.rule, &lifted_b.rule, comparison.empty_is_absent);
    let mut raw = changes::changes(&lifted_a.rule.query, &lifted_b.rule.query);
    raw.extend(envelope_changes(&lifted_a.rule.envelope, &lifted_b.rule.envelope, across));
    settle_effects(&mut raw, verdict.relation());
    let texts = Texts {
        a: Shown::new(rule_a, &lifted_a, &a.file.text),
        b: Shown::new(rule_b, &lifted_b, &b.file.text),
    };
    record.changes = raw.into_iter().map(|c| texts.change(c)).collect();
    record.metadata = metadata::metadata(&lifted_a.rule.envelope, &lifted_b.rule.envelope, across);
    record.verdict = Some(verdict);
}

/// Both rules, with one type for one column.
fn lift_both(
    a: &SourceRule,
    b: &SourceRule,
    options: &SigmaOptions,
) -> (Result<LiftedRule, LiftFault>, Result<LiftedRule, LiftFault>) {
    // SQL says nothing of its tables: the other side may.
    let of_sql = |lifted: &Result<LiftedRule, LiftFault>| {
        lifted.as_ref().ok().map(|l| KnownTables::of_sql(&l.rule.query, &[]))
    };
    let (lifted_a, lifted_b) = match (a.language, b.language) {
        (Language::Sql(_), Language::Kql | Language::Sigma | Language::Yaral) => {
            let second = b.lift(options, None);
            (a.lift(options, of_sql(&second).as_ref()), second)
        }
        (Language::Kql | Language::Sigma | Language::Yaral, Language::Sql(_)) => {
            let first = a.lift(options, None);
            let second = b.lift(options, of_sql(&first).as_ref());
            (first, second)
        }
        (Language::Sql(_), Language::Sql(_))
        | (
            Language::Kql | Language::Sigma | Language::Yaral,
            Language::Kql | Language::Sigma | Language::Yaral,
        ) => (a.lift(options, None), b.lift(options, None)),
    };
    let (Ok(mut x), Ok(mut y)) = (lifted_a.clone(), lifted_b.clone()) else { return (lifted_a, lifted_b) };
    let (tables_a, tables_b) = (KnownTables::of(&x.rule.query), KnownTables::of(&y.rule.query));
    if let Some(tables) = tables_a.reconciled(&tables_b) {
        // A query that is not right over the types of the other one keeps its own.
        let again = |rule: &SourceRule, lifted: &mut LiftedRule| {
            if let (Language::Kql, Ok(typed)) = (rule.language, rule.lift(options, Some(&tables))) {
                *lifted = typed;
            }
        };
        again(a, &mut x);
        again(b, &mut y);
    }
    if a.language != b.language {
        let (tables_a, tables_b) = (KnownTables::of(&x.rule.query), KnownTables::of(&y.rule.query));
        for (one, others, language) in [(&mut x, &tables_b, a.language), (&mut y, &tables_a, b.language)] {
            if language == Language::Sigma && retype(&mut one.rule.query, others) {
                let text = "fields of Sigma are compared with the text of the typed column";
                one.rule.query.assumptions.push(text.into());
            }
        }
    }
    (Ok(x), Ok(y))
}

/// Whether one of two rules reads tables in which an absent field and an empty text are one value, and the other does not.
pub(crate) const fn empty_is_absent(a: Language, b: Language) -> bool {
    matches!(
        (a, b),
        (Language::Sigma | Language::Sql(_), Language::Kql | Language::Yaral)
            | (Language::Kql | Language::Yaral, Language::Sigma)
    )
}

/// What a comparison across languages takes for granted.
pub(crate) const EMPTY_IS_ABSENT: &str =
    "no event has a field with an empty text: absent and empty are one value where one of the rules runs";

fn assumptions(a: &ir::Rule, b: &ir::Rule, empty_is_absent: bool) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let own = a.query.assumptions.iter().chain(&b.query.assumptions).cloned();
    for text in own.chain(empty_is_absent.then(|| EMPTY_IS_ABSENT.to_owned())) {
        if !found.contains(&text) {
            found.push(text);
        }
    }
    found
}

/// How two rules are compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comparison {
    pub now: Option<i64>,
    /// One side has this time in place of `now()`.
    pub now_is_fixed: bool,
    pub watch: Option<Watch>,
    pub empty_is_absent: bool,
    /// Look for witnesses where the proof fails.
    pub search: bool,
}

/// 2026-01-01T00:00:00Z in ticks: any fixed time does, and the same one gives the same witness on every day.
pub(crate) const NOW: i64 = 639_028_224_000_000_000;
/// Steps of proof and search of one pair.
const STEPS: u64 = 2_000_000;

impl Comparison {
    /// Relation of `b` to `a`.
    pub fn verdict(&self, a: &ir::Rule, b: &ir::Rule) -> Verdict {
        let options = prove::Options {
            now: self.now.unwrap_or(NOW),
            now_is_fixed: self.now_is_fixed,
            seed: 1,
            steps: STEPS,
            search: self.search,
            empty_is_absent: self.empty_is_absent,
            stop: self.watch.map(|w| w.over),
        };
        if let Some(watch) = self.watch {
            (watch.start)();
        }
        let verdict = prove::compare(a, b, &options);
        let over = self.watch.is_some_and(|w| (w.over)());
        if over && verdict.relation() == Relation::Unknown {
            return Verdict::undecided(
                "the time limit (`--timeout`) ran out before a proof or a difference was found",
            );
        }
        verdict
    }
}

/// Effects that the verdict knows better than the change alone.
fn settle_effects(changes: &mut [RawChange], relation: Relation) {
    let known = match relation {
        Relation::Equivalent => Some(ChangeEffect::None),
        Relation::Narrower => Some(ChangeEffect::Narrower),
        Relation::Wider => Some(ChangeEffect::Wider),
        Relation::EquivalentBounded | Relation::Divergent | Relation::Disjoint | Relation::Unknown => None,
    };
    match known {
        // The verdict is about what is found, not about when.
        Some(ChangeEffect::None) => changes
            .iter_mut()
            .filter(|c| !matches!(c.kind, Kind::Frequency | Kind::Suppression))
            .for_each(|c| c.effect = ChangeEffect::None),
        Some(effect) => {
            // One change alone has the effect of the whole.
            let mut real: Vec<&mut RawChange> =
                changes.iter_mut().filter(|c| c.effect != ChangeEffect::None).collect();
            if let [only] = real.as_mut_slice() {
                only.effect = effect;
            }
        }
        None => {}
    }
}

/// What the platforms do with the rows: changes that can silence a rule as surely as a filter.
fn envelope_changes(a: &ir::Envelope, b: &ir::Envelope, across: bool) -> Vec<RawChange> {
    let mut found = Vec::new();
    let place = |text: String| Place::new(text, Span::default());
    let mut push = |kind: Kind, what: &str, x: Option<String>, y: Option<String>, effect: ChangeEffect| {
        if x != y && (!across || (x.is_some() && y.is_some())) {
            let shown = |text: Option<String>| text.map(|t| place(format!("{what} {t}")));
            found.push(RawChange { kind, a: shown(x), b: shown(y), detail: None, effect });
        }
    };
    let duration = |ticks: Option<i64>| ticks.map(|t| ir::time::timespan_text(t).to_string());
    let (old, new) = (a.schedule, b.schedule);
    let wider = |more: Option<bool>| match more {
        Some(true) => ChangeEffect::Wider,
        Some(false) => ChangeEffect::Narrower,
        None => ChangeEffect::Unknown,
    };
    let longer = old.look_back.zip(new.look_back).map(|(x, y)| y > x);
    push(Kind::Window, "looks back", duration(old.look_back), duration(new.look_back), wider(longer));
    let more_often = old.frequency.zip(new.frequency).map(|(x, y)| y < x);
    push(Kind::Frequency, "runs every", duration(old.frequency), duration(new.frequency), wider(more_often));
    let trigger = |e: &ir::Envelope| {
        let t = e.trigger.as_ref();
        let (operator, threshold) = t.map_or(("gt", 0), |t| (t.operator.as_str(), t.threshold));
        (operator.to_owned(), threshold)
    };
    let (x, y) = (trigger(a), trigger(b));
    let lower = (x.0 == y.0 && x.0 == "gt").then_some(y.1 < x.1);
    let told = |(operator, threshold): (String, i64)| Some(format!("{operator} {threshold}"));
    push(Kind::Trigger, "alerts on a number of rows", told(x), told(y), wider(lower));
    let (x, y) = (suppression(a), suppression(b));
    push(Kind::Suppression, "suppressed for", duration(x), duration(y), wider(Some(y < x)));
    let (x, y) = (a.enabled.unwrap_or(true), b.enabled.unwrap_or(true));
    push(Kind::Enabled, "enabled:", Some(x.to_string()), Some(y.to_string()), wider(Some(y)));
    found
}

/// How long no further alert is raised after one, in ticks; none where the rule says nothing of it.
fn suppression(envelope: &ir::Envelope) -> Option<i64> {
    let text = |key: &str| match envelope.extra.get(key) {
        Some(ir::Meta::Scalar { text, .. }) => Some(text.as_str()),
        Some(ir::Meta::List(_) | ir::Meta::Map(_)) | None => None,
    };
    match text("suppressionEnabled") {
        Some(on) if on.eq_ignore_ascii_case("true") => {
            text("suppressionDuration").and_then(ruleferry_kql::file::parse_duration)
        }
        Some(_) | None => None,
    }
}

/// The texts of one side.
struct Shown<'t> {
    rule: &'t SourceRule,
    lifted: &'t LiftedRule,
    query: &'t str,
    index: LineIndex<'t>,
}

impl<'t> Shown<'t> {
    fn new(rule: &'t SourceRule, lifted: &'t LiftedRule, file: &'t str) -> Self {
        Self { rule, lifted, query: rule.query_text(file), index: LineIndex::new(file) }
    }

    fn text(&self, place: &Place) -> String {
        let written = if self.rule.spans_are_whole() { place.span.text(self.query).trim() } else { "" };
        // Of a join what stands before its other side.
        let written = written.trim_end_matches(|c: char| c == '(' || c.is_whitespace());
        match (written.is_empty(), place.turned) {
            (true, _) => place.text.clone(),
            (false, true) => format!("not({written})"),
            (false, false) => written.to_owned(),
        }
    }

    fn span(&self, place: &Place) -> Option<SpanRecord> {
        if place.span.is_empty() {
            return None;
        }
        Some(SpanRecord::new(self.lifted.map.span(place.span), &self.index))
    }

    /// Where the file says how often it runs and how far it looks back.
    fn schedule(&self) -> Option<SpanRecord> {
        self.rule.schedule().map(|span| SpanRecord::new(span, &self.index))
    }
}

struct Texts<'t> {
    a: Shown<'t>,
    b: Shown<'t>,
}

impl Texts<'_> {
    fn change(&self, raw: RawChange) -> Change {
        let (mut a, mut b) = (raw.a, raw.b);
        let shown = |a: &Option<Place>, b: &Option<Place>| {
            (a.as_ref().map(|p| self.a.text(p)), b.as_ref().map(|p| self.b.text(p)))
        };
        let (mut text_a, mut text_b) = shown(&a, &b);
        if text_a == text_b
            && let Some((x, y)) = raw.detail
        {
            // `Count > Limit` reads alike on both sides: what `Limit` is does not.
            (a, b) = (Some(x), Some(y));
            (text_a, text_b) = shown(&a, &b);
        }
        if text_a == text_b {
            (text_a, text_b) = (a.as_ref().map(|p| p.text.clone()), b.as_ref().map(|p| p.text.clone()));
        }
        let span = |side: &Shown<'_>, place: &Option<Place>| {
            let place = place.as_ref()?;
            side.span(place).or_else(|| match raw.kind {
                Kind::Window | Kind::Frequency => side.schedule(),
                _ => None,
            })
        };
        let (a_span, b_span) = (span(&self.a, &a), span(&self.b, &b));
        Change { kind: raw.kind, a: text_a, b: text_b, effect: raw.effect, a_span, b_span }
    }
}

/// The unified difference of two texts.
fn text_difference(a: &Member<'_>, b: &Member<'_>) -> String {
    let (old, new) = (a.text(), b.text());
    similar::TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .header(&a.file.shown, &b.file.shown)
        .to_string()
}
