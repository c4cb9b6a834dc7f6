//! YAML nodes to the tree: searches, their fields with modifiers, values, conditions.

use super::modifier::{CONFLICTS, ORDER, Wanted, wanted};
use super::read::{Reader, or_key};
use super::suggest::nearest;
use super::{
    Condition, ConditionBody, Conditions, Detection, Group, GroupKind, Item, ItemModifier, Loc, Modifier,
    Name, Part, Search, SigmaString, Value, ValueKind, Values, condition,
};
use ruleferry_diag::{Diagnostic, Span, codes};
use ruleferry_doc::{Class, Kind, Node, Pair};
use smol_str::SmolStr;
use std::net::IpAddr;

/// More than any combination that means something.
const MOST_MODIFIERS: usize = 16;

impl Reader<'_, '_> {
    pub(super) fn detection(&mut self, pairs: Vec<Pair>, span: Loc) -> Detection {
        let mut detection = Detection { span, ..Detection::default() };
        for pair in pairs {
            let name = self.name(pair.key);
            match name.text.as_str() {
                "condition" if detection.condition.is_none() => {
                    detection.condition = Some(self.conditions(name, pair.value));
                }
                "timeframe" if detection.timeframe.is_none() => {
                    detection.timeframe = Some((name, pair.value))
                }
                "condition" | "timeframe" | "rules" => detection.others.push((name, pair.value)),
                _ => {
                    let body = self.group(pair.value, &name);
                    detection.searches.push(Search { name, body });
                }
            }
        }
        detection
    }

    fn conditions(&mut self, key: Name, node: Node) -> Conditions {
        if node.is_null() {
            let help = "write which searches must hold: `condition: selection`";
            self.error(codes::SIGMA_CONDITION, *key.span, "the condition is empty", help);
        }
        match node.kind {
            Kind::Sequence(items) => {
                if items.is_empty() {
                    self.error(
                        codes::SIGMA_CONDITION,
                        node.span,
                        "the list of conditions is empty",
                        "write a condition",
                    );
                }
                let conditions = items.into_iter().map(|item| self.condition(item)).collect();
                Conditions { key, list: true, conditions }
            }
            kind @ (Kind::Scalar(_) | Kind::Mapping(_)) => {
                let condition = self.condition(Node { kind, span: node.span, tag: node.tag });
                Conditions { key, list: false, conditions: vec![condition] }
            }
        }
    }

    fn condition(&mut self, node: Node) -> Condition {
        let span = Loc(node.span);
        if let Some(text) = node.as_text().filter(|_| !node.is_null()) {
            match condition::parse(text, &node.span_map(self.text)) {
                Ok((expr, pipe)) => return Condition { body: ConditionBody::Expr { expr, pipe }, span },
                Err(diagnostic) => self.tell(diagnostic),
            }
        } else if !node.is_null() {
            let message = format!("a condition is text, not {}", node.describe());
            self.error(codes::SIGMA_WRONG_TYPE, node.span, message, "write `condition: selection`");
        }
        Condition { body: ConditionBody::Unreadable(Box::new(node)), span }
    }

    /// What a search looks for: fields (all hold), a list (one holds), or a keyword.
    fn group(&mut self, node: Node, name: &Name) -> Group {
        let span = Loc(node.span);
        let empty = match &node.kind {
            Kind::Mapping(pairs) => pairs.is_empty(),
            Kind::Sequence(items) => items.is_empty(),
            Kind::Scalar(_) => node.is_null(),
        };
        if empty {
            let message = format!("`{}` looks for nothing", name.text);
            let help = "add fields with values, or remove it";
            self.error(codes::SIGMA_EMPTY, or_key(node.span, name), message, help);
        }
        let kind = match node.kind {
            Kind::Mapping(pairs) if node.tag.is_none() => {
                GroupKind::Map(pairs.into_iter().map(|pair| self.item(pair)).collect())
            }
            Kind::Sequence(items) if node.tag.is_none() => {
                GroupKind::List(items.into_iter().map(|item| self.group(item, name)).collect())
            }
            kind @ (Kind::Mapping(_) | Kind::Sequence(_) | Kind::Scalar(_)) => GroupKind::Keyword(
                self.value(Node { kind, span: node.span, tag: node.tag }, Wanted::Any, false),
            ),
        };
        Group { kind, span }
    }

