//! Tasks that end badly.

use super::{
    TASKS,
    life::{Role, life},
    prelude::*,
    step::{EXPIRED, Step, broken},
};
use crate::tape::{Shows, Status};

pub(super) const CASES: &[Case] = &[RESULT_ERROR, FAILED_STATUS, FAILED_MESSAGE];

const RESULT_ERROR: Case = Case::probe(
    Clause {
        id: "utilities/task-result-error",
        title: "An error of the request is returned by tasks/result",
        statement: "If the underlying request ended in a JSON-RPC error, tasks/result returns that \
            error.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#task-execution-errors")],
        fault: "task-result-error-masked",
    },
    Advice {
        why: "A client that finds a result where there was an error tells the user that all went \
            well.",
        how: "Makes a task of a call that is answered with a JSON-RPC error without `task`, and \
            compares the code that `tasks/result` gives. Where it differs the plain call is \
            repeated, and has to end in its error again.",
        mend: "Keep the error of the request, and answer `tasks/result` with that, code and all.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            let Some(code) = &life.erring_code else {
                return unverified(
                    "no tool is known that can be a task and ends in a JSON-RPC error",
                );
            };
            let (made, id) = life.task(s, Role::Erring)?;
            let Some(step) = &life.erring_result else {
                return unverified("the task was not seen to end");
            };
            life.came(s, step)?;
            if step.reply.error_code() == Some(code) {
                return Ok(());
            }
            if life.is_over(id, step) {
                return unverified(EXPIRED);
            }
            let again = life.erring_again.as_ref();
            if again.is_none_or(|again| again.reply.error_code() != Some(code)) {
                return unverified("a plain call does not end in the same error every time");
            }
            let text = format!(
                "a plain call ends in the error {code}, and `tasks/result` {}",
                step.reply
            );
            let shown: Vec<&Step> = [&made.call, step].into_iter().chain(again).collect();
            broken(s, text, &shown)
        })
    },
);

const FAILED_STATUS: Case = Case::probe(
    Clause {
        id: "utilities/task-failed-status",
        title: "A tool error makes the task fail",
        statement: "A task whose tool result has isError true ends as failed.",
        level: Level::Should,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#task-execution-errors")],
        fault: "task-tool-error-completed",
    },
    Advice {
        why: "Whoever looks at the list of tasks sees success where the tool has failed.",
        how: "Makes a task of a call whose plain result has `isError`, follows it, and fetches \
            its result.",
        mend: "Set the status to `failed` when the tool's result has `isError` true.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            if life.made(Role::Failing).is_none() {
                return unverified("no tool is known that can be a task and ends in a tool error");
            }
            let (made, _) = life.task(s, Role::Failing)?;
            let (Some(end), Some(last)) = (made.end(), &made.last) else {
                return unverified("the task was not seen to end");
            };
            if end == Status::Failed {
                return Ok(());
            }
            let result = life.failing_result.iter().find(|step| {
                step.result()
                    .is_some_and(|result| result["isError"] == true)
            });
            match result {
                Some(result) if end == Status::Completed => {
                    let text = "the task ends as completed, and its result has `isError`";
                    broken(s, text, &[last, result])
                }
                _ => unverified("the tool did not fail as a task"),
            }
        })
    },
);

const FAILED_MESSAGE: Case = Case::probe(
    Clause {
        id: "utilities/task-failed-message",
        title: "A failed task says why",
        statement: "tasks/get for a failed task has a statusMessage with diagnostic information.",
        level: Level::Should,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#task-execution-errors")],
        fault: "task-failed-silent",
    },
    Advice {
        why: "The user reads \"failed\", and nobody can say why.",
        how: "Makes tasks of calls that fail, and looks at `statusMessage` in every answer to \
            `tasks/get` with the status failed.",
        mend: "Set `statusMessage` to what went wrong when you set the status to `failed`.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            let failed = life.calls().any(|made| made.end() == Some(Status::Failed));
            if !failed {
                return unverified("no task was seen to fail");
            }
            Ok(())
        })
    },
)
.with_rule(Rule {
    subject: |event, past| failed(event, past).is_some(),
    holds: |event, past| match failed(event, past) {
        Some((message, task)) => {
            let told = task["statusMessage"].as_str().map(str::trim);
            match told {
                Some(text) if !text.is_empty() => Ok(()),
                // Another type is utilities/task-optional-members.
                None if task.get("statusMessage").is_some() => Ok(()),
                _ => broken_by(
                    "a task has failed, and has no `statusMessage`",
                    message,
                    past,
                ),
            }
        }
        None => Ok(()),
    },
    unseen: "no task was seen to fail",
});

/// The failed task that an answer to `tasks/get` shows.
fn failed<'a>(event: &Event<'a>, past: &Past) -> Option<(&'a Message, &'a Value)> {
    let shown = message(event).filter(|_| past.shows == Some(Shows::Got))?;
    let task = Shows::Got.tasks(shown).next()?;
    (Status::of(task) == Some(Status::Failed)).then_some((shown, task))
}
