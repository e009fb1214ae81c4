//! Requests that lack something, or have what a notification should have.

use super::{super::prelude::*, result_under, unanswered, unread};

pub(super) const CASES: &[Case] = &[
    MEMBER_CASE_SENSITIVE,
    INVALID_PARAMS_CODE,
    NOTIFICATION_NAME_WITH_ID,
    REQUEST_WITHOUT_ID_SILENT,
    IDLESS_CALL_HARMLESS,
    PARAMS_MALFORMED_HARMLESS,
];

const MEMBER_CASE_SENSITIVE: Case = Case::probe(
    Clause {
        id: "jsonrpc/member-case-sensitive",
        title: "Member names are matched by exact case",
        statement: "An object whose members are spelled JSONRPC, ID and Method is no request.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "architecture/index#message-types"),
            (V2025_03_26, "basic/index#messages"),
        ],
        fault: "member-names-case-folded",
    },
    Advice {
        why: "Two parsers that read one message differently are a way around whoever filters \
            messages.",
        how: "Pings whose members are spelled Id and Method, and all in capitals; then the \
            session is settled.",
        mend: "Use a decoder that compares names exactly. Go's `encoding/json` does not.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            for text in [
                r#"{"jsonrpc":"2.0","Id":91,"Method":"ping"}"#,
                r#"{"JSONRPC":"2.0","ID":91,"METHOD":"ping"}"#,
            ] {
                s.send_text(text.as_bytes(), None, Patience::Settle).await?;
            }
            match result_under(s, |id| *id == Id::Number("91".to_owned())).await? {
                None => Ok(()),
                Some(result) => violated_by(
                    "a message without `id` and `method` is served",
                    vec![result],
                ),
            }
        })
    },
);

const INVALID_PARAMS_CODE: Case = Case::probe(
    Clause {
        id: "jsonrpc/invalid-params-code",
        title: "Missing required params give -32602",
        statement: "A request that lacks a parameter its method requires is answered with Invalid \
            params, -32602.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
            (V2025_11_25, "basic/index#error-responses"),
        ],
        fault: "invalid-params-code-internal",
    },
    Advice {
        why: "The code tells a mistake of the caller from one of the server, which may be worth \
            another try.",
        how: "`resources/read`, `prompts/get`, `resources/subscribe` and `tasks/get` with empty \
            params, as far as they are declared.",
        mend: "Check params before the work begins, and answer with -32602.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let methods = [
                ("resources", "resources/read"),
                ("prompts", "prompts/get"),
                ("resources.subscribe", "resources/subscribe"),
                ("tasks", "tasks/get"),
            ];
            let mut seen = Err(Stop::Unverified(
                "the server declares nothing whose methods need params".to_owned(),
            ));
            let is_there = |(path, method): &&(&str, &str)| {
                s.session.declares(path)
                    && crate::spec::methods::find(s.revision(), method).is_some()
            };
            for (_, method) in methods.iter().filter(is_there) {
                let reply = s.ask(method, json!({})).await?;
                if let Reply::Gone(broken) = reply {
                    return Err(unread(broken.into()));
                }
                if reply.error_is(-32602) {
                    // One that cannot be judged does not spoil the others.
                    seen = Ok(());
                } else if let Some(code) = reply.error_code() {
                    return differs(
                        format!(
                            "`{method}` without params is answered with another code than -32602"
                        ),
                        "-32602",
                        code.to_string(),
                    );
                } else if seen.is_err() {
                    seen = unverified(format!("`{method}` without params {reply}"));
                }
            }
            seen
        })
    },
);

const NOTIFICATION_NAME_WITH_ID: Case = Case::probe(
    Clause {
        id: "jsonrpc/notification-name-with-id",
        title: "A request named like a notification is still answered",
        statement: "A message with an id is a request whatever its method; named \
            notifications/initialized it is answered with an error rather than ignored.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
        ],
        fault: "id-ignored-on-notification-name",
    },
    Advice {
        why: "Whoever sends an id waits for an answer, whatever the method is called.",
        how: "A request with the id 92 for notifications/initialized.",
        mend: "Tell requests from notifications by the id, and answer with -32601.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let method = "notifications/initialized";
            let request = json!({ "jsonrpc": "2.0", "id": 92, "method": method });
            match s.send(&request, Patience::Settle).await? {
                Reply::Refused(refusal) if refusal.message.is_none() => unverified(format!(
                    "the request is refused with HTTP status {}",
                    refusal.status
                )),
                // The id is the other clauses' matter.
                reply @ Reply::Nameless(_) => unverified(format!("the request {reply}")),
                reply if reply.is_error() => Ok(()),
                Reply::Gone(broken) => Err(unread(broken.into())),
                reply => violated(format!("a request for `{method}` {reply}")),
            }
        })
    },
);