    fn item(&mut self, pair: Pair) -> Item {
        let key = self.name(pair.key);
        let (field, modifiers) = self.key(&key);
        self.check_modifiers(&modifiers, &key);
        let wanted = wanted(&modifiers);
        let expand = modifiers.iter().any(|m| m.kind == Modifier::Expand);
        let values = match pair.value.kind {
            Kind::Sequence(nodes) if pair.value.tag.is_none() => {
                if nodes.is_empty() {
                    let message = format!("`{}` has no values", key.text);
                    self.error(
                        codes::SIGMA_EMPTY,
                        pair.value.span,
                        message,
                        "add a value, or remove the field",
                    );
                }
                let values = nodes.into_iter().map(|node| self.value(node, wanted, expand)).collect();
                Values::List(values, Loc(pair.value.span))
            }
            kind @ (Kind::Sequence(_) | Kind::Scalar(_) | Kind::Mapping(_)) => {
                let node = Node { kind, span: pair.value.span, tag: pair.value.tag };
                Values::One(self.value(node, wanted, expand))
            }
        };
        let item = Item { field, modifiers, values, key: key.span };
        self.check_values(&item, wanted, &key);
        item
    }

    /// Takes `field|modifier|…` apart.
    fn key(&mut self, key: &Name) -> (Name, Vec<ItemModifier>) {
        let mut pieces = key.text.split('|');
        let field = pieces.next().unwrap_or("");
        // Nothing in a key is escaped, unless it is longer in the file than its text and two quotes.
        let in_file = key.span.end - key.span.start;
        let length = u32::try_from(key.text.len()).unwrap_or(u32::MAX);
        let offset =
            in_file.checked_sub(length).filter(|extra| matches!(extra, 0 | 2)).map(|extra| extra / 2);
        let place = |start: usize, piece: &str| match offset {
            Some(offset) => {
                let start = start + key.span.start as usize + offset as usize;
                Loc(Span::from_usize(start, start + piece.len()))
            }
            None => key.span,
        };
        let mut at = field.len() + 1;
        let mut modifiers = Vec::new();
        for piece in pieces {
            if modifiers.len() >= MOST_MODIFIERS {
                let message = format!("more than {MOST_MODIFIERS} modifiers");
                self.error(
                    codes::SIGMA_MODIFIERS_CONFLICT,
                    *key.span,
                    message,
                    "no combination needs as many",
                );
                // Kept, so that nothing is lost.
                let rest = key.text.get(at..).unwrap_or("");
                modifiers.push(ItemModifier { kind: Modifier::Unknown(SmolStr::new(rest)), span: key.span });
                break;
            }
            let span = place(at, piece);
            at += piece.len() + 1;
            let kind = Modifier::from_name(piece);
            if let Modifier::Unknown(name) = &kind
                && !self.is_full()
            {
                let message = format!("`{name}` is no modifier of Sigma");
                let help = match nearest(name, Modifier::NAMES.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("Sigma has {}", Modifier::NAMES.join(", ")),
                };
                let span = if span.is_empty() { *key.span } else { *span };
                self.error(codes::SIGMA_UNKNOWN_MODIFIER, span, message, &help);
            }
            modifiers.push(ItemModifier { kind, span });
        }
        (Name { text: SmolStr::new(field), span: place(0, field), style: key.style }, modifiers)
    }

    fn check_modifiers(&mut self, modifiers: &[ItemModifier], key: &Name) {
        for (i, later) in modifiers.iter().enumerate() {
            if modifiers.iter().take(i).any(|earlier| earlier.kind == later.kind) {
                let message = format!("`{}` stands twice", later.kind.name());
                self.error(codes::SIGMA_MODIFIERS_CONFLICT, *later.span, message, "remove one");
                continue;
            }
            for earlier in modifiers.iter().take(i) {
                self.check_two(earlier, later);
            }
        }
        let flag = modifiers.iter().find(|m| super::modifier::FLAGS.contains(&m.kind));
        if let Some(flag) = flag
            && !modifiers.iter().any(|m| m.kind == Modifier::Re)
        {
            let message = format!("`{}` is a flag of regular expressions", flag.kind.name());
            self.error(codes::SIGMA_MODIFIERS_CONFLICT, *flag.span, message, "put `re` before it");
        }
        let encoding = modifiers.iter().find(|m| super::modifier::ENCODINGS.contains(&m.kind));
        if let Some(encoding) = encoding
            && !modifiers.iter().any(|m| super::modifier::BASE64.contains(&m.kind))
        {
            let message =
                format!("`{}` without `base64` or `base64offset` compares raw bytes", encoding.kind.name());
            let help = "fields of events are text; put `base64offset` behind it if that is meant";
            self.warn(codes::SIGMA_MODIFIERS_CONFLICT, *encoding.span, message, help);
        }
        let field_needed = modifiers.iter().find(|m| {
            matches!(m.kind, Modifier::Exists | Modifier::FieldRef | Modifier::Cidr)
                || super::modifier::COMPARES.contains(&m.kind)
                || super::modifier::TIME_PARTS.contains(&m.kind)
        });
        if let Some(modifier) = field_needed
            && (key.text.is_empty() || key.text.starts_with('|'))
        {
            let message = format!("`{}` needs a field", modifier.kind.name());
            self.error(
                codes::SIGMA_MODIFIERS_CONFLICT,
                *modifier.span,
                message,
                "write the name of the field before it",
            );
        }
    }

