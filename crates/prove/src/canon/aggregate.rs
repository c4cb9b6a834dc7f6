//! Groups: `summarize`, `distinct`, and the values that are computed over the rows of a group.

use super::draft::{Draft, Node};
use super::plan::{Rel, order_texts};
use super::shift::{Shift, reads};
use super::{Canon, Made};
use crate::formula::FormulaId;
use crate::term::{Constant, Term, TermId};
use ruleferry_ir::{Aggregate, AggregateCall, AggregateItem, ColId, Expr, Type};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

/// Aggregates with a condition: their plain name and the place of the condition.
const CONDITIONAL: [(&str, &str, usize); 18] = [
    ("avgif", "avg", 1),
    ("count_distinctif", "count_distinct", 1),
    ("countif", "count", 0),
    ("covarianceif", "covariance", 2),
    ("covariancepif", "covariancep", 2),
    ("dcountif", "dcount", 1),
    ("hll_if", "hll", 1),
    ("make_bag_if", "make_bag", 1),
    ("make_list_if", "make_list", 1),
    ("make_set_if", "make_set", 1),
    ("maxif", "max", 1),
    ("minif", "min", 1),
    ("stdevif", "stdev", 1),
    ("sumif", "sum", 1),
    ("varianceif", "variance", 1),
    ("variancepif", "variancep", 1),
    ("stdevpif", "stdevp", 1),
    ("percentileif", "percentile", 1),
];

/// Aggregates whose result shows the order in which rows came.
const ORDERED: [&str; 5] = ["make_bag", "make_list", "make_list_with_nulls", "make_set", "passthrough"];

/// Aggregates that read a missing text as the empty one.
const FILLING: [&str; 9] = [
    "count_distinct",
    "dcount",
    "hll",
    "make_list",
    "make_list_with_nulls",
    "make_set",
    "max",
    "min",
    "passthrough",
];

/// What calls of one operator have in common.
pub(super) struct Group {
    /// The rows that are grouped.
    pub scope: Rel,
    pub keys: Vec<TermId>,
    /// How many calls before chose a row in the same way.
    chosen: FxHashMap<(SmolStr, Vec<TermId>), u32>,
}

impl Group {
    pub fn new(scope: Rel, keys: Vec<TermId>) -> Self {
        Self { scope, keys, chosen: FxHashMap::default() }
    }

    fn next(&mut self, what: &str, by: &[TermId]) -> u32 {
        let slot = self.chosen.entry((what.into(), by.to_vec())).or_insert(0);
        *slot += 1;
        *slot - 1
    }
}

impl Canon<'_, '_> {
    /// What is read of a key above the groups: a missing text is the empty one.
    pub fn key_value(&mut self, key: TermId) -> TermId {
        if self.known(key).is_some() {
            return key;
        }
        let term = self.arena.term(Term::Input(0, key));
        if self.arena.ty(key) == Type::String && !self.never_missing(key) {
            self.cast(term, Type::String)
        } else {
            term
        }
    }

    pub fn aggregate(&mut self, input: Rel, a: &Aggregate) -> Made<Rel> {
        let mut keys: Vec<(Vec<ColId>, TermId)> = Vec::with_capacity(a.keys.len());
        for item in &a.keys {
            let key = self.value(&item.expr, &input)?;
            keys.push((item.ids.clone(), self.unfilled(key)));
        }
        let terms: Vec<TermId> = keys.iter().map(|(_, t)| *t).collect();
        let star = a.aggregates.iter().any(|i| match &i.call {
            AggregateCall::ArgExtreme { star, .. } | AggregateCall::TakeAny { star, .. } => *star,
            AggregateCall::Function(..) | AggregateCall::Composed { .. } => false,
        });
        let events = if star { input.events.clone() } else { Vec::new() };
        let mut group = Group::new(input, terms.clone());
        let mut columns: FxHashMap<ColId, TermId> = FxHashMap::default();
        for item in &a.aggregates {
            let values = self.aggregated(item, &mut group)?;
            columns.extend(item.ids.iter().copied().zip(values));
        }
        let input = group.scope;
        let scalar = a.keys.is_empty();
        let (mut rel, values) = self.grouped(input, &terms, scalar, !scalar && a.aggregates.is_empty())?;
        for ((ids, _), value) in keys.into_iter().zip(values) {
            columns.extend(ids.into_iter().map(|id| (id, value)));
        }
        rel.columns = columns;
        rel.events = Vec::with_capacity(events.len());
        for event in events {
            let part = [event].into();
            let what = "any_row".into();
            let made = Term::Made { what, args: part, conditions: [].into(), part: 0, ty: Type::String };
            rel.events.push(self.arena.term(made));
        }
        Ok(rel)
    }

