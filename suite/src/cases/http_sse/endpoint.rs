//! The `endpoint` event: when it comes, and what it names.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    ENDPOINT_EVENT_SENT,
    ENDPOINT_EVENT_FIRST,
    ENDPOINT_DATA_URI,
    ENDPOINT_SAME_ORIGIN,
];

const ENDPOINT_EVENT_SENT: Case = Case::rule(
    Clause {
        id: "http-sse/endpoint-event-sent",
        title: "an endpoint event follows the connection",
        statement: "When a client connects, the server sends it an event of type endpoint.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "no-endpoint-event",
    },
    Advice {
        why: "Without it a client does not know where to post, and waits for ever.",
        how: "The stream is read until an event of type endpoint is dispatched, which takes its \
            blank line too, or the limit for one answer is over.",
        mend: "Write `event: endpoint`, a line `data: ` with the URI to post to, and an empty \
            line as soon as a client connects, and flush them.",
    },
    Rule {
        subject: |event, past| match event {
            Event::Closed { exchange, close } => {
                past.sse.is_in(exchange)
                    && past.sse.begun
                    && !past.sse.named
                    && *close != Close::Ours
            }
            Event::GaveUp => past.sse.is_open && !past.sse.named,
            _ => endpoint(event, past).is_some(),
        },
        holds: |event, past| match event {
            // So is what a second one waits for: http-sse/multiple-connections.
            _ if !past.leading => Ok(()),
            Event::GaveUp => violated("the stream is open, and no endpoint event comes"),
            Event::Closed { exchange, .. } => violated_by(
                "the stream ends without an endpoint event",
                head_of(exchange, past),
            ),
            _ => Ok(()),
        },
        unseen: "the GET was not answered by an event stream",
    },
);

const ENDPOINT_EVENT_FIRST: Case = Case::rule(
    Clause {
        id: "http-sse/endpoint-event-first",
        title: "the endpoint event comes before any message",
        statement: "The endpoint event is the first event on the stream; comments, retry lines and \
            keep-alives may stand before it.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "endpoint-event-late",
    },
    Advice {
        why: "Clients that take the first event for the endpoint, as later revisions advise, go \
            astray.",
        how: "The events in front of the endpoint event are looked at; comments, retry fields \
            and events that are no messages may stand there.",
        mend: "Write the endpoint event before the session can say anything.",
    },
    Rule {
        subject: |event, past| endpoint(event, past).is_some(),
        holds: |_, past| match &past.sse.early {
            Some(early) => violated_by(
                "a message comes in front of the endpoint event",
                vec![early.clone()],
            ),
            None => Ok(()),
        },
        unseen: "no endpoint event came",
    },
);

/// Where the endpoint event at hand leads, and the address of its stream.
fn target(event: &Event<'_>, past: &Past) -> Option<(Url, Result<Url, EndpointFlaw>)> {
    let (exchange, found) = endpoint(event, past)?;
    let stream = Url::parse(&exchange.url).ok()?;
    let target = endpoint_of(&stream, found.data.as_deref().unwrap_or_default());
    Some((stream, target))
}

const ENDPOINT_DATA_URI: Case = Case::rule(
    Clause {
        id: "http-sse/endpoint-data-uri",
        title: "the endpoint event's data is a URI",
        statement: "The data of the endpoint event is a URI, absolute or relative to the SSE URL, to \
            which the client can POST.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "endpoint-data-json",
    },
    Advice {
        why: "Clients resolve the data against the address of the stream, and post to what comes \
            of it.",
        how: "The data of the endpoint event is resolved by the rules of URIs; white space at \
            its ends is dropped.",
        mend: "Write the plain path or URL, without quotes and not as JSON: `data: \
            /messages?sessionId=1`.",
    },
    Rule {
        subject: |event, past| endpoint(event, past).is_some(),
        holds: |event, past| match (target(event, past), endpoint(event, past)) {
            (Some((_, Err(flaw))), Some((_, found))) => violated_by(
                format!("the data of the endpoint event {flaw}"),
                vec![Excerpt::new(Stream::Response, past.now, &found.raw)],
            ),
            _ => Ok(()),
        },
        unseen: "no endpoint event came",
    },
);

const ENDPOINT_SAME_ORIGIN: Case = Case::rule(
    Clause {
        id: "http-sse/endpoint-same-origin",
        title: "the endpoint is on the SSE URL's own origin",
        statement: "The endpoint has the scheme, host and port of the SSE URL.",
        level: Level::May,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "endpoint-cross-origin",
    },
    Advice {
        why: "The official clients refuse a foreign origin: by it one server could have a \
            client's messages and credentials sent to another.",
        how: "Scheme, host and port of the endpoint are compared with those of the address that \
            the stream came from.",
        mend: "Name the endpoint by its path alone. Behind a proxy that is right where an \
            internal host name is not.",
    },
    Rule {
        subject: |event, past| matches!(target(event, past), Some((_, Ok(_)))),
        holds: |event, past| {
            let (Some((stream, Ok(target))), Some((_, found))) =
                (target(event, past), endpoint(event, past))
            else {
                return Ok(());
            };
            let evidence = vec![Excerpt::new(Stream::Response, past.now, &found.raw)];
            if !target.username().is_empty() || target.password().is_some() {
                return violated_by("the endpoint has user information in it", evidence);
            }
            match origin(&stream) == origin(&target) {
                true => Ok(()),
                false => violated_by(
                    format!(
                        "the endpoint is on {}, and the stream on {}: those are two origins to \
                         clients, also where they are two names of one machine",
                        origin(&target),
                        origin(&stream)
                    ),
                    evidence,
                ),
            }
        },
        unseen: "no endpoint event came with a URI",
    },
);
