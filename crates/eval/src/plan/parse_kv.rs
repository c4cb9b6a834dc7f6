//! `parse-kv`: columns from the keys and values in a text.
//!
//! Kusto: "parse-kv operator", which finds them by delimiters, by anything that is no letter or digit, or by a pattern. The
//! first value of a key counts; blanks around keys and values do not.

use super::Evaluator;
use super::project::pick;
use crate::Value;
use crate::cast::cast;
use crate::expr::{Scope, shown};
use crate::fault::Result;
use crate::rows::{Row, Rows, Slots};
use ruleferry_ir::{ParseKv, Plan};
use smol_str::SmolStr;
use std::cell::Cell;

impl Evaluator<'_> {
    pub(super) fn parse_kv(&self, plan: &Plan, input: Rows, node: &ParseKv) -> Result<Rows> {
        let slots = Slots::new(&input.columns);
        let mut all = input.columns.to_vec();
        all.extend(&node.columns);
        let all = Slots::new(&all);
        let mut output = plan.output.to_vec();
        output.extend(input.columns.iter().filter(|id| self.is_found(**id)));
        let places: Vec<Option<usize>> = output.iter().map(|id| all.get(*id)).collect();
        let mut rows: Vec<Row> = Vec::with_capacity(input.rows.len());
        for row in &input.rows {
            let subject = shown(&self.expr(&node.subject, &Scope::new(&slots, row))?);
            let mut wide = row.to_vec();
            let pairs = self.pairs(plan, node, &subject)?;
            for id in &node.columns {
                let key = self.name(*id);
                let found = match &pairs {
                    Some(pairs) => pairs.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone()),
                    None => free_value(&subject, key, &Quoting::of(node)),
                };
                let missing = self.missing_value(*id);
                wide.push(match found {
                    Some(text) if missing.is_null() => cast(&Value::String(text), self.ty(*id)),
                    Some(text) => Value::String(text),
                    None => missing,
                });
            }
            rows.push(pick(&wide, &places));
        }
        Ok(Rows { columns: output.into(), rows })
    }

    /// The keys and values of a text; none where anything may be a delimiter, as then each key is looked for by itself.
    fn pairs(&self, plan: &Plan, node: &ParseKv, text: &str) -> Result<Option<Vec<(SmolStr, SmolStr)>>> {
        if let Some(pattern) = &node.regex {
            let regex = self.regexes().get(pattern, false, plan.span)?;
            let group =
                |c: &::regex::Captures<'_>, n| SmolStr::from(c.get(n).map_or("", |m| m.as_str()).trim());
            return Ok(Some(regex.captures_iter(text).map(|c| (group(&c, 1), group(&c, 2))).collect()));
        }
        if node.pair_delimiter.is_none() && node.kv_delimiter.is_none() {
            return Ok(None);
        }
        let delimiters = Delimiters {
            pair: node.pair_delimiter.as_deref().filter(|d| !d.is_empty()).unwrap_or(" "),
            key: node.kv_delimiter.as_deref().filter(|d| !d.is_empty()).unwrap_or("="),
            quoting: Quoting::of(node),
            greedy: node.greedy,
        };
        Ok(Some(delimiters.pairs(text)))
    }
}

/// The quotes around keys and values, and what takes the meaning from one.
struct Quoting<'n> {
    quotes: Option<(&'n str, &'n str)>,
    escape: Option<&'n str>,
    /// One stayed open: so would each that begins further on.
    open: Cell<bool>,
}

impl<'n> Quoting<'n> {
    fn of(node: &'n ParseKv) -> Self {
        let quotes = node.quotes.as_ref().map(|(open, close)| (open.as_str(), close.as_str()));
        let escape = node.escape.as_deref().filter(|e| !e.is_empty());
        Self { quotes, escape, open: Cell::new(false) }
    }

    /// A quoted text at the start of a text, without its quotes, and what follows. None where there is no quote or it stays open.
    fn quoted<'t>(&self, text: &'t str) -> Option<(SmolStr, &'t str)> {
        let (open, close) = self.quotes?;
        let inside = text.strip_prefix(open).filter(|_| !self.open.get())?;
        let found = self.until(close, inside);
        self.open.set(found.is_none());
        found
    }

    fn until<'t>(&self, close: &str, text: &'t str) -> Option<(SmolStr, &'t str)> {
        let mut out = String::new();
        let mut rest = text;
        loop {
            let escaped = self.escape.and_then(|e| rest.strip_prefix(e));
            if let Some(after) = rest.strip_prefix(close).filter(|_| escaped.is_none()) {
                return Some((out.into(), after));
            }
            let mut chars = escaped.unwrap_or(rest).chars();
            out.push(chars.next()?);
            rest = chars.as_str();
        }
    }
}

