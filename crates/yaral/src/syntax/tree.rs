//! The syntax tree of YARA-L 2.0: owned nodes with spans, built by the parser from text and by the lowering from the
//! IR, turned into text by the printer.
//!
//! Equality is structural: [`Loc`] compares equal to every other, so two trees are equal when they mean the same text
//! up to layout. Parentheses are not in the tree: the printer puts in what the text needs. The case of keywords is not
//! kept either.

use ruleferry_diag::Span;
use smol_str::SmolStr;

use super::literal::{Duration, Text};

/// Where a node stands in the source; the default (empty) for built nodes. Ignored by equality.
#[derive(Clone, Copy, Debug, Default)]
pub struct Loc(pub Span);

impl PartialEq for Loc {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Loc {}

impl From<Span> for Loc {
    fn from(span: Span) -> Self {
        Self(span)
    }
}

/// A whole text: rules in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    pub rules: Vec<Rule>,
}

/// `rule name { sections }`. A section that is absent and one that is empty are the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    pub name: Name,
    pub meta: Vec<Meta>,
    pub setup: Vec<Setup>,
    /// Predicates that all hold: `a or b` on one line and `c` on the next are two.
    pub events: Vec<Expr>,
    pub matching: Option<Match>,
    pub outcome: Vec<Outcome>,
    pub condition: Option<Expr>,
    pub options: Vec<Setting>,
    pub export: Vec<Export>,
    pub span: Loc,
    /// Where each section begins: comments before a header stay there. Not part of the meaning.
    pub heads: Heads,
}

/// The places of the section headers in the text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heads {
    pub at: [Option<u32>; Section::COUNT],
    /// The `}`.
    pub end: Option<u32>,
}

impl PartialEq for Heads {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// In the order that the language asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    Meta,
    Setup,
    Events,
    Match,
    Outcome,
    Condition,
    Options,
    Export,
}

impl Section {
    pub const COUNT: usize = 8;
    pub const ALL: [Self; Self::COUNT] = [
        Self::Meta,
        Self::Setup,
        Self::Events,
        Self::Match,
        Self::Outcome,
        Self::Condition,
        Self::Options,
        Self::Export,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Setup => "setup",
            Self::Events => "events",
            Self::Match => "match",
            Self::Outcome => "outcome",
            Self::Condition => "condition",
            Self::Options => "options",
            Self::Export => "export",
        }
    }
}

/// A name without its sigil: of a rule, a variable, a column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Name {
    pub text: SmolStr,
    pub span: Loc,
}

/// `key = "value"`
#[derive(Clone, Debug, PartialEq)]
pub struct Meta {
    pub key: Name,
    pub value: Text,
    pub span: Loc,
    /// Of the value, with its quotes.
    pub value_span: Loc,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    pub kind: SetupKind,
    pub span: Loc,
}

#[derive(Clone, Debug, PartialEq)]
pub enum SetupKind {
    /// `graph_override(condition)`
    GraphOverride(Expr),
    /// `graph_exclude(condition)`
    GraphExclude(Expr),
    /// `graph_append [$variable, %table]`
    GraphAppend { variable: Name, table: Name },
}

/// `$a, $b over 5m`
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    pub keys: Vec<Name>,
    /// `None` where the text has none; rules need one.
    pub window: Option<Window>,
    pub span: Loc,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    pub length: Duration,
    pub kind: WindowKind,
    pub span: Loc,
}

#[derive(Clone, Debug, PartialEq)]
pub enum WindowKind {
    /// `over 5m`: overlapping windows.
    Hop,
    /// `over 5m after $e`: begins at each event of the variable.
    After(Name),
    /// `over 5m before $e`: ends at each event of the variable.
    Before(Name),
    /// `by 5m`: disjoint.
    Tumbling,
}

/// `$name = value`
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub name: Name,
    pub value: Expr,
    pub span: Loc,
}

/// `name = value`
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    pub name: Name,
    pub value: SettingValue,
    pub span: Loc,
}

#[derive(Clone, Debug, PartialEq)]
pub enum SettingValue {
    Bool(bool),
    Duration(Duration),
    Number(SmolStr),
    Text(Text),
}

/// `%table.write_row(column: value, …)`
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    pub table: Name,
    pub columns: Vec<(Name, Expr)>,
    pub span: Loc,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Loc,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `$e.principal.hostname`; `$p` alone (a placeholder, an outcome, in `condition` an event).
    Field(Field),
    /// `any $e.f`, `all $e.f`
    Quantified {
        quantifier: Quantifier,
        field: Field,
    },
    /// `#e`
    Count(SmolStr),
    Text(Text),
    /// The pattern of `/…/`, with `\/` read as `/`.
    Regex(SmolStr),
    /// Digits with or without a fraction, as written.
    Number(SmolStr),
    Bool(bool),
    /// `period:1d`
    Duration(Duration),
    /// A bare word as the value of a named argument: `agg:max`.
    Word(SmolStr),
    /// `%table.column`
    TableColumn {
        table: SmolStr,
        column: SmolStr,
    },
    WindowStart,
    WindowEnd,
    /// `[a, b]`
    Array(Vec<Expr>),
    Call(Call),
    /// Operands of one level, in order: `a + b - c`, `a * b / c`.
    Arith {
        first: Box<Expr>,
        rest: Vec<(ArithOp, Expr)>,
    },
    /// `left op right`, `… nocase`. A regex stands only at the right of `=` and `!=`.
    Compare(Box<Compare>),
    /// `x in %list`
    In(Box<In>),
    /// `x is null`, `x is not null`
    IsNull {
        operand: Box<Expr>,
        negated: bool,
    },
    /// `call(…) nocase`
    NoCase(Box<Expr>),
    /// `not x`
    Not(Box<Expr>),
    /// `!$e`, in `condition`.
    Bang(Box<Expr>),
    /// Two or more operands.
    And(Vec<Expr>),
    Or(Vec<Expr>),
    /// What could not be read; a diagnostic says why.
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    Any,
    All,
}

/// A variable and the path into it.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Without the `$`.
    pub var: SmolStr,
    /// Empty for the variable itself.
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// `.name`
    Name(SmolStr),
    /// `[0]`
    Index(u32),
    /// `["key"]`
    Key(Text),
}

/// `name(args)`; the name may be dotted.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub name: SmolStr,
    pub args: Vec<Arg>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// `period:1d`, `principal.user.userid:$u`; only `metrics.*` functions take them.
    pub name: Option<SmolStr>,
    pub value: Expr,
    pub span: Loc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArithOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

impl ArithOp {
    pub const fn text(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Rem => "%",
        }
    }

    /// Whether it binds as `*` does.
    pub const fn is_product(self) -> bool {
        matches!(self, Self::Mul | Self::Div | Self::Rem)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Compare {
    pub op: CompareOp,
    pub left: Expr,
    pub right: Expr,
    pub nocase: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompareOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl CompareOp {
    pub const fn text(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct In {
    pub operand: Expr,
    pub kind: ListKind,
    pub list: SmolStr,
    /// `%table.column`
    pub column: Option<SmolStr>,
    pub nocase: bool,
    pub list_span: Loc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    Text,
    Regex,
    Cidr,
}

/// A comment of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// With its `//` or `/* */`, without the line end and trailing blanks.
    pub text: SmolStr,
    pub span: Span,
    /// Nothing but blanks stands before it on its line; else it trails code.
    pub own_line: bool,
    /// An empty line stands before it.
    pub blank_before: bool,
    /// An empty line stands between it and the code that follows.
    pub blank_after: bool,
}
