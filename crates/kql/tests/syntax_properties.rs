//! Properties of parser and printer: any bytes are read without a panic, any tree survives print and parse.

use proptest::prelude::*;
use ruleferry_kql::syntax::literal::{Dynamic, Literal, ScalarType, StringForm, StringLiteral};
use ruleferry_kql::syntax::tree::{
    BinaryOp, ColumnDecl, ColumnNames, Direction, Expr, ExprKind, Join, JoinCondition, ListOp, MvColumn,
    MvExpand, Name, NamedExpr, Nulls, Operator, OperatorKind, Param, Parse, ParsePart, Query, SortKey,
    Statement, Summarize, WrapKind,
};
use ruleferry_kql::syntax::{parse, print, print_with_comments};

/// Pieces that grammars trip over.
const PIECES: &[&str] = &[
    "T",
    " ",
    "\n",
    "|",
    " | where ",
    "a",
    "==",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ";",
    "let x = ",
    "\"",
    "'",
    "@\"",
    "```",
    "~~~",
    "h'",
    "// c\n",
    "dynamic(",
    "datetime(",
    "1d",
    "1.",
    "..",
    "0x",
    "in ",
    "!in~ (",
    "has_any",
    "by ",
    "summarize ",
    "join kind=inner ",
    " on ",
    "union ",
    "*",
    "$left.",
    "=",
    "=>",
    "-->",
    "-[",
    "\\",
    "\u{FEFF}",
    "\u{A0}",
    "é",
    "\u{1F600}",
    "evaluate f",
    "mv-apply ",
    "scan with (step s:",
    "declare ",
    "pattern ",
    "materialize(",
    "toscalar(",
    "not(",
    " and ",
    " or ",
    "between (",
    ":",
    "?",
    "#",
    ".",
    "-",
    "!",
    "extend ['",
    "parse ",
    " with ",
];

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat())
}

fn text() -> impl Strategy<Value = String> {
    let chars = prop::sample::select(vec![
        'a',
        'B',
        '0',
        '_',
        ' ',
        '"',
        '\'',
        '\\',
        '`',
        '~',
        '\n',
        '\r',
        '\t',
        '\0',
        '\u{1B}',
        '\u{2028}',
        '\u{202E}',
        '*',
        '|',
        ';',
        '/',
        '{',
        '}',
        '[',
        ']',
        '@',
        '$',
        'é',
        '\u{1F600}',
        '\u{FEFF}',
    ]);
    prop::collection::vec(chars, 0..8).prop_map(String::from_iter)
}

fn name() -> impl Strategy<Value = String> {
    let plain = prop::sample::select(vec![
        "a",
        "TimeGenerated",
        "count",
        "kind",
        "by",
        "where",
        "null",
        "true",
        "project-away",
        "1a",
        "$left",
        "$x",
        "has",
        "title",
        "string",
        "let",
        "limit",
        "id",
        "set",
        "evaluate",
        "render",
        "range",
        "not",
    ]);
    // `{a}` would be a client parameter.
    let hostile = text().prop_filter("client parameter", |t| !t.starts_with('{'));
    prop_oneof![plain.prop_map(str::to_owned), hostile]
}

fn string() -> impl Strategy<Value = StringLiteral> {
    let forms = prop::sample::select(vec![StringForm::Regular, StringForm::Verbatim, StringForm::Multiline]);
    (text(), forms, any::<bool>()).prop_map(|(value, form, obfuscated)| {
        let form = if form.can_hold(&value) { form } else { StringForm::Regular };
        StringLiteral { value: value.into(), form, obfuscated }
    })
}

fn literal() -> impl Strategy<Value = Expr> {
    prop_oneof![
        string().prop_map(|s| Literal::String(s).into()),
        any::<bool>().prop_map(Expr::bool),
        any::<i64>().prop_map(Expr::long),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Expr::real),
        prop::sample::select(vec!["1d", "1.5h", "10s", "3ms", "1tick"]).prop_map(Expr::timespan),
        Just(Expr::typed(ScalarType::Datetime, "2024-01-01 10:00")),
        Just(Expr::null(ScalarType::Long)),
        Just(Literal::Null.into()),
        dynamic().prop_map(Expr::dynamic),
    ]
}

