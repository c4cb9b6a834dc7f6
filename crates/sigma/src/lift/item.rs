//! Searches: groups of `field|modifiers: values`, and keywords, as conditions.

use super::pattern::{self, Place};
use super::{Lifter, regex, transform};
use crate::syntax::{Group, GroupKind, Item, Modifier, Part, Value, ValueKind};
use ruleferry_diag::{Span, codes};
use ruleferry_ir::functions::{self, FunctionKind};
use ruleferry_ir::{
    self as ir, Case, CompareOp, Expr, ExprKind, InList, InValues, MatchKind, MatchValue, MatchValues,
    Missing, Quantifier, StringMatch, Subject, Type,
};
use smol_str::SmolStr;

/// The names of parts of a time in `datetime_part`.
const TIME_PARTS: &[(Modifier, &str)] = &[
    (Modifier::Minute, "minute"),
    (Modifier::Hour, "hour"),
    (Modifier::Day, "day"),
    (Modifier::Week, "week_of_year"),
    (Modifier::Month, "month"),
    (Modifier::Year, "year"),
];

const COMPARISONS: &[(Modifier, CompareOp)] = &[
    (Modifier::Lt, CompareOp::Lt),
    (Modifier::Lte, CompareOp::Le),
    (Modifier::Gt, CompareOp::Gt),
    (Modifier::Gte, CompareOp::Ge),
];

/// One value of an item, ready to be matched.
enum Wanted {
    Match(MatchKind, MatchValue),
    Null,
}

/// What all values of an item have in common.
#[derive(Clone)]
struct Shared {
    subject: Subject,
    case: Case,
    quantifier: Quantifier,
    span: Span,
}

