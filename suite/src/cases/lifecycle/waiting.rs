//! Who waits for whom: answers that the client owes, and clients that come after others.

use super::{
    Opening,
    between::{Between, Owed},
};
use crate::cases::prelude::*;

pub(super) const CASES: &[Case] = &[
    UNANSWERED_REQUEST_DOES_NOT_BLOCK,
    OWN_REQUEST_TIMEOUT,
    TIMEOUT_SENDS_CANCELLED,
    NEXT_CLIENT_SERVED,
];

/// What the server has asked for, for messages.
fn asked_for(owed: &Owed) -> String {
    let method = owed.request.1.method.as_deref().unwrap_or_default();
    escaped(method)
}

const UNANSWERED_REQUEST_DOES_NOT_BLOCK: Case = Case::probe(
    Clause {
        id: "lifecycle/unanswered-request-does-not-block",
        title: "A request left unanswered does not block the server",
        statement: "While the client owes an answer to a server's request, the server goes on serving \
            other requests.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/lifecycle#error-handling"),
            (V2025_03_26, "basic/lifecycle#timeouts"),
        ],
        fault: "blocks-on-unanswered-request",
    },
    Advice {
        why: "A user who takes a minute to answer stops everything else, and the client takes \
            the server for dead.",
        how: "A tool that asks the client for something is called, and the client does not \
            answer; a ping in the meantime has to be served.",
        mend: "Go on reading while you wait for an answer: each request needs a task or a thread \
            of its own.",
    },
    Stage::Unopened("between"),
    |s| {
        Box::pin(async {
            let between = s.held::<Between>().await?;
            let owed = between.rest()?.owed()?;
            match owed.harmless.is_silence() {
                false => Ok(()),
                true => violated_by(
                    format!(
                        "while the client owes the answer to `{}` a `ping` {}",
                        asked_for(owed),
                        owed.harmless
                    ),
                    vec![Excerpt::of_message(owed.request.0, &owed.request.1)],
                ),
            }
        })
    },
);

const OWN_REQUEST_TIMEOUT: Case = Case::probe(
    Clause {
        id: "lifecycle/own-request-timeout",
        title: "The server gives up on unanswered requests",
        statement: "The server has a time-out for each request that it sends, and ends the work that \
            waits for it.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/lifecycle#error-handling"),
            (V2025_03_26, "basic/lifecycle#timeouts"),
        ],
        fault: "no-timeout-on-own-requests",
    },
    Advice {
        why: "A client that is gone, or has forgotten the question, keeps the call and all that \
            it holds alive for ever.",
        how: "With --long-wait: a tool that asks the client for something is called, the client \
            does not answer, and the call has to be answered within the wait.",
        mend: "Give each request of yours a time-out, and end the work that waits for it with an \
            error.",
    },
    Stage::Unopened("between"),
    |s| {
        Box::pin(async {
            let between = s.held::<Between>().await?;
            let owed = between.rest()?.owed()?;
            let outcome = owed.outcome.clone()?;
            match outcome.reply {
                Reply::Answer(_) | Reply::Nameless(_) | Reply::Refused(_) => Ok(()),
                Reply::Gone(broken) => unverified(format!("the session ended: {broken}")),
                Reply::Silent => violated(format!(
                    "the call still waits for the answer to `{}` after {} s",
                    asked_for(owed),
                    s.session.limits.long_wait.unwrap_or_default().as_secs_f32()
                )),
            }
        })
    },
);

const TIMEOUT_SENDS_CANCELLED: Case = Case::probe(
    Clause {
        id: "lifecycle/timeout-sends-cancelled",
        title: "A request that timed out is cancelled",
        statement: "When it gives up on a request the server sends notifications/cancelled for it.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2025_03_26, "basic/lifecycle#timeouts")],
        fault: "timeout-without-cancel",
    },
    Advice {
        why: "The client goes on asking its user for what nobody wants any more.",
        how: "With --long-wait, as for lifecycle/own-request-timeout: by the time the call is \
            answered the server has sent `notifications/cancelled` with the id of its request.",
        mend: "Send `notifications/cancelled` when you give up on a request.",
    },
    Stage::Unopened("between"),
    |s| {
        Box::pin(async {
            let between = s.held::<Between>().await?;
            let owed = between.rest()?.owed()?;
            let outcome = owed.outcome.clone()?;
            match (outcome.cancelled, outcome.reply.is_silence()) {
                (true, _) => Ok(()),
                (false, true) => {
                    unverified("the server never gave up, see lifecycle/own-request-timeout")
                }
                (false, false) if outcome.cancelled_other => unverified(
                    "the server has cancelled something else, see \
                     utilities/server-cancels-own-requests",
                ),
                (false, false) => violated(format!(
                    "the call is answered, and the request `{}` that it waited for was never \
                     cancelled",
                    asked_for(owed)
                )),
            }
        })
    },
);

const NEXT_CLIENT_SERVED: Case = Case::probe(
    Clause {
        id: "lifecycle/next-client-served",
        title: "The server outlives its first client",
        statement: "A client ends a session over HTTP by closing its connections; the server then \
            serves the next client.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: &[Transport::HttpSse, Transport::StreamableHttp],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#shutdown")],
        fault: "dies-with-first-client",
    },
    Advice {
        why: "The first client to go away takes the server with it, for everybody.",
        how: "A session is opened and used, and its connections are closed without a word; then \
            another one is opened and used.",
        mend: "Make a protocol object for each session, and keep it apart from the listener.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let first = s.another()?;
            let opening = Opening::play(&first, first.initialize_params()).await?;
            if !opening.is_served() {
                return unverified(format!("in a further session {opening}"));
            }
            first.end(How::Abandoned).await;
            let next = s.another()?;
            let opening = Opening::play(&next, next.initialize_params()).await?;
            match opening.is_served() {
                true => Ok(()),
                false => violated(format!("for the client after one that has gone {opening}")),
            }
        })
    },
);
