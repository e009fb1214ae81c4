//! What tools return besides text.

use serde_json::{Value, json};

use super::{Call, returns, says};
use crate::features::{PNG, WAV, resources};
use crate::revision::Revision;
use crate::session::{Answer, Session};

pub(super) fn add(call: Call) -> Answer {
    let number = |name: &str| {
        call.arguments
            .get(name)
            .and_then(Value::as_f64)
            .unwrap_or_default()
    };
    let structured = json!({ "sum": number("a") + number("b") });
    let mut result = says(&structured.to_string());
    if call.revision >= Revision::V2025_06_18 {
        result["structuredContent"] = structured;
    }
    Answer::Now(Ok(result))
}

pub(super) fn mixed(call: Call) -> Answer {
    Answer::Now(Ok(returns(vec![
        json!({
            "type": "text",
            "text": "A text, an image and a resource:",
            "annotations": { "audience": ["user"], "priority": 0.5 },
        }),
        image(),
        embedded(&call.session),
    ])))
}

pub(super) fn image() -> Value {
    json!({ "type": "image", "data": PNG, "mimeType": "image/png" })
}

pub(super) fn audio() -> Value {
    json!({ "type": "audio", "data": WAV, "mimeType": "audio/wav" })
}

pub(super) fn embedded(session: &Session) -> Value {
    let contents = resources::contents(session, resources::WATCHED);
    json!({ "type": "resource", "resource": contents })
}

pub(super) fn links() -> Vec<Value> {
    ["static-text", "static-json"]
        .into_iter()
        .map(|name| {
            json!({
                "type": "resource_link",
                "uri": format!("test://{name}"),
                "name": name,
                "description": "A resource of this server",
            })
        })
        .collect()
}
