//! The stream and the posts of HTTP+SSE.

use serde_json::{Value, json};

use crate::client::{http_sse, initialize, notification, ping, request};
use crate::session::Stream;

const REVISIONS: [&str; 2] = ["2024-11-05", "2025-11-25"];

async fn stream(fault: &str) -> Stream {
    Stream::open(&http_sse(&[fault]).await, "2024-11-05").await
}

#[tokio::test]
async fn connecting_goes_wrong() {
    let refusing = http_sse(&["sse-get-refused"]).await;
    assert_eq!(refusing.ask("GET").status().await, 404);
    for (fault, content_type) in [
        ("sse-wrong-content-type", "text/plain"),
        (
            "sse-charset-latin1",
            "text/event-stream; charset=iso-8859-1",
        ),
    ] {
        let stream = stream(fault).await;
        assert_eq!(stream.events.header("content-type"), Some(content_type));
    }
    let late = http_sse(&["endpoint-event-late"]).await;
    let mut events = late.ask("GET").send().await;
    let first = events.event().await.expect("an event");
    assert!(first.starts_with("event: message\n"));
    let second = events.event().await.expect("an event");
    assert!(second.starts_with("event: endpoint\n"));

    let json = Stream::connect(&http_sse(&["endpoint-data-json"]).await).await;
    assert!(json.endpoint.starts_with("\"/messages?") && json.endpoint.ends_with('"'));
    let site = http_sse(&["endpoint-cross-origin"]).await;
    let mut elsewhere = Stream::connect(&site).await;
    let host = format!("localhost:{}", site.port());
    let path = elsewhere.endpoint.strip_prefix(&format!("http://{host}"));
    let post = site
        .post(ping(1))
        .to(path.expect("a path"))
        .with("Host", &host);
    assert_eq!(post.status().await, 202);
    assert_eq!(elsewhere.message().await["id"], 1);
}

#[tokio::test]
async fn no_endpoint_is_named() {
    let site = http_sse(&["no-endpoint-event"]).await;
    let mut events = site.ask("GET").send().await;
    assert_eq!(events.status, 200);
    let first = tokio::spawn(async move { events.event().await });
    // Another connection has come as far, and there is nothing on the first.
    assert_eq!(site.ask("GET").status().await, 200);
    assert!(!first.is_finished());
    first.abort();
}

#[tokio::test]
async fn an_event_is_malformed_and_the_answer_is_whole() {
    for revision in REVISIONS {
        for (fault, start) in [
            ("sse-custom-event-type", "event: log\ndata: {"),
            ("sse-data-not-json", "data: a list was asked for"),
            ("sse-unprefixed-line", "data: {\n  \"jsonrpc\""),
            ("sse-bad-retry", "retry: 5s"),
        ] {
            let mut stream = Stream::open(&http_sse(&[fault]).await, revision).await;
            assert_eq!(stream.post(request(1, "tools/list")).status().await, 202);
            let event = stream.events.event().await.expect("an event");
            assert!(event.starts_with(start), "{fault}: {event}");
            assert_eq!(stream.message().await["id"], 1, "{fault}");
        }
    }
    let mut latin1 = stream("sse-invalid-utf8").await;
    assert_eq!(latin1.post(request(1, "tools/list")).status().await, 202);
    let bytes = latin1.events.bytes_until(b"\"tools\"").await;
    assert!(str::from_utf8(&bytes).is_err());
}

#[tokio::test]
async fn an_event_ends_with_the_next() {
    let mut stream = stream("sse-missing-blank-line").await;
    assert_eq!(stream.post(request(1, "tools/list")).status().await, 202);
    let bytes = stream.events.bytes_until(b"\"nextCursor\"").await;
    let text = String::from_utf8(bytes).expect("UTF-8");
    assert!(text.ends_with("}\n") && !text.ends_with("\n\n"));
    assert_eq!(stream.post(ping(2)).status().await, 202);
    let bytes = stream.events.bytes_until(b"\"id\":2").await;
    assert!(bytes.starts_with(b"\nevent: message\n"));
}