    fn check_two(&mut self, earlier: &ItemModifier, later: &ItemModifier) {
        let both = |a: &[Modifier], b: &[Modifier]| a.contains(&earlier.kind) && b.contains(&later.kind);
        let conflict = CONFLICTS.iter().find(|(a, b, _)| both(a, b) || both(b, a));
        if let Some((_, _, why)) = conflict {
            let message = format!("`{}` and `{}` do not go together", earlier.kind.name(), later.kind.name());
            self.error(codes::SIGMA_MODIFIERS_CONFLICT, *later.span, message, why);
        } else if let Some((_, _, why)) = ORDER.iter().find(|(first, second, _)| both(second, first)) {
            let message = format!("`{}` must stand before `{}`", later.kind.name(), earlier.kind.name());
            self.error(codes::SIGMA_MODIFIERS_CONFLICT, *later.span, message, why);
        }
    }

    fn value(&mut self, node: Node, wanted: Wanted, expand: bool) -> Value {
        let span = Loc(node.span);
        let class = node.class();
        let kind = match node.kind {
            Kind::Scalar(scalar)
                if node.tag.as_deref().is_none_or(|t| t.starts_with("tag:yaml.org,2002:")) =>
            {
                let text = scalar.text;
                let string = |text| SigmaString { raw: text, expand, style: scalar.style };
                match (class, wanted) {
                    (Class::Null, _) => ValueKind::Null(text),
                    (Class::Bool, _) => {
                        ValueKind::Bool(matches!(text.as_bytes().first(), Some(b't' | b'T')), text)
                    }
                    (Class::Int | Class::Float, _) => ValueKind::Number(text),
                    (Class::Str, Wanted::Regex | Wanted::Cidr | Wanted::FieldName) => {
                        ValueKind::Verbatim(string(text))
                    }
                    (Class::Str, Wanted::Any | Wanted::Number | Wanted::Bool) => {
                        ValueKind::String(string(text))
                    }
                }
            }
            kind @ (Kind::Scalar(_) | Kind::Sequence(_) | Kind::Mapping(_)) => {
                let node = Node { kind, span: node.span, tag: node.tag };
                let what = if node.as_scalar().is_some() { "a tagged value" } else { node.describe() };
                let message = format!("a value is text, a number, true, false or null, not {what}");
                let help = "write one value, or a list of values; put quotes around text with `: `";
                self.error(codes::SIGMA_WRONG_TYPE, node.span, message, help);
                ValueKind::Unreadable(Box::new(node))
            }
        };
        Value { kind, span }
    }

