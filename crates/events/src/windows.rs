//! Windows events as `evtx_dump` and its kind write them: `{"Event": {"System": …, "EventData": …}}`.
//!
//! Out: the fields that Sigma rules name: those of `EventData` or `UserData` as they are, those of `System` by their name
//! (`EventID`, `Channel`, `Computer`), its attributes behind the name of their element (`Provider_Name`).

use crate::field::Field;
use indexmap::IndexMap;
use ruleferry_ir::Json;
use smol_str::{SmolStr, format_smolstr};

type Object = IndexMap<SmolStr, Json>;

const ATTRIBUTES: &str = "#attributes";
const TEXT: &str = "#text";

/// The fields of such an event; `None` if it is another thing that is called `Event`.
pub(crate) fn fields(event: &Field) -> Option<Vec<(SmolStr, Field)>> {
    let Field::Nested(Json::Object(event)) = event else { return None };
    let system = object(event.get("System")?)?;
    let mut fields: IndexMap<SmolStr, Field> = IndexMap::new();
    let mut put = |name: SmolStr, value: &Json| {
        fields.entry(name).or_insert_with(|| Field::of_json(value));
    };
    if let Some(data) = event.get("EventData").and_then(object) {
        members(data, &mut put);
    }
    // The data of an event of its own schema stand in an element of any name.
    for inner in
        event.get("UserData").and_then(object).into_iter().flat_map(Object::values).filter_map(object)
    {
        members(inner, &mut put);
    }
    for (name, value) in system {
        match value {
            Json::Object(element) => {
                if let Some(text) = element.get(TEXT) {
                    put(name.clone(), text);
                }
                for (attribute, value) in element.get(ATTRIBUTES).and_then(object).into_iter().flatten() {
                    put(format_smolstr!("{name}_{attribute}"), value);
                }
            }
            value => put(name.clone(), value),
        }
    }
    Some(fields.into_iter().collect())
}

/// `{"#attributes": {"Name": name}, "#text": value}`; no text is an empty one.
fn named(item: &Json) -> Option<(SmolStr, &Json)> {
    let element = object(item)?;
    let Json::String(name) = object(element.get(ATTRIBUTES)?)?.get("Name")? else { return None };
    Some((name.clone(), element.get(TEXT).unwrap_or(&Json::Null)))
}

fn object(json: &Json) -> Option<&Object> {
    if let Json::Object(object) = json { Some(object) } else { None }
}

fn members(data: &Object, put: &mut dyn FnMut(SmolStr, &Json)) {
    for (name, value) in data.iter().filter(|(n, _)| *n != ATTRIBUTES) {
        // Some writers keep the list of named elements that XML has.
        if let Json::Array(items) = value
            && !items.is_empty()
            && let Some(named) = items.iter().map(named).collect::<Option<Vec<_>>>()
        {
            named.into_iter().for_each(|(name, value)| put(name, value));
            continue;
        }
        // An element with attributes and a text is that text.
        let text = object(value)
            .filter(|o| o.keys().all(|k| k == TEXT || k == ATTRIBUTES))
            .and_then(|o| o.get(TEXT));
        put(name.clone(), text.unwrap_or(value));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn of(text: &str) -> Vec<(String, String)> {
        let event = Field::Nested(ruleferry_eval::parse_json(text).unwrap());
        fields(&event).unwrap().iter().map(|(n, f)| (n.to_string(), f.shown())).collect()
    }

    #[test]
    fn every_form_becomes_fields() {
        let system = r##""System": {"Provider": {"#attributes": {"Name": "P"}}, "EventID": {"#attributes": {"Qualifiers": 1}, "#text": 7045}, "Level": 4}"##;
        let expected = |own: &[(&str, &str)]| -> Vec<(String, String)> {
            let rest =
                [("Provider_Name", "P"), ("EventID", "7045"), ("EventID_Qualifiers", "1"), ("Level", "4")];
            own.iter().chain(&rest).map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
        };
        let data = r##""EventData": {"#attributes": {"Name": "x"}, "Image": "a.exe", "Port": 80}"##;
        assert_eq!(of(&format!("{{{system}, {data}}}")), expected(&[("Image", "a.exe"), ("Port", "80")]));
        let list = r##""EventData": {"Data": [{"#attributes": {"Name": "Image"}, "#text": "a.exe"}, {"#attributes": {"Name": "Port"}, "#text": 80}]}"##;
        assert_eq!(of(&format!("{{{system}, {list}}}")), expected(&[("Image", "a.exe"), ("Port", "80")]));
        let user = r##""UserData": {"Any": {"#attributes": {"xmlns": "x"}, "Image": "a.exe", "Port": 80}}"##;
        assert_eq!(of(&format!("{{{system}, {user}}}")), expected(&[("Image", "a.exe"), ("Port", "80")]));
        assert_eq!(of(&format!("{{{system}, \"EventData\": null}}")), expected(&[]));
        // What is named twice is the data's own.
        let data = r##""EventData": {"Level": "high"}"##;
        assert_eq!(of(&format!("{{{system}, {data}}}")).first().unwrap().1, "high");
    }
}
