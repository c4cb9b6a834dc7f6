//! From event variables to the plan of the rule: joins within the windows of `match`, groups, outcome, condition.

use super::bind::{Across, JoinOn, conjuncts};
use super::event::{EventVar, aggregate};
use super::path::Origin;
use super::{Cx, Lifter, make};
use crate::syntax::tree::{CompareOp, Expr as Tree, ExprKind, Match, Section, WindowKind};
use ruleferry_diag::{Diagnostic, Span, codes};
use ruleferry_ir::functions::{FunctionKind, find};
use ruleferry_ir::time::{TICKS_PER_MINUTE, timespan_text};
use ruleferry_ir::{
    Aggregate, AggregateCall, AggregateItem, ArithmeticOp, Between, ColId, CompareOp as Op2, Expr,
    ExprKind as Ir, Item, Join, JoinKey, JoinKind, Missing, Op, Plan, SelectItem, SelectKind,
    TICKS_PER_SECOND, Type, Value, window,
};
use rustc_hash::FxHashSet;
use smol_str::SmolStr;

/// Whether events of a variable must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Needed,
    /// `!$e`
    Absent,
    /// `#e >= 0`
    Optional,
}

/// Far above what people write, far below what a stack holds.
const MAX_STEPS: usize = 100;
const MAX_VARIABLES: usize = 20;

/// The rows of one variable, ready to be joined.
struct Side {
    plan: Plan,
    start: Option<ColId>,
}

