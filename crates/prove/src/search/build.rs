//! From a plan to the rows that it needs: each operator says what its input must hold so that a row comes out.
//!
//! In: a rule and a [`Guide`] of choices (which branch of an `or`, which element of a list, which test to fail). Out: wishes
//! in a [`Store`], and a [`Trace`] of the choices that there were. Columns are followed from where they are read to where
//! they are made; ids are those of the query with an instance number, as a `let` table may be read several times.

use super::maker::{BRANCH, Built, COPIES, Def, Group, INPUT, Inst, Key, Late, Maker, Step, World, key};
use super::store::{Piece, Repeat, Shape};
use super::wish::Wish;
use ruleferry_eval::Value;
use ruleferry_ir::{
    Aggregate, AggregateCall, AggregateItem, ArithmeticOp, BindingValue, ColId, CompareOp, Expr, ExprKind,
    InputKind, Item, Join, JoinKind, MakeSeries, Op, Parse, ParseMode, ParsePiece, Plan, PluginArg, Source,
    TICKS_PER_SECOND, Type,
};
use smol_str::{SmolStr, format_smolstr};

impl<'q> Maker<'q, '_, '_> {
    /// Wishes for one row of the query's result.
    pub fn whole(&mut self, copies: Option<(usize, Key)>) {
        let query = self.known.query;
        let built = self.plan(&query.plan, 0);
        if self.guide.outputs {
            for id in query.plan.output.iter() {
                self.touch_column(0, *id);
            }
        }
        if let Some((count, key)) = copies {
            let vary: Vec<(usize, i64)> = self.distinct(&built, &[]);
            let count = self.counted(key, count);
            if count != 1 {
                self.store.repeats.push(Repeat { templates: built.templates, count, vary, all: false });
            }
        }
        self.settle();
    }

    fn counted(&mut self, key: Key, count: usize) -> usize {
        self.trace.counts.insert(key, count);
        let more = self.guide.more.get(&key).copied().unwrap_or(0);
        usize::try_from(i64::try_from(count).unwrap_or(i64::MAX).saturating_add(more)).unwrap_or(0)
    }

    pub fn name(&self, id: ColId) -> SmolStr {
        self.known.query.columns.name(id).into()
    }

    pub fn ty(&self, id: ColId) -> Type {
        self.known.query.columns.ty(id)
    }

    pub const fn fresh(&mut self) -> Inst {
        self.insts += 1;
        self.insts
    }

    /// One of `count` options.
    pub fn choose(&mut self, key: Key, count: usize) -> usize {
        if count < 2 {
            return 0;
        }
        let taken = match self.guide.choices.get(&key) {
            Some(at) => *at % count,
            None if self.guide.random == 0 => 0,
            None => {
                let place = self.trace.decisions.len() as u64;
                let mixed =
                    (self.guide.random ^ place << 24 ^ count as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                usize::try_from((mixed >> 23) % count as u64).unwrap_or(0)
            }
        };
        self.trace.decisions.insert(key, (taken, count));
        taken
    }

    /// Whether the plain way is taken, the other only by a guide that says so.
    fn choose_not(&mut self, key: Key) -> bool {
        let taken = self.guide.choices.get(&key).map_or(0, |at| at % 2);
        self.trace.decisions.insert(key, (taken, 2));
        taken == 0
    }

    pub fn def(&self, mut inst: Inst, mut id: ColId) -> Option<Def<'q>> {
        for _ in 0..200 {
            match self.defs.get(&(inst, id))? {
                Def::Same(i, c) => (inst, id) = (*i, *c),
                other => return Some(other.clone()),
            }
        }
        None
    }

    fn items(&mut self, items: &'q [Item], inst: Inst) {
        for item in items {
            for (part, id) in item.ids.iter().enumerate() {
                // A column that is passed on has its definition.
                if item.expr.as_column() != Some(*id) {
                    let part = if item.ids.len() > 1 { part + 1 } else { 0 };
                    self.defs.insert((inst, *id), Def::Expr(&item.expr, inst, part));
                }
            }
        }
    }

