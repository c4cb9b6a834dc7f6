//! Comments back into the text.

use super::super::tree::{Comment, Loc};
use super::Printer;

impl<'c> Printer<'c> {
    /// Writes the comments that stand before a place of the source: what trails code at the end of the line that has
    /// been written, the others on lines of their own.
    pub(super) fn comments_before(&mut self, start: u32) {
        self.trailing_comments(start);
        self.own_comments(start);
    }

    /// Those that trail code.
    pub(super) fn trailing_comments(&mut self, start: u32) {
        while let Some(comment) = self.next_comment(start, |c| !c.own_line) {
            if self.closed {
                self.newline();
            } else if !self.out.is_empty() {
                self.out.push(' ');
            }
            self.comment(comment);
        }
    }

    /// Every comment, each on a line of its own.
    pub(super) fn own_comments(&mut self, start: u32) {
        while let Some(comment) = self.next_comment(start, |_| true) {
            if !self.out.is_empty() {
                if comment.blank_before && !self.out.ends_with("\n") {
                    self.blank_line();
                }
                self.newline();
            }
            self.comment(comment);
            if comment.own_line && comment.blank_after {
                self.blank_line();
            }
        }
    }

    fn next_comment(&mut self, start: u32, wanted: fn(&Comment) -> bool) -> Option<&'c Comment> {
        if self.flat {
            return None;
        }
        let (comment, rest) = self.comments.split_first()?;
        if comment.span.start >= start || !wanted(comment) {
            return None;
        }
        self.comments = rest;
        Some(comment)
    }

    fn comment(&mut self, comment: &Comment) {
        for (i, line) in comment.text.lines().enumerate() {
            if i > 0 {
                self.out.push('\n');
            }
            self.out.push_str(line.trim_end());
        }
        self.closed = true;
    }

    /// Whether a comment that is still to be written stands inside of the span.
    pub(super) fn holds_comment(&self, span: Loc) -> bool {
        let first = self.comments.partition_point(|c| c.span.start < span.0.start);
        self.comments.get(first).is_some_and(|c| c.span.start < span.0.end)
    }
}
