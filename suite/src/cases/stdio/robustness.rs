//! What a server does with notifications, and with lines that are no messages.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    NO_RESPONSE_TO_NOTIFICATION,
    SURVIVES_MALFORMED,
    PARSE_ERROR_ANSWERED,
    PARSE_ERROR_SHAPE,
    SURVIVES_INVALID_UTF8,
    SURVIVES_NON_MESSAGE,
];

const NO_RESPONSE_TO_NOTIFICATION: Case = Case::probe(
    Clause {
        id: "stdio/no-response-to-notification",
        title: "a notification is not answered",
        statement: "Nothing that answers a notification appears on standard output, not even an error, \
            whether or not the server knows the notification.",
        level: Level::MustNot,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#notifications"),
            (V2025_03_26, "basic/index#notifications"),
        ],
        fault: "responds-to-notifications",
    },
    Advice {
        why: "A response that nobody waits for is at best logged as an error, at worst taken for \
            another.",
        how: "An unknown notification, the same without params, and a cancellation of nothing; \
            then the session is settled and read to its end.",
        mend: "Ignore notifications that you do not know; never answer a message without an id.",
    },
    Stage::Last,
    |s| {
        Box::pin(async {
            let unknown = "notifications/com.example.unknown";
            let cancelled = "notifications/cancelled";
            s.notify(json!({ "jsonrpc": "2.0", "method": unknown, "params": {} }))
                .await?;
            s.notify(json!({ "jsonrpc": "2.0", "method": unknown }))
                .await?;
            let params =
                json!({ "requestId": "mcp-conform-never-used", "reason": "nothing to cancel" });
            s.notify(json!({ "jsonrpc": "2.0", "method": cancelled, "params": params }))
                .await?;
            s.fence().await.map_err(unread)?;
            s.ended().await?;
            // The handshake has a notification too.
            let strays = s
                .strays_of_handshake()
                .into_iter()
                .chain(s.strays_of_turn())
                .next();
            match strays {
                None => Ok(()),
                Some(stray) => violated_by(
                    "a notification is answered",
                    vec![Excerpt::of_message(stray.at, &stray.message)],
                ),
            }
        })
    },
);

/// A server that stops answering here shows nothing about silence: another clause's matter.
pub(super) fn unread(stop: Stop) -> Stop {
    match stop {
        Stop::Broke(broken) => Stop::Unverified(format!("what follows is not answered: {broken}")),
        stop => stop,
    }
}

/// What a server did with a line that is not JSON.
struct Malformed {
    died: Option<Broken>,
    strays: Vec<Stray>,
}

const NOT_JSON: &str = "this is not json";

impl Scene for Malformed {
    async fn play(s: &Talk) -> Result<Malformed, Stop> {
        let died = ruined_by(s, NOT_JSON.as_bytes()).await;
        Ok(Malformed {
            died,
            strays: s.strays_of_turn(),
        })
    }
}

/// Whether the server stops answering after a line.
async fn ruined_by(s: &Talk, line: &[u8]) -> Option<Broken> {
    let line = [line, b"\n"].concat();
    if let Err(Stop::Broke(broken)) = s.write(&[&line], Duration::ZERO).await {
        return Some(broken);
    }
    match s.survives().await {
        Ok(()) => s.survives().await.err(),
        Err(broken) => Some(broken),
    }
}

fn is_parse_error(stray: &Stray) -> bool {
    stray.message.is_without_id()
        && (stray.message.error_is(-32700) || stray.message.error_is(-32600))
}

const PARSE_ERROR_ANSWERED: Case = Case::probe(
    Clause {
        id: "stdio/parse-error-answered",
        title: "a line that is not JSON is answered with a parse error",
        statement: "A line that cannot be parsed is answered with the JSON-RPC error -32700 and no id \
            to name.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#messages"),
            (V2026_07_28, "basic/index#error-responses"),
        ],
        fault: "silent-on-parse-error",
    },
    Advice {
        why: "Whoever writes a client sees at once what is wrong, instead of waiting for an \
            answer that never comes.",
        how: "The line `this is not json`; then the session is settled and read to its end.",
        mend: "Answer with \
            `{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"Parse \
            error\"}}`. Several SDKs stay silent on purpose.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let scene = s.scene::<Malformed>().await?;
            if scene.died.is_some() {
                return unverified(
                    "the server ended at the line, see stdio/survives-malformed-line",
                );
            }
            if scene.strays.iter().any(is_parse_error) {
                return Ok(());
            }
            s.ended().await?;
            // A late answer counts. Other lines that are no JSON follow in the same session, and
            // messages that are none: those are answered with -32600.
            let late = |stray: &Stray| stray.message.error_is(-32700);
            if s.strays().iter().any(late) {
                return Ok(());
            }
            violated(format!("the line `{NOT_JSON}` is not answered"))
        })
    },
);

