//! How the conversation about tasks goes.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    aftermath::{announced, misled},
    creation::is_waited_for,
    life::{Life, Role, proposal},
    prelude::*,
    results::differing,
    roll::{Listed, Stranger},
    step::{Begun, Made, Player, Step, TTL, interval, task_call},
};
use crate::{talk::Call, tape::Status};

/// The longest that is waited for the slow task.
const LONGEST: Duration = Duration::from_secs(60);
/// From so long on a call that comes back with a finished task has waited for it, perhaps.
const LATE: Duration = Duration::from_millis(500);

/// Has the conversation.
pub(super) async fn play(s: &Talk) -> Result<Life, Stop> {
    let tool = s.task_tool().await?;
    let slow = s.slow_task_tool().await?;
    s.session.listen();
    let player = Player::new(s);
    let mut life = Life {
        is_slow: slow.is_some(),
        ..Life::default()
    };
    let slow = slow.unwrap_or_else(|| tool.clone());
    life.begin(&player, &tool, &slow).await?;
    life.look_back(&player).await?;
    life.fail(&player).await?;
    life.plain = s.plain_result(&slow).await;
    if differing(&life).is_some() {
        let again = player.ask("utilities/task-result-payload", "tools/call", slow.params());
        life.plain_again = Some(again.await?);
    }
    if let (Some(made), Some(longer)) = (life.made(Role::Slow), s.longer(&slow))
        && is_late(&player, made)
    {
        let params = task_call(&longer, json!({ "ttl": TTL }));
        let mut longer = player.make(vec![(Role::Slow, params)]).await?;
        player
            .look(&mut longer.iter_mut().collect::<Vec<_>>())
            .await?;
        life.longer = longer.pop();
    }
    life.announced = announced(&player).await?;
    if s.transport() != Transport::Stdio {
        // Where there is room for one session only there is no stranger.
        life.stranger = Stranger::play(s, &tool).await.ok();
    }
    life.gets = player.gets.take();
    life.broke = player.broke.get();
    Ok(life)
}

impl Life {
    /// Makes the tasks, does what has to be done at once, and follows them to their end.
    async fn begin(&mut self, player: &Player<'_>, tool: &Call, slow: &Call) -> Result<(), Stop> {
        let s = player.s;
        let usual = || json!({ "ttl": TTL });
        self.token = json!(format!("task-{}", s.nonce()));
        let mut first = task_call(tool, usual());
        first["_meta"] = json!({ "progressToken": self.token });
        self.tasks = player
            .make(vec![
                (Role::First, first),
                (Role::Second, task_call(tool, usual())),
                (Role::Cancelled, task_call(slow, usual())),
                (Role::Slow, task_call(slow, usual())),
            ])
            .await?;
        let first = self.id(Role::First);
        let slow = self.id(Role::Slow);
        let owner = "utilities/task-get";
        let early = about(player, owner, "tasks/get", first.clone()).await?;
        let cancels = self
            .id(Role::Cancelled)
            .filter(|_| s.session.declares("tasks.cancel"));
        let cancel = about(player, "utilities/task-cancel", "tasks/cancel", cancels).await?;
        let owner = "utilities/task-result-payload";
        let first_result = about(player, owner, "tasks/result", first.clone()).await?;
        let owner = "utilities/task-result-blocks";
        let mut slow_result = about(player, owner, "tasks/result", slow.clone()).await?;
        let ping = player.begin(owner, "ping", Value::Null).await?;
        let owner = "utilities/task-get";
        let early_slow = about(player, owner, "tasks/get", slow.clone()).await?;
        self.early = finish(player, early).await?;
        if let (Some(id), Some(early)) = (&first, &self.early) {
            player.got(id, early);
            // On a busy machine it may have ended by then.
            self.tasks[0].last = Some(early.clone());
        }
        self.cancel = finish(player, cancel).await?;
        let refused = self
            .cancel
            .as_ref()
            .is_some_and(|step| step.reply.is_error());
        if let (Some(id), true) = (self.id(Role::Cancelled), refused) {
            self.refused_get = Some(player.get("utilities/task-cancel", &id).await?);
        }
        self.slow_ping = Some(player.finish(ping).await?);
        self.look_at_slow(player, &mut slow_result, Duration::ZERO)
            .await?;
        if let (Some(id), Some(early)) = (&slow, finish(player, early_slow).await?) {
            player.got(id, &early);
        }
        let proposal = json!({ "ttl": TTL, "taskId": proposal(s) });
        for calls in [
            vec![(Role::Proposal, task_call(tool, proposal))],
            vec![
                (Role::Third, task_call(tool, usual())),
                (Role::Fourth, task_call(tool, usual())),
            ],
        ] {
            // Over HTTP the ping may overtake the result.
            self.look_at_slow(player, &mut slow_result, Duration::ZERO)
                .await?;
            self.tasks.extend(player.make(calls).await?);
        }
        self.follow(player, slow_result).await?;
        self.results.extend(finish(player, first_result).await?);
        Ok(())
    }

