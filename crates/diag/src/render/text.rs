//! The form for people, as rustc shows it: message, place, the source underlined, help.
//!
//! Only the lines under a span are shown, cut to a window around it, so the size of the output does not depend on
//! the size of the file or of its lines.

use super::{FileReport, ends, tables, visible};
use crate::{Diagnostic, LineIndex, Position, Severity, Span};
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    /// With the escape sequences of a terminal.
    Color,
}

/// Each diagnostic as a block, an empty line after each.
pub fn text(reports: &[FileReport], style: Style) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Color => Renderer::styled(),
    };
    // Lines are cut here already, at a width that is the same on every terminal.
    let renderer = renderer.term_width(usize::from(u16::MAX));
    let mut out = String::new();
    for report in reports.iter().filter(|r| !r.diagnostics.is_empty()) {
        let index = LineIndex::new(&report.file.text);
        for diagnostic in &report.diagnostics {
            out.push_str(&block(&renderer, &report.file.path, &index, diagnostic));
            out.push_str("\n\n");
        }
    }
    out
}

fn block(renderer: &Renderer, path: &str, index: &LineIndex<'_>, diagnostic: &Diagnostic) -> String {
    let (start, end) = ends(diagnostic, index);
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.clone().primary_title(visible::brief(&diagnostic.message)).id(diagnostic.code.0);
    // The place is rendered apart from the excerpt, whose columns are not those of the file.
    let place =
        Origin::path(visible::visible(path)).line(start.line as usize).char_column(start.column as usize);
    let head = renderer.render(&[Group::with_title(title).element(place)]);
    let mut body = Group::with_level(level);
    let mut indent = 1;
    if !index.text().is_empty() {
        let excerpt = Excerpt::of(index, diagnostic.span, start.line, end);
        // The arrow of the head stands over the bars of the body, which follow the widest line number.
        indent = excerpt.last_line.to_string().len();
        let marks = AnnotationKind::Primary.span(excerpt.marked).label(excerpt.label);
        let snippet = Snippet::source(excerpt.text).line_start(start.line as usize).fold(false);
        body = body.element(snippet.annotation(marks));
    }
    if let Some(help) = &diagnostic.help {
        body = body.element(Level::HELP.message(visible::brief(help)));
    }
    if let Some(fix) = &diagnostic.fix {
        let text = format!("`check --fix` can mend it: {}", fix.title);
        body = body.element(Level::NOTE.message(visible::brief(&text).into_owned()));
    }
    let body = renderer.render(&[body]);
    let (title, place) = head.split_once('\n').unwrap_or((&head, ""));
    let mut out = format!("{title}\n{:indent$}{place}\n{body}", "").trim_end().to_owned();
    if let Some(event) = &diagnostic.event {
        out.push_str(&format!("\n\n{} (now = {}):\n", visible::brief(&event.shows), event.now));
        out.push_str(tables::text(&event.tables).trim_end());
    }
    out
}

/// The lines of a span as they are shown, and where the span is in them.
#[derive(Debug, Default)]
struct Excerpt {
    text: String,
    marked: Range<usize>,
    last_line: u32,
    /// Set where the span goes on below what is shown.
    label: Option<String>,
}

/// Spans over more lines are underlined on their first line only.
const MOST_LINES: u32 = 6;
/// Characters of a line that are shown before the span, and in all.
const BEFORE: usize = 60;
const WIDTH: usize = 140;
const CUT: &str = "…";
const BYTE_ORDER_MARK: char = '\u{feff}';

impl Excerpt {
    fn of(index: &LineIndex<'_>, span: Span, first: u32, end: Position) -> Self {
        // A span that ends with a line end does not reach the next line.
        let last = if end.column > 1 { end.line } else { first.max(end.line.saturating_sub(1)) };
        let mut excerpt = Self { last_line: last, ..Self::default() };
        if last - first >= MOST_LINES {
            excerpt.last_line = first;
            excerpt.label = Some(format!("goes on to line {last}"));
        }
        for line in first..=excerpt.last_line {
            let Some(place) = index.line(line) else { break };
            if line > first {
                excerpt.text.push('\n');
            }
            excerpt.add_line(index.text(), place, span);
        }
        excerpt
    }

    /// Appends a window of a line, and widens what is marked by what the span has of it.
    fn add_line(&mut self, text: &str, line: Span, span: Span) {
        let source = line.text(text);
        let local = |offset: u32| (offset.clamp(line.start, line.end) - line.start) as usize;
        // The byte order mark of the file is no text.
        let head = if line.start == 0 && source.starts_with(BYTE_ORDER_MARK) {
            BYTE_ORDER_MARK.len_utf8()
        } else {
            0
        };
        // Whole characters are marked, whatever the span cuts.
        let from = source.floor_char_boundary(local(span.start)).max(head);
        let to = source.ceil_char_boundary(local(span.end.max(span.start)));
        let window = window(source, from).max(head);
        if window > head {
            self.text.push_str(CUT);
        }
        let mut shown = 0;
        let mut marked = None;
        for (at, c) in source.get(window..).unwrap_or_default().char_indices().map(|(i, c)| (i + window, c)) {
            if shown >= WIDTH {
                self.text.push_str(CUT);
                break;
            }
            let begin = self.text.len();
            push(&mut self.text, c);
            shown += self.text.get(begin..).unwrap_or_default().chars().count();
            if (from..to).contains(&at) {
                let range = marked.get_or_insert(begin..begin);
                range.end = self.text.len();
            } else if at == from {
                // An empty span: a caret under the character that follows.
                marked = Some(begin..begin);
            }
        }
        let end = self.text.len();
        let marked = marked.unwrap_or(end..end);
        if span.start >= line.start {
            self.marked.start = marked.start;
        }
        self.marked.end = marked.end;
    }
}

/// Where the shown part of a line begins, given where the span does.
fn window(source: &str, from: usize) -> usize {
    let before = source.get(..from).unwrap_or_default();
    before.char_indices().rev().nth(BEFORE).map_or(0, |(cut, c)| cut + c.len_utf8())
}

/// A tab takes four columns; any other hidden character is written out.
fn push(out: &mut String, c: char) {
    if c == '\t' { out.push_str("    ") } else { visible::push(out, c) }
}