const PARSE_ERROR_SHAPE: Case = Case::probe(
    Clause {
        id: "stdio/parse-error-shape",
        title: "an answer to an unreadable line is an error without an id",
        statement: "If the server answers a line that it cannot parse, the answer is a JSON-RPC error \
            response with an integer code and a null or absent id, since no id could be read.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
            (V2025_11_25, "basic/index#error-responses"),
        ],
        fault: "parse-error-with-invented-id",
    },
    Advice {
        why: "An invented id may be that of another request, which then gets this error for its \
            answer.",
        how: "The line `this is not json`; every response that answers none of our requests is \
            looked at.",
        mend: "Leave `id` out or null where none could be read, and give the code as an integer.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let scene = s.scene::<Malformed>().await?;
            if scene.died.is_some() && scene.strays.is_empty() {
                return unverified(
                    "the server ended at the line, see stdio/survives-malformed-line",
                );
            }
            for Stray { message, at } in &scene.strays {
                let wrong = if message.has_result() {
                    "a result, where only an error can be".to_owned()
                } else if !message.is_without_id() {
                    let id = message
                        .id
                        .as_ref()
                        .map(ToString::to_string)
                        .unwrap_or_default();
                    format!("the id {id}, where none could be read")
                } else {
                    let value = message.value().cloned().unwrap_or_default();
                    let code = &value["error"]["code"];
                    let integer = code.as_f64().is_some_and(|code| code.fract() == 0.0);
                    match (integer, value["error"]["message"].is_string()) {
                        (true, true) => continue,
                        (true, false) => "no string for a message".to_owned(),
                        (false, _) => format!("the code {code}, which is no integer"),
                    }
                };
                return violated_by(
                    format!("the answer to a line that is not JSON has {wrong}"),
                    vec![Excerpt::of_message(*at, message)],
                );
            }
            if scene.strays.is_empty() {
                s.remark("nothing was answered, so nothing could be wrong with it");
            }
            Ok(())
        })
    },
);

/// The server goes on after each of these lines.
async fn survives_each(s: &Talk, lines: &[&[u8]], what: &str) -> Result<(), Stop> {
    for line in lines {
        if let Some(broken) = ruined_by(s, line).await {
            let shown = escaped(&line[..line.len().min(60)]);
            return violated(format!(
                "after {what} (`{shown}`) nothing is answered: {broken}"
            ));
        }
    }
    Ok(())
}

const SURVIVES_MALFORMED: Case = Case::probe(
    Clause {
        id: "stdio/survives-malformed-line",
        title: "a line that is not JSON does not end the server",
        statement: "A line that cannot be parsed costs that line only; the server goes on reading and \
            answering.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/transports#stdio"),
            (V2026_07_28, "basic/transports/stdio#sending-messages"),
        ],
        fault: "exits-on-malformed-line",
    },
    Advice {
        why: "One stray line must not cost the session and all that the server holds in it.",
        how: "Four lines that are not JSON, one by one, each followed by pings.",
        mend: "Catch the parser's error in the read loop and go on with the next line.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            if let Some(broken) = &s.scene::<Malformed>().await?.died {
                return violated(format!(
                    "after the line `{NOT_JSON}` nothing is answered: {broken}"
                ));
            }
            let punctuation = "!?#;:,.".repeat(586);
            let lines: [&[u8]; 3] = [
                br#"{"jsonrpc":"2.0","method":"ping""#,
                b"Content-Length: 42",
                punctuation.as_bytes(),
            ];
            survives_each(s, &lines, "a line that is not JSON").await
        })
    },
);

const SURVIVES_INVALID_UTF8: Case = Case::probe(
    Clause {
        id: "stdio/survives-invalid-utf8",
        title: "bytes that are not UTF-8 do not end the server",
        statement: "A line with bytes that are not UTF-8 costs that line only.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[
            (V2025_03_26, "basic/transports#stdio"),
            (V2026_07_28, "basic/transports/stdio#sending-messages"),
        ],
        fault: "exits-on-invalid-utf8",
    },
    Advice {
        why: "A broken byte in one message must not end the session.",
        how: "A ping with the bytes FF FE in a string; then pings.",
        mend: "Decode line by line and catch the error there, or decode with replacement \
            characters.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let line = [
                &br#"{"jsonrpc":"2.0","id":"bad","method":"ping","params":{"_meta":{"com.example/x":""#[..],
                b"\xff\xfe",
                br#""}}}"#,
            ]
            .concat();
            // Whether the line itself is answered does not matter.
            drop(s.session.expect(Id::Text("bad".to_owned())));
            survives_each(s, &[&line], "bytes that are not UTF-8").await
        })
    },
);

const SURVIVES_NON_MESSAGE: Case = Case::probe(
    Clause {
        id: "stdio/survives-non-message-json",
        title: "JSON that is no message does not end the server",
        statement: "A line of valid JSON that is no JSON-RPC message is refused or ignored, and the \
            server goes on.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/transports#stdio"),
            (V2026_07_28, "basic/transports/stdio#sending-messages"),
        ],
        fault: "exits-on-non-jsonrpc",
    },
    Advice {
        why: "A message from a newer or sloppy client must not end the session.",
        how: "Valid JSON that is no message, in six or seven forms, each followed by pings.",
        mend: "Validate the shape of what was parsed, answer with -32600 or ignore it, and go on.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let array = br#"[{"jsonrpc":"2.0","id":"b1","method":"ping"}]"#;
            let mut lines: Vec<&[u8]> = vec![
                b"42",
                b"\"text\"",
                b"null",
                b"{}",
                br#"{"foo":1}"#,
                br#"{"jsonrpc":"2.0","id":"n1"}"#,
            ];
            // In 2025-03-26 an array is a message.
            if s.revision() != V2025_03_26 {
                lines.push(array);
            }
            for id in ["n1", "b1"] {
                drop(s.session.expect(Id::Text(id.to_owned())));
            }
            survives_each(s, &lines, "JSON that is no message").await
        })
    },
);
