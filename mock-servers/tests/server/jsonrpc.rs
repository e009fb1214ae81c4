//! The faults of JSON-RPC.

use mock_servers::Bends;
use serde_json::{Value, json};

use crate::direct::{Direct, notification, request};
use crate::exchange::{initialize, named};
use crate::table::{Row, Step, answer, answered, check, nth, ping, pings, refused, row};

const BATCHES: &str = "2025-03-26";

fn call(id: &str, tool: &str) -> Step {
    request(id, "tools/call", json!({ "name": tool })).into()
}

fn unknown(id: &str) -> Step {
    request(id, "conform/unknown-1", json!({})).into()
}

fn ping_with(id: &str, params: Value) -> Step {
    request(id, "ping", params).into()
}

fn envelope() -> Vec<Row> {
    let five = || [ping(5)];
    vec![
        row("jsonrpc-member-missing", five(), |said| {
            nth(said, 0).get("jsonrpc").is_none()
        }),
        row("method-in-response", five(), |said| {
            nth(said, 0)["method"] == "ping"
        }),
        row("response-without-outcome", five(), |said| {
            nth(said, 0).get("result").is_none()
        }),
        row("result-and-error", five(), |said| {
            nth(said, 0)["result"].is_object() && nth(said, 0)["error"].is_object()
        }),
        row("error-null-in-success", five(), |said| {
            nth(said, 0).get("error") == Some(&Value::Null)
        }),
        row("result-not-object", five(), |said| {
            nth(said, 0).get("result") == Some(&Value::Null)
        }),
        row("responds-twice", five(), |said| {
            said.len() == 2 && nth(said, 0) == nth(said, 1)
        }),
        row(
            "request-never-answered",
            pings([17, 18, 19].map(Value::from)),
            |said| !answered(said, 18) && answered(said, 17) && answered(said, 19),
        ),
        row("meta-not-object", five(), |said| {
            nth(said, 0).pointer("/result/_meta") == Some(&Value::Null)
        }),
        row("meta-key-underscore", five(), |said| {
            nth(said, 0)["result"]["_meta"]["_mock"] == true
        }),
        row("meta-reserved-prefix-invented", five(), |said| {
            nth(said, 0)["result"]["_meta"]
                .get("dev.mcp/build")
                .is_some()
        }),
        row("meta-reserved-prefix-invented", five(), |said| {
            nth(said, 0)["result"]["_meta"]
                .get("mcp.dev/build")
                .is_some()
        })
        .in_revision("2025-06-18"),
        row(
            "schema-invalid-result",
            [call("c", "test_embedded_resource")],
            |said| answer(said, "c")["result"]["content"][0]["resource"]["mimeType"] == 7,
        ),
    ]
}

fn ids() -> Vec<Row> {
    let nonce = "conform-0123456789abcdef0123456789abcdef";
    let odd = "é☃😀\"\\\t\u{1}";
    vec![
        row("response-id-wrong", pings([json!(2), json!(3)]), |said| {
            !answered(said, 3) && answered(said, 2)
        }),
        row("id-stringified", [ping(7)], |said| answered(said, "7")),
        row(
            "rejects-string-id",
            pings([json!("a"), json!(nonce)]),
            |said| nth(said, 0).get("result").is_some() && nth(said, 1).get("error").is_some(),
        ),
        row(
            "numeric-string-id-parsed",
            pings(["7", "007", "1e3", "-0", "a"].map(Value::from)),
            |said| {
                [7, 7, 1000, 0]
                    .iter()
                    .zip(said)
                    .all(|(id, said)| said["id"] == *id)
            },
        ),
        row("id-zero-dropped", [ping(0)], <[Value]>::is_empty),
        row("id-empty-dropped", [ping("")], <[Value]>::is_empty),
        row("negative-id-refused", [ping(-7)], |said| {
            refused(said, -7, -32600)
        }),
        row(
            "id-int32",
            pings([json!(1), json!(2_147_483_648_u64)]),
            |said| said.len() == 1,
        ),
        row("id-rounded", [ping(9_007_199_254_740_993_u64)], |said| {
            nth(said, 0)["id"] == 9_007_199_254_740_992_u64
        }),
        row("id-truncated", [ping("i".repeat(256))], |said| {
            nth(said, 0)["id"] == "i".repeat(64)
        }),
        row("id-mangled-unicode", [ping(odd)], |said| {
            nth(said, 0)["id"] == "???\"\\\t\u{1}"
        }),
        row("id-fraction-truncated", [ping(1.5)], |said| {
            answer(said, 1)["result"].is_object()
        }),
        row("result-for-null-id", [ping(Value::Null)], |said| {
            nth(said, 0)["result"].is_object()
        }),
    ]
}

