//! Which messages streams carry, and when they end.

use serde_json::{Value, json};

use super::session;
use crate::answer::{Answer, data};
use crate::client::{call, ping, request};
use crate::session::Session;

const NEW: &str = "2025-11-25";

fn list() -> Value {
    request("list", "tools/list")
}

async fn listed(fault: &str, revision: &str) -> Answer {
    session(fault, revision).await.post(list()).send().await
}

/// The events of a stream until the session ends it.
async fn until_deleted(session: &Session, stream: Answer) -> Vec<Value> {
    assert_eq!(session.ask("DELETE").status().await, 204);
    stream.whole().await.messages()
}

#[tokio::test]
async fn streams_end_too_early_or_too_late() {
    for revision in ["2025-03-26", "2025-06-18", NEW] {
        let silent = session("http-sse-no-response", revision).await;
        let stream = silent.post(list()).send().await;
        assert!(silent.is_alive().await);
        assert_eq!(until_deleted(&silent, stream).await, [] as [Value; 0]);

        let open = session("http-sse-left-open", revision).await;
        let mut stream = open.post(list()).send().await;
        assert_eq!(stream.message().await.expect("a response")["id"], "list");
        assert!(open.is_alive().await);
        assert_eq!(until_deleted(&open, stream).await, [] as [Value; 0]);

        let early = listed("http-sse-early-close", revision).await.whole().await;
        assert_eq!(early.messages().is_empty(), revision != NEW);
        let early = listed("http-sse-early-close-no-id", revision)
            .await
            .whole()
            .await;
        assert_eq!(early.body.is_empty(), revision == NEW);

        let late = listed("http-sse-late-notification", revision)
            .await
            .whole()
            .await;
        let messages = late.messages();
        assert_eq!(messages[0]["id"], "list");
        assert_eq!(messages[1]["method"], "notifications/message");
    }
}

#[tokio::test]
async fn coming_back_is_made_hard() {
    let unprimed = listed("http-no-priming-event", NEW).await.whole().await;
    assert!(!data(unprimed.events()[0]).is_empty());
    let hasty = session("http-close-without-retry", NEW).await;
    let call = call("c", "test_reconnection", json!({}));
    let answer = hasty.post(&call).whole().await;
    assert_eq!(answer.events().len(), 1);
    assert!(!answer.text().contains("retry"));
    let forgetful = session("http-resume-loses-response", NEW).await;
    let answer = forgetful.post(&call).whole().await;
    let id = crate::answer::id(answer.events()[0]).to_owned();
    assert_eq!(forgetful.resume(&id).whole().await.text(), "");
    let whole = forgetful.post(list()).whole().await;
    assert_eq!(whole.messages()[0]["id"], "list");
}

#[tokio::test]
async fn progress_goes_astray() {
    let slow = |id: &str| call(id, "list-roots", json!({}));
    let quick = call("q", "test_tool_with_progress", json!({}));

    let foreign = session("http-sse-foreign-progress", "2025-06-18").await;
    let mut other = foreign.post(slow("other")).send().await;
    assert_eq!(
        other.message().await.expect("a request")["method"],
        "roots/list"
    );
    let own = foreign.post(&quick).whole().await;
    assert_eq!(own.messages().len(), 1);
    for _ in 0..3 {
        let told = other.message().await.expect("progress");
        assert_eq!(told["params"]["progressToken"], "test_tool_with_progress");
    }

    let astray = session("http-progress-on-get-stream", "2025-06-18").await;
    assert_eq!(astray.post(&quick).whole().await.messages().len(), 4);
    let get = astray.get().send().await;
    assert_eq!(astray.post(&quick).whole().await.messages().len(), 1);
    assert_eq!(until_deleted(&astray, get).await.len(), 3);
}

#[tokio::test]
async fn a_get_stream_carries_what_it_must_not() {
    let repeating = session("http-response-on-get", "2025-06-18").await;
    let get = repeating.get().send().await;
    assert_eq!(repeating.post(ping(1)).whole().await.json()["id"], 1);
    assert_eq!(repeating.post(list()).whole().await.messages().len(), 1);
    let carried = until_deleted(&repeating, get).await;
    assert_eq!(
        carried,
        [json!({ "jsonrpc": "2.0", "id": 1, "result": {} })]
    );

    let loud = session("http-broadcasts-messages", "2025-06-18").await;
    let (one, two) = (loud.get().send().await, loud.get().send().await);
    assert_eq!(loud.post(list()).whole().await.messages().len(), 2);
    let mut both = vec![until_deleted(&loud, one).await];
    both.push(two.whole().await.messages());
    assert_eq!(both[0], both[1]);
    assert_eq!(both[0][0]["method"], "ping");
}
