//! Regular expressions: a pattern in RE2's flavour, as Kusto and Sigma write it, in the flavour of the dialect.
//!
//! In: the pattern. Out: one that matches the same texts, or what of it the flavour cannot say.

use crate::dialect::Regex;

/// The pattern in another flavour; `fold`: letters match whatever their case.
pub(crate) fn translate(pattern: &str, flavour: Regex, fold: bool) -> Result<String, &'static str> {
    match flavour {
        Regex::Re2Dotall if pattern.contains('.') => {
            let flags = if fold { "(?i-s)" } else { "(?-s)" };
            Ok(format!("{flags}{pattern}"))
        }
        Regex::Re2 | Regex::Re2Dotall => Ok(if fold { format!("(?i){pattern}") } else { pattern.to_owned() }),
        Regex::Java | Regex::Posix | Regex::Ere => {
            let (flags, rest) = leading_flags(pattern);
            if flags.contains('U') || flavour != Regex::Java && flags.contains('m') {
                return Err("flags that the engine does not have");
            }
            let fold = fold || flags.contains('i');
            let body = rewrite(rest, flavour, flags)?;
            // Only a line feed ends a line; beyond ASCII letters have a case, too. How case is folded stands beside a pattern of
            // PostgreSQL, but for one that says it itself.
            let mut own = String::new();
            if flavour == Regex::Java {
                own.push('d');
                own.extend(flags.chars().filter(|c| "ms".contains(*c)));
                own.push_str(if fold { "iu" } else { "" });
            } else if flags.contains('i') {
                if flavour == Regex::Ere {
                    return Err("flags inside of it");
                }
                own.push('i');
            }
            Ok(if own.is_empty() { body } else { format!("(?{own}){body}") })
        }
        Regex::None => Err("no regular expressions"),
    }
}

