//! The stream that a client opens by GET: how it begins, and what goes on beside it.

use std::rc::Rc;

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    GET_STREAM_OR_405,
    GET_HEADERS_PROMPT,
    GET_LEAVES_POST_WORKING,
    SECOND_GET,
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
    /// They were served, but in a second session this happened; whether another one was served once
    /// the stream was closed.
    StuckElsewhere(String, bool),
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
        // Once may be chance, on a busy machine; `served` tells of one more.
        let stuck = !is_served(s).await?;
        if stuck && (!served || !is_served(s).await?) {
            get.disconnect();
            return Ok(Beside::Stuck(before, is_served(s).await?));
        }
    }
    let Err(what) = elsewhere(s).await? else {
        return Ok(Beside::Served);
    };
    get.disconnect();
    Ok(Beside::StuckElsewhere(what, elsewhere(s).await?.is_ok()))
}

/// Whether a session beside this one is opened and served; what fails otherwise.
async fn elsewhere(s: &Talk) -> Result<Result<(), String>, Stop> {
    let other = s.another()?;
    let handshake = other.handshake().await?;
    if !handshake.is_result() {
        return Ok(Err(format!("`initialize` {handshake}")));
    }
    Ok(match is_served(&other).await? {
        true => Ok(()),
        false => Err("`ping` is not answered".to_owned()),
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
                (status, _) if status == 403 || head.turns_away() => {
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
                Beside::StuckElsewhere(what, true) => violated(format!(
                    "while the stream of a GET stands open, in another session {what}; once it is \
                     closed another is served"
                )),
                Beside::StuckElsewhere(what, false) => unverified(format!(
                    "in another session {what}, without an open stream too"
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
