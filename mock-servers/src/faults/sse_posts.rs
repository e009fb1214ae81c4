//! Faults in what is posted over HTTP+SSE, and in the sessions that it is posted to.

use axum::http::Method;
use serde_json::{Value, json};

use super::http_answers::{accept_malformed, drop_last};
use super::http_methods::not_allowed;
use super::http_posts::{refuse_batch, refuse_charset, refuse_large, take_any_type};
use super::http_streams::is_response;
use super::stdio_exchange::is_unknown;
use crate::fault::{Bend, Fault};
use crate::http::{Crowd, Disconnection, HttpBend, Malformed, Place, Scene, Step, UnknownSession};

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "sse-post-refused",
        violates: "http-sse/post-accepted",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Request(|incoming| {
            (incoming.method == Method::POST).then(|| not_allowed("GET"))
        })]),
    },
    Fault {
        name: "sse-batch-rejected",
        violates: "http-sse/batch-received",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Request(refuse_batch)]),
    },
    Fault {
        name: "sse-response-in-post-body",
        violates: "http-sse/response-on-stream",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Steps(|scene, steps| {
            put_pong_into_post(scene, steps);
            if scene.asks("ping") {
                steps.retain(|step| !matches!(step, Step::Say(Place::Own, _)));
            }
        })]),
    },
    Fault {
        name: "sse-response-duplicated-in-post",
        violates: "http-sse/no-response-in-post-body",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Steps(put_pong_into_post)]),
    },
    Fault {
        name: "sse-responds-to-notification",
        violates: "http-sse/notification-silent",
        drags: &[(
            "jsonrpc/request-without-id-silent",
            "a call without an id is a notification that nobody knows",
        )],
        bend: Bend::HttpSse(&[HttpBend::Steps(|scene, steps| {
            if is_unknown(scene.message) {
                let error = json!({ "code": -32601, "message": "unknown notification" });
                let refusal = json!({ "jsonrpc": "2.0", "id": null, "error": error });
                steps.push(Step::Say(Place::Own, refusal));
            }
        })]),
    },
    Fault {
        name: "sse-drops-concurrent-post",
        violates: "http-sse/concurrent-posts",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Crowd(Crowd {
            size: 10,
            holds: is_plain_ping,
            bend: drop_last,
        })]),
    },
    Fault {
        name: "sse-closes-after-response",
        violates: "http-sse/stream-stays-open",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Steps(|scene, steps| {
            // Sooner it would end the sessions of every other case, and so it would if the session
            // were one in which something else has been asked than pings, behind the handshake.
            if scene.asks("ping") && scene.nth == 3 && scene.posted == 5 {
                steps.push(Step::End);
            }
        })]),
    },
    Fault {
        name: "sse-single-connection",
        violates: "http-sse/multiple-connections",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Policy(|policy| policy.most_sessions = 1)]),
    },
    Fault {
        name: "sse-broadcasts-responses",
        violates: "http-sse/session-separation",
        drags: &[
            (
                "jsonrpc/result-schema",
                "the answer to another's request has the form that fits that one",
            ),
            (
                "utilities/ping-empty-result",
                "the other's request may be a ping",
            ),
            (
                "jsonrpc/one-response",
                "an id that the other uses too is answered a second time",
            ),
        ],
        bend: Bend::HttpSse(&[HttpBend::Steps(repeat_what_another_asked)]),
    },
    Fault {
        name: "sse-accepts-unknown-session",
        violates: "http-sse/unknown-session-refused",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Policy(|policy| {
            policy.unknown_session = UnknownSession::Dropped;
        })]),
    },
    Fault {
        name: "sse-session-outlives-stream",
        violates: "http-sse/post-after-close",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Policy(|policy| {
            policy.disconnection = Disconnection::Otherwise;
        })]),
    },
    Fault {
        name: "sse-accepts-malformed-json",
        violates: "http-sse/malformed-json-refused",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Reply(accept_malformed)]),
    },
    Fault {
        name: "sse-dies-on-malformed-post",
        violates: "http-sse/survives-malformed-post",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Policy(|policy| {
            policy.malformed = Malformed::EndsSession;
        })]),
    },
    Fault {
        name: "sse-rejects-json-charset",
        violates: "http-sse/json-content-type-params",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Request(refuse_charset)]),
    },
    Fault {
        name: "sse-accepts-text-plain",
        violates: "http-sse/wrong-content-type-refused",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Request(take_any_type)]),
    },
    Fault {
        name: "sse-rejects-256k",
        violates: "http-sse/large-post",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Request(refuse_large)]),
    },
];

/// Whether a message is a ping with nothing odd about it: of those some come together as well.
fn is_plain_ping(message: &Value) -> bool {
    message["method"] == "ping" && message["id"].is_string() && message.get("params").is_none()
}

fn put_pong_into_post(scene: &Scene<'_>, steps: &mut Vec<Step>) {
    let pong = steps.iter().find_map(|step| match step {
        Step::Say(Place::Own, pong) if scene.asks("ping") => Some(pong.clone()),
        _ => None,
    });
    steps.extend(pong.map(|pong| Step::Say(Place::Post, pong)));
}

/// Says the answer that another session got to another request with the same id as well.
fn repeat_what_another_asked(scene: &Scene<'_>, steps: &mut Vec<Step>) {
    if let Some(twin) = scene.twin
        && twin.method != scene.message["method"]
        && steps.iter().any(is_response)
    {
        steps.insert(0, Step::Say(Place::Own, twin.response.clone()));
    }
}
