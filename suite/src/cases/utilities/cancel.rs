//! Cancellation, of requests in flight and of what is none.

use super::{
    prelude::*,
    settled::{ignored, pings_are_answered, settled},
    slow::{Slow, reports_since},
};
use crate::session::{Refusal, Stray};

pub(super) const CASES: &[Case] = &[
    NO_RESPONSE,
    STOPS_WORK,
    SPARES_OTHERS,
    EXACT_ID,
    UNKNOWN_IGNORED,
    FINISHED_HARMLESS,
    MALFORMED_IGNORED,
    SERVER_CANCELS_OWN,
    LATE_ANSWER_HARMLESS,
];

const NO_RESPONSE: Case = Case::probe(
    Clause {
        id: "utilities/cancel-no-response",
        title: "A cancelled request is not answered",
        statement: "After it has acted on a cancellation the server sends no response for that \
            request.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tools"), Gate::Met("slow-tool")],
        anchors: &[
            (
                V2024_11_05,
                "basic/utilities/cancellation#behavior-requirements",
            ),
            (
                V2026_07_28,
                "basic/patterns/cancellation#behavior-requirements",
            ),
        ],
        fault: "responds-after-cancel",
    },
    Advice {
        why: "The client has forgotten the request; an answer is noise in its log, or an error \
            there.",
        how: "Calls the slow tool and cancels the call a moment later. Another call of it shows \
            when the first would have ended; what has come for the cancelled call until the \
            session is over is judged. An ordinary result passes for a cancellation that came \
            too late.",
        mend: "Send nothing for a request once its handler has been cancelled, no error either.",
    },
    Stage::Together("slow"),
    |s| {
        Box::pin(async {
            s.leave_floor();
            let slow = s.scene::<Slow>().await?;
            let calls = slow.calls()?;
            calls.measured()?;
            s.ended().await?;
            let Some(reply) = calls.cancelled(s) else {
                return Ok(());
            };
            if let Reply::Answer(answer) = &reply
                && answer.at <= calls.cancelled_at
            {
                return unverified("the call was answered before it was cancelled");
            }
            let tool_error = reply
                .result()
                .is_some_and(|result| result["isError"] == true);
            if reply.is_error() || tool_error {
                let what = if tool_error {
                    "is answered with a tool error"
                } else {
                    &reply.to_string()
                };
                return violated(format!("a call that was cancelled {what}"));
            }
            unverified("the cancelled call came to its ordinary result")
        })
    },
);

/// So many notifications may have been under way.
const STRAGGLERS: usize = 1;

const STOPS_WORK: Case = Case::probe(
    Clause {
        id: "utilities/cancel-stops-work",
        title: "A cancelled request stops working",
        statement: "After a cancellation that it honours the server stops the work; its progress ends.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[
            Gate::Declared("tools"),
            Gate::Met("slow-tool"),
            Gate::Met("progress-tool"),
        ],
        anchors: &[
            (
                V2024_11_05,
                "basic/utilities/cancellation#behavior-requirements",
            ),
            (
                V2026_07_28,
                "basic/patterns/cancellation#behavior-requirements",
            ),
        ],
        fault: "progress-after-cancel",
    },
    Advice {
        why: "A tool that works on costs money and locks resources for a result that nobody \
            gets; what it changes happens although the user said stop.",
        how: "Calls the slow tool with a progress token, cancels the call and sends a ping. What \
            it reports after the answer to the ping shows that it works on; one notification \
            may have been under way.",
        mend: "Pass the signal of cancellation that the SDK gives to the handler on to what it \
            waits for, and look at it in loops.",
    },
    Stage::Together("slow"),
    |s| {
        Box::pin(async {
            s.leave_floor();
            let slow = s.scene::<Slow>().await?;
            let calls = slow.calls()?;
            calls.measured()?;
            if calls.reports == 0 {
                return unverified("the slow tool reports no progress");
            }
            let Some(heard) = calls.sentinel.at() else {
                return unverified(format!(
                    "a ping behind the cancellation {}",
                    calls.sentinel.told()
                ));
            };
            s.ended().await?;
            if let Some(reply) = calls.cancelled(s) {
                return unverified(format!(
                    "the cancelled call {reply}: it may not have been stopped"
                ));
            }
            let late = reports_since(s, &calls.token, heard);
            if late.len() <= STRAGGLERS {
                return Ok(());
            }
            let shown = late
                .iter()
                .map(|(at, report)| Excerpt::of_message(*at, report));
            violated_by(
                "a cancelled call goes on to report progress, and has no answer",
                shown.collect(),
            )
        })
    },
);

