//! Faults in the requests and notifications that the server sends of its own accord.

use serde_json::{Value, json};

use crate::fault::{Bend, Fault};
use crate::message::notification;
use crate::outbox::Emitted;
use crate::scene::Scene;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "server-request-id-null",
        violates: "jsonrpc/server-request-id",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            beside(
                outgoing,
                is_request,
                || json!({ "jsonrpc": "2.0", "id": null, "method": "ping" }),
            );
        }),
    },
    Fault {
        name: "server-reuses-request-id",
        violates: "jsonrpc/server-request-id-unique",
        drags: &[],
        bend: Bend::Several(&[
            Bend::Emit(|scene, outgoing| reuse_id(scene, outgoing)),
            Bend::Receive(|scene, messages| restore_id(scene, messages)),
        ]),
    },
    Fault {
        name: "notification-with-id",
        violates: "jsonrpc/server-notification-without-id",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            for out in outgoing.iter_mut() {
                if out.message["method"] == "notifications/message" {
                    out.message["id"] = Value::Null;
                }
            }
        }),
    },
    Fault {
        name: "params-null",
        violates: "jsonrpc/params-object",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            beside(
                outgoing,
                is_own,
                || json!({ "jsonrpc": "2.0", "method": "com.example/heartbeat", "params": null }),
            );
        }),
    },
    Fault {
        name: "method-rpc-prefix",
        violates: "jsonrpc/method-name",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            beside(outgoing, is_own, || {
                notification("rpc.heartbeat", Value::Null)
            });
        }),
    },
    Fault {
        name: "schema-invalid-notification",
        violates: "jsonrpc/message-schema",
        drags: &[(
            "utilities/server-cancels-own-requests",
            "the cancellation names a request that the server never sent",
        )],
        bend: Bend::Emit(|_, outgoing| {
            // It is the server's own request that is cancelled, so that only the reason is wrong.
            let asked = outgoing
                .iter()
                .find(|out| out.message["method"] == "roots/list");
            if let Some(asked) = asked.cloned() {
                let params = json!({ "requestId": asked.message["id"], "reason": 5 });
                outgoing.push(Emitted {
                    message: notification("notifications/cancelled", params),
                    ..asked
                });
            }
        }),
    },
];

/// Whether a message is a request or a notification, rather than a response.
fn is_own(message: &Value) -> bool {
    message["method"].is_string()
}

fn is_request(message: &Value) -> bool {
    is_own(message) && message.get("id").is_some()
}

/// Sends one more message in front of the server's own, the same way.
fn beside(outgoing: &mut Vec<Emitted>, which: fn(&Value) -> bool, extra: fn() -> Value) {
    let position = outgoing.iter().position(|out| which(&out.message));
    if let Some(position) = position {
        let message = extra();
        let relates_to = outgoing[position].relates_to.clone();
        outgoing.insert(
            position,
            Emitted {
                message,
                relates_to,
            },
        );
    }
}

/// The id under which everything is asked.
const REUSED: &str = "server-1";

/// Where the id is kept under which the server itself waits.
const MEANT: &str = "the id that is meant";

fn reuse_id(scene: &Scene<'_>, outgoing: &mut [Emitted]) {
    for out in outgoing.iter_mut().filter(|out| is_request(&out.message)) {
        scene.memory.keep(MEANT, out.message["id"].take());
        out.message["id"] = json!(REUSED);
    }
    let cancelled = |out: &&mut Emitted| out.message["method"] == "notifications/cancelled";
    for out in outgoing.iter_mut().filter(cancelled) {
        out.message["params"]["requestId"] = json!(REUSED);
    }
}

/// Takes a response for one to the latest question.
fn restore_id(scene: &Scene<'_>, messages: &mut [Value]) {
    for message in messages.iter_mut() {
        if message["id"] == REUSED && message.get("method").is_none() {
            message["id"] = scene.memory.recall(MEANT);
        }
    }
}
