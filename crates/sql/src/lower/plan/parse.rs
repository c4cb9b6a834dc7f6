//! `parse`, `parse-where` and `parse-kv`: one regular expression with a group for each column.

use super::refuse_operator;
use crate::build;
use crate::dialect::Regex;
use crate::lower::block::{Block, Keep, Origin, Out};
use crate::lower::outs::ColSet;
use crate::lower::walk::Uses;
use crate::lower::{Lowerer, Result};
use ruleferry_diag::Span;
use ruleferry_ir::{ColId, Expr, Parse, ParseKv, ParseMode, ParsePiece, Plan, Type};
use smol_str::SmolStr;
use sqlparser::ast;

/// The column that holds the groups of a match.
const HELPER: ColId = ColId(u32::MAX);

impl Lowerer<'_> {
    pub(super) fn parse(&mut self, plan: &Plan, input: Block, p: &Parse) -> Result<Block> {
        let (pattern, columns) = self.pattern(p);
        let pattern =
            if self.dialect().generic { pattern } else { self.own_pattern(&pattern, false, plan.span)? };
        let pattern = match self.dialect().regex {
            Regex::Posix => crate::adapt::posix_groups(&pattern).ok_or_else(|| {
                refuse_operator(plan.span, "`parse` by a pattern that is not tied to both ends")
            })?,
            Regex::Re2 | Regex::Re2Dotall | Regex::Java | Regex::Ere | Regex::None => pattern,
        };
        let texts = columns.iter().map(|id| (*id, SmolStr::new(self.query.columns.name(*id)))).collect();
        let test = |subject: ast::Expr| build::call("regexp_matches", vec![subject, build::string(&pattern)]);
        let typed: Vec<ColId> = columns
            .iter()
            .copied()
            .filter(|c| p.mode != ParseMode::Relaxed && self.ty(*c) != Type::String)
            .collect();
        let block = self.extract(plan, input, &p.subject, &pattern, texts, p.filter.then_some(&test))?;
        if typed.is_empty() || columns.len() < 2 && !p.filter {
            return Ok(block);
        }
        self.all_or_nothing(block, &columns, &typed, p.filter)
    }

    /// In strict modes a column that does not convert makes the whole row no match.
    fn all_or_nothing(
        &mut self,
        block: Block,
        columns: &[ColId],
        typed: &[ColId],
        filter: bool,
    ) -> Result<Block> {
        // Digits always convert; only other shapes can fail after the pattern matched.
        let may_fail: Vec<ColId> =
            typed.iter().copied().filter(|c| !matches!(self.ty(*c), Type::Int | Type::Long)).collect();
        if may_fail.is_empty() {
            return Ok(block);
        }
        let mut block = self.reopen(block)?;
        let refer = |b: &Block, id: ColId| b.out(id).map(|o| o.expr.get());
        let tests: Vec<ast::Expr> =
            may_fail.iter().filter_map(|id| refer(&block, *id)).map(build::is_not_null).collect();
        let all = build::and(tests);
        if filter {
            block.filters.push(all);
            return Ok(block);
        }
        for id in columns {
            let Some(at) = block.outs.position(*id) else { continue };
            let Some(old) = block.outs.get(at).cloned() else { continue };
            if may_fail == [*id] {
                continue;
            }
            let otherwise = (self.ty(*id) == Type::String).then(|| build::string(""));
            let expr = build::case(vec![(all.clone(), old.expr.get())], otherwise);
            block.set_out(
                Some(at),
                Out {
                    expr: expr.into(),
                    origin: Origin::Computed { fixed: false, volatile: false, depth: 0 },
                    ..old
                },
            );
        }
        Ok(block)
    }

    /// Columns from the groups of a pattern.
    fn extract(
        &mut self,
        plan: &Plan,
        input: Block,
        subject: &Expr,
        pattern: &str,
        columns: Vec<(ColId, SmolStr)>,
        test: Option<&dyn Fn(ast::Expr) -> ast::Expr>,
    ) -> Result<Block> {
        let uses = Uses::of([subject]);
        let wanted: ColSet = plan.output.iter().copied().collect();
        let kept: ColSet = input.outs.iter().map(|o| o.id).filter(|id| wanted.contains(*id)).collect();
        // A column that a new one replaces is no alias any more.
        let keep = Keep::Only(&kept);
        let input = if test.is_some() && input.reads_neighbours() { self.reopen(input)? } else { input };
        let mut block = self.fit(input, &uses, keep)?;
        let scope = block.scope(self, keep, &uses);
        let text = self.expr(subject, &scope)?;
        let aliases = block.aliases_of(self, &uses, keep);
        if let Some(test) = test {
            block.filters.push(test(text.clone()));
            block.pinned.extend(aliases.clone());
            block.hint = "matching";
        }
        let regex = build::string(pattern);
        let values: Vec<(ColId, ast::Expr)> = match columns.as_slice() {
            [] => Vec::new(),
            [(id, _)] => vec![(*id, build::call("regexp_extract", vec![text, regex, build::integer(1)]))],
            several if !self.dialect().generic => {
                // One group at a time.
                let mut values = Vec::with_capacity(several.len());
                for (i, (id, _)) in several.iter().enumerate() {
                    let group = build::integer(i64::try_from(i + 1).unwrap_or(i64::MAX));
                    values
                        .push((*id, build::call("regexp_extract", vec![text.clone(), regex.clone(), group])));
                }
                values
            }
            several => {
                let mut fields: Vec<SmolStr> = Vec::new();
                for (_, name) in several {
                    let mut name = name.clone();
                    while fields.iter().any(|f| f.eq_ignore_ascii_case(&name)) {
                        name = SmolStr::new(format!("{name}_"));
                    }
                    fields.push(name);
                }
                let names = build::list(fields.iter().map(|f| build::string(f)).collect());
                let helper = Block::name_for(&block.outs, "parsed", None);
                block.outs.push(Out {
                    id: HELPER,
                    name: helper.clone(),
                    expr: build::call("regexp_extract", vec![text, regex, names]).into(),
                    origin: Origin::Computed { fixed: true, volatile: false, depth: 0 },
                    present: false,
                    aliases: aliases.clone(),
                });
                if block.hint == "step" {
                    block.hint = "matched";
                }
                let mut relation = self.close(block)?;
                relation.columns.iter_mut().filter(|c| c.id == Some(HELPER)).for_each(|c| c.id = None);
                block = Block::over(relation);
                several.iter().zip(&fields).map(|((id, _), f)| (*id, build::qualified(&helper, f))).collect()
            }
        };
        for (id, value) in values {
            let value = self.text_as(value, self.ty(id), subject.span)?;
            let name = self.query.columns.name(id);
            let at = block.outs.named(name).find(|(_, o)| !wanted.contains(o.id)).map(|(i, _)| i);
            let name = Block::name_for(&block.outs, name, at);
            let out = Out {
                id,
                name,
                expr: value.into(),
                origin: Origin::Computed { fixed: false, volatile: false, depth: 1 },
                present: false,
                aliases: if columns.len() == 1 { aliases.clone() } else { Vec::new() },
            };
            block.set_out(at, out);
        }
        block.outs.retain(|o| wanted.contains(o.id));
        super::sort_outs(&mut block, &plan.output);
        if block.hint == "step" {
            block.hint = "parsed";
        }
        Ok(block)
    }

    fn text_as(&mut self, value: ast::Expr, ty: Type, span: Span) -> Result<ast::Expr> {
        if ty == Type::String {
            return Ok(value);
        }
        self.template(&format!("cast.{}", ty.name()), &[Type::String], vec![value], span)
    }

    /// The regular expression of a `parse` and its columns in the order of their groups.
    fn pattern(&self, p: &Parse) -> (String, Vec<ColId>) {
        let regex = p.mode == ParseMode::Regex;
        // A dot is any character, also a line break; in patterns of the user only where the flags say so.
        let mut flags: String = p.flags.chars().filter(|c| "imUs".contains(*c)).collect();
        if !regex && !flags.contains('s') {
            flags.insert(0, 's');
        }
        let mut out = if flags.is_empty() { String::new() } else { format!("(?{flags})") };
        if !matches!(p.pieces.first(), Some(ParsePiece::Star)) && !regex {
            out.push('^');
        }
        let mut columns = Vec::new();
        for (i, piece) in p.pieces.iter().enumerate() {
            let next = p.pieces.get(i + 1);
            match piece {
                ParsePiece::Star => {
                    // At both ends the search need not be spelled out.
                    let leading = i == 0 && !regex;
                    if !leading && next.is_some() {
                        out.push_str(if regex { ".*" } else { ".*?" });
                    }
                }
                ParsePiece::Text(text) if regex => out.push_str(&without_groups(text)),
                ParsePiece::Text(text) => escape_into(text, &mut out),
                ParsePiece::Column(id) => {
                    columns.push(*id);
                    out.push_str(self.group_of(*id, p.mode, next));
                }
            }
        }
        (out, columns)
    }

    /// The group of a column: by the shape of its type, else up to what follows.
    fn group_of(&self, id: ColId, mode: ParseMode, next: Option<&ParsePiece>) -> &'static str {
        match (self.ty(id), mode) {
            (Type::Int | Type::Long, ParseMode::Simple | ParseMode::Regex) => return r"([+-]?\d+)",
            (Type::Real | Type::Decimal, ParseMode::Simple | ParseMode::Regex) => {
                return r"([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)";
            }
            (Type::Int | Type::Long, ParseMode::Relaxed) if matches!(next, Some(ParsePiece::Star)) => {
                return r"([+-]?\d*)";
            }
            _ => {}
        }
        match (mode, next) {
            (ParseMode::Regex, _) | (ParseMode::Simple | ParseMode::Relaxed, None) => "(.*)",
            (ParseMode::Simple | ParseMode::Relaxed, Some(ParsePiece::Star))
                if self.ty(id) == Type::String =>
            {
                "(.*)"
            }
            (ParseMode::Simple | ParseMode::Relaxed, Some(_)) => "(.*?)",
        }
    }

    pub(super) fn parse_kv(&mut self, plan: &Plan, input: Block, p: &ParseKv) -> Result<Block> {
        if p.escape.is_some() {
            return Err(refuse_operator(plan.span, "`parse-kv` with `escape`"));
        }
        let uses = Uses::of([&p.subject]);
        let wanted: ColSet = plan.output.iter().copied().collect();
        let kept: ColSet = input.outs.iter().map(|o| o.id).filter(|id| wanted.contains(*id)).collect();
        // A column that a new one replaces is no alias any more.
        let keep = Keep::Only(&kept);
        let mut block = self.fit(input, &uses, keep)?;
        let mut scope = block.scope(self, keep, &uses);
        let mut text = self.expr(&p.subject, &scope)?;
        if !matches!(text, ast::Expr::Identifier(_) | ast::Expr::CompoundIdentifier(_))
            && p.subject.as_column().is_some()
        {
            // It is used once for each column.
            block = self.reopen(block)?;
            scope = block.scope(self, keep, &uses);
            text = self.expr(&p.subject, &scope)?;
        }
        let aliases = block.aliases_of(self, &uses, keep);
        for id in &p.columns {
            let key = self.query.columns.name(*id);
            let value = match &p.regex {
                Some(regex) => by_regex(&text, regex, key),
                None => by_delimiters(&text, p, key),
            };
            let value = self.text_as(value, self.ty(*id), p.subject.span)?;
            let at = block.outs.named(key).find(|(_, o)| !wanted.contains(o.id)).map(|(i, _)| i);
            let name = Block::name_for(&block.outs, key, at);
            let out = Out {
                id: *id,
                name,
                expr: value.into(),
                origin: Origin::Computed { fixed: false, volatile: false, depth: 1 },
                present: false,
                aliases: aliases.clone(),
            };
            block.set_out(at, out);
        }
        block.outs.retain(|o| wanted.contains(o.id));
        super::sort_outs(&mut block, &plan.output);
        block.hint = "parsed";
        Ok(block)
    }
}

