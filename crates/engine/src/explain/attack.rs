//! ATT&CK as rules name it: techniques by tactic, with names.
//!
//! Names are those of the enterprise matrix (`targets/attack/techniques.tsv`, © The MITRE Corporation).

use indexmap::IndexMap;
use ruleferry_ir::{Envelope, attack};
use smol_str::SmolStr;

const TECHNIQUES: &str = include_str!("../../../../targets/attack/techniques.tsv");

/// Name and tactics of a technique; the lines are in the order of their ids, but for those of a later version.
fn technique(id: &str) -> Option<(&'static str, Vec<&'static str>)> {
    TECHNIQUES.lines().find_map(|line| {
        let rest = line.strip_prefix(id)?.strip_prefix('\t')?;
        let (name, tactics) = rest.split_once('\t').unwrap_or((rest, ""));
        Some((name, tactics.split(',').filter_map(attack::tactic).collect()))
    })
}

/// The tactics of a rule with their techniques, in the rule's order. A technique stands under those of the rule's tactics that
/// it serves; where the rule names none of these, under its own.
pub(super) fn by_tactic(envelope: &Envelope) -> IndexMap<SmolStr, Vec<String>> {
    let mut found: IndexMap<SmolStr, Vec<String>> = IndexMap::new();
    for tactic in &envelope.tactics {
        found.entry(tactic.clone()).or_default();
    }
    for id in &envelope.techniques {
        let id = id.to_ascii_uppercase();
        let (shown, own): (String, Vec<&'static str>) = match technique(&id) {
            Some((name, tactics)) => (format!("{id} {name}"), tactics),
            None => (id, Vec::new()),
        };
        let declared: Vec<SmolStr> =
            envelope.tactics.iter().filter(|t| own.contains(&t.as_str())).cloned().collect();
        let under: Vec<SmolStr> = match (declared.is_empty(), own.is_empty()) {
            (false, _) => declared,
            (true, false) => own.into_iter().map(SmolStr::new_static).collect(),
            (true, true) => vec![SmolStr::new_static("")],
        };
        for tactic in under {
            let techniques = found.entry(tactic).or_default();
            if !techniques.contains(&shown) {
                techniques.push(shown.clone());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn techniques_stand_under_the_tactics_of_the_rule() {
        let envelope = Envelope {
            tactics: vec!["Initial Access".into(), "Impact".into()],
            techniques: vec!["T1078".into(), "t1021.008".into(), "T9999".into()],
            ..Envelope::default()
        };
        let found = by_tactic(&envelope);
        assert_eq!(found["Initial Access"], ["T1078 Valid Accounts"]);
        assert!(found["Impact"].is_empty());
        assert_eq!(found["Lateral Movement"], ["T1021.008 Remote Services: Direct Cloud VM Connections"]);
        assert_eq!(found[""], ["T9999"]);
    }
}
