//! Rules kept in YAML or JSON: Sentinel rules, ARM resources, Defender custom detections.

use super::{RuleFile, RuleText, Wrapper, parse_duration};
use ruleferry_diag::{Diagnostic, codes};
use ruleferry_doc::{Kind, Node, Pair, Parsed};
use ruleferry_ir::{Envelope, Meta, Severity, Trigger, attack};
use smol_str::SmolStr;

pub fn read(file: &str, parsed: Parsed) -> RuleFile {
    let mut out = RuleFile { rules: Vec::new(), diagnostics: parsed.diagnostics };
    for document in &parsed.documents {
        find(&document.root, file, &mut out.rules, 0);
        let empty = document.root.is_null();
        if out.rules.is_empty() && document.complete && !empty && out.diagnostics.is_empty() {
            out.diagnostics.push(
                Diagnostic::error(codes::UNKNOWN_LANGUAGE, document.span, "no rule is found in the document")
                    .with_help("a KQL rule has its query under `query`, `properties.query` or `queryCondition.queryText`"),
            );
        }
    }
    out
}

/// Rules lie at the top, in a list, or as resources of a template, which may hold templates in turn.
fn find(node: &Node, file: &str, rules: &mut Vec<RuleText>, depth: usize) {
    if depth > 12 {
        return;
    }
    if let Some(rule) = sentinel(node, file).or_else(|| arm(node, file)).or_else(|| defender(node, file)) {
        rules.push(rule);
        return;
    }
    match &node.kind {
        Kind::Sequence(items) => items.iter().for_each(|n| find(n, file, rules, depth + 1)),
        Kind::Mapping(pairs) => {
            for pair in pairs {
                if matches!(
                    pair.key.as_text(),
                    Some("resources" | "properties" | "mainTemplate" | "template" | "value" | "rules")
                ) {
                    find(&pair.value, file, rules, depth + 1);
                }
            }
        }
        Kind::Scalar(_) => {}
    }
}

fn rule_text(
    query: &Node,
    envelope: Envelope,
    wrapper: Wrapper,
    schedule: Option<&Node>,
    file: &str,
) -> Option<RuleText> {
    let text = query.as_text()?.to_owned();
    let schedule = schedule.map(|node| node.span);
    Some(RuleText { envelope, wrapper, query: text, map: query.span_map(file), span: query.span, schedule })
}

/// How far a rule of Sentinel looks back, or how often it runs.
fn sentinel_schedule(node: &Node) -> Option<&Node> {
    node.get("queryPeriod").or_else(|| node.get("queryFrequency"))
}

/// A Sentinel rule as its content repository keeps it: the keys at the top.
fn sentinel(node: &Node, file: &str) -> Option<RuleText> {
    let query = node.get("query").filter(|q| q.as_text().is_some())?;
    let mut envelope = Envelope::default();
    for pair in node.as_mapping()? {
        set_sentinel(pair, &mut envelope);
    }
    rule_text(query, envelope, Wrapper::Sentinel, sentinel_schedule(node), file)
}

/// A resource of an ARM template: an alert rule, its template, or a saved search.
fn arm(node: &Node, file: &str) -> Option<RuleText> {
    let properties = node.get("properties")?;
    let query = properties.get("query").filter(|q| q.as_text().is_some())?;
    let mut envelope = Envelope::default();
    for pair in properties.as_mapping()? {
        set_sentinel(pair, &mut envelope);
    }
    for pair in node.as_mapping()? {
        match pair.key.as_text() {
            Some("properties") => {}
            Some("name") => {
                if let Some(name) = pair.value.as_text() {
                    envelope.id.get_or_insert_with(|| arm_id(name).into());
                    envelope.name = Some(name.into());
                }
            }
            _ => keep(pair, &mut envelope),
        }
    }
    rule_text(query, envelope, Wrapper::Arm, sentinel_schedule(properties), file)
}

/// The rule's id in a resource name: the GUID in `[concat(…, '/Microsoft.SecurityInsights/<id>')]`, else the last part.
fn arm_id(name: &str) -> &str {
    let words = name.split(|c: char| !(c.is_ascii_hexdigit() || c == '-'));
    let guid = words.into_iter().find(|w| w.len() == 36 && w.matches('-').count() == 4);
    guid.unwrap_or_else(|| name.rsplit('/').next().unwrap_or(name))
}

