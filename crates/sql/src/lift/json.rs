//! Dynamic values: JSON text, and the paths of `->` and `->>`.

use indexmap::IndexMap;
use ruleferry_diag::Span;
use ruleferry_ir::{Expr, ExprKind, Json, Type, Value};
use smol_str::SmolStr;

/// One step of a path.
enum Step {
    Name(SmolStr),
    Number(i64),
}

/// A path as people write it: `$.a`, a plain name, `/a/b`.
pub(super) fn path_of(path: &str) -> Option<String> {
    if path.starts_with('$') {
        return Some(path.to_owned());
    }
    let quoted = |name: &str| (!name.contains(['"', '\\'])).then(|| format!(".\"{name}\""));
    match path.strip_prefix('/') {
        None => Some(format!("${}", quoted(path)?)),
        Some(rest) => {
            let steps: Option<String> = rest
                .split('/')
                .map(|step| match step.parse::<u32>() {
                    Ok(n) => Some(format!("[{n}]")),
                    Err(_) => quoted(step),
                })
                .collect();
            Some(format!("${}", steps?))
        }
    }
}

/// `base -> '$.a[0]'`; `None` for a path that is none of the simple ones.
pub(super) fn access(base: Expr, path: &str) -> Option<Expr> {
    let mut value = base;
    for step in steps(path)? {
        value = match step {
            Step::Name(name) => {
                Expr::new(ExprKind::Member(Box::new(value), name), Type::Dynamic, Span::default())
            }
            Step::Number(n) => {
                let index = Expr::literal(Value::Long(n), Span::default());
                Expr::new(ExprKind::Index(Box::new(value), Box::new(index)), Type::Dynamic, Span::default())
            }
        };
    }
    Some(value)
}

/// A path of the dialect in the spelling of Kusto's functions; `None` where that has no form for it.
pub(super) fn respelled(path: &str) -> Option<String> {
    let mut out = String::from("$");
    for step in steps(path)? {
        match step {
            Step::Name(name) if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => {
                out.push('.');
                out.push_str(&name);
            }
            Step::Name(name) if !name.contains(['\'', ']', '"']) => {
                out.push_str("['");
                out.push_str(&name);
                out.push_str("']");
            }
            Step::Number(n) if n >= 0 => {
                out.push('[');
                out.push_str(&n.to_string());
                out.push(']');
            }
            Step::Name(_) | Step::Number(_) => return None,
        }
    }
    Some(out)
}

fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (number, after) = inner.split_once(']')?;
            let n: i64 = match number.strip_prefix('#') {
                // `[#-1]` counts from the end.
                Some(n) => n.parse().ok().filter(|n| *n < 0)?,
                None => number.parse().ok().filter(|n| *n >= 0)?,
            };
            steps.push(Step::Number(n));
            rest = after;
            continue;
        }
        let name = rest.strip_prefix('.')?;
        if let Some(quoted) = name.strip_prefix('"') {
            let mut out = String::new();
            let mut chars = quoted.char_indices();
            let end = loop {
                match chars.next()? {
                    (i, '"') => break i + 1,
                    (_, '\\') => out.push(chars.next()?.1),
                    (_, c) => out.push(c),
                }
            };
            steps.push(Step::Name(out.into()));
            rest = quoted.get(end..)?;
            continue;
        }
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (name, after) = name.split_at_checked(end)?;
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return None;
        }
        steps.push(Step::Name(name.into()));
        rest = after;
    }
    Some(steps)
}

/// How deep a constant may nest.
const MAX_DEPTH: u32 = 64;

/// Reads JSON text.
pub(super) fn parse(text: &str) -> Option<Json> {
    let mut reader = Reader { rest: text };
    let value = reader.value(MAX_DEPTH)?;
    reader.rest.trim_start().is_empty().then_some(value)
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn eat(&mut self, sign: &str) -> bool {
        let rest = self.rest.trim_start();
        match rest.strip_prefix(sign) {
            Some(after) => {
                self.rest = after;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: u32) -> Option<Json> {
        let depth = depth.checked_sub(1)?;
        if self.eat("null") {
            return Some(Json::Null);
        }
        if self.eat("true") {
            return Some(Json::Bool(true));
        }
        if self.eat("false") {
            return Some(Json::Bool(false));
        }
        if self.eat("[") {
            let mut items = Vec::new();
            if self.eat("]") {
                return Some(Json::Array(items));
            }
            loop {
                items.push(self.value(depth)?);
                if self.eat("]") {
                    return Some(Json::Array(items));
                }
                if !self.eat(",") {
                    return None;
                }
            }
        }
        if self.eat("{") {
            let mut members = IndexMap::new();
            if self.eat("}") {
                return Some(Json::Object(members));
            }
            loop {
                if !self.eat("\"") {
                    return None;
                }
                let name = self.string()?;
                if !self.eat(":") {
                    return None;
                }
                members.insert(name, self.value(depth)?);
                if self.eat("}") {
                    return Some(Json::Object(members));
                }
                if !self.eat(",") {
                    return None;
                }
            }
        }
        if self.eat("\"") {
            return self.string().map(Json::String);
        }
        self.number()
    }

    /// The rest of a string, behind its first quote.
    fn string(&mut self) -> Option<SmolStr> {
        let mut out = String::new();
        let mut chars = self.rest.char_indices();
        loop {
            match chars.next()? {
                (i, '"') => {
                    self.rest = self.rest.get(i + 1..)?;
                    return Some(out.into());
                }
                (_, '\\') => match chars.next()?.1 {
                    'n' => out.push('\n'),
                    'r' => out.push('\r'),
                    't' => out.push('\t'),
                    'b' => out.push('\u{8}'),
                    'f' => out.push('\u{c}'),
                    'u' => {
                        let mut code = 0;
                        for _ in 0..4 {
                            code = code * 16 + chars.next()?.1.to_digit(16)?;
                        }
                        out.push(char::from_u32(code)?);
                    }
                    c @ ('"' | '\\' | '/') => out.push(c),
                    _ => return None,
                },
                (_, c) => out.push(c),
            }
        }
    }

    fn number(&mut self) -> Option<Json> {
        let rest = self.rest.trim_start();
        let end = rest
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E')))
            .unwrap_or(rest.len());
        let (digits, after) = rest.split_at_checked(end)?;
        self.rest = after;
        let whole = digits.parse().ok().map(Json::Long);
        whole.or_else(|| digits.parse().ok().filter(|x: &f64| x.is_finite()).map(Json::Real))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn json_reads() {
        let value = parse(r#"[1, -2.5, "a\"\u00e9", {"x": null}, [], {}]"#).unwrap();
        let Json::Array(items) = value else { unreachable!() };
        assert_eq!(items.len(), 6);
        assert_eq!(items.get(2), Some(&Json::String("a\"é".into())));
        assert_eq!(parse("[1,]"), None);
        assert_eq!(parse("1 2"), None);
    }

    #[test]
    fn paths_read() {
        let count = |path: &str| steps(path).map(|s| s.len());
        assert_eq!(count(r#"$.a."b c"[0][#-1]"#), Some(4));
        assert_eq!(count("$"), Some(0));
        assert_eq!(count("$.*"), None);
        assert_eq!(count("$..a"), None);
        assert_eq!(count("a"), None);
    }
}
