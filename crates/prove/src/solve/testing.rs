//! What the tests of the solver share: languages and texts at random, and the evaluator's answer.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::string_slice,
    reason = "tests"
)]

use crate::formula::{Folding, Language};
use proptest::prelude::*;
use ruleferry_diag::Span;
use ruleferry_eval::{MemoryTables, Options, evaluate, text::fold};
use ruleferry_ir as ir;
use smol_str::SmolStr;

/// So many cases, or as many as `PROPTEST_CASES` says.
pub(crate) fn cases(usual: u32) -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() {
        config
    } else {
        ProptestConfig { cases: usual, ..config }
    }
}

const CHARS: [char; 24] = [
    'a', 'A', 'b', 'k', 'K', '\u{212A}', 's', 'S', 'ſ', 'i', 'İ', 'ı', 'ß', 'é', 'É', 'σ', 'ς', 'Σ', '1',
    ' ', '\n', '-', '_', '😀',
];

/// A few characters, so that texts and needles meet.
pub(crate) fn text(most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&CHARS[..]), 0..=most)
        .prop_map(|chars| chars.into_iter().collect())
}

fn plain_text(most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&['a', 'A', 'b', '1', ' '][..]), 0..=most)
        .prop_map(|chars| chars.into_iter().collect())
}

fn needle() -> impl Strategy<Value = String> {
    prop_oneof![plain_text(3), text(2), Just("10.0.0.1".to_owned())]
}

pub(crate) fn folding() -> impl Strategy<Value = Folding> {
    prop::sample::select(&[Folding::Exact, Folding::Simple, Folding::Lower][..])
}

const PATTERNS: [&str; 34] = [
    "a",
    "a+b?",
    "^a",
    "b$",
    "^ab$",
    "(?i)ak",
    "[^a]",
    ".",
    "(?s).",
    r"\ba\b",
    r"\Ba",
    r"\w1",
    r"\d",
    r"\s+a",
    "a|b1",
    "(?m)^a$",
    "k",
    "s",
    "^$",
    "",
    "a{2}",
    "(a|b)*1",
    r"^[a-b]+",
    r"(?-u:\b)a",
    "ı",
    "[[:alpha:]]1",
    "(?i)σ",
    r"\p{Lu}",
    "a{0,2}b",
    r"^.*a",
    r"(?s)^.*a$",
    r"(?R)(?m)a$",
    r"\Qa.\E",
    "a{,2}",
];

pub(crate) fn language() -> impl Strategy<Value = Language> {
    let parts = prop::collection::vec(
        prop_oneof![
            needle().prop_map(|t| ir::GlobPart::Text(t.into())),
            Just(ir::GlobPart::Many),
            Just(ir::GlobPart::One)
        ],
        0..4,
    );
    prop_oneof![
        8 => (0..7usize, needle(), folding()).prop_map(|(kind, needle, folding)| {
            let needle: SmolStr =
                if folding == Folding::Exact { needle.into() } else { fold(&needle).into() };
            match kind {
                0 => Language::Equals(needle, folding),
                1 => Language::Contains(needle, folding),
                2 => Language::StartsWith(needle, folding),
                3 => Language::EndsWith(needle, folding),
                4 => Language::Term(needle, folding),
                5 => Language::TermPrefix(needle, folding),
                _ => Language::TermSuffix(needle, folding),
            }
        }),
        2 => (parts, folding()).prop_map(|(parts, folding)| {
            let part = |p: ir::GlobPart| match p {
                ir::GlobPart::Text(t) if folding != Folding::Exact => ir::GlobPart::Text(fold(&t).into()),
                other => other,
            };
            Language::Glob(parts.into_iter().map(part).collect(), folding)
        }),
        3 => (prop::sample::select(&PATTERNS[..]), folding())
            .prop_map(|(pattern, folding)| Language::Regex(pattern.into(), folding)),
        1 => prop::sample::select(&["10.0.0.0/8", "10.0.0.0/31", "10.0.0.1", "0.0.0.0/0", "::ffff:10.0.0.0/104", "::/0", "x"][..])
            .prop_map(|range| Language::Cidr(range.into())),
    ]
}

