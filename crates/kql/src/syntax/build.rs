//! Constructors for trees that are not read from text. The printer adds parentheses, brackets and escapes.

use ruleferry_diag::Span;
use smol_str::SmolStr;

use super::literal::{Dynamic, Literal, ScalarType, StringLiteral, TypedLiteral};
use super::tree::{
    Between, Binary, BinaryOp, Call, ColumnDecl, ColumnNames, Expr, ExprKind, LetValue, ListOp, ListTest,
    Loc, Name, NamePattern, NamedExpr, Operator, OperatorKind, Param, ParamValue, Pipeline, Query, SortKey,
    Statement, StatementKind, UnaryOp, WrapKind, Wrapped,
};

impl Name {
    pub fn new(text: impl Into<SmolStr>) -> Self {
        Self { text: text.into(), span: Loc::default() }
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl NamePattern {
    pub fn new(text: impl Into<SmolStr>) -> Self {
        Self { text: text.into(), span: Loc::default() }
    }
}

impl ColumnDecl {
    pub fn new(name: impl Into<SmolStr>, ty: ScalarType) -> Self {
        Self { name: Name::new(name), ty, default: None, span: Loc::default() }
    }
}

impl From<ExprKind> for Expr {
    fn from(kind: ExprKind) -> Self {
        Self { kind, span: Loc::default() }
    }
}

impl From<Literal> for Expr {
    fn from(literal: Literal) -> Self {
        ExprKind::Literal(literal).into()
    }
}

impl Expr {
    /// The same expression at a place of the source.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Loc(span);
        self
    }

    /// A column, table or `let` name.
    pub fn name(name: impl Into<SmolStr>) -> Self {
        ExprKind::Name(name.into()).into()
    }

    pub fn star() -> Self {
        ExprKind::Star.into()
    }

    pub fn string(value: impl Into<SmolStr>) -> Self {
        Literal::String(StringLiteral::new(value)).into()
    }

    pub fn bool(value: bool) -> Self {
        Literal::Bool(value).into()
    }

    pub fn long(value: i64) -> Self {
        if value == i64::MIN {
            // Without its sign the number is out of range.
            return Self::typed(ScalarType::Long, SmolStr::from(value.to_string()));
        }
        let literal = Self::from(Literal::Long(SmolStr::from(value.unsigned_abs().to_string())));
        if value < 0 { Self::negative(literal) } else { literal }
    }

    pub fn real(value: f64) -> Self {
        if !value.is_finite() {
            let text = if value.is_nan() {
                "nan"
            } else if value > 0.0 {
                "+inf"
            } else {
                "-inf"
            };
            return Self::typed(ScalarType::Real, text);
        }
        let mut text = format!("{:?}", value.abs());
        if !text.contains(['.', 'e']) {
            text.push_str(".0");
        }
        let literal = Self::from(Literal::Real(SmolStr::from(text)));
        if value.is_sign_negative() { Self::negative(literal) } else { literal }
    }

    /// A bare timespan as it is to stand in the text: `1h`, `7d`.
    pub fn timespan(text: impl Into<SmolStr>) -> Self {
        Literal::Timespan(text.into()).into()
    }

    /// `type(text)`: `datetime(2024-01-01)`.
    pub fn typed(ty: ScalarType, text: impl Into<SmolStr>) -> Self {
        Literal::Typed(Box::new(TypedLiteral { ty, text: text.into() })).into()
    }

    /// `type(null)`
    pub fn null(ty: ScalarType) -> Self {
        match ty {
            ScalarType::Dynamic => Self::dynamic(Dynamic::Null),
            ty => Self::typed(ty, SmolStr::new_static("null")),
        }
    }

    pub fn dynamic(value: Dynamic) -> Self {
        ExprKind::Dynamic(Box::new(value)).into()
    }

    pub fn call(name: impl Into<SmolStr>, args: Vec<Self>) -> Self {
        ExprKind::Call(Box::new(Call { name: Name::new(name), args })).into()
    }

    #[must_use]
    pub fn path(self, name: impl Into<SmolStr>) -> Self {
        ExprKind::Path { base: Box::new(self), name: Name::new(name) }.into()
    }

    #[must_use]
    pub fn index(self, index: Self) -> Self {
        ExprKind::Index { base: Box::new(self), index: Box::new(index) }.into()
    }

    #[must_use]
    pub fn negative(self) -> Self {
        ExprKind::Unary { op: UnaryOp::Minus, operand: Box::new(self) }.into()
    }

    pub fn binary(op: BinaryOp, left: Self, right: Self) -> Self {
        ExprKind::Binary(Box::new(Binary { op, left, right })).into()
    }

    /// All of the operands; operands that are conjunctions themselves are taken in. None of them: `true`.
    pub fn and(operands: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for operand in operands {
            match operand.kind {
                ExprKind::And(inner) => flat.extend(inner),
                kind => flat.push(Self { kind, span: operand.span }),
            }
        }
        Self::joined(flat, ExprKind::And, true)
    }

    /// One of the operands; operands that are disjunctions themselves are taken in. None of them: `false`.
    pub fn or(operands: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for operand in operands {
            match operand.kind {
                ExprKind::Or(inner) => flat.extend(inner),
                kind => flat.push(Self { kind, span: operand.span }),
            }
        }
        Self::joined(flat, ExprKind::Or, false)
    }

    fn joined(mut operands: Vec<Self>, join: fn(Vec<Self>) -> ExprKind, of_none: bool) -> Self {
        match (operands.pop(), operands.is_empty()) {
            (None, _) => Self::bool(of_none),
            (Some(only), true) => only,
            (Some(last), false) => {
                operands.push(last);
                join(operands).into()
            }
        }
    }

    /// `not(operand)`
    pub fn negated(operand: Self) -> Self {
        Self::call("not", vec![operand])
    }

    /// `left in (items)` and its like.
    pub fn list(op: ListOp, left: Self, items: Vec<Self>) -> Self {
        ExprKind::List(Box::new(ListTest { op, left, items })).into()
    }

    pub fn between(subject: Self, low: Self, high: Self) -> Self {
        ExprKind::Between(Box::new(Between { negated: false, subject, low, high })).into()
    }

    /// `name = value` as an argument.
    pub fn named(name: impl Into<SmolStr>, value: Self) -> Self {
        ExprKind::Named(Box::new(NamedExpr::new(name, value))).into()
    }

    pub fn pipeline(source: Option<Self>, operators: Vec<Operator>) -> Self {
        match source {
            Some(source) if operators.is_empty() => source,
            source => ExprKind::Pipeline(Box::new(Pipeline::new(source, operators))).into(),
        }
    }

    pub fn wrapped(kind: WrapKind, value: Self) -> Self {
        ExprKind::Wrapped(Box::new(Wrapped { kind, params: Vec::new(), value })).into()
    }

    /// The name, if the expression is one.
    pub fn as_name(&self) -> Option<&SmolStr> {
        match &self.kind {
            ExprKind::Name(name) => Some(name),
            _ => None,
        }
    }

    /// The value, if the expression is a string literal.
    pub fn as_string(&self) -> Option<&StringLiteral> {
        match &self.kind {
            ExprKind::Literal(Literal::String(string)) => Some(string),
            _ => None,
        }
    }

    /// The call, if the expression is one of a function.
    pub fn as_call(&self) -> Option<&Call> {
        match &self.kind {
            ExprKind::Call(call) => Some(call),
            _ => None,
        }
    }

    /// The source and operators; a bare source has none.
    pub fn as_pipeline(&self) -> (Option<&Self>, &[Operator]) {
        match &self.kind {
            ExprKind::Pipeline(pipeline) => (pipeline.source.as_ref(), &pipeline.operators),
            _ => (Some(self), &[]),
        }
    }
}

impl NamedExpr {
    pub fn new(name: impl Into<SmolStr>, value: Expr) -> Self {
        Self { names: ColumnNames::One(Name::new(name)), value }
    }
}

impl From<Expr> for NamedExpr {
    fn from(value: Expr) -> Self {
        Self { names: ColumnNames::Default, value }
    }
}

impl From<Expr> for SortKey {
    fn from(value: Expr) -> Self {
        Self { value: value.into(), direction: None, nulls: None }
    }
}

impl Param {
    /// `name=word`
    pub fn word(name: impl Into<SmolStr>, value: impl Into<SmolStr>) -> Self {
        Self { name: Name::new(name), value: ParamValue::Word(value.into()) }
    }

