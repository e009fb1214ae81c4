//! Faults in what a POST is answered.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use super::stdio_output::latin1;
use crate::fault::{Bend, Fault};
use crate::http::reply::{self, Content, Reply};
use crate::http::{Crowd, HttpBend, Incoming};

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "http-wrong-response-type",
        violates: "streamable-http/request-json-or-stream",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Reply(|_, reply| {
            if is_json(reply) && reply.status().is_success() {
                let text = HeaderValue::from_static("text/plain");
                reply.headers_mut().insert(CONTENT_TYPE, text);
            }
        })]),
    },
    Fault {
        name: "http-json-array-answer",
        violates: "streamable-http/json-answer-is-one-response",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Reply(|incoming, reply| {
            if reply.status().is_success() && incoming.message().is_object() {
                rewrite(reply, |answer| *answer = json!([answer.take()]));
            }
        })]),
    },
    Fault {
        name: "http-crossed-responses",
        violates: "streamable-http/own-response",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Crowd(Crowd {
            size: CROWD,
            holds: is_list,
            bend: |messages| messages.rotate_left(1),
        })]),
    },
    Fault {
        name: "http-drops-concurrent-post",
        violates: "streamable-http/concurrent-posts",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Crowd(Crowd {
            size: CROWD,
            holds: is_list,
            bend: drop_last,
        })]),
    },
    Fault {
        name: "http-latin1-answer",
        violates: "streamable-http/body-utf8",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Reply(|_, reply| {
            if let Content::Bytes(bytes) = reply.body_mut() {
                *bytes = latin1(&String::from_utf8_lossy(bytes));
            }
        })]),
    },
    Fault {
        name: "http-notification-200",
        violates: "streamable-http/notification-202",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Reply(|incoming, reply| {
            if is_accepted(reply) && incoming.message().get("method").is_some() {
                *reply.status_mut() = StatusCode::OK;
            }
        })]),
    },
    Fault {
        name: "http-202-with-body",
        violates: "streamable-http/accepted-without-body",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Reply(|_, reply| {
            if is_accepted(reply) {
                *reply.body_mut() = Content::Bytes(b"Accepted".to_vec());
            }
        })]),
    },
    Fault {
        name: "http-response-200",
        violates: "streamable-http/response-202",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Reply(|incoming, reply| {
            let message = incoming.message();
            let has = |member| message.get(member).is_some();
            if is_accepted(reply) && !has("method") && has("result") != has("error") {
                *reply.status_mut() = StatusCode::OK;
            }
        })]),
    },
    Fault {
        name: "http-200-with-error-body",
        violates: "streamable-http/rejected-with-error-status",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Reply(|incoming, reply| {
            // A notification that is well-formed would be taken with the wrong status.
            let is_malformed = !incoming.message()["method"].is_string();
            if is_malformed && is_rejection(incoming, reply) {
                *reply.status_mut() = StatusCode::OK;
            }
        })]),
    },
    Fault {
        name: "http-rejection-with-id",
        violates: "streamable-http/rejection-body-without-id",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Reply(|incoming, reply| {
            if is_rejection(incoming, reply) {
                rewrite(reply, |error| error["id"] = json!("rejected"));
            }
        })]),
    },
    Fault {
        name: "http-accepts-malformed-json",
        violates: "streamable-http/malformed-json-refused",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Reply(accept_malformed)]),
    },
];

/// So many lists at once are a crowd; fewer are left to other clauses.
const CROWD: usize = 4;

fn is_list(message: &Value) -> bool {
    message["method"]
        .as_str()
        .is_some_and(|method| method.ends_with("/list"))
}

/// Serves all of a crowd but the last.
pub(super) fn drop_last(messages: &mut [Option<Value>]) {
    if let Some(last) = messages.last_mut() {
        *last = None;
    }
}

/// Takes a body that is not JSON for a notification.
pub(super) fn accept_malformed(incoming: &Incoming, reply: &mut Reply) {
    let is_malformed = serde_json::from_slice::<Value>(&incoming.body).is_err();
    let is_post = incoming.method == Method::POST;
    if is_post && reply.status() == StatusCode::BAD_REQUEST && is_malformed {
        *reply = reply::empty(StatusCode::ACCEPTED);
    }
}

fn is_accepted(reply: &Reply) -> bool {
    reply.status() == StatusCode::ACCEPTED
}

fn is_json(reply: &Reply) -> bool {
    reply
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|content_type| content_type == "application/json")
}

/// Whether a notification or a response, or what may have been meant as one, is refused.
fn is_rejection(incoming: &Incoming, reply: &Reply) -> bool {
    let message = incoming.message();
    let asks = message.get("method").is_some() && message.get("id").is_some();
    message.is_object() && !asks && reply.status().as_u16() >= 400
}

/// Rewrites a JSON body.
fn rewrite(reply: &mut Reply, rewrite: impl FnOnce(&mut Value)) {
    if !is_json(reply) {
        return;
    }
    if let Content::Bytes(bytes) = reply.body_mut()
        && let Ok(mut value) = serde_json::from_slice(bytes)
    {
        rewrite(&mut value);
        *bytes = value.to_string().into_bytes();
    }
}
