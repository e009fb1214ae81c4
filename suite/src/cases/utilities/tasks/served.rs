//! Methods that are declared.

use super::prelude::*;
use crate::tape::Shows;

pub(super) const CASES: &[Case] = &[LIST_SERVED, CANCEL_SERVED];

const LIST_SERVED: Case = Case::probe(
    Clause {
        id: "utilities/task-list-served",
        title: "Declared tasks.list means tasks/list is served",
        statement: "A server that declared tasks.list answers tasks/list with a result that has an \
            array `tasks`.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks.list")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#server-capabilities")],
        fault: "tasks-list-missing",
    },
    Advice {
        why: "A client that lost its connection finds its tasks again by that list only.",
        how: "Sends `tasks/list` without params, then with empty params.",
        mend: "Register a handler for `tasks/list`, or do not declare `tasks.list`.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            for (params, what) in [
                (Value::Null, "`tasks/list` without params"),
                (json!({}), "`tasks/list` with empty params"),
            ] {
                let reply = s.ask("tasks/list", params).await?;
                match &reply {
                    _ if reply.is_result() => {
                        // One that is too long to be read has an array all the same, perhaps.
                        let result = reply.result();
                        if result.is_some_and(|result| !result["tasks"].is_array()) {
                            return violated(format!("{what} gives no array `tasks`"));
                        }
                    }
                    _ => return violated(format!("`tasks.list` is declared, and {what} {reply}")),
                }
            }
            Ok(())
        })
    },
)
.with_rule(Rule {
    subject: |event, past| listed(event, past).is_some(),
    holds: |event, past| match listed(event, past) {
        Some((message, result)) if !result["tasks"].is_array() => {
            broken_by("`tasks/list` gives no array `tasks`", message, past)
        }
        _ => Ok(()),
    },
    unseen: "`tasks/list` was not answered with a result",
});

/// The answer to `tasks/list`, and its result.
fn listed<'a>(event: &Event<'a>, past: &Past) -> Option<(&'a Message, &'a Value)> {
    let answer = message(event).filter(|_| past.shows == Some(Shows::Listed))?;
    Some((answer, answer.result()?))
}

const CANCEL_SERVED: Case = Case::probe(
    Clause {
        id: "utilities/task-cancel-served",
        title: "Declared tasks.cancel means tasks/cancel is served",
        statement: "A server that declared tasks.cancel does not refuse tasks/cancel as an unknown \
            method.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks.cancel")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#server-capabilities")],
        fault: "tasks-cancel-missing",
    },
    Advice {
        why: "The user presses stop, and the work goes on.",
        how: "Sends `tasks/cancel` for a task that there is not: an error that says so is the \
            right answer.",
        mend: "Register a handler for `tasks/cancel`, or do not declare `tasks.cancel`.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let reply = s
                .ask("tasks/cancel", json!({ "taskId": s.no_task() }))
                .await?;
            if reply.error_is(-32601) || reply.is_silence() {
                return violated(format!(
                    "`tasks.cancel` is declared, and `tasks/cancel` {reply}"
                ));
            }
            Ok(())
        })
    },
);
