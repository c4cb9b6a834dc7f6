//! Edits of KQL, token by token.

use super::{Edit, Patch, changed};
use ruleferry_kql::syntax::keyword::Kw;
use ruleferry_kql::syntax::lexer::lex;
use ruleferry_kql::syntax::token::{Token, TokenKind};
use std::ops::Range;

/// Words and signs that are put for others, with the kind of the change.
const SWAPS: &[(&str, &str, &str)] = &[
    ("==", "!=", "flip"),
    ("!=", "==", "flip"),
    ("=~", "==", "case"),
    ("=~", "!~", "flip"),
    ("!~", "=~", "flip"),
    ("<", "<=", "boundary"),
    ("<=", "<", "boundary"),
    (">", ">=", "boundary"),
    (">=", ">", "boundary"),
    (">", "<", "flip"),
    ("and", "or", "and-or"),
    ("or", "and", "and-or"),
    ("has", "contains", "wildcard"),
    ("has", "has_cs", "case"),
    ("has", "!has", "flip"),
    ("!has", "has", "flip"),
    ("contains", "startswith", "wildcard"),
    ("contains", "contains_cs", "case"),
    ("contains", "!contains", "flip"),
    ("!contains", "contains", "flip"),
    ("startswith", "contains", "wildcard"),
    ("startswith", "endswith", "wildcard"),
    ("startswith", "startswith_cs", "case"),
    ("endswith", "contains", "wildcard"),
    ("endswith", "endswith_cs", "case"),
    ("has_any", "has_all", "and-or"),
    ("has_all", "has_any", "and-or"),
    ("in", "!in", "flip"),
    ("in", "in~", "case"),
    ("in~", "in", "case"),
    ("in~", "!in~", "flip"),
    ("!in", "in", "flip"),
    ("!in~", "in~", "flip"),
    ("isempty", "isnotempty", "flip"),
    ("isnotempty", "isempty", "flip"),
    ("dcount", "count", "aggregate"),
    ("max", "min", "aggregate"),
    ("min", "max", "aggregate"),
    ("inner", "leftouter", "join-kind"),
    ("inner", "leftanti", "join-kind"),
    ("leftanti", "inner", "join-kind"),
    ("leftouter", "inner", "join-kind"),
    ("leftsemi", "leftanti", "join-kind"),
    ("innerunique", "leftsemi", "join-kind"),
];

struct Text<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    /// Depth of parentheses, brackets and braces before each token.
    depth: Vec<usize>,
}

impl<'t> Text<'t> {
    fn new(text: &'t str) -> Self {
        let tokens = lex(text).tokens;
        let mut depth = Vec::with_capacity(tokens.len());
        let mut now = 0_usize;
        for t in &tokens {
            if matches!(t.kind, TokenKind::RParen | TokenKind::RBracket | TokenKind::RBrace) {
                now = now.saturating_sub(1);
            }
            depth.push(now);
            if matches!(t.kind, TokenKind::LParen | TokenKind::LBracket | TokenKind::LBrace) {
                now += 1;
            }
        }
        Self { text, tokens, depth }
    }

