//! What the making of tables works with: a guide of choices, the choices that there were, where columns come from.
//!
//! The walk itself stands in `build` (operators), `goal` (tests), `nodes`, `wished`, `made` and `late`.

use super::store::{Store, TemplateId};
use super::wish::Wish;
use indexmap::{IndexMap, IndexSet};
use ruleferry_eval::Value;
use ruleferry_ir::{Aggregate, AggregateItem, ColId, CompareOp, Expr, Op, Plan, Query, Type};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;
use std::cell::RefCell;
use std::rc::Rc;

pub(super) type Inst = u32;

/// A place of the rule where something can be chosen: its address, the instance, and what is chosen.
pub(super) type Key = (usize, Inst, u8);

pub(super) fn key<T>(at: &T, inst: Inst, kind: u8) -> Key {
    (std::ptr::from_ref(at).addr(), inst, kind)
}

/// Kinds of keys.
pub(super) const BRANCH: u8 = 0;
pub(super) const NEEDLE: u8 = 1;
pub(super) const ATOM: u8 = 2;
pub(super) const INPUT: u8 = 3;
pub(super) const COPIES: u8 = 4;

/// What is to be chosen; what is not named takes its first option, or one by `random`.
#[derive(Clone, Debug, Default)]
pub(super) struct Guide {
    pub choices: FxHashMap<Key, usize>,
    /// Tests that are to fail instead.
    pub flips: FxHashSet<Key>,
    /// How often rows come more or less than a threshold asks for.
    pub more: FxHashMap<Key, i64>,
    pub random: u64,
    /// Which candidates values take.
    pub variant: u64,
    /// Columns that nothing is asked of have a value.
    pub fill: bool,
    /// The branches of an `or` that were not chosen are to be false.
    pub strict: bool,
    /// What only the result shows has a value, too.
    pub outputs: bool,
    /// Tests whose subject takes a value that is nearly what is looked for: which of them.
    pub near: FxHashMap<Key, usize>,
    /// Values for rows of a table, and which reading of it takes them.
    pub given: Rc<[Given]>,
    pub reading: usize,
}

/// What a part of a row is to be.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub table: SmolStr,
    pub column: (SmolStr, Type),
    pub path: Vec<Step>,
    pub wish: Wish,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Member(SmolStr),
    Element(usize),
}

/// The choices that there were.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace {
    /// What was taken, of how many.
    pub decisions: IndexMap<Key, (usize, usize)>,
    pub atoms: IndexSet<Key>,
    /// Those of `atoms` that are no `and` or `or`.
    pub leaves: IndexSet<Key>,
    pub counts: IndexMap<Key, usize>,
}

/// A query with what is known of it beforehand.
pub(super) struct Known<'q> {
    pub query: &'q Query,
    pub look_back: Option<i64>,
    /// Columns that some expression names.
    pub used: FxHashSet<ColId>,
    pub constants: RefCell<FxHashMap<usize, Option<Value>>>,
}

impl<'q> Known<'q> {
    pub fn new(query: &'q Query, look_back: Option<i64>) -> Self {
        let mut used = FxHashSet::default();
        query.any_expr(&mut |e| {
            used.extend(e.as_column());
            false
        });
        query.for_each_plan(&mut |p| {
            if matches!(&*p.op, Op::Project { .. } | Op::Distinct { .. }) {
                used.extend(p.output.iter().copied());
            } else if let Op::Select { items, .. } = &*p.op
                && items.len() < 24
            {
                used.extend(items.iter().map(|i| i.from));
            }
        });
        Self { query, look_back, used, constants: RefCell::default() }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Def<'q> {
    Column(TemplateId, SmolStr, Type),
    Node(usize),
    /// The value of an expression, or one of several.
    Expr(&'q Expr, Inst, usize),
    Same(Inst, ColId),
    Const(Value),
    /// An element of an array.
    Each(&'q Expr, Inst),
    Made(usize, &'q AggregateItem, usize),
}

/// An aggregation that rows are made for.
#[derive(Clone, Debug)]
pub(super) struct Group<'q> {
    pub node: &'q Aggregate,
    /// The instances of its input, with their rows; the first one is always there.
    pub worlds: Vec<World>,
    pub outer: Inst,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub inst: Inst,
    pub built: Built,
    /// A condition is asked of its rows.
    pub conditioned: bool,
    /// Its place among the repeats.
    pub repeat: Option<usize>,
}

/// What a plan's rows are made of.
#[derive(Clone, Debug, Default)]
pub(super) struct Built {
    pub templates: Vec<TemplateId>,
    /// Columns of which two rows cannot have the same values.
    pub unique: Vec<(Inst, ColId)>,
}

/// What can only be said once other values are known.
#[derive(Clone, Debug)]
pub(super) enum Late<'q> {
    Compare {
        op: CompareOp,
        left: (&'q Expr, Inst),
        right: (&'q Expr, Inst),
        not: bool,
    },
    /// `a = b + d`, `d` being so many units.
    Offset {
        a: (&'q Expr, Inst),
        b: (&'q Expr, Inst),
        d: usize,
        unit: i64,
    },
    Opaque {
        e: &'q Expr,
        inst: Inst,
        want: bool,
    },
}

pub(super) struct Maker<'q, 's, 'p> {
    pub known: &'s Known<'q>,
    pub store: &'s mut Store<'p>,
    pub guide: &'s Guide,
    pub trace: &'s mut Trace,
    pub defs: FxHashMap<(Inst, ColId), Def<'q>>,
    pub groups: Vec<Group<'q>>,
    pub late: Vec<Late<'q>>,
    pub insts: Inst,
    /// Rows of a table that is there already are used again.
    pub share: bool,
    /// Plans and expressions that may still be walked.
    pub budget: u32,
    /// Expressions that the node of one is looked for in.
    pub node_depth: u32,
    /// How often each table was read so far.
    pub readings: FxHashMap<SmolStr, usize>,
    /// The plan whose rows the test at hand looks at.
    pub scope: Vec<(&'q Plan, Inst)>,
    pub rows: Vec<Built>,
}
