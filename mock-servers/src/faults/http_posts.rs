//! Faults in how the head and the body of a POST are read.

use axum::http::header::{ACCEPT, CONTENT_TYPE, TRANSFER_ENCODING};
use axum::http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use super::stdio_input::mistake_for_latin1;
use crate::fault::{Bend, Fault};
use crate::http::reply::{self, Reply};
use crate::http::{HttpBend, Incoming, Malformed};
use crate::revision::Revision;

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "http-decodes-latin1",
        violates: "streamable-http/request-utf8",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            let mut body = incoming.body.to_vec();
            mistake_for_latin1(&mut body);
            incoming.body = body.into();
            None
        })]),
    },
    Fault {
        name: "http-rejects-json-charset",
        violates: "streamable-http/json-content-type-params",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(refuse_charset)]),
    },
    Fault {
        name: "http-accepts-text-plain",
        violates: "streamable-http/wrong-content-type-refused",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(take_any_type)]),
    },
    Fault {
        name: "http-accept-order-sensitive",
        violates: "streamable-http/accept-forms",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            let accept = incoming.header(ACCEPT.as_str())?;
            let is_reversed = accept.find(EVENTS)? < accept.find(JSON)?;
            is_reversed.then(|| reply::refusal(StatusCode::NOT_ACCEPTABLE, "JSON comes first"))
        })]),
    },
    Fault {
        name: "http-500-on-wildcard-accept",
        violates: "streamable-http/accept-wildcard",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            let accept = incoming.header(ACCEPT.as_str()).unwrap_or("*/*");
            (incoming.method == Method::POST && accept == "*/*").then(internal_error)
        })]),
    },
    Fault {
        name: "http-500-on-partial-accept",
        violates: "streamable-http/accept-incomplete",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            let accept = incoming.header(ACCEPT.as_str())?;
            let is_partial = [JSON, EVENTS].contains(&accept);
            (incoming.method == Method::POST && is_partial).then(internal_error)
        })]),
    },
    Fault {
        name: "http-rejects-256k",
        violates: "streamable-http/large-body",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(refuse_large)]),
    },
    Fault {
        name: "http-rejects-chunked",
        violates: "streamable-http/chunked-body",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            let is_chunked = incoming.headers.contains_key(TRANSFER_ENCODING);
            is_chunked.then(|| reply::refusal(StatusCode::BAD_REQUEST, "the body has no length"))
        })]),
    },
    Fault {
        name: "http-dies-on-malformed-post",
        violates: "streamable-http/survives-malformed-post",
        drags: &[
            (
                "jsonrpc/parse-error-code",
                "once the session is over, what follows is refused for that",
            ),
            (
                "jsonrpc/stray-response-ignored",
                "the session may be over by then",
            ),
        ],
        bend: Bend::StreamableHttp(&[HttpBend::Policy(|policy| {
            policy.malformed = Malformed::EndsSession;
        })]),
    },
    Fault {
        name: "http-batch-rejected",
        violates: "streamable-http/batch-accepted",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(refuse_batch)]),
    },
    Fault {
        name: "http-batch-notifications-200",
        violates: "streamable-http/batch-of-notifications-202",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Reply(|incoming, reply| {
            if reply.status() == StatusCode::ACCEPTED && incoming.message().is_array() {
                *reply = reply::json(StatusCode::OK, &json!([]));
            }
        })]),
    },
    Fault {
        name: "http-batch-half-answered",
        violates: "streamable-http/batch-not-half-handled",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            if incoming.revision >= Some(Revision::V2025_06_18)
                && let Some(first) = incoming.message().get(0)
            {
                incoming.body = first.to_string().into();
            }
            None
        })]),
    },
];

/// Refuses a type with parameters.
pub(super) fn refuse_charset(incoming: &mut Incoming) -> Option<Reply> {
    let content_type = incoming.header(CONTENT_TYPE.as_str())?;
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    content_type
        .contains(';')
        .then(|| reply::refusal(status, "the type is not application/json"))
}

/// Takes every body for JSON.
pub(super) fn take_any_type(incoming: &mut Incoming) -> Option<Reply> {
    let json = HeaderValue::from_static(JSON);
    incoming.headers.insert(CONTENT_TYPE, json);
    None
}

/// Refuses what is longer than some frameworks' limit, and not with the status for that.
pub(super) fn refuse_large(incoming: &mut Incoming) -> Option<Reply> {
    const LIMIT: usize = 100 * 1024;
    (incoming.body.len() > LIMIT)
        .then(|| reply::refusal(StatusCode::BAD_REQUEST, "the body is too long"))
}

/// Refuses arrays where they exist; one without requests is owed nothing, and is taken.
pub(super) fn refuse_batch(incoming: &mut Incoming) -> Option<Reply> {
    let message = incoming.message();
    let asks = |element: &Value| element.get("id").is_some() && element.get("method").is_some();
    let has_requests = message.as_array()?.iter().any(asks);
    (has_requests && incoming.revision == Some(Revision::V2025_03_26))
        .then(|| reply::refusal(StatusCode::BAD_REQUEST, "batches are not supported"))
}

fn internal_error() -> Reply {
    reply::refusal(StatusCode::INTERNAL_SERVER_ERROR, "something went wrong")
}
