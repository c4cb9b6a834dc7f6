//! Outcomes and conditions of groups.

use super::found;

const EVENTS: &str = r#"
{"metadata":{"id":"a1","event_timestamp":"2026-01-01T00:00:01Z","product_event_type":"a"},"principal":{"hostname":"h","ip":["1.1.1.1","2.2.2.2"]},"network":{"sent_bytes":10}}
{"metadata":{"id":"a2","event_timestamp":"2026-01-01T00:00:02Z","product_event_type":"a"},"principal":{"hostname":"h"},"network":{"sent_bytes":30}}
{"metadata":{"id":"b1","event_timestamp":"2026-01-01T00:00:03Z","product_event_type":"b"},"principal":{"hostname":"h"}}
{"metadata":{"id":"b2","event_timestamp":"2026-01-01T00:00:04Z","product_event_type":"b"},"principal":{"hostname":"h"}}
"#;

fn one(outcome: &str) -> String {
    of(outcome, "$a")
}

fn of(outcome: &str, condition: &str) -> String {
    let text = format!(
        "rule r {{ events: $a.metadata.product_event_type = \"a\" $a.principal.hostname = $h match: $h by 1m outcome: {outcome} condition: {condition} }}"
    );
    found(&text, &["x"], EVENTS).join(" ")
}

fn pair(outcome: &str) -> String {
    let text = format!(
        "rule r {{ events: $a.metadata.product_event_type = \"a\" $a.principal.hostname = $h
         $b.metadata.product_event_type = \"b\" $b.principal.hostname = $h
         match: $h by 1m outcome: $x = {outcome} condition: $a and $b }}"
    );
    found(&text, &["x"], EVENTS).join(" ")
}

#[test]
fn aggregates() {
    assert_eq!(one("$x = count($a.metadata.id)"), "2");
    assert_eq!(one("$x = count_distinct($a.metadata.id)"), "2");
    assert_eq!(one("$x = sum($a.network.sent_bytes)"), "40");
    assert_eq!(one("$x = max($a.network.sent_bytes)"), "30");
    assert_eq!(one("$x = min($a.network.sent_bytes)"), "10");
    assert_eq!(one("$x = avg($a.network.sent_bytes)"), "20.0");
    assert_eq!(one("$x = array_distinct($a.metadata.id)"), r#"["a1","a2"]"#);
    assert_eq!(one("$x = window.first($a.network.sent_bytes, $a.metadata.id)"), "a1");
    assert_eq!(one("$x = window.last($a.metadata.event_timestamp.seconds, $a.metadata.id)"), "a2");
    assert_eq!(one("$x = $h"), "h");
    assert_eq!(one("$x = \"text\""), "text");
    assert_eq!(one("$x = max(35)"), "35");
    assert_eq!(one("$x = max(if($a.network.sent_bytes > 20, 40, 5) + if($a.metadata.id = \"a1\", 1))"), "40");
}

#[test]
fn outcomes_build_on_outcomes() {
    assert_eq!(one("$n = count_distinct($a.metadata.id) $x = $n * 2 + 1"), "5");
    assert_eq!(one("$x = count_distinct($a.metadata.id) + max($a.network.sent_bytes)"), "32");
    assert_eq!(one("$n = count($a.metadata.id) $x = if($n > 1, \"many\", \"one\")"), "many");
    assert_eq!(one("$x = arrays.index_to_str(array_distinct($h), 0)"), "h");
}

#[test]
fn expanded_fields_inflate() {
    // One event has two addresses, the other none: three copies.
    assert_eq!(one("$ips = array_distinct($a.principal.ip) $x = count($a.metadata.id)"), "3");
    assert_eq!(one("$ips = array_distinct($a.principal.ip) $x = sum($a.network.sent_bytes)"), "50");
    assert_eq!(one("$ips = array_distinct($a.principal.ip) $x = count_distinct($a.metadata.id)"), "2");
    assert_eq!(one("$x = array_distinct($a.principal.ip)"), r#"["","1.1.1.1","2.2.2.2"]"#);
}

#[test]
fn joined_events_inflate() {
    assert_eq!(pair("count($a.metadata.id)"), "4");
    assert_eq!(pair("sum($a.network.sent_bytes)"), "80");
    assert_eq!(pair("count_distinct($a.metadata.id)"), "2");
    assert_eq!(pair("count_distinct($a.metadata.id) + count_distinct($b.metadata.id)"), "4");
    assert_eq!(pair("max(if($a.metadata.id = \"a1\" and $b.metadata.id = \"b2\", 9))"), "9");
    assert_eq!(pair("array($b.metadata.id)"), r#"["b1","b1","b2","b2"]"#);
}

#[test]
fn conditions_on_outcomes() {
    let outcome = "$x = sum($a.network.sent_bytes)";
    assert_eq!(of(outcome, "$a and $x > 39"), "40");
    assert_eq!(of(outcome, "$a and $x > 40"), "");
    assert_eq!(of(outcome, "$a and ($x > 40 or #a > 1)"), "40");
    assert_eq!(of(outcome, "$a and not $x > 40"), "40");
    let list = "$x = array_distinct($a.metadata.id)";
    assert_eq!(of(list, "$a and arrays.contains($x, \"a1\")"), r#"["a1","a2"]"#);
    assert_eq!(of(list, "$a and arrays.contains($x, \"zz\")"), "");
}

#[test]
fn rules_without_groups_have_outcomes_and_conditions() {
    let rule = |condition: &str| {
        format!(
            "rule r {{ events: $a.metadata.id = /./ outcome: $x = max(if($a.network.sent_bytes > 20, 40, 5)) $n = count_distinct($a.metadata.id) condition: {condition} }}"
        )
    };
    let columns = ["metadata.id", "x", "n"];
    assert_eq!(found(&rule("$a and $x > 5"), &columns, EVENTS), ["a2 40 1"]);
    assert_eq!(found(&rule("$a and #a > 0"), &columns, EVENTS).len(), 4);
    assert!(found(&rule("#a > 1"), &columns, EVENTS).is_empty());
}

#[test]
fn an_outcome_may_bear_the_name_of_a_field() {
    let text = "rule r { events: $a.security_result.summary = \"\" $a.metadata.id = \"b1\" outcome: $security_result = \"x\" condition: $a }";
    assert_eq!(found(text, &["security_result"], EVENTS), ["x"]);
}
