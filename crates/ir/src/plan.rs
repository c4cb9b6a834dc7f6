//! The relational plan: bags of rows, one operator a node, every node with its output columns.
//!
//! Column ids: an operator that only passes a column on keeps its id; one that computes makes a new id. A reference to a
//! `let` table and the branches of a union make new ids for all columns, so that the two sides of a self join never share one.

use crate::functions::FunctionDef;
use crate::{BindingId, ColId, Expr, Opaque, Type};
use ruleferry_diag::Span;
use smol_str::SmolStr;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct Plan {
    pub op: Box<Op>,
    /// Output columns in order.
    pub output: Arc<[ColId]>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum Op {
    /// A table of the data source or a named input from outside the query.
    Scan(Scan),
    /// A table binding of the query; `output[i]` stands for the binding's column i.
    Ref(BindingId),
    /// Literal rows: `datatable`, `print` (one row, no input).
    Values(Values),
    /// `range name from … to … step …`.
    Range(Range),
    /// The rows of the sub-table that an `Apply` or `Partition` body works on.
    Rows,
    Filter {
        input: Plan,
        predicate: Expr,
    },
    /// New columns beside the old ones. A column of the same name is replaced in its place.
    Extend {
        input: Plan,
        items: Vec<Item>,
    },
    /// Exactly these columns, in this order. An item whose expression is the plain column `id` passes it on.
    Project {
        input: Plan,
        items: Vec<Item>,
    },
    /// Rename, remove, reorder: no new value; the output list says all.
    Select {
        input: Plan,
        kind: SelectKind,
        items: Vec<SelectItem>,
    },
    Aggregate(Aggregate),
    Distinct {
        input: Plan,
    },
    Join(Join),
    Union(Union),
    Sort {
        input: Plan,
        keys: Vec<SortKey>,
    },
    /// The first `count` rows; which ones is undefined unless the input is sorted.
    Limit {
        input: Plan,
        count: Expr,
        kind: LimitKind,
    },
    /// The first `count` rows in the order of `keys`.
    Top {
        input: Plan,
        count: Expr,
        keys: Vec<SortKey>,
    },
    /// One row a element of the arrays (`mv-expand`).
    Expand(Expand),
    /// For each row, `body` over the expanded rows; its output beside the row's columns (`mv-apply`).
    Apply(Apply),
    MakeSeries(MakeSeries),
    Parse(Parse),
    ParseKv(ParseKv),
    /// Marks the row order as meaningful, with new columns (`serialize`).
    Serialize {
        input: Plan,
        items: Vec<Item>,
    },
    /// `body` on each group of rows that share `key`, results unioned.
    Partition {
        input: Plan,
        key: ColId,
        body: Plan,
    },
    /// Sequence of steps over ordered rows (`scan`).
    Sequence(Sequence),
    TopNested(TopNested),
    /// A plugin of the catalogue: `bag_unpack`, `pivot`, `ipv4_lookup` …
    Plugin(Plugin),
    /// Rows that hold the terms in any column, over several tables with their name in `$table` (`search`, `find`).
    Search(Search),
    /// Table schema as rows.
    GetSchema {
        input: Plan,
    },
    /// A presentation hint (`render`), no change of rows.
    Render {
        input: Plan,
        text: SmolStr,
    },
    /// An operator that the IR does not have. `input` where it had one.
    Opaque {
        input: Option<Plan>,
        opaque: Opaque,
    },
}

/// One computed column, or several from a function that returns a tuple.
#[derive(Clone, Debug)]
pub struct Item {
    /// One id; several for `(a, b) = f(x)`.
    pub ids: Vec<ColId>,
    pub expr: Expr,
    /// The source named the column (`x = …`); otherwise the name was generated.
    pub named: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelectKind {
    Away,
    Keep,
    Rename,
    Reorder,
}

/// An output column of a `Select` and the input column that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelectItem {
    pub from: ColId,
    pub to: ColId,
}

#[derive(Clone, Debug)]
pub struct Scan {
    pub source: Source,
    /// The schema is not closed: further columns may exist.
    pub open: bool,
    /// The column that holds the event time, if the table has one.
    pub time: Option<ColId>,
}

#[derive(Clone, Debug)]
pub enum Source {
    Table(TableName),
    /// Every table whose name fits the glob, in a union (`union Device*`).
    Glob(SmolStr),
    /// From outside the query; listed under `needs`.
    Input(Input),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableName {
    /// `cluster(…)`, `database(…)`, `workspace(…)` in front of the table, as (function, argument).
    pub qualifiers: Vec<(SmolStr, SmolStr)>,
    pub name: SmolStr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InputKind {
    Table,
    Watchlist,
    ExternalData,
    Function,
}

#[derive(Clone, Debug)]
pub struct Input {
    pub kind: InputKind,
    /// Name under which `--data` gives it; unique in the query for one meaning.
    pub name: SmolStr,
    /// Arguments of a function; the addresses of external data.
    pub args: Vec<Expr>,
    /// Rows that a table function was invoked on (`T | invoke FileProfile(SHA1)`).
    pub over: Option<Plan>,
    /// Further properties as written (`format = 'csv'`).
    pub properties: Vec<(SmolStr, SmolStr)>,
}

#[derive(Clone, Debug)]
pub struct Values {
    pub rows: Vec<Vec<Expr>>,
    /// Written as `print`.
    pub print: bool,
}

#[derive(Clone, Debug)]
pub struct Range {
    pub from: Expr,
    pub to: Expr,
    pub step: Expr,
}

#[derive(Clone, Debug)]
pub struct Aggregate {
    pub input: Plan,
    /// Group keys; null and empty are groups of their own. None: one row, also for no input.
    pub keys: Vec<Item>,
    pub aggregates: Vec<AggregateItem>,
}

/// One aggregate call and its output columns (`arg_max(x, *)` and `percentiles` make several).
#[derive(Clone, Debug)]
pub struct AggregateItem {
    pub ids: Vec<ColId>,
    pub call: AggregateCall,
    pub named: bool,
}

#[derive(Clone, Debug)]
pub enum AggregateCall {
    /// An aggregate of the catalogue; the `…if` forms have the condition as their last argument, as in Kusto.
    Function(&'static FunctionDef, Vec<Expr>),
    /// `arg_max(by, returned…)`: `ids` are the returned columns, after `by` itself. Ties are an undefined choice.
    ArgExtreme { max: bool, by: Expr, returned: Vec<Expr>, star: bool },
    /// `take_any(…)`: values of one row, which one is undefined.
    TakeAny { returned: Vec<Expr>, star: bool, condition: Option<Expr> },
    /// An expression over aggregates: `count() * 2`, `tolower(max(x))`; the calls inside are `parts`,
    /// and `expr` names their results by the ids.
    Composed { parts: Vec<AggregateItem>, expr: Expr },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JoinKind {
    Inner,
    /// Inner, after one row per key of the left side was kept; which one is undefined. Kusto's default.
    InnerUnique,
    LeftOuter,
    RightOuter,
    FullOuter,
    LeftSemi,
    RightSemi,
    LeftAnti,
    RightAnti,
}

#[derive(Clone, Debug)]
pub struct Join {
    pub kind: JoinKind,
    /// The source wrote `lookup`: the right side's key columns are not in the output.
    pub lookup: bool,
    /// The source named the kind.
    pub explicit: bool,
    pub left: Plan,
    pub right: Plan,
    pub on: Vec<JoinKey>,
    /// For each right column of the output the id it gets (its own, or a new one where the name got a suffix).
    pub right_output: Vec<SelectItem>,
    pub hints: Vec<(SmolStr, SmolStr)>,
}

/// Equality of a left and a right column (nulls never match; strings are case-sensitive).
#[derive(Clone, Debug)]
pub struct JoinKey {
    pub left: ColId,
    pub right: ColId,
}

#[derive(Clone, Debug)]
pub struct Union {
    pub inputs: Vec<Plan>,
    /// For each output column (in the order of `output`, without the source column) the column of each input, if it has one.
    pub columns: Vec<Vec<Option<ColId>>>,
    /// `kind=inner`: only the columns that all inputs have.
    pub inner: bool,
    /// `isfuzzy`: inputs that do not exist are left out.
    pub fuzzy: bool,
    /// `withsource`: first output column, the name of the input.
    pub source: Option<ColId>,
    /// Labels of the inputs for `source`.
    pub labels: Vec<SmolStr>,
}

#[derive(Clone, Debug)]
pub struct SortKey {
    pub expr: Expr,
    pub descending: bool,
    pub nulls_first: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitKind {
    Take,
    Sample,
    /// `sample-distinct n of x`: `n` different values of the only output column.
    SampleDistinct,
}

#[derive(Clone, Debug)]
pub struct Expand {
    pub input: Plan,
    pub items: Vec<ExpandItem>,
    pub kind: ExpandKind,
    /// `with_itemindex`.
    pub index: Option<ColId>,
    pub limit: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpandKind {
    /// An object expands to objects of one member.
    Bag,
    /// An object expands to `[key, value]` arrays.
    Array,
}

#[derive(Clone, Debug)]
pub struct ExpandItem {
    pub id: ColId,
    pub expr: Expr,
    /// The type named by `to typeof(…)`; dynamic without.
    pub to: Option<Type>,
    pub named: bool,
}

#[derive(Clone, Debug)]
pub struct Apply {
    pub input: Plan,
    pub items: Vec<ExpandItem>,
    pub index: Option<ColId>,
    pub limit: Option<Expr>,
    /// A plan over [`Op::Rows`], whose output is the input's columns with the expanded ones.
    pub body: Plan,
}

#[derive(Clone, Debug)]
pub struct MakeSeries {
    pub input: Plan,
    pub aggregates: Vec<SeriesItem>,
    /// The column of the axis in the input and in the output.
    pub axis: Expr,
    pub axis_out: ColId,
    pub from: Option<Expr>,
    pub to: Option<Expr>,
    pub step: Expr,
    /// Written `in range(from, to, step)`: `to` is included.
    pub in_range: bool,
    pub keys: Vec<Item>,
    /// `kind=nonempty`: one empty series where there is no input.
    pub nonempty: bool,
}

#[derive(Clone, Debug)]
pub struct SeriesItem {
    pub aggregate: AggregateItem,
    pub default: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseMode {
    Simple,
    Regex,
    Relaxed,
}

#[derive(Clone, Debug)]
pub struct Parse {
    pub input: Plan,
    pub subject: Expr,
    pub mode: ParseMode,
    /// Regex flags as written (`Ui`).
    pub flags: SmolStr,
    pub pieces: Vec<ParsePiece>,
    /// `parse-where`: rows that do not match are dropped.
    pub filter: bool,
}

#[derive(Clone, Debug)]
pub enum ParsePiece {
    Star,
    /// A literal (or a pattern in regex mode) that must follow.
    Text(SmolStr),
    /// A column to fill up to the next literal, or by the shape of its type.
    Column(ColId),
}

#[derive(Clone, Debug)]
pub struct ParseKv {
    pub input: Plan,
    pub subject: Expr,
    pub columns: Vec<ColId>,
    pub pair_delimiter: Option<SmolStr>,
    pub kv_delimiter: Option<SmolStr>,
    /// Opening and closing quote.
    pub quotes: Option<(SmolStr, SmolStr)>,
    pub escape: Option<SmolStr>,
    pub greedy: bool,
    /// `regex=`: the pattern that finds keys and values.
    pub regex: Option<SmolStr>,
}

#[derive(Clone, Debug)]
pub struct Sequence {
    pub input: Plan,
    /// `with_match_id`.
    pub match_id: Option<ColId>,
    /// Declared columns, with their defaults.
    pub declared: Vec<(ColId, Option<Expr>)>,
    pub steps: Vec<SequenceStep>,
}

#[derive(Clone, Debug)]
pub struct SequenceStep {
    pub name: SmolStr,
    pub optional: bool,
    /// `output = all|last|none`.
    pub output: Option<SmolStr>,
    pub condition: Expr,
    pub assignments: Vec<(ColId, Expr)>,
    /// Columns of earlier states that conditions and assignments refer to: `step.column` as (step, column, id).
    pub states: Vec<(SmolStr, ColId, ColId)>,
}

#[derive(Clone, Debug)]
pub struct TopNested {
    pub input: Plan,
    pub levels: Vec<TopNestedLevel>,
}

#[derive(Clone, Debug)]
pub struct TopNestedLevel {
    pub count: Option<Expr>,
    pub key: Item,
    pub by: AggregateItem,
    pub descending: bool,
    /// `with others = …`.
    pub others: Option<Expr>,
}

#[derive(Clone, Debug)]
pub struct Plugin {
    pub function: &'static FunctionDef,
    pub input: Option<Plan>,
    pub args: Vec<PluginArg>,
    /// The output columns are known only when run, beyond those of `output`.
    pub open: bool,
}

#[derive(Clone, Debug)]
pub enum PluginArg {
    Expr(Expr),
    /// An aggregate as argument (`pivot(x, count())`).
    Aggregate(AggregateItem),
    Table(Plan),
}

#[derive(Clone, Debug)]
pub struct Search {
    /// The tables that are looked at; empty: all.
    pub inputs: Vec<Plan>,
    pub predicate: Expr,
    /// `$table` (`search`) or `source_` (`find`), if it is in the output.
    pub source: Option<ColId>,
    /// For each output column the column of each input.
    pub columns: Vec<Vec<Option<ColId>>>,
    /// Names of the inputs.
    pub labels: Vec<SmolStr>,
    pub find: bool,
}

impl Plan {
    pub fn new(op: Op, output: impl Into<Arc<[ColId]>>, span: Span) -> Self {
        Self { op: Box::new(op), output: output.into(), span }
    }

    /// The main input, for walking a pipeline upwards; `None` at its source.
    pub fn input(&self) -> Option<&Self> {
        match &*self.op {
            Op::Scan(_)
            | Op::Ref(_)
            | Op::Values(_)
            | Op::Range(_)
            | Op::Rows
            | Op::Union(_)
            | Op::Search(_) => None,
            Op::Filter { input, .. }
            | Op::Extend { input, .. }
            | Op::Project { input, .. }
            | Op::Select { input, .. }
            | Op::Distinct { input }
            | Op::Sort { input, .. }
            | Op::Limit { input, .. }
            | Op::Top { input, .. }
            | Op::Serialize { input, .. }
            | Op::Partition { input, .. }
            | Op::GetSchema { input }
            | Op::Render { input, .. } => Some(input),
            Op::Aggregate(a) => Some(&a.input),
            Op::Join(j) => Some(&j.left),
            Op::Expand(e) => Some(&e.input),
            Op::Apply(a) => Some(&a.input),
            Op::MakeSeries(m) => Some(&m.input),
            Op::Parse(p) => Some(&p.input),
            Op::ParseKv(p) => Some(&p.input),
            Op::Sequence(s) => Some(&s.input),
            Op::TopNested(t) => Some(&t.input),
            Op::Plugin(p) => p.input.as_ref(),
            Op::Opaque { input, .. } => input.as_ref(),
        }
    }
}
