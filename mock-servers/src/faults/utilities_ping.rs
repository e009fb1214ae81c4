//! Faults of pings, in both directions.

use serde_json::{Value, json};

use crate::fault::{Bend, Fault};
use crate::outbox::Emitted;
use crate::scene::{Asked, InFlight};

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "ping-method-not-found",
        violates: "utilities/ping-answered",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if is_ping_request(asked) {
                *reply = asked.refusal(-32601, "unknown method: ping");
            }
        }),
    },
    Fault {
        name: "ping-result-pong",
        violates: "utilities/ping-empty-result",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if asked.is("ping") && reply["result"].is_object() {
                reply["result"]["pong"] = json!(true);
            }
        }),
    },
    Fault {
        name: "ping-refuses-params",
        violates: "utilities/ping-with-params",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            // Params with something in them are the business of whatever is in them.
            if is_ping_request(asked) && asked.message["params"] == json!({}) {
                *reply = asked.refusal(-32602, "ping takes no params");
            }
        }),
    },
    Fault {
        name: "ping-deferred-until-initialized",
        violates: "utilities/ping-before-initialized",
        drags: &[],
        bend: Bend::Hold(|asked| {
            let scene = asked.scene;
            asked.is("ping") && scene.revision.is_some() && !scene.initialized
        }),
    },
    Fault {
        name: "first-ping-fatal",
        violates: "utilities/ping-before-initialize",
        drags: &[],
        bend: Bend::Fatal(|asked| asked.is("ping") && asked.scene.revision.is_none()),
    },
    Fault {
        name: "ping-blocked-by-tool-call",
        violates: "utilities/ping-during-request",
        drags: &[],
        bend: Bend::Several(&[
            Bend::Receive(|scene, messages| {
                messages
                    .iter_mut()
                    .filter(|message| blocks(message))
                    .for_each(|message| {
                        // Only what takes three seconds shows that a ping has to wait.
                        message["params"]["arguments"]["duration_ms"] = json!(3100);
                        scene.memory.add(BLOCKING, message["id"].clone());
                    });
            }),
            Bend::Hold(|asked| {
                let scene = asked.scene;
                let blocks = |request: &InFlight| scene.memory.has(BLOCKING, &request.id);
                asked.is("ping") && scene.in_flight.iter().any(blocks)
            }),
        ]),
    },
    Fault {
        name: "ping-flood",
        violates: "utilities/ping-flood",
        drags: &[],
        bend: Bend::Emit(|scene, outgoing| {
            let is_ping = |out: &&Emitted| out.message["method"] == "ping";
            if let Some(ping) = outgoing.iter().find(is_ping).cloned() {
                outgoing.extend((0..30).map(|_| {
                    let mut more = ping.clone();
                    more.message["id"] = json!(format!("flood-{}", scene.memory.count("pings")));
                    more
                }));
            }
        }),
    },
];

/// Where the ids of the calls are kept for which pings have to wait.
const BLOCKING: &str = "blocking calls";

/// Whether a message calls the slow tool without asking for its progress, which it could not
/// report while it blocks.
fn blocks(message: &Value) -> bool {
    let params = &message["params"];
    message["method"] == "tools/call"
        && message.get("id").is_some()
        && params["name"] == "slow"
        && params.get("arguments").is_none_or(Value::is_object)
        && params.get("_meta").is_none()
}

fn is_ping_request(asked: &Asked<'_>) -> bool {
    asked.is("ping") && asked.is_request()
}
