//! What is JSON and no request, and what is no JSON.

use std::cell::RefCell;

use super::{super::prelude::*, result_under, unread};
use crate::talk::Waiting;

pub(super) const CASES: &[Case] = &[
    INVALID_REQUEST_ANSWERED,
    INVALID_REQUEST_CODE,
    JSONRPC_MEMBER_CHECKED,
    PARSE_ERROR_CODE,
    PARSE_ERROR_ID,
];

/// Messages with an id that are no valid requests; the last one may be served.
const INVALID: [(&str, u32, &str); 3] = [
    (
        "a message without a method",
        93,
        r#"{"jsonrpc":"2.0","id":93}"#,
    ),
    (
        "a message whose method is a number",
        94,
        r#"{"jsonrpc":"2.0","id":94,"method":5}"#,
    ),
    (
        "a request that says jsonrpc 1.0",
        95,
        r#"{"jsonrpc":"1.0","id":95,"method":"ping"}"#,
    ),
];

/// What became of each of them that was sent.
struct Invalid {
    replies: Vec<(&'static str, Reply, RefCell<Waiting>)>,
    /// Whether the server stopped answering.
    broken: bool,
}

impl Scene for Invalid {
    async fn play(s: &Talk) -> Result<Invalid, Stop> {
        let mut invalid = Invalid {
            replies: Vec::new(),
            broken: false,
        };
        for (what, id, text) in INVALID {
            let id = Id::Number(id.to_string());
            let mut waiting = s.begin(text.as_bytes(), Some(id)).await?;
            invalid.broken = s.fence().await.is_err();
            let reply = s.so_far(&mut waiting).await;
            invalid.replies.push((what, reply, RefCell::new(waiting)));
            if invalid.broken {
                break;
            }
        }
        Ok(invalid)
    }
}

const INVALID_REQUEST_ANSWERED: Case = Case::probe(
    Clause {
        id: "jsonrpc/invalid-request-answered",
        title: "A message that is no valid request is answered with an error",
        statement: "Valid JSON with an id that is no valid request (no method, a method that is no \
            string, a wrong jsonrpc) gets an error response.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
            (V2025_11_25, "basic/index#error-responses"),
        ],
        fault: "invalid-request-ignored",
    },
    Advice {
        why: "Whoever writes a client sees at once what is wrong, instead of waiting for an \
            answer that never comes.",
        how: "A message with an id and no method, and one whose method is a number; then the \
            session is settled and read to its end.",
        mend: "Answer with -32600, under the id if it could be read. Several SDKs stay silent on \
            purpose.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let scene = s.scene::<Invalid>().await?;
            if scene.broken {
                return unverified("the server stopped answering at an invalid request");
            }
            let judged = &scene.replies[..2];
            if judged.iter().any(|(_, reply, _)| reply.is_silence()) {
                s.ended().await?;
            }
            for (what, reply, waiting) in judged {
                let late = || {
                    waiting
                        .try_borrow_mut()
                        .is_ok_and(|mut waiting| waiting.has_come())
                };
                match reply {
                    Reply::Silent | Reply::Gone(_) if !late() => {
                        return violated(format!("{what} is not answered"));
                    }
                    reply if reply.is_result() => {
                        return violated(format!("{what} {reply}"));
                    }
                    Reply::Refused(refusal) if refusal.turns_away() => {
                        return unverified(format!("{what} {reply}"));
                    }
                    _ => {}
                }
            }
            Ok(())
        })
    },
);

const INVALID_REQUEST_CODE: Case = Case::probe(
    Clause {
        id: "jsonrpc/invalid-request-code",
        title: "The code for an invalid request is -32600",
        statement: "The error for valid JSON that is no valid request is -32600.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
            (V2025_11_25, "basic/index#error-responses"),
        ],
        fault: "invalid-request-wrong-code",
    },
    Advice {
        why: "The code tells a mistake in the envelope from one in the text or in the params.",
        how: "The messages of jsonrpc/invalid-request-answered, and a ping that says jsonrpc \
            1.0: the code of every error that comes has to be -32600.",
        mend: "Answer with -32600 what is JSON and no request.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let scene = s.scene::<Invalid>().await?;
            let errors: Vec<_> = scene
                .replies
                .iter()
                .filter_map(|(what, reply, _)| Some((what, reply, reply.error_code()?)))
                .collect();
            if errors.is_empty() {
                return unverified("no invalid request is answered with an error");
            }
            match errors.iter().find(|(_, reply, _)| !reply.error_is(-32600)) {
                None => Ok(()),
                Some((what, _, code)) => differs(
                    format!("{what} is answered with another code than -32600"),
                    "-32600",
                    code.to_string(),
                ),
            }
        })
    },
);

