//! A tree to YAML text: block style, keys in their order, scalars as they were written where that is safe, comments
//! beside what they speak of.

use crate::comments::{Comments, Place};
use crate::{Kind, Node, Pair, Scalar, Style, text_style};
use std::fmt::Write as _;

/// How the text is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Columns by which what belongs to a key is indented; 2 to 9.
    pub indent: usize,
    /// Where lines of folded text break.
    pub width: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { indent: 2, width: 110 }
    }
}

/// Prints one document.
pub fn print(root: &Node, comments: &Comments, options: Options) -> String {
    print_all(std::slice::from_ref(root), comments, options)
}

/// Prints a file of several documents. Every comment is printed once; one whose key or item is gone, at the end.
pub fn print_all(roots: &[Node], comments: &Comments, options: Options) -> String {
    let mut printer = Printer {
        out: String::new(),
        comments,
        used: vec![false; comments.iter().count()],
        options: Options { indent: options.indent.clamp(2, 9), ..options },
    };
    for (i, root) in roots.iter().enumerate() {
        if i > 0 {
            printer.out.push_str("---\n");
        }
        printer.root(root);
    }
    let left: Vec<&str> = (comments.iter().zip(&printer.used).filter(|(_, used)| !**used))
        .map(|(comment, _)| comment.text.as_str())
        .collect();
    for text in left {
        printer.own_line(text, 0);
    }
    printer.out
}

struct Printer<'a> {
    out: String,
    comments: &'a Comments,
    used: Vec<bool>,
    options: Options,
}

