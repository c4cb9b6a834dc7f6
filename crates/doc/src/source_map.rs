//! Where the decoded text of a scalar stands in the file: quotes, escapes, folded lines and indentation undone.
//! Worked out on demand, since few scalars hold a query.

use crate::{Scalar, Style};
use ruleferry_diag::{Span, SpanMap};

/// Pieces of equal text: `(offset in the decoded text, offset in the file)`.
struct Pieces {
    list: Vec<(u32, u32)>,
    /// Length of the decoded text so far.
    local: usize,
}

impl Pieces {
    fn new() -> Self {
        Self { list: Vec::new(), local: 0 }
    }

    /// `length` decoded bytes come from `file` on.
    fn push(&mut self, length: usize, file: usize) {
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (local, file) = (narrow(self.local), narrow(file));
        let goes_on = self.list.last().is_some_and(|(l, f)| local.wrapping_sub(*l) == file.wrapping_sub(*f));
        if !goes_on && length > 0 {
            self.list.push((local, file));
        }
        self.local += length;
    }
}

pub(crate) fn of_scalar(scalar: &Scalar, span: Span, file: &str) -> SpanMap {
    let start = span.start as usize;
    let source = span.text(file);
    let quote = usize::from(matches!(scalar.style, Style::Single | Style::Double));
    // Most scalars stand in the file as they are.
    let as_is = source.len() == scalar.text.len() + 2 * quote;
    if as_is && !source.contains(['\n', '\r', '\\']) {
        return SpanMap::new(vec![(0, span.start + quote as u32)]);
    }
    let inner = source.get(quote..source.len().saturating_sub(quote)).unwrap_or("");
    let pieces = match scalar.style {
        Style::Plain | Style::Single | Style::Double => flow(inner, start + quote, scalar.style),
        Style::Literal => literal(&scalar.text, start, span.end as usize, file),
        Style::Folded => folded(&scalar.text, start, span.end as usize, file),
    };
    let whole = pieces.local == scalar.text.len() || matches!(scalar.style, Style::Literal | Style::Folded);
    if whole && !pieces.list.is_empty() {
        SpanMap::new(pieces.list)
    } else {
        // What we cannot follow has at least the place where it begins.
        SpanMap::new(vec![(0, span.start + quote as u32)])
    }
}

/// Plain and quoted text: escapes, doubled quotes, folded lines.
fn flow(source: &str, base: usize, style: Style) -> Pieces {
    let mut pieces = Pieces::new();
    let mut at = 0;
    while let Some(c) = source.get(at..).and_then(|t| t.chars().next()) {
        let rest = source.get(at..).unwrap_or("");
        match c {
            ' ' | '\t' | '\r' | '\n' => {
                let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
                let run = rest.get(..blank).unwrap_or("");
                let breaks = line_breaks(run);
                match breaks {
                    0 => pieces.push(blank, base + at),
                    1 => pieces.push(1, base + at),
                    more => pieces.push(more - 1, base + at),
                }
                at += blank;
            }
            '\'' if style == Style::Single => {
                pieces.push(1, base + at);
                at += 2;
            }
            '\\' if style == Style::Double => {
                let (source_length, decoded) = escape(rest);
                pieces.push(decoded, base + at);
                at += source_length;
            }
            _ => {
                pieces.push(c.len_utf8(), base + at);
                at += c.len_utf8();
            }
        }
    }
    pieces
}

fn line_breaks(run: &str) -> usize {
    let newlines = run.bytes().filter(|b| *b == b'\n').count();
    let returns = run.bytes().filter(|b| *b == b'\r').count();
    let pairs = run.matches("\r\n").count();
    newlines + returns - pairs
}

/// Lengths of an escape in the source and of what it stands for. `rest` begins with the backslash.
fn escape(rest: &str) -> (usize, usize) {
    let Some(name) = rest.chars().nth(1) else { return (1, 0) };
    let hex = |digits: usize| {
        let number = rest.get(2..2 + digits).and_then(|h| u32::from_str_radix(h, 16).ok());
        (2 + digits, number)
    };
    match name {
        '\n' | '\r' => {
            // An escaped line break stands for nothing, and takes the indentation of the next line along; blank lines stay.
            let after = rest.get(1..).unwrap_or("");
            let blank = after.len() - after.trim_start_matches([' ', '\t', '\r', '\n']).len();
            (1 + blank, line_breaks(after.get(..blank).unwrap_or("")).saturating_sub(1))
        }
        'N' | '_' => (2, 2),
        'L' | 'P' => (2, 3),
        'x' | 'u' | 'U' => {
            let (length, number) = hex(match name {
                'x' => 2,
                'u' => 4,
                _ => 8,
            });
            // JSON writes characters beyond the basic plane as two escapes.
            if number.is_some_and(|n| (0xD800..0xDC00).contains(&n)) {
                return (2 * length, 4);
            }
            (length, number.and_then(char::from_u32).map_or(3, char::len_utf8))
        }
        other => (1 + other.len_utf8(), 1),
    }
}

/// The lines of a block scalar in the file, without their indentation: `(offset, text)`. The first begins at `start`.
fn block_lines(start: usize, end: usize, file: &str) -> impl Iterator<Item = (usize, &str)> {
    let before = file.get(..start).unwrap_or("");
    let indent = start - before.rfind('\n').map_or(0, |i| i + 1);
    let mut offset = start;
    let body = file.get(start..end).unwrap_or("");
    body.split('\n').enumerate().map(move |(i, line)| {
        let line_start = offset;
        offset += line.len() + 1;
        let spaces = line.bytes().take(if i == 0 { 0 } else { indent }).take_while(|b| *b == b' ').count();
        let text = line.get(spaces..).unwrap_or("");
        (line_start + spaces, text.strip_suffix('\r').unwrap_or(text))
    })
}

/// Line by line, with the line break behind each.
fn literal(text: &str, start: usize, end: usize, file: &str) -> Pieces {
    let mut pieces = leading_breaks(text, start);
    for (offset, line) in block_lines(start, end, file) {
        pieces.push(line.len() + 1, offset);
    }
    pieces
}

/// As literal, but a line break between two lines of text became a space.
fn folded(text: &str, start: usize, end: usize, file: &str) -> Pieces {
    let mut pieces = leading_breaks(text, start);
    let mut line_end = start;
    let mut first = true;
    for (offset, line) in block_lines(start, end, file) {
        if line.is_empty() {
            continue;
        }
        let rest = text.get(pieces.local..).unwrap_or("");
        let gap = if first { 0 } else { rest.bytes().take_while(|b| *b == b'\n').count() };
        let space = !first && gap == 0 && rest.starts_with(' ') && !line.starts_with(' ');
        pieces.push(gap + usize::from(space), line_end);
        pieces.push(line.len(), offset);
        line_end = offset + line.len();
        first = false;
    }
    pieces
}

/// Blank lines above the text: the node begins below them.
fn leading_breaks(text: &str, start: usize) -> Pieces {
    let mut pieces = Pieces::new();
    let breaks = text.bytes().take_while(|b| *b == b'\n').count();
    for _ in 0..breaks {
        pieces.push(1, start);
    }
    pieces
}
