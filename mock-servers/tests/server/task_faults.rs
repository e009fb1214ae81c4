//! The faults of tasks.

use mock_servers::Bends;
use serde_json::{Value, json};

use crate::direct::{Direct, request, task_call};
use crate::exchange::{initialize, named};
use crate::table::{Row, Step, answer, answered, nth, ping, refused, row};

const RELATED: &str = "io.modelcontextprotocol/related-task";

pub(crate) fn research() -> Value {
    let ttl = json!({ "ttl": 60_000 });
    task_call("t", "simulate-research-query", json!({ "topic": "x" }), ttl)
}

fn made(change: fn(&mut Value)) -> Step {
    let mut call = research();
    change(&mut call["params"]);
    call.into()
}

/// A task that has ended when the steps that follow are made.
fn ended() -> [Step; 2] {
    [research().into(), Step::Wait(500)]
}

fn after_end<const N: usize>(
    fault: &'static str,
    steps: [Step; N],
    shows: fn(&[Value]) -> bool,
) -> Row {
    let mut row = row(fault, ended(), shows);
    row.steps.extend(steps);
    row
}

fn get(task: &Value) -> Value {
    request("g", "tasks/get", json!({ "taskId": task }))
}

fn result(task: &Value) -> Value {
    request("r", "tasks/result", json!({ "taskId": task }))
}

fn stop(task: &Value) -> Value {
    request("x", "tasks/cancel", json!({ "taskId": task }))
}

fn list(params: Value) -> Step {
    request("l", "tasks/list", params).into()
}

fn unknown(method: &str) -> Step {
    request("u", method, json!({ "taskId": "none" })).into()
}

fn fails(tool: &str) -> Step {
    task_call("t", tool, json!({}), json!({})).into()
}

/// The result of the last answer with that id.
fn got<'a>(said: &'a [Value], id: &str) -> &'a Value {
    let last = said
        .iter()
        .rfind(|said| said["id"] == id && said.get("method").is_none());
    last.map_or(&Value::Null, |last| &last["result"])
}

/// The params of the last notification of that method.
fn told<'a>(said: &'a [Value], method: &str) -> &'a Value {
    let last = said.iter().rfind(|said| said["method"] == method);
    last.map_or(&Value::Null, |last| &last["params"])
}

const STATUS: &str = "notifications/tasks/status";
const PROGRESS: &str = "notifications/progress";

pub(crate) fn rows() -> Vec<Row> {
    [calls(), answers(), results(), shapes(), life()]
        .into_iter()
        .flatten()
        .collect()
}

fn calls() -> Vec<Row> {
    let open = || Step::from(initialize("2025-11-25"));
    let plain = json!({ "name": "simulate-research-query", "arguments": { "topic": "x" } });
    let mine = |params: &mut Value| params["task"]["taskId"] = json!("mine");
    let bad = |params: &mut Value| params["task"]["ttl"] = json!(-5);
    let year = |params: &mut Value| params["task"]["ttl"] = json!(31_536_000_000_u64);
    fn declared(said: &[Value]) -> bool {
        nth(said, 0)["result"]["capabilities"]
            .get("tasks")
            .is_some()
    }
    vec![
        row("tasks-capability-true", [open()], |said| {
            nth(said, 0)["result"]["capabilities"]["tasks"]["list"] == true
        })
        .unopened(),
        row(
            "undeclared-tasks-served",
            [open(), list(json!({}))],
            |said| !declared(said) && got(said, "l")["tasks"][0].is_object(),
        )
        .unopened(),
        row(
            "task-metadata-refused",
            [open(), task_call("c", "none", json!({}), json!({})).into()],
            |said| !declared(said) && refused(said, "c", -32603),
        )
        .unopened(),
        row(
            "task-forbidden-tool-accepts-task",
            [fails("test_simple_text")],
            |said| got(said, "t")["task"].is_object(),
        ),
        row(
            "task-required-tool-runs-plain",
            [request("c", "tools/call", plain).into(), Step::Wait(500)],
            |said| got(said, "c")["content"].is_array(),
        ),
        row("task-call-answered-inline", ended(), |said| {
            got(said, "t")["content"].is_array()
        }),
        row("task-id-number", [made(mine)], |said| {
            got(said, "t")["task"]["taskId"].is_number()
        }),
        row(
            "task-id-reused",
            [(); 7].map(|()| research().into()),
            |said| {
                let id = |position: usize| &nth(said, position)["result"]["task"]["taskId"];
                id(5) == id(6) && id(4) != id(5)
            },
        ),
        row("task-id-sequential", [research().into()], |said| {
            got(said, "t")["task"]["taskId"] == "task-1"
        }),
        row("task-begins-completed", ended(), |said| {
            let task = &got(said, "t")["task"];
            task["status"] == "completed" && task["lastUpdatedAt"] == task["createdAt"]
        }),
        row("task-create-blocks", ended(), |said| {
            got(said, "t")["task"]["status"] == "completed"
        }),
        row(
            "task-bad-ttl-fatal",
            [made(bad), ping("s")],
            <[Value]>::is_empty,
        ),
        row("task-ttl-unlimited", [made(year)], |said| {
            got(said, "t")["task"]["ttl"] == 31_536_000_000_u64
        }),
    ]
}