    /// What the rows of a plan are made of.
    pub fn plan(&mut self, plan: &'q Plan, inst: Inst) -> Built {
        let mut chain = vec![plan];
        while let Some(input) = chain.last().and_then(|p| p.input()) {
            chain.push(input);
        }
        let mut built = Built::default();
        while let Some(step) = chain.pop() {
            if self.budget == 0 {
                self.store.conflicts += 1;
                return built;
            }
            self.budget -= 1;
            built = self.step(step, inst, built);
        }
        built
    }

    fn step(&mut self, plan: &'q Plan, inst: Inst, mut built: Built) -> Built {
        match &*plan.op {
            Op::Scan(scan) => return self.scan(plan, scan, inst),
            Op::Ref(id) => {
                let query = self.known.query;
                if let Some(BindingValue::Table { plan: bound, .. }) =
                    query.bindings.get(id.0 as usize).map(|b| &b.value)
                {
                    let inner = self.fresh();
                    built = self.plan(bound, inner);
                    for (to, from) in plan.output.iter().zip(bound.output.iter()) {
                        self.defs.insert((inst, *to), Def::Same(inner, *from));
                    }
                }
            }
            Op::Values(values) => {
                let at = self.choose(key(&*plan.op, inst, INPUT), values.rows.len());
                if let Some(row) = values.rows.get(at) {
                    let several = row.len() == 1 && plan.output.len() > 1;
                    for (n, id) in plan.output.iter().enumerate() {
                        if let Some(e) = row.get(if several { 0 } else { n }) {
                            let part = if several { n + 1 } else { 0 };
                            self.defs.insert((inst, *id), Def::Expr(e, inst, part));
                        }
                    }
                }
            }
            Op::Range(range) => {
                if let Some(id) = plan.output.first() {
                    self.defs.insert((inst, *id), Def::Expr(&range.from, inst, 0));
                }
            }
            Op::Rows => built = self.rows.last().cloned().unwrap_or_default(),
            Op::Filter { input, predicate } => {
                self.scope.push((input, inst));
                self.rows.push(built.clone());
                self.goal(predicate, inst, true);
                self.rows.pop();
                self.scope.pop();
            }
            Op::Extend { items, .. } | Op::Project { items, .. } | Op::Serialize { items, .. } => {
                self.items(items, inst);
            }
            Op::Select { items, .. } => {
                for item in items.iter().filter(|i| i.from != i.to) {
                    self.defs.insert((inst, item.to), Def::Same(inst, item.from));
                }
            }
            Op::Aggregate(a) => return self.aggregate(a, inst, built),
            Op::Distinct { .. } => built.unique = plan.output.iter().map(|id| (inst, *id)).collect(),
            Op::Join(j) => return self.join(plan, j, inst, built),
            Op::Union(u) => {
                let at = self.choose(key(&*plan.op, inst, INPUT), u.inputs.len());
                let Some(input) = u.inputs.get(at) else { return built };
                built = self.plan(input, inst);
                let outputs = plan.output.iter().filter(|id| Some(**id) != u.source);
                for (out, inputs) in outputs.zip(&u.columns) {
                    let def = match inputs.get(at).copied().flatten() {
                        Some(id) if id == *out => continue,
                        Some(id) => Def::Same(inst, id),
                        None => Def::Const(Value::Null),
                    };
                    self.defs.insert((inst, *out), def);
                }
                if let (Some(source), Some(label)) = (u.source, u.labels.get(at)) {
                    self.defs.insert((inst, source), Def::Const(Value::String(label.clone())));
                }
            }
            Op::Search(s) => {
                let at = self.choose(key(&*plan.op, inst, INPUT), s.inputs.len());
                let Some(input) = s.inputs.get(at) else { return built };
                built = self.plan(input, inst);
                let outputs = plan.output.iter().filter(|id| Some(**id) != s.source);
                for (out, inputs) in outputs.zip(&s.columns) {
                    let def = match inputs.get(at).copied().flatten() {
                        Some(id) if id == *out => continue,
                        Some(id) => Def::Same(inst, id),
                        None => Def::Const(Value::Null),
                    };
                    self.defs.insert((inst, *out), def);
                }
                if let (Some(source), Some(label)) = (s.source, s.labels.get(at)) {
                    self.defs.insert((inst, source), Def::Const(Value::String(label.clone())));
                }
                self.scope.push((plan, inst));
                self.rows.push(built.clone());
                self.goal(&s.predicate, inst, true);
                self.rows.pop();
                self.scope.pop();
            }
            Op::Top { count, keys, .. } => {
                let key = keys.first().map(|k| &k.expr);
                self.more_than_kept(&plan.op, count, key, inst, &built);
            }
            Op::Limit { input, count, .. } => {
                let key =
                    if let Op::Sort { keys, .. } = &*input.op { keys.first().map(|k| &k.expr) } else { None };
                self.more_than_kept(&plan.op, count, key, inst, &built);
            }
            Op::Sort { .. } | Op::Render { .. } => {}
            Op::Expand(e) => {
                for item in &e.items {
                    self.expanded(item.id, &item.expr, inst);
                }
                if let Some(index) = e.index {
                    self.defs.insert((inst, index), Def::Const(Value::Long(0)));
                }
                built.unique = Vec::new();
            }
            Op::Apply(a) => {
                for item in &a.items {
                    self.expanded(item.id, &item.expr, inst);
                }
                if let Some(index) = a.index {
                    self.defs.insert((inst, index), Def::Const(Value::Long(0)));
                }
                self.rows.push(built);
                built = self.plan(&a.body, inst);
                self.rows.pop();
            }
            Op::Partition { body, .. } => {
                self.rows.push(built);
                built = self.plan(body, inst);
                self.rows.pop();
            }
            Op::MakeSeries(m) => return self.series(m, inst, built),
            Op::Parse(p) => self.parse(p, inst),
            Op::ParseKv(p) => {
                if let Some(subject) = self.node_of(&p.subject, inst) {
                    let pair: SmolStr = p.pair_delimiter.clone().unwrap_or_else(|| " ".into());
                    let kv: SmolStr = p.kv_delimiter.clone().unwrap_or_else(|| "=".into());
                    let mut pieces = Vec::new();
                    for id in &p.columns {
                        let hole = self.store.node(&self.name(*id), self.ty(*id));
                        self.defs.insert((inst, *id), Def::Node(hole));
                        if !pieces.is_empty() {
                            pieces.push(Piece::Text(pair.clone()));
                        }
                        pieces.push(Piece::Text(format_smolstr!("{}{kv}", self.name(*id))));
                        pieces.push(Piece::Hole(hole));
                    }
                    self.store.shape(subject, Shape { pieces, first: true });
                }
            }
            Op::Sequence(s) => {
                // One row for each step, in this order.
                for step in &s.steps {
                    for (_, from, to) in &step.states {
                        self.defs.insert((inst, *to), Def::Same(inst, *from));
                    }
                }
                if let Some(step) = s.steps.first() {
                    self.goal(&step.condition, inst, true);
                }
                for (id, default) in &s.declared {
                    if let Some(e) = default {
                        self.defs.insert((inst, *id), Def::Expr(e, inst, 0));
                    }
                }
            }
            Op::TopNested(t) => {
                for level in &t.levels {
                    self.items(std::slice::from_ref(&level.key), inst);
                }
            }
            Op::Plugin(p) => {
                for arg in &p.args {
                    if let PluginArg::Table(table) = arg {
                        self.plan(table, inst);
                    }
                }
                if p.function.name == "bag_unpack"
                    && let Some(PluginArg::Expr(bag)) = p.args.first()
                    && let Some(node) = self.node_of(bag, inst)
                {
                    let prefix = match p.args.get(1) {
                        Some(PluginArg::Expr(e)) => self.constant(e).map(|v| super::wish::text_of(&v)),
                        _ => None,
                    };
                    let mut members = 0;
                    for id in plan.output.iter() {
                        if !self.defs.contains_key(&(inst, *id)) {
                            let name = self.name(*id);
                            let name = prefix.as_deref().and_then(|p| name.strip_prefix(p)).unwrap_or(&name);
                            let member = self.store.member(node, name);
                            self.defs.insert((inst, *id), Def::Node(member));
                            members += 1;
                        }
                    }
                    if members == 0 {
                        self.store.member(node, "alpha");
                    }
                }
            }
            Op::GetSchema { .. } | Op::Opaque { .. } => {}
        }
        built
    }

