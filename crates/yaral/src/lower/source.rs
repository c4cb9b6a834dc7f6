//! What a row of the plan is made of: events of tables, joins between them, and at most one grouping above.

use super::columns::Origin;
use super::outcome::Stage;
use super::{At, ColRef, Event, Joined, Lowerer, Scanned};
use crate::plain;
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{
    self as ir, BindingId, BindingValue, Case, ColId, Effect, Expr, ExprKind, InputKind, JoinKind, MatchKind,
    MatchValues, Op, Plan, Quantifier, Source as Scans, Subject, window,
};
use smol_str::SmolStr;

/// Columns that hold the time of an event in tables without a schema.
const TIME_COLUMNS: [&str; 2] = ["TimeGenerated", "Timestamp"];

/// Rows, and what all of them fulfil.
#[derive(Clone, Debug)]
pub(super) struct Branch<'q> {
    pub source: Source<'q>,
    pub filters: Vec<At<'q>>,
    /// The event variables of a row.
    pub events: Vec<usize>,
    /// Those of which each makes a row of its own.
    pub counted: Vec<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum Source<'q> {
    /// Events of a table.
    Table {
        event: usize,
        table: SmolStr,
    },
    /// Events of one of several tables.
    Any(Vec<Branch<'q>>),
    Join {
        left: Box<Branch<'q>>,
        right: Box<Branch<'q>>,
        absent: bool,
    },
    /// What has been refused.
    Nothing,
}

/// A side of an equality between two sides of a join.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side<'q> {
    Column(ColRef),
    Value(At<'q>),
}

/// Where in the plan rows are looked at.
#[derive(Clone, Copy, Debug)]
struct Spot {
    /// The event variable that the branches of a union share.
    event: Option<usize>,
    /// Nothing but projections stand above.
    exposed: bool,
    /// Only whether there is such a row counts.
    set: bool,
}

impl<'q> Branch<'q> {
    const fn nothing() -> Self {
        Self { source: Source::Nothing, filters: Vec::new(), events: Vec::new(), counted: Vec::new() }
    }
}

