//! IPv4 and IPv6 addresses.
//!
//! An IPv4 address meets IPv6 ones as `::ffff:a.b.c.d`; a text that is no address gives null, or `""` where a text comes out.
//!
//! Source: Kusto documentation, "parse_ipv4()", "parse_ipv6()", "ipv4_compare()", "ipv6_compare()", "has_ipv4()", "format_ipv4()" and
//! their neighbours; RFC 4291 for the texts of IPv6 addresses.

use super::{Call, Scalar, long, text};
use crate::Value;
use crate::fault::Result;
use ruleferry_ir::Json;
use smol_str::{SmolStr, format_smolstr};
use std::cmp::Ordering;
use std::net::{Ipv4Addr, Ipv6Addr};

pub(super) static TABLE: &[(&str, Scalar)] = &[
    ("format_ipv4", format_ipv4),
    ("format_ipv4_mask", format_ipv4),
    ("has_any_ipv4", has_ipv4),
    ("has_any_ipv4_prefix", has_ipv4_prefix),
    ("has_ipv4", has_ipv4),
    ("has_ipv4_prefix", has_ipv4_prefix),
    ("ipv4_compare", ipv4_compare),
    ("ipv4_is_in_any_range", ipv4_is_in_range),
    ("ipv4_is_in_range", ipv4_is_in_range),
    ("ipv4_is_match", ipv4_compare),
    ("ipv4_is_private", ipv4_is_private),
    ("ipv4_netmask_suffix", ipv4_netmask_suffix),
    ("ipv4_range_to_cidr_list", ipv4_range_to_cidr_list),
    ("ipv6_compare", ipv6_compare),
    ("ipv6_is_in_any_range", ipv6_is_in_range),
    ("ipv6_is_in_range", ipv6_is_in_range),
    ("ipv6_is_match", ipv6_compare),
    ("parse_ipv4", parse_ipv4),
    ("parse_ipv4_mask", parse_ipv4),
    ("parse_ipv6", parse_ipv6),
    ("parse_ipv6_mask", parse_ipv6),
];

/// An address with the length of its network prefix; without one, all bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct V4 {
    bits: u32,
    prefix: u32,
}

impl V4 {
    /// `1.2.3.4`, `1.2.3.4/24`
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, length(prefix, 32)?),
            None => (text, 32),
        };
        let mut bits = 0;
        let mut octets = 0;
        for octet in address.split('.') {
            if octet.is_empty() || octet.len() > 3 || !octet.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            bits = bits << 8 | u32::from(octet.parse::<u8>().ok()?);
            octets += 1;
            if octets > 4 {
                return None;
            }
        }
        (octets == 4).then_some(Self { bits, prefix })
    }

    /// The bits of the network: those behind the prefix are 0.
    fn network(self, prefix: u32) -> u32 {
        self.bits & u32::MAX.checked_shl(32 - prefix.min(32)).unwrap_or(0)
    }

    fn of_value(value: &Value) -> Option<Self> {
        match long(std::slice::from_ref(value), 0) {
            Some(n) => Some(Self { bits: u32::try_from(n).ok()?, prefix: 32 }),
            None => Self::parse(value.text()?),
        }
    }
}

/// The same for addresses of either version, IPv4 as `::ffff:a.b.c.d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct V6 {
    bits: u128,
    prefix: u32,
}

impl V6 {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        // `::1.2.3.4` is read as an IPv4 address, prefix included.
        if let Some(v4) = V4::parse(text.strip_prefix("::").unwrap_or(text)) {
            return Some(Self { bits: u128::from(v4.bits) | 0xffff_0000_0000, prefix: v4.prefix + 96 });
        }
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, length(prefix, 128)?),
            None => (text, 128),
        };
        let address = address.split_once('%').map_or(address, |(address, _zone)| address);
        Some(Self { bits: address.parse::<Ipv6Addr>().ok()?.to_bits(), prefix })
    }

    fn network(self, prefix: u32) -> u128 {
        self.bits & u128::MAX.checked_shl(128 - prefix.min(128)).unwrap_or(0)
    }
}

