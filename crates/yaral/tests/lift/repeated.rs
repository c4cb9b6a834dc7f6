//! Repeated fields: copies of the event, `any` and `all`.

use super::{found, ids};

const EVENTS: &str = r#"
{"metadata":{"id":"a"},"principal":{"ip":["1.1.1.1","2.2.2.2"]},"security_result":[{"action":["ALLOW"],"summary":"x"},{"action":["BLOCK"],"summary":"y"}]}
{"metadata":{"id":"b"},"principal":{"ip":["1.1.1.1"]},"security_result":[{"action":["BLOCK","ALLOW"],"summary":"x"}]}
{"metadata":{"id":"c"},"principal":{"ip":[]},"security_result":[]}
{"metadata":{"id":"d"}}
"#;

#[test]
fn one_element_is_enough() {
    assert_eq!(ids(r#"$e.principal.ip = "2.2.2.2""#, EVENTS), "a");
    // Some element differs; an empty field has one copy with the zero value.
    assert_eq!(ids(r#"$e.principal.ip != "1.1.1.1""#, EVENTS), "a c d");
    assert_eq!(ids(r#"not $e.principal.ip = "1.1.1.1""#, EVENTS), "a c d");
    assert_eq!(ids(r#"$e.principal.ip = """#, EVENTS), "c d");
}

#[test]
fn all_predicates_hold_in_one_copy() {
    assert_eq!(ids(r#"$e.principal.ip = "1.1.1.1" $e.principal.ip = "2.2.2.2""#, EVENTS), "");
    assert_eq!(ids(r#"$e.security_result.action = "BLOCK" $e.security_result.summary = "x""#, EVENTS), "b");
    assert_eq!(ids(r#"$e.security_result.action = "ALLOW" $e.security_result.summary = "x""#, EVENTS), "a b");
    // Elements of different fields are all combined.
    assert_eq!(ids(r#"$e.security_result.summary = "y" $e.principal.ip = "2.2.2.2""#, EVENTS), "a");
    assert_eq!(ids(r#"$e.security_result.summary = "y" or $e.principal.ip = """#, EVENTS), "a c d");
}

#[test]
fn any_and_all_look_at_each_element() {
    assert_eq!(ids(r#"any $e.principal.ip = "1.1.1.1" any $e.principal.ip = "2.2.2.2""#, EVENTS), "a");
    assert_eq!(ids(r#"not any $e.principal.ip = "2.2.2.2""#, EVENTS), "b c d");
    assert_eq!(ids(r#"all $e.principal.ip = "1.1.1.1""#, EVENTS), "b");
    assert_eq!(ids(r#"all $e.principal.ip != "2.2.2.2""#, EVENTS), "b c d");
    assert_eq!(ids(r#"re.regex(any $e.security_result.summary, `^Y$`) nocase"#, EVENTS), "a");
    assert_eq!(ids(r#"any $e.security_result.action = "BLOCK" or $e.metadata.id = "d""#, EVENTS), "a b d");
    assert_eq!(ids(r#"all $e.security_result.action = "ALLOW""#, EVENTS), "");
}

#[test]
fn an_event_is_found_once() {
    assert_eq!(ids(r#"$e.security_result.summary = /./"#, EVENTS), "a b");
    assert_eq!(ids(r#"$e.principal.ip = /./ $e.security_result.action = /./"#, EVENTS), "a b");
}

#[test]
fn labels_of_elements() {
    let events = r#"
{"metadata":{"id":"a"},"security_result":[{"summary":"s","detection_fields":[{"key":"k","value":"v"}]},{"summary":"t"}]}
{"metadata":{"id":"b"},"security_result":[{"summary":"s"},{"summary":"t","detection_fields":[{"key":"k","value":"v"}]}]}
"#;
    assert_eq!(
        ids(r#"$e.security_result.detection_fields["k"] = "v" $e.security_result.summary = "s""#, events),
        "a"
    );
    assert_eq!(
        ids(r#"$e.security_result.detection_fields["k"] = "" $e.security_result.summary = "s""#, events),
        "b"
    );
}

#[test]
fn a_field_that_is_no_list_is_one_element() {
    let events = "{\"metadata\":{\"id\":\"a\"},\"principal\":{\"ip\":\"1.1.1.1\"}}";
    assert_eq!(ids(r#"$e.principal.ip = "1.1.1.1""#, events), "a");
    assert_eq!(ids(r#"any $e.principal.ip = "1.1.1.1""#, events), "a");
}

#[test]
fn aggregates_run_over_the_copies_that_pass() {
    let rule = |events: &str, outcome: &str| {
        format!("rule r {{ events: {events} outcome: $x = {outcome} condition: $e }}")
    };
    let of =
        |events: &str, outcome: &str| found(&rule(events, outcome), &["metadata.id", "x"], EVENTS).join(" ");
    let all = "$e.metadata.id = \"a\"";
    assert_eq!(of(all, "array_distinct($e.principal.ip)"), r#"a ["1.1.1.1","2.2.2.2"]"#);
    assert_eq!(of(all, "array_distinct($e.metadata.id)"), r#"a ["a"]"#);
    assert_eq!(of(all, "count($e.metadata.id)"), "a 1");
    assert_eq!(of(all, "count($e.principal.ip)"), "a 2");
    let passed = r#"$e.metadata.id = "a" $e.principal.ip = "1.1.1.1""#;
    assert_eq!(of(passed, "array_distinct($e.principal.ip)"), r#"a ["1.1.1.1"]"#);
    // Two results beside one address: inflated.
    let two = format!(r#"{passed} $e.security_result.summary != """#);
    assert_eq!(of(&two, "count($e.principal.ip)"), "a 2");
    assert_eq!(of(&two, "array($e.principal.ip)"), r#"a ["1.1.1.1","1.1.1.1"]"#);
    assert_eq!(of(&two, "array($e.metadata.id)"), r#"a ["a","a"]"#);
    assert_eq!(of(&two, "sum(5)"), "a 10");
    assert_eq!(of(&two, "count_distinct($e.principal.ip)"), "a 1");
    assert_eq!(of(&two, r#"max(if($e.security_result.summary = "y", 7))"#), "a 7");
    // Without an aggregate: a value of a copy.
    assert_eq!(of(passed, "$e.principal.ip"), "a 1.1.1.1");
    // What finds nothing makes no row.
    assert_eq!(
        of(r#"$e.metadata.id = "a" $e.principal.ip = "9.9.9.9""#, "array_distinct($e.principal.ip)"),
        ""
    );
}
