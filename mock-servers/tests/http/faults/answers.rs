//! Methods, statuses and JSON answers.

use serde_json::{Value, json};

use super::session;
use crate::client::{initialize, notification, ping, request, streamable};
use crate::session::Session;

const NEW: &str = "2025-11-25";

#[tokio::test]
async fn methods_are_refused() {
    let site = streamable(&["http-post-405"]).await;
    let post = site.post(initialize(NEW)).whole().await;
    assert_eq!(
        (post.status, post.header("allow")),
        (405, Some("GET, DELETE"))
    );
    let nowhere = session("http-get-404", NEW).await;
    assert_eq!(nowhere.get().status().await, 404);
    let silent = session("http-405-no-allow", NEW).await;
    for ask in [silent.get(), silent.ask("PUT")] {
        let refused = ask.whole().await;
        assert_eq!((refused.status, refused.header("allow")), (405, None));
    }
}

#[tokio::test]
async fn a_get_harms() {
    let second = session("http-second-get-500", NEW).await;
    let _stream = second.get().send().await;
    assert_eq!(second.get().status().await, 500);

    let withheld = session("http-get-headers-withheld", NEW).await;
    let get = tokio::spawn(withheld.get().send());
    assert!(withheld.is_alive().await && withheld.is_alive().await);
    assert!(!get.is_finished());
    let write = crate::client::call(1, "write-note", json!({ "name": "n", "text": "" }));
    assert_eq!(withheld.post(write).status().await, 200);
    assert_eq!(get.await.expect("no panic").status, 200);

    let blocked = session("http-get-blocks-posts", NEW).await;
    let stream = blocked.get().send().await;
    let kept = tokio::spawn(blocked.post(ping(3)).send());
    let other = Session::open(&blocked.site, NEW).await;
    assert!(other.is_alive().await && !kept.is_finished());
    drop(stream);
    assert_eq!(kept.await.expect("no panic").status, 200);
}

#[tokio::test]
async fn json_answers_are_of_another_form() {
    let typed = session("http-wrong-response-type", NEW).await;
    let pong = typed.post(ping(1)).whole().await;
    assert_eq!((pong.status, pong.content_type()), (200, "text/plain"));
    let array = session("http-json-array-answer", NEW).await;
    assert_eq!(array.post(ping(1)).whole().await.json()[0]["id"], 1);
    let latin1 = session("http-latin1-answer", NEW).await;
    let pong = latin1.post(ping("zażółć")).whole().await;
    assert!(str::from_utf8(&pong.body).is_err());
    let pong = latin1.post(ping("plain")).whole().await;
    assert_eq!(pong.json()["id"], "plain");
}

async fn crowd(session: &Session) -> Vec<tokio::task::JoinHandle<Value>> {
    let lists = (0..5).map(|id| session.post(request(id, "tools/list")));
    let pings = (5..10).map(|id| session.post(ping(id)));
    lists
        .chain(pings)
        .map(|ask| tokio::spawn(async { ask.whole().await.response() }))
        .collect()
}

#[tokio::test]
async fn parallel_posts_are_crossed_or_dropped() {
    let crossed = session("http-crossed-responses", NEW).await;
    let mut ids = Vec::new();
    for answer in crowd(&crossed).await {
        ids.push(
            answer.await.expect("no panic")["id"]
                .as_u64()
                .expect("an id"),
        );
    }
    assert_ne!(ids, (0..10).collect::<Vec<_>>());
    ids.sort_unstable();
    assert_eq!(ids, (0..10).collect::<Vec<_>>());

    let dropping = session("http-drops-concurrent-post", NEW).await;
    let mut unanswered = crowd(&dropping).await;
    while unanswered.len() > 1 {
        tokio::task::yield_now().await;
        unanswered.retain(|answer| !answer.is_finished());
    }
    let alone = dropping.post(request(11, "tools/list")).whole().await;
    assert_eq!(alone.response()["id"], 11);
    assert!(!unanswered[0].is_finished());
}

#[tokio::test]
async fn what_is_accepted_is_not_answered_with_a_bare_202() {
    let note = notification("notifications/cancelled");
    let response = json!({ "jsonrpc": "2.0", "id": 7, "result": {} });
    for (fault, to_note, to_response) in [
        ("http-notification-200", 200, 202),
        ("http-response-200", 202, 200),
        ("http-202-with-body", 202, 202),
    ] {
        let session = session(fault, NEW).await;
        let first = session.post(&note).whole().await;
        let second = session.post(&response).whole().await;
        assert_eq!(
            (first.status, second.status),
            (to_note, to_response),
            "{fault}"
        );
        let has_body = fault == "http-202-with-body";
        assert!(first.body.is_empty() != has_body && second.body.is_empty() != has_body);
    }
}

#[tokio::test]
async fn what_is_refused_is_not_refused_well() {
    let bad = json!({ "jsonrpc": "2.0", "method": 42 });
    let hidden = session("http-200-with-error-body", NEW).await;
    let answer = hidden.post(&bad).whole().await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (200, &json!(-32600))
    );
    assert_eq!(hidden.post("not json").status().await, 400);
    let named = session("http-rejection-with-id", NEW).await;
    let answer = named.post(&bad).whole().await;
    assert_eq!(
        (answer.status, &answer.json()["id"]),
        (400, &json!("rejected"))
    );
    assert_eq!(named.post("not json").whole().await.json().get("id"), None);
    let lenient = session("http-accepts-malformed-json", NEW).await;
    let answer = lenient.post("not json").whole().await;
    assert_eq!((answer.status, answer.text()), (202, ""));
    assert_eq!(lenient.post(&bad).status().await, 400);
}
