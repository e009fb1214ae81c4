//! The conversation with a slow tool: calls in flight together, some of which are cancelled.

use std::{cell::RefCell, time::Duration};

use futures_util::join;

use super::prelude::*;
use crate::talk::{Call, SLOW_FROM, Waiting};

/// Between the calls and their cancellation: a slow tool takes four times as long.
const PAUSE: Duration = Duration::from_millis(125);
/// Tools of well-known servers that lead to a request of the server.
const ASKING: [&str; 6] = [
    "test_sampling",
    "trigger-sampling-request",
    "sampleLLM",
    "list-roots",
    "get-roots-list",
    "test_elicitation",
];

/// So often the calls are made where the cancellation comes too late to show anything.
const ATTEMPTS: u64 = 3;
/// What was under way on a stream of its own may come a little behind the answer to the ping.
const UNDER_WAY: Duration = Duration::from_millis(150);

/// What came of the conversation.
pub(super) struct Slow {
    tool: Result<Call, Stop>,
    calls: Option<Calls>,
    /// Pings around a cancellation of nothing, where there is no slow tool.
    pub(super) pings: Vec<Reply>,
    /// Why no call without a token was made that could report progress.
    pub(super) tokenless: Result<(), Stop>,
    /// What became of a ping behind a late answer to a request that the server had cancelled.
    pub(super) late_answer: Result<Reply, Stop>,
}

/// Calls of the slow tool.
pub(super) struct Calls {
    /// The token of the call that was cancelled.
    pub(super) token: Value,
    /// When it was cancelled.
    pub(super) cancelled_at: Duration,
    cancelled: RefCell<Waiting>,
    /// A call beside it.
    pub(super) other: Outcome,
    /// A call with an integer for an id, of which the same in a string was cancelled.
    pub(super) integer: Outcome,
    /// That integer.
    pub(super) number: u64,
    /// A call that was begun behind the cancellations, with a token.
    pub(super) yardstick: Outcome,
    /// How many notifications its token has got.
    pub(super) reports: usize,
    /// A ping right behind the calls.
    pub(super) ping: Outcome,
    /// A ping right behind the cancellations.
    pub(super) sentinel: Outcome,
}

/// What became of one request, and when.
pub(super) struct Outcome {
    begun: Duration,
    reply: Option<Reply>,
}

impl Outcome {
    async fn of(s: &Talk, waiting: &mut Waiting, window: Duration) -> Outcome {
        Outcome {
            begun: waiting.begun(),
            reply: s.within(waiting, window).await,
        }
    }

    /// When it was answered.
    pub(super) fn at(&self) -> Option<Duration> {
        match &self.reply {
            Some(Reply::Answer(answer)) => Some(answer.at),
            _ => None,
        }
    }

    /// How long the answer took.
    pub(super) fn took(&self) -> Option<Duration> {
        Some(self.at()?.saturating_sub(self.begun))
    }

    /// Whether it was answered with a result.
    pub(super) fn is_result(&self) -> bool {
        self.reply.as_ref().is_some_and(Reply::is_result)
    }

    /// Whether it was answered with a result that is no tool error.
    pub(super) fn is_success(&self) -> bool {
        let result = self.reply.as_ref().and_then(Reply::result);
        self.is_result() && result.is_none_or(|result| result["isError"] != true)
    }

    /// What became of it, to stand behind its name.
    pub(super) fn told(&self) -> String {
        match &self.reply {
            Some(reply) if reply.is_result() && !self.is_success() => {
                "is answered with a tool error".to_owned()
            }
            Some(reply) => reply.to_string(),
            None => Reply::Silent.to_string(),
        }
    }
}

/// What was reported for a token later than this, but for what was under way by then. A stream that
/// was resumed may bring again what was reported before: that is no new work.
pub(super) fn reports_since(s: &Talk, token: &Value, at: Duration) -> Vec<(Duration, Message)> {
    let (before, mut late): (Vec<_>, Vec<_>) = s
        .reports_of(token)
        .into_iter()
        .partition(|(came, _)| *came <= at + UNDER_WAY);
    late.retain(|(_, report)| {
        before
            .iter()
            .all(|(_, known)| known.text() != report.text())
    });
    late
}

impl Slow {
    /// The slow tool; why there is none otherwise.
    pub(super) fn tool(&self) -> Result<&Call, Stop> {
        self.tool.as_ref().map_err(Stop::clone)
    }