impl Lifter<'_> {
    pub(super) fn group(&mut self, group: &Group) -> Expr {
        let span = *group.span;
        match &group.kind {
            GroupKind::Map(items) => Expr::and(items.iter().map(|i| self.item(i)).collect(), span),
            GroupKind::List(groups) => {
                let mut operands = Vec::new();
                let mut keywords = Vec::new();
                for group in groups {
                    match &group.kind {
                        GroupKind::Keyword(value) => keywords.push(value),
                        GroupKind::Map(_) | GroupKind::List(_) => operands.push(self.group(group)),
                    }
                }
                if !keywords.is_empty() {
                    operands.push(self.keywords(&keywords, span));
                }
                Expr::or(operands, span)
            }
            GroupKind::Keyword(value) => self.keywords(&[value], span),
        }
    }

    /// Texts that any value of the event may hold.
    fn keywords(&mut self, values: &[&Value], span: Span) -> Expr {
        if !self.grow(values.len(), span) {
            return Expr::bool(false, span);
        }
        self.use_event();
        let shared =
            Shared { subject: Subject::Event, case: Case::Insensitive, quantifier: Quantifier::Any, span };
        let mut wanted = Vec::with_capacity(values.len());
        for value in values {
            match text_parts(value) {
                Ok(parts) => wanted.push(matched(&parts, Place::Anywhere, value)),
                Err(Odd::Null) => {
                    let help = "name the field that must be absent";
                    self.fault(codes::SIGMA_VALUE, *value.span, "a keyword cannot be null", help);
                }
                Err(Odd::Unreadable) => self.unreadable(value),
            }
        }
        matches(wanted, &shared)
    }

    fn item(&mut self, item: &Item) -> Expr {
        if !self.grow(item.values.as_slice().len(), *item.key) {
            return Expr::bool(false, *item.key);
        }
        let test = self.positive(item);
        // An absent field is different from every value.
        if item.has(&Modifier::Neq) { test.negated(*item.key) } else { test }
    }

    fn positive(&mut self, item: &Item) -> Expr {
        let span = *item.key;
        if let Some(unknown) = item.modifiers.iter().find(|m| matches!(m.kind, Modifier::Unknown(_))) {
            let message = format!("`{}` is no modifier of Sigma", unknown.kind.name());
            return self.fault(codes::SIGMA_UNKNOWN_MODIFIER, *unknown.span, message, "");
        }
        let part = TIME_PARTS.iter().find(|(m, _)| item.has(m)).map(|(_, part)| *part);
        let compare = COMPARISONS.iter().find(|(m, _)| item.has(m)).map(|(_, op)| *op);
        let Some(field) = item.field() else {
            if item.has(&Modifier::Exists)
                || item.has(&Modifier::FieldRef)
                || part.is_some()
                || compare.is_some()
            {
                let message = "a modifier of this item needs a field";
                return self.fault(
                    codes::SIGMA_MODIFIERS_CONFLICT,
                    span,
                    message,
                    "write the name of the field before it",
                );
            }
            self.use_event();
            return self.values(item, Subject::Event, Place::Anywhere);
        };
        let column = self.field(field, *item.field.span);
        if item.has(&Modifier::Exists) {
            return self.exists(item, column);
        }
        if part.is_some() || compare.is_some() {
            return self.compared(item, column, part, compare.unwrap_or(CompareOp::Eq));
        }
        if item.has(&Modifier::FieldRef) {
            return self.field_reference(item, column);
        }
        self.values(item, Subject::Expr(column), Place::Whole)
    }

    fn exists(&mut self, item: &Item, column: Expr) -> Expr {
        let mut tests = Vec::new();
        for value in item.values.as_slice() {
            let ValueKind::Bool(wanted, _) = value.kind else {
                let message = "`exists` asks for `true` or `false`";
                return self.fault(codes::SIGMA_VALUE, *value.span, message, "write true or false");
            };
            let absent = Expr::new(ExprKind::IsNull(Box::new(column.clone())), Type::Bool, *item.key);
            tests.push(if wanted { absent.negated(*item.key) } else { absent });
        }
        Expr::or(tests, *item.key)
    }

    /// Comparisons of numbers and of parts of a time. What is no number, or no time, is smaller and larger than nothing.
    fn compared(&mut self, item: &Item, column: Expr, part: Option<&'static str>, op: CompareOp) -> Expr {
        let span = *item.key;
        let subject = match part {
            // A real holds whole numbers, too, and does not drop the digits behind the point.
            None => column.cast(Type::Real, false),
            Some(part) => {
                let time = column.cast(Type::Datetime, false);
                let Some(function) = functions::find("datetime_part", FunctionKind::Scalar) else {
                    return self.fault(codes::SIGMA_VALUE, span, "parts of times cannot be compared", "");
                };
                Expr::new(ExprKind::Call(function, vec![Expr::string(part, span), time]), Type::Int, span)
            }
        };
        let mut numbers = Vec::new();
        for value in item.values.as_slice() {
            match number(value) {
                Some(number) => numbers.push(Expr::literal(number, *value.span)),
                None => {
                    let message = format!("`{}` is no number", value_text(value));
                    return self.fault(codes::SIGMA_VALUE, *value.span, message, "write a number");
                }
            }
        }
        if op == CompareOp::Eq && numbers.len() > 1 && !item.has(&Modifier::All) {
            let list = InList { subject, values: InValues::List(numbers), missing: Missing::False };
            return Expr::new(ExprKind::In(Box::new(list)), Type::Bool, span);
        }
        let tests = numbers.into_iter().map(|n| Expr::compare(op, subject.clone(), n, Missing::False, span));
        joined(tests.collect(), quantifier(item), span)
    }

    fn field_reference(&mut self, item: &Item, column: Expr) -> Expr {
        let kind = match place(item, Place::Whole) {
            Place::Whole => MatchKind::Equals,
            Place::Start => MatchKind::StartsWith,
            Place::End => MatchKind::EndsWith,
            Place::Anywhere => MatchKind::Contains,
        };
        let mut values = Vec::new();
        for value in item.values.as_slice() {
            match raw_text(value) {
                Some(name) => values.push(MatchValue::Expr(self.field(&name, *value.span))),
                None => {
                    let message = "`fieldref` takes the name of a field";
                    return self.fault(codes::SIGMA_VALUE, *value.span, message, "write the name of a field");
                }
            }
        }
        let test = StringMatch {
            subject: Subject::Expr(column),
            kind,
            case: case(item),
            values: MatchValues::List(values),
            quantifier: quantifier(item),
            missing: Missing::False,
        };
        Expr::matches(test, *item.key)
    }

    /// Text, patterns, regular expressions, networks.
    fn values(&mut self, item: &Item, subject: Subject, otherwise: Place) -> Expr {
        let place = place(item, otherwise);
        let regex = item.has(&Modifier::Re);
        let case = if regex { Case::Sensitive } else { case(item) };
        let shared = Shared { subject, case, quantifier: quantifier(item), span: *item.key };
        let mut wanted = Vec::with_capacity(item.values.as_slice().len());
        let mut alternatives = Vec::new();
        for value in item.values.as_slice() {
            let before = wanted.len();
            if regex {
                wanted.extend(self.regex(item, value));
            } else if item.has(&Modifier::Cidr) {
                wanted.extend(raw_text(value).map(|t| Wanted::Match(MatchKind::Cidr, text(t, value))));
            } else {
                match text_parts(value) {
                    Ok(parts) => self.transformed(item, value, parts, place, &mut wanted),
                    Err(Odd::Null) => wanted.push(Wanted::Null),
                    Err(Odd::Unreadable) => self.unreadable(value),
                }
            }
            // With `all`, a value that stands for several texts is found if one of them is.
            if shared.quantifier == Quantifier::All && wanted.len() > before + 1 {
                let any = Shared { quantifier: Quantifier::Any, ..shared.clone() };
                alternatives.push(matches(wanted.split_off(before), &any));
            }
        }
        if alternatives.is_empty() {
            return matches(wanted, &shared);
        }
        if !wanted.is_empty() {
            alternatives.insert(0, matches(wanted, &shared));
        }
        Expr::and(alternatives, shared.span)
    }

    fn regex(&mut self, item: &Item, value: &Value) -> Option<Wanted> {
        let flags: String =
            [(Modifier::IgnoreCase, 'i'), (Modifier::Multiline, 'm'), (Modifier::DotAll, 's')]
                .into_iter()
                .filter(|(modifier, _)| item.has(modifier))
                .map(|(_, flag)| flag)
                .collect();
        let pattern = raw_text(value)?;
        match regex::translate(&pattern, &flags) {
            Ok(pattern) => Some(Wanted::Match(MatchKind::Regex, text(pattern.into(), value))),
            Err(reason) => {
                let message = format!("the regular expression cannot be converted: {reason}");
                self.fault(
                    codes::SIGMA_REGEX,
                    *value.span,
                    message,
                    "write it without, or as several values",
                );
                None
            }
        }
    }

    /// The texts that the modifiers make of a value.
    fn transformed(
        &mut self,
        item: &Item,
        value: &Value,
        parts: Vec<Part>,
        place: Place,
        out: &mut Vec<Wanted>,
    ) {
        let modifiers = item.modifiers.iter().map(|m| m.kind.clone());
        let span = *value.span;
        match transform::texts(parts, modifiers, &self.options.values) {
            Ok(texts) => {
                if self.grow(texts.len().saturating_sub(1), span) {
                    out.extend(texts.iter().map(|parts| matched(parts, place, value)));
                }
            }
            Err(transform::Refusal::Placeholder(name)) => {
                let message = format!("no values are given for the placeholder `{name}`");
                self.fault(codes::SIGMA_PLACEHOLDER, span, message, "give them with `--values`");
            }
            Err(transform::Refusal::TooMany) => {
                let message = format!("the value stands for more than {} texts", transform::MAX_TEXTS);
                self.fault(
                    codes::SIGMA_TOO_LARGE,
                    span,
                    message,
                    "split it, or write it as a regular expression",
                );
            }
            Err(transform::Refusal::Wildcard(by)) => {
                let message = format!("text with wildcards cannot be encoded by `{by}`");
                self.fault(
                    codes::SIGMA_VALUE,
                    span,
                    message,
                    "write `\\*` and `\\?` where the signs themselves are meant",
                );
            }
            Err(transform::Refusal::TooShort) => {
                let message = "the text is too short for `base64offset`: no sign of the encoded text is sure";
                self.fault(codes::SIGMA_VALUE, span, message, "write a longer text");
            }
            Err(transform::Refusal::NoText(by)) => {
                let message = format!("`{by}` makes bytes of the value that are no text");
                self.fault(
                    codes::SIGMA_VALUE,
                    span,
                    message,
                    "put `base64` or `base64offset` behind the encoding",
                );
            }
        }
    }

    fn unreadable(&mut self, value: &Value) {
        self.fault(
            codes::SIGMA_VALUE,
            *value.span,
            "the value cannot be read",
            "write one text, number, true, false or null",
        );
    }
}

