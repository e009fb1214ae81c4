//! Progress of tasks, the words for the model, and how `tasks/get` travels.

use super::{
    super::slow::reports_since,
    TASKS,
    life::{Role, life},
    prelude::*,
    related, shown,
    step::{Step, broken},
};
use crate::tape::Shows;

pub(super) const CASES: &[Case] = &[
    PROGRESS_TOKEN,
    PROGRESS_STOPS,
    related::INPUT,
    IMMEDIATE_RESPONSE,
    GET_NO_SSE,
];

const PROGRESS: &str = "notifications/progress";

const PROGRESS_TOKEN: Case = Case::probe(
    Clause {
        id: "utilities/task-progress-token",
        title: "Progress of a task keeps the original token",
        statement: "Progress notifications of a task use the token of the request that created it, \
            also after that request was answered.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool")],
        anchors: &[(
            V2025_11_25,
            "basic/utilities/progress#behavior-requirements",
        )],
        fault: "task-progress-new-token",
    },
    Advice {
        why: "The client knows the token that it gave, and drops what comes for another.",
        how: "Makes a task of a call with a progress token, the only one in its session, and \
            looks at the token of everything that is reported until the task has ended.",
        mend: "Keep the token of the call with the task, and report with that.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            life.task(s, Role::First)?;
            let reports = s.session.with_state(|state| {
                let is_report = |message: &Message| {
                    message.kind() == Kind::Notification
                        && message.method.as_deref() == Some(PROGRESS)
                };
                let heard = state.heard.iter().filter(|(_, message)| is_report(message));
                heard.cloned().collect::<Vec<_>>()
            });
            if reports.is_empty() {
                return unverified("the task reported no progress");
            }
            for (at, message) in &reports {
                let token = message
                    .params()
                    .and_then(|params| params.get("progressToken"));
                if token != Some(&life.token) {
                    let text = match token {
                        Some(token) => format!(
                            "a task reports progress for {token}, and not for the token of its call"
                        ),
                        None => "a task reports progress without a token".to_owned(),
                    };
                    return violated_by(text, vec![Excerpt::of_message(*at, message)]);
                }
            }
            Ok(())
        })
    },
);

const PROGRESS_STOPS: Case = Case::probe(
    Clause {
        id: "utilities/task-progress-stops",
        title: "Progress of a task stops when it ends",
        statement: "After a task has become terminal no progress notification for its token follows.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool")],
        anchors: &[(
            V2025_11_25,
            "basic/utilities/progress#behavior-requirements",
        )],
        fault: "task-progress-after-terminal",
    },
    Advice {
        why: "A bar that the client has closed opens again, and stays.",
        how: "Makes a task of a call with a progress token, and asks for its result at once; when \
            it has ended sends a ping, and reads the session to its end. What comes behind the \
            answers to both counts.",
        mend: "Send the last report before you set the final status, and forget the token then.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            life.task(s, Role::First)?;
            let ping = life.ping_behind_end.as_ref().and_then(Step::at);
            let Some(ping) = ping else {
                return unverified("the task was not seen to end");
            };
            // What was reported before the end may be held back for that answer.
            let Some(result) = life.results.first().and_then(Step::came_at) else {
                return unverified("`tasks/result` of the task was not answered");
            };
            s.ended().await?;
            if s.reports_of(&life.token).is_empty() {
                return unverified("the task reported no progress for its token");
            }
            match reports_since(s, &life.token, ping.max(result)).first() {
                None => Ok(()),
                Some((at, message)) => violated_by(
                    "a task reports progress after it has ended",
                    vec![Excerpt::of_message(*at, message)],
                ),
            }
        })
    },
);

/// The key under which a new task has words for the model.
const IMMEDIATE: &str = "io.modelcontextprotocol/model-immediate-response";

const IMMEDIATE_RESPONSE: Case = Case::probe(
    Clause {
        id: "utilities/task-immediate-response",
        title: "The immediate response is a string",
        statement: "If CreateTaskResult has io.modelcontextprotocol/model-immediate-response in _meta \
            its value is a string.",
        level: Level::Should,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#creating-tasks")],
        fault: "task-immediate-response-object",
    },
    Advice {
        why: "The client gives it to the model as it stands; an object is shown as code, or \
            dropped.",
        how: "Makes tasks, and looks at that key in `_meta` of the answers.",
        mend: "Write one string there, or leave the key out.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = shown(s).await?;
            let told = life.calls().any(|made| {
                made.call.result().is_some_and(|result| result["_meta"].get(IMMEDIATE).is_some())
            });
            match told {
                true => Ok(()),
                false => unverified("no answer to a call that became a task has the key"),
            }
        })
    },
)
.with_rule(Rule {
    subject: |event, past| words(event, past).is_some(),
    holds: |event, past| match words(event, past) {
        Some((message, words)) if !words.is_string() => {
            broken_by(format!("`{IMMEDIATE}` is no string"), message, past)
        }
        _ => Ok(()),
    },
    unseen: "no answer to a call that became a task has the key",
});

/// The words for the model in the answer to a call that became a task.
fn words<'a>(event: &Event<'a>, past: &Past) -> Option<(&'a Message, &'a Value)> {
    let created = message(event).filter(|_| past.shows == Some(Shows::Created))?;
    Some((created, created.result()?.get("_meta")?.get(IMMEDIATE)?))
}

const GET_NO_SSE: Case = Case::probe(
    Clause {
        id: "utilities/task-get-no-sse",
        title: "tasks/get is not answered by a stream",
        statement: "Over Streamable HTTP a tasks/get is answered as JSON where possible.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Declared("tasks")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#input-required-status")],
        fault: "task-get-streams",
    },
    Advice {
        why: "Each look at a task opens a stream for a few bytes; whoever polls hundreds of \
            tasks pays for that.",
        how: "Makes tasks and asks for them, and looks at the media type of the answers. The \
            text says only that it should be so where possible: this is a hint.",
        mend: "Answer `tasks/get` with `application/json`.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = shown(s).await?;
            let answers = life.gets.iter().filter_map(|(_, step)| {
                Some((step, step.reply.message()?.exchange.as_ref()?.is_stream()))
            });
            let answers: Vec<(&Step, bool)> = answers.collect();
            match answers.first() {
                None => unverified("`tasks/get` was not answered"),
                Some((first, _)) if answers.iter().all(|(_, is_stream)| *is_stream) => broken(
                    s,
                    "every `tasks/get` is answered by an event stream",
                    &[first],
                ),
                Some(_) => Ok(()),
            }
        })
    },
);