const JSONRPC_MEMBER_CHECKED: Case = Case::probe(
    Clause {
        id: "jsonrpc/jsonrpc-member-checked",
        title: "A request that does not say jsonrpc 2.0 is not served",
        statement: "A request without `jsonrpc`, or with another value than \"2.0\", gets no result.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "architecture/index#message-types"),
            (V2025_03_26, "basic/index#messages"),
        ],
        fault: "jsonrpc-member-not-checked",
    },
    Advice {
        why: "Serving what is no JSON-RPC 2.0 hides the mistake from whoever makes it, until \
            another server refuses it.",
        how: "A ping without `jsonrpc`, and one that says 1.0; then the session is settled.",
        mend: "Check that `jsonrpc` is the string 2.0, and answer with -32600 otherwise.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            for text in [
                r#"{"id":96,"method":"ping"}"#,
                r#"{"jsonrpc":"1.0","id":96,"method":"ping"}"#,
            ] {
                s.send_text(text.as_bytes(), None, Patience::Settle).await?;
            }
            match result_under(s, |id| *id == Id::Number("96".to_owned())).await? {
                None => Ok(()),
                Some(result) => violated_by(
                    "a ping that does not say jsonrpc 2.0 is served",
                    vec![result],
                ),
            }
        })
    },
);

const NOT_JSON: &str = "{not json";
const CUT_OFF: &str = r#"{"jsonrpc":"2.0","id":"cut-off","method":"ping""#;

/// The errors that answer what cannot be read: in the bodies of refusals, or anywhere else.
async fn parse_errors(s: &Talk, texts: &[&str]) -> Result<Vec<Message>, Stop> {
    let mut errors = Vec::new();
    for text in texts {
        let reply = s.send_text(text.as_bytes(), None, Patience::Settle).await?;
        // Status 404 says that there is no such session, and speaks of nothing else.
        if !matches!(&reply, Reply::Refused(refusal) if refusal.status == 404) {
            errors.extend(reply.message().cloned());
        }
    }
    // What came before the server ended counts.
    let fence = s.fence().await;
    errors.extend(s.strays_of_turn().into_iter().map(|stray| stray.message));
    errors.retain(Message::has_error);
    if errors.is_empty() {
        fence.map_err(unread)?;
        return unverified("what is not JSON is not answered with an error");
    }
    Ok(errors)
}

const PARSE_ERROR_CODE: Case = Case::probe(
    Clause {
        id: "jsonrpc/parse-error-code",
        title: "The code for unreadable JSON is -32700",
        statement: "If the server answers input that is not JSON with an error, the code is -32700.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
            (V2025_11_25, "basic/index#error-responses"),
            (V2026_07_28, "basic/index#error-codes"),
        ],
        fault: "parse-error-wrong-code",
    },
    Advice {
        why: "The code tells a text that was damaged on its way from a request that is wrong.",
        how: "The text `{not json` and a request without its last brace; the code of every error \
            that comes has to be -32700.",
        mend: "Answer with -32700 what is no JSON.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let errors = parse_errors(s, &[NOT_JSON, CUT_OFF]).await?;
            match errors.iter().find(|error| !error.error_is(-32700)) {
                None => Ok(()),
                Some(error) => differs(
                    "what is not JSON is answered with another code than -32700",
                    "-32700",
                    error
                        .error_code()
                        .map_or("none".to_owned(), Value::to_string),
                ),
            }
        })
    },
);

const PARSE_ERROR_ID: Case = Case::probe(
    Clause {
        id: "jsonrpc/parse-error-id",
        title: "An error for unreadable JSON names no request",
        statement: "An error response to a body whose id could not be read has the id null or no id, \
            never an invented one.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: &[Transport::HttpSse, Transport::StreamableHttp],
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
            (V2025_11_25, "basic/index#error-responses"),
        ],
        fault: "http-parse-error-with-id",
    },
    Advice {
        why: "An invented id may be that of another request, which then fails for no reason.",
        how: "The text `{not json` is posted; the id of the error has to be null or absent.",
        mend: "Answer what could not be read with the id null, or without the member.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let errors = parse_errors(s, &[NOT_JSON]).await?;
            let named = errors.iter().find(|error| !error.is_without_id());
            match named.and_then(|error| error.id.as_ref()) {
                None => Ok(()),
                Some(id) => differs(
                    "the error for a text that is not JSON names a request",
                    "null, or no id",
                    id.to_string(),
                ),
            }
        })
    },
);
