//! The faults of ping, cancellation, progress and icons.

use serde_json::{Value, json};

use crate::direct::{Direct, notification, request};
use crate::exchange::initialize;
use crate::table::{Row, Step, answered, check, nth, ping, refused, row};
use crate::task_faults;

/// A call of a tool with a progress token.
fn tracked(id: &str, tool: &str, token: impl Into<Value>) -> Step {
    let params = json!({ "name": tool, "_meta": { "progressToken": token.into() } });
    request(id, "tools/call", params).into()
}

fn call(id: impl Into<Value>, tool: &str) -> Step {
    request(id, "tools/call", json!({ "name": tool })).into()
}

fn cancel(id: impl Into<Value>) -> Step {
    notification("notifications/cancelled", json!({ "requestId": id.into() })).into()
}

/// Whether the one message was sent before the other.
fn is_before(said: &[Value], one: &str, other: &str) -> bool {
    let position = |id: &str| said.iter().position(|message| message["id"] == id);
    matches!((position(one), position(other)), (Some(one), Some(other)) if one < other)
}

fn pings() -> Vec<Row> {
    let open = || Step::from(initialize("2025-11-25"));
    vec![
        row("ping-method-not-found", [ping("p")], |said| {
            refused(said, "p", -32601)
        }),
        row("ping-result-pong", [ping("p")], |said| {
            nth(said, 0)["result"]["pong"] == true
        }),
        row(
            "ping-refuses-params",
            [request("p", "ping", json!({})).into()],
            |said| refused(said, "p", -32602),
        ),
        row(
            "ping-deferred-until-initialized",
            [open(), ping("p")],
            |said| !answered(said, "p"),
        )
        .unopened(),
        row("first-ping-fatal", [ping("p"), open()], <[Value]>::is_empty).unopened(),
        row(
            "ping-blocked-by-tool-call",
            [call("c", "slow"), ping("p"), Step::Wait(4000)],
            |said| is_before(said, "c", "p"),
        ),
        row("ping-flood", [call("c", "ping-client")], |said| {
            said.iter().filter(|said| said["method"] == "ping").count() > 20
        }),
    ]
}

fn cancellations() -> Vec<Row> {
    let cancelled = || {
        [
            tracked("c", "slow", "t"),
            Step::Wait(300),
            cancel("c"),
            Step::Wait(3000),
        ]
    };
    let odd = Step::from(notification("notifications/cancelled", json!({})));
    let given_up = || [call("c", "list-roots"), Step::Wait(40_000)];
    vec![
        row("responds-after-cancel", cancelled(), |said| {
            refused(said, "c", 0)
        }),
        row("progress-after-cancel", cancelled(), |said| {
            said.len() == 5 && !answered(said, "c")
        }),
        row(
            "cancel-kills-all",
            [
                call("a", "slow"),
                call("b", "slow"),
                cancel("a"),
                Step::Wait(2000),
            ],
            <[Value]>::is_empty,
        ),
        row(
            "cancel-coerces-id",
            [call(5, "slow"), cancel("5"), Step::Wait(2000)],
            <[Value]>::is_empty,
        ),
        row("cancel-unknown-answered", [cancel(999_999)], |said| {
            refused(said, 999_999, -32602)
        }),
        row(
            "cancel-finished-fatal",
            [ping("f"), cancel("never"), cancel("f"), ping("s")],
            |said| said.len() == 1,
        ),
        row(
            "cancel-malformed-fatal",
            [cancel("never"), ping("p"), odd, ping("s")],
            |said| said.len() == 1,
        ),
        row("server-cancels-foreign-id", given_up(), |said| {
            nth(said, 1)["params"]["requestId"] == "c"
        }),
        row(
            "late-answer-fatal",
            [
                call("c", "list-roots"),
                Step::Wait(40_000),
                Step::Answer(json!({ "roots": [] })),
                ping("s"),
            ],
            |said| !answered(said, "s"),
        ),
    ]
}

/// The values of a member of the params of all reports.
fn reported<'a>(said: &'a [Value], member: &str) -> Vec<&'a Value> {
    said.iter()
        .filter(|said| said["method"] == "notifications/progress")
        .map(|said| &said["params"][member])
        .collect()
}

