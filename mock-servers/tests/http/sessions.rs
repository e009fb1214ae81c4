//! Sessions over Streamable HTTP: their ids, their end, and the version header.

use std::collections::HashSet;

use serde_json::json;

use crate::client::{initialize, ping, request, streamable};
use crate::session::Session;

#[tokio::test]
async fn ids_are_long_random_and_needed() {
    let site = streamable(&[]).await;
    let mut ids = HashSet::new();
    for _ in 0..8 {
        let session = Session::open(&site, "2025-06-18").await;
        assert!(session.id.len() == 32 && session.id.bytes().all(|b| b.is_ascii_hexdigit()));
        ids.insert(session.id);
    }
    assert_eq!(ids.len(), 8);
    let session = Session::open(&site, "2025-06-18").await;
    let list = || session.post(request(1, "tools/list"));
    let repeated = list().whole().await;
    assert_eq!(repeated.header("mcp-session-id"), Some(session.id.as_str()));
    assert_eq!(list().without("Mcp-Session-Id").status().await, 400);
    assert_eq!(session.get().without("Mcp-Session-Id").status().await, 400);
    assert_eq!(
        session
            .ask("DELETE")
            .without("Mcp-Session-Id")
            .status()
            .await,
        400
    );
    let unknown = "0123456789abcdef0123456789abcdef";
    assert_eq!(list().with("Mcp-Session-Id", unknown).status().await, 404);
    let again = session.post(initialize("2025-06-18")).whole().await;
    assert_eq!(again.response()["error"]["code"], -32600);
}

#[tokio::test]
async fn a_deleted_session_is_gone_and_its_streams_with_it() {
    let site = streamable(&[]).await;
    let session = Session::open(&site, "2025-11-25").await;
    let other = Session::open(&site, "2025-11-25").await;
    let stream = session.get().send().await;
    let mut stays = other.get().send().await;
    assert!(stays.event().await.is_some());
    assert_eq!(session.ask("DELETE").status().await, 204);
    assert_eq!(
        stream.whole().await.messages(),
        [] as [serde_json::Value; 0]
    );
    assert_eq!(session.post(ping(1)).status().await, 404);
    assert_eq!(session.get().status().await, 404);
    assert_eq!(session.ask("DELETE").status().await, 404);
    assert!(other.is_alive().await);
    assert_eq!(other.get().status().await, 409);
}

#[tokio::test]
async fn the_version_header_names_what_was_negotiated() {
    let site = streamable(&[]).await;
    let version = |session: &Session, version: &str| {
        session.post(ping(1)).with("MCP-Protocol-Version", version)
    };
    for revision in ["2025-06-18", "2025-11-25"] {
        let session = Session::open(&site, revision).await;
        for wrong in ["not-a-version", "1999-12-31", "2999-12-31", "2025-03-26"] {
            assert_eq!(version(&session, wrong).status().await, 400, "{wrong}");
            let get = session.get().with("MCP-Protocol-Version", wrong);
            assert_eq!(get.status().await, 400, "{wrong}");
        }
        let absent = session.post(ping(1)).without("MCP-Protocol-Version");
        assert_eq!(absent.status().await, 200);
        let name = "mcp-protocol-version";
        let lower = session.post(ping(1)).without("MCP-Protocol-Version");
        assert_eq!(
            lower.clone().with(name, "not-a-version").status().await,
            400
        );
        assert_eq!(lower.with(name, revision).status().await, 200);
    }
    let older = Session::open(&site, "2025-03-26").await;
    assert_eq!(version(&older, "not-a-version").status().await, 200);
    let first = site.post(initialize("2025-11-25"));
    let first = first.with("MCP-Protocol-Version", "not-a-version");
    assert_eq!(first.status().await, 200);
}

#[tokio::test]
async fn sessions_are_kept_apart() {
    let site = streamable(&[]).await;
    let one = Session::open(&site, "2025-03-26").await;
    let two = Session::open(&site, "2025-11-25").await;
    let (pong, list) = tokio::join!(
        one.post(ping("same")).whole(),
        two.post(request("same", "tools/list")).whole()
    );
    assert_eq!(pong.json()["result"], json!({}));
    assert!(list.response()["result"]["tools"].is_array());
}
