//! What a server has to be able to read from its stdin.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    INPUT_UTF8,
    UNICODE_SEPARATORS,
    UNICODE_ESCAPES,
    LARGE_INPUT,
    SPLIT_INPUT,
    COALESCED_INPUT,
    CRLF_INPUT,
    JSON_WHITESPACE,
    CONCURRENT_REQUESTS,
];

/// Sends a ping in an unusual form, which is to be answered under `id`. If it is not, the plain
/// form under `control` decides: where that is not answered either, nothing is known.
async fn answered_as_usual(
    s: &Talk,
    line: &str,
    id: &str,
    control: &str,
    what: &str,
) -> Result<Answer, Stop> {
    let answers = s
        .exchange(line.as_bytes(), &text_ids(&[id.to_owned()]))
        .await?;
    if let Some(answer) = answers.into_iter().flatten().next() {
        return Ok(answer);
    }
    if s.session.has_ended() {
        return violated(format!("the server ended at {what}"));
    }
    let plain = s.ping(control) + "\n";
    let answers = s
        .exchange(plain.as_bytes(), &text_ids(&[control.to_owned()]))
        .await?;
    if answers[0].is_none() {
        return unverified("the plain form is not answered either");
    }
    // An answer under another id than any that we sent is the same id, mangled.
    if let Some(stray) = s
        .strays_of_turn()
        .iter()
        .find(|stray| !stray.message.is_without_id())
        && let Some(actual) = &stray.message.id
    {
        return differs(
            format!("{what} is answered under another id"),
            Id::Text(id.to_owned()).to_string(),
            actual.to_string(),
        );
    }
    violated(format!("{what} is not answered, the plain form is"))
}

const INPUT_UTF8: Case = Case::probe(
    Clause {
        id: "stdio/input-utf8",
        title: "stdin is decoded as UTF-8",
        statement: "The server decodes the messages that it reads as UTF-8, whatever the locale of its \
            environment.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[(V2025_03_26, "basic/transports#stdio"), (V2026_07_28, "basic/transports/index#messages")],
        fault: "stdin-decoded-as-latin1",
    },
    Advice {
        why: "Names, paths and texts of most of the world are not ASCII; a server that reads \
            them as Latin-1 garbles them silently.",
        how: "A ping with a string id in Polish, Chinese and an emoji, raw in UTF-8; its answer \
            has to carry the same id.",
        mend: "Set the encoding of stdin: `PYTHONUTF8=1` or \
            `sys.stdin.reconfigure(encoding=\"utf-8\")`, `-Dfile.encoding=UTF-8`, \
            `Console.InputEncoding`.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let id = "zażółć-漢字-😀";
            let line = s.ping(id) + "\n";
            let control = "x".repeat(id.len());
            let what = "a ping with letters beyond ASCII in its id";
            match answered_as_usual(s, &line, id, &control, what).await {
                // A server may refuse such an id; it may not take it for another.
                Err(Stop::Violated(violation)) if violation.compared.is_none() => {
                    unverified(violation.message)
                }
                result => result.map(drop),
            }
        })
    },
)
.with_remark(&[("LC_ALL", "C"), ("LANG", "C")], |s| {
    Box::pin(async {
        let id = "zażółć-漢字-😀";
        if s.open(Newline::Lf).await.is_err() {
            return Ok(());
        }
        let line = s.ping(id) + "\n";
        if s.exchange(line.as_bytes(), &text_ids(&[id.to_owned()])).await?[0].is_none() {
            s.remark("with LC_ALL=C the id comes back garbled or not at all");
        }
        // Blanks behind the closing brace are as insignificant, but one SDK ends at them.
        let id = s.fresh_id();
        let line = s.ping(&id) + "  \n";
        if s.exchange(line.as_bytes(), &text_ids(&[id])).await?[0].is_none() {
            s.remark("a ping with blanks between its closing brace and the line feed is not answered");
        }
        Ok(())
    })
});

