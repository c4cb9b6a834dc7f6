//! Places on the earth.
//!
//! In: coordinates in degrees, and shapes as GeoJSON. The earth is a sphere whose edges are great circles, unless a call asks for
//! the spheroid. What is no place or no valid shape gives null.
//!
//! Source: Kusto documentation, "Geospatial functions" and the page of each function. Places of H3 cells, coverings, buffers,
//! simplification and the overlay of shapes are not here.

mod geohash;
mod h3;
mod overlay;
mod s2;
mod shape;
mod sphere;
mod wkt;

use self::shape::{Lines, Polygons, lines_of, point, polygons_of};
use self::sphere::{EARTH_RADIUS, Vector, distance};
use super::{Call, Scalar, long, real, text};
use crate::Value;
use crate::fault::{Fault, Result};
use ruleferry_diag::codes;
use ruleferry_ir::Json;

pub(super) static TABLE: &[(&str, Scalar)] = &[
    ("geo_angle", |_, args| number(angle(args))),
    ("geo_azimuth", |_, args| number(azimuth(args))),
    ("geo_closest_point_on_line", |_, args| place(nearest(args, line_edges))),
    ("geo_closest_point_on_polygon", |_, args| place(closest_on_polygon(args))),
    ("geo_distance_2points", |_, args| number(distance_2points(args))),
    ("geo_distance_point_to_line", |_, args| number(distance_to(args, nearest(args, line_edges)))),
    ("geo_distance_point_to_polygon", |_, args| number(distance_to(args, closest_on_polygon(args)))),
    ("geo_from_wkt", geo_from_wkt),
    ("geo_geohash_neighbors", geo_geohash_neighbors),
    ("geo_geohash_to_central_point", geo_geohash_to_central_point),
    ("geo_geohash_to_polygon", geo_geohash_to_polygon),
    ("geo_h3cell_children", geo_h3cell_children),
    ("geo_h3cell_level", geo_h3cell_level),
    ("geo_h3cell_parent", geo_h3cell_parent),
    ("geo_intersection_2lines", geo_intersection_2lines),
    ("geo_intersection_line_with_polygon", geo_intersection_line_with_polygon),
    ("geo_intersects_2lines", |_, args| test(intersects(args, line_edges, line_edges))),
    ("geo_intersects_2polygons", |_, args| test(polygons_intersect(args))),
    ("geo_intersects_line_with_polygon", |_, args| test(line_intersects_polygon(args))),
    ("geo_line_centroid", |_, args| place(line_centroid(args))),
    ("geo_line_densify", densify),
    ("geo_line_interpolate_point", |_, args| place(interpolate(args))),
    ("geo_line_length", |_, args| number(line_length(args))),
    ("geo_line_locate_point", geo_line_locate_point),
    ("geo_point_in_circle", |_, args| test(in_circle(args))),
    ("geo_point_in_polygon", |_, args| test(in_polygon(args))),
    ("geo_point_to_geohash", geo_point_to_geohash),
    ("geo_point_to_s2cell", geo_point_to_s2cell),
    ("geo_polygon_area", |call, args| {
        Ok(real_or_null(disjoint(call, args)?.map(|p| p.area() * EARTH_RADIUS * EARTH_RADIUS)))
    }),
    ("geo_polygon_centroid", |call, args| place(disjoint(call, args)?.and_then(|p| p.centroid()))),
    ("geo_polygon_densify", densify),
    ("geo_polygon_perimeter", |call, args| {
        Ok(real_or_null(disjoint(call, args)?.map(|p| p.edges().length() * EARTH_RADIUS)))
    }),
    ("geo_s2cell_neighbors", geo_s2cell_neighbors),
    ("geo_s2cell_to_central_point", |_, args| place(s2::Cell::parse(text(args, 0)).map(s2::Cell::centre))),
    ("geo_s2cell_to_polygon", geo_s2cell_to_polygon),
];

fn real_or_null(x: Option<f64>) -> Value {
    x.map_or(Value::Null, Value::Real)
}

fn number(x: Option<f64>) -> Result<Value> {
    Ok(real_or_null(x))
}

fn test(b: Option<bool>) -> Result<Value> {
    Ok(b.map_or(Value::Null, Value::Bool))
}

fn place(v: Option<Vector>) -> Result<Value> {
    Ok(v.map_or(Value::Null, |v| {
        let (longitude, latitude) = v.degrees();
        Value::dynamic(point(longitude, latitude))
    }))
}

/// Longitude and latitude at an index of the arguments.
fn coordinates(args: &[Value], index: usize) -> Option<(f64, f64)> {
    let (longitude, latitude) = (real(args, index)?, real(args, index + 1)?);
    sphere::is_valid(longitude, latitude).then_some((longitude, latitude))
}

fn vector(args: &[Value], index: usize) -> Option<Vector> {
    let (longitude, latitude) = coordinates(args, index)?;
    Some(Vector::of_degrees(longitude, latitude))
}

fn lines(args: &[Value], index: usize) -> Option<Lines> {
    lines_of(args.get(index)?.as_json()?)
}

