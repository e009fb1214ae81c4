//! Lists of tasks.

use super::{
    TASKS,
    life::{Role, life},
    prelude::*,
    refused_with,
    step::broken,
};

pub(super) const CASES: &[Case] = &[LIST_COMPLETE, LIST_BAD_CURSOR, LIST_ISOLATION];

const LIST_COMPLETE: Case = Case::probe(
    Clause {
        id: "utilities/task-list-complete",
        title: "tasks/list shows every task that tasks/get shows",
        statement: "A task that the client can get is in the list, over all its pages.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks.list"), Gate::Met("task-tool")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#task-listing")],
        fault: "tasks-list-omits-task",
    },
    Advice {
        why: "A client that has lost its ids finds its tasks by the list; one that is missing \
            there is lost.",
        how: "Makes several tasks, walks `tasks/list` to its end, and looks for those that \
            `tasks/get` knows before and after the walk.",
        mend: "List everything that the store holds for the client, page by page, with a \
            `nextCursor` while there is more.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            life.task(s, Role::First)?;
            let Some(listed) = &life.listed else {
                return unverified("`tasks/list` was not asked for");
            };
            life.came(s, &listed.last_page)?;
            let Some(ids) = &listed.ids else {
                return unverified(format!(
                    "the list could not be read to its end: a page {}",
                    listed.last_page.reply
                ));
            };
            let mut known = false;
            for task in &listed.tasks {
                if !(task.before.reply.is_result() && task.after.reply.is_result()) {
                    continue;
                }
                known = true;
                if !ids.contains(&task.id) {
                    let text = format!(
                        "the task `{}` can be got, and is not in the list",
                        escaped(&task.id)
                    );
                    return broken(s, text, &[&task.before, &listed.last_page, &task.after]);
                }
            }
            match known {
                true => Ok(()),
                false => unverified(
                    "`tasks/get` knew no task before and after the list, see utilities/task-get",
                ),
            }
        })
    },
);

const LIST_BAD_CURSOR: Case = Case::probe(
    Clause {
        id: "utilities/task-list-bad-cursor",
        title: "An invalid cursor for tasks/list gives -32602",
        statement: "tasks/list with a cursor that the server never gave is answered with -32602.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks.list")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#protocol-errors")],
        fault: "tasks-list-bad-cursor-accepted",
    },
    Advice {
        why: "A client that is given the first page again walks in a circle.",
        how: "Sends `tasks/list` with a cursor that the server never gave.",
        mend: "Answer with the JSON-RPC error -32602 where a cursor cannot be read.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let cursor = format!("conform-{}", s.nonce());
            let reply = s.ask("tasks/list", json!({ "cursor": cursor })).await?;
            refused_with(
                "`tasks/list` with a cursor that was never given",
                &reply,
                -32602,
            )
        })
    },
);

const LIST_ISOLATION: Case = Case::probe(
    Clause {
        id: "utilities/task-list-isolation",
        title: "tasks/list does not show another client's tasks",
        statement: "A server that cannot tell its clients apart does not offer tasks.list; one that \
            can lists only the caller's tasks.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: &[Transport::HttpSse, Transport::StreamableHttp],
        needs: &[Gate::Declared("tasks.list"), Gate::Met("task-tool")],
        anchors: &[(
            V2025_11_25,
            "basic/utilities/tasks#task-isolation-and-access-control",
        )],
        fault: "tasks-list-shows-strangers",
    },
    Advice {
        why: "The id is all that guards a task; a list that shows it to strangers gives them the \
            results, and the means to cancel.",
        how: "Makes tasks in one session, opens another without credentials, and walks \
            `tasks/list` there.",
        mend: "List only the tasks of the session that asks; if you cannot tell, do not declare \
            `tasks.list`.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            if s.has_credentials() {
                return unverified("the headers that were given may be those of one client");
            }
            life.task(s, Role::First)?;
            let Some(stranger) = &life.stranger else {
                return unverified("no second session could be opened");
            };
            let Some((ids, page)) = &stranger.listed else {
                return unverified("the list could not be read in the second session");
            };
            // One that both sessions have made shows nothing; utilities/task-id-unique tells of it.
            let own = |id: &str| stranger.tasks.iter().any(|made| made.id() == Some(id));
            let seen = life
                .calls()
                .find(|made| made.id().is_some_and(|id| ids.contains(id) && !own(id)));
            match seen {
                None => Ok(()),
                Some(made) => {
                    let id = escaped(made.id().unwrap_or_default());
                    let text = format!("another session is shown the task `{id}` of this one");
                    broken(s, text, &[&made.call, page])
                }
            }
        })
    },
);