fn dynamic() -> impl Strategy<Value = Dynamic> {
    let leaf = prop_oneof![
        Just(Dynamic::Null),
        any::<bool>().prop_map(Dynamic::Bool),
        any::<i32>().prop_map(|n| Dynamic::Number(n.to_string().into())),
        string().prop_map(Dynamic::String),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Dynamic::Array),
            prop::collection::vec((string(), inner), 0..3).prop_map(Dynamic::Object),
        ]
    })
}

fn binary_op() -> impl Strategy<Value = BinaryOp> {
    prop::sample::select(vec![
        BinaryOp::Eq,
        BinaryOp::Ne,
        BinaryOp::Lt,
        BinaryOp::Ge,
        BinaryOp::EqCi,
        BinaryOp::Add,
        BinaryOp::Sub,
        BinaryOp::Mul,
        BinaryOp::Mod,
        BinaryOp::Has,
        BinaryOp::NotHasPrefixCs,
        BinaryOp::MatchesRegex,
    ])
}

fn expr() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![name().prop_map(Expr::name), literal()];
    leaf.prop_recursive(5, 32, 4, |inner| {
        let many = || prop::collection::vec(inner.clone(), 2..4);
        let list_op = prop::sample::select(vec![ListOp::In, ListOp::NotInCi, ListOp::HasAny]);
        prop_oneof![
            (binary_op(), inner.clone(), inner.clone()).prop_map(|(op, l, r)| Expr::binary(op, l, r)),
            many().prop_map(|i| ExprKind::And(i).into()),
            many().prop_map(|i| ExprKind::Or(i).into()),
            (list_op, inner.clone(), many()).prop_map(|(op, l, i)| Expr::list(op, l, i)),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| Expr::between(a, b, c)),
            (name(), many()).prop_map(|(n, a)| Expr::call(n, a)),
            (name(), name(), inner.clone()).prop_map(|(f, n, a)| Expr::call(f, vec![Expr::named(n, a)])),
            (inner.clone(), name()).prop_map(|(b, n)| b.path(n)),
            (inner.clone(), inner.clone()).prop_map(|(b, i)| b.index(i)),
            inner.clone().prop_map(Expr::negative),
            inner.clone().prop_map(Expr::negated),
            (name(), inner.clone()).prop_map(|(s, p)| {
                let value = Expr::pipeline(Some(Expr::name(s)), vec![Operator::filter(p)]);
                Expr::wrapped(WrapKind::ToScalar, value)
            }),
            (inner.clone(), name(), inner).prop_map(|(l, s, p)| {
                let value = Expr::pipeline(Some(Expr::name(s)), vec![Operator::filter(p)]);
                Expr::list(ListOp::In, l, vec![value])
            }),
        ]
    })
}

fn named() -> impl Strategy<Value = NamedExpr> {
    prop_oneof![
        expr().prop_map(NamedExpr::from),
        (name(), expr()).prop_map(|(n, e)| NamedExpr::new(n, e)),
        (prop::collection::vec(name(), 1..3), expr()).prop_map(|(names, value)| NamedExpr {
            names: ColumnNames::Many(names.into_iter().map(Name::new).collect()),
            value,
        }),
    ]
}

