//! Faults in the format of event streams.
//!
//! What is malformed is said besides the answer to a list, so that nothing is lost that a
//! client waits for.

use serde_json::Value;

use super::http_streams::{LIST, log};
use crate::fault::{Bend, Fault};
use crate::http::{HttpBend, Told};
use crate::revision::Revision;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "http-sse-data-not-json",
        violates: "streamable-http/sse-data-is-message",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Event(say_words)]),
    },
    Fault {
        name: "http-sse-custom-event-type",
        violates: "streamable-http/sse-event-type",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Event(say_with_type)]),
    },
    Fault {
        name: "http-sse-unprefixed-line",
        violates: "streamable-http/sse-line-format",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Event(say_over_lines)]),
    },
    Fault {
        name: "http-sse-missing-blank-line",
        violates: "streamable-http/sse-event-terminated",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Event(|told, bytes| {
            if told.is_result_of(LIST) {
                bytes.extend(format!("data: {}\n", log()).bytes());
            }
        })]),
    },
    Fault {
        name: "http-sse-invalid-utf8",
        violates: "streamable-http/sse-utf8",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Event(say_in_latin1)]),
    },
    Fault {
        name: "http-sse-bad-retry",
        violates: "streamable-http/sse-retry-digits",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Event(give_retry_with_unit)]),
    },
    Fault {
        name: "http-batch-from-server",
        violates: "streamable-http/no-batch-from-server",
        drags: &[],
        bend: Bend::StreamableHttp(&[HttpBend::Event(|told, bytes| {
            if told.revision >= Some(Revision::V2025_06_18) {
                say_before(told, bytes, message_event(&Value::Array(vec![log()])));
            }
        })]),
    },
];

/// Says something that is not JSON.
pub(super) fn say_words(told: &Told<'_>, bytes: &mut Vec<u8>) {
    say_before(told, bytes, "data: a list was asked for\n\n");
}

/// Says a message in an event with a type of its own.
pub(super) fn say_with_type(told: &Told<'_>, bytes: &mut Vec<u8>) {
    say_before(told, bytes, format!("event: log\ndata: {}\n\n", log()));
}

/// Says a message over several lines, of which only the first is data.
pub(super) fn say_over_lines(told: &Told<'_>, bytes: &mut Vec<u8>) {
    say_before(told, bytes, format!("data: {:#}\n\n", log()));
}

/// Says a message that is not UTF-8.
pub(super) fn say_in_latin1(told: &Told<'_>, bytes: &mut Vec<u8>) {
    let mut event = message_event(&log()).into_bytes();
    if let Some(letter) = event.iter_mut().rfind(|byte| **byte == b'a') {
        *letter = b'\xe0';
    }
    say_before(told, bytes, event);
}

/// Gives a retry time with a unit.
pub(super) fn give_retry_with_unit(told: &Told<'_>, bytes: &mut Vec<u8>) {
    say_before(told, bytes, "retry: 5s\n\n");
}

fn say_before(told: &Told<'_>, bytes: &mut Vec<u8>, event: impl Into<Vec<u8>>) {
    if told.is_result_of(LIST) {
        bytes.splice(..0, event.into());
    }
}

fn message_event(message: &Value) -> String {
    format!("event: message\ndata: {message}\n\n")
}
