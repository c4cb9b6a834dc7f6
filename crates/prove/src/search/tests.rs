#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used, reason = "tests")]

use super::*;

const NOW: i64 = 639_040_752_000_000_000;

fn kql(text: &str) -> ir::Rule {
    let parsed = ruleferry_kql::syntax::parse(text);
    let options = ruleferry_kql::lift::LiftOptions { source: text };
    let lifted = ruleferry_kql::lift::lift(&parsed.query, &options);
    ir::Rule {
        envelope: ir::Envelope::default(),
        query: lifted.query.unwrap_or_else(|| panic!("{:?}", lifted.diagnostics)),
    }
}

fn options() -> Options {
    Options {
        now: NOW,
        now_is_fixed: false,
        seed: 1,
        steps: 3_000_000,
        search: true,
        empty_is_absent: false,
        stop: None,
    }
}

fn found(a: &ir::Rule, b: &ir::Rule) -> Found {
    let arena = Arena::default();
    let pair = Pair { arena: &arena, a: (a, None), b: (b, None), models: &[], wanted: (true, true) };
    search(&pair, &options())
}

/// `a` finds more, `b` finds more.
fn directions(a: &str, b: &str) -> (bool, bool) {
    let found = found(&kql(a), &kql(b));
    assert!(found.faults.is_empty(), "{:?}", found.faults);
    assert!(found.fired > 0, "nothing fires on {a}");
    (found.only_a.is_some(), found.only_b.is_some())
}

#[test]
fn each_difference_has_a_witness_in_its_direction() {
    for (a, b, wanted) in [
        ("T | where x == 'a'", "T | where x =~ 'a'", (false, true)),
        ("T | where x has 'ab'", "T | where x contains 'ab'", (false, true)),
        ("T | where x startswith 'cmd' and y != 'k'", "T | where x startswith 'cmd'", (false, true)),
        ("T | where n > 5", "T | where n >= 5", (false, true)),
        ("T | where x in ('a', 'b', 'c')", "T | where x in ('a', 'b')", (true, false)),
        ("T | where x == 'a' or y == 'b'", "T | where x == 'a' and y == 'b'", (true, false)),
        ("T | where x == 'a'", "T | where x == 'b'", (true, true)),
        ("T | where x matches regex '^a[0-9]+$'", "T | where x matches regex '^a[0-9]*$'", (false, true)),
        (
            "T | summarize n = count() by x | where n > 10",
            "T | summarize n = count() by x | where n > 11",
            (true, false),
        ),
        (
            "T | summarize n = dcount(y) by x | where n >= 4 | project x",
            "T | summarize n = count() by x | where n >= 4 | project x",
            (false, true),
        ),
        (
            "T | where k == 'v' | join kind=inner (U | where z == 'w') on x | project x",
            "T | where k == 'v' | join kind=inner U on x | project x",
            (false, true),
        ),
        (
            "T | where x !in ((U | where z == 'w' | project x))",
            "T | where x !in ((U | project x))",
            (true, false),
        ),
        ("T | join kind=leftanti (U | where z == 'w') on x", "T | join kind=leftanti U on x", (true, false)),
        (
            "T | extend d = parse_json(b) | where tostring(d.a.c) == 'x'",
            "T | extend d = parse_json(b) | where tostring(d.a.c) =~ 'x'",
            (false, true),
        ),
        (
            "T | where TimeGenerated > ago(1d) | where x == 'a'",
            "T | where TimeGenerated > ago(2d) | where x == 'a'",
            (false, true),
        ),
        (
            "T | parse m with * 'user=' u ' from ' ip | where u == 'bob'",
            "T | parse m with * 'user=' u ' from ' ip | where u == 'bob' and ip startswith '10.'",
            (true, false),
        ),
    ] {
        assert_eq!(directions(a, b), wanted, "{a} against {b}");
    }
}

#[test]
fn equal_rules_have_none() {
    for (a, b) in [
        ("T | where x == 'a' and y == 'b'", "T | where y == 'b' | where x == 'a'"),
        ("T | where x in ('a', 'b')", "T | where x == 'a' or x == 'b'"),
        ("T | summarize make_set(y) by x", "T | summarize set_y = make_set(y) by x"),
        ("T | take 3", "T | take 3"),
        ("T | summarize take_any(y) by x", "T | order by y asc | summarize take_any(y) by x"),
    ] {
        assert_eq!(directions(a, b), (false, false), "{a} against {b}");
    }
}

#[test]
fn a_witness_is_small_and_names_its_values() {
    let found = found(
        &kql("T | where Image endswith '\\\\cmd.exe' and User != 'root' and CommandLine contains 'whoami'"),
        &kql(
            "T | where Image endswith '\\\\cmd.exe' and User != 'root' and CommandLine contains 'whoami' and Parent == 'x'",
        ),
    );
    let witness = found.only_a.unwrap();
    assert_eq!(
        serde_json::Value::Object(witness.tables().clone()),
        serde_json::json!({"T": [{"Image": "\\cmd.exe", "CommandLine": "whoami"}]})
    );
    assert!(found.only_b.is_none());
}

#[test]
fn a_trigger_counts_rows() {
    let mut a = kql("T | where x == 'a'");
    let mut b = a.clone();
    a.envelope.trigger = Some(ir::Trigger { operator: "gt".into(), threshold: 5 });
    b.envelope.trigger = Some(ir::Trigger { operator: "gt".into(), threshold: 6 });
    let found = found(&a, &b);
    assert_eq!(found.only_a.unwrap().tables()["T"].as_array().unwrap().len(), 6);
    assert!(found.only_b.is_none());
}

#[test]
fn a_rule_that_is_off_is_silent() {
    let a = kql("T | where x == 'a'");
    let mut b = a.clone();
    b.envelope.enabled = Some(false);
    let seen = found(&a, &b);
    assert!(seen.only_a.is_some() && seen.only_b.is_none());
    let mut c = a.clone();
    c.envelope.enabled = Some(false);
    assert!(found(&c, &b).only_a.is_none());
}

#[test]
fn the_same_seed_gives_the_same_witness() {
    let (a, b) = (kql("T | where x has_any ('a b', 'c') and n between (3 .. 9)"), kql("T | where x has 'c'"));
    let text = |f: &Found| format!("{:?} {:?} {}", f.only_a, f.only_b, f.tried);
    assert_eq!(text(&found(&a, &b)), text(&found(&a, &b)));
}

#[test]
fn keywords_are_looked_for_in_the_whole_event() {
    let rule = "title: t\nlogsource: {product: linux}\ndetection:\n  k: [alpha, 'bra*vo']\n  s: {f|contains: x}\n  condition: k and not s\n";
    let other = rule.replace(" and not s", "");
    let lift = |text: &str| {
        let parsed = ruleferry_sigma::syntax::parse(text);
        ruleferry_sigma::lift::lift(&parsed.rules()[0], &Default::default()).unwrap().rule
    };
    let found = found(&lift(rule), &lift(&other));
    assert!(found.only_a.is_none() && found.only_b.is_some(), "{found:?}");
}
