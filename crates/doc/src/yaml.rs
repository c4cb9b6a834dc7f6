//! YAML text to a tree: the events of `saphyr-parser`, with byte spans, aliases expanded within a budget, and a
//! restart at the next key of the document after a fault, so that one run tells of all of them.

use crate::char_map::CharMap;
use crate::comments::{Comments, Landmarks};
use crate::common;
use crate::{
    Document, Kind, MAX_ALIAS_NODES, MAX_DEPTH, MAX_FAULTS, Node, Pair, Parsed, Scalar, Style, faults,
};
use ruleferry_diag::{Diagnostic, Span, codes};
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use smol_str::SmolStr;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// As many diagnostics as anyone reads; hostile input can hold millions of faults.
const MOST: usize = 200;

/// Reads all documents of a file. Never fails: what cannot be read is told in the diagnostics.
pub fn parse_yaml(text: &str) -> Parsed {
    match common::read(text) {
        Some((root, landmarks)) => {
            let document = Document { span: root.span, root, complete: true };
            let comments = Comments::find(text, &landmarks);
            Parsed { documents: vec![document], comments, diagnostics: Vec::new() }
        }
        None => parse_any_yaml(text),
    }
}

/// The general reader, for everything that is not laid out in the common way.
#[doc(hidden)]
pub fn parse_any_yaml(text: &str) -> Parsed {
    let mut reader = Reader::new(text);
    reader.read();
    let comments = Comments::find(text, &reader.landmarks);
    Parsed { documents: reader.documents, comments, diagnostics: reader.diagnostics }
}

struct Reader<'t> {
    text: &'t str,
    map: CharMap<'t>,
    documents: Vec<Document>,
    diagnostics: Vec<Diagnostic>,
    stack: Vec<Frame>,
    anchors: BTreeMap<usize, Anchor>,
    /// Nodes that aliases have added so far.
    alias_nodes: usize,
    landmarks: Landmarks,
    /// After a fault: the next root goes on where the last one broke off.
    resumes: bool,
    /// Whether the document that is being read is whole so far.
    complete: bool,
}

/// A collection that is not closed yet.
struct Frame {
    filling: Filling,
    span: Span,
    tag: Option<Box<str>>,
    anchor: usize,
    flow: bool,
}

enum Filling {
    Sequence(Vec<Node>),
    Mapping(Vec<Pair>, Option<Node>),
}

struct Anchor {
    node: Node,
    count: usize,
    depth: usize,
}

