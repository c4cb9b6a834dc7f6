//! Checks over whole documents: required keys, what conditions refer to, correlations, filters, actions.
//!
//! In: the documents of a file. Out: diagnostics. Nothing is changed.

use super::check_metadata::{self, choose};
use super::read::{MOST, first_key, or_key};
use super::suggest::nearest;
use super::{
    Action, Condition, Correlation, Detection, DocumentKind, Expr, Loc, Name, Pipe, Quantifier, Section,
    SigmaDocument, Target, actions,
};
use ruleferry_diag::{Code, Diagnostic, Span, codes};
use ruleferry_doc::{Class, Node};
use rustc_hash::FxHashMap;

/// Most comparisons of names with patterns in one detection; beyond that, patterns are taken as fitting.
const MOST_COMPARISONS: usize = 5_000_000;

/// Where diagnostics go.
pub(crate) struct Sink<'d> {
    list: &'d mut Vec<Diagnostic>,
}

impl Sink<'_> {
    pub fn error(&mut self, code: Code, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.tell(Diagnostic::error(code, span, message).with_help(help));
    }

    pub fn warn(&mut self, code: Code, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.tell(Diagnostic::warning(code, span, message).with_help(help));
    }

    /// Whether more would not be told: then finding more is not worth the time.
    pub fn is_full(&self) -> bool {
        self.list.len() >= MOST
    }

    pub fn tell(&mut self, diagnostic: Diagnostic) {
        // A part that several rules share is told of once.
        let again = |d: &Diagnostic| d.span == diagnostic.span && d.message == diagnostic.message;
        if !self.is_full() && !self.list.iter().any(again) {
            self.list.push(diagnostic);
        }
    }
}

pub(crate) fn file(documents: &[SigmaDocument], diagnostics: &mut Vec<Diagnostic>) {
    let mut sink = Sink { list: diagnostics };
    check_actions(documents, &mut sink);
    for document in documents {
        check_metadata::document(document, &mut sink);
    }
    let carried_out = actions::carry_out(documents);
    if let Some(span) = carried_out.stopped {
        let message = "the actions of this file expand too far";
        sink.error(codes::YAML_LIMIT, span, message, "write the rules out");
    }
    // What a rule lacks may stand in another document.
    for rule in carried_out.rules.iter() {
        check_rule(rule, &mut sink);
    }
}

fn check_actions(documents: &[SigmaDocument], sink: &mut Sink<'_>) {
    let mut ruled = false;
    for (i, document) in documents.iter().enumerate() {
        let Some(entry) = document.entry("action") else {
            ruled = true;
            continue;
        };
        let span = match &entry.section {
            Section::Other(node) => or_key(node.span, &entry.key),
            Section::LogSource(_) | Section::Detection(_) | Section::Correlation(_) | Section::Filter(_) => {
                *entry.key.span
            }
        };
        match document.action() {
            None => {
                let written = document.text("action").unwrap_or("");
                let help = choose(written, &["global", "repeat", "reset"]);
                sink.error(codes::SIGMA_ACTION, span, format!("`{written}` is no action"), help);
            }
            Some(Action::Repeat) if !ruled => {
                let message = "there is no rule before this one that could be repeated";
                sink.error(codes::SIGMA_ACTION, span, message, "remove the action, or put a rule before it");
            }
            Some(Action::Global) if i + 1 == documents.len() => {
                let message = "no rule follows that this could be a part of";
                sink.error(
                    codes::SIGMA_ACTION,
                    span,
                    message,
                    "add a document behind `---`, or remove the action",
                );
            }
            Some(Action::Repeat | Action::Global | Action::Reset) => {}
        }
    }
}

