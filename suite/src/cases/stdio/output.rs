//! What may stand on stdout: messages, and nothing else.

use super::prelude::*;
use crate::session::Broken;

pub(super) const CASES: &[Case] = &[
    ONLY_MESSAGES,
    NO_PREAMBLE,
    CLEAN_AT_SHUTDOWN,
    JSON_IS_JSONRPC,
    NO_BOM,
    NO_ANSI,
    NO_BLANK_LINES,
];

const NOTHING_WRITTEN: &str = "nothing was ever written to stdout";

/// The line of the event.
fn line<'a>(event: &Event<'a>) -> Option<&'a Line> {
    match event {
        Event::Line(line) => Some(line),
        _ => None,
    }
}

/// Violated if the event is a line of `class`.
pub(super) fn never(class: Class, event: &Event<'_>, past: &Past, what: &str) -> Result<(), Stop> {
    match line(event) {
        Some(found) if found.class == class => {
            let shown = escaped(&found.excerpt[..found.excerpt.len().min(60)]);
            let message = format!("{what}, at byte {} of stdout: `{shown}`", found.offset);
            let excerpt = Excerpt::of_line(past.now, found);
            violated_by(
                message,
                past.before.iter().cloned().chain([excerpt]).collect(),
            )
        }
        _ => Ok(()),
    }
}

pub(super) fn any_line(event: &Event<'_>, _: &Past) -> bool {
    line(event).is_some()
}

const ONLY_MESSAGES: Case = Case::probe(
    Clause {
        id: "stdio/stdout-only-messages",
        title: "stdout carries nothing but MCP messages",
        statement: "Everything that the server writes to standard output is a valid MCP message. Log \
            lines, debug prints, prompts and stack traces do not belong there.",
        level: Level::MustNot,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#stdio"), (V2026_07_28, "basic/transports/stdio#receiving-messages")],
        fault: "stdout-log-line",
    },
    Advice {
        why: "Clients read stdout line by line as JSON-RPC; many end the session at the first \
            line that is none.",
        how: "Every line between the first message and the closing of stdin is put through the \
            line triage. To provoke prints in handlers the case sends a ping, an unknown \
            method, the lists that are declared, and a call of an unknown tool.",
        mend: "Send logs to stderr: `console.error`, `print(..., file=sys.stderr)`, `eprintln!`, \
            a logger configured for stderr. Look for prints in handlers and in libraries that \
            they call.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            provoke(s, "com.example/unknown", json!({})).await?;
            for (capability, method) in LISTS {
                if s.session.declares(capability) {
                    provoke(s, method, json!({})).await?;
                }
            }
            if s.session.declares("tools") {
                let absent = json!({ "name": "mcp-conform-absent", "arguments": {} });
                provoke(s, "tools/call", absent).await?;
            }
            s.sentinel().await?;
            Ok(())
        })
    },
)
.with_rule(Rule {
    subject: |event, past| line(event).is_some() && past.messages > 0 && !past.stopping,
    holds: |event, past| never(Class::Text, event, past, "a line of stdout is no message"),
    unseen: "no message was ever read",
});

/// Asks for something that may make a handler print; whether it is answered is for other clauses.
async fn provoke(s: &Talk, method: &str, params: serde_json::Value) -> Result<(), Stop> {
    match s.request(method, params).await {
        Err(Stop::Broke(Broken::Silent { .. })) => Ok(()),
        result => result.map(drop),
    }
}

const NO_PREAMBLE: Case = Case::rule(
    Clause {
        id: "stdio/stdout-no-preamble",
        title: "no banner on stdout before the first message",
        statement: "The first byte that the server writes to standard output already belongs to an MCP \
            message; a start-up banner or a launcher's notice in front of it is not one.",
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
        fault: "stdout-banner",
    },
    Advice {
        why: "The first line that a client reads is to be the answer to `initialize`; a banner \
            in its place fails the connection.",
        how: "Every line in front of the first message is put through the line triage.",
        mend: "Print banners to stderr, or not at all. If a launcher prints it (`npm run`, \
            `yarn`), start the server directly or silence the launcher (`npm run --silent`, \
            `npx -y`).",
    },
    Rule {
        subject: |event, past| matches!(event, Event::Message(_)) && past.messages == 0,
        holds: |_, past| match &past.preamble {
            None => Ok(()),
            Some(text) => violated_by(
                format!(
                    "text stands on stdout in front of the first message: `{}`",
                    escaped(&text.text[..text.text.len().min(60)])
                ),
                vec![text.clone()],
            ),
        },
        unseen: "the process never wrote a message",
    },
);

