//! Modifiers that make other texts of a value: `expand`, `windash`, `wide` and its kind, `base64`, `base64offset`.
//!
//! In: the parts of a value. Out: the parts of every text that it stands for.

use crate::syntax::{Modifier, Part, SigmaString};
use indexmap::IndexMap;
use smol_str::SmolStr;

/// More texts than this are refused: a value must not grow without bound.
pub(super) const MAX_TEXTS: usize = 10_000;

/// Why a value cannot be transformed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No values were given for the placeholder.
    Placeholder(SmolStr),
    TooMany,
    /// Encodings need text without wildcards.
    Wildcard(&'static str),
    /// Nothing of so short a text is sure in the encoding.
    TooShort,
    /// The bytes of the encoding are no text.
    NoText(&'static str),
}

/// What a value is between two modifiers: text with wildcards, or bytes of an encoding.
#[derive(Clone, Debug, PartialEq)]
enum Form {
    Parts(Vec<Part>),
    Bytes(Vec<u8>),
}

pub(super) fn texts(
    parts: Vec<Part>,
    modifiers: impl Iterator<Item = Modifier>,
    values: &IndexMap<SmolStr, Vec<SmolStr>>,
) -> Result<Vec<Vec<Part>>, Refusal> {
    let mut forms: Vec<Form> = expand(parts, values)?.into_iter().map(Form::Parts).collect();
    for modifier in modifiers {
        let mut next = Vec::with_capacity(forms.len());
        for form in forms {
            apply(&modifier, form, &mut next)?;
            if next.len() > MAX_TEXTS {
                return Err(Refusal::TooMany);
            }
        }
        forms = next;
    }
    forms.into_iter().map(|form| form.into_parts("an encoding")).collect()
}

fn apply(modifier: &Modifier, form: Form, out: &mut Vec<Form>) -> Result<(), Refusal> {
    match modifier {
        Modifier::Windash => out.extend(windash(form.into_parts("windash")?)?.into_iter().map(Form::Parts)),
        Modifier::Utf16Le | Modifier::Wide => out.push(utf16(form, u16::to_le_bytes, &[])?),
        Modifier::Utf16Be => out.push(utf16(form, u16::to_be_bytes, &[])?),
        // With the mark that says which byte comes first.
        Modifier::Utf16 => out.push(utf16(form, u16::to_le_bytes, &[0xFF, 0xFE])?),
        Modifier::Base64 => out.push(literal(base64(&form.into_bytes("base64")?))),
        Modifier::Base64Offset => {
            for text in base64_offsets(&form.into_bytes("base64offset")?) {
                if text.is_empty() {
                    return Err(Refusal::TooShort);
                }
                out.push(literal(text));
            }
        }
        Modifier::All
        | Modifier::StartsWith
        | Modifier::EndsWith
        | Modifier::Contains
        | Modifier::Exists
        | Modifier::Cased
        | Modifier::Neq
        | Modifier::Re
        | Modifier::IgnoreCase
        | Modifier::Multiline
        | Modifier::DotAll
        | Modifier::Lt
        | Modifier::Lte
        | Modifier::Gt
        | Modifier::Gte
        | Modifier::Minute
        | Modifier::Hour
        | Modifier::Day
        | Modifier::Week
        | Modifier::Month
        | Modifier::Year
        | Modifier::Cidr
        | Modifier::Expand
        | Modifier::FieldRef
        | Modifier::Unknown(_) => out.push(form),
    }
    Ok(())
}

fn literal(text: String) -> Form {
    Form::Parts(vec![Part::Literal(text.into())])
}

impl Form {
    fn into_bytes(self, by: &'static str) -> Result<Vec<u8>, Refusal> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Parts(parts) => plain(&parts).map(String::into_bytes).ok_or(Refusal::Wildcard(by)),
        }
    }

    fn into_parts(self, by: &'static str) -> Result<Vec<Part>, Refusal> {
        match self {
            Self::Parts(parts) => Ok(parts),
            Self::Bytes(bytes) => {
                let text = String::from_utf8(bytes).map_err(|_| Refusal::NoText(by))?;
                Ok(vec![Part::Literal(text.into())])
            }
        }
    }
}

/// The text of parts that have no wildcard.
fn plain(parts: &[Part]) -> Option<String> {
    parts
        .iter()
        .map(|part| match part {
            Part::Literal(text) => Some(text.as_str()),
            Part::Any | Part::One | Part::Placeholder(_) => None,
        })
        .collect()
}

/// Every choice of values for the placeholders.
fn expand(parts: Vec<Part>, values: &IndexMap<SmolStr, Vec<SmolStr>>) -> Result<Vec<Vec<Part>>, Refusal> {
    let mut texts: Vec<Vec<Part>> = vec![Vec::with_capacity(parts.len())];
    for part in parts {
        let Part::Placeholder(name) = &part else {
            texts.iter_mut().for_each(|t| t.push(part.clone()));
            continue;
        };
        let values =
            values.get(name).filter(|v| !v.is_empty()).ok_or_else(|| Refusal::Placeholder(name.clone()))?;
        if texts.len().saturating_mul(values.len()) > MAX_TEXTS {
            return Err(Refusal::TooMany);
        }
        let choices: Vec<Vec<Part>> = values.iter().map(|v| SigmaString::new(v.clone()).parts()).collect();
        texts = texts
            .iter()
            .flat_map(|text| choices.iter().map(move |choice| [text.as_slice(), choice.as_slice()].concat()))
            .collect();
    }
    Ok(texts)
}

