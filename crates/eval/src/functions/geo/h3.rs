//! The hierarchy of H3 cells, which is in the bits of their numbers. Where a cell lies on the earth is not known here.
//!
//! Source: h3geo.org, "H3 index bit layout": 4 bits of mode, 3 reserved, 4 of resolution, 7 of the base cell, and 3 for the digit
//! of each of 15 resolutions, 7 for those that are not used.

use smol_str::{SmolStr, format_smolstr};

pub(super) const MAX_RESOLUTION: u32 = 15;
const BASE_CELLS: u64 = 122;
/// Base cells that are pentagons: they have no child in the direction of digit 1.
const PENTAGONS: [u64; 12] = [4, 14, 24, 38, 49, 58, 63, 72, 83, 97, 107, 117];
/// How many resolutions further children may be.
const MAX_DESCENT: u32 = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell(u64);

impl Cell {
    pub fn parse(token: &str) -> Option<Self> {
        if token.len() > 16 || !token.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let cell = Self(u64::from_str_radix(token, 16).ok()?);
        // Mode 1 is a cell.
        let head = cell.0 >> 56 == 0b1000;
        let used = (1..=MAX_RESOLUTION).all(|r| (cell.digit(r) == 7) == (r > cell.resolution()));
        let first = (1..=cell.resolution()).map(|r| cell.digit(r)).find(|d| *d != 0);
        (head && cell.base() < BASE_CELLS && used && !(cell.is_pentagonal() && first == Some(1)))
            .then_some(cell)
    }

    pub fn token(self) -> SmolStr {
        format_smolstr!("{:x}", self.0)
    }

    pub const fn resolution(self) -> u32 {
        (self.0 >> 52 & 15) as u32
    }

    const fn base(self) -> u64 {
        self.0 >> 45 & 127
    }

    fn is_pentagonal(self) -> bool {
        PENTAGONS.contains(&self.base())
    }

    const fn digit(self, resolution: u32) -> u64 {
        self.0 >> (3 * (MAX_RESOLUTION - resolution)) & 7
    }

    const fn with_digit(self, resolution: u32, digit: u64) -> Self {
        let place = 3 * (MAX_RESOLUTION - resolution);
        Self(self.0 & !(7 << place) | digit << place)
    }

    const fn with_resolution(self, resolution: u32) -> Self {
        Self(self.0 & !(15 << 52) | (resolution as u64) << 52)
    }

    /// The cell of a coarser resolution (by default the next one) that this one belongs to.
    pub fn parent(self, resolution: Option<u32>) -> Option<Self> {
        let resolution = match resolution {
            Some(r) => r,
            None => self.resolution().checked_sub(1)?,
        };
        if resolution >= self.resolution() {
            return None;
        }
        let coarse = (resolution + 1..=self.resolution()).fold(self, |cell, r| cell.with_digit(r, 7));
        Some(coarse.with_resolution(resolution))
    }

    /// The cells of a finer resolution (by default the next one) that belong to this one.
    pub fn children(self, resolution: Option<u32>) -> Option<Vec<Self>> {
        let resolution = resolution.unwrap_or(self.resolution() + 1);
        let deeper = resolution.checked_sub(self.resolution())?;
        if deeper == 0 || deeper > MAX_DESCENT || resolution > MAX_RESOLUTION {
            return None;
        }
        let mut cells = vec![self];
        for r in self.resolution() + 1..=resolution {
            cells = cells
                .into_iter()
                .flat_map(|cell| {
                    let pentagon = cell.is_pentagonal() && (1..r).all(|r| cell.digit(r) == 0);
                    (0..7)
                        .filter(move |digit| !(pentagon && *digit == 1))
                        .map(move |digit| cell.with_digit(r, digit).with_resolution(r))
                })
                .collect();
        }
        Some(cells)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "tests")]
    use super::*;

    #[test]
    fn parents_have_their_children() {
        // Base cells 20, a hexagon, and 4, a pentagon, at resolution 0.
        for (token, count) in [("8029fffffffffff", 7), ("8009fffffffffff", 6)] {
            let cell = Cell::parse(token).expect(token);
            assert_eq!(cell.token(), token);
            let children = cell.children(None).expect(token);
            assert_eq!(children.len(), count);
            for child in children {
                assert_eq!(Cell::parse(&child.token()), Some(child));
                assert_eq!(child.parent(None), Some(cell));
            }
            assert_eq!(cell.children(Some(6)), None);
            assert_eq!(cell.parent(None), None);
        }
        for bad in ["", "123", "abc", "80ffffffffffffff", "8029ffffffffff0", "zz"] {
            assert_eq!(Cell::parse(bad), None, "{bad}");
        }
    }
}
