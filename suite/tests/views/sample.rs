//! A made-up run of a server that means harm, and small ones to count and compare.

use std::{path::PathBuf, time::Duration};

use mcp_conform::{
    cases,
    report::{Format, json::Json},
    run::{Baseline, Evidence, Judgement, Run, Spoken, Verdict},
    spec::{Revision, Transport},
    tape::{Excerpt, Stream},
};
use serde_json::Value;

pub(crate) const NEW: Revision = Revision::V2025_11_25;
pub(crate) const MIDDLE: Revision = Revision::V2025_06_18;
pub(crate) const OLD: Revision = Revision::V2025_03_26;

/// What a server might say to get out of a page, a badge or a table.
pub(crate) const HOSTILE: &str =
    "</script><script>alert(1)</script>\" onload='x' <!-- ]]> | `x` \u{202e}\x1b[2J\n# &amp;";

pub(crate) fn judgement(id: &str, revision: Revision, verdict: Verdict) -> Judgement {
    Judgement {
        case: cases::find(id).unwrap_or_else(|| panic!("there is no case {id}")),
        revision,
        transport: Transport::Stdio,
        verdict,
        message: match verdict {
            Verdict::Pass => None,
            verdict => Some(format!("made up to be {verdict}")),
        },
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

/// A run with these verdicts in the newest revision, in which nothing else happened.
pub(crate) fn small(verdicts: &[(&str, Verdict)]) -> Run {
    Run {
        started: "2026-03-01T12:00:00.123456789Z".into(),
        duration: Duration::from_millis(4321),
        target: "node build/index.js".into(),
        command_line: ("stdio", "-- node build/index.js".into()),
        file: Some("build/index.js".into()),
        artifact: None,
        transport: Transport::Stdio,
        server: Some(("everything".into(), "1.2.0".into())),
        options: Vec::new(),
        filtered: false,
        shard: None,
        finished: true,
        processes: 3,
        revisions: vec![(NEW, Spoken::Yes)],
        remarks: Vec::new(),
        judgements: verdicts
            .iter()
            .map(|(id, verdict)| judgement(id, NEW, *verdict))
            .collect(),
        unreadable: Vec::new(),
        baseline: None,
    }
}

/// A run with every verdict, in which whatever the server could write is hostile.
pub(crate) fn hostile() -> Run {
    let mut broken = judgement("stdio/stdout-no-ansi", NEW, Verdict::Fail);
    broken.message = Some(format!("a line holds `{HOSTILE}`"));
    broken.evidence.exchange = vec![
        said(Stream::Stdin, 1401, "{\"method\":\"tools/list\"}\n"),
        said(Stream::Stderr, 1402, HOSTILE),
        marked(
            said(Stream::Stdout, 1405, HOSTILE),
            b"<script>alert(1)</script>",
        ),
    ];
    let mut before = broken.clone();
    before.revision = MIDDLE;
    before.evidence.exchange.truncate(1);

    let mut line = "漢字 & so on, ".repeat(60).into_bytes();
    line.extend(b"caf\xe9 \xff\xfe");
    line.extend("; it goes on".repeat(400).bytes());
    let mut long = judgement("stdio/stdout-utf8", NEW, Verdict::Fail);
    long.evidence.exchange = vec![marked(said(Stream::Stdout, 20, &line), b"\xe9 \xff\xfe")];

    let mut escapes = judgement("stdio/input-unicode-escapes", NEW, Verdict::Fail);
    for number in 0..12 {
        let ping = format!("{{\"id\":\"ping-{number}\",\"method\":\"ping\"}}\n");
        let exchange = &mut escapes.evidence.exchange;
        exchange.push(said(Stream::Stdin, 100 + number, ping));
    }
    escapes.evidence.compared = Some(("\"h\\u00e9llo <wörld>\"".into(), "\"hello <world\"".into()));

    let mut lines = judgement("stdio/crlf-input", NEW, Verdict::Warn);
    lines.evidence.exchange = vec![said(Stream::Stdout, 6, "")];
    lines.evidence.compared = Some((
        "{\n  \"id\": 7,\n  \"result\": {}\n}".into(),
        format!(
            "{{\n  \"id\": 7,\n  \"<b>\": \"{}\"\n}}",
            HOSTILE.replace('\n', "")
        ),
    ));
    let mut before_lines = lines.clone();
    before_lines.revision = MIDDLE;
    before_lines.message = Some("another reason".into());

    let mut large = judgement("stdio/large-output", NEW, Verdict::Pass);
    large.remarks = vec![HOSTILE.into()];
    let mut died = judgement("stdio/exit-on-sigterm", NEW, Verdict::Error);
    died.evidence.exchange = vec![said(Stream::Stderr, 900, "Segmentation fault\n")];

    let quiet = [
        ("stdio/stdout-only-messages", NEW, Verdict::Pass),
        ("stdio/input-utf8", NEW, Verdict::Unverified),
        ("stdio/stderr-utf8", NEW, Verdict::Note),
        ("stdio/concurrent-requests", NEW, Verdict::NotApplicable),
        ("stdio/stdout-only-messages", MIDDLE, Verdict::Pass),
    ];
    let mut judgements = vec![broken, long, escapes, lines, large, died];
    judgements.extend(quiet.map(|(id, revision, verdict)| judgement(id, revision, verdict)));
    judgements.extend([before, before_lines]);
    Run {
        target: format!("node '{HOSTILE}'"),
        command_line: ("stdio", format!("-- node '{HOSTILE}'")),
        server: Some((HOSTILE.into(), "1.2.0".into())),
        options: vec!["--timeout".into(), "3".into()],
        processes: 12,
        revisions: vec![
            (NEW, Spoken::Yes),
            (MIDDLE, Spoken::Yes),
            (OLD, Spoken::Other(HOSTILE.into())),
            (Revision::V2024_11_05, Spoken::No(HOSTILE.into())),
        ],
        judgements,
        ..small(&[])
    }
}

/// The same, with a baseline that knows of one failure in each revision by an entry of its own, and
/// has one that holds no longer.
pub(crate) fn known() -> Run {
    let entries = r#"[[known]]
case = "stdio/stdout-no-ansi"
revision = "2025-11-25"
reason = "the logger colours what it prints </script>"

[[known]]
case = "stdio/stdout-no-ansi"
revision = "2025-06-18"
reason = "old"

[[known]]
case = "stdio/large-output"
reason = "was too slow"
"#;
    Run {
        baseline: Some(Baseline::read("conform.toml", entries).unwrap()),
        ..hostile()
    }
}

/// The report of a run as programs read it.
pub(crate) fn json(run: &Run) -> Value {
    let mut out = Vec::new();
    Json.write(run, &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

/// Holds a document against a schema of ours.
pub(crate) fn keeps_schema(schema: &str, document: &Value) {
    let schema: Value = serde_json::from_str(schema).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, Vec::<String>::new());
}

/// A file of these tests' own.
pub(crate) fn file(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("views");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

/// The text without the version of the day.
pub(crate) fn stable(text: &str) -> String {
    text.replace(env!("CARGO_PKG_VERSION"), "VERSION")
}
