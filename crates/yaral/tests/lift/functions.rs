//! Each function of the language on values that show what it does.

use super::found;

const EVENT: &str = r#"{"metadata":{"id":"a","event_timestamp":"2026-01-04T13:05:09Z"},"principal":{"hostname":"Host-1.example.com","ip":["10.1.2.3","::1"],"user":{"userid":""}},"target":{"url":"aGVsbG8=","port":443,"hostname":"a,b,b"},"network":{"sent_bytes":16}}"#;

#[track_caller]
fn gives(value: &str, expected: &str) {
    let text = format!("rule r {{ events: $e.metadata.id = \"a\" outcome: $x = {value} condition: $e }}");
    assert_eq!(found(&text, &["x"], EVENT), [expected], "{value}");
}

#[track_caller]
fn holds(test: &str, expected: bool) {
    gives(&format!("if({test}, \"yes\", \"no\")"), if expected { "yes" } else { "no" });
}

#[test]
fn texts() {
    gives("strings.to_lower($e.principal.hostname)", "host-1.example.com");
    gives("strings.to_upper($e.principal.hostname)", "HOST-1.EXAMPLE.COM");
    gives("strings.reverse($e.target.hostname)", "b,b,a");
    gives("strings.concat($e.metadata.id, \"/\", $e.target.port)", "a/443");
    gives("strings.coalesce($e.principal.user.userid, $e.metadata.id)", "a");
    gives("strings.split($e.target.hostname)", r#"["a","b","b"]"#);
    gives("strings.split($e.principal.hostname, \".\")", r#"["Host-1","com","example"]"#);
    gives("strings.count_substrings(\"aaaa\", \"aa\")", "2");
    gives("strings.trim(\"--a- \", \"-\")", "a");
    gives("strings.ltrim(\"--a-\", \"-\")", "a-");
    gives("strings.rtrim(\"--a-\", \"-\")", "--a");
    gives("strings.base64_decode($e.target.url)", "hello");
    gives("strings.base64_decode($e.principal.hostname)", "Host-1.example.com");
    gives("strings.url_decode(\"a%20b\")", "a b");
    gives("hash.sha256(\"abc\")", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    holds("strings.contains($e.principal.hostname, \"example\")", true);
    holds("strings.contains($e.principal.hostname, \"EXAMPLE\")", false);
    holds("strings.starts_with($e.principal.hostname, \"Host\")", true);
    holds("strings.ends_with($e.principal.hostname, \".com\")", true);
    holds("strings.ends_with($e.principal.hostname, \"\")", false);
}

#[test]
fn patterns() {
    gives("re.capture($e.principal.hostname, `-(\\d+)\\.`)", "1");
    gives("re.capture($e.principal.hostname, `example`)", "example");
    gives("re.capture($e.principal.hostname, `nothing`)", "");
    gives("re.capture_all($e.principal.hostname, `[a-z]o[a-z]`)", r#"["com"]"#);
    gives("re.replace($e.target.hostname, `(b)`, `<\\1>`)", "a,<b>,<b>");
    holds("re.regex($e.principal.hostname, `^host`)", false);
    holds("re.regex($e.principal.hostname, `^host`) nocase", true);
    holds("net.ip_in_range_cidr($e.principal.ip[0], \"10.0.0.0/8\")", true);
    holds("net.ip_in_range_cidr($e.principal.ip[0], \"11.0.0.0/8\")", false);
    holds("net.ip_in_range_cidr($e.principal.ip[1], \"::/64\")", true);
}

#[test]
fn times() {
    let seconds = "$e.metadata.event_timestamp.seconds";
    gives(seconds, "1767531909");
    gives(&format!("timestamp.get_date({seconds})"), "2026-01-04");
    gives(&format!("timestamp.get_hour({seconds})"), "13");
    gives(&format!("timestamp.get_hour({seconds}, \"Europe/Berlin\")"), "14");
    gives(&format!("timestamp.get_minute({seconds})"), "5");
    // A Sunday.
    gives(&format!("timestamp.get_day_of_week({seconds})"), "1");
    gives(&format!("timestamp.get_timestamp({seconds})"), "2026-01-04 13:05:09");
    gives(&format!("timestamp.get_timestamp({seconds}, \"HOUR\")"), "2026-01-04 13");
    gives("timestamp.as_unix_seconds(\"2026-01-04 13:05:09\")", "1767531909");
    gives("timestamp.get_date(1767531909)", "2026-01-04");
    gives("timestamp.current_seconds()", "1768478400");
}

#[test]
fn numbers() {
    gives("math.abs($e.network.sent_bytes - 20)", "4");
    gives("math.ceil(1.2)", "2.0");
    gives("math.floor(1.8)", "1.0");
    gives("math.sqrt($e.network.sent_bytes)", "4.0");
    gives("math.sqrt(0 - 4)", "0.0");
    gives("math.pow(2, 3)", "8.0");
    gives("$e.network.sent_bytes % 5", "1");
    gives("$e.network.sent_bytes / 32", "0.5");
    gives("cast.as_int(\"12\")", "12");
    gives("cast.as_int(\"x\")", "0");
    gives("cast.as_float(\"1.5\")", "1.5");
    gives("cast.as_string($e.target.port)", "443");
    holds("cast.as_bool(\"true\")", true);
    holds("math.is_increasing(1, 2, 3)", true);
    holds("math.is_increasing(1, 3, 3)", false);
}

#[test]
fn lists() {
    gives("arrays.length($e.principal.ip)", "2");
    gives("arrays.length($e.target.ip)", "0");
    gives("arrays.index_to_str(strings.split($e.target.hostname), 1)", "b");
    gives("arrays.index_to_str(strings.split($e.target.hostname), 9)", "");
    gives("arrays.index_to_str(strings.split($e.target.hostname), 0 - 3)", "a");
    gives("arrays.index_to_int(strings.split(\"4,5\"), 1)", "5");
    gives("arrays.join_string(strings.split($e.target.hostname), \"+\")", "a+b+b");
    gives("arrays.concat(strings.split(\"a\"), strings.split(\"b\"))", r#"["a","b"]"#);
}
