//! Tools, resources, prompts and the rest, as the server without faults serves them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::exchange::{Client, REVISIONS};

fn walk(client: &mut Client, method: &str, member: &str) -> (Vec<Value>, usize) {
    let (mut entries, mut pages, mut params) = (Vec::new(), 0, json!({}));
    loop {
        let result = client.request(method, params)["result"].take();
        entries.extend(result[member].as_array().expect("a list").clone());
        pages += 1;
        match result.get("nextCursor") {
            None => return (entries, pages),
            Some(cursor) => params = json!({ "cursor": cursor }),
        }
    }
}

fn distinct<'a>(entries: &'a [Value], member: &str) -> BTreeSet<&'a str> {
    let names = entries
        .iter()
        .map(|entry| entry[member].as_str().expect("text"));
    names.collect()
}

#[test]
fn lists_are_walked_to_their_end_in_every_revision() {
    for revision in REVISIONS {
        let mut client = Client::new(revision);
        for (method, member, key) in [
            ("tools/list", "tools", "name"),
            ("resources/list", "resources", "uri"),
            ("prompts/list", "prompts", "name"),
        ] {
            let (entries, pages) = walk(&mut client, method, member);
            assert!(pages > 1, "{method} has one page");
            assert_eq!(distinct(&entries, key).len(), entries.len(), "{method}");
            let titled = entries.iter().all(|entry| entry.get("title").is_some());
            assert_eq!(titled, revision >= "2025-06-18", "{method}");
        }
        assert_eq!(client.end(), "");
    }
}

#[test]
fn tools_show_what_their_revision_knows() {
    for revision in REVISIONS {
        let mut client = Client::new(revision);
        let (tools, _) = walk(&mut client, "tools/list", "tools");
        let has = |member: &str| tools.iter().any(|tool| tool.get(member).is_some());
        assert_eq!(has("annotations"), revision >= "2025-03-26");
        assert_eq!(has("outputSchema"), revision >= "2025-06-18");
        assert_eq!(has("icons"), revision >= "2025-11-25");
        let sum = client.call("add", json!({ "a": 1, "b": 2 })).1["result"].take();
        assert_eq!(sum["content"][0]["text"], "{\"sum\":3.0}");
        let structured = sum.get("structuredContent");
        assert_eq!(structured.is_some(), revision >= "2025-06-18");
        assert_eq!(client.end(), "");
    }
}

#[test]
fn bad_calls_are_refused_in_the_way_of_the_revision() {
    for revision in REVISIONS {
        let mut client = Client::new(revision);
        let unknown = client.call("no-such-tool", json!({})).1;
        assert_eq!(unknown["error"]["code"], -32602);
        for arguments in [json!({}), json!({ "message": 7 })] {
            let bad = client.call("echo", arguments).1;
            if revision >= "2025-11-25" {
                assert_eq!(bad["result"]["isError"], true);
            } else {
                assert_eq!(bad["error"]["code"], -32602);
            }
        }
        assert_eq!(client.end(), "");
    }
}

#[test]
fn progress_rises_to_its_total_and_only_for_those_who_ask() {
    let mut client = Client::new("2025-06-18");
    let slow = json!({ "duration_ms": 3, "steps": 3 });
    assert_eq!(client.call("slow", slow.clone()).0, [] as [Value; 0]);
    let params = json!({ "name": "slow", "arguments": slow, "_meta": { "progressToken": "p" } });
    let (reports, response) = client.exchange("tools/call", params);
    let progress: Vec<&Value> = reports.iter().map(|r| &r["params"]["progress"]).collect();
    assert_eq!(progress, [1, 2, 3]);
    assert!(reports.iter().all(|r| r["params"]["progressToken"] == "p"));
    assert_eq!(response["result"]["content"][0]["text"], "done in 3 steps");
    assert_eq!(client.end(), "");
}

#[test]
fn a_cancelled_call_is_not_answered_and_blocks_nobody() {
    let mut client = Client::new("2025-06-18");
    client.send(&json!({
        "jsonrpc": "2.0", "id": "long", "method": "tools/call",
        "params": { "name": "slow", "arguments": { "duration_ms": 60_000 } },
    }));
    assert_eq!(client.request("ping", json!({}))["result"], json!({}));
    client.send(&json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": "long" },
    }));
    assert_eq!(client.request("ping", json!({}))["result"], json!({}));
    assert_eq!(client.end(), "");
}

#[test]
fn logs_keep_to_the_level_that_was_set() {
    let mut client = Client::new("2024-11-05");
    let mut levels = |level: Option<&str>| -> Vec<Value> {
        if let Some(level) = level {
            client.request("logging/setLevel", json!({ "level": level }));
        }
        let (logs, _) = client.call("test_tool_with_logging", json!({}));
        logs.iter()
            .map(|log| log["params"]["level"].clone())
            .collect()
    };
    assert_eq!(levels(None), ["info", "warning"]);
    assert_eq!(levels(Some("debug")), ["debug", "info", "warning"]);
    assert_eq!(levels(Some("error")), [] as [Value; 0]);
}

