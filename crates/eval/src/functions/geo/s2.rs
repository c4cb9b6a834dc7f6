//! Cells of the S2 grid: six faces of a cube, each divided into four quarters again and again along a Hilbert curve.
//!
//! Source: s2geometry.io, "S2 cell hierarchy" (the curve, the quadratic projection, tokens).

use super::sphere::Vector;
use smol_str::{SmolStr, format_smolstr};

pub(super) const MAX_LEVEL: u32 = 30;
/// Leaf cells along an edge of a face.
const SIZE: i64 = 1 << MAX_LEVEL;

/// The quarter (two bits: column, row) at each place of the curve, by orientation (bit 0: axes swapped, bit 1: both inverted).
const QUARTERS: [[u64; 4]; 4] = [[0, 1, 3, 2], [0, 2, 3, 1], [3, 2, 0, 1], [3, 1, 0, 2]];
/// How the orientation changes inside of each place of the curve.
const TURNS: [u64; 4] = [1, 0, 0, 3];

fn quarter(orientation: u64, place: u64) -> u64 {
    let index = |n: u64| usize::try_from(n).unwrap_or(0);
    QUARTERS.get(index(orientation)).and_then(|row| row.get(index(place))).copied().unwrap_or(0)
}

fn turned(orientation: u64, place: u64) -> u64 {
    orientation ^ TURNS.get(usize::try_from(place).unwrap_or(0)).copied().unwrap_or(0)
}

/// A cell: its face, and the columns and rows of leaf cells that it begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    face: u64,
    column: i64,
    row: i64,
    level: u32,
}

/// From the cube's plane to the unit square, so that cells are of similar size.
fn to_square(u: f64) -> f64 {
    if u >= 0.0 { 0.5 * (1.0 + 3.0 * u).sqrt() } else { 1.0 - 0.5 * (1.0 - 3.0 * u).sqrt() }
}

fn to_plane(s: f64) -> f64 {
    if s >= 0.5 { (4.0 * s * s - 1.0) / 3.0 } else { (1.0 - 4.0 * (1.0 - s) * (1.0 - s)) / 3.0 }
}

/// The face that a point is on, and its place on the plane of the face.
fn project(p: [f64; 3]) -> (u64, f64, f64) {
    let [x, y, z] = p;
    let (ax, ay, az) = (x.abs(), y.abs(), z.abs());
    if ax > ay && ax > az {
        if x > 0.0 { (0, y / x, z / x) } else { (3, z / x, y / x) }
    } else if ay > az {
        if y > 0.0 { (1, -x / y, z / y) } else { (4, z / y, -x / y) }
    } else if z > 0.0 {
        (2, -x / z, -y / z)
    } else {
        (5, -y / z, -x / z)
    }
}

fn unproject(face: u64, u: f64, v: f64) -> [f64; 3] {
    match face {
        0 => [1.0, u, v],
        1 => [-u, 1.0, v],
        2 => [-u, -v, 1.0],
        3 => [-1.0, -v, -u],
        4 => [v, -1.0, -u],
        _ => [v, u, -1.0],
    }
}

fn leaf(s: f64) -> i64 {
    ((s * SIZE as f64).floor() as i64).clamp(0, SIZE - 1)
}

impl Cell {
    pub fn of_point(p: Vector, level: u32) -> Self {
        let (face, u, v) = project(p.parts());
        Self { face, column: leaf(to_square(u)), row: leaf(to_square(v)), level }.aligned()
    }

    /// Leaf cells along an edge.
    const fn size(self) -> i64 {
        1 << (MAX_LEVEL - self.level)
    }

    fn aligned(self) -> Self {
        let mask = -self.size();
        Self { column: self.column & mask, row: self.row & mask, ..self }
    }

    /// The hexadecimal digits of the cell's number, without the zeros at their end.
    pub fn token(self) -> SmolStr {
        let mut number = self.face;
        let mut orientation = self.face & 1;
        for depth in 1..=self.level {
            let shift = MAX_LEVEL - depth;
            let wanted = ((self.column >> shift & 1) << 1 | (self.row >> shift & 1)).unsigned_abs();
            let place = (0..4).find(|place| quarter(orientation, *place) == wanted).unwrap_or(0);
            number = number << 2 | place;
            orientation = turned(orientation, place);
        }
        // A one behind the digits of the curve tells where they end.
        let number = (number << 1 | 1) << (2 * (MAX_LEVEL - self.level));
        let digits = format_smolstr!("{number:016x}");
        digits.trim_end_matches('0').into()
    }

