//! Lists of tasks: the client's own, and what a stranger sees.

use std::collections::HashSet;

use super::{
    prelude::*,
    step::{Made, Player, Step, TTL, task_call},
};
use crate::talk::Call;

/// So many pages of `tasks/list` are read.
const PAGES: usize = 200;

/// A walk through `tasks/list`, and what `tasks/get` says of some tasks before and after it.
pub(super) struct Listed {
    pub(super) tasks: Vec<Gotten>,
    /// The ids on all pages; none if a page could not be read.
    pub(super) ids: Option<HashSet<String>>,
    pub(super) last_page: Step,
}

/// One task, asked for before and after a walk.
pub(super) struct Gotten {
    pub(super) id: String,
    pub(super) before: Step,
    pub(super) after: Step,
}

impl Listed {
    pub(super) async fn of(player: &Player<'_>, ids: Vec<String>) -> Result<Listed, Stop> {
        let before = all(player, &ids).await?;
        let (listed, last_page) = walk(player, "utilities/task-list-complete").await?;
        let after = all(player, &ids).await?;
        let tasks = ids.into_iter().zip(before).zip(after);
        Ok(Listed {
            tasks: tasks
                .map(|((id, before), after)| Gotten { id, before, after })
                .collect(),
            ids: listed,
            last_page,
        })
    }
}

async fn all(player: &Player<'_>, ids: &[String]) -> Result<Vec<Step>, Stop> {
    let mut steps = Vec::new();
    for id in ids {
        steps.push(player.get("utilities/task-list-complete", id).await?);
    }
    Ok(steps)
}

/// The ids on all pages of `tasks/list`, unless one could not be read; and the last page.
async fn walk(
    player: &Player<'_>,
    owner: &'static str,
) -> Result<(Option<HashSet<String>>, Step), Stop> {
    let mut ids = HashSet::new();
    let mut cursors = HashSet::new();
    let mut params = json!({});
    loop {
        let page = player.ask(owner, "tasks/list", params).await?;
        let Some(tasks) = page.result().and_then(|result| result["tasks"].as_array()) else {
            return Ok((None, page));
        };
        let on_page = tasks.iter().filter_map(|task| task["taskId"].as_str());
        ids.extend(on_page.map(str::to_owned));
        let cursor = page
            .result()
            .and_then(|result| result["nextCursor"].as_str());
        match cursor {
            // A cursor that comes back would lead round for ever.
            Some(cursor) if cursors.len() < PAGES && cursors.insert(cursor.to_owned()) => {
                params = json!({ "cursor": cursor });
            }
            Some(_) => return Ok((None, page)),
            None => return Ok((Some(ids), page)),
        }
    }
}

/// What another session of the same server has, and sees.
pub(super) struct Stranger {
    pub(super) tasks: Vec<Made<()>>,
    /// The ids that it is shown, and where, if the server lists tasks.
    pub(super) listed: Option<(HashSet<String>, Step)>,
}

impl Stranger {
    pub(super) async fn play(s: &Talk, tool: &Call) -> Result<Stranger, Stop> {
        let other = s.another()?;
        let reply = other.handshake().await?;
        if !reply.is_result() {
            return unverified(format!("another `initialize` {reply}"));
        }
        let player = Player::new(&other);
        let call = || ((), task_call(tool, json!({ "ttl": TTL })));
        let tasks = player.make(vec![call(), call()]).await?;
        let mut listed = None;
        if other.session.declares("tasks.list") {
            let (ids, page) = walk(&player, "utilities/task-list-isolation").await?;
            listed = ids.map(|ids| (ids, page));
        }
        Ok(Stranger { tasks, listed })
    }
}
