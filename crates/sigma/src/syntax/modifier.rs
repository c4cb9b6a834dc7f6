//! The modifiers of Sigma 2.1, as data: their names, and which of them do not go together.

use smol_str::SmolStr;

macro_rules! modifiers {
    ($($variant:ident = $name:literal $(| $alias:literal)*),* $(,)?) => {
        /// What stands behind a `|` of a field.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Modifier {
            $(#[doc = $name] $variant,)*
            /// One that Sigma does not have; a diagnostic has told so.
            Unknown(SmolStr),
        }

        impl Modifier {
            /// The names that Sigma has, in the order of the specification.
            pub const NAMES: &[&str] = &[$($name),*];

            pub fn from_name(name: &str) -> Self {
                match name {
                    $($name $(| $alias)* => Self::$variant,)*
                    _ => Self::Unknown(SmolStr::new(name)),
                }
            }

            pub fn name(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Unknown(name) => name,
                }
            }
        }
    };
}

// The long names of the flags are pySigma's.
modifiers! {
    All = "all",
    StartsWith = "startswith",
    EndsWith = "endswith",
    Contains = "contains",
    Exists = "exists",
    Cased = "cased",
    Neq = "neq",
    Windash = "windash",
    Re = "re",
    IgnoreCase = "i" | "ignorecase",
    Multiline = "m" | "multiline",
    DotAll = "s" | "dotall",
    Base64 = "base64",
    Base64Offset = "base64offset",
    Utf16Le = "utf16le",
    Wide = "wide",
    Utf16Be = "utf16be",
    Utf16 = "utf16",
    Lt = "lt",
    Lte = "lte",
    Gt = "gt",
    Gte = "gte",
    Minute = "minute",
    Hour = "hour",
    Day = "day",
    Week = "week",
    Month = "month",
    Year = "year",
    Cidr = "cidr",
    Expand = "expand",
    FieldRef = "fieldref",
}

use Modifier::{
    All, Base64, Base64Offset, Cased, Cidr, Contains, Day, DotAll, EndsWith, Exists, Expand, FieldRef, Gt,
    Gte, Hour, IgnoreCase, Lt, Lte, Minute, Month, Multiline, Neq, Re, StartsWith, Utf16, Utf16Be, Utf16Le,
    Week, Wide, Windash, Year,
};

pub(crate) const AFFIXES: &[Modifier] = &[StartsWith, EndsWith, Contains];
pub(crate) const FLAGS: &[Modifier] = &[IgnoreCase, Multiline, DotAll];
pub(crate) const ENCODINGS: &[Modifier] = &[Utf16Le, Wide, Utf16Be, Utf16];
pub(crate) const BASE64: &[Modifier] = &[Base64, Base64Offset];
pub(crate) const COMPARES: &[Modifier] = &[Lt, Lte, Gt, Gte];
pub(crate) const TIME_PARTS: &[Modifier] = &[Minute, Hour, Day, Week, Month, Year];

/// Two sets of modifiers of which one field cannot have one each (or, where they are the same set, two), and why.
pub(crate) const CONFLICTS: &[(&[Modifier], &[Modifier], &str)] = &[
    (AFFIXES, AFFIXES, "a value is looked for in one place of the field"),
    (AFFIXES, COMPARES, "numbers are compared as a whole"),
    (AFFIXES, TIME_PARTS, "parts of a time are numbers"),
    (AFFIXES, &[Cidr], "a network is matched as a whole"),
    (AFFIXES, &[Re], "a regular expression says itself where it matches"),
    (&[Re], &[Cidr, FieldRef, Windash, Cased], "the value is one kind of thing"),
    (&[Re], COMPARES, "a regular expression is no number"),
    (&[Re], BASE64, "a regular expression cannot be encoded"),
    (&[Re], ENCODINGS, "a regular expression cannot be encoded"),
    (&[Cidr], &[FieldRef, Windash, Cased], "the value is one kind of thing"),
    (&[Cidr], BASE64, "a network cannot be encoded"),
    (&[Cidr], ENCODINGS, "a network cannot be encoded"),
    (&[Cidr], COMPARES, "a network is no number"),
    (COMPARES, COMPARES, "write one field for each bound, in one mapping"),
    (COMPARES, BASE64, "a number cannot be encoded"),
    (COMPARES, ENCODINGS, "a number cannot be encoded"),
    (COMPARES, &[Windash, Cased], "a number has neither dashes nor case"),
    (COMPARES, &[Neq], "write the opposite comparison"),
    (TIME_PARTS, TIME_PARTS, "one part of a time can be compared"),
    (TIME_PARTS, &[Re, Cidr, Windash, Cased], "parts of a time are numbers"),
    (TIME_PARTS, BASE64, "parts of a time are numbers"),
    (TIME_PARTS, ENCODINGS, "parts of a time are numbers"),
    (BASE64, BASE64, "a value is encoded once"),
    (ENCODINGS, ENCODINGS, "a value is encoded once"),
    (&[FieldRef], BASE64, "the name of a field cannot be encoded"),
    (&[FieldRef], ENCODINGS, "the name of a field cannot be encoded"),
    (&[FieldRef], &[Windash, Expand], "the value is the name of a field"),
    (&[Exists], AFFIXES, "only true or false can be asked"),
    (&[Exists], COMPARES, "only true or false can be asked"),
    (&[Exists], TIME_PARTS, "only true or false can be asked"),
    (&[Exists], BASE64, "only true or false can be asked"),
    (&[Exists], ENCODINGS, "only true or false can be asked"),
    (&[Exists], &[All, Re, Cidr, Windash, Expand, FieldRef, Cased, Neq], "only true or false can be asked"),
];

/// `(earlier, later)`: where a field has one of each, this is their order, since each changes what the next one gets.
pub(crate) const ORDER: &[(&[Modifier], &[Modifier], &str)] = &[
    (ENCODINGS, BASE64, "the text is encoded as UTF-16 first, then as Base64"),
    (&[Windash], BASE64, "dashes are exchanged before the text is encoded"),
    (BASE64, AFFIXES, "what is looked for is the encoded text"),
    (ENCODINGS, AFFIXES, "what is looked for is the encoded text"),
    (&[Re], FLAGS, "a flag stands behind `re`"),
];

/// How a field reads its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Text with wildcards, a number, a boolean or null.
    Any,
    /// Text as it is.
    Regex,
    Cidr,
    FieldName,
    Number,
    Bool,
}

pub(crate) fn wanted(modifiers: &[super::ItemModifier]) -> Wanted {
    for modifier in modifiers {
        match modifier.kind {
            Re => return Wanted::Regex,
            Cidr => return Wanted::Cidr,
            FieldRef => return Wanted::FieldName,
            Lt | Lte | Gt | Gte | Minute | Hour | Day | Week | Month | Year => return Wanted::Number,
            Exists => return Wanted::Bool,
            All
            | StartsWith
            | EndsWith
            | Contains
            | Cased
            | Neq
            | Windash
            | IgnoreCase
            | Multiline
            | DotAll
            | Base64
            | Base64Offset
            | Utf16Le
            | Wide
            | Utf16Be
            | Utf16
            | Expand
            | Modifier::Unknown(_) => {}
        }
    }
    Wanted::Any
}
