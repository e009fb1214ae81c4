//! Faults in when the process ends.

use serde_json::Value;

use crate::fault::{Bend, Fault, Lifecycle};
use crate::message::parse;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "exits-on-malformed-line",
        violates: "stdio/survives-malformed-line",
        drags: &[],
        bend: Bend::Lifecycle(Lifecycle::EndsAt(|line| {
            str::from_utf8(line).is_ok() && parse(line).is_err()
        })),
    },
    Fault {
        name: "exits-on-invalid-utf8",
        violates: "stdio/survives-invalid-utf8",
        drags: &[],
        bend: Bend::Lifecycle(Lifecycle::EndsAt(|line| str::from_utf8(line).is_err())),
    },
    Fault {
        name: "exits-on-non-jsonrpc",
        violates: "stdio/survives-non-message-json",
        drags: &[],
        bend: Bend::Lifecycle(Lifecycle::EndsAt(|line| {
            parse(line).is_ok_and(|value| is_alien(&value))
        })),
    },
    Fault {
        name: "ignores-stdin-eof",
        violates: "stdio/exit-on-stdin-close",
        drags: &[],
        bend: Bend::Lifecycle(Lifecycle::IgnoresEof),
    },
    Fault {
        name: "ignores-sigterm",
        violates: "stdio/exit-on-sigterm",
        drags: &[],
        bend: Bend::Lifecycle(Lifecycle::IgnoresSigterm),
    },
];

/// Whether there is nothing of JSON-RPC about a value. Messages with a mistake in them,
/// and arrays, are other clauses' business.
fn is_alien(value: &Value) -> bool {
    match value {
        Value::Object(members) => !["jsonrpc", "method", "result", "error"]
            .iter()
            .any(|member| members.contains_key(*member)),
        Value::Array(_) => false,
        _ => true,
    }
}
