//! What each fault over HTTP does, and that it leaves a plain session alone.

mod answers;
mod events;
mod origins;
mod posts;
mod resumption;
mod sessions;
mod sse;
mod streams;

use mock_servers::{Fault, Transport, faults};
use serde_json::json;

use crate::client::{http_sse, ping, request, streamable};
use crate::session::{Session, Stream};

/// A session with a server that has one fault.
async fn session(fault: &str, revision: &str) -> Session {
    Session::open(&streamable(&[fault]).await, revision).await
}

#[test]
fn faults_show_where_their_clause_holds() {
    for fault in faults() {
        let area = fault.violates.split('/').next().expect("an area");
        let only = match area {
            "streamable-http" => Transport::StreamableHttp,
            "http-sse" => Transport::HttpSse,
            _ => continue,
        };
        for transport in [
            Transport::Stdio,
            Transport::StreamableHttp,
            Transport::HttpSse,
        ] {
            assert_eq!(
                fault.shows_on(transport),
                transport == only,
                "{}",
                fault.name
            );
        }
    }
}

fn shown(on: Transport, unfit: &[&str]) -> Vec<&'static Fault> {
    // What is the same on every transport is judged without one.
    let is_message = |fault: &Fault| {
        let areas = ["jsonrpc/", "lifecycle/", "utilities/"];
        areas.iter().any(|area| fault.violates.starts_with(area))
    };
    let is_fit =
        |fault: &&Fault| fault.shows_on(on) && !is_message(fault) && !unfit.contains(&fault.name);
    faults().filter(is_fit).collect()
}

#[tokio::test]
async fn a_plain_session_is_served_under_every_fault_over_streamable_http() {
    // These hit the handshake or what follows it, whoever asks.
    let unfit = [
        "http-post-405",
        "http-initialize-needs-session",
        "http-rejects-negotiated-version",
        "http-requires-origin",
        // These hit every answer of a kind, and are judged below.
        "http-wrong-response-type",
        "http-json-array-answer",
        "http-sse-no-response",
        "http-sse-early-close",
        "http-sse-early-close-no-id",
        "http-sse-left-open",
        "http-sse-late-notification",
        "http-sse-data-not-json",
        "http-sse-unprefixed-line",
        "http-sse-missing-blank-line",
        "http-sse-invalid-utf8",
    ];
    for fault in shown(Transport::StreamableHttp, &unfit) {
        for revision in ["2025-03-26", "2025-06-18", "2025-11-25"] {
            let session = session(fault.name, revision).await;
            let pong = session.post(ping(1)).whole().await;
            assert_eq!(pong.response()["result"], json!({}), "{}", fault.name);
            let list = session.post(request(2, "tools/list")).whole().await;
            let tools = &list.response()["result"]["tools"];
            assert!(tools.is_array(), "{} in {revision}", fault.name);
        }
    }
}

#[tokio::test]
async fn a_plain_session_is_served_under_every_fault_over_http_sse() {
    let unfit = [
        "sse-get-refused",
        "no-endpoint-event",
        "endpoint-event-late",
        "endpoint-data-json",
        "endpoint-cross-origin",
        "sse-post-refused",
        "sse-response-in-post-body",
        "sse-response-duplicated-in-post",
        "responds-to-notifications",
    ];
    for fault in shown(Transport::HttpSse, &unfit) {
        for revision in ["2024-11-05", "2025-11-25"] {
            let mut stream = Stream::open(&http_sse(&[fault.name]).await, revision).await;
            let pong = stream.exchange(ping(1)).await;
            assert_eq!(pong["result"], json!({}), "{}", fault.name);
            let pong = stream.exchange(ping(2)).await;
            assert_eq!(pong["id"], 2, "{}", fault.name);
        }
    }
}
