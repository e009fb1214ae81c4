//! Posts that cannot be accepted.

use super::{notification::posted, prelude::*};

pub(super) const CASES: &[Case] = &[
    REJECTED_WITH_ERROR_STATUS,
    REJECTION_BODY_WITHOUT_ID,
    MALFORMED_JSON_REFUSED,
    SURVIVES_MALFORMED_POST,
];

/// What became of messages that no server can accept, and then of bodies that are no messages.
struct Garbage {
    rejected: Vec<(&'static str, Posted)>,
    malformed: Vec<(&'static str, Posted)>,
    /// Whether a `ping` was served between the two, and after both.
    intact: bool,
    survived: bool,
}

impl Scene for Garbage {
    async fn play(s: &Talk) -> Result<Garbage, Stop> {
        plain(s).await?;
        let odd = [
            (
                "a notification whose method is a number",
                r#"{"jsonrpc":"2.0","method":42}"#,
            ),
            (
                "a response with a result and an error",
                r#"{"jsonrpc":"2.0","id":"r1","result":{},"error":{}}"#,
            ),
        ];
        let mut rejected = Vec::new();
        for (what, text) in odd {
            rejected.push((what, bodies(s, text).await?));
        }
        if s.has_session_id() {
            let note = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
            let draft = s
                .post(&note)?
                .header("Mcp-Session-Id", &s.unknown_session_id());
            rejected.push((
                "a notification for an unknown session",
                post_quietly(s, draft).await?,
            ));
        }
        let intact = is_served(s).await?;
        let broken = [
            ("a truncated object", r#"{"jsonrpc":"2.0","id":"t1","met"#),
            ("`not json`", "not json"),
            ("an empty body", ""),
        ];
        let mut malformed = Vec::new();
        for (what, text) in broken {
            malformed.push((what, bodies(s, text).await?));
        }
        Ok(Garbage {
            rejected,
            malformed,
            intact,
            survived: is_served(s).await?,
        })
    }
}

/// Posts a text in the place of a message.
async fn bodies(s: &Talk, text: &'static str) -> Result<Posted, Stop> {
    post_quietly(s, s.post(&Value::Null)?.body(text)).await
}

/// Posts what need not be answered by a response: an answer that goes on is not waited for.
async fn post_quietly(s: &Talk, draft: Draft) -> Result<Posted, Stop> {
    let (posting, head) = s.exchange_http(draft).await?;
    let response = match &head {
        Ok(head) if head.status == 200 => s.response_in(&posting).await,
        Ok(_) => {
            s.read_out(&posting).await;
            posting.messages().into_iter().next()
        }
        Err(_) => None,
    };
    Ok(Posted {
        posting,
        head,
        response,
    })
}

async fn is_served(s: &Talk) -> Result<bool, Stop> {
    let (id, ping) = request(s, "ping");
    Ok(post(s, s.post(&ping)?).await?.serves(&id))
}

const REJECTED_WITH_ERROR_STATUS: Case = Case::probe(
    Clause {
        id: "streamable-http/rejected-with-error-status",
        title: "what is not accepted gets an HTTP error status",
        statement: "A notification or response that the server cannot accept is answered with an HTTP \
            error status, not with a success that carries an error inside.",
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
        fault: "http-200-with-error-body",
    },
    Advice {
        why: "After a notification a client looks at the status alone: a success tells it that \
            the message has arrived.",
        how: "A notification whose method is a number, a response with both a result and an \
            error, and a notification for a session that was never issued. 202 for all of them \
            is poor, but rejects nothing.",
        mend: "Answer 400 (404 for an unknown session) to a notification or response that you do \
            not take.",
    },
    Stage::Together("http-malformed"),
    |s| {
        Box::pin(async {
            let scene = s.scene::<Garbage>().await?;
            for (what, posted) in &scene.rejected {
                if let Some(status) = posted.status().filter(|status| is_success(*status)) {
                    return violated(format!("{what} is answered with HTTP status {status}"));
                }
            }
            match scene.rejected.iter().any(|(_, posted)| posted.is_refused()) {
                true => Ok(()),
                false => unverified("nothing was rejected: all was answered with 202"),
            }
        })
    },
);

/// Whether the status says that a message was served: 202 says only that it was taken.
fn is_success(status: u16) -> bool {
    (200..300).contains(&status) && status != 202
}

const REJECTION_BODY_WITHOUT_ID: Case = Case::rule(
    Clause {
        id: "streamable-http/rejection-body-without-id",
        title: "an error body for a rejected message has no id",
        statement: "The body of such a refusal, and of one for a foreign Origin, may be a JSON-RPC \
            error response; if it is one, it has no id.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(
            V2025_03_26,
            "basic/transports#sending-messages-to-the-server",
        )],
        fault: "http-rejection-with-id",
    },
    Advice {
        why: "An error with an id answers a request that the client never made.",
        how: "The bodies of all refusals of notifications and responses, and of posts with a \
            foreign Origin, are looked at: a JSON-RPC error in them has no id, or null.",
        mend: "Leave `id` out of the error, or set it to null.",
    },
    Rule {
        subject: |event, _| {
            message(event).is_some_and(|message| {
                let exchange = message.exchange.as_deref();
                message.is_refusal() && exchange.is_some_and(rejects)
            })
        },
        holds: |event, past| {
            let Some(message) = message(event) else {
                return Ok(());
            };
            match &message.id {
                None | Some(Id::Null) if message.has_result() => {
                    broken_by("the body of a refusal is a JSON-RPC result", message, past)
                }
                None | Some(Id::Null) => Ok(()),
                Some(id) => broken_by(
                    format!(
                        "the error that refuses what is no request has the id {}",
                        escaped(id.to_string())
                    ),
                    message,
                    past,
                ),
            }
        },
        unseen: "no notification or response was refused with a JSON-RPC body",
    },
);

/// Whether what was refused is no request, or a post with a foreign Origin. A malformed response
/// may be taken for a request, whose id may be echoed.
fn rejects(exchange: &Exchange) -> bool {
    let is_other = posted(exchange)
        .is_some_and(|message| message.kind() == Kind::Notification || message.is_well_formed());
    is_other || (exchange.status == 403 && exchange.sent_header("origin").is_some())
}

const MALFORMED_JSON_REFUSED: Case = Case::probe(
    Clause {
        id: "streamable-http/malformed-json-refused",
        title: "a body that is not JSON is refused",
        statement: "A post whose body cannot be parsed is answered with an error and is not accepted.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[
            (
                V2025_03_26,
                "basic/transports#sending-messages-to-the-server",
            ),
            (
                V2026_07_28,
                "basic/transports/streamable-http#sending-messages",
            ),
        ],
        fault: "http-accepts-malformed-json",
    },
    Advice {
        why: "A client whose message was cut on its way has to learn that it did not arrive.",
        how: "A truncated object, the text `not json`, and an empty body, each as \
            application/json. A JSON-RPC error with a success status, and any 5xx, pass with a \
            remark.",
        mend: "Answer 400 to a body that you cannot parse; an error -32700 without an id may \
            stand in it.",
    },
    Stage::Together("http-malformed"),
    |s| {
        Box::pin(async {
            let scene = s.scene::<Garbage>().await?;
            if !scene.intact {
                return unverified(
                    "no post is answered any more after messages that cannot be accepted, see \
                     streamable-http/rejected-with-error-status",
                );
            }
            for (what, posted) in &scene.malformed {
                let error = posted
                    .response
                    .as_ref()
                    .filter(|response| response.has_error());
                match posted.status() {
                    Some(status) if status >= 500 => {
                        s.remark(format!(
                            "{what} gets HTTP status {status}, as if the server were at fault"
                        ));
                    }
                    Some(400..) => {}
                    Some(status @ 200..300) if error.is_some() => {
                        s.remark(format!(
                            "{what} gets HTTP status {status} with the error inside"
                        ));
                    }
                    Some(status) => {
                        return violated(format!("{what} is answered with HTTP status {status}"));
                    }
                    // A connection that is closed is a refusal too.
                    None if posted.posting.is_over().is_some() => {}
                    None => return violated(format!("{what} {posted}")),
                }
            }
            Ok(())
        })
    },
);

const SURVIVES_MALFORMED_POST: Case = Case::probe(
    Clause {
        id: "streamable-http/survives-malformed-post",
        title: "a malformed post does not end the session",
        statement: "After a body that cannot be parsed the session goes on.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[
            (
                V2025_03_26,
                "basic/transports#sending-messages-to-the-server",
            ),
            (
                V2026_07_28,
                "basic/transports/streamable-http#sending-messages",
            ),
        ],
        fault: "http-dies-on-malformed-post",
    },
    Advice {
        why: "One broken message, and everything that the client had in its session is gone.",
        how: "The bodies of streamable-http/malformed-json-refused, then a `ping` in the same \
            session.",
        mend: "Catch the error of the parser in the handler of the POST, and leave the session as \
            it is.",
    },
    Stage::Together("http-malformed"),
    |s| {
        Box::pin(async {
            let scene = s.scene::<Garbage>().await?;
            match (scene.intact, scene.survived) {
                (false, _) => unverified("no post was answered any more before the malformed ones"),
                (true, true) => Ok(()),
                (true, false) => violated("`ping` is not served any more after malformed posts"),
            }
        })
    },
);