/// A call of `method` that nobody can answer.
fn idless(method: &str) -> Value {
    json!({ "jsonrpc": "2.0", "method": method })
}

const REQUEST_WITHOUT_ID_SILENT: Case = Case::probe(
    Clause {
        id: "jsonrpc/request-without-id-silent",
        title: "A call without an id is not answered",
        statement: "A message without `id` is a notification even if its method is a request's; \
            nothing answers it.",
        level: Level::MustNot,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#notifications"),
            (V2025_03_26, "basic/index#notifications"),
        ],
        fault: "answers-idless-request",
    },
    Advice {
        why: "A response that nobody waits for is at best logged as an error, at worst taken for \
            another.",
        how: "`ping` and `tools/list` without an id; then the session is settled and read to its \
            end.",
        mend: "Tell requests from notifications by the id, not by the method.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            // Whoever answers any notification fails another clause.
            s.send(
                &idless("notifications/com.example.unknown"),
                Patience::Settle,
            )
            .await?;
            s.fence().await.map_err(unread)?;
            if !s.strays_of_turn().is_empty() {
                return unverified("the server answers unknown notifications too");
            }
            for method in ["ping", "tools/list"] {
                s.send(&idless(method), Patience::Settle).await?;
            }
            let is_list = |message: &Message| {
                let result = message.result().filter(|_| message.is_without_id());
                result.is_some_and(|result| result.get("tools").is_some())
            };
            unanswered(s, "a call without an id", is_list).await
        })
    },
);

const IDLESS_CALL_HARMLESS: Case = Case::probe(
    Clause {
        id: "jsonrpc/idless-call-harmless",
        title: "A call without an id does no harm",
        statement: "After a notification that it does not know the server goes on answering requests.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
        ],
        fault: "idless-call-fatal",
    },
    Advice {
        why: "Later revisions bring notifications that a server does not know; it has to live \
            on.",
        how: "`ping`, `tools/list` and a method that nobody has, all without an id; then pings \
            that have to be answered.",
        mend: "Ignore notifications that you do not know.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            for method in [
                "ping",
                "tools/list",
                &format!("conform/unknown-{}", s.nonce()),
            ] {
                s.send(&idless(method), Patience::Settle).await?;
            }
            survives(s, "after calls without an id").await
        })
    },
);

/// Whether the server goes on answering.
async fn survives(s: &Talk, when: &str) -> Result<(), Stop> {
    match s.fence().await {
        Err(Stop::Broke(broken)) => violated(format!("{when} nothing is answered: {broken}")),
        result => result,
    }
}

const PARAMS_MALFORMED_HARMLESS: Case = Case::probe(
    Clause {
        id: "jsonrpc/params-malformed-harmless",
        title: "Params that are no object do no harm",
        statement: "A request whose params are an array, a string or null is refused, ignored or \
            served, and the server goes on.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "architecture/index#message-types"),
            (V2025_03_26, "basic/index#messages"),
        ],
        fault: "array-params-fatal",
    },
    Advice {
        why: "One wrong message of a client must not cost its session.",
        how: "Pings with `[]`, a string and null for their params; then pings that have to be \
            answered.",
        mend: "Refuse such a message with -32602 or -32600 and go on.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            for params in [json!([]), json!("x"), Value::Null] {
                let id = s.fresh_id();
                let message = json!({
                    "jsonrpc": "2.0",
                    "id": id,
                    "method": "ping",
                    "params": params,
                });
                let text = message.to_string();
                s.begin(text.as_bytes(), Some(Id::Text(id))).await?;
            }
            survives(s, "after params that are no object").await
        })
    },
);
