//! The client's side of what a server may ask for: answers as a good client would give.

use serde_json::{Value, json};

use crate::{spec::Revision, tape::Message};

/// How the client treats the server's own requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It declares every capability of the revision and answers well.
    #[default]
    Full,
    /// It declares nothing and answers every request but `ping` with -32601.
    Bare,
    /// It declares every capability and answers nothing but `ping`.
    Deaf,
}

/// The capabilities that the harness declares: those of the revision, or none.
pub(super) fn capabilities(revision: Revision, manner: Manner) -> Value {
    if manner == Manner::Bare {
        return json!({});
    }
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
pub(super) fn answer(request: &Message, root: &str, manner: Manner) -> Option<Value> {
    let request = request.value()?;
    let id = request.get("id")?;
    let method = request
        .get("method")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let result = match method {
        "ping" => json!({}),
        _ if manner == Manner::Deaf => return None,
        _ if manner == Manner::Bare => return Some(not_found(id)),
        "roots/list" => json!({ "roots": [{ "uri": root, "name": "working directory" }] }),
        "sampling/createMessage" => json!({
            "role": "assistant",
            "content": { "type": "text", "text": "This answer comes from mcp-conform." },
            "model": "mcp-conform",
            "stopReason": "endTurn",
        }),
        // The person at the client may always decline, whatever the form.
        "elicitation/create" => json!({ "action": "decline" }),
        _ => return Some(not_found(id)),
    };
    Some(json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

fn not_found(id: &Value) -> Value {
    let error = json!({ "code": -32601, "message": "method not found" });
    json!({ "jsonrpc": "2.0", "id": id, "error": error })
}
