//! Streams opened by GET, and streams that go on after a break.

use serde_json::json;

use crate::answer::{data, id};
use crate::client::{call, ping, request, streamable};
use crate::session::Session;

#[tokio::test]
async fn a_get_brings_what_belongs_to_no_request_and_nothing_else() {
    let site = streamable(&[]).await;
    let session = Session::open(&site, "2025-06-18").await;
    // Nobody listens yet: it is kept.
    let write = |name: &str| call(name, "write-note", json!({ "name": name, "text": "" }));
    assert_eq!(session.post(write("a")).whole().await.messages().len(), 1);
    let stream = session.get().send().await;
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    assert_eq!(session.get().status().await, 409);
    for id in 0..5 {
        assert_eq!(session.post(ping(id)).status().await, 200);
    }
    assert_eq!(session.post(write("b")).whole().await.messages().len(), 1);
    assert_eq!(session.ask("DELETE").status().await, 204);
    let messages = stream.whole().await.messages();
    let methods: Vec<_> = messages.iter().map(|message| &message["method"]).collect();
    assert_eq!(methods, ["notifications/resources/list_changed"; 2]);
}

#[tokio::test]
async fn a_finished_stream_is_replayed_after_the_event_named() {
    let site = streamable(&[]).await;
    for revision in ["2025-03-26", "2025-11-25"] {
        let session = Session::open(&site, revision).await;
        let other = session.post(request("other", "tools/list")).whole().await;
        let answer = session
            .post(call("c", "test_tool_with_progress", json!({})))
            .whole()
            .await;
        let events = answer.events();
        for (position, event) in events.iter().enumerate() {
            let replay = session.resume(id(event)).whole().await;
            assert_eq!(replay.events(), events[position + 1..], "{event}");
        }
        assert_eq!(other.messages()[0]["id"], "other");
        let stranger = Session::open(&site, revision).await;
        assert_eq!(stranger.resume(id(events[0])).status().await, 400);
    }
}

#[tokio::test]
async fn an_unknown_event_id_is_refused() {
    let site = streamable(&[]).await;
    let session = Session::open(&site, "2025-11-25").await;
    for unknown in ["mcp-conform-unknown-1", "0-99", "99-0", "-", ""] {
        assert_eq!(session.resume(unknown).status().await, 400, "{unknown}");
    }
    assert_eq!(session.get().status().await, 200);
}

#[tokio::test]
async fn a_connection_let_go_early_can_be_come_back_to() {
    let site = streamable(&[]).await;
    let session = Session::open(&site, "2025-11-25").await;
    let answer = session
        .post(call("c", "test_reconnection", json!({})))
        .whole()
        .await;
    let events = answer.events();
    assert_eq!(
        events,
        [format!("id: {}\nretry: 100\ndata:", id(events[0]))]
    );
    let rest = session.resume(id(events[0])).whole().await;
    assert_eq!(rest.messages()[0]["id"], "c");
}

#[tokio::test]
async fn a_broken_connection_cancels_nothing() {
    let site = streamable(&[]).await;
    let session = Session::open(&site, "2025-11-25").await;
    let roots = call("c", "list-roots", json!({}));
    let mut answer = session.post(roots).send().await;
    let primed = answer.event().await.expect("an event");
    let asked = data(&answer.event().await.expect("a request"));
    let asked: serde_json::Value = serde_json::from_str(&asked).expect("JSON");
    drop(answer);
    // The stream lives on: it is resumed while the tool still waits, and goes on there.
    let mut resumed = session.resume(id(&primed)).send().await;
    assert_eq!(resumed.message().await.as_ref(), Some(&asked));
    let response = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": { "roots": [] } });
    assert_eq!(session.post(response).status().await, 202);
    assert_eq!(resumed.message().await.expect("the response")["id"], "c");
    assert!(resumed.event().await.is_none());
}

#[tokio::test]
async fn the_stream_of_a_get_can_be_resumed() {
    let site = streamable(&[]).await;
    let session = Session::open(&site, "2025-11-25").await;
    let mut stream = session.get().send().await;
    let primed = stream.event().await.expect("an event");
    let mut again = session.resume(id(&primed)).send().await;
    // The stream moved to the new connection, and the old one was closed.
    assert!(stream.event().await.is_none());
    let write = call("w", "write-note", json!({ "name": "n", "text": "" }));
    assert_eq!(session.post(write).whole().await.messages().len(), 1);
    let told = again.message().await.expect("a notification");
    assert_eq!(told["method"], "notifications/resources/list_changed");
    assert_eq!(session.get().status().await, 409);
}
