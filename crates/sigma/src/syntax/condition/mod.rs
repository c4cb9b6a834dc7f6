//! Conditions: how the searches of a detection are combined.
//!
//! `text` → [`parse`] → [`Condition`]; `Display` goes the other way and sets the parentheses that the tree needs.

mod parse;
mod print;

pub(crate) use parse::parse;

use super::{Loc, Name};
use smol_str::SmolStr;

#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub body: ConditionBody,
    pub span: Loc,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ConditionBody {
    Expr {
        expr: Expr,
        /// What Sigma had before correlations.
        pipe: Option<Pipe>,
    },
    /// What could not be read, as it was written; a diagnostic has told why.
    Unreadable(Box<ruleferry_doc::Node>),
}

/// Equality looks through [`Expr::Group`]: parentheses that change nothing do not make two expressions differ.
#[derive(Clone, Debug)]
pub enum Expr {
    /// A search by its name.
    Search(Name),
    /// `1 of selection*`, `all of them`
    Of {
        quantifier: Quantifier,
        target: Target,
        span: Loc,
    },
    Not(Box<Expr>, Loc),
    And(Vec<Expr>, Loc),
    Or(Vec<Expr>, Loc),
    /// Parentheses that somebody wrote.
    Group(Box<Expr>, Loc),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// `1 of` or `any of`
    One,
    All,
    /// At least so many, from 2 on.
    AtLeast(u32),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// All searches whose name does not begin with `_`.
    Them,
    /// The searches whose names fit; `*` stands for any text.
    Pattern(Name),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Pipe {
    Aggregation(Aggregation),
    /// `near x`: the other searches occur close in time.
    Near(Expr, Loc),
}

/// `count(field) by group > 10`
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregation {
    pub function: AggregationFunction,
    pub field: Option<Name>,
    pub by: Vec<Name>,
    pub compare: Comparison,
    /// The number as it was written.
    pub threshold: SmolStr,
    pub span: Loc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggregationFunction {
    Count,
    Min,
    Max,
    Avg,
    Sum,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        match (self.ungrouped(), other.ungrouped()) {
            (Self::Search(a), Self::Search(b)) => a == b,
            (
                Self::Of { quantifier: a, target: x, span: _ },
                Self::Of { quantifier: b, target: y, span: _ },
            ) => a == b && x == y,
            (Self::Not(a, _), Self::Not(b, _)) => a == b,
            (Self::And(a, _), Self::And(b, _)) | (Self::Or(a, _), Self::Or(b, _)) => a == b,
            (
                Self::Search(_)
                | Self::Of { .. }
                | Self::Not(..)
                | Self::And(..)
                | Self::Or(..)
                | Self::Group(..),
                _,
            ) => false,
        }
    }
}

impl Expr {
    pub fn search(name: impl Into<SmolStr>) -> Self {
        Self::Search(Name::from(name))
    }

    pub fn of(quantifier: Quantifier, target: Target) -> Self {
        Self::Of { quantifier, target, span: Loc::default() }
    }

    #[expect(clippy::should_implement_trait, reason = "the field's word; an operator would hide the tree")]
    pub fn not(operand: Self) -> Self {
        Self::Not(Box::new(operand), Loc::default())
    }

    /// Joins expressions by `and`; nested ones become one level, a single one stays itself.
    pub fn and(operands: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for operand in operands {
            match operand {
                Self::And(inner, _) => flat.extend(inner),
                other @ (Self::Search(_)
                | Self::Of { .. }
                | Self::Not(..)
                | Self::Or(..)
                | Self::Group(..)) => {
                    flat.push(other);
                }
            }
        }
        Self::single(flat, Self::And)
    }

    /// Joins expressions by `or`; nested ones become one level, a single one stays itself.
    pub fn or(operands: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for operand in operands {
            match operand {
                Self::Or(inner, _) => flat.extend(inner),
                other @ (Self::Search(_)
                | Self::Of { .. }
                | Self::Not(..)
                | Self::And(..)
                | Self::Group(..)) => {
                    flat.push(other);
                }
            }
        }
        Self::single(flat, Self::Or)
    }

