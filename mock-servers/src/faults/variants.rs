//! Further ways to violate clauses.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::utilities_task_calls::announce_late;
use crate::fault::{Bend, Fault};
use crate::http::HttpBend;
use crate::http::reply;
use crate::message::of_method;
use crate::scene::Asked;

pub(super) static VARIANTS: &[Fault] = &[
    Fault {
        name: "result-null-beside-errors",
        violates: "jsonrpc/no-null-outcome",
        drags: &[],
        bend: Bend::Reply(|_, reply| {
            if reply.get("error").is_some() {
                reply["result"] = Value::Null;
            }
        }),
    },
    Fault {
        name: "id-zero-fatal",
        violates: "jsonrpc/id-zero",
        drags: &[],
        bend: Bend::Fatal(|asked| asked.is("ping") && *asked.id() == 0),
    },
    Fault {
        name: "idless-list-answered-late",
        violates: "jsonrpc/request-without-id-silent",
        drags: &[],
        bend: Bend::Several(&[
            Bend::Hold(|asked| is_idless_list(asked) && asked.scene.memory.count(LATE) < 8),
            Bend::Reply(|asked, reply| {
                if is_idless_list(asked) {
                    *reply = json!({ "jsonrpc": "2.0", "result": { "tools": [] } });
                }
            }),
        ]),
    },
    Fault {
        name: "ping-before-initialized-fatal",
        violates: "utilities/ping-before-initialized",
        drags: &[],
        bend: Bend::Fatal(|asked| {
            let scene = asked.scene;
            asked.is("ping") && scene.revision.is_some() && !scene.initialized
        }),
    },
    Fault {
        name: "cancel-unknown-server-error",
        violates: "utilities/cancel-unknown-ignored",
        drags: &[(
            "streamable-http/notification-202",
            "the status of a failure takes the place of the status 202",
        )],
        bend: Bend::StreamableHttp(&[HttpBend::Request(|incoming| {
            let message = incoming.message();
            let is_unknown = message["params"]["requestId"].is_number();
            (message["method"] == "notifications/cancelled" && is_unknown).then(|| {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                reply::refusal(status, "there is no such request")
            })
        })]),
    },
    Fault {
        name: "task-create-blocks-in-secret",
        violates: "utilities/task-create-prompt",
        drags: &[],
        bend: Bend::Several(&[
            Bend::Policy(announce_late),
            Bend::Reply(|_, reply| {
                if let Some(Value::Object(task)) = reply.pointer_mut("/result/task") {
                    let created = task["createdAt"].clone();
                    task.insert("lastUpdatedAt".to_owned(), created);
                    task.insert("status".to_owned(), json!("working"));
                }
            }),
            // It would be first, and then nothing may be working any more.
            Bend::Emit(|_, outgoing| {
                outgoing.retain(|out| out.message["method"] != "notifications/tasks/status");
            }),
        ]),
    },
    Fault {
        name: "task-result-malformed",
        violates: "utilities/task-result-payload",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            let text = reply.pointer_mut("/result/content/0");
            if let (true, Some(Value::Object(text))) = (asked.is("tasks/result"), text) {
                text.shift_remove("text");
            }
        }),
    },
    Fault {
        name: "task-cancel-refused",
        violates: "utilities/task-cancel",
        drags: &[],
        bend: Bend::Receive(|_, messages| {
            for message in of_method(messages, "tasks/cancel") {
                if let Some(id) = message.pointer_mut("/params/taskId") {
                    *id = json!("none that can be cancelled");
                }
            }
        }),
    },
    Fault {
        name: "one-request-at-a-time",
        violates: "lifecycle/unanswered-request-does-not-block",
        drags: &[(
            "lifecycle/own-request-timeout",
            "while it waits for the client it hears of no cancellation, and serves nothing",
        )],
        bend: Bend::Several(&[
            Bend::Policy(|policy| policy.patience = None),
            Bend::Receive(|scene, messages| {
                messages.retain(|m| !scene.owed || m["method"] != "notifications/cancelled");
            }),
            Bend::Hold(|asked| asked.is_request() && asked.scene.owed),
        ]),
    },
];

/// How often an answer was kept back.
const LATE: &str = "what came before an answer that nobody wants";

fn is_idless_list(asked: &Asked<'_>) -> bool {
    asked.is("tools/list") && asked.message.get("id").is_none()
}
