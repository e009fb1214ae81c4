//! Posts of requests, and the form of what answers them.

use std::rc::Rc;

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    POST_SUPPORTED,
    METHOD_405_ALLOW,
    REQUEST_JSON_OR_STREAM,
    JSON_ANSWER_IS_ONE_RESPONSE,
    OWN_RESPONSE,
    CONCURRENT_POSTS,
];

const POST_SUPPORTED: Case = Case::rule(
    Clause {
        id: "streamable-http/post-supported",
        title: "the MCP endpoint supports POST",
        statement: "The server has one endpoint path to which clients POST their messages.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(V2025_03_26, "basic/transports#streamable-http")],
        fault: "http-post-405",
    },
    Advice {
        why: "Everything that a client says is posted: without POST there is no session.",
        how: "`initialize` is posted; the status must not be 405 or 501. An address with nothing \
            at all, 404, is no server to judge, and the run says that instead.",
        mend: "Route POST on the path of the endpoint to the transport of your SDK; check that \
            the path in the URL is that of the endpoint.",
    },
    Rule {
        subject: |event, _| {
            matches!(event, Event::Opened(exchange)
                if opens(exchange) && (exchange.status < 400 || is_no_post(exchange.status)))
        },
        holds: |event, past| match event {
            Event::Opened(exchange) if is_no_post(exchange.status) => violated_by(
                format!(
                    "the POST of `initialize` is answered with HTTP status {}",
                    exchange.status
                ),
                answer_of(exchange, &[], past),
            ),
            _ => Ok(()),
        },
        unseen: "`initialize` was not posted, or refused for another reason",
    },
);

/// Whether `initialize` was posted, and nothing else.
fn opens(exchange: &Exchange) -> bool {
    let request = exchange.request();
    request.is_some_and(|request| request.method.as_deref() == Some("initialize"))
}

/// Method Not Allowed, and Not Implemented.
fn is_no_post(status: u16) -> bool {
    matches!(status, 405 | 501)
}

const METHOD_405_ALLOW: Case = Case::probe(
    Clause {
        id: "streamable-http/method-405-allow",
        title: "a 405 carries an Allow header",
        statement: "An answer 405 lists the methods that are supported in an Allow header.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[
            (
                V2025_03_26,
                "basic/transports#listening-for-messages-from-the-server",
            ),
            (
                V2026_07_28,
                "basic/transports/streamable-http#earlier-streamable-http-revisions",
            ),
        ],
        fault: "http-405-no-allow",
    },
    Advice {
        why: "A client, and whoever debugs one, learns from it which methods there are.",
        how: "Every answer 405 of the run is looked at; a PUT, which no revision knows, is sent \
            to provoke one.",
        mend: "Add `Allow: GET, POST, DELETE`, or those of them that you serve, to every answer \
            405.",
    },
    Stage::Together("http-posts"),
    |s| {
        Box::pin(async {
            let (_, ping) = request(s, "ping");
            s.answered_http(s.post(&ping)?.method("PUT")).await?;
            left_to_rule()
        })
    },
)
.with_rule(Rule {
    subject: |event, _| matches!(event, Event::Opened(exchange) if exchange.status == 405),
    holds: |event, past| {
        let Event::Opened(exchange) = event else {
            return Ok(());
        };
        let Some(allow) = exchange.header("allow") else {
            return violated_by(
                format!(
                    "the answer 405 to a {} has no `Allow` header",
                    exchange.method
                ),
                answer_of(exchange, &[], past),
            );
        };
        let mut allowed = allow.split(',').map(str::trim);
        match allowed.any(|method| method == exchange.method) {
            true => violated_by(
                format!(
                    "`Allow: {}` names the {} that it refuses",
                    escaped(&allow),
                    exchange.method
                ),
                answer_of(exchange, &[], past),
            ),
            false => Ok(()),
        }
    },
    unseen: "no request was answered with 405",
});

