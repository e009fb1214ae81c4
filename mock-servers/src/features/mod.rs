//! What the server offers.

pub(crate) mod completion;
pub(crate) mod logging;
pub(crate) mod page;
pub(crate) mod prompts;
pub(crate) mod resources;
pub(crate) mod schema;
pub(crate) mod tasks;
pub(crate) mod tools;

use serde_json::{Map, Value, json};

use crate::message::RpcError;
use crate::revision::Revision;

/// A PNG of one pixel, in base64.
pub(crate) const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

/// A WAV file without samples, in base64.
pub(crate) const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";

/// Icons as 2025-11-25 has them; inline, so that nobody needs to fetch one.
pub(crate) fn icons() -> Value {
    json!([{
        "src": format!("data:image/png;base64,{PNG}"),
        "mimeType": "image/png",
        "sizes": ["1x1"],
    }])
}

/// Adds what newer revisions tell about anything that is listed.
pub(crate) fn describe(entry: &mut Value, title: &str, revision: Revision) {
    if revision >= Revision::V2025_06_18 {
        entry["title"] = json!(title);
    }
    if revision >= Revision::V2025_11_25 {
        entry["icons"] = icons();
    }
}

/// A required member of params that has to be a string.
pub(crate) fn text<'a>(params: &'a Map<String, Value>, member: &str) -> Result<&'a str, RpcError> {
    params
        .get(member)
        .and_then(Value::as_str)
        .ok_or_else(|| RpcError::invalid_params(format!("`{member}` must be a string")))
}
