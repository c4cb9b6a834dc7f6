//! Comments: found in the text between the scalars (the YAML scanner drops them), and tied to the key or list item
//! that they speak of, so that a printer can put them back beside it even when it reorders the keys.

use ruleferry_diag::Span;
use smol_str::SmolStr;

/// Where a comment stands in relation to the key or item that it is tied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// On its own line, above.
    Before,
    /// Behind it, on the same line.
    Trailing,
    /// On its own line, below: nothing of the same depth follows.
    After,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// With the `#`, without the white space around.
    pub text: SmolStr,
    pub span: Span,
    /// Where the key or item begins that the comment is tied to ([`crate::Node::span`]'s start).
    pub anchor: u32,
    pub place: Place,
}

/// The comments of a file, in the order of `(anchor, place, offset)`.
#[derive(Clone, Debug, Default)]
pub struct Comments {
    list: Vec<Comment>,
}

/// What the reader notes while it builds the tree; nothing, if the text has no `#`.
pub(crate) struct Landmarks {
    wanted: bool,
    /// Byte ranges of scalars: a `#` in there is text.
    scalars: Vec<(usize, usize)>,
    /// Where keys and list items begin.
    entities: Vec<usize>,
    /// Where `---` stands.
    documents: Vec<usize>,
}

impl Landmarks {
    pub fn new(text: &str) -> Self {
        let wanted = text.contains('#');
        Self { wanted, scalars: Vec::new(), entities: Vec::new(), documents: Vec::new() }
    }

    pub fn scalar(&mut self, start: usize, end: usize) {
        if self.wanted {
            self.scalars.push((start, end));
        }
    }

    pub fn entity(&mut self, start: usize) {
        if self.wanted && self.entities.last().is_none_or(|last| *last < start) {
            self.entities.push(start);
        }
    }

    pub fn document(&mut self, start: usize) {
        if self.wanted {
            self.documents.push(start);
        }
    }
}

impl Comments {
    pub(crate) fn find(text: &str, marks: &Landmarks) -> Self {
        let mut list = Vec::new();
        if !marks.wanted {
            return Self { list };
        }
        // The ends only grow; what a fault made the reader see twice does not matter.
        let mut next_scalar = 0;
        let mut at = 0;
        while let Some(found) = text.get(at..).and_then(|t| t.find('#')) {
            let hash = at + found;
            while marks.scalars.get(next_scalar).is_some_and(|(_, end)| *end <= hash) {
                next_scalar += 1;
            }
            let scalar = marks.scalars.get(next_scalar);
            if let Some((_, end)) = scalar.filter(|(start, end)| (*start..*end).contains(&hash)) {
                at = *end;
                continue;
            }
            let before = text.get(..hash).unwrap_or("");
            if !(before.is_empty() || before.ends_with([' ', '\t', '\n', '\r', '\u{feff}'])) {
                at = hash + 1;
                continue;
            }
            let rest = text.get(hash..).unwrap_or("");
            let comment = rest.split(['\n', '\r']).next().unwrap_or(rest);
            at = hash + comment.len();
            let span = Span::from_usize(hash, hash + comment.trim_end().len());
            let (anchor, place) = tie(text, marks, hash);
            list.push(Comment { text: SmolStr::new(comment.trim_end()), span, anchor, place });
        }
        list.sort_by_key(|c| (c.anchor, c.place, c.span.start));
        Self { list }
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Comment> {
        self.list.iter()
    }

    /// The comments that are tied to what begins at `anchor`, with their index.
    pub(crate) fn tied(&self, anchor: u32, place: Place) -> impl Iterator<Item = (usize, &Comment)> {
        let first = self.list.partition_point(|c| (c.anchor, c.place) < (anchor, place));
        let tied = move |c: &&Comment| c.anchor == anchor && c.place == place;
        self.list.iter().skip(first).take_while(tied).enumerate().map(move |(i, c)| (first + i, c))
    }
}

/// Finds what a comment at `hash` belongs to.
fn tie(text: &str, marks: &Landmarks, hash: usize) -> (u32, Place) {
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let after = marks.entities.partition_point(|e| *e <= hash);
    let previous = after.checked_sub(1).and_then(|i| marks.entities.get(i)).copied();
    let next = marks.entities.get(after).copied();
    // The documents on both sides of a `---` keep their comments apart.
    let boundary = |from: usize, to: usize| {
        let first = marks.documents.partition_point(|d| *d < from);
        marks.documents.get(first).is_some_and(|d| *d < to)
    };
    let previous = previous.filter(|p| !boundary(*p, hash));
    let next = next.filter(|n| !boundary(hash, *n) || previous.is_none());

    let line_start = text.get(..hash).and_then(|t| t.rfind('\n')).map_or(0, |i| i + 1);
    let own_line =
        text.get(line_start..hash).is_some_and(|t| t.trim_start_matches('\u{feff}').trim().is_empty());
    if let Some(previous) = previous.filter(|p| !own_line && *p >= line_start) {
        return (narrow(previous), Place::Trailing);
    }
    let column = hash - line_start;
    match (previous, next) {
        (None, None) => (u32::MAX, Place::After),
        (None, Some(next)) => (narrow(next), Place::Before),
        (Some(previous), None) => (narrow(same_column(text, marks, previous, column)), Place::After),
        (Some(previous), Some(next)) => {
            if column > indent(text, next) && indent(text, previous) > indent(text, next) && own_line {
                (narrow(same_column(text, marks, previous, column)), Place::After)
            } else {
                (narrow(next), Place::Before)
            }
        }
    }
}

/// The last key or item up to `last` whose line is indented to `column`; `last` where none is.
fn same_column(text: &str, marks: &Landmarks, last: usize, column: usize) -> usize {
    /// How many are looked at; a comment is rarely far from what it speaks of.
    const NEAR: usize = 64;
    let end = marks.entities.partition_point(|e| *e <= last);
    let before = marks.entities.iter().take(end).rev().take(NEAR);
    let mut outermost = usize::MAX;
    for entity in before {
        let indent = indent(text, *entity);
        // Only what encloses the last one, or stands beside it, can end here.
        if indent == column && indent < outermost {
            return *entity;
        }
        outermost = outermost.min(indent);
        if outermost < column {
            break;
        }
    }
    last
}

/// The indentation of the line of `offset`; of a line that is very long before it, 0.
fn indent(text: &str, offset: usize) -> usize {
    const LONG: usize = 4096;
    let near = offset.saturating_sub(LONG);
    let before = text.as_bytes().get(near..offset).unwrap_or(&[]);
    let line = match before.iter().rposition(|b| *b == b'\n') {
        Some(newline) => before.get(newline + 1..).unwrap_or(&[]),
        None if near == 0 => before,
        None => return 0,
    };
    line.iter().take_while(|b| **b == b' ').count()
}
