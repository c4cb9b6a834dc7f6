//! Values of tests: constants of the IR as Sigma writes them, and terms as regular expressions.

use crate::syntax::{Part, Value};
use ruleferry_ir::{self as ir, GlobPart};

/// Whether the text has a letter, so that case matters.
pub(super) fn has_case(text: &str) -> bool {
    text.chars().any(char::is_alphabetic)
}

/// A constant that is compared as a whole; `None` for those that no field of an event is compared with.
pub(super) fn value(constant: &ir::Value) -> Option<Value> {
    Some(match constant {
        ir::Value::Bool(b) => Value::bool(*b),
        ir::Value::Int(n) => Value::number(n.to_string()),
        ir::Value::Long(n) => Value::number(n.to_string()),
        ir::Value::Real(x) => Value::number(real(*x)?),
        ir::Value::Decimal(digits) => Value::number(digits.clone()),
        ir::Value::String(text) | ir::Value::Guid(text) => Value::literal(text),
        ir::Value::Null(_) | ir::Value::Datetime(_) | ir::Value::Timespan(_) | ir::Value::Dynamic(_) => {
            return None;
        }
    })
}

/// Whole numbers without a point: that is how events have them.
fn real(x: f64) -> Option<String> {
    x.is_finite().then(|| if x.fract() == 0.0 && x.abs() < 1e15 { format!("{x:.0}") } else { format!("{x}") })
}

/// Text and wildcards.
pub(super) fn glob(parts: &[GlobPart]) -> Value {
    Value::parts(parts.iter().map(|part| match part {
        GlobPart::Text(text) => Part::Literal(text.clone()),
        GlobPart::Many => Part::Any,
        GlobPart::One => Part::One,
    }))
}

/// A whole term, or its start or end, as a regular expression: a border stands only beside a letter or digit of what is
/// looked for.
pub(super) fn term(text: &str, left: bool, right: bool) -> String {
    let mut out = String::new();
    if left && text.chars().next().is_some_and(char::is_alphanumeric) {
        out.push_str(r"(?:^|[^\p{L}\p{N}])");
    }
    escape(text, &mut out);
    if right && text.chars().next_back().is_some_and(char::is_alphanumeric) {
        out.push_str(r"(?:$|[^\p{L}\p{N}])");
    }
    out
}

/// Text as a regular expression that finds just it.
pub(super) fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        if matches!(c, '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms() {
        assert_eq!(term("a.b", true, true), r"(?:^|[^\p{L}\p{N}])a\.b(?:$|[^\p{L}\p{N}])");
        assert_eq!(term("10.", true, true), r"(?:^|[^\p{L}\p{N}])10\.");
        assert_eq!(term("-enc", true, false), "-enc");
    }
}
