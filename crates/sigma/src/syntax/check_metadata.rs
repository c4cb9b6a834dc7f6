//! Checks of what describes a rule: shapes and values that the specification names. These are warnings: a rule finds
//! the same with a bad date.

use super::check::Sink;
use super::read::or_key;
use super::suggest::nearest;
use super::{DocumentKind, Name, Section, SigmaDocument};
use ruleferry_diag::{Diagnostic, codes};
use ruleferry_doc::Node;

/// What a key holds.
#[derive(Clone, Copy)]
enum Shape {
    /// At most so many characters.
    Text(usize),
    Uuid,
    Date,
    OneOf(&'static [&'static str]),
    Texts,
    Tags,
    Related,
    Bool,
    /// Read elsewhere.
    Section,
}

const STATUSES: &[&str] = &["stable", "test", "experimental", "deprecated", "unsupported"];
const LEVELS: &[&str] = &["informational", "low", "medium", "high", "critical"];
const RELATIONS: &[&str] = &["derived", "obsolete", "merged", "renamed", "similar"];
const LONG: usize = 65_535;

/// The keys of a document, from the JSON schemas of the specification 2.1.0.
const KEYS: &[(&str, Shape)] = &[
    ("title", Shape::Text(256)),
    ("id", Shape::Uuid),
    ("related", Shape::Related),
    ("name", Shape::Text(256)),
    ("taxonomy", Shape::Text(256)),
    ("status", Shape::OneOf(STATUSES)),
    ("description", Shape::Text(LONG)),
    ("license", Shape::Text(LONG)),
    ("author", Shape::Text(LONG)),
    ("references", Shape::Texts),
    ("date", Shape::Date),
    ("modified", Shape::Date),
    ("logsource", Shape::Section),
    ("detection", Shape::Section),
    ("correlation", Shape::Section),
    ("filter", Shape::Section),
    ("action", Shape::Section),
    ("fields", Shape::Texts),
    ("falsepositives", Shape::Texts),
    ("level", Shape::OneOf(LEVELS)),
    ("tags", Shape::Tags),
    ("scope", Shape::Texts),
    ("generate", Shape::Bool),
];

/// What to write in place of a word that is not among the known ones.
pub(crate) fn choose(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write one of {}", known.join(", ")),
    }
}

pub(crate) fn document(document: &SigmaDocument, sink: &mut Sink<'_>) {
    if document.kind() == DocumentKind::Unknown {
        return;
    }
    /// So many unknown keys are compared with Sigma's: rules have a few.
    const MANY: usize = 100;
    let present: Vec<&str> = (document.entries.iter().map(|e| e.key.text.as_str()))
        .filter(|text| KEYS.iter().any(|(key, _)| key == text))
        .take(KEYS.len())
        .collect();
    let mut unknown_keys = 0;
    for entry in &document.entries {
        let name = &entry.key;
        let shape = KEYS.iter().find(|(key, _)| *key == name.text);
        match (shape, &entry.section) {
            (Some((_, shape)), Section::Other(node)) => value(name, node, *shape, sink),
            (Some(_), _) => {}
            // Whoever writes `x-status` does not mean `status`.
            (None, _) if name.text.starts_with("x-") => {}
            (None, _) => {
                unknown_keys += 1;
                if unknown_keys <= MANY {
                    unknown(name, &present, sink);
                }
            }
        }
    }
}

fn unknown(name: &Name, present: &[&str], sink: &mut Sink<'_>) {
    // A key of one's own is legal; one that is nearly a key of Sigma, which is not there, is rather a slip.
    let missing = KEYS.iter().map(|(key, _)| *key).filter(|key| !present.contains(key));
    if let Some(near) = nearest(&name.text, missing) {
        let message = format!("`{}` looks like a slip of `{near}`", name.text);
        let slip = Diagnostic::warning(codes::SIGMA_UNKNOWN_KEY, *name.span, message);
        sink.tell(slip.with_help(format!("did you mean `{near}`?")));
    }
}

