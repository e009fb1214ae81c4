//! Faults in the check of where connections and posts of HTTP+SSE come from.

use axum::http::Method;

use super::http_origins::{bind_everywhere, trust_host, trust_origin, trust_what_agrees};
use crate::fault::{Bend, Fault};
use crate::http::HttpBend;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "sse-get-ignores-origin",
        violates: "http-sse/origin-validated-get",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Request(|incoming| {
            trust_origin(incoming, &Method::GET)
        })]),
    },
    Fault {
        name: "sse-post-ignores-origin",
        violates: "http-sse/origin-validated-post",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Request(|incoming| {
            trust_origin(incoming, &Method::POST)
        })]),
    },
    Fault {
        name: "sse-allows-rebinding",
        violates: "http-sse/rebinding-refused",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Request(trust_what_agrees)]),
    },
    Fault {
        name: "sse-ignores-host",
        violates: "http-sse/host-validated",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Request(trust_host)]),
    },
    Fault {
        name: "sse-binds-all-interfaces",
        violates: "http-sse/binds-loopback",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Policy(bind_everywhere)]),
    },
];