fn operator() -> impl Strategy<Value = Operator> {
    let list = || prop::collection::vec(named(), 1..4);
    let key = || {
        let direction = prop::sample::select(vec![None, Some(Direction::Asc), Some(Direction::Desc)]);
        let nulls = prop::sample::select(vec![None, Some(Nulls::First), Some(Nulls::Last)]);
        (expr(), direction, nulls).prop_map(|(e, direction, nulls)| SortKey {
            value: e.into(),
            direction,
            nulls,
        })
    };
    let none = Vec::new;
    prop_oneof![
        expr().prop_map(Operator::filter),
        list().prop_map(|l| OperatorKind::Extend(l).into()),
        list().prop_map(|l| OperatorKind::Project(l).into()),
        (list(), list()).prop_map(move |(aggregates, by)| {
            OperatorKind::Summarize(Box::new(Summarize { params: none(), aggregates, by, bin: None })).into()
        }),
        prop::collection::vec(key(), 1..3)
            .prop_map(move |keys| OperatorKind::Sort { params: none(), keys }.into()),
        (expr(), key()).prop_map(move |(count, by)| OperatorKind::Top { params: none(), count, by }.into()),
        (name(), expr(), prop::collection::vec(expr(), 1..3)).prop_map(|(source, p, keys)| {
            let right = Expr::pipeline(Some(Expr::name(source)), vec![Operator::filter(p)]);
            let condition = JoinCondition::On(keys);
            let params = vec![Param::word("kind", "inner"), Param::word("hint.strategy", "shuffle")];
            OperatorKind::Join(Box::new(Join { params, right, condition })).into()
        }),
        (list(), any::<bool>()).prop_map(move |(columns, typed)| {
            let to = typed.then_some(ScalarType::String);
            let columns = columns.into_iter().map(|value| MvColumn { value, to: to.clone() }).collect();
            OperatorKind::MvExpand(Box::new(MvExpand { params: none(), columns, limit: None })).into()
        }),
        (expr(), string(), name()).prop_map(|(subject, text, name)| {
            let column = ParsePart::Column { name: Name::new(name), ty: Some(ScalarType::Long) };
            let pattern = vec![ParsePart::Star, ParsePart::Text(text), column, ParsePart::Star];
            OperatorKind::Parse(Box::new(Parse { filter: false, params: Vec::new(), subject, pattern }))
                .into()
        }),
    ]
}

fn query() -> impl Strategy<Value = Query> {
    let pipeline = (expr(), prop::collection::vec(operator(), 0..4))
        .prop_map(|(source, ops)| Expr::pipeline(Some(source), ops));
    let lets = prop::collection::vec((name(), expr()), 0..3);
    (lets, pipeline).prop_map(|(lets, value)| {
        let mut statements: Vec<Statement> = lets.into_iter().map(|(n, v)| Statement::bind(n, v)).collect();
        statements.push(Statement::query(value));
        Query::new(statements)
    })
}

/// Few by default; `PROPTEST_CASES=100000` for a long run.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(96)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        let parsed = parse(&text);
        print_with_comments(&parsed.query, &parsed.comments);
    }

    #[test]
    fn any_soup_is_read(text in soup()) {
        let parsed = parse(&text);
        let printed = print(&parsed.query);
        for d in &parsed.diagnostics {
            prop_assert!(d.span.start <= d.span.end && d.span.end as usize <= text.len());
        }
        // What was read without a fault is written so that it reads the same.
        if !parsed.has_errors() {
            let again = parse(&printed);
            prop_assert_eq!(&again.query, &parsed.query, "{}", printed);
            let commented = print_with_comments(&parsed.query, &parsed.comments);
            let again = parse(&commented);
            prop_assert_eq!(&again.query, &parsed.query, "{}", commented);
            prop_assert_eq!(again.comments.len(), parsed.comments.len(), "{}", commented);
        }
    }

    #[test]
    fn built_trees_survive(query in query()) {
        let printed = print(&query);
        let parsed = parse(&printed);
        prop_assert!(parsed.diagnostics.is_empty(), "{:?}\n{}", parsed.diagnostics, printed);
        prop_assert_eq!(&parsed.query, &query, "{}", printed);
        prop_assert_eq!(print(&parsed.query), printed);
    }

    #[test]
    fn hostile_columns_survive(name in name(), ty in prop::sample::select(vec![ScalarType::Bool, ScalarType::Dynamic])) {
        let table = ruleferry_kql::syntax::tree::Datatable {
            params: Vec::new(),
            columns: vec![ColumnDecl::new(name.as_str(), ty)],
            values: vec![Expr::string(name.as_str())],
            context: None,
        };
        let query = Query::new(vec![Statement::query(ExprKind::Datatable(Box::new(table)).into())]);
        prop_assert_eq!(&parse(&print(&query)).query, &query);
    }
}
