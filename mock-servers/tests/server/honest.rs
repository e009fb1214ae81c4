//! The base protocol, as the server without faults keeps it.

use serde_json::{Value, json};

use crate::exchange::{Client, REVISIONS, after_handshake, initialize, lines, ping, run};

fn answers(revision: &str, input: &[u8]) -> Vec<Value> {
    after_handshake(&[], revision, &[input])
        .iter()
        .map(|line| serde_json::from_slice(line).expect("a line of JSON"))
        .collect()
}

#[test]
fn every_revision_is_negotiated_and_tells_only_what_it_knows() {
    for revision in REVISIONS {
        let written = run(&[], &[lines(&[initialize(revision)])]);
        let messages = written.messages();
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0]["id"], "init");
        let result = &messages[0]["result"];
        assert_eq!(result["protocolVersion"], revision);
        let completions = result["capabilities"].get("completions").is_some();
        assert_eq!(completions, revision >= "2025-03-26");
        let info = &result["serverInfo"];
        assert_eq!(info.get("title").is_some(), revision >= "2025-06-18");
        assert_eq!(info.get("icons").is_some(), revision >= "2025-11-25");
        assert!(!result["instructions"].as_str().expect("text").is_ascii());
        assert!(written.errors.is_empty());
    }
}

#[test]
fn an_unknown_revision_is_answered_with_the_newest() {
    let messages = run(&[], &[lines(&[initialize("1999-01-01")])]).messages();
    assert_eq!(messages[0]["result"]["protocolVersion"], "2025-11-25");
}

#[test]
fn only_ping_is_served_before_the_handshake() {
    let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
    let messages = run(&[], &[lines(&[ping(1), list])]).messages();
    assert_eq!(messages[0]["result"], json!({}));
    assert_eq!(messages[1]["error"]["code"], -32600);
    assert_eq!(messages[1]["id"], 2);
}

#[test]
fn a_second_handshake_and_an_incomplete_one_are_refused() {
    let second = answers("2025-06-18", &lines(&[initialize("2024-11-05"), ping(1)]));
    assert_eq!(second[0]["error"]["code"], -32600);
    assert_eq!(second[1]["result"], json!({}));
    let bare = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize" });
    let messages = run(&[], &[lines(&[bare])]).messages();
    assert_eq!(messages[0]["error"]["code"], -32602);
}

#[test]
fn ids_come_back_as_they_were_sent() {
    let ids = [
        json!("nl\nsep\r\nend"),
        json!("zażółć-漢字-😀"),
        json!("a\u{2028}b\u{2029}c\u{85}d"),
        json!(""),
        json!("1"),
        json!(0),
        json!(-7),
        json!(i64::MIN),
        json!(u64::MAX),
    ];
    let pings: Vec<Value> = ids.iter().cloned().map(ping).collect();
    let answered = answers("2025-11-25", &lines(&pings));
    let echoed: Vec<&Value> = answered.iter().map(|answer| &answer["id"]).collect();
    assert_eq!(echoed, ids.iter().collect::<Vec<_>>());
    assert!(answered.iter().all(|answer| answer["result"] == json!({})));
}

#[test]
fn escapes_in_input_are_understood() {
    let line = br#"{"jsonrpc":"2.0","id":"\u00e9\ud83d\ude00\u2028\/\"\\","method":"pi\u006eg"}"#;
    let answered = answers("2025-06-18", &[line.as_slice(), b"\n"].concat());
    assert_eq!(answered[0]["id"], "é😀\u{2028}/\"\\");
    assert_eq!(answered[0]["result"], json!({}));
}

#[test]
fn ids_that_are_none_are_refused() {
    for id in ["null", "true", "1.5", "[]", "{}", "1e300"] {
        let line = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"ping\"}}\n");
        let older = answers("2025-06-18", line.as_bytes());
        assert_eq!(older[0]["error"]["code"], -32600, "{id}");
        assert_eq!(older[0].get("id"), Some(&Value::Null), "{id}");
        let newer = answers("2025-11-25", line.as_bytes());
        assert_eq!(newer[0].get("id"), None, "{id}");
    }
}

