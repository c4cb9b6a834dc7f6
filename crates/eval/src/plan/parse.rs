//! `parse` and `parse-where`: one regular expression with a group for each column.
//!
//! Kusto: "parse operator", "parse-where operator".

use super::Evaluator;
use super::project::pick;
use crate::Value;
use crate::cast::cast;
use crate::expr::{Scope, filled, shown};
use crate::fault::{Fault, Result};
use crate::rows::{Row, Rows, Slots};
use ruleferry_diag::codes;
use ruleferry_ir::{ColId, Parse, ParseMode, ParsePiece, Plan, Type};

impl Evaluator<'_> {
    pub(super) fn parse(&self, plan: &Plan, input: Rows, node: &Parse) -> Result<Rows> {
        let columns: Vec<ColId> = node
            .pieces
            .iter()
            .filter_map(|piece| match piece {
                ParsePiece::Column(id) => Some(*id),
                ParsePiece::Star | ParsePiece::Text(_) => None,
            })
            .collect();
        let pattern = self.parse_pattern(node);
        let Some(regex) = self.regexes().find(&pattern, false) else {
            let message = "the pattern is not a valid regular expression";
            return Err(
                Fault::new(codes::EVAL_REGEX, plan.span, message).help(format!("it was read as `{pattern}`"))
            );
        };
        let slots = Slots::new(&input.columns);
        let mut all = input.columns.to_vec();
        all.extend(&columns);
        let all = Slots::new(&all);
        let mut output = plan.output.to_vec();
        output.extend(input.columns.iter().filter(|id| self.is_found(**id)));
        let places: Vec<Option<usize>> = output.iter().map(|id| all.get(*id)).collect();
        let mut rows: Vec<Row> = Vec::with_capacity(input.rows.len());
        for row in &input.rows {
            let subject = shown(&self.expr(&node.subject, &Scope::new(&slots, row))?);
            let found = regex.captures(&subject).and_then(|captures| {
                let group = |n: usize| captures.get(n + 1).map_or("", |m| m.as_str());
                self.parsed_values(node.mode, &columns, group)
            });
            if found.is_none() && node.filter {
                continue;
            }
            let values = found.unwrap_or_else(|| columns.iter().map(|id| self.missing_value(*id)).collect());
            let wide: Vec<Value> = row.iter().cloned().chain(values).collect();
            rows.push(pick(&wide, &places));
        }
        Ok(Rows { columns: output.into(), rows })
    }

    /// The texts of the groups as the types of their columns. In the strict modes one that does not convert makes the whole row
    /// no match.
    fn parsed_values<'t>(
        &self,
        mode: ParseMode,
        columns: &[ColId],
        group: impl Fn(usize) -> &'t str,
    ) -> Option<Vec<Value>> {
        let value = |(n, id): (usize, &ColId)| {
            let ty = self.ty(*id);
            let value = cast(&Value::string(group(n)), if ty == Type::Unknown { Type::String } else { ty });
            match mode {
                ParseMode::Relaxed => Some(value),
                ParseMode::Simple | ParseMode::Regex => (!value.is_null()).then_some(value),
            }
        };
        columns.iter().enumerate().map(value).collect()
    }

    /// What a column holds where nothing was found for it.
    pub(super) fn missing_value(&self, id: ColId) -> Value {
        match self.ty(id) {
            Type::String | Type::Unknown => filled(Value::Null),
            _ => Value::Null,
        }
    }

    /// The regular expression with a group for each column, in their order.
    ///
    /// Texts stand for themselves but in the mode `regex`. There `*` and columns take as much as they can, as the examples show
    /// (the page's text says the opposite), and a dot is no line break unless the flag `s` says so.
    fn parse_pattern(&self, node: &Parse) -> String {
        let regex = node.mode == ParseMode::Regex;
        let mut flags: String = node.flags.chars().filter(|c| "imsUuxR".contains(*c)).collect();
        if !regex {
            "s".clone_into(&mut flags);
        }
        let mut out = if flags.is_empty() { String::new() } else { format!("(?{flags})") };
        // Without a star in front the first text stands at the start.
        if !regex && !matches!(node.pieces.first(), Some(ParsePiece::Star)) {
            out.push('^');
        }
        for (i, piece) in node.pieces.iter().enumerate() {
            let next = node.pieces.get(i + 1);
            match piece {
                // At the ends of the pattern a star need not be spelled out.
                ParsePiece::Star if next.is_none() || (i == 0 && !regex) => {}
                ParsePiece::Star => out.push_str(if regex { ".*" } else { ".*?" }),
                ParsePiece::Text(text) if regex => out.push_str(&without_groups(text)),
                ParsePiece::Text(text) => out.push_str(&::regex::escape(text)),
                ParsePiece::Column(id) => out.push_str(group_of(self.ty(*id), node.mode, next)),
            }
        }
        out
    }
}

/// The group of a column: by the shape of its type, else up to what follows.
fn group_of(ty: Type, mode: ParseMode, next: Option<&ParsePiece>) -> &'static str {
    let relaxed = mode == ParseMode::Relaxed;
    match ty {
        Type::Int | Type::Long if !relaxed => return "([+-]?[0-9]+)",
        Type::Real | Type::Decimal if !relaxed => return r"([+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)",
        Type::Int | Type::Long if matches!(next, Some(ParsePiece::Star)) => return "([+-]?[0-9]*)",
        _ => {}
    }
    match (mode, next) {
        (ParseMode::Regex, _) | (ParseMode::Simple | ParseMode::Relaxed, None) => "(.*)",
        (ParseMode::Simple | ParseMode::Relaxed, Some(ParsePiece::Star)) if ty == Type::String => "(.*)",
        (ParseMode::Simple | ParseMode::Relaxed, Some(_)) => "(.*?)",
    }
}

/// A pattern whose capture groups capture no more, so that only the columns' groups are counted.
fn without_groups(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    // Classes may stand inside of each other.
    let mut classes = 0usize;
    while let Some(c) = rest.chars().next() {
        let tail = rest.get(c.len_utf8()..).unwrap_or_default();
        let named = ["(?P<", "(?<"].into_iter().find(|start| classes == 0 && rest.starts_with(start));
        if let Some((_, after)) =
            named.and_then(|start| rest.strip_prefix(start)).and_then(|t| t.split_once('>'))
        {
            out.push_str("(?:");
            rest = after;
            continue;
        }
        out.push(c);
        rest = tail;
        match c {
            '\\' => {
                let mut chars = rest.chars();
                out.extend(chars.next());
                rest = chars.as_str();
            }
            '[' => classes += 1,
            ']' => classes = classes.saturating_sub(1),
            '(' if classes == 0 && !rest.starts_with('?') => out.push_str("?:"),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::without_groups;

    #[test]
    fn groups_of_the_pattern_do_not_count() {
        for (given, wanted) in [
            ("(a|b)c", "(?:a|b)c"),
            (r"\(a[(]", r"\(a[(]"),
            ("(?P<n>x)(?<m>y)(?i:z)", "(?:x)(?:y)(?i:z)"),
            ("[[a](](b)", "[[a](](?:b)"),
        ] {
            assert_eq!(without_groups(given), wanted, "{given}");
        }
    }
}
