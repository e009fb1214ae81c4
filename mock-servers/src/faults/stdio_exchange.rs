//! Faults in what is answered to what.

use serde_json::{Value, json};

use crate::fault::{Bend, Fault};
use crate::scene::Asked;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "responds-to-notifications",
        violates: "stdio/no-response-to-notification",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if is_unknown_notification(asked) {
                *reply = json!({
                    "jsonrpc": "2.0",
                    "id": null,
                    "error": { "code": -32601, "message": "unknown notification" },
                });
            }
        }),
    },
    Fault {
        name: "silent-on-parse-error",
        violates: "stdio/parse-error-answered",
        drags: &[],
        bend: Bend::Reply(|_, reply| {
            if is_parse_error(reply) {
                *reply = Value::Null;
            }
        }),
    },
    Fault {
        name: "parse-error-with-invented-id",
        violates: "stdio/parse-error-shape",
        drags: &[(
            "stdio/parse-error-answered",
            "that clause accepts only an answer whose id is null or absent",
        )],
        bend: Bend::Reply(|_, reply| {
            if is_parse_error(reply) {
                reply["id"] = json!("unreadable");
            }
        }),
    },
];

fn is_parse_error(reply: &Value) -> bool {
    reply["error"]["code"] == -32700
}

/// Batches have a clause of their own on notifications, and are left alone.
fn is_unknown_notification(asked: &Asked<'_>) -> bool {
    !asked.in_batch && is_unknown(asked.message)
}

/// Whether a message is a notification that no client sends in earnest.
pub(super) fn is_unknown(message: &Value) -> bool {
    const KNOWN: [&str; 4] = [
        "notifications/initialized",
        "notifications/cancelled",
        "notifications/progress",
        "notifications/roots/list_changed",
    ];
    message.get("id").is_none()
        && message["method"]
            .as_str()
            .is_some_and(|method| !KNOWN.contains(&method))
}
