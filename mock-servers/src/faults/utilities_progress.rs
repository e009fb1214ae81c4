//! Faults in reports of progress, other than those of tasks.

use serde_json::{Value, json};

use crate::fault::{Bend, Fault};
use crate::message::notification;
use crate::outbox::Emitted;
use crate::scene::Scene;
use crate::session::RELATED_TASK;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "progress-unknown-token",
        violates: "utilities/progress-known-token",
        drags: &[],
        bend: Bend::Emit(|scene, outgoing| {
            if let Some(Emitted { relates_to, .. }) = report(outgoing).cloned() {
                let progress = scene.memory.count("reports to nobody");
                let params = json!({ "progressToken": "nobody's", "progress": progress });
                outgoing.push(Emitted {
                    message: notification(PROGRESS, params),
                    relates_to,
                });
            }
        }),
    },
    Fault {
        name: "progress-token-stringified",
        violates: "utilities/progress-token-type",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            // Zero is another clause's.
            let token = |token: &Value| token.is_number() && *token != 0;
            for params in reports(outgoing).filter(|params| token(&params["progressToken"])) {
                params["progressToken"] = json!(params["progressToken"].to_string());
            }
        }),
    },
    Fault {
        name: "progress-falsy-token-ignored",
        violates: "utilities/progress-falsy-token",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            outgoing.retain(|out| {
                let token = &out.message["params"]["progressToken"];
                !is_report(&out.message) || (*token != 0 && *token != "")
            });
        }),
    },
    Fault {
        name: "progress-without-token",
        violates: "utilities/progress-only-on-request",
        drags: &[(
            "utilities/progress-known-token",
            "who gave no token gets reports with one that nobody gave",
        )],
        bend: Bend::Receive(|_, messages| {
            for message in messages.iter_mut().filter(|m| is_plain_call(m)) {
                message["params"]["_meta"]["progressToken"] = message["id"].clone();
            }
        }),
    },
    Fault {
        name: "progress-not-increasing",
        violates: "utilities/progress-increases",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            reports(outgoing).for_each(|params| params["progress"] = json!(1));
        }),
    },
    Fault {
        name: "progress-value-string",
        violates: "utilities/progress-value-number",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            reports(outgoing).for_each(|params| {
                params["progress"] = json!(params["progress"].to_string());
            });
        }),
    },
    Fault {
        name: "progress-total-null",
        violates: "utilities/progress-total-number",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            reports(outgoing).for_each(|params| params["total"] = Value::Null);
        }),
    },
    Fault {
        name: "progress-message-null",
        violates: "utilities/progress-message-string",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            reports(outgoing).for_each(|params| params["message"] = Value::Null);
        }),
    },
    Fault {
        name: "progress-message-blank",
        violates: "utilities/progress-message-relevant",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            reports(outgoing).for_each(|params| params["message"] = json!(" "));
        }),
    },
    Fault {
        name: "progress-after-response",
        violates: "utilities/progress-stops",
        drags: &[(
            "streamable-http/sse-nothing-after-response",
            "the progress comes behind the response",
        )],
        bend: Bend::Emit(report_once_more),
    },
    Fault {
        name: "progress-token-breaks-request",
        violates: "utilities/progress-token-harmless",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            let is_list = asked
                .method()
                .is_some_and(|method| method.ends_with("/list"));
            let token = asked.message.pointer("/params/_meta/progressToken");
            if is_list && token.is_some() && asked.is_request() {
                *reply = asked.refusal(-32603, "there is no progress to report");
            }
        }),
    },
    Fault {
        name: "bad-progress-token-fatal",
        violates: "utilities/progress-bad-token-harmless",
        drags: &[],
        bend: Bend::Fatal(|asked| {
            let is_token = |token: &Value| token.is_string() || token.is_i64() || token.is_u64();
            let token = asked.message.pointer("/params/_meta/progressToken");
            token.is_some_and(|token| !is_token(token))
        }),
    },
    Fault {
        name: "stray-progress-fatal",
        violates: "utilities/stray-progress-harmless",
        drags: &[],
        bend: Bend::Fatal(|asked| asked.is(PROGRESS)),
    },
    Fault {
        name: "progress-flood",
        violates: "utilities/progress-rate",
        drags: &[],
        bend: Bend::Emit(flood),
    },
];

const PROGRESS: &str = "notifications/progress";

/// Whether a message reports the progress of a request that is no task.
fn is_report(message: &Value) -> bool {
    message["method"] == PROGRESS && message["params"]["_meta"].get(RELATED_TASK).is_none()
}

/// Whether a message calls a tool, neither as a task nor with a token.
fn is_plain_call(message: &Value) -> bool {
    let is_plain = |params: &Value| {
        let meta = params.get("_meta");
        params.is_object()
            && params.get("task").is_none()
            && meta.is_none_or(|meta| meta.is_object() && meta.get("progressToken").is_none())
    };
    message["method"] == "tools/call" && message.get("params").is_some_and(is_plain)
}

fn report(outgoing: &[Emitted]) -> Option<&Emitted> {
    outgoing.iter().find(|out| is_report(&out.message))
}

/// The params of the reports among what leaves.
fn reports(outgoing: &mut [Emitted]) -> impl Iterator<Item = &mut Value> {
    outgoing
        .iter_mut()
        .filter(|out| is_report(&out.message))
        .map(|out| &mut out.message["params"])
}

/// Reports once more when the answer to a request that had reports has been sent.
fn report_once_more(scene: &Scene<'_>, outgoing: &mut Vec<Emitted>) {
    let key = |id: &Value| format!("the last report on {id}");
    if let Some(Emitted {
        message,
        relates_to: Some(id),
    }) = report(outgoing)
    {
        scene.memory.keep(&key(id), message["params"].clone());
        return;
    }
    let answered = outgoing
        .iter()
        .find(|out| out.message.get("method").is_none());
    if let Some(id) = answered.map(|out| out.message["id"].clone())
        && let Some(Value::Object(mut params)) = scene.memory.keep(&key(&id), Value::Null)
    {
        let progress = params["progress"].as_f64().unwrap_or_default();
        params.insert("progress".to_owned(), json!(progress + 1.0));
        outgoing.push(Emitted {
            message: notification(PROGRESS, Value::Object(params)),
            relates_to: Some(id),
        });
    }
}

/// Puts many small steps in front of each.
fn flood(_: &Scene<'_>, outgoing: &mut Vec<Emitted>) {
    const STEPS: u32 = 60;
    let Some(position) = outgoing.iter().position(|out| is_report(&out.message)) else {
        return;
    };
    let report = outgoing[position].clone();
    let progress = report.message["params"]["progress"]
        .as_f64()
        .unwrap_or_default();
    let steps = (0..STEPS).map(|step| {
        let mut small = report.clone();
        let behind = f64::from(STEPS - step) / f64::from(STEPS * 2);
        small.message["params"]["progress"] = json!(progress - behind);
        small
    });
    outgoing.splice(position..position, steps);
}
