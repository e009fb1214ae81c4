//! Single steps of the conversations about tasks, and who plays them.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use tokio::time::Instant;

use super::prelude::*;
use crate::{
    talk::{Call, Waiting},
    tape::{Status, unwrapped},
};

/// For how long a task is asked to be kept, in milliseconds.
pub(super) const TTL: u64 = 60_000;
/// How long tasks are followed in all.
const FOLLOWED: Duration = Duration::from_secs(60);
/// Between two looks at a task, if it names no time of its own.
const INTERVAL: u64 = 500;
/// The shortest and the longest time between two looks, whatever a task asks for.
const INTERVALS: (u64, u64) = (20, 5000);
/// So many answers to `tasks/get` are kept.
const GETS: usize = 4096;

/// One request, and what became of it.
#[derive(Clone)]
pub(super) struct Step {
    sent: Excerpt,
    /// When it was sent, counted from the start of the run.
    pub(super) begun: Duration,
    pub(super) reply: Reply,
}

impl Step {
    /// When it was answered.
    pub(super) fn at(&self) -> Option<Duration> {
        match &self.reply {
            Reply::Answer(answer) => Some(answer.at),
            _ => None,
        }
    }

    /// How long the answer took.
    pub(super) fn took(&self) -> Option<Duration> {
        Some(self.at()?.saturating_sub(self.begun))
    }

    /// When anything came for it.
    pub(super) fn came_at(&self) -> Option<Duration> {
        match &self.reply {
            Reply::Answer(answer) | Reply::Nameless(answer) => Some(answer.at),
            Reply::Refused(refusal) => Some(refusal.at),
            Reply::Silent | Reply::Gone(_) => None,
        }
    }

    /// The result.
    pub(super) fn result(&self) -> Option<&Value> {
        self.reply.result()
    }

    /// The task that the result is, wrapped or not.
    pub(super) fn task(&self) -> Option<&Value> {
        self.result().map(unwrapped)
    }

    /// What the task that the result shows is at.
    pub(super) fn status(&self) -> Option<Status> {
        Status::of(self.task()?)
    }

    /// What was sent and what came back.
    pub(super) fn shown(&self) -> Vec<Excerpt> {
        let came = match &self.reply {
            Reply::Answer(answer) | Reply::Nameless(answer) => {
                Some(Excerpt::of_message(answer.at, &answer.message))
            }
            Reply::Refused(refusal) => Some(match &refusal.message {
                Some(message) => Excerpt::of_message(refusal.at, message),
                None => Excerpt::of_status(refusal.at, refusal.status),
            }),
            Reply::Silent | Reply::Gone(_) => None,
        };
        std::iter::once(self.sent.clone()).chain(came).collect()
    }
}

/// The clause was broken, and these steps of the conversation show it.
pub(super) fn broken<T>(s: &Talk, text: impl Into<String>, steps: &[&Step]) -> Result<T, Stop> {
    s.forget_log();
    violated_by(text, steps.iter().flat_map(|step| step.shown()).collect())
}

/// A call that asks for a task, and what was seen of the task.
pub(super) struct Made<R> {
    pub(super) role: R,
    pub(super) call: Step,
    /// The last `tasks/get` of it.
    pub(super) last: Option<Step>,
}

impl<R> Made<R> {
    /// The task, if one was made.
    pub(super) fn task(&self) -> Option<&Value> {
        let task = self.call.result()?.get("task");
        task.filter(|task| task.is_object())
    }

    /// Its id.
    pub(super) fn id(&self) -> Option<&str> {
        let id = self.task()?.get("taskId")?.as_str();
        id.filter(|id| !id.is_empty())
    }

    /// How it has ended, as the last `tasks/get` says.
    pub(super) fn end(&self) -> Option<Status> {
        let status = self.last.as_ref()?.status();
        status.filter(|status| status.is_terminal())
    }

    /// Whether there is nothing to wait for any more.
    fn is_settled(&self) -> bool {
        let last = self.last.as_ref();
        self.id().is_none()
            || last.is_some_and(|last| self.end().is_some() || !last.reply.is_result())
    }

    /// After how many milliseconds one may look again.
    fn interval(&self) -> u64 {
        let task = self.last.as_ref().and_then(Step::task).or(self.task());
        let asked = task.and_then(|task| task.get("pollInterval")?.as_u64());
        asked.unwrap_or(INTERVAL).clamp(INTERVALS.0, INTERVALS.1)
    }
}

/// Why an error about a task shows nothing.
pub(super) const EXPIRED: &str = "the time to live of the task was shorter than its work";

/// When the time to live is over of a task that was made then; never, or unknown, if none.
pub(super) fn expiry(made: Duration, ttl: Option<&Value>) -> Option<Duration> {
    let ttl = ttl?.as_f64()?.clamp(0.0, 1e12);
    Some(made + Duration::from_secs_f64(ttl / 1000.0))
}

/// A request that is under way.
pub(super) struct Begun {
    owner: &'static str,
    sent: Excerpt,
    waiting: Waiting,
}

/// Has a conversation about tasks.
pub(super) struct Player<'a> {
    pub(super) s: &'a Talk,
    /// The clause in whose step the server went.
    pub(super) broke: Cell<Option<&'static str>>,
    /// Every answer to `tasks/get`, with the id that was asked for.
    pub(super) gets: RefCell<Vec<(String, Step)>>,
}

