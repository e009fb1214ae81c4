//! HTTP+SSE.

use serde_json::json;

use crate::client::{call, http_sse, initialize, notification, ping, request};
use crate::session::Stream;

const REVISIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

#[tokio::test]
async fn answers_come_on_the_stream() {
    let site = http_sse(&[]).await;
    for revision in REVISIONS {
        let mut stream = Stream::open(&site, revision).await;
        let session = stream.endpoint.strip_prefix("/messages?sessionId=");
        assert_eq!(session.map(str::len), Some(32));
        assert_eq!(
            stream.events.header("content-type"),
            Some("text/event-stream")
        );
        for id in 0..3 {
            assert_eq!(stream.exchange(ping(id)).await["id"], id);
        }
        let odd = "zażółć-漢字-😀";
        assert_eq!(stream.exchange(ping(odd)).await["id"], odd);
        let list = stream.exchange(request(4, "tools/list")).await;
        assert!(list["result"]["tools"].is_array());
        let progress = call("c", "test_tool_with_progress", json!({}));
        assert_eq!(
            stream.exchange(progress).await["method"],
            "notifications/progress"
        );
        assert_eq!(stream.message().await["params"]["progress"], 50);
        assert_eq!(stream.message().await["params"]["progress"], 100);
        assert_eq!(stream.message().await["id"], "c");
        // Nothing else was said: the next message answers the next request.
        let unknown = notification("notifications/com.example.unknown");
        assert_eq!(stream.post(unknown).status().await, 202);
        assert_eq!(stream.exchange(ping("last")).await["id"], "last");
    }
}

#[tokio::test]
async fn events_carry_their_type_and_a_message() {
    let site = http_sse(&[]).await;
    let mut stream = Stream::open(&site, "2024-11-05").await;
    assert_eq!(stream.post(ping(1)).status().await, 202);
    let event = stream.events.event().await.expect("an event");
    assert_eq!(
        event,
        "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"
    );
}

#[tokio::test]
async fn slow_answers_and_questions_of_the_server_come_too() {
    let site = http_sse(&[]).await;
    let mut stream = Stream::open(&site, "2025-11-25").await;
    let asked = stream.exchange(call("c", "list-roots", json!({}))).await;
    assert_eq!(asked["method"], "roots/list");
    let response = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": { "roots": [] } });
    assert_eq!(stream.exchange(response).await["id"], "c");
    let reconnection = call("r", "test_reconnection", json!({}));
    assert_eq!(stream.exchange(reconnection).await["id"], "r");
}

#[tokio::test]
async fn connections_are_sessions_of_their_own() {
    let site = http_sse(&[]).await;
    let mut one = Stream::open(&site, "2024-11-05").await;
    let mut two = Stream::open(&site, "2025-03-26").await;
    assert_ne!(one.endpoint, two.endpoint);
    assert_eq!(one.exchange(ping(8)).await["result"], json!({}));
    let list = two.exchange(request(8, "tools/list")).await;
    assert!(list["result"]["tools"].is_array());
    let batch = two.exchange(json!([ping("a"), ping("b")])).await;
    assert_eq!(batch[1]["id"], "b");

    let endpoint = one.endpoint.clone();
    drop(one);
    // The server notices the end on its own; how soon is the network's business.
    let gone = async {
        while two.site.post(ping(1)).to(&endpoint).status().await != 404 {
            tokio::task::yield_now().await;
        }
    };
    let patience = std::time::Duration::from_secs(20);
    tokio::time::timeout(patience, gone).await.expect("over");
    assert_eq!(two.exchange(ping(9)).await["id"], 9);
}

#[tokio::test]
async fn what_cannot_be_served_is_refused() {
    let site = http_sse(&[]).await;
    let mut stream = Stream::connect(&site).await;
    assert_eq!(stream.exchange(ping(0)).await["id"], 0);
    assert_eq!(
        stream.exchange(initialize("2024-11-05")).await["id"],
        "init"
    );
    for body in ["not json", "{\"jsonrpc\":"] {
        assert_eq!(stream.post(body).status().await, 400, "{body}");
    }
    let plain = stream.post(ping(1)).with("Content-Type", "text/plain");
    assert_eq!(plain.status().await, 415);
    let charset = "application/json; charset=utf-8";
    let charset = stream.post(ping(1)).with("Content-Type", charset);
    assert_eq!(charset.status().await, 202);
    assert_eq!(stream.message().await["id"], 1);
    let unknown = "/messages?sessionId=00000000000000000000000000000000";
    for endpoint in [unknown, "/messages", "/messages?sessionId="] {
        let post = site.post(ping(1)).to(endpoint);
        assert_eq!(post.status().await, 404, "{endpoint}");
    }
    let mut big = ping("big");
    big["params"] = json!({ "_meta": { "padding": "x".repeat(256 * 1024) } });
    assert_eq!(stream.exchange(big).await["id"], "big");
    let post = site.post(initialize("2024-11-05")).whole().await;
    assert_eq!((post.status, post.header("allow")), (405, Some("GET")));
    let get = site.ask("GET").to(&stream.endpoint).whole().await;
    assert_eq!((get.status, get.header("allow")), (405, Some("POST")));
    assert_eq!(
        stream.exchange(request(2, "no/such")).await["error"]["code"],
        -32601
    );
}

#[tokio::test]
async fn parallel_posts_are_all_answered() {
    let site = http_sse(&[]).await;
    let mut stream = Stream::open(&site, "2024-11-05").await;
    let posts: Vec<_> = (0..10)
        .map(|id| tokio::spawn(stream.post(ping(id)).status()))
        .collect();
    for post in posts {
        assert_eq!(post.await.expect("no panic"), 202);
    }
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(stream.message().await["id"].as_u64().expect("a number"));
    }
    ids.sort_unstable();
    assert_eq!(ids, (0..10).collect::<Vec<_>>());
}
