//! The stream: how the GET that opens it is answered.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[GET_OPENS_STREAM, STREAM_CONTENT_TYPE, STREAM_CHARSET];

const GET_OPENS_STREAM: Case = Case::rule(
    Clause {
        id: "http-sse/get-opens-stream",
        title: "a GET on the SSE endpoint opens an event stream",
        statement: "The server has an endpoint on which a GET is answered by an event stream that \
            stays open for the server's messages.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-get-refused",
    },
    Advice {
        why: "The stream is the session: a client that gets none cannot say a word.",
        how: "The address is asked for with GET and Accept: text/event-stream, redirects on the \
            same host are followed, and the status is looked at.",
        mend: "Answer GET on this path with status 200 and an event stream that stays open. If \
            the server speaks Streamable HTTP, judge it with `mcp-conform http`.",
    },
    Rule {
        subject: |event, past| match event {
            Event::Opened(exchange) => {
                past.sse.is_in(exchange)
                    && !exchange.turns_away()
                    && (exchange.status != 200 || exchange.is_stream())
            }
            Event::Body { exchange, .. } => past.sse.is_in(exchange) && exchange.status == 200,
            Event::Found { exchange, .. } => past.sse.is_in(exchange) && !past.sse.begun,
            Event::Closed { exchange, close } => {
                past.sse.is_in(exchange) && !past.sse.begun && *close != Close::Ours
            }
            _ => false,
        },
        holds: |event, past| match event {
            // What is refused while another session is open is the business of
            // http-sse/multiple-connections.
            _ if !past.leading => Ok(()),
            Event::Opened(exchange) if exchange.status != 200 => violated_by(
                format!(
                    "the GET is answered with HTTP status {} and not with an event stream; is it \
                     the address of one?",
                    exchange.status
                ),
                head_of(exchange, past),
            ),
            Event::Body { exchange, .. } => violated_by(
                format!(
                    "the GET is answered with {}, which is no event stream",
                    label(exchange)
                ),
                head_of(exchange, past),
            ),
            Event::Closed { exchange, .. } => violated_by(
                "the stream that the GET opens ends at once",
                head_of(exchange, past),
            ),
            _ => Ok(()),
        },
        unseen: "the GET got no answer, or was refused for lack of credentials",
    },
);

/// The media type of an answer, for a reader.
fn label(exchange: &Exchange) -> String {
    match exchange.media_type() {
        Some(label) => format!("a body of type `{}`", escaped(&label)),
        None => "a body without a Content-Type".to_owned(),
    }
}

const STREAM_CONTENT_TYPE: Case = Case::rule(
    Clause {
        id: "http-sse/stream-content-type",
        title: "the stream is labelled text/event-stream",
        statement: "The answer that carries the event stream has the media type text/event-stream.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-wrong-content-type",
    },
    Advice {
        why: "Browsers' EventSource and most clients' readers give up on any other type.",
        how: "The Content-Type of the answer to the GET is read, without its parameters, where \
            the body has an endpoint event.",
        mend: "Send `Content-Type: text/event-stream` with the stream.",
    },
    Rule {
        subject: |event, past| endpoint(event, past).is_some(),
        holds: |event, past| match endpoint(event, past) {
            Some((exchange, _)) if !exchange.is_stream() => violated_by(
                format!("the event stream is labelled as {}", label(exchange)),
                head_of(exchange, past),
            ),
            _ => Ok(()),
        },
        unseen: "no event stream came with an endpoint event",
    },
);

const STREAM_CHARSET: Case = Case::rule(
    Clause {
        id: "http-sse/stream-charset",
        title: "the stream's charset parameter, if any, says UTF-8",
        statement: "Event streams are UTF-8 always; a charset parameter that says something else is \
            wrong.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-charset-latin1",
    },
    Advice {
        why: "A client that believes the parameter reads everything beyond ASCII wrong.",
        how: "The charset parameter of the stream's Content-Type is read.",
        mend: "Leave the parameter out, or say `charset=utf-8`.",
    },
    Rule {
        subject: |event, past| match event {
            Event::Opened(exchange) => past.sse.is_in(exchange) && past.sse.is_open,
            _ => false,
        },
        holds: |event, past| {
            let Event::Opened(exchange) = event else {
                return Ok(());
            };
            match exchange.charset() {
                // That name is no registered one, and yet no reader takes it for another.
                Some(charset) if !matches!(charset.as_str(), "utf-8" | "utf8") => violated_by(
                    format!(
                        "the stream is labelled with the charset `{}`; expected utf-8, or none",
                        escaped(&charset)
                    ),
                    head_of(exchange, past),
                ),
                _ => Ok(()),
            }
        },
        unseen: "the GET was not answered by an event stream",
    },
);
