//! Lines and polygons out of GeoJSON, checked as the documentation asks ("LineString definition", "Polygon definition and
//! constraints").

use super::sphere::{
    Vector, area_moment, distance, edge_moment, edges_cross, is_valid, nearest_on_edge, triangle_area, turn,
};
use crate::value::json_real;
use indexmap::IndexMap;
use ruleferry_ir::Json;
use smol_str::SmolStr;
use std::f64::consts::PI;

/// One or more lines.
pub(super) struct Lines(Vec<Vec<Vector>>);

/// One or more polygons, each a shell and its holes; rings without their last point.
pub(super) struct Polygons(Vec<Vec<Vec<Vector>>>);

impl Lines {
    pub fn edges(&self) -> impl Iterator<Item = (Vector, Vector)> {
        self.0.iter().flat_map(|line| line.iter().copied().zip(line.iter().copied().skip(1)))
    }

    pub fn points(&self) -> impl Iterator<Item = Vector> {
        self.0.iter().flatten().copied()
    }

    pub fn length(&self) -> f64 {
        self.edges().map(|(a, b)| distance(a, b)).sum()
    }

    pub fn centroid(&self) -> Option<Vector> {
        self.edges().fold(Vector::ZERO, |sum, (a, b)| sum.plus(edge_moment(a, b))).unit()
    }

    /// The line, where it is one.
    pub fn single(mut self) -> Option<Vec<Vector>> {
        if self.0.len() == 1 { self.0.pop() } else { None }
    }

    pub fn nearest(&self, p: Vector) -> Option<Vector> {
        let points = self.edges().map(|(a, b)| nearest_on_edge(p, a, b));
        points.min_by(|a, b| distance(p, *a).total_cmp(&distance(p, *b)))
    }

    pub fn crosses(&self, other: &Self) -> bool {
        self.edges().any(|(a, b)| other.edges().any(|(c, d)| edges_cross(a, b, c, d)))
    }
}

/// The edges of a ring as pairs of points.
fn ring_edges(ring: &[Vector]) -> impl Iterator<Item = (Vector, Vector)> {
    ring.iter().copied().zip(ring.iter().copied().cycle().skip(1))
}

/// Whether the smaller side of a ring holds a point.
fn ring_contains(ring: &[Vector], p: Vector) -> bool {
    let middle = ring.iter().fold(Vector::ZERO, |sum, v| sum.plus(*v));
    // The ring goes around a point inside once; around the opposite point as well, so that one is told apart first.
    middle.dot(p) > 0.0 && ring_edges(ring).map(|(a, b)| turn(p, a, b)).sum::<f64>().abs() > PI
}

/// Positive for a ring that is counterclockwise around its smaller side.
fn signed_area(ring: &[Vector]) -> f64 {
    let Some(first) = ring.first() else { return 0.0 };
    let area: f64 = ring_edges(ring).map(|(a, b)| triangle_area(*first, a, b)).sum();
    // What is more than half of the sphere is the other side.
    if area.abs() > 2.0 * PI { area - 4.0 * PI * area.signum() } else { area }
}

impl Polygons {
    pub fn edges(&self) -> Lines {
        let closed = |ring: &Vec<Vector>| ring.iter().chain(ring.first()).copied().collect();
        Lines(self.0.iter().flatten().map(closed).collect())
    }

    pub fn contains(&self, p: Vector) -> bool {
        self.0.iter().any(|rings| polygon_contains(rings, p))
    }

    pub fn area(&self) -> f64 {
        let of_polygon = |rings: &Vec<Vec<Vector>>| {
            let mut areas = rings.iter().map(|ring| signed_area(ring).abs());
            areas.next().unwrap_or(0.0) - areas.sum::<f64>()
        };
        self.0.iter().map(of_polygon).sum()
    }

    pub fn centroid(&self) -> Option<Vector> {
        let mut sum = Vector::ZERO;
        for rings in &self.0 {
            for (index, ring) in rings.iter().enumerate() {
                let moment = ring_edges(ring).fold(Vector::ZERO, |sum, (a, b)| sum.plus(area_moment(a, b)));
                let hole = if index == 0 { 1.0 } else { -1.0 };
                sum = sum.plus(moment.times(signed_area(ring).signum() * hole));
            }
        }
        sum.unit()
    }

    pub fn intersects(&self, other: &Self) -> bool {
        self.edges().crosses(&other.edges())
            || self.edges().points().any(|p| other.contains(p))
            || other.edges().points().any(|p| self.contains(p))
    }

    /// Whether two of the polygons have a point in common.
    pub fn overlap(&self) -> bool {
        let one = |rings: &Vec<Vec<Vector>>| Self(vec![rings.clone()]);
        self.0.iter().enumerate().any(|(i, a)| self.0.iter().skip(i + 1).any(|b| one(a).intersects(&one(b))))
    }
}

fn polygon_contains(rings: &[Vec<Vector>], p: Vector) -> bool {
    let mut rings = rings.iter();
    rings.next().is_some_and(|shell| ring_contains(shell, p)) && !rings.any(|hole| ring_contains(hole, p))
}

/// Type and coordinates.
fn parts(json: &Json) -> Option<(&str, &[Json])> {
    let Json::Object(map) = json else { return None };
    let (Some(Json::String(kind)), Some(Json::Array(coordinates))) =
        (map.get("type"), map.get("coordinates"))
    else {
        return None;
    };
    Some((kind, coordinates))
}