impl Printer<'_> {
    fn root(&mut self, root: &Node) {
        match &root.kind {
            Kind::Mapping(pairs) if !pairs.is_empty() => {
                self.root_tag(root);
                self.pairs(pairs, 0, false);
            }
            Kind::Sequence(items) if !items.is_empty() => {
                self.root_tag(root);
                self.items(items, 0, false);
            }
            Kind::Scalar(_) | Kind::Mapping(_) | Kind::Sequence(_) => {
                if root.as_scalar().is_some_and(is_empty_plain) && root.tag.is_none() && self.out.is_empty() {
                    self.out.push_str("---\n");
                }
                self.before(root, 0);
                self.inline(root);
                self.after(root, 0);
            }
        }
    }

    /// A tag of the root stands on its own line, which `---` must precede.
    fn root_tag(&mut self, root: &Node) {
        if let Some(tag) = &root.tag {
            if !self.out.ends_with("---\n") {
                self.out.push_str("---\n");
            }
            self.out.truncate(self.out.len() - 1);
            self.out.push(' ');
            self.tag(tag);
            self.out.push('\n');
        }
    }

    /// Pairs in block style. `continued`: the first one goes on behind `- `.
    fn pairs(&mut self, pairs: &[Pair], column: usize, continued: bool) {
        for (i, pair) in pairs.iter().enumerate() {
            if !(continued && i == 0) {
                self.before(&pair.key, column);
                self.indent(column);
            }
            self.pair(pair, column);
            self.after(&pair.key, column);
        }
    }

    fn pair(&mut self, pair: &Pair, column: usize) {
        /// Readers look for the colon of a key this far.
        const LONGEST_KEY: usize = 1000;
        match pair.key.as_scalar() {
            Some(key)
                if !(is_empty_plain(key) && pair.key.tag.is_none())
                    && escaped_length(&key.text) < LONGEST_KEY =>
            {
                if let Some(tag) = &pair.key.tag {
                    self.tag(tag);
                    self.out.push(' ');
                }
                self.scalar(&key.text, safe_style(key, pair.key.tag.is_some(), true));
                self.out.push(':');
            }
            _ => {
                self.out.push('?');
                self.nested(&pair.key, None, column, 2);
                self.indent(column);
                self.out.push(':');
            }
        }
        self.nested(&pair.value, Some(&pair.key), column, self.options.indent);
    }

    fn items(&mut self, items: &[Node], column: usize, continued: bool) {
        for (i, item) in items.iter().enumerate() {
            if !(continued && i == 0) {
                self.before(item, column);
                self.indent(column);
            }
            self.out.push('-');
            match &item.kind {
                Kind::Mapping(pairs) if !pairs.is_empty() && item.tag.is_none() => {
                    self.out.push(' ');
                    self.pairs(pairs, column + 2, true);
                }
                Kind::Sequence(nested) if !nested.is_empty() && item.tag.is_none() => {
                    self.out.push(' ');
                    self.items(nested, column + 2, true);
                }
                Kind::Scalar(_) | Kind::Mapping(_) | Kind::Sequence(_) => {
                    self.nested(item, Some(item), column, 2);
                }
            }
            self.after(item, column);
        }
    }

    /// What follows `key:`, `-` or `?`: on the same line, or below it and `step` columns deeper.
    /// `entity` is what comments on the line are tied to.
    fn nested(&mut self, node: &Node, entity: Option<&Node>, column: usize, step: usize) {
        match &node.kind {
            Kind::Mapping(pairs) if !pairs.is_empty() => {
                self.header(node, entity);
                self.pairs(pairs, column + step, false);
            }
            Kind::Sequence(items) if !items.is_empty() => {
                self.header(node, entity);
                self.items(items, column + step, false);
            }
            Kind::Scalar(scalar) => {
                if !is_empty_plain(scalar) || node.tag.is_some() {
                    self.out.push(' ');
                }
                if let Some(tag) = &node.tag {
                    self.tag(tag);
                    self.out.push(' ');
                }
                let trailing = self.trailing(entity);
                let style = safe_style(scalar, node.tag.is_some(), false);
                self.scalar_and_comment(scalar, style, column, step, &trailing);
            }
            Kind::Mapping(_) | Kind::Sequence(_) => {
                self.out.push(' ');
                self.inline_collection(node);
                let trailing = self.trailing(entity);
                self.out.push_str(&trailing);
                self.out.push('\n');
            }
        }
    }

    /// The end of a line behind which a collection begins.
    fn header(&mut self, node: &Node, entity: Option<&Node>) {
        if let Some(tag) = &node.tag {
            self.out.push(' ');
            self.tag(tag);
        }
        let trailing = self.trailing(entity);
        self.out.push_str(&trailing);
        self.out.push('\n');
    }

    /// A root that is a scalar or an empty collection.
    fn inline(&mut self, node: &Node) {
        match &node.kind {
            Kind::Scalar(scalar) => {
                if let Some(tag) = &node.tag {
                    self.tag(tag);
                    self.out.push(' ');
                }
                let trailing = self.trailing(Some(node));
                let style = match safe_style(scalar, node.tag.is_some(), false) {
                    // Readers differ in what the indentation of a block at the root is relative to.
                    Style::Literal | Style::Folded if scalar.text.starts_with(' ') => Style::Double,
                    style => style,
                };
                self.scalar_and_comment(scalar, style, 0, self.options.indent, &trailing);
            }
            Kind::Mapping(_) | Kind::Sequence(_) => {
                self.inline_collection(node);
                let trailing = self.trailing(Some(node));
                self.out.push_str(&trailing);
                self.out.push('\n');
            }
        }
    }

    fn inline_collection(&mut self, node: &Node) {
        if let Some(tag) = &node.tag {
            self.tag(tag);
            self.out.push(' ');
        }
        self.out.push_str(match node.kind {
            Kind::Mapping(_) => "{}",
            Kind::Sequence(_) | Kind::Scalar(_) => "[]",
        });
    }

    /// A value; `column` is that of what it belongs to, and `step` how much deeper a block stands.
    fn scalar_and_comment(
        &mut self,
        scalar: &Scalar,
        style: Style,
        column: usize,
        step: usize,
        trailing: &str,
    ) {
        match style {
            Style::Literal | Style::Folded => self.block(&scalar.text, style, column, step, trailing),
            Style::Plain | Style::Single | Style::Double => {
                self.scalar(&scalar.text, style);
                self.out.push_str(trailing);
                self.out.push('\n');
            }
        }
    }

    /// Plain or quoted, on one line.
    fn scalar(&mut self, text: &str, style: Style) {
        match style {
            Style::Plain => self.out.push_str(text),
            Style::Single => {
                self.out.push('\'');
                for (i, part) in text.split('\'').enumerate() {
                    if i > 0 {
                        self.out.push_str("''");
                    }
                    self.out.push_str(part);
                }
                self.out.push('\'');
            }
            Style::Double | Style::Literal | Style::Folded => {
                self.out.push('"');
                text.chars().for_each(|c| escape(c, &mut self.out));
                self.out.push('"');
            }
        }
    }

    fn block(&mut self, text: &str, style: Style, column: usize, step: usize, trailing: &str) {
        let column = column + step;
        self.out.push(if style == Style::Folded { '>' } else { '|' });
        let body = text.trim_end_matches('\n');
        if body.starts_with(' ') {
            // The indentation cannot be told from the first line.
            let _ = write!(self.out, "{step}");
        }
        match text.len() - body.len() {
            0 => self.out.push('-'),
            1 => {}
            _ => self.out.push('+'),
        }
        self.out.push_str(trailing);
        self.out.push('\n');
        for (i, line) in body.split('\n').enumerate() {
            if style == Style::Folded {
                // Between two lines of text, one line break more than the text has: a single one is a space.
                if i > 0 {
                    self.out.push('\n');
                }
                if !line.is_empty() {
                    self.wrapped(line, column);
                }
            } else {
                if !line.is_empty() {
                    self.indent(column);
                    self.out.push_str(line);
                }
                self.out.push('\n');
            }
        }
        for _ in 1..(text.len() - body.len()) {
            self.out.push('\n');
        }
    }

    /// One line of folded text, broken at single spaces.
    fn wrapped(&mut self, line: &str, column: usize) {
        let mut used = 0;
        self.indent(column);
        let mut words = line.split(' ').peekable();
        let mut after_space = false;
        let mut first = true;
        while let Some(word) = words.next() {
            let length = word.chars().count();
            // A break is a space only between two words; next to further spaces it would not fold.
            let breakable = !first && !word.is_empty() && !after_space;
            if breakable && column + used + 1 + length > self.options.width {
                self.out.push('\n');
                self.indent(column);
                used = 0;
            } else if !first {
                self.out.push(' ');
                used += 1;
            }
            self.out.push_str(word);
            used += length;
            after_space =
                word.is_empty() || word.ends_with('\t') || words.peek().is_some_and(|w| w.starts_with('\t'));
            first = false;
        }
        self.out.push('\n');
    }

    fn tag(&mut self, tag: &str) {
        let (prefix, name) = match tag.strip_prefix("tag:yaml.org,2002:") {
            Some(name) if !name.is_empty() => ("!!", name),
            _ => match tag.strip_prefix('!') {
                Some(name) if !name.contains('!') => ("!", name),
                _ => ("!<", tag),
            },
        };
        self.out.push_str(prefix);
        for byte in name.bytes() {
            let plain = byte.is_ascii_alphanumeric()
                || b"-_.~:/".contains(&byte)
                || (prefix == "!<" && b",!".contains(&byte));
            if plain {
                self.out.push(char::from(byte));
            } else {
                let _ = write!(self.out, "%{byte:02X}");
            }
        }
        if prefix == "!<" {
            self.out.push('>');
        }
    }

    fn indent(&mut self, column: usize) {
        self.out.extend(std::iter::repeat_n(' ', column));
    }

    fn own_line(&mut self, comment: &str, column: usize) {
        self.indent(column);
        self.out.push_str(comment);
        self.out.push('\n');
    }

    fn before(&mut self, entity: &Node, column: usize) {
        for text in self.take(entity, Place::Before) {
            self.own_line(&text, column);
        }
    }

    fn after(&mut self, entity: &Node, column: usize) {
        for text in self.take(entity, Place::After) {
            self.own_line(&text, column);
        }
    }

    /// The comment for the end of the line, with the space before it.
    fn trailing(&mut self, entity: Option<&Node>) -> String {
        let Some(entity) = entity else { return String::new() };
        let texts = self.take(entity, Place::Trailing);
        texts.iter().flat_map(|t| [" ", t.as_str()]).collect()
    }

    /// The comments of a place that are not printed yet.
    fn take(&mut self, entity: &Node, place: Place) -> Vec<smol_str::SmolStr> {
        if self.comments.is_empty() || entity.span.is_empty() && entity.span.start == 0 {
            return Vec::new();
        }
        let mut texts = Vec::new();
        for (index, comment) in self.comments.tied(entity.span.start, place) {
            if let Some(used) = self.used.get_mut(index)
                && !std::mem::replace(used, true)
            {
                texts.push(comment.text.clone());
            }
        }
        texts
    }
}

