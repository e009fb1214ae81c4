//! The JSON-RPC envelope: members, ids, errors, metadata and batches, whatever carries them.

mod answers;
mod batch;
mod envelope;
mod errors;
mod ids;
mod invalid;
mod meta;
mod methods;
mod odd_ids;
mod own;
mod params;
mod schema;
mod stray;
mod tolerance;
mod triage;
mod unique;

use super::prelude::*;

/// The cases of the area, file by file.
pub(super) const CASES: &[&[Case]] = &[
    envelope::CASES,
    ids::CASES,
    odd_ids::CASES,
    answers::CASES,
    own::CASES,
    errors::CASES,
    methods::CASES,
    params::CASES,
    invalid::CASES,
    tolerance::CASES,
    stray::CASES,
    meta::CASES,
    schema::CASES,
    unique::CASES,
    batch::CASES,
];

/// The message of the server that the event is, if its content can be judged.
fn judged<'a>(event: &Event<'a>) -> Option<&'a Message> {
    message(event).filter(|message| message.value().is_some())
}

/// The response of the server that the event is, if its content can be judged.
fn judged_response<'a>(event: &Event<'a>) -> Option<&'a Message> {
    response(event).filter(|message| message.value().is_some())
}

/// The request or notification of the server that the event is, if its content can be judged.
fn judged_call<'a>(event: &Event<'a>) -> Option<&'a Message> {
    call(event).filter(|message| message.value().is_some())
}

/// A server that stops answering here shows nothing about silence: another clause's matter.
fn unread(stop: Stop) -> Stop {
    match stop {
        Stop::Broke(broken) => Stop::Unverified(format!("what follows is not answered: {broken}")),
        stop => stop,
    }
}

/// Settles; whatever has answered nothing of ours in the case's turn is a violation, and so is what
/// comes later and can be no other case's doing.
async fn unanswered(s: &Talk, what: &str, is_own: impl Fn(&Message) -> bool) -> Result<(), Stop> {
    s.fence().await.map_err(unread)?;
    let mut strays = s.strays_of_turn();
    if strays.is_empty() {
        s.ended().await?;
        strays = s.strays_since_turn();
        strays.retain(|stray| is_own(&stray.message));
    }
    match strays.first() {
        None => Ok(()),
        Some(stray) => violated_by(
            format!("{what} is answered"),
            vec![Excerpt::of_message(stray.at, &stray.message)],
        ),
    }
}

/// The first response of the session that has a result and an id for which this holds, once
/// everything has been read.
async fn result_under(s: &Talk, is_meant: fn(&Id) -> bool) -> Result<Option<Excerpt>, Stop> {
    let find = || {
        let mut strays = s.strays().into_iter();
        let stray = strays.find(|stray| {
            stray.message.has_result() && stray.message.id.as_ref().is_some_and(is_meant)
        })?;
        Some(Excerpt::of_message(stray.at, &stray.message))
    };
    let fence = s.fence().await;
    if let Some(found) = find() {
        return Ok(Some(found));
    }
    fence.map_err(unread)?;
    s.ended().await?;
    Ok(find())
}
