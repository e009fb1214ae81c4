//! The format of event streams.

use super::{batch::is_array, encoding::other_charset, prelude::*};

pub(super) const CASES: &[Case] = &[
    SSE_DATA_IS_MESSAGE,
    SSE_EVENT_TYPE,
    SSE_LINE_FORMAT,
    SSE_EVENT_TERMINATED,
    SSE_UTF8,
    SSE_RETRY_DIGITS,
];

/// An event that readers get to see, and the exchange whose stream brought it.
fn seen<'a>(event: &Event<'a>) -> Option<(&'a Exchange, &'a SseEvent)> {
    match event {
        Event::Found {
            exchange,
            found: SseFound::Event(event),
        } if event.dispatched && event.len > 0 && exchange.is_stream() => {
            Some((&***exchange, event))
        }
        _ => None,
    }
}

/// How many messages the event at hand has brought.
fn brought(exchange: &Exchange, past: &Past) -> u32 {
    past.streams.of(exchange).map_or(0, |stream| stream.fresh)
}

const SSE_DATA_IS_MESSAGE: Case = Case::rule(
    Clause {
        id: "streamable-http/sse-data-is-message",
        title: "an event's data is one JSON-RPC message",
        statement: "The data of each event that has any is one JSON-RPC message.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[
            (
                V2025_03_26,
                "basic/transports#sending-messages-to-the-server",
            ),
            (
                V2026_07_28,
                "basic/transports/streamable-http#sending-messages",
            ),
        ],
        fault: "http-sse-data-not-json",
    },
    Advice {
        why: "Clients parse the data of every message event, and many give the stream up over \
            what they cannot parse.",
        how: "The data of every event of type message on every stream is parsed; events without \
            data, and those of another type, are no messages.",
        mend: "Write one JSON-RPC message as the data of an event. For a sign of life write a \
            comment, a line that begins with a colon.",
    },
    Rule {
        subject: |event, _| seen(event).is_some_and(|(_, event)| is_message(event)),
        holds: |event, past| {
            let Some((exchange, event)) = seen(event) else {
                return Ok(());
            };
            // What a line has lost is the business of streamable-http/sse-line-format, arrays that
            // of streamable-http/no-batch-from-server.
            let flawed = past.streams.of(exchange).is_none_or(|stream| stream.flawed);
            match brought(exchange, past) > 0 || flawed || is_array(event) {
                true => Ok(()),
                false => violated_by(
                    "the data of an event is no JSON-RPC message",
                    lines_of(&event.raw, past),
                ),
            }
        },
        unseen: "no event with data was seen",
    },
);

/// Whether readers take the event for one of type message.
fn is_message(event: &SseEvent) -> bool {
    matches!(event.kind.as_str(), "message" | "")
}

const SSE_EVENT_TYPE: Case = Case::rule(
    Clause {
        id: "streamable-http/sse-event-type",
        title: "messages come as events of type message",
        statement: "Events that carry a JSON-RPC message have the type message, by name or by default.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[
            (
                V2025_03_26,
                "basic/transports#sending-messages-to-the-server",
            ),
            (
                V2026_07_28,
                "basic/transports/streamable-http#sending-messages",
            ),
        ],
        fault: "http-sse-custom-event-type",
    },
    Advice {
        why: "Clients listen to events of type message; the others pass them by.",
        how: "The type of every event whose data is a JSON-RPC message is looked at.",
        mend: "Leave the event field out, or set it to message.",
    },
    Rule {
        subject: |event, past| seen(event).is_some_and(|(exchange, _)| brought(exchange, past) > 0),
        holds: |event, past| match seen(event) {
            Some((_, event)) if !is_message(event) => violated_by(
                format!(
                    "a message comes as an event of type `{}`",
                    escaped(&event.kind)
                ),
                lines_of(&event.raw, past),
            ),
            _ => Ok(()),
        },
        unseen: "no message came on a stream",
    },
);

const SSE_LINE_FORMAT: Case = Case::rule(
    Clause {
        id: "streamable-http/sse-line-format",
        title: "every line of a stream is a comment, a field or blank",
        statement: "A line of an event stream is empty, a comment, or a field with its name, a colon \
            and a value.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[
            (
                V2025_03_26,
                "basic/transports#sending-messages-to-the-server",
            ),
            (
                V2026_07_28,
                "basic/transports/streamable-http#sending-messages",
            ),
        ],
        fault: "http-sse-unprefixed-line",
    },
    Advice {
        why: "A reader ignores a line without a field name: the rest of the message is lost.",
        how: "Every line of every stream is read by the rules of the format; fields with other \
            names are ignored.",
        mend: "Write JSON on one line, or begin each of its lines with `data: `.",
    },
    Rule {
        subject: |event, _| matches!(event, Event::Found { .. }),
        holds: |event, past| match flaw(event, SseFlawKind::LostLine) {
            Some(line) => violated_by(
                "a line of a stream is neither a field nor a comment, and lost to readers",
                lines_of(line, past),
            ),
            None => Ok(()),
        },
        unseen: "no stream was seen",
    },
);