#[test]
fn every_listed_resource_is_read_and_has_the_size_it_claims() {
    let mut client = Client::new("2025-11-25");
    let (resources, _) = walk(&mut client, "resources/list", "resources");
    for resource in resources {
        let uri = &resource["uri"];
        let result = client.request("resources/read", json!({ "uri": uri }))["result"].take();
        let contents = &result["contents"][0];
        assert_eq!(&contents["uri"], uri);
        let Some(size) = resource["size"].as_u64() else {
            continue;
        };
        let length = match (contents["text"].as_str(), contents["blob"].as_str()) {
            (Some(text), None) => text.len(),
            (None, Some(blob)) => blob.len() / 4 * 3 - blob.matches('=').count(),
            _ => panic!("{uri} has neither text nor blob, or both"),
        };
        assert_eq!(length as u64, size, "{uri}");
    }
    let uri = "test://template/5/data";
    let read = client.request("resources/read", json!({ "uri": uri }));
    assert_eq!(read["result"]["contents"][0]["uri"], uri);
    let missing = client.request("resources/read", json!({ "uri": "test://nothing" }));
    assert_eq!(missing["error"]["code"], -32002);
    assert_eq!(missing["error"]["data"]["uri"], "test://nothing");
    assert_eq!(client.end(), "");
}

#[test]
fn writing_tells_of_the_list_and_those_who_subscribed() {
    let mut client = Client::new("2025-06-18");
    let note = json!({ "name": "one", "text": "first" });
    let methods = |messages: Vec<Value>| -> Vec<Value> {
        messages
            .into_iter()
            .map(|mut message| message["method"].take())
            .collect()
    };
    let list_changed = "notifications/resources/list_changed";
    assert_eq!(
        methods(client.call("write-note", note.clone()).0),
        [list_changed]
    );
    assert_eq!(
        methods(client.call("write-note", note.clone()).0),
        [] as [Value; 0]
    );
    let uri = json!({ "uri": "test://notes/one" });
    assert_eq!(
        client.request("resources/subscribe", uri.clone())["result"],
        json!({})
    );
    let (updates, _) = client.call("write-note", note.clone());
    assert_eq!(updates[0]["params"], uri);
    assert_eq!(methods(updates), ["notifications/resources/updated"]);
    client.request("resources/unsubscribe", uri);
    assert_eq!(methods(client.call("write-note", note).0), [] as [Value; 0]);
    assert_eq!(client.end(), "");
}

#[test]
fn prompts_want_their_arguments() {
    let mut client = Client::new("2025-03-26");
    let name = "test_prompt_with_arguments";
    let arguments = json!({ "arg1": "a", "arg2": "b" });
    let got = client.request(
        "prompts/get",
        json!({ "name": name, "arguments": arguments }),
    );
    let text = &got["result"]["messages"][0]["content"]["text"];
    assert_eq!(text, "Compare a with b.");
    for params in [
        json!({ "name": name }),
        json!({ "name": "none" }),
        json!({}),
    ] {
        assert_eq!(
            client.request("prompts/get", params)["error"]["code"],
            -32602
        );
    }
    assert_eq!(client.end(), "");
}

#[test]
fn completions_are_found_for_prompts_and_templates() {
    let mut client = Client::new("2024-11-05");
    let mut complete = |reference, name, value| {
        let argument = json!({ "name": name, "value": value });
        let params = json!({ "ref": reference, "argument": argument });
        client.request("completion/complete", params)
    };
    let prompt = json!({ "type": "ref/prompt", "name": "greeting" });
    let found = complete(prompt.clone(), "style", "f");
    assert_eq!(found["result"]["completion"]["values"], json!(["formal"]));
    let template = json!({ "type": "ref/resource", "uri": "test://template/{id}/data" });
    let found = complete(template, "id", "12");
    assert_eq!(
        found["result"]["completion"]["values"],
        json!(["123", "124"])
    );
    assert_eq!(complete(prompt, "none", "")["error"]["code"], -32602);
}

#[test]
fn the_client_is_asked_for_its_roots() {
    let mut client = Client::new("2025-06-18");
    client.send(&json!({
        "jsonrpc": "2.0", "id": "r", "method": "tools/call", "params": { "name": "list-roots" },
    }));
    let asked = client.next();
    assert_eq!(asked["method"], "roots/list");
    client.send(&json!({ "jsonrpc": "2.0", "id": asked["id"], "result": { "roots": [] } }));
    let answered = client.next();
    assert_eq!(answered["id"], "r");
    assert_eq!(answered["result"]["content"][0]["text"], "{\"roots\":[]}");
    assert_eq!(client.end(), "");
}
