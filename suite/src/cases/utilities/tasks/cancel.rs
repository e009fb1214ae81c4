//! How tasks are cancelled, and how long they are kept.

use super::{
    TASKS,
    creation::serves,
    life::{Role, life},
    prelude::*,
    step::{EXPIRED, Player, TTL, broken, task_call},
};
use crate::tape::Status;

pub(super) const CASES: &[Case] = &[
    CANCEL,
    CANCEL_FINAL,
    CANCEL_TERMINAL,
    KEPT_FOR_TTL,
    TTL_LIMITED,
];

/// A year in milliseconds.
const YEAR: u64 = 31_536_000_000;

const CANCEL: Case = Case::probe(
    Clause {
        id: "utilities/task-cancel",
        title: "tasks/cancel answers with the cancelled task",
        statement: "A valid tasks/cancel moves the task to cancelled before it is answered, and the \
            answer shows that.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks.cancel"), Gate::Met("task-tool")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#task-cancellation")],
        fault: "task-cancel-still-working",
    },
    Advice {
        why: "A client that reads \"working\" in the answer goes on waiting for a task that it \
            has cancelled.",
        how: "Cancels a slow task as soon as it is made, and looks at the task in the answer. \
            Where that is an error `tasks/get` right behind has to show that the task has ended.",
        mend: "Set the status to `cancelled` first, and answer with the task as it is then.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            let (made, id) = life.task(s, Role::Cancelled)?;
            let Some(step) = &life.cancel else {
                return unverified("no task was cancelled");
            };
            life.came(s, step)?;
            let Some(task) = step.task() else {
                let told = format!("`tasks/cancel` for a slow task {}", step.reply);
                // That the method is unknown is utilities/task-cancel-served.
                let get = life.refused_get.as_ref();
                return match get.and_then(|get| Some((get, get.status()?))) {
                    Some((get, status))
                        if !status.is_terminal() && !step.reply.error_is(-32601) =>
                    {
                        let now = &get.task().unwrap_or(&Value::Null)["status"];
                        broken(s, format!("{told}, and the task is {now}"), &[step, get])
                    }
                    _ => unverified(told),
                };
            };
            let text = match (task.get("taskId"), Status::of(task)) {
                (Some(named), Some(Status::Cancelled)) if *named == id => return Ok(()),
                (_, None) => {
                    return unverified(
                        "the status cannot be read, see utilities/task-status-value",
                    );
                }
                (Some(named), Some(Status::Cancelled)) => {
                    format!("`tasks/cancel` answers with the task {named}")
                }
                (None, Some(Status::Cancelled)) => {
                    "`tasks/cancel` answers without a `taskId`".to_owned()
                }
                _ => format!(
                    "`tasks/cancel` is answered, and the task is {}",
                    task["status"]
                ),
            };
            broken(s, text, &[&made.call, step])
        })
    },
);

const CANCEL_FINAL: Case = Case::probe(
    Clause {
        id: "utilities/task-cancel-final",
        title: "A cancelled task stays cancelled",
        statement: "A cancelled task shows cancelled even if its work goes on to its end.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks.cancel"), Gate::Met("task-tool")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#task-cancellation")],
        fault: "task-cancelled-then-completed",
    },
    Advice {
        why: "The user has stopped the work, and is told later that it is done.",
        how: "Cancels a slow task, and asks for it when another one of the same tool, begun \
            right behind it, has ended.",
        mend: "Ignore what a handler brings for a task that is cancelled by then.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            life.task(s, Role::Cancelled)?;
            let (yardstick, _) = life.task(s, Role::Slow)?;
            let (Some(cancel), Some(get)) = (&life.cancel, &life.cancelled_get) else {
                return unverified("no task was cancelled");
            };
            if !cancel.reply.is_result() {
                return unverified(format!("`tasks/cancel` for a slow task {}", cancel.reply));
            }
            if yardstick.end().is_none() {
                return unverified("another task of the same tool was not seen to end");
            }
            life.came(s, get)?;
            let text = match get.status() {
                Some(Status::Cancelled) => return Ok(()),
                Some(_) => {
                    let status = &get.task().unwrap_or(&Value::Null)["status"];
                    format!("a task that was cancelled is {status} later")
                }
                // It may be deleted at any time.
                None if get.reply.error_is(-32602) => return Ok(()),
                None => {
                    return unverified(format!("`tasks/get` for the cancelled task {}", get.reply));
                }
            };
            broken(s, text, &[cancel, get])
        })
    },
);