fn set_sentinel(pair: &Pair, envelope: &mut Envelope) {
    let value = &pair.value;
    let text = value.as_text().map(SmolStr::new);
    match pair.key.as_text().unwrap_or_default() {
        "query" => return,
        "id" => envelope.id = text.clone(),
        "name" | "displayName" => envelope.title = text.clone(),
        "description" => envelope.description = text.as_deref().map(unquoted),
        "severity" if text.as_deref().is_some_and(|t| Severity::parse(t).is_some()) => {
            envelope.severity = text.as_deref().and_then(Severity::parse);
        }
        "status" => envelope.status = text.clone(),
        "version" => envelope.version = text.clone(),
        "enabled" if value.as_bool().is_some() => envelope.enabled = value.as_bool(),
        "tactics" if value.as_sequence().is_some() => {
            envelope.tactics = strings(value)
                .map(|t| attack::tactic(t).map_or_else(|| t.into(), SmolStr::new_static))
                .collect();
        }
        "relevantTechniques" | "techniques" if value.as_sequence().is_some() => {
            envelope.techniques.extend(strings(value).map(SmolStr::new));
        }
        "subTechniques" if value.as_sequence().is_some() => {
            envelope.techniques.extend(strings(value).map(SmolStr::new));
        }
        "queryFrequency" if text.as_deref().is_some_and(|t| parse_duration(t).is_some()) => {
            envelope.schedule.frequency = text.as_deref().and_then(parse_duration);
        }
        "queryPeriod" if text.as_deref().is_some_and(|t| parse_duration(t).is_some()) => {
            envelope.schedule.look_back = text.as_deref().and_then(parse_duration);
        }
        "triggerOperator" if text.is_some() => {
            let operator = text.as_deref().map(trigger_operator).unwrap_or_default();
            let threshold = envelope.trigger.as_ref().map_or(0, |t| t.threshold);
            envelope.trigger = Some(Trigger { operator, threshold });
        }
        "triggerThreshold" if value.as_i64().is_some() => {
            let operator = envelope.trigger.take().map_or_else(|| "gt".into(), |t| t.operator);
            envelope.trigger = value.as_i64().map(|threshold| Trigger { operator, threshold });
        }
        _ => return keep(pair, envelope),
    }
    // A value of an unexpected shape is kept as it is.
    if text.is_none() && value.as_sequence().is_none() {
        keep(pair, envelope);
    }
}

/// `GreaterThan` and `gt` are one.
fn trigger_operator(text: &str) -> SmolStr {
    match text.to_ascii_lowercase().as_str() {
        "greaterthan" | "gt" => "gt".into(),
        "lessthan" | "lt" => "lt".into(),
        "equal" | "eq" => "eq".into(),
        "notequal" | "ne" => "ne".into(),
        _ => text.into(),
    }
}

/// Sentinel's descriptions stand in quotes inside of a block scalar; the quotes are no part of them.
fn unquoted(text: &str) -> SmolStr {
    let trimmed = text.trim();
    trimmed.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')).unwrap_or(trimmed).into()
}

fn strings(node: &Node) -> impl Iterator<Item = &str> {
    node.as_sequence().unwrap_or_default().iter().filter_map(Node::as_text)
}

fn keep(pair: &Pair, envelope: &mut Envelope) {
    let key = SmolStr::new(pair.key.as_text().unwrap_or_default());
    envelope.extra.insert(key, Meta::from(&pair.value));
}

