//! What an honest server is free to decide, and how it does.

use std::time::Duration;

/// What a server decides for itself.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How long it waits for the answer to a request of its own; for ever if none.
    pub patience: Option<Duration>,
    /// Whether a cancelled request is answered, by an error.
    pub answers_cancelled: bool,
    /// Whether a cancelled request stops working.
    pub cancel_stops_work: bool,
    /// The id of the session's task of that number, counted from one; none if there is no
    /// randomness to be had.
    pub task_id: fn(u64) -> Option<String>,
    /// The longest time in milliseconds for which a task is kept, whatever is asked for.
    pub longest_ttl: u64,
    /// Whether a call with `task` becomes a task, rather than being answered inline.
    pub makes_tasks: bool,
    /// Whether a task is announced before its work begins, rather than when it has ended.
    pub announces_first: bool,
    /// Whether a tool without support for tasks refuses to be called as one.
    pub refuses_unsupported: bool,
    /// Whether a tool that has to be a task refuses to be called plainly.
    pub refuses_plain: bool,
    /// Whether `tasks/result` waits until the task has ended.
    pub result_waits: bool,
    /// Whether a task that needs input waits until its result is asked for.
    pub waits_to_be_asked: bool,
    /// Whether a cancelled task stops, so that its end changes nothing any more.
    pub cancel_is_final: bool,
    /// Whether a task that has ended refuses to be cancelled.
    pub ended_refuses_cancel: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            patience: Some(Duration::from_secs(1)),
            answers_cancelled: false,
            cancel_stops_work: true,
            task_id: random_id,
            longest_ttl: 60 * 60 * 1000,
            makes_tasks: true,
            announces_first: true,
            refuses_unsupported: true,
            refuses_plain: true,
            result_waits: true,
            waits_to_be_asked: true,
            cancel_is_final: true,
            ended_refuses_cancel: true,
        }
    }
}

/// 128 random bits in hexadecimal: whoever guesses an id can read the task.
pub(crate) fn random_id(_: u64) -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(format!("{:032x}", u128::from_be_bytes(bytes)))
}
