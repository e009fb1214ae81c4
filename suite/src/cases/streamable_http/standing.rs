//! What comes on a stream that a client has opened by GET.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[PROGRESS_NOT_ON_GET, NO_RESPONSE_ON_GET, NO_BROADCAST];

const PROGRESS_NOT_ON_GET: Case = Case::probe(
    Clause {
        id: "streamable-http/progress-not-on-get",
        title: "what belongs to a running request does not come on a GET stream",
        statement: "Messages on a stream opened by GET are unrelated to any request that is running.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("get-stream")],
        anchors: &[(V2025_03_26, "basic/transports#listening-for-messages-from-the-server")],
        fault: "http-progress-on-get-stream",
    },
    Advice {
        why: "A client that reads the answer to its call for progress does not look for it on \
            another stream, and may have none.",
        how: "A tool that reports progress is called while a stream opened by GET stands open; \
            all progress of the run is held against the stream that it came on.",
        mend: "Send notifications about a request through the context of that request, so that \
            your SDK knows on which stream they belong.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            needs_get_stream(s).await?;
            call_with_progress(s).await?;
            left_to_rule()
        })
    },
)
.with_rule(Rule {
    subject: |event, past| {
        let Some(response) = response(event) else {
            return false;
        };
        // Where the answer is JSON the stream of the GET is the only place for progress.
        let streamed = response.exchange.as_ref().is_some_and(|exchange| {
            exchange.is_stream() && exchange.request().is_some()
        });
        let apart = streamed.then(|| reported_apart(response, past)).flatten();
        apart.is_some_and(|apart| apart || past.streams.has_apart())
    },
    holds: |event, past| {
        let response = response(event);
        match response.and_then(|response| reported_apart(response, past)) {
            Some(true) => violated(
                "progress of a request came on the stream of a GET, though the request was \
                 answered by a stream of its own",
            ),
            _ => Ok(()),
        }
    },
    unseen: "no progress came for a request that was answered by a stream while another, opened by GET, was open",
});

/// Whether progress was reported for the request that a response answers, and if so whether some
/// of it came on a stream opened by GET.
fn reported_apart(response: &Message, past: &Past) -> Option<bool> {
    let token = past.client.asked(response)?.progress_token.as_ref()?;
    past.streams.reported_apart(token)
}

/// Calls a tool that reports progress.
async fn call_with_progress(s: &Talk) -> Result<(), Stop> {
    let call = s.progress_tool().await?;
    let token = json!(s.fresh_id());
    s.ask("tools/call", call.params_with_token(&token)).await?;
    Ok(())
}

const NO_RESPONSE_ON_GET: Case = Case::probe(
    Clause {
        id: "streamable-http/no-response-on-get",
        title: "no response comes on a stream opened by GET",
        statement: "A stream opened by GET, unless it resumes the stream of a request, carries \
            requests and notifications only.",
        level: Level::MustNot,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("get-stream")],
        anchors: &[(
            V2025_03_26,
            "basic/transports#listening-for-messages-from-the-server",
        )],
        fault: "http-response-on-get",
    },
    Advice {
        why: "A client waits for a response in the answer to its post; on another stream it \
            belongs to nothing.",
        how: "Requests are posted while a stream opened by GET stands open; whatever comes on \
            such streams in the whole run is looked at, until they are closed.",
        mend: "Write a response to the connection on which the request came.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            needs_get_stream(s).await?;
            for _ in 0..5 {
                s.ask("ping", Value::Null).await?;
                if let Some(list) = s.list_method() {
                    s.ask(list, Value::Null).await?;
                }
            }
            s.fence().await?;
            left_to_rule()
        })
    },
)
.with_rule(Rule {
    subject: |event, _| match event {
        Event::Closed { exchange, .. } => exchange.stands_apart(),
        _ => response_apart(event).is_some(),
    },
    holds: |event, past| match response_apart(event) {
        Some(response) if is_ambiguous(response, past) => Ok(()),
        Some(response) => broken_by("a response came on a stream opened by GET", response, past),
        None => Ok(()),
    },
    unseen: "no stream opened by GET was seen to its end",
});

/// The response that came on a stream which answers no request.
fn response_apart<'a>(event: &Event<'a>) -> Option<&'a Message> {
    let response = response(event)?;
    let exchange = response.exchange.as_ref()?;
    exchange.stands_apart().then_some(response)
}

/// Whether the client gave the id to several requests: then no server can tell whose answer goes
/// where.
fn is_ambiguous(response: &Message, past: &Past) -> bool {
    let asked = past.client.asked(response);
    asked.is_some_and(|asked| asked.uses > 1)
}

const NO_BROADCAST: Case = Case::probe(
    Clause {
        id: "streamable-http/no-broadcast",
        title: "a message is sent on one stream only",
        statement: "Each message of the server's goes to one of the client's streams; it is not \
            broadcast.",
        level: Level::MustNot,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("get-stream")],
        anchors: &[(V2025_03_26, "basic/transports#multiple-connections")],
        fault: "http-broadcasts-messages",
    },
    Advice {
        why: "A client that gets one request twice does it twice.",
        how: "With several streams open in one session a list and a tool are asked for; requests \
            of the server and progress notifications, which can be recognised, are looked for on \
            more than one of them.",
        mend: "Choose one stream for each message: that of the request that it belongs to, or one \
            of those opened by GET.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            needs_get_stream(s).await?;
            if let Some(list) = s.list_method() {
                s.ask(list, Value::Null).await?;
            }
            // What else the server says in the run may do as well.
            match call_with_progress(s).await {
                Err(Stop::Unverified(_)) | Ok(()) => left_to_rule(),
                Err(stop) => Err(stop),
            }
        })
    },
)
.with_rule(Rule {
    // Responses are told apart by streamable-http/no-response-on-get and own-response.
    subject: |event, past| {
        call(event).is_some_and(|call| {
            let exchange = call.exchange.as_ref();
            let live = exchange
                .is_some_and(|exchange| exchange.is_stream() && exchange.resumes().is_none());
            live && past.streams.open() >= 2 && is_recognisable(call)
        })
    },
    holds: |event, past| {
        let Some((call, exchange)) = call(event).and_then(|c| Some((c, c.exchange.as_ref()?)))
        else {
            return Ok(());
        };
        // Where each request makes a session, their ids begin anew with each.
        let is_known = call.kind() == Kind::Notification || past.session_id.is_some();
        match past.streams.brought_by(call) {
            Some(other) if other != exchange.number && past.streams.is_open(other) && is_known => {
                broken_by("the same message came on two streams", call, past)
            }
            _ => Ok(()),
        }
    },
    unseen: "nothing that can be recognised came while two streams were open",
});
