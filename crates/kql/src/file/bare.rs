//! A query alone in its file. Metadata that stands in the comments at its top is read: `// Severity: High`.

use super::{RuleText, Wrapper, parse_duration};
use ruleferry_diag::{Span, SpanMap};
use ruleferry_ir::{Envelope, Severity, attack};
use smol_str::SmolStr;

pub fn read(text: &str) -> RuleText {
    let mut envelope = Envelope::default();
    let mut schedule = None;
    let body = text.trim_start_matches('\u{feff}');
    let mut at = text.len() - body.len();
    for whole in body.split_inclusive('\n') {
        let line = whole.trim();
        let start = at + whole.len() - whole.trim_start().len();
        at += whole.len();
        if line.is_empty() {
            continue;
        }
        let Some(comment) = line.strip_prefix("//") else { break };
        let before = envelope.schedule;
        read_line(comment.trim_matches(|c: char| c == '/' || c.is_whitespace()), &mut envelope);
        if envelope.schedule != before {
            schedule = Some(Span::from_usize(start, start + line.len()));
        }
    }
    RuleText {
        envelope,
        wrapper: Wrapper::Bare,
        query: text.to_owned(),
        map: SpanMap::identity(),
        span: Span::from_usize(0, text.len()),
        schedule,
    }
}

/// `Key: value`, several on a line where two or more blanks part them (`Freq : PT1H   Period: P1D`).
fn read_line(line: &str, envelope: &mut Envelope) {
    let Some((key, value)) = line.split_once(':') else { return };
    let (value, rest) = match value.find("  ").and_then(|i| value.split_at_checked(i)) {
        Some((v, rest)) if !v.trim().is_empty() && rest.contains(':') => (v, Some(rest)),
        _ => (value, None),
    };
    set(key.trim(), value.trim(), envelope);
    if let Some(rest) = rest {
        read_line(rest.trim(), envelope);
    }
}

fn set(key: &str, value: &str, envelope: &mut Envelope) {
    if value.is_empty() || key.split_whitespace().count() > 3 {
        return;
    }
    let list = || value.split([',', ';']).map(str::trim).filter(|s| !s.is_empty());
    let plain: String =
        key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    match plain.as_str() {
        "rule" | "rulename" | "name" | "title" => set_once(&mut envelope.title, value),
        "id" | "ruleid" => set_once(&mut envelope.id, value),
        "description" => set_once(&mut envelope.description, value),
        "severity" | "level" => envelope.severity = envelope.severity.or(Severity::parse(value)),
        "author" | "authors" => envelope.authors.extend(list().map(SmolStr::new)),
        "reference" | "references" | "link" => envelope.references.push(value.into()),
        "version" => set_once(&mut envelope.version, value),
        "tactic" | "tactics" => {
            envelope.tactics.extend(list().filter_map(attack::tactic).map(SmolStr::new_static));
        }
        "mitre" | "mitreattack" | "attack" | "technique" | "techniques" | "ttp" | "ttps" => {
            let words = value.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')'));
            envelope.techniques.extend(words.filter(|w| attack::is_technique(w)).map(SmolStr::new));
        }
        "freq" | "frequency" | "queryfrequency" => {
            envelope.schedule.frequency = envelope.schedule.frequency.or(parse_duration(value));
        }
        "period" | "queryperiod" | "lookback" => {
            envelope.schedule.look_back = envelope.schedule.look_back.or(parse_duration(value));
        }
        _ => {}
    }
}

fn set_once(slot: &mut Option<SmolStr>, value: &str) {
    slot.get_or_insert_with(|| value.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_comments_are_metadata() {
        let rule = read(
            "// Rule    : Odd sign-in\n// Severity: High\n// Tactics : InitialAccess, Impact\n// MITRE   : T1078, T1098.001\n\
             // Freq    : PT1H   Period: P1D\n//====\nT | take 1\n// Severity: Low\n",
        );
        let e = rule.envelope;
        assert_eq!(e.title.as_deref(), Some("Odd sign-in"));
        assert_eq!(e.severity, Some(Severity::High));
        assert_eq!(e.tactics, ["Initial Access", "Impact"]);
        assert_eq!(e.techniques, ["T1078", "T1098.001"]);
        assert_eq!(e.schedule.frequency.map(|t| t / 10_000_000), Some(3600));
        assert_eq!(e.schedule.look_back.map(|t| t / 10_000_000), Some(86_400));
    }
}
