//! Each request is answered, and once.

use super::{
    super::prelude::*,
    judged_response,
    triage::{Defect, free_of},
};
use crate::tape::Asked;

pub(super) const CASES: &[Case] = &[REQUEST_ANSWERED, ONE_RESPONSE];

const REQUEST_ANSWERED: Case = Case::probe(
    Clause {
        id: "jsonrpc/request-answered",
        title: "Every request gets an answer",
        statement: "Each well-formed request that the client sent and did not cancel is answered by a \
            result or an error before the session ends.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/messages#responses"), (V2025_03_26, "basic/index#responses")],
        fault: "request-never-answered",
    },
    Advice {
        why: "A request without an answer hangs its caller until it gives up.",
        how: "Ten pings with integer ids, each sent when the one before is answered. Besides, \
            reads, prompts, completions, subscriptions and log levels of the run that had no \
            answer for 10 s, while the server answered what was asked after that.",
        mend: "Answer on every path of a handler, with an error where it fails.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            for id in 11..=20 {
                match s.ask_as(json!(id), "ping", Value::Null).await? {
                    Reply::Answer(_) => {}
                    Reply::Gone(broken) => return Err(broken.into()),
                    // An answer of some kind: the clauses on ids and refusals have it.
                    reply @ (Reply::Nameless(_) | Reply::Refused(_)) => {
                        return unverified(format!("a ping {reply}"));
                    }
                    reply @ Reply::Silent => {
                        let number = id - 10;
                        return violated(format!("ping number {number} of 10 in turn {reply}"));
                    }
                }
            }
            Ok(())
        })
    },
)
.with_rule(Rule {
    subject: |event, past| matches!(event, Event::Ended { .. }) && judged_requests(past).next().is_some(),
    holds: |_, past| {
        let last = past.client.iter().filter(|(_, asked)| asked.answers > 0);
        let last = last.map(|(_, asked)| asked.at).max().unwrap_or_default();
        let silent = |asked: &Asked| asked.answers == 0 && asked.at + LIMIT <= last;
        let mut all: Vec<_> = judged_requests(past).filter(|asked| silent(asked)).collect();
        all.sort_by_key(|asked| asked.at);
        match all.first() {
            None => Ok(()),
            Some(asked) => violated(format!(
                "`{}` was not answered, though what was asked {} s later was",
                asked.method,
                LIMIT.as_secs()
            )),
        }
    },
    unseen: "no request was sent whose silence this clause judges",
});

/// How long an answer may take.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(10);

/// The requests that have to be answered soon and whose silence no other clause judges.
fn judged_requests(past: &Past) -> impl Iterator<Item = &Asked> {
    const METHODS: [&str; 6] = [
        "resources/read",
        "resources/subscribe",
        "resources/unsubscribe",
        "prompts/get",
        "completion/complete",
        "logging/setLevel",
    ];
    let ready = past.ready_at.filter(|_| !past.malformed && !past.foreign);
    past.client
        .iter()
        .map(|(_, asked)| asked)
        .filter(move |asked| {
            ready.is_some_and(|ready| ready <= asked.at)
                && METHODS.contains(&&*asked.method)
                && asked.well_formed
                && !asked.cancelled
                && !asked.refused
                && asked.uses == 1
        })
}

const ONE_RESPONSE: Case = Case::rule(
    Clause {
        id: "jsonrpc/one-response",
        title: "A request is answered once",
        statement: "No request gets a second response.",
        level: Level::MustNot,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
        ],
        fault: "responds-twice",
    },
    Advice {
        why: "The second answer is logged as an error at best, and taken for the answer to \
            another request at worst.",
        how: "Counts the responses to each id of each session.",
        mend: "Answer at one place; look for an error that is sent after a time-out, or by a \
            cleanup, beside the result.",
    },
    Rule {
        subject: |event, past| {
            judged_response(event).is_some_and(|message| past.client.asked(message).is_some())
        },
        holds: |event, past| free_of(Defect::SecondAnswer, event, past),
        unseen: "no response was received",
    },
);
