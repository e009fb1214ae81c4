//! The walk and the validator are of one mind, and the walk knows what the schemas are written in.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{
    Keyword,
    documents::Document,
    walk::{DEFINITIONS, Walk, is_known},
};
use crate::spec::Revision;

#[test]
fn every_definition_of_every_revision_compiles() {
    for revision in Revision::ALL {
        let document = Document::of(revision);
        assert_eq!(schemas::MCP[revision as usize].0, revision.as_str());
        assert!(document.definitions.len() > 70);
        for name in document.definitions.keys() {
            let takes_null = document.fits(name, &Value::Null);
            assert_eq!(takes_null, name == "JSONValue", "{name} of {revision}");
        }
    }
}

#[test]
fn the_walk_knows_every_keyword_of_our_schemas() {
    for revision in Revision::ALL {
        for schema in Document::of(revision).definitions.values() {
            for_each_keyword(schema, &mut |keyword| {
                assert!(is_known(keyword), "{revision}: {keyword}");
            });
        }
    }
}

/// What the walk says of a value by a schema that is not one of ours.
fn said(schema: Value, value: &Value) -> String {
    let schema: &'static Value = Box::leak(Box::new(schema));
    let definitions = Document::of(Revision::V2024_11_05).definitions;
    let found = Walk::over(definitions, ["value", "Made"], &[schema], value, None);
    found.unwrap().to_string()
}

#[test]
fn keywords_that_our_schemas_do_not_use_are_told_too() {
    let deep = json!({ "anyOf": [
        { "properties": { "a": { "properties": { "b": { "type": "string" } } } }, "required": ["a"] },
        { "required": ["c"] },
    ] });
    let numbers = json!({ "oneOf": [{ "type": "string" }, { "type": "integer", "minimum": 5 }] });
    for (schema, value, words) in [
        (
            json!({ "pattern": "^a" }),
            json!("b"),
            r#"the value must be text that matches `^a`, but is the string "b""#,
        ),
        (
            json!({ "uniqueItems": true }),
            json!([1, 1]),
            r#"the value must be a value that fits `{"uniqueItems":true}`, but is an array"#,
        ),
        (
            json!({ "items": { "maxLength": 1 } }),
            json!(["ab"]),
            r#"`[0]` must be a value that fits `{"maxLength":1}`, but is the string "ab""#,
        ),
        (
            json!({ "const": 1 }),
            json!(1.5),
            "the value must be 1, but is 1.5",
        ),
        (
            numbers.clone(),
            json!(3),
            "the value must be 5 or more, but is 3",
        ),
        (
            numbers,
            json!(null),
            "the value must be a string or an integer, but is null",
        ),
        (
            deep,
            json!({ "a": { "b": 1 } }),
            "`a.b` must be a string, but is the number 1",
        ),
        // Both fit, which the walk does not see.
        (
            json!({ "oneOf": [{}, { "const": 1 }] }),
            json!(1.0),
            "the value must be a value that fits `Made`, but is the number 1.0",
        ),
    ] {
        assert_eq!(said(schema, &value), words);
    }
}

fn for_each_keyword(schema: &Value, see: &mut impl FnMut(&str)) {
    assert_ne!(schema, &Value::Bool(false));
    for (keyword, demand) in schema.as_object().into_iter().flatten() {
        see(keyword);
        match keyword.as_str() {
            "properties" => {
                let schemas = demand.as_object().unwrap().values();
                schemas.for_each(|schema| for_each_keyword(schema, see));
            }
            "anyOf" | "allOf" | "oneOf" => {
                let schemas = demand.as_array().unwrap();
                schemas
                    .iter()
                    .for_each(|schema| for_each_keyword(schema, see));
            }
            "items" | "additionalProperties" => for_each_keyword(demand, see),
            "$ref" => assert!(demand.as_str().unwrap().starts_with(DEFINITIONS)),
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_walk_finds_something_if_the_validator_refuses_and_only_then(seed: u64) {
        for revision in Revision::ALL {
            let document = Document::of(revision);
            let mut dice = Dice { definitions: document.definitions, state: seed };
            let names: Vec<_> = document.definitions.keys().collect();
            let (name, schema) = document.definition(names[dice.below(names.len())]);
            let value = dice.value(schema);
            let found = Walk::over(document.definitions, ["value", name], &[schema], &value, None);
            let found = found.unwrap();
            let is_at_a_loss = found.first().keyword == Keyword::Other("$ref");
            prop_assert_eq!(document.fits(name, &value), is_at_a_loss, "{} {}: {}", revision, name, value);
        }
    }
}

/// Values that mostly fit a schema, by a linear congruential generator.
struct Dice {
    definitions: &'static Map<String, Value>,
    state: u64,
}

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        let state = self.state.wrapping_mul(6_364_136_223_846_793_005);
        self.state = state.wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) as usize % bound
    }

    fn one_of<'v>(&mut self, values: &'v Value) -> &'v Value {
        let values = values.as_array().unwrap();
        &values[self.below(values.len())]
    }

    fn value(&mut self, schema: &Value) -> Value {
        let odd = json!([null, true, 1.5, 2.0, "text", [], {}]);
        if self.below(40) == 0 {
            return self.one_of(&odd).clone();
        }
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(values) = schema.get("enum") {
            return self.one_of(values).clone();
        }
        if let Some(item) = schema.get("items") {
            return (0..self.below(3)).map(|_| self.value(item)).collect();
        }
        match (schema.get("anyOf"), schema.get("properties")) {
            (Some(branches), None) => {
                let branch = self.one_of(branches);
                self.value(branch)
            }
            _ => self.object(schema).unwrap_or_else(|plain| plain),
        }
    }

    /// An object with the members of all parents, or what a parent has that is none.
    fn object(&mut self, schema: &Value) -> Result<Value, Value> {
        let mut members = Map::new();
        let target = schema.get("$ref").and_then(Value::as_str);
        let target = target.map(|target| &self.definitions[&target[DEFINITIONS.len()..]]);
        let parts = schema.get("allOf").and_then(Value::as_array);
        for parent in target.into_iter().chain(parts.into_iter().flatten()) {
            match self.value(parent) {
                Value::Object(more) => members.extend(more),
                plain => return Err(plain),
            }
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, schema) in properties.into_iter().flatten() {
            if self.below(20) > 0 {
                members.insert(name.clone(), self.value(schema));
            }
        }
        if let Some(schema) = schema.get("additionalProperties") {
            members.insert("one".to_owned(), self.value(schema));
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("string") => Err(json!("text")),
            Some("integer") => Err(json!(self.below(120))),
            Some("number") => Err(json!(self.below(6) as f64 / 4.0)),
            Some("boolean") => Err(json!(true)),
            _ => Ok(Value::Object(members)),
        }
    }
}
