//! The tree survives printing: rules written here, rules built by hand, any text.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use proptest::prelude::*;
use ruleferry_doc::Comments;
use ruleferry_sigma::syntax::{
    Condition, Detection, Expr, Group, GroupKind, Item, LogSource, Modifier, Part, Quantifier, Search,
    Section, SigmaDocument, Target, Value, ValueKind, Values, parse, print,
};

const WHOLE: &str = r#"title: All of it
id: 0e95725d-7320-415d-80f7-004da920fc11
related:
    - id: 0e95725d-7320-415d-80f7-004da920fc12
      type: similar
status: test
description: |
    Two
    lines.
references:
    - https://example.org/a
author: '@someone'
date: 2025-01-31
modified: 2025-02-01 # again
tags:
    - attack.execution
    - attack.t1059.001
logsource:
    category: process_creation
    product: windows
detection:
    # what is looked for
    selection_a:
        Image|endswith: '\cmd.exe' # or another
        CommandLine|contains|all:
            - ' /c '
            - 'a\*b'
            # - 'not this'
        Serial: 00000429
        Text: '4688'
        Nothing: null
        Empty: ''
        Flag: true
        Void:
    selection_b:
        - Hash|re|i: '^[a-f\d]{4}$'
        - Ip|cidr:
              - 10.0.0.0/8
              - fe80::/10
          Port|gte: 1024
    keywords:
        - one
        - 'two*'
    '|all-of-it':
        '|all':
            - x
            - y
    filter_x:
        A|fieldref: B
        C|exists: false
        D|windash|contains: ' -enc '
        E|expand: '%servers%'
        F|utf16le|base64offset|contains: abc
    timeframe: 15m
    condition: (selection_a or 1 of selection_*) and keywords and not 1 of filter_* and '|all-of-it'
fields:
    - CommandLine
falsepositives:
    - None
level: high
x-own:
    deep:
        - a: 1
# the end
"#;

#[test]
fn canonical_text_stays_as_it_is() {
    // `|all-of-it` in quotes is no name that a condition can hold; everything else is legal.
    let text = WHOLE
        .replace(" and '|all-of-it'", "")
        .replace("'|all-of-it'", "all_of_it")
        .replace("not 1 of filter_*", "not 1 of filter_* and all_of_it");
    let parsed = parse(&text);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    assert_eq!(print(&parsed.documents, &parsed.comments), text);
    let again = parse(&text);
    assert_eq!(parsed.documents, again.documents);
}

#[test]
fn keys_are_put_in_order_and_comments_go_along() {
    let text = "# head\nlevel: low # l\n# about the detection\ndetection: {condition: a, a: {F: [x, 'y']}}\nlogsource: {service: s, category: c}\ntitle: T\n";
    let expect = "\
title: T
logsource:
    category: c
    service: s
# about the detection
detection:
    a:
        F:
            - x
            - 'y'
    condition: a
# head
level: low # l
";
    let parsed = parse(text);
    assert_eq!(print(&parsed.documents, &parsed.comments), expect);
}

#[test]
fn conditions_are_printed_from_their_tree() {
    for (written, printed) in [
        ("a  AND   not B", "a and not B"),
        ("( a or b ) and c", "(a or b) and c"),
        ("a or (b and c)", "a or (b and c)"),
        ("Any OF Them", "1 of them"),
        ("ALL of a*", "all of a*"),
        ("3 of a*", "3 of a*"),
        ("a | COUNT(x) BY y = 3", "a | count(x) by y == 3"),
        ("a | near b and not c", "a | near b and not c"),
    ] {
        let text = format!(
            "title: T\nlogsource: {{service: s}}\ndetection:\n    a: [x]\n    condition: {written}\n"
        );
        let parsed = parse(&text);
        let detection = parsed.documents[0].detection().unwrap();
        assert_eq!(detection.conditions()[0].to_string(), printed);
    }
}