    pub fn distinct(&mut self, input: Rel) -> Made<Rel> {
        let output = input.output.clone();
        let mut keys = Vec::with_capacity(output.len());
        for id in output.iter() {
            let key = self.column(&input, *id)?;
            keys.push(self.unfilled(key));
        }
        keys.extend(&input.events);
        if keys.is_empty() {
            // One row of no columns, if there is any.
            keys.push(self.arena.constant(Constant::Bool(true)));
        }
        let (mut rel, values) = self.grouped(input, &keys, false, true)?;
        rel.columns = output.iter().copied().zip(values.iter().copied()).collect();
        rel.events = values.into_iter().skip(output.len()).filter(|v| self.known(*v).is_none()).collect();
        rel.output = output;
        Ok(rel)
    }

    /// Rows grouped by some values, and what is read of each. `pure`: nothing is computed over a group.
    fn grouped(&mut self, input: Rel, keys: &[TermId], scalar: bool, pure: bool) -> Made<(Rel, Vec<TermId>)> {
        let mut draft = input.draft;
        let mut opened = keys.to_vec();
        if pure {
            self.used("distinct-as-groups");
            draft = self.ungrouped(&mut opened, draft)?;
        }
        let values = opened.iter().map(|key| self.key_value(*key)).collect();
        let mut keys = opened;
        keys.sort_unstable();
        keys.dedup();
        if !scalar && keys.iter().any(|k| self.known(*k).is_some()) {
            self.used("constant-key");
            keys.retain(|k| self.known(*k).is_none());
            if keys.is_empty() {
                keys.push(self.arena.constant(Constant::Bool(true)));
            }
        }
        let node = Node::Aggregate { input: Box::new(draft), keys, scalar };
        let mut rel = self.no_scope();
        rel.draft = self.draft(node);
        Ok((rel, values))
    }

    /// Groups of groups of which nothing but keys is read are groups of the rows themselves.
    fn ungrouped(&mut self, keys: &mut Vec<TermId>, mut draft: Draft) -> Made<Draft> {
        loop {
            let through = matches!(&draft.node, Node::Aggregate { scalar: false, .. });
            if !through || !self.is_constant(draft.filter, true) {
                return Ok(draft);
            }
            let mut inside = Vec::with_capacity(keys.len());
            for key in keys.iter() {
                let found = self.reads(*key);
                let plain = matches!(self.arena.get(*key), Term::Input(0, _));
                let allowed = if plain { reads::LEFT | reads::LOOSE } else { reads::LEFT };
                if found & !allowed != 0 {
                    return Ok(draft);
                }
                match self.shifted(*key, &Shift::Open(0))? {
                    Some(key) => inside.push(self.unfilled(key)),
                    None => return Ok(draft),
                }
            }
            match draft.node {
                Node::Aggregate { input, .. } => draft = *input,
                node => return Ok(Draft { node, filter: draft.filter }),
            }
            *keys = inside;
        }
    }

    /// The values of one aggregate, in the space of the groups.
    pub fn aggregated(&mut self, item: &AggregateItem, group: &mut Group) -> Made<Vec<TermId>> {
        self.deeper(|this| this.aggregated_inside(item, group))
    }

    fn made(
        &mut self,
        what: &str,
        args: Vec<TermId>,
        conditions: Vec<FormulaId>,
        part: u32,
        ty: Type,
    ) -> TermId {
        let (args, conditions) = (args.into(), conditions.into());
        self.arena.term(Term::Made { what: what.into(), args, conditions, part, ty })
    }

