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
            counts if the task was not updated since its creation, though the call took half a \
            second and more than the step of the clock that its times are read from.",
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
                    Some(_) if is_untouched(task) && !(life.is_slow && shows_work(made, task)) => {
                        later = Some("the work may be too short to show in the times of the task");
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

/// Whether the call waited for work of which the times of the task had to tell: it is longer than
/// the step of their clock.
fn shows_work(made: &Made<Role>, task: &Value) -> bool {
    let step = step_of_clock(task["createdAt"].as_str().unwrap_or_default());
    let took = made.call.took();
    took.is_some_and(|took| took >= ENOUGH && took > step)
}

/// The step of the clock that a time stamp is read from. Zeros behind the point may stand there for
/// the form; how fine any other fraction is makes no difference to work that takes half a second.
fn step_of_clock(stamp: &str) -> Duration {
    let fraction = stamp.split_once('.').map_or("", |(_, fraction)| fraction);
    let rest = fraction.trim_start_matches('0');
    match rest.starts_with(|digit: char| digit.is_ascii_digit()) {
        true => Duration::ZERO,
        false => Duration::from_secs(1),
    }
}

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
            seconds is repeated with more to do, where the tool is known. One that comes back \
            after two seconds or more with a task that is working counts too, if the task has \
            ended by the `tasks/get` right behind.",
        mend: "Create the task, answer, and do the work in the background.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            let (made, id) = life.task(s, Role::Slow)?;
            let first = life.gets.iter().find(|(known, _)| known == id);
            let first = (&made.call, first.map(|(_, get)| get));
            let longer = life
                .longer
                .iter()
                .map(|longer| (&longer.call, longer.last.as_ref()));
            for (call, get) in std::iter::once(first).chain(longer) {
                let Some(took) = call.took() else { continue };
                if took >= LONG && is_waited_for(call, get) {
                    let text = format!(
                        "the task is returned after {} ms, when it has ended",
                        took.as_millis()
                    );
                    let shown: Vec<&Step> = std::iter::once(call).chain(get).collect();
                    return broken(s, text, &shown);
                }
            }
            let gets = life.gets.iter().filter(|(known, _)| known == id);
            let (ended, working): (Vec<_>, Vec<_>) = gets
                .filter_map(|(_, get)| Some((get, get.status()?)))
                .partition(|(_, status)| status.is_terminal());
            let since = |at: Duration| at.saturating_sub(made.call.begun);
            let work = ended.first().and_then(|(get, _)| Some(since(get.at()?)));
            // How long it took is known by the looks at it, which may be late.
            let waits = working.is_empty();
            match (made.call.took(), work) {
                (Some(took), Some(work)) if work >= ENOUGH && took <= work / 2 && !waits => Ok(()),
                _ => unverified("the work of no tool that can be a task takes half a second"),
            }
        })
    },
);

/// Whether a call did not come back in the first half of its work: it shows a task that has ended,
/// or one that has by a `tasks/get` behind. Where that takes long too the answers are slow.
pub(super) fn is_waited_for(call: &Step, get: Option<&Step>) -> bool {
    let has_ended = |step: &Step| step.status().is_some_and(Status::is_terminal);
    let is_soon = |get: &&Step| {
        let (Some(called), Some(took)) = (call.at(), call.took()) else {
            return false;
        };
        let quick = get.took().is_some_and(|got| got < took / 2);
        quick && get.at().is_some_and(|got| got < called + took)
    };
    has_ended(call) || get.filter(is_soon).is_some_and(has_ended)
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
pub(super) async fn serves(s: &Talk, behind: &str) -> Result<(), Stop> {
    let reply = s.serves().await?;
    if reply.is_silence() {
        return violated(format!("a ping behind {behind} {reply}"));
    }
    if !reply.is_result() {
        return unverified(format!("a ping {reply}, see utilities/ping-answered"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_may_show_seconds_only() {
        for (stamp, seconds) in [
            ("2025-11-25T10:30:00Z", 1),
            ("2025-11-25T10:30:00.000Z", 1),
            ("2025-11-25T10:30:00.000+01:00", 1),
            ("2025-11-25T10:30:00.120Z", 0),
            ("2025-11-25T10:30:00.000001Z", 0),
        ] {
            assert_eq!(
                step_of_clock(stamp),
                Duration::from_secs(seconds),
                "{stamp}"
            );
        }
    }
}
