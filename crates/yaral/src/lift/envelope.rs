//! What a rule says of itself: the keys of `meta`, in the spellings that rules use.

use crate::plain;
use crate::syntax::tree::{Rule, SettingValue};
use indexmap::IndexMap;
use ruleferry_ir::{Envelope, Meta, Severity, attack};
use smol_str::{SmolStr, format_smolstr};

/// Texts that have a field of their own.
fn text_place<'e>(key: &str, envelope: &'e mut Envelope) -> Option<&'e mut Option<SmolStr>> {
    Some(match key {
        "rule_id" | "id" | "uuid" => &mut envelope.id,
        "rule_name" | "title" | "name" => &mut envelope.title,
        "description" => &mut envelope.description,
        "status" => &mut envelope.status,
        "created" | "creation_date" | "date" => &mut envelope.date,
        "updated" | "modified" | "last_modified" | "last_updated" => &mut envelope.modified,
        "version" => &mut envelope.version,
        "license" | "licence" => &mut envelope.licence,
        _ => return None,
    })
}

/// ATT&CK's ids of tactics.
const TACTIC_IDS: &[(&str, &str)] = &[
    ("TA0001", "Initial Access"),
    ("TA0002", "Execution"),
    ("TA0003", "Persistence"),
    ("TA0004", "Privilege Escalation"),
    ("TA0005", "Defense Evasion"),
    ("TA0006", "Credential Access"),
    ("TA0007", "Discovery"),
    ("TA0008", "Lateral Movement"),
    ("TA0009", "Collection"),
    ("TA0010", "Exfiltration"),
    ("TA0011", "Command and Control"),
    ("TA0040", "Impact"),
    ("TA0042", "Resource Development"),
    ("TA0043", "Reconnaissance"),
];

pub fn envelope(rule: &Rule) -> Envelope {
    let mut envelope = Envelope { name: Some(rule.name.text.clone()), ..Envelope::default() };
    for meta in &rule.meta {
        let (key, value) = (meta.key.text.to_ascii_lowercase(), &meta.value.value);
        if !take(&key, value, &mut envelope) {
            let kept = Meta::Scalar { text: value.clone(), plain: false };
            envelope.extra.insert(meta.key.text.clone(), kept);
        }
    }
    let options: IndexMap<SmolStr, Meta> = rule
        .options
        .iter()
        .map(|o| {
            let (text, plain) = match &o.value {
                SettingValue::Bool(value) => (format_smolstr!("{value}"), true),
                SettingValue::Duration(d) => (format_smolstr!("{}{}", d.value, d.unit.letter()), false),
                SettingValue::Number(number) => (number.clone(), true),
                SettingValue::Text(text) => (text.value.clone(), false),
            };
            (o.name.text.clone(), Meta::Scalar { text, plain })
        })
        .collect();
    if !options.is_empty() {
        envelope.extra.insert(SmolStr::new_static("options"), Meta::Map(options));
    }
    envelope
}

/// Puts a key into its field; false if the envelope has none for it, or cannot hold all of it.
fn take(key: &str, value: &SmolStr, envelope: &mut Envelope) -> bool {
    if value.trim().is_empty() {
        return false;
    }
    if let Some(place) = text_place(key, envelope) {
        if place.is_some() {
            return false;
        }
        *place = Some(value.clone());
        return true;
    }
    let listed = || value.split(',').map(str::trim).filter(|v| !v.is_empty());
    match key {
        "author" | "authors" => envelope.authors.extend(listed().map(SmolStr::new)),
        "reference" | "references" | "mitre_attack_url" | "url" => {
            let links = value.split([',', ' ', '\n']).map(str::trim).filter(|v| !v.is_empty());
            envelope.references.extend(links.map(SmolStr::new));
        }
        "false_positives" | "falsepositives" | "false_positive" => {
            envelope.false_positives.push(value.clone())
        }
        "severity" => {
            let severity = Severity::parse(value.trim());
            let severity = severity
                .or_else(|| value.trim().eq_ignore_ascii_case("info").then_some(Severity::Informational));
            if severity.is_none() || envelope.severity.is_some() {
                return false;
            }
            envelope.severity = severity;
        }
        plain::LOOK_BACK => {
            envelope.schedule.look_back = plain::read_look_back(value.trim());
            return envelope.schedule.look_back.is_some();
        }
        "tags" => envelope.tags.extend(listed().map(SmolStr::new)),
        _ if is_attack_key(key) => return take_attack(value, envelope),
        _ => return false,
    }
    true
}

fn is_attack_key(key: &str) -> bool {
    let known = ["mitre", "tactic", "technique", "attack"].iter().any(|part| key.contains(part));
    known && !key.contains("version")
}

/// Tactics and techniques in a value; true if that is all it holds.
fn take_attack(value: &str, envelope: &mut Envelope) -> bool {
    let mut all = true;
    for part in value.split([',', ';', '|', '/']).map(str::trim).filter(|p| !p.is_empty()) {
        let upper = part.to_ascii_uppercase();
        let tactic =
            attack::tactic(part).or_else(|| TACTIC_IDS.iter().find(|(id, _)| *id == upper).map(|(_, t)| *t));
        if let Some(tactic) = tactic {
            add(&mut envelope.tactics, SmolStr::new_static(tactic));
        } else if attack::is_technique(&upper) {
            add(&mut envelope.techniques, upper.into());
        } else {
            // `Valid Accounts (T1078)`, `T1078: Valid Accounts`
            for word in part.split(|c: char| !c.is_ascii_alphanumeric() && c != '.') {
                let word = word.trim_end_matches('.').to_ascii_uppercase();
                if attack::is_technique(&word) {
                    add(&mut envelope.techniques, word.into());
                }
            }
            all = false;
        }
    }
    all
}

fn add(list: &mut Vec<SmolStr>, value: SmolStr) {
    if !list.contains(&value) {
        list.push(value);
    }
}