/// The signs that Windows takes for the dash of an option.
const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// Every way to write the options in a text: the dash before a word, where no word ends before it.
fn windash(parts: Vec<Part>) -> Result<Vec<Vec<Part>>, Refusal> {
    let mut texts: Vec<Vec<Part>> = vec![Vec::new()];
    for part in parts {
        let Part::Literal(text) = &part else {
            texts.iter_mut().for_each(|t| t.push(part.clone()));
            continue;
        };
        let mut written = vec![String::with_capacity(text.len())];
        let mut before = None;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let word = |c: &char| c.is_alphanumeric() || *c == '_';
            let option = matches!(c, '-' | '/')
                && !before.as_ref().is_some_and(word)
                && chars.peek().is_some_and(word);
            if option {
                if written.len().saturating_mul(texts.len() * DASHES.len()) > MAX_TEXTS {
                    return Err(Refusal::TooMany);
                }
                // The sign as written comes first.
                let others = DASHES.into_iter().filter(|d| *d != c);
                let signs: Vec<char> = std::iter::once(c).chain(others).collect();
                written =
                    signs.iter().flat_map(|sign| written.iter().map(move |t| format!("{t}{sign}"))).collect();
            } else {
                written.iter_mut().for_each(|t| t.push(c));
            }
            before = Some(c);
        }
        texts = texts
            .iter()
            .flat_map(|t| {
                written.iter().map(move |w| {
                    let mut text = t.clone();
                    text.push(Part::Literal(w.into()));
                    text
                })
            })
            .collect();
    }
    Ok(texts)
}

fn utf16(form: Form, bytes: fn(u16) -> [u8; 2], mark: &[u8]) -> Result<Form, Refusal> {
    let by = "utf16";
    let Form::Parts(parts) = form else { return Err(Refusal::NoText(by)) };
    let text = plain(&parts).ok_or(Refusal::Wildcard(by))?;
    let mut out = mark.to_vec();
    out.extend(text.encode_utf16().flat_map(bytes));
    Ok(Form::Bytes(out))
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let sextet = (bits >> (18 - 6 * i)) & 63;
            let sign = if i <= chunk.len() { BASE64.get(sextet as usize).copied() } else { None };
            out.push(char::from(sign.unwrap_or(b'=')));
        }
    }
    out
}

/// The signs that are sure wherever the bytes stand in an encoded text: for each of the three offsets, those that no
/// neighbouring byte has a part in.
fn base64_offsets(bytes: &[u8]) -> impl Iterator<Item = String> {
    const FROM: [usize; 3] = [0, 2, 3];
    const UP_TO: [usize; 3] = [0, 3, 2];
    (0..3usize).map(move |offset| {
        let padded: Vec<u8> = std::iter::repeat_n(b' ', offset).chain(bytes.iter().copied()).collect();
        let encoded = base64(&padded);
        let from = FROM.get(offset).copied().unwrap_or(0);
        let cut = UP_TO.get(padded.len() % 3).copied().unwrap_or(0);
        let up_to = encoded.len().saturating_sub(cut);
        encoded.get(from..up_to).unwrap_or("").to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(raw: &str, modifiers: &[Modifier]) -> Result<Vec<String>, Refusal> {
        let texts = texts(SigmaString::new(raw).parts(), modifiers.iter().cloned(), &IndexMap::new())?;
        Ok(texts.iter().map(|t| plain(t).unwrap()).collect())
    }

    #[test]
    fn encodings() {
        assert_eq!(of("http://", &[Modifier::Base64]).unwrap(), ["aHR0cDovLw=="]);
        assert_eq!(of("foobar", &[Modifier::Base64Offset]).unwrap(), ["Zm9vYmFy", "Zvb2Jhc", "mb29iYX"]);
        assert_eq!(of("ab", &[Modifier::Wide, Modifier::Base64]).unwrap(), ["YQBiAA=="]);
        assert_eq!(of("a", &[Modifier::Utf16, Modifier::Base64]).unwrap(), ["//5hAA=="]);
        assert_eq!(of("a", &[Modifier::Base64Offset]), Err(Refusal::TooShort));
        assert_eq!(of("a*", &[Modifier::Base64]), Err(Refusal::Wildcard("base64")));
    }

    #[test]
    fn dashes_of_options_alone() {
        let texts = of("a-b -c", &[Modifier::Windash]).unwrap();
        assert_eq!(texts, ["a-b -c", "a-b /c", "a-b \u{2013}c", "a-b \u{2014}c", "a-b \u{2015}c"]);
        assert_eq!(of("-a -b", &[Modifier::Windash]).unwrap().len(), 25);
        assert_eq!(of(" - ", &[Modifier::Windash]).unwrap(), [" - "]);
        assert_eq!(of(&" -a".repeat(9), &[Modifier::Windash]), Err(Refusal::TooMany));
    }

    #[test]
    fn placeholders() {
        let parts = || vec![Part::Literal("a".into()), Part::Placeholder("x".into())];
        let values = IndexMap::from([(SmolStr::new("x"), vec!["1".into(), "2*".into()])]);
        let made = texts(parts(), std::iter::empty(), &values).unwrap();
        assert_eq!(made.len(), 2);
        assert_eq!(made[1].last(), Some(&Part::Any));
        let missing = texts(parts(), std::iter::empty(), &IndexMap::new());
        assert_eq!(missing, Err(Refusal::Placeholder("x".into())));
    }
}
