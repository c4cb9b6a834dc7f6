//! Tree to text, in the layout of the language's own documentation: two blanks a level, a predicate a line, long
//! expressions broken at their operators. The text depends on the tree alone, never on the source.
//!
//! A construct is first tried on one line; where that is too long, it is taken back and broken.

mod comment;
mod expr;
mod rule;

use super::tree::{Comment, Expr, File, Loc, Rule};

/// Lines are kept shorter where the tree allows it.
pub const WIDTH: usize = 100;
const INDENT: &str = "  ";

/// The text of a file, with a line end at the end.
pub fn print(file: &File) -> String {
    print_with_comments(file, &[])
}

/// The text of a file with comments put back: before the rule, section, entry or operand that they precede, or behind
/// what they trail. Works by the spans of the nodes.
pub fn print_with_comments(file: &File, comments: &[Comment]) -> String {
    let mut printer = Printer::new(comments);
    printer.file(file);
    printer.out
}

/// The text of one rule.
pub fn print_rule(rule: &Rule) -> String {
    let mut printer = Printer::new(&[]);
    printer.rule(rule);
    printer.out.push('\n');
    printer.out
}

/// The text of one expression.
pub fn print_expr(expr: &Expr) -> String {
    let mut printer = Printer::new(&[]);
    printer.expr(expr, expr::Level::Or);
    printer.out
}

struct Printer<'c> {
    out: String,
    depth: usize,
    /// Where the current line begins in `out`.
    line: usize,
    /// On one line: no breaks.
    flat: bool,
    /// The line on trial is too long.
    overflow: bool,
    /// A comment ends the current line: nothing may follow on it.
    closed: bool,
    comments: &'c [Comment],
}

impl<'c> Printer<'c> {
    fn new(comments: &'c [Comment]) -> Self {
        Self { out: String::new(), depth: 0, line: 0, flat: false, overflow: false, closed: false, comments }
    }

    fn put(&mut self, text: &str) {
        self.leaf(|out| out.push_str(text));
    }

    /// Lets a function write.
    fn leaf(&mut self, write: impl FnOnce(&mut String)) {
        if self.closed {
            self.newline();
        }
        let start = self.out.len();
        write(&mut self.out);
        // Raw strings may hold line ends.
        if let Some(at) = self.out.get(start..).and_then(|t| t.rfind('\n')) {
            self.line = start + at + 1;
        }
        if self.flat && self.out.len().saturating_sub(self.line) > WIDTH {
            self.overflow = true;
        }
    }

    /// A new line at the current depth.
    fn newline(&mut self) {
        self.closed = false;
        self.out.push('\n');
        self.line = self.out.len();
        for _ in 0..self.depth {
            self.out.push_str(INDENT);
        }
    }

    /// An empty line.
    fn blank_line(&mut self) {
        self.closed = false;
        self.out.push('\n');
        self.line = self.out.len();
    }

    fn indented(&mut self, write: impl FnOnce(&mut Self)) {
        self.depth += 1;
        write(self);
        self.depth -= 1;
    }

    /// Tries to write on one line; false if that does not fit, and then nothing is written.
    fn try_flat(&mut self, span: Loc, write: impl FnOnce(&mut Self)) -> bool {
        if self.flat {
            if !self.overflow {
                write(self);
            }
            return true;
        }
        if self.holds_comment(span) {
            return false;
        }
        if self.closed {
            self.newline();
        }
        let (len, line) = (self.out.len(), self.line);
        self.flat = true;
        self.overflow = false;
        write(self);
        self.flat = false;
        if self.overflow {
            self.out.truncate(len);
            self.line = line;
            self.overflow = false;
            return false;
        }
        true
    }
}
