//! What is posted to the endpoint, and where its answer comes.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    POST_ACCEPTED,
    BATCH_RECEIVED,
    RESPONSE_ON_STREAM,
    NO_RESPONSE_IN_POST_BODY,
];

/// Whether the exchange is the handshake's post of `initialize`, to which nothing is odd.
fn is_handshake(exchange: &Exchange) -> bool {
    let opens = |message: &Message| {
        message.is_well_formed()
            && message.method.as_deref() == Some("initialize")
            && message.params().is_some_and(|params| {
                params["protocolVersion"].is_string()
                    && params["capabilities"].is_object()
                    && params["clientInfo"].is_object()
            })
    };
    exchange.method == "POST"
        && exchange.request().is_some_and(opens)
        && exchange.sent_header("content-type") == Some("application/json")
        && exchange.sent_header("origin").is_none()
}

const POST_ACCEPTED: Case = Case::rule(
    Clause {
        id: "http-sse/post-accepted",
        title: "a message posted to the endpoint is accepted",
        statement: "The endpoint accepts the client's messages as HTTP POST requests.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-post-refused",
    },
    Advice {
        why: "A client has no other way to say something.",
        how: "A client connects and posts `initialize` to the endpoint that the stream has \
            named.",
        mend: "Let the endpoint take POST requests, and answer them with status 202.",
    },
    Rule {
        subject: |event, past| match event {
            // What comes later may be refused for coming again.
            Event::Opened(exchange) => {
                is_handshake(exchange) && !exchange.turns_away() && past.initialized.is_none()
            }
            _ => false,
        },
        holds: |event, past| match event {
            // What is refused while another session is open is the business of
            // http-sse/multiple-connections.
            _ if !past.leading => Ok(()),
            Event::Opened(exchange) if !(200..300).contains(&exchange.status) => violated_by(
                format!(
                    "the POST of `initialize` is answered with HTTP status {}; expected 200 to 299",
                    exchange.status
                ),
                head_of(exchange, past),
            ),
            _ => Ok(()),
        },
        unseen: "`initialize` could not be posted, or credentials are asked for",
    },
);

const BATCH_RECEIVED: Case = Case::probe(
    Clause {
        id: "http-sse/batch-received",
        title: "a posted batch is served where 2025-03-26 was negotiated",
        statement: "Where 2025-03-26 was negotiated over this transport, an array of requests and \
            notifications is accepted and every request in it answered.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_03_26,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2025_03_26, "basic/index#batching")],
        fault: "sse-batch-rejected",
    },
    Advice {
        why: "A client that has negotiated 2025-03-26 may send arrays over any transport.",
        how: "An array of two pings with an unknown notification between them is posted; then \
            two more pings are.",
        mend: "Update the SDK, or hand each entry of the array to the handler of single messages.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let (first, second) = (ping(s), ping(s));
            let notification = json!({
                "jsonrpc": "2.0",
                "method": "notifications/com.example.unknown",
            });
            let batch = json!([first.1, notification, second.1]);
            let ids = [Id::Text(first.0), Id::Text(second.0)];
            let waiting = s.begin_all(batch.to_string().as_bytes(), &ids).await?;
            for waiting in waiting {
                let reply = s.finish(waiting, Patience::Settle).await?;
                if !reply.is_result() {
                    return violated(format!("a ping in an array {reply}"));
                }
            }
            Ok(())
        })
    },
);

const RESPONSE_ON_STREAM: Case = Case::rule(
    Clause {
        id: "http-sse/response-on-stream",
        title: "responses come as events on the stream",
        statement: "The response to a request is sent on the SSE stream of the connection that it \
            belongs to.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-response-in-post-body",
    },
    Advice {
        why: "Clients of this transport read the stream alone: an answer elsewhere is lost.",
        how: "Over every session it is noted where the responses to its requests came: on the \
            stream, or in the body of the answer to a POST.",
        mend: "Write every response to the stream of the connection, and answer the POST with \
            status 202 alone.",
    },
    Rule {
        subject: |event, past| {
            let seen = past.sse.answers > 0 || past.sse.astray() > 0;
            matches!(event, Event::Ended { orderly: true }) && seen
        },
        holds: |_, past| match past.sse.astray() {
            0 => Ok(()),
            1 => violated("a response came in the answer to its POST and not on the stream"),
            many => violated(format!(
                "{many} responses came in the answers to their POSTs and not on the stream"
            )),
        },
        unseen: "no request was answered",
    },
);

const NO_RESPONSE_IN_POST_BODY: Case = Case::rule(
    Clause {
        id: "http-sse/no-response-in-post-body",
        title: "the answer to the POST carries no JSON-RPC response",
        statement: "A response is sent once, as an event, and not in the body of the answer to the \
            POST as well.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-response-duplicated-in-post",
    },
    Advice {
        why: "Whoever reads both takes one answer for two.",
        how: "The body of the answer to every POST is looked at whose response came on the \
            stream.",
        mend: "Answer the POST with status 202 and no body, or a word such as Accepted.",
    },
    Rule {
        subject: |event, past| match event {
            Event::Message(message) => {
                past.sse.named
                    && message.kind() == Kind::Response
                    && message
                        .exchange
                        .as_ref()
                        .is_some_and(|exchange| exchange.method == "GET")
            }
            _ => past.sse.doubled,
        },
        holds: |event, past| {
            let evidence = match event {
                Event::Body { body, .. } => lines_of(body, past),
                _ => Vec::new(),
            };
            match past.sse.doubled {
                true => violated_by(
                    "a response that came on the stream stands in the answer to its POST as well",
                    evidence,
                ),
                false => Ok(()),
            }
        },
        unseen: "no request was answered on the stream",
    },
);
