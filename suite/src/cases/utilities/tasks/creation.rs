//! How tasks begin, and what odd parameters do.

use std::time::Duration;

use super::{
    TASKS,
    life::{Role, life},
    prelude::*,
    step::{Made, Player, Step, TTL, broken, task_call},
};
use crate::{
    talk::SLOW_FROM,
    tape::{Status, time},
};

pub(super) const CASES: &[Case] = &[BEGINS_WORKING, CREATE_PROMPT, BAD_PARAMS_HARMLESS];

/// Work that takes so long shows whether it was waited for.
const LONG: Duration = Duration::from_secs(2);
/// An answer in the first half of work that takes so long did not wait for it.
const ENOUGH: Duration = SLOW_FROM;

const BEGINS_WORKING: Case = Case::probe(
    Clause {
        id: "utilities/task-begins-working",
        title: "A task begins as working",
        statement: "The status of a new task is working.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#task-status-lifecycle")],
        fault: "task-begins-completed",
    },
    Advice {
        why: "A task that is born finished makes clients skip the polling that they were built \
            for, and hides that the call has blocked.",
        how: "Calls a slow tool with `task`, and reads the status in the answer. Another status \
            counts if the task was not updated since its creation.",
        mend: "Create the task as `working`, answer the call, and begin the work then.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            let mut later = None;
            for role in [Role::Slow, Role::Cancelled] {
                let (made, _) = life.task(s, role)?;
                let Some(task) = made.task() else { continue };
                match Status::of(task) {
                    Some(Status::Working) => {}
                    None => {
                        later = Some("the status cannot be read, see utilities/task-status-value")
                    }
                    Some(_) if is_untouched(task) => {
                        let text = format!(
                            "the task begins as {}, and was not updated since its creation",
                            task["status"]
                        );
                        return broken(s, text, &[&made.call]);
                    }
                    Some(_) => later = Some("the task was updated before the call was answered"),
                }
            }
            later.map_or(Ok(()), unverified)
        })
    },
);

/// Whether a task says that it was not updated since its creation.
fn is_untouched(task: &Value) -> bool {
    let created = time(task, "createdAt");
    created.is_some() && created == time(task, "lastUpdatedAt")
}

const CREATE_PROMPT: Case = Case::probe(
    Clause {
        id: "utilities/task-create-prompt",
        title: "The task is returned before the work is done",
        statement: "CreateTaskResult comes as soon as possible after the task was accepted.",
        level: Level::Should,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#result-retrieval")],
        fault: "task-create-blocks",
    },
    Advice {
        why: "The client waits for the whole work, which a task is there to spare it; behind a \
            proxy the call times out.",
        how: "Calls a slow tool with `task`, and compares the time of the answer with the time \
            of the work. A call that comes back with a finished task after less than two \
            seconds is repeated with more to do, where the tool is known.",
        mend: "Create the task, answer, and do the work in the background.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            let (made, id) = life.task(s, Role::Slow)?;
            let calls = std::iter::once(&made.call).chain(&life.longer);
            for call in calls {
                let status = call
                    .result()
                    .and_then(|result| Status::of(result.get("task")?));
                let Some(took) = took(call) else { continue };
                if took >= LONG && status.is_some_and(Status::is_terminal) {
                    let text = format!(
                        "the task is returned after {} ms, when it has ended",
                        took.as_millis()
                    );
                    return broken(s, text, &[call]);
                }
            }
            let ended = life.gets.iter().find(|(known, step)| {
                known == id && step.status().is_some_and(Status::is_terminal)
            });
            let work = ended.and_then(|(_, step)| step.at());
            let work = work.map(|at| at.saturating_sub(made.call.begun));
            match (took(&made.call), work) {
                (Some(took), Some(work)) if work >= ENOUGH && took <= work / 2 => Ok(()),
                _ => unverified("the work of no tool that can be a task takes half a second"),
            }
        })
    },
);

/// How long an answer took.
fn took(step: &Step) -> Option<Duration> {
    Some(step.at()?.saturating_sub(step.begun))
}

const BAD_PARAMS_HARMLESS: Case = Case::probe(
    Clause {
        id: "utilities/task-bad-params-harmless",
        title: "Odd task parameters do no harm",
        statement: "A `task` that is no object, or a ttl that is negative, no number or huge, is \
            refused or adjusted, and the server goes on.",
        level: Level::Should,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#task-parameters")],
        fault: "task-bad-ttl-fatal",
    },
    Advice {
        why: "One client with a bad number ends the tasks of all the others.",
        how: "Calls a tool with a `task` that is a number, and with a `ttl` that is a text, \
            negative, or huge; each has to be answered, and a ping behind it. When an ordinary \
            task, made after them, has ended, the server has to answer once more.",
        mend: "Check the type and the range of `ttl`, and answer with -32602 or take a value of \
            your own.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let tool = s.task_tool().await?;
            for task in [
                json!(5),
                json!({ "ttl": "x" }),
                json!({ "ttl": -5 }),
                json!({ "ttl": 1_000_000_000_000_000_u64 }),
            ] {
                let reply = s.ask("tools/call", task_call(&tool, task.clone())).await?;
                if reply.is_silence() {
                    return violated(format!("a call with the `task` {task} {reply}"));
                }
                serves(s, &format!("a call with the `task` {task}")).await?;
            }
            let player = Player::new(s);
            let usual = task_call(&tool, json!({ "ttl": TTL }));
            let mut made = player.make(vec![((), usual)]).await?;
            player
                .follow(&mut made.iter_mut().collect::<Vec<_>>())
                .await?;
            serves(s, "calls with an odd `task`").await?;
            match made.first().and_then(Made::end) {
                Some(_) => Ok(()),
                None => {
                    unverified("an ordinary task, made after the odd ones, was not seen to end")
                }
            }
        })
    },
);

/// That the server answers a ping.
async fn serves(s: &Talk, behind: &str) -> Result<(), Stop> {
    let reply = s.serves().await?;
    if reply.is_silence() {
        return violated(format!("a ping behind {behind} {reply}"));
    }
    if !reply.is_result() {
        return unverified(format!("a ping {reply}, see utilities/ping-answered"));
    }
    Ok(())
}
