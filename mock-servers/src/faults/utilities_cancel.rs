//! Faults in what follows a cancellation.

use serde_json::{Value, json};

use crate::fault::{Bend, Fault};
use crate::message::notification;
use crate::scene::{Asked, Scene};

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "responds-after-cancel",
        violates: "utilities/cancel-no-response",
        drags: &[(
            "streamable-http/sse-nothing-after-response",
            "what is done in spite of it is told behind the response",
        )],
        bend: Bend::Policy(|policy| policy.answers_cancelled = true),
    },
    Fault {
        name: "progress-after-cancel",
        violates: "utilities/cancel-stops-work",
        drags: &[],
        bend: Bend::Policy(|policy| policy.cancel_stops_work = false),
    },
    Fault {
        name: "cancel-kills-all",
        violates: "utilities/cancel-spares-others",
        drags: &[],
        bend: Bend::Receive(|scene, messages| {
            let named = messages.iter().any(|message| {
                is_cancellation(message) && scene.is_serving(&message["params"]["requestId"])
            });
            if named {
                let all = scene
                    .in_flight
                    .iter()
                    .map(|request| notification(CANCELLED, json!({ "requestId": request.id })));
                messages.extend(all);
            }
        }),
    },
    Fault {
        name: "cancel-coerces-id",
        violates: "utilities/cancel-exact-id",
        drags: &[],
        bend: Bend::Receive(|scene, messages| {
            for message in messages.iter_mut().filter(|m| is_cancellation(m)) {
                if let Some(id) = message.pointer_mut("/params/requestId")
                    && let Some(meant) = alike(scene, id)
                {
                    *id = meant;
                }
            }
        }),
    },
    Fault {
        name: "cancel-unknown-answered",
        violates: "utilities/cancel-unknown-ignored",
        drags: &[
            (
                "streamable-http/notification-202",
                "an answer takes the place of the status 202",
            ),
            (
                "jsonrpc/id-echo",
                "no request had the id, so an answer under it answers nothing",
            ),
        ],
        bend: Bend::Several(&[
            Bend::Receive(|scene, messages| {
                for message in messages.iter() {
                    note_id(scene, message);
                }
            }),
            Bend::Reply(|asked, reply| {
                let id = &asked.message["params"]["requestId"];
                // Transports have clauses of their own on notifications that are answered,
                // and look at them with words for ids.
                let is_unknown = id.is_number() && !is_known(asked.scene, id);
                if is_cancellation(asked.message) && is_unknown {
                    let error = json!({ "code": -32602, "message": "there is no such request" });
                    *reply = json!({ "jsonrpc": "2.0", "id": id, "error": error });
                }
            }),
        ]),
    },
    Fault {
        name: "cancel-finished-fatal",
        violates: "utilities/cancel-finished-harmless",
        drags: &[],
        bend: Bend::Fatal(cancels_what_is_finished),
    },
    Fault {
        name: "cancel-malformed-fatal",
        violates: "utilities/cancel-malformed-ignored",
        drags: &[],
        bend: Bend::Fatal(|asked| {
            is_cancellation(asked.message) && !is_id(&asked.message["params"]["requestId"])
        }),
    },
    Fault {
        name: "server-cancels-foreign-id",
        violates: "utilities/server-cancels-own-requests",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            for out in outgoing
                .iter_mut()
                .filter(|out| is_cancellation(&out.message))
            {
                // The client's request that led to it.
                if let Some(id) = &out.relates_to {
                    out.message["params"]["requestId"] = id.clone();
                }
            }
        }),
    },
    Fault {
        name: "late-answer-fatal",
        violates: "utilities/late-answer-harmless",
        drags: &[],
        bend: Bend::Several(&[
            Bend::Emit(|scene, outgoing| {
                for out in outgoing.iter().filter(|out| is_cancellation(&out.message)) {
                    let id = out.message["params"]["requestId"].clone();
                    scene.memory.add(CANCELLED_OWN, id);
                }
            }),
            Bend::Fatal(|asked| {
                asked.method().is_none() && asked.scene.memory.has(CANCELLED_OWN, asked.id())
            }),
        ]),
    },
];

const CANCELLED: &str = "notifications/cancelled";

/// Where the ids of the server's requests are remembered that it has cancelled.
const CANCELLED_OWN: &str = "ids of requests that the server cancelled";

/// Where the ids of all requests are remembered.
const KNOWN: &str = "ids of requests";

fn is_cancellation(message: &Value) -> bool {
    message["method"] == CANCELLED
}

fn is_id(id: &Value) -> bool {
    id.is_string() || id.is_number()
}

fn note_id(scene: &Scene<'_>, message: &Value) {
    if message["method"].is_string() && is_id(&message["id"]) {
        scene.memory.add(KNOWN, message["id"].clone());
    }
}

fn is_known(scene: &Scene<'_>, id: &Value) -> bool {
    scene.memory.has(KNOWN, id)
}

fn cancels_what_is_finished(asked: &Asked<'_>) -> bool {
    note_id(asked.scene, asked.message);
    let id = &asked.message["params"]["requestId"];
    is_cancellation(asked.message) && is_known(asked.scene, id) && !asked.scene.is_serving(id)
}

/// The id of a request that is being served and reads the same.
fn alike(scene: &Scene<'_>, id: &Value) -> Option<Value> {
    let reads = |id: &Value| id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    let request = scene
        .in_flight
        .iter()
        .find(|request| reads(&request.id) == reads(id))?;
    Some(request.id.clone())
}
