//! Well-known text → GeoJSON.
//!
//! Source: OGC 06-103r4, "Simple feature access", section 7; two dimensions only.

use super::shape::geometry;
use indexmap::IndexMap;
use ruleferry_ir::Json;
use smol_str::SmolStr;

/// Collections inside of collections that are followed.
const MAX_DEPTH: usize = 64;

/// Kinds of shapes: name, name in GeoJSON, and how deep lists of positions are nested in them.
const KINDS: &[(&str, &str, usize)] = &[
    ("POINT", "Point", 0),
    ("LINESTRING", "LineString", 1),
    ("POLYGON", "Polygon", 2),
    ("MULTIPOINT", "MultiPoint", 1),
    ("MULTILINESTRING", "MultiLineString", 2),
    ("MULTIPOLYGON", "MultiPolygon", 3),
];

pub(super) fn read(text: &str) -> Option<Json> {
    let mut r = Reader { rest: text };
    let shape = r.shape(0)?;
    r.skip_blanks();
    r.rest.is_empty().then_some(shape)
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, c: char) -> bool {
        self.skip_blanks();
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn take(&mut self, keep: fn(char) -> bool) -> &str {
        self.skip_blanks();
        let length = self.rest.find(|c| !keep(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or(("", self.rest));
        self.rest = rest;
        taken
    }

    fn shape(&mut self, depth: usize) -> Option<Json> {
        if depth > MAX_DEPTH {
            return None;
        }
        let name = self.take(|c| c.is_ascii_alphabetic()).to_ascii_uppercase();
        if name == "GEOMETRYCOLLECTION" {
            let shapes = self.list(|r| r.shape(depth + 1))?;
            let mut map = IndexMap::new();
            map.insert(SmolStr::new_static("type"), Json::String("GeometryCollection".into()));
            map.insert(SmolStr::new_static("geometries"), Json::Array(shapes));
            return Some(Json::Object(map));
        }
        let (_, kind, nesting) = KINDS.iter().find(|(n, _, _)| *n == name)?;
        let coordinates = if *nesting == 0 {
            let point = self.eat('(').then(|| self.position()).flatten()?;
            if !self.eat(')') {
                return None;
            }
            point
        } else {
            self.positions(*nesting)?
        };
        Some(geometry(kind, coordinates))
    }

    /// `(a, b, …)`
    fn list(&mut self, mut item: impl FnMut(&mut Self) -> Option<Json>) -> Option<Vec<Json>> {
        if !self.eat('(') {
            return None;
        }
        let mut items = vec![item(self)?];
        while self.eat(',') {
            items.push(item(self)?);
        }
        self.eat(')').then_some(items)
    }

    fn positions(&mut self, nesting: usize) -> Option<Json> {
        let items = self.list(|r| if nesting <= 1 { r.maybe_wrapped() } else { r.positions(nesting - 1) })?;
        Some(Json::Array(items))
    }

    /// The positions of a multipoint may have parentheses of their own.
    fn maybe_wrapped(&mut self) -> Option<Json> {
        let wrapped = self.eat('(');
        let position = self.position()?;
        (!wrapped || self.eat(')')).then_some(position)
    }

    fn position(&mut self) -> Option<Json> {
        Some(Json::Array(vec![self.number()?, self.number()?]))
    }

    fn number(&mut self) -> Option<Json> {
        let text = self.take(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E'));
        if let Ok(n) = text.parse() {
            return Some(Json::Long(n));
        }
        text.parse().ok().filter(|x: &f64| x.is_finite()).map(Json::Real)
    }
}