const CANCEL_TERMINAL: Case = Case::probe(
    Clause {
        id: "utilities/task-cancel-terminal",
        title: "A terminal task cannot be cancelled",
        statement: "tasks/cancel for a completed, failed or cancelled task is refused with -32602.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks.cancel"), Gate::Met("task-tool")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#task-cancellation")],
        fault: "task-cancel-terminal-accepted",
    },
    Advice {
        why: "A user who is told that the work was stopped in time believes that it was not \
            done.",
        how: "Cancels a task that is completed, and looks at it again.",
        mend: "Answer with the JSON-RPC error -32602 where the task has ended, and leave it as it \
            is.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            let (made, _) = life.task(s, Role::Third)?;
            let Some((cancel, get)) = &life.late_cancel else {
                return unverified("the task was not seen to complete");
            };
            life.came(s, cancel)?;
            life.came(s, get)?;
            if !get.reply.is_result() {
                return unverified("the task was gone by then, see utilities/task-kept-for-ttl");
            }
            if get.status().is_some() && get.status() != made.end() {
                let status = &get.task().unwrap_or(&Value::Null)["status"];
                let text = format!("a completed task is {status} after `tasks/cancel`");
                return broken(s, text, &[cancel, get]);
            }
            match &cancel.reply {
                reply if reply.error_is(-32602) => Ok(()),
                Reply::Refused(refusal) if refusal.message.is_none() => unverified(format!(
                    "`tasks/cancel` for a completed task {}",
                    cancel.reply
                )),
                reply => {
                    let text = format!(
                        "`tasks/cancel` for a completed task {reply} instead of the error -32602"
                    );
                    broken(s, text, &[cancel, get])
                }
            }
        })
    },
);

const KEPT_FOR_TTL: Case = Case::probe(
    Clause {
        id: "utilities/task-kept-for-ttl",
        title: "A task is kept for its ttl",
        statement: "Before its ttl has passed a task that was not cancelled can be retrieved.",
        level: Level::Should,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool")],
        anchors: &[(
            V2025_11_25,
            "basic/utilities/tasks#ttl-and-resource-management",
        )],
        fault: "task-purged-early",
    },
    Advice {
        why: "The client comes for the result in time, and the result is gone.",
        how: "Follows a task to its end, and asks for it once more within the time to live that \
            the server has given it.",
        mend: "Keep a task that has ended until its `ttl`, counted from `createdAt`, is over.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            let (made, id) = life.task(s, Role::First)?;
            let (Some(last), Some(get)) = (&made.last, life.later.first()) else {
                return unverified("the task was not seen to end");
            };
            life.came(s, get)?;
            match &get.reply {
                reply if reply.is_result() => Ok(()),
                reply if reply.is_error() => {
                    if life.is_over(id, get) {
                        return unverified(EXPIRED);
                    }
                    let text =
                        format!("`tasks/get` {reply} before the time to live of the task is over");
                    broken(s, text, &[last, get])
                }
                reply => unverified(format!("`tasks/get` {reply}")),
            }
        })
    },
);

const TTL_LIMITED: Case = Case::probe(
    Clause {
        id: "utilities/task-ttl-limited",
        title: "Very long ttl requests are limited",
        statement: "The server enforces a maximum ttl.",
        level: Level::Should,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#resource-management")],
        fault: "task-ttl-unlimited",
    },
    Advice {
        why: "Whoever asks for a year a thousand times fills the server's memory for a year.",
        how: "Asks for a task that is kept for a year, and reads the `ttl` that comes back. When \
            an ordinary task, made after it, has ended, the server has to answer still. The \
            longest time is the server's to choose, so that this is a hint.",
        mend: "Take the smaller of what is asked for and a maximum of your own.",
    },
    // A timer that cannot hold a year runs out at once, and may take the server with it.
    Stage::Rough,
    |s| {
        Box::pin(async {
            let tool = s.task_tool().await?;
            let player = Player::new(s);
            let calls = [YEAR, TTL].map(|ttl| (ttl, task_call(&tool, json!({ "ttl": ttl }))));
            let mut made = player.make(calls.to_vec()).await?;
            player
                .follow(&mut made.iter_mut().collect::<Vec<_>>())
                .await?;
            serves(s, "a task that is asked for a year").await?;
            let [made, usual] = &made[..] else {
                return unverified("no task was asked for");
            };
            if made.call.reply.is_refusal() && usual.id().is_some() {
                return Ok(());
            }
            let Some(task) = made.task() else {
                return unverified(format!("no task was created: the call {}", made.call.reply));
            };
            let text = match task.get("ttl") {
                Some(Value::Null) => "a task that is asked for a year has no end".to_owned(),
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "a year is far below 2^53 milliseconds"
                )]
                Some(ttl) if ttl.as_f64().is_some_and(|ttl| ttl >= YEAR as f64) => {
                    format!("a task that is asked for a year is kept for {ttl} ms")
                }
                Some(ttl) if ttl.is_number() => return Ok(()),
                _ => return unverified("the task has no `ttl`, see utilities/task-ttl-present"),
            };
            broken(s, text, &[&made.call])
        })
    },
);
