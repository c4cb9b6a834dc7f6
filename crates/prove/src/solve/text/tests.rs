//! Languages against the evaluator: the same texts are in, and what is said of several languages holds for each text.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::string_slice,
    reason = "tests"
)]

use super::*;
use crate::formula::Folding;
use crate::solve::eval::in_language;
use crate::solve::testing::{cases, language, oracle, plain_texts, text, texts};
use proptest::prelude::*;
use ruleferry_ir::GlobPart;

fn membership(language: &Language, subjects: &[String]) {
    let expected = oracle(language, subjects);
    let mut budget = Budget::new(u64::MAX, None);
    let normal = Normal::of(language);
    let mut own = Texts::default();
    for (subject, expected) in subjects.iter().zip(expected) {
        let seen = Subject::new(subject);
        match &normal {
            Normal::Always => assert!(expected, "{language:?} {subject:?}"),
            Normal::Never => assert!(!expected, "{language:?} {subject:?}"),
            Normal::Lang(lang) => {
                if let Some(direct) = lang.holds(&seen) {
                    assert_eq!(direct, expected, "{lang:?} directly on {subject:?}");
                }
                let id = own.id(lang.clone());
                if let Ok(mut automaton) = own.take(id) {
                    let found = automaton.matches(subject, &mut budget).unwrap();
                    assert_eq!(found, expected, "automaton of {lang:?} on {subject:?}");
                    own.put(id, automaton);
                }
            }
        }
        assert_eq!(in_language(language, subject), Some(expected), "{language:?} on {subject:?}");
    }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn automata_are_the_evaluator(language in language(), subjects in prop::collection::vec(text(6), 20)) {
        membership(&language, &subjects);
        membership(&language, &texts());
    }

    #[test]
    fn rules_hold_for_every_text(a in language(), b in language()) {
        let (Normal::Lang(p), Normal::Lang(q)) = (Normal::of(&a), Normal::of(&b)) else { return Ok(()) };
        let relation = rules::relation(&p, &q);
        let subjects: Vec<String> = texts().into_iter().chain(plain_texts(3)).collect();
        let (in_a, in_b) = (oracle(&a, &subjects), oracle(&b, &subjects));
        for ((subject, a), b) in subjects.iter().zip(in_a).zip(in_b) {
            match relation {
                Some(Relation::Within) => assert!(!a || b, "{p:?} in {q:?}: {subject:?}"),
                Some(Relation::Apart) => assert!(!a || !b, "{p:?} and {q:?}: {subject:?}"),
                None => {}
            }
        }
    }

    #[test]
    fn decisions_hold_for_every_text(
        tests in prop::collection::vec((language(), any::<bool>()), 1..6),
        nonempty in any::<bool>(),
    ) {
        let mut own = Texts::default();
        let mut kept = Vec::new();
        let mut ids = Vec::new();
        for (language, wanted) in tests {
            if let Normal::Lang(lang) = Normal::of(&language) {
                ids.push((own.id(lang), wanted));
                kept.push((language, wanted));
            }
        }
        let mut budget = Budget::new(100_000_000, None);
        match own.decide(&ids, nonempty, &mut budget) {
            Decided::Text(text) => {
                assert!(!nonempty || !text.is_empty());
                for (language, wanted) in &kept {
                    assert_eq!(oracle(language, std::slice::from_ref(&text)), [*wanted], "{kept:?}: {text:?}");
                }
            }
            Decided::Never(cores, _) => {
                let subjects: Vec<String> = texts().into_iter().chain(plain_texts(3)).collect();
                let answers: Vec<Vec<bool>> = kept.iter().map(|(l, _)| oracle(l, &subjects)).collect();
                assert!(!cores.is_empty());
                for core in cores {
                    for (s, subject) in subjects.iter().enumerate() {
                        let all = core.iter().all(|i| answers[*i][s] == kept[*i].1);
                        assert!(!all || (nonempty && subject.is_empty()), "{core:?} of {kept:?}: {subject:?}");
                    }
                }
            }
            Decided::Unknown(reason) => {
                let ranges = kept.iter().any(|(l, _)| matches!(l, Language::Cidr(_)));
                assert!(ranges, "{kept:?}: {reason}");
            }
        }
    }
}

