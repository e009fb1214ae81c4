//! Status notifications, and metadata where none belongs.

use super::{
    TASKS,
    aftermath::Announced,
    life::{Life, RELATED, life},
    prelude::*,
    shown, status_notifications,
    step::EXPIRED,
};
use crate::tape::{Shows, Status};

pub(super) const CASES: &[Case] = &[
    NOTIFICATION,
    NOTIFICATION_TRUE,
    NOTIFICATION_BARE,
    RESULTS_BARE,
];

const UNSEEN: &str = "no status notification came; they are optional";

/// That a status notification has come, for the rule that judges it.
async fn notified(s: &Talk) -> Result<(), Stop> {
    shown(s).await?;
    if status_notifications(s).is_empty() {
        return unverified(UNSEEN);
    }
    Ok(())
}

/// The status notification that the event is.
fn notification<'a>(event: &Event<'a>, past: &Past) -> Option<&'a Message> {
    message(event).filter(|_| past.shows == Some(Shows::Notified))
}

const NOTIFICATION: Case = Case::probe(
    Clause {
        id: "utilities/task-status-notification",
        title: "A status notification carries the whole task",
        statement: "params of notifications/tasks/status has all required members of a task.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks")],
        anchors: &[(
            V2025_11_25,
            "basic/utilities/tasks#task-status-notification",
        )],
        fault: "task-status-notification-partial",
    },
    Advice {
        why: "Clients decode the params as a task, and drop the notification if a member is \
            missing.",
        how: "Makes tasks and follows them, and looks for the required members in every status \
            notification.",
        mend: "Send the whole task, its members directly in `params`.",
    },
    TASKS,
    |s| Box::pin(notified(s)),
)
.with_rule(Rule {
    subject: |event, past| notification(event, past).is_some(),
    holds: |event, past| {
        let Some(message) = notification(event, past) else {
            return Ok(());
        };
        // `ttl` is utilities/task-ttl-present.
        let missing = ["taskId", "status", "createdAt", "lastUpdatedAt"]
            .into_iter()
            .find(|member| {
                message
                    .params()
                    .is_none_or(|params| params.get(member).is_none())
            });
        match missing {
            Some(_)
                if message
                    .params()
                    .is_some_and(|params| params["task"].is_object()) =>
            {
                broken_by(
                    "a status notification wraps the task in a member `task`",
                    message,
                    past,
                )
            }
            Some(member) => broken_by(
                format!("a status notification has no `{member}`"),
                message,
                past,
            ),
            None => Ok(()),
        }
    },
    unseen: UNSEEN,
});

const NOTIFICATION_TRUE: Case = Case::probe(
    Clause {
        id: "utilities/task-status-notification-true",
        title: "A status notification tells the truth",
        statement: "A status notification concerns a task of the client and shows a status that \
            tasks/get agrees with.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks")],
        anchors: &[(
            V2025_11_25,
            "basic/utilities/tasks#task-status-notification",
        )],
        fault: "task-status-notification-false",
    },
    Advice {
        why: "A client that is told of an end fetches the result, and finds none.",
        how: "For every status notification that shows an end, compares what the first \
            `tasks/get` behind it says.",
        mend: "Send the notification behind the change, from the same record.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            notified(s).await?;
            let life = life(s).await?;
            let (mut seen, mut over) = (false, false);
            for told in &life.announced {
                life.came(s, &told.get)?;
                let text = match told.get.status() {
                    Some(status) if status == told.status => {
                        seen = true;
                        continue;
                    }
                    Some(_) => format!(
                        "a status notification says that a task has ended, and `tasks/get` says {}",
                        told.get.task().unwrap_or(&Value::Null)["status"]
                    ),
                    None if told.get.reply.is_error() && expired(&life, told) => {
                        over = true;
                        continue;
                    }
                    None if told.get.reply.is_error() && told.status != Status::Cancelled => {
                        format!(
                            "a status notification says that the task `{}` has ended, and `tasks/get` {}",
                            escaped(&told.id),
                            told.get.reply
                        )
                    }
                    None => {
                        seen |= told.status == Status::Cancelled;
                        continue;
                    }
                };
                s.forget_log();
                let mut evidence = vec![told.excerpt.clone()];
                evidence.extend(told.get.shown());
                return violated_by(text, evidence);
            }
            match seen {
                true => Ok(()),
                false if over => unverified(EXPIRED),
                false => unverified("no status notification showed the end of a task"),
            }
        })
    },
);

/// Whether the task was asked for when its time to live was over.
fn expired(life: &Life, told: &Announced) -> bool {
    let until = told.until.zip(told.get.came_at());
    until.is_some_and(|(until, at)| until <= at) || life.is_over(&told.id, &told.get)
}

const NOTIFICATION_BARE: Case = Case::probe(
    Clause {
        id: "utilities/task-status-notification-bare",
        title: "Status notifications have no related-task metadata",
        statement: "The task id is in params already, so the metadata is left out.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#task-notifications")],
        fault: "task-status-notification-related",
    },
    Advice {
        why: "Two ids in one message can contradict each other.",
        how: "Makes tasks and follows them, and looks at `_meta` of every status notification.",
        mend: "Leave the related-task metadata out of `notifications/tasks/status`.",
    },
    TASKS,
    |s| Box::pin(notified(s)),
)
.with_rule(Rule {
    subject: |event, past| notification(event, past).is_some(),
    holds: |event, past| match notification(event, past) {
        Some(message) if message.params().is_some_and(has_related) => broken_by(
            format!("a status notification has `{RELATED}` in its `_meta`"),
            message,
            past,
        ),
        _ => Ok(()),
    },
    unseen: UNSEEN,
});

fn has_related(value: &Value) -> bool {
    value["_meta"].get(RELATED).is_some()
}

const RESULTS_BARE: Case = Case::probe(
    Clause {
        id: "utilities/task-result-messages-bare",
        title: "Results of get, list and cancel have no related-task metadata",
        statement: "Answers that carry the task id themselves leave the metadata out.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks")],
        anchors: &[(
            V2025_11_25,
            "basic/utilities/tasks#associating-task-related-messages",
        )],
        fault: "task-get-related",
    },
    Advice {
        why: "Two ids in one message can contradict each other.",
        how: "Makes tasks, gets, lists and cancels them, and looks at `_meta` of the answers.",
        mend: "Add the related-task metadata to the answer of `tasks/result` only.",
    },
    TASKS,
    |s| Box::pin(async { shown(s).await.map(drop) }),
)
.with_rule(Rule {
    subject: |event, past| bare(event, past).is_some(),
    holds: |event, past| match bare(event, past) {
        Some(message) if message.result().is_some_and(has_related) => broken_by(
            format!("the answer has `{RELATED}` in its `_meta`"),
            message,
            past,
        ),
        _ => Ok(()),
    },
    unseen: "no such request was answered with a result",
});

/// The answer to a request whose answers name their task themselves.
fn bare<'a>(event: &Event<'a>, past: &Past) -> Option<&'a Message> {
    let wanted = [Shows::Got, Shows::Listed, Shows::Cancelled];
    message(event).filter(|_| past.shows.is_some_and(|shows| wanted.contains(&shows)))
}
