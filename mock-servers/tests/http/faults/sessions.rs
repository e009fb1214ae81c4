//! Session ids, the end of sessions, and the version header.

use serde_json::json;

use super::session;
use crate::client::{initialize, ping, request, streamable};
use crate::session::Session;

const NEW: &str = "2025-11-25";

#[tokio::test]
async fn session_ids_are_weak() {
    let spaced = session("http-session-id-space", NEW).await;
    assert!(spaced.id.contains(' '));
    for (fault, expected) in [
        (
            "http-session-id-constant",
            ["5e55104f5e55104f5e55104f5e55104f"; 2],
        ),
        (
            "http-session-id-sequential",
            ["session-00000000", "session-00000001"],
        ),
    ] {
        let one = session(fault, NEW).await;
        let two = Session::open(&one.site, NEW).await;
        assert_eq!([one.id.as_str(), two.id.as_str()], expected);
        assert!(one.is_alive().await && two.is_alive().await);
    }
    let rotating = session("http-session-id-rotates", NEW).await;
    let pong = rotating.post(ping(1)).whole().await;
    let next = format!("{}-next", rotating.id);
    assert_eq!(pong.header("mcp-session-id"), Some(next.as_str()));
}

#[tokio::test]
async fn session_headers_are_misjudged() {
    let list = || request(1, "tools/list");
    let site = streamable(&["http-initialize-needs-session"]).await;
    assert_eq!(site.post(initialize(NEW)).status().await, 400);
    let missing = session("http-missing-session-404", NEW).await;
    let ask = missing.post(list()).without("Mcp-Session-Id");
    assert_eq!(ask.status().await, 404);
    let lax = session("http-accepts-unknown-session", NEW).await;
    let altered = format!("{}zzz{}", &lax.id[..14], &lax.id[17..]);
    let ask = lax.post(list()).with("Mcp-Session-Id", &altered);
    assert_eq!(ask.status().await, 200);
    assert_eq!(lax.ask("DELETE").status().await, 204);
    assert_eq!(lax.post(list()).status().await, 404);
    let picky = session("http-session-header-case", NEW).await;
    let named = |name: &str| {
        let ask = picky.post(ping(1)).without("Mcp-Session-Id");
        ask.with(name, &picky.id)
    };
    assert_eq!(named("MCP-Session-Id").status().await, 400);
    for name in ["Mcp-Session-Id", "mcp-session-id"] {
        assert_eq!(named(name).status().await, 200);
    }
}

#[tokio::test]
async fn sessions_end_badly() {
    for (fault, statuses) in [
        ("http-terminated-session-400", [204, 400, 404, 404]),
        ("http-terminated-session-get-opens", [204, 404, 200, 404]),
        ("http-second-delete-200", [204, 404, 404, 200]),
        ("http-delete-500", [500, 200, 200, 500]),
    ] {
        let session = session(fault, NEW).await;
        let found = [
            session.ask("DELETE").status().await,
            session.post(ping(1)).status().await,
            session.get().status().await,
            session.ask("DELETE").status().await,
        ];
        assert_eq!(found, statuses, "{fault}");
    }
    let leaky = session("http-delete-leaves-stream-open", "2025-06-18").await;
    let mut stream = leaky.get().send().await;
    assert_eq!(stream.event().await.as_deref(), Some("retry: 100"));
    assert_eq!(leaky.ask("DELETE").status().await, 204);
    assert_eq!(leaky.post(ping(1)).status().await, 404);
    let end = tokio::spawn(async move { stream.event().await });
    let other = Session::open(&leaky.site, NEW).await;
    assert!(other.is_alive().await && other.is_alive().await && !end.is_finished());
    end.abort();

    let sweeping = session("http-delete-ends-all-sessions", NEW).await;
    let other = Session::open(&sweeping.site, NEW).await;
    assert_eq!(sweeping.ask("DELETE").status().await, 204);
    assert_eq!(other.post(ping(1)).status().await, 404);
}

#[tokio::test]
async fn sessions_are_not_kept_apart() {
    let single = session("http-single-session", NEW).await;
    assert_eq!(single.site.post(initialize(NEW)).status().await, 400);
    assert_eq!(single.ask("DELETE").status().await, 204);
    assert_eq!(single.site.post(initialize(NEW)).status().await, 200);

    let one = session("http-sessions-share-ids", NEW).await;
    let two = Session::open(&one.site, NEW).await;
    let shared = |id: &str| {
        (
            one.post(ping(id)).whole(),
            two.post(request(id, "tools/list")).whole(),
        )
    };
    let (pong, list) = shared("apart");
    assert_eq!(pong.await.response()["result"], json!({}));
    assert!(list.await.response()["result"]["tools"].is_array());
    let _streams = (one.get().send().await, two.get().send().await);
    let (pong, list) = shared("together");
    assert!(list.await.response()["result"]["tools"].is_array());
    assert!(pong.await.response()["result"]["tools"].is_array());
}

#[tokio::test]
async fn version_headers_are_misjudged() {
    for revision in ["2025-06-18", NEW] {
        for (fault, version, post, get) in [
            ("http-ignores-invalid-version", "not-a-version", 200, 400),
            ("http-ignores-invalid-version", "2999-12-31", 400, 400),
            ("http-ignores-unsupported-version", "1999-12-31", 200, 400),
            ("http-ignores-unsupported-version", "2999-12-31", 200, 400),
            (
                "http-ignores-unsupported-version",
                "not-a-version",
                400,
                400,
            ),
            ("http-get-ignores-version", "not-a-version", 400, 200),
        ] {
            let session = session(fault, revision).await;
            let name = "MCP-Protocol-Version";
            let posted = session.post(ping(1)).with(name, version).status().await;
            let got = session.get().with(name, version).status().await;
            assert_eq!((posted, got), (post, get), "{fault} {version}");
        }
        let strict = session("http-requires-version-header", revision).await;
        let bare = strict.post(ping(1)).without("MCP-Protocol-Version");
        assert_eq!(bare.clone().status().await, 400);
        let cased = session("http-version-header-case", revision).await;
        let bare = cased.post(ping(1)).without("MCP-Protocol-Version");
        let upper = bare.clone().with("MCP-PROTOCOL-VERSION", "not-a-version");
        assert_eq!(upper.status().await, 200);
        let lower = bare.with("mcp-protocol-version", "not-a-version");
        assert_eq!(lower.status().await, 400);

        let site = streamable(&["http-rejects-negotiated-version"]).await;
        let answer = site.post(initialize(revision)).whole().await;
        let id = answer.header("mcp-session-id").expect("an id");
        let initialized = crate::client::notification("notifications/initialized");
        let initialized = site.post(initialized).with("Mcp-Session-Id", id);
        let versioned = initialized.clone().with("MCP-Protocol-Version", revision);
        assert_eq!(versioned.status().await, 400);
        assert_eq!(initialized.status().await, 202);
    }
}