fn regex(pattern: &str) -> Language {
    Language::Regex(pattern.into(), Folding::Exact)
}

fn decide(tests: &[(Language, bool)]) -> Decided {
    let mut own = Texts::default();
    let ids: Vec<Test> = tests
        .iter()
        .map(|(language, wanted)| match Normal::of(language) {
            Normal::Lang(lang) => (own.id(lang), *wanted),
            other => panic!("{language:?} is {other:?}"),
        })
        .collect();
    own.decide(&ids, false, &mut Budget::new(20_000_000, None))
}

#[test]
fn equal_patterns_are_equal() {
    for (a, b) in [
        ("ab?c", "a(b|)c"),
        ("(?i)power\\s*shell", "(?i:POWER)\\s*(?i)SHELL"),
        ("a{2,3}b", "aab|aaab"),
        (r"\bcmd\b", r"(^|\W)cmd(\W|$)"),
        (r"^[a-c]+$", r"\A(a|b|c)(a|b|c)*\z"),
        (r"(?m)^x$", r"(\A|\n)x(\n|\z)"),
        (r"\d\d", r"\p{Nd}{2}"),
    ] {
        for tests in [[(regex(a), true), (regex(b), false)], [(regex(b), true), (regex(a), false)]] {
            match decide(&tests) {
                Decided::Never(..) => {}
                other => panic!("{a} and {b}: {other:?}"),
            }
        }
    }
}

#[test]
fn differences_have_a_text() {
    for (a, b, text) in [
        (r"a.c", r"a[\s\S]c", None),
        (r"a[\s\S]c", r"a.c", Some("a\nc")),
        (r"\d", r"[0-9]", None),
        (r"(?i)s", r"[sS]", Some("ſ")),
        (r"a+b", r"aa+b", Some("ab")),
    ] {
        let found = decide(&[(regex(a), true), (regex(b), false)]);
        match (&found, text) {
            (Decided::Text(found), Some(text)) => assert_eq!(found, text, "{a} and {b}"),
            (Decided::Text(_), None) => {}
            _ => assert!(matches!(found, Decided::Never(..)) && text.is_none(), "{a} and {b}: {found:?}"),
        }
    }
}

#[test]
fn patterns_that_are_plain_texts() {
    use Lang::{Contains, Ends, Equals, Starts};
    for (pattern, lang) in [
        ("abc", Contains("abc".into(), false)),
        (".*abc.*", Contains("abc".into(), false)),
        ("^abc", Starts("abc".into(), false)),
        (r"^abc\.exe$", Equals("abc.exe".into(), false)),
        (r"(?s)^.*abc$", Ends("abc".into(), false)),
        ("(?i)^cmd", Starts("cmd".into(), true)),
        ("(?i)1.0", Lang::Regex("(?i)1.0".into(), Folding::Exact)),
        ("(?i)is", Lang::Regex("(?i)is".into(), Folding::Exact)),
    ] {
        assert_eq!(Normal::of(&regex(pattern)), Normal::Lang(lang), "{pattern}");
    }
    assert_eq!(Normal::of(&regex("a*")), Normal::Always);
    assert_eq!(Normal::of(&regex("^")), Normal::Always);
}

