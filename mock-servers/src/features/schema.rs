//! As much of JSON Schema as the server's own tools need.

use serde_json::{Map, Value};

/// Says what is wrong with the arguments of a tool, if anything is.
pub(crate) fn violation(schema: &Value, arguments: &Map<String, Value>) -> Option<String> {
    let properties = schema["properties"].as_object();
    let required = schema["required"].as_array().into_iter().flatten();
    for name in required.filter_map(Value::as_str) {
        if !arguments.contains_key(name) {
            return Some(format!("the argument `{name}` is missing"));
        }
    }
    for (name, value) in arguments {
        match properties.and_then(|properties| properties.get(name)) {
            Some(property) if !fits(property, value) => {
                return Some(format!("the argument `{name}` does not fit the schema"));
            }
            None if schema["additionalProperties"] == Value::Bool(false) => {
                return Some(format!("there is no argument `{name}`"));
            }
            _ => {}
        }
    }
    None
}

fn fits(schema: &Value, value: &Value) -> bool {
    let typed = match schema["type"].as_str() {
        Some("string") => value.is_string(),
        Some("number") => value.is_number(),
        Some("integer") => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        Some("boolean") => value.is_boolean(),
        Some("object") => value.is_object(),
        _ => true,
    };
    let within =
        |limit: &str, fits: fn(f64, f64) -> bool| match (value.as_f64(), schema[limit].as_f64()) {
            (Some(value), Some(limit)) => fits(value, limit),
            _ => true,
        };
    typed
        && within("minimum", |value, limit| value >= limit)
        && within("maximum", |value, limit| value <= limit)
}