    pub fn expr(name: impl Into<SmolStr>, value: Expr) -> Self {
        Self { name: Name::new(name), value: ParamValue::Expr(value) }
    }

    /// The word that a parameter of this name has.
    pub fn find_word<'p>(params: &'p [Self], name: &str) -> Option<&'p str> {
        params.iter().filter(|p| p.name.text == name).find_map(|p| match &p.value {
            ParamValue::Word(word) => Some(word.as_str()),
            ParamValue::Expr(_) | ParamValue::Words(_) => None,
        })
    }
}

impl Pipeline {
    pub fn new(source: Option<Expr>, operators: Vec<Operator>) -> Self {
        Self { source, operators, span: Loc::default() }
    }
}

impl From<OperatorKind> for Operator {
    fn from(kind: OperatorKind) -> Self {
        Self { kind, span: Loc::default() }
    }
}

impl Operator {
    /// `where predicate`
    pub fn filter(predicate: Expr) -> Self {
        OperatorKind::Where { params: Vec::new(), predicate }.into()
    }
}

impl From<StatementKind> for Statement {
    fn from(kind: StatementKind) -> Self {
        Self { kind, span: Loc::default() }
    }
}

impl Statement {
    /// `let name = value`
    pub fn bind(name: impl Into<SmolStr>, value: Expr) -> Self {
        StatementKind::Let { name: Name::new(name), value: LetValue::Expr(value) }.into()
    }