    /// A value of one row of a group; of a key it is that of the group.
    fn of_row(
        &mut self,
        what: &str,
        args: Vec<TermId>,
        condition: Vec<FormulaId>,
        part: u32,
        value: TermId,
        group: &Group,
    ) -> TermId {
        if group.keys.contains(&value) {
            return self.key_value(value);
        }
        let ty = self.arena.ty(value);
        let args = args.into_iter().chain([value]).collect();
        self.made(what, args, condition, part, ty)
    }

    fn values_of(&mut self, exprs: &[Expr], scope: &Rel) -> Made<Vec<TermId>> {
        let mut terms = Vec::with_capacity(exprs.len());
        for e in exprs {
            terms.push(self.value(e, scope)?);
        }
        Ok(terms)
    }

    fn aggregated_inside(&mut self, item: &AggregateItem, group: &mut Group) -> Made<Vec<TermId>> {
        match &item.call {
            AggregateCall::Function(function, args) => {
                self.aggregate_function(function.name, args, &item.ids, group)
            }
            AggregateCall::ArgExtreme { max, by, returned, star } => {
                let by_ty = by.ty;
                let by = self.value(by, &group.scope)?;
                let by = self.unfilled(by);
                let (what, extreme) = if *max { ("arg_max", "max") } else { ("arg_min", "min") };
                let returned = self.values_of(returned, &group.scope)?;
                let mut values = Vec::with_capacity(item.ids.len());
                let chosen = group.next(what, &[by]);
                values.push(match by_ty {
                    Type::Int
                    | Type::Long
                    | Type::Decimal
                    | Type::String
                    | Type::Datetime
                    | Type::Timespan
                    | Type::Guid => {
                        self.used("greatest-value");
                        self.made(extreme, vec![by], Vec::new(), 0, by_ty)
                    }
                    Type::Bool | Type::Real | Type::Dynamic | Type::Unknown => {
                        self.of_row(what, vec![by], Vec::new(), chosen, by, group)
                    }
                });
                if *star && returned.len() + 1 != item.ids.len() {
                    self.leave_out(format!("the columns of `{what}(…, *)` are not all known"));
                }
                for n in 1..item.ids.len() {
                    values.push(match returned.get(n - 1) {
                        Some(value) => self.of_row(what, vec![by], Vec::new(), chosen, *value, group),
                        None => self.unlike_any(Type::Dynamic),
                    });
                }
                Ok(values)
            }
            AggregateCall::TakeAny { returned, star, condition } => {
                let condition = match condition {
                    Some(e) => vec![self.test(e, &group.scope)?.holds],
                    None => Vec::new(),
                };
                let condition: Vec<FormulaId> =
                    condition.into_iter().filter(|f| !self.is_constant(*f, true)).collect();
                let returned = self.values_of(returned, &group.scope)?;
                let (what, by) = match returned.as_slice() {
                    // A single value: a null is only taken where there is nothing else.
                    [one] => ("take_any", vec![*one]),
                    _ => ("take_any row", Vec::new()),
                };
                let chosen = group.next(what, &by);
                if *star && returned.len() != item.ids.len() {
                    self.leave_out("the columns of `take_any(*)` are not all known");
                }
                let mut values = Vec::with_capacity(item.ids.len());
                for n in 0..item.ids.len() {
                    values.push(match returned.get(n) {
                        Some(value) if condition.is_empty() => {
                            self.of_row(what, Vec::new(), Vec::new(), chosen, *value, group)
                        }
                        Some(value) => {
                            let ty = self.arena.ty(*value);
                            self.made(what, vec![*value], condition.clone(), chosen, ty)
                        }
                        None => self.unlike_any(Type::Dynamic),
                    });
                }
                Ok(values)
            }
            AggregateCall::Composed { parts, expr } => {
                let mut scope = self.no_scope();
                scope.output = group.scope.output.clone();
                let known: Vec<(ColId, TermId)> = group.scope.columns.iter().map(|(k, v)| (*k, *v)).collect();
                // Group keys may stand beside the aggregates; another column is that of any row.
                for (id, term) in known {
                    let plain = self.unfilled(term);
                    let value = if group.keys.contains(&plain) {
                        self.key_value(plain)
                    } else if self.known(term).is_some() {
                        term
                    } else {
                        let ty = self.arena.ty(term);
                        self.made("any_row", vec![term], Vec::new(), 0, ty)
                    };
                    scope.columns.insert(id, value);
                }
                for part in parts {
                    let values = self.aggregated(part, group)?;
                    scope.columns.extend(part.ids.iter().copied().zip(values));
                }
                Ok(vec![self.value(expr, &scope)?])
            }
        }
    }

