//! Several event variables.

use super::found;

/// Failures and successes of users, all within a minute.
const LOGINS: &str = r#"
{"metadata":{"id":"f1","event_timestamp":"2026-01-01T00:00:01Z","product_event_type":"fail"},"target":{"user":{"userid":"ann"}},"principal":{"ip":["1.1.1.1"]}}
{"metadata":{"id":"f2","event_timestamp":"2026-01-01T00:00:02Z","product_event_type":"fail"},"target":{"user":{"userid":"ann"}},"principal":{"ip":["1.1.1.1"]}}
{"metadata":{"id":"s1","event_timestamp":"2026-01-01T00:00:03Z","product_event_type":"ok"},"target":{"user":{"userid":"ann"}},"principal":{"ip":["2.2.2.2"]}}
{"metadata":{"id":"s2","event_timestamp":"2026-01-01T00:00:04Z","product_event_type":"ok"},"target":{"user":{"userid":"bob"}},"principal":{"ip":["1.1.1.1"]}}
{"metadata":{"id":"f3","event_timestamp":"2026-01-01T00:00:05Z","product_event_type":"fail"},"target":{"user":{"userid":"bob"}},"principal":{"ip":["1.1.1.1"]}}
{"metadata":{"id":"f4","event_timestamp":"2026-01-01T00:00:06Z","product_event_type":"fail"}}
{"metadata":{"id":"s4","event_timestamp":"2026-01-01T00:00:07Z","product_event_type":"ok"}}
"#;

const PAIR: &str = r#"$f.metadata.product_event_type = "fail" $f.target.user.userid = $user
    $s.metadata.product_event_type = "ok" $s.target.user.userid = $user"#;

/// Users found; each window of one minute that holds them counts, so that they are made distinct.
fn users(events: &str, condition: &str) -> String {
    let text = format!("rule r {{ events: {events} match: $user by 1m condition: {condition} }}");
    found(&text, &["user"], LOGINS).join(" ")
}

#[test]
fn shared_placeholders_join() {
    // Keys without a value are dropped.
    assert_eq!(users(PAIR, "$f and $s"), "ann bob");
    let allowed = format!(
        "rule r {{ events: {PAIR} match: $user by 1m condition: $f and $s options: allow_zero_values = true }}"
    );
    assert_eq!(found(&allowed, &["user"], LOGINS).join(","), ",ann,bob");
}

#[test]
fn order_and_other_comparisons() {
    let ordered = format!("{PAIR} $f.metadata.event_timestamp.seconds < $s.metadata.event_timestamp.seconds");
    assert_eq!(users(&ordered, "$f and $s"), "ann");
    assert_eq!(users(&format!("{PAIR} $f.principal.ip != $s.principal.ip"), "$f and $s"), "ann");
    assert_eq!(users(&format!("{PAIR} $f.principal.ip = $s.principal.ip"), "$f and $s"), "bob");
    let either = format!("{PAIR} $f.principal.ip = $s.principal.ip or $f.metadata.id = \"f1\"");
    assert_eq!(users(&either, "$f and $s"), "ann bob");
}

#[test]
fn counts_of_events_and_values() {
    assert_eq!(users(PAIR, "#f > 1 and $s"), "ann");
    assert_eq!(users(PAIR, "#f = 1 and $s"), "bob");
    assert_eq!(users(PAIR, "#f + #s > 2 and $f and $s"), "ann");
    let ips = r#"$f.metadata.product_event_type = /./ $f.target.user.userid = $user $f.principal.ip = $ip"#;
    assert_eq!(users(ips, "#ip > 1"), "ann");
    assert_eq!(users(ips, "#f >= 2 and #ip = 1"), "bob");
}

#[test]
fn absent_events() {
    let events = r#"$f.metadata.product_event_type = "fail" $f.target.user.userid = $user
        $s.metadata.id = "s1" $s.target.user.userid = $user"#;
    assert_eq!(users(events, "$f and !$s"), "bob");
    assert_eq!(users(events, "$f and #s = 0"), "bob");
    assert_eq!(users(events, "$f and $s"), "ann");
    // It need not be there.
    assert_eq!(users(events, "$f and #s >= 0"), "ann bob");
    assert_eq!(users(events, "#f > 0 and #s < 1"), "bob");
}