fn polygons(args: &[Value], index: usize) -> Option<Polygons> {
    polygons_of(args.get(index)?.as_json()?)
}

/// Whether a call asks for the spheroid.
fn spheroid(args: &[Value], index: usize) -> bool {
    args.get(index).is_some_and(|v| v.as_bool() == Some(true) || v.as_real().is_some_and(|x| x != 0.0))
}

fn distance_2points(args: &[Value]) -> Option<f64> {
    let (a, b) = (coordinates(args, 0)?, coordinates(args, 2)?);
    if spheroid(args, 4) {
        return sphere::distance_on_spheroid(a, b);
    }
    Some(distance(Vector::of_degrees(a.0, a.1), Vector::of_degrees(b.0, b.1)) * EARTH_RADIUS)
}

fn in_circle(args: &[Value]) -> Option<bool> {
    let (at, centre, radius) = (vector(args, 0)?, vector(args, 2)?, real(args, 4)?);
    (radius >= 0.0).then(|| distance(at, centre) * EARTH_RADIUS <= radius)
}

fn in_polygon(args: &[Value]) -> Option<bool> {
    Some(polygons(args, 2)?.contains(vector(args, 0)?))
}

/// Clockwise from the first line to the second, both seen from where they meet.
fn angle(args: &[Value]) -> Option<f64> {
    let (a, b, c) = (vector(args, 0)?, vector(args, 2)?, vector(args, 4)?);
    let turn = sphere::azimuth(b, c)? - sphere::azimuth(b, a)?;
    Some(turn.rem_euclid(std::f64::consts::TAU))
}

fn azimuth(args: &[Value]) -> Option<f64> {
    sphere::azimuth(vector(args, 0)?, vector(args, 2)?).map(|x| x.rem_euclid(std::f64::consts::TAU))
}

fn line_edges(args: &[Value], index: usize) -> Option<Lines> {
    lines(args, index)
}

/// The point of a shape's edges that is nearest to the point of the first two arguments.
fn nearest(args: &[Value], edges: fn(&[Value], usize) -> Option<Lines>) -> Option<Vector> {
    edges(args, 2)?.nearest(vector(args, 0)?)
}

/// A point inside of a polygon is the nearest one itself.
fn closest_on_polygon(args: &[Value]) -> Option<Vector> {
    let (at, polygons) = (vector(args, 0)?, polygons(args, 2)?);
    if polygons.contains(at) { Some(at) } else { polygons.edges().nearest(at) }
}

fn distance_to(args: &[Value], nearest: Option<Vector>) -> Option<f64> {
    Some(distance(vector(args, 0)?, nearest?) * EARTH_RADIUS)
}

fn line_length(args: &[Value]) -> Option<f64> {
    Some(lines(args, 0)?.length() * EARTH_RADIUS)
}

fn line_centroid(args: &[Value]) -> Option<Vector> {
    lines(args, 0)?.centroid()
}

fn interpolate(args: &[Value]) -> Option<Vector> {
    let (line, fraction) = (lines(args, 0)?.single()?, real(args, 1)?);
    if (0.0..=1.0).contains(&fraction) { sphere::along(&line, fraction) } else { None }
}

fn geo_line_locate_point(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    if spheroid(args, 3) {
        let message = "lines on the spheroid are not supported";
        return Err(Fault::new(codes::EVAL_UNSUPPORTED, call.span, message));
    }
    let located = || sphere::locate(&lines(args, 0)?.single()?, vector(args, 1)?);
    number(located())
}

fn intersects(
    args: &[Value],
    first: fn(&[Value], usize) -> Option<Lines>,
    second: fn(&[Value], usize) -> Option<Lines>,
) -> Option<bool> {
    Some(first(args, 0)?.crosses(&second(args, 1)?))
}

fn geo_intersection_2lines(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let (Some(first), Some(second)) = (lines(args, 0), lines(args, 1)) else { return Ok(Value::Null) };
    common(call, overlay::of_lines(&first, &second))
}

fn geo_intersection_line_with_polygon(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    let (Some(line), Some(polygon)) = (lines(args, 0), polygons(args, 1)) else { return Ok(Value::Null) };
    common(call, overlay::of_line_and_polygon(&line, &polygon))
}

fn common(call: &Call<'_>, found: std::result::Result<Json, overlay::Alongside>) -> Result<Value> {
    found.map(Value::dynamic).map_err(|overlay::Alongside| {
        let message = "the intersection of edges that run along each other is not supported";
        Fault::new(codes::EVAL_UNSUPPORTED, call.span, message)
    })
}

fn polygons_intersect(args: &[Value]) -> Option<bool> {
    Some(polygons(args, 0)?.intersects(&polygons(args, 1)?))
}

fn line_intersects_polygon(args: &[Value]) -> Option<bool> {
    let (lines, polygons) = (lines(args, 0)?, polygons(args, 1)?);
    Some(lines.crosses(&polygons.edges()) || lines.points().any(|p| polygons.contains(p)))
}

