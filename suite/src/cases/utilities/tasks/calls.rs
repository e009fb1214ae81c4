//! Calls that do not fit what a tool says of tasks.

use super::{prelude::*, refused_with};
use crate::talk::{Call, supports_tasks};

pub(super) const CASES: &[Case] = &[FORBIDDEN_AUGMENTED_CALL, REQUIRED_PLAIN_CALL];

const FORBIDDEN_AUGMENTED_CALL: Case = Case::probe(
    Clause {
        id: "utilities/task-forbidden-augmented-call",
        title: "A tool without task support refuses a task with -32601",
        statement: "When the server supports task-augmented calls but the tool forbids them \
            (explicitly or by default), a tools/call with `task` is answered with -32601.",
        level: Level::Should,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[
            Gate::Declared("tasks.requests.tools.call"),
            Gate::Met("tool-call"),
        ],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#tool-level-negotiation")],
        fault: "task-forbidden-tool-accepts-task",
    },
    Advice {
        why: "A client that asked for a task waits for one; a result in its place, or a task \
            that nothing works on, is a surprise to it.",
        how: "Calls a permitted tool whose `taskSupport` is absent or forbidden with `task`, and \
            expects the error -32601.",
        mend: "Look at the tool's `taskSupport` before you make a task, and answer with -32601 \
            where there is none.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let tool = permitted(s, |tool| !supports_tasks(tool)).await?;
            let Some(tool) = tool else {
                return unverified("there is no tool without support for tasks that may be called");
            };
            let mut params = tool.params();
            params["task"] = json!({ "ttl": 1000 });
            let reply = s.ask("tools/call", params).await?;
            let what = format!(
                "a call with `task` of {}, which does not support it,",
                escaped(&tool.name)
            );
            refused_with(&what, &reply, -32601)
        })
    },
);

const REQUIRED_PLAIN_CALL: Case = Case::probe(
    Clause {
        id: "utilities/task-required-plain-call",
        title: "A task-only tool refuses a plain call with -32601",
        statement: "A tool listed with taskSupport \"required\" answers a tools/call that carries no \
            `task` with the JSON-RPC error -32601.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[
            Gate::Declared("tasks.requests.tools.call"),
            Gate::Met("tool-call"),
        ],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#tool-level-negotiation")],
        fault: "task-required-tool-runs-plain",
    },
    Advice {
        why: "A client that knows nothing of tasks has to be told so, or it waits for a work \
            that takes hours.",
        how: "Calls a permitted tool whose `taskSupport` is required without `task`, and expects \
            the error -32601.",
        mend: "Refuse a plain call of such a tool with the JSON-RPC error -32601, not with a tool \
            result that has `isError`.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let required = |tool: &Value| tool["execution"]["taskSupport"] == "required";
            let Some(tool) = permitted(s, required).await? else {
                return unverified("there is no tool that requires tasks and may be called");
            };
            let reply = s.ask("tools/call", tool.params()).await?;
            let what = format!(
                "a plain call of {}, which has to be a task,",
                escaped(&tool.name)
            );
            refused_with(&what, &reply, -32601)
        })
    },
);

/// The first permitted tool of that kind.
async fn permitted(s: &Talk, is: impl Fn(&Value) -> bool) -> Result<Option<Call>, Stop> {
    let offer = s.offer().await?;
    let mut tools = offer
        .tools
        .iter()
        .filter(|tool| is(tool) && s.permits(tool));
    Ok(tools.find_map(|tool| s.call_of(tool)))
}