    fn check_values(&mut self, item: &Item, wanted: Wanted, key: &Name) {
        let values = item.values.as_slice();
        for value in values {
            if let Some((message, help)) = misfit(value, wanted) {
                self.error(codes::SIGMA_VALUE, or_key(*value.span, key), message, help);
            }
        }
        // Most fields have neither of these.
        if item.modifiers.is_empty() {
            return;
        }
        if item.has(&Modifier::All) && values.len() < 2 {
            let span = item.modifiers.iter().find(|m| m.kind == Modifier::All).map_or(*key.span, |m| *m.span);
            self.warn(
                codes::SIGMA_VALUE,
                span,
                "`all` with one value changes nothing",
                "remove `all`, or add values",
            );
        }
        let on_text = item.modifiers.iter().find(|m| {
            let sets = [super::modifier::AFFIXES, super::modifier::BASE64, super::modifier::ENCODINGS];
            sets.iter().any(|set| set.contains(&m.kind)) || m.kind == Modifier::Windash
        });
        let encodes = item.modifiers.iter().find(|m| super::modifier::BASE64.contains(&m.kind));
        for value in values {
            let what = match &value.kind {
                ValueKind::Null(_) => Some("nothing"),
                ValueKind::Bool(..) => Some("a boolean"),
                ValueKind::Number(_)
                | ValueKind::String(_)
                | ValueKind::Verbatim(_)
                | ValueKind::Unreadable(_) => None,
            };
            // That `exists` has no text has been told.
            if let (Some(modifier), Some(what), false) = (on_text, what, item.has(&Modifier::Exists)) {
                let message = format!("`{}` takes text, not {what}", modifier.kind.name());
                let help = "remove the modifier, or put quotes around the value";
                self.error(codes::SIGMA_VALUE, or_key(*value.span, key), message, help);
            }
            let ValueKind::String(text) = &value.kind else { continue };
            if let Some(modifier) = encodes
                && text.parts().iter().any(|p| matches!(p, Part::Any | Part::One))
            {
                let message = format!("a wildcard cannot be encoded by `{}`", modifier.kind.name());
                self.error(
                    codes::SIGMA_VALUE,
                    *value.span,
                    message,
                    "write `\\*` or `\\?` if the character is meant",
                );
            }
        }
        if item.has(&Modifier::Expand) && !values.iter().any(has_placeholder) {
            let span =
                item.modifiers.iter().find(|m| m.kind == Modifier::Expand).map_or(*key.span, |m| *m.span);
            let message = "`expand` without a placeholder changes nothing";
            self.tell(
                Diagnostic::warning(codes::SIGMA_VALUE, span, message)
                    .with_help("placeholders are written `%name%`"),
            );
        }
    }
}

/// Whether `expand` has something to fill in; in a regular expression the percent signs alone count.
fn has_placeholder(value: &Value) -> bool {
    match &value.kind {
        ValueKind::String(text) => text.parts().iter().any(|p| matches!(p, Part::Placeholder(_))),
        ValueKind::Verbatim(text) => text.raw.contains('%'),
        ValueKind::Null(_) | ValueKind::Bool(..) | ValueKind::Number(_) | ValueKind::Unreadable(_) => false,
    }
}

/// Why a value is not what its field takes, and what to do.
fn misfit(value: &Value, wanted: Wanted) -> Option<(String, &'static str)> {
    let what = match &value.kind {
        ValueKind::Unreadable(_) => return None,
        ValueKind::Null(_) => "nothing",
        ValueKind::Bool(..) => "a boolean",
        ValueKind::Number(_) => "a number",
        ValueKind::String(_) | ValueKind::Verbatim(_) => "text",
    };
    match (wanted, &value.kind) {
        (Wanted::Any, _) => None,
        (Wanted::Regex | Wanted::FieldName, ValueKind::Verbatim(_)) => None,
        (Wanted::Regex, _) => {
            Some((format!("a regular expression is text, not {what}"), "put quotes around it"))
        }
        (Wanted::FieldName, _) => {
            Some((format!("the name of a field is text, not {what}"), "put quotes around it"))
        }
        (Wanted::Cidr, ValueKind::Verbatim(text)) => cidr_fault(&text.raw),
        (Wanted::Cidr, _) => {
            Some((format!("a network is text, not {what}"), "write it as 10.0.0.0/8 or fe80::/10"))
        }
        (Wanted::Number, ValueKind::Number(_)) => None,
        // A placeholder may become a number.
        (Wanted::Number, ValueKind::String(text)) if text.expand => None,
        (Wanted::Number, _) => {
            Some((format!("a number is compared here, not {what}"), "write a number without quotes"))
        }
        (Wanted::Bool, ValueKind::Bool(..)) => None,
        (Wanted::Bool, _) => {
            Some((format!("`exists` takes true or false, not {what}"), "write `true` or `false`"))
        }
    }
}

fn cidr_fault(text: &str) -> Option<(String, &'static str)> {
    const HELP: &str = "write it as 10.0.0.0/8 or fe80::/10";
    // A placeholder is filled in later.
    if text.contains('%') {
        return None;
    }
    let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
    let Ok(address) = address.parse::<IpAddr>() else {
        return Some((format!("`{}` is no network", text.trim()), HELP));
    };
    let widest = if address.is_ipv4() { 32 } else { 128 };
    match prefix.map(str::parse::<u8>) {
        None => None,
        Some(Ok(prefix)) if prefix <= widest => None,
        Some(_) => Some((
            format!("`{}` is no network", text.trim()),
            "the number behind `/` is at most 32, or 128 for IPv6",
        )),
    }
}
