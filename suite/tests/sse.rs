//! The reader of event streams: it cuts as the WHATWG has it, tells what readers lose, and it
//! makes no difference how the bytes arrive.

use mcp_conform::{
    tape::MESSAGE_LIMIT,
    transport::{SseEvent, SseFlaw, SseFlawKind, SseFound, SseReader},
};
use proptest::prelude::*;

/// All that `body` holds, read in chunks of the sizes given, which come round again.
fn found(body: &[u8], sizes: &[usize]) -> Vec<SseFound> {
    let mut all = Vec::new();
    let mut reader = SseReader::default();
    let (mut rest, mut sizes) = (body, sizes.iter().cycle());
    while !rest.is_empty() {
        let size = sizes
            .next()
            .map_or(rest.len(), |size| *size)
            .min(rest.len());
        reader.push(&rest[..size], &mut |found| all.push(found));
        rest = &rest[size..];
    }
    reader.end(&mut |found| all.push(found));
    all
}

fn events(body: impl AsRef<[u8]>) -> Vec<SseEvent> {
    let all = found(body.as_ref(), &[]).into_iter();
    all.filter_map(|found| match found {
        SseFound::Event(event) => Some(event),
        SseFound::Flaw(_) | SseFound::Comment => None,
    })
    .collect()
}

fn flaws(body: impl AsRef<[u8]>) -> Vec<SseFlaw> {
    let all = found(body.as_ref(), &[]).into_iter();
    all.filter_map(|found| match found {
        SseFound::Flaw(flaw) => Some(flaw),
        SseFound::Event(_) | SseFound::Comment => None,
    })
    .collect()
}

/// The types and data of the events that readers get to see.
#[track_caller]
fn check(body: impl AsRef<[u8]>, expected: &[(&str, &str)]) {
    let events = events(body);
    let seen: Vec<_> = events
        .iter()
        .filter(|event| event.dispatched)
        .map(|event| (event.kind.as_str(), text(event)))
        .collect();
    assert_eq!(seen, expected);
}

fn text(event: &SseEvent) -> &str {
    std::str::from_utf8(event.data.as_deref().expect("data")).expect("UTF-8")
}

#[track_caller]
fn check_flaws(body: impl AsRef<[u8]>, expected: &[(SseFlawKind, &str)]) {
    let flaws = flaws(body);
    let seen: Vec<_> = flaws
        .iter()
        .map(|flaw| (flaw.kind, String::from_utf8_lossy(&flaw.line).into_owned()))
        .collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|(kind, line)| (*kind, (*line).to_owned()))
        .collect();
    assert_eq!(seen, expected);
}

#[test]
fn lines_end_with_any_mix_of_cr_and_lf() {
    for body in ["data: a\n\ndata: b\n\n", "data: a\r\rdata: b\r\r"] {
        check(body, &[("message", "a"), ("message", "b")]);
    }
    check(
        "data: a\r\n\r\ndata: b\n\r\ndata: c\r\n\rdata: d\r\n\n",
        &[
            ("message", "a"),
            ("message", "b"),
            ("message", "c"),
            ("message", "d"),
        ],
    );
}

#[test]
fn data_lines_are_joined_and_lose_one_space_at_most() {
    check(
        "data:a\ndata:  b\ndata\ndata:\ndata: c:d \n\n",
        &[("message", "a\n b\n\n\nc:d ")],
    );
    check(
        "data\n\ndata:\ndata\n\n",
        &[("message", ""), ("message", "\n")],
    );
}

#[test]
fn the_type_is_the_last_one_given_and_message_otherwise() {
    let events = events(
        "event: a\nevent: endpoint\ndata: x\n\nevent:\ndata: y\n\nevent: message\ndata: z\n\n",
    );
    let kinds: Vec<_> = events
        .iter()
        .map(|event| (event.kind.as_str(), event.named))
        .collect();
    assert_eq!(
        kinds,
        [("endpoint", true), ("message", false), ("message", true)]
    );
}

