//! Answers against rows: what is proved impossible no row meets, and a model is a row that meets the formula.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::string_slice,
    reason = "tests"
)]

use super::testing::{cases, language};
use super::*;
use crate::formula::{Atom, Folding, Language};
use crate::term::Term;
use proptest::prelude::*;
use ruleferry_ir::{CompareOp, Type};

const TYPES: [Type; 8] = [
    Type::String,
    Type::String,
    Type::Long,
    Type::Real,
    Type::Datetime,
    Type::Bool,
    Type::Decimal,
    Type::Dynamic,
];

/// A formula before it is in an arena.
#[derive(Clone, Debug)]
enum Tree {
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Not(Box<Tree>),
    Missing(usize),
    Text(usize, Language),
    Value(usize, CompareOp, Constant),
    Pair(CompareOp, usize, usize),
    True,
}

fn columns(arena: &mut Arena) -> Vec<TermId> {
    let column = |(i, ty): (usize, &Type)| Term::Column { name: format!("c{i}").into(), ty: *ty };
    TYPES.iter().enumerate().map(column).map(|c| arena.term(c)).collect()
}

fn build(tree: &Tree, arena: &mut Arena, columns: &[TermId]) -> FormulaId {
    match tree {
        Tree::And(parts) => {
            let parts: Vec<_> = parts.iter().map(|p| build(p, arena, columns)).collect();
            arena.and(parts)
        }
        Tree::Or(parts) => {
            let parts: Vec<_> = parts.iter().map(|p| build(p, arena, columns)).collect();
            arena.or(parts)
        }
        Tree::Not(inner) => {
            let inner = build(inner, arena, columns);
            arena.not(inner)
        }
        Tree::Missing(c) => arena.atom(Atom::Missing(columns[*c])),
        Tree::Text(c, language) => arena.atom(Atom::Text(columns[*c], language.clone())),
        Tree::Value(c, op, constant) => arena.atom(Atom::Value(columns[*c], *op, constant.clone())),
        Tree::Pair(op, a, b) => {
            let (mut a, mut b) = (columns[*a], columns[*b]);
            if *op == CompareOp::Eq && b < a {
                (a, b) = (b, a);
            }
            arena.atom(Atom::Pair(*op, a, b))
        }
        Tree::True => arena.atom(Atom::True(columns[5])),
    }
}

fn real(x: f64) -> Constant {
    Constant::Real((x + 0.0).to_bits())
}

fn constants(ty: Type) -> Vec<Constant> {
    let big = 9_007_199_254_740_993;
    match ty {
        Type::String => ["", "a", "A", "b", "ab"].map(|s| Constant::String(s.into())).to_vec(),
        Type::Long | Type::Int => vec![
            Constant::Long(0),
            Constant::Long(1),
            Constant::Long(2),
            Constant::Long(big),
            Constant::Long(i64::MAX),
            Constant::Long(i64::MIN),
            real(0.5),
            real(1.0),
            real(9_007_199_254_740_992.0),
            real(f64::NAN),
            real(f64::INFINITY),
        ],
        Type::Real => vec![
            real(0.0),
            real(0.5),
            real(1.0),
            real(f64::INFINITY),
            real(f64::NEG_INFINITY),
            real(f64::NAN),
            Constant::Long(0),
            Constant::Long(1),
            Constant::Long(big),
        ],
        Type::Decimal => {
            vec![
                Constant::Decimal("0.5".into()),
                Constant::Decimal("1".into()),
                Constant::Long(0),
                Constant::Long(1),
                real(0.5),
            ]
        }
        Type::Datetime => {
            vec![Constant::Datetime(0), Constant::Datetime(10), Constant::Datetime(11), Constant::Long(3)]
        }
        Type::Timespan => vec![Constant::Timespan(1)],
        Type::Bool => vec![Constant::Bool(true), Constant::Bool(false)],
        Type::Guid => vec![Constant::Guid("00000000-0000-0000-0000-000000000000".into())],
        Type::Dynamic | Type::Unknown => {
            let mut all = constants(Type::Long);
            all.extend(constants(Type::String));
            all.extend(constants(Type::Bool));
            all.extend([Constant::Datetime(10), Constant::Timespan(10), Constant::Dynamic("[1]".into())]);
            all
        }
    }
}

