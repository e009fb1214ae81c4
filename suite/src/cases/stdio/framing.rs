//! How messages are cut apart and encoded on stdout.

use super::{
    output::{any_line, never},
    prelude::*,
};

pub(super) const CASES: &[Case] = &[
    NEWLINE_DELIMITED,
    ONE_PER_LINE,
    NO_EMBEDDED_NEWLINES,
    NEWLINE_IN_STRING,
    NEWLINE_AFTER_EACH,
    FLUSHED,
    ATOMIC_WRITES,
    STDOUT_UTF8,
    LARGE_OUTPUT,
    RESPONSES_ON_STDOUT,
    STDERR_UTF8,
];

const NEWLINE_DELIMITED: Case = Case::rule(
    Clause {
        id: "stdio/newline-delimited",
        title: "messages are delimited by newlines, not by headers",
        statement: "Messages on the wire are separated by line feeds. There are no Content-Length \
            headers, length prefixes, NUL or record-separator bytes around them.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/transports#stdio"),
            (V2026_07_28, "basic/transports/stdio#receiving-messages"),
        ],
        fault: "lsp-framing",
    },
    Advice {
        why: "A client that reads lines never finds a message that is framed by headers, lengths \
            or other separators.",
        how: "Looks for `Content-Length` headers, length prefixes, NUL, RS and bare CR around \
            messages.",
        mend: "Write the JSON on one line and a line feed behind it. The header framing belongs \
            to the Language Server Protocol, not to MCP.",
    },
    Rule {
        subject: any_line,
        holds: |event, past| {
            never(
                Class::Framed,
                event,
                past,
                "messages are framed by something else than line feeds",
            )
        },
        unseen: "nothing was written at all",
    },
);

const ONE_PER_LINE: Case = Case::probe(
    Clause {
        id: "stdio/one-message-per-line",
        title: "one line holds one message",
        statement: "A line feed separates each message from the next; two messages never share a line.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#stdio"), (V2026_07_28, "basic/transports/stdio#receiving-messages")],
        fault: "glued-messages",
    },
    Advice {
        why: "A parser reads one JSON value from a line; what stands behind it is an error or is \
            lost.",
        how: "Five pings with distinct ids go out in one write, so that the answers are produced \
            close together; every line of the run is looked at.",
        mend: "Write each message together with its line feed, under one lock.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let (ids, lines) = five_pings(s);
            s.exchange(lines.as_bytes(), &ids).await?;
            Ok(())
        })
    },
)
.with_rule(Rule {
    subject: any_line,
    holds: |event, past| never(Class::Glued, event, past, "two messages stand on one line"),
    unseen: "fewer than two messages were ever written",
});

const NO_EMBEDDED_NEWLINES: Case = Case::rule(
    Clause {
        id: "stdio/no-embedded-newlines",
        title: "a message is one line, not pretty-printed",
        statement: "A message holds no line break of its own: the serialised JSON is not indented over \
            several lines.",
        level: Level::MustNot,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/transports#stdio"),
            (V2026_07_28, "basic/transports/stdio#receiving-messages"),
        ],
        fault: "pretty-printed-json",
    },
    Advice {
        why: "Each line of an indented message reaches the client as a message of its own, and \
            none of them is valid.",
        how: "A line that is no JSON is joined with those behind it; where they make one value, \
            the message was spread over lines.",
        mend: "Serialise without indentation: `JSON.stringify(message)`, `json.dumps(message)`, \
            `serde_json::to_string`.",
    },
    Rule {
        subject: any_line,
        holds: |event, past| {
            never(
                Class::Folded,
                event,
                past,
                "a message is spread over several lines",
            )
        },
        unseen: "nothing was ever written to stdout",
    },
);

const NEWLINE_IN_STRING: Case = Case::probe(
    Clause {
        id: "stdio/newline-in-string-escaped",
        title: "line breaks inside strings are written as escapes",
        statement: "A line break inside a string value leaves the server as an escape sequence, never \
            as a raw line feed or carriage return that would split the message.",
        level: Level::MustNot,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#stdio"), (V2026_07_28, "basic/transports/stdio#receiving-messages")],
        fault: "unescaped-newline-in-string",
    },
    Advice {
        why: "A raw line feed in a string cuts the message in two, and JSON forbids it anyway.",
        how: "A ping whose id holds escaped line breaks is sent, which any server echoes; every \
            line of the run is looked at.",
        mend: "Let a JSON library write strings. Texts that are pasted into a template need their \
            line breaks escaped.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let id = "nl\nsep\r\nend".to_owned();
            let line = s.ping(&id) + "\n";
            let answers = s.exchange(line.as_bytes(), &text_ids(&[id])).await?;
            match &answers[0] {
                Some(_) => Ok(()),
                None => {
                    s.sentinel().await?;
                    unverified("a ping whose id holds line breaks is not answered under that id")
                }
            }
        })
    },
)
.with_rule(Rule {
    subject: any_line,
    holds: |event, past| {
        never(Class::BrokenText, event, past, "a string on stdout holds a raw line break")
    },
    unseen: "nothing was ever written to stdout",
});