const REQUEST_JSON_OR_STREAM: Case = Case::rule(
    Clause {
        id: "streamable-http/request-json-or-stream",
        title: "a request is answered by JSON or by an event stream",
        statement: "The answer to a POST with a request has the media type application/json or \
            text/event-stream.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(
            V2025_03_26,
            "basic/transports#sending-messages-to-the-server",
        )],
        fault: "http-wrong-response-type",
    },
    Advice {
        why: "A client reads by the media type: it throws away what is neither.",
        how: "Every answer with a 2xx status to a well-formed request has to be labelled \
            application/json or text/event-stream, and must not be empty.",
        mend: "Set Content-Type to application/json for a body that is one response, to \
            text/event-stream for a stream. Answer a request with its response, never with a \
            bare 202.",
    },
    Rule {
        subject: |event, past| match event {
            Event::Opened(exchange) | Event::Body { exchange, .. } => {
                answers_request(exchange) && is_owed(exchange, past)
            }
            _ => false,
        },
        holds: |event, past| match event {
            // A bare status is told by its empty body.
            Event::Opened(exchange) if !matches!(exchange.status, 202 | 204) => {
                typed(exchange, past)
            }
            Event::Body {
                exchange,
                len: 0,
                whole: true,
                ..
            } => violated_by(
                format!(
                    "a request is answered with HTTP status {} and no body",
                    exchange.status
                ),
                answer_of(exchange, &[], past),
            ),
            Event::Body { exchange, len, .. } if *len > 0 => typed(exchange, past),
            _ => Ok(()),
        },
        unseen: "no request was answered but with errors",
    },
);

/// Whether a well-formed request was answered, and not refused.
fn answers_request(exchange: &Exchange) -> bool {
    (200..300).contains(&exchange.status) && exchange.request().is_some_and(Message::is_well_formed)
}

/// Whether a response is due: nobody owes one to what was cancelled.
fn is_owed(exchange: &Exchange, past: &Past) -> bool {
    let asked = exchange
        .request()
        .and_then(|request| past.client.asked(request));
    asked.is_none_or(|asked| !asked.cancelled)
}

fn typed(exchange: &Exchange, past: &Past) -> Result<(), Stop> {
    match exchange.media_type().as_deref() {
        Some("application/json" | "text/event-stream") => Ok(()),
        Some(other) => violated_by(
            format!("a request is answered by `{}`", escaped(other)),
            answer_of(exchange, &[], past),
        ),
        None => violated_by(
            "the answer to a request has no `Content-Type`",
            answer_of(exchange, &[], past),
        ),
    }
}

const JSON_ANSWER_IS_ONE_RESPONSE: Case = Case::rule(
    Clause {
        id: "streamable-http/json-answer-is-one-response",
        title: "a JSON answer is one response object",
        statement: "An answer of type application/json to a single request is one JSON object: the \
            response to that request.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(
            V2025_03_26,
            "basic/transports#sending-messages-to-the-server",
        )],
        fault: "http-json-array-answer",
    },
    Advice {
        why: "A client parses such a body as the one response that it waits for.",
        how: "Every body of type application/json that answers a well-formed request with a 2xx \
            status is parsed.",
        mend: "Write the response object and nothing else: no array around it, no notification in \
            front of it, no byte order mark.",
    },
    Rule {
        subject: |event, _| {
            matches!(event, Event::Body { exchange, len, whole: true, .. }
                if *len > 0 && answers_request(exchange) && is_json(exchange))
        },
        holds: |event, past| match event {
            Event::Body {
                exchange,
                body,
                len,
                ..
            } if *len == body.len() as u64 => match no_response(body) {
                Some(what) => violated_by(
                    format!("the JSON that answers a request is {what}"),
                    answer_of(exchange, body, past),
                ),
                None => Ok(()),
            },
            // What is too long to be kept is not judged.
            _ => Ok(()),
        },
        unseen: "no request was answered by JSON",
    },
);

pub(super) fn is_json(exchange: &Exchange) -> bool {
    exchange.media_type().as_deref() == Some("application/json")
}

/// What a body is instead of one response.
fn no_response(body: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(body);
    if text.starts_with('\u{feff}') {
        return Some("preceded by a byte order mark");
    }
    if text.trim_start().starts_with('[') {
        return Some("an array");
    }
    match read_value(text.as_bytes()).as_slice() {
        [] => Some("no single JSON-RPC message"),
        [message] if message.kind() == Kind::Response => None,
        _ => Some("no response"),
    }
}