fn array(json: &Json) -> Option<&[Json]> {
    if let Json::Array(items) = json { Some(items) } else { None }
}

fn position(json: &Json) -> Option<(f64, f64)> {
    let [longitude, latitude] = array(json)? else { return None };
    let (longitude, latitude) = (json_real(longitude)?, json_real(latitude)?);
    is_valid(longitude, latitude).then_some((longitude, latitude))
}

fn path(items: &[Json]) -> Option<Vec<Vector>> {
    items.iter().map(|item| position(item).map(|(x, y)| Vector::of_degrees(x, y))).collect()
}

fn line(items: &[Json]) -> Option<Vec<Vector>> {
    let points = path(items)?;
    let apart = points.iter().zip(points.iter().skip(1)).all(|(a, b)| a != b);
    (points.len() >= 2 && apart).then_some(points)
}

pub(super) fn lines_of(json: &Json) -> Option<Lines> {
    let (kind, coordinates) = parts(json)?;
    match kind {
        "LineString" => Some(Lines(vec![line(coordinates)?])),
        "MultiLineString" if !coordinates.is_empty() => {
            let lines: Option<_> = coordinates.iter().map(|item| line(array(item)?)).collect();
            lines.map(Lines)
        }
        _ => None,
    }
}

/// A closed ring of at least three different points, without the last.
fn ring(items: &[Json]) -> Option<Vec<Vector>> {
    let mut points = path(items)?;
    let last = points.pop()?;
    if points.len() < 3 || points.first() != Some(&last) {
        return None;
    }
    let mut seen = rustc_hash::FxHashSet::default();
    let distinct = points.iter().all(|p| {
        let (x, y) = p.degrees();
        seen.insert((x.to_bits(), y.to_bits()))
    });
    distinct.then_some(points)
}

fn rings(items: &[Json]) -> Option<Vec<Vec<Vector>>> {
    if items.is_empty() { None } else { items.iter().map(|item| ring(array(item)?)).collect() }
}

pub(super) fn polygons_of(json: &Json) -> Option<Polygons> {
    let (kind, coordinates) = parts(json)?;
    match kind {
        "Polygon" => Some(Polygons(vec![rings(coordinates)?])),
        "MultiPolygon" if !coordinates.is_empty() => {
            let polygons: Option<_> = coordinates.iter().map(|item| rings(array(item)?)).collect();
            polygons.map(Polygons)
        }
        _ => None,
    }
}

/// A coordinate as it is written: a whole one without a point.
fn coordinate(x: f64) -> Json {
    if x.fract() == 0.0 { Json::Long(x as i64) } else { Json::Real(x) }
}

pub(super) fn pair((longitude, latitude): (f64, f64)) -> Json {
    Json::Array(vec![coordinate(longitude), coordinate(latitude)])
}

/// `{"type": …, "coordinates": …}`
pub(super) fn geometry(kind: &'static str, coordinates: Json) -> Json {
    let mut map = IndexMap::new();
    map.insert(SmolStr::new_static("type"), Json::String(SmolStr::new_static(kind)));
    map.insert(SmolStr::new_static("coordinates"), coordinates);
    Json::Object(map)
}

pub(super) fn point(longitude: f64, latitude: f64) -> Json {
    geometry("Point", pair((longitude, latitude)))
}

/// A polygon of one ring, its first corner repeated.
pub(super) fn polygon(corners: &[(f64, f64)]) -> Json {
    let ring = corners.iter().chain(corners.first()).map(|corner| pair(*corner)).collect();
    geometry("Polygon", Json::Array(vec![Json::Array(ring)]))
}

/// The shape with points put into its edges until the planar edge and the great circle are nowhere further apart than an
/// angle. `None` where it would have more points than there is `room` for.
pub(super) fn densified(json: &Json, tolerance: f64, room: &mut usize) -> Option<Json> {
    let Json::Object(map) = json else { return None };
    let mut map = map.clone();
    let coordinates = map.get_mut("coordinates")?;
    *coordinates = densified_paths(coordinates, tolerance, room)?;
    Some(Json::Object(map))
}

fn densified_paths(json: &Json, tolerance: f64, room: &mut usize) -> Option<Json> {
    let items = array(json)?;
    if items.iter().all(|item| position(item).is_none()) {
        let paths: Option<_> = items.iter().map(|item| densified_paths(item, tolerance, room)).collect();
        return paths.map(Json::Array);
    }
    let mut out: Vec<Json> = items.first().cloned().into_iter().collect();
    for (from, to) in items.iter().zip(items.iter().skip(1)) {
        put_between(&mut out, position(from)?, position(to)?, tolerance, room)?;
        *room = room.checked_sub(1)?;
        out.push(to.clone());
    }
    Some(Json::Array(out))
}

/// Halves an edge as long as its planar middle is too far from the great circle.
fn put_between(
    out: &mut Vec<Json>,
    from: (f64, f64),
    to: (f64, f64),
    tolerance: f64,
    room: &mut usize,
) -> Option<()> {
    let middle = (from.0.midpoint(to.0), from.1.midpoint(to.1));
    let at = |p: (f64, f64)| Vector::of_degrees(p.0, p.1);
    let (a, b, p) = (at(from), at(to), at(middle));
    if distance(p, nearest_on_edge(p, a, b)) <= tolerance {
        return Some(());
    }
    *room = room.checked_sub(1)?;
    put_between(out, from, middle, tolerance, room)?;
    out.push(pair(middle));
    put_between(out, middle, to, tolerance, room)
}
