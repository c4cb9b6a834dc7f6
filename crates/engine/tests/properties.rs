//! Properties of whole conversions: no text brings the pipeline down, and a rule that is not emitted is told of.
//!
//! The fuzz target `convert` holds the same over any bytes.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use proptest::prelude::*;
use ruleferry_engine::{ConvertOptions, Input, Language, MaxLoss, Status, convert_text, targets};
use std::path::Path;

/// Pieces of queries, most of which fit together: what a random text seldom gets past the parser.
const KQL: &[&str] = &[
    "SigninLogs",
    "T",
    "let x = 5;\n",
    "let t = T | take 1;\n",
    "union T, U",
    " | where ",
    "a",
    " == ",
    "'b'",
    " has ",
    " and ",
    " or ",
    "not(",
    ")",
    "(",
    "isempty(a)",
    "x",
    "1d",
    " > ago(1d)",
    "TimeGenerated",
    " | extend b = ",
    " | project ",
    "a, b",
    " | summarize count()",
    " by a",
    ", bin(TimeGenerated, 1h)",
    " | join kind=inner (T) on a",
    " | mv-expand c",
    " | parse a with * 'x' y:long",
    " | sort by a desc",
    " | take 3",
    "dynamic([1, 'a'])",
    ".c[0]",
    " in ('a', 'b')",
    "!in~ (t)",
    " matches regex '(?i)a.b'",
    "datetime(2024-01-01)",
    "-1",
    " / 0",
    " | make-series n = count() on TimeGenerated step 1h",
    " | evaluate bag_unpack(c)",
    "materialize(T)",
    " | distinct *",
    "arg_max(TimeGenerated, *)",
    ";",
    "\n",
    "tostring(",
    "iff(a, 1, ",
    "*",
    "~~",
    "\u{0}",
    "é",
    "\"",
];

const SIGMA: &[&str] = &[
    "title: T\n",
    "logsource:\n    product: windows\n    category: process_creation\n",
    "detection:\n",
    "    sel:\n        F|contains: x\n",
    "    sel:\n        F|contains|all: [a, '*b', 'c\\']\n",
    "    f1:\n        G: null\n",
    "    f2:\n        H|re: '^a.*(b|c)$'\n",
    "    f3:\n        I|cidr: 10.0.0.0/8\n",
    "    f4:\n        J|base64offset|contains: secret\n",
    "    kw: [one, 'two*', 3]\n",
    "    f5:\n        K|gte: 5\n",
    "    f6:\n        L|exists: false\n",
    "    f7:\n        M|fieldref: N\n",
    "    f8:\n        O|expand: '%p%'\n",
    "    condition: sel\n",
    "    condition: sel and not 1 of f*\n",
    "    condition: all of them\n",
    "    condition: kw or not (sel or f2)\n",
    "    condition: sel | count() by F > 3\n",
    "    timeframe: 5m\n",
    "---\n",
    "action: global\n",
    "level: high\n",
    "tags: [attack.t1059]\n",
    "x: [",
    "'",
    "    : : :\n",
];

fn soup(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(pieces), 0..14).prop_map(|pieces| pieces.concat())
}

fn target() -> impl Strategy<Value = &'static targets::target::Target> {
    prop::sample::select(targets::target::all().iter().filter(|t| t.writes).collect::<Vec<_>>())
}

/// Each rule has either an output, or an error that says why there is none.
fn holds(from: Language, to: &'static targets::target::Target, text: String) -> Result<(), TestCaseError> {
    let options = ConvertOptions {
        from: Some(from),
        to,
        now: None,
        sigma: Default::default(),
        max_loss: MaxLoss::Any,
        require_proof: false,
        validate: true,
        executor: None,
    };
    let input = Input { path: "rule".into(), shown: "rule".into(), relative: "rule".into(), walked: false };
    let length = text.len();
    let records = convert_text(&input, text, Path::new("rule"), &options).records;
    prop_assert!(!records.is_empty(), "nothing is said of the text");
    for record in records {
        for d in &record.diagnostics {
            prop_assert!(d.span.start <= d.span.end && d.span.end as usize <= length + 1, "{:?}", d);
        }
        match record.status {
            Status::Converted | Status::Lossy | Status::Unproved => {
                prop_assert_eq!(record.files.len(), 1, "{:?}", record)
            }
            Status::Refused | Status::Invalid => {
                prop_assert!(record.files.is_empty() && !record.diagnostics.is_empty(), "{:?}", record);
            }
        }
    }
    Ok(())
}

/// Few by default; `PROPTEST_CASES=100000` for a long run.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(96)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_query_is_converted_or_refused(text in prop_oneof![4 => soup(KQL), 1 => any::<String>()], to in target()) {
        holds(Language::Kql, to, text)?;
    }

    #[test]
    fn any_rule_is_converted_or_refused(text in prop_oneof![4 => soup(SIGMA), 1 => any::<String>()], to in target()) {
        holds(Language::Sigma, to, text)?;
    }
}
