//! What may change in a task from one look to the next.

use super::{TASKS, life::Role, prelude::*, shown, step::broken};
use crate::tape::{Sighting, Status, Task, time};

pub(super) const CASES: &[Case] = &[CREATED_AT_CONSTANT, TIME_ORDER, TRANSITIONS, TERMINAL_FINAL];

/// Two times of creation may differ so much, in nanoseconds: one may be rounded.
const ROUNDING: u128 = 1_000_000_000;

const UNSEEN_TWICE: &str = "no task was shown twice";

/// Every task that an event shows and that was shown before, with what is known of it.
fn known<'a, 'p>(
    event: &Event<'a>,
    past: &'p Past,
) -> impl Iterator<Item = (&'a Message, &'a Value, &'p Task)> {
    let shown = message(event).zip(past.shows);
    let tasks = shown
        .into_iter()
        .flat_map(|(message, shows)| shows.tasks(message).map(move |task| (message, task)));
    tasks.filter_map(|(message, task)| Some((message, task, past.tasks.of(task)?)))
}

/// The same for those of which a sighting is known to have been before.
fn behind<'a, 'p>(
    event: &Event<'a>,
    past: &'p Past,
    which: impl Fn(&'p Task) -> Option<&'p Sighting>,
) -> impl Iterator<Item = (&'a Message, &'a Value, &'p Sighting)> {
    known(event, past).filter_map(move |(message, task, known)| {
        let seen = which(known)?;
        seen.precedes(message, &past.client)
            .then_some((message, task, seen))
    })
}

const CREATED_AT_CONSTANT: Case = Case::probe(
    Clause {
        id: "utilities/task-created-at-constant",
        title: "createdAt never changes",
        statement: "All objects of one task show the same time of creation.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#task")],
        fault: "task-created-at-drifts",
    },
    Advice {
        why: "The end of a task's life is reckoned from its creation; if that moves, so does the \
            end.",
        how: "Makes tasks and follows them, and compares the instants in `createdAt` of each; \
            one second is allowed for rounding.",
        mend: "Note the time once, when the task is made.",
    },
    TASKS,
    |s| Box::pin(async { shown(s).await.map(drop) }),
)
.with_rule(Rule {
    subject: |event, past| known(event, past).next().is_some(),
    holds: |event, past| {
        for (message, task, known) in known(event, past) {
            let times = known.created.zip(time(task, "createdAt"));
            if times.is_some_and(|(before, now)| before.abs_diff(now) > ROUNDING) {
                let text = format!(
                    "a task has another `createdAt` than before: {}",
                    task["createdAt"]
                );
                return broken_by(text, message, past);
            }
        }
        Ok(())
    },
    unseen: UNSEEN_TWICE,
});

const TIME_ORDER: Case = Case::probe(
    Clause {
        id: "utilities/task-time-order",
        title: "lastUpdatedAt is not before createdAt and never goes back",
        statement: "The time of the last update is at or after creation and does not decrease.",
        level: Level::Should,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#task")],
        fault: "task-time-reversed",
    },
    Advice {
        why: "A client that takes the newest of two views by their times keeps the older one.",
        how: "Makes tasks and follows them, and compares `lastUpdatedAt` with `createdAt` and \
            with what was shown before, in what was asked for one after the other or came on \
            one stream.",
        mend: "Set the time whenever the task changes, from a clock that does not go back.",
    },
    TASKS,
    |s| Box::pin(async { shown(s).await.map(drop) }),
)
.with_rule(Rule {
    subject: |_, past| past.shows.is_some(),
    holds: |event, past| {
        let (Some(shown), Some(shows)) = (message(event), past.shows) else {
            return Ok(());
        };
        for task in shows.tasks(shown) {
            let Some(updated) = time(task, "lastUpdatedAt") else {
                continue;
            };
            if time(task, "createdAt").is_some_and(|created| created > updated) {
                let text = format!(
                    "`lastUpdatedAt` is {}, before `createdAt`, which is {}",
                    task["lastUpdatedAt"], task["createdAt"]
                );
                return broken_by(text, shown, past);
            }
        }
        for (message, task, seen) in behind(event, past, |task| Some(&task.last)) {
            let times = seen.updated.zip(time(task, "lastUpdatedAt"));
            if times.is_some_and(|(before, now)| now < before) {
                let text = format!("`lastUpdatedAt` goes back to {}", task["lastUpdatedAt"]);
                return broken_by(text, message, past);
            }
        }
        Ok(())
    },
    unseen: "the server showed no task",
});

