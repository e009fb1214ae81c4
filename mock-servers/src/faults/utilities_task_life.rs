//! Faults in what a task says and asks while it is under way, and when it has ended.

use serde_json::{Value, json};

use crate::fault::{Bend, Fault};
use crate::message::notification;
use crate::outbox::Emitted;
use crate::scene::Scene;
use crate::session::RELATED_TASK;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "task-tool-error-completed",
        violates: "utilities/task-failed-status",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            for status in outgoing
                .iter_mut()
                .flat_map(|out| statuses(&mut out.message))
            {
                if *status == "failed" {
                    *status = json!("completed");
                }
            }
        }),
    },
    Fault {
        name: "task-input-not-shown",
        violates: "utilities/task-input-required",
        drags: &[],
        bend: Bend::Several(&[
            // Who does not see that input is wanted does not come for the question.
            Bend::Policy(|policy| policy.waits_to_be_asked = false),
            Bend::Emit(|_, outgoing| {
                for status in outgoing
                    .iter_mut()
                    .flat_map(|out| statuses(&mut out.message))
                {
                    if *status == "input_required" {
                        *status = json!("working");
                    }
                }
            }),
        ]),
    },
    Fault {
        name: "task-request-unrelated",
        violates: "utilities/task-requests-related",
        drags: &[],
        bend: Bend::Emit(|_, outgoing| {
            for out in outgoing
                .iter_mut()
                .filter(|out| out.message.get("id").is_some())
            {
                unrelate(&mut out.message);
            }
        }),
    },
    Fault {
        name: "task-progress-unrelated",
        violates: "utilities/task-notifications-related",
        drags: &[(
            "streamable-http/sse-messages-relate",
            "what is of no task is of the request that gave the token",
        )],
        bend: Bend::Emit(|_, outgoing| {
            for out in outgoing.iter_mut().filter(|out| is_report(&out.message)) {
                unrelate(&mut out.message);
            }
        }),
    },
    Fault {
        name: "task-progress-new-token",
        violates: "utilities/task-progress-token",
        drags: &[
            (
                "utilities/progress-known-token",
                "a token in place of the one that was given is one that nobody gave",
            ),
            (
                "utilities/progress-only-on-request",
                "a token in place of the one that was given is one that nobody gave",
            ),
        ],
        bend: Bend::Emit(|_, outgoing| {
            for out in outgoing.iter_mut().filter(|out| is_report(&out.message)) {
                let params = &mut out.message["params"];
                params["progressToken"] = params["_meta"][RELATED_TASK]["taskId"].clone();
            }
        }),
    },
    Fault {
        name: "task-progress-after-terminal",
        violates: "utilities/task-progress-stops",
        drags: &[],
        bend: Bend::Emit(report_on),
    },
];

/// Whether a message reports the progress of a task.
fn is_report(message: &Value) -> bool {
    message["method"] == "notifications/progress"
        && message["params"]["_meta"].get(RELATED_TASK).is_some()
}

/// Takes the task's name out of what the server says of its own accord.
fn unrelate(message: &mut Value) {
    if let (true, Some(Value::Object(params))) =
        (message["method"].is_string(), message.get_mut("params"))
    {
        params.shift_remove("_meta");
    }
}

/// The statuses of all tasks that a message shows.
fn statuses(message: &mut Value) -> Vec<&mut Value> {
    super::utilities_task_shape::tasks_of(message)
        .into_iter()
        .filter_map(|task| task.get_mut("status"))
        .collect()
}

/// Reports behind every pong after a task has ended but for the next: what comes behind that may be
/// read before it, where the two come on different streams.
fn report_on(scene: &Scene<'_>, outgoing: &mut Vec<Emitted>) {
    const DUE: &str = "reports that come behind the pong after the next";
    const NEXT: &str = "reports that come behind the next pong";
    let key = |task: &Value| format!("the last report of {task}");
    let mut late = Vec::new();
    for Emitted { message, .. } in &*outgoing {
        let params = &message["params"];
        if is_report(message) {
            let task = &params["_meta"][RELATED_TASK]["taskId"];
            scene.memory.keep(&key(task), params.clone());
        } else if message["method"] == "notifications/tasks/status" && has_ended(params) {
            let last = scene.memory.keep(&key(&params["taskId"]), Value::Null);
            last.into_iter()
                .filter(Value::is_object)
                .for_each(|last| scene.memory.add(DUE, last));
        } else if message["result"] == json!({}) {
            late.extend(scene.memory.take(NEXT));
            for report in scene.memory.take(DUE) {
                scene.memory.add(NEXT, report);
            }
        }
    }
    outgoing.extend(late.into_iter().map(|mut params| {
        let progress = params["progress"].as_f64().unwrap_or_default();
        params["progress"] = json!(progress + 1.0);
        scene.memory.add(NEXT, params.clone());
        Emitted {
            message: notification("notifications/progress", params),
            relates_to: None,
        }
    }));
}

fn has_ended(task: &Value) -> bool {
    ["completed", "failed", "cancelled"]
        .iter()
        .any(|end| task["status"] == *end)
}
