//! The keys of a document from the envelope of a rule.

use super::{LowerOptions, Lowerer};
use crate::duration;
use crate::syntax::{LogSource, Section, SigmaDocument};
use ruleferry_diag::{Span, codes};
use ruleferry_doc::{Node, Style};
use ruleferry_ir::{Effect, Envelope, Meta, attack};
use uuid::Uuid;

/// What Sigma allows as `status`.
const STATUSES: [&str; 5] = ["stable", "test", "experimental", "deprecated", "unsupported"];

/// Keys with a meaning of their own, which no foreign key may take.
const RESERVED: [&str; 19] = [
    "title",
    "id",
    "name",
    "description",
    "status",
    "author",
    "references",
    "date",
    "modified",
    "license",
    "level",
    "tags",
    "falsepositives",
    "fields",
    "logsource",
    "detection",
    "correlation",
    "filter",
    "action",
];

/// The document without what it looks for, and whether it has an id.
pub(super) fn document(
    envelope: &Envelope,
    options: &LowerOptions,
    lowerer: &mut Lowerer<'_>,
) -> (SigmaDocument, bool) {
    let mut document = SigmaDocument::new();
    let title = [envelope.title.as_deref(), envelope.name.as_deref(), options.title.as_deref()];
    let title = title.into_iter().flatten().find(|t| !t.trim().is_empty()).unwrap_or("Untitled");
    document.set_text("title", title);
    let id = id(envelope);
    let named = id.is_some();
    if let Some(id) = id {
        document.set("id", plain(&id));
    }
    let texts = [
        ("name", &envelope.name),
        ("description", &envelope.description),
        ("license", &envelope.licence),
        ("date", &envelope.date),
        ("modified", &envelope.modified),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            document.set_text(key, text);
        }
    }
    match envelope.status.as_deref() {
        Some(status) if STATUSES.contains(&status) => document.set_text("status", status),
        Some(status) => document.set_text("x-status", status),
        None => {}
    }
    if !envelope.authors.is_empty() {
        document.set_text("author", &envelope.authors.join(", "));
    }
    let tags = tags(envelope);
    let lists: [(&str, Vec<&str>); 4] = [
        ("references", envelope.references.iter().map(|t| t.as_str()).collect()),
        ("tags", tags.iter().map(String::as_str).collect()),
        ("falsepositives", envelope.false_positives.iter().map(|t| t.as_str()).collect()),
        ("fields", envelope.fields.iter().map(|t| t.as_str()).collect()),
    ];
    for (key, texts) in lists {
        if !texts.is_empty() {
            document.set_texts(key, texts);
        }
    }
    if let Some(severity) = envelope.severity {
        document.set_text("level", severity.name());
    }
    log_source(envelope, &mut document);
    own_keys(envelope, &mut document, lowerer);
    (document, named)
}

/// The rule's id if it is a UUID, or one that is derived from it.
fn id(envelope: &Envelope) -> Option<String> {
    let given = envelope.id.as_deref().filter(|id| !id.trim().is_empty())?;
    Some(Uuid::try_parse(given).map_or_else(|_| derived_id(given), |id| id.hyphenated().to_string()))
}

/// An id or a length of time, which no reader takes for a number, as people write it: without quotes.
pub(super) fn plain(text: &str) -> Section {
    let node = Node::scalar(text, Style::Plain);
    Section::Other(if node.as_str().is_some() { node } else { Node::string(text) })
}

/// A UUID that is always the same for the same text.
pub(super) fn derived_id(text: &str) -> String {
    let seed = format!("ruleferry:{text}");
    Uuid::new_v5(&Uuid::NAMESPACE_URL, seed.as_bytes()).hyphenated().to_string()
}

fn tags(envelope: &Envelope) -> Vec<String> {
    let tactics = envelope.tactics.iter().map(|t| format!("attack.{}", attack::hyphenated(t)));
    let techniques = envelope.techniques.iter().map(|t| format!("attack.{}", t.to_ascii_lowercase()));
    let others = envelope.tags.iter().map(ToString::to_string);
    let mut out: Vec<String> = Vec::new();
    for tag in tactics.chain(techniques).chain(others) {
        if !out.contains(&tag) {
            out.push(tag);
        }
    }
    out
}

/// The rule's own log source, if it is from Sigma.
fn log_source(envelope: &Envelope, document: &mut SigmaDocument) {
    let source = &envelope.log_source;
    let others = match envelope.extra.get("logsource") {
        Some(Meta::Map(others)) => Some(others),
        Some(Meta::Scalar { .. } | Meta::List(_)) | None => None,
    };
    if source.product.is_none() && source.category.is_none() && source.service.is_none() && others.is_none() {
        return;
    }
    let mut made =
        LogSource::new(source.category.as_deref(), source.product.as_deref(), source.service.as_deref());
    if let Some(definition) = &source.definition {
        made.entries.push(("definition".into(), Node::string(definition.clone())));
    }
    for (key, meta) in others.into_iter().flatten() {
        made.entries.push((key.clone().into(), Node::from(meta)));
    }
    document.set("logsource", Section::LogSource(made));
}

/// What Sigma has no key for goes into keys of its own, which the specification allows.
fn own_keys(envelope: &Envelope, document: &mut SigmaDocument, lowerer: &mut Lowerer<'_>) {
    if let Some(version) = &envelope.version {
        document.set_text("x-version", version);
    }
    if let Some(frequency) = envelope.schedule.frequency.and_then(duration::format) {
        document.set("x-frequency", plain(&frequency));
    }
    if envelope.enabled == Some(false) {
        document.set("x-enabled", Section::Other(Node::scalar("false", Style::Plain)));
    }
    if let Some(trigger) = &envelope.trigger
        && (trigger.operator != "gt" || trigger.threshold != 0)
    {
        let text = format!("{} {}", trigger.operator, trigger.threshold);
        document.set_text("x-trigger", &text);
        let effect = if trigger.operator == "gt" { Effect::Widens } else { Effect::Unknown };
        let detail =
            format!("the rule alerts if the number of results is `{text}`; in Sigma every event alerts");
        lowerer.lose(codes::TRIGGER_LOST, effect, Span::default(), detail);
    }
    for (key, meta) in &envelope.extra {
        if key == "logsource" && matches!(meta, Meta::Map(_)) {
            continue;
        }
        let reserved = RESERVED.contains(&key.as_str()) || document.entry(key).is_some();
        let key = if reserved { format!("x-{key}") } else { key.to_string() };
        document.set(&key, Section::Other(Node::from(meta)));
    }
}
