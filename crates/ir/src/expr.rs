//! Scalar expressions. Meaning stands on the node: what a comparison does on a missing value, which case
//! folding a string match uses. No node inherits it from a vendor.

use crate::functions::FunctionDef;
use crate::plan::Plan;
use crate::{ColId, Type, Value};
use ruleferry_diag::Span;
use smol_str::SmolStr;
use std::cmp::Ordering;

#[derive(Clone, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    pub ty: Type,
    /// In the text of the query; empty where no source text made it.
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum ExprKind {
    Literal(Value),
    Column(ColId),
    /// A scalar `let` binding of the query, by its index in `Query::bindings`.
    Let(BindingId),
    /// The one time of the run (`now()`).
    Now,
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    Compare(Box<Compare>),
    Match(Box<StringMatch>),
    /// Equality with one of several values that are not strings; strings use [`ExprKind::Match`].
    In(Box<InList>),
    /// Equality with a value of the first column of a query.
    InQuery(Box<InQuery>),
    /// `low <= subject <= high`, null where one of them is null.
    Between(Box<Between>),
    /// Null (of the type), absent (Sigma), or SQL NULL; for strings of Kusto always false.
    IsNull(Box<Expr>),
    /// Null or the empty string.
    IsEmpty(Box<Expr>),
    Arithmetic(Box<Arithmetic>),
    Negate(Box<Expr>),
    /// A function of the catalogue ([`crate::functions`]) with Kusto's documented behaviour.
    Call(&'static FunctionDef, Vec<Expr>),
    Cast(Box<Cast>),
    /// `base.name` on a dynamic value; null where there is no such member.
    Member(Box<Expr>, SmolStr),
    /// `base[index]` on a dynamic value: a number counts from 0, or from the end if negative; a string names a member.
    Index(Box<Expr>, Box<Expr>),
    /// The value of the first branch whose condition is true, else the last.
    Case(Vec<(Expr, Expr)>, Box<Expr>),
    /// First row, first column of a query (`toscalar`); null where it is empty.
    Subquery(Box<Plan>),
    /// A construct that the IR does not have: the same language can print it back, nothing else accepts it.
    Opaque(Box<Opaque>),
}

/// Index of a binding in `Query::bindings`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BindingId(pub u32);

/// What an atom gives where its subject has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Missing {
    /// A missing string reads as `""` (Kusto: strings have no null).
    Empty,
    /// The atom is false, so that its negation is true (Sigma: absent field).
    False,
    /// The result is null, which a filter drops, also under a negation (SQL; Kusto's `<` and kin).
    Null,
    /// Null is a value of its own, unequal to every other (Kusto's `==` and `!=`); null against null gives null.
    Distinct,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompareOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// A comparison of two values of comparable types (numbers of any width, or equal types; strings are case-sensitive, ordinal).
#[derive(Clone, Debug)]
pub struct Compare {
    pub op: CompareOp,
    pub left: Expr,
    pub right: Expr,
    pub missing: Missing,
}

/// Which folding makes two strings equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Case {
    Sensitive,
    /// Simple Unicode folding, one character to one (Kusto's `=~` and kin; Sigma's default).
    Insensitive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatchKind {
    Equals,
    Contains,
    StartsWith,
    EndsWith,
    /// A whole term: a run of alphanumerics; the boundary is tested only beside an alphanumeric edge of the value.
    Term,
    TermPrefix,
    TermSuffix,
    /// RE2 syntax, found anywhere in the subject.
    Regex,
    /// `MatchValue::Glob`: the whole subject.
    Glob,
    /// The subject is an IP address in a CIDR range.
    Cidr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantifier {
    Any,
    All,
}

/// One string match: kind, case, and the values of which any or all must match.
#[derive(Clone, Debug)]
pub struct StringMatch {
    pub subject: Subject,
    pub kind: MatchKind,
    pub case: Case,
    pub values: MatchValues,
    pub quantifier: Quantifier,
    pub missing: Missing,
}

/// What is looked at.
#[derive(Clone, Debug)]
pub enum Subject {
    Expr(Expr),
    /// Any column of the row at this point of the plan (Kusto's `* has "x"` and `search`): any that matches will do.
    AnyColumn,
    /// The values of the whole event (Sigma's keywords).
    Event,
}

#[derive(Clone, Debug)]
pub enum MatchValues {
    List(Vec<MatchValue>),
    /// A dynamic array, known only when run or through a `let`; a value that is no array stands for itself.
    Dynamic(Expr),
    /// The first column of a query.
    Query(Box<Plan>),
}

#[derive(Clone, Debug)]
pub enum MatchValue {
    /// A string expression, most often a literal.
    Expr(Expr),
    Glob(Vec<GlobPart>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GlobPart {
    Text(SmolStr),
    /// `*`: any number of characters.
    Many,
    /// `?`: one character.
    One,
}

#[derive(Clone, Debug)]
pub struct InList {
    pub subject: Expr,
    pub values: InValues,
    pub missing: Missing,
}

#[derive(Clone, Debug)]
pub enum InValues {
    List(Vec<Expr>),
    /// A dynamic array; a value that is no array stands for itself.
    Dynamic(Expr),
}

#[derive(Clone, Debug)]
pub struct InQuery {
    pub subject: Expr,
    pub plan: Plan,
    pub case: Case,
    pub missing: Missing,
}

#[derive(Clone, Debug)]
pub struct Between {
    pub subject: Expr,
    pub low: Expr,
    pub high: Expr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArithmeticOp {
    Add,
    Sub,
    Mul,
    /// Integers divide to an integer, towards zero; division by zero gives null.
    Div,
    /// Kusto's `%`: the result is never negative for a positive divisor.
    Mod,
}

#[derive(Clone, Debug)]
pub struct Arithmetic {
    pub op: ArithmeticOp,
    pub left: Expr,
    pub right: Expr,
}

/// A conversion with Kusto's `to…()` meaning: null (`""` for strings) where the value does not convert.
#[derive(Clone, Debug)]
pub struct Cast {
    pub expr: Expr,
    pub to: Type,
    /// The source did not write it: a conversion that its language makes by itself.
    pub implicit: bool,
}

#[derive(Clone, Debug)]
pub struct Opaque {
    pub language: &'static str,
    pub text: SmolStr,
    /// Why the IR does not have it.
    pub reason: String,
}

impl CompareOp {
    /// The comparison with its sides exchanged: `5 < x` as `x > 5`.
    #[must_use]
    pub const fn flipped(self) -> Self {
        match self {
            Self::Eq => Self::Eq,
            Self::Ne => Self::Ne,
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
        }
    }

    /// Whether it holds between two values that are there and stand in this order; values that do not compare are unequal.
    pub fn holds(self, order: Option<Ordering>) -> bool {
        match self {
            Self::Eq => order == Some(Ordering::Equal),
            Self::Ne => order != Some(Ordering::Equal),
            Self::Lt => order == Some(Ordering::Less),
            Self::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Self::Gt => order == Some(Ordering::Greater),
            Self::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

impl Expr {
    pub fn new(kind: ExprKind, ty: Type, span: Span) -> Self {
        Self { kind, ty, span }
    }

    pub fn literal(value: Value, span: Span) -> Self {
        let ty = value.ty();
        Self::new(ExprKind::Literal(value), ty, span)
    }

    pub fn string(text: impl Into<SmolStr>, span: Span) -> Self {
        Self::literal(Value::String(text.into()), span)
    }

    pub fn bool(value: bool, span: Span) -> Self {
        Self::literal(Value::Bool(value), span)
    }

    pub fn column(id: ColId, ty: Type, span: Span) -> Self {
        Self::new(ExprKind::Column(id), ty, span)
    }

    /// Flat conjunction: nested `and`s are merged, one operand stands alone, none is `true`.
    pub fn and(operands: Vec<Self>, span: Span) -> Self {
        let mut flat = Vec::with_capacity(operands.len());
        for e in operands {
            if let ExprKind::And(inner) = e.kind { flat.extend(inner) } else { flat.push(e) }
        }
        match flat.len() {
            0 => Self::bool(true, span),
            1 => flat.swap_remove(0),
            _ => Self::new(ExprKind::And(flat), Type::Bool, span),
        }
    }

    /// Flat disjunction: nested `or`s are merged, one operand stands alone, none is `false`.
    pub fn or(operands: Vec<Self>, span: Span) -> Self {
        let mut flat = Vec::with_capacity(operands.len());
        for e in operands {
            if let ExprKind::Or(inner) = e.kind { flat.extend(inner) } else { flat.push(e) }
        }
        match flat.len() {
            0 => Self::bool(false, span),
            1 => flat.swap_remove(0),
            _ => Self::new(ExprKind::Or(flat), Type::Bool, span),
        }
    }

    #[must_use]
    pub fn negated(self, span: Span) -> Self {
        Self::new(ExprKind::Not(Box::new(self)), Type::Bool, span)
    }

    pub fn compare(op: CompareOp, left: Self, right: Self, missing: Missing, span: Span) -> Self {
        Self::new(ExprKind::Compare(Box::new(Compare { op, left, right, missing })), Type::Bool, span)
    }

    pub fn matches(m: StringMatch, span: Span) -> Self {
        Self::new(ExprKind::Match(Box::new(m)), Type::Bool, span)
    }

    pub fn arithmetic(op: ArithmeticOp, left: Self, right: Self, ty: Type, span: Span) -> Self {
        Self::new(ExprKind::Arithmetic(Box::new(Arithmetic { op, left, right })), ty, span)
    }

    /// A cast, or the expression itself where it has the type already.
    #[must_use]
    pub fn cast(self, to: Type, implicit: bool) -> Self {
        if self.ty == to && implicit {
            return self;
        }
        let span = self.span;
        Self::new(ExprKind::Cast(Box::new(Cast { expr: self, to, implicit })), to, span)
    }

    pub fn opaque(
        language: &'static str,
        text: impl Into<SmolStr>,
        reason: String,
        ty: Type,
        span: Span,
    ) -> Self {
        Self::new(ExprKind::Opaque(Box::new(Opaque { language, text: text.into(), reason })), ty, span)
    }

    pub fn as_literal(&self) -> Option<&Value> {
        if let ExprKind::Literal(v) = &self.kind { Some(v) } else { None }
    }

    pub fn as_column(&self) -> Option<ColId> {
        if let ExprKind::Column(id) = self.kind { Some(id) } else { None }
    }
}
