//! One made-up run with every verdict, in every format.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "reports/baseline.rs"]
mod baseline;
#[path = "reports/files.rs"]
mod files;
#[path = "reports/github.rs"]
mod github;
#[path = "reports/hostile.rs"]
mod hostile;
#[path = "reports/junit.rs"]
mod junit;
#[path = "reports/markdown.rs"]
mod markdown;
#[path = "reports/sarif.rs"]
mod sarif;
#[path = "reports/tap.rs"]
mod tap;

use std::time::Duration;

use mcp_conform::{
    cases,
    report::{self, FormatName, Look, Verbosity, catalogue},
    run::{Evidence, Judgement, Run, Spoken, Verdict},
    spec::{Revision, Transport},
    tape::{Excerpt, Stream},
};
use serde_json::Value;

const NEW: Revision = Revision::V2025_11_25;
const MIDDLE: Revision = Revision::V2025_06_18;
const OLD: Revision = Revision::V2025_03_26;
const PLAIN: Look = Look {
    color: false,
    verbosity: Verbosity::Normal,
    width: 100,
};

fn judgement(id: &str, revision: Revision, verdict: Verdict, message: &str) -> Judgement {
    Judgement {
        case: cases::find(id).unwrap_or_else(|| panic!("there is no case {id}")),
        revision,
        transport: Transport::Stdio,
        verdict,
        message: (!message.is_empty()).then(|| message.to_owned()),
        remarks: Vec::new(),
        evidence: Evidence::default(),
    }
}

fn said(stream: Stream, at_ms: u64, bytes: impl AsRef<[u8]>) -> Excerpt {
    Excerpt::new(stream, Duration::from_millis(at_ms), bytes.as_ref())
}

fn marked(mut excerpt: Excerpt, part: &[u8]) -> Excerpt {
    let at = excerpt
        .text
        .windows(part.len())
        .position(|window| window == part)
        .unwrap();
    excerpt.mark = Some(at..at + part.len());
    excerpt
}

/// Escapes, in two revisions alike but for their place.
fn escapes(revision: Revision, place: u64) -> Judgement {
    let hostile =
        b"\x1b[2J\x1b]0;owned\x07{\"jsonrpc\":\"2.0\",\"id\":\"list-1\",\"result\":{\"tools\":[]}}";
    let mut judgement = judgement(
        "stdio/stdout-no-ansi",
        revision,
        Verdict::Fail,
        &format!(
            "a line of stdout holds terminal escape sequences, at byte {place} of stdout: `\x1b[2J`"
        ),
    );
    judgement.evidence.exchange = vec![
        said(Stream::Stderr, 1402, "starting \u{202e}up\u{9b}"),
        marked(
            said(Stream::Stdout, 1405, hostile),
            b"\x1b[2J\x1b]0;owned\x07",
        ),
        said(
            Stream::Stdin,
            1401,
            "{\"jsonrpc\":\"2.0\",\"id\":\"list-1\",\"method\":\"tools/list\"}\n",
        ),
    ];
    judgement
}

/// Bytes that are not UTF-8, far behind the start of a long line.
fn not_utf8() -> Judgement {
    let mut line = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"text\":\""
        .to_owned()
        .into_bytes();
    line.extend("漢字 and so on, ".repeat(40).bytes());
    line.extend(b"caf\xe9 \xff\xfe");
    line.extend("; it goes on and on".repeat(400).bytes());
    let mut judgement = judgement(
        "stdio/stdout-utf8",
        NEW,
        Verdict::Fail,
        "a message holds bytes that are not UTF-8",
    );
    judgement.evidence.exchange = vec![marked(said(Stream::Stdout, 20, &line), b"\xe9 \xff\xfe")];
    judgement
}

/// More was said than fits, and two values are compared.
fn compared() -> Judgement {
    let mut judgement = judgement(
        "stdio/input-unicode-escapes",
        NEW,
        Verdict::Fail,
        "the id comes back otherwise than it was sent",
    );
    for number in 0..12 {
        let ping =
            format!("{{\"jsonrpc\":\"2.0\",\"id\":\"ping-{number}\",\"method\":\"ping\"}}\n");
        judgement
            .evidence
            .exchange
            .push(said(Stream::Stdin, 100 + number, ping));
    }
    judgement.evidence.compared = Some((
        "\"h\\u00e9llo wörld\"".into(),
        "\"hello world\x1b[0m\"".into(),
    ));
    judgement
}

