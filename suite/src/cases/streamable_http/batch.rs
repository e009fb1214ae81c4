//! Arrays of messages: in 2025-03-26 alone they are part of the protocol.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    BATCH_ACCEPTED,
    BATCH_OF_NOTIFICATIONS_202,
    BATCH_NOT_HALF_HANDLED,
    NO_BATCH_FROM_SERVER,
];

/// What became of an array that was posted.
struct Array {
    posted: Posted,
    /// How many requests it held, and how many of them got a response.
    requests: usize,
    answered: usize,
    /// Whether an error came that has no id, for the array as a whole.
    whole: bool,
}

/// Posts an array and waits for the responses to the requests in it.
async fn array(s: &Talk, elements: &[Value]) -> Result<Array, Stop> {
    let (posting, head) = s.exchange_http(s.post(&json!(elements))?).await?;
    let requests: Vec<Id> = elements
        .iter()
        .filter_map(|element| element.get("id"))
        .map(Id::of)
        .collect();
    let mut answered = 0;
    if head.as_ref().is_ok_and(|head| head.status < 400) {
        for id in &requests {
            let came = posting.message(|m| m.kind() == Kind::Response && m.id.as_ref() == Some(id));
            let came = tokio::time::timeout(s.answer_limit(), came).await;
            answered += usize::from(matches!(came, Ok(Some(_))));
        }
        s.read_out(&posting).await;
    }
    let whole = posting
        .messages()
        .iter()
        .any(|m| m.has_error() && m.is_without_id());
    let posted = Posted {
        posting,
        head,
        response: None,
    };
    Ok(Array {
        posted,
        requests: requests.len(),
        answered,
        whole,
    })
}

fn unknown_notification() -> Value {
    json!({ "jsonrpc": "2.0", "method": "notifications/com.example.unknown" })
}

/// An array of H, a notification, and L.
struct Mixed(Array);

impl Scene for Mixed {
    async fn play(s: &Talk) -> Result<Mixed, Stop> {
        plain(s).await?;
        let (_, ping) = request(s, "ping");
        let (_, list) = request(s, s.list_method().unwrap_or("ping"));
        Ok(Mixed(
            array(s, &[ping, unknown_notification(), list]).await?,
        ))
    }
}

const BATCH_ACCEPTED: Case = Case::probe(
    Clause {
        id: "streamable-http/batch-accepted",
        title: "a batch of requests is answered",
        statement: "A body with an array of requests and notifications is accepted and processed.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_03_26,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(V2025_03_26, "basic/index#batching")],
        fault: "http-batch-rejected",
    },
    Advice {
        why: "Whoever negotiates 2025-03-26 promises to take batches; a client that sends one \
            waits for all its responses.",
        how: "An array of a `ping`, an unknown notification and a list is posted; both requests \
            have to be answered, in one array or singly, as JSON or on a stream.",
        mend: "Take arrays apart and handle each element, or do not negotiate 2025-03-26.",
    },
    Stage::Together("http-batch"),
    |s| {
        Box::pin(async {
            let Mixed(array) = &*s.scene::<Mixed>().await?;
            if array.posted.is_refused() {
                return violated(format!("a batch {}", refusal(&array.posted)));
            }
            match array.requests - array.answered {
                0 => Ok(()),
                missing => violated(format!(
                    "{missing} of the {} requests of a batch are not answered",
                    array.requests
                )),
            }
        })
    },
);

/// How an array was turned away.
fn refusal(posted: &Posted) -> String {
    match &posted.head {
        Ok(head) => format!("is refused with HTTP status {}", head.status),
        Err(reason) => format!("gets no answer: {reason}"),
    }
}

