//! Diagnostics of the Sigma front end: code and underlined text.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use ruleferry_sigma::syntax::parse;

/// A rule around a detection, whose lines are indented by four columns.
fn rule(detection: &str) -> String {
    format!("title: T\nlogsource:\n    service: x\ndetection:\n{detection}")
}

#[track_caller]
fn check(text: &str, expect: &[(&str, &str)]) {
    let parsed = parse(text);
    let told: Vec<(&str, &str)> = parsed.diagnostics.iter().map(|d| (d.code.0, d.span.text(text))).collect();
    assert_eq!(told, expect, "{text}\n{:#?}", parsed.diagnostics);
    for diagnostic in &parsed.diagnostics {
        assert!(diagnostic.help.as_ref().is_some_and(|h| !h.is_empty()), "{diagnostic:?}");
    }
}

#[test]
fn modifiers() {
    let cases: [(&str, &[(&str, &str)]); 16] = [
        ("F|contians: x", &[("E0204", "contians")]),
        ("'F|Contains': x", &[("E0204", "Contains")]),
        ("F|startswith|endswith: x", &[("E0205", "endswith")]),
        ("F|contains|contains: x", &[("E0205", "contains")]),
        ("F|i: x", &[("E0205", "i")]),
        ("F|i|re: x", &[("E0205", "re")]),
        ("F|re|i|m|s: x.*", &[]),
        ("F|base64|wide: x", &[("E0205", "wide")]),
        ("F|wide|base64offset|contains: x", &[]),
        ("F|wide: x", &[("E0205", "wide")]),
        ("F|gt|lt: 5", &[("E0205", "lt")]),
        ("F|exists|contains: true", &[("E0205", "contains")]),
        ("F|fieldref|neq: G", &[]),
        ("F|cased|endswith: x", &[]),
        ("F|all: [x]", &[("E0206", "all")]),
        ("'|cidr': 10.0.0.0/8", &[("E0205", "cidr")]),
    ];
    for (item, expect) in cases {
        check(&rule(&format!("    sel:\n        {item}\n    condition: sel\n")), expect);
    }
}

#[test]
fn values() {
    let cases: [(&str, &[(&str, &str)]); 18] = [
        ("F|contains: [a, null, true, 5]", &[("E0206", "null"), ("E0206", "true")]),
        ("F|endswith:", &[("E0206", "F|endswith")]),
        ("F|gt: high", &[("E0206", "high")]),
        ("F|gt: '5'", &[("E0206", "'5'")]),
        ("F|gte: 5.5", &[]),
        ("F|hour: 8", &[]),
        ("F|exists: 1", &[("E0206", "1")]),
        ("F|exists: true", &[]),
        (
            "F|cidr: [10.0.0.0/8, fe80::/10, 10.0.0.0/33, host]",
            &[("E0206", "10.0.0.0/33"), ("E0206", "host")],
        ),
        ("F|base64: a*b", &[("E0206", "a*b")]),
        ("F|base64: a\\*b", &[]),
        ("F|expand: abc", &[("E0206", "expand")]),
        ("F|expand: '%abc%'", &[]),
        ("F: {a: b}", &[("E0203", "{a: b}")]),
        ("F: [a, [b]]", &[("E0203", "[b]")]),
        ("F: []", &[("E0211", "[]")]),
        ("F: !x y", &[("E0203", "y")]),
        ("F: [00000429, null, '', ~, true, 'null']", &[]),
    ];
    for (item, expect) in cases {
        check(&rule(&format!("    sel:\n        {item}\n    condition: sel\n")), expect);
    }
}

