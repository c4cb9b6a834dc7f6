//! The syntax tree of the Kusto Query Language: owned nodes with spans, built by the parser from text
//! and by the lowering from the IR, turned into text by the printer.
//!
//! Equality is structural: [`Loc`] compares equal to every other, so two trees are equal when they mean the
//! same text up to layout. Parentheses, brackets around names, the quote character and legacy spellings are
//! not in the tree: the printer puts in what the text needs.

use ruleferry_diag::Span;
use smol_str::SmolStr;

use super::literal::{Dynamic, Literal, ScalarType, StringLiteral};

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

/// A whole text: statements in order. The last statement is usually the query proper.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// `#connect …` lines, as written.
    pub directives: Vec<Directive>,
    pub statements: Vec<Statement>,
    pub span: Loc,
}

/// A line that begins with `#`, without the line end.
#[derive(Clone, Debug, PartialEq)]
pub struct Directive {
    pub text: SmolStr,
    pub span: Loc,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub kind: StatementKind,
    pub span: Loc,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `let name = value`
    Let { name: Name, value: LetValue },
    /// A bare expression, tabular or scalar: the query itself. `T`, `T | where …`, `f(x)`, `print 1`.
    Query(Expr),
    /// `set name` or `set name = value`
    Set { name: Name, value: Option<Expr> },
    /// `declare query_parameters(a:string = "x")`
    QueryParameters(Vec<FunctionParam>),
    /// `declare pattern …`
    Pattern(Box<Pattern>),
    /// `alias database name = expression`
    AliasDatabase { name: Name, value: Expr },
    /// `restrict access to (a, b) with (…)`
    RestrictAccess { entities: Vec<Expr>, properties: Vec<Param> },
    /// What could not be read; a diagnostic says why.
    Error,
}

#[derive(Clone, Debug, PartialEq)]
pub enum LetValue {
    /// A scalar or a tabular expression.
    Expr(Expr),
    Function(Box<Function>),
}

/// `view? (parameters) { statements }`
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// `view (…) {…}`: can be taken in by `union *`.
    pub view: bool,
    pub params: Vec<FunctionParam>,
    pub body: Vec<Statement>,
    pub span: Loc,
}

