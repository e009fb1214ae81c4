//! The conversation about tasks: several are made side by side and followed to their end, and
//! everything that can be asked about them is asked.

use std::rc::Rc;

use super::{
    aftermath::{Announced, Misled},
    play::play,
    prelude::*,
    roll::{Listed, Stranger},
    step::{Made, Step, expiry},
};

/// The key under which a message names its task.
pub(super) use crate::tape::RELATED_TASK as RELATED;

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
    /// It is cancelled when it has ended.
    Third,
    /// One more.
    Fourth,
    /// Its tool ends in a tool error.
    Failing,
    /// Its tool ends in an error of JSON-RPC.
    Erring,
}

/// What came of the conversation.
#[derive(Default)]
pub(super) struct Life {
    pub(super) token: Value,
    pub(super) tasks: Vec<Made<Role>>,
    pub(super) broke: Option<&'static str>,
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
    /// Whether the slow tool is known to be slow.
    pub(super) is_slow: bool,
    /// What a plain call of the slow tool returned, and one more if the task came to something else.
    pub(super) plain: Option<Value>,
    pub(super) plain_again: Option<Step>,
    /// The slow call once more, with more to do.
    pub(super) longer: Option<Made<Role>>,
    pub(super) cancel: Option<Step>,
    /// `tasks/get` right behind a `tasks/cancel` that was refused.
    pub(super) refused_get: Option<Step>,
    pub(super) cancelled_get: Option<Step>,
    /// `tasks/cancel` of the third task after its end, and `tasks/get` behind it.
    pub(super) late_cancel: Option<(Step, Step)>,
    pub(super) misled: Vec<Misled>,
    pub(super) failing_result: Option<Step>,
    pub(super) erring_result: Option<Step>,
    /// The code that a plain call of the erring tool is answered with, and one more plain call if
    /// the task came to something else.
    pub(super) erring_code: Option<Value>,
    pub(super) erring_again: Option<Step>,
    pub(super) listed: Option<Listed>,
    pub(super) announced: Vec<Announced>,
    /// Every `tasks/get`.
    pub(super) gets: Vec<(String, Step)>,
    pub(super) stranger: Option<Stranger>,
}

impl Conversation for Life {
    async fn hold(s: &Talk) -> Result<Life, Stop> {
        play(s).await
    }
}

/// The conversation, had now if nobody has had it.
pub(super) async fn life(s: &Talk) -> Result<Rc<Life>, Stop> {
    s.held().await
}

impl Life {
    /// The task with this role.
    pub(super) fn made(&self, role: Role) -> Option<&Made<Role>> {
        self.tasks.iter().find(|made| made.role == role)
    }

    /// Whether results came before their tasks had ended: they are no results then, and
    /// utilities/task-result-blocks says so.
    pub(super) fn has_early_results(&self) -> bool {
        let status = self.slow_get.as_ref().and_then(Step::status);
        status.is_some_and(|status| !status.is_terminal())
    }

    /// What `tasks/result` gave for the first task, but for a result that came too early.
    pub(super) fn results(&self) -> &[Step] {
        let early = usize::from(self.has_early_results());
        self.results.get(early..).unwrap_or_default()
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

    /// Whether a task may have been deleted when this came: its time to live, as it was shown last,
    /// was over.
    pub(super) fn is_over(&self, id: &str, step: &Step) -> bool {
        let Some(made) = self.calls().find(|made| made.id() == Some(id)) else {
            return false;
        };
        let gets = self.gets.iter().filter(|(known, _)| known == id);
        let mut shown = gets.filter_map(|(_, get)| get.task()?.get("ttl"));
        let ttl = shown.next_back().or_else(|| made.task()?.get("ttl"));
        let over = expiry(made.call.begun, ttl).zip(step.came_at());
        over.is_some_and(|(over, at)| over <= at)
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
}

/// The id that a call proposes.
pub(super) fn proposal(s: &Talk) -> String {
    format!("mine-{}", s.nonce())
}
