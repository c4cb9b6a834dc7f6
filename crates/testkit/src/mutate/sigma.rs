//! Edits of Sigma rules, line by line of the `detection` part.

use super::{Edit, Patch, changed};

/// Modifiers that are put for others.
const SWAPS: &[(&str, &str, &str)] = &[
    ("|contains", "|startswith", "wildcard"),
    ("|contains", "", "wildcard"),
    ("|contains", "|contains|cased", "case"),
    ("|startswith", "|contains", "wildcard"),
    ("|startswith", "|endswith", "wildcard"),
    ("|startswith", "|startswith|cased", "case"),
    ("|endswith", "|contains", "wildcard"),
    ("|endswith", "|endswith|cased", "case"),
    ("|endswith", "|startswith", "wildcard"),
    ("|all", "", "and-or"),
    ("|gt:", "|gte:", "boundary"),
    ("|gte:", "|gt:", "boundary"),
    ("|lt:", "|lte:", "boundary"),
    ("|lte:", "|lt:", "boundary"),
    ("|cidr", "|startswith", "kind"),
];

/// Words of a condition.
const WORDS: &[(&str, &str, &str)] = &[
    (" and ", " or ", "and-or"),
    (" or ", " and ", "and-or"),
    (" and not ", " and ", "flip"),
    ("not ", "", "flip"),
    ("1 of ", "all of ", "and-or"),
    ("all of ", "1 of ", "and-or"),
];

struct Line<'t> {
    start: usize,
    text: &'t str,
    indent: usize,
}

impl<'t> Line<'t> {
    fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// `- ` in front.
    fn is_item(&self) -> bool {
        self.text.trim_start().starts_with("- ")
    }

    /// A value after `- ` or `key: `: where it starts, and its text without quotes.
    fn value(&self) -> Option<(usize, &'t str)> {
        let body = self.text.trim_start();
        let body = body.strip_prefix("- ").unwrap_or(body);
        let value = match key_end(body) {
            Some(end) => body.get(end + 1..)?.trim_start(),
            None if self.is_item() => body.trim_start(),
            None => return None,
        };
        let value = value.split(" #").next()?.trim_end();
        let quoted = value.len() > 2
            && ((value.starts_with('\'') && value.ends_with('\''))
                || (value.starts_with('"') && value.ends_with('"')));
        let inside = if quoted { &value[1..value.len() - 1] } else { value };
        let plain = !inside.is_empty() && !inside.contains(['\'', '"', '{', '[', '&', '|', '>']);
        plain.then(|| (inside.as_ptr() as usize - self.text.as_ptr() as usize + self.start, inside))
    }

    /// The key before the colon, as a range.
    fn key(&self) -> Option<(usize, usize)> {
        let body = self.text.trim_start();
        let skipped = self.text.len() - body.len();
        let item = usize::from(body.starts_with("- ")) * 2;
        let end = key_end(body.get(item..)?)?;
        Some((self.start + skipped + item, self.start + skipped + item + end))
    }
}

/// The colon that ends a key: before a blank or at the end of the line, outside of quotes.
fn key_end(body: &str) -> Option<usize> {
    if body.starts_with(['\'', '"']) {
        return None;
    }
    let at = body.find(": ").or_else(|| body.trim_end().strip_suffix(':').map(str::len))?;
    body.get(..at)?.chars().all(|c| c.is_ascii_alphanumeric() || "|_-.*".contains(c)).then_some(at)
}

/// The lines of `detection:`, without those of comments.
fn detection(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let (mut inside, mut start) = (false, 0);
    for line in text.split_inclusive('\n') {
        let body = line.trim_end();
        if !body.starts_with([' ', '-', '#']) && !body.is_empty() {
            inside = body.starts_with("detection:");
        } else if inside && !body.trim_start().starts_with('#') && !body.trim().is_empty() {
            lines.push(Line { start, text: body, indent: body.len() - body.trim_start().len() });
        }
        start += line.len();
    }
    lines
}

fn is_condition(line: &Line<'_>) -> bool {
    line.text.trim_start().starts_with("condition:")
}

