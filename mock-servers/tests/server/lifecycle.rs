//! The faults of the life of a session.

use mock_servers::Bends;
use serde_json::{Value, json};

use crate::direct::{Direct, notification, request};
use crate::exchange::{initialize, named};
use crate::table::{Row, Step, answer, answered, check, nth, ping, refused, row};

fn call(id: &str, tool: &str) -> Step {
    request(id, "tools/call", json!({ "name": tool })).into()
}

fn open_with(version: &str) -> Step {
    initialize(version).into()
}

fn open() -> Step {
    open_with("2025-11-25")
}

fn initialized() -> Step {
    notification("notifications/initialized", Value::Null).into()
}

fn list(id: &str) -> Step {
    request(id, "prompts/list", json!({})).into()
}

/// An `initialize` with something added or taken away.
fn open_but(change: fn(&mut Value)) -> Step {
    let mut message = initialize("2025-11-25");
    change(&mut message["params"]);
    message.into()
}

fn results() -> Vec<Row> {
    let rich = || [open_but(|params| params["clientInfo"]["icons"] = json!([]))];
    let plain = || [open()];
    let prompts = [open(), initialized(), list("l")];
    [
        row("initialize-refused", plain(), |said| {
            refused(said, "init", -32603)
        }),
        row("init-version-missing", rich(), |said| {
            nth(said, 0)["result"].get("protocolVersion").is_none()
        }),
        row("init-version-invented", rich(), |said| {
            nth(said, 0)["result"]["protocolVersion"] == "latest"
        }),
        row("init-capabilities-missing", rich(), |said| {
            nth(said, 0)["result"].get("capabilities").is_none()
        }),
        row("server-info-missing", plain(), |said| {
            nth(said, 0)["result"].get("serverInfo").is_none()
        }),
        row("server-info-name-missing", plain(), |said| {
            nth(said, 0)["result"]["serverInfo"].get("name").is_none()
        }),
        row("server-info-version-missing", plain(), |said| {
            nth(said, 0)["result"]["serverInfo"]
                .get("version")
                .is_none()
        }),
        row("server-info-title-null", plain(), |said| {
            nth(said, 0)["result"]["serverInfo"]["title"].is_null()
        }),
        row("server-info-description-null", plain(), |said| {
            nth(said, 0)["result"]["serverInfo"]["description"].is_null()
        }),
        row("server-info-website-relative", plain(), |said| {
            nth(said, 0)["result"]["serverInfo"]["websiteUrl"] == "/docs"
        }),
        row("server-info-icon-without-src", plain(), |said| {
            nth(said, 0)["result"]["serverInfo"]["icons"][0]
                .get("src")
                .is_none()
        }),
        row("instructions-null", plain(), |said| {
            nth(said, 0)["result"]["instructions"].is_null()
        }),
        row("experimental-boolean", plain(), |said| {
            nth(said, 0)["result"]["capabilities"]["experimental"]["com.example.turbo"] == true
        }),
        row("undeclared-method-wrong-code", prompts, |said| {
            let capabilities = &nth(said, 0)["result"]["capabilities"];
            capabilities.get("prompts").is_none() && refused(said, "l", -32600)
        }),
    ]
    .into_iter()
    .map(Row::unopened)
    .collect()
}

fn versions() -> Vec<Row> {
    let future = || open_with("2099-12-31");
    let bad = || Step::from(request("init-0", "initialize", json!({})));
    let unversioned = || {
        open_but(|params| {
            params
                .as_object_mut()
                .expect("params")
                .remove("protocolVersion");
        })
    };
    fn version(said: &[Value]) -> &Value {
        &nth(said, 0)["result"]["protocolVersion"]
    }
    [
        row("version-counter-offer-unsupported", [future()], |said| {
            *version(said) == "2025-03-26"
        }),
        row(
            "version-counter-offer-unsupported",
            [open_with("2025-03-26")],
            |said| *version(said) == "2025-06-18",
        ),
        row("version-agrees-to-anything", [future()], |said| {
            *version(said) == "2099-12-31"
        }),
        row(
            "unknown-version-drops-connection",
            [future(), ping("p")],
            <[Value]>::is_empty,
        ),
        row("counter-offer-not-latest", [future()], |said| {
            *version(said) == "2024-11-05"
        }),
        row("init-without-version-accepted", [unversioned()], |said| {
            version(said).is_string()
        }),
        row("init-invalid-wrong-code", [unversioned()], |said| {
            refused(said, "init", -32603)
        }),
        row("bad-initialize-fatal", [bad(), open(), ping("p")], |said| {
            said.len() == 1
        }),
        row(
            "unknown-client-capability-refused",
            [open_but(|params| {
                params["capabilities"]["conformUnknown"] = json!({})
            })],
            |said| refused(said, "init", -32602),
        ),
        row(
            "extra-initialize-member-refused",
            [open_but(|params| params["conformExtra"] = json!(1))],
            |said| refused(said, "init", -32602),
        ),
    ]
    .into_iter()
    .map(Row::unopened)
    .collect()
}

