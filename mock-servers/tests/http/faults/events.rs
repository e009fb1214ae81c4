//! The format of events.

use serde_json::Value;

use super::session;
use crate::answer::{Whole, data, id};
use crate::client::request;

const NEW: &str = "2025-11-25";

async fn listed(fault: &str, revision: &str) -> Whole {
    let session = session(fault, revision).await;
    session.post(request("list", "tools/list")).whole().await
}

fn is_json(event: &str) -> bool {
    serde_json::from_str::<Value>(&data(event)).is_ok()
}

/// The events of the answer to a list, without the priming event.
fn said(answer: &Whole) -> Vec<&str> {
    let mut events = answer.events();
    events.retain(|event| !event.ends_with("data:"));
    events
}

#[tokio::test]
async fn an_event_is_malformed_and_the_answer_is_whole() {
    for revision in ["2025-03-26", NEW] {
        let words = listed("http-sse-data-not-json", revision).await;
        assert!(!is_json(said(&words)[0]) && is_json(said(&words)[1]));
        let typed = listed("http-sse-custom-event-type", revision).await;
        let typed = said(&typed);
        assert!(typed[0].starts_with("event: log\n") && is_json(typed[0]) && is_json(typed[1]));
        let folded = listed("http-sse-unprefixed-line", revision).await;
        let folded = said(&folded);
        assert!(folded[0].contains("\n  \"method\"") && is_json(folded[1]));
        let units = listed("http-sse-bad-retry", revision).await;
        assert!(said(&units)[0] == "retry: 5s" && is_json(said(&units)[1]));
        let latin1 = listed("http-sse-invalid-utf8", revision).await;
        let text = String::from_utf8_lossy(&latin1.body);
        assert!(text.contains('\u{fffd}') && text.contains("\"id\":\"list\""));
        assert!(text.contains("\"jsonrpc\"") && text.contains("notifications/message"));
        let open = listed("http-sse-missing-blank-line", revision).await;
        let (events, rest) = open.text().rsplit_once("\n\n").expect("events");
        assert!(events.contains("\"id\":\"list\"") && rest.ends_with("}\n") && is_json(rest));
    }
}

#[tokio::test]
async fn an_event_carries_an_array_where_there_are_none() {
    for (revision, count) in [("2025-03-26", 1), ("2025-06-18", 2), (NEW, 2)] {
        let batch = listed("http-batch-from-server", revision).await;
        let events = said(&batch);
        assert_eq!(events.len(), count);
        assert_eq!(data(events[0]).starts_with('['), count == 2);
    }
}

#[tokio::test]
async fn event_ids_come_again() {
    let session = session("http-event-ids-restart", NEW).await;
    for _ in 0..2 {
        let list = session.post(request("list", "tools/list")).whole().await;
        assert_eq!(id(said(&list)[0]), "1");
    }
}
