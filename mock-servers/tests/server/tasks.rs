//! Tasks, as the server without faults keeps them.

use serde_json::{Value, json};

use crate::direct::{Direct, notification, request, task_call};
use crate::exchange::REVISIONS;

const NEW: &str = "2025-11-25";
const RELATED: &str = "io.modelcontextprotocol/related-task";

fn research() -> Value {
    task_call(
        "t",
        "simulate-research-query",
        json!({ "topic": "x" }),
        json!({ "ttl": 60_000 }),
    )
}

/// Makes a task and returns its id.
fn create(server: &mut Direct, call: &Value) -> String {
    let created = server.tell(call);
    let task = &created[0]["result"]["task"];
    assert_eq!(task["status"], "working", "{created:?}");
    task["taskId"].as_str().expect("an id").to_owned()
}

fn status(server: &mut Direct, id: &str) -> Value {
    server.ask("tasks/get", json!({ "taskId": id }))["result"]["status"].take()
}

fn code(answer: &Value) -> &Value {
    &answer["error"]["code"]
}

#[test]
fn only_the_newest_revision_has_tasks() {
    for revision in REVISIONS {
        let mut server = Direct::unopened(&[]);
        let opened = server.tell(&crate::exchange::initialize(revision));
        let tasks = opened[0]["result"]["capabilities"].get("tasks");
        assert_eq!(tasks.is_some(), revision == NEW);
        for method in ["tasks/get", "tasks/result", "tasks/list", "tasks/cancel"] {
            let answer = server.ask(method, json!({ "taskId": "none" }));
            let refused = code(&answer);
            let known = revision == NEW;
            assert_eq!(
                refused == -32601,
                !known,
                "{method} in {revision}: {answer}"
            );
        }
        // The member is ignored where it means nothing.
        let call = task_call("c", "echo", json!({ "message": "m" }), json!({}));
        let answer = &server.tell(&call)[0];
        assert_eq!(answer["result"].is_object(), revision != NEW, "{answer}");
    }
}

#[test]
fn a_task_works_tells_of_itself_and_keeps_its_result() {
    let mut server = Direct::new(&[], NEW);
    let mut call = research();
    call["params"]["_meta"] = json!({ "progressToken": "p" });
    let id = create(&mut server, &call);
    assert_eq!(id.len(), 32);
    assert_eq!(status(&mut server, &id), "working");
    let said = server.after(300);
    let (progress, last) = said.split_at(4);
    for message in progress {
        assert_eq!(message["params"]["progressToken"], "p");
        assert_eq!(message["params"]["_meta"][RELATED]["taskId"], *id);
    }
    assert_eq!(last.len(), 1);
    assert_eq!(last[0]["method"], "notifications/tasks/status");
    assert!(last[0]["params"].get("_meta").is_none());
    let task = server.ask("tasks/get", json!({ "taskId": id }))["result"].take();
    assert_eq!(task, last[0]["params"]);
    assert_eq!(task["status"], "completed");
    assert_eq!(task["ttl"], 60_000);
    for member in ["createdAt", "lastUpdatedAt"] {
        let time = task[member].as_str().expect("text");
        assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
    }
    let result = server.ask("tasks/result", json!({ "taskId": id }));
    assert!(result["result"]["content"].is_array());
    assert_eq!(result["result"]["_meta"][RELATED]["taskId"], *id);
    assert_eq!(result, server.ask("tasks/result", json!({ "taskId": id })));
}

#[test]
fn a_request_for_the_result_waits_for_it() {
    let mut server = Direct::new(&[], NEW);
    let id = create(&mut server, &research());
    let params = json!({ "taskId": id });
    assert!(
        server
            .tell(&request("r", "tasks/result", params.clone()))
            .is_empty()
    );
    // Given up, and asked again.
    server.tell(&notification(
        "notifications/cancelled",
        json!({ "requestId": "r" }),
    ));
    server.tell(&request("again", "tasks/result", params));
    let said = server.after(300);
    let methods: Vec<_> = said.iter().map(|message| &message["method"]).collect();
    assert_eq!(
        methods,
        [&json!("notifications/tasks/status"), &Value::Null]
    );
    assert_eq!(said[1]["id"], "again");
}

#[test]
fn tools_say_how_they_can_be_called() {
    let mut server = Direct::new(&[], NEW);
    let mut supports = Vec::new();
    let mut params = json!({});
    loop {
        let page = server.ask("tools/list", params)["result"].take();
        for tool in page["tools"].as_array().expect("tools") {
            if let Some(execution) = tool.get("execution") {
                supports.push(execution["taskSupport"].clone());
            }
        }
        match page.get("nextCursor") {
            Some(cursor) => params = json!({ "cursor": cursor }),
            None => break,
        }
    }
    for support in ["optional", "required", "forbidden"] {
        assert!(supports.contains(&json!(support)), "{support}");
    }
    let plain = json!({ "name": "simulate-research-query", "arguments": { "topic": "x" } });
    assert_eq!(code(&server.ask("tools/call", plain)), -32601);
    for tool in ["echo", "test_simple_text"] {
        let refused = server.tell(&task_call("c", tool, json!({ "message": "m" }), json!({})));
        assert_eq!(code(&refused[0]), -32601);
    }
}

#[test]
fn failures_end_tasks_as_failed() {
    let mut server = Direct::new(&[], NEW);
    for (tool, arguments) in [
        ("test_error_handling", json!({})),
        ("slow", json!({ "steps": 0 })),
    ] {
        let id = create(&mut server, &task_call("t", tool, arguments, json!({})));
        let task = server.ask("tasks/get", json!({ "taskId": id }))["result"].take();
        assert_eq!(task["status"], "failed");
        assert!(!task["statusMessage"].as_str().expect("text").is_empty());
        let result = server.ask("tasks/result", json!({ "taskId": id }));
        assert_eq!(result["result"]["isError"], true);
    }
    let id = create(
        &mut server,
        &task_call("t", "fail-with-error", json!({}), json!({})),
    );
    assert_eq!(status(&mut server, &id), "failed");
    let result = server.ask("tasks/result", json!({ "taskId": id }));
    assert_eq!(code(&result), -32050);
}

