//! Posts over Streamable HTTP, and what answers them.

use serde_json::{Value, json};

use crate::answer::id;
use crate::client::{BOTH, call, initialize, notification, ping, request, streamable};
use crate::session::Session;

const REVISIONS: [&str; 3] = ["2025-03-26", "2025-06-18", "2025-11-25"];

#[tokio::test]
async fn requests_are_answered_by_json_or_by_a_stream() {
    let site = streamable(&[]).await;
    for revision in REVISIONS {
        let session = Session::open(&site, revision).await;
        let pong = session.post(ping(1)).whole().await;
        assert_eq!(
            pong.json(),
            json!({ "jsonrpc": "2.0", "id": 1, "result": {} })
        );
        let unknown = session.post(request(2, "no/such")).whole().await;
        assert_eq!(
            (unknown.status, &unknown.json()["error"]["code"]),
            (200, &json!(-32601))
        );
        for listed in ["tools", "prompts", "resources"] {
            let list = session
                .post(request(3, &format!("{listed}/list")))
                .whole()
                .await;
            assert!(list.messages()[0]["result"][listed].is_array(), "{listed}");
        }
    }
}

#[tokio::test]
async fn streams_begin_with_an_id_and_a_retry_time_where_that_is_known() {
    let site = streamable(&[]).await;
    for revision in REVISIONS {
        let session = Session::open(&site, revision).await;
        let answer = session
            .post(call("c", "test_tool_with_progress", json!({})))
            .whole()
            .await;
        let events = answer.events();
        let primed = revision == "2025-11-25";
        assert_eq!(events.len(), if primed { 5 } else { 4 });
        if primed {
            assert_eq!(
                events[0],
                format!("id: {}\nretry: 100\ndata:", id(events[0]))
            );
        }
        let messages = answer.messages();
        assert_eq!(
            messages[0]["params"]["progressToken"],
            "test_tool_with_progress"
        );
        assert_eq!(messages[3]["id"], "c");
    }
}

#[tokio::test]
async fn event_ids_are_unique() {
    let site = streamable(&[]).await;
    let session = Session::open(&site, "2025-11-25").await;
    let mut seen = std::collections::HashSet::new();
    for number in 0..3 {
        let answer = session.post(request(number, "tools/list")).whole().await;
        for event in answer.events() {
            assert!(seen.insert(id(event).to_owned()), "{event}");
        }
    }
    assert_eq!(seen.len(), 6);
}

#[tokio::test]
async fn notifications_and_responses_are_accepted_without_a_body() {
    let site = streamable(&[]).await;
    let session = Session::open(&site, "2025-06-18").await;
    for message in [
        notification("notifications/com.example.unknown"),
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 9 } }),
        json!({ "jsonrpc": "2.0", "id": "nobody-asked", "result": {} }),
    ] {
        let answer = session.post(&message).whole().await;
        assert_eq!((answer.status, answer.text()), (202, ""), "{message}");
    }
}

#[tokio::test]
async fn what_is_no_message_is_refused_and_does_no_harm() {
    let site = streamable(&[]).await;
    for (revision, null) in [("2025-06-18", true), ("2025-11-25", false)] {
        let session = Session::open(&site, revision).await;
        for (body, code) in [
            ("not json", -32700),
            ("", -32700),
            ("{\"jsonrpc\":\"2.0\",", -32700),
            ("{\"jsonrpc\":\"2.0\",\"method\":42}", -32600),
            (
                "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]",
                -32600,
            ),
        ] {
            let answer = session.post(body).whole().await;
            assert_eq!(answer.status, 400, "{body}");
            let error = answer.json();
            assert_eq!(error["error"]["code"], code, "{body}");
            assert_eq!(error.get("id").is_some(), null, "{body}");
        }
        assert!(session.is_alive().await);
    }
}

#[tokio::test]
async fn batches_are_served_where_they_exist() {
    let site = streamable(&[]).await;
    let session = Session::open(&site, "2025-03-26").await;
    let note = notification("notifications/com.example.unknown");
    let quick = session
        .post(json!([ping("a"), note, ping("b")]))
        .whole()
        .await;
    assert_eq!(quick.json()[1]["id"], "b");
    let slow = call("c", "slow", json!({ "duration_ms": 1, "steps": 1 }));
    let streamed = session.post(json!([ping("a"), note, slow])).whole().await;
    let messages = streamed.messages();
    assert_eq!(messages[0]["method"], "notifications/progress");
    assert_eq!(messages[1][1]["id"], "c");
    let silent = session.post(json!([note, note])).whole().await;
    assert_eq!((silent.status, silent.text()), (202, ""));
    assert_eq!(session.post("[]").status().await, 400);
}