#[test]
fn one_byte_order_mark_is_dropped_and_only_at_the_start() {
    check("\u{feff}data: a\n\n", &[("message", "a")]);
    check("\u{feff}\u{feff}data: a\n\n", &[]);
    check_flaws(
        "data: a\n\n\u{feff}data: b\n\n",
        &[(SseFlawKind::UnknownField, "\u{feff}data: b")],
    );
    let cut = [b"\xef\xbb".as_slice(), b"data: a\n\n"].concat();
    assert_eq!(flaws(cut)[0].kind, SseFlawKind::NotUtf8);
    assert_eq!(flaws(b"\xef\xbbx")[0].mark, Some(0..1));
}

#[test]
fn comments_are_told_and_are_no_part_of_the_event_behind_them() {
    let all = found(b":\n: ping\r\n\r\n:x\ndata: a\n: within\n\n", &[]);
    let comments = all
        .iter()
        .filter(|found| matches!(found, SseFound::Comment));
    assert_eq!(comments.count(), 4);
    let event = &events(b":x\r\ndata: a\r\n: within\r\n\r\n")[0];
    assert_eq!(event.raw, b"data: a\r\n: within\r\n");
}

#[test]
fn an_id_stays_in_force_until_the_next_and_takes_effect_at_the_blank_line() {
    let mut reader = SseReader::default();
    let mut ids = Vec::new();
    let mut tell = |found: SseFound| {
        if let SseFound::Event(event) = found {
            ids.push((event.id, event.last_id.to_string(), event.dispatched));
        }
    };
    reader.push(
        b"id: 1\ndata: a\n\ndata: b\n\nid: 2\n\nid: 3\nid\ndata: c\n\n",
        &mut tell,
    );
    reader.push(b"id: 4\ndata: d\n", &mut tell);
    assert_eq!(reader.last_event_id(), "");
    reader.push(b"\n", &mut tell);
    assert_eq!(reader.last_event_id(), "4");
    let expected = [
        (Some("1"), "1", true),
        (None, "1", true),
        (Some("2"), "2", false),
        (Some(""), "", true),
        (Some("4"), "4", true),
    ];
    let expected = expected.map(|(id, last, seen)| (id.map(str::to_owned), last.to_owned(), seen));
    assert_eq!(ids, expected);
}

#[test]
fn an_id_with_a_nul_is_ignored_and_told() {
    let event = &events("id: 1\nid: 2\0x\ndata: a\n\n")[0];
    assert_eq!((event.id.as_deref(), &*event.last_id), (Some("1"), "1"));
    let flaw = &flaws("id: 2\0x\ndata: a\n\n")[0];
    assert_eq!(
        (flaw.kind, flaw.mark.clone()),
        (SseFlawKind::NulInId, Some(5..6))
    );
}

#[test]
fn an_id_too_long_to_be_kept_is_not_cut_short() {
    let event = &events(format!("id: {}\ndata: a\n\n", "7".repeat(70_000)))[0];
    assert_eq!(event.id, None);
    let flaw = &flaws(format!("id: {}\n", "7".repeat(70_000)))[0];
    assert_eq!(
        (flaw.kind, flaw.line.len(), flaw.len),
        (SseFlawKind::LongValue, 4096, 70_004)
    );
}

#[test]
fn a_retry_field_holds_digits_only() {
    let event = &events("retry: 1500\n\n")[0];
    assert_eq!(
        (event.retry.as_deref(), event.dispatched),
        (Some(b"1500".as_slice()), false)
    );
    check_flaws("retry: 0\nretry:1\n\n", &[]);
    for bad in [
        "retry: 5s",
        "retry: -1",
        "retry: 1.5",
        "retry:",
        "retry",
        "retry:  1",
        "retry: 1 ",
    ] {
        check_flaws(format!("{bad}\n\n"), &[(SseFlawKind::BadRetry, bad)]);
    }
    assert_eq!(flaws("retry: 5s\n")[0].mark, Some(7..9));
    assert_eq!(
        events("retry: 5s\n\n")[0].retry.as_deref(),
        Some(b"5s".as_slice())
    );
}