#[test]
fn patterns_that_are_wildcards() {
    let glob = |text: &str, folded: bool| {
        let parts = text.chars().fold(Vec::new(), |mut parts: Vec<GlobPart>, c| {
            match (parts.last_mut(), c) {
                (_, '*') => parts.push(GlobPart::Many),
                (_, '?') => parts.push(GlobPart::One),
                (Some(GlobPart::Text(t)), c) => *t = format!("{t}{c}").into(),
                (_, c) => parts.push(GlobPart::Text(c.to_string().into())),
            }
            parts
        });
        Normal::Lang(Lang::Glob(parts.into(), folded))
    };
    for (pattern, wanted) in [
        ("(?is)ab.*cd", glob("*ab*cd*", true)),
        ("(?s)^ab.*c.d$", glob("ab*c?d", false)),
        ("(?is)02..7F$", glob("*02??7f", true)),
        ("(?s)a.{2,}b", glob("*a??*b*", false)),
    ] {
        assert_eq!(Normal::of(&regex(pattern)), wanted, "{pattern}");
    }
    // `s` is one of the letters that fold in two ways.
    let odd = regex("(?is)s.*x");
    assert!(matches!(Normal::of(&odd), Normal::Lang(Lang::Regex(..))));
    assert_eq!(Normal::without_odd_letters(&odd), (glob("*s*x*", true), true));
    assert!(!Normal::without_odd_letters(&regex("(?is)ab.*cd")).1);
    for other in ["a.*b", "(?s)a.?b", "(?s)a.{1,2}b", "(?s)a[bc].*d", "(?s)a|b.*c"] {
        assert!(matches!(Normal::of(&regex(other)), Normal::Lang(Lang::Regex(..))), "{other}");
    }
}

#[test]
fn hostile_patterns_end() {
    let nested = format!("{}a{}", "(".repeat(200), ")*".repeat(200));
    let classes = r"\w{40}\d{60}".repeat(3);
    for pattern in [
        "a{1000}{1000}",
        r"(\w{500}){100}",
        "(a|aa)*{50}$",
        "(a*)*b",
        "(x+x+)+y",
        &nested,
        &classes,
        "(){900000000}a",
    ] {
        let other = Language::Contains("zz".into(), Folding::Exact);
        let answer = decide(&[(regex(pattern), true), (other, true)]);
        if let Decided::Text(text) = answer {
            assert!(text.contains("zz"));
        }
    }
    // Needs as many states as there are subsets.
    let answer = decide(&[(regex("[ab]*a[ab]{30}c"), true), (regex("[ab]*a[ab]{29}bc"), false)]);
    assert!(!matches!(answer, Decided::Never(..)), "{answer:?}");
}

#[test]
fn many_values_are_a_matter_of_needles() {
    let many: Vec<(Language, bool)> = (0..3000)
        .map(|i| (Language::Contains(format!("value{i}x").into(), Folding::Simple), false))
        .chain([(Language::EndsWith("\\cmd.exe".into(), Folding::Simple), true)])
        .collect();
    assert!(matches!(decide(&many), Decided::Text(_)));
    let mut against = many;
    against.push((Language::Equals("c:\\value7x\\cmd.exe".into(), Folding::Simple), true));
    match decide(&against) {
        Decided::Never(cores, false) => assert!(cores.contains(&vec![3001, 7]), "{cores:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn address_ranges_are_numbers() {
    let cidr = |range: &str| Language::Cidr(range.into());
    match decide(&[(cidr("10.0.0.0/30"), true), (cidr("10.0.0.0/31"), false), (cidr("10.0.0.2/31"), false)]) {
        Decided::Never(cores, _) => assert_eq!(cores.iter().map(Vec::len).collect::<Vec<_>>(), [3]),
        other => panic!("{other:?}"),
    }
    match decide(&[(cidr("10.0.0.0/30"), true), (cidr("10.0.0.0/31"), false), (cidr("10.0.0.2/32"), false)]) {
        Decided::Text(text) => assert_eq!(text, "10.0.0.3"),
        other => panic!("{other:?}"),
    }
    let starts = Language::StartsWith("10.".into(), Folding::Exact);
    assert!(matches!(decide(&[(cidr("10.0.0.0/8"), true), (starts, false)]), Decided::Text(_)));
}