fn order() -> Vec<Row> {
    let bare = open_but(|params| params["capabilities"] = json!({}));
    let batched = json!([initialize("2025-03-26"), request("p", "ping", Value::Null)]);
    [
        row(
            "bare-client-fatal",
            [bare, initialized(), ping("p")],
            |said| said.len() == 1,
        ),
        row("greeting-notification", [open()], |said| {
            nth(said, 0)["method"] == "notifications/tools/list_changed" && answered(said, "init")
        }),
        row("requests-before-initialized", [open()], |said| {
            nth(said, 1)["method"] == "roots/list"
        }),
        row(
            "not-ready-after-initialized",
            [open(), initialized(), list("l"), list("m")],
            |said| refused(said, "l", -32600) && answer(said, "m")["result"].is_object(),
        ),
        row(
            "pre-initialized-request-lost",
            [open(), list("l"), initialized(), list("m")],
            |said| !answered(said, "l") && answered(said, "m"),
        ),
        row("serves-before-initialize", [list("l"), open()], |said| {
            answer(said, "l")["result"]["prompts"] == json!([])
        }),
        row("early-request-hangs", [list("l"), open()], |said| {
            !answered(said, "l") && answered(said, "init")
        }),
        row(
            "early-request-fatal",
            [list("l"), open(), ping("p")],
            |said| answered(said, "l") && said.len() == 1,
        ),
        row(
            "early-initialized-fatal",
            [initialized(), open()],
            <[Value]>::is_empty,
        ),
        row(
            "second-initialized-fatal",
            [open(), initialized(), initialized(), ping("p")],
            |said| said.len() == 1,
        ),
        row(
            "second-initialize-fatal",
            [open(), open(), ping("p")],
            |said| said.len() == 1,
        ),
        row(
            "batched-initialize-fatal",
            [batched.into(), open()],
            <[Value]>::is_empty,
        ),
    ]
    .into_iter()
    .map(Row::unopened)
    .collect()
}

fn peer() -> Vec<Row> {
    let asks = || call("a", "list-roots");
    vec![
        row(
            "future-method-in-old-session",
            [call("l", "test_tool_with_logging")],
            |said| nth(said, 0)["method"] == "notifications/initialized",
        ),
        row(
            "blocks-on-unanswered-request",
            [asks(), ping("p")],
            |said| !answered(said, "p"),
        ),
        row(
            "no-timeout-on-own-requests",
            [asks(), Step::Wait(600_000)],
            |said| said.len() == 1,
        ),
        row(
            "timeout-without-cancel",
            [asks(), Step::Wait(40_000)],
            |said| said.len() == 2 && answered(said, "a"),
        ),
    ]
}

#[test]
fn every_fault_of_the_life_of_a_session_does_what_it_says() {
    let rows: Vec<Row> = [results(), versions(), order(), peer()]
        .into_iter()
        .flatten()
        .collect();
    check(
        "lifecycle/",
        &rows,
        &[
            "capabilities-flap",
            "negotiated-version-global",
            "dies-with-first-client",
        ],
    );
}

#[test]
fn what_is_held_back_is_answered_in_the_end() {
    let mut server = Direct::new(&["blocks-on-unanswered-request"], "2025-06-18");
    let call = json!({ "name": "list-roots" });
    let asked = server.tell(&request("a", "tools/call", call));
    assert!(server.tell(&request("p", "ping", Value::Null)).is_empty());
    let id = &asked[0]["id"];
    let answer = json!({ "jsonrpc": "2.0", "id": id, "result": { "roots": [] } });
    let said = server.tell(&answer);
    assert!(answered(&said, "p") && answered(&said, "a"));
}

#[test]
fn no_two_sessions_are_told_the_same() {
    let told = |faults: &[&str]| Direct::unopened(faults).tell(&initialize("2025-06-18"));
    let fault = ["capabilities-flap"];
    assert_ne!(told(&fault), told(&fault));
    assert_eq!(told(&[]), told(&[]));
}

/// Whether a ping of the client that `initialize` is from has a result.
fn is_served(server: &mut Direct) -> bool {
    let said = server.tell(&request("init-1", "ping", Value::Null));
    nth(&said, 0)["result"] == json!({})
}

#[test]
fn one_session_changes_the_version_of_another() {
    for (fault, spoiled) in [(&["negotiated-version-global"][..], true), (&[], false)] {
        let bends = Bends::new(&named(fault));
        let mut first = Direct::of(&bends).opened("2025-11-25");
        assert!(is_served(&mut first));
        let mut second = Direct::of(&bends).opened("2024-11-05");
        assert!(is_served(&mut second));
        assert_eq!(is_served(&mut first), !spoiled);
    }
}

#[test]
fn the_second_session_of_a_client_is_refused() {
    for (fault, refusal) in [(&["dies-with-first-client"][..], true), (&[], false)] {
        let bends = Bends::new(&named(fault));
        let mut opening = initialize("2025-06-18");
        opening["id"] = json!("next-client-served-1");
        let ping = request("next-client-served-2", "ping", Value::Null);
        let mut first = Direct::of(&bends);
        assert!(first.tell(&opening)[0]["result"].is_object());
        assert!(first.tell(&ping)[0]["result"].is_object());
        let said = Direct::of(&bends).tell(&opening);
        assert_eq!(said[0]["error"].is_object(), refusal);
    }
}
