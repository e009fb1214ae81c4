//! The client's side of what a server may ask for: answers as a good client would give.

use serde_json::{Value, json};

use crate::{spec::Revision, tape::Message};

/// The capabilities that the harness declares, those of the revision.
pub(super) fn capabilities(revision: Revision) -> Value {
    let mut capabilities = json!({ "roots": { "listChanged": true }, "sampling": {} });
    if revision >= Revision::V2025_06_18 {
        capabilities["elicitation"] = json!({});
    }
    if revision >= Revision::V2025_11_25 {
        capabilities["sampling"] = json!({ "tools": {}, "context": {} });
        capabilities["elicitation"] = json!({ "form": {}, "url": {} });
    }
    capabilities
}

/// The answer to a request of the server; none where its id cannot be given back.
pub(super) fn answer(request: &Message, root: &str) -> Option<Value> {
    let request = request.value()?;
    let id = request.get("id")?;
    let method = request
        .get("method")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let result = match method {
        "ping" => json!({}),
        "roots/list" => json!({ "roots": [{ "uri": root, "name": "working directory" }] }),
        "sampling/createMessage" => json!({
            "role": "assistant",
            "content": { "type": "text", "text": "This answer comes from mcp-conform." },
            "model": "mcp-conform",
            "stopReason": "endTurn",
        }),
        // The person at the client may always decline, whatever the form.
        "elicitation/create" => json!({ "action": "decline" }),
        _ => {
            let error = json!({ "code": -32601, "message": "method not found" });
            return Some(json!({ "jsonrpc": "2.0", "id": id, "error": error }));
        }
    };
    Some(json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}