#[test]
fn what_cannot_be_read_is_kept() {
    let text = "title: T\nlogsource: [x]\ndetection:\n    a: {F|nope: {b: c}}\n    condition: write x to %y%; then z\n    timeframe: [1]\n";
    let parsed = parse(text);
    let printed = print(&parsed.documents, &parsed.comments);
    assert_eq!(parse(&printed).documents, parsed.documents);
    assert!(printed.contains("condition: write x to %y%; then z"), "{printed}");
}

#[test]
fn a_rule_is_built_by_hand() {
    let items = vec![
        Item::new("Image", [Modifier::EndsWith], Values::One(Value::literal("\\a*b.exe"))),
        Item::new(
            "User",
            [],
            Values::from(vec![Value::null(), Value::number("7"), Value::bool(true), Value::literal("7")]),
        ),
        Item::new("Ip", [Modifier::Cidr], Values::One(Value::verbatim("10.0.0.0/8"))),
        Item::new(
            "Path",
            [Modifier::Expand],
            Values::One(Value::parts([
                Part::Literal("c:\\".into()),
                Part::Placeholder("dir".into()),
                Part::Literal("\\".into()),
                Part::Any,
            ])),
        ),
    ];
    let keywords = GroupKind::List(vec![
        Group::from(GroupKind::Keyword(Value::literal("a b"))),
        Group::from(GroupKind::Keyword(Value::raw_string("x*"))),
    ]);
    let condition = Expr::and([
        Expr::or([Expr::search("selection"), Expr::search("keywords")]),
        Expr::not(Expr::of(Quantifier::One, Target::pattern("filter_*"))),
    ]);
    let searches = vec![
        Search::new("selection", GroupKind::Map(items)),
        Search::new("keywords", keywords),
        Search::new("filter_a", GroupKind::Map(vec![Item::new("F", [], Values::One(Value::literal("")))])),
    ];
    let mut rule = SigmaDocument::new();
    rule.set("detection", Section::Detection(Detection::new(searches, Condition::new(condition))));
    rule.set("logsource", Section::LogSource(LogSource::new(None, Some("windows"), Some("security"))));
    rule.set_text("title", "By hand: it's #1");
    rule.set_texts("tags", ["attack.t1059"]);
    rule.set_text("level", "high");
    let expect = r"title: 'By hand: it''s #1'
tags:
    - attack.t1059
logsource:
    product: windows
    service: security
detection:
    selection:
        Image|endswith: '\a\*b.exe'
        User:
            - null
            - 7
            - true
            - '7'
        Ip|cidr: 10.0.0.0/8
        Path|expand: 'c:\\%dir%\\*'
    keywords:
        - a b
        - 'x*'
    filter_a:
        F: ''
    condition: (selection or keywords) and not 1 of filter_*
level: high
";
    let printed = print(std::slice::from_ref(&rule), &Comments::default());
    assert_eq!(printed, expect);
    let parsed = parse(&printed);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    assert_eq!(parsed.documents[0].detection(), rule.detection());
}

#[test]
fn actions_make_whole_rules() {
    let text = "\
action: global
title: T
logsource:
    product: p
detection:
    condition: s and not f
    f: {A: b}
---
detection:
    s: {X: 1}
---
action: repeat
logsource:
    service: q
detection:
    s: {X: 2}
---
action: reset
---
title: Own
logsource: {product: z}
detection: {s: [a], condition: s}
";
    let parsed = parse(text);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let rules = parsed.rules();
    assert_eq!(rules.len(), 3);
    assert_eq!(rules[0].text("title"), Some("T"));
    assert_eq!(rules[1].logsource().unwrap().product(), Some("p"));
    assert_eq!(rules[1].logsource().unwrap().service(), Some("q"));
    assert_eq!(rules[1].detection().unwrap().searches.len(), 2);
    assert_eq!(rules[2].text("title"), Some("Own"));
    let printed = print(&parsed.documents, &parsed.comments);
    assert_eq!(parse(&printed).documents.len(), 5);
}

fn name() -> impl Strategy<Value = String> {
    "[a-z_][a-z0-9_]{0,4}".prop_filter("words of the language", |n| {
        !["and", "or", "not", "of", "them", "true", "false", "null"].contains(&n.as_str())
    })
}

