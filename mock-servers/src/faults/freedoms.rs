//! What servers may do, and some do: no case may hold it against them.

use serde_json::{Value, json};

use super::utilities_task_calls::undeclare;
use crate::fault::{Bend, Fault};

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
                for message in messages.iter_mut().filter(|m| m["method"] == "tools/call") {
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
            for message in messages.iter_mut().filter(|m| m["method"] == "tools/call") {
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
                for message in messages.iter_mut().filter(|m| m["method"] == "tools/call") {
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
];
