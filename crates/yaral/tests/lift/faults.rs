//! Rules that have no meaning are refused with the reason and its place; what the IR lacks becomes an opaque node.

use super::{lifted, simple};
use ruleferry_yaral::lift::lift;
use ruleferry_yaral::syntax::parse;

#[track_caller]
fn refused(text: &str, code: &str, message: &str) {
    let parsed = parse(text);
    assert!(!parsed.has_errors(), "{:?}", parsed.diagnostics);
    let faults = lift(&parsed.file.rules[0]).map(|_| ()).unwrap_err();
    let found = faults.iter().any(|d| d.code.0 == code && d.message.contains(message));
    assert!(found, "{faults:?}");
    assert!(faults.iter().all(|d| text.get(d.span.start as usize..d.span.end as usize).is_some()));
}

#[test]
fn what_breaks_the_rules_of_the_language() {
    refused(
        "rule r { events: $a.metadata.id = \"x\" $b.metadata.id = \"y\" condition: $a and $b }",
        "E1101",
        "needs `match`",
    );
    refused(
        "rule r { events: $a.metadata.id = $x $b.metadata.id = \"y\" match: $x over 5m condition: $a and $b }",
        "E1101",
        "is not joined",
    );
    refused(
        "rule r { events: $a.metadata.id = \"x\" match: $u over 5m condition: $a }",
        "E1101",
        "`$u` is bound to no field",
    );
    refused(&simple("$e.metadata.id = \"x\" $p != \"y\""), "E1101", "`$p` is bound to no field");
    refused(
        "rule r { events: $e.metadata.id = $i match: $i over 5m outcome: $x = $e.metadata.id condition: $e }",
        "E1101",
        "has many values",
    );
    refused(
        "rule r { events: $a.metadata.id = $x $b.metadata.id = $x match: $x over 5m condition: !$a and !$b }",
        "E1101",
        "no event of the rule must be there",
    );
    refused(
        "rule r { events: $a.metadata.id = $x $b.metadata.id = $x match: $x over 5m condition: $a or !$b }",
        "E1101",
        "among alternatives",
    );
    for condition in ["$a or $b", "$a and (#b > 2 or #a > 1)", "#a > 1 or #b > 2"] {
        let text = format!(
            "rule r {{ events: $a.metadata.id = $x $b.metadata.id = $x match: $x over 5m condition: {condition} }}"
        );
        refused(&text, "E1101", "among alternatives");
    }
    refused(
        "rule r { events: $a.metadata.id = $x $b.metadata.id = $x match: $x over 5m condition: $a and not $b }",
        "E1101",
        "`not` does not stand before events",
    );
    refused(
        &simple("$e.metadata.id = $e.udm.metadata.id and $e.graph.metadata.entity_type = \"USER\""),
        "E1101",
        "of `graph`",
    );
    refused(&simple("any $e.metadata.id = \"x\""), "E1101", "only before repeated fields");
    refused(&simple("$e.metadata.id[0] = \"x\""), "E1103", "repeated field");
    refused(&simple("$e.metadata.id[\"k\"] = \"x\""), "E1103", "labels");
    refused(&simple("re.regex($e.metadata.id, `(?=x)`)"), "E1105", "not valid");
    refused(&simple("re.capture($e.metadata.id, `(a)(b)`) = \"a\""), "E1101", "more than one group");
    refused(&simple("strings.to_lower($e.metadata.id, 2) = \"a\""), "E1101", "2 arguments");
    refused(&simple("$e.metadata.id != \"\" 1 = 2"), "E1101", "speaks of no event");
    refused(
        "rule r { setup: graph_exclude($g.graph.entity.hostname = \"x\") events: $e.metadata.id = \"x\" condition: $e }",
        "E1106",
        "`setup`",
    );
}

#[test]
fn what_the_ir_lacks_is_opaque() {
    for (predicate, text) in [
        ("strings.extract_domain($e.target.url) = \"x\"", "strings.extract_domain($e.target.url)"),
        ("unheard.of($e.target.url) = \"x\"", "unheard.of($e.target.url)"),
        ("re.regex($e.target.url, $e.metadata.id)", "re.regex($e.target.url, $e.metadata.id)"),
        ("$e.target.url = %t.c", "$e.target.url = %t.c"),
    ] {
        let query = lifted(&simple(predicate)).rule.query;
        assert_eq!(query.opaque_count(), 1, "{predicate}");
        assert!(ruleferry_ir::text(&query).contains(text), "{}", ruleferry_ir::text(&query));
    }
}

#[test]
fn nearly_right_names_are_told() {
    let warnings =
        lifted(&simple("$e.principal.hostnme = \"x\" $e.metadata.event_type = \"USER_LOGN\"")).warnings;
    assert_eq!(warnings.len(), 2);
    assert!(warnings[0].help.as_deref().unwrap().contains("hostname"));
    assert!(warnings[1].help.as_deref().unwrap().contains("USER_LOGIN"));
}

#[test]
fn hostile_texts_stay_texts() {
    for hostile in
        ["' OR 1=1 --", "`); drop table UDM", "\u{202e}\u{2028}", "\\", "a\"b'c`d", "%_[]*?", "🦀\u{0}"]
    {
        let mut quoted = String::new();
        ruleferry_yaral::syntax::literal::write_quoted(&mut quoted, hostile);
        let text = simple(&format!("$e.principal.hostname = {quoted} $e.additional.fields[{quoted}] = \"\""));
        let event = ruleferry_ir::Json::Object(
            [(
                "principal".into(),
                ruleferry_ir::Json::Object(
                    [("hostname".into(), ruleferry_ir::Json::String(hostile.into()))].into_iter().collect(),
                ),
            )]
            .into_iter()
            .collect(),
        );
        let event = ruleferry_eval::json_text(&event).to_string();
        assert_eq!(super::found(&text, &["principal.hostname"], &event), [hostile]);
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let sum = vec!["$e.target.port"; 5_000].join(" + ");
    refused(&simple(&format!("1 < {sum}")), "E1101", "terms");
    let fields: String = (0..5_000).map(|i| format!("$e.target.labels[\"k{i}\"] = \"x\"\n")).collect();
    refused(&simple(&fields), "E1101", "repeated fields");
    let quantified = "any $e.principal.ip = \"x\"\n".repeat(5_000);
    refused(&simple(&quantified), "E1101", "repeated fields");
    let many: String = (0..3_000).map(|i| format!("$e{i}.metadata.id = $x\n")).collect();
    refused(
        &format!("rule r {{ events: {many} match: $x over 5m condition: $e1 }}"),
        "E1101",
        "event variables",
    );
    // Many plain fields are no trouble.
    let fields: String = (0..20_000)
        .map(|i| format!("$e.additional.fields[\"k{i}\"] = \"x\" or $e.principal.unknown{i} = \"y\"\n"))
        .collect();
    assert_eq!(lifted(&simple(&fields)).rule.query.opaque_count(), 0);
}