    fn scan(&mut self, plan: &'q Plan, scan: &'q ruleferry_ir::Scan, inst: Inst) -> Built {
        let mut built = Built::default();
        let (table, input) = match &scan.source {
            Source::Table(t) => (t.name.clone(), None),
            Source::Glob(glob) => {
                let fits = self.store.tables.keys().find(|t| glob_fits(glob, t)).cloned();
                (fits.unwrap_or_else(|| glob.replace('*', "X").into()), None)
            }
            Source::Input(i) => (i.name.clone(), Some(i)),
        };
        let over = input.and_then(|i| i.over.as_ref());
        if let Some(over) = over {
            built = self.plan(over, inst);
        }
        let shared = if self.share { self.store.template_of(&table) } else { None };
        let template = match shared {
            Some(t) => t,
            None => self.store.template(&table),
        };
        if over.is_none() {
            built.templates.insert(0, template);
        } else {
            built.templates.push(template);
        }
        let reading = self.readings.entry(table.clone()).or_default();
        if *reading == self.guide.reading {
            for given in self.guide.given.iter().filter(|g| g.table.eq_ignore_ascii_case(&table)) {
                let mut node = self.store.column(template, &given.column.0, given.column.1);
                for step in &given.path {
                    node = match step {
                        Step::Member(name) => self.store.member(node, name),
                        Step::Element(at) => self.store.element(node, *at),
                    };
                }
                self.store.wish(node, given.wish.clone());
            }
        }
        *reading += 1;
        let inner: Vec<ColId> = over.map_or_else(Vec::new, |o| o.output.to_vec());
        for id in plan.output.iter().filter(|id| !inner.contains(id)) {
            let (name, ty) = (self.name(*id), self.ty(*id));
            if let Some(columns) = self.store.tables.get_mut(&table) {
                columns.entry(name.clone()).or_insert(ty);
            }
            self.defs.insert((inst, *id), Def::Column(template, name.clone(), ty));
            if self.guide.fill && self.known.used.contains(id) {
                self.store.column(template, &name, ty);
            }
        }
        if let (Some(over), Some(input)) = (over, input) {
            let key = input.args.iter().find_map(Expr::as_column);
            let key = key.or_else(|| over.output.iter().copied().find(|id| self.name(*id) == "SHA1"));
            if let Some(key) = key {
                let (name, ty) = (self.name(key), self.ty(key));
                if let Some(columns) = self.store.tables.get_mut(&table) {
                    columns.entry(name.clone()).or_insert(ty);
                }
                let right = self.store.column(template, &name, ty);
                if let Some(left) = self.node_of_column(inst, key) {
                    self.store.unite(left, right);
                    self.store.wish(left, Wish::present());
                }
            }
        }
        if let Some(time) = scan.time {
            let (name, ty) = (self.name(time), self.ty(time));
            let node = self.store.column(template, &name, ty);
            if let Some(length) = self.known.look_back {
                let from = Value::Datetime(self.store.now.saturating_sub(length).max(0));
                self.store
                    .wish(node, Wish::new(super::wish::Test::Order(CompareOp::Ge, from), Type::Datetime));
            }
        }
        if let Some(input) = input
            && input.kind == InputKind::Function
        {
            for arg in &input.args {
                self.node_of(arg, inst);
            }
        }
        built
    }