#[tokio::test]
async fn a_tool_can_ask_the_client_on_its_stream() {
    let site = streamable(&[]).await;
    let session = Session::open(&site, "2025-11-25").await;
    let mut answer = session
        .post(call("c", "list-roots", json!({})))
        .send()
        .await;
    let asked = answer.message().await.expect("a request");
    assert_eq!(asked["method"], "roots/list");
    let response = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": { "roots": [] } });
    let posted = session.post(response).whole().await;
    assert_eq!((posted.status, posted.text()), (202, ""));
    assert_eq!(answer.message().await.expect("the response")["id"], "c");
    assert!(answer.event().await.is_none());
}

#[tokio::test]
async fn a_cancelled_request_ends_its_stream() {
    let site = streamable(&[]).await;
    let session = Session::open(&site, "2025-11-25").await;
    let slow = call("c", "slow", json!({ "duration_ms": 60_000 }));
    let mut answer = session.post(slow).send().await;
    assert!(answer.event().await.expect("priming").starts_with("id: "));
    let cancel = json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": "c" },
    });
    assert_eq!(session.post(cancel).status().await, 202);
    assert!(answer.event().await.is_none());
}

#[tokio::test]
async fn headers_are_read_in_any_form() {
    let site = streamable(&[]).await;
    let session = Session::open(&site, "2025-11-25").await;
    let with = |name: &str, value: &str| session.post(ping(1)).with(name, value).status();
    for accept in [
        "text/event-stream, application/json",
        "application/json,text/event-stream",
        "application/json;q=0.9, text/event-stream;q=0.5",
        "text/html, application/json, text/event-stream, */*;q=0.1",
        "*/*",
        "Text/*, APPLICATION/JSON",
    ] {
        assert_eq!(with("Accept", accept).await, 200, "{accept}");
    }
    for accept in [
        "application/json",
        "text/event-stream",
        "application/json, text/event-stream;q=0",
    ] {
        assert_eq!(with("Accept", accept).await, 406, "{accept}");
    }
    assert_eq!(session.post(ping(1)).without("Accept").status().await, 200);
    for content_type in [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/json;charset=\"UTF-8\"",
    ] {
        assert_eq!(
            with("Content-Type", content_type).await,
            200,
            "{content_type}"
        );
    }
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json-patch+json",
        "application/json; charset=latin1",
    ] {
        assert_eq!(
            with("Content-Type", content_type).await,
            415,
            "{content_type}"
        );
    }
    assert_eq!(
        session.post(ping(1)).without("Content-Type").status().await,
        415
    );
    for name in ["mcp-session-id", "MCP-SESSION-ID", "MCP-Session-Id"] {
        let ask = session.post(ping(1)).without("Mcp-Session-Id");
        assert_eq!(ask.with(name, &session.id).status().await, 200, "{name}");
    }
    let partial = session.get().with("Accept", "application/json");
    assert_eq!(partial.status().await, 406);
}

#[tokio::test]
async fn bodies_are_read_whole_and_as_utf8() {
    let site = streamable(&[]).await;
    let session = Session::open(&site, "2025-11-25").await;
    let odd = "zażółć-漢字-😀";
    let chunked = session.post(ping(odd)).chunked(7).whole().await;
    assert_eq!(chunked.json()["id"], odd);
    let on_stream = session.post(request(odd, "tools/list")).whole().await;
    assert_eq!(on_stream.response()["id"], odd);
    let padded = |size: usize| {
        let mut request = ping("big");
        request["params"] = json!({ "_meta": { "padding": "x".repeat(size) } });
        session.post(request)
    };
    assert_eq!(padded(256 * 1024).whole().await.json()["id"], "big");
    assert_eq!(padded(4 * 1024 * 1024).status().await, 413);
    assert_eq!(padded(4 * 1024 * 1024).chunked(1 << 20).status().await, 413);
    assert!(session.is_alive().await);
}

#[tokio::test]
async fn other_methods_and_paths_are_refused() {
    let site = streamable(&[]).await;
    for method in ["PUT", "PATCH", "OPTIONS"] {
        let answer = site.ask(method).whole().await;
        assert_eq!(answer.status, 405);
        assert_eq!(answer.header("allow"), Some("GET, POST, DELETE"));
    }
    let elsewhere = site.post(initialize("2025-11-25")).to("/elsewhere");
    assert_eq!(elsewhere.status().await, 404);
}

#[tokio::test]
async fn a_handshake_that_fails_opens_no_session() {
    let site = streamable(&[]).await;
    let answer = site
        .post(request(1, "initialize"))
        .with("Accept", BOTH)
        .whole()
        .await;
    assert_eq!(answer.response()["error"]["code"], -32602);
    assert_eq!(answer.header("mcp-session-id"), None);
    let null: Option<Value> = None;
    assert_eq!(answer.response().get("result").cloned(), null);
}