    fn word(&self, i: usize) -> &'t str {
        self.tokens.get(i).map_or("", |t| &self.text[t.start as usize..t.end as usize])
    }

    fn kind(&self, i: usize) -> TokenKind {
        self.tokens.get(i).map_or(TokenKind::Eof, |t| t.kind)
    }

    fn start(&self, i: usize) -> usize {
        self.tokens[i].start as usize
    }

    fn end(&self, i: usize) -> usize {
        self.tokens[i].end as usize
    }

    fn slice(&self, tokens: &Range<usize>) -> &'t str {
        &self.text[self.start(tokens.start)..self.end(tokens.end - 1)]
    }

    /// The tokens from `from` to the end of the stage: the next bar, semicolon or closing bracket of its depth.
    fn stage(&self, from: usize) -> Range<usize> {
        let depth = self.depth[from];
        let ends = |i: &usize| {
            self.depth[*i] < depth
                || (self.depth[*i] == depth
                    && matches!(self.kind(*i), TokenKind::Bar | TokenKind::Semicolon | TokenKind::Eof))
                || self.kind(*i) == TokenKind::Eof
        };
        from..(from..self.tokens.len()).find(ends).unwrap_or(self.tokens.len())
    }

    /// Parts of a range between separators of its depth.
    fn split(&self, range: &Range<usize>, separator: TokenKind) -> Vec<Range<usize>> {
        let depth = self.depth.get(range.start).copied().unwrap_or(0);
        let mut parts = Vec::new();
        let mut from = range.start;
        for i in range.clone() {
            if self.kind(i) == separator && self.depth[i] == depth {
                parts.push(from..i);
                from = i + 1;
            }
        }
        parts.push(from..range.end);
        if parts.iter().any(Range::is_empty) { Vec::new() } else { parts }
    }

    /// The conditions of `where` stages: the place of the bar, and the tokens of the condition.
    fn wheres(&self) -> Vec<(usize, Range<usize>)> {
        let is_where =
            |i: &usize| self.kind(*i) == TokenKind::Bar && matches!(self.word(i + 1), "where" | "filter");
        let found = (0..self.tokens.len()).filter(is_where).filter(|i| i + 2 < self.tokens.len());
        found.map(|i| (i, self.stage(i + 2))).filter(|(_, r)| !r.is_empty()).collect()
    }

    /// The parts of a condition that `and` joins, if no `or` stands beside them.
    fn conjuncts(&self, range: &Range<usize>) -> Vec<Range<usize>> {
        let depth = self.depth[range.start];
        let any_or = range.clone().any(|i| self.kind(i) == TokenKind::Kw(Kw::Or) && self.depth[i] == depth);
        if any_or { Vec::new() } else { self.split(range, TokenKind::Kw(Kw::And)) }
    }
}

/// Texts that mean something else, or may.
pub fn mutants(text: &str) -> Vec<Edit> {
    let t = Text::new(text);
    let mut patches: Vec<Patch> = Vec::new();
    for i in 0..t.tokens.len() {
        let (word, start, end) = (t.word(i), t.start(i), t.end(i));
        for (from, to, kind) in SWAPS {
            if word == *from {
                // `in` and `max` are names, too, and `min` a unit: what does not read is dropped later.
                patches.push(Patch::one(kind, start, end, *to));
            }
        }
        if word == "not" && t.kind(i + 1) == TokenKind::LParen {
            patches.push(Patch::one("flip", start, end, ""));
        }
        match t.kind(i) {
            TokenKind::Long => {
                if let Ok(n) = word.parse::<i64>() {
                    patches.push(Patch::one("number", start, end, (n.wrapping_add(1)).to_string()));
                }
            }
            TokenKind::Timespan => {
                let digits = word.bytes().take_while(u8::is_ascii_digit).count();
                if let Ok(n) = word[..digits].parse::<i64>() {
                    patches.push(Patch::one("window", start, start + digits, (n + 1).to_string()));
                }
            }
            TokenKind::Str => {
                let quote = word.find(['"', '\'']).unwrap_or(0);
                let plain = word.len() > quote + 2 && !word.contains('`') && !word.contains("~~~");
                if plain {
                    let inside = &word[quote + 1..word.len() - 1];
                    for (kind, text) in changed(inside) {
                        patches.push(Patch::one(kind, start + quote + 1, end - 1, text));
                    }
                }
                if t.kind(i + 1) == TokenKind::Comma && t.kind(i + 2) == TokenKind::Str {
                    patches.push(Patch::one("list-element", start, t.end(i + 1), ""));
                }
            }
            TokenKind::Kw(Kw::By) => {
                let range = t.stage(i + 1);
                let keys = if range.is_empty() { Vec::new() } else { t.split(&range, TokenKind::Comma) };
                if keys.len() > 1 {
                    for pair in keys.windows(2) {
                        let (from, to) = (t.start(pair[0].start), t.start(pair[1].start));
                        patches.push(Patch::one("key", from, to, ""));
                    }
                }
            }
            _ => {}
        }
    }
    for (bar, range) in t.wheres() {
        patches.push(Patch::one("drop-stage", t.start(bar), t.end(range.end - 1), ""));
        let (start, end) = (t.start(range.start), t.end(range.end - 1));
        patches.push(Patch::one("negate", start, end, format!("not({})", &text[start..end])));
        let parts = t.conjuncts(&range);
        if parts.len() > 1 {
            for n in 0..parts.len() {
                let (from, to) = match parts.get(n + 1) {
                    Some(next) => (t.start(parts[n].start), t.start(next.start)),
                    None => (t.end(parts[n - 1].end - 1), t.end(parts[n].end - 1)),
                };
                patches.push(Patch::one("drop-predicate", from, to, " "));
            }
        }
    }
    patches.into_iter().map(|p| p.apply(text)).filter(|e| e.text != text).collect()
}