impl<'q> Lowerer<'q> {
    /// Walks the whole plan. What groups rows becomes the stage, and the conditions above it `having`.
    pub(super) fn top(&mut self, plan: &'q Plan, scope: u32, exposed: bool) -> Branch<'q> {
        self.deeper(plan.span, Branch::nothing(), |l| l.top_inside(plan, scope, exposed))
    }

    fn top_inside(&mut self, plan: &'q Plan, scope: u32, exposed: bool) -> Branch<'q> {
        if !self.groups(plan) {
            return self.rows(plan, scope, Spot { event: None, exposed, set: false });
        }
        match &*plan.op {
            Op::Aggregate(a) => {
                let set = a.aggregates.is_empty();
                let rows = self.rows(&a.input, scope, Spot { event: None, exposed: false, set });
                self.stage = Some(Stage::of_aggregate(a, scope, plan.span));
                for key in &a.keys {
                    self.register_item(scope, key);
                }
                self.register_aggregates(a, scope);
                rows
            }
            Op::Distinct { input } => {
                let rows = self.rows(input, scope, Spot { event: None, exposed: false, set: true });
                self.stage = Some(Stage::of_columns(&input.output, scope, plan.span));
                rows
            }
            Op::Filter { input, predicate } => {
                let rows = self.top(input, scope, false);
                let mut work = vec![predicate];
                while let Some(e) = work.pop() {
                    match &e.kind {
                        ExprKind::And(es) => work.extend(es.iter().rev()),
                        _ => self.having.push(At { scope, e }),
                    }
                }
                rows
            }
            Op::Extend { input, items } | Op::Project { input, items } | Op::Serialize { input, items } => {
                let rows = self.top(input, scope, exposed);
                items.iter().for_each(|i| self.register_item(scope, i));
                rows
            }
            Op::Select { input, items, kind: _ } => {
                let rows = self.top(input, scope, exposed);
                items.iter().for_each(|i| self.same((scope, i.to), (scope, i.from)));
                rows
            }
            Op::Sort { input, keys: _ } => {
                self.lose_order(plan.span);
                self.top(input, scope, exposed)
            }
            Op::Limit { input, .. } => {
                self.limit(plan, input, exposed);
                self.top(input, scope, false)
            }
            Op::Render { input, .. } => self.top(input, scope, exposed),
            Op::Ref(id) => {
                let Some(inner) = self.table(*id) else { return Branch::nothing() };
                self.scopes += 1;
                let within = self.scopes;
                let rows = self.top(inner, within, exposed);
                self.same_columns((scope, &plan.output), (within, &inner.output));
                rows
            }
            Op::Join(_)
            | Op::Union(_)
            | Op::Scan(_)
            | Op::Values(_)
            | Op::Range(_)
            | Op::Rows
            | Op::Top { .. }
            | Op::Expand(_)
            | Op::Apply(_)
            | Op::MakeSeries(_)
            | Op::Parse(_)
            | Op::ParseKv(_)
            | Op::Partition { .. }
            | Op::Sequence(_)
            | Op::TopNested(_)
            | Op::Plugin(_)
            | Op::Search(_)
            | Op::GetSchema { .. }
            | Op::Opaque { .. } => self.refuse_operator(plan),
        }
    }

    /// Whether rows are grouped somewhere on the way down to the tables or the first join.
    fn groups(&self, plan: &'q Plan) -> bool {
        let mut plan = plan;
        loop {
            plan = match &*plan.op {
                Op::Aggregate(_) | Op::Distinct { .. } => return true,
                Op::Join(_) | Op::Union(_) => return false,
                Op::Ref(id) => match self.table(*id) {
                    Some(inner) => inner,
                    None => return false,
                },
                _ => match plan.input() {
                    Some(input) => input,
                    None => return false,
                },
            };
        }
    }

    fn table(&self, id: BindingId) -> Option<&'q Plan> {
        match self.query.bindings.get(id.0 as usize).map(|b| &b.value) {
            Some(BindingValue::Table { plan, materialized: _ }) => Some(plan),
            Some(BindingValue::Scalar(_)) | None => None,
        }
    }

    fn same_columns(&mut self, (scope, to): (u32, &[ColId]), (within, from): (u32, &[ColId])) {
        for (to, from) in to.iter().zip(from) {
            self.same((scope, *to), (within, *from));
        }
    }

    fn register_item(&mut self, scope: u32, item: &'q ir::Item) {
        match item.ids.as_slice() {
            [id] => self.computed(scope, *id, &item.expr),
            ids => {
                for id in ids {
                    let why = "a column of several that one function makes";
                    self.origins.insert((scope, *id), Origin::Nothing(why));
                }
            }
        }
    }

    fn rows(&mut self, plan: &'q Plan, scope: u32, spot: Spot) -> Branch<'q> {
        self.deeper(plan.span, Branch::nothing(), |l| l.rows_inside(plan, scope, spot))
    }

    fn rows_inside(&mut self, plan: &'q Plan, scope: u32, spot: Spot) -> Branch<'q> {
        match &*plan.op {
            Op::Scan(scan) => self.scan(scan, plan, scope, spot),
            Op::Ref(id) => {
                let Some(inner) = self.table(*id) else { return self.refuse_operator(plan) };
                self.scopes += 1;
                let within = self.scopes;
                let rows = self.rows(inner, within, spot);
                self.same_columns((scope, &plan.output), (within, &inner.output));
                rows
            }
            Op::Filter { input, predicate } => {
                let rows = self.rows(input, scope, Spot { exposed: false, ..spot });
                if rows.events.len() > 1 {
                    self.note_distances(input, At { scope, e: predicate });
                }
                self.filter(rows, At { scope, e: predicate }, spot)
            }
            Op::Extend { input, items } | Op::Project { input, items } | Op::Serialize { input, items } => {
                let rows = self.rows(input, scope, spot);
                items.iter().for_each(|i| self.register_item(scope, i));
                rows
            }
            Op::Select { input, items, kind: _ } => {
                let rows = self.rows(input, scope, spot);
                items.iter().for_each(|i| self.same((scope, i.to), (scope, i.from)));
                rows
            }
            Op::Sort { input, keys: _ } => {
                self.lose_order(plan.span);
                self.rows(input, scope, spot)
            }
            Op::Limit { input, .. } => {
                self.limit(plan, input, spot.exposed);
                self.rows(input, scope, Spot { exposed: false, ..spot })
            }
            Op::Render { input, .. } => self.rows(input, scope, spot),
            Op::Distinct { input } => self.without_repeats(input, plan, scope, spot),
            Op::Aggregate(a) if a.aggregates.is_empty() => {
                let rows = self.without_repeats(&a.input, plan, scope, spot);
                a.keys.iter().for_each(|k| self.register_item(scope, k));
                rows
            }
            Op::Aggregate(_) => {
                let message = "rows are counted before they are joined or counted again";
                let help = "a YARA-L rule groups its events once, at the end";
                self.refuse(codes::YARAL_OUT_STAGES, plan.span, message, help);
                Branch::nothing()
            }
            Op::Join(join) => self.join(join, plan, scope, spot),
            Op::Union(union) => self.union(union, plan, scope, spot),
            Op::Values(_)
            | Op::Range(_)
            | Op::Rows
            | Op::Top { .. }
            | Op::Expand(_)
            | Op::Apply(_)
            | Op::MakeSeries(_)
            | Op::Parse(_)
            | Op::ParseKv(_)
            | Op::Partition { .. }
            | Op::Sequence(_)
            | Op::TopNested(_)
            | Op::Plugin(_)
            | Op::Search(_)
            | Op::GetSchema { .. }
            | Op::Opaque { .. } => self.refuse_operator(plan),
        }
    }

    /// Repeated rows that are dropped: where only the existence of a row counts, dropping them changes nothing.
    fn without_repeats(&mut self, input: &'q Plan, plan: &'q Plan, scope: u32, spot: Spot) -> Branch<'q> {
        let rows = self.rows(input, scope, Spot { exposed: false, ..spot });
        if !spot.set {
            let detail = "rows that repeat are not dropped: each makes a result of its own";
            self.lose(codes::DUPLICATES_SHOWN, Effect::Widens, plan.span, detail);
            return Branch { counted: Vec::new(), ..rows };
        }
        rows
    }

    fn scan(&mut self, scan: &'q ir::Scan, plan: &'q Plan, scope: u32, spot: Spot) -> Branch<'q> {
        let table = match &scan.source {
            Scans::Table(table) if table.qualifiers.is_empty() => table.name.clone(),
            Scans::Input(input) if input.kind == InputKind::Table => input.name.clone(),
            Scans::Table(_) | Scans::Glob(_) | Scans::Input(_) => {
                let message = "a YARA-L rule looks at events of tables that are named";
                let help = "read one table of the data source by its name";
                self.refuse(codes::YARAL_OUT_SOURCE, plan.span, message, help);
                return Branch::nothing();
            }
        };
        let event = spot.event.unwrap_or_else(|| self.new_event());
        let udm = table == plain::UDM_TABLE;
        if let Some(e) = self.events.get_mut(event)
            && *e.udm.get_or_insert(udm) != udm
        {
            let message = "events of UDM and of another table are taken together";
            self.refuse(codes::YARAL_OUT_SOURCE, plan.span, message, "write a rule for each");
        }
        let number = self.scans.len();
        self.scans.push(Scanned { event, look_back: None, bounds: Vec::new() });
        let by_name =
            || plan.output.iter().copied().find(|id| TIME_COLUMNS.contains(&self.query.columns.name(*id)));
        let time = scan.time.or_else(by_name);
        for id in plan.output.iter().copied() {
            let origin = if Some(id) == time {
                Origin::Time { event, scan: Some(number) }
            } else {
                Origin::Field { event, name: self.query.columns.name(id) }
            };
            self.origins.insert((scope, id), origin);
        }
        let source = Source::Table { event, table };
        Branch { source, filters: Vec::new(), events: vec![event], counted: vec![event] }
    }

    fn new_event(&mut self) -> usize {
        self.events.push(Event::default());
        self.events.len() - 1
    }

    /// Conditions on the time of events become the look-back, lists of other events joins, all others filters.
    fn filter(&mut self, rows: Branch<'q>, predicate: At<'q>, spot: Spot) -> Branch<'q> {
        let mut rows = rows;
        let mut work = vec![predicate.e];
        while let Some(e) = work.pop() {
            let at = At { e, ..predicate };
            if let ExprKind::And(es) = &e.kind {
                work.extend(es.iter().rev());
            } else if let Some((event, scan, bound)) = self.time_window(at) {
                let ticks = bound.ticks;
                for (i, scanned) in self.scans.iter_mut().enumerate() {
                    if scan.map_or(scanned.event == event, |s| s == i) {
                        scanned.bounds.push(bound);
                        scanned.look_back = Some(scanned.look_back.map_or(ticks, |before| before.min(ticks)));
                    }
                }
            } else if let Some((subject, plan, fold, absent)) = self.other_rows(at)
                && spot.event.is_none()
            {
                rows = self.among(rows, subject, plan, fold, absent);
            } else {
                rows.filters.push(at);
            }
        }
        rows
    }