    fn single(mut operands: Vec<Self>, join: fn(Vec<Self>, Loc) -> Self) -> Self {
        match operands.pop() {
            Some(only) if operands.is_empty() => only,
            last => {
                operands.extend(last);
                join(operands, Loc::default())
            }
        }
    }

    /// Without the parentheses around it.
    pub fn ungrouped(&self) -> &Self {
        match self {
            Self::Group(inner, _) => inner.ungrouped(),
            Self::Search(_) | Self::Of { .. } | Self::Not(..) | Self::And(..) | Self::Or(..) => self,
        }
    }

    pub fn span(&self) -> Loc {
        match self {
            Self::Search(name) => name.span,
            Self::Of { span, .. }
            | Self::Not(_, span)
            | Self::And(_, span)
            | Self::Or(_, span)
            | Self::Group(_, span) => *span,
        }
    }

    /// Calls `visit` with every leaf, from left to right.
    pub fn leaves<'e>(&'e self, visit: &mut impl FnMut(&'e Self)) {
        match self {
            Self::Search(_) | Self::Of { .. } => visit(self),
            Self::Not(inner, _) | Self::Group(inner, _) => inner.leaves(visit),
            Self::And(operands, _) | Self::Or(operands, _) => operands.iter().for_each(|o| o.leaves(visit)),
        }
    }
}

/// Reads a condition that combines names and nothing else; all of it counts as standing at one place.
pub fn parse_condition(text: &str, span: ruleferry_diag::Span) -> Result<Expr, ruleferry_diag::Diagnostic> {
    use ruleferry_diag::{Diagnostic, SpanMap, codes};
    let at = |mut d: Diagnostic| {
        d.span = span;
        d
    };
    match parse(text, &SpanMap::identity()) {
        Ok((expr, None)) => Ok(expr),
        Ok((_, Some(_))) => {
            let message = "a condition of a correlation combines rules by `and`, `or` and `not`";
            Err(Diagnostic::error(codes::SIGMA_CONDITION, span, message))
        }
        Err(d) => Err(at(d)),
    }
}

impl Condition {
    pub fn new(expr: Expr) -> Self {
        Self { body: ConditionBody::Expr { expr, pipe: None }, span: Loc::default() }
    }

    /// The expression, if the condition could be read.
    pub fn expr(&self) -> Option<&Expr> {
        match &self.body {
            ConditionBody::Expr { expr, .. } => Some(expr),
            ConditionBody::Unreadable(_) => None,
        }
    }

    pub fn pipe(&self) -> Option<&Pipe> {
        match &self.body {
            ConditionBody::Expr { pipe, .. } => pipe.as_ref(),
            ConditionBody::Unreadable(_) => None,
        }
    }
}

impl Target {
    pub fn pattern(pattern: impl Into<SmolStr>) -> Self {
        Self::Pattern(Name::from(pattern))
    }

    /// Whether a search of this name is meant.
    pub fn includes(&self, name: &str) -> bool {
        match self {
            Self::Them => !name.starts_with('_'),
            Self::Pattern(pattern) => fits(&pattern.text, name),
        }
    }
}

/// Whether a name fits a pattern with `*`.
fn fits(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        match rest.split_once(piece) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, expect) in [
            ("selection*", "selection_a", true),
            ("selection*", "selection", true),
            ("*_x", "a_x", true),
            ("a*b*c", "a12b3c", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("sel", "selection", false),
            ("sel", "sel", true),
        ] {
            assert_eq!(fits(pattern, name), expect, "{pattern} {name}");
        }
        assert!(!Target::Them.includes("_x"));
    }

    #[test]
    fn the_printer_decides_on_parentheses() {
        let (a, b, c) = (Expr::search("a"), Expr::search("b"), Expr::search("c"));
        let either = Expr::or([a.clone(), b.clone()]);
        let expr = Expr::and([Expr::not(either.clone()), either.clone(), Expr::not(c.clone())]);
        assert_eq!(expr.to_string(), "not (a or b) and (a or b) and not c");
        assert_eq!(Expr::or([Expr::and([a, b]), c]).to_string(), "a and b or c");
    }
}