/// A Defender XDR custom detection, as its API gives it.
fn defender(node: &Node, file: &str) -> Option<RuleText> {
    let query = node.get("queryCondition")?.get("queryText").filter(|q| q.as_text().is_some())?;
    let mut envelope = Envelope::default();
    for pair in node.as_mapping()? {
        let text = pair.value.as_text().map(SmolStr::new);
        match pair.key.as_text().unwrap_or_default() {
            "id" | "detectorId" if envelope.id.is_none() => envelope.id = text,
            "displayName" => envelope.title = text,
            "isEnabled" => envelope.enabled = pair.value.as_bool(),
            "schedule" => {
                let period = pair.value.get("period").and_then(Node::as_text);
                envelope.schedule.frequency = period.and_then(defender_period);
                keep(pair, &mut envelope);
            }
            "detectionAction" => {
                if let Some(template) = pair.value.get("alertTemplate") {
                    let get = |key| template.get(key).and_then(Node::as_text);
                    envelope.description = get("description").map(SmolStr::new);
                    envelope.severity = get("severity").and_then(Severity::parse);
                    envelope.tactics = get("category")
                        .and_then(attack::tactic)
                        .map(SmolStr::new_static)
                        .into_iter()
                        .collect();
                    if let Some(techniques) = template.get("mitreTechniques") {
                        envelope.techniques = strings(techniques).map(SmolStr::new).collect();
                    }
                }
                keep(pair, &mut envelope);
            }
            _ => keep(pair, &mut envelope),
        }
    }
    let schedule = node.get("schedule").and_then(|s| s.get("period"));
    rule_text(query, envelope, Wrapper::Defender, schedule, file)
}

/// `1H`, `24H`; `0` is continuous (NRT), which has no period.
fn defender_period(text: &str) -> Option<i64> {
    if text == "0" {
        None
    } else {
        parse_duration(&text.to_ascii_lowercase()).or_else(|| parse_duration(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "id: 7\nname: A rule\ndescription: |\n  'It finds.'\nseverity: Medium\nqueryPeriod: 1d\ntactics: [InitialAccess]\n\
                        query: |\n  T\n  | where a == 1\nentityMappings:\n  - entityType: IP\nversion: 1.0.0\n";

    #[test]
    fn a_sentinel_rule_keeps_every_key() {
        let file = super::super::read_yaml(RULE);
        assert!(file.diagnostics.is_empty());
        let rule = &file.rules[0];
        assert_eq!(rule.envelope.title.as_deref(), Some("A rule"));
        assert_eq!(rule.envelope.description.as_deref(), Some("It finds."));
        assert_eq!(rule.envelope.tactics, ["Initial Access"]);
        assert!(rule.envelope.extra.contains_key("entityMappings"));
        // The place of `where` in the query is its place in the file.
        let at = rule.query.find("where").map(|i| rule.map.offset(i as u32) as usize).unwrap();
        assert_eq!(RULE.get(at..at + 5), Some("where"));
    }

    #[test]
    fn an_arm_export_holds_many() {
        let text = r#"{"resources": [
            {"type": "Microsoft.OperationalInsights/workspaces/providers/alertRules", "name": "[concat('w','/Microsoft.SecurityInsights/0914adab-90b5-47a3-a79f-7cdcac843aa7')]",
             "kind": "Scheduled", "properties": {"displayName": "A", "query": "T\n| where a == \"x\"", "queryFrequency": "PT1H", "enabled": false, "triggerOperator": "GreaterThan", "triggerThreshold": 3}},
            {"properties": {"displayName": "B", "query": "U"}}]}"#;
        let file = super::super::read_json(text);
        let rule = &file.rules[0];
        assert_eq!((file.rules.len(), rule.wrapper), (2, Wrapper::Arm));
        assert_eq!(rule.envelope.id.as_deref(), Some("0914adab-90b5-47a3-a79f-7cdcac843aa7"));
        assert_eq!(rule.envelope.trigger, Some(Trigger { operator: "gt".into(), threshold: 3 }));
        assert_eq!(rule.envelope.enabled, Some(false));
        let at = rule.query.find('x').map(|i| rule.map.offset(i as u32) as usize).unwrap();
        assert_eq!(text.get(at..=at), Some("x"));
    }

    #[test]
    fn a_custom_detection_is_read() {
        let text = r#"{"value": [{"id": "7506", "displayName": "D", "isEnabled": true, "queryCondition": {"queryText": "DeviceEvents"},
            "schedule": {"period": "12H"}, "detectionAction": {"alertTemplate": {"severity": "medium", "category": "InitialAccess", "mitreTechniques": ["T1566"]}}}]}"#;
        let rule = &super::super::read_json(text).rules[0];
        assert_eq!((rule.wrapper, rule.envelope.severity), (Wrapper::Defender, Some(Severity::Medium)));
        assert_eq!(rule.envelope.techniques, ["T1566"]);
        assert_eq!(rule.envelope.schedule.frequency.map(|t| t / 36_000_000_000), Some(12));
    }
}
