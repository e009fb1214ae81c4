//! Requests about tasks that there are not, and the answer to `tasks/get`.

use super::{
    TASKS,
    life::{RELATED, Role, life},
    prelude::*,
    refused_with,
    step::{EXPIRED, Step, broken},
};

pub(super) const CASES: &[Case] = &[
    UNKNOWN_ID_GET,
    UNKNOWN_ID_RESULT,
    UNKNOWN_ID_CANCEL,
    ID_MISSING_CODE,
    GET,
    PARAM_IS_TRUTH,
];

async fn unknown(s: &Talk, method: &str) -> Result<(), Stop> {
    let reply = s.ask(method, json!({ "taskId": s.no_task() })).await?;
    refused_with(
        &format!("`{method}` for a task that there is not"),
        &reply,
        -32602,
    )
}

const UNKNOWN_ID_GET: Case = Case::probe(
    Clause {
        id: "utilities/task-unknown-id-get",
        title: "tasks/get for an unknown task gives -32602",
        statement: "tasks/get with a taskId that does not exist is answered with Invalid params, \
            -32602.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#protocol-errors")],
        fault: "task-unknown-get-accepted",
    },
    Advice {
        why: "A client that comes too late for its task has to learn that it is gone, or it \
            polls for ever.",
        how: "Sends `tasks/get` with an id that no task has.",
        mend: "Answer with the JSON-RPC error -32602 where the id is not found.",
    },
    Stage::Shared,
    |s| Box::pin(unknown(s, "tasks/get")),
);

const UNKNOWN_ID_RESULT: Case = Case::probe(
    Clause {
        id: "utilities/task-unknown-id-result",
        title: "tasks/result for an unknown task gives -32602",
        statement: "tasks/result with a taskId that does not exist is answered with Invalid params, \
            -32602.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#protocol-errors")],
        fault: "task-unknown-result-accepted",
    },
    Advice {
        why: "A client that waits for the result of a task that is gone waits for ever.",
        how: "Sends `tasks/result` with an id that no task has.",
        mend: "Look the task up before you wait for its end, and answer with the JSON-RPC error \
            -32602 where there is none.",
    },
    Stage::Shared,
    |s| Box::pin(unknown(s, "tasks/result")),
);

const UNKNOWN_ID_CANCEL: Case = Case::probe(
    Clause {
        id: "utilities/task-unknown-id-cancel",
        title: "tasks/cancel for an unknown task gives -32602",
        statement: "tasks/cancel with a taskId that does not exist is answered with Invalid params, \
            -32602.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks.cancel")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#protocol-errors")],
        fault: "task-unknown-cancel-accepted",
    },
    Advice {
        why: "A user who is told that the task is cancelled believes it, while the real one \
            works on.",
        how: "Sends `tasks/cancel` with an id that no task has.",
        mend: "Answer with the JSON-RPC error -32602 where the id is not found.",
    },
    Stage::Shared,
    |s| Box::pin(unknown(s, "tasks/cancel")),
);

const ID_MISSING_CODE: Case = Case::probe(
    Clause {
        id: "utilities/task-id-missing-code",
        title: "A missing or mistyped taskId gives -32602",
        statement: "A task request without taskId, or with one that is no string, is answered with \
            -32602.",
        level: Level::Should,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#protocol-errors")],
        fault: "task-id-missing-code-internal",
    },
    Advice {
        why: "An internal error sends the author of the client to look for the fault in the \
            server.",
        how: "Sends `tasks/get` without a `taskId`, then with a number for one.",
        mend: "Check the params before you look for the task, and answer with -32602.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            for (params, what) in [
                (json!({}), "`tasks/get` without a `taskId`"),
                (json!({ "taskId": 5 }), "`tasks/get` with the `taskId` 5"),
            ] {
                let reply = s.ask("tasks/get", params).await?;
                refused_with(what, &reply, -32602)?;
            }
            Ok(())
        })
    },
);

const GET: Case = Case::probe(
    Clause {
        id: "utilities/task-get",
        title: "tasks/get returns the task asked for",
        statement: "tasks/get for a task that was created and has not expired returns that task, flat, \
            under its id.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#getting-tasks")],
        fault: "task-get-wrapped",
    },
    Advice {
        why: "It is how clients learn that the work is done; what they cannot read there never \
            ends for them.",
        how: "Sends `tasks/get` as soon as a task is made, and again until it has ended.",
        mend: "Answer with the members of the task themselves: `{\"taskId\": ..., \"status\": \
            ...}`, without a `task` around them.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            let (made, id) = life.task(s, Role::First)?;
            let steps = life.early.iter().chain(&made.last);
            for step in steps {
                life.came(s, step)?;
                if step.reply.is_refusal() && life.is_over(id, step) {
                    return unverified(EXPIRED);
                }
                let text = match step.result() {
                    None if step.reply.is_result() => continue,
                    None => format!("`tasks/get` for a task {}", step.reply),
                    Some(result) if result["taskId"] == id => continue,
                    Some(result) if result["task"].is_object() => {
                        "`tasks/get` wraps the task in a member `task`".to_owned()
                    }
                    Some(result) => match result.get("taskId") {
                        Some(other) => format!("`tasks/get` gives the `taskId` {other}"),
                        None => "`tasks/get` gives no `taskId`".to_owned(),
                    },
                };
                return broken(s, text, &[step]);
            }
            Ok(())
        })
    },
);

const PARAM_IS_TRUTH: Case = Case::probe(
    Clause {
        id: "utilities/task-param-is-truth",
        title: "The taskId parameter decides, not the metadata",
        statement: "In tasks/get, tasks/result and tasks/cancel the parameter names the task; \
            related-task metadata in the request is ignored.",
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
        fault: "task-meta-overrides-param",
    },
    Advice {
        why: "Metadata is written by other layers; one that redirects a request shows a client \
            the task of another.",
        how: "Asks for a task and its result with metadata that names another task, and one that \
            there is not. What fails is asked once more without metadata.",
        mend: "Read `params.taskId`, and nothing else, in `tasks/get`, `tasks/result` and \
            `tasks/cancel`.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            life.task(s, Role::First)?;
            let (_, id) = life.task(s, Role::Second)?;
            if life.misled.is_empty() {
                return unverified("fewer than two tasks were seen to end");
            }
            let mut unknown = None;
            for misled in &life.misled {
                life.came(s, &misled.step)?;
                let method = misled.method;
                let text = match (misled.step.result(), &misled.control) {
                    (Some(result), _) if is_about(result, id) => continue,
                    (Some(_), _) => format!(
                        "`{method}` with metadata that names another task answers about that one"
                    ),
                    (None, Some(control)) if control.reply.is_result() => {
                        format!(
                            "`{method}` with metadata that names another task {}",
                            misled.step.reply
                        )
                    }
                    // Too long to be read.
                    (None, None) => continue,
                    (None, Some(_)) => {
                        unknown = Some(format!("`{method}` fails without metadata as well"));
                        continue;
                    }
                };
                return broken(s, text, &evidence(&misled.step, misled.control.as_ref()));
            }
            unknown.map_or(Ok(()), unverified)
        })
    },
);

fn evidence<'a>(step: &'a Step, control: Option<&'a Step>) -> Vec<&'a Step> {
    std::iter::once(step).chain(control).collect()
}

/// Whether a result is about this task, as far as it says.
fn is_about(result: &Value, id: &str) -> bool {
    let named = crate::tape::unwrapped(result).get("taskId");
    let related = result["_meta"][RELATED].get("taskId");
    named.or(related).is_none_or(|named| *named == id)
}
