//! Faults in what is answered to requests about tasks.

use serde_json::{Value, json};

use super::utilities_task_calls::ghost;
use crate::fault::{Bend, Fault};
use crate::scene::{Asked, Scene};
use crate::session::RELATED_TASK;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "tasks-list-missing",
        violates: "utilities/task-list-served",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            // Who sends params gets the list, or nobody could look at it.
            if asked.is("tasks/list") && asked.is_request() && asked.message.get("params").is_none()
            {
                *reply = asked.refusal(-32601, "unknown method: tasks/list");
            }
        }),
    },
    Fault {
        name: "tasks-cancel-missing",
        violates: "utilities/task-cancel-served",
        drags: &[(
            "utilities/task-unknown-id-cancel",
            "both clauses are probed with an id that no task has",
        )],
        bend: Bend::Reply(|asked, reply| {
            if asked.is("tasks/cancel") && is_unknown(reply) {
                *reply = asked.refusal(-32601, "unknown method: tasks/cancel");
            }
        }),
    },
    Fault {
        name: "task-unknown-get-accepted",
        violates: "utilities/task-unknown-id-get",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if asked.is("tasks/get") && is_unknown(reply) {
                *reply = success(asked, ghost(task_id(asked), "working"));
            }
        }),
    },
    Fault {
        name: "task-unknown-result-accepted",
        violates: "utilities/task-unknown-id-result",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if asked.is("tasks/result") && is_unknown(reply) {
                let related = json!({ RELATED_TASK: { "taskId": task_id(asked) } });
                *reply = success(asked, json!({ "content": [], "_meta": related }));
            }
        }),
    },
    Fault {
        name: "task-unknown-cancel-accepted",
        violates: "utilities/task-unknown-id-cancel",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if asked.is("tasks/cancel") && is_unknown(reply) {
                *reply = success(asked, ghost(task_id(asked), "cancelled"));
            }
        }),
    },
    Fault {
        name: "task-id-missing-code-internal",
        violates: "utilities/task-id-missing-code",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            // One that is absent is a missing parameter like any other.
            if asked.is("tasks/get") && task_id(asked).is_number() {
                reply["error"]["code"] = json!(-32603);
            }
        }),
    },
    Fault {
        name: "task-revived",
        violates: "utilities/task-terminal-final",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if times_seen_ended(asked, reply) >= 4 {
                reply["result"]["status"] = json!("working");
            }
        }),
    },
    Fault {
        name: "task-purged-early",
        violates: "utilities/task-kept-for-ttl",
        drags: &[
            (
                "utilities/task-get",
                "a task that has ended is to be got again",
            ),
            (
                "utilities/task-status-notification-true",
                "of a task that was announced as ended nothing is known any more",
            ),
        ],
        bend: Bend::Reply(|asked, reply| {
            if times_seen_ended(asked, reply) >= 2 {
                *reply = asked.refusal(-32602, "there is no such task, or no longer");
            }
        }),
    },
    Fault {
        name: "task-meta-overrides-param",
        violates: "utilities/task-param-is-truth",
        drags: &[],
        bend: Bend::Receive(|_, messages| messages.iter_mut().for_each(follow_metadata)),
    },
    Fault {
        name: "task-result-early",
        violates: "utilities/task-result-blocks",
        drags: &[],
        bend: Bend::Policy(|policy| {
            policy.result_waits = false;
            policy.waits_to_be_asked = false;
        }),
    },
    Fault {
        name: "task-result-is-task",
        violates: "utilities/task-result-payload",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if let (true, Some(result)) = (asked.is("tasks/result"), reply.get_mut("result")) {
                let mut task = ghost(task_id(asked), "completed");
                task["_meta"] = result["_meta"].take();
                *result = task;
            }
        }),
    },
    Fault {
        name: "task-result-unrelated",
        violates: "utilities/task-result-related",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if let (true, Some(Value::Object(result))) =
                (asked.is("tasks/result"), reply.get_mut("result"))
            {
                result.shift_remove("_meta");
            }
        }),
    },
    Fault {
        name: "task-result-once",
        violates: "utilities/task-result-repeatable",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            let is_result = asked.is("tasks/result") && reply["result"].is_object();
            let times = format!("results of {}", task_id(asked));
            if is_result && asked.scene.memory.count(&times) > 1 {
                *reply = asked.refusal(-32602, "the result was fetched already");
            }
        }),
    },
    Fault {
        name: "task-result-error-masked",
        violates: "utilities/task-result-error",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            let code = reply["error"]["code"].as_i64();
            if asked.is("tasks/result") && code.is_some_and(|code| code != -32602) {
                let content = json!([{ "type": "text", "text": reply["error"]["message"] }]);
                let related = json!({ RELATED_TASK: { "taskId": task_id(asked) } });
                let result = json!({ "content": content, "isError": true, "_meta": related });
                *reply = success(asked, result);
            }
        }),
    },
    Fault {
        name: "tasks-list-omits-task",
        violates: "utilities/task-list-complete",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            if let Some(list) = last_page(asked, reply) {
                list.pop();
            }
        }),
    },
    Fault {
        name: "tasks-list-bad-cursor-accepted",
        violates: "utilities/task-list-bad-cursor",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            let has_cursor = asked.message["params"]["cursor"].is_string();
            if asked.is("tasks/list") && has_cursor && reply["error"].is_object() {
                *reply = success(asked, json!({ "tasks": [] }));
            }
        }),
    },
    Fault {
        name: "tasks-list-shows-strangers",
        violates: "utilities/task-list-isolation",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            show_strangers(asked.scene, last_page(asked, reply));
            if let Some(task) = reply.pointer("/result/task") {
                asked.scene.server.add(TASKS, task.clone());
                asked.scene.memory.add(TASKS, task.clone());
            }
        }),
    },
    Fault {
        name: "task-cancel-still-working",
        violates: "utilities/task-cancel",
        drags: &[],
        bend: Bend::Several(&[
            Bend::Reply(|asked, reply| {
                if asked.is("tasks/cancel") && reply["result"].is_object() {
                    reply["result"]["status"] = json!("working");
                }
            }),
            // The notification would be first, and then nothing may be working any more.
            Bend::Emit(|_, outgoing| {
                outgoing.retain(|out| {
                    out.message["method"] != "notifications/tasks/status"
                        || out.message["params"]["status"] != "cancelled"
                });
            }),
        ]),
    },
    Fault {
        name: "task-cancelled-then-completed",
        violates: "utilities/task-cancel-final",
        drags: &[(
            "utilities/task-terminal-final",
            "a cancelled task has ended, and ends again",
        )],
        bend: Bend::Policy(|policy| policy.cancel_is_final = false),
    },
    Fault {
        name: "task-cancel-terminal-accepted",
        violates: "utilities/task-cancel-terminal",
        drags: &[],
        bend: Bend::Policy(|policy| policy.ended_refuses_cancel = false),
    },
];

