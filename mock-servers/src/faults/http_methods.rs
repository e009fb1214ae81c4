//! Faults in which methods are served, and how a GET is.

use axum::http::header::ALLOW;
use axum::http::{HeaderValue, Method, StatusCode};

use crate::fault::{Bend, Fault};
use crate::http::{GetHeaders, HttpBend, Incoming, reply};

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "http-post-405",
        violates: "streamable-http/post-supported",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            (incoming.method == Method::POST).then(|| not_allowed("GET, DELETE"))
        })]),
    },
    Fault {
        name: "http-get-404",
        violates: "streamable-http/get-stream-or-405",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            let message = "there is nothing here";
            opens_stream(incoming).then(|| reply::refusal(StatusCode::NOT_FOUND, message))
        })]),
    },
    Fault {
        name: "http-get-headers-withheld",
        violates: "streamable-http/get-headers-prompt",
        drags: &[],
        bend: Bend::StreamableHttp(&[
            HttpBend::Policy(|policy| policy.get_headers = GetHeaders::WithFirstEvent),
            HttpBend::Event(|told, bytes| {
                if told.message.is_null() && told.asked.is_null() {
                    bytes.clear();
                }
            }),
        ]),
    },
    Fault {
        name: "http-405-no-allow",
        violates: "streamable-http/method-405-allow",
        drags: &[],
        bend: Bend::StreamableHttp(&[
            // Clients send no methods but those that are served, unless one is not.
            HttpBend::Request(|incoming| {
                opens_stream(incoming).then(|| not_allowed("POST, DELETE"))
            }),
            HttpBend::Reply(|_, reply| {
                reply.headers_mut().remove(ALLOW);
            }),
        ]),
    },
    Fault {
        name: "http-get-blocks-posts",
        violates: "streamable-http/get-leaves-post-working",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Policy(|policy| policy.beside_get = Some(0))]),
    },
    Fault {
        name: "http-second-get-500",
        violates: "streamable-http/second-get",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Reply(|_, reply| {
            if reply.status() == StatusCode::CONFLICT {
                *reply.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            }
        })]),
    },
];

/// Whether a request asks for a stream that belongs to no request.
fn opens_stream(incoming: &Incoming) -> bool {
    incoming.method == Method::GET && !incoming.headers.contains_key("last-event-id")
}

/// An answer 405 that names what is served instead.
pub(super) fn not_allowed(allowed: &'static str) -> reply::Reply {
    let mut reply = reply::refusal(StatusCode::METHOD_NOT_ALLOWED, "not this method");
    let allowed = HeaderValue::from_static(allowed);
    reply.headers_mut().insert(ALLOW, allowed);
    reply
}
