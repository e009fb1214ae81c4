//! The streams that answer requests: what comes on them, in which order, and on which of them.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    SSE_NOTHING_AFTER_RESPONSE,
    SSE_MESSAGES_RELATE,
    SSE_PRIMING_EVENT,
];

/// Whether the answer is a stream for a single request.
fn answers_one(exchange: &Exchange) -> bool {
    exchange.is_stream() && exchange.request().is_some()
}

const SSE_NOTHING_AFTER_RESPONSE: Case = Case::probe(
    Clause {
        id: "streamable-http/sse-nothing-after-response",
        title: "nothing follows the response on its stream",
        statement: "Notifications and requests that belong to a request come before its response.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("sse-response")],
        anchors: &[(
            V2025_03_26,
            "basic/transports#sending-messages-to-the-server",
        )],
        fault: "http-sse-late-notification",
    },
    Advice {
        why: "A client stops reading at the response; what comes behind it is lost.",
        how: "Every stream that answers a request is read on behind the response, to its end.",
        mend: "Send what belongs to a request before its response; wait for log messages that are \
            still under way.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            needs_streams(s).await?;
            left_to_rule()
        })
    },
)
.with_rule(Rule {
    subject: |event, past| match event {
        Event::Closed { exchange, .. } => answers_one(exchange) && is_answered(exchange, past),
        _ => behind(event, past).is_some(),
    },
    holds: |event, past| match behind(event, past) {
        Some(call) => broken_by("a message came on a stream behind the response", call, past),
        None => Ok(()),
    },
    unseen: "no stream that brought a response was seen to its end",
});

fn is_answered(exchange: &Exchange, past: &Past) -> bool {
    past.streams
        .of(exchange)
        .is_some_and(|stream| stream.answered)
}

/// The request or notification that came on a stream behind the response.
fn behind<'a>(event: &Event<'a>, past: &Past) -> Option<&'a Message> {
    let call = call(event)?;
    let exchange = call.exchange.as_ref()?;
    (answers_one(exchange) && is_answered(exchange, past)).then_some(call)
}

const SSE_MESSAGES_RELATE: Case = Case::probe(
    Clause {
        id: "streamable-http/sse-messages-relate",
        title: "messages on a request's stream relate to that request",
        statement: "Requests and notifications on the stream of a request belong to that request.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("sse-response")],
        anchors: &[(
            V2025_03_26,
            "basic/transports#sending-messages-to-the-server",
        )],
        fault: "http-sse-foreign-progress",
    },
    Advice {
        why: "A client takes what comes on a stream for news of the request that it belongs to.",
        how: "Tools are called in parallel, each with a progress token of its own; every \
            progress notification on the stream of a request is held against the token of that \
            request.",
        mend: "Send notifications about a request through the context of that request, and not \
            through what the session used last.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            needs_streams(s).await?;
            left_to_rule()
        })
    },
)
.with_rule(Rule {
    subject: |event, past| owner(event, past).is_some(),
    holds: |event, past| {
        let (Some(owner), Some(report)) = (owner(event, past), message(event)) else {
            return Ok(());
        };
        let request = report
            .exchange
            .as_ref()
            .and_then(|exchange| exchange.request());
        match request.is_some_and(|request| request.id.as_ref() == Some(owner)) {
            true => Ok(()),
            false => broken_by(
                format!(
                    "progress of the request {} came on the stream of another request",
                    escaped(owner.to_string())
                ),
                report,
                past,
            ),
        }
    },
    unseen: "no progress came on the stream of a request",
});

/// The request whose progress is reported on the stream of a request.
fn owner<'a>(event: &Event<'_>, past: &'a Past) -> Option<&'a Id> {
    let report = message(event)?;
    let exchange = report.exchange.as_ref()?;
    if !answers_one(exchange) {
        return None;
    }
    // What a task says belongs to the task, whichever request looks at it.
    if is_of_task(report) {
        return None;
    }
    let token = token_of_report(report)?;
    Some(&past.reports.get(&token)?.request)
}

const SSE_PRIMING_EVENT: Case = Case::probe(
    Clause {
        id: "streamable-http/sse-priming-event",
        title: "a stream starts with an event id and empty data",
        statement: "A stream opened for a request starts at once with an event that has an id and an \
            empty data field, so that the client can resume even before the first message.",
        level: Level::Should,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("sse-response")],
        anchors: &[(V2025_11_25, "basic/transports#sending-messages-to-the-server")],
        fault: "http-no-priming-event",
    },
    Advice {
        why: "A client whose connection breaks before the first message can come back for it \
            only if it has an id by then.",
        how: "The first event on every stream that answers a request has to have an id and no \
            data; that of `initialize`, which comes before the revision is agreed on, apart.",
        mend: "Use the event store of your SDK: with one, most write this event. Otherwise begin \
            each stream with `id: …` and an empty `data:`.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            needs_streams(s).await?;
            left_to_rule()
        })
    },
)
.with_rule(Rule {
    subject: |event, past| first(event, past).is_some(),
    holds: |event, past| {
        let Some(event) = first(event, past) else {
            return Ok(());
        };
        let has_id = event.id.as_ref().is_some_and(|id| !id.is_empty());
        match (has_id, event.len) {
            (true, 0) => Ok(()),
            (true, _) => violated_by(
                "the first event of a stream has data already",
                lines_of(&event.raw, past),
            ),
            (false, _) => violated_by(
                "the first event of a stream has no id",
                lines_of(&event.raw, past),
            ),
        }
    },
    unseen: "no event came on the stream of a request",
});

/// The first event on the stream of a request.
fn first<'a>(event: &Event<'a>, past: &Past) -> Option<&'a SseEvent> {
    let Event::Found {
        exchange,
        found: SseFound::Event(event),
    } = event
    else {
        return None;
    };
    exchange.request()?;
    let is_first = past.streams.of(exchange)?.events == 0;
    // Without the header, as with `initialize`, the server cannot know that the client understands
    // an event without data.
    let version = exchange.sent_header("mcp-protocol-version");
    (is_first && version == Some(V2025_11_25.as_str())).then_some(event)
}
