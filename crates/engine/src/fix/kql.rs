//! Edits of KQL: what stands beside a condition decides what goes with it.

use super::{Candidate, removed};
use ruleferry_diag::{Edit, Span, codes};
use ruleferry_ir::{Case, MatchKind};
use ruleferry_kql::syntax::keyword::Kw;
use ruleferry_kql::syntax::lexer::{Lexed, lex};
use ruleferry_kql::syntax::print_expr;
use ruleferry_kql::syntax::token::{Token, TokenKind};
use ruleferry_kql::syntax::tree::{BinaryOp, Expr};
use ruleferry_prove::{Finding, PlainTest, Repair};

pub(super) fn candidates(query: &str, finding: &Finding, repair: &Repair) -> Vec<Candidate> {
    let text = Text { query, lexed: lex(query) };
    match repair {
        Repair::Remove if finding.code == codes::UNUSED_LET => text.binding(finding.span),
        Repair::Remove => text.condition(finding.span),
        Repair::Plain(plain) => text.plain(finding.span, plain),
        Repair::StateKind => text.kind_of_join(finding.span),
    }
}

struct Text<'t> {
    query: &'t str,
    lexed: Lexed,
}

impl Text<'_> {
    fn tokens(&self) -> &[Token] {
        &self.lexed.tokens
    }

    fn kind(&self, at: Option<usize>) -> Option<TokenKind> {
        self.tokens().get(at?).map(|t| t.kind)
    }

    /// The first and the last token under a place.
    fn under(&self, span: Span) -> Option<(usize, usize)> {
        let inside = |t: &Token| t.start >= span.start && t.end <= span.end && t.start < t.end;
        let first = self.tokens().iter().position(inside)?;
        let last = self.tokens().iter().rposition(inside)?;
        (first <= last).then_some((first, last))
    }

    /// The text between two places goes; comments in it stay, each with its line.
    fn cut(&self, start: u32, end: u32) -> Vec<Edit> {
        let mut edits = Vec::new();
        let mut at = start;
        for comment in &self.lexed.comments {
            let span = comment.span;
            if span.start < start || span.end > end {
                continue;
            }
            // The blanks before it and the line end behind it are its own.
            let before = self.query.get(at as usize..span.start as usize).unwrap_or_default();
            let apart = self.query.get(..at as usize).is_some_and(|b| b.ends_with([' ', '\t', '\n']));
            let blanks = if apart { 0 } else { before.len() - before.trim_end_matches([' ', '\t']).len() };
            let from = span.start - u32::try_from(blanks).unwrap_or_default();
            if from > at {
                edits.push(Edit { span: Span::new(at, from), text: String::new() });
            }
            at = span.end;
            if self.query.get(at as usize..).is_some_and(|rest| rest.starts_with('\n')) {
                at += 1;
            }
        }
        // A line of which nothing is left goes whole.
        let line_end = self.query.get(end as usize..).is_some_and(|rest| rest.starts_with('\n'));
        let rest = self.query.get(at as usize..end as usize).unwrap_or_default();
        let end = match at > start {
            true if line_end => end + 1,
            true => {
                // What follows takes the place of what went, with its indentation.
                at += u32::try_from(rest.len() - rest.trim_start_matches([' ', '\t']).len())
                    .unwrap_or_default();
                end
            }
            false => end,
        };
        if end > at {
            edits.push(Edit { span: Span::new(at, end), text: String::new() });
        }
        edits
    }

    /// A condition of an `and` or an `or`, a whole `where`, or a value of a list.
    fn condition(&self, span: Span) -> Vec<Candidate> {
        let Some((mut first, mut last)) = self.under(span) else { return Vec::new() };
        let title = removed(span.text(self.query));
        let mut found = Vec::new();
        let mut push = |edits: Vec<Edit>| {
            if !edits.is_empty() {
                found.push(Candidate { title: title.clone(), edits });
            }
        };
        // Outwards through the brackets around it.
        for _ in 0..8 {
            let (before, after) = (first.checked_sub(1), last + 1);
            let (left, right) = (self.kind(before), self.kind(Some(after)));
            let place = |at: usize| self.tokens().get(at).map(|t| (t.start, t.end)).unwrap_or_default();
            let behind_left = before.and_then(|b| b.checked_sub(1)).map_or(0, |b| place(b).1);
            let joins = |kind: Option<TokenKind>| {
                matches!(kind, Some(TokenKind::Kw(Kw::And | Kw::Or) | TokenKind::Comma))
            };
            // `a or b and c`: what binds closer goes with it.
            let looser = left == Some(TokenKind::Kw(Kw::Or)) && right == Some(TokenKind::Kw(Kw::And));
            let with_left = joins(left).then(|| self.cut(behind_left, place(last).1));
            let with_right = joins(right).then(|| self.cut(place(first).0, place(after + 1).0));
            if looser {
                push(with_right.clone().unwrap_or_default());
            }
            push(with_left.unwrap_or_default());
            push(with_right.unwrap_or_default());
            if matches!(left, Some(TokenKind::Kw(Kw::Where))) {
                let bar = before
                    .and_then(|b| b.checked_sub(1))
                    .filter(|b| self.kind(Some(*b)) == Some(TokenKind::Bar));
                if let Some(bar) = bar {
                    let start = bar.checked_sub(1).map_or(0, |b| place(b).1);
                    push(self.cut(start, place(last).1));
                }
                break;
            }
            if left == Some(TokenKind::LParen) && right == Some(TokenKind::RParen) {
                (first, last) = (first - 1, last + 1);
                continue;
            }
            // A negation goes with what it negates.
            if matches!(left, Some(TokenKind::Ident | TokenKind::Kw(_)))
                && before.is_some_and(|b| self.word(b).eq_ignore_ascii_case("not"))
            {
                first -= 1;
                continue;
            }
            break;
        }
        found
    }

    fn word(&self, at: usize) -> &str {
        self.tokens().get(at).map_or("", |t| t.span().text(self.query))
    }

    /// `let name = …;`, with its line where nothing else stands there.
    fn binding(&self, span: Span) -> Vec<Candidate> {
        let Some((name, _)) = self.under(span) else { return Vec::new() };
        let Some(let_at) =
            name.checked_sub(1).filter(|at| self.kind(Some(*at)) == Some(TokenKind::Kw(Kw::Let)))
        else {
            return Vec::new();
        };
        let mut depth = 0_i32;
        let end = self.tokens().iter().enumerate().skip(name).find_map(|(at, token)| {
            match token.kind {
                TokenKind::LParen | TokenKind::LBrace | TokenKind::LBracket => depth += 1,
                TokenKind::RParen | TokenKind::RBrace | TokenKind::RBracket => depth -= 1,
                TokenKind::Semicolon if depth == 0 => return Some(at),
                _ => {}
            }
            None
        });
        let (Some(first), Some(last)) = (self.tokens().get(let_at), end.and_then(|e| self.tokens().get(e)))
        else {
            return Vec::new();
        };
        let (mut start, mut stop) = (first.start, last.end);
        let before = self.query.get(..start as usize).unwrap_or_default();
        let after = self.query.get(stop as usize..).unwrap_or_default();
        let indent = before.len() - before.trim_end_matches([' ', '\t']).len();
        let at_front = before.get(..before.len() - indent).is_some_and(|b| b.is_empty() || b.ends_with('\n'));
        let blanks = after.len() - after.trim_start_matches([' ', '\t', '\r']).len();
        if at_front && after.get(blanks..).is_some_and(|rest| rest.starts_with('\n')) {
            start -= u32::try_from(indent).unwrap_or_default();
            stop += u32::try_from(blanks + 1).unwrap_or_default();
        } else if at_front {
            // A comment behind it takes its place.
            stop += u32::try_from(blanks).unwrap_or_default();
        }
        let title = format!("take `let {}` out, which nothing uses", self.word(name));
        vec![Candidate { title, edits: self.cut(start, stop) }]
    }

    /// `matches regex "…"` as a test of the plain text.
    fn plain(&self, span: Span, plain: &PlainTest) -> Vec<Candidate> {
        let Some((first, last)) = self.under(span) else { return Vec::new() };
        let exact = plain.case == Case::Sensitive;
        let op = match plain.kind {
            MatchKind::Equals => {
                if exact {
                    BinaryOp::Eq
                } else {
                    BinaryOp::EqCi
                }
            }
            MatchKind::Contains => {
                if exact {
                    BinaryOp::ContainsCs
                } else {
                    BinaryOp::Contains
                }
            }
            MatchKind::StartsWith => {
                if exact {
                    BinaryOp::StartsWithCs
                } else {
                    BinaryOp::StartsWith
                }
            }
            MatchKind::EndsWith => {
                if exact {
                    BinaryOp::EndsWithCs
                } else {
                    BinaryOp::EndsWith
                }
            }
            MatchKind::Term
            | MatchKind::TermPrefix
            | MatchKind::TermSuffix
            | MatchKind::Regex
            | MatchKind::Glob
            | MatchKind::Cidr => return Vec::new(),
        };
        let is_op = |at: &usize| self.kind(Some(*at)) == Some(TokenKind::Kw(Kw::MatchesRegex));
        let Some(at) = (first..=last).find(is_op) else { return Vec::new() };
        // One literal behind it; what is put together from parts stays.
        let literal = self.tokens().get(at + 1).filter(|t| t.kind == TokenKind::Str && at + 1 == last);
        let (Some(word), Some(literal)) = (self.tokens().get(at), literal) else { return Vec::new() };
        let printed = print_expr(&Expr::binary(op, Expr::name("x"), Expr::string(plain.text.as_str())));
        let Some(test) = printed.strip_prefix("x ") else { return Vec::new() };
        let edit = Edit { span: Span::new(word.start, literal.end), text: test.to_owned() };
        vec![Candidate { title: format!("write `{test}` in the place of the pattern"), edits: vec![edit] }]
    }

    fn kind_of_join(&self, span: Span) -> Vec<Candidate> {
        let starts = |t: &Token| t.start >= span.start && t.kind == TokenKind::Kw(Kw::Join);
        let Some(join) = self.tokens().iter().find(|t| starts(t)) else { return Vec::new() };
        let edit = Edit { span: Span::new(join.end, join.end), text: " kind=innerunique".to_owned() };
        let title = "say the kind that the join has: `kind=innerunique`".to_owned();
        vec![Candidate { title, edits: vec![edit] }]
    }
}
