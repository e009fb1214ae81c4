//! Faults in what may be said before, between and after the steps of the handshake.

use serde_json::{Value, json};

use crate::fault::{Bend, Fault};
use crate::message::notification;
use crate::outbox::Emitted;
use crate::scene::Asked;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "bare-client-fatal",
        violates: "lifecycle/bare-client-harmless",
        drags: &[],
        bend: Bend::Fatal(|asked| {
            let scene = asked.scene;
            is_initialized(asked) && scene.revision.is_some() && scene.client == json!({})
        }),
    },
    Fault {
        name: "greeting-notification",
        violates: "lifecycle/nothing-before-initialize",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            if let [answer] = outgoing.as_slice()
                && is_handshake(&answer.message)
            {
                let greeting = Emitted {
                    message: notification("notifications/tools/list_changed", Value::Null),
                    relates_to: answer.relates_to.clone(),
                };
                outgoing.insert(0, greeting);
            }
        }),
    },
    Fault {
        name: "requests-before-initialized",
        violates: "lifecycle/no-requests-before-initialized",
        drags: &[],
        bend: Bend::Emit(|scene, outgoing| {
            if let [answer] = outgoing.as_slice()
                && is_handshake(&answer.message)
                && scene.client.get("roots").is_some()
            {
                outgoing.push(Emitted {
                    message: json!({ "jsonrpc": "2.0", "id": "early", "method": "roots/list" }),
                    relates_to: None,
                });
            }
        }),
    },
    Fault {
        name: "not-ready-after-initialized",
        violates: "lifecycle/serves-after-initialized",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            const READY: &str = "initialized has just come";
            let just_came = json!(is_initialized(asked));
            let came_before = asked.scene.memory.keep(READY, just_came);
            if came_before == Some(json!(true)) && is_feature_request(asked) {
                *reply = asked.refusal(-32600, "the session is still being set up");
            }
        }),
    },
    Fault {
        name: "pre-initialized-request-lost",
        violates: "lifecycle/request-before-initialized-answered",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            let is_early = asked.scene.revision.is_some() && !asked.scene.initialized;
            if is_early && is_feature_request(asked) {
                *reply = Value::Null;
            }
        }),
    },
    Fault {
        name: "serves-before-initialize",
        violates: "lifecycle/early-request-refused",
        drags: &[],
        bend: Bend::Beforehand(&Bend::Reply(|asked, reply| {
            let list = asked
                .method()
                .and_then(|method| method.strip_suffix("/list"));
            if let (Some(list), None, true) = (list, asked.scene.revision, asked.is_request()) {
                *reply = json!({ "jsonrpc": "2.0", "id": asked.id(), "result": { list: [] } });
            }
        })),
    },
    Fault {
        name: "early-request-hangs",
        violates: "lifecycle/early-request-answered",
        drags: &[],
        bend: Bend::Beforehand(&Bend::Reply(|asked, reply| {
            if asked.scene.revision.is_none() && is_feature_request(asked) {
                *reply = Value::Null;
            }
        })),
    },
    Fault {
        name: "early-request-fatal",
        violates: "lifecycle/early-request-harmless",
        drags: &[],
        bend: Bend::Beforehand(&Bend::Fatal(|asked| {
            const EARLY: &str = "a request came early";
            let memory = asked.scene.memory;
            if asked.scene.revision.is_none() && is_feature_request(asked) {
                memory.keep(EARLY, json!(true));
            }
            asked.is("initialize") && memory.recall(EARLY) == true
        })),
    },
    Fault {
        name: "early-initialized-fatal",
        violates: "lifecycle/early-initialized-harmless",
        drags: &[],
        bend: Bend::Beforehand(&Bend::Fatal(|asked| {
            is_initialized(asked) && asked.scene.revision.is_none()
        })),
    },
    Fault {
        name: "second-initialized-fatal",
        violates: "lifecycle/repeated-initialized-harmless",
        drags: &[],
        bend: Bend::Fatal(|asked| is_initialized(asked) && asked.scene.initialized),
    },
    Fault {
        name: "second-initialize-fatal",
        violates: "lifecycle/repeated-initialize-harmless",
        drags: &[],
        bend: Bend::Fatal(|asked| asked.is("initialize") && asked.scene.revision.is_some()),
    },
    Fault {
        name: "batched-initialize-fatal",
        violates: "lifecycle/batched-initialize-harmless",
        drags: &[],
        bend: Bend::Beforehand(&Bend::Fatal(|asked| {
            let batch = asked.message.as_array();
            let is_initialize = |entry: &Value| entry["method"] == "initialize";
            batch.is_some_and(|batch| batch.iter().any(is_initialize))
        })),
    },
];

fn is_initialized(asked: &Asked<'_>) -> bool {
    asked.is("notifications/initialized") && !asked.is_request()
}

/// Whether a message is a request that is neither part of the handshake nor a ping.
fn is_feature_request(asked: &Asked<'_>) -> bool {
    asked.is_request() && !asked.is("initialize") && !asked.is("ping")
}

/// Whether a message is the answer with which a session begins.
fn is_handshake(message: &Value) -> bool {
    message["result"]["protocolVersion"].is_string()
}
