//! Bare messages: who says them, where sessions begin, and what a part of a session proves.

#[path = "validate/tapes.rs"]
mod tapes;

use std::io::{Cursor, Read};

use mcp_conform::run::{From, Offline, Run, Selection, Verdict, judge_recorded};

fn options(from: Option<From>) -> Offline {
    Offline {
        revision: None,
        selection: Selection::new(Vec::new(), Vec::new()).expect("there are no patterns"),
        from,
        shell: Vec::new(),
    }
}

fn judge(from: Option<From>, text: &str) -> Run {
    let input: Box<dyn Read> = Box::new(Cursor::new(text.to_owned().into_bytes()));
    judge_recorded(vec![("tape".to_owned(), input)], &options(from)).expect("it can be read")
}

/// What is said to be broken, without the area's name where that is all.
fn broken(run: &Run) -> Vec<String> {
    let broken = |verdict| matches!(verdict, Verdict::Fail | Verdict::Warn | Verdict::Note);
    let all = run.judgements.iter().filter(|one| broken(one.verdict));
    all.map(|one| {
        format!(
            "{}: {}",
            one.case.clause.id,
            one.message.as_deref().unwrap_or("")
        )
    })
    .collect()
}

fn verdict(run: &Run, id: &str) -> Verdict {
    let mut all = run.judgements.iter();
    all.find(|one| one.case.clause.id == id).expect(id).verdict
}

fn revisions(run: &Run) -> Vec<String> {
    let all = run.revisions.iter();
    all.map(|(revision, _)| revision.to_string()).collect()
}

/// The lines that could not be read.
fn flaws(run: &Run) -> Vec<usize> {
    run.unreadable.iter().map(|flaw| flaw.line).collect()
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}
"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"logging":{}},"serverInfo":{"name":"s","version":"1"}}}
"#;
const OLD_INITIALIZED: &str = r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2024-11-05","capabilities":{"tools":{},"logging":{}},"serverInfo":{"name":"s","version":"1"}}}
"#;
const READY: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}
"#;
const LOG: &str = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}
"#;
const CALL: &str = r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"t","_meta":{"progressToken":3}}}
"#;
const RESULT: &str = r#"{"jsonrpc":"2.0","id":3,"result":{"content":[{"type":"text","text":"x"}]}}
"#;
const PROGRESS: &str = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":3,"progress":1}}
"#;
const CHANGED: &str = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}
"#;
const PONG: &str = r#"{"jsonrpc":"2.0","id":3,"result":{}}
"#;

fn ping(id: usize) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"ping\"}}\n")
}

fn sampling(id: usize) -> String {
    let text = r#"{"jsonrpc":"2.0","id":ID,"method":"sampling/createMessage","params":{"messages":[],"maxTokens":1,"_meta":{"progressToken":77}}}"#;
    text.replace("ID", &id.to_string()) + "\n"
}

fn sampled(id: usize) -> String {
    let text = r#"{"jsonrpc":"2.0","id":ID,"result":{"role":"assistant","model":"m","content":{"type":"text","text":"x"}}}"#;
    text.replace("ID", &id.to_string()) + "\n"
}

/// A session that is open.
fn open(rest: &[&str]) -> String {
    [INITIALIZE, INITIALIZED, READY].concat() + &rest.concat()
}

#[test]
fn the_servers_half_alone_is_judged_by_what_it_shows() {
    let half = [INITIALIZED, LOG, CHANGED, PROGRESS, RESULT].concat();
    for from in [Some(From::Server), None] {
        let run = judge(from, &half);
        assert_eq!(broken(&run), [""; 0]);
        for id in [
            "jsonrpc/id-echo",
            "jsonrpc/id-type-echo",
            "jsonrpc/one-response",
            "utilities/progress-known-token",
            "lifecycle/nothing-before-initialize",
        ] {
            assert_eq!(verdict(&run, id), Verdict::Unverified, "{id}");
        }
        for id in ["jsonrpc/version-member", "lifecycle/server-info"] {
            assert_eq!(verdict(&run, id), Verdict::Pass, "{id}");
        }
    }
    let broken_half = [INITIALIZED, &RESULT.replace("2.0", "1.0")].concat();
    assert!(!broken(&judge(Some(From::Server), &broken_half)).is_empty());
}

#[test]
fn what_was_asked_before_the_recording_proves_nothing() {
    let late = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9}}
