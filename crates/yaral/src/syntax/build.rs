//! Constructors: trees by hand, for the lowering. They keep to the shapes that the parser makes (`and` in `and` stands
//! flat, numbers are not negative), so that what is printed reads back as the same tree.

use smol_str::{SmolStr, format_smolstr};

use super::literal::{Text, read_regex, write_regex};
use super::tree::{
    Arg, ArithOp, Call, Compare, CompareOp, Expr, ExprKind, Field, In, ListKind, Loc, Meta, Name, Outcome,
    Quantifier, Rule, Step,
};

/// Whether a text can be a name of a rule, a variable or a meta key.
pub fn is_identifier(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl Name {
    pub fn new(text: impl Into<SmolStr>) -> Self {
        Self { text: text.into(), span: Loc::default() }
    }
}

impl Field {
    /// `$var`
    pub fn var(var: impl Into<SmolStr>) -> Self {
        Self { var: var.into(), steps: Vec::new() }
    }

    /// `$var.a.b` from `a.b`.
    pub fn path(var: impl Into<SmolStr>, path: &str) -> Self {
        let steps = path.split('.').filter(|p| !p.is_empty()).map(|p| Step::Name(p.into())).collect();
        Self { var: var.into(), steps }
    }

    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// `….name`
    #[must_use]
    pub fn name(self, name: impl Into<SmolStr>) -> Self {
        self.step(Step::Name(name.into()))
    }

    /// `…["key"]`
    #[must_use]
    pub fn key(self, key: impl Into<SmolStr>) -> Self {
        self.step(Step::Key(Text::quoted(key)))
    }

    /// `…[n]`
    #[must_use]
    pub fn index(self, index: u32) -> Self {
        self.step(Step::Index(index))
    }

    pub fn expr(self) -> Expr {
        Expr::new(ExprKind::Field(self))
    }
}

impl Rule {
    pub fn new(name: impl Into<SmolStr>) -> Self {
        Self { name: Name::new(name), ..Self::default() }
    }
}

impl Meta {
    pub fn new(key: impl Into<SmolStr>, value: impl Into<SmolStr>) -> Self {
        Self {
            key: Name::new(key),
            value: Text::quoted(value),
            span: Loc::default(),
            value_span: Loc::default(),
        }
    }
}

impl Outcome {
    pub fn new(name: impl Into<SmolStr>, value: Expr) -> Self {
        Self { name: Name::new(name), value, span: Loc::default() }
    }
}

impl Expr {
    pub fn new(kind: ExprKind) -> Self {
        Self { kind, span: Loc::default() }
    }

    /// `$var`
    pub fn var(var: impl Into<SmolStr>) -> Self {
        Field::var(var).expr()
    }

    /// `$var.a.b` from `a.b`.
    pub fn field(var: impl Into<SmolStr>, path: &str) -> Self {
        Field::path(var, path).expr()
    }

    pub fn any(field: Field) -> Self {
        Self::new(ExprKind::Quantified { quantifier: Quantifier::Any, field })
    }

    pub fn all(field: Field) -> Self {
        Self::new(ExprKind::Quantified { quantifier: Quantifier::All, field })
    }

    /// `#var`
    pub fn count_of(var: impl Into<SmolStr>) -> Self {
        Self::new(ExprKind::Count(var.into()))
    }

    pub fn text(value: impl Into<SmolStr>) -> Self {
        Self::new(ExprKind::Text(Text::quoted(value)))
    }

    /// Between backquotes where the value allows it: for patterns.
    pub fn raw_text(value: impl Into<SmolStr>) -> Self {
        Self::new(ExprKind::Text(Text::raw(value)))
    }

    /// `/…/`, in the one spelling that its text reads back as (`a/b` for `a\/b`).
    pub fn regex(pattern: &str) -> Self {
        let mut written = String::with_capacity(pattern.len() + 2);
        write_regex(&mut written, pattern);
        let inner = written.get(1..written.len() - 1).unwrap_or("");
        Self::new(ExprKind::Regex(read_regex(inner)))
    }

    /// The language has no negative literals: `0 - 1`.
    pub fn int(value: i64) -> Self {
        let number = Self::new(ExprKind::Number(format_smolstr!("{}", value.unsigned_abs())));
        if value < 0 { Self::new(ExprKind::Number("0".into())).arith(ArithOp::Sub, number) } else { number }
    }

    /// `None` for NaN and infinities, which have no literal.
    pub fn float(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let magnitude = value.abs();
        let text = if magnitude == magnitude.trunc() {
            format_smolstr!("{magnitude:.1}")
        } else {
            format_smolstr!("{magnitude}")
        };
        let number = Self::new(ExprKind::Number(text));
        let negative = value.is_sign_negative() && value != 0.0;
        Some(if negative {
            Self::new(ExprKind::Number("0.0".into())).arith(ArithOp::Sub, number)
        } else {
            number
        })
    }

    pub fn bool(value: bool) -> Self {
        Self::new(ExprKind::Bool(value))
    }

    pub fn call(name: impl Into<SmolStr>, args: impl IntoIterator<Item = Self>) -> Self {
        let args = args.into_iter().map(|value| Arg { name: None, value, span: Loc::default() }).collect();
        Self::new(ExprKind::Call(Call { name: name.into(), args }))
    }

    pub fn compare(self, op: CompareOp, right: Self) -> Self {
        Self::new(ExprKind::Compare(Box::new(Compare { op, left: self, right, nocase: false })))
    }

    #[must_use]
    pub fn eq(self, right: Self) -> Self {
        self.compare(CompareOp::Eq, right)
    }

    #[must_use]
    pub fn ne(self, right: Self) -> Self {
        self.compare(CompareOp::Ne, right)
    }

    /// `… nocase` on a comparison, a list lookup or a call.
    #[must_use]
    pub fn nocase(mut self) -> Self {
        match &mut self.kind {
            ExprKind::Compare(compare) => compare.nocase = true,
            ExprKind::In(lookup) => lookup.nocase = true,
            _ => return Self::new(ExprKind::NoCase(Box::new(self))),
        }
        self
    }

    /// `self in %list`
    #[must_use]
    pub fn in_list(self, kind: ListKind, list: impl Into<SmolStr>, column: Option<SmolStr>) -> Self {
        let list = list.into();
        let lookup = In { operand: self, kind, list, column, nocase: false, list_span: Loc::default() };
        Self::new(ExprKind::In(Box::new(lookup)))
    }

    #[must_use]
    pub fn arith(self, op: ArithOp, right: Self) -> Self {
        match self.kind {
            // The same level goes on: `(a + b) + c` is `a + b + c`.
            ExprKind::Arith { first, mut rest }
                if rest.last().is_some_and(|(last, _)| last.is_product() == op.is_product()) =>
            {
                rest.push((op, right));
                Self::new(ExprKind::Arith { first, rest })
            }
            _ => Self::new(ExprKind::Arith { first: Box::new(self), rest: vec![(op, right)] }),
        }
    }

    /// `not x`; of a negation, what it negates.
    #[must_use]
    pub fn negated(self) -> Self {
        match self.kind {
            ExprKind::Not(inner) => *inner,
            _ => Self::new(ExprKind::Not(Box::new(self))),
        }
    }

    /// `!$e`
    pub fn absent(var: impl Into<SmolStr>) -> Self {
        Self::new(ExprKind::Bang(Box::new(Self::var(var))))
    }

    /// All of them; flat. `true` for none, which the language has no better form for.
    pub fn all_of(operands: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for operand in operands {
            match operand.kind {
                ExprKind::And(inner) => flat.extend(inner),
                _ => flat.push(operand),
            }
        }
        Self::joined(flat, true, ExprKind::And)
    }

    /// One of them; flat.
    pub fn any_of(operands: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for operand in operands {
            match operand.kind {
                ExprKind::Or(inner) => flat.extend(inner),
                _ => flat.push(operand),
            }
        }
        Self::joined(flat, false, ExprKind::Or)
    }

    fn joined(mut operands: Vec<Self>, empty: bool, join: fn(Vec<Self>) -> ExprKind) -> Self {
        match operands.len() {
            0 => Self::bool(empty),
            1 => operands.remove(0),
            _ => Self::new(join(operands)),
        }
    }
}
