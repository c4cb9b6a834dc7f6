//! Stages and conditions in plain language.
//!
//! In: pieces of the plan. Out: sentences that are exact enough to review a rule by; what has no words is quoted.

use super::names::Names;
use super::stages::{Walked, join_kind};
use super::tests::Shown;
use ruleferry_ir::{
    self as ir, Case, CompareOp, Envelope, Expr, ExprKind, JoinKind, MatchKind, Quantifier, SelectKind,
    StringMatch,
};
use smol_str::SmolStr;

/// How the sentence of an `extend` begins.
pub(super) const COMPUTES: &str = "Computes ";

/// Values of one list that are told.
const MOST_VALUES: usize = 30;

/// The whole explanation, a step each.
pub(super) fn prose(envelope: &Envelope, names: &Names, walked: &Walked) -> Vec<String> {
    let mut out = Vec::new();
    let back = envelope.schedule.look_back.map(length);
    match (envelope.schedule.frequency.map(length), back) {
        (Some(every), Some(back)) => {
            out.push(format!("Runs every {every} over the events of the last {back}."))
        }
        (Some(every), None) => out.push(format!("Runs every {every}.")),
        (None, Some(back)) => out.push(format!("Looks at the events of the last {back}.")),
        (None, None) => {}
    }
    for parameter in &names.parameters {
        let value: String = parameter.value.chars().take(200).collect();
        let cut = if parameter.value.chars().count() > 200 { "…" } else { "" };
        out.push(format!("`{}` stands for `{value}{cut}`.", parameter.name));
    }
    for binding in &names.bindings {
        if binding.kind == "function" {
            out.push(format!("`{}` is a function of the rule.", binding.name));
        }
    }
    for (name, steps) in &walked.definitions {
        out.push(format!("`{name}`: {}.", nested(steps)));
    }
    out.extend(walked.steps.iter().cloned());
    let returned: Vec<String> =
        walked.outputs.iter().filter(|o| o.returned).map(|o| format!("`{}`", o.field)).collect();
    if !returned.is_empty() {
        out.push(format!("Returns, beside what passes through, {}.", some(&returned, ", ")));
    }
    out.push(match &envelope.trigger {
        None => "Each row that is left is a finding.".to_owned(),
        Some(t) => format!("Alerts when the query returns {}.", trigger(t)),
    });
    out
}

/// How many rows make an alert.
pub(super) fn trigger(t: &ir::Trigger) -> String {
    let how = match t.operator.as_str() {
        "gt" => "more than",
        "lt" => "fewer than",
        "eq" => "exactly",
        "ne" => "any number but",
        _ => "a number compared with",
    };
    format!("{how} {} rows", t.threshold)
}

/// A length of time as people say it: `1 day`, `90 minutes`.
pub(super) fn length(ticks: i64) -> String {
    const UNITS: [(i64, &str); 4] =
        [(864_000_000_000, "day"), (36_000_000_000, "hour"), (600_000_000, "minute"), (10_000_000, "second")];
    for (unit, name) in UNITS {
        if ticks > 0 && ticks % unit == 0 {
            let n = ticks / unit;
            return if n == 1 { format!("1 {name}") } else { format!("{n} {name}s") };
        }
    }
    ir::time::timespan_text(ticks).to_string()
}

/// A sentence with a note in it.
pub(super) fn noted(said: &str, notes: &[String]) -> String {
    if notes.is_empty() {
        return said.to_owned();
    }
    format!("{} ({}).", said.trim_end_matches('.'), notes.join("; "))
}

/// The rows of a table that the rule names and that is told of elsewhere.
pub(super) fn takes(name: &str) -> String {
    format!("Takes the rows of `{name}`.")
}

fn some(items: &[String], separator: &str) -> String {
    if items.len() <= MOST_VALUES {
        return items.join(separator);
    }
    let shown: Vec<&str> = items.iter().take(MOST_VALUES).map(String::as_str).collect();
    format!("{} and {} more", shown.join(separator), items.len() - MOST_VALUES)
}

fn ticked(names: &[SmolStr]) -> String {
    let names: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    some(&names, ", ")
}

/// The steps of a branch as one clause.
pub(super) fn nested(steps: &[String]) -> String {
    let clauses: Vec<String> = steps
        .iter()
        .map(|s| {
            // What is said of stages by their place means nothing in one sentence.
            let place = s.find(" (the stages from here");
            let s = place.and_then(|at| s.get(..at)).unwrap_or(s).trim_end_matches('.');
            let mut chars = s.chars();
            let first = chars.next().map(|c| c.to_ascii_lowercase());
            first.into_iter().chain(chars).collect()
        })
        .collect();
    clauses.join("; then ")
}