"#;
    let ask = CALL
        .replace("\"id\":3", "\"id\":4")
        .replace("Token\":3", "Token\":4");
    let answer = RESULT.replace("\"id\":3", "\"id\":4");
    let tape = [LOG, CHANGED, PROGRESS, RESULT, &ask, late, &answer].concat();
    let run = judge(None, &tape);
    assert_eq!(broken(&run), [""; 0]);
    assert_eq!(verdict(&run, "jsonrpc/id-echo"), Verdict::Pass);
    // What is asked and answered before our eyes is judged.
    let twice = broken(&judge(None, &(tape + &answer)));
    assert_eq!(twice.len(), 1, "{twice:?}");
    assert!(twice[0].starts_with("jsonrpc/one-response"));
}

#[test]
fn a_whole_session_is_judged_by_all_that_was_asked() {
    let strange = RESULT.replace("\"id\":3", "\"id\":5");
    let run = judge(None, &open(&[CALL, PROGRESS, &strange]));
    assert!(broken(&run)[0].starts_with("jsonrpc/id-echo"));
    let early = [INITIALIZE, CHANGED, INITIALIZED].concat();
    assert!(broken(&judge(None, &early))[0].starts_with("lifecycle/nothing-before-initialize"));
    // What stands in front of `initialize` may be the end of another session.
    assert_eq!(
        broken(&judge(None, &(CHANGED.to_owned() + &open(&[])))),
        [""; 0]
    );
}

#[test]
fn a_session_is_judged_by_the_version_that_was_agreed_on() {
    let wrong = RESULT.replace("content", "contents");
    let tape = [INITIALIZE, LOG, OLD_INITIALIZED, READY, CALL, &wrong].concat();
    let run = judge(None, &tape);
    assert_eq!(revisions(&run), ["2024-11-05"]);
    let found = broken(&run);
    assert!(
        found
            .iter()
            .any(|one| one.starts_with("jsonrpc/result-schema")),
        "{found:?}"
    );
    assert_eq!(
        verdict(&run, "lifecycle/result-protocol-version"),
        Verdict::Pass
    );
    let half = [LOG, OLD_INITIALIZED, RESULT].concat();
    assert_eq!(revisions(&judge(Some(From::Server), &half)), ["2024-11-05"]);
}

#[test]
fn a_server_that_is_started_again_begins_a_session() {
    let once = [INITIALIZED.to_owned(), ping(0), ping(1), LOG.to_owned()].concat();
    let run = judge(Some(From::Server), &once.repeat(2));
    assert_eq!(broken(&run), [""; 0]);
    let run = judge(Some(From::Server), &(once + &ping(1)));
    assert!(broken(&run)[0].starts_with("jsonrpc/server-request-id-unique"));
}

#[test]
fn messages_tell_no_times() {
    let pings: String = (0..40).map(ping).collect();
    let run = judge(Some(From::Server), &(INITIALIZED.to_owned() + &pings));
    assert_eq!(broken(&run), [""; 0]);
    assert_eq!(verdict(&run, "utilities/ping-flood"), Verdict::Unverified);
    let mut reports = String::new();
    for token in [3, 4] {
        reports += &CALL.replace(":3", &format!(":{token}"));
        for value in 1..200 {
            let report = PROGRESS.replace("\"progress\":1", &format!("\"progress\":{value}"));
            reports += &report.replace("Token\":3", &format!("Token\":{token}"));
        }
    }
    let run = judge(None, &open(&[&reports]));
    assert_eq!(broken(&run), [""; 0]);
    assert_eq!(
        verdict(&run, "utilities/progress-rate"),
        Verdict::Unverified
    );
}

#[test]
fn equal_ids_in_both_directions_are_told_apart() {
    // A ping of the server under the id of the client's open call.
    for answers in [[RESULT, PONG], [PONG, RESULT]] {
        let tape = open(&[CALL, &ping(3), answers[0], answers[1]]);
        assert_eq!(broken(&judge(None, &tape)), [""; 0]);
    }
    for answers in [[RESULT, &sampled(3)], [&sampled(3), RESULT]] {
        let tape = open(&[CALL, &sampling(3), answers[0], answers[1]]);
        let run = judge(None, &tape);
        assert_eq!(broken(&run), [""; 0]);
        assert_eq!(verdict(&run, "jsonrpc/result-schema"), Verdict::Pass);
    }
    // Both count, and neither has come to the number of this ping.
    let pings = [ping(0), ping(1), ping(2), ping(3), ping(4)].concat();
    let numbers = [1, 2]
        .map(|id| CALL.replace(":3", &format!(":{id}")))
        .concat();
    let pongs: String = (0..5)
        .map(|id| PONG.replace('3', &id.to_string()))
        .collect();
    let tape = open(&[&numbers, &pings, &pongs, CALL, RESULT]);
    assert_eq!(broken(&judge(None, &tape)), [""; 0]);
    // A second answer is one, whatever else was asked.
    let tape = open(&[CALL, &sampling(3), RESULT, &sampled(3), CALL]);
    assert_eq!(broken(&judge(None, &tape)), [""; 0]);
}

