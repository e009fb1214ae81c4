//! What each fault does, and that it does so to its stimulus only.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::exchange::{REVISIONS, after_handshake, initialize, lines, ping, run};

const NEW: &str = "2025-11-25";

fn pings(count: usize) -> Vec<u8> {
    let pings: Vec<Value> = (0..count).map(ping).collect();
    lines(&pings)
}

/// The first line of a session in which only the handshake takes place, and the rest.
fn handshake(fault: &str, revision: &str) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut written = run(&[fault], &[lines(&[initialize(revision)])]).lines();
    (written.remove(0), written)
}

fn json(line: &[u8]) -> Value {
    serde_json::from_slice(line).unwrap_or_else(|_| panic!("{:?}", String::from_utf8_lossy(line)))
}

/// What a faulty server answers to one read after the handshake, as JSON.
fn answers(fault: &str, revision: &str, read: &[u8]) -> Vec<Value> {
    let written = after_handshake(&[fault], revision, &[read]);
    written.iter().map(|line| json(line)).collect()
}

fn ids(answers: &[Value]) -> Vec<Value> {
    answers.iter().map(|answer| answer["id"].clone()).collect()
}

#[test]
fn names_are_unique_and_clauses_named() {
    let (variants, freedoms) = (mock_servers::variants(), mock_servers::freedoms());
    let all: Vec<_> = mock_servers::faults()
        .chain(variants)
        .chain(freedoms)
        .collect();
    let names: BTreeSet<_> = all.iter().map(|fault| fault.name).collect();
    assert_eq!(names.len(), all.len());
    let kebab = |text: &str| {
        !text.is_empty()
            && text.split('-').all(|word| {
                !word.is_empty()
                    && word
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            })
    };
    for fault in all {
        assert!(kebab(fault.name), "{}", fault.name);
        let drags = fault.drags.iter().map(|(clause, reason)| {
            assert!(!reason.is_empty());
            *clause
        });
        // A freedom violates nothing.
        let own = Some(fault.violates).filter(|clause| !clause.is_empty());
        for clause in drags.chain(own) {
            let (area, slug) = clause.split_once('/').expect("area/slug");
            assert!(kebab(area) && kebab(slug), "{clause}");
        }
        assert!(std::ptr::eq(
            mock_servers::fault(fault.name).expect("found"),
            fault
        ));
    }
    assert!(mock_servers::fault("no-such-fault").is_none());
}

#[test]
fn a_plain_session_is_served_under_every_fault_that_leaves_stdout_readable() {
    // These hit what every session shows; the handshake's line is not judged here.
    let unreadable = [
        "lsp-framing",
        "missing-newline",
        "responds-on-stderr",
        "stdout-farewell",
        // Ends of the process that a script read to its end would wait for.
        "ignores-stdin-eof",
        "pretty-printed-json",
        // The plain session is one of pings.
        "ping-method-not-found",
        "ping-result-pong",
    ];
    for fault in mock_servers::faults().filter(|fault| !unreadable.contains(&fault.name)) {
        for revision in REVISIONS {
            let written = after_handshake(&[fault.name], revision, &[&pings(1), &pings(1)]);
            let answered = written.iter().rev().take(2).map(|line| json(line));
            assert!(
                answered
                    .into_iter()
                    .all(|answer| answer["result"] == json!({})),
                "{} in {revision}",
                fault.name
            );
        }
    }
}

