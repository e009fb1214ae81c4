//! The line triage: each line gets the first class that fits, the messages are found whatever the
//! framing, and it makes no difference how the bytes are cut.

use mcp_conform::tape::{Class, Found, Lines};
use proptest::prelude::*;

/// The classes and the ids of the messages that `stdout` holds, cut in chunks of `size` bytes.
fn triage(stdout: &[u8], size: usize, in_flight: usize) -> (Vec<Class>, Vec<String>) {
    let (mut classes, mut ids) = (Vec::new(), Vec::new());
    let mut lines = Lines::default();
    let mut found = |found: Found| match found {
        Found::Line(line) => classes.push(line.class),
        Found::Message(message) => {
            ids.push(message.id.map(|id| id.to_string()).unwrap_or_default());
        }
    };
    for chunk in stdout.chunks(size) {
        lines.push(chunk, in_flight, &mut found);
    }
    lines.end(in_flight, &mut found);
    (classes, ids)
}

const A: &str = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
const B: &str = r#"{"jsonrpc":"2.0","id":"b","result":{"t":"x y"}}"#;

#[track_caller]
fn check(stdout: impl AsRef<[u8]>, in_flight: usize, classes: &[Class], ids: &[&str]) {
    let stdout = stdout.as_ref();
    for size in [1, 2, 3, 7, 64, 1 << 20] {
        let (actual, found) = triage(stdout, size, in_flight);
        assert_eq!(actual, classes, "in chunks of {size}");
        assert_eq!(found, ids, "in chunks of {size}");
    }
}

#[test]
fn pieces_of_stdout_are_of_the_class_in_their_name() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/stdout");
    let mut classes = std::collections::BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let expected = match name.split_once('.').unwrap().0 {
            "message" => Class::Message,
            "framed" => Class::Framed,
            "bom" => Class::Bom,
            "not-utf8" => Class::NotUtf8,
            "blank" => Class::Blank,
            "array" => Class::Array,
            "alien" => Class::Alien,
            "glued" => Class::Glued,
            "ansi" => Class::Ansi,
            "folded" => Class::Folded,
            "broken-text" => Class::BrokenText,
            "cut" => Class::Cut,
            "text" => Class::Text,
            other => panic!("{name}: there is no class {other}"),
        };
        let bytes = std::fs::read(&path).unwrap();
        for size in [1, 5, 1 << 20] {
            assert_eq!(
                triage(&bytes, size, 0).0[0],
                expected,
                "{name} in chunks of {size}"
            );
        }
        classes.insert(format!("{expected:?}"));
    }
    assert_eq!(classes.len(), 13, "{classes:?}");
}

#[test]
fn messages_stand_one_a_line_with_or_without_a_carriage_return() {
    check(
        format!("{A}\n{B}\r\n"),
        0,
        &[Class::Message, Class::Message],
        &["1", "\"b\""],
    );
    check(format!(" {A} \n"), 0, &[Class::Message], &["1"]);
}

#[test]
fn a_last_line_without_its_line_feed_is_no_fault_of_the_triage() {
    check(
        format!("{A}\n{B}"),
        0,
        &[Class::Message, Class::Message],
        &["1", "\"b\""],
    );
    check(format!("{A}{B}"), 0, &[Class::Message], &["1", "\"b\""]);
}

#[test]
fn text_is_text_and_the_message_behind_it_is_found() {
    check("hello\n", 0, &[Class::Text], &[]);
    check(format!("INFO {A}\n"), 0, &[Class::Text], &["1"]);
    check(
        format!("[INFO] x\n{A}\n"),
        0,
        &[Class::Text, Class::Message],
        &["1"],
    );
}

#[test]
fn each_defect_has_its_class() {
    check(format!("\u{feff}{A}\n"), 0, &[Class::Bom], &["1"]);
    check(b"caf\xe9\n", 0, &[Class::NotUtf8], &[]);
    check(
        [
            &b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":\"\xe9\"}}"[..],
            b"\n",
        ]
        .concat(),
        0,
        &[Class::NotUtf8],
        &["1"],
    );
    check(
        format!("\n \t\r\n{A}\n"),
        0,
        &[Class::Blank, Class::Blank, Class::Message],
        &["1"],
    );
    check(
        format!("[{A},{B}]\n[]\n"),
        0,
        &[Class::Array, Class::Array],
        &["1", "\"b\""],
    );
    check(
        "{\"level\":\"info\"}\n42\n\"x\"\n[1]\n",
        0,
        &[Class::Alien; 4],
        &[],
    );
    check("{\"level\":\n\"info\"}\n", 0, &[Class::Alien], &[]);
    check(format!("{A}{B}\n"), 0, &[Class::Glued], &["1", "\"b\""]);
    check(
        format!("\x1b[32m{A}\x1b[0m\n\x1b[2K\n"),
        0,
        &[Class::Ansi, Class::Ansi],
        &["1"],
    );
    check("\x1b[31merror\x1b[0m\n", 0, &[Class::Text], &[]);
}

