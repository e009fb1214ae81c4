//! What rules say of small conversations, written down as transcripts.

use mcp_conform::run::Run;
use serde_json::{Value, json};

const REVISION: &str = "2025-11-25";

/// Who says something: the client or the server.
enum Says {
    Client(Value),
    Server(Value),
}
use Says::{Client, Server};

/// A request of the client.
fn asks(id: u64, method: &str, params: Value) -> Says {
    Client(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
}

/// A result of the server.
fn gives(id: u64, result: Value) -> Says {
    Server(json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

/// A notification of the server.
fn tells(method: &str, params: Value) -> Says {
    Server(json!({ "jsonrpc": "2.0", "method": method, "params": params }))
}

/// What comes of a session with that conversation.
fn judged(said: Vec<Says>) -> Run {
    let handshake = [
        asks(
            1,
            "initialize",
            json!({
                "protocolVersion": REVISION,
                "capabilities": {},
                "clientInfo": { "name": "client", "version": "1" },
            }),
        ),
        gives(
            1,
            json!({
                "protocolVersion": REVISION,
                "capabilities": { "tools": {}, "tasks": { "list": {}, "requests": { "tools": { "call": {} } } } },
                "serverInfo": { "name": "server", "version": "1" },
            }),
        ),
        Client(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })),
    ];
    let mut lines = vec![
        json!({ "transcript": 1, "tool": "mcp-conform", "transport": "stdio", "started": "2026-01-01T00:00:00Z" }),
        json!({ "at": 0.0, "session": 1, "event": "opened", "revision": REVISION, "judged": true }),
    ];
    for (at, says) in handshake.into_iter().chain(said).enumerate() {
        let (stream, message) = match says {
            Client(message) => ("stdin", message),
            Server(message) => ("stdout", message),
        };
        let text = format!("{message}\n");
        let at = (at + 1) as f64 / 1000.0;
        lines.push(json!({ "at": at, "session": 1, "stream": stream, "text": text }));
    }
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    super::judge(None, &(lines.join("\n") + "\n"))
}

#[track_caller]
fn check(case: &str, verdict: &str, said: Vec<Says>) {
    let run = judged(said);
    let mut all = run.judgements.iter();
    let found = all.find(|one| one.case.clause.id == case).expect(case);
    let message = found.message.as_deref().unwrap_or_default();
    assert_eq!(found.verdict.as_str(), verdict, "{case}: {message}");
}

/// A call with a token, and progress for it with these values.
fn reported(id: u64, values: &[u64]) -> Vec<Says> {
    let token = format!("t{id}");
    let params = json!({ "name": "a", "arguments": {}, "_meta": { "progressToken": token } });
    let mut said = vec![asks(id, "tools/call", params)];
    said.extend(values.iter().map(|value| {
        let params = json!({ "progressToken": token, "progress": value });
        tells("notifications/progress", params)
    }));
    said.push(gives(id, json!({ "content": [] })));
    said
}

#[test]
fn progress_that_falls_counts_from_the_second_token_on() {
    let case = "utilities/progress-increases";
    check(case, "pass", reported(2, &[1, 3, 2, 5, 4]));
    let mut twice = reported(2, &[1, 3, 2]);
    twice.extend(reported(3, &[1, 3, 2]));
    check(case, "fail", twice);
    check(case, "fail", reported(2, &[1, 1]));
}

/// A task object with this `ttl`.
fn task(ttl: Value) -> Value {
    json!({
        "taskId": "one",
        "status": "working",
        "createdAt": "2025-11-25T00:00:00Z",
        "lastUpdatedAt": "2025-11-25T00:00:00Z",
        "ttl": ttl,
    })
}

#[test]
fn a_time_to_live_that_echoes_an_odd_one_is_the_servers_affair() {
    let said = |asked: Value, shown: Value| {
        let params = json!({ "name": "a", "arguments": {}, "task": { "ttl": asked } });
        vec![
            asks(2, "tools/call", params),
            gives(2, json!({ "task": task(shown.clone()) })),
            asks(3, "tasks/get", json!({ "taskId": "one" })),
            gives(3, task(shown)),
        ]
    };
    let case = "utilities/task-ttl-present";
    check(case, "pass", said(json!(-5), json!(-5)));
    check(case, "pass", said(json!("x"), json!("x")));
    check(case, "fail", said(json!(5), json!(-5)));
}

#[test]
fn what_the_schema_finds_in_tasks_has_a_clause_that_judges_it() {
    let call = || asks(2, "tools/call", json!({ "name": "a", "task": {} }));
    let nameless = || {
        let mut task = task(json!(5));
        task.as_object_mut().unwrap().remove("taskId");
        task
    };
    let numbered = || {
        let mut task = task(json!(5));
        task["taskId"] = json!(5);
        task
    };
    let get = || asks(2, "tasks/get", json!({ "taskId": "one" }));
    for said in [
        vec![call(), gives(2, json!({ "task": nameless() }))],
        vec![get(), gives(2, nameless())],
        vec![get(), gives(2, numbered())],
        vec![tells("notifications/tasks/status", numbered())],
    ] {
        check("utilities/task-id", "fail", said);
    }
    let list = asks(2, "tasks/list", json!({}));
    check(
        "utilities/task-list-served",
        "fail",
        vec![list, gives(2, json!({}))],
    );
    for (result, verdict) in [
        (json!({}), "fail"),
        (json!({ "task": 5 }), "fail"),
        (json!({ "task": task(json!(5)) }), "pass"),
        (json!({ "content": [] }), "pass"),
    ] {
        check(
            "utilities/task-create-result",
            verdict,
            vec![call(), gives(2, result)],
        );
    }
}

#[test]
fn a_task_that_is_no_object_may_be_taken_for_one() {
    let case = "jsonrpc/result-schema";
    let call = || asks(2, "tools/call", json!({ "name": "a", "task": 5 }));
    check(
        case,
        "pass",
        vec![call(), gives(2, json!({ "task": task(json!(5)) }))],
    );
}

#[test]
fn what_is_advice_by_the_text_is_no_defect_of_the_schema() {
    let resource = json!({ "uri": "file:///a", "name": "a", "annotations": { "lastModified": 1 } });
    let said = vec![
        asks(2, "resources/list", json!({})),
        gives(2, json!({ "resources": [resource] })),
    ];
    check("jsonrpc/result-schema", "pass", said);
    let names = json!({ "type": "string", "enum": ["a"], "enumNames": "a" });
    let asked = json!({
        "jsonrpc": "2.0",
        "id": 7,
        "method": "elicitation/create",
        "params": {
            "message": "a",
            "requestedSchema": { "type": "object", "properties": { "a": names } },
        },
    });
    check("jsonrpc/message-schema", "pass", vec![Server(asked)]);
}