impl<'a> Player<'a> {
    pub(super) fn new(s: &'a Talk) -> Player<'a> {
        Player {
            s,
            broke: Cell::default(),
            gets: RefCell::default(),
        }
    }

    /// Sends a request, in a step that this clause is about.
    pub(super) async fn begin(
        &self,
        owner: &'static str,
        method: &str,
        params: Value,
    ) -> Result<Begun, Stop> {
        let id = self.s.fresh_id();
        let mut request = json!({ "jsonrpc": "2.0", "id": id, "method": method });
        if !params.is_null() {
            request["params"] = params;
        }
        let text = request.to_string();
        let sent = Excerpt::new(
            self.s.session.outward(),
            self.s.session.now(),
            text.as_bytes(),
        );
        let waiting = self.s.begin(text.as_bytes(), Some(Id::Text(id))).await?;
        Ok(Begun {
            owner,
            sent,
            waiting,
        })
    }

    /// Waits for the answer.
    pub(super) async fn finish(&self, begun: Begun) -> Result<Step, Stop> {
        let at = begun.waiting.begun();
        let reply = self.s.finish(begun.waiting, Patience::Limit).await?;
        Ok(self.step(begun.owner, begun.sent, at, reply))
    }

    /// Waits for the answer, so long at most.
    pub(super) async fn within(&self, begun: &mut Begun, window: Duration) -> Option<Step> {
        let at = begun.waiting.begun();
        let reply = self.s.within(&mut begun.waiting, window).await?;
        Some(self.step(begun.owner, begun.sent.clone(), at, reply))
    }

    fn step(&self, owner: &'static str, sent: Excerpt, begun: Duration, reply: Reply) -> Step {
        if matches!(reply, Reply::Gone(_)) && self.broke.get().is_none() {
            self.broke.set(Some(owner));
        }
        Step { sent, begun, reply }
    }

    /// Sends a request and waits for the answer.
    pub(super) async fn ask(
        &self,
        owner: &'static str,
        method: &str,
        params: Value,
    ) -> Result<Step, Stop> {
        let begun = self.begin(owner, method, params).await?;
        self.finish(begun).await
    }

    /// Asks for a task.
    pub(super) async fn get(&self, owner: &'static str, id: &str) -> Result<Step, Stop> {
        let step = self
            .ask(owner, "tasks/get", json!({ "taskId": id }))
            .await?;
        self.got(id, &step);
        Ok(step)
    }

    /// Notes what has come of asking for a task.
    pub(super) fn got(&self, id: &str, step: &Step) {
        let mut gets = self.gets.borrow_mut();
        if gets.len() < GETS {
            gets.push((id.to_owned(), step.clone()));
        }
    }

    /// The first answer to a `tasks/get` that was sent after this time.
    pub(super) fn got_since(&self, id: &str, at: Duration) -> Option<Step> {
        let gets = self.gets.borrow();
        let mut since = gets
            .iter()
            .filter(|(known, step)| known == id && step.begun > at);
        since.next().map(|(_, step)| step.clone())
    }

    /// Makes these calls side by side; each has the `params` of a call that asks for a task.
    pub(super) async fn make<R>(&self, calls: Vec<(R, Value)>) -> Result<Vec<Made<R>>, Stop> {
        let mut begun = Vec::new();
        for (role, params) in calls {
            let call = self.begin("utilities/task-create-result", "tools/call", params);
            begun.push((role, call.await?));
        }
        let mut made = Vec::new();
        for (role, call) in begun {
            made.push(Made {
                role,
                call: self.finish(call).await?,
                last: None,
            });
        }
        Ok(made)
    }

    /// Looks at all tasks that have not ended, side by side.
    pub(super) async fn look<R>(&self, made: &mut [&mut Made<R>]) -> Result<(), Stop> {
        let mut begun = Vec::new();
        for made in made.iter_mut().filter(|made| !made.is_settled()) {
            let id = made.id().unwrap_or_default().to_owned();
            let get = self
                .begin("utilities/task-get", "tasks/get", json!({ "taskId": id }))
                .await?;
            begun.push((made, id, get));
        }
        for (made, id, get) in begun {
            let step = self.finish(get).await?;
            self.got(&id, &step);
            made.last = Some(step);
        }
        Ok(())
    }

    /// Follows tasks to their end.
    pub(super) async fn follow<R>(&self, made: &mut [&mut Made<R>]) -> Result<(), Stop> {
        let until = Instant::now() + FOLLOWED;
        loop {
            self.look(made).await?;
            let Some(interval) = interval(made) else {
                return Ok(());
            };
            if Instant::now() > until {
                return Ok(());
            }
            self.s.idly(tokio::time::sleep(interval)).await;
        }
    }
}

/// How long to wait for those that have not ended; none if all have.
pub(super) fn interval<R>(made: &[&mut Made<R>]) -> Option<Duration> {
    let open = made.iter().filter(|made| !made.is_settled());
    open.map(|made| Duration::from_millis(made.interval()))
        .max()
}

/// The `params` of a call that asks for a task.
pub(super) fn task_call(call: &Call, task: Value) -> Value {
    let mut params = call.params();
    params["task"] = task;
    params
}
