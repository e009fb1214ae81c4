//! Faults of pings, in both directions.

use serde_json::{Value, json};

use crate::fault::{Bend, Fault};
use crate::outbox::Emitted;
use crate::scene::{Asked, InFlight};

/// Why a server without ping breaks clauses on what a session survives.
const BY_PING: &str = "that a session goes on is shown by a ping with a result";

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "ping-method-not-found",
        violates: "utilities/ping-answered",
        drags: &[
            ("lifecycle/bare-client-harmless", BY_PING),
            ("lifecycle/batched-initialize-harmless", BY_PING),
            ("lifecycle/early-initialized-harmless", BY_PING),
            ("lifecycle/early-request-harmless", BY_PING),
            ("lifecycle/recovers-after-bad-initialize", BY_PING),
            ("lifecycle/repeated-initialize-harmless", BY_PING),
            ("lifecycle/repeated-initialized-harmless", BY_PING),
        ],
        bend: Bend::Reply(|asked, reply| {
            // Batches, and pings that are refused for another reason, are other clauses'.
            if asked.is("ping") && !asked.in_batch && reply["result"].is_object() {
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
        bend: Bend::Beforehand(&Bend::Fatal(|asked| {
            asked.is("ping") && asked.scene.revision.is_none()
        })),
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