const UNICODE_SEPARATORS: Case = Case::probe(
    Clause {
        id: "stdio/input-unicode-separators",
        title: "U+2028, U+2029 and U+0085 do not end a line",
        statement: "Only a line feed delimits messages. The Unicode line and paragraph separators and \
            NEL inside a JSON string are ordinary characters, on input as on output.",
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
        fault: "splits-on-unicode-separators",
    },
    Advice {
        why: "Texts pasted from documents hold U+2028; a reader that splits there sees two \
            broken messages.",
        how: "A ping whose id holds raw U+2028, U+2029 and U+0085; the control is the same id \
            with spaces.",
        mend: "Split on the byte 0A alone: not with Python's `str.splitlines`, and not with a \
            readline that knows more line ends.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let id = "a\u{2028}b\u{2029}c\u{85}d";
            let line = s.ping(id) + "\n";
            answered_as_usual(
                s,
                &line,
                id,
                "a b c d",
                "a ping with Unicode line separators in its id",
            )
            .await?;
            Ok(())
        })
    },
);

const UNICODE_ESCAPES: Case = Case::probe(
    Clause {
        id: "stdio/input-unicode-escapes",
        title: "escaped characters in input are understood",
        statement: "The server understands JSON escapes in what it reads, surrogate pairs included; an \
            escaped and a raw character are the same character.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/transports#stdio"),
            (V2026_07_28, "basic/transports/stdio#sending-messages"),
        ],
        fault: "no-unicode-unescape",
    },
    Advice {
        why: "Clients in several languages escape everything beyond ASCII; a hand-made parser \
            reads something else then.",
        how: "A ping with escapes in its id, a surrogate pair included, and one in the method \
            name.",
        mend: "Use a JSON library to read messages.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let line = concat!(
                r#"{"jsonrpc":"2.0","id":"\u00e9\ud83d\ude00\u2028\/\"\\","method":"pi\u006eg"}"#,
                "\n"
            );
            let id = "é😀\u{2028}/\"\\";
            let control = s.fresh_id();
            let answer = answered_as_usual(
                s,
                line,
                id,
                &control,
                "a ping with escapes in its id and method",
            )
            .await?;
            if answer.message.has_result() {
                return Ok(());
            }
            let plain = s.request("ping", json!({})).await?;
            if plain.has_error() {
                return unverified("the server has no ping, so only the id could be compared");
            }
            violated("a method name with an escape in it is not understood, the plain spelling is")
        })
    },
);

const LARGE_INPUT: Case = Case::probe(
    Clause {
        id: "stdio/large-input",
        title: "a request longer than a pipe buffer is read whole",
        statement: "There is no limit to the length of a line. A request of a few hundred kilobytes is \
            answered like any other.",
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
        fault: "stdin-64k-limit",
    },
    Advice {
        why: "Arguments may hold whole documents. Line readers with a limit of 64 KiB stop the \
            server at the first one.",
        how: "A ping of 256 KiB, padded in its `_meta`; then a short one.",
        mend: "Raise the limit of the line reader: `bufio.Scanner.Buffer`, \
            `StreamReader(limit=...)`.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let id = s.fresh_id();
            let pad = "x".repeat(256 * 1024);
            let request = json!({
                "jsonrpc": "2.0",
                "id": id,
                "method": "ping",
                "params": { "_meta": { "com.example/pad": pad } },
            });
            let line = format!("{request}\n");
            let answers = match s.exchange(line.as_bytes(), &text_ids(&[id])).await {
                // A server that stops reading in the middle has not read it.
                Err(Stop::Broke(broken)) => {
                    return violated(format!("a request of 256 KiB is not read: {broken}"));
                }
                answers => answers?,
            };
            if answers[0].is_none() {
                if s.session.has_ended() {
                    return violated("the server ended at a request of 256 KiB");
                }
                if let Some(stray) = s.strays_of_turn().first() {
                    s.note(Excerpt::of_message(stray.at, &stray.message));
                    s.survives().await?;
                    return unverified(
                        "a request of 256 KiB is refused by an error without its id",
                    );
                }
                return violated("a request of 256 KiB is not answered, short ones are");
            }
            match s.survives().await {
                Ok(()) => Ok(()),
                Err(_) => violated("nothing is answered any more after a request of 256 KiB"),
            }
        })
    },
);

