//! String matches: one node of the IR, one function here.
//!
//! In: a [`StringMatch`] and a row. Out: true, false or null. Texts are folded one character to one, so that a fold never
//! changes where something is found.

use crate::Value;
use crate::cast::cast;
use crate::expr::{Scope, shown};
use crate::fault::{Fault, Result};
use crate::plan::Evaluator;
use ruleferry_diag::{Span, codes};
use ruleferry_ir::{
    Case, GlobPart, Json, MatchKind, MatchValue, MatchValues, Missing, Quantifier, StringMatch, Subject, Type,
};
use smol_str::SmolStr;

/// Simple folding: the first character of the lower case.
pub fn fold_char(c: char) -> char {
    if c.is_ascii() { c.to_ascii_lowercase() } else { c.to_lowercase().next().unwrap_or(c) }
}

pub fn fold(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().map(fold_char).collect() }
}

/// What is looked for.
enum Needle<'m> {
    Text(SmolStr),
    Glob(&'m [GlobPart]),
}

pub(crate) fn test(
    evaluator: &Evaluator<'_>,
    m: &StringMatch,
    span: Span,
    scope: &Scope<'_>,
) -> Result<Value> {
    match &m.subject {
        Subject::Expr(e) => {
            let value = evaluator.expr(e, scope)?;
            let subject = match &value {
                Value::Null => None,
                Value::String(s) => Some(s.clone()),
                other => Some(shown(other)),
            };
            of_subject(evaluator, m, subject.as_deref(), span, scope)
        }
        Subject::Event => {
            let event = scope.slots.event().and_then(|i| scope.row.get(i));
            let Some(event) = event else {
                return Err(Fault::new(
                    codes::EVAL_UNSUPPORTED,
                    span,
                    "the text of the event is not known here",
                ));
            };
            of_subject(evaluator, m, event.text(), span, scope)
        }
        Subject::AnyColumn => {
            let mut answer = Value::FALSE;
            for value in scope.row {
                let text = if value.is_null() { None } else { Some(shown(value)) };
                match of_subject(evaluator, m, text.as_deref(), span, scope)?.as_bool() {
                    Some(true) => return Ok(Value::TRUE),
                    Some(false) => {}
                    None => answer = Value::Null,
                }
            }
            Ok(answer)
        }
    }
}

fn of_subject(
    evaluator: &Evaluator<'_>,
    m: &StringMatch,
    subject: Option<&str>,
    span: Span,
    scope: &Scope<'_>,
) -> Result<Value> {
    let subject = match (subject, m.missing) {
        (Some(s), _) => s,
        (None, Missing::Empty) => "",
        (None, Missing::False | Missing::Distinct) => return Ok(Value::FALSE),
        (None, Missing::Null) => return Ok(Value::Null),
    };
    let one = |needle: &Needle<'_>| match needle {
        Needle::Text(text) => of_text(evaluator, m.kind, m.case, subject, text, span),
        Needle::Glob(parts) => Ok(glob(subject, parts, m.case)),
    };
    let wanted = m.quantifier == Quantifier::Any;
    let mut missing = false;
    match &m.values {
        MatchValues::List(values) => {
            for value in values {
                let needle = match value {
                    MatchValue::Glob(parts) => Needle::Glob(parts),
                    MatchValue::Expr(e) => match evaluator.expr(e, scope)? {
                        Value::Null if m.missing == Missing::Empty => Needle::Text(SmolStr::default()),
                        Value::Null => {
                            missing = true;
                            continue;
                        }
                        value => {
                            let text = shown(&value);
                            // A pattern out of the data that is none finds nothing: one bad row stops no rule.
                            if m.kind == MatchKind::Regex
                                && !crate::functions::is_fixed(e)
                                && evaluator.regexes().find(&text, m.case == Case::Insensitive).is_none()
                            {
                                continue;
                            }
                            Needle::Text(text)
                        }
                    },
                };
                if one(&needle)? == wanted {
                    return Ok(Value::Bool(wanted));
                }
            }
        }
        MatchValues::Dynamic(e) => {
            let value = evaluator.expr(e, scope)?;
            let single;
            let items: &[Json] = match (value.as_array(), &value) {
                (Some(items), _) => items,
                (None, Value::Null) => &[],
                (None, value) => {
                    single = [value.to_json()];
                    &single
                }
            };
            for item in items {
                let text = match cast(&Value::of_json(item), Type::String) {
                    Value::String(s) => s,
                    _ => SmolStr::default(),
                };
                if one(&Needle::Text(text))? == wanted {
                    return Ok(Value::Bool(wanted));
                }
            }
        }
        MatchValues::Query(plan) => {
            if m.kind == MatchKind::Equals && m.quantifier == Quantifier::Any {
                let folded = m.case == Case::Insensitive;
                let keys = evaluator.key_set(plan, Type::String, folded)?;
                let key = if folded { fold(subject) } else { subject.to_owned() };
                return Ok(Value::Bool(keys.contains(&crate::Key::String(key.into()))));
            }
            let rows = evaluator.query_rows(plan)?;
            for row in &rows.rows {
                let text = row.first().map(shown).unwrap_or_default();
                if one(&Needle::Text(text))? == wanted {
                    return Ok(Value::Bool(wanted));
                }
            }
        }
    }
    // A value that is not known could have decided.
    Ok(if missing && m.missing == Missing::Null { Value::Null } else { Value::Bool(!wanted) })
}

