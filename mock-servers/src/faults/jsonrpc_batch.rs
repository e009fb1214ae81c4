//! Faults in what is answered to arrays of messages, whatever carries them.

use serde_json::{Value, json};

use crate::fault::{Bend, Fault};

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "batch-drops-entry",
        violates: "jsonrpc/batch-mixed",
        drags: &[],
        bend: Bend::Batch(|_, replies| {
            for responses in replies.iter_mut().filter_map(Value::as_array_mut) {
                responses.retain(|response| response["error"]["code"] != -32601);
            }
        }),
    },
    Fault {
        name: "batch-answers-notification",
        violates: "jsonrpc/batch-no-answer-to-notification",
        drags: &[],
        bend: Bend::Batch(|_, replies| {
            // Only where a request was unknown too: the plain case is the transports'.
            for responses in replies.iter_mut().filter_map(Value::as_array_mut) {
                if responses
                    .iter()
                    .any(|response| response["error"]["code"] == -32601)
                {
                    responses.push(refusal(-32601, "unknown notification"));
                }
            }
        }),
    },
    Fault {
        name: "batch-invalid-entry-kills-all",
        violates: "jsonrpc/batch-invalid-entry",
        drags: &[],
        bend: Bend::Batch(|batch, replies| {
            if batch.iter().any(|entry| !entry.is_object()) {
                *replies = vec![refusal(-32600, "an entry is no message")];
            }
        }),
    },
    Fault {
        name: "batch-single-refused",
        violates: "jsonrpc/batch-single",
        drags: &[],
        bend: Bend::Batch(|batch, replies| {
            if let ([single], false) = (batch, replies.is_empty())
                && single.is_object()
            {
                *replies = vec![refusal(-32600, "a batch holds more than one message")];
            }
        }),
    },
    Fault {
        name: "http-batch-empty-accepted",
        violates: "jsonrpc/batch-empty",
        drags: &[(
            "http-sse/data-is-message",
            "an array with nothing in it is no message",
        )],
        bend: Bend::Batch(|batch, replies| {
            if batch.is_empty() {
                *replies = vec![json!([])];
            }
        }),
    },
    Fault {
        name: "batch-of-responses-fatal",
        violates: "jsonrpc/batch-of-responses",
        drags: &[],
        bend: Bend::Fatal(|asked| {
            let is_response = |entry: &Value| {
                entry.is_object() && entry.get("method").is_none() && entry.get("id").is_some()
            };
            asked
                .message
                .as_array()
                .is_some_and(|batch| !batch.is_empty() && batch.iter().all(is_response))
        }),
    },
];

fn refusal(code: i64, message: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": null, "error": { "code": code, "message": message } })
}