fn by_lines() -> Judgement {
    let mut judgement = judgement(
        "stdio/crlf-input",
        NEW,
        Verdict::Warn,
        "the answer is another one where the line ends in CR LF",
    );
    judgement.evidence.exchange = vec![
        said(
            Stream::Stdin,
            5,
            "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}\r\n",
        ),
        said(Stream::Stdout, 6, ""),
    ];
    let result =
        |name: &str| format!("{{\n  \"id\": 7,\n  \"jsonrpc\": \"2.0\",\n  \"{name}\": {{}}\n}}");
    judgement.evidence.compared = Some((result("result"), result("error")));
    judgement
}

/// A run with every verdict.
fn made_up() -> Run {
    let mut large = judgement("stdio/large-output", NEW, Verdict::Pass, "");
    large.remarks = vec!["the longest line had 1048576 bytes".into()];
    let mut large_before = large.clone();
    large_before.revision = MIDDLE;
    let mut exit = judgement(
        "stdio/exit-on-sigterm",
        NEW,
        Verdict::Error,
        "the server died: killed by signal 11",
    );
    exit.evidence.exchange = vec![said(Stream::Stderr, 900, "Segmentation fault\n")];
    let unseen = "no text beyond ASCII was ever written";
    Run {
        started: "2026-03-01T12:00:00Z".into(),
        duration: Duration::from_millis(4321),
        target: "node 'my server.js' --flag".into(),
        file: Some("my server.js".into()),
        artifact: None,
        command_line: ("stdio", "-- node 'my server.js' --flag".into()),
        transport: Transport::Stdio,
        server: Some(("every\x1b[31mthing".into(), "1.2.0".into())),
        options: vec!["--timeout".into(), "3".into()],
        filtered: false,
        shard: None,
        finished: true,
        processes: 12,
        revisions: vec![
            (NEW, Spoken::Yes),
            (MIDDLE, Spoken::Yes),
            (OLD, Spoken::Other("2025-06-18\x1b[0m".into())),
            (
                Revision::V2024_11_05,
                Spoken::No("`initialize` was answered with error -32602".into()),
            ),
        ],
        judgements: vec![
            judgement("stdio/stdout-only-messages", NEW, Verdict::Pass, ""),
            escapes(NEW, 312),
            not_utf8(),
            compared(),
            by_lines(),
            judgement("stdio/input-utf8", NEW, Verdict::Unverified, unseen),
            judgement(
                "stdio/atomic-writes",
                NEW,
                Verdict::Unverified,
                "stdio/stdout-no-ansi broke it",
            ),
            judgement(
                "stdio/newline-in-string-escaped",
                NEW,
                Verdict::Unverified,
                unseen,
            ),
            judgement(
                "stdio/stderr-utf8",
                NEW,
                Verdict::Note,
                "stderr holds bytes that are not UTF-8",
            ),
            large,
            exit,
            judgement(
                "stdio/concurrent-requests",
                NEW,
                Verdict::NotApplicable,
                "the server declares no tools",
            ),
            judgement("stdio/stdout-only-messages", MIDDLE, Verdict::Pass, ""),
            escapes(MIDDLE, 298),
            judgement(
                "stdio/crlf-input",
                MIDDLE,
                Verdict::Warn,
                "nothing came back to a line that ends in CR LF",
            ),
            large_before,
        ],
        remarks: vec!["the server speaks HTTP+SSE at /sse as well".into()],
        baseline: None,
        unreadable: Vec::new(),
    }
}

/// A run in which nothing is wrong.
fn whole() -> Run {
    let mut run = made_up();
    run.revisions.truncate(2);
    run.judgements
        .retain(|judgement| judgement.verdict == Verdict::Pass);
    run
}