    pub fn query(value: Expr) -> Self {
        StatementKind::Query(value).into()
    }
}

impl Query {
    pub fn new(statements: Vec<Statement>) -> Self {
        Self { directives: Vec::new(), statements, span: Loc::default() }
    }
}

impl BinaryOp {
    /// As written.
    pub fn text(self) -> &'static str {
        match self {
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::EqCi => "=~",
            Self::NeCi => "!~",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::Has => "has",
            Self::NotHas => "!has",
            Self::HasCs => "has_cs",
            Self::NotHasCs => "!has_cs",
            Self::HasPrefix => "hasprefix",
            Self::NotHasPrefix => "!hasprefix",
            Self::HasPrefixCs => "hasprefix_cs",
            Self::NotHasPrefixCs => "!hasprefix_cs",
            Self::HasSuffix => "hassuffix",
            Self::NotHasSuffix => "!hassuffix",
            Self::HasSuffixCs => "hassuffix_cs",
            Self::NotHasSuffixCs => "!hassuffix_cs",
            Self::Contains => "contains",
            Self::NotContains => "!contains",
            Self::ContainsCs => "contains_cs",
            Self::NotContainsCs => "!contains_cs",
            Self::StartsWith => "startswith",
            Self::NotStartsWith => "!startswith",
            Self::StartsWithCs => "startswith_cs",
            Self::NotStartsWithCs => "!startswith_cs",
            Self::EndsWith => "endswith",
            Self::NotEndsWith => "!endswith",
            Self::EndsWithCs => "endswith_cs",
            Self::NotEndsWithCs => "!endswith_cs",
            Self::Like => "like",
            Self::NotLike => "notlike",
            Self::LikeCs => "likecs",
            Self::NotLikeCs => "notlikecs",
            Self::MatchesRegex => "matches regex",
            Self::Colon => ":",
        }
    }
}

impl ListOp {
    /// As written.
    pub fn text(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::NotIn => "!in",
            Self::InCi => "in~",
            Self::NotInCi => "!in~",
            Self::HasAny => "has_any",
            Self::HasAll => "has_all",
        }
    }
}