fn value(name: &Name, node: &Node, shape: Shape, sink: &mut Sink<'_>) {
    let span = or_key(node.span, name);
    let text = node.as_text();
    let mut warn = |message: String, help: &str| sink.warn(codes::SIGMA_METADATA, span, message, help);
    let shown = || shorten(text.unwrap_or(""));
    match shape {
        Shape::Section => {}
        Shape::Text(longest) => match text {
            None => warn(format!("`{}` holds text, not {}", name.text, node.describe()), "write one text"),
            Some(text) if text.trim().is_empty() => warn(format!("`{}` is empty", name.text), "write a text"),
            Some(text) if text.len() > longest && text.chars().count() > longest => {
                warn(format!("`{}` is longer than {longest} characters", name.text), "shorten it");
            }
            Some(_) => {}
        },
        Shape::Uuid if text.is_some_and(is_uuid) => {}
        Shape::Uuid => {
            warn(
                format!("`{}` is no UUID", shown()),
                "write 32 hexadecimal digits as 8-4-4-4-12, lower case",
            );
        }
        Shape::Date if text.is_some_and(|t| is_date(t, '-')) => {}
        Shape::Date if text.is_some_and(|t| is_date(t, '/')) => {
            let message = format!("`{}` is the date format of older rules", shown());
            let note = Diagnostic::note(codes::SIGMA_METADATA, span, message);
            sink.tell(note.with_help(format!("write {}", text.unwrap_or("").replace('/', "-"))));
        }
        Shape::Date => warn(format!("`{}` is no date", shown()), "write it as 2025-12-31"),
        Shape::OneOf(known) if text.is_some_and(|t| known.contains(&t)) => {}
        Shape::OneOf(known) => {
            let help = choose(text.unwrap_or(""), known);
            warn(format!("`{}` is no {} of Sigma", shown(), name.text), &help);
        }
        Shape::Bool if node.as_bool().is_some() => {}
        Shape::Bool => warn(format!("`{}` is true or false", name.text), "write `true` or `false`"),
        Shape::Texts => texts(name, node, |_| None, sink),
        Shape::Tags => texts(name, node, tag_fault, sink),
        Shape::Related => related(name, node, sink),
    }
}

fn texts(name: &Name, node: &Node, fault: fn(&str) -> Option<&'static str>, sink: &mut Sink<'_>) {
    let Some(items) = node.as_sequence() else {
        let message = format!("`{}` holds a list of texts, not {}", name.text, node.describe());
        let help = "write one a line, each after `- `";
        return sink.warn(codes::SIGMA_METADATA, or_key(node.span, name), message, help);
    };
    for item in items {
        match item.as_text() {
            None => {
                let message = format!("`{}` holds texts, not {}", name.text, item.describe());
                sink.warn(
                    codes::SIGMA_METADATA,
                    or_key(item.span, name),
                    message,
                    "put quotes around text with `: `",
                );
            }
            Some(text) => {
                if let Some(help) = fault(text) {
                    sink.warn(
                        codes::SIGMA_METADATA,
                        or_key(item.span, name),
                        format!("`{}` is no tag", shorten(text)),
                        help,
                    );
                }
            }
        }
    }
}

fn tag_fault(tag: &str) -> Option<&'static str> {
    let small = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    let valid = tag.split_once('.').is_some_and(|(namespace, rest)| {
        let parts = !namespace.is_empty() && !rest.is_empty();
        parts && namespace.chars().all(small) && rest.chars().all(|c| small(c) || c == '.')
    });
    (!valid).then_some("a tag is a namespace, a dot and a name in small letters: attack.t1059.001")
}

fn related(name: &Name, node: &Node, sink: &mut Sink<'_>) {
    let Some(items) = node.as_sequence() else {
        let message = format!("`related` holds a list, not {}", node.describe());
        return sink.warn(
            codes::SIGMA_METADATA,
            or_key(node.span, name),
            message,
            "write `- id: …` and `type: …` below it",
        );
    };
    for item in items {
        for key in ["id", "type"] {
            if item.get(key).is_none() {
                let message = format!("an entry of `related` has no `{key}`");
                sink.warn(codes::SIGMA_METADATA, or_key(item.span, name), message, format!("add `{key}:`"));
            }
        }
        if let Some(id) = item.get("id").filter(|n| !n.as_text().is_some_and(is_uuid)) {
            let message = format!("`{}` is no UUID", shorten(id.as_text().unwrap_or("")));
            sink.warn(
                codes::SIGMA_METADATA,
                or_key(id.span, name),
                message,
                "write 32 hexadecimal digits as 8-4-4-4-12",
            );
        }
        if let Some(kind) = item.get("type").filter(|n| !n.as_text().is_some_and(|t| RELATIONS.contains(&t)))
        {
            let written = kind.as_text().unwrap_or("");
            let message = format!("`{}` is no relation of Sigma", shorten(written));
            sink.warn(codes::SIGMA_METADATA, or_key(kind.span, name), message, choose(written, RELATIONS));
        }
    }
}

/// User text in a message: one line, not endless.
fn shorten(text: &str) -> String {
    const LONGEST: usize = 60;
    let line = text.trim().split(['\n', '\r']).next().unwrap_or("");
    let short: String = line.chars().take(LONGEST).collect();
    if short.len() < line.len() { format!("{short}…") } else { short }
}

fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let mut groups = text.split('-');
    let fits = lengths.iter().all(|length| {
        groups.next().is_some_and(|g| g.len() == *length && g.bytes().all(|b| b.is_ascii_hexdigit()))
    });
    fits && groups.next().is_none()
}

fn is_date(text: &str, separator: char) -> bool {
    let mut parts = text.split(separator);
    let mut number = |digits: usize| {
        let part = parts.next()?;
        let valid = part.len() == digits && part.bytes().all(|b| b.is_ascii_digit());
        if valid { part.parse::<u32>().ok() } else { None }
    };
    let date = (number(4), number(2), number(2));
    let (Some(year), Some(month), Some(day)) = date else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => 0,
    };
    (1..=longest).contains(&day) && parts.next().is_none()
}
