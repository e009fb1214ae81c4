//! What the endpoint makes of bodies: those that are no JSON, long ones, and their labels.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    MALFORMED_JSON_REFUSED,
    SURVIVES_MALFORMED_POST,
    JSON_CONTENT_TYPE_PARAMS,
    WRONG_CONTENT_TYPE_REFUSED,
    LARGE_POST,
];

/// The session in which malformed bodies are posted.
const MALFORMED: Stage = Stage::Together("http-sse malformed bodies");
/// The padding of a long message, in bytes.
const PADDING: usize = 256 * 1024;
/// Bodies that are no JSON.
const BODIES: [(&str, &str); 2] = [
    ("a truncated object", r#"{"jsonrpc":"2.0","id":1,"method":"#),
    ("`not json`", "not json"),
];

/// What became of bodies that are no JSON, and of the ping behind them.
struct Malformed {
    replies: Vec<(&'static str, Reply)>,
    after: Reply,
}

impl Scene for Malformed {
    async fn play(s: &Talk) -> Result<Malformed, Stop> {
        let mut sent = Vec::new();
        for (what, body) in BODIES {
            let mut waiting = s.begin(body.as_bytes(), None).await?;
            // An answer on the stream is most likely there when the next ping is answered.
            waiting.posted(s.answer_limit()).await;
            s.serves().await?;
            sent.push((what, s.so_far(&mut waiting).await));
        }
        let after = s.serves().await?;
        Ok(Malformed {
            replies: sent,
            after,
        })
    }
}

const MALFORMED_JSON_REFUSED: Case = Case::probe(
    Clause {
        id: "http-sse/malformed-json-refused",
        title: "a POST that is not JSON is refused or answered with an error",
        statement: "A body that cannot be parsed is refused with an HTTP error, or answered with a \
            JSON-RPC parse error on the stream.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-accepts-malformed-json",
    },
    Advice {
        why: "A client whose message was garbled on its way waits for ever for an answer if \
            nobody tells it.",
        how: "A truncated object, and the text `not json`, are posted as application/json; then \
            a ping is.",
        mend: "Answer with status 400 where the body cannot be parsed.",
    },
    MALFORMED,
    |s| {
        Box::pin(async {
            let scene = s.scene::<Malformed>().await?;
            if !scene.after.is_result() {
                return unverified(
                    "nothing is answered after it, see http-sse/survives-malformed-post",
                );
            }
            for (what, reply) in &scene.replies {
                match reply {
                    Reply::Refused(refusal) if refusal.turns_away() => {
                        return unverified(format!("{what} {reply}"));
                    }
                    Reply::Refused(_) => {}
                    Reply::Nameless(answer) if is_parse_error(&answer.message) => {}
                    _ => {
                        return violated(format!(
                            "a body that is {what} {reply}; expected a status of 400 or above, or \
                             the error -32700 on the stream"
                        ));
                    }
                }
            }
            Ok(())
        })
    },
);

/// Whether it is an error on the stream that says that something could not be read.
fn is_parse_error(message: &Message) -> bool {
    let on_stream = message
        .exchange
        .as_ref()
        .is_some_and(|exchange| exchange.method == "GET");
    on_stream && (message.error_is(-32700) || message.error_is(-32600))
}

const SURVIVES_MALFORMED_POST: Case = Case::probe(
    Clause {
        id: "http-sse/survives-malformed-post",
        title: "a malformed POST does not end the session",
        statement: "After a body that cannot be parsed the stream stays open and the session goes on.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-dies-on-malformed-post",
    },
    Advice {
        why: "One garbled message must not cost a client everything else that it has under way.",
        how: "A truncated object, and the text `not json`, are posted in a session of their own; \
            then a ping is.",
        mend: "Handle the failure of the parser where the POST is handled, and leave the session \
            alone.",
    },
    MALFORMED,
    |s| {
        Box::pin(async {
            let scene = s.scene::<Malformed>().await?;
            match scene.after {
                Reply::Answer(_) => Ok(()),
                _ => violated(format!(
                    "after bodies that are no JSON a ping {}",
                    scene.after
                )),
            }
        })
    },
);

const JSON_CONTENT_TYPE_PARAMS: Case = Case::probe(
    Clause {
        id: "http-sse/json-content-type-params",
        title: "application/json with a charset parameter is accepted",
        statement: "A POST labelled application/json; charset=utf-8 is as good as one without the \
            parameter.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-rejects-json-charset",
    },
    Advice {
        why: "Many HTTP libraries add the parameter by themselves.",
        how: "A ping is posted as `application/json; charset=utf-8`, and as `application/json` \
            if that is refused.",
        mend: "Compare the media type without its parameters.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let labelled =
                |draft: Draft| draft.header("Content-Type", "application/json; charset=utf-8");
            let reply = ping_by(s, labelled).await?;
            if reply.is_result() {
                return Ok(());
            }
            match s.serves().await?.is_result() {
                true => violated(format!(
                    "a ping that is labelled application/json; charset=utf-8 {reply}, and without \
                     the parameter it is served"
                )),
                false => unverified("a ping is not served without the parameter either"),
            }
        })
    },
);

