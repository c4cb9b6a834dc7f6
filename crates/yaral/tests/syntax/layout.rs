//! The printed layout, and comments in it.

use ruleferry_yaral::syntax::{parse, print_with_comments};

#[track_caller]
fn prints(text: &str, expected: &str) {
    let parsed = parse(text);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let printed = print_with_comments(&parsed.file, &parsed.comments);
    assert_eq!(printed, expected);
    let again = parse(&printed);
    assert_eq!(again.file, parsed.file);
    assert_eq!(print_with_comments(&again.file, &again.comments), printed);
}

#[test]
fn comments_stay() {
    prints(
        "/*\n * Ours\n */\n\n rule a { // why\n // about meta\n meta:\n  author=\"x\" // who\n\n  // what\n  severity = \"Low\"\n events:\n   /* one */ $e.a = 1\n   // two\n   ( $e.b = 1 or // first\n  $e.b = 2 ) // last\n condition: $e\n // end\n}\n// after\n",
        "/*\n * Ours\n */\n\nrule a { // why\n  // about meta\n  meta:\n    author = \"x\" // who\n\n    // what\n    severity = \"Low\"\n\n  events:\n    /* one */\n    $e.a = 1\n    // two\n    (\n      $e.b = 1 or // first\n      $e.b = 2\n    ) // last\n\n  condition:\n    $e\n  // end\n}\n// after\n",
    );
}

#[test]
fn long_lines_are_broken() {
    prints(
        "rule a { events: $e.metadata.event_type = \"USER_LOGIN\" ($e.principal.user.userid = \"aaaaaaaaaaaaaaaaaaaaaa\" or $e.principal.user.userid = \"bbbbbbbbbbbbbbbbbbbbbbbbb\" and not re.regex($e.target.url, `x`) nocase) outcome: $risk_score = max(35 + if($e.principal.ip_geo_artifact.location.country_or_region = \"Nowhere\", 40) + if($e.network.sent_bytes > 0, 10)) condition: $e }",
        "rule a {\n  events:\n    $e.metadata.event_type = \"USER_LOGIN\"\n    (\n      $e.principal.user.userid = \"aaaaaaaaaaaaaaaaaaaaaa\" or\n      $e.principal.user.userid = \"bbbbbbbbbbbbbbbbbbbbbbbbb\" and\n      not re.regex($e.target.url, `x`) nocase\n    )\n\n  outcome:\n    $risk_score = max(\n      35 +\n      if($e.principal.ip_geo_artifact.location.country_or_region = \"Nowhere\", 40) +\n      if($e.network.sent_bytes > 0, 10)\n    )\n\n  condition:\n    $e\n}\n",
    );
}
