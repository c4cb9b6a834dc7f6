//! How events of another language's tables stand in YARA-L while their field names are still the source's own.
//!
//! The lowering writes this form and the lift reads it; both ask here. The table `UDM` is the events as they are, its columns
//! the paths of UDM. Any other table `T` is the events with
//! `metadata.event_type = "GENERIC_EVENT"` and `metadata.log_type = "T"`; its column `C` is the field `C`, or
//! `additional.fields["C"]` where the name is no path. The time of the events is `metadata.event_timestamp`.

use crate::syntax::tree::{Field, Step};
use crate::syntax::{is_identifier, literal::Text};
use ruleferry_ir::Type;
use ruleferry_targets::udm;
use smol_str::SmolStr;

/// The table whose columns are the fields of UDM.
pub const UDM_TABLE: &str = "UDM";
/// The event type of events that no type is known of.
pub const GENERIC_EVENT: &str = "GENERIC_EVENT";
/// The field that names the type of an event.
pub const EVENT_TYPE: &str = "metadata.event_type";
/// The field that names the table.
pub const LOG_TYPE: &str = "metadata.log_type";
/// The id of an event: no two have the same.
pub const EVENT_ID: &str = "metadata.id";
/// The time of an event, in whole seconds since 1970.
pub const EVENT_SECONDS: &str = "metadata.event_timestamp.seconds";
/// The meta key of how far the source looks back, as `90m`, `12h`, `7d`.
pub const LOOK_BACK: &str = "look_back";

/// First steps of paths with a meaning of their own.
const ROOTS: [&str; 3] = ["udm", "graph", "detection"];

/// Whether a path that begins so is one of UDM itself.
pub fn is_udm(first: &str) -> bool {
    ROOTS.contains(&first) || udm::root("udm").is_some_and(|m| m.field(first).is_some())
}

/// What is known of tables from elsewhere.
pub trait Tables {
    fn column(&self, table: &str, column: &str) -> Option<Type>;
    /// The column that holds the time of the events.
    fn time(&self, table: &str) -> Option<SmolStr>;
}

/// A condition on the time of events that says how far back they are looked at: `time > now - ticks`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookBack {
    pub ticks: i64,
    /// An event that is as old as that counts, too.
    pub inclusive: bool,
    /// None is later than now.
    pub until_now: bool,
}

/// The field of a column of a table that is not `UDM`.
pub fn field(var: &str, column: &str) -> Field {
    let mut steps = column.split('.').peekable();
    let free = steps.peek().is_some_and(|first| !is_udm(first));
    if free && column.split('.').all(is_identifier) {
        return Field { var: var.into(), steps: steps.map(|s| Step::Name(s.into())).collect() };
    }
    Field::path(var, "additional.fields").step(Step::Key(Text::quoted(column)))
}

/// The column of a table that is not `UDM` behind the steps of a path, and how many of the steps name it: all of a path of
/// names, three of `additional.fields["…"]`. `None` where the path is not in this form (`metadata.id`).
pub fn column(steps: &[Step]) -> Option<(SmolStr, usize)> {
    if let [Step::Name(first), Step::Name(second), Step::Key(key), ..] = steps
        && first == "additional"
        && second == "fields"
    {
        return Some((key.value.clone(), 3));
    }
    let names: Vec<&str> = steps
        .iter()
        .map_while(|s| match s {
            Step::Name(name) => Some(name.as_str()),
            Step::Index(_) | Step::Key(_) => None,
        })
        .collect();
    let first = names.first()?;
    (!is_udm(first)).then(|| (names.join(".").into(), names.len()))
}

/// Letters for the lengths of time that rules look back, the longest first.
const UNITS: [(i64, char); 4] = [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')];

/// A length of time in ticks as the meta key says it; `None` for parts of seconds.
pub fn write_look_back(ticks: i64) -> Option<String> {
    let seconds = ticks / ruleferry_ir::TICKS_PER_SECOND;
    if seconds <= 0 || ticks % ruleferry_ir::TICKS_PER_SECOND != 0 {
        return None;
    }
    let (length, letter) = UNITS.into_iter().find(|(length, _)| seconds % length == 0)?;
    Some(format!("{}{letter}", seconds / length))
}

/// The same read.
pub fn read_look_back(text: &str) -> Option<i64> {
    let letter = text.chars().next_back()?;
    let (length, _) = UNITS.into_iter().find(|(_, l)| *l == letter)?;
    let number: i64 = text.strip_suffix(letter)?.parse().ok().filter(|n| *n > 0)?;
    number.checked_mul(length)?.checked_mul(ruleferry_ir::TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::print_expr;

    #[test]
    fn columns_and_fields() {
        for (name, text) in [
            ("Image", "$e.Image"),
            ("event.action", "$e.event.action"),
            ("Command Line", "$e.additional.fields[\"Command Line\"]"),
            ("a\"b\\c", "$e.additional.fields[\"a\\\"b\\\\c\"]"),
            ("metadata.id", "$e.additional.fields[\"metadata.id\"]"),
            ("udm", "$e.additional.fields[\"udm\"]"),
            ("target.user", "$e.additional.fields[\"target.user\"]"),
            ("a..b", "$e.additional.fields[\"a..b\"]"),
            ("", "$e.additional.fields[\"\"]"),
            ("Ünï", "$e.additional.fields[\"Ünï\"]"),
        ] {
            let made = field("e", name);
            assert_eq!(print_expr(&made.clone().expr()), text);
            assert_eq!(column(&made.steps), Some((name.into(), made.steps.len())), "{name}");
        }
        assert_eq!(column(&Field::path("e", EVENT_ID).steps), None);
    }

    #[test]
    fn look_backs() {
        for text in ["90s", "5m", "90m", "12h", "7d"] {
            let ticks = read_look_back(text).unwrap_or_default();
            assert_eq!(write_look_back(ticks).as_deref(), Some(text));
        }
        assert_eq!(read_look_back("0d"), None);
        assert_eq!(read_look_back("é"), None);
        assert_eq!(write_look_back(5), None);
    }
}