const SPARES_OTHERS: Case = Case::probe(
    Clause {
        id: "utilities/cancel-spares-others",
        title: "A cancellation ends only the request it names",
        statement: "Requests other than the one that a cancellation names are answered as usual.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(
            V2024_11_05,
            "basic/utilities/cancellation#behavior-requirements",
        )],
        fault: "cancel-kills-all",
    },
    Advice {
        why: "A client that cancels one of several calls waits for the others for ever.",
        how: "Calls the slow tool twice at the same time and cancels one of the calls; the other \
            has to be answered. Without a slow tool: five pings, and between them a \
            cancellation of a request that never was.",
        mend: "Keep a handle for each request, and end the one that `requestId` names: not the \
            task group that holds them all.",
    },
    Stage::Together("slow"),
    |s| {
        Box::pin(async {
            s.leave_floor();
            let slow = s.scene::<Slow>().await?;
            let Ok(calls) = slow.calls() else {
                return match slow.pings.iter().find(|reply| !reply.is_result()) {
                    None => Ok(()),
                    Some(reply) => {
                        s.needs("ping", Value::Null).await?;
                        violated(format!("a ping beside a cancellation {reply}"))
                    }
                };
            };
            if calls.other.at().is_some_and(|at| at <= calls.cancelled_at) {
                return unverified("the call was answered before the other was cancelled");
            }
            if calls.other.is_success() {
                return Ok(());
            }
            if calls.yardstick.is_success() || calls.sentinel.at().is_none() {
                return violated(format!(
                    "a call beside one that was cancelled {}",
                    calls.other.told()
                ));
            }
            calls.measured()
        })
    },
);

const EXACT_ID: Case = Case::probe(
    Clause {
        id: "utilities/cancel-exact-id",
        title: "A cancellation names a request by the exact id",
        statement: "The ids 5 and \"5\" differ; cancelling one does not touch a request with the \
            other.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tools"), Gate::Met("slow-tool")],
        anchors: &[(
            V2024_11_05,
            "basic/utilities/cancellation#behavior-requirements",
        )],
        fault: "cancel-coerces-id",
    },
    Advice {
        why: "Ids of both types may be in use in one session; a cancellation that hits the wrong \
            request leaves a client waiting.",
        how: "Calls the slow tool under the id 5 and cancels \"5\" a moment later; the call \
            has to be answered as usual.",
        mend: "Compare ids as JSON values: a string never equals a number.",
    },
    Stage::Together("slow"),
    |s| {
        Box::pin(async {
            s.leave_floor();
            let slow = s.scene::<Slow>().await?;
            let calls = slow.calls()?;
            if calls.integer.is_success() {
                return calls.measured();
            }
            calls.measured()?;
            if !calls.other.is_success() {
                return unverified(
                    "no call survives a cancellation, see utilities/cancel-spares-others",
                );
            }
            violated(format!(
                "a call with the id {number} {} after `\"{number}\"` was cancelled",
                calls.integer.told(),
                number = calls.number
            ))
        })
    },
);

