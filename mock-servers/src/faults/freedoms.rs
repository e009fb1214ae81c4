//! What servers may do, and some do: no case may hold it against them.

use serde_json::{Value, json};

use super::utilities_task_calls::undeclare;
use crate::fault::{Bend, Fault};
use crate::message::of_method;
use crate::outbox::Emitted;
use crate::scene::Scene;
use crate::session::RELATED_TASK;

pub(super) static FREEDOMS: &[Fault] = &[
    Fault {
        name: "tasks-kept-briefly",
        violates: "",
        drags: &[],
        // Less than any tool takes that is known to be slow.
        bend: Bend::Policy(|policy| policy.longest_ttl = 60),
    },
    Fault {
        name: "odd-ttl-echoed",
        violates: "",
        drags: &[],
        bend: Bend::Several(&[
            Bend::Receive(|scene, messages| {
                for message in of_method(messages, "tools/call") {
                    let id = message["id"].to_string();
                    if let Some(ttl) = message.pointer_mut("/params/task/ttl")
                        && ttl.as_f64().is_none_or(|ttl| ttl < 0.0)
                    {
                        scene.memory.keep(&id, ttl.take());
                        *ttl = json!(1000);
                    }
                }
            }),
            Bend::Reply(|asked, reply| {
                let odd = asked.scene.memory.recall(&asked.id().to_string());
                if let (false, Some(ttl)) = (odd.is_null(), reply.pointer_mut("/result/task/ttl")) {
                    *ttl = odd;
                }
            }),
        ]),
    },
    Fault {
        name: "task-call-checked-first",
        violates: "",
        drags: &[],
        bend: Bend::Receive(|_, messages| {
            for message in of_method(messages, "tools/call") {
                if let Some(Value::Object(params)) = message.get_mut("params")
                    && params["name"] == "test_error_handling"
                {
                    params.shift_remove("task");
                }
            }
        }),
    },
    Fault {
        name: "flaky-tool",
        violates: "",
        drags: &[],
        bend: Bend::Several(&[
            Bend::Receive(|scene, messages| {
                for message in of_method(messages, "tools/call") {
                    let id = message["id"].to_string();
                    if let Some(Value::Object(params)) = message.get_mut("params")
                        && params.shift_remove("task").is_some()
                        && params["name"] == "echo"
                    {
                        let number = scene.memory.count("calls with `task`");
                        scene.memory.keep(&id, json!(number));
                    }
                }
            }),
            Bend::Reply(undeclare),
            Bend::Reply(|asked, reply| {
                let method = asked.method().unwrap_or_default();
                if method.starts_with("tasks/") {
                    *reply = asked.refusal(-32601, "there are no tasks");
                } else if asked.scene.memory.recall(&asked.id().to_string()) == 1 {
                    *reply = asked.refusal(-32603, "try again");
                }
            }),
        ]),
    },
    Fault {
        name: "task-progress-with-result",
        violates: "",
        drags: &[],
        // What a task says is kept until its result can be told, a while after its end.
        bend: Bend::Several(&[
            Bend::Emit(hold_reports),
            Bend::Hold(|asked| {
                let memory = asked.scene.memory;
                let reports = memory.has(REPORTING, &asked.message["params"]["taskId"]);
                asked.is("tasks/result") && reports && memory.recall(PONG_BEHIND_END).is_null()
            }),
        ]),
    },
];

/// Where the ids of tasks are remembered that have reported something.
const REPORTING: &str = "tasks that report";
/// Where their reports are.
const REPORTS: &str = "reports of tasks";
/// Where the end of a task is, and a pong behind it.
const END: &str = "the end of a task that reports";
const PONG_BEHIND_END: &str = "a pong behind the end of a task that reports";

fn hold_reports(scene: &Scene<'_>, outgoing: &mut Vec<Emitted>) {
    let memory = scene.memory;
    let mut told = Vec::new();
    for mut out in outgoing.drain(..) {
        let (params, result) = (&out.message["params"], &out.message["result"]);
        let task = &params["_meta"][RELATED_TASK]["taskId"];
        if out.message["method"] == "notifications/progress" && task.is_string() {
            memory.add(REPORTING, task.clone());
            memory.add(REPORTS, out.message.take());
            continue;
        }
        if memory.has(REPORTING, &result["taskId"]) && result["status"] == "completed" {
            memory.keep(END, json!(true));
        } else if *result == json!({}) && !memory.recall(END).is_null() {
            memory.keep(PONG_BEHIND_END, json!(true));
        } else if result["content"].is_array() && result["_meta"].get(RELATED_TASK).is_some() {
            told.extend(memory.take(REPORTS).into_iter().map(|message| Emitted {
                message,
                relates_to: out.relates_to.clone(),
            }));
        }
        told.push(out);
    }
    *outgoing = told;
}