    /// Follows the tasks to their end.
    async fn follow(
        &mut self,
        player: &Player<'_>,
        mut slow_result: Option<Begun>,
    ) -> Result<(), Stop> {
        let until = Instant::now() + LONGEST;
        loop {
            let tasks = self.tasks.iter_mut();
            let mut tasks: Vec<_> = tasks.filter(|made| made.role != Role::Cancelled).collect();
            player.look(&mut tasks).await?;
            let interval = interval(&tasks);
            if self.ping_behind_end.is_none() && self.tasks[0].end().is_some() {
                let owner = "utilities/task-progress-stops";
                let ping = player.ask(owner, "ping", Value::Null).await?;
                self.ping_behind_end = Some(ping);
            }
            if player.broke.get().is_some() || Instant::now() > until {
                return Ok(());
            }
            match (&slow_result, interval) {
                (None, None) => return Ok(()),
                (None, Some(interval)) => player.s.idly(tokio::time::sleep(interval)).await,
                (Some(_), _) => {
                    // A task that has ended has its result soon.
                    let window = interval.unwrap_or(player.s.session.limits.answer);
                    let slow = self.look_at_slow(player, &mut slow_result, window);
                    player.s.idly(slow).await?;
                    if slow_result.is_some() && interval.is_none() {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Waits for the result of the slow task, and looks at the task as soon as it has come.
    async fn look_at_slow(
        &mut self,
        player: &Player<'_>,
        result: &mut Option<Begun>,
        window: Duration,
    ) -> Result<(), Stop> {
        let (Some(begun), Some(id)) = (result.as_mut(), self.id(Role::Slow)) else {
            return Ok(());
        };
        if let Some(step) = player.within(begun, window).await {
            self.slow_result = Some(step);
            *result = None;
            let get = player.get("utilities/task-result-blocks", &id);
            self.slow_get = Some(get.await?);
        }
        Ok(())
    }

    /// The id of the task with this role.
    fn id(&self, role: Role) -> Option<String> {
        self.made(role)?.id().map(str::to_owned)
    }

    /// The same if it was seen to end.
    fn ended(&self, role: Role) -> Option<String> {
        self.made(role)?.end()?;
        self.id(role)
    }

    /// Asks for what has ended.
    async fn look_back(&mut self, player: &Player<'_>) -> Result<(), Stop> {
        let s = player.s;
        if let Some(first) = self.ended(Role::First) {
            for _ in 0..3 {
                let get = player.get("utilities/task-terminal-final", &first);
                self.later.push(get.await?);
            }
            for _ in 0..2 {
                let params = json!({ "taskId": first });
                let owner = "utilities/task-result-repeatable";
                let again = player.ask(owner, "tasks/result", params);
                self.results.push(again.await?);
            }
        }
        if let (Some(_), Some(id)) = (&self.cancel, self.id(Role::Cancelled)) {
            let get = player.get("utilities/task-cancel-final", &id);
            self.cancelled_get = Some(get.await?);
        }
        let third = self.made(Role::Third);
        let completed = third.is_some_and(|made| made.end() == Some(Status::Completed));
        if let (Some(third), true) = (self.ended(Role::Third), s.session.declares("tasks.cancel"))
            && completed
        {
            let owner = "utilities/task-cancel-terminal";
            let params = json!({ "taskId": third });
            let cancel = player.ask(owner, "tasks/cancel", params).await?;
            self.late_cancel = Some((cancel, player.get(owner, &third).await?));
        }
        if s.session.declares("tasks.list") {
            let ids = self.tasks.iter().filter_map(Made::id);
            let ids = ids.map(str::to_owned).collect();
            self.listed = Some(Listed::of(player, ids).await?);
        }
        if let (Some(first), Some(second)) = (self.ended(Role::First), self.ended(Role::Second)) {
            self.misled = misled(player, &second, &[json!(first), s.no_task()]).await?;
        }
        Ok(())
    }

    /// Makes tasks of calls that end badly.
    async fn fail(&mut self, player: &Player<'_>) -> Result<(), Stop> {
        // Where nobody has looked at the tools none is known.
        let failing = player.s.failing_task_tools().await.unwrap_or_default();
        let usual = || json!({ "ttl": TTL });
        let mut calls = Vec::new();
        let erring = failing.error.as_ref().map(|(call, _)| call.params());
        if let Some(call) = failing.tool_error {
            calls.push((Role::Failing, task_call(&call, usual())));
        }
        if let Some((call, code)) = failing.error {
            self.erring_code = Some(code);
            calls.push((Role::Erring, task_call(&call, usual())));
        }
        let mut made = player.make(calls).await?;
        player
            .follow(&mut made.iter_mut().collect::<Vec<_>>())
            .await?;
        for made in &made {
            let id = made.id().map(str::to_owned);
            let ended = id.filter(|_| made.end().is_some());
            let (place, owner) = match made.role {
                Role::Failing => (&mut self.failing_result, "utilities/task-failed-status"),
                _ => (&mut self.erring_result, "utilities/task-result-error"),
            };
            let begun = about(player, owner, "tasks/result", ended).await?;
            *place = finish(player, begun).await?;
        }
        self.tasks.append(&mut made);
        let other = self.erring_result.as_ref();
        let other = other.is_some_and(|step| step.reply.error_code() != self.erring_code.as_ref());
        if let (Some(params), true) = (erring, other) {
            let again = player.ask("utilities/task-result-error", "tools/call", params);
            self.erring_again = Some(again.await?);
        }
        Ok(())
    }
}

/// Whether the call took its time and came back when the work was done.
fn is_late(player: &Player<'_>, made: &Made<Role>) -> bool {
    let get = made
        .id()
        .and_then(|id| player.got_since(id, Duration::ZERO));
    made.call.took() >= Some(LATE) && is_waited_for(&made.call, get.as_ref())
}

/// Sends a request about a task, if there is one.
async fn about(
    player: &Player<'_>,
    owner: &'static str,
    method: &str,
    id: Option<String>,
) -> Result<Option<Begun>, Stop> {
    match id {
        Some(id) => {
            let begun = player.begin(owner, method, json!({ "taskId": id }));
            begun.await.map(Some)
        }
        None => Ok(None),
    }
}

async fn finish(player: &Player<'_>, begun: Option<Begun>) -> Result<Option<Step>, Stop> {
    match begun {
        Some(begun) => player.finish(begun).await.map(Some),
        None => Ok(None),
    }
}
