//! What is printed reads back as the same tree, whatever the tree holds.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use proptest::prelude::*;
use ruleferry_doc::{Comments, Kind, Node, Options, Pair, Style, parse_yaml, print, print_all};

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zA-Z0-9 ]{0,8}",
        2 => prop::sample::select(vec![
            ": ", " #", "- ", "? ", "*", "&a", "!", "|", ">", "%", "@", "`", "'", "\"", "\\", "\n", "\n\n", " ", "  ", "\t",
            "[", "]", "{", "}", ",", "---", "...", "null", "true", "yes", "0123", "1e3", "~", ":", "#", "\u{1b}[31m", "\r\n",
            "é", "😀", "\u{202e}", "\u{feff}", "\u{85}", "\u{2028}", "\0", "\\*", "=", "<<",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn scalar() -> impl Strategy<Value = Node> {
    let styles = vec![Style::Plain, Style::Single, Style::Double, Style::Literal, Style::Folded];
    let styled = (text(), prop::sample::select(styles)).prop_map(|(text, style)| Node::scalar(text, style));
    prop_oneof![
        styled,
        text().prop_map(Node::string),
        Just(Node::null()),
        Just(Node::scalar("00000429", Style::Plain))
    ]
}

fn tagged(node: impl Strategy<Value = Node>) -> impl Strategy<Value = Node> {
    let tags = vec![None, None, None, None, Some("!x"), Some("tag:yaml.org,2002:str"), Some("tag:x,1:y")];
    (node, prop::sample::select(tags)).prop_map(|(mut node, tag)| {
        node.tag = tag.map(Into::into);
        node
    })
}

fn tree() -> impl Strategy<Value = Node> {
    tagged(scalar()).prop_recursive(4, 24, 5, |inner| {
        let pairs = prop::collection::vec((inner.clone(), inner.clone()), 0..5).prop_map(|pairs| {
            Node::mapping(pairs.into_iter().map(|(key, value)| Pair { key, value }).collect())
        });
        tagged(prop_oneof![prop::collection::vec(inner, 0..5).prop_map(Node::sequence), pairs])
    })
}

/// What cannot be compared: merge keys are resolved by reading.
fn has_merge(node: &Node) -> bool {
    match &node.kind {
        Kind::Scalar(_) => false,
        Kind::Sequence(items) => items.iter().any(has_merge),
        Kind::Mapping(pairs) => {
            pairs.iter().any(|p| p.key.as_text() == Some("<<") || has_merge(&p.key) || has_merge(&p.value))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printed_reads_back(node in tree(), indent in 2usize..5) {
        prop_assume!(!has_merge(&node));
        let printed = print(&node, &Comments::default(), Options { indent, width: 30 });
        let parsed = parse_yaml(&printed);
        let faults: Vec<_> = parsed.diagnostics.iter().filter(|d| d.code.0 != "E0011").collect();
        prop_assert!(faults.is_empty(), "{faults:?} in\n{printed}");
        prop_assert_eq!(parsed.documents.len(), 1, "{}", printed);
        prop_assert!(parsed.documents[0].root == node, "{}\n{:?}\n{:?}", printed, node, parsed.documents[0].root);
        // Printing is settled after one time.
        let again = print(&parsed.documents[0].root, &parsed.comments, Options { indent, width: 30 });
        prop_assert_eq!(printed, again);
    }

    #[test]
    fn several_documents(nodes in prop::collection::vec(tree(), 1..4)) {
        prop_assume!(!nodes.iter().any(has_merge));
        let printed = print_all(&nodes, &Comments::default(), Options::default());
        let parsed = parse_yaml(&printed);
        let roots: Vec<Node> = parsed.documents.into_iter().map(|d| d.root).collect();
        prop_assert!(roots == nodes, "{printed}\n{nodes:?}\n{roots:?}");
    }

    #[test]
    fn any_text_is_read(text in prop_oneof![any::<String>(), text(),
        prop::collection::vec(prop::sample::select(vec!["a", ": ", "\n", " ", "  ", "- ", "[", "]", "{", "}", ", ", "\"", "'", "|", ">", "#", " # c", "&x ",
            "*x", "!t ", "? ", "---", "\t", "\r\n", "é", "%", "\\", "\u{feff}", "<<", "..."]), 0..40).prop_map(|p| p.concat())]) {
        let parsed = parse_yaml(&text);
        for document in &parsed.documents {
            check_spans(&document.root, &text)?;
        }
        for diagnostic in &parsed.diagnostics {
            prop_assert!(diagnostic.span.end as usize <= text.len() + 1);
        }
        for comment in parsed.comments.iter() {
            prop_assert_eq!(comment.span.text(&text), comment.text.as_str());
        }
        if parsed.diagnostics.is_empty() {
            let roots: Vec<Node> = parsed.documents.iter().map(|d| d.root.clone()).collect();
            let printed = print_all(&roots, &parsed.comments, Options::default());
            let again = parse_yaml(&printed);
            let back: Vec<Node> = again.documents.into_iter().map(|d| d.root).collect();
            prop_assert!(back == roots, "{text:?}\n{printed:?}\n{roots:?}\n{back:?}");
            let mut before: Vec<&str> = parsed.comments.iter().map(|c| c.text.as_str()).collect();
            let mut after: Vec<&str> = again.comments.iter().map(|c| c.text.as_str()).collect();
            before.sort_unstable();
            after.sort_unstable();
            prop_assert_eq!(before, after, "{:?}\n{:?}", text, printed);
        }
    }
}

fn check_spans(node: &Node, text: &str) -> Result<(), TestCaseError> {
    let (start, end) = (node.span.start as usize, node.span.end as usize);
    prop_assert!(text.get(start..end).is_some(), "{node:?}");
    match &node.kind {
        Kind::Scalar(scalar) => {
            let map = node.span_map(text);
            for (offset, c) in scalar.text.char_indices() {
                if !c.is_whitespace() && !"\"'\\/".contains(c) && u32::from(c) > 31 && !text.contains('\\') {
                    let at = map.offset(offset as u32) as usize;
                    prop_assert!(
                        text.get(at..).is_some_and(|t| t.starts_with(c)),
                        "{c:?} at {at} of {text:?}: {node:?} {map:?}"
                    );
                }
            }
        }
        Kind::Sequence(items) => items.iter().try_for_each(|n| check_spans(n, text))?,
        Kind::Mapping(pairs) => {
            pairs
                .iter()
                .try_for_each(|p| check_spans(&p.key, text).and_then(|()| check_spans(&p.value, text)))?;
        }
    }
    Ok(())
}