/// The value beside a key, where a pattern of the user finds keys (group 1) and values (group 2).
fn by_regex(text: &ast::Expr, regex: &str, key: &str) -> ast::Expr {
    let groups = |n: i64| {
        build::call("regexp_extract_all", vec![text.clone(), build::string(regex), build::integer(n)])
    };
    let at = build::call("list_position", vec![groups(1), build::string(key)]);
    build::call("list_extract", vec![groups(2), at])
}

/// The value beside a key, by delimiters and quotes. Where no delimiters are given, all that is neither letter nor digit is one.
fn by_delimiters(text: &ast::Expr, p: &ParseKv, key: &str) -> ast::Expr {
    const ANY: &str = "[^\\p{L}\\p{N}]";
    let free = p.pair_delimiter.is_none() && p.kv_delimiter.is_none();
    let escaped = |text: &str| {
        let mut out = String::new();
        escape_into(text, &mut out);
        out
    };
    let pair = if free { ANY.to_owned() } else { escaped(p.pair_delimiter.as_deref().unwrap_or(" ")) };
    let delimiter = if free { format!("{ANY}+") } else { escaped(p.kv_delimiter.as_deref().unwrap_or("=")) };
    let (open, close) = match &p.quotes {
        Some((open, close)) => (escaped(open), escaped(close)),
        None => (String::new(), String::new()),
    };
    let name = escaped(key);
    let name = if open.is_empty() { name } else { format!("(?:{open}{name}{close}|{name})") };
    let start = format!(r"(?s)(?:^|{pair})\s*{name}\s*{delimiter}");
    let pair_text = p.pair_delimiter.as_deref().unwrap_or(" ");
    // Blanks around a value are no part of it; before it they may be the delimiter of the next pair.
    let blank = if pair_text.starts_with(char::is_whitespace) { "" } else { r"\s*" };
    let rest = match (free, p.greedy, single_char(pair_text)) {
        (true, _, _) => r"([\p{L}\p{N}]*)".to_owned(),
        // Up to the next key, or the end.
        (false, true, _) => format!(r"{blank}(.*?)\s*(?:{pair}\s*\w+{delimiter}|$)"),
        (false, false, Some(one)) if one.is_whitespace() => {
            let mut class = String::from("([^");
            class_into(one, &mut class);
            class.push_str("]*)");
            class
        }
        (false, false, Some(_) | None) => format!(r"{blank}(.*?)\s*(?:{pair}|$)"),
    };
    let extract = |pattern: &str, group: i64| {
        build::call("regexp_extract", vec![text.clone(), build::string(pattern), build::integer(group)])
    };
    if open.is_empty() {
        return extract(&format!("{start}{rest}"), 1);
    }
    let both = format!(r"{start}(?:\s*{open}(.*?){close}|{rest})");
    build::call("concat", vec![extract(&both, 1), extract(&both, 2)])
}

fn single_char(text: &str) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none())
}

/// Text as a pattern for itself.
fn escape_into(text: &str, out: &mut String) {
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
}

/// A character inside of a class.
fn class_into(c: char, out: &mut String) {
    if r"\]^-".contains(c) {
        out.push('\\');
    }
    out.push(c);
}

/// A pattern whose capture groups capture no more, so that only the columns' groups are counted.
fn without_groups(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut chars = pattern.chars().peekable();
    let mut class = false;
    while let Some(c) = chars.next() {
        out.push(c);
        match c {
            '\\' => out.extend(chars.next()),
            '[' => class = true,
            ']' => class = false,
            '(' if !class && chars.peek() != Some(&'?') => out.push_str("?:"),
            _ => {}
        }
    }
    out
}