impl Lifter<'_> {
    pub(super) fn plan(&mut self) -> Option<Plan> {
        let rule = self.rule;
        for (present, section, what) in [
            (!rule.setup.is_empty(), Section::Setup, "`setup` changes the entities that are looked at"),
            (!rule.export.is_empty(), Section::Export, "`export` writes to a data table"),
        ] {
            if present {
                let at = rule.heads.at.get(section as usize).copied().flatten().unwrap_or(rule.span.0.start);
                let length = u32::try_from(section.word().len()).unwrap_or(0);
                let fault = Diagnostic::error(codes::YARAL_NOT_LIFTED, Span::new(at, at + length), what);
                self.fault(fault.with_help("it is kept where the rule stays YARA-L"));
            }
        }
        self.find_variables();
        if self.vars.is_empty() {
            return None;
        }
        if !self.fits(rule.name.span.0) {
            return None;
        }
        self.find_plain_tables();
        self.find_presence();
        match &rule.matching {
            None => self.each_event(),
            Some(matching) => self.groups(matching),
        }
    }

    /// A rule without `match`: one row for each event.
    fn each_event(&mut self) -> Option<Plan> {
        let (var, span) = self.vars.first().map(|(name, v)| (name.clone(), v.span))?;
        if self.joined {
            let second = self.vars.get_index(1).map_or(span, |(_, v)| v.span);
            self.wrong(
                second,
                "a rule with several event variables needs `match`",
                "add `match: $key over 5m`",
            );
            return None;
        }
        if self.presence_of(&var) != Presence::Needed {
            self.wrong(span, "the only event of the rule cannot be absent", "");
            return None;
        }
        self.predicates();
        // The first pass finds out which repeated fields are expanded: on that it depends how aggregates are read.
        self.outcomes_of_groups();
        self.conditions();
        self.forget_outcomes();
        let computed = self.outcomes_of_groups();
        let tests = self.conditions();
        if !self.fits(span) {
            return None;
        }
        let rows = self.rows(&var)?;
        let columns: FxHashSet<ColId> = self.vars.get(&var)?.table_columns().collect();
        let aggregates = std::mem::take(&mut self.aggregates);
        let plan = self.events(rows, aggregates, span);
        let plan = self.extended(plan, computed, span);
        let plan = make::filter(plan, tests, span);
        let outcomes: FxHashSet<ColId> = self.outcomes.values().filter_map(Expr::as_column).collect();
        let kept: Vec<ColId> =
            plan.output.iter().copied().filter(|id| columns.contains(id) || outcomes.contains(id)).collect();
        if kept.len() == plan.output.len() {
            return Some(plan);
        }
        let items = kept.iter().map(|id| SelectItem { from: *id, to: *id }).collect();
        Some(Plan::new(Op::Select { input: plan, kind: SelectKind::Away, items }, kept, span))
    }

    /// Whether the plan stays of a depth that everything which walks over it can bear.
    fn fits(&mut self, span: Span) -> bool {
        let steps: usize = self.vars.values().map(EventVar::steps).sum();
        let fits = steps <= MAX_STEPS && self.vars.len() <= MAX_VARIABLES;
        if !fits {
            let message = format!(
                "the rule has more than {MAX_VARIABLES} event variables, or {MAX_STEPS} repeated fields, labels and quantified tests"
            );
            self.wrong(span, message, "split it into several rules");
        }
        fits
    }

    /// Adds columns; one of the same name gives way.
    fn extended(&self, input: Plan, items: Vec<Item>, span: Span) -> Plan {
        if items.is_empty() {
            return input;
        }
        let new: Vec<ColId> = items.iter().flat_map(|i| i.ids.iter().copied()).collect();
        let names: FxHashSet<&str> = new.iter().map(|id| self.columns.name(*id)).collect();
        let hides = |old: &ColId| names.contains(self.columns.name(*old));
        let output: Vec<ColId> =
            input.output.iter().filter(|id| !hides(id)).copied().chain(new.iter().copied()).collect();
        Plan::new(Op::Extend { input, items }, output, span)
    }

    /// A rule with `match`: one row for each group and window.
    fn groups(&mut self, matching: &Match) -> Option<Plan> {
        let span = matching.span.0;
        let Some(window) = &matching.window else {
            self.wrong(span, "`match` has no window", "add one such as `over 5m`");
            return None;
        };
        let length =
            i64::try_from(window.length.seconds()).ok().and_then(|s| s.checked_mul(TICKS_PER_SECOND));
        let Some(length) = length.filter(|l| *l > 0) else {
            self.wrong(window.span.0, "the window has no length", "");
            return None;
        };
        let mut across = self.predicates();
        if let Some(pivot) = pivot_of(&window.kind) {
            if !self.pivot_fits(&pivot, window.span.0) {
                return None;
            }
            self.slide(&pivot, &window.kind, length, window.span.0, &mut across);
        }
        let mut keys = Vec::new();
        for key in &matching.keys {
            let span = key.span.0;
            if !self.placeholders.contains_key(&key.text) {
                let message = format!("`${}` is bound to no field", key.text);
                self.wrong(span, message, "equate it with a field of an event in `events`");
                return None;
            }
            if !self.allows_zero_values() {
                self.drop_zero_keys(&key.text, span);
            }
            let value = self.variable(&key.text, span, Cx::Joined);
            let id = self.columns.add(key.text.clone(), value.ty, span);
            self.keys.insert(key.text.clone(), Expr::column(id, value.ty, span));
            keys.push(Item { ids: vec![id], expr: value, named: true });
        }
        let start = self.columns.add(self.unique_name("window_start"), Type::Datetime, window.span.0);
        self.window = Some((start, length));
        self.outer_conditions(&across);
        let computed = self.outcomes_of_groups();
        let mut tests = self.conditions();
        tests.extend(self.absences());
        if !self.fits(span) {
            return None;
        }
        let (plan, window_start) = self.joined_rows(across, &window.kind, length, window.span.0)?;
        if !self.one_window {
            keys.push(Item { ids: vec![start], expr: window_start, named: true });
        }
        self.grouped(plan, keys, computed, tests, span)
    }

    fn grouped(
        &mut self,
        plan: Plan,
        keys: Vec<Item>,
        computed: Vec<Item>,
        tests: Vec<Expr>,
        span: Span,
    ) -> Option<Plan> {
        let aggregates = std::mem::take(&mut self.aggregates);
        let key_ids: Vec<ColId> = keys.iter().flat_map(|k| k.ids.iter().copied()).collect();
        let mut output = key_ids.clone();
        output.extend(aggregates.iter().flat_map(|a| a.ids.iter().copied()));
        let plan = Plan::new(Op::Aggregate(Aggregate { input: plan, keys, aggregates }), output, span);
        let plan = self.extended(plan, computed, span);
        let plan = make::filter(plan, tests, span);
        let outcomes = self.outcomes.values().filter_map(Expr::as_column);
        let mut shown: Vec<ColId> = Vec::new();
        for id in key_ids.into_iter().chain(outcomes) {
            // An outcome may bear the name of a match variable; it is the same value then, or hides it.
            if let Some(old) = shown.iter_mut().find(|s| self.columns.name(**s) == self.columns.name(id)) {
                *old = id;
            } else {
                shown.push(id);
            }
        }
        if *plan.output == *shown {
            return Some(plan);
        }
        let pass = |id: &ColId| Item {
            ids: vec![*id],
            expr: Expr::column(*id, self.columns.ty(*id), span),
            named: false,
        };
        let items = shown.iter().map(pass).collect();
        Some(Plan::new(Op::Project { input: plan, items }, shown, span))
    }

    fn allows_zero_values(&self) -> bool {
        use crate::syntax::tree::SettingValue;
        let set = self.rule.options.iter().find(|o| o.name.text == "allow_zero_values");
        set.is_some_and(|o| o.value == SettingValue::Bool(true))
    }

    /// All variables joined on what they share, in one window; the expression of the window's start.
    fn joined_rows(
        &mut self,
        across: Across,
        kind: &WindowKind,
        length: i64,
        span: Span,
    ) -> Option<(Plan, Expr)> {
        let pivot = pivot_of(kind);
        let names: Vec<SmolStr> = self.vars.keys().cloned().collect();
        let is = |l: &Self, p: Presence| {
            let mut of: Vec<SmolStr> = names.iter().filter(|n| l.presence_of(n) == p).cloned().collect();
            of.sort_by_key(|n| Some(n) != pivot.as_ref());
            of
        };
        let (needed, optional, absent) =
            (is(self, Presence::Needed), is(self, Presence::Optional), is(self, Presence::Absent));
        let Some(first) = needed.first().cloned() else {
            self.wrong(
                span,
                "no event of the rule must be there",
                "the condition needs an event such as `$e`",
            );
            return None;
        };
        if self.vars.values().any(|v| v.origin == Origin::Graph) {
            self.assume(
                "entities of the graph are taken as they are, whatever time they are valid for".to_owned(),
            );
        }
        if kind == &WindowKind::Hop && !self.one_window {
            let step = timespan_text(hop_step(length));
            let whole = timespan_text(length);
            self.assume(format!(
                "windows of {whole} begin every {step}: the service chooses its own steps; a group gives a row for each window"
            ));
        }
        let Side { mut plan, mut start } = self.side(&first, kind, length, span)?;
        let mut joined = vec![first];
        let mut waiting: Vec<(SmolStr, JoinKind)> = Vec::new();
        waiting.extend(needed.into_iter().skip(1).map(|v| (v, JoinKind::Inner)));
        waiting.extend(optional.into_iter().map(|v| (v, JoinKind::LeftOuter)));
        waiting.extend(absent.into_iter().map(|v| {
            let outer = self.outer.contains_key(&v);
            (v, if outer { JoinKind::LeftOuter } else { JoinKind::LeftAnti })
        }));
        let mut tests = across.tests;
        while !waiting.is_empty() {
            // The next one that is joined to those before it by something equal, else by a test.
            let inner_left = waiting.iter().any(|(_, k)| *k == JoinKind::Inner);
            let usable = |(_, k): &&(SmolStr, JoinKind)| !inner_left || *k == JoinKind::Inner;
            let by_key =
                waiting.iter().filter(usable).find(|(v, _)| !keys_between(&across.on, &joined, v).is_empty());
            let by_test = || {
                waiting.iter().filter(usable).find(|(v, _)| {
                    tests.iter().any(|(vars, _)| {
                        vars.contains(v) && vars.iter().all(|o| o == v || joined.contains(o))
                    })
                })
            };
            let Some((next, join_kind)) = by_key.or_else(by_test).cloned() else {
                let lost = waiting.first().map(|(v, _)| v.clone()).unwrap_or_default();
                let at = self.vars.get(&lost).map_or(span, |v| v.span);
                let message = format!("`${lost}` is not joined to the other events");
                self.wrong(
                    at,
                    message,
                    "equate one of its fields with one of theirs, or share a placeholder",
                );
                return None;
            };
            waiting.retain(|(v, _)| *v != next);
            let mut on = keys_between(&across.on, &joined, &next);
            let side = self.side(&next, kind, length, span)?;
            match (start, side.start) {
                (Some(left), Some(right)) => on.push(JoinKey { left, right }),
                (None, Some(_)) => start = side.start,
                (Some(_) | None, None) => {}
            }
            if on.is_empty() {
                let at = self.vars.get(&next).map_or(span, |v| v.span);
                let message = format!("`${next}` shares no value with the other events");
                self.wrong(
                    at,
                    message,
                    "equate one of its fields with one of theirs, or share a placeholder",
                );
                return None;
            }
            plan = join(join_kind, plan, side.plan, on, span);
            joined.push(next.clone());
            if join_kind == JoinKind::Inner {
                let (now, later): (Vec<_>, Vec<_>) =
                    tests.into_iter().partition(|(vars, _)| vars.iter().all(|v| joined.contains(v)));
                tests = later;
                plan = make::filter(plan, now.into_iter().map(|(_, test)| test).collect(), span);
            }
        }
        let window_start = match (&pivot, start) {
            (Some(pivot), _) => {
                let time = self.exported_time(pivot);
                match kind {
                    WindowKind::Before(_) => {
                        let length = Expr::literal(Value::Timespan(length), span);
                        Expr::arithmetic(ArithmeticOp::Sub, time, length, Type::Datetime, span)
                    }
                    WindowKind::After(_) | WindowKind::Hop | WindowKind::Tumbling => time,
                }
            }
            (None, Some(start)) => Expr::column(start, Type::Datetime, span),
            (None, None) if self.one_window => Expr::literal(Value::Null(Type::Datetime), span),
            (None, None) => {
                self.wrong(span, "no event of the rule has a time", "a rule needs events of UDM");
                return None;
            }
        };
        Some((plan, window_start))
    }

    fn pivot_fits(&mut self, pivot: &SmolStr, span: Span) -> bool {
        let origin = self.vars.get(pivot).map(|v| v.origin);
        let others = self.vars.values().any(|v| v.name != *pivot && v.origin.time().is_some());
        let (message, help) = match origin {
            None => (format!("`${pivot}` is no event variable"), ""),
            Some(Origin::Graph) => {
                (format!("`${pivot}` is an entity, which has no time"), "name an event of UDM")
            }
            Some(Origin::Udm | Origin::Detection) if self.presence_of(pivot) != Presence::Needed => {
                (format!("events of `${pivot}` need not be there, so no window can begin with one"), "")
            }
            Some(Origin::Udm | Origin::Detection) if !others => {
                ("a sliding window over events of one variable is not lifted".to_owned(), "use `over` alone")
            }
            Some(Origin::Udm | Origin::Detection) => return true,
        };
        self.wrong(span, message, help);
        false
    }

    fn exported_time(&mut self, var: &SmolStr) -> Expr {
        let path = self.vars.get(var).and_then(super::event::EventVar::time);
        let path = path.unwrap_or(SmolStr::new_static(super::path::EVENT_TIME));
        let time = self.column(var, &path, Type::Datetime, Span::default());
        self.export(var, &path, time)
    }

    /// The other events lie within the window that begins or ends at the pivot.
    fn slide(&mut self, pivot: &SmolStr, kind: &WindowKind, length: i64, span: Span, across: &mut Across) {
        let others: Vec<SmolStr> = self
            .vars
            .values()
            .filter(|v| v.name != *pivot && v.origin.time().is_some())
            .map(|v| v.name.clone())
            .collect();
        for other in others {
            let (at, subject) = (self.exported_time(pivot), self.exported_time(&other));
            let shift = |op| {
                let length = Expr::literal(Value::Timespan(length), span);
                Expr::arithmetic(op, at.clone(), length, Type::Datetime, span)
            };
            let (low, high) = match kind {
                WindowKind::Before(_) => (shift(ArithmeticOp::Sub), at.clone()),
                WindowKind::After(_) | WindowKind::Hop | WindowKind::Tumbling => {
                    (at.clone(), shift(ArithmeticOp::Add))
                }
            };
            let within = Ir::Between(Box::new(Between { subject, low, high }));
            let within = Expr::new(within, Type::Bool, span);
            across.tests.push((vec![pivot.clone(), other.clone()], within));
        }
    }

    /// The rows of one variable in its windows, with the columns that later stages read.
    fn side(&mut self, var: &SmolStr, kind: &WindowKind, length: i64, span: Span) -> Option<Side> {
        let time = self.vars.get(var)?.time();
        let time = time.map(|path| self.column(var, &path, Type::Datetime, Span::default()));
        let rows = self.rows(var)?;
        let var_span = self.vars.get(var)?.span;
        let mut plan = self.copies(rows, var_span);
        let mut start = None;
        if let Some(time) = time {
            let name = if self.joined { format!("{var}.window_start") } else { "window".to_owned() };
            match kind {
                WindowKind::Hop if self.one_window => {}
                WindowKind::Hop => {
                    let name = self.unique_name(&name);
                    let of = time.as_column()?;
                    let shape = (length, hop_step(length));
                    let (windowed, id) = window::hop(&mut self.columns, plan, of, shape, &name, span)?;
                    plan = windowed;
                    start = Some(id);
                }
                WindowKind::Tumbling => {
                    let name = self.unique_name(&name);
                    let of = time.as_column()?;
                    let item = window::tumbling(&mut self.columns, of, length, &name, span)?;
                    start = item.ids.first().copied();
                    plan = self.extended(plan, vec![item], span);
                }
                WindowKind::After(_) | WindowKind::Before(_) => {}
            }
        }
        if self.joined {
            let exports = &self.vars.get(var)?.exports;
            let mut items: Vec<Item> = exports
                .values()
                .map(|(expr, id)| Item { ids: vec![*id], expr: expr.clone(), named: true })
                .collect();
            items.extend(start.map(|id| {
                let expr = Expr::column(id, Type::Datetime, span);
                Item { ids: vec![id], expr, named: false }
            }));
            let output: Vec<ColId> = items.iter().flat_map(|i| i.ids.iter().copied()).collect();
            plan = Plan::new(Op::Project { input: plan, items }, output, var_span);
        }
        Some(Side { plan, start })
    }
}

