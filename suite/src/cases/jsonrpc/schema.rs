//! Everything else that the schema says of a message. Only what no other clause owns is reported.

use super::{super::prelude::*, judged_call, judged_response, triage::defect};
use crate::{
    cases,
    spec::schema::{Mismatch, Mismatches, is_owned, judge_call_but, judge_result_but},
    tape::Asked,
};

pub(super) const CASES: &[Case] = &[MESSAGE_SCHEMA, RESULT_SCHEMA];

const MESSAGE_SCHEMA: Case = Case::rule(
    Clause {
        id: "jsonrpc/message-schema",
        title: "Requests and notifications of the server fit the schema",
        statement: "Every request and notification of the server is valid against the negotiated \
            revision's schema definition for its method.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/index#schema")],
        fault: "schema-invalid-notification",
    },
    Advice {
        why: "Clients that decode strictly drop what does not fit, and others read something \
            else than was meant.",
        how: "Validates every request and notification of the server with the definition for its \
            method; what another clause is about is left to that one.",
        mend: "Build messages from the types of an SDK, or validate them in your tests.",
    },
    Rule {
        subject: |event, past| {
            judged_call(event).is_some_and(|message| defect(message, past).is_none())
        },
        holds: |event, past| {
            let call = judged_call(event).and_then(|message| Some((message, message.value()?)));
            let Some((message, value)) = call else {
                return Ok(());
            };
            let method = message.method.as_deref().unwrap_or_default();
            let leaves = owned(method, past);
            let judged = judge_call_but(past.revision, value, &leaves);
            fits(judged, &format!("`{method}`"), message, past)
        },
        unseen: "the server sent neither requests nor notifications",
    },
);

const RESULT_SCHEMA: Case = Case::rule(
    Clause {
        id: "jsonrpc/result-schema",
        title: "Every result fits its request's result definition",
        statement: "Every result is valid against the negotiated revision's definition for the method \
            that was asked.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/index#schema")],
        fault: "schema-invalid-result",
    },
    Advice {
        why: "Clients that decode strictly reject the whole result, and others find nothing \
            where they look.",
        how: "Validates every result with the definition that belongs to the method that was \
            asked; what another clause is about is left to that one.",
        mend: "Build results from the types of an SDK, or validate them in your tests.",
    },
    Rule {
        subject: |event, past| result(event, past).is_some(),
        holds: |event, past| {
            let Some((message, result, asked)) = result(event, past) else {
                return Ok(());
            };
            // An odd `task` may be taken for one, or be refused.
            let params = (asked.task || asked.odd_task).then(|| json!({ "task": {} }));
            let (method, leaves) = (&asked.method, owned(&asked.method, past));
            let judged = judge_result_but(past.revision, method, params.as_ref(), result, &leaves);
            fits(judged, &format!("the result of `{method}`"), message, past)
        },
        unseen: "no result was received",
    },
);

/// The result that the event brings, and the well-formed request that it answers.
fn result<'a>(event: &Event<'a>, past: &'a Past) -> Option<(&'a Message, &'a Value, &'a Asked)> {
    let message = judged_response(event).filter(|message| message.has_result())?;
    let asked = past
        .client
        .asked(message)
        .filter(|asked| asked.well_formed)?;
    let result = message.result()?;
    // Which schema holds where another version is named is not for this session to say.
    let other = &*asked.method == "initialize"
        && result.get("protocolVersion").and_then(Value::as_str) != Some(past.revision.as_str());
    let sound = !other && defect(message, past).is_none();
    sound.then_some((message, result, asked))
}

/// Whether a clause of its own is about what the schema finds.
fn owned(method: &str, past: &Past) -> impl Fn(&Mismatch) -> bool {
    let revision = past.revision;
    let is_built =
        move |id: &str| cases::find(id).is_some_and(|case| case.clause.holds_in(revision));
    move |found| is_owned(revision, method, found, is_built)
}

/// A violation, if the schema has found something.
fn fits(
    judged: Result<(), Mismatches>,
    what: &str,
    message: &Message,
    past: &Past,
) -> Result<(), Stop> {
    match judged {
        Ok(()) => Ok(()),
        Err(found) => broken_by(escaped(format!("{what}: {found}")), message, past),
    }
}