fn written(run: &Run, format: FormatName, look: Look) -> String {
    let mut out = Vec::new();
    report::write(format, run, look, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn human(run: &Run, look: Look) -> String {
    written(run, FormatName::Human, look)
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&written(run, FormatName::Json, PLAIN)).unwrap()
}

/// The text without the version of the day.
fn stable(text: &str) -> String {
    text.replace(
        concat!("mcp-conform ", env!("CARGO_PKG_VERSION")),
        "mcp-conform VERSION",
    )
    .replace(
        concat!("\"version\": \"", env!("CARGO_PKG_VERSION"), "\""),
        "\"version\": \"VERSION\"",
    )
}

#[test]
fn people_read_what_is_wrong_first() {
    insta::assert_snapshot!("human", stable(&human(&made_up(), PLAIN)));
}

#[test]
fn colours_mark_the_same_text() {
    let colored = human(
        &made_up(),
        Look {
            color: true,
            ..PLAIN
        },
    );
    insta::assert_snapshot!("human_color", stable(&colored).replace('\x1b', "␛"));
    let mut bare = String::new();
    let mut rest = colored.as_str();
    while let Some((before, code)) = rest.split_once('\x1b') {
        bare.push_str(before);
        let end = code.find('m').unwrap();
        assert!(
            code[1..end]
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b';'),
            "{code}"
        );
        rest = &code[end + 1..];
    }
    bare.push_str(rest);
    assert_eq!(bare, human(&made_up(), PLAIN));
}

#[test]
fn a_narrow_terminal_and_every_case() {
    let look = Look {
        verbosity: Verbosity::Verbose,
        width: 80,
        ..PLAIN
    };
    insta::assert_snapshot!("human_verbose_80", stable(&human(&made_up(), look)));
}

#[test]
fn quiet_means_the_last_lines_only() {
    let look = Look {
        verbosity: Verbosity::Quiet,
        ..PLAIN
    };
    insta::assert_snapshot!("human_quiet", human(&made_up(), look));
    insta::assert_snapshot!("human_quiet_whole", human(&whole(), look));
}

#[test]
fn nothing_seen_or_not_finished_is_not_called_conformance() {
    let look = Look {
        verbosity: Verbosity::Quiet,
        ..PLAIN
    };
    let unfinished = Run {
        finished: false,
        ..whole()
    };
    let mut blind = whole();
    for judgement in &mut blind.judgements {
        judgement.verdict = Verdict::Unverified;
    }
    for run in [&unfinished, &blind] {
        assert!(
            !human(run, look).contains(": conforms"),
            "{}",
            human(run, look)
        );
        assert_eq!(json(run)["revisions"][0]["conforms"], Value::Null);
    }
    assert_eq!(json(&whole())["revisions"][0]["conforms"], true);
    assert_eq!(json(&made_up())["revisions"][0]["conforms"], false);
    assert_eq!(json(&made_up())["revisions"][2]["conforms"], Value::Null);
}

#[test]
fn a_failure_in_several_revisions_is_one_finding() {
    let text = human(&made_up(), PLAIN);
    assert_eq!(text.matches("✗ fail  stdio/stdout-no-ansi").count(), 1);
    assert!(text.contains("in 2025-11-25, 2025-06-18\n"));
    // Two revisions warn with different words: both are shown, in one finding.
    assert_eq!(text.matches("▲ warn  stdio/crlf-input").count(), 1);
    assert!(text.contains("in 2025-06-18: nothing came back"));
}

#[test]
fn the_end_of_a_long_reason_is_shown() {
    let mut run = made_up();
    let reason = "no tool may be called that says it is read-only, and this run was told nothing \
        else: --tools=all or --call NAME permits one";
    run.judgements = vec![judgement(
        "stdio/input-utf8",
        NEW,
        Verdict::Unverified,
        reason,
    )];
    let text = human(&run, Look { width: 60, ..PLAIN });
    assert!(
        text.contains("\n    --tools=all or --call NAME permits one\n"),
        "{text}"
    );
}

