//! Rules of Sigma and KQL in YARA-L: what stands in the output, that it reads back as a rule that finds the same, and what
//! is refused. The faults that were measured in other converters are cases of their own, marked `fault:`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use ruleferry_engine::{
    ConvertOptions, ConvertRecord, Input, Language, MaxLoss, Relation, SigmaOptions, Status, convert_text,
    targets,
};
use std::path::Path;

fn convert(from: Language, text: &str) -> ConvertRecord {
    let options = ConvertOptions {
        from: Some(from),
        to: targets::target::find("yaral").unwrap(),
        now: None,
        sigma: SigmaOptions::default(),
        max_loss: MaxLoss::Wider,
        require_proof: false,
        // Windows are compared elsewhere.
        validate: from == Language::Sigma,
        executor: None,
    };
    let name = if from == Language::Sigma { "rule.yml" } else { "rule.kql" };
    let input = Input { path: name.into(), shown: name.into(), relative: name.into(), walked: false };
    convert_text(&input, text.to_owned(), Path::new("out"), &options).records.remove(0)
}

fn sigma(detection: &str) -> ConvertRecord {
    let text = format!(
        "title: A test\nid: 0d1b4a3e-2f5c-4e2a-9f57-6a0f3c1f7d11\nlogsource: {{product: windows, category: process_creation}}\ndetection:\n  {}\nlevel: high\n",
        detection.replace('\n', "\n  ")
    );
    convert(Language::Sigma, &text)
}

fn text(record: &ConvertRecord) -> &str {
    &record.files.first().unwrap_or_else(|| panic!("refused: {:?}", record.diagnostics)).text
}

/// The predicates behind the guard.
fn events(record: &ConvertRecord) -> String {
    let text = text(record);
    let from = text.split("$e.metadata.log_type = \"windows_process_creation\"\n").nth(1).expect("the guard");
    let lines = from.lines().take_while(|l| !l.is_empty());
    lines.map(str::trim).collect::<Vec<_>>().join(" ").replace("( ", "(").replace(" )", ")")
}

fn proved(record: &ConvertRecord) -> bool {
    record.verdict.as_ref().is_some_and(|v| v.relation() == Relation::Equivalent)
}