#[test]
fn json_that_goes_on_without_its_field_name_is_lost() {
    let pretty = "data: {\n  \"id\": 1,\n\"a\": [\n1\n],\n  \n}\n\n";
    let lost = ["  \"id\": 1,", "\"a\": [", "1", "],", "}"];
    let seen: Vec<_> = flaws(pretty)
        .into_iter()
        .filter(|flaw| flaw.kind == SseFlawKind::LostLine)
        .map(|flaw| String::from_utf8(flaw.line).unwrap())
        .collect();
    assert_eq!(seen, lost);
    check_flaws(
        "data: {\"text\":\"a\nworld\"}\n\n",
        &[(SseFlawKind::LostLine, "world\"}")],
    );
    check_flaws(
        "data: {\"id\":1}\n{\"id\":2}\n\n",
        &[(SseFlawKind::LostLine, "{\"id\":2}")],
    );
}

#[test]
fn a_line_that_continues_nothing_is_an_unknown_field_and_no_more() {
    let unknown = |line| [(SseFlawKind::UnknownField, line)];
    check_flaws("x-trace: 1\ndata: {}\n\n", &unknown("x-trace: 1"));
    check_flaws("data: {\nx-trace: {\ndata: }\n\n", &unknown("x-trace: {"));
    check_flaws("data: {}\n \n\n", &unknown(" "));
    check_flaws("data: /messages\n  x\n\n", &unknown("  x"));
    check_flaws("data: {\n\n}\n\n", &unknown("}"));
    check_flaws(
        "Data: {}\ndatas\n\n",
        &[unknown("Data: {}")[0], unknown("datas")[0]],
    );
    check("Data: {}\ndatas\n\n", &[]);
}

#[test]
fn what_is_not_utf8_is_marked_and_the_event_goes_on() {
    let body = b"event: \xff\ndata: \xc3\xa9 \xe2\x82\n\n";
    let seen: Vec<_> = flaws(body)
        .into_iter()
        .map(|flaw| (flaw.kind, flaw.mark))
        .collect();
    assert_eq!(
        seen,
        [
            (SseFlawKind::NotUtf8, Some(7..8)),
            (SseFlawKind::NotUtf8, Some(9..10))
        ]
    );
    let event = &events(body)[0];
    assert_eq!(event.kind, "\u{fffd}");
    assert_eq!(event.data.as_deref(), Some(b"\xc3\xa9 \xe2\x82".as_slice()));
}

#[test]
fn a_character_that_the_end_of_the_stream_cuts_is_no_flaw() {
    check_flaws(b": \xe2\x82", &[]);
    assert_eq!(flaws(b": \xe2x")[0].kind, SseFlawKind::NotUtf8);
}

#[test]
fn ascii_alone_exercises_nothing_of_utf8() {
    let mut reader = SseReader::default();
    reader.push("\u{feff}data: a\n".as_bytes(), &mut |_| ());
    assert!(reader.is_ascii());
    reader.push("data: é".as_bytes(), &mut |_| ());
    assert!(!reader.is_ascii());
    reader.push(b"\n\n", &mut |_| ());
    assert!(!reader.is_ascii());
}

#[test]
fn an_event_without_its_blank_line_is_pending_and_then_unterminated() {
    for body in ["data: {}", "data: {}\n", "id: 1\r\ndata: {}\r\n"] {
        let mut reader = SseReader::default();
        reader.push(body.as_bytes(), &mut |found| panic!("{found:?}"));
        assert_eq!(reader.pending(), Some(b"{}".as_slice()));
        assert_eq!(reader.pending_len(), body.len() as u64);
        check_flaws(body, &[(SseFlawKind::Unterminated, body)]);
        check(body, &[]);
        reader.push(b"\n\n", &mut |_| ());
        assert_eq!((reader.pending(), reader.pending_len()), (None, 0));
    }
    check_flaws("data: {}\n\n: bye", &[]);
    check_flaws("id: 1\nretry: 5\n", &[]);
}

