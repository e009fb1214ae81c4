//! Faults in the check of where requests come from.

use std::net::Ipv4Addr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderValue, Method, StatusCode};

use super::http_sessions::initializes;
use crate::fault::{Bend, Fault};
use crate::http::reply::{self, Reply};
use crate::http::{HttpBend, Incoming, Policy};

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "http-allows-rebinding",
        violates: "streamable-http/rebinding-refused",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(trust_what_agrees)]),
    },
    Fault {
        name: "http-ignores-origin",
        violates: "streamable-http/origin-foreign-refused",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            trust_origin(incoming, &Method::POST)
        })]),
    },
    Fault {
        name: "http-origin-400",
        violates: "streamable-http/origin-foreign-403",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Reply(|incoming, reply| {
            let has_origin = incoming.headers.contains_key(ORIGIN);
            if has_origin && reply.status() == StatusCode::FORBIDDEN {
                *reply.status_mut() = StatusCode::BAD_REQUEST;
            }
        })]),
    },
    Fault {
        name: "http-get-ignores-origin",
        violates: "streamable-http/origin-foreign-refused-get",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            trust_origin(incoming, &Method::GET)
        })]),
    },
    Fault {
        name: "http-delete-ignores-origin",
        violates: "streamable-http/origin-foreign-refused-delete",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            trust_origin(incoming, &Method::DELETE)
        })]),
    },
    Fault {
        name: "http-origin-prefix-match",
        violates: "streamable-http/origin-lookalike-refused",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            let looks_local = |origin: &str| {
                ["http://127.0.0.1", "http://localhost"]
                    .iter()
                    .any(|local| origin.starts_with(local))
            };
            if incoming.header(ORIGIN.as_str()).is_some_and(looks_local) {
                incoming.headers.remove(ORIGIN);
            }
            None
        })]),
    },
    Fault {
        name: "http-accepts-null-origin",
        violates: "streamable-http/origin-null-refused",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            if incoming.header(ORIGIN.as_str()) == Some("null") {
                incoming.headers.remove(ORIGIN);
            }
            None
        })]),
    },
    Fault {
        name: "http-requires-origin",
        violates: "streamable-http/origin-absent-served",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            let is_refused = initializes(incoming) && !incoming.headers.contains_key(ORIGIN);
            is_refused.then(|| reply::refusal(StatusCode::FORBIDDEN, "the Origin is missing"))
        })]),
    },
    Fault {
        name: "http-rejects-own-origin",
        violates: "streamable-http/origin-own-served",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            let has_origin = incoming.headers.contains_key(ORIGIN);
            has_origin.then(|| reply::refusal(StatusCode::FORBIDDEN, "no Origin is allowed"))
        })]),
    },
    Fault {
        name: "http-ignores-host",
        violates: "streamable-http/host-foreign-refused",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(trust_host)]),
    },
    Fault {
        name: "http-binds-all-interfaces",
        violates: "streamable-http/binds-loopback",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Policy(bind_everywhere)]),
    },
];

/// Trusts an Origin that agrees with the Host, whatever both are.
pub(super) fn trust_what_agrees(incoming: &mut Incoming) -> Option<Reply> {
    let origin = incoming.header(ORIGIN.as_str())?;
    let host = incoming.header(HOST.as_str())?;
    if origin.strip_prefix("http://") == Some(host) {
        incoming.headers.remove(ORIGIN);
        return trust_host(incoming);
    }
    None
}

/// Trusts every Origin of requests with that method.
pub(super) fn trust_origin(incoming: &mut Incoming, method: &Method) -> Option<Reply> {
    if incoming.method == *method {
        incoming.headers.remove(ORIGIN);
    }
    None
}

/// Trusts every Host.
pub(super) fn trust_host(incoming: &mut Incoming) -> Option<Reply> {
    if let Ok(own) = HeaderValue::from_str(&incoming.authority) {
        incoming.headers.insert(HOST, own);
    }
    None
}

/// Listens on every address of the machine.
pub(super) fn bind_everywhere(policy: &mut Policy) {
    policy.address = Ipv4Addr::UNSPECIFIED;
}