pub(super) fn reads(table: &str) -> String {
    format!("Reads `{table}`.")
}

pub(super) fn looks_up(function: &str) -> String {
    format!("Adds to each row what the function `{function}` says of it.")
}

pub(super) fn rows() -> String {
    "Begins with rows that stand in the rule.".to_owned()
}

pub(super) fn other(text: &str) -> String {
    let text: String = text.chars().take(300).collect();
    format!("Applies `{text}`.")
}

/// A filter: what stays, and what is left out of it.
pub(super) fn filter<'q>(shown: &mut Shown<'q>, parts: &'q [Expr]) -> String {
    let (mut keep, mut drop) = (Vec::new(), Vec::new());
    for part in parts {
        match &part.kind {
            ExprKind::Not(inner) if !is_presence(inner) => drop.push(say(shown, inner, 0)),
            _ => keep.push(say(shown, part, 0)),
        }
    }
    let mut out = String::new();
    if !keep.is_empty() {
        out = format!("Keeps only rows where {}", keep.join(", and "));
    }
    if !drop.is_empty() {
        let what = drop.join("; or where ");
        out = if out.is_empty() {
            format!("Leaves out rows where {what}")
        } else {
            format!("{out}; leaves out those where {what}")
        };
    }
    out.push('.');
    out
}

const fn is_presence(e: &Expr) -> bool {
    matches!(e.kind, ExprKind::IsNull(_) | ExprKind::IsEmpty(_))
}

fn say<'q>(shown: &mut Shown<'q>, e: &'q Expr, depth: usize) -> String {
    if depth > 30 {
        return "…".to_owned();
    }
    let joined = |shown: &mut Shown<'q>, parts: &'q [Expr], word: &str| {
        let parts: Vec<String> = parts.iter().map(|p| say(shown, p, depth + 1)).collect();
        let text = some(&parts, word);
        if depth == 0 { text } else { format!("({text})") }
    };
    match &e.kind {
        ExprKind::And(parts) => joined(shown, parts, " and "),
        ExprKind::Or(parts) => joined(shown, parts, " or "),
        ExprKind::Not(inner) => match &inner.kind {
            ExprKind::IsNull(s) | ExprKind::IsEmpty(s) => format!("`{}` has a value", shown.expr(s)),
            _ => format!("it is not so that {}", say(shown, inner, depth + 1)),
        },
        ExprKind::IsNull(s) | ExprKind::IsEmpty(s) => format!("`{}` has no value", shown.expr(s)),
        ExprKind::Match(m) => say_match(shown, m),
        ExprKind::Compare(c) => {
            let (subject, value, op) = match (&c.left.kind, &c.right.kind) {
                (ExprKind::Literal(_), ExprKind::Literal(_)) => (&c.left, &c.right, c.op),
                (ExprKind::Literal(_), _) => (&c.right, &c.left, c.op.flipped()),
                _ => (&c.left, &c.right, c.op),
            };
            if let Some(number) = shown.renderer.number(value)
                && number.from_now
            {
                let ago = ago(number.value);
                let field = shown.expr(subject);
                return match op {
                    CompareOp::Gt | CompareOp::Ge => format!("`{field}` lies {}", since(&ago)),
                    CompareOp::Lt | CompareOp::Le => format!("`{field}` lies before {}", at(&ago)),
                    CompareOp::Eq => format!("`{field}` is {}", at(&ago)),
                    CompareOp::Ne => format!("`{field}` is not {}", at(&ago)),
                };
            }
            let word = match op {
                CompareOp::Eq => "is",
                CompareOp::Ne => "is not",
                CompareOp::Lt => "is less than",
                CompareOp::Le => "is at most",
                CompareOp::Gt => "is more than",
                CompareOp::Ge => "is at least",
            };
            let exact = if value.ty == ir::Type::String && matches!(value.kind, ExprKind::Literal(_)) {
                " (in this case of letters)"
            } else {
                ""
            };
            format!("`{}` {word} `{}`{exact}", shown.expr(subject), resolved(shown, value))
        }
        ExprKind::In(list) => {
            let values = values(shown.of_in(&list.values));
            format!("`{}` is one of {values}", shown.expr(&list.subject))
        }
        ExprKind::InQuery(q) => {
            let text = super::tests::one_line(q.plan.span.text(shown.text));
            format!("`{}` is among the values of `{text}`", shown.expr(&q.subject))
        }
        ExprKind::Between(b) => {
            let limits = (shown.renderer.number(&b.low), shown.renderer.number(&b.high));
            let field = shown.expr(&b.subject);
            if let (Some(low), Some(high)) = limits
                && low.from_now
                && high.from_now
            {
                return format!(
                    "`{field}` lies between {} and {}",
                    at(&ago(low.value)),
                    at(&ago(high.value))
                );
            }
            format!("`{field}` lies between `{}` and `{}`", resolved(shown, &b.low), resolved(shown, &b.high))
        }
        ExprKind::Literal(_)
        | ExprKind::Column(_)
        | ExprKind::Let(_)
        | ExprKind::Now
        | ExprKind::Arithmetic(_)
        | ExprKind::Negate(_)
        | ExprKind::Call(..)
        | ExprKind::Cast(_)
        | ExprKind::Member(..)
        | ExprKind::Index(..)
        | ExprKind::Case(..)
        | ExprKind::Subquery(_)
        | ExprKind::Opaque(_) => format!("`{}` holds", shown.expr(e)),
    }
}

