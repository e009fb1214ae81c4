//! Everything else that the schema says of a message. Only what no other clause owns is reported.

use super::{super::prelude::*, judged_call, judged_response, triage::defect};
use crate::{
    cases,
    spec::schema::{Mismatches, is_owned, judge_notification, judge_request, judge_result},
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
            let judged = match message.kind() {
                Kind::Request => judge_request(past.revision, value),
                _ => judge_notification(past.revision, value),
            };
            let method = message.method.as_deref().unwrap_or_default();
            unless_owned(judged, method, &format!("`{method}`"), message, past)
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
            let params = asked.task.then(|| json!({ "task": {} }));
            let judged = judge_result(past.revision, &asked.method, params.as_ref(), result);
            let what = format!("the result of `{}`", asked.method);
            unless_owned(judged, &asked.method, &what, message, past)
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

/// A violation, if the schema finds something that no clause of its own is about.
fn unless_owned(
    judged: Result<(), Mismatches>,
    method: &str,
    what: &str,
    message: &Message,
    past: &Past,
) -> Result<(), Stop> {
    let Err(mismatches) = judged else {
        return Ok(());
    };
    let is_built =
        |id: &str| cases::find(id).is_some_and(|case| case.clause.holds_in(past.revision));
    let ours = mismatches.filter(|found| !is_owned(past.revision, method, found, is_built));
    match ours {
        None => Ok(()),
        Some(ours) => broken_by(escaped(format!("{what}: {ours}")), message, past),
    }
}