#[test]
fn what_is_no_message_is_refused_and_costs_itself_only() {
    let cases: [(&[u8], i64, Value); 12] = [
        (b"this is not json", -32700, Value::Null),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,", -32700, Value::Null),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":\"\xff\xfe\",\"method\":\"ping\"}",
            -32700,
            Value::Null,
        ),
        (b"42", -32600, Value::Null),
        (b"\"text\"", -32600, Value::Null),
        (b"null", -32600, Value::Null),
        (b"{}", -32600, Value::Null),
        (b"{\"foo\":1}", -32600, Value::Null),
        (b"{\"jsonrpc\":\"2.0\",\"id\":\"n1\"}", -32600, json!("n1")),
        (
            b"{\"jsonrpc\":\"1.0\",\"id\":3,\"method\":\"ping\"}",
            -32600,
            json!(3),
        ),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":7}",
            -32600,
            json!(4),
        ),
        (
            b"[{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"ping\"}]",
            -32600,
            Value::Null,
        ),
    ];
    for (line, code, id) in cases {
        let shown = String::from_utf8_lossy(line).into_owned();
        let input = [line, b"\n", &lines(&[ping("after")])].concat();
        let answered = answers("2025-06-18", &input);
        assert_eq!(answered.len(), 2, "{shown}");
        assert_eq!(answered[0]["error"]["code"], code, "{shown}");
        assert_eq!(answered[0]["id"], id, "{shown}");
        assert_eq!(answered[1]["id"], "after", "{shown}");
    }
}

#[test]
fn notifications_responses_and_blank_lines_are_not_answered() {
    let mut input = lines(&[
        json!({ "jsonrpc": "2.0", "method": "notifications/com.example.unknown" }),
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 9 } }),
        json!({ "jsonrpc": "2.0", "id": 8, "result": {} }),
        json!({ "jsonrpc": "2.0", "id": null, "error": { "code": 1, "message": "x" } }),
    ]);
    input.extend_from_slice(b"\n \r\n");
    assert_eq!(answers("2025-11-25", &input), [] as [Value; 0]);
}

#[test]
fn unknown_methods_and_bad_params_have_their_codes() {
    let mut client = Client::new("2025-06-18");
    let mut code = |method, params| client.request(method, params)["error"]["code"].clone();
    assert_eq!(code("no/such", json!({})), -32601);
    assert_eq!(code("ping", json!({ "_meta": 1 })), -32602);
    assert_eq!(code("ping", json!([])), -32602);
    assert_eq!(code("ping", json!("text")), -32600);
    assert_eq!(code("tools/list", json!({ "cursor": "bogus" })), -32602);
    assert_eq!(code("logging/setLevel", json!({ "level": "loud" })), -32602);
    assert_eq!(client.end(), "");
}

#[test]
fn a_batch_is_answered_by_one_array_in_its_revision() {
    let unknown = json!({ "jsonrpc": "2.0", "method": "notifications/com.example.unknown" });
    let batch = json!([ping("a"), unknown, 1, ping("b"), initialize("2025-03-26")]);
    let answered = answers("2025-03-26", &lines(std::slice::from_ref(&batch)));
    assert_eq!(answered.len(), 1);
    let responses = answered[0].as_array().expect("an array");
    let ids: Vec<&Value> = responses.iter().map(|response| &response["id"]).collect();
    assert_eq!(
        ids,
        [&json!("a"), &Value::Null, &json!("b"), &json!("init")]
    );
    assert_eq!(responses[1]["error"]["code"], -32600);
    assert_eq!(responses[3]["error"]["code"], -32600);

    let silent = answers("2025-03-26", &lines(&[json!([unknown])]));
    assert_eq!(silent, [] as [Value; 0]);
    let empty = answers("2025-03-26", b"[]\n");
    assert_eq!(empty[0]["error"]["code"], -32600);
    assert_eq!(empty[0].get("id"), Some(&Value::Null));

    for revision in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let refused = answers(revision, &lines(std::slice::from_ref(&batch)));
        assert_eq!(refused.len(), 1);
        assert_eq!(refused[0]["error"]["code"], -32600);
    }
}

#[test]
fn the_handshake_cannot_be_part_of_a_batch() {
    let messages = run(&[], &[lines(&[json!([initialize("2025-03-26")]), ping(1)])]).messages();
    assert_eq!(messages[0]["error"]["code"], -32600);
    assert_eq!(messages[1]["result"], json!({}));
}

#[test]
fn a_batch_waits_for_its_slow_members() {
    let mut client = Client::new("2025-03-26");
    let slow = json!({
        "jsonrpc": "2.0", "id": "slow", "method": "tools/call",
        "params": { "name": "slow", "arguments": { "duration_ms": 1 } },
    });
    client.send(&json!([slow, ping("quick")]));
    let answered = client.next();
    assert_eq!(answered[0]["id"], "slow");
    assert_eq!(answered[1]["id"], "quick");
    assert_eq!(client.end(), "");
}

#[test]
fn long_lines_are_read_and_written_whole() {
    let id = "i".repeat(300 * 1024);
    let mut client = Client::new("2025-11-25");
    client.send(&ping(id.clone()));
    assert_eq!(client.next()["id"], id);
    assert_eq!(client.end(), "");
}