const TRANSITIONS: Case = Case::probe(
    Clause {
        id: "utilities/task-transitions",
        title: "Status changes follow the allowed paths",
        statement: "working may go to input_required and to a terminal status, input_required to \
            working and to a terminal status.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#task-status-lifecycle")],
        fault: "task-transition-invalid",
    },
    Advice {
        why: "A client that follows the paths of the specification does not know what to do at a \
            station that is on none.",
        how: "Makes tasks and follows them by `tasks/get`, and looks whether each status can be \
            reached from the one before. Any of the five can, from one that is no end; so this \
            finds other words.",
        mend: "Show nothing but the five statuses; details belong into `statusMessage`.",
    },
    TASKS,
    |s| Box::pin(async { shown(s).await.map(drop) }),
)
.with_rule(Rule {
    subject: |event, past| {
        behind(event, past, |task| Some(&task.last))
            .next()
            .is_some()
    },
    holds: |event, past| {
        for (message, task, seen) in behind(event, past, |task| Some(&task.last)) {
            let from_end = seen.status.is_some_and(Status::is_terminal);
            // A misspelt status is utilities/task-status-value alone.
            let (None, false, Some(status)) = (Status::of(task), from_end, task["status"].as_str())
            else {
                continue;
            };
            let text = format!(
                "a task goes to `{}`, to which no path leads",
                escaped(status)
            );
            return broken_by(text, message, past);
        }
        Ok(())
    },
    unseen: UNSEEN_TWICE,
});

const TERMINAL_FINAL: Case = Case::probe(
    Clause {
        id: "utilities/task-terminal-final",
        title: "A terminal status is final",
        statement: "A task that was seen as completed, failed or cancelled never shows another status.",
        level: Level::MustNot,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#task-status-lifecycle")],
        fault: "task-revived",
    },
    Advice {
        why: "A client fetches the result once and forgets the task; whatever a task does after \
            its end nobody sees.",
        how: "Follows tasks to their end, asks for one three times more, and looks at everything \
            that is shown of a task after its end was read: in what was asked for since, or on \
            the same stream.",
        mend: "Refuse to change the status of a task that has ended, in one place.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = shown(s).await?;
            let (made, _) = life.task(s, Role::First)?;
            let Some(end) = made.end() else {
                return unverified("no task was seen to end");
            };
            for step in &life.later {
                let gone = step.reply.is_error();
                if !gone && step.status().is_some_and(|status| status != end) {
                    let text = format!("a task that has ended is {}", step.task().unwrap_or(&Value::Null)["status"]);
                    let ended = made.last.iter();
                    return broken(s, text, &ended.chain([step]).collect::<Vec<_>>());
                }
            }
            Ok(())
        })
    },
)
.with_rule(Rule {
    subject: |event, past| behind(event, past, |task| task.ended.as_ref()).next().is_some(),
    holds: |event, past| {
        for (message, task, seen) in behind(event, past, |task| task.ended.as_ref()) {
            // Another word is utilities/task-status-value.
            if Status::of(task).is_some_and(|status| Some(status) != seen.status) {
                let text = format!("a task that has ended is {}", task["status"]);
                return broken_by(text, message, past);
            }
        }
        Ok(())
    },
    unseen: "nothing was shown of a task after its end",
});