    fn aggregate_function(
        &mut self,
        name: &'static str,
        args: &[Expr],
        ids: &[ColId],
        group: &mut Group,
    ) -> Made<Vec<TermId>> {
        let ty_of = |this: &Self, n: usize| ids.get(n).map_or(Type::Unknown, |id| this.query.columns.ty(*id));
        let (mut what, place) = match CONDITIONAL.iter().find(|(n, ..)| *n == name) {
            Some((_, plain, place)) => (*plain, Some(*place)),
            // `count(x)` counts the rows in which `x` is true.
            None if name == "count" && !args.is_empty() => ("count", Some(0)),
            None => (name, None),
        };
        let mut terms = Vec::with_capacity(args.len());
        let mut conditions = Vec::new();
        for (n, e) in args.iter().enumerate() {
            if Some(n) == place {
                let condition = self.test(e, &group.scope)?.holds;
                if !self.is_constant(condition, true) {
                    conditions.push(condition);
                }
            } else {
                terms.push(self.value(e, &group.scope)?);
            }
        }
        if FILLING.contains(&what)
            && let Some(first) = terms.first_mut()
        {
            *first = self.unfilled(*first);
        }
        if what == "sum"
            && ty_of(self, 0) == Type::Long
            && let Some(condition) = terms.first().and_then(|t| self.one_or_nothing(*t))
        {
            self.used("counted-condition");
            what = "count";
            terms.clear();
            let all = self.arena.and(conditions.into_iter().chain([condition]));
            conditions = if self.is_constant(all, true) { Vec::new() } else { vec![all] };
        }
        if what == "percentiles" && terms.len() == ids.len() + 1 {
            let value = terms.first().copied();
            return Ok(terms
                .iter()
                .skip(1)
                .enumerate()
                .map(|(n, percent)| {
                    let args = value.into_iter().chain([*percent]).collect();
                    let ty = ty_of(self, n);
                    self.made("percentile", args, conditions.clone(), 0, ty)
                })
                .collect());
        }
        let mut name = SmolStr::new(what);
        if ORDERED.contains(&what) && !group.scope.order.keys.is_empty() {
            name = format!("{what} in order {}", order_texts(&group.scope.order).join(", ")).into();
            terms.extend(group.scope.order.keys.iter().map(|k| k.0));
        } else if ORDERED.contains(&what) && group.scope.order.natural {
            name = format!("{what} as written").into();
        }
        Ok((0..ids.len())
            .map(|n| {
                let part = u32::try_from(n).unwrap_or(u32::MAX);
                let ty = ty_of(self, n);
                self.made(&name, terms.clone(), conditions.clone(), part, ty)
            })
            .collect())
    }

    /// The condition under which a value is 1, where it is 0 else.
    fn one_or_nothing(&mut self, term: TermId) -> Option<FormulaId> {
        let Term::Case(branches, otherwise) = self.arena.get(term).clone() else {
            return None;
        };
        let whole = |this: &Self, t: TermId| match this.arena.get(t) {
            Term::Constant(Constant::Long(n)) => Some(*n),
            _ => None,
        };
        let [(condition, value)] = *branches else { return None };
        match (whole(self, value)?, whole(self, otherwise)?) {
            (1, 0) => Some(condition),
            (0, 1) => Some(self.arena.not(condition)),
            _ => None,
        }
    }
}