    fn join(&mut self, plan: &'q Plan, j: &'q Join, inst: Inst, left: Built) -> Built {
        let without_right = match j.kind {
            JoinKind::Inner
            | JoinKind::InnerUnique
            | JoinKind::LeftSemi
            | JoinKind::RightOuter
            | JoinKind::RightSemi => false,
            // A partner silences the row: wanted only where that is what is looked at.
            JoinKind::LeftAnti => self.choose_not(key(&*plan.op, inst, INPUT)),
            JoinKind::RightAnti => {
                let alone = self.choose_not(key(&*plan.op, inst, INPUT));
                let right = self.plan(&j.right, inst);
                if !alone {
                    for on in &j.on {
                        self.equal_columns((inst, on.left), (inst, on.right));
                    }
                } else {
                    // Its own rows would be in the way.
                    self.store.forget(&left.templates);
                }
                for item in j.right_output.iter().filter(|i| i.from != i.to) {
                    self.defs.insert((inst, item.to), Def::Same(inst, item.from));
                }
                return right;
            }
            JoinKind::LeftOuter | JoinKind::FullOuter => self.choose(key(&*plan.op, inst, INPUT), 2) == 1,
        };
        if without_right {
            for item in &j.right_output {
                self.defs.insert((inst, item.to), Def::Const(Value::Null));
            }
            for id in plan.output.iter() {
                self.defs.entry((inst, *id)).or_insert(Def::Const(Value::Null));
            }
            return left;
        }
        let right = self.plan(&j.right, inst);
        for item in j.right_output.iter().filter(|i| i.from != i.to) {
            self.defs.insert((inst, item.to), Def::Same(inst, item.from));
        }
        for on in &j.on {
            self.equal_columns((inst, on.left), (inst, on.right));
        }
        let (mut templates, unique) = match j.kind {
            JoinKind::RightSemi => (right.templates.clone(), right.unique),
            JoinKind::Inner
            | JoinKind::InnerUnique
            | JoinKind::LeftSemi
            | JoinKind::RightOuter
            | JoinKind::LeftAnti
            | JoinKind::RightAnti
            | JoinKind::LeftOuter
            | JoinKind::FullOuter => {
                (left.templates.clone(), if left.unique.is_empty() { right.unique } else { left.unique })
            }
        };
        if j.kind != JoinKind::RightSemi && j.kind != JoinKind::LeftSemi {
            templates.extend(right.templates);
        }
        Built { templates, unique }
    }