fn errors() -> Vec<Row> {
    let wrong = |id: i64| Step::from(json!({ "jsonrpc": "2.0", "id": id }));
    let named = || Step::from(request(92, "notifications/initialized", json!({})));
    vec![
        row("error-is-string", [unknown("u")], |said| {
            nth(said, 0)["error"].is_string()
        }),
        row("error-code-string", [unknown("u")], |said| {
            nth(said, 0)["error"]["code"] == "-32601"
        }),
        row("error-message-missing", [unknown("u")], |said| {
            nth(said, 0)["error"].get("message").is_none()
        }),
        row("error-message-multiline", [unknown("u")], |said| {
            nth(said, 0)["error"]["message"]
                .as_str()
                .is_some_and(|text| text.contains('\n'))
        }),
        row("error-code-undefined-reserved", [named()], |said| {
            refused(said, 92, -32604)
        }),
        row("unknown-method-accepted", [unknown("u")], |said| {
            nth(said, 0)["result"] == json!({})
        }),
        row("unknown-method-wrong-code", [unknown("u")], |said| {
            refused(said, "u", -32602)
        }),
        row(
            "odd-method-dropped",
            ["мето☃", "", &"m".repeat(5000)].map(|name| request(name, name, json!({})).into()),
            <[Value]>::is_empty,
        ),
        row(
            "invalid-params-code-internal",
            [request("r", "resources/read", json!({})).into()],
            |said| refused(said, "r", -32603),
        ),
        row(
            "id-ignored-on-notification-name",
            [named()],
            <[Value]>::is_empty,
        ),
        row("invalid-request-ignored", [wrong(93)], <[Value]>::is_empty),
        row("invalid-request-wrong-code", [wrong(93)], |said| {
            refused(said, 93, -32603)
        }),
        row("parse-error-wrong-code", [Step::Garble], |said| {
            nth(said, 0)["error"]["code"] == -32603
        }),
        row("http-parse-error-with-id", [Step::Garble], |said| {
            nth(said, 0)["id"] == "server-error"
        }),
    ]
}

fn requests() -> Vec<Row> {
    let folded = || json!({ "JSONRPC": "2.0", "ID": 91, "Method": "ping" });
    let old = || json!({ "jsonrpc": "1.0", "id": 96, "method": "ping" });
    let extra = || json!({ "jsonrpc": "2.0", "id": "x", "method": "ping", "x-conform": 1 });
    let stray = || json!({ "jsonrpc": "2.0", "id": "x", "result": {} });
    let foreign = json!({ "_meta": { "com.example/x": 1 } });
    let reserved = json!({ "_meta": { "io.modelcontextprotocol/x": 1 } });
    let silent = <[Value]>::is_empty;
    vec![
        row(
            "method-case-folded",
            [request("p", "PING", json!({})).into()],
            |said| answer(said, "p")["result"].is_object(),
        ),
        row("member-names-case-folded", [folded().into()], |said| {
            answer(said, 91)["result"].is_object()
        }),
        row(
            "answers-idless-request",
            [notification("ping", Value::Null).into()],
            |said| nth(said, 0)["result"] == json!({}),
        ),
        row(
            "idless-call-fatal",
            [
                notification("conform/unknown", Value::Null).into(),
                ping("s"),
            ],
            silent,
        ),
        row(
            "array-params-fatal",
            [ping_with("p", json!([])), ping("s")],
            silent,
        ),
        row("jsonrpc-member-not-checked", [old().into()], |said| {
            answer(said, 96)["result"].is_object()
        }),
        row("extra-member-dropped", [extra().into()], silent),
        row(
            "extra-params-refused",
            [ping_with("p", json!({ "x": 1 }))],
            |said| refused(said, "p", -32602),
        ),
        row("foreign-meta-refused", [ping_with("p", foreign)], |said| {
            refused(said, "p", -32602)
        }),
        row(
            "reserved-meta-refused",
            [ping_with("p", reserved)],
            |said| refused(said, "p", -32602),
        ),
        row("stray-response-answered", [stray().into()], |said| {
            refused(said, "x", -32600)
        }),
        row(
            "stray-response-poisons-id",
            [stray().into(), ping("x")],
            silent,
        ),
        row(
            "duplicate-id-fatal",
            [ping("d"), ping("d"), ping("s")],
            |said| said.len() == 1,
        ),
    ]
}