/// The pattern of a term: it does not stand beside a letter or digit, where it begins or ends with one.
pub(crate) fn term(text: &str, left: bool, right: bool, flavour: Regex, fold: bool) -> String {
    let (edge, end) = match flavour {
        Regex::Re2 | Regex::Re2Dotall | Regex::None => (r"[^\p{L}\p{N}]", "$"),
        Regex::Java => (r"[^\p{L}\p{N}]", r"\z"),
        Regex::Posix | Regex::Ere => ("[^[:alnum:]]", "$"),
    };
    let open = if matches!(flavour, Regex::Posix | Regex::Ere) { "(" } else { "(?:" };
    let mut out = String::new();
    match flavour {
        Regex::Re2 | Regex::Re2Dotall if fold => out.push_str("(?i)"),
        Regex::Java if fold => out.push_str("(?iu)"),
        Regex::Re2 | Regex::Re2Dotall | Regex::Java | Regex::Posix | Regex::Ere | Regex::None => {}
    }
    if left && text.chars().next().is_some_and(char::is_alphanumeric) {
        out.push_str(&format!("{open}^|{edge})"));
    }
    for c in text.chars() {
        if r"\.+*?()|[]{}^$#&-~/".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    if right && text.chars().last().is_some_and(char::is_alphanumeric) {
        out.push_str(&format!("{open}{end}|{edge})"));
    }
    out
}

/// The same for GLOB over the text with a blank before and behind it.
pub(crate) fn term_glob(text: &str, left: bool, right: bool) -> String {
    const EDGE: &str = "[^0-9A-Za-z]";
    let mut out = String::from("*");
    if left && text.chars().next().is_some_and(char::is_alphanumeric) {
        out.push_str(EDGE);
    }
    for c in text.chars() {
        if "*?[".contains(c) {
            out.push('[');
            out.push(c);
            out.push(']');
        } else {
            out.push(c);
        }
    }
    if right && text.chars().last().is_some_and(char::is_alphanumeric) {
        out.push_str(EDGE);
    }
    out.push('*');
    out
}

/// The flags that a pattern begins with, and what follows them.
fn leading_flags(pattern: &str) -> (&str, &str) {
    let (mut all, mut rest) = ("", pattern);
    if let Some((flags, after)) = pattern.strip_prefix("(?").and_then(|p| p.split_once(')'))
        && !flags.is_empty()
        && flags.chars().all(|c| "imsU".contains(c))
    {
        (all, rest) = (flags, after);
    }
    (all, rest)
}

/// Whether PostgreSQL finds the same groups: there one quantifier decides for all whether the whole match is long or short.
pub(crate) fn posix_groups(pattern: &str) -> Option<String> {
    let lazy = ["*?", "+?", "??", "}?"].iter().any(|q| pattern.contains(q));
    if !lazy {
        return Some(pattern.to_owned());
    }
    // Tied to both ends the whole is as long as the text, and the first groups come first.
    (pattern.starts_with('^') && pattern.ends_with("(.*)")).then(|| format!("{pattern}$"))
}

fn rewrite(pattern: &str, flavour: Regex, flags: &str) -> Result<String, &'static str> {
    let ere = flavour == Regex::Ere;
    let posix = ere || flavour == Regex::Posix;
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if ere && matches!(chars.peek(), Some('b' | 'B')) => {
                out.push('\\');
                out.extend(chars.next());
            }
            '\\' => escape(chars.next(), &mut chars, posix, false, &mut out)?,
            '*' | '+' | '?' | '}' if ere && chars.peek() == Some(&'?') => {
                return Err("quantifiers that take as little as they can");
            }
            '(' if ere && chars.peek() == Some(&'?') => return Err("groups that are not captured, or named"),
            '[' => class(&mut chars, posix, &mut out)?,
            // A line feed matches no point.
            '.' if posix && !flags.contains('s') => out.push_str(r"[^\n]"),
            // A line feed at the end of the text is not passed over.
            '$' if !posix && !flags.contains('m') => out.push_str(r"\z"),
            '(' if chars.next_if_eq(&'?').is_some() => match chars.next() {
                Some(':') => out.push_str("(?:"),
                Some('P') if chars.next_if_eq(&'<').is_some() => group_name(&mut chars, posix, &mut out),
                Some('<') => group_name(&mut chars, posix, &mut out),
                Some(_) | None => return Err("flags inside of it"),
            },
            '{' | '}' if posix && c == '{' && !chars.peek().is_some_and(char::is_ascii_digit) => {
                out.push_str(r"\{")
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn group_name(chars: &mut Chars<'_>, posix: bool, out: &mut String) {
    let name: String = std::iter::from_fn(|| chars.next_if(|c| *c != '>')).collect();
    chars.next();
    if posix {
        out.push('(');
        return;
    }
    out.push_str("(?<");
    // Java takes letters and digits alone.
    out.extend(name.chars().filter(char::is_ascii_alphanumeric));
    out.push('>');
}

fn escape(
    c: Option<char>,
    chars: &mut Chars<'_>,
    posix: bool,
    in_class: bool,
    out: &mut String,
) -> Result<(), &'static str> {
    let Some(c) = c else { return Err("a backslash at its end") };
    match c {
        'd' | 'w' | 's' if posix => {
            // Those of the locale hold more than ASCII.
            let set = match c {
                'd' => "0-9",
                'w' => "0-9A-Za-z_",
                _ => r" \t\n\f\r",
            };
            if in_class {
                out.push_str(set);
            } else {
                out.push_str(&format!("[{set}]"));
            }
        }
        'D' | 'W' | 'S' if posix && in_class => return Err("the opposite of a class inside of a class"),
        'D' if posix => out.push_str("[^0-9]"),
        'W' if posix => out.push_str("[^0-9A-Za-z_]"),
        'S' if posix => out.push_str(r"[^ \t\n\f\r]"),
        'b' if posix => out.push_str(r"\y"),
        'B' if posix => out.push_str(r"\Y"),
        'A' | 'z' if posix => out.push_str(if c == 'A' { r"\A" } else { r"\Z" }),
        'p' | 'P' if posix => return Err("a class of Unicode"),
        'x' if posix && chars.peek() == Some(&'{') => return Err("a character by its number"),
        'Q' | 'C' if posix => return Err("quoted text"),
        c if c.is_ascii_alphanumeric() => {
            out.push('\\');
            out.push(c);
        }
        c if c.is_ascii_punctuation() => {
            out.push('\\');
            out.push(c);
        }
        c => out.push(c),
    }
    Ok(())
}

/// `[…]`, its opening bracket read.
fn class(chars: &mut Chars<'_>, posix: bool, out: &mut String) -> Result<(), &'static str> {
    out.push('[');
    if chars.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    // A bracket that closes is one of the characters where it stands first.
    if chars.next_if_eq(&']').is_some() {
        out.push_str(r"\]");
    }
    loop {
        let Some(c) = chars.next() else { return Err("a class without an end") };
        match c {
            ']' => break,
            '[' if chars.peek() == Some(&':') => {
                if !posix {
                    return Err("a class of POSIX");
                }
                out.push('[');
                for c in chars.by_ref() {
                    out.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            '[' => out.push_str(r"\["),
            '&' => out.push_str(if posix { "&" } else { r"\&" }),
            '\\' => escape(chars.next(), chars, posix, true, out)?,
            c => out.push(c),
        }
    }
    out.push(']');
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn flavours() {
        let posix = |p| translate(p, Regex::Posix, false);
        assert_eq!(posix(r"a.\d+$").unwrap(), r"a[^\n][0-9]+$");
        assert_eq!(posix(r"[\w-]+\b(?P<n>x)").unwrap(), r"[0-9A-Za-z_-]+\y(x)");
        assert!(posix(r"\p{L}").is_err());
        let java = |p| translate(p, Regex::Java, true);
        assert_eq!(java(r"^a$[[&]").unwrap(), r"(?diu)^a\z[\[\&]");
        assert!(java("[[:alpha:]]").is_err());
    }

    #[test]
    fn terms_have_borders_beside_letters_alone() {
        assert_eq!(
            term("a.b", true, true, Regex::Re2, true),
            r"(?i)(?:^|[^\p{L}\p{N}])a\.b(?:$|[^\p{L}\p{N}])"
        );
        assert_eq!(term("10.", true, true, Regex::Posix, false), r"(^|[^[:alnum:]])10\.");
    }
}