const TASKS: &str = "tasks";

fn task_id<'a>(asked: &'a Asked<'_>) -> &'a Value {
    &asked.message["params"]["taskId"]
}

fn success(asked: &Asked<'_>, result: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": asked.id(), "result": result })
}

/// Whether a request is refused because no task has the id.
fn is_unknown(reply: &Value) -> bool {
    let message = reply["error"]["message"].as_str();
    message.is_some_and(|message| message.starts_with("there is no such task"))
}

/// How often `tasks/get` has shown that the task had ended; zero if this is no such answer.
fn times_seen_ended(asked: &Asked<'_>, reply: &Value) -> u64 {
    let status = reply["result"]["status"].as_str();
    match (asked.is("tasks/get"), status) {
        (true, Some("completed" | "failed")) => {
            let what = format!("seen ended: {}", task_id(asked));
            asked.scene.memory.count(&what)
        }
        _ => 0,
    }
}

/// Takes the task that metadata names for the one that is meant.
fn follow_metadata(message: &mut Value) {
    let is_about_task = message["method"]
        .as_str()
        .is_some_and(|method| method.starts_with("tasks/"));
    let meta = message
        .pointer("/params/_meta")
        .and_then(|meta| meta.get(RELATED_TASK));
    if let (true, Some(id)) = (
        is_about_task,
        meta.and_then(|related| related.get("taskId")).cloned(),
    ) {
        message["params"]["taskId"] = id;
    }
}

/// The tasks on the last page of a list.
fn last_page<'a>(asked: &Asked<'_>, reply: &'a mut Value) -> Option<&'a mut Vec<Value>> {
    let is_last = reply["result"].get("nextCursor").is_none();
    if asked.is("tasks/list") && is_last {
        reply.pointer_mut("/result/tasks")?.as_array_mut()
    } else {
        None
    }
}

/// Adds the tasks of other sessions.
fn show_strangers(scene: &Scene<'_>, list: Option<&mut Vec<Value>>) {
    let Some(list) = list else { return };
    if let Value::Array(all) = scene.server.recall(TASKS) {
        list.extend(
            all.into_iter()
                .filter(|task| !scene.memory.has(TASKS, task)),
        );
    }
}