#[test]
fn conditions() {
    let cases: [(&str, &[(&str, &str)]); 20] = [
        ("selection", &[("E0209", "filter_a"), ("E0209", "filter_b")]),
        ("selecton and not 1 of filter*", &[("E0209", "selection"), ("E0208", "selecton")]),
        (
            "selection and not 1 of filtre*",
            &[("E0209", "filter_a"), ("E0209", "filter_b"), ("E0208", "filtre*")],
        ),
        ("selection AND NOT 1 Of filter_*", &[]),
        ("all of them", &[]),
        ("any of them", &[]),
        ("2 of them", &[]),
        ("4 of them", &[("E0207", "4 of them")]),
        ("1 of", &[("E0207", "")]),
        ("some of them", &[("E0207", "some")]),
        ("1 of and", &[("E0207", "and")]),
        ("(selection", &[("E0207", "(")]),
        ("selection)", &[("E0207", ")")]),
        ("selection filter_a", &[("E0207", "filter_a")]),
        ("selection and", &[("E0207", "")]),
        ("not", &[("E0207", "")]),
        ("1 of them | count() by a, b >= 5", &[("E0212", "count() by a, b >= 5")]),
        ("1 of filter_* | near selection", &[("E0212", "near selection")]),
        ("1 of them | count( > 5", &[("E0207", ">")]),
        ("1 of them | median(x) > 5", &[("E0207", "median")]),
    ];
    for (condition, expect) in cases {
        let searches = "    selection: {F: a}\n    filter_a: {F: b}\n    filter_b: [c]\n";
        check(&rule(&format!("{searches}    condition: {condition}\n")), expect);
    }
    check(&rule("    s: {F: a}\n    condition:\n"), &[("E0207", "condition")]);
    check(&rule("    s: {F: a}\n    condition: []\n"), &[("E0207", "[]")]);
    check(&rule("    s: {F: a}\n    t: {F: a}\n    condition: [s, t]\n"), &[]);
    check(&rule("    s: {F: a}\n    condition: {a: b}\n"), &[("E0203", "{a: b}")]);
    // Places are found through folding and indentation.
    check(&rule("    s: {F: a}\n    condition: >\n        s and\n        not x\n"), &[("E0208", "x")]);
    check(&rule("    s: {F: a}\n    condition: \"s \\x61nd x\"\n"), &[("E0208", "x")]);
}

#[test]
fn rules_that_lack_something() {
    check("title: T\ndetection:\n    s: {F: a}\n    condition: s\n", &[("E0202", "title")]);
    check(
        "logsource: {product: x}\ndetection:\n    s: {F: a}\n    condition: s\n",
        &[("E0202", "logsource")],
    );
    check(
        "title: T\nlogsource: {definition: x}\ndetection:\n    s: {F: a}\n    condition: s\n",
        &[("E0202", "logsource")],
    );
    check(
        "title: T\nlogsource: {produkt: x}\ndetection:\n    s: {F: a}\n    condition: s\n",
        &[("E0202", "logsource"), ("E0215", "produkt")],
    );
    check(
        "title: T\nlogsource: windows\ndetection:\n    s: {F: a}\n    condition: s\n",
        &[("E0203", "windows")],
    );
    check(&rule("    s: {F: a}\n"), &[("E0202", "detection")]);
    check(&rule("    s: {}\n    condition: s\n"), &[("E0211", "{}")]);
    check(&rule("    s:\n    condition: s\n"), &[("E0211", "s")]);
    check("title: T\nlevel: high\n", &[("E0201", "title")]);
    check("- a\n- b\n", &[("E0201", "- a\n- b")]);
    check("", &[]);
}

#[test]
fn metadata() {
    let base = rule("    s: {F: a}\n    condition: s\n");
    let cases: [(&str, &[(&str, &str)]); 14] = [
        ("level: hihg\n", &[("E0210", "hihg")]),
        ("status: stable\nlevel: low\n", &[]),
        ("id: 17\n", &[("E0210", "17")]),
        ("id: 0e95725d-7320-415d-80f7-004da920fc11\n", &[]),
        ("date: 2025-02-30\n", &[("E0210", "2025-02-30")]),
        ("date: 2025/02/20\n", &[("E0210", "2025/02/20")]),
        ("tags: attack.t1059\n", &[("E0210", "attack.t1059")]),
        ("tags: [attack.t1059, Attack]\n", &[("E0210", "Attack")]),
        ("falsepositive: [x]\n", &[("E0215", "falsepositive")]),
        ("x-own: {a: [1]}\n", &[]),
        ("related: [{id: 0e95725d-7320-415d-80f7-004da920fc11, type: simlar}]\n", &[("E0210", "simlar")]),
        ("references: [{a: b}]\n", &[("E0210", "{a: b}")]),
        ("name:\n", &[("E0210", "name")]),
        ("title: U\n", &[("E0011", "title")]),
    ];
    for (lines, expect) in cases {
        check(&format!("{base}{lines}"), expect);
    }
}

