//! What two rules say of themselves, apart from what they find.

use ruleferry_ir::{Envelope, LogSource, Meta};
use schemars::JsonSchema;
use serde::Serialize;
use smol_str::SmolStr;
use std::collections::BTreeSet;

/// A key of the metadata that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MetadataChange {
    pub key: String,
    pub a: Option<String>,
    pub b: Option<String>,
}

/// The keys that differ. `common`: only those that both have, where the two languages have other keys anyhow.
pub(crate) fn metadata(a: &Envelope, b: &Envelope, common: bool) -> Vec<MetadataChange> {
    let one = |text: &Option<SmolStr>| text.as_ref().map(ToString::to_string);
    let list = |texts: &[SmolStr]| (!texts.is_empty()).then(|| texts.join(", "));
    let mut found = Vec::new();
    let mut differ = |key: &str, a: Option<String>, b: Option<String>| {
        let told = if common { a.is_some() && b.is_some() } else { true };
        if a != b && told {
            found.push(MetadataChange { key: key.to_owned(), a, b });
        }
    };
    let plain: [(&str, &Option<SmolStr>, &Option<SmolStr>); 9] = [
        ("id", &a.id, &b.id),
        ("title", &a.title, &b.title),
        ("name", &a.name, &b.name),
        ("description", &a.description, &b.description),
        ("status", &a.status, &b.status),
        ("date", &a.date, &b.date),
        ("modified", &a.modified, &b.modified),
        ("version", &a.version, &b.version),
        ("license", &a.licence, &b.licence),
    ];
    for (key, x, y) in plain {
        differ(key, one(x), one(y));
    }
    let severity = |e: &Envelope| e.severity.map(|s| s.name().to_owned());
    differ("severity", severity(a), severity(b));
    let lists: [(&str, &[SmolStr], &[SmolStr]); 7] = [
        ("authors", &a.authors, &b.authors),
        ("references", &a.references, &b.references),
        ("false positives", &a.false_positives, &b.false_positives),
        ("tactics", &a.tactics, &b.tactics),
        ("techniques", &a.techniques, &b.techniques),
        ("tags", &a.tags, &b.tags),
        ("fields", &a.fields, &b.fields),
    ];
    for (key, x, y) in lists {
        differ(key, list(x), list(y));
    }
    differ("log source", log_source(&a.log_source), log_source(&b.log_source));
    let keys: BTreeSet<&SmolStr> = a.extra.keys().chain(b.extra.keys()).collect();
    for key in keys {
        differ(key, a.extra.get(key).map(text), b.extra.get(key).map(text));
    }
    found
}

fn log_source(source: &LogSource) -> Option<String> {
    let parts = [
        ("product", &source.product),
        ("category", &source.category),
        ("service", &source.service),
        ("definition", &source.definition),
    ];
    let told: Vec<String> =
        parts.into_iter().filter_map(|(key, v)| v.as_ref().map(|v| format!("{key}: {v}"))).collect();
    (!told.is_empty()).then(|| told.join(", "))
}

fn text(meta: &Meta) -> String {
    match meta {
        Meta::Scalar { text, .. } => text.to_string(),
        Meta::List(items) => format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(", ")),
        Meta::Map(map) => {
            let pairs: Vec<String> = map.iter().map(|(k, v)| format!("{k}: {}", text(v))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}