/// A place that cannot be read.
struct Broken {
    diagnostic: Diagnostic,
    /// Reading may go on in the line after this offset.
    offset: usize,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            map: CharMap::new(text),
            documents: Vec::new(),
            diagnostics: Vec::new(),
            stack: Vec::new(),
            anchors: BTreeMap::new(),
            alias_nodes: 0,
            landmarks: Landmarks::new(text),
            resumes: false,
            complete: true,
        }
    }

    fn read(&mut self) {
        let mut base = 0;
        let mut faults = 0;
        while let Err(broken) = self.read_from(base) {
            self.report(broken.diagnostic);
            faults += 1;
            self.complete = false;
            let root = self.close_all();
            let Some(restart) = self.restart(broken.offset.max(base), root) else { break };
            if faults >= MAX_FAULTS {
                let span = Span::from_usize(restart, restart);
                self.report(Diagnostic::note(codes::YAML_SYNTAX, span, "further faults are not told"));
                break;
            }
            base = restart;
        }
    }

    fn read_from(&mut self, base: usize) -> Result<(), Broken> {
        let rest = self.text.get(base..).unwrap_or("");
        let base_index = self.map.index(base);
        for event in Parser::new_from_str(rest) {
            match event {
                Ok((event, marks)) => {
                    let start = self.map.byte(base_index + marks.start.index());
                    let end = self.map.byte(base_index + marks.end.index());
                    self.event(event, start, end)?;
                }
                Err(error) => {
                    let at = self.map.byte(base_index + error.marker().index());
                    return Err(self.syntax_fault(error.info(), at));
                }
            }
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, start: usize, end: usize) -> Result<(), Broken> {
        match event {
            Event::DocumentStart(explicit) => {
                if explicit {
                    self.landmarks.document(start);
                    self.resumes = false;
                }
                if !self.resumes {
                    self.complete = true;
                    self.anchors.clear();
                }
            }
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, anchor, tag, start, end),
            Event::SequenceStart(anchor, tag) => {
                let plain = anchor == 0 && tag.is_none();
                let start = if plain { self.first_dash(start) } else { start };
                self.open(Filling::Sequence(Vec::new()), anchor, tag, start, end)?;
            }
            Event::MappingStart(anchor, tag) => {
                self.open(Filling::Mapping(Vec::new(), None), anchor, tag, start, end)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(Some(end)),
            Event::Alias(anchor) => self.alias(anchor, Span::from_usize(start, end)),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<Cow<'_, Tag>>,
        start: usize,
        end: usize,
    ) {
        let start = match style {
            _ if anchor == 0 && tag.is_none() => start,
            ScalarStyle::Literal | ScalarStyle::Folded => {
                self.block_content(self.after_properties(start, end), end, text)
            }
            ScalarStyle::Plain | ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                self.after_properties(start, end)
            }
        };
        let (style, end) = match style {
            ScalarStyle::Plain => (Style::Plain, end),
            ScalarStyle::SingleQuoted => (Style::Single, self.closing_quote(start, end, b'\'')),
            ScalarStyle::DoubleQuoted => (Style::Double, self.closing_quote(start, end, b'"')),
            ScalarStyle::Literal => (Style::Literal, self.trimmed_end(start, end)),
            ScalarStyle::Folded => (Style::Folded, self.trimmed_end(start, end)),
        };
        self.landmarks.scalar(start, end);
        let span = Span::from_usize(start, end);
        let kind = Kind::Scalar(Scalar { text: SmolStr::new(text), style });
        let node = Node { kind, span, tag: tag.map(|t| tag_text(&t)) };
        self.enters(start);
        self.define(anchor, &node);
        self.add(node);
    }

    fn open(
        &mut self,
        filling: Filling,
        anchor: usize,
        tag: Option<Cow<'_, Tag>>,
        start: usize,
        end: usize,
    ) -> Result<(), Broken> {
        let start =
            if anchor > 0 || tag.is_some() { self.after_properties(start, usize::MAX) } else { start };
        if self.stack.len() >= MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            let span = Span::from_usize(start, end.max(start));
            let diagnostic = Diagnostic::error(codes::YAML_LIMIT, span, message)
                .with_help("no rule needs this; split the document");
            return Err(Broken { diagnostic, offset: start });
        }
        self.enters(start);
        let flow = matches!(self.text.as_bytes().get(start), Some(b'[' | b'{'));
        let span = Span::from_usize(start, start);
        self.stack.push(Frame { filling, span, tag: tag.map(|t| tag_text(&t)), anchor, flow });
        Ok(())
    }

    /// Closes the innermost collection. `end` is where its closing bracket ends, if it has one.
    fn close(&mut self, end: Option<usize>) {
        let Some(frame) = self.stack.pop() else { return };
        let (kind, last) = match frame.filling {
            Filling::Sequence(items) => {
                let last = items.last().map(|n| n.span.end);
                (Kind::Sequence(items), last)
            }
            Filling::Mapping(mut pairs, key) => {
                if let Some(key) = key {
                    // Broken off between a key and its value.
                    let value =
                        Node::scalar("", Style::Plain).at(Span { start: key.span.end, end: key.span.end });
                    pairs.push(Pair { key, value });
                }
                self.check_duplicates(&pairs);
                let pairs = merge(pairs);
                let last = pairs.last().map(|p| p.value.span.end.max(p.key.span.end));
                (Kind::Mapping(pairs), last)
            }
        };
        let closed = end.filter(|_| frame.flow).and_then(|e| u32::try_from(e).ok());
        let end = closed.or(last).unwrap_or(frame.span.start).max(frame.span.start);
        let node = Node { kind, span: Span { start: frame.span.start, end }, tag: frame.tag };
        self.define(frame.anchor, &node);
        self.add(node);
    }

    /// Closes whatever is open after a fault. Says whether the root is a list.
    fn close_all(&mut self) -> RootKind {
        while !self.stack.is_empty() {
            self.close(None);
        }
        let Some(document) = self.documents.last_mut() else { return RootKind::Other };
        document.complete = false;
        match &document.root.kind {
            Kind::Sequence(_) => RootKind::Sequence,
            Kind::Mapping(_) | Kind::Scalar(_) => RootKind::Other,
        }
    }

    fn add(&mut self, node: Node) {
        let Some(frame) = self.stack.last_mut() else { return self.add_root(node) };
        match &mut frame.filling {
            Filling::Sequence(items) => items.push(node),
            Filling::Mapping(pairs, key) => match key.take() {
                None => *key = Some(node),
                Some(key) => pairs.push(Pair { key, value: node }),
            },
        }
    }

    fn add_root(&mut self, node: Node) {
        let complete = self.complete;
        if std::mem::take(&mut self.resumes)
            && let Some(last) = self.documents.last_mut()
        {
            let joined = match (&mut last.root.kind, node.kind) {
                (Kind::Mapping(old), Kind::Mapping(new)) => {
                    old.extend(new);
                    None
                }
                (Kind::Sequence(old), Kind::Sequence(new)) => {
                    old.extend(new);
                    None
                }
                (_, other) => Some(other),
            };
            last.span = last.span.to(node.span);
            last.complete = false;
            match joined {
                None => last.root.span = last.span,
                Some(kind) => {
                    let root = Node { kind, span: node.span, tag: node.tag };
                    self.documents.push(Document { span: root.span, root, complete: false });
                }
            }
            return;
        }
        self.documents.push(Document { span: node.span, root: node, complete });
    }

    /// Notes the beginning of a key or of a list item, to which comments can belong.
    fn enters(&mut self, start: usize) {
        let begins = match self.stack.last().map(|f| &f.filling) {
            Some(Filling::Sequence(_) | Filling::Mapping(_, None)) | None => true,
            Some(Filling::Mapping(_, Some(_))) => false,
        };
        if begins {
            self.landmarks.entity(start);
        }
    }

    fn define(&mut self, anchor: usize, node: &Node) {
        if anchor > 0 {
            let (count, depth) = node.measure(MAX_ALIAS_NODES);
            self.anchors.insert(anchor, Anchor { node: node.clone(), count, depth });
        }
    }

    fn alias(&mut self, anchor: usize, span: Span) {
        self.enters(span.start as usize);
        let refused = match self.anchors.get(&anchor) {
            None => Some("an alias inside of what it stands for"),
            Some(a) if self.alias_nodes + a.count > MAX_ALIAS_NODES => {
                Some("the aliases of this file expand too far")
            }
            Some(a) if self.stack.len() + a.depth > MAX_DEPTH => Some("the alias makes the nesting too deep"),
            Some(_) => None,
        };
        let node = match (refused, self.anchors.get(&anchor)) {
            (None, Some(a)) => {
                self.alias_nodes += a.count;
                a.node.clone()
            }
            (message, _) => {
                let message = message.unwrap_or("an alias without an anchor");
                self.complete = false;
                let diagnostic = Diagnostic::error(codes::YAML_LIMIT, span, message);
                self.report(diagnostic.with_help("write the values out"));
                Node::scalar("", Style::Plain).at(span)
            }
        };
        self.add(node);
    }

    fn syntax_fault(&self, info: &str, at: usize) -> Broken {
        if faults::is_limit(info) {
            let span = Span::from_usize(at, at + 1);
            let diagnostic = Diagnostic::error(codes::YAML_LIMIT, span, "nested too deep");
            return Broken { diagnostic, offset: at };
        }
        // A bracket that is never closed is found out lines later, at something innocent.
        if let Some(frame) = self.stack.iter().rev().find(|f| f.flow)
            && self.line_break_between(frame.span.start as usize, at)
        {
            let start = frame.span.start as usize;
            let diagnostic = Diagnostic::error(
                codes::YAML_SYNTAX,
                Span::from_usize(start, start + 1),
                "the bracket is not closed, or an entry inside of it cannot be read",
            )
            .with_help("close the bracket; put quotes around values that contain brackets, `, ` or `: `");
            return Broken { diagnostic, offset: start };
        }
        // The scanner often stops behind the end of the line that is at fault.
        let at = at.min(self.text.len());
        let before = self.text.get(..at).unwrap_or("");
        let rest = self.text.get(at..).unwrap_or("");
        let at = if rest.trim_start_matches([' ', '\t']).starts_with(['\n', '\r']) || rest.is_empty() {
            before.trim_end().char_indices().next_back().map_or(0, |(i, _)| i)
        } else {
            at
        };
        let width = self.text.get(at..).and_then(|t| t.chars().next()).map_or(0, char::len_utf8);
        let span = Span::from_usize(at, at + width);
        let diagnostic = match faults::explain(info) {
            Some(fault) => Diagnostic::error(codes::YAML_SYNTAX, span, fault.message).with_help(fault.help),
            None => Diagnostic::error(codes::YAML_SYNTAX, span, format!("malformed YAML: {info}")),
        };
        Broken { diagnostic, offset: at }
    }

    /// Where reading can go on after a fault: the next line that begins a key in the first column, or a document.
    fn restart(&mut self, fault: usize, root: RootKind) -> Option<usize> {
        let rest = self.text.get(fault..)?;
        let mut offset = fault;
        for line in rest.split_inclusive('\n') {
            let is_new_line = offset > fault;
            if is_new_line && (starts_key(line) || (root == RootKind::Sequence && line.starts_with("- "))) {
                self.resumes = !self.documents.is_empty();
                return Some(offset);
            }
            if is_new_line && starts_document(line) {
                self.resumes = false;
                return Some(offset);
            }
            offset += line.len();
        }
        None
    }

    fn check_duplicates(&mut self, pairs: &[Pair]) {
        for (first, later) in duplicates(pairs) {
            if self.diagnostics.len() >= MOST {
                break;
            }
            let (Some(first), Some(later)) = (pairs.get(first), pairs.get(later)) else { continue };
            let line = self.line(first.key.span.start);
            let name = later.key.as_text().unwrap_or("");
            let message =
                format!("the key `{}` stands twice in one mapping; first in line {line}", name.trim());
            let help = "rename one of the two, or make one list of both";
            self.report(
                Diagnostic::error(codes::YAML_DUPLICATE_KEY, later.key.span, message).with_help(help),
            );
        }
    }

    fn line(&self, offset: u32) -> usize {
        let before = self.text.as_bytes().get(..offset as usize).unwrap_or(&[]);
        1 + before.iter().filter(|b| **b == b'\n').count()
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < MOST {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Where a list begins. Of one that is not indented, the scanner gives the place of the first item.
    fn first_dash(&self, start: usize) -> usize {
        let bytes = self.text.as_bytes();
        if matches!(bytes.get(start), Some(b'[')) {
            return start;
        }
        let is_dash =
            |at: usize| bytes.get(at) == Some(&b'-') && bytes.get(at + 1).is_none_or(u8::is_ascii_whitespace);
        let before = bytes.get(..start).unwrap_or(&[]).iter().rposition(|b| !b.is_ascii_whitespace());
        match before {
            Some(dash) if !is_dash(start) && is_dash(dash) => dash,
            Some(_) | None => start,
        }
    }

    /// Skips `&anchor` and `!tag`, and what separates them from the content.
    fn after_properties(&self, start: usize, limit: usize) -> usize {
        let bytes = self.text.as_bytes();
        let skip = |from: usize, wanted: fn(u8) -> bool| {
            let rest = bytes.get(from..).unwrap_or(&[]);
            from + rest.iter().position(|b| !wanted(*b)).unwrap_or(rest.len())
        };
        let mut at = start;
        while let Some(b'&' | b'!') = bytes.get(at) {
            at = skip(at, |b| !b.is_ascii_whitespace());
            at = skip(at, |b| b.is_ascii_whitespace());
            while bytes.get(at) == Some(&b'#') {
                at = skip(at, |b| b != b'\n');
                at = skip(at, |b| b.is_ascii_whitespace());
            }
        }
        at.min(limit)
    }

    /// Where the text of a block scalar begins, whose `|` or `>` stands at `start`.
    fn block_content(&self, start: usize, end: usize, text: &str) -> usize {
        let source = self.text.get(start..end).unwrap_or("");
        let mut offset = start;
        let first = text.trim_start_matches('\n');
        let spaces = first.len() - first.trim_start_matches(' ').len();
        for (i, line) in source.split_inclusive('\n').enumerate() {
            let content = line.trim_end().trim_start_matches(' ');
            if i > 0 && !content.is_empty() {
                let indent = line.len() - line.trim_start_matches(' ').len();
                return offset + indent.saturating_sub(spaces);
            }
            offset += line.len();
        }
        end
    }

    /// The end of quoted text; the scanner's own end includes the comment that follows.
    fn closing_quote(&self, start: usize, limit: usize, quote: u8) -> usize {
        let mut bytes =
            self.text.as_bytes().get(start + 1..limit).unwrap_or(&[]).iter().enumerate().peekable();
        while let Some((i, byte)) = bytes.next() {
            if *byte == quote {
                let doubled = quote == b'\'' && bytes.peek().is_some_and(|(_, b)| **b == quote);
                if !doubled {
                    return start + 1 + i + 1;
                }
                bytes.next();
            } else if *byte == b'\\' && quote == b'"' {
                bytes.next();
            }
        }
        limit
    }

    fn trimmed_end(&self, start: usize, end: usize) -> usize {
        let content = self.text.get(start..end).unwrap_or("");
        start + content.trim_end_matches(['\n', '\r', ' ', '\t']).len()
    }

    fn line_break_between(&self, start: usize, end: usize) -> bool {
        self.text.get(start..end.min(self.text.len())).is_some_and(|t| t.contains('\n'))
    }
}

/// `(first, later)` for each pair whose key stands before, in the order of the later ones.
pub(crate) fn duplicates(pairs: &[Pair]) -> Vec<(usize, usize)> {
    /// Up to here, comparing all with all is faster than sorting.
    const FEW: usize = 16;
    let mut found: Vec<(usize, usize)> = Vec::new();
    if pairs.len() <= FEW {
        for (i, later) in pairs.iter().enumerate() {
            let Some(name) = later.key.as_text() else { continue };
            let first = pairs.iter().take(i).position(|p| p.key.as_text() == Some(name));
            found.extend(first.map(|f| (f, i)));
        }
        return found;
    }
    let mut order: Vec<(&str, usize)> =
        pairs.iter().enumerate().filter_map(|(i, p)| p.key.as_text().map(|t| (t, i))).collect();
    order.sort_unstable();
    let mut first: Option<(&str, usize)> = None;
    for entry in order {
        match first {
            Some(f) if f.0 == entry.0 => found.push((f.1, entry.1)),
            Some(_) | None => first = Some(entry),
        }
    }
    found.sort_unstable_by_key(|(_, later)| *later);
    found
}

#[derive(PartialEq, Eq)]
enum RootKind {
    Sequence,
    Other,
}

/// Whether a line begins a key in its first column.
fn starts_key(line: &str) -> bool {
    let begins = line.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '"' | '\''));
    let line = line.trim_end();
    begins && (line.ends_with(':') || line.contains(": ") || line.contains(":\t"))
}

