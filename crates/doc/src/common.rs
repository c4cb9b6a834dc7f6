//! The common layout of YAML, read directly: block mappings and lists, plain and quoted scalars, literal blocks, in
//! one document. Rules are hardly ever written otherwise, and this is several times as fast as the general reader.
//!
//! In: the text of a file. Out: the very tree that the general reader gives, or `None` at the first thing that is not
//! plainly common: anchors, tags, flow collections, escapes, tabs, several documents, and everything that could be a
//! fault. So there is one reader that knows all of YAML and tells of faults, and this one agrees with it or stays
//! silent; `tests/common.rs` holds the two against each other.

use crate::comments::Landmarks;
use crate::yaml::duplicates;
use crate::{Kind, Node, Pair, Scalar, Style};
use ruleferry_diag::Span;
use smol_str::SmolStr;

/// Deeper nesting is not common.
const MAX_DEPTH: usize = 16;

/// Longer keys are not common, and the general reader has a limit on them.
const LONGEST_KEY: usize = 512;

/// The root of the one document of a file, and what its comments are tied to.
pub(crate) fn read(text: &str) -> Option<(Node, Landmarks)> {
    if !is_common_text(text) {
        return None;
    }
    let mut reader =
        Reader { text, bytes: text.as_bytes(), at: 0, depth: 0, landmarks: Landmarks::new(text) };
    let line = reader.next_line()?;
    if line.indent != 0 {
        return None;
    }
    let root = reader.mapping(line.start, 0)?;
    reader.next_line().is_none().then_some((root, reader.landmarks))
}

/// No control characters but line feeds, and no other characters that YAML treats in a way of its own.
fn is_common_text(text: &str) -> bool {
    let plain = text.bytes().fold(true, |plain, b| plain & (((b >= b' ') & (b != 0x7f)) | (b == b'\n')));
    plain
        && (text.is_ascii()
            || !text.contains(['\u{feff}', '\u{2028}', '\u{2029}', '\u{fffe}', '\u{ffff}'])
                && !text.chars().any(|c| ('\u{80}'..='\u{9f}').contains(&c)))
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    /// The beginning of the line that is read next.
    at: usize,
    depth: usize,
    landmarks: Landmarks,
}

/// A line with content: its indentation, and where the content begins.
#[derive(Clone, Copy)]
struct Line {
    indent: usize,
    start: usize,
}