/// What is no text.
enum Odd {
    Null,
    Unreadable,
}

/// The text that a value is compared as; numbers and booleans as they were written.
fn text_parts(value: &Value) -> Result<Vec<Part>, Odd> {
    match &value.kind {
        ValueKind::String(text) => Ok(text.parts()),
        ValueKind::Verbatim(text) => Ok(vec![Part::Literal(text.raw.clone())]),
        ValueKind::Number(raw) | ValueKind::Bool(_, raw) => Ok(vec![Part::Literal(raw.clone())]),
        ValueKind::Null(_) => Err(Odd::Null),
        ValueKind::Unreadable(_) => Err(Odd::Unreadable),
    }
}

/// The text as it was written, without wildcards.
fn raw_text(value: &Value) -> Option<SmolStr> {
    match &value.kind {
        ValueKind::String(text) | ValueKind::Verbatim(text) => Some(text.raw.clone()),
        ValueKind::Number(raw) | ValueKind::Bool(_, raw) => Some(raw.clone()),
        ValueKind::Null(_) | ValueKind::Unreadable(_) => None,
    }
}

fn value_text(value: &Value) -> SmolStr {
    raw_text(value).unwrap_or_else(|| "null".into())
}

fn number(value: &Value) -> Option<ir::Value> {
    let raw = raw_text(value)?;
    let whole = raw.parse().map(ir::Value::Long);
    whole.ok().or_else(|| raw.parse().ok().filter(|x: &f64| x.is_finite()).map(ir::Value::Real))
}