/// Texts that mean the same.
pub fn rewrites(text: &str) -> Vec<Edit> {
    let t = Text::new(text);
    let mut patches: Vec<Patch> = Vec::new();
    for (_, range) in t.wheres() {
        let (start, end) = (t.start(range.start), t.end(range.end - 1));
        let whole = &text[start..end];
        // A comment to the end of the line would swallow what is put behind it.
        if whole.contains("//") {
            continue;
        }
        patches.push(Patch::one("parentheses", start, end, format!("(({whole}))")));
        patches.push(Patch::one("double-negation", start, end, format!("not(not({whole}))")));
        let parts = t.conjuncts(&range);
        if parts.len() > 1 {
            let texts: Vec<&str> = parts.iter().map(|p| t.slice(p)).collect();
            let backwards: Vec<&str> = texts.iter().rev().copied().collect();
            patches.push(Patch::one("reorder", start, end, backwards.join(" and ")));
            patches.push(Patch::one("split", start, end, texts.join(" | where ")));
            let negated: Vec<String> = texts.iter().map(|p| format!("not({p})")).collect();
            patches.push(Patch::one("de-morgan", start, end, format!("not({})", negated.join(" or "))));
        }
    }
    for i in 1..t.tokens.len() {
        let operator = match t.word(i) {
            "in" => "==",
            "in~" => "=~",
            "==" | "=~" => {
                // `column == "text"` as a list of one.
                let alone = t.kind(i - 1) == TokenKind::Ident
                    && t.kind(i + 1) == TokenKind::Str
                    && before_is_edge(&t, i - 1)
                    && after_is_edge(&t, i + 2);
                if alone {
                    let list = if t.word(i) == "==" { "in" } else { "in~" };
                    let with = format!("{list} ({})", t.word(i + 1));
                    patches.push(Patch::one("list-of-one", t.start(i), t.end(i + 1), with));
                    if t.word(i) == "==" {
                        let with = format!("{} == {}", t.word(i + 1), t.word(i - 1));
                        patches.push(Patch::one("flip-sides", t.start(i - 1), t.end(i + 1), with));
                    }
                }
                continue;
            }
            "regex" if t.word(i - 1) == "matches" && t.kind(i + 1) == TokenKind::Str => {
                let word = t.word(i + 1);
                let quote = word.find(['"', '\'']).unwrap_or(0);
                if word.len() > quote + 2 && !word.contains('`') && !word.contains("~~~") {
                    let (from, to) = (t.start(i + 1) + quote + 1, t.end(i + 1) - 1);
                    patches.push(Patch::one("equal-regex", from, to, format!("(?:{})", &text[from..to])));
                }
                continue;
            }
            _ => continue,
        };
        // `column in ("a", "b")` as alternatives.
        if t.kind(i - 1) != TokenKind::Ident
            || !before_is_edge(&t, i - 1)
            || t.kind(i + 1) != TokenKind::LParen
        {
            continue;
        }
        let Some(close) = (i + 2..t.tokens.len()).find(|n| t.depth[*n] == t.depth[i]) else { continue };
        let items = if close > i + 2 { t.split(&(i + 2..close), TokenKind::Comma) } else { Vec::new() };
        if !items.is_empty() && items.iter().all(|p| p.len() == 1 && t.kind(p.start) == TokenKind::Str) {
            let tests: Vec<String> =
                items.iter().map(|p| format!("{} {operator} {}", t.word(i - 1), t.slice(p))).collect();
            let with = format!("({})", tests.join(" or "));
            patches.push(Patch::one("list-as-or", t.start(i - 1), t.end(close), with));
        }
    }
    lets(&t, &mut patches);
    let mut edits: Vec<Edit> = patches.into_iter().map(|p| p.apply(text)).collect();
    edits.push(Edit { kind: "layout", text: layout(&t) });
    edits.into_iter().filter(|e| e.text != text).collect()
}

