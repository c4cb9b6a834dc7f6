//! From plans that relate several events to correlations.
//!
//! In: a rule whose plan counts events in windows of time, or joins events that are near each other. Out: the rules of the
//! events that are looked at, and a correlation of them. What is recognized are the plans that correlations are lifted to
//! (no loss), and what people write for the same purpose: windows on a grid, thresholds over the whole look-back, joins. Those
//! become windows that slide, which find all that the others find; each such widening is a listed loss.

mod count;
mod part;
mod print;
mod sequence;

use super::{LowerOptions, Lowered, Lowerer, envelope};
use crate::duration;
use crate::syntax::{Section, SigmaDocument};
use part::Part;
use print::Made;
use ruleferry_diag::{Code, Diagnostic, Span, codes};
use ruleferry_ir::{self as ir, BindingValue, ColId, Effect, Expr, Loss, Op, Plan, Query};

/// Whether the plan does more than filter the events of one table in a way that a correlation may say.
pub(super) fn applies(query: &Query, plan: &Plan) -> bool {
    let mut at = plan;
    loop {
        match &*at.op {
            Op::Aggregate(_) | Op::Join(_) => return true,
            Op::Ref(id) => match query.bindings.get(id.0 as usize).map(|b| &b.value) {
                Some(BindingValue::Table { plan, .. }) => at = plan,
                Some(BindingValue::Scalar(_)) | None => return false,
            },
            _ => match at.input() {
                Some(input) => at = input,
                None => return false,
            },
        }
    }
}

/// The rules and their correlation; the faults say why there is none.
pub(super) fn lower(rule: &ir::Rule, options: &LowerOptions) -> Result<Lowered, Refusal> {
    let title = [rule.envelope.title.as_deref(), rule.envelope.name.as_deref(), options.title.as_deref()];
    let title = title.into_iter().flatten().find(|t| !t.trim().is_empty()).unwrap_or("Untitled");
    let mut maker = Maker {
        query: &rule.query,
        title: title.to_owned(),
        documents: Vec::new(),
        losses: Vec::new(),
        fault: None,
        look_back: rule.envelope.schedule.look_back,
        found_look_back: None,
        depth: 0,
        unnumbered: false,
    };
    let Some(made) = maker.made(&rule.query.plan) else {
        let fault = maker.fault.unwrap_or_else(|| {
            let message = "the query relates events in a way that no correlation can say";
            Diagnostic::error(codes::SIGMA_OUT_OPERATOR, rule.query.plan.span, message)
        });
        return Err(Refusal { faults: vec![fault], single: maker.unnumbered });
    };
    // A lowerer of its own for the losses of the envelope.
    let mut head = Lowerer::new(&rule.query, None);
    let (mut document, named) = envelope::document(&rule.envelope, options, &mut head);
    maker.losses.append(&mut head.losses);
    let look_back = maker.look_back.or(maker.found_look_back);
    if let Some(length) = look_back.and_then(duration::format) {
        document.set(crate::lift::LOOK_BACK_KEY, envelope::plain(&length));
    }
    document.entries.retain(|e| e.key.text != "logsource");
    let groups = made.groups();
    document.set("correlation", Section::Correlation(made.correlation()));
    if !named {
        let text = crate::syntax::print(std::slice::from_ref(&document), &ruleferry_doc::Comments::default());
        document.set("id", envelope::plain(&envelope::derived_id(&text)));
    }
    Ok(Lowered { document, base: maker.documents, losses: maker.losses, groups: Some(groups) })
}

/// Why there is no correlation.
pub(super) struct Refusal {
    pub faults: Vec<Diagnostic>,
    /// The query only groups events: a rule over single events may say it.
    pub single: bool,
}

/// Correlations of correlations deeper than this are nobody's.
const MAX_DEPTH: u32 = 8;

struct Maker<'q> {
    query: &'q Query,
    title: String,
    /// The rules and inner correlations, in the order in which they are needed.
    documents: Vec<SigmaDocument>,
    losses: Vec<Loss>,
    /// What stood in the way first.
    fault: Option<Diagnostic>,
    /// The rule's own.
    look_back: Option<i64>,
    /// What the conditions of the events say.
    found_look_back: Option<i64>,
    depth: u32,
    /// The groups at the top are asked for no number.
    unnumbered: bool,
}