/// Texts that are tried against everything.
pub(crate) fn texts() -> Vec<String> {
    let mut all = vec![String::new()];
    for a in CHARS {
        all.push(a.to_string());
        for b in CHARS {
            all.push(format!("{a}{b}"));
        }
    }
    all.extend(
        ["10.0.0.1", "10.0.0.2", "10.1.0.0", "::ffff:10.0.0.1", "::1", "a10.0.0.1", "ab ab", "1a1 a"]
            .map(str::to_owned),
    );
    all
}

/// All texts of few plain characters up to a length.
pub(crate) fn plain_texts(most: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut from = 0;
    for _ in 0..most {
        let to = all.len();
        for i in from..to {
            for c in ['a', 'A', 'b', '1', ' '] {
                all.push(format!("{}{c}", all[i]));
            }
        }
        from = to;
    }
    all
}

/// Whether texts are in a language: as the evaluator runs the match.
pub(crate) fn oracle(language: &Language, subjects: &[String]) -> Vec<bool> {
    use ir::MatchKind as Kind;
    let (kind, value, folding) = match language {
        Language::Equals(n, f) => (Kind::Equals, Ok(n), *f),
        Language::Contains(n, f) => (Kind::Contains, Ok(n), *f),
        Language::StartsWith(n, f) => (Kind::StartsWith, Ok(n), *f),
        Language::EndsWith(n, f) => (Kind::EndsWith, Ok(n), *f),
        Language::Term(n, f) => (Kind::Term, Ok(n), *f),
        Language::TermPrefix(n, f) => (Kind::TermPrefix, Ok(n), *f),
        Language::TermSuffix(n, f) => (Kind::TermSuffix, Ok(n), *f),
        Language::Regex(n, f) => (Kind::Regex, Ok(n), *f),
        Language::Glob(parts, f) => (Kind::Glob, Err(parts), *f),
        Language::Cidr(range) => (Kind::Cidr, Ok(range), Folding::Exact),
    };
    let case = if folding == Folding::Simple { ir::Case::Insensitive } else { ir::Case::Sensitive };
    let span = Span::default();
    let lower = ir::functions::find("tolower", ir::functions::FunctionKind::Scalar).expect("tolower");
    let cell = |subject: &String| {
        let mut subject = ir::Expr::string(subject.as_str(), span);
        if folding == Folding::Lower {
            subject = ir::Expr::new(ir::ExprKind::Call(lower, vec![subject]), ir::Type::String, span);
        }
        let value = match value {
            Ok(needle) => ir::MatchValue::Expr(ir::Expr::string(needle.clone(), span)),
            Err(parts) => ir::MatchValue::Glob(parts.to_vec()),
        };
        ir::Expr::matches(
            ir::StringMatch {
                subject: ir::Subject::Expr(subject),
                kind,
                case,
                values: ir::MatchValues::List(vec![value]),
                quantifier: ir::Quantifier::Any,
                missing: ir::Missing::Null,
            },
            span,
        )
    };
    let mut columns = ir::Columns::default();
    let output: Vec<ir::ColId> = subjects.iter().map(|_| columns.add("c", ir::Type::Bool, span)).collect();
    let row: Vec<ir::Expr> = subjects.iter().map(cell).collect();
    let values = ir::Values { rows: vec![row], print: true };
    let plan = ir::Plan { op: Box::new(ir::Op::Values(values)), output: output.into(), span };
    let query = ir::Query { columns, bindings: Vec::new(), plan, assumptions: Vec::new() };
    let answer = evaluate(&query, &MemoryTables::default(), Options::at(0)).expect("a match that runs");
    answer.rows[0].iter().map(|v| v.as_bool().expect("true or false")).collect()
}