    /// The calls of the slow tool; why there are none otherwise.
    pub(super) fn calls(&self) -> Result<&Calls, Stop> {
        match (&self.calls, &self.tool) {
            (Some(calls), _) => Ok(calls),
            (None, Err(stop)) => Err(stop.clone()),
            (None, Ok(_)) => unverified("the slow tool was not called"),
        }
    }
}

impl Calls {
    /// Whether the tool is slow and works: the call that was begun last shows it.
    pub(super) fn measured(&self) -> Result<(), Stop> {
        if !self.yardstick.is_success() {
            return unverified(format!(
                "a call of the slow tool that is not cancelled {}",
                self.yardstick.told()
            ));
        }
        match self.yardstick.took() {
            Some(took) if took < SLOW_FROM => {
                unverified(format!("the slow tool took {} ms only", took.as_millis()))
            }
            _ => Ok(()),
        }
    }

    /// Whether the cancellation was heard late, as on a busy machine, and most of the work was done by
    /// then: what the rest of it brings shows nothing.
    fn came_late(&self) -> bool {
        let begun = self.cancelled.borrow().begun();
        match (self.sentinel.at(), self.yardstick.took()) {
            (Some(heard), Some(took)) => {
                let late = heard.saturating_sub(begun);
                late > PAUSE * 3 / 2 && took < (late + UNDER_WAY) * 2
            }
            _ => false,
        }
    }

    /// What has come for the cancelled call by now.
    pub(super) fn cancelled(&self, s: &Talk) -> Option<Reply> {
        s.came(&mut self.cancelled.borrow_mut())
    }
}

/// Sends a call without waiting for its answer.
pub(super) async fn begin_call(s: &Talk, id: Value, params: Value) -> Result<Waiting, Stop> {
    begin(s, id, "tools/call", params).await
}

async fn begin(s: &Talk, id: Value, method: &str, params: Value) -> Result<Waiting, Stop> {
    let mut request = json!({ "jsonrpc": "2.0", "id": id, "method": method });
    if !params.is_null() {
        request["params"] = params;
    }
    let id = Id::of(&id);
    s.begin(request.to_string().as_bytes(), Some(id)).await
}

/// A cancellation of the request with this id. What it does to the server shows later.
pub(super) async fn cancel(s: &Talk, id: &Value) {
    let params = json!({ "requestId": id, "reason": "the answer is not needed any more" });
    let message =
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params });
    s.tell(&message).await.ok();
}

impl Scene for Slow {
    async fn play(s: &Talk) -> Result<Slow, Stop> {
        s.behave(Manner::Deaf);
        let tool = s.slow_tool().await;
        let mut asked = ask_and_cancel(s).await;
        if let Ok(request) = &asked
            && s.serves().await?.is_silence()
        {
            // It serves one request at a time, and this one until it has its answer.
            if let Some(answer) = s.session.good_answer(request) {
                s.tell(&answer).await.ok();
            }
            asked = unverified("the server waits for the answer in spite of the cancellation");
        }
        let (mut calls, mut pings) = (None, Vec::new());
        match &tool {
            Ok(tool) => {
                for number in 5..5 + ATTEMPTS {
                    let made = calls.insert(call(s, tool, number).await?);
                    if !made.came_late() {
                        break;
                    }
                }
            }
            Err(_) => pings = five_pings(s).await?,
        }
        let tokenless = match &calls {
            // Two of the calls gave no token.
            Some(calls) if calls.reports > 0 => Ok(()),
            _ => call_without_token(s).await,
        };
        let late_answer = match asked {
            Ok(asked) => {
                if calls.is_none() {
                    s.quiet_window().await;
                }
                answer_late(s, &asked).await
            }
            Err(stop) => Err(stop),
        };
        Ok(Slow {
            tool,
            calls,
            pings,
            tokenless,
            late_answer,
        })
    }
}

