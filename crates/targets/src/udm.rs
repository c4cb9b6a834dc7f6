//! The Unified Data Model of Google SecOps: what a path such as `principal.user.email_addresses` leads to.
//!
//! In: names as a rule writes them (case-sensitive). Out: messages, fields, enumerations. The data is `targets/udm/types.toml`.

use ruleferry_ir::Type;
use ruleferry_ir::functions::closest;

include!(concat!(env!("OUT_DIR"), "/udm.rs"));

#[derive(Debug)]
pub struct UdmMessage {
    pub name: &'static str,
    /// Sorted by name.
    fields: &'static [UdmField],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UdmField {
    pub name: &'static str,
    pub ty: UdmType,
    pub repeated: bool,
    /// It can be followed by a key: `labels["x"]`.
    pub keyed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UdmType {
    Scalar(Type),
    /// [`message`]
    Message(u16),
    /// [`enumeration`]
    Enum(u16),
    /// From text keys to values.
    Map,
}

#[derive(Debug)]
pub struct UdmEnum {
    pub name: &'static str,
    /// Sorted by name; -1 for a number that is not known.
    values: &'static [(&'static str, i64)],
}

impl UdmMessage {
    pub fn field(&self, name: &str) -> Option<&'static UdmField> {
        self.fields.binary_search_by(|f| f.name.cmp(name)).ok().and_then(|i| self.fields.get(i))
    }

    /// The field most like this name, for "did you mean".
    pub fn similar_field(&self, name: &str) -> Option<&'static str> {
        closest(name, self.fields.iter().map(|f| f.name))
    }
}

impl UdmEnum {
    pub fn number(&self, name: &str) -> Option<i64> {
        let at = self.values.binary_search_by(|(n, _)| (*n).cmp(name)).ok()?;
        self.values.get(at).map(|(_, number)| *number)
    }

    pub fn similar(&self, name: &str) -> Option<&'static str> {
        closest(name, self.names())
    }

    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.values.iter().map(|(name, _)| *name)
    }
}

/// The message that `udm`, `graph` or `detection` stands for.
pub fn root(name: &str) -> Option<&'static UdmMessage> {
    let at = ROOTS.binary_search_by(|(n, _)| (*n).cmp(name)).ok()?;
    ROOTS.get(at).and_then(|(_, message_at)| message(*message_at))
}

pub fn message(at: u16) -> Option<&'static UdmMessage> {
    MESSAGES.get(usize::from(at))
}

pub fn enumeration(at: u16) -> Option<&'static UdmEnum> {
    ENUMS.get(usize::from(at))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found() {
        let event = root("udm").unwrap();
        let principal = event.field("principal").unwrap();
        let UdmType::Message(noun) = principal.ty else { panic!() };
        let ip = message(noun).unwrap().field("ip").unwrap();
        assert_eq!((ip.ty, ip.repeated), (UdmType::Scalar(Type::String), true));
        let UdmType::Message(metadata) = event.field("metadata").unwrap().ty else { panic!() };
        let UdmType::Enum(of) = message(metadata).unwrap().field("event_type").unwrap().ty else { panic!() };
        assert!(enumeration(of).unwrap().number("USER_LOGIN").is_some_and(|n| n > 0));
        assert!(enumeration(of).unwrap().number("NOPE").is_none());
        assert_eq!(event.similar_field("principl"), Some("principal"));
        assert!(root("graph").is_some() && root("detection").is_some() && root("x").is_none());
    }
}
