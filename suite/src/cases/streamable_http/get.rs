//! The stream that a client opens by GET: how it begins, and what comes on it.

use std::rc::Rc;

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    GET_STREAM_OR_405,
    GET_HEADERS_PROMPT,
    GET_LEAVES_POST_WORKING,
    SECOND_GET,
    PROGRESS_NOT_ON_GET,
    NO_RESPONSE_ON_GET,
    NO_BROADCAST,
];

/// The first GET of a session, and what is posted while its stream stands open.
struct Listening {
    head: Option<Rc<Exchange>>,
    /// Whether the connection had failed when the limit was over.
    failed: bool,
    /// Whether a request was served while the GET was under way.
    served: bool,
    beside: Beside,
    second: Option<Second>,
}

/// What became of requests that were posted beside an open stream.
enum Beside {
    /// No stream was open.
    Nothing,
    Served,
    /// This many were served before one was not; whether it was once the stream was closed.
    Stuck(usize, bool),
    /// They were served, but in a second session this happened.
    StuckElsewhere(String),
}

/// A second GET in the same session.
struct Second {
    head: Result<Rc<Exchange>, String>,
    /// Whether a request was served after it.
    served: bool,
}

impl Listening {
    /// The head of the stream, for what is about an open one.
    fn stream(&self) -> Result<&Exchange, Stop> {
        match &self.head {
            Some(head) if head.is_standing() && head.status < 300 => Ok(head),
            Some(head) => not_applicable(format!(
                "the server offers no stream: GET gets HTTP status {}",
                head.status
            )),
            None => unverified("GET gets no answer, see streamable-http/get-headers-prompt"),
        }
    }
}

impl Scene for Listening {
    async fn play(s: &Talk) -> Result<Listening, Stop> {
        let get = s.dispatch(s.get()?);
        let served = is_served(s).await?;
        let head = tokio::time::timeout(s.answer_limit(), get.head()).await;
        let mut listening = Listening {
            failed: matches!(head, Ok(Err(_))),
            head: head.ok().and_then(Result::ok),
            served,
            beside: Beside::Nothing,
            second: None,
        };
        if let Some(head) = &listening.head {
            s.note_head(head);
        }
        if listening.stream().is_ok() {
            listening.beside = beside(s, &get, served).await?;
            if matches!(listening.beside, Beside::Served) {
                listening.second = Some(second(s).await?);
            }
        }
        get.disconnect();
        Ok(listening)
    }
}

/// Whether H is answered in its own answer, with whatever result.
async fn is_served(s: &Talk) -> Result<bool, Stop> {
    let (_, ping) = request(s, "ping");
    Ok(post(s, s.post(&ping)?).await?.response.is_some())
}

/// Posts three H one after the other, and one in a second session.
async fn beside(s: &Talk, get: &Posting, served: bool) -> Result<Beside, Stop> {
    for before in 0..3 {
        if !served || !is_served(s).await? {
            get.disconnect();
            return Ok(Beside::Stuck(before, is_served(s).await?));
        }
    }
    let other = s.another()?;
    let handshake = other.handshake().await?;
    if !handshake.is_result() {
        return Ok(Beside::StuckElsewhere(format!("`initialize` {handshake}")));
    }
    Ok(match is_served(&other).await? {
        true => Beside::Served,
        false => Beside::StuckElsewhere("`ping` is not answered".to_owned()),
    })
}

/// GETs once more. While two streams stand open lists are asked for: what a server says to
/// everybody it says then.
async fn second(s: &Talk) -> Result<Second, Stop> {
    let (posting, head) = s.exchange_http(s.get()?).await?;
    if let (Ok(head), Some(list)) = (&head, s.list_method())
        && head.is_standing()
    {
        for _ in 0..3 {
            let (_, message) = request(s, list);
            post(s, s.post(&message)?).await?;
        }
    }
    let served = is_served(s).await?;
    posting.disconnect();
    Ok(Second { head, served })
}

const GET_STREAM_OR_405: Case = Case::probe(
    Clause {
        id: "streamable-http/get-stream-or-405",
        title: "a GET is answered by an event stream or by 405",
        statement: "The endpoint supports GET: it opens an event stream, or says with 405 Method Not \
            Allowed that it offers none.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(
            V2025_03_26,
            "basic/transports#listening-for-messages-from-the-server",
        )],
        fault: "http-get-404",
    },
    Advice {
        why: "A client GETs to hear what the server says on its own account; from 405 alone it \
            learns that there is nothing to hear, and that all is well.",
        how: "The first GET of a session, with all its headers: it has to be answered by a \
            stream with a 2xx status, or by 405.",
        mend: "Answer 405 if you offer no stream, also where a router in front knows POST only.",
    },
    Stage::Together("http-get"),
    |s| {
        Box::pin(async {
            let scene = s.scene::<Listening>().await?;
            let Some(head) = &scene.head else {
                return unverified("GET gets no answer, see streamable-http/get-headers-prompt");
            };
            match (head.status, head.media_type()) {
                (405, _) => Ok(()),
                (status @ (401 | 403 | 429 | 503), _) => {
                    unverified(format!("GET gets HTTP status {status}"))
                }
                (200..300, Some(kind)) if kind == "text/event-stream" => Ok(()),
                (200..300, kind) => violated(format!(
                    "GET is answered by `{}` and not by an event stream",
                    escaped(kind.as_deref().unwrap_or("no media type at all"))
                )),
                (status, _) => violated(format!(
                    "GET gets HTTP status {status}, and neither a stream nor 405"
                )),
            }
        })
    },
);