    pub fn parse(token: &str) -> Option<Self> {
        if token.is_empty() || token.len() > 16 || !token.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let number = u64::from_str_radix(&format!("{token:0<16}"), 16).ok()?;
        let face = number >> 61;
        let end = number.trailing_zeros();
        if face > 5 || end > 60 || end % 2 != 0 {
            return None;
        }
        let level = MAX_LEVEL - end / 2;
        let mut cell = Self { face, column: 0, row: 0, level };
        let mut orientation = face & 1;
        for depth in 1..=level {
            let place = number >> (61 - 2 * depth) & 3;
            let found = quarter(orientation, place);
            let shift = MAX_LEVEL - depth;
            cell.column |= i64::from(found > 1) << shift;
            cell.row |= i64::from(found % 2 == 1) << shift;
            orientation = turned(orientation, place);
        }
        Some(cell)
    }

    /// A point of the cell by fractions of its sides.
    fn at(self, across: f64, up: f64) -> Vector {
        let side = |from: i64, part: f64| to_plane((from as f64 + part * self.size() as f64) / SIZE as f64);
        Vector::of_parts(unproject(self.face, side(self.column, across), side(self.row, up)))
    }

    pub fn centre(self) -> Vector {
        self.at(0.5, 0.5)
    }

    /// Counterclockwise.
    pub fn corners(self) -> [Vector; 4] {
        [self.at(0.0, 0.0), self.at(1.0, 0.0), self.at(1.0, 1.0), self.at(0.0, 1.0)]
    }

    /// The cells that have an edge or a corner in common with this one, in the order of the documentation's example; fewer
    /// where three faces meet.
    pub fn neighbours(self) -> Vec<SmolStr> {
        const AROUND: [(i64, i64); 8] =
            [(1, 1), (-1, -1), (1, -1), (0, -1), (0, 1), (1, 0), (-1, 0), (-1, 1)];
        let mut out: Vec<SmolStr> = Vec::new();
        for (right, up) in AROUND {
            let token = self.beside(right, up).token();
            if !out.contains(&token) && token != self.token() {
                out.push(token);
            }
        }
        out
    }

    fn beside(self, right: i64, up: i64) -> Self {
        let (column, row) = (self.column + right * self.size(), self.row + up * self.size());
        let inside = |n: i64| (0..SIZE).contains(&n);
        if inside(column) && inside(row) {
            return Self { column, row, ..self };
        }
        // Just beyond the edge of the face: the plane goes on for a leaf, which lies on the next face.
        let edge = |n: i64| {
            let n = n.clamp(-1, SIZE);
            let u = (2 * n + 1 - SIZE) as f64 / SIZE as f64;
            u.clamp(-1.0 - f64::EPSILON, 1.0 + f64::EPSILON)
        };
        let (face, u, v) = project(unproject(self.face, edge(column), edge(row)));
        Self { face, column: leaf(0.5 * (u + 1.0)), row: leaf(0.5 * (v + 1.0)), level: self.level }.aligned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_go_there_and_back() {
        for (longitude, latitude) in
            [(0.0, 0.0), (13.4, 52.5), (-122.3, 47.6), (151.2, -33.9), (180.0, 0.0), (0.0, -90.0)]
        {
            for level in [0, 1, 8, 29, 30] {
                let cell = Cell::of_point(Vector::of_degrees(longitude, latitude), level);
                assert_eq!(Cell::parse(&cell.token()), Some(cell), "{longitude} {latitude} {level}");
                assert_eq!(Cell::of_point(cell.centre(), level), cell);
            }
        }
        for bad in ["", "a", "x", "0", "ffffffffffffffff1"] {
            assert_eq!(Cell::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn cells_have_eight_neighbours_but_at_the_corners_of_the_cube() {
        let around = |p: Vector| Cell::of_point(p, 10).neighbours().len();
        assert_eq!(around(Vector::of_degrees(13.4, 52.5)), 8);
        // On the edge of two faces, and where three meet.
        assert_eq!(around(Vector::of_degrees(44.999, 0.0)), 8);
        assert_eq!(around(Vector::of_parts([1.0, 0.999_999, 0.999_999])), 7);
    }
}
