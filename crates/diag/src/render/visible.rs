//! Characters that a terminal or a viewer obeys instead of showing.

use std::borrow::Cow;
use std::fmt::Write;

/// Control characters (among them ESC, BEL and the one-byte CSI), and what reorders, joins or hides text: the marks and
/// overrides of the bidirectional algorithm, zero-width characters, tags, line and paragraph separators.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with every such character written out: `\n`, `\t`, `\u{1b}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    text.chars().for_each(|c| push(&mut shown, c));
    Cow::Owned(shown)
}

/// Appends one character as [`visible`] shows it.
pub(super) fn push(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        // Writing to a string cannot fail.
        c if is_hidden(c) => write!(out, "\\u{{{:x}}}", u32::from(c)).unwrap_or_default(),
        c => out.push(c),
    }
}

/// [`visible`], and not longer than a message can be of use: a message may quote a literal of megabytes.
pub(super) fn brief(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 2000;
    match text.char_indices().nth(LONGEST) {
        None => visible(text),
        Some((cut, _)) => {
            let kept = text.get(..cut).unwrap_or_default();
            Cow::Owned(format!("{}… ({} bytes more)", visible(kept), text.len() - cut))
        }
    }
}