impl Reader<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// The next line that is neither blank nor a comment. It stays the next one.
    fn next_line(&mut self) -> Option<Line> {
        loop {
            let start = self.skip_spaces(self.at);
            match self.byte(start) {
                None => {
                    self.at = start;
                    return None;
                }
                Some(b'\n') => self.at = start + 1,
                Some(b'#') => self.at = self.line_end(start) + 1,
                Some(_) => return Some(Line { indent: start - self.at, start }),
            }
        }
    }

    fn skip_spaces(&self, from: usize) -> usize {
        let rest = self.bytes.get(from..).unwrap_or(&[]);
        from + rest.iter().position(|b| *b != b' ').unwrap_or(rest.len())
    }

    /// The offset of the line feed that ends the line, or of the end of the text.
    fn line_end(&self, from: usize) -> usize {
        let rest = self.bytes.get(from..).unwrap_or(&[]);
        from + rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len())
    }

    /// Whether nothing but spaces and a comment follows on the line; if so, the next line is read next.
    fn ends_line(&mut self, from: usize) -> bool {
        let at = self.skip_spaces(from);
        let ends = match self.byte(at) {
            None | Some(b'\n') => true,
            Some(b'#') => at > from,
            Some(_) => false,
        };
        if ends {
            self.at = self.line_end(at) + 1;
        }
        ends
    }

    /// A mapping whose first key begins at `start`, in the column `column`.
    fn mapping(&mut self, start: usize, column: usize) -> Option<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut pairs = Vec::new();
        let mut key_start = start;
        loop {
            let pair = self.pair(key_start, column)?;
            pairs.push(pair);
            match self.next_line() {
                Some(line) if line.indent == column => key_start = line.start,
                Some(line) if line.indent > column => return None,
                Some(_) | None => break,
            }
        }
        self.depth -= 1;
        if !duplicates(&pairs).is_empty() {
            return None;
        }
        let end = pairs.last().map_or(start, |p: &Pair| p.value.span.end.max(p.key.span.end) as usize);
        Some(Node::new(Kind::Mapping(pairs), Span::from_usize(start, end)))
    }

    fn pair(&mut self, start: usize, column: usize) -> Option<Pair> {
        let (key, colon) = match self.byte(start)? {
            quote @ (b'\'' | b'"') => {
                let (key, end) = self.quoted(start, quote)?;
                (key, self.skip_spaces(end))
            }
            first if starts_plain(first) => self.plain_key(start)?,
            _ => return None,
        };
        let follows = matches!(self.byte(colon + 1), None | Some(b' ' | b'\n'));
        if self.byte(colon) != Some(b':') || !follows || colon - start > LONGEST_KEY {
            return None;
        }
        self.landmarks.scalar(key.span.start as usize, key.span.end as usize);
        self.landmarks.entity(start);
        let value = self.value(colon + 1, column, colon)?;
        Some(Pair { key, value })
    }

    /// A plain key and the offset of its colon.
    fn plain_key(&self, start: usize) -> Option<(Node, usize)> {
        let mut at = start;
        loop {
            match self.byte(at)? {
                b'\n' => return None,
                b':' if matches!(self.byte(at + 1), None | Some(b' ' | b'\n')) => break,
                b'#' if self.bytes.get(at - 1) == Some(&b' ') => return None,
                _ => at += 1,
            }
        }
        let text = self.text.get(start..at)?.trim_end_matches(' ');
        if text == "<<" || text.starts_with("...") {
            return None;
        }
        Some((scalar(text, Style::Plain, start, start + text.len()), at))
    }

    /// What follows the colon of a key in the column `column`.
    fn value(&mut self, from: usize, column: usize, colon: usize) -> Option<Node> {
        if !self.ends_line(from) {
            let start = self.skip_spaces(from);
            return self.scalar(start, column);
        }
        match self.next_line() {
            Some(line) if line.indent > column => self.block(line),
            Some(line) if line.indent == column && self.is_item(line.start) => {
                let list = self.sequence(line)?;
                // The general reader finds the `-` of such a list only right before its first item.
                let first = list.as_sequence()?.first()?.span.start as usize;
                let between = self.text.get(line.start + 1..first)?;
                between.trim_start().is_empty().then_some(list)
            }
            Some(_) | None => {
                let node = scalar("", Style::Plain, colon, colon);
                self.landmarks.scalar(colon, colon);
                Some(node)
            }
        }
    }

    fn is_item(&self, at: usize) -> bool {
        self.byte(at) == Some(b'-') && matches!(self.byte(at + 1), None | Some(b' ' | b'\n'))
    }

    /// A mapping or a list on lines of its own.
    fn block(&mut self, line: Line) -> Option<Node> {
        if self.is_item(line.start) { self.sequence(line) } else { self.mapping(line.start, line.indent) }
    }

    fn sequence(&mut self, first: Line) -> Option<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut items = Vec::new();
        let mut dash = first.start;
        loop {
            items.push(self.item(dash, first.indent)?);
            match self.next_line() {
                Some(line) if line.indent == first.indent && self.is_item(line.start) => dash = line.start,
                Some(line) if line.indent > first.indent => return None,
                Some(_) | None => break,
            }
        }
        self.depth -= 1;
        let end = items.last().map_or(first.start, |n: &Node| n.span.end as usize);
        Some(Node::new(Kind::Sequence(items), Span::from_usize(first.start, end)))
    }

    fn item(&mut self, dash: usize, column: usize) -> Option<Node> {
        if self.ends_line(dash + 1) {
            let line = self.next_line().filter(|line| line.indent > column)?;
            if self.is_item(line.start) {
                return None;
            }
            return self.mapping(line.start, line.indent);
        }
        let start = self.skip_spaces(dash + 1);
        if self.begins_key(start)? {
            return self.mapping(start, column + (start - dash));
        }
        self.landmarks.entity(start);
        self.scalar(start, column)
    }

    /// Whether a key begins here, rather than a scalar. `None` where that is not plain to see.
    fn begins_key(&self, start: usize) -> Option<bool> {
        let first = self.byte(start)?;
        if matches!(first, b'\'' | b'"') {
            let (_, end) = self.quoted(start, first)?;
            return Some(self.byte(self.skip_spaces(end)) == Some(b':'));
        }
        if first == b'|' {
            return Some(false);
        }
        let line = self.bytes.get(start..self.line_end(start))?;
        let comment = line.windows(2).position(|w| w == b" #").unwrap_or(line.len());
        let content = line.get(..comment)?;
        Some(content.ends_with(b":") || content.windows(2).any(|w| w == b": "))
    }

    /// A scalar that begins on this line and belongs to something in the column `column`.
    fn scalar(&mut self, start: usize, column: usize) -> Option<Node> {
        let node = match self.byte(start)? {
            quote @ (b'\'' | b'"') => {
                let (node, end) = self.quoted(start, quote)?;
                if !self.ends_line(end) {
                    return None;
                }
                node
            }
            b'|' => self.literal(start, column)?,
            b'-' if self.byte(start + 1).is_some_and(|b| b.is_ascii_alphanumeric()) => {
                self.plain(start, column)?
            }
            first if starts_plain(first) => self.plain(start, column)?,
            _ => return None,
        };
        self.landmarks.scalar(node.span.start as usize, node.span.end as usize);
        Some(node)
    }

    /// Quoted text on one line, without escapes, and the offset behind it.
    fn quoted(&self, start: usize, quote: u8) -> Option<(Node, usize)> {
        let mut at = start + 1;
        let mut doubled = false;
        loop {
            match self.byte(at)? {
                b'\n' => return None,
                b'\\' if quote == b'"' => return None,
                b if b != quote => at += 1,
                _ if quote == b'\'' && self.byte(at + 1) == Some(b'\'') => {
                    doubled = true;
                    at += 2;
                }
                _ => break,
            }
        }
        let inner = self.text.get(start + 1..at)?;
        let style = if quote == b'"' { Style::Double } else { Style::Single };
        let node = if doubled {
            scalar(&inner.replace("''", "'"), style, start, at + 1)
        } else {
            scalar(inner, style, start, at + 1)
        };
        Some((node, at + 1))
    }

    /// The end of the plain text on a line, and whether a comment follows it.
    fn plain_line(&self, start: usize) -> Option<(usize, bool)> {
        let mut at = start;
        let comment = loop {
            match self.byte(at) {
                None | Some(b'\n') => break false,
                Some(b':') if matches!(self.byte(at + 1), None | Some(b' ' | b'\n')) => return None,
                Some(b'#') if self.bytes.get(at.wrapping_sub(1)) == Some(&b' ') => break true,
                Some(_) => at += 1,
            }
        };
        let text = self.text.get(start..at)?.trim_end_matches(' ');
        Some((start + text.len(), comment))
    }

    fn plain(&mut self, start: usize, column: usize) -> Option<Node> {
        let (mut end, comment) = self.plain_line(start)?;
        self.at = self.line_end(end) + 1;
        let first_end = end;
        let mut folded: Option<String> = None;
        loop {
            // Further lines of the text are indented deeper; blank lines between them are line breaks.
            let mut line_start = self.at;
            let mut blank_lines = 0;
            let content = loop {
                let content = self.skip_spaces(line_start);
                match self.byte(content) {
                    Some(b'\n') => {
                        blank_lines += 1;
                        line_start = content + 1;
                    }
                    other => break other.map(|_| content),
                }
            };
            let Some(content) = content.filter(|c| c - line_start > column) else { break };
            if comment || self.byte(content) == Some(b'#') {
                // A comment within or behind the text: the general reader knows whether that is legal.
                return None;
            }
            let (line_text_end, ends_in_comment) = self.plain_line(content)?;
            if ends_in_comment {
                return None;
            }
            let text = folded.get_or_insert_with(|| self.text.get(start..first_end).unwrap_or("").to_owned());
            if blank_lines == 0 {
                text.push(' ');
            }
            text.extend(std::iter::repeat_n('\n', blank_lines));
            text.push_str(self.text.get(content..line_text_end)?);
            end = line_text_end;
            self.at = self.line_end(end) + 1;
        }
        match folded {
            None => Some(scalar(self.text.get(start..end)?, Style::Plain, start, end)),
            Some(text) => Some(scalar(&text, Style::Plain, start, end)),
        }
    }

    /// A literal block, whose `|` stands at `start`.
    fn literal(&mut self, start: usize, column: usize) -> Option<Node> {
        let strip = self.byte(start + 1) == Some(b'-');
        if !self.ends_line(start + 1 + usize::from(strip)) {
            return None;
        }
        let mut text = String::new();
        let mut indent = None;
        let mut content_start = start;
        let mut content_end = start;
        let mut breaks = 0;
        while self.at < self.bytes.len() {
            let first = self.skip_spaces(self.at);
            let spaces = first - self.at;
            if matches!(self.byte(first), None | Some(b'\n')) {
                // Spaces that are content, or too many above the text, are left to the general reader.
                let at_end = first == self.bytes.len() && spaces > 0;
                if at_end || indent.map_or(spaces > 0, |i| spaces > i) {
                    return None;
                }
                breaks += 1;
                self.at = first + 1;
                continue;
            }
            let wanted = *indent.get_or_insert(spaces);
            if wanted <= column {
                return None;
            }
            if spaces < wanted {
                if spaces > column {
                    return None;
                }
                break;
            }
            let end = self.line_end(first);
            let line_start = self.at + wanted;
            if text.is_empty() {
                content_start = line_start;
            } else {
                text.push('\n');
            }
            text.extend(std::iter::repeat_n('\n', breaks));
            breaks = 0;
            let line = self.text.get(line_start..end)?;
            text.push_str(line);
            content_end = line_start + line.trim_end_matches(' ').len();
            self.at = end + 1;
        }
        if text.is_empty() {
            return None;
        }
        if !strip {
            text.push('\n');
        }
        Some(scalar(&text, Style::Literal, content_start, content_end))
    }
}

/// Whether a plain scalar can begin with this byte, whatever follows.
fn starts_plain(first: u8) -> bool {
    !matches!(
        first,
        b'-' | b'?'
            | b':'
            | b','
            | b'['
            | b']'
            | b'{'
            | b'}'
            | b'#'
            | b'&'
            | b'*'
            | b'!'
            | b'|'
            | b'>'
            | b'%'
            | b'@'
            | b'`'
    ) && first != b'\''
        && first != b'"'
}

fn scalar(text: &str, style: Style, start: usize, end: usize) -> Node {
    let kind = Kind::Scalar(Scalar { text: SmolStr::new(text), style });
    Node::new(kind, Span::from_usize(start, end))
}
