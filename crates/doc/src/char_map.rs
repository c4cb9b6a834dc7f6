//! Character offsets, in which the YAML scanner counts, to byte offsets, in which everything else counts.

/// Characters between two entries of the table: small enough to walk, large enough to keep the table small.
const STEP: usize = 64;

/// Finds byte offsets from character offsets and back. Costs nothing for ASCII text.
pub(crate) struct CharMap<'t> {
    text: &'t str,
    /// Byte offset of every `STEP`-th character; empty for ASCII.
    steps: Vec<usize>,
}

impl<'t> CharMap<'t> {
    pub fn new(text: &'t str) -> Self {
        let steps = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().step_by(STEP).map(|(byte, _)| byte).collect()
        };
        Self { text, steps }
    }

    /// The byte offset of a character; past the end, the end.
    pub fn byte(&self, index: usize) -> usize {
        if self.steps.is_empty() {
            return index.min(self.text.len());
        }
        let Some(start) = self.steps.get(index / STEP) else { return self.text.len() };
        let rest = self.text.get(*start..).unwrap_or("");
        rest.char_indices().nth(index % STEP).map_or(self.text.len(), |(byte, _)| start + byte)
    }

    /// The character offset of a byte offset at a character's boundary.
    pub fn index(&self, byte: usize) -> usize {
        if self.steps.is_empty() {
            return byte.min(self.text.len());
        }
        let step = self.steps.partition_point(|s| *s <= byte).saturating_sub(1);
        let start = self.steps.get(step).copied().unwrap_or(0);
        step * STEP + self.text.get(start..byte).map_or(0, |t| t.chars().count())
    }
}

#[cfg(test)]
mod tests {
    use super::CharMap;

    #[test]
    fn bytes_and_characters_agree_with_a_walk() {
        let text: String = "aé€😀\r\n".repeat(50);
        let map = CharMap::new(&text);
        for (index, (byte, _)) in text.char_indices().enumerate() {
            assert_eq!(map.byte(index), byte);
            assert_eq!(map.index(byte), index);
        }
        assert_eq!(map.byte(10_000), text.len());
    }
}