fn check_rule(rule: &SigmaDocument, sink: &mut Sink<'_>) {
    let kind = rule.kind();
    let required: &[&str] = match kind {
        DocumentKind::Rule => &["title", "logsource"],
        DocumentKind::Correlation => &["title"],
        DocumentKind::Filter => &["title", "logsource"],
        DocumentKind::Part | DocumentKind::Unknown => &[],
    };
    if rule.complete {
        for key in required {
            if rule.entry(key).is_none() {
                let help = format!("add `{key}:`");
                sink.error(codes::SIGMA_MISSING_KEY, first_key(rule), format!("`{key}` is missing"), help);
            }
        }
    }
    if let Some(logsource) = rule.logsource() {
        let known = ["category", "product", "service"];
        let named = logsource.entries.iter().any(|(name, _)| known.contains(&name.text.as_str()));
        if !named && kind == DocumentKind::Rule {
            let message = "the log source has neither category nor product nor service";
            sink.error(
                codes::SIGMA_MISSING_KEY,
                section_span(rule, "logsource", logsource.span),
                message,
                "add one of them",
            );
        }
    }
    if let Some(detection) = rule.detection() {
        let whole = rule.complete && kind == DocumentKind::Rule;
        check_detection(detection, section_span(rule, "detection", detection.span), whole, sink);
    }
    if let Some(filter) = rule.filter() {
        check_filter(filter, section_span(rule, "filter", filter.span), rule.complete, sink);
    }
    if let Some(correlation) = rule.correlation() {
        check_correlation(
            correlation,
            section_span(rule, "correlation", correlation.span),
            rule.complete,
            sink,
        );
    }
}

/// What to underline when something is missing in a section: its key, or the section where there is no key.
fn section_span(rule: &SigmaDocument, key: &str, span: Loc) -> Span {
    rule.entry(key).map_or(*span, |e| *e.key.span)
}

fn check_detection(detection: &Detection, span: Span, whole: bool, sink: &mut Sink<'_>) {
    if detection.searches.is_empty() && whole {
        sink.error(
            codes::SIGMA_EMPTY,
            span,
            "the detection has no search",
            "add `selection:` with fields and values",
        );
    }
    if detection.condition.is_none() && whole {
        let message = "the detection has no condition";
        sink.error(
            codes::SIGMA_MISSING_KEY,
            span,
            message,
            "add `condition: …` with the names of the searches",
        );
    }
    if let Some((name, node)) = &detection.timeframe {
        check_timespan(name, node, codes::SIGMA_METADATA, sink);
    }
    let mut references = References::new(detection);
    for condition in detection.conditions() {
        references.condition(condition, whole, sink);
    }
    // A condition that could not be read, or is not there, may use any search.
    let readable = detection.conditions().iter().all(|c| c.expr().is_some());
    if !readable || detection.conditions().is_empty() || !whole {
        return;
    }
    for (search, used) in detection.searches.iter().zip(references.used) {
        if !used && !sink.is_full() {
            let message = format!("no condition uses `{}`", search.name.text);
            let help = "use it in the condition, or remove it";
            sink.warn(codes::SIGMA_UNUSED_SEARCH, *search.name.span, message, help);
        }
    }
}

/// Which searches the conditions of a detection use.
struct References<'t> {
    detection: &'t Detection,
    /// The places of the searches by name, for detections with many of them.
    index: FxHashMap<&'t str, Vec<usize>>,
    used: Vec<bool>,
    comparisons: usize,
}

impl<'t> References<'t> {
    fn new(detection: &'t Detection) -> Self {
        /// Up to here, looking at all is faster.
        const FEW: usize = 16;
        let mut index: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
        if detection.searches.len() > FEW {
            for (i, search) in detection.searches.iter().enumerate() {
                index.entry(search.name.text.as_str()).or_default().push(i);
            }
        }
        Self { detection, index, used: vec![false; detection.searches.len()], comparisons: 0 }
    }

    fn condition(&mut self, condition: &Condition, whole: bool, sink: &mut Sink<'_>) {
        if let Some(expr) = condition.expr() {
            expr.leaves(&mut |leaf| self.leaf(leaf, whole, sink));
        }
        match condition.pipe() {
            None => {}
            Some(Pipe::Near(expr, span)) => {
                expr.leaves(&mut |leaf| self.leaf(leaf, whole, sink));
                let message = "`near` was taken out of Sigma";
                sink.warn(
                    codes::SIGMA_LEGACY,
                    **span,
                    message,
                    "write a correlation rule of type `temporal`",
                );
            }
            Some(Pipe::Aggregation(aggregation)) => {
                let message = "aggregations in conditions were taken out of Sigma";
                let kind = if aggregation.field.is_some() { "value_count" } else { "event_count" };
                let help = format!("write a correlation rule of type `{kind}`");
                sink.warn(codes::SIGMA_LEGACY, *aggregation.span, message, help);
            }
        }
    }

