//! `buildschema()`: the least schema that admits all values.
//!
//! Kusto: "buildschema()". A value has the name of its type, an object the schemas of its members, an array the schema of its
//! elements under `` `indexer` ``; where values differ, an array of all their schemas.

use super::{Group, Table, one};
use crate::fault::Result;
use crate::{Value, json};
use indexmap::IndexMap;
use ruleferry_ir::Json;
use smol_str::SmolStr;

pub(super) static TABLE: Table = &[("buildschema", buildschema)];

/// What is admitted at one place.
#[derive(Debug, Default)]
struct Schema {
    /// Names of plain types, in the order in which they turn up.
    plain: Vec<&'static str>,
    members: Option<IndexMap<SmolStr, Schema>>,
    elements: Option<Box<Schema>>,
}

impl Schema {
    fn admit(&mut self, json: &Json) {
        match json {
            Json::Null => {}
            Json::Bool(_) => self.plain("bool"),
            Json::Long(_) => self.plain("long"),
            Json::Real(_) => self.plain("double"),
            Json::String(_) => self.plain("string"),
            Json::Datetime(_) => self.plain("datetime"),
            Json::Timespan(_) => self.plain("timespan"),
            Json::Array(items) => {
                let elements = self.elements.get_or_insert_default();
                items.iter().for_each(|item| elements.admit(item));
            }
            Json::Object(bag) => {
                let members = self.members.get_or_insert_default();
                for (name, value) in bag {
                    members.entry(name.clone()).or_default().admit(value);
                }
            }
        }
    }

    fn plain(&mut self, name: &'static str) {
        if !self.plain.contains(&name) {
            self.plain.push(name);
        }
    }

    fn to_json(&self) -> Json {
        let mut all: Vec<Json> = self.plain.iter().map(|name| Json::String((*name).into())).collect();
        if let Some(members) = &self.members {
            all.push(Json::Object(members.iter().map(|(name, s)| (name.clone(), s.to_json())).collect()));
        }
        if let Some(elements) = &self.elements {
            let member = (SmolStr::new_static("`indexer`"), elements.to_json());
            all.push(Json::Object([member].into_iter().collect()));
        }
        match all.len() {
            0 => Json::Null,
            1 => all.swap_remove(0),
            _ => Json::Array(all),
        }
    }
}

fn buildschema(group: &Group<'_>) -> Result<Vec<Value>> {
    let mut schema = Schema::default();
    for value in group.values() {
        match value {
            Value::String(text) => schema.admit(&json::parse(text).unwrap_or(Json::Null)),
            value => schema.admit(&value.to_json()),
        }
    }
    one(Value::dynamic(schema.to_json()))
}