const UNKNOWN_IGNORED: Case = Case::probe(
    Clause {
        id: "utilities/cancel-unknown-ignored",
        title: "Cancelling an unknown request is ignored",
        statement: "A cancellation with an id that no request had is dropped without an answer.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/utilities/cancellation#error-handling")],
        fault: "cancel-unknown-answered",
    },
    Advice {
        why: "Cancellations and answers cross on the wire, so such notifications are everyday \
            traffic.",
        how: "Cancels two requests that never were, one with a string and one with a number for \
            an id; then the session is settled and read to its end.",
        mend: "Ignore a cancellation whose request is not in flight.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let what = "a cancellation of a request that never was";
            let ids = [json!(s.session.fresh_id("never")), json!(999_999)];
            pings_are_answered(s).await?;
            for id in &ids {
                let told = send_cancellation(s, json!({ "requestId": id })).await?;
                ignored(s, what, told).await?;
            }
            settled(s, what).await?;
            let answers_it = |stray: &&Stray| {
                let known = |id: &Id| ids.iter().any(|ours| *id == Id::of(ours));
                stray.message.id.as_ref().is_some_and(known)
            };
            // Under any other id it is a late answer to a request of another case.
            let of_turn = s.strays_of_turn();
            let answer = of_turn
                .iter()
                .find(|stray| stray.message.is_without_id() || answers_it(stray));
            unanswered(what, answer)?;
            s.ended().await?;
            unanswered(what, s.strays().iter().find(answers_it))
        })
    },
);

fn unanswered(what: &str, stray: Option<&Stray>) -> Result<(), Stop> {
    match stray {
        None => Ok(()),
        Some(stray) => violated_by(
            format!("{what} is answered"),
            vec![Excerpt::of_message(stray.at, &stray.message)],
        ),
    }
}

const FINISHED_HARMLESS: Case = Case::probe(
    Clause {
        id: "utilities/cancel-finished-harmless",
        title: "Cancelling a finished request does no harm",
        statement: "A cancellation that arrives after the response is taken without harm.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(
            V2024_11_05,
            "basic/utilities/cancellation#timing-considerations",
        )],
        fault: "cancel-finished-fatal",
    },
    Advice {
        why: "A user who stops a call at the moment in which it ends does this to every server.",
        how: "Sends a ping and, when it has been answered, cancels it twice: with a reason of \
            2,000 letters beyond ASCII, and without one. The next ping has to be served, and \
            the first one not be answered again.",
        mend: "Look the id up among the requests in flight, and ignore the notification if it is \
            not there.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let id = s.fresh_id();
            let reply = s.ask_as(json!(id), "ping", Value::Null).await?;
            if !reply.is_result() {
                return unverified(format!("a ping {reply}, see utilities/ping-answered"));
            }
            for reason in [Some("ż漢".repeat(1000)), None] {
                let mut params = json!({ "requestId": id });
                if let Some(reason) = reason {
                    params["reason"] = json!(reason);
                }
                send_cancellation(s, params).await?;
            }
            for _ in 0..2 {
                let reply = s.serves().await?;
                if !reply.is_result() {
                    return violated(format!(
                        "a ping behind a cancellation that came late {reply}"
                    ));
                }
            }
            s.ended().await?;
            match s.repeats_of(&Id::Text(id)).first() {
                None => Ok(()),
                Some(again) => violated_by(
                    "a request that is cancelled after its answer is answered again",
                    vec![Excerpt::of_message(again.at, &again.message)],
                ),
            }
        })
    },
);

const MALFORMED_IGNORED: Case = Case::probe(
    Clause {
        id: "utilities/cancel-malformed-ignored",
        title: "A malformed cancellation is ignored",
        statement: "A cancellation without params, without an id, or with an id of a wrong type is \
            dropped without an answer.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/utilities/cancellation#error-handling")],
        fault: "cancel-malformed-fatal",
    },
    Advice {
        why: "A server that ends at what a careless client sends takes the work of all others \
            with it.",
        how: "Sends cancellations without params, without a `requestId`, with a reason that is a \
            number, and with a `requestId` that is null or an object; then pings. An error \
            without an id is accepted for the last two.",
        mend: "Check the params of notifications before you use them, and drop what does not fit.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let what = "a malformed cancellation";
            pings_are_answered(s).await?;
            let id = s.session.fresh_id("never");
            for params in [
                Value::Null,
                json!({}),
                json!({ "requestId": id, "reason": 5 }),
            ] {
                let told = send_cancellation(s, params).await?;
                ignored(s, what, told).await?;
            }
            settled(s, what).await?;
            unanswered(what, s.strays_of_turn().first())?;
            for id in [Value::Null, json!({ "a": 1 })] {
                let told = send_cancellation(s, json!({ "requestId": id })).await?;
                ignored(s, what, told).await?;
            }
            settled(s, what).await?;
            // JSON-RPC lets a message that is invalid be answered so.
            let tolerated =
                |stray: &Stray| stray.message.is_without_id() && stray.message.error_is(-32600);
            let strays = s.strays_of_turn();
            unanswered(what, strays.iter().find(|stray| !tolerated(stray)))
        })
    },
);

