//! Faults in the members of responses.

use serde_json::{Value, json};

use crate::fault::{Bend, Fault};
use crate::revision::Revision;
use crate::scene::Asked;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "jsonrpc-member-missing",
        violates: "jsonrpc/version-member",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if is_fifth_ping(asked) {
                remove(reply, "jsonrpc");
            }
        }),
    },
    Fault {
        name: "method-in-response",
        violates: "jsonrpc/message-kind",
        drags: &[(
            "jsonrpc/id-echo",
            "what has a method may be taken for a request, and the ping is unanswered then",
        )],
        bend: Bend::Reply(|asked, reply| {
            if is_fifth_ping(asked) {
                reply["method"] = json!("ping");
            }
        }),
    },
    Fault {
        name: "response-without-outcome",
        violates: "jsonrpc/response-has-outcome",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if is_fifth_ping(asked) {
                remove(reply, "result");
            }
        }),
    },
    Fault {
        name: "result-and-error",
        violates: "jsonrpc/result-xor-error",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if is_fifth_ping(asked) {
                reply["error"] = json!({ "code": 0, "message": "no error" });
            }
        }),
    },
    Fault {
        name: "error-null-in-success",
        violates: "jsonrpc/no-null-outcome",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if is_fifth_ping(asked) {
                reply["error"] = Value::Null;
            }
        }),
    },
    Fault {
        name: "result-not-object",
        violates: "jsonrpc/result-object",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if is_fifth_ping(asked) {
                reply["result"] = Value::Null;
            }
        }),
    },
    Fault {
        name: "responds-twice",
        violates: "jsonrpc/one-response",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            if let [answer] = outgoing.as_slice()
                && is_fifth_pong(&answer.message)
            {
                outgoing.push(answer.clone());
            }
        }),
    },
    Fault {
        name: "request-never-answered",
        violates: "jsonrpc/request-answered",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            // Whoever sends ten in turn comes by it, a while after any handshake.
            if asked.is("ping") && *asked.id() == 18 {
                *reply = Value::Null;
            }
        }),
    },
    Fault {
        name: "duplicate-json-members",
        violates: "jsonrpc/unique-members",
        drags: &[],
        bend: Bend::Text(|message, text| {
            if is_fifth_pong(message) {
                text.insert_str(1, "\"jsonrpc\":\"2.0\",");
            }
        }),
    },
    Fault {
        name: "meta-not-object",
        violates: "jsonrpc/meta-object",
        drags: &[],
        bend: Bend::Reply(|asked, reply| set_meta(asked, reply, Value::Null)),
    },
    Fault {
        name: "meta-key-underscore",
        violates: "jsonrpc/meta-key-format",
        drags: &[],
        bend: Bend::Reply(|asked, reply| set_meta(asked, reply, json!({ "_mock": true }))),
    },
    Fault {
        name: "meta-reserved-prefix-invented",
        violates: "jsonrpc/meta-reserved-prefix",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            // What is reserved is not the same in the two revisions that reserve prefixes.
            let key = match asked.scene.revision {
                Some(Revision::V2025_11_25) => "dev.mcp/build",
                _ => "mcp.dev/build",
            };
            set_meta(asked, reply, json!({ key: "debug" }));
        }),
    },
    Fault {
        name: "schema-invalid-result",
        violates: "jsonrpc/result-schema",
        drags: &[],
        bend: Bend::Reply(|_, reply| {
            // What is inside an embedded resource is judged by no clause of its own.
            let embedded = reply.pointer_mut("/result/content/0/resource/mimeType");
            if let Some(mime_type) = embedded {
                *mime_type = json!(7);
            }
        }),
    },
];

/// Whether a message is a ping with the id 5. No sentinel has such an id, and whoever
/// counts up from one comes by it: what is wrong with its answer spoils nothing else.
fn is_fifth_ping(asked: &Asked<'_>) -> bool {
    asked.is("ping") && *asked.id() == 5
}

fn is_fifth_pong(message: &Value) -> bool {
    message["id"] == 5 && message["result"] == json!({})
}

fn set_meta(asked: &Asked<'_>, reply: &mut Value, meta: Value) {
    if is_fifth_ping(asked) {
        reply["result"]["_meta"] = meta;
    }
}

fn remove(reply: &mut Value, member: &str) {
    if let Some(members) = reply.as_object_mut() {
        members.shift_remove(member);
    }
}
