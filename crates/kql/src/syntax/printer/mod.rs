//! Tree to text, in the layout that a reviewer would want to merge: one operator a line, long predicates and
//! lists wrapped, subqueries indented. The text depends on the tree alone, never on the source.
//!
//! A construct is first tried on one line; where that is too long, it is taken back and broken.

mod comment;
mod expr;
mod graph;
mod operator;
mod query;
mod text;

use super::tree::{Comment, Expr, Loc, Query, Statement};

pub use text::{is_identifier, is_plain_name};

/// Lines are kept shorter where the tree allows it.
pub const WIDTH: usize = 100;
const INDENT: &str = "    ";

/// The text of a query, with a line end at the end.
pub fn print(query: &Query) -> String {
    print_with_comments(query, &[])
}

/// The text of a query with comments put back: before the statement, operator or list item that they precede,
/// or behind what they trail. Works by the spans of the nodes; comments before nodes without spans move on to the
/// next node that has one.
pub fn print_with_comments(query: &Query, comments: &[Comment]) -> String {
    let mut printer = Printer::new(comments);
    printer.query(query);
    printer.finish()
}

/// The text of one expression.
pub fn print_expr(expr: &Expr) -> String {
    let mut printer = Printer::new(&[]);
    printer.pipe(expr);
    printer.out
}

/// The text of one statement, without its `;`.
pub fn print_statement(statement: &Statement) -> String {
    let mut printer = Printer::new(&[]);
    printer.statement(statement);
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

    fn finish(mut self) -> String {
        self.comments_before(u32::MAX);
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        self.out
    }

    fn put(&mut self, text: &str) {
        if self.closed {
            self.newline();
        }
        self.out.push_str(text);
        self.check_width();
    }

    /// Lets a function of [`text`] write.
    fn leaf(&mut self, write: impl FnOnce(&mut String)) {
        if self.closed {
            self.newline();
        }
        let start = self.out.len();
        write(&mut self.out);
        let written = self.out.get(start..).unwrap_or("");
        if let Some(at) = written.rfind('\n') {
            self.line = start + at + 1;
        }
        self.check_width();
    }

    fn check_width(&mut self) {
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

    /// Items between commas, on one line.
    fn inline<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            if self.overflow {
                return;
            }
            write(self, item);
        }
    }

    /// Items between commas, each on its own line, beginning with a new line.
    fn stacked<T>(&mut self, items: &[T], start: impl Fn(&T) -> u32, mut write: impl FnMut(&mut Self, &T)) {
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.put(",");
            }
            self.comments_before(start(item));
            self.newline();
            write(self, item);
        }
    }

    /// Items between commas, as many on a line as fit, beginning with a new line.
    fn filled<T>(&mut self, items: &[T], start: impl Fn(&T) -> u32, mut write: impl FnMut(&mut Self, &T)) {
        for (i, item) in items.iter().enumerate() {
            if i == 0 {
                self.comments_before(start(item));
                self.newline();
                write(self, item);
                continue;
            }
            self.put(",");
            let commented = self.comments_before(start(item));
            let (len, line) = (self.out.len(), self.line);
            if !commented {
                self.put(" ");
                write(self, item);
                if self.out.len() - self.line < WIDTH {
                    continue;
                }
                self.out.truncate(len);
                self.line = line;
            }
            self.newline();
            write(self, item);
        }
    }
}
