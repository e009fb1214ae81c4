//! The members of a task object, wherever one is shown.

use super::{TASKS, prelude::*, shown};
use crate::tape::{Asked, Shows, Status, instant};

pub(super) const CASES: &[Case] = &[
    STATUS_VALUE,
    CREATED_AT,
    LAST_UPDATED_AT,
    TTL_PRESENT,
    OPTIONAL_MEMBERS,
];

pub(super) const UNSEEN: &str = "the server showed no task";

/// Judges every task that an event shows.
pub(super) fn each(
    event: &Event<'_>,
    past: &Past,
    judge: impl Fn(Shows, &Value) -> Option<String>,
) -> Result<(), Stop> {
    let (Some(message), Some(shows)) = (message(event), past.shows) else {
        return Ok(());
    };
    match shows.tasks(message).find_map(|task| judge(shows, task)) {
        Some(text) => broken_by(text, message, past),
        None => Ok(()),
    }
}

/// A member that has to be there. In a notification utilities/task-status-notification says so.
pub(super) fn required<'a>(
    shows: Shows,
    task: &'a Value,
    member: &str,
) -> Result<&'a Value, Option<String>> {
    match task.get(member) {
        Some(value) => Ok(value),
        None if shows == Shows::Notified => Err(None),
        None => Err(Some(format!("a task has no `{member}`"))),
    }
}

const STATUS_VALUE: Case = Case::probe(
    Clause {
        id: "utilities/task-status-value",
        title: "status is one of the five",
        statement: "`status` is working, input_required, completed, failed or cancelled.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#task-status")],
        fault: "task-status-canceled",
    },
    Advice {
        why: "A client waits for one of three words, and goes on polling for ever where it reads \
            a fourth.",
        how: "Makes tasks and follows them, and looks at `status` in every task that is shown in \
            the run.",
        mend: "Write working, input_required, completed, failed or cancelled, with two l in the \
            last.",
    },
    TASKS,
    |s| Box::pin(async { shown(s).await.map(drop) }),
)
.with_rule(Rule {
    subject: |_, past| past.shows.is_some(),
    holds: |event, past| {
        each(event, past, |shows, task| {
            let status = match required(shows, task, "status") {
                Ok(status) => status,
                Err(text) => return text,
            };
            let is_one = status
                .as_str()
                .is_some_and(|name| Status::named(name).is_some());
            (!is_one).then(|| format!("`status` is {status}, which is none of the five"))
        })
    },
    unseen: UNSEEN,
});

/// What is wrong with a time stamp.
fn odd_time(shows: Shows, task: &Value, member: &str) -> Option<String> {
    let value = match required(shows, task, member) {
        Ok(value) => value,
        Err(text) => return text,
    };
    let text = match value {
        Value::String(text) => text,
        _ => return Some(format!("`{member}` is {value} instead of a string")),
    };
    if instant(text).is_some() {
        return None;
    }
    if instant(&format!("{text}Z")).is_some() {
        // RFC 3339, to which the page links, wants one; ISO 8601 alone would not.
        return Some(format!("`{member}` is {value}, which names no time zone"));
    }
    Some(format!(
        "`{member}` is {value}, which is no date and time of RFC 3339"
    ))
}

const CREATED_AT: Case = Case::probe(
    Clause {
        id: "utilities/task-created-at",
        title: "createdAt is an ISO 8601 time stamp",
        statement: "Every task object has a string `createdAt` in ISO 8601 form.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks")],
        anchors: &[(
            V2025_11_25,
            "basic/utilities/tasks#ttl-and-resource-management",
        )],
        fault: "task-created-at-epoch",
    },
    Advice {
        why: "Clients reckon from it when the task's time to live is over.",
        how: "Makes tasks and follows them, and looks at `createdAt` in every task that is shown \
            in the run.",
        mend: "Write a string such as 2025-11-25T10:30:00Z, with a zone.",
    },
    TASKS,
    |s| Box::pin(async { shown(s).await.map(drop) }),
)
.with_rule(Rule {
    subject: |_, past| past.shows.is_some(),
    holds: |event, past| {
        each(event, past, |shows, task| {
            odd_time(shows, task, "createdAt")
        })
    },
    unseen: UNSEEN,
});

