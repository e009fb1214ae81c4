//! Responses to nothing, and ids that are used twice.

use super::{super::prelude::*, judged_response, unanswered, unread};

pub(super) const CASES: &[Case] = &[
    STRAY_RESPONSE_IGNORED,
    STRAY_RESPONSE_SPARES_REQUESTS,
    DUPLICATE_ID_HARMLESS,
];

const STRAY_RESPONSE_IGNORED: Case = Case::probe(
    Clause {
        id: "jsonrpc/stray-response-ignored",
        title: "A response to nothing is ignored",
        statement: "A response whose id matches no request of the server is dropped: no answer, no \
            harm.",
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
        fault: "stray-response-answered",
    },
    Advice {
        why: "An answer that comes after its time-out looks like this. Peers that answer errors \
            with errors never stop.",
        how: "A result and an error under ids that the server has not used; then the session is \
            settled and read to its end.",
        mend: "Drop responses whose id belongs to no request of yours.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let (first, second) = (
                format!("nobody-{}-1", s.nonce()),
                format!("nobody-{}-2", s.nonce()),
            );
            let error = json!({ "code": -32603, "message": "an error that nobody waits for" });
            s.tell(&json!({ "jsonrpc": "2.0", "id": &first, "result": {} }))
                .await?;
            s.tell(&json!({ "jsonrpc": "2.0", "id": &second, "error": error }))
                .await?;
            if let Err(Stop::Broke(broken)) = s.fence().await {
                return violated(format!(
                    "after responses to nothing nothing is answered: {broken}"
                ));
            }
            let is_under = |message: &Message| match &message.id {
                Some(Id::Text(id)) => *id == first || *id == second,
                _ => false,
            };
            unanswered(s, "a response to nothing", is_under).await
        })
    },
);

const STRAY_RESPONSE_SPARES_REQUESTS: Case = Case::probe(
    Clause {
        id: "jsonrpc/stray-response-spares-requests",
        title: "A response to nothing does not use up its id",
        statement: "The ids of the two directions are separate: a stray response with id X does not \
            keep a later request with id X from being answered.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
        ],
        fault: "stray-response-poisons-id",
    },
    Advice {
        why: "Both sides count their requests on their own, so their ids meet all the time.",
        how: "A response to nothing, then a ping with the same id.",
        mend: "Keep the ids of the two directions in tables of their own.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let id = format!("x-{}", s.nonce());
            let what = "a ping with the id of a response to nothing";
            s.tell(&json!({ "jsonrpc": "2.0", "id": id, "result": {} }))
                .await?;
            s.fence().await.map_err(unread)?;
            if !s.strays_of_turn().is_empty() {
                return unverified(
                    "a response to nothing is answered, see jsonrpc/stray-response-ignored",
                );
            }
            let reply = s.ask_as(json!(id), "ping", Value::Null).await?;
            match &reply {
                reply if reply.is_result() => Ok(()),
                Reply::Gone(_) => {
                    unverified("the session ended, see jsonrpc/stray-response-ignored")
                }
                reply => match s.serves().await?.is_result() {
                    true => violated(format!("{what} {reply}")),
                    false => unverified(format!("no ping is served: {what} {reply}")),
                },
            }
        })
    },
);

const DUPLICATE_ID_HARMLESS: Case = Case::probe(
    Clause {
        id: "jsonrpc/duplicate-id-harmless",
        title: "Two requests in flight with one id do no harm",
        statement: "If a client breaks the rule on unique ids, the server may refuse either request, \
            but it goes on serving.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/messages#requests"), (V2025_03_26, "basic/index#requests")],
        fault: "duplicate-id-fatal",
    },
    Advice {
        why: "A client's mistake may cost it the two answers, and not the session.",
        how: "Two pings with the id 97 at once; then pings that have to be answered. At most two \
            responses may have the id.",
        mend: "Refuse the second request, or serve both.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let ping = json!({ "jsonrpc": "2.0", "id": 97, "method": "ping" }).to_string();
            s.begin(ping.as_bytes(), Some(Id::Number("97".to_owned()))).await?;
            s.begin(ping.as_bytes(), None).await?;
            match s.fence().await {
                Err(Stop::Broke(broken)) => violated(format!(
                    "after two pings with one id nothing is answered: {broken}"
                )),
                result => result,
            }
        })
    },
)
.with_rule(Rule {
    subject: |event, past| {
        let asked = judged_response(event).and_then(|message| past.client.asked(message));
        asked.is_some_and(|asked| asked.uses > 1)
    },
    holds: |event, past| {
        let Some(message) = response(event) else {
            return Ok(());
        };
        match past.client.asked(message) {
            Some(asked) if asked.earlier_answers + asked.answers >= asked.uses => broken_by(
                format!("{} requests with one id have more responses", asked.uses),
                message,
                past,
            ),
            _ => Ok(()),
        }
    },
    unseen: "no request that shares its id with another was answered",
});