    /// How far apart the predicate wants the times of two events.
    fn note_distances(&mut self, input: &'q Plan, at: At<'q>) {
        let (found, _) = window::differences(self.query, input, [at.e]);
        for d in found {
            let event = |l: &Self, id| match l.origin((at.scope, id)) {
                Some(Origin::Time { event, .. }) => Some(event),
                _ => None,
            };
            if let (Some(later), Some(earlier)) = (event(self, d.left), event(self, d.right))
                && later != earlier
            {
                let bound = |b: Option<window::Bound>| b.map(|b| b.ticks);
                self.distances.push((earlier, later, bound(d.low), bound(d.high)));
            }
        }
    }

    /// `x in (other rows)` and its negation: a join that keeps the left side.
    fn other_rows(&self, at: At<'q>) -> Option<(At<'q>, &'q Plan, bool, bool)> {
        let (e, absent) = match &at.e.kind {
            ExprKind::Not(inner) => (&**inner, true),
            _ => (at.e, false),
        };
        let (subject, plan, case) = match &e.kind {
            ExprKind::InQuery(i) => (&i.subject, &i.plan, i.case),
            ExprKind::Match(m) => match (&m.subject, &m.values) {
                (Subject::Expr(subject), MatchValues::Query(plan))
                    if m.kind == MatchKind::Equals && m.quantifier == Quantifier::Any =>
                {
                    (subject, &**plan, m.case)
                }
                _ => return None,
            },
            _ => return None,
        };
        if self.list_of(plan).is_some() {
            return None;
        }
        Some((At { e: subject, ..at }, plan, case == Case::Insensitive, absent))
    }

