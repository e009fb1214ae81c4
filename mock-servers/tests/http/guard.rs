//! Where a request may come from.

use crate::client::{http_sse, initialize, ping, streamable};
use crate::session::{Session, Stream};

#[tokio::test]
async fn only_the_own_origin_or_none_is_served() {
    let site = streamable(&[]).await;
    let port = site.port().to_owned();
    let post = |origin: String| site.post(initialize("2025-11-25")).with("Origin", &origin);
    for host in ["127.0.0.1", "localhost"] {
        assert_eq!(post(format!("http://{host}:{port}")).status().await, 200);
    }
    for origin in [
        "null".to_owned(),
        "https://mcp-conform.invalid".to_owned(),
        "http://localhost".to_owned(),
        "http://localhost:1".to_owned(),
        format!("https://localhost:{port}"),
        "http://localhost.mcp-conform.invalid".to_owned(),
        format!("http://127.0.0.1.mcp-conform.invalid:{port}"),
        "http://mcp-conform-localhost.invalid".to_owned(),
        "http://localhost:80.mcp-conform.invalid".to_owned(),
        format!("http://127.0.0.1:{port}.mcp-conform.invalid"),
    ] {
        let refused = post(origin.clone()).whole().await;
        assert_eq!(refused.status, 403, "{origin}");
        let body = refused.json();
        assert!(body["error"]["code"].is_i64() && body.get("id").is_none());
    }
}

#[tokio::test]
async fn a_foreign_origin_is_refused_by_every_method() {
    let site = streamable(&[]).await;
    let session = Session::open(&site, "2025-11-25").await;
    for ask in [
        session.get(),
        session.ask("DELETE"),
        session.post(ping(1)),
        session.ask("PUT"),
    ] {
        let foreign = ask.with("Origin", "https://mcp-conform.invalid");
        assert_eq!(foreign.status().await, 403);
    }
    assert!(session.is_alive().await);
    let site = http_sse(&[]).await;
    let stream = Stream::open(&site, "2024-11-05").await;
    for ask in [site.ask("GET"), stream.post(ping(1))] {
        let foreign = ask.with("Origin", "https://mcp-conform.invalid");
        assert_eq!(foreign.status().await, 403);
    }
}

#[tokio::test]
async fn only_the_own_host_is_served() {
    for site in [streamable(&[]).await, http_sse(&[]).await] {
        let status = |host: String| {
            let ask = site.ask("PUT").with("Host", &host);
            async move { ask.status().await }
        };
        for host in ["127.0.0.1", "localhost", "LocalHost", "[::1]"] {
            let host = format!("{host}:{}", site.port());
            assert_eq!(status(host).await, 405);
        }
        for host in [
            "mcp-conform.invalid",
            "127.0.0.2",
            "localhost.mcp-conform.invalid",
        ] {
            let host = format!("{host}:{}", site.port());
            assert_eq!(status(host.clone()).await, 403);
            let rebound = site.ask("PUT").with("Host", &host);
            let rebound = rebound.with("Origin", &format!("http://{host}"));
            assert_eq!(rebound.status().await, 403);
        }
        assert_eq!(status("localhost".to_owned()).await, 403);
    }
}