/// The variable with whose events sliding windows begin or end.
fn pivot_of(kind: &WindowKind) -> Option<SmolStr> {
    match kind {
        WindowKind::After(pivot) | WindowKind::Before(pivot) => Some(pivot.text.clone()),
        WindowKind::Hop | WindowKind::Tumbling => None,
    }
}

/// How far apart windows of a length begin: a tenth of it, in whole minutes.
fn hop_step(length: i64) -> i64 {
    let minutes = length / TICKS_PER_MINUTE / 10;
    (minutes.max(1) * TICKS_PER_MINUTE).min(length)
}

/// What a variable shares with those that are joined already, as keys.
fn keys_between(on: &[JoinOn], joined: &[SmolStr], next: &SmolStr) -> Vec<JoinKey> {
    let mut keys: Vec<JoinKey> = Vec::new();
    for JoinOn { left, right } in on {
        for (known, new) in [(left, right), (right, left)] {
            if new.0 != *next || !joined.contains(&known.0) {
                continue;
            }
            let (Some(left), Some(right)) = (known.1.as_column(), new.1.as_column()) else { continue };
            // One equality with each column of the new side is enough: the others follow.
            if keys.iter().all(|k| k.right != right || k.left != left)
                && keys.iter().all(|k| k.right != right)
            {
                keys.push(JoinKey { left, right });
            }
        }
    }
    keys
}