    fn among(
        &mut self,
        left: Branch<'q>,
        subject: At<'q>,
        plan: &'q Plan,
        fold: bool,
        absent: bool,
    ) -> Branch<'q> {
        let right = self.rows(plan, subject.scope, Spot { event: None, exposed: false, set: true });
        let Some(first) = plan.output.first().copied() else { return left };
        let keys = vec![(Side::Value(subject), Side::Column((subject.scope, first)), fold)];
        self.joined(left, right, keys, absent, plan.span)
    }

    fn joined(
        &mut self,
        left: Branch<'q>,
        right: Branch<'q>,
        keys: Vec<(Side<'q>, Side<'q>, bool)>,
        absent: bool,
        span: Span,
    ) -> Branch<'q> {
        if absent {
            match right.events.as_slice() {
                [only] => {
                    if let Some(e) = self.events.get_mut(*only) {
                        e.absent = true;
                    }
                }
                [] => {}
                _ => {
                    let message = "what must be absent is itself a join of events";
                    let help = "only one kind of event can be asked to be absent";
                    self.refuse(codes::YARAL_OUT_OPERATOR, span, message, help);
                }
            }
        }
        self.joins.push(Joined { keys, span });
        let mut events = left.events.clone();
        events.extend(&right.events);
        let counted = left.counted.clone();
        let source = Source::Join { left: Box::new(left), right: Box::new(right), absent };
        Branch { source, filters: Vec::new(), events, counted }
    }

    fn join(&mut self, join: &'q ir::Join, plan: &'q Plan, scope: u32, spot: Spot) -> Branch<'q> {
        let (swapped, absent, existence) = match join.kind {
            JoinKind::Inner | JoinKind::InnerUnique => (false, false, false),
            JoinKind::LeftSemi => (false, false, true),
            JoinKind::RightSemi => (true, false, true),
            JoinKind::LeftAnti => (false, true, true),
            JoinKind::RightAnti => (true, true, true),
            JoinKind::LeftOuter | JoinKind::RightOuter | JoinKind::FullOuter => {
                let message = "YARA-L cannot keep rows that have no partner, and say so of their columns";
                let help = "use an inner join, or an anti join for those without a partner";
                self.refuse(codes::YARAL_OUT_OPERATOR, plan.span, message, help);
                return Branch::nothing();
            }
        };
        if spot.event.is_some() {
            let message = "a join inside of a union is more than a YARA-L rule can say";
            self.refuse(codes::YARAL_OUT_OPERATOR, plan.span, message, "write a rule for each branch");
            return Branch::nothing();
        }
        let below = Spot { event: None, exposed: false, set: spot.set };
        let side = |kept: bool| if existence && !kept { Spot { set: true, ..below } } else { below };
        let left = self.rows(&join.left, scope, side(!swapped));
        let right = self.rows(&join.right, scope, side(swapped));
        let keys = join.on.iter().map(|k| {
            let (left, right) = ((scope, k.left), (scope, k.right));
            let (kept, other) = if swapped { (right, left) } else { (left, right) };
            (Side::Column(kept), Side::Column(other), false)
        });
        let keys: Vec<_> = keys.collect();
        for item in &join.right_output {
            self.same((scope, item.to), (scope, item.from));
        }
        let (kept, other) = if swapped { (right, left) } else { (left, right) };
        let unique = join.kind == JoinKind::InnerUnique && !existence;
        let (kept_counted, other_counted) = (kept.counted.clone(), other.counted.clone());
        let mut rows = self.joined(kept, other, keys, absent, plan.span);
        if unique && !spot.set {
            let effect = if spot.exposed { Effect::Cosmetic } else { Effect::Widens };
            let detail = "of the left side of the join one row a key is kept, which one is not defined; all of them are looked at";
            self.lose(codes::DUPLICATES_SHOWN, effect, plan.span, detail);
        }
        if !existence {
            // A side of which nothing is known makes nothing known.
            rows.counted = match (kept_counted.is_empty() || other_counted.is_empty(), unique) {
                (true, _) => Vec::new(),
                (false, true) => other_counted,
                (false, false) => kept_counted.into_iter().chain(other_counted).collect(),
            };
        }
        rows
    }

    fn union(&mut self, union: &'q ir::Union, plan: &'q Plan, scope: u32, spot: Spot) -> Branch<'q> {
        let event = spot.event.unwrap_or_else(|| self.new_event());
        let mut branches = Vec::with_capacity(union.inputs.len());
        for input in &union.inputs {
            branches.push(self.rows(input, scope, Spot { event: Some(event), exposed: false, ..spot }));
        }
        let own = plan.output.iter().filter(|id| Some(**id) != union.source);
        for (id, columns) in own.zip(&union.columns) {
            let origin = self.common_origin(scope, columns);
            self.origins.insert((scope, *id), origin);
        }
        if let Some(id) = union.source {
            let why = "the name of the table that a row comes from";
            self.origins.insert((scope, id), Origin::Nothing(why));
        }
        let mut tables = Vec::new();
        branches.iter().for_each(|b| tables_of(b, &mut tables));
        let repeated = tables.iter().enumerate().any(|(i, t)| tables.iter().take(i).any(|u| u == t));
        // An event that two branches keep is two rows.
        let counted = if repeated { Vec::new() } else { vec![event] };
        Branch { source: Source::Any(branches), filters: Vec::new(), events: vec![event], counted }
    }

    /// What a column of a union is, if all branches make it alike.
    fn common_origin(&self, scope: u32, columns: &[Option<ColId>]) -> Origin<'q> {
        let why = "a column that the branches of a union make in different ways";
        let mut found: Option<Origin<'q>> = None;
        for id in columns {
            // A branch without the column has no such field.
            let Some(id) = id else { continue };
            let column = (scope, *id);
            let next = match self.origin(column) {
                Some(Origin::Field { event, name }) => Origin::Field { event, name },
                Some(Origin::Time { event, scan: _ }) => Origin::Time { event, scan: None },
                Some(
                    Origin::Computed(_) | Origin::Column(_) | Origin::Aggregate(..) | Origin::Nothing(_),
                )
                | None => {
                    if columns.len() == 1 {
                        return Origin::Column(column);
                    }
                    return Origin::Nothing(why);
                }
            };
            found = match (found, next) {
                (None, next) => Some(next),
                (Some(Origin::Field { event, name }), Origin::Field { event: e, name: n })
                    if event == e && name == n =>
                {
                    Some(next)
                }
                (Some(Origin::Time { event, .. }), Origin::Time { event: e, .. }) if event == e => Some(next),
                (Some(_), _) => return Origin::Nothing(why),
            };
        }
        found.unwrap_or(Origin::Nothing(why))
    }

    fn lose_order(&mut self, span: Span) {
        self.lose(codes::ORDER_LOST, Effect::Cosmetic, span, "YARA-L does not order what it finds");
    }

    fn limit(&mut self, plan: &'q Plan, input: &'q Plan, exposed: bool) {
        let mut below = input;
        let sorted = loop {
            below = match &*below.op {
                Op::Sort { .. } => break true,
                Op::Project { input, .. } | Op::Extend { input, .. } | Op::Select { input, .. } => input,
                _ => break false,
            };
        };
        if sorted || !exposed {
            let message = if sorted {
                "the first rows of an order are more than a YARA-L rule can say"
            } else {
                "a limit in the midst of a query is more than a YARA-L rule can say"
            };
            self.refuse(
                codes::YARAL_OUT_OPERATOR,
                plan.span,
                message,
                "leave the limit out, or put a threshold",
            );
            return;
        }
        let detail = "YARA-L does not limit what it finds: all that matches is shown";
        self.lose(codes::LIMIT_LOST, Effect::Widens, plan.span, detail);
    }

    fn refuse_operator(&mut self, plan: &'q Plan) -> Branch<'q> {
        let what: String = match &*plan.op {
            Op::Values(_) => "rows that the query writes itself".into(),
            Op::Range(_) => "rows that the query makes itself".into(),
            Op::Top { .. } => "`top`".into(),
            Op::Expand(_) | Op::Apply(_) => "the expansion of arrays".into(),
            Op::MakeSeries(_) => "a series".into(),
            Op::Parse(_) | Op::ParseKv(_) => "the parsing of text".into(),
            Op::Partition { .. } => "`partition`".into(),
            Op::Sequence(_) => "a sequence of steps".into(),
            Op::TopNested(_) => "`top-nested`".into(),
            Op::Plugin(p) => format!("the plugin `{}`", p.function.name),
            Op::Search(_) => "a search over several tables".into(),
            Op::GetSchema { .. } => "`getschema`".into(),
            Op::Opaque { opaque, .. } => format!("`{}`", opaque.text),
            Op::Rows
            | Op::Scan(_)
            | Op::Ref(_)
            | Op::Filter { .. }
            | Op::Extend { .. }
            | Op::Project { .. }
            | Op::Select { .. }
            | Op::Aggregate(_)
            | Op::Distinct { .. }
            | Op::Join(_)
            | Op::Union(_)
            | Op::Sort { .. }
            | Op::Limit { .. }
            | Op::Serialize { .. }
            | Op::Render { .. } => "this operator in this place".into(),
        };
        let help = "a YARA-L rule filters events, joins them on equal values, and counts them once";
        let message = format!("{what} is more than a YARA-L rule can say");
        self.refuse(codes::YARAL_OUT_OPERATOR, plan.span, message, help);
        Branch::nothing()
    }

    /// The list or table column from outside the query that a plan is: `_GetWatchlist("x") | project y`.
    pub(super) fn list_of(&self, plan: &'q Plan) -> Option<(SmolStr, Option<SmolStr>)> {
        let column = plan.output.first().copied()?;
        let mut plan = plan;
        let mut column = column;
        loop {
            plan = match &*plan.op {
                Op::Scan(scan) => {
                    let Scans::Input(input) = &scan.source else { return None };
                    if !matches!(input.kind, InputKind::Watchlist | InputKind::ExternalData) {
                        return None;
                    }
                    return Some((input.name.clone(), Some(self.query.columns.name(column).into())));
                }
                Op::Project { input, items } => {
                    let item = items.iter().find(|i| i.ids == [column])?;
                    column = list_column(&item.expr)?;
                    input
                }
                Op::Select { input, items, .. } => {
                    column = items.iter().find(|i| i.to == column)?.from;
                    input
                }
                Op::Distinct { input } => input,
                Op::Ref(id) => {
                    let inner = self.table(*id)?;
                    let at = plan.output.iter().position(|c| *c == column)?;
                    column = *inner.output.get(at)?;
                    inner
                }
                _ => return None,
            };
        }
    }
}

/// The column of a list, seen through a conversion to text: lists hold text.
fn list_column(e: &Expr) -> Option<ColId> {
    match &e.kind {
        ExprKind::Column(id) => Some(*id),
        ExprKind::Cast(cast) if cast.to == ir::Type::String => list_column(&cast.expr),
        _ => None,
    }
}

fn tables_of<'b>(branch: &'b Branch<'_>, out: &mut Vec<&'b SmolStr>) {
    match &branch.source {
        Source::Table { table, .. } => out.push(table),
        Source::Any(branches) => branches.iter().for_each(|b| tables_of(b, out)),
        Source::Join { left, right, .. } => {
            tables_of(left, out);
            tables_of(right, out);
        }
        Source::Nothing => {}
    }
}
