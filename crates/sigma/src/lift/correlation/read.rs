//! The keys of a correlation as values.

use crate::duration;
use crate::syntax::{Correlation, Expr as Tree, parse_condition};
use indexmap::IndexMap;
use ruleferry_diag::{Diagnostic, Span, codes};
use ruleferry_doc::Node;
use ruleferry_ir::{CompareOp, Value};
use smol_str::SmolStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    EventCount,
    ValueCount,
    ValueSum,
    ValueAvg,
    ValuePercentile,
    ValueMedian,
    Temporal,
    TemporalOrdered,
}

const KINDS: [(&str, Kind); 8] = [
    ("event_count", Kind::EventCount),
    ("value_count", Kind::ValueCount),
    ("value_sum", Kind::ValueSum),
    ("value_avg", Kind::ValueAvg),
    ("value_percentile", Kind::ValuePercentile),
    ("value_median", Kind::ValueMedian),
    ("temporal", Kind::Temporal),
    ("temporal_ordered", Kind::TemporalOrdered),
];

impl Kind {
    pub(super) fn name(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

#[derive(Clone, Debug)]
pub(super) enum Condition {
    /// None for temporal types: every rule.
    None,
    Compare(Vec<(CompareOp, Value)>),
    Boolean(Tree),
}

/// What a correlation says.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    pub kind: Kind,
    pub rules: Vec<(SmolStr, Span)>,
    pub by: Vec<SmolStr>,
    /// Ticks.
    pub timespan: i64,
    pub condition: Condition,
    /// Where the condition stands.
    pub condition_span: Span,
    /// The fields whose values are counted or measured.
    pub fields: Vec<SmolStr>,
    pub percentile: f64,
    /// Alias → rule → field.
    pub aliases: IndexMap<SmolStr, IndexMap<SmolStr, SmolStr>>,
    pub span: Span,
}

const OPERATORS: [(&str, CompareOp); 6] = [
    ("gt", CompareOp::Gt),
    ("gte", CompareOp::Ge),
    ("lt", CompareOp::Lt),
    ("lte", CompareOp::Le),
    ("eq", CompareOp::Eq),
    ("neq", CompareOp::Ne),
];

pub(super) fn read(correlation: &Correlation, whole: Span) -> Result<Spec, Diagnostic> {
    let span = if correlation.span.is_empty() { whole } else { *correlation.span };
    let fault = |span: Span, message: String, help: &str| {
        Diagnostic::error(codes::SIGMA_CORRELATION, span, message).with_help(help)
    };
    let at = |key: &str| correlation.get(key).map_or(span, |n| n.span);
    let kind = correlation.kind().and_then(|word| KINDS.into_iter().find(|(name, _)| *name == word));
    let Some((_, kind)) = kind else {
        return Err(fault(at("type"), "the correlation has no type that is known".into(), "add `type:`"));
    };
    let timespan = correlation.timespan().and_then(duration::parse_timespan);
    let Some(timespan) = timespan else {
        return Err(fault(at("timespan"), "the correlation has no timespan".into(), "write `timespan: 10m`"));
    };
    let mut spec = Spec {
        kind,
        rules: correlation.get("rules").map(places).unwrap_or_default(),
        by: correlation.group_by().map(SmolStr::new).collect(),
        timespan,
        condition: Condition::None,
        condition_span: at("condition"),
        fields: Vec::new(),
        percentile: 50.0,
        aliases: correlation.get("aliases").map(aliases).unwrap_or_default(),
        span,
    };
    if let Some(node) = correlation.get("condition") {
        condition(node, &mut spec)?;
    }
    if let (Condition::Boolean(tree), true) = (&spec.condition, spec.rules.is_empty()) {
        // The condition names the rules by itself.
        tree.leaves(&mut |leaf| {
            if let Tree::Search(name) = leaf
                && spec.rules.iter().all(|(known, _)| *known != name.text)
            {
                spec.rules.push((name.text.clone(), spec.condition_span));
            }
        });
    }
    if spec.rules.is_empty() {
        return Err(fault(at("rules"), "the correlation names no rules".into(), "add `rules:`"));
    }
    let measured = !matches!(spec.kind, Kind::EventCount | Kind::Temporal | Kind::TemporalOrdered);
    if measured && spec.fields.is_empty() {
        let message = "the condition does not say which field is looked at".to_owned();
        return Err(fault(spec.condition_span, message, "add `field:` to the condition"));
    }
    let temporal = matches!(spec.kind, Kind::Temporal | Kind::TemporalOrdered);
    let compares = match &spec.condition {
        Condition::Compare(list) => !list.is_empty(),
        Condition::None | Condition::Boolean(_) => false,
    };
    if !temporal && !compares {
        let message = format!("a correlation of type `{}` compares a number", spec.kind.name());
        return Err(fault(spec.condition_span, message, "add `condition:` with `gte: 10`, for example"));
    }
    if spec.kind == Kind::ValuePercentile
        && correlation.get("condition").and_then(|c| c.get("percentile")).is_none()
    {
        let message = "the condition does not say which percentile is compared".to_owned();
        return Err(fault(
            spec.condition_span,
            message,
            "add `percentile: 95` to the condition, for example",
        ));
    }
    Ok(spec)
}

fn condition(node: &Node, spec: &mut Spec) -> Result<(), Diagnostic> {
    let Some(pairs) = node.as_mapping() else {
        let text = node.as_text().unwrap_or_default();
        // Places inside of the text are those of the condition as a whole.
        spec.condition = Condition::Boolean(parse_condition(text, node.span)?);
        return Ok(());
    };
    let mut compares = Vec::new();
    for pair in pairs {
        let key = pair.key.as_text().unwrap_or_default();
        if let Some((_, op)) = OPERATORS.into_iter().find(|(name, _)| *name == key) {
            let value = pair.value.as_i64().map(Value::Long);
            let Some(value) =
                value.or_else(|| pair.value.as_f64().filter(|x| x.is_finite()).map(Value::Real))
            else {
                let message = format!("`{key}` takes a number");
                return Err(Diagnostic::error(codes::SIGMA_CORRELATION, pair.value.span, message));
            };
            compares.push((op, value));
        } else if key == "field" {
            spec.fields = places(&pair.value).into_iter().map(|(name, _)| name).collect();
        } else if key == "percentile" {
            let percentile = pair.value.as_f64().filter(|p| (0.0..=100.0).contains(p));
            let Some(percentile) = percentile else {
                let message = "a percentile is a number from 0 to 100";
                return Err(Diagnostic::error(codes::SIGMA_CORRELATION, pair.value.span, message));
            };
            spec.percentile = percentile;
        }
    }
    spec.condition = if compares.is_empty() { Condition::None } else { Condition::Compare(compares) };
    Ok(())
}

/// The texts of a node that holds one or a list of them, with their places.
fn places(node: &Node) -> Vec<(SmolStr, Span)> {
    let list = node.as_sequence().unwrap_or_default();
    let one = node.as_text().map(|t| (SmolStr::new(t), node.span));
    one.into_iter().chain(list.iter().filter_map(|n| Some((SmolStr::new(n.as_text()?), n.span)))).collect()
}

fn aliases(node: &Node) -> IndexMap<SmolStr, IndexMap<SmolStr, SmolStr>> {
    let text = |n: &Node| SmolStr::new(n.as_text().unwrap_or_default());
    let fields = |n: &Node| {
        let pairs = n.as_mapping().unwrap_or_default();
        pairs.iter().map(|p| (text(&p.key), text(&p.value))).collect()
    };
    let pairs = node.as_mapping().unwrap_or_default();
    pairs.iter().map(|p| (text(&p.key), fields(&p.value))).collect()
}
