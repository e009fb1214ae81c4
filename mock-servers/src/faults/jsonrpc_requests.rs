//! Faults in which requests are served, and which input is survived.

use serde_json::{Map, Value, json};

use crate::fault::{Bend, Fault};
use crate::message::of_method;
use crate::scene::{Asked, Scene};

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "method-case-folded",
        violates: "jsonrpc/method-case-sensitive",
        drags: &[],
        bend: Bend::Receive(|_, messages| {
            for message in of_method(messages, "PING") {
                message["method"] = json!("ping");
            }
        }),
    },
    Fault {
        name: "member-names-case-folded",
        violates: "jsonrpc/member-case-sensitive",
        drags: &[],
        bend: Bend::Receive(|_, messages| messages.iter_mut().for_each(fold_member_names)),
    },
    Fault {
        name: "answers-idless-request",
        violates: "jsonrpc/request-without-id-silent",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if asked.is("ping") && asked.message.get("id").is_none() {
                *reply = json!({ "jsonrpc": "2.0", "id": null, "result": {} });
            }
        }),
    },
    Fault {
        name: "idless-call-fatal",
        violates: "jsonrpc/idless-call-harmless",
        drags: &[],
        bend: Bend::Fatal(|asked| {
            let is_foreign =
                |method: &str| method.contains('/') && !method.starts_with("notifications/");
            // A list that nobody asked for by an id is another clause's business.
            asked.message.get("id").is_none()
                && !asked.is("tools/list")
                && asked.method().is_some_and(is_foreign)
        }),
    },
    Fault {
        name: "array-params-fatal",
        violates: "jsonrpc/params-malformed-harmless",
        drags: &[],
        bend: Bend::Fatal(|asked| asked.message["params"].is_array()),
    },
    Fault {
        name: "jsonrpc-member-not-checked",
        violates: "jsonrpc/jsonrpc-member-checked",
        drags: &[],
        bend: Bend::Receive(|_, messages| {
            for message in messages.iter_mut().filter(|message| is_request(message)) {
                message["jsonrpc"] = json!("2.0");
            }
        }),
    },
    Fault {
        name: "extra-member-dropped",
        violates: "jsonrpc/extra-member-tolerated",
        drags: &[],
        bend: Bend::Receive(|_, messages| messages.retain(|message| !has_extra_member(message))),
    },
    Fault {
        name: "extra-params-refused",
        violates: "jsonrpc/extra-params-tolerated",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            let is_extra = |(name, _): (&String, &Value)| !["_meta", "cursor"].contains(&&**name);
            let params = asked.message["params"].as_object();
            if (asked.is("ping") || asked.is("tools/list"))
                && params.is_some_and(|params| params.iter().any(is_extra))
            {
                *reply = asked.refusal(-32602, "there is no such parameter");
            }
        }),
    },
    Fault {
        name: "foreign-meta-refused",
        violates: "jsonrpc/foreign-meta-tolerated",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            refuse_meta(asked, reply, |key| {
                key != "progressToken" && !key.starts_with(RESERVED)
            });
        }),
    },
    Fault {
        name: "reserved-meta-refused",
        violates: "jsonrpc/reserved-meta-unassumed",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            refuse_meta(asked, reply, |key| key.starts_with(RESERVED));
        }),
    },
    Fault {
        name: "stray-response-answered",
        violates: "jsonrpc/stray-response-ignored",
        drags: &[
            (
                "streamable-http/response-202",
                "an answer takes the place of the status 202",
            ),
            (
                "streamable-http/rejected-with-error-status",
                "an answer takes the place of the error status",
            ),
        ],
        bend: Bend::Reply(|asked, reply| {
            if is_stray_response(asked.message) {
                let error = json!({ "code": -32600, "message": "nobody asked for that" });
                *reply = json!({ "jsonrpc": "2.0", "id": asked.id(), "error": error });
            }
        }),
    },
    Fault {
        name: "stray-response-poisons-id",
        violates: "jsonrpc/stray-response-spares-requests",
        drags: &[],
        bend: Bend::Receive(poison_ids),
    },
    Fault {
        name: "duplicate-id-fatal",
        violates: "jsonrpc/duplicate-id-harmless",
        drags: &[],
        bend: Bend::Fatal(|asked| {
            const SEEN: &str = "ids of pings";
            let memory = asked.scene.memory;
            if !asked.is("ping") || !asked.is_request() {
                return false;
            }
            let seen = memory.has(SEEN, asked.id());
            memory.add(SEEN, asked.id().clone());
            seen
        }),
    },
];

const RESERVED: &str = "io.modelcontextprotocol/";

fn is_request(message: &Value) -> bool {
    message["method"].is_string() && message.get("id").is_some()
}

/// Spells the members of what is no message as those of one.
fn fold_member_names(message: &mut Value) {
    if let Some(members) = message.as_object_mut()
        && !members.contains_key("method")
    {
        *members = std::mem::take(members)
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect::<Map<_, _>>();
    }
}

fn has_extra_member(message: &Value) -> bool {
    const KNOWN: [&str; 4] = ["jsonrpc", "id", "method", "params"];
    is_request(message)
        && message
            .as_object()
            .is_some_and(|members| members.keys().any(|name| !KNOWN.contains(&&**name)))
}

fn refuse_meta(asked: &Asked<'_>, reply: &mut Value, is_refused: fn(&str) -> bool) {
    let meta = asked.message["params"]["_meta"].as_object();
    if asked.is("ping") && meta.is_some_and(|meta| meta.keys().any(|key| is_refused(key))) {
        *reply = asked.refusal(-32602, "there is no such metadata");
    }
}

/// Whether a message is a response to something that the server has not asked: its own
/// ids begin with a word.
fn is_stray_response(message: &Value) -> bool {
    let is_own = |id: &str| id.starts_with("server-");
    message.get("method").is_none()
        && (message.get("result").is_some() || message.get("error").is_some())
        && message["id"].as_str().is_some_and(|id| !is_own(id))
}

/// Takes the ids of stray responses for used up.
fn poison_ids(scene: &Scene<'_>, messages: &mut Vec<Value>) {
    const POISONED: &str = "ids of stray responses";
    messages.retain(|message| {
        if is_stray_response(message) {
            scene.memory.add(POISONED, message["id"].clone());
        }
        !(is_request(message) && scene.memory.has(POISONED, &message["id"]))
    });
}