fn before_is_edge(t: &Text<'_>, i: usize) -> bool {
    i > 0
        && (matches!(t.word(i - 1), "where" | "and" | "or")
            || (t.kind(i - 1) == TokenKind::LParen
                && i > 1
                && matches!(t.word(i - 2), "where" | "and" | "or" | "not")))
}

fn after_is_edge(t: &Text<'_>, i: usize) -> bool {
    matches!(t.word(i), "and" | "or")
        || matches!(t.kind(i), TokenKind::Bar | TokenKind::Eof | TokenKind::RParen | TokenKind::Semicolon)
}

/// `let`s under another name, and those of one constant written out.
fn lets(t: &Text<'_>, patches: &mut Vec<Patch>) {
    for i in 0..t.tokens.len().saturating_sub(3) {
        if t.word(i) != "let" || t.kind(i + 1) != TokenKind::Ident || t.word(i + 2) != "=" {
            continue;
        }
        let name = t.word(i + 1);
        let uses: Vec<usize> = (0..t.tokens.len()).filter(|n| t.word(*n) == name).collect();
        // A column or a parameter of this name, too: not the same thing.
        let other = uses.iter().filter(|n| **n != i + 1).any(|n| {
            matches!(t.kind(n + 1), TokenKind::Assign | TokenKind::Colon)
                || (*n > 0 && matches!(t.kind(n - 1), TokenKind::Dot))
        });
        if other {
            continue;
        }
        let mut renamed = Patch { kind: "rename-let", parts: Vec::new() };
        renamed.parts.extend(uses.iter().map(|n| (t.start(*n), t.end(*n), format!("{name}_renamed"))));
        patches.push(renamed);
        let constant =
            matches!(t.kind(i + 3), TokenKind::Long | TokenKind::Timespan | TokenKind::Real | TokenKind::Str);
        if constant && t.kind(i + 4) == TokenKind::Semicolon {
            let mut inlined =
                Patch { kind: "inline-let", parts: vec![(t.start(i), t.end(i + 4), String::new())] };
            let uses = uses.iter().filter(|n| **n != i + 1);
            inlined.parts.extend(uses.map(|n| (t.start(*n), t.end(*n), t.word(i + 3).to_owned())));
            patches.push(inlined);
        }
    }
}

/// All tokens with one blank between them where there was any, without comments.
fn layout(t: &Text<'_>) -> String {
    let mut out = String::new();
    for i in 0..t.tokens.len() {
        if t.kind(i) == TokenKind::Eof {
            break;
        }
        if i > 0 && t.start(i) > t.end(i - 1) {
            out.push(if t.kind(i) == TokenKind::Bar { '\n' } else { ' ' });
        }
        out.push_str(t.word(i));
    }
    out
}
