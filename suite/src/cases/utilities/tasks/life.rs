//! The conversation about tasks: several are made side by side and followed to their end, and
//! everything that can be asked about them is asked.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    prelude::*,
    roll::{Listed, Stranger},
    step::{Begun, Made, Player, Step, TTL, interval, task_call},
};
use crate::{talk::Call, tape::Status};

/// A year in milliseconds.
pub(super) const YEAR: u64 = 31_536_000_000;
/// The longest that is waited for the slow task.
const LONGEST: Duration = Duration::from_secs(60);
/// From so long on a call that comes back with a finished task has waited for it, perhaps.
const LATE: Duration = Duration::from_millis(500);
/// So many announcements of an end are checked.
const CHECKED: usize = 16;
/// The key under which a message names its task.
pub(super) const RELATED: &str = "io.modelcontextprotocol/related-task";

/// What a task is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It reports progress, and is looked at from all sides.
    First,
    /// It is the one that metadata wrongly does not name.
    Second,
    /// It is cancelled at once.
    Cancelled,
    /// It takes long, and its result is asked for at once.
    Slow,
    /// Its call proposes an id.
    Proposal,
    /// It is to be kept for a year.
    Year,
    /// It is cancelled when it has ended.
    Third,
    /// One more.
    Fourth,
    /// Its tool ends in a tool error.
    Failing,
    /// Its tool ends in an error of JSON-RPC.
    Erring,
}

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
    pub(super) excerpt: Excerpt,
    pub(super) get: Step,
}

/// What came of the conversation.
pub(super) struct Life {
    pub(super) token: Value,
    tasks: Vec<Made<Role>>,
    broke: Option<&'static str>,
    /// A `tasks/get` of the first task as soon as it was made.
    pub(super) early: Option<Step>,
    /// `tasks/result` of the first task, three times.
    pub(super) results: Vec<Step>,
    /// A ping behind the end of the first task.
    pub(super) ping_behind_end: Option<Step>,
    /// `tasks/get` of the first task after its end.
    pub(super) later: Vec<Step>,
    /// `tasks/result` of the slow task, a ping behind it, and a `tasks/get` when it had come.
    pub(super) slow_result: Option<Step>,
    pub(super) slow_ping: Option<Step>,
    pub(super) slow_get: Option<Step>,
    /// What a plain call of the slow tool returned.
    pub(super) plain: Option<Value>,
    /// The slow call once more, with more to do.
    pub(super) longer: Option<Step>,
    pub(super) cancel: Option<Step>,
    pub(super) cancelled_get: Option<Step>,
    /// `tasks/cancel` of the third task after its end, and `tasks/get` behind it.
    pub(super) late_cancel: Option<(Step, Step)>,
    pub(super) misled: Vec<Misled>,
    pub(super) failing_result: Option<Step>,
    pub(super) erring_result: Option<Step>,
    /// The code that a plain call of the erring tool is answered with.
    pub(super) erring_code: Option<Value>,
    pub(super) listed: Option<Listed>,
    pub(super) announced: Vec<Announced>,
    /// Every `tasks/get`.
    pub(super) gets: Vec<(String, Step)>,
    pub(super) stranger: Option<Stranger>,
}

/// The conversation, or why there was none.
struct Played(Result<Life, Stop>);

impl Scene for Played {
    async fn play(s: &Talk) -> Result<Played, Stop> {
        Ok(Played(Life::play(s).await))
    }
}

/// What came of the conversation, for those who look at it.
pub(super) struct Seen(std::rc::Rc<Played>);

impl std::ops::Deref for Seen {
    type Target = Life;

    fn deref(&self) -> &Life {
        match &self.0.0 {
            Ok(life) => life,
            Err(_) => unreachable!("it is made of a conversation that was had"),
        }
    }
}

/// The conversation, had now if nobody has had it.
pub(super) async fn life(s: &Talk) -> Result<Seen, Stop> {
    let played = s.scene::<Played>().await?;
    match &played.0 {
        Ok(_) => Ok(Seen(played)),
        Err(stop) => Err(stop.clone()),
    }
}

impl Life {
    /// The task with this role.
    pub(super) fn made(&self, role: Role) -> Option<&Made<Role>> {
        self.tasks.iter().find(|made| made.role == role)
    }

    /// Every call that asked for a task.
    pub(super) fn calls(&self) -> impl Iterator<Item = &Made<Role>> {
        self.tasks.iter()
    }

    /// The task with this role, if it was made.
    pub(super) fn task(&self, s: &Talk, role: Role) -> Result<(&Made<Role>, &str), Stop> {
        let Some(made) = self.made(role) else {
            return unverified("no task was asked for");
        };
        self.came(s, &made.call)?;
        match made.id() {
            Some(id) => Ok((made, id)),
            None => unverified(format!(
                "no task was created: `tools/call` with `task` {}",
                made.call.reply
            )),
        }
    }

