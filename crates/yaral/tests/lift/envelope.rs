//! What a rule says of itself.

use super::lifted;
use ruleferry_ir::{Meta, Severity};

#[test]
fn meta_keys_find_their_places() {
    let text = r#"rule short_name {
  meta:
    author = "Ann, Bob"
    rule_id = "ru_1"
    rule_name = "A Long Name"
    description = "What it is"
    severity = "HIGH"
    mitre_attack_tactic = "Initial Access, Persistence"
    mitre_attack_technique = "Valid Accounts"
    mitre_attack_technique_id = "T1078.004"
    mitre_attack_url = "https://attack.mitre.org/techniques/T1078/"
    tactic = "TA0006"
    reference = "https://example.com/a"
    created = "2026-01-02"
    data_source = "Our Log"
    priority = "Low"
  events:
    $e.metadata.id != ""
  condition:
    $e
  options:
    suppression_window = 1h
}"#;
    let envelope = lifted(text).rule.envelope;
    assert_eq!(envelope.name.as_deref(), Some("short_name"));
    assert_eq!(envelope.title.as_deref(), Some("A Long Name"));
    assert_eq!(envelope.id.as_deref(), Some("ru_1"));
    assert_eq!(envelope.authors, ["Ann", "Bob"]);
    assert_eq!(envelope.severity, Some(Severity::High));
    assert_eq!(envelope.tactics, ["Initial Access", "Persistence", "Credential Access"]);
    assert_eq!(envelope.techniques, ["T1078.004"]);
    assert_eq!(envelope.references, ["https://attack.mitre.org/techniques/T1078/", "https://example.com/a"]);
    assert_eq!(envelope.date.as_deref(), Some("2026-01-02"));
    let keys: Vec<&str> = envelope.extra.keys().map(|k| k.as_str()).collect();
    assert_eq!(keys, ["mitre_attack_technique", "data_source", "priority", "options"]);
    assert!(matches!(&envelope.extra["options"], Meta::Map(m) if m.len() == 1));
    assert_eq!(envelope.schedule.look_back, None);
}