    fn leaf(&mut self, leaf: &Expr, whole: bool, sink: &mut Sink<'_>) {
        match leaf {
            Expr::Search(name) => {
                if !self.mark_name(&name.text) && whole && !sink.is_full() {
                    self.unknown(name, &name.text, sink);
                }
            }
            Expr::Of { target, span, quantifier } => {
                let found = self.mark_target(target);
                if !whole || sink.is_full() {
                    return;
                }
                match (found, target) {
                    (0, Target::Pattern(pattern)) => {
                        self.unknown(pattern, pattern.text.trim_end_matches('*'), sink)
                    }
                    (0, Target::Them) => {
                        let message = "there is no search that `them` could mean";
                        let help = "names that begin with `_` do not count";
                        sink.error(codes::SIGMA_UNKNOWN_SEARCH, **span, message, help);
                    }
                    (found, Target::Pattern(_) | Target::Them) => {
                        if let Quantifier::AtLeast(n) = quantifier
                            && *n > found
                        {
                            let message = format!("{n} of {found} searches can never hold");
                            let help = "lower the number, or add searches";
                            sink.warn(codes::SIGMA_CONDITION, **span, message, help);
                        }
                    }
                }
            }
            Expr::Not(..) | Expr::And(..) | Expr::Or(..) | Expr::Group(..) => {}
        }
    }

    fn mark_name(&mut self, name: &str) -> bool {
        let mut found = false;
        if self.index.is_empty() {
            for (search, used) in self.detection.searches.iter().zip(&mut self.used) {
                if search.name.text == name {
                    found = true;
                    *used = true;
                }
            }
        } else {
            for at in self.index.get(name).into_iter().flatten() {
                found = true;
                if let Some(used) = self.used.get_mut(*at) {
                    *used = true;
                }
            }
        }
        found
    }

    /// How many searches a target means.
    fn mark_target(&mut self, target: &Target) -> u32 {
        let length = match target {
            Target::Them => 1,
            Target::Pattern(pattern) => pattern.text.len(),
        };
        self.comparisons = self.comparisons.saturating_add(self.used.len().saturating_mul(length));
        if self.comparisons > MOST_COMPARISONS {
            self.used.fill(true);
            return u32::MAX;
        }
        let mut found = 0;
        for (search, used) in self.detection.searches.iter().zip(&mut self.used) {
            if target.includes(&search.name.text) {
                found += 1;
                *used = true;
            }
        }
        found
    }

    fn unknown(&self, name: &Name, word: &str, sink: &mut Sink<'_>) {
        /// No more names are compared with the one that is not there.
        const MANY: usize = 200;
        /// Longer lists help nobody.
        const SHOWN: usize = 8;
        let names = || self.detection.searches.iter().map(|s| s.name.text.as_str());
        let help = match nearest(word, names().take(MANY)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let names: Vec<&str> = names().take(SHOWN).collect();
                format!(
                    "the detection has {}",
                    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
                )
            }
        };
        let message = format!("there is no search `{}`", name.text);
        sink.error(codes::SIGMA_UNKNOWN_SEARCH, *name.span, message, help);
    }
}

fn check_filter(filter: &Detection, span: Span, whole: bool, sink: &mut Sink<'_>) {
    check_detection(filter, span, whole, sink);
    let rules = filter.others.iter().find(|(name, _)| name.text == "rules");
    match rules {
        None if whole => {
            let help = "add `rules:` with the ids or names of the rules that are filtered";
            sink.error(
                codes::SIGMA_MISSING_KEY,
                span,
                "the filter does not say which rules it filters",
                help,
            );
        }
        None => {}
        Some((name, node)) => check_rule_list(name, node, sink),
    }
}

fn check_rule_list(name: &Name, node: &Node, sink: &mut Sink<'_>) {
    let texts = |items: &[Node]| !items.is_empty() && items.iter().all(|n| n.as_str().is_some());
    if node.as_sequence().is_some_and(texts) || node.as_str().is_some_and(|t| !t.is_empty()) {
        return;
    }
    let message = format!("`{}` holds a list of rules, by id or name", name.text);
    sink.error(
        codes::SIGMA_WRONG_TYPE,
        or_key(node.span, name),
        message,
        "write one rule a line, each after `- `",
    );
}

const CORRELATION_KEYS: &[&str] =
    &["type", "rules", "group-by", "timespan", "condition", "aliases", "generate", "timeframe"];
