//! How posts are read.

use serde_json::json;

use super::session;
use crate::client::{BOTH, notification, ping};

const NEW: &str = "2025-11-25";

#[tokio::test]
async fn bodies_are_misread_or_refused() {
    let latin1 = session("http-decodes-latin1", NEW).await;
    let odd = "zażółć-漢字-😀";
    let raw = latin1.post(ping(odd)).whole().await;
    assert_ne!(raw.json()["id"], odd);
    let escaped: String = odd
        .encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect();
    let escaped = format!("{{\"jsonrpc\":\"2.0\",\"id\":\"{escaped}\",\"method\":\"ping\"}}");
    assert_eq!(latin1.post(escaped).whole().await.json()["id"], odd);

    let small = session("http-rejects-256k", NEW).await;
    let mut padded = ping(1);
    padded["params"] = json!({ "_meta": { "padding": "x".repeat(256 * 1024) } });
    assert_eq!(small.post(padded).status().await, 400);
    assert!(small.is_alive().await);
    let chunked = session("http-rejects-chunked", NEW).await;
    assert_eq!(chunked.post(ping(1)).chunked(9).status().await, 400);
    assert!(chunked.is_alive().await);
    let mortal = session("http-dies-on-malformed-post", NEW).await;
    assert_eq!(mortal.post("{").status().await, 400);
    assert_eq!(mortal.post(ping(1)).status().await, 404);
}

#[tokio::test]
async fn types_are_misjudged() {
    for (fault, header, value, status) in [
        (
            "http-rejects-json-charset",
            "Content-Type",
            "application/json; charset=utf-8",
            415,
        ),
        ("http-accepts-text-plain", "Content-Type", "text/plain", 200),
        (
            "http-accept-order-sensitive",
            "Accept",
            "text/event-stream, application/json",
            406,
        ),
        ("http-500-on-wildcard-accept", "Accept", "*/*", 500),
        (
            "http-500-on-partial-accept",
            "Accept",
            "application/json",
            500,
        ),
        (
            "http-500-on-partial-accept",
            "Accept",
            "text/event-stream",
            500,
        ),
    ] {
        let session = session(fault, NEW).await;
        let ask = session.post(ping(1)).with(header, value);
        assert_eq!(ask.status().await, status, "{fault}");
        assert!(session.is_alive().await);
        // A GET accepts one type, and is served.
        assert_eq!(session.get().status().await, 200, "{fault}");
    }
    let wildcard = session("http-500-on-wildcard-accept", NEW).await;
    assert_eq!(wildcard.post(ping(1)).without("Accept").status().await, 500);
    let weighted = "application/json;q=0.9, text/event-stream;q=0.5";
    let ordered = session("http-accept-order-sensitive", NEW).await;
    for accept in [BOTH, weighted] {
        let ask = ordered.post(ping(1)).with("Accept", accept);
        assert_eq!(ask.status().await, 200);
    }
}

#[tokio::test]
async fn batches_are_mishandled() {
    let batch = json!([
        ping("a"),
        notification("notifications/com.example.unknown"),
        ping("b")
    ]);
    let notes = json!([
        notification("notifications/a"),
        notification("notifications/b")
    ]);
    let rejecting = session("http-batch-rejected", "2025-03-26").await;
    assert_eq!(rejecting.post(&batch).status().await, 400);
    assert_eq!(rejecting.post(&notes).status().await, 202);
    let answering = session("http-batch-notifications-200", "2025-03-26").await;
    let answer = answering.post(&notes).whole().await;
    assert_eq!((answer.status, answer.json()), (200, json!([])));
    assert_eq!(answering.post(&batch).whole().await.json()[1]["id"], "b");
    for revision in ["2025-06-18", NEW] {
        let half = session("http-batch-half-answered", revision).await;
        assert_eq!(half.post(&batch).whole().await.json()["id"], "a");
    }
    let whole = session("http-batch-half-answered", "2025-03-26").await;
    assert_eq!(whole.post(&batch).whole().await.json()[1]["id"], "b");
}