const SPLIT_INPUT: Case = Case::probe(
    Clause {
        id: "stdio/split-input",
        title: "a request that arrives in pieces is assembled",
        statement: "A message ends at the line feed and nowhere else: how the bytes are cut into reads \
            is of no consequence.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/transports#stdio"),
            (V2026_07_28, "basic/transports/stdio#sending-messages"),
        ],
        fault: "assumes-one-read-per-message",
    },
    Advice {
        why: "Pipes cut where they like, above all under load; a reader that takes each read for \
            a message loses requests at random.",
        how: "A ping in four pieces, 50 ms apart, cut inside a character and right in front of \
            the line feed; then once more with other requests in flight.",
        mend: "Collect bytes until a line feed is among them, and only then decode and parse.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            for crowd in [0, 8] {
                let id = format!("{}-é漢-split", s.fresh_id());
                let line = s.ping(&id) + "\n";
                let others: Vec<String> = (0..crowd).map(|_| s.fresh_id()).collect();
                let before: String = others.iter().map(|id| s.ping(id) + "\n").collect();
                let within = line.find('漢').unwrap_or(1) + 1;
                let bytes = line.as_bytes();
                let first = [before.as_bytes(), &bytes[..9]].concat();
                let (cut, end) = (within, bytes.len() - 1);
                let pieces = [&first, &bytes[9..cut], &bytes[cut..end], &bytes[end..]];
                // The pauses are the stimulus, not a wait for something to be absent.
                let pause = Duration::from_millis(50);
                let mut ids = text_ids(&others);
                ids.push(Id::Text(id.clone()));
                let answers = s.exchange_pieces(&pieces, pause, &ids).await?;
                if answers.last().is_some_and(Option::is_some) {
                    continue;
                }
                let control = format!("{}-é漢-whole", s.fresh_id());
                answered_as_usual(
                    s,
                    &(s.ping(&control)
                        + "
"),
                    &control,
                    &control,
                    "a ping",
                )
                .await
                .map_err(|_| {
                    Stop::Unverified("a request in one piece is not answered either".to_owned())
                })?;
                return violated(
                    "a request that arrives in four pieces is not answered, one in one piece is",
                );
            }
            Ok(())
        })
    },
);

const COALESCED_INPUT: Case = Case::probe(
    Clause {
        id: "stdio/coalesced-input",
        title: "several requests in one write are all answered",
        statement: "Every line in what is read is a message of its own; those after the first are not \
            lost.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/transports#stdio"),
            (V2026_07_28, "basic/transports/stdio#sending-messages"),
        ],
        fault: "drops-coalesced-messages",
    },
    Advice {
        why: "Clients send requests without waiting; those that arrive in one read must not get \
            lost behind the first.",
        how: "Five pings in a single write; each has to be answered.",
        mend: "Go on with what is left in the buffer until no line feed is in it.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let (ids, lines) = five_pings(s);
            all_answered(s, &lines, &ids, "requests sent in one write").await
        })
    },
);

/// Every id is answered; if none is, nothing is known.
async fn all_answered(s: &Talk, lines: &str, ids: &[Id], what: &str) -> Result<(), Stop> {
    let answers = s.exchange_any(lines.as_bytes(), ids).await?;
    let missing: Vec<String> = ids
        .iter()
        .zip(&answers)
        .filter(|(_, answer)| answer.is_none())
        .map(|(id, _)| id.to_string())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    s.sentinel().await?;
    if missing.len() == ids.len() {
        return unverified(format!("none of the {} {what} is answered", ids.len()));
    }
    violated(format!(
        "{} of {} {what} are not answered: {}",
        missing.len(),
        ids.len(),
        missing.join(", ")
    ))
}