/// An address as a number of IPv6.
pub(super) fn number(text: &str) -> Option<u128> {
    V6::parse(text).map(|a| a.bits)
}

/// The digits behind the slash.
fn length(text: &str, most: u32) -> Option<u32> {
    let text = text.trim();
    let digits = !text.is_empty() && text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok().filter(|n| *n <= most) } else { None }
}

/// The optional prefix length at `index`: `most` where it is not given, `None` where it is null.
fn mask(args: &[Value], index: usize, most: u32) -> Option<u32> {
    match args.get(index) {
        None => Some(most),
        Some(_) => u32::try_from(long(args, index)?.clamp(0, i64::from(most))).ok(),
    }
}

/// Whether a text is an IP address of a range in CIDR form. A range of IPv4 holds IPv4 addresses only, as `::ffff:10.0.0.1` is
/// written as one of IPv6; in a range of IPv6 an IPv4 address counts as that. A text that is none is in no range.
pub fn in_cidr(address: &str, range: &str) -> bool {
    let inside = if V4::parse(range).is_some() { v4_in(address, range) } else { v6_in(address, range) };
    inside == Some(true)
}

/// A range in CIDR form: its first and last address as numbers of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    pub first: u128,
    pub last: u128,
    /// Written as IPv4: addresses that are written as IPv6 are not in it.
    pub v4: bool,
    prefix: u32,
}

impl Network {
    /// `None` where a text is no range.
    pub fn parse(range: &str) -> Option<Self> {
        let read = V6::parse(range)?;
        Some(Self { v4: V4::parse(range).is_some(), ..Self::of(read) })
    }

    fn of(range: V6) -> Self {
        let first = range.network(range.prefix);
        let last = first | u128::MAX.checked_shr(range.prefix).unwrap_or(0);
        Self { first, last, v4: false, prefix: range.prefix }
    }

    /// The same addresses, and those that write them as IPv6.
    #[must_use]
    pub const fn with_mapped(self) -> Self {
        Self { v4: false, ..self }
    }

    /// Whether each address of it is in another.
    pub const fn is_within(&self, other: &Self) -> bool {
        other.first <= self.first && self.last <= other.last && (self.v4 || !other.v4)
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mapped = u32::try_from(self.first ^ 0xffff_0000_0000).ok().filter(|_| self.v4);
        match mapped {
            Some(bits) => write!(f, "{}/{}", Ipv4Addr::from_bits(bits), self.prefix.saturating_sub(96)),
            None => write!(f, "{}/{}", Ipv6Addr::from_bits(self.first), self.prefix),
        }
    }
}

fn v6_in(address: &str, range: &str) -> Option<bool> {
    let range = V6::parse(range)?;
    Some(V6::parse(address)?.network(range.prefix) == range.network(range.prefix))
}

fn v4_in(address: &str, range: &str) -> Option<bool> {
    let range = V4::parse(range)?;
    Some(V4::parse(address)?.network(range.prefix) == range.network(range.prefix))
}

/// What a call names after its first argument: texts, or the elements of one array.
fn listed(args: &[Value]) -> Vec<SmolStr> {
    let mut out = Vec::new();
    for value in args.iter().skip(1) {
        match value.as_array() {
            Some(items) => out.extend(items.iter().filter_map(|item| match item {
                Json::String(s) => Some(s.clone()),
                Json::Null
                | Json::Bool(_)
                | Json::Long(_)
                | Json::Real(_)
                | Json::Datetime(_)
                | Json::Timespan(_)
                | Json::Array(_)
                | Json::Object(_) => None,
            })),
            None => out.extend(value.text().map(SmolStr::from)),
        }
    }
    out
}

/// Whether one of the ranges holds the address; ranges that are none are passed over if there is a list of them.
fn in_ranges(call: &Call<'_>, args: &[Value], test: fn(&str, &str) -> Option<bool>, known: bool) -> Value {
    let address = text(args, 0);
    if !call.name.contains("_any_") {
        return test(address, text(args, 1)).map_or(Value::Null, Value::Bool);
    }
    if !known {
        return Value::Null;
    }
    Value::Bool(listed(args).iter().any(|range| test(address, range) == Some(true)))
}

