//! Arguments for a tool, derived from its input schema: the smallest instance.

use serde_json::{Map, Value, json};

/// Deeper schemas end in an empty value …
const DEPTH: usize = 16;
/// … and so do those that come to so many values: a schema that refers to itself has no end.
const VALUES: usize = 1000;
/// A value that is taken over counts once for so many bytes of it.
const BYTES: usize = 1024;

/// The smallest instance of a schema: required members only, each from `const`, `default`, the
/// first of `enum` or `examples`, else a minimal value of its type.
pub(crate) fn smallest(schema: &Value) -> Value {
    instance(schema, schema, DEPTH, &mut VALUES.clone())
}

fn instance(schema: &Value, root: &Value, depth: usize, left: &mut usize) -> Value {
    if depth == 0 || *left == 0 {
        return Value::Null;
    }
    *left -= 1;
    if let Some(target) = schema["$ref"]
        .as_str()
        .and_then(|to| root.pointer(to.strip_prefix('#')?))
    {
        return instance(target, root, depth - 1, left);
    }
    for name in ["const", "default"] {
        if let Some(value) = schema.get(name) {
            return taken_over(value, left);
        }
    }
    for name in ["enum", "examples"] {
        if let Some(value) = schema[name].get(0) {
            return taken_over(value, left);
        }
    }
    for name in ["oneOf", "anyOf"] {
        if let Some(branch) = schema[name].get(0) {
            return instance(branch, root, depth - 1, left);
        }
    }
    let parts = schema["allOf"].as_array();
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        kind => kind.as_str(),
    };
    match kind {
        Some("string") => text(schema),
        Some("integer") => json!(number(schema).ceil() as i64),
        Some("number") => json!(number(schema)),
        Some("boolean") => json!(false),
        Some("null") => Value::Null,
        Some("array") => {
            let least = schema["minItems"].as_u64().unwrap_or(0).min(16);
            (0..least)
                .map(|_| instance(&schema["items"], root, depth - 1, left))
                .collect()
        }
        Some("object") | None if kind.is_some() || schema.get("properties").is_some() => {
            let mut members = Map::new();
            for name in schema["required"].as_array().into_iter().flatten() {
                if let Some(name) = name.as_str() {
                    let member = &schema["properties"][name];
                    members.insert(name.to_owned(), instance(member, root, depth - 1, left));
                }
            }
            for part in parts.into_iter().flatten() {
                if let Value::Object(more) = instance(part, root, depth - 1, left) {
                    members.extend(more);
                }
            }
            Value::Object(members)
        }
        _ => match parts.and_then(|parts| parts.first()) {
            Some(part) => instance(part, root, depth - 1, left),
            // Anything fits: a text is what most tools want.
            None => json!("a"),
        },
    }
}

fn taken_over(value: &Value, left: &mut usize) -> Value {
    *left = left.saturating_sub(value.to_string().len() / BYTES);
    value.clone()
}

fn text(schema: &Value) -> Value {
    let known = match schema["format"].as_str() {
        Some("uri") => Some("https://example.com/"),
        Some("date") => Some("2025-01-01"),
        Some("date-time") => Some("2025-01-01T00:00:00Z"),
        Some("email") => Some("someone@example.com"),
        _ => None,
    };
    let least = schema["minLength"].as_u64().unwrap_or(0).clamp(1, 1024);
    let most = schema["maxLength"].as_u64().unwrap_or(u64::MAX);
    match known {
        Some(text) => json!(text),
        None if most == 0 => json!(""),
        None => json!("a".repeat(usize::try_from(least).unwrap_or(1))),
    }
}

/// The smallest number that is allowed, and not below 0 where that is allowed too.
fn number(schema: &Value) -> f64 {
    let step = schema["multipleOf"].as_f64().filter(|step| *step > 0.0);
    let least = schema["minimum"].as_f64();
    let above = schema["exclusiveMinimum"]
        .as_f64()
        .map(|above| above + step.unwrap_or(1.0));
    let most = schema["maximum"]
        .as_f64()
        .or_else(|| schema["exclusiveMaximum"].as_f64().map(|below| below - 1.0));
    let start = least.or(above).unwrap_or(0.0);
    let start = if least.is_none() && above.is_none() {
        most.map_or(start, |most| most.min(start))
    } else {
        start
    };
    match step {
        Some(step) => (start / step).ceil() * step,
        None => start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_instance_fits_its_schema() {
        for schema in [
            json!({ "type": "object" }),
            json!({ "type": "object", "properties": { "a": { "type": "string", "minLength": 3 } }, "required": ["a"] }),
            json!({ "type": "object", "properties": { "n": { "type": "integer", "minimum": 2.5 } }, "required": ["n"] }),
            json!({ "type": "object", "properties": { "n": { "type": "number", "exclusiveMinimum": 1, "multipleOf": 0.5 } }, "required": ["n"] }),
            json!({ "type": "object", "properties": { "n": { "type": "integer", "maximum": -3 } }, "required": ["n"] }),
            json!({ "type": "object", "properties": { "l": { "type": "array", "minItems": 2, "items": { "enum": ["x", "y"] } } }, "required": ["l"] }),
            json!({ "$defs": { "p": { "type": "boolean" } }, "type": "object", "properties": { "p": { "$ref": "#/$defs/p" } }, "required": ["p"] }),
            json!({ "type": "object", "allOf": [{ "type": "object", "properties": { "u": { "type": "string" } }, "required": ["u"] }] }),
            json!({ "type": "object", "properties": { "o": { "anyOf": [{ "type": "null" }, { "type": "string" }] } }, "required": ["o"] }),
        ] {
            let value = smallest(&schema);
            assert!(jsonschema::is_valid(&schema, &value), "{schema} {value}");
        }
    }

    #[test]
    fn schemas_without_end_come_to_an_end() {
        let names: Vec<_> = ('a'..='j').map(String::from).collect();
        let members = names
            .iter()
            .map(|name| (name.clone(), json!({ "$ref": "#" })));
        let members: Map<_, _> = members.collect();
        for schema in [
            json!({ "type": "object", "required": names, "properties": members }),
            json!({ "type": "array", "minItems": 16, "items": { "$ref": "#" } }),
        ] {
            // A value that was left out is `null`.
            let values = smallest(&schema).to_string().matches("null").count();
            assert!((100..20_000).contains(&values), "{values}");
        }
    }

    #[test]
    fn what_the_author_gave_goes_first() {
        let schema = json!({
            "type": "object",
            "properties": {
                "a": { "type": "string", "default": "given" },
                "b": { "const": 7 },
                "c": { "type": "string", "examples": ["shown"] },
                "optional": { "type": "string" },
            },
            "required": ["a", "b", "c"],
        });
        assert_eq!(
            smallest(&schema),
            json!({ "a": "given", "b": 7, "c": "shown" })
        );
    }
}
