//! The results of tasks that end well.

use super::{
    TASKS,
    life::{Life, RELATED, Role, life},
    prelude::*,
    step::{EXPIRED, Step, broken},
};
use crate::{
    spec::schema::{Mismatch, is_owned, judge_result_but},
    tape::Status,
};

pub(super) const CASES: &[Case] = &[BLOCKS, PAYLOAD, RESULT_RELATED, REPEATABLE];

const BLOCKS: Case = Case::probe(
    Clause {
        id: "utilities/task-result-blocks",
        title: "tasks/result waits until the task has ended",
        statement: "tasks/result for a task that is working or waits for input is answered only when \
            the task is terminal.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#result-retrieval")],
        fault: "task-result-early",
    },
    Advice {
        why: "Clients wait by that request in place of polling; one that comes back early brings \
            them nothing, and they take it for the result.",
        how: "Asks for the result of a slow task at once, with a ping behind it; when the result \
            has come `tasks/get` has to show that the task has ended.",
        mend: "Hold the answer to `tasks/result` back until the task is completed, failed or \
            cancelled.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            let (made, _) = life.task(s, Role::Slow)?;
            let Some(result) = &life.slow_result else {
                if made.end().is_some() {
                    return violated("`tasks/result` is not answered though the task has ended");
                }
                return unverified("the task was not seen to end, and its result did not come");
            };
            life.came(s, result)?;
            let Some(get) = &life.slow_get else {
                return unverified("the task was not looked at when its result had come");
            };
            match get.status() {
                Some(status) if !status.is_terminal() => {
                    let text = format!(
                        "`tasks/result` {}, and the task is still {}",
                        result.reply,
                        get.task().unwrap_or(&Value::Null)["status"]
                    );
                    broken(s, text, &[result, get])
                }
                None => unverified(format!(
                    "`tasks/get` behind the result {}, and shows no status",
                    get.reply
                )),
                Some(_) => waited(&life, result),
            }
        })
    },
);

/// That the task was under way when its result was asked for: a ping behind that was answered
/// before the result.
fn waited(life: &Life, result: &Step) -> Result<(), Stop> {
    let ping = life.slow_ping.as_ref().and_then(Step::at);
    match (ping, result.at()) {
        (Some(ping), Some(result)) if ping <= result => Ok(()),
        _ => unverified("the result came before a ping that was sent behind its request"),
    }
}

/// The result of the first task, if that has ended as completed.
fn first_result<'a>(s: &Talk, life: &'a Life) -> Result<&'a Step, Stop> {
    let (made, _) = life.task(s, Role::First)?;
    if made.end() != Some(Status::Completed) {
        return unverified("the task was not seen to complete");
    }
    match life.results().first() {
        Some(step) => {
            life.came(s, step)?;
            Ok(step)
        }
        None => unverified("the result of the task was not asked for"),
    }
}

const PAYLOAD: Case = Case::probe(
    Clause {
        id: "utilities/task-result-payload",
        title: "tasks/result returns what the request would have returned",
        statement: "For a completed tool call tasks/result returns a tool result, not the task.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#result-retrieval")],
        fault: "task-result-is-task",
    },
    Advice {
        why: "The client hands it to the model as the tool's result; a task object in its place \
            says nothing.",
        how: "Follows a task until it is completed, and validates what `tasks/result` gives as a \
            tool result. Where the slow tool can be called plainly too, the kinds of content are \
            compared; what differs is compared with one more plain call.",
        mend: "Keep what the tool returned, and answer `tasks/result` with just that, and \
            `_meta`.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            let step = first_result(s, &life)?;
            let (_, id) = life.task(s, Role::First)?;
            let text = match step.result() {
                None if step.reply.is_result() => {
                    return unverified("the result is too long to be read");
                }
                None if life.is_over(id, step) => return unverified(EXPIRED),
                None => format!("`tasks/result` of a completed task {}", step.reply),
                Some(result) if result["content"].is_array() => match defect(s, result) {
                    None => return compare(s, &life),
                    Some(defect) => {
                        format!("`tasks/result` gives no valid tool result: {defect}")
                    }
                },
                Some(result) if result.get("taskId").is_some() || result.get("task").is_some() => {
                    "`tasks/result` gives the task instead of the tool's result".to_owned()
                }
                Some(_) => "`tasks/result` gives a result without an array `content`".to_owned(),
            };
            broken(s, text, &[step])
        })
    },
);

/// In what a tool result departs from the schema. What any result has in common is judged in every
/// message.
fn defect(s: &Talk, result: &Value) -> Option<String> {
    let (revision, method) = (s.revision(), "tools/call");
    let common = |id: &str| id.starts_with("jsonrpc/");
    let leaves = |found: &Mismatch| is_owned(revision, method, found, common);
    let found = judge_result_but(revision, method, None, result, &leaves).err()?;
    Some(escaped(found.to_string()))
}

