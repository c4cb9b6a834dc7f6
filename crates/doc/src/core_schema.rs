//! The core schema of YAML 1.2: which plain scalars are null, a boolean, a number. The text is kept beside it.

/// What a scalar is by the core schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    Null,
    Bool,
    Int,
    Float,
    Str,
}

/// The class of a plain scalar without a tag.
pub(crate) fn classify(text: &str) -> Class {
    // Almost every scalar is told apart by its first byte.
    match text.as_bytes().first() {
        None | Some(b'~' | b'n' | b'N') if is_null(text) => Class::Null,
        Some(b't' | b'T' | b'f' | b'F') if as_bool(text).is_some() => Class::Bool,
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => number(text),
        _ => Class::Str,
    }
}

pub(crate) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

pub(crate) fn as_bool(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

pub(crate) fn as_i64(text: &str) -> Option<i64> {
    if let Some(hex) = text.strip_prefix("0x") {
        return digits(hex, 16).then(|| i64::from_str_radix(hex, 16).ok()).flatten();
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return digits(octal, 8).then(|| i64::from_str_radix(octal, 8).ok()).flatten();
    }
    text.parse().ok()
}

pub(crate) fn as_f64(text: &str) -> Option<f64> {
    match number(text) {
        Class::Int => as_i64(text).map_or_else(|| text.parse().ok(), |n| Some(n as f64)),
        Class::Float => {
            let (sign, magnitude) = match text.strip_prefix('-') {
                Some(rest) => (-1.0, rest),
                None => (1.0, text.strip_prefix('+').unwrap_or(text)),
            };
            match magnitude {
                ".inf" | ".Inf" | ".INF" => Some(sign * f64::INFINITY),
                ".nan" | ".NaN" | ".NAN" => Some(f64::NAN),
                other => other.parse::<f64>().ok().map(|n| sign * n),
            }
        }
        Class::Null | Class::Bool | Class::Str => None,
    }
}

fn digits(text: &str, radix: u32) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_digit(radix))
}

fn number(text: &str) -> Class {
    if text.strip_prefix("0x").is_some_and(|t| digits(t, 16))
        || text.strip_prefix("0o").is_some_and(|t| digits(t, 8))
    {
        return Class::Int;
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits(unsigned, 10) {
        return Class::Int;
    }
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Class::Float;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let ascii = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    let is_float = ascii(whole)
        && ascii(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|e| digits(e.strip_prefix(['-', '+']).unwrap_or(e), 10));
    if is_float { Class::Float } else { Class::Str }
}

/// Whether some reader in use (YAML 1.1: PyYAML, libyaml) takes the plain scalar for something other than a string.
pub(crate) fn ambiguous(text: &str) -> bool {
    if classify(text) != Class::Str {
        return true;
    }
    const OLD_BOOLEANS: [&str; 8] = ["y", "n", "yes", "no", "on", "off", "=", "<<"];
    if OLD_BOOLEANS.iter().any(|b| text.eq_ignore_ascii_case(b)) {
        return true;
    }
    // Dates, times, sexagesimal and grouped numbers, binary numbers.
    let starts = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
    starts && text.chars().all(|c| c.is_ascii_hexdigit() || "+-.:_ TtZzxob".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_schema() {
        let cases = [
            ("", Class::Null),
            ("~", Class::Null),
            ("nUll", Class::Str),
            ("True", Class::Bool),
            ("yes", Class::Str),
            ("00000429", Class::Int),
            ("0x1F", Class::Int),
            ("0x", Class::Str),
            ("-12", Class::Int),
            ("-", Class::Str),
            (".", Class::Str),
            ("1.", Class::Float),
            (".5", Class::Float),
            ("1e3", Class::Float),
            ("1e", Class::Str),
            ("-.inf", Class::Float),
            ("-.nan", Class::Str),
            ("1.2.3", Class::Str),
        ];
        for (text, class) in cases {
            assert_eq!(classify(text), class, "{text}");
        }
        assert_eq!(as_i64("00000429"), Some(429));
        assert_eq!(as_i64("0xff"), Some(255));
        assert_eq!(as_f64("-1.5e1"), Some(-15.0));
        assert!(
            ambiguous("2020-01-01") && ambiguous("12:30") && ambiguous("Yes") && !ambiguous("cafe-latte")
        );
    }
}
