//! Faults with arrays of messages.

use serde_json::{Value, json};

use crate::fault::{Bend, Fault, Stdout};
use crate::revision::Revision;

/// Why a fault that writes an empty array breaks a second clause.
const EMPTY_ARRAY: (&str, &str) = (
    "stdio/batch-output-homogeneous",
    "that clause forbids the server every empty array, and an empty array is the fault",
);

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "batch-rejected",
        violates: "stdio/batch-received",
        drags: &[],
        bend: Bend::Batch(|batch, replies| {
            // A batch without requests is owed nothing, and gets nothing.
            if batch.iter().any(is_request) {
                *replies = vec![json!({
                    "jsonrpc": "2.0",
                    "id": null,
                    "error": { "code": -32600, "message": "batches are not supported" },
                })];
            }
        }),
    },
    Fault {
        name: "batch-answered-singly",
        violates: "stdio/batch-response-is-array",
        drags: &[],
        bend: Bend::Batch(|_, replies| {
            *replies = std::mem::take(replies)
                .into_iter()
                .flat_map(|reply| match reply {
                    Value::Array(responses) => responses,
                    other => vec![other],
                })
                .collect();
        }),
    },
    Fault {
        name: "batch-empty-array-reply",
        violates: "stdio/batch-of-notifications-silent",
        drags: &[EMPTY_ARRAY],
        bend: Bend::Batch(|_, replies| {
            if replies.is_empty() {
                replies.push(json!([]));
            }
        }),
    },
    Fault {
        name: "batch-empty-accepted",
        violates: "stdio/batch-empty-refused",
        drags: &[EMPTY_ARRAY],
        bend: Bend::Batch(|batch, replies| {
            if batch.is_empty() {
                *replies = vec![json!([])];
            }
        }),
    },
    Fault {
        name: "mixed-batch",
        violates: "stdio/batch-output-homogeneous",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            // Not in batches: their arrays hold exactly the responses, by another clause.
            if asked.scene.revision == Some(Revision::V2025_03_26)
                && !asked.in_batch
                && reply["error"]["code"] == -32601
            {
                let log = json!({
                    "jsonrpc": "2.0",
                    "method": "notifications/message",
                    "params": { "level": "warning", "data": "an unknown method was asked for" },
                });
                *reply = json!([log, reply.take()]);
            }
        }),
    },
    Fault {
        name: "stdout-batch",
        violates: "stdio/no-batch-output",
        drags: &[],
        bend: Bend::Stdout(Stdout::Together(collect)),
    },
];

fn is_request(element: &Value) -> bool {
    element.get("id").is_some() && element.get("method").is_some()
}

/// Answers in one array what became ready together, where batches do not exist. Where
/// they do it would be no fault, and 2024-11-05 does not know them at all.
fn collect(revision: Option<Revision>, messages: &mut Vec<Value>) {
    if revision < Some(Revision::V2025_06_18) {
        return;
    }
    let (responses, mut rest): (Vec<Value>, Vec<Value>) = std::mem::take(messages)
        .into_iter()
        .partition(|message| message.is_object() && message.get("method").is_none());
    if responses.len() > 1 {
        rest.push(Value::Array(responses));
    } else {
        rest.extend(responses);
    }
    *messages = rest;
}