#[test]
fn all_faults_of_a_file_in_one_run() {
    let text = "\
title: a: b
id: x
logsource:
    category: test
detection:
    selection:
        Image|endwith: 'x'
        Port|gt: many
        A: 1
        A: 2
    filter: {B: c}
    condition: selection and not filters
level: severe
---
title: second
detection:
    s: [x]
    condition: s or
";
    let expect = [
        ("E0010", ":"),
        ("E0210", "x"),
        ("E0204", "endwith"),
        ("E0206", "many"),
        ("E0011", "A"),
        ("E0210", "severe"),
        ("E0202", "title"),
        ("E0207", ""),
    ];
    // In a document that is damaged, what seems missing or unused is not told.
    check(text, &expect);
}

#[test]
fn actions() {
    let global = "action: global\ntitle: T\nlogsource: {product: p}\ndetection:\n    condition: s\n";
    check(
        &format!(
            "{global}---\ndetection:\n    s: {{F: a}}\n---\nlogsource: {{service: q}}\ndetection:\n    s: {{F: b}}\n"
        ),
        &[],
    );
    check(&format!("{global}---\ndetection:\n    t: {{F: a}}\n"), &[("E0208", "s"), ("E0209", "t")]);
    check(global, &[("E0213", "global")]);
    check("action: gloabl\ntitle: T\n", &[("E0213", "gloabl")]);
    check(
        "action: repeat\ntitle: T\nlogsource: {product: p}\ndetection: {s: [a], condition: s}\n",
        &[("E0213", "repeat")],
    );
}

#[test]
fn correlations_and_filters() {
    let correlation = |body: &str| format!("title: T\ncorrelation:\n{body}");
    let whole = "    type: event_count\n    rules: [a, b]\n    group-by: [User]\n    timespan: 5m\n    condition: {gte: 10}\n";
    check(&correlation(whole), &[]);
    check(
        &correlation("    type: event_cuont\n    rules: a\n    timespan: 5 min\n    condition: {gte: 1}\n"),
        &[("E0214", "event_cuont"), ("E0214", "5 min")],
    );
    check(
        &correlation("    type: value_count\n    rules: [a]\n    timespan: 1h\n    condition: {get: 3}\n"),
        &[("E0214", "condition"), ("E0214", "get")],
    );
    check(
        &correlation("    type: temporal\n    rules: [a, b]\n    timespan: 1h\n    condition: a and not b\n"),
        &[],
    );
    check(
        &correlation("    type: event_count\n"),
        &[("E0214", "correlation"), ("E0214", "correlation"), ("E0214", "correlation")],
    );
    let filter = "title: T\nlogsource: {product: p}\nfilter:\n    rules: [a]\n    selection: {F: b}\n    condition: not selection\n";
    check(filter, &[]);
    check(&filter.replace("    rules: [a]\n", ""), &[("E0202", "filter")]);
}

#[test]
fn hostile_rules() {
    let deep = "(".repeat(10_000);
    let parsed = parse(&rule(&format!("    s: [x]\n    condition: {deep}s\n")));
    assert!(parsed.diagnostics.iter().any(|d| d.code.0 == "E0207"));
    let nots = "not ".repeat(10_000);
    let parsed = parse(&rule(&format!("    s: [x]\n    condition: {nots}s\n")));
    assert!(parsed.diagnostics.iter().any(|d| d.code.0 == "E0207"));
    let lists = "[".repeat(10_000);
    let parsed = parse(&rule(&format!("    s: {lists}\n    condition: s\n")));
    assert!(parsed.diagnostics.iter().any(|d| d.code.0 == "E0012"));
    let many: String = (0..20_000).map(|i| format!("    s{i}: {{F: a}}\n")).collect();
    parse(&rule(&format!("{many}    condition: 1 of them\n")));
    parse(&rule(&format!("{many}    condition: x\n")));
    let wild = format!("1 of {}", "*a".repeat(20_000));
    parse(&rule(&format!("    {}: [x]\n    condition: {wild}\n", "a".repeat(500))));
    let ors: String = (0..20_000).map(|i| format!("s{i} or ")).collect();
    parse(&rule(&format!("{many}    condition: {ors} s1\n")));
    let documents = "action: global\n---\n".repeat(5_000);
    parse(&documents);
    let values = "            - x\n".repeat(500_000);
    let parsed = parse(&rule(&format!("    s:\n        F:\n{values}    condition: s\n")));
    assert!(parsed.diagnostics.is_empty());
}