    /// Rows beyond those that `top` or `take` keeps, where a guide asks for them.
    fn more_than_kept(
        &mut self,
        op: &'q Op,
        count: &'q Expr,
        by: Option<&'q Expr>,
        inst: Inst,
        built: &Built,
    ) {
        let Some(kept) = self.constant(count).and_then(|v| v.as_long()) else { return };
        let at = key(op, inst, COPIES);
        let Ok(kept) = usize::try_from(kept) else { return };
        if kept > 1000 {
            return;
        }
        let Some(more) = self.guide.more.get(&at).copied() else {
            self.trace.counts.insert(at, kept);
            return;
        };
        self.trace.counts.insert(at, kept);
        let mut vary = self.distinct(built, &[]);
        if let Some(e) = by
            && let Some(node) = self.node_of(e, inst)
        {
            let step = self.step_of(e, inst);
            vary.push((self.store.root(node), step));
        }
        let count = usize::try_from(i64::try_from(kept).unwrap_or(0) + more).unwrap_or(0);
        self.store.repeats.push(Repeat { templates: built.templates.clone(), count, vary, all: true });
    }

    /// The values that a computed column of the result reads are there.
    fn touch_column(&mut self, inst: Inst, id: ColId) {
        match self.def(inst, id) {
            Some(Def::Expr(e, i, _)) => self.touch(e, i),
            Some(Def::Made(group, item, _)) => {
                let Some(inst) = self.groups.get(group).and_then(|g| g.worlds.first()).map(|w| w.inst) else {
                    return;
                };
                match &item.call {
                    AggregateCall::Function(_, args) => args.iter().for_each(|e| self.touch(e, inst)),
                    AggregateCall::ArgExtreme { returned, .. } | AggregateCall::TakeAny { returned, .. } => {
                        returned.iter().for_each(|e| self.touch(e, inst));
                    }
                    AggregateCall::Composed { .. } => {}
                }
            }
            Some(Def::Each(e, i)) => {
                self.node_each(e, i);
            }
            Some(Def::Column(..) | Def::Node(_) | Def::Const(_) | Def::Same(..)) | None => {}
        }
    }