/// Compares the slow tool's result as a task with that of a plain call, by their shapes.
fn compare(s: &Talk, life: &Life) -> Result<(), Stop> {
    let Some((step, task, plain)) = differing(life) else {
        return Ok(());
    };
    let again = life.plain_again.as_ref();
    let again = again.and_then(|again| Some((again, shape(again.result()?))));
    match again {
        Some((again, shape)) if shape == plain => {
            let text = format!("the result of the task is {task}, that of a plain call {plain}");
            broken(s, text, &[step, again])
        }
        // Plain calls differ among themselves.
        _ => Ok(()),
    }
}

/// The slow tool's result as a task, its shape, and that of a plain call, where they differ.
pub(super) fn differing(life: &Life) -> Option<(&Step, String, String)> {
    let completed = life.made(Role::Slow)?.end() == Some(Status::Completed);
    let step = life.slow_result.as_ref()?;
    let (plain, task) = (shape(life.plain.as_ref()?), shape(step.result()?));
    // What failed once may have failed for reasons of its own.
    let fails = [&plain, &task]
        .iter()
        .any(|shape| shape.starts_with("a tool error"));
    let differ = completed && !life.has_early_results() && !fails && plain != task;
    differ.then_some((step, task, plain))
}

/// The kinds of content of a tool result, each once.
fn shape(result: &Value) -> String {
    let content = result["content"].as_array().into_iter().flatten();
    let mut kinds: Vec<&str> = content.filter_map(|part| part["type"].as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let kinds = kinds
        .into_iter()
        .map(escaped)
        .collect::<Vec<_>>()
        .join(", ");
    let structured = match result.get("structuredContent") {
        Some(_) => " with structured content",
        None => "",
    };
    match result["isError"] == true {
        true => "a tool error".to_owned(),
        false if kinds.is_empty() => format!("empty{structured}"),
        false => format!("{kinds}{structured}"),
    }
}

const RESULT_RELATED: Case = Case::probe(
    Clause {
        id: "utilities/task-result-related",
        title: "The result of a task names its task",
        statement: "The result of tasks/result has `_meta` with io.modelcontextprotocol/related-task, \
            an object whose taskId is the task's id.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#related-task-metadata")],
        fault: "task-result-unrelated",
    },
    Advice {
        why: "The result itself names no task; without the metadata whoever reads the traffic \
            cannot tell which one it belongs to.",
        how: "Asks for the result of a task that has ended, and looks for the task's id in its \
            `_meta`.",
        mend: "Add `\"_meta\": {\"io.modelcontextprotocol/related-task\": {\"taskId\": ...}}` to \
            the result.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            let (_, id) = life.task(s, Role::First)?;
            let step = life.results().first();
            let Some((step, result)) = step.and_then(|step| Some((step, step.result()?))) else {
                return unverified("`tasks/result` gave no result");
            };
            let related = result["_meta"].get(RELATED);
            let text = match related.and_then(|related| related.get("taskId")) {
                Some(named) if *named == id => return Ok(()),
                Some(named) => format!("the result names the task {named} in `{RELATED}`"),
                None if related.is_some() => format!("`{RELATED}` in the result has no `taskId`"),
                None => format!("the result has no `{RELATED}` in its `_meta`"),
            };
            broken(s, text, &[step])
        })
    },
);

const REPEATABLE: Case = Case::probe(
    Clause {
        id: "utilities/task-result-repeatable",
        title: "The result of a task can be fetched again",
        statement: "While the task is retained, each tasks/result for it returns the final result.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#result-retrieval")],
        fault: "task-result-once",
    },
    Advice {
        why: "A client whose connection breaks while the result comes has to ask again, or all \
            the work was in vain.",
        how: "Asks for the result of a completed task three times, and compares the answers.",
        mend: "Keep the result as long as the task.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life: std::rc::Rc<Life> = life(s).await?;
            let first = first_result(s, &life)?;
            if !first.reply.is_result() {
                return unverified(format!(
                    "`tasks/result` {}, see utilities/task-result-payload",
                    first.reply
                ));
            }
            if life.results().len() < 2 {
                return unverified("the result was not asked for again");
            }
            let gone = life.later.iter().any(|step| step.reply.is_error());
            for step in &life.results()[1..] {
                life.came(s, step)?;
                let text = match (step.result(), first.result()) {
                    (Some(again), Some(first)) if again == first => continue,
                    (Some(_), Some(_)) => {
                        "`tasks/result` gives another result the second time".to_owned()
                    }
                    _ if step.reply.is_result() => continue,
                    _ if gone => {
                        return unverified(
                            "the task was gone by then, see utilities/task-kept-for-ttl",
                        );
                    }
                    _ => format!(
                        "`tasks/result` for a task whose result was fetched before {}",
                        step.reply
                    ),
                };
                return broken(s, text, &[first, step]);
            }
            Ok(())
        })
    },
);