/// The line with a flaw of this kind.
fn flaw<'a>(event: &Event<'a>, kind: SseFlawKind) -> Option<&'a [u8]> {
    match event {
        Event::Found {
            found: SseFound::Flaw(flaw),
            ..
        } if flaw.kind == kind => Some(&flaw.line),
        _ => None,
    }
}

const SSE_EVENT_TERMINATED: Case = Case::rule(
    Clause {
        id: "streamable-http/sse-event-terminated",
        title: "each event is ended by a blank line at once",
        statement: "A blank line ends each event and is sent with it.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[
            (
                V2025_03_26,
                "basic/transports#sending-messages-to-the-server",
            ),
            (
                V2026_07_28,
                "basic/transports/streamable-http#sending-messages",
            ),
        ],
        fault: "http-sse-missing-blank-line",
    },
    Advice {
        why: "Readers drop an event that no blank line has ended.",
        how: "Where a stream has ended, what stands behind its last blank line is looked at: a \
            whole message there was lost.",
        mend: "End every event with an empty line, and flush it with the event.",
    },
    Rule {
        subject: |event, _| matches!(event, Event::Closed { exchange, close: Close::Ended } if exchange.is_stream()),
        holds: |event, past| {
            let Event::Closed { exchange, .. } = event else {
                return Ok(());
            };
            let stream = past.streams.of(exchange);
            match stream.and_then(|stream| stream.unfinished.as_ref()) {
                Some(lines) => violated_by(
                    "a stream ends with a message that no blank line ends",
                    lines_of(lines, past),
                ),
                None => Ok(()),
            }
        },
        unseen: "no stream was read to its end",
    },
);

const SSE_UTF8: Case = Case::rule(
    Clause {
        id: "streamable-http/sse-utf8",
        title: "an event stream is UTF-8",
        statement: "The bytes of an event stream are UTF-8, and its charset parameter, if it has one, \
            says so.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[
            (
                V2025_03_26,
                "basic/transports#sending-messages-to-the-server",
            ),
            (
                V2026_07_28,
                "basic/transports/streamable-http#sending-messages",
            ),
        ],
        fault: "http-sse-invalid-utf8",
    },
    Advice {
        why: "Readers decode a stream as UTF-8 and nothing else: other bytes become replacement \
            characters.",
        how: "Every stream is decoded strictly, and its charset parameter read; that a stream of \
            ASCII is UTF-8 proves nothing.",
        mend: "Encode events as UTF-8, and leave the charset parameter out.",
    },
    Rule {
        subject: |event, _| match event {
            Event::Opened(exchange) => exchange.is_stream() && other_charset(exchange).is_some(),
            Event::Found {
                found: SseFound::Event(event),
                ..
            } => !event.raw.is_ascii(),
            _ => flaw(event, SseFlawKind::NotUtf8).is_some(),
        },
        holds: |event, past| match event {
            Event::Opened(exchange) => match other_charset(exchange) {
                Some(charset) => violated_by(
                    format!(
                        "a stream is labelled with the charset `{}`",
                        escaped(&charset)
                    ),
                    answer_of(exchange, &[], past),
                ),
                None => Ok(()),
            },
            _ => match flaw(event, SseFlawKind::NotUtf8) {
                Some(line) => violated_by("a line of a stream is not UTF-8", lines_of(line, past)),
                None => Ok(()),
            },
        },
        unseen: "nothing but ASCII came on a stream",
    },
);

const SSE_RETRY_DIGITS: Case = Case::rule(
    Clause {
        id: "streamable-http/sse-retry-digits",
        title: "a retry field holds decimal digits only",
        statement: "The value of a retry field is made of ASCII digits; anything else is ignored by \
            readers.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[
            (
                V2025_03_26,
                "basic/transports#sending-messages-to-the-server",
            ),
            (
                V2026_07_28,
                "basic/transports/streamable-http#sending-messages",
            ),
        ],
        fault: "http-sse-bad-retry",
    },
    Advice {
        why: "Readers ignore any other value, and come back when they like.",
        how: "The value of every retry field is looked at.",
        mend: "Give the time in milliseconds as a plain number, without a unit.",
    },
    Rule {
        subject: |event, _| match event {
            Event::Found {
                found: SseFound::Event(event),
                ..
            } => event.retry.is_some(),
            _ => flaw(event, SseFlawKind::BadRetry).is_some(),
        },
        holds: |event, past| match flaw(event, SseFlawKind::BadRetry) {
            Some(line) => violated_by("a retry field holds more than digits", lines_of(line, past)),
            None => Ok(()),
        },
        unseen: "no retry field was seen",
    },
);
