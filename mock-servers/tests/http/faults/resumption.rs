//! What comes back by an event id.

use serde_json::{Value, json};

use super::session;
use crate::answer::id;
use crate::client::{call, request};
use crate::session::Session;

const NEW: &str = "2025-11-25";

/// The ids of the events of a finished call.
async fn finished(session: &Session) -> Vec<String> {
    let call = call("c", "test_tool_with_progress", json!({}));
    let answer = session.post(call).whole().await;
    answer
        .events()
        .into_iter()
        .map(|event| id(event).to_owned())
        .collect()
}

#[tokio::test]
async fn too_much_is_replayed() {
    for revision in ["2025-03-26", NEW] {
        let all = session("http-replays-other-stream", revision).await;
        let ids = finished(&all).await;
        let last = ids.last().expect("an event");
        assert_eq!(all.resume(last).whole().await.text(), "");
        let list = all.post(request("other", "tools/list")).whole().await;
        let replay = all.resume(last).whole().await;
        assert_eq!(replay.text(), list.text());

        let again = session("http-replays-acknowledged", revision).await;
        let ids = finished(&again).await;
        let replay = again.resume(ids.last().expect("an event")).whole().await;
        assert_eq!(replay.messages()[0]["id"], "c");

        let open = session("http-replay-crosses-sessions", revision).await;
        let stranger = Session::open(&open.site, revision).await;
        let ids = finished(&open).await;
        let replay = stranger.resume(&ids[ids.len() - 2]).whole().await;
        assert_eq!(replay.messages()[0]["id"], "c");
        assert_eq!(stranger.resume("99-0").status().await, 400);
    }
}

#[tokio::test]
async fn ids_are_of_no_use() {
    let session_without = session("http-ids-without-get", NEW).await;
    let ids = finished(&session_without).await;
    let refused = session_without.resume(&ids[0]).whole().await;
    assert_eq!(
        (refused.status, refused.header("allow")),
        (405, Some("POST, DELETE"))
    );
    assert_eq!(session_without.get().status().await, 200);
    let failing = session("http-500-on-unknown-last-event-id", NEW).await;
    assert_eq!(failing.resume("mcp-conform-unknown-1").status().await, 500);
    let ids = finished(&failing).await;
    assert_eq!(failing.resume(&ids[0]).status().await, 200);
}

#[tokio::test]
async fn a_broken_connection_cancels() {
    for revision in ["2025-03-26", NEW] {
        let session = session("http-disconnect-cancels", revision).await;
        let mut answer = session
            .post(call("c", "list-roots", json!({})))
            .send()
            .await;
        let event = answer.event().await.expect("an event");
        drop(answer);
        // The stream ends without a response, as soon as the server has noticed.
        let resumed = session.resume(id(&event)).whole().await;
        let is_response = |message: &Value| message["id"] == "c";
        assert!(!resumed.messages().iter().any(is_response), "{revision}");
    }
}