/// Ten requests, H and L mixed, that were posted side by side in one session.
struct Crowd {
    members: Vec<Member>,
    /// Whether a method is served when it is asked for alone.
    alone: Vec<(&'static str, bool)>,
}

/// One of them.
struct Member {
    id: String,
    method: &'static str,
    response: Option<Message>,
    /// How its answer has ended, if it has.
    end: Option<PostEnd>,
}

impl Member {
    /// Whether the server has lost it, or refused it though it was not too busy.
    fn is_lost(&self) -> bool {
        match &self.end {
            Some(PostEnd::Refused(refusal)) => !refusal.says_nothing(),
            // A connection that is closed may say that there are too many; what ends without a
            // response is the business of the clauses on answers.
            Some(PostEnd::Broke(_) | PostEnd::Read(_)) => false,
            None => self.response.is_none(),
        }
    }
}

impl Scene for Crowd {
    async fn play(s: &Talk) -> Result<Crowd, Stop> {
        let methods = ["ping", s.list_method().unwrap_or("ping")];
        let mut begun: Vec<(String, &'static str, Rc<Posting>)> = Vec::new();
        for method in methods.into_iter().cycle().take(10) {
            let (id, message) = request(s, method);
            let posting = s.dispatch(s.post(&message)?);
            begun.push((id, method, posting));
        }
        let mut members = Vec::new();
        for (id, method, posting) in begun {
            let response = s.response_in(&posting).await;
            members.push(Member {
                id,
                method,
                response,
                end: posting.is_over(),
            });
        }
        let mut alone = Vec::new();
        if members
            .iter()
            .any(|member| member.response.is_none() || member.is_lost())
        {
            for method in methods {
                let (id, message) = request(s, method);
                let served = post(s, s.post(&message)?).await?.serves(&id);
                alone.push((method, served));
            }
        }
        Ok(Crowd { members, alone })
    }
}

const OWN_RESPONSE: Case = Case::probe(
    Clause {
        id: "streamable-http/own-response",
        title: "each post is answered with its own response",
        statement: "The answer to a post carries the response to the request in that post, and no \
            other request's.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(
            V2025_03_26,
            "basic/transports#sending-messages-to-the-server",
        )],
        fault: "http-crossed-responses",
    },
    Advice {
        why: "A client that posts in parallel takes whatever comes in an answer for the response \
            to what it posted there.",
        how: "Ten requests with ids of their own, `ping` and a list in turn, are posted in \
            parallel; each answer has to bring the response with its own id, and with the kind \
            of result that was asked for.",
        mend: "Keep the connection with the request that came on it, and not in a variable of the \
            session.",
    },
    Stage::Together("http-crowd"),
    |s| {
        Box::pin(async {
            let crowd = s.scene::<Crowd>().await?;
            let answered = crowd.members.iter();
            for (member, response) in answered.filter_map(|m| Some((m, m.response.as_ref()?))) {
                let own = Id::Text(member.id.clone());
                if !response.is_without_id() && response.id != Some(own) {
                    return differs(
                        format!(
                            "the answer to a `{}` brings the response to another request",
                            member.method
                        ),
                        member.id.clone(),
                        response
                            .id
                            .as_ref()
                            .map(ToString::to_string)
                            .unwrap_or_default(),
                    );
                }
                let result = response.result();
                let is_list = ["tools", "resources", "prompts"]
                    .iter()
                    .any(|list| result.is_some_and(|result| result.get(list).is_some()));
                // What a list lacks, or a ping has too much, is not asked here.
                if is_list && member.method == "ping" {
                    return violated("the answer to a `ping` brings the result of a list");
                }
            }
            if crowd.members.iter().all(|member| member.response.is_none()) {
                s.blame_damage()?;
                return unverified(
                    "none of the requests is answered, see streamable-http/concurrent-posts",
                );
            }
            Ok(())
        })
    },
);

const CONCURRENT_POSTS: Case = Case::probe(
    Clause {
        id: "streamable-http/concurrent-posts",
        title: "requests posted in parallel are all answered",
        statement: "Requests posted while others are in flight are each answered.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(V2025_03_26, "basic/transports#multiple-connections")],
        fault: "http-drops-concurrent-post",
    },
    Advice {
        why: "Clients post while they wait: one that is dropped hangs for ever.",
        how: "The ten requests of streamable-http/own-response: each has to be answered, in any \
            order. If one is not, it is asked for alone.",
        mend: "Serve each POST by itself, or let it wait for its turn; refuse with 429 or 503 \
            what is too much.",
    },
    Stage::Together("http-crowd"),
    |s| {
        Box::pin(async {
            let crowd = s.scene::<Crowd>().await?;
            let mut lost = crowd.members.iter().filter(|member| member.is_lost());
            let Some(member) = lost.next() else {
                return Ok(());
            };
            if crowd.alone.contains(&(member.method, false)) {
                return unverified(format!(
                    "a `{}` posted alone is not answered either",
                    member.method
                ));
            }
            let lost = 1 + lost.count();
            violated(format!(
                "{lost} of 10 requests posted in parallel get no answer, though a `{}` posted alone does",
                member.method
            ))
        })
    },
);
