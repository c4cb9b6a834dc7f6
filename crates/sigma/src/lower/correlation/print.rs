//! The keys of a correlation.

use crate::duration;
use crate::syntax::{Correlation, Name};
use ruleferry_doc::{Node, Pair, Style};
use ruleferry_ir::{ColId, Plan};

/// What a correlation says.
pub(super) struct Made<'q> {
    pub kind: &'static str,
    pub rules: Vec<String>,
    /// For each key its fields in the rules, and the name of its column.
    pub by: Vec<(String, Vec<String>)>,
    /// Ticks.
    pub timespan: i64,
    /// Comparison and number as written.
    pub compare: Vec<(&'static str, String)>,
    pub boolean: Option<String>,
    pub fields: Vec<String>,
    pub percentile: Option<String>,
    /// The keys as columns: the operator that makes each and its id there.
    pub keys: Vec<(&'q Plan, ColId, String)>,
    /// The columns of the keys in the query's result, in the order of `by`.
    pub columns: Vec<ColId>,
}

impl Made<'_> {
    /// What a key is called: its one field, or an alias.
    fn name(&self, at: usize) -> String {
        group_name(&self.by, at)
    }

    /// The keys that both sides have: the column of the query and the name in the correlation.
    pub(super) fn groups(&self) -> Vec<(ColId, String)> {
        self.columns.iter().enumerate().map(|(i, id)| (*id, self.name(i))).collect()
    }

    pub(super) fn correlation(&self) -> Correlation {
        let texts = |list: &[String]| Node::sequence(list.iter().map(Node::string).collect());
        let plain = |text: &str| Node::scalar(text, Style::Plain);
        let names: Vec<String> = (0..self.by.len()).map(|i| self.name(i)).collect();
        let mut entries: Vec<(Name, Node)> =
            vec![("type".into(), plain(self.kind)), ("rules".into(), texts(&self.rules))];
        if !names.is_empty() {
            entries.push(("group-by".into(), texts(&names)));
        }
        let timespan = duration::format(self.timespan).unwrap_or_default();
        entries.push(("timespan".into(), plain(&timespan)));
        let aliases: Vec<Pair> = self
            .by
            .iter()
            .zip(&names)
            .filter(|((_, fields), _)| !is_one(fields))
            .map(|((_, fields), name)| {
                let pairs = self.rules.iter().zip(fields);
                let pairs =
                    pairs.map(|(rule, field)| Pair { key: Node::string(rule), value: Node::string(field) });
                Pair { key: Node::string(name), value: Node::mapping(pairs.collect()) }
            })
            .collect();
        if !aliases.is_empty() {
            entries.push(("aliases".into(), Node::mapping(aliases)));
        }
        if let Some(text) = &self.boolean {
            entries.push(("condition".into(), Node::string(text)));
        } else if !self.compare.is_empty() {
            let pair = |key: &str, value: Node| Pair { key: Node::string(key), value };
            let mut pairs: Vec<Pair> = self.compare.iter().map(|(op, n)| pair(op, plain(n))).collect();
            match self.fields.as_slice() {
                [] => {}
                [only] => pairs.push(pair("field", Node::string(only))),
                several => pairs.push(pair("field", texts(several))),
            }
            pairs.extend(self.percentile.as_ref().map(|p| pair("percentile", plain(p))));
            entries.push(("condition".into(), Node::mapping(pairs)));
        }
        Correlation { entries, ..Correlation::default() }
    }
}

fn is_one(fields: &[String]) -> bool {
    fields.first().is_some_and(|first| fields.iter().all(|f| f == first))
}

/// The name of a key: that of its field, else of its column.
pub(super) fn group_name(by: &[(String, Vec<String>)], at: usize) -> String {
    let Some((column, fields)) = by.get(at) else { return String::new() };
    match fields.first() {
        Some(only) if is_one(fields) => only.clone(),
        _ => column.clone(),
    }
}