const CRLF_INPUT: Case = Case::probe(
    Clause {
        id: "stdio/crlf-input",
        title: "input lines that end in CR LF are accepted",
        statement: "A carriage return in front of the line feed is insignificant white space of the \
            JSON text, and the message is valid with it.",
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
        fault: "rejects-crlf",
    },
    Advice {
        why: "Clients on Windows end lines with CR LF, and to JSON the CR is white space.",
        how: "A handshake and a ping with every line ended by CR LF.",
        mend: "Take a CR in front of the line feed for white space, as a JSON parser does by \
            itself.",
    },
    Stage::Opening,
    |s| {
        Box::pin(async {
            // That the handshake works with LF is known: the revision was found out by it.
            if s.open(Newline::CrLf).await.is_err() {
                return violated("a handshake whose lines end in CR LF fails, with LF it succeeds");
            }
            s.opened.set(true);
            let id = s.fresh_id();
            let line = s.ping(&id) + "\r\n";
            let control = s.fresh_id();
            answered_as_usual(s, &line, &id, &control, "a ping that ends in CR LF").await?;
            Ok(())
        })
    },
);

const JSON_WHITESPACE: Case = Case::probe(
    Clause {
        id: "stdio/json-whitespace-input",
        title: "insignificant white space in a line is accepted",
        statement: "White space between JSON tokens and in front of the message, and members in any \
            order, do not change a message.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/transports#stdio"),
            (V2026_07_28, "basic/transports/stdio#sending-messages"),
        ],
        fault: "rejects-json-whitespace",
    },
    Advice {
        why: "JSON writers differ in blanks and in the order of members; a server that matches \
            strings serves some clients only.",
        how: "A ping with blanks in front and between all tokens, its members in an unusual \
            order.",
        mend: "Parse messages with a JSON library instead of matching their text.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let (id, control) = (s.fresh_id(), s.fresh_id());
            let line = format!(
                "  {{ \"params\" :\t{{ }} , \"id\" : \"{id}\" , \"method\" :\t\"ping\" , \"jsonrpc\" : \"2.0\" }}\n"
            );
            answered_as_usual(
                s,
                &line,
                &id,
                &control,
                "a ping with blanks between its tokens",
            )
            .await?;
            Ok(())
        })
    },
);

const CONCURRENT_REQUESTS: Case = Case::probe(
    Clause {
        id: "stdio/concurrent-requests",
        title: "requests in flight together are all answered",
        statement: "A client may send requests before earlier ones are answered; each one gets exactly \
            one response, with its own id.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
        ],
        fault: "drops-concurrent-request",
    },
    Advice {
        why: "Agents call several tools at once; a lost answer leaves one of them waiting for \
            ever.",
        how: "Twenty requests without waiting, with integer and string ids, pings and lists; \
            each has to be answered under its own id.",
        mend: "Keep a record for each request in flight, and answer each with the id that it came \
            with, of the same type.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let list = LISTS
                .iter()
                .find(|(capability, _)| s.session.declares(capability));
            let method = |number: u32| match list {
                Some((_, method)) if number.is_multiple_of(2) => method,
                _ => "ping",
            };
            let mut lines = String::new();
            let mut ids = Vec::new();
            for number in 1..=10 {
                for id in [json!(100 + number), json!(format!("c{number}"))] {
                    let request = json!({ "jsonrpc": "2.0", "id": id, "method": method(number) });
                    lines += &format!("{request}\n");
                    ids.push(Id::of(&id));
                }
            }
            all_answered(s, &lines, &ids, "requests in flight together").await
        })
    },
);
