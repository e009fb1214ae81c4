//! Tasks, the experimental ones of 2025-11-25: one conversation with several of them serves most
//! cases, one with a task that needs input the others.

mod aftermath;
mod calls;
mod cancel;
mod capability;
mod creation;
mod ends;
mod ids;
mod life;
mod lists;
mod needy;
mod notified;
mod objects;
mod order;
mod play;
mod related;
mod reports;
mod results;
mod roll;
mod served;
mod step;
mod unknown;

use super::prelude;
use crate::case::Case;
use prelude::*;

/// The cases on tasks, file by file.
pub(in crate::cases) const CASES: &[&[Case]] = &[
    capability::CASES,
    calls::CASES,
    served::CASES,
    ids::CASES,
    creation::CASES,
    objects::CASES,
    order::CASES,
    unknown::CASES,
    results::CASES,
    ends::CASES,
    lists::CASES,
    cancel::CASES,
    notified::CASES,
    related::CASES,
    reports::CASES,
];

/// The session of the conversation with several tasks.
const TASKS: Stage = Stage::Together("tasks");
/// The session of the conversation with a task that needs input.
const NEEDY: Stage = Stage::Together("task input");

/// The status notifications of the server so far.
fn status_notifications(s: &Talk) -> Vec<(std::time::Duration, Message)> {
    s.session.with_state(|state| {
        let told = |message: &Message| {
            message.kind() == Kind::Notification
                && message.method.as_deref() == Some("notifications/tasks/status")
        };
        let heard = state.heard.iter().filter(|(_, message)| told(message));
        heard.cloned().collect()
    })
}

/// That the conversation has shown tasks, for the rule that judges them.
async fn shown(s: &Talk) -> Result<std::rc::Rc<life::Life>, Stop> {
    let life = match life::life(s).await {
        // The clause is about all tasks, and none could be made.
        Err(Stop::NotApplicable(reason)) => return unverified(reason),
        life => life?,
    };
    life.task(s, life::Role::First)?;
    Ok(life)
}

/// That a request is refused with this code.
fn refused_with(what: &str, reply: &Reply, code: i32) -> Result<(), Stop> {
    match reply {
        _ if reply.error_is(code) => Ok(()),
        Reply::Refused(refusal) if refusal.message.is_none() => {
            unverified(format!("{what} {reply}, which tells no code"))
        }
        _ => violated(format!("{what} {reply} instead of the error {code}")),
    }
}
