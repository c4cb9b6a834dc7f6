//! Any text is read without a panic, in bounded time; any tree prints as text that reads as the same tree.

use proptest::prelude::*;
use ruleferry_yaral::syntax::literal::{Duration, Text, Unit};
use ruleferry_yaral::syntax::tree::*;
use ruleferry_yaral::syntax::{parse, print, print_with_comments};

fn name() -> impl Strategy<Value = String> {
    "[a-z_][a-z0-9_]{0,6}".prop_map(|n| format!("n{n}"))
}

fn any_text() -> impl Strategy<Value = Text> {
    let value = prop_oneof!["\\PC{0,12}", "[\\\\\"`/$%\n\r\t'a\u{202e}\u{0}]{0,8}"];
    (value, any::<bool>()).prop_map(|(v, raw)| if raw { Text::raw(v) } else { Text::quoted(v) })
}

fn field() -> impl Strategy<Value = Field> {
    let step = prop_oneof![
        4 => name().prop_map(|n| Step::Name(n.into())),
        1 => Just(Step::Name("match".into())),
        1 => any::<u32>().prop_map(Step::Index),
        1 => any_text().prop_map(Step::Key),
    ];
    (name(), prop::collection::vec(step, 0..4)).prop_map(|(var, steps)| Field { var: var.into(), steps })
}

fn op() -> impl Strategy<Value = CompareOp> {
    prop::sample::select(vec![
        CompareOp::Eq,
        CompareOp::Ne,
        CompareOp::Lt,
        CompareOp::Le,
        CompareOp::Gt,
        CompareOp::Ge,
    ])
}

fn leaf() -> impl Strategy<Value = Expr> {
    prop_oneof![
        field().prop_map(Field::expr),
        field().prop_map(Expr::any),
        field().prop_map(Expr::all),
        name().prop_map(Expr::count_of),
        any_text().prop_map(|t| Expr::new(ExprKind::Text(t))),
        any::<i64>().prop_map(Expr::int),
        (-1e9..1e9).prop_map(|f| Expr::float(f).unwrap()),
        any::<bool>().prop_map(Expr::bool),
        (name(), name())
            .prop_map(|(t, c)| Expr::new(ExprKind::TableColumn { table: t.into(), column: c.into() })),
        Just(Expr::new(ExprKind::WindowStart)),
    ]
}

fn expr() -> impl Strategy<Value = Expr> {
    leaf().prop_recursive(4, 40, 4, |inner| {
        let arith =
            prop::sample::select(vec![ArithOp::Add, ArithOp::Sub, ArithOp::Mul, ArithOp::Div, ArithOp::Rem]);
        prop_oneof![
            (inner.clone(), op(), inner.clone(), any::<bool>()).prop_map(|(l, op, r, nocase)| {
                let e = l.compare(op, r);
                if nocase { e.nocase() } else { e }
            }),
            (inner.clone(), "[a-z./\\\\\\[\\]\n]{0,6}").prop_map(|(l, p)| l.eq(Expr::regex(&p))),
            (inner.clone(), arith, inner.clone()).prop_map(|(l, op, r)| l.arith(op, r)),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Expr::all_of),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Expr::any_of),
            inner.clone().prop_map(Expr::negated),
            inner.clone().prop_map(|e| Expr::new(ExprKind::Bang(Box::new(e)))),
            prop::collection::vec(inner.clone(), 0..3).prop_map(|a| Expr::call("strings.concat", a)),
            prop::collection::vec(inner.clone(), 0..3).prop_map(|a| Expr::new(ExprKind::Array(a))),
            (inner.clone(), name()).prop_map(|(e, l)| e.in_list(ListKind::Cidr, l, None).nocase()),
            inner.prop_map(|e| Expr::new(ExprKind::IsNull { operand: Box::new(e), negated: true })),
        ]
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let meta = (name(), any_text()).prop_map(|(k, v)| {
        let mut meta = Meta::new(k, "");
        meta.value = v;
        meta
    });
    let outcome = (name(), expr()).prop_map(|(n, e)| Outcome::new(n, e));
    (
        name(),
        prop::collection::vec(meta, 0..3),
        prop::collection::vec(expr(), 1..4),
        prop::collection::vec(outcome, 0..3),
        expr(),
        prop::option::of(1u64..100),
    )
        .prop_map(|(name, meta, events, outcome, condition, window)| {
            let mut rule = Rule::new(name);
            rule.meta = meta;
            rule.events = events;
            rule.outcome = outcome;
            rule.condition = Some(condition);
            rule.matching = window.map(|value| Match {
                keys: vec![Name::new("k")],
                window: Some(Window {
                    length: Duration { value, unit: Unit::Minute },
                    kind: WindowKind::Hop,
                    span: Loc::default(),
                }),
                span: Loc::default(),
            });
            rule
        })
}

/// Pieces of the language in any order: texts that come close to rules.
fn nearly() -> impl Strategy<Value = String> {
    let pieces = vec![
        "rule",
        " r ",
        "{",
        "}",
        "meta:",
        "events:",
        "match:",
        "outcome:",
        "condition:",
        "options:",
        "setup:",
        "export:",
        "$e",
        ".a",
        "[0]",
        "[\"k\"]",
        "(",
        ")",
        "[",
        "]",
        ",",
        "=",
        "!=",
        "<",
        "and",
        " or ",
        " not ",
        "!",
        "nocase",
        " in ",
        "%l",
        "regex",
        "/a/",
        "/",
        "\"s\"",
        "\"",
        "`",
        "`x`",
        "5m",
        "1.5",
        "#e",
        "//c\n",
        "/*",
        "*/",
        "\n",
        " ",
        "any",
        "is null",
        "over",
        "true",
        "+",
        "-",
        "\\",
        "\u{2028}",
        "é",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..40).prop_map(|p| p.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn trees_read_back(rule in rule()) {
        let file = File { rules: vec![rule] };
        let printed = print(&file);
        let parsed = parse(&printed);
        prop_assert!(parsed.diagnostics.is_empty(), "{printed}\n{:?}", parsed.diagnostics);
        prop_assert_eq!(&parsed.file, &file, "{}", printed);
    }

    #[test]
    fn any_text_is_read(text in "\\PC{0,200}") {
        spans_fit(&text);
    }

    #[test]
    fn any_pieces_are_read(text in nearly()) {
        spans_fit(&text);
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        spans_fit(&String::from_utf8_lossy(&bytes));
    }
}

fn spans_fit(text: &str) {
    let parsed = parse(text);
    for d in &parsed.diagnostics {
        assert!(text.get(d.span.start as usize..d.span.end as usize).is_some(), "{:?} in {text:?}", d.span);
    }
    if parsed.has_errors() {
        let _ = print_with_comments(&parsed.file, &parsed.comments);
        return;
    }
    let printed = print_with_comments(&parsed.file, &parsed.comments);
    let again = parse(&printed);
    assert_eq!(again.file, parsed.file, "{text:?}\n{printed}");
    assert_eq!(again.comments.len(), parsed.comments.len(), "{text:?}\n{printed}");
}
