//! Windows and groups.

use super::{found, lifted};

fn events(times: &[(&str, &str)]) -> String {
    let line = |(id, time): &(&str, &str)| {
        format!(
            "{{\"metadata\":{{\"id\":\"{id}\",\"event_timestamp\":\"2026-01-01T{time}Z\"}},\"principal\":{{\"hostname\":\"h\"}}}}\n"
        )
    };
    times.iter().map(line).collect()
}

fn rule(window: &str, condition: &str) -> String {
    format!(
        "rule r {{ events: $e.principal.hostname = $h match: $h {window} outcome: $ids = array_distinct($e.metadata.id) condition: {condition} }}"
    )
}

#[test]
fn tumbling_windows_are_disjoint() {
    let events = events(&[("a", "00:04:59"), ("b", "00:05:01"), ("c", "00:09:59")]);
    let found = found(&rule("by 5m", "$e"), &["window_start", "ids"], &events);
    assert_eq!(found, [r#"2026-01-01T00:00:00.0000000Z ["a"]"#, r#"2026-01-01T00:05:00.0000000Z ["b","c"]"#]);
}

#[test]
fn hop_windows_overlap() {
    let events = events(&[("a", "00:04:30"), ("b", "00:06:30"), ("c", "00:20:00")]);
    // Two events two minutes apart share a window of five minutes wherever they lie.
    let found = found(&rule("over 5m", "#e > 1"), &["ids"], &events);
    assert!(!found.is_empty() && found.iter().all(|ids| ids == r#"["a","b"]"#), "{found:?}");
    let lifted = lifted(&rule("over 5m", "$e"));
    assert!(
        lifted.rule.query.assumptions.iter().any(|a| a.contains("00:01:00")),
        "{:?}",
        lifted.rule.query.assumptions
    );
    let of = |window: &str| {
        super::found(&rule(window, "$e"), &["window_start"], &super::groups::events(&[("a", "10:00:30")]))
            .len()
    };
    assert_eq!((of("over 5m"), of("over 1h"), of("over 1m")), (5, 10, 1));
}

#[test]
fn sliding_windows_begin_or_end_at_the_pivot() {
    let events = r#"
{"metadata":{"id":"p1","event_timestamp":"2026-01-01T00:10:00Z","product_event_type":"pivot"},"principal":{"hostname":"h"}}
{"metadata":{"id":"before","event_timestamp":"2026-01-01T00:07:00Z"},"principal":{"hostname":"h"}}
{"metadata":{"id":"after","event_timestamp":"2026-01-01T00:14:00Z"},"principal":{"hostname":"h"}}
{"metadata":{"id":"late","event_timestamp":"2026-01-01T00:16:00Z"},"principal":{"hostname":"h"}}
"#;
    let rule = |window: &str, condition: &str| {
        format!(
            "rule r {{ events: $p.metadata.product_event_type = \"pivot\" $p.principal.hostname = $h
             $e.metadata.product_event_type = \"\" $e.principal.hostname = $h match: $h {window}
             outcome: $ids = array_distinct($e.metadata.id) condition: {condition} }}"
        )
    };
    let columns = ["window_start", "ids"];
    assert_eq!(
        found(&rule("over 5m after $p", "$p and $e"), &columns, events),
        [r#"2026-01-01T00:10:00.0000000Z ["after"]"#]
    );
    assert_eq!(
        found(&rule("over 5m before $p", "$p and $e"), &columns, events),
        [r#"2026-01-01T00:05:00.0000000Z ["before"]"#]
    );
    assert!(found(&rule("over 5m after $p", "$p and !$e"), &["h"], events).is_empty());
    assert_eq!(found(&rule("over 2m after $p", "$p and !$e"), &["h"], events), ["h"]);
}

#[test]
fn window_bounds_are_seconds() {
    let text = "rule r { events: $e.principal.hostname = $h match: $h by 1m outcome: $l = window_end - window_start condition: $e }";
    assert_eq!(found(text, &["l"], &events(&[("a", "10:00:30")])), ["60"]);
}

#[test]
fn events_without_a_time_are_in_no_window() {
    let events = "{\"metadata\":{\"id\":\"a\"},\"principal\":{\"hostname\":\"h\"}}";
    assert!(found(&rule("over 5m", "$e"), &["h"], events).is_empty());
}

#[test]
fn keys_from_functions_may_be_empty() {
    let events = events(&[("a", "10:00:30")]);
    let text = "rule r { events: $e.principal.hostname = /h/ $h = re.capture($e.metadata.description, `x`) match: $h by 1m condition: $e }";
    assert_eq!(found(text, &["h"], &events), [""]);
    let text = "rule r { events: $e.principal.hostname = /h/ $h = $e.metadata.description match: $h by 1m condition: $e }";
    assert!(found(text, &["h"], &events).is_empty());
}