#[test]
fn text_and_marks_surround_the_messages() {
    for revision in REVISIONS {
        let (banner, rest) = handshake("stdout-banner", revision);
        assert!(banner.starts_with(b"Reference server") && json(&rest[0]).is_object());
        let farewell = handshake("stdout-farewell", revision).1;
        assert!(farewell[0].starts_with(b"Input has ended"));
        let (bom, rest) = handshake("stdout-bom", revision);
        assert!(bom.starts_with(b"\xef\xbb\xbf{") && rest.is_empty());
        let ansi = handshake("stdout-ansi", revision).0;
        assert!(ansi.starts_with(b"\x1b[32m{") && ansi.ends_with(b"}\x1b[0m"));
        assert_eq!(handshake("stdout-blank-lines", revision).1, [b""]);
        let record = handshake("stdout-json-log", revision).1;
        assert_eq!(json(&record[0]), json!({ "level": "info", "msg": "ready" }));
        let latin1 = handshake("stdout-latin1", revision).0;
        assert_eq!(str::from_utf8(&latin1).is_err(), revision > "2024-11-05");
        let (first, rest) = handshake("pretty-printed-json", revision);
        let folded = [&[first], &rest[..]].concat().join(&b'\n');
        assert!(rest.len() > 10 && json(&folded)["result"].is_object());

        let unknown = lines(&[json!({ "jsonrpc": "2.0", "id": 1, "method": "no/such" })]);
        let logged = after_handshake(&["stdout-log-line"], revision, &[&unknown]);
        assert!(logged[0].starts_with(b"WARN") && json(&logged[1])["id"] == 1);
    }
    let errors = run(&["stderr-latin1"], &[]).errors;
    assert!(str::from_utf8(&errors).is_err());
}

#[test]
fn framing_goes_wrong() {
    let framed = run(&["lsp-framing"], &[lines(&[ping(1)])]).output;
    let body = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    assert_eq!(
        framed,
        format!("Content-Length: 36\r\n\r\n{body}").into_bytes()
    );
    let request = ping(1).to_string();
    let lsp = format!("Content-Length: {}\r\n\r\n{request}", request.len());
    let twice = run(&["lsp-framing"], &[lsp.repeat(2).into_bytes()]).output;
    assert_eq!(twice, framed.repeat(2));

    let glued = after_handshake(&["glued-messages"], NEW, &[&pings(5)]);
    assert_eq!(glued.len(), 3);
    assert_eq!(glued[0].windows(2).filter(|pair| pair == b"}{").count(), 1);
    assert_eq!(json(&glued[2])["id"], 4);

    let reads = [lines(&[initialize(NEW)]), lines(&[ping(1)])];
    let output = run(&["missing-newline"], &reads).output;
    assert!(output.starts_with(b"{") && output.ends_with(b"}"));
    let pieces: Vec<Value> = output.split(|b| *b == b'\n').map(json).collect();
    assert_eq!(ids(&pieces), [json!("init"), json!(1)]);

    let id = "nl\nsep\r\nend";
    let split = after_handshake(
        &["unescaped-newline-in-string"],
        NEW,
        &[&lines(&[ping(id)])],
    );
    let escaped = String::from_utf8(split.join(&b"\\n"[..])).expect("UTF-8");
    assert!(split.len() == 3 && json(escaped.as_bytes())["id"] == id);
}

#[test]
fn many_answers_are_torn_into_each_other_and_few_are_not() {
    let torn = after_handshake(&["interleaved-writes"], NEW, &[&pings(50)]);
    assert_eq!(torn.len(), 50);
    for line in &torn[..2] {
        let text = String::from_utf8_lossy(line);
        assert!(serde_json::from_slice::<Value>(line).is_err() && text.contains("\"jsonrpc\""));
    }
    assert!(
        torn[2..]
            .iter()
            .all(|line| json(line)["result"].is_object())
    );
    assert_eq!(answers("interleaved-writes", NEW, &pings(20)).len(), 20);
}

#[test]
fn long_lines_are_lost_or_cut() {
    let long = lines(&[ping("i".repeat(128 * 1024)), ping("after")]);
    assert_eq!(ids(&answers("stdin-64k-limit", NEW, &long)), ["after"]);
    let cut = after_handshake(&["stdout-truncated-64k"], NEW, &[&long]);
    assert_eq!(cut[0].len(), 64 * 1024 - 1);
    assert!(serde_json::from_slice::<Value>(&cut[0]).is_err());
    assert_eq!(json(&cut[1])["id"], "after");
}