fn ipv4_is_in_range(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(in_ranges(call, args, v4_in, V4::parse(text(args, 0)).is_some()))
}

fn ipv6_is_in_range(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(in_ranges(call, args, v6_in, V6::parse(text(args, 0)).is_some()))
}

/// `…_compare` and `…_is_match`: an order, or whether it is that of equals.
fn ordered(call: &Call<'_>, order: Option<Ordering>) -> Value {
    match order {
        None => Value::Null,
        Some(order) if call.name.ends_with("_is_match") => Value::Bool(order == Ordering::Equal),
        Some(order) => Value::Long(order as i64),
    }
}

fn ipv4_compare(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let order = || {
        let (a, b) = (V4::parse(text(args, 0))?, V4::parse(text(args, 1))?);
        let prefix = mask(args, 2, 32)?.min(a.prefix).min(b.prefix);
        Some(a.network(prefix).cmp(&b.network(prefix)))
    };
    Ok(ordered(call, order()))
}

fn ipv6_compare(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let order = || {
        let (a, b) = (V6::parse(text(args, 0))?, V6::parse(text(args, 1))?);
        let prefix = mask(args, 2, 128)?.min(a.prefix).min(b.prefix);
        Some(a.network(prefix).cmp(&b.network(prefix)))
    };
    Ok(ordered(call, order()))
}

fn ipv4_is_private(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    // RFC 1918
    const PRIVATE: [(u32, u32); 3] = [(0x0a00_0000, 8), (0xac10_0000, 12), (0xc0a8_0000, 16)];
    Ok(V4::parse(text(args, 0)).map_or(Value::Null, |ip| {
        let network = V4 { bits: ip.network(ip.prefix), prefix: 32 };
        Value::Bool(PRIVATE.iter().any(|(bits, prefix)| network.network(*prefix) == *bits))
    }))
}

fn ipv4_netmask_suffix(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(V4::parse(text(args, 0)).map_or(Value::Null, |ip| Value::Long(i64::from(ip.prefix))))
}

/// Also `parse_ipv4_mask`.
fn parse_ipv4(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let network = || {
        let ip = V4::parse(text(args, 0))?;
        Some(ip.network(mask(args, 1, 32)?.min(ip.prefix)))
    };
    Ok(network().map_or(Value::Null, |bits| Value::Long(i64::from(bits))))
}

/// Also `parse_ipv6_mask`: all groups, with all their digits.
fn parse_ipv6(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let network = || {
        let ip = V6::parse(text(args, 0))?;
        Some(ip.network(mask(args, 1, 128)?.min(ip.prefix)))
    };
    Ok(network().map_or(Value::EMPTY, |bits| {
        let groups: Vec<String> =
            Ipv6Addr::from_bits(bits).segments().iter().map(|g| format!("{g:04x}")).collect();
        Value::string(groups.join(":"))
    }))
}

/// Also `format_ipv4_mask`, which writes the prefix behind the address.
fn format_ipv4(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let formatted = || {
        let ip = V4::of_value(args.first()?)?;
        let prefix = match args.get(1) {
            None => ip.prefix,
            Some(_) => u32::try_from(long(args, 1)?).ok().filter(|n| *n <= 32)?.min(ip.prefix),
        };
        let address = Ipv4Addr::from_bits(ip.network(prefix));
        Some(if call.name == "format_ipv4_mask" {
            format_smolstr!("{address}/{prefix}")
        } else {
            format_smolstr!("{address}")
        })
    };
    Ok(formatted().map_or(Value::EMPTY, Value::String))
}

