//! Implications of the size of Sigma rules: `cargo bench -p ruleferry-prove`.
#![allow(clippy::unwrap_used, reason = "a benchmark")]

use divan::{Bencher, black_box};
use ruleferry_ir::{GlobPart, Type};
use ruleferry_prove::Arena;
use ruleferry_prove::formula::{Atom, Folding, FormulaId, Language};
use ruleferry_prove::solve::{Answer, Budget, Solver};
use ruleferry_prove::term::{Term, TermId};

fn main() {
    divan::main();
}

fn column(arena: &mut Arena, name: &str) -> TermId {
    arena.term(Term::Column { name: name.into(), ty: Type::String })
}

fn ends(arena: &mut Arena, term: TermId, needle: &str) -> FormulaId {
    arena.atom(Atom::Text(term, Language::EndsWith(needle.into(), Folding::Simple)))
}

fn contains(arena: &mut Arena, term: TermId, needle: &str) -> FormulaId {
    arena.atom(Atom::Text(term, Language::Contains(needle.into(), Folding::Simple)))
}

fn regex(arena: &mut Arena, term: TermId, pattern: &str) -> FormulaId {
    arena.atom(Atom::Text(term, Language::Regex(pattern.into(), Folding::Exact)))
}

const TOOLS: [&str; 8] = [
    "\\cmd.exe",
    "\\powershell.exe",
    "\\pwsh.exe",
    "\\wscript.exe",
    "\\cscript.exe",
    "\\mshta.exe",
    "\\rundll32.exe",
    "\\certutil.exe",
];
const WORDS: [&str; 10] = [
    " -enc ",
    "downloadstring",
    "frombase64",
    "-urlcache",
    "invoke-expression",
    "vssadmin",
    "shadowcopy",
    "\\temp\\",
    "http://",
    "https://",
];

/// `(image and words and not filter)`: a selection of two lists and a filter, the words as given.
fn rule(arena: &mut Arena, word: impl Fn(&mut Arena, TermId, &str) -> FormulaId, skip: usize) -> FormulaId {
    let (image, line, parent) =
        (column(arena, "Image"), column(arena, "CommandLine"), column(arena, "ParentImage"));
    let tools: Vec<_> = TOOLS.iter().map(|t| ends(arena, image, t)).collect();
    let words: Vec<_> = WORDS.iter().skip(skip).map(|w| word(arena, line, w)).collect();
    let filter = [ends(arena, parent, "\\explorer.exe"), contains(arena, line, "ccmexec")];
    let (tools, words, filter) = (arena.or(tools), arena.or(words), arena.and(filter));
    let filter = arena.not(filter);
    arena.and([tools, words, filter])
}

fn both_ways(arena: &mut Arena, a: FormulaId, b: FormulaId) -> [Answer; 2] {
    let mut solver = Solver::new(true);
    let mut budget = Budget::new(100_000_000, None);
    [solver.implies(arena, a, b, &mut budget), solver.implies(arena, b, a, &mut budget)]
}

fn glob(arena: &mut Arena, term: TermId, needle: &str) -> FormulaId {
    let parts = [GlobPart::Many, GlobPart::Text(needle.into()), GlobPart::Many];
    arena.atom(Atom::Text(term, Language::Glob(parts.into(), Folding::Simple)))
}

/// Lists against patterns of globs.
#[divan::bench]
fn same_in_other_words(bencher: Bencher<'_, '_>) {
    let mut arena = Arena::default();
    let (a, b) = (rule(&mut arena, contains, 0), rule(&mut arena, glob, 0));
    assert!(both_ways(&mut arena, a, b).iter().all(|x| matches!(x, Answer::Unsatisfiable(_))));
    bencher.bench_local(|| both_ways(black_box(&mut arena), a, b));
}

/// A word was dropped: one way proved, a model for the other.
#[divan::bench]
fn a_word_less(bencher: Bencher<'_, '_>) {
    let mut arena = Arena::default();
    let (a, b) = (rule(&mut arena, contains, 0), rule(&mut arena, contains, 1));
    bencher.bench_local(|| both_ways(black_box(&mut arena), a, b));
}

/// A list of words against one pattern: automata.
#[divan::bench]
fn words_and_a_pattern(bencher: Bencher<'_, '_>) {
    let mut arena = Arena::default();
    let line = column(&mut arena, "CommandLine");
    let words: Vec<_> = ["invoke-mimikatz", "procdump", "comsvcs.dll"]
        .iter()
        .map(|w| arena.atom(Atom::Text(line, Language::Contains((*w).into(), Folding::Exact))))
        .collect();
    let a = arena.or(words);
    let b = regex(&mut arena, line, r"invoke-mimikatz|(proc|mini)dump|comsvcs\.dll");
    assert!(matches!(both_ways(&mut arena, a, b)[..], [Answer::Unsatisfiable(_), Answer::Satisfiable(_)]));
    bencher.bench_local(|| both_ways(black_box(&mut arena), a, b));
}

/// Thousands of values, every one longer than one of the others.
#[divan::bench(args = [300, 3000], sample_count = 10)]
fn long_lists(bencher: Bencher<'_, '_>, count: usize) {
    let mut arena = Arena::default();
    let line = column(&mut arena, "CommandLine");
    let short: Vec<_> =
        (0..count).map(|i| contains(&mut arena, line, &format!("evil-{i}.example"))).collect();
    let long: Vec<_> =
        (0..count).map(|i| contains(&mut arena, line, &format!("https://evil-{i}.example/"))).collect();
    let (a, b) = (arena.or(short), arena.or(long));
    bencher.bench_local(|| both_ways(black_box(&mut arena), a, b));
}