fn join(kind: JoinKind, left: Plan, right: Plan, on: Vec<JoinKey>, span: Span) -> Plan {
    let mut output: Vec<ColId> = left.output.to_vec();
    let right_output: Vec<SelectItem> = if kind == JoinKind::LeftAnti {
        Vec::new()
    } else {
        right.output.iter().map(|id| SelectItem { from: *id, to: *id }).collect()
    };
    output.extend(right_output.iter().map(|i| i.to));
    let join = Join { kind, lookup: false, explicit: true, left, right, on, right_output, hints: Vec::new() };
    Plan::new(Op::Join(join), output, span)
}

impl Lifter<'_> {
    /// Reads from the condition which events must be there.
    fn find_presence(&mut self) {
        let Some(condition) = &self.rule.condition else { return };
        let mut parts = Vec::new();
        conjuncts(condition, &mut parts);
        for part in parts {
            if let Some((var, presence)) = presence_in(part)
                && self.vars.contains_key(&var)
            {
                // What one part asks for, another cannot leave open.
                let known = self.presence.get(&var).copied();
                if known.is_none_or(|k| k == Presence::Optional) {
                    self.presence.insert(var, presence);
                }
            }
        }
    }

    pub(super) fn presence_of(&self, var: &SmolStr) -> Presence {
        self.presence.get(var).copied().unwrap_or(Presence::Needed)
    }

    /// For variables that need not be there and are not simply excluded: how a row tells that there is an event.
    fn outer_conditions(&mut self, across: &Across) {
        let names: Vec<(SmolStr, Presence)> =
            self.vars.keys().map(|v| (v.clone(), self.presence_of(v))).collect();
        for (var, presence) in names {
            let tests: Vec<Expr> =
                across.tests.iter().filter(|(vars, _)| vars.contains(&var)).map(|(_, t)| t.clone()).collect();
            let simple = presence == Presence::Absent && tests.is_empty() && self.joins_on_keys(&var, across);
            if presence == Presence::Needed || simple {
                continue;
            }
            let found = self.export(&var, "found", make::long(1, Span::default()));
            let there = Expr::compare(
                Op2::Eq,
                found,
                make::long(1, Span::default()),
                Missing::False,
                Span::default(),
            );
            let mut all = vec![there];
            all.extend(tests);
            self.outer.insert(var, Expr::and(all, Span::default()));
        }
    }

    /// Whether a variable is joined by match variables alone, so that it is there or not for the whole group.
    fn joins_on_keys(&self, var: &SmolStr, across: &Across) -> bool {
        let keys: Vec<ColId> = self.keys.keys().filter_map(|k| self.exported_placeholder(var, k)).collect();
        let sliding = self
            .rule
            .matching
            .as_ref()
            .and_then(|m| m.window.as_ref())
            .is_some_and(|w| matches!(w.kind, WindowKind::After(_) | WindowKind::Before(_)));
        !sliding
            && across.on.iter().all(|on| {
                let own = [&on.left, &on.right].into_iter().find(|(v, _)| v == var);
                own.is_none_or(|(_, e)| e.as_column().is_some_and(|id| keys.contains(&id)))
            })
    }

    fn exported_placeholder(&self, var: &SmolStr, placeholder: &SmolStr) -> Option<ColId> {
        let name = format!("{var}.{placeholder}");
        self.vars.get(var)?.exports.get(name.as_str()).map(|(_, id)| *id)
    }

    /// Tests that excluded events which were joined all the same are in no row of the group.
    fn absences(&mut self) -> Vec<Expr> {
        let excluded: Vec<Expr> = self
            .outer
            .iter()
            .filter(|(v, _)| self.presence_of(v) == Presence::Absent)
            .map(|(_, found)| found.clone())
            .collect();
        let mut tests = Vec::new();
        for found in excluded {
            let id = self.columns.add(self.unique_name("excluded"), Type::Long, found.span);
            let count = aggregate("countif", vec![found], id);
            self.aggregates.extend(count);
            let span = Span::default();
            let column = Expr::column(id, Type::Long, span);
            tests.push(Expr::compare(Op2::Eq, column, make::long(0, span), Missing::False, span));
        }
        tests
    }
}

