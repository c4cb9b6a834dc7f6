//! YAML nodes to the tree: documents and their sections. What has the wrong shape stays a node, and is told.

use super::{Correlation, DocumentKind, Entry, Loc, LogSource, Name, Section, SigmaDocument};
use ruleferry_diag::{Code, Diagnostic, Span, codes};
use ruleferry_doc::{Document, Kind, Node, Pair, Style};
use smol_str::SmolStr;

/// As many diagnostics as anyone reads; hostile input can hold millions of faults.
pub(super) const MOST: usize = 1000;

/// Reads the documents of one file.
pub(crate) struct Reader<'t, 'd> {
    /// The file: places inside of scalars are found in it.
    pub(super) text: &'t str,
    diagnostics: &'d mut Vec<Diagnostic>,
}

impl<'t, 'd> Reader<'t, 'd> {
    pub fn new(text: &'t str, diagnostics: &'d mut Vec<Diagnostic>) -> Self {
        Self { text, diagnostics }
    }

    /// Reads a document; an empty one (`---` without anything) is none.
    pub fn document(&mut self, document: Document) -> Option<SigmaDocument> {
        let Document { root, span, complete } = document;
        let what = root.describe();
        let Kind::Mapping(pairs) = root.kind else {
            if !root.is_null() {
                let message = format!("a Sigma rule is a mapping of keys, not {what}");
                self.error(codes::SIGMA_NOT_A_RULE, span, message, "begin with `title: …`");
            }
            return None;
        };
        let entries = pairs.into_iter().map(|pair| self.entry(pair)).collect();
        let document = SigmaDocument { entries, span: Loc(span), complete };
        let is_unknown = document.kind() == DocumentKind::Unknown && document.entry("action").is_none();
        if is_unknown && complete {
            let message = "the document has neither `detection` nor `correlation` nor `filter`";
            let help = "add `logsource` and `detection`";
            self.error(codes::SIGMA_NOT_A_RULE, first_key(&document), message, help);
        }
        Some(document)
    }

    fn entry(&mut self, pair: Pair) -> Entry {
        let key = self.name(pair.key);
        let value = pair.value;
        let section = match key.text.as_str() {
            "logsource" => self.mapping(value, "logsource").map(|(pairs, span)| {
                let entries = self.named(pairs);
                self.texts_only(&entries, &["category", "product", "service", "definition"]);
                Section::LogSource(LogSource { entries, span })
            }),
            "detection" => self
                .mapping(value, "detection")
                .map(|(pairs, span)| Section::Detection(self.detection(pairs, span))),
            "filter" => self
                .mapping(value, "filter")
                .map(|(pairs, span)| Section::Filter(self.detection(pairs, span))),
            "correlation" => self
                .mapping(value, "correlation")
                .map(|(pairs, span)| Section::Correlation(Correlation { entries: self.named(pairs), span })),
            _ => Err(value),
        };
        Entry { key, section: section.unwrap_or_else(Section::Other) }
    }

    /// The pairs of a section, or the node with a diagnostic.
    fn mapping(&mut self, node: Node, key: &str) -> Result<(Vec<Pair>, Loc), Node> {
        let (span, what) = (node.span, node.describe());
        match node.kind {
            Kind::Mapping(pairs) if node.tag.is_none() => Ok((pairs, Loc(span))),
            kind @ (Kind::Mapping(_) | Kind::Sequence(_) | Kind::Scalar(_)) => {
                let message = format!("`{key}` holds a mapping of keys, not {what}");
                self.error(codes::SIGMA_WRONG_TYPE, span, message, "write one key a line below it");
                Err(Node { kind, span, tag: node.tag })
            }
        }
    }

    fn named(&mut self, pairs: Vec<Pair>) -> Vec<(Name, Node)> {
        pairs.into_iter().map(|pair| (self.name(pair.key), pair.value)).collect()
    }

    fn texts_only(&mut self, entries: &[(Name, Node)], keys: &[&str]) {
        for (name, node) in entries {
            let known = keys.contains(&name.text.as_str());
            if known && (node.as_scalar().is_none() || node.is_null()) {
                let message = format!("`{}` holds text, not {}", name.text, node.describe());
                self.error(codes::SIGMA_WRONG_TYPE, or_key(node.span, name), message, "write one text");
            } else if !known && let Some(near) = super::suggest::nearest(&name.text, keys.iter().copied()) {
                let message = format!("`{}` looks like a slip of `{near}`", name.text);
                let slip = Diagnostic::warning(codes::SIGMA_UNKNOWN_KEY, *name.span, message);
                self.tell(slip.with_help(format!("did you mean `{near}`?")));
            }
        }
    }

    /// A key. One that is no scalar is told, and named by what it is.
    pub(super) fn name(&mut self, node: Node) -> Name {
        let what = node.describe();
        match node.kind {
            Kind::Scalar(scalar) => Name { text: scalar.text, span: Loc(node.span), style: scalar.style },
            Kind::Sequence(_) | Kind::Mapping(_) => {
                let message = format!("a key is text, not {what}");
                self.error(codes::SIGMA_WRONG_TYPE, node.span, message, "put quotes around it");
                let text = SmolStr::new(node.span.text(self.text));
                Name { text, span: Loc(node.span), style: Style::Double }
            }
        }
    }

    pub(super) fn error(&mut self, code: Code, span: Span, message: impl Into<String>, help: &str) {
        self.tell(Diagnostic::error(code, span, message).with_help(help));
    }

    pub(super) fn warn(&mut self, code: Code, span: Span, message: impl Into<String>, help: &str) {
        self.tell(Diagnostic::warning(code, span, message).with_help(help));
    }

    /// Whether more would not be told: then working out what to say is not worth the time.
    pub(super) fn is_full(&self) -> bool {
        self.diagnostics.len() >= MOST
    }

    pub(super) fn tell(&mut self, diagnostic: Diagnostic) {
        if !self.is_full() {
            self.diagnostics.push(diagnostic);
        }
    }
}

/// What to underline when something is missing in a document.
pub(crate) fn first_key(document: &SigmaDocument) -> Span {
    document.entries.first().map_or(*document.span, |e| *e.key.span)
}

/// The place of a value; of one that is empty, its key's.
pub(crate) fn or_key(span: Span, key: &Name) -> Span {
    if span.is_empty() { *key.span } else { span }
}