    fn touch(&mut self, e: &'q Expr, inst: Inst) {
        if self.budget == 0 || self.node_depth > 100 || self.constant(e).is_some() {
            return;
        }
        self.budget -= 1;
        self.node_depth += 1;
        if let ExprKind::Column(id) = &e.kind {
            self.touch_column(inst, *id);
        } else if let ExprKind::Case(branches, otherwise) = &e.kind {
            let at = self.choose(key(e, inst, BRANCH), branches.len() + 1);
            for (n, (condition, _)) in branches.iter().enumerate().take(at + 1) {
                self.goal(condition, inst, n == at);
            }
            self.touch(branches.get(at).map_or(&**otherwise, |(_, v)| v), inst);
        } else if self.node_of(e, inst).is_none() {
            let mut inner = Vec::new();
            e.operands(&mut inner);
            inner.into_iter().for_each(|x| self.touch(x, inst));
        }
        self.node_depth -= 1;
    }

    /// Two columns have one value, and there is one.
    pub fn equal_columns(&mut self, left: (Inst, ColId), right: (Inst, ColId)) {
        let (a, b) = (self.node_of_column(left.0, left.1), self.node_of_column(right.0, right.1));
        match (a, b) {
            (Some(a), Some(b)) => {
                self.store.unite(a, b);
                self.store.wish(a, Wish::present());
            }
            (Some(node), None) => self.equal_to_column(node, right),
            (None, Some(node)) => self.equal_to_column(node, left),
            (None, None) => {
                if let (Some(Def::Expr(x, i, 0)), Some(Def::Expr(y, k, 0))) =
                    (self.def(left.0, left.1), self.def(right.0, right.1))
                {
                    self.late.push(Late::Compare {
                        op: CompareOp::Eq,
                        left: (x, i),
                        right: (y, k),
                        not: false,
                    });
                }
            }
        }
    }

    fn equal_to_column(&mut self, node: usize, column: (Inst, ColId)) {
        match self.def(column.0, column.1) {
            Some(Def::Const(value)) => self.store.wish(node, Wish::equals(value, Type::Unknown)),
            Some(Def::Expr(e, inst, 0)) => {
                if let Some(value) = self.constant(e) {
                    let ty = self.ty(column.1);
                    self.store.wish(node, Wish::equals(value, ty));
                } else if let Some(value) = self.eval(e, inst, 0) {
                    let ty = self.ty(column.1);
                    self.store.wish(node, Wish::equals(value, ty));
                }
            }
            _ => {}
        }
    }

    fn aggregate(&mut self, a: &'q Aggregate, inst: Inst, built: Built) -> Built {
        let group = self.groups.len();
        self.items(&a.keys, inst);
        self.groups.push(Group {
            node: a,
            outer: inst,
            worlds: vec![World { inst, built: built.clone(), conditioned: false, repeat: None }],
        });
        for item in &a.aggregates {
            self.made(group, item, inst);
        }
        let unique = a.keys.iter().flat_map(|k| k.ids.iter().map(|id| (inst, *id))).collect();
        Built { templates: built.templates, unique }
    }

    fn made(&mut self, group: usize, item: &'q AggregateItem, inst: Inst) {
        if let AggregateCall::Composed { parts, expr } = &item.call {
            for part in parts {
                self.made(group, part, inst);
            }
            for id in &item.ids {
                self.defs.insert((inst, *id), Def::Expr(expr, inst, 0));
            }
            return;
        }
        for (part, id) in item.ids.iter().enumerate() {
            self.defs.insert((inst, *id), Def::Made(group, item, part));
        }
    }

    /// A second set of rows for the same group.
    pub fn world(&mut self, group: usize) -> Option<usize> {
        let (node, first) = {
            let g = self.groups.get(group)?;
            if g.worlds.len() > 6 {
                return None;
            }
            (g.node, g.worlds.first()?.inst)
        };
        let inst = self.fresh();
        let share = std::mem::replace(&mut self.share, false);
        let built = self.plan(&node.input, inst);
        self.share = share;
        self.items(&node.keys, inst);
        for k in &node.keys {
            for id in &k.ids {
                self.equal_columns((first, *id), (inst, *id));
            }
        }
        let g = self.groups.get_mut(group)?;
        g.worlds.push(World { inst, built, conditioned: true, repeat: None });
        Some(g.worlds.len() - 1)
    }

