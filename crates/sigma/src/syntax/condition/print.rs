//! Conditions to text, with the parentheses that precedence asks for: `not` binds closer than `and`, `and` than `or`.

use super::{
    Aggregation, AggregationFunction, Comparison, Condition, ConditionBody, Expr, Pipe, Quantifier, Target,
};
use std::fmt::{Display, Formatter, Result};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
    Not,
    Atom,
}

impl Expr {
    fn binding(&self) -> Binding {
        match self {
            Self::Or(..) => Binding::Or,
            Self::And(..) => Binding::And,
            Self::Not(..) => Binding::Not,
            Self::Search(_) | Self::Of { .. } | Self::Group(..) => Binding::Atom,
        }
    }

    /// Writes the expression as an operand of something that binds as `outer` does.
    fn operand(&self, outer: Binding, f: &mut Formatter<'_>) -> Result {
        let needs = match outer {
            Binding::Not => self.binding() < Binding::Not,
            // The same operator inside itself was a group; written flat it would be another tree.
            Binding::Or | Binding::And | Binding::Atom => self.binding() <= outer,
        };
        if needs { write!(f, "({self})") } else { write!(f, "{self}") }
    }

    fn joined(operands: &[Self], word: &str, binding: Binding, f: &mut Formatter<'_>) -> Result {
        for (i, operand) in operands.iter().enumerate() {
            if i > 0 {
                write!(f, " {word} ")?;
            }
            operand.operand(binding, f)?;
        }
        Ok(())
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Search(name) => f.write_str(&name.text),
            Self::Of { quantifier, target, span: _ } => write!(f, "{quantifier} of {target}"),
            Self::Not(inner, _) => {
                f.write_str("not ")?;
                inner.operand(Binding::Not, f)
            }
            Self::And(operands, _) => Self::joined(operands, "and", Binding::And, f),
            Self::Or(operands, _) => Self::joined(operands, "or", Binding::Or, f),
            Self::Group(inner, _) => write!(f, "({inner})"),
        }
    }
}

impl Display for Quantifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::One => f.write_str("1"),
            Self::All => f.write_str("all"),
            Self::AtLeast(n) => write!(f, "{n}"),
        }
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Them => f.write_str("them"),
            Self::Pattern(pattern) => f.write_str(&pattern.text),
        }
    }
}

impl Display for Pipe {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Aggregation(aggregation) => write!(f, "{aggregation}"),
            Self::Near(expr, _) => write!(f, "near {expr}"),
        }
    }
}

impl AggregationFunction {
    pub(super) const ALL: [Self; 5] = [Self::Count, Self::Min, Self::Max, Self::Avg, Self::Sum];

    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Min => "min",
            Self::Max => "max",
            Self::Avg => "avg",
            Self::Sum => "sum",
        }
    }
}

impl Comparison {
    pub(super) const ALL: [Self; 5] =
        [Self::LessOrEqual, Self::Less, Self::GreaterOrEqual, Self::Greater, Self::Equal];

    pub fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "==",
        }
    }
}

impl Display for Aggregation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self { function, field, by, compare, threshold, span: _ } = self;
        write!(f, "{}({})", function.name(), field.as_ref().map_or("", |n| &n.text))?;
        for (i, name) in by.iter().enumerate() {
            write!(f, "{}{}", if i == 0 { " by " } else { ", " }, name.text)?;
        }
        write!(f, " {} {threshold}", compare.sign())
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.body {
            ConditionBody::Expr { expr, pipe: None } => write!(f, "{expr}"),
            ConditionBody::Expr { expr, pipe: Some(pipe) } => write!(f, "{expr} | {pipe}"),
            ConditionBody::Unreadable(node) => f.write_str(node.as_text().unwrap_or("")),
        }
    }
}