    /// Fails with an error where the server went in this very step, and without a verdict where
    /// it had gone before.
    pub(super) fn came(&self, s: &Talk, step: &Step) -> Result<(), Stop> {
        match (&step.reply, self.broke) {
            (Reply::Gone(_), Some(clause)) if clause != s.case() => {
                unverified(format!("the server was gone by then, see {clause}"))
            }
            (Reply::Gone(broken), _) => Err(broken.clone().into()),
            _ => Ok(()),
        }
    }

    async fn play(s: &Talk) -> Result<Life, Stop> {
        let tool = s.task_tool().await?;
        let slow = s.slow_task_tool().await?;
        s.session.listen();
        let player = Player::new(s);
        let mut life = Life::begin(&player, &tool, &slow).await?;
        life.look_back(&player).await?;
        life.fail(&player).await?;
        life.plain = s.plain_result(&slow).await;
        let made = life.made(Role::Slow);
        if let (Some(made), Some(longer)) = (made, s.longer(&slow))
            && is_late(made)
        {
            let params = task_call(&longer, json!({ "ttl": TTL }));
            let owner = "utilities/task-create-prompt";
            life.longer = Some(player.ask(owner, "tools/call", params).await?);
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

    /// Makes the tasks, does what has to be done at once, and follows them to their end.
    async fn begin(player: &Player<'_>, tool: &Call, slow: &Call) -> Result<Life, Stop> {
        let s = player.s;
        let usual = || json!({ "ttl": TTL });
        let token = json!(format!("task-{}", s.nonce()));
        let mut first = task_call(tool, usual());
        first["_meta"] = json!({ "progressToken": token });
        let mut tasks = player
            .make(vec![
                (Role::First, first),
                (Role::Second, task_call(tool, usual())),
                (Role::Cancelled, task_call(slow, usual())),
                (Role::Slow, task_call(slow, usual())),
            ])
            .await?;
        let id = |tasks: &[Made<Role>], place: usize| tasks[place].id().map(str::to_owned);
        let early = about(player, "utilities/task-get", "tasks/get", id(&tasks, 0)).await?;
        let cancels = id(&tasks, 2).filter(|_| s.session.declares("tasks.cancel"));
        let cancel = about(player, "utilities/task-cancel", "tasks/cancel", cancels).await?;
        let result = "tasks/result";
        let owner = "utilities/task-result-payload";
        let first_result = about(player, owner, result, id(&tasks, 0)).await?;
        let owner = "utilities/task-result-blocks";
        let slow_result = about(player, owner, result, id(&tasks, 3)).await?;
        let ping = player.begin(owner, "ping", Value::Null).await?;
        let early = finish(player, early).await?;
        if let (Some(id), Some(early)) = (id(&tasks, 0), &early) {
            player.got(&id, early);
        }
        let cancel = finish(player, cancel).await?;
        let slow_ping = Some(player.finish(ping).await?);
        let proposal = json!({ "ttl": TTL, "taskId": proposal(s) });
        let more = vec![
            (Role::Proposal, task_call(tool, proposal)),
            (Role::Year, task_call(tool, json!({ "ttl": YEAR }))),
        ];
        tasks.extend(player.make(more).await?);
        let more = vec![
            (Role::Third, task_call(tool, usual())),
            (Role::Fourth, task_call(tool, usual())),
        ];
        tasks.extend(player.make(more).await?);
        let mut life = Life {
            token,
            tasks,
            broke: None,
            early,
            results: Vec::new(),
            ping_behind_end: None,
            later: Vec::new(),
            slow_result: None,
            slow_ping,
            slow_get: None,
            plain: None,
            longer: None,
            cancel,
            cancelled_get: None,
            late_cancel: None,
            misled: Vec::new(),
            failing_result: None,
            erring_result: None,
            erring_code: None,
            listed: None,
            announced: Vec::new(),
            gets: Vec::new(),
            stranger: None,
        };
        life.follow(player, slow_result).await?;
        life.results.extend(finish(player, first_result).await?);
        Ok(life)
    }

    /// Follows the tasks to their end, and looks at the slow one as soon as its result has come.
    async fn follow(
        &mut self,
        player: &Player<'_>,
        mut slow_result: Option<Begun>,
    ) -> Result<(), Stop> {
        let until = Instant::now() + LONGEST;
        let slow = self.made(Role::Slow).and_then(Made::id).map(str::to_owned);
        loop {
            let cancelled = |made: &&mut Made<Role>| made.role == Role::Cancelled;
            let tasks = self.tasks.iter_mut();
            let mut tasks: Vec<_> = tasks.filter(|made| !cancelled(made)).collect();
            player.look(&mut tasks).await?;
            let interval = interval(&tasks);
            if self.ping_behind_end.is_none() && self.tasks[0].end().is_some() {
                let owner = "utilities/task-progress-stops";
                let ping = player.ask(owner, "ping", Value::Null).await?;
                self.ping_behind_end = Some(ping);
            }
            if player.broke.get().is_some() || Instant::now() > until {
                break;
            }
            match (&mut slow_result, interval) {
                (None, None) => break,
                (None, Some(interval)) => player.s.idly(tokio::time::sleep(interval)).await,
                (Some(begun), _) => {
                    // The task has ended: so its result comes soon.
                    let window = interval.unwrap_or(player.s.session.limits.answer);
                    if let Some(step) = player.within(begun, window).await {
                        self.slow_result = Some(step);
                        slow_result = None;
                        let id = slow.as_deref().unwrap_or_default();
                        let owner = "utilities/task-result-blocks";
                        self.slow_get = Some(player.get(owner, id).await?);
                    } else if interval.is_none() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Asks for what has ended.
    async fn look_back(&mut self, player: &Player<'_>) -> Result<(), Stop> {
        let s = player.s;
        let id = |life: &Life, role| {
            let made = life.made(role).filter(|made| made.end().is_some());
            made.and_then(Made::id).map(str::to_owned)
        };
        if let Some(first) = id(self, Role::First) {
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
        if s.session.declares("tasks.list") {
            let roles = [Role::Second, Role::Fourth, Role::Year];
            let ids = roles.map(|role| self.made(role).and_then(Made::id).map(str::to_owned));
            let ids = ids.into_iter().flatten().collect();
            self.listed = Some(Listed::of(player, ids).await?);
        }
        if let (Some(_), Some(made)) = (&self.cancel, self.made(Role::Cancelled)) {
            let id = made.id().unwrap_or_default().to_owned();
            let get = player.get("utilities/task-cancel-final", &id);
            self.cancelled_get = Some(get.await?);
        }
        let third = self.made(Role::Third);
        let completed = third.is_some_and(|made| made.end() == Some(Status::Completed));
        if let (Some(third), true) = (id(self, Role::Third), s.session.declares("tasks.cancel"))
            && completed
        {
            let owner = "utilities/task-cancel-terminal";
            let params = json!({ "taskId": third });
            let cancel = player.ask(owner, "tasks/cancel", params).await?;
            self.late_cancel = Some((cancel, player.get(owner, &third).await?));
        }
        if let (Some(first), Some(second)) = (id(self, Role::First), id(self, Role::Second)) {
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
        Ok(())
    }
}

/// The id that a call proposes.
pub(super) fn proposal(s: &Talk) -> String {
    format!("mine-{}", s.nonce())
}

/// Whether the call took its time and came back with a task that had ended.
fn is_late(made: &Made<Role>) -> bool {
    let took = made.call.at().map(|at| at.saturating_sub(made.call.begun));
    let status = made.task().and_then(Status::of);
    took >= Some(LATE) && status.is_some_and(Status::is_terminal)
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

/// Asks for a task, with metadata that names each of the others in turn.
async fn misled(player: &Player<'_>, id: &str, others: &[Value]) -> Result<Vec<Misled>, Stop> {
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
        let step = player.finish(begun).await?;
        let mut control = None;
        if !step.reply.is_result() {
            let params = json!({ "taskId": id });
            control = Some(player.ask(owner, method, params).await?);
        }
        misled.push(Misled {
            method,
            step,
            control,
        });
    }
    Ok(misled)
}

/// Every end that was announced, and what `tasks/get` says of it: the first one that was sent
/// since, or one that is sent now.
async fn announced(player: &Player<'_>) -> Result<Vec<Announced>, Stop> {
    let mut all: Vec<Announced> = Vec::new();
    for (at, message) in super::status_notifications(player.s) {
        let Some(task) = message.params().map(crate::tape::unwrapped) else {
            continue;
        };
        let status = Status::of(task).filter(|status| status.is_terminal());
        let (Some(id), Some(status)) = (task["taskId"].as_str(), status) else {
            continue;
        };
        if all.len() == CHECKED || all.iter().any(|known| known.id == id) {
            continue;
        }
        let known = player
            .gets
            .borrow()
            .iter()
            .find(|(known, step)| known == id && step.begun > at)
            .map(|(_, step)| step.clone());
        let get = match known {
            Some(get) => get,
            None => {
                let owner = "utilities/task-status-notification-true";
                player.get(owner, id).await?
            }
        };
        all.push(Announced {
            id: id.to_owned(),
            status,
            excerpt: Excerpt::of_message(at, &message),
            get,
        });
    }
    Ok(all)
}
