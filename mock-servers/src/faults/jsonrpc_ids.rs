//! Faults in how the ids of requests are taken and given back.

use serde_json::{Value, json};

use crate::fault::{Bend, Fault};
use crate::scene::Asked;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "response-id-wrong",
        violates: "jsonrpc/id-echo",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            // What is answered to a batch has clauses of its own.
            if is_ping(asked, |id| *id == 3) && !asked.in_batch {
                reply["id"] = json!(1003);
            }
        }),
    },
    Fault {
        name: "id-stringified",
        violates: "jsonrpc/id-type-echo",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if is_ping(asked, |id| *id == 7) {
                reply["id"] = json!("7");
            }
        }),
    },
    Fault {
        name: "rejects-string-id",
        violates: "jsonrpc/id-string",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            // Not every string: the session could not even begin.
            if is_ping(asked, |id| text(id).starts_with("conform-")) {
                *reply = asked.refusal(-32600, "`id` is not a number");
            }
        }),
    },
    Fault {
        name: "numeric-string-id-parsed",
        violates: "jsonrpc/id-numeric-string",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            let number = text(asked.id()).parse::<f64>();
            if let (Ok(number), false) = (number, reply.is_null()) {
                #[expect(clippy::cast_possible_truncation, reason = "what is lost is the fault")]
                let number = number as i64;
                reply["id"] = json!(number);
            }
        }),
    },
    Fault {
        name: "id-zero-dropped",
        violates: "jsonrpc/id-zero",
        drags: &[],
        bend: Bend::Reply(|asked, reply| silent(reply, is_ping(asked, |id| *id == 0))),
    },
    Fault {
        name: "id-empty-dropped",
        violates: "jsonrpc/id-empty-string",
        drags: &[],
        bend: Bend::Reply(|asked, reply| silent(reply, is_ping(asked, |id| *id == ""))),
    },
    Fault {
        name: "negative-id-refused",
        violates: "jsonrpc/id-negative",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if is_ping(asked, |id| id.as_i64().is_some_and(i64::is_negative)) {
                *reply = asked.refusal(-32600, "`id` is negative");
            }
        }),
    },
    Fault {
        name: "id-int32",
        violates: "jsonrpc/id-large",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            let is_too_large =
                |id: &Value| id.as_u64().is_some_and(|id| i32::try_from(id).is_err());
            silent(reply, is_ping(asked, is_too_large));
        }),
    },
    Fault {
        name: "id-rounded",
        violates: "jsonrpc/id-beyond-double",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            const EXACT: u64 = 1 << 53;
            if let (Some(id @ EXACT..), true) = (asked.id().as_u64(), asked.is("ping")) {
                // The even neighbour is the one that a double can hold.
                reply["id"] = json!(id & !1);
            }
        }),
    },
    Fault {
        name: "id-truncated",
        violates: "jsonrpc/id-long",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            // Far longer ids are in messages that are probed for their size.
            if is_ping(asked, |id| (200..1000).contains(&text(id).len())) {
                reply["id"] = json!(text(asked.id()).chars().take(64).collect::<String>());
            }
        }),
    },
    Fault {
        name: "id-mangled-unicode",
        violates: "jsonrpc/id-unicode",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            // Only with a control character: without one it is the transport's encoding.
            if is_ping(asked, |id| text(id).contains('\u{1}')) {
                let ascii = |c: char| if c.is_ascii() { c } else { '?' };
                reply["id"] = json!(text(asked.id()).chars().map(ascii).collect::<String>());
            }
        }),
    },
    Fault {
        name: "id-fraction-truncated",
        violates: "jsonrpc/id-fractional",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            let fraction = asked.id().as_f64().filter(|id| id.fract() != 0.0);
            if let (Some(fraction), true) = (fraction, asked.is("ping")) {
                #[expect(clippy::cast_possible_truncation, reason = "that is the fault")]
                let truncated = fraction as i64;
                *reply = pong(&json!(truncated));
            }
        }),
    },
    Fault {
        name: "result-for-null-id",
        violates: "jsonrpc/invalid-id-no-result",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if asked.is_request() && is_ping(asked, Value::is_null) {
                *reply = pong(&Value::Null);
            }
        }),
    },
];

fn is_ping(asked: &Asked<'_>, id: impl Fn(&Value) -> bool) -> bool {
    asked.is("ping") && id(asked.id())
}

fn text(id: &Value) -> &str {
    id.as_str().unwrap_or_default()
}

fn silent(reply: &mut Value, is_lost: bool) {
    if is_lost {
        *reply = Value::Null;
    }
}

fn pong(id: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": {} })
}
