//! What a task asks and reports, and how it names itself there.

use super::{
    NEEDY, TASKS,
    life::{RELATED, Role, life},
    needy::Needy,
    prelude::*,
    step::{Step, broken},
};
use crate::tape::Status;

pub(super) const CASES: &[Case] = &[REQUESTS_RELATED, NOTIFICATIONS_RELATED];

/// It stands behind the cases on progress in the catalogue.
pub(super) const INPUT: Case = INPUT_REQUIRED;

const REQUESTS_RELATED: Case = Case::probe(
    Clause {
        id: "utilities/task-requests-related",
        title: "Requests for a task name the task",
        statement: "A request that the server sends on behalf of a task (elicitation, sampling, roots) \
            has related-task metadata with the task's id.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool"), Gate::Met("elicitation(client)")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#input-required-status")],
        fault: "task-request-unrelated",
    },
    Advice {
        why: "The client cannot show the user which of several tasks asks.",
        how: "Makes a task of a tool that is known to ask the client, and looks at the server's \
            requests before it has ended; nothing else runs in that session.",
        mend: "Add `\"_meta\": {\"io.modelcontextprotocol/related-task\": {\"taskId\": ...}}` to \
            the params of what a task asks.",
    },
    NEEDY,
    |s| {
        Box::pin(async {
            let needy = s.held::<Needy>().await?;
            for (at, message) in &needy.questions {
                if let Some(text) = unrelated(message, &needy.id) {
                    let method = escaped(message.method.as_deref().unwrap_or_default());
                    let text = format!("`{method}` for a task {text}");
                    return violated_by(text, vec![Excerpt::of_message(*at, message)]);
                }
            }
            Ok(())
        })
    },
);

/// What is wrong with the metadata of a request or notification that belongs to the task.
fn unrelated(message: &Message, id: &str) -> Option<String> {
    let related = message
        .params()
        .and_then(|params| params["_meta"].get(RELATED));
    let Some(related) = related else {
        return Some(format!("has no `{RELATED}` in its `_meta`"));
    };
    match related.get("taskId") {
        Some(named) if *named == id => None,
        Some(named) => Some(format!("names the task {named} in `{RELATED}`")),
        None => Some(format!("has `{RELATED}` without a `taskId`")),
    }
}

const NOTIFICATIONS_RELATED: Case = Case::probe(
    Clause {
        id: "utilities/task-notifications-related",
        title: "Notifications of a task name the task",
        statement: "Progress notifications that belong to a task, sent after the task was created, \
            have related-task metadata with its id.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool")],
        anchors: &[(
            V2025_11_25,
            "basic/utilities/tasks#associating-task-related-messages",
        )],
        fault: "task-progress-unrelated",
    },
    Advice {
        why: "The client cannot tell to which of several tasks a report belongs, once the call \
            is answered.",
        how: "Makes a task of a call with a progress token, and looks at the progress that comes \
            for it behind the answer to the call. The page on tasks wants metadata in every \
            message of a task; the page on progress shows none in its examples.",
        mend: "Add `\"_meta\": {\"io.modelcontextprotocol/related-task\": {\"taskId\": ...}}` to \
            the params of what a task reports.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            let (made, id) = life.task(s, Role::First)?;
            let created = made.call.at();
            let reports = s.reports_of(&life.token);
            let mut behind = reports
                .iter()
                .filter(|(at, _)| Some(*at) > created)
                .peekable();
            if behind.peek().is_none() {
                return unverified("the task reported no progress behind the answer to its call");
            }
            for (at, message) in behind {
                if let Some(text) = unrelated(message, id) {
                    let text = format!("progress of a task {text}");
                    return violated_by(text, vec![Excerpt::of_message(*at, message)]);
                }
            }
            Ok(())
        })
    },
);

const INPUT_REQUIRED: Case = Case::probe(
    Clause {
        id: "utilities/task-input-required",
        title: "A task that needs input says so",
        statement: "While a task cannot go on without an answer of the client its status is \
            input_required; with the answer it leaves that status.",
        level: Level::Should,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool"), Gate::Met("elicitation(client)")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#input-required-status")],
        fault: "task-input-not-shown",
    },
    Advice {
        why: "A client comes for the question only when the status says that there is one; \
            otherwise both sides wait for the other.",
        how: "Makes a task of a tool that is known to ask the client, holds the answer back \
            while it looks at the status, answers, and looks again.",
        mend: "Set the status to `input_required` before you send the request, and back to \
            `working` when it is answered.",
    },
    NEEDY,
    |s| {
        Box::pin(async {
            let needy = s.held::<Needy>().await?;
            let is_due = |step: &Step| step.status() == Some(Status::InputRequired);
            if !needy.due.iter().any(is_due) {
                let read = needy
                    .due
                    .iter()
                    .all(|step| step.status() == Some(Status::Working));
                if !read {
                    return unverified("the status could not be read while the answer was due");
                }
                let text = "the task is working while it waits for an answer of the client";
                return broken(s, text, &needy.due.iter().collect::<Vec<_>>());
            }
            match needy.after.last() {
                Some(last) if is_due(last) => {
                    let text = "the task still needs input long after it got its answer";
                    broken(s, text, &[last])
                }
                Some(last) if last.status().is_some() => Ok(()),
                _ => unverified("the status could not be read behind the answer"),
            }
        })
    },
);