#[test]
fn folded_messages_are_joined_and_told_from_raw_line_breaks() {
    check(
        "{\n  \"jsonrpc\": \"2.0\",\n  \"id\": 1,\n  \"result\": {}\n}\n",
        0,
        &[Class::Folded],
        &["1"],
    );
    check(
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"a\nb\"}\n",
        0,
        &[Class::BrokenText],
        &["1"],
    );
    check(
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"a\rb\"}\n",
        0,
        &[Class::BrokenText],
        &["1"],
    );
}

#[test]
fn what_looked_folded_and_is_not_costs_no_message() {
    check(
        format!("{{\n{A}\n"),
        0,
        &[Class::Text, Class::Message],
        &["1"],
    );
    check(
        format!("{{\"a\":\n{A}\nx\n{B}\n"),
        0,
        &[Class::Text, Class::Message, Class::Text, Class::Message],
        &["1", "\"b\""],
    );
    check(
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"resu",
        0,
        &[Class::Text],
        &[],
    );
}

#[test]
fn torn_messages_need_several_requests_in_flight() {
    let torn = format!("{}{A}\n{}\n", &B[..20], &B[20..]);
    assert_eq!(triage(torn.as_bytes(), 64, 2).0[0], Class::Torn);
    assert_eq!(triage(torn.as_bytes(), 64, 1).0[0], Class::Text);
    let log = format!("received {A} in 3 ms\n");
    assert_eq!(triage(log.as_bytes(), 64, 2).0, [Class::Text]);
}

#[test]
fn a_long_message_that_breaks_off_is_cut() {
    let long = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"{}",
        "x".repeat(65_536)
    );
    check_sizes(
        &format!("{long}\n{A}\n"),
        &[Class::Cut, Class::Message],
        &["1"],
    );
}

/// As [`check`], without the chunks of a byte that would take long.
#[track_caller]
fn check_sizes(stdout: &str, classes: &[Class], ids: &[&str]) {
    for size in [777, 4096, 1 << 20] {
        let (actual, found) = triage(stdout.as_bytes(), size, 0);
        assert_eq!(actual, classes, "in chunks of {size}");
        assert_eq!(found, ids, "in chunks of {size}");
    }
}

#[test]
fn other_framings_are_understood() {
    let header = |body: &str| format!("Content-Length: {}\r\n\r\n{body}", body.len());
    check(
        header(A) + &header(B),
        0,
        &[Class::Framed, Class::Framed],
        &["1", "\"b\""],
    );
    check(
        format!("\x1e{A}\n\x1e{B}\n"),
        0,
        &[Class::Framed, Class::Framed],
        &["1", "\"b\""],
    );
    check(format!("{A}\r{B}\r"), 0, &[Class::Framed], &["1", "\"b\""]);
    check(format!("{A}\0{B}\0"), 0, &[Class::Framed], &["1", "\"b\""]);
    check(format!("{}{A}\n", A.len()), 0, &[Class::Framed], &["1"]);
}

#[test]
fn a_message_of_ten_megabytes_is_routed_without_being_kept() {
    let text = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"{}\"}}\n",
        "x".repeat(10 << 20)
    );
    let mut seen = 0;
    let mut lines = Lines::default();
    for chunk in text.as_bytes().chunks(64 * 1024) {
        lines.push(chunk, 0, &mut |found| match found {
            Found::Message(message) => {
                assert_eq!(message.id.unwrap().to_string(), "7");
                seen += 1;
            }
            Found::Line(line) => assert_eq!(
                (line.class, line.len),
                (Class::Message, text.len() as u64 - 1)
            ),
        });
    }
    assert_eq!(seen, 1);
}

proptest! {
    #[test]
    fn any_bytes_in_any_chunks_give_the_same_findings(
        pieces in prop::collection::vec(prop_oneof![
            Just(A.to_owned()), Just(B.to_owned()), Just("\n".to_owned()), Just("\r\n".to_owned()),
            Just("{".to_owned()), Just("}".to_owned()), Just("\"".to_owned()), Just("[".to_owned()),
            Just("Content-Length: 36\r\n\r\n".to_owned()), Just("\x1b[1m".to_owned()),
            Just("\u{feff}".to_owned()), Just("é".to_owned()), Just("\0".to_owned()), Just(" 1 ".to_owned()),
            "[ -~]{0,6}",
        ], 0..24),
        size in 1usize..40,
    ) {
        let stdout = pieces.concat();
        prop_assert_eq!(triage(stdout.as_bytes(), size, 0), triage(stdout.as_bytes(), usize::MAX, 0));
    }

    #[test]
    fn no_bytes_are_lost(bytes in prop::collection::vec(any::<u8>(), 0..200), size in 1usize..40) {
        let mut lines = Lines::default();
        let mut total = 0;
        let mut count = |found: Found| if let Found::Line(line) = found { total += line.len + u64::from(line.terminated) };
        for chunk in bytes.chunks(size) {
            lines.push(chunk, 0, &mut count);
        }
        lines.end(0, &mut count);
        prop_assert_eq!(total, bytes.len() as u64);
    }
}
