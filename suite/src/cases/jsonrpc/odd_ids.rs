//! Ids at the edge of what a server takes, and beyond it.

use super::{super::prelude::*, ids::refused, result_under, unread};
use crate::session::Stray;

pub(super) const CASES: &[Case] = &[
    ID_BEYOND_DOUBLE,
    ID_LONG,
    ID_UNICODE,
    ID_FRACTIONAL,
    INVALID_ID_NO_RESULT,
];

/// H under an id that may stand in JSON as it does here.
fn ping_under(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#)
}

/// The first response of the case's turn that has an id, and one that nobody has used; or a later
/// one whose number is about the one that was sent.
fn answer_under_other_id(s: &Talk, like: f64) -> Option<Excerpt> {
    let is_like = |stray: &Stray| match &stray.message.id {
        Some(Id::Number(number)) => number
            .parse::<f64>()
            .is_ok_and(|number| (number - like).abs() <= 2.0),
        _ => false,
    };
    let in_turn = s.strays_of_turn();
    let mut in_turn = in_turn
        .iter()
        .filter(|stray| !stray.message.is_without_id());
    let later = s.strays_since_turn();
    let stray = in_turn
        .next()
        .or_else(|| later.iter().find(|stray| is_like(stray)))?;
    Some(Excerpt::of_message(stray.at, &stray.message))
}

const ID_BEYOND_DOUBLE: Case = Case::probe(
    Clause {
        id: "jsonrpc/id-beyond-double",
        title: "An id that is too large is never answered under another number",
        statement: "If a server cannot hold a very large integer id it refuses or ignores the request \
            rather than answering under a rounded id.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
        ],
        fault: "id-rounded",
    },
    Advice {
        why: "A rounded id may belong to another request, whose caller then gets a foreign \
            answer.",
        how: "A ping with the id 9007199254740993, which a double cannot hold; then the session \
            is settled.",
        mend: "Read ids as 64-bit integers or as raw JSON, or refuse those beyond 2^53.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            const ID: &str = "9007199254740993";
            /// 2^53, the last integer before which a double can hold all.
            const BEYOND: f64 = 9_007_199_254_740_992.0;
            let id = Id::Number(ID.to_owned());
            let mut waiting = s.begin(ping_under(ID).as_bytes(), Some(id)).await?;
            let fence = s.fence().await;
            let reply = s.so_far(&mut waiting).await;
            let mut served = matches!(reply, Reply::Answer(_));
            if matches!(reply, Reply::Silent) && answer_under_other_id(s, BEYOND).is_none() {
                fence.map_err(unread)?;
                s.ended().await?;
                served = waiting.has_come();
            }
            if served {
                return Ok(());
            }
            match answer_under_other_id(s, BEYOND) {
                Some(answer) => violated_by(
                    format!("a ping with the id {ID} is answered under another id"),
                    vec![answer],
                ),
                None => unverified(format!(
                    "the server does not take such ids: a ping with the id {ID} {reply}"
                )),
            }
        })
    },
);

const ID_LONG: Case = Case::probe(
    Clause {
        id: "jsonrpc/id-long",
        title: "Long string ids come back whole",
        statement: "A string id of some hundred characters is echoed whole.",
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
        fault: "id-truncated",
    },
    Advice {
        why: "UUIDs, trace ids and ids with the name of a session in front reach a hundred \
            characters; shortened ones match no request.",
        how: "A ping with an id of 256 characters; the control is one with a short string.",
        mend: "Keep ids whole, or refuse the request under its own id.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let id = json!("0123456789abcdef".repeat(16));
            let reply = s.ask_as(id.clone(), "ping", Value::Null).await?;
            if reply.is_result() {
                return Ok(());
            }
            if reply.is_refusal() {
                return unverified(format!("a ping with an id of 256 characters {reply}"));
            }
            refused(s, &id, "of 256 characters", reply).await
        })
    },
);

/// An e with an acute accent, a snowman, an emoji, a quote, a backslash, a tab and a control
/// character.
const UNICODE: &str = "\u{e9}\u{2603}\u{1f600}\"\\\t\u{1}";