const LAST_UPDATED_AT: Case = Case::probe(
    Clause {
        id: "utilities/task-last-updated-at",
        title: "lastUpdatedAt is an ISO 8601 time stamp",
        statement: "Every task object has a string `lastUpdatedAt` in ISO 8601 form.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks")],
        anchors: &[(
            V2025_11_25,
            "basic/utilities/tasks#ttl-and-resource-management",
        )],
        fault: "task-last-updated-missing",
    },
    Advice {
        why: "Clients tell by it whether a task still moves, and strict ones refuse a task \
            without it.",
        how: "Makes tasks and follows them, and looks at `lastUpdatedAt` in every task that is \
            shown in the run.",
        mend: "Write a string such as 2025-11-25T10:30:00Z, with a zone, in every task object.",
    },
    TASKS,
    |s| Box::pin(async { shown(s).await.map(drop) }),
)
.with_rule(Rule {
    subject: |_, past| past.shows.is_some(),
    holds: |event, past| {
        each(event, past, |shows, task| {
            odd_time(shows, task, "lastUpdatedAt")
        })
    },
    unseen: UNSEEN,
});

const TTL_PRESENT: Case = Case::probe(
    Clause {
        id: "utilities/task-ttl-present",
        title: "ttl is present: a number or null",
        statement: "Every task object has `ttl`, in milliseconds, or null for unlimited.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks")],
        anchors: &[(
            V2025_11_25,
            "basic/utilities/tasks#ttl-and-resource-management",
        )],
        fault: "task-ttl-omitted",
    },
    Advice {
        why: "Without it a client cannot know how long it may come for the result.",
        how: "Makes tasks and follows them, and looks at `ttl` in every task that is shown in \
            the run.",
        mend: "Write the milliseconds that the task is really kept for, or null for no limit; do \
            not let your serializer drop the null.",
    },
    TASKS,
    |s| Box::pin(async { shown(s).await.map(drop) }),
)
.with_rule(Rule {
    subject: |_, past| past.shows.is_some(),
    holds: |event, past| {
        // What an odd request for a task comes to is utilities/task-bad-params-harmless.
        let odd = |asked: &Asked| asked.odd_task;
        let odd = message(event).is_some_and(|answer| past.client.asked(answer).is_some_and(odd));
        each(event, past, |_, task| match task.get("ttl") {
            _ if odd || past.tasks.of(task).is_some_and(|known| known.odd_task) => None,
            None => Some("a task has no `ttl`".to_owned()),
            Some(Value::Null) => None,
            // One half of the schema says integer, the other number.
            Some(ttl) if ttl.as_f64().is_some_and(|ttl| ttl >= 0.0) => None,
            Some(ttl) => Some(format!("`ttl` is {ttl} instead of milliseconds or null")),
        })
    },
    unseen: UNSEEN,
});

const OPTIONAL_MEMBERS: Case = Case::probe(
    Clause {
        id: "utilities/task-optional-members",
        title: "statusMessage and pollInterval have their types",
        statement: "`statusMessage` is a string and `pollInterval` a number where present.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#task")],
        fault: "task-poll-interval-string",
    },
    Advice {
        why: "Clients with strict types refuse the whole task; one that waits for \"500\" \
            milliseconds may not wait at all.",
        how: "Makes tasks and follows them, and looks at `statusMessage` and `pollInterval` in \
            every task that is shown in the run.",
        mend: "Leave out what there is not, in place of null, and write `pollInterval` as a \
            number.",
    },
    TASKS,
    |s| Box::pin(async { shown(s).await.map(drop) }),
)
.with_rule(Rule {
    subject: |_, past| past.shows.is_some(),
    holds: |event, past| {
        each(event, past, |_, task| {
            let message = task
                .get("statusMessage")
                .filter(|message| !message.is_string());
            if let Some(message) = message {
                return Some(format!("`statusMessage` is {message} instead of a string"));
            }
            let interval = task.get("pollInterval")?;
            let is_time = interval.as_f64().is_some_and(|interval| interval >= 0.0);
            (!is_time).then(|| format!("`pollInterval` is {interval} instead of milliseconds"))
        })
    },
    unseen: UNSEEN,
});