/// `detection` of a Sigma rule, and the predicates that it becomes.
const SIGMA: &[(&str, &str)] = &[
    ("a: {f: aB}\ncondition: a", r#"$e.f = "aB" nocase"#),
    ("a: {f: 4688}\ncondition: a", r#"$e.f = "4688""#),
    ("a: {f|cased: aB}\ncondition: a", r#"$e.f = "aB""#),
    ("a: {f|contains: a.b}\ncondition: a", r"re.regex($e.f, `(?s)a\.b`) nocase"),
    ("a: {f|contains|cased: a.b}\ncondition: a", r#"strings.contains($e.f, "a.b")"#),
    ("a: {f|startswith: ab}\ncondition: a", "re.regex($e.f, `^ab`) nocase"),
    // fault: lists of `endswith` without their anchor
    (
        "a: {f|endswith: ['\\a.exe', '\\b.exe']}\ncondition: a",
        r"re.regex($e.f, `(?s)\\a\.exe$|\\b\.exe$`) nocase",
    ),
    (
        "a: {f|contains|all: [x, y]}\ncondition: a",
        "re.regex($e.f, `(?s)x`) nocase re.regex($e.f, `(?s)y`) nocase",
    ),
    ("a: {f: 'a*b?c'}\ncondition: a", "re.regex($e.f, `(?s)^a.*b.c$`) nocase"),
    ("a: {f|re: 'a[0-9]+$'}\ncondition: a", "re.regex($e.f, `(?s)a[0-9]+$`)"),
    ("a: {f|re: 'a.b'}\ncondition: a", "re.regex($e.f, `(?s)(?-s:a.b)`)"),
    ("a: {f|cidr: 10.0.0.0/8}\ncondition: a", r#"net.ip_in_range_cidr($e.f, "10.0.0.0/8")"#),
    // fault: ports as patterns without anchors
    ("a: {Port: [888, 999]}\ncondition: a", r#"($e.Port = "888" or $e.Port = "999")"#),
    // fault: a negation that is lost, and one that is moved inside without turning `or` round
    (
        "a: {f: x}\nb: {g: [y, z]}\ncondition: a and not b",
        r#"$e.f = "x" nocase not ($e.g = "y" nocase or $e.g = "z" nocase)"#,
    ),
    (
        "a: {f: x}\nb: {g: y}\nc: {h: z}\ncondition: a and not (b or c)",
        r#"$e.f = "x" nocase not ($e.g = "y" nocase or $e.h = "z" nocase)"#,
    ),
    // fault: parentheses that are lost
    (
        "a: {f: x}\nb: {g: y}\nc: {h: z}\ncondition: (a or b) and c",
        r#"($e.f = "x" nocase or $e.g = "y" nocase) $e.h = "z" nocase"#,
    ),
    (
        "a: {f: x}\nb: {g: y}\nc: {h: z}\ncondition: a or b and c",
        r#"($e.f = "x" nocase or $e.g = "y" nocase and $e.h = "z" nocase)"#,
    ),
    (
        "a: {f|contains|windash: ' -x '}\ncondition: a",
        "re.regex($e.f, `(?s) -x | /x | –x | —x | ―x `) nocase",
    ),
    ("a: {f|exists: true}\ncondition: a", r#"$e.f != """#),
    ("a: {f: null}\ncondition: a", r#"$e.f = """#),
    ("a: {f|fieldref: g}\ncondition: a", "$e.f = $e.g nocase"),
    ("a: {f|gt: 5}\ncondition: a", "cast.as_float($e.f) > 5"),
    ("a: {f|neq: x}\ncondition: a", r#"$e.f != "x" nocase"#),
    ("a: {'odd name': x}\ncondition: a", r#"$e.additional.fields["odd name"] = "x" nocase"#),
    ("a: {event.action: x}\ncondition: a", r#"$e.event.action = "x" nocase"#),
    ("a: {f|base64: x1}\ncondition: a", r#"$e.f = "eDE=" nocase"#),
];

#[test]
fn sigma_conditions() {
    for (detection, wanted) in SIGMA {
        let record = sigma(detection);
        assert_eq!(events(&record), *wanted, "{detection}");
    }
}

#[test]
fn sigma_is_proved() {
    for detection in [
        "a: {f|contains: ['a.b', c]}\nb: {g|endswith: x}\ncondition: a and not b",
        "a: {f|startswith: ab, g|contains|all: [x, y]}\nb: {h: [p, q]}\ncondition: a or 1 of b*",
        "a: {f: 'a*b?c'}\ncondition: not a",
        "a: {f|re|i: 'a[0-9]{2}$'}\ncondition: a",
        "a: {f|cidr: [10.0.0.0/8, '2001:db8::/32']}\ncondition: a",
    ] {
        let record = sigma(detection);
        assert!(proved(&record), "{detection}: {:?}\n{}", record.verdict, text(&record));
        assert_eq!(record.status, Status::Converted);
    }
}

#[test]
fn the_rule_around_it() {
    let record = sigma("a: {f: x}\ncondition: a");
    for line in [
        "rule a_test {",
        "    rule_name = \"A test\"",
        "    rule_id = \"0d1b4a3e-2f5c-4e2a-9f57-6a0f3c1f7d11\"",
        "    severity = \"High\"",
        "    $e.metadata.event_type = \"GENERIC_EVENT\"",
        "    $risk_score = 85",
        "    $event_count = count_distinct($e.metadata.id)",
        "  condition:\n    $e\n",
    ] {
        assert!(text(&record).contains(line), "{line}\n{}", text(&record));
    }
}

/// Texts that must not end a string, a pattern, a name or a comment too early.
const HOSTILE: &[&str] = &[
    "a\"b",
    "a`b",
    "a\\b",
    "a\\\"",
    "back\\",
    "a\nb",
    "a\tb",
    "$e.x = \"y\"",
    "%list",
    "#e > 0",
    "}",
    "*/",
    "// x",
    "^.*$",
    "a|b",
    "(?i)",
    "[a-z]",
    "\u{202e}evil",
    "’quoted‘",
    "ＡＢＣ",
    "😀",
    "' or 1=1",
];

#[test]
fn hostile_texts_are_read_back() {
    for value in HOSTILE {
        let quoted = serde_json::to_string(value).unwrap();
        let escaped =
            serde_json::to_string(&value.replace('\\', "\\\\").replace('*', "\\*").replace('?', "\\?"))
                .unwrap();
        for item in ["f", "f|contains", "f|startswith", "f|endswith", "f|cased"] {
            let rule = format!(
                "title: {quoted}\ndescription: {quoted}\nreferences: [{quoted}]\nlogsource: {{service: {quoted}}}\ndetection:\n  a: {{{item}: {escaped}}}\n  condition: a\n"
            );
            let record = convert(Language::Sigma, &rule);
            let parsed = ruleferry_yaral::syntax::parse(text(&record));
            assert!(parsed.diagnostics.is_empty(), "{item} {value:?}: {:?}", parsed.diagnostics);
            assert!(proved(&record), "{item} {value:?}: {:?}\n{}", record.verdict, text(&record));
        }
    }
}

#[test]
fn hostile_names_are_read_back() {
    for name in HOSTILE.iter().filter(|n| !n.contains('|')) {
        let key = serde_json::to_string(name).unwrap();
        let record = sigma(&format!("a: {{{key}: x}}\ncondition: a"));
        assert!(proved(&record), "{name:?}: {:?}\n{}", record.verdict, text(&record));
    }
}

#[test]
fn keywords_are_refused() {
    let record = sigma("a: [x, y]\ncondition: a");
    assert_eq!(record.status, Status::Refused);
    assert_eq!(record.diagnostics[0].code.0, "E1205");
}

/// A query, and what its rule holds.
const KQL: &[(&str, &[&str])] = &[
    (
        "SigninLogs | where TimeGenerated > ago(1h) | where ResultType != '0' | summarize n = count(), users = dcount(UserPrincipalName) by IPAddress | where n > 10 and users >= 3",
        &[
            "match:\n    $IPAddress over 1h\n",
            "$users = count_distinct($e.UserPrincipalName)",
            "#e > 10 and $users >= 3",
        ],
    ),
    (
        "SigninLogs | where TimeGenerated > ago(1d) | summarize n = count() by UserPrincipalName, bin(TimeGenerated, 5m) | where n > 10",
        &["$UserPrincipalName by 5m", "#e > 10"],
    ),
    (
        "SigninLogs | where TimeGenerated > ago(1d) | join kind=leftanti (AuditLogs | where TimeGenerated > ago(1d)) on $left.UserPrincipalName == $right.Identity",
        &[
            "$e1.UserPrincipalName = $UserPrincipalName",
            "$e2.Identity = $UserPrincipalName",
            "over 24h",
            "$e1 and !$e2",
        ],
    ),
    (
        "SecurityEvent | where TimeGenerated > ago(10d) | where EventID == 4720 | project Account, t1 = TimeGenerated | join kind=inner (SecurityEvent | where TimeGenerated > ago(10d) | where EventID == 4726 | project Account, t2 = TimeGenerated) on Account | where t2 - t1 between (0min .. 10min)",
        &["$Account over 10m after $e1", "$e1 and $e2"],
    ),
    (
        "SecurityEvent | where TimeGenerated > ago(2h) | summarize arg_max(TimeGenerated, Computer) by Account",
        &["$Computer = window.last($e.metadata.event_timestamp.seconds, $e.Computer)"],
    ),
    (
        "SigninLogs | where TimeGenerated > ago(1d) | summarize bad = countif(ResultType != '0'), ips = make_set(IPAddress) by UserPrincipalName | where array_length(ips) > 2 and bad > 3",
        &["sum(if($e.ResultType != \"0\", 1, 0))", "= count_distinct($e.IPAddress)"],
    ),
    (
        "union SecurityEvent, Syslog | where Computer startswith 'srv'",
        &["($e.metadata.log_type = \"SecurityEvent\" or $e.metadata.log_type = \"Syslog\")"],
    ),
    (
        "SecurityEvent | where Account in~ (_GetWatchlist('vip') | project SearchKey)",
        &["$e.Account in %vip.SearchKey nocase"],
    ),
];

#[test]
fn kql_rules() {
    for (query, wanted) in KQL {
        let record = convert(Language::Kql, query);
        for part in *wanted {
            assert!(text(&record).contains(part), "{part}\n{}", text(&record));
        }
    }
}

#[test]
fn what_a_rule_cannot_say_is_refused() {
    for (query, code) in [
        ("SigninLogs | summarize n = count() by UserPrincipalName | where n > 3", "E0701"),
        ("SigninLogs | where TimeGenerated > ago(14d) | summarize n = count() by UserPrincipalName", "E1208"),
        ("SigninLogs | where TimeGenerated > ago(1d) | top 10 by TimeGenerated", "E1201"),
        ("SigninLogs | where TimeGenerated > ago(1d) | sort by TimeGenerated | take 5", "E1201"),
        (
            "SigninLogs | where TimeGenerated > ago(1d) | summarize n = count() by UserPrincipalName, IPAddress | summarize max(n) by UserPrincipalName",
            "E1202",
        ),
        ("SigninLogs | mv-expand d = todynamic(ConditionalAccessPolicies)", "E1201"),
        (
            "SigninLogs | where TimeGenerated > ago(1d) | make-series n = count() on TimeGenerated step 1h",
            "E1201",
        ),
        ("print x = 1", "E1201"),
        ("SigninLogs | where * has 'x'", "E1205"),
    ] {
        let record = convert(Language::Kql, query);
        assert_eq!(record.status, Status::Refused, "{query}");
        assert!(record.diagnostics.iter().any(|d| d.code.0 == code), "{query}: {:?}", record.diagnostics);
    }
}