/// What stands between the top of a plan and the operator that relates events.
struct Above<'q> {
    /// Conditions, with the plan over whose columns each is written.
    tests: Vec<(&'q Plan, &'q Expr)>,
    /// The operator.
    at: &'q Plan,
}

impl<'q> Maker<'q> {
    fn refuse<T>(&mut self, code: Code, span: Span, message: impl Into<String>, help: &str) -> Option<T> {
        if self.fault.is_none() {
            self.fault = Some(Diagnostic::error(code, span, message).with_help(help));
        }
        None
    }

    fn lose(&mut self, code: Code, effect: Effect, span: Span, detail: impl Into<String>) {
        let loss = Loss { code, effect, detail: detail.into(), span };
        if !self.losses.contains(&loss) {
            self.losses.push(loss);
        }
    }

    /// The correlation that a plan is.
    fn made(&mut self, plan: &'q Plan) -> Option<Made<'q>> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.refuse(codes::SIGMA_OUT_TOO_LARGE, plan.span, "the query nests too deep", "");
        }
        let above = self.above(plan)?;
        let made = match &*above.at.op {
            Op::Aggregate(a) => self.count(&above, a),
            Op::Join(_) => self.sequence(plan, &above),
            _ => None,
        };
        self.depth -= 1;
        made
    }

    /// Walks down to the operator that relates events.
    fn above(&mut self, plan: &'q Plan) -> Option<Above<'q>> {
        let mut above = Above { tests: Vec::new(), at: plan };
        loop {
            let at = above.at;
            above.at = match &*at.op {
                Op::Aggregate(_) | Op::Join(_) => return Some(above),
                Op::Filter { input, predicate } => {
                    let operands = match &predicate.kind {
                        ir::ExprKind::And(operands) => operands.as_slice(),
                        _ => std::slice::from_ref(predicate),
                    };
                    above.tests.extend(operands.iter().map(|e| (input, e)));
                    input
                }
                Op::Extend { input, .. }
                | Op::Project { input, .. }
                | Op::Select { input, .. }
                | Op::Serialize { input, .. }
                | Op::Distinct { input }
                | Op::Render { input, .. } => input,
                Op::Sort { input, .. } => {
                    self.lose(
                        codes::ORDER_LOST,
                        Effect::Cosmetic,
                        at.span,
                        "Sigma does not order what it finds",
                    );
                    input
                }
                Op::Limit { input, .. } | Op::Top { input, .. } => {
                    let detail = "Sigma does not limit what it finds: all alerts are shown";
                    self.lose(codes::LIMIT_LOST, Effect::Widens, at.span, detail);
                    input
                }
                Op::Ref(id) => self.table(*id)?,
                _ => return None,
            };
        }
    }

    fn table(&self, id: ir::BindingId) -> Option<&'q Plan> {
        match &self.query.bindings.get(id.0 as usize)?.value {
            BindingValue::Table { plan, .. } => Some(plan),
            BindingValue::Scalar(_) => None,
        }
    }

    /// The length of a window that the query does not say: how far it looks back.
    fn period(&mut self, span: Span) -> Option<i64> {
        let period = self.look_back.or(self.found_look_back);
        if period.is_none() {
            let message = "the query does not say in which span of time it relates events";
            let help = "group by `bin(TimeGenerated, 1h)`, filter by `TimeGenerated > ago(1d)`, or give the rule a period";
            return self.refuse(codes::SIGMA_OUT_OPERATOR, span, message, help);
        }
        period
    }

    /// The fields of a key in each part: the one name, or an alias for several.
    fn group(
        &mut self,
        parts: &[Part<'q>],
        columns: &[(&'q Plan, ColId)],
        span: Span,
    ) -> Option<Vec<String>> {
        let mut fields = Vec::with_capacity(parts.len());
        for (part, (at, id)) in parts.iter().zip(columns) {
            let Some(field) = part.field(self.query, at, *id) else {
                let name = self.query.columns.name(*id);
                let message = format!("the query groups by `{name}`, which is no field of the events");
                let help = "group by fields of the events";
                return self.refuse(codes::SIGMA_OUT_OPERATOR, span, message, help);
            };
            fields.push(field);
        }
        Some(fields)
    }
}
