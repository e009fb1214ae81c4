//! Where requests may come from.

use super::session;
use crate::client::{Site, http_sse, initialize, ping, streamable};
use crate::session::Stream;

const NEW: &str = "2025-11-25";
const FOREIGN: &str = "https://mcp-conform.invalid";

async fn with_origin(site: &Site, origin: &str) -> u16 {
    site.post(initialize(NEW))
        .with("Origin", origin)
        .status()
        .await
}

#[tokio::test]
async fn origins_are_misjudged() {
    for (fault, origin, status) in [
        ("http-ignores-origin", FOREIGN, 200),
        ("http-origin-400", FOREIGN, 400),
        (
            "http-origin-prefix-match",
            "http://localhost.mcp-conform.invalid",
            200,
        ),
        ("http-origin-prefix-match", FOREIGN, 403),
        ("http-accepts-null-origin", "null", 200),
        ("http-accepts-null-origin", FOREIGN, 403),
    ] {
        let site = streamable(&[fault]).await;
        assert_eq!(with_origin(&site, origin).await, status, "{fault}");
        assert_eq!(site.post(initialize(NEW)).status().await, 200, "{fault}");
    }
    let site = streamable(&["http-requires-origin"]).await;
    let own = format!("http://{}", site.authority);
    assert_eq!(site.post(initialize(NEW)).status().await, 403);
    assert_eq!(with_origin(&site, &own).await, 200);
    let site = streamable(&["http-rejects-own-origin"]).await;
    let own = format!("http://{}", site.authority);
    assert_eq!(with_origin(&site, &own).await, 403);
    let get = session("http-get-ignores-origin", NEW).await;
    assert_eq!(get.get().with("Origin", FOREIGN).status().await, 200);
    assert_eq!(with_origin(&get.site, FOREIGN).await, 403);
    let delete = session("http-delete-ignores-origin", NEW).await;
    let ask = delete.ask("DELETE").with("Origin", FOREIGN);
    assert_eq!(ask.status().await, 204);
    assert_eq!(with_origin(&delete.site, FOREIGN).await, 403);
}

#[tokio::test]
async fn hosts_are_misjudged() {
    let statuses = |site: Site| async move {
        let host = format!("mcp-conform.invalid:{}", site.port());
        let foreign = site.post(initialize(NEW)).with("Host", &host);
        let rebound = foreign.clone().with("Origin", &format!("http://{host}"));
        let origin = site.post(initialize(NEW)).with("Origin", FOREIGN);
        (
            foreign.status().await,
            rebound.status().await,
            origin.status().await,
        )
    };
    let rebinding = streamable(&["http-allows-rebinding"]).await;
    assert_eq!(statuses(rebinding).await, (403, 200, 403));
    let hostless = streamable(&["http-ignores-host"]).await;
    assert_eq!(statuses(hostless).await, (200, 403, 403));
}

#[tokio::test]
async fn every_address_is_listened_on() {
    for site in [
        streamable(&["http-binds-all-interfaces"]).await,
        http_sse(&["sse-binds-all-interfaces"]).await,
        streamable(&[]).await,
    ] {
        // The whole of 127.0.0.0/8 is this machine, and only some of it was asked for.
        let elsewhere = format!("127.0.0.2:{}", site.port());
        let reached = tokio::net::TcpStream::connect(elsewhere).await.is_ok();
        assert_eq!(reached, site.listens_everywhere, "{}", site.path);
        assert_eq!(site.ask("PUT").status().await, 405);
    }
}

#[tokio::test]
async fn connections_and_posts_over_http_sse_are_misjudged() {
    let get = http_sse(&["sse-get-ignores-origin"]).await;
    assert_eq!(get.ask("GET").with("Origin", FOREIGN).status().await, 200);
    let stream = Stream::open(&get, NEW).await;
    let post = stream.post(ping(1)).with("Origin", FOREIGN);
    assert_eq!(post.status().await, 403);
    let post = http_sse(&["sse-post-ignores-origin"]).await;
    assert_eq!(post.ask("GET").with("Origin", FOREIGN).status().await, 403);
    let stream = Stream::open(&post, NEW).await;
    let post = stream.post(ping(1)).with("Origin", FOREIGN);
    assert_eq!(post.status().await, 202);
    for (fault, foreign, rebound) in [
        ("sse-allows-rebinding", 403, 200),
        ("sse-ignores-host", 200, 403),
    ] {
        let site = http_sse(&[fault]).await;
        let host = format!("mcp-conform.invalid:{}", site.port());
        let get = site.ask("GET").with("Host", &host);
        let both = get.clone().with("Origin", &format!("http://{host}"));
        assert_eq!(
            (get.status().await, both.status().await),
            (foreign, rebound)
        );
    }
}