#[test]
fn a_message_of_any_length_is_routed_and_what_is_too_long_is_not_kept() {
    let message = |filler: usize| format!("{{\"result\":\"{}\",\"id\":7}}", "x".repeat(filler));
    let fits = message(MESSAGE_LIMIT - message(0).len());
    let event = &events(format!("data: {fits}\n\n"))[0];
    assert_eq!(event.data.as_deref().map(<[u8]>::len), Some(MESSAGE_LIMIT));
    assert!(event.long.is_none());

    let long = message(2 * MESSAGE_LIMIT);
    let body = format!("data: {long}\ndata: \n\ndata: {long} {{}}\n\ndata: {{}}\n\n");
    for sizes in [[1 << 16], [usize::MAX]] {
        let all = found(body.as_bytes(), &sizes);
        let [
            SseFound::Event(whole),
            SseFound::Event(glued),
            SseFound::Event(short),
        ] = &all[..]
        else {
            panic!("{} were found", all.len());
        };
        let message = whole.long.as_ref().unwrap();
        assert_eq!(message.id.as_ref().unwrap().to_string(), "7");
        assert!(message.text().is_none());
        assert_eq!((whole.len, whole.raw.len()), (long.len() as u64 + 1, 4096));
        assert!(whole.data.is_none() && whole.dispatched);
        assert!(glued.data.is_none() && glued.long.is_none());
        assert_eq!(text(short), "{}");
    }
}

#[test]
fn what_never_ends_is_counted_and_not_kept() {
    let chunk = [b'x'; 1 << 16];
    for start in ["data: ", ": ", "x", "id: "] {
        let mut reader = SseReader::default();
        reader.push(start.as_bytes(), &mut |_| ());
        for _ in 0..64 {
            reader.push(&chunk, &mut |_| ());
        }
        assert_eq!(reader.pending_len(), start.len() as u64 + (64 << 16));
        assert!(reader.pending().unwrap_or_default().len() <= MESSAGE_LIMIT);
    }
}

/// What readers have to see, from the whole text at once: type, data, id in force.
fn naive(body: &[u8]) -> Vec<(String, Vec<u8>, String)> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut lines = vec![Vec::new()];
    let mut at = 0;
    while at < body.len() {
        match (body[at], body.get(at + 1)) {
            (b'\r', Some(b'\n')) => {
                lines.push(Vec::new());
                at += 1;
            }
            (b'\r' | b'\n', _) => lines.push(Vec::new()),
            (byte, _) => lines.last_mut().expect("a line").push(byte),
        }
        at += 1;
    }
    lines.pop();
    let (mut events, mut id, mut kind) = (Vec::new(), String::new(), String::new());
    let mut data: Vec<Vec<u8>> = Vec::new();
    for line in lines {
        if line.is_empty() {
            if !data.is_empty() {
                let kind = if kind.is_empty() { "message" } else { &kind };
                events.push((kind.to_owned(), data.join(&b'\n'), id.clone()));
            }
            (data, kind) = (Vec::new(), String::new());
            continue;
        }
        let colon = line
            .iter()
            .position(|byte| *byte == b':')
            .unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        let text = String::from_utf8_lossy(value).into_owned();
        match &line[..colon] {
            b"data" => data.push(value.to_vec()),
            b"event" => kind = text,
            b"id" if !text.contains('\0') => id = text,
            _ => {}
        }
    }
    events
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let pieces: [&[u8]; 24] = [
        b"data",
        b"data: ",
        b"data: {\"a\":",
        b"event",
        b"event: e",
        b"id",
        b"id: 1",
        b"id: 2",
        b"retry",
        b"retry: 10",
        b":",
        b" ",
        b"\r",
        b"\n",
        b"\r\n",
        b"\n\n",
        b"\r\r",
        b"{",
        b"\"}",
        b"x",
        b"\0",
        b"\xef\xbb\xbf",
        "é".as_bytes(),
        b"\xe2\x82",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..40)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn events_and_flaws_survive_any_chunking(
        body in body(),
        sizes in prop::collection::vec(1..9usize, 1..8),
    ) {
        prop_assert_eq!(
            format!("{:?}", found(&body, &sizes)),
            format!("{:?}", found(&body, &[]))
        );
    }

    #[test]
    fn events_are_those_of_a_reader_of_the_whole_text(body in body()) {
        let seen: Vec<_> = events(&body)
            .into_iter()
            .filter(|event| event.dispatched)
            .map(|event| (event.kind.clone(), event.data.unwrap().to_vec(), event.last_id.to_string()))
            .collect();
        prop_assert_eq!(seen, naive(&body));
    }
}