/// Values that a column may have.
fn values(ty: Type) -> Vec<Constant> {
    let mut all = constants(ty);
    match ty {
        Type::String => {
            all = super::testing::texts()
                .into_iter()
                .chain(super::testing::plain_texts(3))
                .map(|t| Constant::String(t.into()))
                .collect();
        }
        Type::Long => {
            all.retain(|c| matches!(c, Constant::Long(_)));
            all.extend([
                Constant::Long(-1),
                Constant::Long(9_007_199_254_740_992),
                Constant::Long(9_007_199_254_740_994),
            ]);
        }
        Type::Real => {
            all.retain(|c| matches!(c, Constant::Real(_)));
            all.extend([real(0.25), real(-1.0), real(9_007_199_254_740_992.0)]);
        }
        Type::Decimal => {
            all.retain(|c| matches!(c, Constant::Decimal(_)));
            all.extend(["0", "-1", "0.75", "2"].map(|d| Constant::Decimal(d.into())));
        }
        Type::Datetime => {
            all.retain(|c| matches!(c, Constant::Datetime(_)));
            all.push(Constant::Datetime(5));
        }
        Type::Dynamic => all.extend(["a1", "é", "10.0.0.1"].map(|s| Constant::String(s.into()))),
        Type::Bool | Type::Int | Type::Timespan | Type::Guid | Type::Unknown => {}
    }
    all
}

fn tree() -> impl Strategy<Value = Tree> {
    let ops = prop::sample::select(
        &[CompareOp::Eq, CompareOp::Lt, CompareOp::Le, CompareOp::Gt, CompareOp::Ge][..],
    );
    let leaf = prop_oneof![
        1 => (0..TYPES.len()).prop_map(Tree::Missing),
        5 => (prop::sample::select(&[0usize, 0, 1, 7][..]), language()).prop_map(|(c, l)| Tree::Text(c, l)),
        6 => (0..TYPES.len(), ops, any::<prop::sample::Index>()).prop_map(|(c, op, i)| {
            let all = constants(TYPES[c]);
            Tree::Value(c, op, all[i.index(all.len())].clone())
        }),
        1 => Just(Tree::True),
        3 => (
            prop::sample::select(&[CompareOp::Eq, CompareOp::Lt, CompareOp::Le][..]),
            prop::sample::select(&[(2usize, 3usize), (3, 2)][..])
        )
            .prop_map(|(op, (a, b))| Tree::Pair(op, a, b)),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 2..6).prop_map(Tree::And),
            2 => prop::collection::vec(inner.clone(), 2..4).prop_map(Tree::Or),
            2 => inner.prop_map(|t| Tree::Not(Box::new(t))),
        ]
    })
}

fn names_dynamic(tree: &Tree) -> bool {
    match tree {
        Tree::And(parts) | Tree::Or(parts) => parts.iter().any(names_dynamic),
        Tree::Not(inner) => names_dynamic(inner),
        Tree::Missing(c) | Tree::Text(c, _) | Tree::Value(c, ..) => *c == 7,
        Tree::True | Tree::Pair(..) => false,
    }
}

/// Parts that are not decided exactly.
fn has_gaps(tree: &Tree) -> bool {
    match tree {
        Tree::And(parts) | Tree::Or(parts) => parts.iter().any(has_gaps),
        Tree::Not(inner) => has_gaps(inner),
        Tree::Text(_, language) => matches!(language, Language::Cidr(_)),
        Tree::Value(c, _, constant) => TYPES[*c] == Type::Decimal && matches!(constant, Constant::Real(_)),
        // Two values are taken as independent of each other.
        Tree::Pair(..) => true,
        Tree::Missing(_) | Tree::True => false,
    }
}

fn agrees(tree: &Tree, empty_is_absent: bool, seed: u64) {
    let mut arena = Arena::default();
    let terms = columns(&mut arena);
    let formula = build(tree, &mut arena, &terms);
    let mut solver = Solver::new(empty_is_absent);
    let mut budget = Budget::new(50_000_000, None);
    match solver.satisfiable(&arena, formula, &mut budget) {
        Answer::Unsatisfiable(_) => {
            let all: Vec<Vec<Constant>> = TYPES.iter().map(|ty| values(*ty)).collect();
            let mut state = seed;
            let mut random = |below: usize| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as usize % below
            };
            for _ in 0..400 {
                let mut model = Model::default();
                for (term, values) in terms.iter().zip(&all) {
                    let pick = random(values.len() + values.len() / 6 + 1);
                    let value = values.get(pick).cloned();
                    let value = value.filter(|v| !empty_is_absent || *v != Constant::String("".into()));
                    model.values.insert(*term, value);
                }
                assert_ne!(eval::formula(&arena, formula, &model), Some(true), "{tree:?}\n{model:?}");
            }
        }
        Answer::Satisfiable(mut model) => {
            // A term that the model does not name may have any value.
            for (term, ty) in terms.iter().zip(TYPES) {
                model.values.entry(*term).or_insert_with(|| values(ty).pop());
            }
            if names_dynamic(tree) || has_gaps(tree) {
                return;
            }
            assert_eq!(eval::formula(&arena, formula, &model), Some(true), "{tree:?}\n{model:?}");
            if empty_is_absent {
                assert!(!model.values.values().any(|v| *v == Some(Constant::String("".into()))), "{model:?}");
            }
        }
        Answer::Unknown(reason) => assert!(has_gaps(tree), "{reason}: {tree:?}"),
    }
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn answers_agree_with_rows(tree in tree(), empty_is_absent in any::<bool>(), seed in any::<u64>()) {
        agrees(&tree, empty_is_absent, seed);
    }

    /// A conjunction of many tests is mostly impossible.
    #[test]
    fn impossible_ones_have_no_row(
        trees in prop::collection::vec(tree(), 3..7),
        empty_is_absent in any::<bool>(),
        seed in any::<u64>(),
    ) {
        agrees(&Tree::And(trees), empty_is_absent, seed);
    }

    #[test]
    fn what_is_written_otherwise_is_implied(tree in tree(), other in tree()) {
        let mut arena = Arena::default();
        let terms = columns(&mut arena);
        let a = build(&tree, &mut arena, &terms);
        let b = build(&other, &mut arena, &terms);
        let both = arena.and([a, b]);
        let either = arena.or([a, b]);
        let mut solver = Solver::new(false);
        let mut budget = Budget::new(50_000_000, None);
        for (from, to) in [(both, a), (both, b), (a, either), (both, either), (a, a)] {
            let answer = solver.implies(&mut arena, from, to, &mut budget);
            assert!(matches!(answer, Answer::Unsatisfiable(_)), "{tree:?} {other:?}: {answer:?}");
        }
    }
}

