//! Faults in errors, and in what is answered by one.

use serde_json::{Value, json};

use crate::fault::{Bend, Fault};
use crate::scene::Asked;

/// Why a fault in the code of an error breaks a second clause.
const NO_CODE: (&str, &str) = (
    "jsonrpc/unknown-method-code",
    "the error for an unknown method is the one that every run provokes",
);

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "error-is-string",
        violates: "jsonrpc/error-object",
        drags: &[NO_CODE],
        bend: Bend::Reply(|asked, reply| {
            if is_foreign_method(asked, reply) {
                reply["error"] = json!("unknown method");
            }
        }),
    },
    Fault {
        name: "error-code-string",
        violates: "jsonrpc/error-code-integer",
        drags: &[NO_CODE],
        bend: Bend::Reply(|asked, reply| {
            if is_foreign_method(asked, reply) {
                reply["error"]["code"] = json!("-32601");
            }
        }),
    },
    Fault {
        name: "error-message-missing",
        violates: "jsonrpc/error-message-string",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if is_foreign_method(asked, reply)
                && let Some(error) = reply["error"].as_object_mut()
            {
                error.shift_remove("message");
            }
        }),
    },
    Fault {
        name: "error-message-multiline",
        violates: "jsonrpc/error-message-concise",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if is_foreign_method(asked, reply) {
                reply["error"]["message"] = json!("unknown method\n  in dispatch\n  in main");
            }
        }),
    },
    Fault {
        name: "error-code-undefined-reserved",
        violates: "jsonrpc/error-code-reserved",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            // Whatever the code says there, the request may be refused with it.
            if is_notification_name(asked) && asked.is_request() {
                *reply = asked.refusal(-32604, "that is a notification");
            }
        }),
    },
    Fault {
        name: "unknown-method-accepted",
        violates: "jsonrpc/unknown-method-error",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if is_foreign_method(asked, reply) {
                *reply = json!({ "jsonrpc": "2.0", "id": asked.id(), "result": {} });
            }
        }),
    },
    Fault {
        name: "unknown-method-wrong-code",
        violates: "jsonrpc/unknown-method-code",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if is_foreign_method(asked, reply) {
                reply["error"]["code"] = json!(-32602);
            }
        }),
    },
    Fault {
        name: "odd-method-dropped",
        violates: "jsonrpc/unknown-method-odd-name",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            let is_odd = |m: &str| m.is_empty() || m.len() > 1000 || !m.is_ascii();
            if asked.method().is_some_and(is_odd) {
                *reply = Value::Null;
            }
        }),
    },
    Fault {
        name: "invalid-params-code-internal",
        violates: "jsonrpc/invalid-params-code",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if asked.is("resources/read") && reply["error"]["code"] == -32602 {
                reply["error"]["code"] = json!(-32603);
            }
        }),
    },
    Fault {
        name: "id-ignored-on-notification-name",
        violates: "jsonrpc/notification-name-with-id",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if is_notification_name(asked) && asked.is_request() {
                *reply = Value::Null;
            }
        }),
    },
    Fault {
        name: "invalid-request-ignored",
        violates: "jsonrpc/invalid-request-answered",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if is_without_method(asked) {
                *reply = Value::Null;
            }
        }),
    },
    Fault {
        name: "invalid-request-wrong-code",
        violates: "jsonrpc/invalid-request-code",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if is_without_method(asked) {
                reply["error"]["code"] = json!(-32603);
            }
        }),
    },
    Fault {
        name: "parse-error-wrong-code",
        violates: "jsonrpc/parse-error-code",
        drags: &[(
            "stdio/parse-error-answered",
            "that clause accepts only an answer with the code of a parse error",
        )],
        bend: Bend::Reply(|_, reply| {
            if is_parse_error(reply) {
                reply["error"]["code"] = json!(-32603);
            }
        }),
    },
    Fault {
        name: "http-parse-error-with-id",
        violates: "jsonrpc/parse-error-id",
        drags: &[(
            "stdio/parse-error-shape",
            "that clause says on stdio what this one says over HTTP",
        )],
        bend: Bend::Reply(|_, reply| {
            if is_parse_error(reply) {
                reply["id"] = json!("server-error");
            }
        }),
    },
];

/// Whether a request is refused because its method, from a namespace that is not the
/// protocol's, is unknown.
fn is_foreign_method(asked: &Asked<'_>, reply: &Value) -> bool {
    let is_foreign = |method: &str| {
        method.contains('/')
            && !["notifications/", "tasks/"]
                .iter()
                .any(|own| method.starts_with(own))
    };
    reply["error"]["code"] == -32601
        && !asked.is("tools/call")
        && asked.method().is_some_and(is_foreign)
}

fn is_notification_name(asked: &Asked<'_>) -> bool {
    asked
        .method()
        .is_some_and(|method| method.starts_with("notifications/"))
}

/// Whether a message would be a request if it had a method.
fn is_without_method(asked: &Asked<'_>) -> bool {
    let has = |member: &str| asked.message.get(member).is_some();
    asked.id().is_number() && asked.method().is_none() && !has("result") && !has("error")
}

fn is_parse_error(reply: &Value) -> bool {
    reply["error"]["code"] == -32700
}