    /// Nodes that must vary so that copies of these rows do not fall together; not those that are fixed by `keys`.
    fn distinct(&mut self, built: &Built, keys: &[usize]) -> Vec<(usize, i64)> {
        for (inst, id) in built.unique.clone() {
            if let Some(node) = self.node_of_column(inst, id) {
                let root = self.store.root(node);
                if !keys.contains(&root) {
                    let step = self.step_of_column(inst, id);
                    return vec![(root, step)];
                }
            }
        }
        Vec::new()
    }

    /// So many rows in a group.
    pub fn copies(&mut self, group: usize, world: usize, count: usize, at: Key) {
        let count = self.counted(at, count);
        let Some(g) = self.groups.get(group).cloned() else { return };
        let Some(w) = g.worlds.get(world).cloned() else { return };
        let mut keys: Vec<usize> = Vec::new();
        for id in g.node.keys.iter().flat_map(|k| k.ids.iter()) {
            if let Some(node) = self.node_of_column(g.outer, *id) {
                keys.push(self.store.root(node));
            }
        }
        let vary = self.distinct(&w.built, &keys);
        self.repeat(group, world, count, vary);
    }

    pub fn repeat(&mut self, group: usize, world: usize, count: usize, vary: Vec<(usize, i64)>) {
        let Some(w) = self.groups.get(group).and_then(|g| g.worlds.get(world)).cloned() else { return };
        match w.repeat {
            Some(at) => {
                if let Some(r) = self.store.repeats.get_mut(at) {
                    r.count = r.count.max(count);
                    r.vary.extend(vary);
                }
            }
            None => {
                self.store.repeats.push(Repeat { templates: w.built.templates, count, vary, all: false });
                let at = self.store.repeats.len() - 1;
                if let Some(w) = self.groups.get_mut(group).and_then(|g| g.worlds.get_mut(world)) {
                    w.repeat = Some(at);
                }
            }
        }
    }

    /// A quiet series with one high point near its end.
    fn series(&mut self, m: &'q MakeSeries, inst: Inst, built: Built) -> Built {
        self.items(&m.keys, inst);
        let from = m.from.as_ref().and_then(|e| self.constant(e)).and_then(|v| v.as_ticks());
        let to = m.to.as_ref().and_then(|e| self.constant(e)).and_then(|v| v.as_ticks());
        let step =
            self.constant(&m.step).and_then(|v| v.as_ticks()).unwrap_or(3600 * TICKS_PER_SECOND).max(1);
        let to = to.unwrap_or(self.store.now).min(self.store.now);
        let from = from.unwrap_or_else(|| to.saturating_sub(step.saturating_mul(14)));
        let bins = usize::try_from((to - from) / step).unwrap_or(0).clamp(1, 400);
        // The rows that are there already are the high point.
        let peak = to.saturating_sub(step).max(from);
        let axis = self.node_of(&m.axis, inst);
        if let Some(axis) = axis {
            self.store.wish(
                axis,
                Wish::new(super::wish::Test::Order(CompareOp::Ge, Value::Datetime(peak)), Type::Datetime),
            );
            self.store.wish(
                axis,
                Wish::new(
                    super::wish::Test::Order(CompareOp::Lt, Value::Datetime(peak + step)),
                    Type::Datetime,
                ),
            );
        }
        let high = 40;
        self.store.repeats.push(Repeat {
            templates: built.templates.clone(),
            count: high,
            vary: Vec::new(),
            all: false,
        });
        // And one row in each earlier bin.
        let quiet = self.fresh();
        let base = self.plan(&m.input, quiet);
        self.items(&m.keys, quiet);
        for k in &m.keys {
            for id in &k.ids {
                self.equal_columns((inst, *id), (quiet, *id));
            }
        }
        if let Some(axis) = self.node_of(&m.axis, quiet) {
            let last = Value::Datetime(peak.saturating_sub(step / 2).max(0));
            self.store.wish(axis, Wish::equals(last, Type::Datetime));
            if bins > 1 {
                self.store.repeats.push(Repeat {
                    templates: base.templates,
                    count: bins.min(100),
                    vary: vec![(axis, step)],
                    all: false,
                });
            }
        }
        built
    }