#[tokio::test]
async fn answers_come_elsewhere() {
    let mut astray = stream("sse-response-in-post-body").await;
    let posted = astray.post(ping(1)).whole().await;
    assert_eq!((posted.status, &posted.json()["id"]), (200, &json!(1)));
    let list = astray.exchange(request(2, "tools/list")).await;
    assert_eq!(list["id"], 2);
    let mut doubled = stream("sse-response-duplicated-in-post").await;
    let posted = doubled.post(ping(1)).whole().await;
    assert_eq!(posted.json(), doubled.message().await);

    let mut one = stream("sse-broadcasts-responses").await;
    let mut two = Stream::open(&one.site, "2024-11-05").await;
    assert_eq!(one.exchange(ping(7)).await["id"], 7);
    assert_eq!(two.exchange(ping(7)).await["id"], 7);
    assert_eq!(one.exchange(ping(8)).await["result"], json!({}));
    let foreign = two.exchange(request(8, "tools/list")).await;
    assert_eq!(foreign["result"], json!({}));
    assert!(two.message().await["result"]["tools"].is_array());
    assert_eq!(two.exchange(ping(9)).await["id"], 9);
}

#[tokio::test]
async fn a_notification_is_answered() {
    let mut stream = stream("sse-responds-to-notification").await;
    let cancelled = notification("notifications/cancelled");
    assert_eq!(stream.post(cancelled).status().await, 202);
    let unknown = notification("notifications/com.example.unknown");
    let answer = stream.exchange(unknown).await;
    assert_eq!(
        (&answer["id"], &answer["error"]["code"]),
        (&Value::Null, &json!(-32601))
    );
}

#[tokio::test]
async fn sessions_are_mishandled() {
    let mut brief = stream("sse-closes-after-response").await;
    for id in 1..4 {
        assert_eq!(brief.exchange(ping(id)).await["id"], id);
    }
    assert!(brief.events.event().await.is_none());

    let single = stream("sse-single-connection").await;
    assert_eq!(single.site.ask("GET").status().await, 409);

    let mut lax = stream("sse-accepts-unknown-session").await;
    let unknown = "/messages?sessionId=00000000000000000000000000000000";
    assert_eq!(lax.post(ping(1)).to(unknown).status().await, 202);
    assert_eq!(lax.exchange(ping(2)).await["id"], 2);

    let immortal = stream("sse-session-outlives-stream").await;
    let post = immortal.post(ping(1));
    let site = immortal.site.clone();
    drop(immortal);
    let mut other = Stream::open(&site, "2024-11-05").await;
    assert_eq!(other.exchange(ping(2)).await["id"], 2);
    assert_eq!(post.status().await, 202);

    let mut dying = stream("sse-dies-on-malformed-post").await;
    assert_eq!(dying.post("{").status().await, 400);
    assert!(dying.events.event().await.is_none());
    assert_eq!(dying.post(ping(1)).status().await, 404);
}

#[tokio::test]
async fn a_parallel_post_is_dropped() {
    let mut stream = stream("sse-drops-concurrent-post").await;
    let posts: Vec<_> = (0..10)
        .map(|id| tokio::spawn(stream.post(ping(id.to_string())).status()))
        .collect();
    for post in posts {
        assert_eq!(post.await.expect("no panic"), 202);
    }
    let mut ids = std::collections::HashSet::new();
    for _ in 0..9 {
        ids.insert(stream.message().await["id"].to_string());
    }
    assert_eq!(ids.len(), 9);
    assert_eq!(stream.exchange(ping("after")).await["id"], "after");
}

#[tokio::test]
async fn posts_are_misread() {
    let refusing = Stream::connect(&http_sse(&["sse-post-refused"]).await).await;
    let post = refusing.post(initialize("2024-11-05"));
    assert_eq!(post.status().await, 405);

    let lenient = stream("sse-accepts-malformed-json").await;
    assert_eq!(lenient.post("not json").status().await, 202);
    let picky = stream("sse-rejects-json-charset").await;
    let charset = "application/json; charset=utf-8";
    let post = picky.post(ping(1)).with("Content-Type", charset);
    assert_eq!(post.status().await, 415);
    let mut lax = stream("sse-accepts-text-plain").await;
    let post = lax.post(ping(1)).with("Content-Type", "text/plain");
    assert_eq!(post.status().await, 202);
    assert_eq!(lax.message().await["id"], 1);
    let small = stream("sse-rejects-256k").await;
    let mut big = ping(1);
    big["params"] = json!({ "_meta": { "padding": "x".repeat(256 * 1024) } });
    assert_eq!(small.post(big).status().await, 400);

    let batch = json!([ping("a"), ping("b")]);
    let site = http_sse(&["sse-batch-rejected"]).await;
    let rejecting = Stream::open(&site, "2025-03-26").await;
    assert_eq!(rejecting.post(&batch).status().await, 400);
    let newer = Stream::open(&site, "2025-11-25").await;
    assert_eq!(newer.post(&batch).status().await, 202);
}
