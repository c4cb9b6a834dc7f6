//! Literals: decoded values with the form they had, so that the printer can write them the same way.

use smol_str::SmolStr;

/// A literal of a scalar expression. `dynamic(…)` is [`Dynamic`].
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    String(StringLiteral),
    Bool(bool),
    /// `5`, `0x1F`: text as written.
    Long(SmolStr),
    /// `1.5`, `1e3`: text as written.
    Real(SmolStr),
    /// A bare timespan `1.5h`: text as written.
    Timespan(SmolStr),
    /// `datetime(2024-01-01)`, `int(5)`, `guid(…)`, `long(null)`, …
    Typed(Box<TypedLiteral>),
    /// A bare `null`.
    Null,
}

/// `type(text)`
#[derive(Clone, Debug, PartialEq)]
pub struct TypedLiteral {
    pub ty: ScalarType,
    /// What stands between the parentheses, trimmed; quotes, if any, included.
    pub text: SmolStr,
}

impl TypedLiteral {
    pub fn is_null(&self) -> bool {
        self.text == "null"
    }

    /// The text without the quotes it may have: `2024-01-01` of `datetime('2024-01-01')`.
    pub fn unquoted(&self) -> &str {
        let quoted = |q: char| self.text.strip_prefix(q).and_then(|t| t.strip_suffix(q));
        quoted('\'').or_else(|| quoted('"')).unwrap_or(&self.text)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct StringLiteral {
    /// Decoded; adjacent literals are joined.
    pub value: SmolStr,
    pub form: StringForm,
    /// `h"…"`: hidden from the service's logs.
    pub obfuscated: bool,
}

impl StringLiteral {
    /// The form that reads best for the value.
    pub fn new(value: impl Into<SmolStr>) -> Self {
        let value = value.into();
        let verbatim = value.contains('\\') && StringForm::Verbatim.can_hold(&value);
        let form = if verbatim { StringForm::Verbatim } else { StringForm::Regular };
        Self { value, form, obfuscated: false }
    }
}

/// How a string was written. The quote character is the printer's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StringForm {
    /// `"…"` or `'…'` with backslash escapes
    Regular,
    /// `@"…"` or `@'…'`
    Verbatim,
    /// Three backticks or tildes
    Multiline,
}

impl StringForm {
    /// Whether a value can be written in the form such that it can be read and keeps its characters.
    pub fn can_hold(self, value: &str) -> bool {
        match self {
            Self::Regular => true,
            Self::Verbatim => !value.chars().any(is_hidden),
            Self::Multiline => {
                let ticks = !value.contains("```") && !value.ends_with('`');
                let tildes = !value.contains("~~~") && !value.ends_with('~');
                (ticks || tildes) && !value.chars().any(|c| is_hidden(c) && !matches!(c, '\n' | '\r' | '\t'))
            }
        }
    }
}

/// Characters that do not show, or that change how the text around them shows: written as escapes.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'
                ..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
        )
}

/// A type of the language; aliases are mapped (`date`, `double`, `boolean`, `time`, `uuid`, …).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ScalarType {
    Bool,
    Datetime,
    Decimal,
    Dynamic,
    Guid,
    Int,
    Long,
    Real,
    String,
    Timespan,
    /// A name the language reserves for a type without having it: `uint8`, `float`, …
    Other(SmolStr),
}

/// Spellings of the types, the canonical one first.
const TYPE_NAMES: &[(&str, ScalarType)] = &[
    ("bool", ScalarType::Bool),
    ("boolean", ScalarType::Bool),
    ("datetime", ScalarType::Datetime),
    ("date", ScalarType::Datetime),
    ("decimal", ScalarType::Decimal),
    ("dynamic", ScalarType::Dynamic),
    ("guid", ScalarType::Guid),
    ("uuid", ScalarType::Guid),
    ("uniqueid", ScalarType::Guid),
    ("int", ScalarType::Int),
    ("int32", ScalarType::Int),
    ("long", ScalarType::Long),
    ("int64", ScalarType::Long),
    ("real", ScalarType::Real),
    ("double", ScalarType::Real),
    ("string", ScalarType::String),
    ("timespan", ScalarType::Timespan),
    ("time", ScalarType::Timespan),
];

/// Type names without a type of their own in the language.
const OTHER_TYPES: &[&str] =
    &["int8", "uint8", "char", "byte", "int16", "uint16", "uint32", "uint", "uint64", "ulong", "float"];

impl ScalarType {
    /// The type that a keyword names.
    pub fn from_name(name: &str) -> Option<Self> {
        let known = TYPE_NAMES.iter().find(|(n, _)| *n == name).map(|(_, t)| t.clone());
        known.or_else(|| OTHER_TYPES.contains(&name).then(|| Self::Other(SmolStr::new(name))))
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Bool => "bool",
            Self::Datetime => "datetime",
            Self::Decimal => "decimal",
            Self::Dynamic => "dynamic",
            Self::Guid => "guid",
            Self::Int => "int",
            Self::Long => "long",
            Self::Real => "real",
            Self::String => "string",
            Self::Timespan => "timespan",
            Self::Other(name) => name,
        }
    }
}

/// What stands inside `dynamic(…)`.
#[derive(Clone, Debug, PartialEq)]
pub enum Dynamic {
    Null,
    Bool(bool),
    /// With its sign, as written.
    Number(SmolStr),
    String(StringLiteral),
    Array(Vec<Dynamic>),
    Object(Vec<(StringLiteral, Dynamic)>),
    /// A literal that JSON lacks: `1d`, `datetime(…)`, `guid(…)`.
    Literal(Literal),
    /// `{name}`
    ClientParameter(SmolStr),
    /// `dynamic(…)` inside of `dynamic(…)`.
    Nested(Box<Dynamic>),
}