#[test]
fn the_level_is_that_of_the_revision_which_was_judged() {
    let id = "lifecycle/methods-of-revision";
    let mut run = made_up();
    let (old, says) = (Revision::V2025_03_26, "`x` is no method");
    run.judgements = vec![judgement(id, old, Verdict::Warn, says)];
    for format in [FormatName::Human, FormatName::Tap, FormatName::Github] {
        let text = written(&run, format, PLAIN);
        assert!(text.contains("SHOULD") && !text.contains("MUST"), "{text}");
    }
    assert_eq!(json(&run)["results"][0]["level"], "SHOULD");
    run.judgements = vec![judgement(id, NEW, Verdict::Fail, says)];
    assert_eq!(json(&run)["results"][0]["level"], "MUST");
    let case = cases::find(id).unwrap();
    assert_eq!(case.clause.binding(), "MUST (SHOULD until 2025-03-26)");
}

#[test]
fn no_text_of_the_server_moves_a_cursor() {
    let run = made_up();
    let mut texts = Vec::new();
    for verbosity in [Verbosity::Quiet, Verbosity::Normal, Verbosity::Verbose] {
        for width in [0, 40, 80, 100, 1000] {
            texts.push(human(
                &run,
                Look {
                    verbosity,
                    width,
                    ..PLAIN
                },
            ));
        }
    }
    texts.push(written(
        &run,
        FormatName::Json,
        Look {
            color: true,
            ..PLAIN
        },
    ));
    for text in texts {
        let mover = text.find(|letter: char| {
            (letter.is_control() && letter != '\n') || matches!(letter, '\u{202a}'..='\u{202e}')
        });
        assert_eq!(mover, None, "{text}");
    }
}

#[test]
fn lines_keep_the_width_but_for_what_is_to_be_copied() {
    for width in [80, 100] {
        let text = human(
            &made_up(),
            Look {
                width,
                verbosity: Verbosity::Verbose,
                ..PLAIN
            },
        );
        for line in text
            .lines()
            .filter(|line| !line.contains("mcp-conform stdio") && !line.contains("https:"))
        {
            let room = if line.contains(" over stdio: ") {
                width.max(80) + 60
            } else {
                width
            };
            assert!(line.chars().count() <= room, "{width}: {line}");
        }
    }
}

#[test]
fn programs_read_every_verdict() {
    let text = written(&made_up(), FormatName::Json, PLAIN);
    insta::assert_snapshot!("json", stable(&text));
}

#[test]
fn the_report_keeps_its_schema_and_the_schema_is_strict() {
    let schema: Value = serde_json::from_str(schemas::REPORT).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let unnamed = Run {
        server: None,
        filtered: true,
        ..whole()
    };
    for run in [made_up(), whole(), unnamed, baseline::baselined()] {
        let report = json(&run);
        let errors: Vec<_> = validator
            .iter_errors(&report)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(errors, Vec::<String>::new());
    }
    let mut report = json(&made_up());
    report["results"][0]["extra"] = true.into();
    assert!(!validator.is_valid(&report));
    let mut report = json(&made_up());
    report["results"][1]["evidence"] = Value::Null;
    assert!(!validator.is_valid(&report));
    undescribed(&schema, "#");
}

/// Every member of every object in the schema says what it is.
fn undescribed(schema: &Value, path: &str) {
    if let Value::Object(members) = schema {
        if members.get("type") == Some(&"object".into()) && members.contains_key("required") {
            assert_eq!(members["additionalProperties"], false, "{path}");
            for (name, property) in members["properties"].as_object().unwrap() {
                assert!(property["description"].is_string(), "{path}/{name}");
            }
        }
        for (name, member) in members {
            undescribed(member, &format!("{path}/{name}"));
        }
    }
    if let Value::Array(entries) = schema {
        entries.iter().for_each(|entry| undescribed(entry, path));
    }
}

#[test]
fn only_results_name_a_case_and_a_verdict() {
    fn count(value: &Value) -> usize {
        let inner = |values: &mut dyn Iterator<Item = &Value>| values.map(count).sum::<usize>();
        match value {
            Value::Object(members) => {
                usize::from(members.contains_key("case") && members.contains_key("verdict"))
                    + inner(&mut members.values())
            }
            Value::Array(entries) => inner(&mut entries.iter()),
            _ => 0,
        }
    }
    assert_eq!(count(&json(&made_up())), made_up().judgements.len());
}