#[test]
fn a_method_of_both_sides_belongs_to_the_one_that_it_concerns() {
    let task = r#"{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{"taskId":"a"}}
"#;
    let found = broken(&judge(None, &open(&[task])));
    assert!(
        found
            .iter()
            .any(|one| one.starts_with("utilities/task-status-notification:")),
        "{found:?}"
    );
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9}}
"#;
    let run = judge(None, &open(&[&sampling(9), cancel]));
    assert_eq!(
        verdict(&run, "utilities/server-cancels-own-requests"),
        Verdict::Pass
    );
    let client = PROGRESS.replace(":3", ":77");
    let run = judge(
        None,
        &open(&[&sampling(9), &client, CALL, PROGRESS, RESULT]),
    );
    assert_eq!(broken(&run), [""; 0]);
    assert_eq!(
        verdict(&run, "utilities/progress-known-token"),
        Verdict::Pass
    );
    let strange = PROGRESS.replace(":3", ":78");
    let found = broken(&judge(None, &open(&[CALL, &strange, RESULT])));
    assert!(
        found[0].starts_with("utilities/progress-known-token"),
        "{found:?}"
    );
}

#[test]
fn what_the_client_does_wrong_is_not_the_servers() {
    let bad = r#"{"jsonrpc":"2.0","id":ID,"method":"ping","params":[1]}
"#;
    let refusal = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}}
"#;
    for id in ["null", "{}", "0", "\"x\""] {
        let bad = bad.replace("ID", id);
        let tape = open(&[&bad, &bad.replace("ping", ""), "{\"id\n", refusal]);
        assert_eq!(broken(&judge(None, &tape)), [""; 0], "{id}");
    }
    let long = refusal
        .replace("no", &"x".repeat(5000))
        .replace("null", "7");
    let half = [INITIALIZED, &long].concat();
    assert_eq!(broken(&judge(Some(From::Server), &half)), [""; 0]);
    // Where everything is legible, a response without an id has no excuse.
    let found = broken(&judge(None, &(open(&[]).replace(READY, "") + refusal)));
    assert!(found[0].starts_with("jsonrpc/id-echo"), "{found:?}");
}

#[test]
fn a_line_without_a_message_is_told_with_its_number() {
    let folded = CALL.replace(',', ",\n");
    let breaks = folded.matches('\n').count();
    let tape = open(&[
        "\n",
        "  \r\n",
        "garbage\n",
        &folded,
        "{\"jsonrpc\n",
        RESULT,
        "[]\n",
        "end",
    ]);
    for from in [None, Some(From::Server), Some(From::Client)] {
        let run = judge(from, &tape);
        let after = 6 + breaks;
        assert_eq!(
            flaws(&run),
            [6, after + 1, after + 3, after + 4],
            "{from:?}"
        );
        let of_bytes = |id: &str| id.starts_with("stdio/");
        assert!(!broken(&run).iter().any(|one| of_bytes(one)), "{from:?}");
        let mut all = run
            .judgements
            .iter()
            .filter(|one| of_bytes(one.case.clause.id));
        assert!(all.all(|one| one.verdict == Verdict::Unverified));
    }
}

/// A transcript of one session over Streamable HTTP.
fn transcript(records: impl IntoIterator<Item = String>) -> String {
    let head = r#"{"transcript":1,"transport":"streamable-http"}
{"session":0,"event":"opened","revision":"2025-11-25"}
"#;
    head.to_owned() + &records.into_iter().collect::<String>()
}

#[test]
fn what_is_never_answered_is_not_kept_for_ever() {
    let open = |number: usize| {
        format!(
            "{{\"session\":0,\"event\":\"request\",\"exchange\":{number},\"method\":\"POST\"}}\n"
        )
    };
    let run = judge(None, &transcript((1..=256).map(open)));
    assert_eq!(flaws(&run), [0; 0]);
    let run = judge(None, &transcript((1..=258).map(open)));
    assert_eq!(flaws(&run), [259, 260]);
    let text = "x".repeat(1024 * 1024);
    let part =
        format!("{{\"session\":0,\"stream\":\"request\",\"exchange\":1,\"text\":\"{text}\"}}\n");
    let run = judge(None, &transcript([open(1), part.repeat(3)]));
    assert_eq!(flaws(&run), [6]);
}
