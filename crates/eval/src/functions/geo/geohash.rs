//! Geohashes: cells of a grid, each letter five more bits of longitude and latitude in turn.

use smol_str::{SmolStr, SmolStrBuilder};

const DIGITS: &str = "0123456789bcdefghjkmnpqrstuvwxyz";
pub(super) const MAX_LENGTH: usize = 18;

/// A cell by its column and row in the grid of its length.
pub(super) struct Cell {
    column: u64,
    row: u64,
    length: usize,
}

/// Bits of longitude and latitude of a length.
const fn bits(length: usize) -> (u32, u32) {
    let all = 5 * length as u32;
    (all.div_ceil(2), all / 2)
}

/// The number of a coordinate's cell among `2^bits` from `-half` to `half`.
fn index(x: f64, half: f64, bits: u32) -> u64 {
    let count = 2_f64.powi(bits.cast_signed());
    let cell = ((x + half) / (2.0 * half) * count).floor();
    // The upper end belongs to the last cell.
    cell.clamp(0.0, count - 1.0) as u64
}

pub(super) fn of_point(longitude: f64, latitude: f64, length: usize) -> SmolStr {
    let (columns, rows) = bits(length);
    Cell { column: index(longitude, 180.0, columns), row: index(latitude, 90.0, rows), length }.text()
}

impl Cell {
    pub fn parse(text: &str) -> Option<Self> {
        let length = text.chars().count();
        // A single letter has to be a digit of the alphabet, too.
        if !(1..=MAX_LENGTH).contains(&length) {
            return None;
        }
        let (mut column, mut row) = (0, 0);
        let mut of_longitude = true;
        for c in text.chars() {
            let digit = DIGITS.find(c.to_ascii_lowercase())? as u64;
            for place in (0..5).rev() {
                let bit = digit >> place & 1;
                if of_longitude {
                    column = column << 1 | bit;
                } else {
                    row = row << 1 | bit;
                }
                of_longitude = !of_longitude;
            }
        }
        Some(Self { column, row, length })
    }

    fn text(&self) -> SmolStr {
        let (mut columns, mut rows) = bits(self.length);
        let mut of_longitude = true;
        let mut out = SmolStrBuilder::new();
        for _ in 0..self.length {
            let mut digit = 0;
            for _ in 0..5 {
                let (value, left) =
                    if of_longitude { (self.column, &mut columns) } else { (self.row, &mut rows) };
                *left = left.saturating_sub(1);
                digit = digit << 1 | (value >> *left & 1) as usize;
                of_longitude = !of_longitude;
            }
            out.push(DIGITS.chars().nth(digit).unwrap_or('0'));
        }
        out.finish()
    }

    /// West, south, east and north.
    fn sides(&self) -> (f64, f64, f64, f64) {
        let (columns, rows) = bits(self.length);
        let (width, height) =
            (360.0 / 2_f64.powi(columns.cast_signed()), 180.0 / 2_f64.powi(rows.cast_signed()));
        let (west, south) = (self.column as f64 * width - 180.0, self.row as f64 * height - 90.0);
        (west, south, west + width, south + height)
    }

    pub fn centre(&self) -> (f64, f64) {
        let (west, south, east, north) = self.sides();
        (west.midpoint(east), south.midpoint(north))
    }

    /// Counterclockwise from the south-west.
    pub fn corners(&self) -> [(f64, f64); 4] {
        let (west, south, east, north) = self.sides();
        [(west, south), (east, south), (east, north), (west, north)]
    }

    /// The cells around, in the order of the documentation's example. Beyond a pole there is none.
    pub fn neighbours(&self) -> Vec<SmolStr> {
        const AROUND: [(i64, i64); 8] =
            [(-1, -1), (-1, 1), (1, -1), (0, 1), (-1, 0), (1, 1), (1, 0), (0, -1)];
        let (columns, rows) = bits(self.length);
        AROUND
            .iter()
            .filter_map(|(right, up)| {
                let column = self.column.wrapping_add_signed(*right) % (1 << columns);
                let row = self.row.checked_add_signed(*up).filter(|row| *row < 1 << rows)?;
                Some(Self { column, row, length: self.length }.text())
            })
            .collect()
    }
}