const NEWLINE_AFTER_EACH: Case = Case::probe(
    Clause {
        id: "stdio/newline-after-each-message",
        title: "each message is followed by its newline at once",
        statement: "The delimiter is written together with the message that it ends; a reader does not \
            have to wait for the next message, or for the end of the stream, to know that a \
            message is complete.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/transports#stdio"),
            (V2026_07_28, "basic/transports/stdio#receiving-messages"),
        ],
        fault: "missing-newline",
    },
    Advice {
        why: "Without its line feed an answer is not complete: the client waits for ever.",
        how: "One ping is sent and nothing more; its answer has to be followed by a line feed \
            within the time for one answer.",
        mend: "Write the line feed behind each message, in the same write, and flush.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let id = s.fresh_id();
            let line = s.ping(&id) + "\n";
            let answers = s.exchange(line.as_bytes(), &text_ids(&[id])).await?;
            if answers[0].is_none() {
                return Err(s.unanswered("ping"));
            }
            if s.line_ended().await {
                return Ok(());
            }
            let foreign = s.session.with_state(|state| {
                let pending = state.lines.pending().map(|text| text.last().copied());
                matches!(pending, Some(Some(b'\r' | 0)))
            });
            if foreign {
                return unverified("messages end in something else, see stdio/newline-delimited");
            }
            violated("the answer stands on stdout without a line feed behind it")
        })
    },
);

const FLUSHED: Case = Case::rule(
    Clause {
        id: "stdio/flushed-promptly",
        title: "answers are flushed while the client waits",
        statement: "The server hands its answers to the operating system when they are ready. An \
            answer that stays in a user-space buffer until the process ends was, to the \
            client, never sent.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/transports#stdio"),
            (V2026_07_28, "basic/transports/stdio#receiving-messages"),
        ],
        fault: "stdout-unflushed",
    },
    Advice {
        why: "Standard output is block-buffered when it is a pipe: what works in a terminal says \
            nothing to a client.",
        how: "If `initialize` stays unanswered, stdin is closed: an answer that comes only then \
            was held back.",
        mend: "Flush after each message: `sys.stdout.flush()` or `python -u`, `fflush(stdout)`, \
            `$| = 1`, `STDOUT.sync = true`.",
    },
    Rule {
        subject: |event, _| matches!(event, Event::Message(message) if message.kind() == Kind::Response),
        holds: |event, past| match event {
            Event::Message(message) if past.gave_up && past.stopping => violated_by(
                "the answer was written only after stdin had been closed",
                vec![Excerpt::of_message(past.now, message)],
            ),
            _ => Ok(()),
        },
        unseen: "the server does not answer at all",
    },
);

const ATOMIC_WRITES: Case = Case::probe(
    Clause {
        id: "stdio/atomic-writes",
        title: "messages written concurrently are not interleaved",
        statement: "Each message reaches standard output as one uninterrupted line, even when several \
            handlers answer at the same time.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#stdio"), (V2026_07_28, "basic/transports/stdio#receiving-messages")],
        fault: "interleaved-writes",
    },
    Advice {
        why: "Two handlers that write at once tear each other's messages apart; it happens under \
            load, and seldom in tests.",
        how: "Fifty requests go out in one write, pings and lists in turn; no line may be torn.",
        mend: "Let one task write, or hold one lock over the message and its line feed.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let lists: Vec<&str> = LISTS
                .iter()
                .filter(|(capability, _)| s.session.declares(capability))
                .map(|(_, method)| *method)
                .collect();
            let ids: Vec<String> = (0..50).map(|_| s.fresh_id()).collect();
            let lines: String = ids
                .iter()
                .enumerate()
                .map(|(number, id)| match number % 3 {
                    0 => s.ping(id) + "\n",
                    _ if lists.is_empty() => s.ping(id) + "\n",
                    _ => {
                        let method = lists[number % lists.len()];
                        format!("{}\n", json!({ "jsonrpc": "2.0", "id": id, "method": method }))
                    }
                })
                .collect();
            let answers = s.exchange_any(lines.as_bytes(), &text_ids(&ids)).await?;
            s.sentinel().await?;
            match answers.iter().filter(|answer| answer.is_none()).count() {
                0 => Ok(()),
                missing => unverified(format!("{missing} of 50 requests were not answered")),
            }
        })
    },
)
.with_rule(Rule {
    subject: any_line,
    holds: |event, past| never(Class::Torn, event, past, "a message is torn by another"),
    unseen: "nothing was ever written to stdout",
});