#[test]
fn input_is_decoded_wrongly() {
    let fault = "stdin-decoded-as-latin1";
    let answered = answers(fault, NEW, &lines(&[ping("zażółć-漢字-😀")]));
    assert!(
        answered[0]["id"]
            .as_str()
            .expect("text")
            .starts_with("zaÅ¼")
    );
    for spared in ["a\u{2028}b\u{2029}c\u{85}d", "piece-é", "piece-😀"] {
        assert_eq!(ids(&answers(fault, NEW, &lines(&[ping(spared)]))), [spared]);
    }

    let separated = lines(&[ping("a\u{2028}b\u{2029}c\u{85}d")]);
    let fragments = answers("splits-on-unicode-separators", NEW, &separated);
    assert_eq!(fragments.len(), 4);
    assert!(
        fragments
            .iter()
            .all(|answer| answer["error"]["code"] == -32700)
    );

    let escaped = br#"{"jsonrpc":"2.0","id":"\u00e9\\u\n","method":"pi\u006eg"}"#;
    let answered = answers("no-unicode-unescape", NEW, &[&escaped[..], b"\n"].concat());
    assert_eq!(answered[0]["id"], "\\u00e9\\u\n");
    assert_eq!(answered[0]["error"]["code"], -32601);
}

#[test]
fn reads_are_mistaken_for_messages() {
    let line = lines(&[ping("é")]);
    let (head, tail) = line.split_at(20);
    let lf = tail.len() - 1;
    let fault = "assumes-one-read-per-message";
    let whole = lines(&[ping("whole")]);
    let reads = [head, &tail[..lf], b"\n", &whole];
    let answered = after_handshake(&[fault], NEW, &reads);
    assert_eq!(answered.len(), 1);
    assert_eq!(json(&answered[0])["id"], "whole");
    // Long lines come in several reads by nature.
    let long = lines(&[ping("i".repeat(200 * 1024))]);
    assert_eq!(answers(fault, NEW, &long).len(), 1);
    // The honest server assembles the pieces.
    assert_eq!(after_handshake(&[], NEW, &reads).len(), 2);
}

#[test]
fn one_of_several_requests_is_dropped() {
    for (fault, dropping) in [
        ("drops-coalesced-messages", 5),
        ("drops-concurrent-request", 20),
    ] {
        for count in [1, 5, 20, 50] {
            let expected = if count == dropping { count - 1 } else { count };
            assert_eq!(
                answers(fault, NEW, &pings(count)).len(),
                expected,
                "{fault}"
            );
        }
    }
}

#[test]
fn legal_white_space_is_not_accepted() {
    let crlf = format!("{}\r\n{}\n", ping("crlf"), ping("lf"));
    let spaced =
        "  {\"params\" : {},\t\"id\": \"blank\", \"method\":\"ping\",\"jsonrpc\":\"2.0\"}\n";
    let spaced = format!("{spaced}{}\n", ping("in \\\" string"));
    let both = |fault, input: &str| ids(&answers(fault, NEW, input.as_bytes()));
    assert_eq!(both("rejects-crlf", &crlf), ["lf"]);
    assert_eq!(both("rejects-crlf", &spaced).len(), 2);
    assert_eq!(both("rejects-json-whitespace", &spaced), ["in \\\" string"]);
    assert_eq!(both("rejects-json-whitespace", &crlf).len(), 2);
    for fault in ["rejects-crlf", "rejects-json-whitespace"] {
        let error = answers(fault, NEW, b"this is not json\r\n");
        assert_eq!(error[0]["error"]["code"], -32700);
    }
}

#[test]
fn responses_go_to_the_wrong_stream_or_come_too_late() {
    let written = run(&["responds-on-stderr"], &[lines(&[ping(1)])]);
    assert!(written.output.is_empty());
    assert_eq!(json(&written.errors)["id"], 1);
    let held = run(
        &["stdout-unflushed"],
        &[lines(&[ping(1)]), lines(&[ping(2)])],
    );
    assert_eq!(ids(&held.messages()), [1, 2]);
}

