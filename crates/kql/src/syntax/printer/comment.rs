//! Comments back into the text.

use super::super::tree::{ColumnNames, Expr, Loc, NamedExpr};
use super::Printer;

impl Printer<'_> {
    /// Writes the comments that stand before a place of the source; tells whether there were any.
    pub(super) fn comments_before(&mut self, start: u32) -> bool {
        if self.flat {
            return false;
        }
        let mut any = false;
        while let Some((comment, rest)) = self.comments.split_first()
            && comment.span.start < start
        {
            self.comments = rest;
            let nothing_before = self.out.trim_end().is_empty();
            if comment.own_line || self.closed || nothing_before {
                if comment.blank_before && !nothing_before {
                    self.blank_line();
                }
                if nothing_before {
                    self.out.clear();
                    self.line = 0;
                } else {
                    self.newline();
                }
            } else if !self.out.ends_with([' ', '\n']) {
                self.out.push(' ');
            }
            self.comment(&comment.text);
            any = true;
        }
        any
    }

    /// The text of a comment; one that holds line ends is made several.
    fn comment(&mut self, text: &str) {
        for (i, line) in text.split(['\n', '\r', '\u{2028}', '\u{2029}']).enumerate() {
            if i > 0 {
                self.newline();
            }
            let body = line.strip_prefix("//");
            self.out.push_str("//");
            self.out.push_str(body.unwrap_or(line));
            self.closed = true;
        }
    }

    /// An empty line, unless one is there.
    pub(super) fn blank_line(&mut self) {
        self.closed = false;
        if !self.out.ends_with("\n\n") {
            self.out.push('\n');
            self.line = self.out.len();
        }
    }

    /// Whether a comment that is still to be written stands inside of the span.
    pub(super) fn holds_comment(&self, span: Loc) -> bool {
        self.comments.first().is_some_and(|c| c.span.start >= span.0.start && c.span.start < span.0.end)
    }
}

pub(super) fn start_of(expr: &Expr) -> u32 {
    expr.span.0.start
}

pub(super) fn start_of_named(named: &NamedExpr) -> u32 {
    let name = match &named.names {
        ColumnNames::Default => None,
        ColumnNames::One(name) => Some(name.span),
        ColumnNames::Many(names) => names.first().map(|n| n.span),
    };
    name.map_or(start_of(&named.value), |n| n.0.start)
}

/// From the name to the end of the value.
pub(super) fn span_of_named(named: &NamedExpr) -> Loc {
    let mut span = named.value.span.0;
    span.start = span.start.min(start_of_named(named));
    Loc(span)
}

/// From the first to the last of a list.
pub(super) fn span_of_list(items: &[NamedExpr]) -> Loc {
    let spans = items.iter().map(|i| span_of_named(i).0);
    Loc(spans.reduce(ruleferry_diag::Span::to).unwrap_or_default())
}