const CLEAN_AT_SHUTDOWN: Case = Case::rule(
    Clause {
        id: "stdio/stdout-clean-at-shutdown",
        title: "no text on stdout while shutting down",
        statement: "Until the server's standard output is closed nothing but MCP messages appears on \
            it, a farewell or the stack trace of a broken pipe included.",
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
        fault: "stdout-farewell",
    },
    Advice {
        why: "A client that is still reading takes a farewell or a stack trace for a broken \
            message.",
        how: "Stdin is closed, stdout is read to its end, and each line that still comes is put \
            through the line triage.",
        mend: "Send farewells and stack traces to stderr.",
    },
    Rule {
        subject: |event, past| {
            let ended = matches!(event, Event::StdoutEnded { killed: false });
            past.stopping && (ended || line(event).is_some())
        },
        holds: |event, past| {
            never(
                Class::Text,
                event,
                past,
                "text stands on stdout after stdin was closed",
            )
        },
        unseen: "the process had to be killed before its stdout ended",
    },
);

const JSON_IS_JSONRPC: Case = Case::rule(
    Clause {
        id: "stdio/stdout-json-is-jsonrpc",
        title: "a JSON line on stdout is a JSON-RPC message",
        statement: "Valid JSON on standard output that is no JSON-RPC request, notification or \
            response (a structured log record, a bare string or number) is no MCP message \
            either.",
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
        fault: "stdout-json-log",
    },
    Advice {
        why: "Structured logs look like messages and are none: clients report them as invalid \
            messages or end the session.",
        how: "Looks for lines of JSON that have none of the members jsonrpc, method, result and \
            error.",
        mend: "Point the logger (pino, zap, zerolog, slog, structlog) at stderr; most write to \
            stdout by default.",
    },
    Rule {
        subject: any_line,
        holds: |event, past| {
            never(
                Class::Alien,
                event,
                past,
                "a line of JSON on stdout is no JSON-RPC message",
            )
        },
        unseen: NOTHING_WRITTEN,
    },
);

const NO_BOM: Case = Case::rule(
    Clause {
        id: "stdio/stdout-no-bom",
        title: "no byte order mark on stdout",
        statement: "A message does not start with a byte order mark: U+FEFF is no part of a JSON text, \
            so the line that it opens is not a valid message.",
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
        fault: "stdout-bom",
    },
    Advice {
        why: "Most JSON parsers refuse a text that starts with U+FEFF, so the first message is \
            lost.",
        how: "Looks for the bytes EF BB BF at the start of every line, and reads on behind them.",
        mend: "Write with an encoder that adds no mark: in .NET `new UTF8Encoding(false)`, in \
            PowerShell `utf8NoBOM`.",
    },
    Rule {
        subject: any_line,
        holds: |event, past| {
            never(
                Class::Bom,
                event,
                past,
                "a line of stdout starts with a byte order mark",
            )
        },
        unseen: NOTHING_WRITTEN,
    },
);

const NO_ANSI: Case = Case::rule(
    Clause {
        id: "stdio/stdout-no-ansi",
        title: "no terminal escape sequences on stdout",
        statement: "Standard output carries no terminal control sequences: colours, cursor movements, \
            progress spinners and title changes are no MCP messages.",
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
        fault: "stdout-ansi",
    },
    Advice {
        why: "Colours and spinners are for terminals; to a parser the escape character makes the \
            line invalid JSON.",
        how: "Looks for lines that are blank or a message once their escape sequences are taken \
            out.",
        mend: "Let colours and progress go to stderr, and only if that is a terminal.",
    },
    Rule {
        subject: any_line,
        holds: |event, past| {
            never(
                Class::Ansi,
                event,
                past,
                "a line of stdout holds terminal escape sequences",
            )
        },
        unseen: NOTHING_WRITTEN,
    },
);

const NO_BLANK_LINES: Case = Case::rule(
    Clause {
        id: "stdio/stdout-no-blank-lines",
        title: "no blank lines between messages",
        statement: "The server does not write empty lines, or lines of white space only, to standard \
            output.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/transports#stdio"),
            (V2026_07_28, "basic/transports/stdio#receiving-messages"),
        ],
        fault: "stdout-blank-lines",
    },
    Advice {
        why: "Clients skip blank lines almost without exception; the others report an empty \
            message.",
        how: "Counts lines that hold nothing but white space.",
        mend: "End each message with exactly one line feed; a `println` of a text that ends in \
            one writes two.",
    },
    Rule {
        subject: any_line,
        holds: |event, past| never(Class::Blank, event, past, "a line of stdout is blank"),
        unseen: NOTHING_WRITTEN,
    },
);