/// The first line behind `i` that does not belong to it.
fn block_end(lines: &[Line<'_>], i: usize) -> usize {
    (i + 1..lines.len()).find(|n| lines[*n].indent <= lines[i].indent).unwrap_or(lines.len())
}

/// Rules that mean something else, or may.
pub fn mutants(text: &str) -> Vec<Edit> {
    let lines = detection(text);
    let mut patches: Vec<Patch> = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        if is_condition(line) {
            for (from, to, kind) in WORDS {
                for (at, _) in line.text.match_indices(from) {
                    let start = line.start + at;
                    patches.push(Patch::one(kind, start, start + from.len(), *to));
                }
            }
            for (at, _) in line.text.match_indices(" and not ") {
                let rest = &line.text[at + 9..];
                let simple = rest.split(" and ").next().unwrap_or_default();
                if !simple.contains(['(', ')']) && !simple.contains(" or ") {
                    let start = line.start + at;
                    patches.push(Patch::one("drop-predicate", start, start + 9 + simple.len(), ""));
                }
            }
            continue;
        }
        if let Some((start, end)) = line.key() {
            let key = &text[start..end + 1];
            for (from, to, kind) in SWAPS {
                if let Some(at) = key.find(from) {
                    patches.push(Patch::one(kind, start + at, start + at + from.len(), *to));
                }
            }
            // One of several fields of a selection.
            let sibling = |n: Option<usize>| {
                n.and_then(|n| lines.get(n)).is_some_and(|l| l.indent == line.indent && !l.is_item())
            };
            let last = block_end(&lines, i);
            if line.indent >= 8 && !line.is_item() && (sibling(i.checked_sub(1)) || sibling(Some(last))) {
                let to = lines.get(last - 1).map_or(line.end(), Line::end);
                patches.push(Patch::one("drop-predicate", line.start, to, ""));
            }
        }
        let near = |n: Option<usize>| {
            n.and_then(|n| lines.get(n)).is_some_and(|l| l.is_item() && l.indent == line.indent)
        };
        if line.is_item() && line.key().is_none() && (near(i.checked_sub(1)) || near(Some(i + 1))) {
            patches.push(Patch::one("list-element", line.start, line.end(), ""));
        }
        if let Some((start, value)) = line.value() {
            if let Ok(n) = value.parse::<i64>() {
                patches.push(Patch::one("number", start, start + value.len(), (n + 1).to_string()));
            } else {
                for (kind, with) in changed(value) {
                    patches.push(Patch::one(kind, start, start + value.len(), with));
                }
            }
        }
    }
    patches.into_iter().map(|p| p.apply(text)).filter(|e| e.text != text).collect()
}

/// Rules that mean the same.
pub fn rewrites(text: &str) -> Vec<Edit> {
    let lines = detection(text);
    let mut patches: Vec<Patch> = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        if is_condition(line) {
            let Some((start, condition)) = line.value() else { continue };
            if condition.contains("timeframe") {
                continue;
            }
            let end = start + condition.len();
            patches.push(Patch::one("parentheses", start, end, format!("(({condition}))")));
            patches.push(Patch::one("double-negation", start, end, format!("not (not ({condition}))")));
            let parts: Vec<&str> = condition.split(" and ").collect();
            if parts.len() > 1 && !condition.contains(['(', ')']) && !condition.contains(" or ") {
                let backwards: Vec<&str> = parts.iter().rev().copied().collect();
                patches.push(Patch::one("reorder", start, end, backwards.join(" and ")));
                let negated: Vec<String> = parts.iter().map(|p| format!("not ({p})")).collect();
                patches.push(Patch::one("de-morgan", start, end, format!("not ({})", negated.join(" or "))));
            }
            continue;
        }
        // Two items of a list, one after the other.
        if let Some(next) = lines.get(i + 1) {
            let swap = line.is_item()
                && next.is_item()
                && line.indent == next.indent
                && line.key().is_none()
                && next.key().is_none()
                && lines.get(i + 2).is_none_or(|l| l.indent <= next.indent);
            if swap {
                patches.push(Patch {
                    kind: "reorder",
                    parts: vec![
                        (line.start, line.end(), next.text.to_owned()),
                        (next.start, next.end(), line.text.to_owned()),
                    ],
                });
            }
        }
        let Some((start, end)) = line.key() else { continue };
        let key = &text[start..end];
        if let Some((from, value)) = line.value() {
            // One value as a list of one.
            let whole = line.text.trim_end();
            let at = end + 1 - line.start;
            let given = whole.get(at..).unwrap_or_default().trim();
            if !given.is_empty() && !given.starts_with('#') && !line.is_item() && line.indent >= 8 {
                let with = format!("\n{}- {given}", " ".repeat(line.indent + 4));
                patches.push(Patch::one("list-of-one", end + 1, line.end(), with));
            }
            let simple = value.chars().all(|c| c.is_ascii_alphanumeric() || " _-./:".contains(c))
                && value.chars().any(|c| c.is_ascii_alphabetic())
                && !value.ends_with(' ');
            if simple {
                let to = from + value.len();
                for (modifier, before, after) in
                    [("|contains", "*", "*"), ("|startswith", "", "*"), ("|endswith", "*", "")]
                {
                    if let Some(field) = key.strip_suffix(modifier) {
                        let quoted = text[from - 1..].starts_with(['\'', '"']);
                        let value = if quoted {
                            format!("{before}{value}{after}")
                        } else {
                            format!("'{before}{value}{after}'")
                        };
                        patches.push(Patch {
                            kind: "modifier-as-wildcard",
                            parts: vec![(start, end, field.to_owned()), (from, to, value)],
                        });
                    }
                }
                if key.ends_with("|re") {
                    patches.push(Patch::one("equal-regex", from, to, format!("(?:{value})")));
                }
            }
        }
    }
    patches.into_iter().map(|p| p.apply(text)).filter(|e| e.text != text).collect()
}
