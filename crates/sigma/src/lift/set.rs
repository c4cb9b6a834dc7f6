//! The rules among which a document stands: those of its file, and those of other files of the run.
//!
//! A correlation names rules by `id` or `name`, a filter the rules that it narrows. The file itself comes first.

use crate::syntax::{DocumentKind, SigmaDocument};
use std::sync::Arc;

/// A document of another file of the run.
#[derive(Clone, Debug)]
pub struct Companion {
    /// The file, as messages name it.
    pub path: String,
    pub document: SigmaDocument,
}

/// Documents of other files, shared by all rules of a run.
pub type Companions = Arc<Vec<Companion>>;

/// Where references are looked up.
#[derive(Clone, Copy, Debug)]
pub struct RuleSet<'t> {
    own: &'t [SigmaDocument],
    others: &'t [Companion],
    /// Some document is a filter: looked for once, as a file may hold thousands of rules.
    filtered: bool,
}

/// A document that was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'t> {
    pub document: &'t SigmaDocument,
    /// The file, if it is another one: then places in the document are not places in the file that is converted.
    pub path: Option<&'t str>,
}

impl<'t> RuleSet<'t> {
    /// The documents of a file (with `action`s carried out), and those of others.
    pub fn new(own: &'t [SigmaDocument], others: &'t [Companion]) -> Self {
        let is_filter = |d: &SigmaDocument| d.kind() == DocumentKind::Filter;
        let filtered = own.iter().any(is_filter) || others.iter().any(|c| is_filter(&c.document));
        Self { own, others, filtered }
    }

    fn members(self) -> impl Iterator<Item = Member<'t>> {
        let own = self.own.iter().map(|document| Member { document, path: None });
        // The run's files may hold this one again.
        let is_own = move |d: &SigmaDocument| self.own.contains(d);
        let others = self.others.iter().filter(move |c| !is_own(&c.document));
        own.chain(others.map(|c| Member { document: &c.document, path: Some(c.path.as_str()) }))
    }

    /// The rule or correlation with this id or name.
    pub(super) fn find(self, reference: &str) -> Option<Member<'t>> {
        let fits = |m: &Member<'_>| {
            matches!(m.document.kind(), DocumentKind::Rule | DocumentKind::Correlation)
                && is_named(m.document, reference)
        };
        self.members().find(fits)
    }

    /// Whether anything else may have a say in what a document means.
    pub(super) fn is_alone(self) -> bool {
        self.own.len() <= 1 && self.others.is_empty()
    }

    /// The filters that name this rule, or all rules.
    pub(super) fn filters(self, rule: &SigmaDocument) -> impl Iterator<Item = Member<'t>> {
        let applies = move |m: &Member<'_>| {
            m.document.filter().is_some_and(|filter| {
                let named = filter.others.iter().filter(|(name, _)| name.text == "rules");
                named.flat_map(|(_, node)| texts(node)).any(|reference| {
                    // pySigma's words for every rule of the log source.
                    reference.eq_ignore_ascii_case("any")
                        || reference.eq_ignore_ascii_case("all")
                        || is_named(rule, reference)
                })
            })
        };
        self.members().take_while(move |_| self.filtered).filter(applies)
    }
}

fn texts(node: &ruleferry_doc::Node) -> impl Iterator<Item = &str> {
    let list = node.as_sequence().unwrap_or_default();
    node.as_text().into_iter().chain(list.iter().filter_map(ruleferry_doc::Node::as_text))
}

pub(super) fn is_named(document: &SigmaDocument, reference: &str) -> bool {
    ["id", "name"].into_iter().any(|key| document.text(key) == Some(reference))
}

/// Whether each document of a file makes alerts of its own. A rule that a correlation of the file refers to does not, unless
/// that correlation says `generate: true`; a filter never does (one alone in its file is left to be told so).
pub fn alerting(documents: &[SigmaDocument]) -> Vec<bool> {
    // Looked for once: a file may hold thousands of rules.
    let correlations: Vec<_> = documents.iter().filter_map(SigmaDocument::correlation).collect();
    let only_referred = |document: &SigmaDocument| {
        let mut referred = false;
        for correlation in &correlations {
            let names = correlation.rules().chain(correlation.condition_rules());
            let mut names = names.filter(|reference| is_named(document, reference)).peekable();
            if names.peek().is_some() {
                if correlation.generates() {
                    return false;
                }
                referred = true;
            }
        }
        referred
    };
    let filters = documents.iter().filter(|d| d.kind() == DocumentKind::Filter).count();
    let all_filters = filters == documents.len();
    documents
        .iter()
        .map(|d| match d.kind() {
            DocumentKind::Rule | DocumentKind::Correlation => !only_referred(d),
            DocumentKind::Filter => all_filters,
            DocumentKind::Part | DocumentKind::Unknown => true,
        })
        .collect()
}