/// The text of an expression, and what it stands for where that is a value of a `let`.
fn resolved<'q>(shown: &mut Shown<'q>, e: &'q Expr) -> String {
    let text = shown.expr(e);
    let value = shown.renderer.resolved(e);
    match &value.kind {
        ExprKind::Literal(v) if !matches!(e.kind, ExprKind::Literal(_)) => {
            let value = crate::diff::render::value_text(v);
            if value == text { text } else { format!("{text} = {value}") }
        }
        _ => text,
    }
}

fn ago(ticks: f64) -> Option<String> {
    #[expect(clippy::cast_possible_truncation, reason = "ticks that came from an i64")]
    let ticks = -ticks as i64;
    (ticks != 0).then(|| {
        let text = length(ticks.saturating_abs());
        if ticks > 0 { format!("{text} before the run") } else { format!("{text} after the run") }
    })
}

fn at(ago: &Option<String>) -> String {
    ago.clone().unwrap_or_else(|| "the time of the run".to_owned())
}

fn since(ago: &Option<String>) -> String {
    match ago.as_deref().and_then(|a| a.strip_suffix(" before the run")) {
        Some(length) => format!("in the {length} before the run"),
        None => format!("after {}", at(ago)),
    }
}

fn values(all: Vec<String>) -> String {
    let all: Vec<String> = all.into_iter().map(|v| format!("`{v}`")).collect();
    some(&all, ", ")
}

fn say_match<'q>(shown: &mut Shown<'q>, m: &'q StringMatch) -> String {
    let all = shown.of_match(m);
    let several = all.len() > 1;
    let word = match m.kind {
        MatchKind::Equals => "is",
        MatchKind::Contains => "contains",
        MatchKind::StartsWith => "starts with",
        MatchKind::EndsWith => "ends with",
        MatchKind::Term => "has the word",
        MatchKind::TermPrefix => "has a word that starts with",
        MatchKind::TermSuffix => "has a word that ends with",
        MatchKind::Regex => "matches the pattern",
        MatchKind::Glob => "is like",
        MatchKind::Cidr => "is an address in",
    };
    let quantity = match (several, m.quantifier) {
        (false, _) => "",
        (true, Quantifier::Any) => " one of",
        (true, Quantifier::All) => " all of",
    };
    let case = match (m.kind, m.case) {
        (MatchKind::Cidr | MatchKind::Regex, _) => "",
        (_, Case::Insensitive) => " (in any case of letters)",
        (_, Case::Sensitive) => " (in this case of letters)",
    };
    let subject = match &m.subject {
        ir::Subject::Expr(e) => format!("`{}`", shown.expr(e)),
        ir::Subject::AnyColumn => "any column".to_owned(),
        ir::Subject::Event => "any field of the event".to_owned(),
    };
    format!("{subject} {word}{quantity} {}{case}", values(all))
}

pub(super) fn computes<'q>(shown: &mut Shown<'q>, items: &[(String, &'q Expr)]) -> String {
    let items: Vec<String> =
        items.iter().map(|(name, e)| format!("`{name}` = `{}`", value_of(shown, e, name))).collect();
    if items.is_empty() {
        return String::new();
    }
    format!("{COMPUTES}{}.", some(&items, ", "))
}

/// The expression, without the name that stands before it in the text.
fn value_of<'q>(shown: &mut Shown<'q>, e: &'q Expr, name: &str) -> String {
    let text = shown.expr(e);
    let behind = text.strip_prefix(name).map(str::trim_start).and_then(|t| t.strip_prefix('='));
    match behind {
        Some(value) if !value.starts_with(['=', '~']) => value.trim().to_owned(),
        _ => text,
    }
}

