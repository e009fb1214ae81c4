//! What a server declares about tasks, and what it does if it declares nothing.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[CAPABILITY_SHAPE, CAPABILITY_DECLARED, UNDECLARED_IGNORED];

const CAPABILITY_SHAPE: Case = Case::probe(
    Clause {
        id: "utilities/task-capability-shape",
        title: "The tasks capability has the schema's shape",
        statement: "`capabilities.tasks` is an object; its list, cancel, requests, requests.tools and \
            requests.tools.call, where present, are objects.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tasks")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#server-capabilities")],
        fault: "tasks-capability-true",
    },
    Advice {
        why: "Clients with strict types refuse the whole handshake over a `true` in these \
            places.",
        how: "Reads `capabilities.tasks` in the answer to `initialize`.",
        mend: "Declare `\"tasks\": {\"list\": {}, \"cancel\": {}, \"requests\": {\"tools\": \
            {\"call\": {}}}}`, and leave out what is not supported.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            match odd_member(&s.first_result()) {
                Some(text) => violated(text),
                None => Ok(()),
            }
        })
    },
)
.with_rule(Rule {
    subject: |event, past| {
        past.at_initialize
            && message(event)
                .and_then(Message::result)
                .is_some_and(|result| result["capabilities"].get("tasks").is_some())
    },
    holds: |event, past| {
        let found = message(event).and_then(|message| {
            let text = odd_member(message.result()?)?;
            Some((message, text))
        });
        match found {
            Some((message, text)) => broken_by(text, message, past),
            None => Ok(()),
        }
    },
    unseen: "the server does not declare `tasks`",
});

/// The first place in the capability that is no object.
fn odd_member(result: &Value) -> Option<String> {
    const PLACES: [&str; 6] = [
        "tasks",
        "tasks.list",
        "tasks.cancel",
        "tasks.requests",
        "tasks.requests.tools",
        "tasks.requests.tools.call",
    ];
    PLACES.into_iter().find_map(|place| {
        let value = result["capabilities"].pointer(&format!("/{}", place.replace('.', "/")))?;
        (!value.is_object()).then(|| format!("`{place}` is {value} instead of an object"))
    })
}

const CAPABILITY_DECLARED: Case = Case::probe(
    Clause {
        id: "utilities/task-capability-declared",
        title: "Task methods are served only when declared",
        statement: "A server that supports tasks declares the capability; without it the task methods \
            are not served and nothing is made a task.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#capabilities")],
        fault: "undeclared-tasks-served",
    },
    Advice {
        why: "A client that goes by the capability never asks for the tasks that pile up on the \
            server.",
        how: "Where `tasks` is not declared, sends `tasks/list` and `tasks/get`, calls a \
            permitted tool with `task`, and looks for status notifications. An empty list \
            passes.",
        mend: "Declare `tasks` in the answer to `initialize`, or switch the task methods off.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            if s.session.declares("tasks") {
                return not_applicable("the server declares `tasks`");
            }
            let list = s.ask("tasks/list", json!({})).await?;
            if let Some(result) = list.result() {
                if result["tasks"].as_array().is_some_and(|tasks| !tasks.is_empty()) {
                    return violated("`tasks` is not declared, and `tasks/list` shows tasks");
                }
                s.remark("`tasks/list` is answered although `tasks` is not declared");
            }
            let get = s.ask("tasks/get", json!({ "taskId": s.no_task() })).await?;
            if get.is_result() {
                return violated(format!("`tasks` is not declared, and `tasks/get` {get}"));
            }
            let Ok(tool) = s.any_tool().await else {
                return Ok(());
            };
            let mut params = tool.params();
            params["task"] = json!({});
            let call = s.ask("tools/call", params).await?;
            if call.result().is_some_and(|result| result.get("task").is_some()) {
                return violated("`tasks` is not declared, and a call with `task` becomes a task");
            }
            Ok(())
        })
    },
)
.with_rule(Rule {
    subject: |event, past| told_of_task(event).is_some() && is_undeclared(past),
    holds: |event, past| match told_of_task(event) {
        Some(message) => broken_by(
            "`tasks` is not declared, and the status of a task is told",
            message,
            past,
        ),
        None => Ok(()),
    },
    unseen: "nothing was said of a task",
});

fn told_of_task<'a>(event: &Event<'a>) -> Option<&'a Message> {
    call(event).filter(|message| message.method.as_deref() == Some("notifications/tasks/status"))
}

fn is_undeclared(past: &Past) -> bool {
    let result = past.initialized.as_ref();
    result.is_some_and(|result| result["capabilities"].get("tasks").is_none())
}

const UNDECLARED_IGNORED: Case = Case::probe(
    Clause {
        id: "utilities/task-undeclared-ignored",
        title: "Task metadata is ignored where tasks are not declared",
        statement: "A server that did not declare tasks for tools/call processes a call with `task` as \
            if the member were not there.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Declared("tools")],
        anchors: &[(
            V2025_11_25,
            "basic/utilities/tasks#task-support-and-handling",
        )],
        fault: "task-metadata-refused",
    },
    Advice {
        why: "Clients may ask every server for tasks and take what they get; one that refuses \
            cannot be called by them at all.",
        how: "Where `tasks.requests.tools.call` is not declared, calls a tool that there is not, \
            and a permitted one, without and with `task`; compares what comes of it. What \
            differs is repeated, and has to come to the same again.",
        mend: "Ignore `task` unless you declare tasks for `tools/call`.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            if s.session.declares("tasks.requests.tools.call") {
                return not_applicable("the server declares `tasks.requests.tools.call`");
            }
            let name = format!("conform-unknown-{}", s.nonce());
            compare(
                s,
                "a call of an unknown tool",
                json!({ "name": name, "arguments": {} }),
            )
            .await?;
            match s.any_tool().await {
                Ok(tool) => {
                    compare(
                        s,
                        &format!("a call of {}", escaped(&tool.name)),
                        tool.params(),
                    )
                    .await
                }
                // The unknown tool is enough.
                Err(_) => Ok(()),
            }
        })
    },
);

/// Makes the call without and with `task`, and compares the outcomes.
async fn compare(s: &Talk, what: &str, params: Value) -> Result<(), Stop> {
    let plain = s.ask("tools/call", params.clone()).await?;
    let mut asking = params.clone();
    asking["task"] = json!({ "ttl": 60_000 });
    if plain.is_silence() {
        return unverified(format!("{what} {plain}"));
    }
    let reply = s.ask("tools/call", asking.clone()).await?;
    if reply
        .result()
        .is_some_and(|result| result.get("task").is_some())
    {
        // That is utilities/task-capability-declared.
        return unverified(format!(
            "{what} becomes a task, see utilities/task-capability-declared"
        ));
    }
    let (plain, with_task) = (outcome(&plain), outcome(&reply));
    if plain == with_task {
        return Ok(());
    }
    // Tools fail by chance, and for what was called before.
    for (params, before) in [(params, &plain), (asking, &with_task)] {
        let again = s.ask("tools/call", params).await?;
        if outcome(&again) != *before {
            return unverified(format!("{what} comes to something else every time"));
        }
    }
    differs(
        format!("{what} comes to something else with `task`"),
        plain,
        with_task,
    )
}

/// What a call came to, in a word.
fn outcome(reply: &Reply) -> String {
    match (reply.result(), reply.error_code()) {
        (Some(result), _) if result["isError"] == true => "a tool error".to_owned(),
        (_, Some(code)) => format!("the error {code}"),
        _ if reply.is_result() => "a tool result".to_owned(),
        _ => reply.to_string(),
    }
}