fn expr() -> impl Strategy<Value = Expr> {
    let target = prop_oneof![Just(Target::Them), name().prop_map(|n| Target::pattern(format!("{n}*")))];
    let quantifier =
        prop_oneof![Just(Quantifier::One), Just(Quantifier::All), (2u32..9).prop_map(Quantifier::AtLeast)];
    let leaf =
        prop_oneof![name().prop_map(Expr::search), (quantifier, target).prop_map(|(q, t)| Expr::of(q, t))];
    leaf.prop_recursive(5, 30, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(Expr::not),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Expr::and),
            prop::collection::vec(inner, 1..4).prop_map(Expr::or),
        ]
    })
}

fn part() -> impl Strategy<Value = Part> {
    let literal = prop::collection::vec(
        prop::sample::select(vec!["a", "\\", "*", "?", "%", " ", "'", "é", "#", ": "]),
        1..6,
    );
    prop_oneof![
        3 => literal.prop_map(|l| Part::Literal(l.concat().into())),
        1 => Just(Part::Any),
        1 => Just(Part::One),
        1 => Just(Part::Placeholder("name".into())),
    ]
}

fn lines() -> impl Strategy<Value = String> {
    let pieces = vec![
        "title: T\n",
        "logsource:\n",
        "    product: p\n",
        "detection:\n",
        "    sel:\n",
        "        F|contains: x\n",
        "        G:\n",
        "            - '*a'\n",
        "            - 00042\n",
        "    condition: sel\n",
        "    condition: 1 of them | count() > 3\n",
        "---\n",
        "action: global\n",
        "level: high\n",
        "# comment\n",
        "    # inner\n",
        "        H|re: 'a\\b' # end\n",
        "    kw: [a, b, {c: d}]\n",
        "correlation:\n",
        "filter:\n",
        "    type: temporal\n",
        "tags: [a.b, c]\n",
        "    sel2: {F|nope|all: ~}\n",
        "date: 2020/01/01\n",
        "x: &a [1]\n",
        "y: *a\n",
        "\t",
        "a:b",
        "'",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..20).prop_map(|p| p.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_condition_reads_back(expr in expr()) {
        let names = Condition::new(expr.clone()).to_string();
        let text = format!("title: T\nlogsource: {{service: s}}\ndetection:\n    condition: {names}\n");
        let parsed = parse(&text);
        let back = parsed.documents[0].detection().unwrap().conditions()[0].expr().cloned();
        prop_assert!(back.as_ref() == Some(&expr), "{names}\n{expr:?}\n{back:?}");
    }

    #[test]
    fn any_text_of_parts_reads_back(parts in prop::collection::vec(part(), 0..6)) {
        // Neighbouring literals are one literal.
        let mut expect: Vec<Part> = Vec::new();
        for part in &parts {
            match (expect.last_mut(), part) {
                (Some(Part::Literal(last)), Part::Literal(next)) => *last = format!("{last}{next}").into(),
                _ => expect.push(part.clone()),
            }
        }
        if expect.is_empty() {
            expect.push(Part::Literal("".into()));
        }
        let value = Value::parts(parts);
        let ValueKind::String(text) = &value.kind else { unreachable!() };
        prop_assert_eq!(text.parts(), expect, "{}", text.raw);
    }

    #[test]
    fn any_file_survives(text in prop_oneof![lines(), any::<String>()]) {
        let parsed = parse(&text);
        for d in &parsed.diagnostics {
            prop_assert!(text.get(d.span.start.min(text.len() as u32) as usize..).is_some(), "{d:?}");
        }
        let printed = print(&parsed.documents, &parsed.comments);
        let again = parse(&printed);
        let settled = print(&again.documents, &again.comments);
        if parsed.diagnostics.iter().all(|d| !d.code.0.starts_with("E001")) {
            prop_assert_eq!(&printed, &settled, "{}", text);
            prop_assert_eq!(parsed.comments.iter().count(), again.comments.iter().count(), "{}\n{}", text, printed);
        }
    }
}
