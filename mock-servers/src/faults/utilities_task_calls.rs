//! Faults in which calls become tasks, and which tasks they become.

use serde_json::{Value, json};

use crate::fault::{Bend, Fault};
use crate::message::of_method;
use crate::policy::{Policy, random_id};
use crate::revision::Revision;
use crate::scene::Asked;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "undeclared-tasks-served",
        violates: "utilities/task-capability-declared",
        drags: &[],
        bend: Bend::Several(&[
            Bend::Reply(undeclare),
            Bend::Reply(|asked, reply| {
                if asked.is("tasks/list") && reply["result"].is_object() {
                    reply["result"] = json!({ "tasks": [ghost(&json!("undeclared"), "working")] });
                }
            }),
            // Calls are taken as a server without tasks has to take them.
            Bend::Receive(|_, messages| {
                for message in of_method(messages, "tools/call") {
                    if let Some(Value::Object(params)) = message.get_mut("params") {
                        params.shift_remove("task");
                    }
                }
            }),
        ]),
    },
    Fault {
        name: "task-metadata-refused",
        violates: "utilities/task-undeclared-ignored",
        drags: &[],
        bend: Bend::Several(&[
            Bend::Reply(undeclare),
            Bend::Reply(|asked, reply| {
                if asked
                    .method()
                    .is_some_and(|method| method.starts_with("tasks/"))
                {
                    *reply = asked.refusal(-32601, "there are no tasks");
                } else if is_task_call(asked) {
                    *reply = asked.refusal(-32603, "there are no tasks");
                }
            }),
        ]),
    },
    Fault {
        name: "task-forbidden-tool-accepts-task",
        violates: "utilities/task-forbidden-augmented-call",
        drags: &[],
        bend: Bend::Policy(|policy| policy.refuses_unsupported = false),
    },
    Fault {
        name: "task-required-tool-runs-plain",
        violates: "utilities/task-required-plain-call",
        drags: &[],
        bend: Bend::Policy(|policy| policy.refuses_plain = false),
    },
    Fault {
        name: "task-call-answered-inline",
        violates: "utilities/task-create-result",
        drags: &[],
        bend: Bend::Policy(|policy| policy.makes_tasks = false),
    },
    Fault {
        name: "task-id-number",
        violates: "utilities/task-id",
        drags: &[],
        bend: Bend::Reply(|asked, reply| {
            // Only for who proposes an id: all else that is said of a task needs a good one.
            let proposal = &asked.message["params"]["task"]["taskId"];
            if let (true, Some(id)) = (
                proposal.is_string(),
                reply.pointer_mut("/result/task/taskId"),
            ) {
                *id = json!(asked.scene.memory.count("tasks with a number"));
            }
        }),
    },
    Fault {
        name: "task-id-reused",
        violates: "utilities/task-id-unique",
        drags: &[
            (
                "utilities/task-terminal-final",
                "what has ended under an id begins anew under it",
            ),
            (
                "utilities/task-created-at-constant",
                "the id has a time of creation for each of its tasks",
            ),
            (
                "utilities/task-time-order",
                "the task that was made last is not the one that was updated last",
            ),
        ],
        bend: Bend::Policy(|policy| {
            policy.task_id = |number| match number {
                // Late ones, of which nothing else is wanted than that they are there.
                6 | 7 => Some("0c7be04a1d6f4f5c9a83e2b75d19c6f0".to_owned()),
                other => random_id(other),
            };
        }),
    },
    Fault {
        name: "task-id-sequential",
        violates: "utilities/task-id-entropy",
        drags: &[(
            "utilities/task-id-unique",
            "each session counts for itself, where there are several",
        )],
        bend: Bend::Policy(|policy| policy.task_id = |number| Some(format!("task-{number}"))),
    },
    Fault {
        name: "task-begins-completed",
        violates: "utilities/task-begins-working",
        drags: &[BLOCKS],
        bend: Bend::Several(&[
            Bend::Policy(announce_late),
            Bend::Reply(|_, reply| {
                if let Some(Value::Object(task)) = reply.pointer_mut("/result/task") {
                    let created = task["createdAt"].clone();
                    task.insert("lastUpdatedAt".to_owned(), created);
                }
            }),
        ]),
    },
    Fault {
        name: "task-create-blocks",
        violates: "utilities/task-create-prompt",
        drags: &[],
        bend: Bend::Policy(announce_late),
    },
    Fault {
        name: "task-bad-ttl-fatal",
        violates: "utilities/task-bad-params-harmless",
        drags: &[],
        bend: Bend::Fatal(|asked| {
            let ttl = asked.message["params"]["task"]["ttl"].as_f64();
            asked.is("tools/call") && ttl.is_some_and(|ttl| ttl < 0.0)
        }),
    },
    Fault {
        name: "task-ttl-unlimited",
        violates: "utilities/task-ttl-limited",
        drags: &[],
        bend: Bend::Policy(|policy| {
            const TEN_YEARS: u64 = 10 * 365 * 24 * 60 * 60 * 1000;
            policy.longest_ttl = TEN_YEARS;
        }),
    },
];

/// Why a task that is announced when it has ended breaks a second clause.
const BLOCKS: (&str, &str) = (
    "utilities/task-create-prompt",
    "who announces a task as completed has waited for that",
);

/// Announces tasks when they have ended. They cannot wait to be asked for their results
/// then, since nobody knows of them.
pub(super) fn announce_late(policy: &mut Policy) {
    policy.announces_first = false;
    policy.waits_to_be_asked = false;
}

pub(super) fn undeclare(_: &Asked<'_>, reply: &mut Value) {
    if let Some(Value::Object(capabilities)) = reply.pointer_mut("/result/capabilities") {
        capabilities.shift_remove("tasks");
    }
}

fn is_task_call(asked: &Asked<'_>) -> bool {
    asked.is("tools/call")
        && asked.scene.revision.is_some_and(Revision::has_tasks)
        && asked.message["params"].get("task").is_some()
}

/// A task that there is not.
pub(super) fn ghost(id: &Value, status: &str) -> Value {
    json!({
        "taskId": id,
        "status": status,
        "createdAt": "2025-11-25T00:00:00Z",
        "lastUpdatedAt": "2025-11-25T00:00:00Z",
        "ttl": 60_000,
    })
}