/// The shortest list of networks that holds the addresses from one to another, and no others.
fn ipv4_range_to_cidr_list(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let (Some(first), Some(last)) = (V4::parse(text(args, 0)), V4::parse(text(args, 1))) else {
        return Ok(Value::Null);
    };
    let (mut at, last) = (u64::from(first.bits), u64::from(last.bits));
    if at > last {
        return Ok(Value::Null);
    }
    let mut out = Vec::new();
    while at <= last {
        // The largest network that starts here and does not reach beyond the end.
        let aligned = at.trailing_zeros().min(32);
        let room = (last - at + 1).ilog2();
        let size = aligned.min(room);
        let address = Ipv4Addr::from_bits(u32::try_from(at).unwrap_or(u32::MAX));
        out.push(Json::String(format_smolstr!("{address}/{}", 32 - size)));
        at += 1 << size;
    }
    Ok(Value::array(out))
}

/// Whether nothing of a word or an address is before (behind) it.
fn is_border(c: Option<char>) -> bool {
    c.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '.')
}

/// Where a needle stands in a text with a border before it: what follows it.
fn after_each<'t>(text: &'t str, needle: &'t str) -> impl Iterator<Item = &'t str> {
    text.match_indices(needle).filter_map(move |(at, _)| {
        let before = text.get(..at)?.chars().next_back();
        if is_border(before) { text.get(at + needle.len()..) } else { None }
    })
}

/// Also `has_any_ipv4`.
fn has_ipv4(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let has = |needle: &SmolStr| {
        V4::parse(needle).is_some()
            && !needle.contains('/')
            && after_each(text(args, 0), needle).any(|rest| {
                // The full stop of a sentence may follow.
                let rest = rest.strip_prefix('.').filter(|r| is_border(r.chars().next())).unwrap_or(rest);
                is_border(rest.chars().next())
            })
    };
    Ok(Value::Bool(listed(args).iter().any(has)))
}

/// Also `has_any_ipv4_prefix`. A prefix is a whole address, or octets with a dot behind each.
fn has_ipv4_prefix(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let has = |needle: &SmolStr| {
        let octets = needle.matches('.').count();
        let prefix = needle.ends_with('.')
            && (1..=3).contains(&octets)
            && V4::parse(&format!("{needle}{}", ["0.0.0", "0.0", "0"].get(octets - 1).unwrap_or(&"")))
                .is_some();
        (prefix || V4::parse(needle).is_some())
            && after_each(text(args, 0), needle).any(|rest| {
                let length = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
                let (more, rest) = rest.split_at_checked(length).unwrap_or((rest, ""));
                is_border(rest.chars().next())
                    && V4::parse(format!("{needle}{more}").trim_end_matches('.')).is_some()
            })
    };
    Ok(Value::Bool(listed(args).iter().any(has)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_addresses_of_both_versions() {
        for (address, range, inside) in [
            ("10.1.2.3", "10.0.0.0/8", true),
            ("11.1.2.3", "10.0.0.0/8", false),
            ("1.2.3.4", "0.0.0.0/0", true),
            ("2001:db8::1", "2001:db8::/32", true),
            ("2001:db9::1", "2001:db8::/32", false),
            // Written as IPv6, it is in ranges of IPv6 only, which take both ways of writing.
            ("::ffff:10.1.2.3", "10.0.0.0/8", false),
            ("::ffff:10.1.2.3", "::ffff:10.0.0.0/104", true),
            ("10.1.2.3", "::ffff:10.0.0.0/104", true),
            ("fe80::1%eth0", "fe80::/10", true),
            ("10.1.2.3", "10.1.2.3", true),
            ("x", "10.0.0.0/8", false),
            ("10.1.2.3", "10.0.0.0/33", false),
            ("10.1.2.256", "0.0.0.0/0", false),
            ("", "::/0", false),
        ] {
            assert_eq!(in_cidr(address, range), inside, "{address} in {range}");
        }
    }

    #[test]
    fn addresses_are_four_octets() {
        for bad in
            ["1.2.3", "1.2.3.4.5", "1.2.3.4/33", "1.2.3.4/", "1.2.3.", "1.2.3.+4", "1..2.3", "0001.2.3.4"]
        {
            assert_eq!(V4::parse(bad), None, "{bad}");
        }
        assert_eq!(V4::parse(" 1.2.3.4/24 ").map(|ip| ip.network(ip.prefix)), Some(0x0102_0300));
    }
}