struct Delimiters<'n> {
    pair: &'n str,
    key: &'n str,
    quoting: Quoting<'n>,
    greedy: bool,
}

impl Delimiters<'_> {
    fn pairs(&self, text: &str) -> Vec<(SmolStr, SmolStr)> {
        let mut pairs = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some((key, after)) = self.key(rest) {
                let (value, tail) = self.value(after);
                pairs.push((key, value));
                rest = tail;
                continue;
            }
            // Pieces without a key: on to the one before the next delimiter of a key.
            let before = rest.find(self.key).and_then(|at| rest.get(..at));
            let Some(start) =
                before.and_then(|b| self.last_pair(b)).and_then(|at| rest.get(at + self.pair.len()..))
            else {
                break;
            };
            rest = start;
        }
        pairs
    }

    /// A key with its delimiter at the start of a text, and what follows.
    fn key<'t>(&self, text: &'t str) -> Option<(SmolStr, &'t str)> {
        let trimmed = text.trim_start();
        if let Some((key, after)) = self.quoting.quoted(trimmed)
            && let Some(after) = after.trim_start().strip_prefix(self.key)
        {
            return Some((key.trim().into(), after));
        }
        let (key, after) = trimmed.split_once(self.key)?;
        // Blanks before the delimiter belong to neither.
        let key = key.trim_end();
        (!key.contains(self.pair)).then(|| (key.into(), after))
    }

    /// A value at the start of a text, and what follows its delimiter.
    fn value<'t>(&self, text: &'t str) -> (SmolStr, &'t str) {
        let after_pair = |t: &'t str| t.split_once(self.pair).map_or("", |(_, tail)| tail);
        if !text.starts_with(self.pair)
            && let Some((value, after)) = self.quoting.quoted(text.trim_start())
        {
            return (value.trim().into(), after_pair(after));
        }
        let end = if self.greedy { self.greedy_end(text) } else { text.find(self.pair) };
        let (value, after) = end.and_then(|end| text.split_at_checked(end)).unwrap_or((text, ""));
        (value.trim().into(), after_pair(after))
    }

    /// The last delimiter of pairs before a key at the end of a text, which may be quoted and hold the delimiter too.
    fn last_pair(&self, before: &str) -> Option<usize> {
        let mut before = before.trim_end();
        if let Some((open, close)) = self.quoting.quotes
            && let Some(inside) = before.strip_suffix(close)
            && let Some(opened) = inside.rfind(open)
        {
            before = before.get(..opened)?;
        }
        before.rfind(self.pair)
    }

    /// Where a value ends that may hold the delimiter of pairs: at the last one before the next key.
    fn greedy_end(&self, text: &str) -> Option<usize> {
        let mut from = 0;
        loop {
            let rest = text.get(from..)?;
            let at = rest.find(self.key)?;
            if let Some(end) = self.last_pair(rest.get(..at)?) {
                return Some(from + end);
            }
            from += at + self.key.len();
        }
    }
}

/// The value behind a key, where all that is neither letter nor digit separates.
fn free_value(text: &str, key: &str, quoting: &Quoting<'_>) -> Option<SmolStr> {
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find(key)?;
        let after = text.get(at + key.len()..)?;
        from = at + key.chars().next()?.len_utf8();
        let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let before = text.get(..at)?;
        if word(before.chars().next_back()) || word(after.chars().next()) {
            continue;
        }
        // The closing quote of the key opens no value.
        let mut rest = match quoting.quotes {
            Some((open, close)) if before.ends_with(open) => after.strip_prefix(close).unwrap_or(after),
            _ => after,
        };
        while !rest.is_empty() {
            if let Some((value, _)) = quoting.quoted(rest) {
                return Some(value.trim().into());
            }
            if word(rest.chars().next()) {
                let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
                return rest.get(..end).map(SmolStr::from);
            }
            let mut chars = rest.chars();
            chars.next();
            rest = chars.as_str();
        }
    }
}