fn starts_document(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| rest.trim_end().is_empty() || rest.starts_with([' ', '\t']))
}

fn tag_text(tag: &Tag) -> Box<str> {
    format!("{}{}", tag.handle, tag.suffix).into_boxed_str()
}

/// `<<: *base`: the pairs of the base that the mapping does not have itself take the place of the merge key.
fn merge(pairs: Vec<Pair>) -> Vec<Pair> {
    let is_merge = |p: &Pair| {
        let plain = p.key.as_scalar().is_some_and(|s| s.style == Style::Plain && s.text == "<<");
        let mergeable = match &p.value.kind {
            Kind::Mapping(_) => true,
            Kind::Sequence(items) => items.iter().all(|n| n.as_mapping().is_some()),
            Kind::Scalar(_) => false,
        };
        plain && mergeable && p.key.tag.is_none()
    };
    if !pairs.iter().any(is_merge) {
        return pairs;
    }
    let own = pairs.iter().filter(|p| !is_merge(p)).filter_map(|p| p.key.as_scalar().map(|s| s.text.clone()));
    let mut keys: BTreeSet<SmolStr> = own.collect();
    let mut merged = Vec::new();
    for pair in pairs {
        if !is_merge(&pair) {
            merged.push(pair);
            continue;
        }
        let bases = match pair.value.kind {
            Kind::Mapping(base) => vec![base],
            Kind::Sequence(bases) => bases
                .into_iter()
                .map(|n| match n.kind {
                    Kind::Mapping(base) => base,
                    Kind::Sequence(_) | Kind::Scalar(_) => Vec::new(),
                })
                .collect(),
            Kind::Scalar(_) => Vec::new(),
        };
        for pair in bases.into_iter().flatten() {
            if pair.key.as_scalar().is_none_or(|s| keys.insert(s.text.clone())) {
                merged.push(pair);
            }
        }
    }
    merged
}