fn progress() -> Vec<Row> {
    let tool = "test_tool_with_progress";
    let steps = || [tracked("c", tool, "t")];
    let bad = json!({ "_meta": { "progressToken": true } });
    let listed = json!({ "_meta": { "progressToken": "t" } });
    vec![
        row("progress-unknown-token", steps(), |said| {
            reported(said, "progressToken").contains(&&json!("nobody's"))
        }),
        row(
            "progress-token-stringified",
            [tracked("c", tool, 7)],
            |said| reported(said, "progressToken") == ["7"; 3],
        ),
        row(
            "progress-falsy-token-ignored",
            [tracked("c", tool, 0), tracked("d", tool, "")],
            |said| said.len() == 2,
        ),
        row("progress-without-token", [call("c", tool)], |said| {
            reported(said, "progressToken") == ["c"; 3]
        }),
        row("progress-not-increasing", steps(), |said| {
            reported(said, "progress") == [1; 3]
        }),
        row("progress-value-string", steps(), |said| {
            reported(said, "progress") == ["0", "50", "100"]
        }),
        row("progress-total-null", steps(), |said| {
            reported(said, "total") == [&Value::Null; 3]
        }),
        row("progress-message-null", steps(), |said| {
            reported(said, "message") == [&Value::Null; 3]
        }),
        row("progress-message-blank", steps(), |said| {
            reported(said, "message") == [" "; 3]
        }),
        row("progress-after-response", steps(), |said| {
            nth(said, 3)["id"] == "c" && nth(said, 4)["params"]["progress"] == 101.0
        }),
        row(
            "progress-token-breaks-request",
            [request("l", "tools/list", listed).into()],
            |said| refused(said, "l", -32603),
        ),
        row(
            "bad-progress-token-fatal",
            [request("p", "ping", bad).into(), ping("s")],
            <[Value]>::is_empty,
        ),
        row(
            "stray-progress-fatal",
            [
                notification(
                    "notifications/progress",
                    json!({ "progressToken": "x", "progress": 1 }),
                )
                .into(),
                ping("s"),
            ],
            <[Value]>::is_empty,
        ),
        row("progress-flood", steps(), |said| {
            let values = reported(said, "progress");
            let values: Vec<_> = values.into_iter().filter_map(Value::as_f64).collect();
            values.len() > 100 && values.is_sorted_by(|one, next| one < next)
        }),
    ]
}

fn icons() -> Vec<Row> {
    let list = || [request("l", "prompts/list", json!({})).into()];
    fn icon(said: &[Value]) -> &Value {
        &nth(said, 0)["result"]["prompts"][1]["icons"][0]
    }
    vec![
        row("icon-file-scheme", list(), |said| {
            icon(said)["src"]
                .as_str()
                .is_some_and(|src| src.starts_with("file:"))
        }),
        row("icon-bad-sizes", list(), |said| {
            icon(said)["sizes"] == json!(["48"])
        }),
    ]
}

#[test]
fn every_fault_of_the_utilities_does_what_it_says() {
    let rows: Vec<Row> = [
        pings(),
        cancellations(),
        progress(),
        task_faults::rows(),
        icons(),
    ]
    .into_iter()
    .flatten()
    .collect();
    check("utilities/", &rows, &["tasks-list-shows-strangers"]);
}

#[test]
fn what_a_fault_holds_back_comes_when_it_may() {
    let mut server = Direct::unopened(&["ping-deferred-until-initialized"]);
    server.tell(&initialize("2024-11-05"));
    assert!(server.tell(&request("p", "ping", Value::Null)).is_empty());
    let said = server.tell(&notification("notifications/initialized", Value::Null));
    assert!(answered(&said, "p"));
}

#[test]
fn reports_on_tasks_are_left_alone_by_the_faults_of_progress() {
    for fault in [
        "progress-unknown-token",
        "progress-value-string",
        "progress-after-response",
        "progress-flood",
    ] {
        let mut server = Direct::new(&[fault], "2025-11-25");
        let mut call = task_faults::research();
        call["params"]["_meta"] = json!({ "progressToken": "t" });
        server.tell(&call);
        let said = server.after(1000);
        assert_eq!(reported(&said, "progress"), [1, 2, 3, 4], "{fault}");
    }
}