const GET_HEADERS_PROMPT: Case = Case::probe(
    Clause {
        id: "streamable-http/get-headers-prompt",
        title: "a GET stream's headers come without waiting for an event",
        statement: "The answer to a GET is visible at once: status and headers are sent when the \
            stream is opened, not with its first event.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(
            V2025_03_26,
            "basic/transports#listening-for-messages-from-the-server",
        )],
        fault: "http-get-headers-withheld",
    },
    Advice {
        why: "Without status and headers a client cannot tell an open stream from a server that \
            hangs.",
        how: "The GET of streamable-http/get-stream-or-405; a request is posted meanwhile, to \
            see that the server lives.",
        mend: "Flush the head of the answer when the stream is opened; where a framework waits \
            for the first byte of the body, write a comment line.",
    },
    Stage::Together("http-get"),
    |s| {
        Box::pin(async {
            let scene = s.scene::<Listening>().await?;
            match &scene.head {
                Some(_) => Ok(()),
                None if scene.failed => unverified("the connection of the GET was closed"),
                None if !scene.served => unverified(
                    "nothing is answered while the GET is under way, see \
                     streamable-http/get-leaves-post-working",
                ),
                None => violated(format!(
                    "no status comes for a GET within {} s, though posts are answered",
                    s.answer_limit().as_secs_f32()
                )),
            }
        })
    },
);

const GET_LEAVES_POST_WORKING: Case = Case::probe(
    Clause {
        id: "streamable-http/get-leaves-post-working",
        title: "an open GET stream does not keep posts from being answered",
        statement: "The server handles several connections: while a stream stands open, requests \
            posted on other connections are answered.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("get-stream")],
        anchors: &[(V2025_03_26, "basic/transports#streamable-http")],
        fault: "http-get-blocks-posts",
    },
    Advice {
        why: "Clients keep the stream open for as long as they live: a server that serves one \
            connection at a time answers nothing then.",
        how: "While the stream of a GET stands open, requests are posted one after the other on \
            other connections, and one in a second session.",
        mend: "Serve connections concurrently: give the server more than one thread or worker, or \
            make the handler of the GET asynchronous.",
    },
    Stage::Together("http-get"),
    |s| {
        Box::pin(async {
            let scene = s.scene::<Listening>().await?;
            scene.stream()?;
            match &scene.beside {
                Beside::Served => Ok(()),
                Beside::Stuck(before, true) => violated(format!(
                    "while the stream of a GET stands open {before} requests are answered and then \
                     none; once it is closed they are again"
                )),
                Beside::Stuck(_, false) => {
                    unverified("`ping` is not answered without an open stream either")
                }
                Beside::StuckElsewhere(what) => violated(format!(
                    "while the stream of a GET stands open, in another session {what}"
                )),
                Beside::Nothing => unverified("no stream stood open"),
            }
        })
    },
);

const SECOND_GET: Case = Case::probe(
    Clause {
        id: "streamable-http/second-get",
        title: "a second GET stream does no harm",
        statement: "A client may hold several streams at once; a second GET is given a stream of its \
            own or refused cleanly.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("get-stream")],
        anchors: &[(V2025_03_26, "basic/transports#multiple-connections")],
        fault: "http-second-get-500",
    },
    Advice {
        why: "A client whose connection broke unnoticed GETs again; a server that stumbles over \
            that is lost to it.",
        how: "A second GET in the session whose first stream stands open, then a request. A \
            stream, and any refusal with a 4xx status, will do.",
        mend: "Give it a stream of its own, close the older one, or refuse it with 409.",
    },
    Stage::Together("http-get"),
    |s| {
        Box::pin(async {
            let scene = s.scene::<Listening>().await?;
            scene.stream()?;
            let Some(second) = &scene.second else {
                return unverified(
                    "posts are not answered beside an open stream, see \
                     streamable-http/get-leaves-post-working",
                );
            };
            match &second.head {
                Err(reason) => violated(format!("a second GET gets no answer: {reason}")),
                Ok(head) if head.status >= 500 => {
                    violated(format!("a second GET gets HTTP status {}", head.status))
                }
                Ok(_) if !second.served => violated("after a second GET `ping` is not answered"),
                Ok(_) => Ok(()),
            }
        })
    },
);

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
        how: "With several streams open in one session, requests of the server and progress \
            notifications, which can be recognised, are looked for on more than one of them.",
        mend: "Choose one stream for each message: that of the request that it belongs to, or one \
            of those opened by GET.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            needs_get_stream(s).await?;
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
        match past.streams.brought_by(call) {
            Some(other) if other != exchange.number => {
                broken_by("the same message came on two streams", call, past)
            }
            _ => Ok(()),
        }
    },
    unseen: "nothing that can be recognised came while two streams were open",
});