/// `name: type = default`
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionParam {
    pub name: Name,
    pub ty: ParamType,
    pub default: Option<Expr>,
    pub span: Loc,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ParamType {
    Scalar(ScalarType),
    /// `(a:string, b:long)`
    Table(Vec<ColumnDecl>),
    /// `(*)`
    AnyTable,
}

/// `declare pattern name = (params)[path] { (args).[path] = { body }; … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    pub name: Name,
    /// `None` for a bare declaration `declare pattern name`.
    pub signature: Option<PatternSignature>,
    pub span: Loc,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PatternSignature {
    pub params: Vec<FunctionParam>,
    pub path: Option<FunctionParam>,
    pub cases: Vec<PatternCase>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PatternCase {
    pub args: Vec<Expr>,
    pub path: Option<Expr>,
    pub body: Vec<Statement>,
    pub span: Loc,
}

/// `name: type`, in `datatable`, `externaldata`, tabular parameters, `parse-kv`, `scan declare`, ….
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnDecl {
    pub name: Name,
    pub ty: ScalarType,
    /// `scan … declare (a:long = 0)` only.
    pub default: Option<Expr>,
    pub span: Loc,
}

/// An identifier, decoded: `['a b']` and `["a b"]` are the name `a b`. The printer brackets where needed.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    pub text: SmolStr,
    pub span: Loc,
}

/// A name that may hold `*` wildcards.
#[derive(Clone, Debug, PartialEq)]
pub struct NamePattern {
    pub text: SmolStr,
    pub span: Loc,
}

/// An expression, scalar or tabular.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Loc,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A column, a `let` name, a table; also `$left`, `$right`.
    Name(SmolStr),
    /// A name with wildcards where tables or columns are listed: `union Sec*`.
    Wildcard(SmolStr),
    /// `*`: every column (or every table in `union`), as operand of `has`, `==`, …, or argument of `arg_max`.
    Star,
    /// `{name}`
    ClientParameter(SmolStr),
    Literal(Literal),
    /// `dynamic(…)`
    Dynamic(Box<Dynamic>),
    /// `typeof(string)`, `typeof(a:string, b:long)`, `typeof(*)`.
    TypeOf(Box<TypeOf>),
    /// `base.name`, `base.['name']`
    Path {
        base: Box<Expr>,
        name: Name,
    },
    /// `base[index]`, `base.[index]`
    Index {
        base: Box<Expr>,
        index: Box<Expr>,
    },
    Call(Box<Call>),
    /// `base.f(args)`: `cluster('c').database('d')`
    MethodCall {
        base: Box<Expr>,
        call: Box<Call>,
    },
    Unary {
        op: UnaryOp,
        operand: Box<Expr>,
    },
    /// Two operands, all but `and` and `or`.
    Binary(Box<Binary>),
    /// Two or more operands joined by `and`. `(a and b) and c` is flat, `a and (b and c)` is nested.
    And(Vec<Expr>),
    /// Two or more operands joined by `or`.
    Or(Vec<Expr>),
    /// `left in (a, b)`, `left has_any (a, b)`; an item may be tabular.
    List(Box<ListTest>),
    /// `left between (low .. high)`
    Between(Box<Between>),
    /// `name = value` or `(a, b) = value` where the grammar lets an argument be named.
    Named(Box<NamedExpr>),
    /// Operators after a source, or an operator that needs no source.
    Pipeline(Box<Pipeline>),
    /// `toscalar(…)`, `totable(…)`, `materialize(…)`
    Wrapped(Box<Wrapped>),
    Datatable(Box<Datatable>),
    ExternalData(Box<ExternalData>),
    /// `T datascope = hotcache`
    DataScope {
        entity: Box<Expr>,
        scope: SmolStr,
    },
    /// `entity_group [a, b]`
    EntityGroup(Vec<Expr>),
    /// What could not be read; a diagnostic says why.
    Error,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TypeOf {
    Scalar(ScalarType),
    /// A row type; `star` for a `*` that stands before (`typeof(*, a:string)`).
    Table {
        star: bool,
        columns: Vec<ColumnDecl>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub name: Name,
    pub args: Vec<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Binary {
    pub op: BinaryOp,
    pub left: Expr,
    pub right: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ListTest {
    pub op: ListOp,
    pub left: Expr,
    pub items: Vec<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Between {
    pub negated: bool,
    pub subject: Expr,
    pub low: Expr,
    pub high: Expr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    Minus,
    Plus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    /// `=~`
    EqCi,
    /// `!~`
    NeCi,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Has,
    NotHas,
    HasCs,
    NotHasCs,
    HasPrefix,
    NotHasPrefix,
    HasPrefixCs,
    NotHasPrefixCs,
    HasSuffix,
    NotHasSuffix,
    HasSuffixCs,
    NotHasSuffixCs,
    Contains,
    NotContains,
    ContainsCs,
    NotContainsCs,
    StartsWith,
    NotStartsWith,
    StartsWithCs,
    NotStartsWithCs,
    EndsWith,
    NotEndsWith,
    EndsWithCs,
    NotEndsWithCs,
    Like,
    NotLike,
    LikeCs,
    NotLikeCs,
    MatchesRegex,
    /// `column : "term"` of `search`
    Colon,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListOp {
    In,
    NotIn,
    /// `in~`
    InCi,
    /// `!in~`
    NotInCi,
    HasAny,
    HasAll,
}

/// `value`, `name = value` or `(a, b) = value`.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedExpr {
    pub names: ColumnNames,
    pub value: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ColumnNames {
    /// The language makes up the name.
    Default,
    One(Name),
    /// `(a, b) = …`: names of the first columns of the value.
    Many(Vec<Name>),
}

/// `source | operator | operator …`. Without a source, the first operator is one that starts a query
/// (`union`, `print`, `range`, `search`, `find`, …) or this is the body of `mv-apply`, `fork`, `partition` or
/// `facet`, which works on the rows of its host.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    pub source: Option<Expr>,
    pub operators: Vec<Operator>,
    pub span: Loc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WrapKind {
    ToScalar,
    ToTable,
    Materialize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Wrapped {
    pub kind: WrapKind,
    pub params: Vec<Param>,
    pub value: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Datatable {
    pub params: Vec<Param>,
    pub columns: Vec<ColumnDecl>,
    /// Row by row, as one list.
    pub values: Vec<Expr>,
    /// `__contextual_datatable(id, columns)`: the id; it has no values.
    pub context: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExternalData {
    pub params: Vec<Param>,
    pub columns: Vec<ColumnDecl>,
    pub uris: Vec<Expr>,
    /// `with (format="csv", …)`
    pub properties: Vec<Param>,
}

/// `name = value` before or after an operator's operands: `kind=inner`, `hint.strategy=shuffle`, `title="x"`.
/// The value is a name, a literal or (rarely) a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    pub name: Name,
    pub value: ParamValue,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ParamValue {
    /// A bare word: `inner`, `broadcast`, a column of `hint.shufflekey`.
    Word(SmolStr),
    Expr(Expr),
    /// `xcolumns=a, b`; `hint.shufflekey=(a, b)`.
    Words(Vec<Name>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Operator {
    pub kind: OperatorKind,
    pub span: Loc,
}

#[derive(Clone, Debug, PartialEq)]
pub enum OperatorKind {
    As {
        params: Vec<Param>,
        name: Name,
    },
    AssertSchema(Vec<ColumnDecl>),
    Consume(Vec<Param>),
    Count {
        params: Vec<Param>,
        name: Option<Name>,
    },
    Distinct {
        params: Vec<Param>,
        columns: Vec<Expr>,
    },
    Evaluate(Box<Evaluate>),
    ExecuteAndCache,
    Extend(Vec<NamedExpr>),
    Facet {
        by: Vec<Expr>,
        with: Option<Box<Pipeline>>,
    },
    Find(Box<Find>),
    Fork(Vec<ForkBranch>),
    GetSchema {
        kind: Option<Name>,
    },
    GraphMarkComponents(Vec<Param>),
    GraphMatch(Box<GraphMatch>),
    GraphShortestPaths(Box<GraphMatch>),
    GraphToTable(Vec<GraphTable>),
    GraphWhereEdges {
        params: Vec<Param>,
        predicate: Expr,
    },
    GraphWhereNodes {
        params: Vec<Param>,
        predicate: Expr,
    },
    Invoke {
        params: Vec<Param>,
        call: Expr,
    },
    Join(Box<Join>),
    Lookup(Box<Join>),
    MacroExpand(Box<MacroExpand>),
    MakeGraph(Box<MakeGraph>),
    MakeSeries(Box<MakeSeries>),
    MvApply(Box<MvApply>),
    MvExpand(Box<MvExpand>),
    /// `parse` and `parse-where`
    Parse(Box<Parse>),
    ParseKv(Box<ParseKv>),
    Partition(Box<Partition>),
    Print(Vec<NamedExpr>),
    Project(Vec<NamedExpr>),
    ProjectAway(Vec<NamePattern>),
    ProjectByNames(Vec<Expr>),
    ProjectKeep(Vec<NamePattern>),
    ProjectRename(Vec<NamedExpr>),
    ProjectReorder(Vec<ReorderKey>),
    Range(Box<Range>),
    Reduce(Box<Reduce>),
    Render(Box<Render>),
    Sample {
        params: Vec<Param>,
        count: Expr,
    },
    SampleDistinct {
        params: Vec<Param>,
        count: Expr,
        of: Expr,
    },
    Scan(Box<Scan>),
    Search(Box<Search>),
    Serialize {
        params: Vec<Param>,
        columns: Vec<NamedExpr>,
    },
    Sort {
        params: Vec<Param>,
        keys: Vec<SortKey>,
    },
    Summarize(Box<Summarize>),
    Take {
        params: Vec<Param>,
        count: Expr,
    },
    Top {
        params: Vec<Param>,
        count: Expr,
        by: SortKey,
    },
    TopHitters {
        params: Vec<Param>,
        count: Expr,
        of: NamedExpr,
        by: Option<NamedExpr>,
    },
    TopNested(Vec<TopNested>),
    Union {
        params: Vec<Param>,
        tables: Vec<Expr>,
    },
    /// `where` and `filter`
    Where {
        params: Vec<Param>,
        predicate: Expr,
    },
    /// What could not be read; a diagnostic says why.
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    Asc,
    Desc,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Nulls {
    First,
    Last,
}

/// `expr asc nulls last`; without a direction the language sorts `desc`.
#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    pub value: NamedExpr,
    pub direction: Option<Direction>,
    pub nulls: Option<Nulls>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReorderDirection {
    Asc,
    Desc,
    GrannyAsc,
    GrannyDesc,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ReorderKey {
    pub name: NamePattern,
    pub direction: Option<ReorderDirection>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Summarize {
    pub params: Vec<Param>,
    pub aggregates: Vec<NamedExpr>,
    /// `by` was written (it may be there with an empty list only in faulty text).
    pub by: Vec<NamedExpr>,
    /// Legacy `by a bin = 1h`.
    pub bin: Option<Expr>,
}

/// `join` and `lookup`.
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    pub params: Vec<Param>,
    pub right: Expr,
    pub condition: JoinCondition,
}

#[derive(Clone, Debug, PartialEq)]
pub enum JoinCondition {
    None,
    /// `on a, $left.b == $right.c`
    On(Vec<Expr>),
    /// `where a == b`
    Where(Expr),
}

/// `expr to typeof(type)`
#[derive(Clone, Debug, PartialEq)]
pub struct MvColumn {
    pub value: NamedExpr,
    pub to: Option<ScalarType>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MvExpand {
    pub params: Vec<Param>,
    pub columns: Vec<MvColumn>,
    pub limit: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MvApply {
    pub params: Vec<Param>,
    pub columns: Vec<MvColumn>,
    pub limit: Option<Expr>,
    /// `id <guid>`
    pub context: Option<Expr>,
    pub body: Pipeline,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MakeSeries {
    pub params: Vec<Param>,
    pub series: Vec<Series>,
    pub on: NamedExpr,
    pub range: SeriesRange,
    pub by: Vec<NamedExpr>,
}

/// `name = aggregate default = value`
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub value: NamedExpr,
    pub default: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum SeriesRange {
    /// `from a to b step c`
    FromToStep { from: Option<Expr>, to: Option<Expr>, step: Expr },
    /// `in range(a, b, c)`
    InRange(Vec<Expr>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Parse {
    /// `parse-where`: rows that do not match are dropped.
    pub filter: bool,
    /// `kind=`, `flags=`
    pub params: Vec<Param>,
    pub subject: Expr,
    pub pattern: Vec<ParsePart>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ParsePart {
    /// `*`
    Star,
    Text(StringLiteral),
    /// A name of a `let` string, where the parser cannot tell it from a column, is a `Column` without type.
    Column {
        name: Name,
        ty: Option<ScalarType>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct ParseKv {
    pub subject: Expr,
    pub columns: Vec<ColumnDecl>,
    pub properties: Vec<Param>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Evaluate {
    pub params: Vec<Param>,
    /// A call.
    pub call: Expr,
    pub schema: Option<EvaluateSchema>,
}

/// `: (*, a:string)`
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluateSchema {
    /// `*`: the columns of the input, too.
    pub star: bool,
    pub columns: Vec<ColumnDecl>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    pub name: Name,
    pub from: Expr,
    pub to: Expr,
    pub step: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Reduce {
    pub params: Vec<Param>,
    pub by: Expr,
    pub properties: Vec<Param>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Render {
    pub chart: Name,
    /// Inside `with (…)` or legacy without it; printed with it.
    pub properties: Vec<Param>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ForkBranch {
    pub name: Option<Name>,
    pub body: Pipeline,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Partition {
    pub params: Vec<Param>,
    pub by: Expr,
    /// `in f()`
    pub scope: Option<Expr>,
    pub body: PartitionBody,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PartitionBody {
    /// `by key (operators)`
    Operators(Pipeline),
    /// `by key { query }`
    Query(Box<Expr>),
    /// `__partitionby key id <guid> (operators)`
    Scoped { context: Option<Expr>, body: Pipeline },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    pub params: Vec<Param>,
    pub order_by: Vec<SortKey>,
    pub partition_by: Vec<Expr>,
    pub declare: Vec<ColumnDecl>,
    pub steps: Vec<ScanStep>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ScanStep {
    pub name: Name,
    pub optional: bool,
    /// `output = all | last | none`
    pub output: Option<Name>,
    pub condition: Expr,
    /// `=> a = x, b = y`
    pub assignments: Vec<NamedExpr>,
    pub span: Loc,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    pub params: Vec<Param>,
    /// `in (T, U)`
    pub tables: Vec<Expr>,
    pub predicate: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Find {
    pub params: Vec<Param>,
    /// `in (T, U)`
    pub tables: Vec<Expr>,
    /// `where` is left out when the predicate follows bare.
    pub predicate: Expr,
    pub project: FindProject,
}

#[derive(Clone, Debug, PartialEq)]
pub enum FindProject {
    None,
    Smart,
    Columns(Vec<FindColumn>),
    Away(Vec<NamePattern>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum FindColumn {
    Column {
        name: Name,
        ty: Option<ScalarType>,
    },
    /// `*`
    Star,
    /// `pack(*)`
    PackAll,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TopNested {
    pub count: Option<Expr>,
    pub of: NamedExpr,
    /// `with others = value`
    pub others: Option<Expr>,
    pub by: SortKey,
}

/// `macro-expand entity_group as scope ( statements )`
#[derive(Clone, Debug, PartialEq)]
pub struct MacroExpand {
    pub params: Vec<Param>,
    pub group: Expr,
    pub scope: Option<Name>,
    pub body: Vec<Statement>,
}

/// `make-graph source --> target with nodes on key, …`
#[derive(Clone, Debug, PartialEq)]
pub struct MakeGraph {
    pub params: Vec<Param>,
    pub source: Name,
    /// `-->`, else `--`.
    pub directed: bool,
    pub target: Name,
    pub nodes: MakeGraphNodes,
    /// `partitioned-by column (operators)`
    pub partitioned_by: Option<(Expr, Pipeline)>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum MakeGraphNodes {
    None,
    /// `with_node_id = name`
    NodeId(Name),
    /// `with (T) on key, (U) on key`
    Tables(Vec<(Expr, Expr)>),
}

/// `graph-match` and `graph-shortest-paths`.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphMatch {
    pub params: Vec<Param>,
    pub patterns: Vec<Vec<GraphElement>>,
    pub predicate: Option<Expr>,
    pub project: Option<Vec<NamedExpr>>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum GraphElement {
    /// `(name)`, `()`
    Node(Option<Name>),
    /// `-[name]->`, `<-[name*1..3]-`, `--`
    Edge { name: Option<Name>, direction: EdgeDirection, range: Option<EdgeRange> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EdgeDirection {
    /// `-->`
    Forward,
    /// `<--`
    Backward,
    /// `--`
    Any,
}

/// `*from..to`
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeRange {
    pub from: Expr,
    pub to: Expr,
}

/// `nodes as name with_node_id=id`
#[derive(Clone, Debug, PartialEq)]
pub struct GraphTable {
    /// `nodes` or `edges`.
    pub what: Name,
    pub name: Option<Name>,
    pub params: Vec<Param>,
}

/// `// …` kept beside the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// With the `//`, without the line end and trailing blanks.
    pub text: SmolStr,
    pub span: Span,
    /// Nothing but blanks stands before it on its line; else it trails code.
    pub own_line: bool,
    /// An empty line stands before it.
    pub blank_before: bool,
}
