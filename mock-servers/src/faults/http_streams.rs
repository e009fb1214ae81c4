//! Faults in which messages a stream carries, and when it ends.

use serde_json::{Value, json};

use crate::fault::{Bend, Fault};
use crate::http::{HttpBend, Place, Scene, Standalone, Step, Told};
use crate::revision::Revision;

/// What every client asks for.
pub(super) const LIST: &str = "tools/list";

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "http-sse-no-response",
        violates: "streamable-http/sse-brings-response",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Steps(|scene, steps| {
            if scene.asks(LIST) {
                steps.retain(|step| !is_response(step) && *step != Step::End);
            }
        })]),
    },
    Fault {
        name: "http-sse-early-close",
        violates: "streamable-http/sse-not-closed-early",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Steps(|scene, steps| {
            if scene.asks(LIST) && scene.revision < Some(Revision::V2025_11_25) {
                steps.retain(|step| !is_response(step));
            }
        })]),
    },
    Fault {
        name: "http-sse-early-close-no-id",
        violates: "streamable-http/sse-early-close-after-id",
        drags: &[(
            "streamable-http/sse-retry-before-close",
            "nothing at all is sent before the end, and so no retry time either",
        )],
        bend: Bend::StreamableHttp(&[
            HttpBend::Steps(|scene, steps| {
                if scene.asks(LIST) && scene.revision >= Some(Revision::V2025_11_25) {
                    steps.retain(|step| !is_response(step));
                }
            }),
            HttpBend::Event(|told, bytes| {
                if primes(told) && told.asked["method"] == LIST {
                    bytes.clear();
                }
            }),
        ]),
    },
    Fault {
        name: "http-sse-left-open",
        violates: "streamable-http/sse-closed-after-response",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Steps(|scene, steps| {
            if scene.asks(LIST) {
                steps.retain(|step| *step != Step::End);
            }
        })]),
    },
    Fault {
        name: "http-sse-late-notification",
        violates: "streamable-http/sse-nothing-after-response",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Steps(|scene, steps| {
            if scene.asks(LIST)
                && let Some(response) = steps.iter().position(is_response)
            {
                steps.insert(response + 1, Step::Say(Place::Own, log()));
            }
        })]),
    },
    Fault {
        name: "http-sse-foreign-progress",
        violates: "streamable-http/sse-messages-relate",
        drags: &[(
            "utilities/progress-falsy-token",
            "what comes on another stream may come behind the response",
        )],
        bend: Bend::StreamableHttp(&[HttpBend::Steps(|_, steps| {
            send_progress_to(Place::Neighbour, steps);
        })]),
    },
    Fault {
        name: "http-no-priming-event",
        violates: "streamable-http/sse-priming-event",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Event(|told, bytes| {
            // A call may be let go early, and would then end without an id as well.
            if primes(told) && told.asked["method"] != "tools/call" {
                bytes.clear();
            }
        })]),
    },
    Fault {
        name: "http-close-without-retry",
        violates: "streamable-http/sse-retry-before-close",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Policy(|policy| policy.retry = None)]),
    },
    Fault {
        name: "http-resume-loses-response",
        violates: "streamable-http/sse-polling-completes",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Steps(|_, steps| {
            if let Some(released) = steps.iter().position(|step| *step == Step::Release) {
                let mut rest = steps.split_off(released);
                rest.retain(|step| !is_response(step));
                steps.append(&mut rest);
            }
        })]),
    },
    Fault {
        name: "http-progress-on-get-stream",
        violates: "streamable-http/progress-not-on-get",
        drags: &[(
            "utilities/progress-falsy-token",
            "what comes on another stream may come behind the response",
        )],
        bend: Bend::StreamableHttp(&[HttpBend::Steps(|scene, steps| {
            if scene.standalone_open {
                send_progress_to(Place::Standalone, steps);
            }
        })]),
    },
    Fault {
        name: "http-response-on-get",
        violates: "streamable-http/no-response-on-get",
        drags: &[
            ("jsonrpc/one-response", "the response comes a second time"),
            (
                "jsonrpc/duplicate-id-harmless",
                "the response comes a second time",
            ),
            (
                "utilities/cancel-finished-harmless",
                "the response comes a second time",
            ),
        ],
        bend: Bend::StreamableHttp(&[HttpBend::Steps(repeat_pong_on_get)]),
    },
    Fault {
        name: "http-broadcasts-messages",
        violates: "streamable-http/no-broadcast",
        drags: &[(
            "jsonrpc/server-request-id-unique",
            "a request that comes a second time has the id of the first",
        )],
        bend: Bend::StreamableHttp(&[
            HttpBend::Policy(|policy| policy.standalone = Standalone::Each),
            // Of two equal notifications nobody can tell whether they are one message.
            HttpBend::Steps(|scene, steps| {
                if scene.asks(LIST)
                    && scene.nth < 9
                    && scene.standalone_open
                    && steps.iter().any(is_response)
                {
                    let id = format!("are-you-there-{}", scene.nth);
                    let ping = json!({ "jsonrpc": "2.0", "id": id, "method": "ping" });
                    steps.insert(0, Step::Say(Place::Standalone, ping.clone()));
                    steps.insert(0, Step::Say(Place::Own, ping));
                }
            }),
        ]),
    },
];

/// A log message of a level that every client wants to see.
pub(super) fn log() -> Value {
    json!({
        "jsonrpc": "2.0",
        "method": "notifications/message",
        "params": { "level": "emergency", "data": "a list was asked for" },
    })
}

/// Whether a step says a response.
pub(super) fn is_response(step: &Step) -> bool {
    matches!(step, Step::Say(_, message) if message.is_object() && message.get("method").is_none())
}

/// Whether an event is the first on the stream of a post and says nothing.
fn primes(told: &Told<'_>) -> bool {
    told.message.is_null() && !told.asked.is_null()
}

fn send_progress_to(elsewhere: Place, steps: &mut [Step]) {
    for step in steps {
        if let Step::Say(place, message) = step
            && message["method"] == "notifications/progress"
        {
            *place = elsewhere;
        }
    }
}

fn repeat_pong_on_get(scene: &Scene<'_>, steps: &mut Vec<Step>) {
    if !scene.asks("ping") || !scene.standalone_open {
        return;
    }
    let pong = steps.iter().find_map(|step| match step {
        Step::Say(_, pong) => Some(pong.clone()),
        _ => None,
    });
    if let Some(pong) = pong {
        steps.insert(0, Step::Say(Place::Standalone, pong));
    }
}
