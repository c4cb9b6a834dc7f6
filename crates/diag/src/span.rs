//! Byte ranges, lines and columns, and the way from a query inside a document to the file on disk.

use serde::Serialize;

/// A half-open range of UTF-8 byte offsets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// A span from `usize` offsets; offsets past 4 GiB saturate (inputs are limited far below that).
    pub fn from_usize(start: usize, end: usize) -> Self {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { start: clamp(start), end: clamp(end) }
    }

    /// The smallest span that holds both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    pub const fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// The text under the span, or `""` where it lies outside of `text` or splits a character.
    pub fn text(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or("")
    }
}

/// A place in a file as people name it: both count from 1, columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

/// Finds the line and column of a byte offset.
///
/// Lines end with `\n`; a byte order mark at the start of the text is no column, as in editors and in SARIF.
#[derive(Clone, Debug)]
pub struct LineIndex<'t> {
    text: &'t str,
    starts: Vec<u32>,
    /// How many characters begin before each block of [`BLOCK`] bytes, so that columns on a line of megabytes do
    /// not count from its start each time.
    blocks: Vec<u32>,
}

const BLOCK: usize = 4096;
const BYTE_ORDER_MARK: char = '\u{feff}';

impl<'t> LineIndex<'t> {
    pub fn new(text: &'t str) -> Self {
        let mut starts = vec![0];
        let ends = text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
        starts.extend(ends.map(|(i, _)| narrow(i + 1)));
        let mut before = 0;
        let mut blocks = vec![0];
        blocks.extend(text.as_bytes().chunks(BLOCK).map(|block| {
            before += characters(block);
            before
        }));
        Self { text, starts, blocks }
    }

    pub const fn text(&self) -> &'t str {
        self.text
    }

    pub fn position(&self, offset: u32) -> Position {
        let line = self.starts.partition_point(|s| *s <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let mark = u32::from(start == 0 && offset > 0 && self.text.starts_with(BYTE_ORDER_MARK));
        let column = self.characters_before(offset).saturating_sub(self.characters_before(start) + mark) + 1;
        Position { line: narrow(line), column }
    }

    /// The line (from 1) without its line end, `\n` or `\r\n`.
    pub fn line(&self, line: u32) -> Option<Span> {
        let before = line.checked_sub(1)? as usize;
        let start = *self.starts.get(before)?;
        let end = self.starts.get(before + 1).map_or_else(|| narrow(self.text.len()), |next| next - 1);
        let crlf = self.text.get(start as usize..end as usize).is_some_and(|t| t.ends_with('\r'));
        Some(Span { start, end: end - u32::from(crlf) })
    }

    /// Characters that begin before the offset; it needs not be a boundary between two.
    fn characters_before(&self, offset: u32) -> u32 {
        let offset = (offset as usize).min(self.text.len());
        let block = offset / BLOCK;
        let rest = self.text.as_bytes().get(block * BLOCK..offset).unwrap_or(&[]);
        self.blocks.get(block).copied().unwrap_or(0) + characters(rest)
    }
}

/// Counts the bytes that begin a character.
fn characters(bytes: &[u8]) -> u32 {
    narrow(bytes.iter().filter(|b| (**b & 0xC0) != 0x80).count())
}

fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Where the text of a query that was taken out of a document (a YAML block scalar, a JSON string)
/// stands in the file: pieces of equal text, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpanMap {
    /// `(offset in the query, offset in the file)`; between two entries both advance together.
    pieces: Vec<(u32, u32)>,
}

impl SpanMap {
    /// The query is the file.
    pub fn identity() -> Self {
        Self::default()
    }

    /// From pieces in ascending order of the query offset.
    pub fn new(pieces: Vec<(u32, u32)>) -> Self {
        Self { pieces }
    }

    pub fn offset(&self, local: u32) -> u32 {
        let after = self.pieces.partition_point(|(l, _)| *l <= local);
        match after.checked_sub(1).and_then(|i| self.pieces.get(i)) {
            Some((l, f)) => f + (local - l),
            None => local,
        }
    }

    pub fn span(&self, local: Span) -> Span {
        let start = self.offset(local.start);
        // The end belongs to the piece of the last byte, not to the piece that starts there.
        let end = if local.is_empty() { start } else { self.offset(local.end - 1) + 1 };
        Span { start, end }
    }
}