    fn expanded(&mut self, id: ColId, e: &'q Expr, inst: Inst) {
        self.defs.insert((inst, id), Def::Each(e, inst));
        // So that there is an element.
        self.node_each(e, inst);
    }

    fn parse(&mut self, p: &'q Parse, inst: Inst) {
        let subject = self.node_of(&p.subject, inst);
        let regex = p.mode == ParseMode::Regex;
        let mut pieces = Vec::new();
        for piece in &p.pieces {
            match piece {
                ParsePiece::Star => {}
                ParsePiece::Text(t) if regex => {
                    let text = super::sample::sample(t, 0).unwrap_or_default();
                    pieces.push(Piece::Text(text.into()));
                }
                ParsePiece::Text(t) => pieces.push(Piece::Text(t.clone())),
                ParsePiece::Column(id) => {
                    let hole = self.store.node(&self.name(*id), self.ty(*id));
                    self.defs.insert((inst, *id), Def::Node(hole));
                    pieces.push(Piece::Hole(hole));
                }
            }
        }
        let first = !regex && !matches!(p.pieces.first(), Some(ParsePiece::Star));
        if let Some(subject) = subject {
            self.store.shape(subject, Shape { pieces, first });
        }
    }

    /// How far apart two values of a column must be to count as two.
    pub fn step_of_column(&mut self, inst: Inst, id: ColId) -> i64 {
        match self.def(inst, id) {
            Some(Def::Expr(e, i, 0)) => self.step_of(e, i),
            _ => TICKS_PER_SECOND,
        }
    }

    pub fn step_of(&mut self, e: &'q Expr, inst: Inst) -> i64 {
        if let ExprKind::Column(id) = &e.kind {
            return self.step_of_column(inst, *id);
        }
        if let ExprKind::Cast(c) = &e.kind {
            return self.step_of(&c.expr, inst);
        }
        let ExprKind::Call(f, args) = &e.kind else { return TICKS_PER_SECOND };
        match f.name {
            "bin" | "bin_at" | "floor" => args
                .get(1)
                .and_then(|a| self.constant(a))
                .and_then(|v| v.as_ticks().or_else(|| v.as_long()))
                .unwrap_or(1)
                .max(1),
            "startofday" | "format_datetime" | "dayofyear" | "dayofmonth" | "dayofweek" => {
                ruleferry_ir::time::TICKS_PER_DAY
            }
            "startofweek" | "week_of_year" => 7 * ruleferry_ir::time::TICKS_PER_DAY,
            "startofmonth" | "monthofyear" => 31 * ruleferry_ir::time::TICKS_PER_DAY,
            "hourofday" => ruleferry_ir::time::TICKS_PER_HOUR,
            _ => TICKS_PER_SECOND,
        }
    }

    /// `a op b` of two constants.
    pub fn compute(&self, op: ArithmeticOp, a: &Value, b: &Value, ty: Type) -> Option<Value> {
        let literal = |v: &Value| {
            let ty = super::value_type(v);
            Expr::literal(ruleferry_eval::to_ir(v, ty), ruleferry_diag::Span::default())
        };
        let e = Expr::arithmetic(op, literal(a), literal(b), ty, ruleferry_diag::Span::default());
        super::closed_value(&e, self.store.now).filter(|v| !v.is_null())
    }
}

pub(super) fn glob_fits(glob: &str, name: &str) -> bool {
    let mut rest = name;
    let parts: Vec<&str> = glob.split('*').collect();
    for (i, part) in parts.iter().enumerate() {
        if i == 0 {
            match rest.strip_prefix(part) {
                Some(tail) => rest = tail,
                None => return false,
            }
        } else if i + 1 == parts.len() {
            return rest.ends_with(part);
        } else {
            match rest.split_once(part) {
                Some((_, tail)) => rest = tail,
                None => return false,
            }
        }
    }
    rest.is_empty()
}