/// Polygons that have no point in common, so that what holds for each adds up.
fn disjoint(call: &Call<'_>, args: &[Value]) -> Result<Option<Polygons>> {
    let Some(polygons) = polygons(args, 0) else { return Ok(None) };
    if polygons.overlap() {
        let message = "polygons that overlap are not united";
        return Err(Fault::new(codes::EVAL_UNSUPPORTED, call.span, message));
    }
    Ok(Some(polygons))
}

/// Points put into the edges of a line or polygon, so that the planar edges of GeoJSON keep their course on the sphere.
fn densify(call: &Call<'_>, args: &[Value]) -> Result<Value> {
    /// A tenth of what the documentation allows.
    const MAX_POINTS: usize = 1_000_000;
    let tolerance = if args.len() > 1 { real(args, 1) } else { Some(10.0) };
    let Some(tolerance) = tolerance.filter(|t| (0.1..=10_000.0).contains(t)) else { return Ok(Value::Null) };
    if spheroid(args, 2) {
        let message = "edges over the antimeridian are not supported";
        return Err(Fault::new(codes::EVAL_UNSUPPORTED, call.span, message));
    }
    let Some(json) = args.first().and_then(Value::as_json) else { return Ok(Value::Null) };
    let valid =
        if call.name == "geo_line_densify" { lines_of(json).is_some() } else { polygons_of(json).is_some() };
    if !valid {
        return Ok(Value::Null);
    }
    let mut room = MAX_POINTS;
    match shape::densified(json, tolerance / EARTH_RADIUS, &mut room) {
        Some(densified) => Ok(Value::dynamic(densified)),
        None => {
            let message = format!("a shape of more than {MAX_POINTS} points");
            Err(Fault::new(codes::EVAL_LIMIT, call.span, message))
        }
    }
}

fn geo_point_to_geohash(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let hashed = || {
        let (longitude, latitude) = coordinates(args, 0)?;
        let length = if args.len() > 2 { long(args, 2)? } else { 5 };
        let length = usize::try_from(length).ok().filter(|n| (1..=geohash::MAX_LENGTH).contains(n))?;
        Some(geohash::of_point(longitude, latitude, length))
    };
    Ok(hashed().map_or(Value::EMPTY, Value::String))
}

fn geo_geohash_to_central_point(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(geohash::Cell::parse(text(args, 0)).map_or(Value::Null, |cell| {
        let (longitude, latitude) = cell.centre();
        Value::dynamic(point(longitude, latitude))
    }))
}

fn geo_geohash_to_polygon(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(geohash::Cell::parse(text(args, 0))
        .map_or(Value::Null, |cell| Value::dynamic(shape::polygon(&cell.corners()))))
}

fn geo_geohash_neighbors(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(geohash::Cell::parse(text(args, 0))
        .map_or(Value::Null, |cell| Value::array(cell.neighbours().into_iter().map(Json::String).collect())))
}

/// The optional resolution of a call: `Err` where it is none.
fn resolution(args: &[Value]) -> std::result::Result<Option<u32>, ()> {
    if args.len() < 2 {
        return Ok(None);
    }
    let given = long(args, 1).and_then(|n| u32::try_from(n).ok()).filter(|n| *n <= h3::MAX_RESOLUTION);
    given.map(Some).ok_or(())
}

fn geo_h3cell_level(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let level = h3::Cell::parse(text(args, 0)).and_then(|cell| i32::try_from(cell.resolution()).ok());
    Ok(level.map_or(Value::Null, Value::Int))
}

fn geo_h3cell_parent(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let parent = || h3::Cell::parse(text(args, 0))?.parent(resolution(args).ok()?);
    Ok(parent().map_or(Value::EMPTY, |cell| Value::String(cell.token())))
}

fn geo_h3cell_children(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let children = || h3::Cell::parse(text(args, 0))?.children(resolution(args).ok()?);
    Ok(children().map_or(Value::Null, |cells| {
        Value::array(cells.into_iter().map(|cell| Json::String(cell.token())).collect())
    }))
}

fn geo_point_to_s2cell(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let found = || {
        let at = vector(args, 0)?;
        let level = if args.len() > 2 { long(args, 2)? } else { 11 };
        let level = u32::try_from(level).ok().filter(|n| *n <= s2::MAX_LEVEL)?;
        Some(s2::Cell::of_point(at, level).token())
    };
    Ok(found().map_or(Value::EMPTY, Value::String))
}

fn geo_s2cell_to_polygon(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(s2::Cell::parse(text(args, 0))
        .map_or(Value::Null, |cell| Value::dynamic(shape::polygon(&cell.corners().map(Vector::degrees)))))
}

fn geo_s2cell_neighbors(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    Ok(s2::Cell::parse(text(args, 0))
        .map_or(Value::Null, |cell| Value::array(cell.neighbours().into_iter().map(Json::String).collect())))
}

/// One text, or an array of them.
fn geo_from_wkt(_: &Call<'_>, args: &[Value]) -> Result<Value> {
    let read = |text: &str| wkt::read(text).unwrap_or(Json::Null);
    Ok(match args.first().and_then(Value::as_array) {
        Some(items) => Value::array(
            items.iter().map(|item| Value::of_json(item).text().map_or(Json::Null, read)).collect(),
        ),
        None => Value::dynamic(read(text(args, 0))),
    })
}
