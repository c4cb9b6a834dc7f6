//! Places of the parser, in lines and columns, as byte offsets of the file.

use ruleferry_diag::Span;
use sqlparser::ast::Spanned;
use sqlparser::tokenizer::Location;

/// Where the lines of the script start, to tell places of the parser as byte offsets.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    lines: Vec<Line>,
}

#[derive(Clone, Debug, Default)]
struct Line {
    start: usize,
    length: usize,
    /// Where every so many characters stand, if not each is one byte.
    marks: Vec<usize>,
    /// The line, if not each character is one byte.
    text: String,
}

/// Characters between two marks of a line.
const STRIDE: usize = 64;

impl Lines {
    pub(super) fn new(text: &str) -> Self {
        let mut start = 0;
        let lines = text.split_inclusive('\n').map(|line| {
            let plain = line.is_ascii();
            let marks = line.char_indices().step_by(STRIDE).map(|(i, _)| i);
            let new = Line {
                start,
                length: line.len(),
                marks: if plain { Vec::new() } else { marks.collect() },
                text: if plain { String::new() } else { line.to_owned() },
            };
            start += line.len();
            new
        });
        Self { lines: lines.collect() }
    }

    pub(super) fn offset(&self, at: Location) -> Option<usize> {
        let line = self.lines.get(usize::try_from(at.line).ok()?.checked_sub(1)?)?;
        let column = usize::try_from(at.column).ok()?.saturating_sub(1);
        if line.marks.is_empty() {
            return Some(line.start + column.min(line.length));
        }
        let mark = line.marks.get(column / STRIDE).copied().unwrap_or(line.length);
        let rest = line.text.get(mark..).unwrap_or_default();
        let within = rest.char_indices().nth(column % STRIDE).map_or(rest.len(), |(i, _)| i);
        Some(line.start + mark + within)
    }

    /// The place of a node; empty where the parser does not know it.
    pub fn span(&self, node: &impl Spanned) -> Span {
        self.range(node.span())
    }

    /// A range of the parser.
    pub fn range(&self, span: sqlparser::tokenizer::Span) -> Span {
        match (self.offset(span.start), self.offset(span.end)) {
            (Some(start), Some(end)) if start <= end => Span::from_usize(start, end),
            _ => Span::default(),
        }
    }
}