const BATCH_OF_NOTIFICATIONS_202: Case = Case::probe(
    Clause {
        id: "streamable-http/batch-of-notifications-202",
        title: "a batch without requests is answered with 202",
        statement: "An array of notifications only, or of responses only, is answered like a single \
            one: 202 without a body.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_03_26,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(
            V2025_03_26,
            "basic/transports#sending-messages-to-the-server",
        )],
        fault: "http-batch-notifications-200",
    },
    Advice {
        why: "A client that sent no request waits for no response.",
        how: "An array of two notifications is posted; 202 and no body has to come back.",
        mend: "Answer 202 where an array holds no request, and write no empty array.",
    },
    Stage::Together("http-batch"),
    |s| {
        Box::pin(async {
            s.scene::<Mixed>().await?;
            let array = array(s, &[unknown_notification(), unknown_notification()]).await?;
            if array.posted.is_refused() {
                return unverified(format!(
                    "a batch of notifications {}, see streamable-http/batch-accepted",
                    refusal(&array.posted)
                ));
            }
            let body = array.posted.posting.body();
            match array.posted.status() {
                Some(202) if body.is_empty() => Ok(()),
                Some(202) => violated(format!(
                    "the 202 to a batch of notifications has a body of {} bytes",
                    body.len()
                )),
                status => violated(format!(
                    "a batch of notifications is answered with HTTP status {} and not 202",
                    status.unwrap_or_default()
                )),
            }
        })
    },
);

const BATCH_NOT_HALF_HANDLED: Case = Case::probe(
    Clause {
        id: "streamable-http/batch-not-half-handled",
        title: "a batch is refused or answered in full",
        statement: "Where batches do not exist a server may refuse an array or be lenient, but does \
            not serve part of it.",
        level: Level::Should,
        levels: &[],
        since: V2025_06_18,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[
            (
                V2025_06_18,
                "basic/transports#sending-messages-to-the-server",
            ),
            (
                V2026_07_28,
                "basic/transports/streamable-http#sending-messages",
            ),
        ],
        fault: "http-batch-half-answered",
    },
    Advice {
        why: "A client that is served one of two requests waits for the other for ever.",
        how: "An array of two `ping` is posted: it may be refused with a 4xx status, answered by \
            one error, or served in full.",
        mend: "Refuse arrays with 400, or take them apart and answer every request in them.",
    },
    Stage::Together("http-batch"),
    |s| {
        Box::pin(async {
            plain(s).await?;
            let (_, one) = request(s, "ping");
            let (_, other) = request(s, "ping");
            let array = array(s, &[one, other]).await?;
            match array.posted.status() {
                None if array.posted.posting.is_over().is_some() => Ok(()),
                None => violated(format!("an array {}", refusal(&array.posted))),
                Some(status @ (202 | 500..)) => {
                    violated(format!("an array of requests gets HTTP status {status}"))
                }
                Some(400..) => Ok(()),
                Some(_) if array.whole || array.answered == array.requests => Ok(()),
                Some(_) => violated(format!(
                    "{} of the 2 requests in an array is answered",
                    array.answered
                )),
            }
        })
    },
);

const NO_BATCH_FROM_SERVER: Case = Case::rule(
    Clause {
        id: "streamable-http/no-batch-from-server",
        title: "the server sends single messages, never arrays",
        statement: "Where batches do not exist neither a JSON body nor an event's data is an array.",
        level: Level::MustNot,
        levels: &[],
        since: V2025_06_18,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[
            (
                V2025_06_18,
                "basic/transports#sending-messages-to-the-server",
            ),
            (
                V2026_07_28,
                "basic/transports/streamable-http#sending-messages",
            ),
        ],
        fault: "http-batch-from-server",
    },
    Advice {
        why: "Clients of these revisions read one message from an event; an array is none to \
            them.",
        how: "The data of every event is looked at, but for the answers to arrays that a case \
            has posted.",
        mend: "Write an event for each message.",
    },
    Rule {
        subject: |event, _| data(event).is_some(),
        holds: |event, past| match data(event) {
            Some(event) if is_array(event) => violated_by(
                "the data of an event is an array",
                lines_of(&event.raw, past),
            ),
            _ => Ok(()),
        },
        unseen: "no event with data was seen",
    },
);

/// An event with data, but for the answers to arrays.
fn data<'a>(event: &Event<'a>) -> Option<&'a SseEvent> {
    match event {
        Event::Found {
            exchange,
            found: SseFound::Event(event),
        } if event.len > 0
            && exchange
                .posted
                .iter()
                .all(|message| message.batch.is_none()) =>
        {
            Some(event)
        }
        _ => None,
    }
}

/// Whether the data of an event is a JSON array.
pub(super) fn is_array(event: &SseEvent) -> bool {
    let data = event.data.as_deref().unwrap_or_default().trim_ascii();
    data.starts_with(b"[") && serde_json::from_slice::<serde::de::IgnoredAny>(data).is_ok()
}