const WRONG_CONTENT_TYPE_REFUSED: Case = Case::probe(
    Clause {
        id: "http-sse/wrong-content-type-refused",
        title: "a post with another content type is refused",
        statement: "A post whose Content-Type is not application/json is refused.",
        level: Level::May,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-accepts-text-plain",
    },
    Advice {
        why: "A web page of any origin may send these types without asking: who takes them lets \
            it speak to the server.",
        how: "A ping is posted as text/plain, and as application/x-www-form-urlencoded; then in \
            its plain form.",
        mend: "Answer with status 415 where the Content-Type is not application/json.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let mut odd = None;
            for label in ["text/plain", "application/x-www-form-urlencoded"] {
                let reply = ping_by(s, |draft| draft.header("Content-Type", label)).await?;
                match &reply {
                    Reply::Answer(_) => {
                        return violated(format!("a ping that is labelled {label} is served"));
                    }
                    Reply::Refused(refusal) => {
                        if refusal.status >= 500 {
                            s.remark(format!(
                                "{label} is refused with HTTP status {}, which blames the server",
                                refusal.status
                            ));
                        }
                    }
                    _ => odd = Some(format!("a ping that is labelled {label} {reply}")),
                }
            }
            if !s.serves().await?.is_result() {
                return unverified("a ping in its plain form is not served either");
            }
            match odd {
                Some(odd) => unverified(odd),
                None => Ok(()),
            }
        })
    },
);

const LARGE_POST: Case = Case::probe(
    Clause {
        id: "http-sse/large-post",
        title: "a message of a few hundred kilobytes is accepted",
        statement: "A message longer than a network buffer is read whole and answered.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-rejects-256k",
    },
    Advice {
        why: "Arguments of tools hold files and images; frameworks' default limits are below \
            that.",
        how: "A ping with 256 KiB of padding in its `_meta` is posted.",
        mend: "Raise the limit for bodies (`express.json({ limit: '4mb' })`), and answer with \
            status 413 what is above it.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            match padded(s, PADDING).await? {
                Reply::Refused(refusal) if refusal.status == 413 => {
                    unverified("a message of 256 KiB is beyond a limit that the server names: 413")
                }
                reply if reply.is_result() => Ok(()),
                reply => match padded(s, 1).await? {
                    small if small.is_result() => violated(format!(
                        "a message of 256 KiB {reply}, a small one is served"
                    )),
                    small => unverified(format!("a small message of this kind {small} as well")),
                },
            }
        })
    },
);

/// A ping with so many bytes of padding, and what becomes of it.
async fn padded(s: &Talk, padding: usize) -> Result<Reply, Stop> {
    let meta = json!({ "com.example/padding": "a".repeat(padding) });
    s.ask("ping", json!({ "_meta": meta })).await
}