/// The style as written, or the nearest that can hold the text.
fn safe_style(scalar: &Scalar, tagged: bool, key: bool) -> Style {
    let text = scalar.text.as_str();
    let quoted = || {
        if !key && text.contains('\n') && text_style::literal_holds(text) {
            Style::Literal
        } else if text_style::single_holds(text) {
            Style::Single
        } else {
            Style::Double
        }
    };
    match scalar.style {
        // A tag in front of nothing would take the next line for its content.
        Style::Plain if text.is_empty() => {
            if tagged {
                Style::Double
            } else {
                Style::Plain
            }
        }
        Style::Plain if text_style::plain_holds(text) => Style::Plain,
        Style::Plain | Style::Single => quoted(),
        Style::Double if text.contains('\n') => quoted(),
        Style::Double => Style::Double,
        Style::Literal if !key && text_style::literal_holds(text) => Style::Literal,
        Style::Folded if !key && text_style::folded_holds(text) => Style::Folded,
        Style::Folded if !key && text_style::literal_holds(text) => Style::Literal,
        Style::Literal | Style::Folded => quoted(),
    }
}

/// Nothing at all as a key: `? ` can say it.
fn is_empty_plain(key: &Scalar) -> bool {
    key.text.is_empty() && key.style == Style::Plain
}

fn escaped_length(text: &str) -> usize {
    if text_style::single_holds(text) {
        return text.len();
    }
    let mut out = String::new();
    text.chars().for_each(|c| escape(c, &mut out));
    out.len()
}

fn escape(c: char, out: &mut String) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{1b}' => out.push_str("\\e"),
        '\0' => out.push_str("\\0"),
        c if text_style::is_printable(c) => out.push(c),
        c => {
            let number = u32::from(c);
            let _ = match number {
                0..=0xff => write!(out, "\\x{number:02X}"),
                0x100..=0xffff => write!(out, "\\u{number:04X}"),
                _ => write!(out, "\\U{number:08X}"),
            };
        }
    }
}
