//! What lines have in common with lines and polygons.

use super::shape::{Lines, Polygons, geometry, pair};
use super::sphere::{Vector, crossing, distance, edges_cross, nearest_on_edge};
use indexmap::IndexMap;
use ruleferry_ir::Json;
use smol_str::SmolStr;

/// Edges that run along each other without being equal: where they part is not computed.
#[derive(Debug)]
pub(super) struct Alongside;

/// As near as points of great circles come that are computed in different ways.
const NEAR: f64 = 1e-14;

fn touches(p: Vector, a: Vector, b: Vector) -> bool {
    distance(p, nearest_on_edge(p, a, b)) < NEAR
}

/// Whether two different edges share more than a point.
fn overlap((a, b): (Vector, Vector), (c, d): (Vector, Vector)) -> bool {
    let touching = [touches(a, c, d), touches(b, c, d), touches(c, a, b), touches(d, a, b)];
    // A common end is two touches; any other two are two points.
    let common = usize::from([c, d].contains(&a)) + usize::from([c, d].contains(&b));
    touching.iter().filter(|t| **t).count() > (2 * common).max(1)
}

/// The points and edges that are in both.
pub(super) fn of_lines(first: &Lines, second: &Lines) -> Result<Json, Alongside> {
    let mut points: Vec<Vector> = Vec::new();
    let mut paths: Vec<Vec<Vector>> = Vec::new();
    let mut add = |p: Vector| {
        if !points.iter().any(|q| distance(*q, p) < NEAR) {
            points.push(p);
        }
    };
    for (a, b) in first.edges() {
        for (c, d) in second.edges() {
            if (a, b) == (c, d) || (a, b) == (d, c) {
                extend(&mut paths, a, b);
            } else if overlap((a, b), (c, d)) {
                return Err(Alongside);
            } else if [c, d].contains(&a) {
                add(a);
            } else if [c, d].contains(&b) {
                add(b);
            } else if edges_cross(a, b, c, d)
                && let Some(p) = crossing(a, b, c, d)
            {
                add(p);
            }
        }
    }
    // Ends of common edges are in them already.
    points.retain(|p| !paths.iter().flatten().any(|q| q == p));
    Ok(collected(&points, &paths))
}

/// The parts of lines that are inside of polygons.
pub(super) fn of_line_and_polygon(lines: &Lines, polygons: &Polygons) -> Result<Json, Alongside> {
    let border = polygons.edges();
    let mut paths: Vec<Vec<Vector>> = Vec::new();
    for (a, b) in lines.edges() {
        let mut stops = vec![a, b];
        for (c, d) in border.edges() {
            if (a, b) == (c, d) || (a, b) == (d, c) || overlap((a, b), (c, d)) {
                return Err(Alongside);
            }
            if edges_cross(a, b, c, d)
                && let Some(p) = crossing(a, b, c, d)
            {
                stops.push(p);
            }
        }
        stops.sort_by(|p, q| distance(a, *p).total_cmp(&distance(a, *q)));
        for (from, to) in stops.iter().zip(stops.iter().skip(1)) {
            let inside = from.plus(*to).unit().is_some_and(|middle| polygons.contains(middle));
            if inside && distance(*from, *to) > NEAR {
                extend(&mut paths, *from, *to);
            }
        }
    }
    Ok(collected(&[], &paths))
}

/// Puts an edge behind the path that ends where it begins.
fn extend(paths: &mut Vec<Vec<Vector>>, from: Vector, to: Vector) {
    match paths.last_mut() {
        Some(path) if path.last() == Some(&from) => path.push(to),
        _ => paths.push(vec![from, to]),
    }
}

fn collected(points: &[Vector], paths: &[Vec<Vector>]) -> Json {
    let point = |p: &Vector| pair(p.degrees());
    let path = |path: &Vec<Vector>| Json::Array(path.iter().map(point).collect());
    let of_points = match points {
        [] => None,
        [one] => Some(geometry("Point", point(one))),
        many => Some(geometry("MultiPoint", Json::Array(many.iter().map(point).collect()))),
    };
    let of_paths = match paths {
        [] => None,
        [one] => Some(geometry("LineString", path(one))),
        many => Some(geometry("MultiLineString", Json::Array(many.iter().map(path).collect()))),
    };
    match (of_points, of_paths) {
        (Some(one), None) | (None, Some(one)) => one,
        (a, b) => {
            let mut map = IndexMap::new();
            map.insert(SmolStr::new_static("type"), Json::String("GeometryCollection".into()));
            map.insert(SmolStr::new_static("geometries"), Json::Array(a.into_iter().chain(b).collect()));
            Json::Object(map)
        }
    }
}