const ID_UNICODE: Case = Case::probe(
    Clause {
        id: "jsonrpc/id-unicode",
        title: "String ids keep every character",
        statement: "A string id with non-ASCII characters, quotes, backslashes and control characters \
            comes back as the same sequence of characters.",
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
        fault: "id-mangled-unicode",
    },
    Advice {
        why: "An id that comes back in other letters matches no request.",
        how: "A ping whose id holds letters beyond ASCII, a quote, a backslash, a tab and a \
            control character. If it does not come back, the same id in ASCII with escapes \
            tells a mangled id from a wrong decoding of the transport.",
        mend: "Keep ids as strings of Unicode, and let a JSON library write them.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let reply = s.ask_as(json!(UNICODE), "ping", Value::Null).await?;
            if reply.is_result() {
                return Ok(());
            }
            let escapes = r#""\u00e9\u2603\ud83d\ude00\"\\\t\u0001 ""#;
            let id = Id::Text(format!("{UNICODE} "));
            let ascii = s
                .send_text(ping_under(escapes).as_bytes(), Some(id), Patience::Settle)
                .await?;
            if ascii.is_result() {
                return unverified(
                    "the id is understood where it is escaped: the transport's text is decoded wrongly",
                );
            }
            refused(s, &json!(UNICODE), "of uncommon characters", reply).await
        })
    },
);

const ID_FRACTIONAL: Case = Case::probe(
    Clause {
        id: "jsonrpc/id-fractional",
        title: "A fractional id is never answered under another id",
        statement: "1.5 is no valid MCP id. A server may refuse or ignore such a request, but does not \
            answer under a rounded or truncated id.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
        ],
        fault: "id-fraction-truncated",
    },
    Advice {
        why: "A truncated id may belong to another request, whose caller then gets a foreign \
            answer.",
        how: "A ping with the id 1.5; then the session is settled. It may be refused, ignored or \
            served under 1.5.",
        mend: "Refuse ids that are neither strings nor integers with -32600.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let id = Id::Number("1.5".to_owned());
            s.begin(ping_under("1.5").as_bytes(), Some(id)).await?;
            s.fence().await.ok();
            if answer_under_other_id(s, 1.5).is_none() && !s.session.has_ended() {
                s.ended().await?;
            }
            match answer_under_other_id(s, 1.5) {
                None => Ok(()),
                Some(answer) => violated_by(
                    "a ping with the id 1.5 is answered under another id",
                    vec![answer],
                ),
            }
        })
    },
);

const INVALID_ID_NO_RESULT: Case = Case::probe(
    Clause {
        id: "jsonrpc/invalid-id-no-result",
        title: "A null, boolean, object or array id gets no result",
        statement: "A message whose id is null, true, {} or [] is no request in MCP; the server sends \
            no success for it under such an id.",
        level: Level::MustNot,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#requests"),
            (V2025_03_26, "basic/index#requests"),
        ],
        fault: "result-for-null-id",
    },
    Advice {
        why: "A client finds no request of its own for such an answer, so the work was in vain.",
        how: "Pings with the ids null, true, `{}` and `[]`, each followed by others that have to \
            be answered; then the session is settled.",
        mend: "Take a message with such an id for an invalid request.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let is_meant = |id: &Id| matches!(id, Id::Null | Id::Other(_));
            for id in ["null", "true", "{}", "[]"] {
                let message = ping_under(id);
                s.send_text(message.as_bytes(), None, Patience::Settle)
                    .await?;
                let fence = s.fence().await;
                let strays = s.strays_of_turn();
                let served = strays.iter().find(|stray| {
                    stray.message.has_result() && stray.message.id.as_ref().is_some_and(is_meant)
                });
                if let Some(stray) = served {
                    return violated_by(
                        format!("a ping with the id {id} is answered with a result"),
                        vec![Excerpt::of_message(stray.at, &stray.message)],
                    );
                }
                fence.map_err(unread)?;
            }
            let late = result_under(s, |id| matches!(id, Id::Other(_))).await?;
            late.map_or(Ok(()), |late| {
                violated_by(
                    "a ping with an invalid id is answered with a result",
                    vec![late],
                )
            })
        })
    },
);
