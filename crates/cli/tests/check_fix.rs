//! `check --fix` as a user sees it: what it changes, what it leaves, and that nothing changes its meaning.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

mod support;

use support::{Folder, run};

/// Fixes one file, and says what it is then; that the meaning is the same is asked of `diff`.
#[track_caller]
fn fixed(name: &str, text: &str) -> String {
    let before = format!("before.{name}");
    let folder = Folder::new(&[(name, text), (&before, text)]);
    let ran = run(&folder, &["check", "--fix", name]);
    assert_ne!(ran.status, 1, "{}", ran.err);
    let after = folder.read(name);
    let same = run(&folder, &["diff", &before, name]);
    assert!(same.status == 0 && same.out.starts_with("equivalent"), "{}\n{after}", same.out);
    // Done once is done.
    run(&folder, &["check", "--fix", name]);
    assert_eq!(folder.read(name), after);
    after
}

#[test]
fn edits_of_a_query() {
    let cases = [
        // A binding, with its line; a comment behind it stays.
        ("let x = 1;\nSigninLogs\n| take 5\n", "SigninLogs\n| take 5\n"),
        ("let x = 1; // why\nSigninLogs\n| take 5\n", "// why\nSigninLogs\n| take 5\n"),
        ("let x = 1; SigninLogs | take 5\n", "SigninLogs | take 5\n"),
        // A condition, on either side, and a whole stage.
        (
            "SigninLogs\n| where UserId == \"u\" and UserId startswith \"u\"\n",
            "SigninLogs\n| where UserId == \"u\"\n",
        ),
        (
            "SigninLogs\n| where UserId contains \"a\" // first\n    and UserId contains \"ab\" // second\n",
            "SigninLogs\n| where // first\n    UserId contains \"ab\" // second\n",
        ),
        (
            "SigninLogs\n| where UserId == \"u\"\n| where UserId startswith \"u\"\n| take 5\n",
            "SigninLogs\n| where UserId == \"u\"\n| take 5\n",
        ),
        // An alternative, and a value of a list.
        (
            "SigninLogs | where Location == \"FR\" or Location startswith \"F\" or UserId == \"u\"\n",
            "SigninLogs | where Location startswith \"F\" or UserId == \"u\"\n",
        ),
        (
            "SigninLogs | where UserAgent has_any (\"curl\", \"curl/7\")\n",
            "SigninLogs | where UserAgent has_any (\"curl\")\n",
        ),
        // A pattern that is a text, with what needs quotes.
        (
            "SigninLogs | where UserAgent matches regex @\"^a\\\"\"b\\.c$\"\n",
            "SigninLogs | where UserAgent == \"a\\\"b.c\"\n",
        ),
        (
            "SigninLogs\n| join (AuditLogs) on CorrelationId\n",
            "SigninLogs\n| join kind=innerunique (AuditLogs) on CorrelationId\n",
        ),
    ];
    for (text, wanted) in cases {
        if text.contains("^a") {
            // Whether the two spell it so is a matter of the printer.
            assert!(!fixed("a.kql", text).contains("regex"), "{text}");
            continue;
        }
        assert_eq!(fixed("a.kql", text), wanted, "{text}");
    }
}

#[test]
fn a_query_inside_of_a_document_keeps_its_layout() {
    let yaml = "# keep\nid: 21111111-2222-4333-8444-555555555555\nname: N\nquery: |\n    let unused = 1;\n    SigninLogs\n    // why\n    | where UserAgent contains \"curl\" and UserAgent contains \"curl/7\"\n    | where UserId matches regex \"adm\\\\.x\"\nkind: Scheduled # end\n";
    assert_eq!(
        fixed("r.yaml", yaml),
        "# keep\nid: 21111111-2222-4333-8444-555555555555\nname: N\nquery: |\n    SigninLogs\n    // why\n    | where UserAgent contains \"curl/7\"\n    | where UserId contains_cs \"adm.x\"\nkind: Scheduled # end\n"
    );
    let json = r#"{"properties": {"displayName": "B", "query": "let u = 1;\nSigninLogs\n| where UserId matches regex \"(?i)^a'\\\"b$\" or Location == \"\\u0041\"", "queryFrequency": "PT1H"}}"#;
    assert_eq!(
        fixed("r.json", json),
        r#"{"properties": {"displayName": "B", "query": "SigninLogs\n| where UserId =~ \"a'\\\"b\" or Location == \"\\u0041\"", "queryFrequency": "PT1H"}}"#
    );
    let single = "id: 1\nname: N\nquery: 'let x = 1; SigninLogs | where UserAgent matches regex \"it''s\"'\n";
    assert_eq!(
        fixed("s.yaml", single),
        "id: 1\nname: N\nquery: 'SigninLogs | where UserAgent contains_cs \"it''s\"'\n"
    );
}