#[test]
fn bytes_come_through_json_unharmed() {
    let report = json(&made_up());
    let exchange = &report["results"][1]["evidence"]["exchange"];
    assert_eq!(exchange[0]["stream"], "stdin");
    assert_eq!(exchange[1]["text"], "starting \u{202e}up\u{9b}");
    assert!(
        exchange[2]["text"]
            .as_str()
            .unwrap()
            .starts_with("\x1b[2J\x1b]0;owned\x07{")
    );
    assert_eq!(exchange[2]["mark"], serde_json::json!([0, 14]));
    let said = &report["results"][2]["evidence"]["exchange"][0];
    let (start, end) = (
        said["mark"][0].as_u64().unwrap() as usize,
        said["mark"][1].as_u64().unwrap() as usize,
    );
    assert_eq!(
        &said["hex"].as_str().unwrap()[2 * start..2 * end],
        "e920fffe"
    );
    assert!(said["text"].as_str().unwrap().contains(r"caf\xe9 \xff\xfe"));
    assert!(said["bytes"].as_u64().unwrap() > 4096);
}

#[test]
fn half_a_letter_at_the_cut_is_not_taken_for_bad_bytes() {
    let mut run = whole();
    let mut judgement = judgement("stdio/stdout-utf8", NEW, Verdict::Fail, "made up");
    judgement.evidence.exchange = vec![said(Stream::Stdout, 0, format!("a{}", "é".repeat(4000)))];
    run.judgements.push(judgement);
    let report = json(&run);
    let said = &report["results"].as_array().unwrap().last().unwrap()["evidence"]["exchange"][0];
    assert_eq!(said["hex"], Value::Null);
    assert_eq!(said["text"].as_str().unwrap().len(), 4095);
}

#[test]
fn the_list_names_every_case_once() {
    let all: Vec<_> = cases::all().collect();
    let mut out = Vec::new();
    catalogue::list_json(&all, &mut out).unwrap();
    let list: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(list["schema_version"], 1);
    let entries = list["cases"].as_array().unwrap();
    assert_eq!(entries.len(), all.len());
    for (entry, case) in entries.iter().zip(&all) {
        assert_eq!(entry["id"], case.clause.id);
        let revisions: Vec<_> = case.clause.revisions().map(Revision::as_str).collect();
        for by_revision in ["level", "anchors"] {
            let keys: Vec<_> = entry[by_revision].as_object().unwrap().keys().collect();
            assert_eq!(keys, revisions, "{}", case.clause.id);
        }
        assert!(["probe", "rule", "both"].contains(&entry["kind"].as_str().unwrap()));
        assert!(!entry["fault"].as_str().unwrap().is_empty());
    }
    for width in [80, 200] {
        let mut out = Vec::new();
        catalogue::list_human(&all, Look { width, ..PLAIN }, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        for case in &all {
            let rows = text
                .lines()
                .filter(|line| line.split_whitespace().next() == Some(case.clause.id));
            assert_eq!(rows.count(), 1, "{}", case.clause.id);
            assert!(text.contains(case.clause.title));
        }
        assert!(
            text.lines().all(|line| line.chars().count() <= width),
            "{text}"
        );
    }
}

#[test]
fn a_few_cases_are_listed_in_a_table() {
    let few: Vec<_> = [
        "stdio/stdout-only-messages",
        "stdio/batch-received",
        "stdio/stderr-utf8",
    ]
    .iter()
    .filter_map(|id| cases::find(id))
    .collect();
    let mut out = Vec::new();
    catalogue::list_human(&few, PLAIN, &mut out).unwrap();
    out.extend(b"\n");
    catalogue::list_json(&few[..1], &mut out).unwrap();
    insta::assert_snapshot!("list", stable(&String::from_utf8(out).unwrap()));
}

#[test]
fn a_case_is_explained_in_full() {
    for case in cases::all() {
        let mut out = Vec::new();
        catalogue::explain(case, Look { width: 80, ..PLAIN }, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        for revision in case.clause.revisions() {
            assert!(text.contains(&case.clause.link(revision)), "{text}");
        }
        assert!(text.contains(&catalogue::example(case)), "{text}");
    }
    let mut out = Vec::new();
    let case = cases::find("stdio/stdout-only-messages").unwrap();
    catalogue::explain(case, Look { width: 80, ..PLAIN }, &mut out).unwrap();
    insta::assert_snapshot!("explain", String::from_utf8(out).unwrap());
}
