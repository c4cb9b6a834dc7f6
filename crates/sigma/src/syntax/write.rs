//! The tree to text: keys in the order that Sigma's authors use, four columns of indentation, values as they were
//! written, comments beside what they speak of.

use super::{
    Condition, ConditionBody, Conditions, Correlation, Detection, Entry, Group, GroupKind, Item, LogSource,
    Name, Search, Section, SigmaDocument, SigmaString, Value, ValueKind, Values,
};
use ruleferry_doc::{Comments, Kind, Node, Options, Pair, Scalar, Style, print_all};
use smol_str::{SmolStr, SmolStrBuilder};

/// The order of the keys of a document. Keys that are not here follow in their own order.
const DOCUMENT_KEYS: &[&str] = &[
    "action",
    "title",
    "id",
    "name",
    "related",
    "taxonomy",
    "status",
    "description",
    "license",
    "references",
    "author",
    "date",
    "modified",
    "tags",
    "scope",
    "logsource",
    "detection",
    "correlation",
    "filter",
    "generate",
    "fields",
    "falsepositives",
    "level",
];

const LOGSOURCE_KEYS: &[&str] = &["category", "product", "service", "definition"];

const CORRELATION_KEYS: &[&str] =
    &["type", "rules", "group-by", "timespan", "condition", "aliases", "generate"];

/// Prints the documents of a file. `comments` are those of the file that was parsed, or none.
pub fn print(documents: &[SigmaDocument], comments: &Comments) -> String {
    let nodes: Vec<Node> = documents.iter().map(to_node).collect();
    print_all(&nodes, comments, Options { indent: 4, width: 110 })
}

/// A document as YAML.
pub fn to_node(document: &SigmaDocument) -> Node {
    let pairs = ordered(&document.entries, DOCUMENT_KEYS, |e| e.key.text.as_str());
    let pairs = pairs.into_iter().map(|Entry { key, section }| {
        let value = match section {
            Section::LogSource(logsource) => logsource_node(logsource),
            Section::Detection(detection) | Section::Filter(detection) => detection_node(detection),
            Section::Correlation(correlation) => correlation_node(correlation),
            Section::Other(node) => node.clone(),
        };
        Pair { key: name_node(key), value }
    });
    Node::mapping(pairs.collect()).at(*document.span)
}

/// What `keys` names first, in its order, then the rest.
fn ordered<'e, T>(entries: &'e [T], keys: &[&str], key: fn(&T) -> &str) -> Vec<&'e T> {
    let rank = |entry: &T| keys.iter().position(|k| *k == key(entry)).unwrap_or(keys.len());
    let mut sorted: Vec<&T> = entries.iter().collect();
    sorted.sort_by_key(|entry| rank(entry));
    sorted
}

fn logsource_node(logsource: &LogSource) -> Node {
    named_node(&logsource.entries, LOGSOURCE_KEYS).at(*logsource.span)
}

fn correlation_node(correlation: &Correlation) -> Node {
    named_node(&correlation.entries, CORRELATION_KEYS).at(*correlation.span)
}

fn named_node(entries: &[(Name, Node)], keys: &[&str]) -> Node {
    let entries = ordered(entries, keys, |(name, _)| name.text.as_str());
    Node::mapping(entries.into_iter().map(|(name, node)| pair(name, node.clone())).collect())
}

fn detection_node(detection: &Detection) -> Node {
    let Detection { searches, timeframe, condition, others, span } = detection;
    let mut pairs: Vec<Pair> = Vec::new();
    pairs.extend(others.iter().filter(|(name, _)| name.text == "rules").map(|(n, v)| pair(n, v.clone())));
    pairs.extend(searches.iter().map(|Search { name, body }| pair(name, group_node(body))));
    pairs.extend(timeframe.iter().map(|(name, node)| pair(name, node.clone())));
    pairs.extend(condition.iter().map(|conditions| pair(&conditions.key, conditions_node(conditions))));
    pairs.extend(others.iter().filter(|(name, _)| name.text != "rules").map(|(n, v)| pair(n, v.clone())));
    Node::mapping(pairs).at(**span)
}

fn conditions_node(conditions: &Conditions) -> Node {
    let mut nodes = conditions.conditions.iter().map(condition_node);
    if conditions.list {
        return Node::sequence(nodes.collect());
    }
    nodes.next().unwrap_or_else(Node::null)
}

fn condition_node(condition: &Condition) -> Node {
    match &condition.body {
        ConditionBody::Unreadable(node) => (**node).clone(),
        ConditionBody::Expr { .. } => {
            // Plain, where YAML lets it be; a search named `true` is not.
            let text = condition.to_string();
            let style = match Node::scalar(text.as_str(), Style::Plain).as_str() {
                Some(_) => Style::Plain,
                None => Style::Single,
            };
            Node::scalar(text, style).at(*condition.span)
        }
    }
}

fn group_node(group: &Group) -> Node {
    let node = match &group.kind {
        GroupKind::Map(items) => Node::mapping(items.iter().map(item_pair).collect()),
        GroupKind::List(groups) => Node::sequence(groups.iter().map(group_node).collect()),
        GroupKind::Keyword(value) => return value_node(value),
    };
    node.at(*group.span)
}

fn item_pair(item: &Item) -> Pair {
    let Item { field, modifiers, values, key } = item;
    let mut text = SmolStrBuilder::new();
    text.push_str(&field.text);
    for modifier in modifiers {
        text.push('|');
        text.push_str(modifier.kind.name());
    }
    let key_name = Name { text: text.finish(), span: *key, style: field.style };
    let value = match values {
        Values::One(value) => value_node(value),
        Values::List(values, span) => Node::sequence(values.iter().map(value_node).collect()).at(**span),
    };
    Pair { key: name_node(&key_name), value }
}

fn value_node(value: &Value) -> Node {
    let plain = |text: &SmolStr| Node::scalar(text.clone(), Style::Plain);
    let string = |text: &SigmaString| {
        let node = Node::scalar(text.raw.clone(), text.style);
        // What is text must not be read back as a number.
        if node.as_str().is_some() { node } else { Node::scalar(text.raw.clone(), Style::Single) }
    };
    let node = match &value.kind {
        ValueKind::Null(text) | ValueKind::Bool(_, text) | ValueKind::Number(text) => plain(text),
        ValueKind::String(text) | ValueKind::Verbatim(text) => string(text),
        ValueKind::Unreadable(node) => (**node).clone(),
    };
    node.at(*value.span)
}

fn pair(name: &Name, value: Node) -> Pair {
    Pair { key: name_node(name), value }
}

fn name_node(name: &Name) -> Node {
    let scalar = Scalar { text: name.text.clone(), style: name.style };
    Node::new(Kind::Scalar(scalar), *name.span)
}