#[test]
fn absent_events_with_more_than_the_key() {
    // No success after the failures: a comparison of both decides what is absent.
    let events = format!("{PAIR} $s.metadata.event_timestamp.seconds > $f.metadata.event_timestamp.seconds");
    assert_eq!(users(&events, "$f and !$s"), "bob");
    // Joined by a value that is no key.
    let events = r#"$f.metadata.product_event_type = "fail" $f.target.user.userid = $user $f.principal.ip = $ip
        $s.metadata.product_event_type = "ok" $s.principal.ip = $ip"#;
    assert_eq!(users(events, "$f and !$s"), "");
    let events = r#"$f.metadata.product_event_type = "ok" $f.target.user.userid = $user $f.principal.ip = $ip
        $s.metadata.product_event_type = "fail" $s.principal.ip = $ip"#;
    assert_eq!(users(events, "$f and !$s"), "ann");
}

#[test]
fn fields_join_directly() {
    let events = r#"$f.metadata.product_event_type = "fail" $f.target.user.userid = $user
        $s.metadata.product_event_type = "ok" $f.target.user.userid = $s.target.user.userid"#;
    assert_eq!(users(events, "$f and $s"), "ann bob");
    let events = r#"$f.metadata.id = "f1" $f.target.user.userid = $user
        $s.metadata.id = "s1" strings.to_upper($f.target.user.userid) = strings.to_upper($s.target.user.userid)"#;
    assert_eq!(users(events, "$f and $s"), "ann");
}

#[test]
fn three_events() {
    let events = format!("{PAIR} $t.metadata.id = \"f2\" $t.target.user.userid = $user");
    assert_eq!(users(&events, "$f and $s and $t"), "ann");
    assert_eq!(users(&events, "$f and $s and !$t"), "bob");
}

#[test]
fn entities_have_no_time() {
    let events = r#"
{"metadata":{"id":"a","event_timestamp":"2026-01-01T00:00:01Z"},"principal":{"ip":["1.1.1.1","2.2.2.2"]}}
{"metadata":{"id":"b","event_timestamp":"2026-01-01T00:00:01Z"},"principal":{"ip":["3.3.3.3"]}}
{"metadata":{"entity_type":"IP_ADDRESS","product_name":"feed"},"entity":{"ip":["2.2.2.2"]}}
{"metadata":{"entity_type":"USER","product_name":"feed"},"entity":{"ip":["3.3.3.3"]}}
"#;
    let rule = r#"rule r { events: $e.principal.ip = $ip
        $g.graph.metadata.entity_type = "IP_ADDRESS" $g.graph.entity.ip = $ip
        match: $ip by 1m outcome: $ids = array_distinct($e.metadata.id) condition: $e and $g }"#;
    assert_eq!(found(rule, &["ip", "ids"], events), [r#"2.2.2.2 ["a"]"#]);
    let without = rule.replace("$e and $g", "$e and !$g");
    assert_eq!(found(&without, &["ip", "ids"], events), [r#"1.1.1.1 ["a"]"#, r#"3.3.3.3 ["b"]"#]);
}

#[test]
fn numbers_join_texts_as_text() {
    let events = r#"
{"metadata":{"id":"a","event_timestamp":"2026-01-01T00:00:01Z"},"target":{"port":22}}
{"metadata":{"id":"b","event_timestamp":"2026-01-01T00:00:01Z"},"principal":{"process":{"pid":"22"}}}
"#;
    let rule = r#"rule r { events: $a.metadata.id = "a" $a.target.port = $p $b.metadata.id = "b" $b.principal.process.pid = $p
        match: $p by 1m condition: $a and $b }"#;
    assert_eq!(found(rule, &["p"], events), ["22"]);
}
