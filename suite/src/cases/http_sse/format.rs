//! The format of the stream.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[STREAM_UTF8, LINE_FORMAT, EVENT_TERMINATED, RETRY_IS_DIGITS];

/// Letters of one, two, three and four bytes.
const LETTERS: &str = "zażółć-漢字-😀";

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

/// The event that was found.
fn found<'a>(event: &Event<'a>) -> Option<&'a SseEvent> {
    match event {
        Event::Found {
            found: SseFound::Event(event),
            ..
        } => Some(event),
        _ => None,
    }
}

const STREAM_UTF8: Case = Case::probe(
    Clause {
        id: "http-sse/stream-utf8",
        title: "the stream is UTF-8",
        statement: "The bytes of an event stream are UTF-8.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-invalid-utf8",
    },
    Advice {
        why: "Readers decode a stream as UTF-8 and nothing else: other bytes become replacement \
            characters.",
        how: "Every stream is decoded strictly; a list is asked for, and a ping posted with letters beyond ASCII in \
            its id, and the id that comes back is compared.",
        mend: "Encode events as UTF-8, whatever the locale of the machine is.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            // Descriptions often have other letters.
            if let Some(list) = s.list_method() {
                s.ask(list, Value::Null).await?;
            }
            let id = format!("{LETTERS}-{}", s.fresh_id());
            let reply = s.ask_as(json!(id), "ping", Value::Null).await?;
            if matches!(reply, Reply::Answer(_)) {
                return Ok(());
            }
            // Whatever comes of another encoding, the ASCII in it stays.
            let is_mangled = |found: &Option<Id>| {
                matches!(found, Some(Id::Text(text)) if text.starts_with('z') && *text != id)
            };
            match s.strays_of_turn().iter().find(|stray| is_mangled(&stray.message.id)) {
                Some(stray) => violated_by(
                    "an id with letters beyond ASCII comes back as another one",
                    vec![Excerpt::of_message(stray.at, &stray.message)],
                ),
                None => unverified(format!("a ping with letters beyond ASCII in its id {reply}")),
            }
        })
    },
)
.with_rule(Rule {
    subject: |event, _| {
        found(event).is_some_and(|event| !event.raw.is_ascii())
            || flaw(event, SseFlawKind::NotUtf8).is_some()
    },
    holds: |event, past| match flaw(event, SseFlawKind::NotUtf8) {
        Some(line) => violated_by("a line of a stream is not UTF-8", lines_of(line, past)),
        None => Ok(()),
    },
    unseen: "nothing but ASCII came on a stream",
});

const LINE_FORMAT: Case = Case::rule(
    Clause {
        id: "http-sse/line-format",
        title: "every line of the stream is a comment, a field or blank",
        statement: "A line of an event stream is empty, a comment, or a field name followed by a colon \
            and a value; data with line breaks is written as several data lines.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-unprefixed-line",
    },
    Advice {
        why: "A reader ignores a line without a field name: the rest of the message is lost.",
        how: "Every line of every stream is read by the rules of the format; fields with other \
            names are ignored.",
        mend: "Write JSON on one line, or begin each of its lines with `data: `.",
    },
    Rule {
        subject: |event, _| found(event).is_some() || flaw(event, SseFlawKind::LostLine).is_some(),
        holds: |event, past| match flaw(event, SseFlawKind::LostLine) {
            Some(line) => violated_by(
                "a line of a stream is neither a field nor a comment, and lost to readers",
                lines_of(line, past),
            ),
            None => Ok(()),
        },
        unseen: "no event was received",
    },
);

const EVENT_TERMINATED: Case = Case::rule(
    Clause {
        id: "http-sse/event-terminated",
        title: "each event is ended by a blank line at once",
        statement: "A blank line ends each event and is sent with it, so that readers dispatch it when \
            it is written.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-missing-blank-line",
    },
    Advice {
        why: "Readers hold an event back until its blank line comes, and drop it if the stream \
            ends before.",
        how: "An event whose data is whole and whose blank line does not come with it is looked \
            at when the window for silence is over, or the stream ends.",
        mend: "End every event with an empty line, and flush it with the event.",
    },
    Rule {
        subject: |event, _| match event {
            Event::Found {
                found: SseFound::Flaw(flaw),
                ..
            } => flaw.kind == SseFlawKind::Unterminated && flaw.complete,
            _ => found(event).is_some_and(|event| event.dispatched && !names_endpoint(event)),
        },
        holds: |event, past| match flaw(event, SseFlawKind::Unterminated) {
            Some(lines) => violated_by(
                "a whole message stands on the stream, and no blank line ends it",
                lines_of(lines, past),
            ),
            None => Ok(()),
        },
        unseen: "no event was awaited",
    },
);

const RETRY_IS_DIGITS: Case = Case::rule(
    Clause {
        id: "http-sse/retry-is-digits",
        title: "a retry field holds decimal digits only",
        statement: "The value of a retry field is made of ASCII digits; anything else is ignored by \
            readers.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-bad-retry",
    },
    Advice {
        why: "Readers ignore any other value, and come back when they like.",
        how: "The value of every retry field is looked at.",
        mend: "Give the time in milliseconds as a plain number, without a unit.",
    },
    Rule {
        subject: |event, _| {
            found(event).is_some_and(|event| event.retry.is_some())
                || flaw(event, SseFlawKind::BadRetry).is_some()
        },
        holds: |event, past| match flaw(event, SseFlawKind::BadRetry) {
            Some(line) => violated_by("a retry field holds more than digits", lines_of(line, past)),
            None => Ok(()),
        },
        unseen: "no retry field was seen",
    },
);
