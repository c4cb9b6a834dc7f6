//! Single fields: zero values, types, text tests, lists.

use super::{found, ids, simple};

const EVENTS: &str = r#"
{"metadata":{"id":"a","event_type":"USER_LOGIN"},"principal":{"hostname":"Alpha"},"target":{"port":22},"network":{"sent_bytes":5}}
{"metadata":{"id":"b","event_type":"NETWORK_DNS"},"principal":{"hostname":"beta\\x"},"target":{"port":0}}
{"metadata":{"id":"c"},"principal":{"hostname":""}}
{"metadata":{"id":"d"}}
"#;

#[test]
fn absent_text_is_empty() {
    assert_eq!(ids(r#"$e.principal.hostname = """#, EVENTS), "c d");
    assert_eq!(ids(r#"$e.principal.hostname != """#, EVENTS), "a b");
    assert_eq!(ids(r#"$e.principal.hostname != "Alpha""#, EVENTS), "b c d");
    assert_eq!(ids(r#"not $e.principal.hostname = "Alpha""#, EVENTS), "b c d");
    assert_eq!(ids(r#"$e.principal.hostname = "alpha""#, EVENTS), "");
    assert_eq!(ids(r#"$e.principal.hostname = "alpha" nocase"#, EVENTS), "a");
    assert_eq!(ids(r#"$e.principal.hostname = /^$/"#, EVENTS), "c d");
    assert_eq!(ids(r#"$e.principal.hostname != /^al/ nocase"#, EVENTS), "b c d");
    assert_eq!(ids(r"re.regex($e.principal.hostname, `a\\x$`)", EVENTS), "b");
}

#[test]
fn absent_number_is_zero() {
    assert_eq!(ids("$e.target.port = 0", EVENTS), "b c d");
    assert_eq!(ids("$e.target.port != 22", EVENTS), "b c d");
    assert_eq!(ids("$e.target.port < 5", EVENTS), "b c d");
    assert_eq!(ids("not $e.target.port > 5", EVENTS), "b c d");
    assert_eq!(ids("not $e.target.port = 22", EVENTS), "b c d");
    assert_eq!(ids("22 <= $e.target.port", EVENTS), "a");
    assert_eq!(ids("$e.target.port > $e.network.sent_bytes", EVENTS), "a");
    assert_eq!(ids("$e.network.sent_bytes - 2 = 3", EVENTS), "a");
    assert_eq!(ids("2 < $e.network.sent_bytes / 2", EVENTS), "a");
}

#[test]
fn enumerations_have_an_order_and_a_zero() {
    assert_eq!(ids(r#"$e.metadata.event_type = "USER_LOGIN""#, EVENTS), "a");
    assert_eq!(ids(r#"$e.metadata.event_type = "EVENTTYPE_UNSPECIFIED""#, EVENTS), "c d");
    assert_eq!(ids(r#"$e.metadata.event_type != "EVENTTYPE_UNSPECIFIED""#, EVENTS), "a b");
    let order = ids(r#"$e.metadata.event_type < "USER_LOGIN""#, EVENTS);
    assert!(order == "c d" || order == "b c d", "{order}");
}

#[test]
fn maps_and_indexes() {
    let events = r#"
{"metadata":{"id":"a"},"additional":{"fields":{"k":"v","n":7}},"target":{"labels":[{"key":"x","value":"1"},{"key":"x","value":"2"}],"ip":["1.1.1.1","2.2.2.2"]}}
{"metadata":{"id":"b"},"target":{"labels":[],"ip":[]}}
{"metadata":{"id":"c"}}
"#;
    assert_eq!(ids(r#"$e.additional.fields["k"] = "v""#, events), "a");
    assert_eq!(ids(r#"$e.additional.fields["n"] = "7""#, events), "a");
    assert_eq!(ids(r#"$e.additional.fields["k"] != "v""#, events), "b c");
    // The first of several labels with the key.
    assert_eq!(ids(r#"$e.target.labels["x"] = "1""#, events), "a");
    assert_eq!(ids(r#"$e.target.labels["x"] = "2""#, events), "");
    assert_eq!(ids(r#"$e.target.labels["x"] = """#, events), "b c");
    assert_eq!(ids(r#"$e.target.labels["x"] = "1" or $e.target.labels["y"] = """#, events), "a b c");
    assert_eq!(ids(r#"$e.target.ip[1] = "2.2.2.2""#, events), "a");
    assert_eq!(ids(r#"$e.target.ip[2] = """#, events), "a b c");
}

#[test]
fn and_or_not_bind_as_they_should() {
    let text = r#"$e.principal.hostname = "Alpha" or $e.target.port = 0
        $e.metadata.id != "c" and not $e.metadata.id = "d""#;
    assert_eq!(ids(text, EVENTS), "a b");
}

#[test]
fn lists_come_from_outside() {
    let events = r#"
{"metadata":{"id":"a"},"principal":{"hostname":"one"}}
{"metadata":{"id":"b"},"principal":{"hostname":"TWO"}}
{"metadata":{"id":"c"},"principal":{"hostname":"three"}}
{"list":"hosts","value":"one"}
{"list":"hosts","value":"two"}
{"list":"table","host":"^t"}
"#;
    assert_eq!(ids("$e.principal.hostname in %hosts", events), "a");
    assert_eq!(ids("$e.principal.hostname in %hosts nocase", events), "a b");
    assert_eq!(ids("not $e.principal.hostname in %hosts nocase", events), "c");
    assert_eq!(ids("$e.principal.hostname in regex %table.host nocase", events), "b c");
}

#[test]
fn constants_of_another_type_are_compared_as_text() {
    assert_eq!(ids(r#"$e.target.port = "22""#, EVENTS), "a");
    assert_eq!(ids(r#"$e.target.port = "0""#, EVENTS), "b c d");
}

#[test]
fn unknown_fields_are_texts() {
    let events = "{\"metadata\":{\"id\":\"a\"},\"principal\":{\"shoe_size\":42}}";
    let rule = simple(r#"$e.principal.shoe_size = "42""#);
    assert_eq!(found(&rule, &["principal.shoe_size"], events), ["42"]);
    let warnings = super::lifted(&rule).warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].message.contains("principal.shoe_size"));
}

#[test]
fn placeholders_are_values() {
    let events = r#"
{"metadata":{"id":"a"},"principal":{"hostname":"x"},"target":{"hostname":"x"}}
{"metadata":{"id":"b"},"principal":{"hostname":"x"},"target":{"hostname":"Y"}}
"#;
    assert_eq!(ids("$e.principal.hostname = $h $e.target.hostname = $h", events), "a");
    assert_eq!(ids("$h = strings.to_lower($e.target.hostname) $h = \"y\"", events), "b");
    assert_eq!(ids("$e.principal.hostname = $h or $e.target.hostname = $h $h = \"Y\"", events), "b");
    assert_eq!(ids("$e.principal.hostname = $h $e.target.hostname = $t $h != $t", events), "b");
}
