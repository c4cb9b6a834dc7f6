//! `action: global`, `repeat` and `reset`: what several documents of a file share.
//!
//! In: the documents as written. Out: whole rules. Mappings are laid over each other key by key; anything else in the
//! later document takes the place of the earlier.

use super::{Action, Detection, DocumentKind, GroupKind, LogSource, Section, SigmaDocument};
use ruleferry_diag::Span;
use std::borrow::Cow;

/// How much may be copied and compared for one file, in keys and values.
const MOST_WORK: usize = 2_000_000;

/// The rules of a file.
pub(crate) struct CarriedOut<'d> {
    pub rules: Cow<'d, [SigmaDocument]>,
    /// The document at which the limit was reached; what follows is as it was written.
    pub stopped: Option<Span>,
}

pub(crate) fn carry_out(documents: &[SigmaDocument]) -> CarriedOut<'_> {
    let any = documents.iter().any(|d| d.entry("action").is_some());
    if !any {
        return CarriedOut { rules: Cow::Borrowed(documents), stopped: None };
    }
    let mut work = 0;
    let mut stopped = None;
    let mut global: Option<SigmaDocument> = None;
    let mut previous: Option<SigmaDocument> = None;
    let mut rules = Vec::new();
    for document in documents {
        let own = without_action(document);
        let bases = [&global, &previous].into_iter().flatten();
        work += bases.map(|base| cost(base, &own)).sum::<usize>();
        if work > MOST_WORK {
            stopped = Some(*document.span);
            break;
        }
        match document.action() {
            Some(Action::Global) => {
                global = Some(match &global {
                    Some(base) => overlay(base, &own),
                    None => own,
                });
            }
            Some(Action::Reset) => {
                global = None;
                // A reset may carry a rule of its own.
                if own.kind() != DocumentKind::Unknown {
                    rules.push(own);
                }
            }
            Some(Action::Repeat) => {
                let whole = previous.as_ref().map_or_else(|| own.clone(), |base| overlay(base, &own));
                previous = Some(whole.clone());
                rules.push(whole);
            }
            None => {
                let whole = global.as_ref().map_or_else(|| own.clone(), |base| overlay(base, &own));
                previous = Some(whole.clone());
                rules.push(whole);
            }
        }
    }
    CarriedOut { rules: Cow::Owned(rules), stopped }
}

/// What laying one document over the other costs: the copy of the base, and finding each key in it.
fn cost(base: &SigmaDocument, over: &SigmaDocument) -> usize {
    let searches =
        |d: &SigmaDocument| d.detection().or(d.filter()).map_or(0, |d| d.searches.len() + d.others.len());
    let comparisons = base.entries.len() * over.entries.len() + searches(base) * searches(over);
    // A comparison of two words is much cheaper than a copy.
    weight(base) + comparisons / 16
}

fn weight(document: &SigmaDocument) -> usize {
    let sections = document.entries.iter().map(|entry| match &entry.section {
        Section::LogSource(logsource) => logsource.entries.len(),
        Section::Correlation(correlation) => {
            correlation.entries.iter().map(|(_, node)| node.count(MOST_WORK)).sum()
        }
        Section::Detection(detection) | Section::Filter(detection) => {
            detection.searches.iter().map(|s| group_weight(&s.body.kind)).sum()
        }
        Section::Other(node) => node.count(MOST_WORK),
    });
    document.entries.len() + sections.sum::<usize>()
}

fn group_weight(group: &GroupKind) -> usize {
    match group {
        GroupKind::Map(items) => items.iter().map(|item| 1 + item.values.as_slice().len()).sum(),
        GroupKind::List(groups) => groups.iter().map(|g| 1 + group_weight(&g.kind)).sum(),
        GroupKind::Keyword(_) => 1,
    }
}

fn without_action(document: &SigmaDocument) -> SigmaDocument {
    let mut document = document.clone();
    document.entries.retain(|e| e.key.text != "action");
    document
}

fn overlay(base: &SigmaDocument, over: &SigmaDocument) -> SigmaDocument {
    let mut result = base.clone();
    result.span = over.span;
    result.complete = base.complete && over.complete;
    for entry in &over.entries {
        let Some(old) = result.entries.iter_mut().find(|e| e.key.text == entry.key.text) else {
            result.entries.push(entry.clone());
            continue;
        };
        match (&mut old.section, &entry.section) {
            (Section::Detection(old), Section::Detection(new)) => overlay_detection(old, new),
            (Section::LogSource(old), Section::LogSource(new)) => overlay_logsource(old, new),
            (Section::Filter(old), Section::Filter(new)) => overlay_detection(old, new),
            (
                Section::LogSource(_)
                | Section::Detection(_)
                | Section::Correlation(_)
                | Section::Filter(_)
                | Section::Other(_),
                _,
            ) => *old = entry.clone(),
        }
    }
    result
}

fn overlay_detection(old: &mut Detection, new: &Detection) {
    let Detection { searches, timeframe, condition, others, span } = new;
    for search in searches {
        match old.searches.iter_mut().find(|s| s.name.text == search.name.text) {
            Some(old) => *old = search.clone(),
            None => old.searches.push(search.clone()),
        }
    }
    if timeframe.is_some() {
        old.timeframe.clone_from(timeframe);
    }
    if condition.is_some() {
        old.condition.clone_from(condition);
    }
    for (name, node) in others {
        match old.others.iter_mut().find(|(n, _)| n.text == name.text) {
            Some((_, value)) => *value = node.clone(),
            None => old.others.push((name.clone(), node.clone())),
        }
    }
    old.span = *span;
}

fn overlay_logsource(old: &mut LogSource, new: &LogSource) {
    for (name, node) in &new.entries {
        match old.entries.iter_mut().find(|(n, _)| n.text == name.text) {
            Some((_, value)) => *value = node.clone(),
            None => old.entries.push((name.clone(), node.clone())),
        }
    }
}