/// Sends a cancellation that a server may choke on, and tells how it was refused: that it can no
/// longer be written shows in the ping that follows.
async fn send_cancellation(s: &Talk, params: Value) -> Result<Option<Refusal>, Stop> {
    let mut message = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled" });
    if !params.is_null() {
        message["params"] = params;
    }
    match s.tell(&message).await {
        Err(Stop::Broke(_)) => Ok(None),
        told => told,
    }
}

const SERVER_CANCELS_OWN: Case = Case::rule(
    Clause {
        id: "utilities/server-cancels-own-requests",
        title: "The server cancels only its own pending requests",
        statement: "A notifications/cancelled from the server names a request that the server itself \
            sent in this session and that is not answered yet.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(
            V2024_11_05,
            "basic/utilities/cancellation#behavior-requirements",
        )],
        fault: "server-cancels-foreign-id",
    },
    Advice {
        why: "A client looks the id up among the server's requests; one of its own, ended by \
            mistake, would never be answered.",
        how: "Compares `requestId` of each cancellation by the server with the requests that it \
            has sent in the session.",
        mend: "Put the id of your own request there, exactly as you sent it.",
    },
    Rule {
        subject: |event, past| cancellation(event).is_some_and(|message| is_known(message, past)),
        holds: |event, past| {
            let Some(message) = cancellation(event) else {
                return Ok(());
            };
            let id = message.params().and_then(|params| params.get("requestId"));
            let Some(id) = id.map(Id::of) else {
                return broken_by(
                    "a cancellation of the server has no `requestId`",
                    message,
                    past,
                );
            };
            // The client's answer may have crossed it, so any request will do.
            if past.server.get(&id).is_some() {
                return Ok(());
            }
            let whose = match past.client.get(&id) {
                Some(_) => "the client's",
                None => "nobody's",
            };
            broken_by(
                format!("the server cancels {id}, which is {whose} request and none of its own"),
                message,
                past,
            )
        },
        unseen: "the server cancelled no request of its own",
    },
);

/// Whether a cancellation can be held against all requests of the server, or names one of those
/// that are known, or none at all.
fn is_known(cancellation: &Message, past: &Past) -> bool {
    let id = cancellation
        .params()
        .and_then(|params| params.get("requestId"));
    !past.server.forgotten || id.is_none_or(|id| past.server.get(&Id::of(id)).is_some())
}

/// A cancellation by the server whose content is known.
fn cancellation<'a>(event: &Event<'a>) -> Option<&'a Message> {
    call(event).filter(|message| {
        message.method.as_deref() == Some("notifications/cancelled") && message.value().is_some()
    })
}

const LATE_ANSWER_HARMLESS: Case = Case::probe(
    Clause {
        id: "utilities/late-answer-harmless",
        title: "An answer to a request the server cancelled is ignored",
        statement: "A response that arrives after the server cancelled its request does no harm.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(
            V2024_11_05,
            "basic/utilities/cancellation#behavior-requirements",
        )],
        fault: "late-answer-fatal",
    },
    Advice {
        why: "The user's answer and the server's time-out cross on the wire: nobody has done \
            anything wrong.",
        how: "Leaves a request of the server unanswered and cancels the call that led to it. If \
            the server cancels its request then, it gets an answer all the same, and a ping, \
            which has to be served.",
        mend: "Ignore responses that nobody waits for.",
    },
    Stage::Together("slow"),
    |s| {
        Box::pin(async {
            s.leave_floor();
            let slow = s.scene::<Slow>().await?;
            let reply = slow.late_answer.as_ref().map_err(Stop::clone)?;
            if reply.is_result() {
                return Ok(());
            }
            violated(format!(
                "a ping {reply} after a late answer to a request that the server had cancelled"
            ))
        })
    },
);