async fn call(s: &Talk, tool: &Call, number: u64) -> Result<Calls, Stop> {
    let token = || json!(s.session.fresh_id("progress"));
    let (first, last) = (token(), token());
    let id = json!(s.fresh_id());
    let cancelled = begin_call(s, id.clone(), tool.params_with_token(&first)).await?;
    let mut other = begin_call(s, json!(s.fresh_id()), tool.params()).await?;
    let mut integer = begin_call(s, json!(number), tool.params()).await?;
    let mut ping = begin(s, json!(s.fresh_id()), "ping", Value::Null).await?;
    // The pause is the stimulus, not a wait for something to be absent.
    tokio::time::sleep(PAUSE).await;
    let cancelled_at = s.session.now();
    cancel(s, &id).await;
    let mut sentinel = begin(s, json!(s.fresh_id()), "ping", Value::Null).await?;
    cancel(s, &json!(number.to_string())).await;
    let id = json!(s.fresh_id());
    let yardstick = begin_call(s, id, tool.params_with_token(&last)).await?;
    let limit = s.session.limits.answer;
    let yardstick = Outcome {
        begun: yardstick.begun(),
        reply: Some(s.finish(yardstick, Patience::Limit).await?),
    };
    // What was asked first may take longer: nothing is in a cache yet.
    let (other, integer) = join!(
        Outcome::of(s, &mut other, limit),
        Outcome::of(s, &mut integer, limit)
    );
    // The pings have had more time than the last call took; they get as much again.
    let grace = yardstick.took().unwrap_or_default() * 2;
    let grace = grace.clamp(s.session.limits.quiet, limit);
    Ok(Calls {
        token: first,
        cancelled_at,
        cancelled: RefCell::new(cancelled),
        other,
        integer,
        number,
        reports: s.progress_of(&last).len(),
        yardstick,
        ping: Outcome::of(s, &mut ping, grace).await,
        sentinel: Outcome::of(s, &mut sentinel, grace).await,
    })
}

/// Five pings, and between them a cancellation of what was never asked.
async fn five_pings(s: &Talk) -> Result<Vec<Reply>, Stop> {
    let mut begun = Vec::new();
    for number in 0..5 {
        if number == 2 {
            cancel(s, &json!(s.session.fresh_id("never"))).await;
        }
        begun.push(begin(s, json!(s.fresh_id()), "ping", Value::Null).await?);
    }
    let mut replies = Vec::new();
    for waiting in begun {
        replies.push(s.finish(waiting, Patience::Settle).await?);
    }
    Ok(replies)
}

/// Calls the progress tool without a token.
async fn call_without_token(s: &Talk) -> Result<(), Stop> {
    let tool = s.progress_tool().await?;
    let reply = s.ask("tools/call", tool.params()).await?;
    if reply.is_result() {
        return Ok(());
    }
    unverified(format!("a call without a progress token {reply}"))
}

/// Has a tool ask us for something, and cancels the call: the request of the server.
async fn ask_and_cancel(s: &Talk) -> Result<Message, Stop> {
    let nothing = || unverified("no tool that may be called leads to a request of the server");
    let mut tool = None;
    for name in ASKING {
        if tool.is_none() {
            tool = s.permitted(name).await?;
        }
    }
    let Some(tool) = tool else {
        return nothing();
    };
    let id = json!(s.fresh_id());
    let mut waiting = begin_call(s, id.clone(), tool.params()).await?;
    let asked = s
        .session
        .until(|state| state.heard.iter().any(|(_, message)| asks(message)));
    tokio::select! {
        biased;
        () = asked => {}
        _ = s.within(&mut waiting, s.session.limits.quiet) => return nothing(),
    }
    cancel(s, &id).await;
    let request = s.session.with_state(|state| {
        let mut heard = state.heard.iter().map(|(_, message)| message);
        heard.find(|message| asks(message)).cloned()
    });
    request.map_or_else(nothing, Ok)
}

/// Whether it is a request that a client of this manner leaves unanswered.
fn asks(message: &Message) -> bool {
    message.kind() == Kind::Request && message.method.as_deref() != Some("ping")
}

/// Answers the request if the server has cancelled it: what becomes of a ping behind that.
async fn answer_late(s: &Talk, request: &Message) -> Result<Reply, Stop> {
    let cancelled = s
        .heard("notifications/cancelled")
        .into_iter()
        .any(|(_, params)| params.get("requestId").map(Id::of) == request.id);
    if !cancelled {
        return unverified("the server cancelled no request of its own");
    }
    let before = s.serves().await?;
    if !before.is_result() {
        return unverified(format!("a ping {before}, see utilities/ping-answered"));
    }
    let Some(answer) = s.session.good_answer(request) else {
        return unverified("the request of the server cannot be answered");
    };
    s.tell(&answer).await.ok();
    s.serves().await
}