fn answers() -> Vec<Row> {
    let other = |task: &Value| {
        let meta = json!({ RELATED: { "taskId": "none" } });
        request("g", "tasks/get", json!({ "taskId": task, "_meta": meta }))
    };
    let gets = || {
        [
            Step::About(get),
            Step::About(get),
            Step::About(get),
            Step::About(get),
        ]
    };
    vec![
        row("tasks-list-missing", [list(Value::Null)], |said| {
            refused(said, "l", -32601)
        }),
        row("tasks-cancel-missing", [unknown("tasks/cancel")], |said| {
            refused(said, "u", -32601)
        }),
        row(
            "task-unknown-get-accepted",
            [unknown("tasks/get")],
            |said| got(said, "u")["taskId"] == "none",
        ),
        row(
            "task-unknown-result-accepted",
            [unknown("tasks/result")],
            |said| got(said, "u")["content"].is_array(),
        ),
        row(
            "task-unknown-cancel-accepted",
            [unknown("tasks/cancel")],
            |said| got(said, "u")["status"] == "cancelled",
        ),
        row(
            "task-id-missing-code-internal",
            [request("g", "tasks/get", json!({ "taskId": 5 })).into()],
            |said| refused(said, "g", -32603),
        ),
        after_end("task-revived", gets(), |said| {
            got(said, "g")["status"] == "working"
        }),
        after_end(
            "task-purged-early",
            [Step::About(get), Step::About(get)],
            |said| said.iter().any(|said| said["error"]["code"] == -32602),
        ),
        row(
            "task-meta-overrides-param",
            [research().into(), Step::About(other)],
            |said| refused(said, "g", -32602),
        ),
        row(
            "tasks-list-omits-task",
            [research().into(), list(json!({}))],
            |said| got(said, "l")["tasks"] == json!([]),
        ),
        row(
            "tasks-list-bad-cursor-accepted",
            [list(json!({ "cursor": "none" }))],
            |said| got(said, "l")["tasks"] == json!([]),
        ),
        row(
            "task-cancel-still-working",
            [research().into(), Step::About(stop)],
            |said| got(said, "x")["status"] == "working" && told(said, STATUS).is_null(),
        ),
        row(
            "task-cancelled-then-completed",
            [
                research().into(),
                Step::About(stop),
                Step::Wait(500),
                Step::About(get),
            ],
            |said| {
                got(said, "x")["status"] == "cancelled" && got(said, "g")["status"] == "completed"
            },
        ),
        after_end(
            "task-cancel-terminal-accepted",
            [Step::About(stop)],
            |said| got(said, "x")["status"] == "completed",
        ),
    ]
}

fn results() -> Vec<Row> {
    vec![
        row(
            "task-result-early",
            [research().into(), Step::About(result)],
            |said| answered(said, "r"),
        ),
        after_end("task-result-is-task", [Step::About(result)], |said| {
            got(said, "r")["status"].is_string() && got(said, "r").get("content").is_none()
        }),
        after_end("task-result-unrelated", [Step::About(result)], |said| {
            got(said, "r")["content"].is_array() && got(said, "r").get("_meta").is_none()
        }),
        after_end(
            "task-result-once",
            [Step::About(result), Step::About(result)],
            |said| said.iter().any(|said| said["error"]["code"] == -32602),
        ),
        row(
            "task-result-error-masked",
            [fails("fail-with-error"), Step::About(result)],
            |said| got(said, "r")["isError"] == true,
        ),
    ]
}