pub(super) fn projects<'q>(
    shown: &mut Shown<'q>,
    names: &[SmolStr],
    computed: &[(String, &'q Expr)],
) -> String {
    let mut out = format!("Keeps the columns {}", ticked(names));
    if !computed.is_empty() {
        let items: Vec<String> =
            computed.iter().map(|(name, e)| format!("`{name}` = `{}`", value_of(shown, e, name))).collect();
        out.push_str(&format!(", where {}", some(&items, ", ")));
    }
    out.push('.');
    out
}

pub(super) fn selects(kind: SelectKind, gone: &[SmolStr], stay: &[SmolStr]) -> String {
    match kind {
        SelectKind::Away => format!("Drops the columns {}.", ticked(gone)),
        SelectKind::Keep => format!("Keeps the columns {}.", ticked(stay)),
        SelectKind::Rename | SelectKind::Reorder => String::new(),
    }
}

pub(super) fn renames(pairs: &[String]) -> String {
    if pairs.is_empty() {
        "Renames columns.".to_owned()
    } else {
        format!("Renames columns: {}.", some(pairs, ", "))
    }
}

pub(super) fn reorders() -> String {
    "Puts the columns in another order.".to_owned()
}

pub(super) fn groups(keys: &[SmolStr], made: &[String]) -> String {
    let of = match keys {
        [] => "Makes one row of all rows".to_owned(),
        keys => format!("Makes one row of all rows with the same {}", ticked(keys)),
    };
    if made.is_empty() { format!("{of}.") } else { format!("{of}, with {}.", some(made, ", ")) }
}

pub(super) fn distinct(columns: &[SmolStr]) -> String {
    format!("Keeps one row of those with the same {}.", ticked(columns))
}

pub(super) fn joins(kind: JoinKind, keys: &[String], branch: &str) -> String {
    let told = |key: &String| {
        if key.contains(" == ") { format!("`{key}`") } else { format!("the same `{key}`") }
    };
    let on = match keys {
        [] => "any row".to_owned(),
        keys => keys.iter().map(told).collect::<Vec<_>>().join(" and "),
    };
    let side = format!("the other side, which {branch}");
    match kind {
        JoinKind::Inner => format!("Joins with {side}: a row for each pair with {on}."),
        JoinKind::InnerUnique => {
            format!("Keeps one row of those with {on}, and joins with {side}: a row for each pair.")
        }
        JoinKind::LeftOuter => {
            format!("Adds to each row what has {on} on {side}; rows without a partner stay.")
        }
        JoinKind::RightOuter => {
            format!("Takes all rows of the other side ({branch}), with what has {on} here added.")
        }
        JoinKind::FullOuter => {
            format!("Joins rows with {on} with {side}; rows without a partner stay on both.")
        }
        JoinKind::LeftSemi => format!("Keeps rows that have a partner with {on} on {side}."),
        JoinKind::LeftAnti => format!("Leaves out rows that have a partner with {on} on {side}."),
        JoinKind::RightSemi | JoinKind::RightAnti => {
            format!("Takes the rows of the other side ({branch}) as a {} on {on} says.", join_kind(kind))
        }
    }
}

pub(super) fn unions(branches: &[String]) -> String {
    if branches.is_empty() {
        return "Takes rows from all tables.".to_owned();
    }
    let parts: Vec<String> = branches.iter().enumerate().map(|(i, b)| format!("({}) {b}", i + 1)).collect();
    format!("Takes together the rows of {} inputs: {}.", branches.len(), some(&parts, "; "))
}

pub(super) fn expands(columns: &[SmolStr]) -> String {
    format!("Makes a row of each element of {}.", ticked(columns))
}

pub(super) fn series(keys: &[SmolStr], made: &[String], axis: &str, step: &str) -> String {
    let of = if keys.is_empty() { String::new() } else { format!(" for each {}", ticked(keys)) };
    format!("Makes a series over `{axis}` in steps of `{step}`{of}, with {}.", some(made, ", "))
}

pub(super) fn parses(subject: &str, columns: &[SmolStr], filters: bool) -> String {
    let rest = if filters { "; rows that do not fit are left out" } else { "" };
    format!("Takes {} out of `{subject}`{rest}.", ticked(columns))
}

pub(super) fn applies(columns: &[SmolStr], branch: &str) -> String {
    format!("For the elements of {} in each row: {branch}.", ticked(columns))
}

pub(super) fn partitions(key: &str, branch: &str) -> String {
    format!("For the rows of each `{key}`: {branch}.")
}

pub(super) fn sorts(keys: &[String]) -> String {
    format!("Sorts by {}.", keys.join(", "))
}

pub(super) fn limits(count: &str) -> String {
    format!("Keeps `{count}` rows.")
}

pub(super) fn tops(count: &str, keys: &[String]) -> String {
    format!("Keeps the first `{count}` rows by {}.", keys.join(", "))
}