#[test]
fn a_cancelled_task_stays_cancelled() {
    let mut server = Direct::new(&[], NEW);
    let id = create(&mut server, &research());
    let params = json!({ "taskId": id });
    server.tell(&request("r", "tasks/result", params.clone()));
    let said = server.tell(&request("c", "tasks/cancel", params.clone()));
    assert_eq!(said[0]["params"]["status"], "cancelled");
    assert_eq!(said[1]["result"]["status"], "cancelled");
    assert_eq!(said[2]["id"], "r");
    assert_eq!(code(&said[2]), -32602);
    assert!(server.after(2000).is_empty());
    assert_eq!(status(&mut server, &id), "cancelled");
    assert_eq!(code(&server.ask("tasks/cancel", params)), -32602);
}

#[test]
fn all_tasks_are_listed_page_by_page() {
    let mut server = Direct::new(&[], NEW);
    let mut ids: Vec<_> = (0..5).map(|_| create(&mut server, &research())).collect();
    let first = server.ask("tasks/list", Value::Null)["result"].take();
    let second =
        server.ask("tasks/list", json!({ "cursor": first["nextCursor"] }))["result"].take();
    assert!(second.get("nextCursor").is_none());
    let both = [&first, &second].map(|page| page["tasks"].as_array().expect("tasks"));
    let listed = both
        .into_iter()
        .flatten()
        .map(|task| task["taskId"].as_str().expect("an id"));
    assert_eq!(listed.collect::<Vec<_>>(), ids);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5);
    assert_eq!(
        code(&server.ask("tasks/list", json!({ "cursor": "none" }))),
        -32602
    );
    let mut stranger = Direct::new(&[], NEW);
    assert_eq!(
        stranger.ask("tasks/list", json!({}))["result"],
        json!({ "tasks": [] })
    );
    assert_eq!(status(&mut stranger, &ids[0]), Value::Null);
}

#[test]
fn the_time_to_live_is_limited_and_kept() {
    let mut server = Direct::new(&[], NEW);
    for bad in [
        json!(5),
        json!(null),
        json!({ "ttl": "x" }),
        json!({ "ttl": -5 }),
    ] {
        let call = task_call("t", "slow", json!({}), bad);
        assert_eq!(code(&server.tell(&call)[0]), -32602);
    }
    let call = task_call("t", "slow", json!({}), json!({ "ttl": 1e15 }));
    assert_eq!(server.tell(&call)[0]["result"]["task"]["ttl"], 3_600_000);
    let short = create(
        &mut server,
        &task_call("t", "slow", json!({}), json!({ "ttl": 2000 })),
    );
    server.after(1500);
    assert_eq!(status(&mut server, &short), "completed");
    server.after(1000);
    assert_eq!(status(&mut server, &short), Value::Null);
    // One that is under way when its time is over is stopped and forgotten.
    let call = task_call(
        "t",
        "slow",
        json!({ "duration_ms": 60_000 }),
        json!({ "ttl": 100 }),
    );
    let stopped = create(&mut server, &call);
    server.tell(&request("r", "tasks/result", json!({ "taskId": stopped })));
    let said = server.after(200);
    assert_eq!(
        (&said[0]["id"], code(&said[0])),
        (&json!("r"), &json!(-32602))
    );
    assert_eq!(status(&mut server, &stopped), Value::Null);
}

#[test]
fn a_task_that_needs_input_asks_whoever_waits_for_its_result() {
    let mut server = Direct::new(&[], NEW);
    let mut call = research();
    call["params"]["arguments"]["ambiguous"] = json!(true);
    let created = server.tell(&call);
    let id = created[0]["result"]["task"]["taskId"].clone();
    assert_eq!(created[1]["params"]["status"], "input_required");
    let id = id.as_str().expect("an id");
    assert_eq!(status(&mut server, id), "input_required");
    let asked = server.route(&request("r", "tasks/result", json!({ "taskId": id })));
    assert_eq!(asked[0].relates_to, Some(json!("r")));
    let question = &asked[0].message;
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(question["params"]["_meta"][RELATED]["taskId"], id);
    let answer = json!({ "action": "accept", "content": { "meaning": "y" } });
    let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": answer });
    let said = server.tell(&answer);
    assert_eq!(said[0]["params"]["status"], "working");
    let said = server.after(300);
    assert_eq!(said[0]["params"]["status"], "completed");
    let text = said[1]["result"]["content"][0]["text"]
        .as_str()
        .expect("text");
    assert!(text.ends_with("meaning y."), "{text}");
}

#[test]
fn what_is_asked_in_vain_is_cancelled() {
    let mut server = Direct::new(&[], NEW);
    let call = json!({ "name": "list-roots" });
    let asked = server.tell(&request("c", "tools/call", call.clone()));
    let said = server.after(31_000);
    assert_eq!(said[0]["method"], "notifications/cancelled");
    assert_eq!(said[0]["params"]["requestId"], asked[0]["id"]);
    assert_eq!(said[1]["result"]["isError"], true);
    let asked = server.tell(&request("d", "tools/call", call));
    let said = server.tell(&notification(
        "notifications/cancelled",
        json!({ "requestId": "d" }),
    ));
    assert_eq!(said[0]["params"]["requestId"], asked[0]["id"]);
    assert!(server.after(60_000).is_empty());
}
