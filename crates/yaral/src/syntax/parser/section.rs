//! Rules and their sections.

use ruleferry_diag::{Diagnostic, Span, codes};
use smol_str::SmolStr;

use super::super::literal::{Duration, Text};
use super::super::token::TokenKind;
use super::super::tree::{
    Export, Expr, ExprKind, File, Heads, Loc, Match, Meta, Name, Outcome, Rule, Section, Setting,
    SettingValue, Setup, SetupKind, Window, WindowKind,
};
use super::{Fault, Parser, Read};

impl Parser<'_> {
    pub(super) fn file(&mut self) -> File {
        let mut rules = Vec::new();
        let mut lost = false;
        while self.kind() != TokenKind::Eof {
            if self.is_word("rule") && (self.rule_here() || !lost) {
                lost = false;
                rules.push(self.rule());
            } else {
                if !lost {
                    self.expected("`rule`");
                    lost = true;
                }
                self.bump();
            }
        }
        if rules.is_empty() && self.diagnostics.is_empty() {
            let span = Span::new(self.end.start, self.end.end);
            self.fault(Diagnostic::error(codes::YARAL_EMPTY, span, "the text holds no rule"));
        }
        File { rules }
    }

    fn rule(&mut self) -> Rule {
        let start = self.bump().start;
        let mut rule = Rule::default();
        let opened = self.word("the name of the rule").and_then(|name| {
            rule.name = name;
            self.expect(TokenKind::LBrace, "`{`")
        });
        if opened.is_err() {
            self.skip_to(|p| p.section_here().is_some() || p.kind() == TokenKind::RBrace);
        }
        let mut last = None;
        loop {
            if let Some(section) = self.section_here() {
                self.section(section, &mut last, &mut rule);
            } else if self.kind() == TokenKind::RBrace {
                rule.heads.end = Some(self.bump().start);
                break;
            } else if self.kind() == TokenKind::Eof || self.rule_here() {
                self.expected("`}` at the end of the rule");
                break;
            } else {
                self.expected("a section such as `events:` or `}`");
                self.bump();
                self.skip_to(|p| p.section_here().is_some() || p.kind() == TokenKind::RBrace);
            }
        }
        rule.span = self.span_from(start);
        self.missing(&rule);
        rule
    }

    /// Sections that no rule can do without.
    fn missing(&mut self, rule: &Rule) {
        for section in [Section::Events, Section::Condition] {
            let absent = match section {
                Section::Events => rule.events.is_empty(),
                _ => rule.condition.is_none(),
            };
            if absent {
                let span = if rule.name.span.0.is_empty() { rule.span.0 } else { rule.name.span.0 };
                let message = format!("the rule has no `{}`", section.word());
                self.fault(Diagnostic::error(codes::YARAL_SECTION, span, message));
            }
        }
    }

    /// Skips tokens up to where the test holds, the end of the text or the next rule.
    fn skip_to(&mut self, stop: impl Fn(&Self) -> bool) {
        while self.kind() != TokenKind::Eof && !self.rule_here() && !stop(self) {
            self.bump();
        }
    }

    fn section(&mut self, section: Section, last: &mut Option<Section>, rule: &mut Rule) {
        let head = self.bump();
        self.bump();
        let place = rule.heads.at.get(section as usize).copied().flatten();
        if place.is_some() {
            let message = format!("`{}` stands twice in the rule", section.word());
            self.fault(Diagnostic::error(codes::YARAL_SECTION, head.span(), message));
        } else if let Some(before) = last.filter(|l| *l > section) {
            let message = format!("`{}` must stand before `{}`", section.word(), before.word());
            let order = "the order is meta, setup, events, match, outcome, condition, options, export";
            self.fault(Diagnostic::error(codes::YARAL_SECTION, head.span(), message).with_help(order));
        }
        set_head(&mut rule.heads, section, head.start);
        *last = Some(section.max(last.unwrap_or(section)));
        match section {
            Section::Meta => self.entries(&mut rule.meta, Self::meta),
            Section::Setup => self.entries(&mut rule.setup, Self::setup),
            Section::Events => self.entries(&mut rule.events, Self::predicate),
            Section::Match => self.matching(rule),
            Section::Outcome => self.entries(&mut rule.outcome, Self::outcome),
            Section::Condition => self.condition(rule),
            Section::Options => self.entries(&mut rule.options, Self::setting),
            Section::Export => self.entries(&mut rule.export, Self::export),
        }
    }

    fn section_ends(&self) -> bool {
        matches!(self.kind(), TokenKind::Eof | TokenKind::RBrace)
            || self.section_here().is_some()
            || self.rule_here()
    }

    /// Entries up to the end of the section. After a fault the next line that does not stand inside of
    /// parentheses goes on.
    fn entries<T>(&mut self, into: &mut Vec<T>, read: impl Fn(&mut Self) -> Read<T>) {
        while !self.section_ends() {
            let start = self.pos;
            match read(self) {
                Ok(entry) => into.push(entry),
                Err(Fault) => self.skip_entry(start),
            }
        }
    }

    fn skip_entry(&mut self, start: usize) {
        let mut open = 0_i32;
        // What the faulty entry opened before the fault still has to be closed.
        for token in self.tokens.get(start..self.pos).unwrap_or(&[]) {
            open += parentheses(token.kind);
        }
        if self.pos == start {
            open += parentheses(self.bump().kind);
        }
        while !self.section_ends() && (open > 0 || !self.current().starts_line) {
            // A line that begins like an entry ends parentheses that were never closed.
            if self.current().starts_line && self.kind() == TokenKind::Var && open < 3 && self.likely_entry()
            {
                break;
            }
            open += parentheses(self.bump().kind);
        }
    }

    /// `$a.b = …` at the start of a line, behind a line that does not go on.
    fn likely_entry(&self) -> bool {
        let before = self.pos.checked_sub(1).and_then(|i| self.tokens.get(i));
        before.is_some_and(|t| t.kind.ends_operand())
    }

    fn meta(&mut self) -> Read<Meta> {
        let key = self.word("a key such as `author`")?;
        self.expect(TokenKind::Eq, "`=` and a value in quotes")?;
        let token = self.current();
        let value = self.string("a value in quotes")?;
        let span = self.span_from(key.span.0.start);
        Ok(Meta { key, value, span, value_span: Loc(token.span()) })
    }

    /// A text in either kind of quotes.
    fn string(&mut self, what: &str) -> Read<Text> {
        match self.kind() {
            TokenKind::Str | TokenKind::RawStr => Ok(self.text_literal()),
            _ => Err(self.expected(what)),
        }
    }

    fn setup(&mut self) -> Read<Setup> {
        let start = self.current().start;
        let word = self.word("`graph_override`, `graph_append` or `graph_exclude`")?;
        let kind = if word.text.eq_ignore_ascii_case("graph_append") {
            self.expect(TokenKind::LBracket, "`[`")?;
            let variable = self.var("a variable such as `$g`")?;
            self.expect(TokenKind::Comma, "`,`")?;
            let table = self.list_name()?;
            self.expect(TokenKind::RBracket, "`]`")?;
            SetupKind::GraphAppend { variable, table }
        } else {
            let make = if word.text.eq_ignore_ascii_case("graph_override") {
                SetupKind::GraphOverride
            } else if word.text.eq_ignore_ascii_case("graph_exclude") {
                SetupKind::GraphExclude
            } else {
                let message = format!("`{}` does not belong into `setup`", word.text);
                self.fault(Diagnostic::error(codes::YARAL_SYNTAX, word.span.0, message));
                return Err(Fault);
            };
            self.expect(TokenKind::LParen, "`(`")?;
            let condition = self.expr()?;
            self.expect(TokenKind::RParen, "`)`")?;
            make(condition)
        };
        Ok(Setup { kind, span: self.span_from(start) })
    }

    fn list_name(&mut self) -> Read<Name> {
        let token = self.expect(TokenKind::List, "a data table such as `%table`")?;
        Ok(Name { text: self.without_sigil(token), span: Loc(token.span()) })
    }

    /// One predicate of `events`; a faulty one is an error node, so that the section is not taken for empty.
    fn predicate(&mut self) -> Read<Expr> {
        let (start, from) = (self.pos, self.current().start);
        let read = self.expr();
        Ok(read.unwrap_or_else(|Fault| {
            self.skip_entry(start);
            Expr { kind: ExprKind::Error, span: self.span_from(from) }
        }))
    }

    fn matching(&mut self, rule: &mut Rule) {
        let start = self.current().start;
        let mut keys = Vec::new();
        let mut read = || -> Read<Option<Window>> {
            loop {
                keys.push(self.var("a variable such as `$user`")?);
                if !self.eat(TokenKind::Comma) {
                    break;
                }
            }
            let window = self.window()?;
            if !self.section_ends() {
                return Err(self.expected("the end of `match`"));
            }
            Ok(window)
        };
        let window = read();
        if window.is_err() {
            self.skip_to(Self::section_ends);
        }
        let window = window.unwrap_or(None);
        rule.matching = Some(Match { keys, window, span: self.span_from(start) });
    }

    fn window(&mut self) -> Read<Option<Window>> {
        let start = self.current().start;
        let tumbling = if self.eat_word("over") {
            false
        } else if self.eat_word("by") {
            true
        } else {
            return Err(self.expected("`,` or the window, such as `over 5m`"));
        };
        let length = self.duration()?;
        let kind = if tumbling {
            self.eat_word("tumbling");
            WindowKind::Tumbling
        } else if self.eat_word("after") {
            WindowKind::After(self.var("an event variable such as `$e`")?)
        } else if self.eat_word("before") {
            WindowKind::Before(self.var("an event variable such as `$e`")?)
        } else {
            WindowKind::Hop
        };
        Ok(Some(Window { length, kind, span: self.span_from(start) }))
    }

    pub(super) fn duration(&mut self) -> Read<Duration> {
        let token = self.expect(TokenKind::Duration, "a duration such as `5m`")?;
        Duration::read(self.text_of(token)).ok_or_else(|| {
            let message = format!("`{}` is no duration", super::shorten(self.text_of(token)));
            let fault = Diagnostic::error(codes::YARAL_BAD_LITERAL, token.span(), message);
            self.fault(fault.with_help("write a whole number with `m`, `h` or `d`"));
            Fault
        })
    }

    fn outcome(&mut self) -> Read<Outcome> {
        let name = self.var("an outcome such as `$risk_score`")?;
        self.expect(TokenKind::Eq, "`=`")?;
        let (start, from) = (self.pos, self.current().start);
        // With its name known, what refers to it is no further fault.
        let value = self.sum().unwrap_or_else(|Fault| {
            self.skip_entry(start);
            Expr { kind: ExprKind::Error, span: self.span_from(from) }
        });
        let span = self.span_from(name.span.0.start);
        Ok(Outcome { name, value, span })
    }

    fn condition(&mut self, rule: &mut Rule) {
        let start = self.current().start;
        if self.section_ends() {
            self.expected("a condition such as `$e`");
            rule.condition = Some(Expr { kind: ExprKind::Error, span: self.span_from(start) });
            return;
        }
        let read = self.expr().and_then(|condition| {
            if self.section_ends() {
                Ok(condition)
            } else {
                Err(self.expected("`and`, `or` or the end of `condition`"))
            }
        });
        rule.condition = Some(read.unwrap_or_else(|Fault| {
            self.skip_to(Self::section_ends);
            Expr { kind: ExprKind::Error, span: self.span_from(start) }
        }));
    }

    fn setting(&mut self) -> Read<Setting> {
        let name = self.word("an option such as `allow_zero_values`")?;
        self.expect(TokenKind::Eq, "`=`")?;
        let token = self.current();
        let value = match token.kind {
            TokenKind::Duration => SettingValue::Duration(self.duration()?),
            TokenKind::Number => {
                self.bump();
                SettingValue::Number(SmolStr::new(self.text_of(token)))
            }
            TokenKind::Word if self.is_word("true") || self.is_word("false") => {
                let value = self.is_word("true");
                self.bump();
                SettingValue::Bool(value)
            }
            _ => SettingValue::Text(self.string("`true`, `false`, a duration, a number or a text")?),
        };
        let span = self.span_from(name.span.0.start);
        Ok(Setting { name, value, span })
    }

    fn export(&mut self) -> Read<Export> {
        let table = self.list_name()?;
        self.expect(TokenKind::Dot, "`.write_row`")?;
        if !self.eat_word("write_row") {
            return Err(self.expected("`write_row`"));
        }
        self.expect(TokenKind::LParen, "`(`")?;
        let mut columns = Vec::new();
        while self.kind() != TokenKind::RParen {
            let name = self.word("a column")?;
            self.expect(TokenKind::Colon, "`:`")?;
            columns.push((name, self.sum()?));
            if !self.eat(TokenKind::Comma) {
                break;
            }
        }
        self.expect(TokenKind::RParen, "`,` or `)`")?;
        let span = self.span_from(table.span.0.start);
        Ok(Export { table, columns, span })
    }

    pub(super) fn name_at(&self, token: super::Token) -> Name {
        Name { text: SmolStr::new(self.text_of(token)), span: Loc(token.span()) }
    }
}

fn set_head(heads: &mut Heads, section: Section, start: u32) {
    if let Some(place) = heads.at.get_mut(section as usize) {
        *place = place.or(Some(start));
    }
}

const fn parentheses(kind: TokenKind) -> i32 {
    match kind {
        TokenKind::LParen | TokenKind::LBracket => 1,
        TokenKind::RParen | TokenKind::RBracket => -1,
        _ => 0,
    }
}
