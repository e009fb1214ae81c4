//! The conversation with a task that needs an answer of the client.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    prelude::*,
    step::{Made, Player, Step, TTL, interval, task_call},
};
use crate::tape::Status;

/// So often a task is looked at after it has got its answer.
const LOOKS: usize = 10;
/// How long a question is waited for.
const LONGEST: Duration = Duration::from_secs(60);

/// What came of the conversation.
pub(super) struct Needy {
    /// The task's id.
    pub(super) id: String,
    /// What it asked before it had ended.
    pub(super) questions: Vec<(Duration, Message)>,
    /// Looks at the task while the answer to the first request was due.
    pub(super) due: Vec<Step>,
    /// Looks at it after that, until it showed another status.
    pub(super) after: Vec<Step>,
}

impl Conversation for Needy {
    async fn hold(s: &Talk) -> Result<Needy, Stop> {
        play(s).await
    }
}

async fn play(s: &Talk) -> Result<Needy, Stop> {
    let Some(tool) = s.needy_task_tool().await? else {
        return unverified("no task tool that may be called is known to need input");
    };
    s.behave(Manner::Deaf);
    s.session.listen();
    let player = Player::new(s);
    let params = task_call(&tool, json!({ "ttl": TTL }));
    let mut made = player.make(vec![((), params)]).await?;
    let Some(id) = made.first().and_then(Made::id).map(str::to_owned) else {
        return unverified("no task was created, see utilities/task-create-result");
    };
    let mut made: Vec<&mut Made<()>> = made.iter_mut().collect();
    wait_for_question(&player, &mut made, &id).await?;
    let questions = questions(s);
    let Some((_, question)) = questions.first() else {
        return unverified("the task asked the client for nothing");
    };
    let owner = "utilities/task-input-required";
    let mut due = Vec::new();
    for _ in 0..2 {
        due.push(player.get(owner, &id).await?);
        if due.last().and_then(Step::status) == Some(Status::InputRequired) {
            break;
        }
        pause(&made).await;
    }
    let Some(answer) = s.session.good_answer(question) else {
        return unverified("the request of the server cannot be answered");
    };
    s.tell(&answer).await?;
    let mut after = Vec::new();
    for _ in 0..LOOKS {
        after.push(player.get(owner, &id).await?);
        if after.last().and_then(Step::status) != Some(Status::InputRequired) {
            break;
        }
        pause(&made).await;
    }
    s.behave(Manner::Full);
    Ok(Needy {
        id,
        questions,
        due,
        after,
    })
}

/// The requests that a task makes: a server may ask for the roots on its own account.
fn questions(s: &Talk) -> Vec<(Duration, Message)> {
    let mut requests = s.requests_heard();
    requests.retain(|(_, request)| {
        let method = request.method.as_deref();
        matches!(
            method,
            Some("elicitation/create" | "sampling/createMessage")
        )
    });
    requests
}

async fn pause(made: &[&mut Made<()>]) {
    let interval = interval(made).unwrap_or_default();
    // A server does not wait long for its answer, so the leave to run is kept.
    tokio::time::sleep(interval).await;
}

/// Follows the task until it asks for something or has ended. The question may be put only when
/// the result is asked for, so that is done as soon as the task says that it needs input.
async fn wait_for_question(
    player: &Player<'_>,
    made: &mut [&mut Made<()>],
    id: &str,
) -> Result<(), Stop> {
    let s = player.s;
    let until = Instant::now() + LONGEST;
    let mut result = None;
    let mut answered = 0;
    loop {
        player.look(made).await?;
        let Some(interval) = interval(made) else {
            return Ok(());
        };
        let status = made[0].last.as_ref().and_then(Step::status);
        if status == Some(Status::InputRequired) && result.is_none() {
            let params = json!({ "taskId": id });
            let owner = "utilities/task-input-required";
            result = Some(player.begin(owner, "tasks/result", params).await?);
        }
        let asked = s.session.until(|_| s.requests_heard().len() > answered);
        // What comes or does not come in that time shows in the next round.
        tokio::time::timeout(interval, asked).await.ok();
        if !questions(s).is_empty() || Instant::now() > until {
            return Ok(());
        }
        for (_, request) in s.requests_heard().iter().skip(answered) {
            answered += 1;
            if let Some(answer) = s.session.good_answer(request) {
                s.tell(&answer).await?;
            }
        }
    }
}