#[test]
fn edits_of_sigma() {
    let rule = |detection: &str| {
        format!(
            "title: T\nlogsource:\n    category: process_creation\n    product: windows\ndetection:\n{detection}level: low\n"
        )
    };
    let cases = [
        (
            "    s:\n        Image|endswith:\n            - '\\cmd.exe' # the shell\n            - '\\x\\cmd.exe'\n    condition: s\n",
            "    s:\n        Image|endswith:\n            - '\\cmd.exe' # the shell\n    condition: s\n",
        ),
        (
            "    s:\n        Image|endswith: ['\\cmd.exe', '\\x\\cmd.exe', '\\y.exe']\n    condition: s\n",
            "    s:\n        Image|endswith: ['\\cmd.exe', '\\y.exe']\n    condition: s\n",
        ),
        (
            "    s:\n        CommandLine|re: 'a\\*b\\.c'\n    condition: s\n",
            "    s:\n        CommandLine|contains|cased: 'a\\*b.c'\n    condition: s\n",
        ),
        (
            "    s:\n        CommandLine|re|i: '^foo=$'\n    condition: s\n",
            "    s:\n        CommandLine: 'foo='\n    condition: s\n",
        ),
        // Two values, of which one is a pattern: nothing says both.
        (
            "    s:\n        CommandLine|re:\n            - 'ab'\n            - 'x+y'\n    condition: s\n",
            "    s:\n        CommandLine|re:\n            - 'ab'\n            - 'x+y'\n    condition: s\n",
        ),
    ];
    for (before, after) in cases {
        assert_eq!(fixed("r.yml", &rule(before)), rule(after), "{before}");
    }
}

#[test]
fn what_may_be_a_mistake_is_left_to_people() {
    let texts = [
        "SigninLogs | where UserId == \"u\" | where UserId == \"v\"\n",
        "SigninLogs | where UserId == \"u\" and not(UserId startswith \"x\")\n",
        "SigninLogs | where UserId != \"u\" or UserId != \"v\"\n",
        // Two letters that the pattern folds otherwise.
        "SigninLogs | where UserAgent matches regex \"(?i)^task$\"\n",
    ];
    for text in texts {
        let folder = Folder::new(&[("a.kql", text)]);
        let ran = run(&folder, &["check", "--fix", "a.kql"]);
        assert_eq!((ran.status, folder.read("a.kql").as_str()), (2, text), "{}", ran.err);
        assert!(ran.err.contains("0 fixed, 1 findings left"), "{}", ran.err);
    }
}

#[test]
fn several_files_and_what_is_told() {
    let folder = Folder::new(&[
        ("rules/a.kql", "let x = 1;\nlet y = 2;\nSigninLogs\n| where UserId matches regex \"a\"\n"),
        ("rules/b.kql", "SigninLogs | where (\n"),
        ("rules/c.kql", "SigninLogs | take 5\n"),
    ]);
    let ran = run(&folder, &["check", "--fix", "rules"]);
    // A file with an error is an error, and is not touched.
    assert_eq!(ran.status, 1);
    assert_eq!(folder.read("rules/a.kql"), "SigninLogs\n| where UserId contains_cs \"a\"\n");
    assert_eq!(folder.read("rules/b.kql"), "SigninLogs | where (\n");
    for place in ["a.kql:1:5: E0927", "a.kql:2:5: E0927", "a.kql:4:9: E0928"] {
        assert!(ran.err.contains(place), "{place}: {}", ran.err);
    }
    assert_eq!(folder.files("rules"), ["a.kql", "b.kql", "c.kql"]);
}