const CORRELATION_TYPES: &[&str] = &[
    "event_count",
    "value_count",
    "temporal",
    "temporal_ordered",
    "value_sum",
    "value_avg",
    "value_percentile",
    "value_median",
];
const CONDITION_KEYS: &[&str] = &["gt", "gte", "lt", "lte", "eq", "neq", "field", "percentile"];

fn check_correlation(correlation: &Correlation, span: Span, whole: bool, sink: &mut Sink<'_>) {
    for (name, _) in &correlation.entries {
        if !CORRELATION_KEYS.contains(&name.text.as_str()) && !sink.is_full() {
            let message = format!("`{}` is no key of a correlation", name.text);
            sink.warn(codes::SIGMA_CORRELATION, *name.span, message, choose(&name.text, CORRELATION_KEYS));
        }
    }
    let find = |key: &str| correlation.entries.iter().find(|(name, _)| name.text == key);
    for key in ["type", "rules", "timespan"] {
        if find(key).is_none() && whole {
            let message = format!("the correlation has no `{key}`");
            sink.error(codes::SIGMA_CORRELATION, span, message, format!("add `{key}:`"));
        }
    }
    if let Some((name, node)) = find("type")
        && !node.as_str().is_some_and(|t| CORRELATION_TYPES.contains(&t))
    {
        let written = node.as_text().unwrap_or("");
        let message = format!("`{written}` is no type of correlation");
        sink.error(
            codes::SIGMA_CORRELATION,
            or_key(node.span, name),
            message,
            choose(written, CORRELATION_TYPES),
        );
    }
    if let Some((name, node)) = find("rules") {
        check_rule_list(name, node, sink);
    }
    if let Some((name, node)) = find("timespan") {
        check_timespan(name, node, codes::SIGMA_CORRELATION, sink);
    }
    let temporal = correlation.kind().is_none_or(|k| k.starts_with("temporal"));
    match find("condition") {
        None if whole && !temporal => {
            let help = "add `condition:` with `gte: 10`, for example";
            sink.error(codes::SIGMA_CORRELATION, span, "the correlation has no `condition`", help);
        }
        None => {}
        Some((name, node)) => check_correlation_condition(name, node, correlation, temporal, sink),
    }
}

fn check_correlation_condition(
    name: &Name,
    node: &Node,
    correlation: &Correlation,
    temporal: bool,
    sink: &mut Sink<'_>,
) {
    let Some(pairs) = node.as_mapping() else {
        // Temporal correlations may combine their rules as a condition combines searches.
        if !(temporal && node.as_str().is_some()) {
            let message = format!("the condition of a correlation is a mapping, not {}", node.describe());
            sink.error(
                codes::SIGMA_CORRELATION,
                or_key(node.span, name),
                message,
                "write `gte: 10` below it, for example",
            );
        }
        return;
    };
    for pair in pairs {
        let key = pair.key.as_text().unwrap_or("");
        if sink.is_full() {
            return;
        }
        if !CONDITION_KEYS.contains(&key) {
            let message = format!("`{key}` is no comparison");
            sink.error(codes::SIGMA_CORRELATION, pair.key.span, message, choose(key, CONDITION_KEYS));
        } else if key != "field" && !matches!(pair.value.class(), Class::Int | Class::Float) {
            let message = format!("`{key}` takes a number, not {}", pair.value.describe());
            sink.error(codes::SIGMA_CORRELATION, pair.value.span, message, "write a number");
        }
    }
    let needs_field = correlation.kind().is_some_and(|k| k.starts_with("value_"));
    if needs_field && node.get("field").is_none() {
        let message = "the condition does not say which field is counted";
        sink.error(codes::SIGMA_CORRELATION, *name.span, message, "add `field:` below it");
    }
}

/// A number and a unit: `15m`, `1h`.
fn check_timespan(name: &Name, node: &Node, code: Code, sink: &mut Sink<'_>) {
    let valid = node.as_text().is_some_and(|text| {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = text.get(digits.len()..).unwrap_or("");
        let number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        number && matches!(unit, "s" | "m" | "h" | "d" | "w" | "M" | "y")
    });
    if !valid {
        let message = format!("`{}` is no span of time", node.as_text().unwrap_or("").trim());
        let help = "write a number and a unit: s, m, h, d, w, M (months) or y";
        sink.error(code, or_key(node.span, name), message, help);
    }
}
