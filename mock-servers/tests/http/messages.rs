//! What is the same on every transport, as it shows over HTTP: tasks, and the faults that a
//! session has.

use serde_json::{Value, json};

use crate::client::{call, http_sse, notification, ping, streamable};
use crate::session::{Session, Stream};

const NEW: &str = "2025-11-25";

fn research(token: &str) -> Value {
    let topic = json!({ "topic": "x", "ambiguous": token == "asking" });
    let mut call = call("t", "simulate-research-query", topic);
    call["params"]["task"] = json!({});
    call["params"]["_meta"] = json!({ "progressToken": token });
    call
}

fn about(id: &str, method: &str, task: &Value) -> Value {
    let params = json!({ "taskId": task });
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

#[tokio::test]
async fn a_task_lets_its_call_go_and_speaks_on_the_stream_of_the_session() {
    let site = streamable(&[]).await;
    let session = Session::open(&site, NEW).await;
    let mut stream = session.get().send().await;
    let created = session.post(research("p")).whole().await.response();
    let task = &created["result"]["task"]["taskId"];
    for progress in 1..=4 {
        let report = stream.message().await.expect("a report");
        assert_eq!(report["params"]["progress"], progress);
    }
    let ended = stream.message().await.expect("a notification");
    assert_eq!(ended["params"]["status"], "completed");
    let got = session.post(about("g", "tasks/get", task)).whole().await;
    assert_eq!(got.content_type(), "application/json");
    assert_eq!(got.json()["result"], ended["params"]);
}

#[tokio::test]
async fn a_question_of_a_task_comes_on_the_stream_of_who_waits_for_it() {
    let site = streamable(&[]).await;
    let session = Session::open(&site, NEW).await;
    let created = session.post(research("asking")).whole().await.response();
    let task = &created["result"]["task"]["taskId"];
    let mut status = json!("working");
    while status == "working" {
        let got = session.post(about("g", "tasks/get", task)).whole().await;
        status = got.json()["result"]["status"].take();
    }
    assert_eq!(status, "input_required");
    let mut waiting = session.post(about("r", "tasks/result", task)).send().await;
    let question = waiting.message().await.expect("a question");
    assert_eq!(question["method"], "elicitation/create");
    let declined = json!({ "action": "decline" });
    let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": declined });
    assert_eq!(session.post(answer).status().await, 202);
    let rest = waiting.whole().await.messages();
    let last = rest.last().expect("an answer");
    assert_eq!(last["id"], "r");
    assert!(last["result"]["content"].is_array());
}

#[tokio::test]
async fn tasks_come_over_http_sse_as_well() {
    let site = http_sse(&[]).await;
    let mut stream = Stream::open(&site, NEW).await;
    let created = stream.exchange(research("p")).await;
    assert_eq!(created["result"]["task"]["status"], "working");
    for progress in 1..=4 {
        assert_eq!(stream.message().await["params"]["progress"], progress);
    }
    assert_eq!(stream.message().await["params"]["status"], "completed");
}

#[tokio::test]
async fn a_session_that_a_fault_has_ended_is_gone() {
    let odd = notification("notifications/cancelled");
    let faults = ["cancel-malformed-fatal"];
    let site = streamable(&faults).await;
    let session = Session::open(&site, NEW).await;
    assert!(session.is_alive().await);
    assert_eq!(session.post(odd.clone()).status().await, 202);
    assert_eq!(session.post(ping(1)).status().await, 404);
    assert!(Session::open(&site, NEW).await.is_alive().await);

    let site = http_sse(&faults).await;
    let stream = Stream::open(&site, NEW).await;
    assert_eq!(stream.post(odd).status().await, 202);
    stream.post(ping(1)).status().await;
    assert_eq!(stream.events.whole().await.messages(), [] as [Value; 0]);
}

#[tokio::test]
async fn answers_are_held_back_on_their_own_streams() {
    let site = streamable(&["blocks-on-unanswered-request"]).await;
    let session = Session::open(&site, NEW).await;
    let mut asking = session
        .post(call("c", "list-roots", json!({})))
        .send()
        .await;
    let question = asking.message().await.expect("a question");
    let held = session.post(ping("p")).send().await;
    let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "roots": [] } });
    assert_eq!(session.post(answer).status().await, 202);
    assert_eq!(held.whole().await.response()["id"], "p");
    assert_eq!(asking.message().await.expect("an answer")["id"], "c");
}

#[tokio::test]
async fn the_text_of_a_message_is_bent_in_bodies_and_in_events() {
    let twice = "{\"jsonrpc\":\"2.0\",\"jsonrpc\":\"2.0\"";
    let site = streamable(&["duplicate-json-members"]).await;
    let session = Session::open(&site, NEW).await;
    let body = session.post(ping(5)).whole().await;
    assert!(body.text().starts_with(twice), "{}", body.text());
    let site = http_sse(&["duplicate-json-members"]).await;
    let mut stream = Stream::open(&site, NEW).await;
    stream.post(ping(5)).status().await;
    let event = stream.events.event().await.expect("an event");
    assert!(event.contains(twice), "{event}");
}