#[test]
fn unreadable_input_and_notifications_are_answered_wrongly() {
    let malformed = [b"this is not json\n".as_slice(), &pings(1)].concat();
    for revision in REVISIONS {
        assert_eq!(
            answers("silent-on-parse-error", revision, &malformed).len(),
            1
        );
        let invented = answers("parse-error-with-invented-id", revision, &malformed);
        assert!(invented[0]["id"].is_string() && invented[0]["error"]["code"] == -32700);
        let unknown = json!({ "jsonrpc": "2.0", "method": "notifications/com.example.unknown" });
        let known = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let fault = "responds-to-notifications";
        let answered = answers(fault, revision, &lines(&[known, unknown.clone()]));
        assert_eq!(answered.len(), 1);
        assert_eq!(answered[0].get("id"), Some(&Value::Null));
        if revision == "2025-03-26" {
            assert!(answers(fault, revision, &lines(&[json!([unknown])])).is_empty());
        }
    }
}

#[test]
fn the_process_ends_where_it_should_go_on() {
    let inputs: [(&str, &[u8]); 3] = [
        ("exits-on-malformed-line", b"{\"jsonrpc\":\n"),
        (
            "exits-on-invalid-utf8",
            b"{\"jsonrpc\":\"2.0\",\"id\":\"\xff\xfe\"}\n",
        ),
        ("exits-on-non-jsonrpc", b"{\"foo\":1}\n"),
    ];
    for (fault, _) in inputs {
        for (own, input) in inputs {
            let reads: [&[u8]; 2] = [input, &pings(1)];
            let answered = after_handshake(&[fault], NEW, &reads);
            assert_eq!(
                answered.is_empty(),
                fault == own,
                "{fault} at the input of {own}"
            );
        }
    }
}

#[test]
fn batches_are_answered_wrongly_where_they_exist() {
    let notification = json!({ "jsonrpc": "2.0", "method": "notifications/com.example.unknown" });
    let batch = lines(&[json!([ping("a"), notification, ping("b")])]);
    let silent = lines(&[json!([notification])]);
    let old = "2025-03-26";
    let all = |fault, input: &[u8]| answers(fault, old, input);

    assert_eq!(all("batch-rejected", &batch)[0]["error"]["code"], -32600);
    assert!(all("batch-rejected", &silent).is_empty());
    assert_eq!(ids(&all("batch-answered-singly", &batch)), ["a", "b"]);
    assert_eq!(all("batch-empty-array-reply", &silent), [json!([])]);
    assert_eq!(all("batch-empty-accepted", b"[]\n"), [json!([])]);
    assert_eq!(
        all("batch-empty-array-reply", b"[]\n")[0]["error"]["code"],
        -32600
    );
    for fault in [
        "batch-empty-array-reply",
        "batch-empty-accepted",
        "mixed-batch",
    ] {
        assert_eq!(
            all(fault, &batch)[0].as_array().map(Vec::len),
            Some(2),
            "{fault}"
        );
    }

    let unknown = lines(&[json!({ "jsonrpc": "2.0", "id": 1, "method": "no/such" })]);
    let mixed = &all("mixed-batch", &unknown)[0];
    assert_eq!(mixed[0]["method"], "notifications/message");
    assert_eq!(mixed[1]["id"], 1);
    assert_eq!(answers("mixed-batch", NEW, &unknown)[0]["id"], 1);
}

#[test]
fn answers_are_collected_where_batches_are_gone() {
    for revision in REVISIONS {
        let answered = answers("stdout-batch", revision, &pings(5));
        if revision >= "2025-06-18" {
            assert_eq!(answered.len(), 1);
            assert_eq!(answered[0].as_array().map(Vec::len), Some(5));
        } else {
            assert_eq!(answered.len(), 5);
        }
        assert_eq!(answers("stdout-batch", revision, &pings(1))[0]["id"], 0);
    }
}