fn text(text: SmolStr, value: &Value) -> MatchValue {
    MatchValue::Expr(Expr::string(text, *value.span))
}

fn matched(parts: &[Part], place: Place, value: &Value) -> Wanted {
    let (kind, value) = pattern::wanted(parts, place, *value.span);
    Wanted::Match(kind, value)
}

fn case(item: &Item) -> Case {
    if item.has(&Modifier::Cased) { Case::Sensitive } else { Case::Insensitive }
}

fn quantifier(item: &Item) -> Quantifier {
    if item.has(&Modifier::All) { Quantifier::All } else { Quantifier::Any }
}

fn place(item: &Item, otherwise: Place) -> Place {
    if item.has(&Modifier::Contains) {
        Place::Anywhere
    } else if item.has(&Modifier::StartsWith) {
        Place::Start
    } else if item.has(&Modifier::EndsWith) {
        Place::End
    } else {
        otherwise
    }
}

/// One match for each kind, at the place of its first value.
fn matches(wanted: Vec<Wanted>, shared: &Shared) -> Expr {
    let mut kinds: Vec<(MatchKind, Vec<MatchValue>)> = Vec::new();
    let mut null = false;
    for wanted in wanted {
        match wanted {
            Wanted::Null => null = true,
            Wanted::Match(kind, value) => match kinds.iter_mut().find(|(k, _)| *k == kind) {
                Some((_, values)) => values.push(value),
                None => kinds.push((kind, vec![value])),
            },
        }
    }
    let span = shared.span;
    let mut tests = Vec::with_capacity(kinds.len() + 1);
    if null && let Subject::Expr(column) = &shared.subject {
        // Absent or empty is one question.
        let empty = shared.quantifier == Quantifier::Any && remove_empty(&mut kinds);
        let column = Box::new(column.clone());
        let kind = if empty { ExprKind::IsEmpty(column) } else { ExprKind::IsNull(column) };
        tests.push(Expr::new(kind, Type::Bool, span));
    }
    for (kind, values) in kinds {
        let test = StringMatch {
            subject: shared.subject.clone(),
            kind,
            case: shared.case,
            values: MatchValues::List(values),
            quantifier: shared.quantifier,
            missing: Missing::False,
        };
        tests.push(Expr::matches(test, span));
    }
    joined(tests, shared.quantifier, span)
}

/// Takes the empty text out of the values that are compared as a whole; true if it was there.
fn remove_empty(kinds: &mut Vec<(MatchKind, Vec<MatchValue>)>) -> bool {
    let Some((_, values)) = kinds.iter_mut().find(|(k, _)| *k == MatchKind::Equals) else { return false };
    let before = values.len();
    values.retain(|v| match v {
        MatchValue::Expr(e) => e.as_literal().and_then(ir::Value::as_str) != Some(""),
        MatchValue::Glob(_) => true,
    });
    let found = values.len() < before;
    kinds.retain(|(_, values)| !values.is_empty());
    found
}

fn joined(tests: Vec<Expr>, quantifier: Quantifier, span: Span) -> Expr {
    match quantifier {
        Quantifier::Any => Expr::or(tests, span),
        Quantifier::All => Expr::and(tests, span),
    }
}
