//! The events that a correlation looks at, each kind a document of its own.

use super::super::{Lowerer, detection, envelope, node};
use super::Maker;
use crate::lift::{DEFAULT_TIME, TIME_FIELD_KEY};
use crate::syntax::{LogSource, Modifier, Section, SigmaDocument, Value};
use ruleferry_diag::codes;
use ruleferry_ir::window::{definition, origin};
use ruleferry_ir::{ColId, Expr, ExprKind, Op, Plan, Query, Union, Value as IrValue};
use std::ptr;

/// A document that a correlation refers to.
pub(super) struct Part<'q> {
    /// The name by which it is referred to.
    pub name: String,
    source: Source<'q>,
    /// The union whose input this is, and which one.
    of: Option<(&'q Plan, &'q Union, usize)>,
}

enum Source<'q> {
    /// A rule over events.
    Rule(Box<Lowerer<'q>>),
    /// A correlation, by its keys: the operator that makes each, its id there, and the field.
    Correlation(Vec<(&'q Plan, ColId, String)>),
}

impl<'q> Part<'q> {
    /// The field of the events that a column of `at` is.
    pub(super) fn field(&self, query: &'q Query, at: &'q Plan, id: ColId) -> Option<String> {
        let (mut plan, mut id) = (at, id);
        if let Some((union_plan, union, input)) = self.of {
            let (made, made_id) = origin(query, at, id)?;
            if !ptr::eq(made, union_plan) {
                return None;
            }
            let place = union_plan.output.iter().position(|o| *o == made_id)?;
            id = (*union.columns.get(place)?.get(input)?)?;
            plan = union.inputs.get(input)?;
        }
        match &self.source {
            Source::Rule(lowerer) => {
                let ty = query.columns.ty(id);
                lowerer.fields.name(&Expr::column(id, ty, ruleferry_diag::Span::default()))
            }
            Source::Correlation(keys) => {
                let (made, made_id) = origin(query, plan, id)?;
                keys.iter()
                    .find(|(p, i, _)| ptr::eq(*p, made) && *i == made_id)
                    .map(|(.., name)| name.clone())
            }
        }
    }
}

impl<'q> Maker<'q> {
    /// The documents for the rows of a plan: one, or one for each input of a union. `time`: the column that holds the time;
    /// `measured`: a column of which only those events count that have it; `condition`: what events must fulfil beside;
    /// `tag`: a column that names the inputs of a union.
    pub(super) fn parts(
        &mut self,
        plan: &'q Plan,
        time: Option<ColId>,
        measured: Option<ColId>,
        condition: Option<&'q Expr>,
        tag: Option<ColId>,
    ) -> Option<Vec<Part<'q>>> {
        let mut skip = measured.map(|id| self.presences(plan, id)).unwrap_or_default();
        for (at, id) in measured.map(|id| self.measured_fields(plan, id)).unwrap_or_default() {
            skip.extend(self.presences(at, id));
        }
        if let Some((union_plan, union)) = self.union_below(plan, &skip)
            && condition.is_none()
        {
            let mut parts = Vec::with_capacity(union.inputs.len());
            for (i, input) in union.inputs.iter().enumerate() {
                let of = |id: ColId| {
                    let (made, made_id) = origin(self.query, plan, id)?;
                    let place =
                        union_plan.output.iter().position(|o| ptr::eq(made, union_plan) && *o == made_id)?;
                    *union.columns.get(place)?.get(i)?
                };
                let name = match tag {
                    Some(id) => Some(self.text(input, of(id)?)?),
                    None => None,
                };
                let input_time = match time {
                    Some(id) => Some(of(id)?),
                    None => None,
                };
                let part = self.part(input, input_time, &skip, None, name)?;
                parts.push(Part { of: Some((union_plan, union, i)), ..part });
            }
            return Some(parts);
        }
        Some(vec![self.part(plan, time, &skip, condition, None)?])
    }

    fn part(
        &mut self,
        plan: &'q Plan,
        time: Option<ColId>,
        skip: &[*const Expr],
        condition: Option<&'q Expr>,
        name: Option<String>,
    ) -> Option<Part<'q>> {
        let before = (self.documents.len(), self.losses.len(), self.fault.clone());
        let made = match condition {
            None if super::applies(self.query, plan) => self.made(plan),
            Some(_) | None => None,
        };
        if let Some(made) = made {
            let name = self.fresh(name.or_else(|| self.called(plan)).unwrap_or_else(|| "alerts".into()));
            let keys = made.keys.clone();
            let mut document = SigmaDocument::new();
            document.set_text("title", &format!("{}: {name}", self.title));
            document.set_text("name", &name);
            document.set("correlation", Section::Correlation(made.correlation()));
            self.documents.push(document);
            return Some(Part { name, source: Source::Correlation(keys), of: None });
        }
        // Groups of which no number is asked are events, too.
        self.documents.truncate(before.0);
        self.losses.truncate(before.1);
        let correlation_fault = std::mem::replace(&mut self.fault, before.2);
        let mut lowerer = Lowerer::new(self.query, None);
        lowerer.skip = skip.to_vec();
        lowerer.plan(plan);
        if let Some(condition) = condition {
            let node = lowerer.when_true(condition);
            lowerer.conjuncts.push(node);
        }
        self.losses.append(&mut lowerer.losses);
        if let Some(fault) = lowerer.faults.first() {
            if self.fault.is_none() {
                self.fault = correlation_fault.or_else(|| Some(fault.clone()));
            }
            return None;
        }
        if let Some(found) = lowerer.look_back {
            self.found_look_back = Some(self.found_look_back.map_or(found, |before| before.max(found)));
        }
        let time = time.or(lowerer.time);
        let time_field = time.and_then(|id| lowerer.fields.of_column(id));
        let Some(time_field) = time_field else {
            let message = "the query does not say which column holds the time of the events";
            return self.refuse(codes::SIGMA_OUT_TIME, plan.span, message, "keep the table's time column");
        };
        let mut conjuncts = std::mem::take(&mut lowerer.conjuncts);
        if conjuncts.is_empty() {
            // All events: those that have a time.
            let any = node::Test::new(&time_field, vec![Modifier::Exists], vec![Value::bool(true)]);
            conjuncts.push(any.into());
        }
        let Some(detection) = detection::detection(node::all(conjuncts)) else {
            let message = "the query keeps every row, or none: there is nothing to look for";
            return self.refuse(codes::SIGMA_OUT_NO_CONDITION, plan.span, message, "filter the rows");
        };
        let table = lowerer.table.clone().unwrap_or_default();
        let name = self.fresh(name.or_else(|| self.called(plan)).unwrap_or_else(|| table.clone()));
        let mut document = SigmaDocument::new();
        document.set_text("title", &format!("{}: {name}", self.title));
        document.set_text("name", &name);
        if time_field != DEFAULT_TIME {
            document.set_text(TIME_FIELD_KEY, &time_field);
        }
        document.set("logsource", Section::LogSource(LogSource::new(None, None, Some(&table))));
        document.set("detection", Section::Detection(detection));
        let text = crate::syntax::print(std::slice::from_ref(&document), &ruleferry_doc::Comments::default());
        document.set("id", envelope::plain(&envelope::derived_id(&text)));
        self.documents.push(document);
        Some(Part { name, source: Source::Rule(Box::new(lowerer)), of: None })
    }

    /// The union that a plan is, below nothing but filters that are skipped and added columns.
    fn union_below(&self, plan: &'q Plan, skip: &[*const Expr]) -> Option<(&'q Plan, &'q Union)> {
        let mut at = plan;
        loop {
            at = match &*at.op {
                Op::Union(union) if union.source.is_none() => return Some((at, union)),
                Op::Ref(id) => self.table(*id)?,
                Op::Extend { input, .. } | Op::Project { input, .. } | Op::Select { input, .. } => input,
                Op::Filter { input, predicate } => {
                    let all = match &predicate.kind {
                        ExprKind::And(operands) => operands.iter().all(|e| skip.contains(&ptr::from_ref(e))),
                        _ => skip.contains(&ptr::from_ref(predicate)),
                    };
                    if !all {
                        return None;
                    }
                    input
                }
                _ => return None,
            };
        }
    }

    /// The conditions of a plan that a column has a value.
    fn presences(&self, plan: &'q Plan, id: ColId) -> Vec<*const Expr> {
        let mut found = Vec::new();
        let Some((made, made_id)) = origin(self.query, plan, id) else { return found };
        let same = |at: &'q Plan, e: &Expr| {
            // A column whose type nobody knows is read as a text first.
            let bare = if let ExprKind::Cast(c) = &e.kind { &c.expr } else { e };
            let of = bare.as_column().and_then(|id| origin(self.query, at, id));
            of.is_some_and(|(p, i)| ptr::eq(p, made) && i == made_id)
        };
        let mut at = plan;
        loop {
            at = match &*at.op {
                Op::Filter { input, predicate } => {
                    let operands = match &predicate.kind {
                        ExprKind::And(operands) => operands.as_slice(),
                        _ => std::slice::from_ref(predicate),
                    };
                    for e in operands {
                        let of = match &e.kind {
                            ExprKind::Not(inner) => match &inner.kind {
                                ExprKind::IsEmpty(of) | ExprKind::IsNull(of) => Some(&**of),
                                _ => None,
                            },
                            ExprKind::Call(f, args) if matches!(f.name, "isnotempty" | "isnotnull") => {
                                args.first()
                            }
                            _ => None,
                        };
                        if of.is_some_and(|of| same(input, of)) {
                            found.push(ptr::from_ref(e));
                        }
                    }
                    input
                }
                Op::Ref(id) => match self.table(*id) {
                    Some(table) => table,
                    None => return found,
                },
                _ => match at.input() {
                    Some(input) => input,
                    None => return found,
                },
            };
        }
    }

    /// Whether the rows of a plan are only those that have a value in a column.
    pub(super) fn is_present(&self, plan: &'q Plan, id: ColId) -> bool {
        !self.presences(plan, id).is_empty()
    }

    /// The text that a column always holds.
    pub(super) fn text(&self, plan: &'q Plan, id: ColId) -> Option<String> {
        match &definition(self.query, plan, id)?.expr.kind {
            ExprKind::Literal(IrValue::String(text)) => Some(text.to_string()),
            _ => None,
        }
    }

    /// The name that the query gives to rows.
    fn called(&self, plan: &'q Plan) -> Option<String> {
        match &*plan.op {
            Op::Ref(id) => self.query.bindings.get(id.0 as usize).map(|b| b.name.to_string()),
            _ => None,
        }
    }

    fn fresh(&self, name: String) -> String {
        let plain: String =
            name.chars().take(80).map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let plain = plain.trim_matches('_').to_owned();
        let plain = if plain.is_empty() { "events".to_owned() } else { plain };
        let taken = |n: &str| self.documents.iter().any(|d| d.text("name") == Some(n));
        let numbered = (2..).map(|n| format!("{plain}_{n}"));
        std::iter::once(plain.clone()).chain(numbered).find(|n| !taken(n)).unwrap_or(plain)
    }
}