fn contains(needle: &str) -> Language {
    Language::Contains(needle.into(), Folding::Simple)
}

#[test]
fn lists_and_patterns_of_one_rule() {
    let mut arena = Arena::default();
    let terms = columns(&mut arena);
    let list: Vec<_> = ["mimikatz", "sekurlsa", "lsadump"]
        .iter()
        .map(|n| arena.atom(Atom::Text(terms[0], contains(n))))
        .collect();
    let a = arena.or(list);
    let b = arena.atom(Atom::Text(
        terms[0],
        Language::Regex(
            "[mM][iI\u{130}]m[^x]?ikatz|sekurlsa|LSADUMP|lsadump|mimikatz".into(),
            Folding::Exact,
        ),
    ));
    let mut budget = Budget::new(50_000_000, None);
    let mut solver = Solver::new(false);
    // Other cases are in the list and not in the pattern.
    assert!(matches!(solver.implies(&mut arena, a, b, &mut budget), Answer::Satisfiable(_)));
    assert!(matches!(solver.implies(&mut arena, b, a, &mut budget), Answer::Satisfiable(_)));
    let c = arena
        .atom(Atom::Text(terms[0], Language::Regex("sekurlsa|lsadump+|mimikatz".into(), Folding::Lower)));
    assert_eq!(solver.implies(&mut arena, a, c, &mut budget), Answer::Unsatisfiable(Proof::Automaton));
    assert_eq!(solver.implies(&mut arena, c, a, &mut budget), Answer::Unsatisfiable(Proof::Automaton));
}

#[test]
fn models_differ_and_cover() {
    let mut arena = Arena::default();
    let terms = columns(&mut arena);
    let atoms: Vec<_> =
        ["a1", "b2", "c3"].iter().map(|n| arena.atom(Atom::Text(terms[0], contains(n)))).collect();
    let formula = arena.or(atoms.clone());
    let mut solver = Solver::new(true);
    let mut budget = Budget::new(1_000_000, None);
    let models = solver.models(&arena, formula, 10, &mut budget);
    assert!(models.len() >= 3, "{models:?}");
    let covering = solver.covering(&arena, formula, &mut budget);
    assert_eq!(covering.len(), 6);
    for (literal, holds, model) in covering {
        assert_eq!(eval::formula(&arena, formula, &model), Some(true));
        assert_eq!(eval::formula(&arena, literal, &model), Some(holds));
    }
}

#[test]
fn large_rules_end() {
    let mut arena = Arena::default();
    let terms = columns(&mut arena);
    // Thousands of values, one of them dropped; hundreds of fields' predicates.
    let all: Vec<_> =
        (0..3000).map(|i| arena.atom(Atom::Text(terms[0], contains(&format!("evil-{i}-domain"))))).collect();
    let a = arena.or(all.clone());
    let b = arena.or(all[1..].to_vec());
    let mut solver = Solver::new(true);
    let mut budget = Budget::new(20_000_000, None);
    assert!(matches!(solver.implies(&mut arena, b, a, &mut budget), Answer::Unsatisfiable(_)));
    assert!(matches!(solver.implies(&mut arena, a, b, &mut budget), Answer::Satisfiable(_)));
    // Each longer than one of the others.
    let longer: Vec<_> = (0..600)
        .map(|i| arena.atom(Atom::Text(terms[0], contains(&format!("x.evil-{i}-domain.org")))))
        .collect();
    let longer = arena.or(longer);
    assert!(matches!(solver.implies(&mut arena, longer, a, &mut budget), Answer::Unsatisfiable(_)));
    assert!(matches!(solver.implies(&mut arena, a, longer, &mut budget), Answer::Satisfiable(_)));
    assert!(budget.steps > 0);
}