#[test]
#[cfg(unix)]
fn links_and_permissions_stay() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new(&[("real/a.kql", "let x = 1;\nSigninLogs\n")]);
    let real = folder.0.join("real/a.kql");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&real, folder.0.join("link.kql")).unwrap();
    run(&folder, &["check", "--fix", "link.kql"]);
    assert!(folder.0.join("link.kql").is_symlink());
    assert_eq!(folder.read("real/a.kql"), "SigninLogs\n");
    assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn records_carry_fix_and_event() {
    let text = "SigninLogs | where UserAgent has_any (\"curl\", \"curl/7\")\n";
    let folder = Folder::new(&[("a.kql", text)]);
    let found = &run(&folder, &["check", "a.kql", "--format", "json"]).json()[0]["diagnostics"][0];
    assert_eq!(found["code"], "E0924");
    assert_eq!(found["event"]["tables"]["SigninLogs"][0]["UserAgent"], "curl/7");
    let edit = &found["fix"]["edits"][0];
    let (start, end) = (edit["span"]["start"].as_u64().unwrap(), edit["span"]["end"].as_u64().unwrap());
    assert_eq!(&text[start as usize..end as usize], ", \"curl/7\"");
    assert_eq!(edit["text"], "");
    let sarif: serde_json::Value =
        serde_json::from_str(&run(&folder, &["check", "a.kql", "--format", "sarif"]).out).unwrap();
    let fix = &sarif["runs"][0]["results"][0]["fixes"][0]["artifactChanges"][0];
    assert_eq!(fix["artifactLocation"]["uri"], "a.kql");
    assert_eq!(fix["replacements"][0]["deletedRegion"]["byteOffset"].as_u64(), Some(start));
    // Both keys are described, and are left out where there is nothing to say.
    let schema: serde_json::Value = serde_json::from_str(&run(&folder, &["schema", "check"]).out).unwrap();
    let record = &schema["$defs"]["DiagnosticRecord"];
    assert!(record["properties"]["fix"].is_object() && record["properties"]["event"].is_object());
    let required: Vec<&str> =
        record["required"].as_array().unwrap().iter().filter_map(|r| r.as_str()).collect();
    assert!(!required.contains(&"fix") && !required.contains(&"event") && required.contains(&"span"));
}

#[test]
fn schedules_of_sentinel_and_defender() {
    let sentinel =
        "id: 1\nname: N\nqueryFrequency: 1d\nqueryPeriod: 6h\nquery: |\n  SigninLogs | where UserId == 'u'\n";
    let defender = r#"{"id": "7", "displayName": "D", "queryCondition": {"queryText": "DeviceEvents | where Timestamp > ago(30m) | where ActionType == 'x'"}, "schedule": {"period": "1H"}}"#;
    let sql = "-- Rule: N\n-- Frequency: PT6H\nSELECT * FROM SigninLogs WHERE TimeGenerated > TIMESTAMP '2026-01-01 00:00:00' AND UserId = 'u'\n";
    let folder = Folder::new(&[("s.yaml", sentinel), ("d.json", defender), ("q.sql", sql)]);
    let of = |name: &str| {
        let record = run(&folder, &["check", name, "--format", "json"]).json().remove(0);
        let found = record["diagnostics"].as_array().unwrap().clone();
        found.into_iter().find(|d| d["code"] == "E0930")
    };
    let gap = of("s.yaml").unwrap();
    assert_eq!((gap["span"]["line"].as_u64(), gap["span"]["column"].as_u64()), (Some(4), Some(14)));
    assert_eq!(gap["event"]["tables"]["SigninLogs"][0]["TimeGenerated"], "2026-01-01T09:00:00.0000000Z");
    let gap = of("d.json").unwrap();
    assert_eq!(gap["event"]["tables"]["DeviceEvents"][0]["Timestamp"], "2026-01-01T23:15:00.0000000Z");
    // A fixed time is no look-back.
    assert!(of("q.sql").is_none());
}
