//! Faults with the header that names the protocol version.

use axum::http::{Method, StatusCode};

use super::http_sessions::misspell;
use crate::fault::{Bend, Fault};
use crate::http::{HttpBend, Incoming, reply};
use crate::revision::Revision;

const VERSION: &str = "mcp-protocol-version";

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "http-ignores-invalid-version",
        violates: "streamable-http/version-header-invalid-400",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            overlook(incoming, &Method::POST, |version| !is_date(version));
            None
        })]),
    },
    Fault {
        name: "http-ignores-unsupported-version",
        violates: "streamable-http/version-header-unsupported-400",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            overlook(incoming, &Method::POST, is_date);
            None
        })]),
    },
    Fault {
        name: "http-get-ignores-version",
        violates: "streamable-http/version-header-checked-on-get",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            overlook(incoming, &Method::GET, |_| true);
            None
        })]),
    },
    Fault {
        name: "http-rejects-negotiated-version",
        violates: "streamable-http/version-header-negotiated-accepted",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            // On every message it would leave no session to judge anything else in.
            let is_first = incoming.message()["method"] == "notifications/initialized";
            let is_refused = is_first && incoming.headers.contains_key(VERSION);
            is_refused.then(|| reply::refusal(StatusCode::BAD_REQUEST, "unknown version"))
        })]),
    },
    Fault {
        name: "http-requires-version-header",
        violates: "streamable-http/version-header-absent-accepted",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            let is_due = incoming.revision >= Some(Revision::V2025_06_18);
            let is_refused = is_due && !incoming.headers.contains_key(VERSION);
            is_refused.then(|| reply::refusal(StatusCode::BAD_REQUEST, "the version is missing"))
        })]),
    },
    Fault {
        name: "http-version-header-case",
        violates: "streamable-http/version-header-name-case",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Wire(|bytes| {
            misspell(bytes, b"MCP-PROTOCOL-VERSION:");
        })]),
    },
];

/// Leaves a version out of account for which this says so.
fn overlook(incoming: &mut Incoming, method: &Method, is_overlooked: fn(&str) -> bool) {
    if incoming.method == *method && incoming.header(VERSION).is_some_and(is_overlooked) {
        incoming.headers.remove(VERSION);
    }
}

/// Whether a version has the form of one.
fn is_date(version: &str) -> bool {
    let has_form = |(position, byte): (usize, u8)| match position {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    version.len() == 10 && version.bytes().enumerate().all(has_form)
}