/// What one part of the condition says of the presence of one variable.
pub(super) fn presence_in(e: &Tree) -> Option<(SmolStr, Presence)> {
    match &e.kind {
        ExprKind::Field(field) if field.steps.is_empty() => Some((field.var.clone(), Presence::Needed)),
        ExprKind::Bang(inner) => match &inner.kind {
            ExprKind::Field(field) if field.steps.is_empty() => Some((field.var.clone(), Presence::Absent)),
            _ => None,
        },
        ExprKind::Compare(c) => {
            let (var, op, number) = match (&c.left.kind, &c.right.kind) {
                (ExprKind::Count(var), ExprKind::Number(n)) => (var, c.op, n),
                (ExprKind::Number(n), ExprKind::Count(var)) => (var, exchanged(c.op), n),
                _ => return None,
            };
            let n: f64 = number.parse().ok()?;
            let holds = |count: f64| match op {
                CompareOp::Eq => count == n,
                CompareOp::Ne => count != n,
                CompareOp::Lt => count < n,
                CompareOp::Le => count <= n,
                CompareOp::Gt => count > n,
                CompareOp::Ge => count >= n,
            };
            // From here on the answer is the same for all counts.
            let enough = n.abs().ceil() + 1.0;
            let presence = match (holds(0.0), holds(enough) || (holds(1.0) && n >= 1.0)) {
                (false, _) => Presence::Needed,
                (true, false) => Presence::Absent,
                (true, true) => Presence::Optional,
            };
            Some((var.clone(), presence))
        }
        _ => None,
    }
}

const fn exchanged(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq => CompareOp::Eq,
        CompareOp::Ne => CompareOp::Ne,
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
    }
}

/// An aggregate with a condition.
pub(super) fn counted_if(id: ColId, of: Expr, condition: Option<Expr>) -> Option<AggregateItem> {
    let (name, args) = match condition {
        None => ("count_distinct", vec![of]),
        Some(condition) => ("count_distinctif", vec![of, condition]),
    };
    let function = find(name, FunctionKind::Aggregate)?;
    Some(AggregateItem { ids: vec![id], call: AggregateCall::Function(function, args), named: true })
}