const STDOUT_UTF8: Case = Case::rule(
    Clause {
        id: "stdio/stdout-utf8",
        title: "messages on stdout are UTF-8",
        statement: "Messages are encoded in UTF-8.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[
            (V2025_03_26, "basic/transports#stdio"),
            (V2026_07_28, "basic/transports/index#messages"),
        ],
        fault: "stdout-latin1",
    },
    Advice {
        why: "A client decodes UTF-8; other bytes end the session or turn into replacement \
            characters.",
        how: "Every line is decoded strictly as UTF-8. The ids of other cases hold letters \
            beyond ASCII, which servers echo.",
        mend: "Set the encoding of stdout: `PYTHONIOENCODING=utf-8` or \
            `sys.stdout.reconfigure(encoding=\"utf-8\")`, `-Dstdout.encoding=UTF-8`, \
            `Console.OutputEncoding`.",
    },
    Rule {
        subject: |event, _| matches!(event, Event::Line(line) if line.beyond_ascii),
        holds: |event, past| never(Class::NotUtf8, event, past, "a line of stdout is not UTF-8"),
        unseen: "only ASCII was ever written, which is UTF-8 but proves nothing",
    },
);

const LARGE_OUTPUT: Case = Case::probe(
    Clause {
        id: "stdio/large-output",
        title: "a long message is written as one whole line",
        statement: "Framing does not depend on a message's length: a message longer than a pipe buffer \
            still is one complete line.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#stdio"), (V2026_07_28, "basic/transports/stdio#receiving-messages")],
        fault: "stdout-truncated-64k",
    },
    Advice {
        why: "Tool results are long. A server whose stdout is not blocking loses what the pipe \
            has no room for.",
        how: "A ping with an id of 128 KiB is sent and its answer read slowly, 1 KiB at a time.",
        mend: "Wait until a write is complete: handle short writes and EAGAIN, or `await` the \
            drain of the stream.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let id = format!("{}-{}", s.fresh_id(), "x".repeat(128 * 1024));
            let line = s.ping(&id) + "\n";
            // Long enough for a server to fill the pipe, which nobody empties in the meantime.
            s.session.read_slowly(Some(Duration::from_millis(30)));
            let answers = s.exchange(line.as_bytes(), &text_ids(&[id])).await;
            s.session.read_slowly(None);
            match answers {
                Ok(answers) if answers[0].is_some() => return Ok(()),
                Ok(_) if !s.session.has_ended() => {}
                Ok(_) | Err(Stop::Broke(_)) => {
                    return unverified("the server ended at an id of 128 KiB, see stdio/large-input");
                }
                Err(stop) => return Err(stop),
            }
            if s.session.with_state(|state| state.lines.pending().is_none()) {
                return unverified("an id of 128 KiB is not answered");
            }
            violated("the answer to a ping with an id of 128 KiB is not complete")
        })
    },
)
.with_rule(Rule {
    subject: |event, _| {
        matches!(event, Event::Line(line) if line.len > 64 * 1024 || line.class == Class::Cut)
    },
    holds: |event, past| never(Class::Cut, event, past, "a long message is cut off"),
    unseen: "no line above 64 KiB was seen",
});

const RESPONSES_ON_STDOUT: Case = Case::rule(
    Clause {
        id: "stdio/responses-on-stdout",
        title: "responses go to stdout, not to stderr",
        statement: "The server writes its messages to standard output; standard error is for logging \
            alone.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/transports#stdio"),
            (V2026_07_28, "basic/transports/stdio#receiving-messages"),
        ],
        fault: "responds-on-stderr",
    },
    Advice {
        why: "Clients read messages from stdout alone; what stands on stderr is a log to them.",
        how: "Stderr is read all the time. A response counts if it stands there and never came \
            on stdout.",
        mend: "Write messages to stdout and logs to stderr, not the other way round.",
    },
    Rule {
        subject: |event, _| match event {
            Event::Message(message) => message.kind() == Kind::Response,
            Event::AnswerOnStderr { .. } => true,
            _ => false,
        },
        holds: |event, past| match event {
            Event::AnswerOnStderr { id, text } => violated_by(
                format!("the response to `{id}` stands on stderr, and none on stdout"),
                vec![Excerpt::new(Stream::Stderr, past.now, text)],
            ),
            _ => Ok(()),
        },
        unseen: "nothing was answered on either stream",
    },
);

const STDERR_UTF8: Case = Case::rule(
    Clause {
        id: "stdio/stderr-utf8",
        title: "what is written to stderr is UTF-8 text",
        statement: "The server may write UTF-8 strings to standard error for logging, as much and as \
            often as it likes.",
        level: Level::May,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/transports#stdio"),
            (V2026_07_28, "basic/transports/stdio#receiving-messages"),
        ],
        fault: "stderr-latin1",
    },
    Advice {
        why: "Clients show stderr to people; bytes that are not UTF-8 come out garbled.",
        how: "Stderr is read to its end and decoded as UTF-8. It may hold any text, as often as \
            the server likes.",
        mend: "Set the encoding of stderr as that of stdout.",
    },
    Rule {
        subject: |event, _| matches!(event, Event::StderrEnded { .. }),
        holds: |event, past| match event {
            Event::StderrEnded {
                not_utf8: Some(line),
            } => violated_by(
                "a line of stderr is not UTF-8",
                vec![Excerpt::new(Stream::Stderr, past.now, line)],
            ),
            _ => Ok(()),
        },
        unseen: "no session came to its end",
    },
);