fn of_text(
    evaluator: &Evaluator<'_>,
    kind: MatchKind,
    case: Case,
    subject: &str,
    needle: &str,
    span: Span,
) -> Result<bool> {
    if kind == MatchKind::Regex {
        let regex = evaluator.regexes().get(needle, case == Case::Insensitive, span)?;
        return Ok(regex.is_match(subject));
    }
    if kind == MatchKind::Cidr {
        return Ok(crate::functions::in_cidr(subject, needle));
    }
    let (folded_subject, folded_needle);
    let (subject, needle) = match case {
        Case::Sensitive => (subject, needle),
        Case::Insensitive => {
            folded_subject = fold(subject);
            folded_needle = fold(needle);
            (folded_subject.as_str(), folded_needle.as_str())
        }
    };
    Ok(match kind {
        MatchKind::Equals | MatchKind::Glob => subject == needle,
        MatchKind::Contains => subject.contains(needle),
        MatchKind::StartsWith => subject.starts_with(needle),
        MatchKind::EndsWith => subject.ends_with(needle),
        MatchKind::Term => term(subject, needle, true, true),
        MatchKind::TermPrefix => term(subject, needle, true, false),
        MatchKind::TermSuffix => term(subject, needle, false, true),
        MatchKind::Regex | MatchKind::Cidr => false,
    })
}

/// Whether a text holds a term. A border is looked for only beside a letter or digit of the term.
///
/// Source: "String operators: understanding string terms" (Kusto): a term is a run of letters and digits.
pub fn term(text: &str, term: &str, left: bool, right: bool) -> bool {
    let left = left && term.chars().next().is_some_and(char::is_alphanumeric);
    let right = right && term.chars().next_back().is_some_and(char::is_alphanumeric);
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find(term)) {
        let start = from + found;
        let end = start + term.len();
        let before = text.get(..start).and_then(|t| t.chars().next_back());
        let after = text.get(end..).and_then(|t| t.chars().next());
        let free = |beside: Option<char>| !beside.is_some_and(char::is_alphanumeric);
        if (!left || free(before)) && (!right || free(after)) {
            return true;
        }
        let step = text.get(start..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8);
        from = start + step;
    }
    false
}

/// Whether a whole text fits a pattern of texts, `*` and `?`.
pub fn glob(text: &str, parts: &[GlobPart], case: Case) -> bool {
    let fold_if = |t: &str| if case == Case::Insensitive { fold(t) } else { t.to_owned() };
    let text: Vec<char> = fold_if(text).chars().collect();
    // One step a character: `None` stands for `*`, `Some(None)` for `?`.
    let mut steps: Vec<Option<Option<char>>> = Vec::new();
    for part in parts {
        match part {
            GlobPart::Text(t) => steps.extend(fold_if(t).chars().map(|c| Some(Some(c)))),
            GlobPart::Many => steps.push(None),
            GlobPart::One => steps.push(Some(None)),
        }
    }
    // Greedy with one way back, to the last `*`: linear but for that.
    let (mut at, mut step) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while at < text.len() {
        match steps.get(step) {
            Some(Some(wanted)) if wanted.is_none_or(|c| text.get(at) == Some(&c)) => {
                at += 1;
                step += 1;
            }
            Some(None) => {
                back = Some((step, at));
                step += 1;
            }
            _ => match back {
                Some((star, from)) => {
                    back = Some((star, from + 1));
                    step = star + 1;
                    at = from + 1;
                }
                None => return false,
            },
        }
    }
    steps.get(step..).is_some_and(|rest| rest.iter().all(Option::is_none))
}

#[cfg(test)]
mod tests {
    use super::{glob, term};
    use ruleferry_ir::{Case, GlobPart};

    #[test]
    fn terms_end_where_letters_and_digits_end() {
        assert!(term("North America", "America", true, true));
        assert!(!term("NorthAmerica", "America", true, true));
        assert!(term("NorthAmerica", "America", false, true));
        assert!(term("a_b", "b", true, true));
        assert!(term("10.0.0.1", "10.", true, true));
        assert!(!term("110.0.0.1", "10.", true, true));
        assert!(term("xab ab", "ab", true, true));
        assert!(term("x", "", true, true));
    }

    #[test]
    fn globs_fit_the_whole_text() {
        let parts = [GlobPart::Many, GlobPart::Text("a".into()), GlobPart::One, GlobPart::Text("c".into())];
        assert!(glob("xxaABC", &parts, Case::Insensitive));
        assert!(!glob("xxabcd", &parts, Case::Insensitive));
        assert!(!glob("xxABC", &parts, Case::Sensitive));
        assert!(glob("", &[GlobPart::Many], Case::Sensitive));
        assert!(!glob("", &[GlobPart::One], Case::Sensitive));
    }
}
