//! What is asked when tasks have ended: with metadata that misleads, and about announcements.

use std::time::Duration;

use super::{
    life::RELATED,
    prelude::*,
    status_notifications,
    step::{Player, Step, expiry},
};
use crate::tape::{Status, time, unwrapped};

/// So many announcements of an end are checked.
const CHECKED: usize = 16;

/// A request with metadata that names another task, and the same without it if that failed.
pub(super) struct Misled {
    pub(super) method: &'static str,
    pub(super) step: Step,
    pub(super) control: Option<Step>,
}

/// A status notification that shows an end, and the `tasks/get` behind it.
pub(super) struct Announced {
    pub(super) id: String,
    pub(super) status: Status,
    /// When the time to live that it tells is over, by the times that it tells.
    pub(super) until: Option<Duration>,
    pub(super) excerpt: Excerpt,
    pub(super) get: Step,
}

/// Asks for a task, with metadata that names each of the others in turn.
pub(super) async fn misled(
    player: &Player<'_>,
    id: &str,
    others: &[Value],
) -> Result<Vec<Misled>, Stop> {
    let owner = "utilities/task-param-is-truth";
    let mut begun = Vec::new();
    for other in others {
        for method in ["tasks/get", "tasks/result"] {
            let params = json!({ "taskId": id, "_meta": { RELATED: { "taskId": other } } });
            begun.push((method, player.begin(owner, method, params).await?));
        }
    }
    let mut misled = Vec::new();
    for (method, begun) in begun {
        misled.push(Misled {
            method,
            step: player.finish(begun).await?,
            control: None,
        });
    }
    for misled in &mut misled {
        if !misled.step.reply.is_result() {
            let params = json!({ "taskId": id });
            misled.control = Some(player.ask(owner, misled.method, params).await?);
        }
    }
    Ok(misled)
}

/// How old a task was at its last update.
fn age(task: &Value) -> Duration {
    let times = time(task, "lastUpdatedAt").zip(time(task, "createdAt"));
    let age = times.and_then(|(updated, created)| u64::try_from(updated - created).ok());
    age.map_or(Duration::ZERO, Duration::from_nanos)
}

/// Every end that was announced, and what the first `tasks/get` that was sent since says of it;
/// where there is none it is sent now. One behind which there was another notification before that
/// request proves nothing.
pub(super) async fn announced(player: &Player<'_>) -> Result<Vec<Announced>, Stop> {
    let told = status_notifications(player.s);
    let told: Vec<_> = told
        .iter()
        .filter_map(|(at, message)| {
            let task = unwrapped(message.params()?);
            Some((
                *at,
                message,
                task,
                task["taskId"].as_str()?,
                Status::of(task)?,
            ))
        })
        .collect();
    let mut all = Vec::new();
    for (number, (at, message, task, id, status)) in told.iter().enumerate() {
        if !status.is_terminal() || all.len() == CHECKED {
            continue;
        }
        let known = player.got_since(id, *at);
        let next = told[number + 1..]
            .iter()
            .find(|(_, _, _, other, _)| other == id);
        let overtaken =
            next.is_some_and(|(next, ..)| known.as_ref().is_none_or(|get| get.begun >= *next));
        if overtaken {
            continue;
        }
        let owner = "utilities/task-status-notification-true";
        let get = match known {
            Some(get) => get,
            None => player.get(owner, id).await?,
        };
        all.push(Announced {
            id: (*id).to_owned(),
            status: *status,
            until: expiry(at.saturating_sub(age(task)), task.get("ttl")),
            excerpt: Excerpt::of_message(*at, message),
            get,
        });
    }
    Ok(all)
}