fn shapes() -> Vec<Row> {
    let got_once = |fault, shows| row(fault, [research().into(), Step::About(get)], shows);
    let stopped = [research().into(), Step::About(stop), Step::About(get)];
    vec![
        row("task-status-canceled", stopped, |said| {
            [got(said, "x"), got(said, "g"), told(said, STATUS)]
                .iter()
                .all(|task| task["status"] == "canceled")
        }),
        got_once("task-created-at-epoch", |said| {
            got(said, "g")["createdAt"].is_number()
        }),
        got_once("task-last-updated-missing", |said| {
            got(said, "g").is_object() && got(said, "g").get("lastUpdatedAt").is_none()
        }),
        got_once("task-ttl-omitted", |said| {
            got(said, "g").is_object() && got(said, "g").get("ttl").is_none()
        }),
        got_once("task-poll-interval-string", |said| {
            got(said, "g")["pollInterval"].is_string()
        }),
        got_once("task-created-at-drifts", |said| {
            got(said, "g")["createdAt"].is_string()
                && got(said, "g")["createdAt"] != got(said, "t")["task"]["createdAt"]
        }),
        got_once("task-time-reversed", |said| {
            let task = got(said, "g");
            task["lastUpdatedAt"].as_str() < task["createdAt"].as_str()
        }),
        got_once("task-transition-invalid", |said| {
            got(said, "g")["status"] == "paused"
        }),
        row(
            "task-failed-silent",
            [fails("test_error_handling"), Step::About(get)],
            |said| {
                got(said, "g")["status"] == "failed"
                    && got(said, "g").get("statusMessage").is_none()
            },
        ),
        got_once("task-get-wrapped", |said| {
            got(said, "g")["task"].is_object()
        }),
        got_once("task-get-related", |said| {
            got(said, "g")["_meta"][RELATED].is_object()
        }),
        got_once("task-immediate-response-object", |said| {
            let words = "io.modelcontextprotocol/model-immediate-response";
            got(said, "t")["_meta"][words].is_object()
        }),
        got_once("task-get-streams", |said| {
            said.iter()
                .any(|said| said["method"] == "notifications/message")
        }),
        row("task-status-notification-partial", ended(), |said| {
            told(said, STATUS)["task"].is_object()
        }),
        row("task-status-notification-false", ended(), |said| {
            let task = told(said, STATUS);
            task.is_object() && task["taskId"] != got(said, "t")["task"]["taskId"]
        }),
        row("task-status-notification-related", ended(), |said| {
            told(said, STATUS)["_meta"][RELATED].is_object()
        }),
    ]
}

fn life() -> Vec<Row> {
    let tracked = || made(|params| params["_meta"] = json!({ "progressToken": "t" }));
    let asking = || made(|params| params["arguments"]["ambiguous"] = json!(true));
    vec![
        row(
            "task-tool-error-completed",
            [fails("test_error_handling"), Step::About(get)],
            |said| got(said, "g")["status"] == "completed",
        ),
        row(
            "task-input-not-shown",
            [asking(), Step::About(get)],
            |said| {
                !told(said, "elicitation/create").is_null() && got(said, "g")["status"] == "working"
            },
        ),
        row(
            "task-request-unrelated",
            [asking(), Step::About(result)],
            |said| {
                told(said, "elicitation/create").is_object()
                    && told(said, "elicitation/create").get("_meta").is_none()
            },
        ),
        row(
            "task-progress-unrelated",
            [tracked(), Step::Wait(500)],
            |said| told(said, PROGRESS).is_object() && told(said, PROGRESS).get("_meta").is_none(),
        ),
        row(
            "task-progress-new-token",
            [tracked(), Step::Wait(500)],
            |said| told(said, PROGRESS)["progressToken"] == got(said, "t")["task"]["taskId"],
        ),
        row(
            "task-progress-after-terminal",
            [tracked(), Step::Wait(500), ping("s"), ping("z")],
            |said| {
                let after = said.iter().skip_while(|said| said["id"] != "s");
                let late = after.filter(|said| said["method"] == PROGRESS);
                late.count() == 1 && answer(said, "z").is_object()
            },
        ),
    ]
}

#[test]
fn a_stranger_sees_the_tasks_of_others() {
    for (faults, seen) in [(&["tasks-list-shows-strangers"][..], 1), (&[], 0)] {
        let bends = Bends::new(&named(faults));
        let mut first = Direct::of(&bends).opened("2025-11-25");
        let mut second = Direct::of(&bends).opened("2025-11-25");
        first.tell(&research());
        let count = |server: &mut Direct| {
            let listed = server.ask("tasks/list", json!({}))["result"]["tasks"].take();
            listed.as_array().map(Vec::len)
        };
        assert_eq!(count(&mut first), Some(1));
        assert_eq!(count(&mut second), Some(seen));
    }
}
