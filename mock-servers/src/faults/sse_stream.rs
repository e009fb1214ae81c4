//! Faults in the stream of HTTP+SSE.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, StatusCode};

use super::http_events::{
    give_retry_with_unit, say_in_latin1, say_over_lines, say_with_type, say_words,
};
use super::http_streams::{LIST, log};
use crate::fault::{Bend, Fault};
use crate::http::reply::{self, Reply};
use crate::http::{HttpBend, Incoming, Told};

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "sse-get-refused",
        violates: "http-sse/get-opens-stream",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Request(|incoming| {
            let is_get = incoming.method == Method::GET;
            is_get.then(|| reply::refusal(StatusCode::NOT_FOUND, "there is nothing here"))
        })]),
    },
    Fault {
        name: "sse-wrong-content-type",
        violates: "http-sse/stream-content-type",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Reply(|incoming, reply| {
            label(incoming, reply, "text/plain");
        })]),
    },
    Fault {
        name: "sse-charset-latin1",
        violates: "http-sse/stream-charset",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Reply(|incoming, reply| {
            label(incoming, reply, "text/event-stream; charset=iso-8859-1");
        })]),
    },
    Fault {
        name: "no-endpoint-event",
        violates: "http-sse/endpoint-event-sent",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Event(|told, bytes| {
            if names_endpoint(told) {
                bytes.clear();
            }
        })]),
    },
    Fault {
        name: "endpoint-event-late",
        violates: "http-sse/endpoint-event-first",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Event(|told, bytes| {
            if names_endpoint(told) {
                let event = format!("event: message\ndata: {}\n\n", log());
                bytes.splice(..0, event.into_bytes());
            }
        })]),
    },
    Fault {
        name: "endpoint-data-json",
        violates: "http-sse/endpoint-data-uri",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Event(|told, bytes| {
            rename_endpoint(told, bytes, |endpoint| format!("\"{endpoint}\""));
        })]),
    },
    Fault {
        name: "endpoint-cross-origin",
        violates: "http-sse/endpoint-same-origin",
        drags: &[],
        // The server is there as well, so that a client that goes there is served.
        bend: Bend::HttpSse(&[HttpBend::Event(|told, bytes| {
            let elsewhere = told.authority.replace("127.0.0.1", "localhost");
            rename_endpoint(told, bytes, |path| format!("http://{elsewhere}{path}"));
        })]),
    },
    Fault {
        name: "sse-custom-event-type",
        violates: "http-sse/message-event-type",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Event(say_with_type)]),
    },
    Fault {
        name: "sse-data-not-json",
        violates: "http-sse/data-is-message",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Event(say_words)]),
    },
    Fault {
        name: "sse-invalid-utf8",
        violates: "http-sse/stream-utf8",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Event(say_in_latin1)]),
    },
    Fault {
        name: "sse-unprefixed-line",
        violates: "http-sse/line-format",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Event(say_over_lines)]),
    },
    Fault {
        name: "sse-missing-blank-line",
        violates: "http-sse/event-terminated",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Event(end_with_the_next)]),
    },
    Fault {
        name: "sse-bad-retry",
        violates: "http-sse/retry-is-digits",
        drags: &[],
        bend: Bend::HttpSse(&[HttpBend::Event(give_retry_with_unit)]),
    },
];

/// Gives the stream that type.
fn label(incoming: &Incoming, reply: &mut Reply, content_type: &'static str) {
    if incoming.method == Method::GET && reply.status().is_success() {
        let content_type = HeaderValue::from_static(content_type);
        reply.headers_mut().insert(CONTENT_TYPE, content_type);
    }
}

/// Whether an event is the one that names the endpoint: nothing else says nothing.
fn names_endpoint(told: &Told<'_>) -> bool {
    told.message.is_null()
}

fn rename_endpoint(told: &Told<'_>, bytes: &mut Vec<u8>, rename: impl FnOnce(&str) -> String) {
    let event = String::from_utf8_lossy(bytes);
    if names_endpoint(told)
        && let Some((kind, endpoint)) = event.trim_end().split_once("data: ")
    {
        *bytes = format!("{kind}data: {}\n\n", rename(endpoint)).into_bytes();
    }
}

/// Writes the blank line that ends the answer to a list with the event that follows. In
/// front of every other event it does no harm.
fn end_with_the_next(told: &Told<'_>, bytes: &mut Vec<u8>) {
    if told.is_result_of(LIST) {
        bytes.pop();
    }
    bytes.insert(0, b'\n');
}
