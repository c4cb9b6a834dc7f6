//! The rule around the query: its name and what it says of itself.

use super::{LowerOptions, Lowerer};
use crate::plain;
use crate::syntax::is_identifier;
use crate::syntax::tree::Meta;
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{self as ir, Effect, Envelope, Severity};
use smol_str::{SmolStr, ToSmolStr};

/// Words that no variable may be named.
const RESERVED: [&str; 38] = [
    "rule",
    "meta",
    "match",
    "over",
    "events",
    "condition",
    "outcome",
    "options",
    "and",
    "or",
    "not",
    "nocase",
    "in",
    "regex",
    "cidr",
    "before",
    "after",
    "all",
    "any",
    "if",
    "max",
    "min",
    "sum",
    "array",
    "array_distinct",
    "count",
    "count_distinct",
    "is",
    "null",
    "by",
    "tumbling",
    "setup",
    "export",
    "window_start",
    "window_end",
    "true",
    "false",
    "every",
];

/// Names are cut here: nobody reads longer ones.
const LONGEST: usize = 100;

/// A name in the letters of identifiers, near to a text; `otherwise` where it has none of them.
pub(super) fn identifier(text: &str, otherwise: &str) -> SmolStr {
    if is_identifier(text) && text.len() <= LONGEST && !is_reserved(text) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len().min(LONGEST));
    for c in text.chars() {
        if out.len() >= LONGEST {
            break;
        }
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
    }
    let trimmed = out.trim_end_matches('_');
    if trimmed.is_empty() {
        return otherwise.into();
    }
    let digit = trimmed.starts_with(|c: char| c.is_ascii_digit());
    let named = if digit { format!("{otherwise}_{trimmed}") } else { trimmed.to_owned() };
    if is_reserved(&named) { format!("{named}_{otherwise}").into() } else { named.into() }
}

fn is_reserved(text: &str) -> bool {
    RESERVED.iter().any(|r| r.eq_ignore_ascii_case(text))
}

/// The name of a rule: after its title, else its id, else its file.
pub(super) fn rule_name(envelope: &Envelope, options: &LowerOptions) -> SmolStr {
    let texts = [
        envelope.title.as_deref(),
        envelope.name.as_deref(),
        options.title.as_deref(),
        envelope.id.as_deref(),
    ];
    let usable = |t: &&str| t.chars().any(|c| c.is_ascii_alphanumeric());
    let text = texts.into_iter().flatten().find(usable).unwrap_or("converted");
    identifier(&text.to_ascii_lowercase(), "rule")
}

/// What a detection is worth, by the severity of its rule.
pub(super) const fn risk_score(severity: Option<Severity>) -> i64 {
    match severity {
        Some(Severity::Informational) => 15,
        Some(Severity::Low) => 35,
        Some(Severity::Medium) => 65,
        Some(Severity::High) => 85,
        Some(Severity::Critical) => 95,
        None => 40,
    }
}

const fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational => "Informational",
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
        Severity::Critical => "Critical",
    }
}

impl Lowerer<'_> {
    /// The rule's metadata: texts alone, each key once. `look_back`: how far the query looks back, in ticks.
    pub(super) fn meta(&mut self, envelope: &Envelope, look_back: Option<i64>) -> Vec<Meta> {
        let mut out = Keys(Vec::new());
        out.lists("author", &envelope.authors);
        out.text("description", envelope.description.as_deref());
        out.text("rule_name", envelope.title.as_deref());
        out.text("rule_id", envelope.id.as_deref());
        out.text("severity", envelope.severity.map(severity_name));
        out.lists("tactic", &envelope.tactics);
        out.lists("technique", &envelope.techniques);
        out.numbered("reference", &envelope.references);
        out.text("status", envelope.status.as_deref());
        out.text("created", envelope.date.as_deref());
        out.text("modified", envelope.modified.as_deref());
        out.text("version", envelope.version.as_deref());
        out.text("license", envelope.licence.as_deref());
        out.numbered("false_positives", &envelope.false_positives);
        out.lists("tags", &envelope.tags);
        out.text("product", envelope.log_source.product.as_deref());
        out.text("category", envelope.log_source.category.as_deref());
        out.text("service", envelope.log_source.service.as_deref());
        let look_back = look_back.and_then(plain::write_look_back);
        out.text(plain::LOOK_BACK, look_back.as_deref());
        for (key, meta) in &envelope.extra {
            if let ir::Meta::Scalar { text, .. } = meta {
                out.text(&identifier(key, "key"), Some(text));
            }
        }
        if let Some(trigger) = &envelope.trigger
            && (trigger.operator != "gt" || trigger.threshold != 0)
        {
            let text = format!("{} {}", trigger.operator, trigger.threshold);
            out.text("trigger", Some(&text));
            let effect = if trigger.operator == "gt" { Effect::Widens } else { Effect::Unknown };
            let detail = format!(
                "the rule alerts if the number of results is `{text}`; in YARA-L every result alerts"
            );
            self.lose(codes::TRIGGER_LOST, effect, Span::default(), detail);
        }
        out.0
    }
}

struct Keys(Vec<Meta>);

impl Keys {
    fn text(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text.filter(|t| !t.trim().is_empty())
            && self.0.iter().all(|m| m.key.text != key)
        {
            self.0.push(Meta::new(key, text));
        }
    }

    fn lists(&mut self, key: &str, texts: &[SmolStr]) {
        let joined = texts.iter().map(SmolStr::as_str).collect::<Vec<_>>().join(", ");
        self.text(key, Some(&joined));
    }

    /// `key`, `key_2`, …: each text may hold any sign.
    fn numbered(&mut self, key: &str, texts: &[SmolStr]) {
        for (i, text) in texts.iter().enumerate() {
            let key = if i == 0 { key.to_smolstr() } else { format!("{key}_{}", i + 1).into() };
            self.text(&key, Some(text));
        }
    }
}
