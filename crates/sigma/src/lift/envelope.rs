//! What a rule says of itself: every key that is not the detection.

use super::Lifter;
use crate::duration;
use crate::syntax::{DocumentKind, Section};
use ruleferry_diag::{Diagnostic, codes};
use ruleferry_doc::Node;
use ruleferry_ir::{Envelope, LogSource, Meta, Severity, attack};
use smol_str::SmolStr;

/// The custom key for how far back a rule looks: Sigma has none of its own.
pub(crate) const LOOK_BACK_KEY: &str = "x-lookback";

/// The custom key for the field that holds the time of an event: Sigma does not name it.
pub(crate) const TIME_FIELD_KEY: &str = "x-time-field";

impl Lifter<'_> {
    pub(super) fn envelope(&mut self) -> Envelope {
        let mut envelope = Envelope::default();
        for entry in &self.document.entries {
            match &entry.section {
                Section::Other(node) => {
                    if !self.take(&entry.key.text, node, &mut envelope) {
                        envelope.extra.insert(entry.key.text.clone(), Meta::from(node));
                    }
                }
                Section::LogSource(source) => {
                    let mut others = indexmap::IndexMap::new();
                    for (name, node) in &source.entries {
                        if !log_source_part(&name.text, node, &mut envelope.log_source) {
                            others.insert(name.text.clone(), Meta::from(node));
                        }
                    }
                    if !others.is_empty() {
                        envelope.extra.insert(SmolStr::new_static("logsource"), Meta::Map(others));
                    }
                }
                Section::Detection(_) | Section::Correlation(_) | Section::Filter(_) => {}
            }
        }
        envelope
    }

    /// Puts a key into its field; false if the envelope has none for it.
    fn take(&mut self, key: &str, node: &Node, envelope: &mut Envelope) -> bool {
        if key == LOOK_BACK_KEY {
            return self.take_look_back(node, envelope);
        }
        if let Some(place) = text_place(key, envelope) {
            let Some(text) = node.as_text().filter(|_| !node.is_null()) else { return false };
            *place = Some(text.into());
            return true;
        }
        if key == "level" {
            envelope.severity = node.as_text().and_then(Severity::parse);
            return envelope.severity.is_some();
        }
        let Some(texts) = texts(key, node) else { return false };
        match key {
            "author" => envelope.authors = texts,
            "references" => envelope.references = texts,
            "falsepositives" => envelope.false_positives = texts,
            "fields" => envelope.fields = texts,
            "tags" => texts.into_iter().for_each(|tag| take_tag(tag, envelope)),
            _ => return false,
        }
        true
    }

    fn take_look_back(&mut self, node: &Node, envelope: &mut Envelope) -> bool {
        envelope.schedule.look_back = node.as_text().and_then(duration::parse);
        if envelope.schedule.look_back.is_none() && self.document.kind() == DocumentKind::Rule {
            let message = format!("`{}` is no length of time", node.as_text().unwrap_or("…"));
            let warning = Diagnostic::warning(codes::SIGMA_METADATA, node.span, message);
            self.warnings.push(warning.with_help("write a number and a unit: 30m, 12h, 7d"));
        }
        envelope.schedule.look_back.is_some()
    }
}

fn text_place<'e>(key: &str, envelope: &'e mut Envelope) -> Option<&'e mut Option<SmolStr>> {
    Some(match key {
        "title" => &mut envelope.title,
        "id" => &mut envelope.id,
        "name" => &mut envelope.name,
        "description" => &mut envelope.description,
        "status" => &mut envelope.status,
        "date" => &mut envelope.date,
        "modified" => &mut envelope.modified,
        "license" => &mut envelope.licence,
        _ => return None,
    })
}

/// A list of texts; of `author` also the names in one text. `None` for anything else.
fn texts(key: &str, node: &Node) -> Option<Vec<SmolStr>> {
    match (node.as_text(), node.as_sequence()) {
        (Some(_), _) if node.is_null() => None,
        // Joined again by the same sign, so nothing is lost whatever a name holds.
        (Some(text), _) if key == "author" => Some(text.split(", ").map(SmolStr::new).collect()),
        (Some(text), _) => Some(vec![SmolStr::new(text)]),
        (None, Some(items)) => items.iter().map(|n| n.as_text().map(SmolStr::new)).collect(),
        (None, None) => None,
    }
}

fn take_tag(tag: SmolStr, envelope: &mut Envelope) {
    let Some(name) = tag.strip_prefix("attack.") else { return envelope.tags.push(tag) };
    if attack::is_technique(name) {
        envelope.techniques.push(name.to_ascii_uppercase().into());
    } else if let Some(tactic) = attack::tactic(name) {
        envelope.tactics.push(SmolStr::new_static(tactic));
    } else {
        envelope.tags.push(tag);
    }
}

fn log_source_part(key: &str, node: &Node, source: &mut LogSource) -> bool {
    let place = match key {
        "product" => &mut source.product,
        "category" => &mut source.category,
        "service" => &mut source.service,
        "definition" => &mut source.definition,
        _ => return false,
    };
    *place = node.as_text().filter(|_| !node.is_null()).map(SmolStr::new);
    place.is_some()
}
