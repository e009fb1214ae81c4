//! The events that carry messages.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[MESSAGE_EVENT_TYPE, DATA_IS_MESSAGE];

/// An event with data other than the endpoint, and the exchange whose stream brought it.
fn seen<'a>(event: &Event<'a>) -> Option<(&'a Exchange, &'a SseEvent)> {
    match event {
        Event::Found {
            exchange,
            found: SseFound::Event(event),
        } if event.dispatched
            && event.len > 0
            && exchange.is_stream()
            && !names_endpoint(event) =>
        {
            Some((&***exchange, event))
        }
        _ => None,
    }
}

const MESSAGE_EVENT_TYPE: Case = Case::rule(
    Clause {
        id: "http-sse/message-event-type",
        title: "messages come as events of type message",
        statement: "Each server message is an event of type message, by name or by default.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-custom-event-type",
    },
    Advice {
        why: "Clients listen to events of type message; the others pass them by.",
        how: "The type of every event whose data is a JSON-RPC message is looked at.",
        mend: "Leave the event field out, or set it to message.",
    },
    Rule {
        subject: |event, past| seen(event).is_some_and(|(exchange, _)| past.brought(exchange) > 0),
        holds: |event, past| match seen(event) {
            Some((_, event)) if event.kind != "message" => violated_by(
                format!(
                    "a message comes as an event of type `{}`; expected message",
                    escaped(&event.kind)
                ),
                lines_of(&event.raw, past),
            ),
            _ => Ok(()),
        },
        unseen: "no message was received",
    },
);

const DATA_IS_MESSAGE: Case = Case::rule(
    Clause {
        id: "http-sse/data-is-message",
        title: "a message event's data is one JSON-RPC message",
        statement: "The data of a message event is one JSON-RPC message, encoded as JSON.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-data-not-json",
    },
    Advice {
        why: "Clients parse the data of every message event, and many give up over what they \
            cannot parse.",
        how: "The data of every event of type message is parsed; events without data, and those \
            of another type, are no messages.",
        mend: "Write one JSON-RPC message as the data of an event. For a sign of life write a \
            comment, a line that begins with a colon.",
    },
    Rule {
        subject: |event, _| seen(event).is_some_and(|(_, event)| event.kind == "message"),
        holds: |event, past| {
            let Some((exchange, event)) = seen(event) else {
                return Ok(());
            };
            if past.brought(exchange) == 0 {
                // What a line has lost is the business of http-sse/line-format, and what is not
                // UTF-8 that of http-sse/stream-utf8.
                let stream = past.streams.of(exchange);
                let flawed = stream.is_none_or(|stream| stream.flawed);
                let data = event.data.as_deref().unwrap_or_default();
                // A message that had come in the answer to its POST is counted there.
                let is_message = !read_value(data).is_empty();
                return match flawed || is_message || std::str::from_utf8(data).is_err() {
                    true => Ok(()),
                    false => violated_by(
                        "the data of an event is no JSON-RPC message",
                        lines_of(&event.raw, past),
                    ),
                };
            }
            let data = event.data.as_deref().unwrap_or_default();
            match data.trim_ascii_start().starts_with(b"[") && past.revision != V2025_03_26 {
                true => violated_by(
                    "the data of an event is an array, which 2025-03-26 alone knows",
                    lines_of(&event.raw, past),
                ),
                false => Ok(()),
            }
        },
        unseen: "no message event was received",
    },
);
