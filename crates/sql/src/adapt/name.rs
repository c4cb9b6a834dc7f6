//! Names: bare where the dialect reads them as they are, else in its quotes.

use crate::dialect::Dialect;
use sqlparser::ast::Ident;

/// The name of a column or table in the dialect's quotes, if it needs them.
pub(crate) fn quoted(dialect: &Dialect, name: &str) -> Ident {
    let plain = name.as_bytes().first().is_some_and(|b| !b.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain && !dialect.is_keyword(&name.to_ascii_lowercase()) {
        return Ident::new(name);
    }
    let quote = dialect.quote;
    let mut out = String::with_capacity(name.len() + 2);
    for c in name.chars() {
        match c {
            '\0' => out.push('\u{fffd}'),
            '\\' if dialect.name_backslash => out.push_str("\\\\"),
            c if c == quote => {
                out.push(if dialect.name_backslash { '\\' } else { c });
                out.push(c);
            }
            c => out.push(c),
        }
    }
    Ident::with_quote(quote, out)
}
