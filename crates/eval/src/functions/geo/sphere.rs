//! Vectors to points of the unit sphere, and the edges between them.

use std::f64::consts::PI;

/// The earth's mean radius in metres that Kusto uses.
pub(super) const EARTH_RADIUS: f64 = 6_371_010.0;

pub(super) fn is_valid(longitude: f64, latitude: f64) -> bool {
    longitude.abs() <= 180.0 && latitude.abs() <= 90.0
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Vector {
    x: f64,
    y: f64,
    z: f64,
}

impl Vector {
    pub const ZERO: Self = Self { x: 0.0, y: 0.0, z: 0.0 };

    pub fn of_degrees(longitude: f64, latitude: f64) -> Self {
        let (sin_long, cos_long) = longitude.to_radians().sin_cos();
        let (sin_lat, cos_lat) = latitude.to_radians().sin_cos();
        Self { x: cos_lat * cos_long, y: cos_lat * sin_long, z: sin_lat }
    }

    /// Longitude and latitude.
    pub fn degrees(self) -> (f64, f64) {
        (self.y.atan2(self.x).to_degrees(), self.z.atan2(self.x.hypot(self.y)).to_degrees())
    }

    /// Of any length but 0.
    pub fn of_parts([x, y, z]: [f64; 3]) -> Self {
        let v = Self { x, y, z };
        v.unit().unwrap_or(v)
    }

    pub const fn parts(self) -> [f64; 3] {
        [self.x, self.y, self.z]
    }

    pub fn plus(self, other: Self) -> Self {
        Self { x: self.x + other.x, y: self.y + other.y, z: self.z + other.z }
    }

    pub fn minus(self, other: Self) -> Self {
        self.plus(other.times(-1.0))
    }

    pub fn times(self, factor: f64) -> Self {
        Self { x: self.x * factor, y: self.y * factor, z: self.z * factor }
    }

    pub fn dot(self, other: Self) -> f64 {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    pub fn cross(self, other: Self) -> Self {
        Self {
            x: self.y * other.z - self.z * other.y,
            y: self.z * other.x - self.x * other.z,
            z: self.x * other.y - self.y * other.x,
        }
    }

    pub fn norm(self) -> f64 {
        self.dot(self).sqrt()
    }

    /// The same direction with length 1; none for the zero vector.
    pub fn unit(self) -> Option<Self> {
        let norm = self.norm();
        (norm > 0.0 && norm.is_finite()).then(|| self.times(1.0 / norm))
    }
}

/// The normal of the plane through two points; exact for points that are close.
fn normal(a: Vector, b: Vector) -> Vector {
    b.plus(a).cross(b.minus(a)).times(0.5)
}

/// The angle between two vectors.
pub(super) fn distance(a: Vector, b: Vector) -> f64 {
    // Exact for near points and for opposite ones.
    2.0 * a.minus(b).norm().atan2(a.plus(b).norm())
}

/// Clockwise from north, from -π to π; none where a point is the other one or opposite to it.
pub(super) fn azimuth(from: Vector, to: Vector) -> Option<f64> {
    let north = Vector { x: 0.0, y: 0.0, z: 1.0 };
    if normal(from, to).norm() < 1e-15 {
        return None;
    }
    let east = north.cross(from).unit().unwrap_or(Vector { x: 0.0, y: 1.0, z: 0.0 });
    Some(to.dot(east).atan2(to.dot(from.cross(east))))
}

/// The point of an edge that is nearest to a point.
pub(super) fn nearest_on_edge(p: Vector, a: Vector, b: Vector) -> Vector {
    let n = normal(a, b);
    let foot = n.unit().and_then(|n| p.minus(n.times(p.dot(n))).unit());
    if let Some(foot) = foot
        && n.dot(a.cross(foot)) >= 0.0
        && n.dot(foot.cross(b)) >= 0.0
    {
        return foot;
    }
    if distance(p, a) <= distance(p, b) { a } else { b }
}

/// Whether two edges have a point in common.
pub(super) fn edges_cross(a: Vector, b: Vector, c: Vector, d: Vector) -> bool {
    if [c, d].contains(&a) || [c, d].contains(&b) {
        return true;
    }
    let (ab, cd) = (normal(a, b), normal(c, d));
    let (c_side, d_side) = (ab.dot(c), ab.dot(d));
    let (a_side, b_side) = (cd.dot(a), cd.dot(b));
    // Each edge lies on both sides of the other's plane, and they meet on the same side of the sphere.
    c_side * d_side < 0.0 && a_side * b_side < 0.0 && a_side * c_side < 0.0
}

/// Where two edges that cross do so.
pub(super) fn crossing(a: Vector, b: Vector, c: Vector, d: Vector) -> Option<Vector> {
    let line = normal(a, b).unit()?.cross(normal(c, d).unit()?).unit()?;
    // The planes meet on both sides of the sphere.
    Some(if line.dot(a.plus(b)) < 0.0 { line.times(-1.0) } else { line })
}

/// The signed angle at `p` from `a` to `b`, counterclockwise.
pub(super) fn turn(p: Vector, a: Vector, b: Vector) -> f64 {
    p.dot(normal(a, b)).atan2(a.dot(b) - a.dot(p) * b.dot(p))
}

/// The signed area of a triangle: positive if it is counterclockwise.
pub(super) fn triangle_area(a: Vector, b: Vector, c: Vector) -> f64 {
    let volume = a.dot(b.minus(a).cross(c.minus(a)));
    2.0 * volume.atan2(1.0 + a.dot(b) + b.dot(c) + c.dot(a))
}

/// The integral of the position over the area left of an edge, as far as the edge gives to it.
pub(super) fn area_moment(a: Vector, b: Vector) -> Vector {
    normal(a, b).unit().map_or(Vector::ZERO, |n| n.times(distance(a, b) / 2.0))
}

/// The integral of the position along an edge.
pub(super) fn edge_moment(a: Vector, b: Vector) -> Vector {
    let length = distance(a, b);
    a.plus(b).unit().map_or(Vector::ZERO, |middle| middle.times(2.0 * (length / 2.0).sin()))
}

/// The point at a fraction of a line's length.
pub(super) fn along(line: &[Vector], fraction: f64) -> Option<Vector> {
    let edges = || line.iter().zip(line.iter().skip(1));
    let mut left = edges().map(|(a, b)| distance(*a, *b)).sum::<f64>() * fraction;
    for (a, b) in edges() {
        let length = distance(*a, *b);
        if left < length {
            let tangent = normal(*a, *b).cross(*a).unit()?;
            return a.times(left.cos()).plus(tangent.times(left.sin())).unit();
        }
        left -= length;
    }
    line.last().copied()
}

/// The fraction of a line's length at its point that is nearest to a point.
pub(super) fn locate(line: &[Vector], p: Vector) -> Option<f64> {
    let mut best: Option<(f64, f64)> = None;
    let mut before = 0.0;
    for (a, b) in line.iter().zip(line.iter().skip(1)) {
        let near = nearest_on_edge(p, *a, *b);
        let away = distance(p, near);
        if best.is_none_or(|(least, _)| away < least) {
            best = Some((away, before + distance(*a, near)));
        }
        before += distance(*a, *b);
    }
    best.map(|(_, at)| (at / before).clamp(0.0, 1.0))
}

/// Metres between two points of the WGS 84 spheroid.
///
/// T. Vincenty, "Direct and inverse solutions of geodesics on the ellipsoid with application of nested equations", 1975. Nearly
/// opposite points, where the iteration does not end, have none.
pub(super) fn distance_on_spheroid(from: (f64, f64), to: (f64, f64)) -> Option<f64> {
    const MAJOR: f64 = 6_378_137.0;
    const FLATTENING: f64 = 1.0 / 298.257_223_563;
    const MINOR: f64 = MAJOR * (1.0 - FLATTENING);
    let reduced = |latitude: f64| ((1.0 - FLATTENING) * latitude.to_radians().tan()).atan().sin_cos();
    let ((sin1, cos1), (sin2, cos2)) = (reduced(from.1), reduced(to.1));
    let difference = (to.0 - from.0).to_radians();
    let mut lambda = difference;
    for _ in 0..200 {
        let (sin_lambda, cos_lambda) = lambda.sin_cos();
        let sin_sigma = (cos2 * sin_lambda).hypot(cos1 * sin2 - sin1 * cos2 * cos_lambda);
        if sin_sigma == 0.0 {
            return Some(0.0);
        }
        let cos_sigma = sin1 * sin2 + cos1 * cos2 * cos_lambda;
        let sigma = sin_sigma.atan2(cos_sigma);
        let sin_alpha = cos1 * cos2 * sin_lambda / sin_sigma;
        let cos2_alpha = 1.0 - sin_alpha * sin_alpha;
        let cos_2m = if cos2_alpha == 0.0 { 0.0 } else { cos_sigma - 2.0 * sin1 * sin2 / cos2_alpha };
        let c = FLATTENING / 16.0 * cos2_alpha * (4.0 + FLATTENING * (4.0 - 3.0 * cos2_alpha));
        let twice = 2.0 * cos_2m * cos_2m - 1.0;
        let before = lambda;
        lambda = difference
            + (1.0 - c) * FLATTENING * sin_alpha * (sigma + c * sin_sigma * (cos_2m + c * cos_sigma * twice));
        if lambda.abs() > PI + 1e-9 {
            return None;
        }
        if (lambda - before).abs() < 1e-13 {
            let u2 = cos2_alpha * (MAJOR * MAJOR - MINOR * MINOR) / (MINOR * MINOR);
            let a = 1.0 + u2 / 16_384.0 * (4096.0 + u2 * (-768.0 + u2 * (320.0 - 175.0 * u2)));
            let b = u2 / 1024.0 * (256.0 + u2 * (-128.0 + u2 * (74.0 - 47.0 * u2)));
            let correction = b
                * sin_sigma
                * (cos_2m
                    + b / 4.0
                        * (cos_sigma * twice
                            - b / 6.0
                                * cos_2m
                                * (4.0 * sin_sigma * sin_sigma - 3.0)
                                * (4.0 * cos_2m * cos_2m - 3.0)));
            return Some(MINOR * a * (sigma - correction));
        }
    }
    None
}