fn own() -> Vec<Row> {
    let asks = || {
        [
            call("a", "list-roots"),
            Step::Answer(json!({ "roots": [] })),
        ]
    };
    let logs = || [call("l", "test_tool_with_logging")];
    let twice = [
        call("a", "ping-client"),
        Step::Answer(json!({})),
        call("b", "ping-client"),
        Step::Answer(json!({})),
    ];
    vec![
        row("server-request-id-null", asks(), |said| {
            nth(said, 0).get("id") == Some(&Value::Null) && answered(said, "a")
        }),
        row("server-reuses-request-id", twice, |said| {
            nth(said, 0)["id"] == nth(said, 2)["id"] && answered(said, "a") && answered(said, "b")
        }),
        row("notification-with-id", logs(), |said| {
            nth(said, 0).get("id") == Some(&Value::Null)
        }),
        row("params-null", logs(), |said| {
            nth(said, 0).get("params") == Some(&Value::Null)
        }),
        row("method-rpc-prefix", logs(), |said| {
            nth(said, 0)["method"] == "rpc.heartbeat"
        }),
        row("schema-invalid-notification", asks(), |said| {
            let cancelled = &nth(said, 1)["params"];
            cancelled["reason"] == 5 && cancelled["requestId"] == nth(said, 0)["id"]
        }),
    ]
}

fn batches() -> Vec<Row> {
    let p = |id: &str| request(id, "ping", Value::Null);
    let other = || notification("conform/other", Value::Null);
    let mixed = || {
        [json!([
            p("b1"),
            other(),
            request("b2", "conform/x", json!({})),
            p("b3")
        ])
        .into()]
    };
    let responses = json!([{ "jsonrpc": "2.0", "id": "n", "result": {} }]);
    vec![
        row("batch-drops-entry", mixed(), |said| {
            nth(said, 0).as_array().map(Vec::len) == Some(2)
        }),
        row("batch-answers-notification", mixed(), |said| {
            nth(said, 0).as_array().map(Vec::len) == Some(4)
        }),
        row(
            "batch-invalid-entry-kills-all",
            [json!([1, p("v")]).into()],
            |said| nth(said, 0)["error"]["code"] == -32600,
        ),
        row("batch-single-refused", [json!([p("v")]).into()], |said| {
            nth(said, 0)["error"]["code"] == -32600
        }),
        row("http-batch-empty-accepted", [json!([]).into()], |said| {
            said == [json!([])]
        }),
        row(
            "batch-of-responses-fatal",
            [responses.into(), ping("s")],
            <[Value]>::is_empty,
        ),
    ]
    .into_iter()
    .map(|row| row.in_revision(BATCHES))
    .collect()
}

#[test]
fn every_fault_of_json_rpc_does_what_it_says() {
    let rows: Vec<Row> = [envelope(), ids(), errors(), requests(), own(), batches()]
        .into_iter()
        .flatten()
        .collect();
    check("jsonrpc/", &rows, &["duplicate-json-members"]);
}

#[test]
fn a_member_stands_twice_in_the_text_of_one_answer() {
    let bends = Bends::new(&named(&["duplicate-json-members"]));
    let pong = |id: u64| json!({ "jsonrpc": "2.0", "id": id, "result": {} });
    assert_eq!(bends.text(&pong(5)).matches("\"jsonrpc\"").count(), 2);
    assert_eq!(bends.text(&pong(6)), pong(6).to_string());
}

#[test]
fn a_session_that_a_fault_has_ended_says_nothing_any_more() {
    let mut server = Direct::new(&["array-params-fatal"], "2025-06-18");
    let slow = request("slow", "tools/call", json!({ "name": "slow" }));
    assert!(server.tell(&slow).is_empty() && !server.session.is_dead());
    assert!(server.tell(&request("p", "ping", json!([]))).is_empty());
    assert!(server.session.is_dead());
    assert!(server.after(5000).is_empty());
    assert!(server.tell(&initialize("2025-06-18")).is_empty());
    assert!(server.garble().is_empty());
}
